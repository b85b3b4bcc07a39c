//! One value, owned: constants of plans, arguments known while binding, results shown to people.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::shared_list::{self, SharedList};
use crate::types::{Field, TimeUnit, Type};

/// One value. Floats compare by bits, so that plans are compared and hashed exactly.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Value {
    /// No value.
    Null,
    /// True or false.
    Boolean(bool),
    /// 8-bit signed.
    Int8(i8),
    /// 16-bit signed.
    Int16(i16),
    /// 32-bit signed.
    Int32(i32),
    /// 64-bit signed.
    Int64(i64),
    /// 8-bit unsigned.
    UInt8(u8),
    /// 16-bit unsigned.
    UInt16(u16),
    /// 32-bit unsigned.
    UInt32(u32),
    /// 64-bit unsigned.
    UInt64(u64),
    /// Half, as its bits.
    Float16(u16),
    /// Single, as its bits (so that NaN and infinities survive JSON).
    Float32(FloatBits32),
    /// Double, as its bits.
    Float64(FloatBits64),
    /// Unscaled decimal.
    Decimal(DecimalDigits, u8, i8),
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Ticks since the epoch, in this unit.
    Timestamp(i64, TimeUnit),
    /// Microseconds since the epoch, UTC.
    TimestampTz(i64),
    /// Months, days, nanoseconds.
    Interval(i32, i32, i64),
    /// Element type and elements.
    List(Type, Vec<Value>),
    /// A list whose elements are one array that is shared and not copied, as fitted tables are. Equal to a
    /// [`Value::List`] of the same elements, and written as one; [`Value::as_list`] reads both.
    #[serde(rename = "List", serialize_with = "shared_list::write", skip_deserializing)]
    Shared(SharedList),
    /// Element type and elements; the length is the dimension.
    FixedList(Type, Vec<Value>),
    /// Names and values.
    Struct(Vec<(String, Value)>, Vec<Type>),
    /// Key type, value type, entries.
    Map(Type, Type, Vec<(Value, Value)>),
}

/// Bits of an `f32`, written to text as a number of bits so that nothing is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FloatBits32(pub u32);

/// Bits of an `f64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FloatBits64(pub u64);

/// Digits of a decimal as text, since JSON numbers end at 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct DecimalDigits(pub i128);

impl From<DecimalDigits> for String {
    fn from(digits: DecimalDigits) -> Self {
        digits.0.to_string()
    }
}

