"""Newton's method for coefficients and auxiliary parameters together.

The design columns are made orthonormal first, so that units of columns and their dependencies have
no part in the joint Hessian. Where the Hessian has a Cholesky factor, the step is Newton's. Else
its eigenvalues λ are replaced by |λ|: Nocedal and Wright (2006), *Numerical Optimization*, 2nd ed.,
§3.4. Auxiliary parameters such as a log scale have an objective that is nearly straight on one side
and exponential on the other, where Newton's step may be huge. So a step changes none of them by
more than a few times its size.

A minimum may be missing: the scale goes to zero where the fit is exact, thresholds and coefficients
grow where ordered classes are separated. UNBOUNDED is said where values of the objective show it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.objectives.auxiliary import AuxiliaryObjective
from mcmodels.objectives.user_loss import UserDerivatives
from mcmodels.rows import single_threaded_blas
from mcmodels.solvers import room
from mcmodels.solvers.auxiliary_limits import towards_limit
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.coordinates import Coordinates, orthonormal_coordinates, shifted_coordinates
from mcmodels.solvers.fit_state import Placed, Progress
from mcmodels.solvers.flat_points import flat_steps, has_no_effect, probes
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
from mcmodels.solvers.modified_steps import (
    LEAST_SHARE,
    ModifiedDirection,
    candidates,
    falling_line,
    has_negative_curvature,
    lower_point,
)
from mcmodels.solvers.newton import NewtonIterate, gradient_is_small, unverifiable_decrease
from mcmodels.solvers.newton_direction import NewtonDirection, direction_of
from mcmodels.solvers.recession import falls_for_ever
from mcmodels.solvers.solution import Status
from mcmodels.solvers.tolerances import FLOAT64_EPSILON, NEGLIGIBLE_STEP, ZERO_EIGENVALUE

__all__ = ["JointCoordinates", "fit", "joint_coordinates"]

# An auxiliary parameter of this size no data determine.
_FARTHEST = 1e100
# So many points where the Hessian is zero along a direction are left, one after another.
_FLAT_POINTS = 3
# A gradient of so many roundings of its terms shows nothing in further steps.
_ROUNDINGS = 16.0


@dataclass(frozen=True)
class JointCoordinates(Coordinates):
    """Coordinates of coefficients and intercept; auxiliary parameters behind them stay as they are.

    Parameters
    ----------
    n_auxiliary : int
        How many there are.
    """

    n_auxiliary: int = field(kw_only=True)

    def to_users(self, params: Array, *, intercept: bool) -> Array:
        """The user's parameters."""
        cut = params.shape[-1] - self.n_auxiliary
        theta = super().to_users(params[..., :cut], intercept=intercept)
        return np.concatenate([theta, params[..., cut:]], axis=-1)

    def from_users(self, params: Array, *, intercept: bool) -> Array:
        """Parameters in these coordinates."""
        cut = params.shape[-1] - self.n_auxiliary
        theta = super().from_users(params[..., :cut], intercept=intercept)
        return np.concatenate([theta, params[..., cut:]], axis=-1)


def joint_coordinates(objective: AuxiliaryObjective) -> JointCoordinates:
    """Orthonormal columns; with a penalty, which is on the user's coefficients, shifted ones."""
    base = shifted_coordinates(objective)
    if not objective.penalty:
        base = orthonormal_coordinates(objective.rows)
    return JointCoordinates(
        base.centre, base.inverse, base.basis, n_auxiliary=objective.n_auxiliary
    )


def fit(
    objective: AuxiliaryObjective, start: Array, *, tol: float, max_iter: int
) -> Iterator[Progress]:
    """Yield the state after each step, until ``‖gradient‖∞ ≤ tol · Σ wᵢ`` and steps are negligible.

    Parameters
    ----------
    objective : AuxiliaryObjective
        What is minimised.
    start : ndarray of shape (P + q,)
        First parameters.
    tol : float
        Bound of the gradient, relative to the total weight.
    max_iter : int
        Largest number of steps; after it, the status is NOT_CONVERGED.

    Yields
    ------
    Progress
        The last one has a status; :mod:`mcmodels.solvers.joint_conclusion` makes a Solution of it.

    Raises
    ------
    ValueError
        If the Hessian takes too much memory, or the objective is not finite at the start.
    """
    if room.too_many(start.size):
        raise ValueError(
            f"X has {objective.rows.n_features} columns: with auxiliary parameters the Hessian is "
            "always formed, and this one takes too much memory. Select columns, or fit without "
            "auxiliary."
        )
    coordinates = joint_coordinates(objective)
    placed = Placed(objective, coordinates)
    method = _Method(placed, tol * objective.rows.total_weight, max_iter)
    params = placed.from_users(start)
    with np.errstate(all="ignore"):
        known = method.objective.derivatives(params)
    refuse_start_not_finite(method.objective, params, known)
    state = method.iterate(params, known, 0)
    while True:
        if method.is_stationary(state):
            with single_threaded_blas():
                state = method.beyond_flat_point(state)
        yield Progress(placed.to_users(state.params), coordinates, state)
        if state.status is not None:
            return
        with single_threaded_blas():
            state = method.advance(state)


