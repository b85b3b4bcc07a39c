//! Windows over more rows than the budget holds: rows go to files by part, each part is evaluated on its own, and the
//! rows of all parts are merged back into the order of the input.
//!
//! A row of a file is what the windows read of it, then the columns of the input, then its ordinal. A part that does not
//! fit is sorted through files by partition and order, and evaluated some partitions at a time ([`super::sorted`]).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array, UInt64Array};
use arrow::datatypes::UInt64Type;
use hypostyle_functions::column::{Column, Output};
use hypostyle_functions::types::Type;

use super::local::{Part, StoredMorsel};
use super::shape::WindowShape;
use super::sorted::WithResults;
use super::{WindowOperator, evaluate};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::memory::{Reservation, used_bytes_of};
use crate::operator::filter::concat_batches;
use crate::operator::sort::run::gather_column;
use crate::spill::{RowReader, RowStore};
use crate::table::Reader;

/// Times that the rows of a part are held while it is evaluated: as read, in one piece, and in order.
const COPIES: usize = 3;

impl WindowOperator {
    /// Columns of a stored row: what is evaluated and not constant, the input's, and the ordinal.
    pub(super) fn stored_types(&self) -> Vec<Type> {
        let evaluated = self.shape.column_types.iter().zip(&self.shape.constants);
        let evaluated = evaluated.filter(|(_, constant)| constant.is_none()).map(|(data_type, _)| data_type);
        evaluated.chain(&self.input_types).cloned().chain([Type::UInt64]).collect()
    }

    pub(super) fn new_store(&self) -> RowStore {
        RowStore::on_disk(&self.run, &self.account, &self.metrics, "window")
    }

