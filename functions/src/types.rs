//! Logical types. They say what a value is, never how a column is encoded.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, IntervalUnit, TimeUnit as ArrowTimeUnit};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Resolution of a timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TimeUnit {
    /// Seconds.
    Second,
    /// Milliseconds.
    Millisecond,
    /// Microseconds.
    Microsecond,
    /// Nanoseconds.
    Nanosecond,
}

impl TimeUnit {
    /// Ticks in one second.
    pub fn per_second(self) -> i64 {
        match self {
            Self::Second => 1,
            Self::Millisecond => 1_000,
            Self::Microsecond => 1_000_000,
            Self::Nanosecond => 1_000_000_000,
        }
    }
}

/// The type of a value.
///
/// The Arrow form of each is fixed ([`Type::to_arrow`]): text and binary are views, lists have 32-bit
/// offsets, every nested field is nullable.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Type {
    /// Type of a bare NULL; casts to every type.
    Null,
    /// True or false.
    Boolean,
    /// 8-bit signed integer, TINYINT.
    Int8,
    /// 16-bit signed integer, SMALLINT.
    Int16,
    /// 32-bit signed integer, INTEGER.
    Int32,
    /// 64-bit signed integer, BIGINT.
    Int64,
    /// 8-bit unsigned integer, UTINYINT.
    UInt8,
    /// 16-bit unsigned integer, USMALLINT.
    UInt16,
    /// 32-bit unsigned integer, UINTEGER.
    UInt32,
    /// 64-bit unsigned integer, UBIGINT.
    UInt64,
    /// IEEE half, HALF.
    Float16,
    /// IEEE single, FLOAT.
    Float32,
    /// IEEE double, DOUBLE.
    Float64,
    /// Fixed point: precision and scale. Up to [`Type::NARROW_DIGITS`] digits lie in 64 bits, more in 128;
    /// `Decimal(38, 0)` is HUGEINT.
    Decimal(u8, i8),
    /// UTF-8 text, VARCHAR.
    Text,
    /// Bytes, BLOB.
    Binary,
    /// Days since 1970-01-01.
    Date,
    /// Microseconds since midnight.
    Time,
    /// Ticks since 1970-01-01 00:00:00, without a zone.
    Timestamp(TimeUnit),
    /// Microseconds since 1970-01-01 00:00:00 UTC: an instant, shown in the session's zone.
    TimestampTz,
    /// Months, days and nanoseconds.
    Interval,
    /// Values of one type, any number of them.
    List(Box<Type>),
    /// Exactly this many values of one type: an embedding.
    FixedList(Box<Type>, usize),
    /// Named fields.
    Struct(Vec<Field>),
    /// Keys and values; keys are not null.
    Map(Box<Type>, Box<Type>),
}

/// A name and a type: a column of a table or a field of a struct.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Field {
    /// Name, in the case it was written.
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub data_type: Type,
}

impl Field {
    /// A field of this name and type.
    pub fn new(name: impl Into<String>, data_type: Type) -> Self {
        Self { name: name.into(), data_type }
    }
}

/// The columns of a table or a batch, in order. Names may repeat in a query's result.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Schema {
    /// The columns.
    pub fields: Vec<Field>,
}

impl Schema {
    /// A schema of these fields.
    pub fn new(fields: Vec<Field>) -> Self {
        Self { fields }
    }

    /// Position of the column of this name, case ignored; the first if there are several.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// The Arrow schema that rows are handed out in; every field nullable.
    pub fn to_arrow(&self) -> arrow::datatypes::Schema {
        let fields = self.fields.iter();
        let fields = fields.map(|field| ArrowField::new(&field.name, field.data_type.to_exported(), true));
        arrow::datatypes::Schema::new(fields.collect::<Vec<_>>())
    }

    /// Reads an Arrow schema.
    ///
    /// # Errors
    /// A type without a logical counterpart, with the column named.
    pub fn from_arrow(schema: &arrow::datatypes::Schema) -> Result<Self> {
        let fields = schema.fields().iter().map(|field| Field::from_arrow(field)).collect::<Result<_>>()?;
        Ok(Self { fields })
    }
}

