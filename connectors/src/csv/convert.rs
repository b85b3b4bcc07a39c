//! Fields of one column as an array.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, BinaryViewBuilder, PrimitiveArray, StringViewBuilder};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use hypostyle_functions::{TimeUnit, Type};

use super::dialect::Dialect;
use super::records::{Span, unescape};
use crate::arrow_form::{cast_strictly, decimals};
use crate::text_value::{
    Pattern, Zone, boolean, decimal, float, huge, iso_date, iso_timestamp, signed, time, trimmed, unsigned,
};

/// How the text of a column is read.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnFormat {
    /// Truth values.
    Boolean,
    /// An integer type of up to 64 bits.
    Integer(Type),
    /// Fixed point, also 128-bit integers.
    Decimal(u8, i8),
    /// A float type.
    Float(Type),
    /// Dates, in ISO form without a pattern.
    Date(Option<Pattern>),
    /// Times of day.
    Time,
    /// Timestamps without a zone.
    Timestamp(Option<Pattern>, TimeUnit),
    /// Timestamps in UTC.
    Instant(Option<Pattern>),
    /// Text as it is.
    Text,
    /// The bytes of the text.
    Binary,
    /// A type that is read as text and cast.
    Cast(Type),
}

/// A field that does not have the type of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadValue {
    /// Position among the spans.
    pub row: usize,
    /// Whether it is no text at all.
    pub invalid_utf8: bool,
}

/// The block that spans point into.
#[derive(Debug)]
pub enum BlockText {
    /// Valid UTF-8, checked once for all its fields.
    Text(String),
    /// Bytes that have to be checked field by field.
    Bytes(Vec<u8>),
}

impl BlockText {
    /// Checks a block.
    pub fn new(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Bytes(error.into_bytes()), Self::Text)
    }

    /// All bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// A field as text; `None` if it is not UTF-8.
    #[inline]
    pub fn text(&self, span: &Span) -> Option<&str> {
        match self {
            Self::Text(text) => text.get(span.start as usize..span.end as usize),
            Self::Bytes(bytes) => std::str::from_utf8(span.of(bytes)).ok(),
        }
    }
}

/// What all columns of a read share.
pub struct Conversion<'a> {
    /// The block.
    pub block: &'a BlockText,
    /// Its dialect.
    pub dialect: &'a Dialect,
    /// Texts that are null.
    pub null_texts: &'a [String],
}

impl ColumnFormat {
    /// How a column of a type is read; `None` for nested types, which have no text form here.
    pub fn of(data_type: &Type, date: Option<&Pattern>, timestamp: Option<&Pattern>) -> Option<Self> {
        Some(match data_type {
            Type::Boolean => Self::Boolean,
            integer if integer.is_integer() => Self::Integer(integer.clone()),
            Type::Decimal(precision, scale) => Self::Decimal(*precision, *scale),
            Type::Float32 | Type::Float64 => Self::Float(data_type.clone()),
            Type::Date => Self::Date(date.cloned()),
            Type::Time => Self::Time,
            Type::Timestamp(unit) => Self::Timestamp(timestamp.cloned(), *unit),
            Type::TimestampTz => Self::Instant(timestamp.cloned()),
            Type::Text | Type::Null => Self::Text,
            Type::Binary => Self::Binary,
            Type::Float16 | Type::Interval => Self::Cast(data_type.clone()),
            _ => return None,
        })
    }

    /// The type of the column.
    pub fn data_type(&self) -> Type {
        match self {
            Self::Boolean => Type::Boolean,
            Self::Integer(data_type) | Self::Float(data_type) | Self::Cast(data_type) => data_type.clone(),
            Self::Decimal(precision, scale) => Type::Decimal(*precision, *scale),
            Self::Date(_) => Type::Date,
            Self::Time => Type::Time,
            Self::Timestamp(_, unit) => Type::Timestamp(*unit),
            Self::Instant(_) => Type::TimestampTz,
            Self::Text => Type::Text,
            Self::Binary => Type::Binary,
        }
    }

    /// The pattern of a date or timestamp, if it has one.
    pub fn pattern(&self) -> Option<&Pattern> {
        match self {
            Self::Date(pattern) | Self::Timestamp(pattern, _) | Self::Instant(pattern) => pattern.as_ref(),
            _ => None,
        }
    }

    /// True if a value can be read as this type.
    pub fn accepts(&self, value: &[u8]) -> bool {
        let value = trimmed(value);
        match self {
            Self::Boolean => boolean(value).is_some(),
            Self::Integer(_) => signed(value).is_some() || unsigned(value).is_some(),
            Self::Decimal(precision, scale) => decimal(value, *precision, *scale).is_some(),
            Self::Float(_) => float(value).is_some(),
            Self::Date(pattern) => date_of(pattern, value).is_some(),
            Self::Time => time(value).is_some(),
            Self::Timestamp(pattern, _) => timestamp_of(pattern, value).is_some(),
            Self::Instant(pattern) => timestamp_of(pattern, value).is_some(),
            Self::Text | Self::Binary | Self::Cast(_) => true,
        }
    }

