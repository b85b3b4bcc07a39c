//! Evaluates parsed expressions value by value.

use bumpalo::Bump;

use super::parse::{Expression, parse};
use super::variants::{call_variants, column_of};
use crate::Registry;
use crate::column::{Column, Output, View, value_at};
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, Lambda, Settings};
use crate::signature::Given;
use crate::types::Type;
use crate::value::{DecimalDigits, Literal, Value};

/// The value of an expression.
pub fn evaluate(registry: &Registry, sql: &str) -> Result<Literal> {
    evaluate_parsed(registry, &parse(sql)?)
}

/// The value of an expression that was read.
pub fn evaluate_parsed(registry: &Registry, expression: &Expression) -> Result<Literal> {
    Evaluator { registry }.value(expression, &Vec::new())
}

type Names = Vec<(String, Literal)>;

#[derive(Clone, Copy)]
struct Evaluator<'a> {
    registry: &'a Registry,
}

impl Evaluator<'_> {
    fn value(&self, expression: &Expression, names: &Names) -> Result<Literal> {
        match expression {
            Expression::Constant(literal) => Ok(literal.clone()),
            Expression::Name(name) => names
                .iter()
                .rev()
                .find(|(held, _)| held == name)
                .map(|(_, value)| value.clone())
                .ok_or_else(|| Error::user(format!("no name {name}"))),
            Expression::Cast(inner, target) => {
                let value = self.value(inner, names)?;
                Ok(Literal { data_type: target.clone(), value: coerce(&value.value, target)? })
            }
            Expression::Lambda(..) => Err(Error::user("a lambda stands alone")),
            Expression::Call(name, arguments) => self.call(name, arguments, names),
        }
    }

    fn call(&self, name: &str, arguments: &[Expression], names: &Names) -> Result<Literal> {
        if arguments.iter().all(|argument| !matches!(argument, Expression::Lambda(..)))
            && let Some(operator) = operator(name)
        {
            let values = arguments.iter().map(|a| self.value(a, names)).collect::<Result<Vec<_>>>()?;
            return operate(operator, &values);
        }
        let function = self.registry.scalar(name).ok_or_else(|| self.registry.unknown(name))?;
        let mut values = Vec::new();
        let mut lambdas = Vec::new();
        for argument in arguments {
            match argument {
                Expression::Lambda(parameters, body) => {
                    lambdas.push((values.len(), parameters, body));
                    values.push(Literal::null(Type::Null));
                }
                other => values.push(self.value(other, names)?),
            }
        }
        let is_lambda = |position: usize| lambdas.iter().find(|(at, ..)| *at == position);
        let mut given: Vec<Given<'_>> = (0..values.len())
            .map(|position| match is_lambda(position) {
                Some((_, parameters, _)) => Given::Lambda(parameters.len()),
                None => described(&arguments[position], &values[position]),
            })
            .collect();
        let defaults = missing(function, &given)?;
        given.extend(defaults.iter().map(|default| Given::Typed(&default.data_type)));
        let (overload, fit) = function.resolve(&given)?;
        values.extend(defaults.iter().cloned());
        let mut types = fit.types.clone();
        for (position, value) in values.iter_mut().enumerate() {
            if is_lambda(position).is_none() {
                *value = Literal {
                    value: coerce(&value.value, &types[position])?,
                    data_type: types[position].clone(),
                };
            }
        }
        let mut bodies = Vec::new();
        for (position, parameters, body) in &lambdas {
            let lambda_types =
                overload.lambda_types.as_ref().ok_or_else(|| Error::internal("no lambda types"))?;
            let parameter_types = lambda_types(&fit.types, *position, parameters.len())?;
            let nulls: Names = (*parameters)
                .clone()
                .into_iter()
                .zip(parameter_types.iter().cloned().map(Literal::null))
                .collect();
            let scope: Names = names.iter().cloned().chain(nulls).collect();
            types[*position] = self.value(body, &scope)?.data_type;
            bodies.push((*parameters, *body, parameter_types));
        }
        let constants: Vec<Option<Literal>> = (0..values.len())
            .map(|position| is_lambda(position).is_none().then(|| values[position].clone()))
            .collect();
        let settings = Settings::default();
        let bind = |constants: &[Option<Literal>]| -> Result<Bound> {
            (overload.bind)(&Arguments { function: name, types: &types, constants, settings: &settings })
        };
        let plain: Vec<Literal> = constants.iter().flatten().cloned().collect();
        let make = || {
            bodies
                .iter()
                .map(|(parameters, body, _)| {
                    Box::new(TrialLambda { evaluator: *self, parameters, body, names })
                        as Box<dyn Lambda + '_>
                })
                .collect::<Vec<_>>()
        };
        let bound = bind(&constants)?;
        let value = call_variants(&bound, &plain, &make);
        // A constant may decide the type, as a path with wildcards does, and a constant null may mean an
        // argument that was left out; then there is nothing to compare.
        if plain.iter().all(|literal| !literal.value.is_null())
            && let Ok(unprepared) = bind(&vec![None; values.len()])
            && unprepared.result == bound.result
        {
            assert_eq!(call_variants(&unprepared, &plain, &make), value, "{name}: differs without constants");
        }
        Ok(Literal { data_type: bound.result.clone(), value: value? })
    }
}

