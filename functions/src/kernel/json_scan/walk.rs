//! Walks the tokens of a JSON text: checks their order, and finds what stands at asked places.

use super::{Found, Place, Tokens, head_of};

/// Deepest nesting that is followed.
const DEPTH_MAX: u32 = 64;
/// Digits of a whole number that fits a signed word for certain.
const WHOLE_DIGITS_MAX: usize = 18;
/// Longest number with a fraction that is scanned.
const FRACTION_BYTES_MAX: usize = 64;

/// Writes what stands at each asked place; gives up by `None`.
pub(super) fn walk<'text>(
    places: &[Place],
    text: &'text str,
    tokens: &Tokens,
    found: &mut [Found<'text>],
) -> Option<()> {
    let has_escapes = tokens.has_escapes();
    let mut walk =
        Walk { places, text, bytes: text.as_bytes(), tokens: tokens.places(), next: 0, has_escapes, found };
    walk.value(super::Places::ROOT, 0)?;
    (walk.next == walk.tokens.len()).then_some(())
}

/// The next token of a text; each step gives up by `None`.
struct Walk<'a, 'text> {
    places: &'a [Place],
    text: &'text str,
    bytes: &'text [u8],
    tokens: &'a [u32],
    next: usize,
    has_escapes: bool,
    found: &'a mut [Found<'text>],
}

impl<'a, 'text> Walk<'a, 'text> {
    /// Place and first byte of the next token; behind the last one the end of the text, and 0, which begins none.
    #[inline(always)]
    fn peek(&self) -> (usize, u8) {
        let at = self.tokens.get(self.next).map_or(self.bytes.len(), |&at| at as usize);
        (at, self.bytes.get(at).copied().unwrap_or(0))
    }

    /// A value of which something is asked.
    fn value(&mut self, place: usize, depth: u32) -> Option<()> {
        let asked = &self.places[place];
        match self.peek().1 {
            b'{' | b'[' if !asked.answers.is_empty() => None,
            b'{' | b'[' => self.inside(Some(asked), depth),
            _ => {
                let value = self.scalar()?;
                asked.answers.iter().for_each(|&answer| self.found[answer] = value);
                Some(())
            }
        }
    }

    /// Passes an object or array, of which something may be asked.
    fn inside(&mut self, asked: Option<&'a Place>, depth: u32) -> Option<()> {
        if depth == DEPTH_MAX {
            return None;
        }
        let is_object = self.peek().1 == b'{';
        let closing = if is_object { b'}' } else { b']' };
        self.next += 1;
        if self.peek().1 == closing {
            self.next += 1;
            return Some(());
        }
        let mut is_found = 0u64;
        for position in 0.. {
            let place = match (is_object, asked) {
                (true, Some(asked)) => self.field(asked, &mut is_found)?,
                (true, None) => {
                    self.name()?;
                    None
                }
                (false, Some(asked)) => {
                    asked.elements.iter().find(|(held, _)| *held == position).map(|&(_, place)| place)
                }
                (false, None) => None,
            };
            match place {
                Some(place) => self.value(place, depth + 1)?,
                None => self.skip_value(depth + 1)?,
            }
            let byte = self.peek().1;
            self.next += 1;
            if byte != b',' {
                return (byte == closing).then_some(());
            }
        }
        None
    }

    /// Passes a value that nobody asks for.
    #[inline(always)]
    fn skip_value(&mut self, depth: u32) -> Option<()> {
        match self.peek() {
            (_, b'"') => self.next += 1,
            (_, b'{' | b'[') => return self.inside(None, depth),
            (at, byte) => {
                self.next += 1;
                match byte {
                    b't' => self.literal(at, "true")?,
                    b'f' => self.literal(at, "false")?,
                    b'n' => self.literal(at, "null")?,
                    _ => self.number(at).map(|_| ())?,
                }
            }
        }
        Some(())
    }

    /// Passes the name of a field and its colon; gives the place that it leads to.
    #[inline(always)]
    fn field(&mut self, asked: &Place, is_found: &mut u64) -> Option<Option<usize>> {
        let (start, end) = self.name()?;
        let name = self.content(start, end)?;
        if self.has_escapes && asked.may_be_escaped && name.contains(&b'\\') {
            return None;
        }
        let head = match self.bytes.get(start + 1..).and_then(<[u8]>::first_chunk::<8>) {
            Some(head) if name.len() < 8 => u64::from_le_bytes(*head) & !(u64::MAX << (8 * name.len())),
            Some(head) => u64::from_le_bytes(*head),
            None => head_of(name),
        };
        // Of several fields of one name the first counts.
        let mut fields = asked.fields.iter().enumerate();
        let Some((at, field)) = fields.find(|(at, field)| field.is(name, head) && *is_found >> at & 1 == 0)
        else {
            return Some(None);
        };
        *is_found |= 1 << at;
        Some(Some(field.place))
    }

