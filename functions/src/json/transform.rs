//! JSON texts as typed columns: lists, structs and maps of the types that a structure names.

use super::document::{Json, Kind, Reader};
use super::type_name::parse_type;
use super::typed::{Problems, write_scalar};
use super::write::write_json;
use crate::Registry;
use crate::column::Output;
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::{Field, Type};

/// Adds the family.
pub fn register(registry: &mut Registry) {
    let note = "The structure is constant JSON: a type name, [structure] for a list, {\"name\": structure} for a struct; json_structure gives one.";
    registry.register_scalar(
        transform_function("from_json", "A JSON text as a value of the type that a structure names.", false)
            .alias("json_transform")
            .alias("json_to_struct")
            .note(note)
            .note("Fields that are missing, and values that do not fit their type, are null. A text that is not JSON is an error of the row.")
            .example("from_json('{\"a\": 1, \"b\": [2.5]}', '{\"a\": \"INTEGER\", \"b\": [\"DOUBLE\"]}')", "{'a': 1, 'b': [2.5]}"),
    );
    registry.register_scalar(
        transform_function(
            "from_json_strict",
            "A JSON text as a value of exactly the type that a structure names.",
            true,
        )
        .alias("json_transform_strict")
        .note(note)
        .note("Missing fields and values that do not fit are errors of the row.")
        .example("from_json_strict('[1, 2]', '[\"INTEGER\"]')", "[1, 2]"),
    );
}

fn transform_function(name: &'static str, summary: &str, is_strict: bool) -> ScalarFunction {
    ScalarFunction::new(name, "json", summary)
        .overload([exact("json", Type::Text), exact("structure", Type::Text)], move |arguments| {
            bind(arguments, is_strict)
        })
        .cost(Cost::Parse)
}

/// The form that a node is given.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// JSON text, as it stands.
    Json,
    /// A value without parts.
    Scalar(Type),
    /// A list of elements of one shape.
    List(Box<Shape>),
    /// A list of so many elements of one shape.
    FixedList(Box<Shape>, usize),
    /// A struct.
    Struct(Vec<(String, Shape)>),
    /// A map from field names to values of one shape.
    Map(Box<Shape>),
}

impl Shape {
    /// The shape that a type name or a structure in JSON asks for.
    ///
    /// # Errors
    /// A text that is neither.
    pub fn of_text(text: &str) -> Result<Self> {
        if text.trim_start().starts_with(['[', '{', '"']) {
            return Reader::default().read(text, Self::of).and_then(|shape| shape);
        }
        if text.eq_ignore_ascii_case("JSON") { Ok(Self::Json) } else { Self::of_type(&parse_type(text)?) }
    }

    /// Reads a structure.
    fn of(structure: Json<'_, '_>) -> Result<Self> {
        match structure.kind() {
            Kind::Text(name) if name.eq_ignore_ascii_case("JSON") => Ok(Self::Json),
            Kind::Text(name) => Self::of_type(&parse_type(name)?),
            Kind::Array(1) => match structure.element(0) {
                Some(element) => Ok(Self::List(Box::new(Self::of(element)?))),
                None => Err(Error::internal("an array of one element has none")),
            },
            Kind::Object(1..) => {
                let mut fields: Vec<(String, Self)> = Vec::new();
                for (name, value) in structure.fields() {
                    if fields.iter().any(|(held, _)| held.eq_ignore_ascii_case(name)) {
                        return Err(Error::user(format!("it has the field '{name}' twice")));
                    }
                    fields.push((name.to_owned(), Self::of(value)?));
                }
                Ok(Self::Struct(fields))
            }
            _ => Err(Error::user(
                "it consists of type names, arrays of one structure and objects of structures",
            )),
        }
    }

    fn of_type(data_type: &Type) -> Result<Self> {
        Ok(match data_type {
            Type::List(element) => Self::List(Box::new(Self::of_type(element)?)),
            Type::Struct(fields) => {
                let field = |field: &Field| Ok((field.name.clone(), Self::of_type(&field.data_type)?));
                Self::Struct(fields.iter().map(field).collect::<Result<_>>()?)
            }
            Type::Map(key, value) if **key == Type::Text => Self::Map(Box::new(Self::of_type(value)?)),
            Type::FixedList(element, size) => Self::FixedList(Box::new(Self::of_type(element)?), *size),
            Type::Map(..) => {
                return Err(Error::user(format!(
                    "JSON does not become {data_type}; cast the result instead"
                )));
            }
            scalar => Self::Scalar(scalar.clone()),
        })
    }

