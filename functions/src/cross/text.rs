//! Crosses as text.

use super::CATEGORY;
use crate::error::{Error, Result};
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Pattern, exact, parameter};
use crate::text::append;
use crate::types::{Field, Type};
use crate::value::{Literal, Value};

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("ngrams", CATEGORY, "Runs of neighbouring tokens, joined by a separator.")
            .note("From `low` to `high` tokens each, in order of where they start, shorter ones first; a run must fit the list.")
            .note("Null tokens are left out before runs are formed.")
            .example("ngrams(['a', 'b', 'c'], 2, 3, '#')", "[a#b, a#b#c, b#c]")
            .overload(
                [
                    exact("tokens", Type::list(Type::Text)),
                    exact("low", Type::Int64),
                    exact("high", Type::Int64),
                    exact("separator", Type::Text).or(Literal::new(Value::from(" "))),
                ],
                |_| Ok(ngrams()),
            ),
    );
    registry.register_scalar(
        ScalarFunction::new("feature_cross", CATEGORY, "All combinations of the fields of a struct, as a struct of texts joined by '_'.")
            .note("With degree 3 or 4 also combinations of that many fields. A null in a combination makes it null.")
            .example(
                "feature_cross({'f1': 'a', 'f2': 'b', 'f3': 'c'})",
                "{'f1_f2': a_b, 'f1_f3': a_c, 'f2_f3': b_c}",
            )
            .overload(
                [
                    parameter("features", Pattern::Struct),
                    exact("degree", Type::Int64).or(Literal::new(Value::Int64(2))),
                ],
                feature_cross,
            ),
    );
}

fn ngrams() -> Bound {
    Bound::strict(Type::list(Type::Text), |arguments, rows, output, scratch| {
        let list = arguments[0].list();
        let (low, high) = (arguments[1].fixed::<i64>(), arguments[2].fixed::<i64>());
        let (tokens, separators) = (list.child().text(), arguments[3].text());
        let present = scratch.slot::<Vec<usize>>();
        rows.for_each(|row| {
            let (low, high) = (low.get(row), high.get(row));
            if low < 1 || high < low {
                let problem = format!("is {low} and the next {high}; expected 1 <= low <= high");
                return output.fail(row, || Error::argument("ngrams", 2, problem));
            }
            present.clear();
            present.extend(list.range(row).filter(|&at| list.child().is_valid(at)));
            let separator = separators.get(row);
            let longest = usize::try_from(high).unwrap_or(usize::MAX).min(present.len());
            let shortest = usize::try_from(low).unwrap_or(usize::MAX);
            let mut writer = output.list();
            let start = writer.start();
            for first in 0..present.len() {
                for size in shortest..=longest.min(present.len() - first) {
                    let child = writer.child();
                    let at = child.grow(1);
                    child.text().build(at, |builder| {
                        for (place, &token) in present[first..first + size].iter().enumerate() {
                            if place > 0 {
                                builder.push_str(separator);
                            }
                            builder.push_str(tokens.get(token));
                        }
                    });
                }
            }
            writer.finish(row, start);
        });
        output.check_capacity()
    })
}

/// Combinations of 2 to `degree` of `count` fields: smaller ones first, in order of the fields.
fn combinations(count: usize, degree: usize) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    let mut level: Vec<Vec<usize>> = (0..count).map(|field| vec![field]).collect();
    for _ in 2..=degree {
        level = level
            .iter()
            .flat_map(|chosen| {
                let next = chosen.last().map_or(0, |last| last + 1);
                (next..count).map(|field| [chosen.as_slice(), &[field]].concat())
            })
            .collect();
        all.extend(level.iter().cloned());
    }
    all
}

/// Most fields of the result.
const CROSSES_MAX: usize = 10_000;

fn feature_cross(arguments: &Arguments<'_>) -> Result<Bound> {
    let Type::Struct(fields) = &arguments.types[0] else {
        let problem = format!("has type {}; expected a struct", arguments.types[0]);
        return Err(Error::argument("feature_cross", 1, problem));
    };
    let degree = match arguments.constant(1)?.as_i64() {
        Some(degree @ 2..=4) => degree as usize,
        _ => return Err(Error::argument("feature_cross", 2, "is not a degree; expected 2, 3 or 4")),
    };
    // An upper bound of the number of combinations, so that none are made where there are too many.
    if fields.len().saturating_pow(degree as u32) > CROSSES_MAX * 24 {
        let problem = format!("has {} fields, which make more than {CROSSES_MAX} combinations", fields.len());
        return Err(Error::argument("feature_cross", 1, problem));
    }
    let crosses = combinations(fields.len(), degree);
    let names = crosses.iter().map(|chosen| {
        let names: Vec<&str> = chosen.iter().map(|&field| fields[field].name.as_str()).collect();
        Field::new(names.join("_"), Type::Text)
    });
    Ok(Bound::strict(Type::Struct(names.collect()), move |arguments, rows, output, _| {
        for (position, chosen) in crosses.iter().enumerate() {
            let views: Vec<_> = chosen.iter().map(|&field| arguments[0].field(field)).collect();
            let target = output.field(position);
            rows.for_each(|row| {
                if views.iter().any(|view| view.is_null(row)) {
                    return target.set_null(row);
                }
                target.text().build(row, |builder| {
                    for (place, view) in views.iter().enumerate() {
                        if place > 0 {
                            builder.push_str("_");
                        }
                        append(view, row, builder);
                    }
                });
            });
        }
        output.check_capacity()
    }))
}
