//! Crosses, against their definitions.

use crate::answers::{Answers, check_examples};

#[test]
fn hashes_of_tuples_are_chained() {
    Answers::new().check(
        r#"
    hash_cross(1000, 'a') = hash_bucket('a', 1000) -> true
    hash_cross(1000000, 1, 1) = hash_cross(1000000, 2, 2) -> false
    hash_cross(1000000, 1, NULL) = hash_cross(1000000, NULL, 1) -> false
    hash_cross(1000000, 'ab', 'c') = hash_cross(1000000, 'a', 'bc') -> false
    hash_cross(1000000, 0.0::double) = hash_cross(1000000, -0.0::double) -> true
    hash_cross(1000000, 1::tinyint, 'x') = hash_cross(1000000, 1::bigint, 'x') -> true
    hash_cross(1, 'a', 2, NULL) -> 0 :: BIGINT
    hash_cross(0, 'a') -> ERR at least 1
    hash_cross(5, [1]) -> ERR expected a text, number, date or time
    list_extract(cartesian([1, 2], [3]), 2) = list_extract(id_ngram([2, 3], 2), 1) -> true
    length(cartesian([1, NULL], ['a'])) -> 2
    cartesian([]::int[], [1]) -> []
    cartesian([1], [1], -1) -> ERR at least 0
    cartesian(NULL::int[], [1]) -> NULL
    id_ngram([1, 2], 3) -> []
    length(id_ngram([1, NULL, 3], 1)) -> 3
    id_ngram([1], 0) -> ERR at least 1
        "#,
    );
}

#[test]
fn texts_are_joined() {
    Answers::new().check(
        r#"
    ngrams(['a', 'b'], 1, 3) -> [a, a b, b]
    ngrams(['a', NULL, 'b'], 2, 2) -> [a b]
    ngrams(['a'], 2, 2) -> []
    ngrams(['a'], 2, 1) -> ERR 1 <= low <= high
    ngrams(NULL, 1, 1) -> NULL
    feature_cross({'x': 1, 'y': 'b'}) -> {'x_y': 1_b}
    feature_cross({'x': 1, 'y': 'b', 'z': true}, 3) -> {'x_y': 1_b, 'x_z': 1_true, 'y_z': b_true, 'x_y_z': 1_b_true}
    feature_cross({'x': NULL::int, 'y': 'b'}) -> {'x_y': NULL}
    feature_cross({'x': 1}, 5) -> ERR expected 2, 3 or 4
        "#,
    );
}

#[test]
fn combinations_take_one_value_or_several() {
    Answers::new().check(
        r#"
    combo('a') -> [a] :: VARCHAR[]
    combo(['a', 'b'], [1, 2]) -> [a_1, a_2, b_1, b_2]
    combo(['a', NULL], 'x') -> [a_x]
    combo(NULL::varchar, 'x') -> []
    combo([]::int[], 'x') -> []
    combo([1.5]::double[1], true) -> [1.5_true]
    combo({'a': 1}, 'x') -> ERR expected values, or lists of them
    combo(range(200), range(200)) -> ERR more than 10000 combinations
        "#,
    );
}

#[test]
fn examples_hold() {
    check_examples(&["cross"]);
}
