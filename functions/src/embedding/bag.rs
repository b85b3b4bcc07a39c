//! Vectors of a table looked up by number and pooled: `embedding_bag`.

use half::f16;

use super::element::{Element, function, vector_of, vectors_of, write_vector};
use super::pool::{Pool, Pooling, Vectors};
use crate::column::{Fixed, View};
use crate::error::{Error, Result};
use crate::kernel::prefetch::prefetch;
use crate::list::element_of;
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{exact, parameter};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Ids to look ahead: a table is larger than the caches, and each vector a few lines long.
const AHEAD: usize = 6;
/// Lines of a vector that are asked for; the memory system continues by itself.
const LINES: usize = 4;

pub(super) fn register(registry: &mut Registry) {
    let bag = function("embedding_bag", "Vectors of a table at the places that ids name, pooled to one vector.")
        .note("The table is a list of vectors, id 0 its first: a constant, a column, or a subquery such as (SELECT list(v ORDER BY id) FROM t), which is made once.")
        .note("mode is 'mean' (as in torch), 'sum' or 'max'; with weights, one for each id, the weighted sum. No ids give a vector of zeros, null where the table has no dimension.")
        .note("Null ids, ids without a vector and null vectors are left out with missing => 'skip', and an error with missing => 'error'. A null element is an error.")
        .example("embedding_bag([0, 2], [[1.0, 2.0], [9.0, 9.0], [3.0, 4.0]])", "[2.0, 3.0]")
        .example("embedding_bag([0, 2], [[1.0, 2.0], [9.0, 9.0], [3.0, 4.0]], mode => 'sum')", "[4.0, 6.0]")
        .example("embedding_bag([0, 1], [[1.0, 2.0], [3.0, 4.0]], [0.5, 2.0])", "[6.5, 9.0]");
    let bag = forms::<f32>(bag);
    registry.register_scalar(forms::<f16>(forms::<f64>(bag)));
}

fn forms<T: Element>(function: ScalarFunction) -> ScalarFunction {
    let ids = || exact("ids", Type::list(Type::Int64));
    let table = || parameter("table", vectors_of(T::TYPE));
    let option =
        |name: &'static str, value: &str| exact(name, Type::Text).or(Literal::new(Value::from(value)));
    function
        .overload([ids(), table(), option("mode", "mean"), option("missing", "skip")], |arguments| {
            let pooling = match arguments.constant_text(2)? {
                mode if mode.eq_ignore_ascii_case("mean") => Pooling::Mean,
                mode if mode.eq_ignore_ascii_case("sum") => Pooling::Sum,
                mode if mode.eq_ignore_ascii_case("max") => Pooling::Max,
                other => {
                    let problem = format!("is \"{other}\"; expected 'mean', 'sum' or 'max'");
                    return Err(Error::argument(arguments.function, 3, problem));
                }
            };
            bind::<T>(arguments, pooling, None)
        })
        .overload(
            [ids(), table(), parameter("weights", vector_of(T::WIDE)), option("missing", "skip")],
            |arguments| bind::<T>(arguments, Pooling::Sum, Some(2)),
        )
}

fn bind<T: Element>(arguments: &Arguments<'_>, pooling: Pooling, weights: Option<usize>) -> Result<Bound> {
    let is_strict = match arguments.constant_text(3)? {
        missing if missing.eq_ignore_ascii_case("skip") => false,
        missing if missing.eq_ignore_ascii_case("error") => true,
        other => {
            let problem = format!("is \"{other}\"; expected 'skip' or 'error'");
            return Err(Error::argument(arguments.function, 4, problem));
        }
    };
    let function = arguments.function.to_owned();
    Ok(Bound::strict(element_of(arguments.types, 1), move |arguments, rows, output, scratch| {
        let (ids, tables) = (arguments[0].list(), arguments[1].list());
        let vectors = Vectors::<T>::new(tables.child());
        let weights = weights.map(|position| &arguments[position]);
        let pool = scratch.slot::<Pool<T>>();
        rows.for_each(|row| {
            pool.clear();
            let bag =
                Bag { ids: ids.child(), table: tables.range(row), vectors, is_strict, function: &function };
            let pooled = match weights {
                None => bag.add(ids.range(row), pooling, pool),
                Some(weights) => bag.add_weighted(ids.range(row), weights, row, pool),
            };
            match (pooled, bag.dimension()) {
                (Err(error), _) => output.fail(row, || error),
                (Ok(()), _) if pool.count > 0 => {
                    write_vector(output, row, pool.dimension(), |place| pool.finish(pooling, place));
                }
                (Ok(()), Some(dimension)) => {
                    write_vector(output, row, dimension, |place: &mut [T]| place.fill(T::default()));
                }
                (Ok(()), None) => output.set_null(row),
            }
        });
        output.check_capacity()
    }))
}

