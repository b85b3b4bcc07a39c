//! Where each category of a list stands: an index that is built once, stored with a transform, and read in place.

use arrow::array::{Array, AsArray, StringViewArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::Int64Type;

use crate::error::{Error, Result};
use crate::kernel::category_slots::{self, slots_of};
use crate::kernel::hash::xxhash64::{xxhash64, xxhash64_u64};
use crate::scalar::Arguments;
use crate::shared_list::{Key, SharedList};
use crate::types::Type;

/// Slots of categories by XXH64 of their bytes or of their integer, with seed 0. Whatever the slots hold, a lookup ends and
/// reads nothing outside of them.
#[derive(Debug, Clone)]
pub struct CategoryIndex {
    slots: ScalarBuffer<u64>,
}

/// True for a length that an index can number.
fn is_indexable(length: usize) -> bool {
    length < (u32::MAX / 2) as usize
}

/// Why a list has no index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// It holds a null, or elements that are no categories.
    Null,
    /// The element at this place stands there before.
    Repeated(usize),
    /// It has more elements than an index can number.
    TooLong,
}

impl CategoryIndex {
    /// The index of a list.
    pub(crate) fn build(list: &SharedList) -> Result<Self, Unusable> {
        if !is_indexable(list.len()) {
            return Err(Unusable::TooLong);
        }
        let mut slots = vec![0; slots_of(list.len())];
        let mut hashes = Vec::with_capacity(list.len());
        for place in 0..list.len() {
            hashes.push(list.key(place).ok_or(Unusable::Null)?.hash());
        }
        let is_same = |left: usize, right: usize| list.key(left) == list.key(right);
        match category_slots::fill(&mut slots, &hashes, is_same) {
            Some(place) => Err(Unusable::Repeated(place)),
            None => Ok(Self { slots: slots.into() }),
        }
    }

    /// An index out of a file.
    pub fn of_stored(slots: ScalarBuffer<u64>) -> Self {
        Self { slots }
    }

    /// What is stored.
    pub fn slots(&self) -> &ScalarBuffer<u64> {
        &self.slots
    }
}

impl Key<'_> {
    fn hash(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => xxhash64(bytes, 0),
            Self::Integer(integer) => xxhash64_u64(*integer as u64, 0),
        }
    }
}

/// The categories of a constant argument, each of which stands in it once.
pub(crate) struct Categories {
    list: SharedList,
    keys: Keys,
}

/// The keys of a list by their form, found once: a list finds it for each key.
enum Keys {
    Texts(StringViewArray),
    Integers(ScalarBuffer<i64>),
    /// Those that the list itself reads.
    OfList,
}

impl Keys {
    fn of(list: &SharedList) -> Self {
        match list.as_array().filter(|array| array.null_count() == 0) {
            Some(array) if *list.element() == Type::Text => Self::Texts(array.as_string_view().clone()),
            Some(array) if *list.element() == Type::Int64 => {
                Self::Integers(array.as_primitive::<Int64Type>().values().clone())
            }
            _ => Self::OfList,
        }
    }
}

impl Categories {
    /// The categories of a constant list without nulls and repetitions; `what` they are is said where they are not.
    pub fn of(arguments: &Arguments<'_>, position: usize, what: &str) -> Result<Self> {
        let refused = |problem: String| Error::argument(arguments.function, position + 1, problem);
        let Some(list) = arguments.constant(position)?.as_shared()? else {
            return Err(refused("must be a constant list, not NULL".into()));
        };
        let why = match list.is_distinct() && is_indexable(list.len()) {
            true => None,
            false => list.index().err(),
        };
        match why {
            None => Ok(Self { keys: Keys::of(&list), list: list.into_owned() }),
            Some(Unusable::Null) => Err(refused(format!("holds a null; expected {what}"))),
            Some(Unusable::Repeated(place)) => {
                Err(refused(format!("holds its entry {} twice; expected distinct {what}", place + 1)))
            }
            Some(Unusable::TooLong) => {
                Err(refused(format!("has {} entries; at most 2^31 are looked up", list.len())))
            }
        }
    }

    /// The place of a category by its hash.
    #[inline]
    fn find(&self, hash: u64, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        category_slots::find(&self.list.index().ok()?.slots, hash, is_it)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// The place of a text, whose hash is [`xxhash64`] with seed 0.
    #[inline]
    pub fn place_of_bytes(&self, bytes: &[u8], hash: u64) -> Option<usize> {
        match &self.keys {
            Keys::Texts(texts) => {
                self.find(hash, |place| place < texts.len() && texts.value(place).as_bytes() == bytes)
            }
            _ => self.find(hash, |place| self.list.key(place) == Some(Key::Bytes(bytes))),
        }
    }

    /// The place of an integer, whose hash is [`xxhash64_u64`] with seed 0.
    #[inline]
    pub fn place_of_integer(&self, integer: i64, hash: u64) -> Option<usize> {
        match &self.keys {
            Keys::Integers(integers) => self.find(hash, |place| integers.get(place) == Some(&integer)),
            _ => self.find(hash, |place| self.list.key(place) == Some(Key::Integer(integer))),
        }
    }
}
