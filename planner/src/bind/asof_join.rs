//! As-of joins: equal keys, one inequality, and of the rows that satisfy it the nearest.

use std::collections::HashSet;
use std::rc::Rc;

use hypostyle_engine::plan::{Expression, Inequality, JoinKey, JoinKind as Kind, OrderCondition, SortKey};
use hypostyle_functions::{Type, Value};

use crate::bind::frame::{Clause, Frame};
use crate::bind::from::Source;
use crate::bind::join::{side_column, split_keys};
use crate::bind::scope::{Bound, Scope};
use crate::bind::{Binder, constant, operator};
use crate::error::{Error, Result};
use crate::logical::{AsOf, Relation, conjunction, conjuncts};
use crate::span::Span;
use crate::tree::{self, AsOfCondition, AsOfOn, LastNotNull, Name, OrderTerm};

/// What the condition of an as-of join says.
struct Parts {
    keys: Vec<JoinKey>,
    order: OrderCondition,
    /// Conditions on one side alone: a row that fails them has no partner, or is none.
    left: Vec<Expression>,
    right: Vec<Expression>,
    residual: Vec<Expression>,
}

impl Binder<'_> {
    /// Joins each row of the left side with the nearest of the right side.
    pub(super) fn join_as_of(
        &mut self,
        left: Source,
        right: Source,
        kind: Kind,
        condition: &AsOfCondition,
        span: Span,
    ) -> Result<Source> {
        let (left_scope, right_scope) = (left.scope.clone(), right.scope.clone());
        match &condition.on {
            AsOfOn::On(on) => {
                let mut scope = left_scope.clone();
                scope.extend(right_scope.clone());
                let mut frame = Frame::new(Rc::new(scope), Clause::On);
                let bound = self.condition(on, &mut frame)?;
                let reads_right = frame
                    .pending
                    .iter()
                    .any(|pending| pending.outer_columns().iter().any(|id| right.relation.has_column(*id)));
                if reads_right {
                    let what = "a subquery that reads the right side, in ON of an as-of join, is";
                    return Err(Error::unsupported(what, on.span));
                }
                let left = Source { relation: self.attach(left.relation, frame.pending)?, scope: left.scope };
                let parts = parts(bound, &left.relation, &right.relation, on.span)?;
                let relation = self.as_of(
                    left.relation,
                    right.relation,
                    kind,
                    parts,
                    condition,
                    (&left_scope, &right_scope),
                )?;
                Ok(Source { relation, scope: joined_scope(left_scope, right_scope, kind) })
            }
            AsOfOn::Using(names) => {
                let Some((order, keys)) = names.split_last() else {
                    return Err(Error::syntax("USING needs a column", span));
                };
                let mut pairs = Vec::with_capacity(names.len());
                let keys = keys.iter().map(|name| {
                    let (left, right) = self.pair(name, (&left_scope, &right_scope), &mut pairs)?;
                    Ok(JoinKey { left, right, nulls_match: false })
                });
                let keys = keys.collect::<Result<Vec<_>>>()?;
                let (from, to) = self.pair(order, (&left_scope, &right_scope), &mut pairs)?;
                let order = OrderCondition { left: from, right: to, comparison: Inequality::GreaterOrEqual };
                let parts = Parts { keys, order, left: Vec::new(), right: Vec::new(), residual: Vec::new() };
                let scopes = (&left_scope, &right_scope);
                let relation = self.as_of(left.relation, right.relation, kind, parts, condition, scopes)?;
                let mut source = Source { relation, scope: joined_scope(left_scope, right_scope, kind) };
                for (name, left, right, common) in pairs {
                    source = self.merged(source, kind, &name, left, right, &common)?;
                }
                Ok(source)
            }
        }
    }

    /// The two columns of a name of USING, in the type in which they are compared.
    #[allow(clippy::type_complexity)]
    fn pair(
        &mut self,
        name: &Name,
        (left, right): (&Scope, &Scope),
        pairs: &mut Vec<(String, crate::logical::Column, crate::logical::Column, Type)>,
    ) -> Result<(Expression, Expression)> {
        let (left, right) = (side_column(left, name)?, side_column(right, name)?);
        let (from, to) = (Bound::typed(left.read()), Bound::typed(right.read()));
        let Some(common) = self.comparable(&[&from, &to]) else {
            let (left, right) = (left.data_type, right.data_type);
            let message = format!("column \"{}\" is {left} on one side and {right} on the other", name.text);
            return Err(Error::invalid(message, name.span));
        };
        pairs.push((name.text.clone(), left, right, common.clone()));
        Ok((self.cast(from, &common, name.span)?, self.cast(to, &common, name.span)?))
    }

    fn as_of(
        &mut self,
        left: Relation,
        right: Relation,
        kind: Kind,
        parts: Parts,
        condition: &AsOfCondition,
        (left_scope, right_scope): (&Scope, &Scope),
    ) -> Result<Relation> {
        let Parts { keys, mut order, left: on_left, right: on_right, residual } = parts;
        let limit = match &condition.within {
            Some(within) => Some(self.limit(within, &mut order, left_scope)?),
            None => None,
        };
        let ties = self.ties(&condition.ties, right_scope)?;
        let last_not_null = last_columns(&condition.last_not_null, right_scope)?;
        // A row without an order value has no partner and is none.
        order.left = only_where(on_left, order.left);
        let mut right = right;
        match (kind, on_right.is_empty()) {
            (_, true) => {}
            (Kind::Right | Kind::Full, false) => order.right = only_where(on_right, order.right),
            _ => right = Relation::Filter { input: Box::new(right), predicates: on_right },
        }
        let (left, right) = (Box::new(left), Box::new(right));
        Ok(Relation::AsOf(Box::new(AsOf {
            left,
            right,
            kind,
            keys,
            order,
            limit,
            ties,
            last_not_null,
            residual,
        })))
    }

    /// The farthest order value that counts. An order value so close to the end of its type that there is none has no
    /// limit.
    fn limit(
        &mut self,
        within: &tree::Expression,
        order: &mut OrderCondition,
        scope: &Scope,
    ) -> Result<Expression> {
        let span = within.span;
        let mut frame = Frame::new(Rc::new(scope.clone()), Clause::On);
        let distance = self.expression(within, &mut frame)?;
        if !distance.expression.columns().is_empty() || !frame.pending.is_empty() {
            return Err(Error::invalid("WITHIN takes a constant: WITHIN INTERVAL '2 hours'", span));
        }
        if let Some(Ok(value)) = constant::evaluate(&distance.expression, self.context) {
            if value.value.is_null() {
                return Err(Error::invalid("WITHIN takes a distance, not NULL", span));
            }
            if is_negative(&value.value) {
                return Err(Error::invalid("WITHIN takes a distance, which is not negative", span));
            }
        }
        let operation = if order.comparison.is_greater() { "-" } else { "+" };
        let from = (Bound::typed(order.left.clone()), span);
        let limit = self.apply(operation, vec![from, (distance, span)], span)?;
        let values = (Bound::typed(order.left.clone()), Bound::typed(order.right.clone()));
        let Some(common) = self.comparable(&[&values.0, &values.1, &limit]) else {
            let message = format!(
                "WITHIN gives a limit of type {}, which does not compare with {}",
                limit.data_type(),
                order.right.data_type()
            );
            return Err(Error::invalid(message, span));
        };
        order.left = self.cast(values.0, &common, span)?;
        order.right = self.cast(values.1, &common, span)?;
        Ok(Expression::Try(Box::new(self.cast(limit, &common, span)?)))
    }

    fn ties(&mut self, terms: &[OrderTerm], scope: &Scope) -> Result<Vec<SortKey>> {
        let scope = Rc::new(scope.clone());
        let mut keys = Vec::with_capacity(terms.len());
        for term in terms {
            let mut frame = Frame::new(Rc::clone(&scope), Clause::On);
            let bound = self.untyped_as_text(&term.expression, &mut frame)?;
            if !frame.pending.is_empty() {
                return Err(Error::unsupported("a subquery in TIES BY is", term.expression.span));
            }
            keys.push(SortKey {
                expression: bound.expression,
                descending: term.descending,
                nulls_first: term.nulls_first.unwrap_or(false),
            });
        }
        Ok(keys)
    }
}

