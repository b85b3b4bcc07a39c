//! Subqueries inside expressions: each becomes a relation joined below, and a column of it.

use std::rc::Rc;

use hypostyle_engine::plan::{AggregateCall, Expression, JoinKey, SortKey};
use hypostyle_functions::{Literal, Type, Value};

use crate::bind::frame::{Frame, Meeting, Pending};
use crate::bind::scope::Bound;
use crate::bind::{Binder, operator};
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, Relation};
use crate::span::Span;
use crate::tree::{self, ExpressionKind, Quantifier, Query};

impl Binder<'_> {
    /// Binds a query inside an expression. Names that only the queries around it know make it correlated, which is told
    /// beside the relation.
    fn inner_query(&mut self, query: &Query, frame: &mut Frame) -> Result<(Relation, bool)> {
        if !frame.variables.is_empty() {
            return Err(Error::invalid("a lambda cannot hold a subquery", query.span));
        }
        let reads = self.outer_reads;
        self.outer.push(Rc::clone(&frame.scope));
        let bound = self.query(query);
        self.outer.pop();
        let relation = bound?;
        self.take_outer_calls(frame)?;
        let is_correlated = self.outer_reads > reads && !relation.outer_columns().is_empty();
        Ok((relation, is_correlated))
    }

    fn single_column(&mut self, query: &Query, frame: &mut Frame) -> Result<(Relation, Column, bool)> {
        let (relation, is_correlated) = self.inner_query(query, frame)?;
        let mut columns = relation.columns();
        match (columns.pop(), columns.len()) {
            (Some(column), 0) => Ok((relation, column, is_correlated)),
            (_, more) => {
                let message = format!("a subquery in an expression gives one column, not {}", more + 1);
                Err(Error::invalid(message, query.span))
            }
        }
    }

    /// `(SELECT ..)` as a value: one row, or null.
    pub(super) fn scalar_query(&mut self, query: &Query, frame: &mut Frame) -> Result<Bound> {
        let (relation, column, is_correlated) = self.single_column(query, frame)?;
        let relation = Relation::SingleRow { input: Box::new(relation) };
        let span = query.span;
        frame.add_pending(Pending { relation, meeting: Meeting::Scalar, is_correlated, span });
        Ok(Bound::typed(column.read()))
    }

    /// `EXISTS (SELECT ..)`: of a query that is the same for all rows, a count of at most one row; of others a mark.
    pub(super) fn exists(&mut self, query: &Query, negated: bool, frame: &mut Frame) -> Result<Bound> {
        let (relation, is_correlated) = self.inner_query(query, frame)?;
        let span = query.span;
        if is_correlated {
            let mark = self.new_column("exists", Type::Boolean);
            let read = mark.read();
            let (keys, residual) = (Vec::new(), Vec::new());
            let meeting = Meeting::Mark { keys, residual, mark, can_be_unknown: false };
            frame.add_pending(Pending { relation, meeting, is_correlated, span });
            return match negated {
                true => self.not(read, span),
                false => Ok(Bound::typed(read)),
            };
        }
        let first = Relation::Limit { input: Box::new(relation), offset: 0, count: Some(1) };
        let (relation, count) = self.aggregate_all(first, "count", Vec::new(), Vec::new(), span)?;
        frame.add_pending(Pending { relation, meeting: Meeting::Scalar, is_correlated, span });
        let function = if negated { operator::EQUAL } else { operator::NOT_EQUAL };
        let zero = Bound::typed(Expression::Literal(Literal::new(Value::Int64(0))));
        self.apply(function, vec![(Bound::typed(count.read()), span), (zero, span)], span)
    }

    /// `ARRAY(SELECT ..)`: all values as a list, empty if there are none.
    pub(super) fn array_query(&mut self, query: &Query, frame: &mut Frame) -> Result<Bound> {
        let (relation, column, is_correlated) = self.single_column(query, frame)?;
        let (relation, order) = match is_correlated {
            // The list is sorted by itself: the rows of one outer row are spread among those of others.
            true => without_order(relation),
            false => (relation, Vec::new()),
        };
        let span = query.span;
        let (relation, list) = self.aggregate_all(relation, "list", vec![column.read()], order, span)?;
        frame.add_pending(Pending { relation, meeting: Meeting::Scalar, is_correlated, span });
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
        order: Vec<SortKey>,
        span: Span,
    ) -> Result<(Relation, Column)> {
        let (column, call) = self.whole_aggregate(function, arguments, order, span)?;
        let aggregates = vec![(column.clone(), call)];
        Ok((Relation::Aggregate { input: Box::new(input), keys: Vec::new(), sets: None, aggregates }, column))
    }

    /// A call of an aggregate of the registry, and the column of its result.
    fn whole_aggregate(
        &mut self,
        function: &str,
        arguments: Vec<Expression>,
        order: Vec<SortKey>,
        span: Span,
    ) -> Result<(Column, AggregateCall)> {
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
            order,
            phase: Default::default(),
            data_type: bound.result.clone(),
        };
        Ok((self.new_column(function, bound.result), call))
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
        let (relation, is_correlated) = self.inner_query(query, frame)?;
        let columns = relation.columns();
        // A row may also be looked for among rows that are one value.
        let is_value = matches!(columns.as_slice(), [column] if matches!(column.data_type, Type::Struct(_)));
        let operands = match &operand.kind {
            ExpressionKind::Row(items) if !is_value || items.len() == 1 => self.all(items, frame)?,
            _ => vec![(self.expression(operand, frame)?, operand.span)],
        };
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
        let meeting = Meeting::Mark { keys, residual: Vec::new(), mark, can_be_unknown: true };
        frame.add_pending(Pending { relation, meeting, is_correlated, span });
        match negated {
            true => self.not(read, span),
            false => Ok(Bound::typed(read)),
        }
    }

    /// `x < ANY (SELECT ..)`, `x >= ALL (SELECT ..)`: a comparison with the least or the greatest value decides, beside
    /// the question whether there are values and nulls.
    pub(super) fn quantified_query(
        &mut self,
        quantifier: Quantifier,
        function: &'static str,
        operand: &tree::Expression,
        query: &Query,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let left = self.expression(operand, frame)?;
        let (relation, column, is_correlated) = self.single_column(query, frame)?;
        let right = Bound::typed(column.read());
        let Some(common) = self.comparable(&[&left, &right]) else {
            let message = format!("cannot compare {} with {}", left.data_type(), column.data_type);
            return Err(Error::invalid(message, operand.span));
        };
        let left = self.cast(left, &common, operand.span)?;
        let value = self.cast(right, &common, query.span)?;
        // The values that decide: of `x > ANY` the least, of `x > ALL` the greatest.
        let is_any = quantifier == Quantifier::Any;
        let least_decides = matches!(function, operator::GREATER | operator::GREATER_OR_EQUAL) == is_any;
        let deciding: &[&str] = match function {
            operator::EQUAL | operator::NOT_EQUAL => &["min", "max"],
            _ if least_decides => &["min"],
            _ => &["max"],
        };
        let mut aggregates = Vec::new();
        for name in deciding {
            aggregates.push(self.whole_aggregate(name, vec![value.clone()], Vec::new(), span)?);
        }
        let mut tests = Vec::with_capacity(deciding.len());
        for (column, _) in &aggregates {
            let pair =
                vec![(Bound::typed(left.clone()), operand.span), (Bound::typed(column.read()), query.span)];
            tests.push(self.apply(function, pair, span)?.expression);
        }
        let all = self.whole_aggregate("count", Vec::new(), Vec::new(), span)?;
        let present = self.whole_aggregate("count", vec![value], Vec::new(), span)?;
        let (rows, values) = (all.0.read(), present.0.read());
        aggregates.extend([all, present]);
        let relation =
            Relation::Aggregate { input: Box::new(relation), keys: Vec::new(), sets: None, aggregates };
        frame.add_pending(Pending { relation, meeting: Meeting::Scalar, is_correlated, span: query.span });
        let decided = match (is_any, function) {
            (true, _) => Expression::Or(tests),
            (false, _) => {
                let holds = Expression::And(tests);
                self.not(holds, span)?.expression
            }
        };
        let zero = Expression::Literal(Literal::new(Value::Int64(0)));
        let is_empty = Expression::call(operator::EQUAL, vec![rows.clone(), zero], Type::Boolean);
        let is_unknown = Expression::call(operator::IS_NULL, vec![left], Type::Boolean);
        let has_nulls = Expression::call(operator::LESS, vec![values, rows], Type::Boolean);
        let truth = |value| Expression::Literal(Literal::new(Value::Boolean(value)));
        let null = || Expression::Literal(Literal::null(Type::Boolean));
        Ok(Bound::typed(Expression::Case {
            branches: vec![
                (is_empty, truth(!is_any)),
                (is_unknown, null()),
                (decided, truth(is_any)),
                (has_nulls, null()),
            ],
            otherwise: Some(Box::new(truth(!is_any))),
            data_type: Type::Boolean,
        }))
    }
}

/// A relation without the sort on top of it, and the order it had. Below a limit the sort stays.
fn without_order(relation: Relation) -> (Relation, Vec<SortKey>) {
    match relation {
        Relation::Sort { input, keys, limit: None } => (*input, keys),
        Relation::Project { input, columns } if columns.iter().all(Computed::is_passed) => {
            match without_order(*input) {
                (input, keys) if keys.is_empty() => {
                    (Relation::Project { input: Box::new(input), columns }, keys)
                }
                sorted => sorted,
            }
        }
        Relation::Limit { input, offset, count } => {
            let (input, keys) = without_order(*input);
            let input = match keys.is_empty() {
                true => input,
                false => Relation::Sort { input: Box::new(input), keys: keys.clone(), limit: None },
            };
            (Relation::Limit { input: Box::new(input), offset, count }, keys)
        }
        other => (other, Vec::new()),
    }
}
