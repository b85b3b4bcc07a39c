//! One byte budget for a session, divided among the queries and operators that hold rows.
//!
//! The tree is session ([`Budget`]) > query ([`QueryMemory`]) > operator ([`Account`]); a
//! [`Reservation`] is one holder's share of an account, usually one worker's. A refused reservation
//! tells the operator to spill its own state first. One that cannot asks for more than its share
//! with [`Reservation::resize`]: the largest spillable accounts are marked, and their workers spill
//! at their next step. What no worker is at, such as the finished table of a join whose probe side has not begun, is
//! [`Waiting`]: whoever needs its memory has it written to disk on the spot. Only when nothing is left to spill is
//! [`Error::OutOfMemory`] returned.
//!
//! Readers of files cannot spill what they decode into. A run states what one of them takes at least before it starts, as a
//! [`Promise`]: nobody else is given that part of the budget, so that a run that starts can read its tables to the end.

mod account;
mod keep;
mod promise;
mod waiting;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

pub use account::{Account, Reservation};
pub use keep::{Keeper, used_bytes_of};
pub use promise::Promise;
pub use waiting::Waiting;

/// A host that counts memory itself, such as the pool of another engine. It is called from any thread that holds rows, and must not call back.
pub trait HostMemory: Send + Sync {
    /// Takes bytes if the host has them to give.
    fn try_take(&self, bytes: usize) -> bool;

    /// Takes bytes without which nothing moves on: small amounts, and what others are about to give back.
    fn take(&self, bytes: usize);

    /// Gives back bytes that were taken.
    fn give(&self, bytes: usize);
}

/// The byte budget of a session.
pub struct Budget {
    limit_bytes: usize,
    /// Whom each byte is also asked of.
    host: Option<Arc<dyn HostMemory>>,
    used_bytes: AtomicUsize,
    /// The part of it that is held by those to whom memory is promised.
    promised_used_bytes: AtomicUsize,
    /// What they have been promised, over all runs.
    promised_bytes: AtomicUsize,
    peak_bytes: AtomicUsize,
    /// The part of it that could be written to disk on the spot.
    waiting_bytes: AtomicUsize,
    queries: AtomicU64,
    accounts: Mutex<Vec<Weak<Account>>>,
}

impl Budget {
    /// A budget of this many bytes; `None` only counts.
    pub fn new(limit_bytes: Option<usize>) -> Arc<Self> {
        Self::within(limit_bytes, None)
    }

    /// As [`Budget::new`], and every byte is asked of the host too.
    pub fn within(limit_bytes: Option<usize>, host: Option<Arc<dyn HostMemory>>) -> Arc<Self> {
        Arc::new(Self {
            limit_bytes: limit_bytes.unwrap_or(usize::MAX),
            host,
            used_bytes: AtomicUsize::new(0),
            promised_used_bytes: AtomicUsize::new(0),
            promised_bytes: AtomicUsize::new(0),
            peak_bytes: AtomicUsize::new(0),
            waiting_bytes: AtomicUsize::new(0),
            queries: AtomicU64::new(0),
            accounts: Mutex::new(Vec::new()),
        })
    }

    /// The limit; `None` if there is none.
    pub fn limit_bytes(&self) -> Option<usize> {
        (self.limit_bytes != usize::MAX).then_some(self.limit_bytes)
    }

    /// Bytes reserved now.
    pub fn used_bytes(&self) -> usize {
        self.used_bytes.load(Ordering::Relaxed)
    }

    /// Most bytes ever reserved at once.
    pub fn peak_bytes(&self) -> usize {
        self.peak_bytes.load(Ordering::Relaxed)
    }

    /// Bytes that could be reserved now.
    pub fn free_bytes(&self) -> usize {
        self.limit_bytes.saturating_sub(self.used_bytes()).saturating_sub(self.kept_free_bytes())
    }

    /// The share of a new query.
    pub fn query(self: &Arc<Self>) -> QueryMemory {
        QueryMemory { budget: Arc::clone(self), query: 1 + self.queries.fetch_add(1, Ordering::Relaxed) }
    }

    /// Takes `bytes` if they fit and leave others what is promised to them.
    fn take(&self, bytes: usize, holder: Holder) -> bool {
        let kept_free = match holder {
            Holder::Promised => 0,
            Holder::Other => self.kept_free_bytes(),
        };
        self.take_within(bytes, kept_free, holder)
    }

