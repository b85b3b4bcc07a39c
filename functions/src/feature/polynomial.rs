//! `polynomial_expand`: all products of numbers up to a degree.

use super::CATEGORY;
use crate::cast::decimal::{power_of_ten, to_double};
use crate::column::{Data, View};
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Pattern, exact, parameter};
use crate::types::{Field, Type};
use crate::value::{Literal, Value};

/// Most numbers that are multiplied with one another.
const FIELDS_MAX: usize = 10;

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("polynomial_expand", CATEGORY, "The numbers of a struct and all their products up to a degree, as a struct of doubles.")
        .note("Up to 10 fields and degree 4. Products are named by their fields with '_' between them and multiplied from the left.")
        .note("A null makes every product that it stands in null. Names and order are those of ML.POLYNOMIAL_EXPAND.")
        .example(
            "polynomial_expand({'f1': 2, 'f2': 3}, 2)",
            "{'f1': 2.0, 'f1_f1': 4.0, 'f1_f2': 6.0, 'f2': 3.0, 'f2_f2': 9.0}",
        )
        .overload(
            [
                parameter("features", Pattern::Struct),
                exact("degree", Type::Int64).or(Literal::new(Value::Int64(2))),
            ],
            bind,
        )
}

/// A product: that of another one, if it has several factors, and a field.
#[derive(Debug, PartialEq)]
struct Product {
    prefix: Option<usize>,
    field: usize,
    name: String,
}

/// The products of fields from `first` on, each followed by those that it begins.
fn expand(names: &[&str], first: usize, prefix: Option<usize>, degree: usize, products: &mut Vec<Product>) {
    if degree == 0 {
        return;
    }
    for field in first..names.len() {
        let name = match prefix {
            Some(prefix) => format!("{}_{}", products[prefix].name, names[field]),
            None => names[field].to_owned(),
        };
        products.push(Product { prefix, field, name });
        expand(names, field, Some(products.len() - 1), degree - 1, products);
    }
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    let refused =
        |position: usize, problem: String| Err(Error::argument(arguments.function, position, problem));
    let Type::Struct(fields) = &arguments.types[0] else {
        return refused(1, format!("has type {}; expected a struct", arguments.types[0]));
    };
    if fields.is_empty() || fields.len() > FIELDS_MAX {
        return refused(1, format!("has {} fields; expected 1 to {FIELDS_MAX}", fields.len()));
    }
    if let Some(field) =
        fields.iter().find(|field| !field.data_type.is_numeric() && field.data_type != Type::Null)
    {
        return refused(
            1,
            format!("has field \"{}\" of type {}; expected numbers", field.name, field.data_type),
        );
    }
    let degree = match arguments.constant(1)?.as_i64() {
        Some(degree @ 1..=4) => degree as usize,
        _ => return refused(2, "is not a degree; expected a constant from 1 to 4".into()),
    };
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    let mut products = Vec::new();
    expand(&names, 0, None, degree, &mut products);
    let types = products.iter().map(|product| Field::new(&product.name, Type::Float64)).collect();
    let field_count = fields.len();
    Ok(Bound::strict(Type::Struct(types), move |arguments, rows, output, scratch| {
        // The places past the last field are never read.
        let factors: [View<'_>; FIELDS_MAX] =
            std::array::from_fn(|field| arguments[0].field(field.min(field_count - 1)));
        let values = scratch.slot::<Vec<Option<f64>>>();
        rows.for_each(|row| {
            values.clear();
            for (position, product) in products.iter().enumerate() {
                let factor = number(&factors[product.field], row);
                let value = match product.prefix {
                    Some(prefix) => values[prefix].zip(factor).map(|(before, factor)| before * factor),
                    None => factor,
                };
                values.push(value);
                match value {
                    Some(value) => output.field(position).fixed::<f64>()[row] = value,
                    None => output.field(position).set_null(row),
                }
            }
        });
        Ok(())
    }))
}

/// A number of any type as a double.
fn number(view: &View<'_>, row: usize) -> Option<f64> {
    if view.is_null(row) {
        return None;
    }
    let index = view.value_index(row);
    let whole = |value: i128| match view.data_type {
        Type::Decimal(_, scale) => to_double(value, power_of_ten(scale.unsigned_abs().into())),
        _ => value as f64,
    };
    Some(match view.data {
        Data::Int8(values) => values[index].into(),
        Data::Int16(values) => values[index].into(),
        Data::Int32(values) => values[index].into(),
        Data::Int64(values) => whole(values[index].into()),
        Data::UInt8(values) => values[index].into(),
        Data::UInt16(values) => values[index].into(),
        Data::UInt32(values) => values[index].into(),
        Data::UInt64(values) => values[index] as f64,
        Data::Float16(values) => values[index].to_f64(),
        Data::Float32(values) => values[index].into(),
        Data::Float64(values) => values[index],
        Data::Int128(values) => whole(values[index]),
        // Refused while binding.
        _ => return None,
    })
}
