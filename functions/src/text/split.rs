//! Splits text at a separator.

use crate::Registry;
use crate::column::{Output, Text};
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("string_split", "text", "Splits a text at every occurrence of a separator.")
            .alias("split")
            .alias("str_split")
            .alias("string_to_array")
            .overload([exact("text", Type::Text), exact("separator", Type::Text)], |_| Ok(split()))
            .note("An empty separator splits into characters; a null one leaves the text whole. The parts share the text's bytes.")
            .example("string_split('a,b,,c', ',')", "[a, b, '', c]"),
    );
    registry.register_scalar(
        ScalarFunction::new("split_part", "text", "Part of a text between separators, by its number.")
            .overload(
                [exact("text", Type::Text), exact("separator", Type::Text), exact("number", Type::Int64)],
                |_| Ok(split_part()),
            )
            .note("Parts count from 1, negative numbers from the end; a part that does not exist is empty.")
            .example("split_part('a,b,c', ',', 2)", "b")
            .example("split_part('a,b,c', ',', -1)", "c"),
    );
}

fn split() -> Bound {
    Bound::null_aware(Type::list(Type::Text), |arguments, rows, output, _| {
        let (text, separators) = (arguments[0].text(), arguments[1].text());
        rows.for_each(|row| {
            if arguments[0].is_null(row) {
                output.set_null(row);
                return;
            }
            let whole = text.get(row);
            let mut list = output.list();
            let start = list.start();
            if arguments[1].is_null(row) {
                push_part(list.child(), &text, row, whole);
            } else {
                parts(whole, separators.get(row), |part| push_part(list.child(), &text, row, part));
            }
            list.finish(row, start);
        });
        Ok(())
    })
}

/// Appends a part of row `row` of `text` to a text column.
pub fn push_part(child: &mut Output, text: &Text<'_>, row: usize, part: &str) {
    let at = child.grow(1);
    child.text().set_part(at, text, row, part);
}

/// Gives each part; an empty text has one empty part.
fn parts<'a>(text: &'a str, separator: &str, mut give: impl FnMut(&'a str)) {
    if !separator.is_empty() {
        text.split(separator).for_each(give);
    } else if text.is_empty() {
        give(text);
    } else {
        text.char_indices().for_each(|(at, c)| give(&text[at..at + c.len_utf8()]));
    }
}

fn split_part() -> Bound {
    Bound::strict(Type::Text, |arguments, rows, output, _| {
        let (text, separators) = (arguments[0].text(), arguments[1].text());
        let numbers = arguments[2].fixed::<i64>();
        let mut writer = output.text();
        rows.for_each(|row| {
            let part = numbered_part(text.get(row), separators.get(row), numbers.get(row));
            writer.set_part(row, &text, row, part);
        });
        Ok(())
    })
}

fn numbered_part<'a>(text: &'a str, separator: &str, number: i64) -> &'a str {
    let place = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
    let found = match (number, separator.is_empty()) {
        (0, _) => None,
        (1.., false) => text.split(separator).nth(place - 1),
        (_, false) => text.rsplit(separator).nth(place - 1),
        (1.., true) => text.char_indices().nth(place - 1).map(|(at, c)| &text[at..at + c.len_utf8()]),
        (_, true) => text.char_indices().nth_back(place - 1).map(|(at, c)| &text[at..at + c.len_utf8()]),
    };
    found.unwrap_or("")
}
