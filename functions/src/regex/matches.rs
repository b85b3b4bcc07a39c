//! Tests of text against regular expressions.

use super::pattern::{Options, Pattern, cache};
use crate::Registry;
use crate::column::TextBuilder;
use crate::error::Result;
use crate::scalar::{Arguments, Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        test("regexp_matches", "True if a part of a text matches a regular expression.", false)
            .example("regexp_matches('anabanana', '(an)+')", "true")
            .example("regexp_matches('Duck', 'DUCK', 'i')", "true"),
    );
    registry.register_scalar(
        test("regexp_full_match", "True if a whole text matches a regular expression.", true)
            .alias("similar_to")
            .note("`SIMILAR TO` means this function, as in DuckDB.")
            .example("regexp_full_match('anabanana', '(an)+')", "false"),
    );
    registry.register_scalar(
        ScalarFunction::new("regexp_escape", "regex", "A regular expression that matches a text literally.")
            .overload([exact("text", Type::Text)], |_| {
                Ok(Bound::strict(Type::Text, |arguments, rows, output, _| {
                    let text = arguments[0].text();
                    let mut writer = output.text();
                    rows.for_each(|row| writer.build(row, |builder| escape(text.get(row), builder)));
                    Ok(())
                }))
            })
            .example("regexp_escape('a.b')", "a\\.b"),
    );
}

fn test(name: &str, summary: &str, is_full: bool) -> ScalarFunction {
    ScalarFunction::new(name, "regex", summary)
        .overload([exact("text", Type::Text), exact("pattern", Type::Text)], move |a| bind(a, is_full))
        .overload(
            [exact("text", Type::Text), exact("pattern", Type::Text), exact("options", Type::Text)],
            move |a| bind(a, is_full),
        )
        .cost(Cost::Parse)
        .note("Options: i ignores case, c does not, l takes the pattern literally, s lets a dot match line ends, m does not.")
}

fn bind(arguments: &Arguments<'_>, is_full: bool) -> Result<Bound> {
    let options = Options { is_full, ..Options::read(arguments, 2, false)? };
    let pattern = Pattern::bind(arguments, options)?;
    Ok(Bound::strict(Type::Boolean, move |arguments, rows, output, scratch| {
        let text = arguments[0].text();
        if let Some(prepared) = pattern.prepared() {
            let bits = output.boolean();
            rows.for_each(|row| bits.set(row, prepared.is_match(text.get(row))));
            return Ok(());
        }
        let patterns = arguments[1].text();
        let cache = cache(scratch);
        rows.for_each(|row| match pattern.of_row(patterns.get(row), cache) {
            Ok(compiled) => output.boolean().set(row, compiled.is_match(text.get(row))),
            Err(error) => output.fail(row, || error),
        });
        Ok(())
    }))
}

/// Every ASCII character that is no letter, digit or underscore gets a backslash.
fn escape(text: &str, builder: &mut TextBuilder<'_>) {
    for c in text.chars() {
        if c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_' {
            builder.push('\\');
        }
        builder.push(c);
    }
}
