//! Values of fixed width, one of each, and what operations of a program make of them.

use hypostyle_functions::column::{Bits, Encoding, Output, View};
use hypostyle_functions::lanes::{LaneCell, LaneKernel, LaneKind, Lanes, Marks};
use hypostyle_functions::types::Type;

/// The validity of a row that is null.
static NULL: [u64; 1] = [0];

/// Most operands of an operation whose lanes are lent without an allocation.
const OPERANDS_INLINE: usize = 8;

/// Whether a cell holds a value. Of the operands of a strict operation the greatest decides: it is null where one is null, even where
/// another failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::expression) enum Presence {
    Value,
    Failed,
    Null,
}

/// A value of fixed width.
#[derive(Debug, Clone, Copy)]
pub(in crate::expression) struct Cell {
    pub presence: Presence,
    /// Arbitrary unless there is a value.
    pub lane: LaneCell,
}

impl Cell {
    /// A cell without a value.
    pub fn new(kind: LaneKind) -> Self {
        Self { presence: Presence::Null, lane: LaneCell::new(kind) }
    }

    /// A truth value, or null.
    pub fn truth(value: Option<bool>) -> Self {
        let presence = if value.is_some() { Presence::Value } else { Presence::Null };
        Self { presence, lane: LaneCell::Boolean([value.unwrap_or_default()]) }
    }

    /// True if the cell holds the truth value true.
    pub fn is_true(&self) -> bool {
        self.presence == Presence::Value && self.lane.is_true()
    }

    /// Takes the first value of a column of the same kind.
    #[inline]
    pub fn load(&mut self, column: &Output) {
        self.presence = if column.is_valid(0) { Presence::Value } else { Presence::Null };
        self.lane.load(column);
    }

    /// Makes a view one of the cell as a column of one row.
    #[inline]
    pub fn show<'a>(&'a self, view: &mut View<'a>, data_type: &'a Type, encoding: Encoding<'a>) {
        view.data_type = data_type;
        view.length = 1;
        view.encoding = encoding;
        view.validity = (self.presence != Presence::Value).then(|| Bits::of_words(&NULL, 1));
        view.data = self.lane.data();
    }

    /// Makes one value of two, or passes over the null one.
    pub fn combine(&mut self, kernel: &dyn LaneKernel, [first, second]: [&Self; 2]) {
        match [first.presence, second.presence] {
            [Presence::Value, Presence::Value] => {
                let lanes = [first.lane.lanes(), second.lane.lanes()];
                kernel.run(&lanes, &mut self.lane.lanes_mut(), &mut Marks::none());
                self.presence = Presence::Value;
            }
            [Presence::Failed, _] | [_, Presence::Failed] => self.presence = Presence::Failed,
            [Presence::Null, _] => *self = *second,
            [_, Presence::Null] => *self = *first,
        }
    }

    /// AND, or else OR: an operand that decides does so over nulls and errors of the other.
    pub fn decide(&mut self, operands: [&Self; 2], is_and: bool) {
        let decides =
            |operand: &Self| operand.presence == Presence::Value && operand.lane.is_true() != is_and;
        let is_decided = operands.into_iter().any(decides);
        self.lane = LaneCell::Boolean([is_decided != is_and]);
        self.presence = match operands.map(|operand| operand.presence) {
            _ if is_decided => Presence::Value,
            [Presence::Failed, _] | [_, Presence::Failed] => Presence::Failed,
            [first, second] => first.max(second),
        };
    }
}

/// Runs a strict kernel over cells.
#[inline]
pub(super) fn run_kernel(kernel: &dyn LaneKernel, operands: &[usize], cells: &[Cell], result: &mut Cell) {
    let (mut null, mut failed) = ([0], [0]);
    let mut marks = Marks { null: &mut null, failed: &mut failed };
    let lanes = |operand: usize| cells[operand].lane.lanes();
    let target = &mut result.lane.lanes_mut();
    result.presence = Presence::Value;
    for &operand in operands {
        result.presence = result.presence.max(cells[operand].presence);
    }
    if result.presence != Presence::Value {
        return;
    }
    match *operands {
        [a] => kernel.run(&[lanes(a)], target, &mut marks),
        [a, b] => kernel.run(&[lanes(a), lanes(b)], target, &mut marks),
        [a, b, c] => kernel.run(&[lanes(a), lanes(b), lanes(c)], target, &mut marks),
        ref operands if operands.len() <= OPERANDS_INLINE => {
            let mut lent = [Lanes::Boolean(&[]); OPERANDS_INLINE];
            lent.iter_mut().zip(operands).for_each(|(lent, &operand)| *lent = lanes(operand));
            kernel.run(&lent[..operands.len()], target, &mut marks);
        }
        ref operands => {
            let lent: Vec<_> = operands.iter().map(|&operand| lanes(operand)).collect();
            kernel.run(&lent, target, &mut marks);
        }
    }
    if null[0] & 1 != 0 {
        result.presence = Presence::Null;
    }
    if failed[0] & 1 != 0 {
        result.presence = Presence::Failed;
    }
}
