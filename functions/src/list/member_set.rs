//! A set of elements of a list, which refers to them by place.

use std::ops::Range;

use hashbrown::HashTable;

use super::plain_lists::Words;
use crate::column::{View, equal, hash};
use crate::kernel::span::distinct::WordSet;

/// Up to this many members are compared one by one, which is cheaper than hashing.
const SCANNED_MAX: usize = 8;

/// Distinct elements of one column, by place. Reused from row to row.
#[derive(Debug, Default)]
pub struct MemberSet {
    places: Vec<u32>,
    hashes: Vec<u64>,
    table: HashTable<u32>,
    words: WordSet,
}

impl MemberSet {
    /// Removes all members.
    pub fn clear(&mut self) {
        self.places.clear();
        self.hashes.clear();
        self.table.clear();
    }

    /// Makes the elements of `range` that are not null the members.
    pub fn fill(&mut self, view: &View<'_>, range: Range<usize>) {
        self.clear();
        for at in range.filter(|at| view.is_valid(*at)) {
            self.insert(view, at);
        }
    }

    /// The words of the elements of `range` that are not null, which is all there is to know of whole numbers.
    pub fn words_of(&mut self, view: &View<'_>, words: Words<'_>, range: Range<usize>) -> &WordSet {
        self.words.start(range.len());
        if view.may_be_null() {
            range.filter(|at| view.is_valid(*at)).for_each(|at| _ = self.words.insert(words.get(at)));
        } else {
            range.for_each(|at| _ = self.words.insert(words.get(at)));
        }
        &self.words
    }

    /// How many different words the elements of `range` that are not null have.
    pub fn count_words(&mut self, view: &View<'_>, words: Words<'_>, range: Range<usize>) -> usize {
        self.words.start(range.len());
        range.filter(|at| view.is_valid(*at) && self.words.insert(words.get(*at))).count()
    }

    /// Places of the members, in the order they came.
    pub fn places(&self) -> &[u32] {
        &self.places
    }

    /// Adds an element of `view`, which must be the column of the other members; false if it was a member.
    pub fn insert(&mut self, view: &View<'_>, at: usize) -> bool {
        if self.find(view, view, at).is_some() {
            return false;
        }
        self.places.push(at as u32);
        if self.places.len() == SCANNED_MAX + 1 {
            for position in 0..self.places.len() {
                self.index(view, position);
            }
        } else if self.places.len() > SCANNED_MAX {
            self.index(view, self.places.len() - 1);
        }
        true
    }

    fn index(&mut self, view: &View<'_>, position: usize) {
        let hashed = hash(view, self.places[position] as usize, 0);
        self.hashes.truncate(position);
        self.hashes.push(hashed);
        let hashes = &self.hashes;
        self.table.insert_unique(hashed, position as u32, |held| hashes[*held as usize]);
    }

    /// True if element `at` of `other` equals a member, whose column is `view`.
    pub fn has(&self, view: &View<'_>, other: &View<'_>, at: usize) -> bool {
        self.find(view, other, at).is_some()
    }

    /// Which member, in the order they came, equals element `at` of `other`.
    pub fn find(&self, view: &View<'_>, other: &View<'_>, at: usize) -> Option<usize> {
        if self.places.len() <= SCANNED_MAX {
            return self.places.iter().position(|&place| equal(view, place as usize, other, at));
        }
        let same = |held: &u32| equal(view, self.places[*held as usize] as usize, other, at);
        self.table.find(hash(other, at, 0), same).map(|held| *held as usize)
    }
}
