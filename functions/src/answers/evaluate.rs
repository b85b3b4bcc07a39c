//! Evaluates parsed expressions by calling bound functions in several ways that must agree.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::buffer::ScalarBuffer;
use bumpalo::Bump;

use super::parse::Expression;
use crate::cast::bind_cast;
use crate::cast::invoke::invoke;
use crate::coercion::common_type;
use crate::column::{Column, Output, Rows, View, literal_array, value_at};
use crate::error::{Error, Result};
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, Settings, Volatility};
use crate::scratch::Scratch;
use crate::signature::Given;
use crate::types::Type;
use crate::value::{Literal, Value};

/// Rows of the tall variants: more than one block of lanes and not a multiple of 64.
const ROWS: usize = 1100;

/// A value, and how it was written.
#[derive(Debug, Clone)]
pub(super) struct Constant {
    pub literal: Literal,
    is_bare: bool,
}

impl Constant {
    fn typed(literal: Literal) -> Self {
        Self { literal, is_bare: false }
    }

    fn given(&self) -> Given<'_> {
        match (&self.literal.value, self.is_bare) {
            (Value::Text(_), true) => Given::TextLiteral,
            (value, true) => match value {
                Value::Decimal(digits, ..) => Given::IntegerLiteral(&self.literal.data_type, digits.0),
                other => Given::IntegerLiteral(&self.literal.data_type, other.as_i64().unwrap_or(0).into()),
            },
            _ => Given::Typed(&self.literal.data_type),
        }
    }
}

pub(super) fn evaluate(
    expression: &Expression,
    registry: &Registry,
    settings: &Settings,
) -> Result<Constant> {
    let inner = |expression: &Expression| evaluate(expression, registry, settings);
    match expression {
        Expression::Text(text) => Ok(Constant { literal: Literal::new(Value::text(text)), is_bare: true }),
        Expression::Integer(value) => Ok(Constant { literal: integer(*value), is_bare: true }),
        Expression::Constant(literal) => Ok(Constant::typed(literal.clone())),
        Expression::Cast(operand, target, is_try) => {
            cast(&inner(operand)?.literal, target, *is_try, settings).map(Constant::typed)
        }
        Expression::Try(operand) => match inner(operand) {
            Err(_) => Ok(Constant::typed(Literal::null(Type::Null))),
            value => value,
        },
        Expression::List(items) => {
            let items = items.iter().map(inner).collect::<Result<Vec<_>>>()?;
            let (element, values) = unify(items, settings)?;
            Ok(Constant::typed(Literal::new(Value::List(element, values))))
        }
        Expression::Record(fields) => {
            let mut values = Vec::new();
            let mut types = Vec::new();
            for (name, field) in fields {
                let literal = inner(field)?.literal;
                types.push(literal.data_type);
                values.push((name.clone(), literal.value));
            }
            Ok(Constant::typed(Literal::new(Value::Struct(values, types))))
        }
        Expression::Entries(entries) => {
            let keys = entries.iter().map(|(key, _)| inner(key)).collect::<Result<Vec<_>>>()?;
            let values = entries.iter().map(|(_, value)| inner(value)).collect::<Result<Vec<_>>>()?;
            let ((key, keys), (value, values)) = (unify(keys, settings)?, unify(values, settings)?);
            Ok(Constant::typed(Literal::new(Value::Map(key, value, keys.into_iter().zip(values).collect()))))
        }
        Expression::Call(name, arguments) => {
            let mut given = Vec::new();
            for (label, argument) in arguments {
                given.push((label.clone(), inner(argument)?));
            }
            call(name, given, registry, settings).map(Constant::typed)
        }
    }
}

fn integer(value: i128) -> Literal {
    Literal::new(match (i32::try_from(value), i64::try_from(value)) {
        (Ok(value), _) => Value::Int32(value),
        (_, Ok(value)) => Value::Int64(value),
        _ => Value::hugeint(value),
    })
}

