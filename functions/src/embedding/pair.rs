//! Functions of two embeddings of one dimension.

use half::f16;

use super::CATEGORY;
use super::element::{Element, Embeddings, check_dimensions};
use crate::column::{FixedWidth, Rows, View, WritableFixed};
use crate::error::{Error, Result};
use crate::kernel::level::Level;
use crate::kernel::vector::rows as kernel;
use crate::kernel::vector::rows::Side;
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Parameter, Pattern, parameter};
use crate::types::Type;

/// Measures of many pairs, and what is made of each.
pub(super) type Measure<T> = fn(Level, Side<'_, T>, Side<'_, T>, usize, &mut [<T as Element>::Wide]);

/// What a function makes of a measure.
#[derive(Clone, Copy)]
enum Finish {
    Same,
    Negative,
    FromOne,
}

pub(super) fn register(registry: &mut Registry) {
    let function = pair(
        "dot_product",
        "Sum of the products of the elements.",
        (kernel::dot_f16_at, kernel::dot_f32_at, kernel::dot_f64_at),
        Finish::Same,
        &["array_inner_product", "array_dot_product", "list_inner_product", "list_dot_product"],
    );
    registry.register_scalar(function.example("dot_product([1.0, 2.0], [3.0, 4.0])", "11.0"));
    let function = pair(
        "negative_inner_product",
        "The dot product with the opposite sign, which sorts the nearest first.",
        (kernel::dot_f16_at, kernel::dot_f32_at, kernel::dot_f64_at),
        Finish::Negative,
        &[
            "array_negative_inner_product",
            "array_negative_dot_product",
            "list_negative_inner_product",
            "list_negative_dot_product",
        ],
    );
    registry.register_scalar(function.example("negative_inner_product([1.0, 2.0], [3.0, 4.0])", "-11.0"));
    let function = pair(
        "cosine_similarity",
        "Cosine of the angle between two embeddings.",
        (kernel::cosine_f16_at, kernel::cosine_f32_at, kernel::cosine_f64_at),
        Finish::Same,
        &["array_cosine_similarity", "list_cosine_similarity"],
    );
    registry.register_scalar(
        function
            .note("NaN for an embedding of length 0.")
            .example("cosine_similarity([1.0, 0.0], [1.0, 0.0])", "1.0"),
    );
    let function = pair(
        "cosine_distance",
        "1 less the cosine of the angle between two embeddings.",
        (kernel::cosine_f16_at, kernel::cosine_f32_at, kernel::cosine_f64_at),
        Finish::FromOne,
        &["array_cosine_distance", "list_cosine_distance", "<=>"],
    );
    registry.register_scalar(
        function
            .note("NaN for an embedding of length 0.")
            .example("cosine_distance([1.0, 0.0], [0.0, 1.0])", "1.0"),
    );
    let function = pair(
        "l2_distance",
        "Euclidean distance between two embeddings.",
        (kernel::l2_f16_at, kernel::l2_f32_at, kernel::l2_f64_at),
        Finish::Same,
        &["array_distance", "list_distance", "<->"],
    );
    registry.register_scalar(function.example("l2_distance([1.0, 2.0], [4.0, 6.0])", "5.0"));
    let function = pair(
        "l1_distance",
        "Sum of the differences of the elements.",
        (kernel::l1_f16_at, kernel::l1_f32_at, kernel::l1_f64_at),
        Finish::Same,
        &[],
    );
    registry.register_scalar(function.example("l1_distance([1.0, 2.0], [4.0, 6.0])", "7.0"));
}

/// The cross product of embeddings of three dimensions.
pub(super) fn register_cross_product(registry: &mut Registry) {
    let function = ScalarFunction::new(
        "array_cross_product",
        CATEGORY,
        "Vector that stands upright on two vectors of three dimensions.",
    )
    .alias("cross_product")
    .note("FLOAT[3] for two vectors of FLOAT, else DOUBLE[3]. A null element, or another dimension, is an error.")
    .example("array_cross_product([1.0, 2.0, 3.0], [2.0, 3.0, 4.0])", "[-1.0, 2.0, -1.0]");
    let function = cross_forms::<f32>(function, Type::Float32);
    registry.register_scalar(cross_forms::<f64>(function, Type::Float64));
}

fn cross_forms<T>(function: ScalarFunction, element: Type) -> ScalarFunction
where
    T: FixedWidth + WritableFixed + std::ops::Mul<Output = T> + std::ops::Sub<Output = T>,
{
    let fixed = Pattern::FixedList(Box::new(Pattern::Exact(element.clone())));
    let any = Pattern::AnyList(Box::new(Pattern::Exact(element)));
    [fixed, any].into_iter().fold(function, |function, pattern| {
        let sides: [Parameter; 2] = [parameter("left", pattern.clone()), parameter("right", pattern)];
        function.overload(sides, bind_cross::<T>)
    })
}

