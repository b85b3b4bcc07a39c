//! `sum_cate`, `avg_cate_where`, `top_n_key_count_cate_where` and their kin: an aggregate of each category of a group.

use std::fmt::Write;

use bumpalo::Bump;

use super::condition::CONDITIONAL;
use super::parts::{bind_inner, forms_of, list_types, merge_states, read_lists, states_of, write_lists};
use super::slots::Slots;
use crate::aggregate::{Accumulator, AggregateFunction, AggregateOverload, BoundAggregate};
use crate::cast::format_value;
use crate::column::{Data, Output, Rows, View, compare};
use crate::error::{Error, Result};
use crate::scalar::Arguments;
use crate::signature::{Parameter, any, exact};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Which categories of a group are shown, and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// All, the least first.
    All,
    /// So many with the greatest keys, the greatest first.
    TopKeys(usize),
    /// So many with the greatest values, the greatest first; of equal values the greater key.
    TopValues(usize),
}

/// One more than the most categories that can be asked for.
const COUNT_END: i64 = 1_000_000;

pub(super) fn functions(inner: &[AggregateFunction]) -> Vec<AggregateFunction> {
    let mut functions = Vec::new();
    for (name, summary) in CONDITIONAL {
        let value = if name == "avg" {
            "42.0"
        } else if name == "count" {
            "1"
        } else {
            "42"
        };
        let family = |outer: String, summary: String, has_condition: bool, count: Option<bool>| {
            let (condition, last) =
                (if has_condition { "true, " } else { "" }, if count.is_some() { ", 2" } else { "" });
            let example = format!("{outer}(42, {condition}'x'{last})");
            let function = AggregateFunction::new(outer, "aggregate", &summary)
                .note("Rows with a null value, condition or category are skipped; a group without categories gives null. format => 'text' gives 'x:1,y:2', floats with six digits, and an empty text without categories. Names and order of arguments are OpenMLDB's.")
                .example(&example, &format!("{{x={value}}}"));
            forms_of(inner, name)
                .into_iter()
                .fold(function, |function, form| with_form(function, form, has_condition, count))
        };
        functions.push(family(
            format!("{name}_cate"),
            format!("{summary} of each category, by category."),
            false,
            None,
        ));
        functions.push(family(
            format!("{name}_cate_where"),
            format!("{summary} of each category where a condition is true, by category."),
            true,
            None,
        ));
        functions.push(family(
            format!("top_n_key_{name}_cate_where"),
            format!("{summary} of each category where a condition is true, of the n greatest categories."),
            true,
            Some(false),
        ));
        functions.push(family(
            format!("top_n_value_{name}_cate_where"),
            format!("{summary} of each category where a condition is true, of the categories with the n greatest results; of equal results the greater category comes first."),
            true,
            Some(true),
        ));
    }
    functions
}

fn with_form(
    function: AggregateFunction,
    form: AggregateOverload,
    has_condition: bool,
    count: Option<bool>,
) -> AggregateFunction {
    let mut parameters: Vec<Parameter> = vec![form.signature.parameters[0].clone()];
    if has_condition {
        parameters.push(exact("condition", Type::Boolean));
    }
    parameters.push(any("category"));
    if count.is_some() {
        parameters.push(exact("n", Type::Int64));
    }
    parameters.push(exact("format", Type::Text).or(Literal::new(Value::from("map"))));
    function.overload(parameters, move |arguments| bind(&form, arguments, has_condition, count))
}

fn bind(
    form: &AggregateOverload,
    arguments: &Arguments<'_>,
    has_condition: bool,
    by_value: Option<bool>,
) -> Result<BoundAggregate> {
    let inner = bind_inner(form, arguments, &arguments.types[0])?;
    let category = 1 + usize::from(has_condition);
    let shown = match by_value {
        None => Shown::All,
        Some(by_value) => {
            let position = category + 1;
            let count = arguments.constant(position)?.as_i64().filter(|count| (1..COUNT_END).contains(count));
            let count = count.ok_or_else(|| {
                let problem = format!("must be a constant number from 1 to {}", COUNT_END - 1);
                Error::argument(arguments.function, position + 1, problem)
            })? as usize;
            if by_value { Shown::TopValues(count) } else { Shown::TopKeys(count) }
        }
    };
    let position = arguments.types.len() - 1;
    let is_text = match arguments.constant_text(position)? {
        format if format.eq_ignore_ascii_case("map") => false,
        format if format.eq_ignore_ascii_case("text") => true,
        other => {
            let problem = format!("is \"{other}\"; expected 'map' or 'text'");
            return Err(Error::argument(arguments.function, position + 1, problem));
        }
    };
    let key = arguments.types[category].clone();
    let source = Source::Columns { condition: has_condition.then_some(1), category };
    Ok(categorized(inner, key, source, shown, is_text))
}

