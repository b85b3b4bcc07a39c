//! Normalizers, pre-tokenizers and decoders of a `tokenizer.json`.

use serde_json::Value;

use super::json::{field, flag, kind, text};
use crate::kernel::pretokenize::Pretokenizer;
use crate::token::character_set::CharacterSet;
use crate::token::decoder::Decoder;
use crate::token::normalizer::{Form, Normalizer};
use crate::token::pattern::Pattern;
use crate::token::precompiled::Precompiled;
use crate::token::splitter::{Behavior, Prefix, Splitter};

/// Punctuation as BERT has it: all of ASCII that is neither letter, digit nor white space, and what Unicode calls punctuation.
const PUNCTUATION: &str = r"[!-/:-@\[-`{-~\p{P}]";

fn set(class: &str) -> Result<CharacterSet, String> {
    CharacterSet::of_class(class).ok_or_else(|| format!("the class {class} cannot be read"))
}

/// Adds what one normalizer does.
pub fn add_normalizer(step: &Value, normalizers: &mut Vec<Normalizer>) -> Result<(), String> {
    normalizers.push(match kind(step) {
        "NFC" => Normalizer::Form(Form::Nfc),
        "NFD" => Normalizer::Form(Form::Nfd),
        "NFKC" => Normalizer::Form(Form::Nfkc),
        "NFKD" => Normalizer::Form(Form::Nfkd),
        "Lowercase" => Normalizer::Lowercase,
        "StripAccents" => Normalizer::Drop(set(r"\p{M}")?),
        "Nmt" => Normalizer::Nmt,
        "Strip" => {
            Normalizer::Strip { left: flag(step, "strip_left", true), right: flag(step, "strip_right", true) }
        }
        "Prepend" => Normalizer::Prepend(text(step, "prepend")?.to_owned()),
        "Replace" => {
            Normalizer::Replace { pattern: pattern(step)?, content: text(step, "content")?.to_owned() }
        }
        "Precompiled" => match field(step, "precompiled_charsmap").and_then(Value::as_str) {
            Some(map) if !map.is_empty() => {
                let map = Precompiled::parse(map).ok_or("the precompiled_charsmap is damaged")?;
                Normalizer::Precompiled(map)
            }
            _ => return Ok(()),
        },
        "BertNormalizer" => return add_bert_normalizer(step, normalizers),
        other => return Err(format!("normalizer \"{other}\" is not supported")),
    });
    Ok(())
}

fn add_bert_normalizer(step: &Value, normalizers: &mut Vec<Normalizer>) -> Result<(), String> {
    let lowercase = flag(step, "lowercase", true);
    if flag(step, "clean_text", true) {
        normalizers.push(Normalizer::CleanText { dropped: set(r"[\p{Cc}\p{Cf}\p{Co}\x{fffd}]")? });
    }
    if flag(step, "handle_chinese_chars", true) {
        normalizers.push(Normalizer::SpaceIdeographs);
    }
    if flag(step, "strip_accents", lowercase) {
        normalizers.push(Normalizer::Form(Form::Nfd));
        normalizers.push(Normalizer::Drop(set(r"\p{Mn}")?));
    }
    if lowercase {
        normalizers.push(Normalizer::Lowercase);
    }
    Ok(())
}

/// A pattern written as `{"String": ..}` or `{"Regex": ..}`.
fn pattern(step: &Value) -> Result<Pattern, String> {
    let written = field(step, "pattern").ok_or_else(|| format!("{} has no pattern", kind(step)))?;
    match (written.get("String").and_then(Value::as_str), written.get("Regex").and_then(Value::as_str)) {
        (Some(text), _) => Ok(Pattern::Text(text.to_owned())),
        (_, Some(regex)) => Pattern::regex(regex)
            .map_err(|error| format!("the pattern {regex} of {} is wrong: {error}", kind(step))),
        _ => Err(format!("the pattern of {} is neither a String nor a Regex", kind(step))),
    }
}

fn behavior(step: &Value, otherwise: &str) -> Result<Behavior, String> {
    match step.get("behavior").and_then(Value::as_str).unwrap_or(otherwise) {
        "Removed" => Ok(Behavior::Removed),
        "Isolated" => Ok(Behavior::Isolated),
        "MergedWithPrevious" => Ok(Behavior::MergedWithPrevious),
        "MergedWithNext" => Ok(Behavior::MergedWithNext),
        "Contiguous" => Ok(Behavior::Contiguous),
        other => Err(format!("behavior \"{other}\" of {} is not known", kind(step))),
    }
}

