//! median, quantile_cont, quantile_disc, mad: exact quantiles, from all values of a group.

use bumpalo::Bump;

use super::collector::Collector;
use crate::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use crate::column::{Output, Rows, View, compare, compare_floats};
use crate::error::{Error, Result};
use crate::scalar::Arguments;
use crate::signature::{Pattern, any, parameter};
use crate::types::Type;
use crate::value::Value;

pub(super) fn functions() -> Vec<AggregateFunction> {
    let disc = AggregateFunction::new(
        "quantile_disc",
        "aggregate",
        "The least value whose share of the group reaches the given one.",
    )
    .alias("quantile")
    .overload([any("value"), any("share")], discrete)
    .note("Nulls are skipped; a group without values gives null. A list of shares gives a list.")
    .example("quantile_disc(42, 0.5)", "42");
    let cont = AggregateFunction::new(
        "quantile_cont",
        "aggregate",
        "The value at the given share of the sorted group, interpolated between neighbours.",
    )
    .overload([parameter("value", Pattern::Float), any("share")], |arguments| {
        continuous(arguments, shares(arguments)?)
    })
    .note("Nulls are skipped; a group without values gives null. A list of shares gives a list.")
    .example("quantile_cont(42, 0.5)", "42.0");
    let median = AggregateFunction::new(
        "median",
        "aggregate",
        "Middle value of the sorted group; of an even number of values the mean of the two in the middle.",
    )
    .overload([parameter("value", Pattern::Float)], |arguments| {
        continuous(arguments, Shares { values: vec![0.5], is_list: false })
    })
    .note("Nulls are skipped; a group without values gives null.")
    .example("median(42)", "42.0");
    let deviation =
        AggregateFunction::new("mad", "aggregate", "Median of the absolute distances to the median.")
            .overload([parameter("value", Pattern::Float)], |arguments| {
                let data_type = arguments.types[0].clone();
                Ok(bound(
                    data_type.clone(),
                    data_type,
                    Shares { values: vec![0.5], is_list: false },
                    Mode::Deviation,
                ))
            })
            .note("Nulls are skipped; a group without values gives null.")
            .example("mad(42)", "0.0");
    vec![disc, cont, median, deviation]
}

#[derive(Debug, Clone)]
struct Shares {
    values: Vec<f64>,
    is_list: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    Discrete,
    Continuous,
    Deviation,
}

fn discrete(arguments: &Arguments<'_>) -> Result<BoundAggregate> {
    let (element, shares) = (arguments.types[0].clone(), shares(arguments)?);
    let result = if shares.is_list { Type::list(element.clone()) } else { element.clone() };
    Ok(bound(element, result, shares, Mode::Discrete))
}

fn continuous(arguments: &Arguments<'_>, shares: Shares) -> Result<BoundAggregate> {
    let element = arguments.types[0].clone();
    let result = if shares.is_list { Type::list(element.clone()) } else { element.clone() };
    Ok(bound(element, result, shares, Mode::Continuous))
}

fn bound(element: Type, result: Type, shares: Shares, mode: Mode) -> BoundAggregate {
    BoundAggregate::strict(result, Collector::states(element.clone()), move || Quantile {
        collector: Collector::new(element.clone()),
        shares: shares.clone(),
        mode,
    })
}

fn shares(arguments: &Arguments<'_>) -> Result<Shares> {
    let refused = || {
        Error::argument(arguments.function, 2, "must be a constant share between 0 and 1, or a list of them")
    };
    let share =
        |value: &Value| value.as_f64().filter(|share| (-1.0..=1.0).contains(share)).ok_or_else(refused);
    match arguments.constant(1)? {
        Value::List(_, values) | Value::FixedList(_, values) => {
            Ok(Shares { values: values.iter().map(share).collect::<Result<_>>()?, is_list: true })
        }
        value => Ok(Shares { values: vec![share(value)?], is_list: false }),
    }
}

struct Quantile {
    collector: Collector,
    shares: Shares,
    mode: Mode,
}

impl Accumulator for Quantile {
    fn resize(&mut self, groups: usize) {
        self.collector.resize(groups);
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], ordinal: u64) -> Result<()> {
        self.collector.add(&arguments[0], rows, groups, ordinal);
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        self.collector.merge(states, groups);
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        self.collector.state(groups, output);
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        let bump = Bump::new();
        let (grouped, values) = (self.collector.grouped(), self.collector.view(&bump));
        for (row, &group) in groups.iter().enumerate() {
            let members = grouped.rows(group);
            if members.is_empty() {
                output.set_null(row);
            } else if self.mode == Mode::Discrete {
                self.write_discrete(&values, members.to_vec(), output, row);
            } else {
                let sorted = sorted_floats(&values, members);
                self.write_floats(&sorted, output, row);
            }
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.collector.memory_bytes()
    }
}

impl Quantile {
    fn write_discrete(&self, values: &View<'_>, mut members: Vec<u32>, output: &mut Output, row: usize) {
        members.sort_by(|&a, &b| compare(values, a as usize, values, b as usize));
        let at = |share: f64| {
            let reach = if share < 0.0 { 1.0 + share } else { share };
            let rank = (reach * members.len() as f64).ceil() as usize;
            members[rank.clamp(1, members.len()) - 1] as usize
        };
        if !self.shares.is_list {
            output.copy(row, values, at(self.shares.values[0]));
            return;
        }
        let mut writer = output.list();
        let start = writer.start();
        self.shares.values.iter().for_each(|&share| writer.child().push(values, at(share)));
        writer.finish(row, start);
    }

    fn write_floats(&self, sorted: &[f64], output: &mut Output, row: usize) {
        let result = |share: f64| match self.mode {
            Mode::Deviation => {
                let middle = interpolate(sorted, 0.5);
                let mut distances: Vec<f64> = sorted.iter().map(|value| (value - middle).abs()).collect();
                distances.sort_by(|a, b| compare_floats(*a, *b));
                interpolate(&distances, 0.5)
            }
            _ => interpolate(sorted, share),
        };
        if !self.shares.is_list {
            set_float(output, row, result(self.shares.values[0]));
            return;
        }
        let mut writer = output.list();
        let start = writer.child().grow(self.shares.values.len());
        for (position, &share) in self.shares.values.iter().enumerate() {
            set_float(writer.child(), start + position, result(share));
        }
        writer.finish(row, start);
    }
}

fn sorted_floats(values: &View<'_>, members: &[u32]) -> Vec<f64> {
    let mut sorted: Vec<f64> = match values.data_type {
        Type::Float64 => members.iter().map(|&member| values.fixed::<f64>().get(member as usize)).collect(),
        Type::Float32 => {
            members.iter().map(|&member| f64::from(values.fixed::<f32>().get(member as usize))).collect()
        }
        _ => {
            members.iter().map(|&member| values.fixed::<half::f16>().get(member as usize).to_f64()).collect()
        }
    };
    sorted.sort_unstable_by(|a, b| compare_floats(*a, *b));
    sorted
}

fn interpolate(sorted: &[f64], share: f64) -> f64 {
    let reach = if share < 0.0 { 1.0 + share } else { share };
    let place = (sorted.len() - 1) as f64 * reach;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    let fraction = place - place.floor();
    if fraction == 0.0 || low == high { low } else { low * (1.0 - fraction) + high * fraction }
}

fn set_float(output: &mut Output, row: usize, value: f64) {
    match output.data_type() {
        Type::Float64 => output.fixed::<f64>()[row] = value,
        Type::Float32 => output.fixed::<f32>()[row] = value as f32,
        _ => output.fixed::<half::f16>()[row] = half::f16::from_f64(value),
    }
}
