//! Bitmaps over words of 64 bits, the first bit lowest: validity, selections and results of comparisons.
//!
//! A bitmap of `length` bits has `length.div_ceil(64)` words or more. Bits at and beyond the length have no meaning and no
//! function here depends on them; those that write whole words leave them as they come.
//!
//! A *lane mask* is a lane of a register, all ones or all zeros, as comparisons give it.

/// Bits of a word.
pub const WORD_BITS: usize = u64::BITS as usize;

/// Words that hold `length` bits.
#[inline(always)]
pub const fn words_for(length: usize) -> usize {
    length.div_ceil(WORD_BITS)
}

/// The lowest `count` bits of a word set; all for 64 and more.
#[inline(always)]
pub const fn low_bits(count: usize) -> u64 {
    if count >= WORD_BITS { u64::MAX } else { (1 << count) - 1 }
}

/// The bit at `index`.
///
/// # Panics
/// If there is no word for it.
#[inline(always)]
pub fn get(words: &[u64], index: usize) -> bool {
    words[index / WORD_BITS] >> (index % WORD_BITS) & 1 == 1
}

/// Sets or clears the bit at `index`.
///
/// # Panics
/// If there is no word for it.
#[inline(always)]
pub fn set(words: &mut [u64], index: usize, value: bool) {
    let bit = 1 << (index % WORD_BITS);
    let word = &mut words[index / WORD_BITS];
    *word = if value { *word | bit } else { *word & !bit };
}

/// Sets or clears the bits from `start` up to `end`.
///
/// # Panics
/// If there is no word for one of them.
pub fn set_range(words: &mut [u64], start: usize, end: usize, value: bool) {
    if start >= end {
        return;
    }
    let (first, last) = (start / WORD_BITS, (end - 1) / WORD_BITS);
    let (from_start, to_end) = (u64::MAX << (start % WORD_BITS), low_bits((end - 1) % WORD_BITS + 1));
    let mut write = |index: usize, bits: u64| {
        words[index] = if value { words[index] | bits } else { words[index] & !bits };
    };
    if first == last {
        return write(first, from_start & to_end);
    }
    write(last, to_end);
    write(first, from_start);
    words[first + 1..last].fill(if value { u64::MAX } else { 0 });
}

/// Number of bits set among the first `length`.
///
/// # Panics
/// If the words hold fewer bits.
#[inline]
pub fn count_ones(words: &[u64], length: usize) -> usize {
    let (whole, rest) = (length / WORD_BITS, length % WORD_BITS);
    let tail = if rest > 0 { (words[whole] & low_bits(rest)).count_ones() } else { 0 };
    count_whole(&words[..whole]) + tail as usize
}

/// True if all of the first `length` bits are set.
///
/// # Panics
/// If the words hold fewer bits.
#[inline]
pub fn all(words: &[u64], length: usize) -> bool {
    let (whole, rest) = (length / WORD_BITS, length % WORD_BITS);
    words[..whole].iter().all(|&word| word == u64::MAX) && (rest == 0 || !words[whole] & low_bits(rest) == 0)
}

/// True if one of the first `length` bits is set.
///
/// # Panics
/// If the words hold fewer bits.
#[inline]
pub fn any(words: &[u64], length: usize) -> bool {
    let (whole, rest) = (length / WORD_BITS, length % WORD_BITS);
    words[..whole].iter().any(|&word| word != 0) || (rest > 0 && words[whole] & low_bits(rest) != 0)
}

/// Calls `visit` with the index of every bit set among the first `length`, in order.
///
/// # Panics
/// If the words hold fewer bits.
#[inline(always)]
pub fn for_each_set(words: &[u64], length: usize, mut visit: impl FnMut(usize)) {
    for (index, &word) in words[..words_for(length)].iter().enumerate() {
        let start = index * WORD_BITS;
        let mut word = word & low_bits(length - start);
        if word == u64::MAX {
            (start..start + WORD_BITS).for_each(&mut visit);
            continue;
        }
        while word != 0 {
            visit(start + word.trailing_zeros() as usize);
            word &= word - 1;
        }
    }
}

/// Appends the indexes of the bits set among the first `length`, in order, each plus `base`: a selection.
///
/// # Panics
/// If the words hold fewer bits.
pub fn append_set(words: &[u64], length: usize, base: u32, selection: &mut Vec<u32>) {
    selection.reserve(count_ones(words, length));
    for_each_set(words, length, |index| selection.push(base + index as u32));
}

