//! var, stddev, skewness, kurtosis, covar, corr, regr: statistics of one or two float columns, from
//! order-independent sums of powers and products.

use super::sum::{read_sum, sum_type, write_sum};
use crate::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use crate::column::{Output, Rows, View};
use crate::error::Result;
use crate::kernel::sum::MomentSum;
use crate::signature::exact;
use crate::types::Type;

pub(super) fn functions() -> Vec<AggregateFunction> {
    let one = |name: &str, aliases: &[&str], summary: &str, finish: Finish<4>, example: (&str, &str)| {
        let function = AggregateFunction::new(name, "aggregate", summary)
            .overload([exact("value", Type::Float64)], move |_| Ok(bound::<4>(add_powers, finish)))
            .note("Nulls are skipped. Reproducible: the bits do not depend on the order of the rows.")
            .example(example.0, example.1);
        aliases.iter().fold(function, |function, alias| function.alias(alias))
    };
    let two = |name: &str, aliases: &[&str], summary: &str, finish: Finish<5>, example: (&str, &str)| {
        let parameters = [exact("y", Type::Float64), exact("x", Type::Float64)];
        let function = AggregateFunction::new(name, "aggregate", summary)
            .overload(parameters, move |_| Ok(bound::<5>(add_products, finish)))
            .note("Rows with a null in either argument are skipped. Reproducible: the bits do not depend on the order of the rows.")
            .example(example.0, example.1);
        aliases.iter().fold(function, |function, alias| function.alias(alias))
    };
    vec![
        one("var_samp", &["variance"], "Sample variance: squared distances to the mean over n - 1; null below two values.", |s| over(spread(s.count, &s.sums[0], &s.sums[1]), s.count, 1), ("var_samp(42)", "NULL")),
        one("var_pop", &[], "Population variance: squared distances to the mean over n.", |s| over(spread(s.count, &s.sums[0], &s.sums[1]), s.count, 0), ("var_pop(42)", "0.0")),
        one("stddev_samp", &["stddev"], "Square root of the sample variance.", |s| over(spread(s.count, &s.sums[0], &s.sums[1]), s.count, 1).map(f64::sqrt), ("stddev_samp(42)", "NULL")),
        one("stddev_pop", &[], "Square root of the population variance.", |s| over(spread(s.count, &s.sums[0], &s.sums[1]), s.count, 0).map(f64::sqrt), ("stddev_pop(42)", "0.0")),
        one("sem", &[], "Standard error of the mean: population deviation over the square root of n.", |s| over(spread(s.count, &s.sums[0], &s.sums[1]), s.count, 0).map(|variance| variance.sqrt() / (s.count as f64).sqrt()), ("sem(42)", "0.0")),
        one("skewness", &[], "Adjusted Fisher-Pearson skewness; null below three values.", skewness, ("skewness(42)", "NULL")),
        one("kurtosis", &[], "Excess kurtosis with bias correction; null below four values.", kurtosis, ("kurtosis(42)", "NULL")),
        one("kurtosis_pop", &[], "Excess kurtosis without bias correction.", kurtosis_pop, ("kurtosis_pop(42)", "NULL")),
        two("covar_samp", &[], "Sample covariance; null below two rows.", |s| over(s.joint(), s.count, 1), ("covar_samp(1, 2)", "NULL")),
        two("covar_pop", &[], "Population covariance.", |s| over(s.joint(), s.count, 0), ("covar_pop(1, 2)", "0.0")),
        two("corr", &[], "Pearson correlation; null below one row, NaN where a side is constant.", correlation, ("corr(1, 2)", "NULL")),
        two("regr_count", &[], "Number of rows where neither argument is null.", |s| Some(s.count as f64), ("regr_count(1, 2)", "1.0")),
        two("regr_slope", &[], "Slope of the least-squares line through (x, y).", |s| ratio(s.joint(), s.spread_x()), ("regr_slope(1, 2)", "NULL")),
        two("regr_intercept", &[], "Intercept of the least-squares line through (x, y).", |s| {
            let slope = ratio(s.joint(), s.spread_x())?;
            Some(s.sums[0].finish() / s.count as f64 - slope * (s.sums[2].finish() / s.count as f64))
        }, ("regr_intercept(1, 2)", "NULL")),
        two("regr_r2", &[], "Coefficient of determination of the least-squares line.", |s| {
            let (x, y) = (s.spread_x(), s.spread_y());
            if s.count == 0 || x == 0.0 { return None; }
            if y == 0.0 { return Some(1.0); }
            Some(s.joint() * s.joint() / (x * y))
        }, ("regr_r2(1, 2)", "NULL")),
    ]
}

/// Count and sums of one group. Of one column the sums of powers 1 to 4; of two columns `y, y*y, x, x*x, x*y`.
#[derive(Clone)]
struct Sums<const N: usize> {
    count: i64,
    sums: [MomentSum; N],
}

