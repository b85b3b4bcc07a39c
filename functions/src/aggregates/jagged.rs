//! Lists of many rows as one: values behind one another with the offsets of each row, which is what trainers take.

use super::collector::{Summary, collected};
use crate::aggregate::{AggregateFunction, BoundAggregate};
use crate::column::{Output, View};
use crate::error::{Error, Result};
use crate::list::MemberSet;
use crate::scalar::Arguments;
use crate::signature::{Pattern, list_of_variable, parameter};
use crate::types::{Field, Type};

pub(super) fn functions() -> Vec<AggregateFunction> {
    let jagged = AggregateFunction::new(
        "to_jagged",
        "aggregate",
        "The lists of the group as one list of values and the offsets of each row in it.",
    )
    .overload([list_of_variable("list")], |arguments| {
        let fields = vec![Field::new("values", arguments.types[0].clone()), offsets()];
        Ok(of_lists(arguments, fields, Jagged))
    })
    .order_sensitive()
    .note("Offsets are one more than there are rows; a null list counts as an empty one. A group without rows gives null.")
    .example("to_jagged([7, 8])", "{'values': [7, 8], 'offsets': [0, 2]}");
    let deduplicated = AggregateFunction::new(
        "to_ikjt",
        "aggregate",
        "The distinct lists of the group as values and offsets, and for each row which of them it has.",
    )
    .alias("jagged_dedup")
    .overload([list_of_variable("list")], |arguments| {
        let inverse = Field::new("inverse", Type::list(Type::Int64));
        let fields = vec![Field::new("values", arguments.types[0].clone()), offsets(), inverse];
        Ok(of_lists(arguments, fields, Deduplicated))
    })
    .order_sensitive()
    .note("Distinct lists stand in the order of their first rows and are numbered from 0; a null list counts as an empty one.")
    .note("For features that stay constant over a session: inverse keyed jagged tensors, as RecD has them.")
    .example("to_ikjt([7, 8])", "{'values': [7, 8], 'offsets': [0, 2], 'inverse': [0]}");
    let keyed = AggregateFunction::new(
        "to_kjt",
        "aggregate",
        "The lists of several features of the group as values and lengths, feature by feature.",
    )
    .overload([parameter("features", Pattern::Struct)], keyed)
    .order_sensitive()
    .note("The argument is a struct of lists of one element type. The values of the first feature of all rows come first, and so do their lengths.")
    .note("A null list or struct counts as empty lists. The layout of KeyedJaggedTensor.")
    .example(
        "to_kjt({'a': [7, 8], 'b': [9]})",
        "{'keys': [a, b], 'values': [7, 8, 9], 'lengths': [2, 1], 'offsets': [0, 2, 3]}",
    );
    vec![jagged, deduplicated, keyed]
}

fn offsets() -> Field {
    Field::new("offsets", Type::list(Type::Int64))
}

/// An aggregate over all lists, null ones too.
fn of_lists(arguments: &Arguments<'_>, fields: Vec<Field>, summary: impl Summary) -> BoundAggregate {
    let bound = collected(vec![arguments.types[0].clone()], Type::Struct(fields), summary);
    BoundAggregate { strict: false, ..bound }
}

/// Writes values to one field of a row, and where each list of them ends to another.
struct JaggedWriter<'a> {
    output: &'a mut Output,
    row: usize,
    fields: (usize, usize),
    starts: (usize, usize),
    length: i64,
}

impl<'a> JaggedWriter<'a> {
    fn new(output: &'a mut Output, row: usize, values: usize, offsets: usize) -> Self {
        let starts = (output.field(values).list().start(), output.field(offsets).list().start());
        let mut writer = Self { output, row, fields: (values, offsets), starts, length: 0 };
        writer.push_offset();
        writer
    }

    fn push_offset(&mut self) {
        push(self.output.field(self.fields.1), self.length);
    }

    /// Adds a list of a row of `view`; a null one is empty.
    fn push_list(&mut self, view: &View<'_>, at: usize) -> usize {
        let mut added = 0;
        if view.is_valid(at) {
            let list = view.list();
            let range = list.range(at);
            added = range.len();
            self.length += added as i64;
            self.output.field(self.fields.0).list().child().push_range(list.child(), range);
        }
        self.push_offset();
        added
    }

    fn finish(self) {
        let Self { output, row, fields, starts, .. } = self;
        output.field(fields.0).list().finish(row, starts.0);
        output.field(fields.1).list().finish(row, starts.1);
    }
}

