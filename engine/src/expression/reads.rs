//! What the outputs of a graph read, for ways that are laid out once.

use super::graph::{Graph, Kind, NodeId};
use super::slot::Domain;
use super::state::{Run, State};
use hypostyle_functions::column::Rows;

/// How a node is read.
#[derive(Clone, Copy)]
pub(super) struct Read {
    /// Through a TRY by all.
    pub is_tried: bool,
    /// For every row.
    pub is_always: bool,
}

/// Finds the nodes that are read and computes those that are the same for all rows; `None` if one gives another value each time, or
/// fails whatever the row.
pub(super) fn laid_out(graph: &Graph, state: &mut State) -> Option<Vec<Option<Read>>> {
    let reads = reads(graph)?;
    for id in (0..graph.nodes.len()).filter(|&id| reads[id].is_some() && graph.nodes[id].is_fixed()) {
        let run = Run { graph, inputs: &[], values: &[], columns: None, rows: 1 };
        state.demand(&run, id, Rows::All(1), Domain::Constant).ok()?;
        if state.columns(&run).failed(id, Domain::Constant).is_some() {
            return None;
        }
    }
    Some(reads)
}

/// The operands of AND and OR. Which of them decides does not show, so the dear ones come last.
pub(super) fn by_cost(graph: &Graph, operands: &[NodeId]) -> Vec<NodeId> {
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
