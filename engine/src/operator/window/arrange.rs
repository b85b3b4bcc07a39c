//! Puts the rows of a part in order: partitions one after the other, each sorted, ties in the order of the input.

use bumpalo::Bump;
use hypostyle_functions::column::{Column, Data, Encoding, Rows, View};
use hypostyle_functions::types::Type;

use super::shape::{Key, WindowShape};
use crate::operator::aggregate::GroupTable;
use crate::operator::sort::SortKeys;

/// Rows in an order, cut into partitions and into groups of peers.
#[derive(Debug, Clone)]
pub(super) struct Arrangement {
    /// The row at each position.
    pub order: Vec<u32>,
    /// Position at which each partition starts, and the end.
    pub partitions: Vec<u32>,
    /// Position at which each group of peers starts, and the end.
    pub peers: Vec<u32>,
    /// Whether every row stands at its own position.
    pub is_identity: bool,
    /// The key that was sorted by last and its values as [`numbers`] in order, where it is a number without nulls.
    pub numbers: Option<(Key, Vec<u64>)>,
}

/// Rows that are given groups at once: the table of groups then grows with the groups, and not with the rows.
const ASSIGNED_ROWS: usize = 1 << 13;

impl Arrangement {
    /// Rows by partition, in the order of the input: every partition is one group of peers.
    pub fn partitioned(shape: &WindowShape, columns: &[Column], rows: usize) -> Self {
        if shape.is_one_partition() {
            return Self::one_partition(rows);
        }
        let bump = Bump::new();
        let keys = shape.partition_keys;
        let views: Vec<View<'_>> = columns[..keys]
            .iter()
            .zip(&shape.column_types)
            .map(|(column, data_type)| column.view(data_type, &bump))
            .collect();
        let mut table = GroupTable::new(&shape.column_types[..keys]);
        let groups = groups(&mut table, &views, rows);
        let count = table.len();
        let mut starts = vec![0u32; count + 1];
        groups.iter().for_each(|&group| starts[group as usize + 1] += 1);
        for group in 0..count {
            starts[group + 1] += starts[group];
        }
        let mut next = starts.clone();
        let mut order = vec![0u32; rows];
        for (row, &group) in groups.iter().enumerate() {
            let place = &mut next[group as usize];
            order[*place as usize] = row as u32;
            *place += 1;
        }
        let is_identity = order.is_sorted();
        Self { order, partitions: starts.clone(), peers: starts, is_identity, numbers: None }
    }

    /// Rows that are one partition, in the order of the input.
    pub fn one_partition(rows: usize) -> Self {
        Self::of_partitions(vec![0, rows as u32])
    }

    /// Rows whose partitions follow one another, by where each starts and the last one ends.
    pub fn of_partitions(partitions: Vec<u32>) -> Self {
        let order = (0..partitions.last().copied().unwrap_or(0)).collect();
        Self { order, peers: partitions.clone(), partitions, is_identity: true, numbers: None }
    }

    /// Sorts the rows of each group of peers by further keys, one after the other: mostly the first leaves little to the
    /// others.
    pub fn refined(mut self, keys: &[Key], columns: &[Column], types: &[Type]) -> Self {
        for key in keys {
            let rows = self.order.len();
            if self.peers.len() == rows + 1 {
                break;
            }
            let bump = Bump::new();
            let view = columns[key.column].view(&types[key.column], &bump);
            self.numbers = None;
            match numbers(&view, rows, key.descending) {
                Some(numbers) if !view.may_be_null() => {
                    self.numbers = Some((key.clone(), self.sort_numbers(&numbers)));
                }
                Some(numbers) => {
                    let null = u8::from(!key.nulls_first) * 2;
                    self.sort_peers(|row| match view.is_valid(row) {
                        true => (1, numbers[row]),
                        false => (null, 0),
                    });
                }
                None => {
                    let mut bytes = SortKeys::new(&[key.order(types)]);
                    bytes.extend(std::slice::from_ref(&view), rows, |_| 0);
                    // The ordinal at the end of each key is left out: peers have equal keys.
                    self.sort_peers(|row| {
                        let key = bytes.get(row);
                        &key[..key.len() - size_of::<u64>()]
                    });
                }
            }
        }
        if !keys.is_empty() {
            self.is_identity = self.is_identity && self.order.is_sorted();
        }
        self
    }

    /// Sorts each group of peers by a key, and cuts it where the key changes.
    fn sort_peers<K: Ord + Copy>(&mut self, key: impl Fn(usize) -> K) {
        let mut peers = Vec::with_capacity(self.peers.len());
        let mut keyed: Vec<(K, u32)> = Vec::new();
        for ends in self.peers.windows(2) {
            let (start, end) = (ends[0] as usize, ends[1] as usize);
            if end - start == 1 {
                peers.push(start as u32);
                continue;
            }
            let rows = &mut self.order[start..end];
            keyed.clear();
            keyed.extend(rows.iter().map(|&row| (key(row as usize), row)));
            if !keyed.is_sorted_by(|left, right| left.0 <= right.0) {
                // Rows of one group stand in the order of the input, so their numbers break ties.
                keyed.sort_unstable();
                rows.iter_mut().zip(&keyed).for_each(|(row, (_, sorted))| *row = *sorted);
            }
            for (position, (key, _)) in keyed.iter().enumerate() {
                if position == 0 || *key != keyed[position - 1].0 {
                    peers.push((start + position) as u32);
                }
            }
        }
        peers.push(self.order.len() as u32);
        self.peers = peers;
    }

