//! Where the tokens of a JSON text stand, found 64 bytes at a time, and whether they are those of a JSON text.
//!
//! A bit for each byte says whether it is a quote, a bracket, a blank and so on. The exclusive or of all quotes up to a
//! byte says whether it stands inside a string, so that no byte is looked at by itself but those where a token begins. The
//! bits of the bytes where tokens begin, moved together, are bits of tokens, whose order [`Order`] checks. Whole numbers are told by bits too;
//! what else is no string is looked at one by one.

use super::super::level::Level;
#[cfg(target_arch = "x86_64")]
use super::super::level::Tier;
use super::order::{Kinds, Order};
use super::scalar;
#[cfg(target_arch = "x86_64")]
use super::x86;

/// Longest text whose tokens are listed: the lists are kept by the worker, and take eight times as much.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// Bytes that are looked at together.
pub(super) const BLOCK: usize = 64;

/// Places of a text where tokens begin: brackets, colons and commas outside of strings, opening quotes, and the first bytes
/// of whatever else stands between those and blanks.
#[derive(Debug, Default)]
pub struct Tokens {
    /// The places, and room behind them.
    places: Vec<u32>,
    count: usize,
    order: Order,
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
    /// A space.
    pub(super) space: u64,
    /// An opening bracket.
    pub(super) opening: u64,
    /// A closing bracket.
    pub(super) closing: u64,
    /// Of brackets, a brace.
    pub(super) brace: u64,
    pub(super) colon: u64,
    pub(super) comma: u64,
    pub(super) digit: u64,
    /// The digit 0.
    pub(super) zero: u64,
    /// A point.
    pub(super) point: u64,
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
}

/// How a CPU tells bytes apart and moves their bits.
struct Ways<C, G, A> {
    /// The bits of a block.
    classes: C,
    /// For the bits of some bytes, what moves the bits of just these bytes together.
    gathering: G,
    /// Writes the places of bits, and anything behind them.
    append: A,
}

impl Tokens {
    /// The places, in ascending order.
    pub fn places(&self) -> &[u32] {
        &self.places[..self.count]
    }

    /// The number of the token behind the value that begins with token `number`, whose first byte is `first`.
    #[inline(always)]
    pub fn behind(&self, number: usize, first: u8) -> usize {
        match first {
            b'{' | b'[' => self.order.closing(number) + 1,
            _ => number + 1,
        }
    }

    /// True if a string has an escape sequence.
    pub fn has_escapes(&self) -> bool {
        self.has_escapes
    }

