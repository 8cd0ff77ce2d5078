"""The likelihood of choices among classes of which each row may have its own.

A row of class y among the classes S has the margins ``m_k = η_y - η_k``, k in S without y, and

===========  ======================================================
loss         ``ℓ = log(1 + Σₖ e^-m_k)``, minus the log-probability of y
gradient     ``∂ℓ/∂m_k = -p_k``, ``p_k = e^-m_k / (1 + Σₗ e^-mₗ)``
Hessian      ``∂²ℓ/∂m_k∂mₗ = p_k 1(k = l) - p_k pₗ``
===========  ======================================================

With all classes it is the cross-entropy of softmax; of one class the loss is zero. With design rows
``a_k`` of the margins and ``ā = Σₖ p_k a_k``, the Hessian over the parameters is
``Σ w (Σₖ p_k (a_k - ā)(a_k - ā)ᵀ + p_y ā āᵀ)``, in which nothing cancels. Source: McFadden (1974),
*Conditional logit analysis of qualitative choice behavior*, in Frontiers in Econometrics, §II.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mcmodels.arrays import Array, Codes
from mcmodels.objectives.linear_predictor import CurvatureSums, LinearPredictorObjective
from mcmodels.objectives.losses import SAFE_LIMIT, CurvatureTerm, Loss, Pointwise
from mcmodels.rows import DenseDesign, RowBlock, Scratch

__all__ = ["ChoiceLoss", "ChoiceObjective"]

_DIAGONAL: tuple[tuple[tuple[int, int], ...], float] = (((0, 0),), 1.0)


class ChoiceLoss(Loss):
    """``ℓ = log(1 + Σ e^-m)`` of consecutive margins; y numbers the choice of each, in a block."""

    def at(self, y: Codes, eta: Array, scratch: Scratch | None = None) -> Pointwise:
        """Value and derivatives; the value of a choice is at its first margin, zero at others."""
        first, member = _choices(y)
        least = np.minimum(np.minimum.reduceat(eta, first), 0.0)
        terms = np.exp(least[member] - eta)
        others, own = np.add.reduceat(terms, first), np.exp(least)
        value = np.zeros(len(eta))
        value[first] = np.log1p(np.where(least == 0, others, others + own - 1.0)) - least
        share = terms / (own + others)[member]

        def curvature() -> Iterator[CurvatureTerm]:
            raise TypeError("the curvature of a choice is between margins: see ChoiceObjective")

        return Pointwise(value, -share, curvature)

    def with_curvature(self, y: Codes, eta: Array) -> Array:
        """The margins of a choice raised together until its own class has a probability of 1/R."""
        first, member = _choices(y)
        below = np.log(SAFE_LIMIT - 1) - np.logaddexp.reduceat(-eta, first)
        return eta - np.minimum(below, 0.0)[member]

    def curvature_product(self, y: Codes, eta: Array, direction: Array) -> Array:
        """``p∘u - p(pᵀu)`` for the part u of a direction in each choice."""
        first, member = _choices(y)
        p = -self.at(y, eta).gradient
        return p * (direction - np.add.reduceat(p * direction, first)[member])

    def falls(self, y: Any) -> Array:
        """Ones: the loss falls in each margin, to zero as all grow."""
        return np.ones(len(y))


class ChoiceObjective(LinearPredictorObjective):
    """The sum of :class:`ChoiceLoss` over rows of margins."""

    def _curvature(self, block: RowBlock, pointwise: Pointwise) -> CurvatureSums:
        first, member = _choices(block.y)
        p, Z = -pointwise.gradient, block.X.dense()
        means = np.add.reduceat(p[:, np.newaxis] * Z, first)
        own = np.exp(-pointwise.value[first])
        own = own if block.weights is None else own * block.weights[first]
        total = DenseDesign(Z - means[member], intercept=False).sandwich(block.weighted(p))
        total += DenseDesign(means, intercept=False).sandwich(own)
        return CurvatureSums({_DIAGONAL: total}, 0.0)


def _choices(y: Codes) -> tuple[Codes, Codes]:
    """Where each choice begins, and the choice of each margin."""
    begins = np.append(True, y[1:] != y[:-1])
    return np.flatnonzero(begins), np.cumsum(begins) - 1
