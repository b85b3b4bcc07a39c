//! Windows of a transform, served by row and pushed from the rows before a row: the bits of windows over tables.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hypostyle::arrow::array::RecordBatch;
use hypostyle::{Batch, RowEvaluator, Session, Transform, input_batch};
use hypostyle_functions::column::{borrow, value_at};
use hypostyle_functions::{Schema, Value};

/// Events of some users and shops in no order, with nulls, NaN, ties in `day`, and unique times.
const EVENTS: &str = "CREATE TABLE events AS SELECT
    i AS id, (i * 7919 % 1000)::INTEGER AS seq, TIMESTAMP '2024-01-01' + to_minutes((i * 7919 % 1000) * 17) AS ts,
    (i * 31 % 7)::INTEGER AS day, CASE WHEN i % 17 = 0 THEN NULL ELSE 'user ' || (i * i) % 13 END AS user,
    i % 3 AS shop, CASE WHEN i % 11 = 0 THEN NULL WHEN i % 97 = 0 THEN 'nan'::DOUBLE ELSE sin(i) * 10 ** (i % 9) END AS x,
    CASE WHEN i % 5 = 0 THEN NULL ELSE (i * 13) % 50 END AS k, ['a', 'b', NULL, 'cc'][i % 4 + 1] AS c
    FROM range(1000) t(i)";

const BY_USER: &str = "PARTITION BY user ORDER BY ts";

/// The rows before each row in the order of a window, as serving takes them: by their fields and the window, or as `= ` and an expression.
fn with_histories(session: &Session, histories: &[(&str, &str, &str)]) -> Vec<RecordBatch> {
    let lists: Vec<String> = histories
        .iter()
        .map(|(name, fields, window)| match fields.strip_prefix("= ") {
            Some(expression) => format!("{expression} AS {name}"),
            None => format!(
                "list({{{fields}}}) OVER ({window} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS {name}"
            ),
        })
        .collect();
    let sql = format!("SELECT *, {} FROM events ORDER BY id", lists.join(", "));
    session.sql(&sql).unwrap().collect_all().unwrap()
}

fn values(batches: &[RecordBatch]) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for batch in batches {
        let schema = Schema::from_arrow(&batch.schema()).unwrap();
        let batch = Batch::import(batch, &schema).unwrap();
        let columns: Vec<_> = batch.columns.iter().map(|column| column.to_array().unwrap()).collect();
        let bump = Default::default();
        let views: Vec<_> = columns
            .iter()
            .zip(&schema.fields)
            .map(|(array, field)| borrow(array, &field.data_type, &bump))
            .collect();
        rows.extend((0..batch.rows).map(|row| views.iter().map(|view| value_at(view, row)).collect()));
    }
    rows
}

/// All rows pushed, in batches of other sizes than they come in.
fn pushed(transform: &Transform, batches: &[RecordBatch]) -> Vec<Vec<Value>> {
    let prepared = transform.prepare().unwrap();
    let inputs = prepared.input().unwrap();
    let mut run = prepared.start(&[]).unwrap();
    let schema = std::sync::Arc::new(prepared.schema().to_arrow());
    let mut outputs = Vec::new();
    for batch in batches {
        for start in (0..batch.num_rows()).step_by(77) {
            let part = batch.slice(start, 77.min(batch.num_rows() - start));
            run.push(input_batch(&part, &inputs).unwrap()).unwrap();
            while let Some(batch) = run.next().unwrap() {
                outputs.push(batch.export(&schema).unwrap());
            }
        }
    }
    run.finish().unwrap();
    while let Some(batch) = run.next().unwrap() {
        outputs.push(batch.export(&schema).unwrap());
    }
    values(&outputs)
}

/// Rows set field by field, so many at a time.
fn by_row(row: &mut RowEvaluator, batches: &[RecordBatch], size: usize) -> Vec<Vec<Value>> {
    let names: Vec<String> = batches[0].schema().fields().iter().map(|field| field.name().clone()).collect();
    let inputs = row.inputs().clone();
    let place = |name: &str| names.iter().position(|known| known == name).unwrap();
    let places: Vec<usize> = inputs.fields.iter().map(|field| place(&field.name)).collect();
    let outputs = row.outputs().fields.len();
    let mut found = Vec::new();
    for rows in values(batches).chunks(size) {
        row.start(rows.len()).unwrap();
        for (at, given) in rows.iter().enumerate() {
            row.at(at).unwrap();
            for (column, place) in places.iter().enumerate() {
                row.set_value(column, &given[*place]).unwrap();
            }
        }
        row.evaluate().unwrap();
        found.extend((0..rows.len()).map(|at| (0..outputs).map(|output| row.value(output, at)).collect()));
    }
    found
}

