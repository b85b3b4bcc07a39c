//! Casts between truth values, integers and floats.

use std::sync::Arc;

use half::f16;

use super::Mode;
use super::conversion::{Shown, partial, total};
use super::decimal;
use crate::lanes::{Lane, over_digits};
use crate::scalar::{Body, Bound};
use crate::types::Type;

/// Integers as lanes.
pub(super) trait Integer: Shown {
    /// The value in 128 bits.
    fn wide(self) -> i128;

    /// The low bits of a value, and whether others were lost.
    fn narrow(value: i128) -> (Self, bool);

    /// Least value as a double.
    const LOW: f64;

    /// First double above every value.
    const ABOVE: f64;

    /// A whole double inside the range.
    fn of_whole(value: f64) -> Self;

    /// The nearest double.
    fn double(self) -> f64;

    /// The nearest single.
    fn single(self) -> f32;
}

macro_rules! integers {
    ($($rust:ty),*) => {
        $(impl Integer for $rust {
            const LOW: f64 = <$rust>::MIN as f64;
            const ABOVE: f64 = (<$rust>::MAX / 2 + 1) as f64 * 2.0;
            #[inline(always)]
            fn wide(self) -> i128 { i128::from(self) }
            #[inline(always)]
            fn narrow(value: i128) -> (Self, bool) { (value as $rust, i128::from(value as $rust) != value) }
            #[inline(always)]
            fn of_whole(value: f64) -> Self { value as $rust }
            #[inline(always)]
            fn double(self) -> f64 { self as f64 }
            #[inline(always)]
            fn single(self) -> f32 { self as f32 }
        })*
    };
}
// One entry expands to the impl of `Integer` for one primitive.
integers!(i8, i16, i32, i64, u8, u16, u32, u64);

/// Floats as lanes.
pub(super) trait Float: Shown {
    /// The value as a double, exactly.
    fn double(self) -> f64;
}

impl Float for f16 {
    #[inline(always)]
    fn double(self) -> f64 {
        self.to_f64()
    }
}

impl Float for f32 {
    #[inline(always)]
    fn double(self) -> f64 {
        f64::from(self)
    }
}

impl Float for f64 {
    #[inline(always)]
    fn double(self) -> f64 {
        self
    }
}

pub(super) fn bind(from: &Type, to: &Type, mode: Mode) -> Option<Bound> {
    if let Some(bound) = decimal::narrow(from, to) {
        return Some(bound);
    }
    let mut bound = by_source(from, to, mode)?;
    if let (Body::Lanes(kernel), true) = (&bound.body, from.is_narrow_decimal() || to.is_narrow_decimal()) {
        // Conversions of decimals are written over 128 bits.
        let widens = [from.is_narrow_decimal(), false];
        bound.body = Body::Lanes(over_digits::<i128>(Arc::clone(kernel), widens, to.is_narrow_decimal()));
    }
    Some(bound)
}

fn by_source(from: &Type, to: &Type, mode: Mode) -> Option<Bound> {
    match from {
        Type::Boolean => from_boolean(to, mode),
        Type::Int8 => from_integer::<i8>(from, to, mode),
        Type::Int16 => from_integer::<i16>(from, to, mode),
        Type::Int32 => from_integer::<i32>(from, to, mode),
        Type::Int64 => from_integer::<i64>(from, to, mode),
        Type::UInt8 => from_integer::<u8>(from, to, mode),
        Type::UInt16 => from_integer::<u16>(from, to, mode),
        Type::UInt32 => from_integer::<u32>(from, to, mode),
        Type::UInt64 => from_integer::<u64>(from, to, mode),
        Type::Float16 => from_float::<f16>(from, to, mode),
        Type::Float32 => from_float::<f32>(from, to, mode),
        Type::Float64 => from_float::<f64>(from, to, mode),
        &Type::Decimal(precision, scale) => decimal::from_decimal(from, (precision, scale), to, mode),
        _ => None,
    }
}

