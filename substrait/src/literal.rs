//! Constants, both ways.

use std::collections::HashMap;

use hypostyle_functions::value::DecimalDigits;
use hypostyle_functions::{Field, Literal, TimeUnit, Type, Value};

use crate::data_type::{self, DeclareType, UNSIGNED, decimal_of, is_nameless, unit};
use crate::error::{Error, Result};
use crate::message::data_type::List;
use crate::message::literal::{
    DecimalLiteral, IntervalCompound, IntervalDay, IntervalYear, Literal as Message, LiteralEntry,
    LiteralKind, LiteralList, LiteralMap, PrecisionValue, SubsecondUnit,
};

const MONTHS_PER_YEAR: i32 = 12;
const NANOSECONDS_PER_SECOND: i64 = 1_000_000_000;
/// Fractional digits of seconds.
const MICROSECONDS: i32 = 6;
const NANOSECONDS: i32 = 9;

/// A value of this type as a message; `None` if the format has no literal of it.
pub fn write(value: &Value, data_type: &Type, declare: &mut impl DeclareType) -> Option<Message> {
    if let Value::Null = value {
        return is_nameless(data_type)
            .then(|| message(LiteralKind::Null(data_type::write(data_type, declare))));
    }
    let mut unsigned = |kind| {
        declare.use_unsigned();
        Some(Message { variation: UNSIGNED, ..message(kind) })
    };
    // Bits of a number without a sign are those of one with a sign.
    Some(message(match value {
        Value::Boolean(value) => LiteralKind::Boolean(*value),
        Value::Int8(value) => LiteralKind::I8(i32::from(*value)),
        Value::Int16(value) => LiteralKind::I16(i32::from(*value)),
        Value::Int32(value) => LiteralKind::I32(*value),
        Value::Int64(value) => LiteralKind::I64(*value),
        Value::UInt8(value) => return unsigned(LiteralKind::I8(i32::from(*value))),
        Value::UInt16(value) => return unsigned(LiteralKind::I16(i32::from(*value))),
        Value::UInt32(value) => return unsigned(LiteralKind::I32(value.cast_signed())),
        Value::UInt64(value) => return unsigned(LiteralKind::I64(value.cast_signed())),
        Value::Float32(bits) => LiteralKind::Fp32(f32::from_bits(bits.0)),
        Value::Float64(bits) => LiteralKind::Fp64(f64::from_bits(bits.0)),
        Value::Decimal(digits, precision, scale) => LiteralKind::Decimal(DecimalLiteral {
            value: digits.0.to_le_bytes().to_vec(),
            precision: i32::from(*precision),
            scale: i32::from(*scale),
        }),
        Value::Text(text) => LiteralKind::String(text.clone()),
        Value::Binary(bytes) => LiteralKind::Binary(bytes.clone()),
        Value::Date(days) => LiteralKind::Date(*days),
        Value::Time(value) => {
            LiteralKind::PrecisionTime(PrecisionValue { precision: MICROSECONDS, value: *value })
        }
        Value::Timestamp(value, unit) => LiteralKind::PrecisionTimestamp(PrecisionValue {
            precision: data_type::digits(*unit),
            value: *value,
        }),
        Value::TimestampTz(value) => {
            LiteralKind::PrecisionTimestampTz(PrecisionValue { precision: MICROSECONDS, value: *value })
        }
        Value::Interval(months, days, nanoseconds) => {
            LiteralKind::IntervalCompound(interval(*months, *days, *nanoseconds)?)
        }
        Value::List(element, values) if is_nameless(element) => list(element, values, declare)?,
        Value::Shared(shared) if is_nameless(shared.element()) => {
            list(shared.element(), shared.values(), declare)?
        }
        Value::Map(key, item, entries) if is_nameless(data_type) && !entries.is_empty() => {
            let mut written = Vec::with_capacity(entries.len());
            for (held, value) in entries {
                let (key, value) = (write(held, key, declare)?, write(value, item, declare)?);
                written.push(LiteralEntry { key: Some(key), value: Some(value) });
            }
            LiteralKind::Map(LiteralMap { entries: written })
        }
        _ => return None,
    }))
}

fn message(kind: LiteralKind) -> Message {
    Message { nullable: true, variation: 0, kind: Some(kind) }
}

fn list(element: &Type, values: &[Value], declare: &mut impl DeclareType) -> Option<LiteralKind> {
    if values.is_empty() {
        let element = Some(Box::new(data_type::write(element, declare)));
        return Some(LiteralKind::EmptyList(List { element, variation: 0, nullability: 1 }));
    }
    let values = values.iter().map(|value| write(value, element, declare)).collect::<Option<_>>()?;
    Some(LiteralKind::List(LiteralList { values }))
}