/// Text of rows, in which NaN is equal to itself.
fn shown(rows: &[Vec<Value>]) -> Vec<String> {
    rows.iter().map(|row| format!("{row:?}")).collect()
}

fn check(definition: &str, histories: &[(&str, &str, &str)]) -> (Session, Transform) {
    let session = Session::new();
    session.sql(EVENTS).unwrap().drain().unwrap();
    let transform = session.fit(definition, "(SELECT * FROM events ORDER BY id)").unwrap();
    let wanted = shown(&values(
        &transform.apply("(SELECT * FROM events ORDER BY id)").unwrap().collect_all().unwrap(),
    ));
    let rows = with_histories(&session, histories);
    let directory = std::env::temp_dir().join(format!("served_windows_{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join(format!("{:x}.hyp", definition.len()));
    transform.save(&file).unwrap();
    let loaded = Session::new().load_transform(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(loaded.fitted(), transform.fitted());
    for transform in [&transform, &loaded] {
        for name in histories.iter().map(|(name, ..)| name) {
            assert!(transform.inputs().index_of(name).is_some(), "{:?}", transform.inputs());
        }
        assert_eq!(wanted, shown(&pushed(transform, &rows)), "pushed");
        for size in [1, 7, 256] {
            let mut row = transform.row().unwrap();
            assert_eq!(wanted, shown(&by_row(&mut row, &rows, size)), "rows by {size}");
        }
        let applied = transform.apply_batches(&rows).unwrap();
        assert_eq!(wanted, shown(&values(&applied)), "batches");
    }
    (session, transform)
}

#[test]
fn aggregates_ranks_and_values_of_rows_before() {
    let definition = format!(
        "SELECT id, sum(x) OVER (w ROWS BETWEEN 5 PRECEDING AND 1 PRECEDING) AS a, lag(x) OVER w AS b, lag(c, 3, 'none') OVER w AS c,
            avg(x) OVER (w RANGE BETWEEN INTERVAL 12 HOURS PRECEDING AND CURRENT ROW) AS d,
            count(*) OVER (w RANGE BETWEEN INTERVAL 2 DAYS PRECEDING AND INTERVAL 1 HOUR PRECEDING) AS e,
            row_number() OVER w AS f, rank() OVER w AS g, first_value(c) OVER w AS h, last_value(k IGNORE NULLS) OVER
            (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS i, string_agg(c, '-') FILTER (WHERE k > 20) OVER
            (w ROWS 9 PRECEDING) AS j, count(DISTINCT c) OVER w AS k, list(k) OVER (w ROWS 2 PRECEDING) AS l, stddev(x) OVER w AS m,
            max(x) OVER (w ROWS BETWEEN 20 PRECEDING AND 1 PRECEDING EXCLUDE TIES) + min(k) OVER w AS n,
            x - lag(x) OVER w AS o, median(k) OVER (w ROWS 7 PRECEDING) AS p, nth_value(k, 2) OVER w AS q
         FROM input WINDOW w AS ({BY_USER})"
    );
    let fields = "'ts': ts, 'x': x, 'k': k, 'c': c";
    // A history has the columns that windows read, in the order of the table.
    let (session, transform) = check(&definition, &[("user_history", fields, BY_USER)]);
    session.register_transform("events_of_user", &transform);
    let described = values(
        &session
            .sql("SELECT * FROM (DESCRIBE TRANSFORM events_of_user) WHERE kind = 'history'")
            .unwrap()
            .collect_all()
            .unwrap(),
    );
    assert_eq!(
        shown(&described),
        [
            r#"[Text("history"), Text("user_history"), Text("STRUCT(ts TIMESTAMP, x DOUBLE, k BIGINT, c VARCHAR)[]"), Text("rows before this one of the same user, by ts: all of them")]"#
        ]
    );
}

#[test]
fn windows_of_several_partitions_and_orders_have_a_history_each() {
    let definition = "SELECT id, sum(x) OVER (PARTITION BY user ORDER BY seq ROWS 3 PRECEDING) AS a,
            sum(k) OVER (PARTITION BY shop, user ORDER BY ts ROWS BETWEEN 4 PRECEDING AND 1 PRECEDING) AS b,
            lag(x, 2) OVER (ORDER BY seq) AS c, avg(k) OVER (PARTITION BY user ORDER BY seq ROWS 1 PRECEDING) AS d,
            count(*) OVER (PARTITION BY user ORDER BY seq DESC ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS e,
            sum(k) OVER (PARTITION BY lower(user) ORDER BY day, seq ROWS 5 PRECEDING) AS f FROM input";
    check(
        definition,
        &[
            ("user_history", "'seq': seq, 'x': x, 'k': k", "PARTITION BY user ORDER BY seq"),
            ("shop_user_history", "'ts': ts, 'k': k", "PARTITION BY shop, user ORDER BY ts"),
            ("history", "'seq': seq, 'x': x", "ORDER BY seq"),
            ("user_history_2", "'seq': seq", "PARTITION BY user ORDER BY seq DESC"),
            ("user_history_3", "'seq': seq, 'day': day, 'k': k", "PARTITION BY user ORDER BY day, seq"),
        ],
    );
}

#[test]
fn analyzers_of_windows_and_windows_of_analyzers() {
    let definition = format!(
        "SELECT id, standard_scale(avg(x) OVER (w ROWS 4 PRECEDING)) AS a, sum(standard_scale(k)) OVER (w ROWS 4 PRECEDING) AS b,
            vocab_encode(lag(c) OVER w) AS c, min_max_scale(sum(min_max_scale(k)) OVER (w ROWS 4 PRECEDING) + k) AS d
         FROM input WINDOW w AS ({BY_USER})"
    );
    check(&definition, &[("user_history", "'ts': ts, 'x': x, 'k': k, 'c': c", BY_USER)]);
}

#[test]
fn frames_of_every_kind_over_ties_and_nulls() {
    let definition = "SELECT id, sum(x) OVER (u GROUPS BETWEEN 3 PRECEDING AND 1 PRECEDING) AS a,
            count(*) OVER (u RANGE BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING) AS b, rank() OVER u AS c, dense_rank() OVER u AS d,
            sum(seq) OVER (u RANGE BETWEEN 3 PRECEDING AND 1 PRECEDING) AS e,
            sum(k) OVER (v ROWS BETWEEN 5 PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW) AS f,
            list(k) OVER (v ROWS BETWEEN 5 PRECEDING AND CURRENT ROW EXCLUDE GROUP) AS g,
            max(c) OVER (v GROUPS BETWEEN 4 PRECEDING AND CURRENT ROW EXCLUDE TIES) AS h,
            nth_value(k, 2 IGNORE NULLS) OVER (v ROWS 6 PRECEDING) AS i, lag(k, 2, -1) IGNORE NULLS OVER v AS j, lag(c, 0) IGNORE NULLS OVER v AS k,
            first_value(c IGNORE NULLS) OVER (v ROWS BETWEEN 3 PRECEDING AND 2 PRECEDING) AS l,
            sum(x) FILTER (WHERE c = 'a') OVER (v RANGE BETWEEN 100 PRECEDING AND 10 PRECEDING) AS m,
            avg(k) OVER (v ROWS BETWEEN day PRECEDING AND CURRENT ROW) AS n, mode(c) OVER (v ROWS 9 PRECEDING) AS o,
            count(DISTINCT k) FILTER (WHERE x > 0) OVER (v ROWS 30 PRECEDING) AS p, quantile_cont(x, [0.1, 0.9]) OVER (v ROWS 9 PRECEDING) AS q,
            string_agg(c, '' ORDER BY k DESC) OVER (v ROWS 9 PRECEDING) AS r, sum(DISTINCT k) OVER (v ROWS 30 PRECEDING) AS s,
            min(c) OVER (v ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING) AS t, count(k) OVER (v ROWS BETWEEN 3 PRECEDING AND 9 PRECEDING) AS u
         FROM input WINDOW u AS (PARTITION BY shop ORDER BY k NULLS FIRST), v AS (PARTITION BY shop ORDER BY seq DESC)";
    // Rows whose `k` is null are bounded by their peers, so the peers of a row are part of its history; that of `v` stands
    // backwards, and is put in order.
    let peers = "= list({'seq': seq, 'x': x, 'k': k}) OVER (PARTITION BY shop ORDER BY k NULLS FIRST RANGE UNBOUNDED PRECEDING \
                 EXCLUDE CURRENT ROW)";
    let backwards = "= list({'seq': seq, 'day': day, 'x': x, 'k': k, 'c': c} ORDER BY seq) OVER (PARTITION BY shop ORDER BY seq DESC \
                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)";
    check(definition, &[("shop_history", peers, ""), ("shop_history_2", backwards, "")]);
}

#[test]
fn a_function_that_orders_its_arguments_sees_them_all() {
    let definition =
        "SELECT id, first_value(c ORDER BY x DESC) OVER (w ROWS 5 PRECEDING) AS a, sum(k) OVER w AS b
         FROM input WINDOW w AS (ORDER BY seq)";
    check(definition, &[("history", "'seq': seq, 'x': x, 'k': k, 'c': c", "ORDER BY seq")]);
}

#[test]
fn wrong_offsets_of_a_served_row_are_told() {
    let session = Session::new();
    session.sql(EVENTS).unwrap().drain().unwrap();
    for (frame, problem) in [
        ("ROWS BETWEEN k - 5 PRECEDING AND CURRENT ROW", "ROWS -4 PRECEDING is negative"),
        ("ROWS BETWEEN nullif(k, 1) PRECEDING AND CURRENT ROW", "the offset of a ROWS frame is null"),
        ("GROUPS BETWEEN k - 5 PRECEDING AND CURRENT ROW", "GROUPS -4 PRECEDING is negative"),
        ("RANGE BETWEEN k - 5 PRECEDING AND CURRENT ROW", "RANGE .. PRECEDING has a negative offset"),
    ] {
        let definition = format!("SELECT count(*) OVER (ORDER BY seq {frame}) AS a FROM input");
        let error = session.fit(&definition, "events").and_then(|transform| {
            let mut row = transform.row()?;
            let (seq, k) = (row.input("seq")?, row.input("k")?);
            row.set_i64(seq, 3)?;
            row.set_i64(k, 1)?;
            Ok(row.evaluate()?)
        });
        let error = error.unwrap_err().to_string();
        assert!(error.contains(problem), "{frame}: {error}");
    }
}

#[test]
fn what_looks_ahead_is_for_tables_alone() {
    let session = Session::new();
    session.sql(EVENTS).unwrap().drain().unwrap();
    for (call, problem) in [
        ("lead(x) OVER (PARTITION BY user ORDER BY ts)", "looks at rows after the current one"),
        ("lag(x, -1) OVER (PARTITION BY user ORDER BY ts)", "looks at rows after the current one"),
        ("lag(x, day) OVER (PARTITION BY user ORDER BY ts)", "by an offset that is no constant"),
        ("sum(x) OVER (PARTITION BY user)", "since it has no ORDER BY"),
        (
            "sum(x) OVER (ORDER BY ts ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)",
            "has a frame that ends after the current row",
        ),
        ("ntile(4) OVER (ORDER BY ts)", "looks at rows after the current one"),
    ] {
        let definition = format!("SELECT x, {call} AS y FROM input");
        let transform = session.fit(&definition, "events").unwrap();
        assert_eq!(values(&transform.apply("events").unwrap().collect_all().unwrap()).len(), 1000);
        for error in [transform.row().map(drop).unwrap_err(), transform.prepare().map(drop).unwrap_err()] {
            let error = error.to_string();
            assert!(
                error.contains("output \"y\" is not evaluated row by row") && error.contains(problem),
                "{error}"
            );
        }
        assert!(transform.row_of(&["x"]).is_ok());
    }
}

#[test]
fn what_no_transform_can_be_is_told() {
    let session = Session::new();
    session.sql(EVENTS).unwrap().drain().unwrap();
    let nested =
        "SELECT lag(y) OVER (ORDER BY ts) AS z FROM (SELECT ts, lag(x) OVER (ORDER BY ts) AS y FROM input)";
    let error = session.fit(nested, "events").unwrap_err().to_string();
    assert!(
        error.contains("no window over the value of another window") && error.contains("make two transforms"),
        "{error}"
    );
    let changing = "SELECT sum(x + random(1)) OVER (ORDER BY ts ROWS 1 PRECEDING) AS z FROM input";
    let error = session.fit(changing, "events").unwrap_err().to_string();
    assert!(error.contains("random") && error.contains("the window"), "{error}");
}

#[test]
fn a_window_over_a_window_is_two_transforms() {
    let session = Session::new();
    session.sql(EVENTS).unwrap().drain().unwrap();
    let inner = "SELECT id, shop, seq, x - lag(x) OVER (PARTITION BY shop ORDER BY seq) AS step FROM input";
    let outer = "SELECT id, max(abs(step)) OVER (w ROWS 3 PRECEDING) AS a, standard_scale(avg(step) OVER (w ROWS 5 PRECEDING)) AS b
        FROM input WINDOW w AS (PARTITION BY shop ORDER BY seq)";
    let first = session.fit(inner, "events").unwrap();
    session.register_transform("steps", &first);
    let second = session.fit(outer, "(SELECT * FROM steps((SELECT * FROM events ORDER BY id)))").unwrap();
    session.register_transform("peaks", &second);
    // Over tables, as one query says it.
    let values_of = |sql: &str| shown(&values(&session.sql(sql).unwrap().collect_all().unwrap()));
    let wanted = values_of(
        "WITH steps AS (SELECT *, x - lag(x) OVER (PARTITION BY shop ORDER BY seq) AS step FROM events)
         SELECT id, max(abs(step)) OVER (w ROWS 3 PRECEDING) AS a FROM steps WINDOW w AS (PARTITION BY shop ORDER BY seq) ORDER BY id",
    );
    let found = "FROM peaks((SELECT * FROM steps((SELECT * FROM events ORDER BY id))))";
    assert_eq!(values_of(&format!("SELECT id, a {found}")), wanted);
    // By row: the second transform's history holds what the first one gave.
    let rows =
        with_histories(&session, &[("shop_history", "'seq': seq, 'x': x", "PARTITION BY shop ORDER BY seq")]);
    let steps = by_row(&mut first.row().unwrap(), &rows, 1);
    let mut before: std::collections::HashMap<String, Vec<(i64, Value)>> = Default::default();
    let mut by_id: Vec<(i64, Vec<Value>)> = Vec::new();
    let mut row = second.row().unwrap();
    let history = row.input("shop_history").unwrap();
    let (id, seq, step) = (row.input("id").unwrap(), row.input("seq").unwrap(), row.input("step").unwrap());
    let mut in_order = steps.clone();
    in_order.sort_by_key(|values| values[2].as_i64());
    for values in in_order {
        let held = before.entry(format!("{:?}", values[1])).or_default();
        let types = vec![hypostyle_functions::Type::Int32, hypostyle_functions::Type::Float64];
        let element = |(seq, step): &(i64, Value)| {
            let fields =
                vec![("seq".to_owned(), Value::Int32(*seq as i32)), ("step".to_owned(), step.clone())];
            Value::Struct(fields, types.clone())
        };
        let given: Vec<Value> = held.iter().map(element).collect();
        let of = element(&(0, Value::Null)).data_type();
        row.start(1).unwrap();
        row.set_value(id, &values[0]).unwrap();
        row.set_value(seq, &values[2]).unwrap();
        row.set_value(step, &values[3]).unwrap();
        row.set_value(history, &Value::List(of, given)).unwrap();
        row.evaluate().unwrap();
        by_id.push((values[0].as_i64().unwrap(), (0..3).map(|output| row.value(output, 0)).collect()));
        held.push((values[2].as_i64().unwrap(), values[3].clone()));
    }
    by_id.sort_by_key(|(id, _)| *id);
    let served: Vec<Vec<Value>> = by_id.into_iter().map(|(_, values)| values).collect();
    assert_eq!(shown(&served), values_of(&format!("SELECT * {found}")));
}

#[test]
fn a_plain_query_with_windows_is_evaluated_by_row() {
    let session = Session::new();
    session.sql(EVENTS).unwrap().drain().unwrap();
    let sql = "SELECT id, sum(x) OVER (w ROWS 3 PRECEDING) * 2 AS a, lag(c) OVER (ORDER BY seq) AS b, max(k) OVER w AS d
               FROM events WINDOW w AS (PARTITION BY user ORDER BY ts) ORDER BY id";
    let wanted = shown(&values(&session.sql(sql).unwrap().collect_all().unwrap()));
    let prepared = session.prepare(sql.trim_end_matches("ORDER BY id")).unwrap();
    let mut row = prepared.row(&[]).unwrap();
    let rows = with_histories(
        &session,
        &[
            ("user_history", "'ts': ts, 'x': x, 'k': k", BY_USER),
            ("history", "'seq': seq, 'c': c", "ORDER BY seq"),
        ],
    );
    let names: Vec<String> = row.inputs().fields.iter().map(|field| field.name.clone()).collect();
    assert_eq!(wanted, shown(&by_row(&mut row, &rows, 1)), "{names:?}");
}

#[test]
fn a_row_without_a_history_is_the_first_one() {
    let session = Session::new();
    session.sql(EVENTS).unwrap().drain().unwrap();
    let definition = "SELECT sum(k) OVER (w ROWS 2 PRECEDING) AS a, count(*) OVER w AS b FROM input WINDOW w AS (ORDER BY seq)";
    let transform = session.fit(definition, "events").unwrap();
    let mut row = transform.row().unwrap();
    let k = row.input("k").unwrap();
    row.set_i64(k, 7).unwrap();
    row.evaluate().unwrap();
    assert_eq!(
        (row.value(0, 0), row.value(1, 0)),
        (Value::Decimal(hypostyle_functions::value::DecimalDigits(7), 38, 0), Value::Int64(1))
    );
}
