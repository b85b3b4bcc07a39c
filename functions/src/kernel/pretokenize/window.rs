//! The pieces of the next bytes of a text at once: a word with a bit for each byte says where pieces start.
//!
//! A window begins where a piece begins, since no pattern looks back from there. Which classes the bytes before and behind a place
//! have then decides, by shifts of the words of classes, whether a piece starts there. What a window cannot decide ends it: the rest is
//! left to the next window, or, if not even one piece is sure, to the scan character by character.

use super::byte_classes::{BLOCK, BLOCK_AND_BEYOND, ByteClasses};
use super::{CharacterClass, Pretokenizer};

/// The pieces that a window is sure of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// Where pieces start.
    pub(super) starts: u64,
    /// Whether the last of them ends with the text; else it ends behind the window, or where that is not sure of.
    pub(super) is_whole: bool,
}

/// Classes of the characters of a window, on every byte of each.
#[derive(Clone, Copy, Debug)]
struct Classes {
    /// Bytes that are classified: those of whole characters in front of the first that a window cannot decide.
    count: usize,
    letter: u64,
    upper: u64,
    lower: u64,
    digit: u64,
    /// White space but line ends.
    white: u64,
    line_end: u64,
    /// None of these.
    other: u64,
    /// Of those, all bytes but the first of each character.
    continuation: u64,
}

/// The lowest `count` bits.
#[inline(always)]
fn low_bits(count: usize) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

impl Window {
    /// The window over the first `count` bytes of a block, at least one; the text ends behind them if `is_end`.
    #[inline(always)]
    pub(super) fn of(
        pretokenizer: Pretokenizer,
        bytes: &[u8; BLOCK_AND_BEYOND],
        found: &ByteClasses,
        count: usize,
        is_end: bool,
    ) -> Window {
        let mut classes = Classes::of(pretokenizer, bytes, found, count);
        // A window that was cut short does not see the end of the text.
        let ends = is_end && classes.count == count;
        let starts = match pretokenizer {
            Pretokenizer::R50k => classes.r50k(bytes, found),
            Pretokenizer::O200k => classes.o200k(bytes, found, ends),
            _ => classes.cl100k(pretokenizer, bytes, found, ends),
        };
        Window { starts: starts & low_bits(classes.count) | 1, is_whole: is_end && classes.count == count }
    }
}

impl Classes {
    #[inline(always)]
    fn of(
        pretokenizer: Pretokenizer,
        bytes: &[u8; BLOCK_AND_BEYOND],
        found: &ByteClasses,
        count: usize,
    ) -> Classes {
        let valid = low_bits(count);
        let mut classes = Classes {
            count,
            letter: (found.upper | found.lower) & valid,
            upper: found.upper,
            lower: found.lower,
            digit: found.digit & valid,
            white: (found.space | (found.control_space & !found.line_end)) & valid,
            line_end: found.line_end & valid,
            other: 0,
            continuation: 0,
        };
        if found.wide & valid != 0 {
            classes.classify_wide(pretokenizer, bytes, found);
        }
        let space = classes.white | classes.line_end;
        classes.other = low_bits(classes.count) & !(classes.letter | classes.digit | space);
        classes.continuation = classes.other & found.continuation;
        classes
    }

    /// Adds the characters that are not ASCII, up to the first that needs care or that does not lie in the window as a whole.
    #[inline(never)]
    fn classify_wide(
        &mut self,
        pretokenizer: Pretokenizer,
        bytes: &[u8; BLOCK_AND_BEYOND],
        found: &ByteClasses,
    ) {
        let mut firsts = found.wide & !found.continuation & low_bits(self.count);
        while firsts != 0 {
            let place = firsts.trailing_zeros() as usize;
            firsts &= firsts - 1;
            let (code, length) = code_point(bytes, place);
            let bits = low_bits(length) << place;
            let class = CharacterClass::of_code(code);
            let is_sure = match class {
                CharacterClass::UPPER => {
                    self.upper |= bits;
                    true
                }
                CharacterClass::LOWER => {
                    self.lower |= bits;
                    true
                }
                CharacterClass::CASELESS => pretokenizer != Pretokenizer::O200k,
                CharacterClass::MARK => pretokenizer != Pretokenizer::O200k,
                CharacterClass::OTHER => true,
                _ => false,
            };
            if !is_sure || place + length > self.count {
                self.count = place;
                break;
            }
            if class.is_letter() {
                self.letter |= bits;
            }
        }
        let valid = low_bits(self.count);
        self.letter &= valid;
        self.digit &= valid;
        self.white &= valid;
        self.line_end &= valid;
    }

