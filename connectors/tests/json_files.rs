//! JSON: layouts, shapes, values that do not fit, blocks, and what is written reads back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod reading;

use hypostyle_functions::{Literal, Value};
use reading::{TextFile, bind, context, option, read, real_files, rows, types};

fn json(text: impl AsRef<[u8]>, options: &[(String, Literal)]) -> Result<(String, Vec<String>), String> {
    let (schema, rows) = read("read_json", TextFile::new("x.json", text).path(), options)?;
    Ok((schema.replace('"', ""), rows))
}

fn expect(text: &str, schema: &str, rows: &[&str]) {
    let (found_schema, found_rows) = json(text, &[]).unwrap();
    assert_eq!(
        (found_schema.as_str(), found_rows),
        (schema, rows.iter().map(ToString::to_string).collect()),
        "{text:?}"
    );
}

fn error(text: impl AsRef<[u8]>, options: &[(String, Literal)]) -> String {
    let error = json(text, options).unwrap_err();
    error.split_once("x.json").map_or(error.clone(), |(_, rest)| format!("x.json{rest}"))
}

#[test]
fn all_layouts_are_read() {
    let rows = ["1|x", "2|y"];
    expect("{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n", "a BIGINT, b VARCHAR", &rows);
    expect("[{\"a\":1,\"b\":\"x\"},\n {\"a\":2,\"b\":\"y\"}]", "a BIGINT, b VARCHAR", &rows);
    expect("{\n\"a\":1,\n\"b\":\"x\"}\n{\n\"a\":2,\"b\":\"y\"\n}\n", "a BIGINT, b VARCHAR", &rows);
    expect("{\"a\":1,\"b\":{\"c\":[1,2]}}", "a BIGINT, b STRUCT(c BIGINT[])", &["1|{'c': [1, 2]}"]);
    expect("[[1,2],[3]]", "json BIGINT[]", &["[1, 2]", "[3]"]);
    expect("[1,2]\n[3]\n", "json BIGINT[]", &["[1, 2]", "[3]"]);
    expect("1\n2\n", "json BIGINT", &["1", "2"]);
    expect("[1,2,\"x\"]", "json VARCHAR", &["1", "2", "\"x\""]);
    expect("", "json VARCHAR", &[]);
    expect("{\"a\":1}\n\n{\"a\":2}\n", "a BIGINT", &["1", "2"]);
}

#[test]
fn shapes_are_those_of_all_values() {
    expect("{\"a\":1}\n{\"a\":2.5}\n", "a DOUBLE", &["1.0", "2.5"]);
    expect("{\"a\":1}\n{\"a\":\"x\"}\n", "a VARCHAR", &["1", "\"x\""]);
    expect("{\"a\":1}\n{\"a\":{\"b\":1}}\n", "a VARCHAR", &["1", "{\"b\":1}"]);
    expect(
        "{\"a\":[{\"x\":1},{\"y\":\"s\"}]}\n",
        "a STRUCT(x BIGINT, y VARCHAR)[]",
        &["[{'x': 1, 'y': NULL}, {'x': NULL, 'y': s}]"],
    );
    expect("{\"a\":9223372036854775808}\n{\"a\":-1}\n", "a HUGEINT", &["9223372036854775808", "-1"]);
    expect("{\"a\":18446744073709551616}\n", "a DOUBLE", &["1.8446744073709552e+19"]);
    expect("{\"a\":1}\n{\"b\":2}\n", "a BIGINT, b BIGINT", &["1|NULL", "NULL|2"]);
    expect("{\"a\":\"2020-01-02\"}\n", "a DATE", &["2020-01-02"]);
    expect(
        "{\"a\":\"2020-01-02T03:04:05.123+02:00\"}\n",
        "a TIMESTAMP WITH TIME ZONE",
        &["2020-01-02 01:04:05.123+00"],
    );
    expect("{\"a\":\"x\\u00e9\\n\\ud83d\\ude00\"}\n", "a VARCHAR", &["xé\n😀"]);
    expect("{\"a\":1,\"A\":2}\n", "a BIGINT, A_1 BIGINT", &["1|2"]);
    expect("{\"a\":{}}\n", "a MAP(VARCHAR, VARCHAR)", &["{}"]);
}

#[test]
fn options_are_obeyed() {
    let (schema, rows) =
        json("{\"a\":1,\"b\":\"x\"}\n", &[types("columns", &[("a", "INTEGER"), ("c", "VARCHAR")])]).unwrap();
    assert_eq!((schema.as_str(), rows[0].as_str()), ("a INTEGER, c VARCHAR", "1|NULL"));
    let (schema, rows) = json("{\"a\":{\"b\":{\"c\":1}}}\n", &[option("maximum_depth", 2i64)]).unwrap();
    assert_eq!((schema.as_str(), rows[0].as_str()), ("a STRUCT(b VARCHAR)", "{'b': '{\"c\":1}'}"));
    let (schema, rows) = json("{\"a\":1}\n", &[option("records", false)]).unwrap();
    assert_eq!((schema.as_str(), rows[0].as_str()), ("json STRUCT(a BIGINT)", "{'a': 1}"));
    let (schema, _) = json("{\"a\":[1,2,3]}\n", &[types("columns", &[("a", "FLOAT[3]")])]).unwrap();
    assert_eq!(schema, "a FLOAT[3]");
    let (_, rows) = json("{\"a\":\"5\"}\n{\"a\":5.7}\n", &[types("columns", &[("a", "INTEGER")])]).unwrap();
    assert_eq!(rows, ["5", "6"]);
}

