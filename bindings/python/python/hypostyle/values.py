"""Values that Python has no type for."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Interval"]


class Interval(NamedTuple):
    """An INTERVAL: months, days and nanoseconds, which do not convert into one another.

    >>> import hypostyle as hy
    >>> hy.sql("SELECT INTERVAL '1 month 2 days' AS x").fetchone()
    (Interval(months=1, days=2, nanoseconds=0),)
    """

    months: int
    days: int
    nanoseconds: int
