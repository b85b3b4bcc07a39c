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
    clamp(5, 10, 0) -> 0
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
fn examples_show_what_they_say() {
    check_examples(&["feature"]);
}
