//! `json_get`: parts of a JSON text as values of types, at one path or at many in one parse.

use super::ask::{constant_path, constant_paths};
use super::document::Reader;
use super::path::Path;
use super::transform::Shape;
use super::typed::Problems;
use crate::Registry;
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::{Field, Type};
use crate::value::Value;

/// Adds the function.
pub fn register(registry: &mut Registry) {
    let json = || exact("json", Type::Text);
    registry.register_scalar(
        ScalarFunction::new("json_get", "json", "The parts of a JSON text at one or several paths, parsed once, as values of types.")
            .overload([json(), exact("path", Type::Text), exact("type", Type::Text)], bind_one)
            .overload(
                [json(), exact("paths", Type::list(Type::Text)), exact("types", Type::list(Type::Text))],
                bind_many,
            )
            .cost(Cost::Parse)
            .note("Paths and types are constant, paths without wildcards. A type is a name such as BIGINT or VARCHAR[], or a structure as from_json takes it.")
            .note("Several paths give a struct whose fields are named by the last steps of the paths. What is missing or does not fit its type is null; a text that is not JSON is an error of the row.")
            .example("json_get('{\"user\": {\"age\": \"31\"}}', '$.user.age', 'INTEGER')", "31")
            .example("json_get('{\"a\": 1, \"b\": {\"c\": [0.5]}}', ['$.a', '$.b.c'], ['BIGINT', 'DOUBLE[]'])", "{'a': 1, 'c': [0.5]}"),
    );
}

fn shape_of(arguments: &Arguments<'_>, structure: &str) -> Result<Shape> {
    Shape::of_text(structure).map_err(|error| {
        Error::argument(arguments.function, 3, format!("has '{structure}', which is no type: {error}"))
    })
}

fn bind_one(arguments: &Arguments<'_>) -> Result<Bound> {
    let path = constant_path(arguments, 1)?;
    let shape = shape_of(arguments, arguments.constant_text(2)?)?;
    Ok(Bound::strict(shape.data_type(), move |arguments, rows, output, scratch| {
        let text = arguments[0].text();
        let reader = scratch.slot::<Reader>();
        rows.for_each(|row| {
            let problems = &mut Problems::new(false);
            let read = reader.read(text.get(row), |root| shape.write(path.find(root), output, row, problems));
            if let Err(error) = read {
                output.fail(row, || error);
            }
        });
        Ok(())
    }))
}

fn bind_many(arguments: &Arguments<'_>) -> Result<Bound> {
    let refused = |problem: String| Error::argument(arguments.function, 3, problem);
    let paths = constant_paths(arguments, 1)?;
    let Some(types) = arguments.constant(2)?.as_list() else {
        return Err(refused("is null; expected a list of types".into()));
    };
    if types.len() != paths.len() || paths.is_empty() {
        return Err(refused(format!(
            "has {} types for {} paths; expected as many, at least 1",
            types.len(),
            paths.len()
        )));
    }
    let shape =
        |name: &Value| shape_of(arguments, name.as_text().ok_or_else(|| refused("has a null type".into()))?);
    let shapes = types.iter().map(shape).collect::<Result<Vec<_>>>()?;
    let names = names_of(arguments)?;
    let fields =
        names.into_iter().zip(&shapes).map(|(name, shape)| Field::new(name, shape.data_type())).collect();
    let parts: Vec<(Path, Shape)> = paths.into_iter().zip(shapes).collect();
    Ok(Bound::strict(Type::Struct(fields), move |arguments, rows, output, scratch| {
        let text = arguments[0].text();
        let reader = scratch.slot::<Reader>();
        rows.for_each(|row| {
            let problems = &mut Problems::new(false);
            let read = reader.read(text.get(row), |root| {
                for (position, (path, shape)) in parts.iter().enumerate() {
                    shape.write(path.find(root), output.field(position), row, problems);
                }
            });
            if let Err(error) = read {
                output.fail(row, || error);
            }
        });
        Ok(())
    }))
}

/// Names of fields: the last step of each path, with a number where another path has it already.
fn names_of(arguments: &Arguments<'_>) -> Result<Vec<String>> {
    let Some(paths) = arguments.constant(1)?.as_list() else { return Ok(Vec::new()) };
    let mut names: Vec<String> = Vec::with_capacity(paths.len());
    for path in paths.iter().filter_map(Value::as_text) {
        let step = path.rsplit(['.', '/', '[']).next().unwrap_or(path);
        let step = step.trim_matches(|character| matches!(character, ']' | '"' | '$'));
        let step = if step.is_empty() { "value" } else { step };
        let is_taken = |name: &str| names.iter().any(|held| held.eq_ignore_ascii_case(name));
        let mut name = step.to_owned();
        let mut number = 1;
        while is_taken(&name) {
            number += 1;
            name = format!("{step}_{number}");
        }
        names.push(name);
    }
    Ok(names)
}