    /// Writes what a worker has kept to the files of the parts.
    pub(super) fn spill(&self, morsels: Vec<StoredMorsel>, mut parts: Vec<Part>) -> Result<()> {
        let evaluated: Vec<Vec<ArrayRef>> = parts
            .iter_mut()
            .map(|part| part.columns.iter_mut().flatten().map(Output::freeze).collect())
            .collect::<std::result::Result<_, _>>()?;
        let mut state = self.lock();
        let stores = state.spilled.get_or_insert_with(|| (0..self.parts).map(|_| self.new_store()).collect());
        for stored in morsels.into_iter().flat_map(|morsel| morsel.batches) {
            self.run.check_cancelled()?;
            let mut lists = vec![Vec::new(); self.parts];
            match stored.parts.is_empty() {
                true => lists[0].extend(0..stored.batch.rows as u32),
                false => stored
                    .parts
                    .iter()
                    .enumerate()
                    .for_each(|(row, &part)| lists[usize::from(part)].push(row as u32)),
            }
            for (part, rows) in lists.into_iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
                let (start, count) = (stored.starts[part] as usize, rows.len());
                let own = evaluated[part].iter().map(|array| Column::Flat(array.slice(start, count)));
                let mut columns: Vec<Column> = own.collect();
                let ordinals: UInt64Array =
                    rows.iter().map(|&row| Some(stored.ordinals.of(row as usize))).collect();
                let rows = UInt32Array::from(rows);
                for column in &stored.batch.columns {
                    columns.push(column.take(&rows)?);
                }
                columns.push(Column::Flat(Arc::new(ordinals)));
                stores[part].add(Batch::new(columns, count))?;
            }
        }
        Ok(())
    }

    /// Evaluates a stored part; its rows with their results and ordinals, in the order of the input.
    pub(super) fn evaluate_stored(self: &Arc<Self>, store: RowStore) -> Result<RowStore> {
        let mut reader = store.into_reader()?;
        let mut reservation = self.account.reserve();
        let (mut batches, mut bytes, mut rows) = (Vec::new(), 0, 0);
        while let Some(batch) = reader.next()? {
            self.run.check_cancelled()?;
            bytes += used_bytes_of(&batch);
            rows += batch.rows;
            batches.push(batch);
            if !reservation.try_resize(bytes * COPIES + self.result_bytes(rows)) {
                drop((batches, reservation));
                return self.evaluate_large(reader);
            }
        }
        let mut run = self.new_store();
        if rows > 0 {
            let batch = by_ordinal(concat_batches(&batches)?)?;
            drop(batches);
            let results = self.restored_results(&batch)?;
            self.add_results(&batch, results, &mut run)?;
        }
        self.note_peak();
        Ok(run)
    }

    /// A part whose rows do not fit: perhaps what the windows read of them does. If so it is evaluated alone, and the rows
    /// get their results as they are read again.
    fn evaluate_large(self: &Arc<Self>, mut reader: RowReader) -> Result<RowStore> {
        reader.rewind()?;
        let mut reservation = self.account.reserve();
        let results = self.evaluate_alone(&mut reader, &mut reservation)?;
        reader.rewind()?;
        let Some((results, is_sorted)) = results else {
            drop(reservation);
            return self.evaluate_sorted(reader);
        };
        let mut types = self.stored_types();
        types.extend(self.calls_by_order().map(|call| self.shape.calls[call].result.clone()));
        let mut rows = WithResults { reader, results, row: 0 };
        self.note_peak();
        self.in_input_order(&mut rows, &types, is_sorted)
    }

    /// Positions of the calls, those over one order after those over the one before.
    pub(super) fn calls_by_order(&self) -> impl Iterator<Item = usize> + '_ {
        let of_order = |order| {
            let calls = self.shape.calls.iter().enumerate();
            calls.filter(move |(_, call)| call.order == order).map(|(position, _)| position)
        };
        (0..self.shape.orders.len()).flat_map(of_order)
    }

    /// The results of stored rows as they stand, calls by order, and whether the rows stand in the order of the input;
    /// `None` if what is evaluated does not fit.
    fn evaluate_alone(
        &self,
        reader: &mut RowReader,
        reservation: &mut Reservation,
    ) -> Result<Option<(Vec<ArrayRef>, bool)>> {
        let evaluated = evaluated_count(&self.shape);
        let (mut batches, mut bytes, mut rows) = (Vec::new(), 0, 0);
        while let Some(mut batch) = reader.next()? {
            self.run.check_cancelled()?;
            let ordinals = batch.columns.pop();
            batch.columns.truncate(evaluated);
            batch.columns.extend(ordinals);
            bytes += used_bytes_of(&batch);
            rows += batch.rows;
            batches.push(batch);
            if !reservation.try_resize(bytes * COPIES + self.result_bytes(rows)) {
                return Ok(None);
            }
        }
        let batch = concat_batches(&batches)?;
        drop(batches);
        let order = order_by_ordinal(&batch)?;
        let batch = match &order {
            Some(order) => taken(&batch, order)?,
            None => batch,
        };
        let mut results = self.restored_results(&batch)?;
        if let Some(order) = &order {
            let mut places = vec![0u32; rows];
            order.values().iter().enumerate().for_each(|(place, &row)| places[row as usize] = place as u32);
            let places = UInt32Array::from(places);
            for result in &mut results {
                *result = arrow_select::take::take(result, &places, None)?;
            }
        }
        let by_order = self.calls_by_order().map(|call| Arc::clone(&results[call])).collect();
        Ok(Some((by_order, order.is_none())))
    }

    /// The results of all calls over stored rows, in the order in which these stand.
    fn restored_results(&self, batch: &Batch) -> Result<Vec<ArrayRef>> {
        let computed = evaluate::evaluate(&self.shape, &self.evaluated(batch), batch.rows)?;
        computed.iter().map(evaluate::Computed::restored).collect()
    }

    /// The evaluated columns of stored rows, constants put in.
    pub(super) fn evaluated(&self, batch: &Batch) -> Vec<Column> {
        let mut stored = batch.columns.iter();
        let column = |constant: &Option<ArrayRef>| match constant {
            Some(value) => Column::Constant { value: Arc::clone(value), length: batch.rows },
            None => stored.next().cloned().unwrap_or_else(|| Column::nulls(&Type::Null, batch.rows)),
        };
        self.shape.constants.iter().map(column).collect()
    }

    /// Adds stored rows without what was evaluated, with their results before the ordinal.
    fn add_results(&self, batch: &Batch, results: Vec<ArrayRef>, run: &mut RowStore) -> Result<()> {
        let evaluated = evaluated_count(&self.shape);
        let mut columns = batch.columns[evaluated..].to_vec();
        let Some(ordinals) = columns.pop() else {
            return Err(Error::internal("stored rows without ordinals"));
        };
        columns.extend(results.into_iter().map(Column::Flat));
        columns.push(ordinals);
        let batch = Batch::new(columns, batch.rows);
        let step = self.run.batch_rows();
        for start in (0..batch.rows).step_by(step) {
            run.add(batch.slice(start, step.min(batch.rows - start)))?;
        }
        Ok(())
    }

    /// Types of the rows that come out.
    fn output_types(&self) -> Vec<Type> {
        let results = self.shape.calls.iter().map(|call| call.result.clone());
        self.input_types.iter().cloned().chain(results).collect()
    }

    /// The rows of all runs in the order of the input.
    pub(super) fn merge_runs(self: &Arc<Self>, runs: Vec<RowStore>) -> Box<dyn Reader> {
        let (waiting, types) = (runs, self.output_types());
        Box::new(RunMerge {
            window: Arc::clone(self),
            waiting,
            cursors: Vec::new(),
            heap: BinaryHeap::new(),
            types,
        })
    }
}

