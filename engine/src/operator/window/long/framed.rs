//! Calls whose values depend on rows nearby alone: the stretch is looked at as if it were the partition.

use std::ops::Range;

use arrow::array::ArrayRef;
use hypostyle_functions::window::WindowKind;

use super::super::aggregate;
use super::super::position::{self, valid_positions};
use super::super::shape::{Call, Function, Positional};
use super::super::stage::Stage;
use super::{LongCall, Reach, Stretch};
use crate::error::Result;

/// The values of a call over the stretch alone.
fn values(stage: &Stage<'_>, call: &Call, rows: Range<usize>) -> Result<ArrayRef> {
    let values = match &call.function {
        Function::Aggregate(function) => aggregate::evaluate(stage, call, function)?,
        Function::Positional(function) => position::evaluate(stage, call, function)?,
    };
    Ok(values.slice(rows.start, rows.len()))
}

/// A call over frames that are bounded on both sides.
pub(super) struct Framed<'a> {
    pub call: &'a Call,
}

impl LongCall for Framed<'_> {
    fn reach(&self, stretch: &Stretch<'_>) -> Result<Reach> {
        Reach::of_frame(&stretch.stage, &self.call.frame)
    }

    fn evaluate(&mut self, stretch: &Stretch<'_>, rows: Range<usize>) -> Result<ArrayRef> {
        values(&stretch.stage, self.call, rows)
    }
}

/// `lag` and `lead`; `lag` does not leave out nulls here.
pub(super) struct Shifted<'a> {
    pub call: &'a Call,
    pub function: &'a Positional,
}

impl LongCall for Shifted<'_> {
    fn reach(&self, stretch: &Stretch<'_>) -> Result<Reach> {
        let stage = &stretch.stage;
        let sign = if self.function.kind == WindowKind::Lead { 1 } else { -1 };
        let counted = self.function.ignore_nulls.then(|| valid_positions(stage, self.function.arguments[0]));
        let counted = counted.transpose()?;
        stage.with_sorted(self.function.arguments[1], |offsets| {
            let values = offsets.fixed::<i64>();
            let mut reach = Reach { starts: Some(Vec::new()), ends: Some(Vec::new()) };
            let (Some(starts), Some(ends)) = (&mut reach.starts, &mut reach.ends) else { return reach };
            for row in 0..stage.rows() {
                let offset = if offsets.is_valid(row) { values.get(row).saturating_mul(sign) } else { 0 };
                let at = match &counted {
                    None => (row as i64).saturating_add(offset),
                    Some((positions, before)) => {
                        // The nearest row in this direction that could be the one, counted generously.
                        let place = i64::from(before[row]).saturating_add(offset);
                        match usize::try_from(place).ok().and_then(|place| positions.get(place)) {
                            Some(&position) => i64::from(position),
                            None if place < 0 => 0,
                            None => i64::from(u32::MAX) - 1,
                        }
                    }
                };
                let at = at.clamp(0, i64::from(u32::MAX) - 1) as u32;
                starts.push(at.min(row as u32));
                ends.push(at.max(row as u32) + u32::from(offset > 0));
            }
            reach
        })
    }

    fn evaluate(&mut self, stretch: &Stretch<'_>, rows: Range<usize>) -> Result<ArrayRef> {
        values(&stretch.stage, self.call, rows)
    }
}

/// `first_value` and `nth_value` of frames that start nearby and end with the partition.
pub(super) struct Following<'a> {
    pub call: &'a Call,
    pub function: &'a Positional,
}

impl LongCall for Following<'_> {
    fn reach(&self, stretch: &Stretch<'_>) -> Result<Reach> {
        let stage = &stretch.stage;
        let frames = stage.ends(&self.call.frame)?;
        let counted = self.function.ignore_nulls.then(|| valid_positions(stage, self.function.arguments[0]));
        let counted = counted.transpose()?;
        let mut numbers = vec![1i64; stage.rows()];
        if let Some(&column) = self.function.arguments.get(1) {
            stage.with_sorted(column, |view| {
                let values = view.fixed::<i64>();
                let number = |row| if view.is_valid(row) { values.get(row).max(1) } else { 1 };
                numbers.iter_mut().enumerate().for_each(|(row, wanted)| *wanted = number(row));
            })?;
        }
        let end = |(&start, &number): (&u32, &i64)| {
            let at = match &counted {
                None => i64::from(start).saturating_add(number),
                Some((positions, before)) => {
                    let place = i64::from(before[start as usize]).saturating_add(number - 1);
                    let found = usize::try_from(place).ok().and_then(|place| positions.get(place));
                    found.map_or(i64::MAX, |&position| i64::from(position) + 1)
                }
            };
            at.min(i64::from(u32::MAX)) as u32
        };
        let ends = frames.starts.iter().zip(&numbers).map(end).collect();
        Ok(Reach { starts: Some(frames.starts.clone()), ends: Some(ends) })
    }

    fn evaluate(&mut self, stretch: &Stretch<'_>, rows: Range<usize>) -> Result<ArrayRef> {
        values(&stretch.stage, self.call, rows)
    }
}
