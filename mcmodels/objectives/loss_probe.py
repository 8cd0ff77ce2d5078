"""Search a loss near the rows for jumps of ℓ or ℓ′ and for negative curvature.

Between two points that approach each other, a continuous function changes less and less; across a
jump it changes by the same amount. So intervals in which a function changes by more than its
derivative explains are halved, always keeping the half with the larger unexplained change, until
their ends are neighbouring floating-point numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives.user_loss import CurvatureRange, UserLoss, UserObjective
from mcmodels.rows import RowBlock, Rows

__all__ = [
    "Jump",
    "NearRows",
    "find_jump",
    "is_negative",
    "least_curvature",
    "probe_near_rows",
    "targets_of",
]

# Rows in the sample, and the largest number of different targets that are used.
_ROWS, _TARGETS = 2048, 48
# Points in η for each target, and how far the grid goes beyond its interval. The two ends differ,
# so that a jump in the middle of the interval, or at a round number, does not fall on a point.
_POINTS, _BELOW, _ABOVE = 129, 0.0137, 0.0171
# The interval of η is that of the linear predictors, extended at both ends by a quarter of its
# width, or by this share of the largest predictor, or by this number.
_LEAST_REACH = 1e-3
# Intervals are halved if their unexplained change, relative to the largest value, is above the
# first number: at most this many intervals, this many times. At the end, a relative jump counts if
# it is above the last number.
_SUSPICIOUS, _MAX_INTERVALS, _HALVINGS, _LEAST_JUMP = 1e-4, 256, 60, 1e-6
# A jump is at least this many times the change that the derivative explains, and is measured over
# this many spacings of float64 on each side.
_STEEP, _BESIDE = 10.0, 4.0
# ℓ″ counts as negative when it is below minus this share of the largest |ℓ″|.
_ROUNDING = 1e-8


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
        Size of the jump.
    """

    order: int
    y: float
    eta: float
    size: float


@dataclass(frozen=True)
class NearRows:
    """Jumps and curvature of a loss in the interval of the linear predictors and slightly beyond.

    Parameters
    ----------
    jump : Jump or None
        The largest jump of ℓ, or else of ℓ′; None if none was found.
    curvature : CurvatureRange or None
        The range of ℓ″; None where it is finite nowhere, and of a loss that is known to be convex.
    """

    jump: Jump | None
    curvature: CurvatureRange | None


def probe_near_rows(objective: UserObjective, params: Array) -> NearRows:
    """Evaluate the loss on a grid of η, for some of the targets.

    Parameters
    ----------
    objective : UserObjective
        The loss, and the rows; a sample of them is read.
    params : ndarray of shape (P,)
        Parameters of the linear predictors.
    """
    y, eta = _sampled_pairs(objective, params)
    points = _grid_around(eta)
    jump = find_jump(objective.loss, y, points)
    if jump is None and np.ptp(y) > 0:
        jump = find_jump(objective.loss, y, grid(float(y.min()), float(y.max())))
    if objective.loss.is_convex:
        return NearRows(jump, None)
    return NearRows(jump, least_curvature(objective.loss, y, points))


def is_negative(seen: CurvatureRange, near: CurvatureRange | None) -> bool:
    """Whether the least ℓ″ of a range is negative by more than rounding.

    ``near`` is the range near the rows. Its largest ℓ″ counts, too, for the size of rounding
    errors.
    """
    scale = max(abs(seen.smallest), seen.largest, 0.0 if near is None else near.largest)
    return seen.smallest < -_ROUNDING * scale


def _sampled_pairs(objective: UserObjective, params: Array) -> tuple[Array, Array]:
    """Some of the different targets, and the linear predictors, of a sample of the rows."""

    def pairs(block: RowBlock) -> list[tuple[Array, Array]]:
        return [(np.array(block.y), block.linear_predictor(params))]

    parts = objective.rows.sample(_ROWS).reduce(pairs)
    y, eta = (np.concatenate(column) for column in zip(*parts, strict=True))
    return _some_of(y), eta


def targets_of(rows: Rows) -> Array:
    """Some of the different targets of a sample of the rows, in ascending order."""

    def present(block: RowBlock) -> list[Array]:
        return [np.array(block.y[block.weights_or_ones > 0])]

    return _some_of(np.concatenate(rows.sample(_ROWS).reduce(present)))


def _some_of(y: Array) -> Array:
    different = np.unique(y)
    chosen = np.linspace(0, different.size - 1, min(different.size, _TARGETS)).astype(np.intp)
    return different[chosen].astype(np.float64)


def _grid_around(eta: Array) -> Array:
    """Points in the interval of the linear predictors, and slightly beyond."""
    low, high = float(eta.min()), float(eta.max())
    reach = max((high - low) / 4, _LEAST_REACH * max(abs(low), abs(high)), _LEAST_REACH)
    return grid(low - reach, high + reach)


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
    most = min(_MAX_INTERVALS, share.size)
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
    # At a jump, functions often return the mean of both sides. So the size is measured beside it.
    beside = _BESIDE * np.spacing(np.maximum(np.abs(low), np.abs(high)))
    low, high = low - beside, high + beside
    at_low, at_high = at(targets, low), at(targets, high)
    size = np.abs(at_high[0] - at_low[0])
    steep = (high - low) * np.maximum(np.abs(at_low[1]), np.abs(at_high[1]))
    largest = np.maximum(scale[row, 0], np.maximum(np.abs(at_low[0]), np.abs(at_high[0])))
    jumps = np.where(size > _STEEP * steep, size, 0.0)  # smaller changes come from the slope
    relative = jumps / largest
    relative = np.where(np.isfinite(relative), relative, 0.0)
    worst = int(relative.argmax())
    if relative[worst] <= _LEAST_JUMP:
        return None
    return Jump(order, float(targets[worst]), float(high[worst]), float(size[worst]))
