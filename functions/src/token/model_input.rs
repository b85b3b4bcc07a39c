//! `model_input`: what a transformer model reads of a text or of a pair of texts: token numbers, segments and attention mask.

use std::sync::Arc;

use super::arguments::{count, encoding_parameter, flag, function, tokenizer_of, unknown_character};
use super::encode::EncodeScratch;
use super::library::Library;
use super::template::TemplatePart;
use super::tokenizer::Tokenizer;
use crate::Registry;
use crate::column::{Output, Rows, View};
use crate::error::{Error, Result};
use crate::kernel::token::Encoded;
use crate::scalar::{Arguments, Bound};
use crate::scratch::Scratch;
use crate::signature::exact;
use crate::types::{Field, Type};
use crate::value::{Literal, Value};

/// Adds the function.
pub fn register(registry: &mut Registry, library: &Arc<Library>) {
    let library = Arc::clone(library);
    registry.register_scalar(
        function("model_input", "Token numbers, segment numbers and attention mask of a text or of a pair of texts, as transformer models read them.")
            .overload(
                [
                    exact("text", Type::Text),
                    encoding_parameter(),
                    exact("max_length", Type::Int64).or(Literal::null(Type::Int64)),
                    exact("padding", Type::Boolean).or(Literal::new(Value::Boolean(false))),
                    exact("pair", Type::Text).or(Literal::null(Type::Text)),
                ],
                move |arguments| bind(&library, arguments),
            )
            .note("Special tokens are put around the texts as the tokenizer's template says, and added tokens are recognised as tokenize does by itself.")
            .note("max_length => n cuts the end of the text, of a pair the longer text first. padding => true fills up to that length, and the result is fields of type INTEGER[n].")
            .note("A null pair is no pair; a null text gives null.")
            .example(
                "model_input('hello world', 'gpt2', max_length => 3, padding => true)",
                "{'input_ids': [31373, 995, 0], 'token_type_ids': [0, 0, 0], 'attention_mask': [1, 1, 0]}",
            ),
    );
}

/// What a call was given.
struct ModelInput {
    tokenizer: Arc<Tokenizer>,
    tokens_max: usize,
    /// The one length of all rows.
    padded: Option<usize>,
    has_pair: bool,
    function: String,
}

fn bind(library: &Library, arguments: &Arguments<'_>) -> Result<Bound> {
    let tokenizer = tokenizer_of(library, arguments, 1)?;
    let has_pair = !matches!(arguments.constants.get(4), Some(Some(literal)) if literal.value.is_null());
    let template = tokenizer.template();
    let special = if has_pair {
        template.pair_tokens().max(template.single_tokens())
    } else {
        template.single_tokens()
    };
    let length = count(arguments, 2, special as i64)?;
    let padded = match (flag(arguments, 3)?, length) {
        (false, _) => None,
        (true, Some(length)) => Some(length),
        (true, None) => {
            return Err(Error::argument(arguments.function, 3, "is left out; padding needs a length"));
        }
    };
    let list = match padded {
        Some(length) => Type::fixed_list(Type::Int32, length),
        None => Type::list(Type::Int32),
    };
    let names = ["input_ids", "token_type_ids", "attention_mask"];
    let result = Type::Struct(names.iter().map(|name| Field::new(*name, list.clone())).collect());
    let function = arguments.function.to_owned();
    let call = ModelInput { tokenizer, tokens_max: length.unwrap_or(usize::MAX), padded, has_pair, function };
    Ok(Bound::null_aware(result, move |arguments, rows, output, scratch| {
        call.run(arguments, rows, output, scratch)
    }))
}

/// Buffers of one worker.
#[derive(Debug, Default)]
struct InputScratch {
    first: Encoded,
    second: Encoded,
    ids: Vec<u32>,
    segments: Vec<u32>,
}

