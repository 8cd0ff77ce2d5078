"""Losses of the outputs of a network: counts, and several labels a row.

==================  ==============================================================================
counts              ``ℓ = Σₖ [yₖ log(yₖ/μₖ) - yₖ + μₖ]``, ``μ = e^η``: half the Poisson deviance;
                    ``ℓ' = μ - y``, ``ℓ'' = diag(μ)``
labels              ``ℓ = Σₖ [log(1 + e^ηₖ) - yₖηₖ]``, yₖ in {0, 1}: a binary cross-entropy for
                    each label; ``ℓ' = p - y``, ``ℓ'' = diag(p(1 - p))``, ``p = σ(η)``
==================  ==============================================================================

Sources: McCullagh and Nelder (1989), *Generalized Linear Models*, 2nd ed., §2.3 and §6.2 (the
deviance of counts, the logarithm as link); Bishop (2006), *Pattern Recognition and Machine
Learning*, §5.2 (eq. 5.23: several binary targets).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import expit, log_expit

from mcmodels.arrays import Array
from mcmodels.objectives.losses import BinaryCrossEntropy, CurvatureTerm, Loss, Pointwise
from mcmodels.rows import Scratch

__all__ = [
    "HalfPoissonDeviance",
    "LabelCrossEntropy",
    "label_log_probabilities",
    "label_probabilities",
    "mean_of_outputs",
]

_LARGEST = float(np.finfo(np.float64).max)


class HalfPoissonDeviance(Loss):
    """``ℓ = Σₖ [yₖ log(yₖ/μₖ) - yₖ + μₖ]`` with ``μ = e^η``, for ``y ≥ 0`` of the shape of η.

    Where y is positive it is computed as ``y (e^d - 1 - d)`` with ``d = η - log y``, and its slope
    as ``y (e^d - 1)``: a sum of terms that nearly cancel would lose the digits of a good fit.
    """

    def at(self, y: Array, eta: Array, scratch: Scratch | None = None) -> Pointwise:
        """Value and derivatives of each row."""
        with np.errstate(over="ignore", invalid="ignore"):  # solvers reject what is not finite
            eta = np.minimum(eta, _LARGEST)
            mean, positive = np.exp(eta), y > 0
            distance = eta - np.log(np.where(positive, y, 1.0))
            slope = np.expm1(distance)
            value = np.where(positive, y * (slope - distance), mean)
            gradient = np.where(positive, y * slope, mean)

        def curvature() -> Iterator[CurvatureTerm]:
            for k, column in enumerate(mean.reshape(len(mean), -1).T):
                yield CurvatureTerm([(k, k)], 1.0, np.ascontiguousarray(column))

        return Pointwise(value if eta.ndim == 1 else value.sum(axis=1), gradient, curvature)

    def curvature_product(self, y: Array, eta: Array, direction: Array) -> Array:
        """``e^η`` · direction."""
        with np.errstate(over="ignore"):
            return np.exp(eta) * direction


class LabelCrossEntropy(Loss):
    """``ℓ = Σₖ [log(1 + e^ηₖ) - yₖηₖ]`` for y in {0, 1}, of the shape of η: (b, K)."""

    def __init__(self) -> None:
        self._of_each = BinaryCrossEntropy()

    def at(self, y: Array, eta: Array, scratch: Scratch | None = None) -> Pointwise:
        """Value and derivatives of each row."""
        found = self._of_each.at(_codes(y), eta.ravel(), scratch)

        def curvature() -> Iterator[CurvatureTerm]:
            (term,) = found.curvature()
            for k, column in enumerate(term.magnitude.reshape(eta.shape).T):
                yield CurvatureTerm([(k, k)], 1.0, np.ascontiguousarray(column))

        value = found.value.reshape(eta.shape).sum(axis=1)
        return Pointwise(value, found.gradient.reshape(eta.shape), curvature)

    def curvature_product(self, y: Array, eta: Array, direction: Array) -> Array:
        """``σ(η)σ(-η)`` · direction."""
        return self._of_each.curvature_product(y, eta, direction)


def _codes(y: Array) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return y.ravel().astype(np.intp)


def mean_of_outputs(loss: Loss, eta: Array) -> Array:
    """The prediction of a regression: ``e^η`` of counts, else η."""
    return np.exp(eta) if isinstance(loss, HalfPoissonDeviance) else eta


def label_probabilities(eta: Array) -> Array:
    """Probability of each label: never zero and never one, which are those of the impossible."""
    p = expit(eta)
    below_one = np.nextafter(p.dtype.type(1), p.dtype.type(0))
    return np.clip(p, np.finfo(p.dtype).smallest_subnormal, below_one, out=p)


def label_log_probabilities(eta: Array) -> Array:
    """Logarithms of them, finite even where these underflow; float32 as they are rounded."""
    return np.log(label_probabilities(eta)) if eta.dtype == np.float32 else log_expit(eta)
