"""Datasets of pyarrow as tables: only the columns that a query reads, and only files and row groups that may match."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypostyle._native import Table

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.dataset

__all__ = ["dataset_table", "is_dataset"]


def is_dataset(data: Any) -> bool:
    """True for a ``pyarrow.dataset.Dataset``; imports nothing."""
    return any(kind.__module__ == "pyarrow._dataset" and kind.__name__ == "Dataset" for kind in type(data).__mro__)


def dataset_table(dataset: pyarrow.dataset.Dataset) -> Table:
    """A dataset as a table that is read anew by each query.

    Columns that the query does not read are not asked for. Comparisons of columns with constants, IN and IS NULL are handed to the
    dataset, which skips what cannot match; the engine applies them once more.
    """

    def open_stream(columns: list[str], conditions: list[Any], batch_rows: int) -> pyarrow.RecordBatchReader:
        import pyarrow

        wanted = None
        for condition in conditions:
            part = expression(condition, dataset.schema)
            if part is not None:
                wanted = part if wanted is None else wanted & part
        scanner = dataset.scanner(columns=columns, filter=wanted)
        if columns:
            return scanner.to_reader()
        # A stream without columns loses its rows on the way, so they are counted.
        rows = scanner.count_rows()
        return pyarrow.table({"rows": pyarrow.nulls(rows)}).to_reader(max(1, min(rows, 1 << 16)))

    return Table.of_scanner(dataset.schema, open_stream, "a dataset of pyarrow")


def expression(condition: tuple[Any, ...], schema: pyarrow.Schema) -> Any:
    """A condition of the engine as an expression of pyarrow that is true wherever the condition is; ``None`` if there is none."""
    import pyarrow.dataset
    from pyarrow import types

    word, *operands = condition
    if word in ("and", "or"):
        parts = [expression(part, schema) for part in operands[0]]
        if word == "and":
            parts = [part for part in parts if part is not None]
        if not parts or any(part is None for part in parts):
            return None
        whole = parts[0]
        for part in parts[1:]:
            whole = whole & part if word == "and" else whole | part
        return whole
    name = operands[0]
    field = pyarrow.dataset.field(name)
    if word == "is_null":
        return field.is_null()
    if word == "is_not_null":
        return field.is_valid()
    # Other types may be told apart by the dataset in ways of its own.
    kind = schema.field(name).type
    comparable = (types.is_integer, types.is_floating, types.is_boolean, types.is_string, types.is_large_string,
                  types.is_string_view, types.is_date32, types.is_timestamp)
    if not any(is_kind(kind) for is_kind in comparable) or getattr(kind, "tz", None) is not None:
        return None
    if word == "in":
        return field.isin(pyarrow.array(operands[1], kind))
    value = pyarrow.scalar(operands[1], kind)
    compared = {
        "==": lambda: field == value,
        "<": lambda: field < value,
        "<=": lambda: field <= value,
        ">": lambda: field > value,
        ">=": lambda: field >= value,
    }[word]()
    # NaN is greater than every number in SQL; pyarrow calls no comparison with it true.
    return compared | field.is_nan() if types.is_floating(kind) and word in (">", ">=") else compared
