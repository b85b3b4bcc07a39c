//! Scaling by moments, extremes and quantiles.

use super::{Analyzer, Form, Given, Reading, Statistic};
use crate::error::Result;
use crate::registry::Registry;
use crate::signature::{Parameter, exact};
use crate::types::Type;
use crate::value::{Literal, Value};

pub(super) fn integer(name: &'static str, default: i64) -> Parameter {
    exact(name, Type::Int64).or(Literal::new(Value::Int64(default)))
}

pub(super) fn number(name: &'static str, default: f64) -> Parameter {
    exact(name, Type::Float64).or(Literal::new(Value::float64(default)))
}

pub(super) fn text(name: &'static str, default: &str) -> Parameter {
    exact(name, Type::Text).or(Literal::new(Value::from(default)))
}

pub(super) fn flag(name: &'static str, default: bool) -> Parameter {
    exact(name, Type::Boolean).or(Literal::new(Value::Boolean(default)))
}

/// The form of a scalar over one number.
pub(super) fn of_number(statistics: Vec<Statistic>, scalar: &str) -> Form {
    Form {
        readings: vec![Reading::Number],
        statistics,
        scalar: scalar.into(),
        keeps_float: true,
        ..Form::default()
    }
}

fn sample_deviation() -> Vec<(&'static str, Literal)> {
    vec![("ddof", Literal::new(Value::Int64(1)))]
}

pub(super) fn register(registry: &mut Registry) {
    registry.register_analyzer(
        Analyzer::new("power_transform", "The power of x that makes the column most like a normal distribution, scaled to mean 0 and deviation 1.", power)
            .option(text("method", "yeo-johnson"))
            .option(flag("standardize", true))
            .set("sklearn", Vec::new())
            .note("method => 'yeo-johnson', or 'box-cox' for numbers above 0: the transforms and likelihood of power_lambda. The fit holds the column in memory.")
            .note("Nulls and NaN do not count and stay what they are."),
    );
    registry.register_analyzer(
        Analyzer::new("standard_scale", "(x - mean) / std, with the mean and standard deviation of the column.", standard)
            .option(integer("ddof", 0))
            .set("sklearn", Vec::new())
            .set("tft", Vec::new())
            .set("torcharrow", Vec::new())
            .set("bigquery", sample_deviation())
            .set("nvtabular", sample_deviation())
            .set("spark", sample_deviation())
            .note("The deviation divides by n - ddof. Nulls and NaN do not count and stay what they are; a column without values gives null.")
            .note("Where the deviation is 0: x - mean, or what the system named by compat does."),
    );
    registry.register_analyzer(
        Analyzer::new("min_max_scale", "(x - low) / (high - low), with the least and greatest value of the column.", min_max)
            .option(flag("clip", false))
            .set("sklearn", Vec::new())
            .set("tft", Vec::new())
            .set("torcharrow", Vec::new())
            .set("bigquery", vec![("clip", Literal::new(Value::Boolean(true)))])
            .set("nvtabular", Vec::new())
            .set("spark", Vec::new())
            .note("With clip => true results are held between 0 and 1. Nulls and NaN do not count and stay what they are."),
    );
    registry.register_analyzer(
        Analyzer::new(
            "max_abs_scale",
            "x / magnitude, with the greatest absolute value of the column.",
            |given| {
                given.refuse_list()?;
                Ok(of_number(
                    vec![Statistic::value("magnitude", "max(abs(x))")],
                    "max_abs_scale(x, magnitude)",
                ))
            },
        )
        .set("sklearn", Vec::new())
        .set("spark", Vec::new())
        .note("Nulls and NaN do not count and stay what they are. Where the magnitude is 0, x stays as it is, as in scikit-learn and Spark."),
    );
    registry.register_analyzer(
        Analyzer::new("robust_scale", "(x - median) / (high - low), with quantiles of the column.", robust)
            .option(number("low", 0.25))
            .option(number("high", 0.75))
            .option(text("method", "cont"))
            .set("sklearn", Vec::new())
            .set("bigquery", vec![("method", Literal::new(Value::from("disc")))])
            .set("spark", vec![("method", Literal::new(Value::from("disc")))])
            .note("compat => 'spark' is RobustScaler as it comes, with relativeError 0: x / (high - low), and 0 where both are equal.")
            .note("low and high are shares; method => 'cont' interpolates between neighbours, 'disc' takes a value of the column.")
            .note("Quantiles are exact; method => 'approx' keeps sketches of a few kilobytes, whose values are off by 0.5 % at most. Nulls and NaN do not count and stay what they are."),
    );
}

