//! What a history of events tells: gaps between events, repetitions, decay.

use super::CATEGORY;
use crate::column::{View, equal};
use crate::error::Error;
use crate::kernel::transcendental::pow_one;
use crate::list::MemberSet;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{Pattern, exact, list_of_variable, parameter};
use crate::types::{TimeUnit, Type};

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new(
            "seq_dedup_consecutive",
            CATEGORY,
            "A sequence with runs of equal elements made one.",
        )
        .note("Null equals null.")
        .example("seq_dedup_consecutive([1, 1, 2, 1])", "[1, 2, 1]")
        .overload([list_of_variable("list")], |arguments| {
            Ok(Bound::strict(arguments.types[0].clone(), |arguments, rows, output, _| {
                let list = arguments[0].list();
                let child = list.child();
                rows.for_each(|row| {
                    let range = list.range(row);
                    let mut writer = output.list();
                    let start = writer.start();
                    for at in range.clone() {
                        if at == range.start || !equal(child, at - 1, child, at) {
                            writer.child().push(child, at);
                        }
                    }
                    writer.finish(row, start);
                });
                output.check_capacity()
            }))
        }),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "seq_distinct_ratio",
            CATEGORY,
            "Share of the elements of a sequence that are distinct.",
        )
        .note("Nulls are left out; null for a sequence without elements.")
        .example("seq_distinct_ratio([1, 1, 2, 3])", "0.75")
        .overload([list_of_variable("list")], |_| {
            Ok(Bound::strict(Type::Float64, |arguments, rows, output, scratch| {
                let (list, members) = (arguments[0].list(), scratch.slot::<MemberSet>());
                rows.for_each(|row| {
                    let range = list.range(row);
                    let present = range.clone().filter(|&at| list.child().is_valid(at)).count();
                    members.fill(list.child(), range);
                    match present {
                        0 => output.set_null(row),
                        _ => output.fixed::<f64>()[row] = members.places().len() as f64 / present as f64,
                    }
                });
                Ok(())
            }))
        }),
    );
    registry.register_scalar(gaps());
    registry.register_scalar(decayed_sum());
}

fn list_of(element: Type) -> Pattern {
    Pattern::List(Box::new(Pattern::Exact(element)))
}

fn gaps() -> ScalarFunction {
    let function = ScalarFunction::new("seq_time_gaps", CATEGORY, "Difference of each element of a sequence to the one before it.")
        .note("The first element has none: null, as next to a null. Timestamps give microseconds; a difference that overflows is an error.")
        .example("seq_time_gaps([10, 13, 20])", "[NULL, 3, 7]");
    [Type::Int64, Type::Timestamp(TimeUnit::Microsecond), Type::TimestampTz].into_iter().fold(
        function,
        |function, element| {
            function.overload([parameter("list", list_of(element))], |_| {
                Ok(Bound::strict(Type::list(Type::Int64), |arguments, rows, output, _| {
                    let list = arguments[0].list();
                    let child = list.child();
                    let values = child.fixed::<i64>();
                    rows.for_each(|row| {
                        let range = list.range(row);
                        let mut writer = output.list();
                        let start = writer.child().grow(range.len());
                        let mut overflows = false;
                        for (place, at) in range.clone().enumerate() {
                            let pair = (place > 0 && child.is_valid(at - 1) && child.is_valid(at))
                                .then(|| values.get(at).checked_sub(values.get(at - 1)));
                            match pair {
                                None => writer.child().set_null(start + place),
                                Some(None) => overflows = true,
                                Some(Some(gap)) => writer.child().fixed::<i64>()[start + place] = gap,
                            }
                        }
                        writer.finish(row, start);
                        if overflows {
                            let problem = "holds two neighbours whose difference does not fit BIGINT";
                            output.fail(row, || Error::argument("seq_time_gaps", 1, problem));
                        }
                    });
                    output.check_capacity()
                }))
            })
        },
    )
}

fn decayed_sum() -> ScalarFunction {
    let parameters = |time: Type| {
        [
            parameter("values", list_of(Type::Float64)),
            parameter("times", list_of(time.clone())),
            exact("now", time),
            exact("half_life", Type::Float64),
        ]
    };
    let function = ScalarFunction::new("seq_decayed_sum", CATEGORY, "Sum of the values of a sequence, each halved once per half-life of its age.")
        .note("Ages are now minus time. The half-life is in the unit of numeric times, in seconds for timestamps, and must be above 0.")
        .note("Values or times that are null, and events after now, are left out; no event gives 0. Added up from the oldest element on.")
        .example("seq_decayed_sum([8, 4, 1], [0, 10, 20], 20, 10)", "5.0");
    let function = function.overload(parameters(Type::Int64), |_| Ok(decayed(1.0)));
    function
        .overload(parameters(Type::Timestamp(TimeUnit::Microsecond)), |_| Ok(decayed(1e6)))
        .overload(parameters(Type::TimestampTz), |_| Ok(decayed(1e6)))
}

/// The sum for times of so many ticks in the unit of the half-life.
fn decayed(ticks: f64) -> Bound {
    Bound::strict(Type::Float64, move |arguments, rows, output, _| {
        let half_lives = arguments[3].fixed::<f64>();
        rows.for_each(|row| {
            let half_life = half_lives.get(row);
            if half_life.is_nan() || half_life <= 0.0 {
                let problem = format!("is {half_life}; expected a half-life above 0");
                return output.fail(row, || Error::argument("seq_decayed_sum", 4, problem));
            }
            match decayed_row(arguments, row, half_life * ticks) {
                Some(sum) => output.fixed::<f64>()[row] = sum,
                None => output.fail(row, || {
                    Error::argument("seq_decayed_sum", 2, "has another length than the list of values")
                }),
            }
        });
        Ok(())
    })
}

fn decayed_row(arguments: &[View<'_>], row: usize, half_life: f64) -> Option<f64> {
    let (values, times) = (arguments[0].list(), arguments[1].list());
    let (value_range, time_range) = (values.range(row), times.range(row));
    if value_range.len() != time_range.len() {
        return None;
    }
    let now = arguments[2].fixed::<i64>().get(row);
    let (of_value, of_time) = (values.child().fixed::<f64>(), times.child().fixed::<i64>());
    let mut sum = 0.0;
    for (value, time) in value_range.zip(time_range) {
        if values.child().is_null(value) || times.child().is_null(time) || of_time.get(time) > now {
            continue;
        }
        let age = (i128::from(now) - i128::from(of_time.get(time))) as f64;
        sum += of_value.get(value) * pow_one(0.5, age / half_life);
    }
    Some(sum)
}
