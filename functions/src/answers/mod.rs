//! Runs SQL expressions over constants in this crate's tests, before any planner or engine is involved.
//!
//! Every call is made several ways, and all must agree: with constants known while binding and not
//! known, over flat, constant and dictionary columns, over more rows than one block of lanes, and
//! over selected rows between nulls.

mod evaluate;
mod parse;

use crate::cast::format_value_in;
use crate::column::{borrow, literal_array};
use crate::date::zone::Zone;
use crate::error::Result;
use crate::registry::Registry;
use crate::scalar::Settings;
use crate::value::Literal;

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
        let expression = parse::expression(sql);
        evaluate::evaluate(&expression, &self.registry, &self.settings).map(|constant| constant.literal)
    }

    /// The value as text and its type.
    pub fn show(&self, sql: &str) -> Result<(String, String)> {
        let literal = self.value(sql)?;
        let array = literal_array(&literal)?;
        let (bump, mut text) = (bumpalo::Bump::new(), String::new());
        let zone = Zone::of_name(&self.settings.time_zone)?;
        format_value_in(&borrow(&array, &literal.data_type, &bump), 0, zone, &mut text).unwrap();
        Ok((text, literal.data_type.to_string()))
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

/// Runs the examples of every function of these categories.
pub(crate) fn check_examples(categories: &[&str]) {
    let answers = Answers::new();
    let mut lines = String::new();
    for function in answers.registry.scalars() {
        if categories.contains(&function.documentation.category.as_str()) {
            for example in &function.documentation.examples {
                lines.push_str(&format!("{} -> {}\n", example.sql, example.result));
            }
        }
    }
    assert!(!lines.is_empty(), "no examples in {categories:?}");
    answers.check(&lines);
}

/// Names a file of lines as [`Answers::check`] takes them, for comparisons too large to be kept here.
const FILE_VARIABLE: &str = "HYPOSTYLE_ANSWERS";

#[test]
fn answers_of_the_file_named_by_the_environment_are_given() {
    if let Ok(path) = std::env::var(FILE_VARIABLE) {
        Answers::new().check(&std::fs::read_to_string(path).expect("a readable file of answers"));
    }
}
