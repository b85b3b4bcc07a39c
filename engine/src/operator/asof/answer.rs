//! Gives out the left rows in their order with what was noted at them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::ArrayRef;
use hypostyle_functions::column::Column;

use super::gather::{NOWHERE, gather};
use super::notes::NOBODY;
use super::spine::{Answer, Spine};
use super::{kept_left, with_columns};
use crate::batch::Batch;
use crate::error::Result;
use crate::operator::filter::kept_rows;
use crate::operator::{Claim, Source};
use crate::table::Reader;

/// Rows of a morsel: right rows are taken for all of them at once.
const MORSEL_ROWS: usize = 1 << 16;

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
    batches: std::ops::Range<usize>,
    first_row: usize,
    rows: usize,
    /// The right columns of all rows of the morsel.
    right: Option<Vec<Column>>,
    given: usize,
}

impl AnswerReader {
    fn take(&self, answer: &Answer) -> Result<Vec<Column>> {
        let shape = &self.spine.shape;
        if !shape.gives_pairs() {
            return Ok(Vec::new());
        }
        let rows = self.first_row..self.first_row + self.rows;
        let place = |&place: &u64| match place {
            NOBODY => NOWHERE,
            place => ((place >> 32) as usize, place as u32 as usize),
        };
        let places: Vec<Vec<(usize, usize)>> =
            answer.matches.iter().map(|matches| matches[rows.clone()].iter().map(place).collect()).collect();
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
            self.right = Some(self.take(answer)?);
        }
        for number in self.batches.by_ref() {
            spine.left.run.check_cancelled()?;
            let batch = &index.batches[number].1;
            let start = self.given;
            self.given += batch.rows;
            let columns = batch.columns[..spine.left.width].to_vec();
            let right = self.right.iter().flatten().map(|column| column.slice(start, batch.rows)).collect();
            let joined = with_columns(Batch::new(columns, batch.rows), right);
            let first = self.first_row + start;
            let has_partner: Vec<bool> =
                answer.matches[0][first..first + batch.rows].iter().map(|&place| place != NOBODY).collect();
            let Some(keep) = kept_left(spine.shape.kind, &has_partner) else { return Ok(Some(joined)) };
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