/// The table of a row, and how ids are looked up in it.
struct Bag<'a, T> {
    ids: &'a View<'a>,
    table: std::ops::Range<usize>,
    vectors: Vectors<'a, T>,
    is_strict: bool,
    function: &'a str,
}

impl<'a, T: Element> Bag<'a, T> {
    /// The dimension of the table; `None` if it holds no vector.
    fn dimension(&self) -> Option<usize> {
        self.vectors.dimension(self.table.clone())
    }

    /// The vector of the id at a place of the list's child; `None` if it is left out.
    fn vector(&self, ids: &Fixed<'_, i64>, place: usize) -> Result<Option<&'a [T]>> {
        let id = self.ids.is_valid(place).then(|| ids.get(place));
        let index = id.and_then(|id| usize::try_from(id).ok()).filter(|&index| index < self.table.len());
        let found = match index {
            Some(index) => self.vectors.get(self.table.start + index, self.function, 2)?,
            None => None,
        };
        if found.is_none() && self.is_strict {
            let shown = id.map_or("NULL".to_owned(), |id| id.to_string());
            let problem =
                format!("holds the id {shown}; expected ids of vectors, 0 to below {}", self.table.len());
            return Err(Error::argument(self.function, 1, problem));
        }
        Ok(found)
    }

    fn prefetch(&self, ids: &Fixed<'_, i64>, place: usize) {
        if place < self.ids.length {
            let index = self.table.start.wrapping_add(ids.get(place) as usize);
            self.vectors.ask_for(index, LINES);
        }
    }

    fn add(&self, range: std::ops::Range<usize>, pooling: Pooling, pool: &mut Pool<T>) -> Result<()> {
        let ids = self.ids.fixed::<i64>();
        for place in range {
            self.prefetch(&ids, place + AHEAD);
            if let Some(vector) = self.vector(&ids, place)? {
                pool.add(vector, pooling, self.function, 2)?;
            }
        }
        Ok(())
    }

    fn add_weighted(
        &self,
        range: std::ops::Range<usize>,
        weights: &View<'_>,
        row: usize,
        pool: &mut Pool<T>,
    ) -> Result<()> {
        let (ids, list) = (self.ids.fixed::<i64>(), weights.list());
        let (places, values) = (list.range(row), list.child().fixed::<T::Wide>());
        if places.len() != range.len() {
            let problem = format!("has {} weights for {} ids", places.len(), range.len());
            return Err(Error::argument(self.function, 3, problem));
        }
        for (place, weight) in range.zip(places) {
            if list.child().is_null(weight) {
                return Err(Error::argument(self.function, 3, "holds a null weight; expected numbers"));
            }
            if let Some(vector) = self.vector(&ids, place)? {
                pool.add_weighted(vector, values.get(weight), self.function, 2)?;
            }
        }
        Ok(())
    }
}

impl<T: Element> Vectors<'_, T> {
    /// Asks the memory system for the first lines of a vector, if it is one of a fixed list.
    fn ask_for(&self, index: usize, lines: usize) {
        let (values, size) = self.block();
        let start = index.wrapping_mul(size);
        let step = 64 / size_of::<T>();
        (0..lines.min(size.div_ceil(step)))
            .for_each(|line| prefetch(values, start.wrapping_add(line * step)));
    }
}
