//! The published vocabularies: built on first use, kept by the registry that the functions belong to.

use std::sync::{Arc, OnceLock};

use tiktoken_rs::CoreBPE;

use crate::error::{Error, Result};
use crate::kernel::bpe::{Encoding, Vocabulary};
use crate::kernel::pretokenize::Pretokenizer;

/// A published encoding.
struct Published {
    name: &'static str,
    pretokenizer: Pretokenizer,
    /// One more than the largest number of an ordinary token.
    numbers_end: u32,
    load: fn() -> Option<CoreBPE>,
}

const PUBLISHED: [Published; 4] = [
    Published {
        name: "cl100k_base",
        pretokenizer: Pretokenizer::Cl100k,
        numbers_end: 100_256,
        load: || tiktoken_rs::cl100k_base().ok(),
    },
    Published {
        name: "o200k_base",
        pretokenizer: Pretokenizer::O200k,
        numbers_end: 199_998,
        load: || tiktoken_rs::o200k_base().ok(),
    },
    Published {
        name: "p50k_base",
        pretokenizer: Pretokenizer::R50k,
        numbers_end: 50_281,
        load: || tiktoken_rs::p50k_base().ok(),
    },
    Published {
        name: "r50k_base",
        pretokenizer: Pretokenizer::R50k,
        numbers_end: 50_256,
        load: || tiktoken_rs::r50k_base().ok(),
    },
];

/// Encodings made so far, one place for each that is published.
#[derive(Debug, Default)]
pub struct Library {
    made: [OnceLock<Option<Arc<Encoding>>>; PUBLISHED.len()],
}

impl Library {
    /// The encoding of this name, argument `position` of `function`.
    ///
    /// # Errors
    /// [`Error::Argument`] if there is none of that name.
    pub fn encoding(&self, name: &str, function: &str, position: usize) -> Result<Arc<Encoding>> {
        let name = if name == "gpt2" { "r50k_base" } else { name };
        let Some(place) = PUBLISHED.iter().position(|published| published.name == name) else {
            let names: Vec<_> = PUBLISHED.iter().map(|published| published.name).collect();
            let problem = format!("is '{name}'; expected one of {}", names.join(", "));
            return Err(Error::argument(function, position, problem));
        };
        let made = self.made[place].get_or_init(|| make(&PUBLISHED[place]));
        made.clone().ok_or_else(|| Error::internal(format!("the embedded vocabulary {name} cannot be read")))
    }
}

/// Reads the tokens out of the embedded vocabulary. Numbers that stand for special tokens are left out:
/// their text in data is text like any other.
fn make(published: &Published) -> Option<Arc<Encoding>> {
    let reference = (published.load)()?;
    let special: Vec<Vec<u8>> =
        reference.special_tokens().into_iter().map(|token| token.as_bytes().to_vec()).collect();
    let tokens = (0..published.numbers_end)
        .filter_map(|number| reference.decode_bytes(&[number]).ok().map(|bytes| (bytes, number)))
        .filter(|(bytes, _)| !special.contains(bytes));
    let vocabulary = Vocabulary::from_tokens(tokens).ok()?;
    Some(Arc::new(Encoding::new(vocabulary, published.pretokenizer)))
}
