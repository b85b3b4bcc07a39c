//! The left side indexed: right rows stream by and leave their mark on the left rows they are the nearest of.
//!
//! A right row can be the nearest only of left rows of its group that are not before it. It is noted at the first of
//! them, where it stands against the other right rows noted there: the one with the greatest order value stays, and
//! that is the nearest of this left row. The left rows after it that have no note of their own share it.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arrow::array::{Array, ArrayRef};
use bumpalo::Bump;
use hypostyle_functions::column::{Column, borrow};
use hypostyle_functions::kernel::prefetch::{DISTANCE, prefetch};
use hypostyle_functions::types::Type;

use super::gather::gather;
use super::key_index::KeyScratch;
use super::notes::{Chunk, NOBODY, Note, Notes, Ordinals, Track, merge, split};
use super::side::{Gatherer, Side};
use super::sorted_index::{SortedIndex, exclude_null_order};
use super::tie::{TieWords, tie_words};
use super::word::words;
use super::{AsofShape, views};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::expression::Evaluator;
use crate::memory::{Keeper, Reservation};
use crate::operator::filter::concat_columns;
use crate::operator::ordinal::OrdinalCounter;
use crate::operator::{LocalSink, Sink, Task};

/// Right rows that are held beside those that are noted, as a multiple of the left rows ...
const SLACK: usize = 8;

/// ... and at least.
const SLACK_ROWS: usize = 1 << 18;

/// The indexed left side and what is noted at its rows.
pub struct Spine {
    pub(super) shape: Arc<AsofShape>,
    pub(super) left: Arc<Side>,
    pub(super) right: Arc<Side>,
    index: OnceLock<SpineIndex>,
    notes: Mutex<Vec<Notes>>,
    answer: OnceLock<Answer>,
    /// A join below on the same left rows, keys and order values, whose index serves this one too.
    below: Option<Arc<Spine>>,
}

/// The left rows.
pub(super) struct SpineIndex {
    index: Arc<SortedIndex>,
    /// Batches with the ordinal of their first row; evaluated columns follow the side's own.
    pub batches: Vec<(u64, Batch)>,
    rows: usize,
    limits: Option<(ArrayRef, Vec<u64>)>,
    _reservation: Reservation,
}

/// What was found for each left row.
pub(super) struct Answer {
    /// Right rows, as columns of many arrays.
    pub columns: Vec<Vec<ArrayRef>>,
    /// Per track and left row: array and row, or [`NOBODY`].
    pub matches: Vec<Vec<u64>>,
    _reservations: Vec<Reservation>,
}

impl Spine {
    /// A join of this shape.
    pub fn new(
        shape: Arc<AsofShape>,
        left: Arc<Side>,
        right: Arc<Side>,
        below: Option<Arc<Spine>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            shape,
            left,
            right,
            index: OnceLock::new(),
            notes: Mutex::default(),
            answer: OnceLock::new(),
            below,
        })
    }

    pub(super) fn index(&self) -> Option<&SpineIndex> {
        self.index.get()
    }

    pub(super) fn answer(&self) -> Option<&Answer> {
        self.answer.get()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Notes>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether both sides are sorted instead.
    fn is_sorted(&self) -> bool {
        self.left.is_sorted() || self.right.is_sorted()
    }

    /// Sends the left side to the sort, once.
    fn sort_left(&self) -> Result<()> {
        let mut notes = self.lock();
        self.right.begin_sort();
        if !self.left.is_sorted()
            && let Some(index) = self.index.get()
        {
            self.left.begin_sort();
            for (ordinal, batch) in &index.batches {
                self.left.sort_from(batch.clone(), *ordinal)?;
            }
        }
        for notes in notes.drain(..) {
            notes.sort(&self.right)?;
        }
        Ok(())
    }

    /// Sorts the left rows by keys and order value.
    fn sorted(&self, batches: &[(u64, Batch)]) -> Result<SortedIndex> {
        let (shape, width) = (&self.shape, self.left.width);
        let keys = shape.key_types.iter().enumerate();
        let keys: Vec<ArrayRef> = keys
            .map(|(index, data_type)| concat_at(batches, width + index, data_type))
            .collect::<Result<_>>()?;
        let order = concat_at(batches, width + keys.len(), &shape.order_type)?;
        let keys = (keys.as_slice(), shape.key_types.as_slice(), shape.nulls_match.as_slice());
        Ok(SortedIndex::new(keys, (&order, &shape.order_type), shape.is_inverted(), &[]))
    }

    /// Bytes of the notes at each left row.
    fn note_bytes(&self) -> usize {
        self.shape.tracks() * (size_of::<Note>() + self.shape.ties.len() * 16)
    }
}

