//! The order of fixed-width values, as branch-free functions over lanes.

use arrow::datatypes::IntervalMonthDayNano;
use half::f16;

use crate::lanes::Lane;

/// Lanes with the total order of SQL.
pub(crate) trait Ordered: Lane {
    /// True if both are the same value.
    fn equal(self, other: Self) -> bool;

    /// True if this sorts before the other.
    fn less(self, other: Self) -> bool;
}

macro_rules! ordered {
    ($($rust:ty),*) => {
        $(impl Ordered for $rust {
            #[inline(always)]
            fn equal(self, other: Self) -> bool { self == other }
            #[inline(always)]
            fn less(self, other: Self) -> bool { self < other }
        })*
    };
}
// One entry expands to the impl for one type whose Rust order is the SQL order.
ordered!(bool, i8, i16, i32, i64, i128, u8, u16, u32, u64);

macro_rules! ordered_floats {
    ($($rust:ty),*) => {
        $(impl Ordered for $rust {
            #[inline(always)]
            fn equal(self, other: Self) -> bool { (self == other) | (self.is_nan() & other.is_nan()) }
            // Two comparisons: not greater or equal, which holds if a side is NaN, unless this side is.
            #[inline(always)]
            #[allow(clippy::neg_cmp_op_on_partial_ord)]
            fn less(self, other: Self) -> bool { !(self >= other) & !self.is_nan() }
        })*
    };
}
// One entry expands to the impl for one float type: NaN is greatest and equal to itself.
ordered_floats!(f16, f32, f64);

impl Ordered for IntervalMonthDayNano {
    #[inline(always)]
    fn equal(self, other: Self) -> bool {
        nanoseconds(self) == nanoseconds(other)
    }

    #[inline(always)]
    fn less(self, other: Self) -> bool {
        nanoseconds(self) < nanoseconds(other)
    }
}

/// Length with months of 30 days and days of 24 hours.
fn nanoseconds(value: IntervalMonthDayNano) -> i128 {
    const DAY: i128 = 86_400_000_000_000;
    (i128::from(value.months) * 30 + i128::from(value.days)) * DAY + i128::from(value.nanoseconds)
}

/// Calls a generic function with the Rust type of a fixed-width logical type; `None` for other types.
macro_rules! with_ordered_type {
    ($data_type:expr, $function:ident($($argument:expr),*)) => {
        match $data_type {
            $crate::types::Type::Boolean => Some($function::<bool>($($argument),*)),
            other => $crate::comparison::ordered::with_fixed_type!(other, $function($($argument),*)),
        }
    };
}

/// As `with_ordered_type`, without truth values, whose columns are bits.
macro_rules! with_fixed_type {
    ($data_type:expr, $function:ident($($argument:expr),*)) => {{
        use $crate::types::Type;
        match $data_type {
            Type::Int8 => Some($function::<i8>($($argument),*)),
            Type::Int16 => Some($function::<i16>($($argument),*)),
            Type::Int32 | Type::Date => Some($function::<i32>($($argument),*)),
            Type::Int64 | Type::Time | Type::Timestamp(_) | Type::TimestampTz => Some($function::<i64>($($argument),*)),
            Type::UInt8 => Some($function::<u8>($($argument),*)),
            Type::UInt16 => Some($function::<u16>($($argument),*)),
            Type::UInt32 => Some($function::<u32>($($argument),*)),
            Type::UInt64 => Some($function::<u64>($($argument),*)),
            Type::Float16 => Some($function::<half::f16>($($argument),*)),
            Type::Float32 => Some($function::<f32>($($argument),*)),
            Type::Float64 => Some($function::<f64>($($argument),*)),
            decimal @ Type::Decimal(..) if decimal.is_narrow_decimal() => Some($function::<i64>($($argument),*)),
            Type::Decimal(..) => Some($function::<i128>($($argument),*)),
            Type::Interval => Some($function::<arrow::datatypes::IntervalMonthDayNano>($($argument),*)),
            _ => None,
        }
    }};
}

pub(crate) use {with_fixed_type, with_ordered_type};
