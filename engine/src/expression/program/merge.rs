//! Operations that run as one: two steps of arithmetic, or a comparison and the choice by it.
//!
//! Short loops cost as much to start as to run, and what passes between two of them is written and read again.

use std::sync::Arc;

use hypostyle_functions::lanes::{LaneKernel, paired};

use super::Code;
use super::build::{Builder, Value};

/// Which operation takes another one in, and what it becomes.
struct Merged {
    taken: usize,
    code: Code,
    operands: Vec<Value>,
}

impl Builder {
    /// Lets operations take in one that nothing else reads, where a kernel does both.
    pub(super) fn merge(&mut self) {
        let mut reads = vec![0; self.values.len()];
        for operand in self.operations.iter().flat_map(|(_, operands)| operands) {
            if let Value::Result(index) = operand {
                reads[*index] += 1;
            }
        }
        let mut is_taken = vec![false; self.values.len()];
        for index in 0..self.operations.len() {
            let may_take = |first: usize| reads[first] == 1 && !is_taken[first];
            let merged = self.pair(index, may_take).or_else(|| self.choice(index, may_take));
            if let Some(Merged { taken, code, operands }) = merged {
                self.operations[index] = (code, operands);
                is_taken[taken] = true;
            }
        }
        self.remove(&is_taken);
    }

    /// The kernel and the operands of the operation behind a value.
    fn kernel_of(
        &self,
        value: Value,
        may_take: impl Fn(usize) -> bool,
    ) -> Option<(usize, &Arc<dyn LaneKernel>, &[Value])> {
        let Value::Result(index) = value else { return None };
        match &self.operations[index] {
            (Code::Kernel(kernel), operands) if may_take(index) => Some((index, kernel, operands)),
            _ => None,
        }
    }

    /// A step of arithmetic on the result of another.
    fn pair(&self, index: usize, may_take: impl Fn(usize) -> bool) -> Option<Merged> {
        let (Code::Kernel(second), operands) = &self.operations[index] else { return None };
        let &[left, right] = &operands[..] else { return None };
        [(left, right, true), (right, left, false)].into_iter().find_map(|(inner, other, is_left)| {
            let (taken, first, operands) = self.kernel_of(inner, &may_take)?;
            let pair = paired(&**first, &**second, is_left)?;
            let &[a, b] = operands else { return None };
            Some(Merged { taken, code: Code::Kernel(pair), operands: vec![a, b, other] })
        })
    }

    /// A choice by a comparison.
    fn choice(&self, index: usize, may_take: impl Fn(usize) -> bool) -> Option<Merged> {
        let (Code::Select, operands) = &self.operations[index] else { return None };
        let &[condition, first, second] = &operands[..] else { return None };
        let (taken, comparison, compared) = self.kernel_of(condition, may_take)?;
        let choice = comparison.choice(self.values[index])?;
        let &[left, right] = compared else { return None };
        let code = Code::Choose { comparison: Arc::clone(comparison), choice };
        Some(Merged { taken, code, operands: vec![left, right, first, second] })
    }

    /// Takes operations away and numbers the others anew.
    fn remove(&mut self, is_taken: &[bool]) {
        let mut places = Vec::with_capacity(is_taken.len());
        let mut kept = 0;
        for &is_taken in is_taken {
            places.push(kept);
            kept += usize::from(!is_taken);
        }
        let mut left = is_taken.iter().map(|is_taken| !is_taken);
        self.operations.retain(|_| left.next().unwrap_or(true));
        let mut left = is_taken.iter().map(|is_taken| !is_taken);
        self.values.retain(|_| left.next().unwrap_or(true));
        for operand in self.operations.iter_mut().flat_map(|(_, operands)| operands) {
            if let Value::Result(index) = operand {
                *index = places[*index];
            }
        }
    }
}
