//! The structure of JSON texts, and whether one contains another.

use super::document::{Json, Kind, Reader};
use super::write::{write_sequence, write_text};
use crate::Registry;
use crate::column::TextBuilder;
use crate::scalar::{Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("json_structure", "json", "The structure of a JSON text: types in the places of values.")
            .overload([exact("json", Type::Text)], |_| Ok(structure_of_rows()))
            .cost(Cost::Parse)
            .note("Elements of an array are widened to one structure; JSON stands where they have none in common. from_json takes the result.")
            .example("json_structure('{\"a\": [1, null], \"b\": \"x\"}')", "{\"a\":[\"UBIGINT\"],\"b\":\"VARCHAR\"}"),
    );
    registry.register_scalar(
        ScalarFunction::new("json_contains", "json", "True if a JSON text contains another.")
            .overload([exact("json", Type::Text), exact("part", Type::Text)], |_| Ok(contains()))
            .cost(Cost::Parse)
            .note("An object contains one of some of its fields, an array one of some of its elements, at any depth.")
            .example("json_contains('{\"a\": [1, 2]}', '[2]')", "true"),
    );
}

/// What is found at one place of one or several texts.
#[derive(Debug, Clone, PartialEq)]
pub enum Structure {
    /// Only nulls.
    Null,
    /// Values of this type name.
    Scalar(&'static str),
    /// Arrays of elements of one structure.
    Array(Box<Structure>),
    /// Objects with these fields, in the order they were met.
    Object(Vec<(String, Structure)>),
    /// Values that have nothing in common.
    Mixed,
}

impl Structure {
    /// The structure of one node.
    pub fn of(node: Json<'_, '_>) -> Self {
        match node.kind() {
            Kind::Null => Self::Null,
            Kind::Boolean(_) => Self::Scalar("BOOLEAN"),
            Kind::Signed(_) => Self::Scalar("BIGINT"),
            Kind::Unsigned(_) => Self::Scalar("UBIGINT"),
            Kind::Float(_) => Self::Scalar("DOUBLE"),
            Kind::Text(_) => Self::Scalar("VARCHAR"),
            Kind::Array(_) => {
                Self::Array(Box::new(node.elements().map(Self::of).fold(Self::Null, Self::widened)))
            }
            Kind::Object(0) => Self::Mixed,
            Kind::Object(_) => {
                Self::Object(node.fields().map(|(name, value)| (name.to_owned(), Self::of(value))).collect())
            }
        }
    }

    /// The structure that both fit into.
    pub fn widened(self, other: Self) -> Self {
        match (self, other) {
            (Self::Null, other) | (other, Self::Null) => other,
            (Self::Scalar(a), Self::Scalar(b)) => match wider_scalar(a, b) {
                Some(wider) => Self::Scalar(wider),
                None => Self::Mixed,
            },
            (Self::Array(a), Self::Array(b)) => Self::Array(Box::new(a.widened(*b))),
            (Self::Object(mut held), Self::Object(fields)) => {
                for (name, structure) in fields {
                    match held.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, known)) => {
                            let before = std::mem::replace(known, Self::Null);
                            *known = before.widened(structure);
                        }
                        None => held.push((name, structure)),
                    }
                }
                Self::Object(held)
            }
            _ => Self::Mixed,
        }
    }

    fn write(&self, builder: &mut TextBuilder<'_>) {
        match self {
            Self::Null => builder.push_str("\"NULL\""),
            Self::Mixed => builder.push_str("\"JSON\""),
            Self::Scalar(name) => write_text(name, builder),
            Self::Array(element) => {
                builder.push('[');
                element.write(builder);
                builder.push(']');
            }
            Self::Object(fields) => {
                write_sequence(builder, ['{', '}'], fields.iter(), |(name, structure), builder| {
                    write_text(name, builder);
                    builder.push(':');
                    structure.write(builder);
                });
            }
        }
    }
}

fn wider_scalar(a: &'static str, b: &'static str) -> Option<&'static str> {
    let is_integer = |name: &str| matches!(name, "BIGINT" | "UBIGINT" | "HUGEINT");
    if a == b {
        Some(a)
    } else if is_integer(a) && is_integer(b) {
        // The range of signed and unsigned 64 bits together needs more than 64.
        Some("HUGEINT")
    } else if (is_integer(a) || a == "DOUBLE") && (is_integer(b) || b == "DOUBLE") {
        Some("DOUBLE")
    } else {
        None
    }
}

fn structure_of_rows() -> Bound {
    Bound::strict(Type::Text, |arguments, rows, output, scratch| {
        let text = arguments[0].text();
        let reader = scratch.slot::<Reader>();
        rows.for_each(|row| match reader.read(text.get(row), Structure::of) {
            Ok(structure) => output.text().build(row, |builder| structure.write(builder)),
            Err(error) => output.fail(row, || error),
        });
        Ok(())
    })
}

/// Readers of the two texts of a call.
#[derive(Default)]
struct Readers {
    whole: Reader,
    part: Reader,
}

fn contains() -> Bound {
    Bound::strict(Type::Boolean, |arguments, rows, output, scratch| {
        let (wholes, parts) = (arguments[0].text(), arguments[1].text());
        let readers = scratch.slot::<Readers>();
        rows.for_each(|row| {
            let whole = &mut readers.whole;
            let found = readers
                .part
                .read(parts.get(row), |part| whole.read(wholes.get(row), |whole| contains_node(whole, part)));
            match found.and_then(|inner| inner) {
                Ok(found) => output.boolean().set(row, found),
                Err(error) => output.fail(row, || error),
            }
        });
        Ok(())
    })
}

fn contains_node(whole: Json<'_, '_>, part: Json<'_, '_>) -> bool {
    matches_node(whole, part)
        || whole.elements().any(|element| contains_node(element, part))
        || whole.fields().any(|(_, value)| contains_node(value, part))
}

/// True if all that the part holds is in the node itself.
fn matches_node(node: Json<'_, '_>, part: Json<'_, '_>) -> bool {
    match (node.kind(), part.kind()) {
        (Kind::Array(_), Kind::Array(_)) => {
            part.elements().all(|wanted| node.elements().any(|element| matches_node(element, wanted)))
        }
        (Kind::Object(_), Kind::Object(_)) => part
            .fields()
            .all(|(name, wanted)| node.field(name).is_some_and(|value| matches_node(value, wanted))),
        (held, wanted) => held == wanted,
    }
}
