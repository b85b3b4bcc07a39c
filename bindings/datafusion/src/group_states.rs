//! The states of the groups of one aggregate call, as DataFusion's accumulators want them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{Array, ArrayRef, BooleanArray};
use bumpalo::Bump;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use datafusion::scalar::ScalarValue;
use hypostyle::aggregate::Accumulator as OwnAccumulator;
use hypostyle::column::{Column, Output, Rows, View};
use hypostyle::function_call::ArgumentCasts;

use crate::aggregate::BoundAggregate;
use crate::error::running;

/// States of many groups. Groups that were given out at the front leave a gap, which is closed once it is the larger part.
pub(crate) struct GroupStates {
    bound: Arc<BoundAggregate>,
    casts: ArgumentCasts,
    accumulator: Box<dyn OwnAccumulator>,
    /// States at the front that were given out.
    gone: usize,
    /// Groups behind them.
    groups: usize,
    /// Rows seen so far, which tell their order.
    ordinal: u64,
}

impl GroupStates {
    pub(crate) fn new(bound: Arc<BoundAggregate>) -> Result<Self> {
        let casts = bound.call.casts().map_err(running)?;
        let accumulator = (bound.call.bound().make)();
        Ok(Self { bound, casts, accumulator, gone: 0, groups: 0, ordinal: 0 })
    }

    /// Makes room for this many groups.
    fn open(&mut self, groups: usize) -> Result<()> {
        self.groups = self.groups.max(groups);
        let all = self.gone + self.groups;
        if u32::try_from(all).is_err() {
            return Err(DataFusionError::ResourcesExhausted(format!(
                "{all} groups; at most 2^32 are possible"
            )));
        }
        self.accumulator.resize(all);
        Ok(())
    }

    /// Adds rows; `group_of` gives the group of each.
    fn add(
        &mut self,
        values: &[ArrayRef],
        rows: usize,
        group_of: impl Fn(usize) -> usize,
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let columns =
            values.iter().zip(&self.bound.arguments).map(|(array, crossing)| crossing.import(array));
        let columns = self.casts.cast(columns.collect::<Result<_>>()?, rows).map_err(running)?;
        let arena = Bump::new();
        let views = views(&columns, self.bound.call.types(), &arena);
        let groups: Vec<u32> = (0..rows).map(|row| (self.gone + group_of(row)) as u32).collect();
        let strict = self.bound.call.bound().strict;
        let has_nulls = strict && views.iter().any(|view| (0..rows).any(|row| !view.is_valid(row)));
        let selected: Vec<u32>;
        let chosen = match has_nulls || filter.is_some() {
            false => Rows::All(rows),
            true => {
                let passes = |row: usize| {
                    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
                        && !(strict && views.iter().any(|view| !view.is_valid(row)))
                };
                selected = (0..rows).filter(|&row| passes(row)).map(|row| row as u32).collect();
                Rows::Selected(&selected)
            }
        };
        self.accumulator.update(&views, chosen, &groups, self.ordinal).map_err(running)?;
        self.ordinal += rows as u64;
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], group_of: impl Fn(usize) -> usize) -> Result<()> {
        let rows = states.first().map_or(0, |state| state.len());
        let columns = states.iter().zip(&self.bound.merged).map(|(array, crossing)| crossing.import(array));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let groups: Vec<u32> = (0..rows).map(|row| (self.gone + group_of(row)) as u32).collect();
        let arena = Bump::new();
        let views = views(&columns, &self.bound.call.bound().states, &arena);
        self.accumulator.merge(&views, &groups).map_err(running)
    }

    /// Numbers of the first `count` groups.
    fn numbers(&self, count: usize) -> Vec<u32> {
        (self.gone..self.gone + count).map(|group| group as u32).collect()
    }

    fn results(&mut self, count: usize) -> Result<ArrayRef> {
        let numbers = self.numbers(count);
        let mut output = Output::new(self.bound.call.bound().result.clone());
        output.prepare(count);
        // Aggregates that keep one state read different results from it.
        let finished = match &self.bound.call.bound().sharing {
            Some(sharing) => (sharing.finish)(self.accumulator.as_mut(), &numbers, &mut output),
            None => self.accumulator.finish(&numbers, &mut output),
        };
        finished.map_err(running)?;
        self.bound.result.export(&output.freeze().map_err(running)?)
    }

    fn states_of(&mut self, numbers: &[u32]) -> Result<Vec<ArrayRef>> {
        let types = self.bound.call.bound().states.iter();
        let mut outputs: Vec<Output> = types.map(|data_type| Output::new(data_type.clone())).collect();
        outputs.iter_mut().for_each(|output| output.prepare(numbers.len()));
        self.accumulator.state(numbers, &mut outputs).map_err(running)?;
        let states = outputs.iter_mut().zip(&self.bound.states);
        states.map(|(output, outcome)| outcome.export(&output.freeze().map_err(running)?)).collect()
    }

    /// How many groups leave.
    fn count_of(&self, emit: EmitTo) -> usize {
        match emit {
            EmitTo::All => self.groups,
            EmitTo::First(count) => count.min(self.groups),
        }
    }

    /// Forgets the first groups.
    fn forget(&mut self, count: usize) -> Result<()> {
        self.groups -= count;
        self.gone += count;
        if self.groups == 0 {
            self.accumulator = (self.bound.call.bound().make)();
            self.gone = 0;
            return Ok(());
        }
        if self.gone <= self.groups {
            return Ok(());
        }
        let kept = self.numbers(self.groups);
        let states = self.states_of(&kept)?;
        self.accumulator = (self.bound.call.bound().make)();
        self.gone = 0;
        self.open(self.groups)?;
        self.merge(&states, |row| row)
    }

    /// The same states in an accumulator of their own, so that taking results of it changes nothing here.
    fn copy(&mut self) -> Result<Self> {
        let numbers = self.numbers(self.groups);
        let states = self.states_of(&numbers)?;
        let mut copy = Self::new(Arc::clone(&self.bound))?;
        copy.open(self.groups)?;
        copy.merge(&states, |row| row)?;
        Ok(copy)
    }
}

