//! Functions of positions with an order among their arguments: the value is told within the frame, in that order.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, UInt32Array};
use bumpalo::Bump;
use hypostyle_functions::window::{Frames, WindowKind};

use super::arrange::Arrangement;
use super::frame::frames;
use super::position::{Source, bucket, buckets, pick};
use super::shape::{Call, Positional};
use super::stage::Stage;
use crate::error::{Error, Result};

/// The rows of a part in the inner order.
pub(super) struct InnerOrder<'a> {
    stage: &'a Stage<'a>,
    call: &'a Call,
    function: &'a Positional,
    frames: Frames,
    /// For each position, the place of its row in the inner order; partitions stand one after the other.
    places: Vec<u32>,
    /// For each position, the place of the first of its peers in the inner order.
    peer_places: Vec<u32>,
    /// The position at each place.
    positions: Vec<u32>,
    /// For each position, whether the row can be a value.
    counts: Option<Vec<bool>>,
}

impl<'a> InnerOrder<'a> {
    pub fn new(stage: &'a Stage<'a>, call: &'a Call, function: &'a Positional) -> Result<Self> {
        let rows = stage.rows();
        let columns: Vec<_> =
            (0..stage.columns.len()).map(|column| stage.sorted(column)).collect::<Result<_>>()?;
        let outer = Arrangement {
            order: (0..rows as u32).collect(),
            partitions: stage.arrangement.partitions.clone(),
            peers: stage.arrangement.partitions.clone(),
            is_identity: true,
            numbers: None,
        };
        let inner = outer.refined(&function.order, &columns, &stage.shape.column_types);
        let places = inner.positions();
        let mut peer_places = vec![0u32; rows];
        for ends in inner.peers.windows(2) {
            (ends[0]..ends[1]).for_each(|place| peer_places[inner.order[place as usize] as usize] = ends[0]);
        }
        let counts = match function.ignore_nulls {
            true => Some(stage.with_sorted(function.arguments[0], |view| {
                (0..rows).map(|row| view.is_valid(row)).collect()
            })?),
            false => None,
        };
        let frames = frames(stage, &call.frame, None)?;
        Ok(Self { stage, call, function, frames, places, peer_places, positions: inner.order, counts })
    }

    pub fn evaluate(&self) -> Result<ArrayRef> {
        match self.function.kind {
            WindowKind::RowNumber => {
                Ok(self.integers(|row| self.before(row, |at| self.places[at] < self.places[row]) + 1))
            }
            WindowKind::Rank => Ok(self.integers(|row| self.rank(row))),
            WindowKind::PercentRank => Ok(self.floats(|row| match self.frames.count(row) {
                0 | 1 => 0.0,
                size => (self.rank(row) - 1) as f64 / (size - 1) as f64,
            })),
            WindowKind::CumeDist => Ok(self.floats(|row| {
                let up_to = self.before(row, |at| self.peer_places[at] <= self.peer_places[row]);
                match self.frames.count(row) {
                    0 => 0.0,
                    size => up_to as f64 / size as f64,
                }
            })),
            WindowKind::DenseRank => Err(Error::internal("dense_rank takes no order among its arguments")),
            WindowKind::Ntile => self.ntile(),
            WindowKind::Lag | WindowKind::Lead => self.shifted(),
            WindowKind::FirstValue | WindowKind::LastValue | WindowKind::NthValue => self.framed(),
        }
    }

    fn integers(&self, number: impl Fn(usize) -> i64) -> ArrayRef {
        Arc::new((0..self.stage.rows()).map(number).collect::<Int64Array>())
    }

    fn floats(&self, share: impl Fn(usize) -> f64) -> ArrayRef {
        Arc::new((0..self.stage.rows()).map(share).collect::<Float64Array>())
    }

    /// Rows of the frame that are true.
    fn before(&self, row: usize, test: impl Fn(usize) -> bool) -> i64 {
        self.frames.of(row).map(|range| range.filter(|&at| test(at)).count() as i64).sum()
    }

