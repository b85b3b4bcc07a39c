//! Limits that depend on the outer row: they count anew for each.

use hypostyle_engine::plan::{AggregateCall, Expression, SortKey};

use super::Decorrelator;
use super::pulled::Pulled;
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, Relation, one_row};
use crate::span::Span;

impl Decorrelator<'_> {
    pub(super) fn pull_limit(&mut self, input: Relation, offset: u64, count: Option<u64>) -> Result<Pulled> {
        if count == Some(0) {
            let columns = input.columns();
            return Ok(Pulled::independent(Relation::Values { columns, rows: Vec::new() }));
        }
        let (input, order) = match input {
            Relation::Sort { input, keys, limit: None } => (*input, keys),
            other => (other, Vec::new()),
        };
        let mut pulled = self.pull(input)?;
        if pulled.at_most_one && offset == 0 {
            return Ok(pulled);
        }
        let order_reads_computed = order.iter().any(|key| {
            self.reads_outer(&key.expression)
                || key.expression.columns().iter().any(|id| pulled.values().contains_key(id))
        });
        let is_tied = pulled.conditions.iter().all(|condition| self.key_pair(condition).is_some());
        if order_reads_computed || pulled.always_one || !is_tied {
            let further = self.outer_of(order.iter().map(|key| &key.expression));
            pulled = self.ground(pulled, further)?;
        }
        if pulled.conditions.is_empty() {
            let input = sorted(std::mem::replace(&mut pulled.relation, one_row()), order);
            pulled.relation = Relation::Limit { input: Box::new(input), offset, count };
            return Ok(pulled);
        }
        match (offset, count) {
            (0, Some(1)) => self.first_rows(pulled, order),
            _ => Err(Error::unsupported("LIMIT of several rows in a correlated subquery is", Span::NONE)),
        }
    }

    /// The first row for each outer row: a grouping that keeps the first value of each column.
    fn first_rows(&mut self, pulled: Pulled, order: Vec<SortKey>) -> Result<Pulled> {
        let Some(first) = self.context.registry.aggregate("first") else {
            return Err(Error::internal("the registry has no aggregate first"));
        };
        let (function, version) = (first.name.clone(), first.version);
        let mut keys: Vec<Computed> = Vec::new();
        let conditions: Vec<Expression> = pulled
            .conditions
            .iter()
            .map(|condition| self.through_group(condition.clone(), &mut keys))
            .collect();
        let columns = pulled.relation.columns().into_iter();
        let others = columns.filter(|column| !keys.iter().any(|key| key.column.id == column.id));
        // The column keeps its number: for each outer row it is the same value as in the row that is kept.
        let aggregates: Vec<(Column, AggregateCall)> = others
            .map(|column| {
                let call = AggregateCall {
                    function: function.clone(),
                    version,
                    arguments: vec![column.read()],
                    distinct: false,
                    filter: None,
                    order: order.clone(),
                    data_type: column.data_type.clone(),
                };
                (column, call)
            })
            .collect();
        let relation = Relation::Aggregate { input: Box::new(pulled.relation), keys, sets: None, aggregates };
        Ok(Pulled { relation, conditions, computed: pulled.computed, always_one: false, at_most_one: true })
    }
}

/// A relation in this order.
pub(super) fn sorted(relation: Relation, keys: Vec<SortKey>) -> Relation {
    match keys.is_empty() {
        true => relation,
        false => Relation::Sort { input: Box::new(relation), keys, limit: None },
    }
}
