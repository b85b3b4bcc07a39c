//! The left rows in their order with what was noted at them.

use std::hint::select_unpredictable;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{Array, ArrayRef};
use hypostyle_functions::column::Column;
use hypostyle_functions::types::Type;

use super::gather::{NOWHERE, gather};
use super::notes::{Chunk, NOBODY, NONE, Note, Notes, Track, merge, ordinal_at, split};
use super::sorted_index::SortedIndex;
use super::spine::{Spine, SpineIndex};
use super::{AsofShape, kept_left, with_columns};
use crate::batch::Batch;
use crate::error::Result;
use crate::memory::Reservation;
use crate::operator::filter::kept_rows;
use crate::operator::{Claim, Source};
use crate::table::Reader;

/// Rows of a morsel: right rows are taken for all of them at once.
const MORSEL_ROWS: usize = 1 << 16;

/// What was found for each left row.
pub(super) struct Answer {
    /// Right rows that were held.
    chunks: Vec<Chunk>,
    /// Their columns, each of an array for each chunk.
    columns: Vec<Vec<ArrayRef>>,
    /// Per track, the nearest right row of each left row among some of the right rows.
    tracks: Vec<Vec<Found>>,
    _reservations: Vec<Reservation>,
}

/// A note for each left row, whose places count from a chunk on.
struct Found {
    notes: Vec<Note>,
    offset: u64,
}

impl Answer {
    /// What all workers noted.
    pub fn new(shape: &AsofShape, index: &SpineIndex, all: Vec<Notes>) -> Result<Self> {
        let (mut chunks, mut reservations): (Vec<Chunk>, Vec<_>) = Default::default();
        let mut tracks: Vec<Vec<Found>> = std::iter::repeat_with(Vec::new).take(shape.tracks()).collect();
        let mut searched: Option<Vec<Track>> = None;
        for Notes { walk, tracks: mut own, chunks: held, reservation } in all {
            reservations.push(reservation);
            let offset = (chunks.len() as u64) << 32;
            chunks.extend(held);
            for (track, walked) in tracks.iter_mut().zip(walk.tracks) {
                track.push(Found { notes: walked.passed, offset });
            }
            match &mut searched {
                Some(searched) => {
                    for (into, from) in searched.iter_mut().zip(own) {
                        merge(into, from, offset, &chunks, shape.ties.len());
                    }
                }
                None if own.is_empty() => {}
                None => {
                    own.iter_mut().for_each(|track| track.move_by(offset));
                    searched = Some(own);
                }
            }
        }
        for (track, searched) in tracks.iter_mut().zip(searched.into_iter().flatten()) {
            track.push(Found { notes: carried(index.left.sorted(), &searched, index.rows()), offset: 0 });
        }
        let columns = columns(shape, &mut chunks)?;
        Ok(Self { chunks, columns, tracks, _reservations: reservations })
    }

    /// The right row of each of these left rows, for one track.
    fn places(&self, track: usize, index: &SpineIndex, rows: Range<usize>) -> Vec<(usize, usize)> {
        let place = |row: usize| {
            let mut nearest = NONE;
            for found in &self.tracks[track] {
                nearest = self.nearer(found.notes[row].moved_by(found.offset), nearest);
            }
            let is_near = nearest.place != NOBODY
                && (index.limits.as_ref())
                    .is_none_or(|(limit, words)| limit.is_null(row) || nearest.word >= words[row]);
            if is_near { split(nearest.place) } else { NOWHERE }
        };
        rows.map(place).collect()
    }

    /// The nearer of two rows; of equal ones the later. Which it is follows no pattern, so that it is chosen without a branch.
    #[inline(always)]
    fn nearer(&self, one: Note, other: Note) -> Note {
        let (is_there, is_free) = (one.place != NOBODY, other.place == NOBODY);
        let is_nearer = if is_there && !is_free && one.word == other.word {
            ordinal_at(&self.chunks, one.place) > ordinal_at(&self.chunks, other.place)
        } else {
            is_there & (is_free | (one.word > other.word))
        };
        Note {
            word: select_unpredictable(is_nearer, one.word, other.word),
            place: select_unpredictable(is_nearer, one.place, other.place),
        }
    }
}

/// The right columns that come out, an array for each chunk, which keeps no columns then.
fn columns(shape: &AsofShape, chunks: &mut [Chunk]) -> Result<Vec<Vec<ArrayRef>>> {
    let column = |(column, data_type): (usize, &Type)| {
        let arrays = chunks.iter().map(|chunk| match shape.gives_pairs() && shape.right_read[column] {
            true => Ok(chunk.batch.columns[column].to_array()?),
            false => Ok(arrow::array::new_empty_array(&data_type.to_arrow())),
        });
        arrays.collect::<Result<Vec<ArrayRef>>>()
    };
    let columns = shape.right_types.iter().enumerate().map(column).collect::<Result<_>>()?;
    chunks.iter_mut().for_each(|chunk| chunk.batch.columns.clear());
    Ok(columns)
}

