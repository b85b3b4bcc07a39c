//! Reads the groups: of one whole table, or of a partition that is merged when its turn comes.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, AsArray, UInt32Array};
use arrow::datatypes::UInt32Type;
use hypostyle_functions::column::Column;

use super::group_table::LEVELS_MAX;
use super::groups::Groups;
use super::{HashAggregate, ORDERED_GROUPS, TABLE_BYTES_MIN};
use crate::batch::Batch;
use crate::error::Result;
use crate::memory::Reservation;
use crate::spill::RowStore;
use crate::table::Reader;

/// Groups of a table that a worker gives out at a time.
const MORSEL_GROUPS: usize = 1 << 14;

/// Gives out the groups of a table in a given order.
pub(super) struct Emission {
    groups: Groups,
    keys: Vec<ArrayRef>,
    order: Vec<u32>,
    _reservation: Reservation,
}

impl Emission {
    /// All groups of a table: few in the order of first rows, many by partition.
    pub fn of_whole(aggregate: &HashAggregate, mut groups: Groups, reservation: Reservation) -> Result<Self> {
        let shape = &aggregate.shape;
        if groups.len() <= ORDERED_GROUPS || !aggregate.order_shows {
            return Self::of_partition(aggregate, groups, reservation);
        }
        let parts = groups.partitioned(0);
        let order = parts.into_iter().flat_map(|part| groups.by_first(shape, part)).collect();
        Self::new(groups, order, reservation)
    }

    /// The groups of a partition.
    fn of_partition(aggregate: &HashAggregate, groups: Groups, reservation: Reservation) -> Result<Self> {
        let all = (0..groups.len() as u32).collect();
        let order = if aggregate.order_shows { groups.by_first(&aggregate.shape, all) } else { all };
        Self::new(groups, order, reservation)
    }

    fn new(mut groups: Groups, order: Vec<u32>, reservation: Reservation) -> Result<Self> {
        let keys = groups.take_keys()?;
        Ok(Self { groups, keys, order, _reservation: reservation })
    }

    /// Number of groups.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// The groups at these places of the order.
    fn batch(&mut self, aggregate: &HashAggregate, range: Range<usize>) -> Result<Batch> {
        let groups = &self.order[range.clone()];
        let shape = &aggregate.shape;
        let key = |key: &ArrayRef| {
            if aggregate.order_shows {
                let rows = UInt32Array::from(groups.to_vec());
                Ok(arrow_select::take::take(key, &rows, None)?)
            } else {
                Ok(key.slice(range.start, range.len()))
            }
        };
        let mut columns = self.keys.iter().map(key).collect::<Result<Vec<ArrayRef>>>()?;
        let set_numbers = shape.sets.as_ref().zip(columns.pop_if(|_| shape.sets.is_some()));
        columns.extend(self.groups.finish(shape, groups)?);
        if let Some((sets, numbers)) = set_numbers {
            columns.push(sets.grouping_ids(numbers.as_primitive::<UInt32Type>().values()));
        }
        Ok(Batch::new(columns.into_iter().map(Column::Flat).collect(), groups.len()))
    }
}

/// Some of the groups of one table, which several workers give out.
pub(super) struct WholeReader {
    aggregate: Arc<HashAggregate>,
    emission: Arc<Mutex<Emission>>,
    range: Range<usize>,
}

impl WholeReader {
    /// The groups from this place on, as many as make a morsel.
    pub fn new(aggregate: &Arc<HashAggregate>, emission: Arc<Mutex<Emission>>, range: Range<usize>) -> Self {
        let end = range.end.min(range.start + MORSEL_GROUPS);
        Self { aggregate: Arc::clone(aggregate), emission, range: range.start..end }
    }

    /// Where the next morsel starts.
    pub fn end(&self) -> usize {
        self.range.end
    }
}

impl Reader for WholeReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        let end = self.range.end.min(self.range.start + self.aggregate.run.batch_rows());
        let range = std::mem::replace(&mut self.range.start, end)..end;
        if range.is_empty() {
            return Ok(None);
        }
        let mut emission = self.emission.lock().unwrap_or_else(PoisonError::into_inner);
        emission.batch(&self.aggregate, range).map(Some)
    }
}

/// A partition on the way to its groups. It does not know the aggregation, so that the aggregation may hold it.
pub(super) struct Partition {
    /// Parts still to be merged, the next one last, with the level at which each would be split.
    waiting: Vec<(RowStore, u32)>,
    /// Groups that are merged and not yet given out.
    merged: Option<(Groups, Reservation)>,
}

