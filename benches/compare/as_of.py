"""As-of joins side by side with DuckDB and Polars: labels with the last event of their key before them.

    python benches/compare/as_of.py --program target/release/hypostyle --threads 1

Events and labels have random keys and times. They come as a log does, in the order of time, and in no order. Polars
asks for sorted input, so in no order its time includes the sort. Each engine reads Parquet and gives an Arrow table.
Before any time counts our answer must equal DuckDB's row by row, and Polars must find as many values. Runs alternate;
the ratio is the median over pairs of our time by theirs (below 1 we are faster), with its quartiles.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from engines import Hypostyle, Peer

ROOT = pathlib.Path(__file__).resolve().parents[2]
QUERY = "SELECT l.*, e.value FROM labels_{0} l ASOF LEFT JOIN events_{0} e ON l.key = e.key AND l.time >= e.time"
WIDE = (
    "SELECT l.*, a.value AS a, b.value AS b, c.value AS c FROM labels_{0} l"
    " ASOF LEFT JOIN events_{0} a ON l.key = a.key AND l.time >= a.time"
    " ASOF LEFT JOIN more_{0} b ON l.key = b.key AND l.time >= b.time"
    " ASOF LEFT JOIN most_{0} c ON l.key = c.key AND l.time >= c.time"
)


def generate(folder, events, labels, keys):
    """Random tables, in the order of time and in none."""
    import numpy
    import pyarrow
    import pyarrow.parquet

    for order in ("sorted", "unsorted"):
        for seed, (name, rows) in enumerate({"events": events, "labels": labels, "more": labels, "most": labels}.items()):
            path = folder / f"{name}_{order}.parquet"
            if path.exists():
                continue
            random = numpy.random.default_rng(seed)
            key = random.integers(0, keys, rows)
            moment = 1_704_067_200_000_000 + random.integers(0, 90 * 86_400_000_000, rows)
            if order == "sorted":
                moment.sort()
            last = {"id": numpy.arange(rows)} if name == "labels" else {"value": random.normal(size=rows)}
            columns = {"key": key, "time": pyarrow.array(moment, pyarrow.timestamp("us"))} | last
            pyarrow.parquet.write_table(pyarrow.table(columns), path, row_group_size=122_880)


def polars_worker():
    """Answers requests for as-of joins with Polars, in a process of its own."""
    import polars

    for line in sys.stdin:
        request = json.loads(line)
        started = time.perf_counter()

        def table(name):
            frame = polars.scan_parquet(f"{request['folder']}/{name}_{request['order']}.parquet")
            return frame.set_sorted("time") if request["order"] == "sorted" else frame.sort("time")

        frame = table("labels")
        for name in request["tables"]:
            suffix = f"_{name}"
            frame = frame.join_asof(table(name), on="time", by="key", strategy="backward", suffix=suffix)
        # Not by its streaming engine, which took a tenth longer here.
        result = frame.collect(engine="in-memory").to_arrow()
        seconds = time.perf_counter() - started
        nulls = sum(result[name].null_count for name in result.column_names if name.startswith("value"))
        print(json.dumps({"seconds": seconds, "rows": result.num_rows, "nulls": nulls}), flush=True)


class Polars:
    name = "polars"

    def __init__(self, threads):
        environment = os.environ | {"POLARS_MAX_THREADS": str(threads)}
        command = [sys.executable, "-W", "ignore", __file__, "--worker"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, text=True, env=environment, **pipes)

    def ask(self, folder, order, tables):
        self.process.stdin.write(json.dumps({"folder": str(folder), "order": order, "tables": tables}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def check(ours, duckdb, polars, sql, tables, folder, order):
    """Ends the program if the answers differ."""
    import pyarrow
    import pyarrow.ipc

    answers = []
    for engine in (ours, duckdb):
        path = folder / f"answer-{engine.name}.arrow"
        engine.answer(sql, path)
        with pyarrow.OSFile(str(path)) as file:
            answers.append(pyarrow.ipc.open_file(file).read_all().sort_by("id"))
        path.unlink()
    left, right = answers
    if any(not left[name].combine_chunks().equals(right[name].combine_chunks()) for name in right.column_names):
        sys.exit(f"the answers of {sql} differ")
    values = [name for name in left.column_names if name not in ("key", "time", "id")]
    theirs = polars.ask(folder, order, tables)
    if (theirs["rows"], theirs["nulls"]) != (left.num_rows, sum(left[name].null_count for name in values)):
        sys.exit(f"polars answers {sql} with {theirs}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--program", default=str(ROOT / "target/release/hypostyle"))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--labels", type=int, default=1_000_000)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--data", help="folder that keeps generated files between runs")
    arguments = parser.parse_args()
    if arguments.worker:
        return polars_worker()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(arguments.data or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        generate(folder, arguments.events, arguments.labels, arguments.keys)
        ours, duckdb = Hypostyle(arguments.program, arguments.threads), Peer("duckdb", arguments.threads)
        polars = Polars(arguments.threads)
        tables = {path.stem: str(path) for path in folder.glob("*.parquet")}
        ours.views(tables)
        duckdb.views(tables)
        print(f"{arguments.events} events, {arguments.labels} labels, {arguments.keys} keys, {arguments.threads} threads")
        for order in ("sorted", "unsorted"):
            for query, names in ((QUERY, ["events"]), (WIDE, ["events", "more", "most"])):
                sql = query.format(order)
                check(ours, duckdb, polars, sql, names, folder, order)
                runs = {
                    "duckdb": lambda: duckdb.run(sql),
                    "polars": lambda: polars.ask(folder, order, names)["seconds"],
                }
                for peer, run in runs.items():
                    pairs = []
                    for number in range(arguments.rounds + 1):
                        pair = [ours.run(sql), run()] if number % 2 == 0 else [run(), ours.run(sql)][::-1]
                        pairs.append(pair)
                    pairs = pairs[1:]
                    ratios = sorted(our / their for our, their in pairs)
                    quartiles = statistics.quantiles(ratios, n=4)
                    our, their = (statistics.median(column) for column in zip(*pairs))
                    print(
                        f"{order:<9} {len(names)} tables  {peer:<7} {our * 1000:8.1f} ms {their * 1000:8.1f} ms"
                        f"   {statistics.median(ratios):5.2f} [{quartiles[0]:.2f}, {quartiles[2]:.2f}]",
                        flush=True,
                    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