fn interval(months: i32, days: i32, nanoseconds: i64) -> Option<IntervalCompound> {
    let seconds = i32::try_from(nanoseconds / NANOSECONDS_PER_SECOND).ok()?;
    Some(IntervalCompound {
        year_to_month: Some(IntervalYear {
            years: months / MONTHS_PER_YEAR,
            months: months % MONTHS_PER_YEAR,
        }),
        day_to_second: Some(IntervalDay {
            days,
            seconds,
            subseconds: nanoseconds % NANOSECONDS_PER_SECOND,
            unit: Some(SubsecondUnit::Precision(NANOSECONDS)),
        }),
    })
}

/// A literal as it was read.
///
/// # Errors
/// A literal without a counterpart, or out of the range of its type.
pub fn read(literal: &Message, declared: &HashMap<u32, String>) -> Result<Literal> {
    let kind = literal.kind.as_ref().ok_or_else(|| Error::missing("value of a literal"))?;
    let unsigned = literal.variation == UNSIGNED;
    let out_of_range = |_| Error::invalid("a literal is out of the range of its type");
    let value = match kind {
        LiteralKind::Null(data_type) => return Ok(Literal::null(data_type::read(data_type, declared)?)),
        LiteralKind::EmptyList(list) => {
            let element = list.element.as_deref().ok_or_else(|| Error::missing("type of a list"))?;
            Value::List(data_type::read(element, declared)?, Vec::new())
        }
        LiteralKind::EmptyMap(map) => {
            let part = |part: Option<&_>| {
                data_type::read(part.ok_or_else(|| Error::missing("type of a map"))?, declared)
            };
            Value::Map(part(map.key.as_deref())?, part(map.value.as_deref())?, Vec::new())
        }
        LiteralKind::Boolean(value) => Value::Boolean(*value),
        LiteralKind::I8(value) if unsigned => Value::UInt8(u8::try_from(*value).map_err(out_of_range)?),
        LiteralKind::I16(value) if unsigned => Value::UInt16(u16::try_from(*value).map_err(out_of_range)?),
        LiteralKind::I32(value) if unsigned => Value::UInt32(value.cast_unsigned()),
        LiteralKind::I64(value) if unsigned => Value::UInt64(value.cast_unsigned()),
        LiteralKind::I8(value) => Value::Int8(i8::try_from(*value).map_err(out_of_range)?),
        LiteralKind::I16(value) => Value::Int16(i16::try_from(*value).map_err(out_of_range)?),
        LiteralKind::I32(value) => Value::Int32(*value),
        LiteralKind::I64(value) => Value::Int64(*value),
        LiteralKind::Fp32(value) => Value::float32(*value),
        LiteralKind::Fp64(value) => Value::float64(*value),
        LiteralKind::String(text) | LiteralKind::FixedChar(text) => Value::Text(text.clone()),
        LiteralKind::VarChar(text) => Value::Text(text.value.clone()),
        LiteralKind::Binary(bytes) | LiteralKind::FixedBinary(bytes) => Value::Binary(bytes.clone()),
        LiteralKind::Date(days) => Value::Date(*days),
        LiteralKind::Time(value) => Value::Time(*value),
        LiteralKind::PrecisionTime(time) => Value::Time(microseconds(time)?),
        LiteralKind::Timestamp(value) => Value::Timestamp(*value, TimeUnit::Microsecond),
        LiteralKind::TimestampTz(value) => Value::TimestampTz(*value),
        LiteralKind::PrecisionTimestamp(time) => Value::Timestamp(time.value, unit(time.precision)?),
        LiteralKind::PrecisionTimestampTz(time) => Value::TimestampTz(microseconds(time)?),
        LiteralKind::IntervalYearToMonth(years) => Value::Interval(months(years)?, 0, 0),
        LiteralKind::IntervalDayToSecond(days) => Value::Interval(0, days.days, nanoseconds(days)?),
        LiteralKind::IntervalCompound(interval) => {
            let months = interval.year_to_month.as_ref().map_or(Ok(0), months)?;
            let days = interval.day_to_second.clone().unwrap_or_default();
            Value::Interval(months, days.days, nanoseconds(&days)?)
        }
        LiteralKind::Decimal(decimal) => read_decimal(decimal)?,
        LiteralKind::Struct(fields) => {
            let fields = fields.fields.iter().map(|field| read(field, declared));
            let fields: Vec<Literal> = fields.collect::<Result<_>>()?;
            let types = fields.iter().map(|field| field.data_type.clone()).collect();
            Value::Struct(fields.into_iter().map(|field| (String::new(), field.value)).collect(), types)
        }
        LiteralKind::List(list) => {
            let (element, values) = of_one_type(list.values.iter(), declared)?;
            Value::List(element, values)
        }
        LiteralKind::Map(map) => read_map(map, declared)?,
        LiteralKind::Uuid(_) => return Err(Error::unsupported("a uuid literal")),
        LiteralKind::UserDefined(_) => return Err(Error::unsupported("a literal of a user-defined type")),
    };
    Ok(match (&value, kind) {
        // The names of fields are empty, and its type tells it.
        (Value::Struct(_, types), _) => {
            let fields = types.iter().map(|data_type| Field::new("", data_type.clone())).collect();
            Literal { data_type: Type::Struct(fields), value }
        }
        _ => Literal::new(value),
    })
}

