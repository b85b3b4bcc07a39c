"""The Arrow PyCapsule protocol: types, layouts, sharing of memory, lifetimes."""

from __future__ import annotations

import ctypes
import gc
from typing import Any

import arro3.core
import duckdb
import nanoarrow
import numpy
import pandas
import polars
import pyarrow
import pytest

import hypostyle as hy

#: Columns of all types that pyarrow makes, with a null, and the values that come back.
DAY = 86_400
ARRAYS = {
    "null": pyarrow.nulls(3),
    "bool": pyarrow.array([True, None, False]),
    **{f"{kind}": pyarrow.array([1, None, 100], getattr(pyarrow, kind)()) for kind in
       ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]},
    "half": pyarrow.array(numpy.array([1.5, 0, 2.5], numpy.float16)),
    "float": pyarrow.array([1.5, None, float("inf")], pyarrow.float32()),
    "double": pyarrow.array([1.5, None, -0.0]),
    "decimal32": pyarrow.array([1, None, 2], pyarrow.decimal32(5, 2)),
    "decimal64": pyarrow.array([1, None, 2], pyarrow.decimal64(12, 2)),
    "decimal128": pyarrow.array([1, None, 2], pyarrow.decimal128(30, 2)),
    "string": pyarrow.array(["a", None, "a text that is longer than a view"]),
    "large_string": pyarrow.array(["a", None, "é"], pyarrow.large_string()),
    "string_view": pyarrow.array(["a", None, "a text that is longer than a view"], pyarrow.string_view()),
    "binary": pyarrow.array([b"a", None, b"\xff"]),
    "large_binary": pyarrow.array([b"a", None, b"\xff"], pyarrow.large_binary()),
    "binary_view": pyarrow.array([b"a", None, b"\xff"], pyarrow.binary_view()),
    "fixed_binary": pyarrow.array([b"ab", None, b"cd"], pyarrow.binary(2)),
    "date32": pyarrow.array([0, None, -1], pyarrow.date32()),
    "date64": pyarrow.array([0, None, -DAY * 1000], pyarrow.date64()),
    "time32": pyarrow.array([1, None, DAY - 1], pyarrow.time32("s")),
    "time64": pyarrow.array([1, None, 2], pyarrow.time64("us")),
    **{f"timestamp_{unit}": pyarrow.array([0, None, -1], pyarrow.timestamp(unit)) for unit in ["s", "ms", "us", "ns"]},
    "instant": pyarrow.array([0, None, -1], pyarrow.timestamp("us", "UTC")),
    "instant_zone": pyarrow.array([0, None, -1], pyarrow.timestamp("us", "Europe/Zurich")),
    "duration": pyarrow.array([1, None, -1], pyarrow.duration("us")),
    "interval": pyarrow.array([(1, 2, 3000), None, (0, 0, -1000)], pyarrow.month_day_nano_interval()),
    "list": pyarrow.array([[1, None], None, []]),
    "large_list": pyarrow.array([["a", None], None, []], pyarrow.large_list(pyarrow.string())),
    "list_view": pyarrow.array([[1, None], None, []], pyarrow.list_view(pyarrow.int64())),
    "embedding": pyarrow.array([[1, 2], None, [3, 4]], pyarrow.list_(pyarrow.float32(), 2)),
    "struct": pyarrow.array([{"a": 1, "b": "x"}, None, {"a": None, "b": None}]),
    "map": pyarrow.array([[("a", 1)], None, []], pyarrow.map_(pyarrow.string(), pyarrow.int64())),
    "dictionary": pyarrow.array(["a", None, "a"]).dictionary_encode(),
    "runs": pyarrow.RunEndEncodedArray.from_arrays([2, 3], pyarrow.array(["a", "b"])),
    "nested": pyarrow.array([[{"a": [1]}], None, [{"a": None}, None]]),
}
#: Types that come back as another one that holds the same values.
TOLD_OTHERWISE = {"duration", "date64", "time32", "instant_zone"}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("cut", ["whole", "sliced", "empty"])
def test_every_type_of_pyarrow_goes_in_and_comes_back(name: str, cut: str, any_session: hy.Session) -> None:
    array = ARRAYS[name]
    array = {"whole": array, "sliced": array.slice(1), "empty": array.slice(0, 0)}[cut]
    any_session.register("t", pyarrow.table({"x": array}))
    back = any_session.sql("SELECT x FROM t").to_arrow()["x"]
    back.validate(full=True)
    if name in TOLD_OTHERWISE:
        assert back.null_count == array.null_count and len(back) == len(array)
    else:
        assert back.to_pylist() == array.to_pylist()


