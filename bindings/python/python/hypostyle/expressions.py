"""Expressions and queries built in Python, for those who prefer that to writing text. What is built is SQL text.

>>> from hypostyle.expressions import col, f, select, when
>>> features = select(
...     price=f.log1p(f.greatest(col("price"), 0)),
...     size=when(col("width") > 10).then("wide").otherwise("narrow"),
... )
>>> print(features)
SELECT log1p(greatest("price", 0)) AS "price", CASE WHEN ("width" > 10) THEN 'wide' ELSE 'narrow' END AS "size" FROM input
>>> import hypostyle as hy
>>> items = hy.sql("SELECT 0.0::DOUBLE AS price, 12 AS width").collect()
>>> hy.sql(str(features), input=items).fetchall()
[(0.0, 'wide')]
"""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["Expression", "Query", "col", "f", "literal", "select", "when"]


def quoted(name: str) -> str:
    """A name as SQL reads it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> Expression:
    """A Python value as a constant of SQL; an expression is itself.

    Raises ``TypeError`` for a value that has no SQL constant.
    """
    if isinstance(value, Expression):
        return value
    return Expression(_constant(value))


def _constant(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if value >= 0 else f"({value})"
    if isinstance(value, float):
        return f"{value!r}::DOUBLE" if math.isfinite(value) and value >= 0 else f"'{value}'::DOUBLE"
    if isinstance(value, decimal.Decimal):
        return f"({value:f})"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bytes):
        return "'" + "".join(f"\\x{byte:02X}" for byte in value) + "'::BLOB"
    if isinstance(value, datetime.datetime):
        return f"{'TIMESTAMP' if value.tzinfo is None else 'TIMESTAMPTZ'} '{value.isoformat(sep=' ')}'"
    if isinstance(value, datetime.date):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(str(literal(element)) for element in value) + "]"
    raise TypeError(f"a value of {type(value)} has no SQL constant")


@dataclass(frozen=True, eq=False)
class Expression:
    """A piece of SQL. Operators of Python make larger ones: ``+ - * / // % **``, comparisons, and ``& | ~`` for AND, OR, NOT.

    ``/`` divides as floats and ``//`` as whole numbers, as in SQL. ``==`` compares too, so expressions are not hashable.
    """

    sql: str

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.sql

    def __bool__(self) -> bool:
        raise TypeError("an expression has no truth value; join conditions with & and |, and negate them with ~")

    def _with(self, operator: str, other: Any, turned: bool = False) -> Expression:
        left, right = (literal(other), self) if turned else (self, literal(other))
        return Expression(f"({left} {operator} {right})")

    def __add__(self, other: Any) -> Expression:
        return self._with("+", other)

    def __radd__(self, other: Any) -> Expression:
        return self._with("+", other, True)

    def __sub__(self, other: Any) -> Expression:
        return self._with("-", other)

    def __rsub__(self, other: Any) -> Expression:
        return self._with("-", other, True)

    def __mul__(self, other: Any) -> Expression:
        return self._with("*", other)

    def __rmul__(self, other: Any) -> Expression:
        return self._with("*", other, True)

    def __truediv__(self, other: Any) -> Expression:
        return self._with("/", other)

    def __rtruediv__(self, other: Any) -> Expression:
        return self._with("/", other, True)

    def __floordiv__(self, other: Any) -> Expression:
        return self._with("//", other)

    def __rfloordiv__(self, other: Any) -> Expression:
        return self._with("//", other, True)

    def __mod__(self, other: Any) -> Expression:
        return self._with("%", other)

    def __rmod__(self, other: Any) -> Expression:
        return self._with("%", other, True)

    def __pow__(self, other: Any) -> Expression:
        return Expression(f"pow({self}, {literal(other)})")

    def __neg__(self) -> Expression:
        return Expression(f"(-{self})")

    def __eq__(self, other: object) -> Expression:  # type: ignore[override]
        return self._with("=", other)

    def __ne__(self, other: object) -> Expression:  # type: ignore[override]
        return self._with("<>", other)

    def __lt__(self, other: Any) -> Expression:
        return self._with("<", other)

    def __le__(self, other: Any) -> Expression:
        return self._with("<=", other)

    def __gt__(self, other: Any) -> Expression:
        return self._with(">", other)

    def __ge__(self, other: Any) -> Expression:
        return self._with(">=", other)

    def __and__(self, other: Any) -> Expression:
        return self._with("AND", other)

    def __or__(self, other: Any) -> Expression:
        return self._with("OR", other)

    def __invert__(self) -> Expression:
        return Expression(f"(NOT {self})")

    def is_null(self) -> Expression:
        """True where the value is null."""
        return Expression(f"({self} IS NULL)")

    def is_not_null(self) -> Expression:
        """True where the value is not null."""
        return Expression(f"({self} IS NOT NULL)")

    def is_in(self, values: Sequence[Any]) -> Expression:
        """True where the value is one of these."""
        return Expression(f"({self} IN ({', '.join(str(literal(value)) for value in values)}))") if values else literal(False)

    def cast(self, type_name: str) -> Expression:
        """The value as another SQL type; an error where it does not fit."""
        return Expression(f"CAST({self} AS {type_name})")

    def over(self, *, partition_by: Sequence[Any] = (), order_by: Sequence[Any] = ()) -> Expression:
        """The aggregate or window function over the rows of a window; columns are named by text or expressions."""
        parts = []
        if partition_by:
            parts.append("PARTITION BY " + _list(partition_by))
        if order_by:
            parts.append("ORDER BY " + _list(order_by))
        return Expression(f"{self} OVER ({' '.join(parts)})")

    def desc(self) -> Expression:
        """Descending, for ``order_by``."""
        return Expression(f"{self} DESC")


def col(name: str) -> Expression:
    """A column."""
    return Expression(quoted(name))


class _Functions:
    """Functions of SQL by name: ``f.log1p(col("x"))``, with options by keyword: ``f.vocab_encode(col("city"), min_count=5)``."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*arguments: Any, **options: Any) -> Expression:
            given = [str(literal(argument)) for argument in arguments]
            given += [f"{option} => {literal(value)}" for option, value in options.items()]
            return Expression(f"{name}({', '.join(given)})")

        return call


