//! Short values and how often each occurs, one after the other as they are met: sorted and put together at the end.
//!
//! A dictionary has each value once, so a table would be asked for most of them in vain, and it lies outside the caches. A value and
//! its count are one number that sorts by value: the upper 96 bits are the key, the lower 32 the count.

use std::cell::RefCell;
use std::cmp::Reverse;

use super::Choice;
use super::counts::{Counts, Values};
use super::radix;
use crate::column::Output;
use crate::types::Type;

/// Longest text of an entry: its length stands behind it, so that a text is less than the same with a zero byte.
const TEXT_BYTES: u32 = 11;

/// How often all values together may be met, which is as often as one may be.
const TOTAL_MAX: u64 = u32::MAX as u64;

/// Entries that are always kept as they are met.
const ENTRIES_MIN: usize = 1 << 14;

/// Entries of a chunk that is made for less.
const CHUNK_MIN: usize = 1 << 10;

/// Entries are put together when there are so many times more than of any one dictionary ..
const DICTIONARIES: usize = 16;

/// .. and than there were values when it was done last.
const GROWTH: usize = 4;

/// Entries that a thread keeps room for from one vocabulary to the next.
const ROOM_MAX: usize = 1 << 22;

thread_local! {
    /// Where entries are sorted. Vocabularies are written one after the other, and pages that are there need not be made.
    static ROOM: RefCell<Vec<u128>> = const { RefCell::new(Vec::new()) };
}

/// Values, some of them several times, and how often each was met.
#[derive(Debug, Default)]
pub(super) struct Entries {
    chunks: Vec<Vec<u128>>,
    /// Number of entries.
    count: usize,
    /// How often all values were met, which the counts of entries can hold.
    total: u64,
    /// Most entries of a dictionary.
    largest: usize,
    /// Values when entries were put together last.
    values: usize,
}

/// The bytes of an inline view and its length, or nothing sensible for a longer text.
#[inline(always)]
fn key_of_view(view: u128) -> u128 {
    (view >> 32 << 32).swap_bytes() | view & 0xff
}

#[inline(always)]
fn view_of(entry: u128) -> u128 {
    (entry >> 40 << 8).swap_bytes() | entry >> 32 & 0xff
}

/// Integers in their order.
#[inline(always)]
fn key_of_integer(integer: i64) -> u128 {
    u128::from(integer as u64 ^ 1 << 63)
}

#[inline(always)]
fn integer_of(entry: u128) -> i64 {
    ((entry >> 32) as u64 ^ 1 << 63) as i64
}

#[inline(always)]
fn count_of(entry: u128) -> u64 {
    u64::from(entry as u32)
}

impl Entries {
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds values by their places, each once and as often as is said; false if one of them is too long or there are too many, and
    /// nothing is added then.
    pub fn add(&mut self, values: Values<'_>, items: &[(u32, u32)]) -> bool {
        let total = self.total + items.iter().map(|(_, times)| u64::from(*times)).sum::<u64>();
        if total > TOTAL_MAX {
            return false;
        }
        let limit = ENTRIES_MIN.max(self.largest * DICTIONARIES).max(self.values * GROWTH);
        if self.count + items.len() > limit {
            self.put_together();
        }
        let chunk = match self.chunks.last_mut() {
            Some(last) if last.capacity() - last.len() >= items.len() => last,
            _ => self.chunks.push_mut(Vec::with_capacity(items.len().max(CHUNK_MIN))),
        };
        if !extend(chunk, values, items) {
            return false;
        }
        self.count += items.len();
        self.total = total;
        self.largest = self.largest.max(items.len());
        true
    }

    /// Takes over what another holds; false if the counts of both are too great, and nothing has changed then.
    pub fn absorb(&mut self, other: &mut Self) -> bool {
        if self.total + other.total > TOTAL_MAX {
            return false;
        }
        self.chunks.append(&mut other.chunks);
        self.count += std::mem::take(&mut other.count);
        self.total += std::mem::take(&mut other.total);
        self.largest = self.largest.max(other.largest);
        true
    }

    /// Lends the values, each once and in their order.
    fn with_values<R>(&self, body: impl FnOnce(&[u128]) -> R) -> R {
        ROOM.with_borrow_mut(|room| {
            if room.len() < self.count {
                // What it held is of no use, so it is not copied.
                *room = Vec::new();
                room.resize(self.count, 0);
            }
            let values = &mut room[..self.count];
            radix::sort_into(&self.chunks.iter().map(Vec::as_slice).collect::<Vec<_>>(), values);
            let distinct = unite(values);
            let result = body(&values[..distinct]);
            if room.len() > ROOM_MAX {
                *room = Vec::new();
            }
            result
        })
    }