    /// The type of its values.
    pub fn data_type(&self) -> Type {
        match self {
            Self::Json => Type::Text,
            Self::Scalar(data_type) => data_type.clone(),
            Self::List(element) => Type::list(element.data_type()),
            Self::FixedList(element, size) => Type::fixed_list(element.data_type(), *size),
            Self::Struct(fields) => Type::Struct(
                fields.iter().map(|(name, shape)| Field::new(name.clone(), shape.data_type())).collect(),
            ),
            Self::Map(value) => Type::map(Type::Text, value.data_type()),
        }
    }

    /// Writes a node; what does not fit becomes null and is noted.
    pub fn write(
        &self,
        node: Option<Json<'_, '_>>,
        output: &mut Output,
        row: usize,
        problems: &mut Problems,
    ) {
        let Some(node) = node.filter(|node| !node.is_null()) else { return output.set_null(row) };
        match self {
            Self::Json => output.text().build(row, |builder| write_json(node, builder)),
            Self::Scalar(data_type) => write_scalar(node, data_type, output, row, problems),
            Self::List(element) => self.write_list(element, node, output, row, problems),
            Self::FixedList(element, size) => {
                match node.kind() {
                    Kind::Array(length) if length == *size => {}
                    Kind::Array(length) => {
                        problems.note(|| format!("expected an array of {size} elements, found {length}"));
                        return output.set_null(row);
                    }
                    _ => {
                        problems.note(|| format!("expected an array, found {}", shown(node)));
                        return output.set_null(row);
                    }
                }
                for (position, value) in node.elements().enumerate() {
                    element.write(Some(value), output.fixed_list_child(), row * size + position, problems);
                }
            }
            Self::Struct(fields) => {
                if !matches!(node.kind(), Kind::Object(_)) {
                    problems.note(|| format!("expected an object, found {}", shown(node)));
                }
                for (position, (name, shape)) in fields.iter().enumerate() {
                    let value = node.field(name);
                    if value.is_none() {
                        problems.note(|| format!("there is no field \"{name}\""));
                    }
                    shape.write(value, output.field(position), row, problems);
                }
            }
            Self::Map(value) => self.write_map(value, node, output, row, problems),
        }
    }

    fn write_list(
        &self,
        element: &Shape,
        node: Json<'_, '_>,
        output: &mut Output,
        row: usize,
        problems: &mut Problems,
    ) {
        let Kind::Array(length) = node.kind() else {
            problems.note(|| format!("expected an array, found {}", shown(node)));
            return output.set_null(row);
        };
        let mut list = output.list();
        let start = list.child().grow(length);
        for (position, value) in node.elements().enumerate() {
            element.write(Some(value), list.child(), start + position, problems);
        }
        // Lists inside have grown columns of their own, not this one.
        list.set(row, start, length);
    }

    fn write_map(
        &self,
        shape: &Shape,
        node: Json<'_, '_>,
        output: &mut Output,
        row: usize,
        problems: &mut Problems,
    ) {
        let Kind::Object(length) = node.kind() else {
            problems.note(|| format!("expected an object, found {}", shown(node)));
            return output.set_null(row);
        };
        let mut list = output.list();
        let start = list.child().grow(length);
        for (position, (name, value)) in node.fields().enumerate() {
            list.child().field(0).text().set(start + position, name);
            shape.write(Some(value), list.child().field(1), start + position, problems);
        }
        list.set(row, start, length);
    }
}

/// The kind of a node in words, for messages.
pub fn shown(node: Json<'_, '_>) -> String {
    match node.kind() {
        Kind::Null => "null".into(),
        Kind::Boolean(value) => value.to_string(),
        Kind::Signed(value) => value.to_string(),
        Kind::Unsigned(value) => value.to_string(),
        Kind::Float(value) => value.to_string(),
        Kind::Text(text) => format!("\"{text}\""),
        Kind::Array(_) => "an array".into(),
        Kind::Object(_) => "an object".into(),
    }
}

fn bind(arguments: &Arguments<'_>, is_strict: bool) -> Result<Bound> {
    let refused = |error: Error| Error::argument(arguments.function, 2, format!("is no structure: {error}"));
    let structure = arguments.constant_text(1)?;
    let shape = Reader::default().read(structure, Shape::of).and_then(|shape| shape).map_err(refused)?;
    let function = arguments.function.to_owned();
    Ok(Bound::strict(shape.data_type(), move |arguments, rows, output, scratch| {
        let text = arguments[0].text();
        let reader = scratch.slot::<Reader>();
        rows.for_each(|row| {
            let mut problems = Problems::new(is_strict);
            let read = reader.read(text.get(row), |root| shape.write(Some(root), output, row, &mut problems));
            if let Err(error) = read {
                output.fail(row, || error);
            } else if let Some(problem) = problems.first() {
                output
                    .fail(row, || Error::argument(function.as_str(), 1, format!("does not fit: {problem}")));
            }
        });
        Ok(())
    }))
}
