"""Exact derivatives of scikit-learn's steps: how their columns move when those of X do.

Each rule takes the fitted step, rows X, and how these move, and returns how the result moves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import sklearn.decomposition
from scipy import sparse, special
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (
    Binarizer,
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

__all__ = ["LINEAR", "RULES", "as_floats", "constant", "projected"]

# Normal quantiles of QuantileTransformer end at this share, in scikit-learn 1.3 to 1.9.
_LEAST_SHARE = 1e-7
# Quantiles of equal values differ by so much of the largest: they are means of two of them.
_KNOT_ROUNDING = 2.0**-50


def as_floats(X: Any) -> Array:
    """Rows as a dense array of float64."""
    dense = X.toarray() if sparse.issparse(X) else X
    return np.asarray(dense, dtype=np.float64)


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


def projected(step: Any, X: Any, D: Array) -> Array:
    """Components of PCA, and of TruncatedSVD."""
    moved = D @ step.components_.T
    if getattr(step, "whiten", False):
        deviations = np.sqrt(step.explained_variance_)
        moved = np.divide(moved, deviations, out=np.zeros_like(moved), where=deviations > 0)
    return moved


def constant(step: Any, X: Any, D: Array) -> Array:
    """Codes of levels and bins do not change with a small step."""
    return np.zeros((len(D), step.transform(X[:1]).shape[1]))


# These move by the same matrix in every row.
LINEAR = (_scaled, _max_abs, _min_max, _robust, projected, constant)
RULES: dict[type, Callable[[Any, Any, Array], Array]] = {
    StandardScaler: _scaled,
    MaxAbsScaler: _max_abs,
    RobustScaler: _robust,
    MinMaxScaler: _min_max,
    SimpleImputer: _imputed,
    PolynomialFeatures: _polynomial,
    SplineTransformer: _splines,
    QuantileTransformer: _quantiles,
    sklearn.decomposition.PCA: projected,
    sklearn.decomposition.TruncatedSVD: projected,
    OneHotEncoder: constant,
    OrdinalEncoder: constant,
    KBinsDiscretizer: constant,
    Binarizer: constant,
}
