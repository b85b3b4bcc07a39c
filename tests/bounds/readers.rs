//! Budgets that hardly hold what readers of files decode into.

use super::{files_in, limited, run, used_bytes};

#[test]
fn a_table_of_small_row_groups_is_read_within_half_a_megabyte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let free = limited(folder.path(), 1, 1 << 30);
    run(
        &free,
        &format!(
            "COPY (SELECT x AS a, x * 2 AS b, md5(x::VARCHAR) AS s FROM range(5000) r(x)) TO '{}' (ROW_GROUP_SIZE 100)",
            path.display()
        ),
    );
    let session = limited(folder.path(), 2, 512 << 10);
    let sql = format!(
        "SELECT count(*) AS n, sum(a) AS a, sum(b) AS b, max(length(s)) AS l FROM '{}'",
        path.display()
    );
    let batches = session.sql(&sql).unwrap().collect_all().unwrap();
    let texts = hypostyle::row_texts(&batches[0]).unwrap();
    let expected = ["5000", "12497500", "24995000", "32"].map(|text| Some(text.to_string()));
    assert_eq!(texts, [expected]);
    assert_eq!(used_bytes(&session), 0);
}

#[test]
fn a_budget_below_what_a_reader_takes_is_refused_at_the_start_with_the_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let free = limited(folder.path(), 1, 1 << 30);
    run(
        &free,
        &format!(
            "COPY (SELECT md5(x::VARCHAR) AS a, md5((x + 1)::VARCHAR) AS b FROM range(100000) r(x)) TO '{}'",
            path.display()
        ),
    );
    let session = limited(folder.path(), 2, 200 << 10);
    let sql = format!("SELECT max(a), max(b) FROM '{}'", path.display());
    let error = session.sql(&sql).map(|answer| answer.drain()).unwrap_err().to_string();
    assert!(error.contains("reading 2 columns of") && error.contains("t.parquet"), "{error}");
    assert!(error.contains("limit of 204800 bytes") && error.contains("raise the memory limit"), "{error}");
    // One column takes about half of it.
    let needed: usize = error.split_whitespace().find_map(|word| word.parse().ok()).unwrap();
    run(&limited(folder.path(), 2, needed + (64 << 10)), &sql);
}

#[test]
fn joins_leave_readers_what_they_need() {
    let folder = tempfile::tempdir().unwrap();
    let spill = tempfile::tempdir().unwrap();
    let free = limited(folder.path(), 2, 1 << 30);
    for (name, rows) in [("a", 200_000), ("b", 150_000), ("c", 100_000)] {
        let path = folder.path().join(format!("{name}.parquet"));
        let table = format!("SELECT x * 7919 % {rows} AS k, md5(x::VARCHAR) AS s FROM range({rows}) r(x)");
        run(&free, &format!("COPY ({table}) TO '{}'", path.display()));
    }
    let at = |name: &str| format!("'{}'", folder.path().join(format!("{name}.parquet")).display());
    let sql = format!(
        "SELECT count(*) AS n, count(DISTINCT left(a.s, 3) || left(b.s, 3) || left(c.s, 3)) AS m FROM {} a JOIN {} b ON a.k = b.k JOIN {} c ON b.k = c.k",
        at("a"),
        at("b"),
        at("c")
    );
    let texts = |session: &hypostyle::Session| {
        let batches = session.sql(&sql).unwrap().collect_all().unwrap();
        hypostyle::row_texts(&batches[0]).unwrap()
    };
    let expected = texts(&free);
    for megabytes in [12, 16, 24] {
        for threads in [1, 2] {
            let session = limited(spill.path(), threads, megabytes << 20);
            assert_eq!(texts(&session), expected, "{megabytes} MB, {threads} threads");
            assert_eq!((files_in(spill.path()), used_bytes(&session)), (0, 0));
        }
    }
}
