//! A fitted transform to the bytes of its file.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::buffer::Buffer;
use hypostyle_connectors::output::Target;
use hypostyle_engine::Context;
use hypostyle_engine::plan::Expression;
use hypostyle_functions::column::Output;
use hypostyle_functions::{Literal, Schema, Type, Value};
use hypostyle_planner::transform::{Fitted, FittedCall};

use super::pack::{Sealed, pack};
use super::parallel::in_parallel;
use super::{
    FORMAT, GOLDEN_INPUT, GOLDEN_OUTPUT, INPUT_SCHEMA, MANIFEST, Manifest, OUTPUT_SCHEMA, PLAN, StoredCall,
    StoredParameter, StoredPlan, golden, statistics, version_of,
};
use crate::error::{Error, Result};

/// Values by column.
type Columns = Vec<Vec<Value>>;

/// Writes a fitted transform; the file has its name once it is whole.
pub(crate) fn write(
    path: &Path,
    name: &str,
    sql: &str,
    fitted: &Fitted,
    context: &Arc<Context>,
) -> Result<()> {
    let members = members(name, sql, fitted, context)?;
    let failed =
        |error: &dyn std::fmt::Display| Error::user(format!("cannot write {}: {error}", path.display()));
    let mut target = Target::create(path).map_err(|error| failed(&error))?;
    pack(&members, &mut target).map_err(|error| failed(&error))?;
    target.commit().map_err(|error| failed(&error))?;
    Ok(())
}

/// The members of the file, the manifest first.
pub(super) fn members(name: &str, sql: &str, fitted: &Fitted, context: &Arc<Context>) -> Result<Vec<Sealed>> {
    let (mut parts, plan) = stored_plan(fitted, threads_for(fitted, context))?;
    let plan = serde_json::to_vec_pretty(&plan)
        .map_err(|error| Error::user(format!("the plan was not written: {error}")))?;
    let (inputs, outputs) = golden_rows(fitted, context)?;
    let (input_schema, output_schema) = (fitted.input_schema(), fitted.schema());
    parts.insert(0, Sealed::new(PLAN.to_owned(), Buffer::from_vec(plan)));
    let tables: [(&str, &Schema, &[Vec<Value>]); 4] = [
        (INPUT_SCHEMA, &input_schema, &[]),
        (OUTPUT_SCHEMA, &output_schema, &[]),
        (GOLDEN_INPUT, &input_schema, &inputs),
        (GOLDEN_OUTPUT, &output_schema, &outputs),
    ];
    for (name, schema, columns) in tables {
        parts.push(Sealed::new(name.to_owned(), table_file(schema, columns)?));
    }
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        version: version_of(fitted),
        written_by: format!("hypostyle {}", env!("CARGO_PKG_VERSION")),
        name: name.to_owned(),
        sql: sql.to_owned(),
        provenance: fitted.provenance.clone(),
        functions: functions_of(fitted),
        tables: fitted.tables(context),
        members: parts.iter().map(Sealed::listed).collect(),
    };
    let manifest = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| Error::user(format!("the manifest was not written: {error}")))?;
    parts.insert(0, Sealed::new(MANIFEST.to_owned(), Buffer::from_vec(manifest)));
    Ok(parts)
}

/// Entries of all fitted lists from which on their members are made by several threads.
const PARALLEL_ENTRIES: usize = 1 << 17;

/// Entries of what was fitted by a call.
fn entries_of(call: &FittedCall) -> usize {
    let lists = call.parameters.iter().filter_map(|(_, literal)| match &literal.value {
        Value::List(_, values) => Some(values.len()),
        Value::Shared(list) => Some(list.len()),
        _ => None,
    });
    lists.sum()
}

fn threads_for(fitted: &Fitted, context: &Context) -> usize {
    match fitted.calls.iter().map(entries_of).sum::<usize>() < PARALLEL_ENTRIES {
        true => 1,
        false => context.configuration.threads,
    }
}

/// The members of all calls, the longest lists begun first.
fn members_of_calls(
    calls: &[FittedCall],
    threads: usize,
) -> Result<Vec<(Vec<Sealed>, Vec<StoredParameter>)>> {
    let mut numbers: Vec<usize> = (0..calls.len()).collect();
    numbers.sort_by_key(|&number| std::cmp::Reverse(entries_of(&calls[number])));
    let made = in_parallel(&numbers, threads, |number| {
        let (members, stored) = statistics::members_of(number, &calls[number])?;
        let sealed = members.into_iter().map(|(name, bytes)| Sealed::new(name, bytes)).collect();
        Ok((sealed, stored))
    })?;
    let mut made: Vec<_> = numbers.into_iter().zip(made).collect();
    made.sort_by_key(|(number, _)| *number);
    Ok(made.into_iter().map(|(_, made)| made).collect())
}

