//! Lists of many values as one array: what was fitted travels through plans, files and calls without being copied.

use std::any::{Any, TypeId};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringViewBuilder};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field as ArrowField, Int64Type};
use bumpalo::Bump;
use serde::Serializer;
use serde::ser::SerializeTuple;

use crate::category::index::{CategoryIndex, Unusable};
use crate::checked_blocks::CheckedBlocks;
use crate::column::{Output, borrow, value_at};
use crate::error::{Error, Result};
use crate::types::Type;
use crate::value::Value;

/// Elements at the front of a list that its hash reads; the last one is read too.
const HASHED_ELEMENTS: usize = 4;

/// The elements of a list. A clone is another handle of the same array, index and values.
#[derive(Clone)]
pub struct SharedList(Arc<Held>);

struct Held {
    element: Type,
    entries: Entries,
    /// As an array, where the entries are stored otherwise.
    array: OnceLock<ArrayRef>,
    values: OnceLock<Vec<Value>>,
    index: OnceLock<Result<Arc<CategoryIndex>, Unusable>>,
    /// What verifies entries that lie in a file.
    blocks: OnceLock<Arc<CheckedBlocks>>,
    /// What functions have made of the list, each of a type and a variant of its own.
    prepared: Mutex<Vec<(TypeId, u8, Prepared)>>,
    /// Texts or integers without nulls and repetitions, as whoever made the list knows.
    is_distinct: bool,
}

type Prepared = Arc<dyn Any + Send + Sync>;

/// How the elements lie in memory.
enum Entries {
    /// An array in the engine's layout of the element's type.
    Array(ArrayRef),
    /// Texts between offsets, as a file holds them: neither is verified, so every read checks its bounds.
    Stored { offsets: ScalarBuffer<i64>, bytes: Buffer },
}

/// What a category is, as it lies in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    Bytes(&'a [u8]),
    Integer(i64),
}

impl SharedList {
    /// A list of the rows of an array, which is in the engine's layout of the element's type ([`Type::to_arrow`]).
    ///
    /// # Errors
    /// [`Error::Internal`] for an array of another type.
    pub fn new(element: Type, array: ArrayRef) -> Result<Self> {
        Self::checked(element, array, false)
    }

    /// As [`SharedList::new`], of rows that are known to be distinct and not null, as the keys of groups are: their index is not built
    /// to find that out but when it is first read.
    ///
    /// # Errors
    /// As for [`SharedList::new`].
    pub fn of_distinct(element: Type, array: ArrayRef) -> Result<Self> {
        let is_distinct = matches!(element, Type::Text | Type::Int64) && array.null_count() == 0;
        Self::checked(element, array, is_distinct)
    }

    fn checked(element: Type, array: ArrayRef, is_distinct: bool) -> Result<Self> {
        if *array.data_type() != element.to_arrow() {
            return Err(Error::internal(format!(
                "a list of type {element} over an array of type {}",
                array.data_type()
            )));
        }
        Ok(Self::of(element, Entries::Array(array), is_distinct))
    }

    /// A list of these values.
    ///
    /// # Errors
    /// [`Error::Internal`] for a value of another type.
    pub fn of_values(element: &Type, values: &[Value]) -> Result<Self> {
        let mut output = Output::new(element.clone());
        output.prepare(values.len());
        for (row, value) in values.iter().enumerate() {
            output.set_value(row, value)?;
        }
        Ok(Self::of(element.clone(), Entries::Array(output.freeze()?), false))
    }

    /// Texts that lie between offsets in a file; what a damaged file says there is read as other texts, and never beyond
    /// the bytes.
    pub fn of_stored_texts(offsets: ScalarBuffer<i64>, bytes: Buffer) -> Self {
        Self::of(Type::Text, Entries::Stored { offsets, bytes }, false)
    }

    fn of(element: Type, entries: Entries, is_distinct: bool) -> Self {
        let (array, values, index) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        let (blocks, prepared) = (OnceLock::new(), Mutex::new(Vec::new()));
        Self(Arc::new(Held { element, entries, array, values, index, blocks, prepared, is_distinct }))
    }

