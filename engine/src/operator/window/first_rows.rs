//! Where only the first rows of each partition are wanted, finds them while rows come, so that the others are neither
//! sorted nor kept for long: for each partition, the keys of its first rows so far.
//!
//! Batches are kept as they came until most of their rows have been passed by others, and are then rid of those. What is
//! left in the end takes the usual way of a window.

use arrow::array::ArrayRef;
use arrow::buffer::{BooleanBuffer, Buffer};
use bumpalo::Bump;
use hypostyle_functions::column::{Column, Rows, View};
use hypostyle_functions::kernel::prefetch::{DISTANCE, prefetch};
use hypostyle_functions::types::Type;

use super::arrange::numbers;
use super::local::{Ordinals, blank};
use super::shape::{Key, WindowShape};
use crate::batch::Batch;
use crate::error::Result;
use crate::memory::Keeper;
use crate::operator::aggregate::GroupTable;
use crate::operator::filter::{concat_batches, kept_rows};
use crate::plan::Expression;

/// More rows of a partition are not looked for here: entering one takes a step for each.
const LIMIT_MAX: u64 = 16;

/// Keys of an order that entries hold.
const KEYS_MAX: usize = 3;

/// Rows are let go of once this many times those that are among the first are held, ...
const GROWTH: usize = 4;

/// ... and at least so many.
const ROWS_MIN: usize = 1 << 13;

/// Rows after which it shows whether most of them are among the first.
const JUDGED_ROWS: usize = 1 << 18;

/// The first rows of each partition so far.
pub(super) struct FirstRows {
    table: GroupTable,
    /// Rows of a partition that are wanted.
    limit: usize,
    keys: Vec<Key>,
    /// For each evaluated column, its place among the columns of the held batches.
    links: Vec<usize>,
    /// Columns of the input, which come before those that are held for the windows alone.
    inputs: usize,
    /// Nulls for the columns of the input that nobody reads from here on.
    blanks: Vec<Option<ArrayRef>>,
    /// Rows of each group that are held as its first.
    counts: Vec<u8>,
    /// For each group `limit` entries in order: the numbers of its keys, and that of the row among all held ones.
    entries: Vec<u64>,
    held: Vec<Held>,
    keeper: Keeper,
    /// Rows of the held batches, and bytes.
    rows: usize,
    bytes: usize,
    /// Rows that are among the first.
    first: usize,
    /// Rows that have come.
    seen: usize,
    groups: Vec<u32>,
}

/// A batch with what is evaluated of its rows, and the places of these in the order of the input.
struct Held {
    batch: Batch,
    ordinals: Ordinals,
}

/// Rows that are left in the end: the batch as it came, what is evaluated of it, and places in the order of the input.
pub(super) struct Left {
    pub batch: Batch,
    pub columns: Vec<Column>,
    pub ordinals: Ordinals,
}

impl FirstRows {
    /// For windows of which few rows of each partition by simple keys are wanted. `sources` are the evaluated expressions;
    /// a column of the input has one of the `blanks` where only they read it.
    pub fn of(shape: &WindowShape, sources: &[Expression], blanks: &[Option<ArrayRef>]) -> Option<Self> {
        let limit = shape.limit.filter(|limit| !limit.with_ties && (1..=LIMIT_MAX).contains(&limit.rows))?;
        let keys = shape.orders.first()?;
        let is_simple = |key: &Key| shape.column_types[key.column].is_fixed_width();
        if shape.is_one_partition() || keys.is_empty() || keys.len() > KEYS_MAX || !keys.iter().all(is_simple)
        {
            return None;
        }
        // A column of the input is held once.
        let inputs = blanks.len();
        let mut own = inputs;
        let links: Vec<usize> = sources
            .iter()
            .map(|source| match source {
                Expression::Column { index, .. } => *index,
                _ => {
                    own += 1;
                    own - 1
                }
            })
            .collect();
        let is_unread =
            |(column, blank): (usize, &Option<ArrayRef>)| blank.clone().filter(|_| !links.contains(&column));
        Some(Self {
            blanks: blanks.iter().enumerate().map(is_unread).collect(),
            links,
            inputs,
            table: GroupTable::new(&shape.column_types[..shape.partition_keys]),
            limit: limit.rows as usize,
            keys: keys.clone(),
            counts: Vec::new(),
            entries: Vec::new(),
            held: Vec::new(),
            keeper: Keeper::default(),
            rows: 0,
            bytes: 0,
            first: 0,
            seen: 0,
            groups: Vec::new(),
        })
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.bytes + self.table.memory_bytes() + self.entries.capacity() * 8 + self.counts.capacity()
    }

