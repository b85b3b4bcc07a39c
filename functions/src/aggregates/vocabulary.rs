//! `vocabulary`: the distinct values of a column in one order, counted in a table of texts or integers alone.

use crate::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use crate::column::{Bits, BytesData, Data, Encoding, Output, Rows, View};
use crate::error::{Error, Result};
use crate::kernel::hash::xxhash64::xxhash64;
use crate::kernel::prefetch::{DISTANCE, prefetch};
use crate::scalar::Arguments;
use crate::signature::exact;
use crate::types::Type;
use crate::value::{Literal, Value};

/// Slots of a new table.
const SLOTS_MIN: usize = 64;

/// Texts of up to so many bytes lie in their view.
const INLINE_BYTES: u32 = 12;

pub(super) fn functions() -> Vec<AggregateFunction> {
    let function = AggregateFunction::new(
        "vocabulary",
        "aggregate",
        "The distinct values of the group as a list, the most frequent first and of equally frequent ones the lesser.",
    );
    let function = [Type::Text, Type::Int64].into_iter().fold(function, |function, element| {
        let parameters = [
            exact("value", element),
            exact("ordered_by", Type::Text).or(Literal::new(Value::from("frequency"))),
            exact("min_count", Type::Int64).or(Literal::new(Value::Int64(1))),
            exact("top_k", Type::Int64).or(Literal::null(Type::Int64)),
        ];
        function.overload(parameters, bind)
    });
    vec![
        function
            .note("ordered_by => 'value' sorts by value: numbers by size, texts by bytes. Values that occur less than min_count times are left out, and of the others the top_k most frequent are kept; all three are constants.")
            .note("Nulls are skipped; a group without values gives an empty list. The distinct values are held in memory.")
            .example("vocabulary('a')", "[a]"),
    ]
}

/// What becomes of the counts.
#[derive(Debug, Clone, Copy)]
struct Choice {
    by_value: bool,
    min_count: u64,
    top_k: Option<usize>,
}

fn bind(arguments: &Arguments<'_>) -> Result<BoundAggregate> {
    let refused = |position, problem: String| Error::argument(arguments.function, position, problem);
    let by_value = match arguments.constant_text(1)? {
        "frequency" => false,
        "value" => true,
        other => return Err(refused(2, format!("is \"{other}\"; expected 'frequency' or 'value'"))),
    };
    let positive = |position: usize| {
        let given = arguments.constant(position)?;
        let count = given.as_i64().and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0);
        count.ok_or_else(|| refused(position + 1, "is no number of at least 1".into()))
    };
    let min_count = positive(2)? as u64;
    let top_k = if arguments.constant(3)?.is_null() { None } else { Some(positive(3)?) };
    let choice = Choice { by_value, min_count, top_k };
    let element = arguments.types[0].clone();
    let states = vec![Type::list(element.clone()), Type::list(Type::Int64)];
    let is_text = element == Type::Text;
    let make =
        move || Vocabularies { groups: Vec::new(), choice, is_text, items: Vec::new(), seen: Vec::new() };
    Ok(BoundAggregate::null_aware(Type::list(element), states, make))
}

/// The vocabularies of all groups.
struct Vocabularies {
    groups: Vec<Counts>,
    choice: Choice,
    is_text: bool,
    /// Values of the batch, by their place, and how often each is met.
    items: Vec<(u32, u32)>,
    /// How often each value of a dictionary was met.
    seen: Vec<u32>,
}

/// Distinct values and how often each occurs.
#[derive(Debug, Default)]
struct Counts {
    /// Texts as views, of which long ones lie in `bytes`; integers as they are.
    keys: Vec<u128>,
    counts: Vec<u64>,
    bytes: Vec<u8>,
    /// The high half of a hash and the place of the value plus one, 0 where free; a power of two of them.
    slots: Vec<u64>,
    hashes: Vec<u64>,
}

/// The values of a column: views and their bytes, or integers.
#[derive(Clone, Copy)]
enum Values<'a> {
    Texts(BytesData<'a>),
    Integers(&'a [i64]),
}

impl<'a> Values<'a> {
    fn of(view: &View<'a>) -> Result<Self> {
        match view.data {
            Data::Bytes(texts) => Ok(Self::Texts(texts)),
            Data::Int64(integers) => Ok(Self::Integers(integers)),
            Data::Null => Ok(Self::Integers(&[])),
            _ => Err(Error::internal("a vocabulary of other values than texts and integers")),
        }
    }

    #[inline]
    fn key(&self, place: u32) -> u128 {
        match self {
            Self::Texts(texts) => texts.views[place as usize],
            Self::Integers(integers) => u128::from(integers[place as usize] as u64),
        }
    }

    /// The bytes of a text that does not lie in its view.
    #[inline]
    fn long(&self, place: u32) -> Option<&'a [u8]> {
        match self {
            Self::Texts(texts) if texts.views[place as usize] as u32 > INLINE_BYTES => {
                Some(texts.get(place as usize))
            }
            _ => None,
        }
    }
}

