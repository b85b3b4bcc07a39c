//! Random queries in a row in one session, under budgets that make some of them spill.

use super::{Random, files_in, limited, run, used_bytes};

const SEED: u64 = 7;
const QUERIES: usize = 200;

/// A query over `t` (40,000 rows of mostly different keys) and `u` (a few thousand).
fn query(random: &mut Random) -> String {
    let key = random.pick(&["k", "k % 100", "s", "v // 7", "left(s, 2)"]);
    let value = random.pick(&["v", "k", "v * 1.5", "length(s)"]);
    let aggregate =
        random.pick(&["sum({})", "max({})", "count({})", "avg({})", "count(DISTINCT {})", "median({})"]);
    let aggregate = aggregate.replace("{}", value);
    let kind = random.pick(&["", "LEFT ", "RIGHT ", "FULL ", "SEMI ", "ANTI "]);
    let condition = format!("v % {} < {}", 2 + random.below(9), 1 + random.below(3));
    match random.below(9) {
        0 => format!("SELECT {key} AS g, {aggregate} AS a FROM t GROUP BY g"),
        1 => format!("SELECT * FROM t WHERE {condition} ORDER BY {key}, v"),
        2 => format!("SELECT {key} AS g, v FROM t ORDER BY g DESC LIMIT {}", random.below(2000)),
        3 => format!("SELECT count(*) FROM (SELECT a.v FROM t a {kind}JOIN u b ON a.k = b.k AND a.v > b.w)"),
        4 => {
            format!("SELECT sum({value}) OVER (PARTITION BY k % 50 ORDER BY v ROWS 5 PRECEDING) AS r FROM t")
        }
        5 => format!("SELECT DISTINCT {key} AS g FROM t WHERE {condition}"),
        6 => format!("SELECT {key} AS g FROM t INTERSECT SELECT {key} AS g FROM t WHERE {condition}"),
        7 => format!("SELECT a.v FROM t a {kind}JOIN t b ON a.k = b.k AND a.s = b.s ORDER BY 1 LIMIT 10"),
        _ => format!("SELECT v, (SELECT max(w) FROM u WHERE u.k = t.k) AS m FROM t WHERE {condition}"),
    }
}

/// Open files of this process that were made in a folder, whether they have a name left or not.
fn open_files_of(folder: &std::path::Path) -> usize {
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else { return 0 };
    let targets = open.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
    targets.filter(|target| target.starts_with(folder)).count()
}

#[test]
fn many_queries_in_a_row_leave_no_file_and_no_reservation() {
    let (spill, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let session = limited(spill.path(), 2, 9 << 20);
    for (name, rows) in [("t", 40_000), ("u", 3_000)] {
        let path = data.path().join(format!("{name}.parquet"));
        let value = if name == "t" { "v" } else { "w" };
        let table = format!(
            "SELECT x * 7919 % 40009 AS k, x AS {value}, md5((x % 30000)::VARCHAR) AS s FROM range({rows}) r(x)"
        );
        run(&session, &format!("COPY ({table}) TO '{}'", path.display()));
        run(&session, &format!("CREATE VIEW {name} AS FROM '{}'", path.display()));
    }
    let mut random = Random(SEED);
    let mut spilled = 0;
    for number in 0..QUERIES {
        let sql = query(&mut random);
        let context = format!("query {number} of seed {SEED}: {sql}");
        let mut answer = session.sql(&sql).unwrap_or_else(|error| panic!("{context}: {error}"));
        // Some are dropped in the middle.
        let batches_max = if random.below(5) == 0 { random.below(3) } else { u64::MAX };
        let mut batches = 0;
        while batches < batches_max
            && answer.next_batch().unwrap_or_else(|error| panic!("{context}: {error}")).is_some()
        {
            batches += 1;
        }
        let metrics = answer.metrics().unwrap();
        spilled += usize::from(metrics.operators.iter().any(|figures| figures.spilled_bytes > 0));
        drop(answer);
        assert_eq!((files_in(spill.path()), open_files_of(spill.path())), (0, 0), "{context}");
        assert_eq!(used_bytes(&session), 0, "{context}");
    }
    assert!(spilled > QUERIES / 20, "{spilled} queries spilled");
}
