"""Newton's method for a loss with Jeffreys' prior, and fits with a parameter held.

The objective need not be convex far from its minimum. So a step is Newton's where the Hessian is
positive definite, else that by the information (which is Firth's), and it is halved until the
objective decreases enough. For binomial targets and design columns that are independent there is a
finite minimum, also where classes are separated: Kosmidis and Firth (2021), *Jeffreys-prior
penalty, finiteness and shrinkage in binomial-response generalized linear models*, Biometrika
108(1), theorem 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.objectives.jeffreys import JeffreysObjective
from mcmodels.rows import Derivatives, RowBlock, Slope, single_threaded_blas
from mcmodels.solvers import room
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.coordinates import InnerCurvature, shifted_coordinates
from mcmodels.solvers.fit_state import Optimum, Progress
from mcmodels.solvers.jeffreys_coordinates import ILL_CONDITIONED, PenalisedByInformation
from mcmodels.solvers.newton import (
    NewtonIterate,
    gradient_is_small,
    line_search,
    status_when_stalled,
)
from mcmodels.solvers.newton_direction import NewtonDirection, direction_of, nowhere
from mcmodels.solvers.refits import BoundsOfProfile
from mcmodels.solvers.separation import Largest
from mcmodels.solvers.solution import Solution, Status

__all__ = ["HeldFits", "conclude_with_prior", "fit_with_prior"]

# A step is negligible when it is this share of a standard error. Rounding may leave longer ones:
# then a fit ends where no step is half of the last.
_NEGLIGIBLE = 1e-13
# Fits with a parameter held end at this gradient, by the total weight, or after so many steps.
_PRECISE, _MAX_STEPS = 1e-10, 200
# Least size of eigenvalues, by those of the information, in steps where the Hessian is indefinite.
_LEAST_CURVATURE = 1.0
# Largest change of a difference of linear predictors by a step of the information. Where it has
# hardly any, such a step has any length, and the decrease that it promises means nothing.
_FARTHEST = 4.0
# A fit changes its coordinates where the Hessian is ill-conditioned; if there are none that are
# better, they are looked for again when its condition number is so many times as large.
_MUCH_WORSE = 10.0


def fit_with_prior(
    objective: PenalisedByInformation, start: Array, *, tol: float, max_iter: int
) -> Iterator[Progress]:
    """Yield the state after each step, until ``‖gradient‖∞ ≤ tol · Σ wᵢ`` and steps are negligible.

    Parameters
    ----------
    objective : PenalisedByInformation
        What is minimised.
    start : ndarray of shape (P,) or (K, P)
        First parameters; of several classes they sum to zero.
    tol : float
        Bound of the gradient in the coordinates, relative to the total weight.
    max_iter : int
        Largest number of steps; after it, the status is NOT_CONVERGED.

    Raises
    ------
    ValueError
        Where the prior would need more memory than there is for a matrix, or the information has
        no digits at the start.
    """
    shifted_coordinates(objective)  # refuses what overflows
    size = start.size
    if not room.fits(size, size * size // 2):
        raise ValueError(
            f"Jeffreys' prior of {size} parameters forms {size**2 * size // 2:.1e} numbers. Fit "
            "fewer columns, or penalise in another way (LogisticRegression(C=…), alpha)."
        )
    bound = tol * objective.rows.total_weight
    place = objective.place_at(start)
    params = place.inner.without_shift(place.from_users(start))
    worst, count = ILL_CONDITIONED, 0
    while True:
        begun = count
        for state in _iterates(place.inner, params, bound, max_iter, count):
            condition, count = state.direction.condition, state.count
            stuck = state.status is Status.NOT_CONVERGED and count < max_iter
            users = place.to_users(state.params)
            if condition > worst and count > begun and (stuck or state.status is None):
                worst = _MUCH_WORSE * condition
                other = objective.place_by_information(users)
                if other is not None:
                    moved = other.inner.without_shift(other.from_users(users))
                    if other.inner.condition(moved) < condition:
                        place, params, worst = other, moved, ILL_CONDITIONED
                        break
            yield Progress(users, place.coordinates, state)
            if state.status is not None:
                return
        else:
            return


def conclude_with_prior(objective: PenalisedByInformation, last: Progress) -> Solution[Optimum]:
    """The Solution at the last state of :func:`fit_with_prior`, with its status."""
    state, first = last.iterate, objective.first_place.coordinates
    assert state is not None
    assert isinstance(state.derivatives, Derivatives)
    rank, status = first.rank, state.status or Status.NOT_CONVERGED
    columns: tuple[int, ...] = ()
    if first.inverse is not None and rank < objective.rows.n_features:
        columns = first.inverse.dependent
        if status is Status.CONVERGED:
            status = Status.RANK_DEFICIENT
    found = objective.place_in(last.coordinates).over_users(state.derivatives)
    curvature = InnerCurvature(state.derivatives.hessian, last.coordinates)
    optimum = Optimum(last.params, found.value, found.gradient, found.hessian, curvature)
    condition = state.direction.condition
    return Solution(optimum, status, "newton", state.count, rank, condition, columns)


class HeldFits(BoundsOfProfile):
    """Fits with one parameter held, whose penalty stays that of the whole model.

    This is the profile penalised likelihood of Heinze and Schemper (2002), *A solution to the
    problem of separation in logistic regression*, Statistics in Medicine 21, §2.2: a parameter that
    is left out is held at zero, and its column stays in the information.

    Parameters
    ----------
    objective : PenalisedByInformation
        The objective.
    params : ndarray of shape (P,)
        Its minimum.
    """

    def __init__(self, objective: PenalisedByInformation, params: Array) -> None:
        super().__init__(params)
        self._bound = _PRECISE * objective.rows.total_weight
        self._place = objective.place_at(params)

    def least(self, position: int, value: float) -> float:
        """The least value of the objective with a parameter held; NaN if it was not found."""
        place = self._place
        first = place.from_users(self._params)
        c = place.to_users(np.eye(first.size))[:, position]
        c, value = c / np.linalg.norm(c), value / float(np.linalg.norm(c))
        free = linalg.null_space(c[np.newaxis])
        # From the minimum, or where that is too far away, with nothing but the held parameter.
        for start in (first + c * (value - float(c @ first)), c * value):
            if np.isfinite(place.inner.value(start)):
                *_, last = _iterates(place.inner, start, self._bound, _MAX_STEPS, 0, free)
                if last.status is Status.CONVERGED:
                    left = max(last.direction.decrease, 0.0) / 2.0
                    return float(last.derivatives.value - left) + place.constant(1)
        return np.nan


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def _iterates(
    objective: JeffreysObjective,
    start: Array,
    bound: float,
    max_iter: int,
    count: int,
    free: Array | None = None,
) -> Iterator[NewtonIterate[Derivatives]]:
    """Yield the start and every iterate after it, until one has a status.

    ``free``, of shape (P, m), are directions in which steps may go; None for all.
    """
    known = objective.derivatives(start)
    if not np.isfinite(known.value):
        raise ValueError(
            "the information is singular to working precision where the fit starts, so that "
            "Jeffreys' prior has no value: columns are nearly dependent, or weights of very "
            "different sizes. Drop or scale columns."
        )
    direction = _direction(objective, start, known, free)
    status = _status(known, direction, bound, free)
    current = NewtonIterate(start, known, direction, count, status)
    while True:
        if current.status is None and current.count >= max_iter:
            current = replace(current, status=Status.NOT_CONVERGED)
        yield current
        if current.status is not None:
            return
        accepted = line_search(objective.value, objective.derivatives, current)
        count = current.count + 1
        if accepted is None:
            small = _gradient(current.derivatives, free)
            stalled = replace(current, derivatives=replace(current.derivatives, gradient=small))
            current = replace(current, count=count, status=status_when_stalled(stalled, bound))
            continue
        params, known = accepted
        direction = _direction(objective, params, known, free)
        status = _status(known, direction, bound, free)
        current = NewtonIterate(params, known, direction, count, status)


def _gradient(known: Derivatives, free: Array | None) -> Array:
    return known.gradient if free is None else known.gradient @ free


def _status(
    known: Derivatives, direction: NewtonDirection, bound: float, free: Array | None
) -> Status | None:
    """CONVERGED when the gradient is small, and the step is by a definite Hessian, and short."""
    small = gradient_is_small(Slope(known.value, _gradient(known, free)), bound)
    short = direction.rank > 0 and np.sqrt(max(direction.decrease, 0.0)) <= _NEGLIGIBLE
    return Status.CONVERGED if direction.step.size == 0 or (small and short) else None


def _direction(
    objective: JeffreysObjective, params: Array, known: Derivatives, free: Array | None
) -> NewtonDirection:
    """Newton's step where the Hessian is positive definite, else that by the information.

    The second has rank 0: its end is no minimum.
    """
    if params.size == 0 or (free is not None and free.shape[1] == 0):
        return nowhere(np.zeros_like(params))
    gradient = _gradient(known, free).ravel()
    rank = gradient.size
    factor = _factor(objective, known.hessian, params, free)
    if factor is None and free is None:
        # A root of the information is there where the objective is finite.
        root, condition = objective.information_root(params)
        if root is not None:
            step = _descent(objective, root, known.hessian, gradient).reshape(params.shape)
            step *= min(1.0, _FARTHEST / max(_reach(objective, step), _FARTHEST))
            return direction_of(params, known, step.ravel(), 0, condition)
    if factor is None:
        rank, factor = 0, _factor(objective, objective.information(params), params, free)
    if factor is None:
        scale = float(np.abs(known.gradient).max())
        return direction_of(params, known, -known.gradient.ravel() / max(scale, 1e-300), 0, np.inf)
    step = -factor.apply(gradient)
    return direction_of(params, known, step.ravel(), rank, factor.condition)


def _descent(objective: JeffreysObjective, root: Array, hessian: Array, gradient: Array) -> Array:
    """Newton's step with the sizes of the eigenvalues of the Hessian, in units of the information.

    Nocedal and Wright (2006), *Numerical Optimization*, 2nd ed., §3.4 (eigenvalue modification).
    """
    with single_threaded_blas():
        values, V = linalg.eigh(root.T @ hessian @ root)
        along = V.T @ (root.T @ gradient) / np.maximum(np.abs(values), _LEAST_CURVATURE)
        step = -(root @ (V @ along))
    shape = (-1, objective.rows.n_params) if gradient.size > objective.rows.n_params else (-1,)
    return objective.without_shift(step.reshape(shape)).ravel()


def _reach(objective: JeffreysObjective, step: Array) -> float:
    """The largest change of a difference of linear predictors by a step."""

    def change(block: RowBlock) -> Largest:
        eta = block.X.predictor(step)
        spread = np.abs(eta) if eta.ndim == 1 else np.ptp(eta, axis=1)
        return Largest(spread.max(initial=0.0))

    return float(objective.rows.reduce(change).values)


@dataclass(frozen=True)
class _Factor:
    """A factor of a matrix along some directions; of classes, for all but one of them.

    Parameters
    ----------
    cholesky : ScaledCholesky
        The factor.
    directions : ndarray of shape (n, m), or None
        The directions, as columns.
    kept : ndarray of int
        Without directions: positions of the raveled parameters that are not held at zero.
    objective : JeffreysObjective
        Removes the mean over the classes of a step.
    shape : tuple of int
        The shape of the parameters.
    """

    cholesky: ScaledCholesky
    directions: Array | None
    kept: npt.NDArray[np.intp]
    objective: JeffreysObjective
    shape: tuple[int, ...]

    @property
    def condition(self) -> float:
        """The root of the condition number."""
        return self.cholesky.condition

    def apply(self, gradient: Array) -> Array:
        """The inverse times a gradient, which is along the directions, in the whole space."""
        if self.directions is not None:
            return self.directions @ self.cholesky.apply(gradient)
        step = np.zeros(gradient.size)
        step[self.kept] = self.cholesky.apply(gradient[self.kept])
        return self.objective.without_shift(step.reshape(self.shape))


def _factor(
    objective: JeffreysObjective, matrix: Array, params: Array, free: Array | None
) -> _Factor | None:
    kept = objective.all_but_one(matrix, params.shape)
    with single_threaded_blas():
        curved = matrix[np.ix_(kept, kept)] if free is None else free.T @ matrix @ free
        scale = np.sqrt(np.clip(np.diagonal(curved), 0.0, None))
        found = ScaledCholesky.of(curved, scale)
    return None if found is None else _Factor(found, free, kept, objective, params.shape)
