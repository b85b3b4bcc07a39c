//! The bit operators `& | ~ << >>` and `xor`.

use std::ops::{BitAnd, BitOr, BitXor};

use super::overflow;
use crate::cast::decimal::limit;
use crate::error::Error;
use crate::lanes::{Lane, Outcome, binary, partial_binary, unary};
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

const CATEGORY: &str = "bit";

// Calls `$form` once for each integer type and HUGEINT, with the Rust type and the logical type.
macro_rules! each_integer {
    ($function:expr, $form:ident) => {{
        let function = $form::<i8>($function, Type::Int8);
        let function = $form::<i16>(function, Type::Int16);
        let function = $form::<i32>(function, Type::Int32);
        let function = $form::<i64>(function, Type::Int64);
        let function = $form::<u8>(function, Type::UInt8);
        let function = $form::<u16>(function, Type::UInt16);
        let function = $form::<u32>(function, Type::UInt32);
        let function = $form::<u64>(function, Type::UInt64);
        $form::<i128>(function, Type::HUGEINT)
    }};
}

pub(super) fn register(registry: &mut Registry) {
    let function =
        ScalarFunction::new("&", CATEGORY, "Bits that are set in both integers.").example("5 & 3", "1");
    registry.register_scalar(each_integer!(function, and_form));
    let function =
        ScalarFunction::new("|", CATEGORY, "Bits that are set in one integer or both.").example("5 | 3", "7");
    registry.register_scalar(each_integer!(function, or_form));
    let function = ScalarFunction::new("xor", CATEGORY, "Bits that differ between two integers.")
        .example("xor(5, 3)", "6");
    registry.register_scalar(each_integer!(function, xor_form));
    let function = ScalarFunction::new("~", CATEGORY, "Every bit flipped.").example("~5", "-6");
    registry.register_scalar(each_integer!(function, not_form));
    let function = ScalarFunction::new("<<", CATEGORY, "Bits moved up by a number of places.")
        .note("A negative operand, a negative number of places, and bits that would be lost are errors.")
        .example("1 << 10", "1024");
    registry.register_scalar(each_integer!(function, left_form));
    let function =
        ScalarFunction::new(">>", CATEGORY, "Bits moved down by a number of places, keeping the sign.")
            .note("A number of places that is negative or not below the width gives 0.")
            .example("-8 >> 1", "-4");
    registry.register_scalar(each_integer!(function, right_form));
}

fn pair(
    function: ScalarFunction,
    data_type: Type,
    kernel: fn() -> std::sync::Arc<dyn crate::lanes::LaneKernel>,
) -> ScalarFunction {
    let parameters = [exact("left", data_type.clone()), exact("right", data_type.clone())];
    function.overload(parameters, move |_| Ok(Bound::lanes(data_type.clone(), kernel())))
}

fn and_form<T: Lane + BitAnd<Output = T>>(function: ScalarFunction, data_type: Type) -> ScalarFunction {
    pair(function, data_type, || binary(|a: T, b: T| a & b))
}

fn or_form<T: Lane + BitOr<Output = T>>(function: ScalarFunction, data_type: Type) -> ScalarFunction {
    pair(function, data_type, || binary(|a: T, b: T| a | b))
}

fn xor_form<T: Lane + BitXor<Output = T>>(function: ScalarFunction, data_type: Type) -> ScalarFunction {
    pair(function, data_type, || binary(|a: T, b: T| a ^ b))
}

fn not_form<T: Lane + std::ops::Not<Output = T>>(
    function: ScalarFunction,
    data_type: Type,
) -> ScalarFunction {
    function.overload([exact("x", data_type.clone())], move |_| {
        Ok(Bound::lanes(data_type.clone(), unary(|x: T| !x)))
    })
}

/// Integers that shift.
trait Shift: Lane + std::fmt::Display {
    /// The value moved up, if no bit is lost and nothing is negative.
    fn left(self, places: Self) -> Option<Self>;
    /// The value moved down.
    fn right(self, places: Self) -> Self;
}

macro_rules! shift {
    ($($rust:ty),*) => {
        $(impl Shift for $rust {
            #[allow(unused_comparisons)]
            fn left(self, places: Self) -> Option<Self> {
                if self < 0 || places < 0 { return None; }
                if self == 0 { return Some(0); }
                let places = u32::try_from(places).ok().filter(|&places| places < <$rust>::BITS)?;
                let moved = self << places;
                (moved >> places == self && moved >= 0).then_some(moved)
            }
            fn right(self, places: Self) -> Self {
                u32::try_from(places).ok().and_then(|places| self.checked_shr(places)).unwrap_or(0)
            }
        })*
    };
}
// One entry expands to the impl of `Shift` for one primitive.
shift!(i8, i16, i32, i64, i128, u8, u16, u32, u64);

fn left_form<T: Shift>(function: ScalarFunction, data_type: Type) -> ScalarFunction {
    let parameters = [exact("x", data_type.clone()), exact("places", data_type.clone())];
    function.overload(parameters, move |_| {
        let target = data_type.clone();
        let error = move |x: T, places: T| -> Error { overflow("<<", x, places, target.clone()) };
        let kernel =
            partial_binary(|x: T, places: T| x.left(places).map_or(Outcome::Failed, Outcome::Value), error);
        let kernel = if data_type == Type::HUGEINT { huge_left() } else { kernel };
        Ok(Bound::lanes(data_type.clone(), kernel))
    })
}

/// HUGEINT holds 38 digits, which end inside the 127th bit.
fn huge_left() -> std::sync::Arc<dyn crate::lanes::LaneKernel> {
    let limit = limit(38);
    partial_binary(
        move |x: i128, places: i128| {
            x.left(places).filter(|&moved| moved < limit).map_or(Outcome::Failed, Outcome::Value)
        },
        |x, places| overflow("<<", x, places, Type::HUGEINT),
    )
}

fn right_form<T: Shift>(function: ScalarFunction, data_type: Type) -> ScalarFunction {
    let parameters = [exact("x", data_type.clone()), exact("places", data_type.clone())];
    function.overload(parameters, move |_| {
        Ok(Bound::lanes(data_type.clone(), binary(|x: T, places: T| x.right(places))))
    })
}
