"""How results are read, shown, stopped."""

from __future__ import annotations

import datetime
import signal
import subprocess
import sys
import threading
import time

import numpy
import pyarrow
import pytest

import hypostyle as hy

LONG = "SELECT sum(a.x * b.x) AS s FROM range(1000000) a(x), range(1000000) b(x)"


def test_a_result_is_read_once() -> None:
    result = hy.sql("SELECT 1 AS x")
    assert result.fetchall() == [(1,)]
    with pytest.raises(hy.UsageError, match="handed out already"):
        result.fetchall()
    assert "handed out" in repr(result)


def test_a_collected_result_is_read_any_number_of_times() -> None:
    result = hy.sql("SELECT x FROM range(5000) t(x)").collect()
    assert len(result.fetchall()) == 5000
    assert pyarrow.table(result).num_rows == 5000
    assert result.fetchone() == (0,)
    read = hy.sql("SELECT 1 AS x")
    read.fetchall()
    with pytest.raises(hy.UsageError, match="handed out already"):
        read.collect()


def test_showing_a_result_loses_no_rows() -> None:
    result = hy.sql("SELECT x FROM range(5000) t(x)")
    assert "more than 20 rows" in repr(result)
    assert result._repr_html_().count("<tr>") == 21
    assert len(result.fetchall()) == 5000


def test_tables_are_shown_with_names_types_and_nulls() -> None:
    assert repr(hy.sql("SELECT 1.5::DOUBLE AS x, NULL::VARCHAR AS \"日本\", 'a\nb' AS t")) == "\n".join(
        [
            "┌────────┬─────────┬─────────┐",
            "│ x      │ 日本    │ t       │",
            "│ DOUBLE │ VARCHAR │ VARCHAR │",
            "├────────┼─────────┼─────────┤",
            "│    1.5 │ NULL    │ a\\nb    │",
            "└────────┴─────────┴─────────┘",
            "1 row",
        ]
    )


def test_wide_tables_leave_out_columns_in_the_middle() -> None:
    shown = repr(hy.sql("SELECT " + ", ".join(f"{x} AS column_{x}" for x in range(100))))
    assert "column_0" in shown and "column_99" in shown and "column_50" not in shown
    assert "1 row, 100 columns" in shown
    assert max(len(line) for line in shown.splitlines()) <= 160


def test_plans_are_shown_as_they_are() -> None:
    shown = repr(hy.sql("EXPLAIN SELECT sum(x) AS s FROM range(10) t(x)"))
    assert "Aggregate" in shown and "\n" in shown and "│" not in shown


def test_html_is_escaped() -> None:
    page = hy.sql("SELECT '<b>' AS \"<i>\", NULL AS n")._repr_html_()
    assert "&lt;b&gt;" in page and "&lt;i&gt;" in page and "<b>" not in page and "<i>NULL</i>" in page


def test_statements_without_rows_say_so() -> None:
    result = hy.Session().sql("SET threads = 1")
    assert repr(result) == "done" and result.fetchall() == [] and result._repr_html_() is None


def test_batches_have_columns_and_slices() -> None:
    (batch,) = hy.sql("SELECT x, 'a' || x AS t FROM range(3) t(x)")
    assert (batch.num_rows, batch.num_columns, len(batch)) == (3, 2, 3)
    assert batch.column_names == ["x", "t"]
    assert batch.column("t").to_pylist() == ["a0", "a1", "a2"]
    assert batch.column(-2).to_pylist() == [0, 1, 2]
    assert batch.slice(1).rows() == [(1, "a1"), (2, "a2")]
    assert batch.slice(5, 2).rows() == [] and batch.slice(2, 9).num_rows == 1
    with pytest.raises(KeyError):
        batch.column("y")
    with pytest.raises(IndexError):
        batch.column(2)


def test_rows_become_dictionaries() -> None:
    assert hy.sql("SELECT x, NULL AS n FROM range(2) t(x)").to_pylist() == [{"x": 0, "n": None}, {"x": 1, "n": None}]
    assert hy.sql("SELECT 1 AS x WHERE false").fetchone() is None


def test_other_libraries_take_results() -> None:
    sql = "SELECT x, x::DOUBLE AS d, 'a' || x AS t, [x, NULL] AS l, {'t': 'b' || x} AS s, MAP {'k': 'v'} AS m FROM range(3) t(x)"
    table = hy.sql(sql).to_arrow()
    assert table.schema.field("t").type == pyarrow.string()
    assert table.schema.field("s").type.field(0).type == pyarrow.string()
    assert table.to_pylist()[2]["s"] == {"t": "b2"}
    assert hy.sql(sql).to_arrow(text="string_view").schema.field("t").type == pyarrow.string_view()
    assert hy.sql(sql).to_arrow(text="large_string").schema.field("t").type == pyarrow.large_string()
    frame = hy.sql("SELECT x, 'a' || x AS t FROM range(3) t(x)").to_polars()
    assert frame.rows() == [(0, "a0"), (1, "a1"), (2, "a2")]
    assert hy.sql("SELECT x, 'a' || x AS t FROM range(3) t(x)").to_pandas()["t"].tolist() == ["a0", "a1", "a2"]


