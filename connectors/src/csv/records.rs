//! Cuts bytes into records and fields. Nothing is copied: a field is a span of the block it lies in.

use super::dialect::Dialect;

/// Repeats a byte over a word.
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Where a field lies in its block, without its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// Byte behind the last.
    pub end: u32,
    /// Whether it was quoted.
    pub quoted: bool,
    /// Whether escapes have to be taken out of it.
    pub escaped: bool,
    /// Whether the record ended before it: a null, whatever stands for null.
    pub missing: bool,
}

impl Span {
    /// The bytes, escapes and all.
    #[inline]
    pub fn of<'a>(&self, block: &'a [u8]) -> &'a [u8] {
        &block[self.start as usize..self.end as usize]
    }
}

/// What is wrong with a record, apart from its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// Bytes between the closing quote and the next delimiter, at this field.
    TextAfterQuote(usize),
    /// A quote that is not closed before the end of the file, at this field.
    OpenQuote(usize),
}

/// The end of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Byte behind the record and its line end.
    pub end: usize,
    /// Number of fields.
    pub fields: usize,
    /// What is wrong with it, if anything.
    pub damage: Option<Damage>,
}

/// Position of the first delimiter or line end from `position` on; the length of `bytes` if there is none.
#[inline]
fn field_end(bytes: &[u8], mut position: usize, delimiter: u64, line_end: u64) -> usize {
    // Eight bytes at a time: a byte of the difference is zero exactly where the word holds the wanted byte, and
    // the lowest zero byte is found without error by the classic borrow trick.
    while let Some(chunk) = bytes.get(position..position + 8).and_then(|chunk| chunk.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let left = word ^ delimiter;
        let right = word ^ line_end;
        let hits = (left.wrapping_sub(ONES) & !left | right.wrapping_sub(ONES) & !right) & HIGH_BITS;
        if hits != 0 {
            return position + (hits.trailing_zeros() / 8) as usize;
        }
        position += 8;
    }
    let (delimiter, line_end) = (delimiter as u8, line_end as u8);
    let rest = bytes[position..].iter().position(|&byte| byte == delimiter || byte == line_end);
    rest.map_or(bytes.len(), |found| position + found)
}

/// Reads the record that begins at `start`; `emit(field, span)` is called for every field in order.
#[inline]
pub fn read_record(
    bytes: &[u8],
    start: usize,
    dialect: &Dialect,
    mut emit: impl FnMut(usize, Span),
) -> Record {
    let delimiter = u64::from(dialect.delimiter) * ONES;
    let line_end = u64::from(dialect.line_end) * ONES;
    let mut position = start;
    let mut fields = 0;
    let mut damage = None;
    loop {
        let opening =
            dialect.quote.and_then(|quote| opening_quote(bytes, position, quote, dialect.delimiter));
        let (span, end) = match opening {
            None => {
                let end = field_end(bytes, position, delimiter, line_end);
                (Span { start: position as u32, end: end as u32, ..Span::default() }, end)
            }
            Some(opening) => quoted_field(bytes, opening, dialect, fields, &mut damage),
        };
        let ends_record = end >= bytes.len() || bytes[end] == dialect.line_end;
        let span = if ends_record && !span.quoted { without_return(bytes, span, dialect) } else { span };
        emit(fields, span);
        fields += 1;
        if ends_record {
            return Record { end: (end + 1).min(bytes.len()), fields, damage };
        }
        position = end + 1;
    }
}

/// Position of the quote that opens the field at `position`; spaces may stand before it.
#[inline]
fn opening_quote(bytes: &[u8], mut position: usize, quote: u8, delimiter: u8) -> Option<usize> {
    loop {
        match bytes.get(position) {
            Some(&byte) if byte == quote => return Some(position),
            Some(b' ') if delimiter != b' ' => position += 1,
            _ => return None,
        }
    }
}

