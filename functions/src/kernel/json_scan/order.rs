//! Whether tokens follow one another as those of a JSON text do, told for up to 64 tokens at a time.
//!
//! What a token may be follows from the one before it and, behind a comma, from the bracket that it stands in. So all pairs of
//! neighbours are held against this rule by shifts of words with a bit a token, and only brackets are looked at one by one.

use super::tokens::BLOCK;

/// Deepest nesting that is followed: a bit each tells braces from square brackets.
const DEPTH_MAX: usize = 64;

/// What some tokens are, a bit each; what is nothing of this is a number, truth value or null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds {
    pub opening: u64,
    pub closing: u64,
    /// Of brackets, a brace.
    pub brace: u64,
    pub colon: u64,
    pub comma: u64,
    pub string: u64,
}

impl Kinds {
    /// What those tokens are whose bits are set in `all`.
    #[inline(always)]
    pub fn of(self, all: u64) -> Self {
        let Self { opening, closing, brace, colon, comma, string } = self;
        Self {
            opening: opening & all,
            closing: closing & all,
            brace: brace & all,
            colon: colon & all,
            comma: comma & all,
            string: string & all,
        }
    }

    /// The tokens that are no number, truth value or null.
    #[inline(always)]
    pub fn any(&self) -> u64 {
        self.opening | self.closing | self.colon | self.comma | self.string
    }

    /// Goes on with the hash of the tokens before.
    #[inline(always)]
    pub fn hash(&self, before: u64) -> u64 {
        // Where brackets and strings stand tells almost all of it.
        let bits = self.string ^ self.opening.rotate_left(21) ^ self.closing.rotate_left(42);
        (before.rotate_left(29) ^ bits).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// What the last token asks of the next one, the first bit each.
#[derive(Debug, Default)]
struct Before {
    wants_key: u64,
    wants_value: u64,
    opening: u64,
    key: u64,
    value_end: u64,
}

/// The order of the tokens so far.
#[derive(Debug)]
pub struct Order {
    before: Before,
    /// Bits of pairs that must not be.
    wrong: u64,
    /// The brackets that are open, the innermost in the first bit; a set bit is a brace.
    braces: u64,
    depth: usize,
    /// The number of the last token that closed a bracket.
    last_closing: usize,
    /// The numbers of the tokens that opened them.
    opened: [u32; DEPTH_MAX],
    /// For each token that opens a bracket the one that closes it; unspecified for others.
    closings: Vec<u32>,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            before: Before::default(),
            wrong: 0,
            braces: 0,
            depth: 0,
            last_closing: 0,
            opened: [0; DEPTH_MAX],
            closings: Vec::new(),
        }
    }
}

impl Order {
    /// True if some tokens are those of one value, nested no deeper than is followed.
    pub fn check(&mut self, kinds: &[Kinds], count: usize) -> bool {
        self.begin(count);
        let mut first = 0;
        for kinds in kinds {
            let behind = count.min(first + BLOCK);
            if !self.take(*kinds, first, behind - first) {
                return false;
            }
            first = behind;
        }
        self.ends(count)
    }

    /// For each token that opens a bracket the number of the one that closes it; unspecified for others.
    pub fn closings(&self) -> &[u32] {
        &self.closings
    }

    fn begin(&mut self, count: usize) {
        if self.closings.len() < count {
            self.closings.resize(count, 0);
        }
        self.before = Before { wants_value: 1, ..Before::default() };
        (self.wrong, self.braces, self.depth, self.last_closing) = (0, 0, 0, 0);
    }

    /// Takes in the next `count` tokens, of which `first` is the number of the first; false where they are wrong for certain.
    #[inline(always)]
    fn take(&mut self, kinds: Kinds, first: usize, count: usize) -> bool {
        if count == 0 {
            return true;
        }
        let Some(in_object) = self.brackets(&kinds, first) else { return false };
        let Kinds { opening, closing, brace, colon, comma, string } = kinds;
        let all = u64::MAX >> (64 - count);
        let scalar = all & !(opening | closing | colon | comma | string);
        let before = &mut self.before;
        let wants_key = (opening & brace) | (comma & in_object);
        let wants_value = (opening & !brace) | (comma & !in_object) | colon;
        let behind = |bits: u64, before: u64| (bits << 1 | before) & all;
        let behind_wants_key = behind(wants_key, before.wants_key);
        let behind_wants_value = behind(wants_value, before.wants_value);
        let key = string & behind_wants_key;
        let value_end = (string & !key) | scalar | closing;
        let missing = (behind_wants_key & !string) | (behind_wants_value & !(string | scalar | opening));
        self.wrong |= (missing & !(closing & behind(opening, before.opening)))
            | (behind(key, before.key) ^ colon)
            | (behind(value_end, before.value_end) & !(comma | closing));
        let last = |bits: u64| bits >> (count - 1) & 1;
        *before = Before {
            wants_key: last(wants_key),
            wants_value: last(wants_value),
            opening: last(opening),
            key: last(key),
            value_end: last(value_end),
        };
        true
    }

    /// Follows the brackets; the tokens that stand in an object, or `None` where brackets do not match.
    #[inline(always)]
    fn brackets(&mut self, kinds: &Kinds, first: usize) -> Option<u64> {
        let mut in_object = (self.braces & 1).wrapping_neg();
        let mut left = kinds.opening | kinds.closing;
        while left != 0 {
            let at = left.trailing_zeros() as usize;
            left &= left - 1;
            let brace = kinds.brace >> at & 1;
            if kinds.opening >> at & 1 != 0 {
                // Of brackets in no others there is one, the first token.
                if self.depth == 0 && first + at != 0 {
                    return None;
                }
                *self.opened.get_mut(self.depth)? = (first + at) as u32;
                self.depth += 1;
                self.braces = self.braces << 1 | brace;
            } else {
                self.depth = self.depth.checked_sub(1)?;
                if self.braces & 1 != brace {
                    return None;
                }
                self.braces >>= 1;
                self.closings[self.opened[self.depth] as usize] = (first + at) as u32;
                self.last_closing = first + at;
            }
            let behind = u64::MAX << at << 1;
            in_object = (in_object & !behind) | ((self.braces & 1).wrapping_neg() & behind);
        }
        Some(in_object)
    }

    /// True if `count` tokens were those of one value.
    fn ends(&self, count: usize) -> bool {
        // Nothing stands behind a value without brackets, or behind the bracket that closes the whole.
        let is_one = count == 1 || (count > 1 && self.last_closing == count - 1);
        self.depth == 0 && self.wrong == 0 && is_one
    }
}
