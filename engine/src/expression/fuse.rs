//! Finds the largest subtrees of fixed-width operations and makes each one program.
//!
//! Strict lane functions join the program of their only reader. AND, OR, CASE and COALESCE join where
//! everything below them is lanes: a program computes all sides, and masks hide what was not taken. What
//! several programs read becomes a program of its own, so that nothing is computed twice.

use std::collections::HashMap;
use std::sync::Arc;

use hypostyle_functions::lanes::LaneKind;
use hypostyle_functions::scalar::Nulls;

use super::graph::{Explain, Graph, Kind, Node, NodeId};
use super::program::{Builder, Code, Value};

/// Rewrites the graph so that fused subtrees are single nodes. The nodes they are made of stay, for the
/// rows whose error has to be told.
pub(super) fn fuse(graph: &mut Graph) {
    let programs = programs_of(graph);
    for root in 0..programs.len() {
        if programs[root] != Some(root) {
            continue;
        }
        let mut fusion = Fusion::new(graph, &programs, root);
        if fusion.add(root).is_none() {
            continue;
        }
        let Fusion { builder, inputs, .. } = fusion;
        if builder.operations() == 1 && matches!(graph.nodes[root].kind, Kind::Program { .. }) {
            continue;
        }
        let plain = graph.nodes.len();
        let fused = Kind::Program {
            program: Arc::new(builder.build()),
            inputs: inputs.into(),
            explain: Explain::Node(plain),
        };
        let node = &mut graph.nodes[root];
        let plain = Node {
            data_type: node.data_type.clone(),
            kind: std::mem::replace(&mut node.kind, fused),
            inputs: node.inputs.clone(),
            ..*node
        };
        graph.nodes.push(plain);
    }
}

/// True if the node can be an operation of a program.
fn can_join(node: &Node) -> bool {
    match &node.kind {
        Kind::Program { explain: Explain::Kernel(..), .. } => !node.is_volatile,
        Kind::Logic { .. } | Kind::Case { .. } | Kind::Coalesce(_) => node.is_pure,
        _ => false,
    }
}

/// For each node the node whose program computes it, which may be itself.
fn programs_of(graph: &Graph) -> Vec<Option<NodeId>> {
    let count = graph.nodes.len();
    let mut is_read = vec![false; count];
    let mut is_kept = vec![false; count];
    let mut programs: Vec<Option<NodeId>> = vec![None; count];
    for &output in &graph.outputs {
        is_read[output] = true;
        is_kept[output] = true;
    }
    // Readers come after what they read, so going down every node has met all its readers.
    for id in (0..count).rev() {
        let node = &graph.nodes[id];
        if !is_read[id] {
            continue;
        }
        programs[id] = match can_join(node) {
            true if is_kept[id] => Some(id),
            true => programs[id],
            false => None,
        };
        let own = programs[id];
        node.kind.for_each_operand(|operand| {
            let is_first = !std::mem::replace(&mut is_read[operand], true);
            if own.is_none() || !is_first && programs[operand] != own {
                is_kept[operand] = true;
            } else {
                programs[operand] = own;
            }
        });
    }
    programs
}

/// One program under construction.
struct Fusion<'a> {
    graph: &'a Graph,
    programs: &'a [Option<NodeId>],
    root: NodeId,
    builder: Builder,
    inputs: Vec<NodeId>,
    known: HashMap<NodeId, Value>,
}

impl<'a> Fusion<'a> {
    fn new(graph: &'a Graph, programs: &'a [Option<NodeId>], root: NodeId) -> Self {
        Self { graph, programs, root, builder: Builder::default(), inputs: Vec::new(), known: HashMap::new() }
    }

    /// The value of a node in the program; `None` if it has no lanes, which a verified graph excludes.
    fn add(&mut self, id: NodeId) -> Option<Value> {
        if let Some(&value) = self.known.get(&id) {
            return Some(value);
        }
        let graph = self.graph;
        let node = &graph.nodes[id];
        let kind = node.lane_kind()?;
        let is_inside = self.programs.get(id).copied().flatten() == Some(self.root);
        let value = if is_inside {
            self.operation(node, kind)?
        } else {
            self.inputs.push(id);
            self.builder.input(kind)
        };
        self.known.insert(id, value);
        Some(value)
    }

    fn operation(&mut self, node: &Node, kind: LaneKind) -> Option<Value> {
        match &node.kind {
            Kind::Program { inputs, explain: Explain::Kernel(kernel, Nulls::PassedOver), .. } => {
                let (&first, rest) = inputs.split_first()?;
                let mut combined = self.add(first)?;
                for &input in rest {
                    let operands = vec![combined, self.add(input)?];
                    combined = self.builder.operation(Code::Combine(Arc::clone(kernel)), operands, kind);
                }
                Some(combined)
            }
            Kind::Program { inputs, explain: Explain::Kernel(kernel, _), .. } => {
                let operands = inputs.iter().map(|&input| self.add(input)).collect::<Option<_>>()?;
                Some(self.builder.operation(Code::Kernel(Arc::clone(kernel)), operands, kind))
            }
            Kind::Logic { operands, is_and } => {
                let code = if *is_and { Code::And } else { Code::Or };
                let (&first, rest) = operands.split_first()?;
                let mut joined = self.add(first)?;
                for &operand in rest {
                    let operand = self.add(operand)?;
                    joined = self.builder.operation(code.clone(), vec![joined, operand], kind);
                }
                Some(joined)
            }
            Kind::Case { branches, otherwise } => {
                let mut chosen = self.add((*otherwise)?)?;
                for &(when, then) in branches.iter().rev() {
                    let operands = vec![self.add(when)?, self.add(then)?, chosen];
                    chosen = self.builder.operation(Code::Select, operands, kind);
                }
                Some(chosen)
            }
            Kind::Coalesce(arguments) => {
                let (&last, rest) = arguments.split_last()?;
                let mut chosen = self.add(last)?;
                for &argument in rest.iter().rev() {
                    let operands = vec![self.add(argument)?, chosen];
                    chosen = self.builder.operation(Code::Coalesce, operands, kind);
                }
                Some(chosen)
            }
            _ => None,
        }
    }
}
