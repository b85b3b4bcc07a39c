//! `clamp`: values held between two bounds.

use super::CATEGORY;
use super::elements::map_elements;
use crate::column::{Output, Rows, View, WritableFixed};
use crate::comparison::ordered::with_fixed_type;
use crate::error::{Error, Result};
use crate::kernel::lane_loop;
use crate::lanes::{Lane, ternary};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Parameter, Pattern, parameter, variable};
use crate::types::Type;
use crate::value::Value;

pub(super) fn function() -> ScalarFunction {
    let list = parameter("x", Pattern::AnyList(Box::new(Pattern::Variable("T"))));
    ScalarFunction::new(
        "clamp",
        CATEGORY,
        "The value, or the nearer of two bounds where it is outside of them.",
    )
    .alias("clip")
    .note("A null bound is open, and NaN stays NaN. A lower bound above the upper one is an error.")
    .note("Of a list every element is held; null elements stay null.")
    .example("clamp(15, 0, 10)", "10")
    .example("clamp(-15, NULL, 10)", "-15")
    .example("clamp([-1.5, 0.5, 2.0], 0, 1)", "[0.0, 0.5, 1.0]")
    .overload([variable("x"), variable("low"), variable("high")], bind)
    .overload::<[Parameter; 3], _>([list, variable("low"), variable("high")], bind_list)
}

fn refused(arguments: &Arguments<'_>) -> Error {
    let data_type = &arguments.types[1];
    Error::argument(
        arguments.function,
        1,
        format!("has type {data_type}; expected numbers, dates or timestamps"),
    )
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    let data_type = &arguments.types[0];
    match has_ordered_bounds(arguments) {
        Some(true) => with_fixed_type!(data_type, lanes(data_type)),
        Some(false) => return Err(crossed(arguments.function)),
        None => with_fixed_type!(data_type, values(arguments)),
    }
    .ok_or_else(|| refused(arguments))
}

fn bind_list(arguments: &Arguments<'_>) -> Result<Bound> {
    let element = &arguments.types[1];
    if has_ordered_bounds(arguments) == Some(false) {
        return Err(crossed(arguments.function));
    }
    with_fixed_type!(element, elements(arguments)).ok_or_else(|| refused(arguments))
}

fn crossed(function: &str) -> Error {
    Error::argument(
        function,
        2,
        "is above argument 3; expected a lower bound that is not above the upper one",
    )
}

/// Whether the bounds are in order, if both are constant numbers that doubles hold; `None` leaves the question to each row.
fn has_ordered_bounds(arguments: &Arguments<'_>) -> Option<bool> {
    let number = |position: usize| match arguments.known(position)? {
        Value::Decimal(..) => None,
        value => value.as_f64().filter(|number| number.abs() < EXACT_MAX),
    };
    let (low, high) = (number(1)?, number(2)?);
    // NaN is no bound: nothing is below or above it.
    (!low.is_nan() && !high.is_nan()).then_some(low <= high)
}

/// Whole numbers of a smaller magnitude are exact as doubles.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Written with comparisons that are false for NaN.
#[inline(always)]
fn clamp<T: PartialOrd>(x: T, low: T, high: T) -> T {
    let raised = if x < low { low } else { x };
    if raised > high { high } else { raised }
}

/// For bounds that are constant, not null and in order.
fn lanes<T: Lane + PartialOrd>(data_type: &Type) -> Bound {
    Bound::lanes(data_type.clone(), ternary(clamp::<T>))
}

/// Two bounds, each of which may be open.
#[derive(Clone, Copy)]
struct Bounds<T> {
    low: Option<T>,
    high: Option<T>,
}

impl<T: WritableFixed + PartialOrd> Bounds<T> {
    /// Those of a row; `None` if they are crossed.
    fn of(arguments: &[View<'_>], row: usize) -> Option<Self> {
        let bound = |view: &View<'_>| view.is_valid(row).then(|| view.fixed::<T>().get(row));
        let (low, high) = (bound(&arguments[1]), bound(&arguments[2]));
        match (low, high) {
            (Some(low), Some(high)) if low > high => None,
            _ => Some(Self { low, high }),
        }
    }

    fn hold(self, x: T) -> T {
        let raised = self.low.filter(|low| x < *low).unwrap_or(x);
        self.high.filter(|high| raised > *high).unwrap_or(raised)
    }

    fn hold_all(self, values: &[T], held: &mut [T]) {
        match self {
            Self { low: Some(low), high: Some(high) } => {
                lane_loop::unary(&|x| clamp(x, low, high), values, held);
            }
            _ => lane_loop::unary(&|x| self.hold(x), values, held),
        }
    }
}

fn values<T: WritableFixed + PartialOrd>(arguments: &Arguments<'_>) -> Bound {
    let function = arguments.function.to_owned();
    Bound::null_aware(arguments.types[0].clone(), move |arguments, rows, output, _| {
        let values = arguments[0].fixed::<T>();
        rows.for_each(|row| {
            if arguments[0].is_null(row) {
                return output.set_null(row);
            }
            match Bounds::<T>::of(arguments, row) {
                Some(bounds) => output.fixed::<T>()[row] = bounds.hold(values.get(row)),
                None => output.fail(row, || crossed(&function)),
            }
        });
        Ok(())
    })
}

fn elements<T: WritableFixed + PartialOrd>(arguments: &Arguments<'_>) -> Bound {
    let function = arguments.function.to_owned();
    Bound::null_aware(arguments.types[0].clone(), move |arguments, rows, output, _| {
        let hold = |bounds: Bounds<T>| move |values: &[T], held: &mut [T]| bounds.hold_all(values, held);
        let is_constant = arguments[1].is_constant() && arguments[2].is_constant();
        if is_constant
            && !arguments[0].may_be_null()
            && !rows.is_empty()
            && let Some(bounds) = Bounds::<T>::of(arguments, 0)
        {
            map_elements(&arguments[0], rows, output, &hold(bounds));
            return output.check_capacity();
        }
        rows.for_each(|row| hold_row(arguments, row, output, &hold, &function));
        output.check_capacity()
    })
}

fn hold_row<T: WritableFixed + PartialOrd, K: Fn(&[T], &mut [T])>(
    arguments: &[View<'_>],
    row: usize,
    output: &mut Output,
    hold: &impl Fn(Bounds<T>) -> K,
    function: &str,
) {
    if arguments[0].is_null(row) {
        return output.set_null(row);
    }
    match Bounds::<T>::of(arguments, row) {
        Some(bounds) => map_elements(&arguments[0], Rows::Selected(&[row as u32]), output, &hold(bounds)),
        None => output.fail(row, || crossed(function)),
    }
}
