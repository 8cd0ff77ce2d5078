"""How a fit by iteratively reweighted least squares has ended: its verdict and its optimum."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.objectives.user_loss import UserObjective
from mcmodels.rows import ColumnMoments, Derivatives, Rows, Slope
from mcmodels.solvers import room
from mcmodels.solvers.coordinates import Coordinates, InnerCurvature
from mcmodels.solvers.existence import MinimumProof
from mcmodels.solvers.fit_state import Optimum, Placed, Progress
from mcmodels.solvers.kept_hessian import passes_are_expensive
from mcmodels.solvers.modified_steps import has_negative_curvature
from mcmodels.solvers.newton import NewtonIterate, gradient_is_small, unverifiable_decrease
from mcmodels.solvers.proved_recession import has_minimum, proved_direction, slopes_are_lost
from mcmodels.solvers.recession import curvature_is_everywhere, predictors_grow, recedes
from mcmodels.solvers.separation import nearly_separates, separates, separates_by_linear_program
from mcmodels.solvers.solution import Solution, Status
from mcmodels.solvers.tolerances import (
    ILL_CONDITIONED,
    NEGLIGIBLE_STEP,
    SAMPLE_ROWS,
    factorisation_error,
)

# A warning names a column if its contribution to a direction is more than the first share of the
# largest contribution. It names no column if all contribute less than the second share of the
# intercept's.
_LARGE_CONTRIBUTION, _NEGLIGIBLE_CONTRIBUTION = 1e-2, 1e-6
# A fit with steps longer than this, relative to the parameters, has not converged.
_LONG_STEP = 1e-3
# Near a finite optimum a Newton step changes no difference of linear predictors by more than this;
# where classes are separated, steps change some by about 1.
_DIVERGING_CHANGE = 0.5
# Lengths of a direction that are tried: the largest margin may grow by so many powers of ten times
# the least.
_MOST_DECADES = 9


def conclude(objective: LinearPredictorObjective, last: Progress) -> Solution[Optimum]:
    """The Solution at the last state of :func:`mcmodels.solvers.irls.fit`, with its status."""
    rows, coordinates = objective.rows, last.coordinates
    placed, state = Placed(objective, coordinates), last.iterate
    if state is None:
        first = placed.from_users(last.params)
        state = next(placed.newton_iterates(first, 0.0, 0, last.count))
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
    near: Array | None = None
    if isinstance(objective, UserObjective):
        status = _status_of_loss(placed.inner, state, regular)
        of_classes = objective.loss.of_classes
        # What is known to diverge needs no proof unless that gives it another name.
        doubted = status is Status.NOT_CONVERGED or (status is Status.UNBOUNDED and of_classes)
        if status is Status.CONVERGED and not objective.is_penalised:
            doubted = objective.loss.falls_are_known and not regular
            doubted = doubted or slopes_are_lost(placed.inner, state)
            doubted = doubted and not has_minimum(placed, state)
        if doubted and not objective.is_penalised:
            direction = proved_direction(placed, state)
        if direction is not None:
            status = Status.SEPARATED if of_classes else Status.UNBOUNDED
        elif status is Status.UNBOUNDED:
            direction = placed.to_users(state.direction.step)
    elif not objective.is_penalised and status is not Status.CONVERGED:
        direction = separating_direction(placed, state)
        if direction is None:
            direction = separates_by_linear_program(rows, last.params.shape)
        status = status if direction is None else Status.SEPARATED
        if direction is None and status is Status.NOT_CONVERGED:
            near = nearly_separates(rows, last.params.shape)
            columns = columns if near is None else contributing_columns(rows, near)
    if direction is not None:
        columns = contributing_columns(rows, direction)
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
        nearly_separated=near is not None,
    )


def is_at_rest(state: NewtonIterate[Slope], bound: float) -> bool:
    """Whether the gradient is small, or values of the objective can show no further decrease."""
    hidden = state.direction.decrease <= unverifiable_decrease(state.derivatives.value)
    return hidden or gradient_is_small(state.derivatives, bound)


def divergence(placed: Placed, state: NewtonIterate[Slope], bound: float) -> Status | None:
    """The status of a fit that is proved to diverge; else None."""
    objective, inner, step = placed.objective, placed.inner, state.direction.step
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
    if objective.is_penalised or not is_at_rest(state, bound):
        return None
    if MinimumProof(inner).reach(state.params, step) < _DIVERGING_CHANGE:
        return None
    separating = separating_direction(placed, state)
    return None if separating is None else Status.SEPARATED


def separating_direction(placed: Placed, state: NewtonIterate[Slope]) -> Array | None:
    """A direction that separates the classes, proved; None where none is found."""
    for inner in (state.direction.step, state.params, *_dropped(placed, state)):
        found = separates(placed.objective.rows, placed.to_users(inner))
        if found is not None:
            return found
    return None


def _dropped(placed: Placed, state: NewtonIterate[Slope]) -> Iterator[Array]:
    """What a step leaves out, as the Hessian has no curvature there but rounding; in some lengths.

    Where other rows overlap and have large losses, and separated ones lie close together, the
    curvature of these is lost before a step shows which rows grow. The length is not known: the
    largest change of a predictor is a power of ten.
    """
    known = state.derivatives
    if state.status is not Status.NOT_CONVERGED or not state.direction.dropped > 0:
        return
    if not isinstance(known, Derivatives):
        return
    hessian = placed.inner.with_shift_curvature(known.hessian, state.params.shape)
    scale = np.sqrt(np.clip(np.diagonal(hessian), 0.0, None))
    if not scale.all():
        return
    values, V = linalg.eigh(hessian / np.outer(scale, scale))
    lost = V[:, values <= factorisation_error(len(values)) * values[-1]]
    step = -(lost @ (lost.T @ (known.gradient.ravel() / scale))) / scale
    step = placed.inner.without_shift(step.reshape(state.params.shape))
    reach = MinimumProof(placed.inner).reach(state.params, step)
    if 0 < reach < np.inf:
        yield from (10.0**k / reach * step for k in range(_MOST_DECADES))


def _optimum(
    objective: LinearPredictorObjective, params: Array, known: Slope, coordinates: Coordinates
) -> Optimum:
    """The derivatives at the user's parameters; no Hessian where it takes too much memory."""
    too_large = room.too_many(params.size)
    if isinstance(known, Derivatives):
        found = coordinates.derivatives_to_users(
            known.gradient, known.hessian, intercept=objective.rows.intercept
        )
        if found is not None:
            curvature = InnerCurvature(known.hessian, coordinates)
            return Optimum(params, known.value, *found, curvature)
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


def _may_lack_curvature(objective: LinearPredictorObjective, state: NewtonIterate[Slope]) -> bool:
    """Whether some column has little curvature left; many rows are read only where it has."""
    if not passes_are_expensive(objective.rows) or not isinstance(state.derivatives, Derivatives):
        return True
    return not curvature_is_everywhere(
        objective.rows.sample(SAMPLE_ROWS), state.derivatives.hessian
    )


def _status_of_loss(
    objective: LinearPredictorObjective, state: NewtonIterate[Slope], regular: bool
) -> Status:
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
    return Status.NOT_CONVERGED if objective.is_penalised else Status.CONVERGED


def contributing_columns(rows: Rows, step: Array) -> tuple[int, ...]:
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
