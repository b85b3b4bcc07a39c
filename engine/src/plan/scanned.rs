//! A table as a scan of a plan reads it: of structs perhaps only some fields.

use hypostyle_functions::types::{Field, Schema, Type};

use super::{Node, Plan};
use crate::table::TableProvider;

/// The columns of a table with the types that a scan gives them.
pub(crate) struct ScannedTable<'t> {
    own: &'t Schema,
    /// The table's columns, if some have other types than their own.
    changed: Option<Schema>,
    /// Columns with their types, where a scan reads only some fields.
    pub narrowed: Vec<(usize, Type)>,
}

impl<'t> ScannedTable<'t> {
    /// The table of a scan. Which fields it reads is told by the types of its output and of the columns in its filters.
    ///
    /// # Errors
    /// A column that the table does not have, or that does not have this type in the table.
    pub fn of(plan: &Plan, provider: &'t dyn TableProvider) -> Result<Self, String> {
        let own = provider.schema();
        let mut table = Self { own, changed: None, narrowed: Vec::new() };
        let Node::Scan { projection, filters, .. } = &plan.node else { return Ok(table) };
        for (position, (&column, field)) in projection.iter().zip(&plan.schema.fields).enumerate() {
            let Some(stored) = own.fields.get(column) else {
                return Err(format!("it reads column {column}; the table has {} columns", own.fields.len()));
            };
            table.read(column, &stored.data_type, &field.data_type, provider).map_err(|()| {
                format!(
                    "column {} has type {} in the table; the plan was made for {}",
                    position + 1,
                    stored.data_type,
                    field.data_type
                )
            })?;
        }
        for filter in filters {
            filter.walk(&mut |part| {
                if let super::Expression::Column { index, data_type } = part
                    && let Some(stored) = own.fields.get(*index)
                {
                    // A column of another type is refused with the expression it stands in.
                    let _ = table.read(*index, &stored.data_type, data_type, provider);
                }
            });
        }
        if !table.narrowed.is_empty() {
            let mut changed = own.clone();
            for (column, data_type) in &table.narrowed {
                changed.fields[*column].data_type = data_type.clone();
            }
            table.changed = Some(changed);
        }
        Ok(table)
    }

    /// Notes the type that a column is read with; an error if the table cannot give it.
    fn read(
        &mut self,
        column: usize,
        stored: &Type,
        asked: &Type,
        provider: &dyn TableProvider,
    ) -> Result<(), ()> {
        let known = self.narrowed.iter().find(|(known, _)| *known == column);
        match known {
            Some((_, known)) if known == asked => Ok(()),
            Some(_) => Err(()),
            None if stored == asked => Ok(()),
            None if provider.reads_fields() && is_part_of(asked, stored) => {
                self.narrowed.push((column, asked.clone()));
                Ok(())
            }
            None => Err(()),
        }
    }

    /// The columns.
    pub fn schema(&self) -> &Schema {
        self.changed.as_ref().unwrap_or(self.own)
    }
}

/// True if a type is another one with some fields of structs left out, but not all of a struct.
fn is_part_of(part: &Type, whole: &Type) -> bool {
    match (part, whole) {
        (Type::Struct(part), Type::Struct(whole)) => {
            let mut left = whole.iter();
            let mut stands_next = |field: &Field| {
                left.any(|known| known.name == field.name && is_part_of(&field.data_type, &known.data_type))
            };
            !part.is_empty() && part.iter().all(&mut stands_next)
        }
        (Type::List(part), Type::List(whole)) => is_part_of(part, whole),
        (Type::FixedList(part, size), Type::FixedList(whole, other)) => {
            size == other && is_part_of(part, whole)
        }
        (part, whole) => part == whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn structure(fields: &[(&str, Type)]) -> Type {
        Type::Struct(fields.iter().map(|(name, data_type)| Field::new(*name, data_type.clone())).collect())
    }

    #[test]
    fn a_part_has_some_fields_in_their_order() {
        let whole = structure(&[("a", Type::Int64), ("b", Type::Text), ("c", Type::Int64)]);
        assert!(is_part_of(&structure(&[("a", Type::Int64), ("c", Type::Int64)]), &whole));
        assert!(is_part_of(&whole, &whole));
        assert!(!is_part_of(&structure(&[("c", Type::Int64), ("a", Type::Int64)]), &whole));
        assert!(!is_part_of(&structure(&[("a", Type::Text)]), &whole));
        assert!(!is_part_of(&structure(&[]), &whole));
    }

    #[test]
    fn parts_of_elements_are_parts_and_maps_are_whole() {
        let whole = structure(&[("a", Type::Int64), ("b", Type::Text)]);
        let part = structure(&[("b", Type::Text)]);
        assert!(is_part_of(&Type::list(part.clone()), &Type::list(whole.clone())));
        assert!(!is_part_of(&Type::map(Type::Text, part), &Type::map(Type::Text, whole)));
    }
}
