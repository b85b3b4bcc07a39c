//! Bytes of a block told apart by words of eight, and tokens listed one by one, for CPUs whose vectors do neither.

use super::super::order::Kinds;
use super::{BLOCK, Classes, Heads};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The high bit of each byte that is zero: no sum of seven bits leaves its byte.
#[inline(always)]
fn zeros(word: u64) -> u64 {
    !(((word & !HIGH) + !HIGH) | word)
}

/// The high bit of each byte that is `byte`.
#[inline(always)]
fn equal(word: u64, byte: u8) -> u64 {
    zeros(word ^ (ONES * u64::from(byte)))
}

/// The high bit of each byte below a limit of at most 128.
#[inline(always)]
fn below(word: u64, limit: u8) -> u64 {
    !((word & !HIGH) + ONES * u64::from(0x80 - limit)) & !word
}

/// The bits of a block: eight for each word, from the high bits of its bytes.
#[inline(always)]
fn gather(block: &[u8; BLOCK], high: impl Fn(u64) -> u64) -> u64 {
    let (words, _) = block.as_chunks::<8>();
    words.iter().enumerate().fold(0, |bits, (at, word)| {
        let high = (high(u64::from_le_bytes(*word)) & HIGH) >> 7;
        // No two of the products meet.
        bits | (high.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * at)
    })
}

/// What the bytes of a block are.
#[inline(always)]
pub(super) fn classes(block: &[u8; BLOCK]) -> Classes {
    let folded = |word: u64| word | (ONES * 0x20);
    Classes {
        quote: gather(block, |word| equal(word, b'"')),
        backslash: gather(block, |word| equal(word, b'\\')),
        control: gather(block, |word| below(word, b' ')),
        blank: gather(block, |word| {
            equal(word, b' ') | equal(word, b'\t') | equal(word, b'\n') | equal(word, b'\r')
        }),
        structural: gather(block, |word| {
            let brackets = equal(folded(word), b'{') | equal(folded(word), b'}');
            brackets | equal(word, b':') | equal(word, b',')
        }),
        digit: gather(block, |word| below(word ^ (ONES * u64::from(b'0')), 10)),
        zero: gather(block, |word| equal(word, b'0')),
        point: gather(block, |word| equal(word, b'.')),
    }
}

/// What tokens are, by their first bytes.
#[inline(always)]
pub(super) fn heads(block: &[u8; BLOCK]) -> Heads {
    let folded = |word: u64| word | (ONES * 0x20);
    let kinds = Kinds {
        opening: gather(block, |word| equal(folded(word), b'{')),
        closing: gather(block, |word| equal(folded(word), b'}')),
        brace: gather(block, |word| word << 2),
        colon: gather(block, |word| equal(word, b':')),
        comma: gather(block, |word| equal(word, b',')),
        string: gather(block, |word| equal(word, b'"')),
    };
    Heads { kinds, digit: gather(block, |word| below(word ^ (ONES * u64::from(b'0')), 10)) }
}

/// The bytes behind the last whole block, and blanks behind them.
#[inline(always)]
pub(super) fn rest(bytes: &[u8]) -> [u8; BLOCK] {
    let mut block = [b' '; BLOCK];
    if let Some(held) = block.get_mut(..bytes.len()) {
        held.copy_from_slice(bytes);
    }
    block
}

/// Lists the tokens that begin at the bits of a block: their places and first bytes, and anything behind them.
#[inline(always)]
pub(super) fn append(
    (places, firsts): (&mut [u32; BLOCK], &mut [u8; BLOCK]),
    block: &[u8; BLOCK],
    mut starts: u64,
    start: u32,
) {
    let count = starts.count_ones() as usize;
    let (places, _) = places.as_chunks_mut::<4>();
    let (firsts, _) = firsts.as_chunks_mut::<4>();
    for (places, firsts) in places.iter_mut().zip(firsts).take(count.div_ceil(4)) {
        for (place, first) in places.iter_mut().zip(firsts) {
            let at = starts.trailing_zeros();
            *place = start + at;
            *first = block[at as usize % BLOCK];
            starts &= starts.wrapping_sub(1);
        }
    }
}
