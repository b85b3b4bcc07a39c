//! Lists of vectors pooled to one vector: mean, sum, greatest and least, element by element.

use half::f16;

use super::element::{Element, Embeddings, function, null_element, vector_of, vectors_of, write_vector};
use crate::column::View;
use crate::error::{Error, Result};
use crate::list::element_of;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::parameter;
use crate::types::Type;

/// How vectors become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    Mean,
    Sum,
    Max,
    Min,
}

pub(super) fn register(registry: &mut Registry) {
    let poolings = [
        ("mean_pool", Pooling::Mean, "Mean of the vectors of a list, element by element.", "[2.0, 3.0]"),
        ("sum_pool", Pooling::Sum, "Sum of the vectors of a list, element by element.", "[4.0, 6.0]"),
        ("max_pool", Pooling::Max, "Greatest elements of the vectors of a list.", "[3.0, 4.0]"),
        ("min_pool", Pooling::Min, "Least elements of the vectors of a list.", "[1.0, 2.0]"),
    ];
    for (name, pooling, summary, result) in poolings {
        let mut pool = function(name, summary)
            .note("Null vectors are left out; a list without vectors gives null. Vectors of different dimensions, and null elements, are errors.")
            .example(&format!("{name}([[1.0, 2.0], [3.0, 4.0]])"), result);
        if matches!(pooling, Pooling::Mean | Pooling::Sum) {
            pool = pool
                .note("Summed in the order of the list, HALF in FLOAT. With weights, one for each vector, each vector counts times its weight, and a mean is divided by the sum of the weights; a sum of 0 gives null.")
                .example(&format!("{name}([[1.0, 2.0], [3.0, 4.0]], [1, 0])"), "[1.0, 2.0]");
        }
        let pool = forms::<f32>(pool, pooling);
        let pool = forms::<f64>(pool, pooling);
        registry.register_scalar(forms::<f16>(pool, pooling));
    }
}

fn forms<T: Element>(function: ScalarFunction, pooling: Pooling) -> ScalarFunction {
    let vectors = || parameter("vectors", vectors_of(T::TYPE));
    let function = function.overload([vectors()], move |arguments| {
        Ok(bind::<T>(arguments.function.to_owned(), element_of(arguments.types, 0), pooling))
    });
    if matches!(pooling, Pooling::Max | Pooling::Min) {
        return function;
    }
    let weights = parameter("weights", vector_of(T::WIDE));
    function.overload([vectors(), weights], move |arguments| {
        Ok(bind_weighted::<T>(arguments.function.to_owned(), element_of(arguments.types, 0), pooling))
    })
}

fn bind<T: Element>(function: String, result: Type, pooling: Pooling) -> Bound {
    Bound::strict(result, move |arguments, rows, output, scratch| {
        let list = arguments[0].list();
        let vectors = Vectors::<T>::new(list.child());
        let pool = scratch.slot::<Pool<T>>();
        rows.for_each(|row| {
            pool.clear();
            match pool.add_all(&vectors, list.range(row), pooling, &function) {
                Ok(()) if pool.count == 0 => output.set_null(row),
                Ok(()) => write_vector(output, row, pool.dimension(), |place| pool.finish(pooling, place)),
                Err(error) => output.fail(row, || error),
            }
        });
        output.check_capacity()
    })
}

fn bind_weighted<T: Element>(function: String, result: Type, pooling: Pooling) -> Bound {
    Bound::strict(result, move |arguments, rows, output, scratch| {
        let list = arguments[0].list();
        let vectors = Vectors::<T>::new(list.child());
        let weights = Embeddings::<T::Wide>::new(&arguments[1]);
        let pool = scratch.slot::<Pool<T>>();
        rows.for_each(|row| {
            let (range, Some(weights)) = (list.range(row), weights.get(row, &function, 2, output)) else {
                return;
            };
            if weights.len() != range.len() {
                let problem = format!("has {} weights for {} vectors", weights.len(), range.len());
                return output.fail(row, || Error::argument(&function, 2, problem));
            }
            pool.clear();
            let added = range.zip(weights).try_for_each(|(index, &weight)| {
                match vectors.get(index, &function, 1)? {
                    Some(vector) => pool.add_weighted(vector, weight, &function, 1),
                    None => Ok(()),
                }
            });
            match added {
                Ok(()) if pool.is_weightless(pooling) => output.set_null(row),
                Ok(()) => {
                    write_vector(output, row, pool.dimension(), |place| pool.finish_weighted(pooling, place));
                }
                Err(error) => output.fail(row, || error),
            }
        });
        output.check_capacity()
    })
}

/// Vectors that are elements of lists.
#[derive(Clone, Copy)]
pub(super) struct Vectors<'a, T> {
    embeddings: Embeddings<'a, T>,
    view: &'a View<'a>,
}

impl<'a, T: Element> Vectors<'a, T> {
    pub fn new(view: &'a View<'a>) -> Self {
        Self { embeddings: Embeddings::new(view), view }
    }

