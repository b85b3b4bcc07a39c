//! Lifts a kernel over slices to lists: it runs over the elements of adjoining lists at once, and
//! the shape of the lists is kept.

use std::ops::Range;

use crate::column::{FixedWidth, Output, Rows, View, WritableFixed};
use crate::scalar::Bound;
use crate::types::Type;

/// The list type of the same shape with elements of another type.
pub(crate) fn with_element(list: &Type, element: Type) -> Type {
    match list {
        Type::FixedList(_, size) => Type::fixed_list(element, *size),
        _ => Type::list(element),
    }
}

/// A strict function of lists (of the first argument) that computes each element from the same one;
/// null elements stay null.
pub(crate) fn over_elements<A: FixedWidth, R: WritableFixed>(
    list: &Type,
    element: Type,
    kernel: impl Fn(&[A], &mut [R]) + Send + Sync + 'static,
) -> Bound {
    Bound::strict(with_element(list, element), move |arguments, rows, output, _| {
        map_elements(&arguments[0], rows, output, &kernel);
        output.check_capacity()
    })
}

/// Computes the elements of `rows` of `output`, a list or fixed list, from those of `view`.
pub(crate) fn map_elements<A: FixedWidth, R: WritableFixed>(
    view: &View<'_>,
    rows: Rows<'_>,
    output: &mut Output,
    kernel: &impl Fn(&[A], &mut [R]),
) {
    let list = view.list();
    let child = list.child();
    let elements = child.fixed::<A>();
    let Some(values) = elements.flat() else {
        // Elements of lists are flat in every layout of the engine; anything else is copied first.
        let values: Vec<A> = (0..child.length).map(|element| elements.get(element)).collect();
        return map_runs(view, rows, output, &values, kernel);
    };
    map_runs(view, rows, output, values, kernel);
}

fn map_runs<A: FixedWidth, R: WritableFixed>(
    view: &View<'_>,
    rows: Rows<'_>,
    output: &mut Output,
    values: &[A],
    kernel: &impl Fn(&[A], &mut [R]),
) {
    let list = view.list();
    let child = list.child();
    let fixed_size = match output.data_type() {
        Type::FixedList(_, size) => Some(*size),
        _ => None,
    };
    let mut run = Run { source: 0..0, start: 0 };
    let mut next = if fixed_size.is_some() { 0 } else { output.list().start() };
    rows.for_each(|row| {
        let range = list.range(row);
        let start = fixed_size.map_or(next, |size| row * size);
        if fixed_size.is_none() {
            output.list().set(row, start, range.len());
            next += range.len();
        }
        if range.start == run.source.end && start == run.start + run.source.len() {
            run.source.end = range.end;
        } else {
            run.flush(child, values, output, kernel);
            run = Run { source: range, start };
        }
    });
    run.flush(child, values, output, kernel);
}

/// Elements that adjoin in the source and in the result.
struct Run {
    source: Range<usize>,
    start: usize,
}

impl Run {
    fn flush<A: FixedWidth, R: WritableFixed>(
        &self,
        child: &View<'_>,
        values: &[A],
        output: &mut Output,
        kernel: &impl Fn(&[A], &mut [R]),
    ) {
        let length = self.source.len();
        let is_fixed = matches!(output.data_type(), Type::FixedList(..));
        let mut list;
        let target = if is_fixed {
            output.fixed_list_child()
        } else {
            list = output.list();
            let child = list.child();
            child.grow(length);
            child
        };
        kernel(&values[self.source.clone()], &mut target.fixed::<R>()[self.start..self.start + length]);
        if child.may_be_null() {
            for (position, element) in self.source.clone().enumerate() {
                if child.is_null(element) {
                    target.set_null(self.start + position);
                }
            }
        }
    }
}
