"""Compares joins with DuckDB: random queries over small tables with nulls and duplicates, from a printed seed.

    .venv/bin/python tests/oracle/joins.py --program target/debug/hypostyle --cases 2000 [--seed 7] [--memory-limit 2MB]

Every kind of join, keys of several types, `IS NOT DISTINCT FROM`, further conditions, joins of three tables, IN and
NOT IN as conditions and as values. Rows are compared as multisets, since only ORDER BY states an order.
"""

import argparse
import pathlib
import random
import subprocess
import sys
import tempfile

import duckdb

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES_PER_PROCESS = 50
ROWS = [0, 1, 7, 60, 400, 3000]

TABLE = """
SELECT
    x AS id,
    CASE WHEN hash(x, {seed}, 1) % 9 = 0 THEN NULL ELSE (hash(x, {seed}, 2) % {keys})::INTEGER END AS k,
    CASE WHEN hash(x, {seed}, 3) % 8 = 0 THEN NULL
        ELSE ['a', 'bb', 'a text that is longer than twelve bytes ', ''][(hash(x, {seed}, 4) % 4 + 1)::INTEGER]
            || (hash(x, {seed}, 5) % {keys}) END AS t,
    CASE WHEN hash(x, {seed}, 6) % 10 = 0 THEN NULL ELSE (hash(x, {seed}, 7) % 20)::BIGINT END AS v,
    CASE WHEN hash(x, {seed}, 8) % 7 = 0 THEN NULL
        ELSE DATE '2024-01-01' + (hash(x, {seed}, 9) % {keys})::INTEGER END AS d,
    (hash(x, {seed}, 10) % {keys} * 1000003)::BIGINT AS w,
    CASE WHEN hash(x, {seed}, 11) % 11 = 0 THEN 'nan'::DOUBLE ELSE hash(x, {seed}, 12) % 5 / 2 END AS f
FROM range({rows}) r(x)
"""


class Queries:
    """Makes random queries; the same seed makes the same ones."""

    def __init__(self, seed, tables):
        self.random = random.Random(seed)
        self.tables = tables

    def pick(self, options):
        return self.random.choice(options)

    def key(self, left, right):
        column = self.pick(["k", "t", "d", "w", "k", "f"])
        forms = ["{l}.{c} = {r}.{c}"] * 5 + ["{l}.{c} IS NOT DISTINCT FROM {r}.{c}"] * 2
        if column in ("k", "w"):
            forms += ["{l}.{c} + 1 = {r}.{c}", "{l}.{c} = {r}.{c} % 3", "{l}.{c} = {r}.v"]
        return self.pick(forms).format(l=left, r=right, c=column)

    def residual(self, left, right):
        forms = [
            "{l}.v < {r}.v",
            "{l}.v + {r}.v > 20",
            "{l}.v <> {r}.v",
            "({l}.v > 10 OR {r}.t IS NULL)",
            "{l}.v > 4",
            "{r}.v < 15",
            "{l}.t < {r}.t",
            "{l}.id % 3 = {r}.id % 3",
            "({l}.k = {r}.k OR {l}.d = {r}.d)",
        ]
        return self.pick(forms).format(l=left, r=right)

    def condition(self, left, right):
        terms = [self.key(left, right) for _ in range(self.pick([0, 1, 1, 1, 1, 2, 2]))]
        terms += [self.residual(left, right) for _ in range(self.pick([0, 0, 1, 1, 2]))]
        return " AND ".join(terms or [self.residual(left, right)])

    def small(self, name):
        """A name that is no large table: pairs without keys are many."""
        return name if self.tables[name] <= 400 else "t400_a"

    def two(self):
        left, right = self.pick(list(self.tables)), self.pick(list(self.tables))
        condition = self.condition("a", "b")
        if "=" not in condition and "DISTINCT" not in condition:
            left, right = self.small(left), self.small(right)
        kind = self.pick(["INNER", "LEFT", "RIGHT", "FULL", "SEMI", "ANTI"])
        columns = "a.*" if kind in ("SEMI", "ANTI") else "a.*, b.*"
        from_ = f"{left} a {kind} JOIN {right} b ON {condition}"
        return self.pick([
            f"SELECT {columns} FROM {from_}" if self.tables[left] * self.tables[right] < 200_000
            else f"SELECT count(*) AS n, sum(a.v) AS x, min(a.t) AS y, max(a.d) AS z FROM {from_}",
            f"SELECT a.k, count(*) AS n, sum(a.v) AS x, min(a.t) AS y FROM {from_} GROUP BY a.k",
            f"SELECT count(*) AS n FROM {from_} WHERE {self.pick(['a.v > 3', 'a.t IS NOT NULL', 'a.k IN (1, 2, 3)'])}",
        ])

    def three(self):
        tables = [self.pick([name for name, rows in self.tables.items() if rows <= 400]) for _ in range(3)]
        first, second = (self.pick(["INNER", "INNER", "LEFT", "RIGHT", "FULL"]) for _ in range(2))
        on_first, on_second = self.condition("a", "b"), self.condition(self.pick(["a", "b"]), "c")
        where = self.pick(["", "", " WHERE a.v > 5", " WHERE b.k = 2", " WHERE c.t IS NULL", " WHERE a.k = c.k"])
        return (
            f"SELECT count(*) AS n, sum(a.v) AS x, sum(b.v) AS y, sum(c.v) AS z FROM {tables[0]} a "
            f"{first} JOIN {tables[1]} b ON {on_first} {second} JOIN {tables[2]} c ON {on_second}{where}"
        )

    def membership(self):
        left, right = self.pick(list(self.tables)), self.pick(list(self.tables))
        column = self.pick(["k", "t", "d", "w"])
        where = self.pick(["", " WHERE b.v < 5", " WHERE b.k IS NOT NULL", f" WHERE b.{column} IS NOT NULL"])
        test = f"a.{column} {self.pick(['IN', 'NOT IN'])} (SELECT b.{column} FROM {right} b{where})"
        return self.pick([
            f"SELECT a.* FROM {left} a WHERE {test}",
            f"SELECT a.id, {test} AS x FROM {left} a",
            f"SELECT a.id FROM {left} a WHERE {test} OR a.v > 15",
            f"SELECT x, count(*) AS n FROM (SELECT {test} AS x FROM {left} a) GROUP BY x",
        ])

    def using(self):
        left, right = self.pick(list(self.tables)), self.pick(list(self.tables))
        kind = self.pick(["INNER", "LEFT", "RIGHT", "FULL"])
        columns = self.pick(["k, d", "t", "w, k", "k, t"])
        return f"SELECT {columns}, count(*) AS n FROM {left} a {kind} JOIN {right} b USING ({columns}) GROUP BY ALL"

    def query(self):
        return self.pick([self.two, self.two, self.two, self.three, self.membership, self.membership, self.using])()


