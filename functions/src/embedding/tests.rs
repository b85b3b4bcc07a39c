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
fn examples_show_what_they_say() {
    check_examples(&["embedding"]);
}
