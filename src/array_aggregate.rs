//! Aggregate functions over Arrow arrays: what hosts in other languages register.
//!
//! A call sees all values of one group at once, in the order of the rows, and gives one value. So a group's values are kept until
//! it is finished, and spilled like any other state; aggregates in Rust that can do with less are better written as
//! [`crate::aggregate::Accumulator`] or with [`crate::closure::fold`].

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use hypostyle_functions::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use hypostyle_functions::column::{Output, Rows, View, borrow, export, import};
use hypostyle_functions::error::{Error, Result};
use hypostyle_functions::scratch::Scratch;
use hypostyle_functions::signature::{Parameter, exact};
use hypostyle_functions::types::Type;

use crate::array_function::{CATEGORY, NAMES};

/// An aggregate of these argument types: `call` is given the values of a group and their number, and gives an array of one value. It may run on
/// several threads at once. A group without rows is null, and so is a row left out that has a null argument if the aggregate is `strict`.
///
/// ```
/// use std::sync::Arc;
/// use hypostyle::arrow::array::{ArrayRef, AsArray, Int64Array};
/// use hypostyle::arrow::datatypes::Int64Type;
/// use hypostyle::{Session, Type, array_aggregate};
/// let session = Session::new();
/// let spread = |arrays: &[ArrayRef], _rows: usize| {
///     let values = arrays[0].as_primitive::<Int64Type>().values();
///     let spread = values.iter().max().zip(values.iter().min()).map(|(most, least)| most - least);
///     Ok(Arc::new(Int64Array::from(vec![spread])) as ArrayRef)
/// };
/// session.register_aggregate(array_aggregate::over_groups("spread", &[Type::Int64], Type::Int64, true, spread)?);
/// let batches = session.sql("SELECT spread(x) AS s FROM range(3, 10) t(x)")?.collect_all()?;
/// assert_eq!(batches[0].column(0).as_primitive::<Int64Type>().value(0), 6);
/// # Ok::<(), hypostyle::Error>(())
/// ```
///
/// # Errors
/// No arguments, or more than 16.
pub fn over_groups<F>(
    name: &str,
    arguments: &[Type],
    result: Type,
    strict: bool,
    call: F,
) -> Result<AggregateFunction>
where
    F: Fn(&[ArrayRef], usize) -> Result<ArrayRef> + Send + Sync + 'static,
{
    if arguments.is_empty() || arguments.len() > NAMES.len() {
        return Err(Error::user(format!(
            "aggregate {name} takes {} arguments; 1 to {} are possible",
            arguments.len(),
            NAMES.len()
        )));
    }
    let parameters: Vec<Parameter> =
        NAMES.iter().zip(arguments).map(|(name, data_type)| exact(name, data_type.clone())).collect();
    let types = arguments.to_vec();
    let function = Arc::new(GroupFunction { name: name.to_owned(), result, call });
    let aggregate = AggregateFunction::new(name, CATEGORY, "An aggregate of this session.");
    Ok(aggregate.order_sensitive().overload(parameters, move |_| {
        let lists = types.iter().map(|data_type| Type::list(data_type.clone()));
        let states = std::iter::once(Type::list(Type::UInt64)).chain(lists).collect();
        let (function, types) = (Arc::clone(&function), types.clone());
        let result = function.result.clone();
        let make = move || Gathered::new(&types, Arc::clone(&function));
        Ok(match strict {
            true => BoundAggregate::strict(result, states, make),
            false => BoundAggregate::null_aware(result, states, make),
        })
    }))
}

struct GroupFunction<F> {
    name: String,
    result: Type,
    call: F,
}

/// The values of all groups, in the order in which they came.
struct Gathered<F> {
    function: Arc<GroupFunction<F>>,
    /// One column per argument.
    arguments: Vec<Output>,
    /// Ordinal of each value.
    ordinals: Vec<u64>,
    /// The values of each group, by position.
    groups: Vec<Vec<u32>>,
}

impl<F> Gathered<F> {
    fn new(types: &[Type], function: Arc<GroupFunction<F>>) -> Self {
        let arguments = types.iter().cloned().map(Output::copying).collect();
        Self { function, arguments, ordinals: Vec::new(), groups: Vec::new() }
    }

    /// Notes a value whose arguments have been pushed.
    fn add(&mut self, group: u32, ordinal: u64) -> Result<()> {
        let position = u32::try_from(self.ordinals.len()).map_err(|_| {
            Error::Resource(format!("{}: a worker holds more than 2^32 values", self.function.name))
        })?;
        self.ordinals.push(ordinal);
        self.groups[group as usize].push(position);
        Ok(())
    }

    /// The values of a group in the order of the rows.
    fn ordered(&self, group: u32) -> Vec<u32> {
        let mut places = self.groups[group as usize].clone();
        places.sort_by_key(|place| self.ordinals[*place as usize]);
        places
    }
}

