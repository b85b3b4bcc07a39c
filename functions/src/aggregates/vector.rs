//! `vector_sum`, `vector_mean`, `vector_min`, `vector_max`: embeddings of a group combined element by element.

use bumpalo::Bump;
use half::f16;

use super::parts::{
    bind_inner, flat_rows, forms_of, list_types, merge_states, read_lists, states_of, write_lists,
};
use crate::aggregate::{Accumulator, AggregateFunction, AggregateOverload, BoundAggregate};
use crate::column::{Data, Output, Rows, View};
use crate::error::{Error, Result};
use crate::feature::elements::with_element;
use crate::kernel::vector::half_float::narrow_double;
use crate::scalar::Arguments;
use crate::signature::{Pattern, parameter};
use crate::types::Type;

/// The error of embeddings of two dimensions. Rows come in any order, so the smaller dimension is named first.
pub(super) fn mixed_dimensions(function: &str, one: usize, other: usize) -> Error {
    let (small, large) = (one.min(other), one.max(other));
    let problem = format!("has embeddings of dimensions {small} and {large}; expected one dimension");
    Error::argument(function, 1, problem)
}

pub(super) fn functions(inner: &[AggregateFunction]) -> Vec<AggregateFunction> {
    let functions: [(&str, &str, &[&str], &str); 4] = [
        ("vector_sum", "sum", &[], "Sum of the embeddings of the group, element by element."),
        ("vector_mean", "avg", &["vector_avg"], "Mean of the embeddings of the group, element by element."),
        ("vector_min", "min", &[], "Least elements of the embeddings of the group."),
        ("vector_max", "max", &[], "Greatest elements of the embeddings of the group."),
    ];
    let with_forms = |(name, inner_name, aliases, summary): (&str, &str, &[&str], &str)| {
        let function = AggregateFunction::new(name, "aggregate", summary)
            .note("Null embeddings are skipped; a group without embeddings gives null. Each element is summed as by sum: the bits do not depend on the order of the rows, and the result is rounded once to the type of the elements.")
            .note("Embeddings of different dimensions, and null elements, are errors.")
            .example(&format!("{name}([1.5, 2.0])"), "[1.5, 2.0]");
        let function = aliases.iter().fold(function, |function, alias| function.alias(alias));
        let Some(form) = forms_of(inner, inner_name).into_iter().find(takes_numbers) else { return function };
        [Type::Float32, Type::Float64, Type::Float16].into_iter().fold(function, |function, element| {
            let vector = Pattern::AnyList(Box::new(Pattern::Exact(element)));
            let form = form.clone();
            function.overload([parameter("x", vector)], move |arguments| bind(&form, arguments))
        })
    };
    functions.into_iter().map(with_forms).collect()
}

/// True for the form of an aggregate that takes any number.
fn takes_numbers(form: &AggregateOverload) -> bool {
    matches!(form.signature.parameters[0].pattern, Pattern::Numeric | Pattern::Any)
}

fn bind(form: &AggregateOverload, arguments: &Arguments<'_>) -> Result<BoundAggregate> {
    let vector = arguments.types[0].clone();
    let element = vector.element().cloned().unwrap_or(Type::Float64);
    let inner = bind_inner(form, arguments, &element)?;
    let states = list_types(&inner.states).collect();
    let dimension = if let Type::FixedList(_, size) = &vector { Some(*size) } else { None };
    let function = arguments.function.to_owned();
    Ok(BoundAggregate::strict(with_element(&vector, element), states, move || Elementwise {
        inner: (inner.make)(),
        states: inner.states.clone(),
        result: inner.result.clone(),
        dimension,
        seen: Vec::new(),
        rows: Vec::new(),
        parts: Vec::new(),
        function: function.clone(),
    }))
}

struct Elementwise {
    /// Part `group * dimension + element`.
    inner: Box<dyn Accumulator>,
    states: Vec<Type>,
    result: Type,
    /// Known from the type, or from the first embedding.
    dimension: Option<usize>,
    /// Whether a group has embeddings.
    seen: Vec<bool>,
    rows: Vec<u32>,
    parts: Vec<u32>,
    function: String,
}

impl Elementwise {
    /// Makes room for the elements of all groups; the dimension is known.
    fn make_room(&mut self, dimension: usize) -> Result<()> {
        let parts = dimension.checked_mul(self.seen.len()).filter(|&parts| parts < u32::MAX as usize);
        let parts = parts.ok_or_else(|| {
            let groups = self.seen.len();
            Error::Resource(format!(
                "{}: {groups} groups of dimension {dimension} are more than 2^32 elements",
                self.function
            ))
        })?;
        self.inner.resize(parts);
        Ok(())
    }

    /// Takes the dimension of embeddings, or refuses it where another one is known.
    fn agree(&mut self, actual: usize) -> Result<usize> {
        let expected = *self.dimension.get_or_insert(actual);
        if actual == expected {
            return Ok(expected);
        }
        Err(mixed_dimensions(&self.function, expected, actual))
    }

