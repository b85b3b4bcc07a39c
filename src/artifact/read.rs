//! The bytes of a file to a fitted transform, with everything verified.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use hypostyle_engine::Context;
use hypostyle_engine::memory_map;
use hypostyle_engine::plan::{Expression, from_json};
use hypostyle_functions::checked_blocks::CheckedBlocks;
use hypostyle_functions::{Literal, Schema, Value};
use hypostyle_planner::transform::{Fitted, FittedCall};

use super::{
    BLOCK_BYTES, FORMAT, GOLDEN_INPUT, GOLDEN_OUTPUT, INPUT_SCHEMA, MANIFEST, Manifest, OUTPUT_SCHEMA, PLAN,
    StoredParameter, StoredPlan, VERSION, golden, mapped, members::Members, statistics,
};
use crate::error::{Error, Result};

/// Reads a transform and verifies it. Lists and indexes of more bytes than `large_bytes` are used where they lie in the file: of
/// vocabularies only the first and the last block are verified, and the others when a lookup first touches them.
///
/// # Errors
/// A file that is not there, is no transform, is damaged, was written by a later version, or needs a function that this
/// session does not have.
pub(crate) fn read(path: &Path, large_bytes: usize, context: &Arc<Context>) -> Result<(Manifest, Fitted)> {
    let refused = |problem: String| Error::user(format!("{}: {problem}", path.display()));
    let bytes = file_bytes(path, large_bytes).map_err(|error| refused(error.to_string()))?;
    of_buffer(&bytes, large_bytes, context).map_err(refused)
}

fn file_bytes(path: &Path, large_bytes: usize) -> std::io::Result<Buffer> {
    let mut file = std::fs::File::open(path)?;
    let about = file.metadata()?;
    if about.is_file() && about.len() > large_bytes as u64 {
        return memory_map::map(&file);
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Buffer::from_vec(bytes))
}

/// As [`read`], of bytes.
pub(crate) fn from_bytes(bytes: &[u8], context: &Arc<Context>) -> Result<(Manifest, Fitted), String> {
    of_buffer(&Buffer::from(bytes), usize::MAX, context)
}

pub(super) fn of_buffer(
    bytes: &Buffer,
    large_bytes: usize,
    context: &Arc<Context>,
) -> Result<(Manifest, Fitted), String> {
    let foreign = |problem: String| format!("the file is no transform, or is damaged: {problem}");
    let mut members = Members::open(bytes).map_err(foreign)?;
    let manifest = read_manifest(&members.read(MANIFEST).map_err(foreign)?)?;
    let parts = verified_parts(&manifest, &mut members, bytes, large_bytes)?;
    check_functions(&manifest, context)?;
    check_tables(&manifest)?;
    let part = |name: &str| parts.get(name).ok_or_else(|| format!("the transform has no member {name}"));
    let plan: StoredPlan =
        from_json(part(PLAN)?, "the plan of the transform").map_err(|error| error.to_string())?;
    let fitted = assembled(plan, &manifest, &parts, large_bytes)?;
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
    file: &Buffer,
    large_bytes: usize,
) -> Result<HashMap<String, Buffer>, String> {
    let mut parts = HashMap::with_capacity(manifest.members.len());
    for member in &manifest.members {
        let place = members.place(&member.name)?;
        let bytes = file.slice_with_length(place.start, place.len());
        let is_used_in_place = bytes.len() > large_bytes && !is_always_verified(&member.name);
        match is_used_in_place {
            true => member.check_ends(&bytes)?,
            false => member.check(&bytes)?,
        }
        parts.insert(member.name.clone(), bytes);
    }
    let stray = members.names()?.into_iter().find(|name| name != MANIFEST && !parts.contains_key(name));
    match stray {
        Some(name) => Err(format!("member {name} is not in the manifest")),
        None => Ok(parts),
    }
}

