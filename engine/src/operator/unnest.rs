//! One row per list element; lists of one row run in parallel and short ones end in nulls.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use hypostyle_functions::column::Column;
use hypostyle_functions::types::Type;

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::expression::{Evaluator, ExpressionSet};
use crate::operator::{Input, RunContext, Stage, Step, Transform};

/// Shared part of an unnest.
pub struct Unnest {
    /// The expressions that give lists.
    pub lists: Arc<ExpressionSet>,
    /// Types of the lists.
    pub types: Vec<Type>,
    /// Whether a row without elements still gives one row.
    pub outer: bool,
    /// The run.
    pub run: Arc<RunContext>,
}

impl Stage for Unnest {
    fn instantiate(&self) -> Result<Box<dyn Transform>> {
        Ok(Box::new(UnnestTransform {
            lists: Evaluator::new(Arc::clone(&self.lists), &self.run.parameters)?,
            types: self.types.clone(),
            outer: self.outer,
            batch_rows: self.run.batch_rows(),
            pending: None,
        }))
    }
}

struct UnnestTransform {
    lists: Evaluator,
    types: Vec<Type>,
    outer: bool,
    batch_rows: usize,
    pending: Option<Pending>,
}

/// A batch whose elements have not all been given.
struct Pending {
    batch: Batch,
    lists: Vec<Lists>,
    row: usize,
    element: usize,
}

/// One list column: its elements, and where those of each row are.
struct Lists {
    elements: ArrayRef,
    ranges: Vec<(u32, u32)>,
}

impl Lists {
    fn new(column: &Column, data_type: &Type) -> Result<Self> {
        let array = column.to_array()?;
        let range_of = |row: usize, start: usize, end: usize| match array.is_valid(row) {
            true => (start as u32, end as u32),
            false => (0, 0),
        };
        Ok(match data_type {
            Type::List(_) => {
                let list = array.as_list::<i32>();
                let ends = list.value_offsets().windows(2).enumerate();
                let ranges =
                    ends.map(|(row, ends)| range_of(row, ends[0] as usize, ends[1] as usize)).collect();
                Self { elements: Arc::clone(list.values()), ranges }
            }
            Type::FixedList(_, size) => {
                let list = array.as_fixed_size_list();
                let start = |row: usize| list.value_offset_at(row);
                let ranges =
                    (0..list.len()).map(|row| range_of(row, start(row), start(row) + size)).collect();
                Self { elements: Arc::clone(list.values()), ranges }
            }
            Type::Null => Self {
                elements: arrow::array::new_empty_array(&Type::Null.to_arrow()),
                ranges: vec![(0, 0); array.len()],
            },
            other => return Err(Error::internal(format!("unnest of a column of type {other}"))),
        })
    }
}

impl Transform for UnnestTransform {
    fn step(&mut self, input: Input) -> Result<Step> {
        match input {
            Input::Batch(batch) => {
                let columns = self.lists.evaluate(&batch)?;
                let lists =
                    columns.iter().zip(&self.types).map(|(column, data_type)| Lists::new(column, data_type));
                let lists = lists.collect::<Result<_>>()?;
                self.pending = Some(Pending { batch, lists, row: 0, element: 0 });
            }
            Input::Continue => {}
            Input::MorselEnd => {
                self.pending = None;
                return Ok(Step::NeedInput);
            }
        }
        let Some(mut pending) = self.pending.take() else { return Ok(Step::NeedInput) };
        let Some(batch) = pending.next(self.batch_rows, self.outer)? else { return Ok(Step::NeedInput) };
        if pending.row == pending.batch.rows {
            return Ok(Step::Output(batch));
        }
        self.pending = Some(pending);
        Ok(Step::MoreOutput(batch))
    }

    fn evaluator(&self) -> Option<&Evaluator> {
        Some(&self.lists)
    }
}

impl Pending {
    /// The next rows, at most `limit`.
    fn next(&mut self, limit: usize, outer: bool) -> Result<Option<Batch>> {
        let mut rows: Vec<u32> = Vec::with_capacity(limit);
        let mut elements: Vec<Vec<Option<u32>>> =
            self.lists.iter().map(|_| Vec::with_capacity(limit)).collect();
        while self.row < self.batch.rows && rows.len() < limit {
            let longest =
                self.lists.iter().map(|list| list.ranges[self.row].1 - list.ranges[self.row].0).max();
            let longest = match longest.unwrap_or(0) as usize {
                0 if outer => 1,
                length => length,
            };
            let taken = (longest - self.element).min(limit - rows.len());
            rows.extend(std::iter::repeat_n(self.row as u32, taken));
            for (list, positions) in self.lists.iter().zip(&mut elements) {
                let (start, end) = list.ranges[self.row];
                let at = |element: usize| Some(start + element as u32).filter(|&position| position < end);
                positions.extend((self.element..self.element + taken).map(at));
            }
            self.element += taken;
            if self.element == longest {
                self.row += 1;
                self.element = 0;
            }
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let count = rows.len();
        let rows = UInt32Array::from(rows);
        let mut columns =
            self.batch.columns.iter().map(|column| column.take(&rows)).collect::<Result<Vec<_>, _>>()?;
        for (list, positions) in self.lists.iter().zip(elements) {
            let column = match list.elements.is_empty() {
                true => Column::Flat(arrow::array::new_null_array(list.elements.data_type(), count)),
                false => Column::Flat(arrow_select::take::take(
                    &list.elements,
                    &UInt32Array::from(positions),
                    None,
                )?),
            };
            columns.push(column);
        }
        Ok(Some(Batch::new(columns, count).at(self.batch.position)))
    }
}
