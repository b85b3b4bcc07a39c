"""Runs many random queries in one process, which must not grow and must leave no file behind.

    python benches/compare/endurance.py --program target/release/hypostyle --queries 10000 --seed 1

The queries are those that are compared with DuckDB elsewhere (expressions, aggregates, joins of three tables), and some
that do not fit the memory limit. Resident memory is looked at after every twentieth query: after a first tenth, in which
allocators and caches fill, it must not rise by more than `--growth`. At the end there must be no spill file, and as many
open files as after the first tenth. Freed memory is given back soon here, so that what is looked at is what is held, and
not what the allocator keeps for queries to come.
"""

import argparse
import collections
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/oracle"))

import joins  # noqa: E402
import random_query  # noqa: E402

MIB = 1 << 20
ROWS = 2_000
# One query in so many is larger than the memory limit.
LARGE_EVERY = 200
MEMORY_LIMIT = "32MiB"
PURGE_DELAY_MS = "100"
SAMPLED_EVERY = 20


class Shell:
    """The program's shell under a memory limit, with a folder of its own for spill files."""

    def __init__(self, program, threads, folder, messages):
        command = [program, "shell", "--format", "csv", "--threads", str(threads), "--memory-limit", MEMORY_LIMIT]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=messages,
            text=True,
            env=os.environ | {"TMPDIR": str(folder), "MIMALLOC_PURGE_DELAY": PURGE_DELAY_MS},
        )
        self.statements = 0

    def run(self, sql):
        """Runs a statement to its end; false if the program ended."""
        self.statements += 1
        end = f"end of statement {self.statements}"
        self.process.stdin.write(f"{sql.strip().rstrip(';')};\nSELECT '{end}' AS answer;\n")
        self.process.stdin.flush()
        return any(line.strip() == end for line in self.process.stdout)

    def resident_bytes(self):
        pages = int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def large_query(choice):
    """A query whose state is larger than the memory limit."""
    rows, factor = choice.randrange(600_000, 1_000_000), choice.choice([7919, 104729])
    keys = f"SELECT x * {factor} % {rows} AS k, x AS v FROM range({rows}) r(x)"
    return choice.choice([
        f"SELECT count(*), max(n) FROM (SELECT k, count(*) AS n FROM ({keys}) GROUP BY k)",
        f"SELECT sum(a.v - b.v) FROM ({keys}) a JOIN ({keys}) b ON a.k = b.k",
        f"SELECT max(r) FROM (SELECT row_number() OVER (ORDER BY md5(k::VARCHAR)) AS r FROM ({keys}))",
        f"SELECT count(*) FROM (SELECT DISTINCT k, v % 7 FROM ({keys}))",
    ])


def kind_of(message):
    """A message without its numbers and names."""
    return re.sub(r"\d+|\"[^\"]*\"", "_", message)[:100]


def queries(arguments, join_tables):
    """The queries by number."""
    choice = random.Random(arguments.seed)
    joined = joins.Queries(arguments.seed, join_tables)
    for number in range(arguments.queries):
        if number % LARGE_EVERY == LARGE_EVERY - 1:
            yield large_query(choice)
        elif number % 3 == 2:
            yield joined.query()
        else:
            yield random_query.query(arguments.seed, number)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "target/release/hypostyle"))
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--growth", type=int, default=16, help="MiB that the process may grow by")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        spill = folder / "spill"
        spill.mkdir()
        messages = open(folder / "messages", "w")
        shell = Shell(arguments.program, arguments.threads, spill, messages)
        shell.run(f"COPY ({random_query.TABLE.format(rows=ROWS)}) TO '{folder}/t.parquet'")
        join_tables = joins.tables(folder, arguments.seed)
        for table in ["t", *join_tables]:
            shell.run(f"CREATE VIEW {table} AS FROM '{folder}/{table}.parquet'")
        warm, resident, files = arguments.queries // 10, [], None
        start = time.monotonic()
        for number, sql in enumerate(queries(arguments, join_tables)):
            if not shell.run(sql):
                print(f"the program ended at query {number} of seed {arguments.seed}: {sql}")
                return 1
            if number >= warm and number % SAMPLED_EVERY == 0:
                resident.append(shell.resident_bytes())
                files = files or shell.open_files()
        seconds = time.monotonic() - start
        messages.flush()
        failed = [line for line in (folder / "messages").read_text().splitlines() if line.startswith("hypostyle: ")]
        left_behind = [path.name for path in spill.iterdir()]
        files_left = shell.open_files()
        shell.close()
    # The middle of some, since a query may just have let go of something.
    several = max(len(resident) // 10, 1)
    first, last = statistics.median(resident[:several]), statistics.median(resident[-several:])
    print(f"seed {arguments.seed}: {arguments.queries} queries in {seconds:.0f} s, {len(failed)} of them errors")
    for kind, count in collections.Counter(map(kind_of, failed)).most_common(5):
        print(f"  {count} times: {kind}")
    print(f"resident {first / MIB:.1f} MiB after {warm} queries, {last / MIB:.1f} MiB at the end, greatest {max(resident) / MIB:.1f} MiB")
    print(f"open files {files} and {files_left}, spill files left {len(left_behind)}")
    is_right = last - first <= arguments.growth * MIB and not left_behind and files_left <= files
    print("ok" if is_right else "WRONG")
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