    /// Bits of the places behind the last, which count as white space where the text ends and where that is not known.
    #[inline(always)]
    fn beyond(&self) -> u64 {
        if self.count >= BLOCK { 1 << 63 } else { 1 << self.count >> 1 }
    }

    /// Runs of symbols that no space stands in front of, and the places behind the first character of each of those.
    #[inline(always)]
    fn symbol_starts(&self, space: u64) -> (u64, u64) {
        let runs = self.other & !(self.other << 1);
        // A run behind a space begins with it.
        let bare = runs & !(space << 1);
        // Adding at the byte behind the first one carries through what is left of its character.
        let behind_first = self.continuation.wrapping_add(bare << 1) & !self.continuation;
        (bare, behind_first)
    }

    /// Starts of white space as `\s*[\r\n]+|\s+(?!\S)|\s` cuts it, line ends behind symbols left to those. At the end of the text
    /// white space with a line end is one piece if `is_final_whole`.
    #[inline(always)]
    fn white_starts(&mut self, is_end: bool, is_final_whole: bool) -> u64 {
        let all = self.white | self.line_end;
        let first = self.white & !(all << 1);
        let last = self.white & !(all >> 1 | self.beyond());
        let line_ends = self.line_end & !((all | self.other) << 1);
        let behind_line_end = self.white & (self.line_end << 1);
        let mut starts = first | last | line_ends;
        if behind_line_end != 0 {
            starts |= self.starts_behind_line_ends(behind_line_end, is_end, is_final_whole);
        }
        starts
    }

    /// Of white space behind line ends, that which no line end of the same piece follows.
    #[inline(always)]
    fn starts_behind_line_ends(&mut self, behind: u64, is_end: bool, is_final_whole: bool) -> u64 {
        let (mut left, mut starts) = (behind, 0u64);
        while left != 0 {
            let place = left.trailing_zeros() as usize;
            left &= left - 1;
            let end = place + (!(self.white >> place)).trailing_zeros() as usize;
            // Line ends behind symbols belong to those, so that a piece starts here in any case.
            let line_ends = (self.line_end << (BLOCK - place)).leading_ones() as usize;
            let is_of_symbols = line_ends < place && self.other >> (place - line_ends - 1) & 1 == 1;
            let is_start = if end >= self.count {
                if !is_end {
                    // What follows is not known, and with it where the piece in front ends.
                    self.count = if is_of_symbols { self.count } else { place };
                    return starts | (u64::from(is_of_symbols) << place);
                }
                is_of_symbols || !is_final_whole
            } else {
                is_of_symbols || self.line_end >> end & 1 == 0
            };
            starts |= u64::from(is_start) << place;
        }
        starts
    }

    /// `'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|` and white space.
    #[inline(always)]
    fn cl100k(
        &mut self,
        pretokenizer: Pretokenizer,
        bytes: &[u8; BLOCK_AND_BEYOND],
        found: &ByteClasses,
        is_end: bool,
    ) -> u64 {
        let (bare, behind_first) = self.symbol_starts(found.space);
        // A word takes the white space in front, and a symbol that is alone.
        let words = self.letter & !(self.letter << 1) & !(self.white << 1) & !behind_first;
        let is_final_whole = pretokenizer == Pretokenizer::Cl100k;
        let mut starts = words | bare | self.white_starts(is_end, is_final_whole);
        starts |= if pretokenizer == Pretokenizer::Qwen2 { self.digit } else { self.digit_starts() };
        let mut apostrophes = bare & found.apostrophe;
        while apostrophes != 0 {
            let place = apostrophes.trailing_zeros() as usize;
            apostrophes &= apostrophes - 1;
            starts |= place_bit(place + contraction_bytes(bytes, place, true));
        }
        starts
    }

    /// Starts of numbers, of which up to three digits are together.
    #[inline(always)]
    fn digit_starts(&self) -> u64 {
        let digit = self.digit;
        let mut starts = digit & !(digit << 1);
        let fourth = digit & (digit << 1) & (digit << 2) & (digit << 3);
        let mut more = (starts << 3) & fourth;
        while more != 0 {
            starts |= more;
            more = (more << 3) & fourth;
        }
        starts
    }

