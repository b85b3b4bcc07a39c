//! `negative_sample`: items that did not occur, drawn by a counter and a key.
//!
//! The draw of a row depends on its key and the seed alone, so a table gives the same negatives however it is cut into
//! batches, spread over workers or asked for one row at a time. Draw `i` is XXH64 of `i` with the hash of key and seed as
//! its seed, scaled to the number of candidates by the high half of the product.

use hashbrown::HashSet;

use super::CATEGORY;
use crate::column::View;
use crate::error::Error;
use crate::kernel::hash::xxhash64::{xxhash64, xxhash64_u64};
use crate::list::MemberSet;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{Parameter, exact, list_of_variable};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Most negatives of one row.
const COUNT_MAX: i64 = 1 << 20;

pub(super) fn register(registry: &mut Registry) {
    let function = ScalarFunction::new("negative_sample", CATEGORY, "Distinct items of a catalog that are not among the positives of a row, drawn by the row's key.")
        .note("The catalog is a list, or a number n that stands for the ids from 0 to n - 1. Positives and nulls are never drawn; fewer items than asked for come where there are no more.")
        .note("Equal keys and seeds draw equally, whatever the order of rows. Repeated elements of a list are drawn as often as they stand there.")
        .example("list_sort(negative_sample(5, 3, 42, [0, 2]))", "[1, 3, 4]")
        .example("negative_sample(1000, 3, 42, [7]) = negative_sample(1000, 3, 42, [7])", "true")
        .example("length(negative_sample(['a', 'b', 'c'], 1, 'user-1', ['b'], seed => 9))", "1");
    registry.register_scalar([Type::Int64, Type::Text].into_iter().fold(function, |function, key| {
        let rest = |positives: Parameter| {
            let seed = exact("seed", Type::Int64).or(Literal::new(Value::Int64(0)));
            [exact("count", Type::Int64), exact("key", key.clone()), positives, seed]
        };
        let ids = exact("positives", Type::list(Type::Int64));
        function
            .overload([exact("catalog", Type::Int64)].into_iter().chain(rest(ids)), |_| Ok(of_ids()))
            .overload(
                [list_of_variable("catalog")].into_iter().chain(rest(list_of_variable("positives"))),
                |arguments| Ok(of_elements(arguments.types[0].clone())),
            )
    }));
}

/// Numbers drawn for one row.
struct Generator {
    seed: u64,
    counter: u64,
}

impl Generator {
    fn of(arguments: &[View<'_>], row: usize) -> Self {
        let seed = arguments[4].fixed::<i64>().get(row) as u64;
        let key = &arguments[2];
        let seed = match key.data_type {
            Type::Text => xxhash64(key.bytes().get(row), seed),
            _ => xxhash64_u64(key.fixed::<i64>().get(row) as u64, seed),
        };
        Self { seed, counter: 0 }
    }

    /// A number from 0 to below a bound.
    fn below(&mut self, bound: u64) -> u64 {
        let drawn = xxhash64_u64(self.counter, self.seed);
        self.counter += 1;
        ((u128::from(drawn) * u128::from(bound)) >> 64) as u64
    }
}

#[derive(Default)]
struct Drawn {
    ranks: Vec<u64>,
    seen: HashSet<u64, ahash::RandomState>,
    /// Positives in order, or the places of candidates.
    held: Vec<u64>,
    /// Positives of a catalog of elements.
    positives: MemberSet,
}

impl Drawn {
    /// Draws distinct ranks below `candidates` by Floyd's method: one draw each, however many are wanted.
    fn draw(&mut self, generator: &mut Generator, candidates: u64, count: u64) {
        self.ranks.clear();
        self.seen.clear();
        for last in candidates - count.min(candidates)..candidates {
            let drawn = generator.below(last + 1);
            let rank = if self.seen.insert(drawn) { drawn } else { last };
            self.seen.insert(rank);
            self.ranks.push(rank);
        }
    }

    /// The id at a rank among those that are not held, which are in order.
    fn id(&self, rank: u64) -> u64 {
        // Of the held ids, `at` of them are below id `held[at]`, and so `held[at] - at` free ones.
        let (mut low, mut high) = (0, self.held.len());
        while low < high {
            let middle = (low + high) / 2;
            if self.held[middle] - middle as u64 <= rank { low = middle + 1 } else { high = middle }
        }
        rank + low as u64
    }
}

fn count_of(arguments: &[View<'_>], row: usize) -> Result<u64, Error> {
    let count = arguments[1].fixed::<i64>().get(row);
    if (0..=COUNT_MAX).contains(&count) {
        return Ok(count as u64);
    }
    Err(Error::argument("negative_sample", 2, format!("is {count}; expected 0 to {COUNT_MAX}")))
}

fn of_ids() -> Bound {
    Bound::strict(Type::list(Type::Int64), |arguments, rows, output, scratch| {
        let (sizes, positives) = (arguments[0].fixed::<i64>(), arguments[3].list());
        let (child, ids) = (positives.child(), positives.child().fixed::<i64>());
        let drawn = scratch.slot::<Drawn>();
        rows.for_each(|row| {
            let count = match count_of(arguments, row) {
                Ok(count) => count,
                Err(error) => return output.fail(row, || error),
            };
            let Ok(size) = u64::try_from(sizes.get(row)) else {
                let problem = format!("is {}; expected a number of ids of at least 0", sizes.get(row));
                return output.fail(row, || Error::argument("negative_sample", 1, problem));
            };
            drawn.held.clear();
            let present = positives.range(row).filter(|&at| child.is_valid(at));
            let present = present.filter_map(|at| u64::try_from(ids.get(at)).ok());
            drawn.held.extend(present.filter(|&id| id < size));
            drawn.held.sort_unstable();
            drawn.held.dedup();
            let candidates = size - drawn.held.len() as u64;
            drawn.draw(&mut Generator::of(arguments, row), candidates, count);
            let mut writer = output.list();
            let start = writer.child().grow(drawn.ranks.len());
            let places = &mut writer.child().fixed::<i64>()[start..start + drawn.ranks.len()];
            places.iter_mut().zip(&drawn.ranks).for_each(|(place, &rank)| *place = drawn.id(rank) as i64);
            writer.finish(row, start);
        });
        output.check_capacity()
    })
}

fn of_elements(result: Type) -> Bound {
    Bound::strict(result, |arguments, rows, output, scratch| {
        let (catalog, positives) = (arguments[0].list(), arguments[3].list());
        let drawn = scratch.slot::<Drawn>();
        rows.for_each(|row| {
            let count = match count_of(arguments, row) {
                Ok(count) => count,
                Err(error) => return output.fail(row, || error),
            };
            drawn.positives.fill(positives.child(), positives.range(row));
            drawn.held.clear();
            let present = catalog.range(row).filter(|&at| catalog.child().is_valid(at));
            let free = present.filter(|&at| !drawn.positives.has(positives.child(), catalog.child(), at));
            drawn.held.extend(free.map(|at| at as u64));
            drawn.draw(&mut Generator::of(arguments, row), drawn.held.len() as u64, count);
            let mut writer = output.list();
            let start = writer.start();
            for &rank in &drawn.ranks {
                writer.child().push(catalog.child(), drawn.held[rank as usize] as usize);
            }
            writer.finish(row, start);
        });
        output.check_capacity()
    })
}
