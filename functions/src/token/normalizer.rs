//! Changes to a text before it is cut into pieces: the normalizers of `tokenizer.json`.

use std::ops::Range;

use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{
    IsNormalized, UnicodeNormalization, is_nfc_quick, is_nfd_quick, is_nfkc_quick, is_nfkd_quick,
};

use super::aligned::Aligned;
use super::character_set::CharacterSet;
use super::pattern::Pattern;
use super::precompiled::Precompiled;

/// A Unicode normal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Composed.
    Nfc,
    /// Decomposed.
    Nfd,
    /// Composed, with compatibility.
    Nfkc,
    /// Decomposed, with compatibility.
    Nfkd,
}

/// One change.
#[derive(Debug, Clone)]
pub enum Normalizer {
    /// Controls dropped, white space made spaces.
    CleanText { dropped: CharacterSet },
    /// A space on both sides of every ideograph.
    SpaceIdeographs,
    /// Characters of the set dropped.
    Drop(CharacterSet),
    /// Lower case, character by character.
    Lowercase,
    /// A normal form.
    Form(Form),
    /// SentencePiece's map, as Hugging Face tokenizers apply it.
    Precompiled(Precompiled),
    /// SentencePiece's map, by the longest of its keys at each place.
    LongestPrecompiled(Precompiled),
    /// Spaces side by side become one, and those in front are dropped.
    JoinSpaces,
    /// This text dropped at the end, as often as it is there.
    StripEnd(String),
    /// The rule of the nmt models of SentencePiece.
    Nmt,
    /// White space dropped at the ends.
    Strip { left: bool, right: bool },
    /// Text put in front, unless there is no text.
    Prepend(String),
    /// Text in the place of each match.
    Replace { pattern: Pattern, content: String },
}

impl Normalizer {
    /// Whether the change looks at no more than neighbouring characters that are not ASCII white space, so that words may be
    /// changed one by one.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Strip { .. }
            | Self::Prepend(_)
            | Self::Replace { .. }
            | Self::Nmt
            | Self::LongestPrecompiled(_)
            | Self::JoinSpaces
            | Self::StripEnd(_) => false,
            Self::CleanText { .. }
            | Self::SpaceIdeographs
            | Self::Drop(_)
            | Self::Lowercase
            | Self::Form(_)
            | Self::Precompiled(_) => true,
        }
    }

    /// Writes the changed text to `output`, which is empty.
    pub fn apply(&self, input: &Aligned, output: &mut Aligned) {
        let text = input.text();
        match self {
            Self::CleanText { dropped } => each(input, output, |character, origin, output| match character {
                '\t' | '\n' | '\r' => output.push(' ', origin),
                character if dropped.has(character) => {}
                character if character.is_whitespace() => output.push(' ', origin),
                character => output.push(character, origin),
            }),
            Self::SpaceIdeographs => each(input, output, |character, origin, output| {
                if is_ideograph(character) {
                    output.push(' ', origin);
                    output.push(character, origin);
                    output.push(' ', origin);
                } else {
                    output.push(character, origin);
                }
            }),
            Self::Drop(set) => each(input, output, |character, origin, output| {
                if !set.has(character) {
                    output.push(character, origin);
                }
            }),
            Self::Lowercase => each(input, output, |character, origin, output| {
                character.to_lowercase().for_each(|lower| output.push(lower, origin));
            }),
            Self::Form(form) => form.apply(input, output),
            Self::Precompiled(map) => map.apply(input, output),
            Self::LongestPrecompiled(map) => map.apply_longest(input, output),
            Self::JoinSpaces => join_spaces(input, output),
            Self::StripEnd(end) => {
                let mut rest = text;
                while let Some(shorter) = rest.strip_suffix(end.as_str()).filter(|_| !end.is_empty()) {
                    rest = shorter;
                }
                output.push_part(input, 0, rest.len());
            }
            Self::Nmt => each(input, output, nmt),
            Self::Strip { left, right } => {
                let start = if *left { text.len() - text.trim_start().len() } else { 0 };
                let end = if *right { text.trim_end().len() } else { text.len() };
                output.push_part(input, start, end.max(start));
            }
            Self::Prepend(prefix) => {
                if !text.is_empty() {
                    let first = text.chars().next().map_or(0, char::len_utf8);
                    output.push_str(prefix, input.origin(0, first));
                    output.push_part(input, 0, text.len());
                }
            }
            Self::Replace { pattern, content } => {
                let mut done = 0;
                pattern.matches(text, |start, end| {
                    output.push_part(input, done, start);
                    output.push_str(content, input.origin(start, end));
                    done = end;
                });
                output.push_part(input, done, text.len());
            }
        }
    }
}

