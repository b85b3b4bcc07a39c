//! Codes of four bits, two to a byte.

use super::eight_bits::not_a_number;
use super::function;
use crate::embedding::{Embeddings, vector_of, write_vector};
use crate::error::{Error, Result};
use crate::kernel::vector::nibble;
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound};
use crate::signature::{exact, parameter};
use crate::types::Type;

/// Most elements of a fixed list that is made.
const DIMENSION_MAX: i64 = 1 << 16;

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        function("quantize_i4", "An embedding as packed codes of four bits: round(x / scale), from -8 to 7.")
            .note("Rounded to nearest, ties to even, and saturated. Two codes to a byte in two's complement, the first in the low half; an odd last one has a zero beside it.")
            .note("A scale that is not above 0, a NaN and a null element are errors.")
            .example("quantize_i4([1.0, -1.0, 7.0], 1.0)", "\\xF1\\x07")
            .overload([parameter("x", vector_of(Type::Float32)), exact("scale", Type::Float32)], |arguments| {
                let function = arguments.function.to_owned();
                Ok(Bound::strict(Type::Binary, move |arguments, rows, output, _| {
                    let (vectors, scales) = (Embeddings::<f32>::new(&arguments[0]), arguments[1].fixed::<f32>());
                    rows.for_each(|row| {
                        let Some(vector) = vectors.get(row, &function, 1, output) else { return };
                        let scale = scales.get(row);
                        if !(scale > 0.0 && scale.is_finite()) {
                            let problem = format!("is {scale}; expected a finite scale above 0");
                            return output.fail(row, || Error::argument(&function, 2, problem));
                        }
                        let bytes = output.bytes();
                        let start = bytes.begin();
                        let is_whole = nibble::quantize(vector, scale, bytes.block());
                        bytes.finish(row, start);
                        if !is_whole {
                            output.fail(row, || not_a_number(&function));
                        }
                    });
                    Ok(())
                }))
            }),
    );
    registry.register_scalar(
        function("dequantize_i4", "The FLOATs that packed codes of four bits stand for: code * scale.")
            .note("The dimension must be constant: the result is a fixed list. Bytes for another dimension are an error.")
            .example("dequantize_i4(quantize_i4([1.0, -1.0, 7.0], 1.0), 0.5, 3)", "[0.5, -0.5, 3.5]")
            .overload(
                [exact("codes", Type::Binary), exact("scale", Type::Float32), exact("dimension", Type::Int64)],
                dequantize,
            ),
    );
    for (name, summary, result, measure) in [
        (
            "dot_i4",
            "Sum of the products of packed codes of four bits, exact.",
            "-7",
            nibble::dot_i4 as fn(&[u8], &[u8]) -> i64,
        ),
        (
            "l2_squared_i4",
            "Sum of the squared differences of packed codes of four bits, exact.",
            "117",
            nibble::l2_squared_i4,
        ),
    ] {
        registry.register_scalar(
            function(name, summary)
                .note("Codes of different lengths are an error.")
                .example(
                    &format!("{name}(quantize_i4([1.0, 7.0], 1.0), quantize_i4([7.0, -2.0], 1.0))"),
                    result,
                )
                .overload([exact("left", Type::Binary), exact("right", Type::Binary)], move |arguments| {
                    Ok(super::binary::of_bytes(arguments, Type::Int64, move |output, row, a, b| {
                        output.fixed::<i64>()[row] = measure(a, b);
                    }))
                }),
        );
    }
}

fn dequantize(arguments: &Arguments<'_>) -> Result<Bound> {
    let dimension = match arguments.constant(2)?.as_i64() {
        Some(dimension @ 1..=DIMENSION_MAX) => dimension as usize,
        _ => {
            let problem = format!("is not a dimension; expected a constant from 1 to {DIMENSION_MAX}");
            return Err(Error::argument(arguments.function, 3, problem));
        }
    };
    let function = arguments.function.to_owned();
    let result = Type::fixed_list(Type::Float32, dimension);
    Ok(Bound::strict(result, move |arguments, rows, output, _| {
        let (codes, scales) = (arguments[0].bytes(), arguments[1].fixed::<f32>());
        rows.for_each(|row| {
            let bytes = codes.get(row);
            if bytes.len() != dimension.div_ceil(2) {
                let problem = format!(
                    "has {} bytes; expected {} for dimension {dimension}",
                    bytes.len(),
                    dimension.div_ceil(2)
                );
                return output.fail(row, || Error::argument(&function, 1, problem));
            }
            write_vector(output, row, dimension, |values| nibble::dequantize(bytes, scales.get(row), values));
        });
        Ok(())
    }))
}
