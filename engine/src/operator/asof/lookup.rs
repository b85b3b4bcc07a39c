//! The right side indexed: each left row looks its nearest up.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, UInt32Array};
use bumpalo::Bump;
use hypostyle_functions::column::Column;
use hypostyle_functions::types::Type;

use super::grouped::Grouped;
use super::key_index::{KeyScratch, NO_GROUP};
use super::side::{Gatherer, Side};
use super::sorted_index::{SortedIndex, exclude_null_order};
use super::spine::concat_at;
use super::tie::tie_words;
use super::walk::{RightWalk, Rows};
use super::word::words;
use super::{AsofShape, kept_left, views, with_columns};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::expression::Evaluator;
use crate::memory::Reservation;
use crate::operator::filter::kept_rows;
use crate::operator::ordinal::OrdinalCounter;
use crate::operator::{Claim, Input, LocalSink, Sink, Source, Stage, Step, Task, Transform};
use crate::table::Reader;

/// No place of the index.
const NOWHERE: u32 = u32::MAX;

/// The right side, gathered and indexed.
pub struct Lookup {
    shape: Arc<AsofShape>,
    left: Arc<Side>,
    right: Arc<Side>,
    table: OnceLock<Table>,
}

struct Table {
    /// The right columns; a null in place of those that nothing reads.
    columns: Vec<Column>,
    /// Keys; the rows too if they are in order.
    right: Grouped,
    index: SortedIndex,
    /// Per column of LAST NOT NULL and place, the last place up to it in its group where the column is not null.
    last_valid: Vec<Vec<u32>>,
    /// A bit per row that has been somebody's nearest, if that is asked for.
    matched: Option<Vec<AtomicU64>>,
    rows: usize,
    _reservation: Reservation,
}

impl Lookup {
    /// A join of this shape.
    pub fn new(shape: Arc<AsofShape>, left: Arc<Side>, right: Arc<Side>) -> Arc<Self> {
        Arc::new(Self { shape, left, right, table: OnceLock::new() })
    }
}

impl Sink for Arc<Lookup> {
    fn local(&self) -> Result<Box<dyn LocalSink>> {
        Ok(Box::new(Gatherer::new(&self.right, &self.shape, true)?))
    }

