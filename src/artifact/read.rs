//! The bytes of a file to a fitted transform, with everything verified.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use hypostyle_engine::Context;
use hypostyle_engine::plan::{Expression, from_json};
use hypostyle_functions::{Literal, Schema, Value};
use hypostyle_planner::transform::{Fitted, FittedCall};

use super::{
    FORMAT, GOLDEN_INPUT, GOLDEN_OUTPUT, INPUT_SCHEMA, MANIFEST, Manifest, OUTPUT_SCHEMA, PLAN, StoredPlan,
    VERSION, golden, members::Members, statistics,
};
use crate::error::{Error, Result};

/// Reads a transform and verifies it.
///
/// # Errors
/// A file that is not there, is no transform, is damaged, was written by a later version, or needs a function that this
/// session does not have.
pub(crate) fn read(path: &Path, context: &Arc<Context>) -> Result<(Manifest, Fitted)> {
    let refused = |problem: String| Error::user(format!("{}: {problem}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
    from_bytes(&bytes, context).map_err(refused)
}

/// As [`read`], of bytes.
pub(crate) fn from_bytes(bytes: &[u8], context: &Arc<Context>) -> Result<(Manifest, Fitted), String> {
    let foreign = |problem: String| format!("the file is no transform, or is damaged: {problem}");
    let mut members = Members::open(bytes).map_err(foreign)?;
    let manifest = read_manifest(&members.read(MANIFEST).map_err(foreign)?)?;
    let parts = verified_parts(&manifest, &mut members)?;
    check_functions(&manifest, context)?;
    check_tables(&manifest)?;
    let part = |name: &str| parts.get(name).ok_or_else(|| format!("the transform has no member {name}"));
    let plan: StoredPlan =
        from_json(part(PLAN)?, "the plan of the transform").map_err(|error| error.to_string())?;
    let fitted = assembled(plan, &manifest, &parts)?;
    check_schema(&fitted.input_schema(), part(INPUT_SCHEMA)?, INPUT_SCHEMA)?;
    check_schema(&fitted.schema(), part(OUTPUT_SCHEMA)?, OUTPUT_SCHEMA)?;
    if let Some((output, problem)) = fitted.output_of_other_zone(&context.settings.time_zone) {
        return Err(format!("output \"{output}\" {problem}"));
    }
    check_golden(&fitted, part(GOLDEN_INPUT)?, part(GOLDEN_OUTPUT)?, context)?;
    Ok((manifest, fitted))
}

fn read_manifest(bytes: &[u8]) -> Result<Manifest, String> {
    /// What every version of the manifest has.
    #[derive(serde::Deserialize)]
    struct Head {
        format: String,
        version: u32,
    }
    let head: Head =
        serde_json::from_slice(bytes).map_err(|error| format!("the file is no transform: {error}"))?;
    if head.format != FORMAT {
        return Err(format!("the file is \"{}\"; expected \"{FORMAT}\"", head.format));
    }
    if head.version > VERSION {
        return Err(format!(
            "the transform has version {}, of a later release; this release reads up to version {VERSION}",
            head.version
        ));
    }
    serde_json::from_slice(bytes).map_err(|error| format!("the manifest is damaged: {error}"))
}

/// The members by name, each with the bytes that its digest tells.
fn verified_parts(
    manifest: &Manifest,
    members: &mut Members<'_>,
) -> Result<HashMap<String, Vec<u8>>, String> {
    let mut parts = HashMap::with_capacity(manifest.members.len());
    for member in &manifest.members {
        let bytes = members.read(&member.name)?;
        if !member.is(&bytes) {
            return Err(format!("member {} is damaged: its digest is another one", member.name));
        }
        parts.insert(member.name.clone(), bytes);
    }
    let stray = members.names()?.into_iter().find(|name| name != MANIFEST && !parts.contains_key(name));
    match stray {
        Some(name) => Err(format!("member {name} is not in the manifest")),
        None => Ok(parts),
    }
}

fn check_functions(manifest: &Manifest, context: &Arc<Context>) -> Result<(), String> {
    for (name, version) in &manifest.functions {
        let known = context.registry.scalar(name).ok_or_else(|| {
            format!("the transform calls the function {name}, which this session does not have")
        })?;
        if known.version != *version {
            return Err(format!(
                "the transform calls version {version} of the function {name}; this session has version {}",
                known.version
            ));
        }
    }
    Ok(())
}

/// Functions may answer otherwise under other tables of characters or of time zones.
fn check_tables(manifest: &Manifest) -> Result<(), String> {
    let known = hypostyle_functions::versions::tables();
    for (table, version) in &manifest.tables {
        let here = known.iter().find(|(name, _)| name == table).map(|(_, version)| version.as_str());
        if here != Some(version) {
            return Err(format!(
                "the transform depends on version {version} of the table \"{table}\"; this release has version {}: fit it again",
                here.unwrap_or("none")
            ));
        }
    }
    Ok(())
}

/// Puts parameters back into their places.
fn assembled(
    plan: StoredPlan,
    manifest: &Manifest,
    parts: &HashMap<String, Vec<u8>>,
) -> Result<Fitted, String> {
    let mut batches: HashMap<&str, RecordBatch> = HashMap::new();
    let mut parameters: Vec<Literal> = Vec::new();
    let mut calls = Vec::with_capacity(plan.calls.len());
    let stored: Vec<_> = plan.calls.iter().flat_map(|call| &call.stored).cloned().collect();
    for parameter in &stored {
        if !batches.contains_key(parameter.member.as_str()) {
            let bytes = parts
                .get(&parameter.member)
                .ok_or_else(|| format!("the transform has no member {}", parameter.member))?;
            let batch = statistics::read_arrow_file(bytes)
                .map_err(|problem| format!("member {}: {problem}", parameter.member))?;
            batches.insert(&parameter.member, batch);
        }
        if let Some(batch) = batches.get(parameter.member.as_str()) {
            parameters.push(statistics::parameter_of(batch, parameter)?);
        }
    }
    let mut values = parameters.iter().cloned();
    for call in plan.calls {
        let names = call.stored.into_iter().map(|parameter| parameter.name);
        let own = names.zip(values.by_ref()).collect();
        calls.push(FittedCall { parameters: own, ..call.call });
    }
    let mut fitted =
        Fitted { inputs: plan.inputs, outputs: plan.outputs, calls, provenance: manifest.provenance.clone() };
    let width = fitted.inputs.len();
    for output in &mut fitted.outputs {
        for expression in [&mut output.expression].into_iter().chain(&mut output.training) {
            place(expression, &parameters, width)?;
        }
    }
    for argument in fitted.calls.iter_mut().flat_map(|call| &mut call.arguments) {
        place(argument, &parameters, width)?;
    }
    Ok(fitted)
}

fn place(expression: &mut Expression, parameters: &[Literal], width: usize) -> Result<(), String> {
    let mut problem = None;
    expression.walk_mut(&mut |part| match part {
        Expression::Parameter { index, .. } => match parameters.get(*index) {
            Some(literal) => *part = Expression::Literal(literal.clone()),
            None => problem = Some(format!("the plan reads parameter {index} of {}", parameters.len())),
        },
        Expression::Column { index, .. } if *index >= width => {
            problem = Some(format!("the plan reads column {index} of {width}"));
        }
        _ => {}
    });
    problem.map_or(Ok(()), Err)
}

fn check_schema(expected: &Schema, bytes: &[u8], member: &str) -> Result<(), String> {
    let batch =
        statistics::read_arrow_file(bytes).map_err(|problem| format!("member {member}: {problem}"))?;
    statistics::rows_of(&batch, expected).map(drop).map_err(|problem| format!("member {member}: {problem}"))
}

/// Runs the golden rows; equal bits, or the transform is refused.
fn check_golden(fitted: &Fitted, input: &[u8], output: &[u8], context: &Arc<Context>) -> Result<(), String> {
    let columns = |bytes: &[u8], schema: &Schema, member: &str| {
        let batch =
            statistics::read_arrow_file(bytes).map_err(|problem| format!("member {member}: {problem}"))?;
        let columns =
            statistics::rows_of(&batch, schema).map_err(|problem| format!("member {member}: {problem}"))?;
        Ok::<_, String>((columns, batch.num_rows()))
    };
    let (inputs, rows) = columns(input, &fitted.input_schema(), GOLDEN_INPUT)?;
    let (expected, expected_rows) = columns(output, &fitted.schema(), GOLDEN_OUTPUT)?;
    // Without inputs there is nothing that could hold the number of rows.
    let rows = if inputs.is_empty() { expected_rows } else { rows };
    let rows: Vec<Vec<Value>> = (0..rows)
        .map(|row| inputs.iter().map(|column| column.get(row).cloned().unwrap_or(Value::Null)).collect())
        .collect();
    let found = golden::evaluate(fitted, &rows, context)
        .map_err(|error| format!("the plan of the transform does not run here: {error}"))?;
    for ((output, expected), found) in fitted.outputs.iter().zip(&expected).zip(&found) {
        if expected != found {
            return Err(format!(
                "output \"{}\" gives other values than where the transform was written: the golden rows do not hold",
                output.name
            ));
        }
    }
    Ok(())
}
