//! Evaluates a few rows straight through: each node once and in order, for all rows.
//!
//! Demand finds out for each batch which rows of which node are still to be computed, and over which values. For one row these
//! questions cost more than most answers. Where inputs are flat the answers are always the same, so they are found once: a list of
//! steps, each with a column of its own and the places of its operands in a table of views. A column stays where it is until the
//! last step is done, so a view of it is made once. Lazy forms, whose operands not all rows need, are left to demand, and one row by
//! itself to `single`.
//!
//! Functions and programs are called as demand calls them. Rows that fail are left to demand, which starts over and has the last word.

mod layout;

use bumpalo::Bump;
use hypostyle_functions::column::{Data, Encoding, Output, Rows, View};
use hypostyle_functions::scratch::Scratch;
use hypostyle_functions::types::Type;

use self::layout::Layout;
use super::call::{Operands, Tools};
use super::graph::{Call, Graph, Kind, NodeId};
use super::lambda::LambdaState;
use super::program::{Machine, Program, Source};
use super::state::{State, slot_view};

/// Where a program reads a constant whose lanes fill a register, nothing is asked of its view but whether it is null.
static CONSTANT: View<'static> = View {
    data_type: &Type::Int64,
    length: 1,
    encoding: Encoding::Constant,
    validity: None,
    data: Data::Int64(&[0]),
};
static NULL: View<'static> = View { data: Data::Null, ..CONSTANT };

/// The steps of a graph and their columns. See the module.
pub(super) struct Straight {
    leaves: Box<[Leaf]>,
    steps: Box<[Step]>,
    /// Places of the table.
    places: usize,
    outputs: Box<[Held]>,
    live: Vec<u32>,
    failed: Vec<u32>,
}

/// The column of an output.
#[derive(Clone, Copy)]
pub(super) enum Held {
    /// An input.
    Input(usize),
    /// The slot of a node that is the same for all rows.
    Constant,
    /// What a step computes.
    Step(usize),
}

/// A column that is there before the first step; the table begins with these.
enum Leaf {
    Input(usize),
    /// The one value of a column.
    Value(Box<Output>),
    /// The value of a node, where a view of its slot costs less than a copy.
    Constant(NodeId),
}

/// A node that is computed.
struct Step {
    node: NodeId,
    /// Its place in the table.
    place: usize,
    /// True if its failed rows are nulls to all who read them: each reads them through a TRY.
    is_tried: bool,
    operands: Box<[Operand]>,
    /// Places of what the lambdas of a call read.
    captures: Box<[usize]>,
    column: Output,
}

#[derive(Clone, Copy)]
enum Operand {
    /// A place of the table.
    Column(usize),
    /// A constant of a program, whose lanes fill a register of the machine.
    Splat { node: NodeId, is_null: bool },
}

impl Straight {
    /// The steps of all outputs; `None` if some of them have a value of their own each time, or one that fails whatever the row, or
    /// are made of lazy forms.
    pub fn new(graph: &Graph, state: &mut State) -> Option<Self> {
        Layout::new(graph, state)?.finish()
    }

    /// Where the values of an output are.
    pub fn output(&self, output: usize) -> Held {
        self.outputs[output]
    }

    /// The column of a step.
    pub fn column(&self, step: usize) -> &Output {
        &self.steps[step].column
    }

    /// Computes all outputs of `rows` rows; false if that is left to demand.
    pub fn evaluate(
        &mut self,
        graph: &Graph,
        state: &mut State,
        inputs: &[Output],
        rows: usize,
        bump: &Bump,
    ) -> bool {
        let Self { leaves, steps, places, live, failed, .. } = self;
        let State { slots, machine, scratch, lambdas, .. } = state;
        scratch.reset();
        let table = bump.alloc_slice_fill_copy(*places, &CONSTANT);
        for (place, leaf) in table.iter_mut().zip(leaves.iter()) {
            *place = bump.alloc(match leaf {
                Leaf::Input(input) => inputs[*input].view(bump),
                Leaf::Value(value) => constant(value.view(bump), rows),
                Leaf::Constant(node) => constant(slot_view(slots, graph, *node, bump), rows),
            });
        }
        Pass { graph, machine, scratch, lambdas, live, failed, table, bump, rows }.take(steps)
    }
}

fn constant<'a>(view: View<'a>, rows: usize) -> View<'a> {
    View { length: rows, encoding: Encoding::Constant, ..view }
}

/// One evaluation.
struct Pass<'a, 's> {
    graph: &'a Graph,
    machine: &'s mut Machine,
    scratch: &'s mut Scratch,
    lambdas: &'s mut [Vec<LambdaState>],
    live: &'s mut Vec<u32>,
    failed: &'s mut Vec<u32>,
    table: &'a mut [&'a View<'a>],
    bump: &'a Bump,
    rows: usize,
}

impl<'a> Pass<'a, '_> {
    /// Takes steps in order; false if a row failed or a function did.
    fn take(&mut self, steps: &'a mut [Step]) -> bool {
        for Step { node, place, is_tried, operands, captures, column } in steps {
            column.prepare(self.rows);
            let is_taken = match &self.graph.nodes[*node].kind {
                Kind::Program { program, .. } => self.run(program, operands, column, *is_tried),
                Kind::Call(call) => self.call(*node, call, operands, captures, column),
                _ => false,
            };
            if !is_taken || !*is_tried && column.failed().is_some() {
                return false;
            }
            let column: &'a Output = column;
            self.table[*place] = self.bump.alloc(column.view(self.bump));
        }
        true
    }

    fn run(&mut self, program: &Program, operands: &[Operand], output: &mut Output, is_tried: bool) -> bool {
        let sources = operands.iter().map(|operand| {
            let (view, splat) = match *operand {
                Operand::Column(place) => (self.table[place], None),
                Operand::Splat { node, is_null } => (if is_null { &NULL } else { &CONSTANT }, Some(node)),
            };
            Source { view, failed: None, splat }
        });
        let sources = self.bump.alloc_slice_fill_iter(sources);
        self.failed.clear();
        self.machine.run(program, sources, Rows::All(self.rows), output, self.failed);
        is_tried || self.failed.is_empty()
    }

    fn call(
        &mut self,
        node: NodeId,
        call: &Call,
        operands: &[Operand],
        captures: &[usize],
        output: &mut Output,
    ) -> bool {
        let view = |operand: &Operand| match *operand {
            Operand::Column(place) => self.table[place],
            Operand::Splat { .. } => &CONSTANT,
        };
        let bump = self.bump;
        let views: &[View<'_>] = match operands {
            [operand] => std::slice::from_ref(view(operand)),
            _ => bump.alloc_slice_fill_iter(operands.iter().map(|operand| *view(operand))),
        };
        let captures = bump.alloc_slice_fill_iter(captures.iter().map(|&place| *self.table[place]));
        self.live.clear();
        let tools = Tools { lambdas: &mut self.lambdas[node], bump, scratch: self.scratch, live: self.live };
        call.run(&Operands { views, failed: &[], captures }, Rows::All(self.rows), output, tools).is_ok()
    }
}
