"""Losses without a least value: whether the minimum lies infinitely far away.

Of a convex function that is bounded below, a direction along which it never rises leads either to
a minimum or for ever away (Rockafellar 1970, *Convex Analysis*, theorem 8.6). What Newton's method
sees of the latter is a step that stays as long as the linear predictors are, or as the unit in
which an exponential falls, although the gradient is gone.
"""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.rows import RowBlock, Rows

# Steps beyond the minimum that a parabola would have at one: it rises by 24 of its depths.
_FAR = 8.0
# Share of the largest mean of ℓ″ in which a column has hardly any left.
_LOST = 1e-6
# Near a minimum a step moves no predictor by this share of the largest.
_GROWING = 1e-3


def recedes(objective: LinearPredictorObjective, params: Array, step: Array) -> bool:
    """Whether the objective goes on falling along a Newton step, far beyond its end."""
    with np.errstate(over="ignore", invalid="ignore"):
        return objective.value(params + _FAR * step) < objective.value(params)


def predictors_grow(rows: Rows, params: Array, step: Array) -> bool:
    """Whether a step moves some linear predictor as it would not near a minimum."""

    def largest(block: RowBlock) -> _Largest:
        both = block.X.predictor(np.stack([params, step]))
        return _Largest(np.abs(both).max(axis=0, initial=0.0))

    now, change = rows.reduce(largest).values
    return bool(change > _GROWING * max(now, 1.0))


def curvature_is_everywhere(rows: Rows, hessian: Array) -> bool:
    """Whether no column has a much smaller mean of ℓ″ than another, by the squares in some rows."""

    def squares(block: RowBlock) -> Array:
        unit = np.ones(block.X.n_rows) if block.weights is None else block.weights
        return block.X.diagonal(unit)

    length = rows.reduce(squares)
    if not length.all():
        return False
    mean = np.diagonal(hessian) / length
    return bool(mean.min() > _LOST * mean.max())


class _Largest:
    """Largest values; they merge by ``+``."""

    def __init__(self, values: Array) -> None:
        self.values = values

    def __add__(self, other: _Largest) -> _Largest:
        return _Largest(np.maximum(self.values, other.values))
