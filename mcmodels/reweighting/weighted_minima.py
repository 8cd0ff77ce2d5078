"""Minima of F(u; v) for many sets of weights v at a time, by Newton steps with kept Hessians.

Each pass over the rows takes the gradients at all points at once, and each fit keeps the Hessian
that it was given, which is that of its weights at ``u = 0``. So a step costs a product; the steps
converge linearly, faster the nearer the minimum is to zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.reweighting.whitened_fit import WhitenedFit
from mcmodels.rows import RowBlock

__all__ = ["MOST_ENTRIES", "Refits", "WeightsOf", "gradients", "minima"]

# The weights of the rows of a block in some of the fits, shape (m, b).
WeightsOf = Callable[[RowBlock, npt.NDArray[np.intp]], Array]

# Passes over the rows; what has not converged by then is not likely to.
_MOST_STEPS = 30
# A fit has converged when its step is this share of a standard error of the fit of all rows: then
# no linear predictor changes by more than this times its standard error.
_NEGLIGIBLE = 1e-11
# Entries of the inverse Hessians, and of the predictors of a block, that are held at once.
MOST_ENTRIES = 4_000_000


@dataclass(frozen=True)
class Refits:
    """Fits with other weights.

    Parameters
    ----------
    U : ndarray of shape (m, R)
        Where they are.
    converged : ndarray of shape (m,), bool
        Which are minima.
    """

    U: Array
    converged: npt.NDArray[np.bool_]


def minima(fit: WhitenedFit, hessians: Array, weights_of: WeightsOf) -> Refits:
    """Where F is least with each of m sets of weights.

    Parameters
    ----------
    fit : WhitenedFit
        Of all rows.
    hessians : ndarray of shape (m, R, R)
        ``∇²F(0; v)`` for each set. Fits for which it is not positive definite do not converge.
    weights_of : callable
        Takes a block and the positions of some of the sets, and returns their weights of the rows.
    """
    m, R = len(hessians), fit.basis.size
    U = np.zeros((R, m))
    converged = np.zeros(m, dtype=bool)
    # Eigenvalues that are not positive: with these weights there is a direction without curvature.
    least = np.linalg.eigvalsh(hessians)[:, 0]
    running = least > np.finfo(np.float64).eps * R
    inverses = np.zeros_like(hessians)
    inverses[running] = np.linalg.inv(hessians[running])
    last = np.full(m, np.inf)
    for _ in range(_MOST_STEPS):
        at = np.nonzero(running)[0]
        if at.size == 0:
            break
        with np.errstate(over="ignore", invalid="ignore"):  # a step may leave a loss's domain
            gradient = gradients(fit, at, U[:, at], weights_of)
        step = -np.einsum("mrs,sm->rm", inverses[at], gradient)
        length = np.linalg.norm(step, axis=0)
        worse = ~(length < last[at])  # it does not converge, or by rounding alone
        U[:, at] += np.where(worse, 0.0, step)
        done = (length <= _NEGLIGIBLE) | (worse & (last[at] <= 1e3 * _NEGLIGIBLE))
        converged[at[done]] = True
        running[at[done | worse]] = False
        last[at] = length
    return Refits(U.T, converged)


def gradients(
    fit: WhitenedFit, sets: npt.NDArray[np.intp], U: Array, weights_of: WeightsOf
) -> Array:
    """``∇F`` for some sets of weights, each at its column of U; shape (R, m)."""

    def summarise(block: RowBlock) -> Array:
        eta = np.atleast_2d(block.linear_predictor(fit.params).T).T
        changed = eta[:, :, np.newaxis] + fit.basis.changes(block, U)
        b, K, m = changed.shape
        by_fit = changed.transpose(2, 0, 1).reshape(m * b, K)
        y = np.tile(block.y, (m,) + (1,) * (np.ndim(block.y) - 1))
        slope: Any = fit.loss.gradient(y, fit.shape_of_eta(by_fit)).reshape(m, b, K)
        weighted = slope * weights_of(block, sets)[..., np.newaxis]
        return fit.basis.adjoint(block, weighted.transpose(1, 2, 0))

    sums = fit.rows.reduce(summarise)
    return sums + fit.linear[:, np.newaxis] + fit.quadratic @ U
