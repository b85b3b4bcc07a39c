//! Eight bytes of text in one word, and runs of ASCII letters at their start, found without a loop.

/// Eight bytes, the first lowest.
#[derive(Clone, Copy, Debug)]
pub(super) struct EightBytes(pub(super) u64);

const EACH: u64 = 0x0101_0101_0101_0101;
/// The upper bit of each byte, which marks the bytes that a test found.
const MARKS: u64 = 0x80 * EACH;

/// Marks the bytes from `low` to `high`, both below 128.
#[inline(always)]
fn marks_between(word: u64, low: u8, high: u8) -> u64 {
    // With the upper bit cleared, these sums set it from `low` on, and beyond `high`; no carry leaves a byte.
    let seven = word & !MARKS;
    let from_low = seven + (0x80 - u64::from(low)) * EACH;
    let beyond_high = seven + (0x7f - u64::from(high)) * EACH;
    from_low & !beyond_high & !word & MARKS
}

/// How many bytes from the first are marked.
#[inline(always)]
fn leading(marks: u64) -> usize {
    (!marks & MARKS).trailing_zeros() as usize / 8
}

/// The marks as the lowest bits, one for each byte.
#[inline(always)]
fn gathered(marks: u64) -> u64 {
    // The product brings bit 8 i + 7 to bit 56 + i; no two of its terms meet, so nothing is carried.
    (marks >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

impl EightBytes {
    /// Which bytes lie from `low` to `high`, both below 128: bit `i` is byte `i`.
    #[inline(always)]
    pub(super) fn bits_between(self, low: u8, high: u8) -> u64 {
        gathered(marks_between(self.0, low, high))
    }

    /// Which bytes lie above 0x7f, and which of those below 0xc0.
    #[inline(always)]
    pub(super) fn wide_bits(self) -> (u64, u64) {
        (gathered(self.0 & MARKS), gathered(self.0 & !(self.0 << 1) & MARKS))
    }

    /// How many bytes from the first are ASCII letters.
    #[inline(always)]
    pub(super) fn leading_letters(self) -> usize {
        leading(marks_between(self.0 | (0x20 * EACH), b'a', b'z'))
    }

    /// How many bytes from the first are lower-case ASCII letters.
    #[inline(always)]
    pub(super) fn leading_lower(self) -> usize {
        leading(marks_between(self.0, b'a', b'z'))
    }

    /// How many bytes from the first are upper-case ASCII letters, and how many after them lower-case ones.
    #[inline(always)]
    pub(super) fn leading_upper_then_lower(self) -> (usize, usize) {
        let upper = leading(marks_between(self.0, b'A', b'Z'));
        let through_lower = leading(marks_between(self.0, b'a', b'z') | low_marks(upper));
        (upper, through_lower - upper)
    }
}

/// Marks the first `count` bytes, at most eight.
#[inline(always)]
fn low_marks(count: usize) -> u64 {
    if count >= 8 { MARKS } else { MARKS & ((1 << (8 * count)) - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_end_at_the_first_other_byte() {
        let run =
            |bytes: &[u8], belongs: fn(&u8) -> bool| bytes.iter().take_while(|byte| belongs(byte)).count();
        for base in [*b"aZzAmMbY", *b"abcdwxyz", *b"ABCDWXYZ", *b"ABcdefgh"] {
            for byte in 0..=255u8 {
                for position in 0..8 {
                    let mut bytes = base;
                    bytes[position] = byte;
                    let word = EightBytes(u64::from_le_bytes(bytes));
                    assert_eq!(word.leading_letters(), run(&bytes, u8::is_ascii_alphabetic));
                    assert_eq!(word.leading_lower(), run(&bytes, u8::is_ascii_lowercase));
                    let upper = run(&bytes, u8::is_ascii_uppercase);
                    let lower = run(&bytes[upper..], u8::is_ascii_lowercase);
                    assert_eq!(word.leading_upper_then_lower(), (upper, lower), "{bytes:?}");
                }
            }
        }
    }
}
