//! Fitted transforms: equal bits of fits for any number of threads and size of batches, and of what they give for
//! batches, pushed batches and rows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hypostyle::{Batch, Configuration, Session, row_texts};

const SOURCE: &str = "
    SELECT i AS id,
           CASE WHEN i % 17 = 0 THEN NULL WHEN i % 31 = 0 THEN 'nan'::DOUBLE ELSE sin(i) * pow(10, i % 9) END AS x,
           (i * 7919) % 1000 AS k,
           CASE WHEN i % 13 = 0 THEN NULL ELSE 'c' || (i * i) % 97 END AS c,
           [('t' || i % 5), ('t' || i % 7)] AS tags,
           (i % 3 = 0)::INTEGER AS y
    FROM range(5000) t(i)";

const DEFINITION: &str = "
    CREATE TRANSFORM features AS
    SELECT id,
           standard_scale(x) AS standard,
           standard_scale(log1p(abs(impute(x, nan => true)))) AS nested,
           min_max_scale(k) AS low_high,
           robust_scale(x) AS robust,
           max_abs_scale(x) AS magnitude,
           quantile_bucketize(x, 16) AS bucket,
           uniform_bucketize(k, 8) AS width,
           vocab_encode(c, oov => 3, top_k => 50) AS code,
           label_encode(k) AS label,
           count_encode(c) AS counted,
           target_encode(c, y, key => id, folds => 3) AS target,
           standard_scale(target_encode(c, y)) AS scaled_target,
           one_hot(c, top_k => 3) AS hot,
           multi_hot(tags) AS tags,
           tf_idf(tags) AS weights,
           impute(c, strategy => 'mode') AS filled
    FROM input";

fn session(threads: usize, batch_rows: usize) -> Session {
    Session::with_configuration(Configuration { threads, batch_rows, ..Configuration::default() })
}

fn run(session: &Session, sql: &str) -> Vec<Vec<Option<String>>> {
    let batches = session.sql(sql).unwrap().collect_all().unwrap();
    batches.iter().flat_map(|batch| row_texts(batch).unwrap()).collect()
}

fn fitted(threads: usize, batch_rows: usize) -> Session {
    let session = session(threads, batch_rows);
    run(&session, &format!("CREATE TABLE source AS {SOURCE}"));
    run(&session, DEFINITION);
    run(&session, "FIT TRANSFORM features FROM source");
    session
}

#[test]
fn a_fit_has_equal_bits_for_any_threads_and_batches() {
    let wanted = {
        let session = fitted(1, 2048);
        (run(&session, "DESCRIBE TRANSFORM features"), run(&session, "SELECT * FROM features(source)"))
    };
    assert_eq!(wanted.1.len(), 5000);
    for (threads, batch_rows) in [(2, 2048), (1, 3), (2, 100)] {
        let session = fitted(threads, batch_rows);
        let found =
            (run(&session, "DESCRIBE TRANSFORM features"), run(&session, "SELECT * FROM features(source)"));
        assert!(wanted == found, "{threads} threads and batches of {batch_rows} rows differ");
    }
}

#[test]
fn a_source_that_is_gathered_once_gives_the_same_fit() {
    let plain = fitted(2, 512);
    let shared = session(2, 512);
    run(&shared, &format!("CREATE TABLE source AS {SOURCE}"));
    run(&shared, DEFINITION);
    // A join makes the source dear, so that all parts of the fit share its rows.
    run(
        &shared,
        "FIT TRANSFORM features FROM (SELECT s.* FROM source s JOIN range(5000) r(i) ON s.id = r.i ORDER BY s.id)",
    );
    let sql = "SELECT * FROM features(source)";
    assert!(run(&plain, sql) == run(&shared, sql));
}

