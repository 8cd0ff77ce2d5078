"""The dual of quantile regression by Mehrotra's predictor-corrector method."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array

__all__ = ["interior_dual"]

# What steps leave of the distance to the end of the box, and the largest number of steps.
_DAMPING, _MOST = 0.9995, 100


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
        feasible = A.T @ (d - (1.0 - quantile))
        # Newton: A dtheta + dz - dw = -(A theta + z - w - b),  Aᵀ dd = -feasible.
        unsolved = b - A @ theta - w + z
        mu = gap / (2 * n)

        def towards(
            rz: Array,
            rw: Array,
            *,
            factor: tuple[Array, bool] = factor,
            q: Array = q,
            d: Array = d,
            s: Array = s,
            z: Array = z,
            w: Array = w,
            unsolved: Array = unsolved,
            feasible: Array = feasible,
        ) -> tuple[Array, Array, Array, Array]:
            """The step for which ``z dd + d dz = rz`` and ``-w dd + s dw = rw``."""
            right = unsolved + rz / d - rw / s
            dtheta = linalg.cho_solve(factor, A.T @ (q * right) + feasible)
            dd = q * (right - A @ dtheta)
            return dd, (rz - z * dd) / d, (rw + w * dd) / s, dtheta

        dd, dz, dw, dtheta = towards(-z * d, -w * s)
        primal, multipliers = _reach(d, dd, s, -dd), _reach(z, dz, w, dw)
        left = (z + multipliers * dz) @ (d + primal * dd)
        left += (w + multipliers * dw) @ (s - primal * dd)
        mu *= (float(left) / gap) ** 3 if gap > 0 else 0.0
        dd, dz, dw, dtheta = towards(mu - z * d - dd * dz, mu - w * s + dd * dw)
        primal, multipliers = _reach(d, dd, s, -dd), _reach(z, dz, w, dw)
        if not np.isfinite(dd).all() or not np.isfinite(dtheta).all():
            break
        if max(primal, multipliers) < 1e-8:
            break
        d = d + primal * dd
        theta, z, w = theta + multipliers * dtheta, z + multipliers * dz, w + multipliers * dw
        tiny = 1e-300
        d = np.clip(d, 1e-16, 1.0 - 1e-16)
        z, w = np.maximum(z, tiny), np.maximum(w, tiny)
    return d, steps


def _reach(a: Array, da: Array, b: Array, db: Array) -> float:
    """The longest step, at most 1, after which both stay positive."""
    longest = 1.0
    for values, changes in ((a, da), (b, db)):
        falling = changes < 0
        if falling.any():
            longest = min(longest, _DAMPING * float((-values[falling] / changes[falling]).min()))
    return longest