/// The numbers of the column as a list, in the order of its rows.
const NUMBERS: &str = "list(x) FILTER (WHERE x IS NOT NULL)";

fn power(given: &Given<'_>) -> Result<Form> {
    given.refuse_list()?;
    let method = given.word("method", &["yeo-johnson", "box-cox"])?;
    let function = if method == "box-cox" { "boxcox" } else { "yeo_johnson" };
    let lambda = Statistic::value("lambda", format!("power_lambda({NUMBERS}, method => '{method}')"));
    // A column of one value has no exponent and stays as it is.
    let transformed = format!("{function}({NUMBERS}, coalesce(lambda, 1))");
    let scalar = format!("{function}(x, coalesce(lambda, 1))");
    if !given.flag("standardize")? {
        return Ok(of_number(vec![lambda], &scalar));
    }
    let statistics = vec![
        lambda,
        Statistic::value("mean", format!("list_avg({transformed})")),
        Statistic::value("std", format!("list_stddev_pop({transformed})")),
    ];
    Ok(of_number(statistics, &format!("standard_scale({scalar}, mean, std)")))
}

fn standard(given: &Given<'_>) -> Result<Form> {
    given.refuse_list()?;
    let deviation = match given.count("ddof", 0)? {
        0 => "stddev_pop(x)",
        1 => "coalesce(stddev_samp(x), 0)",
        // Of a general one the population's variance is taken apart.
        _ => "sqrt(var_pop(x) * count(x) / (count(x) - ddof))",
    };
    let statistics = vec![Statistic::value("mean", "avg(x)"), Statistic::value("std", deviation)];
    let compat = match given.compat.unwrap_or("sklearn") {
        "bigquery" => "sklearn",
        system => system,
    };
    Ok(of_number(statistics, &format!("standard_scale(x, mean, std, compat => '{compat}')")))
}

fn min_max(given: &Given<'_>) -> Result<Form> {
    given.refuse_list()?;
    let clip = given.flag("clip")?;
    let statistics = vec![Statistic::value("low", "min(x)"), Statistic::value("high", "max(x)")];
    let compat = given.compat.unwrap_or("sklearn");
    Ok(of_number(statistics, &format!("min_max_scale(x, low, high, clip => {clip}, compat => '{compat}')")))
}

fn robust(given: &Given<'_>) -> Result<Form> {
    given.refuse_list()?;
    let method = given.word("method", &["cont", "disc", "approx"])?;
    let function =
        if method == "approx" { "approx_quantile".to_owned() } else { format!("quantile_{method}") };
    let (low, high) = (given.number("low", 0.0, 1.0)?, given.number("high", 0.0, 1.0)?);
    let share = |value: f64| Literal::new(Value::float64(value));
    let statistics = vec![
        Statistic::value("median_value", format!("{function}(x, middle)")),
        Statistic::value("low_value", format!("{function}(x, low_share)")),
        Statistic::value("high_value", format!("{function}(x, high_share)")),
    ];
    let constants = vec![("middle", share(0.5)), ("low_share", share(low)), ("high_share", share(high))];
    let compat = if given.compat == Some("spark") { "spark" } else { "sklearn" };
    let scalar = format!("robust_scale(x, median_value, low_value, high_value, compat => '{compat}')");
    Ok(Form { constants, ..of_number(statistics, &scalar) })
}
