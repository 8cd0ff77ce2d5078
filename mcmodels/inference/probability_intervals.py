"""Intervals of predicted probabilities: computed for the log-odds, and mapped back.

With ``η = x̃ᵀθ`` and its standard error s, the interval of p is ``σ(η ± q s)``: it never leaves
[0, 1] (Agresti 2013, *Categorical Data Analysis*, 3rd ed., §5.1.4). With more than two classes the
log-odds of each against all others, ``log pₖ/(1 - pₖ)``, take the place of η.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit, logsumexp, softmax

from mcmodels.arrays import Array
from mcmodels.inference.logistic_model import LogisticModelInference
from mcmodels.inference.tolerances import EIGENVALUE_ROUNDING
from mcmodels.rows import RowBlock, Rows

__all__ = ["intervals_of_more", "intervals_of_two", "probability_intervals"]


def probability_intervals(model: LogisticModelInference, rows: Rows, quantile: float) -> Array:
    """Probability, standard error, lower and upper end of each class, shape (n_rows, K, 4).

    With two classes, of the second class only: shape (n_rows, 1, 4).
    """
    of = _of_two if model.params.ndim == 1 else _of_more
    found = rows.map(of(model, quantile))
    model.warn_of_rows(found[:, 0, 1])
    return found


def intervals_of_two(eta: Array, s: Array, quantile: float) -> Array:
    """The same for two classes, from η and its standard error; shape (b, 1, 4)."""
    spread = expit(eta) * expit(-eta) * s
    ends = expit(eta - quantile * s), expit(eta + quantile * s)
    return np.stack([expit(eta), spread, *ends], axis=1)[:, np.newaxis]


def intervals_of_more(eta: Array, covariance: Array, quantile: float) -> Array:
    """The same for K classes, from η and its covariance (b, K, K); shape (b, K, 4)."""
    K = eta.shape[1]
    # log pₖ/(1 - pₖ) = ηₖ - log Σ_{j≠k} exp ηⱼ, and its derivatives by η.
    others = eta[:, np.newaxis, :] + np.where(np.eye(K) > 0, -np.inf, 0.0)
    odds = eta - logsumexp(others, axis=2)
    J = np.eye(K) - softmax(others, axis=2)
    variances = np.einsum("ikj,ijl,ikl->ik", J, covariance, J)
    # A covariance that is no square may give none: then there is no error to show.
    sizes = np.einsum("ikj,ijl,ikl->ik", np.abs(J), np.abs(covariance), np.abs(J))
    none = variances < -EIGENVALUE_ROUNDING * K * sizes
    s = np.sqrt(np.where(none, np.nan, np.clip(variances, 0.0, None)))
    spread = expit(odds) * expit(-odds) * s
    ends = expit(odds - quantile * s), expit(odds + quantile * s)
    return np.stack([expit(odds), spread, *ends], axis=2)


def _of_two(model: LogisticModelInference, quantile: float) -> Callable[[RowBlock], Array]:
    params = model.params

    def intervals(block: RowBlock) -> Array:
        s = model.predictor_error(block)
        return intervals_of_two(block.linear_predictor(params), s, quantile)

    return intervals


def _of_more(model: LogisticModelInference, quantile: float) -> Callable[[RowBlock], Array]:
    params = model.params
    K, P = params.shape
    centre = model.centre
    V = model.centred_covariance.reshape(K, P, K, P)

    def intervals(block: RowBlock) -> Array:
        eta = block.linear_predictor(params)
        X = block.X.dense() - centre
        if P > X.shape[1]:
            X = np.column_stack([X, np.ones(len(X))])
        # Covariance of the linear predictors of each row.
        covariance = np.empty((len(X), K, K))
        for k in range(K):
            for j in range(k + 1):
                covariance[:, k, j] = covariance[:, j, k] = np.einsum("ip,ip->i", X @ V[k, :, j], X)
        found = intervals_of_more(eta, covariance, quantile)
        if model.estimable is not None:
            found[~model.estimable.contains(block), :, 1:] = np.nan
        return found

    return intervals