#[test]
fn pushed_batches_and_rows_have_the_bits_of_the_table() {
    let session = fitted(1, 2048);
    let outputs = "id, standard, nested, low_high, bucket, code, label, counted, target, filled";
    let wanted = run(&session, &format!("SELECT {outputs} FROM features((SELECT id, x, k, c FROM source))"));
    let batches = session.sql("SELECT id, x, k, c FROM source").unwrap().collect_all().unwrap();

    let schema = hypostyle::Schema::from_arrow(&batches[0].schema()).unwrap();
    session.register_input("live", schema.clone());
    let prepared = session.prepare(&format!("SELECT {outputs} FROM features(live)")).unwrap();
    let mut run = prepared.start(&[]).unwrap();
    let mut pushed = Vec::new();
    let arrow = std::sync::Arc::new(prepared.schema().to_arrow());
    for batch in &batches {
        for start in (0..batch.num_rows()).step_by(70) {
            let part = batch.slice(start, 70.min(batch.num_rows() - start));
            run.push(Batch::import(&part, &schema).unwrap()).unwrap();
            while let Some(output) = run.next().unwrap() {
                pushed.extend(row_texts(&output.export(&arrow).unwrap()).unwrap());
            }
        }
    }
    run.finish().unwrap();
    while let Some(output) = run.next().unwrap() {
        pushed.extend(row_texts(&output.export(&arrow).unwrap()).unwrap());
    }
    assert!(wanted == pushed, "pushed batches differ");

    let prepared =
        session.prepare("SELECT standard, nested, code FROM features((SELECT x, c FROM source))").unwrap();
    let mut row = prepared.row(&[]).unwrap();
    let (x, c) = (row.input("x").unwrap(), row.input("c").unwrap());
    for (position, (number, text)) in
        [(Some(2.5), Some("c1")), (None, None), (Some(f64::NAN), Some("new"))].into_iter().enumerate()
    {
        row.start(1).unwrap();
        if let Some(number) = number {
            row.set_f64(x, number).unwrap();
        }
        if let Some(text) = text {
            row.set_text(c, text).unwrap();
        }
        row.evaluate().unwrap();
        let literal = |given: Option<String>| given.unwrap_or_else(|| "NULL".into());
        let number = literal(number.map(|number| format!("'{number}'")));
        let text = literal(text.map(|text| format!("'{text}'")));
        let sql = format!(
            "SELECT standard, nested, code FROM features((SELECT {number}::DOUBLE AS x, {text}::VARCHAR AS c))"
        );
        let batch = &session.sql(&sql).unwrap().collect_all().unwrap()[0];
        let doubles = |column: usize| {
            let column = batch.column(column);
            let values = column.as_any().downcast_ref::<hypostyle::arrow::array::Float64Array>().unwrap();
            hypostyle::arrow::array::Array::is_valid(values, 0).then(|| values.value(0).to_bits())
        };
        for output in 0..2 {
            assert_eq!(
                row.get_f64(output, 0).map(f64::to_bits),
                doubles(output),
                "row {position}, output {output}"
            );
        }
    }
}

