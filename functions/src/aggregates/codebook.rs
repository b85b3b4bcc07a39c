//! `pq_codebook`: the centroids of a product quantizer, trained on a sample of embeddings.

use std::collections::BTreeMap;

use super::vector::mixed_dimensions;
use crate::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use crate::column::{Output, Rows, View};
use crate::embedding::vector_of;
use crate::error::{Error, Result};
use crate::kernel::vector::clusters::{Points, centroids};
use crate::scalar::Arguments;
use crate::signature::{exact, parameter};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Centroids of a part, at most: a code has eight bits.
const CENTROIDS_MAX: i64 = 256;

/// Embeddings of a sample, at most.
const SAMPLE_MAX: i64 = 1 << 20;

pub(super) fn functions() -> Vec<AggregateFunction> {
    let number = |name, value| exact(name, Type::Int64).or(Literal::new(Value::Int64(value)));
    vec![
        AggregateFunction::new(
            "pq_codebook",
            "aggregate",
            "The centroids of a product quantizer for the embeddings of a group, for each part of the vector: the codebook of pq_encode.",
        )
        .overload(
            [
                parameter("x", vector_of(Type::Float32)),
                exact("parts", Type::Int64),
                number("centroids", CENTROIDS_MAX),
                number("seed", 0),
                number("sample", 16_384),
            ],
            bind,
        )
        .note("Embeddings are cut into parts of one width, and the points of each part are clustered by k-means, whose first centroids are drawn from the seed. Of more than `sample` distinct embeddings those with the least hashes are taken, each as often as it occurs: the codebook does not depend on the order of the rows. All but x are constants.")
        .note("Null embeddings are skipped; embeddings of different dimensions, or of one that is no multiple of parts, and nulls, NaN and infinities in them are errors. A group without embeddings gives null. With fewer distinct embeddings than centroids there are as many centroids as embeddings.")
        .example("pq_codebook([1.0, 5.0], 2)", "[[[1.0]], [[5.0]]]"),
    ]
}

fn bind(arguments: &Arguments<'_>) -> Result<BoundAggregate> {
    let whole = |position: usize, most: i64| {
        let given = arguments.constant(position)?.as_i64().filter(|given| (1..=most).contains(given));
        given.map(|given| given as usize).ok_or_else(|| {
            let problem = format!("is not a constant whole number from 1 to {most}");
            Error::argument(arguments.function, position + 1, problem)
        })
    };
    let shape = Shape {
        parts: whole(1, 1 << 16)?,
        centroids: whole(2, CENTROIDS_MAX)?,
        seed: arguments.constant(3)?.as_i64().unwrap_or(0) as u64,
        sample: whole(4, SAMPLE_MAX)?,
    };
    let function = arguments.function.to_owned();
    if let Type::FixedList(_, size) = arguments.types[0] {
        shape.check(&function, size)?;
    }
    let list = |element| Type::list(element);
    let states = vec![list(Type::Float32), list(Type::Int64)];
    let make = move || Codebooks { groups: Vec::new(), dimension: None, shape, function: function.clone() };
    Ok(BoundAggregate::strict(list(list(list(Type::Float32))), states, make))
}

#[derive(Debug, Clone, Copy)]
struct Shape {
    parts: usize,
    centroids: usize,
    seed: u64,
    sample: usize,
}

impl Shape {
    fn check(&self, function: &str, dimension: usize) -> Result<()> {
        match dimension > 0 && dimension.is_multiple_of(self.parts) {
            true => Ok(()),
            false => {
                let problem = format!(
                    "has dimension {dimension}; expected a multiple of {}, the number of parts",
                    self.parts
                );
                Err(Error::argument(function, 1, problem))
            }
        }
    }
}

/// An embedding by its hash and its bits.
type Key = (u64, Box<[u32]>);

struct Codebooks {
    /// The sample of each group and how often each embedding of it occurs. What is left out of a sample never comes back into it,
    /// so all counts are whole.
    groups: Vec<BTreeMap<Key, u64>>,
    dimension: Option<usize>,
    shape: Shape,
    function: String,
}

impl Codebooks {
    fn add(
        &mut self,
        group: usize,
        embedding: impl ExactSizeIterator<Item = Option<f32>>,
        times: u64,
    ) -> Result<()> {
        let actual = embedding.len();
        let expected = match self.dimension {
            Some(expected) => expected,
            None => {
                self.shape.check(&self.function, actual)?;
                *self.dimension.insert(actual)
            }
        };
        if actual != expected {
            return Err(mixed_dimensions(&self.function, expected, actual));
        }
        // Zeros of both signs are one number.
        let bits = embedding.map(|element| {
            element.filter(|element| element.is_finite()).map(|element| (element + 0.0).to_bits())
        });
        let Some(bits) = bits.collect::<Option<Box<[u32]>>>() else {
            let problem = "holds a null, NaN or infinity; expected finite numbers".to_owned();
            return Err(Error::argument(&self.function, 1, problem));
        };
        let held = &mut self.groups[group];
        let key = (hash_of(&bits, self.shape.seed), bits);
        if held.len() >= self.shape.sample && held.last_key_value().is_some_and(|(last, _)| *last < key) {
            return Ok(());
        }
        *held.entry(key).or_insert(0) += times;
        if held.len() > self.shape.sample {
            held.pop_last();
        }
        Ok(())
    }

