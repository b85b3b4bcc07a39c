//! `chunk_text`: a text in parts of a number of tokens, which may overlap.

use std::sync::Arc;

use super::arguments::{count, encoding_parameter, function, tokenizer_of};
use super::encode::RowEncoder;
use super::library::Library;
use crate::Registry;
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound};
use crate::signature::exact;
use crate::text::push_part;
use crate::types::Type;
use crate::value::{Literal, Value};

/// Adds the function.
pub fn register(registry: &mut Registry, library: &Arc<Library>) {
    let library = Arc::clone(library);
    registry.register_scalar(
        function("chunk_text", "The parts of a text that stand for so many of its tokens each, with an overlap.")
            .overload(
                [
                    exact("text", Type::Text),
                    exact("size", Type::Int64),
                    exact("overlap", Type::Int64).or(Literal::new(Value::Int64(0))),
                    encoding_parameter(),
                ],
                move |arguments| bind(&library, arguments),
            )
            .note("A part starts size - overlap tokens behind the start of the part before; the last one ends with the text. Both are constants, and the overlap is smaller.")
            .note("Tokens are those of the whole text. A border inside a character moves behind it.")
            .example("chunk_text('one two three four', 2)", "[one two, ' three four']")
            .example("chunk_text('one two three four', 3, overlap => 1)", "[one two three, ' three four']"),
    );
}

/// Size and step of chunks, from a size and an overlap.
///
/// # Errors
/// Numbers that make no chunks.
pub fn size_and_step(arguments: &Arguments<'_>, size: usize, overlap: usize) -> Result<(usize, usize)> {
    let refused = |index: usize, problem: &str| Error::argument(arguments.function, index + 1, problem);
    let length = count(arguments, size, 1)?
        .ok_or_else(|| refused(size, "must be a constant of at least 1, not NULL"))?;
    let shared = count(arguments, overlap, 0)?.unwrap_or(0);
    if shared >= length {
        return Err(refused(overlap, &format!("is {shared}; expected less than the size, {length}")));
    }
    Ok((length, length - shared))
}

/// Calls `chunk` with the range of each chunk of `count` items.
pub fn chunks(count: usize, size: usize, step: usize, mut chunk: impl FnMut(usize, usize)) {
    let mut start = 0;
    while start < count {
        let end = (start + size).min(count);
        chunk(start, end);
        if end == count {
            break;
        }
        start += step;
    }
}

fn bind(library: &Library, arguments: &Arguments<'_>) -> Result<Bound> {
    let (size, step) = size_and_step(arguments, 1, 2)?;
    let tokenizer = tokenizer_of(library, arguments, 3)?;
    let encoder = RowEncoder::tracked(tokenizer, arguments.function);
    Ok(Bound::null_aware(Type::list(Type::Text), move |arguments, rows, output, scratch| {
        let texts = arguments[0].text();
        encoder.for_each(&arguments[0], rows, output, scratch, |output, row, encoded| {
            let text = texts.get(row);
            let tokens = encoded.ids.len();
            let mut list = output.list();
            let start = list.start();
            // Between two tokens the border is the start of the later one, so that nothing is lost in between.
            let border = |token: usize| match token {
                0 => 0,
                token if token == tokens => text.len(),
                token => text.ceil_char_boundary(encoded.starts[token].max(encoded.ends[token - 1]) as usize),
            };
            chunks(tokens, size, step, |first, end| {
                let (from, to) = (border(first), border(end));
                if from < to {
                    push_part(list.child(), &texts, row, &text[from..to]);
                }
            });
            list.finish(row, start);
        });
        output.check_capacity()
    }))
}