/// The columns for reading.
fn views<'a>(columns: &'a [Column], types: &'a [hypostyle::Type], arena: &'a Bump) -> Vec<View<'a>> {
    columns.iter().zip(types).map(|(column, data_type)| column.view(data_type, arena)).collect()
}

impl GroupsAccumulator for GroupStates {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.open(total)?;
        self.add(values, groups.len(), |row| groups[row], filter)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.open(total)?;
        self.merge(states, |row| groups[row])
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let count = self.count_of(emit);
        let results = self.results(count)?;
        self.forget(count)?;
        Ok(results)
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let count = self.count_of(emit);
        let states = self.states_of(&self.numbers(count))?;
        self.forget(count)?;
        Ok(states)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |array| array.len());
        let mut states = Self::new(Arc::clone(&self.bound))?;
        states.ordinal = self.ordinal;
        states.open(rows)?;
        states.add(values, rows, |row| row, filter)?;
        states.states_of(&states.numbers(rows))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.accumulator.memory_bytes()
    }
}

/// The state of one group: aggregates without GROUP BY, and windows.
pub(crate) struct OneGroup(Mutex<GroupStates>);

impl OneGroup {
    pub(crate) fn new(states: GroupStates) -> Self {
        Self(Mutex::new(states))
    }

    /// The states, with room for the one group.
    fn opened(&mut self) -> Result<&mut GroupStates> {
        let states = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        states.open(1)?;
        Ok(states)
    }

    fn held(&self) -> MutexGuard<'_, GroupStates> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Accumulator for OneGroup {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, |array| array.len());
        self.opened()?.add(values, rows, |_| 0, None)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.opened()?.merge(states, |_| 0)
    }

    /// Of a copy: windows ask after each row and go on.
    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&self.opened()?.copy()?.results(1)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let states = self.opened()?.states_of(&[0])?;
        states.iter().map(|state| ScalarValue::try_from_array(state, 0)).collect()
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.held().accumulator.memory_bytes()
    }
}

impl fmt::Debug for OneGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneGroup")
    }
}
