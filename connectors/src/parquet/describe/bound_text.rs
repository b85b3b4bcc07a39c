//! Bounds of statistics as people read them.

use bumpalo::Bump;
use hypostyle_functions::cast::format_value;
use hypostyle_functions::column::{Column, literal_array};
use hypostyle_functions::{Literal, Type, Value};
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescriptor;

use crate::parquet::prune::{Conversion, statistics_bounds};
use crate::prune::Bound;

/// The lower and the upper bound as texts; null where there is none.
pub(super) fn bound_texts(statistics: &Statistics, leaf: &ColumnDescriptor, logical: &Type) -> [Value; 2] {
    let Some(conversion) = Conversion::of(leaf, logical) else { return [Value::Null, Value::Null] };
    let (lower, upper) = statistics_bounds(statistics, conversion);
    let text = |bound: Option<Bound>| match bound.and_then(|bound| text_of(bound, logical)) {
        Some(text) => Value::Text(text),
        None => Value::Null,
    };
    [text(lower), text(upper)]
}

fn text_of(bound: Bound, logical: &Type) -> Option<String> {
    let value = match bound {
        Bound::Integer(number) => whole(number, logical)?,
        Bound::Float(value) => match logical {
            Type::Float32 => Value::float32(value as f32),
            _ => Value::float64(value),
        },
        Bound::Bytes(bytes) if *logical == Type::Text => Value::Text(String::from_utf8(bytes).ok()?),
        Bound::Bytes(bytes) => Value::Binary(bytes),
    };
    let literal = Literal::new(value);
    let column = Column::Flat(literal_array(&literal).ok()?);
    let bump = Bump::new();
    let mut text = String::new();
    format_value(&column.view(&literal.data_type, &bump), 0, &mut text).ok()?;
    Some(text)
}

/// A whole number as a value of a type.
fn whole(number: i128, logical: &Type) -> Option<Value> {
    let narrow = i64::try_from(number).ok();
    Some(match logical {
        Type::Boolean => Value::Boolean(number != 0),
        Type::Date => Value::Date(i32::try_from(number).ok()?),
        Type::Time => Value::Time(narrow?),
        Type::Timestamp(unit) => Value::Timestamp(narrow?, *unit),
        Type::TimestampTz => Value::TimestampTz(narrow?),
        Type::Decimal(precision, scale) => {
            Value::Decimal(hypostyle_functions::value::DecimalDigits(number), *precision, *scale)
        }
        _ => Value::hugeint(number),
    })
}
