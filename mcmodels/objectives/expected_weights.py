"""The weight of a row in the expected information, ``u(η) = μ′²/V(μ)``, with u′ and u″.

With ``r = (log u)′`` it is ``u′ = u r`` and ``u″ = u (r² + r′)``, where

``r = 2μ″/μ′ - μ′V′/V`` and ``r′ = 2(μ‴/μ′ - (μ″/μ′)²) - (μ′²V″ + μ″V′)/V + (μ′V′/V)²``.

Pairs of family and link that have simpler forms are computed by them:

======================  ===========================================================================
powers, log             ``u = e^((2-p)η)``
powers, ``μ = η^k``     ``u = k² η^e``, ``e = k(2 - p) - 2``
negative binomial, log  ``u = s/θ``, ``r = 1 - s``, ``s = σ(η + log θ)``
binomial, logit         ``u = pq``, ``u′ = pq(q - p)``, ``u″ = pq(1 - 6pq)``
binomial, probit        ``u = m(η) m(-η)``, ``r = m(-η) - m(η) - 2η``, ``m = φ/Φ``
binomial, cloglog       ``u = t²/(e^t - 1)``, ``r = 2 - v``, ``v = t/(1 - e^-t)``, ``t = e^η``
binomial, log           ``u = o``, ``r = 1 + o``, ``o = μ/(1 - μ)``
======================  ===========================================================================

Source of u: McCullagh and Nelder (1989), *Generalized Linear Models*, 2nd ed., §2.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from mcmodels.arrays import Array
from mcmodels.objectives.families import Binomial, NegativeBinomial, PowerFamily
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.links import CloglogLink, Link, LogitLink, LogLink, PowerLink, ProbitLink

__all__ = ["LOGISTIC", "ExpectedWeights"]

_HALF_LOG_2PI = float(np.log(2.0 * np.pi) / 2.0)


@dataclass(frozen=True)
class ExpectedWeights:
    """``u(η)`` of a family and a link, with two derivatives.

    Parameters
    ----------
    loss : FamilyLoss
        The family and the link.
    """

    loss: FamilyLoss

    def __call__(self, eta: Array) -> tuple[Array, Array, Array]:
        """u, u′ and u″, each of shape (b,); not finite where η gives no mean of the family."""
        with np.errstate(all="ignore"):
            return self._all(eta)

    @property
    def is_curvature(self) -> bool:
        """Whether u is ℓ″ for every target: the link is canonical."""
        family, link = self.loss.family, self.loss.link
        if isinstance(family, Binomial):
            return isinstance(link, LogitLink)
        if not isinstance(family, PowerFamily):
            return False
        if isinstance(link, LogLink):
            return family.power == 1
        return isinstance(link, PowerLink) and link.power * (1.0 - family.power) == 1.0

    @property
    def is_constant(self) -> bool:
        """Whether u is the same for every η, so that the information has no say in a fit."""
        family, link = self.loss.family, self.loss.link
        if not isinstance(family, PowerFamily):
            return False
        if isinstance(link, LogLink):
            return family.power == 2
        return isinstance(link, PowerLink) and link.power * (2.0 - family.power) == 2.0

    def _all(self, eta: Array) -> tuple[Array, Array, Array]:
        family, link = self.loss.family, self.loss.link
        if isinstance(family, PowerFamily) and isinstance(link, LogLink):
            rate = 2.0 - family.power
            u = np.exp(rate * eta) if rate else np.ones_like(eta)
            return u, rate * u, rate**2 * u
        if isinstance(family, PowerFamily) and isinstance(link, PowerLink):
            k = link.power
            e = k * (2.0 - family.power) - 2.0
            square = k * k * np.ones_like(eta)
            if e == 0:
                return square, np.zeros_like(eta), np.zeros_like(eta)
            u = square * np.power(eta, e)
            return u, e * u / eta, e * (e - 1.0) * u / eta**2
        if isinstance(family, NegativeBinomial) and isinstance(link, LogLink):
            shifted = eta + np.log(family.theta)
            s, rest = special.expit(shifted), special.expit(-shifted)
            u = s / family.theta
            return u, u * rest, u * rest * (rest - s)
        if isinstance(family, Binomial):
            found = _of_probabilities(link, eta)
            if found is not None:
                return found
        return self._of_mean(eta)

    def _of_mean(self, eta: Array) -> tuple[Array, Array, Array]:
        """The general form, by the derivatives of the link and of the variance."""
        mu, (first, second), third = (
            self.loss.link.mean(eta),
            self.loss.link.slopes(eta),
            self.loss.link.third_derivative(eta),
        )
        V, (slope, curvature) = self.loss.family.variance(mu), self.loss.family.variance_slopes(mu)
        bent, of_variance = second / first, first * slope / V
        r = 2.0 * bent - of_variance
        change = 2.0 * (third / first - bent**2) + of_variance**2
        change = change - (first**2 * curvature + second * slope) / V
        u = first**2 / V
        return u, u * r, u * (r**2 + change)


def _of_probabilities(link: Link, eta: Array) -> tuple[Array, Array, Array] | None:
    """u, u′ and u″ of binomial targets; None for other links."""
    if isinstance(link, LogitLink):
        p, q = special.expit(eta), special.expit(-eta)
        u = p * q
        return u, u * (q - p), u * (1.0 - 6.0 * u)
    if isinstance(link, ProbitLink):
        density = -(eta**2) / 2.0 - _HALF_LOG_2PI
        above = np.exp(density - special.log_ndtr(eta))
        below = np.exp(density - special.log_ndtr(-eta))
        # m′ = -m (m + η)
        u, r = above * below, below - above - 2.0 * eta
        change = below * (below - eta) + above * (above + eta) - 2.0
        return u, u * r, u * (r**2 + change)
    if isinstance(link, CloglogLink):
        t = np.minimum(np.exp(eta), 1e3)  # u is zero for larger t, also where t overflows
        v = np.where(t > 0, -t / np.expm1(-t), 1.0)
        u = np.where(t > 0, t * (t / np.expm1(t)), 0.0)
        r = 2.0 - v
        # Where u is zero, t is so large that products with v overflow.
        return (
            u,
            np.where(u > 0, u * r, 0.0),
            np.where(u > 0, u * (r**2 - v * (1.0 - v * np.exp(-t))), 0.0),
        )
    if isinstance(link, LogLink):
        odds = 1.0 / np.expm1(-eta)
        return odds, odds * (1.0 + odds), odds * (1.0 + odds) * (1.0 + 2.0 * odds)
    return None


LOGISTIC = ExpectedWeights(FamilyLoss(Binomial(), LogitLink()))
