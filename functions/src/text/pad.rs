//! Pads text to a number of characters.

use crate::Registry;
use crate::column::TextBuilder;
use crate::error::Error;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    let note =
        "A longer text is cut to the length; an empty filling that would be needed is an error of the row.";
    registry.register_scalar(
        pad_function("lpad", "Pads a text with another on the left.", true)
            .note(note)
            .example("lpad('7', 3, '0')", "007"),
    );
    registry.register_scalar(
        pad_function("rpad", "Pads a text with another on the right.", false)
            .note(note)
            .example("rpad('7', 3, 'xy')", "7xy"),
    );
}

fn pad_function(name: &'static str, summary: &str, on_left: bool) -> ScalarFunction {
    ScalarFunction::new(name, "text", summary).overload(
        [exact("text", Type::Text), exact("length", Type::Int32), exact("filling", Type::Text)],
        move |_| Ok(pad(name, on_left)),
    )
}

fn pad(name: &'static str, on_left: bool) -> Bound {
    Bound::strict(Type::Text, move |arguments, rows, output, _| {
        let (text, filling) = (arguments[0].text(), arguments[2].text());
        let length = arguments[1].fixed::<i32>();
        rows.for_each(|row| {
            let (text, filling) = (text.get(row), filling.get(row));
            let wanted = usize::try_from(length.get(row)).unwrap_or(0);
            let present = text.chars().count();
            if wanted > present && filling.is_empty() {
                output.fail(row, || {
                    Error::argument(name, 3, "is empty; the text must be padded with something")
                });
                return;
            }
            output.text().build(row, |builder| {
                let missing = wanted.saturating_sub(present);
                if on_left {
                    fill(builder, filling, missing);
                }
                match text.char_indices().nth(wanted) {
                    Some((end, _)) => builder.push_str(&text[..end]),
                    None => builder.push_str(text),
                }
                if !on_left {
                    fill(builder, filling, missing);
                }
            });
        });
        Ok(())
    })
}

fn fill(builder: &mut TextBuilder<'_>, filling: &str, characters: usize) {
    filling.chars().cycle().take(characters).for_each(|c| builder.push(c));
}
