//! What a function takes: patterns over types, with variables for types and dimensions.

use std::collections::HashMap;
use std::fmt;

use crate::coercion::{common_type, implicit_cost, literal_cost};
use crate::types::Type;
use crate::value::Literal;

/// A pattern that an argument's type is held against.
#[derive(Debug, Clone, PartialEq)]
pub enum Pattern {
    /// This type, or one that casts to it.
    Exact(Type),
    /// Any type; arguments under one `Any` need not agree.
    Any,
    /// Any type that is not nested, as it is.
    Scalar,
    /// Any type, the same wherever the name stands: arguments are cast to the type they have in common.
    Variable(&'static str),
    /// Any integer, as it is.
    Integer,
    /// Any float, as it is; integers and decimals become Float64.
    Float,
    /// Any number, as it is.
    Numeric,
    /// Any decimal, as it is.
    Decimal,
    /// A list of these elements; a fixed list is accepted and becomes a list.
    List(Box<Pattern>),
    /// A fixed list of these elements, its dimension as it is.
    FixedList(Box<Pattern>),
    /// A list or a fixed list of these elements, as it is.
    AnyList(Box<Pattern>),
    /// A map.
    Map(Box<Pattern>, Box<Pattern>),
    /// Any struct.
    Struct,
    /// A timestamp of any unit, as it is.
    Timestamp,
    /// A lambda that may be written with this many parameters.
    Lambda(std::ops::RangeInclusive<usize>),
}

/// A named parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Name, for `f(name => value)` and for messages.
    pub name: &'static str,
    /// What it takes.
    pub pattern: Pattern,
    /// Value where the argument is left out; such parameters come last.
    pub default: Option<Literal>,
}

impl Parameter {
    /// Makes the parameter optional.
    pub fn or(mut self, default: Literal) -> Self {
        self.default = Some(default);
        self
    }
}

/// A parameter of this pattern.
pub fn parameter(name: &'static str, pattern: Pattern) -> Parameter {
    Parameter { name, pattern, default: None }
}

/// A parameter of this type.
pub fn exact(name: &'static str, data_type: Type) -> Parameter {
    parameter(name, Pattern::Exact(data_type))
}

/// A parameter of any type.
pub fn any(name: &'static str) -> Parameter {
    parameter(name, Pattern::Any)
}

/// A parameter of the variable type `T`.
pub fn variable(name: &'static str) -> Parameter {
    parameter(name, Pattern::Variable("T"))
}

/// A parameter that is a list of the variable type `T`.
pub fn list_of_variable(name: &'static str) -> Parameter {
    parameter(name, Pattern::List(Box::new(Pattern::Variable("T"))))
}

/// A parameter that is a lambda with this many parameters.
pub fn lambda(name: &'static str, parameters: std::ops::RangeInclusive<usize>) -> Parameter {
    parameter(name, Pattern::Lambda(parameters))
}

/// An argument as the planner has bound it.
#[derive(Debug, Clone, PartialEq)]
pub enum Given<'a> {
    /// An expression of this type.
    Typed(&'a Type),
    /// A quoted constant, which adapts to its place.
    TextLiteral,
    /// An integer constant of this type and value, which adapts to any number that holds it.
    IntegerLiteral(&'a Type, i128),
    /// A lambda with this many parameters.
    Lambda(usize),
}

impl Given<'_> {
    fn data_type(&self) -> &Type {
        match self {
            Self::Typed(data_type) | Self::IntegerLiteral(data_type, _) => data_type,
            Self::TextLiteral => &Type::Text,
            Self::Lambda(_) => &Type::Null,
        }
    }

    fn cost(&self, to: &Type) -> Option<u32> {
        match self {
            Self::Typed(from) => implicit_cost(from, to),
            Self::TextLiteral => literal_cost(to),
            // Every integer type that holds the constant is equally near, but for its own, which is nearest.
            Self::IntegerLiteral(from, value) => match implicit_cost(from, to) {
                Some(cost) if to.is_integer() => Some(cost.min(3)),
                Some(cost) => Some(cost),
                None if integer_holds(to, *value) => Some(3),
                None => None,
            },
            Self::Lambda(_) => None,
        }
    }
}

fn integer_holds(to: &Type, value: i128) -> bool {
    let fits = |low: i128, high: i128| (low..=high).contains(&value);
    match to {
        Type::Int8 => fits(i8::MIN.into(), i8::MAX.into()),
        Type::Int16 => fits(i16::MIN.into(), i16::MAX.into()),
        Type::Int32 => fits(i32::MIN.into(), i32::MAX.into()),
        Type::Int64 => fits(i64::MIN.into(), i64::MAX.into()),
        Type::UInt8 => fits(0, u8::MAX.into()),
        Type::UInt16 => fits(0, u16::MAX.into()),
        Type::UInt32 => fits(0, u32::MAX.into()),
        Type::UInt64 => fits(0, u64::MAX.into()),
        Type::Decimal(precision, scale) => {
            let whole = u32::try_from(i32::from(*precision) - i32::from(*scale)).unwrap_or(0);
            value.unsigned_abs() < 10u128.checked_pow(whole).unwrap_or(u128::MAX)
        }
        _ => false,
    }
}

