//! Distinct values and how often each occurs: open addressing over views of texts or integers.

use crate::column::{BytesData, Data, View};
use crate::error::{Error, Result};
use crate::kernel::hash::xxhash64::xxhash64;
use crate::kernel::prefetch::{DISTANCE, prefetch};

/// Slots of a new table.
const SLOTS_MIN: usize = 64;

/// A slot without a value. Not zero: memory that the system hands out zeroed is one page for all until it is written, and each
/// page that is read before costs every thread of the program an interruption then.
const FREE: u64 = u64::MAX;

/// The part of a slot that holds the high half of a hash.
const TAG: u64 = 0xffff_ffff_0000_0000;

/// Values of one table: places must leave [`FREE`] alone.
const VALUES_MAX: usize = u32::MAX as usize - 1;

/// Texts of up to so many bytes lie in their view.
pub(super) const INLINE_BYTES: u32 = 12;

/// Distinct values and how often each occurs.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Texts as views, of which long ones lie in `bytes`; integers as they are.
    pub keys: Vec<u128>,
    pub counts: Vec<u64>,
    bytes: Vec<u8>,
    /// The high half of a hash and the place of the value; a power of two of them.
    slots: Vec<u64>,
    hashes: Vec<u64>,
}

/// The values of a column: views and their bytes, or integers.
#[derive(Clone, Copy)]
pub(super) enum Values<'a> {
    Texts(BytesData<'a>),
    Integers(&'a [i64]),
    /// What another table holds: texts or integers alike.
    Held(&'a Counts, bool),
}

impl<'a> Values<'a> {
    pub fn of(view: &View<'a>) -> Result<Self> {
        match view.data {
            Data::Bytes(texts) => Ok(Self::Texts(texts)),
            Data::Int64(integers) => Ok(Self::Integers(integers)),
            Data::Null => Ok(Self::Integers(&[])),
            _ => Err(Error::internal("a vocabulary of other values than texts and integers")),
        }
    }
}

/// Values as the table reads them: one form of them for all of a loop.
trait Source: Copy {
    /// The view of a text, or an integer.
    fn key(&self, place: u32) -> u128;

    /// The bytes of a text that does not lie in its view.
    fn long(&self, place: u32) -> Option<&[u8]>;

    #[inline(always)]
    fn hash(&self, place: u32) -> u64 {
        self.long(place).map_or_else(|| hash_of(self.key(place)), |bytes| xxhash64(bytes, 0))
    }
}

impl Source for BytesData<'_> {
    #[inline(always)]
    fn key(&self, place: u32) -> u128 {
        self.views[place as usize]
    }

    #[inline(always)]
    fn long(&self, place: u32) -> Option<&[u8]> {
        (self.views[place as usize] as u32 > INLINE_BYTES).then(|| self.get(place as usize))
    }
}

impl Source for &[i64] {
    #[inline(always)]
    fn key(&self, place: u32) -> u128 {
        u128::from(self[place as usize] as u64)
    }

    #[inline(always)]
    fn long(&self, _: u32) -> Option<&[u8]> {
        None
    }
}

/// Integers of another table.
#[derive(Clone, Copy)]
struct HeldIntegers<'a>(&'a [u128]);

