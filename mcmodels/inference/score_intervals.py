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

from collections.abc import Sequence

import numpy as np
from scipy import optimize, stats

from mcmodels.arrays import Array
from mcmodels.solvers.profile import Information, Profile

__all__ = ["score_ends"]

# Doublings of the distance in which an end is looked for, and the precision of an end, both in
# standard errors.
_DOUBLINGS, _PRECISION = 30, 1e-10


def score_ends(
    profile: Profile,
    information: Information,
    chosen: Sequence[int],
    level: float,
    scale: tuple[float, float],
    params: Array,
    errors: Array,
) -> Array:
    """The ends of the intervals of some parameters, shape (k, 2); NaN where one was not found.

    Parameters
    ----------
    profile : Profile
        Of minus the log-likelihood, times φ.
    information : callable
        Gives an objective the information matrix for a Hessian.
    chosen : sequence of int
        Positions.
    level : float
        Coverage.
    scale : tuple of float
        φ, and its degrees of freedom, infinite where it is known.
    params, errors : ndarray of shape (P,)
        The maximum, and standard errors.
    """
    dispersion, df = scale
    limit = dispersion * float(stats.t.ppf((1 + level) / 2, df)) ** 2

    def end(k: int, side: float) -> float:
        unit, centre, error = profile.unit(k), float(params[k]), float(errors[k])

        def excess(distance: float) -> float:
            found = profile.score(unit, centre + side * distance * error, information)
            if np.isnan(found):
                raise _NotFoundError
            return found - limit

        inside, outside = 0.0, 1.0
        try:
            for _ in range(_DOUBLINGS):
                if excess(outside) > 0:
                    break
                inside, outside = outside, 2.0 * outside
            else:
                return np.nan
            if inside == 0.0:
                inside = _PRECISION
            return centre + side * error * optimize.brentq(excess, inside, outside, xtol=_PRECISION)
        except _NotFoundError:
            return np.nan

    return np.array([[end(k, side) for side in (-1.0, 1.0)] for k in chosen]).reshape(-1, 2)


class _NotFoundError(Exception):
    """Nothing is known of the profile at a value."""
