//! The build rows that come out after all probe rows have been seen: those without a match, or those with one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::UInt32Array;
use hypostyle_functions::column::Column;
use hypostyle_functions::types::Type;

use super::table::JoinTable;
use super::{JoinBuild, JoinShape};
use crate::batch::Batch;
use crate::error::Result;
use crate::operator::{Claim, RunContext, Source};
use crate::plan::JoinKind;
use crate::table::Reader;

/// The build rows by whether they had a match, after all probe rows have been seen.
pub struct UnmatchedSource {
    build: Arc<JoinBuild>,
    /// Set by the first claim.
    claimed: AtomicBool,
}

impl UnmatchedSource {
    /// The rows of this build side, unless they are in spill files.
    pub fn new(build: Arc<JoinBuild>) -> Self {
        Self { build, claimed: AtomicBool::new(false) }
    }
}

impl Source for UnmatchedSource {
    fn claim(&self) -> Result<Claim> {
        let is_first = !self.claimed.swap(true, Ordering::Relaxed);
        // Without any probe row nobody has begun: from here on the table is not to be given up.
        self.build.begin_probe()?;
        let Some(table) = self.build.table().filter(|_| is_first) else { return Ok(Claim::End) };
        Ok(Claim::Morsel(Box::new(UnmatchedReader::new(&self.build.shape, &table, &self.build.run))))
    }
}

/// Reads build rows by whether they had a match; the left columns, where they come out, are null.
pub(super) struct UnmatchedReader {
    shape: Arc<JoinShape>,
    table: Arc<JoinTable>,
    rows: Vec<u32>,
    given: usize,
    batch_rows: usize,
}

impl UnmatchedReader {
    pub fn new(shape: &Arc<JoinShape>, table: &Arc<JoinTable>, run: &Arc<RunContext>) -> Self {
        Self {
            shape: Arc::clone(shape),
            table: Arc::clone(table),
            rows: table.rows_by_match(shape.kind == JoinKind::RightSemi),
            given: 0,
            batch_rows: run.batch_rows(),
        }
    }
}

impl Reader for UnmatchedReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        let end = self.rows.len().min(self.given + self.batch_rows);
        let rows = &self.rows[self.given..end];
        if rows.is_empty() {
            return Ok(None);
        }
        self.given = end;
        let nulls = |data_type: &Type| Column::nulls(data_type, rows.len());
        let mut columns: Vec<Column> = match self.shape.gives_right_rows() {
            true => Vec::new(),
            false => self.shape.left_types.iter().map(nulls).collect(),
        };
        columns.extend(self.table.take(&self.shape, &UInt32Array::from(rows.to_vec()))?);
        Ok(Some(Batch::new(columns, rows.len())))
    }
}
