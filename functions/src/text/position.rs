//! Looks for text inside text.

use super::lift::{measure_pair, test, test_pair};
use super::search::Needle;
use crate::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;
use crate::value::Value;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new(
            "strpos",
            "text",
            "Position of the first occurrence of a text, in characters from 1.",
        )
        .alias("instr")
        .alias("position")
        .overload([exact("text", Type::Text), exact("part", Type::Text)], |_| {
            Ok(measure_pair(Type::Int64, position))
        })
        .note("0 if there is none; an empty text is found at 1.")
        .example("strpos('hello', 'l')", "3"),
    );
    registry.register_scalar(
        pair("starts_with", "True if a text begins with another.", |text, part| {
            text.as_bytes().starts_with(part.as_bytes())
        })
        .alias("^@")
        .alias("prefix")
        .example("starts_with('hello', 'he')", "true"),
    );
    registry.register_scalar(
        pair("ends_with", "True if a text ends with another.", |text, part| {
            text.as_bytes().ends_with(part.as_bytes())
        })
        .alias("suffix")
        .example("ends_with('hello', 'lo')", "true"),
    );
}

/// `contains` over text; the list and map families add their forms.
pub fn contains() -> ScalarFunction {
    ScalarFunction::new("contains", "text", "True if a text, list or map contains a text, element or key.")
        .overload([exact("text", Type::Text), exact("part", Type::Text)], |arguments| {
            Ok(match arguments.known(1) {
                Some(Value::Text(part)) => contains_known(part),
                _ => test_pair(|text, part| text.contains(part)),
            })
        })
        .example("contains('hello', 'ell')", "true")
}

fn contains_known(part: &str) -> Bound {
    let needle = Needle::new(part);
    test(move |text| needle.is_in(text.as_bytes()))
}

fn pair(name: &str, summary: &str, function: fn(&str, &str) -> bool) -> ScalarFunction {
    ScalarFunction::new(name, "text", summary)
        .overload([exact("text", Type::Text), exact("part", Type::Text)], move |_| Ok(test_pair(function)))
}

fn position(text: &str, part: &str) -> i64 {
    text.find(part).map_or(0, |at| text[..at].chars().count() as i64 + 1)
}
