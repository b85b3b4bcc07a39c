//! Where the tokens of a JSON text stand, found 64 bytes at a time.
//!
//! A bit for each byte says whether it is a quote, a bracket, a blank and so on. The exclusive or of all quotes up to a
//! byte says whether it stands inside a string, so that no byte is looked at by itself but those where a token begins. What
//! follows from the order of tokens is left to the reader of this index.

use super::super::level::Level;
#[cfg(target_arch = "x86_64")]
use super::super::level::Tier;

/// Longest text whose tokens are listed: the list is kept by the worker, and takes four times as much.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// Bytes that are looked at together.
const BLOCK: usize = 64;

/// Places of a text where tokens begin: brackets, colons and commas outside of strings, opening quotes, and the first bytes
/// of whatever else stands between those and blanks.
#[derive(Debug, Default)]
pub struct Tokens {
    /// The places, and room behind them.
    places: Vec<u32>,
    count: usize,
    /// True if a string has an escape sequence.
    has_escapes: bool,
}

/// What the bytes of a block are, a bit each.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Classes {
    quote: u64,
    backslash: u64,
    /// A control character, blanks among them.
    control: u64,
    /// A space.
    space: u64,
    /// A bracket, colon or comma.
    structural: u64,
}

/// What a block leaves to the next one.
#[derive(Default)]
struct Carry {
    /// All bits where the block ended inside a string.
    in_string: u64,
    /// The first bit if the next byte is escaped.
    escaped: u64,
    /// The first bit if the last byte belongs to a token that may go on.
    scalar: u64,
}

impl Tokens {
    /// The places, in ascending order.
    pub fn places(&self) -> &[u32] {
        &self.places[..self.count]
    }

    /// True if a string has an escape sequence.
    pub fn has_escapes(&self) -> bool {
        self.has_escapes
    }

