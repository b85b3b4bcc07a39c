//! Range joins whose right side does not fit: it is sorted on disk by its first value and taken a share at a time; the
//! left rows wait in a file and are read once for each share.
//!
//! The pairs of a left row come out share by share, so in the order of the first value, as in memory; where the order
//! of the output shows, a sort by the ordinals of left rows puts them together.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, UInt32Array, UInt64Array};
use hypostyle_functions::column::Column;
use hypostyle_functions::types::{Field, Schema, Type};

use super::RangeShape;
use super::build::{RangeBuild, condition_words};
use super::probe::Prober;
use super::table::Table;
use crate::batch::Batch;
use crate::error::Result;
use crate::expression::ExpressionSet;
use crate::memory::used_bytes_of;
use crate::operator::filter::{concat_batches, kept_rows};
use crate::operator::scan::Batches;
use crate::operator::sort::{KeyOrder, Sort, SortSource};
use crate::operator::{Claim, Sink, Source};
use crate::plan::{Expression, JoinKind};
use crate::spill::{RowReader, RowStore};
use crate::table::Reader;

/// Rows that a share has at least, whatever the budget says.
const SHARE_ROWS_MIN: usize = 1 << 14;

/// Both sides of a range join that does not fit.
pub(super) struct Spill {
    /// Right rows: the kept columns and the compared values, then the word of the first of them and the ordinal, which
    /// they are sorted by.
    pub(super) sort: Arc<Sort>,
    /// Left rows: the columns and the compared values, then the ordinal.
    left: Mutex<RowStore>,
}

impl Spill {
    pub(super) fn new(build: &RangeBuild) -> Result<Self> {
        let shape = &build.shape;
        let mut types = if shape.needs_right_columns() { shape.right_types.clone() } else { Vec::new() };
        types.extend(shape.conditions.iter().map(|(data_type, _)| data_type.clone()));
        let word = types.len();
        types.extend([Type::UInt64, Type::UInt64]);
        let run = &build.run;
        let sort = sort_of(types, &[(word, false), (word + 1, false)], build)?;
        let left = RowStore::on_disk(run, &build.account, &build.metrics, "range join");
        Ok(Self { sort, left: Mutex::new(left) })
    }

    /// Kept right rows with what they are sorted by.
    pub(super) fn right_rows(shape: &RangeShape, mut batch: Batch, ordinal: u64) -> Batch {
        let values = &batch.columns[batch.columns.len() - shape.conditions.len()..];
        let (words, valid) = condition_words(shape, values, batch.rows);
        let first = words.into_iter().next().unwrap_or_default();
        let words = first.into_iter().zip(valid).map(|(word, valid)| valid.then_some(word));
        batch.columns.push(flat(UInt64Array::from_iter(words)));
        batch.columns.push(ordinals(ordinal, batch.rows));
        batch
    }

    /// Keeps left rows until all are there.
    pub(super) fn add_left(&self, mut batch: Batch, values: Vec<Column>, ordinal: u64) -> Result<()> {
        batch.columns.extend(values);
        batch.columns.push(ordinals(ordinal, batch.rows));
        self.left.lock().unwrap_or_else(PoisonError::into_inner).add(batch)
    }
}

fn flat(array: UInt64Array) -> Column {
    Column::Flat(Arc::new(array))
}

fn ordinals(first: u64, rows: usize) -> Column {
    flat(UInt64Array::from_iter_values(first..first + rows as u64))
}

/// A sort of rows of these types by number columns, each with whether its nulls come first.
fn sort_of(types: Vec<Type>, keys: &[(usize, bool)], build: &RangeBuild) -> Result<Arc<Sort>> {
    let order = |&(_, nulls_first): &(usize, bool)| KeyOrder {
        data_type: Type::UInt64,
        descending: false,
        nulls_first,
    };
    let expressions: Vec<Expression> =
        keys.iter().map(|&(column, _)| Expression::column(column, Type::UInt64)).collect();
    let schema = Schema::new(types.iter().map(|data_type| Field::new("", data_type.clone())).collect());
    let set = ExpressionSet::compile(&expressions, &schema, &build.run.context)?;
    let orders = keys.iter().map(order).collect();
    Ok(Sort::new(set, orders, None, types, Arc::clone(&build.run), Arc::clone(&build.metrics)))
}

