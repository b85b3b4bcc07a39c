//! What DataFusion around the engine costs: the time of features as a DataFusion plan over the time of the same features pushed into
//! the engine directly, on one thread.
//!
//! ```text
//! cargo run --profile measured --example overhead
//! cargo run --profile measured --example overhead -- features.hyp events.arrow
//! ```
//! With an artifact and an Arrow file the transform is applied to the rows of the file; else queries are run over generated rows.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringViewArray};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::execution::options::ArrowReadOptions;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use engine_arrow::array as engine_array;
use futures::StreamExt;
use hypostyle_datafusion::hypostyle::{Configuration, Prepared, Schema, Session, input_batch};
use hypostyle_datafusion::{Features, HypostyleExec};

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
        run.push(input_batch(batch, input)?)?;
        while let Some(batch) = run.next()? {
            rows += batch.export(&schema)?.num_rows();
        }
    }
    run.finish()?;
    while let Some(batch) = run.next()? {
        rows += batch.export(&schema)?.num_rows();
    }
    let taken = start.elapsed();
    assert_eq!(rows, rows_of(batches));
    Ok(taken)
}

fn rows_of(batches: &[engine_array::RecordBatch]) -> usize {
    batches.iter().map(engine_array::RecordBatch::num_rows).sum()
}

/// One pass of the plan.
async fn planned(
    plan: &HypostyleExec,
    context: &SessionContext,
    expected: usize,
) -> Result<Duration, Box<dyn Error>> {
    let start = Instant::now();
    let mut stream = plan.execute(0, context.task_ctx())?;
    let mut rows = 0;
    while let Some(batch) = stream.next().await {
        rows += batch?.num_rows();
    }
    let taken = start.elapsed();
    assert_eq!(rows, expected);
    Ok(taken)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The rows of either Arrow in batches of the same sizes, and what is computed of them.
struct Comparison<'a> {
    prepared: &'a Prepared,
    input: &'a Schema,
    engine: &'a [engine_array::RecordBatch],
    plan: HypostyleExec,
    context: &'a SessionContext,
}

impl Comparison<'_> {
    async fn print(&self, name: &str) -> Result<(), Box<dyn Error>> {
        let (mut alone, mut inside, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for pair in 0..=PAIRS {
            let first = native(self.prepared, self.input, self.engine)?;
            let second = planned(&self.plan, self.context, rows_of(self.engine)).await?;
            // The first pair warms up.
            if pair > 0 {
                alone.push(first.as_secs_f64() * 1e3);
                inside.push(second.as_secs_f64() * 1e3);
                ratios.push(second.as_secs_f64() / first.as_secs_f64());
            }
        }
        let (alone, inside, ratio) = (median(alone), median(inside), median(ratios));
        println!("{name}: engine {alone:.1} ms, DataFusion {inside:.1} ms, ratio {ratio:.3}");
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let session = Session::with_configuration(Configuration {
        threads: 1,
        batch_rows: BATCH_ROWS,
        ..Configuration::default()
    });
    let context = SessionContext::new();
    match &arguments[..] {
        [] => queries_over_generated_rows(&session, &context).await,
        [artifact, file] => transform_over_a_file(&session, &context, artifact, file).await,
        _ => Err("usage: overhead [ARTIFACT FILE]".into()),
    }
}

async fn queries_over_generated_rows(
    session: &Session,
    context: &SessionContext,
) -> Result<(), Box<dyn Error>> {
    let values: Vec<Values> = (0..BATCHES).map(Values::new).collect();
    let host = values.iter().map(Values::host).collect::<Result<Vec<_>, _>>()?;
    let engine = values.iter().map(Values::engine).collect::<Result<Vec<_>, _>>()?;
    let input = Schema::from_arrow(&engine[0].schema())?;
    println!(
        "{} rows in batches of {BATCH_ROWS}, one thread, medians of {PAIRS} alternating pairs",
        BATCHES * BATCH_ROWS
    );
    for (name, sql) in queries() {
        let prepared = session.prepare_over(&sql, input.clone())?;
        let source = MemorySourceConfig::try_new_exec(std::slice::from_ref(&host), host[0].schema(), None)?;
        let plan = HypostyleExec::try_new(source, sql.as_str())?;
        Comparison { prepared: &prepared, input: &input, engine: &engine, plan, context }.print(name).await?;
    }
    Ok(())
}

/// The rows with texts as views, as DataFusion reads them from Parquet and as the engine has them: an Arrow file holds what was written.
fn with_text_views(batch: &RecordBatch) -> Result<RecordBatch, Box<dyn Error>> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
        let column = match column.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 => cast(column, &DataType::Utf8View)?,
            _ => Arc::clone(column),
        };
        Ok((field.name().clone(), column))
    });
    Ok(RecordBatch::try_from_iter(columns.collect::<Result<Vec<_>, ArrowError>>()?)?)
}

async fn transform_over_a_file(
    session: &Session,
    context: &SessionContext,
    artifact: &str,
    file: &str,
) -> Result<(), Box<dyn Error>> {
    let transform = session.load_transform(artifact)?;
    let (prepared, input) = (transform.prepare()?, transform.inputs());
    let engine: Vec<_> = session.sql(&format!("SELECT * FROM '{file}'"))?.collect::<Result<Vec<_>, _>>()?;
    context.register_arrow("events", file, ArrowReadOptions::default()).await?;
    let host = context.table("events").await?.collect().await?;
    let whole = with_text_views(&concat_batches(&host[0].schema(), &host)?)?;
    let mut start = 0;
    let host: Vec<RecordBatch> = engine
        .iter()
        .map(|batch| {
            start += batch.num_rows();
            whole.slice(start - batch.num_rows(), batch.num_rows())
        })
        .collect();
    let source = MemorySourceConfig::try_new_exec(std::slice::from_ref(&host), whole.schema(), None)?;
    let plan = HypostyleExec::try_new(source, Features::load(artifact)?)?;
    Comparison { prepared: &prepared, input: &input, engine: &engine, plan, context }.print("transform").await
}