/// The parameters of one form of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    /// The parameters.
    pub parameters: Vec<Parameter>,
    /// True if the last parameter may be given any number of times.
    pub is_variadic: bool,
}

/// How a form fits given arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Sum of the costs of the casts.
    pub cost: u32,
    /// The type that each argument is cast to; [`Type::Null`] at lambdas.
    pub types: Vec<Type>,
}

/// Why a form does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// Too few or too many arguments.
    Count,
    /// The argument at this position, from 0, has a type that its pattern refuses.
    Argument(usize),
}

impl Signature {
    /// These parameters, each given once unless it has a default.
    pub fn new(parameters: impl IntoIterator<Item = Parameter>) -> Self {
        Self { parameters: parameters.into_iter().collect(), is_variadic: false }
    }

    /// Lets the last parameter be given any number of times, also none.
    pub fn variadic(mut self) -> Self {
        self.is_variadic = true;
        self
    }

    /// The parameter that takes the argument at a position.
    pub fn parameter(&self, position: usize) -> Option<&Parameter> {
        if self.is_variadic {
            self.parameters.get(position).or(self.parameters.last())
        } else {
            self.parameters.get(position)
        }
    }

    /// Holds arguments against this form. All parameters must be given: the planner has put defaults in.
    ///
    /// # Errors
    /// What does not fit.
    pub fn fit(&self, given: &[Given<'_>]) -> Result<Fit, Misfit> {
        let least = self.parameters.len() - usize::from(self.is_variadic);
        if given.len() < least || (!self.is_variadic && given.len() > self.parameters.len()) {
            return Err(Misfit::Count);
        }
        let mut variables = HashMap::new();
        for (position, argument) in given.iter().enumerate() {
            let pattern = &self.parameter(position).ok_or(Misfit::Count)?.pattern;
            collect(pattern, argument, &mut variables).ok_or(Misfit::Argument(position))?;
        }
        // A quoted constant is text where nothing but nulls stands beside it, and so are those nulls.
        for (position, argument) in given.iter().enumerate() {
            if let (Some(Pattern::Variable(name)), Given::TextLiteral) =
                (self.parameter(position).map(|parameter| &parameter.pattern), argument)
                && let Some(held @ Type::Null) = variables.get_mut(name)
            {
                *held = Type::Text;
            }
        }
        let mut fit = Fit { cost: 0, types: Vec::with_capacity(given.len()) };
        for (position, argument) in given.iter().enumerate() {
            let pattern = &self.parameter(position).ok_or(Misfit::Count)?.pattern;
            let target = target(pattern, argument, &variables).ok_or(Misfit::Argument(position))?;
            if !matches!(argument, Given::Lambda(_)) {
                let generic = u32::from(!matches!(pattern, Pattern::Exact(_)));
                fit.cost += argument.cost(&target).ok_or(Misfit::Argument(position))? * 2 + generic;
            }
            fit.types.push(target);
        }
        Ok(fit)
    }
}

/// Widens the variables of a pattern by an argument.
fn collect(pattern: &Pattern, given: &Given<'_>, variables: &mut HashMap<&'static str, Type>) -> Option<()> {
    match (pattern, given) {
        (Pattern::Lambda(counts), Given::Lambda(count)) => counts.contains(count).then_some(()),
        (Pattern::Lambda(_), _) | (_, Given::Lambda(_)) => None,
        // A quoted constant gives way to the other arguments.
        (Pattern::Variable(name), Given::TextLiteral) => {
            variables.entry(name).or_insert(Type::Null);
            Some(())
        }
        _ => collect_type(pattern, given.data_type(), variables),
    }
}

fn collect_type(
    pattern: &Pattern,
    data_type: &Type,
    variables: &mut HashMap<&'static str, Type>,
) -> Option<()> {
    match (pattern, data_type) {
        (Pattern::Variable(name), _) => {
            let widened = match variables.get(name) {
                Some(held) => common_type(held, data_type)?,
                None => data_type.clone(),
            };
            variables.insert(name, widened);
            Some(())
        }
        (Pattern::List(_) | Pattern::FixedList(_) | Pattern::AnyList(_) | Pattern::Map(..), Type::Null) => {
            Some(())
        }
        (
            Pattern::List(inner) | Pattern::AnyList(inner),
            Type::List(element) | Type::FixedList(element, _),
        ) => collect_type(inner, element, variables),
        (Pattern::FixedList(inner), Type::FixedList(element, _)) => collect_type(inner, element, variables),
        (Pattern::Map(key, value), Type::Map(k, v)) => {
            collect_type(key, k, variables)?;
            collect_type(value, v, variables)
        }
        _ => Some(()),
    }
}

/// The type an argument is cast to.
fn target(pattern: &Pattern, given: &Given<'_>, variables: &HashMap<&'static str, Type>) -> Option<Type> {
    match pattern {
        Pattern::Lambda(_) => Some(Type::Null),
        Pattern::Variable(name) => match (variables.get(name), given) {
            (Some(Type::Null) | None, Given::TextLiteral) => Some(Type::Text),
            (held, _) => held.cloned(),
        },
        _ => target_type(pattern, given.data_type(), variables),
    }
}

fn target_type(pattern: &Pattern, data_type: &Type, variables: &HashMap<&'static str, Type>) -> Option<Type> {
    let keep = |accepted: bool| (accepted || *data_type == Type::Null).then(|| data_type.clone());
    match pattern {
        Pattern::Exact(target) => Some(target.clone()),
        Pattern::Any => Some(data_type.clone()),
        Pattern::Scalar => keep(!data_type.is_nested()),
        Pattern::Variable(name) => variables.get(name).cloned(),
        // A null of no type is a number like any other, and kernels know their types.
        Pattern::Integer if *data_type == Type::Null => Some(Type::Int64),
        Pattern::Integer => keep(data_type.is_integer() || *data_type == Type::HUGEINT),
        Pattern::Float if data_type.is_numeric() && !data_type.is_float() => Some(Type::Float64),
        Pattern::Float => keep(data_type.is_float()),
        Pattern::Numeric => keep(data_type.is_numeric()),
        Pattern::Decimal => matches!(data_type, Type::Decimal(..)).then(|| data_type.clone()),
        Pattern::Timestamp => matches!(data_type, Type::Timestamp(_)).then(|| data_type.clone()),
        Pattern::Struct => keep(matches!(data_type, Type::Struct(_))),
        Pattern::List(inner) => match data_type {
            Type::List(element) | Type::FixedList(element, _) => {
                target_type(inner, element, variables).map(Type::list)
            }
            Type::Null => target_type(inner, &Type::Null, variables).or(Some(Type::Null)).map(Type::list),
            _ => None,
        },
        Pattern::FixedList(inner) => match data_type {
            Type::FixedList(element, size) => {
                target_type(inner, element, variables).map(|element| Type::fixed_list(element, *size))
            }
            _ => None,
        },
        Pattern::AnyList(inner) => match data_type {
            Type::FixedList(element, size) => {
                target_type(inner, element, variables).map(|element| Type::fixed_list(element, *size))
            }
            Type::List(element) => target_type(inner, element, variables).map(Type::list),
            Type::Null => target_type(inner, &Type::Null, variables).or(Some(Type::Null)).map(Type::list),
            _ => None,
        },
        Pattern::Map(key, value) => match data_type {
            Type::Map(k, v) => {
                Some(Type::map(target_type(key, k, variables)?, target_type(value, v, variables)?))
            }
            Type::Null => Some(Type::Null),
            _ => None,
        },
        Pattern::Lambda(_) => None,
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(data_type) => write!(f, "{data_type}"),
            Self::Any => f.write_str("ANY"),
            Self::Scalar => f.write_str("SCALAR"),
            Self::Variable(name) => f.write_str(name),
            Self::Integer => f.write_str("INTEGER TYPE"),
            Self::Float => f.write_str("FLOAT TYPE"),
            Self::Numeric => f.write_str("NUMBER"),
            Self::Decimal => f.write_str("DECIMAL"),
            Self::List(inner) => write!(f, "{inner}[]"),
            Self::FixedList(inner) => write!(f, "{inner}[N]"),
            Self::AnyList(inner) => write!(f, "{inner}[] or {inner}[N]"),
            Self::Map(key, value) => write!(f, "MAP({key}, {value})"),
            Self::Struct => f.write_str("STRUCT"),
            Self::Timestamp => f.write_str("TIMESTAMP"),
            Self::Lambda(_) => f.write_str("LAMBDA"),
        }
    }
}