fn unify(items: Vec<Constant>, settings: &Settings) -> Result<(Type, Vec<Value>)> {
    let mut element = Type::Null;
    for item in &items {
        let data_type = &item.literal.data_type;
        element = common_type(&element, data_type)
            .ok_or_else(|| Error::user(format!("{element} and {data_type} have no common type")))?;
    }
    let values = items.iter().map(|item| Ok(cast(&item.literal, &element, false, settings)?.value));
    let values = values.collect::<Result<Vec<_>>>()?;
    Ok((element, values))
}

fn cast(literal: &Literal, target: &Type, is_try: bool, settings: &Settings) -> Result<Literal> {
    if literal.data_type == *target {
        return Ok(literal.clone());
    }
    if literal.value.is_null() {
        return Ok(Literal::null(target.clone()));
    }
    let bound = bind_cast(&literal.data_type, target, is_try, settings)?;
    run_all_ways(&bound, std::slice::from_ref(literal), true)
}

fn call(
    name: &str,
    given: Vec<(Option<String>, Constant)>,
    registry: &Registry,
    settings: &Settings,
) -> Result<Literal> {
    let function = registry.scalar(name).ok_or_else(|| registry.unknown(name))?;
    let mut best: Option<(u32, Vec<Constant>, usize, Vec<Type>)> = None;
    let mut refused = None;
    for (index, overload) in function.overloads.iter().enumerate() {
        let Some(constants) = place(&overload.signature, &given) else { continue };
        let shapes: Vec<Given<'_>> = constants.iter().map(Constant::given).collect();
        match overload.signature.fit(&shapes) {
            Ok(fit) if best.as_ref().is_none_or(|(cost, ..)| fit.cost < *cost) => {
                best = Some((fit.cost, constants, index, fit.types));
            }
            Ok(_) => {}
            Err(_) => refused = function.resolve(&shapes).err().or(refused),
        }
    }
    let Some((_, constants, index, types)) = best else {
        return Err(refused.unwrap_or_else(|| Error::user(format!("{name}: wrong number of arguments"))));
    };
    let literals = constants
        .iter()
        .zip(&types)
        .map(|(constant, target)| cast(&constant.literal, target, false, settings));
    let literals = literals.collect::<Result<Vec<_>>>()?;
    let known: Vec<Option<Literal>> = literals.iter().cloned().map(Some).collect();
    let overload = &function.overloads[index];
    let arguments = Arguments { function: name, types: &types, constants: &known, settings };
    let bound = (overload.bind)(&arguments)?;
    let repeatable = function.volatility != Volatility::Volatile;
    let value = run_all_ways(&bound, &literals, repeatable);
    let unknown = vec![None; literals.len()];
    let arguments = Arguments { function: name, types: &types, constants: &unknown, settings };
    match (overload.bind)(&arguments) {
        // A constant may choose the type of the result, as the part of a date does.
        Ok(other) if repeatable && other.result == bound.result => {
            let other = run_all_ways(&other, &literals, true);
            assert_same(&value, &other, &format!("{name} with constants that are not known while binding"));
        }
        Ok(_) => {}
        Err(error) => assert!(error.to_string().contains("constant"), "{name} without constants: {error}"),
    }
    value
}

/// The arguments in the order of the parameters, defaults filled in; `None` if they do not fit.
fn place(
    signature: &crate::signature::Signature,
    given: &[(Option<String>, Constant)],
) -> Option<Vec<Constant>> {
    let mut placed: Vec<Option<Constant>> = Vec::new();
    for (label, constant) in given {
        match label {
            None => placed.push(Some(constant.clone())),
            Some(label) => {
                let position = signature.parameters.iter().position(|parameter| parameter.name == label)?;
                while placed.len() <= position {
                    placed.push(None);
                }
                placed[position] = Some(constant.clone());
            }
        }
    }
    if !signature.is_variadic {
        while placed.len() < signature.parameters.len() {
            placed.push(None);
        }
    }
    let filled = placed.into_iter().enumerate().map(|(position, constant)| {
        constant.or_else(|| {
            let default = signature.parameters.get(position)?.default.clone()?;
            Some(Constant::typed(default))
        })
    });
    filled.collect()
}

