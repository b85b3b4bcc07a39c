//! Puts the nodes of a graph in the order in which one row needs them.

use std::sync::Arc;

use bumpalo::Bump;
use hypostyle_functions::column::{Data, Output, Rows, View};
use hypostyle_functions::lanes::LaneKind;
use hypostyle_functions::types::Type;

use super::cell::{Cell, Presence};
use super::{CallStep, Fixed, Part, Place, Rule, Single, Step};
use crate::expression::graph::{Call, Graph, Kind, NodeId};
use crate::expression::program::{Code, Operation, Program};
use crate::expression::reads::{Read, by_cost, laid_out};
use crate::expression::state::{State, slot_view};

/// Steps for each node at most: what several operands of lazy forms need alone is a step of each of them, which adds up where such forms
/// stand in one another.
const STEPS_PER_NODE: usize = 4;

/// Most elements of a constant list of which each evaluator has a copy.
const ELEMENTS_COPIED: usize = 4096;

/// Conditions and values of a CASE, and the value where none holds.
type Branches = (Box<[(Part, Part)]>, Option<Part>);

/// Steps being put in order.
pub(super) struct Layout<'a> {
    graph: &'a Graph,
    reads: Vec<Option<Read>>,
    cells: Vec<Cell>,
    types: Vec<Type>,
    columns: Vec<Output>,
    loads: Vec<(usize, usize)>,
    /// Cells and columns that hold constants.
    fixed: (usize, usize),
    /// Place of each node that is there for the steps that are being laid out.
    known: Vec<Option<Place>>,
    steps: usize,
}

impl<'a> Layout<'a> {
    /// Places what is there before the first step; `None` where the outputs are not for this way.
    pub fn new(graph: &'a Graph, state: &mut State) -> Option<Self> {
        let reads = laid_out(graph, state)?;
        let known = vec![None; graph.nodes.len()];
        let (cells, types, columns, loads) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut layout = Self { graph, reads, cells, types, columns, loads, fixed: (0, 0), known, steps: 0 };
        let is_read = |layout: &Self, id: NodeId| layout.reads[id].is_some();
        for id in (0..graph.nodes.len()).filter(|&id| graph.nodes[id].is_fixed()) {
            if is_read(&layout, id) {
                layout.known[id] = Some(layout.constant(id, state));
            }
        }
        layout.fixed = (layout.cells.len(), layout.columns.len());
        for id in 0..graph.nodes.len() {
            if let Kind::Input(input) = graph.nodes[id].kind
                && is_read(&layout, id)
            {
                layout.known[id] = Some(layout.input(id, input));
            }
        }
        Some(layout)
    }

    /// The steps, unless they are too many.
    pub fn finish(mut self) -> Option<Single> {
        let mut steps = Vec::new();
        // Nodes come after what they read.
        for id in 0..self.graph.nodes.len() {
            if self.reads[id].is_some_and(|read| read.is_always) {
                self.add(id, &mut steps)?;
            }
        }
        let outputs = self.graph.outputs.iter().map(|&output| self.known[self.graph.resolve(output).0]);
        let outputs = outputs.collect::<Option<_>>()?;
        let Self { cells, types, columns, loads, fixed, .. } = self;
        let fixed = Fixed { types: types.into(), cells: fixed.0, columns: fixed.1 };
        let live = Vec::new();
        Some(Single { cells, columns, fixed, loads: loads.into(), steps: steps.into(), outputs, live })
    }

    fn cell(&mut self, kind: LaneKind, data_type: &Type) -> usize {
        self.cells.push(Cell::new(kind));
        self.types.push(data_type.clone());
        self.cells.len() - 1
    }

    fn column(&mut self, data_type: &Type) -> usize {
        let mut column = Output::new(data_type.clone());
        // Demand says why a row failed.
        column.set_quiet(true);
        self.columns.push(column);
        self.columns.len() - 1
    }

    /// Where the value of a node goes that is no call.
    fn place(&mut self, id: NodeId) -> Place {
        let node = &self.graph.nodes[id];
        match node.lane_kind() {
            Some(kind) => Place::Cell(self.cell(kind, &node.data_type)),
            None => Place::Column(self.column(&node.data_type)),
        }
    }

