"""Random typed queries that Hypostyle and DuckDB must answer alike.

An expression is made for a type it must have; leaves are columns of the table `t` or literals. What an expression can
do wrong with a value (overflow, a text that is no number) is wrapped in TRY, since engines may look at rows and
conjuncts in another order.
"""

import random

# Columns of the table t, by type.
COLUMNS = {
    "INTEGER": ["i", "j", "small"],
    "BIGINT": ["b"],
    "DOUBLE": ["f", "g"],
    "DECIMAL": ["d"],
    "VARCHAR": ["s", "k"],
    "BOOLEAN": ["p"],
    "DATE": ["day"],
    "TIMESTAMP": ["ts"],
    "LIST": ["l"],
}

TABLE = """
SELECT
    x AS id,
    CASE WHEN x % 11 = 0 THEN NULL ELSE (x * 7919 % 201 - 100)::INTEGER END AS i,
    (x * 31 % 17 - 8)::INTEGER AS j,
    (x % 4)::TINYINT AS small,
    CASE WHEN x % 13 = 0 THEN NULL ELSE x * 104729 % 1000003 - 500000 END AS b,
    CASE WHEN x % 7 = 0 THEN NULL WHEN x % 29 = 0 THEN 'nan'::DOUBLE WHEN x % 31 = 0 THEN 'inf'::DOUBLE
        ELSE (x * 37 % 1000 - 500) / 8 END AS f,
    (x * 53 % 997) / 64 AS g,
    CASE WHEN x % 5 = 0 THEN NULL ELSE ((x * 17 % 2001 - 1000) / 100)::DECIMAL(10, 2) END AS d,
    CASE WHEN x % 9 = 0 THEN NULL WHEN x % 8 = 0 THEN '' WHEN x % 6 = 0 THEN 'Straße ' || x
        ELSE 'item-' || (x * 13 % 40) END AS s,
    ['red', 'green', 'blue', 'Ünïcode'][x % 4 + 1] AS k,
    CASE WHEN x % 10 = 0 THEN NULL ELSE x % 3 = 0 END AS p,
    CASE WHEN x % 12 = 0 THEN NULL ELSE DATE '2023-12-15' + (x * 7 % 500)::INTEGER END AS day,
    CASE WHEN x % 14 = 0 THEN NULL ELSE TIMESTAMP '2024-01-31 22:10:05.5' + to_minutes(x * 577 % 100000) END AS ts,
    CASE WHEN x % 8 = 0 THEN NULL WHEN x % 7 = 0 THEN [] ELSE [x % 5, NULL, x % 3, x % 9] END AS l
FROM range({rows}) r(x)
"""


