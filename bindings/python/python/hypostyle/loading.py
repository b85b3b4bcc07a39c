"""Rows of files in batches of one size, for training: sharded, shuffled with a seed, and resumable. Needs no other package.

:mod:`hypostyle.torch` makes tensors of the batches.
"""

from __future__ import annotations

import glob
import os
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from hypostyle._native import Batch
from hypostyle.errors import UsageError
from hypostyle.session import Session
from hypostyle.transform import Transform

__all__ = ["Loader", "Part", "parts_of"]


@dataclass(frozen=True)
class Part:
    """Consecutive rows of a file or table that are read together: a row group of Parquet, a stretch of a table, a whole file."""

    source: str
    start: int | None = None
    rows: int | None = None

    @property
    def sql(self) -> str:
        """The rows as a query."""
        limit = "" if self.rows is None else f" LIMIT {self.rows} OFFSET {self.start}"
        return f"SELECT * FROM {self.source}{limit}"


def parts_of(session: Session, files: Sequence[str]) -> list[Part]:
    """The parts of files, in order; patterns are sorted by name. Parquet files are cut at their row groups.

    Raises :class:`hypostyle.UsageError` for a pattern that matches nothing.
    """
    parts: list[Part] = []
    for pattern in files:
        paths = sorted(glob.glob(pattern, recursive=True)) if glob.has_magic(pattern) else [pattern]
        if not paths:
            raise UsageError(f'no file matches "{pattern}"')
        for path in paths:
            quoted = "'" + path.replace("'", "''") + "'"
            if not path.endswith(".parquet"):
                parts.append(Part(quoted))
                continue
            groups = f"SELECT DISTINCT row_group_id AS id, row_group_num_rows AS n FROM parquet_metadata({quoted}) ORDER BY id"
            start = 0
            for _, rows in session.sql(groups).fetchall():
                parts.append(Part(quoted, start, rows))
                start += rows
    return parts


@dataclass
class Loader:
    """Batches of ``batch_size`` rows of files or a table, the same for the same seed, epoch, shard and state.

    ``source`` is a path, a pattern or a list of them, or rows that speak Arrow, which are cut into stretches of ``part_rows``.
    ``features`` is a query over ``input`` or a fitted :class:`hypostyle.Transform`; it is applied part by part, so it may compute and
    filter, but not group over all rows. A part is a row group of a Parquet file, or another file as a whole.

    Parts are dealt out to ``shards`` readers, of which this is number ``shard``. With ``shuffle`` the parts are dealt in an order that
    depends on ``seed`` and ``epoch``, and rows are shuffled among ``mixed_parts`` parts at a time. The last batch of an epoch may be
    smaller, or is left out with ``drop_last``. While a batch is used the next parts are read in the background.

    :meth:`state_dict` says where the reader is; a loader with the same settings goes on from there with :meth:`load_state_dict`.

    >>> import hypostyle as hy
    >>> loader = Loader(hy.sql("SELECT x FROM range(5) t(x)").collect(), "SELECT x * 2 AS y FROM input", batch_size=2)
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
    _group: int = field(default=0, repr=False)
    _row: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        for name in ("batch_size", "shards", "mixed_parts", "part_rows", "threads"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is at least 1, not {getattr(self, name)}")
        if not 0 <= self.shard < self.shards:
            raise UsageError(f"shard is a number from 0 to {self.shards - 1}, not {self.shard}")

    def state_dict(self) -> dict[str, int]:
        """Where the reader is: the epoch, the group of parts, and the rows of it that have been handed out."""
        return {"epoch": self.epoch, "group": self._group, "row": self._row}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Goes on from a state of a loader with the same settings, at the batch after the last that was handed out."""
        self.epoch, self._group, self._row = state["epoch"], state["group"], state["row"]

    def __iter__(self) -> Iterator[Batch]:
        """The batches that are left of the epoch; at its end the next epoch begins."""
        session = Session(threads=self.threads)
        groups = self._groups(session)
        waiting: list[Batch] = []
        with ThreadPoolExecutor(1, thread_name_prefix="hypostyle-loader") as background:
            following: Future[Batch] | None = None
            while self._group < len(groups):
                group = self._group
                rows = following.result() if following else self._read(session, groups, group)
                following = (
                    background.submit(self._read, session, groups, group + 1)
                    if self.prefetch and group + 1 < len(groups)
                    else None
                )
                while rows.num_rows - self._row >= self.batch_size - _count(waiting):
                    wanted = self.batch_size - _count(waiting)
                    batch = _joined([*waiting, rows.slice(self._row, wanted)])
                    waiting = []
                    self._row += wanted
                    yield batch
                waiting.append(rows.slice(self._row))
                self._group, self._row = group + 1, 0
        self.epoch, self._group, self._row = self.epoch + 1, 0, 0
        if _count(waiting) and not self.drop_last:
            yield _joined(waiting)

    def _groups(self, session: Session) -> list[list[Part]]:
        """The parts of this shard in the order of the epoch, those together whose rows are mixed."""
        if hasattr(self.source, "__arrow_c_stream__") or hasattr(self.source, "__arrow_c_array__"):
            session.register("source_rows", self.source)
            (count,) = session.sql("SELECT count(*) AS n FROM source_rows").fetchone() or (0,)
            parts = [Part("source_rows", start, self.part_rows) for start in range(0, count, self.part_rows)]
        else:
            single = isinstance(self.source, (str, os.PathLike))
            parts = parts_of(session, [os.fspath(path) for path in ([self.source] if single else self.source)])
        if self.shuffle:
            random.Random(f"{self.seed} {self.epoch}").shuffle(parts)
        own = parts[self.shard :: self.shards]
        together = self.mixed_parts if self.shuffle else 1
        return [own[start : start + together] for start in range(0, len(own), together)]

    def _read(self, session: Session, groups: list[list[Part]], group: int) -> Batch:
        """The features of a group's rows, in the order in which they are handed out."""
        rows = _joined([self._features(session, part) for part in groups[group]])
        if not self.shuffle:
            return rows
        order = list(range(rows.num_rows))
        random.Random(f"{self.seed} {self.epoch} {self.shard}/{self.shards} {group}").shuffle(order)
        return rows.take(order)

    def _features(self, session: Session, part: Part) -> Batch:
        if isinstance(self.features, Transform):
            if part.source == "source_rows":
                return self.features.transform(session.sql(part.sql))._one_batch()
            return self.features.transform(f"({part.sql})")._one_batch()
        if self.features is None:
            return session.sql(part.sql)._one_batch()
        session.sql(f"CREATE OR REPLACE VIEW input AS {part.sql}")
        return session.sql(self.features)._one_batch()


def _count(batches: list[Batch]) -> int:
    return sum(batch.num_rows for batch in batches)


def _joined(batches: list[Batch]) -> Batch:
    """The rows of batches as one, which is copied unless only one has rows."""
    full = [batch for batch in batches if batch.num_rows] or batches[:1]
    return full[0] if len(full) == 1 else Batch.concat(full)
