//! `x IN (a, b, ...)`: membership in a list of values, prepared once where they are constants.

use std::collections::HashSet;

use arrow::array::ArrayRef;
use hashbrown::HashTable;

use super::CATEGORY;
use crate::column::{Data, Output, View, borrow, equal, hash};
use crate::error::Result;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::variable;
use crate::types::Type;
use crate::value::Value;

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("in_list", CATEGORY, "True if a value is one of a list: `x IN (a, b)`.")
        .note("Null if the value is null, or if it is not found and the list holds a null.")
        .note("Constants are put into a hash table once; other lists are compared one by one.")
        .example("2 IN (1, 2)", "true")
        .example("3 IN (1, NULL)", "NULL")
        .variadic([variable("x"), variable("values")], bind)
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    let constants: Option<Vec<&Value>> = (1..arguments.types.len())
        .map(|position| arguments.constants.get(position)?.as_ref().map(|literal| &literal.value))
        .collect();
    let Some(constants) = constants else { return Ok(compare_each()) };
    let has_null = constants.iter().any(|value| value.is_null());
    let values: Vec<&Value> = constants.into_iter().filter(|value| !value.is_null()).collect();
    let data_type = &arguments.types[0];
    let integers: Option<HashSet<i64, ahash::RandomState>> =
        values.iter().map(|value| integer_key(value)).collect();
    if let (true, Some(integers)) = (has_integer_keys(data_type), integers) {
        return Ok(look_up(has_null, move |view, row| match view.data {
            Data::Int32(keys) => integers.contains(&i64::from(keys[view.value_index(row)])),
            Data::Int64(keys) => integers.contains(&keys[view.value_index(row)]),
            _ => false,
        }));
    }
    if *data_type == Type::Text {
        let texts: HashSet<Box<str>, ahash::RandomState> =
            values.iter().filter_map(|value| value.as_text().map(Box::from)).collect();
        return Ok(look_up(has_null, move |view, row| texts.contains(view.text().get(row))));
    }
    let table = Table::new(data_type, &values)?;
    Ok(look_up(has_null, move |view, row| table.contains(view, row)))
}

fn has_integer_keys(data_type: &Type) -> bool {
    matches!(data_type, Type::Int32 | Type::Int64 | Type::Date | Type::Timestamp(_) | Type::TimestampTz)
}

fn integer_key(value: &Value) -> Option<i64> {
    match value {
        Value::Date(days) => Some(i64::from(*days)),
        Value::Timestamp(ticks, _) | Value::TimestampTz(ticks) => Some(*ticks),
        other => other.as_i64(),
    }
}

fn look_up(has_null: bool, contains: impl Fn(&View<'_>, usize) -> bool + Send + Sync + 'static) -> Bound {
    // Not strict: a null among the constants must not make every row null.
    Bound::null_aware(Type::Boolean, move |arguments, rows, output, _| {
        let x = &arguments[0];
        rows.for_each(|row| match x.is_valid(row) && contains(x, row) {
            false if has_null || x.is_null(row) => output.set_null(row),
            found => output.boolean().set(row, found),
        });
        Ok(())
    })
}

fn compare_each() -> Bound {
    Bound::null_aware(Type::Boolean, |arguments, rows, output, _| {
        let [x, values @ ..] = arguments else { return Ok(()) };
        rows.for_each(|row| {
            if x.is_null(row) && !values.is_empty() {
                return output.set_null(row);
            }
            let found = values.iter().any(|value| value.is_valid(row) && equal(x, row, value, row));
            if !found && values.iter().any(|value| value.is_null(row)) {
                return output.set_null(row);
            }
            output.boolean().set(row, found);
        });
        Ok(())
    })
}

/// Constants of any type, found by their hash.
struct Table {
    data_type: Type,
    array: ArrayRef,
    rows: HashTable<u32>,
}

impl Table {
    fn new(data_type: &Type, values: &[&Value]) -> Result<Self> {
        let mut column = Output::new(data_type.clone());
        column.prepare(values.len());
        for (row, value) in values.iter().enumerate() {
            column.set_value(row, value)?;
        }
        let array = column.freeze()?;
        let mut rows = HashTable::with_capacity(values.len());
        let bump = bumpalo::Bump::new();
        let view = borrow(&array, data_type, &bump);
        for row in 0..values.len() {
            let rehash = |&other: &u32| hash(&view, other as usize, 0);
            let same = |&other: &u32| equal(&view, other as usize, &view, row);
            if rows.find(hash(&view, row, 0), same).is_none() {
                rows.insert_unique(hash(&view, row, 0), row as u32, rehash);
            }
        }
        drop(bump);
        Ok(Self { data_type: data_type.clone(), array, rows })
    }

    fn contains(&self, view: &View<'_>, row: usize) -> bool {
        let bump = bumpalo::Bump::new();
        let constants = borrow(&self.array, &self.data_type, &bump);
        let same = |&other: &u32| equal(&constants, other as usize, view, row);
        self.rows.find(hash(view, row, 0), same).is_some()
    }
}
