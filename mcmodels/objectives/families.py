"""Families of generalized linear models: variance, deviance and likelihood, given the mean.

The variance of a target is ``φ V(μ)``, with the dispersion φ. Its unit deviance is

``d(y, μ) = 2 ∫_μ^y (y - t)/V(t) dt``,

and minus its log-likelihood is ``d/(2φ)`` up to terms without μ. The *kernel* is ``d/2`` up to
terms without μ.

==================  ==========  ====================================================================
family              V(μ)        kernel
==================  ==========  ====================================================================
normal              1           ``μ²/2 - yμ``
poisson             μ           ``μ - y log μ``
gamma               μ²          ``y/μ + log μ``
inverse_gaussian    μ³          ``y/(2μ²) - 1/μ``
tweedie             μᵖ          ``μ²⁻ᵖ/(2 - p) - y μ¹⁻ᵖ/(1 - p)``
binomial            μ(1 - μ)    ``-y log μ - (1 - y) log(1 - μ)``
negative_binomial   μ + θμ²     ``(y + 1/θ) log(1 + θμ) - y log μ``
==================  ==========  ====================================================================

Sources: McCullagh and Nelder (1989), *Generalized Linear Models*, 2nd ed., §2.2 and §9.2; Jørgensen
(1997), *The Theory of Dispersion Models*, §4.1 (powers); Cameron and Trivedi (2013), *Regression
Analysis of Count Data*, 2nd ed., §3.3 (negative binomial, NB2); Dunn and Smyth (2005), *Series
evaluation of Tweedie exponential dispersion model densities*, Statistics and Computing 15, §2.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from mcmodels.arrays import Array

__all__ = ["Binomial", "Family", "NegativeBinomial", "PowerFamily"]

# Standard deviations of the terms of a Tweedie series that are summed: the next are e^-40 of the
# largest. Terms that are in memory at a time.
_DEVIATIONS, _TERMS = 9.0, 2**20
# Terms within a standard deviation, where there are as many.
_IN_A_DEVIATION = 8.0
# From here on six terms of Stirling's series have all digits.
_STIRLING = 20.0
_LOG_2PI = float(np.log(2.0 * np.pi))
# A mean of every family.
_ANY_MEAN = 0.5


class Family(ABC):
    """A family, row by row; y and μ have shape (b,).

    Attributes
    ----------
    name : str
        Its name.
    link : str
        Name of the link that is taken unless the user names one.
    has_dispersion : bool
        Whether φ is a parameter; else it is one.
    """

    name: str
    link = "log"
    has_dispersion = True

    @abstractmethod
    def variance(self, mu: Array) -> Array:
        """``V(μ)``."""

    def deviation(self, mu: Array) -> Array:
        """``√V(μ)``, also where the square of a mean overflows, or is zero."""
        return np.sqrt(self.variance(mu))

    @abstractmethod
    def variance_slopes(self, mu: Array) -> tuple[Array, Array]:
        """``V′(μ)`` and ``V″(μ)``."""

    @abstractmethod
    def slopes(self, mu: Array) -> tuple[Array, Array]:
        """The derivatives of ``1/V`` and of ``μ/V`` in μ."""

    @abstractmethod
    def kernel(self, y: Array, mu: Array) -> Array:
        """``d(y, μ)/2`` up to terms without μ."""

    @abstractmethod
    def deviance(self, y: Array, mu: Array) -> Array:
        """The unit deviance ``d(y, μ)``."""

    @abstractmethod
    def log_likelihood(self, y: Array, mu: Array, weights: Array, dispersion: Any) -> Array:
        """``wᵢ log p(yᵢ | μᵢ, φ)`` of each row, with all constants.

        The weight of a row counts how often it was observed; of binomial targets it is the number
        of trials of which y is the proportion. φ is a number, or one for each row.
        """

    def saturated_log_likelihood(self, y: Array, weights: Array, dispersion: Any) -> Array:
        """The same at ``μ = y``, or its limit where y is no mean of the family.

        From any other μ it differs by ``w d(y, μ)/(2φ)``.
        """
        mu = np.where(self.has_mean(y), y, _ANY_MEAN)
        left = weights * self.deviance(y, mu) / (2.0 * dispersion)
        return self.log_likelihood(y, mu, weights, dispersion) + left

    @property
    def description(self) -> str:
        """The family in words."""
        return self.name.replace("_", " ")

    def has_mean(self, mu: Array) -> npt.NDArray[np.bool_]:
        """Where μ can be a mean of the family."""
        return mu > 0

    @abstractmethod
    def wrong_targets(self, y: Array) -> tuple[npt.NDArray[np.bool_], str]:
        """Which targets the family cannot have, and what they must be."""


@dataclass(frozen=True)
class PowerFamily(Family):
    """``V(μ) = μᵖ``: normal, Poisson, gamma, inverse Gaussian, and Tweedie's between them.

    Parameters
    ----------
    name : str
        Its name.
    power : float
        p: at most 0, or at least 1.
    """

    name: str
    power: float

    @property
    def link(self) -> str:  # type: ignore[override]
        """Identity for normal targets, else log."""
        return "identity" if self.name == "normal" else "log"

    @property
    def has_dispersion(self) -> bool:  # type: ignore[override]
        """All but Poisson counts have a dispersion."""
        return self.name != "poisson"

    @property
    def description(self) -> str:
        """The family in words, with a power that the user has chosen."""
        name = self.name.replace("_", " ")
        return f"{name}, power {self.power:g}" if name == "tweedie" else name

    def variance(self, mu: Array) -> Array:
        """``μᵖ``."""
        return np.ones_like(mu) if self.power == 0 else mu**self.power

    def deviation(self, mu: Array) -> Array:
        """``μ^(p/2)``."""
        return np.ones_like(mu) if self.power == 0 else mu ** (self.power / 2.0)

    def variance_slopes(self, mu: Array) -> tuple[Array, Array]:
        """``p μᵖ⁻¹`` and ``p (p - 1) μᵖ⁻²``."""
        p = self.power
        if p == 0:
            return np.zeros_like(mu), np.zeros_like(mu)
        return p * mu ** (p - 1.0), p * (p - 1.0) * mu ** (p - 2.0)

    def slopes(self, mu: Array) -> tuple[Array, Array]:
        """``-p μ⁻ᵖ⁻¹`` and ``(1 - p) μ⁻ᵖ``."""
        p = self.power
        if p == 0:
            return np.zeros_like(mu), np.ones_like(mu)
        return -p * mu ** (-p - 1.0), (1.0 - p) * mu**-p

    def kernel(self, y: Array, mu: Array) -> Array:
        """``μ²⁻ᵖ/(2 - p) - y μ¹⁻ᵖ/(1 - p)``, with log μ for a power of zero."""
        p = self.power
        first = np.log(mu) if p == 2 else mu ** (2.0 - p) / (2.0 - p)
        second = np.log(mu) if p == 1 else mu ** (1.0 - p) / (1.0 - p)
        return first - y * second

    def deviance(self, y: Array, mu: Array) -> Array:
        """``2 (y²⁻ᵖ/((1 - p)(2 - p)) - y μ¹⁻ᵖ/(1 - p) + μ²⁻ᵖ/(2 - p))``."""
        p = self.power
        if p == 0:
            return (y - mu) ** 2
        if p == 1:
            return 2.0 * (special.rel_entr(y, mu) - (y - mu))
        if p == 2:
            excess = (y - mu) / mu
            near = np.log1p(np.maximum(excess, -0.5))
            return 2.0 * (excess - np.where(excess > -0.5, near, np.log(y) - np.log(mu)))
        if p == 3:
            return ((y - mu) / mu) ** 2 / y
        saturated = np.maximum(y, 0.0) ** (2.0 - p) / ((1.0 - p) * (2.0 - p))
        return 2.0 * (saturated + self.kernel(y, mu))

    def log_likelihood(self, y: Array, mu: Array, weights: Array, dispersion: Any) -> Array:
        """The normal, Poisson, gamma or inverse Gaussian density, or Tweedie's by its series."""
        p, phi = self.power, dispersion
        if p == 0:
            return -weights / 2.0 * ((y - mu) ** 2 / phi + np.log(phi) + _LOG_2PI)
        if p == 1:
            log_factorial = _of_counts(lambda k: special.gammaln(k + 1.0), y)
            return weights * (special.xlogy(y, mu) - mu - log_factorial) / phi
        if p == 2:
            # Γ(1/φ) by Stirling's formula, whose large parts cancel with those of the density.
            left = self.deviance(y, mu) / phi + np.log(phi) + _LOG_2PI
            return -weights * (left / 2.0 + np.log(y) + _stirling(1.0 / phi))
        if p == 3:
            return -weights / 2.0 * (self.deviance(y, mu) / phi + np.log(phi * y**3) + _LOG_2PI)
        if not 1 < p < 2:
            return np.full(y.shape, np.nan)
        return weights * (-self.kernel(y, mu) / phi + _log_of_series(y, p, phi))

    def has_mean(self, mu: Array) -> npt.NDArray[np.bool_]:
        """Normal targets have any mean, others a positive one."""
        return np.isfinite(mu) if self.power == 0 else mu > 0

    def wrong_targets(self, y: Array) -> tuple[npt.NDArray[np.bool_], str]:
        """Targets are any numbers for p ≤ 0, not negative for 1 ≤ p < 2, positive for p ≥ 2."""
        if self.power <= 0:
            return np.zeros(y.shape, dtype=bool), ""
        if self.power < 2:
            return y < 0, "zero or positive"
        return y <= 0, "positive"


