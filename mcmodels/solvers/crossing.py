"""Where a function of one number crosses zero: the ends of intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import optimize

__all__ = ["crossing"]

# Doublings of the distance in which an end is looked for, and the precision of an end, both in
# standard errors.
_DOUBLINGS, _PRECISION = 30, 1e-10


def crossing(excess: Callable[[float], float], centre: float, step: float) -> float:
    """Where a function of a parameter crosses zero, on one side of a value; NaN if not found.

    Parameters
    ----------
    excess : callable
        A statistic at a value of the parameter minus its limit; NaN where it is not known.
    centre : float
        A value at which the function is negative: where there is a maximum, the estimate.
    step : float
        A first distance towards the end: a standard error with the sign of the side.
    """

    def at(distance: float) -> float:
        found = excess(centre + distance * step)
        if np.isnan(found):
            raise _NotFoundError
        return found

    inside, outside = 0.0, 1.0
    try:
        for _ in range(_DOUBLINGS):
            if at(outside) > 0:
                break
            inside, outside = outside, 2.0 * outside
        else:
            return np.nan
        if inside == 0.0:
            inside = _PRECISION
        return centre + step * float(optimize.brentq(at, inside, outside, xtol=_PRECISION))
    except _NotFoundError:
        return np.nan


class _NotFoundError(Exception):
    """Nothing is known of the profile at a value."""
