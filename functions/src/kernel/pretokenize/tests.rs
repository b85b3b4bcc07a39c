//! The scan equals the regular expressions, on every short text of telling characters, random text and real text.

use super::*;

/// Characters of every class and every literal of the patterns, in one and several bytes.
const TELLING: [&str; 26] = [
    "a", "B", "s", "S", "l", "e", "v", "T", "\u{17f}", "é", "É", "ǅ", "中", "ʰ", "\u{301}", "1", "½", "٣",
    " ", "\n", "\r", "\u{a0}", "'", "/", ".", "𝒳",
];

const ALL: [Pretokenizer; 5] = [
    Pretokenizer::R50k,
    Pretokenizer::Cl100k,
    Pretokenizer::Llama3,
    Pretokenizer::Qwen2,
    Pretokenizer::O200k,
];

fn pieces(pretokenizer: Pretokenizer, text: &str) -> Vec<&str> {
    pretokenizer.pieces(text).map(|range| &text[range]).collect()
}

/// Pieces as windows find them.
struct Found<'text>(&'text str, Vec<&'text str>);

impl PieceSink for Found<'_> {
    fn piece(&mut self, block: &[u8; BLOCK_AND_BEYOND], start: usize, length: usize, position: usize) {
        self.long_piece(position, length);
        assert_eq!(&block[start..start + length], &self.0.as_bytes()[position..position + length]);
    }

    fn long_piece(&mut self, position: usize, length: usize) {
        self.1.push(&self.0[position..position + length]);
    }

    fn end_window(&mut self) {}
}

fn assert_windows_agree(pretokenizer: Pretokenizer, text: &str) {
    let expected = pieces(pretokenizer, text);
    for level in Level::available() {
        let mut found = Found(text, Vec::new());
        pretokenizer.scan_at(level, text, &mut found);
        assert_eq!(found.1, expected, "{pretokenizer:?}, {level}: {text:?}");
    }
    assert_eq!(pretokenizer.count(text), expected.len());
}

/// Windows find the pieces that the scan of characters finds, for every pair of telling characters at every place of a window and
/// for random texts of runs.
#[test]
fn windows_find_the_pieces_of_the_scan() {
    for pretokenizer in ALL {
        for first in TELLING {
            for second in TELLING {
                for before in [0, 1, 30, 59, 60, 61, 62, 63, 64] {
                    for behind in ["", "b", " ", "\n", "  \n x"] {
                        let text = ["w".repeat(before).as_str(), first, second, behind].concat();
                        assert_windows_agree(pretokenizer, &text);
                    }
                }
            }
        }
        for text in random_texts(if cfg!(debug_assertions) { 20_000 } else { 300_000 }) {
            assert_windows_agree(pretokenizer, &text);
        }
        for text in texts_of_runs(if cfg!(debug_assertions) { 20_000 } else { 300_000 }) {
            assert_windows_agree(pretokenizer, &text);
        }
    }
}

/// Texts of runs of characters of one class, as words, numbers, indentation and rules are.
fn texts_of_runs(count: u64) -> impl Iterator<Item = String> {
    const UNITS: [&str; 24] = [
        "word", "Words", "UPPER", "x", "'s", "'ll", "'Re", "don't", " ", "  ", "\n", "\r\n", "\t", ".", ",",
        "--", "//", "1", "1234", "é", "’", "“", "中文", "\u{a0}",
    ];
    (0..count).map(|seed| {
        let mut state = (seed + 77).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = |limit: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 20) % limit
        };
        let units = 1 + next(UNITS.len() as u64);
        let length = next(60);
        (0..length)
            .map(|_| UNITS[next(units) as usize].repeat(1 + (next(8) / 7 * next(5)) as usize))
            .collect()
    })
}

/// A reference for each pattern: what the `tiktoken-rs` crate splits text into, found through tokens of a vocabulary
/// in which every token's bytes are known. Tokens never cross pieces, so the ends of pieces are among the ends of tokens.
fn ends_of_tokens(encoding: &tiktoken_rs::CoreBPE, text: &str) -> Vec<usize> {
    let mut position = 0;
    let tokens = encoding.encode_ordinary(text);
    let end = |token: &u32| {
        position += encoding.decode_bytes(&[*token]).map_or(0, |bytes| bytes.len());
        position
    };
    tokens.iter().map(end).collect()
}

fn random_texts(count: u64) -> impl Iterator<Item = String> {
    (0..count).map(|seed| {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = |limit: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 20) % limit
        };
        let length = next(40);
        (0..length).map(|_| TELLING[next(TELLING.len() as u64) as usize]).collect()
    })
}

#[test]
fn every_character_belongs_to_exactly_one_piece() {
    for text in random_texts(2000) {
        for pretokenizer in ALL {
            assert_eq!(pieces(pretokenizer, &text).concat(), text);
            assert!(pieces(pretokenizer, &text).iter().all(|piece| !piece.is_empty()));
        }
    }
}

