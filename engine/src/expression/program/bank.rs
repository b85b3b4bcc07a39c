//! What the operations of a block read, and those that decide between operands.

use hypostyle_functions::kernel::lane_loop;
use hypostyle_functions::lanes::{LaneKernel, Lanes, LanesMut, Marks, Register};

use super::block::Block;
use super::machine::{Source, Splat};
use super::mask::{Mask, WORDS, Words, set_mask, strict_words};
use super::{Location, Operation, Program};

/// Most operands of an operation whose lanes are lent without an allocation.
const OPERANDS_INLINE: usize = 8;

/// What operations read.
pub(super) struct Bank<'a> {
    pub program: &'a Program,
    pub sources: &'a [Source<'a>],
    pub registers: &'a [Vec<Register>],
    pub splats: &'a [Splat],
    pub block: &'a Block<'a>,
}

impl<'a> Bank<'a> {
    // Inlined, like what it calls: lanes that are stored by their parts and loaded whole wait for all stores before them.
    #[inline(always)]
    fn lanes(&self, location: Location) -> Lanes<'a> {
        let place = self.program.places[location];
        let length = self.block.length;
        if location < self.program.inputs {
            let source = &self.sources[location];
            if let Some(node) = source.splat {
                return self.splats[node].register.lanes(length);
            }
            if self.block.rows.is_none()
                && source.view.is_flat()
                && let Some(lanes) = Lanes::of_view(source.view, self.block.start, length)
            {
                return lanes;
            }
        }
        self.registers[place.kind as usize][place.register].lanes(length)
    }

    /// The lanes of an operand: one where the kernel accepts that for a constant.
    #[inline(always)]
    fn operand(&self, location: Location, accepts_splats: bool) -> Lanes<'a> {
        match self.splat(location) {
            Some(register) if accepts_splats => register.lanes(1),
            _ => self.lanes(location),
        }
    }

    /// The register of an operand that is constant.
    #[inline(always)]
    fn splat(&self, location: Location) -> Option<&'a Register> {
        let source = self.sources.get(location)?;
        source.splat.map(|node| &self.splats[node].register)
    }

    fn booleans(&self, location: Location) -> &'a [bool] {
        match self.lanes(location) {
            Lanes::Boolean(values) => values,
            _ => &[],
        }
    }

    fn bits(&self, location: Location) -> Words {
        let mut words = [0; WORDS];
        lane_loop::pack(self.booleans(location), &mut words[..self.block.words()]);
        words
    }

    pub fn run_kernel(
        &self,
        kernel: &dyn LaneKernel,
        operation: &Operation,
        target: &mut LanesMut<'_>,
        marks: &mut Marks<'_>,
    ) {
        match operation.operands[..] {
            [a] => kernel.run(&[self.lanes(a)], target, marks),
            [a, b] => {
                let given = [a, b].map(|operand| self.splat(operand).is_some());
                let accepts = given.contains(&true) && kernel.accepts_splats(&given);
                let lanes = [self.operand(a, accepts), self.operand(b, accepts)];
                kernel.run(&lanes, target, marks);
            }
            [a, b, c] => {
                let given = [a, b, c].map(|operand| self.splat(operand).is_some());
                let accepts = given.contains(&true) && kernel.accepts_splats(&given);
                let lanes = [self.operand(a, accepts), self.operand(b, accepts), self.operand(c, accepts)];
                kernel.run(&lanes, target, marks);
            }
            [a, b, c, d] => {
                let given = [a, b, c, d].map(|operand| self.splat(operand).is_some());
                let accepts = given.contains(&true) && kernel.accepts_splats(&given);
                let lanes = [
                    self.operand(a, accepts),
                    self.operand(b, accepts),
                    self.operand(c, accepts),
                    self.operand(d, accepts),
                ];
                kernel.run(&lanes, target, marks);
            }
            ref operands if operands.len() <= OPERANDS_INLINE => {
                let mut lanes = [Lanes::Boolean(&[]); OPERANDS_INLINE];
                lanes.iter_mut().zip(operands).for_each(|(lanes, &operand)| *lanes = self.lanes(operand));
                kernel.run(&lanes[..operands.len()], target, marks);
            }
            _ => {
                let lanes: Vec<_> = operation.operands.iter().map(|&operand| self.lanes(operand)).collect();
                kernel.run(&lanes, target, marks);
            }
        }
    }

    /// AND and OR of SQL: an operand that decides does so over nulls and errors of the other.
    pub fn logic(&self, masks: &mut [Mask], operation: &Operation, is_and: bool, target: &mut LanesMut<'_>) {
        let [left, right] = operation.operands[..] else { return };
        let (a, b) = (self.booleans(left), self.booleans(right));
        if let LanesMut::Boolean(results) = target {
            // Where one side decides, an arbitrary value on the other does not change the result.
            match is_and {
                true => lane_loop::binary(&|a: bool, b: bool| a & b, a, b, results),
                false => lane_loop::binary(&|a: bool, b: bool| a | b, a, b, results),
            }
        }
        if masks[left].is_clear() && masks[right].is_clear() {
            return masks[operation.result].clear();
        }
        let (a, b) = (self.bits(left), self.bits(right));
        set_mask(masks, operation, self.block, |masks, index| {
            let (l, r) = (&masks[left], &masks[right]);
            let flip = if is_and { u64::MAX } else { 0 };
            let decided = l.valid(index) & (a[index] ^ flip) | r.valid(index) & (b[index] ^ flip);
            let failed = (l.failed(index) | r.failed(index)) & !decided;
            (l.valid(index) & r.valid(index) | decided, failed)
        });
    }

    pub fn select(
        &self,
        masks: &mut [Mask],
        operation: &Operation,
        conditions: &mut Vec<bool>,
        target: &mut LanesMut<'_>,
    ) {
        let [condition, first, second] = operation.operands[..] else { return };
        let (a, b) = (self.lanes(first), self.lanes(second));
        if masks[condition].is_clear() {
            target.select(self.booleans(condition), &a, &b);
            if masks[first].is_clear() && masks[second].is_clear() {
                return masks[operation.result].clear();
            }
        }
        let mut taken = self.bits(condition);
        for (index, word) in taken[..self.block.words()].iter_mut().enumerate() {
            *word &= masks[condition].valid(index);
        }
        if !masks[condition].is_clear() {
            target.select(self.unpacked(&taken, conditions), &a, &b);
        }
        set_mask(masks, operation, self.block, |masks, index| {
            let (c, f, s) = (&masks[condition], &masks[first], &masks[second]);
            let taken = taken[index];
            let failed = c.failed(index) | taken & f.failed(index) | !taken & s.failed(index);
            ((taken & f.valid(index) | !taken & s.valid(index)) & !failed, failed)
        });
    }

    /// A comparison and the choice by it.
    pub fn choose(
        &self,
        [comparison, choice]: [&dyn LaneKernel; 2],
        masks: &mut [Mask],
        operation: &Operation,
        conditions: &mut Vec<bool>,
        target: &mut LanesMut<'_>,
    ) {
        let [left, right, first, second] = operation.operands[..] else { return };
        let mut marks = Marks::none();
        if operation.operands.iter().all(|&operand| masks[operand].is_clear()) {
            self.run_kernel(choice, operation, target, &mut marks);
            return masks[operation.result].clear();
        }
        let mut taken = [0; WORDS];
        let lanes = self.scratch(conditions);
        comparison.run(&[self.lanes(left), self.lanes(right)], &mut LanesMut::Boolean(lanes), &mut marks);
        lane_loop::pack(lanes, &mut taken[..self.block.words()]);
        for (index, word) in taken[..self.block.words()].iter_mut().enumerate() {
            *word &= strict_words(masks, &[left, right], index).0;
        }
        let (a, b) = (self.lanes(first), self.lanes(second));
        target.select(self.unpacked(&taken, conditions), &a, &b);
        set_mask(masks, operation, self.block, |masks, index| {
            let (f, s) = (&masks[first], &masks[second]);
            let taken = taken[index];
            let compared = strict_words(masks, &[left, right], index).1;
            let failed = compared | taken & f.failed(index) | !taken & s.failed(index);
            ((taken & f.valid(index) | !taken & s.valid(index)) & !failed, failed)
        });
    }

    pub fn coalesce(
        &self,
        masks: &mut [Mask],
        operation: &Operation,
        conditions: &mut Vec<bool>,
        target: &mut LanesMut<'_>,
    ) {
        let [first, second] = operation.operands[..] else { return };
        if masks[first].is_clear() {
            target.copy(&self.lanes(first));
            return masks[operation.result].clear();
        }
        let mut taken = [0; WORDS];
        for (index, word) in taken[..self.block.words()].iter_mut().enumerate() {
            *word = masks[first].valid(index);
        }
        target.select(self.unpacked(&taken, conditions), &self.lanes(first), &self.lanes(second));
        set_mask(masks, operation, self.block, |masks, index| {
            let (f, s) = (&masks[first], &masks[second]);
            let failed = f.failed(index) | !f.valid(index) & s.failed(index);
            (f.valid(index) | s.valid(index) & !f.failed(index), failed)
        });
    }

    pub fn combine(
        &self,
        kernel: &dyn LaneKernel,
        masks: &mut [Mask],
        operation: &Operation,
        conditions: &mut Vec<bool>,
        target: &mut LanesMut<'_>,
    ) {
        let [first, second] = operation.operands[..] else { return };
        self.run_kernel(kernel, operation, target, &mut Marks::none());
        if masks[first].is_clear() && masks[second].is_clear() {
            return masks[operation.result].clear();
        }
        for (kept, other) in [(first, second), (second, first)] {
            let mut alone = [0; WORDS];
            for (index, word) in alone[..self.block.words()].iter_mut().enumerate() {
                *word = masks[kept].valid(index) & !masks[other].valid(index);
            }
            target.replace(self.unpacked(&alone, conditions), &self.lanes(kept));
        }
        set_mask(masks, operation, self.block, |masks, index| {
            let (f, s) = (&masks[first], &masks[second]);
            let failed = f.failed(index) | s.failed(index);
            ((f.valid(index) | s.valid(index)) & !failed, failed)
        });
    }

    fn scratch<'c>(&self, conditions: &'c mut Vec<bool>) -> &'c mut [bool] {
        if conditions.len() < self.block.length {
            conditions.resize(WORDS * 64, false);
        }
        &mut conditions[..self.block.length]
    }

    fn unpacked<'c>(&self, words: &Words, conditions: &'c mut Vec<bool>) -> &'c [bool] {
        let lanes = self.scratch(conditions);
        lane_loop::unpack(&words[..self.block.words()], lanes);
        lanes
    }
}
