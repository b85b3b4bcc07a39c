//! Codes of eight bits with given scales, and exact products and distances of codes.

use super::function;
use crate::column::{Output, Rows, View};
use crate::embedding::{Embeddings, check_dimensions, vector_of, write_vector};
use crate::error::{Error, Result};
use crate::feature::elements::with_element;
use crate::kernel::embedding::cosine_of_sums;
use crate::kernel::vector::int8;
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{exact, parameter};
use crate::types::Type;
use crate::value::{Literal, Value};

pub(super) fn register(registry: &mut Registry) {
    let quantize = function("quantize_i8", "An embedding as codes of eight bits: round(x / scale) + zero_point, from -128 to 127.")
        .note("Rounded to nearest, ties to even, and saturated, infinities too. The scale is one number, or a list with one for each dimension; it must be above 0. The zero point is an integer from -128 to 127.")
        .note("A NaN or a null element is an error.")
        .example("quantize_i8([0.5, -1.0, 9.9], 0.1)", "[5, -10, 99]")
        .example("quantize_i8([0.0, 1.0], 0.01, zero_point => -128)", "[-128, -28]")
        .example("quantize_i8([1.0, 1.0], [0.5, 0.1])", "[2, 10]");
    registry.register_scalar(forms(quantize, Type::Float32, quantize_bind));
    let dequantize = function(
        "dequantize_i8",
        "The FLOATs that codes of eight bits stand for: (code - zero_point) * scale.",
    )
    .note("Scale and zero point as in quantize_i8. A null element is an error.")
    .example("dequantize_i8([2, -4]::TINYINT[2], 0.5)", "[1.0, -2.0]");
    registry.register_scalar(forms(dequantize, Type::Int8, dequantize_bind));
    measure(
        registry,
        "dot_i8",
        "Sum of the products of codes of eight bits, exact.",
        "11",
        Type::Int64,
        |output, row, a, b| {
            output.fixed::<i64>()[row] = int8::dot_i8(a, b);
        },
    );
    measure(
        registry,
        "l2_squared_i8",
        "Sum of the squared differences of codes of eight bits, exact.",
        "8",
        Type::Int64,
        |output, row, a, b| {
            output.fixed::<i64>()[row] = int8::l2_squared_i8(a, b);
        },
    );
    measure(
        registry,
        "cosine_i8",
        "Cosine of the angle between two vectors of codes of eight bits.",
        "0.9838699100999074",
        Type::Float64,
        |output, row, a, b| {
            let [product, left, right] = [int8::dot_i8(a, b), int8::dot_i8(a, a), int8::dot_i8(b, b)];
            output.fixed::<f64>()[row] = cosine_of_sums(product as f64, left as f64, right as f64);
        },
    );
}

fn forms(
    function: ScalarFunction,
    element: Type,
    bind: fn(&Arguments<'_>, bool) -> Result<Bound>,
) -> ScalarFunction {
    let zero = || exact("zero_point", Type::Int32).or(Literal::new(Value::Int32(0)));
    let vector = || parameter("x", vector_of(element.clone()));
    let per_dimension = parameter("scale", vector_of(Type::Float32));
    function
        .overload([vector(), exact("scale", Type::Float32), zero()], move |arguments| bind(arguments, false))
        .overload([vector(), per_dimension, zero()], move |arguments| {
            check_dimensions(arguments, 0, 1)?;
            bind(arguments, true)
        })
}

/// The scale and zero point of a row, as given.
enum Scaling<'a> {
    One(f32, i32),
    Each(&'a [f32], i32),
}

/// The scaling of a row, whose vector has this dimension.
fn scaling<'a>(
    arguments: &[View<'a>],
    row: usize,
    dimension: usize,
    each: bool,
    function: &str,
) -> Result<Scaling<'a>> {
    let zero = arguments[2].fixed::<i32>().get(row);
    if !(-128..=127).contains(&zero) {
        let problem = format!("is {zero}; expected a zero point from -128 to 127");
        return Err(Error::argument(function, 3, problem));
    }
    let refused = |scale: f32| {
        Error::argument(function, 2, format!("holds the scale {scale}; expected finite scales above 0"))
    };
    if !each {
        let scale = arguments[1].fixed::<f32>().get(row);
        return if is_scale(scale) { Ok(Scaling::One(scale, zero)) } else { Err(refused(scale)) };
    }
    let scales = Embeddings::<f32>::new(&arguments[1]);
    let scales = scales
        .elements(row)
        .ok_or_else(|| Error::argument(function, 2, "holds a null scale; expected finite scales above 0"))?;
    if scales.len() != dimension {
        let (actual, expected, function) = (scales.len(), dimension, function.to_owned());
        return Err(Error::DimensionMismatch { function, position: 2, actual, expected });
    }
    match scales.iter().find(|&&scale| !is_scale(scale)) {
        Some(&scale) => Err(refused(scale)),
        None => Ok(Scaling::Each(scales, zero)),
    }
}

fn is_scale(scale: f32) -> bool {
    scale > 0.0 && scale.is_finite()
}

