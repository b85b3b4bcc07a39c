//! One schema over several files.

use hypostyle_functions::coercion::common_type;
use hypostyle_functions::{Field, Schema, Type};

use super::opened::Opened;
use crate::error::{Error, Result};

/// The schema of the first file, with the types widened to hold those of the others' columns of the same names.
pub fn widened(files: &[(String, Opened)]) -> Result<Schema> {
    let Some(((_, first), others)) = files.split_first() else { return Ok(Schema::default()) };
    let mut schema = first.schema().clone();
    for (path, file) in others {
        for (position, field) in schema.fields.iter_mut().enumerate() {
            if let Some(column) = position_in(file, &field.name, position) {
                field.data_type = wider(&field.data_type, &file.schema().fields[column].data_type)
                    .ok_or_else(|| {
                        mismatch(path, &field.name, &file.schema().fields[column].data_type, &field.data_type)
                    })?;
            }
        }
    }
    Ok(schema)
}

/// The columns of all files by name, in the order in which they first come up.
pub fn united(files: &[(String, Opened)]) -> Result<Schema> {
    let mut fields: Vec<Field> = Vec::new();
    for (path, file) in files {
        for field in &file.schema().fields {
            match fields.iter_mut().find(|known| known.name.eq_ignore_ascii_case(&field.name)) {
                Some(known) => {
                    known.data_type = wider(&known.data_type, &field.data_type)
                        .ok_or_else(|| mismatch(path, &field.name, &field.data_type, &known.data_type))?;
                }
                None => fields.push(field.clone()),
            }
        }
    }
    Ok(Schema::new(fields))
}

/// Where a file has a column of the table: by name, or by position if its names are made up. Of several columns
/// of one name it is the one at the same position.
pub fn position_in(file: &Opened, name: &str, position: usize) -> Option<usize> {
    let fields = &file.schema().fields;
    if !file.has_names() {
        return (position < fields.len()).then_some(position);
    }
    let same = fields.get(position).is_some_and(|field| field.name.eq_ignore_ascii_case(name));
    if same { Some(position) } else { file.schema().index_of(name) }
}

/// The type that holds the values of both: the wider number, struct fields by name, text for anything else that
/// has a text form.
fn wider(left: &Type, right: &Type) -> Option<Type> {
    if left == right {
        return Some(left.clone());
    }
    match (left, right) {
        (Type::Null, other) | (other, Type::Null) => Some(other.clone()),
        (Type::List(left), Type::List(right)) => Some(Type::list(wider(left, right)?)),
        (Type::Struct(left), Type::Struct(right)) => {
            let mut fields = left.clone();
            for field in right {
                match fields.iter_mut().find(|known| known.name == field.name) {
                    Some(known) => known.data_type = wider(&known.data_type, &field.data_type)?,
                    None => fields.push(field.clone()),
                }
            }
            Some(Type::Struct(fields))
        }
        (Type::Map(key, value), Type::Map(other_key, other_value)) => {
            Some(Type::map(wider(key, other_key)?, wider(value, other_value)?))
        }
        (left, right) if left.is_nested() || right.is_nested() => None,
        (Type::Text, _) | (_, Type::Text) => Some(Type::Text),
        (left, right) => Some(common_type(left, right).unwrap_or(Type::Text)),
    }
}

fn mismatch(path: &str, column: &str, found: &Type, wanted: &Type) -> Error {
    Error::Schema {
        path: path.into(),
        problem: format!(
            "column \"{column}\" is {found} and {wanted} in the files before; read the files apart and cast"
        ),
    }
}
