//! Parts of text by position: substring, left, right, in characters or in grapheme clusters.

use unicode_segmentation::UnicodeSegmentation;

use super::lift::part_by_number;
use crate::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Cuts `range`, counted in some unit, out of a text.
type Cut = fn(&str, i64, i64) -> &str;
/// Counts the units of a text.
type Count = fn(&str) -> i64;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    let note = "Positions count from 1, negative ones from the end; a negative length takes characters before the position.";
    registry.register_scalar(
        substring_function("substring", "Part of a text, in characters.", cut_characters, count_characters)
            .alias("substr")
            .note(note)
            .example("substring('hello', 2, 3)", "ell")
            .example("substring('hello', -3)", "llo"),
    );
    registry.register_scalar(
        substring_function(
            "substring_grapheme",
            "Part of a text, in grapheme clusters.",
            cut_graphemes,
            count_graphemes,
        )
        .note(note)
        .example("substring_grapheme('🤦🏼‍♂️x', 2, 1)", "x"),
    );
    registry.register_scalar(
        side("left", "First characters of a text.", |text, count| {
            cut_side(text, count, true, cut_characters, count_characters)
        })
        .note("A negative count leaves out that many characters at the end.")
        .example("left('hello', 2)", "he")
        .example("left('hello', -2)", "hel"),
    );
    registry.register_scalar(
        side("right", "Last characters of a text.", |text, count| {
            cut_side(text, count, false, cut_characters, count_characters)
        })
        .note("A negative count leaves out that many characters at the start.")
        .example("right('hello', 3)", "llo"),
    );
    registry.register_scalar(
        side("left_grapheme", "First grapheme clusters of a text.", |text, count| {
            cut_side(text, count, true, cut_graphemes, count_graphemes)
        })
        .example("left_grapheme('🤦🏼‍♂️x', 1)", "🤦🏼‍♂️"),
    );
    registry.register_scalar(
        side("right_grapheme", "Last grapheme clusters of a text.", |text, count| {
            cut_side(text, count, false, cut_graphemes, count_graphemes)
        })
        .example("right_grapheme('x🤦🏼‍♂️', 1)", "🤦🏼‍♂️"),
    );
    register_overlay(registry);
}

fn side(name: &str, summary: &str, function: fn(&str, i64) -> &str) -> ScalarFunction {
    ScalarFunction::new(name, "text", summary)
        .overload([exact("text", Type::Text), exact("count", Type::Int64)], move |_| {
            Ok(part_by_number(function))
        })
}

/// `overlay`: a part of a text replaced by another text.
fn register_overlay(registry: &mut Registry) {
    let texts = || [exact("text", Type::Text), exact("replacement", Type::Text), exact("start", Type::Int64)];
    let [text, replacement, start] = texts();
    registry.register_scalar(
        ScalarFunction::new("overlay", "text", "A text with another one in place of a part.")
            .overload(texts(), |_| Ok(overlay(false)))
            .overload([text, replacement, start, exact("count", Type::Int64)], |_| Ok(overlay(true)))
            .note("The part begins at a position from 1 on and is as long as the replacement, unless a count of characters from 0 on is given.")
            .example("overlay('abcdef', 'XX', 2, 3)", "aXXef"),
    );
}

fn overlay(is_counted: bool) -> Bound {
    Bound::strict(Type::Text, move |arguments, rows, output, _| {
        let (text, replacement) = (arguments[0].text(), arguments[1].text());
        let starts = arguments[2].fixed::<i64>();
        let counts = is_counted.then(|| arguments[3].fixed::<i64>());
        rows.for_each(|row| {
            let (text, replacement, start) = (text.get(row), replacement.get(row), starts.get(row));
            let count = counts.as_ref().map(|counts| counts.get(row)).filter(|count| *count >= 0);
            let count = count.unwrap_or_else(|| count_characters(replacement));
            let start = start.saturating_sub(1);
            let before = cut_characters(text, 0, start);
            let after = cut_characters(text, start.saturating_add(count), i64::MAX);
            output.text().build(row, |builder| {
                [before, replacement, after].into_iter().for_each(|part| builder.push_str(part));
            });
        });
        Ok(())
    })
}

fn substring_function(name: &str, summary: &str, cut: Cut, count: Count) -> ScalarFunction {
    ScalarFunction::new(name, "text", summary)
        .overload([exact("text", Type::Text), exact("start", Type::Int64)], move |_| {
            Ok(part_by_number(move |text, start| substring(text, start, i64::MAX, cut, count)))
        })
        .overload(
            [exact("text", Type::Text), exact("start", Type::Int64), exact("length", Type::Int64)],
            move |_| Ok(substring_of_length(cut, count)),
        )
}

fn substring_of_length(cut: Cut, count: Count) -> Bound {
    Bound::strict(Type::Text, move |arguments, rows, output, _| {
        let text = arguments[0].text();
        let (start, length) = (arguments[1].fixed::<i64>(), arguments[2].fixed::<i64>());
        let mut writer = output.text();
        rows.for_each(|row| {
            let part = substring(text.get(row), start.get(row), length.get(row), cut, count);
            writer.set_part(row, &text, row, part);
        });
        Ok(())
    })
}

/// The definition: the units from `start` are numbered on both sides of the text, and those of the
/// `length` units from there that exist are taken. Position 0 lies just before the first unit.
fn substring(text: &str, start: i64, length: i64, cut: Cut, count: Count) -> &str {
    let first = if start < 0 { count(text).saturating_add(start) } else { start - 1 };
    let other = first.saturating_add(length);
    cut(text, first.min(other), first.max(other))
}

fn cut_side(text: &str, count: i64, from_left: bool, cut: Cut, units: Count) -> &str {
    match (from_left, count >= 0) {
        (true, true) => cut(text, 0, count),
        (true, false) => cut(text, 0, units(text).saturating_add(count)),
        (false, true) => cut(text, units(text).saturating_sub(count), i64::MAX),
        (false, false) => cut(text, count.saturating_neg(), i64::MAX),
    }
}

fn count_characters(text: &str) -> i64 {
    text.chars().count() as i64
}

fn count_graphemes(text: &str) -> i64 {
    text.graphemes(true).count() as i64
}

/// The characters `start .. end`, as far as there are any.
fn cut_characters(text: &str, start: i64, end: i64) -> &str {
    let (Ok(start), Ok(end)) = (usize::try_from(start.max(0)), usize::try_from(end.max(0))) else {
        return "";
    };
    if start >= end {
        return "";
    }
    if text.is_ascii() {
        return text.get(start.min(text.len())..end.min(text.len())).unwrap_or("");
    }
    let mut boundaries = text.char_indices().map(|(at, _)| at);
    let from = boundaries.nth(start).unwrap_or(text.len());
    let to = boundaries.nth(end - start - 1).unwrap_or(text.len());
    text.get(from..to).unwrap_or("")
}

/// The grapheme clusters `start .. end`, as far as there are any.
fn cut_graphemes(text: &str, start: i64, end: i64) -> &str {
    let (Ok(start), Ok(end)) = (usize::try_from(start.max(0)), usize::try_from(end.max(0))) else {
        return "";
    };
    if start >= end {
        return "";
    }
    let mut boundaries = text.grapheme_indices(true).map(|(at, _)| at);
    let from = boundaries.nth(start).unwrap_or(text.len());
    let to = boundaries.nth(end - start - 1).unwrap_or(text.len());
    text.get(from..to).unwrap_or("")
}
