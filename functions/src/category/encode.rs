//! Categories as numbers that were counted or averaged before: count and target encoding over given statistics.

use std::sync::Arc;

use arrow::array::{Array, ArrowPrimitiveType, AsArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{ArrowNativeType, Float64Type, Int64Type};

use super::CATEGORY;
use super::index::Categories;
use crate::column::{Output, View, WritableFixed};
use crate::error::{Error, Result};
use crate::feature::elements::with_element;
use crate::kernel::hash::xxhash64::{xxhash64, xxhash64_u64};
use crate::lanes::parametric;
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Parameter, Pattern, exact, parameter};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Rows that the mean over all rows counts for, as NVTabular has it.
const SMOOTHING: f64 = 20.0;

pub(super) fn register(registry: &mut Registry) {
    let function = ScalarFunction::new("count_encode", CATEGORY, "How often a category was counted, from constant lists of categories and counts.")
        .note("A category that is not in the list gives `default`, 0 unless told; null gives null. Of a list every element is encoded.")
        .example("count_encode('b', ['a', 'b'], [7, 3])", "3")
        .example("count_encode(['a', 'z'], ['a', 'b'], [7, 3])", "[7, 0]");
    registry.register_scalar(forms(function, |category, categories| {
        let counts = exact("counts", Type::list(Type::Int64));
        let default = exact("default", Type::Int64).or(Literal::new(Value::Int64(0)));
        (vec![category, categories, counts, default], bind_count)
    }));
    let function = ScalarFunction::new("target_encode", CATEGORY, "Smoothed mean of a target for a category, from constant lists of categories, sums and counts.")
        .note("(sum + prior * smoothing) / (count + smoothing); a category that is not in the list gives the prior, null gives null, and a NULL prior makes all null. Of a list every element is encoded.")
        .note("For training take the statistics of the other folds: `hash_bucket(key, folds)` tells the fold of a row whatever its order.")
        .note("Source: the target encoding of NVTabular, whose smoothing of 20 is the default.")
        .example("target_encode('a', ['a', 'b'], [6, 0], [10, 5], 0.3)", "0.4")
        .example("target_encode('z', ['a', 'b'], [6, 0], [10, 5], 0.3)", "0.3");
    registry.register_scalar(forms(function, |category, categories| {
        let statistics = |name| exact(name, Type::list(Type::Float64));
        let parameters = vec![
            category,
            categories,
            statistics("sums"),
            statistics("counts"),
            exact("prior", Type::Float64),
            exact("smoothing", Type::Float64).or(Literal::new(Value::float64(SMOOTHING))),
        ];
        (parameters, bind_target)
    }));
    registry.register_scalar(
        ScalarFunction::new("smoothed_mean", CATEGORY, "(sum + prior * smoothing) / (count + smoothing): a mean drawn to a prior where little was counted.")
            .note("The target encoding of statistics that were joined; subtract a row's own target and 1 for leave-one-out. NaN for 0 / 0.")
            .example("smoothed_mean(6, 10, 0.3, 20)", "0.4")
            .overload(
                ["sum", "count", "prior", "smoothing"].map(|name| exact(name, Type::Float64)),
                |_| {
                    let kernel = |sum, [count, prior, smoothing]: [f64; 3]| smoothed(sum, count, prior, smoothing);
                    Ok(Bound::lanes(Type::Float64, parametric(kernel)))
                },
            ),
    );
}

fn smoothed(sum: f64, count: f64, prior: f64, smoothing: f64) -> f64 {
    (sum + prior * smoothing) / (count + smoothing)
}

