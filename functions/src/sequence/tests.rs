//! Functions of sequences, against their definitions.

use crate::answers::{Answers, check_examples};

#[test]
fn sequences_are_brought_to_one_length() {
    Answers::new().check(
        r#"
    seq_truncate([1, 2, 3], 5) -> [1, 2, 3] :: INTEGER[]
    seq_truncate([1, NULL, 3], 2, 'left') -> [NULL, 3]
    seq_truncate([1], 0) -> []
    seq_truncate([1], -1) -> ERR at least 0
    seq_truncate([1], 1, 'up') -> ERR expected 'left' or 'right'
    pad_to([1, 2, 3], 2, 0) -> [1, 2] :: INTEGER[2]
    pad_to([1, 2, 3], 2, 0, 'left') -> [2, 3]
    pad_to(['a'], 2, 'z') -> [a, z] :: VARCHAR[2]
    pad_to([1], 3, NULL) -> [1, NULL, NULL]
    pad_to([]::int[], 2, 9) -> [9, 9]
    pad_to(NULL::int[], 2, 9) -> NULL
    pad_to([1, NULL], 3, 0) -> [1, NULL, 0]
    pad_to([1], 0, 9) -> ERR from 1 to
    seq_mask([1, NULL], 3) -> [1, 1, 0] :: TINYINT[3]
    seq_mask([]::int[], 2) -> [0, 0]
    seq_mask([1, 2, 3], 2, 'left') -> [1, 1]
    add_tokens([3, 4, 5], [0], true) -> [0, 3, 4, 5]
    add_tokens(['b'], ['a', NULL], true) -> [a, NULL, b]
    add_tokens(NULL::int[], [1], true) -> NULL
        "#,
    );
}

#[test]
fn histories_are_read() {
    Answers::new().check(
        r#"
    seq_dedup_consecutive([NULL, NULL, 1, 1, NULL]) -> [NULL, 1, NULL]
    seq_dedup_consecutive([]::int[]) -> []
    seq_distinct_ratio([]::int[]) -> NULL
    seq_distinct_ratio([NULL, 1, 1]) -> 0.5
    seq_time_gaps([5, NULL, 7, 9]) -> [NULL, NULL, NULL, 2]
    seq_time_gaps([timestamp '2020-01-01 00:00:00', timestamp '2020-01-01 00:00:01']) -> [NULL, 1000000] :: BIGINT[]
    seq_time_gaps([-9223372036854775808, 9223372036854775807]) -> ERR does not fit BIGINT
    seq_decayed_sum([1, 1], [0, 30], 20, 10) -> 0.25
    seq_decayed_sum([]::double[], []::bigint[], 20, 10) -> 0.0
    seq_decayed_sum([1, NULL], [20, 20], 20, 10) -> 1.0
    seq_decayed_sum([1], [1, 2], 20, 10) -> ERR another length
    seq_decayed_sum([1], [1], 20, 0) -> ERR above 0
    seq_decayed_sum([2], [timestamp '2020-01-01 00:00:00'], timestamp '2020-01-01 01:00:00', 3600) -> 1.0
    seq_target_filter([1, 2, 3], [NULL, 5, 5], 5, 9) -> [2, 3]
    seq_target_filter(['x', 'y'], ['a', 'b'], 'c', 9) -> []
    seq_target_filter([1], ['a'], NULL, 1) -> NULL
    seq_target_filter([1, 2], ['a'], 'a', 1) -> ERR 1 categories for 2 events
        "#,
    );
}

#[test]
fn examples_hold() {
    check_examples(&["sequence"]);
}
