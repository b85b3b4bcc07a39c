//! sum, avg, product: totals that do not depend on the order of the rows.

use super::by_group::{add_by_group, few_groups};
use super::interval::mean_interval;
use super::packed::{ROWS_MAX, VALUE_BITS, add_packed};
use super::reproducible::{Statistic, bound, bound_to_sums, in_blocks};
use super::{Physical, physical};
use crate::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use crate::column::{Fixed, Output, Rows, View, WritableFixed};
use crate::error::{Error, Result};
use crate::kernel::magnitude::are_within;
use crate::kernel::reproducible::{NarrowSum, RunningSums, Sum};
use crate::kernel::transcendental::{exp_one, ln_one};
use crate::scalar::Arguments;
use crate::signature::{Pattern, exact, parameter};
use crate::types::Type;
use crate::window::Frames;

pub(super) fn functions() -> Vec<AggregateFunction> {
    vec![
        AggregateFunction::new("sum", "aggregate", "Sum of the values that are not null.")
            .overload([exact("value", Type::Boolean)], |_| Ok(truths()))
            .overload([parameter("value", Pattern::Numeric)], |arguments| total(arguments, false))
            .alias("fsum")
            .alias("kahan_sum")
            .note("Integers sum to HUGEINT and decimals to DECIMAL(38, s), exactly; leaving that range is an error.")
            .note("Floats sum to DOUBLE, reproducibly: the bits do not depend on the order of the rows or the number of threads.")
            .note("A group without values gives null.")
            .example("sum(42)", "42"),
        AggregateFunction::new("avg", "aggregate", "Mean of the values that are not null.")
            .alias("mean")
            .alias("favg")
            .overload([parameter("value", Pattern::Numeric)], |arguments| total(arguments, true))
            .overload([exact("value", Type::Interval)], |_| Ok(mean_interval()))
            .note("Of intervals, what is left of months is taken as 30 days each, and what is left of days as 24 hours.")
            .note("Summed as by sum and divided once; a group without values gives null.")
            .example("avg(42)", "42.0"),
        AggregateFunction::new("geometric_mean", "aggregate", "Geometric mean: exp of the mean of the logarithms.")
            .alias("geomean")
            .overload([exact("value", Type::Float64)], |_| {
                Ok(bound::<Logarithms>(|state: &Sum| (state.rows() > 0).then(|| exp_one(state.mean()))))
            })
            .note("Nulls are skipped; a group without values gives null. A zero gives 0, a negative value NaN.")
            .example("geometric_mean(1)", "1.0"),
        AggregateFunction::new("product", "aggregate", "Product of the values that are not null.")
            .overload([exact("value", Type::Float64)], |_| {
                Ok(BoundAggregate::strict(Type::Float64, vec![Type::Float64, Type::Int64], Product::default))
            })
            .note("A group without values gives null. Rounded after each factor, so the last bits depend on how the rows are spread over workers.")
            .order_sensitive()
            .example("product(42)", "42.0"),
    ]
}

fn total(arguments: &Arguments<'_>, mean: bool) -> Result<BoundAggregate> {
    let data_type = &arguments.types[0];
    Ok(match physical(data_type) {
        Physical::Int8 => integers::<i8>(data_type, mean),
        Physical::Int16 => integers::<i16>(data_type, mean),
        Physical::Int32 => integers::<i32>(data_type, mean),
        Physical::Int64 => integers::<i64>(data_type, mean),
        Physical::UInt8 => integers::<u8>(data_type, mean),
        Physical::UInt16 => integers::<u16>(data_type, mean),
        Physical::UInt32 => integers::<u32>(data_type, mean),
        Physical::UInt64 => integers::<u64>(data_type, mean),
        Physical::Int128 => integers::<i128>(data_type, mean),
        Physical::Float32 => floats::<f32>(mean),
        Physical::Float64 => floats::<f64>(mean),
        Physical::Float16 => floats::<half::f16>(mean),
        Physical::Other => {
            return Err(Error::argument(
                arguments.function,
                1,
                format!("has type {data_type}; expected a number"),
            ));
        }
    })
}

