//! Puts operations in order and gives their values registers.

use std::sync::Arc;

use hypostyle_functions::lanes::{LaneKernel, LaneKind};

use super::{Code, Location, Operation, Place, Program};

/// A program under construction. The operation added last gives the result.
#[derive(Default)]
pub(in crate::expression) struct Builder {
    inputs: Vec<LaneKind>,
    /// Kinds of the operations' results.
    pub(super) values: Vec<LaneKind>,
    pub(super) operations: Vec<(Code, Vec<Value>)>,
}

/// An operand before inputs and values are numbered together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::expression) enum Value {
    Input(usize),
    Result(usize),
}

impl Builder {
    /// The program of a single kernel.
    pub fn kernel(kernel: &Arc<dyn LaneKernel>, inputs: &[LaneKind], result: LaneKind) -> Program {
        let mut builder = Self::default();
        let operands = inputs.iter().map(|&kind| builder.input(kind)).collect();
        builder.operation(Code::Kernel(Arc::clone(kernel)), operands, result);
        builder.build()
    }

    /// The program that combines its inputs, two or more of one kind, from the left; nulls are passed over.
    pub fn combination(kernel: &Arc<dyn LaneKernel>, inputs: usize, kind: LaneKind) -> Program {
        let mut builder = Self::default();
        let mut combined = builder.input(kind);
        for _ in 1..inputs {
            let next = builder.input(kind);
            combined = builder.operation(Code::Combine(Arc::clone(kernel)), vec![combined, next], kind);
        }
        builder.build()
    }

    /// Adds an input.
    pub fn input(&mut self, kind: LaneKind) -> Value {
        self.inputs.push(kind);
        Value::Input(self.inputs.len() - 1)
    }

    /// Adds an operation and returns its value.
    pub fn operation(&mut self, code: Code, operands: Vec<Value>, result: LaneKind) -> Value {
        self.operations.push((code, operands));
        self.values.push(result);
        Value::Result(self.values.len() - 1)
    }

    /// Number of operations so far.
    pub fn operations(&self) -> usize {
        self.operations.len()
    }

    /// The program: operations that can run as one are merged, and registers are handed on as soon as their last reader is past.
    pub fn build(mut self) -> Program {
        self.merge();
        let inputs = self.inputs.len();
        let location = |value: &Value| match value {
            Value::Input(index) => *index,
            Value::Result(index) => inputs + index,
        };
        let mut last_use = vec![0; inputs + self.values.len()];
        for (position, (_, operands)) in self.operations.iter().enumerate() {
            operands.iter().for_each(|operand| last_use[location(operand)] = position);
        }
        // Inputs keep a register of their own for the whole program: a block is loaded before it runs.
        let mut registers = Registers::default();
        let mut places: Vec<Place> = self.inputs.iter().map(|&kind| registers.take(kind)).collect();
        let mut operations = Vec::with_capacity(self.operations.len());
        for (position, (code, operands)) in self.operations.into_iter().enumerate() {
            let operands: Box<[Location]> = operands.iter().map(location).collect();
            // The result never shares the register of an operand: kernels write while they read.
            places.push(registers.take(self.values[position]));
            for (index, &operand) in operands.iter().enumerate() {
                let is_first = !operands[..index].contains(&operand);
                if operand >= inputs && last_use[operand] == position && is_first {
                    registers.give(places[operand]);
                }
            }
            operations.push(Operation { code, operands, result: inputs + position });
        }
        let widest = places.iter().map(|place| place.kind.width_bytes()).max().unwrap_or(1);
        let lanes = Program::block_lanes(operations.len(), widest);
        let is_total = operations.iter().all(|operation| operation.code.is_total());
        Program { places: places.into(), inputs, operations: operations.into(), lanes, is_total }
    }
}

/// Registers in use and free, by kind.
#[derive(Default)]
struct Registers {
    used: Vec<(LaneKind, usize)>,
    free: Vec<Place>,
}

impl Registers {
    fn take(&mut self, kind: LaneKind) -> Place {
        if let Some(position) = self.free.iter().rposition(|place| place.kind == kind) {
            return self.free.swap_remove(position);
        }
        let count = match self.used.iter_mut().find(|(used, _)| *used == kind) {
            Some((_, count)) => count,
            None => {
                self.used.push((kind, 0));
                let last = self.used.len() - 1;
                &mut self.used[last].1
            }
        };
        *count += 1;
        Place { kind, register: *count - 1 }
    }

    fn give(&mut self, place: Place) {
        self.free.push(place);
    }
}
