"""Random Parquet files under random conditions: the program must read what DuckDB reads.

    .venv/bin/python tests/oracle/parquet_scan.py --program target/debug/hypostyle --seed 7 --rounds 20

A round writes one table in a layout of its own (compression, encodings, page version, sizes of pages, dictionaries
and row groups, share of nulls) and asks for some columns under some conditions. Prints each seed that differs.
"""

import argparse
import pathlib
import random
import subprocess
import sys
import tempfile

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = {
    "small": "INTEGER", "wide": "BIGINT", "narrow": "TINYINT", "price": "DECIMAL(12, 2)", "long": "DECIMAL(30, 4)",
    "single": "FLOAT", "double": "DOUBLE", "flag": "BOOLEAN", "kind": "VARCHAR", "own": "VARCHAR", "raw": "BLOB",
    "day": "DATE", "moment": "TIMESTAMP",
}
COMPARISONS = ["=", "<>", "<", "<=", ">", ">="]


def table(chance, rows):
    """A table of every type; values repeat in runs, a few times or never."""
    style = chance.choice(["few", "runs", "own"])
    number = {"few": "hash(x) % 17", "runs": "x // 90", "own": "hash(x * 3) % 100000"}[style]
    null = chance.choice([0, 3, 40])
    shown = lambda text: f"CASE WHEN hash(x + {chance.randrange(99)}) % 100 < {null} THEN NULL ELSE {text} END"
    values = {
        "small": f"({number})::INTEGER - 5", "wide": f"({number})::BIGINT * 1000003 - 7", "narrow": f"(({number}) % 100)::TINYINT",
        "price": f"((({number}) % 9000) / 100)::DECIMAL(12, 2)", "long": f"(({number})::BIGINT - 50)::DECIMAL(30, 4)",
        "single": f"(({number}) / 4)::FLOAT", "double": f"({number}) / 3", "flag": f"({number}) % 3 = 1",
        "kind": f"'k' || ({number}) % 12", "own": f"repeat('ä', ({number})::INTEGER % 20) || '-text-' || ({number})",
        "raw": f"encode('raw ' || ({number}))", "day": f"DATE '2020-01-01' + ({number})::INTEGER % 3000",
        "moment": f"TIMESTAMP '2020-01-01' + to_seconds(({number})::BIGINT)",
    }
    columns = ", ".join(f"{shown(text)} AS {name}" for name, text in values.items())
    return f"SELECT x AS id, {columns} FROM range({rows}) t(x)"


def write(chance, folder, number):
    """A file in a random layout; gives its path."""
    path = folder / f"t{number}.parquet"
    data = duckdb.sql(table(chance, chance.choice([1, 100, 3000, 9000]))).to_arrow_table()
    dictionary = chance.random() < 0.6
    options = {
        "compression": chance.choice(["snappy", "zstd", "none", "gzip", "lz4"]),
        "data_page_version": chance.choice(["1.0", "2.0"]),
        "data_page_size": chance.choice([200, 4000, 1 << 20]),
        "row_group_size": chance.choice([50, 1000, 2500, 1 << 20]),
        "write_batch_size": chance.choice([10, 100, 1024]),
        "use_dictionary": dictionary,
        "dictionary_pagesize_limit": chance.choice([100, 2000, 1 << 20]),
        "write_page_index": chance.random() < 0.5,
        "store_decimal_as_integer": chance.random() < 0.5,
    }
    if not dictionary and chance.random() < 0.7:
        options["column_encoding"] = {
            "small": "DELTA_BINARY_PACKED", "wide": chance.choice(["DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"]),
            "double": "BYTE_STREAM_SPLIT", "single": "BYTE_STREAM_SPLIT",
            "own": chance.choice(["PLAIN", "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"]),
        }
    pq.write_table(data, path, **options)
    return path


def condition(chance, path):
    """A condition on one column, with a constant that the column holds, mostly."""
    name = chance.choice(list(COLUMNS))
    if name == "flag":
        return chance.choice(["flag", "NOT flag", "flag IS NULL"])
    if chance.random() < 0.15:
        return f"{name} IS {chance.choice(['', 'NOT '])}NULL"
    held = duckdb.sql(f"SELECT {name}::VARCHAR FROM '{path}' WHERE {name} IS NOT NULL ORDER BY hash(id + {chance.randrange(999)}) LIMIT 3").fetchall()
    constants = [f"'{value}'::{COLUMNS[name]}" for (value,) in held] or [f"NULL::{COLUMNS[name]}"]
    if chance.random() < 0.2:
        return f"{name} IN ({', '.join(constants)})"
    if name in ("kind", "own") and chance.random() < 0.2:
        return f"{name} LIKE '%{chance.randrange(10)}'"
    return f"{name} {chance.choice(COMPARISONS)} {constants[0]}"


def query(chance, path):
    names = chance.sample(["id", *COLUMNS], chance.randrange(1, 6))
    parts = [condition(chance, path) for _ in range(chance.randrange(4))]
    if len(parts) > 1 and chance.random() < 0.2:
        parts = [f"({parts[0]} OR {parts[1]})", *parts[2:]]
    where = f" WHERE {' AND '.join(parts)}" if parts else ""
    return f"SELECT {', '.join(names)} FROM '{path}'{where}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--queries", type=int, default=10, help="queries of each round")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    failed = asked = 0
    for number in range(arguments.rounds):
        chance = random.Random(f"{arguments.seed}/{number}")
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            path = write(chance, folder, number)
            queries = [query(chance, path) for _ in range(arguments.queries)]
            script = folder / "run.sql"
            outputs = [folder / f"out{index}.parquet" for index in range(len(queries))]
            script.write_text("".join(f"COPY ({sql}) TO '{out}';\n" for sql, out in zip(queries, outputs)))
            ran = subprocess.run([arguments.program, "run", str(script)], capture_output=True, text=True)
            for sql, out in zip(queries, outputs):
                asked += 1
                if not out.exists():
                    failed += 1
                    print(f"round {number}: {sql}\n  refused: {ran.stderr.strip()[:300]}")
                    break
                theirs = duckdb.sql(sql).fetchall()
                ours = duckdb.sql(f"SELECT * FROM '{out}'").fetchall()
                if repr(ours) != repr(theirs):
                    failed += 1
                    print(f"round {number}: {sql}\n  {len(ours)} rows, DuckDB {len(theirs)}")
    print(f"{asked} queries, {failed} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