/// Whether a member is read as a whole, and so verified, whatever its size.
fn is_always_verified(name: &str) -> bool {
    !(name.starts_with("statistics/") || name.starts_with("index/"))
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
    parts: &HashMap<String, Buffer>,
    large_bytes: usize,
) -> Result<Fitted, String> {
    let parts = Parts { manifest, parts, large_bytes };
    let mut batches: HashMap<&str, RecordBatch> = HashMap::new();
    let mut parameters: Vec<Literal> = Vec::new();
    let mut calls = Vec::with_capacity(plan.calls.len());
    let stored: Vec<_> = plan.calls.iter().flat_map(|call| &call.stored).cloned().collect();
    for parameter in &stored {
        if let Some(literal) = in_place(parameter, &parts)? {
            parameters.push(literal);
            continue;
        }
        if !batches.contains_key(parameter.member.as_str()) {
            let bytes = parts.get(&parameter.member)?;
            let batch = statistics::read_arrow_file(bytes)
                .map_err(|problem| format!("member {}: {problem}", parameter.member))?;
            batches.insert(&parameter.member, batch);
        }
        if let Some(batch) = batches.get(parameter.member.as_str()) {
            let literal = statistics::parameter_of(batch, parameter)?;
            parameters.push(with_index(literal, parameter, &parts)?);
        }
    }
    let mut values = parameters.iter().cloned();
    for call in plan.calls {
        let names = call.stored.into_iter().map(|parameter| parameter.name);
        let own = names.zip(values.by_ref()).collect();
        calls.push(FittedCall { parameters: own, ..call.call });
    }
    let provenance = manifest.provenance.clone();
    let mut fitted =
        Fitted { inputs: plan.inputs, windows: plan.windows, outputs: plan.outputs, calls, provenance };
    let width = fitted.inputs.len();
    for expression in fitted.windows.iter_mut().flat_map(|window| window.window.expressions_mut()) {
        place(expression, &parameters, width)?;
    }
    check_windows(&fitted)?;
    let width = fitted.read_schema().fields.len();
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

/// Windows as they are written: one order each, a text for each call, and a name that nothing else has.
fn check_windows(fitted: &Fitted) -> Result<(), String> {
    let mut names: Vec<&str> = fitted.inputs.iter().map(|input| input.name.as_str()).collect();
    for window in &fitted.windows {
        let is_whole = window.window.orders.len() == 1
            && window.window.limit.is_none()
            && window.texts.len() == window.window.calls.len();
        if !is_whole || names.contains(&window.history.as_str()) {
            return Err(format!("the plan's window \"{}\" is damaged", window.history));
        }
        names.push(&window.history);
    }
    Ok(())
}

/// The members of a file, and what verifies those that are used where they lie.
struct Parts<'p> {
    manifest: &'p Manifest,
    parts: &'p HashMap<String, Buffer>,
    large_bytes: usize,
}

impl Parts<'_> {
    fn get(&self, name: &str) -> Result<&Buffer, String> {
        self.parts.get(name).ok_or_else(|| format!("the transform has no member {name}"))
    }

    /// Whether a member is used where it lies.
    fn is_large(&self, part: &Buffer) -> bool {
        part.len() > self.large_bytes
    }

    /// What verifies a member block by block; `None` for one that was verified as a whole.
    fn blocks(&self, name: &str) -> Result<Option<Arc<CheckedBlocks>>, String> {
        let part = self.get(name)?;
        let member = self.manifest.members.iter().find(|member| member.name == name);
        let Some(member) = member.filter(|member| self.is_large(part) && !member.blocks.is_empty()) else {
            return Ok(None);
        };
        let checksums = member.blocks.iter().map(|digits| u64::from_str_radix(digits, 16));
        let checksums = checksums.collect::<Result<Vec<u64>, _>>().map_err(|error| error.to_string());
        let named = match self.manifest.name.as_str() {
            "" => format!("member {name}"),
            transform => format!("transform \"{transform}\": member {name}"),
        };
        let blocks = CheckedBlocks::new(named, part.clone(), BLOCK_BYTES, checksums?);
        blocks
            .map(|blocks| Some(Arc::new(blocks)))
            .ok_or_else(|| format!("the checksums of member {name} are damaged"))
    }
}

/// A parameter whose member is so large that it is used where it lies. Vocabularies are verified where lookups touch them, everything
/// else here.
fn in_place(parameter: &StoredParameter, parts: &Parts<'_>) -> Result<Option<Literal>, String> {
    let large = parts.parts.get(&parameter.member).filter(|part| parts.is_large(part));
    let Some((part, element)) = large.zip(parameter.data_type.element()) else { return Ok(None) };
    let list = mapped::list(part, &parameter.name, element)
        .map_err(|problem| format!("member {}: {problem}", parameter.member))?;
    let Some(mut list) = list else { return Ok(None) };
    if let Some(blocks) = parts.blocks(&parameter.member)? {
        list = list.with_blocks(blocks);
        if parameter.index.is_none() {
            list.check().map_err(|error| error.to_string())?;
        }
    }
    let literal = Literal { data_type: parameter.data_type.clone(), value: Value::Shared(list) };
    with_index(literal, parameter, parts).map(Some)
}

/// The vocabulary with the index that the file has for it.
fn with_index(literal: Literal, parameter: &StoredParameter, parts: &Parts<'_>) -> Result<Literal, String> {
    let (Some(name), Value::Shared(list)) = (&parameter.index, &literal.value) else { return Ok(literal) };
    let index = mapped::index(parts.get(name)?, list.len(), parts.blocks(name)?);
    let index = index.map_err(|problem| format!("member {name}: {problem}"))?;
    let value = Value::Shared(list.clone().with_index(index));
    Ok(Literal { data_type: literal.data_type, value })
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
