//! Runs the one-expression queries of sqllogictest files, and the examples of the reference.

use super::{evaluate, show};
use crate::Registry;

/// Checks every `query T` of one expression and every `statement error` of a script.
///
/// # Panics
/// With the list of all that differ.
pub fn check_script(script: &str) {
    let registry = Registry::builtin();
    let mut wrong = Vec::new();
    for record in
        script.replace("\r\n", "\n").split("\n\n").map(str::trim).filter(|record| !record.is_empty())
    {
        let lines: Vec<&str> = record.lines().filter(|line| !line.starts_with('#')).collect();
        let Some((&kind, rest)) = lines.split_first() else { continue };
        let Some(sql) = rest.first().and_then(|line| line.strip_prefix("SELECT ")) else { continue };
        let found = evaluate(&registry, sql).and_then(|literal| show(&literal));
        if kind.starts_with("query") {
            let expected = rest
                .iter()
                .skip_while(|line| **line != "----")
                .skip(1)
                .copied()
                .collect::<Vec<_>>()
                .join("\n");
            let expected = if expected == "(empty)" { String::new() } else { expected };
            if found.as_ref() != Ok(&expected) {
                wrong.push(format!("{sql}\n    expected {expected}\n    found    {found:?}"));
            }
        } else if let Some(pattern) = kind.strip_prefix("statement error") {
            let pattern = regex::Regex::new(pattern.trim());
            let refused = matches!((&found, &pattern), (Err(error), Ok(pattern)) if pattern.is_match(&error.to_string()));
            if !refused {
                wrong.push(format!("{sql}\n    expected an error like {pattern:?}\n    found    {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Checks the examples of all scalar functions of a category.
///
/// # Panics
/// With the list of all that differ, and of functions without an example.
pub fn check_examples(category: &str) {
    let registry = Registry::builtin();
    let mut wrong = Vec::new();
    let functions: Vec<_> =
        registry.scalars().into_iter().filter(|f| f.documentation.category == category).collect();
    assert!(!functions.is_empty(), "no function in category {category}");
    for function in functions {
        if function.documentation.examples.is_empty() {
            wrong.push(format!("{} has no example", function.name));
        }
        for example in &function.documentation.examples {
            let found = evaluate(&registry, &example.sql).and_then(|literal| show(&literal));
            if found.as_ref() != Ok(&example.result) {
                wrong.push(format!(
                    "{}\n    expected {}\n    found    {found:?}",
                    example.sql, example.result
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} examples differ:\n{}", wrong.len(), wrong.join("\n"));
}
