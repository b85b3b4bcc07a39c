//! `cyclical`: a place in a period as a point on the circle.

use super::CATEGORY;
use crate::error::{Error, Result};
use crate::kernel::transcendental::{cos_one, sin_one};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::{Field, Type};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("cyclical", CATEGORY, "Sine and cosine of a place in a period, as a struct of two doubles.")
        .note("The period must be above 0. Quarters of a period give exactly 0, 1 and -1; x may be of any size and sign.")
        .note("NaN for infinite x.")
        .example("cyclical(6, 24)", "{'sin': 1.0, 'cos': 0.0}")
        .example("cyclical(-12, 24)", "{'sin': 0.0, 'cos': -1.0}")
        .overload([exact("x", Type::Float64), exact("period", Type::Float64)], bind)
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    let fields = ["sin", "cos"].map(|name| Field::new(name, Type::Float64));
    let function = arguments.function.to_owned();
    Ok(Bound::strict(Type::Struct(fields.into()), move |arguments, rows, output, _| {
        let (values, periods) = (arguments[0].fixed::<f64>(), arguments[1].fixed::<f64>());
        rows.for_each(|row| {
            let period = periods.get(row);
            if period > 0.0 {
                let (sine, cosine) = point(values.get(row), period);
                output.field(0).fixed::<f64>()[row] = sine;
                output.field(1).fixed::<f64>()[row] = cosine;
            } else {
                let problem = format!("is {period}; expected a period above 0");
                output.fail(row, || Error::argument(&function, 2, problem));
            }
        });
        Ok(())
    }))
}

/// Sine and cosine of `x / period` turns. The remainder is exact; the angle within the nearest quarter turn is at most an
/// eighth of a turn, so nothing is lost by the reduction, and whole quarters are exact.
fn point(x: f64, period: f64) -> (f64, f64) {
    let quarters = (x % period) / period * 4.0;
    let nearest = quarters.round();
    let angle = (quarters - nearest) * std::f64::consts::FRAC_PI_2;
    let (sine, cosine) = (sin_one(angle), cos_one(angle));
    let (sine, cosine) = match nearest as i64 & 3 {
        0 => (sine, cosine),
        1 => (cosine, -sine),
        2 => (-sine, -cosine),
        _ => (-cosine, sine),
    };
    // A zero has no sign here.
    (sine + 0.0, cosine + 0.0)
}
