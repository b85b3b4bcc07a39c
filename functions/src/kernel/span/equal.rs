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

/// Words that hold a bit for each of these values, and the room behind them that [`found`] and [`places`] read.
pub fn words_for(values: usize) -> usize {
    values.div_ceil(WORD) + 2
}

/// The bits of the first 64 elements of a span.
#[inline(always)]
fn window(words: &[u64], (start, end): Span) -> u64 {
    let (index, shift) = (start as usize / WORD, start % WORD as u32);
    let low = words[index] >> shift;
    // Shifted in two steps, since no shift by a whole word is.
    let high = words[index + 1] << 1 << (WORD as u32 - 1 - shift);
    let length = (end - start).min(WORD as u32);
    let inside = if length == WORD as u32 { u64::MAX } else { (1 << length) - 1 };
    (low | high) & inside
}

/// The first set bit of a span beyond its first 64 elements, counted from its start.
#[cold]
fn first_of_rest(words: &[u64], (start, end): Span) -> Option<u32> {
    let mut from = start + WORD as u32;
    while from < end {
        let bits = window(words, (from, end));
        if bits != 0 {
            return Some(from - start + bits.trailing_zeros());
        }
        from += WORD as u32;
    }
    None
}

at_each_level! {
    /// Sets a bit for each span that has a set bit, of which there may be 64.
    ///
    /// # Panics
    /// If a span does not lie inside the values, or if there are fewer words than [`words_for`] asks for.
    pub fn found / found_at(words: &[u64], spans: &[Span]) -> u64 {
        let mut found = 0;
        for (bit, &span) in spans.iter().enumerate() {
            let mut has = window(words, span) != 0;
            if span.1 - span.0 > WORD as u32 {
                has |= first_of_rest(words, span).is_some();
            }
            found |= u64::from(has) << bit;
        }
        found
    }

    /// Writes the place of each span's first set bit, from 1, and sets a bit for each span that has one, of which there may be 64.
    ///
    /// # Panics
    /// As [`found`].
    pub fn places / places_at(words: &[u64], spans: &[Span], places: &mut [i32]) -> u64 {
        let mut found = 0;
        for (bit, (&span, place)) in spans.iter().zip(places).enumerate() {
            let bits = window(words, span);
            let mut first = (bits != 0).then_some(bits.trailing_zeros());
            if bits == 0 && span.1 - span.0 > WORD as u32 {
                first = first_of_rest(words, span);
            }
            *place = first.map_or(0, |first| first as i32 + 1);
            found |= u64::from(first.is_some()) << bit;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    #[test]
    fn the_first_equal_value_of_a_span_is_found_at_every_level() {
        for length in [0usize, 1, 63, 64, 65, 130, 300] {
            let values: Vec<i64> = (0..length as i64).map(|at| at * 37 % 101).collect();
            let narrow: Vec<i32> = values.iter().map(|&value| value as i32).collect();
            for level in Level::available() {
                let mut words = vec![u64::MAX; words_for(length)];
                let mut same = words.clone();
                equal_bits_i64_at(level, &values, 5, &mut words);
                equal_bits_i32_at(level, &narrow, 5, &mut same);
                assert_eq!(words, same);
                let starts = (0..=length).step_by(7);
                let spans: Vec<Span> = starts
                    .flat_map(|start| (start..=length).step_by(5).map(move |end| (start as u32, end as u32)))
                    .collect();
                for spans in spans.chunks(WORD) {
                    let bits = found_at(level, &words, spans);
                    let mut first = vec![7; spans.len()];
                    assert_eq!(places_at(level, &words, spans, &mut first), bits);
                    for (at, &(start, end)) in spans.iter().enumerate() {
                        let expected =
                            values[start as usize..end as usize].iter().position(|&value| value == 5);
                        assert_eq!(first[at], expected.map_or(0, |place| place as i32 + 1), "{start}..{end}");
                        assert_eq!(bits >> at & 1 == 1, expected.is_some());
                    }
                    assert!(spans.len() == WORD || bits >> spans.len() == 0);
                }
            }
        }
    }
}
