"""Functions of Python in SQL: scalar functions and aggregates, over rows or over whole columns."""

from __future__ import annotations

import datetime
import decimal
import inspect
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any, Literal

from hypostyle._native import Column
from hypostyle.values import Interval

__all__ = ["Over", "over_columns", "sql_type", "types_of"]

#: What a function is called with: single values, or columns as pyarrow arrays, NumPy arrays or columns of this package.
Over = Literal["rows", "pyarrow", "numpy", "columns"]

#: SQL types of Python's types.
SQL_TYPES: dict[Any, str] = {
    bool: "BOOLEAN",
    int: "BIGINT",
    float: "DOUBLE",
    str: "VARCHAR",
    bytes: "BLOB",
    datetime.date: "DATE",
    datetime.time: "TIME",
    datetime.datetime: "TIMESTAMP",
    datetime.timedelta: "INTERVAL",
    Interval: "INTERVAL",
    decimal.Decimal: "DECIMAL(38, 9)",
}


def _without_none(annotation: Any) -> tuple[Any, bool]:
    """The type, and whether ``None`` is allowed beside it."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        parts = [part for part in typing.get_args(annotation) if part is not type(None)]
        if len(parts) == 1:
            return parts[0], len(typing.get_args(annotation)) > 1
    return annotation, False


def sql_type(annotation: Any, what: str) -> str:
    """The SQL type of an annotation: ``int`` is BIGINT, ``list[float]`` is DOUBLE[].

    Raises ``TypeError`` for a type that has none; ``what`` says where it stands.
    """
    annotation, _ = _without_none(annotation)
    if annotation in SQL_TYPES:
        return SQL_TYPES[annotation]
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is list and len(arguments) == 1:
        return sql_type(arguments[0], what) + "[]"
    if typing.get_origin(annotation) is dict and len(arguments) == 2:
        return f"MAP({sql_type(arguments[0], what)}, {sql_type(arguments[1], what)})"
    raise TypeError(f"{what} has no SQL type: {annotation!r}; give the types with takes=[...] and gives=...")


def types_of(
    function: Callable[..., Any], takes: Sequence[Any] | None, gives: Any, over: Over, aggregates: bool
) -> tuple[list[Any], Any, bool]:
    """SQL types of the arguments and of the result, and whether annotations allow a null argument.

    Types that are not given are read from the annotations of a function over rows; those of an aggregate are lists.
    """
    name = getattr(function, "__name__", "function")
    if takes is not None and gives is not None:
        return list(takes), gives, False
    if over != "rows":
        raise TypeError(f"{name}: a function over columns needs takes=[...] and gives=...")
    hints = typing.get_type_hints(function)
    parameters = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    nullable = False
    found = []
    for parameter in parameters:
        what = f'{name}: argument "{parameter.name}"'
        if parameter.name not in hints:
            if takes is None:
                raise TypeError(f"{what} has no annotation; give the types with takes=[...] and gives=...")
            continue
        annotation = hints[parameter.name]
        if aggregates:
            if typing.get_origin(annotation) is not list:
                raise TypeError(f"{what} of an aggregate is the list of a group's values, such as list[float]")
            (annotation,) = typing.get_args(annotation)
        nullable |= _without_none(annotation)[1]
        found.append(sql_type(annotation, what))
    if gives is None:
        if "return" not in hints:
            raise TypeError(f"{name}: the result has no annotation; give its type with gives=...")
        gives = sql_type(hints["return"], f"{name}: the result")
    return (found if takes is None else list(takes)), gives, nullable


def _given(column: Column, over: Over) -> Any:
    """A column in the form that the function wants."""
    if over == "columns":
        return column
    if over == "pyarrow":
        import pyarrow

        return pyarrow.array(column)
    if over == "numpy":
        from hypostyle.arrays import column_to_numpy

        return column_to_numpy(column)
    return column.to_pylist()


def _taken(values: Any) -> Any:
    """Arrays of NumPy as something that the native module takes."""
    if type(values).__module__ == "numpy":
        if values.dtype.kind in "biuf" and values.ndim == 1:
            try:
                import pyarrow
            except ImportError:
                return values.tolist()
            return pyarrow.array(values)
        return values.tolist()
    return values


def over_columns(
    function: Callable[..., Any], over: Over, aggregates: bool
) -> Callable[[tuple[Column, ...], int], Any]:
    """The function as the native module calls it: with columns and the number of rows."""

    def rows(columns: tuple[Column, ...], count: int) -> Any:
        values = [column.to_pylist() for column in columns]
        return [function(*row) for row in zip(*values, strict=True)] if values else [function() for _ in range(count)]

    def whole(columns: tuple[Column, ...], count: int) -> Any:
        return _taken(function(*[_given(column, over) for column in columns]))

    def one(columns: tuple[Column, ...], count: int) -> Any:
        value = function(*[_given(column, over) for column in columns])
        return [value.as_py() if hasattr(value, "as_py") else value]

    if aggregates:
        return one
    return rows if over == "rows" else whole
