//! Lane kernels: fixed-width functions written once over equal-length slices.
//!
//! A fused program runs them block by block over registers; an unfused call is a program of one
//! operation, so both give the same bits by construction. Nulls never reach a kernel: lanes whose
//! inputs are null hold arbitrary values, and what a kernel reports for them is ignored.

mod cell;
mod choice;
mod digits;
mod float;
mod lift;
mod pair;
mod register;
mod whole_pair;

use std::sync::Arc;

use arrow::datatypes::IntervalMonthDayNano;
use half::f16;

pub use cell::LaneCell;
pub use choice::comparison;
pub(crate) use digits::over_digits;
pub use float::Float;
pub use lift::{Outcome, binary, checked, parametric, partial_binary, partial_unary, slice, ternary, unary};
pub use pair::{Arithmetic, arithmetic, paired};
pub use register::Register;

use crate::error::Error;
use crate::types::Type;

/// Most lanes that one run of a kernel is given.
pub const LANES_MAX: usize = 2048;

macro_rules! lanes {
    ($($variant:ident($rust:ty)),*) => {
        /// Input lanes of one block.
        #[derive(Debug, Clone, Copy)]
        pub enum Lanes<'a> { $(#[doc = concat!("Lanes of `", stringify!($rust), "`.")] $variant(&'a [$rust])),* }

        /// Output lanes of one block.
        #[derive(Debug)]
        pub enum LanesMut<'a> { $(#[doc = concat!("Lanes of `", stringify!($rust), "`.")] $variant(&'a mut [$rust])),* }

        /// The Rust type of lanes, without the lanes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum LaneKind { $(#[doc = concat!("`", stringify!($rust), "`.")] $variant),* }

        impl LaneKind {
            /// All kinds, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Bytes of one lane.
            pub fn width_bytes(self) -> usize {
                match self { $(Self::$variant => size_of::<$rust>()),* }
            }
        }

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
    Boolean(bool),
    Int8(i8),
    Int16(i16),
    Int32(i32),
    Int64(i64),
    UInt8(u8),
    UInt16(u16),
    UInt32(u32),
    UInt64(u64),
    Float16(f16),
    Float32(f32),
    Float64(f64),
    Int128(i128),
    Interval(IntervalMonthDayNano)
);

impl LaneKind {
    /// The lanes that hold values of a logical type; `None` unless each value has the same width.
    pub fn of(data_type: &Type) -> Option<Self> {
        Some(match data_type {
            Type::Boolean => Self::Boolean,
            Type::Int8 => Self::Int8,
            Type::Int16 => Self::Int16,
            Type::Int32 | Type::Date => Self::Int32,
            Type::Int64 | Type::Time | Type::Timestamp(_) | Type::TimestampTz => Self::Int64,
            Type::UInt8 => Self::UInt8,
            Type::UInt16 => Self::UInt16,
            Type::UInt32 => Self::UInt32,
            Type::UInt64 => Self::UInt64,
            Type::Float16 => Self::Float16,
            Type::Float32 => Self::Float32,
            Type::Float64 => Self::Float64,
            Type::Decimal(..) if data_type.is_narrow_decimal() => Self::Int64,
            Type::Decimal(..) => Self::Int128,
            Type::Interval => Self::Interval,
            Type::Null | Type::Text | Type::Binary => return None,
            Type::List(_) | Type::FixedList(..) | Type::Struct(_) | Type::Map(..) => return None,
        })
    }
}

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

impl Marks<'_> {
    /// For a kernel that makes no nulls and cannot fail.
    pub fn none() -> Self {
        Self { null: &mut [], failed: &mut [] }
    }
}

/// A fixed-width function over blocks of lanes.
pub trait LaneKernel: Send + Sync {
    /// Computes every lane of `output` from the same lane of the inputs: the arguments of fixed width, in
    /// order. Arguments of other types must be constants, which the kernel was bound with.
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, marks: &mut Marks<'_>);

    /// True if [`LaneKernel::run`] takes a single lane for each input of which `given` says that it is constant, and all
    /// lanes of the others.
    fn accepts_splats(&self, _given: &[bool]) -> bool {
        false
    }

    /// True if [`LaneKernel::run`] may set a bit of [`Marks::null`].
    fn makes_nulls(&self) -> bool {
        false
    }

    /// True if [`LaneKernel::run`] may set a bit of [`Marks::failed`].
    fn can_fail(&self) -> bool {
        false
    }

    /// What the kernel computes, if it is one step of arithmetic on floats, or on whole numbers with a check for overflow.
    fn arithmetic(&self) -> Option<(Arithmetic, LaneKind)> {
        None
    }

    /// For a comparison, the kernel that takes its two operands and two values of `kind`, and gives the first where the
    /// comparison holds, else the second.
    fn choice(&self, _kind: LaneKind) -> Option<Arc<dyn LaneKernel>> {
        None
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
