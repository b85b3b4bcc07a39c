"""Side by side with peers, on the same Parquet files and the same number of threads.

    python benches/compare/compare.py tpch --scale 1 --program target/release/hypostyle
    python benches/compare/compare.py features --rows 2000000
    python benches/compare/compare.py windows --rows 5000000

All engines first give their answer as an Arrow file, and answers must be equal before any time counts. Then runs
alternate, ours and theirs, each to an Arrow table in memory; the ratio is the median over pairs of our time by theirs
(below 1 we are faster), with its quartiles. The first run of each process is told apart. Memory is the peak resident
size of the whole process. A query that an engine refuses stays in the table.
"""

import argparse
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

import answers
from engines import EngineError, Hypostyle, Peer

ROOT = pathlib.Path(__file__).resolve().parents[2]
TPCH_TABLES = ["region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem"]


def query_text(path):
    return "\n".join(line for line in path.read_text().splitlines() if not line.startswith("--")).strip()


def tpch(arguments, folder):
    """Tables and queries of TPC-H."""
    data = pathlib.Path(arguments.data or folder) / f"tpch-{arguments.scale:g}"
    if not (data / "lineitem.parquet").exists():
        generate(arguments, "tpch", "--scale", str(arguments.scale), "--output", str(data))
    queries = {path.stem: query_text(path) for path in sorted((ROOT / "tests/tpch").glob("*.sql"))}
    return {table: str(data / f"{table}.parquet") for table in TPCH_TABLES}, queries


def features(arguments, folder):
    """A click-prediction table and a behaviour log, and the feature queries of features/*.sql."""
    tables = {}
    for name in ("criteo", "events"):
        path = pathlib.Path(arguments.data or folder) / f"{name}-{arguments.rows}.parquet"
        if not path.exists():
            generate(arguments, name, "--rows", str(arguments.rows), "--output", str(path))
        tables[name] = str(path)
    queries = {path.stem: query_text(path) for path in sorted((ROOT / "benches/compare/features").glob("*.sql"))}
    return tables, queries


def windows(arguments, folder):
    """A behaviour log of many users, and the window queries of windows/*.sql."""
    path = pathlib.Path(arguments.data or folder) / f"log-{arguments.rows}.parquet"
    if not path.exists():
        users = str(max(arguments.rows // 100, 1))
        generate(arguments, "events", "--rows", str(arguments.rows), "--users", users, "--dimension", "1", "--output", str(path))
    queries = {path.stem: query_text(path) for path in sorted((ROOT / "benches/compare/windows").glob("*.sql"))}
    return {"events": str(path)}, queries


def generate(arguments, *words):
    subprocess.run([arguments.program, "generate", *words], check=True)


def compare(query, sql, ours, peer, rounds, folder):
    """One line of the table."""
    label = f"{query:<16} {peer.name:<11}"
    try:
        paths = {engine: folder / f"{engine.name}.arrow" for engine in (ours, peer)}
        for engine, path in paths.items():
            engine.answer(sql, path)
        our_rows, their_rows = (answers.rows_of(paths[engine]) for engine in (ours, peer))
        problem = answers.difference(our_rows, their_rows)
        if problem:
            return f"{label} answers differ: {problem[:160]}", None
        pairs = []
        for number in range(rounds):
            first, second = (ours, peer) if number % 2 == 0 else (peer, ours)
            seconds = {first.name: first.run(sql)}
            seconds[second.name] = second.run(sql)
            pairs.append((seconds[ours.name], seconds[peer.name]))
    except EngineError as error:
        return f"{label} refused: {str(error)[:160]}", None
    ratios = sorted(our / their for our, their in pairs)
    quartiles = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else [ratios[0]] * 3
    our, their = (statistics.median(column) for column in zip(*pairs))
    text = f"{our * 1000:9.1f} ms {their * 1000:9.1f} ms   {statistics.median(ratios):6.2f} [{quartiles[0]:.2f}, {quartiles[2]:.2f}]"
    return f"{label} {text}   {answers.digest(our_rows)}", statistics.median(ratios)


def first_passes(queries, tables, arguments, names):
    """Seconds of the first run of a query in a new process, by engine: files are in the system's cache."""
    print("\nfirst pass in a new process, and its peak memory")
    for query in [name for name in queries if not arguments.query or name in arguments.query][:4]:
        cells = []
        for name in names:
            engine = open_engine(name, arguments)
            try:
                engine.views(tables)
                seconds = engine.run(queries[query])
                cells.append(f"{name} {seconds * 1000:.1f} ms {engine.peak_bytes() / 2**20:.0f} MiB")
            except EngineError:
                cells.append(f"{name} refused")
            engine.close()
        print(f"{query:<16} " + "   ".join(cells), flush=True)


def open_engine(name, arguments):
    return Hypostyle(arguments.program, arguments.threads) if name == "hypostyle" else Peer(name, arguments.threads)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", choices=["tpch", "features", "windows"])
    parser.add_argument("--program", default=str(ROOT / "target/release/hypostyle"))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=9, help="alternating pairs of runs")
    parser.add_argument("--scale", type=float, default=1.0, help="scale factor of TPC-H")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the feature tables")
    parser.add_argument("--peers", nargs="+", default=None, help="duckdb, polars, datafusion, chdb")
    parser.add_argument("--query", nargs="+", help="only these queries")
    parser.add_argument("--data", help="folder that keeps generated files between runs")
    arguments = parser.parse_args()
    peers = arguments.peers or (["duckdb"] if arguments.suite == "tpch" else ["duckdb", "polars", "datafusion"])
    with tempfile.TemporaryDirectory() as folder:
        suites = {"tpch": tpch, "features": features, "windows": windows}
        tables, queries = suites[arguments.suite](arguments, folder)
        print(f"{platform.machine()} {os.cpu_count()} processors, {arguments.threads} threads, {arguments.rounds} pairs")
        print(f"{'query':<16} {'peer':<11} {'hypostyle':>12} {'peer':>12}   ratio [quartiles]   answer")
        below = 0
        total = 0
        for name in peers:
            ours, peer = open_engine("hypostyle", arguments), open_engine(name, arguments)
            ours.views(tables)
            peer.views(tables)
            for query, sql in queries.items():
                if arguments.query and query not in arguments.query:
                    continue
                line, ratio = compare(query, sql, ours, peer, arguments.rounds, pathlib.Path(folder))
                print(line, flush=True)
                total += 1
                below += ratio is not None and ratio <= 1
            print(f"peak memory: hypostyle {ours.peak_bytes() / 2**20:.0f} MiB, {name} {peer.peak_bytes() / 2**20:.0f} MiB")
            ours.close()
            peer.close()
        print(f"{below} of {total} at or below the peer's time")
        first_passes(queries, tables, arguments, ["hypostyle", *peers])
    return 0


if __name__ == "__main__":
    sys.exit(main())
