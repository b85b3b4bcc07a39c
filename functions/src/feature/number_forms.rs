//! The four forms of a function of a number and parameters: FLOAT and DOUBLE, alone and as the elements of a list.
//!
//! The function is written once, over doubles; a FLOAT is computed in DOUBLE and rounded once.

use super::elements::map_elements;
use crate::column::{Rows, WritableFixed};
use crate::error::Result;
use crate::kernel::lane_loop;
use crate::lanes::{Lane, parametric};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Parameter, Pattern, exact, parameter};
use crate::types::Type;

/// Floats that doubles are rounded to.
trait Float: Lane + WritableFixed {
    fn widen(self) -> f64;
    fn narrow(value: f64) -> Self;
}

impl Float for f32 {
    #[inline(always)]
    fn widen(self) -> f64 {
        self.into()
    }
    #[inline(always)]
    fn narrow(value: f64) -> f32 {
        value as f32
    }
}

impl Float for f64 {
    #[inline(always)]
    fn widen(self) -> f64 {
        self
    }
    #[inline(always)]
    fn narrow(value: f64) -> f64 {
        value
    }
}

/// Adds the forms: `x`, then `parameters` of the type of the number, then `options`. `bind` ends in [`number_bound`].
pub(super) fn number_forms(
    function: ScalarFunction,
    parameters: &[&'static str],
    options: &[Parameter],
    bind: fn(&Arguments<'_>) -> Result<Bound>,
) -> ScalarFunction {
    [Type::Float32, Type::Float64].into_iter().fold(function, |function, number| {
        let rest: Vec<Parameter> = parameters
            .iter()
            .map(|name| exact(name, number.clone()))
            .chain(options.iter().cloned())
            .collect();
        let list = Pattern::AnyList(Box::new(Pattern::Exact(number.clone())));
        function
            .overload([exact("x", number)].into_iter().chain(rest.clone()), bind)
            .overload([parameter("x", list)].into_iter().chain(rest), bind)
    })
}

/// The form that the type of the first argument asks for.
pub(super) fn number_bound<const N: usize, F>(arguments: &Arguments<'_>, function: F) -> Bound
where
    F: Fn(f64, [f64; N]) -> f64 + Copy + Send + Sync + 'static,
{
    match &arguments.types[0] {
        Type::Float32 => Bound::lanes(Type::Float32, parametric(over::<f32, N, F>(function))),
        Type::Float64 => Bound::lanes(Type::Float64, parametric(over::<f64, N, F>(function))),
        list if list.element() == Some(&Type::Float32) => of_list::<f32, N, F>(list, function),
        list => of_list::<f64, N, F>(list, function),
    }
}

#[inline(always)]
fn over<T: Float, const N: usize, F>(function: F) -> impl Fn(T, [T; N]) -> T + Copy + Send + Sync + 'static
where
    F: Fn(f64, [f64; N]) -> f64 + Copy + Send + Sync + 'static,
{
    move |x: T, parameters: [T; N]| T::narrow(function(x.widen(), parameters.map(T::widen)))
}

fn of_list<T: Float, const N: usize, F>(list: &Type, function: F) -> Bound
where
    F: Fn(f64, [f64; N]) -> f64 + Copy + Send + Sync + 'static,
{
    let function = over::<T, N, F>(function);
    Bound::strict(list.clone(), move |arguments, rows, output, _| {
        let parameters: [_; N] = std::array::from_fn(|position| arguments[position + 1].fixed::<T>());
        let with = |given: [T; N]| {
            move |values: &[T], results: &mut [T]| {
                lane_loop::unary(&|x| function(x, given), values, results);
            }
        };
        if parameters.iter().all(|parameter| parameter.constant().is_some()) {
            // Equal for every row, so the elements of all lists are one run.
            let given = parameters.map(|parameter| parameter.get(0));
            map_elements(&arguments[0], rows, output, &with(given));
        } else {
            rows.for_each(|row| {
                let given = parameters.map(|parameter| parameter.get(row));
                map_elements(&arguments[0], Rows::Selected(&[row as u32]), output, &with(given));
            });
        }
        output.check_capacity()
    })
}