    /// `'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
    #[inline(always)]
    fn r50k(&self, bytes: &[u8; BLOCK_AND_BEYOND], found: &ByteClasses) -> u64 {
        let all = self.white | self.line_end;
        let behind_space = found.space << 1;
        let run = |class: u64| class & !(class << 1);
        let bare = run(self.other) & !behind_space;
        let words = (run(self.letter) | run(self.digit)) & !behind_space;
        let mut starts = words | bare | run(all) | (all & !(all >> 1 | self.beyond()));
        let mut apostrophes = bare & found.apostrophe;
        while apostrophes != 0 {
            let place = apostrophes.trailing_zeros() as usize;
            apostrophes &= apostrophes - 1;
            let length = contraction_bytes(bytes, place, false);
            if length > 0 {
                starts = starts & !place_bit(place + 1) | place_bit(place + length);
            }
        }
        starts
    }

    /// Words cut where case rises, with their contraction; `\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|` and white space.
    #[inline(always)]
    fn o200k(&mut self, bytes: &[u8; BLOCK_AND_BEYOND], found: &ByteClasses, is_end: bool) -> u64 {
        // Slashes behind line ends may belong to the symbols in front of those.
        let slashes = found.slash & (self.line_end << 1);
        let is_end = is_end && slashes == 0;
        if slashes != 0 {
            self.shorten(slashes.trailing_zeros() as usize);
        }
        let (bare, behind_first) = self.symbol_starts(found.space);
        let words = self.letter & !(self.letter << 1) & !(self.white << 1) & !behind_first;
        let rising = self.upper & (self.lower << 1) & self.letter;
        let mut starts = words | rising | bare | self.digit_starts() | self.white_starts(is_end, false);
        let mut apostrophes = bare & found.apostrophe;
        let mut end_before = 0;
        while apostrophes != 0 {
            let place = apostrophes.trailing_zeros() as usize;
            apostrophes &= apostrophes - 1;
            // A contraction belongs to the word in front, if that has none yet; else it begins a word as any symbol does.
            let is_behind_word = place > end_before && self.letter << 1 >> place & 1 == 1;
            let length = if is_behind_word { contraction_bytes(bytes, place, true) } else { 0 };
            if length > 0 {
                end_before = place + length;
                starts = starts & !(low_bits(length) << place) | place_bit(end_before);
            }
        }
        starts
    }

    /// Leaves out what lies from `count` on.
    #[inline(always)]
    fn shorten(&mut self, count: usize) {
        let valid = low_bits(count);
        self.count = count;
        self.letter &= valid;
        self.digit &= valid;
        self.white &= valid;
        self.line_end &= valid;
        self.other &= valid;
        self.continuation &= valid;
    }
}

/// The bit of a place, none behind a window.
#[inline(always)]
fn place_bit(place: usize) -> u64 {
    if place < 64 { 1 << place } else { 0 }
}

/// Bytes of `'(?:[sdmt]|ll|ve|re)` at an apostrophe, 0 if it is none; in any case of letters if `is_folded`.
#[inline(always)]
fn contraction_bytes(bytes: &[u8; BLOCK_AND_BEYOND], place: usize, is_folded: bool) -> usize {
    let place = place % BLOCK;
    let case = if is_folded { 0x20 } else { 0 };
    match (bytes[place + 1] | case, bytes[place + 2] | case) {
        (b's' | b'd' | b'm' | b't', _) => 2,
        (b'l', b'l') | (b'v' | b'r', b'e') => 3,
        // The long s is an s.
        _ if is_folded && bytes[place + 1..place + 3] == [0xc5, 0xbf] => 3,
        _ => 0,
    }
}

/// The character at a place, and its length in bytes.
#[inline(always)]
fn code_point(bytes: &[u8; BLOCK_AND_BEYOND], place: usize) -> (u32, usize) {
    let place = place % BLOCK;
    let low = |offset: usize| u32::from(bytes[place + offset] & 0x3f);
    let first = u32::from(bytes[place]);
    match first {
        0..0xe0 => (((first & 0x1f) << 6) | low(1), 2),
        0xe0..0xf0 => (((first & 0x0f) << 12) | (low(1) << 6) | low(2), 3),
        _ => (((first & 0x07) << 18) | (low(1) << 12) | (low(2) << 6) | low(3), 4),
    }
}
