//! Categories as numbers and vectors.

use super::scale::{integer, number, text};
use super::{Analyzer, CategoryTable, Form, Given, Order, Reading, Source, Statistic};
use crate::error::Result;
use crate::registry::Registry;
use crate::signature::{Parameter, exact};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Most folds of a target encoding.
const FOLDS_MAX: i64 = 100;

fn top_k() -> Parameter {
    exact("top_k", Type::Int64).or(Literal::null(Type::Int64))
}

fn unknown() -> Parameter {
    exact("unknown", Type::Int64).or(Literal::null(Type::Int64))
}

fn text_value(value: &str) -> Literal {
    Literal::new(Value::from(value))
}

fn count_value(value: i64) -> Literal {
    Literal::new(Value::Int64(value))
}

pub(super) fn register(registry: &mut Registry) {
    registry.register_analyzer(encoder(
        "vocab_encode",
        "The index of a category, or of each of a list, in the vocabulary of the column: the most frequent first.",
        "frequency",
    ));
    registry.register_analyzer(encoder(
        "label_encode",
        "The index of a category, or of each of a list, in the sorted vocabulary of the column.",
        "value",
    ));
    registry.register_analyzer(
        Analyzer::new("count_encode", "How often a category stands in the column.", counts)
            .option(integer("min_count", 1))
            .option(top_k())
            .set("nvtabular", Vec::new())
            .note(
                "A category that was not seen gives 0; null gives null. Of a list every element is encoded.",
            )
            .note("compat => 'nvtabular' is the statistic count of JoinGroupby: an INTEGER, null for a category that was not seen, and 0 for null where the column that was fitted holds nulls, which are a group without values there."),
    );
    registry.register_analyzer(hot(
        "one_hot",
        "A vector with 1 at the index of a category in the vocabulary of the column.",
    ));
    registry.register_analyzer(hot(
        "multi_hot",
        "A vector with 1 at the indexes of a list of categories in the vocabulary of the column.",
    ));
    registry.register_analyzer(
        Analyzer::new("target_encode", "The mean of a label over the rows of a category, drawn to the mean of all rows.", target)
            .input("label", false)
            .input("key", true)
            .option(number("smoothing", 20.0))
            .option(integer("folds", 0))
            .option(integer("min_count", 1))
            .set("nvtabular", Vec::new())
            .note("(sum + mean * smoothing) / (count + smoothing); a category that was not seen gives the mean, null gives null. Rows without a label do not count, also for min_count; without any label everything is null.")
            .note("With key => id and folds => k the transform can be applied with mode => 'train': each row is encoded without the rows of its fold, which is hash_bucket(id, k); rows without a key are in the first fold.")
            .note("The label and the key are read by the fit and by mode => 'train' only; serving needs neither."),
    );
}

fn encoder(name: &str, summary: &str, order: &str) -> Analyzer {
    Analyzer::new(name, summary, vocabulary)
        .option(integer("min_count", 1))
        .option(top_k())
        .option(integer("oov", 0))
        .option(unknown())
        .option(text("layout", "tft"))
        .option(text("order", order))
        .set("tft", vec![("order", text_value("frequency"))])
        .set("sklearn", vec![("order", text_value("value"))])
        .set("spark", vec![("order", text_value("frequency"))])
        .set("nvtabular", vec![("order", text_value("frequency")), ("layout", text_value("nvtabular"))])
        .set(
            "bigquery",
            vec![
                ("order", text_value("value")),
                ("layout", text_value("bigquery")),
                ("min_count", count_value(5)),
                ("top_k", count_value(32_000)),
            ],
        )
        .note("Categories in fewer than min_count rows are left out, and of the others the top_k most frequent are kept; oov is the number of buckets of unknown ones.")
        .note("order => 'frequency' puts the most frequent first and of equal ones the lesser; 'value' sorts by value. layout and unknown are those of vocab_lookup.")
        .note("Integers are looked up as such, everything else as text.")
}

fn hot(name: &str, summary: &str) -> Analyzer {
    Analyzer::new(name, summary, indicator)
        .option(integer("min_count", 1))
        .option(top_k())
        .option(text("order", "value"))
        .set("sklearn", Vec::new())
        .note("The vector has as many elements as the vocabulary, at least one; null and unknown categories give zeros.")
}

/// The table of the categories of the first input.
fn table(given: &Given<'_>, columns: Vec<(String, String)>, order: Order) -> Result<CategoryTable> {
    Ok(CategoryTable {
        source: if given.is_list(0) { Source::Elements } else { Source::Value },
        key: "x",
        columns,
        count: "count(*)",
        order,
        min_count: given.count("min_count", 1)?,
        top_k: if given.has("top_k") { given.optional_count("top_k", 1)? } else { None },
    })
}

