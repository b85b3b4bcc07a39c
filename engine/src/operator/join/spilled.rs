//! Joins the partitions that went to spill files, one after the other.
//!
//! The build rows of a partition become a table, and its probe rows are matched against it. A build
//! partition that does not fit is split, with its probe rows, by the next bits of the hash. Where that
//! does not help, since many rows share one key, the build rows are taken a share at a time, and the
//! probe rows are read once for each share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::AsArray;
use hypostyle_functions::column::Column;
use hypostyle_functions::types::{Field, Schema, Type};

use super::build::{JoinBuild, add_parts};
use super::kept_rows::Side;
use super::matches::Matcher;
use super::outcome::{marked_rows, several_rows};
use super::table::JoinTable;
use super::table_build::TableBuilder;
use super::unmatched::UnmatchedReader;
use super::{JoinShape, Mark};
use crate::batch::Batch;
use crate::error::Result;
use crate::expression::ExpressionSet;
use crate::memory::{Reservation, used_bytes_of};
use crate::operator::aggregate::LEVELS_MAX;
use crate::operator::scan::Batches;
use crate::operator::sort::{KeyOrder, Sort, SortSource};
use crate::operator::{Claim, Sink, Source};
use crate::plan::{Expression, JoinKind};
use crate::spill::{RowReader, RowStore};
use crate::table::Reader;

/// Rows of the build side that a share has at least, whatever the budget says.
const SHARE_ROWS_MIN: usize = 1 << 14;

/// The spilled partitions of a join, after all probe rows have been seen.
pub struct SpilledSource {
    build: Arc<JoinBuild>,
    claimed: AtomicBool,
}

impl SpilledSource {
    /// The partitions of this join.
    pub fn new(build: Arc<JoinBuild>) -> Self {
        Self { build, claimed: AtomicBool::new(false) }
    }
}

impl Source for SpilledSource {
    fn claim(&self) -> Result<Claim> {
        let build = &self.build;
        build.release();
        if !build.is_spilled() {
            return Ok(Claim::End);
        }
        if build.keeps_order {
            let is_first = !self.claimed.swap(true, Ordering::Relaxed);
            let reader = || Box::new(OrderedReader { build: Arc::clone(build), rows: None });
            return Ok(if is_first { Claim::Morsel(reader()) } else { Claim::End });
        }
        Ok(match PartitionReader::next_of(build)? {
            Some(reader) => Claim::Morsel(Box::new(UnorderedReader(reader))),
            None => Claim::End,
        })
    }

    fn close(&self) {
        self.build.release();
    }
}

/// The rows of one partition, as they are found.
struct UnorderedReader(PartitionReader);

impl Reader for UnorderedReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        let batch = self.0.next()?;
        Ok(batch.map(|batch| without_ordinals(&self.0.build.spilled_shape, batch)))
    }
}

/// The rows of all partitions in the order that a join in memory gives: by the ordinals of both sides.
struct OrderedReader {
    build: Arc<JoinBuild>,
    rows: Option<Box<dyn Reader>>,
}

impl OrderedReader {
    /// Joins all partitions and sorts what comes out.
    fn open(&self) -> Result<Box<dyn Reader>> {
        let build = &self.build;
        let (types, keys) = output_types(&build.spilled_shape);
        let key = |&(column, nulls_first): &(usize, bool)| {
            (
                Expression::column(column, Type::UInt64),
                KeyOrder { data_type: Type::UInt64, descending: false, nulls_first },
            )
        };
        let (expressions, orders): (Vec<_>, Vec<_>) = keys.iter().map(key).unzip();
        let fields = types.iter().map(|data_type| Field::new("", data_type.clone())).collect();
        let set = ExpressionSet::compile(&expressions, &Schema::new(fields), &build.run.context)?;
        let sort = Sort::new(set, orders, None, types, Arc::clone(&build.run), Arc::clone(&build.metrics));
        let mut local = sort.local()?;
        while let Some(mut reader) = PartitionReader::next_of(build)? {
            while let Some(batch) = reader.next()? {
                local.push(batch)?;
            }
        }
        local.finish()?;
        Ok(match SortSource(sort).claim()? {
            Claim::Morsel(reader) => reader,
            _ => Box::new(Batches(Vec::new().into_iter())),
        })
    }
}

impl Reader for OrderedReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        let rows = match &mut self.rows {
            Some(rows) => rows,
            None => {
                let rows = self.open()?;
                self.rows.insert(rows)
            }
        };
        Ok(rows.next()?.map(|batch| without_ordinals(&self.build.spilled_shape, batch)))
    }
}