fn missing(function: &crate::scalar::ScalarFunction, given: &[Given<'_>]) -> Result<Vec<Literal>> {
    for overload in &function.overloads {
        let parameters = &overload.signature.parameters;
        if parameters.len() > given.len() {
            let defaults: Option<Vec<_>> =
                parameters[given.len()..].iter().map(|p| p.default.clone()).collect();
            if let Some(defaults) = defaults {
                let mut full = given.to_vec();
                full.extend(defaults.iter().map(|default| Given::Typed(&default.data_type)));
                if overload.signature.fit(&full).is_ok() {
                    return Ok(defaults);
                }
            }
        }
    }
    Ok(Vec::new())
}

fn described<'a>(expression: &Expression, literal: &'a Literal) -> Given<'a> {
    match (expression, &literal.value) {
        (Expression::Constant(_), Value::Text(_)) => Given::TextLiteral,
        (Expression::Constant(_), value) if literal.data_type.is_integer() => {
            Given::IntegerLiteral(&literal.data_type, i128::from(value.as_i64().unwrap_or(0)))
        }
        _ => Given::Typed(&literal.data_type),
    }
}

struct TrialLambda<'a> {
    evaluator: Evaluator<'a>,
    parameters: &'a [String],
    body: &'a Expression,
    names: &'a Names,
}

impl Lambda for TrialLambda<'_> {
    fn call(&mut self, parameters: &[View<'_>], outer_rows: &[u32], output: &mut Output) -> Result<()> {
        output.prepare(outer_rows.len());
        for row in 0..outer_rows.len() {
            let bound = self.parameters.iter().zip(parameters).map(|(name, view)| {
                let value = value_at(view, row);
                (name.clone(), Literal { data_type: view.data_type.clone(), value })
            });
            let scope: Names = self.names.iter().cloned().chain(bound).collect();
            match self.evaluator.value(self.body, &scope) {
                Ok(literal) => {
                    let value = coerce(&literal.value, output.data_type())?;
                    output.set_value(row, &value)?;
                }
                Err(error) => output.fail(row, || error),
            }
        }
        Ok(())
    }

    fn parameter_count(&self) -> usize {
        self.parameters.len()
    }
}

fn operator(name: &str) -> Option<char> {
    ["+", "-", "*", "%", "=", "<", ">", "and", "or", "is_null", "is_not_null", "negate"].contains(&name).then(
        || match name {
            "is_null" => '0',
            "is_not_null" => '1',
            "negate" => 'n',
            other => other.chars().next().unwrap_or(' '),
        },
    )
}

