//! Groupings, set operations, samples and recursion beyond what a table of answers tells: plans as bytes, memory that
//! does not suffice, and recursion without end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use hypostyle::{Answer, Configuration, Session, row_texts};

type Rows = Vec<Vec<Option<String>>>;

fn rows(mut answer: Answer) -> (Rows, u64) {
    let mut rows = Vec::new();
    while let Some(batch) = answer.next_batch().unwrap() {
        rows.extend(row_texts(&batch).unwrap());
    }
    let spilled =
        answer.metrics().map_or(0, |metrics| metrics.operators.iter().map(|node| node.spilled_bytes).sum());
    (rows, spilled)
}

fn session(threads: usize, batch_rows: usize, memory_limit_bytes: Option<usize>) -> Session {
    Session::with_configuration(Configuration {
        threads,
        batch_rows,
        memory_limit_bytes,
        ..Configuration::default()
    })
}

#[test]
fn plans_read_back_from_bytes_give_equal_rows() {
    let session = Session::new();
    session
        .sql("CREATE TABLE t AS SELECT x % 5 AS k, x % 3 AS j, x AS v FROM range(1000) r(x)")
        .unwrap()
        .drain()
        .unwrap();
    for query in [
        "SELECT k, j, sum(v), grouping(k) FROM t GROUP BY CUBE (k, j) ORDER BY ALL",
        "SELECT k FROM t INTERSECT ALL SELECT j FROM t ORDER BY ALL",
        "SELECT DISTINCT ON (k) k, v FROM t ORDER BY k, v DESC",
        "SELECT * FROM (PIVOT t ON j USING sum(v) GROUP BY k) ORDER BY ALL",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT (n * 2) % 11 FROM r) SELECT * FROM r ORDER BY n",
        "FROM t TABLESAMPLE reservoir(10 ROWS) REPEATABLE (3)",
        "FROM t TABLESAMPLE bernoulli(2.5%) REPEATABLE (3)",
        "FROM t ORDER BY v LIMIT 1% OFFSET (SELECT 2)",
        "FROM t POSITIONAL JOIN (SELECT v AS w FROM t WHERE v < 10) u LIMIT 12",
    ] {
        let prepared = session.prepare(query).unwrap();
        let bytes = prepared.plan().to_bytes().unwrap();
        let plan = hypostyle::plan::Plan::from_bytes(&bytes).unwrap();
        assert_eq!(&plan, prepared.plan(), "{query}");
        let read_back = session.prepare_plan(plan).unwrap();
        let (expected, _) = rows(prepared.run(&[]).unwrap());
        assert!(!expected.is_empty(), "{query}");
        // Twice, since what a plan binds is used by all its runs.
        for _ in 0..2 {
            assert_eq!(rows(read_back.run(&[]).unwrap()).0, expected, "{query}");
        }
    }
}

#[test]
fn set_operations_spill_and_give_equal_rows() {
    let left = "SELECT x % 60000 AS k, 'text number ' || (x % 60000) AS s FROM range(120000) r(x)";
    let right =
        "SELECT x % 40000 + 20000 AS k, 'text number ' || (x % 40000 + 20000) AS s FROM range(100000) r(x)";
    for operator in ["UNION", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"] {
        let query = format!("SELECT * FROM ({left} {operator} {right}) ORDER BY k");
        let (free, _) = rows(session(2, 2048, None).sql(&query).unwrap());
        let (tight, spilled) = rows(session(2, 2048, Some(6 << 20)).sql(&query).unwrap());
        assert!(spilled > 0, "{operator} did not spill");
        assert!(free == tight, "{operator}: {} rows, {} under a limit", free.len(), tight.len());
    }
}