    /// Passes a string and a colon; the places of both.
    #[inline(always)]
    fn name(&mut self) -> Option<(usize, usize)> {
        let (start, byte) = self.peek();
        self.next += 1;
        let (end, colon) = self.peek();
        self.next += 1;
        (byte == b'"' && colon == b':').then_some((start, end))
    }

    /// The bytes between the quotes of the string that begins at `start`, behind which the next token stands at `end`.
    #[inline(always)]
    fn content(&self, start: usize, end: usize) -> Option<&'text [u8]> {
        let mut end = end;
        // Nothing but blanks stands between the closing quote and the next token.
        while self.bytes.get(end.checked_sub(1)?)? != &b'"' {
            end -= 1;
        }
        self.bytes.get(start + 1..end - 1)
    }

    /// Passes a value that is neither object nor array, of which the content is asked.
    fn scalar(&mut self) -> Option<Found<'text>> {
        let (start, byte) = self.peek();
        self.next += 1;
        Some(match byte {
            b'"' => {
                let content = self.content(start, self.peek().0)?;
                if self.has_escapes && content.contains(&b'\\') {
                    return None;
                }
                Found::Text(self.text.get(start + 1..start + 1 + content.len())?)
            }
            b't' => self.literal(start, "true").map(|()| Found::Boolean(true))?,
            b'f' => self.literal(start, "false").map(|()| Found::Boolean(false))?,
            b'n' => self.literal(start, "null").map(|()| Found::Null)?,
            _ => {
                let (end, has_fraction) = self.number(start)?;
                let number = self.text.get(start..end)?;
                if has_fraction { Found::Fraction(number) } else { Found::Whole(number) }
            }
        })
    }

    #[inline(always)]
    fn literal(&self, at: usize, literal: &str) -> Option<()> {
        (self.bytes[at..].starts_with(literal.as_bytes()) && self.ends(at + literal.len())).then_some(())
    }

    /// The end of a number, and whether it has a fraction.
    #[inline(always)]
    fn number(&self, start: usize) -> Option<(usize, bool)> {
        let is_negative = self.bytes.get(start) == Some(&b'-');
        let first = start + usize::from(is_negative);
        let mut end = digits(self.bytes, first);
        let has_leading_zero = self.bytes.get(first) == Some(&b'0');
        if end == first || (has_leading_zero && end > first + 1) {
            return None;
        }
        let has_fraction = self.bytes.get(end) == Some(&b'.');
        if has_fraction {
            let point = end;
            end = digits(self.bytes, point + 1);
            if end == point + 1 || end - start > FRACTION_BYTES_MAX {
                return None;
            }
        } else if end - first > WHOLE_DIGITS_MAX || (is_negative && has_leading_zero) {
            // Minus zero is a number of its own.
            return None;
        }
        // An exponent is left to the parser.
        self.ends(end).then_some((end, has_fraction))
    }

    /// True if a token that is no string ends at a place: what cannot belong to it stands there.
    #[inline(always)]
    fn ends(&self, at: usize) -> bool {
        let ends = |byte: &u8| {
            matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' | b'{' | b'[' | b':' | b'"')
        };
        self.bytes.get(at).is_none_or(ends)
    }
}

/// Where the digits end that stand from a place on.
#[inline(always)]
fn digits(bytes: &[u8], mut at: usize) -> usize {
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*eight);
        // A digit has the high half 3, and still has it with 6 added; a carry only reaches bytes behind one that is no digit.
        let is_other = (word & 0xf0f0_f0f0_f0f0_f0f0) ^ 0x3030_3030_3030_3030
            | (word.wrapping_add(0x0606_0606_0606_0606) & 0xf0f0_f0f0_f0f0_f0f0) ^ 0x3030_3030_3030_3030;
        at += (is_other.trailing_zeros() / 8) as usize;
        if is_other != 0 {
            return at;
        }
    }
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_any_length_are_passed() {
        for length in 1..40 {
            for end in ["", ":", "/", "a", "\u{7f}", " ", "ÿ"] {
                let text = "7".repeat(length) + end + "00000000";
                let expected = if end.is_empty() { length + 8 } else { length };
                assert_eq!(digits(text.as_bytes(), 0), expected, "{text}");
            }
        }
    }
}
