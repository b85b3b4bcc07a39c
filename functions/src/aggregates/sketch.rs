//! approx_count_distinct and approx_quantile: small states with a stated error, merged in any order to the same bits.

use std::collections::BTreeMap;

use crate::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use crate::column::{Output, Rows, View, hash};
use crate::error::{Error, Result};
use crate::kernel::transcendental::{exp_one, ln_one};
use crate::signature::{Pattern, any, exact, parameter};
use crate::types::Type;

pub(super) fn functions() -> Vec<AggregateFunction> {
    vec![
        AggregateFunction::new("approx_count_distinct", "aggregate", "Approximate number of distinct values, by HyperLogLog.")
            .overload([any("value")], |_| Ok(BoundAggregate::strict(Type::Int64, vec![Type::Binary], Distinct::default)))
            .ignores_duplicates()
            .note("Nulls are skipped; a group without values gives 0. 4,096 registers: standard error 1.6 %.")
            .note("Source: Flajolet et al. 2007, with linear counting for small sets.")
            .example("approx_count_distinct(42)", "1"),
        AggregateFunction::new("approx_quantile", "aggregate", "Approximate value at the given share of the sorted group.")
            .overload([parameter("value", Pattern::Numeric), exact("share", Type::Float64)], |arguments| {
                let share = arguments.constant(1)?.as_f64().filter(|share| (0.0..=1.0).contains(share));
                let refused = || Error::argument(arguments.function, 2, "must be a constant share between 0 and 1");
                let share = share.ok_or_else(refused)?;
                let data_type = arguments.types[0].clone();
                let states = vec![Type::list(Type::Int32), Type::list(Type::Int64)];
                Ok(BoundAggregate::strict(data_type, states, move || Buckets { share, groups: Vec::new() }))
            })
            .note("Nulls are skipped; a group without values gives null. Relative error of the value at most 0.5 %.")
            .note("Source: DDSketch (Masson, Rim and Lee, 2019), with unbounded buckets.")
            .example("approx_quantile(0, 0.5)", "0"),
    ]
}

/// log2 of the number of registers.
const REGISTER_BITS: u32 = 12;
const REGISTERS: usize = 1 << REGISTER_BITS;
/// Sparse entries past which a group gets all its registers.
const SPARSE_MAX: usize = 256;

#[derive(Debug, Clone)]
enum Registers {
    Sparse(Vec<(u16, u8)>),
    Dense(Box<[u8; REGISTERS]>),
}

impl Registers {
    fn raise(&mut self, register: u16, rank: u8) {
        match self {
            Self::Dense(ranks) => ranks[register as usize] = ranks[register as usize].max(rank),
            Self::Sparse(held) => match held.binary_search_by_key(&register, |entry| entry.0) {
                Ok(place) => held[place].1 = held[place].1.max(rank),
                Err(place) if held.len() < SPARSE_MAX => held.insert(place, (register, rank)),
                Err(_) => {
                    let mut ranks = Box::new([0u8; REGISTERS]);
                    held.iter().for_each(|&(register, rank)| ranks[register as usize] = rank);
                    ranks[register as usize] = rank;
                    *self = Self::Dense(ranks);
                }
            },
        }
    }

    fn for_each(&self, mut visit: impl FnMut(u16, u8)) {
        match self {
            Self::Sparse(held) => held.iter().for_each(|&(register, rank)| visit(register, rank)),
            Self::Dense(ranks) => {
                ranks
                    .iter()
                    .enumerate()
                    .filter(|(_, rank)| **rank > 0)
                    .for_each(|(at, &rank)| visit(at as u16, rank));
            }
        }
    }

    fn estimate(&self) -> i64 {
        let (mut used, mut sum) = (0usize, 0.0);
        self.for_each(|_, rank| {
            used += 1;
            sum += 1.0 / (1u64 << rank) as f64;
        });
        let (registers, empty) = (REGISTERS as f64, (REGISTERS - used) as f64);
        let raw = 0.7213 / (1.0 + 1.079 / registers) * registers * registers / (sum + empty);
        if raw <= 2.5 * registers && empty > 0.0 {
            return (registers * ln_one(registers / empty)).round() as i64;
        }
        raw.round() as i64
    }
}

