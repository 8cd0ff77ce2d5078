"""Marginal effects: how probabilities or means change with a feature, with standard errors.

With ``p(η)`` the probabilities and ``η = x̃ᵀθ``, the effect of feature j on class k is a derivative,
``Σ_l ∂pₖ/∂η_l β_lj``, or ``pₖ(x with xⱼ = 1) - pₖ(x with xⱼ = 0)`` where the feature is 0 or 1.
The mean of a generalized linear model takes the place of p.
Averages over rows, or values at their means, have standard errors by the delta method, with exact
Jacobians: Greene (2018), *Econometric Analysis*, 8th ed., §17.2.4–17.2.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from mcmodels.arrays import Array
from mcmodels.inference.curvature import CurvatureInference
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.responses import Response
from mcmodels.rows import ArrayRows, ColumnMoments, RowBlock, Rows

__all__ = ["At", "effects_of_rows", "indicators_of", "marginal_effects"]

At = Literal["average", "means", "rows"]


def marginal_effects(
    model: CurvatureInference, response: Response, rows: Rows, indicators: Any, *, at: At
) -> Estimate:
    """Effects of each feature on each class (on the second, of two), or on the mean.

    Parameters
    ----------
    model : CurvatureInference
        The fit.
    response : Response
        Probabilities or means as functions of the linear predictors.
    rows : Rows
        Where effects are computed.
    indicators : ndarray of int
        Features whose effects are differences, those of :func:`indicators_of`.
    at : {"average", "means"}
        The mean of the effects, or the effects at the mean of the features.

    Returns
    -------
    Estimate
        Class by class, feature by feature.
    """
    if at == "means":
        rows = _mean_row(rows)
    total = rows.reduce(lambda block: _Sums.of(response, model.params, block, indicators))
    effects, jacobian = total.averaged(model.params, rows, indicators)
    names = tuple(map(str, range(effects.size)))
    found = model.function_estimate(effects.ravel(), jacobian, names)
    _warn_of_rows(model, rows, found.standard_errors.reshape(effects.shape))
    return found


def _warn_of_rows(model: CurvatureInference, rows: Rows, errors: Array) -> None:
    """Warn where effects have no error because of the rows, not because of their feature."""
    space = model.estimable
    if space is not None and np.isnan(errors)[:, space.determined_of_one[: errors.shape[1]]].any():
        space.warn_of_rows(rows.map(lambda block: space.contains(block).astype(np.float64)) == 0.0)


def effects_of_rows(
    model: CurvatureInference, response: Response, rows: Rows, indicators: Any
) -> Array:
    """The effects in each row, shape (n_rows, classes·p); see :func:`marginal_effects`.

    NaN where they are not estimable.
    """
    space = model.estimable

    def of_rows(block: RowBlock) -> Array:
        found = _effects(response, model.params, block, indicators)
        if space is not None:
            found[~space.contains(block)] = np.nan
            found[:, :, ~space.determined_of_one[: found.shape[2]]] = np.nan
        return found

    effects = rows.map(of_rows)
    if space is not None:
        _warn_of_rows(model, rows, effects.transpose(1, 2, 0).max(axis=2, initial=-np.inf))
    return effects.reshape(len(effects), -1)


def _mean_row(rows: Rows) -> Rows:
    """A row with the means of the features, and of the offsets if there are any."""
    mean = ColumnMoments.of(rows, targets=False).mean
    total = rows.reduce(
        lambda block: block.weighted(block.offset_or_zeros).sum(axis=0, keepdims=True)
    )
    extras = {"offset": total / rows.total_weight}
    return ArrayRows(mean[np.newaxis], extras=extras, intercept=rows.intercept)


def indicators_of(rows: Rows) -> Any:
    """Columns that contain only 0 and 1, in all rows."""

    def others(block: RowBlock) -> Array:
        X = block.X.dense()
        return ((X != 0) & (X != 1)).sum(axis=0).astype(np.float64)

    return np.nonzero(rows.reduce(others) == 0)[0]


def _with_value(
    params: Array, block: RowBlock, eta: Array, j: int, value: float
) -> tuple[Array, Array]:
    """Linear predictors with feature j set to ``value`` in every row, and its change."""
    moved = value - block.X.dense()[:, j]
    return eta + (moved * params[j] if eta.ndim == 1 else np.outer(moved, params[:, j])), moved


def _effects(response: Response, params: Array, block: RowBlock, indicators: Any) -> Array:
    """Effects in each row, shape (b, classes, p)."""
    eta = block.linear_predictor(params)
    response.refuse_outside(eta)
    p = block.X.X.shape[1]
    effects = response.slopes(eta) @ np.atleast_2d(params)[:, :p]
    for j in indicators:
        one, zero = (_with_value(params, block, eta, j, value)[0] for value in (1.0, 0.0))
        effects[:, :, j] = response.values(one) - response.values(zero)
    return effects


@dataclass
class _Sums:
    """Sums over rows that give effects and their Jacobian; ``+=`` adds others in place.

    Parameters
    ----------
    slopes : ndarray of shape (K, K)
        ``Σ w ∂pₖ/∂η_l``.
    curvatures : ndarray of shape (K, K·K, P)
        ``Σ w ∂²pₖ/∂η_l∂η_m x̃``.
    differences : ndarray of shape (number of indicators, K)
        ``Σ w (pₖ(1) - pₖ(0))``.
    difference_jacobians : ndarray of shape (number of indicators, K·K, P)
        Jacobian of the differences: ``Σ w (∂pₖ/∂η_m(1) x̃(1) - ∂pₖ/∂η_m(0) x̃(0))``.
    """

    slopes: Array
    curvatures: Array
    differences: Array
    difference_jacobians: Array

    @classmethod
    def of(cls, response: Response, params: Array, block: RowBlock, indicators: Any) -> Self:
        eta = block.linear_predictor(params)
        response.refuse_outside(eta)
        n = len(eta)
        K = 1 if eta.ndim == 1 else eta.shape[1]
        P = params.shape[-1]
        sums = cls(
            block.weighted(response.slopes(eta)).sum(axis=0),
            np.stack(
                [
                    block.X.adjoint(block.weighted(of).reshape(n, -1))
                    for of in response.curvatures(eta)
                ]
            ),
            np.zeros((len(indicators), K)),
            np.zeros((len(indicators), K * K, P)),
        )
        for at, j in enumerate(indicators):
            for value, sign in ((1.0, 1.0), (0.0, -1.0)):
                there, moved = _with_value(params, block, eta, j, value)
                response.refuse_outside(there)
                sums.differences[at] += sign * block.weighted(response.values(there)).sum(axis=0)
                slopes = block.weighted(response.slopes(there)).reshape(n, -1)
                jacobian = block.X.adjoint(slopes)
                jacobian[:, j] += moved @ slopes
                sums.difference_jacobians[at] += sign * jacobian
        return sums

    def __iadd__(self, other: _Sums) -> Self:
        self.slopes += other.slopes
        self.curvatures += other.curvatures
        self.differences += other.differences
        self.difference_jacobians += other.difference_jacobians
        return self

    def averaged(self, params: Array, rows: Rows, indicators: Any) -> tuple[Array, Array]:
        """Effects (K, p) and their Jacobian (K, p, K, P)."""
        K, P, p = len(self.slopes), params.shape[-1], rows.n_features
        coef = np.atleast_2d(params)[:, :p]
        effects = self.slopes @ coef
        jacobian = np.einsum("klmP,lj->kjmP", self.curvatures.reshape(K, K, K, P), coef)
        for j in range(p):
            jacobian[:, j, :, j] += self.slopes
        for at, j in enumerate(indicators):
            effects[:, j] = self.differences[at]
            jacobian[:, j] = self.difference_jacobians[at].reshape(K, K, P)
        return effects / rows.total_weight, jacobian / rows.total_weight