impl ModelInput {
    fn run(
        &self,
        arguments: &[View<'_>],
        rows: Rows<'_>,
        output: &mut Output,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let mut input = std::mem::take(scratch.slot::<InputScratch>());
        let tokens = &mut scratch.slot::<EncodeScratch>().tokens;
        let reads_added = self.tokenizer.reads_added();
        rows.for_each(|row| {
            if arguments[0].is_null(row) {
                return self.write_null(output, row);
            }
            input.first.clear();
            input.second.clear();
            let mut is_known =
                self.tokenizer.encode(arguments[0].text().get(row), reads_added, tokens, &mut input.first);
            let has_pair = self.has_pair && arguments[4].is_valid(row);
            if has_pair {
                let pair = arguments[4].text().get(row);
                is_known &= self.tokenizer.encode(pair, reads_added, tokens, &mut input.second);
            }
            if !is_known {
                self.write_null(output, row);
                return output.fail(row, || unknown_character(&self.function));
            }
            self.assemble(&mut input, has_pair);
            self.write(output, row, &input);
        });
        let held = tokens.memory_bytes();
        scratch.hold::<EncodeScratch>(held);
        *scratch.slot::<InputScratch>() = input;
        (0..3).try_for_each(|field| output.field(field).check_capacity())
    }

    /// Cuts the texts to length and puts special tokens around them.
    fn assemble(&self, input: &mut InputScratch, has_pair: bool) {
        let template = self.tokenizer.template();
        let (parts, special) = match has_pair {
            true => (&template.pair, template.pair_tokens()),
            false => (&template.single, template.single_tokens()),
        };
        let room = self.tokens_max.saturating_sub(special);
        let (first, second) = cut_lengths(input.first.ids.len(), input.second.ids.len(), room);
        input.ids.clear();
        input.segments.clear();
        for part in parts {
            let (ids, segment) = match part {
                TemplatePart::Tokens(ids, segment) => (ids.as_slice(), *segment),
                TemplatePart::First(segment) => (&input.first.ids[..first], *segment),
                TemplatePart::Second(segment) => (&input.second.ids[..second], *segment),
            };
            input.ids.extend_from_slice(ids);
            input.segments.extend(std::iter::repeat_n(segment, ids.len()));
        }
    }

    fn write(&self, output: &mut Output, row: usize, input: &InputScratch) {
        let tokens = input.ids.len();
        let padding = self.tokenizer.padding();
        let fields: [&dyn Fn(usize) -> u32; 3] = [
            &|place| input.ids.get(place).copied().unwrap_or(padding),
            &|place| input.segments.get(place).copied().unwrap_or(0),
            &|place| u32::from(place < tokens),
        ];
        for (index, value) in fields.iter().enumerate() {
            let field = output.field(index);
            let (numbers, length) = match self.padded {
                Some(length) => (&mut field.fixed_list_child().fixed::<i32>()[row * length..], length),
                None => {
                    let mut list = field.list();
                    let start = list.child().grow(tokens);
                    list.finish(row, start);
                    let FieldList(numbers) = FieldList::of(field, start);
                    (numbers, tokens)
                }
            };
            numbers[..length]
                .iter_mut()
                .enumerate()
                .for_each(|(place, number)| *number = value(place) as i32);
        }
    }

    /// A null row, whose fields are null too so that they need no values.
    fn write_null(&self, output: &mut Output, row: usize) {
        output.set_null(row);
        (0..3).for_each(|field| output.field(field).set_null(row));
    }
}

/// The elements of a list under construction, from a place on.
struct FieldList<'a>(&'a mut [i32]);

impl<'a> FieldList<'a> {
    fn of(field: &'a mut Output, start: usize) -> Self {
        Self(&mut field.list().into_child().fixed::<i32>()[start..])
    }
}

/// How much of two texts stays within `room` tokens: the longer one is cut first, and both to halves if both are too long.
fn cut_lengths(first: usize, second: usize, room: usize) -> (usize, usize) {
    if first.saturating_add(second) <= room {
        return (first, second);
    }
    let (short, long) = match first.min(second) {
        short if short > room => (short, short),
        short => (short, short.max(room - short)),
    };
    let (short, long) = if short + long > room { (room / 2, room / 2 + room % 2) } else { (short, long) };
    if first > second { (long, short) } else { (short, long) }
}

#[cfg(test)]
mod tests {
    use super::cut_lengths;

    #[test]
    fn the_longer_text_is_cut_first() {
        assert_eq!(cut_lengths(3, 4, 7), (3, 4));
        assert_eq!(cut_lengths(3, 10, 8), (3, 5));
        assert_eq!(cut_lengths(10, 3, 8), (5, 3));
        assert_eq!(cut_lengths(10, 12, 9), (4, 5));
        assert_eq!(cut_lengths(12, 10, 9), (5, 4));
        assert_eq!(cut_lengths(5, 0, 3), (3, 0));
        assert_eq!(cut_lengths(5, 6, 0), (0, 0));
    }
}
