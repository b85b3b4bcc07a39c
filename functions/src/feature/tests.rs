//! Feature functions, against their definitions.

use crate::answers::{Answers, check_examples};

#[test]
fn features_follow_their_definitions() {
    Answers::new().check(
        r#"
    bucketize(0, [1, 5, 10]) -> 0 :: INTEGER
    bucketize(10, [1, 5, 10]) -> 3
    bucketize(10, [1, 5, 10], 'right') -> 2
    bucketize(10.0::float, [1, 5, 10]) -> 3
    bucketize('nan'::double, [1, 5, 10]) -> 3
    bucketize(NULL::int, [1, 5]) -> NULL
    bucketize(3, []::double[]) -> 0
    bucketize(3, NULL::double[]) -> NULL
    bucketize(3, [5, 1]) -> ERR do not decrease
    bucketize(3, [1, NULL]) -> ERR null
    bucketize(3, [1], 'middle') -> ERR expected 'left' or 'right'
    bucketize([1, 7]::float[2], [1, 5]) -> [1, 2] :: INTEGER[2]
    bucketize([]::double[], [1.5]) -> []
    bucketize([1, 2, NULL]::bigint[], [2]) -> [0, 1, NULL] :: INTEGER[]
    sigrid_hash([1, NULL, 2], 0, 1) -> [0, NULL, 0] :: BIGINT[]
    sigrid_hash(1, 0, 0) -> ERR at least 1
    sigrid_hash(-5, 3, 100) < 100 -> true
    sigrid_hash([5, 6], 7, 1000) = [sigrid_hash(5, 7, 1000), sigrid_hash(6, 7, 1000)] -> true
    clamp(-1, 0, 10) -> 0 :: INTEGER
    clamp(0.5::float, 0, 1) -> 0.5 :: FLOAT
    clamp('nan'::double, 0, 1) -> nan
    clamp(NULL::int, 0, 1) -> NULL
    clamp(date '2020-01-01', date '2021-01-01', date '2022-01-01') -> 2021-01-01 :: DATE
    clamp([5, NULL, -5], 0, 1) -> [1, NULL, 0] :: INTEGER[]
    clamp([5.0, 0.5]::double[2], 0, 1) -> [1.0, 0.5] :: DOUBLE[2]
    clamp('a', 'b', 'c') -> ERR expected numbers
    positive_modulus(7, 3) -> 1 :: BIGINT
    positive_modulus(7, 0) -> ERR at least 1
    positive_modulus(-9223372036854775808, 10) -> 2
    positive_modulus([-1, NULL], 3) -> [2, NULL]
    sigmoid(0::float) -> 0.5 :: FLOAT
    sigmoid('-inf'::double) -> 0.0
    sigmoid(1000) -> 1.0
    logit(0) -> -inf
    logit(1) -> inf
    logit(2) -> nan
    logit(1, 0.25) -> 1.0986122886681098
    fill_nan(1.5::float, 0) -> 1.5 :: FLOAT
    fill_nan(NULL::double, 0) -> NULL
    fill_null('a', 'b') -> a
    is_missing(1) -> false
    is_missing('x') -> false
    boxcox(-1, 0.5) -> nan
    boxcox(0, 0.5) -> -2.0
    boxcox(0, 0) -> -inf
    boxcox(9::float, 0.5::float) -> 4.0 :: FLOAT
    yeo_johnson(0, 0) -> 0.0
    yeo_johnson(-3, 2) = -ln(4) -> true
    firstx([1, 2], 5) -> [1, 2]
    firstx([1, NULL, 3], 2) -> [1, NULL]
    lastx([1, 2, 3], 0) -> []
    lastx(['a', 'b'], 1) -> [b]
    firstx([1], -1) -> ERR at least 0
    signed_log1p(-1) = -log1p(1) -> true
"#,
    );
}

