//! A part of which not even what the windows read fits into memory: its rows are sorted through files by partition and order, so that partitions
//! come one after the other, and are evaluated as many at a time as fit. One pass per order; a last sort brings the rows
//! back into the order of the input.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use bumpalo::Bump;
use hypostyle_functions::column::{Column, equal};
use hypostyle_functions::types::{Field, Schema, Type};

use super::WindowOperator;
use super::evaluate::evaluate_order;
use super::spilled::evaluated_count;
use crate::batch::{Batch, Position};
use crate::error::Result;
use crate::expression::ExpressionSet;
use crate::memory::used_bytes_of;
use crate::operator::filter::concat_batches;
use crate::operator::sort::{KeyOrder, Sort, SortSource};
use crate::operator::{Claim, Sink, Source};
use crate::plan::Expression;
use crate::spill::{RowReader, RowStore};
use crate::table::Reader;

/// Times that rows are held while they are evaluated.
const COPIES: usize = 3;

/// Rows that are given one batch after the other.
pub(super) trait Rows {
    fn next_batch(&mut self) -> Result<Option<Batch>>;
}

impl Rows for RowReader {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        self.next()
    }
}

/// Stored rows, with results behind all other columns.
pub(super) struct WithResults {
    pub reader: RowReader,
    pub results: Vec<ArrayRef>,
    /// Rows given so far.
    pub row: usize,
}

impl Rows for WithResults {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        let Some(mut batch) = self.reader.next()? else { return Ok(None) };
        let (start, rows) = (self.row, batch.rows);
        batch.columns.extend(self.results.iter().map(|result| Column::Flat(result.slice(start, rows))));
        self.row += rows;
        Ok(Some(batch))
    }
}

pub(super) struct Sorted(Option<Box<dyn Reader>>);

impl Rows for Sorted {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        match &mut self.0 {
            Some(reader) => reader.next(),
            None => Ok(None),
        }
    }
}

impl WindowOperator {
    /// Evaluates a part some partitions at a time.
    pub(super) fn evaluate_sorted(self: &Arc<Self>, reader: RowReader) -> Result<RowStore> {
        let mut types = self.stored_types();
        let mut rows = reader;
        for order in 0..self.shape.orders.len() {
            let keys = self.sort_keys(order);
            let sorted = self.sorted(&mut rows, &types, &keys)?;
            let mut pass = self.new_store();
            self.evaluate_partitions(sorted, order, &mut pass)?;
            let calls = self.shape.calls.iter().filter(|call| call.order == order);
            types.extend(calls.map(|call| call.result.clone()));
            rows = pass.into_reader()?;
        }
        self.in_input_order(&mut rows, &types, false)
    }

    /// Position among stored columns of an evaluated one; `None` for a constant.
    pub(super) fn stored_position(&self, column: usize) -> Option<usize> {
        let constants = &self.shape.constants;
        constants[column].is_none().then(|| constants[..column].iter().filter(|held| held.is_none()).count())
    }

    /// Keys that bring partitions together, each in this order; ties by ordinal.
    fn sort_keys(&self, order: usize) -> Vec<(usize, KeyOrder)> {
        let types = &self.shape.column_types;
        let partition = (0..self.shape.partition_keys).filter_map(|column| {
            let key = KeyOrder { data_type: types[column].clone(), descending: false, nulls_first: false };
            Some((self.stored_position(column)?, key))
        });
        let order = self.shape.orders[order]
            .iter()
            .filter_map(|key| Some((self.stored_position(key.column)?, key.order(types))));
        partition.chain(order).chain([self.ordinal_key()]).collect()
    }

    /// Ordinals stand behind the columns of the input.
    fn ordinal_position(&self) -> usize {
        evaluated_count(&self.shape) + self.input_types.len()
    }

    fn ordinal_key(&self) -> (usize, KeyOrder) {
        let key = KeyOrder { data_type: Type::UInt64, descending: false, nulls_first: false };
        (self.ordinal_position(), key)
    }

    /// The rows sorted by these columns, through files.
    fn sorted(&self, rows: &mut dyn Rows, types: &[Type], keys: &[(usize, KeyOrder)]) -> Result<Sorted> {
        let field = |(index, data_type): (usize, &Type)| Field::new(format!("c{index}"), data_type.clone());
        let schema = Schema::new(types.iter().enumerate().map(field).collect());
        let expressions: Vec<Expression> =
            keys.iter().map(|(column, key)| Expression::column(*column, key.data_type.clone())).collect();
        let set = ExpressionSet::compile(&expressions, &schema, &self.run.context)?;
        let orders = keys.iter().map(|(_, key)| key.clone()).collect();
        let sort =
            Sort::new(set, orders, None, types.to_vec(), Arc::clone(&self.run), Arc::clone(&self.metrics));
        // What the sort keeps in memory is not there for the evaluation that reads it: it gets half of the budget.
        let mut headroom = self.account.reserve();
        if let Some(limit) = self.account.budget().limit_bytes() {
            let _granted = headroom.try_resize(limit / 2);
        }
        let mut local = sort.local()?;
        let mut row = 0;
        while let Some(batch) = rows.next_batch()? {
            self.run.check_cancelled()?;
            let position = Position { morsel: 0, row };
            row += batch.rows as u64;
            local.push(batch.at(position))?;
        }
        local.finish()?;
        drop(headroom);
        match SortSource(sort).claim()? {
            Claim::Morsel(reader) => Ok(Sorted(Some(reader))),
            _ => Ok(Sorted(None)),
        }
    }