/// The arithmetic that lambdas in tests need, over integers, floats and comparisons of any type.
fn operate(operator: char, values: &[Literal]) -> Result<Literal> {
    let left = &values[0];
    match operator {
        '0' => return Ok(Literal::new(Value::Boolean(left.value.is_null()))),
        '1' => return Ok(Literal::new(Value::Boolean(!left.value.is_null()))),
        'n' => return operate('-', &[Literal::new(Value::Int32(0)), left.clone()]),
        _ => {}
    }
    let right = &values[1];
    let common = crate::coercion::common_type(&left.data_type, &right.data_type)
        .ok_or_else(|| Error::user("operands have no common type"))?;
    let compares = "=<>ao".contains(operator);
    let result = if compares { Type::Boolean } else { common.clone() };
    if left.value.is_null() || right.value.is_null() {
        return Ok(Literal::null(result));
    }
    let (a, b) = (coerce(&left.value, &common)?, coerce(&right.value, &common)?);
    if compares {
        let bump = Bump::new();
        let column: Column = column_of(&common, &[a.clone(), b.clone()])?;
        let view = column.view(&common, &bump);
        let order = crate::column::compare(&view, 0, &view, 1);
        let holds = match operator {
            '=' => order.is_eq(),
            '<' => order.is_lt(),
            '>' => order.is_gt(),
            'a' => a == Value::Boolean(true) && b == Value::Boolean(true),
            _ => a == Value::Boolean(true) || b == Value::Boolean(true),
        };
        return Ok(Literal::new(Value::Boolean(holds)));
    }
    if let (Value::Decimal(x, ..), Value::Decimal(y, precision, scale), '+' | '-') = (&a, &b, operator) {
        let digits = if operator == '+' { x.0 + y.0 } else { x.0 - y.0 };
        return Ok(Literal {
            value: Value::Decimal(DecimalDigits(digits), *precision, *scale),
            data_type: common,
        });
    }
    let value = match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => {
            let value = match operator {
                '+' => a.checked_add(b),
                '-' => a.checked_sub(b),
                '*' => a.checked_mul(b),
                _ => a.checked_rem(b),
            };
            coerce(&Value::Int64(value.ok_or_else(|| Error::user("out of range"))?), &common)?
        }
        _ => {
            let (a, b) = (a.as_f64().unwrap_or(0.0), b.as_f64().unwrap_or(0.0));
            let value = match operator {
                '+' => a + b,
                '-' => a - b,
                '*' => a * b,
                _ => a % b,
            };
            coerce(&Value::float64(value), &common)?
        }
    };
    Ok(Literal { data_type: common, value })
}

