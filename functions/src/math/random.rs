//! `random` and `uuid`: a counter, hashed.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use super::CATEGORY;
use crate::column::Rows;
use crate::kernel::hash::row::hash_u64;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction, Volatility};
use crate::signature::exact;
use crate::types::Type;

/// One in the last place of a double between 1 and 2.
const STEP: f64 = 1.0 / (1u64 << 53) as f64;

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("random", CATEGORY, "A number from 0 to below 1, another one in each row.")
            .note("Without a seed every call of a query draws its own. The numbers follow from the seed and a counter of rows.")
            .note("With one thread a seed gives the same numbers each time; with several, the same numbers in another order.")
            .example("random() < 1", "true")
            .volatility(Volatility::Volatile)
            .overload([], |_| Ok(bind_random(drawn_seed())))
            .overload([exact("seed", Type::Int64)], |arguments| {
                Ok(bind_random(arguments.constant(0)?.as_i64().unwrap_or(0) as u64))
            }),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "uuid",
            CATEGORY,
            "A random identifier of version 4 as text, another one in each row.",
        )
        .alias("gen_random_uuid")
        .alias("uuidv4")
        .note("Source: RFC 9562. Not for secrets.")
        .example("length(uuid())", "36")
        .volatility(Volatility::Volatile)
        .overload([], |_| Ok(bind_uuid(drawn_seed()))),
    );
}

/// The operating system's randomness, through the keys that the standard library draws for its hash tables.
fn drawn_seed() -> u64 {
    RandomState::new().hash_one(0u64)
}

/// Numbers of rows, each given once to whichever worker asks.
struct Counter(AtomicU64);

impl Counter {
    fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// The number of the first of these rows; the others follow it.
    fn take(&self, rows: &Rows<'_>) -> u64 {
        self.0.fetch_add(rows.count() as u64, Ordering::Relaxed)
    }
}

fn bind_random(seed: u64) -> Bound {
    let counter = Counter::new();
    Bound::null_aware(Type::Float64, move |_, rows, output, _| {
        let mut next = counter.take(&rows);
        let values = output.fixed::<f64>();
        rows.for_each(|row| {
            values[row] = (hash_u64(next, seed) >> 11) as f64 * STEP;
            next = next.wrapping_add(1);
        });
        Ok(())
    })
}

fn bind_uuid(seed: u64) -> Bound {
    let counter = Counter::new();
    Bound::null_aware(Type::Text, move |_, rows, output, _| {
        let mut next = counter.take(&rows);
        let mut writer = output.text();
        rows.for_each(|row| {
            // The version and the variant stand in the third and the fourth group.
            let high = hash_u64(next, seed) & !0xf000 | 0x4000;
            let low = hash_u64(next, !seed) & (u64::MAX >> 2) | 1 << 63;
            next = next.wrapping_add(1);
            writer.build(row, |text| {
                // Writing to a text under construction cannot fail.
                let _ = std::fmt::Write::write_fmt(
                    text,
                    format_args!(
                        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
                        high >> 32,
                        high >> 16 & 0xffff,
                        high & 0xffff,
                        low >> 48,
                        low & 0xffff_ffff_ffff
                    ),
                );
            });
        });
        Ok(())
    })
}
