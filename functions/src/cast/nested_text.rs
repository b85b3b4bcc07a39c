//! Text to lists, structs and maps: the text is split at its own level, and the parts are cast in turn.

use super::nested::{cast_all, failure, write_fixed_lists, write_lists, write_maps};
use super::{Mode, refuse, text_error};
use crate::column::Output;
use crate::error::Result;
use crate::scalar::Bound;
use crate::types::{Field, Type};

pub(super) fn bind(to: &Type, mode: Mode) -> Result<Option<Bound>> {
    Ok(Some(match to {
        Type::List(element) => list(super::bind(&Type::Text, element, mode)?, None, to, mode),
        Type::FixedList(element, size) => {
            list(super::bind(&Type::Text, element, mode)?, Some(*size), to, mode)
        }
        Type::Map(key, value) => {
            map(super::bind(&Type::Text, key, mode)?, super::bind(&Type::Text, value, mode)?, to, mode)
        }
        Type::Struct(fields) => {
            let casts = fields.iter().map(|field| super::bind(&Type::Text, &field.data_type, mode));
            record(fields.clone(), casts.collect::<Result<_>>()?, to, mode)
        }
        _ => return Ok(None),
    }))
}

const LIST_FORM: &str = "; expected [a, b, ...]";
const MAP_FORM: &str = "; expected {key=value, ...}";
const STRUCT_FORM: &str = "; expected {'field': value, ...} with fields of the type";

/// A column of texts under construction.
struct Parts {
    column: Output,
}

impl Parts {
    fn new() -> Self {
        let mut column = Output::new(Type::Text);
        column.prepare(0);
        Self { column }
    }

    /// Appends a part: `NULL` is null; quotes around the whole are taken off unless the part is read further.
    fn push(&mut self, part: &str, is_nested: bool) {
        let part = part.trim();
        if part.eq_ignore_ascii_case("null") {
            return self.column.push_null();
        }
        let row = self.column.grow(1);
        if is_nested {
            self.column.text().set(row, part);
        } else {
            self.column.text().build(row, |text| unquote(part, |piece| text.push_str(piece)));
        }
    }

    fn cast(&self, bound: &Bound, scratch: &mut crate::scratch::Scratch) -> Result<Output> {
        let bump = bumpalo::Bump::new();
        cast_all(&self.column.view(&bump), bound, scratch)
    }
}

fn list(element: Bound, size: Option<usize>, to: &Type, mode: Mode) -> Bound {
    let to = to.clone();
    let is_nested = element.result.is_nested();
    Bound::strict(to.clone(), move |arguments, rows, output, scratch| {
        let texts = arguments[0].text();
        let (mut parts, mut lists) = (Parts::new(), Vec::new());
        rows.for_each(|row| {
            let start = parts.column.len();
            match split(texts.get(row), '[', ']') {
                Some(elements) => {
                    elements.iter().for_each(|part| parts.push(part, is_nested));
                    lists.push((row, start, elements.len()));
                }
                None => refuse(output, row, mode.is_try, || text_error(texts.get(row), &to, LIST_FORM)),
            }
        });
        let elements = parts.cast(&element, scratch)?;
        match size {
            None => write_lists(&lists, &elements, output),
            Some(size) => write_fixed_lists(&lists, &elements, size, output, |output, row, _| {
                let reason = ": the number of elements differs";
                refuse(output, row, mode.is_try, || text_error(texts.get(row), &to, reason));
            }),
        }
        output.check_capacity()
    })
}

fn map(key: Bound, value: Bound, to: &Type, mode: Mode) -> Bound {
    let to = to.clone();
    let (key_is_nested, value_is_nested) = (key.result.is_nested(), value.result.is_nested());
    Bound::strict(to.clone(), move |arguments, rows, output, scratch| {
        let texts = arguments[0].text();
        let (mut keys, mut values, mut lists) = (Parts::new(), Parts::new(), Vec::new());
        rows.for_each(|row| {
            let pairs = split(texts.get(row), '{', '}').and_then(|entries| {
                entries.into_iter().map(|entry| split_pair(entry, '=')).collect::<Option<Vec<_>>>()
            });
            let start = keys.column.len();
            match pairs {
                Some(pairs) => {
                    for (key, value) in &pairs {
                        keys.push(key, key_is_nested);
                        values.push(value, value_is_nested);
                    }
                    lists.push((row, start, pairs.len()));
                }
                None => refuse(output, row, mode.is_try, || text_error(texts.get(row), &to, MAP_FORM)),
            }
        });
        let (keys, values) = (keys.cast(&key, scratch)?, values.cast(&value, scratch)?);
        write_maps(&lists, &keys, &values, output);
        output.check_capacity()
    })
}

