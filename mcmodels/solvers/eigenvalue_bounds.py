"""Bounds on eigenvalues by residuals, where the number of values above a threshold is known.

The block of a symmetric A orthogonal to j vectors with the values θ is at most
``c = τ + ‖R_j‖²/(θ_j - τ)``, where no more than j eigenvalues exceed τ (inertia of the Schur
complement); by Courant and Fischer ``0 ≤ λᵢ - θᵢ ≤ (√(η² + 4ρ²) - η)/2`` with ρ the residual of the
pairs i to j and ``η = θᵢ - c``: quadratic in the residual.
"""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array

__all__ = ["ACCURACY", "Pairs", "error_bounds", "proved_ceiling"]

# Relative error of each variance that is certified.
ACCURACY = 1e-9


class Pairs:
    """Approximate eigenvalues in descending order, and the residuals of their vectors as columns.

    ``last`` are the residuals in some orthonormal basis.
    """

    def __init__(self, values: Array, last: Array) -> None:
        self.values, self.last = values, last
        self._residuals: dict[tuple[int, int], float] = {}

    def residual(self, start: int, stop: int) -> float:
        """Spectral norm of the residual of some pairs."""
        pairs = start, stop
        if pairs not in self._residuals:
            norm = np.linalg.norm(self.last[:, start:stop], 2) if start < stop else 0.0
            self._residuals[pairs] = float(norm)
        return self._residuals[pairs]


def proved_ceiling(pairs: Pairs, count: int, kept: int, threshold: float) -> float | None:
    """The bound c on A orthogonal to the ``kept`` vectors; None if it does not prove the values.

    No more than ``kept`` eigenvalues of A exceed the threshold, and ``count`` values are wanted.
    """
    residual = pairs.residual(0, kept)
    above = pairs.values[kept - 1] - threshold
    if above <= residual:
        return None
    ceiling = threshold + residual**2 / above
    errors = error_bounds(pairs, count, kept, ceiling)
    return float(ceiling) if np.all(errors <= ACCURACY * pairs.values[:count]) else None


def error_bounds(pairs: Pairs, count: int, kept: int, ceiling: float) -> Array:
    """Bounds on ``λᵢ - θᵢ`` for the first pairs, if no more than ``kept`` values exceed c.

    A pair is split from those after the k-th, for the k that gives the best bound: what is
    orthogonal to the first k is at most a 2×2 matrix of θ_{k+1}, c, and the residual.
    """
    values = pairs.values
    bounds = np.full(count, np.inf)
    for k in range(count, kept + 1):
        rest = ceiling
        if k < kept:
            rest = values[k] + _raised(values[k] - ceiling, pairs.residual(k, kept))
        residuals = [pairs.residual(i, k) for i in range(count)]
        found = [_raised(values[i] - rest, residuals[i]) for i in range(count)]
        bounds = np.minimum(bounds, found)
    return bounds


def _raised(gap: float, residual: float) -> float:
    """How far the residual lifts the larger of two values with this gap; the gap may be < 0."""
    root = float(np.hypot(gap, 2 * residual))
    if gap <= 0:
        return (root - gap) / 2
    return 2 * residual**2 / (root + gap)