fn bind_cross<T>(arguments: &Arguments<'_>) -> Result<Bound>
where
    T: FixedWidth + WritableFixed + std::ops::Mul<Output = T> + std::ops::Sub<Output = T>,
{
    const DIMENSION: usize = 3;
    let function = arguments.function.to_owned();
    let other = |function: &str, position: usize, actual: usize| {
        Error::argument(function, position, format!("has dimension {actual}; expected {DIMENSION}"))
    };
    for (position, data_type) in arguments.types.iter().enumerate() {
        match data_type {
            Type::FixedList(_, size) if *size != DIMENSION => {
                return Err(other(&function, position + 1, *size));
            }
            _ => {}
        }
    }
    let element = arguments.types[0].element().cloned().unwrap_or(Type::Float64);
    Ok(Bound::strict(Type::fixed_list(element, DIMENSION), move |arguments, rows, output, _| {
        let (left, right) = (Embeddings::<T>::new(&arguments[0]), Embeddings::<T>::new(&arguments[1]));
        rows.for_each(|row| {
            let (Some(a), Some(b)) =
                (left.get(row, &function, 1, output), right.get(row, &function, 2, output))
            else {
                return;
            };
            let (&[a0, a1, a2], &[b0, b1, b2]) = (a, b) else {
                let (position, actual) = if a.len() == DIMENSION { (2, b.len()) } else { (1, a.len()) };
                return output.fail(row, || other(&function, position, actual));
            };
            let values = output.fixed_list_child().fixed::<T>();
            let product = [a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0];
            values[row * DIMENSION..(row + 1) * DIMENSION].copy_from_slice(&product);
        });
        Ok(())
    }))
}

fn pair(
    name: &str,
    summary: &str,
    (half, single, double): (Measure<f16>, Measure<f32>, Measure<f64>),
    finish: Finish,
    aliases: &[&str],
) -> ScalarFunction {
    let function = ScalarFunction::new(name, CATEGORY, summary)
        .note("FLOAT for two embeddings of FLOAT or of HALF, which are widened exactly, else DOUBLE. Sums run in a fixed order, so bits are the same everywhere.")
        .note("Different dimensions are an error, while planning where they are known; so is a null element.");
    let function = aliases.iter().fold(function, |function, alias| function.alias(alias));
    let function = forms(function, single, finish);
    forms(forms(function, double, finish), half, finish)
}

fn forms<T: Element>(function: ScalarFunction, measure: Measure<T>, finish: Finish) -> ScalarFunction {
    let fixed = Pattern::FixedList(Box::new(Pattern::Exact(T::TYPE)));
    let any = Pattern::AnyList(Box::new(Pattern::Exact(T::TYPE)));
    // The first form keeps two fixed lists as they are; the second takes every mixture.
    [fixed, any].into_iter().fold(function, |function, pattern| {
        let sides: [Parameter; 2] = [parameter("left", pattern.clone()), parameter("right", pattern)];
        function.overload(sides, move |arguments| bind(arguments, measure, finish))
    })
}

fn bind<T: Element>(arguments: &Arguments<'_>, measure: Measure<T>, finish: Finish) -> Result<Bound> {
    check_dimensions(arguments, 0, 1)?;
    let function = arguments.function.to_owned();
    Ok(Bound::strict(T::WIDE, move |arguments, rows, output, _| {
        let (left, right) = (Embeddings::<T>::new(&arguments[0]), Embeddings::<T>::new(&arguments[1]));
        if let Rows::All(count) = rows
            && let Some((a, dimension)) = side(&arguments[0], &left, count)
            && let Some((b, other)) = side(&arguments[1], &right, count)
            && dimension == other
        {
            let results = &mut output.fixed::<T::Wide>()[..count];
            measure(kernel::level_of(a, b), a, b, dimension, results);
            finish_all::<T>(results, finish);
            return Ok(());
        }
        rows.for_each(|row| {
            let (Some(a), Some(b)) =
                (left.get(row, &function, 1, output), right.get(row, &function, 2, output))
            else {
                return;
            };
            if a.len() == b.len() {
                let result = &mut output.fixed::<T::Wide>()[row..row + 1];
                measure(Level::current(), Side::same(a), Side::same(b), a.len(), result);
                return finish_all::<T>(result, finish);
            }
            let (actual, expected, function) = (b.len(), a.len(), function.clone());
            output.fail(row, || Error::DimensionMismatch { function, position: 2, actual, expected });
        });
        Ok(())
    }))
}

/// The vectors of all rows as one block, with their dimension, if they are one vector or adjoin.
fn side<'a, T: Element>(
    view: &View<'_>,
    embeddings: &Embeddings<'a, T>,
    count: usize,
) -> Option<(Side<'a, T>, usize)> {
    if view.is_constant() {
        return embeddings.elements(0).map(|vector| (Side::same(vector), vector.len()));
    }
    if !view.is_flat() || view.may_be_null() {
        return None;
    }
    let values = embeddings.run(0..count)?;
    let dimension = values.len() / count;
    Some((Side::adjoining(values, dimension), dimension))
}

fn finish_all<T: Element>(results: &mut [T::Wide], finish: Finish) {
    match finish {
        Finish::Same => {}
        Finish::Negative => results.iter_mut().for_each(|result| *result = -*result),
        Finish::FromOne => results.iter_mut().for_each(|result| *result = T::wide_of(1.0) - *result),
    }
}
