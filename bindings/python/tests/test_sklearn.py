"""Transforms as estimators of scikit-learn."""

from __future__ import annotations

import pickle

import numpy
import pandas
import polars
import pyarrow
import pytest

sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.base import clone  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

import hypostyle as hy  # noqa: E402
from hypostyle.sklearn import ColumnwiseTransformer, SqlTransformer  # noqa: E402

DEFINITION = "SELECT standard_scale(price) AS price, vocab_encode(city) AS city, [price, 1]::FLOAT[2] AS e FROM input"


def expected_failures(estimator: object) -> dict[str, str]:
    return {}


@parametrize_with_checks([ColumnwiseTransformer(), SqlTransformer()], expected_failed_checks=expected_failures)
def test_estimator_checks(estimator: object, check: object) -> None:
    check(estimator)


def frame(rows: int = 60) -> pandas.DataFrame:
    return pandas.DataFrame(
        {"price": [None if x % 7 == 0 else x / 3 for x in range(rows)], "city": [f"city {x % 3}" for x in range(rows)]}
    )


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_frames_of_every_library_give_the_same(kind: str) -> None:
    data = frame()
    given = {"pandas": data, "polars": polars.from_pandas(data), "pyarrow": pyarrow.Table.from_pandas(data)}[kind]
    found = SqlTransformer(DEFINITION).fit(given).transform(given)
    assert found.shape == (60, 4)
    prices = data["price"].to_numpy()
    scaled = (prices - numpy.nanmean(prices)) / numpy.nanstd(prices)
    numpy.testing.assert_allclose(found[:, 0], scaled)
    assert numpy.isnan(found[0, 0]) and found[4, 1] == found[1, 1]


def test_features_have_names() -> None:
    estimator = SqlTransformer(DEFINITION).fit(frame())
    assert estimator.get_feature_names_out().tolist() == ["price", "city", "e_0", "e_1"]
    assert estimator.feature_names_in_.tolist() == ["price", "city"] and estimator.n_features_in_ == 2
    named = SqlTransformer(DEFINITION).set_output(transform="pandas").fit_transform(frame())
    assert list(named.columns) == ["price", "city", "e_0", "e_1"]
    array = ColumnwiseTransformer().fit(numpy.arange(6.0).reshape(3, 2))
    assert array.get_feature_names_out().tolist() == ["x0", "x1"]


def test_one_expression_for_every_column_is_what_scikit_learn_computes() -> None:
    data = numpy.random.default_rng(1).normal(size=(50, 4))
    numpy.testing.assert_allclose(ColumnwiseTransformer().fit_transform(data), StandardScaler().fit_transform(data))


def test_targets_are_read_while_fitting() -> None:
    data, labels = frame(), numpy.arange(60) % 2
    estimator = SqlTransformer("SELECT target_encode(city, target) AS city FROM input").fit(data, labels)
    assert estimator.transform(data).shape == (60, 1)
    assert estimator.transform_.inputs.names == ["city"]


def test_estimators_work_in_pipelines_and_are_cloned_and_pickled() -> None:
    data, labels = frame().fillna(0.0), numpy.arange(60) % 2
    pipeline = make_pipeline(SqlTransformer(DEFINITION), LogisticRegression())
    assert len(cross_val_score(pipeline, data, labels, cv=3)) == 3
    fitted = SqlTransformer(DEFINITION).fit(data)
    numpy.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).transform(data), fitted.transform(data))
    assert clone(fitted).definition == DEFINITION


def test_outputs_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(TypeError, match='output "city" holds no numbers'):
        SqlTransformer("SELECT city FROM input").fit(frame()).transform(frame())
    with pytest.raises(hy.SqlError):
        SqlTransformer("SELECT nothing FROM input").fit(frame())
