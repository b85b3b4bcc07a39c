//! Embeddings, with the answers of DuckDB, to one unit in the last place.

use crate::answers::{Answers, check_examples};

#[test]
fn measures_answer_as_duckdb() {
    Answers::new().check(
        r#"
    array_cosine_similarity([0,0]::float[2], [1,1]::float[2]) -> nan :: FLOAT
    list_cosine_similarity([0.0,0.0], [1.0,1.0]) -> nan :: DOUBLE
    list_inner_product([]::double[], []::double[]) -> 0.0 :: DOUBLE
    list_inner_product([1,2], [1,2,3]) -> ERR argument 2 has dimension 3; expected 2
    list_inner_product([1,null], [1,2]) -> ERR null
    array_inner_product([1,null]::float[2], [1,2]::float[2]) -> ERR null
    array_inner_product([1,2]::float[2], [1,2,3]::float[3]) -> ERR argument 2 has dimension 3; expected 2
    array_inner_product([1,2]::float[2], [3,4]::float[2]) -> 11.0 :: FLOAT
    array_inner_product([1,2]::float[2], [3,4]) -> 11.0 :: FLOAT
    array_inner_product([1,2]::float[2], [3,4]::double[2]) -> 11.0 :: DOUBLE
    array_inner_product([1,2]::half[2], [3,4]::half[2]) -> 11.0 :: FLOAT
    array_distance([1,2]::float[2], [4,6]::float[2]) -> 5.0 :: FLOAT
    list_distance([1,2], [4,6]) -> 5.0 :: DOUBLE
    list_cosine_distance([1.0,0], [0,1.0]) -> 1.0 :: DOUBLE
    list_negative_inner_product([1,2], [3,4]) -> -11.0 :: DOUBLE
    array_cosine_similarity([1,2,3]::float[3], [2,3,4]::float[3]) -> 0.99258333 :: FLOAT
    array_cosine_similarity([1,2,3]::double[3], [2,3,4]::double[3]) -> 0.9925833339709303 :: DOUBLE
    list_distance(null::double[], [1.0]) -> NULL :: DOUBLE
    l1_distance([1,2]::float[2], [4,6]::float[2]) -> 7.0 :: FLOAT
    normalize([0,0]::float[2]) -> [0.0, 0.0] :: FLOAT[2]
    normalize([3,4]::double[]) -> [0.6, 0.8] :: DOUBLE[]
    normalize([1,null]::double[]) -> ERR null
    l2_norm([3,4]::float[2]) -> 5.0 :: FLOAT
    dot_product(['a'], ['b']) -> ERR
"#,
    );
}

#[test]
fn halves_are_widened_exactly() {
    Answers::new().check(
        r#"
    dot_product([1.5, 2]::half[2], [3, 4]::half[2]) -> 12.5 :: FLOAT
    dot_product([1.5, 2]::half[], [3, 4]::half[2]) -> 12.5 :: FLOAT
    dot_product([1.5, 2]::half[2], [3, 4]::float[2]) -> 12.5 :: FLOAT
    dot_product([1.5, 2]::half[2], [3, 4, 5]::half[3]) -> ERR argument 2 has dimension 3; expected 2
    cosine_similarity([1, 0]::half[2], [1, 0]::half[2]) -> 1.0 :: FLOAT
    cosine_distance([0, 0]::half[2], [1, 0]::half[2]) -> nan :: FLOAT
    l2_distance([1, 2]::half[2], [4, 6]::half[2]) -> 5.0 :: FLOAT
    l1_distance([1, 2]::half[2], [4, 6]::half[2]) -> 7.0 :: FLOAT
    l2_norm([3, 4]::half[2]) -> 5.0 :: FLOAT
    normalize([3, 4]::half[2]) -> [0.60009766, 0.7998047] :: HALF[2]
    vector_add([1, 2]::half[2], [0.5, 0.25]::half[2]) -> [1.5, 2.25] :: HALF[2]
    mean_pool([[1, 2]::half[2], [2, 4]::half[2]]) -> [1.5, 3.0] :: HALF[2]
"#,
    );
}

