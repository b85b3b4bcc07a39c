//! A model as a scalar function: distinct texts, batches by rows and bytes, a cache, errors of rows.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hypostyle_functions::column::{Output, Rows, View};
use hypostyle_functions::scalar::{Bound, Cost, Exactness, ScalarFunction};
use hypostyle_functions::scratch::Scratch;
use hypostyle_functions::signature::exact;
use hypostyle_functions::{Error, Result, Type};

use crate::cache::Cache;
use crate::embedding::{EmbeddingModel, Refusals};

/// How a model is fed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Most texts of a batch.
    pub batch_rows: usize,
    /// Bytes of text at which a batch ends: long texts make small batches.
    pub batch_bytes: usize,
    /// Most bytes of vectors that each worker remembers, charged to the budget; 0 remembers nothing from one call to the next.
    pub cache_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { batch_rows: 64, batch_bytes: 32 << 10, cache_bytes: 8 << 20 }
    }
}

/// Caches of the models of a worker, by the number of their function.
#[derive(Default)]
struct Caches(HashMap<u64, Cache, ahash::RandomState>);

/// A function of this name from a text to the vector that the model gives for it: `FLOAT[dimension]`.
pub fn embedding_function(name: &str, model: impl EmbeddingModel, options: Options) -> ScalarFunction {
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    let function = Arc::new(Embedding {
        name: name.to_owned(),
        number: NUMBERS.fetch_add(1, Ordering::Relaxed),
        dimension: model.dimension(),
        model: Box::new(model),
        options: Options { batch_rows: options.batch_rows.max(1), ..options },
    });
    let result = Type::fixed_list(Type::Float32, function.dimension);
    let function = ScalarFunction::new(name, "model", "The vector of a text, of a model of this session.")
        .overload([exact("text", Type::Text)], move |_| {
            let function = Arc::clone(&function);
            Ok(Bound::strict(result.clone(), move |arguments, rows, output, scratch| {
                function.call(&arguments[0], rows, output, scratch)
            }))
        })
        .cost(Cost::Model)
        .note("Equal texts are computed once; a text that the model refuses is an error of its row.");
    // A runtime may add in another order for another number of rows or on another machine.
    ScalarFunction { exactness: Exactness::Platform, ..function }
}

struct Embedding {
    name: String,
    /// Tells its cache from those of other models.
    number: u64,
    dimension: usize,
    model: Box<dyn EmbeddingModel>,
    options: Options,
}

/// The texts of a call that have no vector yet, each once, and the rows that wait for it.
#[derive(Default)]
struct Pending<'a> {
    texts: Vec<&'a str>,
    places: HashMap<&'a str, usize, ahash::RandomState>,
    /// Row and text.
    rows: Vec<(usize, usize)>,
}

impl Embedding {
    fn call(
        &self,
        texts: &View<'_>,
        rows: Rows<'_>,
        output: &mut Output,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let caches = scratch.slot::<Caches>();
        let new = || Cache::new(self.dimension, self.options.cache_bytes);
        let cache = caches.0.entry(self.number).or_insert_with(new);
        let texts = texts.text();
        let mut pending = Pending::default();
        rows.for_each(|row| {
            let text = texts.get(row);
            if !cache.read(text, self.place(output, row)) {
                let next = pending.texts.len();
                let place = *pending.places.entry(text).or_insert(next);
                if place == next {
                    pending.texts.push(text);
                }
                pending.rows.push((row, place));
            }
        });
        self.compute(&pending, output, cache)?;
        let bytes = caches.0.values().map(Cache::bytes).sum();
        scratch.hold::<Caches>(bytes);
        Ok(())
    }

    fn place<'a>(&self, output: &'a mut Output, row: usize) -> &'a mut [f32] {
        let start = row * self.dimension;
        &mut output.fixed_list_child().fixed::<f32>()[start..start + self.dimension]
    }

    /// Runs the model over what is pending, batch by batch.
    fn compute(&self, pending: &Pending<'_>, output: &mut Output, cache: &mut Cache) -> Result<()> {
        let mut vectors = vec![0.0f32; pending.texts.len() * self.dimension];
        let mut refused: HashMap<usize, String> = HashMap::new();
        let mut start = 0;
        while start < pending.texts.len() {
            let texts = &pending.texts[start..self.batch_end(&pending.texts, start)];
            let place = &mut vectors[start * self.dimension..(start + texts.len()) * self.dimension];
            let mut refusals = Refusals::default();
            self.model
                .embed(texts, place, &mut refusals)
                .map_err(|problem| Error::user(format!("{}: {problem}", self.name)))?;
            for (position, (text, vector)) in
                texts.iter().zip(place.chunks_exact(self.dimension.max(1))).enumerate()
            {
                match refusals.of(position) {
                    Some(problem) => _ = refused.insert(start + position, problem.to_owned()),
                    None => cache.insert(text, vector),
                }
            }
            start += texts.len();
        }
        for &(row, text) in &pending.rows {
            match refused.get(&text) {
                Some(problem) => output.fail(row, || Error::argument(&self.name, 1, problem)),
                None => {
                    let vector = &vectors[text * self.dimension..(text + 1) * self.dimension];
                    self.place(output, row).copy_from_slice(vector);
                }
            }
        }
        Ok(())
    }

    /// Where the batch that begins at `start` ends: at least one text, and no more than the options allow.
    fn batch_end(&self, texts: &[&str], start: usize) -> usize {
        let mut bytes = 0;
        let mut fits = |text: &&str| {
            bytes += text.len();
            bytes <= self.options.batch_bytes
        };
        let most = &texts[start..texts.len().min(start + self.options.batch_rows)];
        start + most.iter().take_while(|text| fits(text)).count().max(1)
    }
}
