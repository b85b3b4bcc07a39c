//! Lists, structs and maps as text.

use std::fmt::{self, Write};

use super::write_value;
use crate::column::{Data, View};
use crate::date::zone::Zone;
use crate::types::Type;

/// `[1, NULL, 3]`.
pub(super) fn write_list(view: &View<'_>, row: usize, zone: Zone, out: &mut dyn Write) -> fmt::Result {
    let list = view.list();
    let range = list.range(row);
    let start = range.start;
    out.write_char('[')?;
    for element in range {
        if element > start {
            out.write_str(", ")?;
        }
        write_inner(list.child(), element, zone, out)?;
    }
    out.write_char(']')
}

/// `{'a': 1, 'b': x}`; a struct whose fields have no names is `(1, x)`.
pub(super) fn write_struct(view: &View<'_>, row: usize, zone: Zone, out: &mut dyn Write) -> fmt::Result {
    let (Type::Struct(fields), Data::Struct(children)) = (view.data_type, view.data) else { return Ok(()) };
    let is_tuple = !fields.is_empty() && fields.iter().all(|field| field.name.is_empty());
    out.write_char(if is_tuple { '(' } else { '{' })?;
    for position in 0..children.len() {
        if position > 0 {
            out.write_str(", ")?;
        }
        if !is_tuple {
            write_quoted(fields.get(position).map_or("", |field| &field.name), out)?;
            out.write_str(": ")?;
        }
        write_inner(&view.field(position), row, zone, out)?;
    }
    out.write_char(if is_tuple { ')' } else { '}' })
}

/// `{k=v, l=w}`.
pub(super) fn write_map(view: &View<'_>, row: usize, zone: Zone, out: &mut dyn Write) -> fmt::Result {
    let entries = view.list();
    let (keys, values) = (entries.child().field(0), entries.child().field(1));
    let range = entries.range(row);
    let start = range.start;
    out.write_char('{')?;
    for entry in range {
        if entry > start {
            out.write_str(", ")?;
        }
        write_inner(&keys, entry, zone, out)?;
        out.write_char('=')?;
        write_inner(&values, entry, zone, out)?;
    }
    out.write_char('}')
}

/// A value inside another: numbers and nested values as they are, everything else quoted if needed.
fn write_inner(view: &View<'_>, row: usize, zone: Zone, out: &mut dyn Write) -> fmt::Result {
    let plain = view.is_null(row) || view.data_type.is_nested() || view.data_type.is_numeric();
    if plain || *view.data_type == Type::Date {
        return write_value(view, row, zone, out);
    }
    if *view.data_type == Type::Text {
        let text = view.text().get(row);
        return if needs_quotes(text) { write_quoted(text, out) } else { out.write_str(text) };
    }
    let mut text = String::new();
    write_value(view, row, zone, &mut text)?;
    if needs_quotes(&text) { write_quoted(&text, out) } else { out.write_str(&text) }
}

/// Whether text inside a nested value could be read as something else.
fn needs_quotes(value: &str) -> bool {
    let blank = |character: Option<char>| character.is_some_and(|character| character.is_ascii_whitespace());
    value.is_empty()
        || value.eq_ignore_ascii_case("null")
        || blank(value.chars().next())
        || blank(value.chars().next_back())
        || value.contains(['"', '\'', '(', ')', ',', ':', '=', '[', '\\', ']', '{', '}'])
}

fn write_quoted(value: &str, out: &mut dyn Write) -> fmt::Result {
    out.write_char('\'')?;
    for character in value.chars() {
        if matches!(character, '\'' | '\\') {
            out.write_char('\\')?;
        }
        out.write_char(character)?;
    }
    out.write_char('\'')
}
