//! Limits that depend on the outer row: they count anew for each.

use hypostyle_engine::plan::{
    AggregateCall, Expression, SortKey, Window, WindowCall, WindowFrame, WindowFunction,
};
use hypostyle_functions::window::WindowKind;
use hypostyle_functions::{Literal, Type, Value};

use super::Decorrelator;
use super::pulled::Pulled;
use crate::bind::operator;
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, Relation, one_row};

impl Decorrelator<'_> {
    pub(super) fn pull_limit(&mut self, input: Relation, offset: u64, count: Option<u64>) -> Result<Pulled> {
        if count == Some(0) {
            let columns = input.columns();
            return Ok(Pulled::independent(Relation::Values { columns, rows: Vec::new() }));
        }
        let (input, order) = match without_choice(input) {
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
            _ => Ok(self.numbered_rows(pulled, order, offset, count)),
        }
    }

    /// The rows are numbered for each outer row, in their order, and those of the numbers wanted are kept.
    fn numbered_rows(
        &mut self,
        pulled: Pulled,
        order: Vec<SortKey>,
        offset: u64,
        count: Option<u64>,
    ) -> Pulled {
        let pairs = pulled.conditions.iter().filter_map(|condition| self.key_pair(condition));
        let partition = pairs.map(|(_, inner, _)| inner).collect();
        let number = self.numbering.column("row_number", Type::Int64);
        let call = WindowCall {
            function: WindowFunction::Positional {
                name: "row_number".to_owned(),
                kind: WindowKind::RowNumber,
                arguments: Vec::new(),
                ignore_nulls: false,
                order: Vec::new(),
            },
            order: 0,
            frame: WindowFrame::default(),
            data_type: Type::Int64,
        };
        let window = Window { partition, orders: vec![order], calls: vec![call], limit: None };
        let border = |function: &str, rows: u64| {
            let rows = Literal::new(Value::Int64(i64::try_from(rows).unwrap_or(i64::MAX)));
            Expression::call(function, vec![number.read(), Expression::Literal(rows)], Type::Boolean)
        };
        let mut predicates = Vec::new();
        if offset > 0 {
            predicates.push(border(operator::GREATER, offset));
        }
        if let Some(count) = count {
            predicates.push(border(operator::LESS_OR_EQUAL, offset.saturating_add(count)));
        }
        let columns = vec![number.clone()];
        let window = Relation::Window { input: Box::new(pulled.relation), window, columns };
        Pulled { relation: super::filtered(window, predicates), at_most_one: false, ..pulled }
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
                    phase: Default::default(),
                    data_type: column.data_type.clone(),
                };
                (column, call)
            })
            .collect();
        let relation = Relation::Aggregate { input: Box::new(pulled.relation), keys, sets: None, aggregates };
        Ok(Pulled { relation, conditions, computed: pulled.computed, always_one: false, at_most_one: true })
    }
}

/// A sorted relation without the projection on top that only drops what it was sorted by.
fn without_choice(relation: Relation) -> Relation {
    match relation {
        Relation::Project { input, columns }
            if columns.iter().all(Computed::is_passed)
                && matches!(*input, Relation::Sort { limit: None, .. }) =>
        {
            *input
        }
        other => other,
    }
}

/// A relation in this order.
pub(super) fn sorted(relation: Relation, keys: Vec<SortKey>) -> Relation {
    match keys.is_empty() {
        true => relation,
        false => Relation::Sort { input: Box::new(relation), keys, limit: None },
    }
}