/// Writes the text without spaces in front and without those behind other spaces.
fn join_spaces(input: &Aligned, output: &mut Aligned) {
    let bytes = input.text().as_bytes();
    let mut start = 0;
    while start < bytes.len() {
        // What stays ends with the first space of a run.
        let is_dropped = bytes[start] == b' ' && (start == 0 || bytes[start - 1] == b' ');
        let end = match is_dropped {
            true => start + 1,
            false => memchr::memchr(b' ', &bytes[start..]).map_or(bytes.len(), |place| start + place + 1),
        };
        if !is_dropped {
            output.push_part(input, start, end);
        }
        start = end;
    }
}

/// Calls `write` for each character.
fn each(input: &Aligned, output: &mut Aligned, write: impl Fn(char, (u32, u32), &mut Aligned)) {
    for (start, character) in input.text().char_indices() {
        let origin =
            if input.is_tracked() { input.origin(start, start + character.len_utf8()) } else { (0, 0) };
        write(character, origin, output);
    }
}

impl Form {
    /// Whether a text is surely in this form.
    pub fn is_normal(self, text: &str) -> bool {
        let quick = match self {
            Self::Nfc => is_nfc_quick(text.chars()),
            Self::Nfd => is_nfd_quick(text.chars()),
            Self::Nfkc => is_nfkc_quick(text.chars()),
            Self::Nfkd => is_nfkd_quick(text.chars()),
        };
        quick == IsNormalized::Yes
    }

    /// A character sequence is changed together from a character that nothing before it combines with to the next such.
    fn apply(self, input: &Aligned, output: &mut Aligned) {
        let text = input.text();
        if text.is_ascii() || self.is_normal(text) {
            return output.push_part(input, 0, text.len());
        }
        if !input.is_tracked() {
            return self.write(text, (0, 0), output);
        }
        let mut start = 0;
        for (place, character) in text.char_indices() {
            if place > start && is_boundary(character) {
                self.write_sequence(input, start..place, output);
                start = place;
            }
        }
        self.write_sequence(input, start..text.len(), output);
    }

    /// A sequence that is in this form already keeps the place of each character.
    fn write_sequence(self, input: &Aligned, range: Range<usize>, output: &mut Aligned) {
        let text = &input.text()[range.clone()];
        let is_same = match self {
            Self::Nfc => text.nfc().eq(text.chars()),
            Self::Nfd => text.nfd().eq(text.chars()),
            Self::Nfkc => text.nfkc().eq(text.chars()),
            Self::Nfkd => text.nfkd().eq(text.chars()),
        };
        match is_same {
            true => output.push_part(input, range.start, range.end),
            false => self.write(text, input.origin(range.start, range.end), output),
        }
    }

    fn write(self, text: &str, origin: (u32, u32), output: &mut Aligned) {
        match self {
            Self::Nfc => text.nfc().for_each(|character| output.push(character, origin)),
            Self::Nfd => text.nfd().for_each(|character| output.push(character, origin)),
            Self::Nfkc => text.nfkc().for_each(|character| output.push(character, origin)),
            Self::Nfkd => text.nfkd().for_each(|character| output.push(character, origin)),
        }
    }
}

/// Whether a character combines with none before it: what it decomposes to begins with a character that starts anew and that
/// nothing composes with.
fn is_boundary(character: char) -> bool {
    let first = std::iter::once(character).nfkd().next().unwrap_or(character);
    canonical_combining_class(character) == 0
        && canonical_combining_class(first) == 0
        && is_nfc_quick(std::iter::once(first)) != IsNormalized::Maybe
}

/// The ranges that BERT takes for Chinese characters.
fn is_ideograph(character: char) -> bool {
    matches!(
        u32::from(character),
        0x4e00..=0x9fff
            | 0x3400..=0x4dbf
            | 0x20000..=0x2a6df
            | 0x2a700..=0x2b73f
            | 0x2b740..=0x2b81f
            | 0x2b920..=0x2ceaf
            | 0xf900..=0xfaff
            | 0x2f800..=0x2fa1f
    )
}

fn nmt(character: char, origin: (u32, u32), output: &mut Aligned) {
    match u32::from(character) {
        0x1..=0x8 | 0xb | 0xe..=0x1f | 0x7f | 0x8f | 0x9f => {}
        0x9 | 0xa | 0xc | 0xd | 0x1680 | 0x200b..=0x200f | 0x2028 | 0x2029 | 0x2581 | 0xfeff | 0xfffd => {
            output.push(' ', origin);
        }
        _ => output.push(character, origin),
    }
}
