//! LIMIT and OFFSET: constants where they can be, else numbers that are computed when the query runs.

use std::rc::Rc;

use hypostyle_engine::plan::Expression;
use hypostyle_functions::{Literal, Type, Value};

use crate::bind::frame::{Clause, Frame};
use crate::bind::scope::Scope;
use crate::bind::{Binder, constant};
use crate::error::{Error, Result};
use crate::logical::{Computed, Relation, one_row};
use crate::span::Span;
use crate::tree::{self, ExpressionKind, Query};

/// One of the two numbers.
struct Amount {
    expression: Expression,
    /// Its value, if it is constant; null is no limit.
    constant: Option<Literal>,
}

impl Binder<'_> {
    /// Applies LIMIT and OFFSET of a query.
    pub(super) fn limited(&mut self, relation: Relation, query: &Query) -> Result<Relation> {
        if query.limit.is_none() && query.offset.is_none() {
            return Ok(relation);
        }
        let mut frame = Frame::new(Rc::new(Scope::default()), Clause::Arguments);
        let data_type = if query.percent { Type::Float64 } else { Type::Int64 };
        let count = self.amount(query.limit.as_ref(), &data_type, &mut frame)?;
        let offset = self.amount(query.offset.as_ref(), &Type::Int64, &mut frame)?;
        if let (false, Some(count), Some(offset)) = (query.percent, &count.constant, &offset.constant) {
            let count = row_count(count, "LIMIT", query.limit.as_ref())?;
            let offset = row_count(offset, "OFFSET", query.offset.as_ref())?.unwrap_or(0);
            return Ok(match (count, offset) {
                (None, 0) => relation,
                _ => Relation::Limit { input: Box::new(relation), offset, count },
            });
        }
        if let (true, Some(percent)) = (query.percent, &count.constant) {
            check_percent(percent, query.limit.as_ref())?;
        }
        let expressions =
            vec![("count".to_owned(), count.expression), ("offset".to_owned(), offset.expression)];
        let numbers = self.attach(one_row(), std::mem::take(&mut frame.pending))?;
        let columns = expressions.into_iter().map(|(name, expression)| Computed {
            column: self.new_column(name, expression.data_type()),
            expression,
        });
        let amounts = Box::new(Relation::Project { input: Box::new(numbers), columns: columns.collect() });
        Ok(Relation::ComputedLimit { input: Box::new(relation), amounts })
    }

    /// LIMIT or OFFSET as a number of this type; NULL and ALL are no limit.
    fn amount(&mut self, tree: Option<&tree::Expression>, to: &Type, frame: &mut Frame) -> Result<Amount> {
        let is_all = |tree: &tree::Expression| matches!(&tree.kind, ExpressionKind::Column(names) if names.len() == 1 && names.iter().any(|name| name.is("all")));
        let Some(tree) = tree.filter(|tree| !is_all(tree)) else {
            let null = Literal::null(to.clone());
            return Ok(Amount { expression: Expression::Literal(null.clone()), constant: Some(null) });
        };
        let bound = self.expression(tree, frame)?;
        let from = bound.data_type();
        if !from.is_numeric() && !matches!(from, Type::Text | Type::Null) {
            let message = format!("LIMIT and OFFSET take numbers; this is {from}");
            return Err(Error::invalid(message, tree.span));
        }
        let expression = self.cast(bound, to, tree.span)?;
        let constant = match constant::evaluate(&expression, self.context) {
            Some(literal) => Some(literal.map_err(|error| error.at(tree.span))?),
            None => None,
        };
        Ok(Amount { expression, constant })
    }
}

fn place(tree: Option<&tree::Expression>) -> Span {
    tree.map_or(Span::NONE, |tree| tree.span)
}

fn row_count(literal: &Literal, clause: &str, tree: Option<&tree::Expression>) -> Result<Option<u64>> {
    match &literal.value {
        Value::Null => Ok(None),
        value => match value.as_i64().and_then(|value| u64::try_from(value).ok()) {
            Some(count) => Ok(Some(count)),
            None => Err(Error::invalid(format!("{clause} is a whole number from 0"), place(tree))),
        },
    }
}

fn check_percent(literal: &Literal, tree: Option<&tree::Expression>) -> Result<()> {
    match literal.value.as_f64() {
        Some(percent) if !(0.0..=100.0).contains(&percent) => {
            Err(Error::invalid(format!("LIMIT of {percent}%; a percentage is from 0 to 100"), place(tree)))
        }
        _ => Ok(()),
    }
}
