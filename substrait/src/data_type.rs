//! Types, both ways.

use std::collections::HashMap;

use hypostyle_functions::{Field, TimeUnit, Type};

use crate::error::{Error, Result};
use crate::message::data_type as message;
use crate::message::data_type::{ParameterKind, Plain, Sized, TypeKind, TypeParameter, UserDefined};

/// Every value may be null here.
const NULLABLE: i32 = 1;

/// The variation of integers without a sign, as other producers on Arrow number it too.
pub const UNSIGNED: u32 = 1;

/// Fractional digits of seconds in microseconds and nanoseconds.
const MICROSECONDS: i32 = 6;
const NANOSECONDS: i32 = 9;

/// Longest embedding.
const DIMENSION_MAX: i64 = 100_000;

/// Names of the types that the format lacks.
pub const FLOAT16: &str = "fp16";
pub const NULL: &str = "null";
pub const FIXED_LIST: &str = "fixed_size_list";

/// The anchors of types that are declared: asked for while a plan is written.
pub trait DeclareType {
    /// The anchor of the type of this name.
    fn type_anchor(&mut self, name: &'static str) -> u32;
    /// States that the plan has unsigned integers.
    fn use_unsigned(&mut self);
}

/// The type as a message.
pub fn write(data_type: &Type, declare: &mut impl DeclareType) -> message::Type {
    let plain = || Plain { nullability: NULLABLE, ..Plain::default() };
    let sized = |size| Sized { size, nullability: NULLABLE, ..Sized::default() };
    let unsigned = |declare: &mut _| {
        DeclareType::use_unsigned(declare);
        Plain { variation: UNSIGNED, ..plain() }
    };
    let kind = match data_type {
        Type::Null => own(NULL, Vec::new(), declare),
        Type::Boolean => TypeKind::Bool(plain()),
        Type::Int8 => TypeKind::I8(plain()),
        Type::Int16 => TypeKind::I16(plain()),
        Type::Int32 => TypeKind::I32(plain()),
        Type::Int64 => TypeKind::I64(plain()),
        Type::UInt8 => TypeKind::I8(unsigned(declare)),
        Type::UInt16 => TypeKind::I16(unsigned(declare)),
        Type::UInt32 => TypeKind::I32(unsigned(declare)),
        Type::UInt64 => TypeKind::I64(unsigned(declare)),
        Type::Float16 => own(FLOAT16, Vec::new(), declare),
        Type::Float32 => TypeKind::Fp32(plain()),
        Type::Float64 => TypeKind::Fp64(plain()),
        Type::Decimal(precision, scale) => TypeKind::Decimal(message::Decimal {
            scale: i32::from(*scale),
            precision: i32::from(*precision),
            variation: 0,
            nullability: NULLABLE,
        }),
        Type::Text => TypeKind::String(plain()),
        Type::Binary => TypeKind::Binary(plain()),
        Type::Date => TypeKind::Date(plain()),
        Type::Time => TypeKind::PrecisionTime(sized(MICROSECONDS)),
        Type::Timestamp(unit) => TypeKind::PrecisionTimestamp(sized(digits(*unit))),
        Type::TimestampTz => TypeKind::PrecisionTimestampTz(sized(MICROSECONDS)),
        Type::Interval => TypeKind::IntervalCompound(Plain { precision: NANOSECONDS, ..plain() }),
        Type::List(element) => {
            let element = Some(Box::new(write(element, declare)));
            TypeKind::List(Box::new(message::List { element, variation: 0, nullability: NULLABLE }))
        }
        Type::FixedList(element, size) => {
            let element = ParameterKind::DataType(write(element, declare));
            let size = ParameterKind::Integer(i64::try_from(*size).unwrap_or(i64::MAX));
            own(FIXED_LIST, vec![element, size], declare)
        }
        Type::Struct(fields) => {
            let types = fields.iter().map(|field| write(&field.data_type, declare)).collect();
            TypeKind::Struct(message::Struct { types, variation: 0, nullability: NULLABLE })
        }
        Type::Map(key, value) => {
            let (key, value) = (write(key, declare), write(value, declare));
            let (key, value) = (Some(Box::new(key)), Some(Box::new(value)));
            TypeKind::Map(Box::new(message::Map { key, value, variation: 0, nullability: NULLABLE }))
        }
    };
    message::Type { kind: Some(kind) }
}

fn own(name: &'static str, parameters: Vec<ParameterKind>, declare: &mut impl DeclareType) -> TypeKind {
    TypeKind::UserDefined(UserDefined {
        reference: declare.type_anchor(name),
        variation: 0,
        nullability: NULLABLE,
        parameters: parameters.into_iter().map(|kind| TypeParameter { kind: Some(kind) }).collect(),
    })
}

/// Fractional digits of the seconds of a unit.
pub fn digits(unit: TimeUnit) -> i32 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => MICROSECONDS,
        TimeUnit::Nanosecond => NANOSECONDS,
    }
}

