//! Grouping sets: each row is grouped once per set. The number of the set is one more key of the table, and keys
//! outside the set are null, so merging and spilling need to know nothing of sets.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, UInt32Array, new_null_array};
use hypostyle_functions::column::Column;
use hypostyle_functions::types::Type;

/// The sets of an aggregation.
#[derive(Debug)]
pub(crate) struct GroupingSets {
    sets: Vec<Set>,
    /// A null of each key's type.
    nulls: Vec<ArrayRef>,
}

#[derive(Debug)]
struct Set {
    /// Whether each key is in the set.
    members: Vec<bool>,
    /// The number of the set, as a value of one row.
    number: ArrayRef,
    /// A bit per key that is not in the set, the last key lowest.
    grouping_id: i64,
}

impl GroupingSets {
    /// Sets over keys of these types, each as positions of keys.
    pub fn new(sets: &[Vec<usize>], key_types: &[Type]) -> Self {
        let set = |(number, positions): (usize, &Vec<usize>)| {
            let members: Vec<bool> = (0..key_types.len()).map(|key| positions.contains(&key)).collect();
            let grouping_id = members.iter().fold(0, |id, &is_member| id << 1 | i64::from(!is_member));
            Set { members, number: Arc::new(UInt32Array::from(vec![number as u32])), grouping_id }
        };
        Self {
            sets: sets.iter().enumerate().map(set).collect(),
            nulls: key_types.iter().map(|data_type| new_null_array(&data_type.to_arrow(), 1)).collect(),
        }
    }

    /// Number of sets.
    pub fn len(&self) -> usize {
        self.sets.len()
    }

    /// The key columns of a set, the number of the set last.
    pub fn columns(&self, set: usize, keys: &[Column], rows: usize) -> Vec<Column> {
        let Set { members, number, .. } = &self.sets[set];
        let constant = |value: &ArrayRef| Column::Constant { value: Arc::clone(value), length: rows };
        let own = keys.iter().zip(members).zip(&self.nulls);
        own.map(|((key, &is_member), null)| if is_member { key.clone() } else { constant(null) })
            .chain([constant(number)])
            .collect()
    }

    /// The key of the one group of each set without keys.
    pub fn empty_sets(&self) -> Vec<Vec<Column>> {
        let nulls: Vec<Column> =
            self.nulls.iter().map(|null| Column::Constant { value: Arc::clone(null), length: 1 }).collect();
        let is_empty = |&set: &usize| !self.sets[set].members.contains(&true);
        (0..self.len()).filter(is_empty).map(|set| self.columns(set, &nulls, 1)).collect()
    }

    /// The grouping id of each row with this set number.
    pub fn grouping_ids(&self, numbers: &[u32]) -> ArrayRef {
        let ids = numbers.iter().map(|&set| self.sets[set as usize].grouping_id);
        Arc::new(Int64Array::from_iter_values(ids))
    }
}