/// Concatenates one column of many batches.
pub(super) fn concat_at(batches: &[(u64, Batch)], column: usize, data_type: &Type) -> Result<ArrayRef> {
    let parts: Vec<&Column> = batches.iter().map(|(_, batch)| &batch.columns[column]).collect();
    match parts.is_empty() {
        true => Ok(arrow::array::new_empty_array(&data_type.to_arrow())),
        false => Ok(concat_columns(&parts)?.to_array()?),
    }
}

impl Sink for Arc<Spine> {
    fn local(&self) -> Result<Box<dyn LocalSink>> {
        Ok(Box::new(Gatherer::new(&self.left, &self.shape, false)?))
    }

    fn finish(&self) -> Result<Vec<Task>> {
        let bytes = |rows: usize| SortedIndex::index_bytes(rows);
        let Some((batches, reservation)) = self.left.take_held(bytes)? else { return Ok(Vec::new()) };
        let (shape, width) = (&self.shape, self.left.width);
        let rows = batches.iter().map(|(_, batch)| batch.rows).sum();
        let limits = match shape.has_limit {
            false => None,
            true => {
                let limit = concat_at(&batches, width + shape.key_types.len() + 1, &shape.order_type)?;
                let mut values = Vec::new();
                let bump = Bump::new();
                words(
                    &borrow(&limit, &shape.order_type, &bump),
                    limit.len(),
                    shape.is_inverted(),
                    &mut values,
                );
                Some((limit, values))
            }
        };
        let below = self.below.as_ref().and_then(|below| below.index());
        let index = match below.filter(|below| below.rows == rows) {
            Some(below) => Arc::clone(&below.index),
            None => Arc::new(self.sorted(&batches)?),
        };
        self.left.metrics.raise_peak(self.left.account.peak_bytes());
        self.index.get_or_init(|| SpineIndex { index, rows, batches, limits, _reservation: reservation });
        Ok(Vec::new())
    }
}

/// Takes the rows of the right side.
pub struct Nearest(pub Arc<Spine>);

impl Sink for Nearest {
    fn local(&self) -> Result<Box<dyn LocalSink>> {
        let spine = &self.0;
        Ok(Box::new(Local {
            values: Evaluator::new(Arc::clone(&spine.shape.right_values), &spine.right.run.parameters)?,
            notes: None,
            held_rows: 0,
            bytes: 0,
            keeper: Keeper::default(),
            ordinals: OrdinalCounter::default(),
            keys: KeyScratch::default(),
            groups: Vec::new(),
            words: Vec::new(),
            bounds: Vec::new(),
            spine: Arc::clone(spine),
        }))
    }

    fn wants_more(&self) -> bool {
        self.0.left.is_sorted() || self.0.index().is_none_or(|index| index.rows > 0)
    }

    fn finish(&self) -> Result<Vec<Task>> {
        let spine = &self.0;
        if spine.is_sorted() {
            spine.sort_left()?;
            return Ok(Vec::new());
        }
        let Some(index) = spine.index() else {
            return Err(Error::internal("the left side of an as-of join was not indexed"));
        };
        let notes = std::mem::take(&mut *spine.lock());
        let answer = answer(spine, index, notes)?;
        spine.right.metrics.raise_peak(spine.right.account.peak_bytes());
        spine.answer.get_or_init(|| answer);
        Ok(Vec::new())
    }
}

struct Local {
    spine: Arc<Spine>,
    values: Evaluator,
    notes: Option<Notes>,
    held_rows: usize,
    bytes: usize,
    keeper: Keeper,
    ordinals: OrdinalCounter,
    keys: KeyScratch,
    groups: Vec<u32>,
    words: Vec<u64>,
    bounds: Vec<(u32, u32)>,
}

