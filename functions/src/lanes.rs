//! Lane kernels: fixed-width functions written once over equal-length slices.
//!
//! A fused program runs them block by block over registers; an unfused call is a program of one
//! operation, so both give the same bits by construction. Nulls never reach a kernel: lanes whose
//! inputs are null hold arbitrary values, and what a kernel reports for them is ignored.

use std::sync::Arc;

use arrow::datatypes::IntervalMonthDayNano;
use half::f16;

use crate::error::Error;

/// Most lanes that one run of a kernel is given.
pub const LANES_MAX: usize = 1024;

macro_rules! lanes {
    ($($variant:ident($rust:ty)),*) => {
        /// Input lanes of one block.
        #[derive(Debug, Clone, Copy)]
        pub enum Lanes<'a> { $(#[doc = concat!("Lanes of `", stringify!($rust), "`.")] $variant(&'a [$rust])),* }

        /// Output lanes of one block.
        #[derive(Debug)]
        pub enum LanesMut<'a> { $(#[doc = concat!("Lanes of `", stringify!($rust), "`.")] $variant(&'a mut [$rust])),* }

        $(impl Lane for $rust {
            #[inline]
            fn read<'a>(lanes: &Lanes<'a>) -> &'a [Self] {
                match lanes { Lanes::$variant(values) => values, _ => mismatch(stringify!($rust)) }
            }
            #[inline]
            fn write<'a>(lanes: &'a mut LanesMut<'_>) -> &'a mut [Self] {
                match lanes { LanesMut::$variant(values) => values, _ => mismatch(stringify!($rust)) }
            }
        })*

        impl Lanes<'_> {
            /// Number of lanes.
            pub fn len(&self) -> usize {
                match self { $(Self::$variant(values) => values.len()),* }
            }

            /// True without lanes.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }
        }
    };
}
// Each entry makes one variant of `Lanes` and `LanesMut` and the `Lane` impl that finds it.
lanes!(
    Boolean(bool), Int8(i8), Int16(i16), Int32(i32), Int64(i64), UInt8(u8), UInt16(u16), UInt32(u32), UInt64(u64),
    Float16(f16), Float32(f32), Float64(f64), Int128(i128), Interval(IntervalMonthDayNano)
);

/// Rust types of lanes; truth values are `bool`, one byte a lane.
pub trait Lane: Copy + Default + Send + Sync + 'static {
    /// The lanes as values of this type.
    ///
    /// # Panics
    /// If they are of another type: types were verified with the plan.
    fn read<'a>(lanes: &Lanes<'a>) -> &'a [Self];

    /// The lanes to write as values of this type.
    ///
    /// # Panics
    /// If they are of another type: types were verified with the plan.
    fn write<'a>(lanes: &'a mut LanesMut<'_>) -> &'a mut [Self];
}

#[cold]
fn mismatch(wanted: &str) -> ! {
    // The program compiler gives every register the type its operation declares.
    #[allow(clippy::panic)]
    {
        panic!("internal error: lanes of another type read as {wanted}")
    }
}

/// Marks that a kernel sets, one bit a lane; cleared before each run.
#[derive(Debug)]
pub struct Marks<'a> {
    /// Lanes whose result is null although no input is.
    pub null: &'a mut [u64],
    /// Lanes that failed.
    pub failed: &'a mut [u64],
}

/// A fixed-width function over blocks of lanes.
pub trait LaneKernel: Send + Sync {
    /// Computes every lane of `output` from the same lane of the inputs.
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, marks: &mut Marks<'_>);

    /// True if [`LaneKernel::run`] may set a bit of [`Marks::null`].
    fn makes_nulls(&self) -> bool {
        false
    }

    /// True if [`LaneKernel::run`] may set a bit of [`Marks::failed`].
    fn can_fail(&self) -> bool {
        false
    }