impl Partition {
    /// A partition of which nothing is merged.
    pub fn new(rows: RowStore) -> Self {
        Self { waiting: vec![(rows, 1)], merged: None }
    }

    /// Merges the partition and gives the number of its groups; `None` if it does not fit.
    pub fn merge_first(&mut self, aggregate: &HashAggregate) -> Result<Option<usize>> {
        let Some((rows, level)) = self.waiting.pop() else { return Ok(None) };
        self.merged = self.merge(aggregate, rows, level)?;
        Ok(self.merged.as_ref().map(|(groups, _)| groups.len()))
    }

    /// The groups that were merged.
    pub fn into_groups(self) -> Option<(Groups, Reservation)> {
        self.merged
    }

    /// The groups of the next part; `None` after the last.
    fn next_groups(&mut self, aggregate: &HashAggregate) -> Result<Option<(Groups, Reservation)>> {
        while self.merged.is_none() {
            let Some((rows, level)) = self.waiting.pop() else { return Ok(None) };
            self.merged = self.merge(aggregate, rows, level)?;
        }
        Ok(self.merged.take())
    }

    /// Merges a partition into a table; if it does not fit, it goes to `waiting` in parts.
    fn merge(
        &mut self,
        aggregate: &HashAggregate,
        partition: RowStore,
        level: u32,
    ) -> Result<Option<(Groups, Reservation)>> {
        let (shape, run) = (&aggregate.shape, &aggregate.run);
        let mut rows = partition.into_reader()?;
        let mut groups = Groups::new(shape);
        let mut reservation = aggregate.account.reserve();
        let mut parts: Option<Vec<RowStore>> = None;
        while let Some(batch) = rows.next()? {
            run.check_cancelled()?;
            groups.merge(shape, &batch)?;
            if reservation.try_resize(groups.memory_bytes()) {
                continue;
            }
            if groups.memory_bytes() <= TABLE_BYTES_MIN {
                reservation.force(groups.memory_bytes());
                continue;
            }
            if level >= LEVELS_MAX || groups.len() <= 1 {
                // Nothing left to split by: the groups themselves are larger than the budget.
                reservation.resize(groups.memory_bytes())?;
                continue;
            }
            split(aggregate, &mut groups, level, parts.get_or_insert_with(|| aggregate.new_parts()))?;
            groups = Groups::new(shape);
            reservation.force(0);
        }
        aggregate.note_peak();
        let Some(mut parts) = parts else { return Ok(Some((groups, reservation))) };
        split(aggregate, &mut groups, level, &mut parts)?;
        self.waiting.extend(parts.into_iter().rev().map(|part| (part, level + 1)));
        Ok(None)
    }
}

/// Adds all groups of a table to the parts of its partition, and leaves none.
fn split(aggregate: &HashAggregate, groups: &mut Groups, level: u32, parts: &mut [RowStore]) -> Result<()> {
    let given = groups.give_out_partitioned(&aggregate.shape, level, aggregate.run.batch_rows())?;
    for (part, batches) in parts.iter_mut().zip(given) {
        for batch in batches {
            part.add(batch)?;
        }
    }
    Ok(())
}

/// The groups of one partition. A partition that does not fit is split by the next bits of the hash, and its
/// parts are done one after the other.
pub(super) struct PartitionReader {
    aggregate: Arc<HashAggregate>,
    partition: Partition,
    emission: Option<Emission>,
    /// Groups that were given out.
    given: usize,
}

impl PartitionReader {
    pub fn new(aggregate: &Arc<HashAggregate>, partition: Partition) -> Self {
        Self { aggregate: Arc::clone(aggregate), partition, emission: None, given: 0 }
    }
}

impl Reader for PartitionReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            if let Some(emission) = &mut self.emission {
                let end = emission.len().min(self.given + self.aggregate.run.batch_rows());
                let range = std::mem::replace(&mut self.given, end)..end;
                if !range.is_empty() {
                    return emission.batch(&self.aggregate, range).map(Some);
                }
                self.emission = None;
                self.given = 0;
            }
            let Some((groups, reservation)) = self.partition.next_groups(&self.aggregate)? else {
                return Ok(None);
            };
            self.emission = Some(Emission::of_partition(&self.aggregate, groups, reservation)?);
        }
    }
}
