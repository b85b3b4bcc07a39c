//! Aggregates in two steps that are apart, in other runs or on other machines: states out of rows, and results out of states.

use std::sync::Arc;

use crate::aggregate::{Accumulator, BoundAggregate};
use crate::column::{Encoding, Output, Rows, View};
use crate::error::{Error, Result};
use crate::types::{Field, Type};

/// Bits of an ordinal behind the number of its piece: 4096 pieces of 4096 morsels.
const PIECE_BITS: u32 = 52;

/// Pieces that rows whose order matters are divided into at most.
pub const PIECES_MAX: u32 = 1 << (64 - PIECE_BITS);

impl BoundAggregate {
    /// The columns of a state as one.
    pub fn state_type(&self) -> Type {
        let field =
            |(position, data_type): (usize, &Type)| Field::new(format!("s{position}"), data_type.clone());
        Type::Struct(self.states.iter().enumerate().map(field).collect())
    }

    /// The same aggregate with its state for a result. The order of the rows of several pieces is that of their numbers;
    /// `None` where no result depends on order.
    pub fn giving_state(self, piece: Option<u32>) -> Self {
        let make = self.make.clone();
        let base = piece.map(|piece| u64::from(piece) << PIECE_BITS);
        Self {
            result: self.state_type(),
            make: Arc::new(move || Box::new(Giving { inner: make(), base })),
            sharing: None,
            ..self
        }
    }

    /// The aggregate of states that [`BoundAggregate::giving_state`] gave.
    pub fn of_states(self, keeps_state: bool) -> Self {
        let make = self.make.clone();
        let result = if keeps_state { self.state_type() } else { self.result };
        Self {
            result,
            states: self.states,
            strict: false,
            make: Arc::new(move || Box::new(Merging { inner: make(), keeps_state })),
            sharing: None,
        }
    }
}

/// Rows in, state out.
struct Giving {
    inner: Box<dyn Accumulator>,
    base: Option<u64>,
}

/// States in, result or state out.
struct Merging {
    inner: Box<dyn Accumulator>,
    keeps_state: bool,
}

fn write_state(inner: &mut dyn Accumulator, groups: &[u32], output: &mut Output) -> Result<()> {
    inner.state(groups, output.fields())
}

impl Accumulator for Giving {
    fn resize(&mut self, groups: usize) {
        self.inner.resize(groups);
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], ordinal: u64) -> Result<()> {
        let ordinal = match self.base {
            Some(_) if ordinal >> PIECE_BITS != 0 => {
                return Err(Error::Resource(
                    "a piece whose order matters has more than 4096 parts: divide the rows into more pieces"
                        .into(),
                ));
            }
            Some(base) => base + ordinal,
            None => ordinal,
        };
        self.inner.update(arguments, rows, groups, ordinal)
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        self.inner.merge(states, groups)
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        self.inner.state(groups, output)
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        write_state(self.inner.as_mut(), groups, output)
    }

    fn memory_bytes(&self) -> usize {
        self.inner.memory_bytes()
    }
}

impl Accumulator for Merging {
    fn resize(&mut self, groups: usize) {
        self.inner.resize(groups);
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        let [states] = arguments else {
            return Err(Error::internal("states are merged out of one column"));
        };
        let Type::Struct(fields) = states.data_type else {
            return Err(Error::internal("a state is a struct"));
        };
        if rows.count() == groups.len() && states.is_flat() {
            let columns: Vec<View<'_>> = (0..fields.len()).map(|index| states.field(index)).collect();
            return self.inner.merge(&columns, groups);
        }
        // The states of these rows alone, by their places.
        let indices: Vec<u32> = rows.iter().map(|row| states.value_index(row) as u32).collect();
        let own: Vec<u32> = rows.iter().map(|row| groups[row]).collect();
        let encoding = Encoding::Dictionary { indices: &indices, validity: None };
        let chosen = View { length: indices.len(), encoding, ..*states };
        let columns: Vec<View<'_>> = (0..fields.len()).map(|index| chosen.field(index)).collect();
        self.inner.merge(&columns, &own)
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        self.inner.merge(states, groups)
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        self.inner.state(groups, output)
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        match self.keeps_state {
            true => write_state(self.inner.as_mut(), groups, output),
            false => self.inner.finish(groups, output),
        }
    }

    fn memory_bytes(&self) -> usize {
        self.inner.memory_bytes()
    }
}
