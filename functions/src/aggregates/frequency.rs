//! mode, histogram, entropy, top1_ratio, distinct_count, top_n_frequency: how often each value of a group occurs.

use bumpalo::Bump;
use hashbrown::HashTable;

use super::borders::with_borders;
use super::collector::{Grouped, write_list};
use crate::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use crate::cast::format_value;
use crate::column::{Output, Rows, View, compare, equal, hash};
use crate::error::{Error, Result};
use crate::signature::{any, exact};
use crate::types::Type;
use crate::value::{Literal, Value};

pub(super) fn functions() -> Vec<AggregateFunction> {
    let function = |name: &str, summary: &str, result: fn(&Type) -> Type, write: Write| {
        AggregateFunction::new(name, "aggregate", summary).overload([any("value")], move |arguments| {
            let data_type = arguments.types[0].clone();
            Ok(BoundAggregate::strict(result(&data_type), states(&data_type), move || {
                Frequency::new(data_type.clone(), write)
            }))
        })
    };
    vec![
        function(
            "mode",
            "Most frequent value; of equally frequent ones the first to occur.",
            Type::clone,
            write_mode,
        )
        .order_sensitive()
        .note("Nulls are skipped; a group without values gives null.")
        .example("mode(42)", "42"),
        with_borders(function(
            "histogram",
            "Map from each value to how often it occurs, in the order of the values.",
            |data_type| Type::map(data_type.clone(), Type::UInt64),
            write_histogram,
        ))
        .note("Nulls are skipped; a group without values gives null.")
        .example("histogram(42)", "{42=1}")
        .example("histogram(42, [10, 50])", "{10=0, 50=1}"),
        function(
            "top1_ratio",
            "Share of the values of a group that are the most frequent one.",
            |_| Type::Float64,
            write_top_ratio,
        )
        .note("Nulls are skipped; a group without values gives 0, as in OpenMLDB.")
        .example("top1_ratio(42)", "1.0"),
        function("distinct_count", "Number of distinct values.", |_| Type::Int64, write_distinct)
            .note("Nulls are skipped; a group without values gives 0. The same as count(DISTINCT value).")
            .ignores_duplicates()
            .example("distinct_count(42)", "1"),
        most_frequent(),
        function(
            "entropy",
            "Entropy of the distribution of the values, in bits.",
            |_| Type::Float64,
            write_entropy,
        )
        .note("Nulls are skipped; a group without values gives 0.")
        .example("entropy(42)", "0.0"),
    ]
}

/// One more than the most values a group may show.
const COUNT_END: i64 = 1_000_000;

/// Frequencies are exact, whatever the number of distinct values: states spill.
fn most_frequent() -> AggregateFunction {
    AggregateFunction::new("top_n_frequency", "aggregate", "The n most frequent values of a group, the most frequent first.")
        .alias("topn_frequency")
        .alias("approx_top_k")
        .overload(
            [any("value"), exact("n", Type::Int64), exact("format", Type::Text).or(Literal::new(Value::from("list")))],
            |arguments| {
                let count = arguments.constant(1)?.as_i64().filter(|count| (1..COUNT_END).contains(count));
                let count = count.ok_or_else(|| {
                    let problem = format!("must be a constant number from 1 to {}", COUNT_END - 1);
                    Error::argument(arguments.function, 2, problem)
                })? as usize;
                let is_text = match arguments.constant_text(2)? {
                    format if format.eq_ignore_ascii_case("list") => false,
                    format if format.eq_ignore_ascii_case("text") => true,
                    other => {
                        let problem = format!("is \"{other}\"; expected 'list' or 'text'");
                        return Err(Error::argument(arguments.function, 3, problem));
                    }
                };
                let data_type = arguments.types[0].clone();
                let result = if is_text { Type::Text } else { Type::list(data_type.clone()) };
                let write = if is_text { write_frequent_text } else { write_frequent };
                Ok(BoundAggregate::strict(result, states(&data_type), move || Frequency {
                    count,
                    ..Frequency::new(data_type.clone(), write)
                }))
            },
        )
        .note("Of equally frequent values the least comes first. Nulls are skipped; a group without values gives null. Exact: every distinct value is counted.")
        .note("format => 'text' joins the values by commas and fills up with NULL, as OpenMLDB's topn_frequency.")
        .example("top_n_frequency(42, 3)", "[42]")
        .example("top_n_frequency(42, 3, format => 'text')", "42,NULL,NULL")
}

