"""Python functions in SQL."""

from __future__ import annotations

import threading

import numpy
import pyarrow
import pyarrow.compute
import pytest

import hypostyle as hy


def test_functions_over_rows_take_their_types_from_annotations(any_session: hy.Session) -> None:
    @any_session.function
    def label(number: int, text: str, factors: list[float]) -> str:
        return f"{text}{number * sum(factors):g}"

    sql = "SELECT label(x, 'n', [1.5, x]) AS t FROM range(5) t(x)"
    assert any_session.sql(sql).fetchall() == [(f"n{x * (1.5 + x):g}",) for x in range(5)]


@pytest.mark.parametrize("over", ["columns", "pyarrow", "numpy"])
def test_functions_over_columns_see_whole_batches(any_session: hy.Session, over: str) -> None:
    calls: list[int] = []

    @any_session.function(takes=["DOUBLE", "DOUBLE"], gives="DOUBLE", over=over)
    def added(left, right):
        calls.append(len(left))
        if over == "numpy":
            return left + right
        return pyarrow.compute.add(pyarrow.array(left), pyarrow.array(right))

    sql = "SELECT added(x, x + 1) AS y FROM range(10) t(x)"
    assert any_session.sql(sql).fetchall() == [(2.0 * x + 1,) for x in range(10)]
    assert sum(calls) == 10 and max(calls) > 1


def test_nulls_are_skipped_unless_they_are_asked_for(session: hy.Session) -> None:
    seen: list[object] = []

    @session.function(name="strict")
    def strict(x: int) -> int:
        seen.append(x)
        return x

    @session.function
    def aware(x: int | None) -> int | None:
        return -1 if x is None else None

    @session.function(nulls=True)
    def forced(x: int) -> bool:
        return x is None

    sql = "SELECT strict(x) AS a, aware(x) AS b, forced(x) AS c FROM (VALUES (1), (NULL)) t(x)"
    assert session.sql(sql).fetchall() == [(1, None, False), (None, -1, True)]
    assert seen == [1]


def test_only_the_rows_of_a_branch_are_seen(session: hy.Session) -> None:
    @session.function
    def inverse(x: int) -> float:
        return 1 / x

    sql = "SELECT CASE WHEN x > 0 THEN inverse(x) ELSE 0 END AS y FROM range(3) t(x)"
    assert session.sql(sql).fetchall() == [(0.0,), (1.0,), (0.5,)]


def test_exceptions_name_the_function_and_their_place(session: hy.Session) -> None:
    @session.function
    def inverse(x: int) -> float:
        return 1 / x

    with pytest.raises(hy.DataError, match=r"inverse: ZeroDivisionError: division by zero \(.*test_functions.py, line \d+\)"):
        session.sql("SELECT inverse(x) AS y FROM range(3) t(x)").fetchall()


def test_results_of_another_type_or_length_are_refused(session: hy.Session) -> None:
    session.function(lambda x: "a", name="wrong_type", takes=["BIGINT"], gives="BIGINT")
    session.function(lambda x: x.to_pylist()[:1], name="short", takes=["BIGINT"], gives="BIGINT", over="columns")
    session.function(lambda x: pyarrow.array(["a"] * len(x)), name="texts", takes=["BIGINT"], gives="BIGINT", over="columns")
    session.function(lambda x: pyarrow.array([1.0] * len(x)), name="floats", takes=["BIGINT"], gives="BIGINT", over="columns")
    for name in ["wrong_type", "short", "texts"]:
        with pytest.raises(hy.Error, match=name):
            session.sql(f"SELECT {name}(x) AS y FROM range(2) t(x)").fetchall()
    assert session.sql("SELECT floats(x) AS y FROM range(2) t(x)").fetchall() == [(1,), (1,)]


