"""Results as NumPy arrays, without pyarrow in between."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

    from hypostyle._native import Column
    from hypostyle.result import Result

__all__ = ["column_to_numpy", "to_numpy"]

_TIMES = {"DATE": "datetime64[D]", "TIMESTAMP_S": "datetime64[s]", "TIMESTAMP_MS": "datetime64[ms]",
          "TIMESTAMP": "datetime64[us]", "TIMESTAMP_NS": "datetime64[ns]", "TIMESTAMP WITH TIME ZONE": "datetime64[us]"}


def to_numpy(result: Result) -> dict[str, numpy.ndarray]:
    """All rows as a dictionary of name and array; of several columns of one name the last one is taken.

    Numbers keep their type and are not copied where one batch holds all rows; embeddings (``FLOAT[N]``) are arrays of shape
    ``(rows, N)``; dates and timestamps are ``datetime64``, an instant in UTC. Everything else is an array of Python objects.

    Nulls: floats, also inside embeddings, become NaN, dates and timestamps NaT; whole numbers with nulls become ``float64`` with
    NaN; truth values with nulls become objects with ``None``; a null embedding is a row of NaN.
    """
    import numpy

    names, types = result.columns, result.types
    parts: list[list[numpy.ndarray]] = [[] for _ in names]
    for batch in result:
        for position, column in enumerate(batch.columns()):
            parts[position].append(column_to_numpy(column))
    empty = [numpy.empty(*_empty_shape(kind)) for kind in types]
    return {
        name: (part[0] if len(part) == 1 else _joined(part)) if part else nothing
        for name, part, nothing in zip(names, parts, empty, strict=True)
    }


def _joined(parts: list[numpy.ndarray]) -> numpy.ndarray:
    """Parts of one column; where nulls made one of them floats or objects, all become so."""
    import numpy

    if any(part.dtype == object for part in parts):
        whole = numpy.empty(sum(len(part) for part in parts), dtype=object)
        start = 0
        for part in parts:
            whole[start : start + len(part)] = list(part) if part.ndim > 1 else part
            start += len(part)
        return whole
    return numpy.concatenate(parts)


_DTYPES = {"BOOLEAN": "bool", "TINYINT": "int8", "SMALLINT": "int16", "INTEGER": "int32", "BIGINT": "int64", "UTINYINT": "uint8",
           "USMALLINT": "uint16", "UINTEGER": "uint32", "UBIGINT": "uint64", "HALF": "float16", "FLOAT": "float32",
           "DOUBLE": "float64", **_TIMES}


def _empty_shape(kind: str) -> tuple[Any, str]:
    if kind.endswith("]") and not kind.endswith("[]"):
        element, _, size = kind[:-1].rpartition("[")
        if element in _DTYPES and element not in _TIMES and element != "BOOLEAN":
            return (0, int(size)), _DTYPES[element]
    return 0, _DTYPES.get(kind, "object")


def column_to_numpy(column: Column) -> numpy.ndarray:
    """One column of a batch as an array; see :func:`to_numpy`. Arrays that share the engine's memory are read-only."""
    import numpy

    kind = column.type
    if column.has_fixed_width:
        values = numpy.asarray(column.values_view())
        if kind in _TIMES:
            values = (values.astype("int64") if kind == "DATE" else values).view(_TIMES[kind])
        if column.null_count == 0:
            return values
        return _with_nulls(values, numpy.asarray(column.validity()), kind)
    shape, dtype = _empty_shape(kind)
    if isinstance(shape, tuple):
        # Some elements are null.
        rows = [[None] * shape[1] if row is None else row for row in column.to_pylist()]
        kept = "float64" if dtype[0] != "f" else dtype
        return numpy.array(rows, dtype="float64").astype(kept, copy=False).reshape(len(rows), shape[1])
    if kind == "BOOLEAN" and column.null_count == 0:
        return numpy.asarray(column.to_pylist(), dtype=bool)
    return _objects(column.to_pylist())


def _with_nulls(values: numpy.ndarray, valid: numpy.ndarray, kind: str) -> numpy.ndarray:
    import numpy

    if kind in _TIMES:
        values = values.copy()
        values[~valid] = numpy.datetime64("NaT")
        return values
    values = values.copy() if values.dtype.kind == "f" else values.astype("float64")
    values[~valid] = numpy.nan
    return values


def _objects(values: Iterable[Any]) -> numpy.ndarray:
    """An array of one dimension whose elements are these objects, also where they are lists of one length."""
    import numpy

    held = list(values)
    array = numpy.empty(len(held), dtype=object)
    array[:] = held
    return array
