//! Text from its end to its start.

use unicode_segmentation::UnicodeSegmentation;

use super::lift::build;
use crate::Registry;
use crate::column::TextBuilder;
use crate::scalar::ScalarFunction;
use crate::signature::exact;
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("reverse", "text", "The text from its end to its start.")
            .overload([exact("text", Type::Text)], |_| Ok(build(reverse)))
            .note("Grapheme clusters stay whole, so accents and flags survive.")
            .example("reverse('hello')", "olleh"),
    );
}

fn reverse(text: &str, builder: &mut TextBuilder<'_>) {
    if text.is_ascii() {
        text.chars().rev().for_each(|c| builder.push(c));
    } else {
        text.graphemes(true).rev().for_each(|grapheme| builder.push_str(grapheme));
    }
}
