//! Runs SQL expressions over constants in this crate's tests, before any planner or engine is involved.
//!
//! Every call is made several ways, and all must agree: with constants known while binding and not
//! known, over flat, sliced, constant and dictionary columns, over more rows than one block of lanes, and
//! over selected rows between nulls.

mod evaluate;
mod parse;
mod shapes;
mod token;

use crate::cast::format_value_in;
use crate::column::{borrow, literal_array};
use crate::date::zone::Zone;
use crate::error::Result;
use crate::registry::Registry;
use crate::scalar::Settings;
use crate::value::Literal;
use evaluate::Evaluator;
use parse::Expression;

/// Where expressions are run: the functions and the surroundings.
pub(crate) struct Answers {
    registry: Registry,
    settings: Settings,
}

impl Answers {
    /// The built-in library in UTC; the query starts on 2024-05-06 at 07:08:09.
    pub fn new() -> Self {
        let settings = Settings { time_zone: "UTC".into(), now_microseconds: 1_714_979_289_000_000 };
        Self { registry: Registry::builtin(), settings }
    }

    /// As [`Answers::new`] in another zone.
    pub fn in_zone(zone: &str) -> Self {
        let mut answers = Self::new();
        answers.settings.time_zone = zone.into();
        answers
    }

    /// The value of an expression.
    pub fn value(&self, sql: &str) -> Result<Literal> {
        self.evaluate(&parse::expression(sql)?)
    }

    fn evaluate(&self, expression: &Expression) -> Result<Literal> {
        Evaluator { registry: &self.registry, settings: &self.settings, is_lambda: false }.value(expression)
    }

    /// The value as text and its type.
    pub fn show(&self, sql: &str) -> Result<(String, String)> {
        let literal = self.value(sql)?;
        Ok((self.text(&literal)?, literal.data_type.to_string()))
    }

    fn text(&self, literal: &Literal) -> Result<String> {
        let array = literal_array(literal)?;
        let (bump, mut text) = (bumpalo::Bump::new(), String::new());
        let zone = Zone::of_name(&self.settings.time_zone)?;
        // Writing into a string does not fail.
        let _ = format_value_in(&borrow(&array, &literal.data_type, &bump), 0, zone, &mut text);
        Ok(text)
    }

    /// Runs lines of the form `expression -> value`, `expression -> value :: TYPE` or
    /// `expression -> ERR part of the message`, and reports all that differ at once.
    pub fn check(&self, lines: &str) {
        let mut wrong = Vec::new();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("--")) {
            let (sql, expected) = line.split_once(" -> ").expect("a line is `expression -> value`");
            let (sql, expected) = (sql.trim(), expected.trim());
            let shown = self.show(sql);
            let agrees = match (&shown, expected.strip_prefix("ERR")) {
                (Err(error), Some(part)) => error.to_string().contains(part.trim()),
                (Ok((value, data_type)), None) => match expected.rsplit_once(" :: ") {
                    Some((text, name)) => value == text.trim() && data_type == name.trim(),
                    None => value == expected,
                },
                _ => false,
            };
            if !agrees {
                let got = match shown {
                    Ok((value, data_type)) => format!("{value} :: {data_type}"),
                    Err(error) => format!("ERR {error}"),
                };
                wrong.push(format!("{sql}\n    expected {expected}\n    got      {got}"));
            }
        }
        assert!(wrong.is_empty(), "{} of the lines differ:\n{}", wrong.len(), wrong.join("\n"));
    }
}

/// Runs the examples of every function of these categories; each has at least one.
pub(crate) fn check_examples(categories: &[&str]) {
    let answers = Answers::new();
    let (mut count, mut wrong) = (0, Vec::new());
    for function in answers.registry.scalars() {
        if !categories.contains(&function.documentation.category.as_str()) {
            continue;
        }
        if function.documentation.examples.is_empty() {
            wrong.push(format!("{} has no example", function.name));
        }
        for example in &function.documentation.examples {
            count += 1;
            let shown = answers.show(&example.sql).map(|(text, _)| text);
            if shown.as_ref() != Ok(&example.result) {
                wrong.push(format!(
                    "{}\n    expected {}\n    got      {shown:?}",
                    example.sql, example.result
                ));
            }
        }
    }
    assert!(count > 0, "no examples in {categories:?}");
    assert!(wrong.is_empty(), "{} examples differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Runs the queries of a sqllogictest file that are expressions without FROM, and its statements that fail; what this
/// crate's tests cannot read is left to the tests of the engine.
pub(crate) fn check_script(script: &str) {
    let answers = Answers::new();
    let (mut count, mut wrong) = (0, Vec::new());
    let script = script.replace("\r\n", "\n");
    for record in script.split("\n\n").map(str::trim).filter(|record| !record.is_empty()) {
        let lines: Vec<&str> = record.lines().filter(|line| !line.starts_with('#')).collect();
        let Some((&kind, rest)) = lines.split_first() else { continue };
        let (sql, expected) =
            rest.split_at(rest.iter().position(|line| *line == "----").unwrap_or(rest.len()));
        let Some(sql) = sql.join("\n").strip_prefix("SELECT ").map(str::to_owned) else { continue };
        let Ok(expressions) = parse::expressions(&sql) else { continue };
        count += 1;
        let found: Result<Vec<String>> = expressions
            .iter()
            .map(|one| answers.evaluate(one).and_then(|literal| answers.text(&literal)))
            .collect();
        let found = found.map(|values| values.join("\t"));
        let wanted = if kind.starts_with("query") {
            let wanted = expected.get(1..).unwrap_or_default().join("\n").replace("(empty)", "");
            (found.as_ref() != Ok(&wanted)).then_some(wanted)
        } else if let Some(pattern) = kind.strip_prefix("statement error") {
            let matches = regex::Regex::new(pattern.trim()).map(|pattern| match &found {
                Err(error) => pattern.is_match(&error.to_string()),
                Ok(_) => false,
            });
            (matches != Ok(true)).then(|| format!("an error like {pattern}"))
        } else {
            None
        };
        if let Some(wanted) = wanted {
            wrong.push(format!("{sql}\n    expected {wanted}\n    found    {found:?}"));
        }
    }
    assert!(count > 0, "no expression in the script");
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Names a file of lines as [`Answers::check`] takes them, for comparisons too large to be kept here.
const FILE_VARIABLE: &str = "HYPOSTYLE_ANSWERS";

#[test]
fn answers_of_the_file_named_by_the_environment_are_given() {
    if let Ok(path) = std::env::var(FILE_VARIABLE) {
        Answers::new().check(&std::fs::read_to_string(path).expect("a readable file of answers"));
    }
}
