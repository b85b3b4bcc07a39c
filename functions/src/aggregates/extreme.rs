//! min, max, arg_min, arg_max: the least or greatest value of a group, or another column at its row.

use std::cmp::Ordering;

use bumpalo::Bump;
use half::f16;

use super::by_group::add_by_group;
use super::top::{with_count, with_key_and_count};
use super::{Physical, physical};
use crate::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use crate::column::{Output, Rows, View, WritableFixed, compare, compare_floats};
use crate::error::Result;
use crate::signature::{Pattern, any, parameter};
use crate::types::Type;
use crate::window::{Frames, extreme_of_frames};

pub(super) fn functions() -> Vec<AggregateFunction> {
    vec![
        extreme::<false>("min", "Least value that is not null.").example("min(42)", "42"),
        extreme::<true>("max", "Greatest value that is not null; NaN is greater than every number.")
            .example("max(42)", "42"),
        arg_extreme::<false>(
            "arg_min",
            &["argmin", "min_by"],
            "Value of the first argument where the second is least.",
        )
        .example("arg_min('a', 1)", "a"),
        arg_extreme::<true>(
            "arg_max",
            &["argmax", "max_by"],
            "Value of the first argument where the second is greatest.",
        )
        .example("arg_max('a', 1)", "a"),
    ]
}

fn extreme<const GREATEST: bool>(name: &str, summary: &str) -> AggregateFunction {
    let function = AggregateFunction::new(name, "aggregate", summary)
        .overload([parameter("value", Pattern::Any)], |arguments| {
            let data_type = arguments.types[0].clone();
            Ok(match physical(&data_type) {
                Physical::Int8 => typed::<i8, GREATEST>(data_type),
                Physical::Int16 => typed::<i16, GREATEST>(data_type),
                Physical::Int32 => typed::<i32, GREATEST>(data_type),
                Physical::Int64 => typed::<i64, GREATEST>(data_type),
                Physical::UInt8 => typed::<u8, GREATEST>(data_type),
                Physical::UInt16 => typed::<u16, GREATEST>(data_type),
                Physical::UInt32 => typed::<u32, GREATEST>(data_type),
                Physical::UInt64 => typed::<u64, GREATEST>(data_type),
                Physical::Float16 => typed::<f16, GREATEST>(data_type),
                Physical::Float32 => typed::<f32, GREATEST>(data_type),
                Physical::Float64 => typed::<f64, GREATEST>(data_type),
                Physical::Int128 => typed::<i128, GREATEST>(data_type),
                Physical::Other => {
                    let held = data_type.clone();
                    BoundAggregate::strict(data_type.clone(), vec![data_type], move || {
                        ArgExtreme::<GREATEST>::new(None, held.clone())
                    })
                }
            })
        })
        .ignores_duplicates()
        .note("A group without values gives null.");
    with_count::<GREATEST>(function)
}

fn arg_extreme<const GREATEST: bool>(name: &str, aliases: &[&str], summary: &str) -> AggregateFunction {
    let function = AggregateFunction::new(name, "aggregate", summary)
        .overload([any("value"), any("key")], |arguments| {
            let (value, key) = (arguments.types[0].clone(), arguments.types[1].clone());
            let states = vec![key.clone(), value.clone(), Type::UInt64];
            Ok(BoundAggregate::strict(value.clone(), states, move || {
                ArgExtreme::<GREATEST>::new(Some(value.clone()), key.clone())
            }))
        })
        .order_sensitive()
        .note("Rows with a null in either argument are skipped; of equal keys the first row wins.");
    let function = with_key_and_count::<GREATEST>(function);
    aliases.iter().fold(function, |function, alias| function.alias(alias))
}

fn typed<T: Comparable, const GREATEST: bool>(data_type: Type) -> BoundAggregate {
    BoundAggregate::strict(data_type.clone(), vec![data_type], Extreme::<T, GREATEST>::default)
}

/// Fixed-width values in SQL's order, made total: of two zeros the negative one is less, so that the result does not
/// depend on the order of the rows.
trait Comparable: WritableFixed {
    /// A value that no other is less than, and one that none is greater than.
    const LEAST: Self;
    const GREATEST: Self;
    /// A whole number in the same order.
    type Order: Ord + Copy;

    fn is_less(self, other: Self) -> bool;

    fn order(self) -> Self::Order;
}

/// A whole number that orders as `is_less` does: NaN is one value, and the greatest.
#[inline(always)]
fn float_order(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    if value.is_nan() { i64::MAX } else { bits ^ ((bits >> 63) as u64 >> 1) as i64 }
}

