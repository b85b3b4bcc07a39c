"""Five paths of JSON payloads: short event records, and long ones of which most is passed over."""

import random

import duckdb
import orjson
import polars
import pyarrow
import pyarrow.parquet
import simdjson

from bars.case import expect_equal, our_answer

ROWS = 200_000
PATHS = ["$.user.id", "$.event", "$.item.price", "$.item.tags[1]", "$.context.device.os"]
CASTS = {0: "BIGINT", 2: "DOUBLE"}


def record(generator, extra):
    """An event as shops log them; `extra` further fields stand in front of the asked ones."""
    event = {f"attribute_{number}": {"name": f"name {generator.randrange(1000)}", "score": generator.random()} for number in range(extra)}
    event |= {
        "id": generator.getrandbits(48),
        "time": "2026-01-01T00:00:00Z",
        "user": {"id": generator.randrange(1_000_000), "segments": ["a", "b"], "country": generator.choice(["de", "us", "jp"])},
        "event": generator.choice(["view", "click", "purchase"]),
        "item": {"id": generator.randrange(50_000), "price": generator.randrange(100, 99_999) / 4, "title": 'a "good" thing',
                 "tags": [generator.choice(["red", "new", "sale"]) for _ in range(generator.randrange(4))]},
        "context": {"device": {"os": generator.choice(["ios", "android", "web"]), "version": "17.1"}, "referrer": None},
        "session": [generator.randrange(100) for _ in range(10)],
    }
    return orjson.dumps(event).decode()


def query_of(casts):
    """The five answers as text, or cast where a type is given."""
    def column(at, path):
        text = f"json_extract_string(j, '{path}')"
        return f"CAST({text} AS {casts[at]}) AS c{at}" if at in casts else f"{text} AS c{at}"

    return "SELECT " + ", ".join(column(at, path) for at, path in enumerate(PATHS)) + " FROM t"


def walk(document):
    """What the five paths lead to, or None."""
    tags = document["item"]["tags"]
    tag = tags[1] if len(tags) > 1 else None
    return document["user"]["id"], document["event"], document["item"]["price"], tag, document["context"]["device"]["os"]


def as_columns(rows):
    """Rows of five answers as an Arrow table: typed, as a pipeline would hand them on."""
    types = [pyarrow.int64(), pyarrow.string(), pyarrow.float64(), pyarrow.string(), pyarrow.string()]
    return pyarrow.table({f"c{at}": pyarrow.array(column, type) for at, (column, type) in enumerate(zip(zip(*rows), types))})


def by_orjson(texts):
    loads = orjson.loads
    return as_columns([walk(loads(text)) for text in texts])


def by_simdjson(texts):
    parser = simdjson.Parser()
    rows = []
    for text in texts:
        document = parser.parse(text)
        try:
            tag = document.at_pointer("/item/tags/1")
        except (KeyError, IndexError, ValueError):
            tag = None
        at = document.at_pointer
        rows.append((at("/user/id"), at("/event"), at("/item/price"), tag, at("/context/device/os")))
        del document, at
    return as_columns(rows)


def run(arguments, table_of_bars):
    for label, extra in (("short records", 0), ("long records", 12)):
        rows = (arguments.rows or ROWS) // (4 if extra else 1)
        generator = random.Random(7)
        texts = [record(generator, extra) for _ in range(rows)]
        size = sum(map(len, texts)) / 1e6
        table = pyarrow.table({"j": texts})
        path = arguments.folder / "json.parquet"
        pyarrow.parquet.write_table(table, path, use_dictionary=False)
        engine = table_of_bars.engine()
        engine.run(f"CREATE TABLE t AS FROM '{path}'")
        expected = by_orjson(texts)
        frame = polars.from_arrow(table)
        encoded = [text.encode() for text in texts]
        database = duckdb.connect()
        database.execute("SET threads = 1")
        database.execute(f"CREATE TABLE t AS FROM '{path}'")
        text_query, typed_query = query_of({}), query_of(CASTS)
        all_paths = ", ".join(f"'{path}'" for path in PATHS)
        list_query = f"SELECT json_extract_string(j, [{all_paths}]) AS c FROM t"
        for query in (typed_query, text_query):
            ours = our_answer(engine, query, arguments.folder)
            theirs = database.sql(query).to_arrow_table()
            for name in ours.column_names:
                expect_equal(f"{label} {name}", ours[name].cast(theirs[name].type), theirs[name])
                if query == typed_query:
                    expect_equal(f"{label} {name}", ours[name].cast(expected[name].type), expected[name])
        expect_equal(label, pyarrow.array(by_simdjson(encoded).to_pylist()), pyarrow.array(expected.to_pylist()))

        def duckdb_run(query):
            return lambda: database.sql(query).to_arrow_table()

        by_polars = [polars.col("j").str.json_path_match(path).alias(f"c{at}") for at, path in enumerate(PATHS)]
        unit = (size, "MB/s")
        measured = table_of_bars.measure
        measured(
            f"json, 5 paths, {label}", lambda: engine.run(typed_query),
            {
                "duckdb": duckdb_run(typed_query),
                "orjson": lambda: by_orjson(encoded),
                "pysimdjson": lambda: by_simdjson(encoded),
            },
            2, unit,
        )
        measured(
            f"json, 5 paths as text, {label}", lambda: engine.run(text_query),
            {
                "duckdb": duckdb_run(text_query),
                "duckdb, list of paths": duckdb_run(list_query),
                "polars": lambda: frame.select(by_polars),
            },
            2, unit,
        )
        engine.close()