@dataclass
class _Method:
    """What does not change from one iterate to the next."""

    placed: Placed
    gradient_tolerance: float
    max_iter: int

    def __post_init__(self) -> None:
        inner = self.placed.inner
        assert isinstance(inner, AuxiliaryObjective)
        self.objective = inner
        self.start: Array | None = None

    def iterate(
        self, params: Array, known: UserDerivatives, count: int
    ) -> NewtonIterate[UserDerivatives]:
        """The iterate at a point, with its direction and status."""
        if self.start is None:
            self.start = params
        direction = self.direction(params, known)
        state = NewtonIterate(params, known, direction, count, None)
        status = self.status(state)
        if status is Status.UNBOUNDED:
            return self._unbounded(state)
        if status is None and count >= self.max_iter:
            return self._given_up(state)
        return replace(state, status=status)

    def direction(self, params: Array, known: UserDerivatives) -> NewtonDirection:
        """Newton's step, or the modified one; not much longer than the auxiliary parameters."""
        hessian = known.hessian
        scale = np.sqrt(np.clip(np.diagonal(hessian), 0.0, None))
        factor = ScaledCholesky.of(hessian, scale)
        if factor is None:
            return self.modified(params, known)
        step = -factor.apply(known.gradient)
        found = direction_of(params, known, step, step.size, factor.condition)
        return self._limited(params, found)

    def modified(
        self, params: Array, known: UserDerivatives, *, along_least: bool = False
    ) -> NewtonDirection:
        """The step of the Hessian with the eigenvalues |λ|, in units of its diagonal; limited, too.

        With ``along_least``, or where the gradient is small but the least eigenvalue negative, the
        step is along the eigenvector of that eigenvalue.
        """
        units = units_of_step(params, known)
        values, V = linalg.eigh(known.hessian / np.outer(units, units))
        largest = float(np.abs(values).max())
        least = float(values[0]) / largest if largest > 0 else 0.0
        small = gradient_is_small(known, self.gradient_tolerance)
        if along_least or (least < -ZERO_EIGENVALUE and small):
            step = V[:, 0] / units * np.linalg.norm(units) / np.sqrt(units.size)
            step = step if known.gradient @ step <= 0 else -step
        else:
            raised = np.maximum(np.abs(values), LEAST_SHARE * largest)
            raised[raised == 0] = 1.0
            step = -(V @ (V.T @ (known.gradient / units) / raised)) / units
        rank = int(np.count_nonzero(np.abs(values) > ZERO_EIGENVALUE * largest))
        plain = direction_of(params, known, step, rank, np.inf)
        curvature = float(step @ known.hessian @ step)
        found = ModifiedDirection(**vars(plain), curvature=curvature, least_eigenvalue=least)
        return self._limited(params, found)

    def _limited(self, params: Array, direction: NewtonDirection) -> NewtonDirection:
        share = auxiliary_share(self.objective, params, direction.step)
        if not share < 1.0:
            return direction
        found = replace(direction, step=share * direction.step, decrease=share * direction.decrease)
        if isinstance(found, ModifiedDirection):
            return replace(found, curvature=share**2 * found.curvature)
        return found

    def status(self, state: NewtonIterate[UserDerivatives]) -> Status | None:
        """CONVERGED at a minimum, UNBOUNDED where the objective is seen to fall; else None."""
        known, direction = state.derivatives, state.direction
        _, a = self.objective.split(state.params)
        if np.abs(a).max(initial=0.0) > _FARTHEST and self.recedes(state, strictly=True):
            return Status.UNBOUNDED
        if not gradient_is_small(known, self.gradient_tolerance):
            negligible = direction.relative_length <= NEGLIGIBLE_STEP
            lost = negligible and self._has_cancelled(state, _ROUNDINGS * FLOAT64_EPSILON)
            return Status.CONVERGED if lost and np.isfinite(direction.condition) else None
        if has_negative_curvature(direction):
            return None
        if grows_jointly(self.objective, state.params, direction.step):
            if self.recedes(state, strictly=True):
                return Status.UNBOUNDED
            unaffected = has_no_effect(self.objective, state.params, direction.step)
            return Status.CONVERGED if unaffected else None
        left = np.sqrt(max(direction.decrease, 0.0) / self.objective.rows.total_weight)
        precise = direction.relative_length <= NEGLIGIBLE_STEP and left <= PRECISE
        return Status.CONVERGED if precise else None

    def advance(self, current: NewtonIterate[UserDerivatives]) -> NewtonIterate[UserDerivatives]:
        """The next iterate."""
        objective, count = self.objective, current.count + 1
        found = lower_point(objective, objective.derivatives, current, candidates(self, current))
        if found is None:
            return self._stalled(replace(current, count=count))
        return found if isinstance(found, NewtonIterate) else self.iterate(*found, count)

    def _stalled(self, current: NewtonIterate[UserDerivatives]) -> NewtonIterate[UserDerivatives]:
        """The end where no step decreases the objective."""
        if has_negative_curvature(current.direction):
            # Where parameters have no effect, all of their curvature is rounding of the objective.
            assert isinstance(current.direction, ModifiedDirection)
            gain = -0.5 * current.direction.curvature
            small = gradient_is_small(current.derivatives, self.gradient_tolerance)
            if small and gain <= unverifiable_decrease(current.derivatives.value):
                return replace(current, status=Status.CONVERGED)
            return self._given_up(current)
        hidden = 0 < current.direction.decrease <= unverifiable_decrease(current.derivatives.value)
        ends = (
            gradient_is_small(current.derivatives, self.gradient_tolerance)
            or (hidden and not isinstance(current.direction, ModifiedDirection))
            or self._has_cancelled(current, CANCELLED)
        )
        if not ends:
            return self._given_up(current)
        step = current.direction.step
        if grows_jointly(self.objective, current.params, step):
            if has_no_effect(self.objective, current.params, step):
                return replace(current, status=Status.CONVERGED)
            if not self.recedes(current, strictly=False):
                return self._given_up(current)
            return self._unbounded(current)
        return replace(current, status=Status.CONVERGED)

    def is_stationary(self, state: NewtonIterate[UserDerivatives]) -> bool:
        """Whether a fit has ended at a stationary point, be it a minimum or not."""
        if state.status is Status.NOT_CONVERGED and state.count < self.max_iter:
            return gradient_is_small(state.derivatives, self.gradient_tolerance)
        return state.status is Status.CONVERGED

    def beyond_flat_point(
        self, current: NewtonIterate[UserDerivatives]
    ) -> NewtonIterate[UserDerivatives]:
        """The lowest end of fits from around a point where the Hessian is zero along directions.

        It is the point itself where none of them is lower.
        """
        for _ in range(_FLAT_POINTS):
            steps = flat_steps(
                self.objective, current.params, current.derivatives, current.direction.condition
            )
            if not steps:
                return current
            best, place = current, self._with_first_values(current)
            known = self.objective.derivatives(place)
            if known.is_finite:
                steps += flat_steps(self.objective, place, known, np.inf)
            for points in probes(self.objective, place, steps):
                for point in points:
                    found = self._fitted_from(point, current.count)
                    if found is not None and self._is_lower(found, best):
                        best = found
                if best is not current:
                    break
            if best is current or not self.is_stationary(best):
                return best
            current = best
        return current

    def _with_first_values(self, current: NewtonIterate[UserDerivatives]) -> Array:
        """The parameters; auxiliary ones without effect, which have wandered, as they were."""
        assert self.start is not None
        value, place = current.derivatives.value, current.params
        for k in range(place.size - self.objective.n_auxiliary, place.size):
            moved = place.copy()
            moved[k] = self.start[k]
            if abs(self.objective.value(moved) - value) <= unverifiable_decrease(value):
                place = moved
        return place

    def _fitted_from(self, params: Array, count: int) -> NewtonIterate[UserDerivatives] | None:
        """The end of a fit from another start; None if it did not end in ``max_iter`` steps."""
        with np.errstate(all="ignore"):
            known = self.objective.derivatives(params)
        if not known.is_finite:
            return None
        state = self.iterate(params, known, count)
        while state.status is None:
            state = self.advance(state)
        return None if state.status is Status.NOT_CONVERGED else state

    def _is_lower(
        self, found: NewtonIterate[UserDerivatives], than: NewtonIterate[UserDerivatives]
    ) -> bool:
        value = than.derivatives.value
        return found.derivatives.value < value - unverifiable_decrease(value)

    def _has_cancelled(self, current: NewtonIterate[UserDerivatives], share: float) -> bool:
        return has_cancelled_jointly(
            self.objective, current.params, current.derivatives.gradient, share
        )

    def _given_up(self, current: NewtonIterate[UserDerivatives]) -> NewtonIterate[UserDerivatives]:
        """NOT_CONVERGED, or UNBOUNDED where the objective falls for ever along a line.

        The lines: that of the whole descent, that of the next step, and those of the auxiliary
        parameters. It may also fall to a limit, which rounding errors hide at the end.
        """
        assert self.start is not None
        size = current.params.size
        axes = np.eye(size)[size - self.objective.n_auxiliary :]
        lines = (current.params - self.start, current.direction.step, *axes, *-axes)
        step = falling_line(self.objective, current.params, lines)
        if step is not None:
            return replace(current, status=Status.UNBOUNDED)
        found = towards_limit(self.objective, current, self.start)
        return found or replace(current, status=Status.NOT_CONVERGED)

    def _unbounded(self, current: NewtonIterate[UserDerivatives]) -> NewtonIterate[UserDerivatives]:
        """The end where values show that there is no minimum: with the limit, if there is one."""
        assert self.start is not None
        found = towards_limit(self.objective, current, self.start)
        return found or replace(current, status=Status.UNBOUNDED)

    def recedes(self, state: NewtonIterate[UserDerivatives], *, strictly: bool) -> bool:
        """Whether the objective is still lower far beyond the end of a step."""
        if self.objective.penalty > 0:
            return falls_for_ever(self.objective, state.params, state.direction.step)
        return is_lower_far_out(
            self.objective, state.params, state.direction.step, strictly=strictly
        )