/// Types of the columns that come out, with ordinals, and where those are and whether their nulls come first: build
/// rows without a match follow everything else, and a probe row without one has no build ordinal.
fn output_types(shape: &JoinShape) -> (Vec<Type>, Vec<(usize, bool)>) {
    if shape.gives_right_rows() {
        return (shape.right_types.clone(), vec![(shape.right_types.len() - 1, false)]);
    }
    let mut types = shape.left_types.clone();
    let mut keys = vec![(types.len() - 1, false)];
    if shape.kind == JoinKind::LeftMark {
        types.push(Type::Boolean);
    }
    if shape.gives_pairs() {
        types.extend(shape.right_types.iter().cloned());
        keys.push((types.len() - 1, true));
    }
    (types, keys)
}

fn without_ordinals(shape: &JoinShape, mut batch: Batch) -> Batch {
    if !shape.has_ordinals {
        return batch;
    }
    for (column, _) in output_types(shape).1.into_iter().rev() {
        batch.columns.remove(column);
    }
    batch
}

/// A partition that has not been joined yet.
struct Waiting {
    build_rows: RowStore,
    probe_rows: RowStore,
    level: u32,
    can_split: bool,
}

/// Joins one partition, and the parts that it is split into.
struct PartitionReader {
    build: Arc<JoinBuild>,
    waiting: Vec<Waiting>,
    current: Option<Current>,
}

/// The partition that is being joined.
struct Current {
    matcher: Matcher,
    table: Arc<JoinTable>,
    probe: RowReader,
    unmatched: Option<UnmatchedReader>,
    shares: Option<Shares>,
}

/// A build side that is taken a share at a time.
struct Shares {
    build: RowReader,
    /// What is known of each probe row.
    marks: Vec<Mark>,
    /// First row of the probe batch at work.
    first_row: usize,
    batch_rows: usize,
    /// The last pass, over the probe rows alone.
    is_closing: bool,
}

impl Reader for PartitionReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            self.build.run.check_cancelled()?;
            if let Some(current) = &mut self.current {
                if let Some(batch) = current.next(&self.build)? {
                    return Ok(Some(batch));
                }
                self.current = None;
            }
            let Some(waiting) = self.waiting.pop() else { return Ok(None) };
            self.current = self.open(waiting)?;
        }
    }
}

impl PartitionReader {
    /// A reader of the next partition.
    fn next_of(build: &Arc<JoinBuild>) -> Result<Option<Self>> {
        // Without keys to tell rows apart there is one partition, and nothing to split it by.
        let can_split = build.shape.partition_keys().contains(&true);
        Ok(build.take_partition()?.map(|(build_rows, probe_rows)| Self {
            build: Arc::clone(build),
            waiting: vec![Waiting { build_rows, probe_rows, level: 1, can_split }],
            current: None,
        }))
    }

    /// Makes a table of the build rows; a partition that does not fit is split or opened in shares.
    fn open(&mut self, waiting: Waiting) -> Result<Option<Current>> {
        let build = Arc::clone(&self.build);
        let Waiting { build_rows, probe_rows, level, can_split } = waiting;
        let can_skip = build_rows.rows() == 0 && build.spilled_shape.is_empty_without_right();
        if can_skip || (probe_rows.rows() == 0 && !build.spilled_shape.gives_right_later()) {
            return Ok(None);
        }
        for store in self.waiting.iter_mut() {
            store.build_rows.write_small()?;
            store.probe_rows.write_small()?;
        }
        let mut rows = build_rows.into_reader()?;
        if !can_split || level >= LEVELS_MAX {
            return Current::open_shares(&build, rows, probe_rows).map(Some);
        }
        let Some((batches, reservation)) = gather(&build, &mut rows, true)? else {
            rows.rewind()?;
            self.split(rows, probe_rows, level)?;
            return Ok(None);
        };
        let table = Arc::new(table_of(&build, &build.spilled_shape, batches, reservation)?);
        let matcher = Matcher::new(&build.spilled_shape, &build.run)?;
        let probe = probe_rows.into_reader()?;
        Ok(Some(Current { matcher, table, probe, unmatched: None, shares: None }))
    }

