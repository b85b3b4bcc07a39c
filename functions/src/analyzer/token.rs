//! Lists of tokens as sparse vectors over a fitted vocabulary.

use super::scale::{integer, text};
use super::{Analyzer, CategoryTable, Form, Given, Reading, Source, Statistic};
use crate::error::{Error, Result};
use crate::registry::Registry;
use crate::signature::exact;
use crate::types::Type;
use crate::value::{Literal, Value};

pub(super) fn register(registry: &mut Registry) {
    let by_value = || vec![("order", Literal::new(Value::from("value")))];
    let options = |analyzer: Analyzer| {
        analyzer
            .option(integer("min_count", 1))
            .option(exact("top_k", Type::Int64).or(Literal::null(Type::Int64)))
            .option(text("order", "frequency"))
            .set("tft", Vec::new())
            .set("sklearn", by_value())
            .note("min_count and top_k go by the number of rows that hold a token. Tokens that are not in the vocabulary do not count.")
    };
    registry.register_analyzer(options(Analyzer::new(
        "bag_of_words",
        "How often each token of the vocabulary of the column stands in a list, as a sparse vector.",
        |given| form(given, Vec::new(), Vec::new(), "bag_of_words(x, keys)"),
    )));
    registry.register_analyzer(options(
        Analyzer::new(
            "tf_idf",
            "The weight of each token of the vocabulary of the column in a list, as a sparse vector.",
            |given| {
                let compat = given.compat.unwrap_or("tft");
                let columns = vec![("frequencies".to_owned(), "count(*)".to_owned())];
                let documents = vec![Statistic::value("documents", "count(x)")];
                let scalar = format!("tf_idf(x, keys, frequencies, documents, compat => '{compat}')");
                form(given, documents, columns, &scalar)
            },
        )
        .set("spark", Vec::new())
        .note("compat => 'tft' (the default), 'sklearn' or 'spark': the formulas of tf_idf with a given vocabulary."),
    ));
}

fn form(
    given: &Given<'_>,
    mut statistics: Vec<Statistic>,
    columns: Vec<(String, String)>,
    scalar: &str,
) -> Result<Form> {
    if !given.is_list(0) {
        return Err(Error::argument(given.name, 1, "is no list; expected a list of tokens"));
    }
    statistics.push(Statistic::Table(CategoryTable {
        source: Source::DistinctElements,
        key: "x",
        columns,
        count: "count(*)",
        order: given.order()?,
        min_count: given.count("min_count", 1)?,
        top_k: given.optional_count("top_k", 1)?,
    }));
    Ok(Form { readings: vec![Reading::Tokens], statistics, scalar: scalar.into(), ..Form::default() })
}
