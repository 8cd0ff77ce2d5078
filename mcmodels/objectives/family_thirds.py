"""The third derivative ℓ‴ of the loss of every family and link, by the linear predictor.

With ``μ = g⁻¹(η)`` and ``q(μ) = (μ - y)/V``, so that ``ℓ′ = qμ′``,

``ℓ‴ = qμ‴ + 3 μ′μ″ q′ + μ′³ q″``.

As for ℓ″ (:mod:`mcmodels.objectives.family_loss`), pairs with simpler forms are computed by them:

======================  ===========================================================================
powers, log             ``(2 - p)² μ²⁻ᵖ - (1 - p)² y μ¹⁻ᵖ``
powers, ``μ = η^k``     ``k ((a - 1)(a - 2) η^(a-3) - (b - 1)(b - 2) y η^(b-3))`` with
                        ``a = k(2 - p)`` and ``b = k(1 - p)``
negative binomial, log  ``(y + 1/θ) u (1 - u)(1 - 2u)`` with ``u = σ(η + log θ)``
binomial                ``y A‴ + (1 - y) B‴`` with ``A = -log μ`` and ``B = -log(1 - μ)``
======================  ===========================================================================
"""

from __future__ import annotations

import numpy as np
from scipy import special

from mcmodels.arrays import Array
from mcmodels.objectives.families import Family, NegativeBinomial, PowerFamily
from mcmodels.objectives.links import (
    CloglogLink,
    Link,
    LogitLink,
    LogLink,
    PowerLink,
    ProbitLink,
    exponential_ratios,
    inverse_mills_ratio,
    third_of_softplus,
)

__all__ = ["third_derivative", "thirds_of_minus_logs"]

# From here on the tail of the normal distribution is computed by a continued fraction, and so many
# of its terms have all digits.
_FAR, _TERMS = 4.0, 80


def third_derivative(family: Family, link: Link, y: Array, eta: Array) -> Array:
    """ℓ‴ of a family that is not binomial, shape (b,)."""
    if isinstance(family, PowerFamily) and isinstance(link, LogLink):
        a, b = 2.0 - family.power, 1.0 - family.power
        return _term(a**2, np.exp(a * eta)) - y * _term(b**2, np.exp(b * eta))
    if isinstance(family, PowerFamily) and isinstance(link, PowerLink):
        k = link.power
        a, b = k * (2.0 - family.power), k * (1.0 - family.power)
        first = _term((a - 1.0) * (a - 2.0), np.power(eta, a - 3.0))
        return k * (first - y * _term((b - 1.0) * (b - 2.0), np.power(eta, b - 3.0)))
    if isinstance(family, NegativeBinomial) and isinstance(link, LogLink):
        shifted = eta + np.log(family.theta)
        return (y + 1.0 / family.theta) * third_of_softplus(shifted)
    mu, (first, second) = link.mean(eta), link.slopes(eta)
    (of_inverse, of_ratio), (by_inverse, by_ratio) = family.slopes(mu), _second_slopes(family, mu)
    by_mean = (mu - y) / family.variance(mu)
    slope, curvature = of_ratio - y * of_inverse, by_ratio - y * by_inverse
    return (
        by_mean * link.third_derivative(eta) + 3.0 * first * second * slope + first**3 * curvature
    )


def _term(factor: float, values: Array) -> Array:
    """Zero where the factor is, also where the values are infinite."""
    return factor * values if factor else np.zeros_like(values)


def _second_slopes(family: Family, mu: Array) -> tuple[Array, Array]:
    """The second derivatives of ``1/V`` and of ``μ/V`` in μ."""
    if isinstance(family, PowerFamily):
        p = family.power
        inverse = _term(p * (p + 1.0), mu ** (-p - 2.0))
        return inverse, _term(-p * (1.0 - p), mu ** (-p - 1.0))
    if isinstance(family, NegativeBinomial):
        x = family.theta * mu
        inverse = 2.0 * (1.0 + 3.0 * x * (1.0 + x)) / (mu * (1.0 + x)) ** 3
        return inverse, 2.0 * family.theta**2 / (1.0 + x) ** 3
    raise NotImplementedError(f"{type(family).__name__} has no second slopes.")


def thirds_of_minus_logs(link: Link, eta: Array) -> tuple[Array, Array]:
    """The third derivatives of ``A = -log μ`` and of ``B = -log(1 - μ)``."""
    if isinstance(link, LogitLink):
        both = third_of_softplus(eta)
        return both, both
    if isinstance(link, ProbitLink):
        return _third_of_minus_log_normal(eta), -_third_of_minus_log_normal(-eta)
    if isinstance(link, CloglogLink):
        of_failure = np.exp(eta)
        t, ratio, excess = exponential_ratios(of_failure)
        # 1 - t/(e^t - 1) is t - excess.
        bracket = (1.0 + excess) * (t - excess) - excess**2
        return np.where(ratio > 0, ratio * bracket, 0.0), of_failure
    if isinstance(link, LogLink):
        odds = 1.0 / np.expm1(-eta)
        return np.zeros_like(eta), odds * (1.0 + odds) * (1.0 + 2.0 * odds)
    mu, (first, second) = link.mean(eta), link.slopes(eta)
    third, rest = link.third_derivative(eta), 1.0 - mu
    a, b = first / mu, second / mu
    c, d = first / rest, second / rest
    return -third / mu + 3.0 * a * b - 2.0 * a**3, third / rest + 3.0 * c * d + 2.0 * c**3


def _third_of_minus_log_normal(eta: Array) -> Array:
    """The third derivative of ``-log Φ(η)``: ``m (1 - (m + η)(2m + η))`` with ``m = φ/Φ``.

    For large ``x = -η`` the bracket is about ``-2/x⁴``, a small difference. With the continued
    fraction ``m = x + t₁``, ``tₙ = n/(x + tₙ₊₁)`` (Abramowitz and Stegun 1964, 26.2.14), it is
    ``t₁(t₂ - 2t₁) = 2t₁(t₂ - t₃)/((x + t₂)(x + t₃))``.
    """
    m = inverse_mills_ratio(eta, -special.log_ndtr(eta))
    third = m * (1.0 - (m + eta) * (2.0 * m + eta))
    far = eta < -_FAR
    if far.any():
        x = -eta[far]
        t = np.zeros_like(x)
        for n in range(_TERMS, 2, -1):
            t = n / (x + t)
        t3, t2 = t, 2.0 / (x + t)
        t1 = 1.0 / (x + t2)
        third[far] = (x + t1) * 2.0 * t1 * (t2 - t3) / ((x + t2) * (x + t3))
    return np.where(m > 0, third, 0.0)