    /// The fields as an array. A field that does not fit is null, and named in `bad`.
    pub fn convert(&self, spans: &[Span], conversion: &Conversion<'_>, bad: &mut Vec<BadValue>) -> ArrayRef {
        match self {
            Self::Boolean => conversion.booleans(spans, bad),
            Self::Integer(data_type) => conversion.integers(data_type, spans, bad),
            Self::Decimal(38, 0) => decimals(
                conversion.values::<Decimal128Type>(spans, bad, |value| {
                    huge(value)
                        .filter(|value| value.unsigned_abs() < 10u128.pow(38))
                        .or_else(|| decimal(value, 38, 0))
                }),
                38,
                0,
            ),
            Self::Decimal(precision, scale) => decimals(
                conversion.values::<Decimal128Type>(spans, bad, |value| decimal(value, *precision, *scale)),
                *precision,
                *scale,
            ),
            Self::Float(Type::Float32) => Arc::new(conversion.values::<Float32Type>(spans, bad, |value| {
                lexical_core::parse(value).ok().or_else(|| float(value).map(|value| value as f32))
            })),
            Self::Float(_) => Arc::new(conversion.values::<Float64Type>(spans, bad, float)),
            Self::Date(pattern) => {
                Arc::new(conversion.values::<Date32Type>(spans, bad, |value| date_of(pattern, value)))
            }
            Self::Time => Arc::new(conversion.values::<Time64MicrosecondType>(spans, bad, time)),
            Self::Timestamp(pattern, unit) => {
                let micros = conversion
                    .values::<Int64Type>(spans, bad, |value| in_unit(timestamp_of(pattern, value)?, *unit));
                with_type(&micros, &Type::Timestamp(*unit))
            }
            Self::Instant(pattern) => with_type(
                &conversion.values::<Int64Type>(spans, bad, |value| timestamp_of(pattern, value)),
                &Type::TimestampTz,
            ),
            Self::Text => Arc::new(conversion.texts(spans, bad).finish()),
            Self::Binary => conversion.binaries(spans),
            Self::Cast(data_type) => conversion.cast(spans, data_type, bad),
        }
    }
}

