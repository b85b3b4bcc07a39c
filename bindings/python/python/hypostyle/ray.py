"""Transforms in Ray Data: fitted in pieces, applied by a pool of actors. Needs ray and pyarrow where it runs.

``transform = fit("SELECT standard_scale(price) AS price FROM input", dataset)``
``dataset.map_batches(ApplyTransform, fn_constructor_args=(transform,), batch_format="pyarrow", concurrency=4)``
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

from hypostyle.errors import Error
from hypostyle.prepared import Run
from hypostyle.result import schema_of
from hypostyle.session import Session
from hypostyle.transform import FitState, Transform

if TYPE_CHECKING:
    import pyarrow

__all__ = ["ApplyTransform", "fit"]

#: Most fits that stand inside one another.
LEVELS_MAX = 16


class ApplyTransform:
    """Applies a fitted transform to batches; made once in each actor of a pool, with one thread unless told otherwise.

    ``transform`` is a :class:`hypostyle.Transform`, which travels as its file, or the path of a file that every node can read. Texts are copied to
    ``string``, which every function of Ray and pyarrow takes; with ``text="string_view"`` nothing is copied.

    >>> import hypostyle as hy, pyarrow
    >>> transform = hy.Session().fit("SELECT min_max_scale(x) AS x FROM input", hy.sql("SELECT x FROM range(5) t(x)"))
    >>> ApplyTransform(transform)(pyarrow.table({"x": [1, 2]})).to_pylist()
    [{'x': 0.25}, {'x': 0.5}]
    """

    def __init__(
        self,
        transform: Transform | str | os.PathLike[str],
        threads: int = 1,
        text: Literal["string", "large_string", "string_view"] = "string",
    ) -> None:
        import pyarrow

        session = Session(threads=threads)
        if isinstance(transform, Transform):
            transform = transform.in_session(session)
        else:
            transform = session.load(transform)
        self._prepared = transform.prepare()
        self._schema = schema_of(transform.outputs, text)
        # Where the columns come as they are wanted, nobody is asked to see to it for each batch.
        self._asked = None if self._schema == schema_of(transform.outputs, "string_view") else self._schema
        self._table = pyarrow.Table.from_batches
        # Runs that wait for their next batch: one for each call at a time.
        self._runs: list[Run] = []

    def __call__(self, batch: Any) -> pyarrow.Table:
        """All outputs over a batch, in its order."""
        run = self._runs.pop() if self._runs else self._prepared.start()
        parts = run.push(batch)
        # A transform gives each row as it comes, so that a run goes on from batch to batch; an error ends it.
        if sum(part.num_rows for part in parts) == getattr(batch, "num_rows", -1):
            self._runs.append(run)
        else:
            parts += run.finish()
        batches = [part.to_arrow(self._asked) for part in parts]
        return self._table(batches, None if batches else self._schema)


def fit(definition: str, dataset: Any, *, threads: int = 1) -> Transform:
    """Fits a definition on a dataset of Ray, block by block where the blocks are; only the states of the blocks travel.

    The result has the bits of :meth:`Session.fit` over all rows in the order of the blocks. Analyzers inside analyzers take one pass over the
    dataset for each level. ``threads`` is the number of threads of each task.

    Raises :class:`hypostyle.Error` as :meth:`Session.fit` does, wrapped by Ray where a task has met it.
    """
    import ray

    blocks = dataset.materialize().to_arrow_refs()
    task = ray.remote(num_cpus=threads)(_fit_block)
    session = Session(threads=threads)
    states: list[FitState] = []
    for _ in range(LEVELS_MAX):
        before = ray.put(states)
        level = ray.get([task.remote(definition, block, number, before, threads) for number, block in enumerate(blocks)])
        states = [*states, session.merge_fits(level)]
        try:
            return session.finish_fit(definition, states)
        except Error as error:
            if "has no states yet" not in str(error):
                raise
    raise Error(f"the definition has more than {LEVELS_MAX} levels of analyzers")


def _fit_block(definition: str, block: pyarrow.Table, number: int, before: list[FitState], threads: int) -> FitState:
    """The state of one block, in a task."""
    return Session(threads=threads).fit_partial(definition, block, number, before)
