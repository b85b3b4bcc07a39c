//! list and string_agg: the values of a group, together.

use bumpalo::Bump;

use super::collector::{Collector, write_list};
use crate::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use crate::column::{Output, Rows, View};
use crate::error::Result;
use crate::signature::{any, exact};
use crate::types::Type;
use crate::value::{Literal, Value};

pub(super) fn functions() -> Vec<AggregateFunction> {
    vec![
        AggregateFunction::new(
            "list",
            "aggregate",
            "All values of the group as a list, nulls included, in the input's order.",
        )
        .alias("array_agg")
        .overload([any("value")], |arguments| {
            let element = arguments.types[0].clone();
            let result = Type::list(element.clone());
            Ok(BoundAggregate::null_aware(result, Collector::states(element.clone()), move || List {
                collector: Collector::new(element.clone()),
            }))
        })
        .order_sensitive()
        .note("A group without rows gives null.")
        .example("list(42)", "[42]"),
        AggregateFunction::new(
            "string_agg",
            "aggregate",
            "The texts of the group joined by a separator, in the input's order.",
        )
        .alias("group_concat")
        .alias("listagg")
        .overload(
            [exact("text", Type::Text), exact("separator", Type::Text).or(Literal::new(Value::text(",")))],
            |arguments| {
                let separator = arguments.constant(1)?.as_text().map(str::to_string);
                Ok(BoundAggregate::strict(Type::Text, Collector::states(Type::Text), move || Joined {
                    collector: Collector::new(Type::Text),
                    separator: separator.clone(),
                }))
            },
        )
        .order_sensitive()
        .note("Nulls are skipped; a group without texts gives null. The separator must be constant.")
        .example("string_agg('a', '-')", "a"),
    ]
}

struct List {
    collector: Collector,
}

impl Accumulator for List {
    fn resize(&mut self, groups: usize) {
        self.collector.resize(groups);
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], ordinal: u64) -> Result<()> {
        self.collector.add(&arguments[0], rows, groups, ordinal);
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        self.collector.merge(states, groups);
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        self.collector.state(groups, output);
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        let bump = Bump::new();
        let (grouped, values) = (self.collector.grouped(), self.collector.view(&bump));
        for (row, &group) in groups.iter().enumerate() {
            match grouped.rows(group) {
                [] => output.set_null(row),
                members => write_list(output, row, &values, members),
            }
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.collector.memory_bytes()
    }
}

struct Joined {
    collector: Collector,
    separator: Option<String>,
}

impl Accumulator for Joined {
    fn resize(&mut self, groups: usize) {
        self.collector.resize(groups);
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], ordinal: u64) -> Result<()> {
        self.collector.add(&arguments[0], rows, groups, ordinal);
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        self.collector.merge(states, groups);
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        self.collector.state(groups, output);
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        let bump = Bump::new();
        let (grouped, values) = (self.collector.grouped(), self.collector.view(&bump));
        let texts = values.text();
        for (row, &group) in groups.iter().enumerate() {
            let (Some(separator), [first, others @ ..]) = (&self.separator, grouped.rows(group)) else {
                output.set_null(row);
                continue;
            };
            output.text().build(row, |builder| {
                builder.push_str(texts.get(*first as usize));
                for &member in others {
                    builder.push_str(separator);
                    builder.push_str(texts.get(member as usize));
                }
            });
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.collector.memory_bytes()
    }
}
