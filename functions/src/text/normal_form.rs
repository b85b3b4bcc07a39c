//! Unicode normal forms and text without accents.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::lift::build;
use crate::Registry;
use crate::column::TextBuilder;
use crate::scalar::ScalarFunction;
use crate::signature::exact;
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("nfc_normalize", "text", "The text in Unicode normal form C.")
            .overload([exact("text", Type::Text)], |_| Ok(build(nfc_normalize)))
            .example("length(nfc_normalize(concat('e', chr(769))))", "1"),
    );
    registry.register_scalar(
        ScalarFunction::new("strip_accents", "text", "The text without accents on its letters.")
            .overload([exact("text", Type::Text)], |_| Ok(build(strip_accents)))
            .note("Letters are decomposed (normal form D) and combining marks dropped; 'ø' and 'ß' have no accent.")
            .example("strip_accents('mühleisen')", "muhleisen"),
    );
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
