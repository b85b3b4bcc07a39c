//! Runs programs block by block.

use hypostyle_functions::column::{Encoding, Output, Rows, View};
use hypostyle_functions::kernel::lane_loop;
use hypostyle_functions::lanes::{LaneKernel, LaneKind, Lanes, LanesMut, Marks, Register};

use super::mask::{Mask, WORDS, Words};
use super::{Code, Location, Operation, Place, Program};
use crate::expression::graph::NodeId;
use crate::expression::slot::Failed;

/// Most operands of an operation whose lanes are lent without an allocation.
const OPERANDS_INLINE: usize = 8;

/// An input of a program.
pub(in crate::expression) struct Source<'a> {
    /// The column.
    pub view: View<'a>,
    /// Its failed rows.
    pub failed: Option<Failed<'a>>,
    /// The node whose one value fills all lanes of a register kept by [`Machine::splat`].
    pub splat: Option<NodeId>,
}

/// Registers and masks; one machine runs all programs of a worker in turn.
#[derive(Default)]
pub(in crate::expression) struct Machine {
    registers: [Vec<Register>; LaneKind::ALL.len()],
    splats: Vec<Splat>,
    masks: Vec<Mask>,
    marks: MarkWords,
    conditions: Vec<bool>,
}

#[derive(Default)]
struct Splat {
    register: Register,
    epoch: u64,
}

struct MarkWords {
    null: Words,
    failed: Words,
}

impl Default for MarkWords {
    fn default() -> Self {
        Self { null: [0; WORDS], failed: [0; WORDS] }
    }
}

/// Lanes that run together.
#[derive(Clone, Copy)]
struct Block<'a> {
    /// First row, where the block is a range.
    start: usize,
    /// Number of lanes.
    length: usize,
    /// The rows, where they are listed.
    rows: Option<&'a [u32]>,
}

impl Block<'_> {
    fn words(&self) -> usize {
        self.length.div_ceil(64)
    }

    /// The lanes of word `index` that exist.
    fn lanes_of_word(&self, index: usize) -> u64 {
        let left = self.length - index * 64;
        if left < 64 { (1 << left) - 1 } else { u64::MAX }
    }

    fn row(&self, lane: usize) -> usize {
        match self.rows {
            Some(rows) => rows[lane] as usize,
            None => self.start + lane,
        }
    }
}

impl Machine {
    /// Fills the register of a constant node, unless it holds the value of this epoch already.
    pub fn splat(&mut self, node: NodeId, kind: LaneKind, view: &View<'_>, epoch: u64) {
        if self.splats.len() <= node {
            self.splats.resize_with(node + 1, Splat::default);
        }
        let splat = &mut self.splats[node];
        if splat.epoch != epoch || matches!(splat.register, Register::Empty) {
            if matches!(splat.register, Register::Empty) {
                splat.register = Register::new(kind, Program::lanes_for(kind.width_bytes()));
            }
            splat.register.splat(view, 0);
            splat.epoch = epoch;
        }
    }

