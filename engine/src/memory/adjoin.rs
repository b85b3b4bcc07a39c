//! Lists of a table that is kept: elements of many batches in one piece.
//!
//! Loops over elements are as fast as memory is read, and pieces of megabytes are read a quarter faster than those of one batch, since the
//! machine looks ahead within a piece. Columns of one number a row stay in pieces of a batch: a query reads a little of each of its columns
//! in turn, and those of a batch that lie near each other are read faster together.

use std::ops::Range;

use arrow::array::{Array, AsArray, ListArray};
use arrow::datatypes::DataType;
use arrow_select::concat::concat;
use hypostyle_functions::column::Column;

use super::Reservation;
use crate::batch::Batch;

/// Rows whose elements lie together.
const ROWS: usize = 65_536;
/// Elements of one batch that are worth a piece with others, in bytes.
const BATCH_BYTES_MIN: usize = 32 << 10;
/// Elements of one piece at most, in bytes, besides those of the last batch.
const PIECE_BYTES: usize = 64 << 20;

/// The batches of a table so far, of which the last ones wait for a piece.
#[derive(Debug, Default)]
pub struct Pieces {
    batches: Vec<Batch>,
    /// Batches whose lists lie in pieces.
    done: usize,
    /// Rows of the others, and the most bytes that elements of one of their columns take.
    rows: usize,
    bytes: usize,
}

impl Pieces {
    /// Adds a batch. While elements are copied, `reservation` holds room for one column of a piece besides.
    pub fn push(&mut self, batch: Batch, reservation: &mut Reservation) {
        self.rows += batch.rows;
        self.bytes += batch.columns.iter().filter_map(elements).map(|(_, bytes)| bytes).max().unwrap_or(0);
        self.batches.push(batch);
        if self.rows >= ROWS || self.bytes >= PIECE_BYTES {
            self.close(reservation);
        }
    }

    /// All batches.
    pub fn finish(&mut self, reservation: &mut Reservation) -> Vec<Batch> {
        self.close(reservation);
        self.done = 0;
        std::mem::take(&mut self.batches)
    }

    /// Copies the elements of the batches that wait into pieces, if there is room for it.
    fn close(&mut self, reservation: &mut Reservation) {
        let (held, copied) = (reservation.bytes(), std::mem::take(&mut self.bytes));
        let waiting = self.done..self.batches.len();
        self.done = waiting.end;
        self.rows = 0;
        if copied == 0 || waiting.len() < 2 || !reservation.try_resize(held + copied) {
            return;
        }
        for column in 0..self.batches[waiting.start].columns.len() {
            join(&mut self.batches[waiting.clone()], column);
        }
        reservation.force(held);
    }
}

/// A column of lists of numbers of one width, and the bytes of their elements.
fn elements(column: &Column) -> Option<(&ListArray, usize)> {
    let Column::Flat(array) = column else { return None };
    let DataType::List(element) = array.data_type() else { return None };
    let width = element.data_type().primitive_width()?;
    let lists = array.as_list::<i32>();
    let places = used(lists);
    Some((lists, places.len() * width))
}

/// The elements that the lists hold.
fn used(lists: &ListArray) -> Range<usize> {
    let offsets = lists.value_offsets();
    let of = |offset: Option<&i32>| offset.copied().unwrap_or(0) as usize;
    of(offsets.first())..of(offsets.last())
}

/// Lays the elements of a column of lists in one piece, unless they are few, or lie so already.
fn join(batches: &mut [Batch], column: usize) {
    let lists: Option<Vec<_>> = batches.iter().map(|batch| elements(&batch.columns[column])).collect();
    let Some(lists) = lists else { return };
    let bytes: usize = lists.iter().map(|(_, bytes)| bytes).sum();
    let adjoin = lists.windows(2).all(|pair| follows(pair[0].0, pair[1].0));
    if bytes < BATCH_BYTES_MIN * lists.len() || adjoin {
        return;
    }
    let arrays: Vec<&dyn Array> = lists.iter().map(|(lists, _)| *lists as &dyn Array).collect();
    // A piece that Arrow refuses, such as one of more than 2^31 elements, is none: the batches keep their own.
    let Ok(piece) = concat(&arrays) else { return };
    let mut start = 0;
    for batch in batches {
        batch.columns[column] = Column::Flat(piece.slice(start, batch.rows));
        start += batch.rows;
    }
}

