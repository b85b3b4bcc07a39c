//! Where the tokens of a JSON text stand, found 64 bytes at a time.
//!
//! A bit for each byte says whether it is a quote, a bracket, a blank and so on. The exclusive or of all quotes up to a
//! byte says whether it stands inside a string, so that no byte is looked at by itself but those where a token begins. Numbers are
//! checked by bits too. The first bytes of the tokens, listed one behind the other, are then told apart in the same way, 64 tokens at a
//! time: they say what the tokens are, whose order [`super::order::Order`] checks.

#[cfg(target_arch = "x86_64")]
mod pages;
mod portable;

use super::super::level::Level;
#[cfg(target_arch = "x86_64")]
use super::super::level::Tier;
use super::order::Kinds;
use super::scalar;
#[cfg(target_arch = "x86_64")]
use super::x86;

/// Longest text whose tokens are listed: the lists are kept by the worker, and take several times as much.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// Bytes, or tokens, that are looked at together.
pub(super) const BLOCK: usize = 64;

/// Places of a text where tokens begin: brackets, colons and commas outside of strings, opening quotes, and the first bytes
/// of whatever else stands between those and blanks.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// The places, and room behind them.
    places: Vec<u32>,
    /// The first byte of each token, and room behind them.
    firsts: Vec<u8>,
    count: usize,
    /// What the tokens are, 64 of them each.
    kinds: Vec<Kinds>,
    /// A number that is the same for the same kinds.
    hash: u64,
    /// The backslashes of each block.
    backslashes: Vec<u64>,
    /// The points of each block, those in strings among them.
    points: Vec<u64>,
    /// True if a string has an escape sequence.
    has_escapes: bool,
}

/// What the bytes of a block are, a bit each.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Classes {
    pub(super) quote: u64,
    pub(super) backslash: u64,
    /// A control character, blanks among them.
    pub(super) control: u64,
    /// A space, or one of the control characters that stand between tokens.
    pub(super) blank: u64,
    /// A bracket, colon or comma; unspecified for a control character that is no blank.
    pub(super) structural: u64,
    pub(super) digit: u64,
    /// The digit 0.
    pub(super) zero: u64,
    pub(super) point: u64,
}

/// What the tokens are that begin with some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heads {
    pub(super) kinds: Kinds,
    /// A number without a sign.
    pub(super) digit: u64,
}

/// What a block leaves to the next one.
#[derive(Default)]
struct Carry {
    /// All bits where the block ended inside a string.
    in_string: u64,
    /// The first bit if the next byte is escaped.
    escaped: u64,
    /// What is known of a scalar that may go on.
    runs: scalar::Carry,
    /// Bits of bytes that cannot stand where they do.
    wrong: u64,
}

/// How a CPU tells bytes apart and moves their bits.
struct Ways<R, C, A, H> {
    /// The bytes behind the last whole block, and blanks behind them.
    rest: R,
    /// The bits of a block.
    classes: C,
    /// Lists the tokens of a block: their places and first bytes, and anything behind them.
    append: A,
    /// What tokens are, by their first bytes.
    heads: H,
}

impl Tokens {
    /// The places, in ascending order.
    #[inline(always)]
    pub(super) fn places(&self) -> &[u32] {
        &self.places[..self.count]
    }

    /// The first byte of each token.
    #[inline(always)]
    pub(super) fn firsts(&self) -> &[u8] {
        &self.firsts[..self.count]
    }

    /// What the tokens are, 64 of them each.
    #[inline(always)]
    pub(super) fn kinds(&self) -> &[Kinds] {
        &self.kinds
    }

    /// A number that is the same for the same kinds.
    #[inline(always)]
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    /// True if a string has an escape sequence.
    pub(super) fn has_escapes(&self) -> bool {
        self.has_escapes
    }

    /// The first backslash from a place to before another.
    #[inline(always)]
    pub(super) fn backslash(&self, start: usize, end: usize) -> Option<usize> {
        first_bit(&self.backslashes, start, end)
    }

    /// The first point from a place to before another.
    #[inline(always)]
    pub(super) fn point(&self, start: usize, end: usize) -> Option<usize> {
        first_bit(&self.points, start, end)
    }

