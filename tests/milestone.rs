//! One feature query, every driver: batches on one and two threads, pushed batches, plan bytes read back,
//! and one row at a time, on every CPU level, with equal bits.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeListArray, Float32Array, Float64Array, Int64Array, Int64Builder, ListBuilder,
    RecordBatch, StringArray,
};
use arrow::datatypes::{DataType, Field};
use bumpalo::Bump;
use hypostyle::{Batch, Configuration, Session};
use hypostyle_functions::Value;
use hypostyle_functions::column::{import, value_at};
use hypostyle_functions::types::Schema;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

const ROWS: usize = 5_000;

/// The features: dense, bucketized, hashed lists, embedding similarity, tokens, lazy forms and a lambda.
const FEATURES: &str = "
    log1p(price) AS price,
    bucketize(price, [10.0, 100.0, 1000.0]) AS price_bucket,
    sigrid_hash(ids, 7, 1000) AS ids,
    cosine_similarity(embedding, [0.5, -0.25, 1.0, 2.0]::FLOAT[4]) AS similarity,
    tokenize(title, 'cl100k_base') AS tokens,
    CASE WHEN kind = 'sale' THEN price * 0.5 WHEN kind = 'new' THEN price + 1 ELSE -price END AS adjusted,
    TRY(quantity // (quantity % 3)) AS risky,
    list_transform(ids, id -> id * 2 + quantity) AS shifted,
    upper(kind) || '-' || quantity AS label";

/// Deterministic bits.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn table() -> RecordBatch {
    let price = |row: u64| match row % 17 {
        0 => None,
        1 => Some(f64::NAN),
        2 => Some(f64::INFINITY),
        _ => Some((mix(row) % 1_000_000) as f64 / 300.0 - 5.0),
    };
    let rows = 0..ROWS as u64;
    let prices: Float64Array = rows.clone().map(price).collect();
    let quantities: Int64Array =
        rows.clone().map(|row| (row % 29 != 3).then_some(mix(row * 3) as i64 % 50)).collect();
    let kinds: StringArray = rows
        .clone()
        .map(|row| [Some("sale"), Some("new"), Some("used"), None][(mix(row) % 4) as usize])
        .collect();
    let titles: StringArray =
        rows.clone().map(|row| Some(format!("Item no. {} – naïve café, isn't it?", mix(row) % 97))).collect();
    let mut ids = ListBuilder::new(Int64Builder::new());
    for row in rows.clone() {
        (0..mix(row) % 6).for_each(|at| ids.values().append_value((mix(row * 31 + at) >> 3) as i64));
        ids.append(row % 13 != 5);
    }
    let components: Float32Array =
        (0..ROWS as u64 * 4).map(|at| Some((mix(at) % 2000) as f32 / 1000.0 - 1.0)).collect();
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    let embeddings = FixedSizeListArray::new(item, 4, Arc::new(components), None);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("price", Arc::new(prices)),
        ("quantity", Arc::new(quantities)),
        ("kind", Arc::new(kinds)),
        ("title", Arc::new(titles)),
        ("ids", Arc::new(ids.finish())),
        ("embedding", Arc::new(embeddings)),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn write_parquet(batch: &RecordBatch, path: &Path) {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(1_100)).build();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

/// Values by row; floats compare by their bits.
fn values(batches: &[RecordBatch]) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for batch in batches {
        let schema = Schema::from_arrow(&batch.schema()).unwrap();
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .zip(&schema.fields)
            .map(|(array, field)| import(array, &field.data_type).unwrap())
            .collect();
        let bump = Bump::new();
        let views: Vec<_> = columns
            .iter()
            .zip(&schema.fields)
            .map(|(column, field)| column.view(&field.data_type, &bump))
            .collect();
        rows.extend((0..batch.num_rows()).map(|row| views.iter().map(|view| value_at(view, row)).collect()));
    }
    rows
}

fn session(threads: usize, batch_rows: usize, fuse: bool) -> Session {
    Session::with_configuration(Configuration { threads, batch_rows, fuse, ..Configuration::default() })
}

fn expected(path: &str) -> Vec<Vec<Value>> {
    let batches = session(1, 2048, true)
        .sql(&format!("SELECT {FEATURES} FROM '{path}'"))
        .unwrap()
        .collect_all()
        .unwrap();
    let rows = values(&batches);
    assert_eq!(rows.len(), ROWS);
    rows
}

fn parquet_file() -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("items.parquet");
    write_parquet(&table(), &path);
    let path = path.to_str().unwrap().to_string();
    (directory, path)
}

#[test]
fn batches_threads_and_fusion_give_equal_bits() {
    let (_directory, path) = parquet_file();
    let expected = expected(&path);
    for (threads, batch_rows, fuse) in
        [(2, 2048, true), (1, 1, true), (2, 3, true), (1, 997, false), (2, 2048, false)]
    {
        let answer =
            session(threads, batch_rows, fuse).sql(&format!("SELECT {FEATURES} FROM '{path}'")).unwrap();
        let rows = values(&answer.collect_all().unwrap());
        assert!(rows == expected, "{threads} threads, batches of {batch_rows}, fuse {fuse}");
    }
}

