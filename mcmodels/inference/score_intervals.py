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

from mcmodels.arrays import Array
from mcmodels.solvers.crossing import crossing
from mcmodels.solvers.profile import Information, Profile

__all__ = ["score_end"]


def score_end(
    profile: Profile,
    combination: Array,
    information: Information,
    limit: float,
    centre: float,
    step: float,
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
    """

    def excess(value: float) -> float:
        return profile.score(combination, value, information) - limit

    return crossing(excess, centre, step)
