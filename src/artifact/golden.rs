//! Golden rows: inputs made of edges and of what was fitted, with the outputs that the writing engine gave.

use std::collections::BTreeSet;
use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_engine::execution::Prepared;
use hypostyle_engine::plan::{Expression, Node, Plan};
use hypostyle_functions::column::{borrow, value_at};
use hypostyle_functions::{Field, Literal, Schema, Type, Value};
use hypostyle_planner::transform::{Fitted, windowed};

use crate::error::Result;

/// Rows that are kept at most.
const ROWS_MAX: usize = 48;

/// Entries of a fitted list that become inputs.
const ENTRIES_MAX: usize = 8;

/// Inputs of a transform: edges of each type, and what was fitted.
pub(super) fn rows(fitted: &Fitted) -> Vec<Vec<Value>> {
    let columns: Vec<Vec<Value>> = fitted.inputs.iter().map(|field| candidates(field, fitted)).collect();
    let count = columns.iter().map(Vec::len).max().unwrap_or(1).min(ROWS_MAX);
    // A step of its own for each column, so that not all columns are null in one row.
    let value = |column: usize, row: usize| {
        let candidates = &columns[column];
        candidates[(row + column * 3) % candidates.len()].clone()
    };
    (0..count).map(|row| (0..columns.len()).map(|column| value(column, row)).collect()).collect()
}

/// Values of an input: null, edges, and what analyzers of the transform know of its type.
fn candidates(field: &Field, fitted: &Fitted) -> Vec<Value> {
    let mut values = vec![Value::Null];
    let mut seen = BTreeSet::new();
    let mut add = |values: &mut Vec<Value>, value: Value| {
        if seen.insert(format!("{value:?}")) {
            values.push(value);
        }
    };
    for value in edges(&field.data_type) {
        add(&mut values, value);
    }
    for literal in fitted.calls.iter().flat_map(|call| &call.parameters).map(|(_, literal)| literal) {
        for value in entries(literal) {
            if let Some(value) = as_type(&value, &field.data_type) {
                add(&mut values, value);
            }
        }
    }
    values.truncate(ROWS_MAX);
    values
}

/// First, middle and last entries of a list, or the value itself.
fn entries(literal: &Literal) -> Vec<Value> {
    match &literal.value {
        Value::Shared(list) if list.len() > ENTRIES_MAX => {
            let step = (list.len() - 1) / (ENTRIES_MAX - 1);
            (0..list.len()).step_by(step.max(1)).take(ENTRIES_MAX).map(|place| list.value(place)).collect()
        }
        Value::Shared(list) => list.values().to_vec(),
        Value::List(_, values) if values.len() > ENTRIES_MAX => {
            let step = (values.len() - 1) / (ENTRIES_MAX - 1);
            values.iter().step_by(step.max(1)).take(ENTRIES_MAX).cloned().collect()
        }
        Value::List(_, values) => values.clone(),
        value => vec![value.clone()],
    }
}

fn edges(data_type: &Type) -> Vec<Value> {
    let list = |element: &Type, make: &dyn Fn(Vec<Value>) -> Value| {
        let elements = edges(element);
        let some = elements.iter().take(3).cloned().chain([Value::Null]).collect();
        vec![make(Vec::new()), make(elements.into_iter().take(1).collect()), make(some)]
    };
    match data_type {
        Type::Boolean => vec![Value::Boolean(false), Value::Boolean(true)],
        Type::Text => ["", "a", "unknown \u{e4}\u{1f600}"].into_iter().map(Value::from).collect(),
        Type::Binary => vec![Value::Binary(Vec::new()), Value::Binary(vec![0, 255])],
        Type::Float64 => {
            let numbers = [0.0, -0.0, 1.0, -1.5, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
            numbers.into_iter().map(Value::from).collect()
        }
        Type::Float32 => {
            let numbers = [0.0, -0.0, 1.0, -1.5, f32::MAX, f32::NAN, f32::INFINITY];
            numbers.into_iter().map(Value::from).collect()
        }
        Type::List(element) => list(element, &|values| Value::List(Type::clone(element), values)),
        other if other.is_integer() || matches!(other, Type::Decimal(..)) => {
            [0i64, 1, -1, 100].iter().filter_map(|number| as_type(&Value::Int64(*number), other)).collect()
        }
        Type::Date => vec![Value::Date(0), Value::Date(19_800)],
        Type::Timestamp(unit) => vec![Value::Timestamp(0, *unit), Value::Timestamp(1_700_000_000, *unit)],
        Type::TimestampTz => vec![Value::TimestampTz(0), Value::TimestampTz(1_700_000_000_000_000)],
        _ => Vec::new(),
    }
}

/// A value in another type, where that loses nothing that matters here.
fn as_type(value: &Value, data_type: &Type) -> Option<Value> {
    Some(match data_type {
        Type::Text => Value::text(value.as_text()?),
        Type::Float64 => Value::float64(value.as_f64()?),
        Type::Float32 => Value::float32(value.as_f64()? as f32),
        Type::Int64 => Value::Int64(whole(value)?),
        Type::Int32 => Value::Int32(whole(value)?.try_into().ok()?),
        Type::Int16 => Value::Int16(whole(value)?.try_into().ok()?),
        Type::Int8 => Value::Int8(whole(value)?.try_into().ok()?),
        Type::UInt64 => Value::UInt64(whole(value)?.try_into().ok()?),
        Type::UInt32 => Value::UInt32(whole(value)?.try_into().ok()?),
        Type::UInt16 => Value::UInt16(whole(value)?.try_into().ok()?),
        Type::UInt8 => Value::UInt8(whole(value)?.try_into().ok()?),
        Type::Decimal(precision, scale) if (0..=9).contains(scale) && *precision >= 12 => Value::Decimal(
            hypostyle_functions::value::DecimalDigits(i128::from(whole(value)?) * 10i128.pow(*scale as u32)),
            *precision,
            *scale,
        ),
        Type::List(element) => Value::List(Type::clone(element), vec![as_type(value, element)?]),
        _ => return None,
    })
}

fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        (number.abs() < 1e9).then_some(number as i64)
    })
}

/// What the outputs give for rows; `None` if a row fails.
pub(super) fn evaluate(
    fitted: &Fitted,
    rows: &[Vec<Value>],
    context: &Arc<Context>,
) -> Result<Vec<Vec<Value>>> {
    let literal = |(value, field): (&Value, &Field)| {
        Expression::Literal(Literal { data_type: field.data_type.clone(), value: value.clone() })
    };
    let rows = rows.iter().map(|row| row.iter().zip(&fitted.inputs).map(literal).collect()).collect();
    let input = Plan::new(Node::Values { rows }, fitted.input_schema());
    let expressions = fitted.outputs.iter().map(|output| output.expression.clone()).collect();
    let schema: Schema = fitted.schema();
    let input = Box::new(windowed(input, &fitted.windows));
    let plan = Plan::new(Node::Project { input, expressions }, schema.clone());
    let prepared = Prepared::new(plan, Arc::clone(context))?;
    let mut run = prepared.start(&[])?;
    let mut columns: Vec<Vec<Value>> = vec![Vec::new(); schema.fields.len()];
    while let Some(batch) = run.next()? {
        for ((column, field), values) in batch.columns.iter().zip(&schema.fields).zip(&mut columns) {
            let array = column.to_array()?;
            let bump = Default::default();
            let view = borrow(&array, &field.data_type, &bump);
            values.extend((0..batch.rows).map(|row| value_at(&view, row)));
        }
    }
    Ok(columns)
}
