"""Iteratively reweighted least squares: which Newton method, and in which coordinates.

Without many rows, Newton's method begins at the start; with many, steps with a kept Hessian come
first. Where the Hessian takes too much memory, conjugate gradients find the steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.objectives.user_loss import UserObjective
from mcmodels.rows import Slope
from mcmodels.solvers import room
from mcmodels.solvers.conclusion import divergence, is_at_rest
from mcmodels.solvers.coordinates import (
    Coordinates,
    curvature_coordinates,
    orthonormal_coordinates,
    row_space_coordinates,
    shifted_coordinates,
    white_coordinates,
)
from mcmodels.solvers.existence import MinimumProof
from mcmodels.solvers.fit_state import Placed, Progress
from mcmodels.solvers.kept_hessian import Approach, approach, descend_from, saves_passes
from mcmodels.solvers.newton import NewtonIterate
from mcmodels.solvers.newton_cg import newton_cg_iterates
from mcmodels.solvers.solution import Status
from mcmodels.solvers.tolerances import ILL_CONDITIONED

# A step of conjugate gradients has gained little when it is this share of what the next promises.
_LITTLE_GAIN = 0.01
# Where Newton's method is stuck, other coordinates are tried from this condition number on.
_FAIRLY_CONDITIONED = 1e2
# Other coordinates are tried again when the condition number has become so many times as large.
_MUCH_WORSE = 10.0


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
        The last one has a status; :func:`mcmodels.solvers.conclusion.conclude` makes a Solution
        of it.
    """
    bound = tol * objective.rows.total_weight
    coordinates = shifted_coordinates(objective)
    if not conjugate_gradients:
        other = row_space_coordinates(objective, coordinates.centre, start)
        if other is None and not room.too_many(start.size):
            other = white_coordinates(objective)
        coordinates = other or coordinates
    placed = Placed(objective, coordinates)
    first = placed.from_users(start)
    if conjugate_gradients or room.too_many(first.size):
        return _by_conjugate_gradients(placed, first, bound, max_iter, chosen=conjugate_gradients)
    if saves_passes(placed.inner.rows, first.size) and not _looks_quadratic(placed, first):
        points = approach(placed.inner, first, gradient_tolerance=bound, max_steps=max_iter - 1)
        return _by_kept_hessian(placed, start, first, points, bound, max_iter)
    return _by_newton(placed, first, bound, max_iter)


def refit(
    objective: LinearPredictorObjective,
    coordinates: Coordinates,
    first: Array,
    hessian: Array,
    *,
    tol: float,
    max_iter: int,
) -> Iterator[Progress]:
    """The same from near the minimum, with a Hessian from near by; what was learned is used again.

    Parameters
    ----------
    objective : LinearPredictorObjective
        What is minimised; it is penalised.
    coordinates : Coordinates
        Those of an earlier fit to the rows.
    first : ndarray of shape (P,) or (K, P)
        Parameters near the minimum, in these coordinates.
    hessian : ndarray of shape (KP, KP)
        A Hessian from near by, in these coordinates.
    tol, max_iter
        Those of :func:`fit`.
    """
    placed, bound = Placed(objective, coordinates), tol * objective.rows.total_weight
    rows = placed.inner.rows
    if rows.walks_are_costly or not saves_passes(rows, first.size):
        return _by_newton(placed, first, bound, max_iter)
    points = descend_from(
        placed.inner, first, hessian, gradient_tolerance=bound, max_steps=max_iter - 1
    )
    return _by_kept_hessian(placed, placed.to_users(first), first, points, bound, max_iter)


def _looks_quadratic(placed: Placed, first: Array) -> bool:
    """Whether the loss is quadratic, so that Newton's method needs only one step."""
    inner = placed.inner
    return isinstance(inner, UserObjective) and inner.looks_quadratic(first)