fn joined_scope(left: Scope, right: Scope, kind: Kind) -> Scope {
    let mut scope = left;
    if matches!(kind, Kind::Inner | Kind::Left | Kind::Right | Kind::Full) {
        scope.extend(right);
    }
    scope
}

/// The value where all conditions are true, null elsewhere.
fn only_where(conditions: Vec<Expression>, value: Expression) -> Expression {
    let Some(condition) = conjunction(conditions) else { return value };
    let data_type = value.data_type();
    Expression::Case { branches: vec![(condition, value)], otherwise: None, data_type }
}

fn parts(condition: Expression, left: &Relation, right: &Relation, span: Span) -> Result<Parts> {
    let mut terms = Vec::new();
    conjuncts(condition, &mut terms);
    let (keys, others) = split_keys(terms, left, right);
    let ids = |relation: &Relation| relation.columns().iter().map(|column| column.id).collect::<HashSet<_>>();
    let (left_ids, right_ids) = (ids(left), ids(right));
    let reads_only = |expression: &Expression, ids: &HashSet<usize>| {
        expression.columns().iter().all(|id| ids.contains(id))
    };
    let (mut orders, mut on_left, mut on_right, mut residual) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for term in others {
        match inequality(&term, &left_ids, &right_ids) {
            Some(order) => orders.push(order),
            None if reads_only(&term, &left_ids) => on_left.push(term),
            None if reads_only(&term, &right_ids) => on_right.push(term),
            None => residual.push(term),
        }
    }
    match (orders.pop(), orders.len()) {
        (Some(order), 0) => Ok(Parts { keys, order, left: on_left, right: on_right, residual }),
        (None, _) => Err(Error::invalid(
            "an as-of join needs an inequality between its tables: ON l.key = r.key AND l.time >= r.time",
            span,
        )),
        (Some(_), others) => Err(Error::invalid(
            format!("an as-of join takes one inequality between its tables; this has {}", others + 1),
            span,
        )),
    }
}

