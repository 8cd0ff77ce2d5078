"""Iteratively reweighted least squares: which Newton method, in which coordinates, and its status.

Without many rows, Newton's method begins at the start; with many, steps with a kept Hessian come
first. Where the Hessian takes too much memory, conjugate gradients find the steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.objectives.user_loss import UserObjective
from mcmodels.rows import ColumnMoments, Derivatives, Rows, Slope
from mcmodels.solvers import room
from mcmodels.solvers.coordinates import (
    Coordinates,
    InnerCurvature,
    curvature_coordinates,
    orthonormal_coordinates,
    row_space_coordinates,
    shifted_coordinates,
)
from mcmodels.solvers.existence import MinimumProof
from mcmodels.solvers.kept_hessian import approach, passes_are_expensive
from mcmodels.solvers.modified_newton import has_negative_curvature, modified_newton_iterates
from mcmodels.solvers.newton import (
    NewtonIterate,
    gradient_is_small,
    newton_iterates,
    unverifiable_decrease,
)
from mcmodels.solvers.newton_cg import newton_cg_iterates
from mcmodels.solvers.recession import curvature_is_everywhere, predictors_grow, recedes
from mcmodels.solvers.separation import separates, separates_by_linear_program
from mcmodels.solvers.solution import Solution, Status
from mcmodels.solvers.tolerances import ILL_CONDITIONED, NEGLIGIBLE_STEP, SAMPLE_ROWS

# A warning names a column if its contribution to a direction is more than the first share of the
# largest contribution. It names no column if all contribute less than the second share of the
# intercept's.
_LARGE_CONTRIBUTION, _NEGLIGIBLE_CONTRIBUTION = 1e-2, 1e-6
# A fit with steps longer than this, relative to the parameters, has not converged.
_LONG_STEP = 1e-3
# Near a finite optimum a Newton step changes no difference of linear predictors by more than this;
# where classes are separated, steps change some by about 1.
_DIVERGING_CHANGE = 0.5
# A step of conjugate gradients has gained little when it is this share of what the next promises.
_LITTLE_GAIN = 0.01
# Where Newton's method is stuck, other coordinates are tried from this condition number on.
_FAIRLY_CONDITIONED = 1e2
# Other coordinates are tried again when the condition number has become so many times as large.
_MUCH_WORSE = 10.0


@dataclass(frozen=True)
class Optimum:
    """The minimiser of an objective and its derivatives there.

    Where columns are far from zero or nearly dependent, the Hessian in the coordinates of the fit
    has more correct digits than the one over the user's parameters.

    Parameters
    ----------
    params, gradient : ndarray of shape (P,) or (K, P)
        The parameters, and the gradient at them.
    objective : float
        The minimum of the objective.
    hessian : ndarray of shape (KP, KP), or None
        Over the raveled parameters; None where it takes too much memory.
    inner : InnerCurvature or None
        The Hessian in the coordinates of the fit, where they are not the user's.
    """

    params: Array
    objective: float
    gradient: Array
    hessian: Array | None
    inner: InnerCurvature | None = None

    @property
    def accurate_hessian(self) -> Array | None:
        """The Hessian in the coordinates in which it has most digits: those of the fit."""
        return self.hessian if self.inner is None else self.inner.hessian


@dataclass(frozen=True)
class Progress:
    """The state of a fit after a step.

    Parameters
    ----------
    params : ndarray of shape (P,) or (K, P)
        Parameters of the user's rows.
    coordinates : Coordinates
        The coordinates in which the fit works.
    iterate : NewtonIterate or None
        The state of Newton's method in them; None during steps with a kept Hessian.
    count : int, default=0
        Number of steps with a kept Hessian.
    by_conjugate_gradients : bool, default=False
        Whether conjugate gradients have found the steps; Newton's method may have judged the end.
    """

    params: Array
    coordinates: Coordinates
    iterate: NewtonIterate[Slope] | None
    count: int = 0
    by_conjugate_gradients: bool = False

    @property
    def status(self) -> Status | None:
        """How the fit has ended; None while it goes on."""
        return None if self.iterate is None else self.iterate.status


def log_odds_start(totals: Array, rows: Rows) -> Array:
    """Zero coefficients, and intercepts that give the share of each class.

    Parameters
    ----------
    totals : ndarray of shape (n_classes,)
        Weight of each class.
    rows : Rows
        Design rows.

    Returns
    -------
    ndarray of shape (P,) for two classes, (n_classes, P) for more
    """
    params = np.zeros((len(totals), rows.n_params))
    if rows.intercept:
        logarithms = np.log(totals)
        params[:, -1] = logarithms - logarithms.mean()
    return params if len(totals) > 2 else params[1] - params[0]


def better_start(
    objective: LinearPredictorObjective, previous: Array | None, start: Array
) -> Array:
    """The previous parameters, where they fit no worse than the start; else the start.

    Parameters
    ----------
    objective : LinearPredictorObjective
        What will be minimised.
    previous : ndarray or None
        Parameters of an earlier fit. They are not used if their shape is not that of ``start``. For
        softmax they are centred: their mean over the classes changes no probability.
    start : ndarray of shape (P,) or (K, P)
        The start of a fit without an earlier one.
    """
    if previous is None or previous.shape != start.shape:
        return start
    previous = objective.without_shift(previous)
    return previous if objective.value(previous) <= objective.value(start) else start


def fit(
    objective: LinearPredictorObjective,
    start: Array,
    *,
    tol: float,
    max_iter: int,
    conjugate_gradients: bool = False,
) -> Iterator[Progress]:
    """Yield the state after each step, until ``‖gradient‖∞ ≤ tol · Σ wᵢ`` and steps are negligible.

    With many rows, steps with a kept Hessian come first. Without a penalty the fit also ends, with
    status SEPARATED, when the classes are separated; with a loss that the user has written, it ends
    with UNBOUNDED where there is no minimum.

    Parameters
    ----------
    objective : LinearPredictorObjective
        What is minimised.
    start : ndarray of shape (P,) or (K, P)
        First parameters.
    tol : float
        Bound of the gradient, relative to the total weight.
    max_iter : int
        Largest number of steps; after it, the status is NOT_CONVERGED.
    conjugate_gradients : bool, default=False
        Whether to find the steps by conjugate gradients also where a Hessian could be formed.

    Yields
    ------
    Progress
        The last one has a status; :func:`conclude` makes a Solution of it.
    """
    rows, intercept = objective.rows, objective.rows.intercept
    bound = tol * rows.total_weight
    coordinates = shifted_coordinates(objective)
    if not conjugate_gradients:
        coordinates = row_space_coordinates(objective, coordinates.centre, start) or coordinates
    inner = _in_coordinates(objective, coordinates)
    first = coordinates.from_users(start, intercept=intercept)
    count, latest = 0, Progress(start, coordinates, None)
    if conjugate_gradients or room.too_many(first.size):
        proof = _proof(inner)
        states = newton_cg_iterates(
            inner, first, gradient_tolerance=bound, max_iter=max_iter, proof=proof
        )
        value, judge = np.inf, None if room.too_many(first.size) else proof
        for state in states:
            first, count, before, value = state.params, state.count, value, state.derivatives.value
            if judge is not None and _is_to_be_judged(judge, state, before, bound):
                break  # Newton's method goes on, with a Hessian
            if state.status is None and state.count > 0:
                divergence = _divergence(objective, coordinates, inner, state, bound)
                state = replace(state, status=divergence)
            params = coordinates.to_users(first, intercept=intercept)
            yield Progress(params, coordinates, state, by_conjugate_gradients=True)
            if state.status is not None:
                return
    else:
        points = approach(inner, first, gradient_tolerance=bound, max_steps=max_iter - 1)
        quadratic = isinstance(inner, UserObjective) and inner.looks_quadratic(first)
        # For a quadratic loss, Newton's method needs only one step.
        for point in () if quadratic else points:
            if point.count > 0:
                yield latest  # the last point is yielded as the start of Newton's method
            first, count = point.params, point.count
            params = coordinates.to_users(first, intercept=intercept)
            latest = Progress(params, coordinates, None, count)
    states = _states(inner, first, bound, max_iter, count)
    state, ill_conditioned = next(states), ILL_CONDITIONED
    while True:
        condition = state.direction.condition
        stuck = state.status is Status.NOT_CONVERGED and state.count < max_iter
        ill = condition > (_FAIRLY_CONDITIONED if stuck else ill_conditioned)
        if objective.penalty == 0 and ill and (stuck or state.status is None):
            ill_conditioned = _MUCH_WORSE * condition
            params = coordinates.to_users(state.params, intercept=intercept)
            for other in _other_coordinates(objective, coordinates, params):
                moved = _in_coordinates(objective, other)
                first = other.from_users(params, intercept=intercept)
                others = _states(moved, first, bound, max_iter, state.count)
                found = next(others)
                if found.direction.condition < state.direction.condition:
                    coordinates, inner, states, state = other, moved, others, found
                if state.direction.condition <= ILL_CONDITIONED:
                    ill_conditioned = ILL_CONDITIONED
                    break
        if state.status is None:
            state = replace(state, status=_divergence(objective, coordinates, inner, state, bound))
        params = coordinates.to_users(state.params, intercept=intercept)
        yield Progress(params, coordinates, state, by_conjugate_gradients=conjugate_gradients)
        if state.status is not None:
            return
        state = next(states)


def conclude(objective: LinearPredictorObjective, last: Progress) -> Solution[Optimum]:
    """The Solution at the last state of :func:`fit`, with its status."""
    rows, coordinates = objective.rows, last.coordinates
    state = last.iterate
    if state is None:
        first = coordinates.from_users(last.params, intercept=rows.intercept)
        state = next(_states(_in_coordinates(objective, coordinates), first, 0.0, 0, last.count))
    status = state.status or Status.NOT_CONVERGED
    rank = rows.n_features
    columns: tuple[int, ...] = ()
    if coordinates.inverse is not None:
        rank, columns = coordinates.inverse.rank, coordinates.inverse.dependent
    regular = (
        passes_are_expensive(rows)
        and state.direction.relative_length <= NEGLIGIBLE_STEP
        and state.direction.condition < ILL_CONDITIONED
        and state.direction.rank == state.params.size
    )
    direction: Array | None = None
    if isinstance(objective, UserObjective):
        inner = objective.over(coordinates.transform(rows), objective.penalty)
        status = _status_of_loss(inner, state, regular)
        if status is Status.UNBOUNDED:
            direction = coordinates.to_users(state.direction.step, intercept=rows.intercept)
    elif objective.penalty == 0 and status is not Status.CONVERGED:
        direction = _separating(rows, coordinates, state)
        if direction is None:
            direction = separates_by_linear_program(rows, last.params.shape)
        status = status if direction is None else Status.SEPARATED
    if direction is not None:
        columns = _contributing_columns(rows, direction)
    elif status is Status.CONVERGED and rank < rows.n_features:
        status = Status.RANK_DEFICIENT
    return Solution(
        _optimum(objective, last.params, state.derivatives, coordinates),
        status,
        "newton-cg" if last.by_conjugate_gradients else "newton",
        state.count,
        rank,
        state.direction.condition,
        columns,
    )


def _other_coordinates(
    objective: LinearPredictorObjective, coordinates: Coordinates, params: Array
) -> Iterator[Coordinates]:
    """Coordinates in which an ill-conditioned Hessian may have more digits."""
    if coordinates.inverse is None:
        coordinates = orthonormal_coordinates(objective.rows)
        yield coordinates
    if not isinstance(objective, UserObjective):
        by_curvature = curvature_coordinates(objective, params)
        if by_curvature is not None and by_curvature.rank == coordinates.rank:
            yield by_curvature


def _separating(rows: Rows, coordinates: Coordinates, state: NewtonIterate[Slope]) -> Array | None:
    """A direction that separates the classes, proved; None where none is found."""
    for inner in (state.direction.step, state.params):
        found = separates(rows, coordinates.to_users(inner, intercept=rows.intercept))
        if found is not None:
            return found
    return None


def _optimum(
    objective: LinearPredictorObjective, params: Array, known: Slope, coordinates: Coordinates
) -> Optimum:
    """The derivatives at the user's parameters; no Hessian where it takes too much memory."""
    too_large = room.too_many(params.size)
    slope = known
    if not (coordinates.is_identity and (too_large or isinstance(known, Derivatives))):
        slope = objective.slope(params) if too_large else objective.derivatives(params)
    hessian = slope.hessian if isinstance(slope, Derivatives) else None
    inner = None
    # Coordinates in a basis of the rows leave out directions in which there is only a penalty.
    no_basis = coordinates.basis is None
    if isinstance(known, Derivatives) and no_basis and not coordinates.is_identity:
        inner = InnerCurvature(known.hessian, coordinates)
    return Optimum(params, known.value, slope.gradient, hessian, inner)