    fn input(&mut self, id: NodeId, input: usize) -> Place {
        let node = &self.graph.nodes[id];
        let Some(kind) = node.lane_kind() else { return Place::Input(input) };
        let cell = self.cell(kind, &node.data_type);
        self.loads.push((input, cell));
        Place::Cell(cell)
    }

    /// A constant is read sooner from a cell or a column than from an Arrow array, unless a copy of it would take room.
    fn constant(&mut self, id: NodeId, state: &State) -> Place {
        let node = &self.graph.nodes[id];
        let bump = Bump::new();
        let view = slot_view(&state.slots, self.graph, id, &bump);
        if is_large(&view) {
            return Place::Constant(id);
        }
        let mut column = Output::new(node.data_type.clone());
        column.prepare(1);
        column.copy_rows(&view, &Rows::All(1));
        match node.lane_kind() {
            Some(kind) => {
                let cell = self.cell(kind, &node.data_type);
                self.cells[cell].load(&column);
                Place::Cell(cell)
            }
            None => {
                self.columns.push(column);
                Place::Column(self.columns.len() - 1)
            }
        }
    }

    /// Adds the steps of a node that is not there, behind those of what it reads; gives its place.
    fn add(&mut self, id: NodeId, steps: &mut Vec<Step>) -> Option<Place> {
        let (id, _) = self.graph.resolve(id);
        if let Some(place) = self.known[id] {
            return Some(place);
        }
        let graph = self.graph;
        let is_tried = self.reads[id].is_some_and(|read| read.is_tried);
        let place = match &graph.nodes[id].kind {
            Kind::Program { program, inputs, .. } => {
                let cell = self.program(program, inputs, steps)?;
                self.types[cell] = graph.nodes[id].data_type.clone();
                if !program.is_total {
                    steps.push(Step::Settle { cell, is_tried });
                }
                Place::Cell(cell)
            }
            Kind::Call(call) => self.call(id, call, is_tried, steps)?,
            Kind::Logic { operands, is_and } => {
                let operands = self.parts(&by_cost(graph, operands))?;
                let place = self.place(id);
                let Place::Cell(result) = place else { return None };
                steps.push(Step::Logic { operands, is_and: *is_and, result });
                place
            }
            Kind::Coalesce(arguments) => {
                let operands = self.parts(arguments)?;
                let result = self.place(id);
                steps.push(Step::Coalesce { operands, result });
                result
            }
            Kind::Case { branches, otherwise } => {
                let (branches, otherwise) = self.case(branches, *otherwise)?;
                let result = self.place(id);
                steps.push(Step::Case { branches, otherwise, result });
                result
            }
            _ => return None,
        };
        self.steps += 1;
        if self.steps > STEPS_PER_NODE * graph.nodes.len() {
            return None;
        }
        self.known[id] = Some(place);
        Some(place)
    }

    /// The operations of a program, each a step; the cell of its result.
    fn program(&mut self, program: &Program, inputs: &[NodeId], steps: &mut Vec<Step>) -> Option<usize> {
        // The cell of each location.
        let mut cells = Vec::with_capacity(program.places.len());
        for &input in inputs {
            let Place::Cell(cell) = self.add(input, steps)? else { return None };
            cells.push(cell);
        }
        for operation in &program.operations {
            let result = self.operation(program, operation, &cells, steps)?;
            cells.push(result);
        }
        cells.last().copied()
    }

