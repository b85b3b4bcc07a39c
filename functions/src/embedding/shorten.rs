//! Embeddings of fewer dimensions: the first ones of a nested (matryoshka) embedding, and random projections.

use half::f16;

use super::element::{Element, Embeddings, function, known_dimension, vector_of, write_vector};
use crate::error::{Error, Result};
use crate::kernel::vector::projection::Projection;
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{exact, parameter};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Most elements of a result.
const DIMENSION_MAX: i64 = 1 << 16;
/// Most signs of a projection: they are made while planning.
const SIGNS_MAX: usize = 1 << 26;

pub(super) fn register(registry: &mut Registry) {
    let truncate = function("matryoshka_truncate", "The first dimensions of an embedding, scaled to length 1 again.")
        .note("The number of dimensions must be constant: the result is a fixed list. normalize => false keeps the elements as they are.")
        .note("An embedding of fewer dimensions is an error, while planning where that is known; so is a null element.")
        .example("matryoshka_truncate([3.0, 4.0, 12.0], 2)", "[0.6, 0.8]")
        .example("matryoshka_truncate([3.0, 4.0, 12.0], 2, normalize => false)", "[3.0, 4.0]");
    let truncate = truncate_form::<f32>(truncate);
    registry.register_scalar(truncate_form::<f16>(truncate_form::<f64>(truncate)));
    registry.register_scalar(
        function("random_projection", "An embedding projected to fewer dimensions by random signs, which keeps distances approximately.")
            .note("Each result is the sum of the elements with signs drawn from the seed, over the root of the number of dimensions. Dimensions and seed must be constant, and the dimension of the embedding known while planning: cast lists to FLOAT[n].")
            .note("Sums run in FLOAT in the order of the elements. A null element is an error. Source: Achlioptas 2003.")
            .example("random_projection([0.0, 0.0]::FLOAT[2], 3, 42)", "[0.0, 0.0, 0.0]")
            .overload(
                [parameter("x", vector_of(Type::Float32)), exact("dimensions", Type::Int64), exact("seed", Type::Int64)],
                project,
            ),
    );
}

/// The constant dimension of a result.
fn dimension_wanted(arguments: &Arguments<'_>) -> Result<usize> {
    match arguments.constant(1)?.as_i64() {
        Some(dimension @ 1..=DIMENSION_MAX) => Ok(dimension as usize),
        _ => {
            let problem = format!("is not a dimension; expected a constant from 1 to {DIMENSION_MAX}");
            Err(Error::argument(arguments.function, 2, problem))
        }
    }
}

fn truncate_form<T: Element>(function: ScalarFunction) -> ScalarFunction {
    let normalize = exact("normalize", Type::Boolean).or(Literal::new(Value::from(true)));
    function.overload(
        [parameter("x", vector_of(T::TYPE)), exact("dimensions", Type::Int64), normalize],
        truncate::<T>,
    )
}

fn truncate<T: Element>(arguments: &Arguments<'_>) -> Result<Bound> {
    let wanted = dimension_wanted(arguments)?;
    let is_scaled = arguments.constant(2)?.as_bool().unwrap_or(true);
    let function = arguments.function.to_owned();
    let too_few = move |actual: usize| {
        let problem = format!("has dimension {actual}; expected at least {wanted}, the dimensions to keep");
        Error::argument(&function, 1, problem)
    };
    if let Some(actual) = known_dimension(arguments, 0).filter(|&actual| actual < wanted) {
        return Err(too_few(actual));
    }
    let function = arguments.function.to_owned();
    Ok(Bound::strict(Type::fixed_list(T::TYPE, wanted), move |arguments, rows, output, _| {
        let embeddings = Embeddings::<T>::new(&arguments[0]);
        rows.for_each(|row| {
            let Some(embedding) = embeddings.get(row, &function, 1, output) else { return };
            let Some(kept) = embedding.get(..wanted) else {
                return output.fail(row, || too_few(embedding.len()));
            };
            write_vector(output, row, wanted, |place| match is_scaled {
                true => T::normalize(kept, place),
                false => place.copy_from_slice(kept),
            });
        });
        Ok(())
    }))
}

fn project(arguments: &Arguments<'_>) -> Result<Bound> {
    let wanted = dimension_wanted(arguments)?;
    let seed = arguments.constant(2)?.as_i64();
    let seed =
        seed.ok_or_else(|| Error::argument(arguments.function, 3, "is NULL; expected a constant seed"))?;
    let source = known_dimension(arguments, 0).ok_or_else(|| {
        let problem =
            "has no dimension that is known while planning; expected a fixed list: cast it to FLOAT[n]";
        Error::argument(arguments.function, 1, problem)
    })?;
    if source.saturating_mul(wanted) > SIGNS_MAX {
        let problem =
            format!("is {wanted} for a dimension of {source}; expected a product of at most {SIGNS_MAX}");
        return Err(Error::argument(arguments.function, 2, problem));
    }
    let projection = Projection::new(source, wanted, seed as u64);
    let function = arguments.function.to_owned();
    Ok(Bound::strict(Type::fixed_list(Type::Float32, wanted), move |arguments, rows, output, _| {
        let embeddings = Embeddings::<f32>::new(&arguments[0]);
        rows.for_each(|row| {
            if let Some(embedding) = embeddings.get(row, &function, 1, output) {
                write_vector(output, row, wanted, |place| projection.project(embedding, place));
            }
        });
        Ok(())
    }))
}