def tables(folder, seed):
    """Row counts by name; the files are written."""
    counts = {}
    for rows in ROWS:
        for letter in "ab":
            name = f"t{rows}_{letter}"
            keys = max(2, rows // 10) if letter == "a" else max(3, rows // 3)
            sql = TABLE.format(seed=seed % 1000 + ord(letter) + rows, keys=keys, rows=rows)
            duckdb.sql(sql).write_parquet(f"{folder}/{name}.parquet", row_group_size=2048)
            counts[name] = rows
    return counts


def rows_of(connection, relation):
    return sorted(map(repr, connection.execute(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({relation})").fetchall()))


class Program:
    """Runs queries in the program, many in one process."""

    def __init__(self, arguments, folder, names):
        self.folder = folder
        self.command = [arguments.program, "run", f"{folder}/run.sql", "--threads", str(arguments.threads)]
        self.command += [word for name in names for word in ("--table", f"{name}={folder}/{name}.parquet")]
        if arguments.memory_limit:
            self.command += ["--memory-limit", arguments.memory_limit]

    def run(self, numbered):
        """The error of the first query that fails, or None."""
        copies = [f"COPY ({sql}) TO '{self.folder}/{number}.parquet';" for number, sql in numbered]
        pathlib.Path(f"{self.folder}/run.sql").write_text("\n".join(copies))
        run = subprocess.run(self.command, capture_output=True, text=True, timeout=600)
        return None if run.returncode == 0 else run.stderr.strip() or f"exit status {run.returncode}"


def problem(connection, program, number, sql, error):
    """What differs, or None."""
    try:
        theirs = rows_of(connection, sql)
    except duckdb.Error as refused:
        return None if error else f"no error, but DuckDB: {str(refused).splitlines()[0]}"
    if error:
        return error
    path = pathlib.Path(f"{program.folder}/{number}.parquet")
    ours = rows_of(connection, f"SELECT * FROM '{path}'")
    path.unlink()
    if ours == theirs:
        return None
    extra = [row for row in ours if row not in set(theirs)][:3]
    missing = [row for row in theirs if row not in set(ours)][:3]
    return f"{len(ours)} rows, DuckDB has {len(theirs)}; only ours: {extra}; only DuckDB's: {missing}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "target/debug/hypostyle"))
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=None, help="seed of tables and queries [default: a new one]")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-limit", default=None, help="a limit that makes joins spill")
    arguments = parser.parse_args()
    seed = random.randrange(1 << 32) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    differing = 0
    with tempfile.TemporaryDirectory() as folder:
        counts = tables(folder, seed)
        connection = duckdb.connect()
        for name in counts:
            connection.execute(f"CREATE VIEW {name} AS FROM '{folder}/{name}.parquet'")
        program = Program(arguments, folder, counts)
        queries = Queries(seed, counts)
        cases = [(number, queries.query()) for number in range(arguments.cases)]
        for start in range(0, len(cases), CASES_PER_PROCESS):
            chunk = cases[start : start + CASES_PER_PROCESS]
            failed = program.run(chunk) is not None
            for number, sql in chunk:
                error = program.run([(number, sql)]) if failed else None
                found = problem(connection, program, number, sql, error)
                if found:
                    differing += 1
                    print(f"--\n{sql}\n  => {found}", flush=True)
    print(f"{len(cases)} queries, {differing} differ (seed {seed})")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