impl Field {
    /// The Arrow field in the engine's layout, nullable.
    pub fn to_arrow(&self) -> ArrowField {
        ArrowField::new(&self.name, self.data_type.to_arrow(), true)
    }

    /// Reads an Arrow field.
    ///
    /// # Errors
    /// A type without a logical counterpart, with the field named.
    pub fn from_arrow(field: &ArrowField) -> Result<Self> {
        let data_type = Type::from_arrow(field.data_type()).map_err(|error| match error {
            Error::Unsupported { what, right } => {
                Error::Unsupported { what: format!("{what} of column \"{}\"", field.name()), right }
            }
            other => other,
        })?;
        Ok(Self { name: field.name().clone(), data_type })
    }
}

impl Type {
    /// HUGEINT: a 128-bit integer.
    pub const HUGEINT: Type = Type::Decimal(38, 0);
    /// The default timestamp, in microseconds.
    pub const TIMESTAMP: Type = Type::Timestamp(TimeUnit::Microsecond);

    /// A list of this type.
    pub fn list(element: Type) -> Self {
        Self::List(Box::new(element))
    }

    /// An embedding of this element type and dimension.
    pub fn fixed_list(element: Type, dimension: usize) -> Self {
        Self::FixedList(Box::new(element), dimension)
    }

    /// A map of these types.
    pub fn map(key: Type, value: Type) -> Self {
        Self::Map(Box::new(key), Box::new(value))
    }

    /// True for signed and unsigned integers; HUGEINT is not among them.
    pub fn is_integer(&self) -> bool {
        self.is_signed_integer() || self.is_unsigned_integer()
    }

    /// True for Int8 to Int64.
    pub fn is_signed_integer(&self) -> bool {
        matches!(self, Self::Int8 | Self::Int16 | Self::Int32 | Self::Int64)
    }

    /// True for UInt8 to UInt64.
    pub fn is_unsigned_integer(&self) -> bool {
        matches!(self, Self::UInt8 | Self::UInt16 | Self::UInt32 | Self::UInt64)
    }

    /// True for Float16, Float32 and Float64.
    pub fn is_float(&self) -> bool {
        matches!(self, Self::Float16 | Self::Float32 | Self::Float64)
    }

    /// True for integers, floats and decimals.
    pub fn is_numeric(&self) -> bool {
        self.is_integer() || self.is_float() || matches!(self, Self::Decimal(..))
    }

    /// Most digits of a decimal that lies in 64 bits.
    pub const NARROW_DIGITS: u8 = 18;

    /// True for a decimal whose digits lie in 64 bits.
    pub fn is_narrow_decimal(&self) -> bool {
        matches!(self, Self::Decimal(precision, _) if *precision <= Self::NARROW_DIGITS)
    }

    /// True for dates, times, timestamps and intervals.
    pub fn is_temporal(&self) -> bool {
        matches!(self, Self::Date | Self::Time | Self::Timestamp(_) | Self::TimestampTz | Self::Interval)
    }

    /// True for lists, fixed lists, structs and maps.
    pub fn is_nested(&self) -> bool {
        matches!(self, Self::List(_) | Self::FixedList(..) | Self::Struct(_) | Self::Map(..))
    }

    /// True where each value takes the same number of bytes and needs no child: what a fused program can hold.
    pub fn is_fixed_width(&self) -> bool {
        !self.is_nested() && !matches!(self, Self::Text | Self::Binary | Self::Null)
    }

    /// The element type of a list or fixed list.
    pub fn element(&self) -> Option<&Type> {
        match self {
            Self::List(element) | Self::FixedList(element, _) => Some(element),
            _ => None,
        }
    }

    /// The struct that holds one entry of a map of these types.
    pub fn map_entry(key: &Type, value: &Type) -> Type {
        Type::Struct(vec![Field::new("key", key.clone()), Field::new("value", value.clone())])
    }

