//! One worker's share of an aggregation: a table that stays in the caches.
//!
//! A table that has outgrown the caches is kept only while it puts many rows into each group. Else its
//! groups are given out to partitions of their hash, which are merged later one by one, each in the
//! caches again, and the worker starts over with the memory it has. Where even a fresh table hardly puts two rows
//! together, looking keys up is wasted: for a while each row becomes a group of its own ("raw rows")
//! and only partitions are filled.

use std::sync::Arc;

use super::groups::Groups;
use super::{HashAggregate, TABLE_BYTES_MIN};
use crate::batch::Batch;
use crate::context::Aggregation;
use crate::error::Result;
use crate::expression::Evaluator;
use crate::memory::Reservation;
use crate::operator::LocalSink;
use crate::operator::ordinal::OrdinalCounter;

/// Rows a group from which on a table is worth its size beyond the caches.
const REDUCTION_KEEP: f64 = 8.0;

/// A table may grow while each doubling puts this many times more rows into a new group than the one before.
const REDUCTION_RISE: f64 = 1.05;

/// Beyond this size a table is given out even if its reduction still rises.
const TABLE_BYTES_MAX: usize = 64 << 20;

/// Rows a group below which rows are taken raw.
const REDUCTION_RAW: f64 = 1.6;

/// Raw rows for each row of the table that did not reduce, before another table is tried.
const RAW_ROWS_FACTOR: u64 = 16;

/// Fewer groups are never given out: each partition is to get a batch of them.
const GROUPS_MIN: usize = 1 << 10;

/// Raw rows that are collected before they go to partitions.
const RAW_GROUPS: usize = 1 << 15;

pub(super) struct Local {
    aggregate: Arc<HashAggregate>,
    evaluator: Evaluator,
    groups: Groups,
    reservation: Reservation,
    ordinals: OrdinalCounter,
    policy: Policy,
}

impl Local {
    pub fn new(aggregate: &Arc<HashAggregate>) -> Result<Self> {
        let mut reservation = aggregate.account.reserve();
        reservation.set_spillable(true);
        let policy = Policy::new(aggregate.run.context.configuration.aggregation);
        let mut groups = Groups::new(&aggregate.shape);
        groups.set_raw(policy.is_raw() && aggregate.shape.can_partition());
        Ok(Self {
            aggregate: Arc::clone(aggregate),
            evaluator: Evaluator::new(Arc::clone(&aggregate.expressions), &aggregate.run.parameters)?,
            groups,
            reservation,
            ordinals: OrdinalCounter::default(),
            policy,
        })
    }

    /// Sends the groups to the partitions and starts over.
    fn give_out(&mut self) -> Result<()> {
        self.aggregate.partition(&mut self.groups)?;
        self.groups.set_raw(self.policy.is_raw());
        self.reservation.force(self.groups.memory_bytes());
        Ok(())
    }
}

impl LocalSink for Local {
    fn push(&mut self, batch: Batch) -> Result<()> {
        let ordinal = self.ordinals.next(&batch)?;
        let columns = self.evaluator.evaluate(&batch)?;
        self.groups.update(&self.aggregate.shape, &columns, batch.rows, ordinal)?;
        let bytes = self.groups.memory_bytes();
        let asked = self.aggregate.account.take_spill_request();
        if (asked || !self.reservation.try_resize(bytes)) && bytes > TABLE_BYTES_MIN {
            self.policy.restart();
            self.give_out()?;
            // What is kept of the memory of the table would be refused again.
            self.groups = Groups::new(&self.aggregate.shape);
            self.groups.set_raw(self.policy.is_raw());
            self.reservation.force(self.groups.memory_bytes());
            return Ok(());
        }
        self.reservation.force(bytes);
        let rows = (batch.rows * self.aggregate.shape.sets_count()) as u64;
        if self.aggregate.shape.can_partition() && self.policy.gives_out(rows, self.groups.len(), bytes) {
            self.give_out()?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.aggregate.note_peak();
        let Self { aggregate, mut groups, reservation, .. } = *self;
        if groups.is_raw() {
            // Raw rows repeat keys, so they are no table that others could be merged into.
            return aggregate.partition(&mut groups);
        }
        aggregate.lock().tables.push((groups, reservation));
        Ok(())
    }

    fn evaluator(&self) -> Option<&Evaluator> {
        Some(&self.evaluator)
    }
}

/// Decides when a table is given out, and whether rows are taken raw after it.
struct Policy {
    settings: Aggregation,
    /// Size at which the table is looked at next.
    look_bytes: usize,
    /// Rows since the table was empty.
    rows: u64,
    /// Rows and groups of the table when it was last looked at.
    looked: (u64, usize),
    /// Rows a new group between the last two looks.
    reduction: f64,
    /// Rows that are still taken raw.
    raw_rows: u64,
    /// What a group takes, once it was measured.
    group_bytes: usize,
}

impl Policy {
    fn new(settings: Aggregation) -> Self {
        let raw_rows = if settings.raw == Some(true) { u64::MAX } else { 0 };
        Self {
            settings,
            look_bytes: settings.table_bytes,
            rows: 0,
            looked: (0, 0),
            reduction: 0.0,
            raw_rows,
            group_bytes: 0,
        }
    }

