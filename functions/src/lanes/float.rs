//! Rules for floats, over lanes of which some may be single ones that stand for all.

use std::marker::PhantomData;
use std::ops::{Add, Div, Mul, Sub};

use super::{Lane, LaneKind, Lanes, LanesMut};
use crate::kernel::lane_loop;

/// Floats that programs compute with.
pub trait Float:
    Lane + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// Their lanes.
    const KIND: LaneKind;
}

impl Float for f32 {
    const KIND: LaneKind = LaneKind::Float32;
}

impl Float for f64 {
    const KIND: LaneKind = LaneKind::Float64;
}

/// A rule for two values.
#[derive(Clone, Copy)]
pub(super) struct Two<T, R, F>(pub F, PhantomData<fn(T) -> R>);

impl<T: Float, R: Lane, F: Fn(T, T) -> R> Two<T, R, F> {
    pub fn new(function: F) -> Self {
        Self(function, PhantomData)
    }

    /// The rule over lanes, one of which may be a single one that stands for all.
    pub fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>) {
        let (function, results) = (&self.0, R::write(output));
        match [T::read(&inputs[0]), T::read(&inputs[1])] {
            // One lane is computed sooner than a loop is begun.
            [&[a], &[b]] if results.len() == 1 => results[0] = function(a, b),
            [first, &[b]] => lane_loop::unary(&|a| function(a, b), first, results),
            [&[a], second] => lane_loop::unary(&|b| function(a, b), second, results),
            [first, second] => lane_loop::binary(function, first, second, results),
        }
    }

    pub fn accepts_splats(given: &[bool]) -> bool {
        matches!(given, [true, false] | [false, true])
    }
}

/// A rule for three values.
pub(super) struct Three<T, F>(F, PhantomData<fn(T) -> T>);

impl<T: Float, F: Fn(T, T, T) -> T> Three<T, F> {
    pub fn new(function: F) -> Self {
        Self(function, PhantomData)
    }

    /// The rule over lanes; the last two may be single ones that stand for all.
    pub fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>) {
        let (function, results) = (&self.0, T::write(output));
        match [0, 1, 2].map(|position| T::read(&inputs[position])) {
            [&[a], &[b], &[c]] if results.len() == 1 => results[0] = function(a, b, c),
            [first, &[b], &[c]] => lane_loop::unary(&|a| function(a, b, c), first, results),
            [first, second, third] => lane_loop::ternary(function, first, second, third, results),
        }
    }

    pub fn accepts_splats(given: &[bool]) -> bool {
        matches!(given, [false, true, true])
    }
}