impl Source for HeldIntegers<'_> {
    #[inline(always)]
    fn key(&self, place: u32) -> u128 {
        self.0[place as usize]
    }

    #[inline(always)]
    fn long(&self, _: u32) -> Option<&[u8]> {
        None
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

impl Counts {
    /// Distinct values that need no bytes beside their views.
    pub fn of(keys: Vec<u128>, counts: Vec<u64>) -> Self {
        Self { keys, counts, ..Self::default() }
    }

    /// Number of distinct values.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Adds values by their places, each as often as is said.
    ///
    /// What a value touches are a slot, and the key and the count that it points at: slots are asked for two distances ahead, and
    /// read one distance ahead to ask for the others.
    pub fn add(&mut self, values: Values<'_>, items: &[(u32, u32)]) -> Result<()> {
        self.add_all(values, items.len(), |item| (items[item].0, u64::from(items[item].1)))
    }

    /// Adds values by their places, each as often as is said in 64 bits.
    pub fn add_counted(&mut self, values: Values<'_>, items: &[(u32, u64)]) -> Result<()> {
        self.add_all(values, items.len(), |item| items[item])
    }

    /// Adds what another table holds.
    pub fn absorb(&mut self, other: &Self, is_text: bool) -> Result<()> {
        self.add_all(Values::Held(other, is_text), other.len(), |item| (item as u32, other.counts[item]))
    }

    /// Adds `count` items: values by their places, and how often each occurs.
    #[inline]
    fn add_all(
        &mut self,
        values: Values<'_>,
        count: usize,
        item: impl Fn(usize) -> (u32, u64),
    ) -> Result<()> {
        match values {
            Values::Texts(texts) => self.add_from(texts, count, item),
            Values::Integers(integers) => self.add_from(integers, count, item),
            Values::Held(other, true) => self.add_from(other.texts(), count, item),
            Values::Held(other, false) => self.add_from(HeldIntegers(&other.keys), count, item),
        }
    }

    fn add_from<S: Source>(
        &mut self,
        values: S,
        count: usize,
        item: impl Fn(usize) -> (u32, u64),
    ) -> Result<()> {
        self.make_room(count)?;
        let mut hashes = std::mem::take(&mut self.hashes);
        hashes.clear();
        hashes.extend((0..count).map(|index| values.hash(item(index).0)));
        let mask = self.slots.len() - 1;
        for index in 0..count {
            if let Some(&ahead) = hashes.get(index + 2 * DISTANCE) {
                prefetch(&self.slots, ahead as usize & mask);
            }
            if let Some(&ahead) = hashes.get(index + DISTANCE) {
                let held = (self.slots[ahead as usize & mask] & !TAG) as usize;
                prefetch(&self.keys, held);
                prefetch(&self.counts, held);
            }
            let (place, times) = item(index);
            let found = self.place(values, place, hashes[index])?;
            self.counts[found] += times;
        }
        // A merge leaves more of them than any batch needs.
        if hashes.len() <= HASHES_KEPT {
            self.hashes = hashes;
        }
        Ok(())
    }

    /// The place of a value, which is added where it was not there.
    #[inline(always)]
    fn place<S: Source>(&mut self, values: S, place: u32, hash: u64) -> Result<usize> {
        let mask = self.slots.len() - 1;
        let (key, long) = (values.key(place), values.long(place));
        let mut slot = hash as usize & mask;
        loop {
            let held = self.slots[slot];
            if held == FREE {
                let key = match long {
                    Some(bytes) => self.kept(key, bytes)?,
                    None => key,
                };
                self.slots[slot] = hash & TAG | self.keys.len() as u64;
                self.keys.push(key);
                self.counts.push(0);
                return Ok(self.keys.len() - 1);
            }
            let found = (held & !TAG) as usize;
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

    pub fn text(&self, place: usize) -> &[u8] {
        self.texts().get(place)
    }

    /// Keeps the table at most three quarters full with so many more values.
    fn make_room(&mut self, more: usize) -> Result<()> {
        let most = self.keys.len() + more;
        if most >= VALUES_MAX {
            return Err(Error::User("vocabulary: more than 2^32 values".into()));
        }
        let wanted = (most + most / 3).next_power_of_two().max(SLOTS_MIN);
        if wanted <= self.slots.len() {
            return Ok(());
        }
        // Freed first, so that the old and the new slots are not there together.
        self.slots = Vec::new();
        let mut slots = vec![FREE; wanted];
        let mask = wanted - 1;
        let is_long = |key: u128| !self.bytes.is_empty() && key as u32 > INLINE_BYTES;
        let hash = |place: usize| {
            let key = self.keys[place];
            if is_long(key) { xxhash64(self.text(place), 0) } else { hash_of(key) }
        };
        let mut ahead = [0u64; DISTANCE];
        let count = self.keys.len();
        for (place, held) in ahead.iter_mut().enumerate().take(count) {
            *held = hash(place);
        }
        for place in 0..count {
            let own = ahead[place % DISTANCE];
            if place + DISTANCE < count {
                let next = hash(place + DISTANCE);
                prefetch(&slots, next as usize & mask);
                ahead[place % DISTANCE] = next;
            }
            let mut slot = own as usize & mask;
            while slots[slot] != FREE {
                slot = (slot + 1) & mask;
            }
            slots[slot] = own & TAG | place as u64;
        }
        self.slots = slots;
        Ok(())
    }

    pub fn memory_bytes(&self) -> usize {
        (self.keys.capacity() * 16)
            + (self.counts.capacity() + self.slots.capacity() + self.hashes.capacity()) * 8
            + self.bytes.capacity()
    }

    /// Lets go of what only adding needs.
    pub fn close(&mut self) {
        self.slots = Vec::new();
        self.hashes = Vec::new();
    }
}

/// Hashes of items for which memory is kept from batch to batch.
const HASHES_KEPT: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::{Counts, Values};
    use crate::column::BytesData;

    #[test]
    fn a_table_that_absorbs_another_counts_both() {
        let texts: Vec<String> =
            (0..2_000).map(|number| "long ".repeat(number % 7) + &number.to_string()).collect();
        let array = arrow::array::StringViewArray::from_iter_values(&texts);
        let views = BytesData { views: array.views(), own: None, buffers: array.data_buffers() };
        let counted = |places: std::ops::Range<u32>, times: u32| {
            let items: Vec<(u32, u32)> = places.map(|place| (place, times)).collect();
            let mut counts = Counts::default();
            items.chunks(97).for_each(|items| counts.add(Values::Texts(views), items).unwrap());
            counts
        };
        let mut whole = counted(0..1_500, 2);
        whole.absorb(&counted(1_000..2_000, 3), true).unwrap();
        whole.absorb(&Counts::default(), true).unwrap();
        assert_eq!(whole.len(), 2_000);
        for place in 0..whole.len() {
            let number = texts.iter().position(|text| text.as_bytes() == whole.text(place)).unwrap();
            let expected = if number < 1_000 {
                2
            } else if number < 1_500 {
                5
            } else {
                3
            };
            assert_eq!(whole.counts[place], expected);
        }
    }

    #[test]
    fn integers_with_the_length_of_a_long_text_are_no_texts() {
        let numbers = [13i64, 1 << 40 | 99, -1, 13];
        let items: Vec<(u32, u32)> = (0..4).map(|place| (place, 1)).collect();
        let mut counts = Counts::default();
        counts.add(Values::Integers(&numbers), &items).unwrap();
        let mut other = Counts::default();
        other.absorb(&counts, false).unwrap();
        assert_eq!((other.len(), other.counts.as_slice()), (3, [2u64, 1, 1].as_slice()));
    }
}
