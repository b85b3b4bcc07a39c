//! Embeddings added, subtracted, multiplied and scaled, element by element.

use half::f16;

use super::element::{
    Element, Embeddings, check_dimensions, function, known_dimension, vector_of, write_vector,
};
use crate::error::{Error, Result};
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{exact, parameter};
use crate::types::Type;

pub(super) fn register(registry: &mut Registry) {
    let two = [
        ("vector_add", "Sums of the elements of two embeddings.", "[4.0, 6.0]"),
        ("vector_subtract", "Differences of the elements of two embeddings.", "[-2.0, -2.0]"),
        ("vector_multiply", "Products of the elements of two embeddings.", "[3.0, 8.0]"),
    ];
    for (operation, (name, summary, result)) in two.into_iter().enumerate() {
        let function = function(name, summary)
            .note("Different dimensions are an error, while planning where they are known; so is a null element.")
            .example(&format!("{name}([1.0, 2.0], [3.0, 4.0])"), result);
        let function = pair_form::<f32>(function, operation);
        let function = pair_form::<f64>(function, operation);
        registry.register_scalar(pair_form::<f16>(function, operation));
    }
    let scale = function("vector_scale", "The elements of an embedding times a factor.")
        .note("A null element is an error.")
        .example("vector_scale([1.0, 2.0], 0.5)", "[0.5, 1.0]");
    registry.register_scalar(scale_form::<f16>(scale_form::<f64>(scale_form::<f32>(scale))));
}

fn pair_form<T: Element>(function: ScalarFunction, operation: usize) -> ScalarFunction {
    let compute: fn(&[T], &[T], &mut [T]) = [T::add, T::subtract, T::multiply][operation];
    let sides = [parameter("left", vector_of(T::TYPE)), parameter("right", vector_of(T::TYPE))];
    function.overload(sides, move |arguments| {
        check_dimensions(arguments, 0, 1)?;
        let function = arguments.function.to_owned();
        Ok(Bound::strict(result_type(arguments), move |arguments, rows, output, _| {
            let (left, right) = (Embeddings::<T>::new(&arguments[0]), Embeddings::<T>::new(&arguments[1]));
            rows.for_each(|row| {
                let (Some(a), Some(b)) =
                    (left.get(row, &function, 1, output), right.get(row, &function, 2, output))
                else {
                    return;
                };
                if a.len() == b.len() {
                    return write_vector(output, row, a.len(), |place| compute(a, b, place));
                }
                let (actual, expected, function) = (b.len(), a.len(), function.clone());
                output.fail(row, || Error::DimensionMismatch { function, position: 2, actual, expected });
            });
            output.check_capacity()
        }))
    })
}

/// A fixed list where one side is, else a list.
fn result_type(arguments: &Arguments<'_>) -> Type {
    let is_fixed = |position: &usize| matches!(arguments.types[*position], Type::FixedList(..));
    let element = arguments.types[0].element().cloned().unwrap_or(Type::Float64);
    let fixed = [0, 1].into_iter().find(is_fixed);
    match fixed.and_then(|position| known_dimension(arguments, position)) {
        Some(dimension) => Type::fixed_list(element, dimension),
        None => Type::list(element),
    }
}

fn scale_form<T: Element>(function: ScalarFunction) -> ScalarFunction {
    function.overload([parameter("x", vector_of(T::TYPE)), exact("factor", T::WIDE)], scale::<T>)
}

fn scale<T: Element>(arguments: &Arguments<'_>) -> Result<Bound> {
    let function = arguments.function.to_owned();
    Ok(Bound::strict(arguments.types[0].clone(), move |arguments, rows, output, _| {
        let (vectors, factors) = (Embeddings::<T>::new(&arguments[0]), arguments[1].fixed::<T::Wide>());
        rows.for_each(|row| {
            if let Some(vector) = vectors.get(row, &function, 1, output) {
                write_vector(output, row, vector.len(), |place| T::scale(vector, factors.get(row), place));
            }
        });
        output.check_capacity()
    }))
}
