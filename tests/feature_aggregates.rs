//! Feature aggregates give the same bits with any number of threads, any size of batches, and a budget that makes them
//! spill.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hypostyle::{Answer, Configuration, Session, row_texts};

type Rows = Vec<Vec<Option<String>>>;

/// The rows of an answer, and the bytes that were spilled for it.
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

/// Numbers whose sums depend on their order, in 12,000 groups of rows that lie apart.
const TABLE: &str = "(SELECT i, (i * 7919) % 12000 AS k, \
    CASE WHEN i % 17 <> 0 THEN ((i * 104729) % 100003) / 7.0 * pow(10, i % 9 - 4) END AS x, \
    i % 3 <> 0 AS c, 'category ' || (i * 31) % 5 AS cat, [i % 7 / 3.0, i * 0.37, 1.0 / (i + 1)]::FLOAT[3] AS v \
    FROM range(60000) r(i))";

const CALLS: [&str; 9] = [
    "sum_where(x, c), avg_where(x, c), count_where(x, c), min_where(x, c)",
    "sum_cate(x, cat), avg_cate_where(x, c, cat), top_n_value_sum_cate_where(x, c, cat, 2)",
    "top_n_key_max_cate_where(x, c, cat, 2), count_cate(x, cat)",
    "top_n_frequency(cat, 2), top1_ratio(cat), distinct_count(cat), entropy(cat)",
    "first_k(x, 3), last_k(x, 3), nth_value_where(x, 2, c), ew_avg(x, 0.3 ORDER BY i DESC), drawdown(x)",
    "vector_sum(v), vector_mean(v), vector_max(v), decayed_sum(x, i, 60000, 9000)",
    "map_sum(MAP {cat: x}), map_union(MAP {cat: i}), map_avg(MAP {cat: x, 'all': 1.0})",
    "list_merge([x, i]), set_union([i % 2, i % 5])",
    "histogram(x, [0.001, 1, 1000]), count_min_estimate(count_min(cat, 16, 2), 'category 1')",
];

#[test]
fn bits_do_not_depend_on_threads_batches_or_spilling() {
    let mut total = 0;
    for calls in CALLS {
        let query = format!("SELECT k, {calls} FROM {TABLE} GROUP BY k ORDER BY k");
        let (expected, _) = rows(session(1, 2048, None).sql(&query).unwrap());
        assert_eq!(expected.len(), 12_000);
        for (threads, batch_rows, limit) in [(2, 2048, None), (1, 37, None), (2, 1000, Some(8 << 20))] {
            let (found, spilled) = rows(session(threads, batch_rows, limit).sql(&query).unwrap());
            let differs = expected.iter().zip(&found).find(|(expected, found)| expected != found);
            assert!(
                differs.is_none() && expected.len() == found.len(),
                "{calls} on {threads} threads, batches of {batch_rows}, limit {limit:?}: {differs:?}"
            );
            total += spilled;
        }
    }
    assert!(total > 0, "nothing was spilled");
}

#[test]
fn whole_tables_agree_too() {
    for calls in CALLS {
        let query = format!("SELECT {calls} FROM {TABLE}");
        let (expected, _) = rows(session(1, 2048, None).sql(&query).unwrap());
        let (found, _) = rows(session(2, 333, None).sql(&query).unwrap());
        assert_eq!(expected, found, "{calls}");
    }
}

#[test]
fn frames_give_what_groups_of_their_rows_give() {
    let table = "(SELECT i, i % 4 AS k, (i * 37 % 101) / 3.0 AS x, i % 3 <> 0 AS c, 'c' || i % 5 AS cat, \
        [i * 0.1, 1.0]::FLOAT[2] AS v FROM range(120) r(i))";
    for (call, ordered) in [
        ("sum_where(x, c)", "sum_where(x, c)"),
        ("avg_cate(x, cat)", "avg_cate(x, cat)"),
        ("top_n_frequency(cat, 2)", "top_n_frequency(cat, 2)"),
        ("last_k(x, 3)", "last_k(x, 3 ORDER BY i)"),
        ("vector_mean(v)", "vector_mean(v)"),
        ("map_sum(MAP {cat: x})", "map_sum(MAP {cat: x})"),
        ("ew_avg(x, 0.4)", "ew_avg(x, 0.4 ORDER BY i)"),
        ("histogram(x, [10, 20])", "histogram(x, [10, 20])"),
    ] {
        let framed = format!(
            "SELECT i, {call} OVER (PARTITION BY k ORDER BY i ROWS BETWEEN 6 PRECEDING AND 1 PRECEDING) AS r FROM {table} ORDER BY i"
        );
        let grouped = format!(
            "SELECT o.i, (SELECT {ordered} FROM {table} t WHERE t.k = o.k AND t.i < o.i AND t.i >= o.i - 24) AS r FROM {table} o ORDER BY o.i"
        );
        let (framed, _) = rows(session(1, 50, None).sql(&framed).unwrap());
        let (grouped, _) = rows(session(1, 2048, None).sql(&grouped).unwrap());
        assert_eq!(framed, grouped, "{call}");
    }
}