#[test]
fn what_does_not_fit_names_file_line_and_field() {
    let broken = error("{\"a\":1}\n{\"a\":\n{\"a\":3}\n", &[]);
    assert!(broken.starts_with("x.json, line 2: not valid JSON"), "{broken}");
    let late = format!("{}{{\"a\":\"x\"}}\n", "{\"a\":1}\n".repeat(30_000));
    let late = error(late, &[]);
    assert!(late.starts_with("x.json, line 30001, column \"a\": \"x\" is not a BIGINT"), "{late}");
    let unknown = format!("{}{{\"a\":{{\"c\":1}}}}\n", "{\"a\":{\"b\":1}}\n".repeat(30_000));
    let unknown = error(unknown, &[]);
    assert!(
        unknown.contains("line 30001, column \"a\": the object has a key \"c\" that the sample did not show"),
        "{unknown}"
    );
    let twice = error("{\"a\":1,\"a\":2}\n", &[]);
    assert!(twice.starts_with("x.json, line 1, column \"a\": the object has this key twice"), "{twice}");
    let bytes = error(b"{\"a\":\"\xff\"}\n", &[]);
    assert!(bytes.starts_with("x.json, line 1: not valid JSON"), "{bytes}");
    let list = error("{\"a\":[1,2]}\n", &[types("columns", &[("a", "FLOAT[3]")])]);
    assert!(list.contains("[1,2] is not a list of 3 values"), "{list}");
}

#[test]
fn what_does_not_fit_is_null_on_request() {
    let (_, rows) = json("{\"a\":1}\n{\"a\":\n{\"a\":3}\n", &[option("ignore_errors", true)]).unwrap();
    assert_eq!(rows, ["1", "NULL", "3"]);
    let columns = types("columns", &[("a", "INTEGER"), ("b", "VARCHAR")]);
    let (_, rows) = json("{\"a\":\"x\",\"b\":\"y\"}\n", &[option("ignore_errors", true), columns]).unwrap();
    assert_eq!(rows, ["NULL|y"]);
}

#[test]
fn blocks_cut_no_value_in_two() {
    let object =
        |id: u32| format!("{{\"id\":{id},\"tags\":[\"t]{{{id}\",\"\\\"\"],\"o\":{{\"x\":{}}}}}", id % 13);
    let expected: Vec<String> =
        (0..40_000).map(|id| format!("{id}|['t]{{{id}', '\"']|{{'x': {}}}", id % 13)).collect();
    let objects: Vec<String> = (0..40_000).map(object).collect();
    for (separator, open, close) in [("\n", "", "\n"), (",\n", "[", "]"), (" ", " ", "")] {
        let file = TextFile::new("x.json", format!("{open}{}{close}", objects.join(separator)));
        let table = bind("read_json", file.path(), &[]).unwrap();
        let found = rows(table.as_ref(), 2048).unwrap();
        assert_eq!(found.len(), expected.len(), "{separator:?}");
        assert_eq!(found[39_999].replace('\'', ""), expected[39_999].replace('\'', ""));
        assert!(
            found
                .iter()
                .zip(&expected)
                .all(|(left, right)| left.split('|').next() == right.split('|').next())
        );
    }
}

#[test]
fn what_is_written_reads_back() {
    let text = "{\"a\":1,\"b\":[1.5,null],\"c\":{\"d\":\"x\\\"\\n\",\"e\":null},\"f\":\"2020-01-02\",\"g\":true}\n{\"a\":null,\"b\":[],\"c\":null,\"f\":null,\"g\":null}\n";
    let file = TextFile::new("x.json", text);
    let table = bind("read_json", file.path(), &[]).unwrap();
    let before = (reading::schema(table.as_ref()), rows(table.as_ref(), 10).unwrap());
    let directory = tempfile::tempdir().unwrap();
    for (name, array) in [("y.ndjson", false), ("y.json", true), ("y.json.gz", false), ("y.json.zst", true)] {
        let path = directory.path().join(name);
        let context = context();
        let factory = context.catalog.writer("json").unwrap();
        let options = [option("array", array)];
        let mut writer =
            factory.open(&path.display().to_string(), table.schema(), &options, &context).unwrap();
        for batch in reading::batches(table.as_ref(), reading::request(table.as_ref(), 10)).unwrap() {
            writer.write(&batch).unwrap();
        }
        writer.finish().unwrap();
        assert_eq!(read("read_json", &path, &[]).unwrap(), before, "{name}");
    }
}

#[test]
fn real_files_are_read() {
    let Some(folder) = real_files() else { return };
    let read_file = |name: &str| read("read_json", folder.join("json").join(name), &[]).unwrap();
    let (schema, rows) = read_file("github_events.json");
    assert_eq!(rows.len(), 30);
    assert!(schema.contains("created_at TIMESTAMP WITH TIME ZONE"), "{schema}");
    assert_eq!(read_file("amazon_cellphones.ndjson").1.len(), 793);
    assert_eq!(read_file("numbers.json").1.len(), 10_001);
    assert_eq!(read_file("numbers.json").0, "json DOUBLE");
    let (schema, rows) = read_file("twitter.json");
    assert_eq!(rows.len(), 1);
    assert!(
        schema.replace('"', "").starts_with("statuses STRUCT(metadata STRUCT(result_type VARCHAR"),
        "{schema}"
    );
    assert_eq!(read_file("citm_catalog.json").1.len(), 1);
    let list = Value::Boolean(false);
    assert_eq!(
        read("read_json", folder.join("json/apache_builds.json"), &[option("records", list)])
            .unwrap()
            .1
            .len(),
        1
    );
}
