"""Exchanges Substrait plans of all TPC-H queries, of subqueries and of set operations with DataFusion, in both directions.

    .venv/bin/python tests/oracle/substrait.py --program target/debug/hypostyle [--data FOLDER]

Each query is planned by DataFusion and run by the program, and planned by the program and run by DataFusion; both must give
the rows that the program gives for the SQL text. Plans that one side cannot write or read are listed with the reason; those
of KNOWN are expected, every other one fails. Plans of DataFusion are sent as its optimizer leaves them and, for the queries of
SUBQUERIES, as they were before it, with the subqueries as expressions.
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
# What DataFusion does not write or read, by query and way.
OUTER = "Cannot convert OuterReferenceColumn"
KNOWN = {
    ("correlated scalar", "DataFusion's first plan here"): OUTER,
    ("correlated exists", "DataFusion's first plan here"): OUTER,
    ("correlated in", "DataFusion's first plan here"): OUTER,
    ("scalar without rows", "our plan in DataFusion"): "unsupported join type LeftSingle",
}
SUBQUERIES = {
    "scalar": "SELECT n_name, (SELECT max(r_name) FROM region) AS m FROM nation",
    "scalar in a condition": "SELECT c_custkey FROM customer WHERE c_acctbal > (SELECT avg(c_acctbal) FROM customer)",
    "scalar without rows": "SELECT r_name, (SELECT n_name FROM nation WHERE n_nationkey < 0) AS m FROM region",
    "in": "SELECT n_name FROM nation WHERE n_regionkey IN (SELECT r_regionkey FROM region WHERE r_name LIKE 'A%')",
    "not in": "SELECT n_name FROM nation WHERE n_regionkey NOT IN (SELECT r_regionkey FROM region WHERE r_name LIKE 'A%')",
    "exists": "SELECT r_name FROM region WHERE EXISTS (SELECT 1 FROM nation WHERE n_nationkey = 24)",
    "not exists": "SELECT r_name FROM region WHERE NOT EXISTS (SELECT 1 FROM nation WHERE n_nationkey = 25)",
    "any": "SELECT s_suppkey FROM supplier WHERE s_nationkey > ANY (SELECT n_nationkey FROM nation WHERE n_regionkey = 4)",
    "all": "SELECT s_suppkey FROM supplier WHERE s_nationkey <= ALL (SELECT n_nationkey FROM nation WHERE n_regionkey = 4)",
    "in a subquery of a subquery": """SELECT c_custkey FROM customer WHERE c_nationkey IN (SELECT n_nationkey FROM nation
        WHERE n_regionkey = (SELECT min(r_regionkey) FROM region WHERE r_name > 'AFRICA'))""",
    "correlated scalar": "SELECT r_name, (SELECT max(n_name) FROM nation WHERE n_regionkey = r_regionkey) AS m FROM region",
    "correlated exists": """SELECT c_custkey FROM customer WHERE NOT EXISTS
        (SELECT 1 FROM orders WHERE o_custkey = c_custkey AND o_totalprice > 1000)""",
    "correlated in": """SELECT n_name FROM nation WHERE n_nationkey IN
        (SELECT s_nationkey FROM supplier WHERE s_acctbal > n_regionkey)""",
}
# DataFusion takes INTERSECT ALL and EXCEPT ALL for semi and anti joins, so these are not exchanged.
SETS = {
    "union": "SELECT c_nationkey FROM customer UNION SELECT s_nationkey FROM supplier",
    "intersect": "SELECT c_nationkey FROM customer INTERSECT SELECT s_nationkey FROM supplier",
    "except": "SELECT n_nationkey FROM nation EXCEPT SELECT s_nationkey FROM supplier",
}


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
    queries = {f"q{number:02}": (ROOT / f"tests/tpch/q{number:02}.sql").read_text() for number in range(1, 23)}
    for name, sql in (queries | SUBQUERIES | SETS).items():
        sql = sql.strip().rstrip(";")
        expected = answer(options.program, ["query", "-"], tables, sql.encode())

        def theirs(plan_of):
            plan = substrait.Producer.to_substrait_plan(plan_of(context.sql(sql)), context).encode()
            return answer(options.program, ["substrait", "-"], tables, plan)

        def ours_there():
            plan = call(options.program, ["explain", "-", "--format", "substrait"], tables, sql.encode())
            plan = substrait.Serde.deserialize_bytes(plan)
            logical = substrait.Consumer.from_substrait_plan(context, plan)
            batches = context.create_dataframe_from_logical_plan(logical).collect()
            return rows_of(pa.Table.from_batches(batches)) if batches else []

        ways = [
            ("DataFusion's plan here", lambda: theirs(lambda frame: frame.optimized_logical_plan())),
            ("our plan in DataFusion", ours_there),
        ]
        if name in SUBQUERIES:
            ways.append(("DataFusion's first plan here", lambda: theirs(lambda frame: frame.logical_plan())))
        for way, run in ways:
            try:
                found = run()
            except BaseException as error:  # DataFusion's panics are no Exceptions.
                known = KNOWN.get((name, way))
                if known is None or known not in str(error):
                    failures.append(f"{name}: {way}: {str(error).splitlines()[0][:300]}")
                continue
            if not same(found, expected):
                differing = [pair for pair in zip(found, expected) if not same(pair[:1], pair[1:])][:1]
                failures.append(f"{name}: {way}: {len(found)} rows, expected {len(expected)}; {differing}")
            else:
                agreed += 1
    print("\n".join(failures))
    print(f"{agreed} plans agreed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
