//! count, count_if: numbers of rows.

use super::by_group::add_by_group;
use crate::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use crate::column::{Output, Rows, View};
use crate::error::Result;
use crate::signature::{any, exact};
use crate::types::Type;
use crate::window::Frames;

pub(super) fn functions() -> Vec<AggregateFunction> {
    vec![
        AggregateFunction::new(
            "count",
            "aggregate",
            "Number of rows, or of rows where the argument is not null.",
        )
        .alias("count_star")
        .overload([], |_| Ok(BoundAggregate::strict(Type::Int64, vec![Type::Int64], Count::default)))
        .overload([any("value")], |_| {
            Ok(BoundAggregate::strict(Type::Int64, vec![Type::Int64], Count::default))
        })
        .note("A group without rows counts 0.")
        .example("count(*)", "1"),
        AggregateFunction::new("regr_count", "aggregate", "Number of rows where neither argument is null.")
            .overload([exact("y", Type::Float64), exact("x", Type::Float64)], |_| {
                Ok(BoundAggregate::strict(Type::Int64, vec![Type::Int64], Count::default))
            })
            .note("A group without rows counts 0.")
            .example("regr_count(1, 2)", "1"),
        AggregateFunction::new("count_if", "aggregate", "Number of rows where the condition is true.")
            .alias("countif")
            .overload([exact("condition", Type::Boolean)], |_| {
                Ok(BoundAggregate::strict(Type::HUGEINT, vec![Type::Int64], CountIf::default))
            })
            .note("Null counts as not true; a group without rows counts 0.")
            .example("count_if(true)", "1"),
    ]
}

/// Rows per group. Nulls were skipped before: the aggregate is strict.
#[derive(Debug, Default)]
struct Count {
    counts: Vec<i64>,
}

impl Accumulator for Count {
    fn resize(&mut self, groups: usize) {
        self.counts.resize(groups, 0);
    }

    fn clear(&mut self) -> bool {
        self.counts.clear();
        true
    }

    fn update(&mut self, _: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        match &mut self.counts[..] {
            [only] => *only += rows.count() as i64,
            counts => {
                add_by_group(counts, 0, rows, groups, |count, _| *count += 1, |count, more| *count += more)
            }
        }
        Ok(())
    }

    fn add_count(&mut self, rows: usize) -> bool {
        match &mut self.counts[..] {
            [only] => *only += rows as i64,
            _ => return false,
        }
        true
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let counts = states[0].fixed::<i64>();
        groups.iter().enumerate().for_each(|(row, &group)| self.counts[group as usize] += counts.get(row));
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        self.finish(groups, &mut output[0])
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        let results = output.fixed::<i64>();
        groups.iter().zip(results).for_each(|(&group, result)| *result = self.counts[group as usize]);
        Ok(())
    }

    fn frames(&self, _: &[View<'_>], frames: &Frames, output: &mut Output) -> Result<bool> {
        let counts = output.fixed::<i64>().iter_mut();
        match frames.single() {
            Some((starts, ends)) => counts
                .zip(starts.iter().zip(ends))
                .for_each(|(count, (&start, &end))| *count = i64::from(end.saturating_sub(start))),
            None => counts.enumerate().for_each(|(row, count)| *count = frames.count(row) as i64),
        }
        Ok(true)
    }

    fn memory_bytes(&self) -> usize {
        self.counts.capacity() * size_of::<i64>()
    }
}

/// True rows per group; the result is a HUGEINT as in DuckDB.
#[derive(Debug, Default)]
struct CountIf {
    count: Count,
}

impl Accumulator for CountIf {
    fn resize(&mut self, groups: usize) {
        self.count.resize(groups);
    }

    fn clear(&mut self) -> bool {
        self.count.clear()
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        let conditions = arguments[0].boolean();
        let add = |count: &mut i64, row| *count += i64::from(conditions.get(row));
        add_by_group(&mut self.count.counts, 0, rows, groups, add, |count, more| *count += more);
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        self.count.merge(states, groups)
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        self.count.state(groups, output)
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        let results = output.fixed::<i128>();
        let counts = &self.count.counts;
        groups.iter().zip(results).for_each(|(&group, result)| *result = i128::from(counts[group as usize]));
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.count.memory_bytes()
    }
}