def _in_coordinates(
    objective: LinearPredictorObjective, coordinates: Coordinates
) -> LinearPredictorObjective:
    """The objective in other coordinates."""
    rows = coordinates.transform(objective.rows)
    return objective.over(rows, objective.penalty)


def _states(
    inner: LinearPredictorObjective, start: Array, bound: float, max_iter: int, count: int
) -> Iterator[NewtonIterate[Derivatives]]:
    """The iterates of Newton's method for an objective."""
    if isinstance(inner, UserObjective):
        return modified_newton_iterates(
            inner, start, gradient_tolerance=bound, max_iter=max_iter, count=count
        )
    return newton_iterates(
        inner,
        start,
        gradient_tolerance=bound,
        max_iter=max_iter,
        count=count,
        proof=_proof(inner),
    )


def _proof(inner: LinearPredictorObjective) -> MinimumProof | None:
    """What proves that a minimum exists and is near; None for a loss of the user's."""
    return None if isinstance(inner, UserObjective) else MinimumProof(inner)


def _is_to_be_judged(
    judge: MinimumProof, state: NewtonIterate[Slope], value_before: float, bound: float
) -> bool:
    """Whether conjugate gradients have come to an end that only a Hessian can judge, or stray."""
    at_end = state.status is not None or _is_at_rest(state, bound)
    if judge.objective.penalty > 0:
        return at_end and not judge.is_needless(state.params, state.direction)
    return at_end or _promises_too_much(state, value_before)


