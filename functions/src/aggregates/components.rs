//! `principal_components`: the directions in which embeddings vary most.

use bumpalo::Bump;

use super::parts::{flat_rows, list_types, merge_states, read_lists, states_of, write_lists};
use super::vector::mixed_dimensions;
use crate::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use crate::column::{Data, Encoding, Output, Rows, View};
use crate::embedding::vector_of;
use crate::error::{Error, Result};
use crate::kernel::eigen::eigen;
use crate::scalar::Arguments;
use crate::signature::{exact, parameter};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Dimensions of an embedding: all pairs of them have states.
const DIMENSION_MAX: usize = 2048;

/// Embeddings of one group that are added together.
const STRETCH_ROWS: usize = 256;

/// Fewest of them for which each pair of elements is worth a call of its own.
const STRETCH_ROWS_MIN: usize = 16;

/// Pairs of elements that are added at a time where embeddings are added one by one.
const BLOCK_PAIRS: usize = 1 << 15;

pub(super) fn functions(inner: &[AggregateFunction]) -> Vec<AggregateFunction> {
    let Some(covariance) = inner.iter().find(|function| function.name == "covar_pop").cloned() else {
        return Vec::new();
    };
    let function = AggregateFunction::new(
        "principal_components",
        "aggregate",
        "The directions in which the embeddings of a group vary most, the strongest first and one behind the other, as one list.",
    )
    .overload(
        [
            parameter("x", vector_of(Type::Float64)),
            exact("components", Type::Int64),
            exact("whiten", Type::Boolean).or(Literal::new(Value::from(false))),
        ],
        move |arguments| bind(&covariance, arguments),
    )
    .note("Eigenvectors of the covariance matrix, of length 1, the greatest element of each positive by magnitude. With whiten => true each is divided by the sample deviation in its direction. The number of components is constant, and at most the dimension, which is at most 2048.")
    .note("Covariances are those of covar_pop: their bits do not depend on the order of the rows. Null embeddings are skipped; embeddings of different dimensions, nulls, NaN and infinities in them are errors, and a group without embeddings gives null.")
    .example("principal_components([2.0, 0.0], 1)", "[1.0, 0.0]");
    vec![function]
}

fn bind(covariance: &AggregateFunction, arguments: &Arguments<'_>) -> Result<BoundAggregate> {
    let wanted = arguments.constant(1)?.as_i64().and_then(|count| usize::try_from(count).ok());
    let wanted = wanted.filter(|count| (1..=DIMENSION_MAX).contains(count)).ok_or_else(|| {
        let problem = format!("is no number of components; expected a constant from 1 to {DIMENSION_MAX}");
        Error::argument(arguments.function, 2, problem)
    })?;
    let whiten = arguments.constant(2)?.as_bool().unwrap_or(false);
    let dimension = if let Type::FixedList(_, size) = arguments.types[0] { Some(size) } else { None };
    let types = [Type::Float64, Type::Float64];
    let inner = Arguments { types: &types, constants: &[None, None], ..*arguments };
    let form = covariance.overloads.first().ok_or_else(|| Error::internal("covar_pop has no form"))?;
    let inner = (form.bind)(&inner)?;
    let states: Vec<Type> = list_types(&inner.states).chain([Type::Int64]).collect();
    let function = arguments.function.to_owned();
    let make = move || Components {
        inner: (inner.make)(),
        states: inner.states.clone(),
        dimension: None,
        rows: Vec::new(),
        stretch: Stretch::default(),
        block: Block::default(),
        wanted,
        whiten,
        function: function.clone(),
    };
    if let Some(dimension) = dimension {
        check(arguments.function, wanted, dimension)?;
    }
    Ok(BoundAggregate::strict(Type::list(Type::Float64), states, make))
}

/// Refuses a dimension that has too few directions, or too many.
fn check(function: &str, wanted: usize, dimension: usize) -> Result<()> {
    if dimension > DIMENSION_MAX {
        let problem = format!("has dimension {dimension}; at most {DIMENSION_MAX} is supported");
        return Err(Error::argument(function, 1, problem));
    }
    if dimension < wanted {
        let problem =
            format!("has dimension {dimension}; expected at least {wanted}, the number of components");
        return Err(Error::argument(function, 1, problem));
    }
    Ok(())
}

struct Components {
    /// Covariances of pairs of elements: part `group * pairs + pair`.
    inner: Box<dyn Accumulator>,
    states: Vec<Type>,
    /// Known from the first embedding.
    dimension: Option<usize>,
    /// Embeddings of each group.
    rows: Vec<i64>,
    stretch: Stretch,
    block: Block,
    wanted: usize,
    whiten: bool,
    function: String,
}

/// Embeddings of one group that follow one another.
#[derive(Default)]
struct Stretch {
    group: u32,
    rows: usize,
    /// One behind the other.
    elements: Vec<f64>,
}

