//! The same features by the engine alone: what the plans are held against.

use std::sync::Arc;

use arrow::array::RecordBatch;
use engine_arrow::array as engine_array;
use engine_arrow::datatypes as engine_types;
use hypostyle::{Prepared, Session, Transform};

use super::events::events;
use crate::border;
use crate::features::single_threaded;

/// Features of every kind of column: fused arithmetic, hashes, text, dictionaries, lists, vectors, times, branches.
pub(super) const FEATURES: &str = "SELECT id, log1p(greatest(price, 0)) AS price, sigrid_hash(id, 7, 1000) AS hashed, hash_bucket(kind, 1000) AS kind,
    upper(city) AS city, bucketize(price, [0, 10, 100, 1000]) AS bucket, list_sum(tags) AS tags,
    cosine_similarity(vector, [1, 2, 3, 4]::FLOAT[4]) AS likeness, date_part('dow', at) AS day,
    CASE WHEN price > 100 THEN 'dear' WHEN price IS NULL THEN note ELSE kind END AS label,
    regexp_extract(note, '([0-9]{3})', 1) AS digits, price * 2 + id AS mixed, vector, city AS town FROM input";

/// A transform of several analyzers.
pub(super) const TRANSFORM: &str = "SELECT id, standard_scale(price) AS price, vocab_encode(city) AS city,
    quantile_bucketize(price, 8) AS bucket, vocab_encode(kind, top_k => 8, oov => 4) AS kind,
    impute(price, 'median') AS filled FROM input";

fn into_engine(batch: &RecordBatch) -> engine_array::RecordBatch {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
        let data_type = border::type_into_engine(field.data_type()).unwrap();
        (field.name().clone(), border::array_into_engine(column, &data_type).unwrap(), true)
    });
    engine_array::RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

/// The schema of the events in the engine.
fn input() -> hypostyle::Schema {
    let schema: engine_types::SchemaRef = into_engine(&events(0, 0)).schema();
    hypostyle::Schema::from_arrow(&schema).unwrap()
}

/// The transform, fitted on these events.
pub(super) fn fitted(events: &[RecordBatch]) -> Transform {
    let session: Session = single_threaded();
    session.register("train", events.iter().map(into_engine).collect()).unwrap();
    session.fit(TRANSFORM, "train").unwrap()
}

/// The rows of a query over pushed events.
pub(super) fn query(sql: &str, events: &[RecordBatch]) -> Vec<RecordBatch> {
    pushed(&single_threaded().prepare_over(sql, input()).unwrap(), &input(), events)
}

/// The rows of a transform over pushed events.
pub(super) fn transform(transform: &Transform, events: &[RecordBatch]) -> Vec<RecordBatch> {
    pushed(&transform.prepare().unwrap(), &transform.inputs(), events)
}

fn pushed(prepared: &Prepared, input: &hypostyle::Schema, events: &[RecordBatch]) -> Vec<RecordBatch> {
    let engine_schema = Arc::new(prepared.schema().to_arrow());
    let schema = border::exported_schema(prepared.schema()).unwrap();
    let mut run = prepared.start(&[]).unwrap();
    let mut outputs = Vec::new();
    for batch in events {
        run.push(hypostyle::input_batch(&into_engine(batch), input).unwrap()).unwrap();
    }
    run.finish().unwrap();
    while let Some(batch) = run.next().unwrap() {
        outputs.push(border::batch_from_engine(&batch.export(&engine_schema).unwrap(), &schema).unwrap());
    }
    outputs
}
