//! Tokenizers by name: the published ones, built on first use, and those of files, read while a call is bound. They are kept by
//! the registry that the functions belong to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tiktoken_rs::CoreBPE;

use super::added::AddedToken;
use super::load;
use super::tokenizer::Tokenizer;
use crate::error::{Error, Result};
use crate::files::{FileStamp, Files};
use crate::kernel::bpe::{Encoding, Vocabulary};
use crate::kernel::pretokenize::Pretokenizer;

/// Tokenizers of files that are kept; those used longest ago go first. Plans that use one hold on to it.
const KEPT_FILES: usize = 8;

/// A published encoding.
struct Published {
    name: &'static str,
    pretokenizer: Pretokenizer,
    /// One more than the largest number of an ordinary token.
    numbers_end: u32,
    load: fn() -> Option<CoreBPE>,
}

const PUBLISHED: [Published; 6] = [
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
    Published {
        name: "p50k_edit",
        pretokenizer: Pretokenizer::R50k,
        numbers_end: 50_281,
        load: || tiktoken_rs::p50k_edit().ok(),
    },
    Published {
        name: "o200k_harmony",
        pretokenizer: Pretokenizer::O200k,
        numbers_end: 199_998,
        load: || tiktoken_rs::o200k_harmony().ok(),
    },
];

/// A tokenizer of a file, as the file was.
#[derive(Debug)]
struct FromFile {
    name: String,
    stamp: FileStamp,
    tokenizer: Arc<Tokenizer>,
}

/// Tokenizers made so far, one place for each that is published.
#[derive(Debug, Default)]
pub struct Library {
    made: [OnceLock<Option<Arc<Tokenizer>>>; PUBLISHED.len()],
    files: Files,
    /// Latest last.
    read: Mutex<VecDeque<FromFile>>,
}

impl Library {
    /// A library that reads files through these.
    pub fn new(files: Files) -> Self {
        Self { files, ..Self::default() }
    }

    /// The tokenizer of this name or path, argument `position` of `function`.
    ///
    /// # Errors
    /// [`Error::Argument`] if there is none of that name, or the file is none.
    pub fn tokenizer(&self, name: &str, function: &str, position: usize) -> Result<Arc<Tokenizer>> {
        if let Some(place) = place_of(name) {
            let made = self.made[place].get_or_init(|| make(&PUBLISHED[place]));
            let problem = || Error::internal(format!("the embedded vocabulary {name} cannot be read"));
            return made.clone().ok_or_else(problem);
        }
        if !name.contains(['/', '.', '\\']) {
            let names: Vec<_> = PUBLISHED.iter().map(|published| published.name).collect();
            let problem = format!(
                "is '{name}'; expected one of {}, or the path of a tokenizer.json, .tiktoken or .model file",
                names.join(", ")
            );
            return Err(Error::argument(function, position, problem));
        }
        self.of_file(name, function, position)
    }

    fn of_file(&self, name: &str, function: &str, position: usize) -> Result<Arc<Tokenizer>> {
        // A pattern may stand in front of the path: `r50k_base:whisper/multilingual.tiktoken`.
        let (pattern, path) = match name.split_once(':') {
            Some((pattern, path)) if place_of(pattern).is_some() => (place_of(pattern), path),
            _ => (None, name),
        };
        let reader = self.files.reader()?;
        let stamp = reader.stamp(path)?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = read.iter().position(|held| held.name == name && held.stamp == stamp)
            && let Some(held) = read.remove(place)
        {
            let tokenizer = Arc::clone(&held.tokenizer);
            read.push_back(held);
            return Ok(tokenizer);
        }
        let bytes = reader.read(path)?;
        let refused =
            |problem: String| Error::argument(function, position, format!("names {path}, where {problem}"));
        let tokenizer = match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            _ if path.ends_with(".model") => load::from_sentence_piece(&bytes).map_err(refused)?,
            Some(b'{') => load::from_json(&bytes).map_err(refused)?,
            _ => {
                let pretokenizer =
                    pattern.or_else(|| place_in_path(path)).map(|place| PUBLISHED[place].pretokenizer);
                let pretokenizer = pretokenizer.ok_or_else(|| {
                    refused("the pattern is not known; name the file after its encoding, or write 'cl100k_base:path'".into())
                })?;
                load::from_tiktoken(&bytes, pretokenizer).map_err(refused)?
            }
        };
        let tokenizer = Arc::new(tokenizer);
        read.retain(|held| held.name != name);
        if read.len() >= KEPT_FILES {
            read.pop_front();
        }
        read.push_back(FromFile { name: name.to_owned(), stamp, tokenizer: Arc::clone(&tokenizer) });
        Ok(tokenizer)
    }
}

fn place_of(name: &str) -> Option<usize> {
    let name = if name == "gpt2" { "r50k_base" } else { name };
    PUBLISHED.iter().position(|published| published.name == name)
}

/// The encoding that the name of a file begins with.
fn place_in_path(path: &str) -> Option<usize> {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    if file.starts_with("gpt2") {
        return place_of("gpt2");
    }
    PUBLISHED.iter().position(|published| file.starts_with(published.name))
}

/// Reads the tokens out of the embedded vocabulary. Numbers of special tokens are added tokens: their
/// text in data is text like any other, unless they are asked for.
fn make(published: &Published) -> Option<Arc<Tokenizer>> {
    let reference = (published.load)()?;
    let special = reference.special_tokens();
    let texts: Vec<Vec<u8>> = special.iter().map(|token| token.as_bytes().to_vec()).collect();
    let tokens = (0..published.numbers_end)
        .filter_map(|number| reference.decode_bytes(&[number]).ok().map(|bytes| (bytes, number)))
        .filter(|(bytes, _)| !texts.contains(bytes));
    let vocabulary = Vocabulary::from_tokens(tokens).ok()?;
    let added = special.iter().filter_map(|token| {
        let id = *reference.encode_with_special_tokens(token).first()?;
        Some(AddedToken { content: (*token).to_owned(), id, is_special: true, ..AddedToken::default() })
    });
    let encoding = Encoding::new(vocabulary, published.pretokenizer);
    load::byte_level_tokenizer(encoding, added.collect()).ok().map(Arc::new)
}
