//! Parts of text that regular expressions match.

use ::regex::{Captures, Regex};

use super::groups::Groups;
use super::pattern::{Options, Pattern, cache};
use crate::Registry;
use crate::column::{Output, Text};
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, Cost, ScalarFunction};
use crate::signature::{Parameter, exact};
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        with_forms(
            "regexp_extract",
            "The first match of a regular expression, or a group of it.",
            bind_first,
        )
        .note("Empty where nothing matches. A list of names gives a struct of groups 1, 2 and so on.")
        .example("regexp_extract('abc123', '[a-z]+(\\d+)', 1)", "123")
        .example("regexp_extract('2023-04-15', '(\\d+)-(\\d+)', ['y', 'm'])", "{'y': 2023, 'm': 04}"),
    );
    registry.register_scalar(
        with_forms(
            "regexp_extract_all",
            "All matches of a regular expression, or a group of each.",
            bind_all,
        )
        .note("A group that took no part in a match is null.")
        .example("regexp_extract_all('a1b2', '[a-z](\\d)', 1)", "[1, 2]"),
    );
}

fn with_forms(
    name: &str,
    summary: &str,
    bind: impl Fn(&Arguments<'_>) -> Result<Bound> + Clone + Send + Sync + 'static,
) -> ScalarFunction {
    let start = || vec![exact("text", Type::Text), exact("pattern", Type::Text)];
    let group = || exact("group", Type::Int32);
    let names = || exact("names", Type::list(Type::Text));
    let options = || exact("options", Type::Text);
    let forms: [Vec<Parameter>; 6] = [
        vec![],
        vec![group()],
        vec![group(), options()],
        vec![options()],
        vec![names()],
        vec![names(), options()],
    ];
    let function = ScalarFunction::new(name, "regex", summary).cost(Cost::Parse);
    forms
        .into_iter()
        .fold(function, |function, form| function.overload(start().into_iter().chain(form), bind.clone()))
}

fn bind_first(arguments: &Arguments<'_>) -> Result<Bound> {
    let (groups, options) = Groups::read(arguments)?;
    let pattern = Pattern::bind(arguments, Options::read(arguments, options, false)?)?;
    pattern.prepared().map_or(Ok(()), |compiled| groups.check("regexp_extract", compiled))?;
    Ok(Bound::null_aware(groups.result(), move |arguments, rows, output, scratch| {
        let (text, patterns) = (arguments[0].text(), arguments[1].text());
        let cache = cache(scratch);
        rows.for_each(|row| {
            if arguments[0].is_null(row) || arguments[1].is_null(row) {
                output.set_null(row);
                return;
            }
            let extracted = pattern.of_row(patterns.get(row), cache).and_then(|compiled| {
                groups.check("regexp_extract", compiled)?;
                extract_first(compiled, &groups, &text, row, output);
                Ok(())
            });
            if let Err(error) = extracted {
                output.fail(row, || error);
            }
        });
        Ok(())
    }))
}

fn extract_first(pattern: &Regex, groups: &Groups, text: &Text<'_>, row: usize, output: &mut Output) {
    let whole = text.get(row);
    match groups {
        Groups::Nothing => output.text().set(row, ""),
        Groups::One(0) => {
            let part = pattern.find(whole).map_or("", |found| found.as_str());
            write_part(output, row, text, row, part);
        }
        Groups::One(group) => {
            let captures = pattern.captures(whole);
            write_part(output, row, text, row, part_of(captures.as_ref(), *group).unwrap_or(""));
        }
        Groups::Named(names) => {
            let captures = pattern.captures(whole);
            for field in 0..names.len() {
                let part = part_of(captures.as_ref(), field + 1).unwrap_or("");
                write_part(output.field(field), row, text, row, part);
            }
        }
    }
}

fn part_of<'a>(captures: Option<&Captures<'a>>, group: usize) -> Option<&'a str> {
    captures.and_then(|captures| captures.get(group)).map(|found| found.as_str())
}

/// Writes a part of a text; an empty one has no bytes to share.
fn write_part(output: &mut Output, row: usize, text: &Text<'_>, source_row: usize, part: &str) {
    output.text().set_part(row, text, source_row, part);
}

fn bind_all(arguments: &Arguments<'_>) -> Result<Bound> {
    let (groups, options) = Groups::read(arguments)?;
    let pattern = Pattern::bind(arguments, Options::read(arguments, options, false)?)?;
    pattern.prepared().map_or(Ok(()), |compiled| check_all(&groups, compiled))?;
    Ok(Bound::strict(Type::list(groups.result()), move |arguments, rows, output, scratch| {
        let (text, patterns) = (arguments[0].text(), arguments[1].text());
        let cache = cache(scratch);
        rows.for_each(|row| {
            let extracted = pattern.of_row(patterns.get(row), cache).and_then(|compiled| {
                check_all(&groups, compiled)?;
                extract_all(compiled, &groups, &text, row, output);
                Ok(())
            });
            if let Err(error) = extracted {
                output.fail(row, || error);
            }
        });
        Ok(())
    }))
}

fn check_all(groups: &Groups, pattern: &Regex) -> Result<()> {
    let present = pattern.captures_len() - 1;
    match groups {
        Groups::One(group) if *group > present => {
            let problem = format!("is {group}; the pattern has {present} groups");
            Err(Error::argument("regexp_extract_all", 3, problem))
        }
        _ => groups.check("regexp_extract_all", pattern),
    }
}

fn extract_all(pattern: &Regex, groups: &Groups, text: &Text<'_>, row: usize, output: &mut Output) {
    let whole = text.get(row);
    let mut list = output.list();
    let start = list.start();
    match groups {
        Groups::Nothing => {}
        Groups::One(0) => pattern.find_iter(whole).for_each(|found| {
            let at = list.child().grow(1);
            write_part(list.child(), at, text, row, found.as_str());
        }),
        Groups::One(group) => pattern.captures_iter(whole).for_each(|captures| {
            let at = list.child().grow(1);
            match part_of(Some(&captures), *group) {
                Some(part) => write_part(list.child(), at, text, row, part),
                None => list.child().set_null(at),
            }
        }),
        Groups::Named(names) => pattern.captures_iter(whole).for_each(|captures| {
            let at = list.child().grow(1);
            for field in 0..names.len() {
                match part_of(Some(&captures), field + 1) {
                    Some(part) => write_part(list.child().field(field), at, text, row, part),
                    None => list.child().field(field).set_null(at),
                }
            }
        }),
    }
    list.finish(row, start);
}
