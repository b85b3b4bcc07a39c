//! Tokens that stand for themselves wherever their text appears, before a text is cut into pieces.

use aho_corasick::{AhoCorasick, MatchKind};

use super::character_set::CharacterSet;

/// A token added to a vocabulary.
#[derive(Debug, Clone, Default)]
pub struct AddedToken {
    /// Its text.
    pub content: String,
    /// Its number.
    pub id: u32,
    /// Whether it counts only where no letter or digit touches it.
    pub is_single_word: bool,
    /// Whether it takes the white space in front of it.
    pub takes_left: bool,
    /// Whether it takes the white space behind it.
    pub takes_right: bool,
    /// Whether it is looked for in the normalized text.
    pub is_normalized: bool,
    /// Whether its own text is looked for there as it is, instead of normalized too.
    pub is_literal: bool,
    /// Whether it is markup and no text: left out of decoded text on request.
    pub is_special: bool,
}

/// A search for some added tokens.
#[derive(Debug, Clone)]
pub struct AddedSearch {
    search: AhoCorasick,
    tokens: Vec<AddedToken>,
    word: CharacterSet,
}

/// A part of a text: its range, and the number of the added token that it is.
pub type AddedPart = (std::ops::Range<usize>, Option<u32>);

impl AddedSearch {
    /// A search for these tokens by these texts; `None` if there are none.
    ///
    /// # Errors
    /// That there are too many.
    pub fn new(tokens: Vec<(AddedToken, String)>) -> Result<Option<AddedSearch>, String> {
        let tokens: Vec<_> = tokens.into_iter().filter(|(_, text)| !text.is_empty()).collect();
        if tokens.is_empty() {
            return Ok(None);
        }
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(tokens.iter().map(|(_, text)| text))
            .map_err(|error| error.to_string())?;
        let word = CharacterSet::of_class(r"\w").ok_or("no class of word characters")?;
        Ok(Some(AddedSearch { search, tokens: tokens.into_iter().map(|(token, _)| token).collect(), word }))
    }

    /// Whether any token may be in the text.
    pub fn may_be_in(&self, text: &str) -> bool {
        self.search.is_match(text)
    }

    /// Calls `part` with the parts of a text in order, without empty ones.
    pub fn parts(&self, text: &str, mut part: impl FnMut(AddedPart)) {
        let mut done = 0;
        for found in self.search.find_iter(text) {
            let token = &self.tokens[found.pattern().as_usize()];
            let (mut start, mut end) = (found.start(), found.end());
            if start < done {
                continue;
            }
            let touches =
                |character: Option<char>| character.is_some_and(|character| self.word.has(character));
            if token.is_single_word
                && (touches(text[..start].chars().next_back()) || touches(text[end..].chars().next()))
            {
                continue;
            }
            if token.takes_left {
                start = text[..start].trim_end().len().max(done);
            }
            if token.takes_right {
                end = text.len() - text[end..].trim_start().len();
            }
            if done < start {
                part((done..start, None));
            }
            part((start..end, Some(token.id)));
            done = end;
        }
        if done < text.len() {
            part((done..text.len(), None));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(token: AddedToken, text: &str) -> Vec<(String, bool)> {
        let content = token.content.clone();
        let search = AddedSearch::new(vec![(token, content)]).unwrap().unwrap();
        let mut parts = Vec::new();
        search.parts(text, |(range, id)| parts.push((text[range].to_owned(), id.is_some())));
        parts
    }

    #[test]
    fn white_space_and_words_around_a_token_are_told() {
        let mask = AddedToken { content: "<m>".into(), ..AddedToken::default() };
        let shown = |parts: Vec<(String, bool)>| {
            parts.iter().map(|(text, is)| format!("{text}{is}")).collect::<Vec<_>>()
        };
        assert_eq!(shown(parts(mask.clone(), "a <m> b")), ["a false", "<m>true", " bfalse"]);
        let left = AddedToken { takes_left: true, ..mask.clone() };
        assert_eq!(shown(parts(left, "a <m> b")), ["afalse", " <m>true", " bfalse"]);
        let right = AddedToken { takes_right: true, ..mask.clone() };
        assert_eq!(shown(parts(right, "a <m> b")), ["a false", "<m> true", "bfalse"]);
        let single = AddedToken { is_single_word: true, ..mask };
        assert_eq!(shown(parts(single, "a<m> <m>")), ["a<m> false", "<m>true"]);
    }
}
