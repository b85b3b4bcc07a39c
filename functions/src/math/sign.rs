//! `abs` and `sign`.

use super::CATEGORY;
use crate::arithmetic::checked_unary;
use crate::error::Error;
use crate::lanes::{Lane, unary};
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{Pattern, exact, parameter};
use crate::types::Type;

macro_rules! signed_forms {
    ($function:expr, $($rust:ty => $variant:ident),*) => {
        $function$(.overload([exact("x", Type::$variant)], |_| {
            let error = |x: $rust| Error::OutOfRange {
                operation: "abs",
                detail: format!("abs({x})"),
                target: Type::$variant,
            };
            let function = |x: $rust| (x.wrapping_abs(), x == <$rust>::MIN);
            Ok(Bound::lanes(Type::$variant, checked_unary(function, error)))
        }))*
    };
}

pub(super) fn register(registry: &mut Registry) {
    let abs = ScalarFunction::new("abs", CATEGORY, "The magnitude of a number.")
        .note("The least integer of a type has no magnitude in it: an error.")
        .example("abs(-1)", "1")
        .example("abs(-1.5)", "1.5");
    // Expands to one form for each signed integer type.
    let mut abs = signed_forms!(abs, i8 => Int8, i16 => Int16, i32 => Int32, i64 => Int64);
    abs = unchanged::<u8>(abs, Type::UInt8);
    abs = unchanged::<u16>(abs, Type::UInt16);
    abs = unchanged::<u32>(abs, Type::UInt32);
    abs = unchanged::<u64>(abs, Type::UInt64);
    registry.register_scalar(
        abs.overload([exact("x", Type::Float32)], |_| Ok(Bound::lanes(Type::Float32, unary(f32::abs))))
            .overload([exact("x", Type::Float64)], |_| Ok(Bound::lanes(Type::Float64, unary(f64::abs))))
            .overload([parameter("x", Pattern::Decimal)], |arguments| {
                let kernel = match arguments.types[0].is_narrow_decimal() {
                    true => unary(i64::wrapping_abs),
                    false => unary(i128::wrapping_abs),
                };
                Ok(Bound::lanes(arguments.types[0].clone(), kernel))
            }),
    );
    let mut sign = ScalarFunction::new("sign", CATEGORY, "-1, 0 or 1 by the sign of a number.")
        .note("0 for NaN and both zeros.")
        .example("sign(-2.5)", "-1");
    sign = sign_form(sign, Type::Int8, i8::signum);
    sign = sign_form(sign, Type::Int16, |x: i16| x.signum() as i8);
    sign = sign_form(sign, Type::Int32, |x: i32| x.signum() as i8);
    sign = sign_form(sign, Type::Int64, |x: i64| x.signum() as i8);
    sign = sign_form(sign, Type::UInt8, |x: u8| i8::from(x > 0));
    sign = sign_form(sign, Type::UInt16, |x: u16| i8::from(x > 0));
    sign = sign_form(sign, Type::UInt32, |x: u32| i8::from(x > 0));
    sign = sign_form(sign, Type::UInt64, |x: u64| i8::from(x > 0));
    sign = sign_form(sign, Type::Float32, |x: f32| i8::from(x > 0.0) - i8::from(x < 0.0));
    sign = sign_form(sign, Type::Float64, |x: f64| i8::from(x > 0.0) - i8::from(x < 0.0));
    registry.register_scalar(sign.overload([parameter("x", Pattern::Decimal)], |arguments| {
        let kernel = match arguments.types[0].is_narrow_decimal() {
            true => unary(|x: i64| x.signum() as i8),
            false => unary(|x: i128| x.signum() as i8),
        };
        Ok(Bound::lanes(Type::Int8, kernel))
    }));
}

fn unchanged<T: Lane>(function: ScalarFunction, data_type: Type) -> ScalarFunction {
    function.overload([exact("x", data_type.clone())], move |_| {
        Ok(Bound::lanes(data_type.clone(), unary(|x: T| x)))
    })
}

fn sign_form<T: Lane>(
    function: ScalarFunction,
    data_type: Type,
    sign: impl Fn(T) -> i8 + Copy + Send + Sync + 'static,
) -> ScalarFunction {
    function.overload([exact("x", data_type)], move |_| Ok(Bound::lanes(Type::Int8, unary(sign))))
}
