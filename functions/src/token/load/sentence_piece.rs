//! Tokenizers from the `.model` files of SentencePiece: unigram and byte-pair models.
//!
//! Text is mapped by the longest keys of the file's character map, white space is joined and stripped, a space is put in front and all
//! spaces become marks, as the file says; the model then runs over the whole text. Token numbers are those of SentencePiece.

use super::model::{keep_names, separable_mark};
use super::protocol_buffer::{FieldValue, fields};
use crate::kernel::token::pair_merge::{PairMerge, PairMergeError, PairOptions};
use crate::kernel::token::unigram::{Unigram, UnigramPieces};
use crate::token::added::AddedToken;
use crate::token::decoder::Decoder;
use crate::token::normalizer::Normalizer;
use crate::token::pattern::Pattern;
use crate::token::precompiled::Precompiled;
use crate::token::tokenizer::{Model, Parts, Tokenizer};

/// What stands for a space.
const MARK: &str = "\u{2581}";

/// How an unknown token reads when it is decoded.
const UNKNOWN_SURFACE: &str = " \u{2047} ";

/// How far an unknown character scores below the lowest piece.
const UNKNOWN_PENALTY: f32 = 10.0;

/// What a piece is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

#[derive(Debug)]
struct Piece {
    text: String,
    score: f32,
    purpose: Purpose,
}

/// What the file says; what it leaves out is as SentencePiece has it.
#[derive(Debug)]
struct File {
    pieces: Vec<Piece>,
    is_pairs: bool,
    spells_bytes: bool,
    has_suffix: bool,
    map: Vec<u8>,
    adds_prefix: bool,
    joins_spaces: bool,
    marks_spaces: bool,
    padding: Option<u32>,
}

/// The tokenizer of a `.model` file.
///
/// # Errors
/// What is wrong with the file, or not supported.
pub fn tokenizer(bytes: &[u8], identity: u64) -> Result<Tokenizer, String> {
    let file = File::parse(bytes)?;
    if file.has_suffix {
        return Err("spaces are marked behind words, which is not supported; expected marks in front".into());
    }
    let mut parts = Parts { reads_added: true, identity, ..Parts::default() };
    parts.normalizers = file.normalizers()?;
    parts.decoders = Some(file.decoders());
    parts.padding = file.padding;
    let names = file.pieces.iter().map(|piece| match piece.purpose {
        Purpose::Unknown => UNKNOWN_SURFACE,
        Purpose::Control => "",
        _ => piece.text.as_str(),
    });
    keep_names(names.zip(0u32..), &mut parts)?;
    let model = if file.is_pairs {
        // These are cut out before anything is merged; the other model has scores for them.
        parts.added = file.user_defined();
        file.pairs()?
    } else {
        Model::Unigram(file.unigram()?)
    };
    Tokenizer::new(model, parts)
}

impl File {
    fn parse(bytes: &[u8]) -> Result<File, String> {
        let mut file = File {
            pieces: Vec::new(),
            is_pairs: false,
            spells_bytes: false,
            has_suffix: false,
            map: Vec::new(),
            adds_prefix: true,
            joins_spaces: true,
            marks_spaces: true,
            padding: None,
        };
        for field in fields(bytes) {
            match field? {
                (1, FieldValue::Bytes(piece)) => file.pieces.push(Piece::parse(piece)?),
                (2, FieldValue::Bytes(trainer)) => file.parse_trainer(trainer)?,
                (3, FieldValue::Bytes(normalizer)) => file.parse_normalizer(normalizer)?,
                _ => {}
            }
        }
        if !file.pieces.iter().any(|piece| piece.purpose == Purpose::Unknown) {
            return Err("is no SentencePiece model: it has no piece for unknown characters".into());
        }
        Ok(file)
    }

    fn parse_trainer(&mut self, message: &[u8]) -> Result<(), String> {
        for field in fields(message) {
            match field? {
                (3, FieldValue::Number(1)) => self.is_pairs = false,
                (3, FieldValue::Number(2)) => self.is_pairs = true,
                (3, FieldValue::Number(_)) => {
                    return Err("its model is of words or characters; expected unigram or byte-pair".into());
                }
                (24, FieldValue::Number(number)) => self.has_suffix = number != 0,
                (35, FieldValue::Number(number)) => self.spells_bytes = number != 0,
                // Negative numbers mean that there is none.
                (43, FieldValue::Number(number)) => self.padding = u32::try_from(number).ok(),
                _ => {}
            }
        }
        Ok(())
    }