/// An aggregate of each category, or of each key of maps.
fn categorized(
    inner: BoundAggregate,
    key: Type,
    source: Source,
    shown: Shown,
    is_text: bool,
) -> BoundAggregate {
    let states = std::iter::once(Type::list(key.clone())).chain(list_types(&inner.states)).collect();
    let result = if is_text { Type::Text } else { Type::map(key.clone(), inner.result.clone()) };
    BoundAggregate::strict(result, states, move || Categorized {
        slots: Slots::new(key.clone()),
        inner: (inner.make)(),
        states: inner.states.clone(),
        result: inner.result.clone(),
        source,
        shown,
        is_text,
        rows: Vec::new(),
        parts: Vec::new(),
    })
}

/// Sums and other aggregates of the values of each key of maps.
pub(super) fn map_functions(inner: &[AggregateFunction]) -> Vec<AggregateFunction> {
    let functions = [
        ("map_sum", "sum", "Map of the sum of each key's values over all maps of the group, by key."),
        ("map_avg", "avg", "Map of the mean of each key's values over all maps of the group, by key."),
        ("map_min", "min", "Map of the least of each key's values over all maps of the group, by key."),
        ("map_max", "max", "Map of the greatest of each key's values over all maps of the group, by key."),
        ("map_count", "count", "Map of the number of maps of the group that have each key, by key."),
    ];
    functions
        .into_iter()
        .map(|(name, inner_name, summary)| of_maps(inner, name, inner_name, summary))
        .collect()
}

fn of_maps(inner: &[AggregateFunction], name: &str, inner_name: &str, summary: &str) -> AggregateFunction {
    use crate::signature::{Pattern, parameter};
    let value = if inner_name == "avg" {
        "42.0"
    } else if inner_name == "count" {
        "1"
    } else {
        "42"
    };
    let function = AggregateFunction::new(name, "aggregate", summary)
        .note("Null maps and null values are skipped; a group without keys gives null. Each value is counted as by the aggregate of values.")
        .example(&format!("{name}(MAP {{'x': 42}})"), &format!("{{x={value}}}"));
    forms_of(inner, inner_name).into_iter().fold(function, |function, form| {
        let pattern = form.signature.parameters[0].pattern.clone();
        let map = Pattern::Map(Box::new(Pattern::Any), Box::new(pattern));
        function.overload([parameter("map", map)], move |arguments| {
            let Type::Map(key, value) = &arguments.types[0] else {
                return Err(Error::argument(arguments.function, 1, "is NULL; expected a map"));
            };
            let inner = bind_inner(&form, arguments, value)?;
            Ok(categorized(inner, Type::clone(key), Source::Entries, Shown::All, false))
        })
    })
}

/// Where keys and values come from.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// A column of values first, and columns at these positions.
    Columns { condition: Option<usize>, category: usize },
    /// The entries of maps.
    Entries,
}

struct Categorized {
    slots: Slots,
    inner: Box<dyn Accumulator>,
    /// Types of the inner states and result.
    states: Vec<Type>,
    result: Type,
    source: Source,
    shown: Shown,
    is_text: bool,
    /// Rows that count, of the batch at hand.
    rows: Vec<u32>,
    /// Pair of each row of the batch at hand.
    parts: Vec<u32>,
}

impl Categorized {
    /// Adds the rows of `self.rows`, each to the pair of its group and key.
    fn add(&mut self, values: &View<'_>, keys: &View<'_>, groups: &[u32], ordinal: u64) -> Result<()> {
        self.parts.clear();
        self.parts.resize(groups.len(), 0);
        for &row in &self.rows {
            self.parts[row as usize] = self.slots.slot(groups[row as usize], keys, row as usize);
        }
        self.inner.resize(self.slots.len());
        self.inner.update(std::slice::from_ref(values), Rows::Selected(&self.rows), &self.parts, ordinal)
    }

    fn add_entries(&mut self, maps: &View<'_>, rows: Rows<'_>, groups: &[u32]) -> Result<()> {
        let bump = Bump::new();
        let flat = super::parts::flat_rows(maps, rows);
        let view = flat.view(&bump);
        let (list, mut owners) = (view.list(), Vec::new());
        let entries = list.child();
        owners.resize(entries.length, 0);
        let (keys, values) = (entries.field(0), entries.field(1));
        self.rows.clear();
        for (place, row) in rows.iter().enumerate() {
            for entry in list.range(place).filter(|&entry| values.is_valid(entry)) {
                owners[entry] = groups[row];
                self.rows.push(entry as u32);
            }
        }
        self.rows.sort_unstable();
        self.add(&values, &keys, &owners, 0)
    }

    /// Pairs of the groups that are shown, group by group in order, and how many each group has.
    fn shown(&mut self, groups: &[u32], results: &mut Output) -> Result<(Vec<u32>, Vec<usize>)> {
        let grouped = self.slots.by_group();
        let lengths: Vec<usize> = groups.iter().map(|&group| grouped.rows(group).len()).collect();
        let pairs: Vec<u32> = groups.iter().flat_map(|&group| grouped.rows(group).iter().copied()).collect();
        results.prepare(pairs.len());
        self.inner.resize(self.slots.len());
        self.inner.finish(&pairs, results)?;
        Ok((pairs, lengths))
    }
}

