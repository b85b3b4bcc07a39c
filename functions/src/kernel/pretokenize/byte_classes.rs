//! The classes of the bytes of a block, one bit a byte, found for all of them at once at each CPU level.

use super::EightBytes;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256i, _mm256_add_epi8, _mm256_cmpeq_epi8, _mm256_cmpgt_epi8, _mm256_loadu_si256, _mm256_movemask_epi8,
    _mm256_or_si256, _mm256_set1_epi8, _mm512_cmpeq_epi8_mask, _mm512_cmplt_epi8_mask,
    _mm512_cmplt_epu8_mask, _mm512_loadu_si512, _mm512_set1_epi8, _mm512_sub_epi8,
};

/// Bytes that are classified together: a bit of a word for each.
pub(crate) const BLOCK: usize = 64;

/// Bytes of a block with as many behind it as one load from any of its places reaches.
pub(crate) const BLOCK_AND_BEYOND: usize = BLOCK + 16;

/// Which bytes of a block are of a class; bit `i` is byte `i`. Bytes above 0x7f are in [`ByteClasses::wide`] only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ByteClasses {
    /// `A` to `Z`.
    pub upper: u64,
    /// `a` to `z`.
    pub lower: u64,
    /// `0` to `9`.
    pub digit: u64,
    /// The space.
    pub space: u64,
    /// Tab, vertical tab, form feed, line feed and carriage return.
    pub control_space: u64,
    /// Line feed and carriage return.
    pub line_end: u64,
    /// The apostrophe.
    pub apostrophe: u64,
    /// The slash.
    pub slash: u64,
    /// Bytes of characters that are not ASCII.
    pub wide: u64,
    /// Of those, all but the first of each character.
    pub continuation: u64,
}

/// A way to classify a block that this machine has.
pub(super) trait Classify: Copy {
    /// The classes of the first [`BLOCK`] bytes.
    fn classify(self, bytes: &[u8; BLOCK_AND_BEYOND]) -> ByteClasses;
}

/// Eight bytes of a word at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByWords;

impl Classify for ByWords {
    #[inline(always)]
    fn classify(self, bytes: &[u8; BLOCK_AND_BEYOND]) -> ByteClasses {
        let mut classes = ByteClasses::default();
        for (index, eight) in bytes[..BLOCK].as_chunks::<8>().0.iter().enumerate() {
            let word = EightBytes(u64::from_le_bytes(*eight));
            let place = 8 * index;
            let between = |low, high| word.bits_between(low, high) << place;
            classes.upper |= between(b'A', b'Z');
            classes.lower |= between(b'a', b'z');
            classes.digit |= between(b'0', b'9');
            classes.space |= between(b' ', b' ');
            classes.control_space |= between(b'\t', b'\r');
            classes.line_end |= between(b'\n', b'\n') | between(b'\r', b'\r');
            classes.apostrophe |= between(b'\'', b'\'');
            classes.slash |= between(b'/', b'/');
            let (wide, continuation) = word.wide_bits();
            classes.wide |= wide << place;
            classes.continuation |= continuation << place;
        }
        classes
    }
}

/// By vectors of 256 bits. Made only where the machine has AVX2.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub(super) struct ByAvx2(());

#[cfg(target_arch = "x86_64")]
impl ByAvx2 {
    /// # Safety
    /// The machine has AVX2.
    pub(super) unsafe fn new() -> Self {
        Self(())
    }
}

