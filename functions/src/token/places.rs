//! Where tokens stand in their text: `token_offsets`, `token_texts` and `truncate_tokens`.

use std::sync::Arc;

use super::arguments::{encoding_parameter, function, reads_added, reads_parameter, tokenizer_of};
use super::encode::RowEncoder;
use super::library::Library;
use crate::Registry;
use crate::column::{Output, TextWriter};
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound};
use crate::signature::exact;
use crate::text::push_part;
use crate::types::{Field, Type};

/// Adds the functions.
pub fn register(registry: &mut Registry, library: &Arc<Library>) {
    let bind = |bind: fn(&Library, &Arguments<'_>) -> Result<Bound>| {
        let library = Arc::clone(library);
        move |arguments: &Arguments<'_>| bind(&library, arguments)
    };
    registry.register_scalar(
        function("token_offsets", "Where each token of a text starts and ends in it, in characters from 0, the end excluded.")
            .overload([exact("text", Type::Text), encoding_parameter(), reads_parameter()], bind(bind_offsets))
            .note("A token that is a part of a character covers the whole of it. Text that was changed before it was encoded keeps the places it had.")
            .example("token_offsets('hello world')", "[{'start': 0, 'end': 5}, {'start': 5, 'end': 11}]"),
    );
    registry.register_scalar(
        function("token_texts", "The part of a text that each of its tokens stands for.")
            .overload([exact("text", Type::Text), encoding_parameter(), reads_parameter()], bind(bind_texts))
            .note("A token that is a part of a character gives the whole of it.")
            .example("token_texts('hello world')", "[hello, ' world']"),
    );
    registry.register_scalar(
        function("truncate_tokens", "The start of a text that its first tokens stand for.")
            .alias("bpe_truncate")
            .overload([exact("text", Type::Text), exact("count", Type::Int64), encoding_parameter()], bind(bind_truncate))
            .note("A character of which not all tokens are kept is left out. Added tokens are recognised as tokenize does by itself.")
            .example("truncate_tokens('hello wide world', 2)", "hello wide"),
    );
}

/// The type of an offset.
fn offset_type() -> Type {
    Type::Struct(vec![Field::new("start", Type::Int32), Field::new("end", Type::Int32)])
}

/// What gives the tokens of rows with their places, recognising added tokens as argument 3 says.
fn tracked(library: &Library, arguments: &Arguments<'_>) -> Result<RowEncoder> {
    let encoder = RowEncoder::tracked(tokenizer_of(library, arguments, 1)?, arguments.function);
    let reads_added = reads_added(arguments, 2, &encoder.tokenizer)?;
    Ok(RowEncoder { reads_added, ..encoder })
}

fn bind_offsets(library: &Library, arguments: &Arguments<'_>) -> Result<Bound> {
    let encoder = tracked(library, arguments)?;
    Ok(Bound::null_aware(Type::list(offset_type()), move |arguments, rows, output, scratch| {
        let texts = arguments[0].text();
        encoder.for_each(&arguments[0], rows, output, scratch, |output, row, encoded| {
            let text = texts.get(row);
            encoder.tokenizer.trim_places(text, encoded);
            to_characters(text, &mut encoded.starts);
            to_characters(text, &mut encoded.ends);
            let mut list = output.list();
            let start = list.child().grow(encoded.ids.len());
            write_numbers(list.child().field(0), start, &encoded.starts);
            write_numbers(list.child().field(1), start, &encoded.ends);
            list.finish(row, start);
        });
        output.check_capacity()
    }))
}

fn write_numbers(output: &mut Output, start: usize, numbers: &[u32]) {
    let target = &mut output.fixed::<i32>()[start..];
    target.iter_mut().zip(numbers).for_each(|(target, &number)| *target = number as i32);
}

/// Turns places in bytes into places in characters. Places ascend, but for a few, for which counting starts over.
fn to_characters(text: &str, places: &mut [u32]) {
    if text.is_ascii() {
        return;
    }
    let is_first = |byte: &&u8| **byte & 0xc0 != 0x80;
    let (mut at, mut characters) = (0, 0);
    for place in places {
        let wanted = *place as usize;
        if wanted < at {
            (at, characters) = (0, 0);
        }
        characters += text.as_bytes()[at..wanted].iter().filter(is_first).count();
        at = wanted;
        *place = characters as u32;
    }
}

fn bind_texts(library: &Library, arguments: &Arguments<'_>) -> Result<Bound> {
    let encoder = tracked(library, arguments)?;
    Ok(Bound::null_aware(Type::list(Type::Text), move |arguments, rows, output, scratch| {
        let texts = arguments[0].text();
        encoder.for_each(&arguments[0], rows, output, scratch, |output, row, encoded| {
            let text = texts.get(row);
            let mut list = output.list();
            let start = list.start();
            for (&from, &to) in encoded.starts.iter().zip(&encoded.ends) {
                let part = text.get(from as usize..to as usize).unwrap_or_default();
                push_part(list.child(), &texts, row, part);
            }
            list.finish(row, start);
        });
        output.check_capacity()
    }))
}

fn bind_truncate(library: &Library, arguments: &Arguments<'_>) -> Result<Bound> {
    let encoder = RowEncoder::tracked(tokenizer_of(library, arguments, 2)?, arguments.function);
    Ok(Bound::strict(Type::Text, move |arguments, rows, output, scratch| {
        let (texts, counts) = (arguments[0].text(), arguments[1].fixed::<i64>());
        encoder.for_each(&arguments[0], rows, output, scratch, |output, row, encoded| {
            let Ok(count) = usize::try_from(counts.get(row)) else {
                let problem = "is negative; expected at least 0";
                return output.fail(row, || Error::argument(&encoder.function, 2, problem));
            };
            let text = texts.get(row);
            let end = kept_end(text, &encoded.starts, &encoded.ends, count);
            let mut writer: TextWriter<'_> = output.text();
            writer.set_part(row, &texts, row, &text[..end]);
        });
        Ok(())
    }))
}

/// The end of the text that the first `count` tokens stand for, without a character that the next token is a part of too.
fn kept_end(text: &str, starts: &[u32], ends: &[u32], count: usize) -> usize {
    let Some(&next) = starts.get(count) else { return text.len() };
    let end = if count == 0 { 0 } else { ends[count - 1].min(next) as usize };
    text.floor_char_boundary(end)
}
