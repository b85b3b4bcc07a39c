//! Buckets whose borders come from the data.

use super::scale::{of_number, text};
use super::{Analyzer, Form, Given, Statistic};
use crate::error::Result;
use crate::feature::BUCKETS_MAX;
use crate::registry::Registry;
use crate::signature::exact;
use crate::types::Type;
use crate::value::{Literal, Value};

/// Most buckets whose borders are sketched: each border has a sketch of its own.
const SKETCHED_BUCKETS_MAX: i64 = 256;

pub(super) fn register(registry: &mut Registry) {
    let buckets = || exact("buckets", Type::Int64);
    let options = |analyzer: Analyzer| {
        analyzer
            .option(buckets())
            .option(text("closed", "left"))
            .option(text("nan", "last"))
            .option(text("nulls", "null"))
            .positional(1)
            .note("closed, nan and nulls are those of bucketize. Nulls, NaN and infinities do not count; borders that are equal are one.")
    };
    registry.register_analyzer(
        options(Analyzer::new(
            "quantile_bucketize",
            "The bucket of a value, from 0, of buckets that hold equal shares of the column.",
            quantiles,
        ))
        .option(text("method", "cont"))
        .set("sklearn", Vec::new())
        .set("tft", Vec::new())
        .set("bigquery", Vec::new())
        .set("spark", vec![("method", Literal::new(Value::from("disc"))), ("nan", Literal::new(Value::from("error")))])
        .note("compat => 'spark' is QuantileDiscretizer with relativeError 0: borders are values of the column, and NaN is refused when it is applied.")
        .note("compat => 'sklearn' drops borders that are equal to the least or greatest value, or nearer than 1e-8 to the one before.")
        .note("Quantiles are exact, and hold the column in memory or on disk; method => 'cont' interpolates between neighbours, 'disc' takes values of the column.")
        .note("method => 'approx' keeps sketches of a few kilobytes instead, whose borders are off by 0.5 % of their value at most."),
    );
    registry.register_analyzer(options(
        Analyzer::new(
            "uniform_bucketize",
            "The bucket of a value, from 0, of buckets of equal width between the least and greatest value of the column.",
            uniform,
        )
        .set("sklearn", Vec::new()),
    ));
}

const SCALAR: &str = "bucketize(x, borders, closed => closed, nan => nan, nulls => nulls)";

fn quantiles(given: &Given<'_>) -> Result<Form> {
    given.refuse_list()?;
    let buckets = bucket_count(given)?;
    let method = given.word("method", &["cont", "disc", "approx"])?;
    let shares = (1..buckets).map(|bucket| Value::float64(bucket as f64 / buckets as f64)).collect();
    let shares = Literal::new(Value::List(Type::Float64, shares));
    if buckets == 1 {
        let borders = Literal::new(Value::List(Type::Float64, Vec::new()));
        let form = of_number(Vec::new(), SCALAR);
        return Ok(Form { constants: vec![("borders", borders)], keeps_float: false, ..form });
    }
    if method == "approx" {
        return approximate(given, buckets);
    }
    if given.compat == Some("sklearn") {
        return Ok(quantiles_of_sklearn(buckets, method));
    }
    let borders = format!(
        "coalesce(list_sort(list_distinct(quantile_{method}(x, shares) FILTER (WHERE isfinite(x)))), []::DOUBLE[])"
    );
    let statistics = vec![Statistic::value("borders", borders)];
    Ok(Form { constants: vec![("shares", shares)], keeps_float: false, ..of_number(statistics, SCALAR) })
}

/// Borders out of sketches, one for each border.
fn approximate(given: &Given<'_>, buckets: i64) -> Result<Form> {
    if buckets > SKETCHED_BUCKETS_MAX || given.compat == Some("sklearn") {
        let problem = format!(
            "{}: method 'approx' is for at most {SKETCHED_BUCKETS_MAX} buckets, and not for compat => 'sklearn'",
            given.name
        );
        return Err(crate::error::Error::User(problem));
    }
    let border = |bucket: i64| {
        format!("approx_quantile(x, {:?}) FILTER (WHERE isfinite(x))", bucket as f64 / buckets as f64)
    };
    let borders: Vec<String> = (1..buckets).map(border).collect();
    let borders = format!("list_sort(list_distinct([{}]))", borders.join(", "));
    let statistics = vec![Statistic::value("borders", borders)];
    Ok(Form { keeps_float: false, ..of_number(statistics, SCALAR) })
}

/// Borders as scikit-learn keeps them: of the edges, least and greatest value included, those that are nearer than 1e-8 to the
/// one before go, and the inner ones of the others are the borders.
fn quantiles_of_sklearn(buckets: i64, method: &str) -> Form {
    let shares = (0..=buckets).map(|bucket| Value::float64(bucket as f64 / buckets as f64)).collect();
    let shares = Literal::new(Value::List(Type::Float64, shares));
    let edges = format!("coalesce(quantile_{method}(x, shares) FILTER (WHERE isfinite(x)), []::DOUBLE[])");
    let kept = "list_filter(edges, (edge, place) -> place = 1 OR edge - edges[place - 1] > 1e-8)";
    let statistics =
        vec![Statistic::value("edges", edges), Statistic::value("borders", format!("({kept})[2:-2]"))];
    Form { constants: vec![("shares", shares)], keeps_float: false, ..of_number(statistics, SCALAR) }
}

fn uniform(given: &Given<'_>) -> Result<Form> {
    given.refuse_list()?;
    bucket_count(given)?;
    let extreme = |name: &str| format!("{name}(x) FILTER (WHERE isfinite(x))");
    let borders =
        format!("coalesce(uniform_borders({}, {}, buckets), []::DOUBLE[])", extreme("min"), extreme("max"));
    let statistics = vec![Statistic::value("borders", borders)];
    Ok(Form { keeps_float: false, ..of_number(statistics, SCALAR) })
}

fn bucket_count(given: &Given<'_>) -> Result<i64> {
    let buckets = given.count("buckets", 1)?;
    match buckets <= BUCKETS_MAX {
        true => Ok(buckets),
        false => Err(crate::error::Error::User(format!(
            "{}: at most {BUCKETS_MAX} buckets are fitted",
            given.name
        ))),
    }
}
