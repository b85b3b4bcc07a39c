//! Queries: WITH, a body, ORDER BY, LIMIT and OFFSET.

use std::rc::Rc;

use hypostyle_engine::plan::{Expression, SortKey};
use hypostyle_functions::{Literal, Type};

use crate::bind::frame::{Clause, Frame, Pending};
use crate::bind::from::rename_columns;
use crate::bind::scope::{Bound, Scope};
use crate::bind::select::{item_at, ordinal};
use crate::bind::{Binder, operator};
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, Relation, one_row};
use crate::span::Span;
use crate::tree::{self, Name, OrderBy, Query, QueryBody};

impl Binder<'_> {
    /// Binds a query; its relation's columns are the result, in order.
    pub fn query(&mut self, query: &Query) -> Result<Relation> {
        let visible = self.common.len();
        for (position, table) in query.with.iter().enumerate() {
            if query.with.iter().take(position).any(|other| other.name.is(&table.name.text)) {
                let message = format!("table \"{}\" is there twice in WITH", table.name.text);
                return Err(Error::invalid(message, table.name.span));
            }
            self.common.push((Rc::new(table.clone()), self.outer.len()));
        }
        let relation = self.deeper(query.span, |binder| binder.ordered_body(query));
        self.common.truncate(visible);
        self.limited(relation?, query)
    }

    /// The value of an expression without columns: a setting, an option, an argument of EXECUTE.
    pub fn constant_value(&mut self, tree: &tree::Expression) -> Result<Literal> {
        let mut frame = Frame::new(Rc::new(Scope::default()), Clause::Arguments);
        let bound = self.expression(tree, &mut frame)?;
        self.constant(&bound.expression, "this value", tree.span)
    }

    /// Gives the first columns of a relation new names.
    pub fn renamed(&mut self, relation: Relation, names: &[Name], table: &Name) -> Result<Relation> {
        rename_columns(relation, names, &table.text, table.span)
    }

    /// Makes columns of bare nulls INTEGER, as in DuckDB: a table has no others.
    pub fn typed_nulls(&mut self, relation: Relation) -> Relation {
        let columns = relation.columns();
        if columns.iter().all(|column| column.data_type != Type::Null) {
            return relation;
        }
        let expressions = columns.into_iter().map(|column| match column.data_type {
            Type::Null => (column.name, Expression::Literal(Literal::null(Type::Int32))),
            _ => (column.name.clone(), column.read()),
        });
        let expressions = expressions.collect();
        self.project(relation, expressions)
    }

    fn ordered_body(&mut self, query: &Query) -> Result<Relation> {
        match &query.body {
            QueryBody::Select(select) => self.select(select, &query.order_by),
            other => {
                let relation = self.body(other)?;
                self.order_result(relation, &query.order_by)
            }
        }
    }

    /// Binds what gives the rows, without order.
    pub(super) fn body(&mut self, body: &QueryBody) -> Result<Relation> {
        match body {
            QueryBody::Select(select) => self.select(select, &OrderBy::None),
            QueryBody::Query(query) => self.query(query),
            QueryBody::Values(rows) => self.values(rows),
            QueryBody::Set { .. } => self.set_operation(body),
        }
    }

    /// Sorts by columns of the result: all that is known after a set operation.
    fn order_result(&mut self, relation: Relation, order_by: &OrderBy) -> Result<Relation> {
        let columns = relation.columns();
        let keys: Vec<SortKey> = match order_by {
            OrderBy::None => return Ok(relation),
            OrderBy::All { descending, nulls_first } => columns
                .iter()
                .map(|column| SortKey {
                    expression: column.read(),
                    descending: *descending,
                    nulls_first: nulls_first.unwrap_or(false),
                })
                .collect(),
            OrderBy::Terms(terms) => {
                let mut keys = Vec::with_capacity(terms.len());
                for term in terms {
                    let scope = Scope::of_table(None, columns.iter().cloned());
                    let frame = Frame::new(Rc::new(scope), Clause::OrderBy);
                    let mut bound = self.result_term(&term.expression, &columns)?;
                    if let Some(collation) = self.collation(&term.expression, &frame)? {
                        bound = self.collated(bound, &collation, term.expression.span)?;
                    }
                    keys.push(SortKey {
                        expression: bound.expression,
                        descending: term.descending,
                        nulls_first: term.nulls_first.unwrap_or(false),
                    });
                }
                keys
            }
        };
        Ok(Relation::Sort { input: Box::new(relation), keys, limit: None })
    }

    fn result_term(&mut self, term: &tree::Expression, columns: &[Column]) -> Result<Bound> {
        if let Some(ordinal) = ordinal(term) {
            let position = item_at(ordinal, columns.len(), "ORDER BY", term.span)?;
            let column =
                columns.get(position).ok_or_else(|| Error::internal("an ordinal without a column"))?;
            return Ok(Bound::typed(column.read()));
        }
        let scope = Scope::of_table(None, columns.iter().cloned());
        let mut frame = Frame::new(Rc::new(scope), Clause::OrderBy);
        let bound = self.untyped_as_text(term, &mut frame)?;
        if !frame.calls.is_empty() || !frame.pending.is_empty() {
            let message = "ORDER BY after a set operation can only hold columns of the result";
            return Err(Error::invalid(message, term.span));
        }
        Ok(bound)
    }

    /// VALUES: each column in the type that its values have in common.
    fn values(&mut self, rows: &[Vec<tree::Expression>]) -> Result<Relation> {
        let width = rows.first().map_or(0, Vec::len);
        let mut frame = Frame::new(Rc::new(Scope::default()), Clause::Values);
        let mut by_column: Vec<Vec<(Bound, Span)>> =
            (0..width).map(|_| Vec::with_capacity(rows.len())).collect();
        for (number, row) in rows.iter().enumerate() {
            if row.len() != width {
                let span = row.first().map_or(Span::NONE, |value| value.span);
                let message =
                    format!("row {} of VALUES has {} values; the first has {width}", number + 1, row.len());
                return Err(Error::invalid(message, span));
            }
            for (value, column) in row.iter().zip(&mut by_column) {
                column.push((self.untyped_as_text(value, &mut frame)?, value.span));
            }
        }
        let mut columns = Vec::with_capacity(width);
        let mut transposed: Vec<Vec<_>> = rows.iter().map(|_| Vec::with_capacity(width)).collect();
        for (position, column) in by_column.into_iter().enumerate() {
            let (expressions, data_type) = self.unify(column, "a column of VALUES")?;
            for (expression, row) in expressions.into_iter().zip(&mut transposed) {
                row.push(expression);
            }
            columns.push(self.new_column(format!("col{position}"), data_type));
        }
        match frame.pending.is_empty() {
            true => Ok(Relation::Values { columns, rows: transposed }),
            false => self.values_with_queries(columns, transposed, frame.pending),
        }
    }

    /// Rows that need subqueries: each column is a list beside their values, and the lists are unnested.
    fn values_with_queries(
        &mut self,
        columns: Vec<Column>,
        rows: Vec<Vec<Expression>>,
        pending: Vec<Pending>,
    ) -> Result<Relation> {
        let input = Box::new(self.attach(one_row(), pending)?);
        let kept = columns.iter().cloned().map(Computed::passed).collect();
        let lists = columns.into_iter().enumerate().map(|(position, column)| {
            let values = rows.iter().filter_map(|row| row.get(position).cloned()).collect();
            let list = Expression::call(operator::LIST, values, Type::list(column.data_type.clone()));
            Computed { column, expression: list }
        });
        let unnest = Relation::Unnest { input, lists: lists.collect(), outer: false };
        Ok(Relation::Project { input: Box::new(unnest), columns: kept })
    }
}
