"""Pointwise losses ℓ(y, η) in the linear predictor η: value, dℓ/dη, d²ℓ/dη².

For b rows, η has shape (b,) for one output and (b, K) for K outputs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp, softmax

from mcmodels.arrays import Array
from mcmodels.objectives.links import third_of_softplus
from mcmodels.rows import Scratch

_LARGEST = float(np.finfo(np.float64).max)

Codes = npt.NDArray[np.intp]


class CurvatureTerm(NamedTuple):
    """One distinct entry of the K×K matrix d²ℓ/dηₖdηₗ.

    Parameters
    ----------
    pairs : list of (k, l) with k ≤ l
        Positions of the entry, which is also at (l, k) by symmetry.
    sign : float
        1.0 or -1.0.
    magnitude : ndarray of shape (b,)
        Its absolute value, row by row.
    """

    pairs: list[tuple[int, int]]
    sign: float
    magnitude: Array


@dataclass(frozen=True)
class Pointwise:
    """A loss and its derivatives in the linear predictor, row by row.

    Parameters
    ----------
    value : ndarray of shape (b,)
        ℓ.
    gradient : ndarray, the shape of eta
        dℓ/dη.
    curvature : callable
        Yields the distinct entries of d²ℓ/dη²; those left out are zero.
    off_diagonal : callable, default=None
        Yields those outside the diagonal, where each row of d²ℓ/dη² sums to zero. Then they
        determine the diagonal: each of its entries is minus the sum of the others in its row.
    """

    value: Array
    gradient: Array
    curvature: Callable[[], Iterator[CurvatureTerm]]
    off_diagonal: Callable[[], Iterator[CurvatureTerm]] | None = field(default=None, kw_only=True)


class Loss(ABC):
    """A twice differentiable loss in the linear predictor.

    Attributes
    ----------
    shift_invariant : bool
        Whether adding a number to all K predictors of a row changes nothing.
    """

    shift_invariant = False

    @abstractmethod
    def at(self, y: Any, eta: Array, scratch: Scratch | None = None) -> Pointwise:
        """Value and derivatives of each row, computed together.

        With ``scratch``, the results may lie in its arrays.
        """

    @abstractmethod
    def curvature_product(self, y: Any, eta: Array, direction: Array) -> Array:
        """d²ℓ/dη² times a direction in η, the shape of eta."""

    def third_product(self, y: Any, eta: Array, first: Array, second: Array) -> Array:
        """``Σ_lm ∂³ℓ/∂ηₖ∂ηₗ∂ηₘ · first_l second_m`` of each row, the shape of eta."""
        raise NotImplementedError(f"{type(self).__name__} has no third derivatives.")

    def value(self, y: Any, eta: Array) -> Array:
        """ℓ of each row, shape (b,)."""
        return self.at(y, eta).value

    def gradient(self, y: Any, eta: Array, scratch: Scratch | None = None) -> Array:
        """dℓ/dη, the shape of eta; with ``scratch`` it may lie in its arrays."""
        return self.at(y, eta, scratch).gradient

    def with_curvature(self, y: Any, eta: Array) -> Array:
        """Predictors with the curvature that a safe step uses; by default the predictors.

        Where a loss is steep but has hardly any curvature, they are moved to where it has some.
        """
        return eta

    def curvature(self, y: Any, eta: Array) -> Iterator[CurvatureTerm]:
        """The distinct entries of d²ℓ/dη²; those left out are zero."""
        return self.at(y, eta).curvature()

    def falls(self, y: Any) -> Array:
        """Where ℓ of one output falls for ever, to its infimum, shape (b,).

        Of each row 1 if that is as η → ∞, 0 if it is as η → -∞, and ½ if ℓ has a minimum, or
        it is not known that it falls.
        """
        return np.full(len(y), 0.5)

    def infimum(self, y: Any) -> Array:
        """The infimum of ℓ in rows that fall for ever, and zero in the others."""
        return np.zeros(len(y))


class SquaredError(Loss):
    """``ℓ = Σₖ (yₖ - ηₖ)²``, ``ℓ' = 2(η - y)``, ``ℓ'' = 2I``; y has the shape of η."""

    def at(self, y: Array, eta: Array, scratch: Scratch | None = None) -> Pointwise:
        """Value and derivatives of each row."""
        residual = eta - y
        squares = residual**2
        value = squares if squares.ndim == 1 else squares.sum(axis=1)
        outputs = 1 if eta.ndim == 1 else eta.shape[1]

        def curvature() -> Iterator[CurvatureTerm]:
            yield CurvatureTerm([(k, k) for k in range(outputs)], 1.0, np.full(eta.shape[0], 2.0))

        return Pointwise(value, 2.0 * residual, curvature)

    def curvature_product(self, y: Array, eta: Array, direction: Array) -> Array:
        """2 · direction."""
        return 2.0 * direction

    def third_product(self, y: Array, eta: Array, first: Array, second: Array) -> Array:
        """Zero."""
        return np.zeros(eta.shape)


