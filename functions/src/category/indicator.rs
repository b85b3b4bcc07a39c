//! Indicator vectors.

use super::CATEGORY;
use crate::error::{Error, Result};
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

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
