"""A witness that a loss is not convex: a target of the rows, and an η at which it bends downwards.

Both the second derivative and a second difference of values must be negative there, by more than
rounding. No convex function has a negative second difference.
"""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives.user_loss import CurvatureRange, PointwiseFunction

__all__ = ["witness_against"]

# Distances from a target, and from zero, at which η is tried, in units of one and of the spread of
# the targets.
_DISTANCES = np.concatenate([[0.0], np.geomspace(0.05, 30.0, 24)])
# Width of second differences, relative to η.
_WIDTH = 1e-3
# A second difference of values is negative when it is below minus so many roundings of them, and
# is that of the second derivative up to a factor of two.
_ROUNDINGS = 1e3 * float(np.finfo(np.float64).eps)


@np.errstate(all="ignore")
def witness_against(loss: PointwiseFunction, targets: Array) -> CurvatureRange | None:
    """Where the loss of a target is proved to bend downwards, by values; None if none is found.

    Parameters
    ----------
    loss : PointwiseFunction
        The loss.
    targets : ndarray of shape (k,)
        Some targets of the rows.
    """
    spread = float(np.ptp(targets)) or 1.0
    steps = np.concatenate([-_DISTANCES[::-1], _DISTANCES[1:]])
    around = np.concatenate([steps, steps * spread])
    eta = np.concatenate(
        [targets[:, np.newaxis] + around, np.broadcast_to(steps, (targets.size, steps.size))],
        axis=1,
    )
    y = np.broadcast_to(targets[:, np.newaxis], eta.shape).ravel()
    eta = eta.ravel()
    value, _, second = loss(y, eta, (0, 1, 2))  # which a fit compiles anyway
    negative = np.flatnonzero(second < 0)
    if not negative.size:
        return None
    y, eta, value, second = y[negative], eta[negative], value[negative], second[negative]
    width = _WIDTH * np.maximum(np.abs(eta), 1.0)
    (above,), (below,) = loss(y, eta + width, (0,)), loss(y, eta - width, (0,))
    difference = above + below - 2.0 * value
    size = np.abs(above) + np.abs(below) + 2.0 * np.abs(value)
    ratio = difference / (second * width**2)
    proved = (difference < -_ROUNDINGS * size) & (ratio > 0.5) & (ratio < 2.0)
    if not proved.any():
        return None
    return CurvatureRange.of(y[proved], eta[proved], second[proved])
