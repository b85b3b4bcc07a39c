"""Rows of files, tables and queries as tensors for training with PyTorch. Needs torch.

>>> import hypostyle as hy, torch
>>> dataset = Dataset(hy.sql("SELECT x FROM range(4) t(x)"), "SELECT x * 0.5::FLOAT AS half FROM input", batch_size=2)
>>> loader = torch.utils.data.DataLoader(dataset, batch_size=None)
>>> [batch["half"].tolist() for batch in loader]
[[0.0, 0.5], [1.0, 1.5]]
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import IterableDataset, get_worker_info

from hypostyle.loading import Loader
from hypostyle.tensors import Jagged, tensors_of
from hypostyle.transform import Transform

__all__ = ["Dataset", "Jagged"]


class Dataset(IterableDataset[dict[str, Any]]):
    """Batches of rows as dictionaries of name and tensor: numbers and embeddings dense, lists of ids as :class:`Jagged`.

    Arguments are those of :class:`hypostyle.loading.Loader`, without shards: each worker of a ``DataLoader`` and each rank of a
    distributed run reads its own share. ``rank`` and ``world_size`` are asked of ``torch.distributed``, or of the environment variables RANK and
    WORLD_SIZE. Batches are whole, so the data loader gets ``batch_size=None``. Shares may differ by some batches; give ranks that wait
    for one another a fixed number of steps. Workers may be forked or spawned.

    Call :meth:`set_epoch` before each epoch to shuffle anew, also where workers persist. :meth:`state_dict` and :meth:`load_state_dict` save
    and restore the place in the middle of an epoch, also through ``StatefulDataLoader`` of torchdata, which asks each worker.
    """

    def __init__(
        self,
        source: Any,
        features: str | Transform | None = None,
        *,
        batch_size: int = 1024,
        shuffle: bool = False,
        seed: int = 0,
        mixed_parts: int = 4,
        part_rows: int = 65_536,
        drop_last: bool = False,
        threads: int = 1,
        prefetch: bool = True,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        super().__init__()
        self._rank = rank
        self._world_size = world_size
        self._loader = Loader(
            source,
            features,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            mixed_parts=mixed_parts,
            part_rows=part_rows,
            drop_last=drop_last,
            threads=threads,
            prefetch=prefetch,
        )
        # The epoch that was set, and how often one was: in memory that workers see, since they have copies of everything else.
        self._shared = torch.zeros(2, dtype=torch.int64).share_memory_()
        self._times_set = 0

    def set_epoch(self, epoch: int) -> None:
        """Begins this epoch, which decides the order of rows that are shuffled."""
        self._shared[0] = epoch
        self._shared[1] += 1

    def state_dict(self) -> dict[str, int]:
        """Where this reader is, between two batches."""
        self._begin_set_epoch()
        return self._loader.state_dict()

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Goes on from a state of a dataset with the same arguments, in the same worker and rank."""
        self._times_set = int(self._shared[1])
        self._loader.load_state_dict(state)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self._begin_set_epoch()
        rank, world_size = self._place()
        worker = get_worker_info()
        workers, own = (worker.num_workers, worker.id) if worker else (1, 0)
        self._loader.shards = world_size * workers
        self._loader.shard = rank * workers + own
        return _Batches(self)

    def __getstate__(self) -> dict[str, Any]:
        # A process that is spawned knows nothing of the process group of its parent.
        rank, world_size = self._known_place() or (None, None)
        return {**self.__dict__, "_rank": rank, "_world_size": world_size}

    def _begin_set_epoch(self) -> None:
        """Begins the epoch that was set, if one was since the last time."""
        epoch, times = self._shared.tolist()
        if times != self._times_set:
            self._times_set = times
            self._loader.load_state_dict({"epoch": epoch, "group": 0, "row": 0})

    def _known_place(self) -> tuple[int, int] | None:
        """Rank and number of ranks, if they were given or there is a process group."""
        if self._rank is not None and self._world_size is not None:
            return self._rank, self._world_size
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            return torch.distributed.get_rank(), torch.distributed.get_world_size()
        return None

    def _place(self) -> tuple[int, int]:
        """Rank and number of ranks."""
        return self._known_place() or (int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))


class _Batches:
    """An iterator of a dataset, which says where it is: after its end it stays at the end, while the dataset is at the next epoch."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._batches = iter(dataset._loader)
        self._has_ended = False

    def __iter__(self) -> _Batches:
        return self

    def __next__(self) -> dict[str, Any]:
        if self._has_ended:
            raise StopIteration
        batch = next(self._batches, None)
        if batch is None:
            self._has_ended = True
            raise StopIteration
        return tensors_of(batch)

    def state_dict(self) -> dict[str, int]:
        """The state of the dataset, and whether this iterator has ended."""
        return {**self._dataset.state_dict(), "has_ended": int(self._has_ended)}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Goes on from a state of such an iterator."""
        self._has_ended = bool(state["has_ended"])
        self._dataset.load_state_dict(state)
        if not self._has_ended:
            self._batches = iter(self._dataset._loader)
