//! Calls over views: operands first, then the rows that the function may see.

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use hypostyle_functions::column::{Data, Encoding, Output, Rows, View};
use hypostyle_functions::scalar::{Body, Lambda, Nulls};
use hypostyle_functions::scratch::Scratch;
use hypostyle_functions::{self as functions};

use super::graph::{Call, NodeId};
use super::lambda::{LambdaCall, LambdaState};
use super::slot::{Domain, Failed};
use super::state::{Columns, Run, State};
use crate::error::{Error, Result};

/// The columns that a call reads.
pub(super) struct Operands<'a> {
    /// The arguments that are not lambdas.
    pub views: &'a [View<'a>],
    /// The failed rows of each of them; empty where no row of any failed.
    pub failed: &'a [Option<Failed<'a>>],
    /// What the lambdas capture, one lambda after another.
    pub captures: &'a [View<'a>],
}

/// What a call works with.
pub(super) struct Tools<'a> {
    /// States of its lambdas.
    pub lambdas: &'a mut [LambdaState],
    /// Memory of views.
    pub bump: &'a Bump,
    /// Memory of functions.
    pub scratch: &'a mut Scratch,
    /// An empty list of rows.
    pub live: &'a mut Vec<u32>,
}

impl State {
    /// Computes `rows` of a call.
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
        let bump: &Bump = bump;
        let columns = Columns { run, slots, domains, input_domains, groups, bump };
        let arguments = call.arguments.iter();
        let views = bump.alloc_slice_fill_iter(arguments.clone().map(|&id| columns.view(id, domain)));
        let mut failed: &[_] = &[];
        if arguments.clone().any(|&id| columns.failed(id, domain).is_some()) {
            failed = bump.alloc_slice_fill_iter(arguments.map(|&id| columns.failed(id, domain)));
        }
        let captures = call.lambdas.iter().flat_map(|lambda| &lambda.captures);
        let captures = captures.map(|&capture| columns.view(capture, domain));
        let captures = BumpVec::from_iter_in(captures, bump).into_bump_slice();
        let tools = Tools { lambdas: &mut lambdas[id], bump, scratch, live: &mut live };
        let result = call.run(&Operands { views, failed, captures }, rows, output, tools);
        self.give(live);
        result.map_err(Error::from)
    }
}

impl Call {
    /// Computes `rows` of a call whose operands are there. A strict function's rows with a null operand are null, and other rows
    /// with a failed operand fail: the function sees neither.
    pub fn run(
        &self,
        operands: &Operands<'_>,
        rows: Rows<'_>,
        output: &mut Output,
        tools: Tools<'_>,
    ) -> functions::Result<()> {
        let Operands { views, failed, captures } = *operands;
        let Tools { lambdas, bump, scratch, live } = tools;
        let is_partial = self.sort_out(views, failed, rows, output, live);
        let rows = match is_partial {
            true if live.len() != output.len() => Rows::Selected(live),
            _ => rows,
        };
        if rows.is_empty() {
            return Ok(());
        }
        match &self.body {
            Body::Call(body) => body.call(views, rows, output, scratch),
            Body::HigherOrder(body) => {
                let mut rest = captures;
                let calls =
                    bump.alloc_slice_fill_iter(lambdas.iter_mut().zip(&self.lambdas).map(|(state, body)| {
                        let (captures, others) = rest.split_at(body.captures.len());
                        rest = others;
                        LambdaCall { state, body, captures }
                    }));
                let lent = bump.alloc_slice_fill_iter(calls.iter_mut().map(|call| call as &mut dyn Lambda));
                body.call(views, lent, rows, output, scratch)
            }
            Body::Lanes(_) => {
                Err(functions::Error::internal("a lane function was not compiled to a program"))
            }
        }
    }

    /// Settles the rows that the function does not see; true if it sees those in `live` alone.
    fn sort_out(
        &self,
        views: &[View<'_>],
        failed: &[Option<Failed<'_>>],
        rows: Rows<'_>,
        output: &mut Output,
        live: &mut Vec<u32>,
    ) -> bool {
        let strict_nulls = self.nulls.is_strict() && views.iter().any(View::may_be_null);
        match rows {
            _ if !failed.is_empty() => {
                split(rows, strict_nulls, views, failed, output, live);
                true
            }
            _ if !strict_nulls => false,
            Rows::All(count) if self.nulls == Nulls::Covered => {
                mask(count, views, output, |_, _| ());
                false
            }
            Rows::All(count) => {
                mask(count, views, output, |start, valid| append_rows(start, valid, live));
                true
            }
            Rows::Selected(_) => {
                split(rows, true, views, &[], output, live);
                true
            }
        }
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
