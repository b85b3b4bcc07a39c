//! Replacement of what regular expressions match.

use ::regex::{Captures, Regex};

use super::pattern::{Options, Pattern, cache};
use crate::Registry;
use crate::column::TextBuilder;
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;
use crate::value::Value;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("regexp_replace", "regex", "Replaces the first match of a regular expression, or every match.")
            .overload([exact("text", Type::Text), exact("pattern", Type::Text), exact("replacement", Type::Text)], bind)
            .overload(
                [
                    exact("text", Type::Text),
                    exact("pattern", Type::Text),
                    exact("replacement", Type::Text),
                    exact("options", Type::Text),
                ],
                bind,
            )
            .cost(Cost::Parse)
            .note("In the replacement \\1 to \\9 are the groups, \\0 is the match, \\\\ a backslash. The option g replaces every match; the others are those of regexp_matches.")
            .example("regexp_replace('hello', 'l', '-')", "he-lo")
            .example("regexp_replace('john smith', '(\\w+) (\\w+)', '\\2, \\1')", "smith, john")
            .example("regexp_replace('hello', '[lo]', '-', 'g')", "he---"),
    );
}

/// A part of a replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(usize),
}

/// A replacement taken apart.
#[derive(Debug, Clone, Default)]
struct Replacement {
    source: String,
    pieces: Vec<Piece>,
}

impl Replacement {
    fn new(source: &str) -> Result<Self> {
        let refused =
            |problem: &str| Error::argument("regexp_replace", 3, format!("is '{source}'; {problem}"));
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut characters = source.chars();
        while let Some(c) = characters.next() {
            let escaped = if c == '\\' { characters.next() } else { Some(c) };
            match (c, escaped) {
                ('\\', Some('\\')) => text.push('\\'),
                ('\\', Some(digit @ '0'..='9')) => {
                    if !text.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut text)));
                    }
                    pieces.push(Piece::Group(digit as usize - '0' as usize));
                }
                ('\\', None) => return Err(refused("a backslash may not be its last character")),
                ('\\', Some(_)) => return Err(refused("a digit or a backslash must follow a backslash")),
                (plain, _) => text.push(plain),
            }
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(Self { source: source.into(), pieces })
    }

    fn check_groups(&self, pattern: &Regex) -> Result<()> {
        let most = pattern.captures_len() - 1;
        let unknown = self.pieces.iter().find_map(|piece| match piece {
            Piece::Group(group) if *group > most => Some(*group),
            _ => None,
        });
        match unknown {
            Some(group) => {
                let problem =
                    format!("is '{}'; there is no group {group}, the pattern has {most}", self.source);
                Err(Error::argument("regexp_replace", 3, problem))
            }
            None => Ok(()),
        }
    }

    /// True if captures are needed, and not only where a match lies.
    fn uses_groups(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Group(1..)))
    }

    fn write(&self, matched: &str, captures: Option<&Captures<'_>>, builder: &mut TextBuilder<'_>) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => builder.push_str(text),
                Piece::Group(0) => builder.push_str(matched),
                Piece::Group(group) => {
                    builder.push_str(captures.and_then(|c| c.get(*group)).map_or("", |found| found.as_str()));
                }
            }
        }
    }
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    let options = Options::read(arguments, 3, true)?;
    let pattern = Pattern::bind(arguments, Options { is_global: false, ..options })?;
    let is_global = options.is_global;
    let prepared = match arguments.known(2) {
        Some(Value::Text(replacement)) => {
            let replacement = Replacement::new(replacement)?;
            pattern.prepared().map_or(Ok(()), |pattern| replacement.check_groups(pattern))?;
            Some(replacement)
        }
        _ => None,
    };
    Ok(Bound::strict(Type::Text, move |arguments, rows, output, scratch| {
        let (text, patterns, replacements) = (arguments[0].text(), arguments[1].text(), arguments[2].text());
        let cache = cache(scratch);
        let mut latest = Replacement::default();
        rows.for_each(|row| {
            let replaced = pattern.of_row(patterns.get(row), cache).and_then(|compiled| {
                let replacement = match &prepared {
                    Some(prepared) => prepared,
                    None => {
                        if latest.source != replacements.get(row) {
                            latest = Replacement::new(replacements.get(row))?;
                        }
                        &latest
                    }
                };
                replacement.check_groups(compiled)?;
                let whole = text.get(row);
                if compiled.is_match(whole) {
                    output
                        .text()
                        .build(row, |builder| replace(compiled, whole, replacement, is_global, builder));
                } else {
                    output.text().set_part(row, &text, row, whole);
                }
                Ok(())
            });
            if let Err(error) = replaced {
                output.fail(row, || error);
            }
        });
        Ok(())
    }))
}

fn replace(
    pattern: &Regex,
    text: &str,
    replacement: &Replacement,
    is_global: bool,
    builder: &mut TextBuilder<'_>,
) {
    let most = if is_global { usize::MAX } else { 1 };
    let mut done = 0;
    if replacement.uses_groups() {
        for captures in pattern.captures_iter(text).take(most) {
            let Some(found) = captures.get(0) else { continue };
            builder.push_str(&text[done..found.start()]);
            replacement.write(found.as_str(), Some(&captures), builder);
            done = found.end();
        }
    } else {
        for found in pattern.find_iter(text).take(most) {
            builder.push_str(&text[done..found.start()]);
            replacement.write(found.as_str(), None, builder);
            done = found.end();
        }
    }
    builder.push_str(&text[done..]);
}