#: Functions of SQL by name.
f = _Functions()


@dataclass(frozen=True)
class _Branches:
    """CASE with a condition that waits for its value, or without an ELSE yet."""

    sql: str

    def then(self, value: Any) -> Expression:
        """The value where the condition is true; null elsewhere, unless ``when`` or ``otherwise`` follow."""
        return _Case(f"{self.sql} THEN {literal(value)}")


class _Case(Expression):
    """CASE with values for all its conditions."""

    def __str__(self) -> str:
        return f"{self.sql} END"

    def when(self, condition: Expression) -> _Branches:
        """The next condition, asked where those before are not true."""
        return _Branches(f"{self.sql} WHEN {condition}")

    def otherwise(self, value: Any) -> Expression:
        """The value where no condition is true."""
        return Expression(f"{self.sql} ELSE {literal(value)} END")


def when(condition: Expression) -> _Branches:
    """Begins a CASE: ``when(col("x") > 1).then("large").otherwise("small")``."""
    return _Branches(f"CASE WHEN {condition}")


def _list(values: Sequence[Any]) -> str:
    return ", ".join(str(col(value) if isinstance(value, str) else literal(value)) for value in values)


@dataclass(frozen=True)
class Query:
    """A query of one table; made by :func:`select`. Its text, ``str(query)``, is what sessions run and fit."""

    outputs: tuple[str, ...]
    table: str = "input"
    conditions: tuple[str, ...] = ()
    groups: str = ""
    order: str = ""
    rows: int | None = None

    def from_(self, table: str) -> Query:
        """The same query of another table, given as SQL: a name, or a path in quotes."""
        return replace(self, table=table)

    def where(self, *conditions: Expression) -> Query:
        """Only the rows for which all conditions are true."""
        return replace(self, conditions=(*self.conditions, *map(str, conditions)))

    def group_by(self, *keys: Any) -> Query:
        """One row for each group; keys are names or expressions."""
        return replace(self, groups=_list(keys))

    def order_by(self, *keys: Any) -> Query:
        """Rows in this order; keys are names or expressions, ``col("x").desc()`` among them."""
        return replace(self, order=_list(keys))

    def limit(self, rows: int) -> Query:
        """No more than so many rows."""
        return replace(self, rows=rows)

    def __str__(self) -> str:
        text = f"SELECT {', '.join(self.outputs)} FROM {self.table}"
        if self.conditions:
            text += f" WHERE {' AND '.join(self.conditions)}"
        if self.groups:
            text += f" GROUP BY {self.groups}"
        if self.order:
            text += f" ORDER BY {self.order}"
        return text if self.rows is None else f"{text} LIMIT {self.rows}"


def select(*outputs: Any, **named: Any) -> Query:
    """A query of ``input``: columns by name or expressions, and expressions with the names that they get."""
    columns = [str(col(output) if isinstance(output, str) else literal(output)) for output in outputs]
    columns += [f"{literal(value)} AS {quoted(name)}" for name, value in named.items()]
    if not columns:
        raise TypeError("select needs at least one output")
    return Query(tuple(columns))
