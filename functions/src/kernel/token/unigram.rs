//! Unigram tokens, as SentencePiece has them: of all ways to cut a text into tokens the one with the largest sum of scores.
//!
//! One pass from the left keeps the best way to reach each place; equal sums keep the way that was found first, which is the one whose
//! last token is longest. A character that is no token itself is unknown at a score below all others.

use super::Encoded;
use super::prefix_tree::PrefixTree;

/// How far an unknown character scores below the lowest token.
const UNKNOWN_PENALTY: f64 = 10.0;

/// A vocabulary with scores.
#[derive(Debug, Clone)]
pub struct Unigram {
    tree: PrefixTree,
    scores: Vec<f64>,
    /// The number of each byte's own token, where unknown characters are spelled.
    bytes: Option<Box<[u32; 256]>>,
    unknown: Option<u32>,
    unknown_score: f64,
    /// Whether sums are rounded to four bytes.
    is_single: bool,
}

/// What a vocabulary is made of whose pieces are not all looked for in texts.
#[derive(Debug, Clone)]
pub struct UnigramPieces {
    /// Those that are, with their numbers.
    pub keys: Vec<(Vec<u8>, u32)>,
    /// Scores by number.
    pub scores: Vec<f64>,
    /// The number of each byte, where unknown characters are spelled.
    pub bytes: Option<Box<[u32; 256]>>,
    /// The number of unknown characters.
    pub unknown: Option<u32>,
    /// The score of an unknown character.
    pub unknown_score: f64,
    /// Whether sums of scores are rounded to four bytes, as SentencePiece does.
    pub is_single: bool,
}

/// The best way to reach a place.
#[derive(Debug, Clone, Copy)]
struct Step {
    score: f64,
    start: u32,
    id: u32,
}

const NOWHERE: u32 = u32::MAX;

/// Buffers, reused from text to text.
#[derive(Debug, Clone, Default)]
pub struct UnigramScratch {
    steps: Vec<Step>,
    path: Vec<(u32, u32, u32)>,
}

impl UnigramScratch {
    /// Bytes held, for the budget.
    pub fn memory_bytes(&self) -> usize {
        self.steps.capacity() * size_of::<Step>() + self.path.capacity() * 12
    }
}

impl Unigram {
    /// The vocabulary of these tokens, numbered in order. `unknown` is the number for unknown characters; with `spell_bytes` they
    /// become the tokens `<0x00>` to `<0xFF>` of their bytes, if all of those exist.
    pub fn new(tokens: &[(String, f64)], unknown: Option<u32>, spell_bytes: bool) -> Unigram {
        let keys = tokens.iter().zip(0u32..).map(|((token, _), id)| (token.as_bytes().to_vec(), id));
        let tree = PrefixTree::new(keys);
        let lowest = tokens.iter().map(|(_, score)| *score).fold(f64::INFINITY, f64::min);
        let bytes = if spell_bytes { byte_tokens(&tree) } else { None };
        Unigram {
            tree,
            scores: tokens.iter().map(|(_, score)| *score).collect(),
            bytes,
            unknown,
            unknown_score: lowest - UNKNOWN_PENALTY,
            is_single: false,
        }
    }

    /// The vocabulary of these pieces.
    pub fn from_pieces(pieces: UnigramPieces) -> Unigram {
        let UnigramPieces { keys, scores, bytes, unknown, unknown_score, is_single } = pieces;
        Unigram { tree: PrefixTree::new(keys), scores, bytes, unknown, unknown_score, is_single }
    }

    /// The score of a way with one more token.
    #[inline(always)]
    fn sum(&self, score: f64, here: f64) -> f64 {
        if self.is_single { f64::from((score + here) as f32) } else { score + here }
    }

