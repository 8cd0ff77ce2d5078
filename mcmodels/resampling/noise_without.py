"""The scale of the noise of fits without some rows: σ̂² of least squares, φ of families.

==============  ================================================================================
least squares   ``Σ̂₋ = (E - Σ wᵢ rᵢ r₋ᵢᵀ)/(n - P - nᵢ)``, r₋ the residual by the fit without the row
families        ``φ̂₋ = S₋/(n - P - nᵢ)``, S₋ Pearson's sum, or the deviance, over the other rows at
                the fit without the row
==============  ================================================================================

E are the squares of residuals, n the observations, nᵢ those that are left out. The first is exact:
Belsley, Kuh and Welsch (1980), *Regression Diagnostics*, eq. 2.8. S₋ is taken to second order in
the change of the fit, and for rows that were fitted without each other by a pass over the rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from mcmodels.arrays import Array, Codes
from mcmodels.inference.linear_model import LinearModelInference
from mcmodels.inference.weighting import Weighting
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.resampling.training_fit import TrainingFit
from mcmodels.reweighting.sums_without import SumNearFit, sums_without

__all__ = [
    "NO_FREEDOM",
    "PERFECT_WITHOUT",
    "DispersionWithout",
    "LinearNoiseWithout",
    "NoiseWithout",
    "has_density",
    "noise_of",
]

# Why there are no log scores.
NO_FREEDOM = (
    "without some rows no degree of freedom is left to estimate the noise from; there are losses "
    "and predictions alone. Fit fewer columns or more rows."
)
PERFECT_WITHOUT = (
    "without some rows the fit of the others is perfect, so that the density of the noise is "
    "infinite; there are losses and predictions alone."
)
# Targets are combinations of each other, and of the columns, where correlations of their noise have
# no larger eigenvalue: it is that of rounding errors.
_LEAST_CORRELATION = 1e-12


class NoiseWithout(ABC):
    """The scale of the noise without each unit, a row or a group.

    Attributes
    ----------
    near : SumNearFit or None
        The sum that approximations need.
    """

    near: SumNearFit | None = None

    def __init__(self, training: TrainingFit, weights: Array, codes: Codes, count: int) -> None:
        model: Any = training.model._record().model
        weighting: Weighting = model.weighting
        self._weights, self._codes, self._count = weights, codes, count
        here = self._sum(weighting.in_row(weights))
        self.df = model.df - here
        self._unit = np.ones(count)
        if not weighting.has_likelihood:
            left = self._sum((weights > 0).astype(np.float64))
            self._unit = (left.sum() - left) / (weights.sum() - self._sum(weights))

    @property
    def has_freedom(self) -> bool:
        """Whether degrees of freedom are left without each unit."""
        return bool((self.df > 1e-9).all())

    @abstractmethod
    def approximate(self, fitted: Array, eta: Array, change: Array | None) -> Array:
        """The scale without each unit, from predictors and the change of the sum."""

    def exact(self, groups: Codes, steps: Array) -> Array | None:
        """The scale without some units whose fits are known; None if nothing is left to improve."""
        return None

    def of_refit(self, model: Any) -> Any:
        """The scale of a fit."""
        raise NotImplementedError

    def _sum(self, values: Array) -> Array:
        return np.asarray(np.bincount(self._codes, values, minlength=self._count), np.float64)


class LinearNoiseWithout(NoiseWithout):
    """Of least squares: covariances of the noise of the targets, shape (m, K, K)."""

    def __init__(self, training: TrainingFit, weights: Array, codes: Codes, count: int) -> None:
        super().__init__(training, weights, codes, count)
        self._scatter = training.model._record().model.fit.residual_scatter
        self._y = training.y

    def approximate(self, fitted: Array, eta: Array, change: Array | None) -> Array:
        """Exact where the predictors are."""
        y = self._y.reshape(fitted.shape)
        r, without = (y - fitted) * self._weights[:, np.newaxis], y - eta
        K = fitted.shape[1]
        lost = np.empty((self._count, K, K))
        for k in range(K):
            for j in range(k, K):
                lost[:, k, j] = lost[:, j, k] = (
                    self._sum(r[:, k] * without[:, j]) + self._sum(r[:, j] * without[:, k])
                ) / 2.0
        return (self._scatter - lost) * (self._unit / self.df)[:, np.newaxis, np.newaxis]

    def of_refit(self, model: Any) -> Any:
        """``Σ̂`` of a fit."""
        return model._record().model.noise_covariance


class DispersionWithout(NoiseWithout):
    """Of families whose dispersion was estimated, shape (m,)."""

    def __init__(self, training: TrainingFit, weights: Array, codes: Codes, count: int) -> None:
        super().__init__(training, weights, codes, count)
        self._fit, self._y = training.fit, training.y
        record = training.model._record()
        self._summand = _Summand(record.loss, training.model.dispersion == "deviance")
        self.near = SumNearFit.of(training.fit, self._summand)

    def approximate(self, fitted: Array, eta: Array, change: Array | None) -> Array:
        """To second order."""
        assert self.near is not None
        assert change is not None
        moved = (eta - fitted)[:, 0]
        own = self.near.of_row(self._y, fitted[:, 0], moved, self._weights)
        return (self.near.total + change - self._sum(own)) * self._unit / self.df

    def exact(self, groups: Codes, steps: Array) -> Array:
        """By passes over the rows."""
        sums = sums_without(self._fit, groups, steps, lambda y, eta: self._summand(y, eta, 0))
        return sums * self._unit[groups] / self.df[groups]

    def of_refit(self, model: Any) -> Any:
        """φ of a fit."""
        return model.dispersion_


class KnownDispersion(NoiseWithout):
    """A dispersion that is known, shape (m,)."""

    def __init__(self, training: TrainingFit, weights: Array, codes: Codes, count: int) -> None:
        self._count = count
        self._dispersion = float(training.model._record().dispersion)
        self.df = np.full(count, np.inf)

    def approximate(self, fitted: Array, eta: Array, change: Array | None) -> Array:
        """The same without each row."""
        return np.full(self._count, self._dispersion)

    def of_refit(self, model: Any) -> Any:
        """The same."""
        return self._dispersion


class _Summand:
    """Pearson's squares ``(y - μ)²/V(μ)``, or unit deviances, with their derivatives in η."""

    def __init__(self, loss: FamilyLoss, by_deviance: bool) -> None:
        self._loss, self._by_deviance = loss, by_deviance

    def __call__(self, y: Any, eta: Array, order: int) -> Array:
        loss = self._loss
        with np.errstate(all="ignore"):
            if self._by_deviance:
                return loss.deviance(y, eta) if order == 0 else 2.0 * loss(y, eta, (order,))[0]
            if order == 0:
                return loss.pearson(y, eta) ** 2
            mu, (first, second) = loss.link.mean(eta), loss.link.slopes(eta)
            V, (V1, V2) = loss.family.variance(mu), loss.family.variance_slopes(mu)
            r = y - mu
            slope = -2.0 * r / V - r**2 * V1 / V**2
            if order == 1:
                return slope * first
            curvature = 2.0 / V + 4.0 * r * V1 / V**2 + r**2 * (2.0 * V1**2 / V - V2) / V**2
            return curvature * first**2 + slope * second


def noise_of(
    training: TrainingFit, weights: Array, codes: Codes, count: int
) -> NoiseWithout | None:
    """The noise of a model without each unit; None if it has none."""
    record = training.model._record()
    if isinstance(record.model, LinearModelInference):
        return LinearNoiseWithout(training, weights, codes, count)
    if not isinstance(getattr(record, "loss", None), FamilyLoss):
        return None
    if np.isinf(record.df):
        return KnownDispersion(training, weights, codes, count)
    return DispersionWithout(training, weights, codes, count)


def has_density(scale: Array) -> bool:
    """Whether the noise without each unit has a density, up to rounding."""
    if scale[0].size == 1:
        return bool((scale > 0).all())
    variances = np.einsum("mkk->mk", scale)
    if not (variances > 0).all():
        return False
    deviations = np.sqrt(variances)
    correlations = scale / (deviations[:, :, np.newaxis] * deviations[:, np.newaxis])
    return bool((np.linalg.eigvalsh(correlations)[:, 0] > _LEAST_CORRELATION).all())
