"""Fits side by side with scikit-learn, Polars and DuckDB: 13 standard scales and 26 vocabularies of a click log in Parquet.

    PYTHONPATH=bindings/python/python python benches/compare/fit.py --program target/release/hypostyle --data evidence/data

Every run reads the file, computes means and deviations of the counts and the vocabulary of each category (the most frequent first, equally
frequent ones by value), and has them in memory. Ours is the Python package where it is found, as the peers are, and is also shown as the
program, which starts, fits, and saves with indexes and checksums. scikit-learn sorts its vocabularies by value, which is less work, and is
read for by pyarrow. Before any time counts, moments and vocabularies of ours must be those of DuckDB. Runs alternate; the ratio is the
median over pairs of a peer's time by ours (above 1 we are faster), with the least and the greatest.
"""

import argparse
import io
import json
import os
import pathlib
import statistics
import subprocess
import time
import zipfile

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--program", required=True)
arguments.add_argument("--data", type=pathlib.Path, required=True)
arguments.add_argument("--rows", type=int, default=2_000_000)
arguments.add_argument("--threads", type=int, default=os.cpu_count())
arguments.add_argument("--runs", type=int, default=5)
arguments = arguments.parse_args()
os.environ["POLARS_MAX_THREADS"] = str(arguments.threads)

import duckdb
import numpy
import polars
import pyarrow
import pyarrow.parquet
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

COUNTS = [f"I{number}" for number in range(1, 14)]
CATEGORIES = [f"C{number}" for number in range(1, 27)]
SOURCE = arguments.data / f"criteo-{arguments.rows}.parquet"
SAVED = arguments.data / "fit.hyp"


def definition():
    scales = [f'standard_scale("{name}") AS "{name}"' for name in COUNTS]
    vocabularies = [f'vocab_encode("{name}") AS "{name}"' for name in CATEGORIES]
    return f"SELECT {', '.join(scales + vocabularies)} FROM input"


def package():
    """The fit in this process, which ends with the transform in memory; none where the package is not found."""
    try:
        import hypostyle
    except ImportError:
        return None
    session = hypostyle.Session(threads=arguments.threads)
    return lambda: session.fit(definition(), f"'{SOURCE}'")


def program():
    command = [arguments.program, "fit", definition(), "--from", SOURCE, "-o", SAVED, "--threads", str(arguments.threads)]
    subprocess.run(command, check=True, capture_output=True)


def by_duckdb():
    connection = duckdb.connect(config={"threads": arguments.threads})
    moments = ", ".join(f'avg("{name}"), stddev_pop("{name}")' for name in COUNTS)
    found = connection.sql(f"SELECT {moments} FROM '{SOURCE}'").fetchall()[0]
    vocabularies = []
    for name in CATEGORIES:
        sql = f'SELECT "{name}" AS v FROM \'{SOURCE}\' WHERE v IS NOT NULL GROUP BY v ORDER BY count(*) DESC, v'
        vocabularies.append(connection.sql(sql).to_arrow_table().column(0))
    return found, vocabularies


def by_polars():
    frame = polars.scan_parquet(SOURCE)
    moments = [polars.col(name).mean().alias(f"{name}_mean") for name in COUNTS]
    moments += [polars.col(name).std(ddof=0).alias(f"{name}_std") for name in COUNTS]
    plans = [frame.select(moments)]
    for name in CATEGORIES:
        counted = frame.select(name).drop_nulls().group_by(name).len()
        plans.append(counted.sort(["len", name], descending=[True, False]).select(name))
    return polars.collect_all(plans)


def by_sklearn():
    table = pyarrow.parquet.read_table(SOURCE)
    numbers = numpy.column_stack([table.column(name).to_numpy().astype(float) for name in COUNTS])
    categories = numpy.column_stack([table.column(name).to_pandas().to_numpy() for name in CATEGORIES])
    return StandardScaler().fit(numbers), OrdinalEncoder().fit(categories)


def check():
    program()
    moments, vocabularies = by_duckdb()
    with zipfile.ZipFile(SAVED) as archive:
        members = [member["name"] for member in json.loads(archive.read("manifest.json"))["members"]]
        read = lambda part: [
            pyarrow.ipc.open_file(io.BytesIO(archive.read(name))).read_all() for name in sorted(members) if name.endswith(part)
        ]
        values, keys = read("_values.arrow"), read("_keys.arrow")
    found = [value for table in values for value in (table["mean"][0].as_py(), table["std"][0].as_py())]
    assert numpy.allclose(found, moments, rtol=1e-9), "moments differ"
    for name, table, expected in zip(CATEGORIES, keys, vocabularies):
        assert table["keys"].to_pylist() == expected.to_pylist(), f"the vocabulary of {name} differs"
    print(f"equal: {len(moments)} moments, {sum(map(len, vocabularies))} entries of vocabularies")


def timed(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main():
    if not SOURCE.exists():
        words = ["generate", "criteo", "--rows", str(arguments.rows), "--output", str(SOURCE)]
        subprocess.run([arguments.program, *words], check=True)
    check()
    fitted = package()
    for name, peer in [("duckdb", by_duckdb), ("polars", by_polars), ("scikit-learn", by_sklearn)]:
        runs = 1 if name == "scikit-learn" else arguments.runs
        for kind, ours in [("fitted", fitted), ("fitted and saved", program)]:
            if ours is not None:
                show(f"{name}, {kind}", [(timed(ours), timed(peer)) for _ in range(runs)])


def show(name, pairs):
    ratios = sorted(theirs / own for own, theirs in pairs)
    own, theirs = (statistics.median(times) for times in zip(*pairs))
    print(f"{name:<30} {theirs:7.2f} s, ours {own:6.2f} s: {statistics.median(ratios):5.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})", flush=True)


main()
