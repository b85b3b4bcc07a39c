//! Conversions to the 16-bit floats and back, of numbers and of lists.

use half::f16;

use super::function;
use crate::feature::elements::over_elements;
use crate::kernel::vector::half_float;
use crate::lanes;
use crate::registry::Registry;
use crate::scalar::Bound;
use crate::signature::{Pattern, exact, parameter};
use crate::types::Type;

const ROUNDING: &str = "Rounded to nearest, ties to even, also of numbers too small to be normal; what is too large becomes an infinity, and a NaN the quiet NaN of its sign.";

pub(super) fn register(registry: &mut Registry) {
    let list = |element: Type| parameter("x", Pattern::AnyList(Box::new(Pattern::Exact(element))));
    registry.register_scalar(
        function("to_f16", "A number, or the numbers of a list, as IEEE half: HALF.")
            .note(ROUNDING)
            .note("A DOUBLE is rounded once.")
            .example("to_f16(0.1)", "0.099975586")
            .example("to_f16([1.0, 65520.0])", "[1.0, inf]")
            .overload([exact("x", Type::Float64)], |_| {
                Ok(Bound::lanes(Type::Float16, lanes::unary(half_float::narrow_double)))
            })
            .overload([exact("x", Type::Float32)], |_| {
                let narrow = |value: f32| f16::from_bits(half_float::narrow_half(value));
                Ok(Bound::lanes(Type::Float16, lanes::unary(narrow)))
            })
            .overload([list(Type::Float64)], |arguments| {
                let narrow = |values: &[f64], halves: &mut [f16]| {
                    halves
                        .iter_mut()
                        .zip(values)
                        .for_each(|(half, &value)| *half = half_float::narrow_double(value));
                };
                Ok(over_elements(&arguments.types[0], Type::Float16, narrow))
            })
            .overload([list(Type::Float32)], |arguments| {
                Ok(over_elements(&arguments.types[0], Type::Float16, half_float::narrow_to_halves))
            }),
    );
    registry.register_scalar(
        function("to_bf16", "A number, or the numbers of a list, as the bits of bfloat16: USMALLINT.")
            .note(ROUNDING)
            .note(
                "The upper half of the bits of a FLOAT, so the range stays and 8 bits of precision are left.",
            )
            .example("to_bf16(1.0::FLOAT)", "16256")
            .overload([exact("x", Type::Float32)], |_| {
                Ok(Bound::lanes(Type::UInt16, lanes::unary(half_float::narrow_bfloat)))
            })
            .overload([list(Type::Float32)], |arguments| {
                Ok(over_elements(&arguments.types[0], Type::UInt16, half_float::narrow_to_bfloats))
            }),
    );
    registry.register_scalar(
        function("from_bf16", "The FLOAT of the bits of a bfloat16, exactly; of a list, each.")
            .example("from_bf16(16256)", "1.0")
            .overload([exact("bits", Type::UInt16)], |_| {
                Ok(Bound::lanes(Type::Float32, lanes::unary(half_float::widen_bfloat)))
            })
            .overload([list(Type::UInt16)], |arguments| {
                Ok(over_elements(&arguments.types[0], Type::Float32, half_float::widen_bfloats))
            }),
    );
}
