//! Parquet: what is written reads back, pruning drops only what cannot match, dictionaries stay, damage is an error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod reading;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, FixedSizeListArray, Float64Array,
    Int32Array, Int64Array, ListArray, RecordBatch, StringArray, StringViewArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Float32Type, Int32Type, Schema};
use hypostyle_connectors::input::{BufferPool, LocalFile};
use hypostyle_connectors::parquet::{ParquetCompression, ParquetFile, ParquetWriteOptions, ParquetWriter};
use hypostyle_connectors::table::predicate_of;
use hypostyle_engine::key_filter::{KeyFilter, KeySet};
use hypostyle_engine::plan::Expression;
use hypostyle_functions::column::Column;
use hypostyle_functions::{Literal, Type, Value};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use reading::{batches, bind, context, files_below, filtered, read, real_files, request, rows};

fn write(path: &Path, batch: &RecordBatch, options: &ParquetWriteOptions) {
    let mut writer = ParquetWriter::create(path, &batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
}

/// 100,000 rows: ascending numbers, few texts, numbers with NaN, many texts, all null.
fn events() -> RecordBatch {
    let rows = 100_000i64;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new((0..rows).collect::<Int64Array>())),
        (
            "kind",
            Arc::new(
                (0..rows)
                    .map(|row| (row % 11 != 0).then(|| format!("kind-{}", row / 10_000)))
                    .collect::<StringArray>(),
            ),
        ),
        (
            "score",
            Arc::new(
                (0..rows)
                    .map(|row| if row == 5 { f64::NAN } else { row as f64 / 2.0 })
                    .collect::<Float64Array>(),
            ),
        ),
        (
            "text",
            Arc::new(
                (0..rows)
                    .map(|row| Some(format!("a longer text of its own {row:07}")))
                    .collect::<StringArray>(),
            ),
        ),
        ("nothing", Arc::new((0..rows).map(|_| None::<i32>).collect::<Int32Array>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn column(index: usize, data_type: Type) -> Expression {
    Expression::column(index, data_type)
}

fn constant(value: Value) -> Expression {
    Expression::Literal(Literal::new(value))
}

fn compare(index: usize, comparison: &str, value: Value) -> Expression {
    let data_type = value.data_type();
    Expression::call(comparison, vec![column(index, data_type), constant(value)], Type::Boolean)
}

#[test]
fn every_compression_and_layout_reads_back() {
    let directory = tempfile::tempdir().unwrap();
    let batch = events().slice(0, 5_000);
    let codecs = [
        ParquetCompression::None,
        ParquetCompression::Snappy,
        ParquetCompression::Gzip,
        ParquetCompression::Zstd(3),
        ParquetCompression::Lz4,
        ParquetCompression::Brotli,
    ];
    let mut answers = Vec::new();
    for compression in codecs {
        for (row_group_rows, dictionary) in [(700, true), (1_000_000, false)] {
            let path = directory.path().join("x.parquet");
            let options = ParquetWriteOptions {
                compression,
                row_group_rows,
                dictionary,
                ..ParquetWriteOptions::default()
            };
            write(&path, &batch, &options);
            let table = bind("read_parquet", &path, &[]).unwrap();
            answers.push(rows(table.as_ref(), 512).unwrap());
        }
    }
    assert_eq!(answers[0].len(), 5_000);
    assert_eq!(answers[0][12], "12|kind-0|6.0|a longer text of its own 0000012|NULL");
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

#[test]
fn nested_and_exact_types_read_back() {
    let list =
        ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None, Some(vec![])]);
    let embedding = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(
        [Some(vec![Some(1.5), Some(2.0)]), None, Some(vec![Some(0.0), Some(-1.0)])],
        2,
    );
    let object = StructArray::from(vec![
        (
            Arc::new(Field::new("a", DataType::Boolean, true)),
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("b", DataType::Utf8View, true)),
            Arc::new(StringViewArray::from(vec!["x", "y", "z"])) as ArrayRef,
        ),
    ]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("list", Arc::new(list)),
        ("embedding", Arc::new(embedding)),
        ("object", Arc::new(object)),
        (
            "price",
            Arc::new(
                Decimal128Array::from(vec![Some(150), None, Some(-5)])
                    .with_precision_and_scale(10, 2)
                    .unwrap(),
            ),
        ),
        ("day", Arc::new(Date32Array::from(vec![Some(0), None, Some(-1)]))),
        (
            "instant",
            Arc::new(TimestampMicrosecondArray::from(vec![Some(0), None, Some(1)]).with_timezone("UTC")),
        ),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.parquet");
    write(&path, &batch, &ParquetWriteOptions::default());
    let (schema, rows) = read("read_parquet", &path, &[]).unwrap();
    assert_eq!(
        schema.replace('"', ""),
        "list INTEGER[], embedding FLOAT[2], object STRUCT(a BOOLEAN, b VARCHAR), price DECIMAL(10,2), day DATE, \
         instant TIMESTAMP WITH TIME ZONE"
    );
    assert_eq!(rows[0], "[1, NULL]|[1.5, 2.0]|{'a': true, 'b': x}|1.50|1970-01-01|1970-01-01 00:00:00+00");
    assert_eq!(rows[1], "NULL|NULL|{'a': NULL, 'b': y}|NULL|NULL|NULL");
}

#[test]
fn filters_prune_row_groups_and_pages_and_nothing_that_matches() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.parquet");
    let options = ParquetWriteOptions {
        row_group_rows: 10_000,
        dictionary: false,
        bloom_filters: vec!["text".into()],
        ..ParquetWriteOptions::default()
    };
    write(&path, &events(), &options);
    let file = ParquetFile::open(Arc::new(LocalFile::open(&path).unwrap()), None).map(Arc::new).unwrap();
    let pool = BufferPool::new(context().memory.query().account("test").reserve(), std::sync::Arc::default());
    let table = bind("read_parquet", &path, &[]).unwrap();
    // Rows that pruning leaves, and rows that come.
    let read = |filter: Expression| {
        let predicates: Vec<_> = predicate_of(&filter).into_iter().collect();
        let planned = file.plan(&[0, 3], &predicates, &[], &pool).unwrap().rows();
        (planned, filtered(table.as_ref(), vec![0, 3], vec![filter]))
    };
    let all = 100_000;
    assert_eq!(read(compare(0, "<", Value::Int64(0))), (0, 0));
    let (planned, rows) = read(compare(0, "=", Value::Int64(54_321)));
    assert!((1..=10_000).contains(&planned), "{planned} rows for one value");
    assert_eq!(rows, 1);
    let (planned, rows) = read(compare(0, ">=", Value::Int64(75_000)));
    assert!((25_000..=30_000).contains(&planned));
    assert_eq!(rows, 25_000);
    // NaN is greater than every number, so the bounds refute only where the file counts no NaN.
    assert_eq!(read(compare(2, ">", Value::float64(1e9))), (10_000, 1));
    assert_eq!(read(compare(2, "<", Value::float64(-1.0))), (0, 0));
    assert_eq!(read(Expression::call("is_not_null", vec![column(4, Type::Int32)], Type::Boolean)), (0, 0));
    assert_eq!(read(Expression::call("is_null", vec![column(4, Type::Int32)], Type::Boolean)), (all, all));
    assert_eq!(read(compare(4, "=", Value::Int32(1))), (0, 0));
    // Inside the bounds of every row group: only a bloom filter tells.
    let (planned, rows) = read(compare(3, "=", Value::text("a longer text of its own 0050000x")));
    assert!(planned <= 10_000, "{planned} rows for a text that is not there");
    assert_eq!(rows, 0);
    let either =
        Expression::Or(vec![compare(0, "=", Value::Int64(1)), compare(0, "=", Value::Int64(99_999))]);
    let (planned, rows) = read(either);
    assert!((2..=20_000).contains(&planned), "{planned} rows for two values");
    assert_eq!(rows, 2);
    // A condition on two columns is left to the engine.
    let unknown = Expression::Or(vec![
        compare(0, "=", Value::Int64(1)),
        Expression::call("like", vec![column(3, Type::Text), constant(Value::text("%"))], Type::Boolean),
    ]);
    assert_eq!(read(unknown), (all, all));
}

#[test]
fn pruned_pages_leave_the_right_rows_of_every_column() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.parquet");
    write(&path, &events(), &ParquetWriteOptions::default());
    let table = bind("read_parquet", &path, &[]).unwrap();
    let mut request = request(table.as_ref(), 1000);
    request.filters = vec![compare(0, ">=", Value::Int64(70_000)), compare(0, "<", Value::Int64(70_010))];
    let batches = batches(table.as_ref(), request).unwrap();
    let total: usize = batches.iter().map(|batch| batch.rows).sum();
    assert_eq!(total, 10);
    let bump = bumpalo::Bump::new();
    let mut seen = 0;
    for batch in &batches {
        let id = batch.columns[0].view(&Type::Int64, &bump).fixed::<i64>();
        let text_type = Type::Text;
        let (kind, text) =
            (batch.columns[1].view(&text_type, &bump), batch.columns[3].view(&text_type, &bump));
        for row in 0..batch.rows {
            let id = id.get(row);
            assert_eq!(text.text().get(row), format!("a longer text of its own {id:07}"));
            assert_eq!(kind.is_null(row), id % 11 == 0);
            seen += usize::from((70_000..70_010).contains(&id));
        }
    }
    assert_eq!(seen, 10);
}

