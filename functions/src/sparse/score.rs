//! Lists of ids with a score each.

use super::CATEGORY;
use super::sorted::SortedIds;
use crate::column::{FixedWidth, Output, View, WritableFixed};
use crate::error::Error;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Scores of one list by ascending id, one entry per id.
#[derive(Debug, Default)]
struct Scores {
    /// Id and place in the list, to add up scores of equal ids in the order of the list.
    places: Vec<(i64, usize)>,
    entries: Vec<(i64, f64)>,
}

/// How scores of equal ids become one.
type Unite = fn(f64, f64) -> f64;

/// Floats that scores come in; the result has the same type, and is computed in double precision.
trait Score: FixedWidth + WritableFixed + Into<f64> {
    const TYPE: Type;
    fn rounded(value: f64) -> Self;
}

impl Score for f32 {
    const TYPE: Type = Type::Float32;
    fn rounded(value: f64) -> Self {
        value as f32
    }
}

impl Score for f64 {
    const TYPE: Type = Type::Float64;
    fn rounded(value: f64) -> Self {
        value
    }
}

impl Scores {
    /// The scores of a row; `None` if there are not as many scores as ids.
    fn fill<T: Score>(
        &mut self,
        ids: &View<'_>,
        scores: &View<'_>,
        row: usize,
        unite: Unite,
    ) -> Option<&[(i64, f64)]> {
        let (ids, scores) = (ids.list(), scores.list());
        let (id_range, score_range) = (ids.range(row), scores.range(row));
        if id_range.len() != score_range.len() {
            return None;
        }
        let (id_values, score_values) = (ids.child().fixed::<i64>(), scores.child().fixed::<T>());
        let pairs = id_range.zip(score_range);
        let pairs = pairs.filter(|&(id, score)| ids.child().is_valid(id) && scores.child().is_valid(score));
        self.places.clear();
        self.places.extend(pairs.map(|(id, score)| (id_values.get(id), score)));
        self.places.sort_unstable();
        self.entries.clear();
        for &(id, place) in &self.places {
            let score: f64 = score_values.get(place).into();
            match self.entries.last_mut() {
                Some((last, united)) if *last == id => *united = unite(*united, score),
                _ => self.entries.push((id, score)),
            }
        }
        Some(&self.entries)
    }
}

#[derive(Debug, Default)]
struct Slot {
    ids: SortedIds,
    a: Scores,
    b: Scores,
}

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        scored("score_sum", "Sum of the scores of the second list's ids that stand in the first.", |a, b| {
            a + b
        })
        .alias("get_score_sum")
        .note("Scores of an id that stands several times in the second list are added.")
        .example("score_sum([1, 2, 3], [1, 2], [5.0, 4.0])", "9.0"),
    );
    registry.register_scalar(
        scored("score_min", "Least score of the second list's ids that stand in the first.", f64::min)
            .alias("get_score_min")
            .example("score_min([1, 2, 3], [1, 2], [5.0, 4.0])", "4.0"),
    );
    registry.register_scalar(
        scored("score_max", "Greatest score of the second list's ids that stand in the first.", f64::max)
            .alias("get_score_max")
            .example("score_max([1, 2, 3], [1, 2], [5.0, 4.0])", "5.0"),
    );
    registry.register_scalar(cosine());
}

fn ids(name: &'static str) -> crate::signature::Parameter {
    exact(name, Type::list(Type::Int64))
}

fn scores<T: Score>(name: &'static str) -> crate::signature::Parameter {
    exact(name, Type::list(T::TYPE))
}

fn fail_length(output: &mut Output, row: usize, function: &'static str, position: usize) {
    output.fail(row, || Error::argument(function, position, "has another length than its list of ids"));
}

fn scored(name: &'static str, summary: &str, unite: Unite) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, summary)
        .note("0 where no id matches. Null ids and scores are left out; another number of scores than ids is an error.")
        .overload([ids("a"), ids("b"), scores::<f32>("b_scores")], move |_| Ok(united::<f32>(name, unite)))
        .overload([ids("a"), ids("b"), scores::<f64>("b_scores")], move |_| Ok(united::<f64>(name, unite)))
}

fn united<T: Score>(name: &'static str, unite: Unite) -> Bound {
    Bound::strict(T::TYPE, move |arguments, rows, output, scratch| {
        let Slot { ids, b, .. } = scratch.slot::<Slot>();
        ids.reset();
        rows.for_each(|row| {
            let Some(entries) = b.fill::<T>(&arguments[1], &arguments[2], row, unite) else {
                return fail_length(output, row, name, 3);
            };
            let wanted = ids.of(&arguments[0], row);
            let found = entries.iter().filter(|(id, _)| wanted.binary_search(id).is_ok());
            let united = found.map(|&(_, score)| score).reduce(unite);
            output.fixed::<T>()[row] = T::rounded(united.unwrap_or(0.0));
        });
        Ok(())
    })
}

fn cosine() -> ScalarFunction {
    ScalarFunction::new(
        "id_cosine",
        CATEGORY,
        "Cosine similarity of two lists of ids with scores, as sparse vectors.",
    )
    .alias("get_cosine_similarity")
    .note("Scores of an id that stands several times are added first. Computed in double precision.")
    .note("Null where one of the vectors is zero; another number of scores than ids is an error.")
    .example("round(id_cosine([1, 2, 3], [1, 2, 3], [1, 2, 3], [5, 4, 3]), 4)", "0.8315")
    .overload([ids("a"), scores::<f32>("a_scores"), ids("b"), scores::<f32>("b_scores")], |_| {
        Ok(cosine_bound::<f32>())
    })
    .overload([ids("a"), scores::<f64>("a_scores"), ids("b"), scores::<f64>("b_scores")], |_| {
        Ok(cosine_bound::<f64>())
    })
}

fn cosine_bound<T: Score>() -> Bound {
    Bound::strict(T::TYPE, |arguments, rows, output, scratch| {
        let Slot { a, b, .. } = scratch.slot::<Slot>();
        let add: Unite = |x, y| x + y;
        rows.for_each(|row| {
            let Some(a) = a.fill::<T>(&arguments[0], &arguments[1], row, add) else {
                return fail_length(output, row, "id_cosine", 2);
            };
            let Some(b) = b.fill::<T>(&arguments[2], &arguments[3], row, add) else {
                return fail_length(output, row, "id_cosine", 4);
            };
            match cosine_of(a, b) {
                Some(similarity) => output.fixed::<T>()[row] = T::rounded(similarity),
                None => output.set_null(row),
            }
        });
        Ok(())
    })
}

fn cosine_of(a: &[(i64, f64)], b: &[(i64, f64)]) -> Option<f64> {
    let norm = |entries: &[(i64, f64)]| entries.iter().map(|(_, score)| score * score).sum::<f64>().sqrt();
    let norms = norm(a) * norm(b);
    if norms == 0.0 {
        return None;
    }
    let mut product = 0.0;
    let (mut i, mut j) = (0, 0);
    while let (Some((x, score_a)), Some((y, score_b))) = (a.get(i), b.get(j)) {
        match x.cmp(y) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                product += score_a * score_b;
                (i, j) = (i + 1, j + 1);
            }
        }
    }
    Some(product / norms)
}