type Finish<const N: usize> = fn(&Sums<N>) -> Option<f64>;
type Add<const N: usize> = fn(&mut Sums<N>, &[View<'_>], usize);

fn bound<const N: usize>(add: Add<N>, finish: Finish<N>) -> BoundAggregate {
    let mut states = vec![Type::Int64];
    states.resize(N + 1, sum_type());
    BoundAggregate::strict(Type::Float64, states, move || Moments { groups: Vec::new(), add, finish })
}

fn add_powers(sums: &mut Sums<4>, arguments: &[View<'_>], row: usize) {
    let value = arguments[0].fixed::<f64>().get(row);
    let square = value * value;
    sums.sums[0].add(value);
    sums.sums[1].add_product(value, value);
    sums.sums[2].add_product(square, value);
    sums.sums[3].add_product(square, square);
}

fn add_products(sums: &mut Sums<5>, arguments: &[View<'_>], row: usize) {
    let (y, x) = (arguments[0].fixed::<f64>().get(row), arguments[1].fixed::<f64>().get(row));
    sums.sums[0].add(y);
    sums.sums[1].add_product(y, y);
    sums.sums[2].add(x);
    sums.sums[3].add_product(x, x);
    sums.sums[4].add_product(x, y);
}

/// `sum(a*b) - sum(a) * sum(b) / n`, with the cancellation done on pairs of doubles.
fn centered(count: i64, products: &MomentSum, left: &MomentSum, right: &MomentSum) -> f64 {
    if count == 0 {
        return 0.0;
    }
    let n = count as f64;
    let ((a, a_low), (b, b_low)) = (left.finish_pair(), right.finish_pair());
    if !(a.is_finite() && b.is_finite()) {
        return f64::NAN;
    }
    let mut difference = MomentSum::new();
    let (high, low) = products.finish_pair();
    difference.add_product(high, n);
    difference.add_product(low, n);
    difference.add_product(-a, b);
    difference.add_product(-a, b_low);
    difference.add_product(-a_low, b);
    difference.finish() / n
}

fn spread(count: i64, sum: &MomentSum, squares: &MomentSum) -> f64 {
    let spread = centered(count, squares, sum, sum);
    // Rounding may leave a constant column a breath below zero.
    if spread < 0.0 { 0.0 } else { spread }
}

fn over(total: f64, count: i64, less: i64) -> Option<f64> {
    (count > less).then(|| total / (count - less) as f64)
}

fn ratio(above: f64, below: f64) -> Option<f64> {
    (below != 0.0).then(|| above / below)
}

impl Sums<5> {
    fn joint(&self) -> f64 {
        centered(self.count, &self.sums[4], &self.sums[2], &self.sums[0])
    }

    fn spread_x(&self) -> f64 {
        spread(self.count, &self.sums[2], &self.sums[3])
    }

    fn spread_y(&self) -> f64 {
        spread(self.count, &self.sums[0], &self.sums[1])
    }
}

fn correlation(sums: &Sums<5>) -> Option<f64> {
    let scale = sums.spread_x().sqrt() * sums.spread_y().sqrt();
    if sums.count < 2 {
        return None;
    }
    Some((sums.joint() / scale).clamp(-1.0, 1.0))
}

fn skewness(sums: &Sums<4>) -> Option<f64> {
    if sums.count < 3 {
        return None;
    }
    let n = sums.count as f64;
    let [s1, s2, s3, _] = sums.sums.each_ref().map(MomentSum::finish);
    let inverse = 1.0 / n;
    let variance = spread(sums.count, &sums.sums[0], &sums.sums[1]) * inverse;
    if variance == 0.0 {
        return Some(f64::NAN);
    }
    let mean = s1 * inverse;
    let third = inverse * (s3 - 3.0 * s2 * mean + 3.0 * s1 * mean * mean) - mean * mean * mean;
    Some((n * (n - 1.0)).sqrt() / (n - 2.0) * third / (variance * variance.sqrt()))
}

/// Second and fourth central moments.
fn even_moments(sums: &Sums<4>) -> (f64, f64) {
    let inverse = 1.0 / sums.count as f64;
    let [s1, s2, s3, s4] = sums.sums.each_ref().map(MomentSum::finish);
    let mean = s1 * inverse;
    let square = mean * mean;
    let fourth = inverse * (s4 - 4.0 * s3 * mean + 6.0 * s2 * square - 4.0 * s1 * square * mean) + square * square;
    (spread(sums.count, &sums.sums[0], &sums.sums[1]) * inverse, fourth)
}

fn kurtosis(sums: &Sums<4>) -> Option<f64> {
    if sums.count < 4 {
        return None;
    }
    let n = sums.count as f64;
    let (second, fourth) = even_moments(sums);
    if second == 0.0 {
        return Some(f64::NAN);
    }
    let biased = fourth / (second * second) - 3.0;
    Some((n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * biased + 6.0))
}

fn kurtosis_pop(sums: &Sums<4>) -> Option<f64> {
    if sums.count < 2 {
        return None;
    }
    let (second, fourth) = even_moments(sums);
    Some(fourth / (second * second) - 3.0)
}

struct Moments<const N: usize> {
    groups: Vec<Sums<N>>,
    add: Add<N>,
    finish: Finish<N>,
}

impl<const N: usize> Accumulator for Moments<N> {
    fn resize(&mut self, groups: usize) {
        let empty = || Sums { count: 0, sums: std::array::from_fn(|_| MomentSum::new()) };
        self.groups.resize_with(groups, empty);
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        rows.for_each(|row| {
            let held = &mut self.groups[groups[row] as usize];
            held.count += 1;
            (self.add)(held, arguments, row);
        });
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let counts = states[0].fixed::<i64>();
        for (row, &group) in groups.iter().enumerate() {
            let held = &mut self.groups[group as usize];
            held.count += counts.get(row);
            held.sums.iter_mut().zip(&states[1..]).for_each(|(sum, state)| sum.merge(&read_sum(state, row)));
        }
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        for (row, &group) in groups.iter().enumerate() {
            let held = &self.groups[group as usize];
            output[0].fixed::<i64>()[row] = held.count;
            held.sums.iter().zip(&mut output[1..]).for_each(|(sum, column)| write_sum(column, row, sum));
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        for (row, &group) in groups.iter().enumerate() {
            match (self.finish)(&self.groups[group as usize]) {
                Some(value) => output.fixed::<f64>()[row] = value,
                None => output.set_null(row),
            }
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.groups.capacity() * size_of::<Sums<N>>()
    }
}
