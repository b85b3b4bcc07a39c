//! States of blocks of rows, blocks of blocks, and so on: a frame is covered by few of them.

use std::ops::Range;

use arrow::array::{Array, ArrayRef};
use bumpalo::Bump;
use hypostyle_functions::aggregate::{Accumulator, BoundAggregate};
use hypostyle_functions::column::{Output, Rows, View, borrow};
use hypostyle_functions::types::Type;

use super::aggregate::at_positions;
use crate::error::Result;

/// Rows of a block, and blocks of a block of the next level.
const FANOUT: usize = 16;

/// The states of one aggregate over all blocks of the rows of a part.
pub(super) struct Blocks {
    types: Vec<Type>,
    /// The states of each level, one column per type.
    levels: Vec<States>,
    /// Whether the lowest level holds a state of each single row.
    has_rows: bool,
    rows: usize,
}

impl Blocks {
    /// Makes all states; with `has_rows` also one of each row, which then knows its place in the order.
    pub fn new(bound: &BoundAggregate, arguments: &[View<'_>], rows: usize, has_rows: bool) -> Result<Self> {
        let mut blocks = Self { types: bound.states.clone(), levels: Vec::new(), has_rows, rows };
        let size = if has_rows { 1 } else { FANOUT };
        let mut count = rows.div_ceil(size);
        if count == 0 {
            return Ok(blocks);
        }
        let mut accumulator = (bound.make)();
        accumulator.resize(count);
        let owners: Vec<u32> = (0..rows).map(|row| (row / size) as u32).collect();
        accumulator.update(arguments, Rows::All(rows), &owners, 0)?;
        blocks.add_level(accumulator.as_mut(), count)?;
        while count > FANOUT {
            let below = count;
            count = below.div_ceil(FANOUT);
            let mut accumulator = (bound.make)();
            accumulator.resize(count);
            let owners: Vec<u32> = (0..below).map(|block| (block / FANOUT) as u32).collect();
            if let Some(states) = blocks.levels.last() {
                states.merge(None, &owners, accumulator.as_mut())?;
            }
            blocks.add_level(accumulator.as_mut(), count)?;
        }
        Ok(blocks)
    }

    fn add_level(&mut self, accumulator: &mut dyn Accumulator, count: usize) -> Result<()> {
        self.levels.push(States::of(accumulator, &self.types, count)?);
        Ok(())
    }

    /// Number of levels.
    pub fn levels(&self) -> usize {
        self.levels.len()
    }

    /// Covers a range of rows by rows (`None`) and blocks of a level.
    pub fn cover(&self, range: Range<usize>, mut take: impl FnMut(Option<usize>, usize)) {
        debug_assert!(range.end <= self.rows);
        let mut range = range;
        // The step below the lowest level of blocks is that of rows, unless rows have states of their own.
        let lowest = usize::from(!self.has_rows);
        for step in 0..self.levels.len() + lowest {
            let level = step.checked_sub(lowest);
            let is_top = step + 1 == self.levels.len() + lowest;
            let first = range.start.next_multiple_of(FANOUT);
            let last = range.end / FANOUT * FANOUT;
            if is_top || first >= last {
                range.for_each(|position| take(level, position));
                return;
            }
            (range.start..first).chain(last..range.end).for_each(|position| take(level, position));
            range = first / FANOUT..last / FANOUT;
        }
    }

    /// Merges the states at these positions of a level into these groups.
    pub fn merge(
        &self,
        level: usize,
        positions: &[u32],
        groups: &[u32],
        accumulator: &mut dyn Accumulator,
    ) -> Result<()> {
        match positions.is_empty() {
            true => Ok(()),
            false => self.levels[level].merge(Some(positions), groups, accumulator),
        }
    }
}

/// States of groups, one row each.
#[derive(Debug)]
pub(super) struct States {
    types: Vec<Type>,
    columns: Vec<ArrayRef>,
}

impl States {
    /// The states of the first `count` groups, in columns of these types.
    pub fn of(accumulator: &mut dyn Accumulator, types: &[Type], count: usize) -> Result<Self> {
        let prepared = |data_type: &Type| {
            let mut output = Output::new(data_type.clone());
            output.prepare(count);
            output
        };
        let mut states: Vec<Output> = types.iter().map(prepared).collect();
        let groups: Vec<u32> = (0..count as u32).collect();
        accumulator.state(&groups, &mut states)?;
        let columns = states.iter_mut().map(Output::freeze).collect::<std::result::Result<_, _>>()?;
        Ok(Self { types: types.to_vec(), columns })
    }

    /// All of these, one after the other.
    pub fn concat(parts: &[Self]) -> Result<Self> {
        let Some(first) = parts.first() else { return Ok(Self { types: Vec::new(), columns: Vec::new() }) };
        let column = |index: usize| {
            let columns: Vec<&dyn Array> = parts.iter().map(|part| part.columns[index].as_ref()).collect();
            arrow_select::concat::concat(&columns)
        };
        let columns = (0..first.columns.len()).map(column).collect::<std::result::Result<_, _>>()?;
        Ok(Self { types: first.types.clone(), columns })
    }

    /// Merges the states at these positions, or all of them, into these groups.
    pub fn merge(
        &self,
        positions: Option<&[u32]>,
        groups: &[u32],
        accumulator: &mut dyn Accumulator,
    ) -> Result<()> {
        let bump = Bump::new();
        let states = self.columns.iter().zip(&self.types);
        let views: Vec<View<'_>> = states
            .map(|(array, data_type)| {
                let view = borrow(array, data_type, &bump);
                positions.map_or(view, |positions| at_positions(&view, positions))
            })
            .collect();
        Ok(accumulator.merge(&views, groups)?)
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.columns.iter().map(|column| column.get_array_memory_size()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hypostyle_functions::Registry;
    use hypostyle_functions::scalar::Arguments;

    #[test]
    fn a_cover_holds_each_row_of_its_range_once() {
        let registry = Registry::builtin();
        let function = registry.aggregate("count").expect("built in");
        let overload = function.overloads.first().expect("count(*)");
        let settings = Default::default();
        let arguments = Arguments { function: "count", types: &[], constants: &[], settings: &settings };
        let bound = (overload.bind)(&arguments).expect("bound");
        for has_rows in [false, true] {
            let blocks = Blocks::new(&bound, &[], 5000, has_rows).expect("states");
            for range in [0..0, 0..1, 0..5000, 15..17, 16..4096, 17..4999, 255..257, 300..301] {
                let mut seen = Vec::new();
                blocks.cover(range.clone(), |level, position| {
                    let size = match level {
                        None => 1,
                        Some(level) => FANOUT.pow(level as u32 + u32::from(!has_rows)),
                    };
                    seen.extend(position * size..((position + 1) * size).min(5000));
                });
                seen.sort_unstable();
                assert_eq!(seen, range.collect::<Vec<_>>());
            }
        }
    }
}
