//! `quantile_rank`: where a value stands among borders, from 0 to 1.

use super::CATEGORY;
use super::borders::{borders, constant_borders, row_numbers};
use super::elements::{map_elements, over_elements};
use crate::column::Rows;
use crate::error::{Error, Result};
use crate::kernel::bucketize::{Borders, Closed, bucketize_f64};
use crate::lanes::slice;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Pattern, exact, parameter};
use crate::types::Type;

pub(super) fn function() -> ScalarFunction {
    let list = parameter("x", Pattern::AnyList(Box::new(Pattern::Exact(Type::Float64))));
    ScalarFunction::new("quantile_rank", CATEGORY, "Place of a number among borders, interpolated between them, from 0 to 1.")
        .note("0 below the first border and 1 from the last on; NaN gives 0.5. There must be a border, and they must not decrease.")
        .note("Of a list every element is placed. The definition of apply_buckets_with_interpolation.")
        .example("quantile_rank(15, [10, 20, 40])", "0.25")
        .example("quantile_rank([5.0, 30.0, 40.0], [10, 20, 40])", "[0.0, 0.75, 1.0]")
        .overload([exact("x", Type::Float64), borders()], bind)
        .overload([list, borders()], bind_list)
}

/// Borders with the search that finds a place among them.
struct Ranking {
    borders: Vec<f64>,
    search: Borders<f64>,
}

impl Ranking {
    fn new(borders: Vec<f64>) -> Result<Self, String> {
        if borders.is_empty() {
            return Err("is empty; expected at least one border".into());
        }
        match Borders::new(&borders, Closed::Left) {
            Ok(search) => Ok(Self { borders, search }),
            Err(error) => Err(format!("is refused: {error}")),
        }
    }

    /// The rank of a value that has reached this many borders.
    fn rank(&self, x: f64, reached: usize) -> f64 {
        let last = self.borders.len() - 1;
        if x.is_nan() {
            0.5
        } else if reached == 0 {
            0.0
        } else if reached > last {
            1.0
        } else {
            // Reached borders and the next one differ, or the next one would have been reached too.
            let (low, high) = (self.borders[reached - 1], self.borders[reached]);
            ((reached - 1) as f64 + (x - low) / (high - low)) / last as f64
        }
    }

    fn rank_all(&self, values: &[f64], ranks: &mut [f64]) {
        let mut reached = [0i32; 256];
        for (values, ranks) in values.chunks(reached.len()).zip(ranks.chunks_mut(reached.len())) {
            let reached = &mut reached[..values.len()];
            bucketize_f64(&self.search, values, reached);
            for ((rank, &x), &reached) in ranks.iter_mut().zip(values).zip(&*reached) {
                *rank = self.rank(x, reached as usize);
            }
        }
    }
}

fn prepared(arguments: &Arguments<'_>) -> Result<Option<Ranking>> {
    let Some(borders) = constant_borders(arguments)? else { return Ok(None) };
    Ranking::new(borders).map(Some).map_err(|problem| Error::argument(arguments.function, 2, problem))
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    if let Some(ranking) = prepared(arguments)? {
        let kernel = slice(move |values: &[f64], ranks: &mut [f64]| ranking.rank_all(values, ranks));
        return Ok(Bound::lanes(Type::Float64, kernel));
    }
    let function = arguments.function.to_owned();
    Ok(Bound::strict(Type::Float64, move |arguments, rows, output, _| {
        let values = arguments[0].fixed::<f64>();
        rows.for_each(|row| match row_numbers(&arguments[1], row).and_then(Ranking::new) {
            Ok(ranking) => {
                ranking.rank_all(&[values.get(row)], &mut output.fixed::<f64>()[row..row + 1]);
            }
            Err(problem) => output.fail(row, || Error::argument(&function, 2, problem)),
        });
        Ok(())
    }))
}

fn bind_list(arguments: &Arguments<'_>) -> Result<Bound> {
    let list = &arguments.types[0];
    if let Some(ranking) = prepared(arguments)? {
        let kernel = move |values: &[f64], ranks: &mut [f64]| ranking.rank_all(values, ranks);
        return Ok(over_elements(list, Type::Float64, kernel));
    }
    let function = arguments.function.to_owned();
    Ok(Bound::strict(list.clone(), move |arguments, rows, output, _| {
        rows.for_each(|row| match row_numbers(&arguments[1], row).and_then(Ranking::new) {
            Ok(ranking) => {
                let kernel = |values: &[f64], ranks: &mut [f64]| ranking.rank_all(values, ranks);
                map_elements(&arguments[0], Rows::Selected(&[row as u32]), output, &kernel);
            }
            Err(problem) => output.fail(row, || Error::argument(&function, 2, problem)),
        });
        output.check_capacity()
    }))
}
