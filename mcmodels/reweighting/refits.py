"""Fits without some rows, many at a time, by Newton steps from the fit of all rows.

Each pass over the rows takes the gradients of all fits at once. The Hessian of a fit is that of all
rows less that of the rows it leaves out, both at the start, so that a step costs a product; it
converges linearly, faster the less the rows change. A fit that does not is left to a full Newton
method.
"""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array, Codes
from mcmodels.reweighting.hessians_without import hessians_without, is_low_rank
from mcmodels.reweighting.weighted_minima import (
    MOST_ENTRIES,
    MOST_STEPS,
    NEGLIGIBLE,
    Refits,
    gradients,
)
from mcmodels.reweighting.whitened_fit import GROUP, WhitenedFit, weights_of
from mcmodels.rows import RowBlock

__all__ = ["refit_without"]

# Fits that are made together at most.
_MOST_TOGETHER = 2048


def refit_without(fit: WhitenedFit, groups: Codes, start: Array | None = None) -> Refits:
    """The fit without each of some groups of rows.

    Parameters
    ----------
    fit : WhitenedFit
        Of all rows, which have the group of each as ``extras[GROUP]``.
    groups : ndarray of shape (m,), int
        The groups that are left out, one at a time.
    start : ndarray of shape (m, R), default=None
        Where the fits start; by default at the fit of all rows.

    Returns
    -------
    Refits
        What has not converged is not the fit without the group.
    """
    R = fit.basis.size
    counts = fit.rows.reduce(lambda block: _count(block.extras[GROUP], groups))
    low_rank = is_low_rank(R, float(counts.max(initial=0.0)) * fit.basis.n_outputs)
    room = MOST_ENTRIES // (R if low_rank else R**2) if R else 1
    together = max(1, min(len(groups), room, _MOST_TOGETHER))
    parts = [
        _refit_together(fit, groups[part], None if start is None else start[part], low_rank)
        for part in (slice(k, k + together) for k in range(0, len(groups), together))
    ]
    return Refits(
        np.concatenate([part.U for part in parts]),
        np.concatenate([part.converged for part in parts]),
    )


def _count(code: Codes, groups: Codes) -> Array:
    """How many rows of a block each group has."""
    largest = int(max(groups.max(initial=0), code.max(initial=0)))
    return np.bincount(code, minlength=largest + 1)[groups].astype(np.float64)


def _refit_together(fit: WhitenedFit, groups: Codes, start: Array | None, low_rank: bool) -> Refits:
    m, R = len(groups), fit.basis.size
    hessians = hessians_without(fit, groups, low_rank=low_rank)
    U = np.zeros((R, m)) if start is None else np.nan_to_num(start.T, posinf=0.0, neginf=0.0)
    converged = np.zeros(m, dtype=bool)

    def kept(block: RowBlock, sets: Codes) -> Array:
        is_out = block.extras[GROUP] == groups[sets][:, np.newaxis]
        return np.where(is_out, 0.0, weights_of(block))

    running = hessians.positive.copy()
    last = np.full(m, np.inf)
    for _ in range(MOST_STEPS):
        at = np.nonzero(running)[0]
        if at.size == 0:
            break
        gradient = gradients(fit, at, U[:, at], kept)
        with np.errstate(all="ignore"):
            step = -hessians.solve(at, gradient)
            length = np.linalg.norm(step, axis=0)
        worse = ~(length < last[at])  # it does not converge, or by rounding alone
        U[:, at] += np.where(worse, 0.0, step)
        done = (length <= NEGLIGIBLE) | (worse & (last[at] <= 1e3 * NEGLIGIBLE))
        converged[at[done]] = True
        running[at[done | worse]] = False
        last[at] = length
    return Refits(U.T, converged)
