"""Datasets of pyarrow: what is asked of them, and that answers do not depend on it."""

from __future__ import annotations

import datetime

import pyarrow
import pyarrow.dataset
import pyarrow.parquet
import pytest

import hypostyle as hy
from hypostyle._native import Table
from hypostyle.datasets import expression

NAN = float("nan")


@pytest.fixture
def table() -> pyarrow.Table:
    return pyarrow.table(
        {
            "i": pyarrow.array([1, 2, None, 4, 5], pyarrow.int32()),
            "f": [1.0, NAN, None, float("inf"), -0.0],
            "t": ["a", "b", None, "é", "b"],
            "d": pyarrow.array([0, 1, None, 3, 4], pyarrow.date32()),
            "ts": pyarrow.array([0, 1, None, 3, 4], pyarrow.timestamp("ns")),
            "b": [True, False, None, True, True],
            "l": [[1], [], None, [2], [3]],
        }
    )


CONDITIONS = ["i > 2", "2 >= i", "i = 4", "i IN (1, 5)", "i NOT IN (1, 5)", "i IS NULL", "i IS NOT NULL", "i > 1 AND t = 'b'", "i < 2 OR t > 'b'",
              "f > 1", "f >= 1", "f < 1", "f = 0", "f = 'nan'", "f <= 'inf'", "t = 'é'", "t LIKE 'b%'", "d > DATE '1970-01-02'", "ts <= TIMESTAMP '1970-01-01'",
              "b", "NOT b", "b = true", "i + 1 > 2", "i > 2 AND i + 1 > 5", "l = [1]", "i BETWEEN 2 AND 4", "(i > 4 AND f < 1) OR i = 1", "i > 1.5", "false"]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_conditions_give_what_they_give_over_a_table(condition: str, table: pyarrow.Table, any_session: hy.Session, tmp_path) -> None:
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    any_session.register("dataset", pyarrow.dataset.dataset(tmp_path))
    any_session.register("whole", table)
    sql = "SELECT i, t, l FROM {} WHERE {}"
    expected = any_session.sql(sql.format("whole", condition)).fetchall()
    assert any_session.sql(sql.format("dataset", condition)).fetchall() == expected
    count = "SELECT count(*) AS n FROM {} WHERE {}"
    assert any_session.sql(count.format("dataset", condition)).fetchone() == (len(expected),)


def test_files_that_cannot_match_are_not_opened(session: hy.Session, tmp_path) -> None:
    for key in (1, 2):
        (tmp_path / f"k={key}").mkdir(parents=True)
        pyarrow.parquet.write_table(pyarrow.table({"x": [key]}), tmp_path / f"k={key}" / "x.parquet")
    session.register("h", pyarrow.dataset.dataset(tmp_path, partitioning="hive"))
    (tmp_path / "k=2" / "x.parquet").write_bytes(b"no parquet")
    assert session.sql("SELECT x FROM h WHERE k = 1").fetchall() == [(1,)]
    with pytest.raises(hy.InputError):
        session.sql("SELECT x FROM h").fetchall()


def test_only_the_columns_that_are_read_are_asked_for(session: hy.Session, table: pyarrow.Table) -> None:
    asked: list[tuple[list[str], list[object]]] = []

    def open_stream(columns: list[str], conditions: list[object], batch_rows: int) -> pyarrow.Table:
        asked.append((columns, conditions))
        return table.select(columns)

    session.register("t", Table.of_scanner(table.schema, open_stream, "a watched table"))
    assert session.sql("SELECT t FROM t WHERE i > 4").fetchall() == [("b",)]
    ((columns, conditions),) = asked
    assert sorted(columns) == ["i", "t"] and conditions == [(">", "i", 4)]


def test_errors_of_what_reads_a_table_are_reported(session: hy.Session, table: pyarrow.Table) -> None:
    def broken(columns: list[str], conditions: list[object], batch_rows: int) -> object:
        raise OSError("the store is gone")

    session.register("t", Table.of_scanner(table.schema, broken, "a watched table"))
    with pytest.raises(hy.InputError, match="a watched table: OSError: the store is gone"):
        session.sql("SELECT t FROM t").fetchall()
    session.register("u", Table.of_scanner(table.schema, lambda *asked: table, "a watched table"))
    with pytest.raises(hy.InputError, match="other columns than were asked for"):
        session.sql("SELECT t FROM u").fetchall()
    session.register("v", Table.of_scanner(table.schema, lambda *asked: 1, "a watched table"))
    with pytest.raises(hy.InputError, match="no __arrow_c_stream__"):
        session.sql("SELECT t FROM v").fetchall()


def test_rows_are_counted_without_reading_columns(session: hy.Session, table: pyarrow.Table) -> None:
    session.register("t", pyarrow.dataset.dataset(table))
    assert session.sql("SELECT count(*) AS n FROM t").fetchone() == (5,)
    session.register("none", pyarrow.dataset.dataset(table.slice(0, 0)))
    assert session.sql("SELECT count(*) AS n FROM none").fetchone() == (0,)
    assert session.sql("FROM none").fetchall() == []


def test_each_query_reads_the_dataset_anew(session: hy.Session, table: pyarrow.Table) -> None:
    session.register("t", pyarrow.dataset.dataset(table))
    sql = "SELECT a.i FROM t a JOIN t b ON a.i = b.i ORDER BY 1"
    prepared = session.prepare(sql)
    for _ in range(2):
        assert prepared().fetchall() == [(1,), (2,), (4,), (5,)]


def test_conditions_that_pyarrow_reads_otherwise_are_not_told() -> None:
    schema = pyarrow.schema({"s": pyarrow.list_(pyarrow.int64()), "z": pyarrow.timestamp("us", "UTC"), "f": pyarrow.float64()})
    assert expression(("==", "s", 1), schema) is None
    assert expression(("<", "z", datetime.datetime(2020, 1, 1)), schema) is None
    assert expression(("or", [("==", "s", 1), ("is_null", "f")]), schema) is None
    assert "is_nan" in str(expression((">", "f", 1.0), schema))