/// The rows of a range join that did not fit, after all left rows have been seen.
pub struct SpilledSource {
    build: Arc<RangeBuild>,
    claimed: AtomicBool,
}

impl SpilledSource {
    /// Those of this join.
    pub fn new(build: Arc<RangeBuild>) -> Self {
        Self { build, claimed: AtomicBool::new(false) }
    }
}

impl Source for SpilledSource {
    fn claim(&self) -> Result<Claim> {
        if self.build.spill().is_none() || self.claimed.swap(true, Ordering::Relaxed) {
            return Ok(Claim::End);
        }
        Ok(Claim::Morsel(Box::new(SpilledReader { build: Arc::clone(&self.build), rows: None })))
    }
}

struct SpilledReader {
    build: Arc<RangeBuild>,
    rows: Option<Box<dyn Reader>>,
}

impl SpilledReader {
    /// The rows as they are found, or in the order of the left side.
    fn open(&self) -> Result<Box<dyn Reader>> {
        let mut found = SharesReader::open(&self.build)?;
        if !self.build.keeps_order {
            return Ok(Box::new(found));
        }
        let types = found.types();
        let width = types.len();
        let sort = sort_of(types, &[(width - 2, false), (width - 1, true)], &self.build)?;
        let mut local = sort.local()?;
        while let Some(batch) = found.next()? {
            local.push(batch)?;
        }
        drop(found);
        local.finish()?;
        Ok(match SortSource(sort).claim()? {
            Claim::Morsel(reader) => reader,
            _ => Box::new(Batches(Vec::new().into_iter())),
        })
    }
}

impl Reader for SpilledReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        let rows = match &mut self.rows {
            Some(rows) => rows,
            None => {
                let rows = self.open()?;
                self.rows.insert(rows)
            }
        };
        Ok(rows.next()?.map(|mut batch| {
            // What rows are ordered by does not come out.
            batch.columns.truncate(batch.columns.len() - 2);
            batch
        }))
    }
}

/// Where a [`SharesReader`] stands.
enum Stage {
    /// The next share is to be taken.
    NextShare,
    /// Left rows are matched with the share.
    Matching,
    /// Right rows of the share without a match, and how many of them have been given.
    Unmatched(Vec<u32>, usize),
    /// Left rows by whether they had a match.
    Closing,
    Done,
}

/// The rows of the join, share by share. Behind the columns come the ordinal of the left row, null for right rows
/// without a match, and for those the ordinal of the right row.
struct SharesReader {
    build: Arc<RangeBuild>,
    /// The kind with which pairs are found.
    shape: Arc<RangeShape>,
    right: Box<dyn Reader>,
    left: RowReader,
    share: Option<Share>,
    prober: Prober,
    stage: Stage,
    /// Ordinals of the left batch at work.
    ordinals: ArrayRef,
    /// Position of its first row, and the number of its rows.
    first_row: usize,
    batch_rows: usize,
    /// Per left row, whether it had a match.
    has_match: Vec<bool>,
}

/// Right rows in memory.
struct Share {
    table: Table,
    ordinals: Column,
}

impl SharesReader {
    fn open(build: &Arc<RangeBuild>) -> Result<Self> {
        let Some(spill) = build.spill() else {
            return Err(crate::error::Error::internal("the rows of a range join are not on disk"));
        };
        let right: Box<dyn Reader> = match SortSource(Arc::clone(&spill.sort)).claim()? {
            Claim::Morsel(reader) => reader,
            _ => Box::new(Batches(Vec::new().into_iter())),
        };
        let left = spill.left.lock().unwrap_or_else(PoisonError::into_inner).take_reader()?;
        let kind = if build.shape.kind.gives_pairs() { JoinKind::Inner } else { build.shape.kind };
        let shape = Arc::new(RangeShape { kind, ..build.shape.as_ref().clone() });
        Ok(Self {
            prober: Prober::new(&shape, &build.run)?,
            build: Arc::clone(build),
            shape,
            right,
            has_match: vec![false; left.rows()],
            left,
            share: None,
            stage: Stage::NextShare,
            ordinals: Arc::new(UInt64Array::from(Vec::<u64>::new())),
            first_row: 0,
            batch_rows: 0,
        })
    }

