"""Runs the queries of TPC-H under a memory limit and holds them to what they may take.

    python benches/compare/scale.py --scale 10 --memory-limit 1GiB --program target/release/hypostyle
    python benches/compare/scale.py --scale 1 --memory-limit 64MiB --spilled

Each query runs in a process of its own. Its answer must be DuckDB's on the same files, its peak resident size, as
`/usr/bin/time -v` tells it, must stay under the limit, 128 MiB and 32 MiB a thread (and under `--resident`), and no
spill file may be left behind. `--spilled` also tells how many bytes went to disk, which takes a second run.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import answers
from compare import tpch
from engines import Peer

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIB = 1 << 20
FIXED_BYTES = 128 * MIB
THREAD_BYTES = 32 * MIB
UNITS = {"KB": 10**3, "KIB": 1 << 10, "MB": 10**6, "MIB": MIB, "GB": 10**9, "GIB": 1 << 30}


def bytes_of(text):
    number, unit = re.fullmatch(r"([\d.]+)\s*([A-Za-z]+)", text).groups()
    return int(float(number) * UNITS[unit.upper()])


class Runner:
    """Runs the program with the tables as names, the limit, and a folder of its own for spill files."""

    def __init__(self, arguments, tables, folder):
        self.program = arguments.program
        self.spill = folder / "spill"
        self.spill.mkdir()
        self.options = ["--threads", str(arguments.threads), "--memory-limit", arguments.memory_limit]
        for name, path in tables.items():
            self.options += ["--table", f"{name}={path}"]

    def run(self, sql, *more):
        """What it says, its seconds and its peak resident bytes; a failure is an exception."""
        command = ["/usr/bin/time", "-v", self.program, "query", *self.options, *more, "-"]
        start = time.monotonic()
        done = subprocess.run(
            command, input=sql, capture_output=True, text=True, env=os.environ | {"TMPDIR": str(self.spill)}
        )
        seconds = time.monotonic() - start
        peak = int(re.search(r"Maximum resident set size \(kbytes\): (\d+)", done.stderr)[1]) * 1024
        if done.returncode != 0:
            raise Failure(done.stderr.splitlines()[0], seconds, peak)
        return done.stdout, seconds, peak

    def spilled_bytes(self, sql):
        """Bytes that went to disk, over all operators."""
        text, _, _ = self.run(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", "--format", "json")
        plan = next(iter(json.loads(text)[0].values()))
        return spilled(json.loads(plan) if isinstance(plan, str) else plan)


class Failure(Exception):
    """A query that ended with an error."""


def spilled(node):
    own = node.get("figures", {}).get("spilled_bytes", 0)
    return own + sum(spilled(child) for child in node.get("inputs", []))


def check(query, sql, runner, duckdb, folder, bar, arguments):
    """One line of the table; the problem, or None."""
    ours, theirs = folder / "ours.arrow", folder / "theirs.arrow"
    duckdb.answer(sql, theirs)
    try:
        _, seconds, peak = runner.run(sql, "--output", str(ours))
    except Failure as failure:
        message, seconds, peak = failure.args
        print(f"{query:<5} {seconds:7.2f} s  {peak / MIB:7.1f} MiB  FAILED: {message}", flush=True)
        return seconds, peak, message
    problems = []
    difference = answers.difference(answers.rows_of(ours), answers.rows_of(theirs))
    if difference:
        problems.append(f"answers differ: {difference}")
    if peak > bar:
        problems.append(f"over the bar of {bar / MIB:.0f} MiB")
    left_behind = [path.name for path in runner.spill.iterdir()]
    if left_behind:
        problems.append(f"left behind {left_behind}")
    more = f"  {runner.spilled_bytes(sql) / MIB:9.1f} MiB spilled" if arguments.spilled else ""
    verdict = "; ".join(problems) or "ok"
    print(f"{query:<5} {seconds:7.2f} s  {peak / MIB:7.1f} MiB{more}  {verdict}", flush=True)
    return seconds, peak, "; ".join(problems) or None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "target/release/hypostyle"))
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--data", default=None, help="folder that keeps the generated files")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-limit", default="64MiB")
    parser.add_argument("--resident", default=None, help="what the peak must stay under in any case")
    parser.add_argument("--query", action="append", help="only this one; repeatable")
    parser.add_argument("--spilled", action="store_true", help="also tell how many bytes went to disk")
    arguments = parser.parse_args()
    bar = bytes_of(arguments.memory_limit) + FIXED_BYTES + arguments.threads * THREAD_BYTES
    if arguments.resident:
        bar = min(bar, bytes_of(arguments.resident))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        tables, queries = tpch(arguments, folder)
        if arguments.query:
            queries = {query: sql for query, sql in queries.items() if query in arguments.query}
        print(f"scale {arguments.scale:g}, limit {arguments.memory_limit}, {arguments.threads} threads, bar {bar / MIB:.0f} MiB")
        runner = Runner(arguments, tables, folder)
        duckdb = Peer("duckdb", arguments.threads)
        duckdb.views(tables)
        lines = [check(query, sql, runner, duckdb, folder, bar, arguments) for query, sql in queries.items()]
        duckdb.close()
    problems = [problem for _, _, problem in lines if problem]
    total, middle = sum(line[0] for line in lines), statistics.median(line[0] for line in lines)
    print(f"{len(lines)} queries, {total:.1f} s in all, median {middle:.2f} s, greatest peak {max(line[1] for line in lines) / MIB:.1f} MiB, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
