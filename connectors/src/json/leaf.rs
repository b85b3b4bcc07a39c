//! Columns of values that are not nested.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBuilder, PrimitiveArray, StringViewBuilder};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    Date32Type, Float32Type, Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
    UInt64Type,
};
use hypostyle_functions::{TimeUnit, Type};
use simd_json::{Node, StaticNode};

use super::text::{write_static, write_value};
use crate::arrow_form::{cast_strictly, decimals};
use crate::text_value::{boolean, decimal, float, huge, iso_date, iso_timestamp, signed, time, unsigned};

/// Values of a leaf column under construction.
pub enum LeafBuilder {
    /// Truth values.
    Boolean(BooleanBuilder),
    /// Signed integers, dates, times and timestamps, by their type.
    Integer(Type, Numbers<i64>),
    /// Unsigned 64-bit integers.
    Unsigned(Numbers<u64>),
    /// Fixed point.
    Decimal(u8, i8, Numbers<i128>),
    /// Floats.
    Float(Type, Numbers<f64>),
    /// Strings.
    Text(StringViewBuilder),
}

/// Numbers, some of them null.
#[derive(Default)]
pub struct Numbers<T> {
    values: Vec<T>,
    valid: Vec<bool>,
}

impl<T: Default> Numbers<T> {
    fn push(&mut self, value: Option<T>) {
        self.valid.push(value.is_some());
        self.values.push(value.unwrap_or_default());
    }

    fn take(&mut self) -> (Vec<T>, Option<NullBuffer>) {
        let valid = std::mem::take(&mut self.valid);
        let nulls = valid.contains(&false).then(|| NullBuffer::from(valid));
        (std::mem::take(&mut self.values), nulls)
    }
}

impl LeafBuilder {
    /// A builder for a type that is not nested.
    pub fn new(data_type: &Type) -> Self {
        match data_type {
            Type::Boolean => Self::Boolean(BooleanBuilder::new()),
            Type::UInt64 => Self::Unsigned(Numbers::default()),
            Type::Decimal(precision, scale) => Self::Decimal(*precision, *scale, Numbers::default()),
            Type::Float32 | Type::Float64 => Self::Float(data_type.clone(), Numbers::default()),
            Type::Date | Type::Time | Type::Timestamp(_) | Type::TimestampTz => {
                Self::Integer(data_type.clone(), Numbers::default())
            }
            integer if integer.is_integer() => Self::Integer(integer.clone(), Numbers::default()),
            _ => Self::Text(StringViewBuilder::new()),
        }
    }

    /// The type of the column.
    pub fn data_type(&self) -> Type {
        match self {
            Self::Boolean(_) => Type::Boolean,
            Self::Integer(data_type, _) | Self::Float(data_type, _) => data_type.clone(),
            Self::Unsigned(_) => Type::UInt64,
            Self::Decimal(precision, scale, _) => Type::Decimal(*precision, *scale),
            Self::Text(_) => Type::Text,
        }
    }

    /// Adds a null.
    pub fn push_null(&mut self) {
        match self {
            Self::Boolean(builder) => builder.append_null(),
            Self::Integer(_, numbers) => numbers.push(None),
            Self::Unsigned(numbers) => numbers.push(None),
            Self::Decimal(_, _, numbers) => numbers.push(None),
            Self::Float(_, numbers) => numbers.push(None),
            Self::Text(builder) => builder.append_null(),
        }
    }

    /// Adds the value at `at`, which is not null; false, and a null added, if it does not fit.
    pub fn push(&mut self, tape: &[Node<'_>], at: usize, scratch: &mut String) -> bool {
        match self {
            Self::Boolean(builder) => {
                let value = match &tape[at] {
                    Node::Static(StaticNode::Bool(value)) => Some(*value),
                    Node::String(text) => boolean(text.as_bytes()),
                    _ => None,
                };
                builder.append_option(value);
                value.is_some()
            }
            Self::Integer(data_type, numbers) => {
                let value = integer(&tape[at], data_type).filter(|&value| fits(value, data_type));
                numbers.push(value);
                value.is_some()
            }
            Self::Unsigned(numbers) => {
                let value = match &tape[at] {
                    Node::Static(StaticNode::U64(value)) => Some(*value),
                    Node::Static(StaticNode::I64(value)) => u64::try_from(*value).ok(),
                    Node::String(text) => unsigned(text.as_bytes()),
                    _ => None,
                };
                numbers.push(value);
                value.is_some()
            }
            Self::Decimal(precision, scale, numbers) => {
                let value = fixed_point(&tape[at], *precision, *scale, scratch);
                numbers.push(value);
                value.is_some()
            }
            Self::Float(_, numbers) => {
                let value = double(&tape[at]);
                numbers.push(value);
                value.is_some()
            }
            Self::Text(builder) => {
                match &tape[at] {
                    Node::String(text) => builder.append_value(text),
                    _ => {
                        scratch.clear();
                        write_value(tape, at, scratch);
                        builder.append_value(&*scratch);
                    }
                }
                true
            }
        }
    }

    /// The column so far; the builder is empty then.
    pub fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::Integer(data_type, numbers) => integers(data_type, numbers),
            Self::Unsigned(numbers) => {
                let (values, nulls) = numbers.take();
                Arc::new(PrimitiveArray::<UInt64Type>::new(values.into(), nulls))
            }
            Self::Decimal(precision, scale, numbers) => {
                let (values, nulls) = numbers.take();
                decimals(PrimitiveArray::new(values.into(), nulls), *precision, *scale)
            }
            Self::Float(data_type, numbers) => {
                let (values, nulls) = numbers.take();
                if *data_type == Type::Float32 {
                    let values: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
                    return Arc::new(PrimitiveArray::<Float32Type>::new(values.into(), nulls));
                }
                Arc::new(PrimitiveArray::<Float64Type>::new(values.into(), nulls))
            }
            Self::Text(builder) => Arc::new(builder.finish()),
        }
    }
}

