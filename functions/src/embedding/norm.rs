//! Length of an embedding, and embeddings scaled to length 1.

use half::f16;

use super::element::{Element, Embeddings, function, vector_of, write_vector};
use crate::error::{Error, Result};
use crate::kernel::embedding as kernel;
use crate::kernel::transcendental::pow_one;
use crate::kernel::vector::half_measure;
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{exact, parameter};
use crate::types::Type;

pub(super) fn register(registry: &mut Registry) {
    let norm = function("l2_norm", "Euclidean length of an embedding.")
        .note("FLOAT of FLOAT and HALF, else DOUBLE. A null element is an error.")
        .example("l2_norm([3.0, 4.0])", "5.0");
    let norm = norm_form::<f32>(norm, kernel::norm_f32);
    let norm = norm_form::<f64>(norm, kernel::norm_f64);
    registry.register_scalar(norm_form::<f16>(norm, |vector| half_measure::dot_f16(vector, vector).sqrt()));
    let scaled = function("normalize", "The embedding scaled to length 1.")
        .alias("l2_normalize")
        .note("With p the length is the p-norm: p from 1, 'infinity' for the greatest magnitude, 0 for the number of elements that are not 0.")
        .note("An embedding of length 0 stays as it is. A null element is an error.")
        .example("normalize([3.0, 4.0])", "[0.6, 0.8]")
        .example("normalize([1.0, 3.0], 1)", "[0.25, 0.75]");
    registry.register_scalar(scaled_form::<f16>(scaled_form::<f64>(scaled_form::<f32>(scaled))));
}

fn norm_form<T: Element>(function: ScalarFunction, norm: fn(&[T]) -> T::Wide) -> ScalarFunction {
    function.overload([parameter("x", vector_of(T::TYPE))], move |arguments| {
        let function = arguments.function.to_owned();
        Ok(Bound::strict(T::WIDE, move |arguments, rows, output, _| {
            let embeddings = Embeddings::<T>::new(&arguments[0]);
            rows.for_each(|row| {
                if let Some(embedding) = embeddings.get(row, &function, 1, output) {
                    output.fixed::<T::Wide>()[row] = norm(embedding);
                }
            });
            Ok(())
        }))
    })
}

fn scaled_form<T: Element>(function: ScalarFunction) -> ScalarFunction {
    function
        .overload([parameter("x", vector_of(T::TYPE))], move |arguments| {
            Ok(scaled::<T>(arguments, T::normalize))
        })
        .overload([parameter("x", vector_of(T::TYPE)), exact("p", Type::Float64)], move |arguments| {
            match order(arguments)? {
                2.0 => Ok(scaled::<T>(arguments, T::normalize)),
                order => Ok(scaled::<T>(arguments, move |vector, output| scale_by(vector, order, output))),
            }
        })
}

/// The constant p of a p-norm.
fn order(arguments: &Arguments<'_>) -> Result<f64> {
    let order = arguments.constant(1)?.as_f64();
    order.filter(|&order| order == 0.0 || order >= 1.0).ok_or_else(|| {
        Error::argument(
            arguments.function,
            2,
            "is not the order of a norm; expected 0, a number from 1, or 'infinity'",
        )
    })
}

fn scaled<T: Element>(
    arguments: &Arguments<'_>,
    normalize: impl Fn(&[T], &mut [T]) + Send + Sync + 'static,
) -> Bound {
    let function = arguments.function.to_owned();
    Bound::strict(arguments.types[0].clone(), move |arguments, rows, output, _| {
        let embeddings = Embeddings::<T>::new(&arguments[0]);
        rows.for_each(|row| {
            if let Some(embedding) = embeddings.get(row, &function, 1, output) {
                write_vector(output, row, embedding.len(), |place| normalize(embedding, place));
            }
        });
        output.check_capacity()
    })
}

/// Divides a vector by its p-norm, in doubles, and rounds once.
fn scale_by<T: Element>(vector: &[T], order: f64, output: &mut [T]) {
    let magnitudes = vector.iter().map(|value| value.double().abs());
    let norm = if order == 0.0 {
        magnitudes.filter(|&magnitude| magnitude != 0.0).count() as f64
    } else if order == f64::INFINITY {
        // NaN is greater than every number and stays.
        let greater = |held: f64, magnitude: f64| magnitude > held || magnitude.is_nan() && !held.is_nan();
        magnitudes.fold(0.0, |held, magnitude| if greater(held, magnitude) { magnitude } else { held })
    } else if order == 1.0 {
        magnitudes.sum()
    } else {
        pow_one(magnitudes.map(|magnitude| pow_one(magnitude, order)).sum(), 1.0 / order)
    };
    let divisor = if norm == 0.0 { 1.0 } else { norm };
    for (result, value) in output.iter_mut().zip(vector) {
        *result = T::of_double(value.double() / divisor);
    }
}
