"""Transforms in Spark: fitted partition by partition, applied with ``mapInArrow``. Needs pyspark 3.4 and pyarrow on every node.

``transform = fit("SELECT id, standard_scale(price) AS price FROM input", frame)``
``features = apply(transform, frame)``

Rows cross between the JVM and Python as Arrow, and each task works with one thread, so executors stay as busy as they are told to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from hypostyle.errors import Error
from hypostyle.ray import LEVELS_MAX
from hypostyle.session import Session
from hypostyle.transform import FitState, Transform

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import DataFrame

__all__ = ["apply", "fit", "mapper"]


def apply(transform: Transform, frame: DataFrame, *, threads: int = 1) -> DataFrame:
    """All outputs over the rows of a data frame, in its partitions and their order.

    The transform travels to the tasks as its file. Embeddings become arrays; unsigned numbers and HALF the next wider type that Spark has.
    """
    from pyspark.sql.pandas.types import from_arrow_schema

    function = mapper(transform, threads=threads)
    return frame.mapInArrow(function, from_arrow_schema(spark_schema(transform)))


def mapper(transform: Transform, *, threads: int = 1) -> Callable[[Iterable[pyarrow.RecordBatch]], Iterator[pyarrow.RecordBatch]]:
    """The function that ``DataFrame.mapInArrow`` takes: record batches in, all outputs of the transform over them out.

    >>> import hypostyle as hy, pyarrow
    >>> transform = hy.Session().fit("SELECT min_max_scale(x) AS x FROM input", hy.sql("SELECT x FROM range(5) t(x)"))
    >>> [batch.to_pydict() for batch in mapper(transform)([pyarrow.record_batch({"x": [1, 2]})])]
    [{'x': [0.25, 0.5]}]
    """

    def map_batches(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        ours = transform.in_session(Session(threads=threads))
        schema = spark_schema(ours)
        run = ours.prepare().start()
        for batch in batches:
            yield from (part.to_arrow(schema) for part in run.push(batch))
        yield from (part.to_arrow(schema) for part in run.finish())

    return map_batches


def fit(definition: str, frame: DataFrame, *, threads: int = 1) -> Transform:
    """Fits a definition on a data frame, partition by partition in the tasks of Spark; only the states of partitions travel.

    The result has the bits of :meth:`Session.fit` over all rows in the order of the partitions. A task holds the rows of its partition.
    Analyzers inside analyzers take one pass over the frame for each level, so cache what is expensive to compute.

    Raises :class:`hypostyle.Error` as :meth:`Session.fit` does, wrapped by Spark where a task has met it.
    """
    from pyspark.sql.pandas.types import to_arrow_schema

    schema = to_arrow_schema(frame.schema)
    session = Session(threads=threads)
    states: list[FitState] = []
    for _ in range(LEVELS_MAX):
        task = _fit_partition(definition, schema, list(states), threads)
        level = [FitState.from_bytes(bytes(row.state)) for row in frame.mapInArrow(task, "state binary").collect()]
        if not level:
            # A frame may have no partitions at all.
            level = [session.fit_partial(definition, schema.empty_table(), 0, states)]
        states = [*states, session.merge_fits(level)]
        try:
            return session.finish_fit(definition, states)
        except Error as error:
            if "has no states yet" not in str(error):
                raise
    raise Error(f"the definition has more than {LEVELS_MAX} levels of analyzers")


def _fit_partition(
    definition: str, schema: pyarrow.Schema, before: list[FitState], threads: int
) -> Callable[[Iterable[pyarrow.RecordBatch]], Iterator[pyarrow.RecordBatch]]:
    """The function that gives the state of the partition that its task has."""

    def fit_partition(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        import pyarrow
        from pyspark import TaskContext

        context = TaskContext.get()
        rows = list(batches)
        table = pyarrow.Table.from_batches(rows) if rows else schema.empty_table()
        state = Session(threads=threads).fit_partial(definition, table, context.partitionId() if context else 0, before)
        yield pyarrow.record_batch({"state": pyarrow.array([state.to_bytes()], pyarrow.binary())})

    return fit_partition


def spark_schema(transform: Transform) -> pyarrow.Schema:
    """The outputs of a transform in the layouts that Spark reads."""
    import pyarrow

    return pyarrow.schema([field.with_type(_spark_type(field.type)) for field in pyarrow.schema(transform.outputs)])


def _spark_type(kind: Any) -> Any:
    import pyarrow
    from pyarrow import types

    def field(of: Any) -> Any:
        return of.with_type(_spark_type(of.type))

    if types.is_string_view(kind) or types.is_large_string(kind):
        return pyarrow.string()
    if types.is_binary_view(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return pyarrow.binary()
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return pyarrow.list_(field(kind.value_field))
    if types.is_struct(kind):
        return pyarrow.struct([field(kind.field(position)) for position in range(kind.num_fields)])
    if types.is_map(kind):
        return pyarrow.map_(field(kind.key_field), field(kind.item_field))
    if types.is_timestamp(kind):
        return pyarrow.timestamp("us", kind.tz)
    wider = {
        pyarrow.uint8(): pyarrow.int16(),
        pyarrow.uint16(): pyarrow.int32(),
        pyarrow.uint32(): pyarrow.int64(),
        pyarrow.uint64(): pyarrow.decimal128(20, 0),
        pyarrow.float16(): pyarrow.float32(),
    }
    return wider.get(kind, kind)
