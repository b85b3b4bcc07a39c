"""Sessions: tables, functions, views and settings by name, and the statements that use them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from hypostyle import _native
from hypostyle.errors import UsageError
from hypostyle.functions import Over, over_columns, types_of
from hypostyle.prepared import Prepared
from hypostyle.result import Result
from hypostyle.tables import table_of
from hypostyle.transform import FitState, Transform

__all__ = ["Session", "default_session", "register", "sql"]

#: Name of the table that a transform is fitted on where it has none.
FITTED_ROWS = "fitted_rows"


class Session:
    """Tables, functions, views and settings by name. Two sessions know nothing of each other; threads may share one.

    ``threads`` is the number of workers of a query, by default that of the machine; with 1 everything runs on the caller's
    thread. ``memory_limit`` is the most that all queries together hold, in bytes or as ``'1GiB'``; beyond it operators spill to
    ``temp_directory``. ``batch_rows`` is the number of rows of a batch, ``time_zone`` the zone in which TIMESTAMP WITH TIME
    ZONE values are shown and taken apart.

    >>> import hypostyle as hy
    >>> session = hy.Session(threads=2, memory_limit="1GiB")
    >>> session.sql("CREATE TABLE numbers AS SELECT x FROM range(10) t(x)")
    10 rows written
    >>> session.sql("SELECT sum(x) AS total FROM numbers").fetchone()
    (45,)
    """

    def __init__(
        self,
        *,
        threads: int | None = None,
        memory_limit: int | str | None = None,
        batch_rows: int | None = None,
        temp_directory: str | os.PathLike[str] | None = None,
        time_zone: str | None = None,
    ) -> None:
        self._native = _native.Session(threads, memory_limit, batch_rows, temp_directory)
        # Held while names are lent to one statement.
        self._lending = threading.RLock()
        if time_zone is not None:
            self.set("time_zone", time_zone)

    def sql(self, text: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None, /, **tables: Any) -> Result:
        """Runs every statement of ``text``; the result is that of the last one, and its rows come as they are asked for.

        ``parameters`` are values for ``$1`` or ``?``, or by name for ``$name``, if the text is one query; where its place asks for
        no type, write one, as in ``$1::BIGINT``, else it is text. ``tables`` are names for this call alone:

        >>> import hypostyle as hy
        >>> hy.sql("SELECT sum(x) AS total FROM t WHERE x > $1", [1], t={"x": hy.sql("SELECT 3 AS x")}).fetchall()
        [(3,)]

        Raises :class:`hypostyle.SqlError`, :class:`hypostyle.InputError` and the other errors of :mod:`hypostyle.errors`;
        those of the rows arise where the rows are asked for.
        """
        with self._lent(tables):
            if parameters is None:
                return Result(self._native.sql(text))
            return self.prepare(text).run(parameters)

    @contextmanager
    def _lent(self, tables: dict[str, Any]) -> Iterator[None]:
        """Gives tables their names as long as a statement is planned."""
        if not tables:
            yield
            return
        made = {name: table_of(data) for name, data in tables.items()}
        with self._lending:
            before = {name: self._native.replace_table(name, table) for name, table in made.items()}
            try:
                yield
            finally:
                for name, table in before.items():
                    self._native.replace_table(name, table)

    def prepare(self, text: str, /) -> Prepared:
        """Binds and compiles one query, with parameters ``$1`` or ``?``, to run it many times.

        Raises :class:`hypostyle.SqlError`, and :class:`hypostyle.UsageError` for a text that is not one query.
        """
        return Prepared(self._native.prepare(text))

    def register(self, name: str, data: Any) -> None:
        """Makes ``data`` a table; replaces one of that name. Buffers are shared, not copied.

        ``data`` is anything that :func:`hypostyle.tables.table_of` takes: data frames, tables, readers and record batches that
        speak the Arrow PyCapsule protocol, or a dictionary of columns. A path or pattern of files is a table too.

        >>> import hypostyle as hy
        >>> session = hy.Session()
        >>> session.register("t", hy.sql("SELECT 1 AS x UNION ALL SELECT 2"))
        >>> session.sql("SELECT max(x) AS x FROM t").fetchone()
        (2,)

        Raises ``TypeError`` for what is no table, :class:`hypostyle.UnsupportedError` for a type that the engine does not
        hold, :class:`hypostyle.InputError` for a stream that fails.
        """
        if isinstance(data, (str, os.PathLike)):
            self._native.register_file(name, os.fspath(data))
        else:
            self._native.replace_table(name, table_of(data))

    def register_input(self, name: str, schema: Any) -> None:
        """Names an input whose rows the caller pushes into each run: a query over it is prepared once and fed batch by batch.

        ``schema`` is anything with ``__arrow_c_schema__``, such as a schema of pyarrow or a result, or a table whose columns the input has.
        See :class:`Run`.
        """
        tables = ("__arrow_c_stream__", "__arrow_c_array__")
        if not hasattr(schema, "__arrow_c_schema__") and (isinstance(schema, dict) or any(hasattr(schema, table) for table in tables)):
            schema = table_of(schema).schema
        self._native.register_input(name, schema)

    def fit(self, definition: str, source: Any) -> Transform:
        """Fits a definition, ``CREATE TRANSFORM name AS SELECT .. FROM input`` or its query alone, on rows.

        ``source`` speaks the Arrow PyCapsule protocol, or is a text: the name of a table, a path in quotes or a query. Files are read
        as a stream, within the memory limit.

        >>> import hypostyle as hy
        >>> prices = hy.sql("SELECT (x * 10)::DOUBLE AS price FROM range(11) t(x)")
        >>> hy.Session().fit("SELECT min_max_scale(price) AS price FROM input", prices).row()(price=50.0)
        {'price': 0.5}

        Raises :class:`hypostyle.SqlError` for a text that is no such definition or source.
        """
        if isinstance(source, str):
            return Transform(self._native.fit(definition, source))
        with self._lent({FITTED_ROWS: source}):
            return Transform(self._native.fit(definition, FITTED_ROWS))

    def fit_partial(
        self, definition: str, source: Any, piece: int = 0, before: Sequence[FitState] = ()
    ) -> FitState:
        """Fits one piece of the rows, on any machine, as far as it goes without the others.

        ``piece`` is its number: where the order of rows matters, pieces with lesser numbers come first. Where analyzers stand inside analyzers,
        pieces are fitted once for each level, and ``before`` are all states of the levels before. :meth:`finish_fit` gives the bits
        of one fit over all rows.

        >>> import hypostyle as hy
        >>> session, definition = hy.Session(), "SELECT standard_scale(x) AS x FROM input"
        >>> pieces = ["(SELECT x FROM range(3) t(x))", "(SELECT 3::BIGINT AS x)"]
        >>> states = [session.fit_partial(definition, source, number) for number, source in enumerate(pieces)]
        >>> session.finish_fit(definition, states).parameters()["standard_scale"][0]["mean"]
        1.5
        """
        states = [state._native for state in before]
        if isinstance(source, str):
            return FitState(self._native.fit_partial(definition, source, piece, states))
        with self._lent({FITTED_ROWS: source}):
            return FitState(self._native.fit_partial(definition, FITTED_ROWS, piece, states))

    def cancel_fits(self) -> None:
        """Stops the fits that run in this session; whoever waits for one gets :class:`hypostyle.CancelledError`. Any thread may call it."""
        self._native.cancel_fits()

    def merge_fits(self, states: Sequence[FitState]) -> FitState:
        """Merges states of one level into one, as large as what is in all of them.

        Raises :class:`hypostyle.Error` for no state, and for states of different definitions, levels or releases.
        """
        return FitState(self._native.merge_fits([state._native for state in states]))

    def finish_fit(self, definition: str, states: Sequence[FitState]) -> Transform:
        """The transform that the states of all levels come to, with the bits of a fit over all their rows.

        Raises :class:`hypostyle.Error` for a level without states, which it names, and for states of another definition.
        """
        return Transform(self._native.finish_fit(definition, [state._native for state in states]))

    def transform(self, name: str) -> Transform:
        """The fitted transform of this name, as ``CREATE TRANSFORM`` and ``FIT TRANSFORM`` made it.

        Raises :class:`hypostyle.Error` for a name that is no transform's, or one that is not fitted.
        """
        return Transform(self._native.transform(name))

    def load(self, path: str | os.PathLike[str]) -> Transform:
        """Reads a transform from a file that :meth:`Transform.save` or ``EXPORT TRANSFORM`` wrote, and verifies it.

        Raises :class:`hypostyle.Error` for a file that is damaged, foreign or of a later release, or whose golden rows give
        other values here.
        """
        return Transform(self._native.load_transform(os.fspath(path)))

    def register_transform(self, name: str, transform: Transform) -> None:
        """Gives a transform a name in this session, under which SQL applies it: ``SELECT * FROM name('files')``."""
        self._native.register_transform(name, transform._native)

    def function(
        self,
        function: Callable[..., Any] | None = None,
        /,
        *,
        name: str | None = None,
        takes: Sequence[Any] | None = None,
        gives: Any = None,
        over: Over = "rows",
        nulls: bool | None = None,
        volatile: bool = False,
    ) -> Any:
        """Makes a Python function a scalar function of SQL; a decorator, with or without arguments.

        With ``over="rows"`` it is called with the values of each row, and types are read from its annotations: ``int`` is BIGINT, ``float``
        DOUBLE, ``str`` VARCHAR, ``list[float]`` DOUBLE[]. With ``"pyarrow"``, ``"numpy"`` or ``"columns"`` it is called with whole columns
        and gives one of the same length, which costs far less; ``takes`` and ``gives`` are SQL types, as text, or anything with
        ``__arrow_c_schema__``. Rows with a null argument are null without a call, unless ``nulls`` is true or an annotation allows
        ``None``. A ``volatile`` function is called for every row that is asked for; others may be folded and shared.

        It is called on the threads of queries, one at a time, since it needs the interpreter.

        >>> import hypostyle as hy
        >>> session = hy.Session()
        >>> @session.function
        ... def reversed_text(text: str) -> str:
        ...     return text[::-1]
        >>> session.sql("SELECT reversed_text('stressed') AS t").fetchone()
        ('desserts',)
        >>> @session.function(takes=["DOUBLE"], gives="DOUBLE", over="numpy")
        ... def halved(values):
        ...     return values / 2
        >>> session.sql("SELECT halved(x) AS h FROM range(3) t(x)").fetchall()
        [(0.0,), (0.5,), (1.0,)]

        Raises ``TypeError`` for types that are not known. What the function raises ends the query as a
        :class:`hypostyle.DataError` that names the function, the exception and its place, and whose ``__cause__`` is the exception.
        """
        return self._decorator(function, name, takes, gives, over, nulls, volatile, False)

    def aggregate(
        self,
        function: Callable[..., Any] | None = None,
        /,
        *,
        name: str | None = None,
        takes: Sequence[Any] | None = None,
        gives: Any = None,
        over: Over = "rows",
        nulls: bool | None = None,
    ) -> Any:
        """Makes a Python function an aggregate of SQL: called once for each group, with all its values in the order of the rows.

        It works with GROUP BY, FILTER, DISTINCT and windows, and spills; the values of a group must fit into memory. Arguments are as those of
        :meth:`function`; with ``over="rows"`` values come as lists, and annotations say so. A group without rows is null.

        >>> import hypostyle as hy
        >>> session = hy.Session()
        >>> @session.aggregate
        ... def spread(values: list[float]) -> float:
        ...     return max(values) - min(values)
        >>> session.sql("SELECT x % 2 AS k, spread(x) AS s FROM range(10) t(x) GROUP BY k ORDER BY k").fetchall()
        [(0, 8.0), (1, 8.0)]
        """
        return self._decorator(function, name, takes, gives, over, nulls, False, True)

    def _decorator(
        self,
        function: Callable[..., Any] | None,
        name: str | None,
        takes: Sequence[Any] | None,
        gives: Any,
        over: Over,
        nulls: bool | None,
        volatile: bool,
        aggregates: bool,
    ) -> Any:
        if function is None:
            return lambda function: self._decorator(function, name, takes, gives, over, nulls, volatile, aggregates)
        if over not in ("rows", "pyarrow", "numpy", "columns"):
            raise TypeError(f'over takes "rows", "pyarrow", "numpy" or "columns", not {over!r}')
        argument_types, result_type, nullable = types_of(function, takes, gives, over, aggregates)
        strict = not (nullable if nulls is None else nulls)
        called = over_columns(function, over, aggregates)
        self._native.register_function(
            name or function.__name__, argument_types, result_type, strict, volatile, aggregates, called
        )
        return function

    def unregister(self, name: str) -> None:
        """Forgets a table; queries that run go on. Raises :class:`hypostyle.UsageError` if there is none of that name."""
        if self._native.replace_table(name, None) is None:
            known = ", ".join(self.tables()) or "none"
            raise UsageError(f'no table "{name}"; there are: {known}')

    def tables(self) -> list[str]:
        """Names of all tables and views, sorted."""
        return self._native.table_names()

    def settings(self) -> dict[str, str]:
        """All settings with their values, as ``SHOW SETTINGS`` gives them."""
        return {name: value for name, value, _ in self._native.settings()}

    def set(self, name: str, value: Any) -> None:
        """Changes a setting, as ``SET name = value`` does; ``None`` puts it back to its default.

        Raises :class:`hypostyle.UsageError` for a name or a value that is none.
        """
        self._native.set(name, value)

    def __repr__(self) -> str:
        settings = self.settings()
        return f"Session(threads={settings['threads']}, memory_limit={settings['memory_limit']}, {len(self.tables())} tables)"


@lru_cache(maxsize=None)
def default_session() -> Session:
    """The session of :func:`sql` and :func:`register`, which the whole process shares."""
    return Session()


def sql(text: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None, /, **tables: Any) -> Result:
    """Runs SQL on the session that the process shares; see :meth:`Session.sql`.

    >>> import hypostyle as hy
    >>> hy.sql("SELECT upper($1) AS loud", ["hey"]).fetchone()
    ('HEY',)
    """
    return default_session().sql(text, parameters, **tables)


def register(name: str, data: Any) -> None:
    """Makes ``data`` a table of the session that the process shares; see :meth:`Session.register`."""
    default_session().register(name, data)