/// The unit of seconds with so many fractional digits.
///
/// # Errors
/// Digits that no unit has.
pub fn unit(digits: i32) -> Result<TimeUnit> {
    Ok(match digits {
        0 => TimeUnit::Second,
        3 => TimeUnit::Millisecond,
        6 => TimeUnit::Microsecond,
        9 => TimeUnit::Nanosecond,
        other => return Err(Error::unsupported(format!("a timestamp with precision {other}"))),
    })
}

/// A type as it was read: `declared` are the names of the types that the plan declares.
///
/// # Errors
/// A type without a counterpart.
pub fn read(data_type: &message::Type, declared: &HashMap<u32, String>) -> Result<Type> {
    let kind = data_type.kind.as_ref().ok_or_else(|| Error::missing("kind of a type"))?;
    Ok(match kind {
        TypeKind::Bool(_) => Type::Boolean,
        TypeKind::I8(plain) => integer(plain, Type::Int8, Type::UInt8),
        TypeKind::I16(plain) => integer(plain, Type::Int16, Type::UInt16),
        TypeKind::I32(plain) => integer(plain, Type::Int32, Type::UInt32),
        TypeKind::I64(plain) => integer(plain, Type::Int64, Type::UInt64),
        TypeKind::Fp32(_) => Type::Float32,
        TypeKind::Fp64(_) => Type::Float64,
        TypeKind::String(_) | TypeKind::FixedChar(_) | TypeKind::VarChar(_) => Type::Text,
        TypeKind::Binary(_) | TypeKind::FixedBinary(_) => Type::Binary,
        TypeKind::Timestamp(_) => Type::TIMESTAMP,
        TypeKind::TimestampTz(_) => Type::TimestampTz,
        TypeKind::Date(_) => Type::Date,
        TypeKind::Time(_) | TypeKind::PrecisionTime(_) => Type::Time,
        TypeKind::IntervalYear(_) | TypeKind::IntervalDay(_) | TypeKind::IntervalCompound(_) => {
            Type::Interval
        }
        TypeKind::Decimal(decimal) => decimal_of(decimal.precision, decimal.scale)?,
        TypeKind::PrecisionTimestamp(sized) => Type::Timestamp(unit(sized.size)?),
        TypeKind::PrecisionTimestampTz(sized) => {
            unit(sized.size)?;
            Type::TimestampTz
        }
        TypeKind::Struct(fields) => {
            let types = fields.types.iter().map(|field| read(field, declared));
            Type::Struct(types.map(|field| Ok(Field::new("", field?))).collect::<Result<_>>()?)
        }
        TypeKind::List(list) => Type::list(part(list.element.as_deref(), declared)?),
        TypeKind::Map(map) => {
            Type::map(part(map.key.as_deref(), declared)?, part(map.value.as_deref(), declared)?)
        }
        TypeKind::UserDefined(user) => user_defined(user, declared)?,
        TypeKind::UserDefinedReference(reference) => {
            user_defined(&UserDefined { reference: *reference, ..UserDefined::default() }, declared)?
        }
        TypeKind::Uuid(_) => return Err(Error::unsupported("type uuid")),
        TypeKind::Alias(_) => return Err(Error::unsupported("a type alias")),
        TypeKind::Func(_) => return Err(Error::unsupported("a function type")),
        TypeKind::Unbound(_) => return Err(Error::unsupported("an unbound type")),
    })
}

fn integer(plain: &Plain, signed: Type, unsigned: Type) -> Type {
    if plain.variation == UNSIGNED { unsigned } else { signed }
}