/// A hash of a key that is whole; it is held in one process alone.
#[inline]
fn hash_of(key: u128) -> u64 {
    let mixed =
        (key as u64 ^ 0x9e37_79b9_7f4a_7c15) as u128 * ((key >> 64) as u64 ^ 0xd6e8_feb8_6659_fd93) as u128;
    let folded = mixed as u64 ^ (mixed >> 64) as u64 ^ key as u64;
    let mixed = folded as u128 * 0xa076_1d64_78bd_642f_u128;
    mixed as u64 ^ (mixed >> 64) as u64
}

const TAG: u64 = 0xffff_ffff_0000_0000;

impl Counts {
    /// Adds values by their places, each as often as is said.
    fn add(&mut self, values: Values<'_>, items: &[(u32, u32)]) -> Result<()> {
        self.make_room(items.len())?;
        let hash = |place: u32| {
            values.long(place).map_or_else(|| hash_of(values.key(place)), |bytes| xxhash64(bytes, 0))
        };
        let mut hashes = std::mem::take(&mut self.hashes);
        hashes.clear();
        hashes.extend(items.iter().map(|(place, _)| hash(*place)));
        let mask = self.slots.len() - 1;
        for (item, &(place, count)) in items.iter().enumerate() {
            if let Some(&ahead) = hashes.get(item + DISTANCE) {
                prefetch(&self.slots, ahead as usize & mask);
            }
            let found = self.place(values, place, hashes[item])?;
            self.counts[found] += u64::from(count);
        }
        self.hashes = hashes;
        Ok(())
    }

    /// The place of a value, which is added where it was not there.
    #[inline]
    fn place(&mut self, values: Values<'_>, place: u32, hash: u64) -> Result<usize> {
        let mask = self.slots.len() - 1;
        let (key, long) = (values.key(place), values.long(place));
        let mut slot = hash as usize & mask;
        loop {
            let held = self.slots[slot];
            if held == 0 {
                let key = match long {
                    Some(bytes) => self.kept(key, bytes)?,
                    None => key,
                };
                self.keys.push(key);
                self.counts.push(0);
                self.slots[slot] = hash & TAG | self.keys.len() as u64;
                return Ok(self.keys.len() - 1);
            }
            let found = (held & !TAG) as usize - 1;
            if held & TAG == hash & TAG {
                let is_it = match long {
                    None => self.keys[found] == key,
                    Some(bytes) => self.keys[found] as u64 == key as u64 && self.text(found) == bytes,
                };
                if is_it {
                    return Ok(found);
                }
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The view of a long text that is copied.
    fn kept(&mut self, key: u128, bytes: &[u8]) -> Result<u128> {
        let offset = u32::try_from(self.bytes.len()).ok();
        let fits = offset.filter(|offset| offset.checked_add(bytes.len() as u32).is_some());
        let offset = fits.ok_or_else(|| Error::User("vocabulary: more than 4 GiB of long texts".into()))?;
        self.bytes.extend_from_slice(bytes);
        Ok(u128::from(key as u64) | u128::from(offset) << 96)
    }

    fn texts(&self) -> BytesData<'_> {
        BytesData { views: &self.keys, own: Some(&self.bytes), buffers: &[] }
    }

    fn text(&self, place: usize) -> &[u8] {
        self.texts().get(place)
    }

    /// Keeps the table at most half full with so many more values.
    fn make_room(&mut self, more: usize) -> Result<()> {
        let most = self.keys.len() + more;
        if most >= u32::MAX as usize {
            return Err(Error::User("vocabulary: more than 2^32 values".into()));
        }
        let wanted = (most * 2).next_power_of_two().max(SLOTS_MIN);
        if wanted <= self.slots.len() {
            return Ok(());
        }
        let mask = wanted - 1;
        let mut slots = vec![0u64; wanted];
        for place in 0..self.keys.len() {
            let key = self.keys[place];
            let is_long = !self.bytes.is_empty() && key as u32 > INLINE_BYTES;
            let hash = if is_long { xxhash64(self.text(place), 0) } else { hash_of(key) };
            let mut slot = hash as usize & mask;
            while slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] = hash & TAG | (place as u64 + 1);
        }
        self.slots = slots;
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        (self.keys.capacity() * 16)
            + (self.counts.capacity() + self.slots.capacity() + self.hashes.capacity()) * 8
            + self.bytes.capacity()
    }

    /// The places of the values that are chosen, in their order.
    fn chosen(&self, choice: Choice, is_text: bool) -> Vec<u32> {
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
    fn write(&self, places: &[u32], output: &mut Output, row: usize) {
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
                places
                    .iter()
                    .enumerate()
                    .for_each(|(at, place)| texts.set(start + at, self.text(*place as usize)));
            }
        }
        list.finish(row, start);
    }
}

