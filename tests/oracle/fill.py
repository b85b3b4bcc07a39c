"""Fills in the answers of sqllogictest files from DuckDB, whose semantics are the specification.

    .venv/bin/python tests/oracle/fill.py tests/slt/math/rounding.slt ...
    .venv/bin/python tests/oracle/fill.py --check tests/slt        # compares, writes nothing

A record may be as short as `query` and the SQL: column types, the sort mode and the answer are filled in. A file
that starts with `# oracle: none` holds forms that DuckDB does not have, and is left alone; a single record is left
alone after a comment line `# oracle: none`. Answers are one row a line, values as `CAST(value AS VARCHAR)` gives
them with a tab between, a null as NULL, an empty text as (empty), a line break as \\n.
"""

import argparse
import pathlib
import re
import sys
import tempfile

import duckdb

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Real data beside the project; files of tests/real are filled only where it is.
DATA = ROOT.parent / "shared/data"
SKIP = "# oracle: none"
INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}


class Oracle:
    """One DuckDB session, as the runner opens one Hypostyle session for a file."""

    def __init__(self):
        self.connection = duckdb.connect()
        for setting in ("TimeZone='UTC'", "threads=1", "lambda_syntax='ENABLE_SINGLE_ARROW'"):
            self.connection.execute(f"SET {setting}")
        self.folder = tempfile.TemporaryDirectory()

    def sql(self, text):
        text = text.replace("$__TEST_DIR__", self.folder.name).replace("$__DATA_DIR__", str(DATA))
        return text.rstrip().rstrip(";")

    def run(self, text):
        """Error text of a statement, or None."""
        try:
            self.connection.execute(self.sql(text)).fetchall()
        except duckdb.Error as error:
            return str(error).splitlines()[0]
        return None

    def query(self, text):
        """Type letters and rows of a query."""
        sql = self.sql(text)
        if re.match(r"(?i)\s*(describe|show|summarize|explain|execute)\b", sql):
            cursor = self.connection.execute(sql)
            letters = "".join(type_letter(str(column[1])) for column in cursor.description)
            return letters, [[show(value) for value in row] for row in cursor.fetchall()]
        relation = self.connection.sql(sql)
        if relation is None:
            raise duckdb.Error("not a query")
        letters = "".join(type_letter(str(data_type)) for data_type in relation.types)
        names = [f"c{position}" for position in range(len(letters))]
        casts = ", ".join(f"CAST({name} AS VARCHAR)" for name in names)
        # The alias renames columns of one name; the order of the inner query is kept by one thread.
        cursor = self.connection.execute(f"SELECT {casts} FROM ({sql}\n) AS answer({', '.join(names)})")
        return letters, [[show(value) for value in row] for row in cursor.fetchall()]


def type_letter(name):
    if name in INTEGERS or re.fullmatch(r"DECIMAL\(\d+,0\)", name):
        return "I"
    if name in {"FLOAT", "DOUBLE", "NUMBER"} or re.fullmatch(r"DECIMAL(\(\d+,\d+\))?", name):
        return "R"
    # A bare NULL has a type that each engine chooses for itself.
    return "?" if name == "\"NULL\"" else "T"


def show(value):
    if value is None:
        return "NULL"
    # A NaN has a sign in memory that no rule of arithmetic defines.
    text = re.sub(r"-nan\b", "nan", str(value)).replace("\n", "\\n")
    return text if text else "(empty)"


def records(lines):
    """Splits a file into records: lists of lines without the blank lines between them."""
    record, blank = [], []
    for line in lines:
        if line.strip():
            if blank and record:
                yield record
                record = []
            blank = []
            record.append(line)
        else:
            blank.append(line)
    if record:
        yield record


def filled(record, oracle, problems, where):
    """The record with its answer from the oracle."""
    comments = [line for line in record if line.startswith("#")]
    body = record[len(comments):]
    if not body or SKIP in comments:
        return record
    head, rest = body[0], body[1:]
    if head.startswith("statement"):
        sql = "\n".join(rest)
        error = oracle.run(sql)
        if (error is not None) != head.startswith("statement error"):
            problems.append(f"{where}: {sql}\n    expected {head!r}, DuckDB: {error}")
        return record
    if not head.startswith("query"):
        return record
    sql = rest[: rest.index("----")] if "----" in rest else rest
    try:
        letters, rows = oracle.query("\n".join(sql))
    except duckdb.Error as error:
        problems.append(f"{where}: {' '.join(sql)}\n    {str(error).splitlines()[0]}")
        return record
    words = head.split()
    ordered = re.search(r"(?i)^\s*(describe|show)\b|\border\s+by\b[^)]*$", "\n".join(sql)) is not None
    mode = words[2] if len(words) > 2 else ("" if ordered or len(rows) < 2 else "rowsort")
    if mode == "rowsort":
        rows.sort()
    answer = ["\t".join(row) for row in rows]
    return comments + [f"query {letters} {mode}".rstrip()] + sql + ["----"] + answer


def fill(path, check):
    text = path.read_text()
    if text.startswith(SKIP) or ("$__DATA_DIR__" in text and not DATA.is_dir()):
        return []
    oracle, problems, output, line = Oracle(), [], [], 1
    for record in records(text.splitlines()):
        output.append("\n".join(filled(record, oracle, problems, f"{path}")))
    result = "\n\n".join(output) + "\n"
    if result != text:
        if check:
            problems.append(f"{path}: answers differ from DuckDB's")
        else:
            path.write_text(result)
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare only")
    parser.add_argument("paths", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    files = []
    for path in arguments.paths:
        files += sorted(path.rglob("*.slt")) if path.is_dir() else [path]
    problems = [problem for path in files for problem in fill(path, arguments.check)]
    print("\n".join(problems), file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