    fn parse_normalizer(&mut self, message: &[u8]) -> Result<(), String> {
        for field in fields(message) {
            match field? {
                (2, FieldValue::Bytes(map)) => self.map = map.to_vec(),
                (3, FieldValue::Number(number)) => self.adds_prefix = number != 0,
                (4, FieldValue::Number(number)) => self.joins_spaces = number != 0,
                (5, FieldValue::Number(number)) => self.marks_spaces = number != 0,
                _ => {}
            }
        }
        Ok(())
    }

    fn normalizers(&self) -> Result<Vec<Normalizer>, String> {
        let mut normalizers = Vec::new();
        if !self.map.is_empty() {
            let map = Precompiled::of_bytes(&self.map).ok_or("the character map is damaged")?;
            normalizers.push(Normalizer::LongestPrecompiled(map));
        }
        let space = if self.marks_spaces { MARK } else { " " };
        if self.joins_spaces {
            normalizers.push(Normalizer::JoinSpaces);
        }
        if self.adds_prefix {
            normalizers.push(Normalizer::Prepend(" ".into()));
        }
        if self.marks_spaces {
            let pattern = Pattern::Text(" ".into());
            normalizers.push(Normalizer::Replace { pattern, content: MARK.into() });
        }
        if self.joins_spaces {
            normalizers.push(Normalizer::StripEnd(space.into()));
        }
        Ok(normalizers)
    }

    fn decoders(&self) -> Vec<Decoder> {
        let mut decoders = Vec::new();
        if self.marks_spaces {
            let pattern = Pattern::Text(MARK.into());
            decoders.push(Decoder::Replace { pattern, content: " ".into() });
        }
        decoders.extend([Decoder::SpellBytes, Decoder::Fuse]);
        if self.adds_prefix {
            decoders.push(Decoder::Strip { character: ' ', start: 1, end: 0 });
        }
        decoders
    }

    fn pieces_of(&self, purposes: [Purpose; 2]) -> impl Iterator<Item = (&Piece, u32)> + Clone {
        self.pieces.iter().zip(0u32..).filter(move |(piece, _)| purposes.contains(&piece.purpose))
    }

    fn unknown(&self) -> Option<u32> {
        self.pieces_of([Purpose::Unknown; 2]).next().map(|(_, id)| id)
    }

    /// The piece of each byte, where unknown characters are spelled.
    fn byte_pieces(&self) -> Result<Option<Box<[u32; 256]>>, String> {
        if !self.spells_bytes {
            return Ok(None);
        }
        let mut bytes = Box::new([0; 256]);
        for (byte, id) in bytes.iter_mut().enumerate() {
            let name = format!("<0x{byte:02X}>");
            let found = self.pieces_of([Purpose::Byte; 2]).find(|(piece, _)| piece.text == name);
            *id = found.ok_or_else(|| format!("there is no piece {name} to spell bytes with"))?.1;
        }
        Ok(Some(bytes))
    }

    fn user_defined(&self) -> Vec<AddedToken> {
        let token = |(piece, id): (&Piece, u32)| AddedToken {
            content: piece.text.clone(),
            id,
            is_normalized: true,
            is_literal: true,
            ..AddedToken::default()
        };
        self.pieces_of([Purpose::UserDefined; 2]).map(token).collect()
    }

    fn unigram(&self) -> Result<Unigram, String> {
        let normal = || self.pieces_of([Purpose::Normal; 2]).map(|(piece, _)| piece.score);
        let (lowest, highest) = (normal().fold(f32::INFINITY, f32::min), normal().fold(f32::MIN, f32::max));
        let mut scores: Vec<f64> = self.pieces.iter().map(|piece| f64::from(piece.score)).collect();
        for (piece, id) in self.pieces_of([Purpose::UserDefined; 2]) {
            // Of a length in characters' bytes, as SentencePiece reckons.
            scores[id as usize] = f64::from(piece.text.len() as f32 * highest) - 0.1;
        }
        let keys = self.pieces_of([Purpose::Normal, Purpose::UserDefined]);
        Ok(Unigram::from_pieces(UnigramPieces {
            keys: keys.map(|(piece, id)| (piece.text.as_bytes().to_vec(), id)).collect(),
            scores,
            bytes: self.byte_pieces()?,
            unknown: self.unknown(),
            unknown_score: f64::from(lowest - UNKNOWN_PENALTY),
            is_single: true,
        }))
    }

