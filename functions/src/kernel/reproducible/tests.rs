//! Order, batches and merges leave the bits alone; values agree with exact arithmetic.

use super::*;

/// A sequence of numbers without visible pattern, shaped by `shape`.
fn values(count: usize, shape: impl Fn(u64) -> f64) -> Vec<f64> {
    (0..count as u64)
        .map(|index| {
            let mixed = (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            shape((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9))
        })
        .collect()
}

/// Columns of different kinds: one size, all sizes, cancelling, tiny, huge, with zeros.
fn columns() -> Vec<Vec<f64>> {
    let unit = |bits: u64| (bits >> 11) as f64 / (1u64 << 53) as f64 - 0.5;
    let any = |bits: u64| Some(f64::from_bits(bits)).filter(|value| value.is_finite()).unwrap_or(1.0);
    let spread = move |bits: u64| unit(bits) * 2f64.powi((bits % 200) as i32 - 100);
    let mut cancelling = values(1000, spread);
    cancelling.extend(values(1000, |bits| -spread(bits)));
    vec![
        values(3000, unit),
        values(3000, spread),
        values(3000, any),
        cancelling,
        values(1000, |bits| f64::from_bits(bits >> 12)),
        values(1000, |bits| unit(bits) * 2f64.powi(1020)),
        values(1000, |bits| unit(bits) * 2f64.powi(980)),
        vec![0.0, -0.0, 1.0],
        vec![1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0],
        vec![f64::MAX, f64::MAX, -f64::MAX],
        vec![],
    ]
}

/// The order of `values`, changed by a stride.
fn shuffled(values: &[f64]) -> Vec<f64> {
    let stride = (values.len() / 2..).find(|stride| gcd(*stride, values.len()) <= 1).unwrap_or(1);
    (0..values.len()).map(|index| values[index * stride % values.len()]).collect()
}

fn gcd(left: usize, right: usize) -> usize {
    if right == 0 { left } else { gcd(right, left % right) }
}

fn words<N: Narrow>(state: &Reproducible<N>) -> Vec<u64> {
    let mut words = vec![0; Reproducible::<N>::WORDS];
    state.to_words(&mut words);
    words
}

/// Asserts that a state of rows is the same for any order, any cut and any tree of merges, and when stored.
fn assert_independent_of_order<N: Narrow>(rows: &[N::Row], reordered: &[N::Row]) {
    let state_of = |rows: &[N::Row]| {
        let mut state = Reproducible::<N>::default();
        rows.iter().for_each(|&row| state.add(row));
        state
    };
    let expected = words(&state_of(rows));
    assert_eq!(words(&state_of(reordered)), expected);
    for parts in [2, 3, 7] {
        let size = rows.len().div_ceil(parts).max(1);
        let mut merged = Reproducible::<N>::default();
        for part in reordered.chunks(size).rev() {
            let stored = words(&state_of(part));
            merged.merge(&Reproducible::from_words(&stored).unwrap());
        }
        assert_eq!(words(&merged), expected);
    }
    let mut widened = state_of(&rows[..rows.len() / 2]);
    widened.widen();
    rows[rows.len() / 2..].iter().for_each(|&row| widened.add(row));
    assert_eq!(words(&widened), expected);
    assert_eq!(widened.rows(), rows.len() as u64);
}

#[test]
fn slices_of_pairs_add_what_their_rows_add() {
    let mut columns = columns();
    columns.push(vec![f64::NAN, 1.0, f64::INFINITY]);
    for left in &columns {
        for right in &columns {
            let rows: Vec<(f64, f64)> = left.iter().copied().zip(right.iter().copied()).collect();
            let (x, y): (Vec<f64>, Vec<f64>) = rows.iter().copied().unzip();
            let (mut one_by_one, mut together) = (Comoments::default(), Comoments::default());
            rows.iter().for_each(|&row| one_by_one.add(row));
            together.add_slices(&x, &y);
            assert_eq!(words(&one_by_one), words(&together));
        }
    }
}

#[test]
fn states_depend_on_the_set_of_rows_only() {
    for column in columns() {
        let other = shuffled(&column);
        assert_independent_of_order::<NarrowSum>(&column, &other);
        assert_independent_of_order::<NarrowMoments>(&column, &other);
        assert_independent_of_order::<NarrowPowerSums>(&column, &other);
        let pair =
            |values: &[f64]| values.iter().map(|&value| (value, value * 0.5 + 1.0)).collect::<Vec<_>>();
        assert_independent_of_order::<NarrowComoments>(&pair(&column), &pair(&other));
    }
}

#[test]
fn slices_give_the_state_of_their_values() {
    for mut column in columns() {
        for special in [None, Some(f64::INFINITY), Some(f64::NAN)] {
            if let Some(special) = special {
                column.push(special);
            }
            let (mut sum, mut slice_sum) = (Sum::default(), Sum::default());
            let (mut moments, mut slice_moments) = (Moments::default(), Moments::default());
            column.iter().for_each(|&value| sum.add(value));
            column.iter().for_each(|&value| moments.add(value));
            slice_sum.add_slice(&column);
            slice_moments.add_slice(&column);
            assert_eq!(words(&slice_sum), words(&sum));
            assert_eq!(words(&slice_moments), words(&moments));
        }
    }
}

/// The sum in exact arithmetic, of values whose bits all lie between 2^-200 and 2^250.
fn exact_sum(values: &[f64]) -> f64 {
    let add = |sum: wide_integer::WideInteger, value: &f64| {
        let exponent = ((value.to_bits() >> 52) & 0x7ff) as i32;
        let mantissa = ((value.to_bits() & 0x000f_ffff_ffff_ffff) | (1 << 52)) as i128;
        let signed = if *value < 0.0 { -mantissa } else { mantissa };
        sum.add(&wide_integer::WideInteger::shifted(signed, (exponent - 1075 + 200) as u32))
    };
    values.iter().filter(|value| **value != 0.0).fold(wide_integer::WideInteger::ZERO, add).to_f64(-200)
}

#[test]
fn sums_are_within_the_stated_bound_of_the_exact_sum() {
    for column in columns() {
        let largest = column.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        if column.iter().any(|value| *value != 0.0 && !(1e-40..1e60).contains(&value.abs())) {
            continue;
        }
        let mut sum = Sum::default();
        sum.add_slice(&column);
        let exact = exact_sum(&column);
        let bound = column.len() as f64 * largest * 2f64.powi(-64) + exact.abs() * f64::EPSILON / 2.0;
        assert!((sum.finish() - exact).abs() <= bound, "{} {exact}", sum.finish());
    }
}

#[test]
fn sums_of_known_values() {
    let sum = |values: &[f64]| {
        let mut sum = Sum::default();
        sum.add_slice(values);
        sum.finish()
    };
    assert_eq!(sum(&[0.1; 10]), 1.0);
    assert_eq!(sum(&[1e16, 1.0, -1e16]), 1.0);
    assert_eq!(sum(&[f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
    assert_eq!(sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
    assert_eq!(sum(&[5e-324, 5e-324]), 1e-323);
    assert_eq!(sum(&[1.0, f64::INFINITY]), f64::INFINITY);
    assert_eq!(sum(&[f64::NEG_INFINITY, 1.0]), f64::NEG_INFINITY);
    assert!(sum(&[f64::NEG_INFINITY, f64::INFINITY]).is_nan());
    assert!(sum(&[f64::NAN, 1.0]).is_nan());
    assert_eq!(sum(&[-0.0]).to_bits(), 0);
    assert_eq!(sum(&[]).to_bits(), 0);
    assert_eq!(sum(&[1.0, -1.0]).to_bits(), 0);
}

#[test]
fn means_do_not_overflow() {
    let mut sum = Sum::default();
    assert!(sum.mean().is_nan());
    sum.add_slice(&[f64::MAX, f64::MAX]);
    assert_eq!(sum.mean(), f64::MAX);
    let mut sum = Sum::default();
    sum.add_slice(&[1.0, 2.0, 4.0]);
    assert_eq!(sum.mean(), 7.0 / 3.0);
    sum.add(f64::INFINITY);
    assert_eq!(sum.mean(), f64::INFINITY);
}

#[test]
fn variance_survives_a_mean_far_from_zero() {
    for offset in [0.0, 1e9, -1e12, 1e15] {
        let mut moments = Moments::default();
        moments.add_slice(&[offset + 1.0, offset + 2.0, offset + 3.0, offset + 4.0]);
        assert_eq!(moments.variance(0), 1.25);
        assert_eq!(moments.variance(1), 5.0 / 3.0);
        assert_eq!(moments.standard_deviation(0), 1.25f64.sqrt());
        assert_eq!(moments.mean(), offset + 2.5);
    }
}

#[test]
fn variance_of_a_constant_is_zero_and_of_too_few_rows_nan() {
    let mut moments = Moments::default();
    assert!(moments.variance(0).is_nan());
    moments.add(0.1);
    assert_eq!(moments.variance(0), 0.0);
    assert!(moments.variance(1).is_nan());
    (0..999).for_each(|_| moments.add(0.1));
    assert_eq!(moments.variance(1), 0.0);
    moments.add(f64::INFINITY);
    assert!(moments.variance(1).is_nan());
    let mut tiny = Moments::default();
    tiny.add_slice(&[1e-200, 1e-200, 1e-200]);
    assert_eq!(tiny.variance(0), 0.0);
}

#[test]
fn covariance_and_correlation_of_known_values() {
    let (x, y) = ([1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 9.0]);
    let mut comoments = Comoments::default();
    comoments.add_slices(&x, &y);
    assert_eq!(comoments.covariance(0), 2.875);
    assert_eq!(comoments.covariance(1), 11.5 / 3.0);
    assert_eq!(comoments.deviations(), Deviations { xx: 5.0, yy: 26.75, xy: 11.5 });
    assert!((comoments.correlation() - 11.5 / (5.0f64 * 26.75).sqrt()).abs() < 1e-15);
    assert_eq!(comoments.means(), (2.5, 5.25));
    let mut line = Comoments::default();
    line.add_slices(&x, &x.map(|x| 1e9 - 3.0 * x));
    assert_eq!(line.correlation(), -1.0);
    let mut constant = Comoments::default();
    constant.add_slices(&x, &[1.0; 4]);
    assert!(constant.correlation().is_nan());
    assert!(Comoments::default().covariance(0).is_nan());
}

#[test]
fn skewness_and_kurtosis_of_known_values() {
    let mut sums = PowerSums::default();
    sums.add_slice(&[1.0, 2.0, 3.0, 4.0, 10.0]);
    let [variance, skew, flatness] = sums.central_moments();
    assert_eq!([variance, skew, flatness], [10.0, 36.0, 278.8]);
    assert!((sums.skewness() - 1.697_056_274_847_714).abs() < 1e-14);
    assert!((sums.kurtosis() - 3.152).abs() < 1e-12);
    assert!((sums.population_kurtosis() - -0.212).abs() < 1e-12);
    let mut shifted = PowerSums::default();
    shifted.add_slice(&[1.0, 2.0, 3.0, 4.0, 10.0].map(|value| value + 1e6));
    assert!((shifted.skewness() - sums.skewness()).abs() < 1e-9);
    assert!(PowerSums::default().skewness().is_nan());
    let mut constant = PowerSums::default();
    constant.add_slice(&[2.0; 9]);
    assert!(constant.skewness().is_nan() && constant.kurtosis().is_nan());
}

#[test]
fn words_that_no_state_has_are_refused() {
    let mut sum = Sum::default();
    sum.add(1.0);
    let good = words(&sum);
    assert!(Sum::from_words(&good).is_some());
    assert!(Sum::from_words(&good[1..]).is_none());
    for (word, value) in [(1, 1 << 60), (6, 0), (6, 99), (6, 8 << 8), (7, u64::MAX)] {
        let mut bad = good.clone();
        bad[word] = value;
        assert!(Sum::from_words(&bad).is_none(), "{word}");
    }
    assert!(Moments::from_words(&[u64::MAX; Moments::WORDS]).is_none());
    assert!(Comoments::from_words(&vec![u64::MAX; Comoments::WORDS]).is_none());
    assert!(PowerSums::from_words(&vec![u64::MAX; PowerSums::WORDS]).is_none());
}

#[test]
fn a_full_state_widens_and_keeps_its_value() {
    let mut narrow = NarrowSum::EMPTY;
    narrow.add(0.75);
    // Doubling by merges reaches the limit without adding every row.
    let mut sum = Reproducible::Narrow(narrow);
    for _ in 0..40 {
        let copy = sum.clone();
        sum.merge(&copy);
    }
    assert!(matches!(sum, Reproducible::Wide(_)));
    assert_eq!(sum.rows(), 1 << 40);
    assert_eq!(sum.finish(), 0.75 * 2f64.powi(40));
    sum.add_slice(&[0.25, -0.5]);
    assert_eq!(sum.finish(), 0.75 * 2f64.powi(40) - 0.25);
    let stored = words(&sum);
    assert_eq!(words(&Sum::from_words(&stored).unwrap()), stored);
}

#[test]
fn grouped_updates_equal_single_ones() {
    let column = values(1000, |bits| (bits >> 40) as f64 * 0.01);
    let groups: Vec<u32> = (0..1000).map(|row| row * row % 37).collect();
    let mut expected = vec![Sum::default(); 37];
    let mut expected_even = vec![Sum::default(); 37];
    for (row, (&value, &group)) in column.iter().zip(&groups).enumerate() {
        expected[group as usize].add(value);
        if row % 2 == 0 {
            expected_even[group as usize].add(value);
        }
    }
    let mut states = vec![Sum::default(); 37];
    add_grouped(&mut states, &groups, |row| column[row]);
    assert!(states.iter().zip(&expected).all(|(state, expected)| words(state) == words(expected)));
    let mut states = vec![Sum::default(); 37];
    let even: Vec<u32> = (0..1000).step_by(2).collect();
    add_grouped_rows(&mut states, &groups, &even, |row| column[row]);
    assert!(states.iter().zip(&expected_even).all(|(state, expected)| words(state) == words(expected)));
}