    /// The error of a failed lane.
    fn error(&self, _inputs: &[Lanes<'_>], _lane: usize) -> Error {
        Error::internal("a kernel that cannot fail failed")
    }
}

/// Sets the bit of a lane.
#[inline(always)]
pub fn mark(words: &mut [u64], lane: usize) {
    words[lane >> 6] |= 1 << (lane & 63);
}

struct Unary<A, R, F>(F, std::marker::PhantomData<fn(A) -> R>);

impl<A: Lane, R: Lane, F: Fn(A) -> R + Send + Sync> LaneKernel for Unary<A, R, F> {
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, _: &mut Marks<'_>) {
        let input = A::read(&inputs[0]);
        R::write(output).iter_mut().zip(input).for_each(|(result, &a)| *result = self.0(a));
    }
}

/// A total function of one argument.
pub fn unary<A: Lane, R: Lane>(function: impl Fn(A) -> R + Send + Sync + 'static) -> Arc<dyn LaneKernel> {
    Arc::new(Unary(function, std::marker::PhantomData))
}

struct Binary<A, B, R, F>(F, std::marker::PhantomData<fn(A, B) -> R>);

impl<A: Lane, B: Lane, R: Lane, F: Fn(A, B) -> R + Send + Sync> LaneKernel for Binary<A, B, R, F> {
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, _: &mut Marks<'_>) {
        let (left, right) = (A::read(&inputs[0]), B::read(&inputs[1]));
        let results = R::write(output);
        for ((result, &a), &b) in results.iter_mut().zip(left).zip(right) {
            *result = self.0(a, b);
        }
    }
}

/// A total function of two arguments.
pub fn binary<A: Lane, B: Lane, R: Lane>(
    function: impl Fn(A, B) -> R + Send + Sync + 'static,
) -> Arc<dyn LaneKernel> {
    Arc::new(Binary(function, std::marker::PhantomData))
}

struct Ternary<A, B, C, R, F>(F, std::marker::PhantomData<fn(A, B, C) -> R>);

impl<A: Lane, B: Lane, C: Lane, R: Lane, F: Fn(A, B, C) -> R + Send + Sync> LaneKernel for Ternary<A, B, C, R, F> {
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, _: &mut Marks<'_>) {
        let (first, second, third) = (A::read(&inputs[0]), B::read(&inputs[1]), C::read(&inputs[2]));
        let results = R::write(output);
        for (((result, &a), &b), &c) in results.iter_mut().zip(first).zip(second).zip(third) {
            *result = self.0(a, b, c);
        }
    }
}

/// A total function of three arguments.
pub fn ternary<A: Lane, B: Lane, C: Lane, R: Lane>(
    function: impl Fn(A, B, C) -> R + Send + Sync + 'static,
) -> Arc<dyn LaneKernel> {
    Arc::new(Ternary(function, std::marker::PhantomData))
}

struct Slice<A, R, F>(F, std::marker::PhantomData<fn(A) -> R>);

impl<A: Lane, R: Lane, F: Fn(&[A], &mut [R]) + Send + Sync> LaneKernel for Slice<A, R, F> {
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, _: &mut Marks<'_>) {
        self.0(A::read(&inputs[0]), R::write(output));
    }
}

/// A total function of one argument that has a kernel over whole slices.
pub fn slice<A: Lane, R: Lane>(
    function: impl Fn(&[A], &mut [R]) + Send + Sync + 'static,
) -> Arc<dyn LaneKernel> {
    Arc::new(Slice(function, std::marker::PhantomData))
}

/// What a partial function answers for one lane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome<R> {
    /// The value.
    Value(R),
    /// No value.
    Null,
    /// An error.
    Failed,
}

struct PartialUnary<A, R, F, E>(F, E, std::marker::PhantomData<fn(A) -> R>);

impl<A, R, F, E> LaneKernel for PartialUnary<A, R, F, E>
where
    A: Lane,
    R: Lane,
    F: Fn(A) -> Outcome<R> + Send + Sync,
    E: Fn(A) -> Error + Send + Sync,
{
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, marks: &mut Marks<'_>) {
        let input = A::read(&inputs[0]);
        for (lane, (result, &a)) in R::write(output).iter_mut().zip(input).enumerate() {
            match self.0(a) {
                Outcome::Value(value) => *result = value,
                Outcome::Null => mark(marks.null, lane),
                Outcome::Failed => mark(marks.failed, lane),
            }
        }
    }

    fn makes_nulls(&self) -> bool {
        true
    }

    fn can_fail(&self) -> bool {
        true
    }

    fn error(&self, inputs: &[Lanes<'_>], lane: usize) -> Error {
        self.1(A::read(&inputs[0])[lane])
    }
}

