"""Results as tensors of PyTorch: dense columns without copying, lists as values and lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hypostyle.errors import UsageError

if TYPE_CHECKING:
    import numpy
    import torch

    from hypostyle._native import Batch, Column

__all__ = ["Jagged", "JaggedArrays", "jagged_arrays", "tensors_of"]


class JaggedArrays(NamedTuple):
    """Lists as NumPy arrays: all elements one after the other, and the number of each row's."""

    values: numpy.ndarray
    lengths: numpy.ndarray

    @property
    def offsets(self) -> numpy.ndarray:
        """Where each row's elements begin, and behind them all their number."""
        import numpy

        return numpy.concatenate([numpy.zeros(1, "int64"), numpy.cumsum(self.lengths, dtype="int64")])


class Jagged(NamedTuple):
    """Lists as tensors: all elements one after the other, and the number of each row's, as ``KeyedJaggedTensor`` of torchrec and
    ``torch.nn.EmbeddingBag`` take them."""

    values: torch.Tensor
    lengths: torch.Tensor

    @property
    def offsets(self) -> torch.Tensor:
        """Where each row's elements begin, and behind them all their number."""
        import torch

        return torch.cat([self.lengths.new_zeros(1), torch.cumsum(self.lengths, 0)])


def jagged_arrays(columns: list[Column]) -> JaggedArrays:
    """The parts of a column of lists of numbers; a null list is an empty one.

    Raises :class:`hypostyle.UsageError` for other columns and for null elements.
    """
    import numpy

    values, lengths = [], []
    for column in columns:
        elements = column.list_values()
        if elements is None or not elements.has_fixed_width:
            raise UsageError(f'column "{column.name}" has type {column.type}; a jagged tensor is made of a list of numbers')
        if elements.null_count:
            raise UsageError(f'column "{column.name}" has null elements, which a tensor does not hold')
        values.append(numpy.asarray(elements.values_view()))
        lengths.append(numpy.asarray(column.list_lengths()))
    if len(columns) == 1:
        return JaggedArrays(values[0], lengths[0])
    return JaggedArrays(numpy.concatenate(values), numpy.concatenate(lengths))


def tensors_of(batch: Batch) -> dict[str, Any]:
    """The columns of a batch as tensors, by name: numbers and embeddings dense, without copying where there are no nulls; lists of
    numbers as :class:`Jagged`; texts and everything else as lists of Python values.

    Nulls become what :func:`hypostyle.arrays.to_numpy` makes of them; a null list is empty. Tensors share the engine's
    memory, which others may read too: copy a tensor before you write to it.
    """
    import torch

    from hypostyle.arrays import column_to_numpy

    tensors: dict[str, Any] = {}
    for column in batch.columns():
        if column.has_fixed_width and column.null_count == 0 and column.type not in ("DATE",):
            # The capsule of the older form, which every release of PyTorch takes: it has no word for read-only memory.
            tensors[column.name] = torch.from_dlpack(column.__dlpack__())
        elif column.has_fixed_width or column.type == "BOOLEAN":
            array = column_to_numpy(column)
            dates = array.dtype.kind == "M"
            tensors[column.name] = (
                column.to_pylist() if array.dtype == object else torch.from_numpy(array.astype("int64") if dates else array.copy())
            )
        elif (elements := column.list_values()) is not None and elements.has_fixed_width:
            parts = jagged_arrays([column])
            tensors[column.name] = Jagged(torch.from_numpy(parts.values.copy()), torch.from_numpy(parts.lengths.copy()))
        else:
            tensors[column.name] = column.to_pylist()
    return tensors
