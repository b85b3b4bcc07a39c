//! `detokenize`, `detokenize_bytes` and `token_id`.

use std::sync::Arc;

use super::arguments::{encoding_parameter, flag, function, tokenizer_of};
use super::library::Library;
use super::tokenizer::Tokenizer;
use crate::Registry;
use crate::column::{Output, Rows, View};
use crate::error::{Error, Result};
use crate::scalar::Bound;
use crate::scratch::Scratch;
use crate::signature::{Parameter, exact};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Adds the functions.
pub fn register(registry: &mut Registry, library: &Arc<Library>) {
    for (name, result, summary, example) in [
        ("detokenize", Type::Text, "The text that token numbers stand for.", "hello world"),
        (
            "detokenize_bytes",
            Type::Binary,
            "The bytes that token numbers stand for, text or not.",
            "hello world",
        ),
    ] {
        let library = Arc::clone(library);
        let mut function = function(name, summary)
            .overload(parameters(), move |arguments| {
                let tokenizer = tokenizer_of(&library, arguments, 1)?;
                let skips_special = flag(arguments, 2)?;
                let function = arguments.function.to_owned();
                Ok(Bound::strict(result.clone(), move |arguments, rows, output, scratch| {
                    detokenize(&function, &tokenizer, skips_special, arguments, rows, output, scratch)
                }))
            })
            .note("skip_special => true leaves out special tokens. A number that is no token, or null, is an error of the row.")
            .example(&format!("{name}([15339, 1917], 'cl100k_base')"), example);
        if name == "detokenize" {
            function = function
                .alias("bpe_decode")
                .note("Bytes that are no text, as where a character was cut, become U+FFFD.");
        }
        registry.register_scalar(function);
    }
    let library = Arc::clone(library);
    registry.register_scalar(
        function("token_id", "The number of a token by its text.")
            .overload([exact("token", Type::Text), encoding_parameter()], move |arguments| {
                let tokenizer = tokenizer_of(&library, arguments, 1)?;
                Ok(Bound::strict(Type::Int32, move |arguments, rows, output, _| {
                    let texts = arguments[0].text();
                    rows.for_each(|row| match tokenizer.id(texts.get(row)) {
                        Some(id) => output.fixed::<i32>()[row] = id as i32,
                        None => output.set_null(row),
                    });
                    Ok(())
                }))
            })
            .note("Of a tokenizer.json the text as the file writes it, marks and prefixes included; null if there is no such token.")
            .example("token_id('<|endoftext|>', 'cl100k_base')", "100257"),
    );
}

fn parameters() -> [Parameter; 3] {
    [
        exact("tokens", Type::list(Type::Int32)),
        encoding_parameter(),
        exact("skip_special", Type::Boolean).or(Literal::new(Value::Boolean(false))),
    ]
}

/// Buffers of one worker.
#[derive(Default)]
struct DecodeScratch {
    tokens: Vec<u32>,
    bytes: Vec<u8>,
}

fn detokenize(
    function: &str,
    tokenizer: &Tokenizer,
    skips_special: bool,
    arguments: &[View<'_>],
    rows: Rows<'_>,
    output: &mut Output,
    scratch: &mut Scratch,
) -> Result<()> {
    let lists = arguments[0].list();
    let numbers = lists.child().fixed::<i32>();
    let is_text = *output.data_type() == Type::Text;
    let DecodeScratch { tokens, bytes } = scratch.slot::<DecodeScratch>();
    rows.for_each(|row| {
        tokens.clear();
        bytes.clear();
        for place in lists.range(row) {
            // A null or negative number is no token; the largest number stands for it.
            let number =
                if lists.child().is_null(place) { None } else { u32::try_from(numbers.get(place)).ok() };
            tokens.push(number.unwrap_or(u32::MAX));
        }
        match tokenizer.decode(tokens, skips_special, bytes) {
            Ok(()) if is_text => output.text().set(row, &String::from_utf8_lossy(bytes)),
            Ok(()) => output.bytes().set(row, bytes),
            Err(number) => {
                let shown =
                    if number == u32::MAX { "a null or negative number".into() } else { number.to_string() };
                output.fail(row, || Error::argument(function, 1, format!("has {shown}, which is no token")));
            }
        }
    });
    Ok(())
}