/// Adds how one pre-tokenizer cuts; true if pieces are bytes from there on.
pub fn add_splitter(step: &Value, splitters: &mut Vec<Splitter>) -> Result<bool, String> {
    let removed_space =
        || Ok::<_, String>(Splitter::Characters { set: set(r"\s")?, behavior: Behavior::Removed });
    match kind(step) {
        "ByteLevel" => {
            if flag(step, "add_prefix_space", true) {
                splitters.push(Splitter::PrefixSpace);
            }
            if flag(step, "use_regex", true) {
                let pattern = Pattern::Published(Pretokenizer::R50k);
                splitters.push(Splitter::Pattern {
                    pattern,
                    behavior: Behavior::Isolated,
                    is_inverted: false,
                });
            }
            return Ok(true);
        }
        "BertPreTokenizer" => {
            splitters.push(removed_space()?);
            splitters.push(Splitter::Characters { set: set(PUNCTUATION)?, behavior: Behavior::Isolated });
        }
        "WhitespaceSplit" => splitters.push(removed_space()?),
        "Whitespace" => {
            let pattern = Pattern::regex(r"\w+|[^\w\s]+")?;
            splitters.push(removed_space()?);
            splitters.push(Splitter::Pattern { pattern, behavior: Behavior::Removed, is_inverted: true });
        }
        "Punctuation" => {
            let behavior = behavior(step, "Isolated")?;
            splitters.push(Splitter::Characters { set: set(PUNCTUATION)?, behavior });
        }
        "Digits" => {
            let is_single = flag(step, "individual_digits", false);
            let behavior = if is_single { Behavior::Isolated } else { Behavior::Contiguous };
            splitters.push(Splitter::Characters { set: set(r"\p{N}")?, behavior });
        }
        "CharDelimiterSplit" => {
            let pattern = Pattern::Text(text(step, "delimiter")?.to_owned());
            splitters.push(Splitter::Pattern { pattern, behavior: Behavior::Removed, is_inverted: false });
        }
        "Split" => splitters.push(Splitter::Pattern {
            pattern: pattern(step)?,
            behavior: behavior(step, "Isolated")?,
            is_inverted: flag(step, "invert", false),
        }),
        "Metaspace" => splitters.push(Splitter::Metaspace {
            mark: mark(step)?,
            prefix: prefix(step)?,
            is_split: flag(step, "split", true),
        }),
        other => return Err(format!("pre_tokenizer \"{other}\" is not supported")),
    }
    Ok(false)
}

fn mark(step: &Value) -> Result<char, String> {
    let written = step.get("replacement").and_then(Value::as_str).unwrap_or("\u{2581}");
    let mut characters = written.chars();
    match (characters.next(), characters.next()) {
        (Some(mark), None) => Ok(mark),
        _ => Err(format!("the replacement \"{written}\" of Metaspace is not one character")),
    }
}

/// When Metaspace puts a mark in front; older files say `add_prefix_space`.
fn prefix(step: &Value) -> Result<Prefix, String> {
    match field(step, "prepend_scheme").and_then(Value::as_str) {
        Some("always") => Ok(Prefix::Always),
        Some("first") => Ok(Prefix::First),
        Some("never") => Ok(Prefix::Never),
        Some(other) => Err(format!("prepend_scheme \"{other}\" of Metaspace is not known")),
        None if flag(step, "add_prefix_space", true) => Ok(Prefix::Always),
        None => Ok(Prefix::Never),
    }
}

/// Adds one decoder.
pub fn add_decoder(step: &Value, decoders: &mut Vec<Decoder>) -> Result<(), String> {
    let count = |name: &str| step.get(name).and_then(Value::as_u64).unwrap_or(0) as usize;
    decoders.push(match kind(step) {
        "ByteLevel" => Decoder::ByteLevel,
        "WordPiece" => Decoder::WordPiece {
            prefix: step.get("prefix").and_then(Value::as_str).unwrap_or("##").to_owned(),
            cleans_up: flag(step, "cleanup", true),
        },
        "Metaspace" => Decoder::Metaspace { mark: mark(step)?, has_prefix: prefix(step)? != Prefix::Never },
        "BPEDecoder" => {
            Decoder::Suffix(step.get("suffix").and_then(Value::as_str).unwrap_or("</w>").to_owned())
        }
        "ByteFallback" => Decoder::SpellBytes,
        "Fuse" => Decoder::Fuse,
        "Strip" => Decoder::Strip {
            character: text(step, "content")?.chars().next().unwrap_or(' '),
            start: count("start"),
            end: count("stop"),
        },
        "Replace" => Decoder::Replace { pattern: pattern(step)?, content: text(step, "content")?.to_owned() },
        other => return Err(format!("decoder \"{other}\" is not supported")),
    });
    Ok(())
}