#[test]
fn norms_of_every_order_scale() {
    Answers::new().check(
        r#"
    normalize([4, 1, 2, 2, 0]::float[5]) -> [0.8, 0.2, 0.4, 0.4, 0.0] :: FLOAT[5]
    normalize([4, 1, 2, 2, 0]::float[5], 2) -> [0.8, 0.2, 0.4, 0.4, 0.0] :: FLOAT[5]
    normalize([3, -1], 1) -> [0.75, -0.25] :: DOUBLE[]
    normalize([2, -4], 'infinity') -> [0.5, -1.0]
    normalize([2, 0, -4], 0) -> [1.0, 0.0, -2.0]
    normalize([2, 2], 3) -> [0.7937005259840997, 0.7937005259840997]
    normalize([0, 0], 1) -> [0.0, 0.0]
    normalize([]::double[], 1) -> []
    normalize(['nan'::double, 1], 'infinity') -> [nan, nan]
    normalize([1, 2], 0.5) -> ERR argument 2 is not the order of a norm
    normalize([1, 2], NULL) -> ERR argument 2 is not the order of a norm
"#,
    );
}

#[test]
fn arithmetic_goes_element_by_element() {
    Answers::new().check(
        r#"
    vector_add([1, 2], [3, 4.5]) -> [4.0, 6.5] :: DOUBLE[]
    vector_add([1, 2]::float[2], [3, 4]::float[]) -> [4.0, 6.0] :: FLOAT[2]
    vector_subtract([1, 2]::float[], [3, 4]::float[2]) -> [-2.0, -2.0] :: FLOAT[2]
    vector_multiply([2, 3]::double[2], [4, 5]::double[2]) -> [8.0, 15.0] :: DOUBLE[2]
    vector_add([]::double[], []::double[]) -> []
    vector_add([1, 2]::float[2], [1, 2, 3]::float[3]) -> ERR vector_add: argument 2 has dimension 3; expected 2
    vector_add([1, 2], [1]) -> ERR argument 2 has dimension 1; expected 2
    vector_add([1, NULL], [1, 2]) -> ERR argument 1 holds a null element
    vector_add(NULL::double[], [1, 2]) -> NULL
    vector_scale([1, -2]::float[2], 0.5) -> [0.5, -1.0] :: FLOAT[2]
    vector_scale([1, 2], NULL) -> NULL
    vector_scale([1, NULL], 2) -> ERR null element
"#,
    );
}

#[test]
fn lists_of_vectors_are_pooled() {
    Answers::new().check(
        r#"
    mean_pool([[1, 2]::float[2], [3, 5]::float[2]]) -> [2.0, 3.5] :: FLOAT[2]
    mean_pool([[1, 2], [3, 5]]) -> [2.0, 3.5] :: DOUBLE[]
    mean_pool([[1, 2], NULL, [3, 5]]) -> [2.0, 3.5]
    mean_pool([[1, 2]::float[2], NULL]) -> [1.0, 2.0] :: FLOAT[2]
    mean_pool([]::float[2][]) -> NULL :: FLOAT[2]
    mean_pool([NULL]::double[][]) -> NULL :: DOUBLE[]
    mean_pool(NULL::double[][]) -> NULL
    mean_pool([[1, 2], [3]]) -> ERR argument 1 holds vectors of dimensions 2 and 1
    mean_pool([[1, NULL]]) -> ERR null element
    sum_pool([[1, 2], [3, 5], [1, 1], [1, 1], [1, 1]]) -> [7.0, 10.0]
    sum_pool([[1, 2]::float[2], [3, 5]::float[2]]::float[2][2]) -> [4.0, 7.0] :: FLOAT[2]
    max_pool([[1, 9], [3, 5], ['nan'::double, 0]]) -> [nan, 9.0]
    min_pool([[1, 9], [3, 5], ['nan'::double, 0]]) -> [1.0, 0.0]
    max_pool([[1, 9]::float[2], [3, 5]::float[2]]) -> [3.0, 9.0] :: FLOAT[2]
    mean_pool([[1, 2], [3, 4]], [1, 3]) -> [2.5, 3.5]
    mean_pool([[1, 2], [3, 4]], [0, 0]) -> NULL
    sum_pool([[1, 2], [3, 4]], [0, 0]) -> [0.0, 0.0]
    sum_pool([[1, 2], NULL, [3, 4]], [1, 1, 2]) -> [7.0, 10.0]
    sum_pool([[1, 2], [3, 4]], [1]) -> ERR argument 2 has 1 weights for 2 vectors
    sum_pool([[1, 2]], [NULL]::double[]) -> ERR argument 2 holds a null element
"#,
    );
}

