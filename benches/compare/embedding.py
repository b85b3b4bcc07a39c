"""Embeddings side by side with numpy, simsimd, polars and duckdb: one core, columns larger than the last-level cache and in it.

    python benches/compare/embedding.py --program target/release/hypostyle

Each case is a table that is kept in memory (for us by CREATE TABLE, for the peers as numpy arrays or polars frames) and one
expression over it, prepared once: the peers have nothing to parse either. A constant embedding is a table of one row. Before any time counts the answers must agree: codes exactly, floats within a relative 1e-4, since
peers sum in other orders. Runs alternate; the ratio is the median over pairs of their time by ours (above 1 we are
faster), with its quartiles.
"""

import argparse
import os
import pathlib
import statistics
import sys
import tempfile
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ[name] = "1"

import duckdb
import numpy
import polars
import pyarrow
import pyarrow.parquet
import simsimd

from engines import Hypostyle

DIMENSION = 768
POOLED_DIMENSION = 64
SCALE = 0.01
# The table that queries are compared with, and the queries of one run.
SEARCHED_DIMENSION = 128
QUERIES = 100
NEAREST = 10


class Case:
    """One expression of ours and what peers do for it."""

    def __init__(self, name, table, sql, peers, expected, gigabytes, rest=""):
        self.name, self.table, self.sql, self.rest = name, table, sql, rest
        self.peers, self.expected, self.gigabytes = peers, expected, gigabytes


def fixed(matrix):
    """A column of fixed lists over the rows of a matrix."""
    return pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(matrix.ravel()), matrix.shape[1])


def measures(label, rows, random):
    """Products and cosines of a column with a constant and with another column."""
    left = random.normal(size=(rows, DIMENSION)).astype(numpy.float32)
    right = random.normal(size=(rows, DIMENSION)).astype(numpy.float32)
    query = random.normal(size=DIMENSION).astype(numpy.float32)
    text = "(SELECT q FROM query)"
    table = pyarrow.table({"a": fixed(left), "b": fixed(right)}), pyarrow.table({"q": fixed(query[None])})
    size = left.nbytes / 1e9

    def norms(matrix):
        return numpy.sqrt(numpy.einsum("ij,ij->i", matrix, matrix))

    def cosine():
        return (left @ query) / (norms(left) * numpy.linalg.norm(query))

    def pair_cosine():
        return numpy.einsum("ij,ij->i", left, right) / (norms(left) * norms(right))

    yield Case(
        f"dot, constant, {label}", table, f"dot_product(a, {text})",
        {"numpy": lambda: left @ query, "simsimd": lambda: simsimd.dot(left, query)}, left @ query, size,
    )
    yield Case(
        f"cosine, constant, {label}", table, f"cosine_similarity(a, {text})",
        {"numpy": cosine, "simsimd": lambda: simsimd.cosine(left, query)}, cosine(), size,
    )
    yield Case(
        f"dot, two columns, {label}", table, "dot_product(a, b)",
        {"numpy": lambda: numpy.einsum("ij,ij->i", left, right), "simsimd": lambda: simsimd.dot(left, right)},
        numpy.einsum("ij,ij->i", left, right), 2 * size,
    )
    yield Case(
        f"cosine, two columns, {label}", table, "cosine_similarity(a, b)",
        {"numpy": pair_cosine, "simsimd": lambda: simsimd.cosine(left, right)}, pair_cosine(), 2 * size,
    )

    def quantized():
        return numpy.clip(numpy.rint(left / numpy.float32(SCALE)), -128, 127).astype(numpy.int8)

    frame = polars.DataFrame({"x": left.ravel()})
    quotient = (polars.col("x") / polars.lit(SCALE, polars.Float32)).round(0, mode="half_to_even").clip(-128, 127)
    yield Case(
        f"int8 quantization, {label}", table, f"quantize_i8(a, {SCALE})",
        {"numpy": quantized, "polars": lambda: frame.select(quotient.cast(polars.Int8))}, quantized(), size,
    )
    yield Case(
        f"normalize, {label}", table, "normalize(a)",
        {"numpy": lambda: left / norms(left)[:, None]}, left / norms(left)[:, None], size,
    )


def pools(label, rows, random):
    """Means of lists of about twenty vectors."""
    lengths = random.integers(1, 40, rows)
    offsets = numpy.concatenate([[0], numpy.cumsum(lengths)]).astype(numpy.int32)
    values = random.normal(size=(int(offsets[-1]), POOLED_DIMENSION)).astype(numpy.float32)
    lists = pyarrow.ListArray.from_arrays(pyarrow.array(offsets), fixed(values))
    table = pyarrow.table({"v": lists}), None

    def reduceat():
        return numpy.add.reduceat(values, offsets[:-1], axis=0) / lengths[:, None].astype(numpy.float32)

    def row_by_row():
        bounds = zip(offsets[:-1], offsets[1:])
        return numpy.stack([values[start:end].mean(axis=0) for start, end in bounds])

    names = [f"d{place}" for place in range(POOLED_DIMENSION)]
    frame = polars.DataFrame(
        {"row": numpy.repeat(numpy.arange(rows), lengths)} | {name: values[:, place].copy() for place, name in enumerate(names)}
    ).set_sorted("row")

    def grouped():
        return frame.group_by("row", maintain_order=True).agg(polars.col(names).mean())

    yield Case(
        f"mean pool, {label}", table, "mean_pool(v)",
        {"numpy reduceat": reduceat, "numpy by row": row_by_row, "polars group_by": grouped}, reduceat(), values.nbytes / 1e9,
    )


