"""Profiles by fits with a coefficient, the intercept or an auxiliary parameter held at a value."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives.auxiliary import AuxiliaryLoss, AuxiliaryObjective, HeldAuxiliary
from mcmodels.objectives.user_loss import UserObjective
from mcmodels.rows import WithoutColumn
from mcmodels.solvers import irls, joint_newton
from mcmodels.solvers.profile import Profile
from mcmodels.solvers.refits import BoundsOfProfile, Held, held_by

__all__ = ["JointRefits", "joint_held"]

# Fits with a parameter held end after so many steps.
_MAX_STEPS = 200


class JointRefits(BoundsOfProfile):
    """Fits with one parameter held, beside auxiliary parameters or one of these.

    Parameters
    ----------
    objective : AuxiliaryObjective
        The objective, over the user's rows.
    params : ndarray of shape (P + q,)
        Its minimum.
    profile : Profile
        Of the same objective; it tells where fits may begin.
    """

    def __init__(self, objective: AuxiliaryObjective, params: Array, profile: Profile) -> None:
        super().__init__(params)
        self._objective, self._params, self._profile = objective, params, profile

    def least(self, position: int, value: float) -> float:
        """The least value of the objective with a parameter held; NaN if it was not found."""
        return self.held(position, value).least

    def held(self, position: int, value: float) -> Held:
        """The least value of the objective with a parameter held, and where it is, if known."""
        smaller, best = self._without(position, value), Held(np.nan)
        unit = np.eye(1, self._params.size, position)[0]
        for start in (self._profile.nearest(unit, value), self._params):
            if start is not None:
                found = joint_held(smaller, np.delete(start, position))
                if np.isnan(best.least) or found.least < best.least:
                    best = found
        if best.params is None:
            return best
        return Held(best.least, np.insert(best.params, position, value))

    def _without(self, position: int, value: float) -> UserObjective:
        objective, P = self._objective, self._objective.rows.n_params
        if position < P:
            rows = WithoutColumn(objective.rows, position, value)
            return objective.over(rows, objective.penalty)
        if objective.n_auxiliary == 1:
            return objective.of_predictor(np.array([value]))
        held = HeldAuxiliary(objective.auxiliary.function, position - P, value)
        return AuxiliaryObjective(objective.rows, AuxiliaryLoss(held), objective.penalty)


def joint_held(objective: UserObjective, start: Array) -> Held:
    """The least value of an objective, from a start; NaN if it was not found."""
    fit: Any = joint_newton.fit if isinstance(objective, AuxiliaryObjective) else irls.fit
    return held_by(fit, objective, start, _MAX_STEPS)
