//! Removes characters from the ends of text.

use super::lift::{part, part_by_text};
use crate::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;
use crate::value::Value;

#[derive(Clone, Copy)]
enum Ends {
    Both,
    Start,
    End,
}

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        trim_function("trim", "Removes spaces, or given characters, from both ends.", Ends::Both)
            .example("trim('  a b ')", "a b")
            .example("trim('>>a<<', '<>')", "a"),
    );
    registry.register_scalar(
        trim_function("ltrim", "Removes spaces, or given characters, from the start.", Ends::Start)
            .example("ltrim('  a ')", "a "),
    );
    registry.register_scalar(
        trim_function("rtrim", "Removes spaces, or given characters, from the end.", Ends::End)
            .example("rtrim(' a  ')", " a"),
    );
}

fn trim_function(name: &str, summary: &str, ends: Ends) -> ScalarFunction {
    ScalarFunction::new(name, "text", summary)
        .overload([exact("text", Type::Text)], move |_| Ok(part(move |text| trim(text, ends, is_space))))
        .overload([exact("text", Type::Text), exact("characters", Type::Text)], move |arguments| {
            Ok(match arguments.known(1) {
                Some(Value::Text(characters)) => trim_set(characters, ends),
                _ => part_by_text(move |text, characters| trim(text, ends, |c| characters.contains(c))),
            })
        })
        .note("Spaces are the space separators of Unicode; tabs and line ends stay.")
}

/// Trims a set of characters that is known; a set of ASCII characters is two words of bits.
fn trim_set(characters: &str, ends: Ends) -> Bound {
    if characters.is_ascii() {
        let mask = characters.bytes().fold(0u128, |mask, byte| mask | 1 << byte);
        return part(move |text| trim(text, ends, |c| c.is_ascii() && mask >> (c as u32) & 1 == 1));
    }
    let set: Vec<char> = characters.chars().collect();
    part(move |text| trim(text, ends, |c| set.contains(&c)))
}

fn trim(text: &str, ends: Ends, removed: impl Fn(char) -> bool) -> &str {
    match ends {
        Ends::Both => text.trim_start_matches(&removed).trim_end_matches(&removed),
        Ends::Start => text.trim_start_matches(removed),
        Ends::End => text.trim_end_matches(removed),
    }
}

/// Unicode category Zs.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}