impl Conversion<'_> {
    #[inline]
    fn is_null(&self, value: &[u8]) -> bool {
        self.null_texts.iter().any(|text| text.as_bytes() == value)
    }

    /// Calls `put` with the row and bytes of each field that is not null, without spaces around.
    #[inline]
    fn each(
        &self,
        spans: &[Span],
        mut put: impl FnMut(usize, &[u8]) -> bool,
        bad: &mut Vec<BadValue>,
    ) -> Option<NullBuffer> {
        let bytes = self.block.bytes();
        let mut valid = vec![true; spans.len()];
        let mut unescaped = Vec::new();
        for (row, span) in spans.iter().enumerate() {
            let raw = span.of(bytes);
            let value = if span.escaped {
                unescape(raw, self.dialect, &mut unescaped);
                trimmed(&unescaped)
            } else {
                trimmed(raw)
            };
            if value.is_empty() || self.is_null(value) {
                valid[row] = false;
            } else if !put(row, value) {
                valid[row] = false;
                bad.push(BadValue { row, invalid_utf8: false });
            }
        }
        valid.contains(&false).then(|| NullBuffer::from(valid))
    }

    fn values<T: ArrowPrimitiveType>(
        &self,
        spans: &[Span],
        bad: &mut Vec<BadValue>,
        read: impl Fn(&[u8]) -> Option<T::Native>,
    ) -> PrimitiveArray<T> {
        let mut values = vec![T::Native::default(); spans.len()];
        let nulls = self.each(
            spans,
            |row, value| match read(value) {
                Some(value) => {
                    values[row] = value;
                    true
                }
                None => false,
            },
            bad,
        );
        PrimitiveArray::new(values.into(), nulls)
    }

    fn integers(&self, data_type: &Type, spans: &[Span], bad: &mut Vec<BadValue>) -> ArrayRef {
        macro_rules! narrow {
            ($arrow:ty, $rust:ty) => {
                Arc::new(self.values::<$arrow>(spans, bad, |value| <$rust>::try_from(signed(value)?).ok()))
            };
        }
        // One arm expands to `Arc::new(self.values::<Int8Type>(spans, bad, |value| i8::try_from(signed(value)?).ok()))`.
        match data_type {
            Type::Int8 => narrow!(Int8Type, i8),
            Type::Int16 => narrow!(Int16Type, i16),
            Type::Int32 => narrow!(Int32Type, i32),
            Type::UInt8 => narrow!(UInt8Type, u8),
            Type::UInt16 => narrow!(UInt16Type, u16),
            Type::UInt32 => narrow!(UInt32Type, u32),
            Type::UInt64 => Arc::new(self.values::<UInt64Type>(spans, bad, unsigned)),
            _ => Arc::new(self.values::<Int64Type>(spans, bad, signed)),
        }
    }

    fn booleans(&self, spans: &[Span], bad: &mut Vec<BadValue>) -> ArrayRef {
        let mut values = vec![false; spans.len()];
        let nulls = self.each(
            spans,
            |row, value| match boolean(value) {
                Some(value) => {
                    values[row] = value;
                    true
                }
                None => false,
            },
            bad,
        );
        Arc::new(arrow::array::BooleanArray::new(values.into(), nulls))
    }

    fn texts(&self, spans: &[Span], bad: &mut Vec<BadValue>) -> StringViewBuilder {
        let mut builder = StringViewBuilder::with_capacity(spans.len());
        let mut unescaped = Vec::new();
        for (row, span) in spans.iter().enumerate() {
            let text = if span.escaped {
                unescape(span.of(self.block.bytes()), self.dialect, &mut unescaped);
                std::str::from_utf8(&unescaped).ok()
            } else {
                self.block.text(span)
            };
            match text {
                Some(text) if span.missing || self.is_null(text.as_bytes()) => builder.append_null(),
                Some(text) => builder.append_value(text),
                None => {
                    builder.append_null();
                    bad.push(BadValue { row, invalid_utf8: true });
                }
            }
        }
        builder
    }

    fn binaries(&self, spans: &[Span]) -> ArrayRef {
        let mut builder = BinaryViewBuilder::with_capacity(spans.len());
        let mut unescaped = Vec::new();
        for span in spans {
            let raw = span.of(self.block.bytes());
            let value = if span.escaped {
                unescape(raw, self.dialect, &mut unescaped);
                unescaped.as_slice()
            } else {
                raw
            };
            if span.missing || self.is_null(value) {
                builder.append_null()
            } else {
                builder.append_value(value)
            }
        }
        Arc::new(builder.finish())
    }

    /// Casts value by value only if the cast of all of them fails, to find those that do not fit.
    fn cast(&self, spans: &[Span], data_type: &Type, bad: &mut Vec<BadValue>) -> ArrayRef {
        let wanted = data_type.to_arrow();
        let texts = self.texts(spans, bad).finish();
        let plain = arrow::compute::cast(&texts, &arrow::datatypes::DataType::Utf8);
        let all = plain.as_ref().ok().and_then(|plain| cast_strictly(plain, &wanted).ok());
        if let Some(array) = all {
            return array;
        }
        let lenient = plain.and_then(|plain| arrow::compute::cast(&plain, &wanted));
        let array = lenient.unwrap_or_else(|_| arrow::array::new_null_array(&wanted, spans.len()));
        use arrow::array::Array;
        let failed = (0..spans.len()).filter(|&row| array.is_null(row) && texts.is_valid(row));
        bad.extend(failed.map(|row| BadValue { row, invalid_utf8: false }));
        array
    }
}

fn date_of(pattern: &Option<Pattern>, value: &[u8]) -> Option<i32> {
    match pattern {
        Some(pattern) => pattern.date(value),
        None => iso_date(value),
    }
}

/// Micros since the epoch. A date alone is its midnight.
fn timestamp_of(pattern: &Option<Pattern>, value: &[u8]) -> Option<i64> {
    match pattern {
        Some(pattern) => pattern.timestamp(value),
        None => match iso_timestamp(value) {
            Some((micros, Zone::Local | Zone::Utc)) => Some(micros),
            None => iso_date(value).map(|days| i64::from(days) * 86_400_000_000),
        },
    }
}

fn in_unit(micros: i64, unit: TimeUnit) -> Option<i64> {
    match unit {
        TimeUnit::Nanosecond => micros.checked_mul(1_000),
        coarser => Some(micros.div_euclid(1_000_000 / coarser.per_second())),
    }
}

fn with_type(values: &PrimitiveArray<Int64Type>, data_type: &Type) -> ArrayRef {
    use arrow::datatypes::{
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    };
    match data_type {
        Type::Timestamp(TimeUnit::Second) => Arc::new(values.reinterpret_cast::<TimestampSecondType>()),
        Type::Timestamp(TimeUnit::Millisecond) => {
            Arc::new(values.reinterpret_cast::<TimestampMillisecondType>())
        }
        Type::Timestamp(TimeUnit::Nanosecond) => {
            Arc::new(values.reinterpret_cast::<TimestampNanosecondType>())
        }
        Type::TimestampTz => {
            Arc::new(values.reinterpret_cast::<TimestampMicrosecondType>().with_timezone("UTC"))
        }
        _ => Arc::new(values.reinterpret_cast::<TimestampMicrosecondType>()),
    }
}
