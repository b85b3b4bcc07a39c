//! What one operator holds, and the shares of its workers.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use super::waiting::{STARVING, Waiting};
use super::{Budget, Holder};
use crate::error::{Error, Result};

/// Bytes held by one operator of one query, over all its workers.
#[derive(Debug)]
pub struct Account {
    budget: Arc<Budget>,
    query: u64,
    operator: String,
    held_bytes: AtomicUsize,
    peak_bytes: AtomicUsize,
    spillable_bytes: AtomicUsize,
    spill_requested: AtomicBool,
    /// What gives the memory of this account back while no worker is at it, and how much.
    waiting: OnceLock<Weak<dyn Waiting>>,
    waiting_bytes: AtomicUsize,
}

impl Account {
    pub(super) fn new(budget: Arc<Budget>, query: u64, operator: &str) -> Self {
        Self {
            budget,
            query,
            operator: operator.into(),
            held_bytes: AtomicUsize::new(0),
            peak_bytes: AtomicUsize::new(0),
            spillable_bytes: AtomicUsize::new(0),
            spill_requested: AtomicBool::new(false),
            waiting: OnceLock::new(),
            waiting_bytes: AtomicUsize::new(0),
        }
    }

    /// States what gives memory of this account back when others ask for it and no worker of its own comes by.
    pub fn set_waiting(&self, waiting: Weak<dyn Waiting>) {
        self.waiting.get_or_init(|| waiting);
    }

    /// States how much of this account waits.
    pub fn set_waiting_bytes(&self, bytes: usize) {
        let before = self.waiting_bytes.swap(bytes, Ordering::Relaxed);
        self.budget.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.budget.waiting_bytes.fetch_sub(before, Ordering::Relaxed);
    }

    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn waiting(&self) -> Option<Arc<dyn Waiting>> {
        self.waiting.get().and_then(Weak::upgrade)
    }

    /// An empty share of this account.
    pub fn reserve(self: &Arc<Self>) -> Reservation {
        self.reservation(Holder::Other)
    }

    /// An empty share of this account, for what runs are promised before they start (see [`super::Promise`]).
    pub fn reserve_promised(self: &Arc<Self>) -> Reservation {
        self.reservation(Holder::Promised)
    }

    fn reservation(self: &Arc<Self>, holder: Holder) -> Reservation {
        Reservation { account: Arc::clone(self), bytes: 0, spillable: false, holder }
    }

    /// Number of the query.
    pub fn query(&self) -> u64 {
        self.query
    }

    /// Name of the operator.
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// The budget this account belongs to.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// Bytes held now.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes.load(Ordering::Relaxed)
    }

    /// Most bytes held at once.
    pub fn peak_bytes(&self) -> usize {
        self.peak_bytes.load(Ordering::Relaxed)
    }

    /// Bytes that a spill would free.
    pub fn spillable_bytes(&self) -> usize {
        self.spillable_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn request_spill(&self) {
        self.spill_requested.store(true, Ordering::Relaxed);
    }

    /// True once after a spill was asked of this operator.
    pub fn take_spill_request(&self) -> bool {
        self.spill_requested.load(Ordering::Relaxed) && self.spill_requested.swap(false, Ordering::Relaxed)
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.set_waiting_bytes(0);
    }
}

/// A share of an account; given back when dropped.
#[derive(Debug)]
pub struct Reservation {
    account: Arc<Account>,
    bytes: usize,
    spillable: bool,
    holder: Holder,
}

impl Reservation {
    /// Bytes reserved.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The account it belongs to.
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// States whether the holder can free these bytes by spilling when asked.
    pub fn set_spillable(&mut self, spillable: bool) {
        if spillable && !self.spillable {
            self.account.spillable_bytes.fetch_add(self.bytes, Ordering::Relaxed);
        } else if !spillable && self.spillable {
            self.account.spillable_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        }
        self.spillable = spillable;
    }

    /// Makes the share `bytes` large if the budget allows it; a smaller share always succeeds.
    ///
    /// Where the budget does not allow it and this account holds little beside what waits for its turn, that is asked for first.
    #[must_use]
    pub fn try_resize(&mut self, bytes: usize) -> bool {
        if bytes > self.bytes && !self.account.budget.take(bytes - self.bytes, self.holder) {
            let wanted = bytes - self.bytes;
            let target = self.account.held_bytes() + wanted;
            let account = &self.account;
            let least = target.saturating_mul(STARVING);
            let freed = account.budget.ask_waiting(wanted, least, account);
            if !freed || !account.budget.take(wanted, self.holder) {
                return false;
            }
        }
        self.settle(bytes);
        true
    }

    /// Makes the share `bytes` large for a holder that has nothing of its own to spill.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if the budget does not allow it and no other operator can spill enough.
    pub fn resize(&mut self, bytes: usize) -> Result<()> {
        if self.try_resize(bytes) {
            return Ok(());
        }
        let budget = &self.account.budget;
        let wanted = bytes - self.bytes;
        if budget.ask_waiting(wanted, 0, &self.account) && budget.take(wanted, self.holder) {
            self.settle(bytes);
            return Ok(());
        }
        if budget.request_spill(wanted, &self.account) >= wanted {
            // The marked operators free at least this much at their next step.
            self.force(bytes);
            return Ok(());
        }
        // What is promised to readers stays theirs as long as another way is left.
        if budget.take_within(wanted, 0, self.holder) {
            self.settle(bytes);
            return Ok(());
        }
        // Others may have taken a little that nothing moves on without; a promise holds all the same.
        if budget.has_promised(wanted, self.holder) {
            self.force(bytes);
            return Ok(());
        }
        Err(Error::OutOfMemory {
            requested: wanted,
            operator: self.account.operator.clone(),
            // Without a limit of its own it was the host that refused.
            limit: budget.limit_bytes().unwrap_or_else(|| budget.used_bytes()),
            holders: budget.holders(),
        })
    }

    /// Makes the share `bytes` large whether or not it fits: for small amounts without which nothing moves on.
    pub fn force(&mut self, bytes: usize) {
        if bytes > self.bytes {
            self.account.budget.force(bytes - self.bytes, self.holder);
        }
        self.settle(bytes);
    }

    /// Books the change; what is above the old share has already been taken from the budget.
    fn settle(&mut self, bytes: usize) {
        let account = &self.account;
        if bytes >= self.bytes {
            let more = bytes - self.bytes;
            let held = account.held_bytes.fetch_add(more, Ordering::Relaxed) + more;
            account.peak_bytes.fetch_max(held, Ordering::Relaxed);
            if self.spillable {
                account.spillable_bytes.fetch_add(more, Ordering::Relaxed);
            }
        } else {
            let less = self.bytes - bytes;
            account.budget.give(less, self.holder);
            account.held_bytes.fetch_sub(less, Ordering::Relaxed);
            if self.spillable {
                account.spillable_bytes.fetch_sub(less, Ordering::Relaxed);
            }
        }
        self.bytes = bytes;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.settle(0);
    }
}