    /// Takes a batch whose first row has this ordinal; false, and nothing is taken, if its keys are of no kind that is
    /// known here.
    pub fn add(&mut self, batch: &Batch, ordinal: u64, columns: &[Column], types: &[Type]) -> Result<bool> {
        let bump = Bump::new();
        let rows = batch.rows;
        let mut of_keys = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            let view = columns[key.column].view(&types[key.column], &bump);
            match numbers(&view, rows, key.descending) {
                Some(numbers) if !view.may_be_null() => of_keys.push(numbers),
                _ => return Ok(false),
            }
        }
        let partition = self.table.keys().len();
        let views: Vec<View<'_>> = (0..partition).map(|at| columns[at].view(&types[at], &bump)).collect();
        self.table.assign(&views, rows, Rows::All(rows), &mut self.groups);
        match of_keys.as_slice() {
            [first] => self.enter(rows, |row, at| [first[row], at]),
            [first, second] => self.enter(rows, |row, at| [first[row], second[row], at]),
            [first, second, third] => self.enter(rows, |row, at| [first[row], second[row], third[row], at]),
            _ => return Ok(false),
        }
        self.hold(batch, ordinal, columns);
        self.seen += rows;
        if self.rows >= self.first.saturating_mul(GROWTH).max(ROWS_MIN) {
            self.let_go()?;
        }
        Ok(true)
    }

    /// False once it shows that most rows are among the first: they might as well take the usual way.
    pub fn is_worth_it(&self) -> bool {
        self.seen < JUDGED_ROWS || self.first <= self.seen / 4 * 3
    }

    /// Enters the rows of a batch that are among the first of their groups.
    fn enter<const WIDTH: usize>(&mut self, rows: usize, entry: impl Fn(usize, u64) -> [u64; WIDTH]) {
        let limit = self.limit;
        self.counts.resize(self.table.len(), 0);
        self.entries.resize(self.table.len() * limit * WIDTH, 0);
        let (entries, _) = self.entries.as_chunks_mut::<WIDTH>();
        for (row, &group) in self.groups.iter().enumerate().take(rows) {
            if let Some(&ahead) = self.groups.get(row + DISTANCE) {
                prefetch(entries, ahead as usize * limit);
            }
            let entering = entry(row, (self.rows + row) as u64);
            let count = &mut self.counts[group as usize];
            let of_group = &mut entries[group as usize * limit..][..limit];
            let mut place = usize::from(*count);
            if place == limit {
                if !is_before(&entering, &of_group[limit - 1]) {
                    continue;
                }
                place -= 1;
            } else {
                *count += 1;
                self.first += 1;
            }
            while place > 0 && is_before(&entering, &of_group[place - 1]) {
                of_group[place] = of_group[place - 1];
                place -= 1;
            }
            of_group[place] = entering;
        }
    }

    fn hold(&mut self, batch: &Batch, ordinal: u64, columns: &[Column]) {
        let mut batch = batch.clone();
        blank(&mut batch, &self.blanks);
        let own = columns.iter().zip(&self.links).filter(|(_, link)| **link >= self.inputs);
        batch.columns.extend(own.map(|(column, _)| column.clone()));
        let (batch, bytes) = self.keeper.keep(batch);
        self.rows += batch.rows;
        self.bytes += bytes;
        self.held.push(Held { batch, ordinals: Ordinals::From(ordinal) });
    }

    /// Words of bits, one for each held row, set for those that are among the first.
    fn first_bits(&self) -> Vec<u64> {
        let mut bits = vec![0u64; self.rows.div_ceil(64)];
        let width = self.keys.len() + 1;
        for (group, &count) in self.counts.iter().enumerate() {
            let entries = self.entries[group * self.limit * width..].chunks_exact(width);
            for entry in entries.take(usize::from(count)) {
                let row = entry[width - 1] as usize;
                bits[row / 64] |= 1 << (row % 64);
            }
        }
        bits
    }

    /// Lets go of the rows that are not among the first.
    fn let_go(&mut self) -> Result<()> {
        let bits = self.first_bits();
        self.renumber(&bits);
        let keep = BooleanBuffer::new(Buffer::from_vec(bits), 0, self.rows);
        let mut start = 0;
        let mut left: Vec<Held> = Vec::new();
        let mut piece: Vec<Held> = Vec::new();
        for held in std::mem::take(&mut self.held) {
            let of_batch = keep.slice(start, held.batch.rows);
            start += held.batch.rows;
            let Some(held) = held.kept(&of_batch)? else { continue };
            // Batches of one morsel that have become small are put together.
            if piece.first().is_some_and(|first| first.batch.position.morsel != held.batch.position.morsel) {
                left.push(Held::united(std::mem::take(&mut piece))?);
            }
            piece.push(held);
        }
        if !piece.is_empty() {
            left.push(Held::united(piece)?);
        }
        self.keeper = Keeper::default();
        (self.rows, self.bytes) = (0, 0);
        for held in left {
            let (batch, bytes) = self.keeper.keep(held.batch);
            self.rows += batch.rows;
            self.bytes += bytes + batch.rows * size_of::<u64>();
            self.held.push(Held { batch, ordinals: held.ordinals });
        }
        debug_assert_eq!(self.rows, self.first);
        Ok(())
    }

    /// Gives the rows that stay their numbers among themselves.
    fn renumber(&mut self, bits: &[u64]) {
        let mut before = Vec::with_capacity(bits.len());
        let mut count = 0u64;
        for word in bits {
            before.push(count);
            count += u64::from(word.count_ones());
        }
        let width = self.keys.len() + 1;
        for (group, &held) in self.counts.iter().enumerate() {
            let entries = self.entries[group * self.limit * width..].chunks_exact_mut(width);
            for entry in entries.take(usize::from(held)) {
                let row = entry[width - 1] as usize;
                let below = bits[row / 64] & ((1 << (row % 64)) - 1);
                entry[width - 1] = before[row / 64] + u64::from(below.count_ones());
            }
        }
    }

    /// The rows that are among the first, given away.
    pub fn into_rows(mut self) -> Result<Vec<Left>> {
        self.let_go()?;
        let Self { held, links, inputs, .. } = self;
        let left = held.into_iter().map(|Held { mut batch, ordinals }| {
            let columns = links.iter().map(|&link| batch.columns[link].clone()).collect();
            batch.columns.truncate(inputs);
            Left { batch, columns, ordinals }
        });
        Ok(left.collect())
    }
}

