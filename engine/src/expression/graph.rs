//! Compiled expressions as data: a graph whose nodes come after what they read.

use std::sync::Arc;

use hypostyle_functions::Place;
use hypostyle_functions::lanes::{LaneKernel, LaneKind};
use hypostyle_functions::scalar::{Body, Cost, Nulls};
use hypostyle_functions::types::Type;
use hypostyle_functions::value::Literal;

use super::program::Program;

/// Position of a node in its graph.
pub(super) type NodeId = usize;

/// Nodes, and which of them are asked for.
#[derive(Default)]
pub(super) struct Graph {
    /// The nodes. Evaluation is on demand, from the outputs down.
    pub nodes: Vec<Node>,
    /// One node per output, in order.
    pub outputs: Vec<NodeId>,
    /// Types of the inputs: columns of a batch, or parameters and captures of a lambda.
    pub input_types: Vec<Type>,
}

/// One operation and what is known of it before any data is seen.
pub(super) struct Node {
    /// Type of the result.
    pub data_type: Type,
    /// What it does.
    pub kind: Kind,
    /// Inputs that the result depends on, ascending.
    pub inputs: Box<[usize]>,
    /// True if two evaluations may differ.
    pub is_volatile: bool,
    /// True if it and all below it can join one program, down to inputs and constants.
    pub is_pure: bool,
    /// True if it is null wherever one of its inputs is.
    pub is_strict: bool,
    /// The dearest call in it.
    pub cost: Cost,
    /// Nodes and outputs that read it.
    pub consumers: usize,
    /// Where the expression was written.
    pub place: Place,
    /// True if its errors are only ever turned into nulls, so that their text is not needed.
    pub is_quiet: bool,
}

/// What a node does.
pub(super) enum Kind {
    /// Reads an input.
    Input(usize),
    /// A value.
    Constant(Literal),
    /// A value given when an evaluator is made.
    Parameter(usize),
    /// Calls a function over views.
    Call(Box<Call>),
    /// Runs a program over lanes.
    Program {
        /// The program; shared by the evaluators.
        program: Arc<Program>,
        /// Its inputs, in order.
        inputs: Box<[NodeId]>,
        /// Who knows why a lane failed.
        explain: Explain,
    },
    /// AND or OR of at least two operands.
    Logic {
        /// The operands.
        operands: Box<[NodeId]>,
        /// AND; else OR.
        is_and: bool,
    },
    /// The value of the first branch whose condition is true.
    Case {
        /// Conditions and values.
        branches: Box<[(NodeId, NodeId)]>,
        /// Value where no condition is true; null if there is none.
        otherwise: Option<NodeId>,
    },
    /// The first value that is not null.
    Coalesce(Box<[NodeId]>),
    /// Null where its input failed.
    Try(NodeId),
}

/// Who knows why a lane of a program failed.
pub(super) enum Explain {
    /// The kernel of a program of one function, and what nulls do.
    Kernel(Arc<dyn LaneKernel>, Nulls),
    /// The node that computes the same without fusion.
    Node(NodeId),
}

/// A call over views.
pub(super) struct Call {
    /// What computes the values.
    pub body: Body,
    /// What nulls do.
    pub nulls: Nulls,
    /// The arguments that are not lambdas.
    pub arguments: Box<[NodeId]>,
    /// Arguments that the function took up when it was bound, and does not read any more.
    pub held: Box<[usize]>,
    /// The lambdas.
    pub lambdas: Box<[LambdaBody]>,
}

/// A compiled lambda: a graph of one output over its parameters, then its captures.
pub(super) struct LambdaBody {
    /// The body.
    pub graph: Graph,
    /// Number of parameters.
    pub parameters: usize,
    /// Nodes of the enclosing graph that the body reads.
    pub captures: Box<[NodeId]>,
}

impl Node {
    /// True if the value is the same for all batches of a run.
    pub fn is_fixed(&self) -> bool {
        self.inputs.is_empty() && !self.is_volatile
    }

    /// The lanes that hold the result, if it has fixed width.
    pub fn lane_kind(&self) -> Option<LaneKind> {
        LaneKind::of(&self.data_type)
    }
}

impl Kind {
    /// Calls `visit` for each node that this one reads, once per place.
    pub fn for_each_operand(&self, mut visit: impl FnMut(NodeId)) {
        match self {
            Self::Input(_) | Self::Constant(_) | Self::Parameter(_) => {}
            Self::Call(call) => {
                call.arguments.iter().copied().for_each(&mut visit);
                call.lambdas.iter().flat_map(|lambda| lambda.captures.iter().copied()).for_each(&mut visit);
            }
            Self::Program { inputs, explain, .. } => {
                inputs.iter().copied().for_each(&mut visit);
                if let Explain::Node(plain) = explain {
                    visit(*plain);
                }
            }
            Self::Logic { operands, .. } => operands.iter().copied().for_each(&mut visit),
            Self::Case { branches, otherwise } => {
                branches.iter().flat_map(|&(when, then)| [when, then]).chain(*otherwise).for_each(&mut visit);
            }
            Self::Coalesce(arguments) => arguments.iter().copied().for_each(&mut visit),
            Self::Try(input) => visit(*input),
        }
    }
}

impl Graph {
    /// Follows TRY to the node that holds its values, and whether there was a TRY on the way.
    pub fn resolve(&self, mut node: NodeId) -> (NodeId, bool) {
        let mut is_try = false;
        while let Kind::Try(input) = self.nodes[node].kind {
            node = input;
            is_try = true;
        }
        (node, is_try)
    }

    /// Counts consumers and finds the nodes whose errors nobody reads.
    pub fn finish(&mut self) {
        let mut consumers = vec![0usize; self.nodes.len()];
        for node in &self.nodes {
            node.kind.for_each_operand(|operand| consumers[operand] += 1);
        }
        // An output keeps its own column, so it is never computed into that of its consumer.
        self.outputs.iter().for_each(|&output| consumers[output] += 2);
        let mut is_loud = vec![false; self.nodes.len()];
        let mut open = self.outputs.clone();
        while let Some(id) = open.pop() {
            if !std::mem::replace(&mut is_loud[id], true) && !matches!(self.nodes[id].kind, Kind::Try(_)) {
                self.nodes[id].kind.for_each_operand(|operand| open.push(operand));
            }
        }
        for (id, node) in self.nodes.iter_mut().enumerate() {
            node.consumers = consumers[id];
            node.is_quiet = !is_loud[id];
        }
    }
}
