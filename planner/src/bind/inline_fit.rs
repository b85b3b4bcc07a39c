//! `standard_scale(x) OVER ()`: analyzers of a query, fitted on its own rows while it is planned.

use std::rc::Rc;

use crate::bind::Binder;
use crate::bind::analyzer::Fitting;
use crate::error::{Error, Result};
use crate::logical::Relation;
use crate::span::Span;
use crate::transform::{FittedCall, Provenance, finish_pass, run_pass};
use crate::tree::{Expression, ExpressionKind, OrderBy, Select};

/// Levels of analyzers inside analyzers.
const LEVELS_MAX: usize = 64;

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
            let (Some(source), false) = (fitting.source, fitting.requests.is_empty()) else {
                return relation.and(Err(Error::internal("a fit asks for nothing and is not complete")));
            };
            self.check_inline_source(&source, open_before, select.span)?;
            self.fits_data = true;
            let source = self.standing_alone(source);
            let shared = std::mem::take(&mut self.shared);
            let pass = self.fit_pass(source, &fitting.requests, false);
            self.shared = shared;
            let pass = pass?;
            let values =
                run_pass(pass.relation.clone(), &pass.result, self.context, select.span, &mut |_| {})?;
            finish_pass(&pass, values, level, Rc::make_mut(&mut known), &mut provenance)?;
        }
        Err(Error::invalid(
            format!("analyzers stand more than {LEVELS_MAX} levels inside each other"),
            select.span,
        ))
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
}
