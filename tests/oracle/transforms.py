"""Compares fitted transforms with scikit-learn: what is fitted on one table and given for another.

    .venv/bin/python tests/oracle/transforms.py --program target/debug/hypostyle [--seed 7] [--cases 12]

Each case is a random table with nulls, NaN, repeated and constant columns, fitted by `hypostyle fit`, applied to another one by
`hypostyle apply`, on 1 and 2 threads, whose files must be equal to the byte. Integers and texts must be equal to scikit-learn's, floats
within a stated number of units in the last place of the largest number that took part.
"""

import argparse
import pathlib
import subprocess
import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn import preprocessing
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer

# Units in the last place, of results times how much larger numbers are than their spread: the spread has lost that many digits.
ROUNDINGS = 64

OUTPUTS = {
    "standard": "standard_scale(x)",
    "low_high": "min_max_scale(x)",
    "magnitude": "max_abs_scale(x)",
    "robust": "robust_scale(x)",
    "wide_robust": "robust_scale(x, low => 0.1, high => 0.9)",
    "constant": "standard_scale(one)",
    "quantiles": "quantile_bucketize(z, 10)",
    "widths": "uniform_bucketize(z, 7)",
    "mean": "impute(x, compat => 'sklearn')",
    "median": "impute(x, strategy => 'median', compat => 'sklearn')",
    "mode": "impute(c, strategy => 'mode', compat => 'sklearn')",
    "chain": "standard_scale(impute(x, compat => 'sklearn'))",
    "label": "label_encode(c)",
    "ordinal": "label_encode(k, compat => 'sklearn')",
    "hot": "one_hot(c)",
    "bag": "bag_of_words(words, compat => 'sklearn')",
    "weights": "tf_idf(words, compat => 'sklearn')",
    "directions": "pca(e, 3)",
    "whitened": "pca(e, n_components => 3, whiten => true)",
}

# Coordinates are compared to so many parts of the largest: directions of a sample turn with the rounding of its covariances.
COORDINATES = 1e-7

# With fewer rows some directions have no variance, and any will do.
ROWS_OF_DIRECTIONS = 20


def table(random, rows):
    """A table, as columns of Python values; missing numbers are NaN."""
    x = random.normal(random.choice([0, 1e6]), random.choice([1, 1e-3, 1e5]), rows)
    x[random.random(rows) < 0.1] = np.nan
    if rows and np.isnan(x).all():
        x[0] = 1.0
    vocabulary = ["ant", "bee", "cat", "dog", "eel"]
    return {
        "x": x,
        "z": np.round(random.normal(0, 10, rows), int(random.integers(0, 4))),
        "one": np.full(rows, 3.5),
        "c": random.choice(vocabulary, rows).astype(object),
        "k": random.integers(-50, 50, rows),
        "words": [list(random.choice(vocabulary, random.integers(1, 8))) for _ in range(rows)],
        "e": embeddings(random, rows),
    }


def embeddings(random, rows):
    """Correlated elements far from 0, whose directions have deviations of their own."""
    mixed, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(6, 6)))
    return list(random.normal(size=(rows, 6)) * [9, 5, 3, 1, 0.5, 0.1] @ mixed + 100)


def write(columns, path, random):
    x = [None if np.isnan(value) and random.random() < 0.5 else value for value in columns["x"]]
    arrays = {**columns, "x": pa.array(x, pa.float64()), "words": pa.array(columns["words"], pa.list_(pa.string()))}
    pq.write_table(pa.table(arrays), path, row_group_size=97)


def expected(train, test):
    """What scikit-learn gives, as a column of values and whether it is compared exactly."""
    column = lambda columns, name: np.asarray(columns[name], float).reshape(-1, 1)
    given = {}
    scalers = {
        "standard": ("x", preprocessing.StandardScaler()),
        "low_high": ("x", preprocessing.MinMaxScaler()),
        "magnitude": ("x", preprocessing.MaxAbsScaler()),
        "robust": ("x", preprocessing.RobustScaler()),
        "wide_robust": ("x", preprocessing.RobustScaler(quantile_range=(10, 90))),
        "constant": ("one", preprocessing.StandardScaler()),
        "mean": ("x", SimpleImputer(strategy="mean")),
        "median": ("x", SimpleImputer(strategy="median")),
    }
    for name, (source, scaler) in scalers.items():
        given[name] = scaler.fit(column(train, source)).transform(column(test, source))[:, 0]
    imputer, scaler = SimpleImputer(strategy="mean"), preprocessing.StandardScaler()
    scaler.fit(imputer.fit_transform(column(train, "x")))
    given["chain"] = scaler.transform(imputer.transform(column(test, "x")))[:, 0]
    given["label"] = codes(np.unique(train["c"].astype(str)), test["c"])
    given["ordinal"] = codes(np.unique(train["k"]), test["k"])
    encoder = preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    given["hot"] = encoder.fit(train["c"].reshape(-1, 1)).transform(test["c"].reshape(-1, 1)).tolist()
    # The least of the most frequent values.
    values, counts = np.unique(train["c"].astype(str), return_counts=True)
    given["mode"] = [values[np.argmax(counts)] if value is None else value for value in test["c"]]
    edges = np.linspace(np.min(train["z"]), np.max(train["z"]), 8)[1:-1]
    if np.min(train["z"]) == np.max(train["z"]):
        edges = []
    given["widths"] = np.searchsorted(edges, test["z"], side="right")
    edges = np.unique(np.quantile(train["z"], np.arange(1, 10) / 10))
    given["quantiles"] = np.searchsorted(edges, test["z"], side="right")
    for name, vectorizer in [("bag", CountVectorizer(analyzer=list)), ("weights", TfidfVectorizer(analyzer=list))]:
        sparse = vectorizer.fit(train["words"]).transform(test["words"]).toarray()
        given[name] = [{at: value for at, value in enumerate(row) if value} for row in sparse.tolist()]
    if len(train["e"]) >= ROWS_OF_DIRECTIONS:
        for name, whiten in [("directions", False), ("whitened", True)]:
            pca = PCA(3, whiten=whiten, svd_solver="full").fit(np.stack(train["e"]))
            given[name] = list(pca.transform(np.stack(test["e"])))
    return given


