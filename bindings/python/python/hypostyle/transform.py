"""Fitted transforms: fit once, apply to tables, pushed batches and single rows, save and load."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hypostyle import _native
from hypostyle._native import Schema
from hypostyle.prepared import Prepared, RowEvaluator
from hypostyle.result import Result

if TYPE_CHECKING:
    from hypostyle.session import Session

__all__ = ["FitState", "Transform"]


class Transform:
    """Features whose analyzers have their parameters; made by :meth:`Session.fit` and :meth:`Session.load`.

    Threads may share it, and it can be pickled: what is stored is its file.

    >>> import hypostyle as hy
    >>> train = hy.sql("SELECT x::DOUBLE AS x FROM range(5) t(x)").collect()
    >>> transform = hy.Session().fit("SELECT standard_scale(x) AS x FROM input", train)
    >>> transform.transform(train).fetchall()[2]
    (0.0,)
    >>> transform.row()(x=2.0)
    {'x': 0.0}
    >>> transform.parameters()["standard_scale"][0]["mean"]
    2.0
    """

    def __init__(self, native: _native.Transform) -> None:
        self._native = native

    def transform(self, data: Any, *, training: bool = False) -> Result:
        """All outputs over rows, in their order.

        ``data`` speaks the Arrow PyCapsule protocol, or is a text: a table of the session, a path in quotes or a query. With
        ``training`` the rows are those that were fitted on, and target encodings leave the fold of a row out; this needs a text.

        Raises :class:`hypostyle.UsageError` for a missing column or one of another type than the fit has seen.
        """
        if isinstance(data, str):
            return Result(self._native.apply(data, training))
        if training:
            raise TypeError("rows that were fitted on are given as a text: the name of a table, a path in quotes or a query")
        return Result(self._native.apply_rows(data))

    def prepare(self) -> Prepared:
        """The transform as a query over an input with the columns of :attr:`inputs`, whose rows the caller pushes."""
        return Prepared(self._native.prepare())

    def row(self, outputs: Sequence[str] | None = None) -> RowEvaluator:
        """An evaluator for single rows; of some outputs only those columns are inputs that they read.

        Raises :class:`hypostyle.UsageError` for a name that is no output's.
        """
        return RowEvaluator(self._native.row(None if outputs is None else list(outputs)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the transform to a file, which has its name once it is whole; :meth:`Session.load` reads it anywhere."""
        self._native.save(os.fspath(path))

    def in_session(self, session: Session) -> Transform:
        """The same transform with the threads and limits of another session."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "transform.hyp")
            self.save(path)
            return session.load(path)

    @property
    def name(self) -> str:
        """Its name."""
        return self._native.name

    @property
    def sql(self) -> str:
        """Its definition."""
        return self._native.sql

    @property
    def inputs(self) -> Schema:
        """Columns that it reads when it is applied; those that only the fit has read, such as labels, are not among them."""
        return self._native.inputs

    @property
    def outputs(self) -> Schema:
        """Columns that it gives."""
        return self._native.outputs

    def parameters(self) -> dict[str, list[dict[str, Any]]]:
        """What was fitted: for each analyzer, one dictionary of parameters for each of its calls, in order."""
        calls: dict[str, list[dict[str, Any]]] = {}
        for analyzer, name, value in self._native.parameters():
            known = calls.setdefault(analyzer, [])
            if not known or name in known[-1]:
                known.append({})
            known[-1][name] = value
        return calls

    def __reduce__(self) -> tuple[Any, ...]:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "transform.hyp")
            self.save(path)
            with open(path, "rb") as file:
                return _from_file, (file.read(),)

    def __repr__(self) -> str:
        return f"Transform({self.name}: {self.inputs!r} -> {self.outputs!r})"


def _from_file(content: bytes) -> Transform:
    """The transform of a file with this content."""
    from hypostyle.session import default_session

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "transform.hyp")
        with open(path, "wb") as file:
            file.write(content)
        return default_session().load(path)


class FitState:
    """What a piece of the rows says of a definition; made by :meth:`Session.fit_partial`, merged and finished anywhere.

    It is pickled as its bytes, which are Arrow tables inside.
    """

    def __init__(self, native: _native.FitState) -> None:
        self._native = native

    @classmethod
    def from_bytes(cls, content: bytes) -> FitState:
        """What :meth:`to_bytes` gave. Raises :class:`hypostyle.UsageError` for bytes that are damaged or of a later release."""
        return cls(_native.FitState.from_bytes(content))

    def to_bytes(self) -> bytes:
        """The state for another process or machine."""
        return self._native.to_bytes()

    @property
    def level(self) -> int:
        """How many fits have to come before this one: 0, unless analyzers stand inside analyzers."""
        return self._native.level

    @property
    def pieces(self) -> list[int]:
        """Numbers of the pieces that are in it."""
        return self._native.pieces

    def __reduce__(self) -> tuple[Any, ...]:
        return FitState.from_bytes, (self.to_bytes(),)

    def __repr__(self) -> str:
        return f"FitState(level {self.level}, pieces {self.pieces})"
