"""Queries that are built in Python give what their text says."""

from __future__ import annotations

import datetime
import decimal

import pyarrow
import pytest

import hypostyle as hy
from hypostyle.expressions import col, f, literal, select, when

TABLE = pyarrow.table({"x": [1, 2, None, 4], "odd \"name\"": ["a", "b'c", None, "d"]})


def run(query: object) -> list[tuple[object, ...]]:
    return hy.sql(str(query), input=TABLE).fetchall()


@pytest.mark.parametrize(
    "value",
    [None, True, 1, -3, 1.5, -2.5, float("inf"), 1e300, "it's", "", b"\x00'\xff", datetime.date(1960, 2, 3),
     datetime.datetime(2020, 1, 2, 3, 4, 5, 6), decimal.Decimal("-1.50"), [1, 2], ["a", None]],
)
def test_constants_are_their_values(value: object) -> None:
    (found,) = run(select(y=literal(value)).limit(1))[0]
    assert found == value and (value is None or type(found) is type(value))


def test_operators_are_those_of_sql() -> None:
    x = col("x")
    outputs = {
        "a": (x + 1, 3), "b": (10 - x, 8), "c": (2 * x, 4), "d": (x / 4, 0.5), "e": ((x + 5) // x, 3),
        "g": (x % 2, 0), "h": (x**3, 8.0), "i": (-x, -2), "j": (x == 2, True), "k": (x != 2, False),
        "l": ((x > 1) & (x < 3), True), "m": ((x > 5) | ~(x <= 1), True), "n": (x.is_in([2, 3]), True),
        "o": (x.is_null(), False), "p": (x.is_not_null(), True), "q": (x.cast("VARCHAR"), "2"), "r": (1 / x, 0.5), "s": (x.is_in([]), False),
        "t": (1 + x, 3), "u": (x >= 2, True), "v": (x - 1, 1), "w": (7 // x, 3), "y": (7 % x, 1),
    }
    query = select(**{name: expression for name, (expression, _) in outputs.items()}).where(x == 2)
    assert run(query) == [tuple(expected for _, expected in outputs.values())]


def test_queries_have_all_their_parts() -> None:
    name = col('odd "name"')
    query = select("x", name).where(col("x").is_not_null(), col("x") < 4).order_by(col("x").desc()).limit(1)
    assert run(query) == [(2, "b'c")]
    grouped = select(k=col("x") % 2, n=f.count(col("x"))).group_by(col("x") % 2).order_by("k")
    assert run(grouped) == [(0, 2), (1, 1), (None, 0)]
    assert run(select(s=f.sum(col("x")).over(order_by=["x"]))) == [(1,), (3,), (7,), (7,)]
    assert run(select(s=f.count(col("x")).over(partition_by=[col("x").is_null()]))) == [(3,), (3,), (0,), (3,)]
    assert hy.sql(str(select("y").from_("(SELECT 1 AS y)"))).fetchall() == [(1,)]


def test_cases_take_the_first_true_branch() -> None:
    x = col("x")
    size = when(x > 3).then("large").when(x > 1).then("middle")
    assert run(select(a=size, b=size.otherwise("small"))) == [(None, "small"), ("middle", "middle"), (None, "small"), ("large", "large")]


def test_definitions_are_fitted() -> None:
    definition = select(x=f.standard_scale(col("x")), v=f.vocab_encode(col('odd "name"'), min_count=1))
    fitted = hy.Session().fit(str(definition), TABLE)
    assert fitted.outputs.names == ["x", "v"]


def test_misuse_is_refused() -> None:
    with pytest.raises(TypeError, match="no truth value"):
        bool(col("x") > 1 and col("x") < 2)
    with pytest.raises(TypeError, match="no SQL constant"):
        literal(object())
    with pytest.raises(TypeError, match="at least one"):
        select()