    /// Appends the tokens of a text; false if a character is unknown and there is no number for that.
    ///
    /// # Panics
    /// If the text has 2^32 - 1 bytes or more.
    pub fn encode(&self, text: &str, scratch: &mut UnigramScratch, encoded: &mut Encoded) -> bool {
        assert!(text.len() < NOWHERE as usize, "a text has fewer than 2^32 bytes");
        let bytes = text.as_bytes();
        let UnigramScratch { steps, path } = scratch;
        steps.clear();
        steps.resize(bytes.len() + 1, Step { score: 0.0, start: NOWHERE, id: 0 });
        let mut start = 0;
        while start < bytes.len() {
            let here = steps[start].score;
            let character = character_bytes(bytes[start]);
            let mut is_known = false;
            self.tree.prefixes(&bytes[start..], |length, id| {
                let score = self.sum(self.scores[id as usize], here);
                reach(&mut steps[start + length], score, start, id);
                is_known |= length == character;
            });
            if !is_known {
                let end = (start + character).min(bytes.len());
                reach(&mut steps[end], self.sum(self.unknown_score, here), start, NOWHERE);
            }
            start += character;
        }
        path.clear();
        let mut end = bytes.len();
        while end > 0 {
            let Step { start, id, .. } = steps[end];
            // Unknown characters side by side become one.
            match path.last_mut() {
                Some((last, _, NOWHERE)) if id == NOWHERE => *last = start,
                _ => path.push((start, end as u32, id)),
            }
            end = start as usize;
        }
        path.iter().rev().all(|&(start, end, id)| match id {
            NOWHERE => self.spell(bytes, start as usize, end as usize, encoded),
            id => {
                encoded.push(id, start as usize, end as usize);
                true
            }
        })
    }

    /// Appends what stands for unknown characters.
    fn spell(&self, bytes: &[u8], start: usize, end: usize, encoded: &mut Encoded) -> bool {
        match (&self.bytes, self.unknown) {
            (Some(tokens), _) => {
                bytes[start..end]
                    .iter()
                    .for_each(|&byte| encoded.push(tokens[usize::from(byte)], start, end));
                true
            }
            (None, Some(unknown)) => {
                encoded.push(unknown, start, end);
                true
            }
            (None, None) => false,
        }
    }

    /// Bytes held, for the budget.
    pub fn memory_bytes(&self) -> usize {
        self.tree.memory_bytes() + self.scores.capacity() * 8
    }
}

#[inline(always)]
fn reach(step: &mut Step, score: f64, start: usize, id: u32) {
    if step.start == NOWHERE || score > step.score {
        *step = Step { score, start: start as u32, id };
    }
}

/// Bytes of the character that starts with this byte.
#[inline(always)]
fn character_bytes(first: u8) -> usize {
    match first {
        0..0xc0 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    }
}

fn byte_tokens(tree: &PrefixTree) -> Option<Box<[u32; 256]>> {
    let mut tokens = Box::new([0; 256]);
    for (byte, token) in tokens.iter_mut().enumerate() {
        let name = format!("<0x{byte:02X}>");
        *token = tree.longest(name.as_bytes()).filter(|(length, _)| *length == name.len())?.1;
    }
    Some(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(tokens: &[(&str, f64)], unknown: Option<u32>) -> Unigram {
        let tokens: Vec<_> = tokens.iter().map(|(token, score)| ((*token).to_owned(), *score)).collect();
        Unigram::new(&tokens, unknown, true)
    }

    fn ids(model: &Unigram, text: &str) -> Vec<u32> {
        let mut encoded = Encoded { is_tracked: true, ..Encoded::default() };
        assert!(model.encode(text, &mut UnigramScratch::default(), &mut encoded));
        assert!(encoded.starts.len() == encoded.ids.len() && encoded.ends.len() == encoded.ids.len());
        encoded.ids
    }

    #[test]
    fn the_best_sum_of_scores_wins() {
        let model = model(
            &[
                ("<unk>", 0.0),
                ("a", 0.0),
                ("b", 0.0),
                ("c", 0.0),
                ("d", 0.0),
                ("ab", 1.0),
                ("cd", 2.0),
                ("abc", 5.0),
                ("abcd", 10.0),
            ],
            Some(0),
        );
        assert_eq!(ids(&model, "abcd"), [8]);
        assert_eq!(ids(&model, "abcabcd"), [7, 8]);
        assert_eq!(ids(&model, "abacd"), [5, 1, 6]);
        assert_eq!(ids(&model, ""), [0u32; 0]);
    }

    #[test]
    fn unknown_characters_side_by_side_are_one() {
        let model = model(&[("<unk>", 0.0), ("ab", -1.0)], Some(0));
        assert_eq!(ids(&model, "xyab\u{e9}z"), [0, 1, 0]);
        assert!(!Unigram::new(&[("a".into(), 0.0)], None, false).encode(
            "b",
            &mut UnigramScratch::default(),
            &mut Encoded::default()
        ));
    }

    #[test]
    fn unknown_characters_are_spelled_where_bytes_are_tokens() {
        let mut tokens: Vec<(String, f64)> = (0..256).map(|byte| (format!("<0x{byte:02X}>"), -5.0)).collect();
        tokens.push(("a".into(), -1.0));
        let model = Unigram::new(&tokens, None, true);
        assert_eq!(ids(&model, "a\u{e9}a"), [256, 0xc3, 0xa9, 256]);
    }
}