/// Pairs of elements on their way to their states.
#[derive(Default)]
struct Block {
    left: Vec<f64>,
    right: Vec<f64>,
    parts: Vec<u32>,
}

impl Block {
    /// Adds what is there and leaves nothing.
    fn flush(&mut self, inner: &mut dyn Accumulator) -> Result<()> {
        if !self.parts.is_empty() {
            let arguments = [view_of(&self.left), view_of(&self.right)];
            inner.update(&arguments, Rows::All(self.parts.len()), &self.parts, 0)?;
        }
        self.left.clear();
        self.right.clear();
        self.parts.clear();
        Ok(())
    }
}

fn view_of(values: &[f64]) -> View<'_> {
    View {
        data_type: &Type::Float64,
        length: values.len(),
        encoding: Encoding::Flat,
        validity: None,
        data: Data::Float64(values),
    }
}

/// Pairs of elements, each with itself too.
fn pairs_of(dimension: usize) -> usize {
    dimension * (dimension + 1) / 2
}

impl Components {
    /// Takes the dimension of embeddings, or refuses it where another one is known.
    fn agree(&mut self, actual: usize) -> Result<usize> {
        let expected = match self.dimension {
            Some(expected) => expected,
            None => {
                check(&self.function, self.wanted, actual)?;
                *self.dimension.insert(actual)
            }
        };
        if actual == expected {
            return Ok(expected);
        }
        Err(mixed_dimensions(&self.function, expected, actual))
    }

    fn make_room(&mut self) -> Result<()> {
        let parts = pairs_of(self.dimension.unwrap_or(0)).checked_mul(self.rows.len());
        let parts = parts.filter(|&parts| parts < u32::MAX as usize).ok_or_else(|| {
            Error::Resource(format!(
                "{}: {} groups are too many for these embeddings",
                self.function,
                self.rows.len()
            ))
        })?;
        self.inner.resize(parts);
        Ok(())
    }

    fn add(&mut self, view: &View<'_>, owners: impl Iterator<Item = u32>) -> Result<()> {
        let list = view.list();
        let elements = list.child();
        let values = elements.fixed::<f64>();
        for (row, group) in owners.enumerate() {
            let range = list.range(row);
            let dimension = self.agree(range.len())?;
            if self.rows[group as usize] == 0 {
                self.make_room()?;
            }
            self.rows[group as usize] += 1;
            if group != self.stretch.group || self.stretch.rows == STRETCH_ROWS {
                self.add_stretch(dimension)?;
                self.stretch.group = group;
            }
            let start = self.stretch.elements.len();
            self.stretch.elements.extend(range.clone().map(|place| values.get(place)));
            self.stretch.rows += 1;
            let is_null = elements.may_be_null() && range.into_iter().any(|place| elements.is_null(place));
            if is_null || self.stretch.elements[start..].iter().any(|value| !value.is_finite()) {
                let problem = "holds a null, NaN or infinity; expected finite numbers";
                return Err(Error::argument(&self.function, 1, problem));
            }
        }
        self.add_stretch(self.dimension.unwrap_or(0))?;
        self.block.flush(self.inner.as_mut())
    }

    /// Adds the embeddings that were gathered: pair by pair, so that a state is read once for many of them, or all pairs of one after the
    /// other.
    fn add_stretch(&mut self, dimension: usize) -> Result<()> {
        let Stretch { group, rows, mut elements } = std::mem::take(&mut self.stretch);
        let first = group * pairs_of(dimension) as u32;
        if rows < STRETCH_ROWS_MIN {
            elements
                .chunks_exact(dimension.max(1))
                .try_for_each(|embedding| self.add_one(embedding, first))?;
        } else {
            let mut columns = vec![0.0; elements.len()];
            for (row, embedding) in elements.chunks_exact(dimension).enumerate() {
                embedding
                    .iter()
                    .enumerate()
                    .for_each(|(place, &element)| columns[place * rows + row] = element);
            }
            let (mut part, mut owners) = (first, vec![0; rows]);
            for place in 0..dimension {
                let mut columns = columns[place * rows..].chunks_exact(rows).map(view_of);
                let Some(left) = columns.next() else { break };
                for right in std::iter::once(left).chain(columns) {
                    owners.fill(part);
                    self.inner.update(&[left, right], Rows::All(rows), &owners, 0)?;
                    part += 1;
                }
            }
        }
        elements.clear();
        self.stretch.elements = elements;
        Ok(())
    }