def _of_counts(function: Callable[[Array], Array], y: Array) -> Array:
    """A function of y ≥ 0, computed once for each number where y are small whole numbers."""
    if y.size and y.max() < y.size:
        counts = y.astype(np.intp)
        if (counts == y).all():
            return function(np.arange(counts.max() + 1.0))[counts]
    return function(y)


def _log_of_series(y: Array, p: float, phi: Array | float) -> Array:
    """``log(W(y, φ, p)/y)`` for y > 0, and 0 for y = 0: what a Tweedie density has without μ.

    ``W = Σⱼ xʲ/(j! Γ(ja))`` with ``a = (2 - p)/(p - 1)``. Terms are largest near
    ``y²⁻ᵖ/((2 - p)φ)``, and fall like those of a normal density with variance j (p - 1). Of many,
    as with a small φ, every kth is summed, times k: eight in a standard deviation of a normal
    density are a trapezoidal rule whose error is below rounding.
    """
    found = np.zeros(y.shape)
    positive = np.flatnonzero(y > 0)
    a = (2.0 - p) / (p - 1.0)
    at = y[positive]
    of_each = phi if np.ndim(phi) == 0 else np.asarray(phi)[positive]
    log_x = a * (np.log(at) - np.log((p - 1.0) * of_each)) - np.log((2.0 - p) * of_each)
    largest = at ** (2.0 - p) / ((2.0 - p) * of_each)
    reach = _DEVIATIONS * np.sqrt(largest * (p - 1.0)) + _DEVIATIONS
    first = np.maximum(np.floor(largest - reach), 1.0)
    every = np.maximum(np.floor(np.sqrt(largest * (p - 1.0)) / _IN_A_DEVIATION), 1.0)
    count = int(np.ceil(((largest + reach - first) / every).max(initial=0.0))) + 1
    rows = max(_TERMS // count, 1)
    for start in range(0, len(at), rows):
        part = slice(start, start + rows)
        j = first[part, np.newaxis] + np.arange(count) * every[part, np.newaxis]
        terms = j * log_x[part, np.newaxis] - special.gammaln(j + 1.0) - special.gammaln(a * j)
        sums = special.logsumexp(terms, axis=1) + np.log(every[part])
        found[positive[part]] = sums - np.log(at[part])
    return found


def _stirling(r: Any) -> Any:
    """``log Γ(r) - ((r - 1/2) log r - r + log(2π)/2)``: DLMF 5.11.1."""
    small, large = np.minimum(r, _STIRLING), np.maximum(r, _STIRLING)
    near = special.gammaln(small) - (small - 0.5) * np.log(small) + small - _LOG_2PI / 2.0
    s = 1.0 / large**2
    far = (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s / 1188)))) / large
    return np.where(np.asarray(r) < _STIRLING, near, far)