fn record(fields: Vec<Field>, casts: Vec<Bound>, to: &Type, mode: Mode) -> Bound {
    let to = to.clone();
    Bound::strict(to.clone(), move |arguments, rows, output, scratch| {
        let texts = arguments[0].text();
        let mut columns: Vec<Parts> = fields.iter().map(|_| Parts::new()).collect();
        let mut written = Vec::new();
        rows.for_each(|row| match field_texts(texts.get(row), &fields) {
            Some(values) => {
                for ((column, value), field) in columns.iter_mut().zip(values).zip(&fields) {
                    match value {
                        Some(value) => column.push(value, field.data_type.is_nested()),
                        None => column.column.push_null(),
                    }
                }
                written.push(row);
            }
            None => refuse(output, row, mode.is_try, || text_error(texts.get(row), &to, STRUCT_FORM)),
        });
        for (position, (column, cast)) in columns.iter().zip(&casts).enumerate() {
            let values = column.cast(cast, scratch)?;
            let bump = bumpalo::Bump::new();
            let view = values.view(&bump);
            for (source, &row) in written.iter().enumerate() {
                match failure(&values, source, 1) {
                    Some(error) => output.fail(row, || error),
                    None => output.field(position).copy(row, &view, source),
                }
            }
        }
        Ok(())
    })
}

/// The text of each field of the type, if all fields of the text are in the type; the last of a name counts.
fn field_texts<'a>(text: &'a str, fields: &[Field]) -> Option<Vec<Option<&'a str>>> {
    let mut values = vec![None; fields.len()];
    for entry in split(text, '{', '}')? {
        let (key, value) = split_pair(entry, ':')?;
        let mut name = String::new();
        unquote(key.trim(), |piece| name.push_str(piece));
        let position = fields.iter().position(|field| field.name.eq_ignore_ascii_case(&name))?;
        values[position] = Some(value);
    }
    Some(values)
}

/// Splits `open a, b close` at the commas of its own level; no parts if there is nothing between the brackets.
fn split(text: &str, open: char, close: char) -> Option<Vec<&str>> {
    let inner = text.trim().strip_prefix(open)?.strip_suffix(close)?;
    if inner.trim().is_empty() {
        return Some(Vec::new());
    }
    let mut parts = Vec::new();
    let mut start = 0;
    let mut scan = Scan::default();
    for (position, character) in inner.char_indices() {
        if scan.is_at_own_level(character)? && character == ',' {
            parts.push(&inner[start..position]);
            start = position + 1;
        }
    }
    parts.push(&inner[start..]);
    scan.is_complete().then_some(parts)
}

fn split_pair(entry: &str, separator: char) -> Option<(&str, &str)> {
    let mut scan = Scan::default();
    for (position, character) in entry.char_indices() {
        if scan.is_at_own_level(character)? && character == separator {
            return Some((&entry[..position], &entry[position + separator.len_utf8()..]));
        }
    }
    None
}

/// Knows whether a character is inside quotes or inner brackets.
#[derive(Default)]
struct Scan {
    depth: u32,
    quote: Option<char>,
    escaped: bool,
}

impl Scan {
    /// `None` if a bracket closes that was not opened.
    fn is_at_own_level(&mut self, character: char) -> Option<bool> {
        if self.escaped {
            self.escaped = false;
            return Some(false);
        }
        if character == '\\' {
            self.escaped = true;
            return Some(false);
        }
        match (self.quote, character) {
            (Some(quote), _) => {
                if character == quote {
                    self.quote = None;
                }
                return Some(false);
            }
            (None, '\'' | '"') => {
                self.quote = Some(character);
                return Some(false);
            }
            (None, '[' | '{' | '(') => self.depth += 1,
            (None, ']' | '}' | ')') => self.depth = self.depth.checked_sub(1)?,
            _ => {}
        }
        Some(self.depth == 0)
    }

    fn is_complete(&self) -> bool {
        self.depth == 0 && self.quote.is_none() && !self.escaped
    }
}

/// Hands over the text without quotes around it and without the backslashes before escaped characters.
fn unquote(part: &str, mut piece: impl FnMut(&str)) {
    let inner = ['\'', '"']
        .into_iter()
        .find_map(|quote| part.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(part);
    let mut rest = inner;
    while let Some(position) = rest.find('\\') {
        piece(&rest[..position]);
        let after = &rest[position + 1..];
        let length = after.chars().next().map_or(0, char::len_utf8);
        piece(&after[..length]);
        rest = &after[length..];
    }
    piece(rest);
}