    /// The Arrow type that values of this type are handed out in: as [`Type::to_arrow`], but decimals have 128 bits,
    /// which every reader of Arrow knows.
    pub fn to_exported(&self) -> DataType {
        fn exported(field: &ArrowField) -> ArrowField {
            field.clone().with_data_type(widened(field.data_type()))
        }
        fn widened(layout: &DataType) -> DataType {
            match layout {
                DataType::Decimal64(precision, scale) => DataType::Decimal128(*precision, *scale),
                DataType::List(element) => DataType::List(Arc::new(exported(element))),
                DataType::FixedSizeList(element, size) => {
                    DataType::FixedSizeList(Arc::new(exported(element)), *size)
                }
                DataType::Map(entries, sorted) => DataType::Map(Arc::new(exported(entries)), *sorted),
                DataType::Struct(fields) => {
                    DataType::Struct(fields.iter().map(|field| exported(field)).collect())
                }
                other => other.clone(),
            }
        }
        widened(&self.to_arrow())
    }

    /// The Arrow type of a flat column of this type in the engine.
    pub fn to_arrow(&self) -> DataType {
        match self {
            Self::Null => DataType::Null,
            Self::Boolean => DataType::Boolean,
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::UInt8 => DataType::UInt8,
            Self::UInt16 => DataType::UInt16,
            Self::UInt32 => DataType::UInt32,
            Self::UInt64 => DataType::UInt64,
            Self::Float16 => DataType::Float16,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Decimal(precision, scale) if self.is_narrow_decimal() => {
                DataType::Decimal64(*precision, *scale)
            }
            Self::Decimal(precision, scale) => DataType::Decimal128(*precision, *scale),
            Self::Text => DataType::Utf8View,
            Self::Binary => DataType::BinaryView,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(ArrowTimeUnit::Microsecond),
            Self::Timestamp(unit) => DataType::Timestamp(unit.to_arrow(), None),
            Self::TimestampTz => DataType::Timestamp(ArrowTimeUnit::Microsecond, Some(Arc::from("UTC"))),
            Self::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            Self::List(element) => {
                DataType::List(Arc::new(ArrowField::new("item", element.to_arrow(), true)))
            }
            Self::FixedList(element, size) => DataType::FixedSizeList(
                Arc::new(ArrowField::new("item", element.to_arrow(), true)),
                i32::try_from(*size).unwrap_or(i32::MAX),
            ),
            Self::Struct(fields) => DataType::Struct(fields.iter().map(Field::to_arrow).collect()),
            Self::Map(key, value) => {
                let entry = DataType::Struct(
                    vec![
                        ArrowField::new("key", key.to_arrow(), false),
                        ArrowField::new("value", value.to_arrow(), true),
                    ]
                    .into(),
                );
                DataType::Map(Arc::new(ArrowField::new("entries", entry, false)), false)
            }
        }
    }

    /// The logical type of an Arrow type. Encodings (dictionary, run-end, large, view) disappear.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for unions and 256-bit decimals.
    pub fn from_arrow(data_type: &DataType) -> Result<Self> {
        Ok(match data_type {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Boolean,
            DataType::Int8 => Self::Int8,
            DataType::Int16 => Self::Int16,
            DataType::Int32 => Self::Int32,
            DataType::Int64 => Self::Int64,
            DataType::UInt8 => Self::UInt8,
            DataType::UInt16 => Self::UInt16,
            DataType::UInt32 => Self::UInt32,
            DataType::UInt64 => Self::UInt64,
            DataType::Float16 => Self::Float16,
            DataType::Float32 => Self::Float32,
            DataType::Float64 => Self::Float64,
            DataType::Decimal32(precision, scale)
            | DataType::Decimal64(precision, scale)
            | DataType::Decimal128(precision, scale) => Self::Decimal(*precision, *scale),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => Self::Binary,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Time32(_) | DataType::Time64(_) => Self::Time,
            DataType::Timestamp(_, Some(_)) => Self::TimestampTz,
            DataType::Timestamp(unit, None) => Self::Timestamp(TimeUnit::from_arrow(*unit)),
            DataType::Interval(_) | DataType::Duration(_) => Self::Interval,
            DataType::List(field)
            | DataType::LargeList(field)
            | DataType::ListView(field)
            | DataType::LargeListView(field) => Self::list(Self::from_arrow(field.data_type())?),
            DataType::FixedSizeList(field, size) => {
                Self::fixed_list(Self::from_arrow(field.data_type())?, usize::try_from(*size).unwrap_or(0))
            }
            DataType::Struct(fields) => {
                Self::Struct(fields.iter().map(|field| Field::from_arrow(field)).collect::<Result<_>>()?)
            }
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields) if fields.len() == 2 => Self::map(
                    Self::from_arrow(fields[0].data_type())?,
                    Self::from_arrow(fields[1].data_type())?,
                ),
                other => return Err(Error::internal(format!("map entries of type {other}"))),
            },
            DataType::Dictionary(_, value) => Self::from_arrow(value)?,
            DataType::RunEndEncoded(_, value) => Self::from_arrow(value.data_type())?,
            other => {
                return Err(Error::Unsupported {
                    what: other.to_string(),
                    right: "cast the column to a supported type before handing it over".into(),
                });
            }
        })
    }
}