def test_types_that_are_missing_or_wrong_are_refused(session: hy.Session) -> None:
    with pytest.raises(TypeError, match='argument "x" has no annotation'):
        session.function(lambda x: x)
    with pytest.raises(TypeError, match="needs takes"):
        session.function(lambda x: x, over="numpy")
    with pytest.raises(TypeError, match="over takes"):
        session.function(lambda x: x, over="cells")
    with pytest.raises(hy.SqlError, match="NO_SUCH_TYPE"):
        session.function(lambda x: x, name="f", takes=["NO_SUCH_TYPE"], gives="BIGINT")

    def strange(x: object) -> int:
        return 1

    with pytest.raises(TypeError, match='strange: argument "x" has no SQL type'):
        session.function(strange)


def test_types_are_given_as_arrow_types_too(session: hy.Session) -> None:
    session.function(lambda x: [x, x], name="twice", takes=[pyarrow.float32()], gives=pyarrow.list_(pyarrow.float32(), 2))
    result = session.sql("SELECT twice(1.5) AS t")
    assert result.types == ["FLOAT[2]"] and result.fetchall() == [([1.5, 1.5],)]


def test_functions_run_in_prepared_rows_and_transforms(session: hy.Session) -> None:
    @session.function
    def shout(text: str) -> str:
        return text.upper()

    session.register("t", {"name": pyarrow.array(["a"])})
    assert session.prepare("SELECT shout(name) AS n FROM t").row()(name="b") == {"n": "B"}
    assert session.fit("SELECT shout(name) AS n FROM input", "t").transform("t").fetchall() == [("A",)]


def test_a_volatile_function_is_called_for_every_row(session: hy.Session) -> None:
    counter = iter(range(100))
    session.function(lambda: next(counter), name="tick", takes=[], gives="BIGINT", volatile=True)
    values = [row[0] for row in session.sql("SELECT tick() AS n FROM range(4)").fetchall()]
    assert len(set(values)) == 4


