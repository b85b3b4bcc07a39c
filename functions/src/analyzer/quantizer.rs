//! Scales of codes, trained on embeddings.

use super::{Analyzer, Form, Given, Reading, Statistic};
use crate::error::{Error, Result};
use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.register_analyzer(
        Analyzer::new(
            "quantize_i8",
            "An embedding as codes of eight bits, with the scale under which the greatest element of the column is 127.",
            eight_bits,
        )
        .note("scale = greatest absolute element / 127; quantize_i8(x, scale) is the scalar. Infinities do not count and saturate; a NaN or a null element is an error.")
        .note("A column of zeros, or without values, has the scale 1."),
    );
}

fn eight_bits(given: &Given<'_>) -> Result<Form> {
    if !given.is_list(0) {
        return Err(Error::argument(given.name, 1, "is no list; expected embeddings"));
    }
    let greatest =
        "max(list_max(list_transform(x, e -> CASE WHEN isfinite(e) THEN abs(e)::DOUBLE ELSE 0 END)))";
    let scale = format!("coalesce(nullif(({greatest} / 127)::FLOAT, 0), 1)::FLOAT");
    Ok(Form {
        readings: vec![Reading::Plain],
        statistics: vec![Statistic::value("scale", scale)],
        scalar: "quantize_i8(x, scale)".into(),
        ..Form::default()
    })
}
