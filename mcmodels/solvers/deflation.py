"""Leading eigenpairs one after the other: find the dominant one, subtract it, repeat.

Each pair starts with power iteration (Golub and Van Loan 2013, *Matrix Computations*, 4th ed.,
§8.2.1), is finished by Rayleigh-quotient iteration (§8.2.3), and is removed by Hotelling's
deflation ``S ← S - λvvᵀ``. Rayleigh-quotient iteration converges cubically, but to whichever pair
is near; so a pair is taken only when the inertia of ``λI - S`` shows that no eigenvalue lies above it.
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy import linalg

from mcmodels.rows.blocks import Array
from mcmodels.solvers.eigenpairs import Eigenpairs

_FLOAT64_EPSILON = float(np.finfo(np.float64).eps)
_POWER_STEPS = 16
_RAYLEIGH_STEPS = 8
_MAX_ROUNDS = 30


def deflated_eigenpairs(
    S: Array, count: int, *, tol: float, random: np.random.RandomState
) -> Eigenpairs:
    """The ``count`` leading eigenpairs of the symmetric positive semi-definite S.

    Parameters
    ----------
    S : ndarray of shape (m, m)
        The matrix; it is not changed.
    count : int
        Number of pairs.
    tol : float
        A pair is accepted when ``‖Sv - λv‖ ≤ tol · λ₁``.
    random : RandomState
        Source of the start vectors.
    """
    size = S.shape[0]
    values, vectors = np.zeros(count), np.zeros((size, count))
    deflated = S.copy()
    # Neither the residual nor the gap above λ can be seen below the rounding of S itself.
    noise = 4 * size * _FLOAT64_EPSILON * float(np.linalg.norm(S, 2 if size < 64 else "fro"))
    bound = max(tol * float(np.linalg.norm(S, "fro")) / np.sqrt(size), noise)
    iterations, converged = 0, True
    for j in range(count):
        found = vectors[:, :j]
        v = _away_from(found, random.standard_normal(size))
        for _ in range(_MAX_ROUNDS):
            v, steps = _power(deflated, v, found)
            v, more = _rayleigh(deflated, v, found)
            iterations += steps + more
            value = float(v @ deflated @ v)
            settled = float(np.linalg.norm(deflated @ v - value * v)) <= bound
            if settled and not _exceeds(deflated, value + 4 * bound):
                break
            if settled:
                # v is an eigenvector, but not the leading one: look away from it.
                v = _away_from(np.column_stack([found, v]), random.standard_normal(size))
        else:
            converged = False
        values[j], vectors[:, j] = max(value, 0.0), v
        deflated -= value * np.outer(v, v)
    return _sorted(values, vectors, iterations, converged)


def _sorted(values: Array, vectors: Array, iterations: int, converged: bool) -> Eigenpairs:
    order = np.argsort(-values, kind="stable")
    return Eigenpairs(values[order], vectors[:, order], iterations, converged)


def _away_from(found: Array, v: Array) -> Array:
    """Unit vector along v without its part in the span of ``found`` (two passes suffice)."""
    for _ in range(2):
        v = v - found @ (found.T @ v)
    return v / np.linalg.norm(v)


def _power(S: Array, v: Array, found: Array) -> tuple[Array, int]:
    for _ in range(_POWER_STEPS):
        image = S @ v
        if np.linalg.norm(image) == 0:
            return v, 1
        v = _away_from(found, image)
    return v, _POWER_STEPS


def _rayleigh(S: Array, v: Array, found: Array) -> tuple[Array, int]:
    """Iterate until the residual stops falling, and return the vector of the smallest one."""
    identity = np.eye(S.shape[0])
    best, smallest = v, np.inf
    for step in range(_RAYLEIGH_STEPS):
        value = v @ S @ v
        residual = float(np.linalg.norm(S @ v - value * v))
        if not residual < smallest / 2:
            return best, step
        best, smallest = v, residual
        with warnings.catch_warnings():
            # A nearly singular system is the method at work: its solution is the eigenvector.
            warnings.simplefilter("ignore", linalg.LinAlgWarning)
            try:
                image = linalg.solve(S - value * identity, v, assume_a="sym", check_finite=False)
            except linalg.LinAlgError:
                return best, step
        if not np.isfinite(image).all():
            return best, step
        v = _away_from(found, image)
    return best, _RAYLEIGH_STEPS


def _exceeds(S: Array, value: float) -> bool:
    """Whether S has an eigenvalue above ``value``: then ``value·I - S`` has no Cholesky factor."""
    _, info = linalg.lapack.dpotrf(value * np.eye(S.shape[0]) - S, lower=1)
    return info != 0
