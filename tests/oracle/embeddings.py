"""Compares functions of embeddings with their definitions in numpy, and aggregates with DuckDB, over random columns.

    .venv/bin/python tests/oracle/embeddings.py --program target/debug/hypostyle --cases 40 [--seed 7]

Embeddings of random dimensions with nulls, NaN-free and with ties to round; codes are compared exactly, sums of floats
within 1e-5 of the size of the column, since their order is our own. The seed is printed.
"""

import argparse
import pathlib
import random
import subprocess
import tempfile

import duckdb
import numpy
import pyarrow
import pyarrow.ipc
import pyarrow.parquet

DIMENSIONS = [1, 2, 3, 8, 15, 16, 17, 31, 33, 64, 100]
ROWS = [1, 3, 50, 700]


def run(program, sql, folder):
    """The answer of our program as an Arrow table."""
    path = folder / "answer.arrow"
    command = [program, "query", f"COPY ({sql}) TO '{path}' (FORMAT arrow)"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{sql}\n{done.stderr}")
    with pyarrow.ipc.open_file(path) as reader:
        return reader.read_all()


def column(matrix, valid):
    """A column of fixed lists; rows that are not valid are null."""
    lists = [list(map(float, row)) if keep else None for row, keep in zip(matrix, valid)]
    return pyarrow.array(lists, pyarrow.list_(pyarrow.float32(), matrix.shape[1]))


def quotients(matrix):
    return numpy.rint(matrix / numpy.float32(0.25))


def rowwise_scale(matrix):
    scale = numpy.abs(matrix).max(axis=1) / numpy.float32(127)
    return numpy.where(scale == 0, numpy.float32(1), scale)


def definitions(a, b):
    """Expression, definition over matrices, whether it is exact."""
    wide, other = a.astype(numpy.float64), b.astype(numpy.float64)
    norms = numpy.sqrt((wide**2).sum(1)) * numpy.sqrt((other**2).sum(1))
    with numpy.errstate(all="ignore"):
        cosine = (wide * other).sum(1) / norms
    bits = numpy.packbits(a > 0, axis=1)
    other_bits = numpy.packbits(b > 0, axis=1)
    return [
        ("dot_product(a, b)", (wide * other).sum(1), False),
        ("l2_distance(a, b)", numpy.sqrt(((wide - other) ** 2).sum(1)), False),
        ("l1_distance(a, b)", numpy.abs(wide - other).sum(1), False),
        ("cosine_similarity(a, b)", cosine, False),
        ("vector_add(a, b)", a + b, True),
        ("vector_multiply(a, b)", a * b, True),
        ("vector_scale(a, 0.5)", a * numpy.float32(0.5), True),
        ("quantize_i8(a, 0.25)", numpy.clip(quotients(a), -128, 127).astype(numpy.int8), True),
        ("quantize_i8(a, 0.25, 100)", numpy.clip(quotients(a) + 100, -128, 127).astype(numpy.int8), True),
        ("quantize_rowwise(a).codes", numpy.rint(a / rowwise_scale(a)[:, None]).astype(numpy.int8), True),
        ("to_f16(a)::FLOAT[]", a.astype(numpy.float16).astype(numpy.float32), True),
        ("to_f16(a::DOUBLE[])::FLOAT[]", a.astype(numpy.float16).astype(numpy.float32), True),
        ("hamming_distance(binarize(a), binarize(b))", numpy.unpackbits(bits ^ other_bits, axis=1).sum(1), True),
        ("dot_i8(quantize_i8(a, 0.25), quantize_i8(b, 0.25))",
         (numpy.clip(quotients(a), -128, 127).astype(int) * numpy.clip(quotients(b), -128, 127).astype(int)).sum(1), True),
        ("dot_i4(quantize_i4(a, 0.25), quantize_i4(b, 0.25))",
         (numpy.clip(quotients(a), -8, 7).astype(int) * numpy.clip(quotients(b), -8, 7).astype(int)).sum(1), True),
        ("mean_pool([a, b])", (a + b) / numpy.float32(2), True),
        ("max_pool([a, b])", numpy.maximum(a, b), True),
    ]


def agree(ours, expected, valid, is_exact):
    """Whether a column holds the expected values in valid rows, and nulls in the others."""
    # Terms of both signs cancel, so errors are measured against the size of the column.
    size = 1e-5 * (1 + numpy.nanmax(numpy.abs(expected.astype(numpy.float64)), initial=0))
    for row, (value, keep) in enumerate(zip(ours.to_pylist(), valid)):
        if not keep or value is None:
            if keep or value is not None:
                return f"row {row}: {value}, expected {'a value' if keep else 'NULL'}"
            continue
        found, wanted = numpy.asarray(value, dtype=numpy.float64), expected[row].astype(numpy.float64)
        same = numpy.array_equal(found, wanted, equal_nan=True)
        if not same and (is_exact or not numpy.allclose(found, wanted, rtol=1e-5, atol=size, equal_nan=True)):
            return f"row {row}: {value}, expected {wanted}"
    return None


def scalar_case(program, choose, folder):
    dimension, rows = choose.choice(DIMENSIONS), choose.choice(ROWS)
    numbers = numpy.random.default_rng(choose.randrange(1 << 32))
    draw = lambda: (numbers.integers(-400, 400, (rows, dimension)) / 8 * numbers.choice([1, 0.01, 7.3])).astype(numpy.float32)
    a, b = draw(), draw()
    a_valid, b_valid = numbers.random(rows) > 0.1, numbers.random(rows) > 0.1
    path = folder / "table.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"a": column(a, a_valid), "b": column(b, b_valid)}), path)
    kind = choose.choice([f"FLOAT[{dimension}]", "FLOAT[]"])
    table = f"(SELECT a::{kind} AS a, b::{kind} AS b FROM '{path}')"
    for sql, expected, is_exact in definitions(a, b):
        if "dot_product" in sql and choose.random() < 0.5:
            sql = sql.replace("(a, b)", "(b, a)")
        valid = a_valid & b_valid if "b" in sql.replace("binarize", "") else a_valid
        if sql.startswith(("mean_pool", "max_pool")):
            expected = numpy.where(a_valid[:, None], numpy.where(b_valid[:, None], expected, a), b)
            valid = a_valid | b_valid
        ours = run(program, f"SELECT {sql} AS r FROM {table}", folder)["r"]
        problem = agree(ours, expected, valid, is_exact)
        if problem:
            raise SystemExit(f"SELECT {sql} over {rows} rows of {kind}: {problem}")


def aggregate_case(program, choose, folder):
    rows, seed = choose.choice([1, 40, 900]), choose.randrange(1000)
    table = (
        f"(SELECT i, hash(i, {seed}) % 5 AS k, CASE WHEN hash(i, {seed}, 1) % 7 > 0 THEN (hash(i, {seed}, 2) % 40)::INTEGER END AS x,"
        f" hash(i, {seed}, 3) % 3 > 0 AS c, 'c' || hash(i, {seed}, 4) % 4 AS cat FROM range({rows}) r(i))"
    )
    path = folder / "rows.parquet"
    duckdb.sql(f"COPY {table} TO '{path}'")
    borders = sorted(choose.sample(range(45), choose.randrange(1, 6)))
    pairs = [
        (f"histogram(x, {borders})", None),
        ("sum_where(x, c)", "sum(x) FILTER (c)"),
        ("avg_where(x, c)", "avg(x) FILTER (c)"),
        ("count_where(x, c)", "count(x) FILTER (c)"),
        ("max_where(x, c)", "max(x) FILTER (c)"),
        ("distinct_count(x)", "count(DISTINCT x)"),
        ("first_k(x, 3 ORDER BY i)", "(list(x ORDER BY i) FILTER (x IS NOT NULL))[1:3]"),
        ("last_k(x, 3 ORDER BY i)", "(list(x ORDER BY i) FILTER (x IS NOT NULL))[-3:]"),
        ("list_merge([x, 1] ORDER BY i)", "flatten(list([x, 1] ORDER BY i))"),
    ]
    for ours, theirs in pairs:
        found = run(program, f"SELECT k, {ours} AS r FROM '{path}' GROUP BY k ORDER BY k", folder).to_pylist()
        expected = duckdb.sql(f"SELECT k, {theirs or ours} AS r FROM '{path}' GROUP BY k ORDER BY k").fetchall()
        plain = lambda value: dict(value) if isinstance(value, list) and value and isinstance(value[0], tuple) else value
        found = [(row["k"], plain(row["r"])) for row in found]
        if found != [(key, plain(value)) for key, value in expected]:
            raise SystemExit(f"{ours}:\n{found}\nDuckDB: {expected}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="target/debug/hypostyle")
    parser.add_argument("--cases", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    arguments = parser.parse_args()
    program = str(pathlib.Path(arguments.program).resolve())
    print(f"seed {arguments.seed}", flush=True)
    choose = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(arguments.cases):
            scalar_case(program, choose, pathlib.Path(folder))
            aggregate_case(program, choose, pathlib.Path(folder))
    print(f"{arguments.cases} cases of {len(definitions(numpy.ones((1, 1), 'f4'), numpy.ones((1, 1), 'f4')))} expressions agree")


if __name__ == "__main__":
    main()