    /// Computes `rows` of `output`, which are written here for the first time. Lanes that failed are
    /// added to `failed` and left null for the caller to explain.
    pub fn run(
        &mut self,
        program: &Program,
        sources: &[Source<'_>],
        rows: Rows<'_>,
        output: &mut Output,
        failed: &mut Vec<u32>,
    ) {
        self.reserve(program);
        let total = rows.count();
        let mut start = 0;
        while start < total {
            let length = program.lanes.min(total - start);
            let rows = match rows {
                Rows::All(_) => None,
                Rows::Selected(rows) => Some(&rows[start..start + length]),
            };
            let block = Block { start, length, rows };
            for (location, source) in sources.iter().enumerate() {
                self.load(program.places[location], location, source, &block);
            }
            for (index, operation) in program.operations.iter().enumerate() {
                ask_ahead(program, sources, output, &block, index);
                self.execute(program, operation, sources, &block, output);
            }
            self.store(program, &block, output, failed);
            start += length;
        }
    }

    fn reserve(&mut self, program: &Program) {
        for place in &program.places {
            let registers = &mut self.registers[place.kind as usize];
            while registers.len() <= place.register {
                registers.push(Register::new(place.kind, Program::lanes_for(place.kind.width_bytes())));
            }
        }
        if self.masks.len() < program.places.len() {
            self.masks.resize_with(program.places.len(), Mask::default);
        }
    }

    /// Brings a block of an input into its register, unless its lanes can be read where they lie.
    fn load(&mut self, place: Place, location: Location, source: &Source<'_>, block: &Block<'_>) {
        let view = &source.view;
        let mask = &mut self.masks[location];
        mask.clear();
        load_mask(mask, source, block);
        if source.splat.is_some() {
            return;
        }
        let register = &mut self.registers[place.kind as usize][place.register];
        match (block.rows, view.encoding) {
            (Some(rows), _) => register.load(view, rows.iter().map(|&row| row as usize)),
            (None, Encoding::Dictionary { indices, .. }) => {
                register.gather(view, &indices[block.start..block.start + block.length]);
            }
            (None, Encoding::Constant) => register.splat(view, 0),
            (None, Encoding::Flat) => {
                if let (Register::Boolean(lanes), hypostyle_functions::column::Data::Boolean(bits)) =
                    (register, view.data)
                {
                    let mut words = [0; WORDS];
                    for (index, word) in words[..block.words()].iter_mut().enumerate() {
                        *word = bits.word(block.start / 64 + index);
                    }
                    lane_loop::unpack(&words[..block.words()], &mut lanes[..block.length]);
                }
            }
        }
    }

    fn execute(
        &mut self,
        program: &Program,
        operation: &Operation,
        sources: &[Source<'_>],
        block: &Block<'_>,
        output: &mut Output,
    ) {
        let place = program.places[operation.result];
        let is_direct = operation.result == program.result() && block.rows.is_none();
        let is_direct = is_direct && place.kind != LaneKind::Boolean;
        let mut register = Register::Empty;
        if !is_direct {
            register = std::mem::take(&mut self.registers[place.kind as usize][place.register]);
        }
        let Self { registers, splats, masks, marks, conditions } = self;
        let bank = Bank { program, sources, registers, splats, block };
        let mut target =
            if is_direct { LanesMut::of_output(output, place.kind, block.start, block.length) } else { None }
                .unwrap_or_else(|| register.lanes_mut(block.length));
        match &operation.code {
            Code::Kernel(kernel) => {
                let is_marking = kernel.makes_nulls() || kernel.can_fail();
                if is_marking {
                    marks.null[..block.words()].fill(0);
                    marks.failed[..block.words()].fill(0);
                }
                let mut lent = Marks { null: &mut marks.null, failed: &mut marks.failed };
                bank.run_kernel(&**kernel, operation, &mut target, &mut lent);
                strict_mask(masks, operation, block, is_marking.then_some(&*marks));
            }
            Code::Combine(kernel) => bank.combine(&**kernel, masks, operation, conditions, &mut target),
            Code::And | Code::Or => {
                let is_and = matches!(operation.code, Code::And);
                bank.logic(masks, operation, is_and, &mut target);
            }
            Code::Select => bank.select(masks, operation, conditions, &mut target),
            Code::Coalesce => bank.coalesce(masks, operation, conditions, &mut target),
        }
        if !is_direct {
            self.registers[place.kind as usize][place.register] = register;
        }
    }

    /// Writes the parts of a block's result that operations do not write themselves.
    fn store(&mut self, program: &Program, block: &Block<'_>, output: &mut Output, failed: &mut Vec<u32>) {
        let result = program.result();
        let place = program.places[result];
        let register = &self.registers[place.kind as usize][place.register];
        let mask = &self.masks[result];
        match (block.rows, register) {
            (Some(rows), _) => register.scatter(rows, output),
            (None, Register::Boolean(lanes)) => {
                let first = block.start / 64;
                let words = &mut output.boolean().words[first..first + block.words()];
                lane_loop::pack(&lanes[..block.length], words);
            }
            (None, _) => {}
        }
        if mask.is_clear() {
            return;
        }
        for index in 0..block.words() {
            let exists = block.lanes_of_word(index);
            let null = !mask.valid(index) & exists;
            if null == 0 {
                continue;
            }
            if block.rows.is_none() {
                output.validity_words()[block.start / 64 + index] &= !null;
            } else {
                for_each_bit(null, |bit| output.set_null(block.row(index * 64 + bit)));
            }
            for_each_bit(mask.failed(index) & exists, |bit| failed.push(block.row(index * 64 + bit) as u32));
        }
    }
}

/// Asks for the columns of the next block, a part of them before each operation: most operations read nothing from memory,
/// which would stand still meanwhile.
fn ask_ahead(
    program: &Program,
    sources: &[Source<'_>],
    output: &mut Output,
    block: &Block<'_>,
    operation: usize,
) {
    if block.rows.is_some() {
        return;
    }
    let part = block.length.div_ceil(program.operations.len());
    let start = block.start + block.length + operation * part;
    for source in sources.iter().filter(|source| source.splat.is_none() && source.view.is_flat()) {
        Lanes::prefetch(&source.view, start, part);
    }
    LanesMut::prefetch(output, program.places[program.result()].kind, start, part);
}

/// What operations read.
struct Bank<'a> {
    program: &'a Program,
    sources: &'a [Source<'a>],
    registers: &'a [Vec<Register>],
    splats: &'a [Splat],
    block: &'a Block<'a>,
}

impl<'a> Bank<'a> {
    #[inline]
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
                && let Some(lanes) = Lanes::of_view(&source.view, self.block.start, length)
            {
                return lanes;
            }
        }
        self.registers[place.kind as usize][place.register].lanes(length)
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