def test_types_that_the_engine_does_not_hold_are_refused_by_name(session: hy.Session) -> None:
    unheld = pyarrow.array([1], pyarrow.decimal256(60, 2))
    with pytest.raises(hy.UnsupportedError, match='column "x"'):
        session.register("t", pyarrow.table({"x": unheld}))


SQL_TYPES = """SELECT x::BOOLEAN AS b, x::TINYINT AS i8, x::SMALLINT AS i16, x::INTEGER AS i32, x AS i64, x::UTINYINT AS u8,
    x::USMALLINT AS u16, x::UINTEGER AS u32, x::UBIGINT AS u64, x::FLOAT AS f32, x::DOUBLE AS f64, x::DECIMAL(9, 2) AS d9,
    x::DECIMAL(30, 2) AS d30, 'a text that is longer than a view ' || x AS t, ('b' || x)::BLOB AS bin,
    DATE '2020-01-01' + x::INTEGER AS date, TIMESTAMP '2020-01-01 00:00:01' AS ts,
    [x, NULL] AS l, {'a': x, 't': 'c' || x} AS s, CASE WHEN x <> 1 THEN x END AS n
    FROM range(3) t(x)"""


def test_pyarrow_takes_results_of_all_types() -> None:
    table = pyarrow.table(hy.sql(SQL_TYPES))
    table.validate(full=True)
    assert table.num_rows == 3 and table["n"].to_pylist() == [0, None, 2]
    assert pyarrow.schema(hy.sql(SQL_TYPES)) == table.schema
    (batch,) = hy.sql(SQL_TYPES)
    assert pyarrow.record_batch(batch).equals(table.to_batches()[0])
    assert pyarrow.array(batch.column("i64")).to_pylist() == [0, 1, 2]


def test_batches_become_those_of_pyarrow_without_a_copy() -> None:
    (batch,) = hy.sql(SQL_TYPES)
    made, offered = batch.to_arrow(), pyarrow.record_batch(batch)
    made.validate(full=True)
    assert made.schema == offered.schema and made.equals(offered)
    assert [addresses(column) for column in made.columns] == [addresses(column) for column in offered.columns]
    parts = [batch.slice(1, 1), batch.take([1]), type(batch).concat([batch, batch]).slice(4, 1)]
    assert [part.to_arrow().to_pylist() for part in parts] == [offered.slice(1, 1).to_pylist()] * 3
    assert batch.slice(3).to_arrow().num_rows == 0
    del batch, parts
    gc.collect()
    made.validate(full=True)


def test_batches_become_those_of_pyarrow_in_the_layouts_that_are_asked_for() -> None:
    (batch,) = hy.sql("SELECT x AS n, 'word ' || x AS t FROM range(3) t(x)")
    wanted = pyarrow.schema({"n": pyarrow.int32(), "t": pyarrow.large_string()})
    made = batch.to_arrow(wanted)
    assert made.schema == wanted and made.to_pydict() == {"n": [0, 1, 2], "t": ["word 0", "word 1", "word 2"]}
    with pytest.raises(hy.UsageError, match="the requested schema has 1 columns; the result has 2"):
        batch.to_arrow(pyarrow.schema({"n": pyarrow.int64()}))
    with pytest.raises(hy.Error):
        batch.to_arrow(pyarrow.schema({"n": pyarrow.int64(), "t": pyarrow.list_(pyarrow.int8())}))
    with pytest.raises(TypeError, match="is no schema"):
        batch.to_arrow("n")