macro_rules! comparable {
    ($($integer:ty),*; $($float:ty),*) => {
        $(impl Comparable for $integer {
            const LEAST: Self = <$integer>::MIN;
            const GREATEST: Self = <$integer>::MAX;
            type Order = Self;
            #[inline(always)]
            fn order(self) -> Self {
                self
            }
            #[inline(always)]
            fn is_less(self, other: Self) -> bool {
                self < other
            }
        })*
        $(impl Comparable for $float {
            const LEAST: Self = <$float>::NEG_INFINITY;
            const GREATEST: Self = <$float>::NAN;
            type Order = i64;
            #[inline(always)]
            fn order(self) -> i64 {
                float_order(f64::from(self))
            }
            #[inline(always)]
            fn is_less(self, other: Self) -> bool {
                match compare_floats(f64::from(self), f64::from(other)) {
                    Ordering::Equal => self.is_sign_negative() && !other.is_sign_negative() && !self.is_nan(),
                    order => order.is_lt(),
                }
            }
        })*
    };
}
// One arm expands to the impl for one Rust type.
comparable!(i8, i16, i32, i64, u8, u16, u32, u64, i128; f16, f32, f64);

/// The best value of a group so far.
#[derive(Debug, Clone, Copy)]
struct Best<T> {
    value: T,
    has_value: bool,
}

impl<T: Comparable> Best<T> {
    const fn none<const GREATEST: bool>() -> Self {
        Self { value: if GREATEST { T::LEAST } else { T::GREATEST }, has_value: false }
    }

    #[inline(always)]
    fn offer<const GREATEST: bool>(&mut self, value: T) {
        let is_better = if GREATEST { self.value.is_less(value) } else { value.is_less(self.value) };
        self.value = if is_better { value } else { self.value };
        self.has_value = true;
    }
}

/// The extreme of a fixed-width column, one value a group.
#[derive(Debug)]
struct Extreme<T, const GREATEST: bool> {
    groups: Vec<Best<T>>,
}

impl<T, const GREATEST: bool> Default for Extreme<T, GREATEST> {
    fn default() -> Self {
        Self { groups: Vec::new() }
    }
}

impl<T: Comparable, const GREATEST: bool> Extreme<T, GREATEST> {
    #[inline(always)]
    fn offer_all(&mut self, rows: Rows<'_>, groups: &[u32], value: impl Fn(usize) -> T) {
        add_by_group(
            &mut self.groups,
            Best::none::<GREATEST>(),
            rows,
            groups,
            |best, row| best.offer::<GREATEST>(value(row)),
            |best, partial| {
                if partial.has_value {
                    best.offer::<GREATEST>(partial.value);
                }
            },
        );
    }
}

impl<T: Comparable, const GREATEST: bool> Accumulator for Extreme<T, GREATEST> {
    fn resize(&mut self, groups: usize) {
        self.groups.resize(groups, Best::none::<GREATEST>());
    }

    fn clear(&mut self) -> bool {
        self.groups.clear();
        true
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        let values = arguments[0].fixed::<T>();
        match values.flat() {
            Some(values) => self.offer_all(rows, groups, |row| values[row]),
            None => self.offer_all(rows, groups, |row| values.get(row)),
        }
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let values = states[0].fixed::<T>();
        for (row, &group) in groups.iter().enumerate() {
            if states[0].is_valid(row) {
                self.groups[group as usize].offer::<GREATEST>(values.get(row));
            }
        }
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        self.finish(groups, &mut output[0])
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        let held = groups.iter().map(|&group| &self.groups[group as usize]);
        output.fixed::<T>().iter_mut().zip(held.clone()).for_each(|(value, held)| *value = held.value);
        for (row, _) in held.enumerate().filter(|(_, held)| !held.has_value) {
            output.set_null(row);
        }
        Ok(())
    }

    fn frames(&self, arguments: &[View<'_>], frames: &Frames, output: &mut Output) -> Result<bool> {
        let Some(sliding) = frames.sliding() else { return Ok(false) };
        let values = arguments[0].fixed::<T>();
        match values.flat() {
            Some(flat) => of_frames::<T, GREATEST>(sliding, |row| flat[row], output.fixed::<T>()),
            None => of_frames::<T, GREATEST>(sliding, |row| values.get(row), output.fixed::<T>()),
        }
        frames.empty_rows(|row| output.set_null(row));
        Ok(true)
    }

    fn memory_bytes(&self) -> usize {
        self.groups.capacity() * size_of::<Best<T>>()
    }
}

/// The extreme of each frame; nothing is written of an empty one.
#[inline(always)]
fn of_frames<T: Comparable, const GREATEST: bool>(
    frames: (&[u32], &[u32]),
    value: impl Fn(usize) -> T,
    results: &mut [T],
) {
    extreme_of_frames(
        frames,
        |position| value(position).order(),
        // Of equal values the first is held, as in `offer`.
        |later, held| if GREATEST { held < later } else { later < held },
        |row, found| {
            if let Some(position) = found {
                results[row] = value(position);
            }
        },
    );
}

/// Marks a group without values.
const NONE: u32 = u32::MAX;

/// The extreme key of each group, of any type, with a value from its row. Losers stay in the store
/// until half of it is waste.
struct ArgExtreme<const GREATEST: bool> {
    keys: Output,
    values: Option<Output>,
    ordinals: Vec<u64>,
    held: Vec<u32>,
}

impl<const GREATEST: bool> ArgExtreme<GREATEST> {
    fn new(value: Option<Type>, key: Type) -> Self {
        Self {
            keys: Output::copying(key),
            values: value.map(Output::copying),
            ordinals: Vec::new(),
            held: Vec::new(),
        }
    }

