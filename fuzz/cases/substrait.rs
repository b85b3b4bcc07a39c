//! Any bytes read as a Substrait plan are refused, or make a plan that runs to an end.

use hypostyle::{Configuration, Progress, Session};

/// Steps after which a run is given up: a plan may generate without end.
const STEPS_MAX: usize = 200;

/// Bytes that a run may hold.
const MEMORY_LIMIT_BYTES: usize = 256 << 20;

thread_local! {
    /// Made once: a plan reads what the session has and changes nothing.
    static SESSION: Session = session();
}

fn session() -> Session {
    let session = Session::with_configuration(Configuration {
        threads: 1,
        memory_limit_bytes: Some(MEMORY_LIMIT_BYTES),
        ..Configuration::default()
    });
    let tables =
        "CREATE TABLE t AS SELECT x AS a, x % 3 AS b, 'text ' || x AS c, x / 7 AS d FROM range(20) r(x)";
    session.sql(tables).and_then(|answer| answer.drain()).expect("a small table is made");
    session
}

/// Plans that are read to their end.
pub fn good() -> Vec<Vec<u8>> {
    let queries = [
        "SELECT a + 1 AS y, upper(c) AS u FROM t WHERE a > 3 AND c LIKE 'text%' ORDER BY y DESC LIMIT 3",
        "SELECT b, sum(a) AS s, count(DISTINCT c) FILTER (WHERE a > 2) FROM t GROUP BY ROLLUP (b)",
        "SELECT x.a, y.c FROM t x LEFT JOIN t y ON x.a = y.b AND x.d < y.d WHERE x.a IN (1, 2, 3)",
        "SELECT a, rank() OVER (PARTITION BY b ORDER BY d) AS r, sum(a) OVER (ROWS 2 PRECEDING) FROM t",
        "SELECT CASE WHEN a > 1 THEN {'x': a, 'y': [c]} END AS s, try_cast(c AS INTEGER), year(DATE '2024-01-01') FROM t",
        "SELECT list_transform([1, 2], e -> e + a) AS l FROM t UNION ALL SELECT [1] WHERE 2 NOT IN (SELECT a FROM t)",
        "SELECT * FROM (VALUES (1, 2.5, DATE '2024-01-01', INTERVAL 1 DAY)) v(a, b, c, d)",
    ];
    SESSION.with(|session| queries.map(|sql| session.substrait_plan(sql).expect("a plan is written")).into())
}

/// See the module.
pub fn run(bytes: &[u8]) {
    SESSION.with(|session| {
        let Ok(prepared) = session.prepare_substrait(bytes) else { return };
        if !prepared.parameters().is_empty() {
            return;
        }
        let Ok(run) = prepared.start(&[]) else { return };
        let mut worker = run.worker();
        for _ in 0..STEPS_MAX {
            if matches!(worker.step(), Ok(Progress::Finished | Progress::Idle) | Err(_)) {
                return;
            }
        }
    });
}