    /// Pairs are merged in the order of the scores of what they make, however that is cut in two.
    fn pairs(&self) -> Result<Model, String> {
        let pieces = || self.pieces_of([Purpose::Normal, Purpose::UserDefined]);
        let mut in_order: Vec<(&Piece, u32)> = self.pieces_of([Purpose::Normal; 2]).collect();
        in_order.sort_by(|(left, _), (right, _)| right.score.total_cmp(&left.score));
        let known: std::collections::HashSet<&str> = pieces().map(|(piece, _)| piece.text.as_str()).collect();
        let (mut merges, mut ranks) = (Vec::new(), Vec::new());
        let (mut rank, mut score) = (0u32, None);
        for (piece, _) in &in_order {
            rank += u32::from(score.is_some_and(|score| score != piece.score));
            score = Some(piece.score);
            for (place, _) in piece.text.char_indices().skip(1) {
                let (left, right) = piece.text.split_at(place);
                if known.contains(left) && known.contains(right) {
                    merges.push((left, right));
                    ranks.push(rank);
                }
            }
        }
        let options = PairOptions {
            unknown: self.unknown(),
            fuse_unknown: true,
            spell_bytes: self.spells_bytes,
            ..PairOptions::default()
        };
        let bytes = if self.spells_bytes { Purpose::Byte } else { Purpose::Normal };
        let spelled = self.pieces_of([bytes; 2]).filter(|_| self.spells_bytes);
        let tokens = pieces().chain(spelled).map(|(piece, id)| (piece.text.as_str(), id));
        let mark = separable_mark(&merges);
        let ranked = merges.iter().copied().zip(ranks);
        let merges = PairMerge::with_ranks(tokens, ranked, options)
            .map_err(|PairMergeError::UnknownToken(token)| format!("there is no piece \"{token}\""))?;
        Ok(Model::Pairs { merges, maps_bytes: false, mark })
    }
}

impl Piece {
    fn parse(message: &[u8]) -> Result<Piece, String> {
        let mut piece = Piece { text: String::new(), score: 0.0, purpose: Purpose::Normal };
        for field in fields(message) {
            match field? {
                (1, FieldValue::Bytes(text)) => {
                    piece.text = String::from_utf8(text.to_vec()).map_err(|_| "a piece is no text")?;
                }
                (2, FieldValue::Float(score)) => piece.score = score,
                (3, FieldValue::Number(purpose)) => {
                    piece.purpose = match purpose {
                        1 => Purpose::Normal,
                        2 => Purpose::Unknown,
                        3 => Purpose::Control,
                        4 => Purpose::UserDefined,
                        5 => Purpose::Unused,
                        6 => Purpose::Byte,
                        other => return Err(format!("a piece is of the unknown kind {other}")),
                    }
                }
                _ => {}
            }
        }
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_and_unsupported_files_are_refused() {
        let refused = |bytes: &[u8]| tokenizer(bytes, 0).unwrap_err();
        assert!(refused(b"").contains("no SentencePiece model"));
        assert!(refused(b"\x0a\xff").contains("damaged"));
        let unknown = b"\x0a\x05\x0a\x01?\x18\x02";
        let words = [&unknown[..], b"\x12\x02\x18\x03"].concat();
        assert!(refused(&words).contains("expected unigram or byte-pair"));
        let behind = [&unknown[..], b"\x12\x03\xc0\x01\x01"].concat();
        assert!(refused(&behind).contains("expected marks in front"));
        let spelled = [&unknown[..], b"\x12\x03\x98\x02\x01"].concat();
        assert!(refused(&spelled).contains("<0x00>"));
    }
}