    /// What a function makes of the list, made once for all calls that share it; `variant` tells what of one type differs by
    /// other arguments.
    ///
    /// # Errors
    /// Those of `make`.
    pub(crate) fn prepared<T, E>(&self, variant: u8, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E>
    where
        T: Any + Send + Sync,
    {
        let mut prepared = self.0.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let known = prepared.iter().find(|(kind, other, _)| (*kind, *other) == (TypeId::of::<T>(), variant));
        if let Some(Ok(value)) = known.map(|(_, _, value)| Arc::clone(value).downcast()) {
            return Ok(value);
        }
        let value = Arc::new(make()?);
        prepared.push((TypeId::of::<T>(), variant, Arc::clone(&value) as Prepared));
        Ok(value)
    }

    /// The same list, whose entries lie in a file, with what verifies them. Categories are verified where they are read; who reads all
    /// entries asks [`SharedList::check`] first.
    #[must_use]
    pub fn with_blocks(self, blocks: Arc<CheckedBlocks>) -> Self {
        // They are set once, when the list is read.
        let _ = self.0.blocks.set(blocks);
        self
    }

    /// Verifies all entries.
    ///
    /// # Errors
    /// Entries that are others than were written.
    pub fn check(&self) -> Result<()> {
        match self.0.blocks.get().filter(|blocks| !blocks.touch_all()).and_then(|blocks| blocks.damage()) {
            Some(damage) => Err(Error::User(damage.to_owned())),
            None => Ok(()),
        }
    }

    /// Whether the entries lie in a file and are verified where they are read.
    pub(crate) fn is_in_file(&self) -> bool {
        self.0.blocks.get().is_some()
    }

    /// What is wrong with the entries that were read so far, where some are damaged.
    pub(crate) fn damage(&self) -> Option<&str> {
        self.0.blocks.get().and_then(|blocks| blocks.damage())
    }

    /// Whether these are values as they were written.
    #[inline]
    fn is_good<T>(&self, values: &[T]) -> bool {
        self.0.blocks.get().is_none_or(|blocks| blocks.touch(values))
    }

    /// The same list with the index that was stored with it.
    #[must_use]
    pub fn with_index(self, index: CategoryIndex) -> Self {
        // An index that was built before is as good.
        let _ = self.0.index.set(Ok(Arc::new(index)));
        self
    }

    /// Type of the elements.
    pub fn element(&self) -> &Type {
        &self.0.element
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        match &self.0.entries {
            Entries::Array(array) => array.len(),
            Entries::Stored { offsets, .. } => offsets.len().saturating_sub(1),
        }
    }

    /// True without elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The array that the elements lie in, where they do.
    pub(crate) fn as_array(&self) -> Option<&ArrayRef> {
        match &self.0.entries {
            Entries::Array(array) => Some(array),
            Entries::Stored { .. } => None,
        }
    }

    /// The elements as an array in the engine's layout.
    pub fn array(&self) -> &ArrayRef {
        match &self.0.entries {
            Entries::Array(array) => array,
            Entries::Stored { offsets, bytes } => self.0.array.get_or_init(|| {
                let mut builder = StringViewBuilder::with_capacity(self.len());
                for place in 0..self.len() {
                    builder.append_value(String::from_utf8_lossy(stored(offsets, bytes, place)));
                }
                Arc::new(builder.finish())
            }),
        }
    }

    /// An array of one row, which is this list.
    ///
    /// # Errors
    /// As for [`SharedList::check`]; [`Error::Internal`] for a list that is too long for a row.
    pub fn to_row(&self) -> Result<ArrayRef> {
        self.check()?;
        let array = Arc::clone(self.array());
        if i32::try_from(array.len()).is_err() {
            return Err(Error::internal("a list of more than 2^31 elements"));
        }
        let offsets = OffsetBuffer::from_lengths([array.len()]);
        let row = match Type::list(self.element().clone()).to_arrow() {
            DataType::List(field) => ListArray::try_new(field, offsets, array, None),
            _ => {
                let field = ArrowField::new_list_field(self.element().to_arrow(), true);
                ListArray::try_new(Arc::new(field), offsets, array, None)
            }
        };
        row.map(|row| Arc::new(row) as ArrayRef).map_err(|error| Error::internal(error.to_string()))
    }

    /// One element; null behind the last.
    pub fn value(&self, place: usize) -> Value {
        match &self.0.entries {
            Entries::Array(array) if place < array.len() => {
                let bump = Bump::new();
                value_at(&borrow(array, &self.0.element, &bump), place)
            }
            Entries::Stored { offsets, bytes } if place < self.len() => {
                Value::Text(String::from_utf8_lossy(stored(offsets, bytes, place)).into_owned())
            }
            _ => Value::Null,
        }
    }

    /// All elements, each a value of its own: for few of them, and for who must have them so.
    pub fn values(&self) -> &[Value] {
        self.0.values.get_or_init(|| {
            let array = self.array();
            let bump = Bump::new();
            let view = borrow(array, &self.0.element, &bump);
            (0..array.len()).map(|place| value_at(&view, place)).collect()
        })
    }

    /// Whether the elements are these.
    pub fn holds(&self, element: &Type, values: &[Value]) -> bool {
        *self.element() == *element
            && self.len() == values.len()
            && values.iter().enumerate().all(|(place, value)| self.value(place) == *value)
    }

    /// The category at a place; `None` for a null, for what is no category, and for a damaged one.
    pub(crate) fn key(&self, place: usize) -> Option<Key<'_>> {
        match &self.0.entries {
            Entries::Stored { offsets, bytes } => {
                let text = match offsets.get(place..place + 2).is_some_and(|ends| self.is_good(ends)) {
                    true => stored(offsets, bytes, place),
                    false => return None,
                };
                self.is_good(text).then_some(Key::Bytes(text))
            }
            Entries::Array(array) if place >= array.len() || array.is_null(place) => None,
            Entries::Array(array) => match self.0.element {
                Type::Text => Some(Key::Bytes(array.as_string_view().value(place).as_bytes())),
                Type::Int64 => {
                    let integers = array.as_primitive::<Int64Type>().values();
                    let is_good = integers.get(place..=place).is_some_and(|integer| self.is_good(integer));
                    is_good.then(|| Key::Integer(integers[place]))
                }
                _ => None,
            },
        }
    }

