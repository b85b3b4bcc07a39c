//! Windows of a served row: a function of the row and of the list of the rows before it, evaluated as windows over tables are.
//!
//! A row with its history is a partition: the rows of the list in their order, and the row itself behind them. The
//! columns that the calls read are put together, and the values of the last row of each partition are what the
//! function gives, as fields of a struct. They are computed for that row alone; where a function orders its arguments itself, a window
//! over the rows of a whole batch gives them.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::ArrayRef;
use bumpalo::Bump;
use hypostyle_functions as functions;
use hypostyle_functions::column::{Column, Output, Rows, View, borrow};
use hypostyle_functions::scalar::{Bound, ScalarFunction};
use hypostyle_functions::signature::exact;
use hypostyle_functions::types::{Field, Schema, Type};

use super::arrange::Arrangement;
use super::evaluate::{Computed, evaluate_from};
use super::last_row::{self, Layout};
use super::shape::WindowShape;
use crate::batch::Batch;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::expression::{Evaluator, ExpressionSet};
use crate::plan::Window;

/// The type of the list that holds the rows before a row: structs of the columns that a window reads.
pub fn history_type(fields: &[Field]) -> Type {
    Type::list(Type::Struct(fields.into()))
}

/// A function of this name that takes the rows before a row and the columns of the row itself, and gives the values of
/// the calls of a window as a struct, whose fields have no names. The window reads the columns `fields` by position; what it is
/// partitioned by is not read, as a history is one of a partition.
///
/// # Errors
/// A function that the registry does not have in this form and version.
pub fn window_over_history(
    name: &str,
    window: &Window,
    fields: &[Field],
    context: &Arc<Context>,
) -> Result<ScalarFunction> {
    let window = Window { partition: Vec::new(), limit: None, ..window.clone() };
    let (shape, expressions) = WindowShape::bind(&window, context)?;
    let layout = Layout::of(&shape, &expressions, fields, context)?;
    let expressions = ExpressionSet::compile(&expressions, &Schema::new(fields.to_vec()), context)?;
    let types: Vec<Type> = shape.calls.iter().map(|call| call.result.clone()).collect();
    let result = Type::Struct(types.into_iter().map(|data_type| Field::new("", data_type)).collect());
    let served = Arc::new(Served { shape, layout, expressions, idle: Mutex::default() });
    let own = fields.iter().map(|field| exact("column", field.data_type.clone()));
    let parameters: Vec<_> = std::iter::once(exact("history", history_type(fields))).chain(own).collect();
    let function =
        ScalarFunction::new(name, "window", "The values of windows over the rows before a row and itself.");
    Ok(function.overload(parameters, move |_| {
        let served = Arc::clone(&served);
        Ok(Bound::null_aware(result.clone(), move |arguments, rows, output, _| {
            served.call(arguments, rows, output).map_err(|error| match error {
                Error::Function(error) => error,
                Error::User(message) => functions::Error::User(message),
                other => functions::Error::internal(other.to_string()),
            })
        }))
    }))
}

/// A window without partitions, bound for rows with histories.
struct Served {
    shape: WindowShape,
    /// Set if the last rows are evaluated alone.
    layout: Option<Layout>,
    expressions: Arc<ExpressionSet>,
    /// Workspaces that no call is using.
    idle: Mutex<Vec<Workspace>>,
}

/// What is used again from call to call.
enum Workspace {
    OfLastRow(Box<last_row::Workspace>),
    OfBatch(Box<Evaluator>, Vec<Output>),
}

