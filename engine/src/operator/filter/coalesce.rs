//! Small remainders of batches grow to full batches before they go on.

use arrow::array::ArrayRef;
use arrow_select::concat::concat;
use hypostyle_functions::column::Column;

use crate::batch::Batch;
use crate::error::Result;
use crate::operator::Step;

/// Below this share of a full batch a remainder is held back, since the steps after it cost per batch.
const SMALL_SHARE: usize = 4;

/// Holds back small batches of one morsel until they make up a full one.
#[derive(Debug)]
pub struct Coalescer {
    batch_rows: usize,
    held: Vec<Batch>,
    held_rows: usize,
    ready: Option<Batch>,
}

impl Coalescer {
    /// A coalescer that aims at batches of `batch_rows` rows.
    pub fn new(batch_rows: usize) -> Self {
        Self { batch_rows, held: Vec::new(), held_rows: 0, ready: None }
    }

    /// Takes a batch in; gives a batch once there is enough.
    ///
    /// # Errors
    /// What Arrow reports.
    pub fn push(&mut self, batch: Batch) -> Result<Step> {
        let small = batch.rows < self.batch_rows / SMALL_SHARE;
        if !small {
            // A large batch goes on as it is, after what is held.
            if self.held.is_empty() {
                return Ok(Step::Output(batch));
            }
            let held = self.take_held()?;
            self.ready = Some(batch);
            return Ok(Step::MoreOutput(held));
        }
        self.held_rows += batch.rows;
        self.held.push(batch);
        if self.held_rows < self.batch_rows / 2 {
            return Ok(Step::NeedInput);
        }
        Ok(Step::Output(self.take_held()?))
    }

    /// What follows a [`Step::MoreOutput`].
    ///
    /// # Errors
    /// None at present.
    pub fn next(&mut self) -> Result<Step> {
        Ok(self.ready.take().map_or(Step::NeedInput, Step::Output))
    }

    /// The rest, at the end of a morsel.
    ///
    /// # Errors
    /// What Arrow reports.
    pub fn flush(&mut self) -> Result<Step> {
        if self.held.is_empty() { Ok(Step::NeedInput) } else { Ok(Step::Output(self.take_held()?)) }
    }

    fn take_held(&mut self) -> Result<Batch> {
        self.held_rows = 0;
        let held = std::mem::take(&mut self.held);
        concat_batches(&held)
    }
}

/// The rows of all batches in one, at the position of the first. There must be at least one batch.
///
/// # Errors
/// What Arrow reports.
pub(crate) fn concat_batches(batches: &[Batch]) -> Result<Batch> {
    let Some(first) = batches.first() else {
        return Err(crate::Error::internal("no batches to put together"));
    };
    if batches.len() == 1 {
        return Ok(first.clone());
    }
    let rows = batches.iter().map(|batch| batch.rows).sum();
    let columns = (0..first.columns.len())
        .map(|index| concat_columns(&batches.iter().map(|batch| &batch.columns[index]).collect::<Vec<_>>()))
        .collect::<Result<_>>()?;
    Ok(Batch::new(columns, rows).at(first.position))
}

/// Columns one after the other. Those that share a dictionary or a constant keep it.
///
/// # Errors
/// What Arrow reports.
pub(crate) fn concat_columns(columns: &[&Column]) -> Result<Column> {
    if let Some(column) = concat_constants(columns) {
        return Ok(column);
    }
    if let Some(column) = concat_shared_dictionary(columns)? {
        return Ok(column);
    }
    let arrays = columns.iter().map(|column| column.to_array()).collect::<Result<Vec<ArrayRef>, _>>()?;
    let arrays: Vec<&dyn arrow::array::Array> = arrays.iter().map(AsRef::as_ref).collect();
    Ok(Column::Flat(concat(&arrays)?))
}

fn concat_constants(columns: &[&Column]) -> Option<Column> {
    let Column::Constant { value: first, .. } = columns.first()? else { return None };
    let mut total = 0;
    for column in columns {
        let Column::Constant { value, length } = column else { return None };
        if !std::sync::Arc::ptr_eq(first, value) {
            return None;
        }
        total += length;
    }
    Some(Column::Constant { value: std::sync::Arc::clone(first), length: total })
}

fn concat_shared_dictionary(columns: &[&Column]) -> Result<Option<Column>> {
    let Some(Column::Dictionary { values: first, .. }) = columns.first() else { return Ok(None) };
    let mut codes: Vec<ArrayRef> = Vec::with_capacity(columns.len());
    for column in columns {
        let Column::Dictionary { indices, validity, values } = column else { return Ok(None) };
        if !std::sync::Arc::ptr_eq(first, values) {
            return Ok(None);
        }
        codes.push(std::sync::Arc::new(arrow::array::UInt32Array::new(indices.clone(), validity.clone())));
    }
    let codes: Vec<&dyn arrow::array::Array> = codes.iter().map(AsRef::as_ref).collect();
    let codes = concat(&codes)?;
    use arrow::array::{Array, AsArray};
    let codes = codes.as_primitive::<arrow::datatypes::UInt32Type>();
    Ok(Some(Column::Dictionary {
        indices: codes.values().clone(),
        validity: codes.nulls().cloned(),
        values: std::sync::Arc::clone(first),
    }))
}
