"""Marginal effects: how probabilities change with a feature, with standard errors.

With ``p(η)`` the probabilities and ``η = x̃ᵀθ``, the effect of feature j on class k is a derivative,
``Σ_l ∂pₖ/∂η_l β_lj``, or ``pₖ(x with xⱼ = 1) - pₖ(x with xⱼ = 0)`` where the feature is 0 or 1.
Averages over rows, or values at their means, have standard errors by the delta method, with exact
Jacobians: Greene (2018), *Econometric Analysis*, 8th ed., §17.2.4–17.2.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from scipy.special import expit, softmax

from mcmodels.arrays import Array
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.logistic_model import LogisticModelInference
from mcmodels.rows import ArrayRows, ColumnMoments, RowBlock, Rows

__all__ = ["At", "marginal_effects"]

At = Literal["average", "means", "rows"]


def marginal_effects(
    model: LogisticModelInference, rows: Rows, *, at: At, discrete: bool
) -> Estimate | Array:
    """Effects of each feature on each class (on the second, of two).

    Parameters
    ----------
    model : LogisticModelInference
        The fit.
    rows : Rows
        Where effects are computed.
    at : {"average", "means", "rows"}
        The mean of the effects, the effects at the mean of the features, or those of each row.
    discrete : bool
        Whether the effects of features that are 0 or 1 in every row are differences.

    Returns
    -------
    Estimate or ndarray
        Class by class, feature by feature; for "rows" an array of shape (n_rows, classes·p).
    """
    indicators = _indicators(rows) if discrete else np.zeros(0, dtype=np.intp)
    if at == "rows":
        effects = rows.map(lambda block: _effects(model.params, block, indicators))
        return effects.reshape(len(effects), -1)
    if at == "means":
        mean = ColumnMoments.of(rows, targets=False).mean
        offset = _mean_offset(rows)
        extras = None if offset is None else {"offset": offset[np.newaxis]}
        rows = ArrayRows(mean[np.newaxis], extras=extras, intercept=rows.intercept)
    total = rows.reduce(lambda block: _Sums.of(model.params, block, indicators))
    effects, jacobian = total.averaged(model.params, rows, indicators)
    if model.intercept:  # derivatives by the linear predictors at the centre, not the intercepts
        jacobian[..., :-1] -= jacobian[..., -1:] * model.centre
    T = jacobian.reshape(effects.size, -1) @ model.centred_root
    names = tuple(map(str, range(effects.size)))
    return Estimate.of_root(effects.ravel(), T, names, kind=model.kind)


def _mean_offset(rows: Rows) -> Any:
    """The weighted mean of the offset, shape () or (K,); None where rows have none."""

    def summarise(block: RowBlock) -> _MeanOffset:
        offset = block.extras.get("offset")
        return _MeanOffset(None if offset is None else block.weighted(offset).sum(axis=0))

    total = rows.reduce(summarise).total
    return None if total is None else np.asarray(total / rows.total_weight)


@dataclass
class _MeanOffset:
    """Sums of offsets, or None; ``+=`` adds others."""

    total: Any

    def __iadd__(self, other: _MeanOffset) -> Self:
        self.total = None if self.total is None else self.total + other.total
        return self


def _indicators(rows: Rows) -> Any:
    """Columns that contain only 0 and 1."""

    def others(block: RowBlock) -> Array:
        X = block.X.dense()
        return ((X != 0) & (X != 1)).sum(axis=0).astype(np.float64)

    return np.nonzero(rows.reduce(others) == 0)[0]


def _probabilities(eta: Array) -> Array:
    """Probabilities, shape (b, 1) for two classes, (b, K) for more."""
    return expit(eta)[:, np.newaxis] if eta.ndim == 1 else softmax(eta, axis=1)


def _slopes(eta: Array) -> Array:
    """``∂pₖ/∂η_l``, shape (b, K, K); (b, 1, 1) for two classes."""
    if eta.ndim == 1:
        return (expit(eta) * expit(-eta))[:, np.newaxis, np.newaxis]
    p = softmax(eta, axis=1)
    return p[:, :, np.newaxis] * _log_slopes(p)


def _log_slopes(p: Array) -> Array:
    """``∂ log pₖ/∂η_l = 1ₖ₌ₗ - p_l``, shape (b, K, K); accurate even for pₖ close to one."""
    same = np.eye(p.shape[1])
    others = p @ (1.0 - same)
    return same * others[:, :, np.newaxis] - (1.0 - same) * p[:, np.newaxis, :]


def _curvatures(eta: Array) -> Iterator[Array]:
    """``∂²pₖ/∂η_l∂η_m`` for each class k, shape (b, K, K); (b, 1, 1) for two classes."""
    if eta.ndim == 1:
        p, q = expit(eta), expit(-eta)
        yield (p * q * (q - p))[:, np.newaxis, np.newaxis]
        return
    p = softmax(eta, axis=1)
    log_slopes = _log_slopes(p)
    slopes = p[:, :, np.newaxis] * log_slopes
    for k in range(p.shape[1]):
        gradient = log_slopes[:, k]
        outer = gradient[:, :, np.newaxis] * gradient[:, np.newaxis, :]
        yield p[:, k, np.newaxis, np.newaxis] * (outer - slopes)


def _with_value(
    params: Array, block: RowBlock, eta: Array, j: int, value: float
) -> tuple[Array, Array]:
    """Linear predictors with feature j set to ``value`` in every row, and its change."""
    moved = value - block.X.dense()[:, j]
    return eta + (moved * params[j] if eta.ndim == 1 else np.outer(moved, params[:, j])), moved


def _effects(params: Array, block: RowBlock, indicators: Any) -> Array:
    """Effects in each row, shape (b, classes, p)."""
    eta = block.linear_predictor(params)
    p = block.X.X.shape[1]
    effects = _slopes(eta) @ np.atleast_2d(params)[:, :p]
    for j in indicators:
        one, zero = (_with_value(params, block, eta, j, value)[0] for value in (1.0, 0.0))
        effects[:, :, j] = _probabilities(one) - _probabilities(zero)
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
    def of(cls, params: Array, block: RowBlock, indicators: Any) -> Self:
        eta = block.linear_predictor(params)
        n = len(eta)
        K = 1 if eta.ndim == 1 else eta.shape[1]
        P = params.shape[-1]
        sums = cls(
            block.weighted(_slopes(eta)).sum(axis=0),
            np.stack(
                [block.X.adjoint(block.weighted(of).reshape(n, -1)) for of in _curvatures(eta)]
            ),
            np.zeros((len(indicators), K)),
            np.zeros((len(indicators), K * K, P)),
        )
        for at, j in enumerate(indicators):
            for value, sign in ((1.0, 1.0), (0.0, -1.0)):
                there, moved = _with_value(params, block, eta, j, value)
                sums.differences[at] += sign * block.weighted(_probabilities(there)).sum(axis=0)
                slopes = block.weighted(_slopes(there)).reshape(n, -1)
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
