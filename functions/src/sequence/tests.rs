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
fn sequences_are_cut_by_positions_from_0() {
    Answers::new().check(
        r#"
    seq_slice([1, 2, 3, 4], 1) -> [2, 3, 4] :: INTEGER[]
    seq_slice([1, 2, 3, 4], -10) -> [1, 2, 3, 4]
    seq_slice([1, 2, 3, 4], 0, -1) -> [1, 2, 3]
    seq_slice([1, 2, 3, 4], 3, 1) -> []
    seq_slice([1, NULL, 3], 1, 9) -> [NULL, 3]
    seq_slice(NULL::int[], 1) -> NULL
    seq_slice([1, 2], NULL::bigint) -> NULL
    seq_slice([1, 2], 1, NULL) -> [2]
    seq_slice(['a'], -3, NULL, 'x') -> [a, x, x]
    seq_slice([1, 2, 3, 4], 2, 6, 0) -> [3, 4, 0, 0]
    seq_slice([1, 2, 3, 4], -3, -1, 0) -> [2, 3]
    seq_slice([1], 0, 2, NULL::int) -> [1, NULL]
    seq_slice([1], 0, -1, 0) -> ERR tells no length
    seq_slice([1], 0, NULL, 0) -> ERR tells no length
    seq_slice([1], 0, 100000000, 0) -> ERR expected at most
        "#,
    );
}

#[test]
fn sessions_end_at_longer_gaps() {
    Answers::new().check(
        r#"
    seq_session_ids([10, 30, 51, 50], 20) -> [1, 1, 2, 2] :: BIGINT[]
    seq_session_ids([10, NULL, 31], 20) -> [1, NULL, 2]
    seq_session_ids([]::bigint[], 20) -> []
    seq_session_ids(NULL::bigint[], 20) -> NULL
    seq_session_ids([1], -1) -> ERR a gap of at least 0
    seq_session_ids([timestamp '2024-01-01 00:00:00', timestamp '2024-01-01 00:30:00', timestamp '2024-01-01 01:00:01'], interval '30 minutes') -> [1, 1, 2]
    seq_session_ids([timestamp '2024-01-01'], interval '1 month') -> ERR has months
    seq_session_ids([-9223372036854775807, 9223372036854775807], 9223372036854775807) -> [1, 2]
        "#,
    );
}

#[test]
fn averages_weigh_the_latest_values_most() {
    Answers::new().check(
        r#"
    round(seq_ew_avg([0, 1, 2, 3, 4], 0.5), 6) -> 3.16129 :: DOUBLE
    seq_ew_avg([0, NULL, 1, 2], 0) -> 1.0
    seq_ew_avg([0, 1, 2], NULL) -> 1.0
    seq_ew_avg([5, 7], 1) -> 7.0
    seq_ew_avg([]::double[], 0.5) -> NULL
    seq_ew_avg([NULL]::double[], 0.5) -> NULL
    seq_ew_avg([1.0], 1.5) -> ERR from 0 to 1
        "#,
    );
}

#[test]
fn times_are_told_by_the_clock_of_their_place() {
    Answers::new().check(
        r#"
    time_since(timestamp '2024-05-06 07:00:00', timestamp '2024-05-06 06:00:00') -> -3600.0 :: DOUBLE
    time_since(timestamptz '2024-05-06 07:00:00+00', timestamptz '2024-05-06 19:00:00+00', 'hour') -> 12.0
    time_since(timestamp '2024-05-06 07:00:00', timestamp '2024-05-06 07:45:00', 'minute') -> 45.0
    time_since(timestamp '-infinity', timestamp '2024-05-06') -> inf
    time_since(timestamp 'infinity', timestamp '2024-05-06') -> -inf
    time_since(date 'infinity', date 'infinity') -> nan
    time_since(NULL::date, date '2024-01-01') -> NULL
    time_since(date '2024-01-01', date '2024-01-02', 'week') -> ERR 'second', 'minute'
    -- Spring forward and fall back in New York.
    local_hour(timestamptz '2024-03-10 06:59:59+00', 'America/New_York') -> 1 :: BIGINT
    local_hour(timestamptz '2024-03-10 07:00:00+00', 'America/New_York') -> 3
    local_hour(timestamptz '2024-11-03 05:30:00+00', 'America/New_York') -> 1
    local_hour(timestamptz '2024-11-03 06:30:00+00', 'America/New_York') -> 1
    local_hour(-1, 'UTC') -> 23
    local_hour(0, 'Mars/Olympus') -> ERR unknown time zone
    local_hour(9223372036854775807, 'UTC') -> ERR local_hour
    local_hour(NULL::bigint, 'UTC') -> NULL
        "#,
    );
}

#[test]
fn negatives_are_drawn_by_key() {
    Answers::new().check(
        r#"
    negative_sample(5, 9, 1, [1, 3, 3, NULL, 77, -5]) <@ [0, 2, 4] -> true
    length(negative_sample(5, 9, 1, [1, 3])) -> 3
    length(list_distinct(negative_sample(100, 50, 'u', []::bigint[]))) -> 50
    negative_sample(1000000, 5, 7, []::bigint[]) = negative_sample(1000000, 5, 8, []::bigint[]) -> false
    negative_sample(1000000, 5, 7, []::bigint[], 1) = negative_sample(1000000, 5, 7, []::bigint[], 2) -> false
    list_has_any(negative_sample(20, 10, 3, range(10)), range(10)) -> false
    negative_sample(0, 3, 7, []::bigint[]) -> []
    negative_sample(3, 0, 7, []::bigint[]) -> [] :: BIGINT[]
    negative_sample(-1, 3, 7, []::bigint[]) -> ERR argument 1 is -1
    negative_sample(3, -1, 7, []::bigint[]) -> ERR argument 2 is -1
    negative_sample(['a', NULL, 'b'], 5, 7, ['a']) -> [b]
    list_sort(negative_sample([1.5, 2.5, 3.5], 3, 7, [2.5])) -> [1.5, 3.5]
    negative_sample(NULL::bigint, 5, 7, []::bigint[]) -> NULL
        "#,
    );
}

#[test]
fn examples_hold() {
    check_examples(&["sequence"]);
}
