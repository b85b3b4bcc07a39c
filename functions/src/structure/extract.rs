//! Fields of structs by name or position, and what a struct consists of.

use crate::Registry;
use crate::column::equal;
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Pattern, any, exact, parameter};
use crate::types::{Field, Type};

/// Adds the family.
pub fn register(registry: &mut Registry) {
    let first = || parameter("struct", Pattern::Struct);
    registry.register_scalar(
        ScalarFunction::new("struct_extract", "struct", "Field of a struct by its name, or by its position where it has no names.")
            .overload([first(), exact("name", Type::Text)], bind_extract)
            .overload([first(), exact("position", Type::Int64)], bind_extract)
            .note("Name or position are constant; names are found without regard to case. A null struct gives null.")
            .example("struct_extract({'a': 1, 'b': 2}, 'b')", "2")
            .example("struct_extract(row(7, 8), 1)", "7"),
    );
    registry.register_scalar(
        ScalarFunction::new("struct_extract_at", "struct", "Field of a struct by its position, from 1.")
            .overload([first(), exact("position", Type::Int64)], |arguments| {
                let fields = fields_of(arguments)?;
                let position = position_argument(arguments, fields)?;
                Ok(extract(fields[position].data_type.clone(), position))
            })
            .example("struct_extract_at({'a': 1, 'b': 2}, 2)", "2"),
    );
    registry.register_scalar(
        ScalarFunction::new("struct_keys", "struct", "Names of the fields of a struct.")
            .overload([first()], |arguments| keys(fields_of(arguments)?))
            .example("struct_keys({'a': 1, 'b': 2})", "[a, b]"),
    );
    registry.register_scalar(
        ScalarFunction::new("struct_values", "struct", "The fields of a struct without their names.")
            .overload([first()], |arguments| {
                let fields = fields_of(arguments)?
                    .iter()
                    .map(|field| Field::new("", field.data_type.clone()))
                    .collect();
                Ok(unnamed(Type::Struct(fields)))
            })
            .example("struct_values({'a': 1, 'b': 2})", "(1, 2)"),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "struct_position",
            "struct",
            "Position of the first field equal to a value, from 1.",
        )
        .alias("struct_indexof")
        .overload([first(), any("value")], |arguments| Ok(position(arguments)))
        .note("Null if there is none. Fields of other types than the value's are passed over.")
        .example("struct_position(row(7, 8), 8)", "2"),
    );
    registry.register_scalar(
        ScalarFunction::new("struct_contains", "struct", "True if a struct has a field equal to a value.")
            .alias("struct_has")
            .overload([first(), any("value")], |arguments| Ok(contains(arguments)))
            .example("struct_contains(row(7, 8), 9)", "false"),
    );
}

fn fields_of<'a>(arguments: &Arguments<'a>) -> Result<&'a [Field]> {
    match &arguments.types[0] {
        Type::Struct(fields) => Ok(fields),
        other => Err(Error::argument(arguments.function, 1, format!("has type {other}; expected a struct"))),
    }
}

/// Binds the field that argument 2, a constant name or position, tells.
///
/// # Errors
/// [`Error::Argument`] if there is no such field.
pub fn bind_extract(arguments: &Arguments<'_>) -> Result<Bound> {
    let fields = fields_of(arguments)?;
    let position = if arguments.types[1] == Type::Text {
        let name = arguments.constant_text(1)?;
        fields
            .iter()
            .position(|field| field.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| unknown(arguments, fields, name))?
    } else {
        if fields.iter().any(|field| !field.name.is_empty()) {
            return Err(Error::argument(
                arguments.function,
                2,
                "is a position; the fields of this struct have names",
            ));
        }
        position_argument(arguments, fields)?
    };
    Ok(extract(fields[position].data_type.clone(), position))
}

fn unknown(arguments: &Arguments<'_>, fields: &[Field], name: &str) -> Error {
    let names: Vec<String> = fields.iter().map(|field| format!("\"{}\"", field.name)).collect();
    Error::argument(arguments.function, 2, format!("is \"{name}\"; the struct has {}", names.join(", ")))
}

fn position_argument(arguments: &Arguments<'_>, fields: &[Field]) -> Result<usize> {
    let position = arguments.constant(1)?.as_i64().unwrap_or(0);
    usize::try_from(position - 1).ok().filter(|position| *position < fields.len()).ok_or_else(|| {
        let problem = format!("is {position}; expected a position from 1 to {}", fields.len());
        Error::argument(arguments.function, 2, problem)
    })
}

fn extract(result: Type, position: usize) -> Bound {
    Bound::strict(result, move |arguments, rows, output, _| {
        let values = arguments[0].field(position);
        output.copy_rows(&values, &rows);
        Ok(())
    })
}

fn keys(fields: &[Field]) -> Result<Bound> {
    let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
    if names.iter().any(String::is_empty) {
        return Err(Error::argument("struct_keys", 1, "has no names"));
    }
    Ok(Bound::strict(Type::list(Type::Text), move |_, rows, output, _| {
        let mut list = output.list();
        // All rows share one list of names.
        let start = list.child().grow(names.len());
        let mut writer = list.child().text();
        names.iter().enumerate().for_each(|(position, name)| writer.set(start + position, name));
        rows.for_each(|row| list.set(row, start, names.len()));
        Ok(())
    }))
}

fn unnamed(result: Type) -> Bound {
    let Type::Struct(fields) = &result else { return extract(result, 0) };
    let count = fields.len();
    Bound::strict(result, move |arguments, rows, output, _| {
        (0..count).for_each(|field| output.field(field).copy_rows(&arguments[0].field(field), &rows));
        Ok(())
    })
}

/// Fields whose type is the value's.
fn comparable(arguments: &Arguments<'_>) -> Vec<usize> {
    match &arguments.types[0] {
        Type::Struct(fields) => {
            (0..fields.len()).filter(|&field| fields[field].data_type == arguments.types[1]).collect()
        }
        _ => Vec::new(),
    }
}

fn position(arguments: &Arguments<'_>) -> Bound {
    let fields = comparable(arguments);
    Bound::strict(Type::Int32, move |arguments, rows, output, _| {
        rows.for_each(|row| {
            match fields.iter().find(|field| equal(&arguments[0].field(**field), row, &arguments[1], row)) {
                Some(field) => output.fixed::<i32>()[row] = *field as i32 + 1,
                None => output.set_null(row),
            }
        });
        Ok(())
    })
}

fn contains(arguments: &Arguments<'_>) -> Bound {
    let fields = comparable(arguments);
    Bound::strict(Type::Boolean, move |arguments, rows, output, _| {
        let bits = output.boolean();
        rows.for_each(|row| {
            bits.set(
                row,
                fields.iter().any(|field| equal(&arguments[0].field(*field), row, &arguments[1], row)),
            );
        });
        Ok(())
    })
}
