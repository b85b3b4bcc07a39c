//! Upper and lower case, one character for one character as in DuckDB (the simple mappings of Unicode).

use super::lift::build;
use crate::Registry;
use crate::column::TextBuilder;
use crate::scalar::ScalarFunction;
use crate::signature::exact;
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("upper", "text", "The text in upper case.")
            .alias("ucase")
            .overload([exact("text", Type::Text)], |_| Ok(build(upper)))
            .note("Each character becomes one character: 'ß' becomes 'ẞ'.")
            .example("upper('Héllo')", "HÉLLO"),
    );
    registry.register_scalar(
        ScalarFunction::new("lower", "text", "The text in lower case.")
            .alias("lcase")
            .overload([exact("text", Type::Text)], |_| Ok(build(lower)))
            .example("lower('HÉLLO')", "héllo"),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "initcap",
            "text",
            "The text with the first letter of each word in upper case, the others in lower case.",
        )
        .overload([exact("text", Type::Text)], |_| Ok(build(initcap)))
        .note("Words are runs of letters and digits, as in PostgreSQL; DuckDB lacks this function.")
        .example("initcap('hello wORLD')", "Hello World"),
    );
}

/// Appends the text in upper case.
pub fn upper(text: &str, builder: &mut TextBuilder<'_>) {
    map_characters(text, builder, u8::to_ascii_uppercase, upper_character);
}

/// Appends the text in lower case.
pub fn lower(text: &str, builder: &mut TextBuilder<'_>) {
    map_characters(text, builder, u8::to_ascii_lowercase, lower_character);
}

/// Runs of ASCII are mapped in blocks of bytes, which vectorizes; the rest character by character.
fn map_characters(text: &str, builder: &mut TextBuilder<'_>, ascii: fn(&u8) -> u8, other: fn(char) -> char) {
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest.bytes().position(|byte| !byte.is_ascii()).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(plain);
        let mut block = [0u8; 64];
        for piece in run.as_bytes().chunks(block.len()) {
            let mapped = &mut block[..piece.len()];
            mapped.iter_mut().zip(piece).for_each(|(to, from)| *to = ascii(from));
            builder.push_str(std::str::from_utf8(mapped).unwrap_or_default());
        }
        let mut characters = tail.chars();
        while let Some(c) = characters.clone().next().filter(|c| !c.is_ascii()) {
            builder.push(other(c));
            characters.next();
        }
        rest = characters.as_str();
    }
}

/// The simple upper case of a character.
///
/// The standard library gives the full mapping; where that is longer than one character the simple
/// one is the character itself, but for the sharp s and Greek letters with iota subscript.
pub fn upper_character(c: char) -> char {
    let mut full = c.to_uppercase();
    match (full.next(), full.next()) {
        (Some(single), None) => single,
        _ => match c {
            'ß' => 'ẞ',
            '\u{1f80}'..='\u{1faf}' => char::from_u32(c as u32 | 8).unwrap_or(c),
            '\u{1fb3}' => '\u{1fbc}',
            '\u{1fc3}' => '\u{1fcc}',
            '\u{1ff3}' => '\u{1ffc}',
            other => other,
        },
    }
}

/// The simple lower case of a character.
pub fn lower_character(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

fn initcap(text: &str, builder: &mut TextBuilder<'_>) {
    let mut inside = false;
    for c in text.chars() {
        builder.push(if inside { lower_character(c) } else { upper_character(c) });
        inside = c.is_alphanumeric();
    }
}
