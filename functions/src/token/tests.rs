use tiktoken_rs::CoreBPE;

use super::encode_text::TokenScratch;
use super::library::Library;
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
