//! Constants as the parser has them into ours: numbers, texts, bytes and parameters.

use sqlparser::ast::{self, Value};

use crate::error::{Error, Result};
use crate::parse::{Notes, span_of};
use crate::span::Span;
use crate::tree::{Expression, ExpressionKind, LiteralText};

/// Converts one constant; `?` gets its number here.
pub(super) fn literal(value: ast::ValueWithSpan, notes: &mut Notes) -> Result<Expression> {
    let span = span_of(value.span);
    let literal = match value.value {
        Value::Null => LiteralText::Null,
        Value::Boolean(value) => LiteralText::Boolean(value),
        Value::Number(digits, _) => LiteralText::Number(digits.replace('_', "")),
        Value::SingleQuotedString(text)
        | Value::EscapedStringLiteral(text)
        | Value::UnicodeStringLiteral(text)
        | Value::NationalStringLiteral(text) => LiteralText::Text(text),
        Value::DollarQuotedString(quoted) => LiteralText::Text(quoted.value),
        // `0x1F` is a number and one character shorter than the bytes `x'1F'`.
        Value::HexStringLiteral(digits) if is_number(&digits, span) => {
            match i128::from_str_radix(&digits, 16) {
                Ok(number) => LiteralText::Number(number.to_string()),
                Err(_) => return Err(Error::syntax(format!("0x{digits} is out of range"), span)),
            }
        }
        Value::HexStringLiteral(digits) => LiteralText::Bytes(hex_bytes(&digits, span)?),
        Value::Placeholder(sign) => {
            let name = match sign.trim_start_matches(['?', '$', ':', '@']) {
                "" => notes.next_parameter(),
                name => name.to_owned(),
            };
            return Ok(Expression::new(ExpressionKind::Parameter(name), span));
        }
        other => return Err(Error::unsupported(format!("the literal {other} is"), span)),
    };
    Ok(Expression::new(ExpressionKind::Literal(literal), span))
}

fn is_number(digits: &str, span: Span) -> bool {
    let width = span.end.column.saturating_sub(span.start.column) as usize;
    span.start.line == span.end.line && width == digits.len() + 2
}

fn hex_bytes(digits: &str, span: Span) -> Result<Vec<u8>> {
    let bytes = digits.as_bytes();
    let pairs = bytes.chunks(2).map(|pair| match pair {
        [high, low] => Some(char::from(*high).to_digit(16)? << 4 | char::from(*low).to_digit(16)?),
        _ => None,
    });
    pairs.map(|byte| byte.and_then(|byte| u8::try_from(byte).ok())).collect::<Option<Vec<u8>>>().ok_or_else(
        || Error::syntax(format!("\"{digits}\" is not an even number of hexadecimal digits"), span),
    )
}