    /// True if the elements are known to be categories without repetition, without looking at them.
    pub(crate) fn is_distinct(&self) -> bool {
        self.0.is_distinct
    }

    /// Where each category stands, found once for all who ask.
    ///
    /// # Errors
    /// A null or a category that stands there twice.
    pub fn index(&self) -> Result<&Arc<CategoryIndex>, Unusable> {
        self.0.index.get_or_init(|| CategoryIndex::build(self).map(Arc::new)).as_ref().map_err(|why| *why)
    }
}

/// A text between offsets, or as much of it as there is.
fn stored<'a>(offsets: &[i64], bytes: &'a [u8], place: usize) -> &'a [u8] {
    let at = |place: usize| offsets.get(place).and_then(|offset| usize::try_from(*offset).ok());
    at(place).zip(at(place + 1)).and_then(|(start, end)| bytes.get(start..end)).unwrap_or_default()
}

impl std::fmt::Debug for SharedList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedList").field("element", self.element()).field("length", &self.len()).finish()
    }
}

impl PartialEq for SharedList {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || self.element() == other.element() && self.len() == other.len() && self.array() == other.array()
    }
}

impl Eq for SharedList {}

/// Hashes a list by its length and some of its elements: vocabularies are long, and seldom differ in nothing but their middle.
pub(crate) fn hash<H: Hasher>(element: &Type, length: usize, at: impl Fn(usize) -> Value, state: &mut H) {
    (element, length).hash(state);
    (0..length.min(HASHED_ELEMENTS)).chain(length.checked_sub(1)).for_each(|place| at(place).hash(state));
}