    /// Types of the columns of each row.
    fn types(&self) -> Vec<Type> {
        let shape = &self.build.shape;
        let right = if shape.kind.gives_pairs() { shape.right_types.as_slice() } else { &[] };
        let ordinals = [Type::UInt64, Type::UInt64];
        shape.left_types.iter().chain(right).cloned().chain(ordinals).collect()
    }

    /// As many of the right rows that are left as fit.
    fn next_share(&mut self) -> Result<Option<Share>> {
        let (build, conditions) = (&self.build, self.shape.conditions.len());
        let mut reservation = build.account.reserve();
        let (mut batches, mut rows, mut bytes) = (Vec::new(), 0, 0);
        while let Some(batch) = self.right.next()? {
            build.run.check_cancelled()?;
            rows += batch.rows;
            // The batches and the columns made of them exist at the same time for a moment.
            bytes += 2 * used_bytes_of(&batch);
            batches.push(batch);
            let wanted = bytes + Table::index_bytes(rows);
            if !reservation.try_resize(wanted) {
                reservation.force(wanted);
                if rows >= SHARE_ROWS_MIN {
                    break;
                }
            }
        }
        build.metrics.raise_peak(build.account.peak_bytes());
        if batches.is_empty() {
            return Ok(None);
        }
        let mut columns = concat_batches(&batches)?.columns;
        drop(batches);
        reservation.force(bytes / 2 + Table::index_bytes(rows));
        let Some(ordinals) = columns.pop() else { return Ok(None) };
        columns.pop();
        let values = columns.split_off(columns.len().saturating_sub(conditions));
        let (words, valid) = condition_words(&self.shape, &values, rows);
        let table = Table::new(columns, &words, &valid, build.shape.keeps_right(), reservation);
        Ok(Some(Share { table, ordinals }))
    }

    /// The next left batch with its compared values; `None` after the last.
    fn next_left(&mut self) -> Result<Option<(Batch, Vec<Column>)>> {
        self.build.run.check_cancelled()?;
        self.first_row += std::mem::take(&mut self.batch_rows);
        let Some(mut batch) = self.left.next()? else { return Ok(None) };
        self.batch_rows = batch.rows;
        if let Some(ordinals) = batch.columns.pop() {
            self.ordinals = ordinals.to_array()?;
        }
        let values = batch.columns.split_off(self.shape.left_types.len());
        Ok(Some((batch, values)))
    }

    /// Goes back to the first left row.
    fn rewind(&mut self) -> Result<()> {
        (self.first_row, self.batch_rows) = (0, 0);
        self.left.rewind()
    }

    /// Pairs of the left batch at work with the share, or of the next one; `None` when all left rows have been seen.
    fn next_pairs(&mut self) -> Result<Option<Batch>> {
        loop {
            let Some(share) = &self.share else { return Ok(None) };
            let Some(found) = self.prober.find(&share.table)? else {
                match self.next_left()? {
                    Some((batch, values)) => {
                        if let Some(share) = &self.share {
                            self.prober.begin(&share.table, batch, &values);
                        }
                    }
                    None => return Ok(None),
                }
                continue;
            };
            let gives_pairs = self.shape.kind.gives_pairs();
            let output = if gives_pairs { self.prober.output(&share.table, found)? } else { None };
            if found.is_last {
                let all = &mut self.has_match[self.first_row..self.first_row + self.batch_rows];
                all.iter_mut().zip(self.prober.has_match()).for_each(|(all, here)| *all |= here);
                self.prober.end();
            }
            if let Some(mut batch) = output {
                let rows = UInt32Array::from(self.prober.left_rows().to_vec());
                batch.columns.push(Column::Flat(self.ordinals.clone()).take(&rows)?);
                batch.columns.push(Column::nulls(&Type::UInt64, batch.rows));
                return Ok(Some(batch));
            }
        }
    }