#[derive(Default)]
struct Distinct {
    groups: Vec<Registers>,
}

impl Accumulator for Distinct {
    fn resize(&mut self, groups: usize) {
        self.groups.resize(groups, Registers::Sparse(Vec::new()));
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        rows.for_each(|row| {
            let code = hash(&arguments[0], row, 0x5eed);
            let rank = (code << REGISTER_BITS | 1 << (REGISTER_BITS - 1)).leading_zeros() as u8 + 1;
            self.groups[groups[row] as usize].raise((code >> (64 - REGISTER_BITS)) as u16, rank);
        });
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let blobs = states[0].bytes();
        for (row, &group) in groups.iter().enumerate() {
            for entry in blobs.get(row).chunks_exact(3) {
                let register = u16::from_le_bytes([entry[0], entry[1]]) % REGISTERS as u16;
                self.groups[group as usize].raise(register, entry[2].min(63));
            }
        }
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        let mut blob = Vec::new();
        for (row, &group) in groups.iter().enumerate() {
            blob.clear();
            self.groups[group as usize].for_each(|register, rank| {
                blob.extend_from_slice(&register.to_le_bytes());
                blob.push(rank);
            });
            output[0].bytes().set(row, &blob);
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        let results = output.fixed::<i64>();
        groups
            .iter()
            .zip(results)
            .for_each(|(&group, result)| *result = self.groups[group as usize].estimate());
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        let held = |registers: &Registers| match registers {
            Registers::Sparse(held) => held.capacity() * 4,
            Registers::Dense(_) => REGISTERS,
        };
        self.groups.capacity() * size_of::<Registers>() + self.groups.iter().map(held).sum::<usize>()
    }
}

/// Natural logarithm of the ratio between the bounds of one bucket: a relative error of 0.5 % to its middle.
const BUCKET_WIDTH: f64 = 0.01;
/// Bucket numbers of the values that have no logarithm, in the order of the values.
const NEGATIVE_INFINITY: i32 = i32::MIN;
const ZERO: i32 = 0;
const POSITIVE_INFINITY: i32 = i32::MAX - 1;
const NAN: i32 = i32::MAX;
/// Keeps positive buckets above zero and negative ones below.
const BUCKET_SHIFT: i32 = 1 << 20;

fn bucket(value: f64) -> i32 {
    if value.is_nan() {
        NAN
    } else if value == 0.0 {
        ZERO
    } else if value.is_infinite() {
        if value > 0.0 { POSITIVE_INFINITY } else { NEGATIVE_INFINITY }
    } else {
        let place = (ln_one(value.abs()) / BUCKET_WIDTH).floor() as i32 + BUCKET_SHIFT;
        if value > 0.0 { place } else { -place }
    }
}

fn middle(bucket: i32) -> f64 {
    let magnitude = |place: i32| exp_one((f64::from(place - BUCKET_SHIFT) + 0.5) * BUCKET_WIDTH);
    match bucket {
        NAN => f64::NAN,
        ZERO => 0.0,
        POSITIVE_INFINITY => f64::INFINITY,
        NEGATIVE_INFINITY => f64::NEG_INFINITY,
        place if place > 0 => magnitude(place),
        place => -magnitude(-place),
    }
}

struct Buckets {
    share: f64,
    groups: Vec<BTreeMap<i32, i64>>,
}

impl Accumulator for Buckets {
    fn resize(&mut self, groups: usize) {
        self.groups.resize(groups, BTreeMap::new());
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        rows.for_each(|row| {
            let value = number_at(&arguments[0], row);
            *self.groups[groups[row] as usize].entry(bucket(value)).or_default() += 1;
        });
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let (places, counts) = (states[0].list(), states[1].list());
        let (place, count) = (places.child().fixed::<i32>(), counts.child().fixed::<i64>());
        for (row, &group) in groups.iter().enumerate().filter(|(row, _)| states[0].is_valid(*row)) {
            for (i, j) in places.range(row).zip(counts.range(row)) {
                *self.groups[group as usize].entry(place.get(i)).or_default() += count.get(j);
            }
        }
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        for (row, &group) in groups.iter().enumerate() {
            let held = &self.groups[group as usize];
            let mut places = output[0].list();
            let start = places.child().grow(held.len());
            held.keys()
                .enumerate()
                .for_each(|(at, &place)| places.child().fixed::<i32>()[start + at] = place);
            places.finish(row, start);
            let mut counts = output[1].list();
            let start = counts.child().grow(held.len());
            held.values()
                .enumerate()
                .for_each(|(at, &count)| counts.child().fixed::<i64>()[start + at] = count);
            counts.finish(row, start);
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        for (row, &group) in groups.iter().enumerate() {
            let held = &self.groups[group as usize];
            let total: i64 = held.values().sum();
            if total == 0 {
                output.set_null(row);
                continue;
            }
            let wanted = (self.share * (total - 1) as f64).floor() as i64;
            let mut passed = 0;
            let found = held.iter().find(|(_, count)| {
                passed += **count;
                passed > wanted
            });
            set_number(output, row, found.map_or(0.0, |(&place, _)| middle(place)));
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.groups.iter().map(|held| 24 + held.len() * 24).sum()
    }
}

fn number_at(view: &View<'_>, row: usize) -> f64 {
    match view.data_type {
        Type::Int8 => f64::from(view.fixed::<i8>().get(row)),
        Type::Int16 => f64::from(view.fixed::<i16>().get(row)),
        Type::Int32 => f64::from(view.fixed::<i32>().get(row)),
        Type::Int64 => view.fixed::<i64>().get(row) as f64,
        Type::UInt8 => f64::from(view.fixed::<u8>().get(row)),
        Type::UInt16 => f64::from(view.fixed::<u16>().get(row)),
        Type::UInt32 => f64::from(view.fixed::<u32>().get(row)),
        Type::UInt64 => view.fixed::<u64>().get(row) as f64,
        Type::Float16 => view.fixed::<half::f16>().get(row).to_f64(),
        Type::Float32 => f64::from(view.fixed::<f32>().get(row)),
        Type::Float64 => view.fixed::<f64>().get(row),
        // The unscaled digits: the scale is put back by writing them as they are.
        narrow if narrow.is_narrow_decimal() => view.fixed::<i64>().get(row) as f64,
        _ => view.fixed::<i128>().get(row) as f64,
    }
}

/// Writes a number, rounded where the type is an integer; a decimal's digits are unscaled as in [`number_at`].
fn set_number(output: &mut Output, row: usize, value: f64) {
    let rounded = value.round();
    match output.data_type() {
        Type::Int8 => output.fixed::<i8>()[row] = rounded as i8,
        Type::Int16 => output.fixed::<i16>()[row] = rounded as i16,
        Type::Int32 => output.fixed::<i32>()[row] = rounded as i32,
        Type::Int64 => output.fixed::<i64>()[row] = rounded as i64,
        Type::UInt8 => output.fixed::<u8>()[row] = rounded as u8,
        Type::UInt16 => output.fixed::<u16>()[row] = rounded as u16,
        Type::UInt32 => output.fixed::<u32>()[row] = rounded as u32,
        Type::UInt64 => output.fixed::<u64>()[row] = rounded as u64,
        Type::Float16 => output.fixed::<half::f16>()[row] = half::f16::from_f64(value),
        Type::Float32 => output.fixed::<f32>()[row] = value as f32,
        Type::Float64 => output.fixed::<f64>()[row] = value,
        narrow if narrow.is_narrow_decimal() => output.fixed::<i64>()[row] = rounded as i64,
        _ => output.fixed::<i128>()[row] = rounded as i128,
    }
}
