//! Puts the nodes of a graph in the order in which all rows need them.

use bumpalo::Bump;
use hypostyle_functions::column::{Output, Rows, value_at};
use hypostyle_functions::types::Type;

use super::{Action, Held, Leaf, Operand, Part, Step, Straight};
use crate::expression::graph::{Graph, Kind, NodeId};
use crate::expression::slot::Domain;
use crate::expression::state::{Run, State, slot_view};

/// Steps for each node at most: what several operands of lazy forms need alone is a step of each of them, which adds up where such forms
/// stand in one another.
const STEPS_PER_NODE: usize = 4;

/// Steps being put in order.
pub(super) struct Layout<'a> {
    graph: &'a Graph,
    state: &'a mut State,
    reads: Vec<Option<Read>>,
    leaves: Vec<Leaf>,
    /// Place of each node that is there for the steps that are being laid out.
    known: Vec<Option<usize>>,
    places: usize,
    is_lazy: bool,
}

/// How a node is read.
#[derive(Clone, Copy)]
struct Read {
    /// Through a TRY by all.
    is_tried: bool,
    /// For every row.
    is_always: bool,
}

impl<'a> Layout<'a> {
    /// Finds what is read; `None` where that is not for this way.
    pub fn new(graph: &'a Graph, state: &'a mut State) -> Option<Self> {
        let reads = reads(graph)?;
        for id in (0..graph.nodes.len()).filter(|&id| reads[id].is_some() && graph.nodes[id].is_fixed()) {
            let run = Run { graph, inputs: &[], values: &[], columns: None, rows: 1 };
            state.demand(&run, id, Rows::All(1), Domain::Constant).ok()?;
            if state.columns(&run).failed(id, Domain::Constant).is_some() {
                return None;
            }
        }
        let known = vec![None; graph.nodes.len()];
        Some(Self { graph, state, reads, leaves: Vec::new(), known, places: 0, is_lazy: false })
    }

    /// The steps, unless they are too many.
    pub fn finish(mut self) -> Option<Straight> {
        let graph = self.graph;
        for id in 0..graph.nodes.len() {
            let leaf = match graph.nodes[id].kind {
                _ if self.reads[id].is_none() => continue,
                Kind::Input(input) => Leaf::Input(input),
                _ if graph.nodes[id].is_fixed() => self.constant(id),
                _ => continue,
            };
            self.known[id] = Some(self.leaves.len());
            self.leaves.push(leaf);
        }
        self.places = self.leaves.len();
        let mut steps = Vec::new();
        // Nodes come after what they read.
        for id in 0..graph.nodes.len() {
            if self.reads[id].is_some_and(|read| read.is_always) {
                self.add(id, &mut steps)?;
            }
        }
        let held = |&output: &NodeId| {
            let (id, _) = graph.resolve(output);
            match graph.nodes[id].kind {
                Kind::Input(input) => Held::Input(input),
                _ if graph.nodes[id].is_fixed() => Held::Constant,
                _ => Held::Step(steps.iter().position(|step| step.node == id).unwrap_or_default()),
            }
        };
        let outputs = graph.outputs.iter().map(held).collect();
        let Self { leaves, places, is_lazy, .. } = self;
        let (live, failed) = (Vec::new(), Vec::new());
        Some(Straight { leaves: leaves.into(), steps: steps.into(), places, is_lazy, outputs, live, failed })
    }

    /// A view of a number is made sooner of a column than of an Arrow array.
    fn constant(&self, id: NodeId) -> Leaf {
        let data_type = &self.graph.nodes[id].data_type;
        if !data_type.is_fixed_width() && *data_type != Type::Text {
            return Leaf::Constant(id);
        }
        let bump = Bump::new();
        let value = value_at(&slot_view(&self.state.slots, self.graph, id, &bump), 0);
        let mut column = Output::new(data_type.clone());
        column.prepare(1);
        match column.set_value(0, &value) {
            Ok(()) => Leaf::Value(Box::new(column)),
            Err(_) => Leaf::Constant(id),
        }
    }

    /// Adds the steps of a node that is not there, behind those of what it reads; gives its place.
    fn add(&mut self, id: NodeId, steps: &mut Vec<Step>) -> Option<usize> {
        let (id, _) = self.graph.resolve(id);
        if let Some(place) = self.known[id] {
            return Some(place);
        }
        let action = self.action(id, steps)?;
        let place = self.places;
        if place > STEPS_PER_NODE * self.graph.nodes.len() {
            return None;
        }
        self.places += 1;
        self.known[id] = Some(place);
        let mut column = Output::new(self.graph.nodes[id].data_type.clone());
        // Demand says why a row failed.
        column.set_quiet(true);
        let is_tried = self.reads[id].is_some_and(|read| read.is_tried);
        steps.push(Step { node: id, place, is_tried, action, column });
        Some(place)
    }