    /// Some of these right rows of the share, with null on the left.
    fn unmatched_right(&self, rows: &[u32]) -> Result<Option<Batch>> {
        let Some(share) = self.share.as_ref().filter(|_| !rows.is_empty()) else { return Ok(None) };
        let taken = UInt32Array::from(rows.to_vec());
        let nulls = |data_type: &Type| Column::nulls(data_type, rows.len());
        let mut columns: Vec<Column> = self.shape.left_types.iter().map(nulls).collect();
        for column in &share.table.columns {
            columns.push(column.take(&taken)?);
        }
        columns.push(nulls(&Type::UInt64));
        columns.push(share.ordinals.take(&taken)?);
        Ok(Some(Batch::new(columns, rows.len())))
    }

    /// What a left batch gives when it is known which of its rows had a match.
    fn closed(&self, batch: Batch) -> Result<Option<Batch>> {
        let kind = self.build.shape.kind;
        let wanted = kind == JoinKind::LeftSemi;
        let has_match = &self.has_match[self.first_row..self.first_row + self.batch_rows];
        let keep: Vec<bool> = has_match.iter().map(|&has_match| has_match == wanted).collect();
        let kept = keep.iter().filter(|&&keep| keep).count();
        if kept == 0 {
            return Ok(None);
        }
        let mut batch = batch;
        batch.columns.push(Column::Flat(Arc::clone(&self.ordinals)));
        let mut batch = kept_rows(&batch, &keep.into(), kept)?;
        let ordinals = batch.columns.pop();
        if kind.gives_pairs() {
            let nulls = self.shape.right_types.iter().map(|data_type| Column::nulls(data_type, kept));
            batch.columns.extend(nulls);
        }
        batch.columns.extend(ordinals);
        batch.columns.push(Column::nulls(&Type::UInt64, kept));
        Ok(Some(batch))
    }

    /// Whether left rows come out after all shares.
    fn has_closing_pass(&self) -> bool {
        !matches!(self.build.shape.kind, JoinKind::Inner | JoinKind::Right)
    }
}

impl Reader for SharesReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            let stage = std::mem::replace(&mut self.stage, Stage::Done);
            match stage {
                Stage::NextShare => {
                    // The share before is let go of first.
                    self.share = None;
                    self.share = self.next_share()?;
                    self.rewind()?;
                    self.stage = match self.share {
                        Some(_) => Stage::Matching,
                        None if self.has_closing_pass() => Stage::Closing,
                        None => Stage::Done,
                    };
                }
                Stage::Matching => match self.next_pairs()? {
                    Some(batch) => {
                        self.stage = Stage::Matching;
                        return Ok(Some(batch));
                    }
                    None => {
                        let rows = self.share.as_ref().map(|share| share.table.unmatched());
                        self.stage = Stage::Unmatched(rows.unwrap_or_default(), 0);
                    }
                },
                Stage::Unmatched(rows, given) => {
                    let end = rows.len().min(given + self.build.run.batch_rows());
                    let output = self.unmatched_right(&rows[given..end])?;
                    self.stage = match output {
                        Some(_) => Stage::Unmatched(rows, end),
                        None => Stage::NextShare,
                    };
                    if output.is_some() {
                        return Ok(output);
                    }
                }
                Stage::Closing => {
                    let Some((batch, _)) = self.next_left()? else { continue };
                    self.stage = Stage::Closing;
                    if let Some(batch) = self.closed(batch)? {
                        return Ok(Some(batch));
                    }
                }
                Stage::Done => return Ok(None),
            }
        }
    }
}