#[test]
fn a_seed_gives_the_same_rows_with_any_threads_and_batches() {
    let source = "(SELECT x, x % 7 AS k FROM range(9000) r(x) WHERE x % 3 <> 0)";
    for sample in ["bernoulli(3%)", "system(60%)", "reservoir(1%)", "reservoir(100 ROWS)"] {
        let query = format!("SELECT x FROM {source} TABLESAMPLE {sample} REPEATABLE (11)");
        let (expected, _) = rows(session(1, 2048, None).sql(&query).unwrap());
        assert!(!expected.is_empty(), "{sample}");
        for (threads, batch_rows) in [(2, 2048), (1, 1), (2, 3), (2, 100_000)] {
            let (again, _) = rows(session(threads, batch_rows, None).sql(&query).unwrap());
            assert!(again == expected, "{sample} with {threads} threads and {batch_rows} rows a batch");
        }
    }
}

#[test]
fn samples_without_a_seed_differ() {
    let session = Session::new();
    let sample = || rows(session.sql("FROM range(100000) TABLESAMPLE 20 ROWS").unwrap()).0;
    assert_ne!(sample(), sample());
}

#[test]
fn a_recursion_without_end_is_stopped_by_cancelling() {
    let session = Session::new();
    let mut answer = session
        .sql("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n FROM t) SELECT count(*) FROM t")
        .unwrap();
    let handle = answer.handle().unwrap();
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        handle.cancel();
    });
    let error = answer.next_batch().unwrap_err();
    assert!(error.is_cancelled(), "{error}");
    canceller.join().unwrap();
}

#[test]
fn a_recursion_that_outgrows_its_memory_is_an_error() {
    let session = session(1, 2048, Some(4 << 20));
    let query = "WITH RECURSIVE t(n) AS (SELECT 1::BIGINT UNION ALL SELECT n + u.x FROM t, range(2) u(x)) SELECT count(*) FROM t";
    let error = session.sql(query).unwrap().drain().unwrap_err().to_string();
    assert!(error.contains("recursion"), "{error}");
    // The session goes on.
    assert_eq!(session.sql("SELECT 1").unwrap().drain().unwrap(), 1);
}

#[test]
fn a_limit_reads_a_recursion_no_further() {
    let query = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT * FROM t LIMIT 3";
    let (given, _) = rows(session(2, 1, None).sql(query).unwrap());
    assert_eq!(given.len(), 3);
}

#[test]
fn one_group_of_large_states_has_equal_results_however_little_memory_there_is() {
    // Every worker meets most values, so that their states together are much larger than the merged one.
    let table = "CREATE TABLE t AS SELECT (i * 7919) % 20011 AS x FROM range(200000) t(i)";
    let query = "SELECT count(DISTINCT x), list_sum(vocabulary(x, 'value', 1, NULL)), sum(x) FROM t";
    let made = |threads: usize, limit: Option<usize>| {
        let session = session(threads, 2048, limit);
        session.sql(table).and_then(Answer::drain).ok().map(|_| session)
    };
    let (wanted, _) = rows(made(1, None).unwrap().sql(query).unwrap());
    let (mut spilled, mut finished) = (0, 0);
    for quarters in 8..48usize {
        let Some(session) = made(2, Some(quarters << 18)) else { continue };
        let Ok(mut answer) = session.sql(query) else { continue };
        let mut found: Rows = Vec::new();
        let whole = loop {
            match answer.next_batch() {
                Ok(Some(batch)) => found.extend(row_texts(&batch).unwrap()),
                Ok(None) => break true,
                // What one state holds has to fit.
                Err(error) => {
                    assert!(error.to_string().contains("out of memory"), "{error}");
                    break false;
                }
            }
        };
        if whole {
            assert_eq!(found, wanted, "{quarters} quarters of a MiB");
            finished += 1;
            let operators = answer.metrics().map_or_else(Vec::new, |metrics| metrics.operators);
            spilled += operators.iter().map(|node| node.spilled_bytes).sum::<u64>();
        }
    }
    assert!(finished > 0 && spilled > 0, "{finished} limits sufficed, {spilled} bytes were spilled");
}
