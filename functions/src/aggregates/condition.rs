//! `count_where`, `sum_where` and their kin: aggregates of the rows where a condition is true.

use super::parts::{bind_inner, forms_of};
use crate::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use crate::column::{Output, Rows, View};
use crate::error::Result;
use crate::signature::exact;
use crate::types::Type;

/// Aggregates that have forms with conditions and categories, with what the reference says of each.
pub(super) const CONDITIONAL: [(&str, &str); 5] = [
    ("count", "Number of values that are not null"),
    ("sum", "Sum of the values"),
    ("avg", "Mean of the values"),
    ("min", "Least value"),
    ("max", "Greatest value"),
];

pub(super) fn functions(inner: &[AggregateFunction]) -> Vec<AggregateFunction> {
    CONDITIONAL.into_iter().map(|(name, summary)| conditional(inner, name, summary)).collect()
}

fn conditional(inner: &[AggregateFunction], name: &str, summary: &str) -> AggregateFunction {
    let outer = format!("{name}_where");
    let example = format!("{outer}(42, true)");
    let shown = match name {
        "count" => "1",
        "avg" => "42.0",
        _ => "42",
    };
    let function = AggregateFunction::new(outer, "aggregate", &format!("{summary} where a condition is true."))
        .note("The same as with FILTER (WHERE condition): nulls are skipped, and so are rows whose condition is null. Name and order of arguments are OpenMLDB's.")
        .example(&example, shown);
    forms_of(inner, name).into_iter().fold(function, |function, form| {
        let parameters = [form.signature.parameters[0].clone(), exact("condition", Type::Boolean)];
        function.overload(parameters, move |arguments| {
            let bound = bind_inner(&form, arguments, &arguments.types[0])?;
            let make = bound.make;
            let make = move || Where { inner: make(), kept: Vec::new() };
            Ok(BoundAggregate::strict(bound.result, bound.states, make))
        })
    })
}

struct Where {
    inner: Box<dyn Accumulator>,
    kept: Vec<u32>,
}

impl Accumulator for Where {
    fn resize(&mut self, groups: usize) {
        self.inner.resize(groups);
    }

    fn clear(&mut self) -> bool {
        self.inner.clear()
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], ordinal: u64) -> Result<()> {
        let conditions = arguments[1].boolean();
        self.kept.clear();
        self.kept.extend(rows.iter().filter(|&row| conditions.get(row)).map(|row| row as u32));
        self.inner.update(&arguments[..1], Rows::Selected(&self.kept), groups, ordinal)
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        self.inner.merge(states, groups)
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        self.inner.state(groups, output)
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        self.inner.finish(groups, output)
    }

    fn memory_bytes(&self) -> usize {
        self.inner.memory_bytes() + self.kept.capacity() * 4
    }
}
