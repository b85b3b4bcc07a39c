//! What right rows leave at the left rows they may be the nearest of.

use arrow::array::UInt64Array;

use super::side::Side;
use super::tie::TieWords;
use super::walk::LeftWalk;
use crate::batch::Batch;
use crate::error::Result;
use crate::memory::Reservation;

/// No right row.
pub(super) const NOBODY: u64 = u64::MAX;

/// No note.
pub(super) const NONE: Note = Note { word: 0, place: NOBODY };

/// The right row noted at a left row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Note {
    pub word: u64,
    /// Chunk in the high half, row in the low one.
    pub place: u64,
}

impl Note {
    /// The note with its place counted from an earlier chunk.
    #[inline(always)]
    pub fn moved_by(self, offset: u64) -> Self {
        match self.place {
            NOBODY => self,
            place => Self { place: place + offset, ..self },
        }
    }
}

/// Notes for the nearest row, or for the nearest value of one column, at places of the left side's index.
pub(super) struct Track {
    pub notes: Vec<Note>,
    /// Tie words of each note.
    pub ties: Vec<u128>,
}

impl Track {
    /// Room for a note with this many tie words at each place.
    pub fn new(places: usize, ties: usize) -> Self {
        Self { notes: vec![NONE; places], ties: vec![0; places * ties] }
    }

    /// Counts all places from an earlier chunk.
    pub fn move_by(&mut self, offset: u64) {
        self.notes.iter_mut().for_each(|note| *note = note.moved_by(offset));
    }

    /// Notes a row at a place if nothing nearer is there; of equal ones the later stays.
    #[inline(always)]
    pub fn note(&mut self, place: usize, note: Note, row: usize, ties: &[TieWords]) {
        let held = &mut self.notes[place];
        if ties.is_empty() {
            // Without a note the word is 0, which no word is below.
            if note.word >= held.word {
                *held = note;
            }
            return;
        }
        let held_ties = &mut self.ties[place * ties.len()..(place + 1) * ties.len()];
        let is_free = held.place == NOBODY;
        let new_ties = ties.iter().map(|words| words[row]);
        let is_nearer =
            note.word > held.word || note.word == held.word && new_ties.clone().ge(held_ties.iter().copied());
        if is_free || is_nearer {
            *held = note;
            held_ties.iter_mut().zip(new_ties).for_each(|(held, new)| *held = new);
        }
    }
}

/// Right rows that are held: columns, then evaluated ones.
pub(super) struct Chunk {
    pub batch: Batch,
    pub ordinals: Ordinals,
}

pub(super) enum Ordinals {
    From(u64),
    Each(Vec<u64>),
}

impl Chunk {
    pub fn ordinal(&self, row: usize) -> u64 {
        match &self.ordinals {
            Ordinals::From(first) => first + row as u64,
            Ordinals::Each(ordinals) => ordinals[row],
        }
    }
}

/// What one worker noted.
pub(super) struct Notes {
    /// Notes of rows in order, at left rows in their order.
    pub walk: LeftWalk,
    /// Notes of other rows; none before the first.
    pub tracks: Vec<Track>,
    pub chunks: Vec<Chunk>,
    pub reservation: Reservation,
}

impl Notes {
    /// Bytes of notes, without the rows.
    pub fn bytes(&self) -> usize {
        let track = |track: &Track| size_of_val(&*track.notes) + size_of_val(&*track.ties);
        self.walk.bytes() + self.tracks.iter().map(track).sum::<usize>()
    }

    /// All notes.
    pub fn each(&mut self) -> impl Iterator<Item = &mut Note> {
        let walked =
            self.walk.tracks.iter_mut().flat_map(|track| track.lasts.iter_mut().chain(&mut track.passed));
        self.tracks.iter_mut().flat_map(|track| &mut track.notes).chain(walked)
    }

    /// Sends the rows to the sort.
    pub fn sort(self, right: &Side) -> Result<()> {
        for Chunk { batch, ordinals } in self.chunks {
            match ordinals {
                Ordinals::From(first) => right.sort_from(batch, first)?,
                Ordinals::Each(ordinals) => right.sort(batch, UInt64Array::from(ordinals))?,
            }
        }
        Ok(())
    }
}

/// Chunk and row of a place.
pub(super) fn split(place: u64) -> (usize, usize) {
    ((place >> 32) as usize, place as u32 as usize)
}

/// Ordinal of the row at a place.
pub(super) fn ordinal_at(chunks: &[Chunk], place: u64) -> u64 {
    let (chunk, row) = split(place);
    chunks[chunk].ordinal(row)
}

/// Takes in the notes of another worker, whose chunks stand at `offset`; of equal ones the later row stays.
pub(super) fn merge(into: &mut Track, from: Track, offset: u64, chunks: &[Chunk], ties: usize) {
    for (place, (held, mut new)) in into.notes.iter_mut().zip(from.notes).enumerate() {
        if new.place == NOBODY {
            continue;
        }
        new = new.moved_by(offset);
        let range = place * ties..(place + 1) * ties;
        let is_nearer = held.place == NOBODY || {
            let order = new.word.cmp(&held.word);
            let order = order.then_with(|| from.ties[range.clone()].cmp(&into.ties[range.clone()]));
            order.then_with(|| ordinal_at(chunks, new.place).cmp(&ordinal_at(chunks, held.place))).is_gt()
        };
        if is_nearer {
            *held = new;
            into.ties[range.clone()].copy_from_slice(&from.ties[range]);
        }
    }
}