    fn rank(&self, row: usize) -> i64 {
        self.before(row, |at| self.peer_places[at] < self.peer_places[row]) + 1
    }

    /// The rows of a frame that can be values, in the inner order.
    fn ordered(&self, row: usize) -> Vec<u32> {
        let counts = |at: &usize| self.counts.as_ref().is_none_or(|counts| counts[*at]);
        let mut places: Vec<u32> =
            self.frames.of(row).flat_map(|range| range.filter(counts)).map(|at| self.places[at]).collect();
        places.sort_unstable();
        places
    }

    fn ntile(&self) -> Result<ArrayRef> {
        let bump = Bump::new();
        let column = self.stage.sorted(self.function.arguments[0])?;
        let view = column.view(self.stage.data_type(self.function.arguments[0]), &bump);
        let numbers = (0..self.stage.rows()).map(|row| {
            let size = self.frames.count(row) as i64;
            let place = self.before(row, |at| self.places[at] < self.places[row]);
            let buckets = buckets(&view, row)?.filter(|_| size > 0);
            Ok(buckets.map(|buckets| bucket(place.min(size - 1), size, buckets)))
        });
        Ok(Arc::new(numbers.collect::<Result<Int64Array>>()?))
    }

    fn shifted(&self) -> Result<ArrayRef> {
        let [value, offset, default] = self.function.arguments[..] else {
            return Err(Error::internal("lag and lead take three arguments"));
        };
        let bump = Bump::new();
        let offsets = self.stage.sorted(offset)?;
        let offsets = offsets.view(self.stage.data_type(offset), &bump);
        let values = offsets.fixed::<i64>();
        let is_lead = self.function.kind == WindowKind::Lead;
        let sources: Vec<Source> = (0..self.stage.rows())
            .map(|row| {
                if offsets.is_null(row) {
                    return Source::Null;
                }
                let offset = values.get(row);
                let distance = if is_lead { offset } else { offset.saturating_neg() };
                let places = self.ordered(row);
                let own = places.partition_point(|&place| place < self.places[row]) as i64;
                let is_there = places.get(own as usize) == Some(&self.places[row]);
                let step = if distance > 0 && !is_there { distance - 1 } else { distance };
                let at = usize::try_from(own.saturating_add(step)).ok().and_then(|at| places.get(at));
                at.map_or(Source::Default, |&place| Source::Row(self.positions[place as usize]))
            })
            .collect();
        pick(self.stage, value, default, &sources)
    }

    fn framed(&self) -> Result<ArrayRef> {
        let bump = Bump::new();
        let wanted = match self.function.arguments.get(1) {
            Some(&column) => Some(self.stage.sorted(column)?),
            None => None,
        };
        let integers = hypostyle_functions::Type::Int64;
        let wanted = wanted.as_ref().map(|column| column.view(&integers, &bump));
        let counts = |at: &usize| self.counts.as_ref().is_none_or(|counts| counts[*at]);
        let places =
            |row: usize| self.frames.of(row).flat_map(|range| range.filter(counts)).map(|at| self.places[at]);
        let rows: UInt32Array = (0..self.stage.rows())
            .map(|row| {
                let place = match self.function.kind {
                    WindowKind::FirstValue => places(row).min(),
                    WindowKind::LastValue => places(row).max(),
                    _ => wanted.as_ref().filter(|view| view.is_valid(row)).and_then(|view| {
                        let number = usize::try_from(view.fixed::<i64>().get(row)).ok()?.checked_sub(1)?;
                        self.ordered(row).get(number).copied()
                    }),
                };
                place.map(|place| self.positions[place as usize])
            })
            .collect();
        debug_assert_eq!(rows.len(), self.stage.rows());
        let values = self.stage.sorted(self.function.arguments[0])?.to_array()?;
        debug_assert_eq!(*values.data_type(), self.call.result.to_arrow());
        Ok(arrow_select::take::take(&values, &rows, None)?)
    }
}
