//! LIKE, ILIKE and GLOB: patterns are compiled once where they are constant, else once per run of equal patterns.

mod glob;
mod pattern;

use std::sync::Arc;

use super::case::lower_character;
use crate::Registry;
use crate::column::{Output, Rows, View};
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::scratch::Scratch;
use crate::signature::exact;
use crate::types::Type;
use crate::value::{Literal, Value};
use glob::glob_matches;
pub use pattern::LikePattern;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    let escape = || exact("escape", Type::Text).or(Literal::new(Value::text("")));
    registry.register_scalar(
        ScalarFunction::new("like", "text", "True if a text matches a pattern of % (any characters) and _ (one character).")
            .alias("~~")
            .overload([exact("text", Type::Text), exact("pattern", Type::Text), escape()], |arguments| bind(arguments, false))
            .note("Of the escape character and a pattern character, the pattern character itself is meant; there is none by default.")
            .example("like('hello', 'h%o')", "true")
            .example("like('50%', '50x%', 'x')", "true"),
    );
    registry.register_scalar(
        ScalarFunction::new("ilike", "text", "As like, without regard to case.")
            .alias("~~*")
            .overload([exact("text", Type::Text), exact("pattern", Type::Text), escape()], |arguments| {
                bind(arguments, true)
            })
            .example("ilike('HELLO', 'h%o')", "true"),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "glob",
            "text",
            "True if a text matches a file-name pattern of *, ? and [classes].",
        )
        .alias("~~~")
        .overload([exact("text", Type::Text), exact("pattern", Type::Text)], |_| {
            Ok(super::lift::test_pair(|text, pattern| glob_matches(text.as_bytes(), pattern.as_bytes())))
        })
        .note("Compares bytes; a backslash takes the next character as it is; [!a-z] is everything else.")
        .example("glob('data.csv', '*.csv')", "true"),
    );
}

fn bind(arguments: &Arguments<'_>, folds_case: bool) -> Result<Bound> {
    if let (Some(Value::Text(pattern)), Some(Value::Text(escape))) = (arguments.known(1), arguments.known(2))
    {
        let pattern = LikePattern::new(&folded(pattern, folds_case), escape_character(escape)?)?;
        return Ok(prepared(Arc::new(pattern), folds_case));
    }
    Ok(Bound::strict(Type::Boolean, move |arguments, rows, output, scratch| {
        match_each(arguments, rows, output, scratch, folds_case)
    }))
}

fn prepared(pattern: Arc<LikePattern>, folds_case: bool) -> Bound {
    if !folds_case {
        return super::lift::test(move |text| pattern.matches(text));
    }
    Bound::strict(Type::Boolean, move |arguments, rows, output, scratch| {
        let text = arguments[0].text();
        let lowered = &mut scratch.slot::<LikeState>().lowered;
        let bits = output.boolean();
        rows.for_each(|row| {
            lower_into(text.get(row), lowered);
            bits.set(row, pattern.matches(lowered));
        });
        Ok(())
    })
}

/// The pattern of the previous row and a text in lower case.
#[derive(Default)]
struct LikeState {
    pattern: String,
    escape: String,
    compiled: Option<LikePattern>,
    lowered: String,
}

fn match_each(
    arguments: &[View<'_>],
    rows: Rows<'_>,
    output: &mut Output,
    scratch: &mut Scratch,
    folds_case: bool,
) -> Result<()> {
    let (text, patterns, escapes) = (arguments[0].text(), arguments[1].text(), arguments[2].text());
    let state = scratch.slot::<LikeState>();
    // The previous call may have compiled for another function.
    state.compiled = None;
    rows.for_each(|row| {
        let (pattern, escape) = (patterns.get(row), escapes.get(row));
        if state.compiled.is_none() || state.pattern != pattern || state.escape != escape {
            state.pattern.clear();
            state.pattern.push_str(pattern);
            state.escape.clear();
            state.escape.push_str(escape);
            let compiled = escape_character(escape)
                .and_then(|escape| LikePattern::new(&folded(pattern, folds_case), escape));
            match compiled {
                Ok(compiled) => state.compiled = Some(compiled),
                Err(error) => {
                    state.compiled = None;
                    output.fail(row, || error);
                    return;
                }
            }
        }
        let Some(compiled) = &state.compiled else { return };
        let matched = if folds_case {
            lower_into(text.get(row), &mut state.lowered);
            compiled.matches(&state.lowered)
        } else {
            compiled.matches(text.get(row))
        };
        output.boolean().set(row, matched);
    });
    Ok(())
}

fn escape_character(escape: &str) -> Result<Option<char>> {
    let mut characters = escape.chars();
    match (characters.next(), characters.next()) {
        (first, None) => Ok(first),
        _ => Err(Error::argument("like", 3, format!("is '{escape}'; expected one character or none"))),
    }
}

fn folded(pattern: &str, folds_case: bool) -> String {
    let mut lowered = String::new();
    if folds_case {
        lower_into(pattern, &mut lowered);
    } else {
        lowered.push_str(pattern);
    }
    lowered
}

fn lower_into(text: &str, lowered: &mut String) {
    lowered.clear();
    if text.is_ascii() {
        lowered.push_str(text);
        lowered.make_ascii_lowercase();
    } else {
        lowered.extend(text.chars().map(lower_character));
    }
}
