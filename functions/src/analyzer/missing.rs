//! Missing values replaced by one of the column.

use super::scale::{flag, text};
use super::{Analyzer, CategoryTable, Form, Given, Order, Reading, Source, Statistic};
use crate::error::{Error, Result};
use crate::registry::Registry;
use crate::signature::any;
use crate::types::Type;
use crate::value::{Literal, Value};

pub(super) fn register(registry: &mut Registry) {
    let value = any("value").or(Literal::null(Type::Null));
    registry.register_analyzer(
        Analyzer::new("impute", "The value, or where it is null the mean, median, mode, least or greatest value of the column, or a constant.", impute)
            .option(text("strategy", "mean"))
            .option(value)
            .option(flag("nan", false))
            .positional(1)
            .set("sklearn", vec![("nan", Literal::new(Value::Boolean(true)))])
            .set("bigquery", Vec::new())
            .set("spark", vec![("nan", Literal::new(Value::Boolean(true)))])
            .note("strategy => 'mean', 'median', 'mode', 'min', 'max' or 'constant', which takes `value`. NaN does not count.")
            .note("With nan => true, as with compat => 'sklearn', NaN is replaced too. is_missing(x) tells which rows were.")
            .note("Of equally frequent values the mode is the first to occur; with compat => 'sklearn' the least."),
    );
}

fn impute(given: &Given<'_>) -> Result<Form> {
    given.refuse_list()?;
    let strategy = given.word("strategy", &["mean", "median", "mode", "min", "max", "constant"])?;
    let reading = match strategy {
        "mean" | "median" => Reading::Number,
        _ => Reading::Plain,
    };
    let statistic = match strategy {
        "mean" => Some("avg(x)"),
        "median" => Some("median(x)"),
        "mode" if given.compat == Some("sklearn") => return least_mode(given),
        "mode" => Some("mode(x)"),
        "min" => Some("min(x)"),
        "max" => Some("max(x)"),
        _ if given.has("value") => None,
        _ => return Err(Error::User(format!("{}: strategy 'constant' needs a value", given.name))),
    };
    let scalar = filled(given, if statistic.is_some() { "fill" } else { "value" })?;
    Ok(Form {
        readings: vec![reading],
        statistics: statistic.map(|sql| Statistic::value("fill", sql)).into_iter().collect(),
        scalar,
        keeps_float: reading == Reading::Number,
        ..Form::default()
    })
}

/// The scalar that puts a value in place of what is missing.
fn filled(given: &Given<'_>, value: &str) -> Result<String> {
    Ok(match given.flag("nan")? {
        true => format!("CASE WHEN is_missing(x) THEN {value} ELSE x END"),
        false => format!("coalesce(x, {value})"),
    })
}

/// The least of the most frequent values: the first of the table of categories.
fn least_mode(given: &Given<'_>) -> Result<Form> {
    let table = CategoryTable {
        source: Source::Value,
        key: "x",
        columns: Vec::new(),
        count: "count(*)",
        order: Order::Frequency,
        min_count: 1,
        top_k: Some(1),
    };
    Ok(Form {
        readings: vec![Reading::Plain],
        statistics: vec![Statistic::Table(table)],
        scalar: filled(given, "keys[1]")?,
        ..Form::default()
    })
}
