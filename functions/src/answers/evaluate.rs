//! Evaluates parsed expressions, value by value, by calling bound functions.

use super::parse::Expression;
use super::shapes::{call_all_ways, call_once};
use crate::cast::bind_cast;
use crate::column::{Output, View, value_at};
use crate::error::{Error, Result};
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, Lambda, OuterRows, Overload, ScalarFunction, Settings, Volatility};
use crate::signature::{Given, Signature};
use crate::types::Type;
use crate::value::{Literal, Value};

/// A value, and whether it was written so that it adapts to its place.
#[derive(Debug, Clone)]
struct Constant {
    literal: Literal,
    is_bare: bool,
}

impl Constant {
    fn typed(literal: Literal) -> Self {
        Self { literal, is_bare: false }
    }

    fn given(&self) -> Given<'_> {
        match (&self.literal.value, self.is_bare) {
            (Value::Text(_), true) => Given::TextLiteral,
            (Value::Decimal(digits, ..), true) => Given::IntegerLiteral(&self.literal.data_type, digits.0),
            (value, true) => {
                Given::IntegerLiteral(&self.literal.data_type, value.as_i64().unwrap_or(0).into())
            }
            _ => Given::Typed(&self.literal.data_type),
        }
    }
}

/// An argument of a call.
#[derive(Clone)]
enum Argument<'a> {
    Value(Constant),
    Lambda(&'a [String], &'a Expression),
}

impl Argument<'_> {
    fn given(&self) -> Given<'_> {
        match self {
            Self::Value(constant) => constant.given(),
            Self::Lambda(parameters, _) => Given::Lambda(parameters.len()),
        }
    }
}

/// The values of the parameters of lambdas around an expression, innermost last.
type Names = Vec<(String, Literal)>;

/// Where expressions are evaluated.
#[derive(Clone, Copy)]
pub(super) struct Evaluator<'a> {
    pub registry: &'a Registry,
    pub settings: &'a Settings,
    /// Bodies of lambdas run once for each element, everything else in all ways.
    pub is_lambda: bool,
}

