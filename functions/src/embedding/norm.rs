//! Length of an embedding, and embeddings scaled to length 1.

use super::CATEGORY;
use super::pair::Embeddings;
use crate::column::{FixedWidth, WritableFixed};
use crate::kernel::embedding as kernel;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{Pattern, parameter};
use crate::types::Type;

pub(super) fn register(registry: &mut Registry) {
    let function = ScalarFunction::new("l2_norm", CATEGORY, "Euclidean length of an embedding.")
        .note("A null element is an error.")
        .example("l2_norm([3.0, 4.0])", "5.0");
    let function = norm_form(function, Type::Float32, kernel::norm_f32);
    registry.register_scalar(norm_form(function, Type::Float64, kernel::norm_f64));
    let function = ScalarFunction::new("normalize", CATEGORY, "The embedding scaled to length 1.")
        .alias("l2_normalize")
        .note("An embedding of length 0 stays as it is. A null element is an error.")
        .example("normalize([3.0, 4.0])", "[0.6, 0.8]");
    let function = scaled_form(function, Type::Float32, kernel::normalize_f32);
    registry.register_scalar(scaled_form(function, Type::Float64, kernel::normalize_f64));
}

fn pattern(element: &Type) -> Pattern {
    Pattern::AnyList(Box::new(Pattern::Exact(element.clone())))
}

fn norm_form<T: FixedWidth + WritableFixed>(
    function: ScalarFunction,
    element: Type,
    norm: fn(&[T]) -> T,
) -> ScalarFunction {
    function.overload([parameter("x", pattern(&element))], move |arguments| {
        let function = arguments.function.to_owned();
        Ok(Bound::strict(element.clone(), move |arguments, rows, output, _| {
            let embeddings = Embeddings::<T>::new(&arguments[0]);
            rows.for_each(|row| {
                if let Some(embedding) = embeddings.get(row, &function, 1, output) {
                    output.fixed::<T>()[row] = norm(embedding);
                }
            });
            Ok(())
        }))
    })
}

fn scaled_form<T: FixedWidth + WritableFixed>(
    function: ScalarFunction,
    element: Type,
    normalize: fn(&[T], &mut [T]),
) -> ScalarFunction {
    function.overload([parameter("x", pattern(&element))], move |arguments| {
        let function = arguments.function.to_owned();
        Ok(Bound::strict(arguments.types[0].clone(), move |arguments, rows, output, _| {
            let embeddings = Embeddings::<T>::new(&arguments[0]);
            let is_fixed = matches!(output.data_type(), Type::FixedList(..));
            rows.for_each(|row| {
                let Some(embedding) = embeddings.get(row, &function, 1, output) else { return };
                let length = embedding.len();
                if is_fixed {
                    let child = output.fixed_list_child();
                    return normalize(embedding, &mut child.fixed::<T>()[row * length..(row + 1) * length]);
                }
                let mut writer = output.list();
                let start = writer.child().grow(length);
                normalize(embedding, &mut writer.child().fixed::<T>()[start..start + length]);
                writer.set(row, start, length);
            });
            output.check_capacity()
        }))
    })
}
