"""Intervals of parameters that a score test does not reject.

With the other parameters at their best for a value t of θⱼ, U the derivative of the log-likelihood
in θⱼ there and I the expected information of all parameters, the score statistic of ``θⱼ = t`` is

    ``S(t) = U² (I⁻¹)ⱼⱼ``,

about χ² with one degree of freedom; by the dispersion φ it is ``U² (I⁻¹)ⱼⱼ/φ`` with U and I of the
kernel. The interval has the t with ``S(t) ≤ q²``. Of a proportion it is Wilson's. Sources: Rao
(1948), *Large sample tests of statistical hypotheses*, Proc. Cambridge Philosophical Society 44;
Agresti (2013), *Categorical Data Analysis*, 3rd ed., §1.3.3 and §1.4.2.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import optimize

__all__ = ["score_end"]

# Doublings of the distance in which an end is looked for, and the precision of an end, both in
# standard errors.
_DOUBLINGS, _PRECISION = 30, 1e-10


def score_end(excess: Callable[[float], float], centre: float, step: float) -> float:
    """Where the score statistic reaches its limit, on one side of a value; NaN if not found.

    Parameters
    ----------
    excess : callable
        The statistic at a value of the parameter minus its limit; NaN where it is not known.
    centre : float
        A value inside the interval: where there is a maximum, the estimate.
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
