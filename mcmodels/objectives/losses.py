"""Pointwise losses ℓ(y, η) in the linear predictor η: value, dℓ/dη, d²ℓ/dη².

For b rows, η has shape (b,) for one output and (b, K) for K outputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log1p, softmax

from mcmodels.rows.blocks import Array

Codes = npt.NDArray[np.intp]


class CurvatureTerm(NamedTuple):
    """One distinct entry of the K×K matrix d²ℓ/dηₖdηₗ.

    Parameters
    ----------
    pairs : list of (k, l) with k ≤ l
        Where the entry stands (and, by symmetry, at (l, k)).
    sign : float
        1.0 or -1.0.
    magnitude : ndarray of shape (b,)
        Its absolute value, row by row.
    """

    pairs: list[tuple[int, int]]
    sign: float
    magnitude: Array


class Loss(Protocol):
    """A twice differentiable loss in the linear predictor.

    Attributes
    ----------
    shift_invariant : bool
        Whether adding a number to all K predictors of a row changes nothing.
    """

    shift_invariant: bool

    def value(self, y: Any, eta: Array) -> Array:
        """ℓ of each row, shape (b,)."""
        ...

    def gradient(self, y: Any, eta: Array) -> Array:
        """dℓ/dη, the shape of eta."""
        ...

    def curvature(self, y: Any, eta: Array) -> Iterator[CurvatureTerm]:
        """The distinct entries of d²ℓ/dη²; those left out are zero."""
        ...

    def curvature_product(self, y: Any, eta: Array, direction: Array) -> Array:
        """d²ℓ/dη² times a direction in η, the shape of eta."""
        ...


class SquaredError:
    """``ℓ = Σₖ (yₖ - ηₖ)²``, ``ℓ' = 2(η - y)``, ``ℓ'' = 2I``; y has the shape of η."""

    shift_invariant = False

    def value(self, y: Array, eta: Array) -> Array:
        """ℓ of each row."""
        squares = (y - eta) ** 2
        return squares if squares.ndim == 1 else squares.sum(axis=1)

    def gradient(self, y: Array, eta: Array) -> Array:
        """``2(η - y)``."""
        return 2.0 * (eta - y)

    def curvature(self, y: Array, eta: Array) -> Iterator[CurvatureTerm]:
        """2 on the diagonal."""
        outputs = 1 if eta.ndim == 1 else eta.shape[1]
        yield CurvatureTerm([(k, k) for k in range(outputs)], 1.0, np.full(eta.shape[0], 2.0))

    def curvature_product(self, y: Array, eta: Array, direction: Array) -> Array:
        """2 · direction."""
        return 2.0 * direction


class BinaryCrossEntropy:
    """``ℓ = log(1 + e^η) - yη`` for y in {0, 1}; ``ℓ' = σ(η) - y``, ``ℓ'' = σ(η)σ(-η)``.

    Written in the margin ``m = (2y - 1)η``, in which ``ℓ = log(1 + e^-m)`` and
    ``ℓ' = -(2y - 1)σ(-m)`` keep all their digits however certain the prediction is.
    """

    shift_invariant = False

    def value(self, y: Array, eta: Array) -> Array:
        """ℓ of each row."""
        return np.logaddexp(0.0, -(2.0 * y - 1.0) * eta)

    def gradient(self, y: Array, eta: Array) -> Array:
        """``σ(η) - y``."""
        side = 2.0 * y - 1.0
        return -side * expit(-side * eta)

    def curvature(self, y: Array, eta: Array) -> Iterator[CurvatureTerm]:
        """``σ(η)σ(-η)``."""
        yield CurvatureTerm([(0, 0)], 1.0, expit(eta) * expit(-eta))

    def curvature_product(self, y: Array, eta: Array, direction: Array) -> Array:
        """``σ(η)σ(-η)`` · direction."""
        return expit(eta) * expit(-eta) * direction


class SoftmaxCrossEntropy:
    """``ℓ = log Σₖ e^ηₖ - η_y`` for a class code y; ``ℓ' = p - e_y``, ``ℓ'' = diag(p) - ppᵀ``."""

    shift_invariant = True

    def value(self, y: Codes, eta: Array) -> Array:
        """ℓ of each row; accurate also where it is nearly zero."""
        rows = np.arange(eta.shape[0])
        above = eta - eta[rows, y][:, np.newaxis]
        largest = above.argmax(axis=1)
        peak = above[rows, largest]
        others = np.exp(above - peak[:, np.newaxis])
        others[rows, largest] = 0.0
        return peak + log1p(others.sum(axis=1))

    def gradient(self, y: Codes, eta: Array) -> Array:
        """``p - e_y``; the entry of the observed class is minus the sum of the others."""
        rows = np.arange(eta.shape[0])
        probability = softmax(eta, axis=1)
        probability[rows, y] = 0.0
        probability[rows, y] = -probability.sum(axis=1)
        return probability

    def curvature(self, y: Codes, eta: Array) -> Iterator[CurvatureTerm]:
        """``pₖ(1 - pₖ)`` on the diagonal, ``-pₖpₗ`` off it."""
        p = softmax(eta, axis=1)
        for k in range(p.shape[1]):
            others = np.delete(p, k, axis=1).sum(axis=1)
            yield CurvatureTerm([(k, k)], 1.0, p[:, k] * others)
            for j in range(k + 1, p.shape[1]):
                yield CurvatureTerm([(k, j)], -1.0, p[:, k] * p[:, j])

    def curvature_product(self, y: Codes, eta: Array, direction: Array) -> Array:
        """``p∘u - p(pᵀu)`` for a direction u."""
        p = softmax(eta, axis=1)
        along = np.einsum("bk,bk->b", p, direction)
        return p * (direction - along[:, np.newaxis])
