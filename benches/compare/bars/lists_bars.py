"""List functions over id lists as recommenders have them: about twenty ids a row, from a skewed vocabulary.

What we and Velox give is held in each engine's own layout: parts of lists may share the elements of their input. Polars and DuckDB
give lists with elements of their own, as we do wherever an answer is handed on.

The bar is over lists whose elements lie beyond the caches, where the time to read them is the floor of every engine; that floor is a line of its
own. A second, smaller table fits the last cache, as batches between operators do: there what an engine computes and what a query costs at
all count, and no bar is set.
"""

import statistics

import duckdb
import numpy
import polars
import pyarrow
import pyarrow.parquet
import pyvelox

from bars.case import expect_equal, our_answer, timed

ROWS = 500_000
CACHED_ROWS = 50_000
BAR = 3
LENGTH_MAX = 40
VOCABULARY = 10_000
SOUGHT = 17


def lists(rows, random):
    """Lists of 0 to 40 ids."""
    lengths = random.integers(0, LENGTH_MAX + 1, rows)
    offsets = numpy.concatenate([[0], numpy.cumsum(lengths)]).astype(numpy.int32)
    ids = (VOCABULARY * random.random(int(offsets[-1])) ** 3).astype(numpy.int64)
    return pyarrow.ListArray.from_arrays(pyarrow.array(offsets), pyarrow.array(ids))


def cases():
    """Name, our SQL, DuckDB's, Polars' expression, Velox' expression; whether order counts."""
    a, b = polars.col("a"), polars.col("b")
    element = polars.element()
    yield "sum", "list_sum(a)", "list_sum(a)", a.list.sum(), "reduce(a, 0, (s, x) -> s + x, s -> s)", True
    yield "mean", "list_avg(a)", "list_avg(a)", a.list.mean(), "array_average(transform(a, x -> cast(x as double)))", True
    yield "max", "list_max(a)", "list_max(a)", a.list.max(), "array_max(a)", True
    yield "contains", f"list_contains(a, {SOUGHT})", f"list_contains(a, {SOUGHT})", a.list.contains(SOUGHT), f"contains(a, {SOUGHT})", True
    yield "position", f"list_position(a, {SOUGHT})", f"list_position(a, {SOUGHT})", None, f"array_position(a, {SOUGHT})", True
    yield "distinct", "list_distinct(a)", "list_distinct(a)", a.list.unique(), "array_distinct(a)", False
    yield "count distinct", "list_unique(a)", "list_unique(a)", a.list.n_unique(), "cardinality(array_distinct(a))", True
    yield "sort", "list_sort(a)", "list_sort(a)", a.list.sort(), "array_sort(a)", True
    yield "first 10", "a[1:10]", "a[1:10]", a.list.head(10), "slice(a, 1, 10)", True
    yield "reverse", "list_reverse(a)", "list_reverse(a)", a.list.reverse(), "reverse(a)", True
    yield "intersect", "list_intersect(a, b)", "list_intersect(a, b)", a.list.set_intersection(b), "array_intersect(a, b)", False
    yield "has any", "list_has_any(a, b)", "list_has_any(a, b)", None, "arrays_overlap(a, b)", True
    yield "concat", "list_concat(a, b)", "list_concat(a, b)", a.list.concat(b), "concat(a, b)", True
    yield ("transform", "list_transform(a, x -> x * 2 + 1)", "list_transform(a, lambda x: x * 2 + 1)",
           a.list.eval(element * 2 + 1), "transform(a, x -> x * 2 + 1)", True)
    yield ("filter", "list_filter(a, x -> x > 100)", "list_filter(a, lambda x: x > 100)",
           a.list.eval(element.filter(element > 100)), "filter(a, x -> x > 100)", True)


def order_free(column):
    return pyarrow.array([None if row is None else sorted(row) for row in column.to_pylist()])


def checked(name, ours, theirs, ordered):
    """Stops where the first 20,000 rows differ."""
    ours, theirs = ours.slice(0, 20_000), theirs.slice(0, 20_000)
    if not ordered:
        ours, theirs = order_free(ours), order_free(theirs)
    if pyarrow.types.is_boolean(ours.type) or pyarrow.types.is_list(ours.type):
        theirs = theirs.cast(ours.type)
    expect_equal(name, ours, theirs)


def velox_call(expression, vectors):
    """What evaluates an expression, or None where Velox refuses it."""
    try:
        compiled = pyvelox.Expression.from_string(expression)
        compiled.evaluate(vectors)
    except (RuntimeError, ValueError, TypeError, AttributeError) as error:
        print(f"pyvelox refuses {expression}: {str(error)[:100]!r}")
        return None
    return lambda: compiled.evaluate(vectors)


def read_only(label, values, rounds):
    """States what only reading all elements takes: the floor of a case that looks at each of them."""
    seconds = statistics.median(timed(values.sum) for _ in range(2 * rounds + 1))
    print(
        f"{label} floor: {len(values):,} elements only read, numpy's sum of the flat array {seconds * 1e3:.2f} ms"
        f"  ({len(values) / 1e6 / seconds:,.0f} M ids/s, {values.nbytes / 1e9 / seconds:.1f} GB/s)",
        flush=True,
    )


def run(arguments, table_of_bars):
    rows = arguments.rows or ROWS
    measure_all(arguments, table_of_bars, rows, "list", BAR)
    if arguments.rows is None:
        measure_all(arguments, table_of_bars, CACHED_ROWS, "cached list", None)


def measure_all(arguments, table_of_bars, rows, label, bar):
    random = numpy.random.default_rng(11)
    table = pyarrow.table({"a": lists(rows, random), "b": lists(rows, random)})
    path = arguments.folder / "lists.parquet"
    pyarrow.parquet.write_table(table, path)
    engine = table_of_bars.engine()
    engine.run(f"CREATE TABLE t AS FROM '{path}'")
    database = duckdb.connect()
    database.execute("SET threads = 1")
    database.execute(f"CREATE TABLE t AS FROM '{path}'")
    frame = polars.from_arrow(table)
    pyvelox.register_presto_signatures()
    vectors = {name: pyvelox.import_from_arrow(table[name].combine_chunks()) for name in ("a", "b")}
    values = table["a"].combine_chunks().values.to_numpy()
    print(f"{label}: {rows:,} lists, {values.nbytes / 1e6:.0f} MB of elements" + ("" if bar else "; no bar"), flush=True)
    read_only(label, values, arguments.rounds)
    for name, ours, theirs, by_polars, by_velox, ordered in cases():
        if not table_of_bars.wants(name):
            continue
        query = f"SELECT {ours} AS c FROM t"
        answer = our_answer(engine, query, arguments.folder)["c"].combine_chunks()
        statement = f"SELECT {theirs} AS c FROM t"
        checked(f"{name}, duckdb", answer, database.sql(statement).to_arrow_table()["c"].combine_chunks(), ordered)
        peers = {"duckdb": lambda statement=statement: database.sql(statement).to_arrow_table()}
        if by_polars is not None:
            peers["polars"] = lambda expression=by_polars: frame.select(expression)
        call = velox_call(by_velox, vectors)
        if call is not None:
            peers["pyvelox"] = call
        engine.run(f"PREPARE q AS {query}")
        unit = (len(values) / 1e6, "M ids/s")
        table_of_bars.measure(f"{label} {name}", lambda: engine.run("EXECUTE q"), peers, bar, unit)
        engine.run("DEALLOCATE q")
    engine.close()