@dataclass(frozen=True)
class Binomial(Family):
    """``V(μ) = μ(1 - μ)``; y is 0 or 1, or the proportion of successes in as many trials as w."""

    name: str = "binomial"
    link = "logit"
    has_dispersion = False

    def variance(self, mu: Array) -> Array:
        """``μ(1 - μ)``."""
        return mu * (1.0 - mu)

    def variance_slopes(self, mu: Array) -> tuple[Array, Array]:
        """``1 - 2μ`` and -2."""
        return 1.0 - 2.0 * mu, np.full_like(mu, -2.0)

    def slopes(self, mu: Array) -> tuple[Array, Array]:
        """``(2μ - 1)/V²`` and ``1/(1 - μ)²``."""
        return (2.0 * mu - 1.0) / self.variance(mu) ** 2, (1.0 - mu) ** -2

    def kernel(self, y: Array, mu: Array) -> Array:
        """``-y log μ - (1 - y) log(1 - μ)``."""
        return -special.xlogy(y, mu) - special.xlog1py(1.0 - y, -mu)

    def deviance(self, y: Array, mu: Array) -> Array:
        """``2 (y log(y/μ) + (1 - y) log((1 - y)/(1 - μ)))``."""
        return 2.0 * (special.rel_entr(y, mu) + special.rel_entr(1.0 - y, 1.0 - mu))

    def log_likelihood(self, y: Array, mu: Array, weights: Array, dispersion: Any) -> Array:
        """The binomial probability of ``wy`` successes in w trials."""
        return (self.log_ways(y, weights) - weights * self.kernel(y, mu)) / dispersion

    def log_ways(self, y: Array, weights: Array) -> Array:
        """Logarithm of the number of ways to have ``wy`` successes in w trials."""
        if (weights == 1).all() and ((y == 0) | (y == 1)).all():
            return np.zeros(y.shape)
        successes = weights * y
        return (
            special.gammaln(weights + 1.0)
            - special.gammaln(successes + 1.0)
            - special.gammaln(weights - successes + 1.0)
        )

    def has_mean(self, mu: Array) -> npt.NDArray[np.bool_]:
        """A probability, neither 0 nor 1."""
        return (mu > 0) & (mu < 1)

    def wrong_targets(self, y: Array) -> tuple[npt.NDArray[np.bool_], str]:
        """Proportions."""
        return (y < 0) | (y > 1), "proportions between 0 and 1 (with the trials as weights)"