/// `(x DOUBLE, borders DOUBLE[], [closed VARCHAR])`, with `...` where the last parameter repeats.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        for (position, parameter) in self.parameters.iter().enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            let (open, close) = if parameter.default.is_some() { ("[", "]") } else { ("", "") };
            write!(f, "{comma}{open}{} {}{close}", parameter.name, parameter.pattern)?;
        }
        f.write_str(if self.is_variadic { ", ...)" } else { ")" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_takes_the_common_type() {
        let signature = Signature::new([list_of_variable("list"), variable("element")]);
        let list = Type::list(Type::Int32);
        let fit = signature.fit(&[Given::Typed(&list), Given::Typed(&Type::Int64)]);
        assert_eq!(fit.map(|fit| fit.types), Ok(vec![Type::list(Type::Int64), Type::Int64]));
    }

    #[test]
    fn a_text_literal_gives_way_to_a_date() {
        let signature = Signature::new([variable("left"), variable("right")]);
        let fit = signature.fit(&[Given::TextLiteral, Given::Typed(&Type::Date)]);
        assert_eq!(fit.map(|fit| fit.types), Ok(vec![Type::Date, Type::Date]));
    }

    #[test]
    fn a_misfit_names_the_position() {
        let signature = Signature::new([exact("x", Type::Float64), exact("text", Type::Text)]);
        let fit = signature.fit(&[Given::Typed(&Type::Int32), Given::Typed(&Type::Int32)]);
        assert_eq!(fit, Err(Misfit::Argument(1)));
    }
}