/// The casts that tests need; everything else is an error.
fn coerce(value: &Value, target: &Type) -> Result<Value> {
    if value.is_null() || value.data_type() == *target {
        return Ok(value.clone());
    }
    let refused = || Error::user(format!("the trial does not cast {value:?} to {target}"));
    let integer = || match value {
        Value::Text(text) => text.parse().map_err(|_| refused()),
        Value::Decimal(digits, _, 0) => Ok(digits.0),
        _ => value.as_i64().map(i128::from).ok_or_else(refused),
    };
    Ok(match target {
        Type::Int8 => Value::Int8(integer()?.try_into().map_err(|_| refused())?),
        Type::Int16 => Value::Int16(integer()?.try_into().map_err(|_| refused())?),
        Type::Int32 => Value::Int32(integer()?.try_into().map_err(|_| refused())?),
        Type::Int64 => Value::Int64(integer()?.try_into().map_err(|_| refused())?),
        Type::UInt8 => Value::UInt8(integer()?.try_into().map_err(|_| refused())?),
        Type::UInt32 => Value::UInt32(integer()?.try_into().map_err(|_| refused())?),
        Type::UInt64 => Value::UInt64(integer()?.try_into().map_err(|_| refused())?),
        Type::Float64 => Value::float64(float(value).ok_or_else(refused)?),
        Type::Float32 => Value::float32(float(value).ok_or_else(refused)? as f32),
        Type::Decimal(precision, scale) => match value {
            Value::Decimal(digits, _, from) if from <= scale => {
                let factor = 10i128.pow((scale - from) as u32);
                Value::Decimal(DecimalDigits(digits.0 * factor), *precision, *scale)
            }
            _ => Value::Decimal(DecimalDigits(integer()? * 10i128.pow(*scale as u32)), *precision, *scale),
        },
        Type::Text => Value::text(super::show::show_value(value)?),
        Type::Binary => Value::Binary(binary(value.as_text().ok_or_else(refused)?)),
        Type::Date => match value {
            Value::Text(text) => {
                let date = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| refused())?;
                Value::Date((date - chrono::NaiveDate::default()).num_days() as i32)
            }
            _ => return Err(refused()),
        },
        Type::List(element) => {
            let (Value::List(_, values) | Value::FixedList(_, values)) = value else { return Err(refused()) };
            let values = values.iter().map(|value| coerce(value, element)).collect::<Result<_>>()?;
            Value::List(Type::clone(element), values)
        }
        Type::FixedList(element, size) => {
            let (Value::List(_, values) | Value::FixedList(_, values)) = value else { return Err(refused()) };
            if values.len() != *size {
                return Err(refused());
            }
            let values = values.iter().map(|value| coerce(value, element)).collect::<Result<_>>()?;
            Value::FixedList(Type::clone(element), values)
        }
        Type::Struct(fields) => {
            let Value::Struct(values, _) = value else { return Err(refused()) };
            let cast = |((_, value), field): (&(String, Value), &crate::types::Field)| {
                Ok((field.name.clone(), coerce(value, &field.data_type)?))
            };
            let values = values.iter().zip(fields).map(cast).collect::<Result<_>>()?;
            Value::Struct(values, fields.iter().map(|field| field.data_type.clone()).collect())
        }
        Type::Map(key, value_type) => {
            let Value::Map(_, _, entries) = value else { return Err(refused()) };
            let entries = entries.iter().map(|(k, v)| Ok((coerce(k, key)?, coerce(v, value_type)?)));
            Value::Map(Type::clone(key), Type::clone(value_type), entries.collect::<Result<_>>()?)
        }
        _ => return cast(value, target),
    })
}

/// The cast of the library, for what is not made here.
fn cast(value: &Value, target: &Type) -> Result<Value> {
    let bump = Bump::new();
    let source = value.data_type();
    let column = column_of(&source, std::slice::from_ref(value))?;
    let bound = crate::cast::bind_cast(&source, target, false, &Settings::default())?;
    let mut output = Output::new(target.clone());
    output.prepare(1);
    let mut scratch = crate::scratch::Scratch::new();
    let view = column.view(&source, &bump);
    crate::cast::invoke::invoke(&bound, &[view], crate::column::Rows::All(1), &mut output, &mut scratch)?;
    match output.errors().first() {
        Some((_, error)) => Err(error.clone()),
        None => Ok(value_at(&output.view(&bump), 0)),
    }
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Text(text) => text.parse().ok(),
        Value::Decimal(digits, _, scale) => format!("{}e-{scale}", digits.0).parse().ok(),
        _ => value.as_f64(),
    }
}

fn binary(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        match rest.strip_prefix("\\x").and_then(|tail| u8::from_str_radix(tail.get(..2)?, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[4..];
            }
            None => {
                let end = rest.char_indices().nth(1).map_or(rest.len(), |(end, _)| end);
                bytes.extend_from_slice(&rest.as_bytes()[..end]);
                rest = &rest[end..];
            }
        }
    }
    bytes
}
