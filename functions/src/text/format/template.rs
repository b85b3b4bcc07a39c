//! Templates taken apart: `{0:>8.2f}` as in fmt and Python, `%-8.2f` as in C.

use crate::error::{Error, Result};

/// Widest field, so that a mistyped width is an error and not the end of the process.
const WIDTH_MAX: usize = 1 << 16;

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text that stays.
    Text(String),
    /// The value at a position from 0, written in a form.
    Value(usize, Form),
}

/// Where a value stands in a wider field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// At the start.
    Left,
    /// In the middle.
    Center,
    /// At the end.
    Right,
}

/// How a value is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Character that fills a wider field.
    pub fill: char,
    /// Where the value stands; numbers at the end and text at the start where it is not said.
    pub align: Option<Align>,
    /// What stands before a number that is not negative: plus, blank or nothing.
    pub sign: Option<char>,
    /// Prefix of the base, as `0x`.
    pub is_alternate: bool,
    /// Zeros between the sign and the digits.
    pub pads_with_zeros: bool,
    /// Least number of characters.
    pub width: usize,
    /// Digits after the point, or most characters of a text.
    pub precision: Option<usize>,
    /// Separator of thousands.
    pub separator: Option<char>,
    /// Letter of the conversion.
    pub conversion: Option<char>,
}

impl Default for Form {
    fn default() -> Self {
        Self {
            fill: ' ',
            align: None,
            sign: None,
            is_alternate: false,
            pads_with_zeros: false,
            width: 0,
            precision: None,
            separator: None,
            conversion: None,
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn accept(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    fn number(&mut self) -> Option<usize> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at(digits);
        let number = number.parse().ok().filter(|number| *number <= WIDTH_MAX)?;
        self.rest = rest;
        Some(number)
    }

    /// Digits after a point, if there is one; none mean 0.
    fn precision(&mut self) -> Option<usize> {
        self.accept('.').then(|| self.number().unwrap_or(0))
    }
}

/// Positions of values: counted, or told by the template, but not both.
#[derive(Default)]
struct Positions {
    counted: usize,
    told: bool,
}

impl Positions {
    fn place(&mut self, told: Option<usize>) -> Option<usize> {
        match told {
            Some(_) if self.counted > 0 => None,
            Some(position) => {
                self.told = true;
                Some(position)
            }
            None if self.told => None,
            None => {
                self.counted += 1;
                Some(self.counted - 1)
            }
        }
    }
}

fn refused(template: &str, problem: &str) -> Error {
    Error::user(format!("format template '{template}': {problem}"))
}

const MIXED: &str = "some values are counted and some numbered; expected one of both";

/// Reads a template with braces.
///
/// # Errors
/// [`Error::User`] if it cannot be read.
pub fn parse_braces(template: &str) -> Result<Vec<Part>> {
    let mut reader = Reader { rest: template };
    let mut positions = Positions::default();
    let mut parts = Vec::new();
    let mut text = String::new();
    while let Some(c) = reader.next() {
        match c {
            '{' | '}' if reader.accept(c) => text.push(c),
            '}' => {
                return Err(refused(template, "a closing brace has no opening one; '}}' is a brace itself"));
            }
            '{' => {
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                let told = reader.number();
                let form = if reader.accept(':') { brace_form(&mut reader) } else { Form::default() };
                if !reader.accept('}') {
                    return Err(refused(
                        template,
                        "a field cannot be read; expected {}, {0} or {:>8.2f} for example",
                    ));
                }
                let position = positions.place(told).ok_or_else(|| refused(template, MIXED))?;
                parts.push(Part::Value(position, form));
            }
            other => text.push(other),
        }
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}

fn align_of(c: char) -> Option<Align> {
    match c {
        '<' => Some(Align::Left),
        '^' => Some(Align::Center),
        '>' => Some(Align::Right),
        _ => None,
    }
}

/// `[[fill]align][sign][#][0][width][separator][.precision][conversion]`
fn brace_form(reader: &mut Reader<'_>) -> Form {
    let mut form = Form::default();
    let mut ahead = reader.rest.chars();
    if let (Some(fill), Some(align)) = (ahead.next(), ahead.next().and_then(align_of)) {
        form.fill = fill;
        form.align = Some(align);
        reader.rest = ahead.as_str();
    } else if let Some(align) = reader.peek().and_then(align_of) {
        form.align = Some(align);
        reader.next();
    }
    match reader.peek() {
        Some(sign @ ('+' | ' ')) => {
            form.sign = Some(sign);
            reader.next();
        }
        Some('-') => drop(reader.next()),
        _ => {}
    }
    form.is_alternate = reader.accept('#');
    form.pads_with_zeros = reader.accept('0');
    form.width = reader.number().unwrap_or(0);
    if reader.accept('t') {
        form.separator = reader.next();
    } else if let Some(separator @ (',' | '_' | '\'')) = reader.peek() {
        form.separator = Some(separator);
        reader.next();
    }
    form.precision = reader.precision();
    if let Some(conversion) = reader.peek().filter(char::is_ascii_alphabetic) {
        form.conversion = Some(conversion);
        reader.next();
    }
    form
}

/// Reads a template with percent signs.
///
/// # Errors
/// [`Error::User`] if it cannot be read.
pub fn parse_percents(template: &str) -> Result<Vec<Part>> {
    let mut reader = Reader { rest: template };
    let mut positions = Positions::default();
    let mut parts = Vec::new();
    let mut text = String::new();
    while let Some(c) = reader.next() {
        if c != '%' || reader.accept('%') {
            text.push(c);
            continue;
        }
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut text)));
        }
        let before = reader.rest;
        let told = reader.number().filter(|told| *told > 0 && reader.accept('$'));
        if told.is_none() {
            reader.rest = before;
        }
        let form = percent_form(&mut reader).ok_or_else(|| {
            refused(template, "a field cannot be read; expected %d, %s or %-8.2f for example")
        })?;
        let position = positions.place(told.map(|told| told - 1)).ok_or_else(|| refused(template, MIXED))?;
        parts.push(Part::Value(position, form));
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}

/// `[flags][width][.precision][size]conversion`
fn percent_form(reader: &mut Reader<'_>) -> Option<Form> {
    let mut form = Form { align: Some(Align::Right), ..Form::default() };
    while let Some(flag) = reader.peek() {
        match flag {
            '-' => form.align = Some(Align::Left),
            '+' => form.sign = Some('+'),
            ' ' => form.sign = form.sign.or(Some(' ')),
            '#' => form.is_alternate = true,
            '0' => form.pads_with_zeros = true,
            ',' | '_' | '\'' => form.separator = Some(flag),
            _ => break,
        }
        reader.next();
    }
    form.width = reader.number().unwrap_or(0);
    form.precision = reader.precision();
    while matches!(reader.peek(), Some('h' | 'l' | 'j' | 't' | 'L')) {
        reader.next();
    }
    if form.pads_with_zeros && form.align == Some(Align::Right) {
        form.align = None;
    }
    form.conversion = Some(reader.next().filter(char::is_ascii_alphabetic)?);
    Some(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_template_say_the_same() {
        let form = Form {
            align: Some(Align::Right),
            width: 8,
            precision: Some(2),
            conversion: Some('f'),
            ..Form::default()
        };
        let parts = vec![Part::Text("a".into()), Part::Value(0, form)];
        assert_eq!(parse_braces("a{:>8.2f}"), Ok(parts.clone()));
        assert_eq!(parse_percents("a%8.2f"), Ok(parts));
    }
}
