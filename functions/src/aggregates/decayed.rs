//! decayed_sum: values that halve with age, summed as by sum.

use bumpalo::Bump;

use super::parts::{bind_inner, forms_of};
use crate::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use crate::column::{Output, Rows, View};
use crate::error::{Error, Result};
use crate::kernel::transcendental::pow_one;
use crate::signature::exact;
use crate::types::{TimeUnit, Type};

pub(super) fn functions(inner: &[AggregateFunction]) -> Vec<AggregateFunction> {
    let function = AggregateFunction::new("decayed_sum", "aggregate", "Sum of the values, each halved once per half-life of its age.")
        .note("Ages are now minus time. The half-life is in the unit of numeric times, in seconds for timestamps, and must be above 0.")
        .note("Rows with a null argument, and those whose time is after now, are skipped; a group without rows gives null. Summed as by sum: the bits do not depend on the order of the rows.")
        .example("decayed_sum(8, 10, 20, 5)", "2.0");
    let times = [(Type::Int64, 1.0), (Type::Timestamp(TimeUnit::Microsecond), 1e6), (Type::TimestampTz, 1e6)];
    let Some(form) = forms_of(inner, "sum").into_iter().last() else { return Vec::new() };
    let function = times.into_iter().fold(function, |function, (time, ticks)| {
        let form = form.clone();
        let parameters = [
            exact("value", Type::Float64),
            exact("time", time.clone()),
            exact("now", time),
            exact("half_life", Type::Float64),
        ];
        function.overload(parameters, move |arguments| {
            let bound = bind_inner(&form, arguments, &Type::Float64)?;
            let make = bound.make;
            let make = move || Decayed {
                inner: make(),
                ticks,
                kept: Vec::new(),
                values: Output::new(Type::Float64),
            };
            Ok(BoundAggregate::strict(bound.result, bound.states, make))
        })
    });
    vec![function]
}

struct Decayed {
    inner: Box<dyn Accumulator>,
    /// Ticks of a time in the unit of the half-life.
    ticks: f64,
    kept: Vec<u32>,
    values: Output,
}

impl Accumulator for Decayed {
    fn resize(&mut self, groups: usize) {
        self.inner.resize(groups);
    }

    fn clear(&mut self) -> bool {
        self.inner.clear()
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], ordinal: u64) -> Result<()> {
        let (values, half_lives) = (arguments[0].fixed::<f64>(), arguments[3].fixed::<f64>());
        let (times, nows) = (arguments[1].fixed::<i64>(), arguments[2].fixed::<i64>());
        self.kept.clear();
        self.values.prepare(groups.len());
        let decayed = self.values.fixed::<f64>();
        for row in rows {
            let half_life = half_lives.get(row);
            if half_life.is_nan() || half_life <= 0.0 {
                let problem = format!("is {half_life}; expected a half-life above 0");
                return Err(Error::argument("decayed_sum", 4, problem));
            }
            let age = (i128::from(nows.get(row)) - i128::from(times.get(row))) as f64;
            if age >= 0.0 {
                decayed[row] = values.get(row) * pow_one(0.5, age / (half_life * self.ticks));
                self.kept.push(row as u32);
            }
        }
        let bump = Bump::new();
        self.inner.update(&[self.values.view(&bump)], Rows::Selected(&self.kept), groups, ordinal)
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        self.inner.merge(states, groups)
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        self.inner.state(groups, output)
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        self.inner.finish(groups, output)
    }

    fn memory_bytes(&self) -> usize {
        self.inner.memory_bytes() + self.kept.capacity() * 4 + self.values.memory_bytes()
    }
}