impl Served {
    fn call(&self, arguments: &[View<'_>], rows: Rows<'_>, output: &mut Output) -> Result<()> {
        let lock = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = lock().pop();
        let mut workspace = match idle {
            Some(workspace) => workspace,
            None => self.workspace()?,
        };
        let result = self.evaluate(&mut workspace, arguments, rows, output);
        lock().push(workspace);
        result
    }

    fn workspace(&self) -> Result<Workspace> {
        let types = self.expressions.input_types();
        Ok(match &self.layout {
            Some(layout) => {
                let workspace = last_row::Workspace::new(&self.shape, layout, types)?;
                Workspace::OfLastRow(Box::new(workspace))
            }
            None => {
                let evaluator = Evaluator::new(Arc::clone(&self.expressions), &[])?;
                Workspace::OfBatch(Box::new(evaluator), types.iter().cloned().map(Output::new).collect())
            }
        })
    }

    fn evaluate(
        &self,
        workspace: &mut Workspace,
        arguments: &[View<'_>],
        rows: Rows<'_>,
        output: &mut Output,
    ) -> Result<()> {
        let Some((history, current)) = arguments.split_first() else {
            return Err(Error::internal("a served window without a history"));
        };
        if rows.is_empty() {
            return Ok(());
        }
        match (workspace, &self.layout) {
            (Workspace::OfLastRow(workspace), Some(layout)) => rows.try_for_each(|row| {
                let one = [row as u32];
                for (position, (column, view)) in workspace.rows.iter_mut().zip(current).enumerate() {
                    column.prepare(0);
                    gather(column, history, position, view, Rows::Selected(&one));
                }
                let count = rows_before(history, row) + 1;
                workspace.evaluate(&self.shape, layout, count, output.fields(), row)
            }),
            (Workspace::OfBatch(evaluator, columns), _) => {
                self.evaluate_batch((evaluator, columns), (history, current), rows, output)
            }
            _ => Err(Error::internal("a workspace of another served window")),
        }
    }

    /// All rows of a batch as partitions of one window.
    fn evaluate_batch(
        &self,
        (evaluator, columns): (&mut Evaluator, &mut [Output]),
        (history, current): (&View<'_>, &[View<'_>]),
        rows: Rows<'_>,
        output: &mut Output,
    ) -> Result<()> {
        let partitions = partitions(history, rows)?;
        let count = partitions.last().map_or(0, |&end| end as usize);
        let mut gathered = Vec::with_capacity(current.len());
        for (position, (column, view)) in columns.iter_mut().zip(current).enumerate() {
            column.prepare(0);
            gather(column, history, position, view, rows);
            gathered.push(Column::Flat(column.freeze()?));
        }
        let columns = evaluator.evaluate(&Batch::new(gathered, count))?;
        let results = evaluate_from(&self.shape, &columns, Arrangement::of_partitions(partitions.clone()))?;
        let ends = || partitions.iter().skip(1).map(|&end| end as usize - 1);
        for (field, computed) in output.fields().iter_mut().zip(&results) {
            scatter(field, computed, rows, ends())?;
        }
        Ok(())
    }
}

/// How many rows the history of a row holds.
fn rows_before(history: &View<'_>, row: usize) -> usize {
    if history.is_valid(row) { history.list().length(row) } else { 0 }
}

/// Where the partition of each row starts, and the last one ends: the rows of its history and the row itself.
fn partitions(history: &View<'_>, rows: Rows<'_>) -> Result<Vec<u32>> {
    let mut starts = Vec::with_capacity(rows.count() + 1);
    let mut end = 0u32;
    starts.push(end);
    rows.try_for_each(|row| {
        let next = u32::try_from(rows_before(history, row) + 1).ok().and_then(|own| end.checked_add(own));
        end =
            next.ok_or_else(|| Error::user("the histories of a batch hold more than 4,294,967,295 rows"))?;
        starts.push(end);
        Ok::<(), Error>(())
    })?;
    Ok(starts)
}

/// A column of the histories, each followed by the value of its row.
fn gather(column: &mut Output, history: &View<'_>, position: usize, current: &View<'_>, rows: Rows<'_>) {
    let lists = history.list();
    let elements = lists.child();
    let values = elements.field(position);
    rows.for_each(|row| {
        if history.is_valid(row) {
            let range = lists.range(row);
            match elements.may_be_null() {
                false => column.push_range(&values, range),
                // An element that is null is a row of nulls.
                true => range.for_each(|element| match elements.is_null(element) {
                    true => column.push_null(),
                    false => column.push(&values, element),
                }),
            }
        }
        column.push(current, row);
    });
}

/// The values of the last row of each partition, at the rows of the call.
fn scatter(
    field: &mut Output,
    computed: &Computed,
    rows: Rows<'_>,
    mut ends: impl Iterator<Item = usize>,
) -> Result<()> {
    let values: &ArrayRef = &computed.values;
    let data_type = field.data_type().clone();
    let bump = Bump::new();
    let view = borrow(values, &data_type, &bump);
    rows.for_each(|row| {
        let Some(end) = ends.next() else { return };
        let place = computed.positions.as_ref().map_or(end, |positions| positions[end] as usize);
        field.copy(row, &view, place);
    });
    Ok(())
}
