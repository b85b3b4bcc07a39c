//! The one place where types meet: what casts without being asked, and what two sides have in common.

use std::collections::HashMap;

use hypostyle_engine::plan::Expression;
use hypostyle_functions::coercion::{common_type, implicit_cost, literal_cost};
use hypostyle_functions::signature::Given;
use hypostyle_functions::{Literal, Type, Value};

use crate::bind::literal::adapt_integer;
use crate::bind::scope::{Adapts, Bound};
use crate::bind::{Binder, constant};
use crate::error::{Error, Result};
use crate::span::Span;

/// Fewer constants of one type are cast one by one.
const TOGETHER_MIN: usize = 8;

impl Bound {
    /// How a function's signature sees it, with `data_type` its type.
    pub fn given<'t>(&self, data_type: &'t Type) -> Given<'t> {
        match self.adapts {
            Adapts::No | Adapts::Parameter => Given::Typed(data_type),
            Adapts::Text => Given::TextLiteral,
            Adapts::Integer(value) => Given::IntegerLiteral(data_type, value),
        }
    }
}

impl Binder<'_> {
    /// The expression as `to`, by an implicit or explicit cast; constants are cast here and now.
    pub(super) fn cast(&mut self, bound: Bound, to: &Type, span: Span) -> Result<Expression> {
        if bound.data_type() == *to && bound.adapts != Adapts::Parameter {
            return Ok(bound.expression);
        }
        match (bound.adapts, bound.expression) {
            (Adapts::Parameter, Expression::Parameter { index, .. }) => Ok(self.typed_parameter(index, to)),
            (Adapts::Integer(value), expression) => match adapt_integer(value, to) {
                Some(value) => Ok(Expression::Literal(Literal { data_type: to.clone(), value })),
                None => self.cast_constant(expression, to, span),
            },
            (_, Expression::Literal(literal)) if literal.value.is_null() => {
                Ok(Expression::Literal(Literal::null(to.clone())))
            }
            (Adapts::Text, expression) => self.cast_constant(expression, to, span),
            (_, expression) => Ok(self.cast_leniently(expression, to, false, span)),
        }
    }

    /// A cast; of a constant its value, unless it fails, which it then does only where a row uses it.
    pub(crate) fn cast_leniently(
        &self,
        expression: Expression,
        to: &Type,
        is_try: bool,
        span: Span,
    ) -> Expression {
        let constant = matches!(expression, Expression::Literal(_));
        let place = self.place(span);
        let cast = Expression::Cast { input: Box::new(expression), to: to.clone(), is_try, place };
        match constant.then(|| constant::evaluate(&cast, self.context)) {
            Some(Some(Ok(literal))) => Expression::Literal(literal),
            _ => cast,
        }
    }

    /// Casts a constant that adapts; its failure is the query's.
    fn cast_constant(&self, expression: Expression, to: &Type, span: Span) -> Result<Expression> {
        let place = self.place(span);
        let cast = Expression::Cast { input: Box::new(expression), to: to.clone(), is_try: false, place };
        match constant::evaluate(&cast, self.context) {
            Some(Ok(literal)) => Ok(Expression::Literal(literal)),
            Some(Err(error)) => Err(error.at(span)),
            None => Ok(cast),
        }
    }

    /// A parameter takes the first type that its places ask for, and is cast at the others.
    fn typed_parameter(&mut self, index: usize, to: &Type) -> Expression {
        let Some(parameter) = self.parameters.get_mut(index) else {
            return Expression::Parameter { index, data_type: to.clone() };
        };
        if parameter.data_type == Type::Null {
            parameter.data_type = to.clone();
        }
        let data_type = parameter.data_type.clone();
        let read = Expression::Parameter { index, data_type: data_type.clone() };
        match data_type == *to {
            true => read,
            false => Expression::cast(read, to.clone()),
        }
    }

    /// The expression as `to`, if that needs no explicit cast.
    ///
    /// # Errors
    /// `what` has another type.
    pub(super) fn coerce(&mut self, bound: Bound, to: &Type, what: &str, span: Span) -> Result<Expression> {
        let from = bound.data_type();
        let fits = match bound.adapts {
            Adapts::Parameter => true,
            Adapts::Text => literal_cost(to).is_some(),
            Adapts::Integer(value) => {
                adapt_integer(value, to).is_some() || implicit_cost(&from, to).is_some()
            }
            Adapts::No => implicit_cost(&from, to).is_some(),
        };
        match fits {
            true => self.cast(bound, to, span),
            false => Err(Error::invalid(format!("{what} has type {from}; expected {to}"), span)),
        }
    }

    /// A truth value: numbers and text are read as one, as in DuckDB.
    pub(super) fn boolean(&mut self, bound: Bound, what: &str, span: Span) -> Result<Expression> {
        let from = bound.data_type();
        match from.is_numeric() || matches!(from, Type::Boolean | Type::Text | Type::Null) {
            true => self.cast(bound, &Type::Boolean, span),
            false => Err(Error::invalid(format!("{what} has type {from}; expected BOOLEAN"), span)),
        }
    }

    /// The type that all sides have in common, constants giving way; `None` if there is none.
    pub(super) fn common(&self, sides: &[&Bound]) -> Option<Type> {
        self.common_where(sides, |held| !matches!(held, Type::Decimal(..)))
    }

    /// As [`Binder::common`], with a say in which types integer constants take where they fit. Beside a decimal a constant
    /// counts with all digits of its type, so that other values of the result fit too; a comparison has no result to fit.
    fn common_where(&self, sides: &[&Bound], adapts: impl Fn(&Type) -> bool) -> Option<Type> {
        let mut common: Option<Type> = None;
        for side in sides.iter().filter(|side| side.adapts == Adapts::No) {
            common = Some(match common {
                None => side.data_type(),
                Some(held) => common_type(&held, &side.data_type())?,
            });
        }
        let mut common =
            common.filter(|held| *held != Type::Null || sides.iter().all(|side| is_plain_null(side)));
        for side in sides {
            let Adapts::Integer(value) = side.adapts else { continue };
            common = Some(match common {
                None => side.data_type(),
                Some(held) if adapts(&held) && adapt_integer(value, &held).is_some() || held.is_float() => {
                    held
                }
                // A quoted column beside a number is refused by the common type below.
                Some(held) => common_type(&held, &side.data_type())?,
            });
        }
        let has_text = sides.iter().any(|side| side.adapts == Adapts::Text);
        Some(common.unwrap_or(if has_text { Type::Text } else { Type::Null }))
    }

    /// The type in which two sides are compared: as [`Binder::common`], and text becomes a number or truth value
    /// beside one.
    pub(super) fn comparable(&self, sides: &[&Bound]) -> Option<Type> {
        self.common_where(sides, |_| true).or_else(|| {
            let numbers: Vec<&Bound> =
                sides.iter().copied().filter(|side| side.data_type() != Type::Text).collect();
            let others = self.common_or_boolean(&numbers)?;
            (others.is_numeric() || others == Type::Boolean).then_some(others)
        })
    }

    fn common_or_boolean(&self, sides: &[&Bound]) -> Option<Type> {
        self.common(sides).or_else(|| {
            let numbers: Vec<&Bound> =
                sides.iter().copied().filter(|side| side.data_type() != Type::Boolean).collect();
            self.common(&numbers).filter(Type::is_numeric)
        })
    }

    /// Casts all sides to what they have in common.
    ///
    /// # Errors
    /// They have nothing in common; `what` says where they meet.
    pub(super) fn unify(&mut self, sides: Vec<(Bound, Span)>, what: &str) -> Result<(Vec<Expression>, Type)> {
        let bounds: Vec<&Bound> = sides.iter().map(|(bound, _)| bound).collect();
        let Some(common) = self.common(&bounds) else {
            return Err(mixed(&sides, what));
        };
        let mut known = self.cast_together(&bounds, &common);
        let cast = sides.into_iter().enumerate().map(|(index, (bound, span))| match known.remove(&index) {
            Some(value) => Ok(Expression::Literal(Literal { data_type: common.clone(), value })),
            None => self.cast(bound, &common, span),
        });
        Ok((cast.collect::<Result<_>>()?, common))
    }

    /// The values of constants as `to`, by their places, where many are of one type: to cast one alone takes as long as to cast
    /// a list. Where one of them fails, none is here.
    fn cast_together(&self, sides: &[&Bound], to: &Type) -> HashMap<usize, Value> {
        let mut by_type: HashMap<&Type, Vec<(usize, &Value)>> = HashMap::new();
        for (index, side) in sides.iter().enumerate() {
            match (side.adapts, &side.expression) {
                (Adapts::No, Expression::Literal(Literal { data_type, value }))
                    if data_type != to && !value.is_null() =>
                {
                    by_type.entry(data_type).or_default().push((index, value));
                }
                _ => {}
            }
        }
        let mut known = HashMap::new();
        for (from, held) in by_type.into_iter().filter(|(_, held)| held.len() >= TOGETHER_MIN) {
            let values = held.iter().map(|(_, value)| Value::clone(value)).collect();
            let list =
                Literal { data_type: Type::list(from.clone()), value: Value::List(from.clone(), values) };
            let cast = Expression::cast(Expression::Literal(list), Type::list(to.clone()));
            let list = constant::evaluate(&cast, self.context);
            if let Some(values) = list.as_ref().and_then(|list| list.as_ref().ok()?.value.as_list()) {
                known.extend(held.into_iter().map(|(index, _)| index).zip(values.iter().cloned()));
            }
        }
        known
    }

    /// Casts expressions to what they have in common, constants being values like others.
    pub(crate) fn unified(&mut self, sides: Vec<Expression>, what: &str) -> Result<(Vec<Expression>, Type)> {
        self.unify(sides.into_iter().map(|side| (Bound::typed(side), Span::NONE)).collect(), what)
    }
}

fn is_plain_null(bound: &Bound) -> bool {
    matches!(&bound.expression, Expression::Literal(Literal { value: Value::Null, .. }))
}

/// The error of sides that have nothing in common: names the first two types that differ.
fn mixed(sides: &[(Bound, Span)], what: &str) -> Error {
    let types: Vec<Type> = sides.iter().map(|(bound, _)| bound.data_type()).collect();
    let clash = types.iter().enumerate().find_map(|(index, data_type)| {
        let other = types.iter().take(index).find(|other| common_type(other, data_type).is_none())?;
        Some((other, data_type, index))
    });
    match clash {
        Some((left, right, index)) => {
            let span = sides.get(index).map_or(Span::NONE, |(_, span)| *span);
            Error::invalid(format!("{what} mixes {left} and {right}; cast one of them"), span)
        }
        None => Error::invalid(format!("{what} mixes types without a common one"), Span::NONE),
    }
}
