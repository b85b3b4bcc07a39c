//! Scalar functions inside DataFusion's own expressions.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Float64Type;
use datafusion::assert_batches_eq;
use datafusion::execution::FunctionRegistry;
use datafusion::prelude::{SessionConfig, SessionContext};
use hypostyle::{Session, closure};

use super::digest::digest;
use super::events::{batches, context};
use super::native;
use crate::{register_all, register_session};

async fn rows(context: &SessionContext, sql: &str) -> Vec<RecordBatch> {
    context.sql(sql).await.unwrap().collect().await.unwrap()
}

#[tokio::test]
async fn calls_have_the_bits_of_the_engine() {
    let context = context(SessionConfig::new().with_target_partitions(1), vec![batches(3_000, 700)]);
    let expressions = "sigrid_hash(id, 7, 1000) AS a, clamp(price, 0.0, 10.0) AS b, hy_log1p(hy_abs(price)) AS c,
        hy_upper(city) AS d, cosine_similarity(vector, vector) AS e, list_sum(tags) AS f, hash_bucket(note, 16) AS g";
    let found = rows(&context, &format!("SELECT {expressions} FROM events")).await;
    let own = expressions.replace("hy_", "");
    assert_eq!(
        digest(&found),
        digest(&native::query(&format!("SELECT {own} FROM input"), &batches(3_000, 700)))
    );
}

#[tokio::test]
async fn names_of_datafusion_keep_their_meaning_and_others_are_free() {
    let context = SessionContext::new();
    register_all(&context).unwrap();
    let sql = "SELECT hy_greatest(1, 2) AS own, greatest(1, 2) AS theirs, sigmoid(0.0) AS free, hy_sigmoid(0.0) AS also";
    let expected = [
        "+-----+--------+------+------+",
        "| own | theirs | free | also |",
        "+-----+--------+------+------+",
        "| 2   | 2      | 0.5  | 0.5  |",
        "+-----+--------+------+------+",
    ];
    assert_batches_eq!(expected, &rows(&context, sql).await);
    assert_eq!(context.udf("hy_greatest").unwrap().name(), "hy_greatest");
    assert_ne!(context.udf("greatest").unwrap().name(), "hy_greatest");
    assert_eq!(context.udf("sigmoid").unwrap().name(), "sigmoid");
    assert!(context.udf("hy_list_transform").is_err(), "what takes lambdas stays out");
    assert!(context.udf("hy_now").is_err(), "what reads the clock stays out");
    let documentation = context.udf("sigmoid").unwrap();
    assert!(documentation.documentation().unwrap().syntax_example.starts_with("sigmoid("));
}

#[tokio::test]
async fn nulls_defaults_and_constants_are_those_of_the_engine() {
    let context = SessionContext::new();
    register_all(&context).unwrap();
    let sql =
        "SELECT hy_left(x, 2) AS l, hy_greatest(y, 3) AS g, hy_round(z, 1) AS r, hy_concat(x, NULL, 'c') AS c
        FROM (VALUES ('abc', 1, 1.26), (NULL, NULL, NULL), ('x', 9, 0.04)) AS t(x, y, z)";
    let expected = [
        "+----+---+-----+------+",
        "| l  | g | r   | c    |",
        "+----+---+-----+------+",
        "| ab | 3 | 1.3 | abcc |",
        "|    | 3 |     | c    |",
        "| x  | 9 | 0.0 | xc   |",
        "+----+---+-----+------+",
    ];
    assert_batches_eq!(expected, &rows(&context, sql).await);
    let folded = context.sql("SELECT hy_upper('a') AS x").await.unwrap().into_optimized_plan().unwrap();
    assert!(folded.display_indent().to_string().contains("Utf8View(\"A\")"), "{folded}");
}

#[tokio::test]
async fn wrong_arguments_are_refused_while_planning_with_the_text_of_the_engine() {
    let context = context(SessionConfig::new(), vec![batches(10, 10)]);
    let refused = async |sql: &str| match context.sql(sql).await {
        Ok(frame) => frame.create_physical_plan().await.unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    let error = refused("SELECT hy_regexp_matches(note, '(') FROM events").await;
    assert!(error.contains("regexp_matches: argument 2"), "{error}");
    let error = refused("SELECT sigmoid(note) FROM events").await;
    assert!(error.contains("sigmoid") && error.contains("VARCHAR"), "{error}");
}

#[tokio::test]
async fn a_row_that_fails_says_what_the_engine_says() {
    let context = SessionContext::new();
    register_all(&context).unwrap();
    let frame =
        context.sql("SELECT hy_chr(arrow_cast(x, 'Int32')) FROM (VALUES (65), (-1)) AS t(x)").await.unwrap();
    let error = frame.collect().await.unwrap_err().to_string();
    assert!(error.contains("-1"), "{error}");
}

#[tokio::test]
async fn volatile_functions_give_each_row_its_own_value() {
    let context = SessionContext::new();
    register_all(&context).unwrap();
    let found = rows(
        &context,
        "SELECT count(DISTINCT r) AS n FROM (SELECT hy_random() AS r FROM generate_series(1, 1000))",
    )
    .await;
    assert_batches_eq!(["+------+", "| n    |", "+------+", "| 1000 |", "+------+"], &found);
}

#[tokio::test]
async fn functions_of_a_session_are_registered_with_it() {
    let session = Session::new();
    session.register_scalar(closure::unary("twice", |x: f64| x * 2.0));
    let context = SessionContext::new();
    register_session(&context, &session).unwrap();
    let found = rows(&context, "SELECT twice(21.0) AS x, hy_twice(1.0) AS y").await;
    let value = |column: usize| found[0].column(column).as_primitive::<Float64Type>().value(0);
    assert_eq!((value(0), value(1)), (42.0, 2.0));
    assert_eq!(found[0].column(0).null_count(), 0);
}
