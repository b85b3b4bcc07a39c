//! Prepared statements.

use std::mem::MaybeUninit;
use std::sync::Arc;

use hypostyle::arrow::datatypes::Schema as ArrowSchema;
use hypostyle::arrow::ffi::FFI_ArrowSchema;
use hypostyle::{Field, Prepared, Schema, Value};

use crate::answer::HypostyleAnswer;
use crate::arrow_data::give_schema;
use crate::border::{act, ask, given, make};
use crate::error::{Failure, HypostyleCode, HypostyleError, Result};
use crate::row::HypostyleRow;
use crate::run::HypostyleRun;
use crate::values::HypostyleValues;

/// A query that is bound and compiled. It never changes: any number of threads may use it at the same time.
pub struct HypostylePrepared {
    pub(crate) prepared: Prepared,
    /// The text that errors point into; empty where there is none.
    pub(crate) sql: Arc<str>,
}

impl HypostylePrepared {
    pub(crate) fn new(prepared: Prepared, sql: &str) -> Self {
        Self { prepared, sql: sql.into() }
    }

    /// Columns of the input whose rows the host pushes.
    pub(crate) fn input(&self) -> Option<ArrowSchema> {
        self.prepared.input().map(|schema| schema.to_arrow())
    }

    /// An error with its place in the text.
    pub(crate) fn failed(&self, error: &hypostyle::Error) -> Failure {
        Failure::in_text(error, &self.sql)
    }
}

/// The values of a call, none for NULL.
fn parameters(values: Option<&HypostyleValues>) -> &[Value] {
    values.map_or(&[], |values| &values.0)
}

/// Frees a prepared statement. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_prepared_free(prepared: Option<Box<HypostylePrepared>>) {
    ask(|| drop(prepared));
}

/// The columns of the result, as a struct schema. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_prepared_schema(
    prepared: Option<&HypostylePrepared>,
    schema: Option<&mut MaybeUninit<FFI_ArrowSchema>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        let columns = given(prepared, "prepared")?.prepared.schema().to_arrow();
        give_schema(&columns, given(schema, "schema")?)
    })
}

/// The parameters in the order in which values are given, as a struct schema: their names and the types that their places ask for. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_prepared_parameters(
    prepared: Option<&HypostylePrepared>,
    schema: Option<&mut MaybeUninit<FFI_ArrowSchema>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        let parameters = given(prepared, "prepared")?.prepared.parameters().iter();
        let fields = parameters.map(|parameter| Field::new(&parameter.name, parameter.data_type.clone()));
        give_schema(&Schema::new(fields.collect()).to_arrow(), given(schema, "schema")?)
    })
}

/// The columns of the input whose rows the host pushes, as a struct schema; an error for a query that reads its own tables. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_prepared_input(
    prepared: Option<&HypostylePrepared>,
    schema: Option<&mut MaybeUninit<FFI_ArrowSchema>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        let input = given(prepared, "prepared")?.input();
        let input = input.ok_or_else(|| Failure::user("this query reads its own tables"))?;
        give_schema(&input, given(schema, "schema")?)
    })
}

/// Starts the query with these values; `values` may be NULL where there are no parameters. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_prepared_run(
    prepared: Option<&HypostylePrepared>,
    values: Option<&HypostyleValues>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> Option<Box<HypostyleAnswer>> {
    make(error, || {
        let prepared = given(prepared, "prepared")?;
        let answer = prepared.prepared.run(parameters(values)).map_err(|error| prepared.failed(&error))?;
        Ok(HypostyleAnswer::new(answer, &prepared.sql))
    })
}

/// As hypostyle_prepared_run, for hosts that push batches in or step the workers themselves. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_prepared_start(
    prepared: Option<&HypostylePrepared>,
    values: Option<&HypostyleValues>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> Option<Box<HypostyleRun>> {
    make(error, || started(given(prepared, "prepared")?, values))
}

fn started(prepared: &HypostylePrepared, values: Option<&HypostyleValues>) -> Result<HypostyleRun> {
    let run = prepared.prepared.start(parameters(values)).map_err(|error| prepared.failed(&error))?;
    Ok(HypostyleRun::new(run, prepared))
}

/// Makes an evaluator for single rows and micro-batches, of a query that selects expressions over the columns of one table. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_prepared_row(
    prepared: Option<&HypostylePrepared>,
    values: Option<&HypostyleValues>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> Option<Box<HypostyleRow>> {
    make(error, || {
        let prepared = given(prepared, "prepared")?;
        let row = prepared.prepared.row(parameters(values)).map_err(|error| prepared.failed(&error))?;
        Ok(HypostyleRow::new(row, &prepared.sql))
    })
}