impl<F> Accumulator for Gathered<F>
where
    F: Fn(&[ArrayRef], usize) -> Result<ArrayRef> + Send + Sync + 'static,
{
    fn resize(&mut self, groups: usize) {
        self.groups.resize_with(groups, Vec::new);
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], ordinal: u64) -> Result<()> {
        rows.try_for_each(|row| {
            for (column, view) in self.arguments.iter_mut().zip(arguments) {
                column.push(view, row);
            }
            self.add(groups[row], ordinal + row as u64)
        })
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let ordinals = states[0].list();
        for (state, &group) in groups.iter().enumerate() {
            let range = ordinals.range(state);
            for (column, view) in self.arguments.iter_mut().zip(&states[1..]) {
                let list = view.list();
                column.push_range(list.child(), list.range(state));
            }
            let numbers = ordinals.child().fixed::<u64>();
            range.into_iter().try_for_each(|place| self.add(group, numbers.get(place)))?;
        }
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        let scratch = Scratch::default();
        for (row, &group) in groups.iter().enumerate() {
            let places = self.ordered(group);
            let mut list = output[0].list();
            let start = list.child().grow(places.len());
            let numbers = &mut list.child().fixed::<u64>()[start..];
            numbers
                .iter_mut()
                .zip(&places)
                .for_each(|(number, place)| *number = self.ordinals[*place as usize]);
            list.finish(row, start);
            for (column, values) in output[1..].iter_mut().zip(&self.arguments) {
                let mut list = column.list();
                let start = list.child().len();
                list.child().push_places(&values.view(&scratch.arena), &places);
                list.finish(row, start);
            }
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        let GroupFunction { name, result, call } = &*self.function;
        let mut scratch = Scratch::default();
        for (row, &group) in groups.iter().enumerate() {
            let places = self.ordered(group);
            if places.is_empty() {
                output.set_null(row);
                continue;
            }
            let arrays = self.arguments.iter().map(|values| gathered(values, &places, &scratch));
            let array = call(&arrays.collect::<Result<Vec<_>>>()?, places.len())?;
            let given = Type::from_arrow(array.data_type())?;
            if array.len() != 1 || given != *result {
                return Err(Error::user(format!(
                    "{name}: gave {} values of type {given} for a group; one of type {result} is expected",
                    array.len()
                )));
            }
            let array = import(&array, result)?.to_array()?;
            output.copy(row, &borrow(&array, result, &scratch.arena), 0);
            scratch.arena.reset();
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        let values: usize = self.arguments.iter().map(Output::memory_bytes).sum();
        let places: usize = self.groups.iter().map(|places| places.capacity() * size_of::<u32>()).sum();
        let groups = self.groups.capacity() * size_of::<Vec<u32>>();
        values + self.ordinals.capacity() * size_of::<u64>() + places + groups
    }
}

/// Some values of a column as an array, in the form in which rows are handed out.
fn gathered(values: &Output, places: &[u32], scratch: &Scratch) -> Result<ArrayRef> {
    let mut column = Output::copying(values.data_type().clone());
    column.prepare(0);
    column.push_places(&values.view(&scratch.arena), places);
    export(&column.freeze()?, &values.data_type().to_exported())
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, StringArray};

    use super::*;
    use crate::{Configuration, Session};

    /// The texts of a group, one after the other.
    fn joined(strict: bool) -> AggregateFunction {
        over_groups("joined", &[Type::Text, Type::Int64], Type::Text, strict, |arrays, rows| {
            let texts = arrays[0].as_string_view();
            assert_eq!((texts.len(), arrays[1].len()), (rows, rows));
            let text: String = texts.iter().map(|text| text.unwrap_or("-")).collect();
            Ok(Arc::new(StringArray::from(vec![text])) as ArrayRef)
        })
        .unwrap()
    }

    fn texts(session: &Session, sql: &str) -> Vec<Option<String>> {
        let batches = session.sql(sql).unwrap().collect_all().unwrap();
        let column = |batch: &arrow::array::RecordBatch| {
            batch.column(0).as_string_view().iter().map(|text| text.map(str::to_owned)).collect::<Vec<_>>()
        };
        batches.iter().flat_map(column).collect()
    }

    #[test]
    fn a_group_sees_its_values_in_the_order_of_the_rows() {
        for threads in [1, 2] {
            let configuration = Configuration { threads, batch_rows: 3, ..Configuration::default() };
            let session = Session::with_configuration(configuration);
            session.register_aggregate(joined(true));
            let sql = "SELECT joined(x::VARCHAR, x) AS t FROM range(12) t(x) GROUP BY x % 2 ORDER BY x % 2";
            assert_eq!(texts(&session, sql), [Some("0246810".into()), Some("1357911".into())]);
        }
    }

    #[test]
    fn rows_with_a_null_are_left_out_unless_they_are_asked_for() {
        let session = Session::new();
        let sql = "SELECT joined(t, x) FROM (VALUES ('a', 1), (NULL, 2), ('c', NULL)) AS t(t, x)";
        session.register_aggregate(joined(true));
        assert_eq!(texts(&session, sql), [Some("a".into())]);
        session.register_aggregate(joined(false));
        assert_eq!(texts(&session, sql), [Some("a-c".into())]);
    }

    #[test]
    fn groups_without_rows_are_null_and_windows_and_filters_work() {
        let session = Session::new();
        session.register_aggregate(joined(true));
        assert_eq!(texts(&session, "SELECT joined('a', x) FROM range(0) t(x)"), [None]);
        let window = "SELECT joined(x::VARCHAR, x) OVER (ORDER BY x ROWS 1 PRECEDING) FROM range(3) t(x)";
        assert_eq!(texts(&session, window), [Some("0".into()), Some("01".into()), Some("12".into())]);
        let filter = "SELECT joined(x::VARCHAR, x) FILTER (WHERE x > 1) FROM range(4) t(x)";
        assert_eq!(texts(&session, filter), [Some("23".into())]);
    }
}
