//! avg of intervals: months, days and the rest are summed apart, and carried downwards when they are divided.

use arrow::datatypes::IntervalMonthDayNano;

use crate::aggregate::{Accumulator, BoundAggregate};
use crate::column::{Output, Rows, View};
use crate::error::{Error, Result};
use crate::types::Type;

const DAYS_A_MONTH: i128 = 30;
const NANOS_A_DAY: i128 = 86_400_000_000_000;
const NANOS_A_MICRO: i128 = 1000;

/// The mean of intervals.
pub(super) fn mean_interval() -> BoundAggregate {
    let states = vec![Type::Int64, Type::Int64, Type::HUGEINT, Type::Int64];
    BoundAggregate::strict(Type::Interval, states, MeanInterval::default)
}

#[derive(Debug, Clone, Copy, Default)]
struct Total {
    nanos: i128,
    months: i64,
    days: i64,
    count: i64,
}

impl Total {
    fn add(&mut self, other: &Self) {
        self.nanos += other.nanos;
        self.months += other.months;
        self.days += other.days;
        self.count += other.count;
    }

    /// What is left of months goes to the days, of days to the rest, which is cut to microseconds.
    fn mean(&self) -> Option<IntervalMonthDayNano> {
        let count = i128::from(self.count);
        let (months, months_left) = (self.months / self.count, self.months % self.count);
        let days = i128::from(months_left) * DAYS_A_MONTH + i128::from(self.days);
        let nanos = days % count * NANOS_A_DAY + self.nanos;
        let micros = nanos / NANOS_A_MICRO / count;
        Some(IntervalMonthDayNano::new(
            i32::try_from(months).ok()?,
            i32::try_from(days / count).ok()?,
            i64::try_from(micros * NANOS_A_MICRO).ok()?,
        ))
    }
}

#[derive(Debug, Default)]
struct MeanInterval {
    groups: Vec<Total>,
}

impl Accumulator for MeanInterval {
    fn resize(&mut self, groups: usize) {
        self.groups.resize(groups, Total::default());
    }

    fn clear(&mut self) -> bool {
        self.groups.clear();
        true
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        let values = arguments[0].fixed::<IntervalMonthDayNano>();
        rows.for_each(|row| {
            let value = values.get(row);
            self.groups[groups[row] as usize].add(&Total {
                nanos: i128::from(value.nanoseconds),
                months: i64::from(value.months),
                days: i64::from(value.days),
                count: 1,
            });
        });
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let (months, days) = (states[0].fixed::<i64>(), states[1].fixed::<i64>());
        let (nanos, counts) = (states[2].fixed::<i128>(), states[3].fixed::<i64>());
        for (row, &group) in groups.iter().enumerate() {
            self.groups[group as usize].add(&Total {
                nanos: nanos.get(row),
                months: months.get(row),
                days: days.get(row),
                count: counts.get(row),
            });
        }
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        for (row, &group) in groups.iter().enumerate() {
            let total = self.groups[group as usize];
            output[0].fixed::<i64>()[row] = total.months;
            output[1].fixed::<i64>()[row] = total.days;
            output[2].fixed::<i128>()[row] = total.nanos;
            output[3].fixed::<i64>()[row] = total.count;
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        for (row, &group) in groups.iter().enumerate() {
            let total = self.groups[group as usize];
            if total.count == 0 {
                output.set_null(row);
                continue;
            }
            output.fixed::<IntervalMonthDayNano>()[row] = total.mean().ok_or_else(|| Error::OutOfRange {
                operation: "avg",
                detail: "the mean".into(),
                target: Type::Interval,
            })?;
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.groups.capacity() * size_of::<Total>()
    }
}
