"""Fitted estimators of scikit-learn as transforms."""

from __future__ import annotations

import pickle

import numpy
import pandas
import pytest

sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.compose import ColumnTransformer, make_column_transformer  # noqa: E402
from sklearn.decomposition import PCA  # noqa: E402
from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline  # noqa: E402
from sklearn.preprocessing import (  # noqa: E402
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

import hypostyle as hy  # noqa: E402
from hypostyle.sklearn_import import definition_of, import_fitted  # noqa: E402

GENERATOR = numpy.random.default_rng(7)
NUMBERS = GENERATOR.normal(3, 20, size=(300, 3)) * numpy.array([1, 1e-6, 1e6])
TEXTS = GENERATOR.choice(["ch", "de", "fr", "it's", ""], size=(300, 2)).astype(object)


def rows_of(transform: hy.Transform, data) -> numpy.ndarray:
    """The outputs over rows, embeddings side by side, as scikit-learn has them."""
    session = hy.Session(threads=2)
    frame = data if isinstance(data, pandas.DataFrame) else pandas.DataFrame(data, columns=transform.inputs.names)
    numbers = {name: float for name, kind in zip(transform.inputs.names, transform.inputs.types, strict=True) if kind == "DOUBLE"}
    session.register("given", frame.astype(numbers))
    arrays = transform.transform(session.sql("FROM given")).to_numpy().values()
    return numpy.concatenate([array.reshape(len(frame), -1).astype(float) for array in arrays], axis=1)


def assert_same_bits(estimator, data, **settings) -> hy.Transform:
    transform = import_fitted(estimator, **settings)
    expected = estimator.transform(data)
    expected = expected.toarray() if hasattr(expected, "toarray") else numpy.asarray(expected, dtype=float)
    numpy.testing.assert_array_equal(rows_of(transform, data), expected)
    return transform


@pytest.mark.parametrize(
    "estimator",
    [
        StandardScaler(),
        StandardScaler(with_mean=False),
        StandardScaler(with_std=False),
        MinMaxScaler(),
        MinMaxScaler(feature_range=(-2, 3), clip=True),
        MaxAbsScaler(),
        RobustScaler(),
        RobustScaler(with_centering=False, quantile_range=(5, 95)),
        RobustScaler(with_scaling=False),
        Binarizer(threshold=0.5),
        KBinsDiscretizer(5, encode="ordinal", strategy="quantile", quantile_method="averaged_inverted_cdf"),
        KBinsDiscretizer(4, encode="ordinal", strategy="uniform"),
        KBinsDiscretizer(4, encode="onehot-dense", strategy="uniform"),
        KBinsDiscretizer(4, encode="onehot", strategy="kmeans"),
        FeatureUnion([("a", StandardScaler()), ("b", "passthrough"), ("c", MinMaxScaler())]),
        make_pipeline(StandardScaler(), "passthrough", MinMaxScaler(), KBinsDiscretizer(3, encode="ordinal", strategy="uniform")),
    ],
    ids=repr,
)
def test_numbers_have_the_bits_of_scikit_learn(estimator) -> None:
    unseen = NUMBERS * 1.5 - 1
    assert_same_bits(estimator.fit(NUMBERS), unseen)
    constant = numpy.column_stack([NUMBERS[:, 0], numpy.full(300, 7.0)])
    if "Discretizer" not in repr(estimator):
        assert_same_bits(estimator.fit(constant), constant + 1)


@pytest.mark.parametrize("method", ["yeo-johnson", "box-cox"])
@pytest.mark.parametrize("standardize", [True, False])
def test_powers_agree_closely(method: str, standardize: bool) -> None:
    data = numpy.abs(GENERATOR.normal(3, 1, size=(200, 2))) + 0.1
    estimator = PowerTransformer(method, standardize=standardize).fit(data)
    numpy.testing.assert_allclose(rows_of(import_fitted(estimator), data), estimator.transform(data), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent", "constant"])
def test_missing_numbers_are_imputed(strategy: str) -> None:
    data = NUMBERS.copy()
    data[GENERATOR.random(data.shape) < 0.2] = numpy.nan
    pipeline = make_pipeline(SimpleImputer(strategy=strategy), RobustScaler()).fit(data)
    transform = assert_same_bits(pipeline, data)
    assert transform.row()(x0=None, x1=None, x2=None) == dict(zip(["x0", "x1", "x2"], pipeline.transform([[numpy.nan] * 3])[0], strict=True))
    empty = numpy.column_stack([data[:, 0], numpy.full(300, numpy.nan)])
    if strategy == "mean":
        with pytest.warns(UserWarning, match="without any observed"):
            imputer = SimpleImputer().fit(empty)
            assert imputer.transform(empty).shape == (300, 1)
        assert import_fitted(imputer).outputs.names == ["x0"]


@pytest.mark.parametrize(
    "encoder",
    [
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-7),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=numpy.nan),
        OneHotEncoder(handle_unknown="ignore"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
        TargetEncoder(target_type="continuous"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("kind", ["texts", "integers", "floats", "with_none", "with_nan"])
def test_categories_have_the_codes_of_scikit_learn(encoder, kind: str) -> None:
    texts = TEXTS.copy()
    if kind == "with_none":
        texts[GENERATOR.random(texts.shape) < 0.2] = None
    if kind == "with_nan":
        texts[GENERATOR.random(texts.shape) < 0.2] = numpy.nan
    data = {
        "integers": GENERATOR.integers(-3, 4, size=(300, 2)),
        "floats": GENERATOR.integers(-3, 4, size=(300, 2)) / 3,
    }.get(kind, texts)
    frame = pandas.DataFrame(data, columns=["a", "b"])
    encoder.fit(frame, GENERATOR.normal(size=300))
    unseen = frame.copy()
    unseen.loc[:20, "a"] = "never" if kind not in ("integers", "floats") else 99
    assert_same_bits(encoder, unseen)


def test_the_dropped_category_has_no_place() -> None:
    frame = pandas.DataFrame(TEXTS, columns=["a", "b"])
    for drop in ("first", "if_binary", ["de", "fr"]):
        assert_same_bits(OneHotEncoder(drop=drop).fit(frame), frame)
    binary = pandas.DataFrame({"a": ["x", "y"] * 20})
    assert_same_bits(OneHotEncoder(drop="if_binary").fit(binary), binary)
    assert_same_bits(OrdinalEncoder(encoded_missing_value=-2).fit(pandas.DataFrame({"a": ["x", None, "y"]})), pandas.DataFrame({"a": ["y", None, "x"]}))


def clicks(rows: int = 200) -> pandas.DataFrame:
    return pandas.DataFrame(
        {
            "price": [numpy.nan if x % 7 == 0 else x / 3 for x in range(rows)],
            "dwell ms": [x * x % 97 for x in range(rows)],
            "city": [None if x % 11 == 0 else f"city {x % 5}" for x in range(rows)],
            "agent": [f"agent {x % 3}" for x in range(rows)],
        }
    )


def features() -> ColumnTransformer:
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    cities = Pipeline([("fill", SimpleImputer(strategy="constant", fill_value="none")), ("hot", OneHotEncoder())])
    return make_column_transformer(
        (numbers, ["price", "dwell ms"]), (cities, ["city"]), ("drop", ["agent"]), (KBinsDiscretizer(4, encode="ordinal", strategy="uniform"), [1])
    )


def test_a_column_transformer_of_pipelines_serves_rows(tmp_path) -> None:
    frame = clicks()
    estimator = features().fit(frame)
    transform = assert_same_bits(estimator, frame)
    assert transform.inputs.names == ["price", "dwell ms", "city"]
    assert transform.outputs.names == ["price", "dwell ms", "city", "dwell ms_2"]
    path = tmp_path / "clicks.hyp"
    transform.save(path)
    row = hy.Session().load(path).row()(**{"price": 9.5, "dwell ms": 3, "city": "city 1"})
    wanted = estimator.transform(pandas.DataFrame({"price": [9.5], "dwell ms": [3], "city": ["city 1"], "agent": ["x"]}))[0]
    assert [row["price"], row["dwell ms"], *row["city"], row["dwell ms_2"]] == list(wanted)


def test_the_rest_passes_through_with_its_type() -> None:
    frame = clicks()[["price", "dwell ms"]]
    estimator = ColumnTransformer([("scaled", MaxAbsScaler(), ["dwell ms"])], remainder="passthrough").fit(frame)
    transform = import_fitted(estimator, types={"price": "FLOAT"})
    assert dict(zip(transform.outputs.names, transform.outputs.types, strict=True)) == {"dwell ms": "DOUBLE", "price": "FLOAT"}
    remaining = ColumnTransformer([("none", "drop", ["price"])], remainder=StandardScaler()).fit(frame)
    assert_same_bits(remaining, frame)


def test_definitions_are_sql() -> None:
    sql, inputs = definition_of(StandardScaler().fit([[1.0], [3.0]]), names=['a "b"'])
    assert inputs == {'a "b"': "DOUBLE"}
    name = '"a ""b"""'
    assert sql == f"SELECT (({name} - '2.0'::DOUBLE) / '1.0'::DOUBLE) AS {name} FROM input"
    assert pickle.loads(pickle.dumps(import_fitted(StandardScaler().fit([[1.0], [3.0]])))).row()(x0=3.0) == {"x0": 1.0}


def test_what_has_no_counterpart_is_refused_by_name() -> None:
    with pytest.raises(hy.UnsupportedError, match="PCA has no counterpart; there are: Binarizer"):
        import_fitted(PCA(2).fit(NUMBERS))
    with pytest.raises(hy.UnsupportedError, match="LogisticRegression"):
        import_fitted(make_pipeline(StandardScaler(), LogisticRegression()).fit(NUMBERS, numpy.arange(300) % 2))
    with pytest.raises(hy.UnsupportedError, match="FunctionTransformer: a function of Python"):
        import_fitted(FunctionTransformer(numpy.log1p).fit(NUMBERS))
    with pytest.raises(hy.UnsupportedError, match="add_indicator"):
        import_fitted(SimpleImputer(add_indicator=True).fit(NUMBERS))
    with pytest.raises(hy.UnsupportedError, match="min_frequency"):
        import_fitted(OneHotEncoder(min_frequency=100).fit(TEXTS))
    with pytest.raises(hy.UnsupportedError, match="missing_values=-1"):
        import_fitted(SimpleImputer(missing_values=-1).fit(NUMBERS))
    with pytest.raises(hy.UnsupportedError, match="2 names are given"):
        import_fitted(StandardScaler().fit(NUMBERS), names=["a", "b"])
    with pytest.raises(sklearn.exceptions.NotFittedError):
        import_fitted(StandardScaler())
