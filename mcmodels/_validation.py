"""Checks of what users pass in, shared by the estimators; each error says what was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.linalg import LinAlgError
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import check_array, check_consistent_length, validate_data

from mcmodels.rows import Rows, StreamedSums
from mcmodels.rows.blocks import Array

_LONGEST_LIST = 10


# NaN and infinity show in the first sums over rows, which read every entry anyway.
_FINITE_ROWS = {"accept_sparse": "csr", "dtype": "numeric"}
_ROW_OPTIONS = {**_FINITE_ROWS, "ensure_all_finite": False}


def validated_rows(estimator: Any, X: Any) -> Any:
    """X checked by scikit-learn: finite, real, of the shape seen at fit.

    It is not converted to float64 here: blocks of rows are, as they are read.
    """
    return validate_data(estimator, X, reset=False, **_FINITE_ROWS)


def validated_features(estimator: Any, X: Any, **options: Any) -> Any:
    """X of a fit, checked but for NaN and infinity; see :func:`refuse_not_finite`."""
    return validate_data(estimator, X, **_ROW_OPTIONS, **options)


def validated_pair(estimator: Any, X: Any, y: Any, *, reset: bool, **for_y: Any) -> Any:
    """X and y, checked but for NaN and infinity in X; y is required and dense."""
    if issparse(y):
        raise TypeError("y is a sparse matrix; dense targets are needed. Pass y.toarray().")
    if y is None and not reset:
        raise ValueError("y is None; the objective needs the targets of the rows.")
    X, y = validate_data(estimator, X, y, reset=reset, **_ROW_OPTIONS, **for_y)
    if y.dtype.kind == "f":
        assert_all_finite(y, input_name="y", estimator_name=type(estimator).__name__)
    if not reset:
        _check_finite(estimator, X)
    return X, y


def validated_block(estimator: Any, X: Any, y: Any, *, reset: bool, **for_y: Any) -> Any:
    """X and y (or None) of a block of rows, checked like those of a fit, NaN included."""
    if y is None:
        return validate_data(estimator, X, reset=reset, **_FINITE_ROWS), None
    return validate_data(estimator, X, y, reset=reset, **_FINITE_ROWS, **for_y)


@contextmanager
def refuse_not_finite(estimator: Any, X: Any) -> Iterator[None]:
    """Blame NaN or infinity in X, when there is any, for an error of the block of code."""
    try:
        yield
    except (ValueError, LinAlgError):
        _check_finite(estimator, X)
        raise


def _check_finite(estimator: Any, X: Any) -> None:
    assert_all_finite(
        X.data if issparse(X) else X, input_name="X", estimator_name=type(estimator).__name__
    )


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Refuse a value that is not one of the choices."""
    if not isinstance(value, str) or value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name}={value!r} is not known; choose one of {listed}.")


def check_flag(name: str, value: object) -> None:
    """Refuse a value that is not True or False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name}={value!r} must be True or False.")


def check_number(
    name: str, value: object, *, above: float | None = None, at_least: float | None = None
) -> None:
    """Refuse a value that is not a number in its range; infinity counts as in range."""
    if not isinstance(value, Real) or isinstance(value, bool) or np.isnan(float(value)):
        raise ValueError(f"{name}={value!r} must be a number.")
    if above is not None and not float(value) > above:
        raise ValueError(f"{name}={value!r} must be greater than {above:g}.")
    if at_least is not None and not float(value) >= at_least:
        raise ValueError(f"{name}={value!r} must be at least {at_least:g}.")


def check_count(name: str, value: object, *, at_least: int) -> None:
    """Refuse a value that is not an integer of at least ``at_least``."""
    if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < at_least:
        raise ValueError(f"{name}={value!r} must be an integer of at least {at_least}.")


def check_weights(sample_weight: Any, X: Any, *, all_zero: bool = False) -> Array | None:
    """Weights as a float64 array of one a row, or None; none negative, not ``all_zero``."""
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Real):
        sample_weight = np.full(X.shape[0], float(sample_weight))
    weights = check_array(
        sample_weight, dtype=np.float64, ensure_2d=False, input_name="sample_weight"
    )
    if weights.ndim != 1:
        raise ValueError(
            f"sample_weight must be one-dimensional; found an array of shape {weights.shape}."
        )
    check_consistent_length(X, weights)
    if weights.min() < 0:
        row = int(weights.argmin())
        raise ValueError(
            f"sample_weight must not be negative; found {weights[row]:g} in row {row}. "
            "Remove the row, or give it weight 0."
        )
    with np.errstate(over="ignore"):
        total = weights.sum()
    if not np.isfinite(total):
        raise ValueError("the sum of sample_weight overflows float64; divide the weights.")
    if weights.max() == 0 and not all_zero:
        raise ValueError("sample_weight is zero in every row; at least one must be positive.")
    return weights


def check_mergeable(estimator: Any, other: Any, parameters: Sequence[str]) -> None:
    """Refuse another estimator whose rows cannot be taken in."""
    if type(other) is not type(estimator):
        raise TypeError(
            f"other is a {type(other).__name__}; it must be a {type(estimator).__name__}."
        )
    for model, name in ((estimator, "this model"), (other, "other")):
        if getattr(model, "_sums", None) is None:
            raise ValueError(
                f"{name} has no sums to merge; fit both by partial_fit, which keeps them."
            )
    for name in parameters:
        if getattr(estimator, name) != getattr(other, name):
            raise ValueError(
                f"other has {name}={getattr(other, name)!r}, this model "
                f"{getattr(estimator, name)!r}; they must agree."
            )
    if estimator.n_features_in_ != other.n_features_in_:
        raise ValueError(
            f"other has {other.n_features_in_} features, this model {estimator.n_features_in_}."
        )
    names, others = (getattr(model, "feature_names_in_", ()) for model in (estimator, other))
    if not np.array_equal(names, others):
        raise ValueError("other has features of other names; they must agree.")


def check_same_sums(sums: StreamedSums | None, kind: type, rows: Rows) -> None:
    """Refuse parameters that have changed since the first call of partial_fit."""
    if sums is not None and (not isinstance(sums, kind) or sums.seen.intercept != rows.intercept):
        raise ValueError(
            "solver or fit_intercept has changed since the first partial_fit; set it back, or "
            "clone the model and begin again."
        )


def check_params(params: Any, shape: tuple[int, ...], name: str = "params") -> Array:
    """Parameters as a finite float64 array of the shape of the fitted ones."""
    array = check_array(params, dtype=np.float64, ensure_2d=False, input_name=name)
    if array.shape != shape:
        raise ValueError(
            f"{name} has shape {array.shape}; the fitted parameters have shape {shape}. Give an "
            "array that is laid out like params_."
        )
    return array


def listed(items: Iterable[object]) -> str:
    """Items with commas between, and no more of them than one can read."""
    texts = [str(item) for item in items]
    rest = len(texts) - _LONGEST_LIST
    shown = ", ".join(texts[:_LONGEST_LIST])
    return f"{shown} and {rest} more" if rest > 0 else shown


def name_columns(estimator: Any, columns: Iterable[int]) -> str:
    """Columns in words, by name where the estimator knows names."""
    names = getattr(estimator, "feature_names_in_", None)
    return listed(f"{names[j]!r}" if names is not None else f"x{j}" for j in columns)
