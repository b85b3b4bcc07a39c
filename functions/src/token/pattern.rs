//! What texts are cut or replaced by: a fixed text, a regular expression, or one of the published patterns.

use fancy_regex::Regex;

use crate::kernel::pretokenize::Pretokenizer;

/// Steps that one search may take back before it is given up; texts are cut in linear time by every published pattern.
const BACKTRACKS_MAX: usize = 1 << 30;

/// A pattern.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// This text.
    Text(String),
    /// One of the published patterns, which take every character into a piece.
    Published(Pretokenizer),
    /// Any other.
    Regex(Box<Regex>),
}

impl Pattern {
    /// A regular expression, recognised where it is a published one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn regex(text: &str) -> Result<Pattern, String> {
        if let Some((_, published)) = PUBLISHED.iter().find(|(pattern, _)| *pattern == text) {
            return Ok(Pattern::Published(*published));
        }
        let regex = fancy_regex::RegexBuilder::new(text).backtrack_limit(BACKTRACKS_MAX).build();
        regex.map(|regex| Pattern::Regex(Box::new(regex))).map_err(|error| error.to_string())
    }

    /// Calls `found` with the start and end of each match from the left. A search that is given up ends the matches.
    pub fn matches(&self, text: &str, mut found: impl FnMut(usize, usize)) {
        match self {
            Self::Text(pattern) if pattern.is_empty() => {}
            Self::Text(pattern) => {
                let finder = memchr::memmem::Finder::new(pattern);
                finder.find_iter(text.as_bytes()).for_each(|start| found(start, start + pattern.len()));
            }
            Self::Published(pretokenizer) => {
                pretokenizer.pieces(text).for_each(|piece| found(piece.start, piece.end));
            }
            Self::Regex(regex) => {
                for place in regex.find_iter(text).map_while(Result::ok) {
                    found(place.start(), place.end());
                }
            }
        }
    }
}

/// Published patterns as `tokenizer.json` files write them.
const PUBLISHED: [(&str, Pretokenizer); 7] = [
    (r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", Pretokenizer::R50k),
    (r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", Pretokenizer::R50k),
    (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
        Pretokenizer::Llama3,
    ),
    (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        Pretokenizer::Llama3,
    ),
    (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        Pretokenizer::Qwen2,
    ),
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        Pretokenizer::O200k,
    ),
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s",
        Pretokenizer::O200k,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The scans of published patterns cut as the patterns do, run by an engine for regular expressions.
    #[test]
    fn published_patterns_are_recognised_and_cut_alike() {
        let texts = [
            "It's the 12345th, ISN'T it?\n\n  \tok \r\n x",
            "naïve café ＡＢＣ 日本語　テキスト ١٢٣ \u{301}a  \n \n",
            "Hello_world foo'LL --->>  //\r\n\r\nend   ",
        ];
        for (written, _) in PUBLISHED {
            let scan = Pattern::regex(written).unwrap();
            assert!(matches!(scan, Pattern::Published(_)));
            let plain = Pattern::Regex(Box::new(Regex::new(written).unwrap()));
            for text in texts {
                let (mut ours, mut theirs) = (Vec::new(), Vec::new());
                scan.matches(text, |start, end| ours.push(&text[start..end]));
                plain.matches(text, |start, end| theirs.push(&text[start..end]));
                assert_eq!(ours, theirs, "{written}");
            }
        }
    }
}
