"""Intervals of parameters that a score test does not reject.

With the other parameters at their best for a value t of θⱼ, U the derivative of the log-likelihood
in θⱼ there and I the expected information of all parameters, the score statistic of ``θⱼ = t`` is

    ``S(t) = U² (I⁻¹)ⱼⱼ``,

about χ² with one degree of freedom; by the dispersion φ it is ``U² (I⁻¹)ⱼⱼ/φ`` with U and I of the
kernel. The interval has the t with ``S(t) ≤ q²``. Of a proportion it is Wilson's. Links whose means
have bounds leave t a range: where S is below its limit up to the end of the range, the interval
ends there, too. Where the best values of the others are at the bounds, their derivatives are not
zero, and S is not defined. Sources: Rao
(1948), *Large sample tests of statistical hypotheses*, Proc. Cambridge Philosophical Society 44;
Agresti (2013), *Categorical Data Analysis*, 3rd ed., §1.3.3 and §1.4.2.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mcmodels.arrays import Array
from mcmodels.solvers.crossing import crossing
from mcmodels.solvers.profile import Information, Profile
from mcmodels.solvers.refits import Held

__all__ = ["score_end"]


def score_end(
    profile: Profile,
    combination: Array,
    information: Information,
    limit: float,
    centre: float,
    step: float,
    held: Callable[[float], Held],
) -> float:
    """Where the score statistic reaches its limit, on one side of the estimate; NaN if not found.

    Parameters
    ----------
    profile : Profile
        Of minus the log-likelihood, times φ.
    combination : ndarray
        The parameter, as a combination of all.
    information : callable
        Gives an objective the information matrix for a Hessian.
    limit : float
        ``φq²``.
    centre, step : float
        The estimate, and a standard error with the sign of the side.
    held : callable
        A fit with the parameter held at a value, for what the profile does not find.
    """

    def excess(value: float) -> float:
        found = profile.score(combination, value, information)
        if np.isnan(found):
            other = held(value)
            if other.params is None:
                return np.inf if other.least == np.inf else np.nan
            found = profile.score_at(other.params, combination, information)
        return found - limit

    return crossing(excess, centre, step)
