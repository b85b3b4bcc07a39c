//! Splits text into pieces before byte-pair encoding, exactly as the regular expressions of the published vocabularies do.
//!
//! The patterns are ordered alternatives with backtracking, and look ahead once; at a given position their outcome
//! is decided by the class of a few characters and the ends of runs, so a hand-written scan finds it in one pass and in linear
//! time, some thirty times faster. Each function below states the alternative that it stands for. Every character belongs to
//! exactly one piece.

mod character_class;
mod eight_bytes;
mod word;

use character_class::CharacterClass;
use eight_bytes::EightBytes;
use std::ops::Range;

/// The pattern of a vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pretokenizer {
    /// Of `r50k_base`, `p50k_base` and GPT-2:
    /// `'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
    R50k,
    /// Of `cl100k_base`: `'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|`
    /// `\s*[\r\n]|\s+(?!\S)|\s`.
    Cl100k,
    /// Of Llama 3, and of `cl100k_base` as it was first published: as above, but white space at the end of the text is split
    /// after its last line end; `\s*[\r\n]+|\s+(?!\S)|\s+`.
    Llama3,
    /// Of Qwen 2: as above, with single digits.
    Qwen2,
    /// Of `o200k_base` and `o200k_harmony`: words split where case rises, with their contraction;
    /// `\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`.
    O200k,
}

impl Pretokenizer {
    /// The pieces of a text in order, as ranges of bytes.
    pub fn pieces(self, text: &str) -> Pieces<'_> {
        Pieces { pretokenizer: self, cursor: Cursor { text, position: 0 } }
    }
}

/// The pieces of a text; see [`Pretokenizer::pieces`].
#[derive(Clone, Debug)]
pub struct Pieces<'text> {
    pretokenizer: Pretokenizer,
    cursor: Cursor<'text>,
}

impl Iterator for Pieces<'_> {
    type Item = Range<usize>;

    #[inline]
    fn next(&mut self) -> Option<Range<usize>> {
        let start = self.cursor.position;
        let class = self.cursor.peek()?;
        self.cursor = match self.pretokenizer {
            Pretokenizer::R50k => word::r50k(self.cursor, class),
            Pretokenizer::Cl100k => word::cl100k(self.cursor, class, 3, word::FinalSpace::Whole),
            Pretokenizer::Llama3 => word::cl100k(self.cursor, class, 3, word::FinalSpace::SplitAfterLineEnd),
            Pretokenizer::Qwen2 => word::cl100k(self.cursor, class, 1, word::FinalSpace::SplitAfterLineEnd),
            Pretokenizer::O200k => word::o200k(self.cursor, class),
        };
        debug_assert!(self.cursor.position > start, "a piece has at least one character");
        Some(start..self.cursor.position)
    }
}

/// A position between two characters of a text.
#[derive(Clone, Copy, Debug)]
struct Cursor<'text> {
    text: &'text str,
    position: usize,
}

impl<'text> Cursor<'text> {
    #[inline(always)]
    fn byte(self, offset: usize) -> Option<u8> {
        self.text.as_bytes().get(self.position + offset).copied()
    }

    /// The next eight bytes, if there are as many.
    #[inline(always)]
    fn eight_bytes(self) -> Option<EightBytes> {
        let bytes = self.text.as_bytes().get(self.position..self.position + 8)?;
        let mut word = [0; 8];
        word.copy_from_slice(bytes);
        Some(EightBytes(u64::from_le_bytes(word)))
    }

    /// The class of the next character.
    #[inline(always)]
    fn peek(self) -> Option<CharacterClass> {
        self.peek_character().map(|(class, _)| class)
    }

    /// The class of the next character, if `wanted`.
    #[inline(always)]
    fn peek_if(self, wanted: bool) -> Option<CharacterClass> {
        if wanted { self.peek() } else { None }
    }

    /// The class of the next character and its length in bytes.
    #[inline(always)]
    fn peek_character(self) -> Option<(CharacterClass, usize)> {
        let byte = self.byte(0)?;
        if byte < 0x80 {
            return Some((CharacterClass::of_ascii(byte), 1));
        }
        self.peek_wide()
    }

    fn peek_wide(self) -> Option<(CharacterClass, usize)> {
        let character = self.text[self.position..].chars().next()?;
        Some((CharacterClass::of(character), character.len_utf8()))
    }

    #[inline(always)]
    fn advanced(self, bytes: usize) -> Cursor<'text> {
        Cursor { position: self.position + bytes, ..self }
    }

    /// Past the next character.
    #[inline(always)]
    fn past_one(self) -> Cursor<'text> {
        self.advanced(self.peek_character().map_or(0, |(_, length)| length))
    }

    /// Past all letters. Words of ASCII are passed eight bytes at a time, without a branch for each letter.
    #[inline(always)]
    fn past_letters(self) -> Cursor<'text> {
        let mut cursor = self;
        while let Some(bytes) = cursor.eight_bytes() {
            let letters = bytes.leading_letters();
            cursor = cursor.advanced(letters);
            if letters < 8 {
                break;
            }
        }
        match cursor.byte(0) {
            Some(byte) if byte < 0x80 && !CharacterClass::of_ascii(byte).is_letter() => cursor,
            _ => cursor.past_all(CharacterClass::is_letter),
        }
    }

    /// Past all characters up to the first that `belongs` refuses.
    #[inline(always)]
    fn past_all(self, belongs: impl Fn(CharacterClass) -> bool) -> Cursor<'text> {
        let mut cursor = self;
        while let Some((_, length)) = cursor.peek_character().filter(|&(class, _)| belongs(class)) {
            cursor = cursor.advanced(length);
        }
        cursor
    }

    /// Past up to `count` characters that `belongs` accepts.
    #[inline(always)]
    fn past_up_to(self, count: usize, belongs: impl Fn(CharacterClass) -> bool) -> Cursor<'text> {
        let mut cursor = self;
        for _ in 0..count {
            match cursor.peek_character() {
                Some((class, length)) if belongs(class) => cursor = cursor.advanced(length),
                _ => break,
            }
        }
        cursor
    }

    #[inline(always)]
    fn is_at_end(self) -> bool {
        self.position == self.text.len()
    }
}

#[cfg(test)]
mod tests;
