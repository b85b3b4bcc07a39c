//! list and string_agg: the values of a group, together.

use super::collector::{Summary, collected, write_list};
use crate::aggregate::{AggregateFunction, BoundAggregate};
use crate::column::{Output, View};
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
            Ok(BoundAggregate { strict: false, ..collected(vec![element], result, List) })
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
                Ok(collected(vec![Type::Text], Type::Text, Joined { separator }))
            },
        )
        .order_sensitive()
        .note("Nulls are skipped; a group without texts gives null. The separator must be constant.")
        .example("string_agg('a', '-')", "a"),
    ]
}

#[derive(Clone)]
struct List;

impl Summary for List {
    fn write(&self, columns: &[View<'_>], members: &[u32], output: &mut Output, row: usize) {
        write_list(output, row, &columns[0], members);
    }
}

/// Texts with a separator between them; a null separator gives null.
#[derive(Clone)]
struct Joined {
    separator: Option<String>,
}

impl Summary for Joined {
    fn write(&self, columns: &[View<'_>], members: &[u32], output: &mut Output, row: usize) {
        let texts = columns[0].text();
        let (Some(separator), [first, others @ ..]) = (&self.separator, members) else {
            return output.set_null(row);
        };
        output.text().build(row, |builder| {
            builder.push_str(texts.get(*first as usize));
            for &member in others {
                builder.push_str(separator);
                builder.push_str(texts.get(member as usize));
            }
        });
    }
}
