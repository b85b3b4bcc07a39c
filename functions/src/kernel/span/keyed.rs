//! Where the entries of wanted keys stand in spans of keys: one pass over a span for all keys that are wanted.

use super::recall::Word;
use super::{Span, elements};

/// The place of a key that a span lacks.
pub const ABSENT: u32 = u32::MAX;
/// Slots for each key, so that most other keys meet an empty one.
const SLOTS_PER_KEY: usize = 4;
/// An odd number without a pattern: the golden ratio of 2^64.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Wanted keys by open addressing.
#[derive(Debug)]
pub struct KeyTable {
    slots: Vec<(u64, u32)>,
    shift: u32,
    /// The position of each wanted key among the different ones.
    positions: Vec<u32>,
    distinct: u32,
}

impl KeyTable {
    /// A table of the words of wanted keys.
    pub fn new(keys: &[u64]) -> Self {
        let size = (keys.len() * SLOTS_PER_KEY).next_power_of_two().max(2);
        let mut table = Self {
            slots: vec![(0, ABSENT); size],
            shift: u64::BITS - size.trailing_zeros(),
            positions: Vec::with_capacity(keys.len()),
            distinct: 0,
        };
        for &key in keys {
            let slot = table.slot(key);
            if table.slots[slot].1 == ABSENT {
                table.slots[slot] = (key, table.distinct);
                table.distinct += 1;
            }
            table.positions.push(table.slots[slot].1);
        }
        table
    }

    /// The slot that holds a key, or the empty one where it would be put.
    #[inline(always)]
    fn slot(&self, key: u64) -> usize {
        let mut at = (key.wrapping_mul(MULTIPLIER) >> self.shift) as usize;
        loop {
            let (held, position) = self.slots[at];
            if position == ABSENT || held == key {
                return at;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// Places for each span: one for each different key, and one that is of no use.
    pub fn stride(&self) -> usize {
        self.distinct as usize + 1
    }

    /// Where the place of each wanted key stands among those of a span.
    pub fn positions(&self) -> &[u32] {
        &self.positions
    }
}

#[inline(always)]
fn write_places<T: Word>(table: &KeyTable, keys: &[T], spans: &[Span], places: &mut [u32]) {
    let stride = table.stride();
    assert!(places.len() >= spans.len() * stride, "fewer places than spans and keys need");
    places.fill(ABSENT);
    for (&span, own) in spans.iter().zip(places.chunks_exact_mut(stride)) {
        // From the end, so that the first of equal keys has the last word.
        for (&key, at) in elements(keys, span).iter().zip(span.0..span.1).rev() {
            let position = table.slots[table.slot(key.word())].1;
            own[position.min(table.distinct) as usize] = at;
        }
    }
}

at_each_level! {
    /// Writes where the first of each wanted key stands in each span, [`ABSENT`] if it does not: [`KeyTable::stride`]
    /// places for each span.
    ///
    /// # Panics
    /// If a span does not lie inside the keys, or there are fewer places.
    pub fn places_i64 / places_i64_at(table: &KeyTable, keys: &[i64], spans: &[Span], places: &mut [u32]) {
        write_places(table, keys, spans, places);
    }

    /// As [`places_i64`], for keys of 32 bits.
    pub fn places_i32 / places_i32_at(table: &KeyTable, keys: &[i32], spans: &[Span], places: &mut [u32]) {
        write_places(table, keys, spans, places);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    #[test]
    fn places_are_those_of_a_search_at_every_level() {
        let keys: Vec<i64> = (0..900i64).map(|at| at * 37 % 101 - 20).collect();
        let narrow: Vec<i32> = keys.iter().map(|&key| key as i32).collect();
        let spans: Vec<Span> = vec![(0, 0), (0, 1), (5, 60), (60, 400), (400, 400), (300, 900)];
        for wanted in [vec![], vec![3i64], vec![-20, 7, 7, 80, 99, 1 << 40], (-20..60).collect()] {
            let words: Vec<u64> = wanted.iter().map(|&key| key as u64).collect();
            let table = KeyTable::new(&words);
            for level in Level::available() {
                let mut places = vec![0; spans.len() * table.stride()];
                let mut same = places.clone();
                places_i64_at(level, &table, &keys, &spans, &mut places);
                places_i32_at(level, &table, &narrow, &spans, &mut same);
                for (span, (own, narrow)) in
                    spans.iter().zip(places.chunks(table.stride()).zip(same.chunks(table.stride())))
                {
                    for (key, &position) in wanted.iter().zip(table.positions()) {
                        let found = elements(&keys, *span).iter().position(|held| held == key);
                        let expected = found.map_or(ABSENT, |place| span.0 + place as u32);
                        assert_eq!((own[position as usize], narrow[position as usize]), (expected, expected));
                    }
                }
            }
        }
    }
}
