"""Compares feature functions with scikit-learn, numpy, xxhash and mmh3 over random and real numbers.

    .venv/bin/python tests/oracle/features.py --program target/debug/hypostyle [--seed 7] [--rows 3000]

The random tables are cut by row groups and hold nulls, NaN, infinities and repeated values; the seed is printed. A check is one
column of a query and the values that a library gives for the same input. Integers and texts must be equal, floats within a
stated number of units in the last place, since the libraries round their formulas elsewhere.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import mmh3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash
from sklearn import preprocessing

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Real data beside the project, read where it is.
TAXI = ROOT.parent / "shared/data/recsys/taxi/taxi_tour_table_train_simple.snappy.parquet"
# Units in the last place that two roundings of one formula may lie apart.
ROUNDINGS = 8
# Of powers: the logarithm's last place is multiplied by the exponent.
POWERS = 1 << 12


class Checks:
    """One program, one table, and the checks that failed."""

    def __init__(self, program, folder):
        self.program, self.folder, self.count, self.failures = program, folder, 0, []

    def table(self, columns):
        self.path = f"{self.folder}/t{self.count}.parquet"
        pq.write_table(pa.table(columns), self.path, row_group_size=701)

    def ours(self, expressions):
        sql = "SELECT " + ", ".join(f"{text} AS c{at}" for at, text in enumerate(expressions)) + " FROM t"
        result = f"{self.folder}/result.parquet"
        command = [self.program, "query", sql, "--table", f"t={self.path}", "--format", "parquet", "--output", result]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if run.returncode != 0:
            raise SystemExit(f"{sql}\n{run.stderr}")
        return pq.read_table(result)

    def check(self, cases):
        """`cases` are pairs of an expression and an array, with the tolerance in units in the last place."""
        table = self.ours([expression for expression, *_ in cases])
        for at, (expression, expected, *tolerance) in enumerate(cases):
            self.count += 1
            problem = differences(table.column(at).to_pylist(), expected, tolerance[0] if tolerance else 0)
            if problem:
                shown = expression if len(expression) < 200 else expression[:100] + " ... " + expression[-100:]
                self.failures.append(f"{shown}\n    {problem}")


def differences(found, expected, units):
    expected = expected.tolist() if isinstance(expected, np.ndarray) else list(expected)
    if len(found) != len(expected):
        return f"{len(found)} rows, expected {len(expected)}"
    wrong = [(row, a, b) for row, (a, b) in enumerate(zip(found, expected)) if not is_close(a, b, units)]
    return f"{len(wrong)} rows differ, the first in row {wrong[0][0]}: {wrong[0][1]!r}, expected {wrong[0][2]!r}" if wrong else None


def is_close(a, b, units):
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(is_close(x, y, units) for x, y in zip(a, b))
    if a is None or b is None or not isinstance(a, float) or not isinstance(b, float):
        return a == b
    if np.isnan(a) or np.isnan(b) or np.isinf(a) or np.isinf(b):
        return (np.isnan(a) and np.isnan(b)) or a == b
    return abs(a - b) <= units * np.spacing(max(abs(a), abs(b), 1e-300))


def sql(number):
    """A constant of type DOUBLE; without an exponent it would be a decimal, which is rounded once more."""
    text = repr(float(number))
    return text if "e" in text else text + "e0"


def with_nulls(values, nulls):
    return [None if null else value for value, null in zip(values, nulls)]


def dense(checks, x, random):
    """Scalers, power transforms and buckets, of numbers without nulls and NaN as the libraries take them."""
    checks.table({"x": pa.array(x), "f": pa.array(x.astype(np.float32))})
    wide = x.reshape(-1, 1)
    standard, robust = preprocessing.StandardScaler().fit(wide), preprocessing.RobustScaler().fit(wide)
    magnitude = preprocessing.MaxAbsScaler().fit(wide)
    low, high = float(x.min()), float(x.max())
    lower, upper = (float(q) for q in np.percentile(x, [25, 75]))
    power = preprocessing.PowerTransformer(method="yeo-johnson", standardize=False).fit(wide)
    borders = np.sort(random.normal(size=int(random.integers(1, 900)))).tolist()
    if random.random() < 0.5:
        borders += borders[:3]
        borders.sort()
    shown = ", ".join(map(sql, borders))
    mean, deviation = float(standard.mean_[0]), float(standard.scale_[0])
    checks.check([
        (f"standard_scale(x, {sql(mean)}, {sql(deviation)})", standard.transform(wide)[:, 0], ROUNDINGS),
        (f"min_max_scale(x, {sql(low)}, {sql(high)})", (x - low) / (high - low), 0),
        (f"min_max_scale(x, {sql(lower)}, {sql(upper)}, clip => true)", np.clip((x - lower) / (upper - lower), 0, 1), 0),
        (f"max_abs_scale(x, {sql(magnitude.max_abs_[0])})", magnitude.transform(wide)[:, 0], ROUNDINGS),
        (f"robust_scale(x, {sql(robust.center_[0])}, {sql(lower)}, {sql(upper)})", robust.transform(wide)[:, 0], ROUNDINGS),
        (f"yeo_johnson(x, {sql(power.lambdas_[0])})", power.transform(wide)[:, 0], POWERS),
        ("log1p_clip(x)", np.log1p(np.maximum(x, 0)), 2),
        ("sigmoid(x)", np.where(x >= 0, 1, np.exp(-np.abs(x))) / (1 + np.exp(-np.abs(x))), 4),
        (f"bucketize(x, [{shown}])", np.digitize(x, borders), 0),
        (f"bucketize(x, [{shown}]::double[], closed => 'right')", right_closed(x, borders), 0),
        (f"bucketize(f, [{shown}])", np.digitize(x.astype(np.float32).astype(np.float64), borders), 0),
        (f"list_bucketize([x, x + 1, NULL], [{shown}])", [[int(a), int(b), None] for a, b in zip(np.digitize(x, borders), np.digitize(x + 1, borders))], 0),
        (f"round(quantile_rank(x, [{shown}]), 9)", np.round(quantile_ranks(x, borders), 9), 1 << 26),
    ])


def right_closed(x, borders):
    """numpy counts the borders below a value; a border that is repeated also counts its value itself, but for the last copy."""
    borders = np.array(borders)
    repeated = np.append(borders[1:] == borders[:-1], False)
    return np.digitize(x, borders, right=True) + np.array([int(np.sum(repeated & (borders == value))) for value in x])


def quantile_ranks(x, borders):
    borders = np.array(borders)
    if len(borders) == 1:
        return (x >= borders[0]).astype(float)
    places = np.arange(len(borders), dtype=float)
    reached = np.digitize(x, borders)
    inside = (reached > 0) & (reached < len(borders))
    at = np.clip(reached, 1, len(borders) - 1)
    width = np.where(inside, borders[at] - borders[at - 1], 1)
    ranks = (places[at - 1] + (x - borders[at - 1]) / width) / (len(borders) - 1)
    return np.where(reached == 0, 0.0, np.where(reached == len(borders), 1.0, ranks))


def positive(checks, x):
    """Box-Cox takes positive numbers only."""
    x = np.abs(x) + 1e-3
    checks.table({"x": pa.array(x)})
    power = preprocessing.PowerTransformer(method="box-cox", standardize=False).fit(x.reshape(-1, 1))
    expanded = preprocessing.PolynomialFeatures(degree=3, include_bias=False).fit_transform(x[:, None] * [1.0, 0.5])
    checks.check([
        (f"boxcox(x, {sql(power.lambdas_[0])})", power.transform(x.reshape(-1, 1))[:, 0], POWERS),
        ("polynomial_expand({'a': x, 'b': x * 0.5}, 3).a_a_b", expanded[:, 6], ROUNDINGS),
        # Beside 2 a sine near zero keeps its absolute error.
        ("cyclical(x, 7).sin + 2", np.sin(2 * np.pi * (np.mod(x, 7) / 7)) + 2, 16),
    ])


def hashes(checks, random, rows):
    ids = random.integers(-(2**63), 2**63 - 1, size=rows)
    lengths = random.integers(0, 300, size=rows) * (random.random(rows) < 0.3) + random.integers(0, 20, size=rows)
    texts = ["".join(chr(c) for c in random.choice([97, 98, 233, 0x4E2D, 0x1F600], size=length)) for length in lengths]
    nulls = random.random(rows) < 0.1
    checks.table({"i": pa.array(ids), "s": pa.array(with_nulls(texts, nulls))})
    eight = [int(i).to_bytes(8, "little", signed=True) for i in ids]
    raw = [text.encode() for text in texts]
    checks.check([
        ("xxhash64(s)", with_nulls([xxhash.xxh64_intdigest(text) for text in raw], nulls)),
        ("xxhash64(s, 42)", with_nulls([xxhash.xxh64_intdigest(text, 42) for text in raw], nulls)),
        ("xxhash64(i, -7)", [xxhash.xxh64_intdigest(b, 2**64 - 7) for b in eight]),
        ("xxh3(s)", with_nulls([xxhash.xxh3_64_intdigest(text) for text in raw], nulls)),
        ("murmur3_32(s, 42)", with_nulls([mmh3.hash(text, 42, signed=False) for text in raw], nulls)),
        ("hash_bucket(s, 1000003)", with_nulls([xxhash.xxh64_intdigest(text) % 1000003 for text in raw], nulls)),
        ("hash_bucket(i, 97, 5)", [xxhash.xxh64_intdigest(b, 5) % 97 for b in eight]),
        ("hash_bucket(s, 262144, 42, 'murmur3_signed')", with_nulls([mmh3.hash(text, 42) % 262144 for text in raw], nulls)),
        ("sigrid_hash(i, 7, 1000003)", [sigrid(int(i), 7, 1000003) for i in ids]),
        ("sigrid_hash([i, NULL], -1, 97)", [[sigrid(int(i), -1, 97), None] for i in ids]),
        ("positive_modulus(i, 1000)", [int(i) % 1000 for i in ids]),
    ])


def sigrid(value, salt, size):
    """The published definition, in integers without bounds."""
    mask = 2**64 - 1
    key = value & mask
    key = (~key + (key << 21)) & mask
    key ^= key >> 24
    key = (key + (key << 3) + (key << 8)) & mask
    key ^= key >> 14
    key = (key + (key << 2) + (key << 4)) & mask
    key ^= key >> 28
    key = (key + (key << 31)) & mask
    multiplier, high = 0x9DDFEA08EB382D69, salt & mask
    first = (key ^ high) * multiplier & mask
    first ^= first >> 47
    second = (high ^ first) * multiplier & mask
    second ^= second >> 47
    result = second * multiplier & mask
    return (result - 2**64 if result >> 63 else result) % size


def sequences(checks, random, rows):
    values = [random.normal(size=int(random.integers(0, 12))).tolist() for _ in range(rows)]
    ids = [random.integers(0, 6, size=int(random.integers(0, 9))).tolist() for _ in range(rows)]
    times = [np.sort(random.integers(0, 500, size=int(random.integers(0, 9)))).tolist() for _ in range(rows)]
    kinds = {"v": pa.list_(pa.float64()), "i": pa.list_(pa.int64()), "t": pa.list_(pa.int64())}
    checks.table({name: pa.array(lists, kind) for (name, kind), lists in zip(kinds.items(), (values, ids, times))})
    alpha = float(random.random() * 0.9 + 0.05)
    average = [None if not v else float(np.average(v, weights=(1 - alpha) ** np.arange(len(v))[::-1])) for v in values]
    sessions = [(1 + np.cumsum(np.diff(t, prepend=t[0]) > 30)).tolist() if t else [] for t in times]
    checks.check([
        # Sums of both signs cancel.
        (f"round(seq_ew_avg(v, {sql(alpha)}), 9)", [None if a is None else round(a, 9) for a in average], 1 << 26),
        ("seq_session_ids(t, 30)", sessions),
        ("seq_slice(v, -3)", [v[-3:] for v in values]),
        ("seq_slice(v, 1, 4)", [v[1:4] for v in values]),
        ("seq_slice(i, 0, 4, pad => -1)", [(v + [-1] * 4)[:4] for v in ids]),
        ("seq_dedup_consecutive(i)", [[v for at, v in enumerate(l) if at == 0 or l[at - 1] != v] for l in ids]),
        ("length(negative_sample(6, 6, length(i), i))", [6 - len(set(l)) for l in ids]),
        ("list_has_any(negative_sample(50, 5, 1, i), i)", [False] * rows),
        ("count_encode(i, [0, 1, 2], [7, 8, 9])", [[{0: 7, 1: 8, 2: 9}.get(v, 0) for v in l] for l in ids]),
    ])


def real(checks):
    """Fares and times of real trips."""
    trips = pq.read_table(TAXI).slice(0, 20_000)
    numbers = [field.name for field in trips.schema if pa.types.is_floating(field.type) or pa.types.is_integer(field.type)]
    for name in numbers[:4]:
        values = trips.column(name).drop_null().to_numpy().astype(np.float64)
        if np.isfinite(values).all() and values.std() > 0:
            dense(checks, values, np.random.default_rng(len(values)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "target/debug/hypostyle"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=2000)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        checks = Checks(arguments.program, folder)
        scale = 10.0 ** random.integers(-3, 4)
        dense(checks, random.normal(size=arguments.rows) * scale, random)
        dense(checks, random.integers(-20, 20, size=arguments.rows).astype(np.float64), random)
        positive(checks, random.normal(size=arguments.rows) * 10)
        hashes(checks, random, arguments.rows)
        sequences(checks, random, arguments.rows)
        if TAXI.is_file():
            real(checks)
    print(f"features: {checks.count} checks, {len(checks.failures)} differ (seed {arguments.seed})")
    print("\n".join(checks.failures), file=sys.stderr)
    return 1 if checks.failures else 0


if __name__ == "__main__":
    sys.exit(main())
