//! Tables of categories: which there are, how often each counts, and what is computed of it, gathered into lists.

use std::collections::HashMap;

use hypostyle_engine::plan::{AggregateCall, Expression, SortKey};
use hypostyle_functions::analyzer::{CategoryTable, Order, Source as Categories};
use hypostyle_functions::{Literal, Type, Value};

use crate::bind::analyzer::RequestedTable;
use crate::bind::fit_pass::{Makes, replace};
use crate::bind::scope::Bound;
use crate::bind::{Binder, operator};
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, Relation};
use crate::span::Span;

impl Binder<'_> {
    /// The tables that are lists of categories alone, as one aggregate each of the scan that finds the values: where all of
    /// them surely fit into memory. Others are groupings, which can spill.
    pub(super) fn vocabularies(
        &mut self,
        source: &Relation,
        tables: &[&RequestedTable],
        makes: Makes,
    ) -> Result<Vec<Option<AggregateCall>>> {
        let bytes =
            rows_at_most(source).map(|rows| rows as f64 * (tables.len() * VOCABULARY_ROW_BYTES) as f64);
        let fits = bytes.is_some_and(|bytes| bytes < self.context.memory.free_bytes() as f64 / 2.0);
        if !fits || matches!(makes, Makes::States { .. }) {
            return Ok(vec![None; tables.len()]);
        }
        let mut calls = Vec::with_capacity(tables.len());
        for table in tables {
            let CategoryTable { source, columns, count, order, min_count, top_k, .. } = &table.table;
            let is_plain = *source == Categories::Value && columns.is_empty() && *count == "count(*)";
            let key = table.key.clone();
            if !is_plain || !matches!(key.data_type(), Type::Text | Type::Int64) {
                calls.push(None);
                continue;
            }
            let literal = |value| Expression::Literal(Literal::new(value));
            let order = if *order == Order::Value { "value" } else { "frequency" };
            let top_k =
                top_k.map_or(Expression::Literal(Literal::null(Type::Int64)), |count| literal(count.into()));
            let arguments = vec![key, literal(order.into()), literal((*min_count).into()), top_k];
            calls.push(Some(self.plain_aggregate("vocabulary", arguments)?));
        }
        Ok(calls)
    }

    /// The lists of a table of categories, by these calls of its aggregates and, last, of its count; or of their states.
    pub(super) fn table_part(
        &mut self,
        input: Relation,
        key: Expression,
        calls: Vec<AggregateCall>,
        requested: &RequestedTable,
        makes: Makes,
    ) -> Result<Relation> {
        let table = &requested.table;
        let key_column = self.new_column("key", key.data_type());
        let aggregates: Vec<(Column, AggregateCall)> =
            calls.into_iter().map(|call| (self.new_column("state", call.data_type.clone()), call)).collect();
        let columns: Vec<Column> = aggregates.iter().map(|(column, _)| column.clone()).collect();
        let keys = vec![Computed { column: key_column.clone(), expression: key }];
        let mut relation = Relation::Aggregate { input: Box::new(input), keys, sets: None, aggregates };
        if let Makes::States { .. } = makes {
            return self.gathered(relation, [key_column].into_iter().chain(columns).collect());
        }
        let Some((count_column, columns)) = columns.split_last() else {
            return Err(Error::internal("a table of categories has no count"));
        };
        let own = requested.columns.calls.iter().zip(columns);
        let given: HashMap<usize, Expression> =
            own.map(|((column, _), new)| (column.id, new.read())).collect();
        let mut computed = vec![Computed::passed(key_column.clone()), Computed::passed(count_column.clone())];
        for (name, expression) in &requested.columns.values {
            let mut expression = expression.clone();
            replace(&mut expression, &given);
            let column = self.new_column(name.clone(), expression.data_type());
            computed.push(Computed { column, expression });
        }
        if table.min_count > 1 {
            let least = Expression::Literal(Literal::new(Value::Int64(table.min_count)));
            let operands =
                vec![(Bound::typed(count_column.read()), Span::NONE), (Bound::typed(least), Span::NONE)];
            let predicate = self.apply(operator::GREATER_OR_EQUAL, operands, Span::NONE)?.expression;
            relation = Relation::Filter { input: Box::new(relation), predicates: vec![predicate] };
        }
        let lists = computed.iter().map(|computed| computed.column.clone());
        let lists = lists.filter(|column| column.id != count_column.id).collect();
        relation = Relation::Project { input: Box::new(relation), columns: computed };
        relation = ordered(relation, &key_column, count_column, table.order, table.top_k);
        self.gathered(relation, lists)
    }

    /// One row of lists of these columns.
    pub(super) fn gathered(&mut self, relation: Relation, columns: Vec<Column>) -> Result<Relation> {
        let (mut aggregates, mut computed) = (Vec::new(), Vec::new());
        for column in columns {
            let call = self.plain_aggregate("list", vec![column.read()])?;
            let list = self.new_column("list", call.data_type.clone());
            let empty = Literal::new(Value::List(column.data_type, Vec::new()));
            let expression = Expression::Coalesce {
                arguments: vec![list.read(), Expression::Literal(empty)],
                data_type: call.data_type.clone(),
            };
            computed
                .push(Computed { column: self.new_column(column.name, call.data_type.clone()), expression });
            aggregates.push((list, call));
        }
        let input = Box::new(relation);
        let input = Box::new(Relation::Aggregate { input, keys: Vec::new(), sets: None, aggregates });
        Ok(Relation::Project { input, columns: computed })
    }

    /// Rows with one category each that is not null, and the category.
    pub(super) fn categories(
        &mut self,
        relation: Relation,
        key: Expression,
        source: Categories,
    ) -> Result<(Relation, Expression)> {
        let (relation, key) = match source {
            Categories::Value => (relation, key),
            Categories::Elements | Categories::DistinctElements => {
                let list = match source {
                    Categories::DistinctElements => {
                        self.apply("list_distinct", vec![(Bound::typed(key), Span::NONE)], Span::NONE)?
                            .expression
                    }
                    _ => key,
                };
                let element = list.data_type().element().cloned().unwrap_or(Type::Null);
                let column = self.new_column("element", element);
                let lists = vec![Computed { column: column.clone(), expression: list }];
                (Relation::Unnest { input: Box::new(relation), lists, outer: false }, column.read())
            }
        };
        let known =
            self.apply(operator::IS_NOT_NULL, vec![(Bound::typed(key.clone()), Span::NONE)], Span::NONE)?;
        let relation = Relation::Filter { input: Box::new(relation), predicates: vec![known.expression] };
        Ok((relation, key))
    }
}

