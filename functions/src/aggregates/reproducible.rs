//! Aggregates over a reproducible state of the kernels: sums, moments, comoments, power sums.

use crate::aggregate::{Accumulator, BoundAggregate};
use crate::column::{Output, Rows, View};
use crate::error::{Error, Result};
use crate::kernel::reproducible::{
    Narrow, ROWS_MAX, Reproducible, RunningSums, add_grouped, add_grouped_rows,
};
use crate::types::Type;
use crate::window::{Frames, merge_of_frames};

/// Reads the rows of an aggregate's arguments as what its state takes, and knows its result.
pub(super) trait Statistic: Send + Sync + 'static {
    /// The state.
    type State: Narrow;
    /// The arguments, typed.
    type Input<'a>: Copy;

    /// The arguments of one batch.
    fn input<'a>(arguments: &[View<'a>]) -> Self::Input<'a>;

    /// What one row brings.
    fn row(input: Self::Input<'_>, row: usize) -> <Self::State as Narrow>::Row;

    /// Adds all rows of a batch to one group, where there is a faster way than one by one.
    fn add_all(state: &mut Reproducible<Self::State>, input: Self::Input<'_>, rows: usize) {
        (0..rows).for_each(|row| state.add(Self::row(input, row)));
    }

    /// Adds chosen rows of a batch to one group.
    fn add_rows(state: &mut Reproducible<Self::State>, input: Self::Input<'_>, rows: &[u32]) {
        rows.iter().for_each(|&row| state.add(Self::row(input, row as usize)));
    }

    /// Running totals of the rows, where the result is made of the sum and the number of rows alone.
    fn running_sums(_: Self::Input<'_>, _: usize) -> Option<RunningSums> {
        None
    }
}

/// Fewest rows of one group that are added together.
const GROUP_ROWS: usize = 16;
/// Values of chosen rows that are added together, a block that stays in the cache.
const BLOCK_ROWS: usize = 512;

/// Gives the values of chosen rows to `add`, block by block.
pub(super) fn in_blocks(rows: &[u32], value: impl Fn(usize) -> f64, mut add: impl FnMut(&[f64])) {
    let mut block = [0.0; BLOCK_ROWS];
    for rows in rows.chunks(BLOCK_ROWS) {
        block.iter_mut().zip(rows).for_each(|(place, &row)| *place = value(row as usize));
        add(&block[..rows.len()]);
    }
}

/// The group that all of some rows belong to, where these are worth a block.
fn only_group(groups: &[u32]) -> Option<u32> {
    let &first = groups.first().filter(|_| groups.len() >= GROUP_ROWS)?;
    groups.iter().all(|&group| group == first).then_some(first)
}

/// The result of a group; `None` is null.
pub(super) type Finish<N> = fn(&Reproducible<N>) -> Option<f64>;

/// The result of a sum over a number of rows, which is not 0.
pub(super) type FinishSum = fn(f64, usize) -> f64;

/// An aggregate over doubles with this statistic.
pub(super) fn bound<S: Statistic>(finish: Finish<S::State>) -> BoundAggregate {
    bound_to_sums::<S>(finish, |sum, _| sum)
}

/// The same, for a statistic that knows its running sums: `finish_sum` makes the result of one, with the same bits.
pub(super) fn bound_to_sums<S: Statistic>(finish: Finish<S::State>, finish_sum: FinishSum) -> BoundAggregate {
    let make = move || Statistics::<S> { groups: Vec::new(), finish, finish_sum };
    BoundAggregate::strict(Type::Float64, vec![state_type::<S::State>()], make)
        .sharing(move |held: &mut Statistics<S>, groups, output| held.write(finish, groups, output))
}

fn state_type<N: Narrow>() -> Type {
    Type::fixed_list(Type::UInt64, Reproducible::<N>::WORDS)
}

struct Statistics<S: Statistic> {
    groups: Vec<Reproducible<S::State>>,
    finish: Finish<S::State>,
    finish_sum: FinishSum,
}

