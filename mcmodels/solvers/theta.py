"""θ of negative binomial targets by maximum likelihood, jointly with the parameters of the mean.

With y a count, ``Γ(y + 1/θ) θʸ/Γ(1/θ) = Π_{j<y} (1 + θj)``, so that

``log p = Σ_{j<y} log(1 + θj) - (y + 1/θ) log(1 + θμ) + y log μ - log y!``

and its derivatives in θ lose no digits for small θ. The maximum is where the derivative of the
profile ``max_β ℓ(β, θ)`` is zero; at the best β for a θ it is ``∂ℓ/∂θ``. Sources: Lawless (1987),
*Negative binomial and mixed Poisson regression*, Canadian Journal of Statistics 15(3), §2; Cameron
and Trivedi (2013), *Regression Analysis of Count Data*, 2nd ed., §3.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from mcmodels.arrays import Array, Penalty
from mcmodels.objectives.families import NegativeBinomial
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.links import Link
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.rows import RowBlock, Rows
from mcmodels.solvers.bounded_means import fit_within_bounds

__all__ = ["ThetaDerivatives", "best_theta", "fit_theta", "theta_derivatives"]

# θ is sought between these. Below the first a negative binomial is a Poisson distribution.
_LEAST, _LARGEST = 1e-8, 1e8
# Factor by which the interval of log θ grows, and the precision of log θ.
_GROWTH, _PRECISION = 4.0, 1e-12
# The fits for each θ end at this gradient, by the total weight, or after so many steps.
_TOLERANCE, _MAX_STEPS = 1e-10, 100
# Below it (log(1 + x) - x/(1 + x))/x² is computed by its series.
_SMALL = 1e-2


@dataclass(frozen=True)
class ThetaDerivatives:
    """Derivatives of minus the log-likelihood.

    Parameters
    ----------
    slope, curvature : float
        In θ.
    cross : ndarray of shape (P,)
        In θ and the parameters of the mean.
    """

    slope: float
    curvature: float
    cross: Array


def theta_derivatives(rows: Rows, theta: float, link: Link, params: Array) -> ThetaDerivatives:
    """The derivatives at some parameters, in one pass over the rows."""

    def summarise(block: RowBlock) -> _Parts:
        eta = block.linear_predictor(params)
        mu, (mean_slope, _) = link.mean(eta), link.slopes(eta)
        first, second = _sums_to(block.y, theta)
        x = theta * mu
        # (y + 1/θ) log(1 + θμ), differentiated once and twice.
        share = mu / (1.0 + x)
        below, lower = _remainders(x)
        once = block.y * share - mu**2 * below
        twice = -block.y * share**2 + mu**3 * lower
        away = (block.y - mu) * mean_slope / (1.0 + x) ** 2
        return _Parts(
            float(block.weighted(once - first).sum()),
            float(block.weighted(twice - second).sum()),
            block.X.adjoint(block.weighted(away)),
        )

    with np.errstate(all="ignore"):
        found = rows.reduce(summarise)
    return ThetaDerivatives(found.slope, found.curvature, found.cross)


def fit_theta(rows: Rows, link: Link, penalty: Penalty, start: Array) -> tuple[float, Array, int]:
    """θ of largest likelihood, and the parameters of the mean there.

    Parameters
    ----------
    rows : Rows
        Design rows, counts and weights.
    link : Link
        The link.
    penalty : float, or ndarray of shape (P,)
        α in ``α‖coef‖²/2``, or that of each column.
    start : ndarray of shape (P,)
        First parameters.

    Returns
    -------
    theta : float
        0 where counts are not more dispersed than Poisson's, infinite where the likelihood rises
        for ever with θ.
    params : ndarray of shape (P,)
        The parameters at the last θ that was tried.
    n_steps : int
        Newton steps of all fits.
    """
    params, n_steps = start, 0

    def slope(theta: float) -> float:
        nonlocal params, n_steps
        loss = FamilyLoss(NegativeBinomial(theta), link)
        objective = UserObjective(rows, UserLoss(loss), penalty)
        *_, step = fit_within_bounds(objective, loss, params, tol=_TOLERANCE, max_iter=_MAX_STEPS)
        params = step.params
        n_steps += step.count if step.iterate is None else step.iterate.count
        return theta_derivatives(rows, theta, link, params).slope

    slope(1.0)
    theta = best_theta(slope, _moment_theta(rows, link, params))
    return theta, params, n_steps


def _moment_theta(rows: Rows, link: Link, params: Array) -> float:
    """``Σ w((y - μ)² - y)/Σ wμ²``, about the θ for which variances are as squares of residuals."""

    def summarise(block: RowBlock) -> Array:
        mu = link.mean(block.linear_predictor(params))
        parts = (block.y - mu) ** 2 - block.y, mu**2
        return np.array([block.weighted(part).sum() for part in parts])

    excess, squares = rows.reduce(summarise)
    return float(np.clip(excess / squares, 1e-3, 1e3))


def best_theta(slope: Callable[[float], float], start: float) -> float:
    """Where the slope of minus the profile likelihood is zero; 0 if it only rises with θ.

    Infinite if it only falls.
    """

    def in_log(tau: float) -> float:
        return slope(float(np.exp(tau)))

    low = high = float(np.log(start))
    at_start = in_log(low)
    if at_start == 0:
        return start
    step = float(np.log(_GROWTH))
    while True:
        if at_start > 0:
            low, high = low - step, low
            if low < np.log(_LEAST):
                return 0.0
            if in_log(low) <= 0:
                break
        else:
            low, high = high, high + step
            if high > np.log(_LARGEST):
                return np.inf
            if in_log(high) >= 0:
                break
    return float(np.exp(optimize.brentq(in_log, low, high, xtol=_PRECISION, rtol=8.9e-16)))


def _sums_to(y: Array, theta: float) -> tuple[Array, Array]:
    """``Σ_{j<y} j/(1 + θj)`` and its derivative ``-Σ_{j<y} (j/(1 + θj))²``."""
    j = np.arange(int(y.max(initial=0.0)) + 1, dtype=np.float64)
    terms = j / (1.0 + theta * j)
    at = y.astype(np.intp)
    first = np.concatenate([[0.0], np.cumsum(terms)])
    second = np.concatenate([[0.0], np.cumsum(terms**2)])
    return first[at], -second[at]


def _remainders(x: Array) -> tuple[Array, Array]:
    """``(log(1 + x) - x/(1 + x))/x²``, and ``(2 log(1 + x) - (3x² + 2x)/(1 + x)²)/x³``."""
    near = np.minimum(x, _SMALL)
    # Σ (-1)^k (k + 1)/(k + 2) x^k, and Σ (-1)^k (k + 1)(k + 2)/(k + 3) x^k.
    first, second = np.zeros_like(x), np.zeros_like(x)
    for k in reversed(range(9)):
        first = (k + 1) / (k + 2) - near * first
        second = (k + 1) * (k + 2) / (k + 3) - near * second
    far = np.maximum(x, _SMALL)
    logarithm = np.log1p(far)
    exact = (logarithm - far / (1.0 + far)) / far**2
    exact_second = (2.0 * logarithm - far * (3.0 * far + 2.0) / (1.0 + far) ** 2) / far**3
    small = x < _SMALL
    return np.where(small, first, exact), np.where(small, second, exact_second)


@dataclass
class _Parts:
    """Sums; ``+=`` adds those of other rows."""

    slope: float
    curvature: float
    cross: Array

    def __iadd__(self, other: _Parts) -> _Parts:
        self.slope += other.slope
        self.curvature += other.curvature
        self.cross = self.cross + other.cross
        return self
