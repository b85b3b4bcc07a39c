"""Random queries of grouping sets, set operations, DISTINCT ON, PIVOT and UNPIVOT over the table `t`.

All are ordered by everything that is selected, so answers compare row by row.
"""

import random

KEYS = ["k", "small", "j", "p", "i % 3", "d", "s", "b % 5", "day", "small IS NULL"]
CALLS = ["count(*)", "sum(i)", "count(DISTINCT k)", "min(b)", "max(s)", "sum(j) FILTER (WHERE p)", "count(i)", "avg(small)"]
# Columns that the branches of set operations share, with few values, so that rows meet.
BRANCHES = {
    "k": ["k", "upper(k)", "'red'", "s"],
    "small": ["small", "j % 4", "i % 3", "NULL", "1"],
    "p": ["p", "NOT p", "true"],
    "d": ["d", "i", "small", "0"],
}
CONDITIONS = ["true", "false", "i > 0", "p", "k <> 'red'", "small = 2", "id % 3 = 0", "s IS NULL", "id < 40"]
OPERATORS = ["UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL"]


def query(seed, number):
    """The query of this number: the same seed makes the same one."""
    chance = random.Random(seed * 1_000_003 + number)
    form = chance.choice([grouping, grouping, set_operation, set_operation, distinct_on, pivot, unpivot])
    return form(chance)


def subset(chance, items, least=0, most=3):
    return chance.sample(items, chance.randint(least, min(most, len(items))))


def element(chance, keys, depth=0):
    """One element of GROUP BY over these keys."""
    form = chance.randrange(4 if depth == 0 else 3)
    some = subset(chance, keys, 1)
    if form == 0:
        return chance.choice(some) if depth == 0 else f"({', '.join(some)})"
    if form in (1, 2):
        word = "ROLLUP" if form == 1 else "CUBE"
        parts = [f"({', '.join(subset(chance, keys, 2, 2))})" if len(keys) > 1 and chance.random() < 0.3 else key for key in some]
        return f"{word} ({', '.join(parts)})"
    sets = [chance.choice(["()", element(chance, keys, 1), f"({', '.join(subset(chance, keys, 1))})"]) for _ in range(chance.randint(1, 3))]
    return f"GROUPING SETS ({', '.join(sets)})"


def grouping(chance):
    keys = subset(chance, KEYS, 1, 3)
    elements = [element(chance, keys) for _ in range(chance.randint(1, 2))]
    # Every key stands somewhere, so that it can be selected.
    elements.append(f"GROUPING SETS (({', '.join(keys)}), ())" if chance.random() < 0.7 else f"ROLLUP ({', '.join(keys)})")
    items = [f"{key} AS key{position}" for position, key in enumerate(keys)]
    if chance.random() < 0.6:
        items.append(f"grouping({', '.join(subset(chance, keys, 1))})")
    items += subset(chance, CALLS, 1)
    having = chance.choice(["", "", " HAVING count(*) > 5", f" HAVING grouping({keys[0]}) = 0"])
    return f"SELECT {', '.join(items)} FROM t WHERE {chance.choice(CONDITIONS)} GROUP BY {', '.join(elements)}{having} ORDER BY ALL"


def set_operation(chance):
    columns = subset(chance, list(BRANCHES), 1, 3)

    def branch():
        items = ", ".join(f"{chance.choice(BRANCHES[column])} AS {column}_" for column in columns)
        return f"SELECT {items} FROM t WHERE {chance.choice(CONDITIONS)}"

    text = branch()
    for _ in range(chance.randint(1, 3)):
        text += f" {chance.choice(OPERATORS)} {branch()}"
    return f"SELECT * FROM ({text}) ORDER BY ALL"


def distinct_on(chance):
    keys = subset(chance, KEYS, 1, 2)
    order = [f"{key} {chance.choice(['ASC', 'DESC'])} NULLS {chance.choice(['FIRST', 'LAST'])}" for key in keys + subset(chance, KEYS, 0, 1)]
    ties = chance.choice(["id", "id DESC"])
    return f"SELECT DISTINCT ON ({', '.join(keys)}) id, k, i FROM t WHERE {chance.choice(CONDITIONS)} ORDER BY {', '.join([*order, ties])}"


def pivot(chance):
    on = chance.choice(["small", "k", "p", "small, p", "k, small", "k IN ('red', 'blue', 'none')", "small IN (0, 2), k"])
    calls = subset(chance, ["sum(i)", "count(*)", "max(b) AS m", "count(s) AS n", "min(day)"], 1, 2)
    rows = chance.choice(["j", "i % 3 AS j", "d AS j", "p AS j"])
    source = f"SELECT {rows}, k, small, {'p, ' if 'p AS' not in rows else ''}i, b, s, day FROM t WHERE {chance.choice(CONDITIONS)}"
    if "p AS" in rows:
        source = source.replace("p AS j, k, small, ", "p AS j, k, small, p, ")
    return f"SELECT * FROM (PIVOT ({source}) ON {on} USING {', '.join(calls)} GROUP BY j) ORDER BY ALL"


def unpivot(chance):
    columns = subset(chance, ["i", "j", "small", "b"], 1, 4)
    nulls = chance.choice(["", "INCLUDE NULLS "])
    source = f"(SELECT id, i::BIGINT AS i, j::BIGINT AS j, small::BIGINT AS small, b FROM t WHERE {chance.choice(CONDITIONS)})"
    return f"SELECT id, name, value FROM {source} UNPIVOT {nulls}(value FOR name IN ({', '.join(columns)})) ORDER BY ALL"