#[test]
fn scaling_follows_the_systems_it_is_named_after() {
    Answers::new().check(
        r#"
    standard_scale(7.0::float, 5.0::float, 2.0::float) -> 1.0 :: FLOAT
    standard_scale(7, 5, 0) -> 2.0
    standard_scale(7, 5, 0, 'nvtabular') -> 2.0
    standard_scale(7, 5, 0, 'torcharrow') -> 7.0
    standard_scale(7, 5, 0, 'spark') -> 0.0
    standard_scale(7, 5, 0, 'r') -> ERR is "r"; expected 'sklearn'
    standard_scale(NULL::double, 5, 2) -> NULL
    standard_scale(7, NULL::double, 2) -> NULL
    standard_scale('nan'::double, 0, 1) -> nan
    standard_scale([1.0, NULL, 5.0]::float[3], 1, 2) -> [0.0, NULL, 2.0] :: FLOAT[3]
    standard_scale([]::double[], 1, 2) -> []
    min_max_scale([1, 2, 3, 4, 5]::double[], 1, 5) -> [0.0, 0.25, 0.5, 0.75, 1.0] :: DOUBLE[]
    min_max_scale(9, 1, 5) -> 2.0
    min_max_scale(9, 1, 5, true) -> 1.0
    min_max_scale(-9, 1, 5, compat => 'bigquery') -> 0.0
    min_max_scale('nan'::double, 1, 5, true) -> nan
    min_max_scale(3, 3, 3) -> 0.0
    min_max_scale(0, 3, 3, false, 'tft') -> 0.5
    min_max_scale(2, 3, 3, compat => 'torcharrow') = sigmoid(2) -> true
    min_max_scale(7, 3, 3, compat => 'spark') -> 0.5
    min_max_scale(7, 3, 3, compat => 'nvtabular') -> 0.5
    min_max_scale(0, 3, 3, compat => 'nvtabular') -> nan
    min_max_scale(0, 3, 3, NULL) -> ERR must be true or false
    max_abs_scale([-4.0, 2.0], 4) -> [-1.0, 0.5]
    max_abs_scale(3, 0) -> 3.0
    robust_scale([NULL, -3, 1, 2, 3, 4, 5]::double[], 2, 1, 4) -> [NULL, -1.6666666666666667, -0.3333333333333333, 0.0, 0.3333333333333333, 0.6666666666666666, 1.0]
    robust_scale(5, 2, 3, 3) -> 3.0
        "#,
    );
}

#[test]
fn buckets_take_missing_values_as_told() {
    Answers::new().check(
        r#"
    bucketize('nan'::double, [1, 5], nan => 'extra') -> 3 :: INTEGER
    bucketize('nan'::double, [1, 5], nan => 'null') -> NULL
    bucketize('nan'::double, [1, 5], nan => 'error') -> ERR argument 1 is NaN
    bucketize(5.0::float, [1, 5], nan => 'error') -> 2
    bucketize(NULL::int, [1, 5], nulls => 'extra') -> 3
    bucketize(3, [1, 1e30], nulls => 'extra') -> 1
    bucketize(NULL::int, [1, 1e30], nulls => 'extra') -> 3
    bucketize(NULL::double, NULL::double[], nulls => 'extra') -> NULL
    bucketize(['nan'::double, NULL, 0], [1, 5], nan => 'extra', nulls => 'extra') -> [3, 3, 0] :: INTEGER[]
    bucketize(['nan'::double, NULL, 9], [1, 5], nan => 'null') -> [NULL, NULL, 2]
    bucketize([1, 'nan'::double], [1, 5], nan => 'error') -> ERR argument 1 is NaN
    bucketize([1.0, NULL]::double[2], [1, 5], nulls => 'extra') -> [1, 3] :: INTEGER[2]
    bucketize(1, [1], nan => 'first') -> ERR expected 'last', 'extra'
    bucketize(1, [1], nulls => 'last') -> ERR expected 'null' or 'extra'
    list_bucketize([1.5, 2.5, 150], [1, 10, 100], 'right') -> [1, 1, 3]
    bucketize([1, 2, 150], [1, 10, 100], 'right') -> [0, 1, 3]
    bucketize([1, 2, 3], [2], 'right') -> [0, 0, 1]
    bucket_label(2.5, [1, 2, 3]) -> bin_3 :: VARCHAR
    bucket_label(2.5, [1, 2, 3], 'bucket_names', true) -> bin_2
    bucket_label(0, [1.5], 'bucket_ranges') -> (-inf, 1.5)
    bucket_label(2, [1, 2], 'bucket_ranges', closed => 'right') -> (1.0, 2.0]
    bucket_label(9, [1, 2], 'bucket_ranges') -> [2.0, +inf)
    bucket_label(0, [1.5], 'bucket_ranges_json') -> {"start": "-Infinity", "end": "1.5"}
    bucket_label(0, []::double[]) -> bin_1
    bucket_label(5, [1], exclude_boundaries => true) -> bin_1
    bucket_label(NULL::double, [1]) -> NULL
    bucket_label(1, [1, NULL]) -> ERR holds a null
    bucket_label(1, [1], 'bins') -> ERR expected 'bucket_names'
    bucket_label(1, [2, 1]) -> ERR do not decrease
    quantile_rank(9, [10, 20, 40]) -> 0.0
    quantile_rank(10, [10, 20, 40]) -> 0.0
    quantile_rank(20, [10, 20, 40]) -> 0.5
    quantile_rank(40, [10, 20, 40]) -> 1.0
    quantile_rank('nan'::double, [10, 20]) -> 0.5
    quantile_rank('inf'::double, [10, 20]) -> 1.0
    quantile_rank(3, [3]) -> 1.0
    quantile_rank(2, [3]) -> 0.0
    quantile_rank(5, [1, 5, 5, 9]) = 2.0 / 3 -> true
    quantile_rank(1, []::double[]) -> ERR at least one border
    quantile_rank([1, NULL]::double[], [0, 2]) -> [0.5, NULL]
        "#,
    );
}

