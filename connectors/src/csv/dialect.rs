//! The bytes that give a text file its rows and columns.

use memchr::{memchr, memchr2, memrchr};

use crate::input::Records;

/// Delimiter, quote, escape, line end and comment of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Between fields.
    pub delimiter: u8,
    /// Around fields that hold delimiters, quotes or line ends.
    pub quote: Option<u8>,
    /// Before a quote inside a quoted field; often the quote itself.
    pub escape: Option<u8>,
    /// At the end of a record; a carriage return before a line feed belongs to it.
    pub line_end: u8,
    /// At the start of a line that is not a record.
    pub comment: Option<u8>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { delimiter: b',', quote: Some(b'"'), escape: Some(b'"'), line_end: b'\n', comment: None }
    }
}

impl Records for Dialect {
    const BLOCK_BYTES_MAX: usize = 2 << 20;

    fn line_end(&self) -> u8 {
        self.line_end
    }

    fn last_end(&self, bytes: &[u8]) -> Option<usize> {
        self.last_record_end(bytes)
    }

    fn too_long(&self, bytes_max: usize) -> String {
        format!(
            "a record of more than {bytes_max} bytes begins here; is a quote left open? max_line_size raises the limit"
        )
    }
}

impl Dialect {
    /// End of the last whole record in `bytes`, which begin at the start of a record; `None` if no record ends.
    ///
    /// A line end inside quotes ends no record, and a quote opens only at the start of a field, so the bytes are
    /// walked from their start; without a quote in them the last line end is it.
    pub fn last_record_end(&self, bytes: &[u8]) -> Option<usize> {
        let quote = match self.quote {
            Some(quote) if memchr(quote, bytes).is_some() => quote,
            _ => return memrchr(self.line_end, bytes).map(|at| at + 1),
        };
        let mut end = None;
        let mut position = 0;
        while let Some(found) = memchr2(quote, self.line_end, &bytes[position..]) {
            let at = position + found;
            if bytes[at] == self.line_end {
                end = Some(at + 1);
                position = at + 1;
            } else if self.opens(bytes, at) && !self.is_comment(bytes, end.unwrap_or(0)) {
                match self.quoted_end(bytes, at + 1) {
                    Some(closed) => position = closed + 1,
                    None => break,
                }
            } else {
                position = at + 1;
            }
        }
        end
    }

    /// Position of the quote that closes a field whose text begins at `start`; `None` if it stays open.
    #[inline]
    pub(super) fn quoted_end(&self, bytes: &[u8], start: usize) -> Option<usize> {
        let quote = self.quote?;
        let escape = self.escape.unwrap_or(quote);
        let mut position = start;
        loop {
            let at = position + memchr2(quote, escape, bytes.get(position..)?)?;
            if bytes[at] == escape && (escape != quote || bytes.get(at + 1) == Some(&quote)) {
                position = at + 2;
            } else {
                return Some(at);
            }
        }
    }

    /// True if a quote at `at` opens a field: it stands at the start of one, spaces aside.
    fn opens(&self, bytes: &[u8], at: usize) -> bool {
        let before = bytes[..at].iter().rposition(|&byte| byte != b' ').map(|index| bytes[index]);
        before.is_none_or(|byte| byte == self.delimiter || byte == self.line_end || byte == b'\r')
    }

    fn is_comment(&self, bytes: &[u8], record_start: usize) -> bool {
        self.comment.is_some() && bytes.get(record_start).copied() == self.comment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_inside_quotes_end_no_record() {
        let dialect = Dialect::default();
        assert_eq!(dialect.last_record_end(b"a,b\n1,2\n3"), Some(8));
        assert_eq!(dialect.last_record_end(b"a,\"x\ny\"\n3,\"z\n"), Some(8));
        assert_eq!(dialect.last_record_end(b"a,\"x\ny"), None);
        assert_eq!(dialect.last_record_end(b"5\" pipe,1\nx"), Some(10));
        assert_eq!(dialect.last_record_end(b"\"a\"\"\n\"\nx"), Some(7));
    }

    #[test]
    fn an_escaped_quote_does_not_close() {
        let dialect = Dialect { escape: Some(b'\\'), ..Dialect::default() };
        assert_eq!(dialect.last_record_end(b"\"a\\\"\n\"\nx"), Some(7));
    }
}
