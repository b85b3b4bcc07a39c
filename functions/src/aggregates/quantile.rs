//! median, quantile_cont, quantile_disc, mad: exact quantiles, from all values of a group.

use super::collector::{Summary, collected};
use crate::aggregate::{AggregateFunction, BoundAggregate};
use crate::column::{Data, Output, View, compare, compare_floats};
use crate::error::{Error, Result};
use crate::scalar::Arguments;
use crate::signature::{Parameter, Pattern, any, exact, parameter};
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
    .note("Nulls are skipped; a group without values gives null. A list of shares gives a list; a negative share counts from the greatest value.")
    .example("quantile_disc(42, 0.5)", "42");
    let cont = AggregateFunction::new(
        "quantile_cont",
        "aggregate",
        "The value at the given share of the sorted group, interpolated between neighbours.",
    )
    .overload([parameter("value", Pattern::Float), any("share")], |arguments| {
        continuous(arguments, shares(arguments)?)
    })
    .overload([parameter("value", Pattern::Decimal), any("share")], |arguments| {
        continuous(arguments, shares(arguments)?)
    })
    .note("Nulls are skipped; a group without values gives null. A list of shares gives a list.")
    .note("Decimals give decimals, cut off behind their last digit; HUGEINT gives DOUBLE.")
    .note("Dates and times are interpolated to the microsecond; dates give timestamps.")
    .example("quantile_cont(42, 0.5)", "42.0");
    let cont = instants().into_iter().fold(cont, |function, pattern| {
        function.overload([pattern, any("share")], |arguments| continuous(arguments, shares(arguments)?))
    });
    let median = AggregateFunction::new(
        "median",
        "aggregate",
        "Middle value of the sorted group; of an even number of values the mean of the two in the middle.",
    )
    .overload([parameter("value", Pattern::Float)], |arguments| {
        continuous(arguments, Shares::middle())
    })
    .overload([parameter("value", Pattern::Decimal)], |arguments| {
        continuous(arguments, Shares::middle())
    })
    .overload([exact("value", Type::Text)], |arguments| {
        Ok(bound(arguments.types[0].clone(), arguments.types[0].clone(), Shares::middle(), Mode::Discrete))
    })
    .note("Nulls are skipped; a group without values gives null. Dates and times are interpolated; of texts the lower one of the two in the middle is taken.")
    .example("median(42)", "42.0");
    let median = instants().into_iter().fold(median, |function, pattern| {
        function.overload([pattern], |arguments| continuous(arguments, Shares::middle()))
    });
    let deviation =
        AggregateFunction::new("mad", "aggregate", "Median of the absolute distances to the median.")
            .overload([parameter("value", Pattern::Float)], deviating)
            .overload([parameter("value", Pattern::Decimal)], deviating)
            .note("Nulls are skipped; a group without values gives null.")
            .example("mad(42)", "0.0");
    vec![disc, cont, median, deviation]
}

#[derive(Debug, Clone)]
struct Shares {
    values: Vec<f64>,
    is_list: bool,
}

impl Shares {
    fn middle() -> Self {
        Self { values: vec![0.5], is_list: false }
    }
}

/// Types of points in time between which values are interpolated; dates are taken as timestamps.
fn instants() -> [Parameter; 3] {
    [exact("value", Type::TIMESTAMP), exact("value", Type::Time), exact("value", Type::TimestampTz)]
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
    let value = interpolated_type(&element);
    let result = if shares.is_list { Type::list(value) } else { value };
    Ok(bound(element, result, shares, Mode::Continuous))
}

fn deviating(arguments: &Arguments<'_>) -> Result<BoundAggregate> {
    let element = arguments.types[0].clone();
    let result = interpolated_type(&element);
    Ok(bound(element, result, Shares::middle(), Mode::Deviation))
}

/// The type of what lies between values: whole numbers have fractions between them.
fn interpolated_type(element: &Type) -> Type {
    if *element == Type::HUGEINT { Type::Float64 } else { element.clone() }
}

fn bound(element: Type, result: Type, shares: Shares, mode: Mode) -> BoundAggregate {
    collected(vec![element], result, Quantile { shares, mode })
}