/// Stored columns before those of the input.
pub(super) fn evaluated_count(shape: &WindowShape) -> usize {
    shape.constants.iter().filter(|constant| constant.is_none()).count()
}

/// Rows in the order of their ordinals, which are the last column.
fn by_ordinal(batch: Batch) -> Result<Batch> {
    match order_by_ordinal(&batch)? {
        Some(order) => taken(&batch, &order),
        None => Ok(batch),
    }
}

/// The rows in the order of their ordinals; `None` if they stand so.
fn order_by_ordinal(batch: &Batch) -> Result<Option<UInt32Array>> {
    let Some(ordinals) = batch.columns.last() else { return Ok(None) };
    let ordinals = ordinals.to_array()?;
    let ordinals = ordinals.as_primitive::<UInt64Type>().values();
    if ordinals.is_sorted() {
        return Ok(None);
    }
    let mut order: Vec<u32> = (0..batch.rows as u32).collect();
    order.sort_unstable_by_key(|&row| ordinals[row as usize]);
    Ok(Some(UInt32Array::from(order)))
}

fn taken(batch: &Batch, order: &UInt32Array) -> Result<Batch> {
    let columns =
        batch.columns.iter().map(|column| column.take(order)).collect::<std::result::Result<_, _>>()?;
    Ok(Batch::new(columns, batch.rows))
}

/// Merges runs by ordinal.
struct RunMerge {
    window: Arc<WindowOperator>,
    waiting: Vec<RowStore>,
    cursors: Vec<Cursor>,
    /// The next ordinal of each cursor that has one, least first.
    heap: BinaryHeap<Reverse<(u64, usize)>>,
    types: Vec<Type>,
}

struct Cursor {
    rows: RowReader,
    columns: Vec<ArrayRef>,
    ordinals: Option<ArrayRef>,
    place: usize,
}

impl Cursor {
    fn ordinal(&self) -> Option<u64> {
        let ordinals = self.ordinals.as_ref()?.as_primitive::<UInt64Type>();
        (self.place < ordinals.len()).then(|| ordinals.value(self.place))
    }

    /// Reads the next batch; its first ordinal, if there is one.
    fn refill(&mut self) -> Result<Option<u64>> {
        let Some(batch) = self.rows.next()? else { return Ok(None) };
        self.columns = batch.columns.iter().map(Column::to_array).collect::<std::result::Result<_, _>>()?;
        self.ordinals = self.columns.pop();
        self.place = 0;
        Ok(self.ordinal())
    }
}

impl RunMerge {
    fn open(&mut self) -> Result<()> {
        for run in std::mem::take(&mut self.waiting) {
            let rows = run.into_reader()?;
            let mut cursor = Cursor { rows, columns: Vec::new(), ordinals: None, place: 0 };
            if let Some(ordinal) = cursor.refill()? {
                self.heap.push(Reverse((ordinal, self.cursors.len())));
                self.cursors.push(cursor);
            }
        }
        Ok(())
    }
}

impl Reader for RunMerge {
    /// Takes rows until a batch is full or a run needs its next batch: a batch of ours reads one batch of each run.
    fn next(&mut self) -> Result<Option<Batch>> {
        self.open()?;
        self.window.run.check_cancelled()?;
        let step = self.window.run.batch_rows();
        let mut places: Vec<(usize, usize)> = Vec::with_capacity(step);
        let mut used_up = None;
        while places.len() < step {
            let Some(Reverse((_, index))) = self.heap.pop() else { break };
            let cursor = &mut self.cursors[index];
            places.push((index, cursor.place));
            cursor.place += 1;
            match cursor.ordinal() {
                Some(ordinal) => self.heap.push(Reverse((ordinal, index))),
                None => {
                    used_up = Some(index);
                    break;
                }
            }
        }
        if places.is_empty() {
            return Ok(None);
        }
        let mut columns = Vec::with_capacity(self.types.len());
        for (column, data_type) in self.types.iter().enumerate() {
            let arrays: Vec<ArrayRef> =
                self.cursors.iter().map(|cursor| Arc::clone(&cursor.columns[column])).collect();
            columns.push(Column::Flat(gather_column(&arrays, &places, data_type)?));
        }
        if let Some(index) = used_up
            && let Some(ordinal) = self.cursors[index].refill()?
        {
            self.heap.push(Reverse((ordinal, index)));
        }
        Ok(Some(Batch::new(columns, places.len())))
    }
}
