"""Compares Hypostyle with DuckDB: listed queries, TPC-H, and random queries from a printed seed.

    .venv/bin/python tests/oracle/compare.py --program target/debug/hypostyle --random 200 [--seed 7]

Each query runs in the program, which writes Parquet, and in DuckDB; DuckDB reads both answers as text and they must be
equal row by row. Columns of floats may differ by a relative 1e-12, since last digits of transcendental functions and
of sums are not part of the specification. An error is a right answer only where both give one.
"""

import argparse
import concurrent.futures
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import duckdb

import random_query
import random_sets

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELATIVE_TOLERANCE = 1e-12
TPCH_TABLES = ["region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem"]


class Comparison:
    """Both engines over the same files."""

    def __init__(self, program, tables, folder):
        self.program, self.tables, self.folder = program, tables, pathlib.Path(folder)
        self.connection = duckdb.connect()
        for setting in ("TimeZone='UTC'", "threads=1", "lambda_syntax='ENABLE_SINGLE_ARROW'"):
            self.connection.execute(f"SET {setting}")
        for name, path in tables.items():
            self.connection.execute(f"CREATE VIEW {name} AS FROM '{path}'")

    def ours(self, number, sql):
        """Path of the program's answer, or its error."""
        path = self.folder / f"{number}.parquet"
        tables = [argument for name, file in self.tables.items() for argument in ("--table", f"{name}={file}")]
        command = [self.program, "query", sql, *tables, "--format", "parquet", "--output", str(path)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if run.returncode == 0:
            return path, None
        if run.returncode != 1 or not run.stderr.strip():
            return None, f"exit status {run.returncode}: {run.stderr.strip()}"
        return None, run.stderr.strip()

    def rows(self, relation):
        """Types and rows as text."""
        cursor = self.connection.cursor()
        for setting in ("TimeZone='UTC'", "lambda_syntax='ENABLE_SINGLE_ARROW'"):
            cursor.execute(f"SET {setting}")
        described = cursor.execute(f"DESCRIBE {relation}").fetchall()
        names = ", ".join(f"c{position}" for position in range(len(described)))
        casts = ", ".join(f"CAST(c{position} AS VARCHAR)" for position in range(len(described)))
        answer = cursor.execute(f"SELECT {casts} FROM ({relation}) AS answer({names})").fetchall()
        return [row[1] for row in described], answer

    def problem(self, number, sql):
        """What differs, or None."""
        path, our_error = self.ours(number, sql)
        try:
            types, theirs = self.rows(sql)
        except duckdb.Error as error:
            if our_error is None:
                return f"no error, but DuckDB: {str(error).splitlines()[0]}"
            return None if our_error.startswith("hypostyle: ") else our_error
        if our_error is not None:
            return our_error
        _, ours = self.rows(f"SELECT * FROM '{path}'")
        path.unlink()
        if len(ours) != len(theirs):
            return f"{len(ours)} rows, DuckDB has {len(theirs)}"
        for row, (left, right) in enumerate(zip(ours, theirs)):
            for data_type, a, b in zip(types, left, right):
                if a != b and not (data_type in ("FLOAT", "DOUBLE") and close(a, b)):
                    return f"row {row}: {left}\n     DuckDB: {right}"
        return None


def close(a, b):
    if a is None or b is None:
        return False
    a, b = float(a), float(b)
    return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-300)


def listed_queries():
    """Queries of queries.sql, one a paragraph, and those of TPC-H."""
    text = (ROOT / "tests/oracle/queries.sql").read_text()
    for paragraph in text.split("\n\n"):
        lines = [line for line in paragraph.splitlines() if not line.startswith("--")]
        if any(line.strip() for line in lines):
            yield "\n".join(lines).strip().rstrip(";")
    for path in sorted((ROOT / "tests/tpch").glob("*.sql")):
        yield "\n".join(line for line in path.read_text().splitlines() if not line.startswith("--")).strip()


def generate(program, folder, rows):
    """Seeded tables for both engines; paths by name."""
    for arguments in (
        ["criteo", "--rows", str(rows), "--output", f"{folder}/criteo.parquet"],
        ["events", "--rows", str(rows), "--dimension", "8", "--output", f"{folder}/events.parquet"],
        ["tpch", "--scale", "0.01", "--output", f"{folder}/tpch"],
    ):
        subprocess.run([program, "generate", *arguments], check=True, stderr=subprocess.DEVNULL)
    duckdb.sql(random_query.TABLE.format(rows=500)).write_parquet(f"{folder}/t.parquet", row_group_size=200)
    tables = {name: f"{folder}/{name}.parquet" for name in ("t", "criteo", "events")}
    return tables | {name: f"{folder}/tpch/{name}.parquet" for name in TPCH_TABLES}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "target/debug/hypostyle"))
    parser.add_argument("--random", type=int, default=200, help="number of random queries")
    parser.add_argument("--sets", type=int, default=100, help="number of random queries of groupings and sets")
    parser.add_argument("--seed", type=int, default=None, help="seed of the random queries [default: a new one]")
    parser.add_argument("--rows", type=int, default=5000, help="rows of the generated tables")
    arguments = parser.parse_args()
    seed = random.randrange(1 << 32) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        tables = generate(arguments.program, folder, arguments.rows)
        comparison = Comparison(arguments.program, tables, folder)
        queries = list(listed_queries())
        queries += [random_query.query(seed, number) for number in range(arguments.random)]
        queries += [random_sets.query(seed, number) for number in range(arguments.sets)]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            problems = list(pool.map(comparison.problem, range(len(queries)), queries))
    differing = [(sql, problem) for sql, problem in zip(queries, problems) if problem is not None]
    for sql, problem in differing:
        print(f"--\n{sql}\n  => {problem}")
    print(f"{len(queries)} queries, {len(differing)} differ (seed {seed})")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
