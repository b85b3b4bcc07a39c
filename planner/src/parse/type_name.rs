//! The parser's types into names of ours. What a name means is decided while binding.

use sqlparser::ast::{ArrayElemTypeDef, DataType, ExactNumberInfo, TimezoneInfo};

use crate::error::{Error, Result};
use crate::parse::expression::{name_of, names_of};
use crate::span::Span;
use crate::tree::{Name, TypeName};

/// Converts a type; `span` is the place of what is cast, since the parser keeps none for types.
pub(super) fn convert(data_type: DataType, span: Span) -> Result<TypeName> {
    let plain = |name: &str| Ok(TypeName { name: name.to_owned(), ..empty(span) });
    match data_type {
        DataType::Array(ArrayElemTypeDef::SquareBracket(element, dimension)) => {
            let children = vec![(Name::new("element", span), convert(*element, span)?)];
            Ok(TypeName { name: "LIST".to_owned(), children, dimension, ..empty(span) })
        }
        DataType::Map(key, value, _) => {
            let children = vec![
                (Name::new("key", span), convert(*key, span)?),
                (Name::new("value", span), convert(*value, span)?),
            ];
            Ok(TypeName { name: "MAP".to_owned(), children, ..empty(span) })
        }
        DataType::Struct(fields, _) => {
            let children = fields
                .into_iter()
                .map(|field| {
                    let name = field.field_name.map(name_of);
                    let name = name.ok_or_else(|| Error::syntax("a field of STRUCT needs a name", span))?;
                    Ok((name, convert(field.field_type, span)?))
                })
                .collect::<Result<_>>()?;
            Ok(TypeName { name: "STRUCT".to_owned(), children, ..empty(span) })
        }
        DataType::Decimal(info) | DataType::Numeric(info) | DataType::Dec(info) => {
            let numbers = match info {
                ExactNumberInfo::None => Vec::new(),
                ExactNumberInfo::Precision(precision) => vec![number(precision, span)?],
                ExactNumberInfo::PrecisionAndScale(precision, scale) => vec![number(precision, span)?, scale],
            };
            Ok(TypeName { name: "DECIMAL".to_owned(), numbers, ..empty(span) })
        }
        DataType::Timestamp(_, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz) => plain("TIMESTAMPTZ"),
        DataType::Timestamp(..) | DataType::Datetime(_) | DataType::TimestampNtz(_) => plain("TIMESTAMP"),
        DataType::Time(_, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz) => plain("TIMETZ"),
        DataType::Time(..) => plain("TIME"),
        DataType::Interval { .. } => plain("INTERVAL"),
        DataType::DoublePrecision | DataType::Double(_) => plain("DOUBLE"),
        DataType::CharacterVarying(_)
        | DataType::CharVarying(_)
        | DataType::Varchar(_)
        | DataType::Nvarchar(_)
        | DataType::Character(_)
        | DataType::Char(_)
        | DataType::Text
        | DataType::String(_) => plain("VARCHAR"),
        DataType::Custom(name, modifiers) => custom(names_of(name)?, &modifiers, span),
        other => {
            // What is left prints as its name, perhaps with a length that has no meaning here: `INT(11)`.
            let printed = other.to_string().to_uppercase();
            let name = printed.split(['(', '<']).next().unwrap_or_default().trim().to_owned();
            Ok(TypeName { name, ..empty(span) })
        }
    }
}

fn empty(span: Span) -> TypeName {
    TypeName { name: String::new(), numbers: Vec::new(), children: Vec::new(), dimension: None, span }
}

fn number(value: u64, span: Span) -> Result<i64> {
    i64::try_from(value).map_err(|_| Error::syntax(format!("{value} is out of range for a type"), span))
}

fn custom(names: Vec<Name>, modifiers: &[String], span: Span) -> Result<TypeName> {
    let place = names.iter().fold(Span::NONE, |span, name| span.union(name.span));
    let span = if place.is_known() { place } else { span };
    let Some(name) = names.last().filter(|_| names.len() == 1) else {
        return Err(Error::invalid("a type has one name", span));
    };
    let numbers = modifiers
        .iter()
        .map(|modifier| {
            modifier
                .trim()
                .parse()
                .map_err(|_| Error::invalid(format!("\"{modifier}\" in a type is not a number"), span))
        })
        .collect::<Result<_>>()?;
    Ok(TypeName { name: name.text.to_uppercase(), numbers, ..empty(span) })
}
