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
from mcmodels.reweighting.weighted_minima import MOST_ENTRIES, Refits, gradients
from mcmodels.reweighting.whitened_fit import WhitenedFit, weights_of
from mcmodels.rows import RowBlock

__all__ = ["Refits", "refit_without"]

# Passes over the rows; what has not converged by then is not likely to.
_MOST_STEPS = 30
# A fit has converged when its step is this share of a standard error of the fit of all rows: then
# no linear predictor changes by more than this times its standard error.
_NEGLIGIBLE = 1e-11


def refit_without(
    fit: WhitenedFit, groups: Codes, codes: str = "group", start: Array | None = None
) -> Refits:
    """The fit without each of some groups of rows.

    Parameters
    ----------
    fit : WhitenedFit
        Of all rows. Its rows have the group of each as ``extras[codes]``.
    groups : ndarray of shape (m,), int
        The groups that are left out, one at a time.
    codes : str
        Name of the extra.
    start : ndarray of shape (m, R), default=None
        Where the fits start; by default at the fit of all rows.
    """
    R = fit.basis.size
    counts = fit.rows.reduce(lambda block: _count(block.extras[codes], groups))
    low_rank = is_low_rank(R, float(counts.max(initial=0.0)) * fit.basis.n_outputs)
    room = MOST_ENTRIES // (R if low_rank else R**2) if R else 1
    together = max(1, min(len(groups), room, 2048))
    parts = [
        _refit_together(fit, groups[part], codes, None if start is None else start[part], low_rank)
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


def _refit_together(
    fit: WhitenedFit, groups: Codes, codes: str, start: Array | None, low_rank: bool
) -> Refits:
    m, R = len(groups), fit.basis.size
    hessians = hessians_without(fit, groups, codes, low_rank=low_rank)
    U = np.zeros((R, m)) if start is None else np.nan_to_num(start.T, posinf=0.0, neginf=0.0)
    converged = np.zeros(m, dtype=bool)

    def kept(block: RowBlock, sets: Codes) -> Array:
        is_out = block.extras[codes] == groups[sets][:, np.newaxis]
        return np.where(is_out, 0.0, weights_of(block))

    running = hessians.positive.copy()
    last = np.full(m, np.inf)
    for _ in range(_MOST_STEPS):
        at = np.nonzero(running)[0]
        if at.size == 0:
            break
        gradient = gradients(fit, at, U[:, at], kept)
        with np.errstate(all="ignore"):
            step = -hessians.solve(at, gradient)
            length = np.linalg.norm(step, axis=0)
        worse = ~(length < last[at])  # it does not converge, or by rounding alone
        U[:, at] += np.where(worse, 0.0, step)
        done = (length <= _NEGLIGIBLE) | (worse & (last[at] <= 1e3 * _NEGLIGIBLE))
        converged[at[done]] = True
        running[at[done | worse]] = False
        last[at] = length
    return Refits(U.T, converged)
