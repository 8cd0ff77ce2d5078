"""The outcomes of a model: means with their deviations, or how strange each class is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.arrays import Array
from mcmodels.estimators.glm_methods import GlmMethods
from mcmodels.estimators.loss_methods import LossMethods
from mcmodels.estimators.pointwise import inverse_link
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.reweighting.conformal import adaptive_strangeness, margin_strangeness

__all__ = ["Means", "means_of", "strangeness_of"]


@dataclass(frozen=True)
class Means:
    """Means of the targets of a regressor, as functions of the linear predictor.

    Parameters
    ----------
    of : callable
        The mean of η, NaN where there is none.
    deviation : callable
        ``√V`` of the mean.
    lowest, highest : float
        Between these are all targets.
    """

    of: Callable[[Array], Array]
    deviation: Callable[[Array], Array] = np.ones_like
    lowest: float = -np.inf
    highest: float = np.inf


def means_of(model: Any) -> Means:
    """The means of a fitted regressor."""
    if isinstance(model, GlmMethods):
        return _family_means(model._loss())
    if isinstance(model, LossMethods):
        link = model._bound_link()
        return Means(lambda eta: _by_link(link, eta))
    return Means(lambda eta: eta)


def _family_means(loss: FamilyLoss) -> Means:
    def mean(eta: Array) -> Array:
        flat = eta.ravel()
        with np.errstate(all="ignore"):
            found, outside = loss.link.mean(flat), loss.outside(flat)
        if outside is not None:
            found = np.where(outside, np.nan, found)
        return found.reshape(eta.shape)

    def deviation(mu: Array) -> Array:
        with np.errstate(all="ignore"):
            return loss.family.deviation(mu)

    below, above = (bool(loss.family.wrong_targets(np.array([y]))[0][0]) for y in (-1.0, 2.0))
    return Means(mean, deviation, 0.0 if below else -np.inf, 1.0 if above else np.inf)


def _by_link(link: Any, eta: Array) -> Array:
    """The inverse link of a loss of the user's; NaN where η is."""
    flat = eta.ravel()
    known = np.isfinite(flat)
    found = np.full(flat.shape, np.nan)
    found[known] = inverse_link(link, flat[known])
    return found.reshape(eta.shape)


def strangeness_of(model: Any, score: str) -> Callable[[Array], Array]:
    """How strange each class is, of shape (classes, …), by linear predictors of shape (K, …)."""
    link = model._bound_link() if isinstance(model, LossMethods) else None
    if link is None:
        return margin_strangeness if score == "probability" else adaptive_strangeness

    def by_link(eta: Array) -> Array:
        p = _by_link(link, eta[0])
        if score == "probability":
            return np.stack([p, 1.0 - p])
        least = np.where(np.isnan(p), np.nan, 0.0)
        return np.stack([np.where(p < 0.5, -p, least), np.where(p > 0.5, p - 1.0, least)])

    return by_link