    /// Takes `bytes` if they fit and leave this much.
    fn take_within(&self, bytes: usize, kept_free: usize, holder: Holder) -> bool {
        let room = self.limit_bytes.saturating_sub(kept_free);
        let fits = |used: usize| used.checked_add(bytes).filter(|&sum| sum <= room);
        match self.used_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits) {
            Ok(_) if self.host.as_ref().is_some_and(|host| !host.try_take(bytes)) => {
                self.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
                false
            }
            Ok(before) => {
                self.peak_bytes.fetch_max(before + bytes, Ordering::Relaxed);
                self.count_promised(bytes, 0, holder);
                true
            }
            Err(_) => false,
        }
    }

    /// Bytes that are promised and not yet taken.
    fn kept_free_bytes(&self) -> usize {
        let promised = self.promised_bytes.load(Ordering::Relaxed);
        promised.saturating_sub(self.promised_used_bytes.load(Ordering::Relaxed))
    }

    /// Whether so many bytes are promised to this holder and not yet taken.
    fn has_promised(&self, bytes: usize, holder: Holder) -> bool {
        holder == Holder::Promised && bytes <= self.kept_free_bytes()
    }

    /// Takes `bytes` whether they fit or not.
    fn force(&self, bytes: usize, holder: Holder) {
        if let Some(host) = &self.host {
            host.take(bytes);
        }
        let before = self.used_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.peak_bytes.fetch_max(before.saturating_add(bytes), Ordering::Relaxed);
        self.count_promised(bytes, 0, holder);
    }

    fn give(&self, bytes: usize, holder: Holder) {
        self.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.count_promised(0, bytes, holder);
        if let Some(host) = self.host.as_ref().filter(|_| bytes > 0) {
            host.give(bytes);
        }
    }

    fn count_promised(&self, more: usize, less: usize, holder: Holder) {
        if matches!(holder, Holder::Promised) {
            self.promised_used_bytes.fetch_add(more, Ordering::Relaxed);
            self.promised_used_bytes.fetch_sub(less, Ordering::Relaxed);
        }
    }

    fn accounts(&self) -> MutexGuard<'_, Vec<Weak<Account>>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live_accounts(&self) -> Vec<Arc<Account>> {
        let mut accounts = self.accounts();
        accounts.retain(|account| account.strong_count() > 0);
        accounts.iter().filter_map(Weak::upgrade).collect()
    }

    /// Marks the largest spillable accounts until `bytes` are to be freed; the bytes that will be.
    fn request_spill(&self, bytes: usize, asking: &Account) -> usize {
        let mut candidates: Vec<_> = self
            .live_accounts()
            .into_iter()
            .filter(|account| !std::ptr::eq(&raw const **account, asking))
            .map(|account| (account.spillable_bytes(), account))
            .filter(|(spillable, _)| *spillable > 0)
            .collect();
        candidates.sort_by_key(|(spillable, _)| std::cmp::Reverse(*spillable));
        let mut marked = 0;
        for (spillable, account) in candidates {
            if marked >= bytes {
                break;
            }
            account.request_spill();
            marked += spillable;
        }
        marked
    }

    /// Who holds what, largest first: the end of an out-of-memory message.
    fn holders(&self) -> String {
        let mut held: Vec<_> = self
            .live_accounts()
            .iter()
            .map(|account| {
                (account.held_bytes(), format!("query {} {}", account.query(), account.operator()))
            })
            .filter(|(bytes, _)| *bytes > 0)
            .collect();
        held.sort_by(|a, b| b.cmp(a));
        let shown: Vec<_> =
            held.iter().take(8).map(|(bytes, name)| format!("{name} holds {bytes}")).collect();
        if shown.is_empty() { "nothing else is held".into() } else { shown.join(", ") }
    }
}

/// For whom bytes are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// One of those for whom runs get promises.
    Promised,
    /// Everybody else.
    Other,
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budget")
            .field("limit_bytes", &self.limit_bytes())
            .field("used_bytes", &self.used_bytes())
            .finish_non_exhaustive()
    }
}

/// One query's share of the budget: it opens accounts for its operators.
#[derive(Debug, Clone)]
pub struct QueryMemory {
    budget: Arc<Budget>,
    query: u64,
}

