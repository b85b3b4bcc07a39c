//! Right rows as they come to one worker: noted at the left rows that they may be the nearest of, and held.

use std::sync::Arc;

use arrow::array::ArrayRef;
use bumpalo::Bump;
use hypostyle_functions::column::Column;
use hypostyle_functions::kernel::prefetch::{DISTANCE, prefetch};

use super::gather::gather;
use super::grouped::Grouped;
use super::key_index::{KeyScratch, NO_GROUP};
use super::notes::{Chunk, NOBODY, Note, Notes, Ordinals, Track, split};
use super::sorted_index::exclude_null_order;
use super::spine::{Spine, SpineIndex};
use super::tie::{TieWords, tie_words};
use super::walk::{LeftWalk, Rows};
use super::word::words;
use super::{AsofShape, views};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::expression::Evaluator;
use crate::memory::Keeper;
use crate::operator::LocalSink;
use crate::operator::ordinal::OrdinalCounter;

/// Right rows that are held beside those that are noted, as a multiple of the left rows ...
const SLACK: usize = 16;

/// ... and at least.
const SLACK_ROWS: usize = 1 << 18;

/// One worker's right rows.
pub(super) struct Arrivals {
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

impl LocalSink for Arrivals {
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
        let Some(way) = self.find(index, &batch) else { return Ok(()) };
        let (batch, bytes) = self.keeper.keep(batch);
        self.bytes += bytes;
        self.held_rows += batch.rows;
        self.note(index, batch, ordinal, way);
        let fits = self.charge();
        if fits && self.held_rows <= index.rows() * SLACK + SLACK_ROWS {
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
        let Some(mut notes) = self.notes else { return Ok(()) };
        if self.spine.is_sorted() {
            return notes.sort(&self.spine.right);
        }
        if let Some(index) = self.spine.index() {
            notes.walk.finish(&index.left);
        }
        self.spine.lock().push(notes);
        Ok(())
    }
}

impl Arrivals {
    /// Nothing yet.
    pub fn new(spine: &Arc<Spine>) -> Result<Self> {
        Ok(Self {
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
        })
    }

    /// Finds out how to note the rows of a batch; nothing if none can be anybody's nearest.
    fn find(&mut self, index: &SpineIndex, batch: &Batch) -> Option<Way> {
        let Self { spine, notes, keys, groups, words: values, bounds, .. } = self;
        let (shape, left) = (&spine.shape, &index.left);
        let bump = Bump::new();
        let (width, count) = (spine.right.width, shape.key_types.len());
        let key_views = views(&batch.columns[width..width + count], &shape.key_types, &bump);
        left.keys.find(&key_views, batch.rows, keys, groups);
        let order = batch.columns[width + count].view(&shape.order_type, &bump);
        exclude_null_order(&order, groups);
        if groups.iter().all(|&group| group == NO_GROUP) {
            return None;
        }
        words(&order, batch.rows, shape.is_inverted(), values);
        let notes = notes.get_or_insert_with(|| Notes {
            walk: LeftWalk::default(),
            tracks: Vec::new(),
            chunks: Vec::new(),
            reservation: spine.right.account.reserve(),
        });
        if shape.ties.is_empty() && notes.walk.moves(shape.tracks(), left, &Rows { groups, words: values }) {
            return (!notes.walk.is_over(left)).then_some(Way::Walk);
        }
        left.sorted().search(groups, values, shape.comparison.is_strict(), bounds);
        bounds.iter().any(|(place, end)| place < end).then_some(Way::Search)
    }

    /// Notes the rows of a batch.
    fn note(&mut self, index: &SpineIndex, batch: Batch, ordinal: u64, way: Way) {
        let Some(notes) = &mut self.notes else { return };
        let shape = &self.spine.shape;
        let chunk = (notes.chunks.len() as u64) << 32;
        match way {
            Way::Walk => {
                let rows = Rows { groups: &self.groups, words: &self.words };
                walk(shape, notes, &index.left, &rows, &batch, chunk);
            }
            Way::Search => {
                let first_tie = self.spine.right.width + shape.key_types.len() + 1;
                let ties: Vec<TieWords> = (shape.ties.iter().zip(&batch.columns[first_tie..]))
                    .map(|(order, column)| tie_words(column, order, batch.rows))
                    .collect();
                let places = index.left.sorted().rows.len();
                notes.tracks.resize_with(shape.tracks(), || Track::new(places, ties.len()));
                let found = Found { bounds: &self.bounds, words: &self.words, ties: &ties };
                found.note(shape, &mut notes.tracks, &batch, chunk);
            }
        }
        notes.chunks.push(Chunk { batch, ordinals: Ordinals::From(ordinal) });
    }