/// The entries in their order, and no more than are kept.
fn ordered(relation: Relation, key: &Column, count: &Column, order: Order, top_k: Option<i64>) -> Relation {
    let by =
        |column: &Column, descending| SortKey { expression: column.read(), descending, nulls_first: false };
    let by_frequency = vec![by(count, true), by(key, false)];
    let limit = top_k.and_then(|count| u64::try_from(count).ok());
    let sort = |input, keys, limit| Relation::Sort { input: Box::new(input), keys, limit };
    let kept = |relation: Relation| match limit {
        Some(_) => {
            let sorted = sort(relation, by_frequency.clone(), limit);
            Relation::Limit { input: Box::new(sorted), offset: 0, count: limit }
        }
        None => relation,
    };
    match (order, limit) {
        (Order::Frequency, None) => sort(relation, by_frequency, None),
        (Order::Frequency, Some(_)) => kept(relation),
        (Order::Value, _) => sort(kept(relation), vec![by(key, false)], None),
    }
}

/// Bytes that a row can add to a vocabulary: a value of its own with its view, count and slots, on each of two workers.
const VOCABULARY_ROW_BYTES: usize = 128;

/// Rows of a table that knows their number, or of a part of them.
fn rows_at_most(relation: &Relation) -> Option<u64> {
    match relation {
        Relation::Scan(scan) => scan.statistics.rows,
        Relation::Filter { input, .. } | Relation::Project { input, .. } | Relation::Window { input, .. } => {
            rows_at_most(input)
        }
        Relation::Values { rows, .. } => Some(rows.len() as u64),
        _ => None,
    }
}