def _by_conjugate_gradients(
    placed: Placed, first: Array, bound: float, max_iter: int, *, chosen: bool
) -> Iterator[Progress]:
    """Steps by conjugate gradients; Newton's method judges the end where it can.

    Without a penalty, small gradients are no proof of a minimum. ``chosen`` says that the user
    asked for this method.
    """
    proof = placed.proof
    judge = None if room.too_many(first.size) else proof
    states = newton_cg_iterates(
        placed.inner, first, gradient_tolerance=bound, max_iter=max_iter, proof=proof
    )
    count, value = 0, np.inf
    for state in states:
        first, count, before, value = state.params, state.count, value, state.derivatives.value
        if judge is not None and _is_to_be_judged(judge, state, before, bound):
            break
        if state.status is None and state.count > 0:
            state = replace(state, status=divergence(placed, state, bound))
        params = placed.to_users(first)
        yield Progress(params, placed.coordinates, state, by_conjugate_gradients=True)
        if state.status is not None:
            return
    for step in _by_newton(placed, first, bound, max_iter, count):
        yield replace(step, by_conjugate_gradients=chosen)


def _by_kept_hessian(
    placed: Placed,
    start: Array,
    first: Array,
    points: Iterator[Approach],
    bound: float,
    max_iter: int,
) -> Iterator[Progress]:
    """Steps with a kept Hessian, then Newton's method."""
    count, latest = 0, Progress(start, placed.coordinates, None)
    for point in points:
        if point.count > 0:
            yield latest  # the last point is yielded as the start of Newton's method
        first, count = point.params, point.count
        latest = Progress(placed.to_users(first), placed.coordinates, None, count)
    yield from _by_newton(placed, first, bound, max_iter, count)


def _by_newton(
    placed: Placed, first: Array, bound: float, max_iter: int, count: int = 0
) -> Iterator[Progress]:
    """Newton's method; where the Hessian is ill-conditioned it changes its coordinates."""
    unpenalised = not placed.objective.is_penalised
    states = placed.newton_iterates(first, bound, max_iter, count)
    state, ill_conditioned = next(states), ILL_CONDITIONED
    while True:
        condition = state.direction.condition
        stuck = state.status is Status.NOT_CONVERGED and state.count < max_iter
        ill = condition > (_FAIRLY_CONDITIONED if stuck else ill_conditioned)
        # A fit that starts at its optimum ends at once, and must know its rank, too.
        if unpenalised and ill and (stuck or state.status in (None, Status.CONVERGED)):
            ill_conditioned = _MUCH_WORSE * condition
            params = placed.to_users(state.params)
            for other in _other_coordinates(placed, params):
                first = other.from_users(params)
                inner = other.inner
                if isinstance(inner, UserObjective) and not np.isfinite(inner.value(first)):
                    continue  # rounding has taken it out of the domain of the loss
                others = other.newton_iterates(first, bound, max_iter, state.count)
                found = next(others)
                if found.direction.condition < state.direction.condition:
                    placed, states, state = other, others, found
                if state.direction.condition <= ILL_CONDITIONED:
                    ill_conditioned = ILL_CONDITIONED
                    break
        params = placed.to_users(state.params)
        if state.status is None:
            state = replace(state, status=placed.status_at_rounding(state, params, bound))
        if state.status is None:
            state = replace(state, status=divergence(placed, state, bound))
        yield Progress(params, placed.coordinates, state)
        if state.status is not None:
            return
        state = next(states)


def _other_coordinates(placed: Placed, params: Array) -> Iterator[Placed]:
    """The objective in coordinates in which an ill-conditioned Hessian may have more digits."""
    objective, coordinates = placed.objective, placed.coordinates
    if coordinates.inverse is None:
        coordinates = orthonormal_coordinates(objective.rows)
        yield Placed(objective, coordinates)
    if not isinstance(objective, UserObjective):
        by_curvature = curvature_coordinates(objective, params)
        if by_curvature is not None and by_curvature.rank == coordinates.rank:
            yield Placed(objective, by_curvature)


def _is_to_be_judged(
    judge: MinimumProof, state: NewtonIterate[Slope], value_before: float, bound: float
) -> bool:
    """Whether conjugate gradients have come to an end that only a Hessian can judge, or stray."""
    at_end = state.status is not None or is_at_rest(state, bound)
    if judge.objective.is_penalised:
        return at_end and not judge.is_needless(state.params, state.direction)
    return at_end or _promises_too_much(state, value_before)


def _promises_too_much(state: NewtonIterate[Slope], value_before: float) -> bool:
    """Whether a step promises more than there is to gain, or the last one has gained little."""
    value, promised = state.derivatives.value, state.direction.decrease / 2
    return promised > value or value_before - value < _LITTLE_GAIN * promised