    fn finish(&self) -> Result<Vec<Task>> {
        let shape = &self.shape;
        let (tracks, ties) = (shape.last_not_null.len(), shape.ties.len());
        let bytes = |rows: usize| Grouped::index_bytes(rows) + rows * (tracks * 4 + ties * 16);
        let Some((batches, reservation)) = self.right.take_held(bytes)? else { return Ok(Vec::new()) };
        let width = self.right.width;
        let value = |index: usize, data_type: &Type| concat_at(&batches, width + index, data_type);
        let keys: Vec<ArrayRef> = shape
            .key_types
            .iter()
            .enumerate()
            .map(|(index, data_type)| value(index, data_type))
            .collect::<Result<_>>()?;
        let order = value(keys.len(), &shape.order_type)?;
        let rows = order.len();
        let ties = shape.ties.iter().enumerate().map(|(index, tie)| {
            let column = Column::Flat(value(keys.len() + 1 + index, &tie.data_type)?);
            Ok(tie_words(&column, tie, rows))
        });
        let ties = ties.collect::<Result<Vec<_>>>()?;
        let keys = (keys.as_slice(), shape.key_types.as_slice(), shape.nulls_match.as_slice());
        let right = Grouped::new(keys, (&order, &shape.order_type), shape.is_inverted());
        let index = SortedIndex::new(&right, &ties);
        let columns = shape.right_types.iter().enumerate().map(|(column, data_type)| {
            match shape.right_read[column] && rows > 0 {
                true => Ok(Column::Flat(concat_at(&batches, column, data_type)?)),
                false => Ok(Column::nulls(data_type, rows)),
            }
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let last_valid = shape
            .last_not_null
            .iter()
            .map(|&column| last_valid(&index, &columns[column], &shape.right_types[column]))
            .collect();
        let matched =
            shape.keeps_right().then(|| (0..rows.div_ceil(64)).map(|_| AtomicU64::new(0)).collect());
        self.right.metrics.raise_peak(self.right.account.peak_bytes());
        self.table.get_or_init(|| Table {
            columns,
            right: if right.is_ascending { right } else { right.without_rows() },
            index,
            last_valid,
            matched,
            rows,
            _reservation: reservation,
        });
        Ok(Vec::new())
    }
}

/// The last place up to each one, in its group, where the column is not null.
fn last_valid(index: &SortedIndex, column: &Column, data_type: &Type) -> Vec<u32> {
    let bump = Bump::new();
    let view = column.view(data_type, &bump);
    let mut places = vec![NOWHERE; index.rows.len()];
    for range in index.ranges() {
        let mut last = NOWHERE;
        for place in range {
            if view.is_valid(index.rows[place] as usize) {
                last = place as u32;
            }
            places[place] = last;
        }
    }
    places
}

impl Table {
    /// Notes that the rows at these places are somebody's nearest.
    fn note_matches(&self, places: &[u32]) {
        let Some(matched) = &self.matched else { return };
        for &place in places.iter().filter(|&&place| place != NOWHERE) {
            let row = self.index.rows[place as usize];
            let (word, bit) = (&matched[row as usize / 64], 1u64 << (row % 64));
            if word.load(Ordering::Relaxed) & bit == 0 {
                word.fetch_or(bit, Ordering::Relaxed);
            }
        }
    }

    /// The rows that have been nobody's nearest.
    fn unmatched(&self) -> Vec<u32> {
        let Some(matched) = &self.matched else { return Vec::new() };
        let is_unmatched =
            |row: &u32| matched[*row as usize / 64].load(Ordering::Relaxed) >> (row % 64) & 1 == 0;
        (0..self.rows as u32).filter(is_unmatched).collect()
    }

    /// The rows at these places; null for none.
    fn rows_at(&self, places: &[u32]) -> UInt32Array {
        if places.contains(&NOWHERE) {
            let row = |&place: &u32| (place != NOWHERE).then(|| self.index.rows[place as usize]);
            return places.iter().map(row).collect();
        }
        UInt32Array::from_iter_values(places.iter().map(|&place| self.index.rows[place as usize]))
    }

    /// The place that counts for a track at or before `place`.
    fn at_or_before(&self, track: usize, place: u32) -> u32 {
        match (track, place) {
            (_, NOWHERE) | (0, _) => place,
            (track, place) => self.last_valid[track - 1][place as usize],
        }
    }

    /// The place that counts for a track before `place`, in a group that starts at `start`.
    fn before(&self, track: usize, place: u32, start: u32) -> u32 {
        if place > start { self.at_or_before(track, place - 1) } else { NOWHERE }
    }
}

/// The left side of a join whose right side is indexed.
pub struct LookupProbe(pub Arc<Lookup>);

impl Stage for LookupProbe {
    fn passes_nothing(&self) -> bool {
        let lookup = &self.0;
        lookup.shape.is_empty_without_right()
            && !lookup.right.is_sorted()
            && lookup.table.get().is_some_and(|table| table.rows == 0)
    }

    fn instantiate(&self) -> Result<Box<dyn Transform>> {
        let lookup = Arc::clone(&self.0);
        let parameters = &lookup.left.run.parameters;
        let residual = lookup.shape.residual.as_ref();
        Ok(Box::new(Probe {
            values: Evaluator::new(Arc::clone(&lookup.shape.left_values), parameters)?,
            residual: residual.map(|set| Evaluator::new(Arc::clone(set), parameters)).transpose()?,
            ordinals: OrdinalCounter::default(),
            keys: KeyScratch::default(),
            walk: RightWalk::default(),
            groups: Vec::new(),
            words: Vec::new(),
            bounds: Vec::new(),
            lookup,
        }))
    }
}

struct Probe {
    lookup: Arc<Lookup>,
    values: Evaluator,
    residual: Option<Evaluator>,
    /// Counts rows that go to the sort.
    ordinals: OrdinalCounter,
    keys: KeyScratch,
    walk: RightWalk,
    groups: Vec<u32>,
    words: Vec<u64>,
    bounds: Vec<(u32, u32)>,
}

impl Transform for Probe {
    fn step(&mut self, input: Input) -> Result<Step> {
        let Input::Batch(batch) = input else { return Ok(Step::NeedInput) };
        let values = self.values.evaluate(&batch)?;
        let lookup = Arc::clone(&self.lookup);
        if lookup.right.is_sorted() {
            let ordinal = self.ordinals.next(&batch)?;
            lookup.left.begin_sort();
            lookup.left.sort_from(with_columns(batch, values), ordinal)?;
            return Ok(Step::NeedInput);
        }
        let Some(table) = lookup.table.get() else {
            return Err(Error::internal("an as-of join is probed before it is built"));
        };
        let places = self.find(table, &batch, &values)?;
        table.note_matches(&places[0]);
        let output = self.output(table, batch, &places)?;
        Ok(output.map_or(Step::NeedInput, Step::Output))
    }
}

impl Probe {
    /// Per track, the place of the partner of each row.
    fn find(&mut self, table: &Table, batch: &Batch, values: &[Column]) -> Result<Vec<Vec<u32>>> {
        let lookup = Arc::clone(&self.lookup);
        let shape = &lookup.shape;
        let bump = Bump::new();
        let types = shape.left_value_types();
        let columns = views(values, &types, &bump);
        let (keys, others) = columns.split_at(shape.key_types.len());
        table.right.keys.find(keys, batch.rows, &mut self.keys, &mut self.groups);
        exclude_null_order(&others[0], &mut self.groups);
        words(&others[0], batch.rows, shape.is_inverted(), &mut self.words);
        let (rows, is_strict) =
            (Rows { groups: &self.groups, words: &self.words }, shape.comparison.is_strict());
        if !self.walk.find(&table.right, table.index.starts(), &rows, is_strict, &mut self.bounds) {
            table.index.search(&self.groups, &self.words, !is_strict, &mut self.bounds);
        }
        let limit = others.get(1);
        let mut limits = Vec::new();
        if let Some(limit) = limit {
            words(limit, batch.rows, shape.is_inverted(), &mut limits);
        }
        let is_near = |row: usize, place: u32| {
            place != NOWHERE
                && limit.is_none_or(|limit| {
                    limit.is_null(row) || table.index.words[place as usize] >= limits[row]
                })
        };
        let mut tracks = Vec::with_capacity(shape.tracks());
        for track in 0..shape.tracks() {
            let place = |row: usize| {
                let group = self.groups[row];
                if group == NO_GROUP {
                    return NOWHERE;
                }
                let place = table.before(track, self.bounds[row].0, table.index.start(group));
                if is_near(row, place) { place } else { NOWHERE }
            };
            tracks.push((0..batch.rows).map(place).collect::<Vec<u32>>());
        }
        if let Some(residual) = &mut self.residual {
            let starts = |row: usize| table.index.start(self.groups[row]);
            for (track, places) in tracks.iter_mut().enumerate() {
                let search = Search { shape, table, batch, track };
                search.until_accepted(residual, places, starts, is_near)?;
            }
        }
        Ok(tracks)
    }

    /// The rows that the kind gives.
    fn output(&self, table: &Table, batch: Batch, places: &[Vec<u32>]) -> Result<Option<Batch>> {
        let shape = &self.lookup.shape;
        let has_partner: Vec<bool> = places[0].iter().map(|&place| place != NOWHERE).collect();
        let keep = kept_left(shape.kind, &has_partner);
        let kept = keep.as_ref().map_or(batch.rows, |keep| keep.iter().filter(|&&keep| keep).count());
        if kept == 0 {
            return Ok(None);
        }
        let batch = match keep {
            Some(keep) if kept < batch.rows => kept_rows(&batch, &keep.into(), kept)?,
            _ => batch,
        };
        if !shape.gives_pairs() {
            return Ok(Some(batch));
        }
        let rows = places.iter().map(|places| {
            let kept: Vec<u32> = match kept == has_partner.len() {
                true => places.clone(),
                false => {
                    let pairs = places.iter().zip(&has_partner);
                    pairs.filter(|(_, partner)| **partner).map(|(&place, _)| place).collect()
                }
            };
            table.rows_at(&kept)
        });
        let rows: Vec<UInt32Array> = rows.collect();
        let column = |(index, column): (usize, &Column)| {
            if !shape.right_read[index] || table.rows == 0 {
                return Ok(Column::nulls(&shape.right_types[index], batch.rows));
            }
            column.take(&rows[shape.track_of(index)])
        };
        let right = table.columns.iter().enumerate().map(column).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(with_columns(batch, right)))
    }
}

/// The search for a partner that satisfies the condition, for one track.
struct Search<'a> {
    shape: &'a AsofShape,
    table: &'a Table,
    batch: &'a Batch,
    track: usize,
}