    /// Sorts each group of peers by the numbers of its rows, and cuts it where the number changes; the numbers in order.
    fn sort_numbers(&mut self, numbers: &[u64]) -> Vec<u64> {
        let mut sorted: Vec<u64> = self.order.iter().map(|&row| numbers[row as usize]).collect();
        let mut peers = Vec::with_capacity(self.order.len() + 1);
        let mut keyed: Vec<(u64, u32)> = Vec::new();
        for ends in self.peers.windows(2) {
            let (start, end) = (ends[0] as usize, ends[1] as usize);
            let values = &mut sorted[start..end];
            if !values.is_sorted() {
                let rows = &mut self.order[start..end];
                keyed.clear();
                keyed.extend(values.iter().copied().zip(rows.iter().copied()));
                // Rows of one group stand in the order of the input, so their numbers break ties.
                keyed.sort_unstable();
                values.iter_mut().zip(&keyed).for_each(|(value, (sorted, _))| *value = *sorted);
                rows.iter_mut().zip(&keyed).for_each(|(row, (_, sorted))| *row = *sorted);
            }
            if start < end {
                peers.push(ends[0]);
            }
            let pairs = values.windows(2).zip(ends[0] + 1..);
            peers.extend(pairs.filter(|(pair, _)| pair[0] != pair[1]).map(|(_, position)| position));
        }
        peers.push(self.order.len() as u32);
        self.peers = peers;
        sorted
    }

    /// The position of each row.
    pub fn positions(&self) -> Vec<u32> {
        let mut positions = vec![0u32; self.order.len()];
        for (position, &row) in self.order.iter().enumerate() {
            positions[row as usize] = position as u32;
        }
        positions
    }

    /// For each position, the number of its group among these.
    pub fn numbers_of(starts: &[u32]) -> Vec<u32> {
        let mut numbers = vec![0u32; starts.last().map_or(0, |&end| end as usize)];
        for (number, ends) in starts.windows(2).enumerate() {
            numbers[ends[0] as usize..ends[1] as usize].fill(number as u32);
        }
        numbers
    }
}

/// The group of each row.
fn groups(table: &mut GroupTable, keys: &[View<'_>], rows: usize) -> Vec<u32> {
    let mut groups = Vec::with_capacity(rows);
    let mut of_stretch = Vec::new();
    for start in (0..rows).step_by(ASSIGNED_ROWS) {
        let count = ASSIGNED_ROWS.min(rows - start);
        let stretch: Option<Vec<View<'_>>> = keys.iter().map(|key| key.part(start..start + count)).collect();
        match stretch {
            Some(stretch) => table.assign(&stretch, count, Rows::All(count), &mut of_stretch),
            None => {
                table.assign(keys, rows, Rows::All(rows), &mut of_stretch);
                return of_stretch;
            }
        }
        groups.extend_from_slice(&of_stretch);
    }
    groups
}

/// Values of a fixed-width column as numbers in the same order; a null row has any number. `None` for other columns.
pub(super) fn numbers(view: &View<'_>, rows: usize, descending: bool) -> Option<Vec<u64>> {
    const SIGN: u64 = 1 << 63;
    let each = |number: &dyn Fn(usize) -> u64| -> Vec<u64> {
        let turn = if descending { u64::MAX } else { 0 };
        (0..rows).map(|row| number(view.value_index(row)) ^ turn).collect()
    };
    // The usual keys, times and numbers without nulls, are worth a loop of their own.
    if let (Data::Int64(values), Encoding::Flat) = (view.data, view.encoding) {
        let turn = if descending { !SIGN } else { SIGN };
        return Some(values[..rows].iter().map(|&value| value as u64 ^ turn).collect());
    }
    Some(match view.data {
        Data::Boolean(bits) => each(&|index| u64::from(bits.get(index))),
        Data::Int8(values) => each(&|index| values[index] as i64 as u64 ^ SIGN),
        Data::Int16(values) => each(&|index| values[index] as i64 as u64 ^ SIGN),
        Data::Int32(values) => each(&|index| values[index] as i64 as u64 ^ SIGN),
        Data::Int64(values) => each(&|index| values[index] as u64 ^ SIGN),
        Data::UInt8(values) => each(&|index| values[index].into()),
        Data::UInt16(values) => each(&|index| values[index].into()),
        Data::UInt32(values) => each(&|index| values[index].into()),
        Data::UInt64(values) => each(&|index| values[index]),
        Data::Float16(values) => each(&|index| ordered(values[index].to_f64())),
        Data::Float32(values) => each(&|index| ordered(values[index].into())),
        Data::Float64(values) => each(&|index| ordered(values[index])),
        _ => return None,
    })
}

/// A number that orders as the float does: NaN greatest and equal to itself, zeros equal.
fn ordered(value: f64) -> u64 {
    let value = if value.is_nan() { f64::NAN.abs() } else { value + 0.0 };
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}
