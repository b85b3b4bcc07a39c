"""DLPack, jagged lists and tensors."""

from __future__ import annotations

import gc

import numpy
import pyarrow
import pytest

import hypostyle as hy


def column(sql: str) -> hy.Column:
    (batch,) = hy.sql(sql)
    return batch.column(0)


@pytest.mark.parametrize(
    ("type_name", "dtype"),
    [("TINYINT", "int8"), ("SMALLINT", "int16"), ("INTEGER", "int32"), ("BIGINT", "int64"), ("UTINYINT", "uint8"),
     ("USMALLINT", "uint16"), ("UINTEGER", "uint32"), ("UBIGINT", "uint64"), ("FLOAT", "float32"), ("DOUBLE", "float64")],
)
def test_numbers_are_tensors_without_copying(type_name: str, dtype: str) -> None:
    made = column(f"SELECT x::{type_name} AS x FROM range(100) t(x)")
    tensor = numpy.from_dlpack(made)
    assert tensor.dtype == numpy.dtype(dtype) and tensor.tolist() == list(range(100))
    assert not tensor.flags.writeable
    assert tensor.ctypes.data == pyarrow.array(made).buffers()[1].address
    assert made.__dlpack_device__() == (1, 0)


def test_embeddings_are_tensors_of_two_dimensions() -> None:
    made = column("SELECT [x, x + 0.5, -x]::FLOAT[3] AS e FROM range(4) t(x)")
    tensor = numpy.from_dlpack(made)
    assert tensor.shape == (4, 3) and tensor[2].tolist() == [2.0, 2.5, -2.0]


def test_older_consumers_get_the_older_form() -> None:
    class Older:
        def __init__(self, made: hy.Column) -> None:
            self.made = made

        def __dlpack__(self, **ignored: object) -> object:
            return self.made.__dlpack__()

        def __dlpack_device__(self) -> tuple[int, int]:
            return self.made.__dlpack_device__()

    assert numpy.from_dlpack(Older(column("SELECT x FROM range(3) t(x)"))).tolist() == [0, 1, 2]


def test_tensors_outlive_what_they_came_from() -> None:
    tensor = numpy.from_dlpack(column("SELECT x * 3 AS x FROM range(2000) t(x)"))
    gc.collect()
    hy.sql("SELECT list(x) AS l FROM range(100000) t(x)").fetchall()
    assert tensor.tolist() == [3 * x for x in range(2000)]


def test_capsules_that_nobody_takes_are_freed() -> None:
    made = column("SELECT x FROM range(3) t(x)")
    for _ in range(1000):
        made.__dlpack__()
        made.__dlpack__(max_version=(1, 0))


def test_what_is_no_tensor_is_refused() -> None:
    for sql, why in [
        ("SELECT NULL::BIGINT AS x", "has nulls"),
        ("SELECT 'a' AS x", "no values of fixed width"),
        ("SELECT [1, NULL]::FLOAT[2] AS x", "no values of fixed width"),
    ]:
        with pytest.raises(BufferError, match=why):
            column(sql).__dlpack__()
    with pytest.raises(BufferError, match="CPU"):
        column("SELECT 1 AS x").__dlpack__(dl_device=(2, 0))
    with pytest.raises(BufferError, match="without copying"):
        column("SELECT 1 AS x").__dlpack__(copy=True)


def test_lists_are_values_and_lengths(any_session: hy.Session) -> None:
    sql = "SELECT CASE WHEN x % 3 <> 1 THEN range(x) END AS ids, [x::DOUBLE] AS w FROM range(7) t(x)"
    jagged = any_session.sql(sql).to_jagged()
    assert jagged["ids"].lengths.tolist() == [0, 0, 2, 3, 0, 5, 6]
    assert jagged["ids"].values.tolist() == [*range(2), *range(3), *range(5), *range(6)]
    assert jagged["ids"].offsets.tolist() == [0, 0, 0, 2, 5, 5, 10, 16]
    assert jagged["w"].values.dtype == numpy.float64
    empty = any_session.sql("SELECT [1] AS ids WHERE false").to_jagged()["ids"]
    assert empty.lengths.tolist() == [] and empty.offsets.tolist() == [0]


def test_lists_behind_nulls_and_slices_are_left_out(session: hy.Session) -> None:
    hidden = pyarrow.ListArray.from_arrays([0, 2, 4, 6], pyarrow.array([1, 2, 3, 4, 5, 6]), mask=pyarrow.array([False, True, False]))
    session.register("t", {"ids": hidden.slice(1)})
    assert session.sql("FROM t").to_jagged()["ids"].values.tolist() == [5, 6]
    (batch,) = hy.sql("SELECT range(x) AS ids FROM range(5) t(x)")
    sliced = batch.slice(2, 2).column(0)
    assert numpy.asarray(sliced.list_values().values_view()).tolist() == [0, 1, 0, 1, 2]
    assert numpy.asarray(sliced.list_lengths()).tolist() == [2, 3]


def test_columns_that_are_no_lists_of_numbers_are_refused() -> None:
    for sql in ["SELECT 1 AS x", "SELECT ['a'] AS x", "SELECT [1, NULL] AS x"]:
        with pytest.raises(hy.UsageError, match='"x"'):
            hy.sql(sql).to_jagged()
