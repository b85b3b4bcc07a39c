"""Hypostyle: a vectorized columnar engine for machine-learning transforms.

Features are written in SQL (DuckDB's dialect) over files and over anything that speaks Arrow; results are Arrow again.

>>> import hypostyle as hy
>>> hy.sql("SELECT x, x * x AS square FROM range(3) t(x)")
┌────────┬────────┐
│ x      │ square │
│ BIGINT │ BIGINT │
├────────┼────────┤
│      0 │      0 │
│      1 │      1 │
│      2 │      4 │
└────────┴────────┘
3 rows

:func:`sql` runs on a session that the process shares; a :class:`Session` of one's own has its own tables, functions,
threads and memory limit.
"""

from __future__ import annotations

from hypostyle._native import Batch, Column, Schema, __version__
from hypostyle.errors import (
    CancelledError,
    DataError,
    Error,
    InputError,
    InternalError,
    OutOfMemoryError,
    ResourceError,
    SqlError,
    UnsupportedError,
    UsageError,
)
from hypostyle.prepared import Prepared, RowEvaluator, Run
from hypostyle.result import Result
from hypostyle.session import Session, default_session, register, sql
from hypostyle.transform import FitState, Transform
from hypostyle.values import Interval

__all__ = [
    "Batch",
    "CancelledError",
    "Column",
    "DataError",
    "Error",
    "FitState",
    "InputError",
    "InternalError",
    "Interval",
    "OutOfMemoryError",
    "Prepared",
    "ResourceError",
    "Result",
    "RowEvaluator",
    "Run",
    "Schema",
    "Session",
    "SqlError",
    "Transform",
    "UnsupportedError",
    "UsageError",
    "__version__",
    "default_session",
    "register",
    "sql",
]
