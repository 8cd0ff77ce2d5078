"""Proximal Newton: a smooth objective plus ``l1‖coef‖₁``, with coefficients that are exactly zero.

Each step minimises Newton's quadratic model of the smooth part plus the absolute values themselves
(:mod:`mcmodels.solvers.absolute_quadratic`), then a line search decreases the objective: Lee, Sun
and Saunders (2014), *Proximal Newton-type methods for minimizing composite functions*, SIAM Journal
on Optimization 24(3). Columns are measured by their lengths, so that units change no step, and
those that do not vary stay at zero.

Where the Hessian has no Cholesky factor, it is made definite: a tiny multiple of the identity is
added where columns depend on each other (the step is then one of the proximal-point method). Rows
that do not bend upwards (beyond the corner of Huber's loss, say) would leave a model that is nearly
straight along most directions, and steps with nearly all coefficients: they are given a share of
the largest curvature of a row. Such steps find which coefficients are zero. Where the others have
the most to gain, steps are Newton's over these alone, with |λ| in the place of eigenvalues λ < 0.

The fit has converged where no entry of the shortest subgradient exceeds the tolerance, and the next
step is negligible. If the loss is convex, this is a minimum. Else the Hessian over the coefficients
that are not zero must have no negative eigenvalue, and it is a local one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.objectives.absolute_penalty import L1Objective, least_subgradient
from mcmodels.objectives.user_loss import UserDerivatives
from mcmodels.rows import single_threaded_blas
from mcmodels.solvers import room
from mcmodels.solvers.absolute_quadratic import minimise_with_absolute_values
from mcmodels.solvers.coordinates import shifted_coordinates
from mcmodels.solvers.definite_models import (
    factor_of,
    of_absolute_eigenvalues,
    slightly_raised,
)
from mcmodels.solvers.fit_state import Placed, Progress
from mcmodels.solvers.modified_steps import (
    given_up,
    has_cancelled,
    refuse_not_finite_start,
)
from mcmodels.solvers.newton import NewtonIterate, unverifiable_decrease
from mcmodels.solvers.newton_direction import NewtonDirection
from mcmodels.solvers.recession import column_squares, recedes
from mcmodels.solvers.solution import Status
from mcmodels.solvers.tolerances import (
    FLOAT64_EPSILON,
    MAX_HALVINGS,
    NEGLIGIBLE_STEP,
    SUFFICIENT_DECREASE,
    ZERO_EIGENVALUE,
)

__all__ = [
    "ProximalDirection",
    "ProximalIterate",
    "ProximalNewton",
    "fit_with_l1",
]

# Columns whose squares are this share of the squares about zero, by rounding, do not vary.
_CONSTANT = 1e3 * FLOAT64_EPSILON
# Rows that do not bend upwards are given this share of the largest curvature of a row.
_RAISED = 0.01
# Steps whose curvature is a guess are lengthened by a factor, at most so often.
_LENGTHENING, _MAX_LENGTHENINGS = 2.0, 20
# A fit with steps longer than this, relative to the parameters, has not converged.
_LONG_STEP = 1e-3


def fit_with_l1(
    objective: L1Objective, start: Array, *, tol: float, max_iter: int
) -> Iterator[Progress]:
    """Yield the state after each step, as :func:`mcmodels.solvers.irls.fit` does.

    Parameters
    ----------
    objective : L1Objective
        What is minimised.
    start : ndarray of shape (P,)
        First parameters.
    tol : float
        Bound of the shortest subgradient, relative to the total weight.
    max_iter : int
        Largest number of steps.

    Raises
    ------
    ValueError
        With so many parameters that no Hessian is formed.
    """
    if room.too_many(start.size):
        raise ValueError(
            f"l1={objective.l1:g} with {start.size} parameters: the Hessian, which each step "
            "needs, would be too large. Leave out columns first, for instance those with "
            "the least |gradient| at zero; or take alpha alone, which needs no Hessian."
        )
    coordinates = shifted_coordinates(objective)
    placed = Placed(objective, coordinates)
    method = ProximalNewton.of(placed, tol * objective.rows.total_weight)
    for state in method.iterates(placed.from_users(start), max_iter):
        yield Progress(placed.to_users(state.params), coordinates, state)


@dataclass(frozen=True)
class ProximalDirection(NewtonDirection):
    """A step to the minimum of the model; ``decrease`` is ``-gᵀδ`` minus the change of ``l1‖·‖``.

    Parameters
    ----------
    least_eigenvalue : float
        Of the scaled Hessian over coefficients that are not zero, relative to the largest; zero
        where that Hessian is definite, or the loss known to be convex.
    subgradient : ndarray of shape (P,)
        The shortest one.
    """

    least_eigenvalue: float = field(kw_only=True)
    subgradient: Array = field(kw_only=True)


@dataclass(frozen=True)
class ProximalIterate(NewtonIterate[UserDerivatives]):
    """A point, with the step of the model there."""

    direction: ProximalDirection


@dataclass(frozen=True)
class ProximalNewton:
    """What does not change from one iterate to the next.

    Parameters
    ----------
    objective : L1Objective or L1AuxiliaryObjective
        Over the rows in the coordinates of the fit. The steps that need one kind alone are methods
        of this class and of that for auxiliary parameters.
    bound : float
        Largest entry of the subgradient at convergence.
    lengths : ndarray of shape (P,)
        ``√Σ wᵢ x̃ᵢⱼ²`` of each column; one of those that do not vary.
    varies : ndarray of bool, shape (P,)
        Whether a column varies; the intercept's does.
    """

    objective: Any
    bound: float
    lengths: Array
    varies: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, placed: Placed, bound: float) -> ProximalNewton:
        """The method in the coordinates of a fit; ``bound`` is that of the subgradient."""
        objective = placed.inner
        squares = column_squares(objective.rows)
        about_zero = column_squares(placed.objective.rows)
        varies = squares > _CONSTANT * about_zero
        if objective.rows.intercept:
            varies[-1] = True
        lengths = np.sqrt(np.where(varies, squares, 1.0))
        return cls(objective, bound, np.where(lengths > 0, lengths, 1.0), varies)

    def iterates(self, start: Array, max_iter: int) -> Iterator[ProximalIterate]:
        """The start and every iterate after it, until one has a status."""
        start = np.where(self.varies, start, 0.0)
        with np.errstate(over="ignore", invalid="ignore"):
            derivatives = self.objective.derivatives(start)
        self._refuse_not_finite(start, derivatives)
        current = self._at(start, derivatives, 0, max_iter)
        while True:
            if current.status is Status.NOT_CONVERGED:
                current = self._given_up(current, start)
            yield current
            if current.status is not None:
                return
            current = self._advanced(current, max_iter)

    def _refuse_not_finite(self, start: Array, derivatives: UserDerivatives) -> None:
        refuse_not_finite_start(self.objective, start, derivatives)

    def _given_up(self, current: ProximalIterate, start: Array) -> ProximalIterate:
        return given_up(self.objective, current, start)

    def _share(self, params: Array, step: Array) -> float:
        """The share of a step that may be taken."""
        return 1.0

    def _has_cancelled(self, params: Array, subgradient: Array) -> bool:
        return has_cancelled(self.objective, self.lengths, params, subgradient)

    def _at(
        self, params: Array, derivatives: UserDerivatives, count: int, max_iter: int
    ) -> ProximalIterate:
        with single_threaded_blas():
            direction = self._direction(params, derivatives)
        status = self._status(params, direction)
        if status is None and count >= max_iter:
            status = Status.NOT_CONVERGED
        return ProximalIterate(params, derivatives, direction, count, status)

    def _direction(self, params: Array, derivatives: UserDerivatives) -> ProximalDirection:
        """The step to the minimum of the model of the smooth part, plus the absolute values."""
        strengths, scale = self.objective.strengths, self.lengths
        g = np.where(self.varies, derivatives.gradient, 0.0)
        subgradient = least_subgradient(params, g, strengths)
        taken, B, condition = self._model(params, derivatives, subgradient)
        reached = params * scale
        reached[taken] = minimise_with_absolute_values(
            B, (g / scale)[taken], (strengths / scale)[taken], reached[taken]
        )
        end = np.where(reached == params * scale, params, reached / scale)
        end[reached == 0] = 0.0
        step = end - params
        share = self._share(params, step)
        if share < 1.0:
            step = share * step
            end = params + step
        promised = -float(g @ step + strengths @ (np.abs(end) - np.abs(params)))
        change, place = (step * scale)[taken], (params * scale)[taken]
        squares, size = float(change @ B @ change), float(place @ B @ place)
        relative = 0.0 if not step.any() else np.sqrt(squares / size) if size > 0 else np.inf
        return ProximalDirection(
            step,
            promised,
            float(relative),
            int(np.count_nonzero(end)),
            condition,
            (),
            least_eigenvalue=self._least_eigenvalue(params, derivatives),
            subgradient=subgradient,
        )

    def _bends_upwards(self, derivatives: UserDerivatives) -> bool:
        """Whether ℓ″ is negative in no row, so that the Hessian has no negative eigenvalue."""
        return derivatives.curvatures.smallest >= 0 or self.objective.loss.is_convex

    def _model(
        self, params: Array, derivatives: UserDerivatives, subgradient: Array
    ) -> tuple[npt.NDArray[np.intp], Array, float]:
        """Which parameters a step may change, a definite matrix over them, and its condition.

        Newton's Hessian, if it is definite or all rows bend upwards. Else, where coefficients that
        are zero have less to gain than the others, Newton's over these others, with |λ| in the
        place of its eigenvalues λ if it is not definite. Else that in which all rows bend upwards.
        """
        every, seen = np.arange(params.size), derivatives.curvatures
        upwards, few = seen.smallest > 0, self.objective.rows.n_present < params.size
        B = self._scaled(derivatives.hessian)
        if not few or (upwards and self.objective.penalty > 0):  # else it is singular, or nearly
            factor = factor_of(B)
            if factor is not None:
                return every, B, factor.condition
        if not upwards:
            taken = self._moving(params)
            left = np.abs(subgradient) / self.lengths
            most = left.max(initial=0.0)
            if taken.size and left[taken].max() == most:
                part = B[np.ix_(taken, taken)]
                factor = factor_of(part)
                if factor is not None:
                    return taken, part, factor.condition
                raised = slightly_raised(part)
                if linalg.lapack.dpotrf(raised)[1] == 0:
                    return taken, raised, np.inf
                return taken, of_absolute_eigenvalues(part), np.inf
            least = _RAISED * max(abs(seen.smallest), abs(seen.largest))
            B = self._scaled(self.objective.raised_hessian(params, least))
        return every, slightly_raised(B), np.inf

    def _scaled(self, hessian: Array) -> Array:
        """A Hessian in units of the columns; zero in those that do not vary."""
        B: Array = hessian / np.outer(self.lengths, self.lengths)
        B[~self.varies] = 0.0
        B[:, ~self.varies] = 0.0
        return B

    def _moving(self, params: Array) -> npt.NDArray[np.intp]:
        """The intercept, and coefficients that are not zero."""
        return np.flatnonzero(((params != 0) | (self.objective.strengths == 0)) & self.varies)

    def _curved(
        self, params: Array, derivatives: UserDerivatives
    ) -> tuple[npt.NDArray[np.intp], Array, Array]:
        """Where coefficients are not zero, the eigenvalues there, and the eigenvectors."""
        taken = self._moving(params)
        scale = self.lengths[taken]
        values, V = linalg.eigh(derivatives.hessian[np.ix_(taken, taken)] / np.outer(scale, scale))
        return taken, values, V / scale[:, np.newaxis]

    def _least_eigenvalue(self, params: Array, derivatives: UserDerivatives) -> float:
        """Relative to the largest; zero where the loss of every row bends upwards."""
        if self._bends_upwards(derivatives):
            return 0.0
        taken, values, _ = self._curved(params, derivatives)
        if not taken.size:
            return 0.0
        return float(values[0] / (np.abs(values).max() or 1.0))

    def _status(self, params: Array, direction: ProximalDirection) -> Status | None:
        """CONVERGED where the subgradient is small, and the step negligible."""
        if np.abs(direction.subgradient).max(initial=0.0) > self.bound:
            return None
        if direction.least_eigenvalue < -ZERO_EIGENVALUE:
            return None
        if direction.relative_length <= NEGLIGIBLE_STEP:
            return Status.CONVERGED
        if direction.relative_length >= _LONG_STEP and self._recedes(params, direction.step):
            return Status.UNBOUNDED
        return None

    def _recedes(self, params: Array, step: Array) -> bool:
        """Whether the objective keeps falling along the intercept's part of a step.

        Along every other direction the absolute values grow.
        """
        alone = np.where(self.objective.strengths == 0, step, 0.0)
        return bool(alone.any()) and recedes(self.objective, params, alone)

    def _advanced(self, current: ProximalIterate, max_iter: int) -> ProximalIterate:
        direction, count = current.direction, current.count + 1
        accepted = self._searched(current)
        if accepted is None and direction.least_eigenvalue < -ZERO_EIGENVALUE:
            accepted = self._escaped(current)
        if accepted is None:
            return replace(current, count=count, status=self._stalled(current))
        params, derivatives = accepted
        if derivatives.value == -np.inf:
            return replace(current, count=count, status=Status.UNBOUNDED)
        return self._at(params, derivatives, count, max_iter)

    @np.errstate(over="ignore", invalid="ignore")  # a step that overflows is halved
    def _searched(self, current: ProximalIterate) -> tuple[Array, UserDerivatives] | None:
        """The longest of the steps 1, ½, ¼, … that decreases the objective enough, or None."""
        value, direction = current.derivatives.value, current.direction
        if not direction.decrease > 0:
            return None
        if direction.decrease <= unverifiable_decrease(value):
            return self._improved(current)
        length = 1.0
        for _ in range(MAX_HALVINGS):
            params = current.params + length * direction.step
            promised = SUFFICIENT_DECREASE * length * direction.decrease
            reached = self.objective.value(params)
            if reached <= value - promised:
                if length == 1.0 and np.isinf(direction.condition):
                    params = self._lengthened(current, params, reached)
                found = self.objective.derivatives(params)
                if found.value == -np.inf or found.is_finite:
                    return params, found
            length /= 2
        return None

    def _lengthened(self, current: ProximalIterate, params: Array, reached: float) -> Array:
        """The end of a step that is not Newton's, or of a longer one that is still lower.

        The curvature of its model is a guess, and may be far too large. Coefficients that the step
        makes zero stay there.
        """
        step, zero = current.direction.step, (params == 0) & (self.objective.strengths > 0)
        length = 1.0
        for _ in range(_MAX_LENGTHENINGS):
            length *= _LENGTHENING
            longer = np.where(zero, 0.0, current.params + length * step)
            value = self.objective.value(longer)
            if not -np.inf < value < reached:
                break
            params, reached = longer, value
        return params

    def _improved(self, current: ProximalIterate) -> tuple[Array, UserDerivatives] | None:
        """The whole step, where rounding hides the decrease, if it halves the subgradient."""
        direction, value = current.direction, current.derivatives.value
        params = current.params + direction.step
        found = self.objective.derivatives(params)
        if not found.is_finite or found.value > value + unverifiable_decrease(value):
            return None
        g = np.where(self.varies, found.gradient, 0.0)
        after = least_subgradient(params, g, self.objective.strengths) / self.lengths
        before = direction.subgradient / self.lengths
        return (params, found) if np.linalg.norm(after) <= np.linalg.norm(before) / 2 else None

    def _escaped(self, current: ProximalIterate) -> tuple[Array, UserDerivatives] | None:
        """A point below a maximum or a saddle, along the eigenvector of the least eigenvalue."""
        value = current.derivatives.value
        taken, _, V = self._curved(current.params, current.derivatives)
        step = np.zeros_like(current.params)
        step[taken] = np.sqrt(self.objective.rows.total_weight) * V[:, 0]
        length = 1.0
        for _ in range(MAX_HALVINGS):
            for sign in (1.0, -1.0):
                params = current.params + sign * length * step
                with np.errstate(over="ignore", invalid="ignore"):
                    reached = self.objective.value(params)
                if -np.inf < reached < value - unverifiable_decrease(value):
                    found = self.objective.derivatives(params)
                    if found.is_finite:
                        return params, found
            length /= 2
        return None

    def _stalled(self, current: ProximalIterate) -> Status:
        """CONVERGED where only rounding keeps the subgradient from the tolerance."""
        direction = current.direction
        if direction.least_eigenvalue < -ZERO_EIGENVALUE:
            return Status.NOT_CONVERGED
        if not abs(direction.decrease) <= unverifiable_decrease(current.derivatives.value):
            return Status.NOT_CONVERGED
        small = np.abs(direction.subgradient).max(initial=0.0) <= self.bound
        reached = small or self._has_cancelled(current.params, direction.subgradient)
        return Status.CONVERGED if reached else Status.NOT_CONVERGED
