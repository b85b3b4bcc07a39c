//! Encodings equal those of the `tiktoken-rs` crate, which embeds the published vocabularies.

use super::*;
use crate::kernel::level::Level;
use std::sync::LazyLock;
use tiktoken_rs::CoreBPE;

/// A published encoding: ours, made from the tokens of the other.
struct Published {
    ours: Encoding,
    reference: &'static CoreBPE,
}

fn published(reference: &'static CoreBPE, count: u32, pretokenizer: Pretokenizer) -> Published {
    let tokens =
        (0..count).filter_map(|rank| reference.decode_bytes(&[rank]).ok().map(|bytes| (bytes, rank)));
    Published { ours: Encoding::new(Vocabulary::from_tokens(tokens).unwrap(), pretokenizer), reference }
}

static PUBLISHED: LazyLock<[Published; 3]> = LazyLock::new(|| {
    [
        published(tiktoken_rs::cl100k_base_singleton(), 100_256, Pretokenizer::Cl100k),
        published(tiktoken_rs::o200k_base_singleton(), 199_998, Pretokenizer::O200k),
        published(tiktoken_rs::r50k_base_singleton(), 50_256, Pretokenizer::R50k),
    ]
});

fn encode(encoding: &Encoding, text: &str) -> Vec<u32> {
    let mut tokens = Vec::new();
    encoding.encode(text, &mut MergeScratch::default(), &mut tokens);
    tokens
}

fn assert_equals_reference(text: &str) {
    for Published { ours, reference } in PUBLISHED.iter() {
        let tokens = encode(ours, text);
        assert_eq!(tokens, reference.encode_ordinary(text));
        for level in Level::available() {
            let (mut scratch, mut again) = (MergeScratch::default(), Vec::new());
            for _ in 0..2 {
                again.clear();
                ours.encode_at(level, text, &mut scratch, &mut again);
                assert_eq!(again, tokens, "{level}");
            }
        }
        let mut bytes = Vec::new();
        ours.vocabulary().decode(&tokens, &mut bytes).unwrap();
        assert_eq!(bytes, text.as_bytes());
        assert_eq!(ours.count(text, &mut MergeScratch::default()), tokens.len());
    }
}

#[test]
fn known_tokens() {
    let [cl100k, _, r50k] = &*PUBLISHED;
    assert_eq!(encode(&r50k.ours, "Hello World!, how are you?"), [15496, 2159, 28265, 703, 389, 345, 30]);
    assert_eq!(encode(&r50k.ours, "Respublica superiorem"), [4965, 11377, 64, 2208, 72, 29625]);
    assert_eq!(encode(&cl100k.ours, ""), [0u32; 0]);
}

#[test]
fn random_text_is_encoded_as_by_the_reference() {
    let alphabet: Vec<char> = "abcdeEST 's're\n\r\t1234/.,!éßſ中文字😀\u{301}ðʰ_-+=(){}<>".chars().collect();
    for seed in 0..400u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = |limit: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 20) as usize % limit
        };
        let letters = 1 + next(alphabet.len());
        let text: String = (0..next(400)).map(|_| alphabet[next(letters)]).collect();
        assert_equals_reference(&text);
    }
}

#[test]
fn real_text_is_encoded_as_by_the_reference() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/text");
    let names = [
        "sherlock.txt",
        "opensubtitles/zh-medium.txt",
        "opensubtitles/ru-medium.txt",
        "opensubtitles/en-medium.txt",
        "udhr/hin.html",
        "udhr/kor.html",
        "udhr/arb.html",
        "udhr/khm.html",
        "udhr/jpn.html",
        "unicode/WordBreakTest.txt",
    ];
    for name in names {
        match std::fs::read_to_string(folder.join(name)) {
            Ok(text) => assert_equals_reference(text.get(..60_000).unwrap_or(&text)),
            Err(_) => println!("skipped: {name} is not in the shared data"),
        }
    }
}

