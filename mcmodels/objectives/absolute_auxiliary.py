"""A loss with auxiliary parameters, and a penalty on the absolute values of the coefficients.

``F(θ, a) = Σ wᵢ ℓ(yᵢ, x̃ᵢᵀθ, a) + α‖coef‖²/2 + l1‖coef‖₁``; the intercept and a are not penalised.
Values are those of F, gradients and Hessians those of the smooth part, as of
:class:`.absolute_penalty.L1Objective`. A point is stationary where the derivatives by a and by the
intercept are zero, and those by the coefficients meet the conditions given there.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from mcmodels.arrays import Array, Penalty
from mcmodels.objectives.absolute_penalty import L1Objective
from mcmodels.objectives.auxiliary import AuxiliaryLoss, AuxiliaryObjective
from mcmodels.rows import Rows, Slope

__all__ = ["L1AuxiliaryObjective"]


class L1AuxiliaryObjective(AuxiliaryObjective):
    """``Σ wᵢ ℓ(yᵢ, x̃ᵢᵀθ, a) + α‖coef‖²/2 + l1‖coef‖₁``; derivatives are without the last term.

    Parameters
    ----------
    rows, auxiliary, penalty
        Those of :class:`.AuxiliaryObjective`.
    l1 : float
        Strength of the penalty on absolute values.
    """

    def __init__(
        self, rows: Rows, auxiliary: AuxiliaryLoss, penalty: Penalty = 0.0, l1: float = 0.0
    ) -> None:
        super().__init__(rows, auxiliary, penalty)
        self.l1 = l1

    def over(self, rows: Rows, penalty: Penalty) -> Self:
        """The same objective over other rows, with another α."""
        return type(self)(rows, self.auxiliary, penalty, self.l1)

    def of_predictor(self, a: Array) -> L1Objective:
        """The objective of θ alone, with the auxiliary parameters held."""
        return L1Objective(self.rows, self.auxiliary.at(a), self.penalty, self.l1)

    @property
    def strengths(self) -> Array:
        """The factor of each parameter's absolute value: l1 of the coefficients, else zero."""
        found = np.zeros(self.rows.n_params + self.n_auxiliary)
        found[: self.rows.n_features] = self.l1
        return found

    def _penalised_slope(self, slope: Slope, params: Array) -> Slope:
        smooth = super()._penalised_slope(slope, params)
        absolute = float(self.strengths @ np.abs(params))
        return Slope(smooth.value + absolute, smooth.gradient)
