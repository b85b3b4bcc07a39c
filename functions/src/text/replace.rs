//! Replaces text by text and characters by characters.

use super::lift::build_from_three;
use crate::Registry;
use crate::column::TextBuilder;
use crate::scalar::ScalarFunction;
use crate::signature::exact;
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("replace", "text", "Replaces every occurrence of a text by another.")
            .overload(
                [exact("text", Type::Text), exact("source", Type::Text), exact("target", Type::Text)],
                |_| Ok(build_from_three(replace)),
            )
            .note("An empty source replaces nothing.")
            .example("replace('hello', 'l', '-')", "he--o"),
    );
    registry.register_scalar(
        ScalarFunction::new("translate", "text", "Replaces each character of one set by the one at its place in another.")
            .overload([exact("text", Type::Text), exact("from", Type::Text), exact("to", Type::Text)], |_| {
                Ok(build_from_three(translate))
            })
            .note("Characters whose place lies past the end of the second set are removed; the first of several wins.")
            .example("translate('12345', '143', 'ax')", "a2x5"),
    );
}

fn replace(text: &str, source: &str, target: &str, builder: &mut TextBuilder<'_>) {
    if source.is_empty() {
        builder.push_str(text);
        return;
    }
    let mut done = 0;
    for (at, found) in text.match_indices(source) {
        builder.push_str(&text[done..at]);
        builder.push_str(target);
        done = at + found.len();
    }
    builder.push_str(&text[done..]);
}

fn translate(text: &str, from: &str, to: &str, builder: &mut TextBuilder<'_>) {
    for c in text.chars() {
        match from.chars().position(|held| held == c) {
            None => builder.push(c),
            Some(place) => {
                if let Some(replacement) = to.chars().nth(place) {
                    builder.push(replacement);
                }
            }
        }
    }
}
