//! The character map that SentencePiece models carry: a double array in the layout of Darts, and the texts it leads to.
//!
//! Every grapheme of fewer than six bytes, else every character, that the map knows is replaced. Of several keys that a piece starts
//! with the shortest counts, as in Hugging Face tokenizers, whose results these are.

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
        let bytes = STANDARD.decode(base64).ok()?;
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
        let offset = self.first_value(piece)? as usize;
        let rest = self.texts.get(offset..)?;
        Some(&rest[..rest.find('\0').unwrap_or(rest.len())])
    }

    /// The value of the shortest key that the piece starts with.
    fn first_value(&self, piece: &[u8]) -> Option<u32> {
        let mut place = offset_of(*self.units.first()?);
        for &byte in piece {
            if byte == 0 {
                return None;
            }
            place ^= usize::from(byte);
            let unit = *self.units.get(place)?;
            if unit & (1 << 31 | 0xff) != u32::from(byte) {
                return None;
            }
            place ^= offset_of(unit);
            if (unit >> 8) & 1 == 1 {
                return self.units.get(place).map(|leaf| leaf & 0x7fff_ffff);
            }
        }
        None
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
