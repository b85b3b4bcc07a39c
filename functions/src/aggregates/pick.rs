//! first, last, any_value: one value of a group, by the input's order.

use bumpalo::Bump;

use crate::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use crate::column::{Output, Rows, View};
use crate::error::Result;
use crate::signature::any;
use crate::types::Type;

pub(super) fn functions() -> Vec<AggregateFunction> {
    vec![
        pick::<false>("first", "Value of the first row, null if it is null.", false)
            .alias("arbitrary")
            .example("first(42)", "42"),
        pick::<true>("last", "Value of the last row, null if it is null.", false).example("last(42)", "42"),
        pick::<false>("any_value", "First value that is not null.", true).example("any_value(42)", "42"),
    ]
}

fn pick<const LAST: bool>(name: &str, summary: &str, strict: bool) -> AggregateFunction {
    AggregateFunction::new(name, "aggregate", summary)
        .overload([any("value")], move |arguments| {
            let data_type = arguments.types[0].clone();
            let states = vec![data_type.clone(), Type::UInt64];
            let held = data_type.clone();
            let bound = BoundAggregate::strict(data_type, states, move || Pick::<LAST> {
                values: Output::copying(held.clone()),
                held: Vec::new(),
                dropped: 0,
            });
            Ok(BoundAggregate { strict, ..bound })
        })
        .order_sensitive()
        .note("A group without rows gives null. The result does not depend on the number of threads.")
}

/// Ordinal and place in the store of each group's value.
struct Pick<const LAST: bool> {
    values: Output,
    held: Vec<Option<(u64, u32)>>,
    /// Values written over or left behind since the store was last compacted.
    dropped: usize,
}

impl<const LAST: bool> Pick<LAST> {
    #[inline]
    fn offer(&mut self, group: usize, value: &View<'_>, row: usize, ordinal: u64) {
        match self.held[group] {
            Some((held, _)) if (ordinal < held) == LAST => {}
            Some((_, place)) if !self.values.data_type().is_nested() => {
                self.values.set_valid(place as usize);
                self.values.copy(place as usize, value, row);
                self.held[group] = Some((ordinal, place));
                self.dropped += 1;
            }
            held => {
                self.dropped += usize::from(held.is_some());
                self.held[group] = Some((ordinal, self.values.len() as u32));
                self.values.push(value, row);
            }
        }
    }
}

impl<const LAST: bool> Pick<LAST> {
    /// Copies what is held to a new store once most of the old one is waste.
    fn compact(&mut self) {
        if self.dropped < self.held.len().max(4096) || self.values.data_type().is_fixed_width() {
            return;
        }
        self.dropped = 0;
        let bump = Bump::new();
        let mut kept = Output::copying(self.values.data_type().clone());
        let old = self.values.view(&bump);
        for (_, place) in self.held.iter_mut().flatten() {
            let row = *place as usize;
            *place = kept.len() as u32;
            kept.push(&old, row);
        }
        self.values = kept;
    }
}

impl<const LAST: bool> Accumulator for Pick<LAST> {
    fn resize(&mut self, groups: usize) {
        self.held.resize(groups, None);
    }

    fn clear(&mut self) -> bool {
        self.values.prepare(0);
        self.held.clear();
        self.dropped = 0;
        true
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], ordinal: u64) -> Result<()> {
        rows.for_each(|row| self.offer(groups[row] as usize, &arguments[0], row, ordinal + row as u64));
        self.compact();
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let ordinals = states[1].fixed::<u64>();
        for (row, &group) in groups.iter().enumerate().filter(|(row, _)| states[1].is_valid(*row)) {
            self.offer(group as usize, &states[0], row, ordinals.get(row));
        }
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        let bump = Bump::new();
        let values = self.values.view(&bump);
        for (row, &group) in groups.iter().enumerate() {
            match self.held[group as usize] {
                None => output.iter_mut().for_each(|column| column.set_null(row)),
                Some((ordinal, place)) => {
                    output[0].copy(row, &values, place as usize);
                    output[1].fixed::<u64>()[row] = ordinal;
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        let bump = Bump::new();
        let values = self.values.view(&bump);
        for (row, &group) in groups.iter().enumerate() {
            match self.held[group as usize] {
                None => output.set_null(row),
                Some((_, place)) => output.copy(row, &values, place as usize),
            }
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.values.memory_bytes() + self.held.capacity() * size_of::<Option<(u64, u32)>>()
    }
}
