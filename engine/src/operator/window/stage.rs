//! One order of a part at work: its columns in that order, and the frames that calls share.

use std::cell::RefCell;
use std::rc::Rc;

use arrow::array::{Array, ArrayRef, UInt32Array};
use bumpalo::Bump;
use hypostyle_functions::column::{Column, View};
use hypostyle_functions::types::Type;

use super::arrange::Arrangement;
use super::frame::FrameEnds;
use super::shape::{Frame, Key, WindowShape};
use crate::error::Result;

/// Evaluated columns of a part and the order they are looked at in.
pub(super) struct Stage<'a> {
    pub shape: &'a WindowShape,
    /// Evaluated columns, rows in the order of the input.
    pub columns: &'a [Column],
    pub arrangement: &'a Arrangement,
    /// Keys of the order.
    pub keys: &'a [Key],
    /// The rows in order, for taking columns.
    order: UInt32Array,
    sorted: RefCell<Vec<Option<Column>>>,
    frames: RefCell<Vec<(Frame, Rc<FrameEnds>)>>,
}

impl<'a> Stage<'a> {
    pub fn new(
        shape: &'a WindowShape,
        columns: &'a [Column],
        arrangement: &'a Arrangement,
        keys: &'a [Key],
    ) -> Self {
        Self {
            shape,
            columns,
            arrangement,
            keys,
            order: UInt32Array::from(arrangement.order.clone()),
            sorted: RefCell::new(vec![None; columns.len()]),
            frames: RefCell::default(),
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.arrangement.order.len()
    }

    /// Type of an evaluated column.
    pub fn data_type(&self, column: usize) -> &'a Type {
        &self.shape.column_types[column]
    }

    /// An evaluated column, rows in order.
    pub fn sorted(&self, column: usize) -> Result<Column> {
        if let Some(sorted) = &self.sorted.borrow()[column] {
            return Ok(sorted.clone());
        }
        let sorted = match &self.columns[column] {
            other if self.arrangement.is_identity => other.clone(),
            Column::Flat(array) => Column::Flat(arrow_select::take::take(array, &self.order, None)?),
            Column::Constant { value, length } => Column::Constant { value: value.clone(), length: *length },
            other => Column::Flat(arrow_select::take::take(&other.to_array()?, &self.order, None)?),
        };
        self.sorted.borrow_mut()[column] = Some(sorted.clone());
        Ok(sorted)
    }

    /// The rows of an evaluated column that stand at these positions; all if `None`.
    pub fn taken(&self, column: usize, positions: Option<&UInt32Array>) -> Result<Column> {
        let Some(positions) = positions else { return self.sorted(column) };
        Ok(match self.sorted(column)? {
            Column::Constant { value, .. } => Column::Constant { value, length: positions.len() },
            other => Column::Flat(arrow_select::take::take(&other.to_array()?, positions, None)?),
        })
    }

    /// Where the frame of each row starts and ends, before anything is left out.
    pub fn ends(&self, frame: &Frame) -> Result<Rc<FrameEnds>> {
        let known = |(other, _): &&(Frame, Rc<FrameEnds>)| {
            other.units == frame.units && other.start == frame.start && other.end == frame.end
        };
        if let Some((_, ends)) = self.frames.borrow().iter().find(known) {
            return Ok(Rc::clone(ends));
        }
        let ends = Rc::new(FrameEnds::of(self, frame)?);
        self.frames.borrow_mut().push((frame.clone(), Rc::clone(&ends)));
        Ok(ends)
    }

    /// Calls `body` with the view of an evaluated column in order.
    pub fn with_sorted<T>(&self, column: usize, body: impl FnOnce(&View<'_>) -> T) -> Result<T> {
        let bump = Bump::new();
        let sorted = self.sorted(column)?;
        let view = sorted.view(self.data_type(column), &bump);
        Ok(body(&view))
    }

    /// Brings a column from the order back to that of the input.
    pub fn restored(&self, result: ArrayRef, positions: &UInt32Array) -> Result<ArrayRef> {
        debug_assert_eq!(result.len(), self.rows());
        match self.arrangement.is_identity {
            true => Ok(result),
            false => Ok(arrow_select::take::take(&result, positions, None)?),
        }
    }
}