#[test]
fn embeddings_are_shortened() {
    Answers::new().check(
        r#"
    matryoshka_truncate([3, 4, 12]::float[3], 2) -> [0.6, 0.8] :: FLOAT[2]
    matryoshka_truncate([3, 4, 12], 3, false) -> [3.0, 4.0, 12.0] :: DOUBLE[3]
    matryoshka_truncate([3, 4]::float[2], 3) -> ERR argument 1 has dimension 2; expected at least 3
    matryoshka_truncate([3, 4], 0) -> ERR argument 2 is not a dimension
    matryoshka_truncate(NULL::float[3], 2) -> NULL :: FLOAT[2]
    random_projection([1, 0]::float[2], 4, 7) = random_projection([1, 0]::float[2], 4, 7) -> true
    l2_norm(random_projection([1, 0]::float[2], 16, 7)) -> 1.0
    random_projection([0, 0]::float[2], 0, 7) -> ERR argument 2 is not a dimension
    random_projection(NULL::float[2], 2, 7) -> NULL :: FLOAT[2]
"#,
    );
}

#[test]
fn bags_look_up_and_pool() {
    Answers::new().check(
        r#"
    embedding_bag([0, 1], [[1, 2], [3, 6]]) -> [2.0, 4.0] :: DOUBLE[]
    embedding_bag([1], [[1, 2]::float[2], [3, 6]::float[2]], mode => 'sum') -> [3.0, 6.0] :: FLOAT[2]
    embedding_bag([0, 1, 1], [[1, 9], [3, 6]], 'max') -> [3.0, 9.0]
    embedding_bag([]::bigint[], [[1, 2], [3, 6]]) -> [0.0, 0.0]
    embedding_bag([]::bigint[], []::double[][]) -> NULL
    embedding_bag([5], []::float[2][]) -> [0.0, 0.0] :: FLOAT[2]
    embedding_bag([0, NULL, -1, 2], [[1, 2], [3, 6]]) -> [1.0, 2.0]
    embedding_bag([0, 2], [[1, 2], [3, 6]], missing => 'error') -> ERR argument 1 holds the id 2; expected ids of vectors, 0 to below 2
    embedding_bag([NULL], [[1, 2]], missing => 'error') -> ERR holds the id NULL
    embedding_bag([0, 1], [[1, 2], NULL]) -> [1.0, 2.0]
    embedding_bag([0, 1], [[1, 2], [3]]) -> ERR argument 2 holds vectors of dimensions 2 and 1
    embedding_bag([0, 1], [[1, 2], [3, 4]], [1, 0.5]) -> [2.5, 4.0]
    embedding_bag([0, 1], [[1, 2], [3, 4]], [1]) -> ERR argument 3 has 1 weights for 2 ids
    embedding_bag([0], [[1, 2]], mode => 'median') -> ERR expected 'mean', 'sum' or 'max'
    embedding_bag(NULL, [[1, 2]]) -> NULL
"#,
    );
}

#[test]
fn examples_show_what_they_say() {
    check_examples(&["embedding"]);
}
