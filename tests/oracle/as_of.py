"""Compares joins by order with DuckDB on random tables: as-of joins, their extensions, and range joins.

    .venv/bin/python tests/oracle/as_of.py --program target/debug/hypostyle --cases 2000 [--seed 7]

An as-of join as DuckDB has it runs as the same text in both. What DuckDB leaves open (which of several rows at one
time is taken) is closed by tables without such rows. WITHIN, TIES BY and LAST NOT NULL are compared with their
definition: a lateral query that orders all candidates and takes the first. Some programs run under a small memory
limit, and with small batches; half of the rounds have most tables in the order of time, up or down.
"""

import argparse
import pathlib
import random
import subprocess
import sys
import tempfile

import duckdb

ROOT = pathlib.Path(__file__).resolve().parents[2]
BATCH = 40
TYPES = {
    "BIGINT": "{}::BIGINT",
    "INTEGER": "{}::INTEGER",
    "DOUBLE": "({} / 4)::DOUBLE",
    "TIMESTAMP": "TIMESTAMP '2024-01-01' + to_minutes({}::BIGINT)",
    "DATE": "DATE '2024-01-01' + {}::INTEGER",
    "DECIMAL": "({} / 10)::DECIMAL(9, 1)",
    "VARCHAR": "lpad({}::VARCHAR, 6, '0')",
}
KEYS = {"BIGINT": "{}::BIGINT", "VARCHAR": "'key of some length ' || {}", "DOUBLE": "{}::DOUBLE"}


