//! Borders of bins of equal width.

use super::CATEGORY;
use crate::column::WritableFixed;
use crate::error::{Error, Result};
use crate::registry::Registry;
use crate::scalar::{Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Most bins of a call.
const BINS_MAX: i64 = 1_000_000;

/// Thousandths in which steps between whole numbers are counted.
const THOUSANDTHS: i128 = 1000;

pub(super) fn register(registry: &mut Registry) {
    let function = ScalarFunction::new(
        "equi_width_bins",
        CATEGORY,
        "Upper borders of bins of equal width from a minimum to a maximum.",
    )
    .cost(Cost::Parse)
    .note("With nice_rounding the width becomes 1, 2 or 5 times a power of ten, the last border a multiple of it, and the number of bins is approximate.")
    .example("equi_width_bins(0, 10, 2, false)", "[5, 10]")
    .example("equi_width_bins(0.0, 10.1, 5, true)", "[2.0, 4.0, 6.0, 8.0, 10.0, 12.0]");
    let function = forms(function, Type::Int32, |low: i32, high, bins, nice| {
        let borders = whole(low.into(), high.into(), bins, nice);
        borders.into_iter().map(|border| border.try_into().map_err(|_| beyond(&Type::Int32))).collect()
    });
    let function = forms(function, Type::Int64, |low: i64, high, bins, nice| {
        let borders = whole(low.into(), high.into(), bins, nice);
        borders.into_iter().map(|border| border.try_into().map_err(|_| beyond(&Type::Int64))).collect()
    });
    registry.register_scalar(forms(function, Type::Float64, |low: f64, high: f64, bins, nice| {
        if low.is_finite() && high.is_finite() && (high - low).is_finite() {
            Ok(real(low, high, bins, nice))
        } else {
            Err(Error::user("equi_width_bins: minimum and maximum must be finite and not too far apart"))
        }
    }));
}

fn beyond(data_type: &Type) -> Error {
    Error::user(format!("equi_width_bins: a border is out of range for {data_type}"))
}

fn forms<T: WritableFixed + crate::column::FixedWidth + PartialOrd>(
    function: ScalarFunction,
    data_type: Type,
    borders: fn(T, T, i64, bool) -> Result<Vec<T>>,
) -> ScalarFunction {
    let parameters = [
        exact("minimum", data_type.clone()),
        exact("maximum", data_type.clone()),
        exact("bin_count", Type::Int64),
        exact("nice_rounding", Type::Boolean),
    ];
    function.overload(parameters, move |_| {
        Ok(Bound::strict(Type::list(data_type.clone()), move |arguments, rows, output, _| {
            let (lows, highs) = (arguments[0].fixed::<T>(), arguments[1].fixed::<T>());
            let (counts, nice) = (arguments[2].fixed::<i64>(), arguments[3].boolean());
            rows.for_each(|row| {
                let (low, high, bins) = (lows.get(row), highs.get(row), counts.get(row));
                let found = if high < low {
                    Err(Error::user("equi_width_bins: the maximum is below the minimum"))
                } else if !(1..=BINS_MAX).contains(&bins) {
                    Err(Error::argument("equi_width_bins", 3, format!("is {bins}; expected 1 to {BINS_MAX}")))
                } else {
                    borders(low, high, bins, nice.get(row))
                };
                match found {
                    Ok(borders) => {
                        let mut list = output.list();
                        let start = list.child().grow(borders.len());
                        list.child().fixed::<T>()[start..start + borders.len()].copy_from_slice(&borders);
                        list.set(row, start, borders.len());
                    }
                    Err(error) => output.fail(row, || error),
                }
            });
            Ok(())
        }))
    })
}

/// Borders between whole numbers; steps are thousandths, and a border that rounding repeats stands once.
fn whole(low: i128, high: i128, bins: i64, nice: bool) -> Vec<i128> {
    let (low, mut high) = (low * THOUSANDTHS, high * THOUSANDTHS);
    let mut step = (high - low) / i128::from(bins);
    let mut most = bins;
    if nice && step > 0 {
        let mut power = 1;
        while power * 10 <= step {
            power *= 10;
        }
        // 1.5, 3 and 7.5 are where the next nice number begins.
        step = match step * 2 {
            twice if twice < power * 3 => power,
            twice if twice < power * 6 => power * 2,
            twice if twice < power * 15 => power * 5,
            _ => power * 10,
        };
        high += (step - high.rem_euclid(step)) % step;
        most *= 2;
    }
    let mut borders = Vec::new();
    for bin in 0..most {
        let border = high - i128::from(bin) * step;
        if bin > 0 && border <= low {
            break;
        }
        borders.push(border / THOUSANDTHS);
        if step == 0 {
            break;
        }
    }
    borders.dedup();
    borders.reverse();
    borders
}

fn real(low: f64, high: f64, bins: i64, nice: bool) -> Vec<f64> {
    let step = (high - low) / bins as f64;
    let mut borders = match nice && step > 0.0 {
        true => nice_real(low, high, step, bins * 2),
        false => {
            let mut borders = vec![high];
            let mut border = high - step;
            while border > low && (borders.len() as i64) < bins {
                borders.push(border);
                border -= step;
            }
            borders
        }
    };
    borders.reverse();
    borders
}

/// Borders at multiples of a nice step, from the highest down. They are computed from whole numbers, so that tenths
/// read as tenths.
fn nice_real(low: f64, high: f64, step: f64, most: i64) -> Vec<f64> {
    let exponent = (-300..300).find(|exponent| power_of_ten(exponent + 1) > step).unwrap_or(300);
    let times = match step / power_of_ten(exponent) {
        times if times < 1.5 => 1.0,
        times if times < 3.0 => 2.0,
        times if times < 7.5 => 5.0,
        _ => 10.0,
    };
    let multiple_of = |count: f64| match exponent {
        0.. => count * times * power_of_ten(exponent),
        _ => count * times / power_of_ten(-exponent),
    };
    let highest = (high / multiple_of(1.0)).ceil();
    let borders = (0..most).map(|bin| multiple_of(highest - bin as f64));
    borders
        .enumerate()
        .take_while(|(bin, border)| *bin == 0 || *border > low)
        .map(|(_, border)| border)
        .collect()
}

fn power_of_ten(exponent: i32) -> f64 {
    10f64.powi(exponent)
}