    /// Adds all pairs of one embedding to the parts from the first on.
    fn add_one(&mut self, embedding: &[f64], first: u32) -> Result<()> {
        let mut part = first;
        for (place, &left) in embedding.iter().enumerate() {
            let rest = &embedding[place..];
            self.block.left.resize(self.block.left.len() + rest.len(), left);
            self.block.right.extend_from_slice(rest);
            self.block.parts.extend(part..part + rest.len() as u32);
            part += rest.len() as u32;
            if self.block.parts.len() >= BLOCK_PAIRS {
                self.block.flush(self.inner.as_mut())?;
            }
        }
        Ok(())
    }

    /// The parts of the groups that have embeddings.
    fn parts_of(&self, groups: &[u32]) -> Vec<u32> {
        let pairs = pairs_of(self.dimension.unwrap_or(0)) as u32;
        let seen = groups.iter().filter(|&&group| self.rows[group as usize] > 0);
        seen.flat_map(|&group| group * pairs..(group + 1) * pairs).collect()
    }

    /// The components of a covariance matrix, of which the upper half is given row by row.
    fn components(&self, covariances: &[f64], dimension: usize, rows: i64) -> Vec<f64> {
        let mut matrix = vec![0.0; dimension * dimension];
        let mut next = covariances.iter();
        for row in 0..dimension {
            for column in row..dimension {
                let value = next.next().copied().unwrap_or(0.0);
                matrix[row * dimension + column] = value;
                matrix[column * dimension + row] = value;
            }
        }
        let found = eigen(matrix, dimension);
        let mut components = found.vectors;
        components.truncate(self.wanted * dimension);
        if self.whiten {
            let sample = rows as f64 / (rows - 1).max(1) as f64;
            for (component, variance) in components.chunks_mut(dimension).zip(&found.values) {
                // A direction without any variance is not blown up beyond what doubles can tell.
                let deviation = (variance * sample).max(0.0).sqrt().max(f64::EPSILON);
                component.iter_mut().for_each(|element| *element /= deviation);
            }
        }
        components
    }
}

impl Accumulator for Components {
    fn resize(&mut self, groups: usize) {
        self.rows.resize(groups, 0);
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
        let damaged = || Error::user("the stored state of an aggregate is damaged");
        let [lists @ .., counts] = states else { return Err(damaged()) };
        let Some(first) = lists.first() else { return Err(damaged()) };
        let (list, counts, mut parts) = (first.list(), counts.fixed::<i64>(), Vec::new());
        for (row, &group) in groups.iter().enumerate().filter(|(row, _)| first.is_valid(*row)) {
            let dimension = (0..=DIMENSION_MAX).find(|dimension| pairs_of(*dimension) == list.length(row));
            let dimension = self.agree(dimension.ok_or_else(damaged)?)?;
            let pairs = pairs_of(dimension) as u32;
            self.rows[group as usize] += counts.get(row).max(1);
            parts.extend(group * pairs..(group + 1) * pairs);
        }
        self.make_room()?;
        merge_states(self.inner.as_mut(), &read_lists(lists, groups.len()), &parts)
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        self.make_room()?;
        let pairs = pairs_of(self.dimension.unwrap_or(0));
        let (bump, parts) = (Bump::new(), self.parts_of(groups));
        let states = states_of(self.inner.as_mut(), &self.states, &parts)?;
        let Some((counts, lists)) = output.split_last_mut() else {
            return Err(Error::internal("principal components have states"));
        };
        for (list, state) in lists.iter_mut().zip(&states) {
            let lengths = groups.iter().map(|&group| (self.rows[group as usize] > 0).then_some(pairs));
            write_lists(&state.view(&bump), lengths, list);
        }
        let counts = counts.fixed::<i64>();
        counts.iter_mut().zip(groups).for_each(|(to, &group)| *to = self.rows[group as usize]);
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        self.make_room()?;
        let dimension = self.dimension.unwrap_or(0);
        let parts = self.parts_of(groups);
        let mut results = Output::new(Type::Float64);
        results.prepare(parts.len());
        self.inner.finish(&parts, &mut results)?;
        let bump = Bump::new();
        let values = results.view(&bump).fixed::<f64>();
        let covariances: Vec<f64> = (0..parts.len()).map(|part| values.get(part)).collect();
        let mut matrices = covariances.chunks(pairs_of(dimension).max(1));
        for (row, &group) in groups.iter().enumerate() {
            let rows = self.rows[group as usize];
            if rows == 0 {
                output.set_null(row);
                continue;
            }
            let components = self.components(matrices.next().unwrap_or(&[]), dimension, rows);
            let mut list = output.list();
            let start = list.child().grow(components.len());
            list.child().fixed::<f64>()[start..].copy_from_slice(&components);
            list.finish(row, start);
        }
        output.check_capacity()
    }

    fn memory_bytes(&self) -> usize {
        let stretch = self.stretch.elements.capacity() * 16;
        self.inner.memory_bytes() + self.rows.capacity() * 8 + self.block.parts.capacity() * 20 + stretch
    }
}
