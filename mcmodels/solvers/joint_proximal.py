"""Proximal Newton for coefficients and auxiliary parameters together, with ``l1‖coef‖₁``.

The steps are those of :mod:`mcmodels.solvers.proximal_newton`, over ``(θ, a)``: absolute values
stand on the coefficients alone. The joint objective is rarely convex. Where its Hessian has no
Cholesky factor, over all parameters or over those that are not zero, its eigenvalues λ are replaced
by |λ|, as in :mod:`mcmodels.solvers.joint_newton`; and as there, a step changes no auxiliary
parameter by more than a few times its size. The absolute values keep coefficients finite, but no
auxiliary parameter and no intercept: along these the objective may fall for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.objectives.absolute_auxiliary import L1AuxiliaryObjective
from mcmodels.objectives.user_loss import UserDerivatives
from mcmodels.solvers import room
from mcmodels.solvers.coordinates import shifted_coordinates
from mcmodels.solvers.definite_models import factor_of
from mcmodels.solvers.fit_state import Placed, Progress
from mcmodels.solvers.joint_checks import (
    CANCELLED,
    PRECISE,
    auxiliary_share,
    grows_jointly,
    has_cancelled_jointly,
    is_lower_far_out,
    refuse_start_not_finite,
    units_of_step,
)
from mcmodels.solvers.joint_newton import JointCoordinates
from mcmodels.solvers.modified_steps import LEAST_SHARE, falling_line
from mcmodels.solvers.proximal_newton import (
    ProximalDirection,
    ProximalIterate,
    ProximalNewton,
)
from mcmodels.solvers.recession import falls_for_ever
from mcmodels.solvers.solution import Status
from mcmodels.solvers.tolerances import NEGLIGIBLE_STEP, ZERO_EIGENVALUE, factorisation_error

__all__ = ["fit_jointly_with_l1"]


def fit_jointly_with_l1(
    objective: L1AuxiliaryObjective, start: Array, *, tol: float, max_iter: int
) -> Iterator[Progress]:
    """Yield the state after each step, as :func:`mcmodels.solvers.joint_newton.fit` does.

    Parameters
    ----------
    objective : L1AuxiliaryObjective
        What is minimised.
    start : ndarray of shape (P + q,)
        First parameters.
    tol : float
        Bound of the shortest subgradient, relative to the total weight.
    max_iter : int
        Largest number of steps.

    Raises
    ------
    ValueError
        With so many parameters that no Hessian is formed, or if the objective is not finite at the
        start.
    """
    if room.too_many(start.size):
        raise ValueError(
            f"l1={objective.l1:g} with {start.size} parameters: the Hessian, which each step "
            "needs, would be too large. Leave out columns first, for instance those with "
            "the least |gradient| at zero."
        )
    base = shifted_coordinates(objective)
    coordinates = JointCoordinates(base.centre, n_auxiliary=objective.n_auxiliary)
    placed = Placed(objective, coordinates)
    method = _JointProximalNewton.of(placed, tol * objective.rows.total_weight)
    for state in method.iterates(placed.from_users(start), max_iter):
        yield Progress(placed.to_users(state.params), coordinates, state)


@dataclass(frozen=True)
class _JointProximalNewton(ProximalNewton):
    """What does not change from one iterate to the next; arrays have shape (P + q,)."""

    @classmethod
    def of(cls, placed: Placed, bound: float) -> _JointProximalNewton:
        found, objective = super().of(placed, bound), placed.inner
        assert isinstance(objective, L1AuxiliaryObjective)
        q = objective.n_auxiliary
        # An auxiliary parameter is in all rows, as an intercept is.
        lengths = np.append(found.lengths, np.full(q, np.sqrt(objective.rows.total_weight)))
        return cls(objective, bound, lengths, np.append(found.varies, np.ones(q, dtype=bool)))

    def _refuse_not_finite(self, start: Array, derivatives: UserDerivatives) -> None:
        refuse_start_not_finite(self.objective, start, derivatives)

    def _share(self, params: Array, step: Array) -> float:
        return auxiliary_share(self.objective, params, step)

    def _has_cancelled(self, params: Array, subgradient: Array) -> bool:
        return has_cancelled_jointly(self.objective, params, subgradient, CANCELLED)

    def _bends_upwards(self, derivatives: UserDerivatives) -> bool:
        return False  # the range of ∂²ℓ/∂η² says nothing of the joint Hessian

    def _model(
        self, params: Array, derivatives: UserDerivatives, subgradient: Array
    ) -> tuple[npt.NDArray[np.intp], Array, float]:
        """Newton's Hessian, over all parameters or those that are not zero; else |λ|."""
        every, B = np.arange(params.size), self._scaled(derivatives.hessian)
        factor = factor_of(B)
        if factor is not None:
            return every, B, factor.condition
        taken, left = self._moving(params), np.abs(subgradient) / self.lengths
        if taken.size and left[taken].max() == left.max():
            part = B[np.ix_(taken, taken)]
            factor = factor_of(part)
            if factor is not None:
                return taken, part, factor.condition
        units = units_of_step(params, derivatives) / self.lengths
        values, V = linalg.eigh(B / np.outer(units, units))
        size = np.abs(values).max()
        bends_down = values[0] < -ZERO_EIGENVALUE * size
        least = LEAST_SHARE if bends_down else factorisation_error(values.size) * values.size
        raised = np.maximum(np.abs(values), least * size if size > 0 else 1.0)
        return every, (V * raised) @ V.T * np.outer(units, units), np.inf

    def _curved(
        self, params: Array, derivatives: UserDerivatives
    ) -> tuple[npt.NDArray[np.intp], Array, Array]:
        taken = self._moving(params)
        units = units_of_step(params, derivatives)[taken]
        values, V = linalg.eigh(derivatives.hessian[np.ix_(taken, taken)] / np.outer(units, units))
        return taken, values, V / units[:, np.newaxis]

    def _status(self, params: Array, direction: ProximalDirection) -> Status | None:
        if np.abs(direction.subgradient).max(initial=0.0) > self.bound:
            return None
        if direction.least_eigenvalue < -ZERO_EIGENVALUE:
            return None
        if self._grows(params, direction.step):
            return Status.UNBOUNDED if self._recedes(params, direction.step) else None
        left = np.sqrt(max(direction.decrease, 0.0) / self.objective.rows.total_weight)
        precise = direction.relative_length <= NEGLIGIBLE_STEP and left <= PRECISE
        return Status.CONVERGED if precise else None

    def _grows(self, params: Array, step: Array) -> bool:
        return grows_jointly(self.objective, params, step)

    def _recedes(self, params: Array, step: Array, *, strictly: bool = True) -> bool:
        """Whether the objective keeps falling as the intercept and auxiliary parameters grow.

        Along every other direction the absolute values grow.
        """
        alone = np.where(self.objective.strengths == 0, step, 0.0)
        if not alone.any():
            return False
        if self.objective.penalty > 0 and falls_for_ever(self.objective, params, alone):
            return True
        return is_lower_far_out(self.objective, params, alone, strictly=strictly)

    def _stalled(self, current: ProximalIterate) -> Status:
        status = super()._stalled(current)
        step = current.direction.step
        if status is Status.CONVERGED and self._grows(current.params, step):
            recedes = self._recedes(current.params, step, strictly=False)
            return Status.UNBOUNDED if recedes else Status.NOT_CONVERGED
        return status

    def _given_up(self, current: ProximalIterate, start: Array) -> ProximalIterate:
        """UNBOUNDED where the objective falls for ever along a line, else the iterate itself.

        The lines: that of the whole descent, that of the next step, and those of the intercept and
        of the auxiliary parameters.
        """
        axes = np.eye(start.size)[self.objective.strengths == 0]
        lines = (current.params - start, current.direction.step, *axes, *-axes)
        step = falling_line(self.objective, current.params, lines)
        if step is None:
            return current
        direction = replace(current.direction, step=step)
        return replace(current, direction=direction, status=Status.UNBOUNDED)
