//! Batches of a host for the inputs of plans: columns found by name, types held against what the plan reads.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use hypostyle_engine::plan::{Node, Plan, TableReference};
use hypostyle_engine::{Batch, Context};
use hypostyle_functions::Type;
use hypostyle_functions::types::Schema;

use crate::error::{Error, Result};

/// The columns of the table whose rows a host pushes, if the plan reads one.
pub(crate) fn host_input(plan: &Plan, context: &Context) -> Option<Schema> {
    if let Node::Scan { table: TableReference::Named(name), .. } = &plan.node
        && let Some(table) = context.catalog.table(name)
        && table.is_host_driven()
    {
        return Some(table.schema().clone());
    }
    plan.inputs().into_iter().find_map(|input| host_input(input, context))
}

/// A batch for [`crate::Run::push`]: the columns that are read, found by name, in their order and types.
///
/// # Errors
/// A batch that lacks a column or has one of another type.
pub fn input_batch(batch: &RecordBatch, inputs: &Schema) -> Result<Batch> {
    let mut columns = Vec::with_capacity(inputs.fields.len());
    for field in &inputs.fields {
        let known = batch.schema();
        let position =
            known.fields().iter().position(|column| column.name().eq_ignore_ascii_case(&field.name));
        let Some(position) = position else {
            return Err(Error::user(format!("the batch has no column \"{}\", which is read", field.name)));
        };
        let found = Type::from_arrow(known.field(position).data_type())?;
        if found != field.data_type {
            return Err(Error::user(format!(
                "column \"{}\" of the batch has type {found}; expected {}",
                field.name, field.data_type
            )));
        }
        columns.push(Arc::clone(batch.column(position)));
    }
    let fields: Vec<_> = inputs
        .fields
        .iter()
        .zip(&columns)
        .map(|(field, column)| arrow::datatypes::Field::new(&field.name, column.data_type().clone(), true))
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let schema = Arc::new(arrow::datatypes::Schema::new(fields));
    let batch = RecordBatch::try_new_with_options(schema, columns, &options)?;
    Ok(Batch::import(&batch, inputs)?)
}