impl Search<'_> {
    /// Goes from each place to farther ones until the condition accepts one or none is left.
    fn until_accepted(
        &self,
        residual: &mut Evaluator,
        places: &mut [u32],
        start: impl Fn(usize) -> u32,
        is_near: impl Fn(usize, u32) -> bool,
    ) -> Result<()> {
        let mut open: Vec<u32> =
            (0..self.batch.rows as u32).filter(|&row| places[row as usize] != NOWHERE).collect();
        while !open.is_empty() {
            let own: Vec<u32> = open.iter().map(|&row| places[row as usize]).collect();
            let left = UInt32Array::from(open.clone());
            let right = self.table.rows_at(&own);
            let columns = self.batch.columns.iter().map(|column| column.take(&left));
            let columns = columns.chain(self.table.columns.iter().map(|column| column.take(&right)));
            let pairs = Batch::new(columns.collect::<Result<_, _>>()?, open.len()).at(self.batch.position);
            debug_assert_eq!(pairs.columns.len(), self.shape.left_types.len() + self.shape.right_types.len());
            let accepted = residual.select(&pairs)?;
            let mut accepted = accepted.bits().iter();
            open.retain(|&row| {
                if accepted.next().unwrap_or(false) {
                    return false;
                }
                let place = &mut places[row as usize];
                let farther = self.table.before(self.track, *place, start(row as usize));
                *place = if is_near(row as usize, farther) { farther } else { NOWHERE };
                *place != NOWHERE
            });
        }
        Ok(())
    }
}

