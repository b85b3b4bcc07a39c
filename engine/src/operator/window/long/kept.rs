//! Values that come from rows arbitrarily far away, which are few: those rows are kept beside the stretch, before or behind it.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::datatypes::Int64Type;
use hypostyle_functions::window::WindowKind;

use super::super::arrange::Arrangement;
use super::super::position;
use super::super::shape::{Bound, Call, Positional, WindowShape};
use super::super::stage::Stage;
use super::{LongCall, Reach, Stretch, impossible};
use crate::batch::Batch;
use crate::error::Result;
use crate::memory::used_bytes_of;
use crate::operator::filter::concat_batches;

/// Rows that a call may keep.
const KEPT_ROWS_MAX: usize = 1 << 16;

/// The first or last few of the rows that were shown, as evaluated columns.
pub(super) struct Picked {
    rows: Option<Batch>,
    count: usize,
    is_first: bool,
    /// The column of which only rows without null are picked.
    valid: Option<usize>,
    /// Place in the partition of the row that was picked last.
    last: u64,
}

impl Picked {
    /// The rows that the value of a call may come from, none before them being held.
    pub fn of(shape: &WindowShape, function: &Positional) -> Result<Self> {
        let (count, is_first) = match function.kind {
            WindowKind::FirstValue => (1, true),
            WindowKind::LastValue => (1, false),
            WindowKind::NthValue => (constant(shape, function.arguments[1])?, true),
            _ => (constant(shape, function.arguments[1])?, false),
        };
        let valid = function.ignore_nulls.then_some(function.arguments[0]);
        match count <= KEPT_ROWS_MAX {
            true => Ok(Self { rows: None, count, is_first, valid, last: 0 }),
            false => Err(impossible("a value of a row so far away")),
        }
    }

    /// Shows further rows, of a stage whose first row has the place `first`.
    pub fn add(&mut self, stage: &Stage<'_>, rows: Range<usize>, first: u64) -> Result<()> {
        let held = self.rows.as_ref().map_or(0, |rows| rows.rows);
        if self.count == 0 || self.is_first && held == self.count {
            return Ok(());
        }
        let mut wanted: Vec<u32> = rows.map(|row| row as u32).collect();
        if let Some(column) = self.valid {
            stage.with_input(column, |view| wanted.retain(|&row| view.is_valid(row as usize)));
        }
        match self.is_first {
            true => wanted.truncate(self.count - held),
            false => drop(wanted.drain(..wanted.len().saturating_sub(self.count))),
        }
        let Some(&last) = wanted.last() else { return Ok(()) };
        self.last = first + u64::from(last);
        let wanted = UInt32Array::from(wanted);
        let columns = stage.columns.iter().map(|column| column.take(&wanted));
        let columns = columns.collect::<std::result::Result<_, _>>()?;
        let batch = Batch::new(columns, wanted.len());
        let all = match self.rows.take() {
            Some(rows) => concat_batches(&[rows, batch])?,
            None => batch,
        };
        let surplus = all.rows.saturating_sub(self.count);
        self.rows = Some(all.slice(surplus, all.rows - surplus));
        Ok(())
    }

    /// The rows, of which none are held any longer.
    pub fn take(&mut self) -> Option<Batch> {
        self.rows.take()
    }

    pub fn memory_bytes(&self) -> usize {
        self.rows.as_ref().map_or(0, used_bytes_of)
    }
}

/// A constant number of rows; one that is null or negative counts as none.
fn constant(shape: &WindowShape, column: usize) -> Result<usize> {
    let Some(value) = &shape.constants[column] else {
        return Err(impossible("a number of rows that is not constant"));
    };
    let value = value.as_primitive_opt::<Int64Type>().filter(|value| value.is_valid(0));
    Ok(value.map_or(0, |value| usize::try_from(value.value(0)).unwrap_or(0)))
}

/// A value of a frame that starts or ends with the partition, or `lag` that leaves out nulls.
pub(super) struct Kept<'a> {
    shape: &'a WindowShape,
    call: &'a Call,
    function: &'a Positional,
    /// Of the rows before the stretch.
    head: Picked,
    /// Of all rows, where frames end with the partition.
    tail: Option<Picked>,
}

impl<'a> Kept<'a> {
    pub fn new(shape: &'a WindowShape, call: &'a Call, function: &'a Positional) -> Result<Self> {
        let is_to_end = function.kind == WindowKind::LastValue && call.frame.end == Bound::UnboundedFollowing;
        let tail = is_to_end.then(|| Picked::of(shape, function)).transpose()?;
        Ok(Self { shape, call, function, head: Picked::of(shape, function)?, tail })
    }

    /// Whether rows before the frame's start are left out by it.
    fn is_from_start(&self) -> bool {
        self.function.kind == WindowKind::Lag || self.call.frame.start == Bound::UnboundedPreceding
    }
}

impl LongCall for Kept<'_> {
    fn looks_ahead(&self) -> bool {
        self.tail.is_some()
    }

    fn look(&mut self, stage: &Stage<'_>, first: u64) -> Result<()> {
        self.tail.as_mut().map_or(Ok(()), |tail| tail.add(stage, 0..stage.rows(), first))
    }

    fn reach(&self, stretch: &Stretch<'_>) -> Result<Reach> {
        match (self.function.kind, &self.tail) {
            (WindowKind::Lag, _) => Ok(Reach::default()),
            (_, None) => Reach::of_frame(&stretch.stage, &self.call.frame),
            (_, Some(_)) => {
                let starts = stretch.stage.ends(&self.call.frame)?.starts.clone();
                // A start is where it seems to be if a row stands there.
                Ok(Reach { ends: Some(starts.clone()), starts: Some(starts) })
            }
        }
    }

    fn evaluate(&mut self, stretch: &Stretch<'_>, rows: Range<usize>) -> Result<ArrayRef> {
        let stage = &stretch.stage;
        let held = Batch::new(stage.columns.to_vec(), stage.rows());
        let head = self.head.rows.clone().filter(|_| self.is_from_start());
        let end = stretch.before + stage.rows() as u64;
        let tail = self.tail.as_ref().filter(|tail| tail.last >= end).and_then(|tail| tail.rows.clone());
        let before = head.as_ref().map_or(0, |head| head.rows);
        let all: Vec<Batch> = head.into_iter().chain([held]).chain(tail).collect();
        let all = concat_batches(&all)?;
        let keys = stage.keys;
        let arrangement =
            Arrangement::one_partition(all.rows).refined(keys, &all.columns, &self.shape.column_types);
        let stage = Stage::new(self.shape, &all.columns, &arrangement, keys);
        let values = position::evaluate(&stage, self.call, self.function)?;
        Ok(values.slice(before + rows.start, rows.len()))
    }

    fn leave(&mut self, stretch: &Stretch<'_>, rows: usize) -> Result<()> {
        match self.is_from_start() {
            true => self.head.add(&stretch.stage, 0..rows, stretch.before),
            false => Ok(()),
        }
    }

    fn memory_bytes(&self) -> usize {
        self.head.memory_bytes() + self.tail.as_ref().map_or(0, Picked::memory_bytes)
    }
}
