//! Codes of eight bits with a scale of each row's own, as rows of embedding tables are kept.

use super::eight_bits::not_a_number;
use super::function;
use crate::embedding::{Embeddings, vector_of, write_vector};
use crate::error::{Error, Result};
use crate::feature::elements::with_element;
use crate::kernel::vector::int8;
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound};
use crate::signature::{Pattern, exact, parameter};
use crate::types::{Field, Type};
use crate::value::{Literal, Value};

pub(super) fn register(registry: &mut Registry) {
    let mode = exact("mode", Type::Text).or(Literal::new(Value::from("symmetric")));
    registry.register_scalar(
        function("quantize_rowwise", "An embedding as codes of eight bits with a scale of its own: a struct of codes, scale and zero_point.")
            .note("mode => 'symmetric': the scale is the greatest magnitude over 127 and the zero point 0. mode => 'affine': the scale is the range of the elements and 0 over 255, and the zero point the code of 0. An embedding of zeros has scale 1.")
            .note("A null element, a NaN and an infinity are errors.")
            .example("quantize_rowwise([0.5, -1.0, 1.27])", "{'codes': [50, -100, 127], 'scale': 0.01, 'zero_point': 0}")
            .overload([parameter("x", vector_of(Type::Float32)), mode], quantize),
    );
    registry.register_scalar(
        function("dequantize_rowwise", "The FLOATs that a struct of quantize_rowwise stands for.")
            .example("dequantize_rowwise(quantize_rowwise([1.0, -127.0]))", "[1.0, -127.0]")
            .overload([parameter("quantized", Pattern::Struct)], dequantize),
    );
}

fn quantize(arguments: &Arguments<'_>) -> Result<Bound> {
    let is_affine = match arguments.constant_text(1)? {
        mode if mode.eq_ignore_ascii_case("symmetric") => false,
        mode if mode.eq_ignore_ascii_case("affine") => true,
        other => {
            let problem = format!("is \"{other}\"; expected 'symmetric' or 'affine'");
            return Err(Error::argument(arguments.function, 2, problem));
        }
    };
    let function = arguments.function.to_owned();
    let result = Type::Struct(vec![
        Field::new("codes", with_element(&arguments.types[0], Type::Int8)),
        Field::new("scale", Type::Float32),
        Field::new("zero_point", Type::Int8),
    ]);
    Ok(Bound::strict(result, move |arguments, rows, output, _| {
        let embeddings = Embeddings::<f32>::new(&arguments[0]);
        rows.for_each(|row| {
            let Some(vector) = embeddings.get(row, &function, 1, output) else { return };
            let (least, greatest) = int8::range_with_zero(vector);
            let (scale, zero) = scaling(least, greatest, is_affine);
            let mut is_whole = scale.is_finite();
            write_vector(output.field(0), row, vector.len(), |codes| {
                is_whole = is_whole && int8::quantize(vector, scale, i32::from(zero), codes);
            });
            output.field(1).fixed::<f32>()[row] = scale;
            output.field(2).fixed::<i8>()[row] = zero;
            if !scale.is_finite() {
                let problem =
                    "holds an infinity, or numbers too far apart for a scale; expected finite numbers";
                output.fail(row, || Error::argument(&function, 1, problem));
            } else if !is_whole {
                output.fail(row, || not_a_number(&function));
            }
        });
        output.check_capacity()
    }))
}

/// Scale and zero point for values from `least` to `greatest`, which have 0 between them.
fn scaling(least: f32, greatest: f32, is_affine: bool) -> (f32, i8) {
    if !is_affine {
        let scale = greatest.max(-least) / 127.0;
        return (if scale == 0.0 { 1.0 } else { scale }, 0);
    }
    let scale = greatest / 255.0 - least / 255.0;
    if scale == 0.0 || !scale.is_finite() {
        return (if scale == 0.0 { 1.0 } else { scale }, 0);
    }
    let zero = (-128.0 - least / scale).round_ties_even().clamp(-128.0, 127.0);
    (scale, zero as i8)
}

fn dequantize(arguments: &Arguments<'_>) -> Result<Bound> {
    let refused = || {
        let problem = format!(
            "has type {}; expected STRUCT(codes TINYINT[], scale FLOAT, zero_point TINYINT), as quantize_rowwise gives",
            arguments.types[0]
        );
        Error::argument(arguments.function, 1, problem)
    };
    let Type::Struct(fields) = &arguments.types[0] else { return Err(refused()) };
    let [codes, scale, zero] = &fields[..] else { return Err(refused()) };
    let is_quantized = codes.data_type.element() == Some(&Type::Int8)
        && scale.data_type == Type::Float32
        && zero.data_type == Type::Int8;
    if !is_quantized {
        return Err(refused());
    }
    let result = with_element(&codes.data_type, Type::Float32);
    let function = arguments.function.to_owned();
    Ok(Bound::strict(result, move |arguments, rows, output, _| {
        let [codes, scales, zeros] = [0, 1, 2].map(|field| arguments[0].field(field));
        let vectors = Embeddings::<i8>::new(&codes);
        rows.for_each(|row| {
            if codes.is_null(row) || scales.is_null(row) || zeros.is_null(row) {
                return output.set_null(row);
            }
            let Some(vector) = vectors.get(row, &function, 1, output) else { return };
            let (scale, zero) = (scales.fixed::<f32>().get(row), zeros.fixed::<i8>().get(row));
            write_vector(output, row, vector.len(), |values| {
                int8::dequantize(vector, scale, i32::from(zero), values);
            });
        });
        output.check_capacity()
    }))
}