    fn split(&mut self, mut build_rows: RowReader, probe_rows: RowStore, level: u32) -> Result<()> {
        let all = build_rows.rows();
        let mut build_parts = self.build.new_stores();
        while let Some(batch) = build_rows.next()? {
            add_parts(&mut build_parts, self.build.split(Side::Right, &batch, level)?)?;
        }
        drop(build_rows);
        let mut probe_parts = self.build.new_stores();
        let mut probe_rows = probe_rows.into_reader()?;
        while let Some(batch) = probe_rows.next()? {
            add_parts(&mut probe_parts, self.build.split(Side::Left, &batch, level)?)?;
        }
        for (build_rows, probe_rows) in build_parts.into_iter().zip(probe_parts) {
            let can_split = build_rows.rows() < all;
            self.waiting.push(Waiting { build_rows, probe_rows, level: level + 1, can_split });
        }
        Ok(())
    }
}

/// Batches whose table fits the budget, with what they are charged: all that are left in `rows`, or `None`. If
/// `all_or_nothing` is false, as many as fit.
fn gather(
    build: &JoinBuild,
    rows: &mut RowReader,
    all_or_nothing: bool,
) -> Result<Option<(Vec<Batch>, Reservation)>> {
    let mut reservation = build.account.reserve();
    let (mut batches, mut count, mut bytes) = (Vec::new(), 0, 0);
    while let Some(batch) = rows.next()? {
        count += batch.rows;
        // The batches and the columns made of them exist at the same time for a moment.
        bytes += 2 * used_bytes_of(&batch);
        batches.push(batch);
        if reservation.try_resize(bytes + JoinTable::index_bytes(count)) {
            continue;
        }
        let is_small = if all_or_nothing { rows.rows() <= SHARE_ROWS_MIN } else { count < SHARE_ROWS_MIN };
        if !is_small && all_or_nothing {
            return Ok(None);
        }
        reservation.force(bytes + JoinTable::index_bytes(count));
        if !is_small {
            break;
        }
    }
    build.metrics.raise_peak(build.account.peak_bytes());
    Ok(Some((batches, reservation)))
}

/// The table of one partition, or of a share of it.
fn table_of(
    build: &JoinBuild,
    shape: &Arc<JoinShape>,
    batches: Vec<Batch>,
    reservation: Reservation,
) -> Result<JoinTable> {
    let builder = TableBuilder::new(shape, batches, build.facts(), Vec::new(), 1)?;
    builder.run()?;
    Ok(builder.table(reservation))
}

/// The shape with which pairs are found where the kind is decided afterwards.
fn inner_shape(shape: &JoinShape) -> JoinShape {
    let kind = match shape.kind {
        kind if shape.gives_right_rows() => kind,
        _ if shape.gives_right_later() => JoinKind::Right,
        // Marks, unlike pairs, are not more where many build rows have one key.
        _ if !shape.gives_pairs() => JoinKind::LeftMark,
        _ => JoinKind::Inner,
    };
    JoinShape {
        kind,
        left_types: shape.left_types.clone(),
        right_types: if shape.needs_right_columns() { shape.right_types.clone() } else { Vec::new() },
        key_types: shape.key_types.clone(),
        nulls_match: shape.nulls_match.clone(),
        left_keys: None,
        right_keys: None,
        left_key_columns: shape.left_key_columns.clone(),
        right_key_columns: shape.right_key_columns.clone(),
        residual: shape.residual.clone(),
        has_ordinals: shape.has_ordinals,
    }
}

impl Current {
    fn open_shares(build: &Arc<JoinBuild>, mut build_rows: RowReader, probe_rows: RowStore) -> Result<Self> {
        let shape = Arc::new(inner_shape(&build.spilled_shape));
        let matcher = Matcher::new(&shape, &build.run)?;
        let mut shares = Shares {
            marks: vec![Mark::False; probe_rows.rows()],
            first_row: 0,
            batch_rows: 0,
            is_closing: false,
            build: {
                build_rows.rewind()?;
                build_rows
            },
        };
        let table = shares.next_table(build, &shape)?;
        let probe = probe_rows.into_reader()?;
        Ok(Self { matcher, table: Arc::new(table), probe, unmatched: None, shares: Some(shares) })
    }

    fn next(&mut self, build: &Arc<JoinBuild>) -> Result<Option<Batch>> {
        loop {
            if let Some(unmatched) = &mut self.unmatched {
                if let Some(batch) = unmatched.next()? {
                    return Ok(Some(batch));
                }
                if !self.next_share(build)? {
                    return Ok(None);
                }
                continue;
            }
            if self.shares.as_ref().is_some_and(|shares| shares.is_closing) {
                return self.close(build);
            }
            let found = self.matcher.next(&self.table)?;
            if let Some(shares) = &mut self.shares {
                match &found {
                    Some((batch, _)) if !build.spilled_shape.gives_pairs() => shares.take_marks(batch)?,
                    Some(_) => shares.note_matches(self.matcher.matched_rows(), build.spilled_shape.kind)?,
                    None => {}
                }
            }
            match found {
                Some((batch, _)) if self.shares.is_none() || build.spilled_shape.gives_pairs() => {
                    return Ok(Some(batch));
                }
                Some(_) => {}
                None => self.begin_next(build)?,
            }
        }
    }

