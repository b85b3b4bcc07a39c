//! Runs that are cancelled or dropped at random moments, most of them in the middle of a spill.

use std::time::Duration;

use super::{Random, files_in, limited, run, used_bytes};

/// Statements that hold more than the budget, each by another operator; `{folder}` is for what they write.
const STATEMENTS: [&str; 8] = [
    "SELECT k, count(*) AS n, max(s) FROM wide_keys GROUP BY k",
    "SELECT * FROM wide_keys ORDER BY s, k",
    "SELECT a.k, b.v, a.s FROM wide_keys a JOIN wide_keys b ON a.k = b.k",
    "SELECT k, row_number() OVER (PARTITION BY k % 1000 ORDER BY s) AS r, sum(v) OVER (ORDER BY k) AS t FROM wide_keys",
    "SELECT DISTINCT s, v % 7 AS w FROM wide_keys",
    "SELECT s FROM wide_keys EXCEPT SELECT s FROM wide_keys WHERE v % 3 = 0",
    "SELECT a.k, b.v FROM wide_keys a ASOF JOIN wide_keys b ON a.k % 50 = b.k % 50 AND a.v >= b.v",
    "COPY (SELECT * FROM wide_keys ORDER BY s) TO '{folder}/out.parquet'",
];

#[test]
fn a_run_cancelled_at_any_moment_leaves_no_file_and_no_reservation() {
    let (spill, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut random = Random(20_240_731);
    for threads in [1, 2] {
        let session = limited(spill.path(), threads, 10 << 20);
        let path = data.path().join("keys.parquet");
        run(
            &session,
            &format!(
                "COPY (SELECT x * 7919 % 60013 AS k, x AS v, md5(x::VARCHAR) AS s FROM range(60000) r(x)) TO '{0}';
                 CREATE OR REPLACE VIEW wide_keys AS FROM '{0}'",
                path.display()
            ),
        );
        let mut cancelled = 0;
        for round in 0..48 {
            let statement =
                STATEMENTS[round % STATEMENTS.len()].replace("{folder}", data.path().to_str().unwrap());
            let delay = Duration::from_micros(random.below(60_000));
            let mut answer = session.sql(&statement).unwrap();
            let handle = answer.handle().unwrap();
            let canceller = std::thread::spawn(move || {
                std::thread::sleep(delay);
                handle.cancel();
            });
            // Every third run is dropped with its rows half read instead of being read until it is cancelled.
            let batches_max = if round % 3 == 2 { random.below(4) as usize } else { usize::MAX };
            let mut batches = 0;
            let ended = loop {
                if batches == batches_max {
                    break Ok(());
                }
                match answer.next_batch() {
                    Ok(Some(_)) => batches += 1,
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                }
            };
            drop(answer);
            canceller.join().unwrap();
            let context = format!("{statement} after {delay:?} with {threads} workers");
            match ended {
                Ok(()) => {}
                Err(error) if error.is_cancelled() => cancelled += 1,
                Err(error) => panic!("{context}: {error}"),
            }
            assert_eq!(files_in(spill.path()), 0, "{context}");
            assert_eq!(used_bytes(&session), 0, "{context}");
            assert!(files_in(data.path()) <= 2, "{context}");
        }
        assert!(cancelled > 8, "{cancelled} of 48 runs were cancelled before they ended");
    }
}
