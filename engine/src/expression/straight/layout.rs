//! Puts the nodes of a graph in the order in which all rows need them.

use bumpalo::Bump;
use hypostyle_functions::column::{Output, value_at};
use hypostyle_functions::types::Type;

use super::{Held, Leaf, Operand, Step, Straight};
use crate::expression::graph::{Graph, Kind, NodeId};
use crate::expression::reads::{Read, laid_out};
use crate::expression::state::{State, slot_view};

/// What a node reads, and what the lambdas of a call read.
type Operands = (Box<[Operand]>, Box<[usize]>);

/// Steps being put in order.
pub(super) struct Layout<'a> {
    graph: &'a Graph,
    state: &'a mut State,
    reads: Vec<Option<Read>>,
    leaves: Vec<Leaf>,
    /// Place of each node that is there for the steps that are being laid out.
    known: Vec<Option<usize>>,
    places: usize,
}

impl<'a> Layout<'a> {
    /// Finds what is read; `None` where that is not for this way.
    pub fn new(graph: &'a Graph, state: &'a mut State) -> Option<Self> {
        let reads = laid_out(graph, state)?;
        let known = vec![None; graph.nodes.len()];
        Some(Self { graph, state, reads, leaves: Vec::new(), known, places: 0 })
    }

    /// The steps; `None` if one is a lazy form.
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
        let Self { leaves, places, .. } = self;
        let (live, failed) = (Vec::new(), Vec::new());
        Some(Straight { leaves: leaves.into(), steps: steps.into(), places, outputs, live, failed })
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
        let (operands, captures) = self.operands(id, steps)?;
        let place = self.places;
        self.places += 1;
        self.known[id] = Some(place);
        let mut column = Output::new(self.graph.nodes[id].data_type.clone());
        // Demand says why a row failed.
        column.set_quiet(true);
        let is_tried = self.reads[id].is_some_and(|read| read.is_tried);
        steps.push(Step { node: id, place, is_tried, operands, captures, column });
        Some(place)
    }

    /// The operands of a node, and what the lambdas of a call read.
    fn operands(&mut self, id: NodeId, steps: &mut Vec<Step>) -> Option<Operands> {
        let graph = self.graph;
        match &graph.nodes[id].kind {
            Kind::Program { inputs, .. } => {
                let operands = inputs.iter().map(|&input| self.source(input, steps));
                Some((operands.collect::<Option<_>>()?, Box::default()))
            }
            Kind::Call(call) => {
                let arguments = call.arguments.iter();
                let operands = arguments.map(|&id| self.add(id, steps).map(Operand::Column));
                let operands = operands.collect::<Option<_>>()?;
                let captures = call.lambdas.iter().flat_map(|lambda| &lambda.captures);
                let captures = captures.map(|&id| self.add(id, steps)).collect::<Option<_>>()?;
                Some((operands, captures))
            }
            _ => None,
        }
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
}
