//! Numbers chosen by a key: for shards and samples that stay stable when their number changes.

use super::CATEGORY;
use crate::column::View;
use crate::error::Error;
use crate::kernel::hash::consistent::{consistent_choose, jump_hash};
use crate::kernel::hash::sigrid::{hash_128_to_64, twang_mix64};
use crate::kernel::hash::xxhash64::xxhash64;
use crate::lanes::{Outcome, binary, partial_binary, unary};
use crate::registry::Registry;
use crate::scalar::{Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Most numbers of one choice: its cost grows with their square.
const CHOSEN_MAX: i64 = 1000;

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("jump_hash", CATEGORY, "A number from 0 to below a bound, by jump consistent hash of a key.")
            .cost(Cost::Parse)
            .note("When the bound grows by 1, only the share of keys that the new number takes over moves. A bound below 1 is an error.")
            .note("Source: Lamping and Veach, 2014. The key is taken as it is; hash keys that are not spread out.")
            .example("jump_hash(256, 1024)", "520")
            .overload([exact("key", Type::Int64), exact("buckets", Type::Int64)], |_| {
                let kernel = partial_binary(
                    |key: i64, bound: i64| {
                        if bound > 0 { Outcome::Value(jump_hash(key as u64, bound)) } else { Outcome::Failed }
                    },
                    |_, bound| {
                        let problem = format!("is {bound}; expected a number of buckets of at least 1");
                        Error::argument("jump_hash", 2, problem)
                    },
                );
                Ok(Bound::lanes(Type::Int64, kernel))
            }),
    );
    let function = ScalarFunction::new("consistent_choose", CATEGORY, "Distinct numbers from 0 to below a bound, chosen by a key, in ascending order.")
        .cost(Cost::Parse)
        .note("Every set is equally likely. When the bound grows by 1, at most one number changes; a choice of k holds that of k - 1.")
        .note("Bounds from 1, up to 1000 numbers and not more than the bound. Texts are hashed with XXH64 first.")
        .example("consistent_choose(7, 5, 5)", "[0, 1, 2, 3, 4]")
        .example("length(consistent_choose('user-1', 100, 3))", "3");
    let forms = [Type::Int64, Type::Text].into_iter().fold(function, |function, key| {
        let parameters = [exact("key", key), exact("buckets", Type::Int64), exact("k", Type::Int64)];
        function.overload(parameters, |arguments| {
            Ok(if arguments.types[0] == Type::Text {
                choose(|view, row| xxhash64(view.bytes().get(row), 0))
            } else {
                choose(|view, row| view.fixed::<i64>().get(row) as u64)
            })
        })
    });
    registry.register_scalar(forms);
    registry.register_scalar(
        ScalarFunction::new("twang_mix64", CATEGORY, "Thomas Wang's reversible mix of 64 bits.")
            .note("Source: folly; the first step of sigrid_hash.")
            .example("hash_128_to_64(0, twang_mix64(1))", "3312372336822847760")
            .overload([exact("x", Type::Int64)], |_| {
                Ok(Bound::lanes(Type::Int64, unary(|x: i64| twang_mix64(x as u64) as i64)))
            }),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "hash_128_to_64",
            CATEGORY,
            "CityHash's reduction of two words to one, as a signed integer.",
        )
        .note("Source: CityHash and folly; the second step of sigrid_hash.")
        .example("hash_128_to_64(0, twang_mix64(2))", "670940560248074554")
        .overload([exact("high", Type::Int64), exact("low", Type::Int64)], |_| {
            let function = |high: i64, low: i64| hash_128_to_64(high as u64, low as u64) as i64;
            Ok(Bound::lanes(Type::Int64, binary(function)))
        }),
    );
}

fn choose(key: impl Fn(&View<'_>, usize) -> u64 + Send + Sync + 'static) -> Bound {
    Bound::strict(Type::list(Type::Int64), move |arguments, rows, output, _| {
        let (bounds, counts) = (arguments[1].fixed::<i64>(), arguments[2].fixed::<i64>());
        rows.for_each(|row| {
            let (bound, count) = (bounds.get(row), counts.get(row));
            if bound < 1 {
                let problem = format!("is {bound}; expected a number of buckets of at least 1");
                return output.fail(row, || Error::argument("consistent_choose", 2, problem));
            }
            if !(0..=bound.min(CHOSEN_MAX)).contains(&count) {
                let most = bound.min(CHOSEN_MAX);
                let problem = format!("is {count}; expected 0 to {most} numbers of {bound}");
                return output.fail(row, || Error::argument("consistent_choose", 3, problem));
            }
            let mut writer = output.list();
            let start = writer.child().grow(count as usize);
            let chosen = &mut writer.child().fixed::<i64>()[start..start + count as usize];
            consistent_choose(key(&arguments[0], row), bound, chosen);
            chosen.reverse();
            writer.finish(row, start);
        });
        output.check_capacity()
    })
}
