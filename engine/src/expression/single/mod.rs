//! Evaluates one row: each node once and in order, values of fixed width in cells.
//!
//! For one row, what a column needs around its value (buffers, bits, views, blocks of lanes) costs more than most answers. So
//! values of fixed width stay in cells, and the operations of a program are steps of their own, whose kernels are lent cells as
//! blocks of one lane. Only functions over views are given columns, made of their operands as they are called. Operands of lazy
//! forms that not every row needs are steps of their own, which are taken or passed over.
//!
//! The kernels and functions are those of batches. Rows that fail are left to demand, which starts over and has the last word.

mod cell;
mod layout;

use std::sync::Arc;

use bumpalo::Bump;
use hypostyle_functions::column::{Data, Encoding, Output, Rows, View};
use hypostyle_functions::lanes::{LaneCell, LaneKernel};
use hypostyle_functions::scalar::Body;
use hypostyle_functions::scratch::Scratch;
use hypostyle_functions::types::Type;

use self::cell::{Cell, Presence, run_kernel};
use self::layout::Layout;
use super::call::{Operands, Tools};
use super::graph::{Call, Graph, Kind, NodeId};
use super::lambda::LambdaState;
use super::slot::Slot;
use super::state::{State, slot_view};

/// The steps of a graph, and the cells and columns that they fill. See the module.
pub(super) struct Single {
    /// Values of fixed width. Constants come first, then inputs, then what steps compute: each cell is made of cells before it.
    cells: Vec<Cell>,
    /// What functions write: each column is made of columns before it. Texts that are constant come first.
    columns: Vec<Output>,
    fixed: Fixed,
    /// Inputs of fixed width and their cells.
    loads: Box<[(usize, usize)]>,
    steps: Box<[Step]>,
    outputs: Box<[Place]>,
    live: Vec<u32>,
}

/// Where a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A cell.
    Cell(usize),
    /// The column that a step writes, or of a constant.
    Column(usize),
    /// The column of an input.
    Input(usize),
    /// The slot of a node that is the same for all rows.
    Constant(NodeId),
    /// Nowhere: a constant that its reader does not look at.
    Unread,
}

/// Stands for a constant that is not looked at.
static UNREAD: View<'static> = View {
    data_type: &Type::Int64,
    length: 1,
    encoding: Encoding::Constant,
    validity: None,
    data: Data::Int64(&[0]),
};

/// What is done.
enum Step {
    /// A strict operation of a program.
    Kernel {
        kernel: Arc<dyn LaneKernel>,
        operands: Box<[usize]>,
        result: usize,
    },
    /// An operation of two cells.
    Pair {
        rule: Rule,
        first: usize,
        second: usize,
        result: usize,
    },
    /// The first cell where the condition is true, else the second.
    Select {
        condition: usize,
        first: usize,
        second: usize,
        result: usize,
    },
    /// The end of a program that may have failed.
    Settle {
        cell: usize,
        is_tried: bool,
    },
    Call(Box<CallStep>),
    /// AND, or else OR, whose operands are computed as they are needed.
    Logic {
        operands: Box<[Part]>,
        is_and: bool,
        result: usize,
    },
    Case {
        branches: Box<[(Part, Part)]>,
        otherwise: Option<Part>,
        result: Place,
    },
    Coalesce {
        operands: Box<[Part]>,
        result: Place,
    },
}

/// What becomes of two cells.
enum Rule {
    /// A function that passes over nulls.
    Combine(Arc<dyn LaneKernel>),
    And,
    Or,
    /// The first value.
    Coalesce,
}

/// A call of a function over views.
struct CallStep {
    node: NodeId,
    arguments: Box<[Place]>,
    /// The arguments of a strict function that may be null.
    nullable: Box<[Place]>,
    /// What the lambdas read.
    captures: Box<[Place]>,
    /// The column that the function writes.
    column: usize,
    /// The cell that its value goes to, if it has fixed width.
    cell: Option<usize>,
    is_tried: bool,
}

/// An operand of a lazy form: the steps that it alone needs, and its value.
struct Part {
    steps: Box<[Step]>,
    place: Place,
}

impl Single {
    /// The steps of all outputs; `None` if some of them have a value of their own each time, or one that fails whatever the row.
    pub fn new(graph: &Graph, state: &mut State) -> Option<Self> {
        Layout::new(graph, state)?.finish()
    }

    /// Where the value of an output is.
    pub fn output(&self, output: usize) -> Place {
        self.outputs[output]
    }

    /// What a cell holds; `None` for null.
    #[inline]
    pub fn value(&self, cell: usize) -> Option<&LaneCell> {
        let cell = &self.cells[cell];
        (cell.presence == Presence::Value).then_some(&cell.lane)
    }

    /// A column.
    pub fn column(&self, column: usize) -> &Output {
        &self.columns[column]
    }

