//! Hash functions. The published ones give the same numbers as everywhere else; `hash` is the project's own.

mod bucket;
mod choose;
mod discrete;
mod published;

use crate::column;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::any;
use crate::types::Type;

pub(crate) use bucket::NULL_BYTES;

const CATEGORY: &str = "hash";

/// Adds the family.
pub(crate) fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("hash", CATEGORY, "Hash of one or more values of any type.")
            .note("Equal values have equal hashes, also nulls, both zeros and every NaN; never null.")
            .note("The project's own function, stable across machines and releases, and unlike that of other systems.")
            .example("hash('a') = hash('a')", "true")
            .example("hash(1, NULL) = hash(NULL, 1)", "false")
            .variadic([any("value"), any("values")], |_| {
                Ok(Bound::null_aware(Type::UInt64, |arguments, rows, output, _| {
                    let hashes = output.fixed::<u64>();
                    rows.for_each(|row| {
                        hashes[row] = arguments.iter().fold(0, |seed, view| column::hash(view, row, seed));
                    });
                    Ok(())
                }))
            }),
    );
    published::register(registry);
    registry.register_scalar(bucket::function());
    registry.register_scalar(discrete::function());
    choose::register(registry);
}

#[cfg(test)]
mod tests;