#[cfg(target_arch = "x86_64")]
impl Classify for ByAvx2 {
    #[inline(always)]
    fn classify(self, bytes: &[u8; BLOCK_AND_BEYOND]) -> ByteClasses {
        // SAFETY: a value of this type exists only where the machine has AVX2.
        unsafe { classify_avx2(bytes) }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn classify_avx2(bytes: &[u8; BLOCK_AND_BEYOND]) -> ByteClasses {
    let half = |place: usize| -> __m256i {
        // SAFETY: both halves lie inside the block.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().add(place).cast()) }
    };
    let halves = [half(0), half(32)];
    let both = |[low, high]: [__m256i; 2]| {
        u64::from(_mm256_movemask_epi8(low) as u32) | (u64::from(_mm256_movemask_epi8(high) as u32) << 32)
    };
    // Shifted so that the range starts at the lowest signed byte, one signed comparison tells it.
    let between = |halves: [__m256i; 2], low: u8, high: u8| {
        let shift = _mm256_set1_epi8(0x80u8.wrapping_sub(low) as i8);
        let end = _mm256_set1_epi8(0x80u8.wrapping_add(high - low + 1) as i8);
        both(halves.map(|half| _mm256_cmpgt_epi8(end, _mm256_add_epi8(half, shift))))
    };
    let equal = |byte: u8| both(halves.map(|half| _mm256_cmpeq_epi8(half, _mm256_set1_epi8(byte as i8))));
    let letter = between(halves.map(|half| _mm256_or_si256(half, _mm256_set1_epi8(0x20))), b'a', b'z');
    let lower = between(halves, b'a', b'z');
    ByteClasses {
        upper: letter & !lower,
        lower,
        digit: between(halves, b'0', b'9'),
        space: equal(b' '),
        control_space: between(halves, b'\t', b'\r'),
        line_end: equal(b'\n') | equal(b'\r'),
        apostrophe: equal(b'\''),
        slash: equal(b'/'),
        wide: both(halves),
        continuation: both(halves.map(|half| _mm256_cmpgt_epi8(_mm256_set1_epi8(0xc0u8 as i8), half))),
    }
}

/// By vectors of 512 bits. Made only where the machine has AVX-512 F and BW.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub(super) struct ByAvx512(());

#[cfg(target_arch = "x86_64")]
impl ByAvx512 {
    /// # Safety
    /// The machine has AVX-512 F and BW.
    pub(super) unsafe fn new() -> Self {
        Self(())
    }
}

#[cfg(target_arch = "x86_64")]
impl Classify for ByAvx512 {
    #[inline(always)]
    fn classify(self, bytes: &[u8; BLOCK_AND_BEYOND]) -> ByteClasses {
        // SAFETY: a value of this type exists only where the machine has AVX-512 F and BW.
        unsafe { classify_avx512(bytes) }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn classify_avx512(bytes: &[u8; BLOCK_AND_BEYOND]) -> ByteClasses {
    // SAFETY: the load reads the first 64 of the bytes.
    let block = unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) };
    let between = |low: u8, high: u8| {
        let shifted = _mm512_sub_epi8(block, _mm512_set1_epi8(low as i8));
        _mm512_cmplt_epu8_mask(shifted, _mm512_set1_epi8((high - low + 1) as i8))
    };
    let equal = |byte: u8| _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8(byte as i8));
    ByteClasses {
        upper: between(b'A', b'Z'),
        lower: between(b'a', b'z'),
        digit: between(b'0', b'9'),
        space: equal(b' '),
        control_space: between(b'\t', b'\r'),
        line_end: equal(b'\n') | equal(b'\r'),
        apostrophe: equal(b'\''),
        slash: equal(b'/'),
        wide: _mm512_cmplt_epi8_mask(block, _mm512_set1_epi8(0)),
        continuation: _mm512_cmplt_epi8_mask(block, _mm512_set1_epi8(0xc0u8 as i8)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "x86_64")]
    use crate::kernel::level::{Level, Tier};

    fn expected(bytes: &[u8; BLOCK_AND_BEYOND]) -> ByteClasses {
        let bits = |belongs: fn(u8) -> bool| {
            (0..BLOCK).fold(0, |bits, place| bits | (u64::from(belongs(bytes[place])) << place))
        };
        ByteClasses {
            upper: bits(|byte| byte.is_ascii_uppercase()),
            lower: bits(|byte| byte.is_ascii_lowercase()),
            digit: bits(|byte| byte.is_ascii_digit()),
            space: bits(|byte| byte == b' '),
            control_space: bits(|byte| (9..=13).contains(&byte)),
            line_end: bits(|byte| matches!(byte, b'\n' | b'\r')),
            apostrophe: bits(|byte| byte == b'\''),
            slash: bits(|byte| byte == b'/'),
            wide: bits(|byte| byte >= 0x80),
            continuation: bits(|byte| (0x80..0xc0).contains(&byte)),
        }
    }

    #[test]
    fn every_byte_in_every_place_is_classified_alike_at_every_level() {
        for byte in 0..=255u8 {
            for step in [0u8, 1, 7, 53] {
                let bytes: [u8; BLOCK_AND_BEYOND] =
                    std::array::from_fn(|place| byte.wrapping_add(step.wrapping_mul(place as u8)));
                let expected = expected(&bytes);
                assert_eq!(ByWords.classify(&bytes), expected);
                #[cfg(target_arch = "x86_64")]
                for level in Level::available() {
                    match level.tier() {
                        Tier::Portable => {}
                        // SAFETY: this level of the machine has the features.
                        Tier::Avx2 => assert_eq!(unsafe { ByAvx2::new() }.classify(&bytes), expected),
                        // SAFETY: as above.
                        Tier::Avx512 => assert_eq!(unsafe { ByAvx512::new() }.classify(&bytes), expected),
                    }
                }
            }
        }
    }
}
