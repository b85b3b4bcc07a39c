//! Forms of the operators over integers, checked for overflow.

use std::fmt::Display;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::error::Error;
use crate::kernel::whole_arithmetic::{self, Step, Whole};
use crate::lanes::{Arithmetic, Lane, LaneKernel, LaneKind, Lanes, LanesMut, Marks, mark};
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

/// Integers of one type.
pub(super) trait Integer: Lane + Whole + Display {
    /// The logical type.
    const TYPE: Type;
}

macro_rules! integers {
    ($($rust:ty => $variant:ident),*) => {
        $(impl Integer for $rust {
            const TYPE: Type = Type::$variant;
        })*
    };
}
// One entry expands to the impl of `Integer` for one primitive.
integers!(i8 => Int8, i16 => Int16, i32 => Int32, i64 => Int64, u8 => UInt8, u16 => UInt16, u32 => UInt32, u64 => UInt64);

/// An operation over every integer type.
pub(super) trait Operation: Step {
    /// The operator, for messages.
    const SYMBOL: &'static str;
    /// The operator.
    const OPERATOR: Arithmetic;
}

/// The kernel of an operation over one type.
struct Kernel<O, T>(PhantomData<fn(O, T)>);

impl<O: Operation, T: Integer> LaneKernel for Kernel<O, T> {
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, marks: &mut Marks<'_>) {
        let (left, right, results) = (T::read(&inputs[0]), T::read(&inputs[1]), T::write(output));
        if !whole_arithmetic::run::<O, T>(left, right, results) {
            return;
        }
        // Rare: each lane is looked at by itself.
        let lane_of = |lanes: &[T], lane: usize| lanes[if lanes.len() == 1 { 0 } else { lane }];
        for lane in 0..results.len() {
            if O::overflows(lane_of(left, lane), lane_of(right, lane)) {
                mark(marks.failed, lane);
            }
        }
    }

    fn accepts_splats(&self, given: &[bool]) -> bool {
        matches!(given, [true, false] | [false, true])
    }

    fn can_fail(&self) -> bool {
        true
    }

    fn arithmetic(&self) -> Option<(Arithmetic, LaneKind)> {
        match T::TYPE {
            Type::Int32 => Some((O::OPERATOR, LaneKind::Int32)),
            Type::Int64 => Some((O::OPERATOR, LaneKind::Int64)),
            _ => None,
        }
    }

    fn error(&self, inputs: &[Lanes<'_>], lane: usize) -> Error {
        overflow(O::SYMBOL, T::read(&inputs[0])[lane], T::read(&inputs[1])[lane], T::TYPE)
    }
}

/// Adds a form for each integer type.
pub(super) fn forms<O: Operation>(function: ScalarFunction) -> ScalarFunction {
    let function = form::<O, i8>(form::<O, i16>(form::<O, i32>(form::<O, i64>(function))));
    form::<O, u8>(form::<O, u16>(form::<O, u32>(form::<O, u64>(function))))
}

fn form<O: Operation, T: Integer>(function: ScalarFunction) -> ScalarFunction {
    function.overload([exact("left", T::TYPE), exact("right", T::TYPE)], |_| {
        Ok(Bound::lanes(T::TYPE, Arc::new(Kernel::<O, T>(PhantomData))))
    })
}
