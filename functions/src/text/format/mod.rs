//! Values put into templates: `format` with braces, `printf` with percent signs.

mod number;
mod template;

use crate::Registry;
use crate::column::{Data, TextBuilder, View};
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{any, exact};
use crate::types::Type;
use crate::value::Value;
use number::{float_digits, integer_digits, write_in_field, write_number};
use template::{Form, Part, parse_braces, parse_percents};

type Parse = fn(&str) -> Result<Vec<Part>>;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        template_function("format", "A template with values in the places of its braces.", parse_braces)
            .note("Fields are {}, {0} or {:[[fill]<^>][sign][#][0][width][,][.precision][conversion]}; {{ is a brace.")
            .note("Conversions are d, x, X, o, b of integers, f, e, g of floats (decimals are floats) and s of text.")
            .example("format('{} is {:.2f}', 'pi', 3.14159)", "pi is 3.14")
            .example("format('{1}-{0:05}|{0:,}', 1234567, 'x')", "x-1234567|1,234,567"),
    );
    registry.register_scalar(
        template_function(
            "printf",
            "A template with values in the places of its percent signs.",
            parse_percents,
        )
        .note("Fields are %[position$][-+ 0#,][width][.precision]conversion as in C; %% is a percent sign.")
        .example("printf('%s: %05.1f%%', 'rate', 12.25)", "rate: 012.2%"),
    );
}

fn template_function(name: &'static str, summary: &str, parse: Parse) -> ScalarFunction {
    ScalarFunction::new(name, "text", summary)
        .variadic([exact("template", Type::Text), any("value")], move |arguments| bind(arguments, parse))
        .note("A null anywhere gives null. A field that does not suit the type of its value is refused.")
}

fn bind(arguments: &Arguments<'_>, parse: Parse) -> Result<Bound> {
    let prepared = match arguments.known(0) {
        Some(Value::Text(template)) => {
            let parts = parse(template)?;
            check(arguments.function, &parts, &arguments.types[1..])?;
            Some(parts)
        }
        _ => None,
    };
    let function = arguments.function.to_owned();
    let types = arguments.types[1..].to_vec();
    Ok(Bound::strict(Type::Text, move |arguments, rows, output, _| {
        let templates = arguments[0].text();
        let mut latest: Option<(String, Vec<Part>)> = None;
        rows.for_each(|row| {
            let template = templates.get(row);
            if prepared.is_none() && latest.as_ref().is_none_or(|(held, _)| held != template) {
                let parsed =
                    parse(template).and_then(|parts| check(&function, &parts, &types).map(|()| parts));
                match parsed {
                    Ok(parts) => latest = Some((template.to_owned(), parts)),
                    Err(error) => return output.fail(row, || error),
                }
            }
            let parts = prepared.as_ref().or(latest.as_ref().map(|(_, parts)| parts));
            output.text().build(row, |builder| {
                for part in parts.into_iter().flatten() {
                    match part {
                        Part::Text(text) => builder.push_str(text),
                        Part::Value(position, form) => {
                            write_value(&arguments[position + 1], row, form, builder)
                        }
                    }
                }
            });
        });
        Ok(())
    }))
}

/// What a type is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Boolean,
    Integer,
    Float,
    Text,
}

fn class(data_type: &Type) -> Class {
    match data_type {
        Type::Boolean => Class::Boolean,
        Type::Decimal(_, 0) => Class::Integer,
        Type::Decimal(..) => Class::Float,
        integer if integer.is_integer() => Class::Integer,
        float if float.is_float() => Class::Float,
        _ => Class::Text,
    }
}