    /// Computes all outputs of one row; false if that is left to demand.
    pub fn evaluate(&mut self, graph: &Graph, state: &mut State, inputs: &[Output], bump: &Bump) -> bool {
        for &(input, cell) in &self.loads {
            self.cells[cell].load(&inputs[input]);
        }
        let Self { cells, columns, steps, live, fixed, .. } = self;
        let State { slots, scratch, lambdas, .. } = state;
        scratch.reset();
        let work = Work { scratch, lambdas, live };
        Pass { graph, slots, inputs, fixed, bump, cells, columns, work }.take(steps)
    }

    /// The value of an output that is in a cell, as a column of one row.
    pub fn view(&self, cell: usize) -> View<'_> {
        let data_type = &self.fixed.types[cell];
        let mut view = View::nothing(data_type);
        self.cells[cell].show(&mut view, data_type, Encoding::Flat);
        view
    }
}

/// What is the same for all rows.
struct Fixed {
    /// The type of each cell.
    types: Box<[Type]>,
    /// Cells that hold constants.
    cells: usize,
    /// Columns that hold constants.
    columns: usize,
}

/// One evaluation.
struct Pass<'a> {
    graph: &'a Graph,
    slots: &'a [Slot],
    inputs: &'a [Output],
    fixed: &'a Fixed,
    bump: &'a Bump,
    cells: &'a mut [Cell],
    columns: &'a mut [Output],
    work: Work<'a>,
}

/// What functions work with.
struct Work<'a> {
    scratch: &'a mut Scratch,
    lambdas: &'a mut [Vec<LambdaState>],
    live: &'a mut Vec<u32>,
}

/// What operands are looked up in.
struct Sight<'a> {
    graph: &'a Graph,
    slots: &'a [Slot],
    inputs: &'a [Output],
    fixed: &'a Fixed,
    bump: &'a Bump,
    cells: &'a [Cell],
    columns: &'a [Output],
}

impl<'a> Sight<'a> {
    /// The columns that stand at these places.
    fn views(&self, places: &[Place]) -> &'a [View<'a>] {
        let views = self.bump.alloc_slice_fill_copy(places.len(), UNREAD);
        for (view, &place) in views.iter_mut().zip(places) {
            self.show(place, view);
        }
        views
    }

    #[inline]
    fn show(&self, place: Place, view: &mut View<'a>) {
        match place {
            Place::Cell(cell) => {
                let is_constant = cell < self.fixed.cells;
                let encoding = if is_constant { Encoding::Constant } else { Encoding::Flat };
                self.cells[cell].show(view, &self.fixed.types[cell], encoding);
            }
            Place::Column(column) => {
                self.columns[column].show(view, self.bump);
                if column < self.fixed.columns {
                    view.encoding = Encoding::Constant;
                }
            }
            Place::Input(input) => self.inputs[input].show(view, self.bump),
            Place::Constant(node) => {
                *view = slot_view(self.slots, self.graph, node, self.bump);
                view.encoding = Encoding::Constant;
            }
            Place::Unread => {}
        }
    }
}

impl<'a> Pass<'a> {
    /// Takes steps in order; false if the row failed.
    fn take(&mut self, steps: &[Step]) -> bool {
        steps.iter().all(|step| self.step(step))
    }

    #[inline]
    fn step(&mut self, step: &Step) -> bool {
        match step {
            Step::Kernel { kernel, operands, result } => {
                let (before, rest) = self.cells.split_at_mut(*result);
                run_kernel(&**kernel, operands, before, &mut rest[0]);
            }
            Step::Pair { rule, first, second, result } => {
                let (before, rest) = self.cells.split_at_mut(*result);
                let operands = [&before[*first], &before[*second]];
                match rule {
                    Rule::Combine(kernel) => rest[0].combine(&**kernel, operands),
                    Rule::And => rest[0].decide(operands, true),
                    Rule::Or => rest[0].decide(operands, false),
                    Rule::Coalesce => {
                        rest[0] = *operands[usize::from(operands[0].presence == Presence::Null)]
                    }
                }
            }
            Step::Select { condition, first, second, result } => {
                let condition = &self.cells[*condition];
                self.cells[*result] = match condition.presence {
                    Presence::Failed => Cell { presence: Presence::Failed, ..self.cells[*result] },
                    _ if condition.is_true() => self.cells[*first],
                    _ => self.cells[*second],
                };
            }
            Step::Settle { cell, is_tried } => {
                if self.cells[*cell].presence == Presence::Failed {
                    self.cells[*cell].presence = Presence::Null;
                    return *is_tried;
                }
            }
            Step::Call(call) => return self.call(call),
            Step::Logic { operands, is_and, result } => return self.logic(operands, *is_and, *result),
            Step::Case { branches, otherwise, result } => {
                return self.case(branches, otherwise.as_ref(), *result);
            }
            Step::Coalesce { operands, result } => return self.coalesce(operands, *result),
        }
        true
    }