/// Appends a number to a list under construction.
fn push(list: &mut Output, number: i64) {
    let mut writer = list.list();
    let at = writer.child().grow(1);
    writer.child().fixed::<i64>()[at] = number;
}

#[derive(Clone)]
struct Jagged;

impl Summary for Jagged {
    fn write(&self, columns: &[View<'_>], members: &[u32], output: &mut Output, row: usize) {
        let mut writer = JaggedWriter::new(output, row, 0, 1);
        members.iter().for_each(|&member| {
            writer.push_list(&columns[0], member as usize);
        });
        writer.finish();
    }
}

#[derive(Clone)]
struct Deduplicated;

impl Summary for Deduplicated {
    fn write(&self, columns: &[View<'_>], members: &[u32], output: &mut Output, row: usize) {
        let mut distinct = MemberSet::default();
        // The number of each distinct list, by its place among the members of the set; nulls are not in the set.
        let (mut numbers, mut number_of_null, mut count) = (Vec::new(), None, 0i64);
        let mut inverse = Vec::with_capacity(members.len());
        let mut writer = JaggedWriter::new(output, row, 0, 1);
        for &member in members {
            let at = member as usize;
            let is_null = columns[0].is_null(at) || columns[0].list().length(at) == 0;
            let known = match is_null {
                true => number_of_null,
                false => distinct.find(&columns[0], &columns[0], at).map(|place: usize| numbers[place]),
            };
            inverse.push(known.unwrap_or(count));
            if known.is_none() {
                match is_null {
                    true => number_of_null = Some(count),
                    false => {
                        distinct.insert(&columns[0], at);
                        numbers.push(count);
                    }
                }
                count += 1;
                writer.push_list(&columns[0], at);
            }
        }
        writer.finish();
        let list = output.field(2);
        let start = list.list().start();
        inverse.into_iter().for_each(|number| push(list, number));
        list.list().finish(row, start);
    }
}

fn keyed(arguments: &Arguments<'_>) -> Result<BoundAggregate> {
    let refused = |problem: String| Err(Error::argument(arguments.function, 1, problem));
    let Type::Struct(features) = &arguments.types[0] else {
        return refused(format!("has type {}; expected a struct of lists", arguments.types[0]));
    };
    let Some(first) = features.first() else { return refused("has no fields; expected lists".into()) };
    if let Some(other) = features.iter().find(|field| field.data_type != first.data_type) {
        let problem = format!(
            "has field \"{}\" of type {}; expected {}, the type of \"{}\"",
            other.name, other.data_type, first.data_type, first.name
        );
        return refused(problem);
    }
    if !matches!(first.data_type, Type::List(_)) {
        return refused(format!("has field \"{}\" of type {}; expected a list", first.name, first.data_type));
    }
    let keys: Vec<String> = features.iter().map(|field| field.name.clone()).collect();
    let fields = vec![
        Field::new("keys", Type::list(Type::Text)),
        Field::new("values", first.data_type.clone()),
        Field::new("lengths", Type::list(Type::Int64)),
        offsets(),
    ];
    Ok(of_lists(arguments, fields, Keyed { keys }))
}

#[derive(Clone)]
struct Keyed {
    keys: Vec<String>,
}

impl Summary for Keyed {
    fn write(&self, columns: &[View<'_>], members: &[u32], output: &mut Output, row: usize) {
        let mut keys = output.field(0).list();
        let start = keys.child().grow(self.keys.len());
        for (position, key) in self.keys.iter().enumerate() {
            keys.child().text().set(start + position, key);
        }
        keys.finish(row, start);
        let lengths_start = output.field(2).list().start();
        let mut lengths = Vec::with_capacity(members.len() * self.keys.len());
        let mut writer = JaggedWriter::new(output, row, 1, 3);
        for feature in 0..self.keys.len() {
            let lists = columns[0].field(feature);
            for &member in members {
                let at = member as usize;
                // A null struct may hold anything.
                match columns[0].is_valid(at) {
                    true => lengths.push(writer.push_list(&lists, at)),
                    false => {
                        writer.push_offset();
                        lengths.push(0);
                    }
                }
            }
        }
        writer.finish();
        let list = output.field(2);
        lengths.into_iter().for_each(|length| push(list, length as i64));
        list.list().finish(row, lengths_start);
    }
}