    /// Finds the tokens of a text, whose order is not looked at; false where a token is none of JSON, where a string has an escape
    /// sequence by number, where a number is not plain ([`scalar::is_plain`]), or where the text is long.
    pub(super) fn find(&mut self, text: &str) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            let is_latest = has!("avx512vbmi") && has!("avx512vbmi2") && has!("gfni");
            // SAFETY: a `Level` of a tier exists only where the machine was found to have its features, the further features were found
            // just above, and every machine has SSE2.
            match Level::current().tier() {
                Tier::Avx512 if is_latest => unsafe { self.find_by_pages(text.as_bytes()) },
                Tier::Avx512 => unsafe { self.find_avx512(text.as_bytes()) },
                Tier::Avx2 => unsafe { self.find_avx2(text.as_bytes()) },
                Tier::Portable => unsafe { self.find_sse2(text.as_bytes()) },
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        find_portable_at(Level::current(), self, text.as_bytes())
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "sse2")]
    fn find_sse2(&mut self, bytes: &[u8]) -> bool {
        let ways = Ways {
            rest: portable::rest,
            classes: |block: &[u8; BLOCK]| x86::classes_sse2(block),
            append: portable::append,
            heads: |block: &[u8; BLOCK]| x86::heads_sse2(block),
        };
        self.find_by(bytes, &ways)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn find_avx2(&mut self, bytes: &[u8]) -> bool {
        let ways = Ways {
            rest: portable::rest,
            classes: |block: &[u8; BLOCK]| x86::classes_avx2(block),
            append: portable::append,
            heads: |block: &[u8; BLOCK]| x86::heads_avx2(block),
        };
        self.find_by(bytes, &ways)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,lzcnt,popcnt")]
    fn find_avx512(&mut self, bytes: &[u8]) -> bool {
        let ways = Ways {
            rest: |bytes: &[u8]| x86::rest(bytes),
            classes: |block: &[u8; BLOCK]| x86::classes(block),
            append: portable::append,
            heads: |block: &[u8; BLOCK]| x86::heads(block),
        };
        self.find_by(bytes, &ways)
    }

    #[inline(always)]
    fn find_by<R, C, A, H>(&mut self, bytes: &[u8], ways: &Ways<R, C, A, H>) -> bool
    where
        R: Fn(&[u8]) -> [u8; BLOCK],
        C: Fn(&[u8; BLOCK]) -> Classes,
        A: Fn((&mut [u32; BLOCK], &mut [u8; BLOCK]), &[u8; BLOCK], u64, u32),
        H: Fn(&[u8; BLOCK]) -> Heads,
    {
        if bytes.len() > TEXT_BYTES_MAX {
            return false;
        }
        self.begin(bytes.len());
        let mut carry = Carry::default();
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        for (number, block) in blocks.iter().enumerate() {
            self.take(bytes, block, number, &mut carry, ways);
        }
        if !rest.is_empty() {
            self.take(bytes, &(ways.rest)(rest), blocks.len(), &mut carry, ways);
        }
        let is_right = carry.in_string | carry.wrong == 0 && carry.runs.ends();
        is_right && self.tell_kinds(bytes, &ways.heads)
    }

    /// Makes room for a text. A block has at most 64 tokens, and a whole block of them is written each time.
    #[inline(always)]
    fn begin(&mut self, bytes: usize) {
        (self.count, self.has_escapes) = (0, false);
        let room = bytes + 2 * BLOCK;
        if self.places.len() < room {
            // Words of blocks are written for eight of them at a time.
            let blocks = room.div_ceil(BLOCK) + 8;
            self.places.resize(room, 0);
            self.firsts.resize(room, 0);
            self.backslashes.resize(blocks, 0);
            self.points.resize(blocks, 0);
        }
    }

    /// Takes in a block.
    #[inline(always)]
    fn take<R, C, A, H>(
        &mut self,
        bytes: &[u8],
        block: &[u8; BLOCK],
        number: usize,
        carry: &mut Carry,
        ways: &Ways<R, C, A, H>,
    ) where
        C: Fn(&[u8; BLOCK]) -> Classes,
        A: Fn((&mut [u32; BLOCK], &mut [u8; BLOCK]), &[u8; BLOCK], u64, u32),
    {
        let start = number * BLOCK;
        let classes = (ways.classes)(block);
        let mut quote = classes.quote;
        if classes.backslash | carry.escaped != 0 {
            self.has_escapes = true;
            match escaped(block, classes.backslash, &mut carry.escaped) {
                Some(escaped) => quote &= !escaped,
                None => carry.wrong = 1,
            }
        }
        self.backslashes[number] = classes.backslash;
        self.points[number] = classes.point;
        // From an opening quote to before the closing one.
        let in_string = prefix_xor(quote) ^ carry.in_string;
        carry.in_string = ((in_string as i64) >> 63) as u64;
        carry.wrong |= classes.control & (in_string | !classes.blank);
        let structural = classes.structural & !in_string;
        let scalar = !(structural | classes.blank | in_string | quote);
        let digits = scalar::Digits { all: classes.digit, zero: classes.zero, point: classes.point };
        let runs = carry.runs.take(scalar, digits);
        carry.wrong |= runs.wrong;
        if runs.is_long {
            carry.wrong |= u64::from(!self.are_plain(bytes, runs.starts, start));
        }
        let starts = structural | (quote & in_string) | runs.starts;
        carry.wrong |= u64::from(!self.list(block, starts, start, &ways.append));
    }

    /// Lists the tokens of a block by their first bytes; false if there is no room.
    #[inline(always)]
    fn list<A>(&mut self, block: &[u8; BLOCK], starts: u64, start: usize, append: A) -> bool
    where
        A: Fn((&mut [u32; BLOCK], &mut [u8; BLOCK]), &[u8; BLOCK], u64, u32),
    {
        let (places, firsts) = (&mut self.places[self.count..], &mut self.firsts[self.count..]);
        let (Some(places), Some(firsts)) = (places.first_chunk_mut(), firsts.first_chunk_mut()) else {
            return false;
        };
        append((places, firsts), block, starts, start as u32);
        self.count += starts.count_ones() as usize;
        true
    }

    /// Tells the kinds of the tokens by their first bytes; false where a number with a sign, a truth value or null is none.
    #[inline(always)]
    fn tell_kinds(&mut self, bytes: &[u8], heads: impl Fn(&[u8; BLOCK]) -> Heads) -> bool {
        self.kinds.clear();
        let (mut first, mut hash) = (0, self.count as u64);
        while first < self.count {
            let Some(block) = self.firsts[first..].first_chunk() else { return false };
            let all = u64::MAX >> (BLOCK - (self.count - first).min(BLOCK));
            let Heads { kinds, digit } = heads(block);
            let kinds = kinds.of(all);
            let mut left = all & !(kinds.any() | digit);
            while left != 0 {
                let place = self.places[first + left.trailing_zeros() as usize];
                if !scalar::is_plain(bytes, place as usize) {
                    return false;
                }
                left &= left - 1;
            }
            hash = kinds.hash(hash);
            self.kinds.push(kinds);
            first += BLOCK;
        }
        self.hash = hash;
        self.count != 0
    }

    /// Looks at the scalars of a block one by one, and at the last token before it if it is a number; false where one is not plain.
    #[inline(never)]
    fn are_plain(&self, bytes: &[u8], mut starts: u64, start: usize) -> bool {
        let before = self.places().last().map(|&place| place as usize);
        let is_right = |place: usize| scalar::is_plain(bytes, place);
        if before.is_some_and(|place| matches!(bytes[place], b'0'..=b'9' | b'-') && !is_right(place)) {
            return false;
        }
        while starts != 0 {
            if !is_right(start + starts.trailing_zeros() as usize) {
                return false;
            }
            starts &= starts - 1;
        }
        true
    }
}

at_each_level! {
    #[allow(dead_code)] // The level is chosen where it is called.
    fn find_portable / find_portable_at(tokens: &mut Tokens, bytes: &[u8]) -> bool {
        let ways = Ways {
            rest: portable::rest, classes: portable::classes, append: portable::append, heads: portable::heads,
        };
        tokens.find_by(bytes, &ways)
    }
}

/// The bytes behind backslashes that are not escaped themselves; `None` where one is not that of a known escape sequence.
#[inline(always)]
fn escaped(block: &[u8; BLOCK], backslash: u64, carry: &mut u64) -> Option<u64> {
    let is_known = |byte: u8| matches!(byte, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't');
    let mut escaped = *carry;
    if escaped != 0 && !is_known(block[0]) {
        return None;
    }
    *carry = 0;
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
                *carry = 1;
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

/// The first set bit from one number to before another.
#[inline(always)]
fn first_bit(words: &[u64], start: usize, end: usize) -> Option<usize> {
    let mut at = start / BLOCK;
    let mut word = words.get(at)? & (u64::MAX << (start % BLOCK));
    while word == 0 {
        at += 1;
        if at * BLOCK >= end {
            return None;
        }
        word = *words.get(at)?;
    }
    let place = at * BLOCK + word.trailing_zeros() as usize;
    (place < end).then_some(place)
}

#[cfg(test)]
mod tests;
