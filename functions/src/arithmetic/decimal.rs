//! Forms of the operators over decimals, and over a decimal and an integer.
//!
//! Precision and scale of the results are DuckDB's: a sum has one digit more than its operands, a
//! product the digits of both, but at most 18 where both operands have no more and the scale allows it;
//! nothing has more than 38 digits. Where digits were cut, values are checked.

use std::sync::Arc;

use super::overflow;
use crate::cast::decimal::{NARROW_PRECISION, limit, power_of_ten};
use crate::cast::text::write_decimal;
use crate::coercion::integer_digits;
use crate::error::{Error, Result};
use crate::lanes::{LaneKernel, LaneKind, Outcome, binary, checked, over_digits, partial_binary};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Pattern, parameter};
use crate::types::Type;

/// Precision and scale.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shape {
    precision: u8,
    scale: u8,
}

impl Shape {
    fn of(function: &str, position: usize, data_type: &Type) -> Result<Self> {
        match *data_type {
            Type::Decimal(precision, scale) => match u8::try_from(scale) {
                Ok(scale) => Ok(Self { precision, scale }),
                Err(_) => Err(Error::argument(
                    function,
                    position,
                    format!("has type {data_type}; expected a scale of at least 0"),
                )),
            },
            ref integer => Ok(Self { precision: integer_digits(integer) as u8, scale: 0 }),
        }
    }

    fn data_type(self) -> Type {
        Type::Decimal(self.precision, self.scale as i8)
    }

    fn is_narrow(self) -> bool {
        self.precision <= NARROW_PRECISION
    }

    fn whole_digits(self) -> u8 {
        self.precision.saturating_sub(self.scale)
    }
}

/// A kernel over digits, by the width of its inputs. One over 64 bits writes the width of the result itself.
enum Kernel {
    Narrow(Arc<dyn LaneKernel>),
    Wide(Arc<dyn LaneKernel>),
}

impl Kernel {
    /// The kernel over lanes of the argument types.
    fn over(self, arguments: &[Type], result: &Type) -> Arc<dyn LaneKernel> {
        let all = |kind| arguments.iter().all(|data_type| LaneKind::of(data_type) == Some(kind));
        match self {
            Self::Narrow(kernel) if all(LaneKind::Int64) => kernel,
            Self::Narrow(kernel) => over_digits::<i64>(kernel, [true; 2], false),
            Self::Wide(kernel) if all(LaneKind::Int128) && !result.is_narrow_decimal() => kernel,
            Self::Wide(kernel) => over_digits::<i128>(kernel, [true; 2], result.is_narrow_decimal()),
        }
    }
}

/// Adds the forms (DECIMAL, DECIMAL), (DECIMAL, integer), (integer, DECIMAL) and those of 64-bit integers that differ in sign.
fn forms(
    function: ScalarFunction,
    bind: impl Fn(&Arguments<'_>, Shape, Shape) -> Result<(Type, Kernel)> + Copy + Send + Sync + 'static,
) -> ScalarFunction {
    let bind_widened = move |arguments: &Arguments<'_>| {
        let is_huge = arguments.types.iter().all(Type::is_integer);
        let shape = |position: usize| match is_huge {
            true => Ok(Shape { precision: 38, scale: 0 }),
            false => Shape::of(arguments.function, position + 1, &arguments.types[position]),
        };
        let (left, right) = (shape(0)?, shape(1)?);
        let (result, kernel) = bind(arguments, left, right)?;
        let kernel = kernel.over(arguments.types, &result);
        Ok(Bound::lanes(result, kernel))
    };
    let pair = |left, right| [parameter("left", left), parameter("right", right)];
    function
        .overload(pair(Pattern::Decimal, Pattern::Decimal), bind_widened)
        .overload(pair(Pattern::Decimal, Pattern::Integer), bind_widened)
        .overload(pair(Pattern::Integer, Pattern::Decimal), bind_widened)
        // No integer type holds both of these, so they are computed as HUGEINT.
        .overload(pair(Pattern::Exact(Type::UInt64), Pattern::Exact(Type::Int64)), bind_widened)
        .overload(pair(Pattern::Exact(Type::Int64), Pattern::Exact(Type::UInt64)), bind_widened)
}

/// Adds the decimal forms of `+` or `-`.
pub(super) fn sum_forms(function: ScalarFunction, symbol: &'static str, subtracts: bool) -> ScalarFunction {
    forms(function, move |_, left, right| {
        let scale = left.scale.max(right.scale);
        let whole = left.whole_digits().max(right.whole_digits());
        let needed = u16::from((scale + whole).max(left.precision.max(right.precision))) + 1;
        let result = Shape { precision: needed.min(38) as u8, scale };
        let factors = (factor(left, scale), factor(right, scale));
        let is_narrow = left.precision + (scale - left.scale) <= NARROW_PRECISION
            && right.precision + (scale - right.scale) <= NARROW_PRECISION;
        let kernel = match (is_narrow, subtracts) {
            (true, false) => narrow_sum(factors, i64::wrapping_add, result),
            (true, true) => narrow_sum(factors, i64::wrapping_sub, result),
            (false, false) => {
                Kernel::Wide(wide_sum(factors, i128::overflowing_add, result, symbol, (left, right)))
            }
            (false, true) => {
                Kernel::Wide(wide_sum(factors, i128::overflowing_sub, result, symbol, (left, right)))
            }
        };
        Ok((result.data_type(), kernel))
    })
}