    fn offer(
        &mut self,
        bump: &Bump,
        group: usize,
        key: &View<'_>,
        value: Option<&View<'_>>,
        row: usize,
        ordinal: u64,
    ) {
        let held = self.held[group];
        if held != NONE {
            let order = compare(key, row, &self.keys.view(bump), held as usize);
            let order = if GREATEST { order.reverse() } else { order };
            let first = self.values.is_some() && ordinal < self.ordinals[held as usize];
            if order.is_gt() || (order.is_eq() && !first) {
                return;
            }
        }
        self.held[group] = self.keys.len() as u32;
        self.keys.push(key, row);
        self.ordinals.push(ordinal);
        if let (Some(values), Some(value)) = (&mut self.values, value) {
            values.push(value, row);
        }
    }

    /// Drops what no group holds once it is most of the store.
    fn compact(&mut self) {
        let live = self.held.iter().filter(|&&held| held != NONE).count();
        if self.keys.len() < 1024 || self.keys.len() < live * 2 {
            return;
        }
        let bump = Bump::new();
        let mut keys = Output::copying(self.keys.data_type().clone());
        let mut values = self.values.as_ref().map(|values| Output::copying(values.data_type().clone()));
        let mut ordinals = Vec::with_capacity(live);
        let old_keys = self.keys.view(&bump);
        let old_values = self.values.as_ref().map(|values| values.view(&bump));
        for held in self.held.iter_mut().filter(|held| **held != NONE) {
            let row = *held as usize;
            *held = keys.len() as u32;
            keys.push(&old_keys, row);
            ordinals.push(self.ordinals[row]);
            if let (Some(values), Some(old)) = (&mut values, &old_values) {
                values.push(old, row);
            }
        }
        (self.keys, self.values, self.ordinals) = (keys, values, ordinals);
    }
}

impl<const GREATEST: bool> Accumulator for ArgExtreme<GREATEST> {
    fn resize(&mut self, groups: usize) {
        self.held.resize(groups, NONE);
    }

    fn clear(&mut self) -> bool {
        self.keys.prepare(0);
        if let Some(values) = &mut self.values {
            values.prepare(0);
        }
        self.ordinals.clear();
        self.held.clear();
        true
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], ordinal: u64) -> Result<()> {
        let mut bump = Bump::new();
        let (value, key) = match arguments {
            [value, key] => (Some(value), key),
            _ => (None, &arguments[0]),
        };
        for row in rows {
            self.offer(&bump, groups[row] as usize, key, value, row, ordinal + row as u64);
            bump.reset();
        }
        self.compact();
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let mut bump = Bump::new();
        for (row, &group) in groups.iter().enumerate() {
            if states[0].is_valid(row) {
                let ordinal = states.get(2).map_or(0, |ordinals| ordinals.fixed::<u64>().get(row));
                self.offer(&bump, group as usize, &states[0], states.get(1), row, ordinal);
                bump.reset();
            }
        }
        self.compact();
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        let bump = Bump::new();
        let keys = self.keys.view(&bump);
        let values = self.values.as_ref().map(|values| values.view(&bump));
        for (row, &group) in groups.iter().enumerate() {
            let held = self.held[group as usize];
            if held == NONE {
                output.iter_mut().for_each(|column| column.set_null(row));
                continue;
            }
            output[0].copy(row, &keys, held as usize);
            if let Some(values) = &values {
                output[1].copy(row, values, held as usize);
                output[2].fixed::<u64>()[row] = self.ordinals[held as usize];
            }
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        let bump = Bump::new();
        let results = self.values.as_ref().unwrap_or(&self.keys).view(&bump);
        for (row, &group) in groups.iter().enumerate() {
            match self.held[group as usize] {
                NONE => output.set_null(row),
                held => output.copy(row, &results, held as usize),
            }
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        let values = self.values.as_ref().map_or(0, Output::memory_bytes);
        self.keys.memory_bytes() + values + self.ordinals.capacity() * 8 + self.held.capacity() * 4
    }
}

#[cfg(test)]
mod tests {
    use super::Comparable;

    #[test]
    fn the_order_of_floats_is_that_in_which_they_are_compared() {
        let nan = f64::from_bits(0xfff8_0000_0000_0001);
        let values = [
            f64::NEG_INFINITY,
            -1.5,
            -5e-324,
            -0.0,
            0.0,
            5e-324,
            1.5,
            f64::MAX,
            f64::INFINITY,
            f64::NAN,
            nan,
        ];
        for left in values {
            for right in values {
                assert_eq!(left.is_less(right), left.order() < right.order(), "{left} {right}");
                let (left, right) = (left as f32, right as f32);
                assert_eq!(left.is_less(right), left.order() < right.order(), "{left} {right}");
            }
        }
    }
}