def _is_at_rest(state: NewtonIterate[Slope], bound: float) -> bool:
    """Whether the gradient is small, or values of the objective can show no further decrease."""
    hidden = state.direction.decrease <= unverifiable_decrease(state.derivatives.value)
    return hidden or gradient_is_small(state.derivatives, bound)


def _promises_too_much(state: NewtonIterate[Slope], value_before: float) -> bool:
    """Whether a step promises more than there is to gain, or the last one has gained little."""
    value, promised = state.derivatives.value, state.direction.decrease / 2
    return promised > value or value_before - value < _LITTLE_GAIN * promised


def _divergence(
    objective: LinearPredictorObjective,
    coordinates: Coordinates,
    inner: LinearPredictorObjective,
    state: NewtonIterate[Slope],
    bound: float,
) -> Status | None:
    """The status of a fit that is proved to diverge; else None."""
    step = state.direction.step
    if isinstance(objective, UserObjective):
        if not gradient_is_small(state.derivatives, bound):
            return None
        # Where other rows have nearly all of the curvature, a step is short though predictors grow.
        long = state.direction.relative_length >= _LONG_STEP
        if not long and not (
            _may_lack_curvature(inner, state) and predictors_grow(inner.rows, state.params, step)
        ):
            return None
        # A maximum or a saddle is left: that the objective is lower elsewhere says nothing there.
        left = has_negative_curvature(state.direction)
        return Status.UNBOUNDED if not left and recedes(inner, state.params, step) else None
    if objective.penalty > 0 or not _is_at_rest(state, bound):
        return None
    if MinimumProof(inner).reach(state.params, step) < _DIVERGING_CHANGE:
        return None
    separating = _separating(objective.rows, coordinates, state)
    return None if separating is None else Status.SEPARATED


