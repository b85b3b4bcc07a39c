//! Rows of which each key holds the last one given: what a recursion USING KEY keeps.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use arrow::array::ArrayRef;
use bumpalo::Bump;
use hypostyle_functions::column::Column;
use hypostyle_functions::types::Type;

use crate::batch::Batch;
use crate::error::Result;
use crate::memory::Keeper;
use crate::operator::sort::run::gather_column;
use crate::operator::sort::{KeyOrder, SortKeys};

/// Bytes of a remembered key beside its own.
const KEY_BYTES: usize = 64;

/// Rows that have been replaced are given up once they are so many times those that have not, and many.
const WASTE_MAX: usize = 2;
const WASTE_ROWS_MIN: usize = 4_096;

/// The place of a row: batch and row.
type Place = (usize, usize);

/// One row for each key.
pub struct KeyedRows {
    types: Vec<Type>,
    key_columns: Vec<usize>,
    /// Key of each row held, with its number in order of first appearance.
    numbers: HashMap<Box<[u8]>, usize, ahash::RandomState>,
    /// By number: where the row is.
    places: Vec<Place>,
    batches: Vec<Batch>,
    keeper: Keeper,
    row_bytes: usize,
    key_bytes: usize,
    rows_held: usize,
}

impl KeyedRows {
    /// No rows yet, of these columns; keys are columns by position.
    pub fn new(types: &[Type], key_columns: &[usize]) -> Self {
        Self {
            types: types.to_vec(),
            key_columns: key_columns.to_vec(),
            numbers: HashMap::default(),
            places: Vec::new(),
            batches: Vec::new(),
            keeper: Keeper::default(),
            row_bytes: 0,
            key_bytes: 0,
            rows_held: 0,
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.row_bytes + self.key_bytes
    }

    /// Takes the rows of a round, in order: the last of each key stays. Gives those that stay and differ from what their key
    /// held before the round.
    pub fn take_round(&mut self, round: Vec<Batch>) -> Result<Vec<Batch>> {
        let first_new = self.places.len();
        // Numbers of the keys that the round has, in order, with what they held.
        let mut before: HashMap<usize, Option<Place>, ahash::RandomState> = HashMap::default();
        let mut touched = Vec::new();
        for batch in round {
            let keys = encoded(&batch, &self.key_columns, &self.types);
            let (batch, bytes) = self.keeper.keep(batch);
            let place = self.batches.len();
            for row in 0..batch.rows {
                let number = self.number(keys.get(row));
                if let Entry::Vacant(entry) = before.entry(number) {
                    let held = (number < first_new).then(|| self.places.get(number).copied()).flatten();
                    entry.insert(held);
                    touched.push(number);
                }
                match self.places.get_mut(number) {
                    Some(held) => *held = (place, row),
                    None => self.places.push((place, row)),
                }
            }
            self.rows_held += batch.rows;
            self.row_bytes += bytes;
            self.batches.push(batch);
        }
        let changed = self.changed(touched, &before)?;
        let places: Vec<Place> =
            changed.iter().filter_map(|number| self.places.get(*number).copied()).collect();
        let rows = self.gather(&places)?;
        self.compact()?;
        Ok(rows)
    }

    /// The number of a key; the next one if it is new.
    fn number(&mut self, key: &[u8]) -> usize {
        if let Some(number) = self.numbers.get(key) {
            return *number;
        }
        let number = self.numbers.len();
        self.numbers.insert(key.into(), number);
        self.key_bytes += key.len() + KEY_BYTES;
        number
    }

    /// Those of these numbers whose row differs from the one before.
    fn changed(
        &self,
        touched: Vec<usize>,
        before: &HashMap<usize, Option<Place>, ahash::RandomState>,
    ) -> Result<Vec<usize>> {
        let held = |number: &usize| before.get(number).copied().flatten();
        let compared: Vec<usize> = touched.iter().copied().filter(|number| held(number).is_some()).collect();
        let old: Vec<Place> = compared.iter().filter_map(held).collect();
        let new: Vec<Place> =
            compared.iter().filter_map(|number| self.places.get(*number).copied()).collect();
        let all: Vec<usize> = (0..self.types.len()).collect();
        let mut same = std::collections::HashSet::<usize, ahash::RandomState>::default();
        let mut numbers = compared.iter();
        for (old, new) in self.gather(&old)?.iter().zip(&self.gather(&new)?) {
            let (old_rows, new_rows) = (encoded(old, &all, &self.types), encoded(new, &all, &self.types));
            for row in 0..old.rows {
                let Some(number) = numbers.next() else { break };
                if old_rows.get(row) == new_rows.get(row) {
                    same.insert(*number);
                }
            }
        }
        Ok(touched.into_iter().filter(|number| !same.contains(number)).collect())
    }

    /// All rows, in the order in which their keys first appeared.
    pub fn rows(&self) -> Result<Vec<Batch>> {
        self.gather(&self.places)
    }

    /// The rows at these places, in batches of the usual size.
    fn gather(&self, places: &[Place]) -> Result<Vec<Batch>> {
        // A round touches few of the batches that many rounds have left.
        let mut read: Vec<usize> = places.iter().map(|&(batch, _)| batch).collect();
        read.sort_unstable();
        read.dedup();
        let places: Vec<Place> =
            places.iter().map(|&(batch, row)| (read.partition_point(|&other| other < batch), row)).collect();
        let mut arrays: Vec<Vec<ArrayRef>> = Vec::with_capacity(self.types.len());
        for column in 0..self.types.len() {
            let of_column = read.iter().map(|&batch| Ok(self.batches[batch].columns[column].to_array()?));
            arrays.push(of_column.collect::<Result<_>>()?);
        }
        places
            .chunks(WASTE_ROWS_MIN)
            .map(|places| {
                let columns = arrays.iter().zip(&self.types);
                let columns = columns
                    .map(|(arrays, held)| Ok(Column::Flat(gather_column(arrays, places, held)?)))
                    .collect::<Result<_>>()?;
                Ok(Batch::new(columns, places.len()))
            })
            .collect()
    }

    /// Gives up rows that have been replaced, where they are most.
    fn compact(&mut self) -> Result<()> {
        let waste = self.rows_held - self.places.len();
        if waste < WASTE_ROWS_MIN || waste < WASTE_MAX * self.places.len() {
            return Ok(());
        }
        let rows = self.rows()?;
        self.keeper = Keeper::default();
        self.batches.clear();
        self.row_bytes = 0;
        self.rows_held = self.places.len();
        self.places.clear();
        for batch in rows {
            let place = self.batches.len();
            self.places.extend((0..batch.rows).map(|row| (place, row)));
            let (batch, bytes) = self.keeper.keep(batch);
            self.row_bytes += bytes;
            self.batches.push(batch);
        }
        Ok(())
    }
}

/// These columns of each row as bytes that are equal where the values are.
fn encoded(batch: &Batch, columns: &[usize], types: &[Type]) -> SortKeys {
    let bump = Bump::new();
    let orders: Vec<KeyOrder> = columns
        .iter()
        .map(|&column| KeyOrder { data_type: types[column].clone(), descending: false, nulls_first: false })
        .collect();
    let views: Vec<_> =
        columns.iter().map(|&column| batch.columns[column].view(&types[column], &bump)).collect();
    let mut keys = SortKeys::new(&orders);
    keys.extend(&views, batch.rows, |_| 0);
    keys
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, Int64Array};

