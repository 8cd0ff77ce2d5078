"""Intervals of the mean of a generalized linear model, and of an observation.

With ``η = x̃ᵀθ + offset`` and its standard error s, the interval of the mean has the ends
``g⁻¹(η ± q s)``, so that it stays in the range of the means (McCullagh and Nelder 1989,
*Generalized Linear Models*, 2nd ed., §2.3; Agresti 2013, *Categorical Data Analysis*, 3rd ed.,
§5.1.4).

An observation has the distribution ``F(y) = E F(y; g⁻¹(η + s Z))`` with Z standard normal: that of
the family at the estimated dispersion, averaged over the error of η. The average is taken by the
trapezoid rule, without simulation, and the ends are the quantiles of F. Its steps are as long as
the distribution of the family is wide, in units of s; where it is narrower than a few hundred steps
can show, the ends are ``g⁻¹(η ± q s √(1 + r²))``, r the width of that distribution by s.
Of discrete targets they are values that the target can have, so that the interval covers at least
what it should. Values of η outside the domain of the link are left out of the average. Of normal
targets with the identity link it is the t interval. Source: Barndorff-Nielsen and Cox (1996),
*Prediction and asymptotics*, Bernoulli 2(4), §2 (estimative and predictive distributions);
Trefethen and Weideman (2014), *The exponentially convergent trapezoidal rule*, SIAM Review 56(3).

Rows whose η gives no mean have NaN. Where the inverse link has normal targets, and η = 0 is between
the ends, the means are those outside an interval: the ends are infinite. So are counts that are
larger than float64 tells apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from mcmodels.arrays import Array
from mcmodels.inference.glm_model import GlmInference
from mcmodels.inference.glm_residuals import distribution_of
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.rows import RowBlock, Rows

__all__ = ["mean_intervals", "observation_intervals"]

# The normal distribution has 1e-15 beyond; fewest and most nodes between.
_REACH, _FEWEST, _MOST = 8.0, 41, 401
# Numbers in memory at a time.
_ENTRIES = 2**18
# Halvings of a bracket, and the relative width at which they end.
_HALVINGS, _PRECISION = 200, 1e-14
# Larger counts are not told apart.
_LARGEST_COUNT = 2.0**53


def mean_intervals(model: GlmInference, loss: FamilyLoss, rows: Rows, quantile: float) -> Array:
    """Mean, standard error (delta method), lower and upper end of each row, shape (n_rows, 4)."""

    def intervals(block: RowBlock) -> Array:
        eta, s = block.linear_predictor(model.params), model.predictor_error(block)
        with np.errstate(all="ignore"):
            error = np.abs(loss.link.slopes(eta)[0]) * s
            found = np.column_stack(
                [loss.link.mean(eta), error, *_mapped_ends(loss, eta, quantile * s)]
            )
        return _with_means(found, loss, eta)

    return _warned(model, rows.map(intervals))


def _warned(model: GlmInference, found: Array) -> Array:
    """The intervals, with a warning of rows whose prediction is not determined."""
    model.warn_of_rows(np.where(np.isnan(found[:, 0]), 0.0, found[:, 1]))
    return found


def _mapped_ends(loss: FamilyLoss, eta: Array, distance: Array) -> Array:
    """The least and the largest mean of linear predictors up to a distance away, shape (2, b)."""
    lower, upper = (np.clip(eta + sign * distance, *loss.domain) for sign in (-1.0, 1.0))
    ends = np.sort(loss.link.limit_of_mean(np.stack([lower, upper])), axis=0)
    through_pole = loss.link.has_pole_at_zero & (lower < 0) & (upper > 0)
    return np.where(through_pole, np.array([[-np.inf], [np.inf]]), ends)


def _with_means(found: Array, loss: FamilyLoss, eta: Array) -> Array:
    """NaN in the rows that have no mean."""
    outside = loss.outside(eta)
    if outside is not None:
        found[outside] = np.nan
    return found


def observation_intervals(
    model: GlmInference, loss: FamilyLoss, rows: Rows, level: float, quantile: float
) -> Array:
    """The same of an observation; its error is the root of its variance, with that of the mean.

    Binomial targets are proportions of as many trials as ``extras["trials"]`` says.
    """
    family, link, phi = loss.family, loss.link, model.dispersion
    is_linear = family.name == "normal" and link.name == "identity"
    tails = (1.0 - level) / 2.0, (1.0 + level) / 2.0

    def ends(eta: Array, s: Array, trials: Array | None, nodes: Array) -> Array:
        near = eta[:, np.newaxis] + s[:, np.newaxis] * nodes
        outside = loss.outside(near)
        shares = np.exp(-(nodes**2) / 2.0) * np.ones_like(near)
        if outside is not None:
            shares[outside] = 0.0
        shares /= shares.sum(axis=1, keepdims=True)
        columns = None if trials is None else trials[:, np.newaxis]
        distribution, is_discrete = distribution_of(family, link.mean(near), columns, phi)
        of_nodes = _inverse_gaussian_bounds if family.name == "inverse_gaussian" else _quantiles
        return np.array(
            [
                _quantile(distribution, shares, p, is_discrete, *of_nodes(distribution, p))
                for p in tails
            ]
        )

    def deviation(mean: Array, trials: Array | None) -> Array:
        """The standard deviation of a target."""
        return family.deviation(mean) * np.sqrt(phi / (1.0 if trials is None else trials))

    def width(eta: Array, s: Array, trials: Array | None) -> Array:
        """The standard deviation of a target by the change of its mean with Z."""
        found = deviation(link.mean(eta), trials) / np.abs(link.slopes(eta)[0] * s)
        return np.where(np.isnan(found), 0.0, found)  # of means that overflow

    def observed(eta: Array, s: Array, trials: Array | None) -> Array:
        """The ends of each row, shape (2, b)."""
        quantile = special.ndtri(tails[1])
        at_ends = [
            width(np.clip(eta + sign * quantile * s, *loss.domain), s, trials) for sign in (-1, 1)
        ]
        narrowest = np.fmin(np.fmin(*at_ends), width(eta, s, trials))
        r = np.where(s > 0, narrowest, np.inf)
        stretched = np.sqrt(1.0 + np.square(at_ends)) * quantile * s
        found = np.array([_mapped_ends(loss, eta, distance) for distance in stretched])
        found = np.where(link.slopes(eta)[0] > 0, found, found[::-1])
        found = np.array([found[0, 0], found[1, 1]])
        _, is_discrete = distribution_of(family, link.mean(eta), trials, phi)
        if is_discrete:
            found = np.ceil(found * (1.0 if trials is None else trials))
            found[found >= _LARGEST_COUNT] = np.inf
        h = 2.0 * _REACH / (_MOST - 1)
        count = np.clip(np.ceil(2.0 * _REACH / r) + 1, _FEWEST, _MOST)
        # Rows of the same number of nodes together, of which there are few.
        count = np.minimum(_FEWEST * 2 ** np.ceil(np.log2(count / _FEWEST)), _MOST)
        wide = (r >= h) & ~np.isinf(found).all(axis=0)
        for m in np.unique(count[wide]):
            nodes = np.linspace(-_REACH, _REACH, int(m))
            of_m = np.flatnonzero(wide & (count == m))
            rows_at_a_time = max(_ENTRIES // int(m), 1)
            for start in range(0, len(of_m), rows_at_a_time):
                part = of_m[start : start + rows_at_a_time]
                some = None if trials is None else trials[part]
                found[:, part] = ends(eta[part], s[part], some, nodes)
        return found

    def intervals(block: RowBlock) -> Array:
        eta, s = block.linear_predictor(model.params), model.predictor_error(block)
        lost = np.isnan(s)
        s = np.where(lost, 0.0, s)
        trials = block.extras.get("trials")
        with np.errstate(all="ignore"):
            mean = link.mean(eta)
            error = np.hypot(deviation(mean, trials), link.slopes(eta)[0] * s)
            error[lost] = np.nan
            if is_linear:
                return np.column_stack(
                    [mean, error, mean - quantile * error, mean + quantile * error]
                )
            found = observed(eta, s, trials) / (1.0 if trials is None else trials)
        found[:, lost] = np.nan
        return _with_means(np.column_stack([mean, error, *found]), loss, eta)

    return _warned(model, rows.map(intervals))


def _quantiles(distribution: Any, p: float) -> tuple[Array, Array]:
    """Lower and upper bounds of the quantiles of a distribution: the quantiles themselves."""
    found = distribution.ppf(p)
    return found, found


def _inverse_gaussian_bounds(distribution: Any, p: float) -> tuple[Array, Array]:
    """Bounds of the quantiles of an inverse Gaussian distribution.

    ``W = λ(X - μ)²/(μ²X)`` is χ² with one degree of freedom (Shuster 1968, *On the inverse Gaussian
    distribution function*, Journal of the American Statistical Association 63). So ``X < x₁(w)``,
    the smaller value of X with ``W = w``, is no likelier than ``W > w``, and ``X > x₂(w)``, the
    larger one, neither. SciPy's own quantile is wrong where φμ is below 1e-11, and stops early,
    with a warning, near 1e2.
    """
    (mu,), scale = distribution.args, distribution.kwds["scale"]  # of λ = 1

    def ratio(w: float) -> Array:
        """Both x₂/μ and μ/x₁."""
        return 1.0 + (mu * w + np.sqrt(mu * w) * np.sqrt(4.0 + mu * w)) / 2.0

    lower = mu / ratio(special.chdtri(1.0, p))
    return lower * scale, mu * ratio(special.chdtri(1.0, 1.0 - p)) * scale


def _quantile(
    distribution: Any, shares: Array, p: float, is_discrete: bool, lowest: Array, highest: Array
) -> Array:
    """Quantiles of mixtures of the columns of a distribution, shape (b,).

    Those of the columns, shape (b, nodes), lie between ``lowest`` and ``highest``.
    """
    largest = _LARGEST_COUNT if is_discrete else float(np.finfo(np.float64).max)
    # SciPy has no quantile of counts with means beyond 1e19.
    lowest, highest = (
        np.minimum(np.where(np.isnan(found), largest, found), largest)
        for found in (lowest, highest)
    )
    lower = np.where(shares > 0, lowest, np.inf).min(axis=1)
    upper = np.where(shares > 0, highest, -np.inf).max(axis=1)
    if is_discrete:
        lower = lower - 1.0  # F is below p there
    for _ in range(_HALVINGS):
        # The geometric mean: ends may differ by many powers of ten.
        both = np.sqrt(np.maximum(lower, 0.0)) * np.sqrt(np.maximum(upper, 0.0))
        middle = np.where(lower > 0, both, lower / 2.0 + upper / 2.0)
        if is_discrete:
            middle = np.floor(lower / 2.0 + upper / 2.0)
        below = np.where(shares > 0, np.nan_to_num(distribution.cdf(middle[:, np.newaxis])), 0.0)
        enough = (below * shares).sum(axis=1) >= p
        lower, upper = np.where(enough, lower, middle), np.where(enough, middle, upper)
        left = 1.0 if is_discrete else _PRECISION * np.maximum(np.abs(lower), np.abs(upper))
        if (upper - lower <= left).all():
            break
    return np.where(upper >= largest, np.inf, upper)
