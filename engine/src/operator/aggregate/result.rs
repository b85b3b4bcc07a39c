//! Reads the groups: of one whole table, or of a partition that is merged when its turn comes.

use std::sync::Arc;

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

/// Gives out the groups of a table in a given order.
struct Emission {
    groups: Groups,
    keys: Vec<ArrayRef>,
    order: Vec<u32>,
    given: usize,
    _reservation: Reservation,
}

impl Emission {
    fn new(mut groups: Groups, order: Vec<u32>, reservation: Reservation) -> Result<Self> {
        let keys = groups.take_keys()?;
        Ok(Self { groups, keys, order, given: 0, _reservation: reservation })
    }

    fn next(&mut self, aggregate: &HashAggregate) -> Result<Option<Batch>> {
        let end = self.order.len().min(self.given + aggregate.run().batch_rows());
        let groups = &self.order[self.given..end];
        if groups.is_empty() {
            return Ok(None);
        }
        self.given = end;
        let rows = UInt32Array::from(groups.to_vec());
        let keys = self.keys.iter().map(|key| Ok(arrow_select::take::take(key, &rows, None)?));
        let mut columns = keys.collect::<Result<Vec<ArrayRef>>>()?;
        let shape = aggregate.shape();
        let set_numbers = shape.sets.as_ref().zip(columns.pop_if(|_| shape.sets.is_some()));
        columns.extend(self.groups.finish(shape, groups)?);
        if let Some((sets, numbers)) = set_numbers {
            columns.push(sets.grouping_ids(numbers.as_primitive::<UInt32Type>().values()));
        }
        Ok(Some(Batch::new(columns.into_iter().map(Column::Flat).collect(), groups.len())))
    }
}

/// The groups of one table.
pub(super) struct WholeReader {
    aggregate: Arc<HashAggregate>,
    waiting: Option<(Groups, Reservation)>,
    emission: Option<Emission>,
}

impl WholeReader {
    pub fn new(aggregate: &Arc<HashAggregate>, groups: Groups, reservation: Reservation) -> Self {
        Self { aggregate: Arc::clone(aggregate), waiting: Some((groups, reservation)), emission: None }
    }
}

impl Reader for WholeReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        if let Some((groups, reservation)) = self.waiting.take() {
            let shape = self.aggregate.shape();
            let order = if groups.len() <= ORDERED_GROUPS {
                groups.by_first(shape, (0..groups.len() as u32).collect())
            } else {
                let parts = groups.partitioned(0);
                parts.into_iter().flat_map(|part| groups.by_first(shape, part)).collect()
            };
            self.emission = Some(Emission::new(groups, order, reservation)?);
        }
        match &mut self.emission {
            Some(emission) => emission.next(&self.aggregate),
            None => Ok(None),
        }
    }
}

/// The groups of one partition. A partition that does not fit is split by the next bits of the hash, and its
/// parts are done one after the other.
pub(super) struct PartitionReader {
    aggregate: Arc<HashAggregate>,
    /// Partitions still to be merged, the next one last, with the level at which each would be split.
    waiting: Vec<(RowStore, u32)>,
    emission: Option<Emission>,
}

impl PartitionReader {
    pub fn new(aggregate: &Arc<HashAggregate>, partition: RowStore) -> Self {
        Self { aggregate: Arc::clone(aggregate), waiting: vec![(partition, 1)], emission: None }
    }

    /// Merges a partition into a table; if it does not fit, it goes to `waiting` in parts.
    fn merge(&mut self, partition: RowStore, level: u32) -> Result<Option<Emission>> {
        let aggregate = Arc::clone(&self.aggregate);
        let (shape, run) = (aggregate.shape(), aggregate.run());
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
            let full = std::mem::replace(&mut groups, Groups::new(shape));
            self.split(full, level, parts.get_or_insert_with(|| aggregate.new_partitions()))?;
            reservation.force(0);
        }
        aggregate.note_peak();
        let Some(mut parts) = parts else {
            let order = groups.by_first(shape, (0..groups.len() as u32).collect());
            return Emission::new(groups, order, reservation).map(Some);
        };
        self.split(groups, level, &mut parts)?;
        self.waiting.extend(parts.into_iter().rev().map(|part| (part, level + 1)));
        Ok(None)
    }

    fn split(&self, mut groups: Groups, level: u32, parts: &mut [RowStore]) -> Result<()> {
        let run = self.aggregate.run();
        let given = groups.give_out_partitioned(self.aggregate.shape(), level, run.batch_rows())?;
        for (part, batches) in parts.iter_mut().zip(given) {
            for batch in batches {
                part.add(batch)?;
            }
        }
        Ok(())
    }
}

impl Reader for PartitionReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            if let Some(emission) = &mut self.emission {
                if let Some(batch) = emission.next(&self.aggregate)? {
                    return Ok(Some(batch));
                }
                self.emission = None;
            }
            let Some((partition, level)) = self.waiting.pop() else { return Ok(None) };
            self.emission = self.merge(partition, level)?;
        }
    }
}
