//! Tables over several files: patterns, partitions, united columns, file names, and Arrow files and streams.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod reading;

use std::path::Path;

use hypostyle_connectors::function_for_path;
use hypostyle_engine::plan::Expression;
use hypostyle_functions::{Literal, Type, Value};
use reading::{
    batches, bind, context, files_below, filtered, option, read, real_files, request, rows, schema,
};

/// A directory with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    directory
}

fn write(format: &str, path: &Path, from: &str, options: &[(String, Literal)]) {
    let table = bind(function_for_path(from).unwrap(), from, &[]).unwrap();
    let context = context();
    let factory = context.catalog.writer(format).unwrap();
    let mut writer = factory.open(&path.display().to_string(), table.schema(), options, &context).unwrap();
    for batch in batches(table.as_ref(), request(table.as_ref(), 100)).unwrap() {
        writer.write(&batch).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn patterns_lists_and_directories_are_tables() {
    let folder = folder(&[
        ("b.csv", "x\n2\n"),
        ("a.csv", "x\n1\n"),
        ("sub/c.csv", "x\n3\n"),
        ("_skipped/d.csv", "x\n4\n"),
    ]);
    let at = |pattern: &str| folder.path().join(pattern);
    assert_eq!(read("read_csv", at("*.csv"), &[]).unwrap().1, ["1", "2"]);
    assert_eq!(read("read_csv", at("{b,a}.csv"), &[]).unwrap().1, ["2", "1"]);
    assert_eq!(read("read_csv", folder.path(), &[]).unwrap().1, ["1", "2", "3"]);
    let missing = read("read_csv", at("a.cvs"), &[]).unwrap_err();
    assert!(missing.ends_with("a.cvs: there is no such file; did you mean \"a.csv\"?"), "{missing}");
    let missing = read("read_csv", at("*.nothing"), &[]).unwrap_err();
    assert!(missing.ends_with("no file matches the pattern"), "{missing}");
    let remote = read("read_csv", "s3://bucket/x.csv", &[]).unwrap_err();
    assert!(remote.contains("s3 locations cannot be read"), "{remote}");
}

#[test]
fn partitions_are_columns_and_prune_files() {
    let folder = folder(&[
        ("year=2020/city=New%20York/x.csv", "v\n1\n"),
        ("year=2021/city=__HIVE_DEFAULT_PARTITION__/x.csv", "v\n2\n"),
        // A file that would fail if it were read.
        ("year=2022/city=Rome/x.csv", "v\nnot a number\n"),
    ]);
    let pattern = folder.path().join("**/*.csv");
    let stated = reading::types("types", &[("v", "BIGINT")]);
    let table = bind("read_csv", &pattern, std::slice::from_ref(&stated)).unwrap();
    assert_eq!(schema(table.as_ref()), "v BIGINT, year BIGINT, city VARCHAR");
    let year = Expression::column(1, Type::Int64);
    let literal = Expression::Literal(Literal::new(Value::Int64(2021)));
    let filter = Expression::call("<=", vec![year, literal], Type::Boolean);
    assert_eq!(filtered(table.as_ref(), vec![0, 1, 2], vec![filter]), 2);
    assert!(rows(table.as_ref(), 10).unwrap_err().contains("year=2022"));
    let plain = bind("read_csv", &pattern, &[option("hive_partitioning", false), stated]).unwrap();
    assert_eq!(schema(plain.as_ref()), "v BIGINT");
    let first = folder.path().join("year=202{0,1}/*/*.csv");
    assert_eq!(read("read_csv", first, &[]).unwrap().1, ["1|2020|New York", "2|2021|NULL"]);
}

#[test]
fn columns_are_united_by_name_on_request() {
    let folder = folder(&[("a.csv", "x,y\n1,2\n"), ("b.csv", "y,x,z\n2.5,3,text\n")]);
    let pattern = folder.path().join("*.csv");
    assert_eq!(
        read("read_csv", &pattern, &[]).unwrap(),
        ("x BIGINT, y DOUBLE".into(), vec!["1|2.0".into(), "3|2.5".into()])
    );
    let united = read("read_csv", &pattern, &[option("union_by_name", true)]).unwrap();
    assert_eq!(
        united,
        ("x BIGINT, y DOUBLE, z VARCHAR".into(), vec!["1|2.0|NULL".into(), "3|2.5|text".into()])
    );
    let named = read("read_csv", &pattern, &[option("filename", true)]).unwrap();
    assert_eq!(named.1[0], format!("1|2.0|{}", folder.path().join("a.csv").display()));
    std::fs::write(folder.path().join("c.csv"), "x\n4\n").unwrap();
    let lacking = read("read_csv", &pattern, &[]).unwrap_err();
    assert!(
        lacking.contains("no column \"y\", which the first file has; union_by_name => true"),
        "{lacking}"
    );
}

#[test]
fn arrow_files_and_streams_read_back_with_every_compression() {
    let source = folder(&[(
        "x.csv",
        "a,b,c\n1,x,2020-01-02\n,\"long text that is no inline view\",\n3,z,2021-01-02\n",
    )]);
    let source = source.path().join("x.csv").display().to_string();
    let expected = read("read_csv", &source, &[]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    for compression in ["none", "lz4", "zstd"] {
        for format in ["arrow", "arrows"] {
            let path = directory.path().join("x.arrow");
            write(format, &path, &source, &[option("compression", compression)]);
            assert_eq!(read("read_arrow", &path, &[]).unwrap(), expected, "{format} {compression}");
            let bytes = std::fs::read(&path).unwrap();
            for length in (0..bytes.len() - 16).step_by(37) {
                std::fs::write(&path, &bytes[..length]).unwrap();
                let outcome = read("read_arrow", &path, &[]);
                assert!(outcome.is_err() || format == "arrows", "{length} of {} bytes", bytes.len());
            }
        }
    }
}

#[test]
fn columns_of_one_name_are_told_apart() {
    use arrow::array::{Int64Array, RecordBatch};
    use arrow::datatypes::{DataType, Field, Schema};
    let fields = vec![Field::new("a", DataType::Int64, true), Field::new("A", DataType::Int64, true)];
    let columns = [1, 2].map(|value| std::sync::Arc::new(Int64Array::from(vec![value])) as _);
    let batch = RecordBatch::try_new(std::sync::Arc::new(Schema::new(fields)), columns.to_vec()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.parquet");
    let options = hypostyle_connectors::parquet::ParquetWriteOptions::default();
    let mut writer =
        hypostyle_connectors::parquet::ParquetWriter::create(&path, &batch.schema(), &options).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    assert_eq!(
        read("read_parquet", &path, &[]).unwrap(),
        ("a BIGINT, A_1 BIGINT".into(), vec!["1|2".into()])
    );
}

#[test]
fn csv_and_parquet_of_one_table_agree() {
    let source = folder(&[("x.csv", "a,b\n1,\"x,\"\"y\"\"\"\n2,\n3,\" edge \"\n")]);
    let source = source.path().join("x.csv").display().to_string();
    let expected = read("read_csv", &source, &[]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    for name in ["y.csv", "y.csv.gz", "y.tsv", "y.parquet"] {
        let path = directory.path().join(name);
        let format = if name.contains("csv") { "csv" } else { &name[2..] };
        write(format, &path, &source, &[]);
        assert_eq!(read(function_for_path(name).unwrap(), &path, &[]).unwrap(), expected, "{name}");
    }
}

#[test]
fn a_target_that_cannot_be_written_is_an_error() {
    let source = folder(&[("x.csv", "a\n1\n")]);
    let table = bind("read_csv", source.path().join("x.csv"), &[]).unwrap();
    let context = context();
    for format in ["parquet", "csv", "json", "arrow"] {
        let factory = context.catalog.writer(format).unwrap();
        let error =
            factory.open("/no/such/directory/x", table.schema(), &[], &context).err().unwrap().to_string();
        assert!(error.contains("/no/such/directory/x"), "{error}");
        let unknown = factory
            .open("x", table.schema(), &[option("compresion", "zstd")], &context)
            .err()
            .unwrap()
            .to_string();
        assert_eq!(unknown, "COPY: option compresion: not known; did you mean compression?");
    }
}

#[test]
fn real_arrow_files_are_read_or_refused_by_name() {
    let Some(folder) = real_files() else { return };
    for extension in [".arrow_file", ".stream"] {
        for file in files_below(&folder.join("arrow-ipc"), extension) {
            let outcome = read("read_arrow", &file, &[]);
            match outcome {
                Ok(_) => {}
                // Durations of more than the 292 years that 64 bits of nanoseconds hold.
                Err(error) => {
                    assert!(error.contains("generated_interval") && error.contains("column \"f"), "{error}")
                }
            }
        }
    }
    let both = ["generated_primitive.arrow_file", "generated_primitive.stream"]
        .map(|name| read("read_arrow", folder.join("arrow-ipc/0.14.1").join(name), &[]).unwrap());
    assert_eq!(both[0].1.len(), 37);
    assert_eq!(both[0], both[1]);
}
