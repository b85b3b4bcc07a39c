"""Compares random queries with subqueries against DuckDB; prints the seed, and each query that differs.

    .venv/bin/python tests/oracle/subqueries.py --program target/debug/hypostyle --random 2000 [--seed 7]

All queries of a part run in one shell, which writes one Parquet file each. Rows are compared in any order. An error is
a right answer only where both give one; DuckDB's own refusals and internal errors are counted apart.
"""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import duckdb

import random_subquery

ROOT = pathlib.Path(__file__).resolve().parents[2]
PART = 100
# What DuckDB cannot plan or crashes on; the engine may answer.
REFUSED = ("Not implemented", "INTERNAL", "Binder Error")


def run_part(program, threads, seed, numbers, folder):
    """Answers of the program to some queries: paths by number, and what it wrote to its error stream."""
    queries = {number: random_subquery.query(seed, number) for number in numbers}
    script = [f"{statement};" for statement in random_subquery.setup()]
    paths = {number: pathlib.Path(folder) / f"{number}.parquet" for number in numbers}
    script += [f"COPY (SELECT * FROM ({sql})) TO '{paths[number]}';" for number, sql in queries.items()]
    run = subprocess.run([program, "shell", "--threads", str(threads)], input="\n".join(script), text=True,
                         capture_output=True, timeout=1800)
    return queries, paths, run


def problem(connection, sql, path):
    """What differs, or None; "refused" where DuckDB has no answer."""
    try:
        theirs = collections.Counter(connection.execute(sql).fetchall())
    except duckdb.Error as error:
        message = str(error).splitlines()[0]
        if message.startswith(REFUSED):
            return "refused"
        return f"no error, but DuckDB: {message}" if path.exists() else None
    if not path.exists():
        return "an error, but DuckDB answers"
    ours = collections.Counter(connection.execute(f"SELECT * FROM '{path}'").fetchall())
    if ours == theirs:
        return None
    return f"only ours {list((ours - theirs).items())[:4]}, only DuckDB's {list((theirs - ours).items())[:4]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "target/debug/hypostyle"))
    parser.add_argument("--random", type=int, default=500, help="number of random queries")
    parser.add_argument("--seed", type=int, default=None, help="seed of the random queries [default: a new one]")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    seed = random.randrange(1 << 32) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    for statement in random_subquery.setup():
        connection.execute(statement)
    differing = refused = 0
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = [range(first, min(first + PART, arguments.random)) for first in range(0, arguments.random, PART)]
        runs = pool.map(lambda part: run_part(arguments.program, arguments.threads, seed, part, folder), parts)
        for queries, paths, run in runs:
            if run.returncode != 0:
                print(f"exit status {run.returncode}: {run.stderr[-2000:]}")
                differing += 1
            for number, sql in queries.items():
                found = problem(connection, sql, paths[number])
                refused += found == "refused"
                if found is not None and found != "refused":
                    differing += 1
                    print(f"-- {number}\n{sql}\n  => {found}", flush=True)
    print(f"{arguments.random} queries, {differing} differ, {refused} without an answer of DuckDB (seed {seed})")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
