//! Names of types and what they mean.

use hypostyle_functions::{Field, TimeUnit, Type};

use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::tree::TypeName;

/// Names of types without parts, with DuckDB's aliases.
const PLAIN: [(&str, Type); 60] = [
    ("BIGINT", Type::Int64),
    ("INT8", Type::Int64),
    ("INT64", Type::Int64),
    ("LONG", Type::Int64),
    ("OID", Type::Int64),
    ("INTEGER", Type::Int32),
    ("INT", Type::Int32),
    ("INT4", Type::Int32),
    ("INT32", Type::Int32),
    ("SIGNED", Type::Int32),
    ("SMALLINT", Type::Int16),
    ("INT2", Type::Int16),
    ("INT16", Type::Int16),
    ("SHORT", Type::Int16),
    ("TINYINT", Type::Int8),
    ("INT1", Type::Int8),
    ("UBIGINT", Type::UInt64),
    ("UINT64", Type::UInt64),
    ("UINTEGER", Type::UInt32),
    ("UINT32", Type::UInt32),
    ("USMALLINT", Type::UInt16),
    ("UINT16", Type::UInt16),
    ("UTINYINT", Type::UInt8),
    ("UINT8", Type::UInt8),
    ("HUGEINT", Type::HUGEINT),
    ("INT128", Type::HUGEINT),
    ("DOUBLE", Type::Float64),
    ("FLOAT8", Type::Float64),
    ("FLOAT64", Type::Float64),
    ("FLOAT", Type::Float32),
    ("FLOAT4", Type::Float32),
    ("FLOAT32", Type::Float32),
    ("REAL", Type::Float32),
    ("HALF", Type::Float16),
    ("FLOAT16", Type::Float16),
    ("BOOLEAN", Type::Boolean),
    ("BOOL", Type::Boolean),
    ("LOGICAL", Type::Boolean),
    ("VARCHAR", Type::Text),
    ("TEXT", Type::Text),
    ("STRING", Type::Text),
    ("CHAR", Type::Text),
    ("BPCHAR", Type::Text),
    ("NVARCHAR", Type::Text),
    ("JSON", Type::Text),
    ("BLOB", Type::Binary),
    ("BYTEA", Type::Binary),
    ("BINARY", Type::Binary),
    ("VARBINARY", Type::Binary),
    ("DATE", Type::Date),
    ("TIME", Type::Time),
    ("TIMESTAMP", Type::Timestamp(TimeUnit::Microsecond)),
    ("DATETIME", Type::Timestamp(TimeUnit::Microsecond)),
    ("TIMESTAMP_US", Type::Timestamp(TimeUnit::Microsecond)),
    ("TIMESTAMP_S", Type::Timestamp(TimeUnit::Second)),
    ("TIMESTAMP_MS", Type::Timestamp(TimeUnit::Millisecond)),
    ("TIMESTAMP_NS", Type::Timestamp(TimeUnit::Nanosecond)),
    ("TIMESTAMPTZ", Type::TimestampTz),
    ("INTERVAL", Type::Interval),
    ("NULL", Type::Null),
];

/// Types that DuckDB has and this engine refuses by name.
const REFUSED: [&str; 11] = [
    "UUID",
    "BIT",
    "BITSTRING",
    "TIMETZ",
    "UHUGEINT",
    "UINT128",
    "BIGNUM",
    "VARINT",
    "ENUM",
    "UNION",
    "VARIANT",
];

/// Largest precision of a decimal.
const PRECISION_MAX: i64 = 38;

/// The type that a name means.
pub fn resolve(name: &TypeName) -> Result<Type> {
    match (name.name.as_str(), name.children.as_slice()) {
        ("LIST", [(_, element)]) => {
            let element = resolve(element)?;
            match name.dimension {
                None => Ok(Type::list(element)),
                Some(dimension) => fixed_list(element, dimension, name),
            }
        }
        ("MAP", [(_, key), (_, value)]) => Ok(Type::map(resolve(key)?, resolve(value)?)),
        ("STRUCT" | "ROW", fields) if !fields.is_empty() => {
            let fields =
                fields.iter().map(|(name, data_type)| Ok(Field::new(name.text.clone(), resolve(data_type)?)));
            Ok(Type::Struct(fields.collect::<Result<_>>()?))
        }
        ("DECIMAL" | "NUMERIC" | "DEC", []) => decimal(name),
        (plain, []) => plain_type(plain, name),
        (other, _) => Err(Error::invalid(format!("type {other} takes no parts"), name.span)),
    }
}

fn fixed_list(element: Type, dimension: u64, name: &TypeName) -> Result<Type> {
    match usize::try_from(dimension) {
        Ok(size) if (1..=100_000).contains(&size) => Ok(Type::fixed_list(element, size)),
        _ => Err(Error::invalid(
            format!("the dimension of an array is 1 to 100000, not {dimension}"),
            name.span,
        )),
    }
}

fn decimal(name: &TypeName) -> Result<Type> {
    let (precision, scale) = match name.numbers.as_slice() {
        [] => (18, 3),
        [precision] => (*precision, 0),
        [precision, scale] => (*precision, *scale),
        _ => return Err(Error::invalid("DECIMAL takes a precision and a scale", name.span)),
    };
    let valid = (1..=PRECISION_MAX).contains(&precision) && (0..=precision).contains(&scale);
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(precision), Ok(scale)) if valid => Ok(Type::Decimal(precision, scale)),
        _ => {
            let message =
                format!("DECIMAL({precision}, {scale}) needs a precision of 1 to 38 and a scale up to it");
            Err(Error::invalid(message, name.span))
        }
    }
}

fn plain_type(plain: &str, name: &TypeName) -> Result<Type> {
    if let Some((_, data_type)) = PLAIN.iter().find(|(known, _)| *known == plain) {
        return Ok(data_type.clone());
    }
    if REFUSED.contains(&plain) {
        return Err(Error::unsupported(format!("type {plain} is"), name.span));
    }
    let suggestion = nearest(plain, PLAIN.iter().map(|(known, _)| *known));
    Err(Error::unknown("type", plain, suggestion, name.span))
}