fn assert_same(left: &Result<Literal>, right: &Result<Literal>, what: &str) {
    assert_eq!(left, right, "{what}");
}

/// Calls over columns of every encoding; the results must be the same bits.
fn run_all_ways(bound: &Bound, literals: &[Literal], repeatable: bool) -> Result<Literal> {
    let arrays = literals.iter().map(literal_array).collect::<Result<Vec<_>>>()?;
    let types: Vec<Type> = literals.iter().map(|literal| literal.data_type.clone()).collect();
    let flat: Vec<Column> = arrays.iter().cloned().map(Column::Flat).collect();
    let expected = run(bound, &flat, &types, Rows::All(1), 0);
    if !repeatable {
        return expected;
    }
    let constant: Vec<Column> =
        arrays.iter().map(|array| Column::Constant { value: Arc::clone(array), length: ROWS }).collect();
    assert_same(&expected, &run(bound, &constant, &types, Rows::All(ROWS), ROWS - 1), "constant columns");
    let dictionary: Vec<Column> = arrays.iter().map(dictionary_of).collect::<Result<_>>()?;
    assert_same(&expected, &run(bound, &dictionary, &types, Rows::All(ROWS), 700), "dictionary columns");
    let tall: Vec<Column> =
        constant.iter().map(|column| column.to_array().map(Column::Flat)).collect::<Result<_>>()?;
    assert_same(&expected, &run(bound, &tall, &types, Rows::All(ROWS), 65), "tall flat columns");
    let selected: Vec<u32> = (0..ROWS as u32).filter(|row| row % 3 == 1).collect();
    let nulls_between: Vec<Column> = arrays.iter().map(with_nulls_between).collect::<Result<_>>()?;
    let between = run(bound, &nulls_between, &types, Rows::Selected(&selected), 1000);
    assert_same(&expected, &between, "selected rows between nulls");
    expected
}

fn dictionary_of(array: &ArrayRef) -> Result<Column> {
    let rows = UInt32Array::from(vec![0u32, 0]);
    let values = arrow_select::take::take(array, &rows, None)?;
    let indices = ScalarBuffer::from((0..ROWS as u32).map(|row| row % 2).collect::<Vec<_>>());
    Ok(Column::Dictionary { indices, validity: None, values })
}

fn with_nulls_between(array: &ArrayRef) -> Result<Column> {
    let rows = UInt32Array::from((0..ROWS).map(|row| (row % 3 == 1).then_some(0)).collect::<Vec<_>>());
    Ok(Column::Flat(arrow_select::take::take(array, &rows, None)?))
}

fn run(bound: &Bound, columns: &[Column], types: &[Type], rows: Rows<'_>, shown: usize) -> Result<Literal> {
    let (bump, mut scratch) = (Bump::new(), Scratch::new());
    let views: Vec<View<'_>> =
        columns.iter().zip(types).map(|(column, data_type)| column.view(data_type, &bump)).collect();
    let length =
        views.first().map_or_else(|| rows.iter().last().map_or(0, |row| row + 1), |view| view.length);
    let mut output = Output::new(bound.result.clone());
    output.prepare(length);
    invoke(bound, &views, rows, &mut output, &mut scratch)?;
    if output.has_failed(shown) {
        let found = output.errors().iter().find(|(row, _)| *row as usize == shown);
        return Err(
            found.map_or(Error::internal("a failed row without its error"), |(_, error)| error.clone())
        );
    }
    let value = value_at(&output.view(&bump), shown);
    // A second reading through Arrow checks that what was written freezes.
    let frozen = output.freeze()?;
    let reread = value_at(&crate::column::borrow(&frozen, &bound.result, &bump), shown);
    assert_eq!(value, reread, "frozen values");
    Ok(Literal { data_type: bound.result.clone(), value })
}