    /// Leaves each value once.
    fn put_together(&mut self) {
        let entries = self.with_values(<[u128]>::to_vec);
        let (largest, total) = (self.largest, self.total);
        *self = Self { count: entries.len(), total, largest, values: entries.len(), chunks: vec![entries] };
    }

    /// What a table would hold; there are no entries after this.
    pub fn take_counts(&mut self, is_text: bool) -> Counts {
        let key =
            |entry: &u128| if is_text { view_of(*entry) } else { u128::from(integer_of(*entry) as u64) };
        std::mem::take(self).with_values(|entries| {
            Counts::of(
                entries.iter().map(key).collect(),
                entries.iter().map(|entry| count_of(*entry)).collect(),
            )
        })
    }

    /// Writes the values that are chosen as the list of a row.
    pub fn write(&self, choice: Choice, output: &mut Output, row: usize) {
        self.with_values(|entries| {
            let mut list = output.list();
            let start = list.start();
            match list.child().data_type() {
                Type::Int64 => choose(entries, choice, |count| {
                    list.child().grow(count);
                    let integers = &mut list.child().fixed::<i64>()[start..];
                    |place: usize, entry: u128| integers[place] = integer_of(entry)
                }),
                _ => choose(entries, choice, |count| {
                    list.child().grow(count);
                    let texts = list.child().bytes();
                    move |place: usize, entry: u128| texts.set_inline(start + place, view_of(entry))
                }),
            }
            list.finish(row, start);
        });
    }

    pub fn memory_bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.capacity() * 16).sum()
    }
}

/// Appends values; false if one of them is too long, and nothing is appended then.
fn extend(chunk: &mut Vec<u128>, values: Values<'_>, items: &[(u32, u32)]) -> bool {
    let start = chunk.len();
    match values {
        Values::Texts(texts) => {
            let mut longest = 0;
            for &(place, times) in items {
                let view = texts.views[place as usize];
                longest = longest.max(view as u32);
                chunk.push(key_of_view(view) << 32 | u128::from(times));
            }
            if longest > TEXT_BYTES {
                chunk.truncate(start);
            }
            longest <= TEXT_BYTES
        }
        Values::Integers(integers) => {
            let entry = |&(place, times): &(u32, u32)| {
                key_of_integer(integers[place as usize]) << 32 | u128::from(times)
            };
            chunk.extend(items.iter().map(entry));
            true
        }
        Values::Held(..) => false,
    }
}

/// Adds up the counts of equal values, which stand side by side, and moves each value to the front once; how many there are.
fn unite(entries: &mut [u128]) -> usize {
    if entries.is_empty() {
        return 0;
    }
    let mut last = 0;
    for place in 1..entries.len() {
        let entry = entries[place];
        if entry >> 32 == entries[last] >> 32 {
            entries[last] += u128::from(entry as u32);
        } else {
            last += 1;
            entries[last] = entry;
        }
    }
    last + 1
}

/// Gives the chosen ones of values in their order a place each, in the order that is chosen. What takes them is made when it is known how
/// many there are.
fn choose<T: FnMut(usize, u128)>(entries: &[u128], choice: Choice, taker: impl FnOnce(usize) -> T) {
    let kept = || entries.iter().copied().filter(|entry| count_of(*entry) >= choice.min_count);
    match choice.top_k {
        None if choice.by_value => {
            let mut take = taker(kept().count());
            kept().enumerate().for_each(|(place, entry)| take(place, entry));
        }
        Some(top_k) if choice.by_value => {
            let mut chosen = Vec::new();
            by_count(entries, choice.min_count, top_k, |count| {
                chosen.resize(count, 0);
                |place: usize, entry: u128| chosen[place] = entry
            });
            chosen.sort_unstable();
            let mut take = taker(chosen.len());
            chosen.into_iter().enumerate().for_each(|(place, entry)| take(place, entry));
        }
        top_k => by_count(entries, choice.min_count, top_k.unwrap_or(usize::MAX), taker),
    }
}

