"""What is said of rows that a fit has not seen: predictions, log scores and losses.

The log score of a row is the logarithm of the probability, or of the density, that the fit without
it gives its target, with all constants:

====================  ==========================================================================
least squares         ``log N(y; η, σ̂²)``, σ̂² the noise of the fit without the row
classes               ``log p(y)``
families              ``log p(y | μ, φ̂)``, φ̂ the dispersion of the fit without the row; of Poisson,
                      binomial and negative binomial targets φ is 1, whatever the fit has
losses of the user's  ``-ℓ(y, η)``
====================  ==========================================================================

It is that of one observation; ``times`` says how often it counts in the sum over rows. Of
precisions it is ``log p(y | μ, φ̂/w)``, which counts once. Source: Gelman, Hwang and Vehtari (2014),
*Understanding predictive information criteria for Bayesian models*, Statistics and Computing 24,
§3.1–3.3.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from mcmodels.arrays import Array
from mcmodels.estimators.pointwise import inverse_link
from mcmodels.inference.linear_model import LinearModelInference
from mcmodels.inference.weighting import Weighting
from mcmodels.objectives import BinaryCrossEntropy, SoftmaxCrossEntropy
from mcmodels.objectives.families import Binomial, Family, PowerFamily
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.links import LogLink, PowerLink
from mcmodels.objectives.losses import Loss
from mcmodels.resampling.training_fit import TrainingFit

__all__ = [
    "ClassMeasure",
    "FamilyMeasure",
    "Measure",
    "NormalMeasure",
    "OwnMeasure",
    "has_dispersion",
    "measure_of",
]

_LOG_2PI = float(np.log(2.0 * np.pi))
# A mean is on its bound where this share of its distance from the bound by the fit of all rows is
# left, or where its linear predictor is nearer to the bound than this share of the largest.
_LEFT, _ROUNDING = 1e-12, 16 * np.finfo(np.float64).eps


class Measure(ABC):
    """How rows that a fit has not seen are judged.

    Attributes
    ----------
    weighting : Weighting
        What the weights are.
    kind : {"density", "probability", "likelihood", "loss"}
        What the exponential of a log score is. "loss": the log score is minus the loss, and its
        exponential means nothing.
    loss_name : str
        What the loss is.
    classes : ndarray or None
        Labels of the classes.
    has_scale : bool
        Whether log scores depend on the scale of a noise.
    """

    weighting: Weighting
    kind: str
    loss_name: str
    has_scale: bool = False
    classes: Any = None

    @abstractmethod
    def predictions(self, eta: Array) -> Array:
        """Shape (n,) or (n, m); of classes their probabilities, if there are any."""

    @abstractmethod
    def log_scores(self, y: Any, eta: Array, weights: Array, scale: Any, losses: Array) -> Array:
        """Log scores of one observation of each row.

        ``scale`` is that of the noise, and ``losses`` are those of the rows.
        """

    @abstractmethod
    def losses(self, y: Any, eta: Array) -> Array:
        """Losses of one observation of each row."""

    def on_bound(self, y: Any, eta: Array, fitted: Array) -> tuple[Any, Any]:
        """Rows that have a probability of zero, and of one, where only rounding says otherwise."""
        return np.zeros(len(eta), dtype=bool), np.zeros(len(eta), dtype=bool)

    def times(self, y: Any, weights: Array) -> Array:
        """How often the log score of each row counts."""
        if self.weighting is Weighting.PRECISION:
            return (weights > 0).astype(np.float64)
        return weights


class NormalMeasure(Measure):
    """Of least squares, of one or several targets; ``scale`` is the covariance of their noise."""

    kind, loss_name, has_scale = "density", "squared error", True

    def __init__(self, weighting: Weighting) -> None:
        self.weighting = weighting

    def predictions(self, eta: Array) -> Array:
        """η."""
        return eta[:, 0] if eta.shape[1] == 1 else eta

    def log_scores(self, y: Any, eta: Array, weights: Array, scale: Any, losses: Array) -> Array:
        """``log N(y; η, Σ̂)``; of precisions ``Σ̂/w``."""
        residual = y.reshape(eta.shape) - eta
        by = np.where(weights > 0, weights, 1.0)
        if self.weighting is not Weighting.PRECISION:
            by = np.ones_like(by)
        m = eta.shape[1]
        if m == 1:
            variance = scale[:, 0, 0] / by
            return -0.5 * (residual[:, 0] ** 2 / variance + np.log(variance) + _LOG_2PI)
        _, logdet = np.linalg.slogdet(scale)
        solved = np.linalg.solve(scale, residual[..., np.newaxis])[..., 0]
        squares = by * np.einsum("ij,ij->i", residual, solved)
        return -0.5 * (squares + logdet - m * np.log(by) + m * _LOG_2PI)

    def losses(self, y: Any, eta: Array) -> Array:
        """Squares of residuals, summed over targets."""
        return ((y.reshape(eta.shape) - eta) ** 2).sum(axis=1)


class ClassMeasure(Measure):
    """Of classes, y their codes."""

    kind, loss_name = "probability", "deviance"

    def __init__(self, loss: Loss, classes: Any, weighting: Weighting) -> None:
        self.loss, self.classes, self.weighting = loss, classes, weighting

    def predictions(self, eta: Array) -> Array:
        """Probabilities of the classes."""
        if eta.shape[1] > 1:
            return softmax(eta, axis=1)
        return np.column_stack([expit(-eta), expit(eta)])

    def log_scores(self, y: Any, eta: Array, weights: Array, scale: Any, losses: Array) -> Array:
        """``log p(y)``; of precisions times w."""
        found = losses / -2.0
        if self.weighting is not Weighting.PRECISION:
            return found
        return np.where(weights > 0, weights, 1.0) * found

    def losses(self, y: Any, eta: Array) -> Array:
        """``-2 log p(y)``."""
        if eta.shape[1] == 1:
            away = np.where(y == 1, -eta[:, 0], eta[:, 0])
            # In NumPy, these take a quarter of the time of logaddexp.
            return 2.0 * (np.log1p(np.exp(-np.abs(away))) + np.maximum(away, 0.0))
        return 2.0 * self.loss.value(y, eta)


class FamilyMeasure(Measure):
    """Of generalized linear models; ``scale`` is φ, which families whose φ is 1 do not need."""

    loss_name = "deviance"

    def __init__(self, loss: FamilyLoss, weighting: Weighting) -> None:
        self.loss, self.weighting = loss, weighting
        self.has_scale = has_dispersion(loss.family)
        self.kind = "density" if self.has_scale else "probability"

    def predictions(self, eta: Array) -> Array:
        """Means."""
        with np.errstate(all="ignore"):
            return self.loss.link.mean(eta[:, 0])

    def log_scores(self, y: Any, eta: Array, weights: Array, scale: Any, losses: Array) -> Array:
        """``log p(y | μ, φ)``; minus infinity where η gives no mean."""
        by, ones = np.where(weights > 0, weights, 1.0), np.ones_like(weights)
        with np.errstate(all="ignore"):
            if self.weighting is Weighting.PRECISION and self.has_scale:
                found = self.loss.log_likelihood(y, eta[:, 0], ones, scale / by)
            else:
                counted = by if self._has_row_weights(y) else ones
                phi = scale if self.has_scale else 1.0
                found = self.loss.log_likelihood(y, eta[:, 0], counted, phi)
        return np.where(self._without_mean(eta), -np.inf, found)

    def losses(self, y: Any, eta: Array) -> Array:
        """Unit deviances; infinite where η gives no mean."""
        with np.errstate(all="ignore"):
            found = self.loss.deviance(y, eta[:, 0])
        return np.where(self._without_mean(eta), np.inf, found)

    def times(self, y: Any, weights: Array) -> Array:
        """Weights; one where they are in the density, as trials are."""
        of_density = self.weighting is Weighting.PRECISION or self._has_row_weights(y)
        return (weights > 0).astype(np.float64) if of_density else weights

    def on_bound(self, y: Any, eta: Array, fitted: Array) -> tuple[Any, Any]:
        """Rows whose mean is on its bound, up to rounding: where y is not on it, and where it is.

        ``fitted`` is η by the fit of all rows, from which it has come.
        """
        link, family = self.loss.link, self.loss.family
        eta, fitted = eta[:, 0], fitted[:, 0]
        size = _ROUNDING * np.abs(fitted[np.isfinite(fitted)]).max(initial=0.0)
        is_power = isinstance(link, PowerLink) and link.power > 0
        off, on = np.zeros(len(eta), dtype=bool), np.zeros(len(eta), dtype=bool)
        with np.errstate(all="ignore"):
            if is_power and not family.has_mean(np.array([-1.0]))[0]:
                low = np.abs(link.mean(eta)) <= _LEFT * np.abs(link.mean(fitted))
                low |= np.abs(eta) <= size
                off, on = off | (low & (y > 0)), on | (low & (y == 0))
            if isinstance(family, Binomial) and (is_power or isinstance(link, LogLink)):
                high = np.abs(link.complement(eta)) <= _LEFT * np.abs(link.complement(fitted))
                high |= np.abs(eta - (1.0 if is_power else 0.0)) <= size
                off, on = off | (high & (y < 1)), on | (high & (y == 1))
        return off, on

    def _without_mean(self, eta: Array) -> Any:
        outside = self.loss.outside(eta[:, 0])
        return False if outside is None else outside

    def _has_row_weights(self, y: Any) -> bool:
        """Whether the density of a row is that of all its trials."""
        if self.weighting is Weighting.PRECISION:
            return True
        proportions = isinstance(self.loss.family, Binomial) and not ((y == 0) | (y == 1)).all()
        return bool(proportions and self.weighting is Weighting.FREQUENCY)


class OwnMeasure(Measure):
    """Of losses of the user's."""

    loss_name = "loss"

    def __init__(self, loss: Loss, model: Any, weighting: Weighting) -> None:
        self.loss, self.weighting, self.model = loss, weighting, model
        self.kind = "likelihood" if model.log_likelihood else "loss"
        self.classes = getattr(model, "classes_", None)

    def predictions(self, eta: Array) -> Array:
        """By the inverse link: of classes probabilities, and η where there is no inverse link."""
        if self.classes is None:
            return inverse_link(self.model._bound_link(), eta[:, 0])
        if self.model.inverse_link is None:
            return eta[:, 0]
        p = self.model._probability(eta[:, 0])
        return np.column_stack([1.0 - p, p])

    def log_scores(self, y: Any, eta: Array, weights: Array, scale: Any, losses: Array) -> Array:
        """``-ℓ``; of precisions times w."""
        found = -losses
        if self.weighting is not Weighting.PRECISION:
            return found
        return np.where(weights > 0, weights, 1.0) * found

    def losses(self, y: Any, eta: Array) -> Array:
        """ℓ."""
        with np.errstate(over="ignore"):
            return self.loss.value(y, eta[:, 0])


def has_dispersion(family: Family) -> bool:
    """Whether the density has a φ: ``p^(1/φ)`` of counts and proportions is no probability."""
    is_poisson = isinstance(family, PowerFamily) and family.power == 1
    return family.has_dispersion and not is_poisson


def measure_of(training: TrainingFit) -> Measure:
    """The measure of a model."""
    record, loss = training.model._record(), training.fit.loss
    weighting = record.weighting
    if isinstance(record.model, LinearModelInference):
        return NormalMeasure(weighting)
    if isinstance(loss, BinaryCrossEntropy | SoftmaxCrossEntropy):
        return ClassMeasure(loss, record.classes, weighting)
    if isinstance(record.loss, FamilyLoss):
        return FamilyMeasure(record.loss, weighting)
    return OwnMeasure(loss, training.model, weighting)