#[test]
fn rows_without_a_key_of_a_join_are_left_out_where_that_pays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.parquet");
    let bump = bumpalo::Bump::new();
    for dictionary in [true, false] {
        let options =
            ParquetWriteOptions { row_group_rows: 10_000, dictionary, ..ParquetWriteOptions::default() };
        write(&path, &events(), &options);
        let table = bind("read_parquet", &path, &[]).unwrap();
        let left = |keys: ArrayRef, data_type: Type, column: usize| {
            let rows = keys.len();
            let keys = KeySet::new(&Column::Flat(keys).view(&data_type, &bump), rows);
            let mut request = request(table.as_ref(), 1000);
            request.projection = vec![3];
            request.key_filters = vec![Arc::new(KeyFilter::new(column, Arc::new(keys)))];
            assert!(table.scan(request.clone(), &context()).unwrap().applies_key_filters());
            batches(table.as_ref(), request).unwrap().iter().map(|batch| batch.rows).sum::<usize>()
        };
        assert_eq!(left(Arc::new(Int64Array::from(vec![Some(5), None, Some(70_001)])), Type::Int64, 0), 2);
        assert_eq!(left(Arc::new(Int64Array::from(vec![-1])), Type::Int64, 0), 0);
        let kinds = left(Arc::new(StringViewArray::from(vec!["kind-3"])), Type::Text, 1);
        assert!((9_090..12_000).contains(&kinds), "{kinds} rows for one of ten kinds");
        // Nearly every row has a key, and looking at all of them would not pay; nulls find none.
        let all = left(Arc::new((0..100_000).collect::<Int64Array>()), Type::Int64, 0);
        assert_eq!(all, 100_000);
    }
}

