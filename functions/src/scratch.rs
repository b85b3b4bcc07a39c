//! What a worker lends to the functions it calls: an arena that is reset between calls, and typed slots that stay.

use std::any::{Any, TypeId};
use std::collections::HashMap;

use bumpalo::Bump;

/// Working memory of one worker. Never shared between threads.
#[derive(Default)]
pub struct Scratch {
    /// Arena for the duration of one call; reset by the evaluator between batches.
    pub arena: Bump,
    /// A few, which are sooner looked through than hashed.
    slots: Vec<(TypeId, Box<dyn Any + Send>)>,
    /// Bytes that slots are said to hold.
    held: HashMap<TypeId, usize, ahash::RandomState>,
}

impl Scratch {
    /// Empty scratch.
    pub fn new() -> Self {
        Self::default()
    }

    /// The slot of type `T`, made on first use: a merge heap, a regex cache, a buffer that grows once.
    ///
    /// Several functions may use one slot type in turn, so its content is only valid within a call.
    pub fn slot<T: Default + Send + 'static>(&mut self) -> &mut T {
        self.slot_and_arena().0
    }

    /// A slot and the arena, for a call that fills both at once.
    pub fn slot_and_arena<T: Default + Send + 'static>(&mut self) -> (&mut T, &Bump) {
        let wanted = TypeId::of::<T>();
        let place = self.slots.iter().position(|(held, _)| *held == wanted).unwrap_or_else(|| {
            self.slots.push((wanted, Box::<T>::default()));
            self.slots.len() - 1
        });
        match self.slots[place].1.downcast_mut::<T>() {
            Some(slot) => (slot, &self.arena),
            None => unreachable!("a slot is keyed by its type"),
        }
    }

    /// States how many bytes the slot of type `T` holds from call to call, for the budget. What says so can be made anew: it may be
    /// dropped between calls.
    pub fn hold<T: 'static>(&mut self, bytes: usize) {
        self.held.insert(TypeId::of::<T>(), bytes);
    }

    /// Bytes that slots hold, as far as they were stated.
    pub fn memory_bytes(&self) -> usize {
        self.held.values().sum()
    }

    /// Drops the slots that hold a stated number of bytes.
    pub fn release(&mut self) {
        for (slot, _) in self.held.drain() {
            self.slots.retain(|(held, _)| *held != slot);
        }
    }

    /// Forgets the arena's content and keeps its memory.
    pub fn reset(&mut self) {
        self.arena.reset();
    }
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").field("arena_bytes", &self.arena.allocated_bytes()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Scratch;

    #[test]
    fn slots_that_hold_memory_are_dropped_on_release() {
        let mut scratch = Scratch::new();
        scratch.slot::<Vec<u64>>().push(1);
        *scratch.slot::<u8>() = 2;
        scratch.hold::<Vec<u64>>(8);
        assert_eq!(scratch.memory_bytes(), 8);
        scratch.release();
        assert_eq!(
            (scratch.memory_bytes(), scratch.slot::<Vec<u64>>().len(), *scratch.slot::<u8>()),
            (0, 0, 2)
        );
    }
}
