//! Functions of two embeddings of one dimension.

use super::CATEGORY;
use crate::column::{FixedWidth, Output, View, WritableFixed};
use crate::error::{Error, Result};
use crate::kernel::embedding as kernel;
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Parameter, Pattern, parameter};
use crate::types::Type;
use crate::value::Value;

type Measure<T> = fn(&[T], &[T]) -> T;

pub(super) fn register(registry: &mut Registry) {
    let function = pair(
        "dot_product",
        "Sum of the products of the elements.",
        kernel::dot_f32,
        kernel::dot_f64,
        &["array_inner_product", "array_dot_product", "list_inner_product", "list_dot_product"],
    );
    registry.register_scalar(function.example("dot_product([1.0, 2.0], [3.0, 4.0])", "11.0"));
    let function = pair(
        "negative_inner_product",
        "The dot product with the opposite sign, which sorts the nearest first.",
        |a, b| -kernel::dot_f32(a, b),
        |a, b| -kernel::dot_f64(a, b),
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
        kernel::cosine_f32,
        kernel::cosine_f64,
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
        |a, b| 1.0 - kernel::cosine_f32(a, b),
        |a, b| 1.0 - kernel::cosine_f64(a, b),
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
        kernel::l2_f32,
        kernel::l2_f64,
        &["array_distance", "list_distance", "<->"],
    );
    registry.register_scalar(function.example("l2_distance([1.0, 2.0], [4.0, 6.0])", "5.0"));
    let function =
        pair("l1_distance", "Sum of the differences of the elements.", kernel::l1_f32, kernel::l1_f64, &[]);
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
    single: Measure<f32>,
    double: Measure<f64>,
    aliases: &[&str],
) -> ScalarFunction {
    let function = ScalarFunction::new(name, CATEGORY, summary)
        .note("FLOAT for two embeddings of FLOAT, else DOUBLE. Sums run in a fixed order, so bits are the same everywhere.")
        .note("Different dimensions are an error, while planning where they are known; so is a null element.");
    let function = aliases.iter().fold(function, |function, alias| function.alias(alias));
    let function = forms(function, Type::Float32, single);
    forms(function, Type::Float64, double)
}

fn forms<T: FixedWidth + WritableFixed>(
    function: ScalarFunction,
    element: Type,
    measure: Measure<T>,
) -> ScalarFunction {
    let fixed = Pattern::FixedList(Box::new(Pattern::Exact(element.clone())));
    let any = Pattern::AnyList(Box::new(Pattern::Exact(element)));
    // The first form keeps two fixed lists as they are; the second takes every mixture.
    [fixed, any].into_iter().fold(function, |function, pattern| {
        let sides: [Parameter; 2] = [parameter("left", pattern.clone()), parameter("right", pattern)];
        function.overload(sides, move |arguments| bind(arguments, measure))
    })
}

fn bind<T: FixedWidth + WritableFixed>(arguments: &Arguments<'_>, measure: Measure<T>) -> Result<Bound> {
    let dimension = |position: usize| match (&arguments.types[position], arguments.known(position)) {
        (Type::FixedList(_, size), _) => Some(*size),
        (_, Some(Value::List(_, values))) => Some(values.len()),
        _ => None,
    };
    let function = arguments.function.to_owned();
    if let (Some(expected), Some(actual)) = (dimension(0), dimension(1))
        && actual != expected
    {
        return Err(Error::DimensionMismatch { function, position: 2, actual, expected });
    }
    let result = arguments.types[0].element().cloned().unwrap_or(Type::Float64);
    Ok(Bound::strict(result, move |arguments, rows, output, _| {
        let (left, right) = (Embeddings::<T>::new(&arguments[0]), Embeddings::<T>::new(&arguments[1]));
        rows.for_each(|row| {
            let (Some(a), Some(b)) =
                (left.get(row, &function, 1, output), right.get(row, &function, 2, output))
            else {
                return;
            };
            if a.len() == b.len() {
                output.fixed::<T>()[row] = measure(a, b);
            } else {
                let (actual, expected) = (b.len(), a.len());
                let function = function.clone();
                output.fail(row, || Error::DimensionMismatch { function, position: 2, actual, expected });
            }
        });
        Ok(())
    }))
}

/// The elements of embeddings, as slices.
pub(super) struct Embeddings<'a, T> {
    list: crate::column::List<'a>,
    values: &'a [T],
    may_be_null: bool,
}

impl<'a, T: FixedWidth> Embeddings<'a, T> {
    pub fn new(view: &View<'a>) -> Self {
        let list = view.list();
        let child = list.child();
        // Elements of lists are flat in every layout of the engine.
        let values = child.fixed::<T>().flat().unwrap_or_default();
        Self { list, values, may_be_null: child.may_be_null() }
    }

    /// The embedding of a row; a null inside it fails the row.
    pub fn get(&self, row: usize, function: &str, position: usize, output: &mut Output) -> Option<&'a [T]> {
        let range = self.list.range(row);
        if self.may_be_null && range.clone().any(|element| self.list.child().is_null(element)) {
            let problem = "holds a null element; expected numbers, which coalesce or fill_null give";
            output.fail(row, || Error::argument(function, position, problem));
            return None;
        }
        self.values.get(range)
    }
}