def searches(label, rows, random):
    """The vectors of a table nearest to a constant, by a sort that keeps ten rows, and to each of some queries."""
    vectors = random.normal(size=(rows, SEARCHED_DIMENSION)).astype(numpy.float32)
    queries = random.normal(size=(QUERIES, SEARCHED_DIMENSION)).astype(numpy.float32)
    lengths = numpy.sqrt(numpy.einsum("ij,ij->i", vectors, vectors))
    items = pyarrow.table({"id": numpy.arange(rows), "v": fixed(vectors)})

    def nearest(query):
        cosines = (vectors @ query) / (lengths * numpy.linalg.norm(query))
        few = numpy.argpartition(-cosines, NEAREST)[:NEAREST]
        return few[numpy.argsort(-cosines[few])]

    def by_simsimd(query):
        distances = numpy.asarray(simsimd.cosine(vectors, query))
        few = numpy.argpartition(distances, NEAREST)[:NEAREST]
        return few[numpy.argsort(distances[few])]

    database = duckdb.connect()
    database.execute("SET threads = 1")
    database.register("arrow_items", items)
    database.execute("CREATE TABLE items AS FROM arrow_items")
    shown = ", ".join(map(repr, queries[0].tolist()))
    sorted_by = f"array_cosine_similarity(v, [{shown}]::FLOAT[{SEARCHED_DIMENSION}]) DESC LIMIT {NEAREST}"
    size = vectors.nbytes / 1e9
    yield Case(
        f"nearest, one query, {label}", (items, pyarrow.table({"q": fixed(queries[:1])})), "id",
        {
            "numpy": lambda: nearest(queries[0]),
            "simsimd": lambda: by_simsimd(queries[0]),
            "duckdb": lambda: database.sql(f"SELECT id FROM items ORDER BY {sorted_by}").to_arrow_table(),
        },
        nearest(queries[0]), size, f" ORDER BY cosine_similarity(v, (SELECT q FROM query)) DESC LIMIT {NEAREST}",
    )

    def all_nearest():
        cosines = (queries @ vectors.T) / lengths
        few = numpy.argpartition(-cosines, NEAREST, axis=1)[:, :NEAREST]
        return numpy.take_along_axis(few, numpy.argsort(numpy.take_along_axis(-cosines, few, axis=1), axis=1), axis=1)

    table = "(SELECT list(v ORDER BY id) FROM query)"
    yield Case(
        f"nearest, {QUERIES} queries, {label}", (pyarrow.table({"q": fixed(queries)}), items),
        f"list_transform(top_k_similar(q, {table}, {NEAREST}), x -> x.id)",
        {"numpy": all_nearest, "simsimd": lambda: [by_simsimd(query) for query in queries]}, all_nearest(), QUERIES * size,
    )


def agree(ours, expected):
    """Whether an Arrow column holds what numpy computed."""
    column = ours.combine_chunks()
    while not pyarrow.types.is_primitive(column.type):
        column = column.flatten()
    values = column.to_numpy(zero_copy_only=False).reshape(expected.shape)
    if expected.dtype.kind == "i":
        return numpy.array_equal(values, expected)
    return numpy.allclose(values, expected, rtol=1e-4, atol=1e-4 * numpy.abs(expected).max())


def compare(case, program, rounds, folder):
    path, answer = folder / "table.parquet", folder / "answer.arrow"
    engine = Hypostyle(program, 1)
    for name, table in zip(("t", "query"), case.table):
        if table is not None:
            pyarrow.parquet.write_table(table, path, compression="none", use_dictionary=False)
            engine.run(f"CREATE TABLE {name} AS FROM '{path}'")
    query = f"SELECT {case.sql} AS result FROM t{case.rest}"
    engine.answer(query, answer)
    with pyarrow.ipc.open_file(answer) as reader:
        if not agree(reader.read_all()["result"], case.expected):
            sys.exit(f"{case.name}: answers differ")
    engine.run(f"PREPARE q AS {query}")
    engine.run("EXECUTE q")
    for peer, call in case.peers.items():
        call()
        pairs = []
        for _ in range(rounds):
            ours = engine.run("EXECUTE q")
            started = time.perf_counter()
            call()
            pairs.append((ours, time.perf_counter() - started))
        ratios = sorted(theirs / ours for ours, theirs in pairs)
        quartiles = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else [ratios[0]] * 3
        ours, theirs = (statistics.median(side) for side in zip(*pairs))
        print(
            f"{case.name:34} {peer:16} ours {ours * 1e3:8.1f} ms ({case.gigabytes / ours:5.1f} GB/s)"
            f"  theirs {theirs * 1e3:8.1f} ms ({case.gigabytes / theirs:5.1f} GB/s)"
            f"  {quartiles[1]:6.2f}x ({quartiles[0]:.2f}..{quartiles[2]:.2f})",
            flush=True,
        )
    engine.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="target/release/hypostyle")
    parser.add_argument("--rows", type=int, default=200_000, help="embeddings of 768 dimensions beyond the caches")
    parser.add_argument("--small", type=int, default=4_000, help="embeddings of 768 dimensions in the last-level cache")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="part of the names of the cases to run")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {0})
    with tempfile.TemporaryDirectory() as folder:
        for label, rows in (("large", arguments.rows), ("in cache", arguments.small)):
            random = numpy.random.default_rng(1)
            for make, count in ((measures, rows), (pools, rows // 2), (searches, rows)):
                if not any(arguments.only in name for name in NAMES[make]):
                    continue
                for case in make(label, count, random):
                    if arguments.only in case.name:
                        compare(case, arguments.program, arguments.rounds, pathlib.Path(folder))


NAMES = {
    measures: ("dot, constant", "cosine, constant", "dot, two columns", "cosine, two columns", "int8 quantization", "normalize"),
    pools: ("mean pool",),
    searches: ("nearest, one query", f"nearest, {QUERIES} queries"),
}

if __name__ == "__main__":
    main()