/// Appends any value as JSON text; a null stays one.
pub fn push_json(builder: &mut StringViewBuilder, tape: &[Node<'_>], at: usize, scratch: &mut String) {
    match &tape[at] {
        Node::Static(StaticNode::Null) => builder.append_null(),
        _ => {
            scratch.clear();
            write_value(tape, at, scratch);
            builder.append_value(&*scratch);
        }
    }
}

fn integer(node: &Node<'_>, data_type: &Type) -> Option<i64> {
    match (node, data_type) {
        (Node::String(text), Type::Date) => iso_date(text.as_bytes()).map(i64::from),
        (Node::String(text), Type::Time) => time(text.as_bytes()),
        (Node::String(text), Type::Timestamp(unit)) => in_unit(instant(text.as_bytes())?, *unit),
        (Node::String(text), Type::TimestampTz) => instant(text.as_bytes()),
        (_, Type::Date | Type::Time | Type::Timestamp(_) | Type::TimestampTz) => None,
        (Node::String(text), _) => signed(text.as_bytes()),
        (Node::Static(StaticNode::I64(value)), _) => Some(*value),
        (Node::Static(StaticNode::U64(value)), _) => i64::try_from(*value).ok(),
        // Numbers with a fraction round half to even, as casts do.
        (Node::Static(StaticNode::F64(value)), _) => {
            let rounded = value.round_ties_even();
            (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0)
                .contains(&rounded)
                .then_some(rounded as i64)
        }
        _ => None,
    }
}

fn instant(text: &[u8]) -> Option<i64> {
    let stamp = iso_timestamp(text).map(|(micros, _)| micros);
    stamp.or_else(|| iso_date(text).map(|days| i64::from(days) * 86_400_000_000))
}

fn in_unit(micros: i64, unit: TimeUnit) -> Option<i64> {
    match unit {
        TimeUnit::Nanosecond => micros.checked_mul(1_000),
        coarser => Some(micros.div_euclid(1_000_000 / coarser.per_second())),
    }
}

fn fits(value: i64, data_type: &Type) -> bool {
    match data_type {
        Type::Int8 => i8::try_from(value).is_ok(),
        Type::Int16 => i16::try_from(value).is_ok(),
        Type::Int32 => i32::try_from(value).is_ok(),
        Type::UInt8 => u8::try_from(value).is_ok(),
        Type::UInt16 => u16::try_from(value).is_ok(),
        Type::UInt32 => u32::try_from(value).is_ok(),
        _ => true,
    }
}

fn fixed_point(node: &Node<'_>, precision: u8, scale: i8, scratch: &mut String) -> Option<i128> {
    match node {
        Node::String(text) => decimal(text.as_bytes(), precision, scale),
        Node::Static(StaticNode::Bool(_) | StaticNode::Null) => None,
        Node::Static(value) => {
            scratch.clear();
            write_static(value, scratch);
            match scale {
                0 => huge(scratch.as_bytes())
                    .filter(|value| value.unsigned_abs() < 10u128.pow(u32::from(precision))),
                _ => None,
            }
            .or_else(|| decimal(scratch.as_bytes(), precision, scale))
        }
        _ => None,
    }
}

fn double(node: &Node<'_>) -> Option<f64> {
    match node {
        Node::Static(StaticNode::F64(value)) => Some(*value),
        Node::Static(StaticNode::I64(value)) => Some(*value as f64),
        Node::Static(StaticNode::U64(value)) => Some(*value as f64),
        Node::String(text) => float(text.as_bytes()),
        _ => None,
    }
}

fn integers(data_type: &Type, numbers: &mut Numbers<i64>) -> ArrayRef {
    let (values, nulls) = numbers.take();
    match data_type {
        Type::Date => {
            let days: Vec<i32> = values.into_iter().map(|value| value as i32).collect();
            Arc::new(PrimitiveArray::<Date32Type>::new(days.into(), nulls))
        }
        Type::Time => Arc::new(PrimitiveArray::<Time64MicrosecondType>::new(values.into(), nulls)),
        Type::Timestamp(TimeUnit::Microsecond) => {
            Arc::new(PrimitiveArray::<TimestampMicrosecondType>::new(values.into(), nulls))
        }
        Type::TimestampTz => {
            let instants = PrimitiveArray::<TimestampMicrosecondType>::new(values.into(), nulls);
            Arc::new(instants.with_timezone("UTC"))
        }
        other => {
            let wide = PrimitiveArray::<Int64Type>::new(values.into(), nulls);
            // Every value was held to the range of the type when it was added.
            cast_strictly(&wide, &other.to_arrow()).unwrap_or_else(|_| Arc::new(wide))
        }
    }
}
