//! Bytes of a block told apart, and tokens listed, by vectors.

use std::arch::x86_64::*;

use super::order::Kinds;
use super::tokens::{BLOCK, Classes, Heads};

/// Stands where the lower half of a byte tells that it is none of those looked for: equal to no byte below 128, and no byte above is looked up.
const NONE: u8 = 0xff;
/// The blanks, each at its lower half.
const BLANKS: [u8; 16] =
    [b' ', NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, b'\t', b'\n', NONE, NONE, b'\r', NONE, NONE];
/// Colon, comma and braces, each at its lower half.
const STRUCTURALS: [u8; 16] =
    [NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, b':', b'{', b',', b'}', NONE, NONE];

#[target_feature(enable = "avx512f")]
#[inline]
fn load(block: &[u8; BLOCK]) -> __m512i {
    // SAFETY: the block has the 64 bytes that are loaded.
    unsafe { _mm512_loadu_si512(block.as_ptr().cast()) }
}

/// For each byte what a table has for its lower half, 0 for bytes above 127.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn look_up(table: &[u8; 16], bytes: __m512i) -> __m512i {
    // SAFETY: the table has the 16 bytes that are loaded.
    let table = unsafe { _mm_loadu_si128(table.as_ptr().cast()) };
    _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), bytes)
}

/// The bits of a block.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
pub(super) fn classes(block: &[u8; BLOCK]) -> Classes {
    let is = |byte: u8| _mm512_set1_epi8(byte as i8);
    let bytes = load(block);
    // Square brackets differ from braces in one bit, which no other byte has in place of them; of those with a bit less, only control
    // characters become colon or comma.
    let folded = _mm512_or_si512(bytes, is(0x20));
    Classes {
        quote: _mm512_cmpeq_epi8_mask(bytes, is(b'"')),
        backslash: _mm512_cmpeq_epi8_mask(bytes, is(b'\\')),
        control: _mm512_cmplt_epu8_mask(bytes, is(0x20)),
        blank: _mm512_cmpeq_epi8_mask(look_up(&BLANKS, bytes), bytes),
        structural: _mm512_cmpeq_epi8_mask(look_up(&STRUCTURALS, bytes), folded),
        digit: _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, is(b'0')), is(10)),
        zero: _mm512_cmpeq_epi8_mask(bytes, is(b'0')),
        point: _mm512_cmpeq_epi8_mask(bytes, is(b'.')),
    }
}

/// What tokens are, by their first bytes.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
pub(super) fn heads(block: &[u8; BLOCK]) -> Heads {
    let is = |byte: u8| _mm512_set1_epi8(byte as i8);
    let bytes = load(block);
    // As in `classes`.
    let case = is(0x20);
    let folded = _mm512_or_si512(bytes, case);
    let kinds = Kinds {
        opening: _mm512_cmpeq_epi8_mask(folded, is(b'{')),
        closing: _mm512_cmpeq_epi8_mask(folded, is(b'}')),
        brace: _mm512_test_epi8_mask(bytes, case),
        colon: _mm512_cmpeq_epi8_mask(bytes, is(b':')),
        comma: _mm512_cmpeq_epi8_mask(bytes, is(b',')),
        string: _mm512_cmpeq_epi8_mask(bytes, is(b'"')),
    };
    Heads { kinds, digit: _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, is(b'0')), is(10)) }
}

/// The bytes behind the last whole block, and blanks behind them.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
pub(super) fn rest(bytes: &[u8]) -> [u8; BLOCK] {
    let mut block = [b' '; BLOCK];
    let held = u64::MAX.checked_shr((BLOCK - bytes.len().min(BLOCK)) as u32).unwrap_or(0);
    // SAFETY: only as many bytes as there are, and at most 64, are loaded.
    let bytes = unsafe { _mm512_mask_loadu_epi8(load(&block), held, bytes.as_ptr().cast()) };
    // SAFETY: the block has room for the 64 bytes that are stored.
    unsafe { _mm512_storeu_si512(block.as_mut_ptr().cast(), bytes) };
    block
}

