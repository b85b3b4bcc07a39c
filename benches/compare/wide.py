"""Wide tables: what it costs to select few of thousands of columns, and to compute thousands of features.

    python benches/compare/wide.py --program target/release/hypostyle

A Parquet file of 5,000 columns and 100,000 rows. Each engine opens the file and selects 5 columns in a process of its
own: the time, and the bytes that it reads. A projection of 2,000 feature expressions is planned (EXPLAIN in the open
session), and run. Answers of both queries must be those of DuckDB before any time counts.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import answers
from engines import EngineError, Hypostyle, Peer

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIB = 1 << 20
FORMS = [
    "ln(1 + f{a})",
    "(f{a} - 127.5) / 73.9",
    "CASE WHEN f{a} > f{b} THEN f{a} ELSE f{b} * 2 END",
    "least(greatest(f{a}, 10), 200)",
    "f{a} * f{b} + {number}",
    "coalesce(f{count}, 0) + 1",
    "floor(f{a} / 16)",
    "sqrt(f{a}) - f{b}",
]


def few(columns):
    places = [columns * part // 10 for part in (1, 3, 5, 7, 9)]
    return "SELECT " + ", ".join(f"f{place}" for place in places) + " FROM wide"


def features(columns, expressions):
    """Expressions of several forms, each over other columns; every fifth column holds counts with nulls."""

    def measurement(place):
        return place + 1 if place % 5 == 4 else place

    def expression(number):
        a, b = measurement(number * 7 % (columns - 1)), measurement((number * 13 + 1) % (columns - 1))
        count = number * 5 % columns // 5 * 5 + 4
        return FORMS[number % len(FORMS)].format(a=a, b=b, count=count, number=number)

    listed = ", ".join(f"{expression(number)} AS e{number}" for number in range(expressions))
    return f"SELECT {listed} FROM wide"


def open_engine(name, arguments):
    if name == "hypostyle":
        return Hypostyle(arguments.program, arguments.threads)
    return Peer(name, arguments.threads)


def bytes_read(engine):
    lines = pathlib.Path(f"/proc/{engine.process.pid}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("rchar"))


def from_start(name, path, sql, arguments):
    """Seconds and bytes of opening the file and running a query once, the process being up."""
    engine = open_engine(name, arguments)
    try:
        # The first statement loads what an engine loads once.
        engine.run("SELECT 1 AS x")
        before, start = bytes_read(engine), time.monotonic()
        engine.views({"wide": path})
        engine.run(sql)
        return time.monotonic() - start, bytes_read(engine) - before
    finally:
        engine.close()


def again(name, path, sql, arguments):
    """Median seconds of a query in an open session."""
    engine = open_engine(name, arguments)
    try:
        engine.views({"wide": path})
        return statistics.median(engine.run(sql) for _ in range(arguments.rounds + 1))
    finally:
        engine.close()


def check(path, sql, arguments, folder):
    """The difference of our answer from DuckDB's, or None."""
    rows = []
    for name in ("hypostyle", "duckdb"):
        engine = open_engine(name, arguments)
        engine.views({"wide": path})
        engine.answer(f"SELECT * FROM ({sql}) LIMIT 2000", folder / f"{name}.arrow")
        engine.close()
        rows.append(answers.rows_of(folder / f"{name}.arrow"))
    return answers.difference(*rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "target/release/hypostyle"))
    parser.add_argument("--data", default=None, help="folder that keeps the generated file")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=5_000)
    parser.add_argument("--expressions", type=int, default=2_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", default="duckdb,polars")
    arguments = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path = pathlib.Path(arguments.data or folder) / f"wide-{arguments.columns}-{arguments.rows}.parquet"
        if not path.exists():
            words = ["--rows", str(arguments.rows), "--columns", str(arguments.columns), "--output", str(path)]
            subprocess.run([arguments.program, "generate", "wide", *words], check=True)
        print(f"{arguments.columns} columns, {arguments.rows} rows, {path.stat().st_size / MIB:.0f} MiB, {arguments.threads} threads")
        small, large = few(arguments.columns), features(arguments.columns, arguments.expressions)
        for label, sql in (("5 columns", small), (f"{arguments.expressions} expressions", large)):
            difference = check(str(path), sql, arguments, folder)
            failures += difference is not None
            print(f"{label}: {'equal to DuckDB' if difference is None else 'DIFFERENT: ' + difference[:200]}")
        for engine in ["hypostyle", *arguments.peers.split(",")]:
            try:
                runs = [from_start(engine, str(path), small, arguments) for _ in range(arguments.rounds)]
                seconds, read = statistics.median(run[0] for run in runs), statistics.median(run[1] for run in runs)
                print(f"{engine:<10} open and select 5: {seconds * 1000:8.1f} ms, {read / MIB:7.2f} MiB read", end="", flush=True)
                print(f"; again {again(engine, str(path), small, arguments) * 1000:8.1f} ms", flush=True)
                if engine == "hypostyle":
                    planned = again(engine, str(path), f"EXPLAIN {large}", arguments)
                    failures += planned >= 0.1
                    print(f"{engine:<10} plan {arguments.expressions}: {planned * 1000:8.1f} ms", flush=True)
                elif engine == "duckdb":
                    planned = again(engine, str(path), f"EXPLAIN {large}", arguments)
                    print(f"{engine:<10} plan {arguments.expressions}: {planned * 1000:8.1f} ms", flush=True)
                seconds = again(engine, str(path), large, arguments)
                values = arguments.rows * arguments.expressions
                print(f"{engine:<10} run {arguments.expressions}: {seconds:8.3f} s, {seconds * 1e9 / values:6.2f} ns a value", flush=True)
            except EngineError as error:
                print(f"{engine:<10} refused: {str(error)[:150]}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
