//! Bytes of a block told apart, and their bits moved together, by vectors of 512 bits.

use std::arch::x86_64::*;

use super::tokens::{BLOCK, Classes};

/// The bits of a block.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
pub(super) fn classes(block: &[u8; BLOCK]) -> Classes {
    let is = |byte: u8| _mm512_set1_epi8(byte as i8);
    // SAFETY: the block has the 64 bytes that are loaded.
    let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
    // Square brackets differ from braces in one bit, which no other byte has in place of them.
    let case = is(0x20);
    let folded = _mm512_or_si512(bytes, case);
    Classes {
        quote: _mm512_cmpeq_epi8_mask(bytes, is(b'"')),
        backslash: _mm512_cmpeq_epi8_mask(bytes, is(b'\\')),
        control: _mm512_cmplt_epu8_mask(bytes, is(0x20)),
        space: _mm512_cmpeq_epi8_mask(bytes, is(b' ')),
        opening: _mm512_cmpeq_epi8_mask(folded, is(b'{')),
        closing: _mm512_cmpeq_epi8_mask(folded, is(b'}')),
        brace: _mm512_test_epi8_mask(bytes, case),
        colon: _mm512_cmpeq_epi8_mask(bytes, is(b':')),
        comma: _mm512_cmpeq_epi8_mask(bytes, is(b',')),
        digit: _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, is(b'0')), is(10)),
        zero: _mm512_cmpeq_epi8_mask(bytes, is(b'0')),
        point: _mm512_cmpeq_epi8_mask(bytes, is(b'.')),
    }
}

/// Declares the bits of a block by vectors of a smaller width: `$parts` of them, whose comparisons give `$mask` bits each.
macro_rules! classes_by {
    ($name:ident, $features:literal, $parts:literal, $vector:ty, $mask:ty, $load:ident, $set:ident, $equal:ident, $bits:ident,
     $least:ident, $subtract:ident, $or:ident, $shift:ident) => {
        /// The bits of a block.
        #[target_feature(enable = $features)]
        #[inline]
        pub(super) fn $name(block: &[u8; BLOCK]) -> Classes {
            const WIDTH: usize = BLOCK / $parts;
            let is = |byte: u8| $set(byte as i8);
            let bytes: [$vector; $parts] = std::array::from_fn(|part| {
                // SAFETY: the block has as many bytes as its parts together.
                unsafe { $load(block.as_ptr().add(part * WIDTH).cast()) }
            });
            let gather = |vectors: [$vector; $parts]| {
                let parts = vectors.into_iter().enumerate();
                parts.fold(0, |bits, (part, vector)| {
                    bits | u64::from($bits(vector) as $mask) << (part * WIDTH)
                })
            };
            let equal = |byte: u8| gather(bytes.map(|part| $equal(part, is(byte))));
            // As in `classes`.
            let folded = bytes.map(|part| $or(part, is(0x20)));
            let equal_folded = |byte: u8| gather(folded.map(|part| $equal(part, is(byte))));
            let at_most = |bytes: [$vector; $parts], greatest: u8| {
                gather(bytes.map(|part| $equal($least(part, is(greatest)), part)))
            };
            Classes {
                quote: equal(b'"'),
                backslash: equal(b'\\'),
                control: at_most(bytes, 0x1f),
                space: equal(b' '),
                opening: equal_folded(b'{'),
                closing: equal_folded(b'}'),
                // The bit that tells braces, moved to where signs are.
                brace: gather(bytes.map(|part| $shift::<2>(part))),
                colon: equal(b':'),
                comma: equal(b','),
                digit: at_most(bytes.map(|part| $subtract(part, is(b'0'))), 9),
                zero: equal(b'0'),
                point: equal(b'.'),
            }
        }
    };
}
// One use expands to `name(block)` for one width of vectors.
classes_by!(
    classes_avx2,
    "avx2",
    2,
    __m256i,
    u32,
    _mm256_loadu_si256,
    _mm256_set1_epi8,
    _mm256_cmpeq_epi8,
    _mm256_movemask_epi8,
    _mm256_min_epu8,
    _mm256_sub_epi8,
    _mm256_or_si256,
    _mm256_slli_epi16
);
classes_by!(
    classes_sse2,
    "sse2",
    4,
    __m128i,
    u16,
    _mm_loadu_si128,
    _mm_set1_epi8,
    _mm_cmpeq_epi8,
    _mm_movemask_epi8,
    _mm_min_epu8,
    _mm_sub_epi8,
    _mm_or_si128,
    _mm_slli_epi16
);

/// Those of `bits` that are set in `starts`, moved together.
#[target_feature(enable = "bmi2")]
#[inline]
pub(super) fn gather(bits: u64, starts: u64) -> u64 {
    _pext_u64(bits, starts)
}

/// The numbers of the bytes of a block.
const NUMBERS: [u8; BLOCK] = {
    let mut numbers = [0; BLOCK];
    let mut at = 0;
    while at < BLOCK {
        numbers[at] = at as u8;
        at += 1;
    }
    numbers
};

/// Writes the places of bits, and anything behind them.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2")]
#[inline]
pub(super) fn append(room: &mut [u32; BLOCK], bits: u64, start: u32) {
    // SAFETY: the array has the 64 bytes that are loaded.
    let numbers = unsafe { _mm512_loadu_si512(NUMBERS.as_ptr().cast()) };
    let numbers = _mm512_maskz_compress_epi8(bits, numbers);
    let start = _mm512_set1_epi32(start as i32);
    let (quarters, _) = room.as_chunks_mut::<16>();
    let mut write = |quarter: usize, numbers: __m128i| {
        let places = _mm512_add_epi32(_mm512_cvtepu8_epi32(numbers), start);
        // SAFETY: the quarter has room for the 16 places that are written.
        unsafe { _mm512_storeu_si512(quarters[quarter].as_mut_ptr().cast(), places) };
    };
    write(0, _mm512_castsi512_si128(numbers));
    write(1, _mm512_extracti32x4_epi32::<1>(numbers));
    if bits.count_ones() > 32 {
        write(2, _mm512_extracti32x4_epi32::<2>(numbers));
        write(3, _mm512_extracti32x4_epi32::<3>(numbers));
    }
}
