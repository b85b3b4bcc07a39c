//! One order of a part at work: its columns in that order, and the frames that calls share.

use std::cell::RefCell;
use std::rc::Rc;

use arrow::array::UInt32Array;
use bumpalo::Bump;
use hypostyle_functions::column::{Column, View};
use hypostyle_functions::types::Type;
use hypostyle_functions::window::Frames;

use super::arrange::Arrangement;
use super::counted::Counted;
use super::frame::{FrameEnds, frames};
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
    ends: RefCell<Vec<(Frame, Rc<FrameEnds>)>>,
    counted: Known<CountedOf, Option<Rc<Counted>>>,
    frames: Known<(Frame, Option<*const Counted>), Rc<Frames>>,
    taken: Known<(usize, *const Counted), Column>,
}

/// What was made for one call, and serves others that ask for the same.
struct Known<Key, Value>(RefCell<Vec<(Key, Value)>>);

impl<Key, Value> Default for Known<Key, Value> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<Key: PartialEq, Value: Clone> Known<Key, Value> {
    /// What is known under a key, made where it is not.
    fn get_or_make(&self, key: Key, make: impl FnOnce() -> Result<Value>) -> Result<Value> {
        if let Some((_, value)) = self.0.borrow().iter().find(|(other, _)| *other == key) {
            return Ok(value.clone());
        }
        let value = make()?;
        self.0.borrow_mut().push((key, value.clone()));
        Ok(value)
    }
}

/// The filter of an aggregate and its arguments whose nulls do not count.
type CountedOf = (Option<usize>, Vec<usize>);

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
            ends: RefCell::default(),
            counted: Known::default(),
            frames: Known::default(),
            taken: Known::default(),
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

    /// The positions that an aggregate with this filter and these arguments counts, if not all do.
    pub fn counted(&self, filter: Option<usize>, strict: &[usize]) -> Result<Option<Rc<Counted>>> {
        self.counted.get_or_make((filter, strict.to_vec()), || Counted::find(self, filter, strict))
    }

    /// The rows of an evaluated column that count, in order; all if `None`.
    pub fn taken(&self, column: usize, counted: Option<&Rc<Counted>>) -> Result<Column> {
        let Some(counted) = counted else { return self.sorted(column) };
        self.taken.get_or_make((column, Rc::as_ptr(counted)), || counted.take(self, column))
    }

    /// The frames of all rows over the positions that count.
    pub fn frames(&self, frame: &Frame, counted: Option<&Rc<Counted>>) -> Result<Rc<Frames>> {
        self.frames.get_or_make((frame.clone(), counted.map(Rc::as_ptr)), || {
            Ok(Rc::new(frames(self, frame, counted.map(|counted| counted.before.as_slice()))?))
        })
    }

    /// Where the frame of each row starts and ends, before anything is left out.
    pub fn ends(&self, frame: &Frame) -> Result<Rc<FrameEnds>> {
        let known = |(other, _): &&(Frame, Rc<FrameEnds>)| {
            other.units == frame.units && other.start == frame.start && other.end == frame.end
        };
        if let Some((_, ends)) = self.ends.borrow().iter().find(known) {
            return Ok(Rc::clone(ends));
        }
        let ends = Rc::new(FrameEnds::of(self, frame)?);
        self.ends.borrow_mut().push((frame.clone(), Rc::clone(&ends)));
        Ok(ends)
    }

    /// Calls `body` with the view of an evaluated column, rows in the order of the input.
    pub fn with_input<T>(&self, column: usize, body: impl FnOnce(&View<'_>) -> T) -> T {
        let bump = Bump::new();
        body(&self.columns[column].view(self.data_type(column), &bump))
    }

    /// The row at each position.
    pub fn in_order(&self) -> impl Iterator<Item = usize> + '_ {
        self.arrangement.order.iter().map(|&row| row as usize)
    }

    /// Calls `body` with the view of an evaluated column in order.
    pub fn with_sorted<T>(&self, column: usize, body: impl FnOnce(&View<'_>) -> T) -> Result<T> {
        let bump = Bump::new();
        let sorted = self.sorted(column)?;
        let view = sorted.view(self.data_type(column), &bump);
        Ok(body(&view))
    }
}
