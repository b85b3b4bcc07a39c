//! Whole words: a word is a token, or unknown.

use ahash::RandomState;
use hashbrown::HashMap;

use super::Encoded;

/// A vocabulary of words.
#[derive(Debug, Clone)]
pub struct WordLevel {
    ids: HashMap<Box<str>, u32, RandomState>,
    unknown: Option<u32>,
}

impl WordLevel {
    /// The vocabulary of these words; others have the number `unknown`.
    pub fn new<'a>(words: impl Iterator<Item = (&'a str, u32)>, unknown: Option<u32>) -> WordLevel {
        WordLevel { ids: words.map(|(word, id)| (Box::from(word), id)).collect(), unknown }
    }

    /// Appends the token of a word; false if it is unknown and there is no number for that.
    pub fn encode(&self, word: &str, encoded: &mut Encoded) -> bool {
        match self.ids.get(word).copied().or(self.unknown) {
            Some(id) => {
                encoded.push(id, 0, word.len());
                true
            }
            None => false,
        }
    }

    /// Bytes held, for the budget.
    pub fn memory_bytes(&self) -> usize {
        let entry = size_of::<(Box<str>, u32)>();
        self.ids.capacity() * entry + self.ids.keys().map(|word| word.len()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_token_or_unknown() {
        let words = || [("a", 3), ("b c", 4)].into_iter();
        let mut encoded = Encoded { is_tracked: true, ..Encoded::default() };
        let model = WordLevel::new(words(), Some(9));
        assert!(["a", "x", "b c"].iter().all(|word| model.encode(word, &mut encoded)));
        assert_eq!((encoded.ids, encoded.ends), (vec![3, 9, 4], vec![1, 1, 3]));
        let mut none = Encoded::default();
        assert!(!WordLevel::new(words(), None).encode("x", &mut none));
        assert_eq!(none.ids, [0u32; 0]);
    }
}
