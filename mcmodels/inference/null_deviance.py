"""The deviance of a model without slopes, from sums that a fit has kept.

The kernel of a family is linear in y, so that its sum over rows that share one mean μ₀ is
``Σw ℓ(ȳ, g(μ₀))`` with the weighted mean ȳ. Deviances are twice the kernel up to terms of y alone
(McCullagh and Nelder 1989, *Generalized Linear Models*, 2nd ed., §2.3), and so
``D₀ = D + 2(Σw ℓ(ȳ, g(μ₀)) - Σ wᵢ ℓ(yᵢ, ηᵢ))``. With an intercept μ₀ is ȳ, for every link; without
one ``g(μ₀) = 0``, as in R's ``glm``.
"""

from __future__ import annotations

import numpy as np

from mcmodels.objectives.family_loss import FamilyLoss

__all__ = ["null_deviance"]

# The difference of kernels may cancel; a result with fewer digits than this is none.
_LARGEST_ERROR = 1e-7


def null_deviance(
    loss: FamilyLoss,
    deviance: float,
    kernel: float,
    y_sum: float,
    total_weight: float,
    *,
    intercept: bool,
) -> float:
    """The deviance of the model without slopes and without offset.

    Parameters
    ----------
    loss : FamilyLoss
        Family and link.
    deviance : float
        D, that of the fit.
    kernel : float
        ``Σ wᵢ ℓ(yᵢ, ηᵢ)`` of the fit.
    y_sum, total_weight : float
        ``Σ wᵢyᵢ`` and ``Σ wᵢ``.
    intercept : bool
        Whether the fit has an intercept.

    Returns
    -------
    float
        NaN where η = 0 has no mean, or where the difference has lost its digits.
    """
    mean = np.array([y_sum / total_weight])
    with np.errstate(all="ignore"):
        eta = loss.link.predictor(mean) if intercept else np.zeros(1)
        of_null = total_weight * float(loss(mean, eta, (0,))[0][0])
        found = deviance + 2.0 * (of_null - kernel)
    sizes = 2.0 * (abs(of_null) + abs(kernel)) + deviance
    lost = not np.isfinite(found) or float(np.finfo(np.float64).eps) * sizes > (
        _LARGEST_ERROR * abs(found)
    )
    return np.nan if lost else found
