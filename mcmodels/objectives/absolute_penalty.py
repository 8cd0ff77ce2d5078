"""A loss of the user's with a penalty on the absolute values of the coefficients.

``F(θ) = f(θ) + l1 Σ |coef|`` with the smooth ``f(θ) = Σ wᵢ ℓ(yᵢ, x̃ᵢᵀθ) + α‖coef‖²/2``. Values are
those of F, gradients and Hessians those of f. A point is a minimum of a convex F where zero is a
subgradient: ``∂f/∂θⱼ = 0`` of the intercept, ``-l1 sign(θⱼ)`` where ``θⱼ ≠ 0``, and at most l1 in
size where ``θⱼ = 0``: Hastie, Tibshirani and Wainwright (2015), *Statistical Learning with
Sparsity*, §5.2.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from mcmodels.arrays import Array, Penalty
from mcmodels.objectives.linear_predictor import CurvatureSums
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.rows import RowBlock, Rows, Slope

__all__ = ["L1Objective", "least_subgradient"]


class L1Objective(UserObjective):
    """``Σ wᵢ ℓ(yᵢ, x̃ᵢᵀθ) + α‖coef‖²/2 + l1‖coef‖₁``; derivatives are without the last term.

    Parameters
    ----------
    rows, loss, penalty
        Those of :class:`.UserObjective`.
    l1 : float
        Strength of the penalty on absolute values.
    """

    def __init__(self, rows: Rows, loss: UserLoss, penalty: Penalty = 0.0, l1: float = 0.0) -> None:
        super().__init__(rows, loss, penalty)
        self.l1 = l1

    def over(self, rows: Rows, penalty: Penalty) -> Self:
        """The same objective over other rows, with another α."""
        return type(self)(rows, self.loss, penalty, self.l1)

    @property
    def strengths(self) -> Array:
        """The factor of each ``|θⱼ|``, shape (P,): l1, and zero of the intercept."""
        found = np.full(self.rows.n_params, self.l1)
        if self.rows.intercept:
            found[-1] = 0.0
        return found

    def value(self, params: Array) -> float:
        """The objective, both penalties included."""
        return super().value(params) + self.absolute_part(params)

    def raised_hessian(self, params: Array, least: float) -> Array:
        """The Hessian with ``max(|ℓ″|, least)`` in place of the ℓ″ of each row.

        Rows of which ℓ″ is zero or negative say nothing of how far a step may go. With this
        curvature a quadratic model bends upwards along all that changes predictions.
        """

        def summarise(block: RowBlock) -> CurvatureSums:
            eta = block.linear_predictor(params, own=False)
            (second,) = self.loss.derivatives(block.y, eta, (2,))
            weighted = block.weighted(np.maximum(np.abs(second), least))
            return CurvatureSums({(((0, 0),), 1.0): block.X.sandwich(weighted)})

        return self._assembled(self.rows.reduce(summarise), params)

    def absolute_part(self, params: Array) -> float:
        """``l1‖coef‖₁``."""
        return float(self.strengths @ np.abs(params))

    def _with_penalty(self, slope: Slope, params: Array) -> Slope:
        smooth = super()._with_penalty(slope, params)
        return Slope(smooth.value + self.absolute_part(params), smooth.gradient)


def least_subgradient(params: Array, gradient: Array, strengths: Array) -> Array:
    """The shortest subgradient of F; zero at a minimum, and only there if F is convex.

    Parameters
    ----------
    params, gradient : ndarray of shape (P,)
        θ and the gradient of the smooth part.
    strengths : ndarray of shape (P,)
        The factor of each ``|θⱼ|``.
    """
    at_zero = np.sign(gradient) * np.maximum(np.abs(gradient) - strengths, 0.0)
    return np.where(params == 0, at_zero, gradient + strengths * np.sign(params))
