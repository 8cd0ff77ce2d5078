"""Whether an objective has no minimum: it keeps decreasing along some direction.

A convex function never increases along a direction of recession: Rockafellar (1970), *Convex
Analysis*, theorem 8.6. If it has no minimum, the gradient in Newton's method becomes small, but the
steps do not: they stay as long as the linear predictors, or as the unit of length over which an
exponential loss decays.
"""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.rows import RowBlock, Rows
from mcmodels.solvers.tolerances import UNVERIFIABLE_DECREASE

# Steps to the points where the objective is compared with the start. A power ``|t|ᵖ`` has its
# minimum after p - 1 steps of Newton's method, and is higher than at the start after 2(p - 1):
# an exponential is told from every power up to 33. Further away, what a step has of other
# directions may outweigh the decrease.
_FAR = (8.0, 64.0)
# Sums of losses that differ by less than this share show no difference.
_ROUNDING = 8 * UNVERIFIABLE_DECREASE
# 4 to this power is 1e20.
_QUADRUPLINGS = 33
# A column has little curvature left when its mean of ℓ″ is below this share of the largest.
_LITTLE_CURVATURE = 1e-6
# Near a minimum, steps change every linear predictor by less than this share of the largest.
_GROWING = 1e-3


def recedes(
    objective: LinearPredictorObjective, params: Array, step: Array, *, strictly: bool = True
) -> bool:
    """Whether the objective is still lower far beyond the end of a Newton step.

    Without ``strictly`` it may also be the same up to rounding, which hides a decrease where the
    fit has converged. A penalty, however small, grows along all but the intercept: then the step of
    the intercept alone must recede, made as long as the linear predictors, or the decrease must be
    that of a power for 20 decades.
    """
    if objective.is_penalised:
        if falls_for_ever(objective, params, step):
            return True
        alone = np.zeros_like(step)
        if objective.rows.intercept:
            alone[..., -1] = step[..., -1]
        now, change = _largest_predictors(objective.rows, params, alone)
        if not change > _GROWING * max(now, 1.0):
            return False
        step = alone * max(now / change, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        value = objective.value(params)
        limit = np.nextafter(value, -np.inf) if strictly else value + _ROUNDING * abs(value)
        return all(objective.value(params + length * step) <= limit for length in _FAR)


def falls_for_ever(objective: LinearPredictorObjective, params: Array, step: Array) -> bool:
    """Whether the decrease grows like a power of the distance of 1/2 or more, for 20 decades.

    Each distance is 4 times the last, and the decrease must double. A value that is not finite
    proves nothing.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        value, distance = objective.value(params), 1.0
        fallen = value - objective.value(params + step)
        for _ in range(_QUADRUPLINGS):
            distance *= 4.0
            before, fallen = fallen, value - objective.value(params + distance * step)
            if not (0 < 2 * before <= fallen < np.inf):
                return False
    return True


def predictors_grow(rows: Rows, params: Array, step: Array) -> bool:
    """Whether a step changes some linear predictor by more than it would near a minimum."""
    now, change = _largest_predictors(rows, params, step)
    return change > _GROWING * max(now, 1.0)


def _largest_predictors(rows: Rows, params: Array, step: Array) -> tuple[float, float]:
    """Largest size of a linear predictor, and of its change by a step."""

    def largest(block: RowBlock) -> _Largest:
        now, change = block.linear_predictor(params), block.X.predictor(step)
        return _Largest(np.abs([now, change]).max(axis=1, initial=0.0))

    now, change = rows.reduce(largest).values.tolist()
    return now, change


def curvature_is_everywhere(rows: Rows, hessian: Array) -> bool:
    """Whether no column has a much smaller mean of ℓ″ than another, weighted by its squares."""
    squares = column_squares(rows)
    if not squares.all():
        return False
    if squares.size == 0:
        return True
    mean = np.diagonal(hessian).reshape(-1, squares.size) / squares
    return bool(mean.min() > _LITTLE_CURVATURE * mean.max())


def column_squares(rows: Rows) -> Array:
    """``Σ wᵢ x̃ᵢⱼ²`` of each column, the intercept's last."""

    def squares(block: RowBlock) -> Array:
        unit = block.weights_or_ones
        return block.X.diagonal(unit)

    return rows.reduce(squares)


class _Largest:
    """Largest values; two are merged by ``+``."""

    def __init__(self, values: Array) -> None:
        self.values = values

    def __add__(self, other: _Largest) -> _Largest:
        return _Largest(np.maximum(self.values, other.values))