impl LocalSink for Local {
    fn push(&mut self, batch: Batch) -> Result<()> {
        let ordinal = self.ordinals.next(&batch)?;
        let spine = Arc::clone(&self.spine);
        let values = self.values.evaluate(&batch)?;
        let Batch { columns, rows, position } = batch;
        let mut columns = spine.shape.blanked(columns, rows);
        columns.extend(values);
        let batch = Batch::new(columns, rows).at(position);
        if spine.is_sorted() {
            self.sort()?;
            return spine.right.sort_from(batch, ordinal);
        }
        let Some(index) = spine.index() else {
            return Err(Error::internal("right rows of an as-of join came before the left side was indexed"));
        };
        if !self.find(index, &batch) {
            return Ok(());
        }
        let (batch, bytes) = self.keeper.keep(batch);
        self.bytes += bytes;
        self.held_rows += batch.rows;
        self.note(index, batch, ordinal)?;
        let fits = self.charge();
        if fits && self.held_rows <= index.rows * SLACK + SLACK_ROWS {
            return Ok(());
        }
        self.compact()?;
        if self.charge() {
            return Ok(());
        }
        spine.sort_left()?;
        self.sort()
    }

    fn finish(self: Box<Self>) -> Result<()> {
        if let Some(notes) = self.notes {
            match self.spine.is_sorted() {
                true => notes.sort(&self.spine.right)?,
                false => self.spine.lock().push(notes),
            }
        }
        Ok(())
    }
}

impl Local {
    /// Finds the place of each row in the index; false if no row has one.
    fn find(&mut self, index: &SpineIndex, batch: &Batch) -> bool {
        let shape = &self.spine.shape;
        let bump = Bump::new();
        let (width, count) = (self.spine.right.width, shape.key_types.len());
        let keys = views(&batch.columns[width..width + count], &shape.key_types, &bump);
        index.index.keys.find(&keys, batch.rows, &mut self.keys, &mut self.groups);
        let order = batch.columns[width + count].view(&shape.order_type, &bump);
        exclude_null_order(&order, &mut self.groups);
        words(&order, batch.rows, shape.is_inverted(), &mut self.words);
        index.index.search(&self.groups, &self.words, shape.comparison.is_strict(), &mut self.bounds);
        self.bounds.iter().any(|(place, end)| place < end)
    }

    /// Notes the rows of a batch at their places.
    fn note(&mut self, index: &SpineIndex, batch: Batch, ordinal: u64) -> Result<()> {
        let Self { spine, notes, words, bounds, .. } = self;
        let shape = &spine.shape;
        let notes = notes.get_or_insert_with(|| {
            let track = |_| Track {
                notes: vec![Note { word: 0, place: NOBODY }; index.index.words.len()],
                ties: vec![0; index.index.words.len() * shape.ties.len()],
            };
            let reservation = spine.right.account.reserve();
            Notes { tracks: (0..shape.tracks()).map(track).collect(), chunks: Vec::new(), reservation }
        });
        let first_tie = spine.right.width + shape.key_types.len() + 1;
        let ties: Vec<TieWords> = (shape.ties.iter().zip(&batch.columns[first_tie..]))
            .map(|(order, column)| tie_words(column, order, batch.rows))
            .collect();
        let chunk = (notes.chunks.len() as u64) << 32;
        let (first, others) = notes.tracks.split_at_mut(1);
        for track in first {
            for (row, &(place, end)) in bounds.iter().enumerate() {
                if let Some(&(ahead, _)) = bounds.get(row + DISTANCE) {
                    prefetch(&track.notes, ahead as usize);
                }
                if place < end {
                    let note = Note { word: words[row], place: chunk | row as u64 };
                    track.note(place as usize, note, row, &ties);
                }
            }
        }
        let bump = Bump::new();
        for (track, &column) in others.iter_mut().zip(&shape.last_not_null) {
            let values = batch.columns[column].view(&shape.right_types[column], &bump);
            for (row, &(place, end)) in bounds.iter().enumerate() {
                if place < end && values.is_valid(row) {
                    let note = Note { word: words[row], place: chunk | row as u64 };
                    track.note(place as usize, note, row, &ties);
                }
            }
        }
        drop(bump);
        notes.chunks.push(Chunk { batch, ordinals: Ordinals::From(ordinal) });
        Ok(())
    }

