//! Sums, means and extremes of lists of whole numbers without nulls, straight over their elements.
//!
//! Results are those of the aggregates, to the bit; lists of other elements go through the aggregates themselves.

use super::plain_lists::{PlainLists, stretches_of};
use super::whole::Whole;
use crate::column::{Data, Output, Rows, View, WritableFixed};
use crate::kernel::level::Level;
use crate::kernel::span::{Stretches, filled, total};
use crate::scratch::Scratch;
use crate::types::Type;

/// What is asked of the elements of a list.
#[derive(Debug, Clone, Copy)]
pub enum Total {
    Sum,
    Mean,
    Least,
    Greatest,
}

impl Total {
    /// What an aggregate asks, if lists of these elements have a short way.
    pub fn of(aggregate: &str, element: &Type) -> Option<Self> {
        if !matches!(element, Type::Int32 | Type::Int64) {
            return None;
        }
        match aggregate {
            "sum" => Some(Self::Sum),
            "avg" => Some(Self::Mean),
            "min" => Some(Self::Least),
            "max" => Some(Self::Greatest),
            _ => None,
        }
    }

    /// Writes the totals of `rows`; false, with nothing written, if their elements may be null.
    pub fn write(self, lists: &View<'_>, rows: Rows<'_>, output: &mut Output, scratch: &mut Scratch) -> bool {
        let child = lists.list().child();
        match child.data {
            Data::Int32(_) => self.write_of::<i32>(lists, rows, output, scratch),
            Data::Int64(_) => self.write_of::<i64>(lists, rows, output, scratch),
            _ => false,
        }
    }

    fn write_of<T: Whole>(
        self,
        lists: &View<'_>,
        rows: Rows<'_>,
        output: &mut Output,
        scratch: &mut Scratch,
    ) -> bool {
        let Some(plain) = PlainLists::<T>::of(lists) else { return false };
        let spans = stretches_of(lists, rows, &scratch.arena);
        let (values, level, count) = (plain.values, Level::current(), spans.len());
        match self {
            Self::Sum => place(rows, output, |sums| total::sum(level, values, spans, sums), count),
            Self::Mean => place(rows, output, |means| total::mean(level, values, spans, means), count),
            Self::Least => place(rows, output, |least| total::least(level, values, spans, least), count),
            Self::Greatest => {
                place(rows, output, |greatest| total::greatest(level, values, spans, greatest), count);
            }
        }
        empty_to_null(spans, rows, output);
        true
    }
}

/// Lets `fill` write the results of `rows`, one after the other.
pub fn place<R: WritableFixed>(
    rows: Rows<'_>,
    output: &mut Output,
    fill: impl FnOnce(&mut [R]),
    count: usize,
) {
    if let Rows::All(count) = rows {
        return fill(&mut output.fixed::<R>()[..count]);
    }
    let mut results = vec![R::default(); count];
    fill(&mut results);
    let values = output.fixed::<R>();
    rows.iter().zip(results).for_each(|(row, result)| values[row] = result);
}

/// Makes the rows null whose span is empty.
fn empty_to_null(spans: Stretches<'_>, rows: Rows<'_>, output: &mut Output) {
    match spans {
        Stretches::Adjoining(offsets) => {
            // Whole columns alone have offsets.
            if filled::has_empty_between(offsets) {
                filled::clear_empty_between(offsets, output.validity_words());
            }
        }
        Stretches::Scattered(spans) if !filled::has_empty_span(spans) => {}
        Stretches::Scattered(spans) => match rows {
            Rows::All(_) => filled::clear_empty_spans(spans, output.validity_words()),
            _ => {
                let lists = rows.iter().zip(spans).filter(|(_, (start, end))| start == end);
                lists.for_each(|(row, _)| output.set_null(row));
            }
        },
    }
}
