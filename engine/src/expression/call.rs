//! Calls over views: operands first, then the rows that the function may see.

use hypostyle_functions::column::{Output, Rows, View};
use hypostyle_functions::scalar::{Body, Lambda, Nulls};
use hypostyle_functions::{self as functions};

use super::graph::{Call, NodeId};
use super::lambda::LambdaCall;
use super::slot::{Domain, Failed};
use super::state::{Columns, Run, State};
use crate::error::{Error, Result};

impl State {
    /// Computes `rows` of a call. A strict function's rows with a null operand are null, and other rows
    /// with a failed operand fail: the function sees neither.
    pub fn call(
        &mut self,
        run: &Run<'_>,
        id: NodeId,
        call: &Call,
        rows: Rows<'_>,
        output: &mut Output,
        domain: Domain,
    ) -> Result<()> {
        for &argument in &call.arguments {
            self.demand(run, argument, rows, domain)?;
        }
        for &capture in call.lambdas.iter().flat_map(|lambda| &lambda.captures) {
            self.demand(run, capture, rows, domain)?;
        }
        let mut live = self.take();
        let Self { slots, domains, input_domains, groups, bump, lambdas, scratch, .. } = self;
        let columns = Columns { run, slots, domains, input_domains, groups, bump };
        let views =
            bump.alloc_slice_fill_iter(call.arguments.iter().map(|&argument| columns.view(argument, domain)));
        let is_partial = {
            let strict_nulls = call.nulls == Nulls::Strict && views.iter().any(View::may_be_null);
            let any_failed =
                call.arguments.iter().any(|&argument| columns.failed(argument, domain).is_some());
            if any_failed {
                let failed =
                    bump.alloc_slice_fill_iter(call.arguments.iter().map(|&a| columns.failed(a, domain)));
                split(rows, strict_nulls, views, failed, output, &mut live);
            } else if strict_nulls {
                split(rows, true, views, &[], output, &mut live);
            }
            strict_nulls || any_failed
        };
        let rows = match is_partial {
            true if live.len() != output.len() => Rows::Selected(&live),
            _ => rows,
        };
        let result = if rows.is_empty() {
            Ok(())
        } else {
            match &call.body {
                Body::Call(body) => body.call(views, rows, output, scratch),
                Body::HigherOrder(body) => {
                    let states = lambdas[id].iter_mut().zip(&call.lambdas);
                    let calls = bump.alloc_slice_fill_iter(states.map(|(state, body)| {
                        let captures = body.captures.iter().map(|&capture| columns.view(capture, domain));
                        LambdaCall { state, body, captures: bump.alloc_slice_fill_iter(captures) }
                    }));
                    let lent =
                        bump.alloc_slice_fill_iter(calls.iter_mut().map(|call| call as &mut dyn Lambda));
                    body.call(views, lent, rows, output, scratch)
                }
                Body::Lanes(_) => {
                    Err(functions::Error::internal("a lane function was not compiled to a program"))
                }
            }
        };
        self.give(live);
        result.map_err(Error::from)
    }
}

/// Sorts out the rows that the function does not see; the others are appended to `live`.
fn split(
    rows: Rows<'_>,
    is_strict: bool,
    views: &[View<'_>],
    failed: &[Option<Failed<'_>>],
    output: &mut Output,
    live: &mut Vec<u32>,
) {
    let has_failed =
        |position: usize, row| failed.get(position).and_then(Option::as_ref).filter(|f| f.contains(row));
    rows.for_each(|row| {
        // A failed row reads as null; a null of another operand decides over the failure.
        let mut operands = views.iter().enumerate();
        if is_strict
            && operands.any(|(position, view)| view.is_null(row) && has_failed(position, row).is_none())
        {
            output.set_null(row);
        } else if let Some(failed) = (0..views.len()).find_map(|position| has_failed(position, row)) {
            output.fail(row, || failed.error(row));
        } else {
            live.push(row as u32);
        }
    });
}