    /// Charges what is held; false if the budget refuses.
    fn charge(&mut self) -> bool {
        let bytes = self.bytes + self.spine.note_bytes() * self.spine.index().map_or(0, |index| index.rows);
        self.notes.as_mut().is_none_or(|notes| notes.reservation.try_resize(bytes))
    }

    /// Lets go of the rows that are noted nowhere.
    fn compact(&mut self) -> Result<()> {
        let Some(notes) = &mut self.notes else { return Ok(()) };
        let mut places = Vec::new();
        let mut ordinals = Vec::new();
        for note in notes.tracks.iter_mut().flat_map(|track| &mut track.notes) {
            if note.place != NOBODY {
                let (chunk, row) = split(note.place);
                ordinals.push(notes.chunks[chunk].ordinal(row));
                note.place = places.len() as u64;
                places.push((chunk, row));
            }
        }
        let types = self.spine.right.types();
        let count = notes.chunks.first().map_or(0, |chunk| chunk.batch.columns.len());
        let columns = (0..count).map(|column| {
            let is_blank = |chunk: &Chunk| matches!(&chunk.batch.columns[column], Column::Constant { value, .. } if value.is_null(0));
            if notes.chunks.iter().all(is_blank) {
                return Ok(Column::nulls(&types[column], places.len()));
            }
            let arrays: Vec<ArrayRef> = notes
                .chunks
                .iter()
                .map(|chunk| chunk.batch.columns[column].to_array())
                .collect::<Result<_, _>>()?;
            Ok(Column::Flat(gather(&arrays, &places, &types[column])?))
        });
        let batch = Batch::new(columns.collect::<Result<_>>()?, places.len());
        self.keeper = Keeper::default();
        let (batch, bytes) = self.keeper.keep(batch);
        self.held_rows = batch.rows;
        self.bytes = bytes;
        notes.chunks = vec![Chunk { batch, ordinals: Ordinals::Each(ordinals) }];
        Ok(())
    }

    /// Sends what is held to the sort.
    fn sort(&mut self) -> Result<()> {
        self.bytes = 0;
        self.held_rows = 0;
        self.keeper = Keeper::default();
        self.notes.take().map_or(Ok(()), |notes| notes.sort(&self.spine.right))
    }
}

/// The right row of each left row, from what all workers noted.
fn answer(spine: &Spine, index: &SpineIndex, all: Vec<Notes>) -> Result<Answer> {
    let shape = &spine.shape;
    let (mut merged, mut chunks, mut reservations): (Option<Vec<Track>>, Vec<Chunk>, Vec<_>) =
        Default::default();
    for Notes { tracks, chunks: own, reservation } in all {
        reservations.push(reservation);
        let offset = (chunks.len() as u64) << 32;
        chunks.extend(own);
        match &mut merged {
            None => merged = Some(tracks),
            Some(merged) => {
                for (into, from) in merged.iter_mut().zip(tracks) {
                    merge(into, from, offset, &chunks, shape.ties.len());
                }
            }
        }
    }
    let mut matches = vec![vec![NOBODY; index.rows]; shape.tracks()];
    let limits = index.limits.as_ref();
    for (matches, track) in matches.iter_mut().zip(merged.iter().flatten()) {
        for range in index.index.ranges() {
            let mut nearest = Note { word: 0, place: NOBODY };
            for place in range {
                let own = track.notes[place];
                if own.place != NOBODY {
                    nearest = own;
                }
                let row = index.index.rows[place] as usize;
                let is_near =
                    limits.is_none_or(|(limit, values)| limit.is_null(row) || nearest.word >= values[row]);
                if is_near {
                    matches[row] = nearest.place;
                }
            }
        }
    }
    let types = &shape.right_types;
    let column = |(column, _): (usize, &Type)| {
        let arrays = chunks.iter().map(|chunk| match shape.gives_pairs() && shape.right_read[column] {
            true => Ok(chunk.batch.columns[column].to_array()?),
            false => Ok(arrow::array::new_empty_array(&types[column].to_arrow())),
        });
        arrays.collect::<Result<Vec<ArrayRef>>>()
    };
    let columns = types.iter().enumerate().map(column).collect::<Result<_>>()?;
    Ok(Answer { columns, matches, _reservations: reservations })
}
