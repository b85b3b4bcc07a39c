//! Feature queries and transforms as DataFusion plans.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use datafusion::common::stats::Precision;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::{ExecutionPlan, Partitioning, collect, collect_partitioned};
use datafusion::prelude::{SessionConfig, col, lit};

use super::digest::digest;
use super::events::{batches, context, events};
use super::native::{self, FEATURES};
use crate::{FeatureFrame, Features, HypostyleExec};

const ROWS: usize = 5_000;

/// Contiguous shares of the batches, so that partitions one after the other are the rows in order.
fn partitioned(batches: Vec<RecordBatch>, count: usize) -> Vec<Vec<RecordBatch>> {
    let share = batches.len().div_ceil(count).max(1);
    let mut partitions: Vec<Vec<RecordBatch>> = batches.chunks(share).map(<[_]>::to_vec).collect();
    partitions.resize(count, Vec::new());
    partitions
}

/// The rows of features, partition after partition.
async fn planned(features: Features, partitions: Vec<Vec<RecordBatch>>) -> Vec<RecordBatch> {
    let count = partitions.len();
    // Partitions stay as they are, so that their rows can be put in order again.
    let context = context(SessionConfig::new().with_target_partitions(count), partitions);
    let input = context.table("events").await.unwrap().create_physical_plan().await.unwrap();
    let plan = Arc::new(HypostyleExec::try_new(input, features).unwrap());
    assert_eq!(plan.properties().output_partitioning().partition_count(), count);
    let partitions = collect_partitioned(plan, context.task_ctx()).await.unwrap();
    partitions.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_query_has_the_bits_of_the_engine_for_any_batches_and_partitions() {
    let expected = digest(&native::query(FEATURES, &batches(ROWS, ROWS)));
    assert_eq!(expected.0, ROWS);
    for (batch_rows, partitions) in [(ROWS, 1), (1_024, 1), (1_024, 3), (97, 2), (97, 7)] {
        let given = partitioned(batches(ROWS, batch_rows), partitions);
        let found = digest(&planned(Features::from(FEATURES), given).await);
        assert_eq!(found, expected, "batches of {batch_rows} in {partitions} partitions");
    }
    let few = digest(&native::query(FEATURES, &batches(10, 10)));
    assert_eq!(digest(&planned(Features::from(FEATURES), partitioned(batches(10, 1), 4)).await), few);
}

#[tokio::test]
async fn a_transform_has_the_bits_of_the_engine_for_any_batches_and_partitions() {
    let transform = native::fitted(&batches(ROWS, 512));
    let directory = std::env::temp_dir().join(format!("hypostyle-datafusion-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("events.hyp");
    transform.save(&path).unwrap();
    let expected = digest(&native::transform(&transform, &batches(ROWS, ROWS)));
    for (batch_rows, partitions) in [(ROWS, 1), (1_024, 3), (97, 2)] {
        let given = partitioned(batches(ROWS, batch_rows), partitions);
        let found = digest(&planned(Features::load(&path).unwrap(), given).await);
        assert_eq!(found, expected, "batches of {batch_rows} in {partitions} partitions");
    }
    let context = context(SessionConfig::new().with_target_partitions(1), vec![batches(ROWS, 300)]);
    let sql = format!("SELECT * FROM hypostyle_transform('events', '{}')", path.display());
    let found = context.sql(&sql).await.unwrap().collect().await.unwrap();
    assert_eq!(digest(&found), expected);
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test]
async fn views_dictionaries_and_plain_text_are_read_alike() {
    let context = context(SessionConfig::new().with_target_partitions(1), vec![batches(600, 200)]);
    let texts = |data_type: &str| {
        format!(
            "SELECT arrow_cast(kind, '{data_type}') AS kind, arrow_cast(city, '{data_type}') AS city FROM events"
        )
    };
    let features = "SELECT upper(kind) AS kind, length(city) AS length, city = 'Basel' AS basel FROM input";
    let mut digests = Vec::new();
    for data_type in
        ["Utf8View", "Utf8", "LargeUtf8", "Dictionary(Int32, Utf8)", "Dictionary(UInt8, Utf8View)"]
    {
        let frame = context.sql(&texts(data_type)).await.unwrap();
        digests.push(digest(&frame.features(features).unwrap().collect().await.unwrap()));
    }
    assert!(digests.iter().all(|digest| digest == &digests[0]), "{digests:?}");
    assert_eq!(digests[0].0, 600);
}

#[tokio::test]
async fn no_rows_give_no_rows_and_the_schema_is_known_before() {
    for given in [vec![Vec::new()], vec![vec![events(0, 0)], Vec::new()]] {
        let context = context(SessionConfig::new(), given);
        let frame = context.table("events").await.unwrap().features(FEATURES).unwrap();
        assert_eq!(frame.schema().field(1).data_type(), &DataType::Float64);
        assert_eq!(frame.schema().field(4).data_type(), &DataType::Utf8View);
        let found = frame.collect().await.unwrap();
        assert_eq!(found.iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
        let counted =
            context.table("events").await.unwrap().features("SELECT count(*) AS n FROM input").unwrap();
        let counted = counted.collect().await.unwrap();
        assert_eq!(digest(&counted), digest(&native::query("SELECT count(*) AS n FROM input", &[])));
    }
}

#[tokio::test]
async fn rows_that_depend_on_each_other_come_together_in_one_partition() {
    let sql =
        "SELECT id, sum(price) OVER (PARTITION BY city ORDER BY id ROWS 2 PRECEDING) AS recent FROM input";
    let expected = digest(&native::query(sql, &batches(900, 900)));
    // One partition, so that the rows arrive in order.
    let context = context(SessionConfig::new().with_target_partitions(4), vec![batches(900, 100)]);
    let frame = context.table("events").await.unwrap().features(sql).unwrap();
    let plan = frame.create_physical_plan().await.unwrap();
    assert_eq!(plan.properties().output_partitioning().partition_count(), 1);
    let found = collect(plan, context.task_ctx()).await.unwrap();
    assert_eq!(digest(&found), expected);
    let groups = "SELECT city, count(*) AS n FROM input GROUP BY city";
    let spread = super::events::context(
        SessionConfig::new().with_target_partitions(4),
        partitioned(batches(900, 100), 3),
    );
    let found = spread.table("events").await.unwrap().features(groups).unwrap();
    let total =
        found.aggregate(vec![], vec![datafusion::functions_aggregate::expr_fn::sum(col("n"))]).unwrap();
    let total = total.collect().await.unwrap();
    assert_eq!(
        arrow::util::pretty::pretty_format_columns("n", &[Arc::clone(total[0].column(0))])
            .unwrap()
            .to_string()
            .matches("900")
            .count(),
        1
    );
}

#[tokio::test]
async fn only_the_columns_that_are_read_are_asked_of_the_input() {
    let context = context(SessionConfig::new().with_target_partitions(2), vec![batches(50, 10)]);
    let joined = context
        .sql("SELECT a.id, a.price, b.note, b.kind FROM events a JOIN events b ON a.id = b.id")
        .await
        .unwrap();
    let features = joined.features("SELECT id, log1p(abs(price)) AS price FROM input").unwrap();
    let plan = features.clone().into_optimized_plan().unwrap().display_indent().to_string();
    assert!(plan.contains("HypostyleFeatures: SELECT id, log1p(abs(price)) AS price FROM input"), "{plan}");
    assert!(!plan.contains("note") && !plan.contains("kind"), "{plan}");
    assert_eq!(features.count().await.unwrap(), 50);
}

#[tokio::test]
async fn conditions_and_limits_move_below_where_they_may() {
    let context = context(SessionConfig::new().with_target_partitions(1), vec![batches(50, 10)]);
    let frame = context.table("events").await.unwrap();
    let features = frame.features("SELECT id, -id AS other FROM input").unwrap();
    let kept = features.clone().filter(col("id").lt(lit(5)).and(col("other").lt(lit(-1)))).unwrap();
    let plan = kept.clone().into_optimized_plan().unwrap().display_indent().to_string();
    let node = plan.find("HypostyleFeatures").unwrap();
    assert!(plan[node..].contains("id < Int64(5)") && plan[..node].contains("other < Int64(-1)"), "{plan}");
    assert_eq!(kept.count().await.unwrap(), 3);
    let first = features.limit(3, Some(4)).unwrap();
    let found = first.collect().await.unwrap();
    assert_eq!(
        digest(&found),
        digest(&native::query("SELECT id, -id AS other FROM input LIMIT 4 OFFSET 3", &batches(50, 50)))
    );
    let filtered =
        context.table("events").await.unwrap().features("SELECT id FROM input WHERE id >= 40").unwrap();
    assert_eq!(filtered.limit(0, Some(4)).unwrap().count().await.unwrap(), 4);
}

#[tokio::test]
async fn order_partitioning_and_statistics_of_the_input_are_kept() {
    let context = context(SessionConfig::new().with_target_partitions(3), vec![batches(90, 30)]);
    let sorted =
        context.sql("SELECT * FROM events ORDER BY id").await.unwrap().create_physical_plan().await.unwrap();
    let plan = HypostyleExec::try_new(sorted, "SELECT price, id AS key FROM input").unwrap();
    assert_eq!(plan.properties().output_ordering().unwrap().to_string(), "key@1 ASC NULLS LAST");
    let statistics = StatisticsContext::new().compute(&plan, &StatisticsArgs::new()).unwrap();
    assert_eq!(statistics.num_rows, Precision::Exact(90));
    let rows = context.table("events").await.unwrap().create_physical_plan().await.unwrap();
    let id = datafusion::physical_expr::expressions::col("id", &rows.schema()).unwrap();
    let hashed = RepartitionExec::try_new(rows, Partitioning::Hash(vec![id], 3)).unwrap();
    let hashed: Arc<dyn ExecutionPlan> = Arc::new(hashed);
    let plan = HypostyleExec::try_new(Arc::clone(&hashed), "SELECT price, id AS key FROM input").unwrap();
    assert_eq!(plan.properties().output_partitioning().to_string(), "Hash([key@1], 3)");
    let filtered = HypostyleExec::try_new(hashed, "SELECT id FROM input WHERE id > 3").unwrap();
    let statistics = StatisticsContext::new().compute(&filtered, &StatisticsArgs::new()).unwrap();
    assert_eq!(statistics.num_rows, Precision::Inexact(90));
}

#[tokio::test]
async fn what_is_wrong_with_features_is_said_while_planning_and_where() {
    let context = context(SessionConfig::new(), vec![batches(5, 5)]);
    let frame = || async { context.table("events").await.unwrap() };
    let error = frame().await.features("SELECT log1p(prise) FROM input").unwrap_err().to_string();
    assert!(error.contains("prise") && error.contains("price") && error.contains('^'), "{error}");
    let error = frame().await.features("SELECT 1 AS x").unwrap_err().to_string();
    assert!(error.contains("select from the table input"), "{error}");
    let twice = context.sql("SELECT id, price AS \"ID\" FROM events").await.unwrap();
    let error = twice.features("SELECT id FROM input").unwrap_err().to_string();
    assert!(error.contains("\"id\"") || error.contains("ambiguous"), "{error}");
    let transform = native::fitted(&batches(50, 50));
    let other = context.sql("SELECT id, note AS price, city, kind FROM events").await.unwrap();
    let error = other.features(transform).unwrap_err().to_string();
    assert!(error.contains("column \"price\" of the input has type VARCHAR"), "{error}");
    let error = context
        .sql("SELECT * FROM hypostyle('nothing', 'SELECT 1 FROM input')")
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("nothing"), "{error}");
}

#[tokio::test]
async fn a_row_that_fails_ends_the_query_with_the_text_of_the_engine() {
    let context = context(SessionConfig::new(), vec![batches(100, 10)]);
    let frame = context
        .table("events")
        .await
        .unwrap()
        .features("SELECT CAST(note AS INTEGER) AS n FROM input")
        .unwrap();
    let error = frame.collect().await.unwrap_err();
    assert!(matches!(error.find_root(), DataFusionError::Execution(_)), "{error:?}");
    assert!(error.to_string().contains("cannot cast"), "{error}");
}
