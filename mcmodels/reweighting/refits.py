"""Fits without some rows, many at a time, by Newton steps from the fit of all rows.

Steps begin with the Hessian of all rows less that of the rows that a fit leaves out, both at the
start (:mod:`.weighted_minima`). A fit that does not converge so is left to a full Newton method.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.reweighting.weighted_minima import MOST_ENTRIES, Refits, minima
from mcmodels.reweighting.whitened_fit import WhitenedFit, weights_of
from mcmodels.rows import RowBlock

__all__ = ["Refits", "refit_without"]


def refit_without(fit: WhitenedFit, groups: Array, codes: str = "group") -> Refits:
    """The fit without each of some groups of rows.

    Parameters
    ----------
    fit : WhitenedFit
        Of all rows. Its rows have the group of each as ``extras[codes]``.
    groups : ndarray of shape (m,), int
        The groups that are left out, one at a time.
    codes : str
        Name of the extra.
    """
    R = fit.basis.size
    together = max(1, min(len(groups), MOST_ENTRIES // R**2, 2048))
    parts = [
        _refit_together(fit, groups[start : start + together], codes)
        for start in range(0, len(groups), together)
    ]
    return Refits(
        np.concatenate([part.U for part in parts]),
        np.concatenate([part.converged for part in parts]),
    )


def _refit_together(fit: WhitenedFit, groups: Array, codes: str) -> Refits:
    R = fit.basis.size
    removed = fit.rows.reduce(lambda block: _removed(fit, block, groups, codes))

    def kept(block: RowBlock, at: npt.NDArray[np.intp]) -> Array:
        is_out = block.extras[codes] == groups[at][:, np.newaxis]
        return np.where(is_out, 0.0, weights_of(block))

    return minima(fit, np.eye(R) - removed[:, :, :R], kept)


def _removed(fit: WhitenedFit, block: RowBlock, groups: Array, codes: str) -> Array:
    """``Σ ZᵢᵀLᵢZᵢ`` of the rows of each group, shape (m, R, R)."""
    found = np.zeros((len(groups), fit.basis.size, fit.basis.size))
    code = block.extras[codes]
    member = np.nonzero(np.isin(code, groups))[0]
    if member.size == 0:
        return found
    terms = fit.terms(block)
    order = np.argsort(groups)
    place = order[np.searchsorted(groups, code[member], sorter=order)]
    Z, L = terms.Z[member], terms.curvature[member]
    np.add.at(found, place, np.einsum("ikr,ikj,ijs->irs", Z, L, Z, optimize=True))
    return found