/// Lists of values, of their counts, and of the ordinals of their first rows.
fn states(data_type: &Type) -> Vec<Type> {
    vec![Type::list(data_type.clone()), Type::list(Type::Int64), Type::list(Type::UInt64)]
}

/// Writes the result of one group from its entries, which are in no particular order.
type Write = fn(&Frequency, &View<'_>, &mut [u32], &mut Output, usize);

#[derive(Clone, Copy)]
struct Entry {
    group: u32,
    count: i64,
    first: u64,
}

/// Distinct (group, value) pairs with their counts.
struct Frequency {
    values: Output,
    entries: Vec<Entry>,
    table: HashTable<u32>,
    groups: usize,
    /// Made when results or states are asked for, of all groups at once.
    grouped: Option<Grouped>,
    write: Write,
    /// Number of values that are shown, of the functions that have one.
    count: usize,
}

impl Frequency {
    fn new(data_type: Type, write: Write) -> Self {
        Self {
            values: Output::copying(data_type),
            entries: Vec::new(),
            table: HashTable::new(),
            groups: 0,
            grouped: None,
            write,
            count: 0,
        }
    }

    fn add(&mut self, bump: &Bump, group: u32, values: &View<'_>, row: usize, count: i64, ordinal: u64) {
        let code = hash(values, row, u64::from(group));
        let held = self.values.view(bump);
        let same = |&place: &u32| {
            self.entries[place as usize].group == group && equal(&held, place as usize, values, row)
        };
        if let Some(&place) = self.table.find(code, same) {
            let entry = &mut self.entries[place as usize];
            entry.count += count;
            entry.first = entry.first.min(ordinal);
            return;
        }
        let entries = &self.entries;
        let rehash = |&place: &u32| hash(&held, place as usize, u64::from(entries[place as usize].group));
        self.table.insert_unique(code, self.entries.len() as u32, rehash);
        self.values.push(values, row);
        self.entries.push(Entry { group, count, first: ordinal });
    }

    /// Puts the values together by group, once for all groups.
    fn group(&mut self) {
        let owners = self.entries.iter().map(|entry| entry.group);
        self.grouped.get_or_insert_with(|| Grouped::new(owners, self.groups));
    }
}

impl Accumulator for Frequency {
    fn resize(&mut self, groups: usize) {
        self.groups = groups;
        self.grouped = None;
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], ordinal: u64) -> Result<()> {
        self.grouped = None;
        let mut bump = Bump::new();
        for row in rows {
            self.add(&bump, groups[row], &arguments[0], row, 1, ordinal + row as u64);
            bump.reset();
        }
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        self.grouped = None;
        let mut bump = Bump::new();
        let (values, counts, firsts) = (states[0].list(), states[1].list(), states[2].list());
        let (count, first) = (counts.child().fixed::<i64>(), firsts.child().fixed::<u64>());
        for (row, &group) in groups.iter().enumerate().filter(|(row, _)| states[0].is_valid(*row)) {
            let shift = counts.range(row).start as i64 - values.range(row).start as i64;
            for place in values.range(row) {
                let at = (place as i64 + shift) as usize;
                self.add(&bump, group, values.child(), place, count.get(at), first.get(at));
                bump.reset();
            }
        }
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        let bump = Bump::new();
        self.group();
        let (Some(grouped), values) = (&self.grouped, self.values.view(&bump)) else { return Ok(()) };
        let [lists, counts, firsts] = output else { return Ok(()) };
        for (row, &group) in groups.iter().enumerate() {
            let members = grouped.rows(group);
            write_list(lists, row, &values, members);
            let mut writer = counts.list();
            let start = writer.child().grow(members.len());
            for (position, &place) in members.iter().enumerate() {
                writer.child().fixed::<i64>()[start + position] = self.entries[place as usize].count;
            }
            writer.finish(row, start);
            let mut writer = firsts.list();
            let start = writer.child().grow(members.len());
            for (position, &place) in members.iter().enumerate() {
                writer.child().fixed::<u64>()[start + position] = self.entries[place as usize].first;
            }
            writer.finish(row, start);
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        let bump = Bump::new();
        self.group();
        let (Some(grouped), values) = (&self.grouped, self.values.view(&bump)) else { return Ok(()) };
        for (row, &group) in groups.iter().enumerate() {
            (self.write)(self, &values, &mut grouped.rows(group).to_vec(), output, row);
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.values.memory_bytes()
            + self.entries.capacity() * size_of::<Entry>()
            + self.table.allocation_size()
    }
}

fn write_mode(
    frequency: &Frequency,
    values: &View<'_>,
    members: &mut [u32],
    output: &mut Output,
    row: usize,
) {
    let rank = |place: &&u32| {
        let entry = &frequency.entries[**place as usize];
        (entry.count, std::cmp::Reverse(entry.first))
    };
    match members.iter().max_by_key(rank) {
        Some(&place) => output.copy(row, values, place as usize),
        None => output.set_null(row),
    }
}

fn write_histogram(
    frequency: &Frequency,
    values: &View<'_>,
    members: &mut [u32],
    output: &mut Output,
    row: usize,
) {
    if members.is_empty() {
        output.set_null(row);
        return;
    }
    members.sort_by(|&a, &b| compare(values, a as usize, values, b as usize));
    let mut writer = output.list();
    let start = writer.child().grow(members.len());
    for (position, &place) in members.iter().enumerate() {
        let entry = writer.child();
        entry.field(0).copy(start + position, values, place as usize);
        entry.field(1).fixed::<u64>()[start + position] = frequency.entries[place as usize].count as u64;
    }
    writer.finish(row, start);
}

fn write_top_ratio(
    frequency: &Frequency,
    _: &View<'_>,
    members: &mut [u32],
    output: &mut Output,
    row: usize,
) {
    let counts = || members.iter().map(|&place| frequency.entries[place as usize].count);
    let (total, greatest) = (counts().sum::<i64>(), counts().max().unwrap_or(0));
    output.fixed::<f64>()[row] = if total == 0 { 0.0 } else { greatest as f64 / total as f64 };
}

fn write_distinct(_: &Frequency, _: &View<'_>, members: &mut [u32], output: &mut Output, row: usize) {
    output.fixed::<i64>()[row] = members.len() as i64;
}

/// The most frequent values first, of equally frequent ones the least; as many as are shown.
fn most_frequent_of<'a>(frequency: &Frequency, values: &View<'_>, members: &'a mut [u32]) -> &'a [u32] {
    let count = |place: u32| frequency.entries[place as usize].count;
    members.sort_by(|&a, &b| {
        count(b).cmp(&count(a)).then_with(|| compare(values, a as usize, values, b as usize))
    });
    &members[..members.len().min(frequency.count)]
}

fn write_frequent(
    frequency: &Frequency,
    values: &View<'_>,
    members: &mut [u32],
    output: &mut Output,
    row: usize,
) {
    match most_frequent_of(frequency, values, members) {
        [] => output.set_null(row),
        shown => write_list(output, row, values, shown),
    }
}

fn write_frequent_text(
    frequency: &Frequency,
    values: &View<'_>,
    members: &mut [u32],
    output: &mut Output,
    row: usize,
) {
    let shown = most_frequent_of(frequency, values, members);
    let mut text = String::new();
    for position in 0..frequency.count {
        if position > 0 {
            text.push(',');
        }
        match shown.get(position) {
            // Writing into a string does not fail.
            Some(&place) => drop(format_value(values, place as usize, &mut text)),
            None => text.push_str("NULL"),
        }
    }
    output.text().set(row, &text);
}

fn write_entropy(frequency: &Frequency, _: &View<'_>, members: &mut [u32], output: &mut Output, row: usize) {
    // Summed by ascending count, so that the bits do not depend on the order of the rows.
    let mut counts: Vec<i64> = members.iter().map(|&place| frequency.entries[place as usize].count).collect();
    counts.sort_unstable();
    let total = counts.iter().sum::<i64>() as f64;
    let entropy = counts
        .iter()
        .map(|&count| count as f64 / total * crate::kernel::transcendental::log2_one(total / count as f64));
    output.fixed::<f64>()[row] = entropy.sum::<f64>();
}