    /// Finds the tokens of a text; false where it is not JSON, where a string has an escape sequence by number, where a number is not
    /// plain ([`scalar::is_plain`]), where it is nested deeply, or where it is long.
    pub fn find(&mut self, text: &str) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            let is_latest = std::arch::is_x86_feature_detected!("avx512vbmi2");
            // SAFETY: a `Level` of a tier exists only where the machine was found to have its features, the further feature was found
            // just above, and every machine has SSE2.
            match Level::current().tier() {
                Tier::Avx512 if is_latest => unsafe { self.find_avx512_vbmi2(text.as_bytes()) },
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
            classes: |block: &[u8; BLOCK]| x86::classes_sse2(block),
            gathering: gathering_portable,
            append: append_portable,
        };
        self.find_by(bytes, &ways)
    }

    /// Bits are not moved by an instruction: processors of this tier take dozens of steps for it.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn find_avx2(&mut self, bytes: &[u8]) -> bool {
        let ways = Ways {
            classes: |block: &[u8; BLOCK]| x86::classes_avx2(block),
            gathering: gathering_portable,
            append: append_portable,
        };
        self.find_by(bytes, &ways)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,bmi1,bmi2,lzcnt,popcnt")]
    fn find_avx512_vbmi2(&mut self, bytes: &[u8]) -> bool {
        let ways = Ways {
            classes: |block: &[u8; BLOCK]| x86::classes(block),
            gathering: |starts| move |bits| x86::gather(bits, starts),
            append: |room: &mut [u32; BLOCK], starts, start| x86::append(room, starts, start),
        };
        self.find_by(bytes, &ways)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,lzcnt,popcnt")]
    fn find_avx512(&mut self, bytes: &[u8]) -> bool {
        let ways = Ways {
            classes: |block: &[u8; BLOCK]| x86::classes(block),
            gathering: |starts| move |bits| x86::gather(bits, starts),
            append: append_portable,
        };
        self.find_by(bytes, &ways)
    }

    #[inline(always)]
    fn find_by<C, G, M, A>(&mut self, bytes: &[u8], ways: &Ways<C, G, A>) -> bool
    where
        C: Fn(&[u8; BLOCK]) -> Classes,
        G: Fn(u64) -> M,
        M: Fn(u64) -> u64,
        A: Fn(&mut [u32; BLOCK], u64, u32),
    {
        if bytes.len() > TEXT_BYTES_MAX {
            return false;
        }
        // A block has at most 64 tokens, and is written whole sixteenths at a time.
        let room = bytes.len() + 2 * BLOCK;
        if self.places.len() < room {
            self.places.resize(room, 0);
        }
        (self.count, self.has_escapes) = (0, false);
        self.order.begin(room);
        let mut carry = Carry::default();
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        let mut start = 0;
        for block in blocks {
            if !self.take(bytes, block, start, &mut carry, ways) {
                return false;
            }
            start += BLOCK;
        }
        if !rest.is_empty() {
            let mut block = [b' '; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            if !self.take(bytes, &block, start, &mut carry, ways) {
                return false;
            }
        }
        carry.in_string == 0 && carry.runs.ends() && self.order.ends(self.count)
    }

    /// Takes in a block; false where the text cannot be followed.
    #[inline(always)]
    fn take<C, G, M, A>(
        &mut self,
        bytes: &[u8],
        block: &[u8; BLOCK],
        start: usize,
        carry: &mut Carry,
        ways: &Ways<C, G, A>,
    ) -> bool
    where
        C: Fn(&[u8; BLOCK]) -> Classes,
        G: Fn(u64) -> M,
        M: Fn(u64) -> u64,
        A: Fn(&mut [u32; BLOCK], u64, u32),
    {
        let classes = (ways.classes)(block);
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
        let structural = (classes.opening | classes.closing | classes.colon | classes.comma) & !in_string;
        let string = quote & in_string;
        let scalar = !(structural | blank | in_string | quote);
        let digits = scalar::Digits { all: classes.digit, zero: classes.zero, point: classes.point };
        let Some(runs) = carry.runs.take(scalar, digits) else { return false };
        if (runs.doubtful != 0 || runs.is_long) && !self.check_scalars(bytes, &runs, start) {
            return false;
        }
        let starts = structural | string | runs.starts;
        let first = self.count;
        let Some(room) = self.places.get_mut(first..).and_then(<[u32]>::first_chunk_mut) else {
            return false;
        };
        (ways.append)(room, starts, start as u32);
        self.count += starts.count_ones() as usize;
        let gather = (ways.gathering)(starts);
        let kinds = Kinds {
            opening: gather(classes.opening & structural),
            closing: gather(classes.closing & structural),
            brace: gather(classes.brace & structural),
            colon: gather(classes.colon & structural),
            comma: gather(classes.comma & structural),
            string: gather(string),
        };
        self.order.take(kinds, first, self.count - first)
    }

    /// Looks at scalars of a block one by one, at the last one before it too where digits are many; false where one is wrong or rare.
    #[inline(never)]
    fn check_scalars(&self, bytes: &[u8], runs: &scalar::Runs, start: usize) -> bool {
        let mut left = if runs.is_long { runs.starts } else { runs.doubtful };
        let before = self.places().last().filter(|_| runs.is_long).map(|&place| place as usize);
        let is_right = |&place: &usize| scalar::is_plain(bytes, place);
        if before.is_some_and(|place| bytes[place].is_ascii_digit() && !is_right(&place)) {
            return false;
        }
        while left != 0 {
            if !is_right(&(start + left.trailing_zeros() as usize)) {
                return false;
            }
            left &= left - 1;
        }
        true
    }
}

/// Writes the places of bits, and anything behind them.
#[inline(always)]
fn append_portable(room: &mut [u32; BLOCK], mut bits: u64, start: u32) {
    let count = bits.count_ones() as usize;
    for four in room.chunks_exact_mut(4).take(count.div_ceil(4)) {
        for place in four {
            *place = start + bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
        }
    }
}

at_each_level! {
    #[allow(dead_code)] // The level is chosen where it is called.
    fn find_portable / find_portable_at(tokens: &mut Tokens, bytes: &[u8]) -> bool {
        let ways = Ways { classes: classes_portable, gathering: gathering_portable, append: append_portable };
        tokens.find_by(bytes, &ways)
    }
}

/// What moves the bits of some bytes together: in six steps by powers of two, whose masks are made once
/// (Hacker's Delight, section 7-4).
#[inline(always)]
fn gathering_portable(starts: u64) -> impl Fn(u64) -> u64 {
    let mut moved = [0u64; 6];
    let mut mask = starts;
    // Each bit says whether the number of bytes left out before it, halved by each step, is odd.
    let mut left_out = !starts << 1;
    for (step, moved) in moved.iter_mut().enumerate() {
        let odd = prefix_xor(left_out);
        *moved = odd & mask;
        mask = mask ^ *moved | *moved >> (1 << step);
        left_out &= !odd;
    }
    move |bits| {
        moved.iter().enumerate().fold(bits & starts, |bits, (step, moved)| {
            let moving = bits & moved;
            bits ^ moving | moving >> (1 << step)
        })
    }
}

/// The bits of a block, eight bytes at a time.
#[inline(always)]
fn classes_portable(block: &[u8; BLOCK]) -> Classes {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut classes = Classes::default();
    let (words, _) = block.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // Moves the high bit of each byte to a bit of its own: no two of the products meet.
        let gather = |high: u64| (((high & HIGH) >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * at);
        // The high bit of each byte that is none: no sum of seven bits leaves its byte.
        let zero = |word: u64| !(((word & !HIGH) + !HIGH) | word);
        let equal = |word: u64, byte: u8| gather(zero(word ^ (ONES * u64::from(byte))));
        let below = |word: u64, limit: u8| gather(!((word & !HIGH) + ONES * u64::from(0x80 - limit)) & !word);
        let folded = word | (ONES * 0x20);
        classes.quote |= equal(word, b'"');
        classes.backslash |= equal(word, b'\\');
        classes.control |= below(word, b' ');
        classes.space |= equal(word, b' ');
        classes.opening |= equal(folded, b'{');
        classes.closing |= equal(folded, b'}');
        classes.brace |= gather(word << 2);
        classes.colon |= equal(word, b':');
        classes.comma |= equal(word, b',');
        classes.digit |= below(word ^ (ONES * u64::from(b'0')), 10);
        classes.zero |= equal(word, b'0');
        classes.point |= equal(word, b'.');
    }
    classes
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
mod tests;