    /// Charges what is held; false if the budget refuses.
    fn charge(&mut self) -> bool {
        let bytes = self.bytes;
        self.notes.as_mut().is_none_or(|notes| notes.reservation.try_resize(bytes + notes.bytes()))
    }

    /// Lets go of the rows that are noted nowhere.
    fn compact(&mut self) -> Result<()> {
        let Some(notes) = &mut self.notes else { return Ok(()) };
        let mut places = Vec::new();
        let mut ordinals = Vec::new();
        let chunks = std::mem::take(&mut notes.chunks);
        // Many left rows may name one row, which is kept once.
        let mut moved: Vec<_> = chunks.iter().map(|chunk| vec![NOBODY; chunk.batch.rows]).collect();
        for note in notes.each() {
            if note.place != NOBODY {
                let (chunk, row) = split(note.place);
                let place = &mut moved[chunk][row];
                if *place == NOBODY {
                    *place = places.len() as u64;
                    ordinals.push(chunks[chunk].ordinal(row));
                    places.push((chunk, row));
                }
                note.place = *place;
            }
        }
        let types = self.spine.right.types();
        let count = chunks.first().map_or(0, |chunk| chunk.batch.columns.len());
        let columns = (0..count).map(|column| {
            let is_blank = |chunk: &Chunk| matches!(&chunk.batch.columns[column], Column::Constant { value, .. } if value.is_null(0));
            if chunks.iter().all(is_blank) {
                return Ok(Column::nulls(&types[column], places.len()));
            }
            let arrays: Vec<ArrayRef> = chunks
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

/// How the rows of a batch find the left rows that they may be the nearest of.
#[derive(Clone, Copy)]
enum Way {
    Walk,
    Search,
}

/// Notes the rows of a batch on the way over the left rows.
fn walk(shape: &AsofShape, notes: &mut Notes, left: &Grouped, rows: &Rows<'_>, batch: &Batch, chunk: u64) {
    let is_strict = shape.comparison.is_strict();
    let Some((nearest, others)) = notes.walk.tracks.split_first_mut() else { return };
    nearest.take_in(left, rows, chunk, is_strict, |_| true);
    let bump = Bump::new();
    for (track, &column) in others.iter_mut().zip(&shape.last_not_null) {
        let values = batch.columns[column].view(&shape.right_types[column], &bump);
        track.take_in(left, rows, chunk, is_strict, |row| values.is_valid(row));
    }
}

/// What a search found for the rows of a batch.
struct Found<'a> {
    /// The first place that each row may be the nearest of, and the end of its group.
    bounds: &'a [(u32, u32)],
    words: &'a [u64],
    ties: &'a [TieWords],
}

impl Found<'_> {
    /// Notes the rows at their places.
    fn note(&self, shape: &AsofShape, tracks: &mut [Track], batch: &Batch, chunk: u64) {
        let (first, others) = tracks.split_at_mut(1);
        for track in first {
            for (row, &(place, end)) in self.bounds.iter().enumerate() {
                if let Some(&(ahead, _)) = self.bounds.get(row + DISTANCE) {
                    prefetch(&track.notes, ahead as usize);
                }
                if place < end {
                    let note = Note { word: self.words[row], place: chunk | row as u64 };
                    track.note(place as usize, note, row, self.ties);
                }
            }
        }
        let bump = Bump::new();
        for (track, &column) in others.iter_mut().zip(&shape.last_not_null) {
            let values = batch.columns[column].view(&shape.right_types[column], &bump);
            for (row, &(place, end)) in self.bounds.iter().enumerate() {
                if place < end && values.is_valid(row) {
                    let note = Note { word: self.words[row], place: chunk | row as u64 };
                    track.note(place as usize, note, row, self.ties);
                }
            }
        }
    }
}
