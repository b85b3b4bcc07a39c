//! Constants as written and the values they are.

use hypostyle_functions::value::DecimalDigits;
use hypostyle_functions::{Literal, Type, Value};

use crate::error::{Error, Result};
use crate::span::Span;

/// Digits that fit a decimal; longer numbers are doubles.
const DECIMAL_DIGITS_MAX: usize = 38;

/// The value of a number: the smallest of INTEGER, BIGINT and HUGEINT that holds it, a decimal if it has a point, a
/// double if it has an exponent, or a point and too many digits.
///
/// # Errors
/// A whole number of more than 127 bits.
pub fn number(text: &str, span: Span) -> Result<Literal> {
    let is_integer = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if is_integer {
        return match text.parse::<i128>() {
            Ok(value) => Ok(Literal::new(integer(value))),
            Err(_) => {
                let message =
                    format!("the number {text} is beyond HUGEINT; write it with an exponent for a DOUBLE");
                Err(Error::invalid(message, span))
            }
        };
    }
    if !text.contains(['e', 'E'])
        && let Some(decimal) = decimal(text)
    {
        return Ok(Literal::new(decimal));
    }
    match text.parse::<f64>() {
        Ok(value) => Ok(Literal::new(Value::float64(value))),
        Err(_) => Err(Error::syntax(format!("\"{text}\" is not a number"), span)),
    }
}

fn integer(value: i128) -> Value {
    match (i32::try_from(value), i64::try_from(value)) {
        (Ok(value), _) => Value::Int32(value),
        (Err(_), Ok(value)) => Value::Int64(value),
        _ => Value::hugeint(value),
    }
}

/// `12.50` is a DECIMAL(4, 2): its digits are its type.
fn decimal(text: &str) -> Option<Value> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.')?;
    let whole = whole.trim_start_matches('0');
    // DuckDB counts one digit before the point even where it is zero: 0.1 is a DECIMAL(2, 1).
    let precision = whole.len().max(1) + fraction.len();
    if precision > DECIMAL_DIGITS_MAX {
        return None;
    }
    let unscaled: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let unscaled = if negative { -unscaled } else { unscaled };
    let (precision, scale) = (u8::try_from(precision).ok()?, i8::try_from(fraction.len()).ok()?);
    Some(Value::Decimal(DecimalDigits(unscaled), precision, scale))
}

/// An integer constant as a constant of another numeric type, if that holds it exactly.
pub fn adapt_integer(value: i128, to: &Type) -> Option<Value> {
    Some(match to {
        Type::Int8 => Value::Int8(value.try_into().ok()?),
        Type::Int16 => Value::Int16(value.try_into().ok()?),
        Type::Int32 => Value::Int32(value.try_into().ok()?),
        Type::Int64 => Value::Int64(value.try_into().ok()?),
        Type::UInt8 => Value::UInt8(value.try_into().ok()?),
        Type::UInt16 => Value::UInt16(value.try_into().ok()?),
        Type::UInt32 => Value::UInt32(value.try_into().ok()?),
        Type::UInt64 => Value::UInt64(value.try_into().ok()?),
        Type::Float64 if value.unsigned_abs() <= 1 << 53 => Value::float64(value as f64),
        Type::Float32 if value.unsigned_abs() <= 1 << 24 => Value::float32(value as f32),
        Type::Decimal(precision, scale) => {
            let unscaled = value.checked_mul(10i128.checked_pow(u32::try_from(*scale).ok()?)?)?;
            let limit = 10u128.checked_pow(u32::from(*precision))?;
            (unscaled.unsigned_abs() < limit).then_some(Value::Decimal(
                DecimalDigits(unscaled),
                *precision,
                *scale,
            ))?
        }
        _ => return None,
    })
}

/// The integer of an integer or HUGEINT constant.
pub fn as_integer(literal: &Literal) -> Option<i128> {
    match &literal.value {
        Value::Decimal(digits, _, 0) => Some(digits.0),
        Value::UInt64(value) => Some(i128::from(*value)),
        Value::Boolean(_) | Value::Null => None,
        other => other.as_i64().map(i128::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_of(text: &str) -> String {
        number(text, Span::NONE)
            .map_or_else(|error| error.to_string(), |literal| literal.data_type.to_string())
    }

    #[test]
    fn numbers_have_the_types_that_duckdb_gives_them() {
        for (text, expected) in [
            ("1", "INTEGER"),
            ("-2147483648", "INTEGER"),
            ("2147483648", "BIGINT"),
            ("-9223372036854775808", "BIGINT"),
            ("9223372036854775808", "HUGEINT"),
            ("0.1", "DECIMAL(2,1)"),
            (".5", "DECIMAL(2,1)"),
            ("123.456", "DECIMAL(6,3)"),
            ("5.", "DECIMAL(1,0)"),
            ("1e3", "DOUBLE"),
            ("170141183460469231731687303715884105727", "HUGEINT"),
        ] {
            assert_eq!(type_of(text), expected, "{text}");
        }
        let error = number("170141183460469231731687303715884105728", Span::NONE).unwrap_err().to_string();
        assert!(error.contains("is beyond HUGEINT"), "{error}");
    }

    #[test]
    fn an_integer_adapts_only_where_it_fits() {
        assert_eq!(adapt_integer(200, &Type::UInt8), Some(Value::UInt8(200)));
        assert_eq!(adapt_integer(200, &Type::Int8), None);
        assert_eq!(adapt_integer(5, &Type::Decimal(4, 2)), Some(Value::Decimal(DecimalDigits(500), 4, 2)));
        assert_eq!(adapt_integer(500, &Type::Decimal(4, 2)), None);
    }
}
