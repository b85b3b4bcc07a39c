//! The model of a `tokenizer.json`: vocabulary, merges, scores.

use serde_json::Value;

use super::byte_level;
use super::json::{field, flag, kind, needed, number, text};
use crate::kernel::token::pair_merge::{PairMerge, PairMergeError, PairOptions};
use crate::kernel::token::unigram::Unigram;
use crate::kernel::token::word_level::WordLevel;
use crate::kernel::token::word_piece::WordPiece;
use crate::token::tokenizer::{Model, Parts};

/// Highest number of a token.
const NUMBERS_MAX: usize = 1 << 24;

/// Tokens of a vocabulary with their numbers.
type Tokens<'a> = Vec<(&'a str, u32)>;

/// Merges, earliest first.
type Merges<'a> = Vec<(&'a str, &'a str)>;

/// The model; names of tokens go to `parts`.
pub fn model(value: &Value, is_byte_level: bool, parts: &mut Parts) -> Result<Model, String> {
    // Older files do not name the type of the model.
    let is = |name: &str, has: &str| {
        kind(value) == name || (value.get("type").is_none() && value.get(has).is_some())
    };
    if is("Unigram", "unk_id") {
        unigram(value, parts)
    } else if is("BPE", "merges") {
        pairs(value, is_byte_level, parts)
    } else if is("WordPiece", "max_input_chars_per_word") {
        word_piece(value, parts)
    } else if kind(value) == "WordLevel" {
        word_level(value, parts)
    } else {
        Err(format!("model \"{}\" is not known; expected BPE, WordPiece, WordLevel or Unigram", kind(value)))
    }
}

fn tokens(value: &Value) -> Result<Tokens<'_>, String> {
    let vocabulary =
        needed(value, "vocab")?.as_object().ok_or("\"vocab\" is no object of tokens and numbers")?;
    vocabulary.iter().map(|(token, id)| Ok((token.as_str(), number(id)?))).collect()
}

/// Keeps the texts of tokens by number.
pub(super) fn keep_names<'a>(
    tokens: impl Iterator<Item = (&'a str, u32)>,
    parts: &mut Parts,
) -> Result<(), String> {
    for (token, id) in tokens {
        let place = id as usize;
        if place >= NUMBERS_MAX {
            return Err(format!("the token number {id} is too large; expected numbers below {NUMBERS_MAX}"));
        }
        if place >= parts.names.len() {
            parts.names.resize(place + 1, None);
        }
        parts.names[place] = Some(Box::from(token));
    }
    Ok(())
}

fn word_piece(value: &Value, parts: &mut Parts) -> Result<Model, String> {
    let tokens = tokens(value)?;
    let unknown_name = value.get("unk_token").and_then(Value::as_str).unwrap_or("[UNK]");
    let unknown = value.get("vocab").and_then(|vocabulary| vocabulary.get(unknown_name));
    let unknown = number(unknown.ok_or_else(|| format!("the vocabulary has no \"{unknown_name}\""))?)?;
    let prefix = value.get("continuing_subword_prefix").and_then(Value::as_str).unwrap_or("##");
    let characters_max = value.get("max_input_chars_per_word").and_then(Value::as_u64).unwrap_or(100);
    keep_names(tokens.iter().copied(), parts)?;
    Ok(Model::WordPiece(WordPiece::new(tokens.iter().copied(), prefix, unknown, characters_max as usize)))
}

fn word_level(value: &Value, parts: &mut Parts) -> Result<Model, String> {
    let tokens = tokens(value)?;
    let unknown_name = value.get("unk_token").and_then(Value::as_str).unwrap_or("<unk>");
    let unknown = tokens.iter().find(|(token, _)| *token == unknown_name).map(|(_, id)| *id);
    keep_names(tokens.iter().copied(), parts)?;
    Ok(Model::WordLevel(WordLevel::new(tokens.into_iter(), unknown)))
}