    /// Adds the rows of a flat column, whose groups are `owners`.
    fn add(&mut self, view: &View<'_>, owners: impl Iterator<Item = u32>) -> Result<()> {
        let list = view.list();
        let elements = list.child();
        self.rows.clear();
        self.parts.clear();
        self.parts.resize(elements.length, 0);
        for (row, group) in owners.enumerate() {
            let range = list.range(row);
            let dimension = self.agree(range.len())?;
            if elements.may_be_null() && range.clone().any(|element| elements.is_null(element)) {
                let problem = "holds a null element; expected numbers, which coalesce or fill_null give";
                return Err(Error::argument(&self.function, 1, problem));
            }
            let first = group * dimension as u32;
            self.seen[group as usize] = true;
            self.rows.extend(range.clone().map(|element| element as u32));
            let parts = &mut self.parts[range];
            parts.iter_mut().zip(first..).for_each(|(part, number)| *part = number);
        }
        if let Some(dimension) = self.dimension {
            self.make_room(dimension)?;
        }
        let rows = match self.rows.len() == elements.length && self.rows.is_sorted() {
            true => Rows::All(elements.length),
            false => Rows::Selected(&self.rows),
        };
        self.inner.update(std::slice::from_ref(elements), rows, &self.parts, 0)
    }

    /// The parts of the groups that have embeddings.
    fn parts_of(&self, groups: &[u32]) -> Vec<u32> {
        let dimension = self.dimension.unwrap_or(0) as u32;
        let seen = groups.iter().filter(|&&group| self.seen[group as usize]);
        seen.flat_map(|&group| group * dimension..(group + 1) * dimension).collect()
    }
}

impl Accumulator for Elementwise {
    fn resize(&mut self, groups: usize) {
        self.seen.resize(groups, false);
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        let bump = Bump::new();
        match rows {
            Rows::All(count) if arguments[0].is_flat() => {
                self.add(&arguments[0], groups[..count].iter().copied())
            }
            _ => {
                let flat = flat_rows(&arguments[0], rows);
                self.add(&flat.view(&bump), rows.iter().map(|row| groups[row]))
            }
        }
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let Some(first) = states.first() else { return Ok(()) };
        let (list, mut parts) = (first.list(), Vec::new());
        for (row, &group) in groups.iter().enumerate().filter(|(row, _)| first.is_valid(*row)) {
            let dimension = self.agree(list.length(row))? as u32;
            self.seen[group as usize] = true;
            parts.extend(group * dimension..(group + 1) * dimension);
        }
        if let Some(dimension) = self.dimension {
            self.make_room(dimension)?;
        }
        merge_states(self.inner.as_mut(), &read_lists(states, groups.len()), &parts)
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        let dimension = self.dimension.unwrap_or(0);
        self.make_room(dimension)?;
        let (bump, parts) = (Bump::new(), self.parts_of(groups));
        let states = states_of(self.inner.as_mut(), &self.states, &parts)?;
        for (list, state) in output.iter_mut().zip(&states) {
            let lengths = groups.iter().map(|&group| self.seen[group as usize].then_some(dimension));
            write_lists(&state.view(&bump), lengths, list);
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        let dimension = self.dimension.unwrap_or(0);
        self.make_room(dimension)?;
        let (bump, parts) = (Bump::new(), self.parts_of(groups));
        let mut results = Output::new(self.result.clone());
        results.prepare(parts.len());
        self.inner.finish(&parts, &mut results)?;
        let values = results.view(&bump);
        let mut next = 0;
        for (row, &group) in groups.iter().enumerate() {
            if !self.seen[group as usize] {
                output.set_null(row);
                continue;
            }
            let is_fixed = matches!(output.data_type(), Type::FixedList(..));
            if is_fixed {
                write_rounded(&values, next, dimension, output.fixed_list_child(), row * dimension);
            } else {
                let mut writer = output.list();
                let start = writer.child().grow(dimension);
                write_rounded(&values, next, dimension, writer.child(), start);
                writer.finish(row, start);
            }
            next += dimension;
        }
        output.check_capacity()
    }

    fn memory_bytes(&self) -> usize {
        self.inner.memory_bytes() + self.seen.capacity() + (self.rows.capacity() + self.parts.capacity()) * 4
    }
}

/// Writes results from `from` on, rounded once to the type of the elements.
fn write_rounded(results: &View<'_>, from: usize, count: usize, target: &mut Output, to: usize) {
    match (results.data, target.data_type()) {
        (Data::Float64(values), Type::Float32) => {
            let written = &mut target.fixed::<f32>()[to..to + count];
            written.iter_mut().zip(&values[from..]).for_each(|(to, &value)| *to = value as f32);
        }
        (Data::Float64(values), Type::Float16) => {
            let written: &mut [f16] = &mut target.fixed::<f16>()[to..to + count];
            written.iter_mut().zip(&values[from..]).for_each(|(to, &value)| *to = narrow_double(value));
        }
        _ => (0..count).for_each(|place| target.copy(to + place, results, from + place)),
    }
}
