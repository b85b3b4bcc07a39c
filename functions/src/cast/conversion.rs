//! The lane kernel of casts between fixed-width types.

use std::sync::Arc;

use arrow::datatypes::IntervalMonthDayNano;
use half::f16;

use super::Mode;
use super::text::format_value;
use crate::column::{Data, Encoding, View};
use crate::error::Error;
use crate::lanes::{Lane, LaneKernel, Lanes, LanesMut, Marks, mark};
use crate::scalar::Bound;
use crate::types::Type;

/// Lanes that can be shown in an error.
pub(crate) trait Shown: Lane {
    /// The value as text.
    fn show(self, data_type: &Type) -> String;
}

macro_rules! shown {
    ($($rust:ty => $variant:ident),*) => {
        $(impl Shown for $rust {
            fn show(self, data_type: &Type) -> String {
                let values = [self];
                let data = Data::$variant(&values);
                let view = View { data_type, length: 1, encoding: Encoding::Flat, validity: None, data };
                let mut text = String::new();
                // Writing to a String cannot fail.
                let _ = format_value(&view, 0, &mut text);
                text
            }
        })*
    };
}
// One arm expands to the impl that shows a value of one variant of `Data`.
shown!(i8 => Int8, i16 => Int16, i32 => Int32, i64 => Int64, u8 => UInt8, u16 => UInt16, u32 => UInt32, u64 => UInt64, f16 => Float16, f32 => Float32, f64 => Float64, i128 => Int128, IntervalMonthDayNano => Interval);

impl Shown for bool {
    fn show(self, _: &Type) -> String {
        self.to_string()
    }
}

struct Conversion<A, R, F> {
    function: F,
    from: Type,
    to: Type,
    reason: &'static str,
    is_try: bool,
    lanes: std::marker::PhantomData<fn(A) -> R>,
}

impl<A: Shown, R: Lane, F: Fn(A) -> (R, bool) + Send + Sync> LaneKernel for Conversion<A, R, F> {
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, marks: &mut Marks<'_>) {
        let input = A::read(&inputs[0]);
        let mut any = false;
        for (result, &a) in R::write(output).iter_mut().zip(input) {
            let (value, refused) = (self.function)(a);
            *result = value;
            any |= refused;
        }
        if any {
            // Rare: find the lanes once more instead of writing a mark for each of them above.
            let words = if self.is_try { &mut *marks.null } else { &mut *marks.failed };
            for (lane, &a) in input.iter().enumerate() {
                if (self.function)(a).1 {
                    mark(words, lane);
                }
            }
        }
    }

    fn makes_nulls(&self) -> bool {
        self.is_try
    }

    fn can_fail(&self) -> bool {
        !self.is_try
    }

    fn error(&self, inputs: &[Lanes<'_>], lane: usize) -> Error {
        let value = A::read(&inputs[0])[lane].show(&self.from);
        Error::Cast { value, from: self.from.clone(), to: self.to.clone(), reason: self.reason }
    }
}

/// A cast that refuses some values: the function answers a value and whether it was refused.
pub(crate) fn partial<A: Shown, R: Lane>(
    from: &Type,
    to: &Type,
    mode: Mode,
    function: impl Fn(A) -> (R, bool) + Send + Sync + 'static,
) -> Bound {
    let kernel = Conversion {
        function,
        from: from.clone(),
        to: to.clone(),
        reason: ": out of range",
        is_try: mode.is_try,
        lanes: std::marker::PhantomData,
    };
    Bound::lanes(to.clone(), Arc::new(kernel))
}

/// A cast that takes every value.
pub(crate) fn total<A: Lane, R: Lane>(to: &Type, function: impl Fn(A) -> R + Send + Sync + 'static) -> Bound {
    Bound::lanes(to.clone(), crate::lanes::unary(function))
}
