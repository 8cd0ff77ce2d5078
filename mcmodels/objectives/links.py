"""Links η = g(μ) of generalized linear models: the mean as a function of the linear predictor.

Source: McCullagh and Nelder (1989), *Generalized Linear Models*, 2nd ed., §2.3.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy import special

from mcmodels.arrays import Array

__all__ = [
    "LINKS",
    "Link",
    "LogLink",
    "PowerLink",
    "exponential_ratios",
    "inverse_mills_ratio",
    "third_of_softplus",
]

_ROOT_2PI = float(np.sqrt(2.0 * np.pi))
# Below it t/(1 - e^-t) - 1 is computed by its power series; e^-t is zero for larger t.
_NEAR, _LARGE = 0.3, 1e3


class Link(ABC):
    """A link and its inverse, row by row; η and μ have shape (b,).

    Outside the domain of the link, μ is NaN or infinite.
    """

    name: str

    @abstractmethod
    def predictor(self, mu: Array) -> Array:
        """``η = g(μ)``."""

    @abstractmethod
    def mean(self, eta: Array) -> Array:
        """``μ = g⁻¹(η)``."""

    @abstractmethod
    def slopes(self, eta: Array) -> tuple[Array, Array]:
        """``dμ/dη`` and ``d²μ/dη²``."""

    @abstractmethod
    def third_derivative(self, eta: Array) -> Array:
        """``d³μ/dη³``."""

    has_pole_at_zero = False

    def limit_of_mean(self, eta: Array) -> Array:
        """``μ``, also at the ends of the domain."""
        return self.mean(eta)

    def complement(self, eta: Array) -> Array:
        """``1 - μ``, with every digit where μ is a probability close to one."""
        return 1.0 - self.mean(eta)


@dataclass(frozen=True)
class LogLink(Link):
    """``η = log μ``."""

    name: str = "log"

    def predictor(self, mu: Array) -> Array:
        """``log μ``."""
        return np.log(mu)

    def mean(self, eta: Array) -> Array:
        """``e^η``."""
        return np.exp(eta)

    def slopes(self, eta: Array) -> tuple[Array, Array]:
        """``e^η`` twice."""
        mu = np.exp(eta)
        return mu, mu

    def third_derivative(self, eta: Array) -> Array:
        """``e^η``."""
        return np.exp(eta)

    def complement(self, eta: Array) -> Array:
        """``1 - e^η``."""
        return -np.expm1(eta)


@dataclass(frozen=True)
class PowerLink(Link):
    """``μ = η^k``, for η > 0; identity and inverse are defined for negative η, too.

    Parameters
    ----------
    name : str
        Name of the link.
    power : float
        k.
    """

    name: str
    power: float

    def predictor(self, mu: Array) -> Array:
        """``μ^(1/k)``."""
        return self._of(mu, 1.0 / self.power)

    def mean(self, eta: Array) -> Array:
        """``η^k``."""
        return self._of(eta, self.power)

    @property
    def has_pole_at_zero(self) -> bool:  # type: ignore[override]
        """Whether means of the inverse link change their sign where η does, by infinity."""
        return self.power == -1.0

    def limit_of_mean(self, eta: Array) -> Array:
        """``η^k`` for η ≥ 0, zero or infinite at zero; for whole k also below."""
        return np.power(eta, self.power)

    def slopes(self, eta: Array) -> tuple[Array, Array]:
        """``k η^(k-1)`` and ``k (k - 1) η^(k-2)``."""
        k = self.power
        first = k * self._of(eta, k - 1.0)
        return first, np.zeros_like(eta) if k == 1.0 else k * (k - 1.0) * self._of(eta, k - 2.0)

    def third_derivative(self, eta: Array) -> Array:
        """``k (k - 1) (k - 2) η^(k-3)``."""
        factor = self.power * (self.power - 1.0) * (self.power - 2.0)
        return factor * self._of(eta, self.power - 3.0) if factor else np.zeros_like(eta)

    def _of(self, values: Array, power: float) -> Array:
        """A power of η or μ; NaN where the link is not defined."""
        if self.power in (1.0, -1.0):  # the powers are whole numbers
            return np.power(values, power)
        return np.power(np.where(values > 0, values, np.nan), power)


@dataclass(frozen=True)
class LogitLink(Link):
    """``η = log(μ/(1 - μ))``."""

    name: str = "logit"

    def predictor(self, mu: Array) -> Array:
        """``log(μ/(1 - μ))``."""
        return special.logit(mu)

    def mean(self, eta: Array) -> Array:
        """``σ(η)``."""
        return special.expit(eta)

    def complement(self, eta: Array) -> Array:
        """``σ(-η)``."""
        return special.expit(-eta)

    def slopes(self, eta: Array) -> tuple[Array, Array]:
        """``σ(η)σ(-η)``, and that times ``σ(-η) - σ(η) = -tanh(η/2)``."""
        first = special.expit(eta) * special.expit(-eta)
        return first, -np.tanh(eta / 2.0) * first

    def third_derivative(self, eta: Array) -> Array:
        """``s (1 - 6s)`` with ``s = σ(η)σ(-η)``."""
        first = special.expit(eta) * special.expit(-eta)
        return first * (1.0 - 6.0 * first)


@dataclass(frozen=True)
class ProbitLink(Link):
    """``η = Φ⁻¹(μ)``."""

    name: str = "probit"

    def predictor(self, mu: Array) -> Array:
        """``Φ⁻¹(μ)``."""
        return special.ndtri(mu)

    def mean(self, eta: Array) -> Array:
        """``Φ(η)``."""
        return special.ndtr(eta)

    def complement(self, eta: Array) -> Array:
        """``Φ(-η)``."""
        return special.ndtr(-eta)

    def slopes(self, eta: Array) -> tuple[Array, Array]:
        """``φ(η)`` and ``-η φ(η)``."""
        density = np.exp(-(eta**2) / 2.0) / _ROOT_2PI
        return density, -eta * density

    def third_derivative(self, eta: Array) -> Array:
        """``(η² - 1) φ(η)``."""
        return (eta**2 - 1.0) * np.exp(-(eta**2) / 2.0) / _ROOT_2PI


@dataclass(frozen=True)
class CloglogLink(Link):
    """``η = log(-log(1 - μ))``."""

    name: str = "cloglog"

    def predictor(self, mu: Array) -> Array:
        """``log(-log(1 - μ))``."""
        return np.log(-np.log1p(-mu))

    def mean(self, eta: Array) -> Array:
        """``1 - exp(-e^η)``."""
        return -np.expm1(-np.exp(eta))

    def complement(self, eta: Array) -> Array:
        """``exp(-e^η)``."""
        return np.exp(-np.exp(eta))

    def slopes(self, eta: Array) -> tuple[Array, Array]:
        """``t e^-t`` and ``t (1 - t) e^-t`` with ``t = e^η``."""
        t = np.exp(eta)
        first = np.exp(eta - t)
        return first, np.where(first > 0, (1.0 - t) * first, 0.0)

    def third_derivative(self, eta: Array) -> Array:
        """``t (1 - 3t + t²) e^-t`` with ``t = e^η``."""
        t = np.exp(eta)
        first = np.exp(eta - t)
        return np.where(first > 0, (1.0 + t * (t - 3.0)) * first, 0.0)


def third_of_softplus(eta: Array) -> Array:
    """The third derivative of ``log(1 + e^η)``: ``-σ(η)σ(-η) tanh(η/2)``, shape of η."""
    t = np.exp(-np.abs(eta))
    return -np.tanh(eta / 2.0) * (t / (1.0 + t) ** 2)


def inverse_mills_ratio(eta: Array, minus_log: Array) -> Array:
    """``φ(η)/Φ(η)`` with all digits, shape of η; ``minus_log`` is ``-log Φ(η)``."""
    near = np.exp(-(eta**2) / 2.0 + minus_log) / _ROOT_2PI
    tail = np.sqrt(2.0 / np.pi) / special.erfcx(np.maximum(-eta, 0.0) / np.sqrt(2.0))
    return np.where(eta < -1.0, tail, near)


def exponential_ratios(t: Array) -> tuple[Array, Array, Array]:
    """t, ``t/(e^t - 1)`` and ``t/(1 - e^-t) - 1`` with all digits, for t ≥ 0; each the shape of t.

    A larger t than 1000, whose ``e^-t`` is zero, becomes 1000. For small t the last is the series
    ``t/2 + Σ B₂ₖ t²ᵏ/(2k)!`` with Bernoulli's numbers B (Abramowitz and Stegun 1964, 23.1.1).
    """
    t = np.minimum(t, _LARGE)
    near = np.minimum(t, _NEAR)
    series = near / 2 + near**2 / 12 - near**4 / 720 + near**6 / 30240 - near**8 / 1209600
    excess = np.where(t < _NEAR, series, -t / np.expm1(-t) - 1.0)
    return t, np.where(t > 0, t / np.expm1(t), 1.0), excess


LINKS: dict[str, Link] = {
    link.name: link
    for link in (
        PowerLink("identity", 1.0),
        LogLink(),
        LogitLink(),
        ProbitLink(),
        CloglogLink(),
        PowerLink("inverse", -1.0),
        PowerLink("inverse_squared", -0.5),
        PowerLink("sqrt", 2.0),
    )
}
