"""Where a loss falls for ever, by its values far from zero.

No number of values proves what a function does at infinity. A loss counts as falling in a
direction if from some way behind zero to a million it and its slope are finite, the slope never
turns, its size never grows, and the loss comes to rest. Where a loss is convex, as negative
log-likelihoods mostly are, that leaves nothing but losses that turn beyond a million.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array

__all__ = ["falls_far_out", "least_far_out"]

# The distances from zero at which a loss is looked at.
_DISTANCES = tuple(2.0**k for k in range(-1, 21))
# And on the other side of zero, where a loss that is convex is the steeper the further away.
_BEHIND = tuple(-(2.0**k) for k in range(4, -2, -1))
# A loss is at rest when it changes by less than this share between the last two distances.
_AT_REST = 1e-12


def falls_far_out(derivatives: Callable[..., tuple[Array, ...]], y: Any) -> Array:
    """Of each target 1 if ℓ falls as η → ∞, 0 if as η → -∞, ½ if neither; shape (n,).

    Parameters
    ----------
    derivatives : callable
        Takes y, η and orders; returns the derivatives of ℓ of these orders.
    y : ndarray of shape (n,)
        Targets.
    """
    up, down = _falls(derivatives, y, 1.0), _falls(derivatives, y, -1.0)
    return np.where(up & ~down, 1.0, np.where(down & ~up, 0.0, 0.5))


def least_far_out(derivatives: Callable[..., tuple[Array, ...]], y: Any) -> Array:
    """ℓ at the largest distance, on the side to which it falls; zero where it does not fall."""
    side = 2.0 * falls_far_out(derivatives, y) - 1.0
    with np.errstate(all="ignore"):
        (value,) = derivatives(y, side * _DISTANCES[-1], (0,))
    return np.where(side == 0, 0.0, value)


def _falls(
    derivatives: Callable[..., tuple[Array, ...]], y: Any, side: float
) -> npt.NDArray[np.bool_]:
    found, falling = np.ones(len(y), dtype=bool), np.zeros(len(y), dtype=bool)
    value, slope = np.full(len(y), np.inf), np.full(len(y), -np.inf)
    with np.errstate(all="ignore"):
        for distance in (*_BEHIND, *_DISTANCES):
            before, steeper = value, slope
            value, first = derivatives(y, np.full(len(y), side * distance), (0, 1))
            slope = side * first
            falling |= slope < 0
            found &= np.isfinite(value) & (slope <= 0) & (slope >= steeper) & (value <= before)
        rests = np.abs(value - before) <= _AT_REST * np.maximum(np.abs(value), 1.0)
    return found & falling & rests
