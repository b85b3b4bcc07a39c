//! Runs the one-expression queries of sqllogictest files, and the examples of the reference.

use super::evaluate::{evaluate, evaluate_parsed};
use super::parse::parse_all;
use super::show::show;
use crate::Registry;
use crate::error::Result;

/// Checks every query of expressions without FROM, and every `statement error`, of a script.
///
/// # Panics
/// With the list of all that differ.
pub fn check_script(script: &str) {
    let registry = Registry::builtin();
    let mut wrong = Vec::new();
    let script = script.replace("\r\n", "\n");
    for record in script.split("\n\n").map(str::trim).filter(|record| !record.is_empty()) {
        let lines: Vec<&str> = record.lines().filter(|line| !line.starts_with('#')).collect();
        let Some((&kind, rest)) = lines.split_first() else { continue };
        let sql: Vec<&str> = rest.iter().take_while(|line| **line != "----").copied().collect();
        let Some(sql) = sql.join("\n").strip_prefix("SELECT ").map(str::to_owned) else { continue };
        let Ok(expressions) = parse_all(&sql) else { continue };
        let found: Result<Vec<String>> = expressions
            .iter()
            .map(|one| evaluate_parsed(&registry, one).and_then(|literal| show(&literal)))
            .collect();
        let found = found.map(|values| values.join("\t"));
        if kind.starts_with("query") {
            let expected: Vec<&str> =
                rest.iter().skip_while(|line| **line != "----").skip(1).copied().collect();
            let expected = expected.join("\n").replace("(empty)", "");
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
