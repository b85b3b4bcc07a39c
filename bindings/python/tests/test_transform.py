"""Fitted transforms, single rows and pushed batches."""

from __future__ import annotations

import math
import pickle
import signal
import subprocess
import sys
import threading
import time

import pyarrow
import pytest

import hypostyle as hy

DEFINITION = """SELECT label, standard_scale(log1p(price)) AS price, vocab_encode(city) AS city, hash_bucket(agent, 100) AS agent
                FROM input"""


def clicks(rows: int = 100) -> pyarrow.Table:
    return pyarrow.table(
        {
            "label": [x % 2 for x in range(rows)],
            "price": [None if x % 7 == 0 else x / 3 for x in range(rows)],
            "city": [f"city {x % 5}" for x in range(rows)],
            "agent": [f"agent {x}" for x in range(rows)],
        }
    )


@pytest.fixture
def transform(session: hy.Session) -> hy.Transform:
    return session.fit(DEFINITION, clicks())


def test_a_fit_reads_rows_names_and_queries_alike(session: hy.Session, transform: hy.Transform, tmp_path) -> None:
    session.register("clicks", clicks())
    path = tmp_path / "clicks.parquet"
    session.sql(f"COPY clicks TO '{path}'")
    expected = transform.transform(clicks()).fetchall()
    for source in ["clicks", "(FROM clicks WHERE true)", f"'{path}'"]:
        fitted = session.fit(DEFINITION, source)
        assert fitted.transform(source).fetchall() == expected
    assert session.tables() == ["clicks"]


def test_rows_and_batches_have_the_same_bits(transform: hy.Transform) -> None:
    table = clicks()
    batches = transform.transform(table).to_pylist()
    row = transform.row()
    assert [row(**fields) for fields in table.to_pylist()] == batches
    assert row.rows(table.to_pylist()) == batches
    run = transform.prepare().start()
    pushed = [values for batch in [*run.push(table), *run.finish()] for values in batch.rows()]
    assert pushed == transform.transform(table).fetchall()


def test_only_asked_outputs_need_their_inputs(transform: hy.Transform) -> None:
    row = transform.row(["price"])
    assert row.inputs.names == ["price"] and row.outputs.names == ["price"]
    assert row(price=None) == {"price": None}
    with pytest.raises(hy.UsageError, match='no output "prize"'):
        transform.row(["prize"])
    with pytest.raises(hy.UsageError, match='no input column "city"; there are: price'):
        row(city="x")


def test_a_field_of_another_type_is_refused_by_name(transform: hy.Transform) -> None:
    row = transform.row()
    with pytest.raises(TypeError, match='field "city"'):
        row(city=1.5)
    with pytest.raises(TypeError, match='field "price"'):
        row(price="dear")
    assert row(price=1)["price"] == row(price=1.0)["price"]


def test_transforms_are_saved_loaded_pickled_and_named(transform: hy.Transform, tmp_path) -> None:
    table = clicks()
    expected = transform.transform(table).fetchall()
    path = tmp_path / "clicks.hyp"
    transform.save(path)
    loaded = hy.Session().load(path)
    assert loaded.transform(table).fetchall() == expected
    assert pickle.loads(pickle.dumps(transform)).transform(table).fetchall() == expected
    other = hy.Session()
    other.register_transform("features", loaded)
    other.register("t", table)
    assert other.sql("SELECT * FROM features(t)").fetchall() == expected
    assert other.transform("features").outputs == transform.outputs


def test_damaged_files_are_refused(tmp_path) -> None:
    path = tmp_path / "wrong.hyp"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(hy.Error, match="wrong.hyp"):
        hy.Session().load(path)
    with pytest.raises(hy.Error, match="no.hyp"):
        hy.Session().load(tmp_path / "no.hyp")


def test_parameters_are_told(transform: hy.Transform) -> None:
    parameters = transform.parameters()
    assert parameters["standard_scale"][0]["mean"] == pytest.approx(
        sum(math.log1p(x / 3) for x in range(100) if x % 7) / sum(1 for x in range(100) if x % 7)
    )
    assert "vocab_encode" in parameters
    assert transform.inputs.names == ["label", "price", "city", "agent"]
    assert "standard_scale" in transform.sql


def test_sql_and_python_share_transforms(session: hy.Session) -> None:
    session.register("clicks", clicks())
    session.sql("CREATE TRANSFORM t AS SELECT min_max_scale(price) AS price FROM input")
    with pytest.raises(hy.Error, match="not fitted"):
        session.transform("t")
    session.sql("FIT TRANSFORM t FROM clicks")
    assert session.transform("t").row()(price=33.0) == {"price": 1.0}
    with pytest.raises(hy.Error, match='no transform "u"'):
        session.transform("u")


