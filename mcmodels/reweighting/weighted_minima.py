"""Minima of F(u; v) for many sets of weights v at a time, without a Hessian at each point.

Each pass over the rows takes the gradients at all points at once. Steps begin with the inverse of
the Hessian at ``u = 0``, which the update of Broyden, Fletcher, Goldfarb and Shanno corrects by
what each step has found of the curvature. So a step costs products of small matrices, and steps
converge faster than linearly. They are never shortened: where one is longer than the last, the fit
is given up. Source: Nocedal and Wright (2006), *Numerical Optimization*, 2nd ed., eq. 6.17, §6.4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.reweighting.row_parts import portions
from mcmodels.reweighting.whitened_fit import WhitenedFit
from mcmodels.rows import RowBlock

__all__ = [
    "MOST_ENTRIES",
    "MOST_STEPS",
    "NEGLIGIBLE",
    "Refits",
    "WeightsOf",
    "gradients",
    "minima",
]

# The weights of the rows of a block in some of the fits, shape (m, b).
WeightsOf = Callable[[RowBlock, npt.NDArray[np.intp]], Array]

# Passes over the rows; what has not converged by then is not likely to.
MOST_STEPS = 30
# A fit has converged when its step is this share of a standard error of the fit of all rows: then
# no linear predictor changes by more than this times its standard error.
NEGLIGIBLE = 1e-11
# A step may by chance be a smaller share of the last one than this.
_FASTEST = 1e-2
# Shorter steps tell the rounding errors of gradients, not the curvature.
_TELLING = 1e-8
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


def minima(
    fit: WhitenedFit, hessians: Array, weights_of: WeightsOf, first: Array | None = None
) -> Refits:
    """Where F is least with each of m sets of weights.

    Parameters
    ----------
    fit : WhitenedFit
        Of all rows.
    hessians : ndarray of shape (m, R, R)
        ``∇²F(0; v)`` for each set. Fits for which it is not positive definite do not converge.
    weights_of : callable
        Takes a block and the positions of some of the sets, and returns their weights of the rows.
    first : ndarray of shape (m, R), default=None
        ``∇F(0; v)`` for each set, where it is known: it saves a pass.
    """
    m, R = len(hessians), fit.basis.size
    U, slopes, steps = np.zeros((m, R)), np.zeros((m, R)), np.zeros((m, R))
    converged = np.zeros(m, dtype=bool)
    # Eigenvalues that are not positive: with these weights there is a direction without curvature.
    least = np.linalg.eigvalsh(hessians)[:, 0]
    running = least > np.finfo(np.float64).eps * R
    inverses = np.zeros_like(hessians)
    inverses[running] = np.linalg.inv(hessians[running])
    last = np.full(m, np.inf)
    for count in range(MOST_STEPS):
        at = np.nonzero(running)[0]
        if at.size == 0:
            break
        if count == 0 and first is not None:
            gradient = first[at]
        else:
            gradient = gradients(fit, at, U[at].T, weights_of).T
        if count > 0:
            inverses[at] = _updated(inverses[at], steps[at], gradient - slopes[at])
        step = -np.einsum("mrs,ms->mr", inverses[at], gradient)
        length = np.linalg.norm(step, axis=1)
        worse = ~(length < last[at])  # it does not converge, or by rounding alone
        U[at] += np.where(worse[:, np.newaxis], 0.0, step)
        # The next step is shorter than this one by about as much as this one is than the last.
        rate = np.where(np.isfinite(last[at]), length / last[at], 1.0)
        done = ~worse & (np.maximum(rate, _FASTEST) * length <= NEGLIGIBLE)
        done |= worse & (last[at] <= 1e3 * NEGLIGIBLE)
        converged[at[done]] = True
        running[at[done | worse]] = False
        last[at], slopes[at], steps[at] = length, gradient, step
    return Refits(U, converged)


def _updated(inverses: Array, steps: Array, changes: Array) -> Array:
    """Inverse Hessians that take the changes of gradients to the steps, shape (m, R, R)."""
    along = np.einsum("mr,mr->m", steps, changes)
    lengths = np.linalg.norm(steps, axis=1)
    # Along others there is hardly any curvature.
    known = (lengths > _TELLING) & (along > 0.1 * lengths**2)
    scale = np.where(known, 1.0 / np.where(known, along, 1.0), 0.0)
    changed = np.einsum("mrs,ms->mr", inverses, np.where(known[:, np.newaxis], changes, 0.0))
    square = scale * (1.0 + scale * np.einsum("mr,mr->m", changes, changed))
    crossed = np.einsum("m,mr,ms->mrs", scale, changed, steps)
    found = inverses + np.einsum("m,mr,ms->mrs", square, steps, steps)
    found -= crossed
    found -= crossed.transpose(0, 2, 1)
    return found


def gradients(
    fit: WhitenedFit, sets: npt.NDArray[np.intp], U: Array, weights_of: WeightsOf
) -> Array:
    """``∇F`` for some sets of weights, each at its column of U; shape (R, m)."""

    @np.errstate(all="ignore")  # a step may leave the domain of the loss
    def summarise(block: RowBlock) -> Array:
        eta = np.atleast_2d(block.linear_predictor(fit.params).T).T
        found = np.empty(U.shape)
        for part in portions(len(sets), eta.size):
            changed = eta[:, :, np.newaxis] + fit.basis.changes(block, U[:, part])
            b, K, m = changed.shape
            by_fit = changed.transpose(0, 2, 1).reshape(b * m, K)  # of one output no copy
            y = np.repeat(block.y, m, axis=0)
            slope: Any = fit.loss.gradient(y, fit.shape_of_eta(by_fit), block.X.scratch)
            slope = slope.reshape(b, m, K)
            weighted = slope * weights_of(block, sets[part]).T[..., np.newaxis]
            found[:, part] = fit.basis.adjoint(block, weighted.transpose(0, 2, 1))
        return found

    sums = fit.rows.reduce(summarise)
    return sums + fit.linear[:, np.newaxis] + fit.quadratic @ U
