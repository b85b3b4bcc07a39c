"""Rows of files, tables and queries in batches of one size, for training: sharded, shuffled with a seed, and resumable. Needs no
other package.

:mod:`hypostyle.torch` makes tensors of the batches.
"""

from __future__ import annotations

import glob
import os
import random
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from hypostyle._native import Batch, Table
from hypostyle.datasets import is_dataset
from hypostyle.errors import UsageError
from hypostyle.session import Session
from hypostyle.tables import table_of
from hypostyle.transform import Transform

__all__ = ["Loader", "Part", "parts_of"]

#: Name of rows in memory in the sessions of loaders.
ROWS_IN_MEMORY = "source_rows"


@dataclass(frozen=True)
class Part:
    """Consecutive rows of a file or table that are read together: a row group of Parquet, a stretch of a table, a whole file."""

    source: str
    start: int | None = None
    rows: int | None = None

    @property
    def sql(self) -> str:
        """The rows as a query."""
        limit = "" if self.rows is None else f" LIMIT {self.rows} OFFSET {self.start or 0}"
        return f"SELECT * FROM {self.source}{limit}"

    def divided(self, session: Session, pieces: int) -> list[Part]:
        """The same rows in so many parts of about one size, or fewer where there are fewer rows."""
        rows = self.rows
        if rows is None:
            (rows,) = session.sql(f"SELECT count(*) AS n FROM {self.source}").fetchone() or (0,)
        borders = [rows * piece // pieces for piece in range(pieces + 1)]
        stretches = zip(borders, borders[1:], strict=False)
        return [Part(self.source, (self.start or 0) + start, end - start) for start, end in stretches if end > start]


def parts_of(session: Session, files: Sequence[str]) -> list[Part]:
    """The parts of files, in order; patterns are sorted by name. Parquet files are cut at their row groups.

    Raises :class:`hypostyle.UsageError` for a pattern that matches nothing.
    """
    parts: list[Part] = []
    for pattern in files:
        paths = sorted(glob.glob(pattern, recursive=True)) if glob.has_magic(pattern) else [pattern]
        if not paths:
            raise UsageError(f'no file matches "{pattern}"')
        parts.extend(part for path in paths for part in _parts_of_file(session, path))
    return parts


def _parts_of_file(session: Session, path: str) -> list[Part]:
    quoted = _quoted(path)
    if not path.endswith(".parquet"):
        return [Part(quoted)]
    groups = f"SELECT DISTINCT row_group_id AS id, row_group_num_rows AS n FROM parquet_metadata({quoted}) ORDER BY id"
    found = session.sql(groups).fetchall()
    return [Part(f"read_parquet({quoted}, row_groups => [{group}])", 0, rows) for group, rows in found]


@dataclass(eq=False)
class Loader:
    """Batches of ``batch_size`` rows of files, a query or a table, the same for the same seed, epoch, shard and state.

    ``source`` is a path, a pattern or a list of them; or a query in parentheses, as ``"(SELECT .. FROM 'a.parquet' JOIN 'b.parquet' USING
    (id))"``, which runs once, into a temporary file; or rows that speak Arrow, which are cut into stretches of ``part_rows``.
    ``features`` is a query over ``input`` or a fitted :class:`hypostyle.Transform`; it is applied part by part, so it may compute and
    filter, but not group over all rows. A part is a row group of a Parquet file, or another file as a whole.

    Parts are dealt out to ``shards`` readers, of which this is number ``shard``; where there are fewer parts than readers, they are divided.
    With ``shuffle`` the parts are dealt in an order that depends on ``seed`` and ``epoch``, and rows are shuffled among ``mixed_parts``
    parts at a time. The last batch of an epoch may be smaller, or is left out with ``drop_last``. While a batch is used the next parts
    are read in the background.

    An iterator gives the rows of one epoch, and the one after it those of the next; an iterator that is given up half-way does not count.
    :meth:`state_dict` says where the last iterator is; that of a loader with the same settings goes on from there after
    :meth:`load_state_dict`, to the end of the epoch. A pickled loader whose rows are in memory leaves them in a temporary file for its copies,
    on the same machine and as long as it lives.

    >>> import hypostyle as hy
    >>> loader = Loader(hy.sql("SELECT x FROM range(5) t(x)"), "SELECT x * 2 AS y FROM input", batch_size=2)
    >>> [batch.rows() for batch in loader]
    [[(0,), (2,)], [(4,), (6,)], [(8,)]]
    """

    source: Any
    features: str | Transform | None = None
    batch_size: int = 1024
    shuffle: bool = False
    seed: int = 0
    epoch: int = 0
    shard: int = 0
    shards: int = 1
    mixed_parts: int = 4
    part_rows: int = 65_536
    drop_last: bool = False
    threads: int = 1
    prefetch: bool = True
    _group: int = field(default=0, init=False, repr=False)
    _row: int = field(default=0, init=False, repr=False)
    #: Where the next iterator begins, if that is not the beginning of the epoch.
    _resumed: tuple[int, int] | None = field(default=None, init=False, repr=False)
    _rows: Table | None = field(default=None, init=False, repr=False)
    _file: str | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("batch_size", "shards", "mixed_parts", "part_rows", "threads"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is at least 1, not {getattr(self, name)}")
        if not 0 <= self.shard < self.shards:
            raise UsageError(f"shard is a number from 0 to {self.shards - 1}, not {self.shard}")
        source = self.source
        if isinstance(source, str) and source.startswith("(") and source.endswith(")"):
            self._file = self._written(Session(threads=self.threads), source)
        elif is_dataset(source):
            session = Session(threads=self.threads)
            session.register(ROWS_IN_MEMORY, source)
            self._file = self._written(session, ROWS_IN_MEMORY)
        elif not isinstance(source, (str, os.PathLike, list, tuple)):
            self._rows = table_of(source)

    def __getstate__(self) -> dict[str, Any]:
        if self._rows is not None and self._file is None:
            session = Session(threads=self.threads)
            session.register(ROWS_IN_MEMORY, self._rows)
            self._file = self._written(session, ROWS_IN_MEMORY)
        rows_elsewhere = {} if self._file is None else {"source": None, "_rows": None}
        return {**self.__dict__, **rows_elsewhere}

    def state_dict(self) -> dict[str, int]:
        """Where the reader is: the epoch, the group of parts, and the rows of it that have been handed out."""
        return {"epoch": self.epoch, "group": self._group, "row": self._row}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Goes on from a state of a loader with the same settings, at the batch after the last that was handed out."""
        self.epoch, self._group, self._row = state["epoch"], state["group"], state["row"]
        self._resumed = self._group, self._row

    def __iter__(self) -> Iterator[Batch]:
        """The batches that are left of the epoch; at its end the next epoch begins."""
        group, row = self._resumed or (0, 0)
        self._resumed = None
        self._group, self._row = group, row
        return self._batches(self.epoch, group, row)

    def _batches(self, epoch: int, group: int, row: int) -> Iterator[Batch]:
        """The batches of an epoch from a row of a group on."""
        session = Session(threads=self.threads)
        features = self.features
        if isinstance(features, Transform):
            # Threads of the session it came with may be those of another process.
            features = features.in_session(session)
        groups = self._groups(session, epoch)
        waiting: list[Batch] = []

        def read(group: int) -> Batch:
            return self._read(session, features, groups[group], epoch, group)

        with ThreadPoolExecutor(1, thread_name_prefix="hypostyle-loader") as background:
            following: Future[Batch] | None = None
            while group < len(groups):
                rows = following.result() if following else read(group)
                more = self.prefetch and group + 1 < len(groups)
                following = background.submit(read, group + 1) if more else None
                while rows.num_rows - row >= self.batch_size - _count(waiting):
                    wanted = self.batch_size - _count(waiting)
                    batch = _joined([*waiting, rows.slice(row, wanted)])
                    waiting = []
                    row += wanted
                    self._group, self._row = group, row
                    yield batch
                waiting.append(rows.slice(row))
                group, row = group + 1, 0
        if _count(waiting) and not self.drop_last:
            self._group, self._row = group, 0
            yield _joined(waiting)
        self.epoch, self._group, self._row = epoch + 1, 0, 0

    def _groups(self, session: Session, epoch: int) -> list[list[Part]]:
        """The parts of this shard in the order of the epoch, those together whose rows are mixed."""
        parts = self._parts(session)
        if parts and len(parts) < self.shards:
            pieces = -(-self.shards // len(parts))
            parts = [piece for part in parts for piece in part.divided(session, pieces)]
        if self.shuffle:
            random.Random(f"{self.seed} {epoch}").shuffle(parts)
        own = parts[self.shard :: self.shards]
        together = self.mixed_parts if self.shuffle else 1
        return [own[start : start + together] for start in range(0, len(own), together)]

    def _parts(self, session: Session) -> list[Part]:
        if self._file is not None:
            return _parts_of_file(session, self._file)
        if self._rows is not None:
            session.register(ROWS_IN_MEMORY, self._rows)
            (count,) = session.sql(f"SELECT count(*) AS n FROM {ROWS_IN_MEMORY}").fetchone() or (0,)
            starts = range(0, count, self.part_rows)
            return [Part(ROWS_IN_MEMORY, start, min(self.part_rows, count - start)) for start in starts]
        single = isinstance(self.source, (str, os.PathLike))
        return parts_of(session, [os.fspath(path) for path in ([self.source] if single else self.source)])

    def _written(self, session: Session, rows: str) -> str:
        """The path of a temporary file with rows, which goes away with the loader."""
        folder = tempfile.mkdtemp(prefix="hypostyle-loader-")
        weakref.finalize(self, _remove, folder, os.getpid())
        path = os.path.join(folder, "rows.parquet")
        session.sql(f"COPY (SELECT * FROM {rows}) TO {_quoted(path)} (ROW_GROUP_SIZE {self.part_rows})")
        return path

    def _read(
        self, session: Session, features: str | Transform | None, parts: list[Part], epoch: int, group: int
    ) -> Batch:
        """The features of a group's rows, in the order in which they are handed out."""
        rows = _joined([_features(session, features, part) for part in parts])
        if not self.shuffle:
            return rows
        return rows.shuffled(random.Random(f"{self.seed} {epoch} {self.shard}/{self.shards} {group}").getrandbits(64))


def _features(session: Session, features: str | Transform | None, part: Part) -> Batch:
    """The features of the rows of a part."""
    if features is None:
        return session.sql(part.sql)._one_batch()
    if isinstance(features, Transform):
        return features.transform(f"({part.sql})")._one_batch()
    session.sql(f"CREATE OR REPLACE VIEW input AS {part.sql}")
    return session.sql(features)._one_batch()


def _quoted(path: str) -> str:
    return "'" + path.replace("'", "''") + "'"


def _remove(folder: str, owner: int) -> None:
    """Removes a folder, in the process that made it: others are forked with the loader."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def _count(batches: list[Batch]) -> int:
    return sum(batch.num_rows for batch in batches)


def _joined(batches: list[Batch]) -> Batch:
    """The rows of batches as one, which is copied unless only one has rows."""
    full = [batch for batch in batches if batch.num_rows] or batches[:1]
    return full[0] if len(full) == 1 else Batch.concat(full)