def test_wrong_rows_are_refused(transform: hy.Transform) -> None:
    with pytest.raises(hy.Error, match='no column "city"'):
        transform.transform(clicks().drop(["city"]))
    with pytest.raises(hy.Error, match='"city"'):
        transform.transform(clicks().set_column(2, "city", pyarrow.array(range(100))))
    with pytest.raises(TypeError, match="no table"):
        transform.transform([1])
    with pytest.raises(TypeError, match="given as a text"):
        transform.transform(clicks(), training=True)
    with pytest.raises(hy.SqlError):
        hy.Session().fit("SELECT standard_scale(nothing) AS x FROM input", clicks())


def test_rows_that_were_fitted_on_leave_their_fold_out(session: hy.Session) -> None:
    session.register("clicks", clicks())
    fitted = session.fit("SELECT target_encode(city, label, key => agent, folds => 5) AS city FROM input", "clicks")
    serving = fitted.transform("clicks").fetchall()
    training = fitted.transform("clicks", training=True).fetchall()
    assert len(serving) == len(training) == 100 and serving != training


def test_pushed_rows_go_through_grouping(session: hy.Session) -> None:
    session.register_input("events", pyarrow.schema({"k": pyarrow.string(), "v": pyarrow.int64()}))
    prepared = session.prepare("SELECT k, sum(v) + $1::BIGINT AS s FROM events GROUP BY k ORDER BY k")
    run = prepared.start([100])
    assert run.push(pyarrow.table({"v": [1, 2], "K": ["b", "a"], "other": [0, 0]})) == []
    assert run.push(pyarrow.record_batch({"k": ["a"], "v": [5]})) == []
    assert [row for batch in run.finish() for row in batch.rows()] == [("a", 107), ("b", 101)]
    with pytest.raises(hy.UsageError, match="the run has ended"):
        run.push(pyarrow.table({"k": ["a"], "v": [1]}))
    with pytest.raises(hy.UsageError, match="holds rows"):
        prepared.start([0]).snapshot()


def test_pushed_rows_are_checked(session: hy.Session) -> None:
    session.register_input("events", pyarrow.schema({"v": pyarrow.int64()}))
    prepared = session.prepare("SELECT v + 1 AS w FROM events")
    run = prepared.start()
    restored = prepared.start()
    restored.restore(run.snapshot())
    assert [batch.rows() for batch in restored.push(pyarrow.table({"v": [1]}))] == [[(2,)]]
    with pytest.raises(hy.UsageError, match='no column "v"'):
        run.push(pyarrow.table({"w": [1]}))
    with pytest.raises(hy.UsageError, match="has type DOUBLE; expected BIGINT"):
        prepared.start().push(pyarrow.table({"v": [1.5]}))
    with pytest.raises(hy.UsageError, match="reads no input"):
        session.prepare("SELECT 1 AS x").start()
    with pytest.raises(TypeError, match="no schema"):
        session.register_input("events", 1)


def test_row_evaluators_leave_no_memory_behind(transform: hy.Transform) -> None:
    from test_protocol import resident_bytes

    fields = {"price": 1.5, "city": "city 1", "agent": "x", "label": 1}

    def work(count: int) -> None:
        for _ in range(count):
            transform.row()(**fields)

    work(300)
    before = resident_bytes()
    work(1000)
    assert resident_bytes() - before < 8 << 20


