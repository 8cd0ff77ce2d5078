"""The dual of quantile regression by Mehrotra's predictor-corrector method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array

__all__ = ["interior_dual"]

# What steps leave of the distance to the end of the box, and the largest number of steps.
_DAMPING, _MOST = 0.9995, 100
# What is inside the box stays this far from its ends, and multipliers above zero.
_NEAREST, _SMALLEST = 1e-16, 1e-300


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def interior_dual(A: Array, b: Array, quantile: float) -> tuple[Array, int]:
    """A point d near the solution of ``max bᵀd`` over ``Aᵀd = (1 - τ) Aᵀ1``, ``0 ≤ d ≤ 1``.

    ``d - (1 - τ)`` is the dual of quantile regression. The method stops where the gap of duality is
    1e-9 of the objective, or where float64 allows no further step.

    Source: Portnoy and Koenker (1997), *The Gaussian hare and the Laplacian tortoise*, Statistical
    Science 12(4), §5; Mehrotra (1992), *On the implementation of a primal-dual interior point
    method*, SIAM J. Optim. 2(4).

    Parameters
    ----------
    A : ndarray of shape (n, P)
        Independent columns.
    b : ndarray of shape (n,)
        Targets.
    quantile : float
        τ.

    Returns
    -------
    dual : ndarray of shape (n,)
        d.
    steps : int
        Steps taken.
    """
    n = len(b)
    d = np.full(n, 1.0 - quantile)
    theta = np.linalg.lstsq(A, b, rcond=None)[0]
    residuals = b - A @ theta
    # z - w = residuals of -b: the multipliers of d ≥ 0 and d ≤ 1.
    size = max(float(np.abs(residuals).mean()), 1e-12)
    z = np.maximum(-residuals, 0.0) + size
    w = np.maximum(residuals, 0.0) + size
    steps = 0
    while steps < _MOST:
        s = 1.0 - d
        gap = float(z @ d + w @ s)
        value = float(np.abs(b - A @ theta).sum())
        if gap <= 1e-9 * max(value, 1e-9):
            break
        steps += 1
        q = 1.0 / (z / d + w / s)
        gram = (A * q[:, np.newaxis]).T @ A
        try:
            factor = linalg.cho_factor(gram)
        except linalg.LinAlgError:
            break
        unsolved, violated = b - A @ theta - w + z, A.T @ (d - (1.0 - quantile))
        newton = _NewtonEquations(A, q, factor, d, s, z, w, unsolved, violated)
        mu = gap / (2 * n)
        dd, dz, dw, dtheta = newton.step(-z * d, -w * s)
        primal, multipliers = _reach(d, dd, s, -dd), _reach(z, dz, w, dw)
        left = (z + multipliers * dz) @ (d + primal * dd)
        left += (w + multipliers * dw) @ (s - primal * dd)
        mu *= (float(left) / gap) ** 3 if gap > 0 else 0.0
        dd, dz, dw, dtheta = newton.step(mu - z * d - dd * dz, mu - w * s + dd * dw)
        primal, multipliers = _reach(d, dd, s, -dd), _reach(z, dz, w, dw)
        if not np.isfinite(dd).all() or not np.isfinite(dtheta).all():
            break
        if max(primal, multipliers) < 1e-8:
            break
        d = d + primal * dd
        theta, z, w = theta + multipliers * dtheta, z + multipliers * dz, w + multipliers * dw
        d = np.clip(d, _NEAREST, 1.0 - _NEAREST)
        z, w = np.maximum(z, _SMALLEST), np.maximum(w, _SMALLEST)
    return d, steps


@dataclass(frozen=True)
class _NewtonEquations:
    """The linear equations of one step: those of the problem, with the products ``zd`` and ``ws``.

    ``A dθ + dw - dz = unsolved`` and ``Aᵀ dd = -violated``, where ``s = 1 - d``.
    """

    A: Array
    q: Array
    factor: tuple[Array, bool]
    d: Array
    s: Array
    z: Array
    w: Array
    unsolved: Array
    violated: Array

    def step(self, rz: Array, rw: Array) -> tuple[Array, Array, Array, Array]:
        """(dd, dz, dw, dθ) for which ``z dd + d dz = rz`` and ``-w dd + s dw = rw``."""
        right = self.unsolved + rz / self.d - rw / self.s
        dtheta = linalg.cho_solve(self.factor, self.A.T @ (self.q * right) + self.violated)
        dd = self.q * (right - self.A @ dtheta)
        return dd, (rz - self.z * dd) / self.d, (rw + self.w * dd) / self.s, dtheta


def _reach(a: Array, da: Array, b: Array, db: Array) -> float:
    """The longest step, at most 1, after which both stay positive."""
    longest = 1.0
    for values, changes in ((a, da), (b, db)):
        falling = changes < 0
        if falling.any():
            longest = min(longest, _DAMPING * float((-values[falling] / changes[falling]).min()))
    return longest
