//! Subqueries inside expressions: each becomes a relation joined below, and a column of it.

use std::rc::Rc;

use hypostyle_engine::plan::{AggregateCall, Expression, JoinKey, JoinKind};
use hypostyle_functions::{Literal, Type, Value};

use crate::bind::frame::{Frame, Pending};
use crate::bind::scope::Bound;
use crate::bind::{Binder, operator};
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, Join, Relation};
use crate::span::Span;
use crate::tree::{self, ExpressionKind, Query};

impl Binder<'_> {
    /// Binds a query inside an expression; names that only the queries around it know make it correlated.
    fn inner_query(&mut self, query: &Query, frame: &Frame) -> Result<Relation> {
        self.outer.push(Rc::clone(&frame.scope));
        let bound = self.query(query);
        self.outer.pop();
        bound
    }

    fn single_column(&mut self, query: &Query, frame: &Frame) -> Result<(Relation, Column)> {
        let relation = self.inner_query(query, frame)?;
        let mut columns = relation.columns();
        match (columns.pop(), columns.len()) {
            (Some(column), 0) => Ok((relation, column)),
            (_, more) => {
                let message = format!("a subquery in an expression gives one column, not {}", more + 1);
                Err(Error::invalid(message, query.span))
            }
        }
    }

    /// `(SELECT ..)` as a value: one row, or null.
    pub(super) fn scalar_query(&mut self, query: &Query, frame: &mut Frame) -> Result<Bound> {
        let (relation, column) = self.single_column(query, frame)?;
        frame.add_pending(Pending::Scalar(Relation::SingleRow { input: Box::new(relation) }));
        Ok(Bound::typed(column.read()))
    }

    /// `EXISTS (SELECT ..)`: a count of at most one row.
    pub(super) fn exists(&mut self, query: &Query, negated: bool, frame: &mut Frame) -> Result<Bound> {
        let relation = self.inner_query(query, frame)?;
        let first = Relation::Limit { input: Box::new(relation), offset: 0, count: Some(1) };
        let (relation, count) = self.aggregate_all(first, "count", Vec::new(), query.span)?;
        frame.add_pending(Pending::Scalar(relation));
        let function = if negated { operator::EQUAL } else { operator::NOT_EQUAL };
        let zero = Bound::typed(Expression::Literal(Literal::new(Value::Int64(0))));
        self.apply(function, vec![(Bound::typed(count.read()), query.span), (zero, query.span)], query.span)
    }

    /// `ARRAY(SELECT ..)`: all values as a list, empty if there are none.
    pub(super) fn array_query(&mut self, query: &Query, frame: &mut Frame) -> Result<Bound> {
        let (relation, column) = self.single_column(query, frame)?;
        let (relation, list) = self.aggregate_all(relation, "list", vec![column.read()], query.span)?;
        frame.add_pending(Pending::Scalar(relation));
        let empty = Value::List(column.data_type.clone(), Vec::new());
        let empty = Expression::Literal(Literal { data_type: list.data_type.clone(), value: empty });
        let data_type = list.data_type.clone();
        Ok(Bound::typed(Expression::Coalesce { arguments: vec![list.read(), empty], data_type }))
    }

    /// One aggregate over all rows of a relation.
    fn aggregate_all(
        &mut self,
        input: Relation,
        function: &str,
        arguments: Vec<Expression>,
        span: Span,
    ) -> Result<(Relation, Column)> {
        let types: Vec<Type> = arguments.iter().map(Expression::data_type).collect();
        let Some(known) = self.context.registry.aggregate(function).cloned() else {
            return Err(Error::internal(format!("the registry has no aggregate {function}")).at(span));
        };
        let given: Vec<_> = types.iter().map(hypostyle_functions::signature::Given::Typed).collect();
        let (overload, _) = known.resolve(&given).map_err(|error| Error::from(error).at(span))?;
        let constants = vec![None; types.len()];
        let settings = &self.context.settings;
        let surroundings = hypostyle_functions::scalar::Arguments {
            function,
            types: &types,
            constants: &constants,
            settings,
        };
        let bound = (overload.bind)(&surroundings).map_err(|error| Error::from(error).at(span))?;
        let call = AggregateCall {
            function: known.name.clone(),
            version: known.version,
            arguments,
            distinct: false,
            filter: None,
            order: Vec::new(),
            data_type: bound.result.clone(),
        };
        let column = self.new_column(function, bound.result);
        let aggregates = vec![(column.clone(), call)];
        Ok((Relation::Aggregate { input: Box::new(input), keys: Vec::new(), aggregates }, column))
    }

    /// `x IN (SELECT ..)`: a join that marks the rows with a match. Rows pair column by column.
    pub(super) fn in_query(
        &mut self,
        operand: &tree::Expression,
        query: &Query,
        negated: bool,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        if !frame.variables.is_empty() {
            return Err(Error::unsupported("IN with a subquery inside a lambda is", span));
        }
        let operands = match &operand.kind {
            ExpressionKind::Row(items) => self.all(items, frame)?,
            _ => vec![(self.expression(operand, frame)?, operand.span)],
        };
        let relation = self.inner_query(query, frame)?;
        let columns = relation.columns();
        if columns.len() != operands.len() {
            let message = format!(
                "the subquery of IN gives {} columns; {} are compared",
                columns.len(),
                operands.len()
            );
            return Err(Error::invalid(message, query.span));
        }
        let mut keys = Vec::with_capacity(columns.len());
        let mut computed = Vec::with_capacity(columns.len());
        for ((left, place), column) in operands.into_iter().zip(columns) {
            let right = Bound::typed(column.read());
            let Some(common) = self.comparable(&[&left, &right]) else {
                let message = format!("cannot look for {} among {}", left.data_type(), column.data_type);
                return Err(Error::invalid(message, place));
            };
            let left = self.cast(left, &common, place)?;
            let expression = self.cast(right, &common, query.span)?;
            let column =
                if column.data_type == common { column } else { self.new_column(column.name, common) };
            keys.push(JoinKey { left, right: column.read(), nulls_match: false });
            computed.push(Computed { column, expression });
        }
        let relation = match computed.iter().all(Computed::is_passed) {
            true => relation,
            false => Relation::Project { input: Box::new(relation), columns: computed },
        };
        let mark = self.new_column("mark", Type::Boolean);
        let read = mark.read();
        frame.add_pending(Pending::Mark { relation, keys, mark });
        match negated {
            true => self.not(read, span),
            false => Ok(Bound::typed(read)),
        }
    }
}

/// Joins subqueries to a relation whose rows need their values.
pub(super) fn attach(relation: Relation, pending: Vec<Pending>) -> Relation {
    pending.into_iter().fold(relation, |left, pending| {
        let join = match pending {
            Pending::Scalar(right) => Join {
                left: Box::new(left),
                right: Box::new(right),
                kind: JoinKind::Inner,
                keys: Vec::new(),
                residual: Vec::new(),
                mark: None,
            },
            Pending::Mark { relation, keys, mark } => Join {
                left: Box::new(left),
                right: Box::new(relation),
                kind: JoinKind::LeftMark,
                keys,
                residual: Vec::new(),
                mark: Some(mark),
            },
        };
        Relation::Join(join)
    })
}
