//! Sorted runs: rows in memory with their order, or rows in a spill file with their keys.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryViewArray};
use arrow_select::interleave::interleave;
use bumpalo::Bump;
use hypostyle_functions::column::{Column, Output, borrow};
use hypostyle_functions::types::Type;

use super::SortKeys;
use crate::batch::Batch;
use crate::error::Result;
use crate::memory::Reservation;
use crate::metrics::OperatorMetrics;
use crate::operator::RunContext;
use crate::spill::SpillFile;

/// A sorted run.
pub(super) enum Run {
    /// In memory, with what it is charged.
    Memory(MemoryRun, Reservation),
    /// In a file: the columns, then the key of each row.
    File(SpillFile),
}

/// Rows of many batches and the order they come in.
pub(super) struct MemoryRun {
    batches: Vec<Batch>,
    /// Batch and row of each row, in the order they were added.
    starts: Vec<usize>,
    keys: SortKeys,
    order: Vec<u32>,
    /// The columns as arrays, one per batch, made on first use.
    arrays: std::cell::OnceCell<Vec<Vec<ArrayRef>>>,
}

impl MemoryRun {
    pub fn new(batches: Vec<Batch>, keys: SortKeys, order: Vec<u32>) -> Self {
        let mut start = 0;
        let starts = batches
            .iter()
            .map(|batch| {
                start += batch.rows;
                start - batch.rows
            })
            .collect();
        Self { batches, starts, keys, order, arrays: std::cell::OnceCell::new() }
    }

    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// The key of the row at this place of the order.
    pub fn key(&self, place: usize) -> &[u8] {
        self.keys.get(self.order[place] as usize)
    }

    fn arrays(&self) -> Result<&Vec<Vec<ArrayRef>>> {
        if let Some(arrays) = self.arrays.get() {
            return Ok(arrays);
        }
        let columns = self.batches.first().map_or(0, |batch| batch.columns.len());
        let arrays = (0..columns)
            .map(|column| self.batches.iter().map(|batch| Ok(batch.columns[column].to_array()?)).collect())
            .collect::<Result<Vec<Vec<ArrayRef>>>>()?;
        Ok(self.arrays.get_or_init(|| arrays))
    }

    /// Rows `start .. end` of the order. Text gets bytes of its own, so that the run can be dropped.
    pub fn gather(&self, start: usize, end: usize, types: &[Type]) -> Result<Batch> {
        let places: Vec<(usize, usize)> = self.order[start..end]
            .iter()
            .map(|&row| {
                let batch = self.starts.partition_point(|&start| start <= row as usize) - 1;
                (batch, row as usize - self.starts[batch])
            })
            .collect();
        let columns = self
            .arrays()?
            .iter()
            .zip(types)
            .map(|(arrays, data_type)| Ok(Column::Flat(gather_column(arrays, &places, data_type)?)))
            .collect::<Result<_>>()?;
        Ok(Batch::new(columns, places.len()))
    }
}

/// The values at these places (array, row).
pub(crate) fn gather_column(
    arrays: &[ArrayRef],
    places: &[(usize, usize)],
    data_type: &Type,
) -> Result<ArrayRef> {
    // Every array that is handed on costs time: a few rows of a run of many batches must not pay for all of them.
    if places.len() < arrays.len() {
        let mut read: Vec<usize> = places.iter().map(|&(array, _)| array).collect();
        read.sort_unstable();
        read.dedup();
        let renumbered =
            places.iter().map(|&(array, row)| (read.partition_point(|&other| other < array), row));
        let renumbered: Vec<_> = renumbered.collect();
        let arrays: Vec<ArrayRef> = read.iter().map(|&array| Arc::clone(&arrays[array])).collect();
        return gather_read(&arrays, &renumbered, data_type);
    }
    gather_read(arrays, places, data_type)
}

fn gather_read(arrays: &[ArrayRef], places: &[(usize, usize)], data_type: &Type) -> Result<ArrayRef> {
    if data_type.is_fixed_width() {
        let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
        return Ok(interleave(&arrays, places)?);
    }
    let bump = Bump::new();
    let views: Vec<_> = arrays.iter().map(|array| borrow(array, data_type, &bump)).collect();
    let mut output = Output::copying(data_type.clone());
    output.prepare(places.len());
    for (to, &(array, row)) in places.iter().enumerate() {
        output.copy(to, &views[array], row);
    }
    Ok(output.freeze()?)
}

/// Writes a run to a file.
pub(super) fn spill(
    run: &MemoryRun,
    types: &[Type],
    context: &Arc<RunContext>,
    metrics: &OperatorMetrics,
) -> Result<SpillFile> {
    let mut writer = context.spill.create("sort")?;
    let step = context.batch_rows();
    for start in (0..run.len()).step_by(step) {
        context.check_cancelled()?;
        let end = run.len().min(start + step);
        let mut batch = run.gather(start, end, types)?;
        let keys: BinaryViewArray = (start..end).map(|place| Some(run.key(place))).collect();
        batch.columns.push(Column::Flat(Arc::new(keys)));
        metrics.add_spilled(writer.write(&batch)?);
    }
    writer.finish()
}
