//! Pieces of up to fifteen bytes as two words, made by one load, a mask and no branch on the length.

use crate::kernel::hash::folded_product;

/// Longest piece that is held this way.
pub(super) const SHORT_BYTES: usize = 15;

/// Bytes that one load reads.
pub(super) const LOAD_BYTES: usize = 16;

/// Bytes of one of the two words.
const SHORT_HALF: usize = 8;

/// What is kept of a load, by the length of the piece.
const MASKS: [[u64; 2]; LOAD_BYTES] = masks();

const fn masks() -> [[u64; 2]; LOAD_BYTES] {
    let mut masks = [[0; 2]; LOAD_BYTES];
    let mut length = 1;
    while length < LOAD_BYTES {
        let mask = u128::MAX >> (128 - 8 * length);
        masks[length] = [mask as u64, (mask >> 64) as u64];
        length += 1;
    }
    masks
}

// Fractional bits of the square roots of 11 and 13, made odd.
const KEYS: [u64; 2] = [0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f];

/// The bytes of a piece, zeros behind them, and the length in the last byte. Zero is the key of no piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct ShortKey {
    low: u64,
    high: u64,
}

impl ShortKey {
    /// The key of the first `length` bytes of a load, 1 to [`SHORT_BYTES`].
    #[inline(always)]
    pub(super) fn of(load: &[u8; LOAD_BYTES], length: usize) -> ShortKey {
        let word = u128::from_le_bytes(*load);
        let [low, high] = MASKS[length % LOAD_BYTES];
        ShortKey { low: word as u64 & low, high: (word >> 64) as u64 & high | ((length as u64) << 56) }
    }

    /// The key of a piece of 1 to [`SHORT_BYTES`] bytes, whatever lies behind it.
    #[inline(always)]
    pub(super) fn of_piece(piece: &[u8]) -> ShortKey {
        let length = piece.len();
        // Of two loads that overlap, the later one is shifted to its place.
        let eight = |at: usize| piece[at..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
        let four =
            |at: usize| piece[at..].first_chunk().map_or(0, |word| u64::from(u32::from_le_bytes(*word)));
        let (low, high) = match length {
            8 => (eight(0), 0),
            9.. => (eight(0), eight(length - 8) >> (8 * (2 * SHORT_HALF - length))),
            4.. => (four(0) | (four(length - 4) << (8 * (length - 4))), 0),
            1.. => {
                let byte = |at: usize| u64::from(piece[at]) << (8 * at);
                (byte(0) | byte(length / 2) | byte(length - 1), 0)
            }
            0 => (0, 0),
        };
        ShortKey { low, high: high | ((length as u64) << 56) }
    }

    /// The place of a piece of any other length, in the form of a key that no piece has.
    #[inline(always)]
    pub(super) fn place(position: usize, length: usize) -> ShortKey {
        debug_assert!(length as u64 >> 56 == 0 && length > 0);
        ShortKey { low: position as u64, high: length as u64 }
    }

    /// The position and the length of a place.
    #[inline(always)]
    pub(super) fn as_place(self) -> Option<(usize, usize)> {
        (self.high >> 56 == 0).then_some((self.low as usize, self.high as usize))
    }

    /// The bytes of a piece, and how many there are.
    pub(super) fn bytes(self) -> ([u8; LOAD_BYTES], usize) {
        let word = u128::from(self.low) | (u128::from(self.high) << 64);
        (word.to_le_bytes(), (self.high >> 56) as usize)
    }

    /// Whether two keys are equal, without a branch between their words.
    #[inline(always)]
    pub(super) fn is(self, other: ShortKey) -> bool {
        (self.low ^ other.low) | (self.high ^ other.high) == 0
    }

    /// Spread over all bits.
    #[inline(always)]
    pub(super) fn hash(self) -> u64 {
        folded_product(self.low ^ KEYS[0], self.high ^ KEYS[1])
    }
}

/// The load from a place of padded bytes.
#[inline(always)]
pub(super) fn load<const PADDED: usize>(bytes: &[u8; PADDED], start: usize) -> &[u8; LOAD_BYTES] {
    match bytes[start..].first_chunk() {
        Some(load) => load,
        None => &[0; LOAD_BYTES],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_pieces_have_different_keys() {
        let mut seen = std::collections::HashSet::new();
        let text: Vec<u8> = (0..80u8).map(|index| index % 3).collect();
        for length in 1..=SHORT_BYTES {
            for start in 0..3 {
                let key = ShortKey::of_piece(&text[start..start + length]);
                assert!(seen.insert((key.low, key.high)));
                assert_eq!(key, ShortKey::of(text[start..].first_chunk().unwrap(), length));
                assert_ne!(key, ShortKey::default());
                let (bytes, count) = key.bytes();
                assert_eq!(&bytes[..count], &text[start..start + length]);
                assert_eq!(key.as_place(), None);
            }
        }
    }
}
