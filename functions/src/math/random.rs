//! `random`: a counter, hashed.

use std::sync::atomic::{AtomicU64, Ordering};

use super::CATEGORY;
use crate::kernel::hash::row::hash_u64;
use crate::scalar::{Bound, ScalarFunction, Volatility};
use crate::signature::exact;
use crate::types::Type;

/// One in the last place of a double between 1 and 2.
const STEP: f64 = 1.0 / (1u64 << 53) as f64;

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("random", CATEGORY, "A number from 0 to below 1, another one in each row.")
        .note("The numbers follow from the seed and a counter of rows; without a seed, the start of the query is the seed.")
        .note("With one thread a seed gives the same numbers each time; with several, the same numbers in another order.")
        .example("random() < 1", "true")
        .volatility(Volatility::Volatile)
        .overload([], |arguments| Ok(bind(arguments.settings.now_microseconds as u64)))
        .overload([exact("seed", Type::Int64)], |arguments| {
            Ok(bind(arguments.constant(0)?.as_i64().unwrap_or(0) as u64))
        })
}

fn bind(seed: u64) -> Bound {
    let counter = AtomicU64::new(0);
    Bound::null_aware(Type::Float64, move |_, rows, output, _| {
        let mut next = counter.fetch_add(rows.count() as u64, Ordering::Relaxed);
        let values = output.fixed::<f64>();
        rows.for_each(|row| {
            values[row] = (hash_u64(next, seed) >> 11) as f64 * STEP;
            next = next.wrapping_add(1);
        });
        Ok(())
    })
}
