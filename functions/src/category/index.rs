//! Where each category of a list stands: an index that is built once, stored with a transform, and read in place.

use std::sync::Arc;

use arrow::array::{Array, AsArray, StringViewArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::Int64Type;

use crate::checked_blocks::CheckedBlocks;
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
    /// What verifies slots that lie in a file.
    blocks: Option<Arc<CheckedBlocks>>,
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
            None => Ok(Self { slots: slots.into(), blocks: None }),
        }
    }

    /// An index out of a file, with what verifies it.
    pub fn of_stored(slots: ScalarBuffer<u64>, blocks: Option<Arc<CheckedBlocks>>) -> Self {
        Self { slots, blocks }
    }

    /// Verifies all slots.
    ///
    /// # Errors
    /// Slots that are others than were written.
    pub fn check(&self) -> Result<()> {
        match self.blocks.as_ref().filter(|blocks| !blocks.touch_all()).and_then(|blocks| blocks.damage()) {
            Some(damage) => Err(Error::User(damage.to_owned())),
            None => Ok(()),
        }
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
        // What lies in a file is verified where the list reads it.
        let array = list.as_array().filter(|array| array.null_count() == 0 && !list.is_in_file());
        match array {
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
        if let Some(damage) = list.damage() {
            return Err(Error::User(damage.to_owned()));
        }
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
        let CategoryIndex { slots, blocks } = self.list.index().ok()?.as_ref();
        match blocks {
            None => category_slots::find(slots, hash, is_it),
            Some(blocks) => {
                let is_readable = |slot: &u64| blocks.touch(std::slice::from_ref(slot));
                category_slots::find_readable(slots, hash, is_readable, is_it)
            }
        }
    }

    /// Finds out whether all that was looked up so far was read as it was written: what lies in a file is verified where a lookup
    /// touches it, and what is damaged is not found.
    ///
    /// # Errors
    /// Where the file is damaged.
    pub fn check(&self) -> Result<()> {
        let of_index = || self.list.index().ok()?.blocks.as_ref()?.damage();
        match self.list.damage().or_else(of_index) {
            Some(damage) => Err(Error::User(damage.to_owned())),
            None => Ok(()),
        }
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