/// A function of one argument that may give null or fail; `error` says why a value failed.
pub fn partial_unary<A: Lane, R: Lane>(
    function: impl Fn(A) -> Outcome<R> + Send + Sync + 'static,
    error: impl Fn(A) -> Error + Send + Sync + 'static,
) -> Arc<dyn LaneKernel> {
    Arc::new(PartialUnary(function, error, std::marker::PhantomData))
}

struct PartialBinary<A, B, R, F, E>(F, E, std::marker::PhantomData<fn(A, B) -> R>);

impl<A, B, R, F, E> LaneKernel for PartialBinary<A, B, R, F, E>
where
    A: Lane,
    B: Lane,
    R: Lane,
    F: Fn(A, B) -> Outcome<R> + Send + Sync,
    E: Fn(A, B) -> Error + Send + Sync,
{
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, marks: &mut Marks<'_>) {
        let (left, right) = (A::read(&inputs[0]), B::read(&inputs[1]));
        let lanes = R::write(output).iter_mut().zip(left).zip(right);
        for (lane, ((result, &a), &b)) in lanes.enumerate() {
            match self.0(a, b) {
                Outcome::Value(value) => *result = value,
                Outcome::Null => mark(marks.null, lane),
                Outcome::Failed => mark(marks.failed, lane),
            }
        }
    }

    fn makes_nulls(&self) -> bool {
        true
    }

    fn can_fail(&self) -> bool {
        true
    }

    fn error(&self, inputs: &[Lanes<'_>], lane: usize) -> Error {
        self.1(A::read(&inputs[0])[lane], B::read(&inputs[1])[lane])
    }
}

/// A function of two arguments that may give null or fail; `error` says why two values failed.
pub fn partial_binary<A: Lane, B: Lane, R: Lane>(
    function: impl Fn(A, B) -> Outcome<R> + Send + Sync + 'static,
    error: impl Fn(A, B) -> Error + Send + Sync + 'static,
) -> Arc<dyn LaneKernel> {
    Arc::new(PartialBinary(function, error, std::marker::PhantomData))
}

struct Checked<A, R, F, E>(F, E, std::marker::PhantomData<fn(A) -> R>);

impl<A, R, F, E> LaneKernel for Checked<A, R, F, E>
where
    A: Lane,
    R: Lane,
    F: Fn(A, A) -> (R, bool) + Send + Sync,
    E: Fn(A, A) -> Error + Send + Sync,
{
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, marks: &mut Marks<'_>) {
        let (left, right) = (A::read(&inputs[0]), A::read(&inputs[1]));
        let results = R::write(output);
        let mut any = false;
        for ((result, &a), &b) in results.iter_mut().zip(left).zip(right) {
            let (value, overflowed) = self.0(a, b);
            *result = value;
            any |= overflowed;
        }
        if any {
            // Rare: find the lanes once more instead of writing a mark for each of them above.
            for (lane, (&a, &b)) in left.iter().zip(right).enumerate() {
                if self.0(a, b).1 {
                    mark(marks.failed, lane);
                }
            }
        }
    }

    fn can_fail(&self) -> bool {
        true
    }

    fn error(&self, inputs: &[Lanes<'_>], lane: usize) -> Error {
        self.1(A::read(&inputs[0])[lane], A::read(&inputs[1])[lane])
    }
}

/// A function of two arguments of one type that answers a value and whether it overflowed, as
/// `i64::overflowing_add` does. Vectorizes, unlike [`partial_binary`].
pub fn checked<A: Lane, R: Lane>(
    function: impl Fn(A, A) -> (R, bool) + Send + Sync + 'static,
    error: impl Fn(A, A) -> Error + Send + Sync + 'static,
) -> Arc<dyn LaneKernel> {
    Arc::new(Checked(function, error, std::marker::PhantomData))
}
