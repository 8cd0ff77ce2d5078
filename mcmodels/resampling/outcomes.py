"""The outcomes of a model: means with their deviations, or how strange each class is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.arrays import Array
from mcmodels.estimators.glm_methods import GlmMethods
from mcmodels.estimators.loss_methods import LossMethods
from mcmodels.estimators.missing_means import warn_without_means
from mcmodels.estimators.pointwise import inverse_link
from mcmodels.objectives.families import Binomial
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.links import PowerLink
from mcmodels.reweighting.conformal import adaptive_strangeness, margin_strangeness

__all__ = ["Means", "Strangeness"]


@dataclass(frozen=True)
class Means:
    """Means of the targets of a regressor, as functions of the linear predictor.

    Parameters
    ----------
    model : estimator
        The fitted regressor.
    """

    model: Any

    @property
    def _loss(self) -> FamilyLoss | None:
        return self.model._loss() if isinstance(self.model, GlmMethods) else None

    def of(self, eta: Array) -> Array:
        """The means, NaN where there is none; in the shape of η."""
        if isinstance(self.model, LossMethods):
            return _by_link(self.model._link_of_eta(), eta)
        if (loss := self._loss) is None:
            return eta
        flat = eta.ravel()
        with np.errstate(all="ignore"):
            found, outside = loss.link.mean(flat), loss.outside(flat)
        if outside is not None:
            found = np.where(outside, np.nan, found)
        return found.reshape(eta.shape)

    def warn_of_missing(self, prediction: Array) -> None:
        """Warn of new rows whose linear predictor is outside the domain of the link."""
        if (loss := self._loss) is not None:
            warn_without_means(loss, np.isnan(prediction), "predictions")

    def deviation(self, mu: Array) -> Array:
        """``√V(μ)``."""
        if (loss := self._loss) is None:
            return np.ones_like(mu)
        with np.errstate(all="ignore"):
            return loss.family.deviation(mu)

    @property
    def is_monotone(self) -> bool:
        """Whether the mean is known to be a monotone function of η."""
        if isinstance(self.model, LossMethods):
            return self.model._link_of_eta() is None
        link = None if self._loss is None else self._loss.link
        return not isinstance(link, PowerLink) or link.power == 1.0

    @property
    def has_monotone_deviation(self) -> bool:
        """Whether the deviation is a monotone function of the mean."""
        return self._loss is None or not isinstance(self._loss.family, Binomial)

    @property
    def range(self) -> tuple[float, float]:
        """Between these are all targets."""
        if (loss := self._loss) is None:
            return -np.inf, np.inf
        below, above = (bool(loss.family.wrong_targets(np.array([y]))[0][0]) for y in (-1.0, 2.0))
        return 0.0 if below else -np.inf, 1.0 if above else np.inf


@dataclass(frozen=True)
class Strangeness:
    """How strange each class is to a classifier, as a function of its linear predictors.

    Parameters
    ----------
    model : estimator
        The fitted classifier.
    score : str
        "probability" or "adaptive".
    """

    model: Any
    score: str

    @property
    def _link(self) -> Any:
        return self.model._link_of_eta() if isinstance(self.model, LossMethods) else None

    def of(self, eta: Array) -> Array:
        """The strangeness of each class, of shape (classes, …), by η of shape (K, …)."""
        link, is_adaptive = self._link, self.score == "adaptive"
        if link is None:
            return adaptive_strangeness(eta) if is_adaptive else margin_strangeness(eta)
        p = _by_link(link, eta[0])
        if not is_adaptive:
            return np.stack([p, 1.0 - p])
        least = np.where(np.isnan(p), np.nan, 0.0)
        return np.stack([np.where(p < 0.5, -p, least), np.where(p > 0.5, p - 1.0, least)])

    @property
    def is_margin(self) -> bool:
        """Whether it is a difference of linear predictors, or such differences put together.

        Then it changes by no more than the largest of them.
        """
        return self.score == "probability" and self._link is None


def _by_link(link: Any, eta: Array) -> Array:
    """The inverse link of a loss of the user's; NaN where η is."""
    flat = eta.ravel()
    known = np.isfinite(flat)
    found = np.full(flat.shape, np.nan)
    found[known] = inverse_link(link, flat[known])
    return found.reshape(eta.shape)
