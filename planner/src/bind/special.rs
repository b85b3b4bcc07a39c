//! Forms with rules of their own: CASE, IN, BETWEEN, LIKE, COALESCE, TRY and intervals.

use hypostyle_engine::plan::Expression;
use hypostyle_functions::{Literal, Type, Value};

use crate::bind::frame::Frame;
use crate::bind::scope::{Adapts, Bound};
use crate::bind::{Binder, literal, operator};
use crate::error::{Error, Result};
use crate::span::Span;
use crate::tree::{
    self, BinaryOperator, Call, CaseBranch, ExpressionKind, LiteralText, MatchKind, Name, Quantifier, Query,
};

impl Binder<'_> {
    /// Binds several expressions, each with its place.
    pub(super) fn all(
        &mut self,
        trees: &[tree::Expression],
        frame: &mut Frame,
    ) -> Result<Vec<(Bound, Span)>> {
        trees.iter().map(|tree| Ok((self.expression(tree, frame)?, tree.span))).collect()
    }

    /// Both forms of CASE.
    pub(super) fn case(
        &mut self,
        operand: Option<&tree::Expression>,
        branches: &[CaseBranch],
        otherwise: Option<&tree::Expression>,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let collation = match operand {
            Some(operand) => self.shared_collation(&[operand], frame)?,
            None => None,
        };
        let operand = match operand {
            Some(operand) => Some((self.compared(operand, collation.as_ref(), frame)?, operand.span)),
            None => None,
        };
        let mut conditions = Vec::with_capacity(branches.len());
        let mut results = Vec::with_capacity(branches.len() + 1);
        for branch in branches {
            let condition = self.compared(&branch.condition, collation.as_ref(), frame)?;
            let place = branch.condition.span;
            conditions.push(match &operand {
                Some(operand) => {
                    self.compare(operator::EQUAL, operand.clone(), (condition, place), place)?.expression
                }
                None => self.boolean(condition, "the condition of WHEN", place)?,
            });
            results.push((self.expression(&branch.result, frame)?, branch.result.span));
        }
        results.push(match otherwise {
            Some(otherwise) => (self.expression(otherwise, frame)?, otherwise.span),
            None => (Bound::typed(Expression::Literal(Literal::null(Type::Null))), span),
        });
        let (mut results, data_type) = self.unify(results, "CASE")?;
        let otherwise = results.pop().map(Box::new);
        let branches = conditions.into_iter().zip(results).collect();
        Ok(Bound::typed(Expression::Case { branches, otherwise, data_type }))
    }

    /// `if(condition, value, otherwise)`.
    pub(super) fn if_call(&mut self, call: &tree::Call, span: Span, frame: &mut Frame) -> Result<Bound> {
        let values: Vec<&tree::Expression> = call.arguments.iter().map(|argument| &argument.value).collect();
        let [condition, then, otherwise] = values.as_slice() else {
            return Err(Error::invalid("if takes a condition and two values", span));
        };
        let branch = CaseBranch { condition: (*condition).clone(), result: (*then).clone() };
        self.case(None, &[branch], Some(otherwise), span, frame)
    }

    /// `coalesce(a, b, ..)`.
    pub(super) fn coalesce(&mut self, call: &tree::Call, span: Span, frame: &mut Frame) -> Result<Bound> {
        if call.arguments.is_empty() {
            return Err(Error::invalid("coalesce takes at least one argument", span));
        }
        let mut sides = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            sides.push((self.expression(&argument.value, frame)?, argument.value.span));
        }
        let (mut arguments, data_type) = self.unify(sides, "coalesce")?;
        Ok(Bound::typed(match arguments.len() {
            1 => arguments.remove(0),
            _ => Expression::Coalesce { arguments, data_type },
        }))
    }

    /// `nullif(a, b)`: null where both are equal, else `a` in its own type.
    pub(super) fn nullif(&mut self, call: &tree::Call, span: Span, frame: &mut Frame) -> Result<Bound> {
        let [left, right] = call.arguments.as_slice() else {
            return Err(Error::invalid("nullif takes two arguments", span));
        };
        let value = self.expression(&left.value, frame)?;
        let collation = self.shared_collation(&[&left.value, &right.value], frame)?;
        let left_bound = match &collation {
            Some(collation) => self.collated(value.clone(), collation, left.value.span)?,
            None => value.clone(),
        };
        let right_bound = self.compared(&right.value, collation.as_ref(), frame)?;
        let equal = self.compare(
            operator::EQUAL,
            (left_bound, left.value.span),
            (right_bound, right.value.span),
            span,
        )?;
        let data_type = value.data_type();
        let null = Expression::Literal(Literal::null(data_type.clone()));
        let otherwise = Some(Box::new(value.expression));
        Ok(Bound::typed(Expression::Case { branches: vec![(equal.expression, null)], otherwise, data_type }))
    }

    /// `try(expression)`: null where it fails.
    pub(super) fn try_call(&mut self, call: &tree::Call, span: Span, frame: &mut Frame) -> Result<Bound> {
        let [argument] = call.arguments.as_slice() else {
            return Err(Error::invalid("try takes one argument", span));
        };
        let bound = self.untyped_as_text(&argument.value, frame)?;
        Ok(Bound::typed(Expression::Try(Box::new(bound.expression))))
    }

    /// `x IN (a, b)`; rows compare field by field, and a single list stands for its elements.
    pub(super) fn in_list(
        &mut self,
        operand: &tree::Expression,
        list: &[tree::Expression],
        negated: bool,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        if let ExpressionKind::Row(fields) = &operand.kind
            && list
                .iter()
                .all(|item| matches!(&item.kind, ExpressionKind::Row(other) if other.len() == fields.len()))
        {
            return self.in_rows(fields, list, negated, span, frame);
        }
        let collation = self.shared_collation(&[operand], frame)?;
        let operand_bound = self.compared(operand, collation.as_ref(), frame)?;
        let mut items = Vec::with_capacity(list.len());
        for item in list {
            items.push((self.compared(item, collation.as_ref(), frame)?, item.span));
        }
        if let [(item, _)] = items.as_slice()
            && item.data_type().element().is_some()
            && operand_bound.data_type().element().is_none()
        {
            let (item, place) = items.remove(0);
            let found = self.apply(
                operator::LIST_CONTAINS,
                vec![(item, place), (operand_bound, operand.span)],
                span,
            )?;
            return self.negated_if(negated, found, span);
        }
        let mut sides = vec![&operand_bound];
        sides.extend(items.iter().map(|(item, _)| item));
        let Some(common) = self.comparable(&sides) else {
            let message =
                format!("cannot look for {} in this list; its types differ", operand_bound.data_type());
            return Err(Error::invalid(message, span));
        };
        let operand_span = operand.span;
        let first = self.cast(operand_bound, &common, operand_span)?;
        if let [_] = items.as_slice() {
            let (item, place) = items.remove(0);
            let item = Bound::typed(self.cast(item, &common, place)?);
            let function = if negated { operator::NOT_EQUAL } else { operator::EQUAL };
            return self.compare(function, (Bound::typed(first), operand_span), (item, place), span);
        }
        let mut arguments = vec![(Bound::typed(first), operand_span)];
        for (item, place) in items {
            arguments.push((Bound::typed(self.cast(item, &common, place)?), place));
        }
        let found = self.apply(operator::IN, arguments, span)?;
        self.negated_if(negated, found, span)
    }

    /// `(a, b) IN ((1, 2), (3, 4))` is an OR of ANDs of comparisons.
    fn in_rows(
        &mut self,
        fields: &[tree::Expression],
        rows: &[tree::Expression],
        negated: bool,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let mut alternatives = Vec::with_capacity(rows.len());
        for row in rows {
            let ExpressionKind::Row(values) = &row.kind else {
                return Err(Error::internal("a row of IN changed while it was looked at"));
            };
            let mut equalities = Vec::with_capacity(fields.len());
            for (field, value) in fields.iter().zip(values) {
                let (left, right) = (self.expression(field, frame)?, self.expression(value, frame)?);
                equalities.push(
                    self.compare(operator::EQUAL, (left, field.span), (right, value.span), row.span)?
                        .expression,
                );
            }
            alternatives.push(match equalities.len() {
                1 => equalities.remove(0),
                _ => Expression::And(equalities),
            });
        }
        let found = match alternatives.len() {
            1 => alternatives.remove(0),
            _ => Expression::Or(alternatives),
        };
        self.negated_if(negated, Bound::typed(found), span)
    }

    fn negated_if(&mut self, negated: bool, bound: Bound, span: Span) -> Result<Bound> {
        match negated {
            true => self.not(bound.expression, span),
            false => Ok(bound),
        }
    }

    /// `x BETWEEN low AND high`, all three in one type.
    pub(super) fn between(
        &mut self,
        operand: &tree::Expression,
        low: &tree::Expression,
        high: &tree::Expression,
        negated: bool,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let collation = self.shared_collation(&[operand, low, high], frame)?;
        let value = self.compared(operand, collation.as_ref(), frame)?;
        let low_bound = self.compared(low, collation.as_ref(), frame)?;
        let high_bound = self.compared(high, collation.as_ref(), frame)?;
        let Some(common) = self.comparable(&[&value, &low_bound, &high_bound]) else {
            let message = format!(
                "cannot compare {} with {} and {}; cast one of them",
                value.data_type(),
                low_bound.data_type(),
                high_bound.data_type()
            );
            return Err(Error::invalid(message, span));
        };
        let value = Bound::typed(self.cast(value, &common, operand.span)?);
        let low = (Bound::typed(self.cast(low_bound, &common, low.span)?), low.span);
        let high = (Bound::typed(self.cast(high_bound, &common, high.span)?), high.span);
        let operand = (value, operand.span);
        let inside = match negated {
            false => {
                let above = self.compare(operator::GREATER_OR_EQUAL, operand.clone(), low, span)?;
                let below = self.compare(operator::LESS_OR_EQUAL, operand, high, span)?;
                Expression::And(vec![above.expression, below.expression])
            }
            true => {
                let below = self.compare(operator::LESS, operand.clone(), low, span)?;
                let above = self.compare(operator::GREATER, operand, high, span)?;
                Expression::Or(vec![below.expression, above.expression])
            }
        };
        Ok(Bound::typed(inside))
    }

    /// LIKE and its relatives.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn text_match(
        &mut self,
        kind: MatchKind,
        operand: &tree::Expression,
        pattern: &tree::Expression,
        escape: Option<&tree::Expression>,
        negated: bool,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let collation = self.shared_collation(&[operand, pattern], frame)?;
        let mut arguments = vec![
            (self.compared(operand, collation.as_ref(), frame)?, operand.span),
            (self.compared(pattern, collation.as_ref(), frame)?, pattern.span),
        ];
        if let Some(escape) = escape {
            if matches!(kind, MatchKind::SimilarTo | MatchKind::Glob) {
                return Err(Error::unsupported("ESCAPE with this operator is", escape.span));
            }
            arguments.push((self.expression(escape, frame)?, escape.span));
        }
        let found = self.apply(operator::text_match(kind), arguments, span)?;
        self.negated_if(negated, found, span)
    }

    /// `x = ANY (..)` and `x <> ALL (..)`; the other comparisons with ANY and ALL of a query come out as errors.
    pub(super) fn quantified(
        &mut self,
        quantifier: Quantifier,
        comparison: BinaryOperator,
        left: &tree::Expression,
        right: &tree::Expression,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let negated = match (quantifier, comparison) {
            (Quantifier::Any, BinaryOperator::Equal) => Some(false),
            (Quantifier::All, BinaryOperator::NotEqual) => Some(true),
            _ => None,
        };
        match (&right.kind, negated) {
            (ExpressionKind::ScalarQuery(query), Some(negated)) => {
                self.in_query(left, query, negated, span, frame)
            }
            (ExpressionKind::ScalarQuery(query), None) => {
                self.quantified_query(quantifier, operator::binary(comparison), left, query, span, frame)
            }
            (_, Some(negated)) => self.in_list(left, std::slice::from_ref(right), negated, span, frame),
            // A list is a query of its elements.
            (_, None) => {
                let unnest = Call::plain(Name::new("unnest", right.span), vec![right.clone()]);
                let value = tree::Expression::new(ExpressionKind::Call(Box::new(unnest)), right.span);
                let query = Query::of_value(value);
                self.quantified_query(quantifier, operator::binary(comparison), left, &query, span, frame)
            }
        }
    }

    /// `INTERVAL 3 DAY` and `INTERVAL '1 day 2 hours'`.
    pub(super) fn interval(
        &mut self,
        value: &tree::Expression,
        unit: Option<&str>,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let bound = self.expression(value, frame)?;
        let Some(unit) = unit else {
            return Ok(Bound::typed(self.coerce(bound, &Type::Interval, "the value of INTERVAL", span)?));
        };
        let singular = unit.to_lowercase();
        let singular = singular.strip_suffix('s').unwrap_or(&singular);
        if let Some(amount) = constant_amount(value, &bound) {
            return constant_interval(amount, singular, span);
        }
        let function = match singular {
            "year" | "month" | "day" | "hour" | "minute" | "second" | "millisecond" | "microsecond"
            | "week" | "quarter" | "decade" | "century" => format!("to_{}", plural(singular)),
            other => return Err(Error::invalid(format!("\"{other}\" is no unit of an interval"), span)),
        };
        self.apply(&function, vec![(bound, value.span)], span)
    }
}

