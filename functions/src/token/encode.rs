//! `tokenize` and `token_count`.

use std::sync::Arc;

use super::arguments::{
    count, encoding_parameter, flag, function, reads_added, reads_parameter, tokenizer_of, unknown_character,
};
use super::encode_text::TokenScratch;
use super::library::Library;
use super::template::TemplatePart;
use super::tokenizer::Tokenizer;
use crate::Registry;
use crate::column::{Output, Rows, View};
use crate::error::Result;
use crate::kernel::token::Encoded;
use crate::scalar::{Arguments, Bound};
use crate::scratch::Scratch;
use crate::signature::{Parameter, exact};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Adds the functions.
pub fn register(registry: &mut Registry, library: &Arc<Library>) {
    let bind = |bind: fn(&Library, &Arguments<'_>) -> Result<Bound>| {
        let library = Arc::clone(library);
        move |arguments: &Arguments<'_>| bind(&library, arguments)
    };
    registry.register_scalar(
        function("tokenize", "The token numbers of a text in the encoding of a language model.")
            .alias("bpe_encode")
            .overload(tokenize_parameters(Type::Text), bind(bind_tokenize))
            .overload(tokenize_parameters(Type::Binary), bind(bind_tokenize))
            .note("special_tokens => true puts the special tokens of the tokenizer's template around the text; max_length => n keeps as many of the first tokens as fit with them.")
            .note("read_added => true recognises added tokens, such as '<|endoftext|>', in the text; by itself a tokenizer.json does and an encoding of tiktoken does not.")
            .note("Bytes of a BLOB that are no text are tokens of their own in byte-level encodings and U+FFFD in others.")
            .example("tokenize('hello world', 'cl100k_base')", "[15339, 1917]")
            .example("tokenize('hello world', 'gpt2', max_length => 1)", "[31373]")
            .example("tokenize('a<|endoftext|>', 'gpt2', read_added => true)", "[64, 50256]"),
    );
    registry.register_scalar(
        function("token_count", "Number of tokens of a text in the encoding of a language model.")
            .alias("bpe_count")
            .overload(count_parameters(Type::Text), bind(bind_count))
            .overload(count_parameters(Type::Binary), bind(bind_count))
            .example("token_count('hello world', 'cl100k_base')", "2"),
    );
}

fn tokenize_parameters(text: Type) -> [Parameter; 5] {
    [
        exact("text", text),
        encoding_parameter(),
        exact("special_tokens", Type::Boolean).or(Literal::new(Value::Boolean(false))),
        exact("max_length", Type::Int64).or(Literal::null(Type::Int64)),
        reads_parameter(),
    ]
}

fn count_parameters(text: Type) -> [Parameter; 4] {
    [
        exact("text", text),
        encoding_parameter(),
        exact("special_tokens", Type::Boolean).or(Literal::new(Value::Boolean(false))),
        reads_parameter(),
    ]
}

/// Tokens that are gathered before they are moved to a column.
const TOKENS_TOGETHER: usize = 1 << 14;

/// Buffers of one worker.
#[derive(Debug, Default)]
pub struct EncodeScratch {
    /// Of the tokenizer.
    pub tokens: TokenScratch,
    /// Tokens of the rows so far.
    pub encoded: Encoded,
}

/// The texts of a column given to a tokenizer, row by row.
#[derive(Debug)]
pub struct RowEncoder {
    /// What encodes.
    pub tokenizer: Arc<Tokenizer>,
    /// Whether added tokens are recognised.
    pub reads_added: bool,
    /// Whether places of tokens are wanted.
    pub is_tracked: bool,
    /// The name of the function, for errors.
    pub function: String,
}

impl RowEncoder {
    /// One whose rows have their places, and recognise added tokens as the tokenizer does by itself.
    pub fn tracked(tokenizer: Arc<Tokenizer>, function: &str) -> Self {
        let reads_added = tokenizer.reads_added();
        Self { tokenizer, reads_added, is_tracked: true, function: function.to_owned() }
    }

    /// Calls `each` with the tokens of every row: null rows are null, and rows that the vocabulary cannot express fail.
    pub fn for_each(
        &self,
        argument: &View<'_>,
        rows: Rows<'_>,
        output: &mut Output,
        scratch: &mut Scratch,
        mut each: impl FnMut(&mut Output, usize, &mut Encoded),
    ) {
        let EncodeScratch { tokens, encoded } = scratch.slot::<EncodeScratch>();
        encoded.is_tracked = self.is_tracked;
        rows.for_each(|row| {
            if argument.is_null(row) {
                return output.set_null(row);
            }
            encoded.clear();
            if self.encode(argument, row, tokens, encoded) {
                each(output, row, encoded);
            } else {
                output.fail(row, || unknown_character(&self.function));
            }
        });
        let held = tokens.memory_bytes();
        scratch.hold::<EncodeScratch>(held);
    }

