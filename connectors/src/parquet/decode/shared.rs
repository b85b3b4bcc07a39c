//! Dictionaries of a row group that is read in parts: each is decoded once.

use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::fault::Result;

/// A decoded dictionary, whatever its values are.
pub(super) type AnyDictionary = dyn Any + Send + Sync;

/// The dictionaries of a row group by the position of their column in the file, kept until all of its parts have been read.
#[derive(Debug)]
pub struct SharedDictionaries {
    places: Vec<Mutex<Option<Arc<AnyDictionary>>>>,
    parts_left: AtomicUsize,
}

impl SharedDictionaries {
    /// Of a row group of so many parts in a file of so many columns; none is decoded yet.
    pub fn new(columns: usize, parts: usize) -> Self {
        Self { places: (0..columns).map(|_| Mutex::default()).collect(), parts_left: AtomicUsize::new(parts) }
    }

    /// The dictionary of a column, if it is decoded already.
    pub(super) fn known(&self, column: usize) -> Option<Arc<AnyDictionary>> {
        self.places.get(column)?.try_lock().ok()?.clone()
    }

    /// The dictionary of a column; whoever asks first reads it, and others wait.
    pub(super) fn get_or_read<T: Send + Sync + 'static>(
        &self,
        column: usize,
        read: impl FnOnce() -> Result<T>,
    ) -> Result<Arc<T>> {
        let Some(place) = self.places.get(column) else { return Ok(Arc::new(read()?)) };
        let mut place = lock(place);
        if let Some(known) = place.clone().and_then(|known| known.downcast().ok()) {
            return Ok(known);
        }
        let made = Arc::new(read()?);
        *place = Some(Arc::clone(&made) as Arc<AnyDictionary>);
        Ok(made)
    }

    /// Nobody reads this part any more.
    fn end_part(&self) {
        if self.parts_left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.places.iter().for_each(|place| *lock(place) = None);
        }
    }
}

fn lock(place: &Mutex<Option<Arc<AnyDictionary>>>) -> MutexGuard<'_, Option<Arc<AnyDictionary>>> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Held while a part is read.
pub struct PartGuard(pub Arc<SharedDictionaries>);

impl Drop for PartGuard {
    fn drop(&mut self) {
        self.0.end_part();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parquet::decode::Fault;

    #[test]
    fn a_dictionary_is_read_once_for_all_parts() {
        let shared = Arc::new(SharedDictionaries::new(2, 2));
        let (first_part, second_part) = (PartGuard(Arc::clone(&shared)), PartGuard(Arc::clone(&shared)));
        let read = |value: u32| move || Ok(value);
        assert_eq!(*shared.get_or_read(1, read(7)).unwrap(), 7);
        drop(first_part);
        assert_eq!(*shared.get_or_read(1, read(8)).unwrap(), 7);
        assert!(shared.known(0).is_none() && shared.known(1).is_some());
        assert_eq!(*shared.get_or_read(0, read(9)).unwrap(), 9);
        drop(second_part);
        assert!(shared.known(0).is_none() && shared.known(1).is_none());
    }

    #[test]
    fn one_that_cannot_be_read_is_tried_again() {
        let shared = SharedDictionaries::new(1, 1);
        assert!(shared.get_or_read::<u32>(0, || Err(Fault::damaged("bad"))).is_err());
        assert_eq!(*shared.get_or_read(0, || Ok(1u32)).unwrap(), 1);
    }
}