impl<S: Statistic> Statistics<S> {
    fn write(&self, finish: Finish<S::State>, groups: &[u32], output: &mut Output) -> Result<()> {
        for (row, &group) in groups.iter().enumerate() {
            match finish(&self.groups[group as usize]) {
                Some(value) => output.fixed::<f64>()[row] = value,
                None => output.set_null(row),
            }
        }
        Ok(())
    }

    /// Writes the results of frames from running sums.
    fn write_sums(&self, sums: &RunningSums, frames: &Frames, output: &mut Output) {
        let results = output.fixed::<f64>();
        let finish = |sum: f64, rows: usize| if rows == 0 { 0.0 } else { (self.finish_sum)(sum, rows) };
        match frames.single() {
            Some((starts, ends)) => {
                for ((result, &start), &end) in results.iter_mut().zip(starts).zip(ends) {
                    let (start, end) = (start as usize, end as usize);
                    *result = finish(sums.sum(std::iter::once((start, end))), end - start);
                }
            }
            None => {
                for (row, result) in results.iter_mut().enumerate() {
                    let sum = sums.sum(frames.of(row).map(|range| (range.start, range.end)));
                    *result = finish(sum, frames.count(row));
                }
            }
        }
        frames.empty_rows(|row| output.set_null(row));
    }
}

impl<S: Statistic> Accumulator for Statistics<S> {
    fn resize(&mut self, groups: usize) {
        self.groups.resize(groups, Reproducible::default());
    }

    fn clear(&mut self) -> bool {
        self.groups.clear();
        true
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        let input = S::input(arguments);
        match (rows, &mut self.groups[..]) {
            (Rows::All(count), [only]) => S::add_all(only, input, count),
            (Rows::All(count), states) => match only_group(&groups[..count]) {
                Some(group) => S::add_all(&mut states[group as usize], input, count),
                None => add_grouped(states, &groups[..count], |row| S::row(input, row)),
            },
            (Rows::Selected(rows), [only]) => S::add_rows(only, input, rows),
            (Rows::Selected(rows), states) => {
                add_grouped_rows(states, groups, rows, |row| S::row(input, row))
            }
        }
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let list = states[0].list();
        let words = list.child().fixed::<u64>();
        let mut held = Vec::with_capacity(Reproducible::<S::State>::WORDS);
        for (row, &group) in groups.iter().enumerate() {
            held.clear();
            held.extend(list.range(row).map(|at| words.get(at)));
            let state = Reproducible::from_words(&held)
                .ok_or_else(|| Error::user("the stored state of an aggregate is damaged"))?;
            self.groups[group as usize].merge(&state);
        }
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        let words = output[0].fixed_list_child().fixed::<u64>();
        for (&group, words) in groups.iter().zip(words.chunks_exact_mut(Reproducible::<S::State>::WORDS)) {
            self.groups[group as usize].to_words(words);
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        self.write(self.finish, groups, output)
    }

    fn frames(&self, arguments: &[View<'_>], frames: &Frames, output: &mut Output) -> Result<bool> {
        let rows = arguments.first().map_or(0, |argument| argument.length);
        if rows >= ROWS_MAX as usize {
            return Ok(false);
        }
        let input = S::input(arguments);
        if let Some(sums) = S::running_sums(input, rows) {
            self.write_sums(&sums, frames, output);
            return Ok(true);
        }
        let Some(frames) = frames.sliding() else { return Ok(false) };
        merge_of_frames(
            frames,
            S::State::EMPTY,
            |state, row| state.add(S::row(input, row)),
            |state, other| state.merge(other),
            |row, state| match (self.finish)(&Reproducible::Narrow(*state)) {
                Some(value) => output.fixed::<f64>()[row] = value,
                None => output.set_null(row),
            },
        );
        Ok(true)
    }

    fn memory_bytes(&self) -> usize {
        self.groups.capacity() * size_of::<Reproducible<S::State>>()
    }
}
