//! WordPiece: a word is cut into the longest tokens from the left.
//!
//! A token inside a word is written with a prefix (`##`) in the vocabulary, so there are two trees: of tokens that start words, and
//! of the others without their prefix. A word of which some part is no token is unknown as a whole.

use super::Encoded;
use super::prefix_tree::PrefixTree;

/// A vocabulary of word pieces.
#[derive(Debug, Clone)]
pub struct WordPiece {
    starts: PrefixTree,
    rests: PrefixTree,
    unknown: u32,
    /// Words of more characters are unknown.
    characters_max: usize,
}

impl WordPiece {
    /// The vocabulary of these tokens; those with `prefix` continue words. Without a prefix, all do.
    pub fn new<'a>(
        tokens: impl Iterator<Item = (&'a str, u32)> + Clone,
        prefix: &str,
        unknown: u32,
        characters_max: usize,
    ) -> WordPiece {
        let rests = tokens
            .clone()
            .filter_map(|(token, id)| Some((token.strip_prefix(prefix)?.as_bytes().to_vec(), id)));
        let rests = PrefixTree::new(rests);
        let starts = PrefixTree::new(tokens.map(|(token, id)| (token.as_bytes().to_vec(), id)));
        WordPiece { starts, rests, unknown, characters_max }
    }

    /// Appends the tokens of a word.
    pub fn encode(&self, word: &str, encoded: &mut Encoded) {
        let bytes = word.as_bytes();
        if bytes.is_empty() {
            return;
        }
        let is_long = bytes.len() > self.characters_max && word.chars().count() > self.characters_max;
        let held = encoded.ids.len();
        let mut at = 0;
        while at < bytes.len() && !is_long {
            let tree = if at == 0 { &self.starts } else { &self.rests };
            let Some((length, id)) = tree.longest(&bytes[at..]) else { break };
            encoded.push(id, at, at + length);
            at += length;
        }
        if at < bytes.len() {
            encoded.ids.truncate(held);
            encoded.starts.truncate(held);
            encoded.ends.truncate(held);
            encoded.push(self.unknown, 0, bytes.len());
        }
    }

    /// Bytes held, for the budget.
    pub fn memory_bytes(&self) -> usize {
        self.starts.memory_bytes() + self.rests.memory_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(word: &str) -> Vec<u32> {
        let tokens = ["[UNK]", "un", "##aff", "##able", "unaff", "a", "##a", "é"];
        let tokens = tokens.iter().zip(0u32..).map(|(token, id)| (*token, id));
        let mut encoded = Encoded::default();
        WordPiece::new(tokens, "##", 0, 10).encode(word, &mut encoded);
        encoded.ids
    }

    #[test]
    fn the_longest_token_is_taken_first() {
        assert_eq!(ids("unaffable"), [4, 3]);
        assert_eq!(ids("unaable"), [1, 6, 3]);
        assert_eq!(ids(""), [0u32; 0]);
    }

    #[test]
    fn a_word_with_an_unknown_part_or_too_many_characters_is_unknown() {
        assert_eq!(ids("unaffx"), [0]);
        assert_eq!(ids("aaaaaaaaaa"), [5, 6, 6, 6, 6, 6, 6, 6, 6, 6]);
        assert_eq!(ids("aaaaaaaaaaa"), [0]);
        assert_eq!(ids("éaaaaaaaaa"), [7, 6, 6, 6, 6, 6, 6, 6, 6, 6]);
    }
}
