//! Runs programs block by block.

use hypostyle_functions::column::{Data, Encoding, Output, Rows, View};
use hypostyle_functions::kernel::lane_loop;
use hypostyle_functions::kernel::stream::settle;
use hypostyle_functions::lanes::{LANES_MAX, LaneKind, LanesMut, Marks, Register};

use super::bank::Bank;
use super::block::Block;
use super::mask::{MarkWords, Mask, WORDS, load_mask, strict_mask};
use super::{Code, Location, Operation, Place, Program};
use crate::expression::graph::NodeId;
use crate::expression::slot::Failed;

/// Bytes of an output from which on it is written past the caches, where nobody would find it again.
const STREAMED_BYTES: usize = 32 << 20;

/// An input of a program.
pub(in crate::expression) struct Source<'a> {
    /// The column.
    pub view: &'a View<'a>,
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

/// The register of a constant and the epoch that its value is of.
#[derive(Default)]
pub(super) struct Splat {
    pub register: Register,
    epoch: u64,
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
                splat.register = Register::new(kind, LANES_MAX);
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
        let kind = program.places[program.result()].kind;
        let is_streamed = matches!(rows, Rows::All(_))
            && kind != LaneKind::Boolean
            && total * kind.width_bytes() >= STREAMED_BYTES;
        let is_plain = self.is_plain(program, sources);
        let mut start = 0;
        while start < total {
            let length = program.lanes.min(total - start);
            let rows = match rows {
                Rows::All(_) => None,
                Rows::Selected(rows) => Some(&rows[start..start + length]),
            };
            let block = Block { start, length, rows, is_streamed, is_plain };
            for (location, source) in sources.iter().enumerate() {
                self.load(program.places[location], location, source, &block);
            }
            for operation in &program.operations {
                self.execute(program, operation, sources, &block, output);
            }
            self.store(program, &block, output, failed);
            start += length;
        }
        if is_streamed {
            settle();
        }
    }

    /// True if all lanes of the run hold values, as the masks then say once for all blocks.
    fn is_plain(&mut self, program: &Program, sources: &[Source<'_>]) -> bool {
        let is_plain = program.is_total
            && sources.iter().all(|source| source.failed.is_none() && !source.view.may_be_null());
        if is_plain {
            self.masks[..program.places.len()].iter_mut().for_each(Mask::clear);
        }
        is_plain
    }

    fn reserve(&mut self, program: &Program) {
        for place in &program.places {
            let registers = &mut self.registers[place.kind as usize];
            while registers.len() <= place.register {
                registers.push(Register::new(place.kind, LANES_MAX));
            }
        }
        if self.masks.len() < program.places.len() {
            self.masks.resize_with(program.places.len(), Mask::default);
        }
    }

    /// Brings a block of an input into its register, unless its lanes can be read where they lie.
    fn load(&mut self, place: Place, location: Location, source: &Source<'_>, block: &Block<'_>) {
        let view = source.view;
        if !block.is_plain {
            let mask = &mut self.masks[location];
            mask.clear();
            load_mask(mask, source, block);
        }
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
                if let (Register::Boolean(lanes), Data::Boolean(bits)) = (register, view.data) {
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
        let is_direct = is_direct && place.kind != LaneKind::Boolean && !block.is_streamed;
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
                let is_marking = !program.is_total && (kernel.makes_nulls() || kernel.can_fail());
                if is_marking {
                    marks.null[..block.words()].fill(0);
                    marks.failed[..block.words()].fill(0);
                }
                let mut lent = Marks { null: &mut marks.null, failed: &mut marks.failed };
                bank.run_kernel(&**kernel, operation, &mut target, &mut lent);
                if !block.is_plain {
                    strict_mask(masks, operation, block, is_marking.then_some(&*marks));
                }
            }
            Code::Combine(kernel) => bank.combine(&**kernel, masks, operation, conditions, &mut target),
            Code::And | Code::Or => {
                let is_and = matches!(operation.code, Code::And);
                bank.logic(masks, operation, is_and, &mut target);
            }
            Code::Select => bank.select(masks, operation, conditions, &mut target),
            Code::Choose { comparison, choice } => {
                bank.choose([&**comparison, &**choice], masks, operation, conditions, &mut target);
            }
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
            (None, register) if block.is_streamed => register.stream(block.length, output, block.start),
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

fn for_each_bit(mut word: u64, mut body: impl FnMut(usize)) {
    while word != 0 {
        body(word.trailing_zeros() as usize);
        word &= word - 1;
    }
}
