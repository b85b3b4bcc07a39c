//! CSV: dialects, types, bad records, blocks, compression, and what is written reads back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod reading;

use std::io::Write as _;

use hypostyle_functions::{Literal, Type, Value};
use reading::{TextFile, bind, files_below, option, read, real_files, rows, types};

fn csv(text: impl AsRef<[u8]>, options: &[(String, Literal)]) -> Result<(String, Vec<String>), String> {
    read("read_csv", TextFile::new("x.csv", text).path(), options)
}

fn answer(text: &str) -> (String, Vec<String>) {
    csv(text, &[]).unwrap()
}

fn error(text: impl AsRef<[u8]>, options: &[(String, Literal)]) -> String {
    let error = csv(text, options).unwrap_err();
    // The directory differs from run to run.
    error.split_once("x.csv").map_or(error.clone(), |(_, rest)| format!("x.csv{rest}"))
}

fn expect(text: &str, schema: &str, rows: &[&str]) {
    let (found_schema, found_rows) = answer(text);
    assert_eq!(
        (found_schema.as_str(), found_rows),
        (schema, rows.iter().map(ToString::to_string).collect()),
        "{text:?}"
    );
}

#[test]
fn headers_are_told_from_records() {
    expect("a,b\nc,d\n", "a VARCHAR, b VARCHAR", &["c|d"]);
    expect("a,b\n1,2\n", "a BIGINT, b BIGINT", &["1|2"]);
    expect("1,2\n", "column0 BIGINT, column1 BIGINT", &["1|2"]);
    expect("1,x\n2,y\n", "column0 BIGINT, column1 VARCHAR", &["1|x", "2|y"]);
    expect("2019,2020\n1,2\n", "column0 BIGINT, column1 BIGINT", &["2019|2020", "1|2"]);
    expect("a,b,c\n", "a VARCHAR, b VARCHAR, c VARCHAR", &[]);
    expect("a,,c\n1,2,3\n", "a BIGINT, column1 BIGINT, c BIGINT", &["1|2|3"]);
    expect("", "column0 VARCHAR", &[]);
}

#[test]
fn dialects_are_found() {
    expect("a;b\n1,5;2\n", "a VARCHAR, b BIGINT", &["1,5|2"]);
    expect("a|b\n1|2\n", "a BIGINT, b BIGINT", &["1|2"]);
    expect("a\tb\n1\t2\n", "a BIGINT, b BIGINT", &["1|2"]);
    expect("a,b\n\"x\\\"y\",2\n", "a VARCHAR, b BIGINT", &["x\"y|2"]);
    expect("a,b\n\"x\"\"y\",2\n", "a VARCHAR, b BIGINT", &["x\"y|2"]);
    expect("a,b\n'x,y',2\n'z',3\n", "a VARCHAR, b BIGINT", &["x,y|2", "z|3"]);
    expect("a,b\n\"x\ny\",2\n", "a VARCHAR, b BIGINT", &["x\ny|2"]);
    expect("a,b\n5\" pipe,2\n", "a VARCHAR, b BIGINT", &["5\" pipe|2"]);
    expect("#c1\na,b\n1,2\n", "a BIGINT, b BIGINT", &["1|2"]);
}

#[test]
fn line_ends_and_marks_are_no_data() {
    expect("a,b\r\n1,2\r\n", "a BIGINT, b BIGINT", &["1|2"]);
    expect("a,b\r1,2\r", "a BIGINT, b BIGINT", &["1|2"]);
    expect("\u{feff}a,b\n1,2\n", "a BIGINT, b BIGINT", &["1|2"]);
    expect("a,b\n1,2", "a BIGINT, b BIGINT", &["1|2"]);
    expect("a,b\n\n1,2\n\n3,4\n", "a BIGINT, b BIGINT", &["1|2", "3|4"]);
    expect("a\n\n1\n\n3\n", "a BIGINT", &["NULL", "1", "NULL", "3"]);
}