def test_numpy_arrays_have_the_types_of_columns() -> None:
    arrays = hy.sql(
        """SELECT x::TINYINT AS i8, x::UBIGINT AS u64, x::FLOAT AS f32, [x, x + 1]::FLOAT[2] AS e,
                  DATE '2020-01-01' + x::INTEGER AS d, TIMESTAMP '2020-01-01 01:02:03' AS ts, 'a' || x AS t, x > 1 AS b, [x] AS l
           FROM range(3) t(x)"""
    ).to_numpy()
    assert arrays["i8"].dtype == numpy.int8 and arrays["u64"].dtype == numpy.uint64
    assert arrays["f32"].dtype == numpy.float32 and not arrays["f32"].flags.writeable
    assert arrays["e"].shape == (3, 2) and arrays["e"].tolist() == [[0, 1], [1, 2], [2, 3]]
    assert arrays["d"].tolist() == [datetime.date(2020, 1, day) for day in (1, 2, 3)]
    assert arrays["ts"][0] == numpy.datetime64("2020-01-01T01:02:03", "us")
    assert arrays["t"].tolist() == ["a0", "a1", "a2"]
    assert arrays["b"].dtype == bool and arrays["b"].tolist() == [False, False, True]
    assert arrays["l"].tolist() == [[0], [1], [2]]


def test_numpy_arrays_show_nulls(any_session: hy.Session) -> None:
    arrays = any_session.sql(
        """SELECT CASE WHEN x <> 4 THEN x END AS i, CASE WHEN x <> 4 THEN x::FLOAT END AS f,
                  CASE WHEN x <> 4 THEN DATE '2020-01-01' END AS d, CASE WHEN x <> 4 THEN x > 1 END AS b,
                  CASE WHEN x <> 4 THEN [x, 1]::FLOAT[2] END AS e, [1, CASE WHEN x <> 4 THEN x END]::FLOAT[2] AS n
           FROM range(5) t(x)"""
    ).to_numpy()
    assert arrays["i"].dtype == numpy.float64 and numpy.isnan(arrays["i"][4])
    assert arrays["f"].dtype == numpy.float32 and numpy.isnan(arrays["f"][4])
    assert numpy.isnat(arrays["d"][4]) and not numpy.isnat(arrays["d"][3])
    assert arrays["b"].tolist() == [False, False, True, True, None]
    assert arrays["e"].shape == (5, 2) and numpy.isnan(arrays["e"][4]).all()
    assert arrays["n"].dtype == numpy.float32 and arrays["n"][4, 0] == 1 and numpy.isnan(arrays["n"][4, 1])


def test_no_rows_have_the_types_too() -> None:
    sql = "SELECT 1::INTEGER AS i, [1, 2]::FLOAT[2] AS e, DATE '2020-01-01' AS d, 'a' AS t WHERE false"
    arrays = hy.sql(sql).to_numpy()
    assert arrays["i"].dtype == numpy.int32 and arrays["e"].shape == (0, 2)
    assert arrays["d"].dtype == numpy.dtype("datetime64[D]") and arrays["t"].dtype == object
    assert hy.sql(sql).to_arrow().num_rows == 0 and hy.sql(sql).to_polars().shape == (0, 4)
    assert repr(hy.sql(sql)).endswith("0 rows")


def test_errors_of_rows_keep_their_class_through_other_libraries() -> None:
    sql = "SELECT CAST('a' || x AS INTEGER) AS y FROM range(3) t(x)"
    for read in [hy.Result.to_arrow, hy.Result.to_polars, hy.Result.to_pandas, hy.Result.to_numpy, hy.Result.collect, repr, list]:
        with pytest.raises(hy.DataError, match="cannot cast"):
            read(hy.sql(sql))
    with pytest.raises(Exception, match="cannot cast"):
        pyarrow.table(hy.sql(sql))


def test_a_run_is_cancelled_from_another_thread(session: hy.Session) -> None:
    result = session.sql(LONG)
    timer = threading.Timer(0.2, result.cancel)
    timer.start()
    with pytest.raises(hy.CancelledError):
        result.fetchall()
    timer.join()
    assert 0 <= result.progress() <= 1


def test_other_threads_go_on_while_a_query_runs(session: hy.Session) -> None:
    result = session.sql(LONG)
    reader = threading.Thread(target=lambda: pytest.raises(hy.CancelledError, result.fetchall))
    reader.start()
    started = time.perf_counter()
    count = sum(1 for _ in range(200_000))
    assert count == 200_000 and time.perf_counter() - started < 5
    result.cancel()
    reader.join(timeout=20)
    assert not reader.is_alive()


@pytest.mark.parametrize("read", ["fetchall()", "to_arrow()", "collect()"])
def test_control_c_stops_a_query(read: str) -> None:
    code = f"""
import hypostyle as hy
result = hy.Session(threads=2).sql({LONG!r})
try:
    print("started", flush=True)
    result.{read}
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
    assert child.returncode == 0


def test_a_result_that_is_given_up_stops_its_threads(session: hy.Session) -> None:
    before = threading.active_count()
    started = time.perf_counter()
    for _ in range(20):
        result = session.sql("SELECT a.x FROM range(100000) a(x), range(100000) b(x)")
        next(iter(result))
        del result
    assert time.perf_counter() - started < 30 and threading.active_count() == before
