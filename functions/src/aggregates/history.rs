//! first_k, last_k, nth_value_where, drawdown: what depends on the order of the rows of a group.

use super::collector::{Summary, collected, write_list};
use crate::aggregate::{AggregateFunction, BoundAggregate};
use crate::column::{Output, View};
use crate::error::{Error, Result};
use crate::scalar::Arguments;
use crate::signature::{any, exact};
use crate::types::Type;

/// One more than the most values a group may keep.
const COUNT_END: i64 = 1_000_000;

pub(super) fn functions() -> Vec<AggregateFunction> {
    let ends = |name: &str, summary: &str, is_last: bool| {
        AggregateFunction::new(name, "aggregate", summary)
            .overload([any("value"), exact("k", Type::Int64)], move |arguments| ends(arguments, is_last))
            .order_sensitive()
            .note("In the order of the rows, or of ORDER BY among the arguments, the oldest first; k must be constant. Nulls are skipped; a group without values gives null.")
            .example(&format!("{name}(42, 3)"), "[42]")
    };
    vec![
        ends("first_k", "The first k values of the group that are not null, as a list.", false),
        ends("last_k", "The last k values of the group that are not null, as a list.", true),
        AggregateFunction::new("nth_value_where", "aggregate", "Value of the nth row of the group where a condition is true.")
            .overload([any("value"), exact("n", Type::Int64), exact("condition", Type::Boolean)], nth)
            .order_sensitive()
            .note("n must be constant, from 1; below 0 it counts from the last row. Null where there are not so many rows; rows with a null value or condition are skipped. Name and order of arguments are OpenMLDB's.")
            .example("nth_value_where(42, 1, true)", "42"),
        AggregateFunction::new("drawdown", "aggregate", "Greatest decline from a value to a later one, as a share of the former.")
            .overload([exact("value", Type::Float64)], |_| Ok(collected(vec![Type::Float64], Type::Float64, Drawdown)))
            .order_sensitive()
            .note("In the order of the rows, or of ORDER BY among the arguments. 0 where values never decline; peaks that are not above 0 are passed over, and so are nulls and NaN. A group without values gives null.")
            .example("drawdown(42)", "0.0"),
    ]
}

fn ends(arguments: &Arguments<'_>, is_last: bool) -> Result<BoundAggregate> {
    let count = arguments.constant(1)?.as_i64().filter(|count| (1..COUNT_END).contains(count));
    let count = count.ok_or_else(|| {
        let problem = format!("must be a constant number from 1 to {}", COUNT_END - 1);
        Error::argument(arguments.function, 2, problem)
    })? as usize;
    let data_type = arguments.types[0].clone();
    Ok(collected(vec![data_type.clone()], Type::list(data_type), Ends { count, is_last }))
}

/// So many rows from the start or the end.
#[derive(Clone)]
struct Ends {
    count: usize,
    is_last: bool,
}

impl Summary for Ends {
    const DROPS: bool = true;

    fn write(&self, columns: &[View<'_>], members: &[u32], output: &mut Output, row: usize) {
        let count = self.count.min(members.len());
        let kept = if self.is_last { &members[members.len() - count..] } else { &members[..count] };
        write_list(output, row, &columns[0], kept);
    }

    fn keep(&self, _: &[View<'_>], members: &mut Vec<u32>) {
        if self.is_last {
            members.drain(..members.len().saturating_sub(self.count));
        } else {
            members.truncate(self.count);
        }
    }
}

fn nth(arguments: &Arguments<'_>) -> Result<BoundAggregate> {
    let number = arguments.constant(1)?.as_i64().filter(|&number| number != 0 && number.abs() < COUNT_END);
    let number = number.ok_or_else(|| {
        let problem = format!("must be a constant number from 1 to {} or the negative of one", COUNT_END - 1);
        Error::argument(arguments.function, 2, problem)
    })?;
    let data_type = arguments.types[0].clone();
    let columns = vec![data_type.clone(), Type::Int64, Type::Boolean];
    Ok(collected(columns, data_type, Nth { place: number.unsigned_abs() as usize, is_last: number < 0 }))
}

/// The row at a place among those where the condition, the third column, is true.
#[derive(Clone)]
struct Nth {
    place: usize,
    is_last: bool,
}

impl Summary for Nth {
    const DROPS: bool = true;

    fn write(&self, columns: &[View<'_>], members: &[u32], output: &mut Output, row: usize) {
        let conditions = columns[2].boolean();
        let mut chosen = members.iter().filter(|&&member| conditions.get(member as usize));
        let found = if self.is_last { chosen.nth_back(self.place - 1) } else { chosen.nth(self.place - 1) };
        match found {
            Some(&member) => output.copy(row, &columns[0], member as usize),
            None => output.set_null(row),
        }
    }

    fn keep(&self, columns: &[View<'_>], members: &mut Vec<u32>) {
        let conditions = columns[2].boolean();
        members.retain(|&member| conditions.get(member as usize));
        Ends { count: self.place, is_last: self.is_last }.keep(columns, members);
    }
}

#[derive(Clone)]
struct Drawdown;

impl Summary for Drawdown {
    fn write(&self, columns: &[View<'_>], members: &[u32], output: &mut Output, row: usize) {
        let values = columns[0].fixed::<f64>();
        let (mut peak, mut greatest) = (0.0f64, 0.0f64);
        for value in members.iter().map(|&member| values.get(member as usize)).filter(|value| !value.is_nan())
        {
            peak = peak.max(value);
            if peak > 0.0 && peak.is_finite() {
                greatest = greatest.max((peak - value) / peak);
            }
        }
        output.fixed::<f64>()[row] = greatest;
    }
}
