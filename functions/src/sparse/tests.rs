//! Functions of id lists, against the values published for them and against their definitions.

use crate::answers::{Answers, check_examples};

#[test]
fn published_values_are_reproduced() {
    Answers::new().check(
        r#"
    has_id_overlap([1, 2, 3], [1, 2, 3]) -> 1.0 :: FLOAT
    has_id_overlap([4, 5, 6], [0, 10]) -> 0.0
    has_id_overlap([]::bigint[], [1]) -> 0.0
    id_overlap_count([1, 2, 3], [1, 2, 3]) -> 3.0
    id_overlap_count([4, 5, 6], [0, 10]) -> 0.0
    id_overlap_count([7, 8, 9], [7, 10, 10]) -> 1.0
    id_overlap_count([10, 10, 11, 12], [10, 10, 11, 13]) -> 3.0
    id_overlap_count([1, 2, 3], [1]) -> 1.0
    max_count([10, 10, 11, 12], [10, 10, 11, 13]) -> 3.0
    max_count([13], [13, 13, 13, 13, 13]) -> 5.0
    id_jaccard([10, 10, 11, 12], [10, 10, 11, 13]) -> 0.6
    id_jaccard([7, 8, 9], [7, 10, 10]) -> 0.2
    id_jaccard([13], [13, 13, 13, 13, 13]) -> 0.2
    id_jaccard([]::bigint[], []::bigint[]) -> 0.0
    round(id_cosine([10, 10, 11, 12], [10, 10, 11, 12], [10, 10, 11, 13], [10, 10, 11, 13]), 5) -> 0.76913
    round(id_cosine([7, 8, 9], [7, 8, 9], [7, 10, 10], [7, 10, 10]), 5) -> 0.16602
    id_cosine([1], [0.0], [1], [2.0]) -> NULL
    score_sum([10, 10, 11, 12], [10, 10, 11, 13], [10, 10, 11, 13]) -> 31.0
    score_min([10, 10, 11, 12], [10, 10, 11, 13], [10, 10, 11, 13]) -> 10.0
    score_max([10, 10, 11, 12], [10, 10, 11, 13], [10, 10, 11, 13]) -> 11.0
    score_min([4, 5, 6], [0, 10], [0, 10]) -> 0.0
    score_sum([1], [1, 2], [1.0]) -> ERR another length
    id_cosine([1], [1.0, 2.0], [1], [1.0]) -> ERR another length
        "#,
    );
}

#[test]
fn nulls_are_left_out_and_null_lists_give_null() {
    Answers::new().check(
        r#"
    id_overlap_count([1, NULL, 2], [NULL, 2]) -> 1.0
    has_id_overlap(NULL::bigint[], [1]) -> NULL
    score_sum([1, NULL], [1, NULL, 1], [2.0, 3.0, NULL]) -> 2.0
    list_union([1, NULL], [NULL, 2, 1]) -> [1, NULL, 2]
    list_union(['a', 'b'], ['b', 'c']) -> [a, b, c] :: VARCHAR[]
    list_except([1, 2, 2], [1, 1, 2]) -> []
    list_except([NULL, 3, NULL], [1]) -> [NULL, 3]
    list_except([1, NULL], [NULL]) -> [1]
    merge_sorted([1, NULL], [0, 2]) -> [0, 1, 2, NULL]
    merge_sorted([2, 1], [0]) -> ERR does not ascend at element 2
    merge_sorted([]::int[], [1]) -> [1]
        "#,
    );
}

#[test]
fn the_best_come_first_and_ties_keep_their_order() {
    Answers::new().check(
        r#"
    top_k_by_score([1, 2, 3, 4], [0.5, 'nan'::double, NULL, 0.5], 4) -> [1, 4, 2, 3]
    top_k_by_score([1, 2, 3], ['inf'::double, '-inf'::double, 0], 2) -> [1, 3]
    top_k_by_score([1, 2], [0.5, 0.6], 0) -> []
    top_k_by_score([1, 2], [0.5, 0.6], 9) -> [2, 1]
    top_k_by_score([1, 2], [0.5], 1) -> ERR 1 scores for 2 elements
    top_k_by_score([1], [0.5], -1) -> ERR at least 0
    list_enumerate([]::int[]) -> []
    list_enumerate([5, NULL]) -> [{'position': 1, 'value': 5}, {'position': 2, 'value': NULL}]
        "#,
    );
}

#[test]
fn maps_of_weights_are_multiplied_by_key() {
    Answers::new().check(
        r#"
    kv_dot_product(map([1, 2], [0.5, 2.0]), map([2, 1], [3.0, 4.0])) -> 8.0 :: DOUBLE
    kv_dot_product(map(['a'], [1]), map(['b'], [1])) -> 0.0
    kv_dot_product(map(['a', 'b'], [1, NULL]), map(['b', 'a'], [5, 7])) -> 7.0
    kv_dot_product(map(range(40), range(40)), map(range(20, 60), range(20, 60))) -> 18070.0
    list_len_bucket([]::int[], [1, 3]) -> 0 :: INTEGER
    list_len_bucket(['a', NULL, 'c'], [1, 3]) -> 2
    list_len_bucket(NULL::int[], [1]) -> NULL
    list_len_bucket([1], [2, 1]) -> ERR do not decrease
        "#,
    );
}

#[test]
fn examples_hold() {
    check_examples(&["id list"]);
}