impl TryFrom<String> for DecimalDigits {
    type Error = std::num::ParseIntError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl Value {
    /// A double.
    pub fn float64(value: f64) -> Self {
        Self::Float64(FloatBits64(value.to_bits()))
    }

    /// A single.
    pub fn float32(value: f32) -> Self {
        Self::Float32(FloatBits32(value.to_bits()))
    }

    /// A text.
    pub fn text(value: impl Into<String>) -> Self {
        Self::Text(value.into())
    }

    /// A HUGEINT.
    pub fn hugeint(value: i128) -> Self {
        Self::Decimal(DecimalDigits(value), 38, 0)
    }

    /// True for [`Value::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The type; [`Type::Null`] for a null.
    pub fn data_type(&self) -> Type {
        match self {
            Self::Null => Type::Null,
            Self::Boolean(_) => Type::Boolean,
            Self::Int8(_) => Type::Int8,
            Self::Int16(_) => Type::Int16,
            Self::Int32(_) => Type::Int32,
            Self::Int64(_) => Type::Int64,
            Self::UInt8(_) => Type::UInt8,
            Self::UInt16(_) => Type::UInt16,
            Self::UInt32(_) => Type::UInt32,
            Self::UInt64(_) => Type::UInt64,
            Self::Float16(_) => Type::Float16,
            Self::Float32(_) => Type::Float32,
            Self::Float64(_) => Type::Float64,
            Self::Decimal(_, precision, scale) => Type::Decimal(*precision, *scale),
            Self::Text(_) => Type::Text,
            Self::Binary(_) => Type::Binary,
            Self::Date(_) => Type::Date,
            Self::Time(_) => Type::Time,
            Self::Timestamp(_, unit) => Type::Timestamp(*unit),
            Self::TimestampTz(_) => Type::TimestampTz,
            Self::Interval(..) => Type::Interval,
            Self::List(element, _) => Type::list(element.clone()),
            Self::Shared(list) => Type::list(list.element().clone()),
            Self::FixedList(element, values) => Type::fixed_list(element.clone(), values.len()),
            Self::Struct(values, types) => Type::Struct(
                values
                    .iter()
                    .zip(types)
                    .map(|((name, _), ty)| Field::new(name.clone(), ty.clone()))
                    .collect(),
            ),
            Self::Map(key, value, _) => Type::map(key.clone(), value.clone()),
        }
    }

    /// The value as an `i64` if it is an integer that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int8(value) => Some(i64::from(*value)),
            Self::Int16(value) => Some(i64::from(*value)),
            Self::Int32(value) => Some(i64::from(*value)),
            Self::Int64(value) => Some(*value),
            Self::UInt8(value) => Some(i64::from(*value)),
            Self::UInt16(value) => Some(i64::from(*value)),
            Self::UInt32(value) => Some(i64::from(*value)),
            Self::UInt64(value) => i64::try_from(*value).ok(),
            Self::Decimal(value, _, 0) => i64::try_from(value.0).ok(),
            _ => None,
        }
    }

    /// The value as an `f64` if it is a number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float16(bits) => Some(half::f16::from_bits(*bits).to_f64()),
            Self::Float32(bits) => Some(f64::from(f32::from_bits(bits.0))),
            Self::Float64(bits) => Some(f64::from_bits(bits.0)),
            Self::UInt64(value) => Some(*value as f64),
            Self::Decimal(value, _, scale) => Some(value.0 as f64 / 10f64.powi(i32::from(*scale))),
            other => other.as_i64().map(|value| value as f64),
        }
    }

    /// The value as text if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of a list; of a shared one they are made when they are first asked for.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(_, values) => Some(values),
            Self::Shared(list) => Some(list.values()),
            _ => None,
        }
    }

    /// The list as one array.
    ///
    /// # Errors
    /// [`crate::Error::Internal`] if an element has another type than the list says.
    pub fn as_shared(&self) -> crate::Result<Option<Cow<'_, SharedList>>> {
        match self {
            Self::List(element, values) => SharedList::of_values(element, values).map(Cow::Owned).map(Some),
            Self::Shared(list) => Ok(Some(Cow::Borrowed(list))),
            _ => Ok(None),
        }
    }

    /// The value as a truth value if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            _ => None,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Boolean(a), Self::Boolean(b)) => a == b,
            (Self::Int8(a), Self::Int8(b)) => a == b,
            (Self::Int16(a), Self::Int16(b)) => a == b,
            (Self::Int32(a), Self::Int32(b)) | (Self::Date(a), Self::Date(b)) => a == b,
            (Self::Int64(a), Self::Int64(b))
            | (Self::Time(a), Self::Time(b))
            | (Self::TimestampTz(a), Self::TimestampTz(b)) => a == b,
            (Self::UInt8(a), Self::UInt8(b)) => a == b,
            (Self::UInt16(a), Self::UInt16(b)) | (Self::Float16(a), Self::Float16(b)) => a == b,
            (Self::UInt32(a), Self::UInt32(b)) => a == b,
            (Self::UInt64(a), Self::UInt64(b)) => a == b,
            (Self::Float32(a), Self::Float32(b)) => a == b,
            (Self::Float64(a), Self::Float64(b)) => a == b,
            (Self::Decimal(a, precision, scale), Self::Decimal(b, precisions, scales)) => {
                (a, precision, scale) == (b, precisions, scales)
            }
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Binary(a), Self::Binary(b)) => a == b,
            (Self::Timestamp(a, unit), Self::Timestamp(b, units)) => (a, unit) == (b, units),
            (Self::Interval(a, b, c), Self::Interval(d, e, f)) => (a, b, c) == (d, e, f),
            (Self::List(a, values), Self::List(b, others))
            | (Self::FixedList(a, values), Self::FixedList(b, others)) => (a, values) == (b, others),
            (Self::Shared(a), Self::Shared(b)) => a == b,
            (Self::Shared(list), Self::List(element, values))
            | (Self::List(element, values), Self::Shared(list)) => list.holds(element, values),
            (Self::Struct(a, types), Self::Struct(b, others)) => (a, types) == (b, others),
            (Self::Map(a, b, entries), Self::Map(c, d, others)) => (a, b, entries) == (c, d, others),
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Lists of both kinds begin alike, and equal ones hash alike.
        match self {
            Self::Shared(_) => std::mem::discriminant(&Self::List(Type::Null, Vec::new())).hash(state),
            other => std::mem::discriminant(other).hash(state),
        }
        match self {
            Self::Null => {}
            Self::Boolean(value) => value.hash(state),
            Self::Int8(value) => value.hash(state),
            Self::Int16(value) => value.hash(state),
            Self::Int32(value) | Self::Date(value) => value.hash(state),
            Self::Int64(value) | Self::Time(value) | Self::TimestampTz(value) => value.hash(state),
            Self::UInt8(value) => value.hash(state),
            Self::UInt16(value) | Self::Float16(value) => value.hash(state),
            Self::UInt32(value) => value.hash(state),
            Self::UInt64(value) => value.hash(state),
            Self::Float32(value) => value.hash(state),
            Self::Float64(value) => value.hash(state),
            Self::Decimal(digits, precision, scale) => (digits, precision, scale).hash(state),
            Self::Text(text) => text.hash(state),
            Self::Binary(bytes) => bytes.hash(state),
            Self::Timestamp(ticks, unit) => (ticks, unit).hash(state),
            Self::Interval(months, days, nanoseconds) => (months, days, nanoseconds).hash(state),
            Self::List(element, values) => {
                let at = |place: usize| values.get(place).cloned().unwrap_or(Self::Null);
                shared_list::hash(element, values.len(), at, state);
            }
            Self::Shared(list) => {
                shared_list::hash(list.element(), list.len(), |place| list.value(place), state);
            }
            Self::FixedList(element, values) => (element, values).hash(state),
            Self::Struct(values, types) => (values, types).hash(state),
            Self::Map(key, value, entries) => (key, value, entries).hash(state),
        }
    }
}