fn shares(arguments: &Arguments<'_>) -> Result<Shares> {
    let refused = || {
        Error::argument(arguments.function, 2, "must be a constant share between 0 and 1, or a list of them")
    };
    let share =
        |value: &Value| value.as_f64().filter(|share| (-1.0..=1.0).contains(share)).ok_or_else(refused);
    let given = arguments.constant(1)?;
    let list = match given {
        Value::FixedList(_, values) => Some(values.as_slice()),
        other => other.as_list(),
    };
    match (list, given) {
        (Some(values), _) => {
            Ok(Shares { values: values.iter().map(share).collect::<Result<_>>()?, is_list: true })
        }
        (None, value) => Ok(Shares { values: vec![share(value)?], is_list: false }),
    }
}

#[derive(Debug, Clone)]
struct Quantile {
    shares: Shares,
    mode: Mode,
}

impl Summary for Quantile {
    fn write(&self, columns: &[View<'_>], members: &[u32], output: &mut Output, row: usize) {
        let values = &columns[0];
        match (self.mode, values.data) {
            (Mode::Discrete, _) => self.write_discrete(values, members.to_vec(), output, row),
            (_, Data::Int64(instants)) if values.data_type.is_temporal() => {
                let mut sorted: Vec<i64> = members.iter().map(|&member| instants[member as usize]).collect();
                sorted.sort_unstable();
                let result = |share| interpolate_instants(&sorted, share);
                self.write_each(output, row, |output, row, share| output.fixed::<i64>()[row] = result(share));
            }
            (_, Data::Int64(digits)) => {
                let sorted = sorted_digits(members.iter().map(|&member| i128::from(digits[member as usize])));
                self.write_each(output, row, |output, row, share| {
                    output.fixed::<i64>()[row] = self.of_digits(&sorted, share, interpolate_narrow) as i64;
                });
            }
            (_, Data::Int128(digits)) if *values.data_type != Type::HUGEINT => {
                let sorted = sorted_digits(members.iter().map(|&member| digits[member as usize]));
                self.write_each(output, row, |output, row, share| {
                    output.fixed::<i128>()[row] = self.of_digits(&sorted, share, interpolate_wide);
                });
            }
            _ => {
                let sorted = sorted_floats(values, members);
                self.write_each(output, row, |output, row, share| {
                    set_float(output, row, self.of_floats(&sorted, share));
                });
            }
        }
    }
}

impl Quantile {
    fn write_discrete(&self, values: &View<'_>, mut members: Vec<u32>, output: &mut Output, row: usize) {
        members.sort_by(|&a, &b| compare(values, a as usize, values, b as usize));
        let at = |share: f64| {
            let rank = ((share.abs() * members.len() as f64).ceil() as usize).clamp(1, members.len());
            members[if share < 0.0 { members.len() - rank } else { rank - 1 }] as usize
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

    fn of_floats(&self, sorted: &[f64], share: f64) -> f64 {
        if self.mode != Mode::Deviation {
            return interpolate(sorted, share);
        }
        let middle = interpolate(sorted, 0.5);
        let mut distances: Vec<f64> = sorted.iter().map(|value| (value - middle).abs()).collect();
        distances.sort_by(|a, b| compare_floats(*a, *b));
        interpolate(&distances, 0.5)
    }

    /// As [`Quantile::of_floats`], over the digits of decimals.
    fn of_digits(&self, sorted: &[i128], share: f64, between: fn(i128, i128, f64) -> i128) -> i128 {
        let interpolate = |sorted: &[i128], share: f64| {
            let (near, far, fraction) = place(sorted.len(), share);
            let (near, far) = (sorted[near], sorted[far]);
            if fraction == 0.0 || near == far { near } else { between(near, far, fraction) }
        };
        if self.mode != Mode::Deviation {
            return interpolate(sorted, share);
        }
        let middle = interpolate(sorted, 0.5);
        // A distance may pass 128 bits, but the middle one of all is at most half of the greatest.
        let distance = |digits: &i128| i128::try_from(digits.abs_diff(middle)).unwrap_or(i128::MAX);
        interpolate(&sorted_digits(sorted.iter().map(distance)), 0.5)
    }

    /// Writes a value for the share, or a list with one for each.
    fn write_each(&self, output: &mut Output, row: usize, write: impl Fn(&mut Output, usize, f64)) {
        if !self.shares.is_list {
            return write(output, row, self.shares.values[0]);
        }
        let mut writer = output.list();
        let start = writer.child().grow(self.shares.values.len());
        for (position, &share) in self.shares.values.iter().enumerate() {
            write(writer.child(), start + position, share);
        }
        writer.finish(row, start);
    }
}

fn sorted_digits(digits: impl Iterator<Item = i128>) -> Vec<i128> {
    let mut sorted: Vec<i128> = digits.collect();
    sorted.sort_unstable();
    sorted
}

/// Between the digits of two decimals of up to 18 digits, in doubles and cut off, as in DuckDB.
fn interpolate_narrow(near: i128, far: i128, fraction: f64) -> i128 {
    (near as f64 * (1.0 - fraction) + far as f64 * fraction) as i128
}

/// Between the digits of two long decimals: the distance is cut off, as in DuckDB.
fn interpolate_wide(near: i128, far: i128, fraction: f64) -> i128 {
    if let Some(distance) = far.checked_sub(near) {
        return near + (distance as f64 * fraction) as i128;
    }
    // The distance of two decimals of 38 digits may take 128 bits without a sign; half of it is exact.
    let distance = far.abs_diff(near);
    let step = if fraction == 0.5 { distance / 2 } else { (distance as f64 * fraction) as u128 };
    let between =
        if far > near { near.wrapping_add_unsigned(step) } else { near.wrapping_sub_unsigned(step) };
    // Rounded to a double the step may be longer than the distance.
    between.clamp(near.min(far), near.max(far))
}

fn sorted_floats(values: &View<'_>, members: &[u32]) -> Vec<f64> {
    let mut sorted: Vec<f64> = match values.data_type {
        Type::Float64 => members.iter().map(|&member| values.fixed::<f64>().get(member as usize)).collect(),
        Type::Float32 => {
            members.iter().map(|&member| f64::from(values.fixed::<f32>().get(member as usize))).collect()
        }
        Type::Decimal(..) => {
            members.iter().map(|&member| values.fixed::<i128>().get(member as usize) as f64).collect()
        }
        _ => {
            members.iter().map(|&member| values.fixed::<half::f16>().get(member as usize).to_f64()).collect()
        }
    };
    sorted.sort_unstable_by(|a, b| compare_floats(*a, *b));
    sorted
}

/// The neighbours of a share's place among this many sorted values, and how far it is from the first. A negative share
/// counts from the greatest value.
fn place(count: usize, share: f64) -> (usize, usize, f64) {
    let place = (count - 1) as f64 * share.abs();
    let (near, far) = (place.floor() as usize, place.ceil() as usize);
    let fraction = place - place.floor();
    if share < 0.0 { (count - 1 - near, count - 1 - far, fraction) } else { (near, far, fraction) }
}

fn interpolate(sorted: &[f64], share: f64) -> f64 {
    let (near, far, fraction) = place(sorted.len(), share);
    let (near, far) = (sorted[near], sorted[far]);
    if fraction == 0.0 || near == far { near } else { near * (1.0 - fraction) + far * fraction }
}

/// Between two instants, rounded to the unit; a half goes away from the epoch, as in DuckDB.
fn interpolate_instants(sorted: &[i64], share: f64) -> i64 {
    let (near, far, fraction) = place(sorted.len(), share);
    let (near, far) = (sorted[near], sorted[far]);
    let distance = far.abs_diff(near) as f64 * fraction;
    let distance = if far < near { -distance } else { distance };
    let below = near.saturating_add(distance.floor() as i64);
    let rest = distance - distance.floor();
    below.saturating_add(i64::from(rest > 0.5 || (rest == 0.5 && below >= 0)))
}

fn set_float(output: &mut Output, row: usize, value: f64) {
    match output.data_type() {
        Type::Float64 => output.fixed::<f64>()[row] = value,
        Type::Float32 => output.fixed::<f32>()[row] = value as f32,
        _ => output.fixed::<half::f16>()[row] = half::f16::from_f64(value),
    }
}
