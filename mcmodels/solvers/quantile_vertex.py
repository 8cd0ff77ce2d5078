"""A vertex of quantile regression that the dual proves optimal, by pivots along edges.

At a vertex P independent rows have residual zero. The dual of the other rows is τ or τ - 1, and
that of the P rows is the solution of P equations. If it lies in the box, the vertex is optimal.
Else an edge leads down.

Source: Barrodale and Roberts (1973), *An improved algorithm for discrete l1 linear approximation*,
SIAM J. Numer. Anal. 10(5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.objectives.pinball import pinball

__all__ = ["Vertex", "first_basis", "proved_vertex"]

# A vertex is proved optimal where primal and dual agree to this part of the objective.
_GAP = 1e-10
_EPS = float(np.finfo(np.float64).eps)


@dataclass
class Vertex:
    """A point at which as many rows as there are parameters are fitted exactly.

    Parameters
    ----------
    params : ndarray of shape (P,)
        Parameters.
    basis : ndarray of shape (P,)
        Those rows.
    objective, bound : float
        The objective, and the value of a feasible point of the dual, which no objective is below.
    is_proved : bool
        Whether both agree, so that the vertex is a minimiser.
    has_others : bool
        Whether another minimiser was found.
    """

    params: Array
    basis: npt.NDArray[np.intp]
    objective: float
    bound: float
    is_proved: bool
    has_others: bool = False


def first_basis(A: Array, dual: Array) -> npt.NDArray[np.intp]:
    """P independent rows, of those whose dual is farthest from the ends of its box."""
    n, P = A.shape
    distance = np.minimum(dual, 1.0 - dual)
    sizes = np.abs(A).max(axis=1)
    usable = np.where(sizes > 0, distance, -1.0)
    candidates = np.argsort(-usable, kind="stable")[: 4 * P + 10]
    for rows in (candidates, np.arange(n)):
        scale = np.maximum(distance[rows], 1e-12) / np.where(sizes[rows] > 0, sizes[rows], 1.0)
        triangle, pivots = linalg.qr((A[rows] * scale[:, np.newaxis]).T, mode="r", pivoting=True)
        entries = np.abs(np.diagonal(triangle))
        if len(rows) >= P and entries[P - 1] > 1e-13 * entries[0]:
            basis = rows[pivots[:P]]
            break
    else:
        unit = A / np.where(sizes > 0, sizes, 1.0)[:, np.newaxis]
        basis = linalg.qr(unit.T, mode="r", pivoting=True)[1][:P]
    return np.asarray(basis, dtype=np.intp)


def proved_vertex(
    A: Array, b: Array, quantile: float, basis: npt.NDArray[np.intp]
) -> tuple[Vertex, int]:
    """A vertex that is proved optimal, with amounts that targets are moved by chosen for that."""
    total = 0
    for amount in (1.0, 1.0 / 64, 64.0):
        vertex, pivots = _finish(A, b, quantile, basis, amount)
        total += pivots
        if vertex.is_proved:
            break
        basis = vertex.basis
    return vertex, total


def _finish(
    A: Array, b: Array, quantile: float, basis: npt.NDArray[np.intp], amount: float
) -> tuple[Vertex, int]:
    """Walk down edges to a vertex that the dual proves optimal.

    Targets are moved by different amounts a little above their rounding errors. So no vertex fits
    more than P rows, and each step goes down. The dual that proves the last vertex optimal
    satisfies its constraints whatever the targets are, so that it bounds the objective of the
    targets that were not moved.
    """
    n, P = A.shape
    theta = np.linalg.lstsq(A[basis], b[basis], rcond=None)[0]
    reach = np.abs(b) + np.abs(A) @ np.abs(theta)
    most = 50 * P + 1000
    # Differences between n rows must be above rounding errors, too. The same in every run.
    moved = np.random.default_rng(0).random(n)
    moved = b + amount * 64 * P * _EPS * min(n, 10**4) * reach.max() * (1.0 + moved)
    basis = basis.copy()
    for pivots in range(most + 1):
        factor = linalg.lu_factor(A[basis])
        theta = _solved(factor, A[basis], moved[basis])
        residuals = moved - A @ theta
        residuals[basis] = 0.0
        dual = np.where(residuals > 0, quantile, quantile - 1.0)
        dual[basis] = 0.0
        inner = linalg.lu_solve(factor, -(A.T @ dual), trans=1)
        over, under = inner - quantile, (quantile - 1.0) - inner
        excess = np.maximum(over, under)
        worst = int(np.argmax(excess))
        # Sums of n terms of at most one in size have this rounding error.
        if excess[worst] <= 1e-12 * np.sqrt(n) or pivots == most:
            break
        sign = -1.0 if over[worst] > 0 else 1.0
        unit = np.zeros(P)
        unit[worst] = sign
        direction = linalg.lu_solve(factor, unit)
        rates = A @ direction
        rates[basis] = 0.0
        entering = _where_it_rises(residuals, rates, -float(excess[worst]))
        if entering is None:
            break
        basis[worst] = entering
    dual[basis] = np.clip(inner, quantile - 1.0, quantile)
    theta = _solved(factor, A[basis], b[basis])
    residuals = b - A @ theta
    residuals[basis] = 0.0
    losses = pinball(residuals, quantile)
    # What clipping leaves of the constraint is charged to the bound.
    rest = float(np.abs(A.T @ dual) @ np.abs(theta))
    objective = float(losses.sum())
    bound = float(dual @ residuals) - rest if residuals.any() else 0.0
    rounding = 4 * P * _EPS * float(reach.sum())
    proved = objective - bound <= max(_GAP * objective, rounding)
    vertex = Vertex(theta, basis, objective, min(bound, objective), proved)
    if proved:
        vertex.has_others = _has_another(A, b, residuals, factor, basis, quantile, objective)
    return vertex, pivots


def _solved(factor: tuple[Array, Array], B: Array, b: Array) -> Array:
    """The solution of ``Bθ = b``, with one step of refinement."""
    theta = linalg.lu_solve(factor, b)
    return np.asarray(theta + linalg.lu_solve(factor, b - B @ theta))


def _where_it_rises(residuals: Array, rates: Array, slope: float) -> int | None:
    """The row whose residual reaches zero where the objective along a direction starts to rise.

    It falls by ``slope`` at first; where the residual of a row passes through zero, the slope grows
    by the size of its rate.
    """
    ahead = np.flatnonzero(residuals * rates > 0)
    lengths = residuals[ahead] / rates[ahead]
    order = np.argsort(lengths, kind="stable")
    slopes = slope + np.cumsum(np.abs(rates[ahead[order]]))
    rising = np.flatnonzero(slopes >= 0)
    return int(ahead[order[rising[0]]]) if rising.size else None


def _has_another(
    A: Array,
    b: Array,
    residuals: Array,
    factor: tuple[Array, Array],
    basis: npt.NDArray[np.intp],
    quantile: float,
    objective: float,
) -> bool:
    """Whether an edge leads to another point at which the objective is the same.

    The objective at the other end of the edge is computed, which decides.
    """
    n, P = A.shape
    theta = _solved(factor, A[basis], b[basis])
    reach = np.abs(b) + np.abs(A) @ np.abs(theta)
    zero = np.abs(residuals) <= 8 * P * _EPS * reach
    psi = np.where(residuals > 0, quantile, quantile - 1.0)
    psi[zero] = 0.0
    edges = linalg.lu_solve(factor, np.eye(P))
    for j in range(P):
        rates = A @ edges[:, j]
        rates[basis] = 0.0
        rates[basis[j]] = 1.0
        for sign in (1.0, -1.0):
            going = sign * rates
            slope = float(-psi @ going + pinball(-going[zero], quantile).sum())
            if slope > 1e-12 * float(np.abs(going).sum()):
                continue
            ahead = np.flatnonzero((residuals * going > 0) & ~zero)
            if not ahead.size:
                continue
            length = float((residuals[ahead] / going[ahead]).min())
            other = pinball(residuals - length * going, quantile).sum()
            if abs(other - objective) <= 4 * _EPS * np.sqrt(n) * max(objective, reach.max()):
                return bool(length * np.abs(going).max() > 1e-9 * reach.max())
    return False