fn unigram(value: &Value, parts: &mut Parts) -> Result<Model, String> {
    let entries = needed(value, "vocab")?.as_array().ok_or("\"vocab\" is no array of tokens and scores")?;
    let entry =
        |entry: &Value| match (entry.get(0).and_then(Value::as_str), entry.get(1).and_then(Value::as_f64)) {
            (Some(token), Some(score)) => Ok((token.to_owned(), score)),
            _ => Err(format!("{entry} is no token with its score")),
        };
    let tokens = entries.iter().map(entry).collect::<Result<Vec<_>, String>>()?;
    let unknown = field(value, "unk_id").map(number).transpose()?;
    if unknown.is_some_and(|id| id as usize >= tokens.len()) {
        return Err("\"unk_id\" is no token".into());
    }
    keep_names(tokens.iter().map(|(token, _)| token.as_str()).zip(0u32..), parts)?;
    Ok(Model::Unigram(Unigram::new(&tokens, unknown, flag(value, "byte_fallback", false))))
}

fn pairs(value: &Value, is_byte_level: bool, parts: &mut Parts) -> Result<Model, String> {
    let tokens = tokens(value)?;
    let merges = needed(value, "merges")?.as_array().ok_or("\"merges\" is no array")?;
    let merge = |merge: &'_ Value| -> Result<(String, String), String> {
        let parts = match merge {
            Value::String(written) => {
                written.split_once(' ').map(|(left, right)| (left.to_owned(), right.to_owned()))
            }
            _ => merge
                .get(0)
                .and_then(Value::as_str)
                .zip(merge.get(1).and_then(Value::as_str))
                .map(|(left, right)| (left.to_owned(), right.to_owned())),
        };
        parts.ok_or_else(|| format!("{merge} is no merge; expected two tokens"))
    };
    let merges = merges.iter().map(merge).collect::<Result<Vec<_>, _>>()?;
    let merges: Merges<'_> = merges.iter().map(|(left, right)| (left.as_str(), right.as_str())).collect();
    let unknown = match field(value, "unk_token") {
        Some(_) => value.get("vocab").and_then(|vocabulary| vocabulary.get(text(value, "unk_token").ok()?)),
        None => None,
    };
    let affix = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let options = PairOptions {
        continuing_prefix: affix("continuing_subword_prefix"),
        end_suffix: affix("end_of_word_suffix"),
        unknown: unknown.map(number).transpose()?,
        fuse_unknown: flag(value, "fuse_unk", false),
        spell_bytes: flag(value, "byte_fallback", false),
        whole_words: flag(value, "ignore_merges", false),
    };
    keep_names(tokens.iter().copied(), parts)?;
    let is_plain = options.continuing_prefix.is_empty() && options.end_suffix.is_empty();
    let mark =
        if is_plain && !is_byte_level && !options.whole_words { separable_mark(&merges) } else { None };
    let model = PairMerge::new(tokens.iter().copied(), merges.iter().copied(), options.clone());
    let model = model.map_err(|PairMergeError::UnknownToken(token)| {
        format!("a merge needs the token \"{token}\", which is not in the vocabulary")
    })?;
    if is_byte_level
        && is_plain
        && let Some((encoding, numbers)) =
            byte_level::encoding(&tokens, &merges, &model, options.whole_words, &parts.splitters)
    {
        return Ok(Model::Bytes { encoding, numbers });
    }
    Ok(Model::Pairs { merges: model, maps_bytes: is_byte_level, mark })
}

/// SentencePiece's mark, if no merge joins it to text in front: pieces may then be cut there.
pub(super) fn separable_mark(merges: &[(&str, &str)]) -> Option<char> {
    const MARK: char = '\u{2581}';
    let is_marks = |token: &str| token.chars().all(|character| character == MARK);
    let keeps = |&(left, right): &(&str, &str)| !right.contains(MARK) || (is_marks(left) && is_marks(right));
    merges.iter().all(keeps).then_some(MARK)
}