/// A decimal of these digits.
///
/// # Errors
/// More digits than a decimal has.
pub fn decimal_of(precision: i32, scale: i32) -> Result<Type> {
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(digits @ 1..=38), Ok(scale @ 0..)) if i32::from(scale) <= precision => {
            Ok(Type::Decimal(digits, scale))
        }
        _ => Err(Error::invalid(format!(
            "decimal({precision}, {scale}) needs a precision of 1 to 38 and a scale up to it"
        ))),
    }
}

fn part(data_type: Option<&message::Type>, declared: &HashMap<u32, String>) -> Result<Type> {
    read(data_type.ok_or_else(|| Error::missing("type of an element"))?, declared)
}

fn user_defined(user: &UserDefined, declared: &HashMap<u32, String>) -> Result<Type> {
    let Some(name) = declared.get(&user.reference) else {
        return Err(Error::invalid(format!("the plan does not declare type {}", user.reference)));
    };
    let kinds: Vec<_> = user.parameters.iter().map(|parameter| parameter.kind.as_ref()).collect();
    Ok(match (name.as_str(), kinds.as_slice()) {
        (NULL, _) => Type::Null,
        (FLOAT16, _) => Type::Float16,
        ("u8", _) => Type::UInt8,
        ("u16", _) => Type::UInt16,
        ("u32", _) => Type::UInt32,
        ("u64", _) => Type::UInt64,
        (FIXED_LIST, [Some(ParameterKind::DataType(element)), Some(ParameterKind::Integer(size))])
            if (1..=DIMENSION_MAX).contains(size) =>
        {
            Type::fixed_list(read(element, declared)?, usize::try_from(*size).unwrap_or_default())
        }
        _ => return Err(Error::unsupported(format!("type {name}"))),
    })
}

/// True if the format's own types tell everything of a type: no names of fields get lost.
pub fn is_nameless(data_type: &Type) -> bool {
    match data_type {
        Type::Struct(_) => false,
        Type::List(element) | Type::FixedList(element, _) => is_nameless(element),
        Type::Map(key, value) => is_nameless(key) && is_nameless(value),
        _ => true,
    }
}

/// True if two types differ in nothing but the names of fields.
pub fn same_shape(left: &Type, right: &Type) -> bool {
    match (left, right) {
        (Type::Struct(left), Type::Struct(right)) => {
            let mut pairs = left.iter().zip(right);
            left.len() == right.len()
                && pairs.all(|(left, right)| same_shape(&left.data_type, &right.data_type))
        }
        (Type::List(left), Type::List(right)) => same_shape(left, right),
        (Type::FixedList(left, size), Type::FixedList(right, other)) => {
            size == other && same_shape(left, right)
        }
        (Type::Map(key, value), Type::Map(other, held)) => same_shape(key, other) && same_shape(value, held),
        _ => left == right,
    }
}

/// Names of a type's fields, depth first, as a schema lists them behind the name of the column.
pub fn add_field_names(data_type: &Type, names: &mut Vec<String>) {
    match data_type {
        Type::Struct(fields) => fields.iter().for_each(|field| {
            names.push(field.name.clone());
            add_field_names(&field.data_type, names);
        }),
        Type::List(element) | Type::FixedList(element, _) => add_field_names(element, names),
        Type::Map(key, value) => {
            add_field_names(key, names);
            add_field_names(value, names);
        }
        _ => {}
    }
}

/// The names of columns of these types among names that are listed depth first; `None` if there are not as many.
pub fn column_names<'n>(names: &'n [String], types: &[Type]) -> Option<Vec<&'n str>> {
    let mut rest = names;
    let mut columns = Vec::with_capacity(types.len());
    for data_type in types {
        let (first, behind) = rest.split_first()?;
        columns.push(first.as_str());
        rest = behind.get(count_field_names(data_type)..)?;
    }
    rest.is_empty().then_some(columns)
}

fn count_field_names(data_type: &Type) -> usize {
    match data_type {
        Type::Struct(fields) => fields.iter().map(|field| 1 + count_field_names(&field.data_type)).sum(),
        Type::List(element) | Type::FixedList(element, _) => count_field_names(element),
        Type::Map(key, value) => count_field_names(key) + count_field_names(value),
        _ => 0,
    }
}
