"""What keeping figures costs: its share of all instructions, as callgrind counts them.

    python benches/compare/metrics_cost.py --program target/release/hypostyle

Q1 and Q6 of TPC-H and a projection of 200 expressions, with batches of 1,024 rows on one thread. What is counted are the
functions that read the clock and write counters, with all that they call. The program needs the names of its functions
(line tables are enough), and valgrind must be installed. The bar is one in a hundred.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

from compare import tpch
from wide import features

ROOT = pathlib.Path(__file__).resolve().parents[2]
BAR = 0.01
COUNTED = re.compile(
    r"std::time::Instant>?::(?:now|elapsed)|Instant as core::ops::arith::Sub>::sub|Batch::row_bytes|OperatorMetrics::add_\w+"
    r"|expression::metrics::Clock>?::\w+"
)


def share(program, tables, sql, folder):
    """Instructions in all, and the share of those that figures take."""
    text, profile = folder / "query.sql", folder / "callgrind.out"
    text.write_text(f"SET batch_rows = 1024;\n{sql};\n")
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", program, "query", "--threads", "1"]
    command += ["--format", "none", "-f", str(text)]
    for name, path in tables.items():
        command += ["--table", f"{name}={path}"]
    subprocess.run(command, check=True, capture_output=True)
    annotate = ["callgrind_annotate", "--inclusive=yes", "--threshold=100", str(profile)]
    lines = subprocess.run(annotate, check=True, capture_output=True, text=True).stdout.splitlines()
    total, counted = 0, {}
    for line in lines:
        entry = re.match(r"\s*([\d,]+) \(\s*[\d.]+%\)\s+(.*)", line)
        if not entry:
            continue
        count, name = int(entry[1].replace(",", "")), entry[2]
        if name == "PROGRAM TOTALS":
            total = count
        # Lines that end with the name of a program are whole functions, others are parts that were inlined elsewhere.
        elif name.endswith("]") and (found := COUNTED.search(name)):
            counted[found[0]] = max(counted.get(found[0], 0), count)
    return total, sum(counted.values()) / total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "target/release/hypostyle"))
    parser.add_argument("--data", default=None, help="folder that keeps generated files")
    parser.add_argument("--scale", type=float, default=0.1)
    arguments = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        tables, queries = tpch(arguments, folder)
        narrow = folder / "narrow.parquet"
        words = ["generate", "wide", "--rows", "100000", "--columns", "150", "--output", str(narrow)]
        subprocess.run([arguments.program, *words], check=True)
        cases = {query: (tables, queries[query]) for query in ("q01", "q06")}
        cases["200 expressions"] = ({"wide": str(narrow)}, features(150, 200))
        for label, (tables, sql) in cases.items():
            total, part = share(arguments.program, tables, sql, folder)
            failures += part > BAR
            print(f"{label:<16} {total / 1e6:8.0f} million instructions, {part:.2%} of them for figures", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