    /// The codebook of a sample.
    fn codebook(&self, sample: &BTreeMap<Key, u64>) -> Value {
        let dimension = self.dimension.unwrap_or(self.shape.parts);
        let width = dimension / self.shape.parts;
        let weights: Vec<u64> = sample.values().copied().collect();
        let count = self.shape.centroids.min(weights.len());
        let part = |part: usize| {
            let places = part * width..(part + 1) * width;
            let elements: Vec<f32> = sample
                .keys()
                .flat_map(|(_, bits)| bits[places.clone()].iter().map(|bits| f32::from_bits(*bits)))
                .collect();
            let points = Points { elements: &elements, width, weights: &weights };
            let found = centroids(points, count, self.shape.seed.wrapping_add(part as u64));
            let centroid = |centroid: &[f64]| {
                let elements = centroid.iter().map(|&element| Value::float32(element as f32));
                Value::List(Type::Float32, elements.collect())
            };
            Value::List(Type::list(Type::Float32), found.chunks(width).map(centroid).collect())
        };
        let parts = (0..self.shape.parts).map(part).collect();
        Value::List(Type::list(Type::list(Type::Float32)), parts)
    }
}

/// A hash of the bits of an embedding, which chooses the sample.
fn hash_of(bits: &[u32], seed: u64) -> u64 {
    bits.iter().fold(seed ^ 0x9e37_79b9_7f4a_7c15, |held, &bits| {
        let mixed = (held ^ u64::from(bits)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 32)
    })
}

/// The elements of a row of lists of floats.
fn elements_of<'a>(view: &'a View<'_>, row: usize) -> impl ExactSizeIterator<Item = Option<f32>> + 'a {
    let list = view.list();
    let (range, child) = (list.range(row), list.child());
    let values = child.fixed::<f32>();
    range.map(move |place| child.is_valid(place).then(|| values.get(place)))
}

impl Accumulator for Codebooks {
    fn resize(&mut self, groups: usize) {
        self.groups.resize_with(groups, BTreeMap::new);
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        rows.iter().try_for_each(|row| self.add(groups[row] as usize, elements_of(&arguments[0], row), 1))
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let damaged = || Error::user("the stored state of an aggregate is damaged");
        let (vectors, counts) = (states[0].list(), states[1].list());
        let (elements, times) = (vectors.child().fixed::<f32>(), counts.child().fixed::<i64>());
        for (row, &group) in groups.iter().enumerate() {
            let (vectors, counts) = (vectors.range(row), counts.range(row));
            if counts.is_empty() {
                continue;
            }
            let dimension = vectors.len() / counts.len();
            if dimension * counts.len() != vectors.len() {
                return Err(damaged());
            }
            for (number, at) in counts.enumerate() {
                let start = vectors.start + number * dimension;
                let times = u64::try_from(times.get(at)).map_err(|_| damaged())?;
                let embedding = (start..start + dimension).map(|place| Some(elements.get(place)));
                self.add(group as usize, embedding, times)?;
            }
        }
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        let [vectors, counts] = output else {
            return Err(Error::internal("a codebook has two columns of state"));
        };
        for (row, &group) in groups.iter().enumerate() {
            let held = &self.groups[group as usize];
            let elements: Vec<f32> =
                held.keys().flat_map(|(_, bits)| bits.iter().map(|bits| f32::from_bits(*bits))).collect();
            let mut list = vectors.list();
            let start = list.child().grow(elements.len());
            list.child().fixed::<f32>()[start..].copy_from_slice(&elements);
            list.finish(row, start);
            let mut list = counts.list();
            let start = list.child().grow(held.len());
            let numbers = &mut list.child().fixed::<i64>()[start..];
            numbers.iter_mut().zip(held.values()).for_each(|(to, count)| *to = *count as i64);
            list.finish(row, start);
        }
        vectors.check_capacity()?;
        counts.check_capacity()
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        for (row, &group) in groups.iter().enumerate() {
            let sample = &self.groups[group as usize];
            match sample.is_empty() {
                true => output.set_null(row),
                false => output.set_value(row, &self.codebook(sample))?,
            }
        }
        output.check_capacity()
    }

    fn memory_bytes(&self) -> usize {
        let embedding = self.dimension.unwrap_or(0) * 4 + size_of::<(Key, u64)>() + 16;
        self.groups.iter().map(|sample| sample.len() * embedding + size_of_val(sample)).sum()
    }
}