    /// Appends the tokens of one row of text or bytes; false if the vocabulary cannot express it.
    fn encode(
        &self,
        argument: &View<'_>,
        row: usize,
        scratch: &mut TokenScratch,
        encoded: &mut Encoded,
    ) -> bool {
        match argument.data_type {
            Type::Binary => self.tokenizer.encode_bytes(argument.bytes().get(row), scratch, encoded),
            _ => self.tokenizer.encode(argument.text().get(row), self.reads_added, scratch, encoded),
        }
    }
}

/// Tokens in front of a text and behind it.
#[derive(Debug, Clone, Default)]
pub struct Around {
    /// In front.
    pub before: Vec<u32>,
    /// Behind.
    pub after: Vec<u32>,
}

impl Around {
    /// The special tokens around one text.
    pub fn of(tokenizer: &Tokenizer) -> Around {
        let mut around = Around::default();
        let mut is_before = true;
        for part in &tokenizer.template().single {
            match part {
                TemplatePart::Tokens(ids, _) if is_before => around.before.extend(ids),
                TemplatePart::Tokens(ids, _) => around.after.extend(ids),
                _ => is_before = false,
            }
        }
        around
    }

    fn tokens(&self) -> usize {
        self.before.len() + self.after.len()
    }
}

/// What a call of `tokenize` was given.
struct Tokenize {
    encoder: RowEncoder,
    around: Around,
    /// Most tokens of the text itself.
    tokens_max: usize,
}

fn bind_tokenize(library: &Library, arguments: &Arguments<'_>) -> Result<Bound> {
    let tokenizer = tokenizer_of(library, arguments, 1)?;
    let around = if flag(arguments, 2)? { Around::of(&tokenizer) } else { Around::default() };
    let tokens_max =
        count(arguments, 3, around.tokens() as i64)?.map_or(usize::MAX, |most| most - around.tokens());
    let reads_added = reads_added(arguments, 4, &tokenizer)?;
    let function = arguments.function.to_owned();
    let encoder = RowEncoder { tokenizer, reads_added, is_tracked: false, function };
    let call = Tokenize { encoder, around, tokens_max };
    Ok(Bound::null_aware(Type::list(Type::Int32), move |arguments, rows, output, scratch| {
        call.run(&arguments[0], rows, output, scratch)
    }))
}

impl Tokenize {
    fn run(&self, text: &View<'_>, rows: Rows<'_>, output: &mut Output, scratch: &mut Scratch) -> Result<()> {
        let EncodeScratch { tokens, encoded } = scratch.slot::<EncodeScratch>();
        encoded.clear();
        encoded.is_tracked = false;
        // Rows are encoded together as far as their tokens stay in the near caches: growing the child row by row would cost more
        // than short texts.
        let mut start = output.list().start();
        rows.for_each(|row| {
            if text.is_null(row) {
                return output.set_null(row);
            }
            if encoded.ids.len() >= TOKENS_TOGETHER {
                start += append_ids(output, encoded);
            }
            let first = encoded.ids.len();
            encoded.ids.extend_from_slice(&self.around.before);
            let inner = encoded.ids.len();
            if !self.encoder.encode(text, row, tokens, encoded) {
                encoded.ids.truncate(first);
                return output.fail(row, || unknown_character(&self.encoder.function));
            }
            encoded.ids.truncate(inner.saturating_add(self.tokens_max));
            encoded.ids.extend_from_slice(&self.around.after);
            output.list().set(row, start + first, encoded.ids.len() - first);
        });
        append_ids(output, encoded);
        let held = tokens.memory_bytes() + encoded.ids.capacity() * size_of::<u32>();
        scratch.hold::<EncodeScratch>(held);
        output.check_capacity()
    }
}

/// Moves tokens to the child of a list column, and gives their number.
fn append_ids(output: &mut Output, encoded: &mut Encoded) -> usize {
    let count = encoded.ids.len();
    let mut list = output.list();
    let start = list.child().grow(count);
    let numbers = &mut list.child().fixed::<i32>()[start..];
    // Numbers of vocabularies lie below 2^31.
    numbers.iter_mut().zip(&encoded.ids).for_each(|(number, &id)| *number = id as i32);
    encoded.clear();
    count
}

fn bind_count(library: &Library, arguments: &Arguments<'_>) -> Result<Bound> {
    let tokenizer = tokenizer_of(library, arguments, 1)?;
    let around = if flag(arguments, 2)? { tokenizer.template().single_tokens() } else { 0 };
    let reads_added = reads_added(arguments, 3, &tokenizer)?;
    let function = arguments.function.to_owned();
    let encoder = RowEncoder { tokenizer, reads_added, is_tracked: false, function };
    Ok(Bound::null_aware(Type::Int64, move |arguments, rows, output, scratch| {
        encoder.for_each(&arguments[0], rows, output, scratch, |output, row, encoded| {
            output.fixed::<i64>()[row] = (encoded.ids.len() + around) as i64;
        });
        Ok(())
    }))
}
