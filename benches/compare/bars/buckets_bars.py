"""Buckets of numbers by 1,024 and 4,096 borders, and ids hashed into a table: numpy, polars, duckdb."""

import duckdb
import numpy
import polars
import pyarrow
import pyarrow.parquet

from bars.case import expect_equal, our_answer

ROWS = 4_000_000
BORDERS = {1_024: 12, 4_096: None}


def run(arguments, table_of_bars):
    random = numpy.random.default_rng(5)
    rows = arguments.rows or ROWS
    numbers = (random.random(rows) * 1e6).astype(numpy.float32)
    ids = random.integers(0, 2**53, rows)
    path = arguments.folder / "numbers.parquet"
    table = pyarrow.table({"x": numbers, "id": ids})
    pyarrow.parquet.write_table(table, path, use_dictionary=False)
    engine = table_of_bars.engine()
    engine.run(f"CREATE TABLE t AS FROM '{path}'")
    frame = polars.from_arrow(table)
    for count, bar in BORDERS.items():
        borders = numpy.sort(random.random(count) * 1e6).astype(numpy.float32)
        text = ", ".join(repr(float(border)) for border in borders)
        query = f"SELECT bucketize(x, [{text}]) AS c FROM t"
        engine.run(f"PREPARE q{count} AS {query}")
        answer = our_answer(engine, query, arguments.folder)["c"]
        expect_equal("bucketize", answer, pyarrow.array(numpy.digitize(numbers, borders)))
        held = polars.Series("b", borders)
        peers = {
            "numpy.digitize": lambda borders=borders: numpy.digitize(numbers, borders),
            "polars search_sorted": lambda held=held: held.search_sorted(frame["x"], side="right"),
        }
        table_of_bars.measure(
            f"bucketize, {count} borders", lambda count=count: engine.run(f"EXECUTE q{count}"), peers, bar, (rows / 1e6, "M/s")
        )
    database = duckdb.connect()
    database.execute("SET threads = 1")
    database.execute(f"CREATE TABLE t AS FROM '{path}'")
    engine.run("PREPARE s AS SELECT sigrid_hash(id, 7, 1000003) AS c FROM t")
    table_of_bars.measure(
        "sigrid_hash", lambda: engine.run("EXECUTE s"),
        {
            "duckdb hash %": lambda: database.sql("SELECT hash(id) % 1000003 AS c FROM t").to_arrow_table(),
            "polars hash %": lambda: frame.select(polars.col("id").hash() % 1_000_003),
        },
        None, (rows / 1e6, "M ids/s"),
    )
    engine.close()
