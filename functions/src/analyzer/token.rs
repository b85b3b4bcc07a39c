//! Lists of tokens as sparse vectors over a fitted vocabulary.

use super::scale::{integer, number, text};
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
    registry.register_analyzer(
        options(Analyzer::new(
            "bag_of_words",
            "How often each token of the vocabulary of the column stands in a list, as a sparse vector.",
            bag_of_words,
        ))
        .option(number("min_tf", 1.0))
        .set("spark", vec![("top_k", Literal::new(Value::Int64(SPARK_TOKENS)))])
        .note("min_tf leaves out tokens that stand fewer times in the list, or as a smaller share of it where it is below 1.")
        .note("compat => 'spark' is CountVectorizer: the vocabulary and top_k, by default 262,144, go by how often a token stands in the column, the most frequent first and of equally frequent ones the lesser. Its minDF is 1: a min_count above 1 is refused, as it would count rows."),
    );
    registry.register_analyzer(options(
        Analyzer::new(
            "tf_idf",
            "The weight of each token of the vocabulary of the column in a list, as a sparse vector.",
            |given| {
                let compat = given.compat.unwrap_or("tft");
                let columns = vec![("frequencies".to_owned(), "count(*)".to_owned())];
                let documents = vec![Statistic::value("documents", "count(x)")];
                let scalar = format!("tf_idf(x, keys, frequencies, documents, compat => '{compat}')");
                form(given, Source::DistinctElements, documents, columns, &scalar)
            },
        )
        .set("spark", Vec::new())
        .note("compat => 'tft' (the default), 'sklearn' or 'spark': the formulas of tf_idf with a given vocabulary."),
    ));
}

/// Tokens of a vocabulary of Spark where nothing else is said.
const SPARK_TOKENS: i64 = 1 << 18;

fn bag_of_words(given: &Given<'_>) -> Result<Form> {
    let source = match given.compat {
        Some("spark") if given.count("min_count", 1)? > 1 => {
            let problem = "bag_of_words: min_count is above 1, which goes by rows; with compat => 'spark' the vocabulary goes by all tokens, \
                           so leave tokens out before or do without compat";
            return Err(Error::User(problem.to_owned()));
        }
        Some("spark") => Source::Elements,
        _ => Source::DistinctElements,
    };
    let least = given.number("min_tf", 0.0, f64::MAX)?;
    let scalar = match least == 1.0 {
        true => "bag_of_words(x, keys)",
        false if least < 1.0 => "list_filter(bag_of_words(x, keys), entry -> entry.value >= min_tf * len(x))",
        false => "list_filter(bag_of_words(x, keys), entry -> entry.value >= min_tf)",
    };
    form(given, source, Vec::new(), Vec::new(), scalar)
}

fn form(
    given: &Given<'_>,
    source: Source,
    mut statistics: Vec<Statistic>,
    columns: Vec<(String, String)>,
    scalar: &str,
) -> Result<Form> {
    if !given.is_list(0) {
        return Err(Error::argument(given.name, 1, "is no list; expected a list of tokens"));
    }
    statistics.push(Statistic::Table(CategoryTable {
        source,
        key: "x",
        columns,
        count: "count(*)",
        order: given.order()?,
        min_count: given.count("min_count", 1)?,
        top_k: given.optional_count("top_k", 1)?,
    }));
    Ok(Form { readings: vec![Reading::Tokens], statistics, scalar: scalar.into(), ..Form::default() })
}