/// Elements from which on a list is worth sharing.
const SHARED_ELEMENTS: usize = 64;

/// A value of a declared type: a null keeps the type it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Literal {
    /// Type of the value, also where it is null.
    #[serde(rename = "type")]
    pub data_type: Type,
    /// The value.
    pub value: Value,
}

impl Literal {
    /// A literal of the value's own type.
    pub fn new(value: Value) -> Self {
        Self { data_type: value.data_type(), value }
    }

    /// A null of this type.
    pub fn null(data_type: Type) -> Self {
        Self { data_type, value: Value::Null }
    }

    /// The same literal; a long list is one that copies share, so that each of many calls may hold it.
    ///
    /// # Errors
    /// [`crate::Error::Internal`] if an element has another type than the list says.
    pub fn shared(self) -> crate::Result<Self> {
        match &self.value {
            Value::List(element, values) if values.len() >= SHARED_ELEMENTS => {
                let value = Value::Shared(SharedList::of_values(element, values)?);
                Ok(Self { value, ..self })
            }
            _ => Ok(self),
        }
    }
}

macro_rules! value_from {
    ($($rust:ty => $variant:ident),*) => {
        $(impl From<$rust> for Value { fn from(value: $rust) -> Self { Self::$variant(value) } })*
    };
}
// One arm expands to `impl From<bool> for Value { fn from(value: bool) -> Self { Self::Boolean(value) } }`.
value_from!(bool => Boolean, i8 => Int8, i16 => Int16, i32 => Int32, i64 => Int64, u8 => UInt8, u16 => UInt16, u32 => UInt32, u64 => UInt64, String => Text);

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::float64(value)
    }
}

impl From<f32> for Value {
    fn from(value: f32) -> Self {
        Self::float32(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::text(value)
    }
}
