//! A set of words that is emptied in no time: distinct values of one short list after the other.

/// Slots of an empty set; sets of this size stay in the first-level cache.
const SLOTS_MIN: usize = 64;
/// An odd number without a pattern: the golden ratio of 2^64.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// A set of words by open addressing. A slot counts only while it bears the number of the set that is being filled.
#[derive(Debug, Default)]
pub struct WordSet {
    slots: Vec<Slot>,
    /// Number of this set; slots of earlier ones are free.
    number: u32,
    shift: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    word: u64,
    number: u32,
}

impl WordSet {
    /// Starts an empty set with room for `count` words; more must not be added.
    pub fn start(&mut self, count: usize) {
        let wanted = (count * 2).next_power_of_two().max(SLOTS_MIN);
        if self.slots.len() < wanted || self.number == u32::MAX {
            let slots = wanted.max(self.slots.len());
            self.slots.clear();
            self.slots.resize(slots, Slot::default());
            self.number = 0;
            self.shift = 64 - slots.trailing_zeros();
        }
        self.number += 1;
    }

    /// The slot that holds the word, or the one where it would be put.
    #[inline(always)]
    fn find(&self, word: u64) -> (usize, bool) {
        let mask = self.slots.len() - 1;
        let mut at = (word.wrapping_mul(MULTIPLIER) >> self.shift) as usize & mask;
        loop {
            let slot = &self.slots[at];
            if slot.number != self.number {
                return (at, false);
            }
            if slot.word == word {
                return (at, true);
            }
            at = (at + 1) & mask;
        }
    }

    /// Adds a word; false if it was there.
    #[inline(always)]
    pub fn insert(&mut self, word: u64) -> bool {
        let (at, is_held) = self.find(word);
        if !is_held {
            self.slots[at] = Slot { word, number: self.number };
        }
        !is_held
    }

    /// True if the word was added.
    #[inline(always)]
    pub fn contains(&self, word: u64) -> bool {
        self.find(word).1
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn sets_hold_what_was_added_since_they_were_started() {
        let mut set = WordSet::default();
        for round in 0..200u64 {
            let count = (round * 7 % 150) as usize;
            set.start(count);
            let mut expected = HashSet::new();
            for at in 0..count as u64 {
                let word = (at * round) % 40 * 0x1_0000_0001;
                assert_eq!(set.insert(word), expected.insert(word), "round {round}");
            }
            assert!((0..50).all(|word| {
                let word = word * 0x1_0000_0001;
                set.contains(word) == expected.contains(&word)
            }));
        }
    }
}
