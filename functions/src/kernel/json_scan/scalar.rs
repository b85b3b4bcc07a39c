//! Numbers, truth values and null of a JSON text.

/// Digits of a whole number that fits a signed word for certain.
pub const WHOLE_DIGITS_MAX: usize = 18;
/// Longest number with a fraction that is scanned.
const FRACTION_BYTES_MAX: usize = 64;

/// Which bytes of a block are digits; they may stand in strings.
#[derive(Debug, Clone, Copy)]
pub struct Digits {
    /// All of them.
    pub all: u64,
    /// The digit 0.
    pub zero: u64,
    /// Points.
    pub point: u64,
}

/// The scalars that begin in a block.
#[derive(Debug, Clone, Copy)]
pub struct Runs {
    /// Their first bytes.
    pub starts: u64,
    /// True if there may be a whole number of more than [`WHOLE_DIGITS_MAX`] digits, here or on the way from the block before.
    pub is_long: bool,
    /// Bytes by which a number without a sign is wrong, or has an exponent.
    pub wrong: u64,
}

/// What a block leaves to the next one: the first bit each, but for the digits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Carry {
    scalar: u64,
    /// All digits of the block before.
    digits: u64,
    point: u64,
    leading_zero: u64,
    /// The last byte belongs to a fraction, or is its point.
    fraction: u64,
}

impl Carry {
    /// Takes in which bytes of a block belong to scalars.
    #[inline(always)]
    pub fn take(&mut self, scalar: u64, block: Digits) -> Runs {
        let (digit, point) = (block.all & scalar, block.point & scalar);
        let other = scalar & !(digit | point);
        let behind_digit = digit << 1 | self.digits >> 63;
        let behind_point = point << 1 | self.point;
        let starts = scalar & !(scalar << 1 | self.scalar);
        // A sign is looked at with its number.
        let leading_zero = digit & block.zero & starts;
        // A carry runs from the byte behind a point through its digits.
        let (carried, goes_on) = (point << 1 | self.fraction).overflowing_add(digit);
        let wrong = (point & (!behind_digit | (carried & !digit)))
            | (behind_point & !digit)
            | (other & (behind_digit | behind_point))
            | ((leading_zero << 1 | self.leading_zero) & digit);
        // Each bit says whether this byte and the 18 behind it are digits.
        let two = digit & (digit >> 1);
        let four = two & (two >> 2);
        let eight = four & (four >> 4);
        let sixteen = eight & (eight >> 8);
        let long = sixteen & (sixteen >> (WHOLE_DIGITS_MAX + 1 - 16));
        let across = self.digits.leading_ones() + digit.trailing_ones();
        *self = Self {
            scalar: scalar >> 63,
            digits: digit,
            point: point >> 63,
            leading_zero: leading_zero >> 63,
            fraction: point >> 63 | u64::from(goes_on),
        };
        let is_long = long != 0 || across as usize > WHOLE_DIGITS_MAX;
        Runs { starts, is_long, wrong }
    }

    /// True if a text may end here.
    #[inline(always)]
    pub fn ends(&self) -> bool {
        self.point == 0
    }
}

/// True if a scalar begins at a place; false too at numbers that a word or a plain double may not hold.
pub fn is_plain(bytes: &[u8], start: usize) -> bool {
    let literal =
        |literal: &str| bytes[start..].starts_with(literal.as_bytes()) && ends(bytes, start + literal.len());
    match bytes.get(start) {
        Some(b't') => literal("true"),
        Some(b'f') => literal("false"),
        Some(b'n') => literal("null"),
        _ => is_plain_number(bytes, start),
    }
}

fn is_plain_number(bytes: &[u8], start: usize) -> bool {
    let is_negative = bytes.get(start) == Some(&b'-');
    let first = start + usize::from(is_negative);
    let mut end = digits(bytes, first);
    let has_leading_zero = bytes.get(first) == Some(&b'0');
    if end == first || (has_leading_zero && end > first + 1) {
        return false;
    }
    if bytes.get(end) == Some(&b'.') {
        let point = end;
        end = digits(bytes, point + 1);
        if end == point + 1 || end - start > FRACTION_BYTES_MAX {
            return false;
        }
    } else if end - first > WHOLE_DIGITS_MAX || (is_negative && has_leading_zero) {
        // Minus zero is a number of its own.
        return false;
    }
    // An exponent is left to the parser.
    ends(bytes, end)
}

/// True if a token that is no string ends at a place: what cannot belong to it stands there.
#[inline(always)]
fn ends(bytes: &[u8], at: usize) -> bool {
    let ends = |byte: &u8| {
        matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' | b'{' | b'[' | b':' | b'"')
    };
    bytes.get(at).is_none_or(ends)
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