impl Vocabularies {
    /// Adds rows of a column to one group.
    fn add_to(&mut self, group: usize, view: &View<'_>, rows: Rows<'_>) -> Result<()> {
        self.items.clear();
        match view.encoding {
            Encoding::Constant => {
                if view.length > 0 && !rows.is_empty() && view.is_valid(0) {
                    let count =
                        u32::try_from(rows.count()).map_err(|_| Error::internal("a batch of 2^32 rows"))?;
                    self.items.push((0, count));
                }
            }
            Encoding::Dictionary { indices, .. } => {
                let values = values_of(view);
                self.seen.resize(values.max(self.seen.len()), 0);
                let (items, seen) = (&mut self.items, &mut self.seen);
                each_valid(view, rows, |row| {
                    let index = indices[row];
                    let count = &mut seen[index as usize];
                    if *count == 0 {
                        items.push((index, 0));
                    }
                    *count += 1;
                });
                items
                    .iter_mut()
                    .for_each(|(index, count)| *count = std::mem::take(&mut seen[*index as usize]));
            }
            Encoding::Flat => {
                let items = &mut self.items;
                each_valid(view, rows, |row| items.push((row as u32, 1)));
            }
        }
        let counts =
            self.groups.get_mut(group).ok_or_else(|| Error::internal("a group that was not opened"))?;
        counts.add(Values::of(view)?, &self.items)
    }
}

/// Number of values of a dictionary.
fn values_of(view: &View<'_>) -> usize {
    match view.data {
        Data::Bytes(texts) => texts.views.len(),
        Data::Int64(integers) => integers.len(),
        _ => 0,
    }
}

/// Calls `each` with the rows that hold a value; a word of validity at a time where one says it all.
fn each_valid(view: &View<'_>, rows: Rows<'_>, mut each: impl FnMut(usize)) {
    let bits: Option<Bits<'_>> = match (view.encoding, view.validity) {
        (Encoding::Flat, bits) => bits,
        (Encoding::Dictionary { validity, .. }, None) => validity,
        _ => {
            return rows.for_each(|row| {
                if view.is_valid(row) {
                    each(row)
                }
            });
        }
    };
    match (bits, rows, view.data) {
        (_, _, Data::Null) => {}
        (None, rows, _) => rows.for_each(each),
        (Some(bits), Rows::All(count), _) => {
            let bits = bits.slice(0, count);
            for index in 0..bits.words() {
                let (first, mut word) = (index * 64, bits.word(index));
                if word == u64::MAX {
                    (first..first + 64).for_each(&mut each);
                    continue;
                }
                while word != 0 {
                    each(first + word.trailing_zeros() as usize);
                    word &= word - 1;
                }
            }
        }
        (Some(bits), rows, _) => rows.for_each(|row| {
            if bits.get(row) {
                each(row)
            }
        }),
    }
}

impl Accumulator for Vocabularies {
    fn resize(&mut self, groups: usize) {
        self.groups.resize_with(groups, Counts::default);
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        if self.groups.len() == 1 {
            return self.add_to(0, &arguments[0], rows);
        }
        rows.iter().try_for_each(|row| {
            self.add_to(groups[row] as usize, &arguments[0], Rows::Selected(&[row as u32]))
        })
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let (lists, numbers) = (states[0].list(), states[1].list());
        let counts = numbers.child().fixed::<i64>();
        let values = Values::of(lists.child())?;
        for (row, &group) in groups.iter().enumerate() {
            let (places, own) = (lists.range(row), numbers.range(row));
            let damaged = || Error::user("the stored state of an aggregate is damaged");
            if places.len() != own.len() || !matches!(lists.child().encoding, Encoding::Flat) {
                return Err(damaged());
            }
            let held = self.groups.get_mut(group as usize).ok_or_else(damaged)?;
            held.make_room(places.len())?;
            for (place, at) in places.zip(own) {
                let place = u32::try_from(place).map_err(|_| damaged())?;
                let hash =
                    values.long(place).map_or_else(|| hash_of(values.key(place)), |bytes| xxhash64(bytes, 0));
                let found = held.place(values, place, hash)?;
                held.counts[found] += u64::try_from(counts.get(at)).map_err(|_| damaged())?;
            }
        }
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        let [keys, counts] = output else {
            return Err(Error::internal("a vocabulary has two columns of state"));
        };
        for (row, &group) in groups.iter().enumerate() {
            let held = &self.groups[group as usize];
            let places: Vec<u32> = (0..held.keys.len() as u32).collect();
            held.write(&places, keys, row);
            let mut list = counts.list();
            let start = list.child().grow(places.len());
            let numbers = &mut list.child().fixed::<i64>()[start..];
            numbers.iter_mut().zip(&held.counts).for_each(|(to, count)| *to = *count as i64);
            list.finish(row, start);
        }
        keys.check_capacity()?;
        counts.check_capacity()
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        for (row, &group) in groups.iter().enumerate() {
            let held = &self.groups[group as usize];
            held.write(&held.chosen(self.choice, self.is_text), output, row);
        }
        output.check_capacity()
    }

    fn memory_bytes(&self) -> usize {
        self.groups.iter().map(Counts::memory_bytes).sum::<usize>()
            + self.groups.capacity() * size_of::<Counts>()
            + self.items.capacity() * 8
            + self.seen.capacity() * 4
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, Counts, Values};
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
