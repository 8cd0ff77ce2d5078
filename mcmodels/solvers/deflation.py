"""Leading eigenpairs one after the other: find the dominant one, subtract it, repeat.

Each pair starts with power iteration (Golub and Van Loan 2013, *Matrix Computations*, 4th ed.,
§8.2.1), is finished by Rayleigh-quotient iteration (§8.2.3), and is removed by Hotelling's
deflation ``S ← S - λvvᵀ``. Rayleigh-quotient iteration converges cubically, but to the nearest
pair. Where eigenvalues are close together this need not be the dominant one. So pairs are found
until a Cholesky factor of ``λI - S`` proves that no larger eigenvalue is left.
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.solvers.eigenpairs import Eigenpairs
from mcmodels.solvers.tolerances import FLOAT64_EPSILON

# Steps of power iteration and of Rayleigh-quotient iteration in a round, and rounds for a pair.
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
        A pair is accepted when ``‖Sv - λv‖ ≤ tol · ‖S‖_F/√m``, the root mean square eigenvalue.
    random : RandomState
        Source of the start vectors.
    """
    size = S.shape[0]
    largest = float(np.abs(S).max(initial=0.0))
    if count == 0 or largest == 0:
        return Eigenpairs(np.zeros(count), np.eye(size, count), method="deflation")
    deflated = S / largest
    norm = float(np.linalg.norm(deflated)) / np.sqrt(size)
    # A residual, or a gap between eigenvalues, below the rounding of S has no meaning.
    bound = max(tol, 4 * size * FLOAT64_EPSILON) * norm
    values: list[float] = []
    vectors = np.zeros((size, 0))
    iterations, converged = 0, True
    while len(values) < count or (
        len(values) < size and _exceeds(deflated, sorted(values)[-count] + 4 * bound)
    ):
        value, v, steps, settled = _one_pair(deflated, vectors, bound, random)
        iterations += steps
        converged &= settled
        values.append(max(value, 0.0))
        vectors = np.column_stack([vectors, v])
        deflated -= value * np.outer(v, v)
    leading = np.argsort(-np.array(values), kind="stable")[:count]
    return Eigenpairs(
        np.array(values)[leading] * largest, vectors[:, leading], iterations, converged, "deflation"
    )


def _one_pair(
    S: Array, found: Array, bound: float, random: np.random.RandomState
) -> tuple[float, Array, int, bool]:
    """An eigenpair of S orthogonal to the vectors found, nearly always the dominant one."""
    v = None
    while v is None:
        v = _unit_part_outside(found, np.asarray(random.standard_normal(S.shape[0])))
    iterations = 0
    for _ in range(_MAX_ROUNDS):
        v, power_steps = _power(S, v, found)
        v, rayleigh_steps = _rayleigh(S, v, found, bound)
        iterations += power_steps + rayleigh_steps
        value = float(v @ S @ v)
        if float(np.linalg.norm(S @ v - value * v)) <= bound:
            return value, v, iterations, True
    return value, v, iterations, False


def _unit_part_outside(found: Array, v: Array) -> Array | None:
    """Unit vector along the part of v orthogonal to ``found``; None when that part is zero."""
    largest = np.abs(v).max(initial=0.0)
    if largest == 0:
        return None
    v = v / largest
    before = np.linalg.norm(v)
    for _ in range(2):  # a second time removes the rounding of the first
        v = v - found @ (found.T @ v)
    after = np.linalg.norm(v)
    return v / after if after > len(v) * FLOAT64_EPSILON * before else None


def _power(S: Array, v: Array, found: Array) -> tuple[Array, int]:
    for step in range(_POWER_STEPS):
        image = _unit_part_outside(found, S @ v)
        if image is None:  # Sv lies in the span of the vectors found
            return v, step
        v = image
    return v, _POWER_STEPS


def _rayleigh(S: Array, v: Array, found: Array, bound: float) -> tuple[Array, int]:
    """Iterate until the residual is within the bound and no longer halves; the best vector."""
    identity = np.eye(S.shape[0])
    best, smallest = v, np.inf
    for step in range(_RAYLEIGH_STEPS):
        value = v @ S @ v
        residual = float(np.linalg.norm(S @ v - value * v))
        if smallest <= bound and not residual < smallest / 2:
            return best, step
        if residual < smallest:
            best, smallest = v, residual
        with warnings.catch_warnings():
            # The system is nearly singular on purpose: its solution approaches the eigenvector.
            warnings.simplefilter("ignore", linalg.LinAlgWarning)
            try:
                image = linalg.solve(S - value * identity, v, assume_a="sym", check_finite=False)
            except linalg.LinAlgError:
                return best, step
        image = _unit_part_outside(found, image) if np.isfinite(image).all() else None
        if image is None:
            return best, step
        v = image
    return best, _RAYLEIGH_STEPS


def _exceeds(S: Array, value: float) -> bool:
    """Whether S has an eigenvalue above ``value``: then ``value·I - S`` has no Cholesky factor."""
    _, info = linalg.lapack.dpotrf(value * np.eye(S.shape[0]) - S, lower=1)
    return info != 0