class Expressions:
    """Makes random expressions; the same seed makes the same ones."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, options):
        return self.random.choice(options)

    def of(self, data_type, depth):
        """An expression of this type, at most `depth` calls deep."""
        if depth == 0 or self.random.random() < 0.15:
            return self.leaf(data_type)
        form = self.pick(FORMS[data_type])
        return form(self, depth - 1)

    def leaf(self, data_type):
        if self.random.random() < 0.75:
            return self.pick(COLUMNS[data_type])
        return self.literal(data_type)

    def literal(self, data_type):
        number = self.random.randint(-20, 20)
        texts = ["''", "'item-1'", "'a'", "'ß'", "'-'", "'RED'", "NULL::VARCHAR"]
        return {
            "INTEGER": lambda: str(number) if number >= 0 else f"({number})",
            "BIGINT": lambda: f"({number * 100003})::BIGINT",
            "DOUBLE": lambda: f"({number / 4})::DOUBLE",
            "DECIMAL": lambda: f"({number / 4:.2f})::DECIMAL(10, 2)",
            "VARCHAR": lambda: self.pick(texts),
            "BOOLEAN": lambda: self.pick(["true", "false", "NULL::BOOLEAN"]),
            "DATE": lambda: f"DATE '2024-{self.random.randint(1, 12):02}-{self.random.randint(1, 28):02}'",
            "TIMESTAMP": lambda: f"TIMESTAMP '2024-03-{self.random.randint(1, 28):02} 12:34:56'",
            "LIST": lambda: self.pick(["[1, 2, 3]::BIGINT[]", "[]::BIGINT[]", "[NULL, 5]::BIGINT[]"]),
        }[data_type]()

    def comparable(self, depth):
        data_type = self.pick(["INTEGER", "DOUBLE", "VARCHAR", "DATE", "TIMESTAMP", "DECIMAL", "BIGINT"])
        return self.of(data_type, depth), self.of(data_type, depth)


def call(template, *types):
    """A form that fills `{}` with expressions of these types."""
    return lambda make, depth: template.format(*(make.of(data_type, depth) for data_type in types))


def comparison(make, depth):
    left, right = make.comparable(depth)
    return f"({left} {make.pick(['=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM'])} {right})"


def conditional(data_type):
    return [
        call("CASE WHEN {} THEN {} ELSE {} END", "BOOLEAN", data_type, data_type),
        call("CASE WHEN {} THEN {} WHEN {} THEN {} END", "BOOLEAN", data_type, "BOOLEAN", data_type),
        call("coalesce({}, {})", data_type, data_type),
        call("nullif({}, {})", data_type, data_type),
        call("greatest({}, {})", data_type, data_type),
        call("least({}, {})", data_type, data_type),
    ]


FORMS = {
    "INTEGER": conditional("INTEGER")
    + [
        call("TRY({} + {})", "INTEGER", "INTEGER"),
        call("TRY({} - {})", "INTEGER", "INTEGER"),
        call("TRY({} * {})", "INTEGER", "INTEGER"),
        call("TRY({} // {})", "INTEGER", "INTEGER"),
        call("TRY({} % {})", "INTEGER", "INTEGER"),
        call("TRY(-{})", "INTEGER"),
        call("TRY(abs({}))", "INTEGER"),
        call("TRY_CAST({} AS INTEGER)", "DOUBLE"),
        call("TRY_CAST({} AS INTEGER)", "DECIMAL"),
        call("length({})::INTEGER", "VARCHAR"),
        call("levenshtein({}, {})::INTEGER", "VARCHAR", "VARCHAR"),
        call("year({})::INTEGER", "DATE"),
        call("date_part('dayofyear', {})::INTEGER", "DATE"),
        call("hour({})::INTEGER", "TIMESTAMP"),
        call("({} & {})", "INTEGER", "INTEGER"),
        call("len({})::INTEGER", "LIST"),
        call("list_position({}, 2::BIGINT)::INTEGER", "LIST"),
    ],
    "BIGINT": conditional("BIGINT")
    + [
        call("TRY({} + {})", "BIGINT", "INTEGER"),
        call("TRY({} * {})", "BIGINT", "INTEGER"),
        call("TRY({} // {})", "BIGINT", "BIGINT"),
        call("TRY(date_diff('day', {}, {}))", "DATE", "DATE"),
        call("TRY(epoch_ms({}))", "TIMESTAMP"),
        call("TRY(({})[{}])", "LIST", "INTEGER"),
        call("({})[-1]", "LIST"),
        call("instr({}, {})::BIGINT", "VARCHAR", "VARCHAR"),
    ],
    "DOUBLE": conditional("DOUBLE")
    + [
        call("({} + {})", "DOUBLE", "DOUBLE"),
        call("({} * {})", "DOUBLE", "DOUBLE"),
        call("({} / {})", "INTEGER", "INTEGER"),
        call("({} - {})", "DOUBLE", "INTEGER"),
        call("floor({})", "DOUBLE"),
        call("ceil({})", "DOUBLE"),
        call("round({}, 1)", "DOUBLE"),
        call("abs({})", "DOUBLE"),
        call("ln(abs({}) + 1)", "DOUBLE"),
        call("sqrt(abs({}))", "DOUBLE"),
        call("({})::DOUBLE", "DECIMAL"),
        call("({})::DOUBLE", "BIGINT"),
        call("TRY_CAST({} AS DOUBLE)", "VARCHAR"),
    ],
    "DECIMAL": [
        call("CASE WHEN {} THEN {} END", "BOOLEAN", "DECIMAL"),
        call("coalesce({}, {})", "DECIMAL", "DECIMAL"),
        call("TRY_CAST({} AS DECIMAL(10, 2))", "INTEGER"),
        call("TRY(CAST({} + {} AS DECIMAL(10, 2)))", "DECIMAL", "DECIMAL"),
        call("TRY(CAST({} * {} AS DECIMAL(10, 2)))", "DECIMAL", "INTEGER"),
        call("TRY(abs({}))", "DECIMAL"),
    ],
    "VARCHAR": conditional("VARCHAR")
    + [
        call("({} || {})", "VARCHAR", "VARCHAR"),
        call("upper({})", "VARCHAR"),
        call("lower({})", "VARCHAR"),
        call("reverse({})", "VARCHAR"),
        call("trim({})", "VARCHAR"),
        call("substring({}, {}, 3)", "VARCHAR", "INTEGER"),
        call("left({}, {})", "VARCHAR", "INTEGER"),
        call("right({}, {})", "VARCHAR", "INTEGER"),
        call("replace({}, {}, {})", "VARCHAR", "VARCHAR", "VARCHAR"),
        call("split_part({}, '-', {})", "VARCHAR", "INTEGER"),
        call("regexp_replace({}, '[aeiou]', '_', 'g')", "VARCHAR"),
        call("regexp_extract({}, '([a-z]+)-([0-9]+)', 2)", "VARCHAR"),
        call("lpad({}, 8, '*')", "VARCHAR"),
        call("({})::VARCHAR", "INTEGER"),
        call("({})::VARCHAR", "DECIMAL"),
        call("({})::VARCHAR", "DATE"),
        call("({})::VARCHAR", "TIMESTAMP"),
        call("({})::VARCHAR", "BOOLEAN"),
        call("strftime({}, '%Y-%m-%d %H:%M')", "TIMESTAMP"),
        call("dayname({})", "DATE"),
        call("md5({})", "VARCHAR"),
        call("concat({}, {}, {})", "VARCHAR", "INTEGER", "VARCHAR"),
        call("array_to_string({}, ',')", "LIST"),
    ],
    "BOOLEAN": [
        comparison,
        comparison,
        call("({} AND {})", "BOOLEAN", "BOOLEAN"),
        call("({} OR {})", "BOOLEAN", "BOOLEAN"),
        call("(NOT {})", "BOOLEAN"),
        call("({} IS NULL)", "VARCHAR"),
        call("({} BETWEEN {} AND {})", "INTEGER", "INTEGER", "INTEGER"),
        call("({} IN ({}, {}, 3))", "INTEGER", "INTEGER", "INTEGER"),
        call("({} NOT IN ('red', 'blue'))", "VARCHAR"),
        call("({} LIKE '%e%')", "VARCHAR"),
        call("({} ILIKE 'IT_M%')", "VARCHAR"),
        call("contains({}, {})", "VARCHAR", "VARCHAR"),
        call("starts_with({}, 'i')", "VARCHAR"),
        call("regexp_matches({}, '^[a-z]+-[0-9]$')", "VARCHAR"),
        call("isnan({})", "DOUBLE"),
        call("list_contains({}, 2::BIGINT)", "LIST"),
        call("TRY_CAST({} AS BOOLEAN)", "VARCHAR"),
    ],
    "DATE": conditional("DATE")
    + [
        call("TRY({} + {})", "DATE", "INTEGER"),
        call("TRY({} - {})", "DATE", "INTEGER"),
        call("date_trunc('month', {})::DATE", "DATE"),
        call("last_day({})", "DATE"),
        call("({})::DATE", "TIMESTAMP"),
        call("TRY_CAST({} AS DATE)", "VARCHAR"),
    ],
    "TIMESTAMP": conditional("TIMESTAMP")
    + [
        call("date_trunc('hour', {})", "TIMESTAMP"),
        call("TRY({} + INTERVAL 1 MONTH)", "TIMESTAMP"),
        call("TRY({} - INTERVAL '1 day 3 hours')", "TIMESTAMP"),
        call("({})::TIMESTAMP", "DATE"),
        call("TRY({} + to_hours({}))", "TIMESTAMP", "INTEGER"),
    ],
    "LIST": [
        call("CASE WHEN {} THEN {} END", "BOOLEAN", "LIST"),
        call("list_sort({})", "LIST"),
        call("list_reverse({})", "LIST"),
        call("list_concat({}, {})", "LIST", "LIST"),
        call("list_filter({}, e -> e > 1)", "LIST"),
        call("list_transform({}, e -> e * 2)", "LIST"),
        call("list_append({}, {})", "LIST", "BIGINT"),
        call("({})[2:3]", "LIST"),
    ],
}

SCALARS = ["INTEGER", "BIGINT", "DOUBLE", "DECIMAL", "VARCHAR", "BOOLEAN", "DATE", "TIMESTAMP", "LIST"]
KEYS = ["INTEGER", "VARCHAR", "BOOLEAN", "DATE"]
AGGREGATES = [
    ("count({})", "VARCHAR"),
    ("sum({})", "INTEGER"),
    ("sum({})", "DECIMAL"),
    ("min({})", "DOUBLE"),
    ("max({})", "VARCHAR"),
    ("avg({})", "INTEGER"),
    ("count(DISTINCT {})", "INTEGER"),
    ("bool_or({})", "BOOLEAN"),
    ("list({} ORDER BY id)", "INTEGER"),
    ("string_agg({}, ',' ORDER BY id)", "VARCHAR"),
    ("median({})", "INTEGER"),
    ("max({})", "TIMESTAMP"),
    ("stddev({})", "INTEGER"),
    ("arg_max({}, id)", "VARCHAR"),
    ("count(*) + 0 * count({})", "INTEGER"),
    ("avg({})", "DECIMAL"),
    ("sum(DISTINCT {})", "INTEGER"),
    ("max({}, 3)", "INTEGER"),
    ("min({}, 2)", "VARCHAR"),
    ("arg_min({}, -id, 2)", "VARCHAR"),
    ("median({})", "TIMESTAMP"),
    ("quantile_cont({}, 0.3)", "TIMESTAMP"),
    ("avg({})", "DOUBLE"),
]


def projection(make):
    outputs = ", ".join(f"{make.of(make.pick(SCALARS), 4)} AS c{number}" for number in range(3))
    where = f" WHERE {make.of('BOOLEAN', 3)}" if make.random.random() < 0.6 else ""
    return f"SELECT id, {outputs} FROM t{where} ORDER BY id"


def aggregation(make):
    key = make.of(make.pick(KEYS), 2)
    outputs = []
    for number in range(3):
        template, data_type = make.pick(AGGREGATES)
        condition = f" FILTER (WHERE {make.of('BOOLEAN', 2)})" if make.random.random() < 0.3 else ""
        outputs.append(f"{template.format(make.of(data_type, 2))}{condition} AS c{number}")
    where = f" WHERE {make.of('BOOLEAN', 2)}" if make.random.random() < 0.4 else ""
    if make.random.random() < 0.4:
        second = make.of(make.pick(KEYS), 1)
        return f"SELECT {key} AS k0, {second} AS k1, {', '.join(outputs)} FROM t{where} GROUP BY k0, k1 ORDER BY k0, k1"
    return f"SELECT {key} AS k0, {', '.join(outputs)} FROM t{where} GROUP BY k0 ORDER BY k0 NULLS LAST"


def distinct_counts(make):
    """Only DISTINCT calls over one argument, with keys or without."""
    argument = make.of(make.pick(["INTEGER", "VARCHAR", "TIMESTAMP"]), 2)
    calls = f"count(DISTINCT {argument}) AS c0, min(DISTINCT {argument}) AS c1, count(DISTINCT {argument}) AS c2"
    if make.random.random() < 0.3:
        return f"SELECT {calls} FROM t"
    return f"SELECT {make.of(make.pick(KEYS), 2)} AS k0, {calls} FROM t GROUP BY k0 ORDER BY k0 NULLS LAST"


def join(make):
    kind = make.pick(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN"])
    one_sided = kind in ("SEMI JOIN", "ANTI JOIN")
    outputs = "a.id AS x, a.k AS y" if one_sided else "a.id AS x, a.k AS y, b.id AS z, b.s AS w"
    keys = make.pick([["i"], ["j"], ["k"], ["small", "k"], ["s"], ["day"]])
    condition = " AND ".join(f"a.{key} = b.{key}" for key in keys)
    extra = make.pick(["", " AND a.id < b.id", " AND b.p", " AND a.j > 2"])
    limit = "WHERE id < 60"
    return (
        f"SELECT {outputs} FROM (SELECT * FROM t {limit}) a {kind} (SELECT * FROM t WHERE id % 3 <> 1 AND id < 90) b "
        f"ON {condition}{extra} ORDER BY ALL"
    )


def top_n(make):
    key = make.of(make.pick(KEYS + ["DOUBLE", "TIMESTAMP"]), 2)
    order = make.pick(["ASC", "DESC"]) + make.pick(["", " NULLS FIRST", " NULLS LAST"])
    return f"SELECT id, {key} AS k0 FROM t ORDER BY k0 {order}, id LIMIT {make.random.randint(0, 30)}"


def query(seed, number):
    """One random query."""
    make = Expressions(f"{seed}/{number}")
    return make.pick([projection, projection, projection, aggregation, aggregation, distinct_counts, join, top_n])(make)