@dataclass(frozen=True)
class NegativeBinomial(Family):
    """``V(μ) = μ + θμ²``.

    Parameters
    ----------
    theta : float
        θ > 0.
    """

    theta: float
    name: str = "negative_binomial"
    has_dispersion = False

    @property
    def description(self) -> str:
        """The family in words, with θ."""
        return f"negative binomial, theta {self.theta:g}"

    def variance(self, mu: Array) -> Array:
        """``μ + θμ²``."""
        return mu * (1.0 + self.theta * mu)

    def deviation(self, mu: Array) -> Array:
        """``√(μ + θμ²)``."""
        return np.sqrt(mu) * np.sqrt(1.0 + self.theta * mu)

    def variance_slopes(self, mu: Array) -> tuple[Array, Array]:
        """``1 + 2θμ`` and 2θ."""
        return 1.0 + 2.0 * self.theta * mu, np.full_like(mu, 2.0 * self.theta)

    def slopes(self, mu: Array) -> tuple[Array, Array]:
        """``-(1 + 2θμ)/V²`` and ``-θ/(1 + θμ)²``."""
        theta = self.theta
        inverse = -(1.0 + 2.0 * theta * mu) / self.variance(mu) ** 2
        return inverse, -theta / (1.0 + theta * mu) ** 2

    def kernel(self, y: Array, mu: Array) -> Array:
        """``(y + 1/θ) log(1 + θμ) - y log μ``."""
        return (y + 1.0 / self.theta) * np.log1p(self.theta * mu) - special.xlogy(y, mu)

    def deviance(self, y: Array, mu: Array) -> Array:
        """``2 (y log(y/μ) - (y + 1/θ) log((1 + θy)/(1 + θμ)))``."""
        theta = self.theta
        excess = theta * (y - mu) / (1.0 + theta * mu)
        return 2.0 * (special.rel_entr(y, mu) - (y + 1.0 / theta) * np.log1p(excess))

    def log_likelihood(self, y: Array, mu: Array, weights: Array, dispersion: Any) -> Array:
        """The negative binomial probability of y."""

        # Γ(y + r)/(Γ(r) Γ(y + 1)) = 1/(y B(y, r)); for large r the gamma functions cancel.
        def log_ways(y: Array) -> Array:
            some = np.where(y > 0, y, 1.0)
            return np.where(y > 0, -special.betaln(some, 1.0 / self.theta) - np.log(some), 0.0)

        ways = _of_counts(log_ways, y)
        log_theta = special.xlogy(y, self.theta)
        return weights * (ways + log_theta - self.kernel(y, mu)) / dispersion

    def wrong_targets(self, y: Array) -> tuple[npt.NDArray[np.bool_], str]:
        """Counts, or other numbers that are not negative."""
        return y < 0, "zero or positive"