def test_a_fit_is_interrupted() -> None:
    code = """
import hypostyle as hy
session = hy.Session(threads=2)
try:
    print("started", flush=True)
    session.fit("SELECT standard_scale(x) AS x FROM input", "(SELECT a.x * b.x AS x FROM range(1000000) a(x), range(1000000) b(x))")
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "started\n"
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    try:
        assert child.communicate(timeout=30)[0] == "interrupted\n"
    finally:
        child.kill()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("caller", ["main", "other"])
def test_a_fit_that_another_thread_stops_is_cancelled(threads: int, caller: str) -> None:
    session = hy.Session(threads=threads)
    endless = "(SELECT a.x * b.x AS x FROM range(1000000) a(x), range(1000000) b(x))"
    raised: list[BaseException] = []

    def fit(run) -> None:
        try:
            run()
        except BaseException as error:
            raised.append(error)

    runs = [
        lambda: session.fit("SELECT standard_scale(x) AS x FROM input", endless),
        lambda: session.fit_partial("SELECT standard_scale(x) AS x FROM input", endless),
        lambda: session.sql(f"SELECT standard_scale(x) OVER () AS x FROM {endless}").fetchall(),
        lambda: session.sql(f"CREATE OR REPLACE TRANSFORM t AS SELECT max_abs_scale(x) AS x FROM input; FIT TRANSFORM t FROM {endless}"),
    ]
    for run in runs:
        before = len(raised)
        ended = threading.Event()

        def stop() -> None:
            while not ended.wait(0.1):
                session.cancel_fits()

        helper = threading.Thread(target=stop if caller == "main" else lambda: fit(run))
        helper.start()
        if caller == "main":
            fit(run)
        else:
            while helper.is_alive():
                time.sleep(0.1)
                session.cancel_fits()
        ended.set()
        helper.join(30)
        assert [type(error) for error in raised[before:]] == [hy.CancelledError], raised
    session.cancel_fits()
    assert session.fit("SELECT max_abs_scale(x) AS x FROM input", "(SELECT 2 AS x)").row()(x=1) == {"x": 0.5}


def test_threads_share_a_transform(transform: hy.Transform) -> None:
    table = clicks()
    expected = transform.transform(table).fetchall()
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(transform.transform(table).fetchall())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


def test_fits_in_pieces_have_the_bits_of_one_fit(session: hy.Session) -> None:
    table = clicks(200)
    definition = "SELECT standard_scale(price) AS price, vocab_encode(city) AS city, quantile_bucketize(price, 8) AS b FROM input"
    whole = session.fit(definition, table)
    pieces = [table.slice(0, 50), table.slice(50, 120), table.slice(170), table.slice(0, 0)]
    states = [hy.Session(threads=1).fit_partial(definition, piece, number) for number, piece in enumerate(pieces)]
    assert [state.pieces for state in states] == [[0], [1], [2], [3]] and states[0].level == 0
    for given in (states, [session.merge_fits(states)], pickle.loads(pickle.dumps(states))[::-1]):
        found = session.finish_fit(definition, given)
        assert found.parameters() == whole.parameters()
        assert found.transform(table).fetchall() == whole.transform(table).fetchall()


def test_levels_of_a_fit_come_one_after_the_other(session: hy.Session) -> None:
    table = clicks(60)
    definition = "SELECT min_max_scale(standard_scale(price)) AS price FROM input"
    pieces = [table.slice(0, 20), table.slice(20)]
    first = [session.fit_partial(definition, piece, number) for number, piece in enumerate(pieces)]
    with pytest.raises(hy.Error, match="level 1 has no states yet"):
        session.finish_fit(definition, first)
    second = [session.fit_partial(definition, piece, number, first) for number, piece in enumerate(pieces)]
    assert session.finish_fit(definition, first + second).parameters() == session.fit(definition, table).parameters()


def test_states_that_are_none_are_refused(session: hy.Session) -> None:
    with pytest.raises(hy.Error):
        hy.FitState.from_bytes(b"nothing of the kind")
    state = session.fit_partial("SELECT standard_scale(price) AS price FROM input", clicks())
    with pytest.raises(hy.Error):
        session.finish_fit("SELECT min_max_scale(price) AS price FROM input", [state])
    with pytest.raises(hy.Error):
        session.merge_fits([])


def test_windows_are_served_from_the_rows_before_a_row(session: hy.Session, tmp_path) -> None:
    events = pyarrow.table(
        {
            "id": [x * 7 % 50 for x in range(50)],
            "user": [None if x % 11 == 0 else f"user {x % 3}" for x in range(50)],
            "x": [None if x % 13 == 0 else math.nan if x % 17 == 0 else math.sin(x) * 1e3 for x in range(50)],
            "city": [f"city {x % 4}" for x in range(50)],
        }
    )
    definition = """
        SELECT sum(standard_scale(x)) OVER (w ROWS 4 PRECEDING) AS recent, x - lag(x) OVER w AS step, vocab_encode(lag(city) OVER w) AS city,
               avg(x) OVER (w RANGE BETWEEN 9 PRECEDING AND CURRENT ROW) AS near, list(city) OVER (w ROWS 2 PRECEDING) AS cities,
               count(DISTINCT city) OVER w AS known
        FROM input WINDOW w AS (PARTITION BY user ORDER BY id)"""
    path = tmp_path / "windows.hyp"
    session.fit(definition, events).save(path)
    transform = hy.Session().load(path)
    expected = [str(row) for row in transform.transform(events).fetchall()]
    session.register("events", events)
    before = """SELECT id, x, city, list({'id': id, 'x': x, 'city': city}) OVER (PARTITION BY user ORDER BY id
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS user_history FROM events"""
    rows = session.sql(before).to_arrow()
    evaluator = transform.row()
    assert evaluator.inputs.names == ["id", "x", "city", "user_history"]
    assert [str(tuple(evaluator(**row).values())) for row in rows.to_pylist()] == expected
    assert [str(tuple(row.values())) for row in evaluator.rows(rows.to_pylist())] == expected
    run = transform.prepare().start()
    pushed = [batch for part in rows.to_batches(max_chunksize=7) for batch in run.push(part)] + list(run.finish())
    assert [str(row) for batch in pushed for row in batch.rows()] == expected
