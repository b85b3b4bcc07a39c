//! The power transforms of Box and Cox and of Yeo and Johnson.

use super::CATEGORY;
use super::number_forms::{block_bound, number_forms};
use crate::kernel::power_transform::{boxcox, yeo_johnson};
use crate::registry::Registry;
use crate::scalar::ScalarFunction;

pub(super) fn register(registry: &mut Registry) {
    let summary =
        "(x to the power lambda - 1) / lambda, and ln(x) for lambda 0; of a list that of each element.";
    let function = ScalarFunction::new("boxcox", CATEGORY, summary)
        .note("NaN for x below 0. A FLOAT is computed in DOUBLE and rounded once. Source: Box and Cox, 1964.")
        .example("boxcox(4, 0.5)", "2.0")
        .example("boxcox(1, 0)", "0.0");
    registry.register_scalar(number_forms(function, &["lambda"], &[], |arguments| {
        Ok(block_bound(arguments, |x, [lambdas]: [&[f64]; 1], results| boxcox(x, lambdas, results)))
    }));
    let summary = "The Box-Cox transform extended to negative numbers; of a list that of each element.";
    let function = ScalarFunction::new("yeo_johnson", CATEGORY, summary)
        .note("For x >= 0 it is boxcox(x + 1, lambda), below 0 it is -boxcox(1 - x, 2 - lambda). Source: Yeo and Johnson, 2000.")
        .example("yeo_johnson(3, 1)", "3.0")
        .example("yeo_johnson(-3, 1)", "-3.0");
    registry.register_scalar(number_forms(function, &["lambda"], &[], |arguments| {
        Ok(block_bound(arguments, |x, [lambdas]: [&[f64]; 1], results| yeo_johnson(x, lambdas, results)))
    }));
}
