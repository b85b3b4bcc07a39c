//! Calls whose frame is the whole partition: one value for all its rows.

use std::ops::Range;

use arrow::array::{ArrayRef, UInt32Array};

use super::super::aggregate::finished;
use super::super::arrange::Arrangement;
use super::super::position;
use super::super::shape::{Aggregate, Call, Positional, WindowShape};
use super::super::stage::Stage;
use super::kept::Picked;
use super::running::Additions;
use super::{LongCall, Reach, Stretch};
use crate::error::{Error, Result};

/// The value as often as there are rows.
fn repeated(value: Option<&ArrayRef>, rows: &Range<usize>) -> Result<ArrayRef> {
    let value = value.ok_or_else(|| Error::internal("a partition was evaluated before it was seen"))?;
    Ok(arrow_select::take::take(value, &UInt32Array::from(vec![0; rows.len()]), None)?)
}

/// An aggregate over the whole partition.
pub(super) struct WholeAggregate<'a> {
    call: &'a Call,
    additions: Additions<'a>,
    value: Option<ArrayRef>,
}

impl<'a> WholeAggregate<'a> {
    pub fn new(call: &'a Call, aggregate: &'a Aggregate) -> Self {
        Self { call, additions: Additions::new(aggregate, 1), value: None }
    }
}

impl LongCall for WholeAggregate<'_> {
    fn looks_ahead(&self) -> bool {
        true
    }

    fn look(&mut self, stage: &Stage<'_>, _first: u64) -> Result<()> {
        self.additions.add_all(stage, |_| 0)
    }

    fn looked(&mut self, _rows: u64) -> Result<()> {
        self.value = Some(finished(self.additions.accumulator.as_mut(), &[0], &self.call.result)?);
        // The state is not needed any longer.
        self.additions = Additions::new(self.additions.aggregate, 0);
        Ok(())
    }

    fn reach(&self, _stretch: &Stretch<'_>) -> Result<Reach> {
        Ok(Reach::default())
    }

    fn evaluate(&mut self, _stretch: &Stretch<'_>, rows: Range<usize>) -> Result<ArrayRef> {
        repeated(self.value.as_ref(), &rows)
    }

    fn memory_bytes(&self) -> usize {
        self.additions.accumulator.memory_bytes()
    }
}

/// first_value, last_value or nth_value of the whole partition.
pub(super) struct WholeValue<'a> {
    shape: &'a WindowShape,
    call: &'a Call,
    function: &'a Positional,
    picked: Picked,
    value: Option<ArrayRef>,
}

impl<'a> WholeValue<'a> {
    pub fn new(shape: &'a WindowShape, call: &'a Call, function: &'a Positional) -> Result<Self> {
        Ok(Self { shape, call, function, picked: Picked::of(shape, function)?, value: None })
    }
}

impl LongCall for WholeValue<'_> {
    fn looks_ahead(&self) -> bool {
        true
    }

    fn look(&mut self, stage: &Stage<'_>, first: u64) -> Result<()> {
        self.picked.add(stage, 0..stage.rows(), first)
    }

    /// The value is that of a partition of the picked rows.
    fn looked(&mut self, _rows: u64) -> Result<()> {
        let Some(rows) = self.picked.take() else {
            self.value = Some(arrow::array::new_null_array(&self.call.result.to_arrow(), 1));
            return Ok(());
        };
        let arrangement = Arrangement::one_partition(rows.rows);
        let stage = Stage::new(self.shape, &rows.columns, &arrangement, &[]);
        self.value = Some(position::evaluate(&stage, self.call, self.function)?.slice(0, 1));
        Ok(())
    }

    fn reach(&self, _stretch: &Stretch<'_>) -> Result<Reach> {
        Ok(Reach::default())
    }

    fn evaluate(&mut self, _stretch: &Stretch<'_>, rows: Range<usize>) -> Result<ArrayRef> {
        repeated(self.value.as_ref(), &rows)
    }

    fn memory_bytes(&self) -> usize {
        self.picked.memory_bytes()
    }
}