/// True if the second lists' elements lie behind those of the first, in the same memory.
fn follows(first: &ListArray, second: &ListArray) -> bool {
    let place = |lists: &ListArray, element: usize| {
        let (data, width) = (lists.values().to_data(), lists.value_type().primitive_width());
        let buffer = data.buffers().first()?;
        Some(buffer.as_ptr() as usize + (data.offset() + element) * width?)
    };
    place(first, used(first).end) == place(second, used(second).start)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, Int64Builder, ListBuilder};

    use super::*;
    use crate::memory::Budget;

    /// Lists of 0 to 40 numbers, some of them null, and the numbers of their rows.
    fn batch(first: usize, rows: usize) -> Batch {
        let mut lists = ListBuilder::new(Int64Builder::new());
        for row in first..first + rows {
            (0..row % 41).for_each(|element| {
                lists.values().append_option((element != 7).then_some((row + element) as i64))
            });
            lists.append(row % 10 != 3);
        }
        let (lists, rows_of): (ArrayRef, ArrayRef) = (
            Arc::new(lists.finish()),
            Arc::new(Int64Array::from_iter((first..first + rows).map(|row| row as i64))),
        );
        Batch::new(vec![Column::Flat(lists), Column::Flat(rows_of)], rows)
    }

    fn reservation(limit_bytes: Option<usize>) -> Reservation {
        Budget::new(limit_bytes).query().account("table").reserve()
    }

    fn lists(batch: &Batch) -> &ListArray {
        elements(&batch.columns[0]).expect("lists").0
    }

    #[test]
    fn elements_of_many_batches_lie_in_pieces_and_no_row_changes() {
        let mut reservation = reservation(None);
        let mut pieces = Pieces::default();
        let batches: Vec<Batch> = (0..70).map(|at| batch(at * 2000, 2000)).collect();
        batches.iter().for_each(|batch| pieces.push(batch.clone(), &mut reservation));
        let kept = pieces.finish(&mut reservation);
        assert_eq!(kept.len(), batches.len());
        for (kept, given) in kept.iter().zip(&batches) {
            assert_eq!(lists(kept), lists(given));
            assert_eq!(kept.rows, given.rows);
        }
        // 33 batches are the first that have 65,536 rows.
        let starts: Vec<usize> =
            (1..70).filter(|&at| !follows(lists(&kept[at - 1]), lists(&kept[at]))).collect();
        assert_eq!(starts, [33, 66]);
        assert_eq!(reservation.bytes(), 0);
        assert!(pieces.finish(&mut reservation).is_empty());
    }

    #[test]
    fn lists_that_lie_in_one_piece_stay_there() {
        let (mut reservation, mut pieces) = (reservation(None), Pieces::default());
        let whole = batch(0, 20_000);
        (0..10).for_each(|at| pieces.push(whole.slice(at * 2000, 2000), &mut reservation));
        let kept = pieces.finish(&mut reservation);
        let place = |batch: &Batch| lists(batch).values().to_data().buffers()[0].as_ptr();
        assert!(kept.iter().all(|batch| place(batch) == place(&whole)));
    }

    #[test]
    fn without_room_for_a_copy_batches_keep_their_elements() {
        let (mut reservation, mut pieces) = (reservation(Some(100_000)), Pieces::default());
        let batches: Vec<Batch> = (0..5).map(|at| batch(at * 2000, 2000)).collect();
        batches.iter().for_each(|batch| pieces.push(batch.clone(), &mut reservation));
        let kept = pieces.finish(&mut reservation);
        assert!(kept.windows(2).all(|pair| !follows(lists(&pair[0]), lists(&pair[1]))));
        assert!(kept.iter().zip(&batches).all(|(kept, given)| lists(kept) == lists(given)));
    }
}