/// Declares the bits of a block by vectors of a smaller width: `$parts` of them, whose comparisons give `$mask` bits each.
macro_rules! classes_by {
    ($classes:ident, $heads:ident, $features:literal, $parts:literal, $vector:ty, $mask:ty, $load:ident, $set:ident, $equal:ident,
     $bits:ident, $least:ident, $subtract:ident, $or:ident, $shift:ident) => {
        /// The bits of a block.
        #[target_feature(enable = $features)]
        #[inline]
        pub(super) fn $classes(block: &[u8; BLOCK]) -> Classes {
            classes_by!(@parts block, $parts, $vector, $mask, $load, $bits => bytes, gather);
            let is = |byte: u8| $set(byte as i8);
            let equal = |byte: u8| gather(bytes.map(|part| $equal(part, is(byte))));
            let at_most = |bytes: [$vector; $parts], greatest: u8| {
                gather(bytes.map(|part| $equal($least(part, is(greatest)), part)))
            };
            let either = |part: $vector, [first, second, third, fourth]: [$vector; 4]| {
                $or($or($equal(part, first), $equal(part, second)), $or($equal(part, third), $equal(part, fourth)))
            };
            let blanks = [b' ', b'\t', b'\n', b'\r'].map(is);
            Classes {
                quote: equal(b'"'),
                backslash: equal(b'\\'),
                control: at_most(bytes, 0x1f),
                blank: gather(bytes.map(|part| either(part, blanks))),
                structural: gather(bytes.map(|part| {
                    // As in `classes`.
                    let folded = $or(part, is(0x20));
                    let brackets = $or($equal(folded, is(b'{')), $equal(folded, is(b'}')));
                    $or(brackets, $or($equal(part, is(b':')), $equal(part, is(b','))))
                })),
                digit: at_most(bytes.map(|part| $subtract(part, is(b'0'))), 9),
                zero: equal(b'0'),
                point: equal(b'.'),
            }
        }

        /// What tokens are, by their first bytes.
        #[target_feature(enable = $features)]
        #[inline]
        pub(super) fn $heads(block: &[u8; BLOCK]) -> Heads {
            classes_by!(@parts block, $parts, $vector, $mask, $load, $bits => bytes, gather);
            let is = |byte: u8| $set(byte as i8);
            let equal = |bytes: [$vector; $parts], byte: u8| gather(bytes.map(|part| $equal(part, is(byte))));
            let folded = bytes.map(|part| $or(part, is(0x20)));
            let kinds = Kinds {
                opening: equal(folded, b'{'),
                closing: equal(folded, b'}'),
                // The bit that tells braces, moved to where signs are.
                brace: gather(bytes.map(|part| $shift::<2>(part))),
                colon: equal(bytes, b':'),
                comma: equal(bytes, b','),
                string: equal(bytes, b'"'),
            };
            let from_zero = bytes.map(|part| $subtract(part, is(b'0')));
            Heads { kinds, digit: gather(from_zero.map(|part| $equal($least(part, is(9)), part))) }
        }
    };
    // The vectors of a block, and what makes bits of the signs of their bytes.
    (@parts $block:ident, $parts:literal, $vector:ty, $mask:ty, $load:ident, $bits:ident => $bytes:ident, $gather:ident) => {
        const WIDTH: usize = BLOCK / $parts;
        let $bytes: [$vector; $parts] = std::array::from_fn(|part| {
            // SAFETY: the block has as many bytes as its parts together.
            unsafe { $load($block.as_ptr().add(part * WIDTH).cast()) }
        });
        let $gather = |vectors: [$vector; $parts]| {
            let parts = vectors.into_iter().enumerate();
            parts.fold(0, |bits, (part, vector)| bits | u64::from($bits(vector) as $mask) << (part * WIDTH))
        };
    };
}
// One use expands to `classes(block)` and `heads(block)` for one width of vectors.
classes_by!(
    classes_avx2,
    heads_avx2,
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
    heads_sse2,
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

/// Lists the tokens that begin at the bits of a block: their places and first bytes, and anything behind them.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2")]
#[inline]
pub(super) fn append(
    (places, firsts): (&mut [u32; BLOCK], &mut [u8; BLOCK]),
    block: &[u8; BLOCK],
    starts: u64,
    start: u32,
) {
    let heads = _mm512_maskz_compress_epi8(starts, load(block));
    // SAFETY: there is room for the 64 bytes that are written.
    unsafe { _mm512_storeu_si512(firsts.as_mut_ptr().cast(), heads) };
    let numbers = _mm512_maskz_compress_epi8(starts, load(&NUMBERS));
    let start = _mm512_set1_epi32(start as i32);
    let (quarters, _) = places.as_chunks_mut::<16>();
    let mut write = |quarter: usize, numbers: __m128i| {
        let places = _mm512_add_epi32(_mm512_cvtepu8_epi32(numbers), start);
        // SAFETY: the quarter has room for the 16 places that are written.
        unsafe { _mm512_storeu_si512(quarters[quarter].as_mut_ptr().cast(), places) };
    };
    write(0, _mm512_castsi512_si128(numbers));
    write(1, _mm512_extracti32x4_epi32::<1>(numbers));
    if starts.count_ones() > 32 {
        write(2, _mm512_extracti32x4_epi32::<2>(numbers));
        write(3, _mm512_extracti32x4_epi32::<3>(numbers));
    }
}