impl Evaluator<'_> {
    /// The value of an expression.
    pub fn value(&self, expression: &Expression) -> Result<Literal> {
        self.constant(expression, &Vec::new()).map(|constant| constant.literal)
    }

    fn constant(&self, expression: &Expression, names: &Names) -> Result<Constant> {
        match expression {
            Expression::Text(text) => {
                Ok(Constant { literal: Literal::new(Value::text(text)), is_bare: true })
            }
            Expression::Integer(value) => Ok(Constant { literal: integer(*value), is_bare: true }),
            Expression::Constant(literal) => Ok(Constant::typed(literal.clone())),
            Expression::Name(name) => match names.iter().rev().find(|(held, _)| held == name) {
                Some((_, value)) => Ok(Constant::typed(value.clone())),
                None => self.call(&name.to_ascii_lowercase(), &[], names).map(Constant::typed),
            },
            Expression::Cast(operand, target, is_try) => {
                let operand = self.constant(operand, names)?.literal;
                self.cast(&operand, target, *is_try).map(Constant::typed)
            }
            Expression::Try(operand) => match self.constant(operand, names) {
                Err(_) => Ok(Constant::typed(Literal::null(Type::Null))),
                value => value,
            },
            Expression::Logic(left, right, is_and) => self.logic(left, right, *is_and, names),
            Expression::Lambda(..) => Err(Error::user("a lambda stands alone")),
            Expression::Call(name, arguments) => self.call(name, arguments, names).map(Constant::typed),
        }
    }

    /// AND or OR, which the engine and not this crate computes.
    fn logic(&self, left: &Expression, right: &Expression, is_and: bool, names: &Names) -> Result<Constant> {
        let truth = |expression| {
            let literal = self.constant(expression, names)?.literal;
            Ok::<_, Error>(self.cast(&literal, &Type::Boolean, false)?.value.as_bool())
        };
        let value = match (truth(left)?, truth(right)?) {
            (Some(value), _) | (_, Some(value)) if value != is_and => Value::Boolean(value),
            (Some(_), Some(_)) => Value::Boolean(is_and),
            _ => Value::Null,
        };
        Ok(Constant::typed(Literal { data_type: Type::Boolean, value }))
    }

    fn cast(&self, literal: &Literal, target: &Type, is_try: bool) -> Result<Literal> {
        if literal.data_type == *target {
            return Ok(literal.clone());
        }
        if literal.value.is_null() {
            return Ok(Literal::null(target.clone()));
        }
        let bound = bind_cast(&literal.data_type, target, is_try, self.settings)?;
        self.run(&bound, std::slice::from_ref(literal), &Vec::new, true)
    }

    fn run(
        &self,
        bound: &Bound,
        literals: &[Literal],
        lambdas: &dyn Fn() -> Vec<Box<dyn Lambda>>,
        is_repeatable: bool,
    ) -> Result<Literal> {
        let value = match is_repeatable && !self.is_lambda {
            true => call_all_ways(bound, literals, lambdas),
            false => call_once(bound, literals, lambdas),
        };
        Ok(Literal { data_type: bound.result.clone(), value: value? })
    }

    fn call(&self, name: &str, written: &[(Option<String>, Expression)], names: &Names) -> Result<Literal> {
        let function = self.registry.scalar(name).ok_or_else(|| self.registry.unknown(name))?;
        let mut given = Vec::with_capacity(written.len());
        for (label, argument) in written {
            let argument = match argument {
                Expression::Lambda(parameters, body) => Argument::Lambda(parameters, body),
                other => Argument::Value(self.constant(other, names)?),
            };
            given.push((label.as_deref(), argument));
        }
        let (overload, arguments, mut types) = choose(function, name, &given)?;
        let mut constants = Vec::with_capacity(arguments.len());
        for (argument, data_type) in arguments.iter().zip(&types) {
            constants.push(match argument {
                Argument::Value(constant) => Some(self.cast(&constant.literal, data_type, false)?),
                Argument::Lambda(..) => None,
            });
        }
        self.lambda_types(overload, &arguments, &mut types, names)?;
        let bind = |constants: &[Option<Literal>]| {
            let settings = self.settings;
            (overload.bind)(&Arguments { function: name, types: &types, constants, settings })
        };
        let lambdas = || {
            let lambdas = arguments.iter().filter_map(|argument| match argument {
                Argument::Lambda(parameters, body) => Some((*parameters, *body)),
                Argument::Value(_) => None,
            });
            lambdas.map(|(parameters, body)| self.body(parameters, body, names)).collect()
        };
        let values: Vec<Literal> = constants.iter().flatten().cloned().collect();
        let is_repeatable = function.volatility != Volatility::Volatile;
        let bound = bind(&constants)?;
        let value = self.run(&bound, &values, &lambdas, is_repeatable);
        if !is_repeatable || self.is_lambda {
            return value;
        }
        match bind(&vec![None; constants.len()]) {
            // A constant may choose the type of the result, as the part of a date does, and a constant null may
            // stand for an argument that was left out.
            Ok(other) if other.result == bound.result && !values.iter().any(|one| one.value.is_null()) => {
                let other = self.run(&other, &values, &lambdas, true);
                assert_eq!(value, other, "{name} with constants that are not known while binding");
            }
            Ok(_) => {}
            Err(error) => {
                assert!(error.to_string().contains("constant"), "{name} without constants: {error}")
            }
        }
        value
    }

    /// Puts the types of their results where the lambdas stand.
    fn lambda_types(
        &self,
        overload: &Overload,
        arguments: &[Argument<'_>],
        types: &mut [Type],
        names: &Names,
    ) -> Result<()> {
        let fit = types.to_vec();
        for (position, argument) in arguments.iter().enumerate() {
            let Argument::Lambda(parameters, body) = argument else { continue };
            let parameter_types =
                overload.lambda_types.as_ref().ok_or_else(|| Error::internal("no types of lambdas"))?;
            let parameter_types = parameter_types(&fit, position, parameters.len())?;
            let nulls = parameters.iter().cloned().zip(parameter_types.into_iter().map(Literal::null));
            let scope: Names = names.iter().cloned().chain(nulls).collect();
            types[position] = Self { is_lambda: true, ..*self }.constant(body, &scope)?.literal.data_type;
        }
        Ok(())
    }

    fn body(&self, parameters: &[String], body: &Expression, names: &Names) -> Box<dyn Lambda> {
        Box::new(Body {
            registry: self.registry.clone(),
            settings: self.settings.clone(),
            parameters: parameters.to_vec(),
            body: body.clone(),
            names: names.clone(),
        })
    }
}

