//! Casts of lists, structs and maps: the cast of their elements, run once over all elements of a batch.

use bumpalo::Bump;

use super::invoke::invoke;
use super::{Mode, refuse};
use crate::column::{BitsMut, Encoding, Output, Rows, View};
use crate::error::{Error, Result};
use crate::scalar::Bound;
use crate::scratch::Scratch;
use crate::types::{Field, Type};

pub(super) fn bind(from: &Type, to: &Type, mode: Mode) -> Result<Option<Bound>> {
    Ok(Some(match (from, to) {
        (Type::FixedList(_, actual), Type::FixedList(_, expected)) if actual != expected => {
            return Err(Error::DimensionMismatch {
                function: "cast".into(),
                position: 1,
                actual: *actual,
                expected: *expected,
            });
        }
        (Type::List(a) | Type::FixedList(a, _), Type::List(b)) => list_to_list(super::bind(a, b, mode)?, to),
        (Type::List(a) | Type::FixedList(a, _), Type::FixedList(b, size)) => {
            list_to_fixed_list(super::bind(a, b, mode)?, *size, from, to, mode)
        }
        (Type::Struct(a), Type::Struct(b)) => struct_to_struct(a, b, from, to, mode)?,
        (Type::Struct(fields), Type::Map(key, value)) if **key == Type::Text && !fields.is_empty() => {
            struct_to_map(fields, value, to, mode)?
        }
        (Type::Map(k, v), Type::Map(l, w)) => {
            map_to_map(super::bind(k, l, mode)?, super::bind(v, w, mode)?, to)
        }
        _ => return Ok(None),
    }))
}

/// The elements of the lists of some rows, one list after the other.
pub(super) struct Gathered {
    /// Values of the child, one per element.
    indices: Vec<u32>,
    /// Row, first element and number of elements of each list.
    pub lists: Vec<(usize, usize, usize)>,
}

impl Gathered {
    fn new(view: &View<'_>, rows: Rows<'_>) -> Self {
        let list = view.list();
        let mut gathered = Self { indices: Vec::new(), lists: Vec::with_capacity(rows.count()) };
        rows.for_each(|row| {
            let range = list.range(row);
            gathered.lists.push((row, gathered.indices.len(), range.len()));
            gathered.indices.extend(range.map(|element| element as u32));
        });
        gathered
    }

    /// Casts the elements of `child` into a column of `bound`'s type, in the order gathered.
    fn cast(&self, child: &View<'_>, bound: &Bound, scratch: &mut Scratch) -> Result<Output> {
        let mut validity = BitsMut::default();
        let values: Vec<u32>;
        let (indices, nulls) = match child.encoding {
            Encoding::Flat => (&self.indices, None),
            _ => {
                validity.reset(self.indices.len(), true);
                for (position, &element) in self.indices.iter().enumerate() {
                    validity.set(position, child.is_valid(element as usize));
                }
                values =
                    self.indices.iter().map(|&element| child.value_index(element as usize) as u32).collect();
                (&values, Some(validity.as_bits()))
            }
        };
        let encoding = Encoding::Dictionary { indices, validity: nulls.as_ref() };
        let elements = View { length: indices.len(), encoding, ..*child };
        cast_all(&elements, bound, scratch)
    }
}

/// Casts every row of a column.
pub(super) fn cast_all(view: &View<'_>, bound: &Bound, scratch: &mut Scratch) -> Result<Output> {
    let mut output = Output::new(bound.result.clone());
    output.prepare(view.length);
    invoke(bound, &[*view], Rows::All(view.length), &mut output, scratch)?;
    Ok(output)
}

/// The error of the first failed element of a range.
pub(super) fn failure(elements: &Output, start: usize, length: usize) -> Option<Error> {
    elements.failed()?;
    let inside = |row: u32| (start..start + length).contains(&(row as usize));
    elements
        .errors()
        .iter()
        .filter(|(row, _)| inside(*row))
        .min_by_key(|(row, _)| *row)
        .map(|(_, error)| error.clone())
}

fn list_to_list(element: Bound, to: &Type) -> Bound {
    Bound::strict(to.clone(), move |arguments, rows, output, scratch| {
        let gathered = Gathered::new(&arguments[0], rows);
        let elements = gathered.cast(arguments[0].list().child(), &element, scratch)?;
        write_lists(&gathered.lists, &elements, output);
        output.check_capacity()
    })
}

/// Gives each row its elements; a row with a failed element fails.
pub(super) fn write_lists(lists: &[(usize, usize, usize)], elements: &Output, output: &mut Output) {
    let bump = Bump::new();
    let view = elements.view(&bump);
    for &(row, start, length) in lists {
        if let Some(error) = failure(elements, start, length) {
            output.fail(row, || error);
            continue;
        }
        let mut writer = output.list();
        let first = writer.start();
        writer.child().push_range(&view, start..start + length);
        writer.finish(row, first);
    }
}

fn list_to_fixed_list(element: Bound, size: usize, from: &Type, to: &Type, mode: Mode) -> Bound {
    let (from, to) = (from.clone(), to.clone());
    Bound::strict(to.clone(), move |arguments, rows, output, scratch| {
        let gathered = Gathered::new(&arguments[0], rows);
        let elements = gathered.cast(arguments[0].list().child(), &element, scratch)?;
        write_fixed_lists(&gathered.lists, &elements, size, output, |output, row, length| {
            refuse(output, row, mode.is_try, || Error::Cast {
                value: format!("a list of {length} elements"),
                from: from.clone(),
                to: to.clone(),
                reason: ": the number of elements differs",
            });
        });
        Ok(())
    })
}

