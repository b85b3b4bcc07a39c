"""Every type to and from every library that speaks the Arrow PyCapsule protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import arro3.core
import duckdb
import nanoarrow
import polars
import pyarrow
import pytest
from test_protocol import ARRAYS, TOLD_OTHERWISE

import hypostyle as hy


def of_duckdb(table: pyarrow.Table) -> Any:
    return duckdb.connect().from_arrow(table)


#: How each library makes a table of its own out of one of pyarrow.
TAKES: dict[str, Callable[[pyarrow.Table], Any]] = {
    "pyarrow": lambda table: table,
    "pyarrow_reader": lambda table: table.to_reader(),
    "pyarrow_batch": lambda table: table.combine_chunks().to_batches()[0] if len(table) else table,
    "polars": polars.DataFrame,
    "duckdb": of_duckdb,
    "arro3": arro3.core.Table.from_arrow,
    "nanoarrow": nanoarrow.Array,
    "nanoarrow_stream": nanoarrow.ArrayStream,
}
#: Types of :data:`ARRAYS` that a library itself refuses: from pyarrow, and as this engine hands them out, where a duration is an
#: interval, and lists and runs are flat.
REFUSES = {"polars": {"interval", "list_view", "runs"}, "duckdb": {"half"}}
REFUSES_RESULTS = {"polars": {"interval", "duration"}, "duckdb": {"half"}}
#: Arrays of nanoarrow 0.9 crash when they hand out views of text, whoever produced them; its streams pass them on.
CRASHES = {"nanoarrow": {"string_view", "binary_view"}}


def values(table: Any) -> list[Any]:
    """The one column as Python values."""
    return pyarrow.table(table).column(0).to_pylist()


def same(name: str, found: list[Any], given: pyarrow.Array) -> bool:
    if name in TOLD_OTHERWISE:
        return [value is None for value in found] == [value is None for value in given.to_pylist()]
    return found == given.to_pylist()


@pytest.mark.parametrize("library", TAKES)
@pytest.mark.parametrize("name", ARRAYS)
def test_tables_of_every_library_and_type_go_in(library: str, name: str, session: hy.Session) -> None:
    table = pyarrow.table({"x": ARRAYS[name]})
    if name in CRASHES.get(library, ()):
        pytest.skip("the library crashes")
    if name in REFUSES.get(library, ()):
        with pytest.raises(BaseException):
            values(TAKES[library](table))
        return
    session.register("t", TAKES[library](table))
    assert same(name, session.sql("SELECT x FROM t").to_arrow()["x"].to_pylist(), ARRAYS[name])


@pytest.mark.parametrize("library", ["polars", "duckdb", "arro3", "nanoarrow_stream"])
@pytest.mark.parametrize("name", ARRAYS)
def test_results_of_every_type_go_out(library: str, name: str, session: hy.Session) -> None:
    session.register("t", pyarrow.table({"x": ARRAYS[name]}))
    result = session.sql("SELECT x FROM t").collect()
    if name in REFUSES_RESULTS.get(library, ()):
        with pytest.raises(BaseException):
            values(TAKES[library](result))
        return
    assert same(name, values(TAKES[library](result)), ARRAYS[name])


def test_polars_columns_of_nothing_but_null_go_in(session: hy.Session) -> None:
    frame = polars.DataFrame({"x": [1, 2], "none": [None, None], "empty": [[], []], "inside": [{"a": None}, {"a": None}]})
    session.register("t", frame)
    assert session.sql("FROM t").fetchall() == [(1, None, [], {"a": None}), (2, None, [], {"a": None})]
    session.register("column", frame["none"])
    assert session.sql("SELECT count(*) AS n FROM column").fetchone() == (2,)


#: Libraries that keep Arrow memory as it is; DuckDB copies rows into vectors of its own and out of them.
SHARES = ["pyarrow", "pyarrow_reader", "pyarrow_batch", "polars", "arro3", "nanoarrow", "nanoarrow_stream"]
SHARED_TYPES = ["int8", "int64", "uint32", "double", "float", "string_view", "binary_view", "date32", "timestamp_us", "list", "embedding", "struct"]


def addresses(table: Any) -> list[int]:
    """Where the values of the one column begin; of views the ones and not the texts behind them."""
    (chunk,) = pyarrow.table(table).column(0).chunks
    places = {"string_view": 1, "binary_view": 1}
    buffers = chunk.buffers()
    return [buffers[places.get(str(chunk.type), len(buffers) - 1)].address]


def of_shared_type(name: str, library: str) -> pyarrow.Table:
    if name in CRASHES.get(library, ()):
        pytest.skip("the library crashes")
    large = {"list": pyarrow.large_list(pyarrow.int64())}
    # Polars has lists with wide offsets and no others, and would make them of what it is given.
    array = ARRAYS[name].cast(large[name]) if library == "polars" and name in large else ARRAYS[name]
    return pyarrow.table({"x": array})


@pytest.mark.parametrize("library", SHARES)
@pytest.mark.parametrize("name", SHARED_TYPES)
def test_values_that_go_in_are_not_copied(library: str, name: str, session: hy.Session) -> None:
    table = of_shared_type(name, library)
    if library.endswith("reader") or library.endswith("stream"):
        before = addresses(table)
        given = TAKES[library](table)
    else:
        given = TAKES[library](table)
        before = addresses(given)
    session.register("t", given)
    assert addresses(session.sql("SELECT x FROM t")) == before


@pytest.mark.parametrize("library", SHARES)
@pytest.mark.parametrize("name", SHARED_TYPES)
def test_values_that_come_out_are_not_copied(library: str, name: str, session: hy.Session) -> None:
    if library == "nanoarrow" and name == "struct":
        pytest.skip("the library crashes on the views of text inside")
    session.register("t", of_shared_type(name, library))
    result = session.sql("SELECT x FROM t").collect()
    made = addresses(result)
    taken = pyarrow.table(result) if library.startswith("pyarrow") else TAKES[library](result)
    assert addresses(taken) == made
