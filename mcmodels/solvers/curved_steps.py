"""Newton steps bent by the curve of the gradient, as far as a sample of the rows shows it.

Along a step d from θ the gradient is ``g + Hd + r(d)``, and Newton's method leaves the remainder
out: the error after a step is about the square of that before it. A sample of the rows S tells most
of the remainder, at no walk over all rows:

    ``r(d) ≈ (W / W_S) · (g_S(θ + d) - g_S(θ) - H_S(θ) d)``,    ``d = δ - H⁻¹ r(d)``

with the exact g and H of all rows, and Newton's step ``δ = -H⁻¹g``. So the error after a step is
that square times the relative error of the sample. With ``r(δ)`` in place of ``r(d)``, and all rows
in place of a sample, that is Chebyshev's method: Traub (1964), *Iterative Methods for the Solution
of Equations*, §5.2. Where rows are read from outside memory at each walk, it saves one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.objectives.user_loss import UserObjective
from mcmodels.rows import Derivatives
from mcmodels.solvers.newton_direction import NewtonDirection, newton_direction
from mcmodels.solvers.tolerances import NEGLIGIBLE_STEP, ROWS_PER_PARAMETER

# The remainder bends a step by at most this share of its length. So the step still leads downwards.
_LARGEST_BEND = 0.5
# Largest number of evaluations of the remainder: each divides the error by the length of the step.
_MOST_EVALUATIONS = 4


@dataclass(frozen=True)
class SampledCurve:
    """The remainder of the gradient along a step, from a sample of the rows.

    Parameters
    ----------
    part : LinearPredictorObjective
        The objective over the sample.
    scale : float
        Weight of all rows by that of the sample.
    """

    part: LinearPredictorObjective
    scale: float

    @classmethod
    def of(cls, objective: LinearPredictorObjective, n_params: int) -> Self | None:
        """That of an objective; None where it would save no walk, or the sample is too small."""
        rows = objective.rows
        if not rows.walks_are_costly or isinstance(objective, UserObjective):
            return None
        sample = rows.sample(rows.n_present)
        if sample.walks_are_costly or sample.n_present < ROWS_PER_PARAMETER * n_params:
            return None
        scale = rows.total_weight / sample.total_weight
        return cls(objective.over(sample, 0.0), scale)

    def bent(
        self,
        objective: LinearPredictorObjective,
        params: Array,
        derivatives: Derivatives,
        direction: NewtonDirection,
    ) -> NewtonDirection:
        """The direction with its step bent; as it is where that makes no difference, or too much.

        Parameters
        ----------
        objective : LinearPredictorObjective
            The objective over all rows.
        params : ndarray
            Where the step begins.
        derivatives : Derivatives
            Those of all rows there.
        direction : NewtonDirection
            Newton's step.
        """
        length = direction.relative_length
        if not NEGLIGIBLE_STEP < length**2 < 1 or direction.rank < params.size:
            return direction
        enough = 1 / np.sqrt(self.part.rows.n_present)
        newton, step, bends = direction.step, direction.step, []
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(_MOST_EVALUATIONS):
                remainder = self.scale * self.part.gradient_remainder(params, step)
                if not np.isfinite(remainder).all():
                    return direction
                bend = newton_direction(objective, params, replace(derivatives, gradient=remainder))
                changed = newton + bend.step - step
                step = newton + bend.step
                bends.append(_length(changed, derivatives.hessian))
                if bends[-1] > _LARGEST_BEND * _length(newton, derivatives.hessian):
                    return direction
                if bends[-1] <= enough * bends[0]:
                    break
        return replace(direction, step=step)


def _length(vector: Array, hessian: Array) -> float:
    flat = vector.ravel()
    return math.sqrt(max(float(flat @ hessian @ flat), 0.0))