#[test]
fn known_splits() {
    let cl100k = |text| pieces(Pretokenizer::Cl100k, text);
    assert_eq!(cl100k("Hello World!, how are you?"), ["Hello", " World", "!,", " how", " are", " you", "?"]);
    assert_eq!(
        cl100k("I'Ve 12345  it\n\n x "),
        ["I", "'Ve", " ", "123", "45", " ", " it", "\n\n", " x", " "]
    );
    assert_eq!(cl100k(" \n  "), [" \n  "]);
    let o200k = |text| pieces(Pretokenizer::O200k, text);
    assert_eq!(o200k("HelloWorld's URLs://x\n"), ["Hello", "World's", " URLs", "://", "x", "\n"]);
    assert_eq!(o200k(" \n  "), [" \n", "  "]);
    assert_eq!(o200k("中A中B"), ["中A中", "B"]);
    let r50k = |text| pieces(Pretokenizer::R50k, text);
    assert_eq!(r50k("I've 12345  it"), ["I", "'ve", " 12345", " ", " it"]);
    assert_eq!(r50k(""), [""; 0]);
}

/// The pattern as the `regex` crate can hold it: without look-ahead and possessive repetition, in order of alternatives.
fn reference(pretokenizer: Pretokenizer) -> regex::Regex {
    regex::Regex::new(match pretokenizer {
        Pretokenizer::R50k => r"^(?:'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+)",
        Pretokenizer::Cl100k => {
            r"^(?:'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+$|\s*[\r\n])"
        }
        Pretokenizer::Llama3 => {
            r"^(?:(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+)"
        }
        Pretokenizer::Qwen2 => {
            r"^(?:(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+)"
        }
        Pretokenizer::O200k => concat!(
            r"^(?:[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|",
            r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+)",
        ),
    })
    .unwrap()
}

/// Splits by the reference, with `\s+(?!\S)|\s+`, which it leaves out, by its definition.
fn reference_pieces<'text>(reference: &regex::Regex, text: &'text str) -> Vec<&'text str> {
    let mut rest = text;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let length = reference.find(rest).map_or_else(|| spaces_before_text(rest), |found| found.end());
        pieces.push(&rest[..length]);
        rest = &rest[length..];
    }
    pieces
}

fn spaces_before_text(rest: &str) -> usize {
    let spaces: Vec<usize> = rest
        .char_indices()
        .take_while(|(_, character)| character.is_whitespace())
        .map(|(at, _)| at)
        .collect();
    let end = rest.find(|character: char| !character.is_whitespace());
    match (end, spaces.last()) {
        (None, _) => rest.len(),
        (Some(_), Some(&last)) if last > 0 => last,
        (Some(end), _) => end,
    }
}

#[test]
fn every_text_of_three_telling_characters_splits_as_the_patterns_say() {
    for pretokenizer in ALL {
        let reference = reference(pretokenizer);
        for first in TELLING {
            for second in TELLING {
                for third in TELLING {
                    let text = [first, second, third].concat();
                    assert_eq!(pieces(pretokenizer, &text), reference_pieces(&reference, &text), "{text:?}");
                }
            }
        }
        for text in random_texts(if cfg!(debug_assertions) { 3_000 } else { 100_000 }) {
            assert_eq!(pieces(pretokenizer, &text), reference_pieces(&reference, &text), "{text:?}");
        }
    }
}

/// Words of ASCII around the length of a word of the machine, beside every telling character.
#[test]
fn words_of_all_lengths_split_as_the_patterns_say() {
    for pretokenizer in ALL {
        let reference = reference(pretokenizer);
        for upper in 0..11 {
            for lower in 0..20 {
                for telling in TELLING {
                    let text =
                        [telling, &"U".repeat(upper), &"w".repeat(lower), telling, "Word's over"].concat();
                    assert_eq!(pieces(pretokenizer, &text), reference_pieces(&reference, &text), "{text:?}");
                }
            }
        }
    }
}

#[test]
fn pieces_end_where_tokens_of_the_published_encodings_end() {
    let encodings = [
        (Pretokenizer::Cl100k, tiktoken_rs::cl100k_base_singleton()),
        (Pretokenizer::O200k, tiktoken_rs::o200k_base_singleton()),
        (Pretokenizer::R50k, tiktoken_rs::r50k_base_singleton()),
    ];
    for (pretokenizer, encoding) in encodings {
        for text in random_texts(500) {
            let ends = ends_of_tokens(encoding, &text);
            for piece in pretokenizer.pieces(&text) {
                assert!(ends.binary_search(&piece.end).is_ok(), "{text:?}: {piece:?}");
            }
        }
    }
}