/// Integer values, also the digits of decimals.
trait Whole: WritableFixed {
    fn widen(self) -> i128;

    /// True if all values are small enough for [`add_packed`].
    fn are_small(values: &[Self]) -> bool;

    /// The value in 64 bits, which hold it if it is small.
    fn word(self) -> i64;
}

/// Float values.
trait Real: WritableFixed {
    fn widen(self) -> f64;

    /// The values themselves where they are doubles.
    fn as_doubles(_: &[Self]) -> Option<&[f64]> {
        None
    }
}

macro_rules! widen {
    ($($integer:ty),*; $($float:ty),*) => {
        $(impl Whole for $integer {
            #[inline(always)]
            fn widen(self) -> i128 { self as i128 }
            #[inline(always)]
            fn are_small(_: &[Self]) -> bool { size_of::<Self>() <= 4 }
            #[inline(always)]
            fn word(self) -> i64 { self as i64 }
        })*
        $(impl Real for $float { #[inline(always)] fn widen(self) -> f64 { f64::from(self) } })*
    };
}
// One arm expands to the impl of `widen` for one Rust type.
widen!(i8, i16, i32, u8, u16, u32, u64, i128; half::f16, f32);

impl Whole for i64 {
    #[inline(always)]
    fn widen(self) -> i128 {
        i128::from(self)
    }

    fn are_small(values: &[i64]) -> bool {
        are_within(values, VALUE_BITS)
    }

    #[inline(always)]
    fn word(self) -> i64 {
        self
    }
}

impl Real for f64 {
    #[inline(always)]
    fn widen(self) -> f64 {
        self
    }

    fn as_doubles(values: &[f64]) -> Option<&[f64]> {
        Some(values)
    }
}

fn integers<T: Whole>(data_type: &Type, mean: bool) -> BoundAggregate {
    let scale = if let Type::Decimal(_, scale) = data_type { *scale } else { 0 };
    let result = if mean { Type::Float64 } else { Type::Decimal(38, scale) };
    BoundAggregate::strict(result, integer_states(scale), move || IntegerSum::<T> {
        groups: Vec::new(),
        mean,
        scale,
        values: std::marker::PhantomData,
    })
    .sharing(move |held: &mut IntegerSum<T>, groups, output| held.write(mean, groups, output))
}

fn truths() -> BoundAggregate {
    BoundAggregate::strict(Type::HUGEINT, integer_states(0), || TruthSum {
        sum: IntegerSum { groups: Vec::new(), mean: false, scale: 0, values: std::marker::PhantomData },
    })
}

/// Low bits of the sum, high bits, number of values.
fn integer_states(scale: i8) -> Vec<Type> {
    vec![Type::Decimal(38, scale), Type::Int64, Type::Int64]
}

/// An exact sum of any number of values: `sum + carry * 2^128`.
#[derive(Debug, Clone, Copy, Default)]
struct IntegerGroup {
    sum: i128,
    carry: i64,
    count: i64,
}

const EMPTY: IntegerGroup = IntegerGroup { sum: 0, carry: 0, count: 0 };

impl IntegerGroup {
    #[inline(always)]
    fn add(&mut self, value: i128) {
        let (sum, has_wrapped) = self.sum.overflowing_add(value);
        self.sum = sum;
        if has_wrapped {
            self.carry += if value < 0 { -1 } else { 1 };
        }
    }

    #[inline(always)]
    fn join(&mut self, other: &Self) {
        self.add(other.sum);
        self.carry += other.carry;
        self.count += other.count;
    }

    fn join_packed(&mut self, sum: i64, count: i64) {
        self.add(i128::from(sum));
        self.count += count;
    }

    /// The sum if it is a decimal.
    fn decimal(&self) -> Option<i128> {
        (self.carry == 0 && self.sum.unsigned_abs() <= DECIMAL_MAX as u128).then_some(self.sum)
    }

    fn to_f64(self) -> f64 {
        if self.carry == 0 { self.sum as f64 } else { self.sum as f64 + self.carry as f64 * TWO_TO_128 }
    }
}

const TWO_TO_128: f64 = 340_282_366_920_938_463_463_374_607_431_768_211_456.0;

/// Exact sums and counts.
struct IntegerSum<T> {
    groups: Vec<IntegerGroup>,
    mean: bool,
    scale: i8,
    values: std::marker::PhantomData<fn(T)>,
}

const DECIMAL_MAX: i128 = 99_999_999_999_999_999_999_999_999_999_999_999_999;

/// Rows whose small values, of [`VALUE_BITS`] and a sign, surely sum to less than 2^63.
const FRAME_ROWS_MAX: usize = 1 << 24;

impl<T> IntegerSum<T> {
    fn out_of_range(&self) -> Error {
        Error::OutOfRange {
            operation: "sum",
            detail: "the sum".into(),
            target: Type::Decimal(38, self.scale),
        }
    }

    /// Writes sums or means.
    fn write(&self, mean: bool, groups: &[u32], output: &mut Output) -> Result<()> {
        let held = groups.iter().map(|&group| &self.groups[group as usize]);
        if mean {
            let unit = 10f64.powi(i32::from(self.scale));
            let means = output.fixed::<f64>().iter_mut().zip(held.clone());
            means.for_each(|(mean, held)| *mean = held.to_f64() / (held.count as f64 * unit));
        } else {
            for (sum, held) in output.fixed::<i128>().iter_mut().zip(held.clone()) {
                *sum = held.decimal().ok_or_else(|| self.out_of_range())?;
            }
        }
        for (row, _) in held.enumerate().filter(|(_, held)| held.count == 0) {
            output.set_null(row);
        }
        Ok(())
    }

    #[inline(always)]
    fn add_all(&mut self, rows: Rows<'_>, groups: &[u32], value: impl Fn(usize) -> i128) {
        add_by_group(
            &mut self.groups,
            EMPTY,
            rows,
            groups,
            |state, row| {
                state.add(value(row));
                state.count += 1;
            },
            IntegerGroup::join,
        );
    }
}

impl<T: Whole> IntegerSum<T> {
    /// Adds the values of a flat column.
    fn add_flat(&mut self, rows: Rows<'_>, groups: &[u32], values: &[T]) {
        if rows.count() <= ROWS_MAX
            && let Some(few) = few_groups(&mut self.groups, rows)
            && T::are_small(values)
        {
            return add_packed(few, rows, groups, |row| values[row].word(), IntegerGroup::join_packed);
        }
        self.add_all(rows, groups, |row| values[row].widen());
    }
}

impl<T> IntegerSum<T> {
    /// Totals of frames as differences of running totals, which are exact in any order of rows.
    fn frames_of(
        &self,
        value: impl Fn(usize) -> i128,
        rows: usize,
        frames: &Frames,
        output: &mut Output,
    ) -> Result<bool> {
        let mut totals = Vec::with_capacity(rows + 1);
        let mut total = 0i128;
        totals.push(total);
        for row in 0..rows {
            let Some(next) = total.checked_add(value(row)) else { return Ok(false) };
            total = next;
            totals.push(total);
        }
        for row in 0..frames.len() {
            let mut group = EMPTY;
            for range in frames.of(row) {
                let Some(part) = totals[range.end].checked_sub(totals[range.start]) else { return Ok(false) };
                group.add(part);
                group.count += range.len() as i64;
            }
            self.write_frame(group, row, output)?;
        }
        Ok(true)
    }

    /// The same for values whose running totals fit 64 bits.
    fn word_frames(&self, value: impl Fn(usize) -> i64, rows: usize, frames: &Frames, output: &mut Output) {
        let mut totals = Vec::with_capacity(rows + 1);
        let mut total = 0i64;
        totals.push(total);
        totals.extend((0..rows).map(|row| {
            total += value(row);
            total
        }));
        let sum_of = |row: usize| match frames.single() {
            Some((starts, ends)) => totals[ends[row] as usize] - totals[starts[row] as usize],
            None => frames.of(row).map(|range| totals[range.end] - totals[range.start]).sum(),
        };
        if self.mean {
            let unit = 10f64.powi(i32::from(self.scale));
            for (row, mean) in output.fixed::<f64>().iter_mut().enumerate() {
                *mean = sum_of(row) as f64 / (frames.count(row) as f64 * unit);
            }
        } else {
            let sums = output.fixed::<i128>().iter_mut().enumerate();
            sums.for_each(|(row, sum)| *sum = i128::from(sum_of(row)));
        }
        frames.empty_rows(|row| output.set_null(row));
    }

    fn write_frame(&self, group: IntegerGroup, row: usize, output: &mut Output) -> Result<()> {
        if group.count == 0 {
            output.set_null(row);
        } else if self.mean {
            let unit = 10f64.powi(i32::from(self.scale));
            output.fixed::<f64>()[row] = group.to_f64() / (group.count as f64 * unit);
        } else {
            output.fixed::<i128>()[row] = group.decimal().ok_or_else(|| self.out_of_range())?;
        }
        Ok(())
    }
}

impl<T: Whole> Accumulator for IntegerSum<T> {
    fn resize(&mut self, groups: usize) {
        self.groups.resize(groups, EMPTY);
    }

    fn clear(&mut self) -> bool {
        self.groups.clear();
        true
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        let values = arguments[0].fixed::<T>();
        match values.flat() {
            Some(values) => self.add_flat(rows, groups, values),
            None => self.add_all(rows, groups, |row| values.get(row).widen()),
        }
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let (sums, carries, counts) =
            (states[0].fixed::<i128>(), states[1].fixed::<i64>(), states[2].fixed::<i64>());
        for (row, &group) in groups.iter().enumerate() {
            let other = IntegerGroup { sum: sums.get(row), carry: carries.get(row), count: counts.get(row) };
            self.groups[group as usize].join(&other);
        }
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        let [sums, carries, counts] = output else { return Ok(()) };
        let (sums, carries, counts) = (sums.fixed::<i128>(), carries.fixed::<i64>(), counts.fixed::<i64>());
        for (row, &group) in groups.iter().enumerate() {
            let held = self.groups[group as usize];
            (sums[row], carries[row], counts[row]) = (held.sum, held.carry, held.count);
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        self.write(self.mean, groups, output)
    }

    fn frames(&self, arguments: &[View<'_>], frames: &Frames, output: &mut Output) -> Result<bool> {
        let (values, rows) = (arguments[0].fixed::<T>(), arguments[0].length);
        if let Some(flat) = values.flat()
            && rows <= FRAME_ROWS_MAX
            && T::are_small(&flat[..rows])
        {
            self.word_frames(|row| flat[row].word(), rows, frames, output);
            return Ok(true);
        }
        self.frames_of(|row| values.get(row).widen(), rows, frames, output)
    }

    fn memory_bytes(&self) -> usize {
        self.groups.capacity() * size_of::<IntegerGroup>()
    }
}

/// Number of true values; false counts as 0.
struct TruthSum {
    sum: IntegerSum<i64>,
}

impl Accumulator for TruthSum {
    fn resize(&mut self, groups: usize) {
        self.sum.resize(groups);
    }

    fn clear(&mut self) -> bool {
        self.sum.clear()
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        let values = arguments[0].boolean();
        self.sum.add_all(rows, groups, |row| i128::from(values.get(row)));
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        self.sum.merge(states, groups)
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        self.sum.state(groups, output)
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        self.sum.finish(groups, output)
    }

    fn frames(&self, arguments: &[View<'_>], frames: &Frames, output: &mut Output) -> Result<bool> {
        let values = arguments[0].boolean();
        self.sum.frames_of(|row| i128::from(values.get(row)), arguments[0].length, frames, output)
    }

    fn memory_bytes(&self) -> usize {
        self.sum.memory_bytes()
    }
}

fn floats<T: Real>(mean: bool) -> BoundAggregate {
    if mean {
        // Running sums are finite, so a mean is the sum over the rows as that of a state is.
        return bound_to_sums::<Total<T>>(
            |state: &Sum| (state.rows() > 0).then(|| state.mean()),
            |sum, rows| sum / rows as f64,
        );
    }
    bound_to_sums::<Total<T>>(|state| (state.rows() > 0).then(|| state.finish()), |sum, _| sum)
}

/// The sum of a float column.
struct Total<T>(std::marker::PhantomData<fn(T)>);

impl<T: Real> Statistic for Total<T> {
    type State = NarrowSum;
    type Input<'a> = Fixed<'a, T>;

    fn input<'a>(arguments: &[View<'a>]) -> Fixed<'a, T> {
        arguments[0].fixed()
    }

    #[inline(always)]
    fn row(input: Fixed<'_, T>, row: usize) -> f64 {
        input.get(row).widen()
    }

    fn add_all(state: &mut Sum, input: Fixed<'_, T>, rows: usize) {
        match input.flat().and_then(T::as_doubles) {
            Some(values) => state.add_slice(&values[..rows]),
            None => (0..rows).for_each(|row| state.add(input.get(row).widen())),
        }
    }

    fn add_rows(state: &mut Sum, input: Fixed<'_, T>, rows: &[u32]) {
        in_blocks(rows, |row| input.get(row).widen(), |values| state.add_slice(values));
    }

    fn running_sums(input: Fixed<'_, T>, rows: usize) -> Option<RunningSums> {
        match input.flat() {
            Some(values) => RunningSums::new(rows, |row| values[row].widen()),
            None => RunningSums::new(rows, |row| input.get(row).widen()),
        }
    }
}

/// The sum of the logarithms of a float column.
struct Logarithms;

impl Statistic for Logarithms {
    type State = NarrowSum;
    type Input<'a> = Fixed<'a, f64>;

    fn input<'a>(arguments: &[View<'a>]) -> Fixed<'a, f64> {
        arguments[0].fixed()
    }

    #[inline(always)]
    fn row(input: Fixed<'_, f64>, row: usize) -> f64 {
        ln_one(input.get(row))
    }
}

