//! A compiled LIKE pattern.
//!
//! A pattern is cut at its `%` into segments. Without `_` the common shapes need one comparison or one
//! search; in general the first segment is held to the start, the last to the end, and each other is
//! found leftmost after the previous one, which is enough because segments do not overlap.

use super::super::search::Needle;
use crate::error::{Error, Result};

/// A compiled pattern.
#[derive(Debug, Clone)]
pub enum LikePattern {
    /// The text itself.
    Exact(String),
    /// Starts with the first text and ends with the second, which do not overlap.
    Ends(String, String),
    /// Contains the text.
    Contains(Needle),
    /// Everything else.
    Segments(Vec<Segment>),
}

/// What stands between two `%`.
#[derive(Debug, Clone)]
pub enum Segment {
    /// A text without wildcards; prepared for search.
    Plain(Needle),
    /// Characters, where `None` is any one.
    Wild(Vec<Option<char>>),
}

impl LikePattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// [`Error::User`] if it ends with the escape character.
    pub fn new(pattern: &str, escape: Option<char>) -> Result<Self> {
        let mut segments = vec![Vec::new()];
        let mut characters = pattern.chars();
        while let Some(c) = characters.next() {
            let piece = if Some(c) == escape {
                let Some(escaped) = characters.next() else {
                    return Err(Error::user(format!(
                        "like: pattern '{pattern}' ends with its escape character"
                    )));
                };
                Some(escaped)
            } else if c == '%' {
                segments.push(Vec::new());
                continue;
            } else if c == '_' {
                None
            } else {
                Some(c)
            };
            if let Some(last) = segments.last_mut() {
                last.push(piece);
            }
        }
        Ok(Self::of_segments(segments))
    }

    fn of_segments(mut segments: Vec<Vec<Option<char>>>) -> Self {
        let last = segments.len() - 1;
        // Empty segments between two `%` match everywhere.
        let mut position = 0;
        segments.retain(|segment| {
            position += 1;
            position == 1 || position == last + 1 || !segment.is_empty()
        });
        let plain: Option<Vec<String>> =
            segments.iter().map(|segment| segment.iter().copied().collect::<Option<String>>()).collect();
        match plain.as_deref() {
            Some([whole]) => Self::Exact(whole.clone()),
            Some([first, last]) => Self::Ends(first.clone(), last.clone()),
            Some([first, middle, last]) if first.is_empty() && last.is_empty() => {
                Self::Contains(Needle::new(middle))
            }
            _ => Self::Segments(segments.into_iter().map(Segment::new).collect()),
        }
    }

    /// True if the whole text matches.
    #[inline]
    pub fn matches(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        match self {
            Self::Exact(whole) => bytes == whole.as_bytes(),
            Self::Ends(first, last) => {
                bytes.len() >= first.len() + last.len()
                    && (first.is_empty() || bytes.starts_with(first.as_bytes()))
                    && (last.is_empty() || bytes.ends_with(last.as_bytes()))
            }
            Self::Contains(needle) => needle.is_in(bytes),
            Self::Segments(segments) => match_segments(segments, text),
        }
    }
}

fn match_segments(segments: &[Segment], text: &str) -> bool {
    let Some((first, others)) = segments.split_first() else { return text.is_empty() };
    let Some(mut rest) = first.strip_from(text) else { return false };
    let Some((last, middle)) = others.split_last() else { return rest.is_empty() };
    for segment in middle {
        match segment.find_in(rest) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    last.ends(rest)
}

impl Segment {
    fn new(pieces: Vec<Option<char>>) -> Self {
        match pieces.iter().copied().collect::<Option<String>>() {
            Some(plain) => Self::Plain(Needle::new(&plain)),
            None => Self::Wild(pieces),
        }
    }

    /// The text after this segment, where the text begins with it.
    fn strip_from<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Self::Plain(needle) => {
                let wanted = needle.as_bytes();
                // The usual `%` at the start: comparing no bytes at no address costs more than it seems.
                if wanted.is_empty() {
                    return Some(text);
                }
                text.as_bytes().starts_with(wanted).then(|| &text[wanted.len()..])
            }
            Self::Wild(pieces) => {
                let mut characters = text.chars();
                let fits = pieces.iter().all(|piece| match (piece, characters.next()) {
                    (Some(wanted), Some(c)) => *wanted == c,
                    (None, Some(_)) => true,
                    (_, None) => false,
                });
                fits.then_some(characters.as_str())
            }
        }
    }

    /// The text after the leftmost occurrence.
    fn find_in<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Self::Plain(needle) => {
                needle.find(text.as_bytes()).map(|at| &text[at + needle.as_bytes().len()..])
            }
            Self::Wild(_) => text.char_indices().find_map(|(at, _)| self.strip_from(&text[at..])),
        }
    }

    /// True if the text ends with this segment.
    fn ends(&self, text: &str) -> bool {
        match self {
            Self::Plain(needle) => {
                needle.as_bytes().is_empty() || text.as_bytes().ends_with(needle.as_bytes())
            }
            Self::Wild(pieces) => {
                let mut characters = text.chars().rev();
                pieces.iter().rev().all(|piece| match (piece, characters.next()) {
                    (Some(wanted), Some(c)) => *wanted == c,
                    (None, Some(_)) => true,
                    (_, None) => false,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition: `%` takes any number of characters, `_` one.
    fn defined(text: &[char], pattern: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', rest)) => (0..=text.len()).any(|skipped| defined(&text[skipped..], rest)),
            Some(('_', rest)) => !text.is_empty() && defined(&text[1..], rest),
            Some((c, rest)) => text.first() == Some(c) && defined(&text[1..], rest),
        }
    }

    #[test]
    fn every_short_pattern_matches_as_defined() {
        let words = |letters: &[char], longest: usize| {
            let mut words = vec![Vec::new()];
            let mut last = words.clone();
            for _ in 0..longest {
                last = last
                    .iter()
                    .flat_map(|word: &Vec<char>| letters.iter().map(|c| [word.as_slice(), &[*c]].concat()))
                    .collect();
                words.extend(last.clone());
            }
            words
        };
        for pattern in words(&['a', 'é', '%', '_'], 5) {
            let source: String = pattern.iter().collect();
            let compiled = LikePattern::new(&source, None).expect("no escape character");
            for text in words(&['a', 'é', 'b'], 4) {
                let whole: String = text.iter().collect();
                assert_eq!(compiled.matches(&whole), defined(&text, &pattern), "{whole:?} LIKE {source:?}");
            }
        }
    }
}
