//! Tests, counts and case of bytes.

/// Bytes whose counts fit a `u8` lane.
const BLOCK: usize = 128;

at_each_level! {
    /// True if no byte is above 127.
    pub fn is_ascii / is_ascii_at(bytes: &[u8]) -> bool {
        bytes.chunks(BLOCK).all(|block| block.iter().fold(0, |seen, byte| seen | byte) < 0x80)
    }

    /// The number of characters of a text in UTF-8: its bytes less the continuations.
    pub fn count_characters / count_characters_at(text: &[u8]) -> usize {
        let mut blocks = text.chunks_exact(BLOCK);
        let mut count = 0;
        for block in blocks.by_ref() {
            count += usize::from(block.iter().map(|&byte| u8::from(starts_character(byte))).sum::<u8>());
        }
        count + blocks.remainder().iter().filter(|&&byte| starts_character(byte)).count()
    }

    /// Writes the bytes with ASCII letters in upper case and all else as it is.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn to_upper / to_upper_at(bytes: &[u8], output: &mut [u8]) {
        assert_eq!(bytes.len(), output.len());
        for (result, &byte) in output.iter_mut().zip(bytes) {
            *result = byte ^ (u8::from(byte.wrapping_sub(b'a') < 26) << 5);
        }
    }

    /// Writes the bytes with ASCII letters in lower case and all else as it is.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn to_lower / to_lower_at(bytes: &[u8], output: &mut [u8]) {
        assert_eq!(bytes.len(), output.len());
        for (result, &byte) in output.iter_mut().zip(bytes) {
            *result = byte ^ (u8::from(byte.wrapping_sub(b'A') < 26) << 5);
        }
    }

    /// The number of positions at which two byte strings differ.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn hamming_distance / hamming_distance_at(left: &[u8], right: &[u8]) -> usize {
        assert_eq!(left.len(), right.len());
        let (mut left_blocks, mut right_blocks) = (left.chunks_exact(BLOCK), right.chunks_exact(BLOCK));
        let mut count = 0;
        for (left, right) in left_blocks.by_ref().zip(right_blocks.by_ref()) {
            count += usize::from(left.iter().zip(right).map(|(left, right)| u8::from(left != right)).sum::<u8>());
        }
        let rest = left_blocks.remainder().iter().zip(right_blocks.remainder());
        count + rest.filter(|(left, right)| left != right).count()
    }
}

/// Whether a byte is not a continuation (0x80 to 0xbf).
#[inline(always)]
fn starts_character(byte: u8) -> bool {
    (byte as i8) >= -0x40
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    #[test]
    fn results_equal_those_of_the_standard_library_at_every_level() {
        let long: String = "Grüße, Jürgen ❤ 𝒳 ABCxyz@[`{ ".repeat(40);
        let ascii = "The quick BROWN fox @[`{ 0123".repeat(40);
        for level in Level::available() {
            for text in [long.as_str(), ascii.as_str()] {
                for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
                    let part = &text[..end];
                    assert_eq!(is_ascii_at(level, part.as_bytes()), part.is_ascii());
                    assert_eq!(count_characters_at(level, part.as_bytes()), part.chars().count());
                }
                let mut output = vec![0; text.len()];
                to_upper_at(level, text.as_bytes(), &mut output);
                assert_eq!(output, text.to_ascii_uppercase().as_bytes());
                to_lower_at(level, text.as_bytes(), &mut output);
                assert_eq!(output, text.to_ascii_lowercase().as_bytes());
                let expected =
                    text.bytes().zip(output.iter().copied()).filter(|(left, right)| left != right).count();
                assert_eq!(hamming_distance_at(level, text.as_bytes(), &output), expected);
            }
        }
    }
}
