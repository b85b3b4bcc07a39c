//! The numbers pi and e.

use super::CATEGORY;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::types::Type;

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        constant("pi", "The circumference of a circle of diameter 1.", std::f64::consts::PI)
            .example("pi()", "3.141592653589793"),
    );
    registry.register_scalar(
        constant("e", "The base of natural logarithms.", std::f64::consts::E)
            .example("e()", "2.718281828459045"),
    );
}

fn constant(name: &str, summary: &str, value: f64) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, summary).overload([], move |_| {
        Ok(Bound::null_aware(Type::Float64, move |_, rows, output, _| {
            let values = output.fixed::<f64>();
            rows.for_each(|row| values[row] = value);
            Ok(())
        }))
    })
}
