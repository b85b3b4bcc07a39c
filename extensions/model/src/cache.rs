//! Vectors by text, in two generations: when the young one is full it becomes the old one, whose vectors come back when they are asked for.
//! So what is asked for often stays, and forgetting costs nothing.

use std::collections::HashMap;

/// What a text takes beside its bytes: its place in the table and its box.
const ENTRY_BYTES: usize = 48;

/// Texts and their vectors, which lie one after the other.
#[derive(Debug, Default)]
struct Generation {
    places: HashMap<Box<str>, u32, ahash::RandomState>,
    vectors: Vec<f32>,
    bytes: usize,
}

/// A cache of at most a number of bytes.
#[derive(Debug)]
pub(crate) struct Cache {
    young: Generation,
    old: Generation,
    dimension: usize,
    bytes_max: usize,
}

impl Cache {
    pub(crate) fn new(dimension: usize, bytes_max: usize) -> Self {
        Self { young: Generation::default(), old: Generation::default(), dimension, bytes_max }
    }

    /// Bytes that the cache holds.
    pub(crate) fn bytes(&self) -> usize {
        self.young.bytes + self.old.bytes
    }

    /// Copies the vector of a text to `place`; false where there is none.
    pub(crate) fn read(&mut self, text: &str, place: &mut [f32]) -> bool {
        if let Some(vector) = self.young.get(text, self.dimension) {
            place.copy_from_slice(vector);
            return true;
        }
        let Some(vector) = self.old.get(text, self.dimension) else { return false };
        place.copy_from_slice(vector);
        self.insert(text, place);
        true
    }

    /// Remembers the vector of a text that is not there.
    pub(crate) fn insert(&mut self, text: &str, vector: &[f32]) {
        let bytes = text.len() + size_of_val(vector) + ENTRY_BYTES;
        if bytes > self.bytes_max / 2 {
            return;
        }
        if self.young.bytes + bytes > self.bytes_max / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        let young = &mut self.young;
        let Ok(place) = u32::try_from(young.places.len()) else { return };
        young.vectors.extend_from_slice(vector);
        young.places.insert(text.into(), place);
        young.bytes += bytes;
    }
}

impl Generation {
    fn get(&self, text: &str, dimension: usize) -> Option<&[f32]> {
        let place = *self.places.get(text)? as usize;
        self.vectors.get(place * dimension..(place + 1) * dimension)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes() {
        // Room for four entries in each generation.
        let mut cache = Cache::new(2, 2 * 4 * (ENTRY_BYTES + 8 + 2));
        let mut place = [0.0; 2];
        for i in 0..40 {
            let text = format!("{:02}", i);
            cache.insert(&text, &[i as f32, 0.5]);
            assert!(cache.read("00", &mut place) && place == [0.0, 0.5], "after {i}");
            assert!(cache.bytes() <= 2 * 4 * (ENTRY_BYTES + 8 + 2));
        }
        assert!(cache.read("39", &mut place) && place == [39.0, 0.5]);
        assert!(!cache.read("05", &mut place));
    }

    #[test]
    fn a_cache_without_room_holds_nothing() {
        let mut cache = Cache::new(1, 0);
        cache.insert("a", &[1.0]);
        assert!(!cache.read("a", &mut [0.0]) && cache.bytes() == 0);
    }
}