# R: where the observed class has a probability below 1/R, a cross-entropy has a slope of nearly 1
# and hardly any curvature, and Newton's step means nothing.
SAFE_LIMIT = 4.0
# The sign by which η becomes the margin, for y = 0 and y = 1; vectors of scratch memory.
_SIDES, _VECTORS = np.array([-1.0, 1.0]), 6


class BinaryCrossEntropy(Loss):
    """``ℓ = log(1 + e^η) - yη`` for y in {0, 1}; ``ℓ' = σ(η) - y``, ``ℓ'' = σ(η)σ(-η)``.

    Computed from the margin ``m = (2y - 1)η``, as ``ℓ = log(1 + e^-m)`` and
    ``ℓ' = -(2y - 1)σ(-m)``: these are accurate however close a probability is to 0 or 1.
    """

    def at(self, y: Any, eta: Array, scratch: Scratch | None = None) -> Pointwise:
        """Value and derivatives of each row, from one exponential."""
        vectors = (scratch or Scratch()).vectors("binary cross-entropy", _VECTORS, eta.size)
        side, margin, e, total, gradient, value = vectors
        np.take(_SIDES, y, out=side, mode="clip")
        np.multiply(side, eta, out=margin)
        np.abs(margin, out=e)
        np.negative(e, out=e)
        np.exp(e, out=e)
        np.add(e, 1.0, out=total)

        # log(1 + e) as the logarithm of the rounded sum, plus a correction for the rounding: in
        # NumPy, log uses vector instructions and log1p does not.
        np.log(total, out=value)
        np.subtract(total, 1.0, out=gradient)
        np.subtract(e, gradient, out=gradient)
        gradient /= total
        value += gradient

        # σ(-m) is e/(1 + e) for a positive margin, 1/(1 + e) for a negative one.
        np.minimum(margin, 0.0, out=gradient)
        value -= gradient
        np.exp(np.negative(np.maximum(margin, 0.0, out=margin), out=margin), out=margin)
        np.divide(margin, total, out=gradient)
        gradient *= side
        np.negative(gradient, out=gradient)

        def curvature() -> Iterator[CurvatureTerm]:
            np.divide(e, total, out=e)
            yield CurvatureTerm([(0, 0)], 1.0, np.divide(e, total, out=e))

        return Pointwise(value, gradient, curvature)

    def with_curvature(self, y: Any, eta: Array) -> Array:
        """The predictors with margins of at least ``-log(R - 1)``."""
        side = _SIDES[y]
        return side * np.maximum(side * eta, -np.log(SAFE_LIMIT - 1))

    def gradient(self, y: Any, eta: Array, scratch: Scratch | None = None) -> Array:
        """``-(2y - 1)σ(-m)``, a third of the work of :meth:`at`."""
        scratch = scratch or Scratch()
        side, gradient, *_ = scratch.vectors("binary cross-entropy", _VECTORS, eta.size)
        np.take(_SIDES, y, out=side, mode="clip")
        np.multiply(side, eta, out=gradient)
        with np.errstate(over="ignore"):  # σ(-m) is then zero
            np.exp(gradient, out=gradient)
        gradient += 1.0
        np.divide(side, gradient, out=gradient)
        return np.negative(gradient, out=gradient)

    def falls(self, y: Any) -> Array:
        """The codes themselves: the infimum is zero."""
        return np.asarray(y, dtype=np.float64)

    def curvature_product(self, y: Any, eta: Array, direction: Array) -> Array:
        """``σ(η)σ(-η)`` · direction."""
        e = np.exp(-np.abs(eta))
        return e / (1.0 + e) ** 2 * direction

    def third_product(self, y: Any, eta: Array, first: Array, second: Array) -> Array:
        """``ℓ‴ = σ(η)σ(-η)(σ(-η) - σ(η)) = -σ(η)σ(-η) tanh(η/2)``, times both directions."""
        return third_of_softplus(eta) * first * second


