"""The bootstrap fully iterated: for each draw, the minimum of F with its weights.

The Hessian of a draw at the fit is ``∇²F(0; v) = I + Σᵢ (m_c/κ_c - 1) ZᵢᵀLᵢZᵢ``, L with the
weights of the fit; the entries of all ``ZᵢᵀLᵢZᵢ`` of a block and the weights of all draws make it
one product of matrices. Squared errors have their minimum at the Newton step from zero, where the
gradient is ``Σᵢ (m_c/κ_c - 1) sᵢzᵢ``. Of other losses the steps of :mod:`.weighted_minima`, which
begin with these Hessians, converge in a few passes; what does not converge so takes Newton steps
of its own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.inference.robust import Totals
from mcmodels.objectives.losses import SquaredError
from mcmodels.reweighting.damped_newton import damped_minima
from mcmodels.reweighting.multipliers import Multipliers
from mcmodels.reweighting.units import Units
from mcmodels.reweighting.weighted_minima import MOST_ENTRIES, Refits, minima
from mcmodels.reweighting.whitened_fit import WhitenedFit, weights_of
from mcmodels.rows import RowBlock

__all__ = ["refitted_draws"]

# Entries of the matrices of the rows of a block that are in memory at once (8 MB).
_ROW_ENTRIES = 2**20
# Predictors of all draws that a pass computes at once: so many stay near the processor. Of fewer
# draws than the second number the products of rows would take longer than theirs.
_PASS_ENTRIES, _FEWEST_DRAWS = 2**20, 32


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
    tallest = max(fit.rows.reduce(lambda block: [block.X.n_rows]))
    together = min(MOST_ENTRIES // max(R**2, len(units.counts)), _PASS_ENTRIES // (tallest * K))
    together = max(together, min(_FEWEST_DRAWS, MOST_ENTRIES // max(R**2, tallest * K)), 1)
    step = multipliers.step * max(together // multipliers.step, 1)
    found = []
    for first in range(0, multipliers.draws, step):
        ratios = units.ratios(multipliers.of(first, first + step))
        for start in range(0, len(ratios), together):
            found.append(_refitted(fit, units, ratios[start : start + together]))
    return Refits(
        np.concatenate([each.U for each in found]),
        np.concatenate([each.converged for each in found]),
    )


def _refitted(fit: WhitenedFit, units: Units, ratios: Array) -> Refits:
    def weights(block: RowBlock, at: npt.NDArray[np.intp]) -> Array:
        of_rows = units.of_rows_in(block, ratios if len(at) == len(ratios) else ratios[at])
        return of_rows * weights_of(block) if "frequency" in block.extras else of_rows

    gradients, hessians = _derivatives(fit, units, ratios)
    if isinstance(fit.loss, SquaredError):
        steps = np.linalg.solve(hessians, gradients[..., np.newaxis])[..., 0]
        return Refits(np.asarray(-steps), np.ones(len(steps), dtype=bool))
    found = minima(fit, hessians, weights, gradients)
    U, converged = found.U, found.converged
    rest = np.nonzero(~converged)[0]
    if rest.size:
        ends = damped_minima(fit, rest.size, lambda block, at: weights(block, rest[at]))
        U[rest], converged[rest] = ends.U, ends.converged
    return Refits(U, converged)


def _derivatives(fit: WhitenedFit, units: Units, ratios: Array) -> tuple[Array, Array]:
    """``∇F(0; v)`` and ``∇²F(0; v)`` of each draw, shapes (m, R) and (m, R, R)."""
    m, R = len(ratios), fit.basis.size
    upper = np.triu_indices(R)
    height = max(_ROW_ENTRIES // R**2, 1)

    def summarise(block: RowBlock) -> Totals:
        terms = fit.terms(block)
        change = units.of_rows_in(block, ratios) - 1.0
        gradients, curved = np.zeros((m, R)), np.zeros((m, len(upper[0])))
        for start in range(0, len(terms.eta), height):
            part = slice(start, start + height)
            Z, L = terms.Z[part], terms.curvature[part]
            gradients += change[:, part] @ np.einsum("ikr,ik->ir", Z, terms.slope[part])
            curved += change[:, part] @ _entries(Z, L, upper)
        return Totals([gradients, curved])

    gradients, curved = fit.rows.reduce(summarise)
    hessians = np.zeros((m, R, R))
    hessians[:, upper[0], upper[1]] = curved
    hessians[:, upper[1], upper[0]] = curved
    return gradients, hessians + np.eye(R)


def _entries(Z: Array, L: Array, upper: tuple[npt.NDArray[np.intp], ...]) -> Array:
    """The upper triangle of ``ZᵢᵀLᵢZᵢ`` of each row, shape (b, R(R + 1)/2)."""
    if Z.shape[1] == 1:
        z = Z[:, 0]
        return np.asarray(z[:, upper[0]] * (L[:, 0] * z)[:, upper[1]])
    whole = np.einsum("ikr,ikj,ijs->irs", Z, L, Z, optimize=True)
    return np.asarray(whole[:, upper[0], upper[1]])
