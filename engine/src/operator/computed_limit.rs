//! LIMIT and OFFSET whose numbers another plan computes, or whose number is a percentage of the rows.

use std::sync::{Arc, Mutex, PoisonError};

use bumpalo::Bump;
use hypostyle_functions::column::Data;
use hypostyle_functions::types::Type;

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::operator::gather::Gathered;
use crate::operator::ordered::Consumer;
use crate::operator::{Claim, Source};
use crate::spill::{RowReader, RowStore};
use crate::table::Reader;

/// The numbers, once they are known.
#[derive(Debug, Clone, Copy, Default)]
struct Amounts {
    /// A number of rows, or a percentage of them; all if `None`.
    count: Option<f64>,
    rows: Option<u64>,
    offset: u64,
}

/// Where the numbers wait for the rows.
#[derive(Debug, Default)]
pub struct AmountsCell(Mutex<Amounts>);

impl AmountsCell {
    fn get(&self) -> Amounts {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the one row of numbers: the limit (a BIGINT, or a DOUBLE where it is a percentage) and the offset (a BIGINT).
pub struct TakeAmounts {
    /// Where they go.
    pub cell: Arc<AmountsCell>,
    /// Type of the limit.
    pub data_type: Type,
}

impl Consumer for TakeAmounts {
    fn consume(&mut self, batch: Batch) -> Result<()> {
        let [count, offset] = batch.columns.as_slice() else {
            return Err(Error::internal("a limit of other than two numbers"));
        };
        let bump = Bump::new();
        let mut amounts = Amounts::default();
        let view = count.view(&self.data_type, &bump);
        match view.data {
            _ if view.is_null(0) => {}
            Data::Int64(values) => amounts.rows = Some(not_negative(values[view.value_index(0)])?),
            Data::Float64(values) => amounts.count = Some(percentage(values[view.value_index(0)])?),
            _ => return Err(Error::internal("a limit of another type than BIGINT or DOUBLE")),
        }
        let view = offset.view(&Type::Int64, &bump);
        match view.data {
            _ if view.is_null(0) => {}
            Data::Int64(values) => amounts.offset = not_negative(values[view.value_index(0)])?,
            _ => return Err(Error::internal("an offset of another type than BIGINT")),
        }
        *self.cell.0.lock().unwrap_or_else(PoisonError::into_inner) = amounts;
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

fn not_negative(value: i64) -> Result<u64> {
    u64::try_from(value)
        .map_err(|_| Error::user(format!("LIMIT or OFFSET of {value}; it cannot be negative")))
}

fn percentage(value: f64) -> Result<f64> {
    match (0.0..=100.0).contains(&value) {
        true => Ok(value),
        false => Err(Error::user(format!("LIMIT of {value}%; a percentage is from 0 to 100"))),
    }
}

/// Keeps the rows that a limit by number wants, or all for one by percentage.
pub struct LimitedRows {
    cell: Arc<AmountsCell>,
    store: Option<RowStore>,
    skipped: u64,
    kept: u64,
    result: Arc<Gathered>,
}

impl LimitedRows {
    /// A consumer that keeps its rows in `store` and hands them to `result`.
    pub fn new(cell: &Arc<AmountsCell>, store: RowStore, result: &Arc<Gathered>) -> Self {
        Self { cell: Arc::clone(cell), store: Some(store), skipped: 0, kept: 0, result: Arc::clone(result) }
    }
}

impl Consumer for LimitedRows {
    fn consume(&mut self, batch: Batch) -> Result<()> {
        let amounts = self.cell.get();
        let Some(store) = &mut self.store else {
            return Err(Error::internal("rows came after the last one"));
        };
        if amounts.count.is_some() {
            return store.add(batch);
        }
        let skipped = (amounts.offset - self.skipped).min(batch.rows as u64);
        self.skipped += skipped;
        let left = batch.rows as u64 - skipped;
        let kept = amounts.rows.map_or(left, |rows| left.min(rows - self.kept));
        self.kept += kept;
        match kept {
            0 => Ok(()),
            _ => store.add(batch.slice(skipped as usize, kept as usize)),
        }
    }

    fn finish(&mut self) -> Result<()> {
        self.store.take().map_or(Ok(()), |store| self.result.put(store))
    }
}

/// The rows that are kept.
pub struct LimitedSource {
    /// The numbers.
    pub cell: Arc<AmountsCell>,
    /// The rows.
    pub rows: Arc<Gathered>,
}

impl Source for LimitedSource {
    fn claim(&self) -> Result<Claim> {
        let Some(rows) = self.rows.take() else { return Ok(Claim::End) };
        let amounts = self.cell.get();
        let (skip, keep) = match amounts.count {
            // The rows are those that are wanted.
            None => (0, rows.rows() as u64),
            Some(percentage) => (amounts.offset, (rows.rows() as f64 * percentage / 100.0) as u64),
        };
        Ok(Claim::Morsel(Box::new(LimitedReader { rows, skip, keep })))
    }
}

struct LimitedReader {
    rows: RowReader,
    skip: u64,
    keep: u64,
}

impl Reader for LimitedReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        while self.keep > 0 {
            let Some(batch) = self.rows.next()? else { return Ok(None) };
            let skipped = self.skip.min(batch.rows as u64);
            self.skip -= skipped;
            let kept = self.keep.min(batch.rows as u64 - skipped);
            self.keep -= kept;
            if kept > 0 {
                return Ok(Some(batch.slice(skipped as usize, kept as usize)));
            }
        }
        Ok(None)
    }
}