def test_batches_pushed_one_after_another_may_come_in_other_layouts(session: hy.Session) -> None:
    session.register_input("words", pyarrow.schema({"t": pyarrow.string()}))
    run = session.prepare("SELECT upper(t) AS t FROM words").start()

    def pushed(array: pyarrow.Array, name: str = "t", metadata: dict[str, str] | None = None) -> list[Any]:
        field = pyarrow.field(name, array.type, metadata=metadata)
        rows = pyarrow.RecordBatch.from_arrays([array], schema=pyarrow.schema([field], metadata=metadata))
        return [value for batch in run.push(rows) for (value,) in batch.rows()]

    words = pyarrow.array(["a", None, "a word that is longer than a view"])
    expected = ["A", None, "A WORD THAT IS LONGER THAN A VIEW"]
    layouts = [pyarrow.string(), pyarrow.large_string(), pyarrow.string_view(), pyarrow.dictionary(pyarrow.int8(), pyarrow.string()),
               pyarrow.dictionary(pyarrow.int32(), pyarrow.large_string())]
    for layout in [*layouts, *layouts]:
        for _ in range(2):
            assert pushed(words.cast(layout)) == expected
    for metadata in [{"a": "1"}, {"a": "2"}, None, {"a": "1"}]:
        assert pushed(words, "T", metadata) == expected
    assert run.push(polars.DataFrame({"t": ["x"]}))[0].rows() == [("X",)]
    with pytest.raises(hy.UsageError):
        pushed(words, "other")


def test_polars_takes_results_of_all_types_and_gives_them_back(session: hy.Session) -> None:
    frame = polars.DataFrame(hy.sql(SQL_TYPES))
    assert frame["s"].to_list()[1] == {"a": 1, "t": "c1"} and frame["n"].to_list() == [0, None, 2]
    session.register("t", frame)
    assert session.sql("FROM t").fetchall() == hy.sql(SQL_TYPES).fetchall()
    session.register("u", frame["i64"])
    assert session.sql("SELECT sum(i64) AS s FROM u").fetchone() == (3,)


def test_polars_types_of_its_own_go_in(session: hy.Session) -> None:
    frame = polars.DataFrame(
        {
            "c": polars.Series(["a", "b", "a"], dtype=polars.Categorical),
            "e": polars.Series(["a", "b", None], dtype=polars.Enum(["a", "b"])),
            "a": polars.Series([[1, 2], [3, 4], None], dtype=polars.Array(polars.Float32, 2)),
        }
    )
    session.register("t", frame)
    assert session.sql("FROM t").fetchall() == [("a", "a", [1, 2]), ("b", "b", [3, 4]), ("a", None, None)]


def test_duckdb_takes_results_and_gives_relations(session: hy.Session) -> None:
    result = hy.sql(SQL_TYPES)
    assert duckdb.sql("SELECT sum(i64), max(t), count(n) FROM result").fetchall() == [
        (3, "a text that is longer than a view 2", 2)
    ]
    relation = duckdb.sql("SELECT x, 'a' || x AS t, [x] AS l, {'a': x} AS s, MAP {'k': x} AS m FROM range(3) t(x)")
    session.register("t", relation)
    assert session.sql("FROM t").fetchall() == [(x, f"a{x}", [x], {"a": x}, {"k": x}) for x in range(3)]


def test_pandas_frames_go_in(session: hy.Session) -> None:
    session.register("t", pandas.DataFrame({"x": [1.5, None], "t": ["a", None], "d": pandas.to_datetime(["2020-01-01", None])}))
    assert [row[:2] for row in session.sql("SELECT x, t FROM t").fetchall()] == [(1.5, "a"), (None, None)]
    assert session.sql("SELECT count(d) AS n FROM t").fetchone() == (1,)


def test_arro3_takes_results_and_gives_tables(session: hy.Session) -> None:
    table = arro3.core.Table.from_arrow(hy.sql(SQL_TYPES))
    assert table.num_rows == 3
    session.register("t", table)
    assert session.sql("FROM t").fetchall() == hy.sql(SQL_TYPES).fetchall()
    (batch,) = hy.sql("SELECT 1 AS x")
    assert arro3.core.RecordBatch.from_arrow(batch).num_rows == 1
    assert arro3.core.Array.from_arrow(batch.column(0))[0].as_py() == 1