    /// A vector; `None` if it is null.
    ///
    /// # Errors
    /// A null element.
    pub fn get(&self, index: usize, function: &str, position: usize) -> Result<Option<&'a [T]>> {
        if self.view.is_null(index) {
            return Ok(None);
        }
        self.embeddings.elements(index).map(Some).ok_or_else(|| null_element(function, position))
    }

    /// The elements of adjoining vectors, if they adjoin and neither a vector nor an element may be null.
    pub fn run(&self, indices: std::ops::Range<usize>) -> Option<&'a [T]> {
        if self.view.may_be_null() { None } else { self.embeddings.run(indices) }
    }

    /// The dimension of the first vector among these that is not null, or that of all where it is fixed.
    pub fn dimension(&self, mut indices: std::ops::Range<usize>) -> Option<usize> {
        match self.view.data_type {
            Type::FixedList(_, size) => Some(*size),
            _ => indices.find(|&index| self.view.is_valid(index)).map(|index| self.embeddings.length(index)),
        }
    }

    /// All elements, and how many a vector has where that is fixed, else 0.
    pub fn block(&self) -> (&'a [T], usize) {
        let size = if let Type::FixedList(_, size) = self.view.data_type { *size } else { 0 };
        (self.embeddings.all(), size)
    }
}

/// Vectors combined so far.
pub(super) struct Pool<T: Element> {
    sums: Vec<T::Wide>,
    held: Vec<T>,
    pub count: usize,
    weight: f64,
}

impl<T: Element> Default for Pool<T> {
    fn default() -> Self {
        Self { sums: Vec::new(), held: Vec::new(), count: 0, weight: 0.0 }
    }
}

impl<T: Element> Pool<T> {
    pub fn clear(&mut self) {
        self.sums.clear();
        self.held.clear();
        self.count = 0;
        self.weight = 0.0;
    }

    pub fn dimension(&self) -> usize {
        self.sums.len().max(self.held.len())
    }

    fn add_all(
        &mut self,
        vectors: &Vectors<'_, T>,
        range: std::ops::Range<usize>,
        pooling: Pooling,
        function: &str,
    ) -> Result<()> {
        let sums = matches!(pooling, Pooling::Mean | Pooling::Sum);
        if sums
            && !vectors.view.may_be_null()
            && let Some(run) = vectors.embeddings.run_range(range.clone())
            && let Some(around) = vectors.embeddings.all().get(run.start..)
        {
            self.count = range.len();
            self.sums.resize(run.len() / range.len(), T::Wide::default());
            T::sum(around, run.len(), &mut self.sums);
            return Ok(());
        }
        for index in range {
            if let Some(vector) = vectors.get(index, function, 1)? {
                self.add(vector, pooling, function, 1)?;
            }
        }
        Ok(())
    }

    /// Adds one vector.
    ///
    /// # Errors
    /// Another dimension than the vectors before.
    pub fn add(&mut self, vector: &[T], pooling: Pooling, function: &str, position: usize) -> Result<()> {
        self.check(vector, function, position)?;
        match pooling {
            Pooling::Mean | Pooling::Sum => {
                self.sums.resize(vector.len(), T::Wide::default());
                T::sum(vector, vector.len(), &mut self.sums);
            }
            _ if self.count == 0 => self.held.extend_from_slice(vector),
            _ => T::extreme(vector, pooling == Pooling::Max, &mut self.held),
        }
        self.count += 1;
        Ok(())
    }

    /// Adds one vector times a weight.
    ///
    /// # Errors
    /// Another dimension than the vectors before.
    pub fn add_weighted(
        &mut self,
        vector: &[T],
        weight: T::Wide,
        function: &str,
        position: usize,
    ) -> Result<()> {
        self.check(vector, function, position)?;
        self.sums.resize(vector.len(), T::Wide::default());
        T::add_weighted(vector, weight, &mut self.sums);
        self.weight += T::double_of(weight);
        self.count += 1;
        Ok(())
    }

    fn check(&self, vector: &[T], function: &str, position: usize) -> Result<()> {
        let (expected, actual) = (self.dimension(), vector.len());
        if self.count > 0 && actual != expected {
            let problem =
                format!("holds vectors of dimensions {expected} and {actual}; expected one dimension");
            return Err(Error::argument(function, position, problem));
        }
        Ok(())
    }

    /// Writes the result of at least one vector.
    pub fn finish(&self, pooling: Pooling, output: &mut [T]) {
        match pooling {
            Pooling::Mean => T::divide(&self.sums, T::wide_of(self.count as f64), output),
            Pooling::Sum => T::divide(&self.sums, T::wide_of(1.0), output),
            Pooling::Max | Pooling::Min => output.copy_from_slice(&self.held),
        }
    }

    fn is_weightless(&self, pooling: Pooling) -> bool {
        self.count == 0 || pooling == Pooling::Mean && self.weight == 0.0
    }

    fn finish_weighted(&self, pooling: Pooling, output: &mut [T]) {
        let divisor = if pooling == Pooling::Mean { self.weight } else { 1.0 };
        T::divide(&self.sums, T::wide_of(divisor), output);
    }
}