/// Writes the list as [`Value::List`] is written.
pub(crate) fn write<S: Serializer>(list: &SharedList, serializer: S) -> Result<S::Ok, S::Error> {
    let mut tuple = serializer.serialize_tuple(2)?;
    tuple.serialize_element(list.element())?;
    tuple.serialize_element(list.values())?;
    tuple.end()
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hash, Hasher};

    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, Int64Array, StringViewArray};
    use arrow::buffer::{Buffer, ScalarBuffer};

    use super::SharedList;
    use crate::column::literal_array;
    use crate::error::Error;
    use crate::types::Type;
    use crate::value::{Literal, Value};

    fn hash(value: &Value) -> u64 {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn what_is_made_of_a_list_is_made_once_for_each_variant() {
        let list = SharedList::of_values(&Type::Int64, &[Value::Int64(1), Value::Int64(2)]).unwrap();
        let other = list.clone();
        let mut made = 0;
        let mut length = |list: &SharedList, variant| {
            let make = || {
                made += 1;
                Ok::<_, Error>(list.len())
            };
            *list.prepared(variant, make).unwrap()
        };
        assert_eq!([length(&list, 0), length(&other, 0), length(&list, 1), length(&other, 1)], [2; 4]);
        assert_eq!(made, 2);
        assert!(list.prepared(2, || Err::<usize, _>("refused")).is_err());
        assert_eq!(*list.prepared(0, || Ok::<_, Error>("of another type")).unwrap(), "of another type");
    }

    #[test]
    fn a_shared_list_is_the_list_of_its_elements() {
        let lists = [
            Value::List(Type::Text, vec!["a".into(), Value::Null, "longer than twelve bytes".into()]),
            Value::List(Type::Float64, vec![Value::float64(f64::NAN), Value::float64(-0.0)]),
            Value::List(Type::Int64, Vec::new()),
        ];
        for list in &lists {
            let shared = Value::Shared(list.as_shared().unwrap().unwrap().into_owned());
            assert_eq!(shared, *list);
            assert_eq!(*list, shared);
            assert_eq!(hash(&shared), hash(list));
            assert_eq!(shared.data_type(), list.data_type());
            assert_eq!(shared.as_list(), list.as_list());
            let text = serde_json::to_string(&shared).unwrap();
            assert_eq!(text, serde_json::to_string(list).unwrap());
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), shared);
            let arrays = [&shared, list].map(|value| literal_array(&Literal::new(value.clone())).unwrap());
            assert_eq!(&arrays[0], &arrays[1]);
        }
        let [first, second] = [0.0, -0.0].map(|number| Value::List(Type::Float64, vec![number.into()]));
        assert_ne!(Value::Shared(first.as_shared().unwrap().unwrap().into_owned()), second);
    }

    #[test]
    fn stored_texts_with_wrong_offsets_are_read_as_empty() {
        let list = |offsets: Vec<i64>| {
            SharedList::of_stored_texts(ScalarBuffer::from(offsets), Buffer::from(b"abc\xff".as_slice()))
        };
        let whole = list(vec![0, 1, 3, 4]);
        assert_eq!(whole.values(), ["a".into(), "bc".into(), Value::from("\u{fffd}")]);
        for offsets in [vec![2, 1], vec![-1, 3], vec![0, 9], vec![i64::MIN, i64::MAX], vec![]] {
            let damaged = list(offsets);
            assert!(damaged.values().iter().all(|value| *value == Value::from("")));
        }
        assert_eq!(list(vec![0, 4]).value(7), Value::Null);
    }

    #[test]
    fn distinct_rows_are_indexed_when_they_are_read_and_nulls_are_no_categories() {
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec!["b", "a", "a text beyond its view"]));
        let list = SharedList::of_distinct(Type::Text, Arc::clone(&texts)).unwrap();
        assert!(list.is_distinct() && list.0.index.get().is_none());
        assert_eq!(
            list.index().unwrap().slots(),
            SharedList::new(Type::Text, texts).unwrap().index().unwrap().slots()
        );
        let nulls: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
        assert!(!SharedList::of_distinct(Type::Int64, nulls).unwrap().is_distinct());
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
        assert!(!SharedList::of_distinct(Type::Float64, floats).unwrap().is_distinct());
        assert!(SharedList::of_distinct(Type::Text, Arc::new(Int64Array::from(vec![1]))).is_err());
    }
}