/// Holds the fields of a template against the types of the values.
fn check(function: &str, parts: &[Part], types: &[Type]) -> Result<()> {
    for part in parts {
        let Part::Value(position, form) = part else { continue };
        let Some(data_type) = types.get(*position) else {
            let message = format!(
                "{function}: the template asks for value {}; there are {}",
                position + 1,
                types.len()
            );
            return Err(Error::User(message));
        };
        let class = class(data_type);
        let suits = match form.conversion {
            _ if *data_type == Type::Null => true,
            None => class != Class::Text || !form.pads_with_zeros,
            Some('s') => matches!(class, Class::Text | Class::Boolean),
            Some('c') => class == Class::Integer,
            Some('d' | 'i' | 'u' | 'n' | 'x' | 'X' | 'o' | 'b' | 'B') => {
                matches!(class, Class::Integer | Class::Boolean)
            }
            Some('f' | 'F' | 'e' | 'E' | 'g' | 'G') => class == Class::Float,
            Some(_) => false,
        };
        if !suits {
            let shown = form.conversion.map_or("0".into(), String::from);
            let problem =
                format!("has type {data_type}, which the field '{shown}' of the template does not write");
            return Err(Error::argument(function, position + 2, problem));
        }
    }
    Ok(())
}

fn write_value(view: &View<'_>, row: usize, form: &Form, builder: &mut TextBuilder<'_>) {
    let index = view.value_index(row);
    match view.data {
        Data::Boolean(bits) if !matches!(form.conversion, None | Some('s')) => {
            write_integer(i128::from(bits.get(index)), form, builder);
        }
        Data::Int8(values) => write_integer(i128::from(values[index]), form, builder),
        Data::Int16(values) => write_integer(i128::from(values[index]), form, builder),
        Data::Int32(values) if *view.data_type == Type::Int32 => {
            write_integer(i128::from(values[index]), form, builder);
        }
        Data::Int64(values) if *view.data_type == Type::Int64 => {
            write_integer(i128::from(values[index]), form, builder);
        }
        Data::Int64(values) if let Type::Decimal(_, scale) = view.data_type => {
            write_digits(i128::from(values[index]), *scale, form, builder);
        }
        Data::UInt8(values) => write_integer(i128::from(values[index]), form, builder),
        Data::UInt16(values) => write_integer(i128::from(values[index]), form, builder),
        Data::UInt32(values) => write_integer(i128::from(values[index]), form, builder),
        Data::UInt64(values) => write_integer(i128::from(values[index]), form, builder),
        Data::Float16(values) => write_float(values[index].to_f64(), form, builder),
        Data::Float32(values) => write_float(f64::from(values[index]), form, builder),
        Data::Float64(values) => write_float(values[index], form, builder),
        Data::Int128(values) => {
            let scale = if let Type::Decimal(_, scale) = view.data_type { *scale } else { 0 };
            write_digits(values[index], scale, form, builder);
        }
        _ if *view.data_type == Type::Text => write_in_field(view.text().get(row), form, builder),
        _ => {
            let mut text = String::new();
            // Writing into a string does not fail.
            let _ = crate::cast::format_value(view, row, &mut text);
            write_in_field(&text, form, builder);
        }
    }
}

/// A decimal is written as a float where it has digits after the point, else as an integer.
fn write_digits(digits: i128, scale: i8, form: &Form, builder: &mut TextBuilder<'_>) {
    match scale {
        1.. => write_float(digits as f64 / 10f64.powi(i32::from(scale)), form, builder),
        _ => write_integer(digits, form, builder),
    }
}

fn write_integer(value: i128, form: &Form, builder: &mut TextBuilder<'_>) {
    if form.conversion == Some('c') {
        let character =
            u32::try_from(value).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
        return write_in_field(character.encode_utf8(&mut [0; 4]), form, builder);
    }
    let (prefix, digits) = integer_digits(value.unsigned_abs(), form);
    write_number(value < 0, prefix, &digits, form, builder);
}

fn write_float(value: f64, form: &Form, builder: &mut TextBuilder<'_>) {
    let is_negative = value.is_sign_negative() && !value.is_nan();
    write_number(is_negative, "", &float_digits(value.abs(), form), form, builder);
}
