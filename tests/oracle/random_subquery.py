"""Random queries with subqueries, correlated through several levels, that Hypostyle and DuckDB must answer alike.

Tables are small, with few values, many duplicates and nulls, and one is empty, so that every kind of comparison with
nothing, with one row and with several rows comes up often. All columns are INTEGER.
"""

import random

TABLES = {
    "r": ["a", "b", "c"],
    "s": ["d", "e", "f"],
    "u": ["g", "h"],
    "z": ["k", "l"],
}
ROWS = {"r": 17, "s": 23, "u": 7, "z": 0}


def table_rows(name):
    """Rows of a table; the same ones each time."""
    make = random.Random(name)
    values = [0, 1, 1, 2, 2, 3, 4, None]
    return [tuple(make.choice(values) for _ in TABLES[name]) for _ in range(ROWS[name])]


def setup():
    """Statements that make the tables."""
    for name, columns in TABLES.items():
        rows = table_rows(name)
        shown = ", ".join("(" + ", ".join("NULL" if value is None else str(value) for value in row) + ")" for row in rows)
        typed = ", ".join(f"{column}::INTEGER AS {column}" for column in columns)
        if rows:
            yield f"CREATE TABLE {name} AS SELECT {typed} FROM (VALUES {shown}) v({', '.join(columns)})"
        else:
            nulls = ", ".join(f"NULL::INTEGER AS {column}" for column in columns)
            yield f"CREATE TABLE {name} AS SELECT {nulls} WHERE false"