/// The error of an embedding with a NaN inside.
pub(super) fn not_a_number(function: &str) -> Error {
    Error::argument(function, 1, "holds NaN; expected numbers, which fill_nan gives")
}

fn quantize_bind(arguments: &Arguments<'_>, each: bool) -> Result<Bound> {
    let function = arguments.function.to_owned();
    let result = with_element(&arguments.types[0], Type::Int8);
    Ok(Bound::strict(result, move |arguments, rows, output, _| {
        let embeddings = Embeddings::<f32>::new(&arguments[0]);
        if let Rows::All(count) = rows
            && !each
            && quantize_all(arguments, &embeddings, count, output, &function)
        {
            return Ok(());
        }
        rows.for_each(|row| {
            let Some(vector) = embeddings.get(row, &function, 1, output) else { return };
            let scaling = match scaling(arguments, row, vector.len(), each, &function) {
                Ok(scaling) => scaling,
                Err(error) => return output.fail(row, || error),
            };
            let mut is_whole = true;
            write_vector(output, row, vector.len(), |codes| {
                is_whole = match scaling {
                    Scaling::One(scale, zero) => int8::quantize(vector, scale, zero, codes),
                    Scaling::Each(scales, zero) => int8::quantize_each(vector, scales, zero, codes),
                };
            });
            if !is_whole {
                output.fail(row, || not_a_number(&function));
            }
        });
        output.check_capacity()
    }))
}

/// Quantizes a whole column of one dimension, scale and zero point in one loop; false if it is none, or holds NaN.
fn quantize_all(
    arguments: &[View<'_>],
    embeddings: &Embeddings<'_, f32>,
    count: usize,
    output: &mut Output,
    function: &str,
) -> bool {
    let is_plain = arguments[0].is_flat()
        && !arguments[0].may_be_null()
        && arguments[1].is_constant()
        && arguments[2].is_constant();
    if !is_plain || !matches!(output.data_type(), Type::FixedList(..)) {
        return false;
    }
    let (Some(values), Ok(Scaling::One(scale, zero))) =
        (embeddings.run(0..count), scaling(arguments, 0, 0, false, function))
    else {
        return false;
    };
    let codes = output.fixed_list_child().fixed::<i8>();
    codes.get_mut(..values.len()).is_some_and(|codes| int8::quantize(values, scale, zero, codes))
}

fn dequantize_bind(arguments: &Arguments<'_>, each: bool) -> Result<Bound> {
    let function = arguments.function.to_owned();
    let result = with_element(&arguments.types[0], Type::Float32);
    Ok(Bound::strict(result, move |arguments, rows, output, _| {
        let codes = Embeddings::<i8>::new(&arguments[0]);
        rows.for_each(|row| {
            let Some(codes) = codes.get(row, &function, 1, output) else { return };
            match scaling(arguments, row, codes.len(), each, &function) {
                Ok(Scaling::One(scale, zero)) => write_vector(output, row, codes.len(), |values| {
                    int8::dequantize(codes, scale, zero, values);
                }),
                Ok(Scaling::Each(scales, zero)) => write_vector(output, row, codes.len(), |values| {
                    int8::dequantize_each(codes, scales, zero, values);
                }),
                Err(error) => output.fail(row, || error),
            }
        });
        output.check_capacity()
    }))
}

fn measure(
    registry: &mut Registry,
    name: &str,
    summary: &str,
    result: &str,
    data_type: Type,
    write: fn(&mut Output, usize, &[i8], &[i8]),
) {
    let sides = [parameter("left", vector_of(Type::Int8)), parameter("right", vector_of(Type::Int8))];
    registry.register_scalar(
        function(name, summary)
            .note("Of vectors of one scale with zero point 0, the product of the vectors is that of the codes times the scale squared.")
            .note("Different dimensions are an error, while planning where they are known; so is a null element.")
            .example(&format!("{name}([1, 2]::TINYINT[2], [3, 4]::TINYINT[2])"), result)
            .overload(sides, move |arguments| {
                check_dimensions(arguments, 0, 1)?;
                let function = arguments.function.to_owned();
                let data_type = data_type.clone();
                Ok(Bound::strict(data_type, move |arguments, rows, output, _| {
                    write_measures(arguments, rows, output, &function, write);
                    Ok(())
                }))
            }),
    );
}

fn write_measures(
    arguments: &[View<'_>],
    rows: Rows<'_>,
    output: &mut Output,
    function: &str,
    write: fn(&mut Output, usize, &[i8], &[i8]),
) {
    let (left, right) = (Embeddings::<i8>::new(&arguments[0]), Embeddings::<i8>::new(&arguments[1]));
    rows.for_each(|row| {
        let (Some(a), Some(b)) = (left.get(row, function, 1, output), right.get(row, function, 2, output))
        else {
            return;
        };
        if a.len() == b.len() {
            return write(output, row, a, b);
        }
        let (actual, expected, function) = (b.len(), a.len(), function.to_owned());
        output.fail(row, || Error::DimensionMismatch { function, position: 2, actual, expected });
    });
}
