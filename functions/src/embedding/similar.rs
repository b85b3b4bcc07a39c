//! The vectors of a table that are most similar to a query: `top_k_similar`.
//!
//! The table is read in blocks. A block is measured at once, and a measure is kept only if it beats the k-th best so far, so nothing
//! but some candidates is held or sorted. Where all rows share one table, several queries take a block in turn while it lies in the cache.

use std::cmp::Ordering;
use std::ops::Range;

use half::f16;

use super::element::{Element, Embeddings, function, known_dimension, vector_of, vectors_of};
use super::pair::Measure;
use super::pool::Vectors;
use crate::column::{Output, compare_floats};
use crate::error::{Error, Result};
use crate::kernel::level::Level;
use crate::kernel::vector::rows::{self as kernel, Side};
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{exact, parameter};
use crate::types::{Field, Type};
use crate::value::{Literal, Value};

/// Vectors that are measured at once: with those of 128 dimensions, half of a second-level cache.
const BLOCK: usize = 1024;
/// Queries that take a block in turn.
const QUERIES: usize = 32;

/// What makes vectors similar.
#[derive(Debug, Clone, Copy)]
enum Metric {
    Cosine,
    Dot,
    Distance,
}

/// The measures of an element type, in the order of [`Metric`].
type Measures<T> = [Measure<T>; 3];

pub(super) fn register(registry: &mut Registry) {
    let similar = function("top_k_similar", "The vectors of a table that are most similar to a query: their places and scores, the best first.")
        .note("The table is a list of vectors, id 0 its first: a constant, a column, or a subquery such as (SELECT list(v ORDER BY id) FROM t), which is made once.")
        .note("metric is 'cosine' or 'dot', of which the highest is best, or 'l2', the Euclidean distance, of which the least is.")
        .note("Of equal scores the first in the table comes first; NaN, such as the cosine of a vector of zeros, comes after all numbers. Null vectors are left out. A k below 0, another dimension and a null element are errors, dimensions while planning where they are known.")
        .example("top_k_similar([1.0, 0.0], [[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]], 1)", "[{'id': 1, 'score': 1.0}]")
        .example("top_k_similar([1.0, 0.0], [[0.0, 1.0], [2.0, 0.0]], 1, metric => 'l2')", "[{'id': 1, 'score': 1.0}]");
    let similar = form::<f32>(similar, [kernel::cosine_f32_at, kernel::dot_f32_at, kernel::l2_f32_at]);
    let similar = form::<f64>(similar, [kernel::cosine_f64_at, kernel::dot_f64_at, kernel::l2_f64_at]);
    registry.register_scalar(form::<f16>(
        similar,
        [kernel::cosine_f16_at, kernel::dot_f16_at, kernel::l2_f16_at],
    ));
}

fn form<T: Element>(function: ScalarFunction, measures: Measures<T>) -> ScalarFunction {
    let parameters = [
        parameter("query", vector_of(T::TYPE)),
        parameter("table", vectors_of(T::TYPE)),
        exact("k", Type::Int64),
        exact("metric", Type::Text).or(Literal::new(Value::from("cosine"))),
    ];
    function.overload(parameters, move |arguments| bind::<T>(arguments, measures))
}

fn bind<T: Element>(arguments: &Arguments<'_>, measures: Measures<T>) -> Result<Bound> {
    let metric = match arguments.constant_text(3)? {
        metric if metric.eq_ignore_ascii_case("cosine") => Metric::Cosine,
        metric if metric.eq_ignore_ascii_case("dot") => Metric::Dot,
        metric if metric.eq_ignore_ascii_case("l2") => Metric::Distance,
        other => {
            let problem = format!("is \"{other}\"; expected 'cosine', 'dot' or 'l2'");
            return Err(Error::argument(arguments.function, 4, problem));
        }
    };
    let search =
        Search { measure: measures[metric as usize], metric, function: arguments.function.to_owned() };
    if let (Some(expected), Some(actual)) = (known_dimension(arguments, 0), table_dimension(arguments))
        && actual != expected
    {
        return Err(search.mismatch(actual, expected));
    }
    let fields = vec![Field::new("id", Type::Int64), Field::new("score", T::WIDE)];
    Ok(Bound::strict(Type::list(Type::Struct(fields)), move |arguments, rows, output, scratch| {
        let queries = Embeddings::<T>::new(&arguments[0]);
        let (tables, counts) = (arguments[1].list(), arguments[2].fixed::<i64>());
        let vectors = Vectors::<T>::new(tables.child());
        let at_once = if arguments[1].is_constant() { QUERIES } else { 1 };
        let Room { bests, scores } = scratch.slot::<Room>();
        bests.resize_with(at_once, Best::default);
        let mut next = rows.iter().peekable();
        while next.peek().is_some() {
            let mut asked = 0;
            while asked < at_once
                && let Some(row) = next.next()
            {
                let Ok(count) = usize::try_from(counts.get(row)) else {
                    let problem = format!("is {}; expected a number of at least 0", counts.get(row));
                    output.fail(row, || Error::argument(&search.function, 3, problem));
                    continue;
                };
                if queries.get(row, &search.function, 1, output).is_some() {
                    bests[asked].begin(row, count);
                    asked += 1;
                }
            }
            let bests = &mut bests[..asked];
            // All of them have the table of the first.
            let Some(table) = bests.first().map(|best| tables.range(best.row)) else { continue };
            search.run(&queries, vectors, table, bests, scores);
            bests.iter_mut().for_each(|best| search.write(best, output));
        }
        output.check_capacity()
    }))
}