    fn run_kernel(
        &self,
        kernel: &dyn LaneKernel,
        operation: &Operation,
        target: &mut LanesMut<'_>,
        marks: &mut Marks<'_>,
    ) {
        match operation.operands[..] {
            [a] => kernel.run(&[self.lanes(a)], target, marks),
            [a, b] => kernel.run(&[self.lanes(a), self.lanes(b)], target, marks),
            [a, b, c] => kernel.run(&[self.lanes(a), self.lanes(b), self.lanes(c)], target, marks),
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
    fn logic(&self, masks: &mut [Mask], operation: &Operation, is_and: bool, target: &mut LanesMut<'_>) {
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

    fn select(
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

    fn coalesce(
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

    fn combine(
        &self,
        kernel: &dyn LaneKernel,
        masks: &mut [Mask],
        operation: &Operation,
        conditions: &mut Vec<bool>,
        target: &mut LanesMut<'_>,
    ) {
        let [first, second] = operation.operands[..] else { return };
        self.run_kernel(kernel, operation, target, &mut Marks { null: &mut [], failed: &mut [] });
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

    fn unpacked<'c>(&self, words: &Words, conditions: &'c mut Vec<bool>) -> &'c [bool] {
        if conditions.len() < self.block.length {
            conditions.resize(WORDS * 64, false);
        }
        let lanes = &mut conditions[..self.block.length];
        lane_loop::unpack(&words[..self.block.words()], lanes);
        lanes
    }
}

fn load_mask(mask: &mut Mask, source: &Source<'_>, block: &Block<'_>) {
    let view = &source.view;
    if view.is_constant() {
        // All lanes are as row 0 is.
        if view.is_null(0) {
            mask.has_nulls = true;
            mask.valid[..block.words()].fill(0);
        }
        if source.failed.as_ref().is_some_and(|failed| failed.contains(0)) {
            mask.has_failed = true;
            mask.failed[..block.words()].fill(u64::MAX);
        }
        return;
    }
    if view.may_be_null() {
        mask.has_nulls = true;
        match (view.is_flat() && block.rows.is_none(), &view.validity) {
            (true, Some(validity)) => {
                for index in 0..block.words() {
                    mask.valid[index] = validity.word(block.start / 64 + index);
                }
            }
            _ => collect_bits(&mut mask.valid, block, |row| view.is_valid(row)),
        }
    }
    if let Some(failed) = &source.failed {
        mask.has_failed = true;
        collect_bits(&mut mask.failed, block, |row| failed.contains(row));
    }
}

fn collect_bits(words: &mut Words, block: &Block<'_>, holds: impl Fn(usize) -> bool) {
    words[..block.words()].fill(0);
    for lane in 0..block.length {
        words[lane / 64] |= u64::from(holds(block.row(lane))) << (lane % 64);
    }
}

/// Null in, null out, even where another operand failed; what a kernel reports for lanes with a null input is ignored.
fn strict_mask(masks: &mut [Mask], operation: &Operation, block: &Block<'_>, marks: Option<&MarkWords>) {
    if marks.is_none() && operation.operands.iter().all(|&operand| masks[operand].is_clear()) {
        return masks[operation.result].clear();
    }
    set_mask(masks, operation, block, |masks, index| {
        let (mut valid, mut failed, mut null) = (u64::MAX, 0, 0);
        for &operand in &operation.operands {
            let mask = &masks[operand];
            valid &= mask.valid(index);
            failed |= mask.failed(index);
            null |= !(mask.valid(index) | mask.failed(index));
        }
        failed &= !null;
        if let Some(marks) = marks {
            failed |= marks.failed[index] & valid;
            valid &= !marks.null[index];
        }
        (valid & !failed, failed)
    });
}

/// Sets the result's mask word by word, and its flags by what the words hold.
fn set_mask(
    masks: &mut [Mask],
    operation: &Operation,
    block: &Block<'_>,
    word: impl Fn(&[Mask], usize) -> (u64, u64),
) {
    let (mut any_null, mut any_failed) = (0, 0);
    for index in 0..block.words() {
        let (valid, failed) = word(masks, index);
        let result = &mut masks[operation.result];
        result.valid[index] = valid;
        result.failed[index] = failed;
        any_null |= !valid & block.lanes_of_word(index);
        any_failed |= failed & block.lanes_of_word(index);
    }
    let result = &mut masks[operation.result];
    result.has_nulls = any_null != 0;
    result.has_failed = any_failed != 0;
}

fn for_each_bit(mut word: u64, mut body: impl FnMut(usize)) {
    while word != 0 {
        body(word.trailing_zeros() as usize);
        word &= word - 1;
    }
}