type BindFn = fn(&Arguments<'_>) -> Result<Bound>;

/// Adds the forms for texts and integers, alone and in lists.
fn forms(
    function: ScalarFunction,
    parameters: fn(Parameter, Parameter) -> (Vec<Parameter>, BindFn),
) -> ScalarFunction {
    [Type::Text, Type::Int64].into_iter().fold(function, |function, category| {
        let list = Pattern::AnyList(Box::new(Pattern::Exact(category.clone())));
        let categories = exact("categories", Type::list(category.clone()));
        let (one, bind) = parameters(exact("category", category), categories.clone());
        let (many, _) = parameters(parameter("category", list), categories);
        function.overload(one, bind).overload(many, bind)
    })
}

/// The numbers of a constant list, one for each category.
fn numbers<T: ArrowPrimitiveType>(
    arguments: &Arguments<'_>,
    position: usize,
    categories: usize,
) -> Result<ScalarBuffer<T::Native>> {
    let refused = |problem: String| Error::argument(arguments.function, position + 1, problem);
    let Some(list) = arguments.constant(position)?.as_shared()? else {
        return Err(refused("must be a constant list, not NULL".into()));
    };
    if list.len() != categories {
        return Err(refused(format!("has {} values for {categories} categories", list.len())));
    }
    match list.array().as_primitive_opt::<T>() {
        Some(numbers) if numbers.null_count() == 0 => Ok(numbers.values().clone()),
        _ => Err(refused("holds a null; expected numbers".into())),
    }
}

fn bind_count(arguments: &Arguments<'_>) -> Result<Bound> {
    let Some(default) = arguments.constant(3)?.as_i64() else {
        return Err(Error::argument(arguments.function, 4, "must be a constant integer, not NULL"));
    };
    let categories = Categories::of(arguments, 1, "categories")?;
    let counts = numbers::<Int64Type>(arguments, 2, categories.len())?;
    Ok(encoding(arguments, Type::Int64, categories, counts, default).holding(&[1, 2, 3]))
}

fn bind_target(arguments: &Arguments<'_>) -> Result<Bound> {
    let constant = |position: usize| {
        let problem = "must be a constant number, not NULL";
        let value = arguments.constant(position)?.as_f64();
        value.ok_or_else(|| Error::argument(arguments.function, position + 1, problem))
    };
    let smoothing = constant(5)?;
    // An argument that is null makes every row null, so the number does not matter then.
    let prior = if arguments.constant(4)?.is_null() { f64::NAN } else { constant(4)? };
    let categories = Categories::of(arguments, 1, "categories")?;
    let sums = numbers::<Float64Type>(arguments, 2, categories.len())?;
    let counts = numbers::<Float64Type>(arguments, 3, categories.len())?;
    // A category without a target, as all rows of one fold are in training, is drawn to the prior alone.
    let mean = |(&sum, &count): (&f64, &f64)| match count + smoothing == 0.0 {
        true => prior,
        false => smoothed(sum, count, prior, smoothing),
    };
    let means = sums.iter().zip(counts.iter()).map(mean).collect::<Vec<_>>();
    Ok(encoding(arguments, Type::Float64, categories, means.into(), prior).holding(&[1, 2, 3, 4, 5]))
}

fn encoding<T: WritableFixed + ArrowNativeType>(
    arguments: &Arguments<'_>,
    result: Type,
    categories: Categories,
    codes: ScalarBuffer<T>,
    default: T,
) -> Bound {
    let categories = Arc::new(categories);
    let looked_up = Arc::clone(&categories);
    let code_of =
        move |place: Option<usize>| place.and_then(|place| codes.get(place).copied()).unwrap_or(default);
    let first = &arguments.types[0];
    if first.element().unwrap_or(first) == &Type::Text {
        return lookup(first, result, looked_up, move |view: &View<'_>, at: usize| {
            let bytes = view.bytes().get(at);
            code_of(categories.place_of_bytes(bytes, xxhash64(bytes, 0)))
        });
    }
    lookup(first, result, looked_up, move |view: &View<'_>, at: usize| {
        let id = view.fixed::<i64>().get(at);
        code_of(categories.place_of_integer(id, xxhash64_u64(id as u64, 0)))
    })
}

/// The form for one value or for a list of them.
fn lookup<T: WritableFixed>(
    data_type: &Type,
    result: Type,
    categories: Arc<Categories>,
    code: impl Fn(&View<'_>, usize) -> T + Send + Sync + 'static,
) -> Bound {
    if data_type.element().is_none() {
        return Bound::strict(result, move |arguments, rows, output, _| {
            let codes = output.fixed::<T>();
            rows.for_each(|row| codes[row] = code(&arguments[0], row));
            categories.check()
        });
    }
    Bound::strict(with_element(data_type, result), move |arguments, rows, output, _| {
        rows.for_each(|row| encode_elements(&arguments[0], row, output, &code));
        categories.check()?;
        output.check_capacity()
    })
}

fn encode_elements<T: WritableFixed>(
    view: &View<'_>,
    row: usize,
    output: &mut Output,
    code: &impl Fn(&View<'_>, usize) -> T,
) {
    let list = view.list();
    let (child, range) = (list.child(), list.range(row));
    let length = range.len();
    let is_fixed = matches!(output.data_type(), Type::FixedList(..));
    let mut writer;
    let (target, start) = if is_fixed {
        (output.fixed_list_child(), row * length)
    } else {
        writer = output.list();
        let start = writer.child().grow(length);
        writer.set(row, start, length);
        (writer.child(), start)
    };
    for (position, at) in range.enumerate() {
        match child.is_valid(at) {
            true => target.fixed::<T>()[start + position] = code(child, at),
            false => target.set_null(start + position),
        }
    }
}
