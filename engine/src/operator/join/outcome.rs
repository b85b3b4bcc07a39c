//! Makes rows of the pairs that were found, by the kind of the join.

use std::sync::Arc;

use arrow::array::{BooleanArray, UInt32Array};
use arrow::buffer::NullBuffer;
use hypostyle_functions::column::Column;

use super::Mark;
use super::matches::{Matcher, Pending};
use super::table::JoinTable;
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::operator::filter::kept_rows;
use crate::plan::JoinKind;

impl Matcher {
    /// Makes rows of the pairs of probe rows from `first_row` on.
    pub(super) fn outcome(
        &mut self,
        table: &JoinTable,
        pending: &mut Pending,
        first_row: usize,
    ) -> Result<Option<Batch>> {
        match self.shape.kind {
            JoinKind::Inner | JoinKind::Right => self.pairs(table, pending, None),
            JoinKind::Left | JoinKind::Full | JoinKind::LeftSingle => {
                let (left, right) = self.with_unmatched(pending, first_row)?;
                self.left = left;
                self.pairs(table, pending, Some(right))
            }
            // Which build rows have a match is noted, and they come out at the end.
            JoinKind::RightSemi | JoinKind::RightAnti => Ok(None),
            _ => self.left_rows(table, pending),
        }
    }

    fn pairs(
        &mut self,
        table: &JoinTable,
        pending: &Pending,
        right: Option<UInt32Array>,
    ) -> Result<Option<Batch>> {
        if self.left.is_empty() {
            return Ok(None);
        }
        let mut columns = take_left(&pending.batch, &self.left)?;
        let right = right.unwrap_or_else(|| UInt32Array::from(std::mem::take(&mut self.right)));
        columns.extend(table.take(&self.shape, &right)?);
        Ok(Some(Batch::new(columns, self.left.len()).at(pending.batch.position)))
    }

    /// The pairs, and each complete row without one paired with null, in the order of the probe rows.
    fn with_unmatched(&self, pending: &mut Pending, first_row: usize) -> Result<(Vec<u32>, UInt32Array)> {
        if self.shape.kind == JoinKind::LeftSingle {
            self.expect_single(pending.has_match, first_row)?;
        }
        let mut left = Vec::with_capacity(self.left.len() + pending.row - first_row);
        let (mut right, mut has_pair) =
            (Vec::with_capacity(left.capacity()), Vec::with_capacity(left.capacity()));
        let mut pair = 0;
        let mut has_match = pending.has_match;
        for row in first_row as u32..pending.row as u32 {
            while self.left.get(pair) == Some(&row) {
                left.push(row);
                right.push(self.right[pair]);
                has_pair.push(true);
                pair += 1;
                has_match = true;
            }
            if !std::mem::take(&mut has_match) {
                left.push(row);
                right.push(0);
                has_pair.push(false);
            }
        }
        // What is left belongs to the row whose candidates go on in the next step.
        pending.has_match = has_match || pair < self.left.len();
        left.extend_from_slice(&self.left[pair..]);
        right.extend_from_slice(&self.right[pair..]);
        has_pair.resize(right.len(), true);
        let nulls = has_pair.contains(&false).then(|| NullBuffer::from(has_pair));
        Ok((left, UInt32Array::new(right.into(), nulls)))
    }

    /// Refuses a second pair of one probe row; `has_match` says whether the first row had one in an earlier step.
    fn expect_single(&self, has_match: bool, first_row: usize) -> Result<()> {
        let again = has_match && self.left.first() == Some(&(first_row as u32));
        if again || self.left.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(several_rows());
        }
        Ok(())
    }

    /// For the kinds that give rows of the left side only: marks rows, and gives all at the end of the batch.
    fn left_rows(&mut self, table: &JoinTable, pending: &mut Pending) -> Result<Option<Batch>> {
        self.left.iter().for_each(|&row| pending.marks[row as usize] = Mark::True);
        if pending.row < pending.batch.rows {
            return Ok(None);
        }
        if self.shape.asks_for_unknown() {
            self.find_unknown(table, pending)?;
        }
        marked_rows(self.shape.kind, &pending.batch, &pending.marks)
    }
}

/// The error of a subquery that is used as a value.
pub(super) fn several_rows() -> Error {
    Error::user("a subquery that is used as a value gave more than one row; limit it to one")
}

/// What a kind that gives rows of the left side only makes of rows and their marks.
pub(super) fn marked_rows(kind: JoinKind, batch: &Batch, marks: &[Mark]) -> Result<Option<Batch>> {
    if kind == JoinKind::LeftMark {
        let value = |mark: &Mark| match mark {
            Mark::True => Some(true),
            Mark::Unknown => None,
            Mark::False => Some(false),
        };
        let values: BooleanArray = marks.iter().map(value).collect();
        let mut columns = batch.columns.clone();
        columns.push(Column::Flat(Arc::new(values)));
        return Ok(Some(Batch::new(columns, batch.rows).at(batch.position)));
    }
    let keep = |mark: &Mark| match kind {
        JoinKind::LeftSemi => *mark == Mark::True,
        JoinKind::LeftAntiNullAware => *mark == Mark::False,
        _ => *mark != Mark::True,
    };
    let keep: Vec<bool> = marks.iter().map(keep).collect();
    match keep.iter().filter(|&&keep| keep).count() {
        0 => Ok(None),
        kept if kept == batch.rows => Ok(Some(batch.clone())),
        kept => Ok(Some(kept_rows(batch, &keep.into(), kept)?)),
    }
}

/// The probe columns at these rows; the columns themselves if the rows are all, in order.
pub(super) fn take_left(batch: &Batch, rows: &[u32]) -> Result<Vec<Column>> {
    if rows.len() == batch.rows && rows.iter().enumerate().all(|(place, &row)| place == row as usize) {
        return Ok(batch.columns.clone());
    }
    let rows = UInt32Array::from(rows.to_vec());
    Ok(batch.columns.iter().map(|column| column.take(&rows)).collect::<Result<_, _>>()?)
}
