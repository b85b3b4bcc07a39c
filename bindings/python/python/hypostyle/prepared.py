"""Queries that are bound and compiled once: run many times, fed by the caller, or evaluated for single rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hypostyle import _native
from hypostyle._native import Batch, Schema
from hypostyle.errors import UsageError
from hypostyle.result import Result

__all__ = ["Prepared", "RowEvaluator", "Run"]


class Prepared:
    """A query with parameters, ``$1`` or ``?``; made by :meth:`Session.prepare`. Threads may share it.

    >>> import hypostyle as hy
    >>> twice = hy.default_session().prepare("SELECT $1::BIGINT * 2 AS twice")
    >>> twice(21).fetchone()
    (42,)
    >>> hy.sql("SELECT $word || '!' AS loud", {"word": "hey"}).fetchone()
    ('hey!',)
    """

    def __init__(self, native: _native.Prepared) -> None:
        self._native = native

    def __call__(self, *parameters: Any) -> Result:
        """Starts a run with these values, one for each parameter; see :meth:`run`."""
        return self.run(parameters)

    def run(self, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Result:
        """Starts a run with these values; ``None`` is NULL.

        A sequence gives ``$1``, ``$2`` and so on; a mapping gives parameters by name, ``$city``.

        Raises :class:`hypostyle.UsageError` for missing and for unknown parameters, :class:`hypostyle.DataError` for a value
        that does not cast to the type of its place.
        """
        return Result(self._native.run(self._in_order(parameters)))

    def start(self, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Run:
        """Starts a run over an input that the caller pushes; see :meth:`Session.register_input` and :class:`Run`.

        Raises :class:`hypostyle.UsageError` for a query that reads no such input.
        """
        return Run(self._native.start(self._in_order(parameters)))

    def row(self, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> RowEvaluator:
        """An evaluator for single rows, of a query that selects expressions over the columns of one table.

        Raises :class:`hypostyle.UsageError` for a query with a filter, join, grouping or order.
        """
        return RowEvaluator(self._native.row(self._in_order(parameters)))

    def _in_order(self, parameters: Sequence[Any] | Mapping[str, Any]) -> list[Any]:
        """The values in the order of the plan, which is that in which the planner met the parameters."""
        names = [name for name, _ in self._native.parameters]
        if not isinstance(parameters, Mapping):
            named = [name for name in names if not name.isdigit()]
            if named:
                raise UsageError(f"the statement takes parameters by name: {', '.join(named)}")
            wanted = max(map(int, names), default=0)
            if len(parameters) != wanted:
                raise UsageError(f"the statement takes {wanted} parameters; {len(parameters)} were given")
            parameters = {str(number): value for number, value in enumerate(parameters, start=1)}
        elif unknown := [name for name in parameters if name not in names]:
            known = ", ".join(names) or "none"
            raise UsageError(f'the statement has no parameter "{unknown[0]}"; there are: {known}')
        if missing := [name for name in names if name not in parameters]:
            raise UsageError(f'parameter "{missing[0]}" has no value')
        return [parameters[name] for name in names]

    @property
    def schema(self) -> Schema:
        """Names and types of the columns of the result."""
        return self._native.schema

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """Names and SQL types of the parameters; numbered ones in the order in which values are given."""
        return sorted(self._native.parameters, key=lambda parameter: (len(parameter[0]), parameter[0]))

    def explain(self) -> str:
        """The physical plan, as ``EXPLAIN`` shows it."""
        return self._native.explain()

    def __repr__(self) -> str:
        parameters = ", ".join(f"${name}: {kind}" for name, kind in self.parameters)
        return f"Prepared({parameters}) -> {self.schema!r}"


class Run:
    """A query over rows that the caller pushes, batch by batch, with the bits of any other run; made by :meth:`Prepared.start`.

    >>> import hypostyle as hy
    >>> session = hy.Session()
    >>> session.register_input("events", hy.sql("SELECT 1.5::DOUBLE AS price"))
    >>> run = session.prepare("SELECT price * 2 AS twice FROM events WHERE price > 1").start()
    >>> [row for batch in run.push(hy.sql("SELECT 2::DOUBLE AS price")) for row in batch.rows()]
    [(4.0,)]
    >>> run.finish()
    []
    """

    def __init__(self, native: _native.Run) -> None:
        self._native = native

    @property
    def inputs(self) -> Schema:
        """Names and SQL types of the columns that are pushed; case does not matter, other columns are left out."""
        return self._native.inputs

    @property
    def outputs(self) -> Schema:
        """Names and SQL types of the columns that come out."""
        return self._native.outputs

    def push(self, data: Any) -> list[Batch]:
        """Pushes rows that speak the Arrow PyCapsule protocol; the batches that come out, which may be none.

        An error ends the run. Raises :class:`hypostyle.UsageError` for a missing column, one of another type, and a run
        that has ended.
        """
        return self._native.push(data)

    def finish(self) -> list[Batch]:
        """States that no more rows come; what grouping, joins and sorting have held back comes out. The run ends."""
        return self._native.finish()

    def snapshot(self) -> bytes:
        """The state between two batches, for :meth:`restore` in another process.

        Raises :class:`hypostyle.UsageError` for a query that holds rows, as grouping does.
        """
        return bytes(self._native.snapshot())

    def restore(self, snapshot: bytes) -> None:
        """Goes on from a snapshot of the same query."""
        self._native.restore(snapshot)

    def __repr__(self) -> str:
        return f"Run({self.inputs!r}) -> {self.outputs!r}"


class RowEvaluator:
    """Expressions for single rows, with the kernels and the bits of batches; made by :meth:`Prepared.row` and
    :meth:`Transform.row`. Belongs to one thread at a time.

    >>> import hypostyle as hy
    >>> session = hy.Session()
    >>> session.register("items", hy.sql("SELECT 1.5::DOUBLE AS price, 'book' AS kind"))
    >>> row = session.prepare("SELECT log1p(price) AS price, upper(kind) AS kind FROM items").row()
    >>> row(price=0.0, kind="toy")
    {'price': 0.0, 'kind': 'TOY'}
    """

    def __init__(self, native: _native.RowEvaluator) -> None:
        self._native = native

    def __call__(self, **fields: Any) -> dict[str, Any]:
        """The values of one row, given by name; a field that is left out is null.

        Raises ``TypeError`` and ``OverflowError`` for a value that is not of its field's type, :class:`hypostyle.DataError` for a
        row whose expressions fail.
        """
        unknown = fields.keys() - set(self.inputs.names)
        if unknown:
            known = ", ".join(self.inputs.names) or "none"
            raise UsageError(f'no input column "{min(unknown)}"; there are: {known}')
        (values,) = self._native.evaluate([fields])
        return values

    def rows(self, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """The values of several rows at once, which costs less than one by one; other keys of a row are left out."""
        return self._native.evaluate(list(rows))

    @property
    def inputs(self) -> Schema:
        """Names and SQL types of the fields."""
        return self._native.inputs

    @property
    def outputs(self) -> Schema:
        """Names and SQL types of the values."""
        return self._native.outputs

    def __repr__(self) -> str:
        return f"RowEvaluator({self.inputs!r}) -> {self.outputs!r}"
