"""Exchanges Substrait plans of all TPC-H queries with DataFusion, in both directions.

    .venv/bin/python tests/oracle/substrait.py --program target/debug/hypostyle [--data FOLDER]

Each query is planned by DataFusion and run by the program, and planned by the program and run by DataFusion; both must give
the rows that the program gives for the SQL text. Plans that one side cannot write or read are listed with the reason; those
of KNOWN are expected, every other one fails.
"""

import argparse
import decimal
import math
import pathlib
import subprocess
import sys
import tempfile

import datafusion
import pyarrow as pa
from datafusion import substrait

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLES = ["region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem"]
# What DataFusion does not read, by query.
KNOWN = {}


def call(program, arguments, tables, given=None):
    command = [program, *arguments]
    for name, path in tables.items():
        command += ["--table", f"{name}={path}"]
    result = subprocess.run(command, input=given, capture_output=True)
    if result.returncode != 0:
        raise RuntimeError(result.stderr.decode().strip())
    return result.stdout


def rows_of(table):
    """Rows in an order of their own."""

    def plain(value):
        if isinstance(value, (float, decimal.Decimal, int)) and not isinstance(value, bool):
            return float(value)
        return "NULL" if value is None else str(value)

    def rough(row):
        return [f"{value:.3g}" if isinstance(value, float) else value for value in row]

    columns = [[plain(value) for value in column.to_pylist()] for column in table.columns]
    return sorted(zip(*columns), key=rough)


def same(found, expected):
    """Averages of decimals have six digits behind the point in DataFusion."""

    def equal(left, right):
        if isinstance(left, float) and isinstance(right, float):
            return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-6)
        return left == right

    return len(found) == len(expected) and all(
        len(left) == len(right) and all(map(equal, left, right)) for left, right in zip(found, expected)
    )


def answer(program, arguments, tables, given=None):
    bytes_ = call(program, [*arguments, "--format", "arrow"], tables, given)
    return rows_of(pa.ipc.open_stream(bytes_).read_all())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--data", help="folder with the tables as Parquet files")
    options = parser.parse_args()
    temporary = tempfile.TemporaryDirectory()
    folder = pathlib.Path(options.data or temporary.name)
    if not options.data:
        subprocess.run(
            [options.program, "generate", "tpch", "--scale", "0.01", "--output", str(folder)], check=True, capture_output=True
        )
    tables = {name: folder / f"{name}.parquet" for name in TABLES}
    context = datafusion.SessionContext()
    for name, path in tables.items():
        context.register_parquet(name, str(path))
    failures, agreed = [], 0
    for number in range(1, 23):
        sql = (ROOT / f"tests/tpch/q{number:02}.sql").read_text().strip().rstrip(";")
        expected = answer(options.program, ["query", "-"], tables, sql.encode())

        def theirs_here():
            frame = context.sql(sql)
            plan = substrait.Producer.to_substrait_plan(frame.optimized_logical_plan(), context).encode()
            return answer(options.program, ["substrait", "-"], tables, plan)

        def ours_there():
            plan = call(options.program, ["explain", "-", "--format", "substrait"], tables, sql.encode())
            plan = substrait.Serde.deserialize_bytes(plan)
            logical = substrait.Consumer.from_substrait_plan(context, plan)
            batches = context.create_dataframe_from_logical_plan(logical).collect()
            return rows_of(pa.Table.from_batches(batches)) if batches else []

        for way, run in [("DataFusion's plan here", theirs_here), ("our plan in DataFusion", ours_there)]:
            try:
                found = run()
            except BaseException as error:  # DataFusion's panics are no Exceptions.
                known = KNOWN.get((number, way))
                if known is None or known not in str(error):
                    failures.append(f"q{number:02}: {way}: {str(error).splitlines()[0][:300]}")
                continue
            if not same(found, expected):
                differing = [pair for pair in zip(found, expected) if not same(pair[:1], pair[1:])][:1]
                failures.append(f"q{number:02}: {way}: {len(found)} rows, expected {len(expected)}; {differing}")
            else:
                agreed += 1
    print("\n".join(failures))
    print(f"{agreed} plans agreed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
