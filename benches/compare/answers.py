"""Whether two engines gave the same answer."""

import datetime
import decimal
import hashlib
import math

import pyarrow as pa

# Sums of floats differ in their last digits with the order of additions, which no engine promises.
RELATIVE_TOLERANCE = 1e-9


def rows_of(path):
    """Rows of an Arrow file as Python values, sorted: the order of equal rows is no part of an answer."""
    with pa.memory_map(str(path)) as file:
        table = pa.ipc.open_file(file).read_all()
    columns = [[plain(value) for value in column.to_pylist()] for column in table.columns]
    return sorted(zip(*columns), key=lambda row: [(value is None, str(value)) for value in row])


def plain(value):
    """A value without its engine's choice of type: 2, 2.0 and DECIMAL 2.00 are one number."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float, decimal.Decimal)):
        number = decimal.Decimal(repr(value)) if isinstance(value, float) else decimal.Decimal(value)
        return number.normalize() if number.is_finite() else number
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=None).isoformat()
    return str(value)


def digest(rows):
    """A short name for an answer."""
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:12]


def difference(ours, theirs):
    """What differs between two sorted answers, or None."""
    if len(ours) != len(theirs):
        return f"{len(ours)} rows and {len(theirs)} rows"
    if digest(ours) == digest(theirs):
        return None
    for left, right in zip(ours, theirs):
        if len(left) != len(right) or not all(map(same, left, right)):
            return f"{left} and {right}"
    return None


def same(left, right):
    numbers = isinstance(left, decimal.Decimal) and isinstance(right, decimal.Decimal)
    if numbers and not (left.is_nan() or right.is_nan()):
        return math.isclose(left, right, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-12)
    return str(left) == str(right)
