//! Logarithms, powers, roots and trigonometry, on the project's own kernels.

use std::sync::Arc;

use super::CATEGORY;
use crate::error::Error;
use crate::kernel::transcendental as kernel;
use crate::lanes::{Lane, LaneKernel, Lanes, LanesMut, Marks, binary, slice, unary};
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

type Slices = fn(&[f64], &mut [f64]);
type SinglesSlices = fn(&[f32], &mut [f32]);

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        double("sqrt", "Square root.", unary(f64::sqrt)).note("NaN below 0.").example("sqrt(16)", "4.0"),
    );
    let functions: [(&str, &str, Slices, &str, &str); 18] = [
        ("cbrt", "Cube root.", kernel::cbrt, "cbrt(-8)", "-2.0"),
        ("exp", "e to a power.", kernel::exp, "exp(0)", "1.0"),
        ("ln", "Natural logarithm; -inf for 0 and NaN below.", kernel::ln, "ln(0)", "-inf"),
        ("log2", "Logarithm to base 2; -inf for 0 and NaN below.", kernel::log2, "log2(8)", "3.0"),
        ("sin", "Sine of an angle in radians.", kernel::sin, "sin(0)", "0.0"),
        ("cos", "Cosine of an angle in radians.", kernel::cos, "cos(0)", "1.0"),
        ("tan", "Tangent of an angle in radians.", kernel::tan, "tan(0)", "0.0"),
        ("asin", "Angle of a sine, in radians; NaN outside of -1 to 1.", kernel::asin, "asin(0)", "0.0"),
        ("acos", "Angle of a cosine, in radians; NaN outside of -1 to 1.", kernel::acos, "acos(1)", "0.0"),
        ("atan", "Angle of a tangent, in radians.", kernel::atan, "atan(0)", "0.0"),
        ("sinh", "Hyperbolic sine.", kernel::sinh, "sinh(0)", "0.0"),
        ("cosh", "Hyperbolic cosine.", kernel::cosh, "cosh(0)", "1.0"),
        ("tanh", "Hyperbolic tangent.", kernel::tanh, "tanh(0)", "0.0"),
        ("asinh", "Inverse hyperbolic sine.", kernel::asinh, "asinh(0)", "0.0"),
        ("acosh", "Inverse hyperbolic cosine; NaN below 1.", kernel::acosh, "acosh(1)", "0.0"),
        ("atanh", "Inverse hyperbolic tangent; NaN outside of -1 to 1.", kernel::atanh, "atanh(0)", "0.0"),
        ("gamma", "Gamma function: the factorial of x - 1.", kernel::gamma, "gamma(5)", "24.0"),
        ("lgamma", "Logarithm of the magnitude of the gamma function.", kernel::ln_gamma, "lgamma(1)", "0.0"),
    ];
    for (name, summary, function, example, result) in functions {
        registry.register_scalar(double(name, summary, slice(function)).example(example, result));
    }
    registry.register_scalar(
        double("cot", "Cotangent of an angle in radians.", unary(|x: f64| 1.0 / kernel::tan_one(x)))
            .example("cot(0)", "inf"),
    );
    registry.register_scalar(logarithm());
    registry.register_scalar(power());
    registry.register_scalar(
        ScalarFunction::new("atan2", CATEGORY, "Angle of the point (x, y) from the x axis, in radians.")
            .example("atan2(1, 1)", "0.7853981633974483")
            .overload([exact("y", Type::Float64), exact("x", Type::Float64)], |_| {
                Ok(Bound::lanes(Type::Float64, slices(kernel::atan2)))
            }),
    );
    let both: [(&str, &str, Slices, SinglesSlices, &str, &str); 2] = [
        (
            "log1p",
            "Natural logarithm of 1 + x, exact for small x.",
            kernel::log1p,
            kernel::log1p_f32,
            "log1p(0)",
            "0.0",
        ),
        (
            "expm1",
            "e to a power, less 1, exact for small x.",
            kernel::expm1,
            kernel::expm1_f32,
            "expm1(0)",
            "0.0",
        ),
    ];
    for (name, summary, doubles, singles, example, result) in both {
        registry.register_scalar(
            ScalarFunction::new(name, CATEGORY, summary)
                .note("A FLOAT is computed in DOUBLE and rounded once. log1p(-1) is -inf, below it NaN.")
                .example(example, result)
                .overload([exact("x", Type::Float32)], move |_| {
                    Ok(Bound::lanes(Type::Float32, slice(singles)))
                })
                .overload([exact("x", Type::Float64)], move |_| {
                    Ok(Bound::lanes(Type::Float64, slice(doubles)))
                }),
        );
    }
}

fn double(name: &str, summary: &str, kernel: Arc<dyn LaneKernel>) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, summary)
        .overload([exact("x", Type::Float64)], move |_| Ok(Bound::lanes(Type::Float64, Arc::clone(&kernel))))
}

fn logarithm() -> ScalarFunction {
    ScalarFunction::new("log", CATEGORY, "Logarithm to base 10, or to the base given first.")
        .alias("log10")
        .note("-inf for 0 and NaN below, by IEEE 754.")
        .example("log(100)", "2.0")
        .example("log(2, 8)", "3.0")
        .overload([exact("x", Type::Float64)], |_| Ok(Bound::lanes(Type::Float64, slice(kernel::log10))))
        .overload([exact("base", Type::Float64), exact("x", Type::Float64)], |_| {
            let function = |base: f64, x: f64| kernel::log10_one(x) / kernel::log10_one(base);
            Ok(Bound::lanes(Type::Float64, binary(function)))
        })
}

fn power() -> ScalarFunction {
    ScalarFunction::new("**", CATEGORY, "A number to a power.")
        .alias("^")
        .alias("pow")
        .alias("power")
        .note("Anything to the power 0 is 1; NaN for a negative number to a fraction.")
        .example("2 ** 10", "1024.0")
        .example("pow(9, 0.5)", "3.0")
        .overload([exact("x", Type::Float64), exact("power", Type::Float64)], |arguments| {
            Ok(Bound::lanes(
                Type::Float64,
                match arguments.known(1).and_then(|value| value.as_f64()) {
                    Some(exponent) => slices(move |x, _, output| kernel::pow_constant(x, exponent, output)),
                    None => slices(kernel::pow),
                },
            ))
        })
}

/// A function of two arguments that has a kernel over whole slices.
struct SlicePair<T, F>(F, std::marker::PhantomData<fn(T)>);

fn slices<F: Fn(&[f64], &[f64], &mut [f64]) + Send + Sync + 'static>(function: F) -> Arc<dyn LaneKernel> {
    Arc::new(SlicePair::<f64, F>(function, std::marker::PhantomData))
}

impl<T: Lane, F: Fn(&[T], &[T], &mut [T]) + Send + Sync> LaneKernel for SlicePair<T, F> {
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, _: &mut Marks<'_>) {
        self.0(T::read(&inputs[0]), T::read(&inputs[1]), T::write(output));
    }

    fn error(&self, _: &[Lanes<'_>], _: usize) -> Error {
        Error::internal("a total function failed")
    }
}