#[test]
fn text_stays_a_dictionary_whose_values_are_shared_by_a_row_group() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.parquet");
    write(
        &path,
        &events(),
        &ParquetWriteOptions { row_group_rows: 50_000, ..ParquetWriteOptions::default() },
    );
    let table = bind("read_parquet", &path, &[]).unwrap();
    let batches = batches(table.as_ref(), request(table.as_ref(), 1000)).unwrap();
    let values = |batch: usize, column: usize| match &batches[batch].columns[column] {
        Column::Dictionary { values, .. } => Arc::clone(values),
        other => panic!("{other:?} is not a dictionary"),
    };
    assert!(Arc::ptr_eq(&values(0, 1), &values(49, 1)));
    assert!(!Arc::ptr_eq(&values(0, 1), &values(50, 1)));
    assert_eq!(values(0, 1).data_type(), &DataType::Utf8View);
    // The texts of 50,000 rows outgrow a dictionary, so the chunk falls back to plain pages, which are read flat.
    assert!(Arc::ptr_eq(&values(0, 3), &values(1, 3)));
    assert!(
        matches!(&batches[49].columns[3], Column::Flat(array) if array.data_type() == &DataType::Utf8View)
    );
    assert!(matches!(&batches[0].columns[0], Column::Flat(_)));
}

#[test]
fn numbers_come_as_codes_where_asked_with_a_value_for_nulls() {
    let rows = 40_000;
    let few = (0..rows).map(|row| (row % 7 != 3).then_some(row % 100)).collect::<Int64Array>();
    // The dictionary of the second column grows too large for its page, and the rest of the chunk is plain.
    let many = (0..rows).map(|row| (row % 5 != 1).then_some(row * 1_000)).collect::<Int64Array>();
    let columns: Vec<(&str, ArrayRef)> = vec![("few", Arc::new(few)), ("many", Arc::new(many))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.parquet");
    let properties = WriterProperties::builder().set_dictionary_page_size_limit(100_000).build();
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let table = bind("read_parquet", &path, &[]).unwrap();
    let mut request = request(table.as_ref(), 1000);
    request.coded = vec![0, 1];
    let read = batches(table.as_ref(), request).unwrap();
    let values = |batch: &hypostyle_engine::Batch, column: usize| match &batch.columns[column] {
        Column::Dictionary { values, validity: None, .. } => Some(Arc::clone(values)),
        _ => None,
    };
    let first = values(&read[0], 0).unwrap();
    assert_eq!((first.len(), first.null_count()), (101, 1));
    assert!(read.iter().all(|batch| Arc::ptr_eq(&first, &values(batch, 0).unwrap())));
    assert!(values(&read[0], 1).is_some() && values(read.last().unwrap(), 1).is_none());
    for (number, given) in read.iter().enumerate() {
        for column in 0..2 {
            let expected = batch.column(column).slice(number * 1000, given.rows);
            assert_eq!(&given.columns[column].to_array().unwrap(), &expected);
        }
    }
}

#[test]
fn a_limit_ends_the_scan_early() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.parquet");
    write(&path, &events(), &ParquetWriteOptions { row_group_rows: 1_000, ..ParquetWriteOptions::default() });
    let table = bind("read_parquet", &path, &[]).unwrap();
    let mut request = request(table.as_ref(), 100);
    request.limit = Some(1_500);
    let scan = table.scan(request, &context()).unwrap();
    let mut morsels = 0;
    while scan.claim().unwrap().is_some() {
        morsels += 1;
    }
    assert_eq!(morsels, 2);
}

