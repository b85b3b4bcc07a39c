//! Indicator vectors.

use super::CATEGORY;
use crate::error::{Error, Result};
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::{Field, Type};
use crate::value::Literal;

/// Most dimensions of an indicator vector.
const SIZE_MAX: i64 = 1 << 20;

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("one_hot", CATEGORY, "A vector with 1 at an index, from 0, and 0 elsewhere.")
            .note("The size must be constant: the result is a fixed list of FLOAT. An index outside gives zeros, null gives null.")
            .example("one_hot(1, 3)", "[0.0, 1.0, 0.0]")
            .overload([exact("index", Type::Int64), exact("size", Type::Int64)], |arguments| {
                let size = size(arguments)?;
                Ok(Bound::strict(Type::fixed_list(Type::Float32, size), move |arguments, rows, output, _| {
                    let indexes = arguments[0].fixed::<i64>();
                    let values = output.fixed_list_child().fixed::<f32>();
                    rows.for_each(|row| {
                        let vector = &mut values[row * size..(row + 1) * size];
                        vector.fill(0.0);
                        mark(vector, indexes.get(row));
                    });
                    output.check_capacity()
                }))
            }),
    );
    registry.register_scalar(
        ScalarFunction::new("multi_hot", CATEGORY, "A vector with 1 at each of a list of indexes, from 0, and 0 elsewhere.")
            .note("The size must be constant: the result is a fixed list of FLOAT. Indexes outside and null elements are left out.")
            .example("multi_hot([0, 2, 2, 9], 3)", "[1.0, 0.0, 1.0]")
            .overload([exact("indexes", Type::list(Type::Int64)), exact("size", Type::Int64)], |arguments| {
                let size = size(arguments)?;
                Ok(Bound::strict(Type::fixed_list(Type::Float32, size), move |arguments, rows, output, _| {
                    let list = arguments[0].list();
                    let (child, indexes) = (list.child(), list.child().fixed::<i64>());
                    let values = output.fixed_list_child().fixed::<f32>();
                    rows.for_each(|row| {
                        let vector = &mut values[row * size..(row + 1) * size];
                        vector.fill(0.0);
                        let present = list.range(row).filter(|&at| child.is_valid(at));
                        present.for_each(|at| mark(vector, indexes.get(at)));
                    });
                    output.check_capacity()
                }))
            }),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "sparse_one_hot",
            CATEGORY,
            "The index of a category and its value 1, as a list of structs of index and value.",
        )
        .note(
            "Null gives the index 0, that of unknown categories. With drop => i the index i has the value 0.",
        )
        .note("The encoding of ML.ONE_HOT_ENCODER over the indexes of vocab_lookup in the layout 'bigquery'.")
        .example("sparse_one_hot(2)", "[{'index': 2, 'value': 1.0}]")
        .example("sparse_one_hot(2, drop => 2)", "[{'index': 2, 'value': 0.0}]")
        .overload(
            [exact("index", Type::Int64), exact("drop", Type::Int64).or(Literal::null(Type::Int64))],
            |_| Ok(sparse()),
        ),
    );
}

fn sparse() -> Bound {
    let fields = vec![Field::new("index", Type::Int64), Field::new("value", Type::Float64)];
    Bound::null_aware(Type::list(Type::Struct(fields)), |arguments, rows, output, _| {
        let indexes = |position: usize, row: usize| {
            arguments[position].is_valid(row).then(|| arguments[position].fixed::<i64>().get(row))
        };
        rows.for_each(|row| {
            let index = indexes(0, row).unwrap_or(0);
            let mut writer = output.list();
            let start = writer.child().grow(1);
            writer.child().field(0).fixed::<i64>()[start] = index;
            let is_dropped = indexes(1, row) == Some(index);
            writer.child().field(1).fixed::<f64>()[start] = if is_dropped { 0.0 } else { 1.0 };
            writer.finish(row, start);
        });
        output.check_capacity()
    })
}

fn mark(vector: &mut [f32], index: i64) {
    if let Some(place) = usize::try_from(index).ok().and_then(|index| vector.get_mut(index)) {
        *place = 1.0;
    }
}

fn size(arguments: &Arguments<'_>) -> Result<usize> {
    match arguments.constant(1)?.as_i64() {
        Some(size @ 1..=SIZE_MAX) => Ok(size as usize),
        _ => {
            let problem = format!("is not a size; expected a constant from 1 to {SIZE_MAX}");
            Err(Error::argument(arguments.function, 2, problem))
        }
    }
}
