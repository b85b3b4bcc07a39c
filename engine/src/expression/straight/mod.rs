//! Evaluates a few rows straight through: each node once and in order, for all rows.
//!
//! Demand finds out for each batch which rows of which node are still to be computed, and over which values. For one row these
//! questions cost more than most answers. Where inputs are flat the answers are always the same, so they are found once: a list of
//! steps, each with a column of its own and the places of its operands in a table of views. A column stays where it is until the
//! last step is done, so a view of it is made once. Of a lazy form, operands that not every row needs are steps of their own,
//! which are taken or passed over; that holds for one row alone.
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
    /// True if some steps are not for every row.
    is_lazy: bool,
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
    action: Action,
    column: Output,
}

enum Action {
    /// Calls or runs the node, whose operands are there.
    Compute {
        operands: Box<[Operand]>,
        /// Places of what the lambdas of a call read.
        captures: Box<[usize]>,
    },
    /// AND, or else OR.
    Logic {
        operands: Box<[Part]>,
        is_and: bool,
    },
    /// Conditions and values.
    Case {
        branches: Box<[(Part, Part)]>,
        otherwise: Option<Part>,
    },
    Coalesce(Box<[Part]>),
}

/// An operand of a lazy form: the steps that it alone needs, and its place.
struct Part {
    steps: Box<[Step]>,
    place: usize,
}

#[derive(Clone, Copy)]
enum Operand {
    /// A place of the table.
    Column(usize),
    /// A constant of a program, whose lanes fill a register of the machine.
    Splat { node: NodeId, is_null: bool },
}

impl Straight {
    /// The steps of all outputs; `None` if some of them have a value of their own each time, or one that fails whatever the row.
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
        if self.is_lazy && rows > 1 {
            return false;
        }
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
        for Step { node, place, is_tried, action, column } in steps {
            column.prepare(self.rows);
            let is_taken = match action {
                Action::Compute { operands, captures } => match &self.graph.nodes[*node].kind {
                    Kind::Program { program, .. } => self.run(program, operands, column, *is_tried),
                    Kind::Call(call) => self.call(*node, call, operands, captures, column),
                    _ => false,
                },
                Action::Logic { operands, is_and } => self.logic(operands, *is_and, column),
                Action::Case { branches, otherwise } => self.case(branches, otherwise.as_mut(), column),
                Action::Coalesce(operands) => self.coalesce(operands, column),
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

    /// The view of an operand of a lazy form; `None` if it is left to demand.
    fn part(&mut self, part: &'a mut Part) -> Option<&'a View<'a>> {
        let Part { steps, place } = part;
        self.take(steps).then(|| self.table[*place])
    }

    /// An operand that decides does so over nulls of the others.
    fn logic(&mut self, operands: &'a mut [Part], is_and: bool, output: &mut Output) -> bool {
        let mut has_null = false;
        for operand in operands {
            let Some(view) = self.part(operand) else { return false };
            if view.is_null(0) {
                has_null = true;
            } else if view.boolean().get(0) != is_and {
                output.boolean().set(0, !is_and);
                return true;
            }
        }
        match has_null {
            true => output.set_null(0),
            false => output.boolean().set(0, is_and),
        }
        true
    }

    fn case(
        &mut self,
        branches: &'a mut [(Part, Part)],
        otherwise: Option<&'a mut Part>,
        output: &mut Output,
    ) -> bool {
        let mut taken = otherwise;
        for (when, then) in branches {
            let Some(view) = self.part(when) else { return false };
            if view.is_valid(0) && view.boolean().get(0) {
                taken = Some(then);
                break;
            }
        }
        let Some(part) = taken else {
            output.set_null(0);
            return true;
        };
        let Some(view) = self.part(part) else { return false };
        output.copy_rows(view, &Rows::All(1));
        true
    }

    fn coalesce(&mut self, operands: &'a mut [Part], output: &mut Output) -> bool {
        for operand in operands {
            let Some(view) = self.part(operand) else { return false };
            if view.is_valid(0) {
                output.copy_rows(view, &Rows::All(1));
                return true;
            }
        }
        output.set_null(0);
        true
    }
}