/// The right rows that were nobody's nearest, after all left rows have been seen.
pub struct UnmatchedSource {
    lookup: Arc<Lookup>,
    claimed: AtomicBool,
}

impl UnmatchedSource {
    /// Those of this join.
    pub fn new(lookup: Arc<Lookup>) -> Self {
        Self { lookup, claimed: AtomicBool::new(false) }
    }
}

impl Source for UnmatchedSource {
    fn claim(&self) -> Result<Claim> {
        let Some(table) = self.lookup.table.get() else { return Ok(Claim::End) };
        if self.claimed.swap(true, Ordering::Relaxed) {
            return Ok(Claim::End);
        }
        let rows = table.unmatched();
        Ok(Claim::Morsel(Box::new(UnmatchedReader { lookup: Arc::clone(&self.lookup), rows, given: 0 })))
    }
}

struct UnmatchedReader {
    lookup: Arc<Lookup>,
    rows: Vec<u32>,
    given: usize,
}

impl Reader for UnmatchedReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        let end = self.rows.len().min(self.given + self.lookup.right.run.batch_rows());
        let rows = &self.rows[self.given..end];
        let Some(table) = self.lookup.table.get().filter(|_| !rows.is_empty()) else { return Ok(None) };
        self.given = end;
        let nulls = |data_type: &Type| Column::nulls(data_type, rows.len());
        let mut columns: Vec<Column> = self.lookup.shape.left_types.iter().map(nulls).collect();
        let rows = UInt32Array::from(rows.to_vec());
        for column in &table.columns {
            columns.push(column.take(&rows)?);
        }
        Ok(Some(Batch::new(columns, rows.len())))
    }
}