impl QueryMemory {
    /// An account for an operator of this query.
    pub fn account(&self, operator: &str) -> Arc<Account> {
        let account = Arc::new(Account::new(Arc::clone(&self.budget), self.query, operator));
        let mut accounts = self.budget.accounts();
        if accounts.len() == accounts.capacity() {
            // A session lives longer than its queries, so the list is rid of theirs whenever it would grow.
            accounts.retain(|account| account.strong_count() > 0);
            let live = accounts.len();
            accounts.reserve(live.max(16));
        }
        accounts.push(Arc::downgrade(&account));
        drop(accounts);
        account
    }

    /// The session's budget.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn a_reservation_past_the_limit_is_refused_and_nothing_changes() {
        let budget = Budget::new(Some(100));
        let account = budget.query().account("sort");
        let mut reservation = account.reserve();
        assert!(reservation.try_resize(80));
        assert!(!reservation.try_resize(101));
        assert_eq!(budget.used_bytes(), 80);
        drop(reservation);
        assert_eq!(budget.used_bytes(), 0);
        assert_eq!(budget.peak_bytes(), 80);
    }

    #[test]
    fn accounts_of_queries_that_have_ended_are_forgotten() {
        let budget = Budget::new(None);
        let held: Vec<_> = (0..20).map(|_| budget.query().account("held")).collect();
        for _ in 0..10_000 {
            drop(budget.query().account("sort"));
        }
        assert!(budget.accounts().len() <= 64);
        assert_eq!(budget.live_accounts().len(), held.len());
    }

    #[test]
    fn one_that_cannot_spill_marks_the_largest_that_can() {
        let budget = Budget::new(Some(100));
        let query = budget.query();
        let (small, large) = (query.account("small"), query.account("large"));
        let (mut a, mut b) = (small.reserve(), large.reserve());
        a.set_spillable(true);
        b.set_spillable(true);
        assert!(a.try_resize(20) && b.try_resize(70));
        let mut asking = query.account("table").reserve();
        asking.resize(50).expect("the large account will give its bytes back");
        assert!(large.take_spill_request() && !small.take_spill_request());
    }

    #[test]
    fn with_nothing_left_to_spill_the_error_names_the_holders() {
        let budget = Budget::new(Some(100));
        let query = budget.query();
        let mut held = query.account("hash join build").reserve();
        assert!(held.try_resize(90));
        let error = query.account("sort").reserve().resize(20).expect_err("over the limit");
        assert!(matches!(error, Error::OutOfMemory { requested: 20, limit: 100, .. }));
        assert!(error.to_string().contains("query 1 hash join build holds 90"), "{error}");
    }
    /// A pool of 100 bytes that counts.
    #[derive(Default)]
    struct Pool(AtomicUsize);

    impl HostMemory for Pool {
        fn try_take(&self, bytes: usize) -> bool {
            let fits = |held: usize| (held + bytes <= 100).then_some(held + bytes);
            self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
        }
        fn take(&self, bytes: usize) {
            self.0.fetch_add(bytes, Ordering::Relaxed);
        }
        fn give(&self, bytes: usize) {
            self.0.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_host_is_asked_for_each_byte_and_gets_each_back() {
        let pool = Arc::new(Pool::default());
        let budget = Budget::within(Some(80), Some(Arc::clone(&pool) as Arc<dyn HostMemory>));
        let other = Budget::within(None, Some(Arc::clone(&pool) as Arc<dyn HostMemory>));
        let (mut sort, mut table) =
            (budget.query().account("sort").reserve(), other.query().account("table").reserve());
        assert!(sort.try_resize(70) && !sort.try_resize(81));
        assert!(!table.try_resize(31) && table.try_resize(30));
        let refused = table.resize(40).expect_err("the pool is spent");
        assert!(matches!(refused, Error::OutOfMemory { requested: 10, limit: 30, .. }), "{refused}");
        table.force(40);
        assert_eq!((pool.0.load(Ordering::Relaxed), budget.used_bytes(), other.used_bytes()), (110, 70, 40));
        drop((sort, table));
        assert_eq!((pool.0.load(Ordering::Relaxed), budget.used_bytes(), other.used_bytes()), (0, 0, 0));
    }
}
