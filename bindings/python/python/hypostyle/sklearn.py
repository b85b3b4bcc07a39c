"""Transforms as estimators of scikit-learn: in pipelines, cross-validation and column transformers. Needs scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from hypostyle.session import Session
from hypostyle.tables import table_of
from hypostyle.transform import Transform

__all__ = ["ColumnwiseTransformer", "SqlTransformer"]


class _FittedFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What the estimators have in common: rows of every kind go in, an array of floats comes out."""

    transform_: Transform
    threads: int | None

    def _fit(self, definition: str, columns: dict[str, Any]) -> None:
        self.transform_ = Session(threads=self.threads).fit(definition, table_of(columns))

    def transform(self, X: Any) -> Any:  # noqa: N803
        """All outputs over rows, as an array of shape (rows, features)."""
        check_is_fitted(self, "transform_")
        columns = self._columns(X, reset=False)
        session = Session(threads=self.threads)
        session.register("rows", columns)
        arrays = self.transform_.transform(session.sql("FROM rows")).to_numpy()
        parts = [_floats(name, array) for name, array in arrays.items()]
        return numpy.concatenate(parts, axis=1) if parts else numpy.empty((len(next(iter(columns.values()), [])), 0))

    def get_feature_names_out(self, input_features: Any = None) -> numpy.ndarray:
        """Names of the features: those of the outputs; of an embedding ``name_0``, ``name_1`` and so on."""
        check_is_fitted(self, "transform_")
        names: list[str] = []
        for name, kind in zip(self.transform_.outputs.names, self.transform_.outputs.types, strict=True):
            _, bracket, size = kind.rstrip("]").rpartition("[")
            names.extend([f"{name}_{index}" for index in range(int(size))] if bracket and size else [name])
        return numpy.asarray(names, dtype=object)

    def _columns(self, X: Any, *, reset: bool) -> dict[str, Any]:  # noqa: N803
        """Names and columns of the input."""
        if hasattr(X, "iloc") and hasattr(X, "columns"):
            validate_data(self, X, reset=reset, skip_check_array=True)
            _check_rows(len(X), X.shape[1])
            return {str(name): _pandas_column(X[name]) for name in X.columns}
        if hasattr(X, "__arrow_c_stream__"):
            names = list(X.column_names if hasattr(X, "column_names") else X.columns)
            _check_rows(len(X), len(names))
            if reset:
                self.n_features_in_ = len(names)
                self.feature_names_in_ = numpy.asarray(names, dtype=object)
            return {name: X[name] for name in names}
        array = validate_data(self, X, reset=reset, dtype="numeric", ensure_all_finite="allow-nan")
        return {f"x{index}": numpy.ascontiguousarray(array[:, index]) for index in range(array.shape[1])}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        return tags


class SqlTransformer(_FittedFeatures):
    """Features written in SQL, fitted and applied as a transformer of scikit-learn.

    ``definition`` is a query over ``input``, as ``SELECT standard_scale(price) AS price FROM input``. ``fit`` and ``transform`` take
    anything that speaks Arrow, as data frames of pandas and polars do, or an array of two dimensions, whose columns are
    ``x0``, ``x1`` and so on. ``y`` becomes the column that ``target`` names, for definitions that name it too. ``transform`` gives an
    array of floats with one column for each number and for each element of an embedding; nulls are NaN. With
    ``set_output(transform="pandas")`` or ``"polars"`` the columns have their names.

    After ``fit``: ``transform_`` is the fitted :class:`hypostyle.Transform`, ``n_features_in_`` and ``feature_names_in_`` tell of the input.

    >>> import pandas
    >>> frame = pandas.DataFrame({"price": [1.0, 2.0, 3.0], "city": ["a", "b", "a"]})
    >>> encoder = SqlTransformer("SELECT min_max_scale(price) AS price, vocab_encode(city) AS city FROM input")
    >>> encoder.fit_transform(frame)
    array([[0. , 0. ],
           [0.5, 1. ],
           [1. , 0. ]])
    >>> encoder.get_feature_names_out()
    array(['price', 'city'], dtype=object)
    """

    def __init__(
        self, definition: str = "SELECT * FROM input", *, target: str = "target", threads: int | None = None
    ) -> None:
        self.definition = definition
        self.target = target
        self.threads = threads

    def fit(self, X: Any, y: Any = None) -> SqlTransformer:  # noqa: N803
        """Fits the definition on rows; ``y`` is the column that ``target`` names.

        Raises ``ValueError`` for rows that are none, :class:`hypostyle.SqlError` for a definition that does not fit them.
        """
        columns = self._columns(X, reset=True)
        if y is not None and self.target.lower() in self.definition.lower():
            columns = {**columns, self.target: numpy.asarray(y).ravel()}
        self._fit(self.definition, columns)
        return self


class ColumnwiseTransformer(OneToOneFeatureMixin, _FittedFeatures):  # type: ignore[misc]
    """One expression for every column of the input: ``ColumnwiseTransformer("standard_scale({x})")``.

    ``{x}`` stands for the column, so the estimator takes inputs of any number of columns, as those of scikit-learn do.

    >>> ColumnwiseTransformer("min_max_scale({x})").fit_transform([[0, 10], [1, 30], [2, 20]])
    array([[0. , 0. ],
           [0.5, 1. ],
           [1. , 0.5]])
    """

    def __init__(self, expression: str = "standard_scale({x})", *, threads: int | None = None) -> None:
        self.expression = expression
        self.threads = threads

    def fit(self, X: Any, y: Any = None) -> ColumnwiseTransformer:  # noqa: N803
        """Fits the expression for every column; ``y`` is not read."""
        columns = self._columns(X, reset=True)
        quoted = ['"' + name.replace('"', '""') + '"' for name in columns]
        expressions = ", ".join(f"{self.expression.replace('{x}', name)} AS {name}" for name in quoted)
        self._fit(f"SELECT {expressions} FROM input", columns)
        return self


def _check_rows(rows: int, columns: int) -> None:
    if rows == 0:
        raise ValueError(f"Found array with 0 sample(s) (shape=(0, {columns})) while a minimum of 1 is required.")


def _pandas_column(values: Any) -> Any:
    """A column of pandas: numbers as they are, NaN among them as null, everything else as Python values."""
    if values.dtype.kind in "biu":
        return numpy.asarray(values)
    missing = values.isna().to_numpy()
    return [None if gone else value for value, gone in zip(values.tolist(), missing, strict=True)]


def _floats(name: str, array: numpy.ndarray) -> numpy.ndarray:
    """An output as an array of two dimensions."""
    if array.dtype == object or array.dtype.kind not in "biuf":
        try:
            array = array.astype("float64")
        except (TypeError, ValueError):
            raise TypeError(
                f'output "{name}" holds no numbers; encode it, as with vocab_encode or hash_bucket, or leave it out'
            ) from None
    return array.reshape(len(array), -1).astype("float64", copy=False)