#[test]
fn empty_fields_are_null() {
    expect("a,b\n\"\",2\n,3\n", "a VARCHAR, b BIGINT", &["NULL|2", "NULL|3"]);
    expect("a,b\nNULL,2\nx,3\n", "a VARCHAR, b BIGINT", &["NULL|2", "x|3"]);
    let list = Value::List(Type::Text, vec![Value::text("NA"), Value::text("-")]);
    let (schema, rows) = csv("a,b\nNA,2\n1,3\n-,4\n", &[option("nullstr", list)]).unwrap();
    assert_eq!(
        (schema.as_str(), rows.as_slice()),
        ("a BIGINT, b BIGINT", &["NULL|2", "1|3", "NULL|4"].map(String::from)[..])
    );
}

#[test]
fn options_are_obeyed() {
    let (schema, _) = csv("a,b\n1,2\n", &[option("all_varchar", true)]).unwrap();
    assert_eq!(schema, "a VARCHAR, b VARCHAR");
    let (schema, rows) = csv("a,b\n1,2\n", &[option("header", false)]).unwrap();
    assert_eq!((schema.as_str(), rows.len()), ("column0 VARCHAR, column1 VARCHAR", 2));
    let (schema, rows) =
        csv("a,b\n1,2\n", &[types("columns", &[("x", "INTEGER"), ("y", "VARCHAR")])]).unwrap();
    assert_eq!((schema.as_str(), rows.len()), ("x INTEGER, y VARCHAR", 1));
    let (schema, rows) = csv("junk\na,b\n1,2\n", &[option("skip", 1i64)]).unwrap();
    assert_eq!((schema.as_str(), rows.len()), ("a BIGINT, b BIGINT", 1));
    let (schema, rows) = csv("a,b\n#x\n1,2\n", &[option("comment", "#")]).unwrap();
    assert_eq!((schema.as_str(), rows.len()), ("a BIGINT, b BIGINT", 1));
    let (schema, rows) = csv("a\n02.01.1970\n", &[option("dateformat", "%d.%m.%Y")]).unwrap();
    assert_eq!((schema.as_str(), rows[0].as_str()), ("a DATE", "1970-01-02"));
    let (schema, rows) =
        csv("a,b\n1.005,7\n", &[types("types", &[("a", "DECIMAL(10,2)"), ("b", "UTINYINT")])]).unwrap();
    assert_eq!((schema.as_str(), rows[0].as_str()), ("a DECIMAL(10,2), b UTINYINT", "1.01|7"));
}

#[test]
fn bad_records_name_file_line_and_column() {
    let short = error("a,b\n1,2\n3\n4,5\n", &[]);
    assert!(short.starts_with("x.csv, line 3: 1 fields where there are 2 columns"), "{short}");
    let long = error("a,b\n1,2\n3,4,5\n4,5\n", &[]);
    assert!(long.starts_with("x.csv, line 3: 3 fields where there are 2 columns"), "{long}");
    let value = error("a,b\n1,2\nx,3\n", &[types("types", &[("a", "BIGINT")])]);
    assert!(value.starts_with("x.csv, line 3, column \"a\": \"x\" is not a BIGINT"), "{value}");
    let bytes = error(b"a,b\nx,1\n\xff,2\n", &[]);
    assert!(bytes.starts_with("x.csv, line 3, column \"a\": not valid UTF-8"), "{bytes}");
    let late = format!("a,b\n{}x,3\n", "1,2\n".repeat(30_000));
    let late = error(late, &[]);
    assert!(late.starts_with("x.csv, line 30002, column \"a\": \"x\" is not a BIGINT"), "{late}");
}

#[test]
fn a_sample_of_all_records_sees_the_last() {
    let text = format!("a,b\n{}x,3\n", "1,2\n".repeat(30_000));
    let file = TextFile::new("x.csv", text);
    let table = bind("read_csv", file.path(), &[option("sample_size", -1i64)]).unwrap();
    assert_eq!(reading::schema(table.as_ref()), "a VARCHAR, b BIGINT");
}

