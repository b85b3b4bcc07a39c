//! `standard_scale(x) OVER ()`: analyzers of a query, fitted on its own rows while it is planned.

use std::rc::Rc;
use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_engine::plan::TableReference;

use crate::bind::Binder;
use crate::bind::analyzer::{Fitting, Request};
use crate::bind::definition::is_of_names;
use crate::bind::fit_pass::Makes;
use crate::bind::fold;
use crate::error::{Error, Result};
use crate::logical::Relation;
use crate::span::Span;
use crate::transform::{FittedCall, LEVELS_MAX, Provenance, finish_pass, run_pass, too_many_levels};
use crate::tree::{Expression, ExpressionKind, OrderBy, Select};

impl Binder<'_> {
    /// True if the select list, QUALIFY or WHERE hold an analyzer OVER ().
    pub(super) fn fits_inline(&self, select: &Select) -> bool {
        let mut is_fitted = |part: &Expression| match &part.kind {
            ExpressionKind::Call(call) => call.over.is_some() && self.analyzer_of(call).is_some(),
            _ => false,
        };
        select.items.iter().any(|item| item.expression.any(&mut is_fitted))
            || select.qualify.as_ref().is_some_and(|qualify| qualify.any(&mut is_fitted))
    }

    /// Binds a SELECT once for each level of its analyzers, and a last time with all their parameters.
    pub(super) fn select_fitted(&mut self, select: &Select, order_by: &OrderBy) -> Result<Relation> {
        let around = self.fitting.take();
        let relation = self.select_in_levels(select, order_by);
        self.fitting = around;
        relation
    }

    fn select_in_levels(&mut self, select: &Select, order_by: &OrderBy) -> Result<Relation> {
        let mut known: Rc<Vec<FittedCall>> = Rc::default();
        let mut provenance = Provenance::default();
        for level in 0..LEVELS_MAX {
            self.fitting = Some(Fitting { known: Rc::clone(&known), is_inline: true, ..Fitting::default() });
            let open_before = self.parameters.len();
            let relation = self.select_bound(select, order_by, true);
            let Some(fitting) = self.fitting.take() else {
                return Err(Error::internal("a fit lost its state"));
            };
            if fitting.made_up == 0 {
                return relation;
            }
            // Names mean what they mean before anything is read.
            if let Err(error) = &relation
                && is_of_names(error)
            {
                return relation;
            }
            let (Some(source), false) = (fitting.source, fitting.requests.is_empty()) else {
                return relation.and(Err(Error::internal("a fit asks for nothing and is not complete")));
            };
            self.check_inline_source(&source, open_before, select.span)?;
            self.fits_data = true;
            let source = self.standing_alone(source);
            self.check_reads_alike(&source, select.span)?;
            check_arguments(&fitting.requests, self.context, select.span)?;
            let shared = std::mem::take(&mut self.shared);
            let pass = self.fit_pass(source, &fitting.requests, &[], false, Makes::Results);
            self.shared = shared;
            let pass = pass?;
            let values =
                run_pass(pass.relation.clone(), &pass.result, self.context, select.span, self.observer)?;
            finish_pass(&pass, values, level, Rc::make_mut(&mut known), &mut provenance)?;
        }
        Err(too_many_levels(select.span))
    }

    fn check_inline_source(&self, source: &Relation, open_before: usize, span: Span) -> Result<()> {
        let message = if !source.outer_columns().is_empty() {
            "an analyzer OVER () is fitted on the rows of its query alone: it cannot stand in a correlated subquery"
        } else if self.parameters.len() > open_before {
            "an analyzer OVER () is fitted while the query is planned, when parameters have no value; use CREATE TRANSFORM"
        } else {
            return Ok(());
        };
        Err(Error::invalid(message, span))
    }

    /// Refuses rows that are others when they are read again: those that are fitted on would not be those that are shown.
    fn check_reads_alike(&self, relation: &Relation, span: Span) -> Result<()> {
        let volatile =
            relation.expressions().into_iter().find_map(|part| fold::first_volatile(part, self.context));
        let problem = match (relation, volatile) {
            (_, Some(function)) => format!("call {function}, which gives other values each time"),
            (Relation::Sample { seed: None, .. }, _) => {
                "are sampled anew each time; write REPEATABLE (seed)".to_owned()
            }
            (Relation::Scan(scan), _) if scan.provider.is_host_driven() => {
                "are pushed in by a host".to_owned()
            }
            (Relation::Scan(scan), _) if is_standard_input(&scan.table) => {
                "are those of standard input".to_owned()
            }
            _ => {
                return stacker::maybe_grow(64 << 10, 1 << 20, || {
                    relation.inputs().into_iter().try_for_each(|input| self.check_reads_alike(input, span))
                });
            }
        };
        let message = format!(
            "an analyzer OVER () reads the rows of its query twice, to fit and to apply; these {problem}: put them into a table first"
        );
        Err(Error::invalid(message, span))
    }
}

/// Refuses to fit on values that are others when they are computed again.
fn check_arguments(requests: &[Request], context: &Arc<Context>, span: Span) -> Result<()> {
    for request in requests {
        if let Some(function) = request.arguments.iter().find_map(|part| fold::first_volatile(part, context))
        {
            let message = format!(
                "an argument of {} OVER () calls {function}, which gives other values each time: put its values into a table first",
                request.analyzer
            );
            return Err(Error::invalid(message, span));
        }
    }
    Ok(())
}

fn is_standard_input(table: &TableReference) -> bool {
    match table {
        TableReference::Function { arguments, .. } => {
            arguments.iter().any(|argument| matches!(argument.value.as_text(), Some("-" | "/dev/stdin")))
        }
        TableReference::Named(_) => false,
    }
}
