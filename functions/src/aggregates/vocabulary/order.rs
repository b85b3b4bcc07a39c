//! Which values a vocabulary has, and in which order.

use super::Choice;
use super::counts::{Counts, INLINE_BYTES};
use crate::column::Output;
use crate::kernel::prefetch::{DISTANCE, prefetch};
use crate::types::Type;

impl Counts {
    /// The places of the values that are chosen, in their order.
    pub fn chosen(&self, choice: Choice, is_text: bool) -> Vec<u32> {
        let kept =
            (0..self.keys.len() as u32).filter(|place| self.counts[*place as usize] >= choice.min_count);
        if choice.by_value && choice.top_k.is_none() {
            return self.sorted(kept, false, is_text);
        }
        let mut places = self.sorted(kept, true, is_text);
        places.truncate(choice.top_k.unwrap_or(usize::MAX));
        match choice.by_value {
            true => self.sorted(places.into_iter(), false, is_text),
            false => places,
        }
    }

    /// Places by count, the greatest first, and then by value, or by value alone. One number holds the front of both and the place;
    /// counts beyond 32 bits, and values that are equal in front, are compared as a whole where their fronts are equal.
    fn sorted(&self, places: impl Iterator<Item = u32>, by_count: bool, is_text: bool) -> Vec<u32> {
        let rank = |place: u32| match by_count {
            true => u32::MAX - u32::try_from(self.counts[place as usize]).unwrap_or(u32::MAX),
            false => 0,
        };
        let entry = |place: u32| {
            u128::from(rank(place)) << 96 | u128::from(self.front(place, is_text)) << 32 | u128::from(place)
        };
        let mut entries: Vec<u128> = places.map(entry).collect();
        entries.sort_unstable();
        let is_saturated = |entry: u128| by_count && entry >> 96 == 0;
        let is_open = |left: &u128, right: &u128| {
            left >> 32 == right >> 32 || is_saturated(*left) && is_saturated(*right)
        };
        for run in entries.chunk_by_mut(is_open).filter(|run| run.len() > 1) {
            run.sort_unstable_by(|left, right| self.compare(*left as u32, *right as u32, by_count, is_text));
        }
        entries.into_iter().map(|entry| entry as u32).collect()
    }

    /// Eight bytes of the order of the values, equal for some that differ.
    fn front(&self, place: u32, is_text: bool) -> u64 {
        let key = self.keys[place as usize];
        if !is_text {
            return key as u64 ^ 1 << 63;
        }
        if key as u32 <= INLINE_BYTES {
            return ((key >> 32) as u64).swap_bytes();
        }
        self.text(place as usize).first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }

    fn compare(&self, left: u32, right: u32, by_count: bool, is_text: bool) -> std::cmp::Ordering {
        let (left, right) = (left as usize, right as usize);
        let counts =
            if by_count { self.counts[right].cmp(&self.counts[left]) } else { std::cmp::Ordering::Equal };
        counts.then_with(|| match is_text {
            true => self.text(left).cmp(self.text(right)),
            false => (self.keys[left] as i64).cmp(&(self.keys[right] as i64)),
        })
    }

    /// Writes values as the list of a row.
    pub fn write(&self, places: &[u32], output: &mut Output, row: usize) {
        let mut list = output.list();
        let start = list.child().grow(places.len());
        match list.child().data_type() {
            Type::Int64 => {
                let integers = &mut list.child().fixed::<i64>()[start..];
                integers
                    .iter_mut()
                    .zip(places)
                    .for_each(|(to, place)| *to = self.keys[*place as usize] as i64);
            }
            _ => {
                let texts = list.child().bytes();
                for (at, place) in places.iter().enumerate() {
                    if let Some(&ahead) = places.get(at + DISTANCE) {
                        prefetch(&self.keys, ahead as usize);
                    }
                    texts.set(start + at, self.text(*place as usize));
                }
            }
        }
        list.finish(row, start);
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, Counts};
    use crate::aggregates::vocabulary::counts::Values;
    use crate::column::BytesData;

    fn counted(numbers: &[(i64, u32)]) -> Counts {
        let mut counts = Counts::default();
        for &(number, count) in numbers {
            counts.add(Values::Integers(&[number]), &[(0, count)]).unwrap();
        }
        counts
    }

    fn chosen(counts: &Counts, by_value: bool, min_count: u64, top_k: Option<usize>) -> Vec<i64> {
        let choice = Choice { by_value, min_count, top_k };
        counts.chosen(choice, false).into_iter().map(|place| counts.keys[place as usize] as i64).collect()
    }

    #[test]
    fn orders_and_limits_hold_beyond_32_bits_of_a_count() {
        let mut counts =
            counted(&[(5, 2), (-1, 2), (i64::MIN, 1), (9, u32::MAX), (9, 7), (8, u32::MAX), (5, 1)]);
        assert_eq!(chosen(&counts, false, 1, None), [9, 8, 5, -1, i64::MIN]);
        assert_eq!(chosen(&counts, true, 2, None), [-1, 5, 8, 9]);
        assert_eq!(chosen(&counts, true, 1, Some(3)), [5, 8, 9]);
        counts.counts.iter_mut().for_each(|count| *count = 1);
        assert_eq!(chosen(&counts, false, 1, Some(2)), [i64::MIN, -1]);
    }

    #[test]
    fn texts_of_every_length_are_ordered_by_bytes() {
        let mut texts: Vec<String> =
            (0..300).map(|number| "ab".repeat(number % 23) + &number.to_string()).collect();
        texts.extend(
            ["", "\0", "\0\0", "aaaaaaaa", "aaaaaaaa\0", "a very long text indeed", "a very long text"]
                .map(String::from),
        );
        let array = arrow::array::StringViewArray::from_iter_values(&texts);
        let views = BytesData { views: array.views(), own: None, buffers: array.data_buffers() };
        let items: Vec<(u32, u32)> = (0..texts.len() as u32).map(|place| (place, 1)).collect();
        let mut counts = Counts::default();
        counts.add(Values::Texts(views), &items).unwrap();
        counts.add(Values::Texts(views), &items).unwrap();
        assert!(counts.counts.iter().all(|count| *count == 2));
        let choice = Choice { by_value: false, min_count: 1, top_k: None };
        let places = counts.chosen(choice, true);
        let found: Vec<&[u8]> = places.iter().map(|place| counts.text(*place as usize)).collect();
        let mut expected: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(found, expected);
    }
}