class Tables:
    """Random tables of one round, as files that both engines read."""

    def __init__(self, connection, seed, folder):
        self.random = random.Random(seed)
        pick = self.random.choice
        self.time = pick(list(TYPES))
        key = KEYS[pick(list(KEYS))]
        self.keys = pick([1, 2, 20, 400])
        self.span = pick([10, 100, 5000])
        self.rows = {"l": pick([1, 2, 50, 700]), "r": pick([0, 1, 60, 900]), "u": pick([1, 60, 900])}
        self.in_order = pick([0.2, 0.9])
        self.paths = {}
        for name, rows in self.rows.items():
            values = [
                f"CASE WHEN hash(i, {seed}, 1) % 15 = 0 THEN NULL ELSE {key.format(f'(hash(i, {seed}, 2) % {self.keys})')} END AS k",
                f"CASE WHEN hash(i, {seed}, 3) % 15 = 0 THEN NULL ELSE {TYPES[self.time].format(f'(hash(i, {seed}, 4) % {self.span})')} END AS t",
                f"CASE WHEN hash(i, {seed}, 5) % 4 = 0 THEN NULL ELSE (hash(i, {seed}, 6) % 5)::INTEGER END AS tie",
                f"CASE WHEN hash(i, {seed}, 7) % 2 = 0 THEN NULL ELSE (hash(i, {seed}, 8) % 100)::INTEGER END AS v",
                f"CASE WHEN hash(i, {seed}, 9) % 3 = 0 THEN NULL ELSE 'text number ' || (hash(i, {seed}, 10) % 50) END AS s",
            ]
            query = f"SELECT i::BIGINT AS id, {', '.join(values)} FROM range({rows}) x(i)"
            if name == "u":
                # At most one row for each key and time, and the same without regard to keys.
                once = "row_number() OVER (PARTITION BY t ORDER BY id)"
                query = f"SELECT * FROM ({query}) WHERE t IS NOT NULL QUALIFY {once} = 1"
            direction = pick(["", "", "DESC"])
            order = f"ORDER BY t {direction}, id" if self.random.random() < self.in_order else "ORDER BY id"
            path = f"{folder}/{name}.parquet"
            connection.sql(f"{query} {order}").write_parquet(path, row_group_size=100)
            self.paths[name] = path

    def query(self):
        """A query for us, and one for DuckDB."""
        return self.random.choice([self.plain, self.plain, self.nearest, self.nearest, self.ranged])()

    def plain(self):
        pick = self.random.choice
        # DuckDB does not always end where such a join has few left rows, or rows in order.
        ends = self.rows["l"] >= 50 and self.in_order < 0.5
        kinds = ["", "INNER", "LEFT", "SEMI", "ANTI"] + (["RIGHT", "FULL"] if ends else [])
        kind = pick(kinds)
        operator = pick([">=", ">", "<=", "<"])
        order = f"l.t {operator} u.t"
        if self.random.random() < 0.3:
            order = f"u.t {({'>=': '<=', '>': '<', '<=': '>=', '<': '>'})[operator]} l.t"
        terms = [order]
        if self.random.random() < 0.8:
            terms.append(pick(["l.k = u.k", "u.k = l.k", "l.k IS NOT DISTINCT FROM u.k"]))
        if kind not in ("RIGHT", "FULL") and self.random.random() < 0.4:
            terms.append(pick(["u.v > 40", "l.v < 60", "l.tie + u.tie > 3", "l.s IS NOT NULL", "l.v + u.v > 60"]))
        self.random.shuffle(terms)
        columns = "l.id, l.t" if kind in ("SEMI", "ANTI") else "l.id, l.t, u.id, u.k, u.t, u.v, u.s"
        if self.random.random() < 0.15 and kind not in ("SEMI", "ANTI"):
            sql = f"SELECT k, t, l.id, u.id FROM l ASOF {kind} JOIN u USING (k, t)"
        else:
            sql = f"SELECT {columns} FROM l ASOF {kind} JOIN u ON {' AND '.join(terms)}"
        return sql, sql

    def distance(self):
        if self.time == "VARCHAR":
            return None
        number = self.random.choice([0, 1, self.span // 10, self.span])
        return {
            "TIMESTAMP": f"INTERVAL '{number} minutes'",
            "DATE": f"INTERVAL '{number} days'",
        }.get(self.time, str(number))

    def nearest(self):
        pick = self.random.choice
        left = self.random.random() < 0.6
        operator = pick([">=", ">", "<=", "<"])
        condition = f"l.t {operator} r.t"
        if self.random.random() < 0.85:
            condition += " AND l.k = r.k"
        if self.random.random() < 0.25:
            condition += pick([" AND coalesce(l.v, 50) <> coalesce(r.v, 50)", " AND r.tie > 1", " AND l.tie + r.tie > 2"])
        clauses, within, ties, last = [], "", "", []
        distance = self.distance()
        if distance and self.random.random() < 0.6:
            clauses.append(f"WITHIN {distance}")
            within = f" AND r.t >= l.t - {distance}" if operator[0] == ">" else f" AND r.t <= l.t + {distance}"
        if self.random.random() < 0.6:
            ties = pick(["r.tie", "r.tie DESC", "r.tie NULLS FIRST", "r.s DESC", "r.tie DESC, r.v", "r.v * 2 DESC NULLS FIRST"])
            clauses.append(f"TIES BY {ties}")
            ties += ", "
        if self.random.random() < 0.5:
            last = pick([["v"], ["s"], ["v", "s"], ["id", "k", "t", "tie", "v", "s"]])
            clauses.append("LAST NOT NULL" if len(last) > 2 else f"LAST NOT NULL ({', '.join(last)})")
        self.random.shuffle(clauses)
        columns = ["id", "k", "t", "v", "s"]
        ours = ", ".join(f"r.{column}" for column in columns)
        sql = f"SELECT l.id, l.k, {ours} FROM l ASOF {'LEFT' if left else ''} JOIN r ON {condition} {' '.join(clauses)}"
        direction = "DESC" if operator[0] == ">" else ""
        order = f"ORDER BY r.t {direction}, {ties}r.id DESC LIMIT 1"
        rows = f"FROM r WHERE {condition}{within}"
        value = lambda column: (
            f"(SELECT r.{column} {rows} AND r.{column} IS NOT NULL {order})" if column in last else f"m.{column}"
        )
        theirs = ", ".join(value(column) for column in columns)
        definition = (
            f"SELECT l.id, l.k, {theirs} FROM l {'LEFT' if left else ''} JOIN LATERAL "
            f"(SELECT r.* {rows} {order}) m ON true"
        )
        return sql, definition

    def ranged(self):
        pick = self.random.choice
        kind = pick(["", "LEFT", "RIGHT", "FULL", "SEMI", "ANTI"])
        conditions = [pick(["l.t >= r.t", "l.t > r.t"])]
        conditions.append(pick(["l.v <= r.v", "l.v < r.v", "l.tie > r.tie", "l.id < r.id + 20"]))
        if self.random.random() < 0.3:
            conditions.append(pick(["l.s <> r.s", "(l.id + r.id) % 3 = 0"]))
        self.random.shuffle(conditions)
        columns = "l.id" if kind in ("SEMI", "ANTI") else "count(*), count(l.id), count(r.id), sum(l.id * 31 + r.id)"
        sql = f"SELECT {columns} FROM l {kind} JOIN r ON {' AND '.join(conditions)}"
        return sql, sql


def run(program, tables, statements, memory, threads, batch):
    """Error text of the program, or None."""
    arguments = [argument for name, path in tables.items() for argument in ("--table", f"{name}={path}")]
    settings = [f"SET threads = {threads}"] + ([f"SET memory_limit = '{memory}'"] if memory else [])
    settings += [f"SET batch_rows = {batch}"] if batch else []
    sql = ";\n".join(settings + statements)
    finished = subprocess.run([program, "query", sql, *arguments], capture_output=True, text=True, timeout=300)
    return None if finished.returncode == 0 else finished.stderr.strip() or f"exit status {finished.returncode}"


def as_text(connection, relation):
    described = connection.execute(f"DESCRIBE {relation}").fetchall()
    names = ", ".join(f"c{position}" for position in range(len(described)))
    casts = ", ".join(f"CAST(c{position} AS VARCHAR)" for position in range(len(described)))
    rows = connection.execute(f"SELECT {casts} FROM ({relation}) AS answer({names})").fetchall()
    return sorted(rows, key=lambda row: tuple(str(value) for value in row))


def check(program, seed, folder, count):
    """What differs in one round."""
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.execute("SET TimeZone = 'UTC'")
    tables = Tables(connection, seed, folder)
    for name, path in tables.paths.items():
        connection.execute(f"CREATE TABLE {name} AS FROM '{path}'")
    memory = tables.random.choice([None, None, "4MiB"])
    threads = tables.random.choice([1, 2])
    batch = tables.random.choice([None, None, 1, 3, 50])
    pairs = [tables.query() for _ in range(count)]
    copies = [f"COPY ({ours}) TO '{folder}/{number}.parquet'" for number, (ours, _) in enumerate(pairs)]
    error = run(program, tables.paths, copies, memory, threads, batch)
    problems = []
    for number, (ours, theirs) in enumerate(pairs):
        path = f"{folder}/{number}.parquet"
        if error:
            alone = run(program, tables.paths, [copies[number]], memory, threads, batch)
            if alone:
                problems.append((ours, f"{alone} (memory {memory})"))
                continue
        left, right = as_text(connection, f"SELECT * FROM '{path}'"), as_text(connection, theirs)
        if left != right:
            only = [row for row in left if row not in right][:2], [row for row in right if row not in left][:2]
            where = f"memory {memory}, threads {threads}, batch {batch}, time {tables.time}, rows {tables.rows}"
            problems.append((ours, f"{len(left)} rows, expected {len(right)}; only ours {only[0]}, missing {only[1]} ({where})"))
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "target/debug/hypostyle"))
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=None, help="seed [default: a new one]")
    arguments = parser.parse_args()
    seed = random.randrange(1 << 31) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    problems, done = [], 0
    while done < arguments.cases:
        with tempfile.TemporaryDirectory() as folder:
            found = check(arguments.program, seed + done // BATCH, folder, BATCH)
        for sql, problem in found:
            print(f"--\n{sql}\n  => {problem}", flush=True)
        problems += found
        done += BATCH
    print(f"{done} cases, {len(problems)} differ (seed {seed})")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
