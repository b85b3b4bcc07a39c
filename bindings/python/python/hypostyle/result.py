"""The rows that a statement gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from hypostyle import _native
from hypostyle._native import Batch, Schema
from hypostyle.display import ROWS_SHOWN, as_box, as_html
from hypostyle.progress import shown

if TYPE_CHECKING:
    import numpy
    import pandas
    import polars
    import pyarrow

    from hypostyle.tensors import JaggedArrays

__all__ = ["Result"]


class Result:
    """Rows in order, computed as they are asked for, in Arrow's layout.

    A result is read once: by iterating over its batches, by one of the ``to_`` and ``fetch`` methods, or by another library
    through ``__arrow_c_stream__`` (``pyarrow.table(result)``, ``polars.DataFrame(result)``, DuckDB over a variable, all without
    copying). :meth:`collect` keeps the rows, so that they can be read any number of times. Showing a result reads
    its first rows and loses none.

    >>> import hypostyle as hy
    >>> result = hy.sql("SELECT x FROM range(4) t(x)")
    >>> [batch.num_rows for batch in result]
    [4]
    """

    def __init__(self, native: _native.Rows) -> None:
        self._native = native

    @property
    def schema(self) -> Schema:
        """Names and SQL types of the columns."""
        return self._native.schema

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order; they may repeat."""
        return self._native.schema.names

    @property
    def types(self) -> list[str]:
        """SQL types of the columns, in order."""
        return self._native.schema.types

    def __iter__(self) -> Iterator[Batch]:
        """The batches, each with ``__arrow_c_array__``; the run goes on as they are asked for."""
        return self._native.open()

    def collect(self, *, progress: bool = False) -> Result:
        """Fetches all rows and keeps them; the result itself, which can then be read any number of times.

        With ``progress`` a line on standard error says how far the run is, if it takes longer than half a second.
        """
        if progress:
            with shown(self.progress):
                self._native.keep()
        else:
            self._native.keep()
        return self

    def cancel(self) -> None:
        """Stops the run. Whoever reads the rows gets :class:`hypostyle.CancelledError`. Any thread may call it."""
        self._native.cancel()

    def progress(self) -> float:
        """Share of the inputs that has been read, from 0 to 1. Any thread may ask."""
        return self._native.progress()

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows as tuples of Python values; see :func:`hypostyle.values` for types that Python lacks."""
        return [row for batch in self for row in batch.rows()]

    def fetchone(self) -> tuple[Any, ...] | None:
        """The first row as a tuple of Python values, or ``None`` if there is none; the rest of the rows is given up."""
        for batch in self:
            for row in batch.slice(0, 1).rows():
                return row
        return None

    def to_pylist(self) -> list[dict[str, Any]]:
        """All rows as dictionaries; of several columns of one name the last one is taken."""
        names = self.columns
        return [dict(zip(names, row, strict=True)) for row in self.fetchall()]

    def to_arrow(self, *, text: Literal["string", "large_string", "string_view"] = "string") -> pyarrow.Table:
        """All rows as a ``pyarrow.Table``. Needs pyarrow.

        Numbers and lists are not copied. The engine's texts are Arrow views; they are copied to ``string``, which every function of
        pyarrow takes, unless ``text`` asks for ``'string_view'``. ``pyarrow.table(result)`` copies nothing either.
        """
        import pyarrow

        schema = schema_of(self._native.schema, text)
        with self._failing_as_ours():
            reader = pyarrow.RecordBatchReader.from_stream(self, schema=schema)
            return reader.read_all()

    def to_polars(self) -> polars.DataFrame:
        """All rows as a ``polars.DataFrame``, without copying. Needs polars."""
        import polars

        with self._failing_as_ours():
            return polars.DataFrame(self)

    def to_pandas(self) -> pandas.DataFrame:
        """All rows as a ``pandas.DataFrame``. Needs pandas and pyarrow.

        Columns take the types that pyarrow gives them: texts are ``str``, whole numbers with nulls become floats.
        """
        return self.to_arrow().to_pandas()

    def to_numpy(self) -> dict[str, numpy.ndarray]:
        """All rows as a dictionary of name and NumPy array. Needs numpy; see :func:`hypostyle.arrays.to_numpy` for types and
        nulls."""
        from hypostyle.arrays import to_numpy

        return to_numpy(self)

    def to_torch(self) -> dict[str, Any]:
        """All rows as a dictionary of name and tensor; see :func:`hypostyle.tensors.tensors_of`. Needs PyTorch.

        Raises :class:`hypostyle.DataError` and others as the rows do.
        """
        from hypostyle.tensors import tensors_of

        return tensors_of(self._one_batch())

    def to_jagged(self) -> dict[str, JaggedArrays]:
        """All columns, which must be lists of numbers, as values and lengths in NumPy arrays. Needs numpy.

        >>> import hypostyle as hy
        >>> ids = hy.sql("SELECT ids FROM (VALUES ([1, 2]), ([]), (NULL), ([3])) t(ids)").to_jagged()["ids"]
        >>> ids.values.tolist(), ids.lengths.tolist(), ids.offsets.tolist()
        ([1, 2, 3], [2, 0, 0, 1], [0, 2, 2, 2, 3])

        Raises :class:`hypostyle.UsageError` for other columns and for null elements.
        """
        from hypostyle.tensors import jagged_arrays

        batch = self._one_batch()
        return {column.name: jagged_arrays([column]) for column in batch.columns()}

    def _one_batch(self) -> Batch:
        """All rows as one batch; copied together where they come as several."""
        return self._native.one_batch()

    def __arrow_c_schema__(self) -> object:
        return self._native.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._native.__arrow_c_stream__(requested_schema)

    def _failing_as_ours(self) -> _OwnErrors:
        return _OwnErrors(self._native)

    def _head(self) -> tuple[list[list[str | None]], str]:
        """Texts of the first rows, and a line that says how many there are."""
        batches = self._native.peek(ROWS_SHOWN + 1)
        texts: list[list[str | None]] = []
        for batch in batches:
            texts.extend(batch.slice(0, ROWS_SHOWN - len(texts)).texts())
        there = sum(batch.num_rows for batch in batches)
        if there <= ROWS_SHOWN or self._native.is_kept:
            count = f"{there} row" if there == 1 else f"{there} rows"
            return texts, count if there <= ROWS_SHOWN else f"{count} ({ROWS_SHOWN} shown)"
        return texts, f"more than {ROWS_SHOWN} rows ({ROWS_SHOWN} shown)"

    def __repr__(self) -> str:
        if self._native.is_taken:
            return f"Result({', '.join(self.columns)}; its rows have been handed out)"
        if not self.columns:
            return "done"
        if self._native.counts_writes:
            (written,) = self.fetchone() or (0,)
            return f"{written} rows written"
        texts, footer = self._head()
        if self.columns == ["plan"] and len(texts) == 1:
            # The plan of EXPLAIN has lines of its own.
            return "".join(batch.column(0).to_pylist()[0] for batch in self._native.peek(1)).rstrip("\n")
        return as_box(self.columns, self.types, texts, footer)

    def _repr_html_(self) -> str | None:
        if self._native.is_taken or not self.columns or self._native.counts_writes:
            return None
        texts, footer = self._head()
        return as_html(self.columns, self.types, texts, footer)


class _OwnErrors:
    """Raises the exception of this package where another library reports the text of one of our streams."""

    def __init__(self, native: _native.Rows) -> None:
        self._native = native

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, raised: BaseException | None, trace: object) -> None:
        if isinstance(raised, Exception):
            failure = self._native.failure()
            if failure is not None:
                # What the other library made of the text says no more; the exception of a function of Python does.
                raise failure from failure.__cause__


def schema_of(schema: Schema, text: Literal["string", "large_string", "string_view"] = "string") -> pyarrow.Schema:
    """Columns as a schema of pyarrow, with texts and bytes in this layout. Needs pyarrow."""
    import pyarrow

    columns = pyarrow.schema(schema)
    if text == "string_view":
        return columns
    wanted = pyarrow.string() if text == "string" else pyarrow.large_string()
    binary = pyarrow.binary() if text == "string" else pyarrow.large_binary()
    return pyarrow.schema([field.with_type(_plain(field.type, wanted, binary)) for field in columns])


def _plain(data_type: Any, text: Any, binary: Any) -> Any:
    """The type with views of text and bytes replaced, also inside lists, structs and maps."""
    import pyarrow
    from pyarrow import types

    def field(of: Any) -> Any:
        return of.with_type(_plain(of.type, text, binary))

    if types.is_string_view(data_type):
        return text
    if types.is_binary_view(data_type):
        return binary
    if types.is_list(data_type):
        return pyarrow.list_(field(data_type.value_field))
    if types.is_fixed_size_list(data_type):
        return pyarrow.list_(field(data_type.value_field), data_type.list_size)
    if types.is_struct(data_type):
        return pyarrow.struct([field(data_type.field(position)) for position in range(data_type.num_fields)])
    if types.is_map(data_type):
        return pyarrow.map_(field(data_type.key_field), field(data_type.item_field))
    return data_type