    fn action(&mut self, id: NodeId, steps: &mut Vec<Step>) -> Option<Action> {
        let graph = self.graph;
        Some(match &graph.nodes[id].kind {
            Kind::Program { inputs, .. } => {
                let operands = inputs.iter().map(|&input| self.source(input, steps));
                Action::Compute { operands: operands.collect::<Option<_>>()?, captures: Box::default() }
            }
            Kind::Call(call) => {
                let arguments = call.arguments.iter();
                let operands = arguments.map(|&id| self.add(id, steps).map(Operand::Column));
                let operands = operands.collect::<Option<_>>()?;
                let captures = call.lambdas.iter().flat_map(|lambda| &lambda.captures);
                let captures = captures.map(|&id| self.add(id, steps)).collect::<Option<_>>()?;
                Action::Compute { operands, captures }
            }
            Kind::Logic { operands, is_and } => {
                Action::Logic { operands: self.parts(&by_cost(graph, operands))?, is_and: *is_and }
            }
            Kind::Coalesce(arguments) => Action::Coalesce(self.parts(arguments)?),
            Kind::Case { branches, otherwise } => self.case(branches, *otherwise)?,
            _ => return None,
        })
    }

    /// What a program reads.
    fn source(&mut self, id: NodeId, steps: &mut Vec<Step>) -> Option<Operand> {
        let (id, _) = self.graph.resolve(id);
        let node = &self.graph.nodes[id];
        let Some(kind) = node.lane_kind().filter(|_| node.is_fixed()) else {
            return self.add(id, steps).map(Operand::Column);
        };
        let State { slots, machine, .. } = &mut *self.state;
        let bump = Bump::new();
        let view = slot_view(slots, self.graph, id, &bump);
        machine.splat(id, kind, &view, u64::MAX);
        Some(Operand::Splat { node: id, is_null: view.is_null(0) })
    }

    /// Operands of which each is needed where those before it did not decide: it finds what they have computed.
    fn parts(&mut self, operands: &[NodeId]) -> Option<Box<[Part]>> {
        self.is_lazy = true;
        let outside = self.known.clone();
        let parts = operands.iter().map(|&operand| self.part(operand)).collect();
        self.known = outside;
        parts
    }

    fn case(&mut self, branches: &[(NodeId, NodeId)], otherwise: Option<NodeId>) -> Option<Action> {
        self.is_lazy = true;
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
        Some(Action::Case { branches: laid_out.into(), otherwise })
    }

    fn part(&mut self, operand: NodeId) -> Option<Part> {
        let mut steps = Vec::new();
        let place = self.add(operand, &mut steps)?;
        Some(Part { steps: steps.into(), place })
    }
}

/// The operands of AND and OR. Which of them decides does not show, so the dear ones come last.
fn by_cost(graph: &Graph, operands: &[NodeId]) -> Vec<NodeId> {
    let mut operands = operands.to_vec();
    operands.sort_by_key(|&operand| graph.nodes[operand].cost);
    operands
}

/// Of a lazy form the operand that all rows need.
fn first_operand(graph: &Graph, kind: &Kind) -> Option<NodeId> {
    match kind {
        Kind::Logic { operands, .. } => by_cost(graph, operands).first().copied(),
        Kind::Case { branches, .. } => branches.first().map(|&(when, _)| when),
        Kind::Coalesce(arguments) => arguments.first().copied(),
        _ => None,
    }
}

/// The nodes that are read; `None` if one gives another value each time.
fn reads(graph: &Graph) -> Option<Vec<Option<Read>>> {
    let mut reads: Vec<Option<Read>> = vec![None; graph.nodes.len()];
    let note = |reads: &mut Vec<Option<Read>>, id: NodeId, is_always: bool| {
        let (id, is_tried) = graph.resolve(id);
        let read = reads[id].get_or_insert(Read { is_tried, is_always });
        read.is_tried &= is_tried;
        read.is_always |= is_always;
    };
    graph.outputs.iter().for_each(|&output| note(&mut reads, output, true));
    // Readers come after what they read, so going down every node has met all its readers.
    for id in (0..graph.nodes.len()).rev() {
        let node = &graph.nodes[id];
        let Some(Read { is_always, .. }) = reads[id].filter(|_| !node.is_fixed()) else { continue };
        match &node.kind {
            _ if node.is_volatile => return None,
            Kind::Program { inputs, .. } => {
                inputs.iter().for_each(|&input| note(&mut reads, input, is_always));
            }
            kind => {
                let first = first_operand(graph, kind);
                kind.for_each_operand(|operand| {
                    let is_first = first.is_none_or(|first| first == operand);
                    note(&mut reads, operand, is_always && is_first);
                });
            }
        }
    }
    Some(reads)
}
