//! Lambdas: a compiled body that a function calls over elements, with the columns it captures.

use bumpalo::Bump;
use hypostyle_functions::column::{BitsMut, Encoding, Output, Rows, View};
use hypostyle_functions::scalar::{Lambda, OuterRows};
use hypostyle_functions::{self as functions};

use super::graph::{Kind, LambdaBody};
use super::slot::Domain;
use super::state::{Run, State, values_count};
use crate::error::{Error, Result};

/// The working state of one lambda.
pub(super) struct LambdaState {
    state: State,
    bump: Bump,
    indices: Vec<Vec<u32>>,
    validity: Vec<BitsMut>,
}

impl LambdaState {
    pub fn new(body: &LambdaBody) -> Result<Self> {
        Ok(Self {
            state: State::new(&body.graph, &[])?,
            bump: Bump::new(),
            indices: vec![Vec::new(); body.captures.len()],
            validity: vec![BitsMut::default(); body.captures.len()],
        })
    }
}

/// A lambda as it is lent to one call.
pub(super) struct LambdaCall<'a> {
    pub state: &'a mut LambdaState,
    pub body: &'a LambdaBody,
    pub captures: &'a [View<'a>],
}

impl Lambda for LambdaCall<'_> {
    fn parameter_count(&self) -> usize {
        self.body.parameters
    }

    fn call(
        &mut self,
        parameters: &[View<'_>],
        outer_rows: &dyn OuterRows,
        output: &mut Output,
    ) -> functions::Result<()> {
        output.prepare(outer_rows.count());
        if outer_rows.count() == 0 {
            return Ok(());
        }
        if parameters.len() < self.body.parameters {
            return Err(functions::Error::internal("a lambda was called with too few parameters"));
        }
        self.evaluate(parameters, outer_rows, output).map_err(|error| match error {
            Error::Function(error) => error,
            other => functions::Error::internal(other.to_string()),
        })
    }
}

impl LambdaCall<'_> {
    fn evaluate(
        &mut self,
        parameters: &[View<'_>],
        outer_rows: &dyn OuterRows,
        output: &mut Output,
    ) -> Result<()> {
        let LambdaState { state, bump, indices, validity } = &mut *self.state;
        bump.reset();
        let rows = outer_rows.count();
        let outer_rows = if self.captures.is_empty() { &[] } else { outer_rows.rows() };
        for ((capture, indices), validity) in self.captures.iter().zip(&mut *indices).zip(&mut *validity) {
            compose(capture, outer_rows, indices, validity);
        }
        let captured = self.captures.iter().zip(&*indices).zip(&*validity);
        let captured = captured.map(|((capture, indices), validity)| {
            let encoding = match capture.encoding {
                Encoding::Flat => Encoding::Dictionary { indices: outer_rows, validity: None },
                Encoding::Constant => Encoding::Constant,
                Encoding::Dictionary { validity: None, .. } => {
                    Encoding::Dictionary { indices, validity: None }
                }
                Encoding::Dictionary { .. } => {
                    Encoding::Dictionary { indices, validity: Some(bump.alloc(validity.as_bits())) }
                }
            };
            View { length: rows, encoding, ..*capture }
        });
        let given = parameters[..self.body.parameters].iter().copied();
        let count = self.body.parameters + self.captures.len();
        let mut inputs = bumpalo::collections::Vec::with_capacity_in(count, bump);
        inputs.extend(given.chain(captured));
        let values = bump.alloc_slice_fill_iter(inputs.iter().map(values_count));
        let graph = &self.body.graph;
        let run = Run { graph, inputs: &inputs, values, columns: None, rows };
        state.begin(&run);
        let root = graph.outputs[0];
        let node = &graph.nodes[root];
        let is_computed =
            !matches!(node.kind, Kind::Input(_) | Kind::Constant(_) | Kind::Parameter(_) | Kind::Try(_));
        // The graph's own claim on its output counts as two readers: nobody else reads this one.
        if is_computed && node.consumers == 2 && state.domains[root] == Domain::Base {
            state.compute(&run, root, Rows::All(rows), output, Domain::Base)
        } else {
            state.write(&run, root, Rows::All(rows), output, Domain::Base)
        }
    }
}

/// Looks dictionary indices up by outer row.
fn compose(capture: &View<'_>, outer_rows: &[u32], composed: &mut Vec<u32>, nulls: &mut BitsMut) {
    let Encoding::Dictionary { indices, validity } = capture.encoding else { return };
    composed.clear();
    composed.extend(outer_rows.iter().map(|&row| indices[row as usize]));
    if let Some(validity) = validity {
        nulls.reset(outer_rows.len(), false);
        outer_rows.iter().enumerate().for_each(|(row, &outer)| nulls.set(row, validity.get(outer as usize)));
    }
}