def _may_lack_curvature(objective: LinearPredictorObjective, state: NewtonIterate[Slope]) -> bool:
    """Whether some column has little curvature left; many rows are read only where it has."""
    if not passes_are_expensive(objective.rows) or not isinstance(state.derivatives, Derivatives):
        return True
    return not curvature_is_everywhere(
        objective.rows.sample(SAMPLE_ROWS), state.derivatives.hessian
    )


def _status_of_loss(objective: UserObjective, state: NewtonIterate[Slope], regular: bool) -> Status:
    """UNBOUNDED where linear predictors still grow though the fit converged: it has no minimum.

    With a tiny penalty it may have one far away, and has not converged.
    """
    if state.status is not Status.CONVERGED:
        return state.status or Status.NOT_CONVERGED
    if regular and not _may_lack_curvature(objective, state):
        return Status.CONVERGED
    params, step = state.params, state.direction.step
    if not predictors_grow(objective.rows, params, step):
        return Status.CONVERGED
    if recedes(objective, params, step, strictly=False):
        return Status.UNBOUNDED
    return Status.CONVERGED if objective.penalty == 0 else Status.NOT_CONVERGED


def _contributing_columns(rows: Rows, step: Array) -> tuple[int, ...]:
    """Columns with a large contribution to the linear predictor of a direction.

    Empty if only the intercept contributes.
    """
    moments = ColumnMoments.of(rows, targets=False)
    coef = np.atleast_2d(step)[:, : rows.n_features]
    contribution = np.abs(coef).max(axis=0) * np.sqrt(moments.x_squares)
    largest = contribution.max(initial=0.0)
    if rows.intercept:
        shift = np.atleast_2d(step)[:, -1] + coef @ moments.x_mean
        if largest <= _NEGLIGIBLE_CONTRIBUTION * np.abs(shift).max() * np.sqrt(moments.weight):
            return ()
    return tuple(int(j) for j in np.nonzero(contribution > _LARGE_CONTRIBUTION * largest)[0])