#[test]
fn five_of_five_thousand_columns_are_read_in_the_order_asked() {
    let fields: Vec<Field> =
        (0..5_000).map(|index| Field::new(format!("f{index}"), DataType::Int32, true)).collect();
    let columns: Vec<ArrayRef> =
        (0..5_000).map(|index| Arc::new(Int32Array::from(vec![index, index + 1])) as ArrayRef).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.parquet");
    write(&path, &batch, &ParquetWriteOptions::default());
    let table = bind("read_parquet", &path, &[]).unwrap();
    let mut request = request(table.as_ref(), 10);
    request.projection = vec![4_999, 0, 2_500, 0, 17];
    let batches = batches(table.as_ref(), request).unwrap();
    let bump = bumpalo::Bump::new();
    let values: Vec<i32> = batches[0]
        .columns
        .iter()
        .map(|column| column.view(&Type::Int32, &bump).fixed::<i32>().get(1))
        .collect();
    assert_eq!(values, [5_000, 1, 2_501, 1, 18]);
    let counted = filtered(table.as_ref(), Vec::new(), Vec::new());
    assert_eq!(counted, 2);
}

#[test]
fn damage_at_any_place_is_an_error_or_other_values_and_never_a_panic() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.parquet");
    let options = ParquetWriteOptions {
        row_group_rows: 50,
        bloom_filters: vec!["text".into()],
        ..ParquetWriteOptions::default()
    };
    write(&path, &events().slice(0, 200), &options);
    let bytes = std::fs::read(&path).unwrap();
    let damaged = directory.path().join("damaged.parquet");
    let attempt = |bytes: &[u8]| {
        std::fs::write(&damaged, bytes).unwrap();
        let table = bind("read_parquet", &damaged, &[])?;
        let mut request = request(table.as_ref(), 64);
        request.filters = vec![compare(3, "=", Value::text("a longer text of its own 0000100"))];
        batches(table.as_ref(), request)?;
        rows(table.as_ref(), 64)
    };
    for length in (0..bytes.len()).step_by(431) {
        let outcome = attempt(&bytes[..length]);
        assert!(outcome.is_err(), "{length} of {} bytes were read as a whole file", bytes.len());
    }
    for position in (0..bytes.len()).step_by(173) {
        let mut flipped = bytes.clone();
        flipped[position] ^= 0xa5;
        if let Err(error) = attempt(&flipped) {
            assert!(error.contains("damaged.parquet"), "an error without its file: {error}");
        }
    }
}

#[test]
fn a_writer_that_is_dropped_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.parquet");
    std::fs::write(&path, "what was there before").unwrap();
    let batch = events();
    let mut writer = ParquetWriter::create(&path, &batch.schema(), &ParquetWriteOptions::default()).unwrap();
    writer.write(&batch).unwrap();
    drop(writer);
    assert_eq!(std::fs::read(&path).unwrap(), b"what was there before");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn real_files_are_read_and_bad_ones_refused() {
    let Some(folder) = real_files() else { return };
    let count = |name: &str| {
        let table = bind("read_parquet", folder.join(name), &[]).unwrap();
        rows(table.as_ref(), 2048).unwrap().len()
    };
    assert_eq!(count("parquet/testing/alltypes_tiny_pages.parquet"), 7_300);
    assert_eq!(count("parquet/duckdb/manyrowgroups.parquet"), 1_001);
    assert_eq!(count("parquet/duckdb/lineitem-top10000.gzip.parquet"), 10_000);
    assert_eq!(count("features/feast/loan_table.parquet"), 28_638);
    for file in files_below(&folder, ".parquet") {
        let is_small = std::fs::metadata(&file).unwrap().len() < 100_000;
        let outcome = match is_small {
            true => read("read_parquet", &file, &[]).map(|(_, rows)| rows),
            false => bind("read_parquet", &file, &[]).and_then(|table| rows(table.as_ref(), 2048)),
        };
        let is_bad = ["PARQUET-1481", "GH-6229"].iter().any(|name| file.to_string_lossy().contains(name));
        match outcome {
            Ok(_) => assert!(!is_bad, "{} was read", file.display()),
            Err(error) => {
                assert!(is_bad && error.contains("not valid Parquet"), "{}: {error}", file.display())
            }
        }
    }
}