/// As [`write_lists`] for lists of one length; `refused` is told the row and length of other lists.
pub(super) fn write_fixed_lists(
    lists: &[(usize, usize, usize)],
    elements: &Output,
    size: usize,
    output: &mut Output,
    refused: impl Fn(&mut Output, usize, usize),
) {
    let bump = Bump::new();
    let view = elements.view(&bump);
    for &(row, start, length) in lists {
        if length != size {
            refused(output, row, length);
        } else if let Some(error) = failure(elements, start, length) {
            output.fail(row, || error);
        } else {
            let child = output.fixed_list_child();
            (0..size).for_each(|position| child.copy(row * size + position, &view, start + position));
        }
    }
}

fn map_to_map(key: Bound, value: Bound, to: &Type) -> Bound {
    Bound::strict(to.clone(), move |arguments, rows, output, scratch| {
        let gathered = Gathered::new(&arguments[0], rows);
        let entries = arguments[0].list();
        let keys = gathered.cast(&entries.child().field(0), &key, scratch)?;
        let values = gathered.cast(&entries.child().field(1), &value, scratch)?;
        write_maps(&gathered.lists, &keys, &values, output);
        output.check_capacity()
    })
}

/// One entry for each field, under its name.
fn struct_to_map(fields: &[Field], value: &Type, to: &Type, mode: Mode) -> Result<Bound> {
    let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
    let casts =
        fields.iter().map(|field| super::bind(&field.data_type, value, mode)).collect::<Result<Vec<_>>>()?;
    Ok(Bound::strict(to.clone(), move |arguments, rows, output, scratch| {
        let mut columns = Vec::with_capacity(casts.len());
        for (position, bound) in casts.iter().enumerate() {
            let mut values = Output::new(bound.result.clone());
            values.prepare(output.len());
            invoke(bound, &[arguments[0].field(position)], rows, &mut values, scratch)?;
            columns.push(values);
        }
        let bump = Bump::new();
        let views: Vec<View<'_>> = columns.iter().map(|values| values.view(&bump)).collect();
        rows.for_each(|row| {
            if let Some(error) = columns.iter().find_map(|values| failure(values, row, 1)) {
                return output.fail(row, || error);
            }
            let mut writer = output.list();
            let start = writer.child().grow(names.len());
            for (position, (name, view)) in names.iter().zip(&views).enumerate() {
                writer.child().field(0).text().set(start + position, name);
                writer.child().field(1).copy(start + position, view, row);
            }
            writer.set(row, start, names.len());
        });
        output.check_capacity()
    }))
}

/// Gives each row its entries; a row with a failed key or value, or a null key, fails.
pub(super) fn write_maps(
    lists: &[(usize, usize, usize)],
    keys: &Output,
    values: &Output,
    output: &mut Output,
) {
    let bump = Bump::new();
    let (key_view, value_view) = (keys.view(&bump), values.view(&bump));
    for &(row, start, length) in lists {
        let failed = failure(keys, start, length).or_else(|| failure(values, start, length));
        if let Some(error) = failed {
            output.fail(row, || error);
            continue;
        }
        if (start..start + length).any(|entry| key_view.is_null(entry)) {
            output.fail(row, || Error::user("cast: a key of the map became null; keys must not be null"));
            continue;
        }
        let mut writer = output.list();
        let first = writer.start();
        let child = writer.child();
        child.grow(length);
        for entry in 0..length {
            child.field(0).copy(first + entry, &key_view, start + entry);
            child.field(1).copy(first + entry, &value_view, start + entry);
        }
        writer.finish(row, first);
    }
}

/// Fields are matched by name, case ignored; where one side has no names, by position.
fn struct_to_struct(
    from: &[Field],
    to: &[Field],
    from_type: &Type,
    to_type: &Type,
    mode: Mode,
) -> Result<Bound> {
    let unnamed = |fields: &[Field]| fields.iter().all(|field| field.name.is_empty());
    let by_position = unnamed(from) || unnamed(to);
    if by_position && from.len() != to.len() {
        return Err(Error::user(format!(
            "cannot cast {from_type} to {to_type}: {} fields without names for {} fields",
            from.len(),
            to.len()
        )));
    }
    let mut casts = Vec::with_capacity(to.len());
    for (position, field) in to.iter().enumerate() {
        let source = match by_position {
            true => Some(position),
            false => from.iter().position(|candidate| candidate.name.eq_ignore_ascii_case(&field.name)),
        };
        casts.push(match source {
            Some(source) => Some((source, super::bind(&from[source].data_type, &field.data_type, mode)?)),
            None => None,
        });
    }
    if casts.iter().all(Option::is_none) {
        return Err(Error::user(format!("cannot cast {from_type} to {to_type}: no field has the same name")));
    }
    Ok(Bound::strict(to_type.clone(), move |arguments, rows, output, scratch| {
        for (position, cast) in casts.iter().enumerate() {
            let Some((source, bound)) = cast else {
                rows.for_each(|row| output.field(position).set_null(row));
                continue;
            };
            let mut values = Output::new(bound.result.clone());
            values.prepare(output.len());
            invoke(bound, &[arguments[0].field(*source)], rows, &mut values, scratch)?;
            let bump = Bump::new();
            let view = values.view(&bump);
            rows.for_each(|row| match failure(&values, row, 1) {
                Some(error) => output.fail(row, || error),
                None => output.field(position).copy(row, &view, row),
            });
        }
        Ok(())
    }))
}
