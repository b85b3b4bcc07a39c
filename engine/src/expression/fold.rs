//! Evaluates constant nodes while a graph is built.

use hypostyle_functions::column::value_at;
use hypostyle_functions::value::Literal;

use super::graph::{Graph, NodeId};
use super::slot::Domain;
use super::state::{Run, State};
use crate::error::Result;

/// A state that grows with the graph.
#[derive(Default)]
pub(super) struct Folder {
    state: Option<State>,
}

impl Folder {
    /// The value of a node that reads only constants; `None` if it fails, which is then left to whoever
    /// uses the row.
    pub fn evaluate(&mut self, graph: &Graph, id: NodeId) -> Result<Option<Literal>> {
        let state = match &mut self.state {
            Some(state) => state,
            None => self.state.insert(State::new(&Graph::default(), &[])?),
        };
        state.grow(graph, None)?;
        let run = Run { graph, inputs: &[], values: &[], columns: None, rows: 1 };
        state.demand(&run, id, hypostyle_functions::column::Rows::All(1), Domain::Constant)?;
        let columns = state.columns(&run);
        if columns.failed(id, Domain::Constant).is_some() {
            return Ok(None);
        }
        let view = columns.view(id, Domain::Constant);
        let literal = Literal { data_type: graph.nodes[id].data_type.clone(), value: value_at(&view, 0) };
        Ok(Some(literal.shared()?))
    }
}
