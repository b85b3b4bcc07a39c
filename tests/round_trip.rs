//! Every type that the engine has, written to every format and read back; and the bytes that a scan takes for a field.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use hypostyle::{Answer, Session};

/// A type and values of it.
struct Case {
    data_type: &'static str,
    values: &'static [&'static str],
    /// The type that a column has when it comes back from Parquet or Arrow, if that is another one.
    read_as: Option<&'static str>,
    /// Formats that have no form of these values.
    not_in: &'static [&'static str],
}

const fn case(data_type: &'static str, values: &'static [&'static str]) -> Case {
    Case { data_type, values, read_as: None, not_in: &[] }
}

/// Numbers that JSON does not hold: those beyond 64 bits are read as doubles, NaN and infinities are null.
const fn not_json(data_type: &'static str, values: &'static [&'static str]) -> Case {
    Case { not_in: &["json"], ..case(data_type, values) }
}

/// Types that JSON texts are not read as: their own text is, and cast.
const WITHOUT_JSON_FORM: [&str; 3] = ["INTERVAL", "BLOB", "TIMESTAMP_NS"];

const CASES: &[Case] = &[
    case("BOOLEAN", &["true", "false"]),
    case("TINYINT", &["-128", "0", "127"]),
    case("SMALLINT", &["-32768", "32767"]),
    case("INTEGER", &["-2147483648", "2147483647"]),
    case("BIGINT", &["-9223372036854775808", "9223372036854775807"]),
    case("UTINYINT", &["0", "255"]),
    case("USMALLINT", &["0", "65535"]),
    case("UINTEGER", &["0", "4294967295"]),
    case("UBIGINT", &["0", "18446744073709551615"]),
    not_json("HUGEINT", &["-99999999999999999999999999999999999999", "7"]),
    case("FLOAT", &["1.5", "-0.0", "3.4028235e38", "1e-45"]),
    not_json("FLOAT", &["nan", "inf", "-inf"]),
    case("DOUBLE", &["1.5", "-0.0", "1.7976931348623157e308", "5e-324"]),
    not_json("DOUBLE", &["nan", "inf", "-inf"]),
    case("DECIMAL(4,1)", &["-999.9", "0.1"]),
    case("DECIMAL(9,2)", &["-9999999.99", "0.01"]),
    not_json("DECIMAL(18,3)", &["-999999999999999.999", "0.001"]),
    not_json("DECIMAL(38,10)", &["-9999999999999999999999999999.9999999999", "0.0000000001"]),
    case("VARCHAR", &["a", "é \"q\", 'x' \n\t\\", "longer than twelve bytes, so not inline", "NULL"]),
    // An empty text is a null in CSV, quoted or not.
    Case { not_in: &["csv"], ..case("VARCHAR", &[""]) },
    case("BLOB", &["a\\x00\\xFF", "plain"]),
    case("DATE", &["1969-12-31", "2024-02-29", "0044-03-15", "9999-12-31"]),
    case("TIME", &["00:00:00", "23:59:59.999999"]),
    case("TIMESTAMP", &["1969-12-31 23:59:59.999999", "2024-02-29 12:00:00", "0044-03-15 00:00:00"]),
    Case {
        read_as: Some("TIMESTAMP"),
        ..case("TIMESTAMP_S", &["2024-02-29 12:00:00", "1969-12-31 23:59:59"])
    },
    Case {
        read_as: Some("TIMESTAMP"),
        ..case("TIMESTAMP_MS", &["2024-02-29 12:00:00.123", "1969-12-31 23:59:59.999"])
    },
    case("TIMESTAMP_NS", &["2024-02-29 12:00:00.123456789", "1969-12-31 23:59:59.999999999"]),
    case("TIMESTAMP WITH TIME ZONE", &["2024-02-29 12:00:00+00", "1969-12-31 23:59:59.999999+00"]),
    case("INTERVAL", &["1 year 2 months 3 days 04:05:06.789", "00:00:00"]),
    case("BIGINT[]", &["[1, NULL, 3]", "[]"]),
    case("VARCHAR[][]", &["[[a], [], NULL, [b, NULL]]", "[]"]),
    case("FLOAT[3]", &["[1.5, 2.5, -1.0]", "[0.0, 0.0, 0.0]"]),
    case("STRUCT(a BIGINT, b VARCHAR)", &["{'a': 1, 'b': x}", "{'a': NULL, 'b': NULL}"]),
    case("STRUCT(a STRUCT(b DATE[]), c DECIMAL(5,2))", &["{'a': {'b': [2024-01-01, NULL]}, 'c': 1.50}"]),
    case("MAP(VARCHAR, BIGINT)", &["{k=1, l=NULL}", "{}"]),
    not_json("MAP(INTEGER, STRUCT(x DOUBLE))[]", &["[{1={'x': 1.5}}, {}]"]),
];

fn texts(answer: Answer) -> Vec<Vec<Option<String>>> {
    let batches = answer.collect_all().unwrap();
    batches.iter().flat_map(|batch| hypostyle::row_texts(batch).unwrap()).collect()
}

/// The values of a case with a null before and behind, as a query.
fn rows(case: &Case) -> String {
    let value = |text: &&str| format!("SELECT CAST('{}' AS {})", text.replace('\'', "''"), case.data_type);
    let values: Vec<String> = case.values.iter().map(value).collect();
    format!(
        "SELECT * FROM (SELECT CAST(NULL AS {0}) UNION ALL {1} UNION ALL SELECT NULL) t(v)",
        case.data_type,
        values.join(" UNION ALL ")
    )
}

/// Writes a case and gives what a read of it says, with the type of each value.
fn read_back(case: &Case, folder: &Path, extension: &str) -> Result<Vec<Vec<Option<String>>>, String> {
    let session = Session::new();
    let path = folder.join(format!("x.{extension}"));
    let path = path.display();
    let write = format!("COPY ({}) TO '{path}'", rows(case));
    session.sql(&write).and_then(Answer::drain).map_err(|error| error.to_string())?;
    // Text has no types of its own: they are stated.
    let quote = if extension == "csv" { ", quote => '\"'" } else { "" };
    let stated = |data_type: &str| {
        format!(
            "SELECT CAST(v AS {0}) AS v FROM read_{extension}('{path}', columns => {{'v': '{data_type}'}}{quote})",
            case.data_type
        )
    };
    let read = match extension {
        "json" if !WITHOUT_JSON_FORM.contains(&case.data_type) => stated(case.data_type),
        "csv" | "json" => stated("VARCHAR"),
        _ => format!("SELECT v FROM '{path}'"),
    };
    let query = format!("SELECT CAST(v AS VARCHAR), typeof(v) FROM ({read})");
    let answer = session.sql(&query).and_then(Answer::collect_all).map_err(|error| error.to_string())?;
    Ok(answer.iter().flat_map(|batch| hypostyle::row_texts(batch).unwrap()).collect())
}

fn check(extension: &str) {
    let mut wrong = Vec::new();
    for case in CASES.iter().filter(|case| !case.not_in.contains(&extension)) {
        let folder = tempfile::tempdir().unwrap();
        let session = Session::new();
        let query = format!("SELECT CAST(v AS VARCHAR), typeof(v) FROM ({})", rows(case));
        let mut expected = texts(session.sql(&query).unwrap());
        if let ("parquet" | "arrow" | "arrows", Some(other)) = (extension, case.read_as) {
            expected.iter_mut().for_each(|row| row[1] = Some(other.to_owned()));
        }
        let found = read_back(case, folder.path(), extension);
        if found.as_ref() != Ok(&expected) {
            wrong.push(format!("{} in {extension}:\n  {found:?}\n  expected {expected:?}", case.data_type));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_type_comes_back_from_parquet() {
    check("parquet");
}

#[test]
fn every_type_comes_back_from_arrow_files() {
    check("arrow");
}

#[test]
fn every_type_comes_back_from_arrow_streams() {
    check("arrows");
}

#[test]
fn every_type_comes_back_from_csv_as_its_text() {
    check("csv");
}

#[test]
fn every_type_comes_back_from_json() {
    check("json");
}

/// Bytes that the scans of a query took from files.
fn read_bytes(session: &Session, query: &str) -> u64 {
    let mut run = session.prepare(query).unwrap().start(&[]).unwrap();
    while run.next().unwrap().is_some() {}
    run.metrics().operators.iter().map(|operator| operator.read_bytes).sum()
}

#[test]
fn only_the_leaves_of_asked_fields_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wide.parquet");
    let session = Session::new();
    let write = format!(
        "COPY (SELECT {{'a': x, 'long': md5(x::VARCHAR) || md5((x + 1)::VARCHAR), 'b': {{'c': x % 10, 'd': sha256(x::VARCHAR)}}}} AS s,
            [{{'x': x, 'y': sha256((x + 7)::VARCHAR)}}] AS l FROM range(20000) t(x)) TO '{}' (ROW_GROUP_SIZE 4000)",
        path.display()
    );
    session.sql(&write).unwrap().drain().unwrap();
    let from =
        |columns: &str, condition: &str| format!("SELECT {columns} FROM '{}' {condition}", path.display());
    let all = read_bytes(&session, &from("s, l", ""));
    let structure = read_bytes(&session, &from("s", ""));
    let field = read_bytes(&session, &from("sum(s.a), sum(s.b.c)", ""));
    let element = read_bytes(&session, &from("sum(l[1].x)", ""));
    assert!(field * 5 < structure && structure < all, "{field} of {structure} of {all}");
    assert!(element * 5 < all, "{element} of {all}");
    // Bounds of the leaf leave out row groups.
    let none = read_bytes(&session, &from("s.a", "WHERE s.a > 1000000"));
    assert_eq!(none, 0);
    let few = read_bytes(&session, &from("s.b.d", "WHERE s.a = 17"));
    assert!(few * 2 < read_bytes(&session, &from("s.b.d", "")), "{few}");
}