/// The dimension of the table's vectors, as far as it is known while planning.
fn table_dimension(arguments: &Arguments<'_>) -> Option<usize> {
    match arguments.types[1].element() {
        Some(Type::FixedList(_, size)) => Some(*size),
        _ => arguments
            .known(1)?
            .as_list()?
            .iter()
            .find(|vector| !vector.is_null())?
            .as_list()
            .map(<[Value]>::len),
    }
}

/// What is searched by.
struct Search<T: Element> {
    measure: Measure<T>,
    metric: Metric,
    function: String,
}

impl<T: Element> Search<T> {
    fn mismatch(&self, actual: usize, expected: usize) -> Error {
        Error::DimensionMismatch { function: self.function.clone(), position: 2, actual, expected }
    }

    /// Lets each query of `bests` see all vectors of a table.
    fn run(
        &self,
        queries: &Embeddings<'_, T>,
        vectors: Vectors<'_, T>,
        table: Range<usize>,
        bests: &mut [Best],
        scores: &mut Vec<f64>,
    ) {
        let mut measured = vec![T::Wide::default(); BLOCK.min(table.len())];
        for start in table.clone().step_by(BLOCK) {
            let block = start..(start + BLOCK).min(table.end);
            let run = vectors.run(block.clone());
            for best in bests.iter_mut().filter(|best| best.error.is_none()) {
                let Some(query) = queries.elements(best.row) else { continue };
                let first = (start - table.start) as i64;
                if let Some(run) = run
                    && run.len() == query.len() * block.len()
                {
                    let measured = &mut measured[..block.len()];
                    (self.measure)(
                        Level::current(),
                        Side::adjoining(run, query.len()),
                        Side::same(query),
                        query.len(),
                        measured,
                    );
                    scores.clear();
                    scores.extend(measured.iter().map(|&score| self.rank(score)));
                    best.take(first, scores);
                } else if let Err(error) = self.one_by_one(vectors, block.clone(), query, first, best) {
                    best.error = Some(error);
                }
            }
        }
    }

    /// Takes in the vectors of a block that do not adjoin, or of which some are null.
    fn one_by_one(
        &self,
        vectors: Vectors<'_, T>,
        block: Range<usize>,
        query: &[T],
        first: i64,
        best: &mut Best,
    ) -> Result<()> {
        for (id, index) in (first..).zip(block) {
            let Some(vector) = vectors.get(index, &self.function, 2)? else { continue };
            if vector.len() != query.len() {
                return Err(self.mismatch(vector.len(), query.len()));
            }
            let mut measured = [T::Wide::default()];
            let sides = (Side::same(vector), Side::same(query));
            (self.measure)(Level::current(), sides.0, sides.1, query.len(), &mut measured);
            best.take(id, &[self.rank(measured[0])]);
        }
        Ok(())
    }

    /// A number that is higher for what is more similar.
    fn rank(&self, score: T::Wide) -> f64 {
        let score = T::double_of(score);
        if let Metric::Distance = self.metric { -score } else { score }
    }

    /// Writes what one query found.
    fn write(&self, best: &mut Best, output: &mut Output) {
        if let Some(error) = best.error.take() {
            return output.fail(best.row, || error);
        }
        best.drop_others();
        best.candidates.sort_unstable_by(order);
        let mut list = output.list();
        let start = list.child().grow(best.candidates.len());
        for (place, &(rank, id)) in (start..).zip(&best.candidates) {
            let score = if let Metric::Distance = self.metric { -rank } else { rank };
            list.child().field(0).fixed::<i64>()[place] = id;
            list.child().field(1).fixed::<T::Wide>()[place] = T::wide_of(score);
        }
        list.finish(best.row, start);
    }
}

/// A vector by its number, and its rank.
type Candidate = (f64, i64);

/// Numbers downwards, then NaN; of equal ones the first.
fn order(left: &Candidate, right: &Candidate) -> Ordering {
    let by_rank = left.0.is_nan().cmp(&right.0.is_nan()).then(compare_floats(right.0, left.0));
    by_rank.then(left.1.cmp(&right.1))
}

/// Room for the searches of some queries.
#[derive(Default)]
struct Room {
    bests: Vec<Best>,
    scores: Vec<f64>,
}

/// The best of one query so far.
#[derive(Default)]
struct Best {
    row: usize,
    count: usize,
    /// The best `count`, and up to as many others that came after them.
    candidates: Vec<Candidate>,
    /// What the k-th best had when the others were last dropped; ranks that are not above it are passed over.
    least: Option<f64>,
    error: Option<Error>,
}

impl Best {
    fn begin(&mut self, row: usize, count: usize) {
        (self.row, self.count, self.least, self.error) = (row, count, None, None);
        self.candidates.clear();
    }

    /// Takes in the ranks of vectors with the numbers from `first` on, which are above all before.
    fn take(&mut self, first: i64, ranks: &[f64]) {
        if self.count == 0 {
            return;
        }
        for (id, &rank) in (first..).zip(ranks) {
            // What is equal to the k-th best comes after it.
            let is_passed = self.least.is_some_and(|least| rank <= least || rank.is_nan());
            if is_passed {
                continue;
            }
            self.candidates.push((rank, id));
            if self.candidates.len() >= self.count.saturating_mul(2).max(ROOM_MIN) {
                self.drop_others();
            }
        }
    }

    fn drop_others(&mut self) {
        if self.count > 0 && self.candidates.len() > self.count {
            self.candidates.select_nth_unstable_by(self.count - 1, order);
            self.candidates.truncate(self.count);
            let last = self.candidates[self.count - 1].0;
            // Below NaN stands nothing but NaN, which are passed over only behind a number.
            self.least = (!last.is_nan()).then_some(last);
        }
    }
}

/// Candidates that are held at least before some are dropped.
const ROOM_MIN: usize = 64;
