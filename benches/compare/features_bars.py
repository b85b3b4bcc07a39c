"""Bars of the feature library, side by side with the best peer of each: our time, each peer's time and the ratio in one run.

    python benches/compare/features_bars.py criteo --program target/release/hypostyle
    python benches/compare/features_bars.py json lists dictionary buckets recommender

Before any time counts, answers must agree: whole numbers, texts and lists exactly, floats within a relative 1e-6 (peers round
their logarithms elsewhere, some in single precision). Hashes of peers are other functions, so ours are held to the published
implementation instead. Runs alternate; the ratio is the median over pairs of their time by ours (above 1 we are faster), with
its quartiles. A case below its bar says so. Everything runs on one core, but for the Criteo chain, which has two threads.
"""

import argparse
import os
import pathlib
import sys
import tempfile

SECTIONS = ["criteo", "json", "lists", "dictionary", "buckets", "recommender"]
THREADS = {"criteo": 2}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="+", choices=SECTIONS)
    parser.add_argument("--program", default="target/release/hypostyle")
    parser.add_argument("--rounds", type=int, default=9, help="alternating pairs of runs")
    parser.add_argument("--rows", type=int, help="rows of the tables, instead of each section's own number")
    parser.add_argument("--only", default="", help="part of the names of the cases to run")
    parser.add_argument("--data", help="folder that keeps generated files between runs")
    arguments = parser.parse_args()
    if len(arguments.sections) > 1:
        # Peers fix their number of threads when they are loaded.
        for section in arguments.sections:
            words = [word for word in sys.argv[1:] if word not in SECTIONS]
            status = os.spawnv(os.P_WAIT, sys.executable, [sys.executable, __file__, section, *words])
            if status != 0:
                return status
        return 0
    section = arguments.sections[0]
    arguments.threads = THREADS.get(section, 1)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
        os.environ[name] = str(arguments.threads)
    if arguments.threads == 1:
        os.sched_setaffinity(0, {0})
    import importlib

    module = importlib.import_module(f"bars.{section}_bars")
    from bars.case import Table

    with tempfile.TemporaryDirectory() as folder:
        arguments.folder = pathlib.Path(arguments.data or folder)
        arguments.folder.mkdir(parents=True, exist_ok=True)
        table = Table(section, arguments)
        module.run(arguments, table)
        table.finish()
    sys.stdout.flush()
    # One of the peers aborts while the interpreter takes itself apart.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
