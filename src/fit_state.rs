//! Fits in pieces: on several machines, or day by day.

use std::io::Write;
use std::path::Path;

use arrow::array::RecordBatch;
use hypostyle_connectors::output::Target;
use hypostyle_planner::transform::{self, Piece};
use hypostyle_planner::{Observer, parse};

use crate::artifact::state;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::transform::{Transform, defined};

/// What a piece of the rows says of the analyzers of a definition: Arrow tables that are merged anywhere and finished once, with
/// the bits of one fit over all rows. Bytes travel between processes and machines.
///
/// Analyzers inside analyzers are fitted in levels. The states of all pieces of a level come together before the next level is
/// fitted, whose pieces are handed the states of the levels before.
///
/// ```
/// use hypostyle::{FitState, Session};
/// let session = Session::new();
/// let definition = "SELECT standard_scale(x) AS x FROM input";
/// // On the machines that have the rows:
/// let first = session.fit_partial(definition, "(SELECT i::DOUBLE AS x FROM range(3) t(i))", 0, &[])?.to_bytes()?;
/// let second = session.fit_partial(definition, "(SELECT 3.0::DOUBLE AS x)", 1, &[])?.to_bytes()?;
/// // And on the one that finishes:
/// let states = [FitState::from_bytes(&first)?, FitState::from_bytes(&second)?];
/// let transform = session.finish_fit(definition, &states)?;
/// assert_eq!(transform.fitted(), session.finish_fit(definition, &states)?.fitted());
/// # Ok::<(), hypostyle::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FitState {
    state: transform::FitState,
}

impl Session {
    /// Fits one piece of the rows as far as it goes without the others. Where the order of rows matters, as for the first of equally
    /// frequent values, pieces with lesser numbers come first; `before` are all states of the levels before, none for the first one.
    ///
    /// # Errors
    /// As for [`Session::fit`]; states of another definition, and levels that are complete.
    pub fn fit_partial(
        &self,
        definition: &str,
        source: &str,
        piece: u32,
        before: &[FitState],
    ) -> Result<FitState> {
        let defined = defined(definition)?;
        let query = parse::parse_source(source)?;
        self.fit_piece(&defined, &query, source.trim(), piece, before)
    }

    pub(crate) fn fit_piece(
        &self,
        defined: &transform::Transform,
        source: &hypostyle_planner::tree::Query,
        text: &str,
        number: u32,
        before: &[FitState],
    ) -> Result<FitState> {
        let definitions = self.definitions().clone();
        let observer = self.fit_observer();
        let before: Vec<_> = before.iter().map(|state| state.state.clone()).collect();
        let piece = Piece { source, text, number, before: &before };
        let state =
            transform::fit_partial(&self.context(), &definitions, defined, piece, Observer(&observer))?;
        Ok(FitState { state })
    }

    /// Merges states of one level into one.
    ///
    /// # Errors
    /// No state, or states of different definitions, levels or releases.
    pub fn merge_fits(&self, states: &[FitState]) -> Result<FitState> {
        let observer = self.fit_observer();
        let states: Vec<_> = states.iter().map(|state| state.state.clone()).collect();
        Ok(FitState { state: transform::merge_states(&self.context(), &states, Observer(&observer))? })
    }

    /// The transform that the states of all levels come to, with the bits of a fit over all their rows.
    ///
    /// # Errors
    /// A level without states, states of another definition or release, or pieces that are there twice.
    pub fn finish_fit(&self, definition: &str, states: &[FitState]) -> Result<Transform> {
        let defined = defined(definition)?;
        let fitted = self.finish_states(&defined, states)?;
        Ok(Transform::new(self.clone(), defined, fitted))
    }

    pub(crate) fn finish_states(
        &self,
        defined: &transform::Transform,
        states: &[FitState],
    ) -> Result<transform::Fitted> {
        let definitions = self.definitions().clone();
        let observer = self.fit_observer();
        let states: Vec<_> = states.iter().map(|state| state.state.clone()).collect();
        let observer = Observer(&observer);
        Ok(transform::finish_states(&self.context(), &definitions, defined, &states, observer)?)
    }
}

impl FitState {
    /// How many fits have to come before this one.
    pub fn level(&self) -> usize {
        self.state.header.level
    }

    /// Numbers of the pieces that are in it.
    pub fn pieces(&self) -> &[u32] {
        &self.state.header.pieces
    }

    /// Its tables: the states of the values, if the level has any, and of each table of categories.
    pub fn tables(&self) -> &[RecordBatch] {
        &self.state.tables
    }

    /// All of it as bytes, for another process.
    ///
    /// # Errors
    /// Only what ends the process too.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        state::to_bytes(&self.state)
    }

    /// What [`FitState::to_bytes`] wrote.
    ///
    /// # Errors
    /// Bytes that are no state, are damaged, or of a later release.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Ok(Self { state: state::from_bytes(bytes).map_err(Error::user)? })
    }

    /// Writes it to a file, which has its name once it is whole.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = self.to_bytes()?;
        let failed =
            |error: &dyn std::fmt::Display| Error::user(format!("cannot write {}: {error}", path.display()));
        let mut target = Target::create(path).map_err(|error| failed(&error))?;
        target.write_all(&bytes).map_err(|error| failed(&error))?;
        target.commit().map_err(|error| failed(&error))
    }

    /// Reads it from a file.
    ///
    /// # Errors
    /// A file that is not there, and as [`FitState::from_bytes`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let refused = |problem: &dyn std::fmt::Display| Error::user(format!("{}: {problem}", path.display()));
        let bytes = std::fs::read(path).map_err(|error| refused(&error))?;
        Self::from_bytes(&bytes).map_err(|error| refused(&error))
    }
}