#[test]
fn dense_transforms_take_lists() {
    Answers::new().check(
        r#"
    logit([0.5, NULL, 1.0]) -> [0.0, NULL, inf]
    logit([0.0]::float[1], 0.25) = [logit(0.25::float)] -> true
    sigmoid([0.0, NULL]::float[]) -> [0.5, NULL] :: FLOAT[]
    boxcox([4.0, 1.0], 0.5) -> [2.0, 0.0]
    yeo_johnson([3.0, -3.0], 1) -> [3.0, -3.0]
    signed_log1p([0.0]) -> [0.0]
    log1p_clip(1.0::float) = log1p(1.0::float) -> true
    log1p_clip(NULL::double) -> NULL
    log1p_clip('nan'::double) -> nan
    fill_nan(['nan'::double, NULL, 2], 7) -> [7.0, NULL, 2.0]
    fill_null([1, NULL], 0) -> [1, 0] :: INTEGER[]
    fill_null(NULL::int[], 0) -> NULL
    fill_null([NULL, 'b'], 'a') -> [a, b]
    fill_null([1, NULL], NULL::int) -> [1, NULL]
    fill_null(NULL::int[], [3]) -> [3]
    clamp(5, NULL, 3) -> 3 :: INTEGER
    clamp(5, 7, NULL) -> 7
    clamp(5.5, NULL::double, NULL) -> 5.5
    clamp(5, 10, 0) -> ERR lower bound that is not above
    clamp([5, NULL, -5], NULL, 1) -> [1, NULL, -5]
    clamp(NULL::int[], 0, 1) -> NULL
    clamp([1]::int[1], 3, 2) -> ERR lower bound that is not above
    clamp([0, 1, 2, 3], 0, 20) -> [0, 1, 2, 3]
    clamp([-100, 100, 10], 0, 20) -> [0, 20, 10]
    clamp([0, -1, -2, -3], 0, 20) -> [0, 0, 0, 0]
    clamp(1.5::decimal(4, 1), 0.5::decimal(4, 1), 1.0::decimal(4, 1)) -> 1.0
    cyclical(0, 24) -> {'sin': 0.0, 'cos': 1.0}
    cyclical(18, 24) -> {'sin': -1.0, 'cos': 0.0}
    cyclical(24e15, 24) -> {'sin': 0.0, 'cos': 1.0}
    abs(struct_extract(cyclical(3, 24), 'sin') - sqrt(0.5)) < 1e-15 -> true
    cyclical(NULL::double, 24) -> NULL
    cyclical(1, 0) -> ERR a period above 0
    cyclical('inf'::double, 7) -> {'sin': nan, 'cos': nan}
    polynomial_expand({'a': 2}, 3) -> {'a': 2.0, 'a_a': 4.0, 'a_a_a': 8.0}
    polynomial_expand({'a': 2, 'b': NULL::int}) -> {'a': 2.0, 'a_a': 4.0, 'a_b': NULL, 'b': NULL, 'b_b': NULL}
    polynomial_expand({'a': 2.5::decimal(4, 2)}, 1) -> {'a': 2.5}
    polynomial_expand({'a': 'x'}) -> ERR field "a" of type VARCHAR
    polynomial_expand({'a': 1}, 5) -> ERR from 1 to 4
        "#,
    );
}

#[test]
fn examples_show_what_they_say() {
    check_examples(&["feature"]);
}
