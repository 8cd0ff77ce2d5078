"""What a loss does between the rows: jumps of ℓ or ℓ′, and curvature below zero.

A function that is continuous changes the less the closer two points are; across a jump it changes
by the same amount however close they are. So intervals in which ℓ′ changes by more than ℓ″ accounts
for are halved, always keeping the half that accounts for less, until their ends are neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives.user_loss import CurvatureRange, UserLoss

__all__ = ["Jump", "find_jump", "least_curvature"]

# Points in η for each target. The grid is not symmetric, lest a jump lie on a point of it.
_POINTS, _BELOW, _ABOVE = 129, 0.0137, 0.0171
# Change that the derivative does not account for, relative to the largest value: what is looked at
# closely; how many of those; how often they are halved; and what is left of a jump at the end.
_SUSPICIOUS, _MOST, _HALVINGS, _LEAST_JUMP = 1e-4, 256, 60, 1e-6
# A jump is larger than any slope makes it, and measured from a few numbers beside it.
_STEEP = 10.0
_BESIDE = 4.0


@dataclass(frozen=True)
class Jump:
    """Where a loss or its derivative jumps.

    Parameters
    ----------
    order : int
        0 for ℓ itself, 1 for ℓ′.
    y, eta : float
        Target and linear predictor there.
    size : float
        By how much.
    """

    order: int
    y: float
    eta: float
    size: float


def grid(low: float, high: float) -> Array:
    """Points in an interval of η, slightly beyond its ends."""
    width = high - low
    return np.linspace(low - _BELOW * width, high + _ABOVE * width, _POINTS)


def least_curvature(loss: UserLoss, y: Array, points: Array) -> CurvatureRange | None:
    """The range of ℓ″ over all pairs of a target and a point, where it is finite."""
    Y, E = (part.ravel() for part in np.meshgrid(y, points, indexing="ij"))
    (second,) = loss.derivatives(Y, E, (2,))
    finite = np.isfinite(second)
    return CurvatureRange.of(Y[finite], E[finite], second[finite]) if finite.any() else None


def find_jump(loss: UserLoss, y: Array, points: Array) -> Jump | None:
    """The largest jump of ℓ, or else of ℓ′, between the points, for any of the targets."""
    for order in (0, 1):
        found = _largest_jump(loss, y, points, order)
        if found is not None:
            return found
    return None


@np.errstate(all="ignore")
def _largest_jump(loss: UserLoss, y: Array, points: Array, order: int) -> Jump | None:
    def at(targets: Array, eta: Array) -> tuple[Array, Array]:
        function, slope = loss.derivatives(targets, eta, (order, order + 1))
        return function, slope

    def unexplained(
        low: Array, high: Array, f: tuple[Array, Array], g: tuple[Array, Array]
    ) -> Array:
        return np.abs(g[0] - f[0] - (high - low) * (f[1] + g[1]) / 2)

    Y, E = np.meshgrid(y, points, indexing="ij")
    function, slope = (part.reshape(Y.shape) for part in at(Y.ravel(), E.ravel()))
    excess = unexplained(
        E[:, :-1], E[:, 1:], (function[:, :-1], slope[:, :-1]), (function[:, 1:], slope[:, 1:])
    )
    scale = np.max(np.abs(function), axis=1, where=np.isfinite(function), initial=0.0)
    scale = np.where(scale > 0, scale, 1.0)[:, np.newaxis]
    share = np.where(np.isfinite(excess), excess / scale, 0.0)
    most = min(_MOST, share.size)
    highest = np.argpartition(share, -most, axis=None)[-most:]
    chosen = highest[share.ravel()[highest] > _SUSPICIOUS]
    if not chosen.size:
        return None
    row, k = np.unravel_index(chosen, share.shape)
    targets, low, high = y[row], points[k], points[k + 1]
    at_low, at_high = at(targets, low), at(targets, high)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        at_middle = at(targets, middle)
        left = unexplained(low, middle, at_low, at_middle)
        right = unexplained(middle, high, at_middle, at_high)
        go_left = ~(right > left)
        high, low = np.where(go_left, middle, high), np.where(go_left, low, middle)
        at_low, at_high = (
            (
                np.where(go_left, at_low[0], at_middle[0]),
                np.where(go_left, at_low[1], at_middle[1]),
            ),
            (
                np.where(go_left, at_middle[0], at_high[0]),
                np.where(go_left, at_middle[1], at_high[1]),
            ),
        )
    # At the kink itself a derivative is often taken to be half way: measured from both sides.
    beside = _BESIDE * np.spacing(np.maximum(np.abs(low), np.abs(high)))
    low, high = low - beside, high + beside
    at_low, at_high = at(targets, low), at(targets, high)
    size = np.abs(at_high[0] - at_low[0])
    steep = (high - low) * np.maximum(np.abs(at_low[1]), np.abs(at_high[1]))
    largest = np.maximum(scale[row, 0], np.maximum(np.abs(at_low[0]), np.abs(at_high[0])))
    left = np.where(size > _STEEP * steep, size, 0.0)  # of a slope the rest is rounding
    relative = left / largest
    relative = np.where(np.isfinite(relative), relative, 0.0)
    worst = int(relative.argmax())
    if relative[worst] <= _LEAST_JUMP:
        return None
    return Jump(order, float(targets[worst]), float(high[worst]), float(size[worst]))
