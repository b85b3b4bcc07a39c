//! States of an aggregate of parts of each group: written and read as lists, a part an element.

use bumpalo::Bump;

use crate::aggregate::{Accumulator, AggregateFunction, AggregateOverload, BoundAggregate};
use crate::column::{Output, Rows, View};
use crate::error::Result;
use crate::scalar::Arguments;
use crate::types::Type;

/// The forms with one parameter of a built-in aggregate.
pub(super) fn forms_of(functions: &[AggregateFunction], name: &str) -> Vec<AggregateOverload> {
    let function = functions.iter().find(|function| function.name == name);
    let forms = function.into_iter().flat_map(|function| &function.overloads);
    forms.filter(|form| form.signature.parameters.len() == 1).cloned().collect()
}

/// Binds an inner aggregate to its argument alone.
///
/// # Errors
/// As the inner aggregate.
pub(super) fn bind_inner(
    form: &AggregateOverload,
    arguments: &Arguments<'_>,
    data_type: &Type,
) -> Result<BoundAggregate> {
    let inner = Arguments {
        function: arguments.function,
        types: std::slice::from_ref(data_type),
        constants: &[None],
        settings: arguments.settings,
    };
    (form.bind)(&inner)
}

/// The types of lists of the inner states.
pub(super) fn list_types(states: &[Type]) -> impl Iterator<Item = Type> + '_ {
    states.iter().map(|state| Type::list(state.clone()))
}

/// The inner states of parts.
///
/// # Errors
/// As the inner accumulator.
pub(super) fn states_of(inner: &mut dyn Accumulator, types: &[Type], parts: &[u32]) -> Result<Vec<Output>> {
    let mut outputs: Vec<Output> = types.iter().map(|state| Output::new(state.clone())).collect();
    outputs.iter_mut().for_each(|output| output.prepare(parts.len()));
    inner.state(parts, &mut outputs)?;
    Ok(outputs)
}

/// Writes elements to lists, as many to each as `lengths` says; a length of `None` writes a null.
pub(super) fn write_lists(
    elements: &View<'_>,
    lengths: impl Iterator<Item = Option<usize>>,
    output: &mut Output,
) {
    let mut next = 0;
    for (row, length) in lengths.enumerate() {
        let Some(length) = length else {
            output.set_null(row);
            continue;
        };
        let mut writer = output.list();
        let start = writer.start();
        writer.child().push_range(elements, next..next + length);
        writer.finish(row, start);
        next += length;
    }
}

/// The elements of the valid rows of lists of states, in order, as columns of their own.
pub(super) fn read_lists(states: &[View<'_>], rows: usize) -> Vec<Output> {
    let read = |state: &View<'_>| {
        let list = state.list();
        let mut output = Output::new(list.child().data_type.clone());
        (0..rows)
            .filter(|&row| state.is_valid(row))
            .for_each(|row| output.push_range(list.child(), list.range(row)));
        output
    };
    states.iter().map(read).collect()
}

/// Merges inner states into parts.
///
/// # Errors
/// As the inner accumulator.
pub(super) fn merge_states(inner: &mut dyn Accumulator, states: &[Output], parts: &[u32]) -> Result<()> {
    let bump = Bump::new();
    let views: Vec<View<'_>> = states.iter().map(|state| state.view(&bump)).collect();
    inner.merge(&views, parts)
}

/// The chosen rows of a column as a flat column of their own: the elements of its lists then belong to one row each.
pub(super) fn flat_rows(view: &View<'_>, rows: Rows<'_>) -> Output {
    let mut output = Output::new(view.data_type.clone());
    output.prepare(rows.count());
    rows.iter().enumerate().for_each(|(to, from)| output.copy(to, view, from));
    output
}
