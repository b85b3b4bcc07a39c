//! Aggregates over events in order: weighted averages, sessions, the ends of a history.

use super::collector::{Summary, collected, write_list};
use crate::aggregate::{AggregateFunction, BoundAggregate};
use crate::column::{Output, View};
use crate::error::{Error, Result};
use crate::scalar::Arguments;
use crate::sequence::average::{WeightedAverage, is_factor};
use crate::sequence::session::{gap_microseconds, is_apart};
use crate::signature::{any, exact};
use crate::types::Type;
use crate::value::Value;
use crate::window::Frames;

/// Most values that an end of a history holds.
const COUNT_MAX: i64 = 1 << 20;

pub(super) fn functions() -> Vec<AggregateFunction> {
    let average = AggregateFunction::new(
        "ew_avg",
        "aggregate",
        "Exponentially weighted average of the values in order, the last of which weighs most.",
    )
    .overload([exact("value", Type::Float64), exact("alpha", Type::Float64)], weighted)
    .order_sensitive()
    .note("The last value weighs 1, each before it 1 - alpha of the next. Nulls are skipped, as if they were not there.")
    .note("alpha must be constant, from 0 to 1; 0 and null give the plain average. A group without values gives null.")
    .note("The mean of pandas ewm(alpha, adjust=True, ignore_na=True).")
    .example("ew_avg(42, 0.5)", "42.0");
    let sessions = AggregateFunction::new(
        "session_count",
        "aggregate",
        "Number of sessions that times make, where a longer gap than given begins a new one.",
    )
    .alias("session_id")
    .alias("sessionize")
    .overload([exact("time", Type::Int64), exact("gap", Type::Int64)], sessions)
    .overload([exact("time", Type::TIMESTAMP), exact("gap", Type::Interval)], sessions)
    .overload([exact("time", Type::TimestampTz), exact("gap", Type::Interval)], sessions)
    .note("Over a window ordered by the time it numbers the sessions of a partition from 1: session_id(ts, INTERVAL 30 MINUTES) OVER (PARTITION BY user ORDER BY ts).")
    .note("The gap must be constant, of at least 0 and without months. Nulls are skipped; a group without times gives null.")
    .example("session_count(42, 5)", "1");
    let last = AggregateFunction::new(
        "seq_last",
        "aggregate",
        "The last values of the group, at most so many, oldest first.",
    )
    .overload([any("value"), exact("count", Type::Int64)], |arguments| end(arguments, Side::Last))
    .order_sensitive()
    .note("In the order of ORDER BY among the arguments or of the window, else of the input. Nulls are kept; the count must be constant.")
    .example("seq_last(42, 3)", "[42]");
    let first = AggregateFunction::new(
        "seq_first",
        "aggregate",
        "The first values of the group, at most so many, oldest first.",
    )
    .overload([any("value"), exact("count", Type::Int64)], |arguments| end(arguments, Side::First))
    .order_sensitive()
    .note("In the order of ORDER BY among the arguments or of the window, else of the input. Nulls are kept; the count must be constant.")
    .example("seq_first(42, 3)", "[42]");
    vec![average, sessions, last, first]
}

#[derive(Clone)]
struct Weighted {
    alpha: f64,
}

fn weighted(arguments: &Arguments<'_>) -> Result<BoundAggregate> {
    let alpha = arguments.constant(1)?.as_f64().unwrap_or(0.0);
    if !is_factor(alpha) {
        let problem = format!("is {alpha}; expected a factor from 0 to 1");
        return Err(Error::argument(arguments.function, 2, problem));
    }
    // Not strict: a null factor is one.
    let bound = collected(vec![Type::Float64], Type::Float64, Weighted { alpha });
    Ok(BoundAggregate { strict: false, ..bound })
}

