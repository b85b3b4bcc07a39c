use tiktoken_rs::CoreBPE;

use super::encode_text::TokenScratch;
use super::library::Library;
use super::load;
use crate::answers::{check_examples, check_script};
use crate::kernel::token::Encoded;

#[test]
fn examples_of_the_reference_hold() {
    check_examples(&["token"]);
}

#[test]
fn wrong_use_is_refused() {
    check_script(include_str!("../../../tests/slt/text/token.slt"));
}

#[test]
fn every_encoding_equals_its_reference() {
    let library = Library::default();
    let texts = [
        "",
        "hello world",
        "The quick brown fox's 12345 jumps\n\n  over\tthe lazy dog!  ",
        "naïve café 日本語 🤦🏼‍♂️ <|endoftext|> <|fim_prefix|>",
        "    indented code:\n        return x+1;  // done\r\n",
    ];
    let references: [(&str, &CoreBPE); 6] = [
        ("cl100k_base", tiktoken_rs::cl100k_base_singleton()),
        ("o200k_base", tiktoken_rs::o200k_base_singleton()),
        ("p50k_base", tiktoken_rs::p50k_base_singleton()),
        ("r50k_base", tiktoken_rs::r50k_base_singleton()),
        ("p50k_edit", tiktoken_rs::p50k_edit_singleton()),
        ("o200k_harmony", tiktoken_rs::o200k_harmony_singleton()),
    ];
    for (name, reference) in references {
        let tokenizer = library.tokenizer(name, "tokenize", 2).expect("a published encoding");
        for text in texts {
            let (mut plain, mut read, mut tracked) =
                (Encoded::default(), Encoded::default(), Encoded::default());
            let scratch = &mut TokenScratch::default();
            assert!(tokenizer.encode(text, false, scratch, &mut plain));
            assert_eq!(plain.ids, reference.encode_ordinary(text), "{name}: {text:?}");
            assert!(tokenizer.encode(text, true, scratch, &mut read));
            assert_eq!(read.ids, reference.encode_with_special_tokens(text), "{name}: {text:?}");
            let mut bytes = Vec::new();
            tokenizer.decode(&read.ids, false, &mut bytes).unwrap();
            assert_eq!(bytes, text.as_bytes());
            tracked.is_tracked = true;
            assert!(tokenizer.encode(text, false, scratch, &mut tracked));
            assert_eq!(tracked.ids, plain.ids);
            let mut covered = tracked.starts.iter().zip(&tracked.ends);
            assert!(covered.all(|(start, end)| text.get(*start as usize..*end as usize).is_some()));
            assert_eq!(tracked.ends.last().map_or(0, |end| *end as usize), text.len());
        }
    }
}

#[test]
fn bytes_that_are_no_text_survive() {
    let library = Library::default();
    let tokenizer = library.tokenizer("cl100k_base", "tokenize", 2).expect("a published encoding");
    for bytes in [&b"abc\xff\xfe\x80 def\xc3"[..], b"\xf0\x9f\x98", b"", b"\xff", "plain é".as_bytes()] {
        let mut encoded = Encoded::default();
        assert!(tokenizer.encode_bytes(bytes, &mut TokenScratch::default(), &mut encoded));
        let mut decoded = Vec::new();
        tokenizer.decode(&encoded.ids, false, &mut decoded).unwrap();
        assert_eq!(decoded, bytes);
    }
}

/// Numbers and texts as the package `sentencepiece` gives them.
#[test]
fn sentence_piece_models_give_their_own_tokens() {
    type Cases<'a> = [(&'a str, &'a [u32], &'a str)];
    let check = |file: &[u8], cases: &Cases<'_>| {
        let tokenizer = load::from_sentence_piece(file).expect("a model");
        for (text, ids, decoded) in cases {
            for is_tracked in [false, true] {
                let mut encoded = Encoded { is_tracked, ..Encoded::default() };
                assert!(tokenizer.encode(text, true, &mut TokenScratch::default(), &mut encoded));
                assert_eq!(encoded.ids, *ids, "{text:?}");
            }
            let mut bytes = Vec::new();
            tokenizer.decode(ids, false, &mut bytes).expect("numbers of tokens");
            assert_eq!(String::from_utf8_lossy(&bytes), *decoded, "{text:?}");
        }
    };
    check(
        include_bytes!("../../../tests/tokenizers/pairs.model"),
        &[
            ("the  cat sat", &[6, 14, 16], "the cat sat"),
            ("Hello dog ", &[45, 0, 49, 24, 15], " \u{2047} ello dog"),
            ("", &[], ""),
            ("log☃☃cat", &[28, 0, 44], "log \u{2047} cat"),
        ],
    );
    check(
        include_bytes!("../../../tests/tokenizers/unigram.model"),
        &[
            ("the  cat sat", &[4, 7, 5, 4, 11, 6, 4, 12, 6], "the cat sat"),
            ("Hello<x>dog ", &[4, 0, 23, 14, 15, 3, 16, 25], " \u{2047} ello<x>dog"),
            ("", &[], ""),
            ("log☃☃cat", &[4, 14, 25, 0, 11, 6], "log \u{2047} cat"),
        ],
    );
}

#[test]
fn whole_words_are_tokens_or_unknown() {
    let file = include_bytes!("../../../tests/tokenizers/word_level.json");
    let tokenizer = load::from_json(file).expect("a tokenizer");
    let mut encoded = Encoded::default();
    assert!(tokenizer.encode("Hello, World! xyz", true, &mut TokenScratch::default(), &mut encoded));
    assert_eq!(encoded.ids, [1, 0, 2, 3, 0]);
}
