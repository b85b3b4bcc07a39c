//! Vectors of one bit an element, packed eight to a byte with the first element in the highest bit.

at_each_level! {
    /// Appends a bit for each value: 1 above the threshold, else 0, as for NaN. The last byte is filled up with zeros.
    pub fn pack_above / pack_above_at(values: &[f32], threshold: f32, bytes: &mut Vec<u8>) {
        let mut blocks = values.chunks_exact(8);
        for block in blocks.by_ref() {
            let mut byte = 0;
            for (place, &value) in block.iter().enumerate() {
                byte |= u8::from(value > threshold) << (7 - place);
            }
            bytes.push(byte);
        }
        let rest = blocks.remainder();
        if !rest.is_empty() {
            let bits = rest.iter().enumerate();
            bytes.push(bits.fold(0, |byte, (place, &value)| byte | u8::from(value > threshold) << (7 - place)));
        }
    }

    /// Number of bits that differ, of bits in both, and of bits in either.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn compare_bits / compare_bits_at(left: &[u8], right: &[u8]) -> [u64; 3] {
        assert_eq!(left.len(), right.len());
        let (mut left_words, mut right_words) = (left.chunks_exact(8), right.chunks_exact(8));
        let mut counts = [0u64; 3];
        let mut add = |left: u64, right: u64| {
            counts[0] += u64::from((left ^ right).count_ones());
            counts[1] += u64::from((left & right).count_ones());
            counts[2] += u64::from((left | right).count_ones());
        };
        for (left, right) in left_words.by_ref().zip(right_words.by_ref()) {
            add(word(left), word(right));
        }
        for (&left, &right) in left_words.remainder().iter().zip(right_words.remainder()) {
            add(u64::from(left), u64::from(right));
        }
        counts
    }

    /// Number of bits that differ.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn hamming / hamming_at(left: &[u8], right: &[u8]) -> u64 {
        assert_eq!(left.len(), right.len());
        let (mut left_words, mut right_words) = (left.chunks_exact(8), right.chunks_exact(8));
        let words = left_words.by_ref().zip(right_words.by_ref());
        let whole: u64 = words.map(|(left, right)| u64::from((word(left) ^ word(right)).count_ones())).sum();
        let rest = left_words.remainder().iter().zip(right_words.remainder());
        whole + rest.map(|(left, right)| u64::from((left ^ right).count_ones())).sum::<u64>()
    }
}

#[inline(always)]
fn word(bytes: &[u8]) -> u64 {
    bytes.iter().enumerate().fold(0, |word, (place, &byte)| word | u64::from(byte) << (8 * place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    #[test]
    fn bits_stand_for_values_above_the_threshold() {
        for level in Level::available() {
            let mut bytes = vec![9];
            let values = [0.1, -1.0, 0.0, f32::NAN, 5.0, 0.0, 0.0, 1.0, 2.0, -0.0];
            pack_above_at(level, &values, 0.0, &mut bytes);
            assert_eq!(bytes, [9, 0b1000_1001, 0b1000_0000]);
            bytes.clear();
            pack_above_at(level, &[], 0.0, &mut bytes);
            assert!(bytes.is_empty());
        }
    }

    #[test]
    fn counts_are_those_of_single_bits() {
        for length in [0, 1, 7, 8, 9, 16, 100] {
            let left: Vec<u8> = (0..length).map(|index| (index * 73 % 251) as u8).collect();
            let right: Vec<u8> = (0..length).map(|index| (index * 151 % 241) as u8).collect();
            let bits = |byte: u8| u64::from(byte.count_ones());
            let count = |combine: fn(u8, u8) -> u8| -> u64 {
                left.iter().zip(&right).map(|(&left, &right)| bits(combine(left, right))).sum()
            };
            let expected = [count(|a, b| a ^ b), count(|a, b| a & b), count(|a, b| a | b)];
            for level in Level::available() {
                assert_eq!(compare_bits_at(level, &left, &right), expected);
                assert_eq!(hamming_at(level, &left, &right), expected[0]);
            }
        }
    }
}