/// Writes the `length` bits of `source` from bit `offset` on to the start of `target`.
///
/// # Panics
/// If `source` does not hold the bits or `target` has no room for them.
pub fn copy_bits(source: &[u64], offset: usize, length: usize, target: &mut [u64]) {
    assert!(words_for(offset + length) <= source.len(), "the source holds the bits");
    let (skip, shift) = (offset / WORD_BITS, offset % WORD_BITS);
    let target = &mut target[..words_for(length)];
    if shift == 0 {
        return target.copy_from_slice(&source[skip..skip + target.len()]);
    }
    for (index, word) in target.iter_mut().enumerate() {
        let above = source.get(skip + index + 1).map_or(0, |next| next << (WORD_BITS - shift));
        *word = (source[skip + index] >> shift) | above;
    }
}

at_each_level! {
    /// Number of bits set in whole words.
    fn count_whole / count_whole_at(words: &[u64]) -> usize {
        words.iter().map(|word| u64::from(word.count_ones())).sum::<u64>() as usize
    }

    /// Number of bits set in whole bytes.
    pub fn count_in_bytes / count_in_bytes_at(bytes: &[u8]) -> usize {
        let (words, rest) = bytes.as_chunks::<8>();
        let ones = words.iter().map(|word| u64::from(u64::from_le_bytes(*word).count_ones())).sum::<u64>() as usize;
        ones + rest.iter().map(|byte| byte.count_ones() as usize).sum::<usize>()
    }

    /// Clears in `target` what `other` has not set.
    ///
    /// # Panics
    /// If the numbers of words differ.
    pub fn and_into / and_into_at(target: &mut [u64], other: &[u64]) {
        assert_eq!(target.len(), other.len());
        target.iter_mut().zip(other).for_each(|(target, other)| *target &= other);
    }

    /// Sets in `target` what `other` has set.
    ///
    /// # Panics
    /// If the numbers of words differ.
    pub fn or_into / or_into_at(target: &mut [u64], other: &[u64]) {
        assert_eq!(target.len(), other.len());
        target.iter_mut().zip(other).for_each(|(target, other)| *target |= other);
    }

    /// Clears in `target` what `other` has set.
    ///
    /// # Panics
    /// If the numbers of words differ.
    pub fn and_not_into / and_not_into_at(target: &mut [u64], other: &[u64]) {
        assert_eq!(target.len(), other.len());
        target.iter_mut().zip(other).for_each(|(target, other)| *target &= !other);
    }

    /// Flips every bit.
    pub fn not_in_place / not_in_place_at(target: &mut [u64]) {
        target.iter_mut().for_each(|target| *target = !*target);
    }

    /// Writes what is set in both.
    ///
    /// # Panics
    /// If the numbers of words differ.
    pub fn and / and_at(left: &[u64], right: &[u64], output: &mut [u64]) {
        assert_eq!(left.len(), output.len());
        assert_eq!(right.len(), output.len());
        output.iter_mut().zip(left).zip(right).for_each(|((output, left), right)| *output = left & right);
    }

    /// Writes what is set in one or both.
    ///
    /// # Panics
    /// If the numbers of words differ.
    pub fn or / or_at(left: &[u64], right: &[u64], output: &mut [u64]) {
        assert_eq!(left.len(), output.len());
        assert_eq!(right.len(), output.len());
        output.iter_mut().zip(left).zip(right).for_each(|((output, left), right)| *output = left | right);
    }

    /// Writes a bit for each lane mask of 64 bits.
    ///
    /// # Panics
    /// If `words` has no room for them.
    pub fn pack_lanes_64 / pack_lanes_64_at(lanes: &[u64], words: &mut [u64]) {
        assert!(words_for(lanes.len()) <= words.len());
        for (lanes, word) in lanes.chunks(WORD_BITS).zip(words) {
            *word = lanes.iter().enumerate().fold(0, |word, (index, lane)| word | (lane & (1 << index)));
        }
    }

    /// Writes a bit for each lane mask of 32 bits.
    ///
    /// # Panics
    /// If `words` has no room for them.
    pub fn pack_lanes_32 / pack_lanes_32_at(lanes: &[u32], words: &mut [u64]) {
        assert!(words_for(lanes.len()) <= words.len());
        for (lanes, word) in lanes.chunks(WORD_BITS).zip(words) {
            let half = |lanes: &[u32]| lanes.iter().enumerate().fold(0, |word, (index, lane)| word | (lane & (1 << index)));
            let (low, high) = lanes.split_at(lanes.len().min(32));
            *word = u64::from(half(low)) | (u64::from(half(high)) << 32);
        }
    }

    /// Writes a bit for each lane that is not 0.
    ///
    /// # Panics
    /// If `words` has no room for them.
    pub fn pack_bytes / pack_bytes_at(lanes: &[u8], words: &mut [u64]) {
        assert!(words_for(lanes.len()) <= words.len());
        for (lanes, word) in lanes.chunks(WORD_BITS).zip(words) {
            *word = 0;
            for (position, lanes) in lanes.chunks(8).enumerate() {
                let mut eight = [0; 8];
                eight[..lanes.len()].copy_from_slice(lanes);
                *word |= u64::from(signs_of(u64::from_le_bytes(eight))) << (8 * position);
            }
        }
    }

    /// Writes the lane mask of each of the first `lanes.len()` bits.
    ///
    /// # Panics
    /// If the words hold fewer bits.
    pub fn expand_to_lanes_64 / expand_to_lanes_64_at(words: &[u64], lanes: &mut [u64]) {
        assert!(words_for(lanes.len()) <= words.len());
        for (lanes, &word) in lanes.chunks_mut(WORD_BITS).zip(words) {
            for (index, lane) in lanes.iter_mut().enumerate() {
                *lane = if word & (1 << index) != 0 { u64::MAX } else { 0 };
            }
        }
    }

    /// Writes the lane mask of each of the first `lanes.len()` bits.
    ///
    /// # Panics
    /// If the words hold fewer bits.
    pub fn expand_to_lanes_32 / expand_to_lanes_32_at(words: &[u64], lanes: &mut [u32]) {
        assert!(words_for(lanes.len()) <= words.len());
        for (lanes, &word) in lanes.chunks_mut(WORD_BITS).zip(words) {
            for (lanes, half) in lanes.chunks_mut(32).zip([word as u32, (word >> 32) as u32]) {
                for (index, lane) in lanes.iter_mut().enumerate() {
                    *lane = if half & (1 << index) != 0 { u32::MAX } else { 0 };
                }
            }
        }
    }
}

