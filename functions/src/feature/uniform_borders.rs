//! `uniform_borders`: borders of buckets of equal width.

use super::CATEGORY;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Most buckets.
pub(crate) const BUCKETS_MAX: i64 = 1 << 16;

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("uniform_borders", CATEGORY, "The borders that cut a range into buckets of equal width, for bucketize.")
        .note("Border i is low + i * ((high - low) / buckets), for i from 1 to buckets - 1. None where low is not below high.")
        .note("A number of buckets below 1 or above 65,536 is an error.")
        .example("uniform_borders(0, 10, 4)", "[2.5, 5.0, 7.5]")
        .example("uniform_borders(3, 3, 4)", "[]")
        .overload(
            [exact("low", Type::Float64), exact("high", Type::Float64), exact("buckets", Type::Int64)],
            |arguments| {
                let function = arguments.function.to_owned();
                Ok(Bound::strict(Type::list(Type::Float64), move |arguments, rows, output, _| {
                    let (lows, highs) = (arguments[0].fixed::<f64>(), arguments[1].fixed::<f64>());
                    let counts = arguments[2].fixed::<i64>();
                    rows.for_each(|row| {
                        let (low, high, buckets) = (lows.get(row), highs.get(row), counts.get(row));
                        if !(1..=BUCKETS_MAX).contains(&buckets) {
                            let problem = format!("is {buckets}; expected 1 to {BUCKETS_MAX} buckets");
                            let function = function.clone();
                            return output.fail(row, || crate::error::Error::argument(function, 3, problem));
                        }
                        let count = if low < high { buckets as usize - 1 } else { 0 };
                        let width = (high - low) / buckets as f64;
                        let mut writer = output.list();
                        let start = writer.child().grow(count);
                        writer.set(row, start, count);
                        let borders = &mut writer.child().fixed::<f64>()[start..start + count];
                        borders.iter_mut().zip(1..).for_each(|(border, step)| *border = low + f64::from(step) * width);
                    });
                    output.check_capacity()
                }))
            },
        )
}