    use super::*;

    fn batch(rows: &[(i64, i64)]) -> Batch {
        let column = |values: Vec<i64>| Column::Flat(Arc::new(Int64Array::from(values)) as ArrayRef);
        let keys = column(rows.iter().map(|(key, _)| *key).collect());
        Batch::new(vec![keys, column(rows.iter().map(|(_, value)| *value).collect())], rows.len())
    }

    fn pairs(batches: &[Batch]) -> Vec<(i64, i64)> {
        let mut pairs = Vec::new();
        for batch in batches {
            let arrays: Vec<ArrayRef> =
                batch.columns.iter().map(|column| column.to_array().unwrap()).collect();
            let values =
                |array: &ArrayRef| array.as_any().downcast_ref::<Int64Array>().unwrap().values().to_vec();
            assert_eq!(arrays[0].len(), batch.rows);
            pairs.extend(values(&arrays[0]).into_iter().zip(values(&arrays[1])));
        }
        pairs
    }

    #[test]
    fn the_last_row_of_a_key_stays_and_is_told_once() {
        let mut rows = KeyedRows::new(&[Type::Int64, Type::Int64], &[0]);
        let changed = rows.take_round(vec![batch(&[(1, 10), (2, 20), (1, 11)]), batch(&[(3, 30)])]).unwrap();
        assert_eq!(pairs(&changed), [(1, 11), (2, 20), (3, 30)]);
        // A row that came back to what it was has not changed.
        let changed = rows.take_round(vec![batch(&[(2, 0), (2, 20), (3, 31)])]).unwrap();
        assert_eq!(pairs(&changed), [(3, 31)]);
        assert_eq!(pairs(&rows.rows().unwrap()), [(1, 11), (2, 20), (3, 31)]);
        assert!(rows.take_round(vec![batch(&[(1, 11)])]).unwrap().is_empty());
    }

    #[test]
    fn replaced_rows_are_given_up() {
        let mut rows = KeyedRows::new(&[Type::Int64, Type::Int64], &[0]);
        for round in 0..20_000 {
            rows.take_round(vec![batch(&[(round % 3, round)])]).unwrap();
        }
        assert!(rows.rows_held <= WASTE_ROWS_MIN + 4, "{} rows are held", rows.rows_held);
        assert_eq!(pairs(&rows.rows().unwrap()), [(0, 19_998), (1, 19_999), (2, 19_997)]);
    }
}