fn read_decimal(decimal: &DecimalLiteral) -> Result<Value> {
    let Type::Decimal(precision, scale) = decimal_of(decimal.precision, decimal.scale)? else {
        return Err(Error::missing("decimal type"));
    };
    let bytes: [u8; 16] = decimal.value.as_slice().try_into().map_err(|_| {
        Error::invalid(format!("a decimal literal has {} bytes; expected 16", decimal.value.len()))
    })?;
    let digits = i128::from_le_bytes(bytes);
    // A HUGEINT holds every number of 128 bits.
    let fits = precision == 38 || digits.unsigned_abs() < 10u128.pow(u32::from(precision));
    match fits {
        true => Ok(Value::Decimal(DecimalDigits(digits), precision, scale)),
        false => Err(Error::invalid(format!("a decimal literal has more than {precision} digits"))),
    }
}

fn read_map(map: &LiteralMap, declared: &HashMap<u32, String>) -> Result<Value> {
    let part = |part: Option<_>| part.ok_or_else(|| Error::missing("key or value of a map"));
    let keys: Vec<&Message> =
        map.entries.iter().map(|entry| part(entry.key.as_ref())).collect::<Result<_>>()?;
    let values: Vec<&Message> =
        map.entries.iter().map(|entry| part(entry.value.as_ref())).collect::<Result<_>>()?;
    let (key_type, keys) = of_one_type(keys.into_iter(), declared)?;
    let (value_type, values) = of_one_type(values.into_iter(), declared)?;
    for (position, key) in keys.iter().enumerate() {
        if key.is_null() || keys[..position].contains(key) {
            return Err(Error::invalid("the keys of a map are not null, and each is there once"));
        }
    }
    Ok(Value::Map(key_type, value_type, keys.into_iter().zip(values).collect()))
}

/// Values that all have the type of the first; a null takes the type of the others.
fn of_one_type<'m>(
    literals: impl Iterator<Item = &'m Message>,
    declared: &HashMap<u32, String>,
) -> Result<(Type, Vec<Value>)> {
    let mut data_type: Option<Type> = None;
    let mut values = Vec::new();
    for literal in literals {
        let literal = read(literal, declared)?;
        match &data_type {
            Some(held) if *held != literal.data_type => {
                let problem = format!("a literal mixes {held} and {}", literal.data_type);
                return Err(Error::invalid(problem));
            }
            _ => data_type = Some(literal.data_type),
        }
        values.push(literal.value);
    }
    Ok((data_type.unwrap_or(Type::Null), values))
}

fn months(years: &IntervalYear) -> Result<i32> {
    let months = years.years.checked_mul(MONTHS_PER_YEAR).and_then(|months| months.checked_add(years.months));
    months.ok_or_else(|| Error::invalid("an interval is out of range"))
}

fn nanoseconds(days: &IntervalDay) -> Result<i64> {
    let subseconds = match days.unit {
        None => Some(days.subseconds.checked_mul(NANOSECONDS_PER_SECOND)),
        Some(SubsecondUnit::Microseconds(value)) => Some(i64::from(value).checked_mul(1_000)),
        Some(SubsecondUnit::Precision(digits)) => {
            let power = u32::try_from(NANOSECONDS - digits).ok().filter(|power| *power <= 9);
            power.map(|power| days.subseconds.checked_mul(10i64.pow(power)))
        }
    };
    let seconds = i64::from(days.seconds).checked_mul(NANOSECONDS_PER_SECOND);
    match (subseconds.flatten(), seconds) {
        (Some(subseconds), Some(seconds)) => seconds.checked_add(subseconds),
        _ => None,
    }
    .ok_or_else(|| Error::invalid("an interval is out of range"))
}

/// A point in time in microseconds.
fn microseconds(time: &PrecisionValue) -> Result<i64> {
    let value = match unit(time.precision)? {
        TimeUnit::Second => time.value.checked_mul(1_000_000),
        TimeUnit::Millisecond => time.value.checked_mul(1_000),
        TimeUnit::Microsecond => Some(time.value),
        TimeUnit::Nanosecond => Some(time.value.div_euclid(1_000)),
    };
    value.ok_or_else(|| Error::invalid("a time is out of range"))
}
