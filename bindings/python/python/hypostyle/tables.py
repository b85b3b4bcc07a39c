"""What can be a table: anything that speaks the Arrow PyCapsule protocol, and columns in a dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypostyle._native import Table

__all__ = ["table_of"]


def table_of(data: Any) -> Table:
    """The rows of ``data`` as a table; buffers are shared, not copied.

    Takes objects with ``__arrow_c_stream__`` (tables and readers of pyarrow, data frames of polars and pandas, relations of
    DuckDB, results of this package) or ``__arrow_c_array__`` (record batches), and dictionaries of name and column, where a
    column speaks the protocol itself. A reader that can be read once is read now.

    Raises ``TypeError`` for anything else, :class:`hypostyle.UnsupportedError` for a type that the engine does not hold.
    """
    if isinstance(data, Table):
        return data
    if isinstance(data, Mapping):
        return Table.of_columns(list(data.items()))
    return Table.of_arrow(data)
