//! What DataFusion around the engine costs: the time of features as a DataFusion plan over the time of the same features pushed into
//! the engine directly, on one thread.
//!
//! ```text
//! cargo run --profile measured --example overhead
//! ```

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringViewArray};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use engine_arrow::array as engine_array;
use futures::StreamExt;
use hypostyle_datafusion::HypostyleExec;
use hypostyle_datafusion::hypostyle::{Batch, Configuration, Prepared, Schema, Session};

/// Rows of a batch, as DataFusion makes them.
const BATCH_ROWS: usize = 8_192;
const BATCHES: usize = 48;
/// Pairs of measurements, one after the other.
const PAIRS: usize = 11;
/// Dense columns.
const COLUMNS: usize = 40;

/// The same values in either Arrow.
struct Values {
    doubles: Vec<Vec<f64>>,
    ids: Vec<i64>,
    texts: Vec<String>,
}

impl Values {
    fn new(batch: usize) -> Self {
        let mut state = batch as u64 + 1;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        Self {
            doubles: (0..COLUMNS)
                .map(|_| (0..BATCH_ROWS).map(|_| (next() % 100_000) as f64 / 8.0).collect())
                .collect(),
            ids: (0..BATCH_ROWS).map(|_| next() as i64).collect(),
            texts: (0..BATCH_ROWS).map(|_| format!("category/{}/{}", next() % 40, next() % 1_000)).collect(),
        }
    }

    fn host(&self) -> Result<RecordBatch, Box<dyn Error>> {
        let doubles = self.doubles.iter().enumerate();
        let mut columns: Vec<(String, ArrayRef)> = doubles
            .map(|(i, values)| (format!("x{i}"), Arc::new(Float64Array::from(values.clone())) as ArrayRef))
            .collect();
        columns.push(("id".into(), Arc::new(Int64Array::from(self.ids.clone()))));
        columns.push(("text".into(), Arc::new(StringViewArray::from_iter_values(&self.texts))));
        Ok(RecordBatch::try_from_iter(columns)?)
    }

    fn engine(&self) -> Result<engine_array::RecordBatch, Box<dyn Error>> {
        let doubles = self.doubles.iter().enumerate();
        let mut columns: Vec<(String, engine_array::ArrayRef)> = doubles
            .map(|(i, values)| {
                (
                    format!("x{i}"),
                    Arc::new(engine_array::Float64Array::from(values.clone())) as engine_array::ArrayRef,
                )
            })
            .collect();
        columns.push(("id".into(), Arc::new(engine_array::Int64Array::from(self.ids.clone()))));
        columns.push(("text".into(), Arc::new(engine_array::StringViewArray::from_iter_values(&self.texts))));
        Ok(engine_array::RecordBatch::try_from_iter(columns)?)
    }
}

/// Feature lists by what they ask of the engine.
fn queries() -> Vec<(&'static str, String)> {
    let dense = |feature: &dyn Fn(usize) -> String| (0..COLUMNS).map(feature).collect::<Vec<_>>().join(", ");
    vec![
        (
            "40 dense features",
            format!("SELECT {} FROM input", dense(&|i| format!("log1p(greatest(x{i}, 0)) AS f{i}"))),
        ),
        (
            "40 buckets and clamps",
            format!(
                "SELECT {} FROM input",
                dense(&|i| format!("bucketize(least(x{i} * 2 + 1, 9000), [1, 10, 100, 1000, 5000]) AS f{i}"))
            ),
        ),
        (
            "40 sums (as light as it gets)",
            format!("SELECT {} FROM input", dense(&|i| format!("x{i} + 1 AS f{i}"))),
        ),
        (
            "texts",
            "SELECT hash_bucket(text, 100000) AS h, split_part(text, '/', 2) AS part, length(text) AS n, \
             hash_bucket(text, 64) AS b, upper(text) AS u FROM input"
                .into(),
        ),
    ]
}

/// One pass of the engine alone.
fn native(
    prepared: &Prepared,
    input: &Schema,
    batches: &[engine_array::RecordBatch],
) -> Result<Duration, Box<dyn Error>> {
    let schema = Arc::new(prepared.schema().to_arrow());
    let start = Instant::now();
    let mut run = prepared.start(&[])?;
    let mut rows = 0;
    for batch in batches {
        run.push(Batch::import(batch, input)?)?;
        while let Some(batch) = run.next()? {
            rows += batch.export(&schema)?.num_rows();
        }
    }
    run.finish()?;
    while let Some(batch) = run.next()? {
        rows += batch.export(&schema)?.num_rows();
    }
    let taken = start.elapsed();
    assert_eq!(rows, BATCHES * BATCH_ROWS);
    Ok(taken)
}

/// One pass of the plan.
async fn planned(plan: &HypostyleExec, context: &SessionContext) -> Result<Duration, Box<dyn Error>> {
    let start = Instant::now();
    let mut stream = plan.execute(0, context.task_ctx())?;
    let mut rows = 0;
    while let Some(batch) = stream.next().await {
        rows += batch?.num_rows();
    }
    let taken = start.elapsed();
    assert_eq!(rows, BATCHES * BATCH_ROWS);
    Ok(taken)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let values: Vec<Values> = (0..BATCHES).map(Values::new).collect();
    let host = values.iter().map(Values::host).collect::<Result<Vec<_>, _>>()?;
    let engine = values.iter().map(Values::engine).collect::<Result<Vec<_>, _>>()?;
    let input = Schema::from_arrow(&engine[0].schema())?;
    let session = Session::with_configuration(Configuration { threads: 1, ..Configuration::default() });
    let context = SessionContext::new();
    println!(
        "{} rows in batches of {BATCH_ROWS}, one thread, medians of {PAIRS} alternating pairs",
        BATCHES * BATCH_ROWS
    );
    for (name, sql) in queries() {
        let prepared = session.prepare_over(&sql, input.clone())?;
        let source = MemorySourceConfig::try_new_exec(&[host.clone()], host[0].schema(), None)?;
        let plan = HypostyleExec::try_new(source, sql.as_str())?;
        let (mut alone, mut inside, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for pair in 0..=PAIRS {
            let (first, second) = (native(&prepared, &input, &engine)?, planned(&plan, &context).await?);
            // The first pair warms up.
            if pair > 0 {
                alone.push(first.as_secs_f64() * 1e3);
                inside.push(second.as_secs_f64() * 1e3);
                ratios.push(second.as_secs_f64() / first.as_secs_f64());
            }
        }
        let (alone, inside, ratio) = (median(alone), median(inside), median(ratios));
        println!("{name}: engine {alone:.1} ms, DataFusion {inside:.1} ms, ratio {ratio:.3}");
    }
    Ok(())
}