#[test]
fn short_and_long_merges_agree() {
    let Published { ours, .. } = &PUBLISHED[0];
    for length in 1..200 {
        for pattern in ["a", "ab", "abcabd", "-=", "\u{1f600}", "aaaaabaaac"] {
            let text: String = pattern.chars().cycle().take(length).collect();
            let piece = text.as_bytes();
            let (mut short, mut long) = (Vec::new(), Vec::new());
            let cut = &piece[..piece.len().min(60)];
            ours.vocabulary().encode_piece(cut, &mut MergeScratch::default(), &mut short);
            // Behind a byte that merges with nothing, the same piece is a long one.
            let padded = [&[0xffu8; 70][..], cut].concat();
            ours.vocabulary().encode_piece(&padded, &mut MergeScratch::default(), &mut long);
            assert_eq!(short, long[long.len() - short.len()..], "{text:?}");
        }
    }
}

#[test]
fn a_million_equal_characters_take_no_quadratic_time() {
    let count = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
    for Published { ours, .. } in PUBLISHED.iter() {
        for character in ["a", "^", " ", "中", "0"] {
            let text = character.repeat(count);
            let tokens = encode(ours, &text);
            let mut bytes = Vec::new();
            ours.vocabulary().decode(&tokens, &mut bytes).unwrap();
            assert_eq!(bytes, text.as_bytes());
        }
    }
}

#[test]
fn a_vocabulary_is_read_from_its_text_format() {
    let byte_lines = || (0..=255u8).map(|byte| (vec![byte], u32::from(byte)));
    let mut tokens: Vec<(Vec<u8>, u32)> = byte_lines().collect();
    tokens.push((b"ab".to_vec(), 256));
    tokens.push((b"a longer token".to_vec(), 257));
    let text: String =
        tokens.iter().map(|(token, rank)| format!("{} {rank}\n", encode_base64(token))).collect();
    let vocabulary = Vocabulary::from_tiktoken(text.as_bytes()).unwrap();
    assert_eq!(vocabulary.len(), 258);
    for (token, rank) in &tokens {
        assert_eq!(vocabulary.rank(token), Some(*rank));
        assert_eq!(vocabulary.bytes(*rank), Some(token.as_slice()));
    }
    assert_eq!(vocabulary.rank(b"abc"), None);
    assert_eq!(vocabulary.rank(b""), None);
    assert_eq!(vocabulary.bytes(999), None);
    assert_eq!(vocabulary.decode(&[97, 999], &mut Vec::new()), Err(999));
}

fn encode_base64(bytes: &[u8]) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let word =
            group.iter().fold(0u32, |word, &byte| (word << 8) | u32::from(byte)) << (8 * (3 - group.len()));
        let symbol = |index: usize| {
            if index > group.len() { '=' } else { digits[(word >> (18 - 6 * index)) as usize & 63] as char }
        };
        (0..4).map(symbol).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

#[test]
fn wrong_vocabularies_are_refused() {
    let refused = |tokens: Vec<(Vec<u8>, u32)>| Vocabulary::from_tokens(tokens).unwrap_err();
    let bytes = || (0..=255u8).map(|byte| (vec![byte], u32::from(byte))).collect::<Vec<_>>();
    assert_eq!(refused(bytes()[..255].to_vec()), VocabularyError::MissingByte { byte: 255 });
    let with = |token: &[u8], rank| [bytes(), vec![(token.to_vec(), rank)]].concat();
    assert_eq!(refused(with(b"ab", 7)), VocabularyError::Repeated { rank: 7 });
    assert_eq!(refused(with(b"a", 256)), VocabularyError::Repeated { rank: 256 });
    assert_eq!(refused(with(b"", 256)), VocabularyError::Empty { rank: 256 });
    assert_eq!(refused(with(b"ab", u32::MAX)), VocabularyError::Sparse { rank: u32::MAX, tokens: 257 });
    for text in ["YQ== x", "YQ=", "YQ== 1 2", "Y=== 1", "!!!! 1", "YQ==YQ== 1"] {
        assert_eq!(
            Vocabulary::from_tiktoken(text.as_bytes()).unwrap_err(),
            VocabularyError::Line { line: 1 },
            "{text}"
        );
    }
}
