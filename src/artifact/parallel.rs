//! Pieces of work that do not depend on each other, on several threads.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// What `make` gives for each of these numbers, in their order; they are begun in this order too, each by the thread that is free.
///
/// # Errors
/// That of the first number whose making failed.
pub(super) fn in_parallel<T: Send>(
    numbers: &[usize],
    threads: usize,
    make: impl Fn(usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut made = Vec::new();
        while let Some((at, number)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, *numbers.get(at)?)))
        {
            made.push((at, make(number)));
        }
        made
    };
    let threads = threads.min(numbers.len()).max(1);
    let mut made = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut made = work();
        for other in others {
            let panicked = |_| hypostyle_engine::Error::internal("a thread that made a member panicked");
            made.extend(other.join().map_err(panicked)?);
        }
        Ok::<_, Error>(made)
    })?;
    made.sort_by_key(|(at, _)| *at);
    made.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_the_first_error_is_told() {
        let numbers: Vec<usize> = (0..100).rev().collect();
        for threads in [0, 1, 3, 200] {
            let doubled = in_parallel(&numbers, threads, |number| Ok(number * 2)).unwrap();
            assert!(doubled.iter().zip(&numbers).all(|(double, number)| *double == number * 2));
            let failed = in_parallel(&numbers, threads, |number| match number {
                30 | 70 => Err(Error::user(number.to_string())),
                _ => Ok(()),
            });
            assert_eq!(failed.unwrap_err().to_string(), "70");
        }
        assert!(in_parallel(&[], 4, |_| Ok(())).unwrap().is_empty());
    }
}