/// The plan with parameters in place of fitted lists, and the members that hold these.
fn stored_plan(fitted: &Fitted, threads: usize) -> Result<(Vec<Sealed>, StoredPlan)> {
    let (mut parts, mut calls) = (Vec::new(), Vec::with_capacity(fitted.calls.len()));
    let mut lists: HashMap<&Literal, usize> = HashMap::new();
    let mut place = 0;
    let made = members_of_calls(&fitted.calls, threads)?;
    for (call, (members, stored)) in fitted.calls.iter().zip(made) {
        parts.extend(members);
        for (_, literal) in &call.parameters {
            if matches!(literal.value, Value::List(..) | Value::Shared(_)) {
                lists.entry(literal).or_insert(place);
            }
            place += 1;
        }
        calls.push(StoredCall { call: FittedCall { parameters: Vec::new(), ..call.clone() }, stored });
    }
    let (mut outputs, mut windows) = (fitted.outputs.clone(), fitted.windows.clone());
    let of_windows = windows.iter_mut().flat_map(|window| window.window.expressions_mut());
    let arguments = calls.iter_mut().flat_map(|call| &mut call.call.arguments);
    let expressions = outputs
        .iter_mut()
        .flat_map(|output| [&mut output.expression].into_iter().chain(&mut output.training));
    for expression in expressions.chain(arguments).chain(of_windows) {
        expression.walk_mut(&mut |part| {
            if let Expression::Literal(literal) = part
                && let Some(index) = lists.get(literal)
            {
                *part = Expression::Parameter { index: *index, data_type: literal.data_type.clone() };
            }
        });
    }
    Ok((parts, StoredPlan { inputs: fitted.inputs.clone(), windows, outputs, calls }))
}

/// Functions that the outputs call, with their versions.
fn functions_of(fitted: &Fitted) -> Vec<(String, u32)> {
    let mut functions = BTreeSet::new();
    let of_outputs =
        fitted.outputs.iter().flat_map(|output| [&output.expression].into_iter().chain(&output.training));
    let of_windows = fitted.windows.iter().flat_map(|window| window.window.expressions());
    for expression in of_outputs.chain(of_windows) {
        expression.walk(&mut |part| {
            if let Expression::Call { function, version, .. } = part {
                functions.insert((function.clone(), *version));
            }
        });
    }
    functions.into_iter().collect()
}

/// Columns of inputs and of what they give; rows that an output refuses are left out.
fn golden_rows(fitted: &Fitted, context: &Arc<Context>) -> Result<(Columns, Columns)> {
    let mut rows = golden::rows(fitted);
    let outputs = match golden::evaluate(fitted, &rows, context) {
        Ok(outputs) => outputs,
        Err(_) => {
            rows.retain(|row| golden::evaluate(fitted, std::slice::from_ref(row), context).is_ok());
            // Windows may refuse rows that each by itself passes.
            while !rows.is_empty() && golden::evaluate(fitted, &rows, context).is_err() {
                rows.pop();
            }
            golden::evaluate(fitted, &rows, context)?
        }
    };
    let columns = (0..fitted.inputs.len()).map(|column| rows.iter().map(|row| row[column].clone()).collect());
    Ok((columns.collect(), outputs))
}

/// An Arrow file of columns of values; without columns of no rows.
fn table_file(schema: &Schema, columns: &[Vec<Value>]) -> Result<Buffer> {
    let mut arrays = Vec::with_capacity(schema.fields.len());
    for (position, field) in schema.fields.iter().enumerate() {
        let values = columns.get(position).map_or(&[][..], Vec::as_slice);
        arrays.push((field.name.clone(), column(values, &field.data_type)?));
    }
    let batch: RecordBatch = statistics::batch(arrays)?;
    statistics::arrow_file(&batch)
}

fn column(values: &[Value], data_type: &Type) -> Result<ArrayRef> {
    let mut output = Output::new(data_type.clone());
    output.prepare(values.len());
    for (row, value) in values.iter().enumerate() {
        output.set_value(row, value)?;
    }
    statistics::stored(&output.freeze()?, data_type)
}