impl TimeUnit {
    fn to_arrow(self) -> ArrowTimeUnit {
        match self {
            Self::Second => ArrowTimeUnit::Second,
            Self::Millisecond => ArrowTimeUnit::Millisecond,
            Self::Microsecond => ArrowTimeUnit::Microsecond,
            Self::Nanosecond => ArrowTimeUnit::Nanosecond,
        }
    }

    fn from_arrow(unit: ArrowTimeUnit) -> Self {
        match unit {
            ArrowTimeUnit::Second => Self::Second,
            ArrowTimeUnit::Millisecond => Self::Millisecond,
            ArrowTimeUnit::Microsecond => Self::Microsecond,
            ArrowTimeUnit::Nanosecond => Self::Nanosecond,
        }
    }
}

/// True for a name that reads back without quotes, whatever its case.
fn is_plain_name(name: &str) -> bool {
    let starts_plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts_plain && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The SQL name, as DuckDB prints it.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("\"NULL\""),
            Self::Boolean => f.write_str("BOOLEAN"),
            Self::Int8 => f.write_str("TINYINT"),
            Self::Int16 => f.write_str("SMALLINT"),
            Self::Int32 => f.write_str("INTEGER"),
            Self::Int64 => f.write_str("BIGINT"),
            Self::UInt8 => f.write_str("UTINYINT"),
            Self::UInt16 => f.write_str("USMALLINT"),
            Self::UInt32 => f.write_str("UINTEGER"),
            Self::UInt64 => f.write_str("UBIGINT"),
            Self::Float16 => f.write_str("HALF"),
            Self::Float32 => f.write_str("FLOAT"),
            Self::Float64 => f.write_str("DOUBLE"),
            Self::Decimal(38, 0) => f.write_str("HUGEINT"),
            Self::Decimal(precision, scale) => write!(f, "DECIMAL({precision},{scale})"),
            Self::Text => f.write_str("VARCHAR"),
            Self::Binary => f.write_str("BLOB"),
            Self::Date => f.write_str("DATE"),
            Self::Time => f.write_str("TIME"),
            Self::Timestamp(TimeUnit::Second) => f.write_str("TIMESTAMP_S"),
            Self::Timestamp(TimeUnit::Millisecond) => f.write_str("TIMESTAMP_MS"),
            Self::Timestamp(TimeUnit::Microsecond) => f.write_str("TIMESTAMP"),
            Self::Timestamp(TimeUnit::Nanosecond) => f.write_str("TIMESTAMP_NS"),
            Self::TimestampTz => f.write_str("TIMESTAMP WITH TIME ZONE"),
            Self::Interval => f.write_str("INTERVAL"),
            Self::List(element) => write!(f, "{element}[]"),
            Self::FixedList(element, size) => write!(f, "{element}[{size}]"),
            Self::Struct(fields) => {
                f.write_str("STRUCT(")?;
                for (index, field) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    match is_plain_name(&field.name) {
                        true => write!(f, "{comma}{} {}", field.name, field.data_type)?,
                        false => {
                            let quoted = field.name.replace('"', "\"\"");
                            write!(f, "{comma}\"{quoted}\" {}", field.data_type)?;
                        }
                    }
                }
                f.write_str(")")
            }
            Self::Map(key, value) => write!(f, "MAP({key}, {value})"),
        }
    }
}
