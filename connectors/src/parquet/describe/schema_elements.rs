//! A row for each element of a file's schema, in the order in which it is stored.

use hypostyle_functions::{Type as Logical, Value};
use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit};
use parquet::schema::types::Type;

use super::{Described, Row, count};
use crate::error::Result;

pub(super) fn fields() -> Vec<(&'static str, Logical)> {
    vec![
        ("file_name", Logical::Text),
        ("name", Logical::Text),
        ("type", Logical::Text),
        ("type_length", Logical::Text),
        ("repetition_type", Logical::Text),
        ("num_children", Logical::Int64),
        ("converted_type", Logical::Text),
        ("scale", Logical::Int64),
        ("precision", Logical::Int64),
        ("field_id", Logical::Int64),
        ("logical_type", Logical::Text),
        ("duckdb_type", Logical::Text),
        ("column_id", Logical::Int64),
    ]
}

pub(super) fn rows(described: &Described) -> Result<Vec<Row>> {
    let schema = described.read_schema();
    let root = described.metadata.file_metadata().schema_descr().root_schema();
    let mut rows = vec![row(&described.name, root, None, 0)];
    for (position, element) in root.get_fields().iter().enumerate() {
        let read = schema.as_ref().and_then(|schema| schema.fields.get(position));
        add(&described.name, element, read.map(|field| &field.data_type), &mut rows);
    }
    Ok(rows)
}

/// Adds an element and those below it; `read` is the type that its values are read as.
fn add(file: &str, element: &Type, read: Option<&Logical>, rows: &mut Vec<Row>) {
    rows.push(row(file, element, read, rows.len()));
    if element.is_primitive() {
        return;
    }
    let children = element.get_fields();
    for (position, child) in children.iter().enumerate() {
        let read = match read {
            Some(Logical::Struct(fields)) => fields.get(position).map(|field| &field.data_type),
            // The group that repeats holds the elements or the entries, and is read as the whole.
            Some(list @ (Logical::List(_) | Logical::FixedList(..) | Logical::Map(..)))
                if is_repeated(child) && !child.is_primitive() && !is_repeated(element) =>
            {
                Some(list)
            }
            Some(Logical::List(element) | Logical::FixedList(element, _)) => Some(&**element),
            Some(Logical::Map(key, value)) => Some(if position == 0 { &**key } else { &**value }),
            other => other,
        };
        add(file, child, read, rows);
    }
}

fn is_repeated(element: &Type) -> bool {
    let info = element.get_basic_info();
    info.has_repetition() && info.repetition() == Repetition::REPEATED
}

fn row(file: &str, element: &Type, read: Option<&Logical>, position: usize) -> Row {
    let info = element.get_basic_info();
    let text = |text: Option<String>| text.map_or(Value::Null, Value::Text);
    let number = |number: Option<i32>| number.map_or(Value::Null, |number| Value::Int64(i64::from(number)));
    let is_decimal = info.converted_type() == ConvertedType::DECIMAL;
    let (physical, length, scale, precision) = match element {
        Type::PrimitiveType { physical_type, type_length, scale, precision, .. } => (
            Some(physical_type.to_string()),
            (*physical_type == parquet::basic::Type::FIXED_LEN_BYTE_ARRAY).then(|| type_length.to_string()),
            is_decimal.then_some(*scale),
            is_decimal.then_some(*precision),
        ),
        Type::GroupType { .. } => (None, None, None, None),
    };
    let children = if element.is_primitive() { Value::Null } else { count(element.get_fields().len()) };
    let converted = Some(info.converted_type()).filter(|converted| *converted != ConvertedType::NONE);
    vec![
        Value::text(file),
        Value::text(info.name()),
        text(physical),
        text(length),
        text(info.has_repetition().then(|| info.repetition().to_string())),
        children,
        text(converted.map(|converted| converted.to_string())),
        number(scale),
        number(precision),
        number(info.has_id().then(|| info.id())),
        text(info.logical_type_ref().map(logical_text)),
        text(read.map(ToString::to_string)),
        count(position),
    ]
}

/// The annotation as the reference dialect prints it.
fn logical_text(logical: &LogicalType) -> String {
    let unit_text = |unit: &TimeUnit| {
        let part = |name: &str, written: &str, is_it: bool| {
            format!("{name}={}", if is_it { format!("{written}()") } else { "<null>".to_owned() })
        };
        format!(
            "TimeUnit({}, {}, {})",
            part("MILLIS", "MilliSeconds", matches!(unit, TimeUnit::MILLIS)),
            part("MICROS", "MicroSeconds", matches!(unit, TimeUnit::MICROS)),
            part("NANOS", "NanoSeconds", matches!(unit, TimeUnit::NANOS)),
        )
    };
    match logical {
        LogicalType::String => "StringType()".into(),
        LogicalType::Map => "MapType()".into(),
        LogicalType::List => "ListType()".into(),
        LogicalType::Enum => "EnumType()".into(),
        LogicalType::Decimal(decimal) => {
            format!("DecimalType(scale={}, precision={})", decimal.scale, decimal.precision)
        }
        LogicalType::Date => "DateType()".into(),
        LogicalType::Time(time) => format!(
            "TimeType(isAdjustedToUTC={}, unit={})",
            u8::from(time.is_adjusted_to_u_t_c),
            unit_text(&time.unit)
        ),
        LogicalType::Timestamp(time) => format!(
            "TimestampType(isAdjustedToUTC={}, unit={})",
            u8::from(time.is_adjusted_to_u_t_c),
            unit_text(&time.unit)
        ),
        LogicalType::Integer(integer) => {
            format!("IntType(bitWidth={}, isSigned={})", integer.bit_width, u8::from(integer.is_signed))
        }
        LogicalType::Unknown => "NullType()".into(),
        LogicalType::Json => "JsonType()".into(),
        LogicalType::Bson => "BsonType()".into(),
        LogicalType::Uuid => "UUIDType()".into(),
        LogicalType::Float16 => "Float16Type()".into(),
        other => format!("{other:?}"),
    }
}
