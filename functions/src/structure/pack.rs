//! Structs made of values, and structs with fields added or replaced.

use crate::Registry;
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Pattern, any, parameter};
use crate::types::{Field, Type};

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("struct_pack", "struct", "A struct of names and values.")
            .variadic([any("name or value")], |arguments| {
                let fields = named_fields(arguments, 0)?;
                Ok(write_fields(fields.into_iter().map(|(field, position)| (field, From::Argument(position))).collect()))
            })
            .note("Written `{'a': 1}` or `struct_pack(a := 1)`; names are constant and alternate with values. Null values are fields.")
            .example("{'a': 1, 'b': 'x'}", "{'a': 1, 'b': x}"),
    );
    registry.register_scalar(
        ScalarFunction::new("row", "struct", "A struct of values without names.")
            .variadic([any("value"), any("value")], |arguments| {
                let fields = arguments.types.iter().enumerate().map(|(position, data_type)| {
                    (Field::new("", data_type.clone()), From::Argument(position))
                });
                Ok(write_fields(fields.collect()))
            })
            .example("row(1, 'a')", "(1, a)"),
    );
    let first = || parameter("struct", Pattern::Struct);
    registry.register_scalar(
        ScalarFunction::new("struct_insert", "struct", "A struct with fields added.")
            .variadic([first(), any("name or value"), any("name or value")], |arguments| {
                let mut fields = fields_of(arguments, 0);
                for (field, position) in named_fields(arguments, 1)? {
                    if position_of(&fields, &field.name).is_some() {
                        let problem = format!(
                            "is '{}', a field that the struct has; struct_update replaces fields",
                            field.name
                        );
                        return Err(Error::argument(arguments.function, position, problem));
                    }
                    fields.push((field, From::Argument(position)));
                }
                Ok(write_fields(fields))
            })
            .note("A null struct gives null fields.")
            .example("struct_insert({'a': 1}, 'b', 2)", "{'a': 1, 'b': 2}"),
    );
    registry.register_scalar(
        ScalarFunction::new("struct_update", "struct", "A struct with fields added or replaced.")
            .variadic([first(), any("name or value"), any("name or value")], |arguments| {
                let mut fields = fields_of(arguments, 0);
                for (field, position) in named_fields(arguments, 1)? {
                    match position_of(&fields, &field.name) {
                        Some(held) => fields[held] = (field, From::Argument(position)),
                        None => fields.push((field, From::Argument(position))),
                    }
                }
                Ok(write_fields(fields))
            })
            .example("struct_update({'a': 1, 'b': 2}, 'a', 'x')", "{'a': x, 'b': 2}"),
    );
    registry.register_scalar(
        ScalarFunction::new("struct_concat", "struct", "A struct of the fields of several.")
            .variadic([first(), first()], |arguments| {
                let mut fields: Vec<(Field, From)> = Vec::new();
                for position in 0..arguments.types.len() {
                    for (field, from) in fields_of(arguments, position) {
                        if !field.name.is_empty() && position_of(&fields, &field.name).is_some() {
                            let problem = format!("has a field '{}' like an argument before it", field.name);
                            return Err(Error::argument(arguments.function, position + 1, problem));
                        }
                        fields.push((field, from));
                    }
                }
                Ok(write_fields(fields))
            })
            .example("struct_concat({'a': 1}, {'b': 2})", "{'a': 1, 'b': 2}"),
    );
}

/// Where a field's values come from.
#[derive(Debug, Clone, Copy)]
enum From {
    /// The argument at a position.
    Argument(usize),
    /// A field of the struct at a position.
    Field(usize, usize),
}

/// Names and values that alternate from `first` on, with the position of each value.
fn named_fields(arguments: &Arguments<'_>, first: usize) -> Result<Vec<(Field, usize)>> {
    if !(arguments.types.len() - first).is_multiple_of(2) {
        let message = format!("{}: a name has no value; names and values alternate", arguments.function);
        return Err(Error::User(message));
    }
    let mut fields: Vec<(Field, usize)> = Vec::new();
    for position in (first..arguments.types.len()).step_by(2) {
        let name = arguments.constant_text(position)?;
        if fields.iter().any(|(field, _)| field.name.eq_ignore_ascii_case(name)) {
            return Err(Error::argument(
                arguments.function,
                position + 1,
                format!("is '{name}' for a second time"),
            ));
        }
        fields.push((Field::new(name, arguments.types[position + 1].clone()), position + 1));
    }
    Ok(fields)
}

fn fields_of(arguments: &Arguments<'_>, position: usize) -> Vec<(Field, From)> {
    let Type::Struct(fields) = &arguments.types[position] else { return Vec::new() };
    fields.iter().cloned().enumerate().map(|(field, data)| (data, From::Field(position, field))).collect()
}

fn position_of(fields: &[(Field, From)], name: &str) -> Option<usize> {
    fields.iter().position(|(field, _)| field.name.eq_ignore_ascii_case(name))
}

fn write_fields(fields: Vec<(Field, From)>) -> Bound {
    let (fields, sources): (Vec<Field>, Vec<From>) = fields.into_iter().unzip();
    Bound::null_aware(Type::Struct(fields), move |arguments, rows, output, _| {
        for (position, source) in sources.iter().enumerate() {
            let target = output.field(position);
            match *source {
                From::Argument(argument) => target.copy_rows(&arguments[argument], &rows),
                From::Field(argument, field) => {
                    let whole = &arguments[argument];
                    let values = whole.field(field);
                    rows.for_each(|row| {
                        if whole.is_valid(row) {
                            target.copy(row, &values, row)
                        } else {
                            target.set_null(row)
                        }
                    });
                }
            }
        }
        Ok(())
    })
}