/// The note of each left row, where notes are carried on to the later rows of their group.
fn carried(index: &SortedIndex, track: &Track, rows: usize) -> Vec<Note> {
    let mut notes = vec![NONE; rows];
    for range in index.ranges() {
        let mut nearest = NONE;
        for place in range {
            let own = track.notes[place];
            if own.place != NOBODY {
                nearest = own;
            }
            notes[index.rows[place] as usize] = nearest;
        }
    }
    notes
}

/// The rows of a join whose left side is indexed.
pub struct AnswerSource {
    spine: Arc<Spine>,
    /// The first batch of the next morsel, and its first row.
    next: std::sync::Mutex<(usize, usize)>,
    given: AtomicUsize,
}

impl AnswerSource {
    /// The rows of this join.
    pub fn new(spine: Arc<Spine>) -> Self {
        Self { spine, next: std::sync::Mutex::default(), given: AtomicUsize::new(0) }
    }
}

impl Source for AnswerSource {
    fn claim(&self) -> Result<Claim> {
        let (Some(index), Some(_)) = (self.spine.index(), self.spine.answer()) else { return Ok(Claim::End) };
        let mut next = self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (first, first_row) = *next;
        let (mut last, mut rows) = (first, 0);
        while last < index.batches.len() && rows < MORSEL_ROWS {
            rows += index.batches[last].1.rows;
            last += 1;
        }
        if rows == 0 {
            return Ok(Claim::End);
        }
        *next = (last, first_row + rows);
        self.given.fetch_add(rows, Ordering::Relaxed);
        Ok(Claim::Morsel(Box::new(AnswerReader {
            spine: Arc::clone(&self.spine),
            batches: first..last,
            first_row,
            rows,
            right: None,
            has_partner: Vec::new(),
            given: 0,
        })))
    }

    fn progress(&self) -> (u64, u64) {
        let rows = |batches: &[(u64, Batch)]| batches.iter().map(|(_, batch)| batch.rows as u64).sum();
        let all = self.spine.index().map_or(0, |index| rows(&index.batches));
        (self.given.load(Ordering::Relaxed) as u64, all)
    }
}

struct AnswerReader {
    spine: Arc<Spine>,
    batches: Range<usize>,
    first_row: usize,
    rows: usize,
    /// The right columns of all rows of the morsel.
    right: Option<Vec<Column>>,
    has_partner: Vec<bool>,
    given: usize,
}

impl AnswerReader {
    /// Takes the right columns of the morsel.
    fn take(&mut self, index: &SpineIndex, answer: &Answer) -> Result<Vec<Column>> {
        let shape = &self.spine.shape;
        let rows = self.first_row..self.first_row + self.rows;
        let tracks = if shape.gives_pairs() { shape.tracks() } else { 1 };
        let places: Vec<_> = (0..tracks).map(|track| answer.places(track, index, rows.clone())).collect();
        self.has_partner = places[0].iter().map(|&place| place != NOWHERE).collect();
        if !shape.gives_pairs() {
            return Ok(Vec::new());
        }
        let column = |(column, arrays): (usize, &Vec<ArrayRef>)| {
            let data_type = &shape.right_types[column];
            if !shape.right_read[column] {
                return Ok(Column::nulls(data_type, self.rows));
            }
            Ok(Column::Flat(gather(arrays, &places[shape.track_of(column)], data_type)?))
        };
        answer.columns.iter().enumerate().map(column).collect()
    }
}

impl Reader for AnswerReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        let spine = Arc::clone(&self.spine);
        let (Some(index), Some(answer)) = (spine.index(), spine.answer()) else { return Ok(None) };
        if self.right.is_none() {
            self.right = Some(self.take(index, answer)?);
        }
        for number in self.batches.by_ref() {
            spine.left.run.check_cancelled()?;
            let batch = &index.batches[number].1;
            let start = self.given;
            self.given += batch.rows;
            let columns = batch.columns[..spine.left.width].to_vec();
            let right = self.right.iter().flatten().map(|column| column.slice(start, batch.rows)).collect();
            let joined = with_columns(Batch::new(columns, batch.rows), right);
            let has_partner = &self.has_partner[start..start + batch.rows];
            let Some(keep) = kept_left(spine.shape.kind, has_partner) else { return Ok(Some(joined)) };
            let kept = keep.iter().filter(|&&keep| keep).count();
            if kept == batch.rows {
                return Ok(Some(joined));
            }
            if kept > 0 {
                return Ok(Some(kept_rows(&joined, &keep.into(), kept)?));
            }
        }
        Ok(None)
    }
}
