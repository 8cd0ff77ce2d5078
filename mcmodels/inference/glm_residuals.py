"""Residuals of generalized linear models.

=========  =================================================================================
response   ``y - μ``
working    ``(y - μ)/μ′``, μ′ the derivative of the mean in η
pearson    ``(y - μ)/√V(μ)``
deviance   ``±√d(y, μ)``, with the sign of ``y - μ``
anscombe   ``(A(y) - A(μ))/V(μ)^(1/6)``, ``A = ∫ V^(-1/3)``
quantile   ``Φ⁻¹(F(y))``, F the distribution function at μ; of discrete targets Φ⁻¹ of a random
           number between ``F(y-)`` and ``F(y)``
=========  =================================================================================

Of binomial proportions in w trials, and where w is the precision of a row, pearson, deviance and
anscombe are multiplied by √w. Sources:
McCullagh and Nelder (1989), *Generalized Linear Models*, 2nd ed., §2.4; Dunn and Smyth (1996),
*Randomized quantile residuals*, Journal of Computational and Graphical Statistics 5(3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special, stats

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.objectives.families import Binomial, Family, NegativeBinomial, PowerFamily
from mcmodels.objectives.family_loss import FamilyLoss

__all__ = ["KINDS", "distribution_of", "quantile_residuals", "residuals_of"]

# Probabilities nearer to 0 or 1 are moved here, so that their quantiles are finite.
_LEAST = float(np.finfo(np.float64).tiny)


def residuals_of(loss: FamilyLoss, kind: str, y: Array, eta: Array, weights: Array | None) -> Array:
    """Residuals of one of :data:`KINDS` but "quantile", shape (n,).

    ``weights`` are those of :meth:`.Weighting.in_residuals`.
    """
    with np.errstate(all="ignore"):
        mu = loss.link.mean(eta)
        found = KINDS[kind](loss, y, mu, eta)
    return found if weights is None or kind not in _WEIGHTED else found * np.sqrt(weights)


def _response(loss: FamilyLoss, y: Array, mu: Array, eta: Array) -> Array:
    return y - mu


def _working(loss: FamilyLoss, y: Array, mu: Array, eta: Array) -> Array:
    return (y - mu) / loss.link.slopes(eta)[0]


def _pearson(loss: FamilyLoss, y: Array, mu: Array, eta: Array) -> Array:
    return loss.pearson(y, eta)


def _deviance(loss: FamilyLoss, y: Array, mu: Array, eta: Array) -> Array:
    return np.sign(y - mu) * np.sqrt(np.maximum(loss.deviance(y, eta), 0.0))


def _anscombe(loss: FamilyLoss, y: Array, mu: Array, eta: Array) -> Array:
    family = loss.family
    return (_normalised(family, y) - _normalised(family, mu)) / family.deviation(mu) ** (1 / 3)


def _normalised(family: Family, x: Array) -> Array:
    """``∫ V^(-1/3)``, which makes the distribution nearly symmetric."""
    if isinstance(family, PowerFamily):
        power = 1.0 - family.power / 3.0
        return np.log(x) if power == 0 else x**power / power
    if isinstance(family, NegativeBinomial):
        return 1.5 * x ** (2 / 3) * special.hyp2f1(1 / 3, 2 / 3, 5 / 3, -family.theta * x)
    return special.betainc(2 / 3, 2 / 3, x) * special.beta(2 / 3, 2 / 3)


KINDS: dict[str, Callable[[FamilyLoss, Array, Array, Array], Array]] = {
    "response": _response,
    "working": _working,
    "pearson": _pearson,
    "deviance": _deviance,
    "anscombe": _anscombe,
}
_WEIGHTED = ("pearson", "deviance", "anscombe")


def quantile_residuals(
    family: Family,
    y: Array,
    mu: Array,
    trials: Array | None,
    dispersion: Array | float,
    rng: np.random.RandomState,
) -> Array:
    """Standard normal if the model is right, shape (n,); ``rng`` is used for discrete targets.

    Raises
    ------
    InferenceError
        For Tweedie's family, whose distribution function is not known in closed form.
    """
    distribution, is_discrete = distribution_of(family, mu, trials, dispersion)
    at = y
    if isinstance(family, Binomial):
        at = np.rint(y if trials is None else trials * y)
    below, above = distribution.cdf(at), distribution.sf(at)
    if is_discrete:
        # Both tails keep their digits: 1 - F(y) of a large y is not zero.
        share = rng.uniform(size=y.size)
        mass = distribution.pmf(at)
        below, above = below - share * mass, above + share * mass
    lower = np.maximum(below, _LEAST)
    upper = np.maximum(above, _LEAST)
    return np.where(below < 0.5, special.ndtri(lower), -special.ndtri(upper))


def distribution_of(
    family: Family, mu: Array, trials: Array | None, dispersion: Array | float
) -> tuple[Any, bool]:
    """The distribution of SciPy with a mean, and if it is discrete; binomial targets are counts.

    Raises
    ------
    InferenceError
        For Tweedie's family, whose distribution function is not known in closed form; and for a
        dispersion that the family does not have.
    """
    if not family.has_dispersion and np.any(dispersion != 1.0):
        raise InferenceError(
            f"the family ({family.description}) has the dispersion 1, and it was set to "
            f"{np.max(dispersion):g}: there is no such distribution. Take dispersion='auto', or "
            "another family."
        )
    if isinstance(family, Binomial):
        return stats.binom(1.0 if trials is None else np.rint(trials), mu), True
    if isinstance(family, NegativeBinomial):
        return stats.nbinom(1.0 / family.theta, 1.0 / (1.0 + family.theta * mu)), True
    name, phi = family.name, dispersion
    if name == "poisson":
        return stats.poisson(mu), True
    if name == "normal":
        return stats.norm(mu, np.sqrt(phi)), False
    if name == "gamma":
        return stats.gamma(1.0 / phi, scale=phi * mu), False
    if name == "inverse_gaussian":
        return stats.invgauss(phi * mu, scale=1.0 / phi), False
    raise InferenceError(
        "the distribution function is not known in closed form for the family "
        f"({family.description}); take deviance residuals, or intervals of the mean."
    )