def codes(values, column):
    known = {value: code for code, value in enumerate(values.tolist())}
    return [known.get(value if isinstance(value, str) else int(value), -1) for value in column]


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stderr}")


def ours(program, folder, threads):
    sql = "SELECT " + ", ".join(f"{text} AS {name}" for name, text in OUTPUTS.items()) + " FROM input"
    # The name of a transform, which is that of its file, stands in it.
    pathlib.Path(f"{folder}/{threads}").mkdir()
    artifact, result = f"{folder}/{threads}/t.hyp", f"{folder}/{threads}/r.parquet"
    session = ["--threads", str(threads)]
    run([program, "fit", sql, "--from", f"{folder}/train.parquet", "-o", artifact, *session])
    run([program, "apply", artifact, "--from", f"{folder}/test.parquet", "-o", result, *session])
    return pathlib.Path(artifact), result


def differs(found, wanted, scale):
    if isinstance(wanted, np.ndarray):
        return not np.allclose(found, wanted, rtol=0, atol=COORDINATES * np.abs(wanted).max())
    if isinstance(wanted, (list, dict)) or isinstance(found, list):
        if isinstance(wanted, dict):
            found = {entry["index"]: entry["value"] for entry in found}
            return found.keys() != wanted.keys() or any(differs(found[key], wanted[key], 1.0) for key in wanted)
        return list(found) != list(wanted)
    if isinstance(wanted, (float, np.floating)):
        if np.isnan(wanted):
            return found is not None and not np.isnan(found)
        return found is None or not abs(found - wanted) <= ROUNDINGS * np.spacing(max(abs(wanted), 1.0) * scale)
    return found != wanted


def check(program, random, rows, failures):
    with tempfile.TemporaryDirectory() as folder:
        train, test = table(random, rows), table(random, 200)
        write(train, f"{folder}/train.parquet", random)
        write(test, f"{folder}/test.parquet", random)
        (one, result), (two, other) = ours(program, folder, 1), ours(program, folder, 2)
        for left, right in [(one, two), (pathlib.Path(result), pathlib.Path(other))]:
            if left.read_bytes() != right.read_bytes():
                failures.append(f"{left.name} and {right.name}, of 1 and 2 threads, differ")
        found, wanted = pq.read_table(result), expected(train, test)
        spread = np.nanstd(train["x"])
        # One value, alone or repeated, has no spread, and is compared by its own size.
        scale = np.nanmax(np.abs(train["x"])) / (spread if spread > 0 else 1.0)
        for name in OUTPUTS:
            values = found.column(name).to_pylist()
            for row, (value, right) in enumerate(zip(values, wanted.get(name, []))):
                if differs(value, right, max(1.0, scale)):
                    failures.append(f"{name} of {rows} rows, row {row}: {value} instead of {right}")
                    break
        return len(OUTPUTS)


def check_plain_reading(program, failures):
    """Statistics are read by Arrow alone, out of a zip that Python reads."""
    import io
    import json
    import zipfile

    with tempfile.TemporaryDirectory() as folder:
        pq.write_table(pa.table({"c": ["b", "a", "b", None], "x": [1.0, 2.0, 3.0, None]}), f"{folder}/t.parquet")
        sql = "SELECT vocab_encode(c) AS c, standard_scale(x) AS x FROM input"
        run([program, "fit", sql, "--from", f"{folder}/t.parquet", "-o", f"{folder}/t.hyp"])
        with zipfile.ZipFile(f"{folder}/t.hyp") as archive:
            manifest = json.loads(archive.read("manifest.json"))
            for info in archive.infolist():
                if info.compress_type != zipfile.ZIP_STORED:
                    failures.append(f"{info.filename} is compressed")
            read = lambda name: pa.ipc.open_file(io.BytesIO(archive.read(name))).read_all().to_pydict()
            members = [member["name"] for member in manifest["members"]]
            keys = read(next(name for name in members if name.endswith("vocab_encode_keys.arrow")))
            values = read(next(name for name in members if name.endswith("standard_scale_values.arrow")))
            if keys != {"keys": ["b", "a"]}:
                failures.append(f"the vocabulary is {keys}")
            if values["mean"] != [2.0] or abs(values["std"][0] - np.std([1, 2, 3])) > 1e-15:
                failures.append(f"the moments are {values}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--program", required=True)
    arguments.add_argument("--seed", type=int, default=7)
    arguments.add_argument("--cases", type=int, default=12)
    arguments = arguments.parse_args()
    random, failures, count = np.random.default_rng(arguments.seed), [], 0
    for case in range(arguments.cases):
        rows = [1, 2, 3, 10, 100, 1000][case % 6] if case < 6 else int(random.integers(1, 3000))
        count += check(arguments.program, random, rows, failures)
    check_plain_reading(arguments.program, failures)
    for failure in failures:
        print(failure)
    print(f"{count} columns of seed {arguments.seed}, {len(failures)} differ")
    raise SystemExit(1 if failures else 0)


if __name__ == "__main__":
    main()
