"""Derivatives of the steps of a pipeline: how their columns move when an input moves.

A step T is applied to each row alone. Where its rows X move along D, ``T(X)`` moves along
``T′(X) D``. That is exact for the steps in ``_RULES``, and for those that route columns to others.
Any other step is differentiated by extrapolated central differences, and its name is noted.
At a point where the derivatives of the two sides differ, it is one of them: at the boundary knots
of a spline, and at the bounds of a clipped scaler, that of the inside; at an inner knot of a
broken line, that of the right.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sklearn.decomposition
from scipy import sparse, special
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.input_effects import differences_along, one_sided_along, step_sizes
from mcmodels.records.principal_components import PrincipalComponents
from mcmodels.reports.column_names import parts_of_columns

__all__ = [
    "Told",
    "as_floats",
    "columns_of",
    "inner_steps",
    "is_identity",
    "moved_along",
    "positions_of",
]

# Normal quantiles of QuantileTransformer end at this share, in scikit-learn 1.3 to 1.9.
_LEAST_SHARE = 1e-7
# Quantiles of equal values differ by so much of the largest: they are means of two of them.
_KNOT_ROUNDING = 2.0**-50


@dataclass
class Told:
    """What is to be said of a derivative.

    Parameters
    ----------
    differences : set of str
        Steps that were differentiated by differences.
    one_sided : set of str
        Steps whose derivative is one-sided at some point, such as a boundary knot.
    flat : set of str
        Steps that jump, such as bins: the derivative of what moves through them is zero.
    corners : set of str
        Expressions with a corner where a row is.
    """

    differences: set[str] = field(default_factory=set)
    one_sided: set[str] = field(default_factory=set)
    flat: set[str] = field(default_factory=set)
    corners: set[str] = field(default_factory=set)


def moved_along(step: Any, X: Any, D: Array, told: Told) -> Array:
    """``T′(X) D`` of a fitted step, row by row.

    Parameters
    ----------
    step : transformer
        Fitted.
    X : array-like of shape (b, p)
        Rows as the step takes them.
    D : ndarray of shape (b, p) or (1, p)
        How they move; zero for what is no number. One row where all move alike.
    told : Told
        Gets what is to be said of the result.

    Returns
    -------
    ndarray of shape (b, q), or (1, q) where all move alike
    """
    if is_identity(step):
        return D
    if not D.any():
        return np.zeros((1, step.transform(X[:1]).shape[1]))
    if isinstance(step, ColumnTransformer | FeatureUnion | Pipeline):
        return _routed(step, X, D, told)
    if type(step).__name__ == "FrozenEstimator":
        return moved_along(step.estimator, X, D, told)
    if isinstance(step, SelectorMixin):
        return D[:, step.get_support()]
    is_ours = isinstance(getattr(step, "_fit", None), PrincipalComponents)
    rule = _projected if is_ours else _RULES.get(type(step))
    if rule is not None and not _is_broken_line(step):
        has_ends = isinstance(step, SplineTransformer | QuantileTransformer)
        if has_ends or getattr(step, "clip", False):
            told.one_sided.add(type(step).__name__)
        if rule is _constant and D.any():
            told.flat.add(type(step).__name__)
        is_linear = rule in _LINEAR and not getattr(step, "clip", False)
        return rule(step, X, D if is_linear else _of_all_rows(X, D))
    own = getattr(step, "_moved", None)  # of a formula
    if own is not None and (moved := own(X, D, told)) is not None:
        return np.asarray(moved)
    told.differences.add(type(step).__name__)
    return _by_differences(step, X, _of_all_rows(X, D), told)


def is_identity(step: Any) -> bool:
    """Whether a step returns what it is given."""
    if isinstance(step, str) or step is None:
        return not _is_dropped(step)
    return type(step) is FunctionTransformer and step.func is None


def inner_steps(step: Any, X: Any) -> Iterator[tuple[str, Any, Any, npt.NDArray[np.intp]]]:
    """The parts of a ColumnTransformer or FeatureUnion that are not dropped.

    Name, step, its rows, and the positions of its columns, in the order of what they make.
    """
    if isinstance(step, FeatureUnion):
        for name, part in step.transformer_list:
            if not _is_dropped(part):
                yield name, part, X, np.arange(X.shape[1])
        return
    for name, part, columns in parts_of_columns(step):
        at = np.zeros(0, dtype=np.intp) if _is_dropped(part) else positions_of(step, X, columns)
        if at.size:
            scalar = isinstance(columns, str | int | np.integer)
            yield name, part, columns_of(X, int(at[0]) if scalar else at), at


def positions_of(step: Any, X: Any, columns: Any) -> npt.NDArray[np.intp]:
    """Positions in X of columns as a fitted ColumnTransformer holds them: names, integers, masks.

    Integers count the columns of the fit, which X has by their names where it is a data frame.
    """
    names = getattr(step, "feature_names_in_", None)
    of_fit: list[Any] = list(range(step.n_features_in_) if names is None else names)
    if isinstance(columns, slice):
        first, last = columns.start, columns.stop
        first = of_fit.index(first) if isinstance(first, str) else first
        last = of_fit.index(last) + 1 if isinstance(last, str) else last
        chosen = of_fit[first : last : columns.step]
    else:
        asked = np.atleast_1d(np.asarray(columns, dtype=object)).tolist()
        if asked and all(isinstance(of, bool | np.bool_) for of in asked):
            asked = [k for k, taken in enumerate(asked) if taken]
        chosen = [of if isinstance(of, str) else of_fit[int(of)] for of in asked]
    if isinstance(X, pd.DataFrame) and names is not None:
        return np.array([X.columns.get_loc(name) for name in chosen], dtype=np.intp)
    return np.array([of_fit.index(of) for of in chosen], dtype=np.intp)


def columns_of(X: Any, at: Any) -> Any:
    """Columns of a data frame or an array, by position; one column for an integer."""
    return X.iloc[:, at] if hasattr(X, "iloc") else X[:, at]


def as_floats(X: Any) -> Array:
    """Rows as a dense array of float64."""
    dense = X.toarray() if sparse.issparse(X) else X
    return np.asarray(dense, dtype=np.float64)


def _is_dropped(part: Any) -> bool:
    return isinstance(part, str) and part == "drop"


def _routed(step: Any, X: Any, D: Array, told: Told) -> Array:
    if isinstance(step, Pipeline):
        for _, part in step.steps:
            if not is_identity(part):
                D = moved_along(part, X, D, told)
                X = part.transform(X)
        return D
    weights = getattr(step, "transformer_weights", None) or {}
    made = getattr(step, "output_indices_", {})
    moved = []
    for name, part, rows, at in inner_steps(step, X):
        if name in made and not D[:, at].any():
            moved.append(np.zeros((1, made[name].stop - made[name].start)))
        else:
            moved.append(weights.get(name, 1.0) * moved_along(part, rows, D[:, at], told))
    height = max(map(len, moved), default=1)
    return np.hstack([np.broadcast_to(of, (height, of.shape[1])) for of in moved])


def _of_all_rows(X: Any, D: Array) -> Array:
    """How each row moves."""
    return np.broadcast_to(D, (X.shape[0], D.shape[1]))


def _is_broken_line(step: Any) -> bool:
    """Splines of degree 1 or 0 with straight ends.

    scikit-learn 1.9 lets the ends of all features but the first begin at the second inner knot, so
    that the derivative of the spline is not that of its columns.
    """
    is_spline = isinstance(step, SplineTransformer)
    return is_spline and step.degree <= 1 and step.extrapolation == "linear"


def _by_differences(step: Any, X: Any, D: Array, told: Told) -> Array:
    """By changes of the columns that move; one-sided in rows of which a step refuses one side."""
    used = np.flatnonzero(D.any(axis=0))
    column = X.ndim == 1  # a ColumnTransformer gives a single name's values so
    rows = pd.DataFrame({0: X}) if column else X
    values = {j: as_floats(columns_of(rows, [j]))[:, 0] for j in used}
    sizes = np.min(
        [
            np.divide(
                step_sizes(values[j]),
                np.abs(D[:, j]),
                out=np.full(len(D), np.inf),
                where=D[:, j] != 0,
            )
            for j in used
        ],
        axis=0,
    )
    sizes[~np.isfinite(sizes)] = 1.0
    width = step.transform(X[:1]).shape[1]
    around = getattr(step, "_around", step.transform)  # a formula refuses nothing there

    def move(steps: Array, at: Any, transform: Any = around) -> Array:
        changed = {j: values[j][at] + steps * D[at, j] for j in used}
        try:
            with np.errstate(all="ignore"):
                found = as_floats(transform(_with_columns(_rows_at(X, at), changed)))
            if found.shape == (len(at), width):
                return found
        except ValueError:  # such as for values that are not finite, or beyond those of the fit
            if len(at) > 1:  # one row that is refused takes no other with it
                halves = np.array_split(np.arange(len(at)), 2)
                return np.vstack([move(steps[half], at[half], transform) for half in halves])
        return np.full((len(at), width), np.nan)

    all_rows = np.arange(len(D))
    found = differences_along(functools.partial(move, at=all_rows), sizes)
    for sign in (1.0, -1.0):
        lost = np.flatnonzero(~np.isfinite(found).all(axis=1))
        if lost.size:
            told.one_sided.add(type(step).__name__)
            found[lost] = one_sided_along(functools.partial(move, at=lost), sign * sizes[lost])
    lost = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if lost.size and around != step.transform:  # beyond the boundaries of a spline
        plain = functools.partial(move, at=lost, transform=step.transform)
        found[lost] = differences_along(plain, sizes[lost])
    if not np.isfinite(found).all():
        row = int((~np.isfinite(found)).any(axis=1).argmax())
        raise InferenceError(
            f"{type(step).__name__} has no finite derivative by differences in row {row} of a "
            "block of rows, as where it jumps; leave such rows out, or take measure='comparison'."
        )
    return found


def _rows_at(X: Any, at: Any) -> Any:
    """Some rows of a data frame, a series, or an array."""
    return X.iloc[at] if hasattr(X, "iloc") else X[at]


def _with_columns(X: Any, changed: dict[Any, Array]) -> Any:
    """A copy of the rows with other numbers in some columns."""
    if isinstance(X, pd.Series):
        return pd.Series(changed[0], index=X.index, name=X.name)
    if isinstance(X, pd.DataFrame):
        copied = X.copy(deep=False)
        for j, values in changed.items():
            copied[X.columns[j]] = values
        return copied
    copied = X.toarray() if sparse.issparse(X) else np.array(X)
    if copied.ndim == 1:
        return changed[0]
    if copied.dtype.kind in "iub":
        copied = copied.astype(np.float64)
    for j, values in changed.items():
        copied[:, j] = values
    return copied


def _scaled(step: Any, X: Any, D: Array) -> Array:
    """StandardScaler divides by its scales, unless it has none."""
    return D if step.scale_ is None else D / step.scale_


def _max_abs(step: Any, X: Any, D: Array) -> Array:
    if not getattr(step, "clip", False):
        return D / step.scale_
    return np.where(np.abs(as_floats(X)) <= step.max_abs_, D / step.scale_, 0.0)


def _min_max(step: Any, X: Any, D: Array) -> Array:
    scaled = D * step.scale_
    if step.clip:
        values = as_floats(X)
        scaled[(values < step.data_min_) | (values > step.data_max_)] = 0.0
    return scaled


def _robust(step: Any, X: Any, D: Array) -> Array:
    return D / step.scale_ if step.with_scaling else D


def _imputed(step: Any, X: Any, D: Array) -> Array:
    """What is missing does not move; columns of indicators do not, either."""
    kept = np.ones(D.shape[1], dtype=bool)
    if step.strategy != "constant" and not step.keep_empty_features:
        kept = ~pd.isna(np.asarray(step.statistics_, dtype=object))
    values = X.to_numpy() if hasattr(X, "iloc") else (X.toarray() if sparse.issparse(X) else X)
    values = np.asarray(values)
    if pd.isna(step.missing_values):
        missing = np.asarray(pd.isna(pd.DataFrame(values)))
    else:
        missing = values == step.missing_values
    moved = np.zeros((len(D), step.transform(X[:1]).shape[1]))
    moved[:, : kept.sum()] = np.where(missing, 0.0, D)[:, kept]
    return moved


def _polynomial(step: Any, X: Any, D: Array) -> Array:
    """``Σⱼ Dⱼ pⱼ xⱼ^(pⱼ-1) Π_{l≠j} x_l^p_l`` of each product of powers."""
    x, powers = as_floats(X), step.powers_
    moved = np.zeros((len(D), len(powers)))
    for j in np.flatnonzero(D.any(axis=0)):
        for k in np.flatnonzero(powers[:, j]):
            left = powers[k].copy()
            left[j] -= 1
            factors = np.flatnonzero(left)
            product = np.prod(x[:, factors] ** left[factors], axis=1)
            moved[:, k] += D[:, j] * powers[k, j] * product
    return moved


def _splines(step: Any, X: Any, D: Array) -> Array:
    """Derivatives of B-splines, extrapolated as the step extrapolates."""
    x = as_floats(X)
    width = step.bsplines_[0].c.shape[1]
    moved = np.zeros((len(D), len(step.bsplines_) * width))
    for j in np.flatnonzero(D.any(axis=0)):
        spline = step.bsplines_[j]
        if spline.k == 0:
            continue
        at, counts = x[:, j], np.isfinite(x[:, j])
        low, high = spline.t[spline.k], spline.t[-spline.k - 1]
        if step.extrapolation == "periodic":
            if not high > low:
                continue
            at = low + (at - low) % (high - low)
        elif step.extrapolation != "continue":
            if step.extrapolation == "constant":
                counts &= (low <= at) & (at <= high)
            at = np.clip(at, low, high)
        slope = np.zeros((len(D), width))
        slope[counts] = spline(at[counts], nu=1) * D[counts, j, np.newaxis]
        moved[:, j * width : (j + 1) * width] = slope
    if not step.include_bias:  # the last spline of each feature is left out
        return moved[:, np.arange(moved.shape[1]) % width != width - 1]
    return moved


def _quantiles(step: Any, X: Any, D: Array) -> Array:
    """The broken line through the quantiles; then of the normal quantile function, ``1/φ(y)``.

    Where quantiles repeat, the line jumps. At quantiles it is the derivative of the right, at the
    largest one that of the left.
    """
    x, y, shares = as_floats(X), as_floats(step.transform(X)), step.references_
    moved = np.zeros(D.shape)
    for j in np.flatnonzero(D.any(axis=0)):
        knots = step.quantiles_[:, j]
        rounding = _KNOT_ROUNDING * np.abs(knots).max()
        first = np.flatnonzero(np.diff(knots, prepend=-np.inf) > rounding)
        if len(first) < 2:
            continue
        last = np.append(first[1:], len(knots)) - 1
        slopes = (shares[first[1:]] - shares[last[:-1]]) / (knots[first[1:]] - knots[last[:-1]])
        at = np.searchsorted(knots[first] - rounding, x[:, j], side="right") - 1
        slope = slopes[np.clip(at, 0, len(slopes) - 1)]
        inside = (knots[0] <= x[:, j]) & (x[:, j] <= knots[-1])  # missing values are not
        if step.output_distribution == "normal":
            inside &= np.abs(y[:, j]) < -special.ndtri(_LEAST_SHARE)
            slope = slope * np.sqrt(2 * np.pi) * np.exp(np.square(y[:, j]) / 2)
        moved[inside, j] = (slope * D[:, j])[inside]
    return moved


def _projected(step: Any, X: Any, D: Array) -> Array:
    """Components of PCA, and of TruncatedSVD."""
    moved = D @ step.components_.T
    if getattr(step, "whiten", False):
        deviations = np.sqrt(step.explained_variance_)
        moved = np.divide(moved, deviations, out=np.zeros_like(moved), where=deviations > 0)
    return moved


def _constant(step: Any, X: Any, D: Array) -> Array:
    """Codes of levels and bins do not change with a small step."""
    return np.zeros((len(D), step.transform(X[:1]).shape[1]))


# These move by the same matrix in every row.
_LINEAR = (_scaled, _max_abs, _min_max, _robust, _projected, _constant)
_RULES: dict[type, Callable[[Any, Any, Array], Array]] = {
    StandardScaler: _scaled,
    MaxAbsScaler: _max_abs,
    RobustScaler: _robust,
    MinMaxScaler: _min_max,
    SimpleImputer: _imputed,
    PolynomialFeatures: _polynomial,
    SplineTransformer: _splines,
    QuantileTransformer: _quantiles,
    sklearn.decomposition.PCA: _projected,
    sklearn.decomposition.TruncatedSVD: _projected,
    OneHotEncoder: _constant,
    OrdinalEncoder: _constant,
    KBinsDiscretizer: _constant,
    Binarizer: _constant,
}
