//! Unicode normal forms and text without accents.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::lift::build;
use crate::Registry;
use crate::column::TextBuilder;
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;
use crate::value::{Literal, Value};

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("nfc_normalize", "text", "The text in Unicode normal form C.")
            .overload([exact("text", Type::Text)], |_| Ok(build(nfc_normalize)))
            .example("length(nfc_normalize(concat('e', chr(769))))", "1"),
    );
    for (name, form, summary, example, result) in [
        ("nfd_normalize", Form::Nfd, "The text in Unicode normal form D.", "length(nfd_normalize('é'))", "2"),
        ("nfkc_normalize", Form::Nfkc, "The text in Unicode normal form KC.", "nfkc_normalize('ﬁ①')", "fi1"),
        ("nfkd_normalize", Form::Nfkd, "The text in Unicode normal form KD.", "nfkd_normalize('ﬁ①')", "fi1"),
    ] {
        let function = ScalarFunction::new(name, "text", summary)
            .overload([exact("text", Type::Text)], move |_| {
                Ok(build(move |text, builder| form.write(text, |c| builder.push(c))))
            })
            .note("Source: Unicode Standard Annex 15.")
            .example(example, result);
        registry.register_scalar(function);
    }
    registry.register_scalar(
        ScalarFunction::new("casefold", "text", "The text without differences of case, for comparing.")
            .overload([exact("text", Type::Text)], |_| {
                Ok(build(|text, builder| fold_case(text, |c| builder.push(c))))
            })
            .note("Full case folding of Unicode, which is more than lower case: 'ß' becomes 'ss'.")
            .example("casefold('Straße')", "strasse"),
    );
    registry.register_scalar(
        ScalarFunction::new("normalize_text", "text", "The text in a normal form and, if asked for, without accents or differences of case.")
            .overload(
                [
                    exact("text", Type::Text),
                    exact("form", Type::Text).or(Literal::new(Value::from("nfkc"))),
                    exact("casefold", Type::Boolean).or(Literal::new(Value::Boolean(false))),
                    exact("strip_accents", Type::Boolean).or(Literal::new(Value::Boolean(false))),
                ],
                normalize_text,
            )
            .note("Accents are dropped first, then case is folded, then the text is brought into the form: 'nfc', 'nfd', 'nfkc' or 'nfkd'. All but the text are constant.")
            .example("normalize_text('Ｃａｆé', casefold => true, strip_accents => true)", "cafe"),
    );
    registry.register_scalar(
        ScalarFunction::new("strip_accents", "text", "The text without accents on its letters.")
            .overload([exact("text", Type::Text)], |_| Ok(build(strip_accents)))
            .note("Letters are decomposed (normal form D) and combining marks dropped; 'ø' and 'ß' have no accent.")
            .example("strip_accents('mühleisen')", "muhleisen"),
    );
}

/// A Unicode normal form.
#[derive(Debug, Clone, Copy)]
enum Form {
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
}

impl Form {
    fn write(self, text: &str, write: impl FnMut(char)) {
        match self {
            _ if text.is_ascii() => text.chars().for_each(write),
            Self::Nfc => text.nfc().for_each(write),
            Self::Nfd => text.nfd().for_each(write),
            Self::Nfkc => text.nfkc().for_each(write),
            Self::Nfkd => text.nfkd().for_each(write),
        }
    }
}

/// Full case folding: the lower case of the upper case, but for the characters that have no such pair: dotless i, capital sharp s,
/// and Cherokee, whose capitals came first.
fn fold_case(text: &str, mut write: impl FnMut(char)) {
    for character in text.chars() {
        let code = u32::from(character);
        match code {
            0..=0x7f => write(character.to_ascii_lowercase()),
            0x131 | 0x13a0..=0x13f5 => write(character),
            0x13f8..=0x13fd => write(char::from_u32(code - 8).unwrap_or(character)),
            0xab70..=0xabbf => write(char::from_u32(code - 0xab70 + 0x13a0).unwrap_or(character)),
            0x1e9e => "ss".chars().for_each(&mut write),
            _ => character.to_uppercase().flat_map(char::to_lowercase).for_each(&mut write),
        }
    }
}

fn normalize_text(arguments: &Arguments<'_>) -> Result<Bound> {
    let form = match arguments.constant_text(1)?.to_ascii_lowercase().as_str() {
        "nfc" => Form::Nfc,
        "nfd" => Form::Nfd,
        "nfkc" => Form::Nfkc,
        "nfkd" => Form::Nfkd,
        other => {
            let problem = format!("is '{other}'; expected 'nfc', 'nfd', 'nfkc' or 'nfkd'");
            return Err(Error::argument(arguments.function, 2, problem));
        }
    };
    let folds = arguments.constant(2)?.as_bool().unwrap_or(false);
    let strips = arguments.constant(3)?.as_bool().unwrap_or(false);
    Ok(Bound::strict(Type::Text, move |arguments, rows, output, scratch| {
        let texts = arguments[0].text();
        let [stripped, folded] = scratch.slot::<[String; 2]>();
        let mut writer = output.text();
        rows.for_each(|row| {
            let mut text = texts.get(row);
            if strips && !text.is_ascii() {
                stripped.clear();
                stripped.extend(text.nfd().filter(|c| !is_combining_mark(*c)));
                text = stripped;
            }
            if folds {
                folded.clear();
                fold_case(text, |c| folded.push(c));
                text = folded;
            }
            writer.build(row, |builder| form.write(text, |c| builder.push(c)));
        });
        Ok(())
    }))
}

fn nfc_normalize(text: &str, builder: &mut TextBuilder<'_>) {
    if text.is_ascii() {
        builder.push_str(text);
    } else {
        text.nfc().for_each(|c| builder.push(c));
    }
}

fn strip_accents(text: &str, builder: &mut TextBuilder<'_>) {
    if text.is_ascii() {
        builder.push_str(text);
    } else {
        text.nfd().filter(|c| !is_combining_mark(*c)).nfc().for_each(|c| builder.push(c));
    }
}
