"""The bootstrap fully iterated: for each draw, the minimum of F with its weights.

The Hessian of a draw at the fit is ``∇²F(0; v) = I + Σᵢ (m_c/κ_c - 1) ZᵢᵀLᵢZᵢ``, L with the
weights of the fit; the entries of all ``ZᵢᵀLᵢZᵢ`` of a block and the weights of all draws make it
one product of matrices. With these Hessians kept, the steps of :mod:`.weighted_minima` converge in
a few passes; for squared errors the first is exact. What does not converge so takes Newton steps of
its own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.reweighting.damped_newton import damped_minima
from mcmodels.reweighting.multipliers import Multipliers
from mcmodels.reweighting.units import Units
from mcmodels.reweighting.weighted_minima import MOST_ENTRIES, Refits, minima
from mcmodels.reweighting.whitened_fit import WhitenedFit, weights_of
from mcmodels.rows import RowBlock

__all__ = ["refitted_draws"]

# Entries of the matrices of the rows of a block that are in memory at once (8 MB).
_ROW_ENTRIES = 2**20


def refitted_draws(fit: WhitenedFit, units: Units, multipliers: Multipliers) -> Refits:
    """Where F is least with the weights of each draw.

    Parameters
    ----------
    fit : WhitenedFit
        The fit.
    units : Units
        What is drawn as a whole.
    multipliers : Multipliers
        The random numbers of the units.
    """
    R, K = fit.basis.size, fit.basis.n_outputs
    tallest = fit.rows.reduce(lambda block: [block.X.n_rows])
    per_draw = max(R**2, max(tallest) * K, len(units.counts))
    step = multipliers.step * max(MOST_ENTRIES // per_draw // multipliers.step, 1)
    together = max(MOST_ENTRIES // per_draw, 1)
    found = []
    for first in range(0, multipliers.draws, step):
        numbers = multipliers.of(first, first + step)
        for start in range(0, len(numbers), together):
            found.append(_refitted(fit, units, numbers[start : start + together]))
    return Refits(
        np.concatenate([each.U for each in found]),
        np.concatenate([each.converged for each in found]),
    )


def _refitted(fit: WhitenedFit, units: Units, numbers: Array) -> Refits:
    def weights(block: RowBlock, at: npt.NDArray[np.intp]) -> Array:
        return units.weights_of(block, numbers[at]) * weights_of(block)

    found = minima(fit, _hessians(fit, units, numbers), weights)
    U, converged = found.U, found.converged
    rest = np.nonzero(~converged)[0]
    if rest.size:
        ends = damped_minima(fit, rest.size, lambda block, at: weights(block, rest[at]))
        U[rest], converged[rest] = ends.U, ends.converged
    return Refits(U, converged)


def _hessians(fit: WhitenedFit, units: Units, numbers: Array) -> Array:
    """``∇²F(0; v)`` of each draw, shape (m, R, R)."""
    R = fit.basis.size
    upper = np.triu_indices(R)
    height = max(_ROW_ENTRIES // R**2, 1)

    def summarise(block: RowBlock) -> Array:
        terms = fit.terms(block)
        change = units.weights_of(block, numbers) - 1.0
        total = np.zeros((len(numbers), len(upper[0])))
        for start in range(0, len(terms.eta), height):
            part = slice(start, start + height)
            total += change[:, part] @ _entries(terms.Z[part], terms.curvature[part], upper)
        return total

    entries = fit.rows.reduce(summarise)
    found = np.zeros((len(numbers), R, R))
    found[:, upper[0], upper[1]] = entries
    found[:, upper[1], upper[0]] = entries
    return found + np.eye(R)


def _entries(Z: Array, L: Array, upper: tuple[npt.NDArray[np.intp], ...]) -> Array:
    """The upper triangle of ``ZᵢᵀLᵢZᵢ`` of each row, shape (b, R(R + 1)/2)."""
    if Z.shape[1] == 1:
        z = Z[:, 0]
        return np.asarray(z[:, upper[0]] * (L[:, 0] * z)[:, upper[1]])
    whole = np.einsum("ikr,ikj,ijs->irs", Z, L, Z, optimize=True)
    return np.asarray(whole[:, upper[0], upper[1]])
