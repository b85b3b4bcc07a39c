//! Large row groups of Parquet are read in parts, which share what is decoded once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod reading;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use bumpalo::Bump;
use hypostyle_engine::plan::Expression;
use hypostyle_engine::table::{Reader, ScanRequest, TableProvider};
use hypostyle_engine::{Batch, Catalog, Configuration, Context};
use hypostyle_functions::column::Column;
use hypostyle_functions::scalar::Settings;
use hypostyle_functions::{Literal, Registry, Type, Value};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use reading::{bind, filtered, request};

const ROWS: i64 = 500_000;

/// The text of a row, one of ten; null in every eleventh.
fn kind(row: i64) -> Option<String> {
    (row % 11 != 0).then(|| format!("kind-{}", row / 50_000))
}

/// One row group: ascending numbers, few texts with nulls, and texts of which no two are equal; with or without an index of its pages.
fn write(path: &Path, page_rows: usize, indexed: bool) {
    let columns: [(&str, ArrayRef); 3] = [
        ("id", Arc::new((0..ROWS).collect::<Int64Array>())),
        ("kind", Arc::new((0..ROWS).map(kind).collect::<StringArray>())),
        ("text", Arc::new((0..ROWS).map(|row| Some(format!("{row:07}"))).collect::<StringArray>())),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)));
    let batch = batch.unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(ROWS as usize))
        .set_data_page_row_count_limit(page_rows)
        .set_data_page_size_limit(64 << 20)
        .set_write_batch_size(1000)
        .set_offset_index_disabled(!indexed)
        .set_statistics_enabled(if indexed { EnabledStatistics::Page } else { EnabledStatistics::Chunk })
        .build();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// The readers of all morsels for so many workers.
fn readers(table: &dyn TableProvider, request: ScanRequest, threads: usize) -> Vec<Box<dyn Reader>> {
    let configuration = Configuration { threads, ..Configuration::default() };
    let (registry, catalog) = (Arc::new(Registry::builtin()), Arc::new(Catalog::default()));
    let context = Arc::new(Context::new(registry, catalog, Settings::default(), configuration));
    let scan = table.scan(request, &context).unwrap();
    std::iter::from_fn(|| scan.claim().unwrap()).collect()
}

/// Holds the rows of a batch against those that were written; gives the number of the first, and of the one behind the last.
fn check(batch: &Batch) -> (i64, i64) {
    let bump = Bump::new();
    let types = [Type::Int64, Type::Text, Type::Text];
    let views: Vec<_> =
        batch.columns.iter().zip(&types).map(|(column, data_type)| column.view(data_type, &bump)).collect();
    let ids = views[0].fixed::<i64>();
    let first = ids.get(0);
    for (row, id) in (0..batch.rows).zip(first..) {
        assert_eq!(ids.get(row), id);
        let known = (!views[1].is_null(row)).then(|| views[1].text().get(row).to_owned());
        assert_eq!(known, kind(id), "row {id}");
        assert_eq!(views[2].text().get(row), format!("{id:07}"));
    }
    (first, first + batch.rows as i64)
}

#[test]
fn parts_read_in_any_order_hold_all_rows() {
    for indexed in [true, false] {
        check_parts(indexed);
    }
}

fn check_parts(indexed: bool) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.parquet");
    write(&path, 20_000, indexed);
    let table = bind("read_parquet", &path, &[]).unwrap();
    let mut readers = readers(table.as_ref(), request(table.as_ref(), 2048), 2);
    assert_eq!(readers.len(), 4);
    // The last part is read before the others, which are read side by side.
    let mut last = readers.pop().unwrap();
    let mut spans = Vec::new();
    while let Some(batch) = last.next().unwrap() {
        spans.push(check(&batch));
    }
    drop(last);
    let mut dictionaries = Vec::new();
    while !readers.is_empty() {
        readers.retain_mut(|reader| match reader.next().unwrap() {
            Some(batch) => {
                spans.push(check(&batch));
                if let Column::Dictionary { values, .. } = &batch.columns[1] {
                    dictionaries.push(Arc::clone(values));
                }
                true
            }
            None => false,
        });
    }
    spans.sort_unstable();
    assert!(spans.windows(2).all(|pair| pair[0].1 == pair[1].0));
    assert_eq!((spans[0].0, spans[spans.len() - 1].1), (0, ROWS));
    assert!(
        dictionaries.len() > 100 && dictionaries.iter().all(|values| Arc::ptr_eq(values, &dictionaries[0]))
    );
}

#[test]
fn conditions_hold_in_every_part() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.parquet");
    write(&path, 20_000, false);
    let table = bind("read_parquet", &path, &[]).unwrap();
    for name in ["kind-2", "kind-9", "kind-10"] {
        let arguments =
            vec![Expression::column(1, Type::Text), Expression::Literal(Literal::new(Value::text(name)))];
        let condition = Expression::call("=", arguments, Type::Boolean);
        let expected = (0..ROWS).filter(|&row| kind(row).as_deref() == Some(name)).count();
        assert_eq!(filtered(table.as_ref(), vec![0, 2], vec![condition]), expected, "{name}");
    }
}

#[test]
fn few_pages_are_read_by_one_reader() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.parquet");
    write(&path, ROWS as usize, true);
    let table = bind("read_parquet", &path, &[]).unwrap();
    assert_eq!(readers(table.as_ref(), request(table.as_ref(), 2048), 8).len(), 1);
}

#[test]
fn one_worker_reads_a_row_group_as_a_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.parquet");
    write(&path, 20_000, false);
    let table = bind("read_parquet", &path, &[]).unwrap();
    let request = request(table.as_ref(), 2048);
    assert_eq!(readers(table.as_ref(), request.clone(), 1).len(), 1);
    assert_eq!(readers(table.as_ref(), ScanRequest { limit: Some(10), ..request }, 8).len(), 1);
}
