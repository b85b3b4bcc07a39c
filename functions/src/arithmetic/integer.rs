//! Forms of the operators over integers, checked for overflow.

use std::fmt::Display;

use crate::error::Error;
use crate::lanes::{Lane, checked};
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// The error of an integer operation that left its type.
pub(crate) fn overflow(
    operation: &'static str,
    left: impl Display,
    right: impl Display,
    target: Type,
) -> Error {
    Error::OutOfRange { operation, detail: format!("{left} {operation} {right}"), target }
}

/// Integers that overflow.
pub(super) trait Overflowing: Lane + Display {
    /// The logical type.
    const TYPE: Type;
    fn add(self, other: Self) -> (Self, bool);
    fn subtract(self, other: Self) -> (Self, bool);
    fn multiply(self, other: Self) -> (Self, bool);
}

macro_rules! overflowing {
    ($($rust:ty => $variant:ident),*) => {
        $(impl Overflowing for $rust {
            const TYPE: Type = Type::$variant;
            #[inline(always)]
            fn add(self, other: Self) -> (Self, bool) { self.overflowing_add(other) }
            #[inline(always)]
            fn subtract(self, other: Self) -> (Self, bool) { self.overflowing_sub(other) }
            #[inline(always)]
            fn multiply(self, other: Self) -> (Self, bool) { self.overflowing_mul(other) }
        })*
    };
}
// One entry expands to the impl of `Overflowing` for one primitive.
overflowing!(i8 => Int8, i16 => Int16, i32 => Int32, i64 => Int64, u8 => UInt8, u16 => UInt16, u32 => UInt32, u64 => UInt64);

/// An operation over every integer type.
pub(super) trait Operation: Copy + Send + Sync + 'static {
    /// The operator, for messages.
    const SYMBOL: &'static str;
    fn apply<T: Overflowing>(left: T, right: T) -> (T, bool);
}

/// Adds a form for each integer type.
pub(super) fn forms<O: Operation>(function: ScalarFunction) -> ScalarFunction {
    let function = form::<O, i8>(form::<O, i16>(form::<O, i32>(form::<O, i64>(function))));
    form::<O, u8>(form::<O, u16>(form::<O, u32>(form::<O, u64>(function))))
}

fn form<O: Operation, T: Overflowing>(function: ScalarFunction) -> ScalarFunction {
    function.overload([exact("left", T::TYPE), exact("right", T::TYPE)], |_| {
        let error = |left: T, right: T| overflow(O::SYMBOL, left, right, T::TYPE);
        Ok(Bound::lanes(T::TYPE, checked(O::apply::<T>, error)))
    })
}
