//! Numbers that follow from where a row stands in its partition.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use hypostyle_functions::window::WindowKind;

use super::super::frame::edges;
use super::super::position::{bucket, buckets};
use super::super::shape::{Call, Positional, WindowShape};
use super::{LongCall, Reach, Stretch};
use crate::error::Result;

/// row_number, rank, dense_rank, percent_rank, cume_dist and ntile.
pub(super) struct Ranks<'a> {
    function: &'a Positional,
    /// Without an order all rows are peers.
    has_order: bool,
    /// Rank, and number of the peers, of the first held row.
    first: (i64, i64),
    /// Rows of the partition, once they have been counted.
    rows: i64,
}

impl<'a> Ranks<'a> {
    pub fn new(shape: &'a WindowShape, call: &Call, function: &'a Positional) -> Self {
        Self { function, has_order: !shape.orders[call.order].is_empty(), first: (1, 1), rows: 0 }
    }

    /// Rank of each row, and number of its peers, up to the last of these rows.
    fn standings(&self, stretch: &Stretch<'_>, end: usize) -> Vec<(i64, i64)> {
        let mut standings = Vec::with_capacity(end);
        for (group, ends) in stretch.stage.arrangement.peers.windows(2).enumerate() {
            let (rank, number) = match group {
                0 => self.first,
                _ => (stretch.before as i64 + i64::from(ends[0]) + 1, self.first.1 + group as i64),
            };
            standings.resize(end.min(ends[1] as usize), (rank, number));
            if ends[1] as usize >= end {
                break;
            }
        }
        standings
    }
}

impl LongCall for Ranks<'_> {
    fn looks_ahead(&self) -> bool {
        matches!(self.function.kind, WindowKind::PercentRank | WindowKind::CumeDist | WindowKind::Ntile)
    }

    fn looked(&mut self, rows: u64) -> Result<()> {
        self.rows = rows as i64;
        Ok(())
    }

    fn reach(&self, stretch: &Stretch<'_>) -> Result<Reach> {
        let to_peers = self.function.kind == WindowKind::CumeDist && self.has_order;
        Ok(Reach { starts: None, ends: to_peers.then(|| edges(&stretch.stage.arrangement.peers, true)) })
    }

    fn evaluate(&mut self, stretch: &Stretch<'_>, rows: Range<usize>) -> Result<ArrayRef> {
        let place = |row: usize| stretch.before as i64 + row as i64;
        let standings = || self.standings(stretch, rows.end).into_iter().skip(rows.start);
        Ok(match self.function.kind {
            WindowKind::RowNumber => Arc::new(Int64Array::from_iter_values(rows.map(|row| place(row) + 1))),
            WindowKind::Rank => Arc::new(Int64Array::from_iter_values(standings().map(|(rank, _)| rank))),
            WindowKind::DenseRank => {
                Arc::new(Int64Array::from_iter_values(standings().map(|(_, number)| number)))
            }
            WindowKind::PercentRank => {
                let share = |(rank, _): (i64, i64)| match self.rows {
                    1 => 0.0,
                    rows => (rank - 1) as f64 / (rows - 1) as f64,
                };
                Arc::new(Float64Array::from_iter_values(standings().map(share)))
            }
            WindowKind::CumeDist => {
                let ends = edges(&stretch.stage.arrangement.peers, true);
                let share = |row: usize| match self.has_order {
                    true => (stretch.before + u64::from(ends[row])) as f64 / self.rows as f64,
                    false => 1.0,
                };
                Arc::new(Float64Array::from_iter_values(rows.map(share)))
            }
            _ => stretch.stage.with_sorted(self.function.arguments[0], |view| {
                let number = |row: usize| {
                    let buckets = buckets(view, row)?;
                    Ok(buckets.map(|buckets| bucket(place(row), self.rows, buckets)))
                };
                let numbers: Int64Array = rows.map(number).collect::<Result<_>>()?;
                Ok::<_, crate::error::Error>(Arc::new(numbers) as ArrayRef)
            })??,
        })
    }

    fn leave(&mut self, stretch: &Stretch<'_>, rows: usize) -> Result<()> {
        if let Some(&first) = self.standings(stretch, rows + 1).get(rows) {
            self.first = first;
        }
        Ok(())
    }
}
