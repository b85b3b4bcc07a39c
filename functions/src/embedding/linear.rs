//! `linear_projection`: an embedding in the coordinates of given directions.

use super::element::{Element, Embeddings, function, known_dimension, vector_of, write_vector};
use crate::error::{Error, Result};
use crate::kernel::vector::directions::Directions;
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Pattern, exact, parameter};
use crate::types::Type;
use crate::value::Value;

/// Most elements of a result.
const DIMENSION_MAX: i64 = 1 << 16;

pub(super) fn register(registry: &mut Registry) {
    let projection = function("linear_projection", "An embedding, less a centre, in the coordinates of given directions: what principal components are applied with.")
        .note("components holds the directions one behind the other, dimensions of them; element i of the result is the sum of (x - center) times direction i. All three are constants; an embedding of another dimension than the centre is an error, and so is a null element.")
        .note("Sums run in DOUBLE in the order of the elements, and are rounded once to the type of the elements.")
        .example("linear_projection([3.0, 5.0], [0.0, 1.0], [1.0, 1.0], 1)", "[4.0]");
    registry.register_scalar(form::<f64>(form::<f32>(projection)));
}

fn form<T: Element>(function: ScalarFunction) -> ScalarFunction {
    let doubles = || Pattern::List(Box::new(Pattern::Exact(Type::Float64)));
    let parameters = [
        parameter("x", vector_of(T::TYPE)),
        parameter("components", doubles()),
        parameter("center", doubles()),
        exact("dimensions", Type::Int64),
    ];
    function.overload(parameters, project::<T>)
}

/// The numbers of a constant list; none of NULL.
fn numbers(arguments: &Arguments<'_>, position: usize) -> Result<Vec<f64>> {
    let Some(list) = arguments.constant(position)?.as_shared()? else { return Ok(Vec::new()) };
    let number = |value: &Value| value.as_f64();
    let numbers: Option<Vec<f64>> = list.values().iter().map(number).collect();
    numbers.ok_or_else(|| Error::argument(arguments.function, position + 1, "holds a null; expected numbers"))
}

fn project<T: Element>(arguments: &Arguments<'_>) -> Result<Bound> {
    let Some(dimensions @ 1..=DIMENSION_MAX) = arguments.constant(3)?.as_i64() else {
        let problem = format!("is not a dimension; expected a constant from 1 to {DIMENSION_MAX}");
        return Err(Error::argument(arguments.function, 4, problem));
    };
    let dimensions = dimensions as usize;
    let (components, center) = (numbers(arguments, 1)?, numbers(arguments, 2)?);
    let is_null = arguments.constant(1)?.is_null() || arguments.constant(2)?.is_null();
    if !is_null && components.len() != dimensions * center.len() {
        let problem = format!(
            "has {} numbers; expected {dimensions} directions of {}, the dimension of the centre",
            components.len(),
            center.len()
        );
        return Err(Error::argument(arguments.function, 2, problem));
    }
    let (function, expected) = (arguments.function.to_owned(), center.len());
    let mismatch =
        move |actual| Error::DimensionMismatch { function: function.clone(), position: 1, actual, expected };
    if let Some(actual) = known_dimension(arguments, 0).filter(|&actual| !is_null && actual != expected) {
        return Err(mismatch(actual));
    }
    let directions = Directions::new(&components, &center, dimensions);
    let function = arguments.function.to_owned();
    Ok(Bound::strict(Type::fixed_list(T::TYPE, dimensions), move |arguments, rows, output, scratch| {
        let embeddings = Embeddings::<T>::new(&arguments[0]);
        let sums = scratch.slot::<Vec<f64>>();
        rows.for_each(|row| {
            let Some(embedding) = embeddings.get(row, &function, 1, output) else { return };
            if embedding.len() != expected {
                return output.fail(row, || mismatch(embedding.len()));
            }
            directions.project(embedding.iter().map(|&element| element.double()), sums);
            write_vector(output, row, dimensions, |place: &mut [T]| {
                place.iter_mut().zip(sums.iter()).for_each(|(to, &sum)| *to = T::of_double(sum));
            });
        });
        Ok(())
    }))
}
