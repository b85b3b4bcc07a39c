//! The four forms of a function of a number and parameters: FLOAT and DOUBLE, alone and as the elements of a list.
//!
//! The function is written once, over doubles; a FLOAT is computed in DOUBLE and rounded once. Where it is long, as a power is, it
//! is a kernel over slices ([`block_bound`]): the compiler makes a long closure no part of a loop.

use std::sync::Arc;

use super::elements::map_elements;
use crate::column::{Rows, WritableFixed};
use crate::error::Result;
use crate::kernel::lane_loop;
use crate::lanes::{Lane, LaneKernel, Lanes, LanesMut, Marks, parametric};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Parameter, Pattern, exact, parameter};
use crate::types::Type;

/// Numbers that a block of doubles on the stack holds.
const BLOCK: usize = 256;

/// Floats that doubles are rounded to.
pub(crate) trait Float: Lane + WritableFixed {
    fn widen(self) -> f64;
    fn narrow(value: f64) -> Self;

    /// Runs a kernel over doubles.
    fn run<const N: usize>(
        kernel: &impl Fn(&[f64], [&[f64]; N], &mut [f64]),
        values: &[Self],
        parameters: [&[Self]; N],
        results: &mut [Self],
    );
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

    fn run<const N: usize>(
        kernel: &impl Fn(&[f64], [&[f64]; N], &mut [f64]),
        values: &[f32],
        parameters: [&[f32]; N],
        results: &mut [f32],
    ) {
        let (mut inputs, mut wide) = ([0.0; BLOCK], [0.0; BLOCK]);
        let mut wide_parameters = [[0.0; BLOCK]; N];
        for (position, results) in results.chunks_mut(BLOCK).enumerate() {
            let (start, length) = (position * BLOCK, results.len());
            let range = start..start + length;
            lane_loop::unary(&f64::from, &values[range.clone()], &mut inputs[..length]);
            for (wide, parameter) in wide_parameters.iter_mut().zip(parameters) {
                lane_loop::unary(&f64::from, &parameter[range.clone()], &mut wide[..length]);
            }
            kernel(
                &inputs[..length],
                wide_parameters.each_ref().map(|wide| &wide[..length]),
                &mut wide[..length],
            );
            lane_loop::unary(&|value: f64| value as f32, &wide[..length], results);
        }
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

    fn run<const N: usize>(
        kernel: &impl Fn(&[f64], [&[f64]; N], &mut [f64]),
        values: &[f64],
        parameters: [&[f64]; N],
        results: &mut [f64],
    ) {
        kernel(values, parameters, results);
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

struct BlockLanes<T, F, const N: usize>(F, std::marker::PhantomData<fn(T) -> T>);

impl<T, F, const N: usize> LaneKernel for BlockLanes<T, F, N>
where
    T: Float,
    F: Fn(&[f64], [&[f64]; N], &mut [f64]) + Send + Sync,
{
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, _: &mut Marks<'_>) {
        let parameters = std::array::from_fn(|position| T::read(&inputs[position + 1]));
        <T as Float>::run(&self.0, T::read(&inputs[0]), parameters, T::write(output));
    }
}

/// A kernel over slices of doubles as lanes: of the first argument, and of the parameters behind it.
pub(crate) fn block_lanes<T: Float, const N: usize, F>(kernel: F) -> Arc<dyn LaneKernel>
where
    F: Fn(&[f64], [&[f64]; N], &mut [f64]) + Send + Sync + 'static,
{
    Arc::new(BlockLanes::<T, F, N>(kernel, std::marker::PhantomData))
}

/// As [`number_bound`], of a kernel over slices.
pub(super) fn block_bound<const N: usize, F>(arguments: &Arguments<'_>, kernel: F) -> Bound
where
    F: Fn(&[f64], [&[f64]; N], &mut [f64]) + Copy + Send + Sync + 'static,
{
    match &arguments.types[0] {
        Type::Float32 => Bound::lanes(Type::Float32, block_lanes::<f32, N, F>(kernel)),
        Type::Float64 => Bound::lanes(Type::Float64, block_lanes::<f64, N, F>(kernel)),
        list if list.element() == Some(&Type::Float32) => blocks_of_list::<f32, N, F>(list, kernel),
        list => blocks_of_list::<f64, N, F>(list, kernel),
    }
}

fn blocks_of_list<T: Float, const N: usize, F>(list: &Type, kernel: F) -> Bound
where
    F: Fn(&[f64], [&[f64]; N], &mut [f64]) + Copy + Send + Sync + 'static,
{
    Bound::strict(list.clone(), move |arguments, rows, output, _| {
        let parameters: [_; N] = std::array::from_fn(|position| arguments[position + 1].fixed::<T>());
        let with = |given: [T; N]| {
            let filled = given.map(|parameter| [parameter; BLOCK]);
            move |values: &[T], results: &mut [T]| {
                for (values, results) in values.chunks(BLOCK).zip(results.chunks_mut(BLOCK)) {
                    let parameters = filled.each_ref().map(|filled| &filled[..values.len()]);
                    <T as Float>::run(&kernel, values, parameters, results);
                }
            }
        };
        if parameters.iter().all(|parameter| parameter.constant().is_some()) {
            map_elements(&arguments[0], rows, output, &with(parameters.map(|parameter| parameter.get(0))));
        } else {
            rows.for_each(|row| {
                let given = parameters.map(|parameter| parameter.get(row));
                map_elements(&arguments[0], Rows::Selected(&[row as u32]), output, &with(given));
            });
        }
        output.check_capacity()
    })
}