/// Products and counts.
#[derive(Debug, Default)]
struct Product {
    groups: Vec<(f64, i64)>,
}

impl Accumulator for Product {
    fn resize(&mut self, groups: usize) {
        self.groups.resize(groups, (1.0, 0));
    }

    fn clear(&mut self) -> bool {
        self.groups.clear();
        true
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        let values = arguments[0].fixed::<f64>();
        rows.for_each(|row| {
            let held = &mut self.groups[groups[row] as usize];
            *held = (held.0 * values.get(row), held.1 + 1);
        });
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let (products, counts) = (states[0].fixed::<f64>(), states[1].fixed::<i64>());
        for (row, &group) in groups.iter().enumerate() {
            let held = &mut self.groups[group as usize];
            *held = (held.0 * products.get(row), held.1 + counts.get(row));
        }
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        for (row, &group) in groups.iter().enumerate() {
            let (product, count) = self.groups[group as usize];
            output[0].fixed::<f64>()[row] = product;
            output[1].fixed::<i64>()[row] = count;
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        for (row, &group) in groups.iter().enumerate() {
            match self.groups[group as usize] {
                (_, 0) => output.set_null(row),
                (product, _) => output.fixed::<f64>()[row] = product,
            }
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.groups.capacity() * size_of::<(f64, i64)>()
    }
}
