"""String-heavy functions over dictionary columns: the time follows the distinct values and not the rows."""

import duckdb
import numpy
import polars
import pyarrow
import pyarrow.parquet

from bars.case import expect_equal, our_answer

ROWS = 4_000_000
DISTINCT = 2_000


def titles(random):
    words = ["red", "shoe", "winter", "GmbH", "größe", "nike", "sale", "2026", "kids", "Ärmel", "-20%", "box"]
    return [" ".join(random.choice(words, random.integers(4, 12))) + f" #{number}" for number in range(DISTINCT)]


# Ours, and Polars' for plain texts where it has the thing.
CASES = [
    ("upper", "upper(s)", "upper(s)", polars.col("s").str.to_uppercase()),
    ("regexp_replace", "regexp_replace(s, '[0-9]+', 'N', 'g')", "regexp_replace(s, '[0-9]+', 'N', 'g')", polars.col("s").str.replace_all("[0-9]+", "N")),
    ("levenshtein", "levenshtein(s, 'red winter shoe')", "levenshtein(s, 'red winter shoe')", None),
    ("jaro_winkler", "jaro_winkler_similarity(s, 'red winter shoe')", "jaro_winkler_similarity(s, 'red winter shoe')", None),
    ("strip accents", "strip_accents(s)", "strip_accents(s)", None),
    ("hash_bucket", "hash_bucket(s, 1000003)", None, polars.col("s").hash() % 1_000_003),
    ("split", "string_split(s, ' ')", "string_split(s, ' ')", polars.col("s").str.split(" ")),
]


def run(arguments, table_of_bars):
    random = numpy.random.default_rng(3)
    rows = arguments.rows or ROWS
    values = titles(random)
    codes = random.integers(0, DISTINCT, rows).astype(numpy.int32)
    column = pyarrow.DictionaryArray.from_arrays(pyarrow.array(codes), pyarrow.array(values))
    encoded, plain = arguments.folder / "encoded.parquet", arguments.folder / "plain.arrow"
    pyarrow.parquet.write_table(pyarrow.table({"s": column}), encoded)
    texts = pyarrow.table({"s": column.dictionary_decode()})
    with pyarrow.ipc.new_file(plain, texts.schema) as writer:
        writer.write_table(texts, max_chunksize=65_536)
    engine = table_of_bars.engine()
    engine.run(f"CREATE TABLE encoded AS FROM '{encoded}'")
    engine.run(f"CREATE TABLE plain AS FROM '{plain}'")
    engine.run("CREATE TABLE few AS FROM plain LIMIT " + str(DISTINCT))
    database = duckdb.connect()
    database.execute("SET threads = 1")
    database.execute(f"CREATE TABLE t AS FROM '{encoded}'")
    frame = polars.from_arrow(texts)
    categories = frame.select(polars.col("s").cast(polars.Categorical))
    for name, ours, theirs, by_polars in CASES:
        if not table_of_bars.wants(name):
            continue
        query = f"SELECT {ours} AS c FROM encoded"
        answer = our_answer(engine, query, arguments.folder)["c"]
        expect_equal(name, answer.slice(0, 50_000), our_answer(engine, f"SELECT {ours} AS c FROM plain", arguments.folder)["c"].slice(0, 50_000))
        peers = {}
        if theirs:
            statement = f"SELECT {theirs} AS c FROM t"
            expect_equal(f"{name}, duckdb", answer.slice(0, 50_000), database.sql(f"{statement} LIMIT 50000").to_arrow_table()["c"])
            peers["duckdb"] = lambda statement=statement: database.sql(statement).to_arrow_table()
        if by_polars is not None:
            peers["polars"] = lambda expression=by_polars: frame.select(expression)
        peers |= {
            "ours, plain texts": engine_run(engine, f"SELECT {ours} AS c FROM plain"),
            "ours, distinct rows": engine_run(engine, f"SELECT {ours} AS c FROM few"),
        }
        table_of_bars.measure(f"dictionary {name}", lambda query=query: engine.run(query), peers, None, (rows / 1e6, "M rows/s"))
    engine.close()


def engine_run(engine, query):
    return lambda: engine.run(query)