#[test]
fn a_statement_and_its_query_alone_are_fitted_alike() {
    let session = session(1, 2048);
    let query = "SELECT standard_scale(k) AS k FROM input";
    let alone = session.fit(query, SOURCE).unwrap();
    let named =
        session.fit(&format!("-- A comment.\nCREATE TRANSFORM scaled AS\n{query};\n"), SOURCE).unwrap();
    assert_eq!((alone.name(), named.name()), ("transform", "scaled"));
    let rows = |transform: &hypostyle::Transform| {
        let batches = transform.apply(SOURCE).unwrap().collect_all().unwrap();
        batches.iter().flat_map(|batch| row_texts(batch).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(rows(&alone), rows(&named));
    for wrong in
        ["CREATE TABLE t AS SELECT 1", "SELECT 1 FROM input; SELECT 2 FROM input", "SELECT FROM WHERE", ""]
    {
        assert!(session.fit(wrong, SOURCE).is_err(), "{wrong}");
    }
}

#[test]
fn a_query_that_fits_is_not_prepared_by_accident() {
    let session = session(1, 2048);
    run(&session, "CREATE TABLE t AS SELECT i::DOUBLE AS x FROM range(4) t(i)");
    let sql = "SELECT max_abs_scale(x) OVER () AS y FROM t";
    let refused = session.prepare(sql).unwrap_err().to_string();
    assert!(refused.contains("a prepared query would keep the statistics"), "{refused}");
    let prepared = session.prepare_fitted(sql).unwrap();
    let batches = prepared.run(&[]).unwrap().collect_all().unwrap();
    let found: Vec<_> = batches.iter().flat_map(|batch| row_texts(batch).unwrap()).collect();
    assert_eq!(found, run(&session, sql));
}

#[test]
fn passes_of_every_fit_are_seen_and_can_be_stopped() {
    let session = session(2, 512);
    run(&session, &format!("CREATE TABLE source AS {SOURCE}"));
    run(&session, "CREATE TRANSFORM one AS SELECT standard_scale(x) AS x FROM input");
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&seen);
    session.observe_fits(std::sync::Arc::new(move |handle| {
        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        handle.cancel();
    }));
    let texts = [
        "FIT TRANSFORM one FROM source",
        "SELECT standard_scale(x) OVER () FROM source",
        "PIVOT source ON c USING sum(k)",
    ];
    for (position, sql) in texts.into_iter().enumerate() {
        let error = session.sql(sql).and_then(|answer| answer.collect_all()).unwrap_err();
        assert!(error.is_cancelled(), "{sql}: {error}");
        assert_eq!(seen.load(std::sync::atomic::Ordering::Relaxed), position + 1, "{sql}");
    }
    assert!(session.fit("SELECT standard_scale(x) AS x FROM input", "source").unwrap_err().is_cancelled());
}

#[test]
fn a_fit_that_does_not_fit_into_memory_says_so() {
    let session = session(1, 2048);
    run(&session, "SET memory_limit = '300KB'");
    let error = session
        .fit("SELECT power_transform(i) AS x FROM input", "(SELECT i::DOUBLE AS i FROM range(1000000) t(i))");
    let error = error.unwrap_err();
    assert!(matches!(error, hypostyle::Error::Engine(_)), "{error:?}");
    assert!(error.to_string().starts_with("out of memory: "), "{error}");
}

#[test]
fn a_fit_is_not_given_to_another_definition_of_its_name() {
    let session = session(1, 2048);
    run(&session, "CREATE TABLE t AS SELECT i::DOUBLE AS x FROM range(4) t(i)");
    run(&session, "CREATE TRANSFORM one AS SELECT standard_scale(x) AS x FROM input");
    let other = session.clone();
    session.observe_fits(std::sync::Arc::new(move |_| {
        run(&other, "CREATE OR REPLACE TRANSFORM one AS SELECT min_max_scale(x) AS x FROM input");
    }));
    let error = session.sql("FIT TRANSFORM one FROM t").and_then(|answer| answer.collect_all()).unwrap_err();
    assert!(error.to_string().contains("was dropped or replaced while it was fitted"), "{error}");
    assert!(session.transform("one").unwrap_err().to_string().contains("is not fitted"));
}

#[test]
fn a_transform_of_instants_is_served_in_its_zone_alone() {
    let session = session(1, 2048);
    let source = "(SELECT TIMESTAMPTZ '2024-01-01 23:30:00+00' AS at, 2.0 AS x)";
    let transform = session
        .fit("SELECT date_part('hour', at) AS hour, standard_scale(x) AS x FROM input", source)
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zoned.hyp");
    transform.save(&path).unwrap();
    let elsewhere = Session::new();
    run(&elsewhere, "SET time_zone = 'Asia/Tokyo'");
    run(&session, "SET time_zone = 'Asia/Tokyo'");
    let refusals = [
        elsewhere.load_transform(&path).map(drop).unwrap_err(),
        transform.apply(source).map(drop).unwrap_err(),
        transform.prepare().map(drop).unwrap_err(),
        transform.row().map(drop).unwrap_err(),
        transform.apply_batches(&[]).map(drop).unwrap_err(),
    ];
    for refusal in refusals {
        let text = refusal.to_string();
        assert!(text.contains("time zone UTC; the session has Asia/Tokyo"), "{text}");
    }
    assert!(transform.row_of(&["x"]).is_ok());
    run(&elsewhere, "SET time_zone = 'utc'");
    assert!(elsewhere.load_transform(&path).is_ok());
}

/// A definition of one level whose fits depend on values, categories, elements and on the order of rows.
const ONE_LEVEL: &str = "
    SELECT id, standard_scale(x) AS standard, min_max_scale(k) AS low_high, max_abs_scale(x) AS magnitude, robust_scale(x) AS robust,
           quantile_bucketize(x, 16) AS bucket, quantile_bucketize(x, 7, compat => 'sklearn') AS sklearn, uniform_bucketize(k, 8) AS width,
           vocab_encode(c, oov => 3, top_k => 50) AS code, label_encode(k, min_count => 2) AS label, count_encode(c) AS counted,
           target_encode(c, y, key => id, folds => 3) AS target, one_hot(c, top_k => 3) AS hot, multi_hot(tags) AS tags, tf_idf(tags) AS weights,
           bag_of_words(tags) AS bag, impute(c, strategy => 'mode') AS filled, impute(x, strategy => 'mode', compat => 'sklearn') AS least,
           impute(x) AS mean, impute(x, strategy => 'median') AS median, power_transform(x) AS power
    FROM input";

fn parts(rows: &str, cuts: &[usize]) -> Vec<String> {
    let ends = cuts.iter().copied().chain([5000]);
    let starts = [0].into_iter().chain(cuts.iter().copied());
    starts
        .zip(ends)
        .map(|(start, end)| format!("(SELECT * FROM {rows} WHERE id >= {start} AND id < {end})"))
        .collect()
}

/// What was fitted, without where.
fn found(transform: &hypostyle::Transform) -> hypostyle_planner::transform::Fitted {
    let mut fitted = (**transform.fitted()).clone();
    fitted.provenance.source.clear();
    fitted
}

/// A fit in pieces, whose states go through bytes; those of each level are merged two by two first if asked.
fn in_pieces(session: &Session, definition: &str, sources: &[String], merged: bool) -> hypostyle::Transform {
    let mut states: Vec<hypostyle::FitState> = Vec::new();
    loop {
        let before = states.clone();
        let mut level: Vec<hypostyle::FitState> = Vec::new();
        for (piece, source) in sources.iter().enumerate().rev() {
            let state = session.fit_partial(definition, source, piece as u32, &before).unwrap();
            level.push(hypostyle::FitState::from_bytes(&state.to_bytes().unwrap()).unwrap());
        }
        if merged {
            while level.len() > 1 {
                let pair: Vec<_> = level.drain(..2).collect();
                let state = session.merge_fits(&pair).unwrap();
                level.push(hypostyle::FitState::from_bytes(&state.to_bytes().unwrap()).unwrap());
            }
        }
        states.extend(level);
        match session.finish_fit(definition, &states) {
            Ok(transform) => return transform,
            Err(error) => assert!(error.to_string().contains("has no states yet"), "{error}"),
        }
    }
}

#[test]
fn a_fit_in_pieces_has_the_bits_of_the_whole() {
    let session = session(2, 700);
    run(&session, &format!("CREATE TABLE source AS {SOURCE}"));
    let nested = DEFINITION.split_once(" AS\n").unwrap().1;
    for definition in [ONE_LEVEL, nested] {
        let whole = found(&session.fit(definition, "source").unwrap());
        for cuts in [&[][..], &[2500], &[1, 2, 4999], &[0, 1000, 1000, 3456]] {
            let sources = parts("source", cuts);
            for merged in [false, true] {
                let pieces = found(&in_pieces(&session, definition, &sources, merged));
                for (whole, pieces) in whole.calls.iter().zip(&pieces.calls) {
                    assert!(whole == pieces, "{} at {cuts:?}", whole.analyzer);
                }
                assert!(whole == pieces, "{cuts:?}, merged: {merged}");
            }
        }
    }
}

#[test]
fn a_day_is_added_to_a_fit() {
    let session = session(1, 2048);
    run(&session, &format!("CREATE TABLE source AS {SOURCE}"));
    let sources = parts("source", &[2000, 4000]);
    let days: Vec<_> = sources
        .iter()
        .zip(0..)
        .map(|(day, piece)| session.fit_partial(ONE_LEVEL, day, piece, &[]).unwrap())
        .collect();
    let two = session.merge_fits(&days[..2]).unwrap();
    assert_eq!((two.level(), two.pieces()), (0, &[0, 1][..]));
    let three = session.finish_fit(ONE_LEVEL, &[two.clone(), days[2].clone()]).unwrap();
    assert!(found(&three) == found(&session.fit(ONE_LEVEL, "source").unwrap()));
    // The same day twice is told, since its rows would count twice.
    let twice = session.finish_fit(ONE_LEVEL, &[two, days[1].clone()]).unwrap_err().to_string();
    assert!(twice.contains("two states are of piece 1"), "{twice}");
}

#[test]
fn states_that_do_not_belong_together_are_refused() {
    let session = session(1, 2048);
    run(&session, &format!("CREATE TABLE source AS {SOURCE}"));
    let scale = "SELECT standard_scale(x) AS x FROM input";
    let state = |definition: &str, source: &str| session.fit_partial(definition, source, 0, &[]);
    let one = state(scale, "source").unwrap();
    let refusals = [
        (session.finish_fit(scale, &[]).map(drop), "at least one state"),
        (session.merge_fits(&[]).map(drop), "no state to merge"),
        (
            session
                .finish_fit("SELECT standard_scale(k) AS x FROM input", std::slice::from_ref(&one))
                .map(drop),
            "of another definition",
        ),
        (
            session
                .finish_fit(scale, &[one.clone(), state(scale, "(SELECT x FROM source)").unwrap()])
                .map(drop),
            "have the same columns in the same order",
        ),
        (
            session
                .finish_fit(
                    "SELECT standard_scale(log1p(standard_scale(x))) AS x FROM input",
                    std::slice::from_ref(&one),
                )
                .map(drop),
            "level 1 has no states yet",
        ),
        (session.fit_partial(scale, "source", 4096, &[]).map(drop), "numbers below 4096"),
        (
            session.fit_partial(scale, "source", 1, std::slice::from_ref(&one)).map(drop),
            "nothing is left to fit",
        ),
        (
            session.fit_partial("SELECT x + 1 AS y FROM input", "source", 1, &[]).map(drop),
            "has nothing to fit",
        ),
    ];
    for (result, expected) in refusals {
        let text = result.unwrap_err().to_string();
        assert!(text.contains(expected), "{text}");
    }
    let bytes = one.to_bytes().unwrap();
    for length in (0..bytes.len()).step_by(101) {
        assert!(hypostyle::FitState::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
    }
    let mut changed = bytes.clone();
    for place in (0..bytes.len()).step_by(37) {
        changed[place] ^= 1 << (place % 8);
        if let Ok(read) = hypostyle::FitState::from_bytes(&changed) {
            assert!(read == hypostyle::FitState::from_bytes(&bytes).unwrap(), "byte {place}");
        }
        changed[place] = bytes[place];
    }
}
