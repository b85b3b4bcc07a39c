//! Merges sorted runs as their rows are read.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use hypostyle_functions::column::Column;

use super::Sort;
use super::run::{MemoryRun, Run, gather_column};
use crate::batch::Batch;
use crate::error::Result;
use crate::memory::Reservation;
use crate::spill::SpillReader;
use crate::table::Reader;

/// Gives the rows of all runs in order.
pub(super) struct MergeReader {
    sort: Arc<Sort>,
    waiting: Vec<Run>,
    cursors: Vec<Cursor>,
    /// The next key of each cursor that has one, least first.
    heap: BinaryHeap<Reverse<(Vec<u8>, usize)>>,
    left: usize,
    is_open: bool,
}

/// A run that is being read.
struct Cursor {
    source: CursorSource,
    /// Place in the source's order, or row in its window.
    place: usize,
    end: usize,
}

enum CursorSource {
    Memory(MemoryRun, #[allow(dead_code)] Reservation),
    File { reader: SpillReader, columns: Vec<ArrayRef>, keys: Option<ArrayRef> },
}

impl Cursor {
    fn open(run: Run) -> Result<Self> {
        Ok(match run {
            Run::Memory(run, reservation) => {
                Self { end: run.len(), place: 0, source: CursorSource::Memory(run, reservation) }
            }
            Run::File(file) => {
                let source =
                    CursorSource::File { reader: file.into_reader()?, columns: Vec::new(), keys: None };
                let mut cursor = Self { source, place: 0, end: 0 };
                cursor.refill()?;
                cursor
            }
        })
    }

    /// Reads the next batch of a file; false at the end.
    fn refill(&mut self) -> Result<bool> {
        let CursorSource::File { reader, columns, keys } = &mut self.source else { return Ok(false) };
        let Some(batch) = reader.next()? else { return Ok(false) };
        *columns = batch.columns.iter().map(Column::to_array).collect::<Result<_, _>>()?;
        *keys = columns.pop();
        (self.place, self.end) = (0, batch.rows);
        Ok(true)
    }

    fn key(&self) -> Option<&[u8]> {
        if self.place >= self.end {
            return None;
        }
        match &self.source {
            CursorSource::Memory(run, _) => Some(run.key(self.place)),
            CursorSource::File { keys, .. } => {
                keys.as_ref().map(|keys| keys.as_binary_view().value(self.place))
            }
        }
    }
}

impl MergeReader {
    pub fn new(sort: Arc<Sort>, runs: Vec<Run>) -> Self {
        let left = sort.limit.unwrap_or(usize::MAX);
        Self { sort, waiting: runs, cursors: Vec::new(), heap: BinaryHeap::new(), left, is_open: false }
    }

    fn open(&mut self) -> Result<()> {
        for run in self.waiting.drain(..) {
            self.cursors.push(Cursor::open(run)?);
        }
        if self.cursors.len() > 1 {
            for (index, cursor) in self.cursors.iter().enumerate() {
                if let Some(key) = cursor.key() {
                    self.heap.push(Reverse((key.to_vec(), index)));
                }
            }
        }
        self.is_open = true;
        Ok(())
    }

    /// The next rows of the only run.
    fn next_single(&mut self) -> Result<Option<Batch>> {
        let (step, types) = (self.sort.run.batch_rows().min(self.left), &self.sort.column_types);
        let Some(cursor) = self.cursors.first_mut() else { return Ok(None) };
        if cursor.place >= cursor.end && !cursor.refill()? {
            return Ok(None);
        }
        let (start, end) = (cursor.place, cursor.end.min(cursor.place + step));
        cursor.place = end;
        self.left -= end - start;
        if start == end {
            return Ok(None);
        }
        Ok(Some(match &cursor.source {
            CursorSource::Memory(run, _) => run.gather(start, end, types)?,
            CursorSource::File { columns, .. } => {
                let columns =
                    columns.iter().map(|column| Column::Flat(column.slice(start, end - start))).collect();
                Batch::new(columns, end - start)
            }
        }))
    }

    /// Takes rows in key order until a batch is full or a file's window is used up, since a batch cannot
    /// reach over two windows of one file.
    fn next_merged(&mut self) -> Result<Option<Batch>> {
        let step = self.sort.run.batch_rows().min(self.left);
        let mut places: Vec<(usize, usize)> = Vec::with_capacity(step.min(1 << 16));
        let mut used_up = None;
        while places.len() < step {
            let Some(mut least) = self.heap.peek_mut() else { break };
            let Reverse((held, index)) = &mut *least;
            let index = *index;
            let cursor = &mut self.cursors[index];
            places.push((index, cursor.place));
            cursor.place += 1;
            match cursor.key() {
                // The next key takes the place and the memory of this one.
                Some(key) => {
                    held.clear();
                    held.extend_from_slice(key);
                }
                None => {
                    PeekMut::pop(least);
                    used_up = Some(index);
                    break;
                }
            }
        }
        if places.is_empty() {
            return Ok(None);
        }
        let batch = self.gather(&places)?;
        if let Some(index) = used_up
            && self.cursors[index].refill()?
            && let Some(key) = self.cursors[index].key()
        {
            self.heap.push(Reverse((key.to_vec(), index)));
        }
        self.left -= batch.rows;
        Ok(Some(batch))
    }

    /// The rows at these places (cursor, place in its order or window).
    fn gather(&self, places: &[(usize, usize)]) -> Result<Batch> {
        // Each cursor gives the rows it contributes, which are consecutive; they are then put in order.
        let mut firsts = vec![usize::MAX; self.cursors.len()];
        let mut counts = vec![0; self.cursors.len()];
        for &(cursor, place) in places {
            firsts[cursor] = firsts[cursor].min(place);
            counts[cursor] += 1;
        }
        let types = &self.sort.column_types;
        let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); types.len()];
        let mut part_of = vec![0; self.cursors.len()];
        let given = self.cursors.iter().enumerate().filter(|(index, _)| counts[*index] > 0);
        for (part, (index, cursor)) in given.enumerate() {
            let (first, count) = (firsts[index], counts[index]);
            part_of[index] = part;
            match &cursor.source {
                CursorSource::Memory(run, _) => {
                    let rows = run.gather(first, first + count, types)?;
                    for (part, column) in parts.iter_mut().zip(&rows.columns) {
                        part.push(column.to_array()?);
                    }
                }
                CursorSource::File { columns, .. } => {
                    parts
                        .iter_mut()
                        .zip(columns)
                        .for_each(|(part, column)| part.push(column.slice(first, count)));
                }
            }
        }
        let local: Vec<(usize, usize)> =
            places.iter().map(|&(cursor, place)| (part_of[cursor], place - firsts[cursor])).collect();
        let columns = parts
            .iter()
            .zip(types)
            .map(|(arrays, data_type)| Ok(Column::Flat(gather_column(arrays, &local, data_type)?)))
            .collect::<Result<_>>()?;
        Ok(Batch::new(columns, places.len()))
    }
}

impl Reader for MergeReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        if !self.is_open {
            self.open()?;
        }
        if self.left == 0 {
            return Ok(None);
        }
        if self.cursors.len() == 1 { self.next_single() } else { self.next_merged() }
    }
}
