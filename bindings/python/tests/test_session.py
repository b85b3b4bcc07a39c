"""Statements, names, settings and prepared queries."""

from __future__ import annotations

import datetime
import decimal
import subprocess
import sys

import numpy
import polars
import pyarrow
import pytest

import hypostyle as hy


def test_rows_come_in_order_at_any_batch_size(any_session: hy.Session) -> None:
    any_session.register("t", pyarrow.table({"x": list(range(10))}))
    assert any_session.sql("SELECT x * 2 AS y FROM t").fetchall() == [(2 * x,) for x in range(10)]


def test_every_statement_runs_and_the_last_one_answers(session: hy.Session) -> None:
    result = session.sql("CREATE TABLE a AS SELECT 1 AS x; CREATE VIEW b AS SELECT x + 1 AS x FROM a; FROM b")
    assert result.fetchall() == [(2,)]
    assert session.tables() == ["a", "b"]


def test_statements_that_write_run_without_being_read(session: hy.Session) -> None:
    assert repr(session.sql("CREATE TABLE t AS SELECT 1 AS x")) == "1 rows written"
    assert session.sql("SELECT count(*) FROM t").fetchone() == (1,)


def test_names_lent_to_a_statement_are_forgotten_and_restored(session: hy.Session) -> None:
    session.register("t", {"x": pyarrow.array([1])})
    assert session.sql("FROM t", t={"x": pyarrow.array([2])}).fetchall() == [(2,)]
    assert session.sql("FROM t").fetchall() == [(1,)]
    session.sql("FROM u", u={"x": pyarrow.array([3])})
    with pytest.raises(hy.SqlError, match='no table "u"'):
        session.sql("FROM u")


def test_lent_names_are_restored_after_an_error(session: hy.Session) -> None:
    with pytest.raises(hy.SqlError):
        session.sql("SELECT nothing FROM t", t={"x": pyarrow.array([2])})
    assert session.tables() == []


def test_a_table_can_be_forgotten(session: hy.Session) -> None:
    session.register("t", {"x": pyarrow.array([1])})
    result = session.sql("FROM t")
    session.unregister("t")
    assert result.fetchall() == [(1,)]
    with pytest.raises(hy.UsageError, match="there are: none"):
        session.unregister("t")


def test_columns_of_different_lengths_are_refused(session: hy.Session) -> None:
    with pytest.raises(TypeError, match='column "y" has 2 rows; column "x" has 1'):
        session.register("t", {"x": pyarrow.array([1]), "y": pyarrow.array([1, 2])})


def test_what_is_no_table_is_refused(session: hy.Session) -> None:
    with pytest.raises(TypeError, match="neither __arrow_c_stream__ nor __arrow_c_array__"):
        session.register("t", [1, 2])
    with pytest.raises(TypeError, match="neither"):
        session.register("t", pyarrow.Table)


def test_files_are_tables(session: hy.Session, tmp_path) -> None:
    path = tmp_path / "x.parquet"
    session.sql(f"COPY (SELECT x FROM range(5) t(x)) TO '{path}'")
    session.register("t", path)
    assert session.sql("SELECT sum(x) AS s FROM t").fetchone() == (10,)
    with pytest.raises(hy.Error, match="nowhere.parquet"):
        session.register("t", tmp_path / "nowhere.parquet")


def test_settings_are_read_and_changed() -> None:
    session = hy.Session(threads=3, memory_limit="1 MiB", batch_rows=7, time_zone="Europe/Zurich")
    settings = session.settings()
    assert settings["threads"] == "3" and settings["memory_limit"] == "1048576 bytes"
    assert settings["batch_rows"] == "7" and settings["time_zone"] == "Europe/Zurich"
    session.set("threads", 1)
    assert session.settings()["threads"] == "1"
    session.set("time_zone", None)
    assert session.settings()["time_zone"] == "UTC"
    for wrong in [{"threads": 0}, {"memory_limit": "much"}, {"batch_rows": 0}, {"time_zone": 3}]:
        with pytest.raises(hy.UsageError):
            hy.Session(**wrong)


def test_errors_say_where_in_the_text() -> None:
    with pytest.raises(hy.SqlError) as raised:
        hy.sql("SELECT nme\nFROM range(3) t(name)")
    assert (raised.value.line, raised.value.column) == (1, 8)
    assert str(raised.value).endswith("1 | SELECT nme\n  |        ^^^")
    assert 'did you mean "name"' in str(raised.value)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELEC 1", hy.SqlError),
        ("SELECT no_such_function(1)", hy.SqlError),
        ("SELECT CAST('a' || x AS INTEGER) FROM range(3) t(x)", hy.DataError),
        ("SELECT x + 1 FROM (VALUES (9223372036854775807)) t(x)", hy.DataError),
        ("SELECT sum(x) FILTER (WHERE x > 0", hy.SqlError),
        ("FROM 'nowhere.parquet'", hy.InputError),
        ("SELECT $1", hy.UsageError),
    ],
)
def test_each_error_has_its_class(sql: str, kind: type[hy.Error]) -> None:
    with pytest.raises(kind) as raised:
        hy.sql(sql).fetchall()
    assert isinstance(raised.value, hy.Error)


def test_a_memory_limit_is_an_error_of_both_kinds() -> None:
    session = hy.Session(threads=1, memory_limit="256 KiB")
    with pytest.raises(MemoryError) as raised:
        session.sql("SELECT list(x) AS all FROM range(1000000) t(x)").fetchall()
    assert isinstance(raised.value, hy.OutOfMemoryError)


