//! The one group of an aggregation without keys whose states are large: the states of the workers are merged and finished call
//! by call, several at a time.

use std::sync::Arc;

use arrow::array::ArrayRef;
use bumpalo::Bump;
use hypostyle_functions::aggregate::Accumulator;
use hypostyle_functions::column::{Column, Output, View, borrow};

use super::HashAggregate;
use super::call::Call;
use super::groups::Groups;
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::memory::Reservation;
use crate::operator::Task;
use crate::table::Reader;

/// A state from this size on is merged and finished by a task of its own.
const LARGE_STATE_BYTES: usize = 1 << 16;

/// Results of the calls, and the memory of the states that are still to be merged.
#[derive(Default)]
pub(super) struct Single {
    results: Vec<Option<ArrayRef>>,
    reservations: Vec<Reservation>,
}

/// The states of all workers for one owner of a state.
struct States {
    /// Its number.
    state: usize,
    held: Vec<Box<dyn Accumulator>>,
}

impl States {
    fn bytes(&self) -> usize {
        self.held.iter().map(|accumulator| accumulator.memory_bytes()).sum()
    }
}

/// True if these tables are worth several tasks.
pub(super) fn has_large_states(tables: &[(Groups, Reservation)]) -> bool {
    tables.iter().any(|(table, _)| table.largest_state_bytes() >= LARGE_STATE_BYTES)
}

impl Single {
    /// Tasks that merge and finish the states of tables without keys: the largest states first, and all small ones together.
    pub fn tasks(aggregate: &Arc<HashAggregate>, tables: Vec<(Groups, Reservation)>) -> (Self, Vec<Task>) {
        let mut single = Self { results: vec![None; aggregate.shape.calls.len()], reservations: Vec::new() };
        let mut states: Vec<States> = Vec::new();
        for (mut table, reservation) in tables {
            table.open_single(&aggregate.shape);
            single.reservations.push(reservation);
            for (state, accumulator) in table.into_accumulators().into_iter().enumerate() {
                match states.get_mut(state) {
                    Some(states) => states.held.push(accumulator),
                    None => states.push(States { state, held: vec![accumulator] }),
                }
            }
        }
        let (mut large, small): (Vec<_>, Vec<_>) = states
            .into_iter()
            .map(|states| (states.bytes(), states))
            .partition(|(bytes, _)| *bytes >= LARGE_STATE_BYTES);
        large.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        let mut pieces: Vec<Vec<States>> = large.into_iter().map(|(_, states)| vec![states]).collect();
        pieces.push(small.into_iter().map(|(_, states)| states).collect());
        let task = |piece: Vec<States>| {
            let aggregate = Arc::clone(aggregate);
            Task::new(move || {
                for states in piece {
                    finish(&aggregate, states)?;
                }
                Ok(Vec::new())
            })
        };
        (single, pieces.into_iter().map(task).collect())
    }

    /// The one row of results.
    pub fn into_reader(self) -> Result<SingleReader> {
        let lost = || Error::internal("a call of an aggregation was not finished");
        let columns = self.results.into_iter().map(|result| result.map(Column::Flat).ok_or_else(lost));
        Ok(SingleReader(Some(Batch::new(columns.collect::<Result<_>>()?, 1))))
    }
}

/// Merges the states of one owner, and finishes the calls that read it.
fn finish(aggregate: &HashAggregate, states: States) -> Result<()> {
    aggregate.run.check_cancelled()?;
    let readers = || {
        let calls = aggregate.shape.calls.iter().enumerate();
        calls.filter(|(_, call)| call.state == states.state)
    };
    let Some((_, owner)) = readers().next() else { return Ok(()) };
    let mut held = states.held.into_iter();
    let Some(mut whole) = held.next() else { return Ok(()) };
    for mut other in held {
        if !whole.absorb(other.as_mut())? {
            merge(owner, whole.as_mut(), other.as_mut())?;
        }
    }
    let mut reservation = aggregate.account.reserve();
    reservation.force(whole.memory_bytes());
    let mut results = Vec::new();
    for (position, call) in readers() {
        let mut output = Output::new(call.bound.result.clone());
        output.prepare(1);
        match &call.bound.sharing {
            Some(sharing) => (sharing.finish)(whole.as_mut(), &[0], &mut output)?,
            None => whole.finish(&[0], &mut output)?,
        }
        results.push((position, output.freeze()?));
    }
    let mut state = aggregate.lock();
    for (position, result) in results {
        if let Some(place) = state.single.as_mut().and_then(|single| single.results.get_mut(position)) {
            *place = Some(result);
        }
    }
    Ok(())
}

/// Merges by way of the columns of a state.
fn merge(owner: &Call, whole: &mut dyn Accumulator, other: &mut dyn Accumulator) -> Result<()> {
    let types = &owner.bound.states;
    let prepared = |data_type: &hypostyle_functions::Type| {
        let mut output = Output::new(data_type.clone());
        output.prepare(1);
        output
    };
    let mut outputs: Vec<Output> = types.iter().map(prepared).collect();
    other.state(&[0], &mut outputs)?;
    let arrays = outputs.iter_mut().map(Output::freeze).collect::<Result<Vec<ArrayRef>, _>>()?;
    let bump = Bump::new();
    let views: Vec<View<'_>> =
        arrays.iter().zip(types).map(|(array, data_type)| borrow(array, data_type, &bump)).collect();
    Ok(whole.merge(&views, &[0])?)
}

/// The one row.
pub(super) struct SingleReader(Option<Batch>);

impl Reader for SingleReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        Ok(self.0.take())
    }
}