#[test]
fn pushed_batches_give_equal_bits() {
    let (_directory, path) = parquet_file();
    let expected = expected(&path);
    let table = table();
    let schema = Schema::from_arrow(&table.schema()).unwrap();
    let session = session(1, 2048, true);
    session.register_input("items", schema.clone());
    let prepared = session.prepare(&format!("SELECT {FEATURES} FROM items")).unwrap();
    let mut run = prepared.start(&[]).unwrap();
    let arrow_schema = Arc::new(prepared.schema().to_arrow());
    let mut batches = Vec::new();
    let cuts = [0, 1, 4, 1000, 1001, 3500, ROWS];
    for cut in cuts.windows(2) {
        let part = table.slice(cut[0], cut[1] - cut[0]);
        run.push(Batch::import(&part, &schema).unwrap()).unwrap();
        while let Some(batch) = run.next().unwrap() {
            batches.push(batch.export(&arrow_schema).unwrap());
        }
    }
    run.finish().unwrap();
    while let Some(batch) = run.next().unwrap() {
        batches.push(batch.export(&arrow_schema).unwrap());
    }
    assert!(values(&batches) == expected);
}

#[test]
fn a_plan_read_back_from_bytes_gives_equal_bits() {
    let (_directory, path) = parquet_file();
    let session = session(1, 2048, true);
    let bytes =
        session.prepare(&format!("SELECT {FEATURES} FROM '{path}'")).unwrap().plan().to_bytes().unwrap();
    let plan = hypostyle::plan::Plan::from_bytes(&bytes).unwrap();
    let batches = session.prepare_plan(plan).unwrap().run(&[]).unwrap().collect_all().unwrap();
    assert!(values(&batches) == expected(&path));
}

#[test]
fn single_rows_give_equal_bits() {
    let (_directory, path) = parquet_file();
    let expected = expected(&path);
    let prepared = session(1, 2048, true).prepare(&format!("SELECT {FEATURES} FROM '{path}'")).unwrap();
    let mut row = prepared.row(&[]).unwrap();
    let inputs = row.inputs().clone();
    let table = table();
    let positions: Vec<usize> =
        inputs.fields.iter().map(|field| table.schema().index_of(&field.name).unwrap()).collect();
    let given = values(&[table.project(&positions).unwrap()]);
    for (number, (fields, expected)) in given.iter().zip(&expected).enumerate() {
        row.start(1).unwrap();
        fields.iter().enumerate().for_each(|(column, value)| row.set_value(column, value).unwrap());
        row.evaluate().unwrap();
        let results: Vec<Value> = (0..expected.len()).map(|output| row.value(output, 0)).collect();
        assert!(results == *expected, "row {number}");
    }
}

#[test]
fn every_cpu_level_gives_equal_bits() {
    let (_directory, path) = parquet_file();
    let digest = |level: &str| {
        let program = std::env::current_exe().unwrap();
        let output = std::process::Command::new(program)
            .args(["--exact", "digest_of_the_features", "--nocapture"])
            .env("HYPOSTYLE_CPU", level)
            .env("HYPOSTYLE_MILESTONE_FILE", &path)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.lines().find_map(|line| line.split("digest ").nth(1).map(str::to_string));
        line.unwrap_or_else(|| panic!("no digest at level {level}: {text}"))
    };
    let portable = digest("portable");
    for level in ["avx2", "avx512"] {
        assert_eq!(digest(level), portable, "{level}");
    }
}

/// Prints a digest of the features when it is run by [`every_cpu_level_gives_equal_bits`].
#[test]
fn digest_of_the_features() {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let Ok(path) = std::env::var("HYPOSTYLE_MILESTONE_FILE") else { return };
    let mut hasher = DefaultHasher::new();
    expected(&path).hash(&mut hasher);
    println!("\ndigest {:016x}", hasher.finish());
}

#[test]
fn a_limit_stops_the_scan() {
    let (_directory, path) = parquet_file();
    let mut answer = session(1, 100, true).sql(&format!("SELECT {FEATURES} FROM '{path}' LIMIT 10")).unwrap();
    let batch = answer.next_batch().unwrap().unwrap();
    assert_eq!(batch.num_rows(), 10);
    assert!(answer.next_batch().unwrap().is_none());
    let read = answer.metrics().unwrap().operators.iter().map(|operator| operator.rows).max().unwrap();
    assert!(read <= 200, "{read} rows left an operator");
}

#[test]
fn a_group_by_and_a_join_spill_under_64_mib_and_give_equal_rows() {
    let query = "
        SELECT a.k, count(*) AS n, sum(a.v + b.w) AS s
        FROM (SELECT (i * 7919) % 1500000 AS k, i::DOUBLE / 3 AS v FROM range(3000000) t(i)) a
        JOIN (SELECT i AS k, i * 2 AS w, 'payload of row ' || i AS text FROM range(1500000) t(i)) b ON a.k = b.k
        GROUP BY a.k ORDER BY a.k";
    let free = values(&session(2, 2048, true).sql(query).unwrap().collect_all().unwrap());
    let tight = Session::with_configuration(Configuration {
        threads: 2,
        memory_limit_bytes: Some(64 << 20),
        ..Configuration::default()
    });
    let mut answer = tight.sql(query).unwrap();
    let mut batches = Vec::new();
    while let Some(batch) = answer.next_batch().unwrap() {
        batches.push(batch);
    }
    let spilled: u64 =
        answer.metrics().unwrap().operators.iter().map(|operator| operator.spilled_bytes).sum();
    assert!(spilled > 0, "nothing was spilled");
    assert_eq!(free.len(), 1_500_000);
    assert!(values(&batches) == free);
}
