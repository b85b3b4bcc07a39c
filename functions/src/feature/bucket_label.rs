//! `bucket_label`: the bucket of a value as text.

use super::CATEGORY;
use super::borders::{borders, closed, closure, constant_borders};
use crate::cast::text::write_f64;
use crate::error::{Error, Result};
use crate::kernel::bucketize::{Borders, Closed};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;
use crate::value::{Literal, Value};

pub(super) fn function() -> ScalarFunction {
    let format = exact("format", Type::Text).or(Literal::new(Value::from("bucket_names")));
    let exclude = exact("exclude_boundaries", Type::Boolean).or(Literal::new(Value::Boolean(false)));
    ScalarFunction::new("bucket_label", CATEGORY, "Name or range of the bucket that a number falls into.")
        .note("format => 'bucket_names' counts from bin_1, 'bucket_ranges' gives intervals, 'bucket_ranges_json' objects with start and end.")
        .note("exclude_boundaries => true leaves out the first and the last border. closed and NaN are as of `bucketize`.")
        .note("The borders must be constant. Names and formats are those of ML.BUCKETIZE.")
        .example("bucket_label(2.5, [1, 2, 3])", "bin_3")
        .example("bucket_label(2.5, [1, 2, 3], exclude_boundaries => true)", "bin_2")
        .example("bucket_label(2.5, [1, 2, 3], 'bucket_ranges')", "[2.0, 3.0)")
        .overload([exact("x", Type::Float64), borders(), format, exclude, closed()], bind)
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    let refused =
        |position: usize, problem: String| Error::argument(arguments.function, position + 1, problem);
    arguments.constant(1)?;
    let borders = constant_borders(arguments)?;
    let mut borders = borders.ok_or_else(|| refused(1, "must be a constant list, not NULL".into()))?;
    match arguments.constant(3)?.as_bool() {
        Some(true) => {
            borders.pop();
            borders.drain(..borders.len().min(1));
        }
        Some(false) => {}
        None => return Err(refused(3, "must be true or false, not NULL".into())),
    }
    let closed = closure(arguments, 4)?;
    let search: Borders<f64> =
        Borders::new(&borders, closed).map_err(|error| refused(1, format!("is refused: {error}")))?;
    let range = |bucket: usize| {
        let low = bucket.checked_sub(1).map(|border| shown(borders[border]));
        (low, borders.get(bucket).map(|&border| shown(border)))
    };
    let label = |bucket: usize| match arguments.constant_text(2)? {
        "bucket_names" => Ok(format!("bin_{}", bucket + 1)),
        "bucket_ranges" => Ok(interval(range(bucket), closed)),
        "bucket_ranges_json" => {
            let (low, high) = range(bucket);
            let (low, high) = (low.unwrap_or("-Infinity".into()), high.unwrap_or("Infinity".into()));
            Ok(format!("{{\"start\": \"{low}\", \"end\": \"{high}\"}}"))
        }
        other => {
            let known = "'bucket_names', 'bucket_ranges' or 'bucket_ranges_json'";
            Err(refused(2, format!("is \"{other}\"; expected {known}")))
        }
    };
    let labels = (0..=borders.len()).map(label).collect::<Result<Vec<String>>>()?;
    Ok(Bound::strict(Type::Text, move |arguments, rows, output, _| {
        let values = arguments[0].fixed::<f64>();
        let mut writer = output.text();
        rows.for_each(|row| writer.set(row, &labels[search.bucket(values.get(row)) as usize]));
        Ok(())
    }))
}

fn interval((low, high): (Option<String>, Option<String>), closed: Closed) -> String {
    let left = if closed == Closed::Left && low.is_some() { '[' } else { '(' };
    let right = if closed == Closed::Right && high.is_some() { ']' } else { ')' };
    format!("{left}{}, {}{right}", low.unwrap_or("-inf".into()), high.unwrap_or("+inf".into()))
}

fn shown(border: f64) -> String {
    let mut text = String::new();
    // Writing into a string does not fail.
    let _ = write_f64(border, &mut text);
    text
}