fn from_boolean(to: &Type, mode: Mode) -> Option<Bound> {
    Some(match to {
        Type::Int8 => total(to, i8::from as fn(bool) -> i8),
        Type::Int16 => total(to, i16::from as fn(bool) -> i16),
        Type::Int32 => total(to, i32::from as fn(bool) -> i32),
        Type::Int64 => total(to, i64::from as fn(bool) -> i64),
        Type::UInt8 => total(to, u8::from as fn(bool) -> u8),
        Type::UInt16 => total(to, u16::from as fn(bool) -> u16),
        Type::UInt32 => total(to, u32::from as fn(bool) -> u32),
        Type::UInt64 => total(to, u64::from as fn(bool) -> u64),
        Type::Float16 => total(to, |value: bool| if value { f16::ONE } else { f16::ZERO }),
        Type::Float32 => total(to, |value: bool| f32::from(u8::from(value))),
        Type::Float64 => total(to, |value: bool| f64::from(u8::from(value))),
        &Type::Decimal(precision, scale) => {
            let convert = decimal::from_whole(precision, scale)?;
            partial(&Type::Boolean, to, mode, move |value: bool| convert(i128::from(value)))
        }
        _ => return None,
    })
}

fn from_integer<A: Integer>(from: &Type, to: &Type, mode: Mode) -> Option<Bound> {
    Some(match to {
        Type::Boolean => total(to, |value: A| value.wide() != 0),
        Type::Int8 => between::<A, i8>(from, to, mode),
        Type::Int16 => between::<A, i16>(from, to, mode),
        Type::Int32 => between::<A, i32>(from, to, mode),
        Type::Int64 => between::<A, i64>(from, to, mode),
        Type::UInt8 => between::<A, u8>(from, to, mode),
        Type::UInt16 => between::<A, u16>(from, to, mode),
        Type::UInt32 => between::<A, u32>(from, to, mode),
        Type::UInt64 => between::<A, u64>(from, to, mode),
        Type::Float16 => partial(from, to, mode, |value: A| to_half(value.double())),
        Type::Float32 => total(to, |value: A| value.single()),
        Type::Float64 => total(to, |value: A| value.double()),
        &Type::Decimal(precision, scale) => {
            let convert = decimal::from_whole(precision, scale)?;
            partial(from, to, mode, move |value: A| convert(value.wide()))
        }
        _ => return None,
    })
}

fn between<A: Integer, R: Integer>(from: &Type, to: &Type, mode: Mode) -> Bound {
    if R::LOW <= A::LOW && A::ABOVE <= R::ABOVE {
        return total(to, |value: A| R::narrow(value.wide()).0);
    }
    partial(from, to, mode, |value: A| R::narrow(value.wide()))
}

fn from_float<A: Float>(from: &Type, to: &Type, mode: Mode) -> Option<Bound> {
    Some(match to {
        Type::Boolean => total(to, |value: A| value.double() != 0.0),
        Type::Int8 => to_integer::<A, i8>(from, to, mode),
        Type::Int16 => to_integer::<A, i16>(from, to, mode),
        Type::Int32 => to_integer::<A, i32>(from, to, mode),
        Type::Int64 => to_integer::<A, i64>(from, to, mode),
        Type::UInt8 => to_integer::<A, u8>(from, to, mode),
        Type::UInt16 => to_integer::<A, u16>(from, to, mode),
        Type::UInt32 => to_integer::<A, u32>(from, to, mode),
        Type::UInt64 => to_integer::<A, u64>(from, to, mode),
        Type::Float16 => partial(from, to, mode, |value: A| to_half(value.double())),
        Type::Float32 if *from == Type::Float16 => total(to, |value: A| value.double() as f32),
        Type::Float32 => partial(from, to, mode, |value: A| {
            let narrowed = value.double() as f32;
            (narrowed, narrowed.is_infinite() && value.double().is_finite())
        }),
        Type::Float64 => total(to, |value: A| value.double()),
        &Type::Decimal(precision, scale) => {
            let convert = decimal::from_double(precision, scale)?;
            partial(from, to, mode, move |value: A| convert(value.double()))
        }
        _ => return None,
    })
}

fn to_half(value: f64) -> (f16, bool) {
    let narrowed = f16::from_f64(value);
    (narrowed, narrowed.is_infinite() && value.is_finite())
}

/// Rounds half to even, as the conversion instruction of the processor does.
fn to_integer<A: Float, R: Integer + Lane>(from: &Type, to: &Type, mode: Mode) -> Bound {
    partial(from, to, mode, |value: A| {
        let whole = round_half_even(value.double());
        let inside = whole >= R::LOW && whole < R::ABOVE;
        (R::of_whole(whole), !inside)
    })
}

/// The nearest whole number, halves to the even one. Vectorizes on every level, unlike the library call.
#[inline(always)]
pub(crate) fn round_half_even(value: f64) -> f64 {
    // Beyond 2^51 the sum would lose halves; from 2^52 on every double is whole.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    if value.abs() < 2_251_799_813_685_248.0 { (value + SHIFT) - SHIFT } else { value.round_ties_even() }
}
