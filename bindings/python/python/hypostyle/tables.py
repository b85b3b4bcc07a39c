"""What can be a table: anything that speaks the Arrow PyCapsule protocol, datasets of pyarrow, and columns in a dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypostyle._native import Table
from hypostyle.datasets import dataset_table, is_dataset

__all__ = ["table_of"]


def table_of(data: Any) -> Table:
    """The rows of ``data`` as a table; buffers are shared, not copied.

    Takes objects with ``__arrow_c_stream__`` (tables and readers of pyarrow, data frames of polars and pandas, relations of
    DuckDB, results of this package) or ``__arrow_c_array__`` (record batches), datasets of pyarrow, which each query reads as far as it
    needs, and dictionaries of name and column, where a column speaks the protocol itself or is a list or NumPy array (which needs
    pyarrow). A reader that can be read once is read now.

    Raises ``TypeError`` for anything else, :class:`hypostyle.UnsupportedError` for a type that the engine does not hold.
    """
    if isinstance(data, Table):
        return data
    if isinstance(data, Mapping):
        return Table.of_columns([(str(name), _column(values)) for name, values in data.items()])
    if is_dataset(data):
        return dataset_table(data)
    return Table.of_arrow(data)


def _column(values: Any) -> Any:
    if isinstance(values, (list, tuple)) or type(values).__module__ == "numpy":
        import pyarrow

        if getattr(values, "ndim", 1) == 2:
            return pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(values.reshape(-1)), values.shape[1])
        return pyarrow.array(values)
    return values
