//! Texts that make careless tokenizers quadratic take time in proportion to their length.

use std::time::{Duration, Instant};

use super::encode_text::TokenScratch;
use super::library::Library;
use super::load;
use super::tokenizer::Tokenizer;
use crate::kernel::token::Encoded;

/// Characters of a text. Quadratic work over them would be some 10^11 steps, minutes even when optimized.
const CHARACTERS: usize = if cfg!(debug_assertions) { 300_000 } else { 1_000_000 };

/// Far above what linear work takes without optimization on a busy machine, far below quadratic work.
const TIME_MAX: Duration = Duration::from_secs(20);

fn texts() -> Vec<String> {
    let mut texts: Vec<String> =
        ["a", "^", " ", "\n", "中", "😀", "ab", "\u{301}", "a b ", "1", "'s", "▁", "é"]
            .iter()
            .map(|unit| unit.repeat(CHARACTERS / unit.chars().count()))
            .collect();
    texts.push(" ".repeat(CHARACTERS) + "x");
    texts
}

fn check(name: &str, tokenizer: &Tokenizer) {
    let scratch = &mut TokenScratch::default();
    for text in texts() {
        let start = Instant::now();
        let mut encoded = Encoded::default();
        assert!(tokenizer.encode(&text, true, scratch, &mut encoded));
        let shown: String = text.chars().take(4).collect();
        assert!(start.elapsed() < TIME_MAX, "{name} took {:?} for {shown:?}...", start.elapsed());
    }
}

#[test]
fn published_encodings_take_linear_time() {
    let library = Library::default();
    for name in ["cl100k_base", "o200k_base", "r50k_base"] {
        check(name, &library.tokenizer(name, "tokenize", 2).unwrap());
    }
}

#[test]
fn tokenizers_of_files_take_linear_time() {
    let files = [
        ("word_piece", include_str!("../../../tests/tokenizers/word_piece.json")),
        ("unigram", include_str!("../../../tests/tokenizers/unigram.json")),
        ("byte_fallback", include_str!("../../../tests/tokenizers/byte_fallback.json")),
        ("word_level", include_str!("../../../tests/tokenizers/word_level.json")),
    ];
    for (name, file) in files {
        check(name, &load::from_json(file.as_bytes()).unwrap());
    }
    let models = [
        ("pairs.model", &include_bytes!("../../../tests/tokenizers/pairs.model")[..]),
        ("unigram.model", include_bytes!("../../../tests/tokenizers/unigram.model")),
    ];
    for (name, file) in models {
        check(name, &load::from_sentence_piece(file).unwrap());
    }
}

#[test]
fn bytes_without_text_take_linear_time() {
    let library = Library::default();
    let tokenizer = library.tokenizer("cl100k_base", "tokenize", 2).unwrap();
    for bytes in [vec![0xff; CHARACTERS], [0xff, b'a'].repeat(CHARACTERS / 2)] {
        let start = Instant::now();
        let mut encoded = Encoded::default();
        assert!(tokenizer.encode_bytes(&bytes, &mut TokenScratch::default(), &mut encoded));
        assert!(start.elapsed() < TIME_MAX, "{:?}", start.elapsed());
    }
}