def test_nanoarrow_takes_results_and_gives_arrays(session: hy.Session) -> None:
    array = nanoarrow.Array(hy.sql("SELECT x, x / 2 AS d, [x] AS l FROM range(3) t(x)"))
    assert array.to_pylist() == [{"x": x, "d": x / 2, "l": [x]} for x in range(3)]
    # The reader of nanoarrow 0.9 crashes on views of text, whoever produced them, so text is asked for in the older layout.
    wanted = nanoarrow.struct({"t": nanoarrow.string()})
    texts = nanoarrow.c_array_stream(hy.sql("SELECT 'a' || x AS t FROM range(3) t(x)"), wanted)
    assert nanoarrow.Array(texts).to_pylist() == [{"t": f"a{x}"} for x in range(3)]
    session.register("t", nanoarrow.Array([1, 2, 3], nanoarrow.int32()))
    assert session.sql("SELECT sum(value) AS s FROM t").fetchone() == (6,)


def test_tables_without_columns_keep_their_rows(session: hy.Session) -> None:
    session.register("t", pyarrow.table({"x": [1, 2, 3]}).select([]))
    assert session.sql("SELECT count(*) AS n FROM t").fetchone() in [(3,), (0,)]


def test_rows_that_are_null_as_a_whole_are_refused(session: hy.Session) -> None:
    rows = pyarrow.array([{"a": 1}, None])
    with pytest.raises(ValueError, match="null as a whole"):
        session.register("t", rows)


def test_a_requested_schema_is_followed_or_refused() -> None:
    wanted = pyarrow.schema({"t": pyarrow.string(), "x": pyarrow.int32()})
    sql = "SELECT 'a' AS t, 1::BIGINT AS x"
    assert pyarrow.RecordBatchReader.from_stream(hy.sql(sql), schema=wanted).read_all().schema == wanted
    with pytest.raises(hy.UsageError, match="1 columns; the result has 2"):
        hy.sql(sql).__arrow_c_stream__(pyarrow.schema({"t": pyarrow.string()}).__arrow_c_schema__())
    (batch,) = hy.sql(sql)
    assert pyarrow.record_batch(batch, schema=wanted).schema == wanted


def test_capsules_that_nobody_takes_are_released(session: hy.Session) -> None:
    for _ in range(50):
        session.sql("SELECT x FROM range(100000) t(x)").__arrow_c_stream__()
        (batch,) = session.sql("SELECT 1 AS x")
        batch.__arrow_c_array__()
        batch.__arrow_c_schema__()
        pyarrow.table(hy.sql("SELECT 1 AS x")).__arrow_c_stream__()


def test_a_stream_that_was_read_is_refused(session: hy.Session) -> None:
    capsule = pyarrow.table({"x": [1]}).__arrow_c_stream__()

    class Once:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return capsule

    session.register("t", Once())
    with pytest.raises(ValueError, match="read already"):
        session.register("t", Once())


@pytest.mark.parametrize("given", [None, 1, "capsule"])
def test_objects_that_give_no_capsules_are_refused(given: Any, session: hy.Session) -> None:
    class Wrong:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return given

    with pytest.raises(TypeError, match="gave no capsule"):
        session.register("t", Wrong())


def test_capsules_of_another_kind_are_refused(session: hy.Session) -> None:
    class Wrong:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return pyarrow.schema({"x": pyarrow.int64()}).__arrow_c_schema__()

    with pytest.raises(ValueError):
        session.register("t", Wrong())


def test_an_error_of_a_producer_is_reported(session: hy.Session) -> None:
    def batches():
        yield pyarrow.record_batch({"x": [1]})
        raise RuntimeError("the disk is gone")

    reader = pyarrow.RecordBatchReader.from_batches(pyarrow.schema({"x": pyarrow.int64()}), batches())
    with pytest.raises(hy.InputError, match="the disk is gone"):
        session.register("t", reader)


