//! `map_extract_many`: the values of many keys of a map, in one pass over its entries.

use arrow::array::ArrayRef;
use bumpalo::Bump;

use super::extract::any_map;
use crate::Registry;
use crate::column::{Data, FixedWidth, Output, Rows, View, WritableFixed, borrow, literal_array};
use crate::error::{Error, Result};
use crate::kernel::span::Span;
use crate::kernel::span::keyed::{ABSENT, KeyTable, places_i32, places_i64};
use crate::list::{find, spans_of};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Pattern, parameter};
use crate::types::{Field, Type};
use crate::value::Literal;

/// Rows whose places are held at once: with some hundred keys they stay in the second-level cache.
const BLOCK: usize = 64;

/// Adds the function.
pub fn register(registry: &mut Registry) {
    let keys = parameter("keys", Pattern::List(Box::new(Pattern::Variable("K"))));
    registry.register_scalar(
        ScalarFunction::new(
            "map_extract_many",
            "map",
            "The values of several keys of a map, as the fields of a struct.",
        )
        .overload([any_map(), keys], bind)
        .note("The keys are a constant list without nulls. The field of a key that the map lacks is null.")
        .note("The map's entries are gone through once; queries that ask one map for many keys are rewritten to this function.")
        .example("map_extract_many(map([1, 2], ['a', 'b']), [2, 3])", "(b, NULL)"),
    );
}

/// The wanted keys.
struct Wanted {
    literal: Literal,
    array: ArrayRef,
    count: usize,
    /// Set for keys that are whole numbers.
    table: Option<KeyTable>,
}

impl Wanted {
    fn of(arguments: &Arguments<'_>) -> Result<Self> {
        let refused = |problem: &str| Error::argument(arguments.function, 2, problem);
        arguments.constant(1)?;
        let Some(Some(literal)) = arguments.constants.get(1) else {
            return Err(refused("must be a constant list of keys"));
        };
        if literal.value.is_null() {
            return Err(refused("is null; expected a list of keys"));
        }
        let literal = Literal { data_type: arguments.types[1].clone(), value: literal.value.clone() };
        let array = literal_array(&literal)?;
        let bump = Bump::new();
        let view = borrow(&array, &literal.data_type, &bump);
        let keys = view.list().child();
        if (0..keys.length).any(|key| keys.is_null(key)) {
            return Err(refused("holds a null; expected keys"));
        }
        let words: Option<Vec<u64>> = match keys.data {
            Data::Int32(values) => Some(values.iter().map(|&key| key as u64).collect()),
            Data::Int64(values) => Some(values.iter().map(|&key| key as u64).collect()),
            _ => None,
        };
        let (count, table) = (keys.length, words.map(|words| KeyTable::new(&words)));
        Ok(Self { literal, array, count, table })
    }
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    let value = match &arguments.types[0] {
        Type::Map(_, value) => Type::clone(value),
        other => {
            return Err(Error::argument(arguments.function, 1, format!("has type {other}; expected a map")));
        }
    };
    let wanted = Wanted::of(arguments)?;
    let fields = (0..wanted.count).map(|_| Field::new("", value.clone())).collect();
    Ok(Bound::strict(Type::Struct(fields), move |arguments, rows, output, scratch| {
        let bump = &scratch.arena;
        let entries = arguments[0].list().child();
        let (keys, values) = (entries.field(0), entries.field(1));
        if let Some(table) = &wanted.table
            && !keys.may_be_null()
            && keys.is_flat()
        {
            let spans = spans_of(&arguments[0], rows, bump);
            let places = bump.alloc_slice_fill_copy(BLOCK * table.stride(), ABSENT);
            let fill: &dyn Fn(&[Span], &mut [u32]) = match keys.data {
                Data::Int32(keys) => &|spans, places| places_i32(table, keys, spans, places),
                Data::Int64(keys) => &|spans, places| places_i64(table, keys, spans, places),
                _ => return by_search(&wanted, &arguments[0], rows, output, bump),
            };
            let (mut rows, mut block) = (rows.iter(), [0u32; BLOCK]);
            for spans in spans.chunks(BLOCK) {
                let places = &mut places[..spans.len() * table.stride()];
                fill(spans, places);
                let block = &mut block[..spans.len()];
                block.iter_mut().zip(rows.by_ref()).for_each(|(own, row)| *own = row as u32);
                for (field, &position) in output.fields().iter_mut().zip(table.positions()) {
                    let places = places[position as usize..].iter().step_by(table.stride()).copied();
                    write(field, &values, block, places);
                }
            }
            return Ok(());
        }
        by_search(&wanted, &arguments[0], rows, output, bump)
    }))
}

/// Looks each key up by itself, as for one key.
fn by_search(
    wanted: &Wanted,
    maps: &View<'_>,
    rows: Rows<'_>,
    output: &mut Output,
    bump: &Bump,
) -> Result<()> {
    let list = borrow(&wanted.array, &wanted.literal.data_type, bump);
    let asked = list.list().child();
    let maps = maps.list();
    let (keys, values) = (maps.child().field(0), maps.child().field(1));
    for (position, field) in output.fields().iter_mut().enumerate() {
        rows.for_each(|row| match find(&keys, maps.range(row), asked, position) {
            Some(place) => field.copy(row, &values, place),
            None => field.set_null(row),
        });
    }
    Ok(())
}

/// Writes the values at these places to a field, null where there is none.
fn write(field: &mut Output, values: &View<'_>, rows: &[u32], places: impl Iterator<Item = u32> + Clone) {
    if write_plain::<f32>(field, values, rows, places.clone())
        || write_plain::<i64>(field, values, rows, places.clone())
        || write_plain::<f64>(field, values, rows, places.clone())
        || write_plain::<i32>(field, values, rows, places.clone())
    {
        return;
    }
    for (&row, place) in rows.iter().zip(places) {
        match place {
            ABSENT => field.set_null(row as usize),
            place => field.copy(row as usize, values, place as usize),
        }
    }
}

/// Writes numbers without nulls; false, with nothing done, for others.
fn write_plain<T: FixedWidth + WritableFixed>(
    field: &mut Output,
    values: &View<'_>,
    rows: &[u32],
    places: impl Iterator<Item = u32> + Clone,
) -> bool {
    let Some(from) = T::slice(&values.data) else { return false };
    if values.may_be_null() || !values.is_flat() {
        return false;
    }
    let results = field.fixed::<T>();
    for (&row, place) in rows.iter().zip(places.clone()) {
        // There is nothing at the place that means absence.
        results[row as usize] = from.get(place as usize).copied().unwrap_or_default();
    }
    for (&row, _) in rows.iter().zip(places).filter(|(_, place)| *place == ABSENT) {
        field.set_null(row as usize);
    }
    true
}