    /// One operation of a program; the cell of its result.
    fn operation(
        &mut self,
        program: &Program,
        operation: &Operation,
        cells: &[usize],
        steps: &mut Vec<Step>,
    ) -> Option<usize> {
        let operands: Box<[usize]> = operation.operands.iter().map(|&location| cells[location]).collect();
        let kind = program.places[operation.result].kind;
        let pair = |rule, result| match *operands {
            [first, second] => Some(Step::Pair { rule, first, second, result }),
            _ => None,
        };
        let step = match &operation.code {
            Code::Choose { comparison, .. } => {
                let [left, right, first, second] = *operands else { return None };
                let condition = self.cell(LaneKind::Boolean, &Type::Boolean);
                let kernel = Arc::clone(comparison);
                steps.push(Step::Kernel { kernel, operands: Box::new([left, right]), result: condition });
                let result = self.unseen(kind);
                steps.push(Step::Select { condition, first, second, result });
                return Some(result);
            }
            Code::Kernel(kernel) => {
                let (kernel, result) = (Arc::clone(kernel), self.unseen(kind));
                Step::Kernel { kernel, operands, result }
            }
            Code::Combine(kernel) => pair(Rule::Combine(Arc::clone(kernel)), self.unseen(kind))?,
            Code::And => pair(Rule::And, self.unseen(kind))?,
            Code::Or => pair(Rule::Or, self.unseen(kind))?,
            Code::Coalesce => pair(Rule::Coalesce, self.unseen(kind))?,
            Code::Select => {
                let [condition, first, second] = *operands else { return None };
                Step::Select { condition, first, second, result: self.unseen(kind) }
            }
        };
        steps.push(step);
        Some(self.cells.len() - 1)
    }
    /// A cell that no reader asks the type of.
    fn unseen(&mut self, kind: LaneKind) -> usize {
        self.cell(kind, &Type::Null)
    }

    fn call(&mut self, id: NodeId, call: &Call, is_tried: bool, steps: &mut Vec<Step>) -> Option<Place> {
        let mut places = |ids: &mut dyn Iterator<Item = NodeId>| {
            ids.map(|id| self.add(id, steps)).collect::<Option<Box<[Place]>>>()
        };
        let mut arguments = places(&mut call.arguments.iter().copied())?;
        let captures = places(&mut call.lambdas.iter().flat_map(|lambda| lambda.captures.iter().copied()))?;
        // What is constant and not null does not become null.
        let may_be_null = |place: &Place| match *place {
            Place::Cell(cell) => cell >= self.fixed.0 || self.cells[cell].presence != Presence::Value,
            Place::Column(column) => column >= self.fixed.1 || !self.columns[column].is_valid(0),
            Place::Input(_) | Place::Constant(_) => true,
            Place::Unread => false,
        };
        let nullable = match call.nulls.is_strict() {
            true => arguments.iter().copied().filter(may_be_null).collect(),
            false => Box::default(),
        };
        call.held.iter().for_each(|&position| arguments[position] = Place::Unread);
        let column = self.column(&self.graph.nodes[id].data_type);
        let place = match self.graph.nodes[id].lane_kind() {
            Some(_) => self.place(id),
            None => Place::Column(column),
        };
        let cell = if let Place::Cell(cell) = place { Some(cell) } else { None };
        steps.push(Step::Call(Box::new(CallStep {
            node: id,
            arguments,
            nullable,
            captures,
            column,
            cell,
            is_tried,
        })));
        Some(place)
    }

    /// Operands of which each is needed where those before it did not decide: it finds what they have computed.
    fn parts(&mut self, operands: &[NodeId]) -> Option<Box<[Part]>> {
        let outside = self.known.clone();
        let parts = operands.iter().map(|&operand| self.part(operand)).collect();
        self.known = outside;
        parts
    }

    fn case(&mut self, branches: &[(NodeId, NodeId)], otherwise: Option<NodeId>) -> Option<Branches> {
        let outside = self.known.clone();
        let mut laid_out = Vec::with_capacity(branches.len());
        for &(when, then) in branches {
            let when = self.part(when)?;
            let open = self.known.clone();
            let then = self.part(then)?;
            // Another branch is taken where this one is not.
            self.known = open;
            laid_out.push((when, then));
        }
        let otherwise = match otherwise {
            Some(otherwise) => Some(self.part(otherwise)?),
            None => None,
        };
        self.known = outside;
        Some((laid_out.into(), otherwise))
    }

    fn part(&mut self, operand: NodeId) -> Option<Part> {
        let mut steps = Vec::new();
        let place = self.add(operand, &mut steps)?;
        Some(Part { steps: steps.into(), place })
    }
}

/// True if the one value of a view holds more elements than are copied for each evaluator.
fn is_large(view: &View<'_>) -> bool {
    match view.data {
        Data::List(_) | Data::FixedList { .. } if view.is_valid(0) => {
            let list = view.list();
            let (range, child) = (list.range(0), list.child());
            range.len() > ELEMENTS_COPIED
                || matches!(child.data, Data::List(_) | Data::FixedList { .. } | Data::Struct(_))
        }
        Data::Struct(_) => true,
        _ => false,
    }
}