/// The overload that fits best, the arguments in the order of its parameters, and the types they are cast to.
fn choose<'f, 'a>(
    function: &'f ScalarFunction,
    name: &str,
    given: &[(Option<&str>, Argument<'a>)],
) -> Result<(&'f Overload, Vec<Argument<'a>>, Vec<Type>)> {
    let mut best: Option<(u32, &Overload, Vec<Argument<'a>>, Vec<Type>)> = None;
    let mut refused = None;
    for overload in &function.overloads {
        let Some(arguments) = place(&overload.signature, given) else { continue };
        let shapes: Vec<Given<'_>> = arguments.iter().map(Argument::given).collect();
        match overload.signature.fit(&shapes) {
            Ok(fit) if best.as_ref().is_none_or(|(cost, ..)| fit.cost < *cost) => {
                best = Some((fit.cost, overload, arguments.clone(), fit.types));
            }
            Ok(_) => {}
            Err(_) => refused = function.resolve(&shapes).err().or(refused),
        }
    }
    match best {
        Some((_, overload, arguments, types)) => Ok((overload, arguments, types)),
        None => Err(refused.unwrap_or_else(|| Error::user(format!("{name}: wrong number of arguments")))),
    }
}

/// The arguments in the order of the parameters, defaults filled in; `None` if they do not fit.
fn place<'a>(signature: &Signature, given: &[(Option<&str>, Argument<'a>)]) -> Option<Vec<Argument<'a>>> {
    let mut placed: Vec<Option<Argument<'a>>> = Vec::new();
    for (label, argument) in given {
        match label {
            None => placed.push(Some(argument.clone())),
            Some(label) => {
                let named = |parameter: &crate::signature::Parameter| parameter.name == *label;
                let position = signature.parameters.iter().position(named)?;
                placed.resize(placed.len().max(position + 1), None);
                placed[position] = Some(argument.clone());
            }
        }
    }
    if !signature.is_variadic {
        placed.resize(placed.len().max(signature.parameters.len()), None);
    }
    let filled = placed.into_iter().enumerate().map(|(position, argument)| {
        argument.or_else(|| {
            let default = signature.parameters.get(position)?.default.clone()?;
            Some(Argument::Value(Constant::typed(default)))
        })
    });
    filled.collect()
}

fn integer(value: i128) -> Literal {
    Literal::new(match (i32::try_from(value), i64::try_from(value)) {
        (Ok(value), _) => Value::Int32(value),
        (_, Ok(value)) => Value::Int64(value),
        _ => Value::hugeint(value),
    })
}

/// The body of a lambda, evaluated for one element after the other.
struct Body {
    registry: Registry,
    settings: Settings,
    parameters: Vec<String>,
    body: Expression,
    names: Names,
}

impl Lambda for Body {
    fn call(
        &mut self,
        parameters: &[View<'_>],
        outer_rows: &dyn OuterRows,
        output: &mut Output,
    ) -> Result<()> {
        let evaluator = Evaluator { registry: &self.registry, settings: &self.settings, is_lambda: true };
        output.prepare(outer_rows.count());
        for row in 0..outer_rows.count() {
            let bound = self.parameters.iter().zip(parameters).map(|(name, view)| {
                let value = value_at(view, row);
                (name.clone(), Literal { data_type: view.data_type.clone(), value })
            });
            let scope: Names = self.names.iter().cloned().chain(bound).collect();
            let value = evaluator.constant(&self.body, &scope);
            match value.and_then(|constant| evaluator.cast(&constant.literal, output.data_type(), false)) {
                Ok(literal) => output.set_value(row, &literal.value)?,
                Err(error) => output.fail(row, || error),
            }
        }
        Ok(())
    }

    fn parameter_count(&self) -> usize {
        self.parameters.len()
    }
}
