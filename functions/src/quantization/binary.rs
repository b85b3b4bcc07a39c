//! Single bits: embeddings as signs, and distances by counting bits.

use super::function;
use crate::column::{Output, equal};
use crate::embedding::{Embeddings, check_dimensions, vector_of};
use crate::error::{Error, Result};
use crate::kernel::vector::bits;
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound};
use crate::signature::{Pattern, exact, parameter};
use crate::types::Type;
use crate::value::{Literal, Value};

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        function("binarize", "An embedding as one bit an element: 1 above a threshold, else 0, packed into bytes.")
            .note("The first element is the highest bit of the first byte, as numpy.packbits has it; the last byte is filled up with zeros.")
            .note("NaN is not above anything. A null element is an error.")
            .example("hex(binarize([0.5, -1.0, 0.0, 2.0]))", "90")
            .example("hex(binarize([0.5, -1.0, 0.0, 2.0], threshold => 1.0))", "10")
            .overload(
                [
                    parameter("x", vector_of(Type::Float32)),
                    exact("threshold", Type::Float32).or(Literal::new(Value::float32(0.0))),
                ],
                |arguments| {
                    let function = arguments.function.to_owned();
                    Ok(Bound::strict(Type::Binary, move |arguments, rows, output, _| {
                        let vectors = Embeddings::<f32>::new(&arguments[0]);
                        let thresholds = arguments[1].fixed::<f32>();
                        rows.for_each(|row| {
                            let Some(vector) = vectors.get(row, &function, 1, output) else { return };
                            let bytes = output.bytes();
                            let start = bytes.begin();
                            bits::pack_above(vector, thresholds.get(row), bytes.block());
                            bytes.finish(row, start);
                        });
                        Ok(())
                    }))
                },
            ),
    );
    let list = || parameter("list", Pattern::AnyList(Box::new(Pattern::Variable("T"))));
    registry.register_scalar(
        function("hamming_distance", "Number of bits that differ between two strings of bytes, or of places at which two lists differ.")
            .note("Bytes of different lengths are an error of the row, as are lists of different dimensions, while planning where they are known. In lists, null equals null.")
            .example("hamming_distance(binarize([1.0, 1.0]), binarize([1.0, -1.0]))", "1")
            .example("hamming_distance([1, 2, 3], [1, 5, 3])", "1")
            .overload([exact("left", Type::Binary), exact("right", Type::Binary)], |arguments| {
                Ok(of_bytes(arguments, Type::Int64, |output, row, a, b| {
                    output.fixed::<i64>()[row] = bits::hamming(a, b) as i64;
                }))
            })
            .overload([list(), list()], of_lists),
    );
    registry.register_scalar(
        function(
            "bit_jaccard",
            "Share of the bits set in either of two strings of bytes that are set in both.",
        )
        .note("Two strings without a set bit have 1. Bytes of different lengths are an error.")
        .example("bit_jaccard(binarize([1.0, 1.0]), binarize([1.0, -1.0]))", "0.5")
        .overload([exact("left", Type::Binary), exact("right", Type::Binary)], |arguments| {
            Ok(of_bytes(arguments, Type::Float64, |output, row, a, b| {
                let [_, both, either] = bits::compare_bits(a, b);
                output.fixed::<f64>()[row] = if either == 0 { 1.0 } else { both as f64 / either as f64 };
            }))
        }),
    );
}

/// A function of two strings of bytes of one length.
pub(super) fn of_bytes(
    arguments: &Arguments<'_>,
    result: Type,
    write: impl Fn(&mut Output, usize, &[u8], &[u8]) + Send + Sync + 'static,
) -> Bound {
    let function = arguments.function.to_owned();
    Bound::strict(result, move |arguments, rows, output, _| {
        let (left, right) = (arguments[0].bytes(), arguments[1].bytes());
        rows.for_each(|row| {
            let (a, b) = (left.get(row), right.get(row));
            if a.len() == b.len() {
                return write(output, row, a, b);
            }
            let problem = format!("has {} bytes; expected {}, as argument 1", b.len(), a.len());
            output.fail(row, || Error::argument(&function, 2, problem));
        });
        Ok(())
    })
}

fn of_lists(arguments: &Arguments<'_>) -> Result<Bound> {
    check_dimensions(arguments, 0, 1)?;
    let function = arguments.function.to_owned();
    Ok(Bound::strict(Type::Int64, move |arguments, rows, output, _| {
        let (left, right) = (arguments[0].list(), arguments[1].list());
        rows.for_each(|row| {
            let (a, b) = (left.range(row), right.range(row));
            if a.len() != b.len() {
                let (actual, expected, function) = (b.len(), a.len(), function.clone());
                return output.fail(row, || Error::DimensionMismatch {
                    function,
                    position: 2,
                    actual,
                    expected,
                });
            }
            let differ = |&(a, b): &(usize, usize)| !equal(left.child(), a, right.child(), b);
            output.fixed::<i64>()[row] = a.zip(b).filter(differ).count() as i64;
        });
        Ok(())
    }))
}