    /// Evaluates the calls over one order, and adds the rows with their results behind all other columns.
    fn evaluate_partitions(&self, mut rows: Sorted, order: usize, pass: &mut RowStore) -> Result<()> {
        let mut reservation = self.account.reserve();
        let mut held = Held::default();
        loop {
            let next = rows.next_batch()?;
            self.run.check_cancelled()?;
            let is_end = next.is_none();
            if let Some(batch) = next {
                held.add(batch);
            }
            let fits = reservation.try_resize(held.bytes * COPIES + self.result_bytes(held.rows));
            if fits && !is_end {
                continue;
            }
            if held.rows == 0 {
                return Ok(());
            }
            let batch = concat_batches(&std::mem::take(&mut held).batches)?;
            let whole = if is_end { batch.rows } else { self.last_partition(&batch)? };
            if whole == 0 {
                // One partition is all that is held.
                held.add(batch);
                let rest =
                    self.evaluate_long(std::mem::take(&mut held), &mut rows, order, &mut reservation, pass)?;
                rest.into_iter().for_each(|batch| held.add(batch));
                reservation.force(held.bytes);
                continue;
            }
            self.evaluate_whole(&batch.slice(0, whole), order, pass)?;
            if is_end {
                return Ok(());
            }
            held.add(batch.slice(whole, batch.rows - whole));
            reservation.force(held.bytes);
        }
    }

    fn evaluate_whole(&self, batch: &Batch, order: usize, pass: &mut RowStore) -> Result<()> {
        let results = evaluate_order(&self.shape, &self.evaluated(batch), batch.rows, order)?;
        self.add_evaluated(batch, results, pass)
    }

    /// Adds rows with these results behind all other columns.
    pub(super) fn add_evaluated(
        &self,
        batch: &Batch,
        results: Vec<ArrayRef>,
        pass: &mut RowStore,
    ) -> Result<()> {
        let mut columns = batch.columns.clone();
        columns.extend(results.into_iter().map(Column::Flat));
        let batch = Batch::new(columns, batch.rows);
        let step = self.run.batch_rows();
        (0..batch.rows)
            .step_by(step)
            .try_for_each(|start| pass.add(batch.slice(start, step.min(batch.rows - start))))
    }

    /// The row at which the last partition starts.
    fn last_partition(&self, batch: &Batch) -> Result<usize> {
        let bump = Bump::new();
        let keys: Vec<_> = (0..self.shape.partition_keys)
            .filter_map(|column| {
                let stored = self.stored_position(column)?;
                Some(batch.columns[stored].view(&self.shape.column_types[column], &bump))
            })
            .collect();
        let last = batch.rows - 1;
        let same = |row: usize| keys.iter().all(|key| equal(key, row, key, last));
        // Partitions stand one after the other, so rows of the last one follow all others.
        let (mut low, mut high) = (0, last);
        while low < high {
            let middle = (low + high) / 2;
            if same(middle) { high = middle } else { low = middle + 1 }
        }
        Ok(low)
    }

    /// The columns of the input, the results in the order of the calls, and the ordinals, by ordinal. The rows come with
    /// the results of the calls by order behind all other columns.
    pub(super) fn in_input_order(
        &self,
        rows: &mut dyn Rows,
        types: &[Type],
        is_sorted: bool,
    ) -> Result<RowStore> {
        let (evaluated, ordinal) = (evaluated_count(&self.shape), self.ordinal_position());
        let mut places = vec![0; self.shape.calls.len()];
        self.calls_by_order().zip(ordinal + 1..).for_each(|(call, place)| places[call] = place);
        let columns: Vec<usize> = (evaluated..ordinal).chain(places).chain([ordinal]).collect();
        let mut sorted;
        let rows = match is_sorted {
            true => rows,
            false => {
                sorted = self.sorted(rows, types, &[self.ordinal_key()])?;
                &mut sorted as &mut dyn Rows
            }
        };
        let mut run = self.new_store();
        while let Some(batch) = rows.next_batch()? {
            self.run.check_cancelled()?;
            let picked = columns.iter().map(|&column| batch.columns[column].clone()).collect();
            run.add(Batch::new(picked, batch.rows))?;
        }
        Ok(run)
    }
}

/// Rows that wait to be evaluated.
#[derive(Default)]
pub(super) struct Held {
    pub batches: Vec<Batch>,
    pub rows: usize,
    pub bytes: usize,
}

impl Held {
    pub fn add(&mut self, batch: Batch) {
        self.rows += batch.rows;
        self.bytes += used_bytes_of(&batch);
        self.batches.push(batch);
    }
}
