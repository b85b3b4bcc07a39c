//! What is kept free for the readers of a run before it starts.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Budget;
use crate::error::{Error, Result};

/// Share of the budget up to which all readers of a run get their part at once; beyond it one has to do.
const SHARE_OF_ALL_READERS: usize = 4;

/// Bytes of the budget that only readers of files are given (see [`super::Account::reserve_promised`]) while this lives.
#[derive(Debug)]
pub struct Promise {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budget {
    /// Keeps free what readers take of which `reader_bytes` is the largest, on this many threads; `what` names it.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if the budget could not hold even one of them.
    pub fn promise(self: &Arc<Self>, reader_bytes: usize, threads: usize, what: &str) -> Result<Promise> {
        if reader_bytes > self.limit_bytes {
            return Err(Error::OutOfMemory {
                requested: reader_bytes,
                operator: what.into(),
                limit: self.limit_bytes,
                holders: "the query cannot run with less: raise the memory limit or read fewer columns"
                    .into(),
            });
        }
        let all = reader_bytes.saturating_mul(threads.max(1));
        let bytes = all.min(self.limit_bytes / SHARE_OF_ALL_READERS).max(reader_bytes);
        // However many runs there are, half of the budget is for everything else, unless one reader takes more.
        let most = (self.limit_bytes / 2).max(reader_bytes);
        let bytes = bytes.min(most.saturating_sub(self.promised_bytes.load(Ordering::Relaxed)));
        self.promised_bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(Promise { budget: Arc::clone(self), bytes })
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.budget.promised_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_promised_is_only_given_to_those_it_is_promised_to() {
        let budget = Budget::new(Some(100));
        let promise = budget.promise(20, 1, "reading t").expect("it fits");
        let account = budget.query().account("sort");
        let (mut sort, mut scan) = (account.reserve(), account.reserve_promised());
        assert!(!sort.try_resize(81) && sort.try_resize(80));
        assert!(scan.try_resize(20) && !scan.try_resize(21));
        drop(scan);
        assert!(!sort.try_resize(81));
        sort.resize(90).expect("one that cannot spill is given what is left");
        drop(promise);
        assert!(sort.try_resize(100));
        drop(sort);
        assert_eq!((budget.used_bytes(), budget.promised_bytes.load(Ordering::Relaxed)), (0, 0));
        assert_eq!(budget.promised_used_bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_promise_holds_where_others_have_forced_their_way() {
        let budget = Budget::new(Some(100));
        let _promise = budget.promise(40, 1, "reading t").expect("it fits");
        let account = budget.query().account("sort");
        let (mut sort, mut scan) = (account.reserve(), account.reserve_promised());
        sort.force(70);
        assert!(!scan.try_resize(40));
        scan.resize(40).expect("it was promised");
        scan.resize(41).expect_err("no more was promised");
    }

    #[test]
    fn readers_of_all_threads_are_counted_while_they_take_little() {
        let budget = Budget::new(Some(1000));
        let promised = |reader_bytes| {
            let promise = budget.promise(reader_bytes, 4, "reading t").expect("it fits");
            promise.bytes
        };
        assert_eq!((promised(10), promised(100), promised(400)), (40, 250, 400));
    }

    #[test]
    fn half_of_the_budget_is_for_everything_else_unless_one_reader_takes_more() {
        let budget = Budget::new(Some(100));
        let mut sort = budget.query().account("sort").reserve();
        let _promises = [budget.promise(30, 1, "reading t"), budget.promise(30, 1, "reading t")];
        assert!(!sort.try_resize(51) && sort.try_resize(50));
        let _larger = budget.promise(60, 1, "reading t");
        assert!(!sort.try_resize(51) && sort.try_resize(40));
    }

    #[test]
    fn a_reader_that_no_budget_could_hold_is_refused_with_the_numbers() {
        let budget = Budget::new(Some(100));
        let error = budget.promise(101, 1, "reading \"t.parquet\"").expect_err("too large");
        let text = error.to_string();
        assert!(
            text.contains("101 bytes for reading \"t.parquet\"") && text.contains("limit of 100 bytes"),
            "{text}"
        );
        assert!(text.contains("raise the memory limit"), "{text}");
    }
}
