//! The whole of a `tokenizer.json`: model, steps, added tokens.

use serde_json::Value;

use super::{model, steps};
use crate::token::added::AddedToken;
use crate::token::template::{Template, TemplatePart};
use crate::token::tokenizer::{Parts, Tokenizer};

/// A field that is there and not null.
pub fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).filter(|value| !value.is_null())
}

/// A field that must be there.
pub fn needed<'a>(value: &'a Value, name: &str) -> Result<&'a Value, String> {
    field(value, name).ok_or_else(|| format!("{} has no \"{name}\"", kind(value)))
}

/// A text field.
pub fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, String> {
    needed(value, name)?.as_str().ok_or_else(|| format!("\"{name}\" of {} is no text", kind(value)))
}

/// A truth value, `otherwise` where there is none.
pub fn flag(value: &Value, name: &str, otherwise: bool) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or(otherwise)
}

/// A token number.
pub fn number(value: &Value) -> Result<u32, String> {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number
        .filter(|&number| number < 1 << 31)
        .ok_or_else(|| format!("{value} is no token number; expected 0 to 2^31 - 1"))
}

/// The name that a step or model goes by.
pub fn kind(value: &Value) -> &str {
    value.get("type").and_then(Value::as_str).unwrap_or("the file")
}

/// The steps of a `Sequence` under one of these names, or the one step.
pub fn sequence<'a>(value: &'a Value, names: &[&str]) -> Result<Vec<&'a Value>, String> {
    if kind(value) != "Sequence" {
        return Ok(vec![value]);
    }
    let steps = names.iter().find_map(|name| value.get(*name)).and_then(Value::as_array);
    let steps = steps.ok_or_else(|| format!("a Sequence has no \"{}\"", names.join("\" or \"")))?;
    let nested = steps.iter().map(|step| sequence(step, names)).collect::<Result<Vec<_>, _>>()?;
    Ok(nested.concat())
}

/// The tokenizer of a file.
pub fn tokenizer(bytes: &[u8], identity: u64) -> Result<Tokenizer, String> {
    let file: Value = serde_json::from_slice(bytes).map_err(|error| format!("is no JSON: {error}"))?;
    let added = added_tokens(&file)?;
    let mut parts = Parts { added, reads_added: true, identity, ..Parts::default() };
    if let Some(value) = field(&file, "normalizer") {
        for step in sequence(value, &["normalizers"])? {
            steps::add_normalizer(step, &mut parts.normalizers)?;
        }
    }
    let mut is_byte_level = false;
    if let Some(value) = field(&file, "pre_tokenizer") {
        for step in sequence(value, &["pretokenizers", "pre_tokenizers"])? {
            if is_byte_level {
                return Err(format!(
                    "pre_tokenizer {} stands behind ByteLevel; expected nothing there",
                    kind(step)
                ));
            }
            is_byte_level = steps::add_splitter(step, &mut parts.splitters)?;
        }
    }
    if let Some(value) = field(&file, "decoder") {
        let mut decoders = Vec::new();
        for step in sequence(value, &["decoders"])? {
            steps::add_decoder(step, &mut decoders)?;
        }
        parts.decoders = Some(decoders);
    }
    if let Some(value) = field(&file, "post_processor") {
        for step in sequence(value, &["processors"])? {
            add_post_processor(step, &mut parts)?;
        }
    }
    parts.padding = match field(&file, "padding").and_then(|padding| padding.get("pad_id")) {
        Some(id) => Some(number(id)?),
        None => padding_by_name(&file, &parts.added),
    };
    let model = model::model(needed(&file, "model")?, is_byte_level, &mut parts)?;
    Tokenizer::new(model, parts)
}

/// The number of the token that models are padded with by custom.
fn padding_by_name(file: &Value, added: &[AddedToken]) -> Option<u32> {
    let names = ["[PAD]", "<pad>", "<|pad|>", "<PAD>"];
    let among_added =
        added.iter().find(|token| names.contains(&token.content.as_str())).map(|token| token.id);
    let vocabulary = file.get("model").and_then(|model| model.get("vocab"));
    let in_vocabulary =
        || names.iter().find_map(|name| vocabulary?.get(*name)).and_then(|id| number(id).ok());
    among_added.or_else(in_vocabulary)
}

fn added_tokens(file: &Value) -> Result<Vec<AddedToken>, String> {
    let Some(tokens) = field(file, "added_tokens") else { return Ok(Vec::new()) };
    let tokens = tokens.as_array().ok_or("\"added_tokens\" is no array")?;
    let token = |value: &Value| {
        Ok(AddedToken {
            content: text(value, "content")?.to_owned(),
            id: number(needed(value, "id")?)?,
            is_single_word: flag(value, "single_word", false),
            takes_left: flag(value, "lstrip", false),
            takes_right: flag(value, "rstrip", false),
            is_normalized: flag(value, "normalized", true),
            is_literal: false,
            is_special: flag(value, "special", false),
        })
    };
    tokens.iter().map(token).collect()
}

fn add_post_processor(step: &Value, parts: &mut Parts) -> Result<(), String> {
    let special = |name: &str| -> Result<u32, String> {
        let pair = needed(step, name)?;
        number(pair.get(1).ok_or_else(|| format!("\"{name}\" of {} has no number", kind(step)))?)
    };
    match kind(step) {
        "ByteLevel" => {
            if flag(step, "trim_offsets", true) {
                parts.trimming = Some(flag(step, "add_prefix_space", true));
            }
        }
        "BertProcessing" => parts.template = Template::bert(special("cls")?, special("sep")?),
        "RobertaProcessing" => {
            parts.template = Template::roberta(special("cls")?, special("sep")?);
            if flag(step, "trim_offsets", true) {
                parts.trimming = Some(flag(step, "add_prefix_space", true));
            }
        }
        "TemplateProcessing" => {
            let part = |name: &str| -> Result<Vec<TemplatePart>, String> {
                let pieces =
                    needed(step, name)?.as_array().ok_or_else(|| format!("\"{name}\" is no array"))?;
                pieces.iter().map(|piece| template_part(piece, step)).collect()
            };
            parts.template = Template { single: part("single")?, pair: part("pair")? };
        }
        other => return Err(format!("post_processor \"{other}\" is not supported")),
    }
    Ok(())
}

fn template_part(piece: &Value, step: &Value) -> Result<TemplatePart, String> {
    let type_of = |value: &Value| value.get("type_id").map_or(Ok(0), number);
    if let Some(sequence) = piece.get("Sequence") {
        return match text(sequence, "id")? {
            "A" => Ok(TemplatePart::First(type_of(sequence)?)),
            "B" => Ok(TemplatePart::Second(type_of(sequence)?)),
            other => Err(format!("a template names the text \"{other}\"; expected A or B")),
        };
    }
    let special = needed(piece, "SpecialToken")?;
    let name = text(special, "id")?;
    let tokens =
        step.get("special_tokens").and_then(|tokens| tokens.get(name)).and_then(|token| token.get("ids"));
    let tokens = tokens
        .and_then(Value::as_array)
        .ok_or_else(|| format!("the template's token \"{name}\" has no numbers"))?;
    let ids = tokens.iter().map(number).collect::<Result<_, _>>()?;
    Ok(TemplatePart::Tokens(ids, type_of(special)?))
}
