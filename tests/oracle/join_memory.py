"""Holds joins that are larger than their memory limit to what they may take.

    .venv/bin/python tests/oracle/join_memory.py --program target/release/hypostyle [--rows 30000000] [--memory-limit 832MiB]

Both sides have `--rows` rows of unlike order. The peak resident size of the program, as `/usr/bin/time -v` tells it, must
stay under the limit, 128 MiB, and 32 MiB a thread; the answer must be right and no file may be left behind. Further
runs have one giant key, and skewed keys.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIB = 1 << 20
FIXED_BYTES = 128 * MIB
THREAD_BYTES = 32 * MIB


def cases(rows):
    """Name, keys of both sides, query, answer."""
    few = max(rows // 1000, 10)
    total = "SELECT count(*) AS n, sum(a.v - b.v) AS x FROM a {kind} JOIN b ON a.k = b.k"
    unique = [f"range * 7919 % {rows}", f"range * 104729 % {rows}"]
    yield "unique keys", *unique, total.format(kind="INNER"), f"{rows},0"
    yield "unique keys, full", *unique, total.format(kind="FULL"), f"{rows},0"
    # Half of the build side has one key, which one probe row in a thousand looks for.
    giant = f"CASE WHEN range % 2 = 0 THEN 5 ELSE range END"
    probe = f"CASE WHEN range = 77 THEN 5 ELSE range * 2 + {rows} * 4 END"
    yield "one giant key", probe, giant, "SELECT count(*) AS n FROM a JOIN b ON a.k = b.k", str((rows + 1) // 2 + 1)
    skewed = f"CASE WHEN range % 4 = 0 THEN range % 10 ELSE range % {rows} END"
    yield "skewed keys", skewed, skewed, "SELECT count(*) AS n FROM a SEMI JOIN b ON a.k = b.k", str(rows)


def run(arguments, sql, tables, limit, folder):
    """Output, seconds and peak resident bytes."""
    command = ["/usr/bin/time", "-v", arguments.program, "query", "--threads", str(arguments.threads), "--format", "csv"]
    if limit:
        command += ["--memory-limit", limit]
    for name, path in tables.items():
        command += ["--table", f"{name}={path}"]
    start = time.monotonic()
    done = subprocess.run(command + [sql], capture_output=True, text=True, env={"TMPDIR": str(folder), "PATH": "/usr/bin:/bin"})
    seconds = time.monotonic() - start
    peak = int(re.search(r"Maximum resident set size \(kbytes\): (\d+)", done.stderr).group(1)) * 1024
    if done.returncode != 0:
        return f"failed: {done.stderr.splitlines()[0]}", seconds, peak
    return done.stdout.splitlines()[-1].strip(), seconds, peak


def bytes_of(text):
    number, unit = re.fullmatch(r"(\d+)\s*([A-Za-z]+)", text).groups()
    return int(number) * {"MB": 10**6, "MiB": MIB, "GB": 10**9, "GiB": 1 << 30}[unit]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "target/release/hypostyle"))
    parser.add_argument("--rows", type=int, default=30_000_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-limit", default="832MiB")
    parser.add_argument("--folder", default=None, help="where tables and spill files go")
    arguments = parser.parse_args()
    bar = bytes_of(arguments.memory_limit) + FIXED_BYTES + arguments.threads * THREAD_BYTES
    failures = 0
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        spill = pathlib.Path(folder) / "spill"
        spill.mkdir()
        for name, left, right, sql, expected in cases(arguments.rows):
            tables = {side: f"{folder}/{side}.parquet" for side in "ab"}
            for side, key in zip("ab", (left, right)):
                make = f"COPY (SELECT {key} AS k, range AS v FROM range({arguments.rows})) TO '{tables[side]}'"
                subprocess.run([arguments.program, "query", make], check=True, capture_output=True)
            answer, seconds, peak = run(arguments, sql, tables, arguments.memory_limit, spill)
            left_behind = [path.name for path in spill.iterdir()]
            is_right = answer == expected and peak <= bar and not left_behind
            failures += not is_right
            verdict = "ok" if is_right else f"WRONG: answer {answer}, expected {expected}, left behind {left_behind}"
            print(f"{name:<20} {seconds:7.1f} s  peak {peak / MIB:7.1f} MiB of {bar / MIB:.0f}  {verdict}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