/// The field whose quote opens at `opening`, and the position of what ends it.
fn quoted_field(
    bytes: &[u8],
    opening: usize,
    dialect: &Dialect,
    field: usize,
    damage: &mut Option<Damage>,
) -> (Span, usize) {
    let start = opening + 1;
    let Some(closing) = dialect.quoted_end(bytes, start) else {
        *damage = damage.or(Some(Damage::OpenQuote(field)));
        return (
            Span {
                start: start as u32,
                end: bytes.len() as u32,
                quoted: true,
                escaped: true,
                missing: false,
            },
            bytes.len(),
        );
    };
    let escape = dialect.escape.or(dialect.quote).unwrap_or(b'"');
    let escaped = memchr::memchr(escape, &bytes[start..closing]).is_some();
    let span = Span { start: start as u32, end: closing as u32, quoted: true, escaped, missing: false };
    let delimiter = u64::from(dialect.delimiter) * ONES;
    let line_end = u64::from(dialect.line_end) * ONES;
    let end = field_end(bytes, closing + 1, delimiter, line_end);
    if bytes[closing + 1..end].iter().any(|byte| !matches!(byte, b' ' | b'\r')) {
        *damage = damage.or(Some(Damage::TextAfterQuote(field)));
    }
    (span, end)
}

/// The last field of a record without the carriage return of its line end.
#[inline]
fn without_return(bytes: &[u8], mut span: Span, dialect: &Dialect) -> Span {
    if dialect.line_end == b'\n' && span.end > span.start && bytes[span.end as usize - 1] == b'\r' {
        span.end -= 1;
    }
    span
}

/// True for a line without anything but its end.
pub fn is_blank(line: &[u8]) -> bool {
    matches!(line, [] | [b'\n' | b'\r'] | [b'\r', b'\n'])
}

/// The text of an escaped field in `text`, which is cleared first.
pub fn unescape(bytes: &[u8], dialect: &Dialect, text: &mut Vec<u8>) {
    text.clear();
    let quote = dialect.quote.unwrap_or(b'"');
    let escape = dialect.escape.unwrap_or(quote);
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(escape, rest) {
        text.extend_from_slice(&rest[..at]);
        match rest.get(at + 1) {
            // The escape goes before a quote or itself, and stays before anything else.
            Some(&next) if next == quote || next == escape => {
                text.push(next);
                rest = &rest[at + 2..];
            }
            _ => {
                text.push(escape);
                rest = &rest[at + 1..];
            }
        }
    }
    text.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str, dialect: &Dialect) -> (Vec<String>, Record) {
        let mut found = Vec::new();
        let record = read_record(text.as_bytes(), 0, dialect, |_, span| {
            let mut unescaped = span.of(text.as_bytes()).to_vec();
            if span.escaped {
                unescape(span.of(text.as_bytes()), dialect, &mut unescaped);
            }
            found.push(String::from_utf8(unescaped).unwrap());
        });
        (found, record)
    }

    #[test]
    fn fields_end_at_delimiters_and_line_ends_of_every_length() {
        let dialect = Dialect::default();
        for length in 0..40 {
            let text = format!("{},{}\r\nrest", "x".repeat(length), "y".repeat(length));
            let (found, record) = fields(&text, &dialect);
            assert_eq!(found, ["x".repeat(length), "y".repeat(length)]);
            assert_eq!(&text[record.end..], "rest");
        }
    }

    #[test]
    fn quoted_fields_keep_delimiters_and_line_ends() {
        let (found, record) = fields("\"a,\nb\", \"say \"\"x\"\"\" ,c", &Dialect::default());
        assert_eq!(found, ["a,\nb", "say \"x\"", "c"]);
        assert_eq!(record.damage, None);
    }

    #[test]
    fn a_quote_inside_a_field_is_text() {
        let (found, record) = fields("5\" pipe,x", &Dialect::default());
        assert_eq!(found, ["5\" pipe", "x"]);
        assert_eq!(record.damage, None);
    }

    #[test]
    fn damage_is_told_with_its_field() {
        let (_, record) = fields("a,\"x\"y\n", &Dialect::default());
        assert_eq!(record.damage, Some(Damage::TextAfterQuote(1)));
        let (_, record) = fields("\"x,y\n", &Dialect::default());
        assert_eq!(record.damage, Some(Damage::OpenQuote(0)));
    }

    #[test]
    fn an_empty_line_is_one_empty_field() {
        let (found, record) = fields("\nx", &Dialect::default());
        assert_eq!(found, [""]);
        assert_eq!(record.end, 1);
    }
}
