"""Minima of F(u; v) by Newton's method, for sets of weights v that change the fit much.

All sets take their steps together, each with the Hessian at its own point, so that a pass over the
rows is a few products of matrices. A step is halved until F decreases enough; near the minimum,
where rounding hides the decrease, whole steps are taken. Source: Nocedal and Wright (2006),
*Numerical Optimization*, 2nd ed., algorithm 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.inference.robust import Totals
from mcmodels.reweighting.weighted_minima import Refits, WeightsOf
from mcmodels.reweighting.whitened_fit import WhitenedFit
from mcmodels.rows import RowBlock

__all__ = ["damped_minima", "entries_of"]

_MOST_PASSES, _SHORTEST = 200, 2.0**-40
# Steps are shares of a standard error: up to the first the minimum is found, up to the second whole
# steps converge quadratically, and differences of F are rounding errors.
_NEGLIGIBLE, _SHORT = 1e-10, 1e-5
_SUFFICIENT_DECREASE = 1e-4
# Entries of the products of rows that are in memory at once (8 MB).
_ROW_ENTRIES = 2**20


@dataclass
class _Points:
    """F less F(0), its gradient and its Hessian with each of some sets of weights.

    Parameters
    ----------
    value : ndarray of shape (m,)
    gradient : ndarray of shape (m, R)
    hessian : ndarray of shape (m, R, R)
    """

    value: Array
    gradient: Array
    hessian: Array

    def take(self, which: npt.NDArray[np.bool_], other: _Points) -> None:
        """Replace some of the points by others."""
        self.value[which] = other.value[which]
        self.gradient[which] = other.gradient[which]
        self.hessian[which] = other.hessian[which]

    @property
    def steps(self) -> Array:
        """Newton's steps, shape (m, R); NaN where the Hessian is not positive definite."""
        found = np.full(self.gradient.shape, np.nan)
        known = np.nonzero(np.isfinite(self.hessian).all(axis=(1, 2)))[0]
        least = np.linalg.eigvalsh(self.hessian[known])[:, 0]
        known = known[least > np.finfo(np.float64).eps * self.gradient.shape[1]]
        solved = np.linalg.solve(self.hessian[known], self.gradient[known][..., np.newaxis])
        found[known] = -solved[..., 0]
        return found


def damped_minima(fit: WhitenedFit, m: int, weights_of: WeightsOf) -> Refits:
    """Where F is least with each of m sets of weights.

    Parameters
    ----------
    fit : WhitenedFit
        Of all rows.
    m : int
        Number of sets.
    weights_of : callable
        As in :func:`mcmodels.reweighting.weighted_minima.minima`.
    """
    # Of several classes H has curvature in directions that change nothing, which it keeps.
    kept = np.eye(fit.basis.size) - fit.rows.reduce(lambda block: _curvature_of_fit(fit, block))
    U, converged = np.zeros((m, fit.basis.size)), np.zeros(m, dtype=bool)
    sets = np.arange(m)
    at = _points(fit, sets, U, weights_of, kept)
    steps, share = at.steps, np.ones(m)
    for _ in range(_MOST_PASSES):
        lengths = np.linalg.norm(steps, axis=1)
        done = lengths <= _NEGLIGIBLE
        U[sets[done]] += steps[done]
        converged[sets[done]] = True
        left = np.isfinite(lengths) & ~done & (share > _SHORTEST)
        if not left.any():
            break
        at = _Points(at.value[left], at.gradient[left], at.hessian[left])
        sets, steps, share, lengths = sets[left], steps[left], share[left], lengths[left]
        trial = U[sets] + share[:, np.newaxis] * steps
        new = _points(fit, sets, trial, weights_of, kept)
        slope = np.einsum("mr,mr->m", at.gradient, steps)
        enough = new.value <= at.value + _SUFFICIENT_DECREASE * share * slope
        taken = enough | (lengths <= _SHORT)
        U[sets[taken]] = trial[taken]
        at.take(taken, new)
        steps = np.where(taken[:, np.newaxis], at.steps, steps)
        share = np.where(taken, 1.0, share / 2.0)
    return Refits(U, converged)


def _points(
    fit: WhitenedFit, sets: npt.NDArray[np.intp], U: Array, weights_of: WeightsOf, kept: Array
) -> _Points:
    """F and its derivatives for some sets of weights, each at its row of U."""
    R, m = fit.basis.size, len(sets)
    upper = np.triu_indices(R)

    def summarise(block: RowBlock) -> Totals:
        Z = fit.basis.rows_of(block)
        b, K = Z.shape[:2]
        start = np.reshape(block.linear_predictor(fit.params), (b, K))
        moved = start + np.einsum("bkr,mr->mbk", Z, U, optimize=True)
        y = np.tile(block.y, (m,) + (1,) * (np.ndim(block.y) - 1))
        now = fit.loss.at(y, fit.shape_of_eta(moved.reshape(m * b, K)))
        before = fit.loss.value(block.y, fit.shape_of_eta(start))
        v = weights_of(block, sets)
        value = np.einsum("mb,mb->m", v, now.value.reshape(m, b) - before)
        slope = now.gradient.reshape(m, b, K) * v[..., np.newaxis]
        gradient = np.tensordot(slope, Z, axes=([1, 2], [0, 1]))
        curved = np.zeros((m, len(upper[0])))
        height = max(_ROW_ENTRIES // R**2, 1)
        for pairs, sign, magnitude in now.curvature():
            weighted = v * (sign * magnitude).reshape(m, b)
            for first in range(0, b, height):
                part = slice(first, first + height)
                curved += weighted[:, part] @ entries_of(Z[part], pairs, upper)
        return Totals([value, gradient, curved])

    with np.errstate(over="ignore", invalid="ignore"):
        value, gradient, curved = fit.rows.reduce(summarise)
        penalty = U @ fit.quadratic
        value += U @ fit.linear + np.einsum("mr,mr->m", U, penalty) / 2.0
        hessian = np.zeros((m, R, R))
        hessian[:, upper[0], upper[1]] = curved
        hessian[:, upper[1], upper[0]] = curved
    return _Points(value, gradient + fit.linear + penalty, hessian + kept)


def entries_of(
    Z: Array, pairs: list[tuple[int, int]], upper: tuple[npt.NDArray[np.intp], ...]
) -> Array:
    """The upper triangle of ``Σ (zₖzⱼᵀ + zⱼzₖᵀ)`` of each row over pairs (k, j), once if k is j.

    Shape (b, R(R + 1)/2).
    """
    found = np.zeros((len(Z), len(upper[0])))
    for k, j in pairs:
        found += Z[:, k, upper[0]] * Z[:, j, upper[1]]
        if k != j:
            found += Z[:, j, upper[0]] * Z[:, k, upper[1]]
    return found


def _curvature_of_fit(fit: WhitenedFit, block: RowBlock) -> Array:
    terms = fit.terms(block)
    return np.asarray(
        np.einsum("ikr,ikj,ijs->rs", terms.Z, terms.curvature, terms.Z, optimize=True)
    )
