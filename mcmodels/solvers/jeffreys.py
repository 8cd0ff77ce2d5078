"""Newton's method for a loss with Jeffreys' prior.

The objective need not be convex far from its minimum. So a step is Newton's where the Hessian is
positive definite, else that by the sizes of its eigenvalues in units of the information, and it is
halved until the objective decreases enough. Where the Hessian is indefinite, the path may be a long
valley: each step that keeps its promise doubles how far the next may go (:class:`Trust`). A minimum
that is found need not be the only one. For binomial targets and design columns that are independent
there is a finite minimum, also where classes are separated: Kosmidis and Firth (2021),
*Jeffreys-prior penalty, finiteness and shrinkage in binomial-response generalized linear models*,
Biometrika 108(1), theorem 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.objectives.jeffreys import JeffreysObjective
from mcmodels.rows import Derivatives, Slope, single_threaded_blas
from mcmodels.solvers import room
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.coordinates import InnerCurvature, shifted_coordinates
from mcmodels.solvers.existence import largest_change
from mcmodels.solvers.fit_state import Optimum, Progress
from mcmodels.solvers.jeffreys_coordinates import ILL_CONDITIONED, PenalisedByInformation
from mcmodels.solvers.newton import (
    NewtonIterate,
    gradient_is_small,
    line_search,
    status_when_stalled,
)
from mcmodels.solvers.newton_direction import NewtonDirection, direction_of, nowhere
from mcmodels.solvers.solution import Solution, Status

__all__ = ["Trust", "conclude_with_prior", "fit_with_prior", "prior_iterates"]

# A step is negligible when it is this share of a standard error. Rounding may leave longer ones:
# then a fit ends where no step is half of the last.
_NEGLIGIBLE = 1e-13
# Least size of eigenvalues, by those of the information, in steps where the Hessian is indefinite;
# and the largest change of a difference of linear predictors by such a step: where there is hardly
# any information it has any length, and the decrease that it promises means nothing. Both at the
# first trust.
_LEAST_CURVATURE, _FARTHEST = 1.0, 4.0
# A step keeps its promise with this share of the decrease along its slope: the half is what a step
# to the minimum of a parabola has.
_KEPT = 0.5
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
    worst, count, trust = ILL_CONDITIONED, 0, Trust()
    while True:
        begun = count
        for state in prior_iterates(place.inner, params, bound, max_iter, count, trust):
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


@dataclass
class Trust:
    """How far steps may go where the Hessian is indefinite, and how little curvature counts.

    As the radius of a trust region it grows while the model is right: Nocedal and Wright (2006),
    *Numerical Optimization*, 2nd ed., algorithm 4.1.

    Parameters
    ----------
    factor : float, default=1.0
        Doubled by every step that kept its promise, a quarter after one that did not; at least 1.
    """

    factor: float = 1.0

    def learn(self, gain: float, slope: float) -> None:
        """Take note of what a step has gained, beside the decrease along its slope."""
        kept = gain >= _KEPT * slope
        self.factor = 2.0 * self.factor if kept else max(self.factor / 4.0, 1.0)


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def prior_iterates(
    objective: JeffreysObjective,
    start: Array,
    bound: float,
    max_iter: int,
    count: int,
    trust: Trust,
    free: Array | None = None,
) -> Iterator[NewtonIterate[Derivatives]]:
    """Yield the start and every iterate after it, until one has a status.

    Parameters
    ----------
    objective : JeffreysObjective
        What is minimised.
    start : ndarray of shape (P,) or (K, P)
        First parameters; of several classes they sum to zero.
    bound : float
        Bound of the gradient.
    max_iter, count : int
        Largest number of steps, and how many have been taken.
    trust : Trust
        That of the steps so far; it is changed.
    free : ndarray of shape (n, m), default=None
        Directions of the raveled parameters in which steps may go; None for all.

    Raises
    ------
    ValueError
        Where the information has no digits at the start.
    """
    known = objective.derivatives(start)
    if not np.isfinite(known.value):
        raise ValueError(
            "the information is singular to working precision where the fit starts, so that "
            "Jeffreys' prior has no value: columns are nearly dependent, or weights or offsets "
            "of very different sizes. Drop or scale columns, and see whether offsets are "
            "logarithms."
        )
    direction = _direction(objective, start, known, free, trust)
    status = _status(known, direction, bound, free)
    current = NewtonIterate(start, known, direction, count, status)

    def norm(gradient: Array) -> float:
        return float(linalg.norm(gradient.ravel() if free is None else gradient.ravel() @ free))

    while True:
        if current.status is None and current.count >= max_iter:
            current = replace(current, status=Status.NOT_CONVERGED)
        yield current
        if current.status is not None:
            return
        accepted = line_search(objective.value, objective.derivatives, current, norm)
        count = current.count + 1
        if accepted is None:
            small = _gradient(current.derivatives, free)
            stalled = replace(current, derivatives=replace(current.derivatives, gradient=small))
            current = replace(current, count=count, status=status_when_stalled(stalled, bound))
            continue
        params, known = accepted
        if current.direction.rank == 0:
            trust.learn(current.derivatives.value - known.value, current.direction.decrease)
        direction = _direction(objective, params, known, free, trust)
        status = _status(known, direction, bound, free)
        current = NewtonIterate(params, known, direction, count, status)


def _gradient(known: Derivatives, free: Array | None) -> Array:
    return known.gradient if free is None else known.gradient.ravel() @ free


def _status(
    known: Derivatives, direction: NewtonDirection, bound: float, free: Array | None
) -> Status | None:
    """CONVERGED when the gradient is small, and the step is by a definite Hessian, and short."""
    small = gradient_is_small(Slope(known.value, _gradient(known, free)), bound)
    short = direction.rank > 0 and np.sqrt(max(direction.decrease, 0.0)) <= _NEGLIGIBLE
    return Status.CONVERGED if direction.step.size == 0 or (small and short) else None


def _direction(
    objective: JeffreysObjective,
    params: Array,
    known: Derivatives,
    free: Array | None,
    trust: Trust,
) -> NewtonDirection:
    """Newton's step where the Hessian is positive definite, else that of :func:`_descent`.

    The second has rank 0: its end is no minimum.
    """
    if params.size == 0 or (free is not None and free.shape[1] == 0):
        return nowhere(np.zeros_like(params))
    gradient = _gradient(known, free).ravel()
    rank = gradient.size
    factor = _factor(objective, known.hessian, params, free)
    if factor is None:
        # A root of the information is there where the objective is finite.
        root, condition = _root(objective, params, free)
        if root is not None:
            least, farthest = _LEAST_CURVATURE / trust.factor, _FARTHEST * trust.factor
            step = _descent(root, known, least).reshape(params.shape)
            step = objective.without_shift(step)
            step *= min(1.0, farthest / max(largest_change(objective.rows, step), farthest))
            return direction_of(params, known, step.ravel(), 0, condition)
        scale = float(np.abs(known.gradient).max())
        return direction_of(params, known, -known.gradient.ravel() / max(scale, 1e-300), 0, np.inf)
    step = -factor.apply(gradient)
    return direction_of(params, known, step.ravel(), rank, factor.condition)


def _root(
    objective: JeffreysObjective, params: Array, free: Array | None
) -> tuple[Array | None, float]:
    """A root of the inverse information along some directions, and about that of its condition.

    None where it is singular to working precision.
    """
    if free is None:
        return objective.information_root(params)
    found = _factor(objective, objective.information(params), params, free)
    return (None, np.inf) if found is None else (free @ found.cholesky.root, found.condition)


def _descent(root: Array, known: Derivatives, least: float) -> Array:
    """Newton's step with the sizes of the eigenvalues of the Hessian, in units of the information.

    Nocedal and Wright (2006), *Numerical Optimization*, 2nd ed., §3.4 (eigenvalue modification).
    """
    with single_threaded_blas():
        values, V = linalg.eigh(root.T @ known.hessian @ root)
        along = V.T @ (root.T @ known.gradient.ravel()) / np.maximum(np.abs(values), least)
        return np.asarray(-(root @ (V @ along)))


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