/// Whether an entry comes before another: its numbers decide one after the other.
#[inline(always)]
fn is_before<const WIDTH: usize>(left: &[u64; WIDTH], right: &[u64; WIDTH]) -> bool {
    for (left, right) in left.iter().zip(right) {
        if left != right {
            return left < right;
        }
    }
    false
}

impl Held {
    /// The rows that are kept, if there are any.
    fn kept(self, keep: &BooleanBuffer) -> Result<Option<Self>> {
        let count = keep.count_set_bits();
        if count == 0 {
            return Ok(None);
        }
        let ordinals = keep.set_indices().map(|row| self.ordinals.of(row)).collect();
        let batch = if count == keep.len() { self.batch } else { kept_rows(&self.batch, keep, count)? };
        Ok(Some(Self { batch, ordinals: Ordinals::Each(ordinals) }))
    }

    /// Batches of one morsel as one.
    fn united(mut pieces: Vec<Self>) -> Result<Self> {
        if pieces.len() == 1 {
            return Ok(pieces.swap_remove(0));
        }
        let position = pieces[0].batch.position;
        let ordinals =
            pieces.iter().flat_map(|held| (0..held.batch.rows).map(|row| held.ordinals.of(row))).collect();
        let batches: Vec<Batch> = pieces.into_iter().map(|held| held.batch).collect();
        Ok(Self { batch: concat_batches(&batches)?.at(position), ordinals: Ordinals::Each(ordinals) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array};
    use arrow::datatypes::Int64Type;

    use super::*;
    use crate::batch::Position;
    use crate::plan::RowLimit;

    fn shape(rows: u64) -> WindowShape {
        let key = Key { column: 1, descending: true, nulls_first: false };
        WindowShape {
            column_types: vec![Type::Int64, Type::Int64],
            constants: vec![None, None],
            partition_keys: 1,
            orders: vec![vec![key]],
            calls: Vec::new(),
            moves: Vec::new(),
            limit: Some(RowLimit { rows, with_ties: false }),
        }
    }

    fn column(values: impl Iterator<Item = i64>) -> Column {
        Column::Flat(Arc::new(Int64Array::from_iter_values(values)))
    }

    /// Rows `start ..` of a table of a partition, a key and a value that nobody reads.
    fn batch(start: i64, rows: i64, partition: impl Fn(i64) -> i64, key: impl Fn(i64) -> i64) -> Batch {
        let all = || start..start + rows;
        let columns = vec![column(all().map(partition)), column(all().map(key)), column(all())];
        Batch::new(columns, rows as usize).at(Position { morsel: (start / 5000) as u32, row: 0 })
    }

    fn finder(rows: u64) -> FirstRows {
        let sources = [Expression::column(0, Type::Int64), Expression::column(1, Type::Int64)];
        FirstRows::of(&shape(rows), &sources, &[None, None, None]).expect("simple keys")
    }

    #[test]
    fn what_is_left_are_the_first_rows_of_each_partition_in_the_order_of_the_input() {
        let (partition, key) = (|row: i64| row * 7919 % 37, |row: i64| row * 104_729 % 251);
        let mut first = finder(3);
        let types = [Type::Int64, Type::Int64];
        for start in (0..40_000).step_by(1000) {
            let batch = batch(start, 1000, partition, key);
            let columns = batch.columns[..2].to_vec();
            assert!(first.add(&batch, start as u64, &columns, &types).expect("added"));
            assert!(first.rows < 12_000, "{} rows are held", first.rows);
        }
        let mut expected = Vec::new();
        for wanted in 0..37 {
            let mut rows: Vec<i64> = (0..40_000).filter(|&row| partition(row) == wanted).collect();
            rows.sort_by_key(|&row| (-key(row), row));
            expected.extend(rows.into_iter().take(3));
        }
        expected.sort_unstable();
        let left = first.into_rows().expect("rows");
        let mut found = Vec::new();
        for Left { batch, columns, ordinals } in &left {
            let (Column::Flat(values), Column::Flat(keys)) = (&batch.columns[2], &columns[1]) else {
                panic!("columns that are not flat");
            };
            for row in 0..batch.rows {
                let value = values.as_primitive::<Int64Type>().value(row);
                assert_eq!(ordinals.of(row), value as u64);
                assert_eq!(keys.as_primitive::<Int64Type>().value(row), key(value));
                assert_eq!(i64::from(batch.position.morsel), value / 5000);
                found.push(value);
            }
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn partitions_of_few_rows_are_not_worth_it() {
        let types = [Type::Int64, Type::Int64];
        let add = |first: &mut FirstRows, size: i64| {
            for start in (0..300_000).step_by(10_000) {
                let batch = batch(start, 10_000, |row| row / size, |row| row);
                let columns = batch.columns[..2].to_vec();
                assert!(first.add(&batch, start as u64, &columns, &types).expect("added"));
            }
            first.is_worth_it()
        };
        assert!(!add(&mut finder(2), 2));
        assert!(add(&mut finder(2), 4));
    }

    #[test]
    fn nulls_and_wide_keys_are_not_taken() {
        let types = [Type::Int64, Type::Int64];
        let mut first = finder(2);
        let with_null = Column::Flat(Arc::new(Int64Array::from(vec![Some(1), None])));
        let batch = batch(0, 2, |row| row, |row| row);
        let columns = [batch.columns[0].clone(), with_null];
        assert!(!first.add(&batch, 0, &columns, &types).expect("looked at"));
        assert!(first.into_rows().expect("rows").is_empty());
        let sources = [Expression::column(0, Type::Int64)];
        assert!(FirstRows::of(&shape(17), &sources, &[None]).is_none());
    }
}
