//! How values follow one another in a file, and where each of them ends.

use crate::input::Records;

/// The arrangement of the values of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonLayout {
    /// One value per line.
    Lines,
    /// The elements of one array.
    Array,
    /// Values one after the other, over any number of lines.
    Values,
}

/// Finds the values of a stretch of bytes that begins between values.
#[derive(Debug, Clone, Copy)]
pub struct Values {
    layout: JsonLayout,
    position: usize,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// A value from the first position up to the second.
    Value(usize, usize),
    /// No further value.
    End,
    /// A value that begins here and does not end.
    Open(usize),
}

impl Records for JsonLayout {
    const BLOCK_BYTES_MAX: usize = 1 << 20;

    fn line_end(&self) -> u8 {
        b'\n'
    }

    /// Blanks out a byte order mark, and the bracket of an array.
    fn enter(&self, bytes: &mut [u8]) {
        if bytes.starts_with(b"\xef\xbb\xbf") {
            bytes[..3].fill(b' ');
        }
        if *self == Self::Array
            && let Some(first) = bytes.iter_mut().find(|byte| !byte.is_ascii_whitespace())
            && *first == b'['
        {
            *first = b' ';
        }
    }

    fn last_end(&self, bytes: &[u8]) -> Option<usize> {
        self.last_value_end(bytes)
    }

    fn too_long(&self, bytes_max: usize) -> String {
        format!("a value of more than {bytes_max} bytes begins here; maximum_object_size raises the limit")
    }
}

impl JsonLayout {
    /// The layout that a sample of a file shows; `is_whole` if the sample is all of it.
    pub fn of(sample: &[u8], is_whole: bool) -> Self {
        let Some(start) = sample.iter().position(|byte| !byte.is_ascii_whitespace()) else {
            return Self::Lines;
        };
        let end = match value_end(sample, start) {
            Some(end) => end,
            None if sample[start] == b'[' && !is_whole => return Self::Array,
            None if sample[start] == b'[' => return Self::Array,
            None => return Self::Values,
        };
        let rest = sample[end..].iter().find(|byte| !byte.is_ascii_whitespace());
        if sample[start] == b'[' && rest.is_none() {
            return Self::Array;
        }
        let line_end = memchr::memchr(b'\n', &sample[start..]).map_or(sample.len(), |at| start + at);
        let one_line = end <= line_end && sample[end..line_end].iter().all(u8::is_ascii_whitespace);
        if one_line { Self::Lines } else { Self::Values }
    }

    /// End of the last whole value in `bytes`, with what separates it from the next; `None` if no value ends.
    pub fn last_value_end(self, bytes: &[u8]) -> Option<usize> {
        if self == Self::Lines {
            return memchr::memrchr(b'\n', bytes).map(|at| at + 1);
        }
        let mut values = Values::new(self, 0);
        let mut end = None;
        while let Next::Value(start, value_end) = values.next(bytes) {
            // A number or word at the very end may go on behind it.
            if value_end == bytes.len() && !matches!(bytes[start], b'{' | b'[' | b'"') {
                break;
            }
            end = Some(value_end);
        }
        end
    }
}

impl Values {
    /// Values from `position` on.
    pub fn new(layout: JsonLayout, position: usize) -> Self {
        Self { layout, position }
    }

    /// The next value.
    pub fn next(&mut self, bytes: &[u8]) -> Next {
        if self.layout == JsonLayout::Lines {
            return self.next_line(bytes);
        }
        let separator = |byte: u8| {
            byte.is_ascii_whitespace()
                || (self.layout == JsonLayout::Array && matches!(byte, b',' | b'[' | b']'))
        };
        // Inside an array only its own brackets and commas are left between values: a bracket that opens one
        // is the start of a value, so the first of the file is skipped before.
        let separator_in_array = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b']');
        let start = match self.layout {
            JsonLayout::Array => bytes[self.position..].iter().position(|&byte| !separator_in_array(byte)),
            _ => bytes[self.position..].iter().position(|&byte| !separator(byte)),
        };
        let Some(start) = start.map(|found| self.position + found) else { return Next::End };
        match value_end(bytes, start) {
            Some(end) => {
                self.position = end;
                Next::Value(start, end)
            }
            None => Next::Open(start),
        }
    }

    fn next_line(&mut self, bytes: &[u8]) -> Next {
        while self.position < bytes.len() {
            let start = self.position;
            let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at);
            self.position = (end + 1).min(bytes.len());
            if bytes[start..end].iter().any(|byte| !byte.is_ascii_whitespace()) {
                return Next::Value(start, end);
            }
        }
        Next::End
    }
}

/// Position behind the value that begins at `start`; `None` if it does not end. Only brackets and strings are
/// looked at: whether the value is valid is the parser's to say.
fn value_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut position = start;
    let mut depth = 0usize;
    loop {
        match bytes.get(position)? {
            b'"' => {
                position = string_end(bytes, position + 1)?;
                if depth == 0 {
                    return Some(position);
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(position + 1);
                }
            }
            _ if depth == 0 => {
                let ends = |byte: &u8| {
                    byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}' | b'[' | b'{')
                };
                let length = bytes[position..].iter().position(ends);
                return Some(length.map_or(bytes.len(), |length| position + length.max(1)));
            }
            _ => {}
        }
        position += 1;
    }
}

fn string_end(bytes: &[u8], mut position: usize) -> Option<usize> {
    loop {
        let at = position + memchr::memchr2(b'"', b'\\', bytes.get(position..)?)?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        position = at + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(layout: JsonLayout, text: &str) -> Vec<&str> {
        let mut values = Values::new(layout, 0);
        let mut found = Vec::new();
        while let Next::Value(start, end) = values.next(text.as_bytes()) {
            found.push(&text[start..end]);
        }
        found
    }

    #[test]
    fn layouts_are_told_apart() {
        let of = |text: &str| JsonLayout::of(text.as_bytes(), true);
        assert_eq!(of("{\"a\":1}\n{\"a\":2}\n"), JsonLayout::Lines);
        assert_eq!(of("[{\"a\":1},\n{\"a\":2}]\n"), JsonLayout::Array);
        assert_eq!(of("[1,2]\n[3]\n"), JsonLayout::Lines);
        assert_eq!(of("{\n\"a\":1}\n{\n\"a\":2}\n"), JsonLayout::Values);
        assert_eq!(of("{\"a\":1} {\"a\":2}\n"), JsonLayout::Values);
        assert_eq!(of("1\n2\n"), JsonLayout::Lines);
    }

    #[test]
    fn brackets_inside_strings_do_not_count() {
        assert_eq!(
            all(JsonLayout::Values, "{\"a\":\"}\\\"{\"} [1,[2]] 3 \"x\" "),
            ["{\"a\":\"}\\\"{\"}", "[1,[2]]", "3", "\"x\""]
        );
        assert_eq!(all(JsonLayout::Array, "1,[2],{\"a\":[3]}, null]"), ["1", "[2]", "{\"a\":[3]}", "null"]);
    }

    #[test]
    fn a_number_at_the_end_may_go_on() {
        assert_eq!(JsonLayout::Array.last_value_end(b"1, 23"), Some(1));
        assert_eq!(JsonLayout::Array.last_value_end(b"{\"a\":1}, {\"a\""), Some(7));
        assert_eq!(JsonLayout::Lines.last_value_end(b"1\n2"), Some(2));
    }
}
