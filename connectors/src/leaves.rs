//! Arrays and types whose leaves, the arrays without children, are replaced.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeListArray, ListArray, MapArray, StructArray};
use arrow::datatypes::{DataType, FieldRef};
use arrow::error::ArrowError;

use crate::arrow_form::with_children;

/// The type with every leaf replaced, in the order of the fields.
pub fn type_with_leaves(data_type: &DataType, replace: &mut dyn FnMut(&DataType) -> DataType) -> DataType {
    if !data_type.is_nested() {
        return replace(data_type);
    }
    // The children are visited in order, one at a time.
    let replace = std::cell::RefCell::new(replace);
    with_children(data_type, &|field| {
        let inner = type_with_leaves(field.data_type(), &mut **replace.borrow_mut());
        Arc::new(field.as_ref().clone().with_data_type(inner))
    })
}

/// The array with every leaf replaced by one of as many rows, in the order of the fields.
///
/// # Errors
/// What `replace` reports, or a nested form that no column of the engine has.
pub fn array_with_leaves(
    array: &ArrayRef,
    replace: &mut dyn FnMut(&ArrayRef) -> Result<ArrayRef, ArrowError>,
) -> Result<ArrayRef, ArrowError> {
    let typed = |field: &FieldRef, values: &ArrayRef| {
        Arc::new(field.as_ref().clone().with_data_type(values.data_type().clone()))
    };
    Ok(match array.data_type() {
        DataType::List(field) => {
            let lists = array.as_list::<i32>();
            let values = array_with_leaves(lists.values(), replace)?;
            let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
            Arc::new(ListArray::try_new(typed(field, &values), offsets, values, nulls)?)
        }
        DataType::FixedSizeList(field, size) => {
            let lists = array.as_fixed_size_list();
            let values = array_with_leaves(lists.values(), replace)?;
            let nulls = lists.nulls().cloned();
            Arc::new(FixedSizeListArray::try_new(typed(field, &values), *size, values, nulls)?)
        }
        DataType::Map(field, sorted) => {
            let map = array.as_map();
            let entries: ArrayRef = Arc::new(map.entries().clone());
            let entries = array_with_leaves(&entries, replace)?;
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            let field = typed(field, &entries);
            Arc::new(MapArray::try_new(field, offsets, entries.as_struct().clone(), nulls, *sorted)?)
        }
        DataType::Struct(fields) => {
            let structs = array.as_struct();
            let columns = structs.columns().iter().map(|column| array_with_leaves(column, replace));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            let fields = fields.iter().zip(&columns).map(|(field, column)| typed(field, column)).collect();
            let nulls = structs.nulls().cloned();
            Arc::new(StructArray::try_new_with_length(fields, columns, nulls, array.len())?)
        }
        other if other.is_nested() => {
            return Err(ArrowError::NotYetImplemented(format!("values inside {other}")));
        }
        _ => replace(array)?,
    })
}
