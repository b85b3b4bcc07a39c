//! Splits text into pieces before byte-pair encoding, exactly as the regular expressions of the published vocabularies do.
//!
//! The patterns are ordered alternatives with backtracking, and look ahead once; at a given position their outcome
//! is decided by the class of a few characters and the ends of runs, so a hand-written scan finds it in one pass and in linear
//! time, some thirty times faster. `word.rs` does so character by character, and states the alternative that each function stands for;
//! `window.rs` finds the pieces of 64 bytes together by the classes of their bytes (`byte_classes.rs`). Every character belongs
//! to exactly one piece.

mod byte_classes;
mod character_class;
mod eight_bytes;
mod window;
mod word;

use crate::kernel::level::{Level, Tier};
pub(crate) use byte_classes::{BLOCK, BLOCK_AND_BEYOND};
#[cfg(target_arch = "x86_64")]
use byte_classes::{ByAvx2, ByAvx512};
use byte_classes::{ByWords, Classify};
use character_class::CharacterClass;
use eight_bytes::EightBytes;
use std::ops::Range;
use window::Window;

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

/// What is done with the pieces of a text.
pub(crate) trait PieceSink {
    /// A piece that lies in a block, `length` bytes from place `start`, below [`BLOCK`]; in the text it lies at `position`.
    fn piece(&mut self, block: &[u8; BLOCK_AND_BEYOND], start: usize, length: usize, position: usize);

    /// Any piece.
    fn long_piece(&mut self, position: usize, length: usize);

    /// After up to [`BLOCK`] pieces.
    fn end_window(&mut self);
}

impl Pretokenizer {
    /// The number of pieces of a text.
    pub fn count(self, text: &str) -> usize {
        struct Count(usize);
        impl PieceSink for Count {
            #[inline(always)]
            fn piece(&mut self, _: &[u8; BLOCK_AND_BEYOND], _: usize, _: usize, _: usize) {
                self.0 += 1;
            }
            fn long_piece(&mut self, _: usize, _: usize) {
                self.0 += 1;
            }
            fn end_window(&mut self) {}
        }
        let mut count = Count(0);
        self.scan_at(Level::current(), text, &mut count);
        count.0
    }

    /// Gives the pieces of a text in order to `sink`, whose functions are compiled for the level where they are inlined.
    pub(crate) fn scan_at(self, level: Level, text: &str, sink: &mut impl PieceSink) {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn avx2(pretokenizer: Pretokenizer, text: &str, sink: &mut impl PieceSink) {
            // SAFETY: this function runs only where the machine has AVX2.
            pretokenizer.scan(unsafe { ByAvx2::new() }, text, sink);
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512vl,avx512dq,avx512bw")]
        fn avx512(pretokenizer: Pretokenizer, text: &str, sink: &mut impl PieceSink) {
            // SAFETY: this function runs only where the machine has AVX-512 F and BW.
            pretokenizer.scan(unsafe { ByAvx512::new() }, text, sink);
        }
        match level.tier() {
            // SAFETY: a `Level` of this tier exists only where the machine was found to have these features.
            #[cfg(target_arch = "x86_64")]
            Tier::Avx512 => unsafe { avx512(self, text, sink) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2 => unsafe { avx2(self, text, sink) },
            _ => self.scan(ByWords, text, sink),
        }
    }

    #[inline(always)]
    fn scan(self, classify: impl Classify, text: &str, sink: &mut impl PieceSink) {
        let mut padded;
        let mut position = 0;
        while position < text.len() {
            let rest = &text.as_bytes()[position..];
            let block = match rest.first_chunk::<BLOCK_AND_BEYOND>() {
                Some(block) => block,
                None => {
                    padded = [0; BLOCK_AND_BEYOND];
                    padded[..rest.len()].copy_from_slice(rest);
                    &padded
                }
            };
            let (count, is_end) = (rest.len().min(BLOCK), rest.len() <= BLOCK);
            let window = Window::of(self, block, &classify.classify(block), count, is_end);
            let mut ends = window.starts & (window.starts - 1);
            if ends == 0 && !window.is_whole {
                let Some(cursor) = self.past_piece(Cursor { text, position }) else { return };
                sink.long_piece(position, cursor.position - position);
                sink.end_window();
                position = cursor.position;
                continue;
            }
            let mut start = 0;
            while ends != 0 {
                let end = ends.trailing_zeros() as usize;
                ends &= ends - 1;
                sink.piece(block, start, end - start, position + start);
                start = end;
            }
            if window.is_whole {
                sink.piece(block, start, count - start, position + start);
                start = count;
            }
            sink.end_window();
            position += start;
        }
    }

    /// Past the piece that starts here; `None` at the end of the text.
    #[inline(always)]
    fn past_piece(self, cursor: Cursor<'_>) -> Option<Cursor<'_>> {
        let class = cursor.peek()?;
        let end = match self {
            Pretokenizer::R50k => word::r50k(cursor, class),
            Pretokenizer::Cl100k => word::cl100k(cursor, class, 3, word::FinalSpace::Whole),
            Pretokenizer::Llama3 => word::cl100k(cursor, class, 3, word::FinalSpace::SplitAfterLineEnd),
            Pretokenizer::Qwen2 => word::cl100k(cursor, class, 1, word::FinalSpace::SplitAfterLineEnd),
            Pretokenizer::O200k => word::o200k(cursor, class),
        };
        debug_assert!(end.position > cursor.position, "a piece has at least one character");
        Some(end)
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
        self.cursor = self.pretokenizer.past_piece(self.cursor)?;
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