class SoftmaxCrossEntropy(Loss):
    """``ℓ = log Σₖ e^ηₖ - η_y`` for a class code y; ``ℓ' = p - e_y``, ``ℓ'' = diag(p) - ppᵀ``."""

    shift_invariant = True

    def at(self, y: Codes, eta: Array, scratch: Scratch | None = None) -> Pointwise:
        """Value and derivatives of each row, accurate also where ℓ is nearly zero."""
        rows = np.arange(eta.shape[0])
        largest = eta.argmax(axis=1)
        highest = eta[rows, largest]
        if not np.isfinite(highest).all():  # the predictor has overflowed
            eta = np.clip(eta, -_LARGEST, _LARGEST)
            highest = eta[rows, largest]
        with np.errstate(over="ignore", under="ignore"):  # -inf: a probability of zero
            terms = np.exp(eta - highest[:, np.newaxis])
            peak = highest - eta[rows, y]
        probability = terms / terms.sum(axis=1)[:, np.newaxis]
        terms[rows, largest] = 0.0
        value = peak + np.log1p(terms.sum(axis=1))

        # The entry of the observed class is minus the sum of the others.
        gradient = probability.copy()
        gradient[rows, y] = 0.0
        gradient[rows, y] = -gradient.sum(axis=1)

        def off_diagonal() -> Iterator[CurvatureTerm]:
            p = np.ascontiguousarray(probability.T)
            for k in range(len(p)):
                for j in range(k + 1, len(p)):
                    yield CurvatureTerm([(k, j)], -1.0, p[k] * p[j])

        def curvature() -> Iterator[CurvatureTerm]:
            p = probability
            for k in range(p.shape[1]):
                others = np.delete(p, k, axis=1).sum(axis=1)
                yield CurvatureTerm([(k, k)], 1.0, p[:, k] * others)
            yield from off_diagonal()

        return Pointwise(value, gradient, curvature, off_diagonal=off_diagonal)

    def with_curvature(self, y: Codes, eta: Array) -> Array:
        """The predictors with that of the observed class raised until its probability is 1/R."""
        rows = np.arange(eta.shape[0])
        others = eta.copy()
        others[rows, y] = -np.inf
        raised = eta.copy()
        raised[rows, y] = np.maximum(
            eta[rows, y], logsumexp(others, axis=1) - np.log(SAFE_LIMIT - 1)
        )
        return raised

    def curvature_product(self, y: Codes, eta: Array, direction: Array) -> Array:
        """``p∘u - p(pᵀu)`` for a direction u."""
        p = softmax(eta, axis=1)
        along = np.einsum("bk,bk->b", p, direction)
        return p * (direction - along[:, np.newaxis])

    def third_product(self, y: Codes, eta: Array, first: Array, second: Array) -> Array:
        """``pₖ [(uₖ - pᵀu)(vₖ - pᵀv) - Σₘ pₘ (uₘ - pᵀu)(vₘ - pᵀv)]`` for directions u and v.

        The third cumulants of a categorical variable. Adding a number to a direction changes
        nothing: so the entry of the likeliest class is subtracted first, and differences from the
        mean have their digits where that class is nearly certain.
        """
        rows = np.arange(eta.shape[0])
        largest = eta.argmax(axis=1)
        p = softmax(eta, axis=1)
        u = first - first[rows, largest][:, np.newaxis]
        v = second - second[rows, largest][:, np.newaxis]
        u = u - np.einsum("bk,bk->b", p, u)[:, np.newaxis]
        v = v - np.einsum("bk,bk->b", p, v)[:, np.newaxis]
        products = u * v
        return p * (products - np.einsum("bk,bk->b", p, products)[:, np.newaxis])
