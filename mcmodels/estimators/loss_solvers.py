"""Which objective a loss of the user's has, and which algorithm minimises it."""

from __future__ import annotations

from collections.abc import Iterator

from mcmodels.arrays import Array
from mcmodels.objectives.absolute_auxiliary import L1AuxiliaryObjective
from mcmodels.objectives.absolute_penalty import L1Objective
from mcmodels.objectives.auxiliary import AuxiliaryLoss, AuxiliaryObjective
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.rows import Rows
from mcmodels.solvers import Solution, conclusion, irls, joint_conclusion, joint_newton
from mcmodels.solvers.fit_state import Optimum, Progress
from mcmodels.solvers.joint_proximal import fit_jointly_with_l1
from mcmodels.solvers.proximal_conclusion import conclude_with_l1
from mcmodels.solvers.proximal_newton import fit_with_l1

__all__ = ["concluded", "objective_of", "steps_to_minimum"]


def objective_of(
    rows: Rows, loss: UserLoss | AuxiliaryLoss, penalty: float, l1: float
) -> UserObjective:
    """``Σ wᵢ ℓᵢ + penalty ‖coef‖²/2 + l1 ‖coef‖₁``."""
    if isinstance(loss, AuxiliaryLoss) and l1 > 0:
        return L1AuxiliaryObjective(rows, loss, penalty, l1)
    if isinstance(loss, AuxiliaryLoss):
        return AuxiliaryObjective(rows, loss, penalty)
    if l1 > 0:
        return L1Objective(rows, loss, penalty, l1)
    return UserObjective(rows, loss, penalty)


def steps_to_minimum(
    objective: UserObjective, start: Array, *, tol: float, max_iter: int
) -> Iterator[Progress]:
    """The steps of the algorithm that the objective needs."""
    if isinstance(objective, L1AuxiliaryObjective):
        return fit_jointly_with_l1(objective, start, tol=tol, max_iter=max_iter)
    if isinstance(objective, AuxiliaryObjective):
        return joint_newton.fit(objective, start, tol=tol, max_iter=max_iter)
    if isinstance(objective, L1Objective):
        return fit_with_l1(objective, start, tol=tol, max_iter=max_iter)
    return irls.fit(objective, start, tol=tol, max_iter=max_iter)


def concluded(objective: UserObjective, last: Progress) -> Solution[Optimum]:
    """What the last step of that algorithm proves."""
    if isinstance(objective, AuxiliaryObjective):
        return joint_conclusion.conclude(objective, last)
    if isinstance(objective, L1Objective):
        return conclude_with_l1(objective, last)
    return conclusion.conclude(objective, last)
