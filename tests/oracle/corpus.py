"""Reads every good file of the real data with the program and with pyarrow; both must give the same values.

    .venv/bin/python tests/oracle/corpus.py --program target/debug/hypostyle

Files that are damaged on purpose must end in one clear line of error. Skips with a message where the data is absent.
"""

import argparse
import datetime
import decimal
import math
import pathlib
import subprocess
import sys
import tempfile

import pyarrow as pa
import pyarrow.parquet

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared/data"
# pyarrow reads it although it is kept among the damaged ones; an error is right as well.
READABLE_ALTHOUGH_DAMAGED = {"ARROW-GH-43605.parquet"}


def plain(value):
    """A value without its Arrow type."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else value
    if isinstance(value, decimal.Decimal):
        return value.normalize()
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, str):
        return value
    # Nanosecond timestamps come as a type of pandas where it is installed.
    return str(value) if hasattr(value, "nanosecond") else value


def column_values(column):
    try:
        return column.to_pylist()
    except OverflowError:
        # Python's calendar ends in the year 9999; ticks do not.
        return column.cast(pa.int64()).to_pylist()


def columns(table):
    return [[plain(value) for value in column_values(column)] for column in table.columns]


def run(program, path, output):
    function = "read_parquet" if path.suffix == ".parquet" else "read_arrow"
    command = [program, "query", f"SELECT * FROM {function}('{path}')", "--format", "arrow", "--output", str(output)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def read_arrow(path):
    with pa.memory_map(str(path)) as file:
        try:
            return pa.ipc.open_file(file).read_all()
        except pa.ArrowInvalid:
            file.seek(0)
            return pa.ipc.open_stream(file).read_all()


def expected(path):
    """The table as pyarrow reads it, or None."""
    try:
        return pa.parquet.read_table(path, partitioning=None) if path.suffix == ".parquet" else read_arrow(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError):
        return None


# Files on which the two disagree, and why that is right.
DIFFERENT = {
    "complex.parquet": "values of the ENUM type are text; pyarrow hands out their bytes",
    "int96_from_spark.parquet": "pyarrow overflows nanoseconds on the last rows",
    "generated_datetime.arrow_file": "instants with a zone have microseconds, as in DuckDB; the file has nanoseconds",
    "generated_datetime.stream": "instants with a zone have microseconds, as in DuckDB; the file has nanoseconds",
    "generated_interval.arrow_file": "durations beyond 292 years do not fit an interval and are refused",
    "generated_interval.stream": "durations beyond 292 years do not fit an interval and are refused",
}


def problem(program, path, output):
    """What is wrong with the program's reading of a file, or None."""
    ours = run(program, path, output)
    if ours.returncode not in (0, 1):
        return f"exit status {ours.returncode}: {ours.stderr.strip()[:300]}"
    if ours.returncode == 1 and not ours.stderr.startswith("hypostyle: "):
        return f"unclear error: {ours.stderr.strip()[:300]}"
    if path.name in DIFFERENT:
        return None
    theirs = expected(path)
    if "bad" in path.parts and path.name not in READABLE_ALTHOUGH_DAMAGED:
        return None if ours.returncode == 1 else "a damaged file was read without an error"
    if theirs is None or (ours.returncode == 1 and path.name in READABLE_ALTHOUGH_DAMAGED):
        return None
    if ours.returncode == 1:
        return ours.stderr.strip().splitlines()[0]
    table = read_arrow(output)
    if table.column_names != theirs.column_names:
        return f"columns {table.column_names}, pyarrow: {theirs.column_names}"
    for name, left, right in zip(table.column_names, columns(table), columns(theirs)):
        if left != right:
            row = next((row for row, pair in enumerate(zip(left, right)) if pair[0] != pair[1]), len(right))
            return f"column {name}, row {row}: {left[row:row + 1]}, pyarrow: {right[row:row + 1]}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "target/debug/hypostyle"))
    arguments = parser.parse_args()
    if not DATA.is_dir():
        print(f"skipped: no real data at {DATA}")
        return 0
    paths = sorted((DATA / "parquet").rglob("*.parquet")) + sorted((DATA / "features").rglob("*.parquet"))
    paths += sorted((DATA / "arrow-ipc").rglob("*.arrow_file")) + sorted((DATA / "arrow-ipc").rglob("*.stream"))
    with tempfile.TemporaryDirectory() as folder:
        problems = {path: problem(arguments.program, path, pathlib.Path(folder) / "answer.arrow") for path in paths}
    for path, text in problems.items():
        if text:
            print(f"{path.relative_to(DATA)}: {text}")
    failed = sum(text is not None for text in problems.values())
    print(f"{len(paths)} files, {failed} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
