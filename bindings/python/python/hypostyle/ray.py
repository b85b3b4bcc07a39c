"""Transforms in Ray Data: applied by a pool of actors. Needs ray and pyarrow where it runs.

``dataset.map_batches(ApplyTransform, fn_constructor_args=(transform,), batch_format="pyarrow", concurrency=4)``
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from hypostyle.session import Session
from hypostyle.transform import Transform

if TYPE_CHECKING:
    import pyarrow

__all__ = ["ApplyTransform"]


class ApplyTransform:
    """Applies a fitted transform to batches; made once in each actor of a pool, with one thread unless told otherwise.

    ``transform`` is a :class:`hypostyle.Transform`, which travels as its file, or the path of a file that every node can read.

    >>> import hypostyle as hy, pyarrow
    >>> transform = hy.Session().fit("SELECT min_max_scale(x) AS x FROM input", hy.sql("SELECT x FROM range(5) t(x)"))
    >>> ApplyTransform(transform)(pyarrow.table({"x": [1, 2]})).to_pylist()
    [{'x': 0.25}, {'x': 0.5}]
    """

    def __init__(self, transform: Transform | str | os.PathLike[str], threads: int = 1) -> None:
        session = Session(threads=threads)
        if isinstance(transform, Transform):
            self._transform = transform.in_session(session)
        else:
            self._transform = session.load(transform)

    def __call__(self, batch: Any) -> pyarrow.Table:
        """All outputs over a batch, in its order."""
        return self._transform.transform(batch).to_arrow()