/// Gives entries their places by count, the greatest first, and equal counts in the order they have. Most counts are small: each of
/// these has a class.
fn by_count<T: FnMut(usize, u128)>(
    entries: &[u128],
    min_count: u64,
    top_k: usize,
    taker: impl FnOnce(usize) -> T,
) {
    const CLASSES: usize = 256;
    let class = |entry: u128| CLASSES - (entry as u32 as usize).clamp(1, CLASSES);
    let kept = || entries.iter().copied().filter(|entry| count_of(*entry) >= min_count);
    let mut places = [0usize; CLASSES];
    kept().for_each(|entry| places[class(entry)] += 1);
    let mut frequent = Vec::with_capacity(places[0]);
    let mut start = 0;
    places.iter_mut().for_each(|count| start += std::mem::replace(count, start));
    let mut take = taker(start.min(top_k));
    for entry in kept() {
        match class(entry) {
            0 => frequent.push(entry),
            class => {
                let place = &mut places[class];
                if *place < top_k {
                    take(*place, entry);
                }
                *place += 1;
            }
        }
    }
    frequent.sort_by_key(|entry| Reverse(*entry as u32));
    frequent.into_iter().take(top_k).enumerate().for_each(|(place, entry)| take(place, entry));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::BytesData;

    #[test]
    fn values_that_are_put_together_keep_their_counts() {
        let numbers: Vec<i64> = (-30_000..30_000).map(|number| number * 1_000_003).collect();
        let mut entries = Entries::default();
        let rounds = 20u32;
        for round in 0..rounds {
            let items: Vec<(u32, u32)> = (0..numbers.len() as u32 / (1 + round % 3))
                .map(|place| (place, if place == 7 { 1 << 26 } else { 1 + round }))
                .collect();
            for items in items.chunks(1_000) {
                assert!(entries.add(Values::Integers(&numbers), items));
            }
            assert!(entries.count < 5 * numbers.len(), "{}", entries.count);
        }
        let counts = entries.take_counts(false);
        assert!(entries.is_empty());
        let found: Vec<i64> = counts.keys.iter().map(|key| *key as i64).collect();
        assert_eq!(found, numbers);
        assert_eq!(counts.counts[7], u64::from(rounds) << 26);
        assert_eq!(counts.counts[0], (1..=u64::from(rounds)).sum::<u64>());
        assert_eq!(counts.counts[59_999], (1..=u64::from(rounds)).step_by(3).sum::<u64>());
        assert!(entries.add(Values::Integers(&numbers), &[(0, u32::MAX)]));
        assert!(!entries.add(Values::Integers(&numbers), &[(0, 1)]));
        let mut other = Entries::default();
        assert!(other.add(Values::Integers(&numbers), &[(0, 1)]));
        assert!(!other.absorb(&mut entries) && other.absorb(&mut Entries::default()));
        assert_eq!((other.count, entries.count), (1, 1));
    }

    #[test]
    fn what_is_chosen_of_entries_is_what_a_table_chooses() {
        let numbers: Vec<i64> = (0..3_000).map(|number| number * 7_919 % 3_001 - 1_500).collect();
        let items = |round: u32| (0..3_000u32).map(move |place| (place, 1 + place % (7 + 290 * round)));
        for by_value in [false, true] {
            for (min_count, top_k) in [(1, None), (3, None), (3, Some(10)), (300, Some(5_000)), (9_999, None)]
            {
                let choice = Choice { by_value, min_count, top_k };
                let (mut entries, mut table) = (Entries::default(), Counts::default());
                for round in 0..3 {
                    let items: Vec<(u32, u32)> = items(round).collect();
                    assert!(entries.add(Values::Integers(&numbers), &items));
                    table.add(Values::Integers(&numbers), &items).unwrap();
                }
                let expected = table.chosen(choice, false);
                let expected: Vec<i64> =
                    expected.into_iter().map(|place| table.keys[place as usize] as i64).collect();
                for _ in 0..2 {
                    let mut found = Vec::new();
                    entries.with_values(|values| {
                        choose(values, choice, |count| {
                            found.resize(count, 0);
                            |place: usize, entry: u128| found[place] = integer_of(entry)
                        });
                    });
                    assert_eq!(found, expected, "{choice:?}");
                    entries.put_together();
                }
            }
        }
    }

    #[test]
    fn texts_are_in_the_order_of_their_bytes_and_long_ones_are_refused() {
        let mut texts =
            vec!["", "a", "a\0", "a\0\0", "ab", "b", "zzzzzzzzzzz", "\u{ff}", "aaaaaaaaaa", "aaaaaaaaaa\0"];
        let view = |texts: &[&str], entries: &mut Entries| {
            let array = arrow::array::StringViewArray::from_iter_values(texts);
            let data = BytesData { views: array.views(), own: None, buffers: array.data_buffers() };
            let items: Vec<(u32, u32)> = (0..texts.len() as u32).map(|place| (place, 1 + place)).collect();
            entries.add(Values::Texts(data), &items)
        };
        let mut entries = Entries::default();
        assert!(view(&texts, &mut entries));
        assert!(!view(&["b", "twelve bytes"], &mut entries));
        assert!(!view(&["b", "thirteen more bytes"], &mut entries));
        let counts = entries.take_counts(true);
        let counted = |text: &str| texts.iter().position(|other| *other == text).unwrap() as u64 + 1;
        let found: Vec<&[u8]> = (0..counts.len()).map(|place| counts.text(place)).collect();
        for (text, count) in found.iter().zip(&counts.counts) {
            assert_eq!(counted(std::str::from_utf8(text).unwrap()), *count);
        }
        texts.sort_unstable();
        assert_eq!(found, texts.iter().map(|text| text.as_bytes()).collect::<Vec<_>>());
    }
}
