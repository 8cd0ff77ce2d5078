"""Where a function of one number crosses zero: the ends of intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import optimize

__all__ = ["crossing"]

# Doublings of the distance in which an end is looked for, and bisections towards values at which
# the function is known.
_DOUBLINGS, _BISECTIONS = 30, 50
# The precision of an end in standard errors, and the distance from what is known within which no
# end is looked for among values of which nothing is known.
_PRECISION, _LOST = 1e-10, 1e-2


def crossing(
    excess: Callable[[float], float], centre: float, step: float, doublings: int = _DOUBLINGS
) -> float:
    """Where a function of a parameter crosses zero, on one side of a value; NaN if not found.

    Where the parameter has no values beyond a border, before the function is zero, the end is the
    last value inside.

    Parameters
    ----------
    excess : callable
        A statistic at a value of the parameter minus its limit; infinite where the parameter cannot
        have the value, NaN where nothing is known.
    centre : float
        A value at which the function is negative: where there is a maximum, the estimate.
    step : float
        A first distance towards the end: a standard error with the sign of the side.
    doublings : int, default=30
        How often the distance is doubled.
    """

    def at(distance: float) -> float:
        return excess(centre + distance * step)

    inside, outside = 0.0, 1.0
    for _ in range(doublings):
        above = at(outside)
        if not above <= 0:
            break
        inside, outside = outside, 2.0 * outside
    else:
        return np.nan
    # Nearer values may be known where farther ones are not.
    for _ in range(_BISECTIONS):
        enough = _LOST if np.isnan(above) else _PRECISION
        if np.isfinite(above) or outside - inside <= enough:
            break
        middle = (inside + outside) / 2.0
        found = at(middle)
        inside, outside, above = (middle, outside, above) if found <= 0 else (inside, middle, found)
    if not np.isfinite(above):
        return centre + inside * step if above == np.inf else np.nan
    if inside == 0.0:
        inside = min(_PRECISION, outside / 2.0)
        if not at(inside) <= 0:
            return np.nan

    def known(distance: float) -> float:
        found = at(distance)
        if np.isnan(found):
            raise _NotFoundError
        return found

    try:
        return centre + step * float(optimize.brentq(known, inside, outside, xtol=_PRECISION))
    except _NotFoundError:
        return np.nan


class _NotFoundError(Exception):
    """Nothing is known of the function at a value."""
