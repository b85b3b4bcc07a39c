//! Calls of scalar functions.

use hypostyle_engine::plan::Expression as Bound;
use hypostyle_functions::{Literal, Type, Value};

use crate::data_type::{self, decimal_of, same_shape};
use crate::error::{Error, Result};
use crate::function::{self, DATE_PARTS, Origin};
use crate::message::expression::{ArgumentKind, Expression, FunctionArgument, ScalarFunction};

use super::Reader;
use super::expression::Scope;

/// Longest embedding of a type that is written as text.
const DIMENSION_MAX: usize = 100_000;

impl Reader<'_> {
    /// The origin and name of a declared function.
    pub(super) fn function_name(&self, reference: u32) -> Result<(Origin, String)> {
        let found = self.functions.get(&reference).cloned();
        found.ok_or_else(|| Error::invalid(format!("the plan does not declare function {reference}")))
    }

    /// Arguments that are names, and those that are values.
    pub(super) fn arguments(
        &mut self,
        arguments: &[FunctionArgument],
        older: &[Expression],
        scope: &mut Scope<'_>,
    ) -> Result<(Vec<String>, Vec<Bound>)> {
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for argument in arguments {
            match argument.kind.as_ref().ok_or_else(|| Error::missing("value of an argument"))? {
                ArgumentKind::Name(name) => names.push(name.clone()),
                ArgumentKind::Value(value) => values.push(self.expression(value, scope)?),
                ArgumentKind::Type(_) => return Err(Error::unsupported("a type as an argument")),
            }
        }
        for value in older {
            values.push(self.expression(value, scope)?);
        }
        Ok((names, values))
    }

    pub(super) fn scalar_function(
        &mut self,
        function: &ScalarFunction,
        scope: &mut Scope<'_>,
    ) -> Result<Bound> {
        let (origin, name) = self.function_name(function.reference)?;
        let (names, values) = self.arguments(&function.arguments, &function.args, scope)?;
        let value = match origin {
            Origin::Own => self.own(&name, values),
            _ => self.standard(origin, &name, &names, values),
        }?;
        let Some(declared) = &function.output_type else { return Ok(value) };
        let declared = data_type::read(declared, &self.types)?;
        // The plan goes on in the type that its producer knows.
        match declared == Type::Null || same_shape(&declared, &value.data_type()) {
            true => Ok(value),
            false => Ok(self.builder.cast(value, &declared, false)),
        }
    }

    /// A function of ours.
    fn own(&mut self, name: &str, mut values: Vec<Bound>) -> Result<Bound> {
        match (name, values.len()) {
            ("try", 1) => Ok(Bound::Try(Box::new(values.remove(0)))),
            ("cast" | "try_cast", 2) => {
                let to = match values.pop() {
                    Some(Bound::Literal(Literal { value: Value::Text(text), .. })) => named_type(&text)?,
                    _ => return Err(Error::invalid("the type of a cast is no text")),
                };
                Ok(self.builder.cast(values.remove(0), &to, name == "try_cast"))
            }
            _ => Ok(self.builder.call(name, values)?),
        }
    }

    /// A function of the format's extensions, or one that has no origin.
    fn standard(
        &mut self,
        origin: Origin,
        name: &str,
        names: &[String],
        mut values: Vec<Bound>,
    ) -> Result<Bound> {
        match (name, values.len()) {
            ("and", _) => return self.logic(values, Bound::And, true),
            ("or", _) => return self.logic(values, Bound::Or, false),
            ("coalesce", 1..) => {
                let (arguments, data_type) = self.builder.unified(values, "coalesce")?;
                return Ok(Bound::Coalesce { arguments, data_type });
            }
            ("and_not", 2) => {
                let second = values.pop().map(|second| self.builder.call("not", vec![second])).transpose()?;
                values.extend(second);
                return self.logic(values, Bound::And, true);
            }
            ("xor", 2) => return Ok(self.builder.call("<>", values)?),
            ("is_true" | "is_not_true" | "is_false" | "is_not_false", 1) => {
                let negated = name.starts_with("is_not");
                let wanted = Bound::Literal(Literal::new(Value::Boolean(name.ends_with("true"))));
                values.push(wanted);
                let function = if negated { "is_distinct_from" } else { "is_not_distinct_from" };
                return Ok(self.builder.call(function, values)?);
            }
            ("is_unknown", 1) => return Ok(self.builder.call("is_null", values)?),
            ("is_not_unknown", 1) => return Ok(self.builder.call("is_not_null", values)?),
            ("negative", 1) => return Ok(self.builder.call("negate", values)?),
            ("between", 3) => return self.between(values),
            ("nullif", 2) => return self.nullif(values),
            ("least" | "greatest", 1..) if origin == Origin::Standard => return self.extreme(name, values),
            ("divide", 2) => {
                let whole = values.iter().all(|value| value.data_type().is_integer());
                return Ok(self.builder.call(if whole { "//" } else { "/" }, values)?);
            }
            ("concat", 1..) if origin == Origin::Standard => {
                let mut values = values.into_iter();
                let first = values.next().ok_or_else(|| Error::missing("argument of concat"))?;
                return values
                    .try_fold(first, |left, right| Ok(self.builder.call("||", vec![left, right])?));
            }
            ("like" | "ilike", 3) => {
                // An escape character that is null or empty is none.
                let is_none = |escape: &Bound| match escape {
                    Bound::Literal(literal) => literal.value.as_text().is_none_or(str::is_empty),
                    _ => false,
                };
                if values.last().is_some_and(is_none) {
                    values.pop();
                }
                return Ok(self.builder.call(name, values)?);
            }
            ("extract", _) => return self.extract(names, values),
            _ => {}
        }
        if let [name, ..] = names {
            return Err(Error::unsupported(format!("function {name} with the choice {name}")));
        }
        let ours = function::ours_of_scalar(name);
        let is_known = origin == Origin::Unknown && self.context.registry.scalar(name).is_some();
        match ours.or(is_known.then_some(name)) {
            Some(ours) => Ok(self.builder.call(ours, values)?),
            None => Err(Error::unsupported(format!("function {name}"))),
        }
    }

    fn logic(&mut self, values: Vec<Bound>, of: fn(Vec<Bound>) -> Bound, empty: bool) -> Result<Bound> {
        let mut terms = values.into_iter().map(|value| self.boolean(value)).collect::<Result<Vec<_>>>()?;
        Ok(match terms.len() {
            0 => Bound::Literal(Literal::new(Value::Boolean(empty))),
            1 => terms.remove(0),
            _ => of(terms),
        })
    }

    fn between(&mut self, mut values: Vec<Bound>) -> Result<Bound> {
        let (Some(high), Some(low), Some(value)) = (values.pop(), values.pop(), values.pop()) else {
            return Err(Error::missing("argument of between"));
        };
        let again = self.copy(&value)?;
        let above = self.builder.call(">=", vec![value, low])?;
        let below = self.builder.call("<=", vec![again, high])?;
        Ok(Bound::And(vec![above, below]))
    }

    fn nullif(&mut self, mut values: Vec<Bound>) -> Result<Bound> {
        let (Some(other), Some(value)) = (values.pop(), values.pop()) else {
            return Err(Error::missing("argument of nullif"));
        };
        let again = self.copy(&value)?;
        let data_type = value.data_type();
        let equal = self.builder.call("=", vec![again, other])?;
        let null = Bound::Literal(Literal::null(data_type.clone()));
        Ok(Bound::Case { branches: vec![(equal, null)], otherwise: Some(Box::new(value)), data_type })
    }

    /// The least or greatest, null where one is null.
    fn extreme(&mut self, name: &str, values: Vec<Bound>) -> Result<Bound> {
        let mut nulls = Vec::with_capacity(values.len());
        for value in &values {
            let value = self.copy(value)?;
            nulls.push(self.builder.call("is_null", vec![value])?);
        }
        let extreme = self.builder.call(name, values)?;
        let data_type = extreme.data_type();
        let null = Bound::Literal(Literal::null(data_type.clone()));
        let any = self.logic(nulls, Bound::Or, false)?;
        Ok(Bound::Case { branches: vec![(any, null)], otherwise: Some(Box::new(extreme)), data_type })
    }

    /// A part of a date or time: names tell the part, and whether it counts from one.
    fn extract(&mut self, names: &[String], mut values: Vec<Bound>) -> Result<Bound> {
        let is_name =
            |value: &Bound| matches!(value, Bound::Literal(literal) if literal.value.as_text().is_some());
        let mut names = names.to_vec();
        // Older plans write the part as a text.
        if names.is_empty()
            && values.first().is_some_and(is_name)
            && let Bound::Literal(Literal { value: Value::Text(name), .. }) = values.remove(0)
        {
            names.push(name);
        }
        let [part, rest @ ..] = names.as_slice() else {
            return Err(Error::missing("part that extract tells"));
        };
        if rest.iter().any(|choice| choice.eq_ignore_ascii_case("ZERO")) {
            return Err(Error::unsupported(format!("extract of {part} counted from zero")));
        }
        let ours = DATE_PARTS.iter().find(|(standard, _)| standard.eq_ignore_ascii_case(part));
        match (ours, values.len()) {
            (Some((_, ours)), 1) => Ok(self.builder.call(ours, values)?),
            (Some(_), 2) => Err(Error::unsupported("extract in another time zone")),
            _ => Err(Error::unsupported(format!("extract of {part}"))),
        }
    }
}

/// A type that was written whole.
fn named_type(text: &str) -> Result<Type> {
    let data_type: Type =
        serde_json::from_str(text).map_err(|_| Error::invalid("the type of a cast is damaged"))?;
    check_sizes(&data_type)?;
    Ok(data_type)
}

fn check_sizes(data_type: &Type) -> Result<()> {
    match data_type {
        Type::Decimal(precision, scale) => decimal_of(i32::from(*precision), i32::from(*scale)).map(drop),
        Type::List(element) => check_sizes(element),
        Type::FixedList(element, size) if (1..=DIMENSION_MAX).contains(size) => check_sizes(element),
        Type::FixedList(_, size) => {
            Err(Error::invalid(format!("the dimension of an array is 1 to {DIMENSION_MAX}, not {size}")))
        }
        Type::Struct(fields) => fields.iter().try_for_each(|field| check_sizes(&field.data_type)),
        Type::Map(key, value) => check_sizes(key).and_then(|()| check_sizes(value)),
        _ => Ok(()),
    }
}
