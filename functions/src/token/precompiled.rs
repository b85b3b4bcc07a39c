//! The character map that SentencePiece models carry: a double array in the layout of Darts, and the texts it leads to.
//!
//! [`Precompiled::apply`] gives the results of Hugging Face tokenizers: every grapheme of fewer than six bytes, else every character, that
//! the map knows is replaced, and of several keys that a piece starts with the shortest counts. [`Precompiled::apply_longest`] gives
//! those of SentencePiece: at each place the longest key counts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use unicode_segmentation::UnicodeSegmentation;

use super::aligned::Aligned;

/// Longest grapheme that is looked up whole, in bytes.
const GRAPHEME_BYTES_MAX: usize = 5;

/// A character map.
#[derive(Debug, Clone)]
pub struct Precompiled {
    units: Vec<u32>,
    texts: String,
    /// Whether a byte of ASCII is left as it is.
    keeps_ascii: [bool; 128],
}

impl Precompiled {
    /// The map of a `precompiled_charsmap` in base64; `None` if it is damaged.
    pub fn parse(base64: &str) -> Option<Precompiled> {
        Precompiled::of_bytes(&STANDARD.decode(base64).ok()?)
    }

    /// The map of these bytes; `None` if it is damaged.
    pub fn of_bytes(bytes: &[u8]) -> Option<Precompiled> {
        let size = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
        let units = bytes.get(4..4 + size)?.chunks_exact(4);
        let units = units.map(|unit| u32::from_le_bytes([unit[0], unit[1], unit[2], unit[3]])).collect();
        let texts = String::from_utf8(bytes.get(4 + size..)?.to_vec()).ok()?;
        let mut map = Precompiled { units, texts, keeps_ascii: [false; 128] };
        for code in 0..128u8 {
            map.keeps_ascii[usize::from(code)] = map.replacement(&[code]).is_none();
        }
        Some(map)
    }

    /// What a piece becomes, if the map knows it.
    fn replacement(&self, piece: &[u8]) -> Option<&str> {
        let mut shortest = None;
        self.keys(piece, |_, offset| {
            shortest = Some(offset);
            false
        });
        self.text_at(shortest?)
    }

    /// The text that a key leads to.
    fn text_at(&self, offset: u32) -> Option<&str> {
        let rest = self.texts.get(offset as usize..)?;
        Some(&rest[..rest.find('\0').unwrap_or(rest.len())])
    }

    /// Calls `found` with the length and the value of each key that the piece starts with, shortest first, until it gives false.
    fn keys(&self, piece: &[u8], mut found: impl FnMut(usize, u32) -> bool) {
        let Some(root) = self.units.first() else { return };
        let mut place = offset_of(*root);
        for (index, &byte) in piece.iter().enumerate() {
            place ^= usize::from(byte);
            let Some(&unit) = self.units.get(place).filter(|_| byte != 0) else { return };
            if unit & (1 << 31 | 0xff) != u32::from(byte) {
                return;
            }
            place ^= offset_of(unit);
            if (unit >> 8) & 1 == 1
                && let Some(leaf) = self.units.get(place)
                && !found(index + 1, leaf & 0x7fff_ffff)
            {
                return;
            }
        }
    }

    /// Appends the text mapped by the longest key at each place.
    pub fn apply_longest(&self, input: &Aligned, output: &mut Aligned) {
        let bytes = input.text().as_bytes();
        let (mut start, mut done) = (0, 0);
        while start < bytes.len() {
            let mut longest = None;
            self.keys(&bytes[start..], |length, offset| {
                longest = Some((length, offset));
                true
            });
            let mapped = longest.and_then(|(length, offset)| Some((start + length, self.text_at(offset)?)));
            match mapped.filter(|(end, _)| input.text().is_char_boundary(*end)) {
                Some((end, text)) => {
                    output.push_part(input, done, start);
                    output.push_str(text, input.origin(start, end));
                    (start, done) = (end, end);
                }
                None => start = input.text().ceil_char_boundary(start + 1),
            }
        }
        output.push_part(input, done, bytes.len());
    }

    /// Appends the mapped text.
    pub fn apply(&self, input: &Aligned, output: &mut Aligned) {
        let text = input.text();
        if text.bytes().all(|byte| byte < 0x80 && self.keeps_ascii[usize::from(byte)])
            && !text.contains("\r\n")
        {
            return output.push_part(input, 0, text.len());
        }
        for (start, grapheme) in text.grapheme_indices(true) {
            let end = start + grapheme.len();
            if grapheme.len() <= GRAPHEME_BYTES_MAX
                && let Some(mapped) = self.replacement(grapheme.as_bytes())
            {
                output.push_str(mapped, input.origin(start, end));
                continue;
            }
            for (place, character) in grapheme.char_indices() {
                let (from, to) = (start + place, start + place + character.len_utf8());
                match self.replacement(&text.as_bytes()[from..to]) {
                    Some(mapped) => output.push_str(mapped, input.origin(from, to)),
                    None => output.push_part(input, from, to),
                }
            }
        }
    }
}

/// Where the children of a unit lie, relative to it.
fn offset_of(unit: u32) -> usize {
    ((unit >> 10) << ((unit & (1 << 9)) >> 6)) as usize
}