fn of_category(statistics: Vec<Statistic>, scalar: &str) -> Form {
    Form { readings: vec![Reading::Category], statistics, scalar: scalar.into(), ..Form::default() }
}

fn vocabulary(given: &Given<'_>) -> Result<Form> {
    given.count("oov", 0)?;
    let table = table(given, Vec::new(), given.order()?)?;
    let scalar = "vocab_lookup(x, keys, oov_buckets => oov, unknown => unknown, layout => layout)";
    Ok(of_category(vec![Statistic::Table(table)], scalar))
}

fn counts(given: &Given<'_>) -> Result<Form> {
    let columns = vec![("counts".to_owned(), "count(*)".to_owned())];
    let table = Statistic::Table(table(given, columns, Order::Frequency)?);
    if given.compat != Some("nvtabular") {
        return Ok(of_category(vec![table], "count_encode(x, keys, counts)"));
    }
    given.refuse_list()?;
    let nulls = Statistic::value("nulls", "count(*) - count(x)");
    // Every count is above 0, which is left for what was not seen.
    let scalar =
        "CASE WHEN x IS NULL AND nulls > 0 THEN 0 ELSE nullif(count_encode(x, keys, counts), 0) END::INTEGER";
    Ok(of_category(vec![nulls, table], scalar))
}

fn indicator(given: &Given<'_>) -> Result<Form> {
    let is_list = given.is_list(0);
    if is_list != (given.name == "multi_hot") {
        let problem = match is_list {
            true => "is a list; expected single categories, or multi_hot",
            false => "is no list; expected a list of categories, or one_hot",
        };
        return Err(crate::error::Error::argument(given.name, 1, problem));
    }
    let table = table(given, Vec::new(), given.order()?)?;
    let scalar = match is_list {
        true => "multi_hot(coalesce(vocab_lookup(x, keys), []), greatest(len(keys), 1))",
        false => "one_hot(coalesce(vocab_lookup(x, keys), -1), greatest(len(keys), 1))",
    };
    Ok(of_category(vec![Statistic::Table(table)], scalar))
}

fn target(given: &Given<'_>) -> Result<Form> {
    given.refuse_list()?;
    given.number("smoothing", 0.0, f64::MAX)?;
    let folds = given.count("folds", 0)?;
    let problem = match (folds, given.has_input(2)) {
        (0, false) => None,
        (2..=FOLDS_MAX, true) => None,
        (0, true) => Some("a key needs folds => k"),
        (2..=FOLDS_MAX, false) => Some("folds need key => the column that tells rows apart"),
        _ => Some("folds must be from 2 to 100"),
    };
    if let Some(problem) = problem {
        return Err(crate::error::Error::User(format!("{}: {problem}", given.name)));
    }
    let mut columns = aggregates("sums", "counts", None);
    let mut statistics = vec![Statistic::value("prior", "avg(label)")];
    let mut training = None;
    if folds > 0 {
        for fold in 0..folds {
            columns.extend(aggregates(
                &format!("sums_{fold}"),
                &format!("counts_{fold}"),
                Some((fold, folds)),
            ));
        }
        let branch = |fold: i64| {
            format!("WHEN {fold} THEN {}", encoded(&format!("sums_{fold}"), &format!("counts_{fold}")))
        };
        let branches: Vec<String> = (0..folds).map(branch).collect();
        training = Some(format!("CASE {} {} END", fold_of_row(folds), branches.join(" ")));
    }
    let table = CategoryTable {
        source: Source::Value,
        key: "x",
        columns,
        count: "count(label)",
        order: Order::Frequency,
        min_count: given.count("min_count", 1)?,
        top_k: None,
    };
    statistics.push(Statistic::Table(table));
    Ok(Form {
        readings: vec![Reading::Category, Reading::Number, Reading::Category],
        statistics,
        scalar: encoded("sums", "counts"),
        training,
        ..Form::default()
    })
}

/// The encoding by these statistics; without any label there is no prior, and everything is null.
fn encoded(sums: &str, counts: &str) -> String {
    format!("target_encode(x, keys, {sums}, {counts}, prior, smoothing)")
}

/// The fold of a row. Rows without a key are in the first one, so that none is encoded with its own label.
fn fold_of_row(folds: i64) -> String {
    format!("coalesce(hash_bucket(key, {folds}), 0)")
}

/// Sum and number of the labels, of all rows or of those outside of a fold.
fn aggregates(sums: &str, counts: &str, fold: Option<(i64, i64)>) -> Vec<(String, String)> {
    let filter = match fold {
        Some((fold, folds)) => format!(" FILTER (WHERE {} <> {fold})", fold_of_row(folds)),
        None => String::new(),
    };
    vec![
        (sums.to_owned(), format!("coalesce(sum(label){filter}, 0)")),
        (counts.to_owned(), format!("(count(label){filter})::DOUBLE")),
    ]
}
