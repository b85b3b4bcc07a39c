"""What can go wrong. Every exception of this package is an :class:`Error`.

The message says where, what was wrong and what would be right; for errors in a SQL text it shows the line with carets
under the place. ``except hy.Error`` catches all of them.
"""

from __future__ import annotations

__all__ = [
    "CancelledError",
    "DataError",
    "Error",
    "InputError",
    "InternalError",
    "OutOfMemoryError",
    "ResourceError",
    "SqlError",
    "UnsupportedError",
    "UsageError",
]


class Error(Exception):
    """Base of all exceptions of this package.

    ``line`` and ``column`` count from 1 and say where in the SQL text the fault begins; they are ``None`` where no
    place in a text is at fault.
    """

    line: int | None = None
    column: int | None = None


class SqlError(Error):
    """The SQL text is at fault: its syntax, a name, a type."""


class UnsupportedError(SqlError):
    """SQL, a type or a form that the engine does not have."""


class DataError(Error, ValueError):
    """A value is at fault: a cast that fails, an overflow, an argument that a function refuses."""


class InputError(Error):
    """A file, a stream or a table could not be read or written."""


class ResourceError(Error):
    """Disk, time or another resource ran out."""


class OutOfMemoryError(ResourceError, MemoryError):
    """The memory limit is reached and nothing is left to spill; the message says who holds what."""


class CancelledError(Error):
    """The run was stopped by :meth:`Result.cancel` or :meth:`Session.cancel_fits`."""


class UsageError(Error, ValueError):
    """A request to a session or a result is at fault: an unknown name, a wrong number of parameters."""


class InternalError(Error):
    """A bug of this project. Please report it."""
