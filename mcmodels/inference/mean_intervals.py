"""Intervals of the mean of a generalized linear model, and of an observation.

With ``η = x̃ᵀθ + offset`` and its standard error s, the interval of the mean has the ends
``g⁻¹(η ± q s)``, so that it stays in the range of the means (McCullagh and Nelder 1989,
*Generalized Linear Models*, 2nd ed., §2.3; Agresti 2013, *Categorical Data Analysis*, 3rd ed.,
§5.1.4).

An observation has the distribution ``F(y) = E F(y; g⁻¹(η + s Z))`` with Z standard normal: that of
the family at the estimated dispersion, averaged over the error of η. The average is taken by
Gauss and Hermite's rule, without simulation, and the ends are the quantiles of F. Of discrete
targets they are values that the target can have, so that the interval covers at least what it
should. Values of η outside the domain of the link are left out of the average. Of normal targets
with the identity link it is the t interval. Source: Barndorff-Nielsen and Cox (1996), *Prediction
and asymptotics*, Bernoulli 2(4), §2 (estimative and predictive distributions).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.arrays import Array
from mcmodels.inference.glm_model import GlmInference
from mcmodels.inference.glm_residuals import distribution_of
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.rows import RowBlock, Rows

__all__ = ["mean_intervals", "observation_intervals"]

# Nodes of the rule. Against adaptive integration, quantiles with s up to one had an error of 1e-8.
_NODES = 41
# Halvings of a bracket: float64 shows no more.
_HALVINGS = 100


def mean_intervals(model: GlmInference, loss: FamilyLoss, rows: Rows, quantile: float) -> Array:
    """Mean, standard error (delta method), lower and upper end of each row, shape (n_rows, 4)."""
    link, domain = loss.link, loss.domain

    def intervals(block: RowBlock) -> Array:
        eta, s = block.linear_predictor(model.params), model.predictor_error(block)
        ends = [np.clip(eta + sign * quantile * s, *domain) for sign in (-1.0, 1.0)]
        with np.errstate(all="ignore"):
            error = np.abs(link.slopes(eta)[0]) * s
            lower, upper = np.sort(link.mean(np.stack(ends)), axis=0)
            return np.column_stack([link.mean(eta), error, lower, upper])

    return rows.map(intervals)


def observation_intervals(
    model: GlmInference, loss: FamilyLoss, rows: Rows, level: float, quantile: float
) -> Array:
    """The same of an observation; its error is the root of its variance, with that of the mean.

    Binomial targets are proportions of as many trials as ``extras["trials"]`` says.
    """
    family, link, phi = loss.family, loss.link, model.dispersion
    is_linear = family.name == "normal" and link.name == "identity"
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()

    def intervals(block: RowBlock) -> Array:
        eta, s = block.linear_predictor(model.params), model.predictor_error(block)
        trials = block.extras.get("trials")
        with np.errstate(all="ignore"):
            mean = link.mean(eta)
            variance = phi * family.variance(mean) / (1.0 if trials is None else trials)
            error = np.sqrt(variance + (link.slopes(eta)[0] * s) ** 2)
            if is_linear:
                return np.column_stack(
                    [mean, error, mean - quantile * error, mean + quantile * error]
                )
            near = eta[:, np.newaxis] + s[:, np.newaxis] * nodes
            outside = loss.outside(near)
            inside = np.ones(near.shape, dtype=bool) if outside is None else ~outside
            columns = None if trials is None else trials[:, np.newaxis]
            distribution, is_discrete = distribution_of(family, link.mean(near), columns, phi)
            shares = np.where(inside, weights, 0.0)
            shares /= shares.sum(axis=1, keepdims=True)
            tails = (1.0 - level) / 2.0, (1.0 + level) / 2.0
            ends = [_quantile(distribution, shares, p, is_discrete) for p in tails]
        scale = 1.0 if trials is None else trials
        return np.column_stack([mean, error, ends[0] / scale, ends[1] / scale])

    return rows.map(intervals)


def _quantile(distribution: Any, shares: Array, p: float, is_discrete: bool) -> Array:
    """Quantiles of mixtures of the columns of a distribution, shape (b,)."""
    components = np.where(shares > 0, distribution.ppf(p), np.nan)
    lower, upper = np.nanmin(components, axis=1), np.nanmax(components, axis=1)
    if is_discrete:
        lower = lower - 1.0  # F is below p there
    for _ in range(_HALVINGS):
        middle = (lower + upper) / 2.0
        if is_discrete:
            middle = np.floor(middle)
        below = np.where(shares > 0, distribution.cdf(middle[:, np.newaxis]), 0.0)
        enough = (below * shares).sum(axis=1) >= p
        lower, upper = np.where(enough, lower, middle), np.where(enough, middle, upper)
        if is_discrete and (upper - lower <= 1.0).all():
            break
    return upper