class Query:
    """Makes one random query; the same seed makes the same one."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.aliases = 0

    def pick(self, options):
        return self.random.choice(options)

    def chance(self, share):
        return self.random.random() < share

    def alias(self):
        self.aliases += 1
        return f"q{self.aliases}"

    def source(self, outer, depth):
        """FROM, and the columns it brings."""
        kind = self.random.random()
        name = self.pick(["r", "s", "u", "r", "s", "u", "z"])
        alias = self.alias()
        text, columns = f"{name} {alias}", [f"{alias}.{column}" for column in TABLES[name]]
        if depth > 0 and kind < 0.15:
            lateral = self.alias()
            around = outer + columns
            inner = self.limited(around, depth - 1) if self.chance(0.2) else self.select(around, depth - 1, 1)
            join = self.pick([", LATERAL", " JOIN", " LEFT JOIN LATERAL"])
            on = "" if join.startswith(",") else " ON " + self.pick(
                ["true", f"{lateral}.x = {self.pick(columns)}", f"{lateral}.x > {self.pick(columns)}"])
            return f"{text}{join} ({inner}) {lateral}(x){on}", columns + [f"{lateral}.x"]
        if kind < 0.3:
            other, second = self.pick(["r", "s", "u"]), self.alias()
            added = [f"{second}.{column}" for column in TABLES[other]]
            join = self.pick(["JOIN", "LEFT JOIN", "JOIN", "RIGHT JOIN", "FULL JOIN"])
            on = f"{self.pick(columns)} = {self.pick(added)}"
            if join != "FULL JOIN" and join != "RIGHT JOIN" and self.chance(0.3) and outer:
                on += f" AND {self.pick(added)} <= {self.pick(outer)}"
            return f"{text} {join} {other} {second} ON {on}", columns + added
        return text, columns

    def value(self, columns, outer, depth):
        kind = self.random.random()
        if depth > 0 and kind < 0.25:
            return self.scalar(outer + columns, depth - 1)
        if kind < 0.7:
            return self.pick(columns) if not outer or self.chance(0.75) else self.pick(outer)
        if kind < 0.8:
            return str(self.random.randint(0, 4))
        if kind < 0.9:
            return f"({self.pick(columns)} + {self.pick(columns + outer)})"
        if kind < 0.95:
            return f"coalesce({self.pick(columns)}, {self.pick(columns + outer)}, 1)"
        return f"CASE WHEN {self.condition(columns, outer, 0)} THEN {self.pick(columns)} ELSE {self.pick(columns + outer)} END"

    def scalar(self, outer, depth):
        """A subquery as a value."""
        kind = self.random.random()
        if kind < 0.6:
            return f"({self.select(outer, depth, 1, aggregated=True)})"
        if kind < 0.8:
            return f"({self.select(outer, depth, 1)} ORDER BY 1 {self.pick(['', 'DESC'])} LIMIT 1)"
        inner = self.alias()
        call = self.aggregate(f"{inner}.x")
        body = self.pick([self.union, self.distinct, self.grouped, self.limited, self.ranked])(outer, depth)
        return f"(SELECT {call} FROM ({body}) {inner}(x))"

    def union(self, outer, depth):
        operator = self.pick(["UNION ALL", "UNION", "EXCEPT", "INTERSECT"])
        return f"{self.select(outer, depth, 1)} {operator} {self.select(outer, 0, 1)}"

    def distinct(self, outer, depth):
        return self.select(outer, depth, 1).replace("SELECT ", "SELECT DISTINCT ", 1)

    def grouped(self, outer, depth):
        text, columns = self.source(outer, 0)
        where = self.where(columns, outer, depth)
        having = f" HAVING count(*) > {self.pick(outer + ['1'])}" if self.chance(0.3) and outer else ""
        return f"SELECT {self.aggregate(self.pick(columns))} FROM {text}{where} GROUP BY {self.pick(columns)}{having}"

    def limited(self, outer, depth):
        """The first rows by their only column, so that ties do not matter."""
        offset = self.pick(["", "", " OFFSET 1"])
        return f"{self.select(outer, depth, 1)} ORDER BY 1 {self.pick(['', 'DESC'])} LIMIT {self.random.randint(0, 3)}{offset}"

    def ranked(self, outer, depth):
        """A window whose value does not depend on the order of ties."""
        text, columns = self.source(outer, 0)
        partition = f"PARTITION BY {self.pick(columns)} " if self.chance(0.5) else ""
        call = self.pick(["rank()", f"sum({self.pick(columns)})", "count(*)"])
        over = f"{call} OVER ({partition}ORDER BY {self.pick(columns)})"
        return f"SELECT {over} FROM {text}{self.where(columns, outer, depth)}"

    def shared(self):
        """A table of WITH that is used several times."""
        body = self.pick([self.union, self.distinct, self.grouped, self.limited])([], 1)
        left, right = self.alias(), self.alias()
        hint = self.pick(["", "", "MATERIALIZED ", "NOT MATERIALIZED "])
        condition = self.condition([f"{left}.x", f"{right}.x"], [], 1)
        inner = self.alias()
        value = f"(SELECT count(*) FROM w {inner} WHERE {inner}.x {self.pick(['=', '<'])} {left}.x)"
        return f"WITH w(x) AS {hint}({body}) SELECT {left}.x, {right}.x, {value} FROM w {left}, w {right} WHERE {condition}"

    def aggregate(self, value):
        return self.pick(["count(*)", f"count({value})", f"sum({value})", f"min({value})", f"max({value})",
                          f"count(DISTINCT {value})", f"coalesce(sum({value}), -1)", f"sum({value}) + count(*)"])

    def condition(self, columns, outer, depth):
        kind = self.random.random()
        if depth > 0 and kind < 0.45:
            return self.subquery_condition(columns, outer, depth - 1)
        if kind < 0.5 and depth > 0:
            pair = [self.condition(columns, outer, depth - 1) for _ in range(2)]
            return "(" + self.pick([" OR ", " AND "]).join(pair) + ")"
        if kind < 0.55:
            return f"{self.pick(columns)} IS {self.pick(['', 'NOT '])}NULL"
        operator = self.pick(["=", "=", "=", "<", "<=", ">", "<>", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"])
        left = self.pick(columns)
        right = self.pick(outer) if outer and self.chance(0.7) else self.value(columns, outer, 0)
        return f"{left} {operator} {right}"

    def subquery_condition(self, columns, outer, depth):
        around = outer + columns
        kind = self.random.random()
        negated = self.pick(["", "NOT "])
        if kind < 0.3:
            return f"{negated}EXISTS ({self.select(around, depth, 1)})"
        if kind < 0.55:
            return f"{self.value(columns, outer, 0)} {negated}IN ({self.select(around, depth, 1)})"
        if kind < 0.65:
            pair = f"({self.pick(columns)}, {self.pick(columns)})"
            return f"{pair} {negated}IN ({self.select(around, depth, 2)})"
        if kind < 0.85:
            operator = self.pick(["=", "<>", "<", "<=", ">", ">="])
            return f"{self.pick(columns)} {operator} {self.pick(['ANY', 'ALL', 'SOME'])} ({self.select(around, depth, 1)})"
        operator = self.pick(["=", "<", ">", "<>"])
        return f"{self.pick(columns)} {operator} {self.scalar(around, depth)}"

    def where(self, columns, outer, depth):
        terms = [self.condition(columns, outer, depth) for _ in range(self.random.randint(0, 2))]
        if outer and self.chance(0.6):
            terms.append(f"{self.pick(columns)} = {self.pick(outer)}")
        return " WHERE " + " AND ".join(terms) if terms else ""

    def select(self, outer, depth, width, aggregated=False):
        text, columns = self.source(outer, depth)
        items = [self.aggregate(self.pick(columns)) if aggregated else self.value(columns, outer, depth)
                 for _ in range(width)]
        having = f" HAVING count(*) > {self.random.randint(0, 2)}" if aggregated and self.chance(0.15) else ""
        return f"SELECT {', '.join(items)} FROM {text}{self.where(columns, outer, depth)}{having}"

    def top(self):
        if self.chance(0.1):
            return self.shared()
        text, columns = self.source([], 2)
        depth = self.random.randint(1, 3)
        items = columns[:2] + [self.value(columns, [], depth) for _ in range(self.random.randint(0, 2))]
        if self.chance(0.2):
            items.append(self.condition(columns, [], depth))
        where = self.where(columns, [], depth)
        if self.chance(0.15):
            key = self.pick(columns)
            having = f" HAVING {self.condition([key], [], depth)}" if self.chance(0.5) else ""
            return f"SELECT {key}, count(*), {self.scalar([key], depth - 1)} FROM {text}{where} GROUP BY {key}{having}"
        return f"SELECT {', '.join(items)} FROM {text}{where}"


def query(seed, number):
    """One random query."""
    return Query(f"{seed}/{number}").top()