/// One bit for each of eight bytes: whether it is not 0.
#[inline(always)]
fn signs_of(bytes: u64) -> u8 {
    const LOW_SEVEN: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    // The upper bit of each byte, set where the byte is not 0; no carry leaves a byte.
    let filled = (((bytes & LOW_SEVEN) + LOW_SEVEN) | bytes) & !LOW_SEVEN;
    // The product brings the eight upper bits together in the highest byte.
    ((filled >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    const LENGTHS: [usize; 10] = [0, 1, 31, 32, 63, 64, 65, 127, 200, 1000];

    /// Words without visible pattern, with some full and some empty.
    fn words(count: usize, seed: u64) -> Vec<u64> {
        (0..count as u64)
            .map(|index| match (index + seed) % 5 {
                0 => u64::MAX,
                1 => 0,
                _ => (index + seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(index as u32),
            })
            .collect()
    }

    fn bits(words: &[u64], length: usize) -> Vec<bool> {
        (0..length).map(|index| get(words, index)).collect()
    }

    #[test]
    fn counts_and_tests_ignore_bits_beyond_the_length() {
        for length in LENGTHS {
            let bitmap = words(words_for(length) + 1, 2);
            let ones = bits(&bitmap, length).iter().filter(|bit| **bit).count();
            assert_eq!(count_ones(&bitmap, length), ones);
            assert_eq!(any(&bitmap, length), ones > 0);
            assert_eq!(all(&bitmap, length), ones == length);
            let mut full = vec![0; words_for(length) + 1];
            set_range(&mut full, 0, length, true);
            assert!(all(&full, length));
            assert_eq!(count_ones(&full, length + 20), length);
            for level in Level::available() {
                assert_eq!(count_whole_at(level, &full), length);
                let bytes: Vec<u8> =
                    bitmap.iter().flat_map(|word| word.to_le_bytes()).take(length / 8).collect();
                assert_eq!(count_in_bytes_at(level, &bytes), count_ones(&bitmap, length / 8 * 8));
            }
        }
    }

    #[test]
    fn ranges_are_set_and_cleared_and_nothing_else() {
        for start in [0, 1, 63, 64, 65, 130] {
            for end in [0, 1, 63, 64, 65, 128, 130, 191, 192] {
                for value in [false, true] {
                    let mut bitmap = words(3, 0);
                    let mut expected = bits(&bitmap, 192);
                    (start..end).for_each(|index| expected[index] = value);
                    set_range(&mut bitmap, start, end, value);
                    assert_eq!(bits(&bitmap, 192), expected, "{start}..{end}");
                }
            }
        }
        let mut bitmap = [0; 2];
        set(&mut bitmap, 70, true);
        assert_eq!(bitmap, [0, 64]);
        set(&mut bitmap, 70, false);
        assert_eq!(bitmap, [0, 0]);
    }

    #[test]
    fn set_bits_are_visited_in_order() {
        for length in LENGTHS {
            let bitmap = words(words_for(length) + 1, 7);
            let expected: Vec<u32> =
                (0..length).filter(|&index| get(&bitmap, index)).map(|index| index as u32 + 5).collect();
            let mut selection = Vec::new();
            append_set(&bitmap, length, 5, &mut selection);
            assert_eq!(selection, expected);
        }
    }

    #[test]
    fn bits_are_copied_from_any_offset() {
        let source = words(5, 3);
        for offset in [0, 1, 63, 64, 65, 100] {
            for length in [0, 1, 63, 64, 65, 128, 220] {
                let mut target = vec![0; words_for(length)];
                copy_bits(&source, offset, length, &mut target);
                assert_eq!(bits(&target, length), bits(&source, offset + length)[offset..]);
            }
        }
    }

    #[test]
    fn logic_equals_its_definition_at_every_level() {
        let (left, right) = (words(37, 1), words(37, 4));
        let expected = |logic: fn(u64, u64) -> u64| -> Vec<u64> {
            left.iter().zip(&right).map(|(&left, &right)| logic(left, right)).collect()
        };
        for level in Level::available() {
            let mut output = vec![0; 37];
            and_at(level, &left, &right, &mut output);
            assert_eq!(output, expected(|left, right| left & right));
            or_at(level, &left, &right, &mut output);
            assert_eq!(output, expected(|left, right| left | right));
            let in_place = |logic: fn(Level, &mut [u64], &[u64])| {
                let mut target = left.clone();
                logic(level, &mut target, &right);
                target
            };
            assert_eq!(in_place(and_into_at), expected(|left, right| left & right));
            assert_eq!(in_place(or_into_at), expected(|left, right| left | right));
            assert_eq!(in_place(and_not_into_at), expected(|left, right| left & !right));
            not_in_place_at(level, &mut output);
            assert_eq!(output, expected(|left, right| !(left | right)));
        }
    }

    #[test]
    fn lanes_are_packed_and_expanded_at_every_level() {
        for length in LENGTHS {
            let bitmap = words(words_for(length), 9);
            for level in Level::available() {
                let mut wide = vec![7; length];
                expand_to_lanes_64_at(level, &bitmap, &mut wide);
                let mut narrow = vec![7; length];
                expand_to_lanes_32_at(level, &bitmap, &mut narrow);
                for index in 0..length {
                    assert_eq!(wide[index], if get(&bitmap, index) { u64::MAX } else { 0 });
                    assert_eq!(narrow[index], if get(&bitmap, index) { u32::MAX } else { 0 });
                }
                let bytes: Vec<u8> =
                    (0..length).map(|index| if get(&bitmap, index) { 1 << (index % 8) } else { 0 }).collect();
                let mut packed = vec![3; words_for(length)];
                pack_lanes_64_at(level, &wide, &mut packed);
                assert_eq!(bits(&packed, length), bits(&bitmap, length));
                packed.fill(3);
                pack_lanes_32_at(level, &narrow, &mut packed);
                assert_eq!(bits(&packed, length), bits(&bitmap, length));
                packed.fill(3);
                pack_bytes_at(level, &bytes, &mut packed);
                assert_eq!(bits(&packed, length), bits(&bitmap, length));
            }
        }
    }
}