def test_threads_call_functions_side_by_side(session: hy.Session) -> None:
    session.function(lambda x: x + 1, name="next_one", takes=["BIGINT"], gives="BIGINT")
    found: list[object] = []
    sql = "SELECT sum(next_one(x)) AS s FROM range(20000) t(x)"
    threads = [threading.Thread(target=lambda: found.append(session.sql(sql).fetchone())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [(200_010_000,)] * 4


def test_a_run_with_functions_that_is_given_up_does_not_hang(session: hy.Session) -> None:
    session.function(lambda x: x + 1, name="next_one", takes=["BIGINT"], gives="BIGINT")
    for _ in range(5):
        result = session.sql("SELECT next_one(a.x) AS y FROM range(100000) a(x)")
        next(iter(result))
        del result
        session.sql("SELECT next_one(a.x) AS y FROM range(100000) a(x)").__arrow_c_stream__()


def test_results_of_functions_stream_to_other_libraries(session: hy.Session) -> None:
    import duckdb
    import polars

    session.function(lambda x: x + 1, name="next_one", takes=["BIGINT"], gives="BIGINT")
    sql = "SELECT next_one(x) AS y FROM range(10000) t(x)"
    result = session.sql(sql)
    assert duckdb.sql("SELECT sum(y) FROM result").fetchall() == [(50_005_000,)]
    assert polars.DataFrame(session.sql(sql))["y"].sum() == 50_005_000
    assert pyarrow.table(session.sql(sql)).num_rows == 10_000


def test_aggregates_see_each_group_in_order(any_session: hy.Session) -> None:
    @any_session.aggregate
    def path(values: list[int]) -> str:
        return "-".join(map(str, values))

    sql = "SELECT x % 2 AS k, path(x) AS p FROM range(9) t(x) GROUP BY k ORDER BY k"
    assert any_session.sql(sql).fetchall() == [(0, "0-2-4-6-8"), (1, "1-3-5-7")]
    assert any_session.sql("SELECT path(x) AS p FROM range(0) t(x)").fetchall() == [(None,)]
    assert any_session.sql("SELECT path(x) FILTER (WHERE x > 6) AS p FROM range(9) t(x)").fetchall() == [("7-8",)]
    window = "SELECT path(x) OVER (ORDER BY x ROWS 1 PRECEDING) AS p FROM range(3) t(x)"
    assert any_session.sql(window).fetchall() == [("0",), ("0-1",), ("1-2",)]


@pytest.mark.parametrize("over", ["pyarrow", "numpy"])
def test_aggregates_over_columns(any_session: hy.Session, over: str) -> None:
    @any_session.aggregate(takes=["DOUBLE", "DOUBLE"], gives="DOUBLE", over=over)
    def weighted(values, weights):
        if over == "numpy":
            return numpy.average(values, weights=weights)
        return pyarrow.compute.divide(
            pyarrow.compute.sum(pyarrow.compute.multiply(values, weights)), pyarrow.compute.sum(weights)
        )

    sql = "SELECT x % 2 AS k, weighted(x, x + 1) AS w FROM range(10) t(x) GROUP BY k ORDER BY k"
    expected = [[k, sum(x * (x + 1) for x in range(k, 10, 2)) / sum(x + 1 for x in range(k, 10, 2))] for k in (0, 1)]
    assert [list(row) for row in any_session.sql(sql).fetchall()] == [pytest.approx(row) for row in expected]


def test_aggregates_skip_nulls_and_report_exceptions(session: hy.Session) -> None:
    @session.aggregate
    def first(values: list[int]) -> int:
        return values[0]

    @session.aggregate
    def count_nulls(values: list[int | None]) -> int:
        return sum(value is None for value in values)

    @session.aggregate
    def broken(values: list[int]) -> int:
        raise KeyError("nothing here")

    sql = "SELECT first(x) AS f, count_nulls(x) AS n FROM (VALUES (NULL), (2)) t(x)"
    assert session.sql(sql).fetchall() == [(2, 1)]
    with pytest.raises(hy.DataError, match="broken: KeyError"):
        session.sql("SELECT broken(x) AS b FROM range(3) t(x)").fetchall()


def test_aggregates_spill(session: hy.Session) -> None:
    small = hy.Session(threads=2, memory_limit="24 MiB")
    for one in (session, small):
        one.aggregate(lambda values: len(values), name="n", takes=["BIGINT"], gives="BIGINT", over="columns")
    sql = "SELECT k, n(x) AS n FROM (SELECT x % 1000 AS k, x FROM range(500000) t(x)) GROUP BY k ORDER BY k"
    assert small.sql(sql).fetchall() == session.sql(sql).fetchall() == [(k, 500) for k in range(1000)]


@pytest.mark.parametrize("over", ["rows", "numpy"])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_exception_of_a_function_is_the_cause_of_ours(over: str, threads: int) -> None:
    session = hy.Session(threads=threads)
    mine = LookupError("nothing here")

    @session.function(takes=["BIGINT"], gives="BIGINT", over=over)
    def broken(x):
        raise mine

    @session.aggregate(takes=["BIGINT"], gives="BIGINT", over=over)
    def broken_sum(x):
        raise mine

    session.register("t", {"x": pyarrow.array(range(5000))})
    for sql in [
        "SELECT broken(x) FROM t",
        "SELECT x FROM t WHERE broken(x) > 1",
        "SELECT broken(7) AS folded",
        "SELECT broken_sum(x) FROM t",
        "SELECT x % 3 AS k, broken_sum(x) FROM t GROUP BY k",
        "SELECT sum(x) FROM t GROUP BY broken(x)",
    ]:
        with pytest.raises(hy.DataError, match="nothing here") as raised:
            session.sql(sql).fetchall()
        assert raised.value.__cause__ is mine, sql
        assert mine.__traceback__ is not None
    with pytest.raises(hy.DataError) as raised:
        session.sql("SELECT broken(x) AS y FROM t").to_arrow()
    assert raised.value.__cause__ is mine
    with pytest.raises(hy.DataError) as raised:
        session.fit("SELECT standard_scale(broken(x)) AS y FROM input", "t")
    assert raised.value.__cause__ is mine
    with pytest.raises(hy.SqlError) as raised:
        session.sql("SELECT nothing FROM t")
    assert raised.value.__cause__ is None
