//! Memory that is held for later, with no worker at it: whoever needs it has it written to disk.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Account, Budget};

/// A holder that takes this many times less than one that waits is starving: what waits gives way to it. Otherwise it is
/// cheaper that the one at work spills, which often is the smaller one and knows best what it needs next.
pub(super) const STARVING: usize = 8;

/// Something that holds memory for a later part of its run.
pub trait Waiting: Send + Sync {
    /// Writes what it holds to disk and gives the memory back; false if it holds nothing any more, or could not, in which case
    /// nothing has changed. Called on the thread of the one who asks, who may hold locks of its own: it asks nobody for memory.
    fn give_back(&self) -> bool;
}

impl Budget {
    /// Has what waits and holds at least `least` bytes written to disk, the largest first, until `bytes` fit; false if nothing was
    /// freed.
    pub(super) fn ask_waiting(&self, bytes: usize, least: usize, asking: &Account) -> bool {
        if self.waiting_bytes.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let others =
            self.live_accounts().into_iter().filter(|account| !std::ptr::eq(&raw const **account, asking));
        let mut waiting: Vec<(usize, Arc<Account>)> = others
            .map(|account| (account.waiting_bytes(), account))
            .filter(|(held, _)| *held > 0 && *held >= least)
            .collect();
        waiting.sort_by_key(|(held, _)| std::cmp::Reverse(*held));
        let mut freed = false;
        for (_, account) in waiting {
            if freed && self.free_bytes() >= bytes {
                break;
            }
            freed |= account.waiting().is_some_and(|waiting| waiting.give_back());
        }
        freed
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;
    use crate::memory::{QueryMemory, Reservation};

    /// Holds bytes until it is asked for them.
    struct Table(Arc<Account>, Mutex<Option<Reservation>>);

    impl Waiting for Table {
        fn give_back(&self) -> bool {
            self.0.set_waiting_bytes(0);
            self.1.lock().unwrap_or_else(PoisonError::into_inner).take().is_some()
        }
    }

    fn table(query: &QueryMemory, bytes: usize) -> Arc<Table> {
        let account = query.account("hash join build");
        let mut reservation = account.reserve();
        assert!(reservation.try_resize(bytes));
        account.set_waiting_bytes(bytes);
        let table = Arc::new(Table(Arc::clone(&account), Mutex::new(Some(reservation))));
        let waiting: std::sync::Weak<Table> = Arc::downgrade(&table);
        account.set_waiting(waiting);
        table
    }

    #[test]
    fn what_waits_gives_way_to_one_that_starves() {
        let budget = Budget::new(Some(1000));
        let query = budget.query();
        let (small, large) = (table(&query, 100), table(&query, 880));
        let mut sort = query.account("sort").reserve();
        assert!(sort.try_resize(20));
        assert!(sort.try_resize(110), "an eighth of the large table");
        assert!(large.1.lock().unwrap().is_none() && small.1.lock().unwrap().is_some());
        assert_eq!(budget.used_bytes(), 210);
        assert!(!sort.try_resize(901), "no eighth of the small table");
        drop((small, large));
    }

    #[test]
    fn what_waits_gives_way_to_one_that_cannot_spill() {
        let budget = Budget::new(Some(1000));
        let query = budget.query();
        let (small, large) = (table(&query, 300), table(&query, 400));
        let mut written = query.account("write").reserve();
        written.resize(700).expect("the large table goes to disk");
        assert!(large.1.lock().unwrap().is_none() && small.1.lock().unwrap().is_some());
        written.resize(1000).expect("the small one too");
        assert_eq!(budget.used_bytes(), 1000);
        assert_eq!(budget.waiting_bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_holder_that_is_gone_does_not_wait() {
        let budget = Budget::new(Some(1000));
        let query = budget.query();
        drop(table(&query, 900));
        assert_eq!(budget.waiting_bytes.load(Ordering::Relaxed), 0);
        assert!(query.account("sort").reserve().try_resize(1000));
    }
}
