"""Fitted estimators of scikit-learn as transforms: what they have learned becomes SQL with constants. Needs scikit-learn.

>>> import numpy
>>> from sklearn.impute import SimpleImputer
>>> from sklearn.pipeline import make_pipeline
>>> from sklearn.preprocessing import StandardScaler
>>> pipeline = make_pipeline(SimpleImputer(), StandardScaler()).fit(numpy.array([[1.0], [3.0], [numpy.nan]]))
>>> transform = import_fitted(pipeline, names=["price"])
>>> [transform.row()(price=3.0)["price"]] == pipeline.transform([[3.0]])[0].tolist()
True
>>> transform.row()(price=None)
{'price': 0.0}
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy
from sklearn import compose, impute, pipeline, preprocessing
from sklearn.utils.validation import check_is_fitted

from hypostyle.errors import UnsupportedError
from hypostyle.session import Session
from hypostyle.transform import Transform

__all__ = ["definition_of", "import_fitted"]


def import_fitted(
    estimator: Any, *, names: Sequence[str] | None = None, types: Mapping[str, str] | None = None, session: Session | None = None
) -> Transform:
    """A fitted estimator, pipeline or column transformer as a transform, which is saved, served and applied as any other.

    Known are StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, Binarizer, PowerTransformer, KBinsDiscretizer, SimpleImputer,
    OneHotEncoder, OrdinalEncoder, TargetEncoder of one mean a category, and pipelines, unions and column transformers of them. ``names``
    are those of the input columns, by default ``feature_names_in_``, else ``x0``, ``x1`` and so on. ``types`` are SQL types of inputs
    where the estimator leaves them open: categories have those that were fitted, all else is DOUBLE.

    Values are those of ``estimator.transform``, to the bit but for PowerTransformer. A null is what NaN and None are to scikit-learn. Where
    scikit-learn gives one column for each category, the output is one embedding, ``FLOAT[N]``; a category that was not seen gives zeros, also where
    scikit-learn would refuse it, and null from an OrdinalEncoder that has no value for it.

    Raises :class:`hypostyle.UnsupportedError` for other estimators and settings, which it names.
    """
    definition, inputs = definition_of(estimator, names=names, types=types)
    columns = ", ".join(f"NULL::{kind} AS {_name(name)}" for name, kind in inputs.items())
    return (session or Session()).fit(definition, f"(SELECT {columns} WHERE false)")


def definition_of(
    estimator: Any, *, names: Sequence[str] | None = None, types: Mapping[str, str] | None = None
) -> tuple[str, dict[str, str]]:
    """The definition that :func:`import_fitted` takes, and names and types of the input columns."""
    check_is_fitted(estimator)
    if names is None:
        known = getattr(estimator, "feature_names_in_", None)
        names = [f"x{index}" for index in range(estimator.n_features_in_)] if known is None else [str(name) for name in known]
    if len(names) != estimator.n_features_in_:
        raise UnsupportedError(f"{len(names)} names are given; the estimator was fitted on {estimator.n_features_in_} columns")
    asked: dict[str, str] = dict(types or {})
    columns = [_Column(_name(name), name, _Asked(name, asked)) for name in names]
    outputs = _applied(estimator, columns)
    taken: dict[str, int] = {}
    parts = []
    for column in outputs:
        count = taken[column.name] = taken.get(column.name, 0) + 1
        parts.append(f"{column.sql} AS {_name(column.name if count == 1 else f'{column.name}_{count}')}")
    inputs = {name: asked.get(name, "DOUBLE") for name in names}
    return f"SELECT {', '.join(parts)} FROM input", inputs


@dataclass(frozen=True)
class _Asked:
    """The type of an input, which the first step that cares decides."""

    name: str
    types: dict[str, str]

    def for_type(self, kind: str) -> str:
        return self.types.setdefault(self.name, kind)


@dataclass(frozen=True)
class _Column:
    """A column on its way through the steps: its expression, its name, and the input that it is made of."""

    sql: str
    name: str
    asked: _Asked = field(compare=False)
    is_input: bool = True

    def of_type(self, kind: str) -> str:
        """The expression as this type."""
        if self.is_input and self.asked.for_type(kind) == kind:
            return self.sql
        return f"({self.sql})::{kind}"

    @property
    def number(self) -> str:
        return self.of_type("DOUBLE")

    def to(self, sql: str, name: str | None = None) -> _Column:
        return replace(self, sql=sql, name=name or self.name, is_input=False)


def _applied(estimator: Any, columns: list[_Column]) -> list[_Column]:
    """What an estimator makes of columns."""
    for kind, translate in _TRANSLATIONS.items():
        if type(estimator) is kind:
            return translate(estimator, columns)
    raise UnsupportedError(f"{type(estimator).__name__} has no counterpart; there are: {', '.join(sorted(k.__name__ for k in _TRANSLATIONS))}")


def _pipeline(estimator: pipeline.Pipeline, columns: list[_Column]) -> list[_Column]:
    for _, step in estimator.steps:
        if step is None or step == "passthrough":
            continue
        columns = _applied(step, columns)
    return columns


def _union(estimator: pipeline.FeatureUnion, columns: list[_Column]) -> list[_Column]:
    if estimator.transformer_weights:
        raise UnsupportedError("FeatureUnion: weights of transformers have no counterpart")
    parts = [(step, columns) for _, step in estimator.transformer_list if step != "drop"]
    return [column for step, given in parts for column in (given if step == "passthrough" else _applied(step, given))]


def _column_transformer(estimator: compose.ColumnTransformer, columns: list[_Column]) -> list[_Column]:
    if estimator.transformer_weights:
        raise UnsupportedError("ColumnTransformer: weights of transformers have no counterpart")
    outputs: list[_Column] = []
    for name, step, _ in estimator.transformers_:
        if isinstance(step, str) and step == "drop":
            continue
        given = [columns[index] for index in estimator._transformer_to_input_indices[name]]
        if given:
            outputs += _applied(step, given) if not isinstance(step, str) else given
    return outputs


def _identity(estimator: preprocessing.FunctionTransformer, columns: list[_Column]) -> list[_Column]:
    """What pipelines write for columns that pass through."""
    if estimator.func is not None:
        raise UnsupportedError("FunctionTransformer: a function of Python has no counterpart")
    return columns


def _standard_scaler(estimator: preprocessing.StandardScaler, columns: list[_Column]) -> list[_Column]:
    return _shifted(columns, estimator.mean_ if estimator.with_mean else None, estimator.scale_)


def _robust_scaler(estimator: preprocessing.RobustScaler, columns: list[_Column]) -> list[_Column]:
    center = estimator.center_ if estimator.with_centering else None
    return _shifted(columns, center, estimator.scale_ if estimator.with_scaling else None)


def _max_abs_scaler(estimator: preprocessing.MaxAbsScaler, columns: list[_Column]) -> list[_Column]:
    scaled = _shifted(columns, None, estimator.scale_)
    return [column.to(f"clamp({column.sql}, -1, 1)") for column in scaled] if getattr(estimator, "clip", False) else scaled


def _shifted(columns: list[_Column], shifts: Any, scales: Any) -> list[_Column]:
    """(x - shift) / scale, in this order, as scikit-learn computes it."""
    outputs = []
    for index, column in enumerate(columns):
        sql = column.number
        if shifts is not None:
            sql = f"({sql} - {_number(shifts[index])})"
        if scales is not None:
            sql = f"({sql} / {_number(scales[index])})"
        outputs.append(column.to(sql))
    return outputs


def _min_max_scaler(estimator: preprocessing.MinMaxScaler, columns: list[_Column]) -> list[_Column]:
    outputs = []
    for index, column in enumerate(columns):
        sql = f"({column.number} * {_number(estimator.scale_[index])} + {_number(estimator.min_[index])})"
        if estimator.clip:
            low, high = (_number(bound) for bound in estimator.feature_range)
            sql = f"clamp({sql}, {low}, {high})"
        outputs.append(column.to(sql))
    return outputs


def _binarizer(estimator: preprocessing.Binarizer, columns: list[_Column]) -> list[_Column]:
    return [column.to(f"({column.number} > {_number(estimator.threshold)})::INTEGER::DOUBLE") for column in columns]


def _power_transformer(estimator: preprocessing.PowerTransformer, columns: list[_Column]) -> list[_Column]:
    function = {"yeo-johnson": "yeo_johnson", "box-cox": "boxcox"}[estimator.method]
    powers = zip(columns, estimator.lambdas_, strict=True)
    outputs = [column.to(f"{function}({column.number}, {_number(power)})") for column, power in powers]
    return _standard_scaler(estimator._scaler, outputs) if estimator.standardize else outputs


def _discretizer(estimator: preprocessing.KBinsDiscretizer, columns: list[_Column]) -> list[_Column]:
    outputs = []
    for column, edges in zip(columns, estimator.bin_edges_, strict=True):
        inner = _list([_number(edge) for edge in edges[1:-1]], "DOUBLE")
        sql = f"bucketize({column.number}, {inner}, closed => 'left')"
        is_ordinal = estimator.encode == "ordinal"
        outputs.append(column.to(f"{sql}::DOUBLE" if is_ordinal else f"one_hot({sql}, {len(edges) - 1})"))
    return outputs


def _imputer(estimator: impute.SimpleImputer, columns: list[_Column]) -> list[_Column]:
    if estimator.add_indicator:
        raise UnsupportedError("SimpleImputer: add_indicator has no counterpart; write is_missing(x) beside it")
    missing = estimator.missing_values
    if not _is_missing(missing):
        raise UnsupportedError(f"SimpleImputer: missing_values={missing!r} has no counterpart; NaN and None have")
    outputs = []
    for column, value in zip(columns, estimator.statistics_, strict=True):
        if isinstance(value, str):
            outputs.append(column.to(f"coalesce({column.of_type('VARCHAR')}, {_text(value)})"))
        elif not _is_missing(value):
            outputs.append(column.to(f"coalesce(fill_nan({column.number}, {_number(value)}), {_number(value)})"))
        elif estimator.keep_empty_features:
            raise UnsupportedError(f'SimpleImputer: column "{column.name}" had no value while fitting')
    return outputs


def _ordinal_encoder(estimator: preprocessing.OrdinalEncoder, columns: list[_Column]) -> list[_Column]:
    _refuse_infrequent(estimator)
    outputs = []
    for column, categories in zip(columns, estimator.categories_, strict=True):
        known, has_missing = _without_missing(categories)
        unknown = estimator.unknown_value if estimator.handle_unknown == "use_encoded_value" else None
        sql = f"nullif({_index(column, known)}, -1)::DOUBLE"
        if not _is_missing(unknown):
            sql = f"coalesce({sql}, {_number(unknown)})"
        if has_missing and not _is_missing(estimator.encoded_missing_value):
            value = _number(estimator.encoded_missing_value)
            sql = f"CASE WHEN is_missing({column.sql}) THEN {value} ELSE {sql} END"
        elif not _is_missing(unknown) and has_missing:
            sql = f"CASE WHEN is_missing({column.sql}) THEN NULL ELSE {sql} END"
        outputs.append(column.to(sql))
    return outputs


def _one_hot_encoder(estimator: preprocessing.OneHotEncoder, columns: list[_Column]) -> list[_Column]:
    _refuse_infrequent(estimator)
    dropped = estimator.drop_idx_ if estimator.drop_idx_ is not None else [None] * len(columns)
    outputs = []
    for column, categories, drop in zip(columns, estimator.categories_, dropped, strict=True):
        known, has_missing = _without_missing(categories)
        index = _index(column, known)
        if has_missing:
            index = f"CASE WHEN is_missing({column.sql}) THEN {len(known)} ELSE {index} END"
        count = len(categories)
        if drop is not None:
            # Those behind the dropped one move up; it has no place, as unknown ones have none.
            index = f"map_id({index}, {_list([str(i) for i in range(count) if i != drop], 'BIGINT')}, {_list(range(count - 1), 'BIGINT')})"
            count -= 1
        if count:
            outputs.append(column.to(f"one_hot(coalesce({index}, -1), {count})"))
    return outputs


def _target_encoder(estimator: preprocessing.TargetEncoder, columns: list[_Column]) -> list[_Column]:
    if estimator.target_type_ == "multiclass":
        raise UnsupportedError("TargetEncoder: several classes have no counterpart")
    outputs = []
    mean = _number(estimator.target_mean_)
    for column, categories, encodings in zip(columns, estimator.categories_, estimator.encodings_, strict=True):
        known, has_missing = _without_missing(categories)
        values = _list([_number(value) for value in encodings[: len(known)]], "DOUBLE")
        missing = _number(encodings[len(known)]) if has_missing else mean
        sql = f"coalesce(({values})[{_index(column, known)} + 1], {mean})"
        outputs.append(column.to(f"CASE WHEN is_missing({column.sql}) THEN {missing} ELSE {sql} END"))
    return outputs


def _index(column: _Column, categories: list[Any]) -> str:
    """The index of a category, or -1; null for null."""
    if all(isinstance(category, str) for category in categories):
        vocabulary = _list([_text(category) for category in categories], "VARCHAR")
        return f"vocab_lookup({column.of_type('VARCHAR')}, {vocabulary})"
    if all(isinstance(category, (int, numpy.integer)) for category in categories):
        vocabulary = _list([str(int(category)) for category in categories], "BIGINT")
        return f"vocab_lookup({column.of_type('BIGINT')}, {vocabulary})"
    numbers = _list([_number(category) for category in categories], "DOUBLE")
    return f"(coalesce(list_position({numbers}, {column.number}), 0) - 1)"


def _without_missing(categories: Any) -> tuple[list[Any], bool]:
    """The categories that are values, and whether a missing one is the last."""
    known = [category for category in categories if not _is_missing(category)]
    return known, len(known) < len(categories)


def _refuse_infrequent(estimator: Any) -> None:
    if getattr(estimator, "_infrequent_enabled", False):
        name = type(estimator).__name__
        raise UnsupportedError(f"{name}: min_frequency and max_categories have no counterpart")


def _is_missing(value: Any) -> bool:
    if value is None or type(value).__name__ == "NAType":
        return True
    return isinstance(value, (float, numpy.floating)) and math.isnan(value)


def _number(value: Any) -> str:
    """A number that SQL reads back to the bit."""
    return f"'{float(value)!r}'::DOUBLE"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _list(parts: Sequence[Any], kind: str) -> str:
    return f"[{', '.join(map(str, parts))}]::{kind}[]"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


_TRANSLATIONS: dict[type, Callable[[Any, list[_Column]], list[_Column]]] = {
    pipeline.Pipeline: _pipeline,
    pipeline.FeatureUnion: _union,
    compose.ColumnTransformer: _column_transformer,
    preprocessing.FunctionTransformer: _identity,
    preprocessing.StandardScaler: _standard_scaler,
    preprocessing.MinMaxScaler: _min_max_scaler,
    preprocessing.MaxAbsScaler: _max_abs_scaler,
    preprocessing.RobustScaler: _robust_scaler,
    preprocessing.Binarizer: _binarizer,
    preprocessing.PowerTransformer: _power_transformer,
    preprocessing.KBinsDiscretizer: _discretizer,
    preprocessing.OneHotEncoder: _one_hot_encoder,
    preprocessing.OrdinalEncoder: _ordinal_encoder,
    preprocessing.TargetEncoder: _target_encoder,
    impute.SimpleImputer: _imputer,
}