/// An inequality between the sides, written with the left one first.
pub(crate) fn inequality(
    term: &Expression,
    left: &HashSet<usize>,
    right: &HashSet<usize>,
) -> Option<OrderCondition> {
    let Expression::Call { function, arguments, .. } = term else { return None };
    let comparison = match function.as_str() {
        operator::LESS => Inequality::Less,
        operator::LESS_OR_EQUAL => Inequality::LessOrEqual,
        operator::GREATER => Inequality::Greater,
        operator::GREATER_OR_EQUAL => Inequality::GreaterOrEqual,
        _ => return None,
    };
    let [first, second] = arguments.as_slice() else { return None };
    let only = |expression: &Expression, ids: &HashSet<usize>| {
        let columns = expression.columns();
        !columns.is_empty() && columns.iter().all(|id| ids.contains(id))
    };
    if only(first, left) && only(second, right) {
        Some(OrderCondition { left: first.clone(), right: second.clone(), comparison })
    } else if only(second, left) && only(first, right) {
        Some(OrderCondition { left: second.clone(), right: first.clone(), comparison: comparison.mirrored() })
    } else {
        None
    }
}

/// The columns of LAST NOT NULL.
fn last_columns(last: &LastNotNull, scope: &Scope) -> Result<Vec<Expression>> {
    match last {
        LastNotNull::None => Ok(Vec::new()),
        LastNotNull::All => Ok(scope
            .columns()
            .iter()
            .filter(|column| !column.hidden)
            .map(|column| column.column.read())
            .collect()),
        LastNotNull::Columns(names) => {
            names.iter().map(|name| side_column(scope, name).map(|column| column.read())).collect()
        }
    }
}

fn is_negative(value: &Value) -> bool {
    match value {
        Value::Interval(months, days, nanoseconds) => {
            // As intervals compare: months of 30 days, days of 24 hours.
            let days = i128::from(*months) * 30 + i128::from(*days);
            days * 86_400_000_000_000 + i128::from(*nanoseconds) < 0
        }
        other => other.as_f64().is_some_and(|value| value < 0.0),
    }
}
