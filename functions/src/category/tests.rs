//! Categories as indexes, against the layouts they follow.

use crate::answers::{Answers, check_examples};

#[test]
fn vocabularies_follow_their_layouts() {
    Answers::new().check(
        r#"
    vocab_lookup('a', ['a', 'b']) -> 0 :: BIGINT
    vocab_lookup(NULL, ['a', 'b']) -> NULL
    vocab_lookup('z', ['a', 'b'], 0, 7) -> 7
    vocab_lookup('z', ['a', 'b'], 1) -> 2
    vocab_lookup('z', ['a', 'b'], 100) = 2 + hash_bucket('z', 100) -> true
    vocab_lookup(8, [7, 8]) -> 1
    vocab_lookup([8, NULL, 9]::bigint[], [7, 8]) -> [1, NULL, -1]
    vocab_lookup(['Hello', 'world'], ['<unk>', 'Hello', 'world', 'How', 'are', 'you!'], 0, 0) -> [1, 2]
    vocab_lookup('a', ['a', 'b'], 0, NULL, 'bigquery') -> 1
    vocab_lookup('z', ['a', 'b'], 0, NULL, 'bigquery') -> 0
    vocab_lookup(NULL, ['a', 'b'], 0, NULL, 'sklearn') -> 0
    vocab_lookup('a', ['a', 'b'], 0, NULL, 'nvtabular') -> 3
    vocab_lookup('a', ['a', 'b'], 4, NULL, 'nvtabular') -> 6
    vocab_lookup(NULL, ['a', 'b'], 4, NULL, 'nvtabular') -> 1
    vocab_lookup([NULL, 'b'], ['a', 'b'], 0, NULL, 'nvtabular') -> [1, 4]
    vocab_lookup('a', []::text[]) -> -1
    vocab_lookup('a', ['a', 'a']) -> ERR entry 2 twice
    vocab_lookup('a', ['a', NULL]) -> ERR holds a null
    vocab_lookup('a', ['a'], -1) -> ERR at least 0
    vocab_lookup('a', ['a'], 0, NULL, 'spark') -> ERR expected 'tft'
        "#,
    );
}

#[test]
fn ids_are_mapped_or_dropped() {
    Answers::new().check(
        r#"
    map_id(9, [7, 8], [1, 2]) -> NULL
    map_id(9, [7, 8], [1, 2], 5) -> 5
    map_id(NULL, [7, 8], [1, 2], 5) -> NULL
    map_id([8, 9, NULL, 7], [7, 8], [1, 2]) -> [2, NULL, NULL, 1]
    map_id([8, 9, NULL, 7], [7, 8], [1, 2], keep => 'known') -> [2, NULL, 1]
    map_id(NULL::bigint[], [7], [1]) -> NULL
    map_id(1, [7, 7], [1, 2]) -> ERR 7 twice
    map_id(1, [7], [1, 2]) -> ERR 2 values for 1 ids
        "#,
    );
}

#[test]
fn indicators_mark_their_places() {
    Answers::new().check(
        r#"
    one_hot(0, 2) -> [1.0, 0.0] :: FLOAT[2]
    one_hot(-1, 2) -> [0.0, 0.0]
    one_hot(2, 2) -> [0.0, 0.0]
    one_hot(NULL, 2) -> NULL
    one_hot(1, 0) -> ERR from 1 to
    multi_hot([]::bigint[], 2) -> [0.0, 0.0]
    multi_hot([1, NULL], 2) -> [0.0, 1.0]
    multi_hot(NULL, 2) -> NULL
        "#,
    );
}

#[test]
fn indicators_may_be_sparse() {
    Answers::new().check(
        r#"
    sparse_one_hot(NULL) -> [{'index': 0, 'value': 1.0}]
    sparse_one_hot(3, 2) -> [{'index': 3, 'value': 1.0}]
    sparse_one_hot(vocab_lookup('c', ['a', 'c'], layout => 'bigquery')) -> [{'index': 2, 'value': 1.0}]
        "#,
    );
}

#[test]
fn statistics_encode_categories() {
    Answers::new().check(
        r#"
    count_encode('a', ['a', 'b'], [7, 3]) -> 7 :: BIGINT
    count_encode('z', ['a', 'b'], [7, 3]) -> 0
    count_encode('z', ['a', 'b'], [7, 3], default => -1) -> -1
    count_encode(NULL::varchar, ['a'], [7]) -> NULL
    count_encode(5, [5, 6], [1, 2]) -> 1
    count_encode([6, NULL, 9]::bigint[3], [5, 6], [1, 2]) -> [2, NULL, 0] :: BIGINT[3]
    count_encode(['b'], ['a', 'b'], [7, 3]) -> [3]
    count_encode('a', ['a', 'a'], [7, 3]) -> ERR entry 2 twice
    count_encode('a', ['a', NULL], [7, 3]) -> ERR holds a null
    count_encode('a', ['a'], [7, 3]) -> ERR 2 values for 1 categories
    count_encode('a', ['a'], [NULL::bigint]) -> ERR holds a null
    count_encode('a', NULL::varchar[], [1]) -> ERR constant list
    target_encode('b', ['a', 'b'], [6, 0], [10, 5], 0.3) -> 0.24 :: DOUBLE
    target_encode('b', ['a', 'b'], [6, 1], [10, 5], 0.3, 0) -> 0.2
    target_encode(NULL::varchar, ['a'], [6], [10], 0.3) -> NULL
    target_encode(['a', NULL, 'z'], ['a'], [6], [10], 0.3) -> [0.4, NULL, 0.3]
    target_encode(1, [1], [6], [10], NULL) -> NULL
    target_encode([1, 2, NULL], [1], [6], [10], NULL, 0) -> NULL
    target_encode(1, [1], [6], [10], 0.3, NULL) -> ERR constant number
    smoothed_mean(6, 10, 0.3, 20) -> 0.4
    smoothed_mean(NULL, 10, 0.3, 20) -> NULL
    smoothed_mean(0, 0, 0.3, 0) -> nan
    -- Label encoding as ML.LABEL_ENCODER with top_k 2: null and what was cut off give 0.
    vocab_lookup([NULL, 'a', 'b', 'b', 'c', 'c', 'c', 'd', 'd'], ['b', 'c'], layout => 'bigquery') -> [0, 0, 1, 1, 2, 2, 2, 0, 0]
        "#,
    );
}

#[test]
fn examples_hold() {
    check_examples(&["category"]);
}
