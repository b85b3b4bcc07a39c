//! Text as the token numbers of language models, and back.

mod library;

use std::sync::Arc;

use crate::Registry;
use crate::column::{Output, Rows, View};
use crate::error::{Error, Result};
use crate::kernel::bpe::{Encoding, MergeScratch};
use crate::scalar::{Arguments, Bound, Cost, ScalarFunction};
use crate::scratch::Scratch;
use crate::signature::{Parameter, exact};
use crate::types::Type;
use crate::value::{Literal, Value};
use library::Library;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    let library = Arc::new(Library::default());
    let names = "Encodings: cl100k_base (the default), o200k_base, p50k_base and r50k_base (also gpt2), token for token as tiktoken gives them.";
    let shared = Arc::clone(&library);
    registry.register_scalar(
        ScalarFunction::new(
            "tokenize",
            "token",
            "The token numbers of a text in the encoding of a language model.",
        )
        .overload([exact("text", Type::Text), encoding_parameter()], move |arguments| {
            let encoding = encoding_of(&shared, arguments)?;
            Ok(Bound::strict(Type::list(Type::Int32), move |arguments, rows, output, scratch| {
                tokenize(&encoding, arguments, rows, output, scratch)
            }))
        })
        .cost(Cost::Parse)
        .note(names)
        .note("Special tokens have no meaning: their text is encoded like any other.")
        .example("tokenize('hello world', 'cl100k_base')", "[15339, 1917]"),
    );
    let shared = Arc::clone(&library);
    registry.register_scalar(
        ScalarFunction::new(
            "token_count",
            "token",
            "Number of tokens of a text in the encoding of a language model.",
        )
        .overload([exact("text", Type::Text), encoding_parameter()], move |arguments| {
            let encoding = encoding_of(&shared, arguments)?;
            Ok(Bound::strict(Type::Int64, move |arguments, rows, output, scratch| {
                let text = arguments[0].text();
                let merges = &mut scratch.slot::<TokenScratch>().merges;
                let counts = output.fixed::<i64>();
                rows.for_each(|row| counts[row] = encoding.count(text.get(row), merges) as i64);
                Ok(())
            }))
        })
        .cost(Cost::Parse)
        .note(names)
        .example("token_count('hello world', 'cl100k_base')", "2"),
    );
    registry.register_scalar(
        ScalarFunction::new("detokenize", "token", "The text that token numbers stand for.")
            .overload([exact("tokens", Type::list(Type::Int32)), encoding_parameter()], move |arguments| {
                let encoding = encoding_of(&library, arguments)?;
                Ok(Bound::strict(Type::Text, move |arguments, rows, output, scratch| {
                    detokenize(&encoding, arguments, rows, output, scratch)
                }))
            })
            .cost(Cost::Parse)
            .note(names)
            .note("Bytes that are no text, as where a character was cut, become U+FFFD. A number that is no token, or null, is an error of the row.")
            .example("detokenize([15339, 1917], 'cl100k_base')", "hello world"),
    );
}

fn encoding_parameter() -> Parameter {
    exact("encoding", Type::Text).or(Literal::new(Value::text("cl100k_base")))
}

fn encoding_of(library: &Library, arguments: &Arguments<'_>) -> Result<Arc<Encoding>> {
    library.encoding(arguments.constant_text(1)?, arguments.function, 2)
}

/// Buffers of one worker.
#[derive(Default)]
struct TokenScratch {
    merges: MergeScratch,
    tokens: Vec<u32>,
    bytes: Vec<u8>,
}

fn tokenize(
    encoding: &Encoding,
    arguments: &[View<'_>],
    rows: Rows<'_>,
    output: &mut Output,
    scratch: &mut Scratch,
) -> Result<()> {
    let text = arguments[0].text();
    let TokenScratch { merges, tokens, .. } = scratch.slot::<TokenScratch>();
    let mut list = output.list();
    // All rows are encoded before the child grows, once: growing it row by row would cost more than short texts.
    tokens.clear();
    let start = list.start();
    rows.for_each(|row| {
        let first = tokens.len();
        encoding.encode(text.get(row), merges, tokens);
        list.set(row, start + first, tokens.len() - first);
    });
    list.child().grow(tokens.len());
    let numbers = &mut list.child().fixed::<i32>()[start..];
    // Numbers of published vocabularies lie far below 2^31.
    numbers.iter_mut().zip(tokens.iter()).for_each(|(number, &token)| *number = token as i32);
    output.check_capacity()
}

fn detokenize(
    encoding: &Encoding,
    arguments: &[View<'_>],
    rows: Rows<'_>,
    output: &mut Output,
    scratch: &mut Scratch,
) -> Result<()> {
    let lists = arguments[0].list();
    let numbers = lists.child().fixed::<i32>();
    let TokenScratch { tokens, bytes, .. } = scratch.slot::<TokenScratch>();
    rows.for_each(|row| {
        tokens.clear();
        bytes.clear();
        for place in lists.range(row) {
            // A null or negative number is no token; the largest number stands for it.
            let number =
                if lists.child().is_null(place) { None } else { u32::try_from(numbers.get(place)).ok() };
            tokens.push(number.unwrap_or(u32::MAX));
        }
        match encoding.vocabulary().decode(tokens, bytes) {
            Ok(()) => output.text().set(row, &String::from_utf8_lossy(bytes)),
            Err(number) => {
                let shown =
                    if number == u32::MAX { "a null or negative number".into() } else { number.to_string() };
                output.fail(row, || {
                    Error::argument("detokenize", 1, format!("has {shown}, which is no token"))
                });
            }
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use tiktoken_rs::CoreBPE;

    use super::library::Library;
    use crate::answers::{check_examples, check_script};
    use crate::kernel::bpe::MergeScratch;

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
        let references: [(&str, &CoreBPE); 4] = [
            ("cl100k_base", tiktoken_rs::cl100k_base_singleton()),
            ("o200k_base", tiktoken_rs::o200k_base_singleton()),
            ("p50k_base", tiktoken_rs::p50k_base_singleton()),
            ("r50k_base", tiktoken_rs::r50k_base_singleton()),
        ];
        for (name, reference) in references {
            let encoding = library.encoding(name, "tokenize", 2).expect("a published encoding");
            for text in texts {
                let mut tokens = Vec::new();
                encoding.encode(text, &mut MergeScratch::default(), &mut tokens);
                assert_eq!(tokens, reference.encode_ordinary(text), "{name}: {text:?}");
            }
        }
    }
}