    fn is_raw(&self) -> bool {
        self.raw_rows > 0
    }

    /// The table is empty again.
    fn restart(&mut self) {
        self.look_bytes = self.settings.table_bytes;
        self.rows = 0;
        self.looked = (0, 0);
        self.reduction = 0.0;
    }

    /// Counts rows that went into a table, which has `groups` and `bytes` now; true if it is to be given out.
    fn gives_out(&mut self, rows: u64, groups: usize, bytes: usize) -> bool {
        self.rows += rows;
        if self.is_raw() {
            if groups < RAW_GROUPS {
                return false;
            }
            if self.settings.raw.is_none() {
                self.raw_rows = self.raw_rows.saturating_sub(self.rows);
            }
            self.restart();
            return true;
        }
        if groups < GROUPS_MIN || self.used_bytes(groups, bytes) < self.look_bytes {
            return false;
        }
        let (rows_before, groups_before) = self.looked;
        let is_first_look = groups_before == 0;
        let reduction = (self.rows - rows_before) as f64 / groups.saturating_sub(groups_before).max(1) as f64;
        // How often random keys repeat shows only when a table has doubled.
        let is_rising = reduction > self.reduction * REDUCTION_RISE && self.look_bytes < TABLE_BYTES_MAX;
        if reduction >= REDUCTION_KEEP || is_first_look || is_rising {
            self.looked = (self.rows, groups);
            self.reduction = reduction;
            self.look_bytes = self.look_bytes.saturating_mul(2);
            return false;
        }
        let is_wasted = (self.rows as f64) < groups as f64 * REDUCTION_RAW;
        if is_wasted && self.settings.raw.is_none() {
            self.raw_rows = self.rows * RAW_ROWS_FACTOR;
        }
        self.restart();
        true
    }

    /// Bytes that a table of so many groups touches. A table that was emptied keeps its memory, so what a group takes is
    /// measured on the first.
    fn used_bytes(&mut self, groups: usize, bytes: usize) -> usize {
        if self.group_bytes == 0 {
            self.group_bytes = (bytes / groups.max(1)).max(1);
        }
        groups * self.group_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows pushed, tables given out and rows taken raw for keys of which the n-th row of a table opens
    /// a group with this probability.
    fn run(opens: impl Fn(u64) -> f64) -> (u64, u64, usize) {
        let mut policy = Policy::new(Aggregation::default());
        let (mut groups, mut in_table, mut given, mut raw, mut peak) = (0f64, 0u64, 0, 0, 0);
        for _ in 0..20_000 {
            let rows = 2048;
            for _ in 0..rows {
                groups += if policy.is_raw() { 1.0 } else { opens(in_table) };
                in_table += 1;
            }
            raw += if policy.is_raw() { rows } else { 0 };
            peak = peak.max(groups as usize);
            if policy.gives_out(rows, groups as usize, groups as usize * 64) {
                given += 1;
                groups = 0.0;
                in_table = 0;
            }
        }
        (given, raw, peak)
    }

    #[test]
    fn a_table_that_reduces_well_is_kept_whatever_its_size() {
        let (given, raw, peak) = run(|_| 0.1);
        assert_eq!((given, raw), (0, 0));
        assert!(peak > 1_000_000);
    }

    #[test]
    fn a_table_of_moderate_domain_grows_to_hold_it() {
        let domain = 200_000.0;
        let (given, raw, _) = run(|row| (-(row as f64) / domain).exp());
        assert_eq!((given, raw), (0, 0));
    }

    #[test]
    fn a_table_that_reduces_little_and_steadily_is_given_out_while_it_fits_the_caches() {
        let (given, raw, peak) = run(|_| 0.25);
        assert!(given > 50 && raw == 0, "{given} {raw}");
        assert!(peak < 100_000, "{peak}");
    }

    #[test]
    fn keys_that_hardly_repeat_are_taken_raw_most_of_the_time() {
        let (_, raw, peak) = run(|_| 0.99);
        assert!(raw > 20_000 * 2048 * 8 / 10, "{raw}");
        assert!(peak < 100_000, "{peak}");
    }
}