    /// Finds the tokens of a text; false where a string is not closed, has a control character or an escape sequence by number
    /// or of an unknown letter, or the text is too long.
    pub fn find(&mut self, text: &str) -> bool {
        #[cfg(target_arch = "x86_64")]
        if Level::current().tier() == Tier::Avx512 {
            // SAFETY: a `Level` of this tier exists only where the machine was found to have these features.
            return unsafe { self.find_avx512(text.as_bytes()) };
        }
        find_portable_at(Level::current(), self, text.as_bytes())
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,lzcnt,popcnt")]
    fn find_avx512(&mut self, bytes: &[u8]) -> bool {
        use std::arch::x86_64::{
            _mm512_cmpeq_epi8_mask, _mm512_cmplt_epu8_mask, _mm512_loadu_si512, _mm512_or_si512,
            _mm512_set1_epi8,
        };
        let is = |byte: u8| _mm512_set1_epi8(byte as i8);
        let (quote, backslash, space, control) = (is(b'"'), is(b'\\'), is(b' '), is(0x20));
        let (case, opening, closing, colon, comma) = (is(0x20), is(b'{'), is(b'}'), is(b':'), is(b','));
        self.find_by(bytes, |block| {
            // SAFETY: the block has the 64 bytes that are loaded.
            let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
            // Square brackets differ from braces in one bit, which no other byte has in place of them.
            let folded = _mm512_or_si512(bytes, case);
            Classes {
                quote: _mm512_cmpeq_epi8_mask(bytes, quote),
                backslash: _mm512_cmpeq_epi8_mask(bytes, backslash),
                control: _mm512_cmplt_epu8_mask(bytes, control),
                space: _mm512_cmpeq_epi8_mask(bytes, space),
                structural: _mm512_cmpeq_epi8_mask(folded, opening)
                    | _mm512_cmpeq_epi8_mask(folded, closing)
                    | _mm512_cmpeq_epi8_mask(bytes, colon)
                    | _mm512_cmpeq_epi8_mask(bytes, comma),
            }
        })
    }

    #[inline(always)]
    fn find_by(&mut self, bytes: &[u8], classes: impl Fn(&[u8; BLOCK]) -> Classes) -> bool {
        if bytes.len() > TEXT_BYTES_MAX {
            return false;
        }
        // A block has at most 64 tokens, and is written whole sixteenths at a time.
        let room = bytes.len() + 2 * BLOCK;
        if self.places.len() < room {
            self.places.resize(room, 0);
        }
        (self.count, self.has_escapes) = (0, false);
        let mut carry = Carry::default();
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        let mut start = 0;
        for block in blocks {
            if !self.take(block, classes(block), start, &mut carry) {
                return false;
            }
            start += BLOCK;
        }
        if !rest.is_empty() {
            let mut block = [b' '; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            if !self.take(&block, classes(&block), start, &mut carry) {
                return false;
            }
        }
        carry.in_string == 0
    }

    /// Takes in a block; false where the text cannot be followed.
    #[inline(always)]
    fn take(&mut self, block: &[u8; BLOCK], classes: Classes, start: usize, carry: &mut Carry) -> bool {
        let mut quote = classes.quote;
        if classes.backslash | carry.escaped != 0 {
            self.has_escapes = true;
            match escaped(block, classes.backslash, carry) {
                Some(escaped) => quote &= !escaped,
                None => return false,
            }
        }
        // From an opening quote to before the closing one.
        let in_string = prefix_xor(quote) ^ carry.in_string;
        carry.in_string = ((in_string as i64) >> 63) as u64;
        let mut blank = classes.space;
        if classes.control != 0 {
            let line = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r');
            let lines =
                block.iter().enumerate().fold(0, |bits, (at, &byte)| bits | u64::from(line(byte)) << at);
            if classes.control & (in_string | !lines) != 0 {
                return false;
            }
            blank |= lines;
        }
        let structural = classes.structural & !in_string;
        let scalar = !(structural | blank | in_string | quote);
        let starts = scalar & !(scalar << 1 | carry.scalar);
        carry.scalar = scalar >> 63;
        self.append(structural | (quote & in_string) | starts, start);
        true
    }

    /// Appends the places of bits.
    #[inline(always)]
    fn append(&mut self, mut bits: u64, start: usize) {
        let count = bits.count_ones() as usize;
        let room = &mut self.places[self.count..self.count + BLOCK];
        // Places behind the last bit are written too, and overwritten by those of the next block.
        for four in room.chunks_exact_mut(4).take(count.div_ceil(4)) {
            for place in four {
                *place = start as u32 + bits.trailing_zeros();
                bits &= bits.wrapping_sub(1);
            }
        }
        self.count += count;
    }
}

at_each_level! {
    #[allow(dead_code)] // The level is chosen where it is called.
    fn find_portable / find_portable_at(tokens: &mut Tokens, bytes: &[u8]) -> bool {
        tokens.find_by(bytes, classes_portable)
    }
}

#[inline(always)]
fn classes_portable(block: &[u8; BLOCK]) -> Classes {
    let bits = |is: fn(u8) -> bool| {
        block.iter().enumerate().fold(0, |bits, (at, &byte)| bits | u64::from(is(byte)) << at)
    };
    Classes {
        quote: bits(|byte| byte == b'"'),
        backslash: bits(|byte| byte == b'\\'),
        control: bits(|byte| byte < b' '),
        space: bits(|byte| byte == b' '),
        structural: bits(|byte| matches!(byte | 0x20, b'{' | b'}') | matches!(byte, b':' | b',')),
    }
}

/// The bytes behind backslashes that are not escaped themselves; `None` where one is not that of a known escape sequence.
#[inline(always)]
fn escaped(block: &[u8; BLOCK], backslash: u64, carry: &mut Carry) -> Option<u64> {
    let is_known = |byte: u8| matches!(byte, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't');
    let mut escaped = carry.escaped;
    if escaped != 0 && !is_known(block[0]) {
        return None;
    }
    carry.escaped = 0;
    let mut left = backslash & !escaped;
    while left != 0 {
        let at = left.trailing_zeros() as usize;
        match block.get(at + 1) {
            Some(&byte) if is_known(byte) => {
                escaped |= 1 << (at + 1);
                left &= !(3 << at);
            }
            Some(_) => return None,
            None => {
                carry.escaped = 1;
                left = 0;
            }
        }
    }
    Some(escaped)
}

/// For each bit whether the number of set bits up to it is odd.
#[inline(always)]
fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Option<Vec<u32>> {
        let mut tokens = Tokens::default();
        let found = tokens.find(text).then(|| tokens.places().to_vec());
        for level in Level::available() {
            let is_found = find_portable_at(level, &mut tokens, text.as_bytes());
            assert_eq!(is_found.then(|| tokens.places().to_vec()), found, "{text} at {level}");
        }
        found
    }

    #[test]
    fn tokens_begin_outside_of_strings() {
        assert_eq!(places(r#"{"a": [1,-2.5 ,true]}"#), Some(vec![0, 1, 4, 6, 7, 8, 9, 14, 15, 19, 20]));
        assert_eq!(places("\t1\n2\r"), Some(vec![1, 3]));
        assert_eq!(places(r#""{[:,]}\"\\"x"#), Some(vec![0, 12]));
        assert_eq!(places(""), Some(vec![]));
        for wrong in ["\"", "\"\n\"", "\"\\u0041\"", "\u{1}", "\"a\\", "\\x"] {
            assert_eq!(places(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn tokens_are_found_at_every_place_of_a_block() {
        for length in 0..150 {
            let blanks = " ".repeat(length);
            let inside = "ab{".repeat(length / 3) + &"\\\"".repeat(length % 3);
            let text = format!("{blanks}\"{inside}\"{blanks}12");
            let second = length + inside.len() + 2 + length;
            let expected = if length == 0 { vec![0, 2] } else { vec![length as u32, second as u32] };
            assert_eq!(places(&text), Some(expected), "{text}");
            assert_eq!(places(&format!("{blanks}\"{inside}")), None);
        }
    }

    #[test]
    fn every_bit_says_whether_those_up_to_it_are_odd() {
        for bits in [0, 1, 0b1010, u64::MAX, 1 << 63, 0x8000_0001_0400_0010] {
            let expected = (0..64).fold(0u64, |all, at| {
                let odd = (bits & (u64::MAX >> (63 - at))).count_ones() % 2;
                all | u64::from(odd) << at
            });
            assert_eq!(prefix_xor(bits), expected);
        }
    }
}