fn factor(shape: Shape, scale: u8) -> i128 {
    power_of_ten(u32::from(scale - shape.scale))
}

/// Operands that keep at most 18 digits after scaling: 64 bits hold them and their sum.
fn narrow_sum(
    factors: (i128, i128),
    combine: impl Fn(i64, i64) -> i64 + Copy + Send + Sync + 'static,
    result: Shape,
) -> Kernel {
    let (left_factor, right_factor) = (factors.0 as i64, factors.1 as i64);
    let sum = move |a: i64, b: i64| combine(a.wrapping_mul(left_factor), b.wrapping_mul(right_factor));
    Kernel::Narrow(match (factors, result.is_narrow()) {
        ((1, 1), true) => binary(combine),
        (_, true) => binary(sum),
        (_, false) => binary(move |a, b| i128::from(sum(a, b))),
    })
}

fn wide_sum(
    factors: (i128, i128),
    combine: impl Fn(i128, i128) -> (i128, bool) + Copy + Send + Sync + 'static,
    result: Shape,
    symbol: &'static str,
    shapes: (Shape, Shape),
) -> Arc<dyn LaneKernel> {
    let limit = limit(result.precision);
    let needs_scaling = factors != (1, 1);
    let inside = move |value: i128| value < limit && value > -limit;
    if !needs_scaling {
        return checked(
            move |a, b| {
                let (value, overflowed) = combine(a, b);
                (value, overflowed || !inside(value))
            },
            error(symbol, shapes, result),
        );
    }
    checked(
        move |a: i128, b: i128| {
            let (a, a_overflowed) = a.overflowing_mul(factors.0);
            let (b, b_overflowed) = b.overflowing_mul(factors.1);
            let (value, overflowed) = combine(a, b);
            (value, a_overflowed || b_overflowed || overflowed || !inside(value))
        },
        error(symbol, shapes, result),
    )
}

/// Adds the decimal forms of `*`.
pub(super) fn product_forms(function: ScalarFunction) -> ScalarFunction {
    forms(function, |arguments, left, right| {
        let scale = left.scale + right.scale;
        if scale > 38 {
            return Err(Error::user(format!(
                "{}: the product of {} and {} needs {scale} digits after the point; at most 38 fit, cast to a smaller scale",
                arguments.function, arguments.types[0], arguments.types[1]
            )));
        }
        let needed = u16::from(left.precision) + u16::from(right.precision);
        let is_narrow = left.precision.max(right.precision) <= NARROW_PRECISION;
        let precision = match needed {
            19.. if is_narrow && scale < NARROW_PRECISION => NARROW_PRECISION,
            _ => needed.min(38) as u8,
        };
        let is_checked = u16::from(precision) < needed;
        let result = Shape { precision, scale };
        let limit = limit(precision);
        let fits = move |value: i128| value < limit && value > -limit;
        let kernel = match (is_narrow, is_checked) {
            (true, _) if result.is_narrow() => narrow_product(is_checked, result, (left, right)),
            // 64 by 64 bits to 128 is one instruction.
            (true, false) => Kernel::Narrow(binary(|a: i64, b: i64| i128::from(a) * i128::from(b))),
            _ => Kernel::Wide(checked(
                move |a: i128, b: i128| {
                    let (value, overflowed) = a.overflowing_mul(b);
                    (value, overflowed || !fits(value))
                },
                error("*", (left, right), result),
            )),
        };
        Ok((result.data_type(), kernel))
    })
}

/// A product of at most 18 digits of operands that have no more.
fn narrow_product(is_checked: bool, result: Shape, shapes: (Shape, Shape)) -> Kernel {
    let limit = limit(result.precision) as i64;
    let refused = error("*", shapes, result);
    Kernel::Narrow(match is_checked {
        false => binary(i64::wrapping_mul),
        true => checked(
            move |a: i64, b: i64| {
                let (value, overflowed) = a.overflowing_mul(b);
                (value, overflowed | (value >= limit) | (value <= -limit))
            },
            move |a: i64, b: i64| refused(i128::from(a), i128::from(b)),
        ),
    })
}

/// Adds the decimal forms of `%`: the operands are brought to one scale; the sign is the dividend's.
pub(super) fn remainder_forms(function: ScalarFunction) -> ScalarFunction {
    forms(function, |_, left, right| {
        let scale = left.scale.max(right.scale);
        let whole = left.whole_digits().max(right.whole_digits());
        let result = Shape { precision: (whole + scale).clamp(1, 38), scale };
        let factors = (factor(left, scale), factor(right, scale));
        let kernel = Kernel::Wide(partial_binary(
            move |a: i128, b: i128| match (a.checked_mul(factors.0), b.checked_mul(factors.1)) {
                (Some(a), Some(b)) => a.checked_rem(b).map_or(Outcome::Failed, Outcome::Value),
                _ => Outcome::Failed,
            },
            move |a, b| match b {
                0 => Error::DivisionByZero { operation: "%" },
                b => error("%", (left, right), result)(a, b),
            },
        ));
        Ok((result.data_type(), kernel))
    })
}

fn error(
    symbol: &'static str,
    shapes: (Shape, Shape),
    result: Shape,
) -> impl Fn(i128, i128) -> Error + Copy + Send + Sync + 'static {
    move |left, right| overflow(symbol, shown(left, shapes.0), shown(right, shapes.1), result.data_type())
}

fn shown(value: i128, shape: Shape) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_decimal(value, shape.precision, shape.scale as i8, &mut text);
    text
}
