"""The Criteo chain: 13 logarithms of filled counts, 26 hashes of texts by a modulus, 2 million rows."""

import subprocess

import duckdb
import numpy
import polars
import pyarrow
import pyarrow.compute
import pyarrow.ipc
import pyarrow.parquet
import xxhash

from bars.case import expect_equal, our_answer

ROWS = 2_000_000
BUCKETS = 1_000_003
# Rows whose answers are compared, from the first on.
CHECKED_ROWS = 200_000
COUNTS = [f"I{number}" for number in range(1, 14)]
CATEGORIES = [f"C{number}" for number in range(1, 27)]


def our_chain(source):
    counts = [f'log1p(greatest(coalesce("{name}", 0), 0)) AS "{name}"' for name in COUNTS]
    categories = [f'hash_bucket("{name}", {BUCKETS}) AS "{name}"' for name in CATEGORIES]
    return f"SELECT {', '.join(counts + categories)} FROM {source}"


def duckdb_chain(source):
    counts = [f'ln(1 + greatest(coalesce("{name}", 0), 0)) AS "{name}"' for name in COUNTS]
    categories = [f'hash("{name}") % {BUCKETS} AS "{name}"' for name in CATEGORIES]
    return f"SELECT {', '.join(counts + categories)} FROM {source}"


def polars_chain(frame):
    counts = [polars.col(name).fill_null(0).clip(0).log1p() for name in COUNTS]
    categories = [polars.col(name).hash() % BUCKETS for name in CATEGORIES]
    return frame.select(counts + categories)


def files(arguments):
    """The table as Polars and pyarrow write it by default, and as an Arrow file of plain texts."""
    rows = arguments.rows or ROWS
    generated = arguments.folder / f"criteo-{rows}.parquet"
    by_polars = arguments.folder / f"criteo-{rows}-polars.parquet"
    by_pyarrow = arguments.folder / f"criteo-{rows}-pyarrow.parquet"
    arrow = arguments.folder / f"criteo-{rows}.arrow"
    if not generated.exists():
        words = ["generate", "criteo", "--rows", str(rows), "--output", str(generated)]
        subprocess.run([arguments.program, *words], check=True)
    table = pyarrow.parquet.read_table(generated)
    if not by_pyarrow.exists():
        pyarrow.parquet.write_table(table, by_pyarrow)
    if not by_polars.exists():
        polars.from_arrow(table).write_parquet(by_polars)
    if not arrow.exists():
        with pyarrow.ipc.new_file(arrow, table.schema) as writer:
            writer.write_table(table.combine_chunks(), max_chunksize=65_536)
    return table, by_polars, by_pyarrow, arrow


def check(engine, source, table, arguments):
    """Our answer against Polars (counts) and against the published xxHash64 (categories)."""
    table = table.slice(0, CHECKED_ROWS)
    ours = our_answer(engine, f"{our_chain(source)} LIMIT {CHECKED_ROWS}", arguments.folder)
    theirs = polars_chain(polars.from_arrow(table).lazy()).collect()
    for name in COUNTS:
        expect_equal(f"{source} {name}", ours[name], theirs[name].to_arrow())
    for name in CATEGORIES:
        encoded = pyarrow.compute.dictionary_encode(table[name].combine_chunks())
        values = [xxhash.xxh64_intdigest(value.as_py().encode()) % BUCKETS for value in encoded.dictionary]
        expected = pyarrow.array(numpy.array(values, dtype=numpy.int64)).take(encoded.indices)
        expect_equal(f"{source} {name}", ours[name], expected)


def run(arguments, table_of_bars):
    table, by_polars, by_pyarrow, arrow = files(arguments)
    engine = table_of_bars.engine()
    engine.run(f"CREATE TABLE held AS FROM '{arrow}'")
    engine.run(f"CREATE TABLE kept AS FROM '{by_polars}'")
    engine.run(f"CREATE VIEW by_polars AS FROM '{by_polars}'")
    engine.run(f"CREATE VIEW by_pyarrow AS FROM '{by_pyarrow}'")
    for source in ("held", "kept", "by_polars", "by_pyarrow"):
        check(engine, source, table, arguments)
    database = duckdb.connect()
    database.execute(f"SET threads = {arguments.threads}")
    held = polars.from_arrow(table)

    def ours(source):
        return lambda: engine.run(our_chain(source))

    def kept_result(source):
        return lambda: engine.run(f"CREATE OR REPLACE TABLE result AS {our_chain(source)}")

    def streamed(frame):
        return {
            "polars streaming": lambda: polars_chain(frame()).collect(engine="streaming"),
            "polars batches": lambda: polars_chain(frame()).sink_batches(lambda batch: None),
            "polars in memory": lambda: polars_chain(frame()).collect(),
        }

    def by_duckdb(source):
        return {"duckdb": lambda: database.sql(duckdb_chain(source)).to_arrow_table()}

    cases = [
        ("Arrow memory", ours("held"), streamed(held.lazy) | by_duckdb("held"), 2),
        ("Arrow memory, result kept", kept_result("held"), streamed(held.lazy), None),
        ("kept table", ours("kept"), streamed(held.lazy) | by_duckdb("held"), 2),
    ]
    for writer, path, bar in (("Polars", by_polars, 2.5), ("pyarrow", by_pyarrow, 2.5)):
        source = f"by_{writer.lower()}"
        peers = streamed(lambda path=path: polars.scan_parquet(path)) | by_duckdb(f"'{path}'")
        cases.append((f"Parquet by {writer}, streamed", ours(source), peers, bar))
        cases.append((f"Parquet by {writer}, result kept", kept_result(source), peers, 2))
    database.register("held", table)
    rows = (table.num_rows, "rows/s")
    for name, call, peers, bar in cases:
        if table_of_bars.wants(name):
            table_of_bars.measure(f"criteo, {name}", call, peers, bar, rows)
    engine.close()
