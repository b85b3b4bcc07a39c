//! Calls over views: operands first, then the rows that the function may see.

use hypostyle_functions::column::{Data, Encoding, Output, Rows, View};
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
            let strict_nulls = call.nulls.is_strict() && views.iter().any(View::may_be_null);
            let any_failed =
                call.arguments.iter().any(|&argument| columns.failed(argument, domain).is_some());
            match rows {
                _ if any_failed => {
                    let failed =
                        bump.alloc_slice_fill_iter(call.arguments.iter().map(|&a| columns.failed(a, domain)));
                    split(rows, strict_nulls, views, failed, output, &mut live);
                    true
                }
                _ if !strict_nulls => false,
                Rows::All(count) if call.nulls == Nulls::Covered => {
                    mask(count, views, output, |_, _| ());
                    false
                }
                Rows::All(count) => {
                    mask(count, views, output, |start, valid| append_rows(start, valid, &mut live));
                    true
                }
                Rows::Selected(_) => {
                    split(rows, true, views, &[], output, &mut live);
                    true
                }
            }
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

/// Makes the rows with a null operand null, 64 at a time; `each` is given the first row of each 64 and those that are valid.
fn mask(count: usize, views: &[View<'_>], output: &mut Output, mut each: impl FnMut(usize, u64)) {
    let mut target: Option<&mut [u64]> = None;
    let mut output = Some(output);
    for index in 0..count.div_ceil(64) {
        let rows = (count - index * 64).min(64);
        let whole = u64::MAX >> (64 - rows);
        let valid = views.iter().fold(whole, |word, view| word & valid_word(view, index, rows));
        each(index * 64, valid);
        if valid == whole {
            continue;
        }
        // The bitmap is asked for with the first null, so that a column without one stays so.
        if let Some(output) = output.take() {
            target = Some(output.validity_words());
        }
        if let Some(words) = &mut target {
            words[index] &= valid | !whole;
        }
    }
}

/// Appends the rows from `start` on whose bit is set.
fn append_rows(start: usize, mut bits: u64, rows: &mut Vec<u32>) {
    let start = start as u32;
    if bits == u64::MAX {
        rows.extend(start..start + 64);
        return;
    }
    while bits != 0 {
        rows.push(start + bits.trailing_zeros());
        bits &= bits - 1;
    }
}

/// The rows of a word that are valid in a view; bits behind the last row are unspecified.
fn valid_word(view: &View<'_>, index: usize, rows: usize) -> u64 {
    match (view.encoding, view.data) {
        (_, Data::Null) => 0,
        (Encoding::Flat, _) => view.validity.map_or(u64::MAX, |validity| validity.word(index)),
        (Encoding::Constant, _) => {
            if view.is_valid(0) {
                u64::MAX
            } else {
                0
            }
        }
        (Encoding::Dictionary { validity: Some(validity), .. }, _) if view.validity.is_none() => {
            validity.word(index)
        }
        (Encoding::Dictionary { .. }, _) if !view.may_be_null() => u64::MAX,
        (Encoding::Dictionary { .. }, _) => {
            (0..rows).fold(0, |word, row| word | u64::from(view.is_valid(index * 64 + row)) << row)
        }
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
