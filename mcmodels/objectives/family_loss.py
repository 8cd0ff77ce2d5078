"""The kernel of a family as a loss ℓ(y, η) in the linear predictor, with ℓ′ and ℓ″.

With ``μ = g⁻¹(η)`` and the kernel of :mod:`mcmodels.objectives.families`,

``ℓ′ = (μ - y) μ′/V`` and ``ℓ″ = (μ - y) μ″/V + μ′² ((μ/V)′ - y (1/V)′)``.

These forms lose digits, or overflow, where a mean is extreme. So pairs of family and link that have
simpler ones are computed by them:

======================  ===========================================================================
powers, log             ``ℓ′ = μ²⁻ᵖ - y μ¹⁻ᵖ``, ``ℓ″ = (2 - p) μ²⁻ᵖ - (1 - p) y μ¹⁻ᵖ``
powers, ``μ = η^k``     ``ℓ′ = k (η^(a-1) - y η^(b-1))``,
                        ``ℓ″ = k ((a - 1) η^(a-2) - (b - 1) y η^(b-2))``
                        with ``a = k(2 - p)`` and ``b = k(1 - p)``
negative binomial, log  ``ℓ′ = u/θ - y (1 - u)``, ``ℓ″ = (y + 1/θ) u (1 - u)``, ``u = σ(η + log θ)``
binomial                ``ℓ = y A(η) + (1 - y) B(η)`` with ``A = -log μ`` and ``B = -log(1 - μ)``
======================  ===========================================================================

Where η is outside the domain, ℓ is infinite. The third derivative ℓ‴ is in
:mod:`mcmodels.objectives.family_thirds`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from mcmodels.arrays import Array
from mcmodels.objectives.families import Binomial, Family, NegativeBinomial, PowerFamily
from mcmodels.objectives.family_thirds import third_derivative, thirds_of_minus_logs
from mcmodels.objectives.links import (
    CloglogLink,
    Link,
    LogitLink,
    LogLink,
    PowerLink,
    ProbitLink,
    exponential_ratios,
    inverse_mills_ratio,
)

__all__ = ["ExpectedInformation", "FamilyLoss"]

# From here on the tail of the normal distribution is computed by its asymptotic series.
_FAR = 50.0

# ℓ, ℓ′ and ℓ″ of each row.
Orders = tuple[Array, Array, Array]


@dataclass(frozen=True)
class FamilyLoss:
    """ℓ(y, η) of a family and a link; see :class:`mcmodels.objectives.user_loss.PointwiseFunction`.

    Parameters
    ----------
    family : Family
        The family.
    link : Link
        The link.
    """

    family: Family
    link: Link

    def __call__(self, y: Array, eta: Array, orders: tuple[int, ...]) -> tuple[Array, ...]:
        """The derivatives of these orders, each of the shape of eta."""
        with np.errstate(all="ignore"):  # solvers reject values that are not finite
            if 3 in orders:
                return self._with_third(y, eta, orders)
            if isinstance(self.family, Binomial) and isinstance(self.link, LogitLink):
                return _logistic(y, eta, orders)
            if isinstance(self.family, PowerFamily) and isinstance(self.link, LogLink):
                return _power_of_exponential(self.family.power, y, eta, orders)
            found = self._all(y, eta)
            outside = self.outside(eta)
        if outside is not None and outside.any():
            return tuple(np.where(outside, np.inf, found[order]) for order in orders)
        return tuple(found[order] for order in orders)

    @property
    def is_convex(self) -> bool:
        """Whether ℓ″ is known not to be negative, so that a minimum is the only one."""
        family, link = self.family, self.link
        if isinstance(link, LogLink):
            is_power = isinstance(family, PowerFamily) and 1 <= family.power <= 2
            return is_power or isinstance(family, NegativeBinomial)
        if isinstance(family, PowerFamily) and isinstance(link, PowerLink):
            return link.power * (1.0 - family.power) == 1.0  # the canonical link
        return isinstance(family, Binomial) and isinstance(
            link, LogitLink | ProbitLink | CloglogLink
        )

    @property
    def of_classes(self) -> bool:
        """Whether rows that fall for ever are those of separated classes."""
        return isinstance(self.family, Binomial)

    def falls(self, y: Array) -> Array:
        """Where ℓ of each row falls for ever; see :meth:`mcmodels.objectives.losses.Loss.falls`.

        Binomial targets of 1 and 0 do with a link whose domain has no bounds, counts of 0 and
        other targets of 0 of Tweedie's families with a logarithm. The infimum of ℓ is zero.
        """
        neither = np.full(len(y), 0.5)
        if isinstance(self.family, Binomial):
            if isinstance(self.link, LogitLink | ProbitLink | CloglogLink):
                return np.where(y == 1, 1.0, np.where(y == 0, 0.0, neither))
            return neither
        power = isinstance(self.family, PowerFamily) and 1 <= self.family.power < 2
        if isinstance(self.link, LogLink) and (power or isinstance(self.family, NegativeBinomial)):
            return np.where(y == 0, 0.0, neither)
        return neither

    def infimum(self, y: Array) -> Array:
        """Zero, for rows that fall for ever."""
        return np.zeros(len(y))

    def deviance(self, y: Array, eta: Array) -> Array:
        """The unit deviance ``d(y, μ)``, shape (b,)."""
        if not isinstance(self.family, Binomial):
            return self.family.deviance(y, self.link.mean(eta))
        # Outcomes alone have a kernel with all digits, and no entropy.
        outcomes, of_outcomes = (y == 0) | (y == 1), 2.0 * self(y, eta, (0,))[0]
        if outcomes.all():
            return of_outcomes
        # 1 - μ has its digits where μ rounds to one.
        mu, rest = self.link.mean(eta), self.link.complement(eta)
        of_shares = 2.0 * (special.rel_entr(y, mu) + special.rel_entr(1.0 - y, rest))
        return np.where(outcomes, of_outcomes, of_shares)

    def pearson(self, y: Array, eta: Array) -> Array:
        """``(y - μ)/√V(μ)``, shape (b,)."""
        mu = self.link.mean(eta)
        if not isinstance(self.family, Binomial):
            return (y - mu) / self.family.deviation(mu)
        rest, success = self.link.complement(eta), y == 1
        odds = np.where(success, rest, mu) / np.where(success, mu, rest)
        of_outcomes = np.where(success, 1.0, -1.0) * np.sqrt(odds)
        outcomes = success | (y == 0)
        if outcomes.all():
            return of_outcomes
        of_shares = (y * rest - (1.0 - y) * mu) / (np.sqrt(mu) * np.sqrt(rest))
        return np.where(outcomes, of_outcomes, of_shares)

    def log_likelihood(self, y: Array, eta: Array, weights: Array, dispersion: Any) -> Array:
        """``wᵢ log p(yᵢ | μᵢ, φ)`` of each row, with all constants; φ may be that of each row."""
        if isinstance(self.family, Binomial):
            ways = self.family.log_ways(y, weights)
            return (ways - weights * self(y, eta, (0,))[0]) / dispersion
        return self.family.log_likelihood(y, self.link.mean(eta), weights, dispersion)

    @property
    def domain(self) -> tuple[float, float]:
        """The open interval of η in which every row has a mean of the family.

        That of the inverse link and normal targets, which is all but zero, counts as unbounded.
        """
        positive_alone = not self.family.has_mean(np.array([-1.0]))[0]
        below_one_alone = not self.family.has_mean(np.array([2.0]))[0]
        if isinstance(self.link, LogLink):
            return -np.inf, 0.0 if below_one_alone else np.inf
        if not isinstance(self.link, PowerLink):
            return -np.inf, np.inf
        k = self.link.power
        least = 0.0 if positive_alone or k not in (1.0, -1.0) else -np.inf
        if not below_one_alone:
            return least, np.inf
        return (least, 1.0) if k > 0 else (1.0, np.inf)

    def outside(self, eta: Array) -> npt.NDArray[np.bool_] | None:
        """Where η gives no mean of the family; None if every η gives one, up to rounding."""
        if isinstance(self.link, LogLink) and isinstance(self.family, Binomial):
            return eta >= 0
        if isinstance(self.link, PowerLink):
            mu = self.link.mean(eta)
            return ~(self.family.has_mean(mu) & np.isfinite(mu))
        return None

    def expected_curvature(self, eta: Array) -> Array:
        """``μ′²/V``, the mean of ℓ″ over targets; shape (b,)."""
        with np.errstate(all="ignore"):
            if isinstance(self.family, Binomial):
                first, second = _minus_logs(self.link, eta)
                # Σ over both outcomes of the probability times the square of the slope.
                mu, rest = self.link.mean(eta), self.link.complement(eta)
                # An outcome without a probability adds nothing, where its slope is infinite too.
                of_success = np.where(mu > 0, mu * first[1] ** 2, 0.0)
                return of_success + np.where(rest > 0, rest * second[1] ** 2, 0.0)
            mu, (slope, _) = self.link.mean(eta), self.link.slopes(eta)
            return (slope / self.family.deviation(mu)) ** 2

    def _with_third(self, y: Array, eta: Array, orders: tuple[int, ...]) -> tuple[Array, ...]:
        if isinstance(self.family, Binomial):
            third = _mixture(y, *thirds_of_minus_logs(self.link, eta))
        else:
            third = third_derivative(self.family, self.link, y, eta)
        outside = self.outside(eta)
        if outside is not None and outside.any():
            third = np.where(outside, np.inf, third)
        lower = tuple(order for order in orders if order != 3)
        found = dict(zip(lower, self(y, eta, lower) if lower else (), strict=True))
        return tuple(third if order == 3 else found[order] for order in orders)

    def _all(self, y: Array, eta: Array) -> Orders:
        family, link = self.family, self.link
        if isinstance(family, Binomial):
            success, failure = _minus_logs(link, eta)
            value, slope, curvature = map(_mixture, (y, y, y), success, failure)
            return value, slope, curvature
        if isinstance(family, PowerFamily) and isinstance(link, PowerLink):
            return _power_of_power(family, link.power, y, eta)
        if isinstance(family, NegativeBinomial) and isinstance(link, LogLink):
            return _negative_binomial(family.theta, y, eta)
        mu, (first, second) = link.mean(eta), link.slopes(eta)
        V, (of_inverse, of_ratio) = family.variance(mu), family.slopes(mu)
        by_mean = (mu - y) / V
        curvature = by_mean * second + first**2 * (of_ratio - y * of_inverse)
        return family.kernel(y, mu), by_mean * first, curvature


@dataclass(frozen=True)
class ExpectedInformation:
    """The loss of a family with ``E ℓ″`` in place of ℓ″.

    Parameters
    ----------
    loss : FamilyLoss
        The loss.
    """

    loss: FamilyLoss

    def __call__(self, y: Array, eta: Array, orders: tuple[int, ...]) -> tuple[Array, ...]:
        """The derivatives of these orders, up to 2, each of the shape of eta."""
        found = self.loss(y, eta, orders)
        second = self.loss.expected_curvature(eta) if 2 in orders else None
        return tuple(
            values if order != 2 or second is None else second
            for order, values in zip(orders, found, strict=True)
        )


def _mixture(y: Array, A: Array, B: Array) -> Array:
    """``yA + (1 - y)B``, also where the part without a weight is infinite."""
    found = y * A + (1.0 - y) * B
    if np.isnan(found).any():
        found = np.where(y > 0, y * A, 0.0) + np.where(y < 1, (1.0 - y) * B, 0.0)
    return found


def _power_of_exponential(
    p: float, y: Array, eta: Array, orders: tuple[int, ...]
) -> tuple[Array, ...]:
    """``V = μᵖ`` and ``μ = e^η``."""
    A: Any = 1.0 if p == 2 else np.exp((2.0 - p) * eta)
    yB = y if p == 1 else y * np.exp((1.0 - p) * eta)
    found = []
    for order in orders:
        if order == 0:
            first = eta if p == 2 else A / (2.0 - p)
            found.append(first - (y * eta if p == 1 else yB / (1.0 - p)))
        elif order == 1:
            found.append(A - yB)
        else:
            found.append(A if p == 1 else yB if p == 2 else (2.0 - p) * A - (1.0 - p) * yB)
    return tuple(found)


def _power_of_power(family: PowerFamily, k: float, y: Array, eta: Array) -> Orders:
    """``V = μᵖ`` and ``μ = η^k``."""
    a, b = k * (2.0 - family.power), k * (1.0 - family.power)

    def power(exponent: float, factor: float = 1.0) -> Array:
        """A power of η; of those that have no factor, zero also at η = 0."""
        return factor * np.power(eta, exponent) if factor else np.zeros_like(eta)

    value = family.kernel(y, power(k))
    slope = k * (power(a - 1.0) - y * power(b - 1.0))
    return value, slope, k * (power(a - 2.0, a - 1.0) - y * power(b - 2.0, b - 1.0))


def _negative_binomial(theta: float, y: Array, eta: Array) -> Orders:
    """``V = μ + θμ²`` and ``μ = e^η``."""
    shifted = eta + np.log(theta)
    t, u, rest = _sigmoids(shifted)
    r = 1.0 / theta
    value = (y + r) * (np.log1p(t) + np.maximum(shifted, 0.0)) - y * eta
    return value, r * u - y * rest, (y + r) * u * rest


def _sigmoids(eta: Array) -> tuple[Array, Array, Array]:
    """``e^-|η|``, ``σ(η)`` and ``σ(-η)``, each to all of its digits.

    With ``log1p`` of the first, ``log(1 + e^η)`` takes a third of the time of ``expit`` of both
    signs and ``logaddexp``.
    """
    t = np.exp(-np.abs(eta))
    large = 1.0 / (1.0 + t)
    small = t * large
    positive = eta >= 0
    return t, np.where(positive, large, small), np.where(positive, small, large)


def _logistic(y: Array, eta: Array, orders: tuple[int, ...]) -> tuple[Array, ...]:
    """Binomial targets with logit link: ``log(1 + e^-|η|)`` and η times what speaks against it."""
    t, p, q = _sigmoids(eta)
    found = []
    for order in orders:
        if order == 0:
            against = np.where(eta >= 0, 1.0 - y, y)
            away = np.where(against > 0, against * np.abs(eta), 0.0)
            found.append(np.log1p(t) + away)
        elif order == 1:
            found.append((1.0 - y) * p - y * q)
        else:
            found.append(p * q)
    return tuple(found)


def _minus_logs(link: Link, eta: Array) -> tuple[Orders, Orders]:
    """``A = -log μ`` and ``B = -log(1 - μ)`` of a probability, each with two derivatives in η."""
    if isinstance(link, LogitLink):
        t, p, q = _sigmoids(eta)
        both, near = p * q, np.log1p(t)
        success, failure = near + np.maximum(-eta, 0.0), near + np.maximum(eta, 0.0)
        return (success, -q, both), (failure, p, both)
    if isinstance(link, ProbitLink):
        value, slope, curvature = _minus_log_normal(-eta)
        return _minus_log_normal(eta), (value, -slope, curvature)
    if isinstance(link, CloglogLink):
        of_failure = np.exp(eta)
        t, ratio, excess = exponential_ratios(of_failure)
        # e^-t of log(1 - e^-t), which is log t for the smallest t.
        success = np.where(t > 0.5, -np.log1p(-np.exp(-t)), -np.log(-np.expm1(-t)))
        success = np.where(eta < -36.0, -eta, success)
        of_success = (success, -ratio, np.where(ratio > 0, ratio * excess, 0.0))
        return of_success, (of_failure, of_failure, of_failure)
    if isinstance(link, LogLink):
        odds = 1.0 / np.expm1(-eta)
        failure = np.where(eta > -0.5, -np.log(-np.expm1(eta)), -np.log1p(-np.exp(eta)))
        zero = np.zeros_like(eta)
        return (-eta, zero - 1.0, zero), (failure, odds, odds * (1.0 + odds))
    mu, (first, second) = link.mean(eta), link.slopes(eta)
    by_mu, by_rest = first / mu, first / (1.0 - mu)
    of_success = (-np.log(mu), -by_mu, by_mu**2 - second / mu)
    return of_success, (-np.log1p(-mu), by_rest, by_rest**2 + second / (1.0 - mu))


def _minus_log_normal(eta: Array) -> Orders:
    """``-log Φ(η)`` with its derivatives ``-m`` and ``m (m + η)``, ``m = φ/Φ``.

    ``m + η`` is the mean of the normal distribution above -η, less -η. For large -η = x it is
    ``1/x - 2/x³ + 10/x⁵ - 74/x⁷ + 706/x⁹`` (Abramowitz and Stegun 1964, 26.2.12, divided).
    """
    value = -special.log_ndtr(eta)
    m = inverse_mills_ratio(eta, value)
    x = np.maximum(-eta, _FAR)
    square = 1.0 / x**2
    series = (1.0 + square * (-2.0 + square * (10.0 + square * (-74.0 + 706.0 * square)))) / x
    left = np.where(-eta > _FAR, series, m + eta)
    return value, -m, m * left