fn plural(unit: &str) -> String {
    match unit {
        "century" => "centuries".to_owned(),
        other => format!("{other}s"),
    }
}

fn constant_amount(value: &tree::Expression, bound: &Bound) -> Option<f64> {
    match (&value.kind, &bound.expression) {
        (ExpressionKind::Literal(LiteralText::Text(text)), _) => text.trim().parse().ok(),
        (_, Expression::Literal(literal)) if bound.adapts != Adapts::Text => {
            literal::as_integer(literal).map(|value| value as f64).or_else(|| literal.value.as_f64())
        }
        _ => None,
    }
}

/// Calendar units count whole; seconds and less keep their fraction.
fn constant_interval(amount: f64, unit: &str, span: Span) -> Result<Bound> {
    let whole = amount.trunc();
    let (months, days, nanoseconds) = match unit {
        "century" => (whole * 1_200.0, 0.0, 0.0),
        "decade" => (whole * 120.0, 0.0, 0.0),
        "year" => (whole * 12.0, 0.0, 0.0),
        "quarter" => (whole * 3.0, 0.0, 0.0),
        "month" => (whole, 0.0, 0.0),
        "week" => (0.0, whole * 7.0, 0.0),
        "day" => (0.0, whole, 0.0),
        "hour" => (0.0, 0.0, whole * 3.6e12),
        "minute" => (0.0, 0.0, whole * 6e10),
        "second" => (0.0, 0.0, (amount * 1e6).round() * 1e3),
        "millisecond" => (0.0, 0.0, (amount * 1e3).round() * 1e3),
        "microsecond" => (0.0, 0.0, whole * 1e3),
        other => return Err(Error::invalid(format!("\"{other}\" is no unit of an interval"), span)),
    };
    let fits = months.abs() <= f64::from(i32::MAX)
        && days.abs() <= f64::from(i32::MAX)
        && nanoseconds.abs() < 9.2e18;
    if !fits {
        return Err(Error::invalid(format!("an interval of {amount} {unit}s is out of range"), span));
    }
    let value = Value::Interval(months as i32, days as i32, nanoseconds as i64);
    Ok(Bound::typed(Expression::Literal(Literal::new(value))))
}