def test_prepared_queries_run_with_other_values(session: hy.Session) -> None:
    prepared = session.prepare("SELECT x + $1::BIGINT AS y FROM range(2) t(x) WHERE x < $2::BIGINT")
    assert prepared.parameters == [("1", "BIGINT"), ("2", "BIGINT")]
    assert prepared(10, 5).fetchall() == [(10,), (11,)]
    assert prepared.run([20, 1]).fetchall() == [(20,)]
    assert prepared(None, 1).fetchall() == [(None,)]
    with pytest.raises(hy.UsageError, match="takes 2 parameters; 1 were given"):
        prepared(1)
    with pytest.raises(hy.DataError):
        prepared("a", 1)
    assert "y: BIGINT" in repr(prepared) and prepared.schema.names == ["y"]


def test_parameters_are_given_by_name(session: hy.Session) -> None:
    prepared = session.prepare("SELECT $a::BIGINT - $b::BIGINT AS y")
    assert prepared.run({"b": 1, "a": 3}).fetchone() == (2,)
    for wrong in [{"a": 1}, {"a": 1, "b": 2, "c": 3}, [1, 2]]:
        with pytest.raises(hy.UsageError):
            prepared.run(wrong)
    assert session.sql("SELECT ?::VARCHAR || ?::VARCHAR AS t", ["a", "b"]).fetchone() == ("ab",)


UTC = datetime.timezone.utc
VALUES = [
    (None, "BIGINT", None),
    (True, "BOOLEAN", True),
    (-7, "TINYINT", -7),
    (2**63, "UBIGINT", 2**63),
    (2**80, "HUGEINT", 2**80),
    (1.5, "DOUBLE", 1.5),
    (1.5, "FLOAT", 1.5),
    (decimal.Decimal("-12.340"), "DECIMAL(9, 3)", decimal.Decimal("-12.340")),
    (decimal.Decimal("1E+3"), "DECIMAL(9, 0)", decimal.Decimal(1000)),
    ("é", "VARCHAR", "é"),
    (b"\x00\xff", "BLOB", b"\x00\xff"),
    (datetime.date(1960, 2, 29), "DATE", datetime.date(1960, 2, 29)),
    (datetime.time(1, 2, 3, 4), "TIME", datetime.time(1, 2, 3, 4)),
    (datetime.datetime(1950, 1, 1, 2, 3, 4, 5), "TIMESTAMP", datetime.datetime(1950, 1, 1, 2, 3, 4, 5)),
    (datetime.datetime(1950, 1, 1, 2, 3, 4, 5), "TIMESTAMP_NS", datetime.datetime(1950, 1, 1, 2, 3, 4, 5)),
    (
        datetime.datetime(2020, 1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1))),
        "TIMESTAMPTZ",
        datetime.datetime(2020, 1, 1, tzinfo=UTC),
    ),
    (datetime.timedelta(days=-1, seconds=5), "INTERVAL", hy.Interval(0, -1, 5_000_000_000)),
    (hy.Interval(1, 2, 3000), "INTERVAL", hy.Interval(1, 2, 3000)),
    ([1, None, 3], "BIGINT[]", [1, None, 3]),
    ([1, 2.5], "DOUBLE[]", [1.0, 2.5]),
    ([], "BIGINT[]", []),
    ([1.0, 2.0], "FLOAT[2]", [1.0, 2.0]),
    ({"a": 1, "b": ["x"]}, "STRUCT(a BIGINT, b VARCHAR[])", {"a": 1, "b": ["x"]}),
    (numpy.float32(2.5), "FLOAT", 2.5),
    (numpy.array([1, 2]), "INTEGER[]", [1, 2]),
]


@pytest.mark.parametrize(("given", "type_name", "back"), VALUES)
def test_values_go_in_and_come_back(given: object, type_name: str, back: object) -> None:
    (found,) = hy.sql(f"SELECT $1::{type_name} AS x", [given]).fetchone()
    assert found == back and type(found) is type(back)


def test_maps_are_dictionaries() -> None:
    assert hy.sql("SELECT MAP {'a': 1, 'b': NULL} AS m").fetchone() == ({"a": 1, "b": None},)
    assert hy.sql("SELECT MAP {[1, 2]: 'x'} AS m").fetchone() == ({(1, 2): "x"},)


def test_values_without_a_type_are_refused() -> None:
    for wrong in [object(), [1, "a"], 2**200, decimal.Decimal("1E+60")]:
        with pytest.raises((TypeError, OverflowError)):
            hy.sql("SELECT $1 AS x", [wrong])


def test_import_needs_no_other_package() -> None:
    code = "import sys, hypostyle; print(sorted(m for m in ('numpy', 'pyarrow', 'pandas', 'polars', 'torch') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_input_has_the_columns_of_any_table() -> None:
    table = pyarrow.table({"x": [1, 2]})
    for described in [table, table.schema, polars.DataFrame({"x": [1]}), {"x": pyarrow.array([1])}, hy.sql("SELECT 1::BIGINT AS x")]:
        session = hy.Session(threads=1)
        session.register_input("events", described)
        run = session.prepare("SELECT x * 2 AS y FROM events").start()
        assert [row for part in run.push(table) for row in part.rows()] == [(2,), (4,)]
    with pytest.raises(TypeError):
        hy.Session().register_input("events", 1)
