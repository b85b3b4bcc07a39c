"""Compares windows with DuckDB: random functions, frames, exclusions, nulls, ties and partitions from a printed seed.

    .venv/bin/python tests/oracle/window_compare.py --program target/debug/hypostyle --cases 3000 [--seed 7]

A case is one column `function(..) OVER (..)`; several cases stand in one query, and each is compared on its own. Orders are
total where the result depends on the order of ties, since DuckDB leaves that open. Sizes of tables, batches, threads and
memory limits are random too: the answer is the same for all. A query that fails in one engine is taken apart case by case.
"""

import argparse
import concurrent.futures
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import duckdb

from compare import ROOT, close

# Variances of few values cancel in their last digits, which is no part of the specification.
ABSOLUTE_TOLERANCE = 1e-9

CASES_PER_QUERY = 12
TABLE = """
SELECT
    i AS id,
    CASE WHEN i * 7919 % 11 = 0 THEN NULL ELSE i * 7919 % {keys} END AS k,
    CASE WHEN i * 104729 % 13 = 0 THEN NULL ELSE chr(CAST(97 + i * 104729 % 3 AS INTEGER)) END AS g,
    CASE WHEN i * 15485863 % 9 = 0 THEN NULL ELSE CAST(i * 15485863 % 17 - 8 AS INTEGER) END AS x,
    CASE WHEN i * 32452843 % 10 = 0 THEN NULL ELSE (i * 32452843 % 41 - 20) / 4.0::DOUBLE END AS f,
    CAST(i * 49979687 % 23 - 11 AS DECIMAL(9, 2)) / 4 AS q,
    CASE WHEN i * 67867967 % 12 = 0 THEN NULL ELSE 's' || (i * 67867967 % 19) || repeat('x', CAST(i % 15 AS INTEGER)) END AS s,
    CASE WHEN i * 86028121 % 14 = 0 THEN NULL ELSE i * 86028121 % 3 = 0 END AS b,
    CASE WHEN i * 122949823 % 15 = 0 THEN NULL ELSE DATE '2024-01-28' + CAST(i * 122949823 % 40 AS INTEGER) END AS d,
    CASE WHEN i * 141650939 % 16 = 0 THEN NULL
         ELSE TIMESTAMP '2024-01-30 12:00:00' + INTERVAL (i * 141650939 % 500) HOUR END AS ts,
    CAST(i % 3 AS BIGINT) AS n,
    TIMESTAMP '2024-02-27 12:00:00' + INTERVAL (i * 179424673 % 300) HOUR AS moment,
    CASE WHEN i * 198491317 % 8 = 0 THEN NULL ELSE (i * 198491317 % 1009 - 500) * pow(2.0, i * 217645199 % 70 - 30) END AS w
FROM range({rows}) t(i)
"""
# Aggregates whose result does not depend on the order of rows: any order and frame will do.
UNORDERED = [
    "count(*)", "count(x)", "count(s)", "sum(x)", "sum(f)", "sum(q)", "sum(b)", "avg(x)", "avg(f)", "avg(q)", "min(x)", "max(x)",
    "sum(w)", "avg(w)", "min(w)", "max(w)", "sum(id)", "min(f)", "max(f)", "min(s)", "max(s)", "min(d)", "max(ts)", "min(q)", "bool_and(b)", "bool_or(b)", "bit_and(id)",
    "bit_or(id)", "bit_xor(id)", "var_pop(x)", "stddev_samp(f)", "covar_pop(x, f)", "median(x)",
    "quantile_cont(f, 0.3)", "quantile_disc(x, 0.7)", "count(DISTINCT x)", "count(DISTINCT s)", "sum(DISTINCT x)",
    "avg(DISTINCT f)", "min(DISTINCT s)", "list(x ORDER BY id)", "string_agg(s, '-' ORDER BY id)", "list(DISTINCT x ORDER BY x)",
    "arg_max(id, id * 31 % 1009)", "arg_min(s, id * 37 % 1009)", "histogram(x)", "first(id ORDER BY id DESC)",
]
# Those that see the rows in the window's order.
ORDERED = ["list(x)", "list(s)", "string_agg(s, ',')", "first(x)", "last(s)", "list(id) FILTER (WHERE x > 0)", "any_value(x)"]
VALUES = ["x", "s", "f", "id", "d", "[x, id]", "b"]
OFFSETS = ["0", "1", "2", "5", "n"]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *options):
        return self.random.choice(options)

    def chance(self, share):
        return self.random.random() < share

    def partition(self):
        return self.pick("", "", "PARTITION BY k", "PARTITION BY g", "PARTITION BY k, g", "PARTITION BY x > 0", "PARTITION BY s")

    def direction(self):
        return self.pick("", "", " DESC", " NULLS FIRST", " DESC NULLS FIRST", " ASC NULLS LAST")

    def total_order(self):
        keys = [self.pick("x", "f", "s", "d", "ts", "moment", "q", "b", "x + id % 2") + self.direction() for _ in range(self.random.randrange(3))]
        return "ORDER BY " + ", ".join(keys + ["id" + self.pick("", " DESC")])

    def order(self):
        """Keys with ties."""
        count = self.random.randrange(3)
        keys = [self.pick("x", "f", "s", "d", "ts", "moment", "q", "b", "k") + self.direction() for _ in range(count)]
        return "ORDER BY " + ", ".join(keys) if keys else ""

    def bounds(self, offsets):
        """Two bounds of which the first does not come behind the second."""
        def bound(place):
            if place == 0:
                return "UNBOUNDED PRECEDING"
            if place == 4:
                return "UNBOUNDED FOLLOWING"
            if place == 2:
                return "CURRENT ROW"
            return self.pick(*offsets) + (" PRECEDING" if place == 1 else " FOLLOWING")
        start = self.random.randrange(4)
        end = self.random.randrange(max(start, 1), 5)
        if start == 0 and end == 0:
            end = 2
        return f"BETWEEN {bound(start)} AND {bound(end)}"

    def exclude(self):
        return self.pick("", "", "", " EXCLUDE NO OTHERS", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES")

    def framed_order(self, needs_total):
        """An order and a frame over it."""
        units = self.pick("", "ROWS", "RANGE", "RANGE", "GROUPS", "ROWS")
        if units == "":
            return self.total_order() if needs_total else self.order()
        if units == "RANGE":
            key, offsets = self.pick(
                ("x", ["0", "1", "3", "n", "1.5"]),
                ("f", ["0", "0.25", "1", "n", "2.5"]),
                ("q", ["0", "0.5", "1", "n"]),
                ("d", ["INTERVAL 1 DAY", "INTERVAL 7 DAYS", "INTERVAL '1 month'", "INTERVAL 0 DAYS"]),
                ("ts", ["INTERVAL 1 HOUR", "INTERVAL '3 days'", "INTERVAL '1 month 2 hours'", "INTERVAL (n) DAY"]),
                ("moment", ["INTERVAL 1 HOUR", "INTERVAL '3 days'", "INTERVAL '1 month'", "INTERVAL '2 days 90 minutes'", "INTERVAL (n) DAY"]),
                ("moment", ["INTERVAL 0 HOUR", "INTERVAL 12 HOURS"]),
                ("id", ["0", "3", "n"]),
            )
            if needs_total:
                key, offsets = "id", ["0", "3", "n"]
            return f"ORDER BY {key}{self.direction()} RANGE {self.bounds(offsets)}{self.exclude()}"
        order = self.total_order() if units == "ROWS" or needs_total else self.order()
        return f"{order} {units} {self.bounds(OFFSETS)}{self.exclude()}"

    def first_rows(self):
        """A condition that leaves the first rows of each partition."""
        partition = self.pick("PARTITION BY k", "PARTITION BY g", "PARTITION BY k, g", "PARTITION BY k % 3, g", "")
        rows = self.pick("= 1", "<= 2", "<= 3", "< 7", "<= 40")
        if self.chance(0.2):
            return f"rank() OVER ({partition} {self.order() or 'ORDER BY x'}) {rows}"
        return f"row_number() OVER ({partition} {self.total_order()}) {rows}"

    def filter(self):
        return self.pick("", "", "", " FILTER (WHERE x > 0)", " FILTER (WHERE b)", " FILTER (WHERE s IS NOT NULL AND id % 3 > 0)")

    def case(self):
        kind = self.random.randrange(10)
        partition = self.partition()
        if kind < 5:
            call = self.pick(*UNORDERED) + self.filter()
            return f"{call} OVER ({partition} {self.framed_order(False)})"
        if kind < 6:
            call = self.pick(*ORDERED)
            return f"{call} OVER ({partition} {self.framed_order(True)})"
        if kind < 7:
            call = self.pick("rank()", "dense_rank()", "percent_rank()", "cume_dist()")
            return f"{call} OVER ({partition} {self.order()})"
        if kind < 8:
            call = self.pick("row_number()", "ntile(3)", "ntile(n + 1)", "ntile(100)")
            return f"{call} OVER ({partition} {self.total_order()})"
        value, nulls = self.pick(*VALUES), self.pick("", "", " IGNORE NULLS")
        if kind < 9:
            offset = self.pick("", ", 1", ", 2", ", n", ", -1", ", 0", ", NULL", ", 1, " + value, ", 3, NULL")
            call = self.pick("lag", "lead") + f"({value}{offset}{nulls})"
            return f"{call} OVER ({partition} {self.total_order()})"
        inner = self.pick("", "", f" {self.total_order()}")
        call = self.pick(
            f"first_value({value}{inner}{nulls})", f"last_value({value}{inner}{nulls})",
            f"nth_value({value}, 2{inner}{nulls})", f"nth_value({value}, n{inner}{nulls})",
        )
        if inner and self.chance(0.4):
            call = self.pick(f"row_number({inner})", f"rank({self.order() or 'ORDER BY x'})", f"lag({value}, 1{inner})",
                             f"lead({value}, 2, {value}{inner})", f"cume_dist({self.order() or 'ORDER BY x'})",
                             f"percent_rank({self.order() or 'ORDER BY x'})", f"ntile(2{inner})")
            frame = self.framed_order(True)
            return f"{call} OVER ({partition} {frame.split(' EXCLUDE')[0]})"
        return f"{call} OVER ({partition} {self.framed_order(True)})"


def near(left, right):
    """Equal but for last digits."""
    if left is None or right is None:
        return False
    return close(left, right) or abs(float(left) - float(right)) < ABSOLUTE_TOLERANCE


class Engines:
    def __init__(self, program, folder):
        self.program, self.folder = program, pathlib.Path(folder)
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone='UTC'")
        self.connection.execute("SET threads=1")
        self.tables = {}

    def table(self, rows, keys):
        name = f"t{rows}_{keys}"
        if name not in self.tables:
            path = self.folder / f"{name}.parquet"
            duckdb.sql(TABLE.format(rows=rows, keys=keys)).write_parquet(str(path), row_group_size=max(rows // 3, 1))
            self.tables[name] = path
            self.connection.execute(f"CREATE VIEW {name} AS FROM '{path}'")
        return name

    def ours(self, number, sql, options):
        path = self.folder / f"{number}.parquet"
        tables = [argument for name, file in self.tables.items() if name in sql for argument in ("--table", f"{name}={file}")]
        command = [self.program, "query", sql, *tables, *options, "--format", "parquet", "--output", str(path)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=600)
        return (path, None) if run.returncode == 0 else (None, run.stderr.strip() or f"exit status {run.returncode}")

    def rows(self, relation):
        cursor = self.connection.cursor()
        cursor.execute("SET TimeZone='UTC'")
        described = cursor.execute(f"DESCRIBE {relation}").fetchall()
        names = [f"c{position}" for position in range(len(described))]
        casts = ", ".join(f"CAST({name} AS VARCHAR)" for name in names)
        answer = cursor.execute(f"SELECT {casts} FROM ({relation}) AS answer({', '.join(names)}) ORDER BY c0").fetchall()
        return [row[1] for row in described], answer

    def first_row_problems(self, number, table, condition, options):
        """What differs in the rows that a condition on their number leaves."""
        sql = f"SELECT id, x, s, w FROM {table} QUALIFY {condition}"
        path, error = self.ours(number, sql, options)
        if error:
            return [(sql, error)]
        ours, theirs = self.rows(f"SELECT * FROM '{path}'")[1], self.rows(sql)[1]
        path.unlink()
        return [] if ours == theirs else [(sql, f"{len(ours)} rows {ours[:3]}, DuckDB {len(theirs)} rows {theirs[:3]}")]

    def problems(self, number, table, cases, options):
        """What differs: case and text."""
        sql = f"SELECT id, {', '.join(cases)} FROM {table}"
        path, our_error = self.ours(number, sql, options)
        try:
            types, theirs = self.rows(sql)
            their_error = None
        except duckdb.Error as error:
            their_error = str(error).splitlines()[0]
        if our_error or their_error:
            if len(cases) > 1:
                single = [self.problems(f"{number}_{index}", table, [case], options) for index, case in enumerate(cases)]
                return [problem for problems in single for problem in problems]
            if our_error and their_error and our_error.startswith("hypostyle: "):
                return []
            return [(cases[0], f"ours: {our_error}; DuckDB: {their_error}")]
        our_types, ours = self.rows(f"SELECT * FROM '{path}'")
        path.unlink()
        found = []
        for column, case in enumerate(cases, start=1):
            differing = [
                (left[0], left[column], right[column])
                for left, right in zip(ours, theirs)
                if left[column] != right[column]
                and not (types[column] in ("FLOAT", "DOUBLE") and near(left[column], right[column]))
            ]
            if our_types[column] != types[column] and "HUGEINT" not in types[column]:
                found.append((case, f"type {our_types[column]}, DuckDB {types[column]}"))
            if differing:
                row, left, right = differing[0]
                found.append((case, f"{len(differing)} rows of {len(ours)}; id {row}: {left}, DuckDB: {right}"))
        if len(ours) != len(theirs):
            found.append((sql, f"{len(ours)} rows, DuckDB has {len(theirs)}"))
        return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "target/debug/hypostyle"))
    parser.add_argument("--cases", type=int, default=600, help="number of random columns")
    parser.add_argument("--seed", type=int, default=None, help="seed [default: a new one]")
    arguments = parser.parse_args()
    seed = random.randrange(1 << 32) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        engines = Engines(arguments.program, folder)
        jobs, firsts = [], []
        for number in range(-(-arguments.cases // CASES_PER_QUERY)):
            generator = Generator(seed + number * 7_919)
            table = engines.table(generator.pick(1, 7, 60, 60, 300), generator.pick(1, 4, 30))
            options = ["--threads", str(generator.pick(1, 2))] + generator.pick([], [], ["--memory-limit", "3MB"])
            jobs.append((number, table, [generator.case() for _ in range(CASES_PER_QUERY)], options))
            firsts.append((f"first{number}", table, generator.first_rows(), options))
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            found = [problem for problems in pool.map(lambda job: engines.problems(*job), jobs) for problem in problems]
            found += [problem for problems in pool.map(lambda job: engines.first_row_problems(*job), firsts) for problem in problems]
    for case, problem in found:
        print(f"--\n{case}\n  => {problem}")
    print(f"{len(jobs) * CASES_PER_QUERY + len(firsts)} cases, {len(found)} differ (seed {seed})")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
