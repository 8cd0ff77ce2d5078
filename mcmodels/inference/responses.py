"""What a linear predictor predicts, with derivatives: probabilities of classes, or means.

With one linear predictor η has shape (b,) and K is one; with one a class it has shape (b, K).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import expit, softmax

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.links import Link

__all__ = ["ClassProbabilities", "LinearPredictors", "Means", "OwnMeans", "Response"]


class Response(Protocol):
    """A function p of linear predictors, row by row."""

    def refuse_outside(self, eta: Array) -> None:
        """Raise where p is not defined."""
        ...

    def values(self, eta: Array) -> Array:
        """``p``, shape (b, K)."""
        ...

    def slopes(self, eta: Array) -> Array:
        """``∂pₖ/∂η_l``, shape (b, K, K)."""
        ...

    def curvatures(self, eta: Array) -> Iterator[Array]:
        """``∂²pₖ/∂η_l∂η_m`` for one k after another, each of shape (b, K, K)."""
        ...


@dataclass(frozen=True)
class Means:
    """The mean of a generalized linear model.

    Parameters
    ----------
    loss : FamilyLoss
        Family and link.
    """

    loss: FamilyLoss

    @property
    def link(self) -> Link:
        """The link."""
        return self.loss.link

    def refuse_outside(self, eta: Array) -> None:
        """Raise where there is no mean of the family."""
        outside = self.loss.outside(eta)
        if outside is not None and outside.any():
            raise InferenceError(
                f"{np.count_nonzero(outside)} of {outside.size} rows have no mean of the family "
                f"{self.loss.family.name!r} with the link {self.link.name!r}: the first has the "
                f"linear predictor {eta[outside][0]:g}. Leave them out."
            )

    def values(self, eta: Array) -> Array:
        """``μ``, shape (b, 1)."""
        return self.link.mean(eta)[:, np.newaxis]

    def slopes(self, eta: Array) -> Array:
        """``dμ/dη``, shape (b, 1, 1)."""
        return self.link.slopes(eta)[0][:, np.newaxis, np.newaxis]

    def curvatures(self, eta: Array) -> Iterator[Array]:
        """``d²μ/dη²``, shape (b, 1, 1), once."""
        yield self.link.slopes(eta)[1][:, np.newaxis, np.newaxis]


class LinearPredictors:
    """The linear predictors themselves."""

    def refuse_outside(self, eta: Array) -> None:
        """They are defined everywhere."""

    def values(self, eta: Array) -> Array:
        """``η``, shape (b, K)."""
        return eta.reshape(len(eta), -1)

    def slopes(self, eta: Array) -> Array:
        """The unit matrix for each row, shape (b, K, K)."""
        K = 1 if eta.ndim == 1 else eta.shape[1]
        return np.broadcast_to(np.eye(K), (len(eta), K, K))

    def curvatures(self, eta: Array) -> Iterator[Array]:
        """Zeros of shape (b, K, K), for each of K."""
        slopes = self.slopes(eta)
        for _ in range(slopes.shape[1]):
            yield np.zeros(slopes.shape)


@dataclass(frozen=True)
class OwnMeans:
    """A function of one linear predictor that the user has written.

    Parameters
    ----------
    derivative : callable
        ``derivative(eta, order)`` of order 0, 1 or 2, each of the shape of eta.
    """

    derivative: Callable[[Array, int], Array]

    def refuse_outside(self, eta: Array) -> None:
        """Raise where the function or its slope is not finite."""
        for order, what in enumerate(("value", "slope")):
            lost = ~np.isfinite(self.derivative(eta, order))
            if lost.any():
                raise InferenceError(
                    f"inverse_link has no finite {what} at eta={eta[lost][0]:g}; leave such rows "
                    "out, or write it so that it has one."
                )

    def values(self, eta: Array) -> Array:
        """``p``, shape (b, 1)."""
        return self.derivative(eta, 0)[:, np.newaxis]

    def slopes(self, eta: Array) -> Array:
        """``dp/dη``, shape (b, 1, 1)."""
        return self.derivative(eta, 1)[:, np.newaxis, np.newaxis]

    def curvatures(self, eta: Array) -> Iterator[Array]:
        """``d²p/dη²``, shape (b, 1, 1), once."""
        yield self.derivative(eta, 2)[:, np.newaxis, np.newaxis]


class ClassProbabilities:
    """Probabilities of classes; of two, that of the second."""

    def refuse_outside(self, eta: Array) -> None:
        """Probabilities are defined everywhere."""

    def values(self, eta: Array) -> Array:
        """Probabilities, shape (b, 1) for two classes, (b, K) for more."""
        return expit(eta)[:, np.newaxis] if eta.ndim == 1 else softmax(eta, axis=1)

    def slopes(self, eta: Array) -> Array:
        """``∂pₖ/∂η_l``, shape (b, K, K); (b, 1, 1) for two classes."""
        if eta.ndim == 1:
            return (expit(eta) * expit(-eta))[:, np.newaxis, np.newaxis]
        p = softmax(eta, axis=1)
        return p[:, :, np.newaxis] * _log_slopes(p)

    def curvatures(self, eta: Array) -> Iterator[Array]:
        """``∂²pₖ/∂η_l∂η_m`` for each class k, shape (b, K, K); (b, 1, 1) for two classes."""
        if eta.ndim == 1:
            p, q = expit(eta), expit(-eta)
            yield (p * q * (q - p))[:, np.newaxis, np.newaxis]
            return
        p = softmax(eta, axis=1)
        log_slopes = _log_slopes(p)
        slopes = p[:, :, np.newaxis] * log_slopes
        for k in range(p.shape[1]):
            gradient = log_slopes[:, k]
            outer = gradient[:, :, np.newaxis] * gradient[:, np.newaxis, :]
            yield p[:, k, np.newaxis, np.newaxis] * (outer - slopes)


def _log_slopes(p: Array) -> Array:
    """``∂ log pₖ/∂η_l = 1ₖ₌ₗ - p_l``, shape (b, K, K); accurate even for pₖ close to one."""
    same = np.eye(p.shape[1])
    others = p @ (1.0 - same)
    return same * others[:, :, np.newaxis] - (1.0 - same) * p[:, np.newaxis, :]
