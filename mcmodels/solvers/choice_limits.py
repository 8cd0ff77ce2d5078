"""The infimum of a likelihood of several classes that are separated, also with a parameter held.

Along a direction of recession each row keeps some of its classes: those against which its margin
``η_own - η_other`` rests. The others lose their probability. So the limit is a likelihood of
choices, in which each row has its own classes (:mod:`mcmodels.objectives.choices`).

Which margins grow depends on the signs of margins alone, not on the loss: they are those of a
binary cross-entropy in which each pair of a row and another class is a row of its own, of the first
of two classes. A direction recedes for both or for neither, and so both have a minimum over the
margins that rest, or neither has (:mod:`mcmodels.solvers.limits`, which proves it). Sources: Albert
and Anderson (1984), *On the existence of maximum likelihood estimates in logistic regression
models*, Biometrika 71(1), §4; Geyer (2009), *Likelihood inference in exponential families and
directions of recession*, Electronic Journal of Statistics 3, §3.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives import BinaryCrossEntropy, LinearPredictorObjective
from mcmodels.objectives.choices import ChoiceObjective
from mcmodels.rows import Derivatives, RowsWithTargets, WithoutColumn
from mcmodels.solvers.coordinates import orthonormal_coordinates
from mcmodels.solvers.fit_state import Placed
from mcmodels.solvers.limits import Limit, limit_of, over_resting
from mcmodels.solvers.newton import newton_iterates
from mcmodels.solvers.newton_direction import NewtonDirection, is_accurate
from mcmodels.solvers.solution import Status

__all__ = ["ChoiceLimits"]

# Fits of the margins that rest end at this gradient, by the total weight, or after so many steps.
_PRECISE, _MAX_STEPS = 1e-11, 200


class _Known:
    """Of margins that rest it is known that there is a minimum."""

    def is_needless(self, params: Array, direction: NewtonDirection) -> bool:
        return True

    def reach(self, params: Array, step: Array) -> float:
        return 0.0

    def holds(self, params: Array, derivatives: Derivatives, direction: NewtonDirection) -> bool:
        return True


class ChoiceLimits:
    """Infima of an objective of choices.

    Parameters
    ----------
    objective : ChoiceObjective
        The objective, over the margins of all rows and classes.
    """

    def __init__(self, objective: ChoiceObjective) -> None:
        self._objective = objective
        self._cones: dict[int | None, Limit | None] = {}

    def limit_of(self, without: int | None = None, held: float = 0.0) -> Limit | None:
        """The infimum, with the parameter ``without`` held at a value; None if it was not proved.

        ``n_resting`` is a number of margins.
        """
        if without not in self._cones:
            self._cones[without] = self._cone(without)
        cone = self._cones[without]
        return None if cone is None else self._least(cone, without, held)

    def _cone(self, without: int | None) -> Limit | None:
        """The limit of the binary cross-entropy: the same directions, and margins that rest."""
        rows = RowsWithTargets(
            self._objective.rows, lambda block: np.ones(block.X.n_rows, dtype=np.intp)
        )
        return limit_of(LinearPredictorObjective(rows, BinaryCrossEntropy()), None, without)

    def _least(self, cone: Limit, without: int | None, held: float) -> Limit | None:
        """The minimum over the margins that rest, by Newton's method; there is one."""
        part = resting = over_resting(self._objective, cone.directions)
        nowhere = np.zeros(self._objective.rows.n_params)
        if without is not None:
            nowhere[without] = held
        found = replace(cone, objective=resting, params=nowhere, value=0.0)
        if resting is None or part is None:
            return found
        if without is not None:
            part = resting.over(WithoutColumn(resting.rows, without, held), 0.0)
        if not part.rows.n_params:
            return replace(found, value=resting.value(nowhere))
        placed = Placed(part, orthonormal_coordinates(part.rows))
        if placed.coordinates.rank != cone.rank:
            return None
        *_, state = newton_iterates(
            placed.inner,
            np.zeros(cone.rank),
            gradient_tolerance=_PRECISE * part.rows.total_weight,
            max_iter=_MAX_STEPS,
            proof=_Known(),
        )
        if state.status is not Status.CONVERGED or not is_accurate(state.direction):
            return None
        params = placed.to_users(state.params)
        whole = params if without is None else np.insert(params, without, held)
        value = state.derivatives.value - max(state.direction.decrease, 0.0) / 2
        return replace(found, params=whole, value=value)