impl Accumulator for Categorized {
    fn resize(&mut self, groups: usize) {
        self.slots.resize(groups);
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], ordinal: u64) -> Result<()> {
        let Source::Columns { condition, category } = self.source else {
            return self.add_entries(&arguments[0], rows, groups);
        };
        self.rows.clear();
        match condition.map(|position| arguments[position].boolean()) {
            Some(conditions) => {
                self.rows.extend(rows.iter().filter(|&row| conditions.get(row)).map(|row| row as u32));
            }
            None => self.rows.extend(rows.iter().map(|row| row as u32)),
        }
        self.add(&arguments[0], &arguments[category], groups, ordinal)
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let Some((keys, inner)) = states.split_first() else { return Ok(()) };
        let list = keys.list();
        let mut parts = Vec::new();
        for (row, &group) in groups.iter().enumerate().filter(|(row, _)| keys.is_valid(*row)) {
            parts.extend(list.range(row).map(|place| self.slots.slot(group, list.child(), place)));
        }
        self.inner.resize(self.slots.len());
        merge_states(self.inner.as_mut(), &read_lists(inner, groups.len()), &parts)
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        let bump = Bump::new();
        let grouped = self.slots.by_group();
        let lengths: Vec<usize> = groups.iter().map(|&group| grouped.rows(group).len()).collect();
        let pairs: Vec<u32> = groups.iter().flat_map(|&group| grouped.rows(group).iter().copied()).collect();
        let lengths = || lengths.iter().map(|&length| (length > 0).then_some(length));
        self.inner.resize(self.slots.len());
        let states = states_of(self.inner.as_mut(), &self.states, &pairs)?;
        let Some((keys, lists)) = output.split_first_mut() else { return Ok(()) };
        let held = self.slots.keys(&bump);
        let mut own = Output::new(held.data_type.clone());
        pairs.iter().for_each(|&pair| own.push(&held, pair as usize));
        write_lists(&own.view(&bump), lengths(), keys);
        for (list, state) in lists.iter_mut().zip(&states) {
            write_lists(&state.view(&bump), lengths(), list);
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        let (bump, mut results) = (Bump::new(), Output::new(self.result.clone()));
        let (pairs, lengths) = self.shown(groups, &mut results)?;
        let (keys, values) = (self.slots.keys(&bump), results.view(&bump));
        let mut start = 0;
        for (row, length) in lengths.into_iter().enumerate() {
            let mut places: Vec<usize> = (start..start + length).collect();
            start += length;
            order(self.shown, &keys, &values, &pairs, &mut places);
            match (self.is_text, places.is_empty()) {
                (true, _) => write_text(&keys, &values, &pairs, &places, output, row)?,
                (false, true) => output.set_null(row),
                (false, false) => {
                    let mut writer = output.list();
                    let first = writer.child().grow(places.len());
                    for (position, &place) in places.iter().enumerate() {
                        let entry = writer.child();
                        entry.field(0).copy(first + position, &keys, pairs[place] as usize);
                        entry.field(1).copy(first + position, &values, place);
                    }
                    writer.finish(row, first);
                }
            }
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.slots.memory_bytes()
            + self.inner.memory_bytes()
            + (self.rows.capacity() + self.parts.capacity()) * 4
    }
}

/// Puts the places of a group's results in the order they are shown in, and drops those that are not.
fn order(shown: Shown, keys: &View<'_>, values: &View<'_>, pairs: &[u32], places: &mut Vec<usize>) {
    let by_key = |a: &usize, b: &usize| compare(keys, pairs[*a] as usize, keys, pairs[*b] as usize);
    match shown {
        Shown::All => places.sort_by(by_key),
        Shown::TopKeys(count) => {
            places.sort_by(|a, b| by_key(b, a));
            places.truncate(count);
        }
        Shown::TopValues(count) => {
            places.sort_by(|a, b| compare(values, *b, values, *a).then_with(|| by_key(b, a)));
            places.truncate(count);
        }
    }
}

/// Writes `key:value,key:value`, floats with six digits.
fn write_text(
    keys: &View<'_>,
    values: &View<'_>,
    pairs: &[u32],
    places: &[usize],
    output: &mut Output,
    row: usize,
) -> Result<()> {
    let mut text = String::new();
    let failed = |_| Error::internal("a value could not be shown");
    for (position, &place) in places.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        format_value(keys, pairs[place] as usize, &mut text).map_err(failed)?;
        text.push(':');
        match values.data {
            Data::Float64(numbers) => write!(text, "{:.6}", numbers[place]).map_err(failed)?,
            Data::Float32(numbers) => write!(text, "{:.6}", numbers[place]).map_err(failed)?,
            _ => format_value(values, place, &mut text).map_err(failed)?,
        }
    }
    output.text().set(row, &text);
    Ok(())
}
