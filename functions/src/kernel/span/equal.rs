//! Where a value stands in spans: all values are compared once into a bitmap, of which each span asks its part.

use super::Span;

const WORD: usize = 64;

at_each_level! {
    /// Sets bit `i` of `words` where `values[i]` is the wanted one, and clears the others.
    ///
    /// # Panics
    /// If there are fewer words than the values need.
    pub fn equal_bits_i64 / equal_bits_i64_at(values: &[i64], wanted: i64, words: &mut [u64]) {
        equal_words(values, |value| value == wanted, words);
    }

    /// As [`equal_bits_i64`], for numbers of 32 bits.
    pub fn equal_bits_i32 / equal_bits_i32_at(values: &[i32], wanted: i32, words: &mut [u64]) {
        equal_words(values, |value| value == wanted, words);
    }
}

#[inline(always)]
fn equal_words<T: Copy>(values: &[T], is_wanted: impl Fn(T) -> bool, words: &mut [u64]) {
    assert!(words.len() >= values.len().div_ceil(WORD), "fewer words than values need");
    let (blocks, rest) = values.as_chunks::<WORD>();
    for (word, block) in words.iter_mut().zip(blocks) {
        let mut bits = 0;
        for (bit, &value) in block.iter().enumerate() {
            bits |= u64::from(is_wanted(value)) << bit;
        }
        *word = bits;
    }
    if let Some(word) = words.get_mut(blocks.len()) {
        *word =
            rest.iter().enumerate().fold(0, |bits, (bit, &value)| bits | u64::from(is_wanted(value)) << bit);
    }
}

/// The first set bit of a span.
///
/// # Panics
/// If the span does not lie inside the words.
#[inline]
pub fn first_set(words: &[u64], (start, end): Span) -> Option<usize> {
    let (start, end) = (start as usize, end as usize);
    let mut from = start;
    while from < end {
        let bits = words[from / WORD] >> (from % WORD);
        if bits != 0 {
            let found = from + bits.trailing_zeros() as usize;
            return (found < end).then_some(found);
        }
        from = (from / WORD + 1) * WORD;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    #[test]
    fn the_first_equal_value_of_a_span_is_found_at_every_level() {
        for length in [0usize, 1, 63, 64, 65, 130, 300] {
            let values: Vec<i64> = (0..length as i64).map(|at| at * 37 % 11).collect();
            let narrow: Vec<i32> = values.iter().map(|&value| value as i32).collect();
            for level in Level::available() {
                let mut words = vec![u64::MAX; length / 64 + 1];
                let mut same = words.clone();
                equal_bits_i64_at(level, &values, 5, &mut words);
                equal_bits_i32_at(level, &narrow, 5, &mut same);
                assert_eq!(words, same);
                for start in (0..=length).step_by(7) {
                    for end in (start..=length).step_by(5) {
                        let expected = values[start..end].iter().position(|&value| value == 5);
                        let found = first_set(&words, (start as u32, end as u32));
                        assert_eq!(found, expected.map(|place| start + place), "{start}..{end} of {length}");
                    }
                }
            }
        }
    }
}
