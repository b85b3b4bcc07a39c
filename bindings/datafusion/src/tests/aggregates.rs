//! Aggregate functions inside DataFusion's own aggregations.

use arrow::array::RecordBatch;
use datafusion::assert_batches_eq;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::digest::digest;
use super::events::{batches, context};
use super::native;
use crate::register_all;

async fn rows(context: &SessionContext, sql: &str) -> Vec<RecordBatch> {
    context.sql(sql).await.unwrap().collect().await.unwrap()
}

const AGGREGATES: &str = "hy_sum(price) AS a, hy_avg(price) AS b, hy_count(note) AS c, hy_min(kind) AS d, hy_stddev_samp(id) AS e,
    hy_quantile_cont(id, 0.25) AS f, hy_max(id) AS g, hy_approx_count_distinct(note) AS h, hy_bit_xor(id) AS i";

#[tokio::test]
async fn groups_have_the_bits_of_the_engine_however_many_partitions_there_are() {
    let own = AGGREGATES.replace("hy_", "");
    let grouped = format!("SELECT city, {own} FROM input WHERE price > -1000 GROUP BY city ORDER BY city");
    let expected = digest(&native::query(&grouped, &batches(4_000, 4_000)));
    let whole = digest(&native::query(
        &format!("SELECT {own} FROM input WHERE price > -1000"),
        &batches(4_000, 4_000),
    ));
    for partitions in [1, 4] {
        let config = SessionConfig::new().with_target_partitions(partitions).with_batch_size(256);
        let given = batches(4_000, 100);
        let given: Vec<_> = given.chunks(40 / partitions).map(<[_]>::to_vec).collect();
        let context = context(config, given);
        let sql = format!(
            "SELECT arrow_cast(city, 'Utf8View') AS city, a, b, c, d, e, f, g, h, i FROM (SELECT city, {AGGREGATES} FROM events
             WHERE NOT (price <= -1000) GROUP BY city) ORDER BY city"
        );
        assert_eq!(digest(&rows(&context, &sql).await), expected, "{partitions} partitions");
        let sql = format!("SELECT {AGGREGATES} FROM events WHERE NOT (price <= -1000)");
        assert_eq!(digest(&rows(&context, &sql).await), whole, "{partitions} partitions");
    }
}

#[tokio::test]
async fn many_groups_leave_early_and_pass_through() {
    let config = SessionConfig::new().with_target_partitions(2).with_batch_size(128);
    // A partial aggregation that finds almost as many groups as rows hands rows on as states.
    let config = config.set_usize("datafusion.execution.skip_partial_aggregation_probe_rows_threshold", 100);
    let given: Vec<_> = batches(6_000, 250).chunks(12).map(<[_]>::to_vec).collect();
    let context = context(config, given);
    let sql = "SELECT id / 2 AS pair, hy_sum(id) AS total, hy_count(price) AS n FROM events GROUP BY id / 2 ORDER BY pair";
    let own = "SELECT id // 2 AS pair, sum(id)::DECIMAL(38, 0) AS total, count(price) AS n FROM input GROUP BY id // 2 ORDER BY pair";
    assert_eq!(digest(&rows(&context, sql).await), digest(&native::query(own, &batches(6_000, 250))));
    // Sorted input lets groups leave at the front while others still grow.
    let sorted = "SELECT id, hy_sum(price) AS total FROM (SELECT * FROM events ORDER BY id LIMIT 5000) GROUP BY id ORDER BY id";
    let own = "SELECT id, sum(price) AS total FROM input WHERE id < 5000 GROUP BY id ORDER BY id";
    assert_eq!(digest(&rows(&context, sorted).await), digest(&native::query(own, &batches(6_000, 250))));
}

#[tokio::test]
async fn filters_windows_and_empty_inputs_work() {
    let context = SessionContext::new();
    register_all(&context).unwrap();
    context
        .sql("CREATE TABLE t AS VALUES (1, 'a'), (2, 'b'), (NULL, 'a'), (4, 'b')")
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    let sql = "SELECT column2, hy_sum(column1) FILTER (WHERE column1 > 1) AS s, hy_count(column1) AS n FROM t GROUP BY column2 ORDER BY column2";
    let expected = [
        "+---------+---+---+",
        "| column2 | s | n |",
        "+---------+---+---+",
        "| a       |   | 1 |",
        "| b       | 6 | 2 |",
        "+---------+---+---+",
    ];
    assert_batches_eq!(expected, &rows(&context, sql).await);
    let running = "SELECT column2, hy_sum(column1) OVER (PARTITION BY column2 ORDER BY column1 NULLS LAST) AS s FROM t ORDER BY column2, column1 NULLS LAST";
    let expected = [
        "+---------+---+",
        "| column2 | s |",
        "+---------+---+",
        "| a       | 1 |",
        "| a       | 1 |",
        "| b       | 2 |",
        "| b       | 6 |",
        "+---------+---+",
    ];
    assert_batches_eq!(expected, &rows(&context, running).await);
    let empty = "SELECT hy_count(column1) AS n, hy_sum(column1) AS s, hy_quantile_cont(column1, 0.5) AS q FROM t WHERE column1 > 9";
    let expected = ["+---+---+---+", "| n | s | q |", "+---+---+---+", "| 0 |   |   |", "+---+---+---+"];
    assert_batches_eq!(expected, &rows(&context, empty).await);
    let correlated = "SELECT column1, (SELECT hy_count(u.column2) FROM t u WHERE u.column1 = t.column1 + 100) AS n FROM t WHERE column1 = 4";
    let expected =
        ["+---------+---+", "| column1 | n |", "+---------+---+", "| 4       | 0 |", "+---------+---+"];
    assert_batches_eq!(expected, &rows(&context, correlated).await);
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_name() {
    let context = SessionContext::new();
    register_all(&context).unwrap();
    let refused = async |sql: &str| match context.sql(sql).await {
        Ok(frame) => frame.collect().await.unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    let error =
        refused("SELECT hy_sum(DISTINCT x), hy_sum(DISTINCT y) FROM (VALUES (1, 2)) AS t(x, y)").await;
    assert!(error.contains("DISTINCT inside hy_sum"), "{error}");
    let error = refused("SELECT hy_quantile_cont(x, y) FROM (VALUES (1, 0.5)) AS t(x, y)").await;
    assert!(error.contains("constant"), "{error}");
    let error = refused("SELECT hy_list(x ORDER BY x) FROM (VALUES (1), (2)) AS t(x)").await;
    assert!(error.contains("ORDER BY inside list"), "{error}");
}
