"""The recommender shape: 504 dense features, 42 lists of about 20 ids, 42 buckets of 4,096 borders; samples a second of one core.

Dense: fill, logarithm, scale. Lists: the first 20 ids, hashed into a table. Buckets: of the first dense features. From a table in
memory and from Parquet as Polars writes it, to Arrow columns.
"""

import subprocess

import numpy
import polars
import pyarrow.parquet

from bars.case import expect_equal, our_answer

# Logarithms of up to 14 in single precision are up to 1e-6 off, which a scaled difference from their mean keeps.
ABSOLUTE_TOLERANCE = 4e-6

ROWS = 20_000
DENSE = 504
SPARSE = 42
GENERATED = 42
BORDERS = 4_096
TABLE = 1_000_003
MEAN, DEVIATION = 8.2, 0.9


def borders():
    """Borders on a logarithmic scale, as quantiles of counts lie."""
    return numpy.expm1(numpy.linspace(0.01, numpy.log1p(1e6), BORDERS)).astype(numpy.float32)


def our_query(source):
    limits = ", ".join(repr(float(border)) for border in borders())
    dense = [f"standard_scale(log1p_clip(coalesce(d{at}, 0)), {MEAN}, {DEVIATION}, 'sklearn') AS d{at}" for at in range(DENSE)]
    sparse = [f"sigrid_hash(firstx(s{at}, 20), {at}, {TABLE}) AS s{at}" for at in range(SPARSE)]
    buckets = [f"bucketize(d{at}, borders) AS b{at}" for at in range(GENERATED)]
    # The borders stand in the text once; the plan puts them into each call.
    return f"WITH data AS (SELECT *, [{limits}] AS borders FROM {source}) SELECT label, {', '.join(dense + sparse + buckets)} FROM data"


def by_polars(frame):
    series = polars.Series("b", borders())
    dense = [((polars.col(f"d{at}").fill_null(0).log1p() - MEAN) / DEVIATION).cast(polars.Float32) for at in range(DENSE)]
    sparse = [polars.col(f"s{at}").list.head(20).list.eval(polars.element().hash(at) % TABLE) for at in range(SPARSE)]
    buckets = [
        polars.lit(series).search_sorted(polars.col(f"d{at}"), side="right").cast(polars.Int32).alias(f"b{at}") for at in range(GENERATED)
    ]
    return frame.select([polars.col("label"), *dense, *sparse, *buckets])


def check(engine, frame, folder):
    """Dense features and buckets against Polars; lists by their lengths, since its hash is another one."""
    ours = our_answer(engine, our_query("held"), folder)
    theirs = by_polars(frame.lazy()).collect()
    for at in range(0, DENSE, 7):
        expect_equal(f"d{at}", ours[f"d{at}"], theirs[f"d{at}"].to_arrow(), ABSOLUTE_TOLERANCE)
    for at in range(GENERATED):
        known = frame[f"d{at}"].is_not_null()
        expect_equal(f"b{at}", ours[f"b{at}"].filter(known.to_arrow()), theirs[f"b{at}"].filter(known).to_arrow())
    for at in range(SPARSE):
        lengths = polars.from_arrow(ours[f"s{at}"]).list.len()
        expect_equal(f"s{at}", lengths.to_arrow(), theirs[f"s{at}"].list.len().to_arrow())


def run(arguments, table_of_bars):
    rows = arguments.rows or ROWS
    generated = arguments.folder / f"recommender-{rows}.parquet"
    written = arguments.folder / f"recommender-{rows}-polars.parquet"
    if not generated.exists():
        subprocess.run([arguments.program, "generate", "recommender", "--rows", str(rows), "--output", str(generated)], check=True)
    frame = polars.from_arrow(pyarrow.parquet.read_table(generated))
    if not written.exists():
        frame.write_parquet(written)
    engine = table_of_bars.engine()
    engine.run(f"CREATE TABLE held AS FROM '{generated}'")
    engine.run(f"CREATE VIEW file AS FROM '{written}'")
    check(engine, frame, arguments.folder)
    unit = (rows / arguments.threads, "samples/s of a core")
    for name, source, lazy in (("in memory", "held", frame.lazy), ("from Parquet", "file", lambda: polars.scan_parquet(written))):
        engine.run(f"PREPARE {source}_query AS {our_query(source)}")
        peers = {
            "polars": lambda lazy=lazy: by_polars(lazy()).collect(),
            "polars streaming": lambda lazy=lazy: by_polars(lazy()).collect(engine="streaming"),
        }
        table_of_bars.measure(f"recommender, {name}", lambda source=source: engine.run(f"EXECUTE {source}_query"), peers, None, unit)
    engine.close()