impl Summary for Weighted {
    fn write(&self, columns: &[View<'_>], members: &[u32], output: &mut Output, row: usize) {
        let values = columns[0].fixed::<f64>();
        let mut average = WeightedAverage::default();
        for &member in members.iter().filter(|member| columns[0].is_valid(**member as usize)) {
            average.add(values.get(member as usize), self.alpha);
        }
        match average.result() {
            Some(average) => output.fixed::<f64>()[row] = average,
            None => output.set_null(row),
        }
    }
}

#[derive(Clone)]
struct Sessions {
    gap: i64,
}

fn sessions(arguments: &Arguments<'_>) -> Result<BoundAggregate> {
    let refused = |problem: &str| Error::argument(arguments.function, 2, problem);
    let gap = match arguments.constant(1)? {
        Value::Interval(months, days, nanoseconds) => {
            Some(gap_microseconds(*months, *days, *nanoseconds).map_err(refused)?)
        }
        gap => gap.as_i64(),
    };
    let gap = gap.filter(|gap| *gap >= 0).ok_or_else(|| refused("is not a gap of at least 0"))?;
    Ok(collected(vec![arguments.types[0].clone()], Type::Int64, Sessions { gap }))
}

impl Summary for Sessions {
    fn write(&self, columns: &[View<'_>], members: &[u32], output: &mut Output, row: usize) {
        let times = columns[0].fixed::<i64>();
        let mut times: Vec<i64> = members.iter().map(|&member| times.get(member as usize)).collect();
        times.sort_unstable();
        let breaks = times.windows(2).filter(|pair| is_apart(pair[0], pair[1], self.gap)).count();
        output.fixed::<i64>()[row] = 1 + breaks as i64;
    }

    /// Where the times of every frame ascend or descend, its breaks are those between neighbours, counted once for all.
    fn frames(&self, arguments: &[View<'_>], frames: &Frames, output: &mut Output) -> Result<bool> {
        let [(starts, ends)] = frames.parts.as_slice() else { return Ok(false) };
        let times = arguments[0].fixed::<i64>();
        let counts = neighbours(times, arguments[0].length, self.gap);
        let is_ordered = |&(start, end): &(u32, u32)| {
            start >= end || {
                let (first, last) = (counts[start as usize], counts[end as usize - 1]);
                first.rises == last.rises || first.falls == last.falls
            }
        };
        let bounds = || starts.iter().copied().zip(ends.iter().copied());
        if !bounds().all(|frame| is_ordered(&frame)) {
            return Ok(false);
        }
        for (row, (start, end)) in bounds().enumerate() {
            if start >= end {
                output.set_null(row);
                continue;
            }
            let breaks = counts[end as usize - 1].breaks - counts[start as usize].breaks;
            output.fixed::<i64>()[row] = 1 + i64::from(breaks);
        }
        Ok(true)
    }
}

/// How many of the pairs of neighbours up to a position rise, fall and are apart.
#[derive(Clone, Copy, Default)]
struct Neighbours {
    rises: u32,
    falls: u32,
    breaks: u32,
}

fn neighbours(times: crate::column::Fixed<'_, i64>, length: usize, gap: i64) -> Vec<Neighbours> {
    let mut counts = vec![Neighbours::default(); length];
    for position in 1..length {
        let (before, time) = (times.get(position - 1), times.get(position));
        let mut count = counts[position - 1];
        count.rises += u32::from(before < time);
        count.falls += u32::from(before > time);
        count.breaks += u32::from(is_apart(before, time, gap));
        counts[position] = count;
    }
    counts
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Side {
    First,
    Last,
}

#[derive(Clone)]
struct End {
    side: Side,
    count: usize,
}

fn end(arguments: &Arguments<'_>, side: Side) -> Result<BoundAggregate> {
    let count = arguments.constant(1)?.as_i64().filter(|count| (0..=COUNT_MAX).contains(count));
    let count = count.ok_or_else(|| {
        let problem = format!("is not a number of values; expected a constant from 0 to {COUNT_MAX}");
        Error::argument(arguments.function, 2, problem)
    })?;
    let element = arguments.types[0].clone();
    let summary = End { side, count: count as usize };
    let bound = collected(vec![element.clone()], Type::list(element), summary);
    Ok(BoundAggregate { strict: false, ..bound })
}

impl End {
    fn range(&self, length: usize) -> std::ops::Range<usize> {
        let kept = length.min(self.count);
        match self.side {
            Side::First => 0..kept,
            Side::Last => length - kept..length,
        }
    }
}

impl Summary for End {
    const DROPS: bool = true;

    fn write(&self, columns: &[View<'_>], members: &[u32], output: &mut Output, row: usize) {
        write_list(output, row, &columns[0], &members[self.range(members.len())]);
    }

    fn keep(&self, _: &[View<'_>], members: &mut Vec<u32>) {
        // A group keeps a row, or it would be as if it had none.
        let range = self.range(members.len());
        match range.is_empty() {
            true => members.truncate(1),
            false => *members = members[range].to_vec(),
        }
    }

    fn frames(&self, arguments: &[View<'_>], frames: &Frames, output: &mut Output) -> Result<bool> {
        let [(starts, ends)] = frames.parts.as_slice() else { return Ok(false) };
        for (row, (&start, &end)) in starts.iter().zip(ends).enumerate() {
            if start >= end {
                output.set_null(row);
                continue;
            }
            let range = self.range((end - start) as usize);
            let start = start as usize;
            let mut writer = output.list();
            let first = writer.start();
            writer.child().push_range(&arguments[0], start + range.start..start + range.end);
            writer.finish(row, first);
        }
        output.check_capacity()?;
        Ok(true)
    }
}