    /// Calls a function. One that is strict sees no row with a null operand.
    fn call(&mut self, step: &CallStep) -> bool {
        let CallStep { node, nullable, column, cell, is_tried, .. } = step;
        let Kind::Call(call) = &self.graph.nodes[*node].kind else { return false };
        if nullable.iter().any(|&place| self.is_null(place)) {
            match *cell {
                Some(cell) => self.cells[cell].presence = Presence::Null,
                None => {
                    self.columns[*column].prepare(1);
                    self.columns[*column].set_null(0);
                }
            }
            return true;
        }
        if !self.run(step, call) {
            return false;
        }
        let column = &mut self.columns[*column];
        if column.failed().is_some() && !is_tried {
            return false;
        }
        if let Some(cell) = *cell {
            self.cells[cell].load(column);
        }
        true
    }

    /// Lets a function write a column; false if it ends the query.
    fn run(&mut self, step: &CallStep, call: &Call) -> bool {
        let (sight, output, work) = self.apart(step.column);
        let views = sight.views(&step.arguments);
        output.prepare(1);
        if let Body::Call(body) = &call.body {
            return body.call(views, Rows::All(1), output, work.scratch).is_ok();
        }
        let captures = sight.views(&step.captures);
        let bump = sight.bump;
        work.live.clear();
        let Work { scratch, lambdas, live } = work;
        let tools = Tools { lambdas: &mut lambdas[step.node], bump, scratch, live };
        call.run(&Operands { views, failed: &[], captures }, Rows::All(1), output, tools).is_ok()
    }

    /// A column to write, apart from what it is made of.
    fn apart<'b>(&'b mut self, column: usize) -> (Sight<'b>, &'b mut Output, &'b mut Work<'a>) {
        let Self { graph, slots, inputs, fixed, bump, cells, columns, work } = self;
        let (before, rest) = columns.split_at_mut(column);
        (Sight { graph, slots, inputs, fixed, bump, cells, columns: before }, &mut rest[0], work)
    }

    fn is_null(&self, place: Place) -> bool {
        match place {
            Place::Cell(cell) => self.cells[cell].presence != Presence::Value,
            Place::Column(column) => !self.columns[column].is_valid(0),
            Place::Input(input) => !self.inputs[input].is_valid(0),
            Place::Constant(node) => slot_view(self.slots, self.graph, node, self.bump).is_null(0),
            Place::Unread => false,
        }
    }

    /// An operand that decides does so over nulls of the others.
    fn logic(&mut self, operands: &[Part], is_and: bool, result: usize) -> bool {
        let mut found = Cell::truth(Some(is_and));
        for Part { steps, place } in operands {
            if !self.take(steps) {
                return false;
            }
            let Place::Cell(cell) = *place else { return false };
            let operand = &self.cells[cell];
            if operand.presence != Presence::Value {
                found = Cell::truth(None);
            } else if operand.is_true() != is_and {
                found = Cell::truth(Some(!is_and));
                break;
            }
        }
        self.cells[result] = found;
        true
    }

    fn case(&mut self, branches: &[(Part, Part)], otherwise: Option<&Part>, result: Place) -> bool {
        let mut taken = otherwise;
        for (when, then) in branches {
            if !self.take(&when.steps) {
                return false;
            }
            let Place::Cell(cell) = when.place else { return false };
            if self.cells[cell].is_true() {
                taken = Some(then);
                break;
            }
        }
        match taken {
            Some(Part { steps, place }) => self.take(steps) && self.copy(*place, result),
            None => self.set_null(result),
        }
    }

    fn coalesce(&mut self, operands: &[Part], result: Place) -> bool {
        for Part { steps, place } in operands {
            if !self.take(steps) {
                return false;
            }
            if !self.is_null(*place) {
                return self.copy(*place, result);
            }
        }
        self.set_null(result)
    }

    fn set_null(&mut self, place: Place) -> bool {
        match place {
            Place::Cell(cell) => self.cells[cell].presence = Presence::Null,
            Place::Column(column) => {
                self.columns[column].prepare(1);
                self.columns[column].set_null(0);
            }
            Place::Input(_) | Place::Constant(_) | Place::Unread => return false,
        }
        true
    }

    /// Gives what a step computes the value of another.
    fn copy(&mut self, from: Place, to: Place) -> bool {
        match (from, to) {
            (Place::Cell(from), Place::Cell(to)) => self.cells[to] = self.cells[from],
            (_, Place::Column(to)) => {
                let (sight, column, _) = self.apart(to);
                let mut view = UNREAD;
                sight.show(from, &mut view);
                column.prepare(1);
                column.copy_rows(&view, &Rows::All(1));
            }
            _ => return false,
        }
        true
    }
}