#[test]
fn bad_records_are_left_out_or_null_on_request() {
    let text = "a,b\n1,2\n3,4,5\nx,6\n7\n8,9\n";
    let stated = types("types", &[("a", "BIGINT")]);
    let (_, rows) = csv(text, &[option("ignore_errors", true), stated.clone()]).unwrap();
    assert_eq!(rows, ["1|2", "8|9"]);
    let (_, rows) = csv(text, &[option("bad_rows", "null"), stated]).unwrap();
    assert_eq!(rows, ["1|2", "3|4", "NULL|6", "7|NULL", "8|9"]);
    let (_, rows) = csv("a,b\n1,2\n3\n", &[option("null_padding", true)]).unwrap();
    assert_eq!(rows, ["1|2", "3|NULL"]);
    let (_, rows) = csv(b"a,b\nx,1\n\xff,2\ny,3\n", &[option("ignore_errors", true)]).unwrap();
    assert_eq!(rows, ["x|1", "y|3"]);
}

#[test]
fn an_unknown_option_suggests_the_nearest() {
    let message = error("a\n1\n", &[option("headr", true)]);
    assert_eq!(message, "read_csv: option headr: not known; did you mean header?");
}

#[test]
fn blocks_cut_no_record_in_two() {
    // Long enough for many blocks, with quoted line ends at every place of a block.
    let mut text = String::from("id,note,amount\n");
    let mut expected = Vec::new();
    for id in 0..60_000u32 {
        let note = match id % 7 {
            0 => format!("line one {id}\nline two, with \"quotes\""),
            1 => String::new(),
            _ => "x".repeat((id % 50) as usize),
        };
        let quoted =
            if note.contains('\n') { format!("\"{}\"", note.replace('"', "\"\"")) } else { note.clone() };
        text.push_str(&format!("{id},{quoted},{}.25\n", id % 100));
        let note = if note.is_empty() { "NULL".to_owned() } else { note };
        expected.push(format!("{id}|{note}|{}.25", id % 100));
    }
    let file = TextFile::new("x.csv", &text);
    let table = bind("read_csv", file.path(), &[]).unwrap();
    assert_eq!(rows(table.as_ref(), 2048).unwrap(), expected);
    let compressed = |name: &str, bytes: Vec<u8>| {
        let file = TextFile::new(name, bytes);
        let table = bind("read_csv", file.path(), &[]).unwrap();
        assert_eq!(rows(table.as_ref(), 1000).unwrap(), expected, "{name}");
    };
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    compressed("x.csv.gz", gzip.clone());
    // The first bytes tell the compression where the name does not.
    compressed("x.csv", gzip);
    compressed("x.csv.zst", zstd::encode_all(text.as_bytes(), 1).unwrap());
}

#[test]
fn damaged_compression_is_an_error() {
    let mut bytes = zstd::encode_all("a,b\n1,2\n".repeat(50_000).as_bytes(), 1).unwrap();
    bytes.truncate(bytes.len() / 2);
    let file = TextFile::new("x.csv.zst", bytes);
    let outcome = bind("read_csv", file.path(), &[]).and_then(|table| rows(table.as_ref(), 2048));
    assert!(outcome.unwrap_err().contains("cannot read"));
    let file = TextFile::new("x.csv.gz", "a,b\n1,2\n");
    assert!(bind("read_csv", file.path(), &[]).is_err());
}

#[test]
fn an_open_quote_is_an_error_with_its_line() {
    let text = format!("a,b\n{}\"open,2\n{}", "x,1\n".repeat(10), "y,1\n".repeat(30));
    let message = error(text, &[option("quote", "\""), option("header", true)]);
    assert!(message.starts_with("x.csv, line 12, column \"a\": a quote is not closed"), "{message}");
}

#[test]
fn real_files_are_read() {
    let Some(folder) = real_files() else { return };
    let count =
        |name: &str| rows(bind("read_csv", folder.join(name), &[]).unwrap().as_ref(), 2048).unwrap().len();
    assert_eq!(count("csv/titanic.csv"), 891);
    assert_eq!(count("csv/imdb_movie_info_escaped.csv"), 201);
    assert_eq!(count("csv/lineitem_sample.csv"), 10);
    assert_eq!(count("csv/greek_utf8.csv"), 8);
    assert_eq!(count("recsys/ml-latest-small/ratings.csv"), 100_836);
    assert_eq!(count("recsys/ml-latest-small/movies.csv"), 9_742);
    assert_eq!(count("recsys/deepctr/criteo_sample.txt"), 200);
    for file in files_below(&folder, ".csv") {
        let table =
            bind("read_csv", &file, &[]).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        rows(table.as_ref(), 3).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}
