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
fn examples_hold() {
    check_examples(&["category"]);
}