    /// Starts on the next probe batch; after the last, on what had no match.
    fn begin_next(&mut self, build: &Arc<JoinBuild>) -> Result<()> {
        build.run.check_cancelled()?;
        match self.probe.next()? {
            Some(batch) => {
                if let Some(shares) = &mut self.shares {
                    shares.first_row += std::mem::replace(&mut shares.batch_rows, batch.rows);
                }
                let (batch, keys) = build.spilled_shape.without_keys(batch);
                self.matcher.begin(&self.table, batch, keys);
            }
            None => {
                self.unmatched = Some(UnmatchedReader::new(&build.spilled_shape, &self.table, &build.run))
            }
        }
        Ok(())
    }

    /// Goes on to the next share, or to the last pass; false if there is neither.
    fn next_share(&mut self, build: &Arc<JoinBuild>) -> Result<bool> {
        let Some(shares) = &mut self.shares else { return Ok(false) };
        if shares.is_closing {
            return Ok(false);
        }
        self.unmatched = None;
        self.probe.rewind()?;
        (shares.first_row, shares.batch_rows) = (0, 0);
        let table = shares.next_table(build, &Arc::new(inner_shape(&build.spilled_shape)))?;
        shares.is_closing = table.rows == 0;
        self.table = Arc::new(table);
        Ok(true)
    }

    /// Gives the probe rows that the kind asks for, after all shares.
    fn close(&mut self, build: &Arc<JoinBuild>) -> Result<Option<Batch>> {
        let shape = &build.spilled_shape;
        if shape.gives_right_rows() || matches!(shape.kind, JoinKind::Inner | JoinKind::Right) {
            return Ok(None);
        }
        while let (Some(batch), Some(shares)) = (self.probe.next()?, &mut self.shares) {
            let marks = &shares.marks[shares.first_row..shares.first_row + batch.rows];
            shares.first_row += batch.rows;
            if let Some(batch) = closed(&build.spilled_shape, batch, marks)? {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }
}

impl Shares {
    /// Notes the rows of the batch at work that have a match.
    fn note_matches(&mut self, rows: &[u32], kind: JoinKind) -> Result<()> {
        for &row in rows {
            let before = std::mem::replace(&mut self.marks[self.first_row + row as usize], Mark::True);
            if kind == JoinKind::LeftSingle && before == Mark::True {
                return Err(several_rows());
            }
        }
        Ok(())
    }

    /// Notes what the last column of the batch at work says of its rows.
    fn take_marks(&mut self, batch: &Batch) -> Result<()> {
        let Some(column) = batch.columns.last() else { return Ok(()) };
        let found = column.to_array()?;
        for (mark, found) in self.marks[self.first_row..].iter_mut().zip(found.as_boolean()) {
            let found = match found {
                Some(true) => Mark::True,
                Some(false) => Mark::False,
                None => Mark::Unknown,
            };
            *mark = (*mark).max(found);
        }
        Ok(())
    }

    /// A table of as many of the build rows as fit.
    fn next_table(&mut self, build: &Arc<JoinBuild>, shape: &Arc<JoinShape>) -> Result<JoinTable> {
        let gathered = gather(build, &mut self.build, false)?;
        let (batches, reservation) = gathered.unwrap_or_else(|| (Vec::new(), build.account.reserve()));
        table_of(build, shape, batches, reservation)
    }
}

/// What a kind gives of probe rows when it is known which had a match; pairs have come out before.
fn closed(shape: &JoinShape, batch: Batch, marks: &[Mark]) -> Result<Option<Batch>> {
    let (batch, _) = shape.without_keys(batch);
    if !shape.gives_pairs() {
        return marked_rows(shape.kind, &batch, marks);
    }
    let Some(mut batch) = marked_rows(JoinKind::LeftAnti, &batch, marks)? else { return Ok(None) };
    let rows = batch.rows;
    batch.columns.extend(shape.right_types.iter().map(|data_type| Column::nulls(data_type, rows)));
    Ok(Some(batch))
}
