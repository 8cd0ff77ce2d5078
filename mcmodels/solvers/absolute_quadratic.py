"""The minimum of a quadratic plus a weighted sum of absolute values: one step of proximal Newton.

``q(u) = gᵀ(u - a) + (u - a)ᵀB(u - a)/2 + Σ λⱼ|uⱼ|`` with B positive definite. Passes of coordinate
descent find which entries are zero. Then the signs of the others are held, the linear system of
these is solved, and q is minimised exactly along the way to its solution. An entry that reaches
zero on that way stays there. So columns that depend on each other, of which coordinate descent
needs many passes, take one solve. q falls at each step; the minimum is reached when the signs are
those of the solution and no zero entry violates ``|∂q/∂uⱼ| ≤ λⱼ``.

Sources: Friedman, Hastie and Tibshirani (2010), *Regularization Paths for Generalized Linear Models
via Coordinate Descent*, Journal of Statistical Software 33(1); Lee, Battle, Raina and Ng (2007),
*Efficient sparse coding algorithms*, NIPS 19, algorithm 1 (the search over signs).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import linalg

from mcmodels.arrays import Array

__all__ = ["minimise_with_absolute_values"]

# Most passes of coordinate descent before the linear system is solved; they end when no sign
# changes.
_PASSES = 100
# A zero entry violates its bound when its derivative exceeds λ by more than this share of λ. Then
# the entries are exactly zero where λ is the largest derivative at zero, but for its rounding.
_ROUNDING = 1e-12
# Largest number of solves, beside one for each entry.
_SOLVES = 50
# So many zero entries may leave zero together; more where more entries are not zero.
_ADMITTED = 100


def minimise_with_absolute_values(B: Array, g: Array, strengths: Array, start: Array) -> Array:
    """u, with entries that are exactly zero where the minimum has zeros.

    Parameters
    ----------
    B : ndarray of shape (P, P)
        A positive definite matrix.
    g : ndarray of shape (P,)
        The gradient of the quadratic at the start.
    strengths : ndarray of shape (P,)
        λ, at least 0.
    start : ndarray of shape (P,)
        a.
    """
    u, slope = start.copy(), g.copy()
    diagonal = np.diagonal(B)
    for _ in range(_SOLVES + u.size):
        _descend(_working_set(u, slope, strengths), u, slope, B, diagonal, strengths)
        # Each solve that does not reach its end leaves an entry at zero, or changes signs.
        for _ in range(_SOLVES + u.size):
            held = _solve_with_signs(u, slope, B, strengths)
            moved = np.flatnonzero(u != start)
            # From the start, as sums of changes would gather rounding errors.
            slope = g + (u[moved] - start[moved]) @ B[moved]
            if held:
                break
        if not _violations(u, slope, strengths).any():
            break
    # What is left of an entry that changes no derivative beyond rounding is zero.
    tiny = np.abs(u) * diagonal <= _ROUNDING * strengths
    u[tiny] = 0.0
    return u


def _violations(u: Array, slope: Array, strengths: Array) -> npt.NDArray[np.bool_]:
    """Which zero entries decrease q when they leave zero."""
    beyond: npt.NDArray[np.bool_] = np.abs(slope) > strengths * (1 + _ROUNDING)
    return (u == 0) & (strengths > 0) & beyond


def _working_set(u: Array, slope: Array, strengths: Array) -> npt.NDArray[np.bool_]:
    """Which entries may move: those that are not zero, and the zeros that gain most by leaving.

    At a minimum, no more entries than the rank of B need be other than zero. If all zeros could
    leave at once, each beyond that number would take a solve to return.
    """
    free = (u != 0) | (strengths == 0)
    excess = np.where(_violations(u, slope, strengths), np.abs(slope) - strengths, 0.0)
    admitted = max(_ADMITTED, int(np.count_nonzero(free)))
    if np.count_nonzero(excess) <= admitted:
        return free | (excess > 0)
    free[np.argpartition(excess, -admitted)[-admitted:]] = True
    return free


def _descend(
    working: npt.NDArray[np.bool_],
    u: Array,
    slope: Array,
    B: Array,
    diagonal: Array,
    strengths: Array,
) -> None:
    """Passes of coordinate descent over those of the working set that should not be zero."""
    for _ in range(_PASSES):
        free = (u != 0) | (strengths == 0)
        moving = np.flatnonzero(free | (working & _violations(u, slope, strengths)))
        signs = np.sign(u)
        for j in moving.tolist():
            before, curvature, bound = u[j], diagonal[j], strengths[j]
            target = curvature * before - slope[j]
            size = abs(target) - bound
            after = 0.0 if size <= 0 else np.copysign(size / curvature, target)
            if after != before:
                u[j] = after
                slope += B[j] * (after - before)
        if np.array_equal(np.sign(u), signs):
            return


def _solve_with_signs(u: Array, slope: Array, B: Array, strengths: Array) -> bool:
    """Minimise towards the solution for the signs of u; whether it was reached with these signs."""
    taken = np.flatnonzero((u != 0) | (strengths == 0))
    if not taken.size:
        return True
    signs = np.sign(u[taken])
    left = slope[taken] + strengths[taken] * signs
    try:
        factor = linalg.cho_factor(B[np.ix_(taken, taken)], check_finite=False)
    except linalg.LinAlgError:
        return False
    step = -linalg.cho_solve(factor, left, check_finite=False)
    length, zeros = _along(u[taken], step, float(left @ step), strengths[taken])
    u[taken] += length * step
    u[taken[zeros]] = 0.0
    return length == 1.0 and bool((np.sign(u[taken]) == signs)[strengths[taken] > 0].all())


def _along(u: Array, step: Array, falling: float, strengths: Array) -> tuple[float, Array]:
    """The length at which q is least along a step to a solution, and which entries are zero there.

    ``falling`` is the derivative of q along the step at its start; without changes of signs it is
    zero at the end. Where an entry changes its sign, the derivative jumps by ``2λ|δ|``.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = np.where(step != 0, -u / step, np.inf)
    crossings = np.where((crossings > 0) & (strengths > 0), crossings, np.inf)
    order = np.argsort(crossings, kind="stable")
    added, curvature = 0.0, -falling
    for k in order:
        if not crossings[k] < 1.0:
            break
        at = falling + curvature * crossings[k] + added
        jump = 2.0 * strengths[k] * abs(step[k])
        if at >= 0:  # before the crossing
            return min(1.0, -(falling + added) / curvature), np.zeros(u.size, dtype=bool)
        if at + jump >= 0:
            return float(crossings[k]), crossings == crossings[k]
        added += jump
    if curvature <= 0:
        return 0.0, np.zeros(u.size, dtype=bool)
    return float(min(1.0, -(falling + added) / curvature)), np.zeros(u.size, dtype=bool)
