//! Text split where regular expressions match.

use ::regex::Regex;

use super::pattern::{Options, Pattern, cache};
use crate::Registry;
use crate::error::Result;
use crate::scalar::{Arguments, Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::text::push_part;
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("string_split_regex", "regex", "Splits a text where a regular expression matches.")
            .alias("regexp_split_to_array")
            .alias("str_split_regex")
            .alias("split_regex")
            .overload([exact("text", Type::Text), exact("pattern", Type::Text)], bind)
            .overload([exact("text", Type::Text), exact("pattern", Type::Text), exact("options", Type::Text)], bind)
            .cost(Cost::Parse)
            .note("An empty match splits after the next character; a null pattern leaves the text whole. Options are those of regexp_matches.")
            .example("string_split_regex('a1b22c', '\\d+')", "[a, b, c]"),
    );
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    let pattern = Pattern::bind(arguments, Options::read(arguments, 2, false)?)?;
    Ok(Bound::null_aware(Type::list(Type::Text), move |arguments, rows, output, scratch| {
        let (text, patterns) = (arguments[0].text(), arguments[1].text());
        let cache = cache(scratch);
        rows.for_each(|row| {
            if arguments[0].is_null(row) {
                output.set_null(row);
                return;
            }
            let mut list = output.list();
            let start = list.start();
            let whole = text.get(row);
            if arguments[1].is_null(row) {
                push_part(list.child(), &text, row, whole);
            } else {
                match pattern.of_row(patterns.get(row), cache) {
                    Ok(compiled) => split(compiled, whole, |part| push_part(list.child(), &text, row, part)),
                    Err(error) => {
                        output.fail(row, || error);
                        return;
                    }
                }
            }
            list.finish(row, start);
        });
        Ok(())
    }))
}

fn split(pattern: &Regex, text: &str, mut give: impl FnMut(&str)) {
    let mut done = 0;
    while done < text.len()
        && let Some(found) = pattern.find_at(text, done)
    {
        let (mut start, mut end) = (found.start(), found.end());
        if found.is_empty() && start == done {
            // The part is the next character, unless nothing would be left after it.
            start += text[done..].chars().next().map_or(1, char::len_utf8);
            end = start;
            if start == text.len() {
                break;
            }
        }
        give(&text[done..start]);
        done = end;
    }
    give(&text[done..]);
}