def addresses(array: pyarrow.Array) -> list[int]:
    return [buffer.address for buffer in array.buffers() if buffer is not None]


@pytest.mark.parametrize("name", ["int8", "int64", "double", "string_view", "list", "embedding", "struct", "date32", "timestamp_us"])
def test_buffers_are_shared_in_both_directions(name: str) -> None:
    array = ARRAYS[name]
    session = hy.Session(threads=1)
    session.register("t", pyarrow.table({"x": array}))
    back = pyarrow.table(session.sql("SELECT x FROM t"))["x"].chunk(0)
    assert back.to_pylist() == array.to_pylist()
    assert addresses(back)[-1] == addresses(array)[-1]


def test_numpy_sees_the_memory_of_pyarrow() -> None:
    array = pyarrow.array(numpy.arange(1000.0))
    session = hy.Session(threads=1)
    session.register("t", {"x": array})
    seen = session.sql("SELECT x FROM t").to_numpy()["x"]
    assert seen.ctypes.data == array.buffers()[1].address


def test_large_tables_are_shared_in_slices() -> None:
    array = pyarrow.array(numpy.arange(100_000))
    session = hy.Session(threads=2)
    session.register("t", {"x": array})
    first = array.buffers()[1].address
    rows = 0
    for batch in session.sql("SELECT x FROM t"):
        part = pyarrow.array(batch.column(0))
        assert part.buffers()[1].address + part.offset * 8 == first + rows * 8
        rows += len(part)
    assert rows == 100_000


def test_exported_buffers_outlive_their_session() -> None:
    session = hy.Session(threads=2)
    session.register("t", {"x": pyarrow.array(numpy.arange(10_000))})
    table = pyarrow.table(session.sql("SELECT x, x + 1 AS y, 'text number ' || x AS t FROM t"))
    arrays = session.sql("SELECT x + 2 AS z FROM t LIMIT 1000").to_numpy()
    del session
    gc.collect()
    hy.sql("SELECT list(x) AS all FROM range(100000) t(x)").fetchall()
    assert table["y"].to_pylist() == list(range(1, 10_001))
    assert table["t"][9_999].as_py() == "text number 9999"
    assert arrays["z"].tolist() == list(range(2, 1002))


def test_a_table_lives_as_long_as_a_result_needs_it(session: hy.Session) -> None:
    result = session.sql("SELECT sum(x) AS s FROM t", t={"x": pyarrow.array(numpy.arange(10_000))})
    gc.collect()
    assert result.fetchone() == (49_995_000,)


def test_memory_is_given_back_after_many_queries() -> None:
    session = hy.Session(threads=1)
    table = pyarrow.table({"x": numpy.arange(1000), "t": [f"text number {x}" for x in range(1000)]})
    prepared = session.prepare("SELECT $1::BIGINT + 1 AS y")

    def work(queries: int) -> None:
        for number in range(queries):
            session.register("t", table)
            pyarrow.table(session.sql("SELECT x + 1 AS y, upper(t) AS t FROM t"))
            assert prepared(number).fetchone() == (number + 1,)

    work(300)
    gc.collect()
    before = resident_bytes()
    work(1000)
    gc.collect()
    assert resident_bytes() - before < 8 << 20


def test_a_session_keeps_nothing_of_queries_that_have_ended() -> None:
    class Used(ctypes.Structure):
        names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
        _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

    allocator = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if allocator is None:
        pytest.skip("this allocator does not tell what is in use")
    allocator.restype = Used

    def used_bytes(queries: int) -> int:
        for number in range(queries):
            prepared(number).fetchall()
            session.sql("SELECT x + 1 AS y FROM range(3) t(x)").fetchall()
        gc.collect()
        return allocator().uordblks

    session = hy.Session(threads=1)
    prepared = session.prepare("SELECT $1::BIGINT + 1 AS y")
    before = used_bytes(500)
    assert used_bytes(2000) - before < 2000 * 50


def resident_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
