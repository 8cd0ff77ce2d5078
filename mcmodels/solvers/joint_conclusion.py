"""How a fit of coefficients and auxiliary parameters has ended: its verdict and its optimum.

Where the fit is exact up to rounding, a scale is estimated from rounding errors: that is no
minimum, and the end is NOT_CONVERGED. Where the objective does not change along a direction, such
as that of an intercept and thresholds together, it is RANK_DEFICIENT.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.objectives.absolute_auxiliary import L1AuxiliaryObjective
from mcmodels.objectives.auxiliary import AuxiliaryObjective
from mcmodels.objectives.user_loss import UserDerivatives
from mcmodels.rows import RowBlock
from mcmodels.solvers.auxiliary_limits import LimitDirection
from mcmodels.solvers.coordinates import InnerCurvature
from mcmodels.solvers.fit_state import Optimum, Placed, Progress
from mcmodels.solvers.flat_points import flat_steps
from mcmodels.solvers.newton_direction import NewtonDirection
from mcmodels.solvers.proximal_conclusion import dependent_columns
from mcmodels.solvers.recession import column_squares
from mcmodels.solvers.solution import Solution, Status
from mcmodels.solvers.tolerances import FLOAT64_EPSILON, ZERO_EIGENVALUE

__all__ = ["JointSolution", "conclude"]

# The fit is exact up to rounding where the rounding of linear predictors changes the derivatives of
# the loss by auxiliary parameters by this share.
_ROUNDED = 1e-2
# A parameter has no effect where its derivatives are less than this share of the losses.
_NO_EFFECT = 1e-12
# A parameter takes part in a direction if its share of it is above this one.
_LARGE_SHARE = 1e-2


@dataclass(frozen=True)
class JointSolution(Solution[Optimum]):
    """A solution with what is said of auxiliary parameters.

    Parameters
    ----------
    auxiliary : tuple of int
        Auxiliary parameters that take part in the direction of a status.
    intercept : bool
        Whether the intercept takes part in it.
    is_exact : bool
        Whether the fit is exact up to rounding.
    tied : bool
        Whether a direction of auxiliary parameters, or of these and others, changes nothing.
    flat : bool
        Whether the Hessian is zero along a direction in which the objective may change: the point
        may be no minimum, or one of many.
    limit : float, or None
        What the objective tends to where it has no minimum, if that is known.
    side : float
        Whether the auxiliary parameter of the limit rises (1) or falls (-1) to it.
    """

    auxiliary: tuple[int, ...] = ()
    intercept: bool = False
    is_exact: bool = False
    tied: bool = False
    flat: bool = False
    limit: float | None = None
    side: float = 0.0


def conclude(objective: AuxiliaryObjective, last: Progress) -> JointSolution:
    """The Solution at the last state of a fit by :mod:`mcmodels.solvers.joint_newton`."""
    state, coordinates = last.iterate, last.coordinates
    assert state is not None
    known = state.derivatives
    assert isinstance(known, UserDerivatives)
    inner = Placed(objective, coordinates).inner
    assert isinstance(inner, AuxiliaryObjective)
    status = state.status or Status.NOT_CONVERGED
    rank, columns = objective.rows.n_features, tuple[int, ...]()
    if coordinates.inverse is not None:
        rank, columns = coordinates.inverse.rank, coordinates.inverse.dependent
    auxiliary, of_intercept, tied, flat = tuple[int, ...](), False, False, False
    exact = status is not Status.UNBOUNDED and _is_exact(inner, state.params, known.hessian)
    if exact:
        status = Status.NOT_CONVERGED
    if status is Status.UNBOUNDED:
        columns, of_intercept, auxiliary = _parts(objective, last, state.direction.step)
    elif status is Status.CONVERGED:
        lost = 0
        if isinstance(objective, L1AuxiliaryObjective) and not objective.penalty:
            theta, a = objective.split(last.params)
            of_theta = known.hessian[: len(theta), : len(theta)]
            lost, columns = dependent_columns(objective.of_predictor(a), theta, of_theta)
            rank -= lost
        free = None if lost else _tied_direction(inner, state.params, known, state.direction)
        if free is not None:
            tied, status = True, Status.RANK_DEFICIENT
            columns, of_intercept, auxiliary = _parts(objective, last, free)
            if not (of_intercept or auxiliary):  # found where columns depend on each other alone
                tied, rank = False, rank - 1
        elif rank < objective.rows.n_features:
            status = Status.RANK_DEFICIENT
        elif not isinstance(objective, L1AuxiliaryObjective):
            steps = flat_steps(inner, state.params, known, state.direction.condition)
            if steps:
                flat = True
                parts = [_parts(objective, last, step) for step in steps]
                columns = tuple(sorted({j for part in parts for j in part[0]}))
                of_intercept = any(part[1] for part in parts)
                auxiliary = tuple(sorted({k for part in parts for k in part[2]}))
    found = known if coordinates.is_identity else objective.derivatives(last.params)
    curvature, ending = InnerCurvature(known.hessian, coordinates), state.direction
    return JointSolution(
        Optimum(last.params, known.value, found.gradient, found.hessian, curvature),
        status,
        "proximal-newton" if isinstance(objective, L1AuxiliaryObjective) else "newton",
        state.count,
        rank,
        state.direction.condition,
        columns,
        auxiliary=auxiliary,
        intercept=of_intercept,
        is_exact=exact,
        tied=tied,
        flat=flat,
        limit=ending.limit if isinstance(ending, LimitDirection) else None,
        side=float(np.sign(ending.step.sum())) if isinstance(ending, LimitDirection) else 0.0,
    )


def _is_exact(objective: AuxiliaryObjective, params: Array, hessian: Array) -> bool:
    """Whether rounding of η changes the derivatives by an auxiliary parameter, and it, by a share.

    A scale is then estimated from rounding errors alone. Of other parameters the derivatives may be
    rounding errors at an exact fit, too, but the curvature leaves them where they are.
    """
    theta, a = objective.split(params)

    def sizes(block: RowBlock) -> Array:
        eta = block.linear_predictor(theta)
        rounding = FLOAT64_EPSILON * np.maximum(np.abs(eta), np.abs(block.y))
        value, first = objective.auxiliary.function(block.y, eta, a, 1)
        _, above = objective.auxiliary.function(block.y, eta + rounding, a, 1)
        _, below = objective.auxiliary.function(block.y, eta - rounding, a, 1)
        changes = np.fmax(np.abs(above - first), np.abs(below - first))[:, 1:]
        of_a = np.stack([changes, np.abs(first[:, 1:])], axis=1)
        losses = np.broadcast_to(np.abs(value)[:, np.newaxis], changes.shape)
        return block.weighted(np.concatenate([of_a, losses[:, np.newaxis]], axis=1)).sum(axis=0)

    with np.errstate(all="ignore"):
        changes, whole, losses = objective.rows.reduce(sizes)
        curvature = np.abs(np.diagonal(hessian))[len(theta) :]
        stays = changes <= _ROUNDED * np.maximum(whole, curvature * np.minimum(np.abs(a), 1.0))
        # Two components that are equal have no proportions: rounding is all of their derivative.
        no_effect = whole + changes <= _NO_EFFECT * losses
        return not bool((stays | no_effect).all())


def _tied_direction(
    objective: AuxiliaryObjective,
    params: Array,
    known: UserDerivatives,
    direction: NewtonDirection,
) -> Array | None:
    """A direction along which Hessian and objective do not change, or None."""
    if np.isfinite(direction.condition):
        return None
    taken = np.arange(params.size)
    if isinstance(objective, L1AuxiliaryObjective):
        taken = np.flatnonzero((params != 0) | (objective.strengths == 0))
    hessian = known.hessian[np.ix_(taken, taken)]
    units = np.sqrt(np.abs(np.diagonal(hessian)))
    units = np.where(units > 0, units, 1.0)
    values, V = linalg.eigh(hessian / np.outer(units, units))
    free = np.zeros(params.size)
    free[taken] = V[:, 0] / units
    free /= np.abs(free).max()
    if not abs(values[0]) <= ZERO_EIGENVALUE * np.abs(values).max():
        return None
    value = known.value
    with np.errstate(all="ignore"):
        reached = [objective.value(params + side * free) for side in (1.0, -1.0)]
    room_for = ZERO_EIGENVALUE * max(abs(value), objective.rows.total_weight)
    return free if all(abs(far - value) <= room_for for far in reached) else None


def _parts(
    objective: AuxiliaryObjective, last: Progress, step: Array
) -> tuple[tuple[int, ...], bool, tuple[int, ...]]:
    """Columns, intercept and auxiliary parameters with a large share of a direction."""
    users = last.coordinates.to_users(step, intercept=objective.rows.intercept)
    theta, a = objective.split(users)
    lengths = np.sqrt(column_squares(objective.rows) / objective.rows.total_weight)
    shares = np.abs(theta) * lengths
    largest = max(shares.max(initial=0.0), np.abs(a).max(initial=0.0))
    large = np.nonzero(shares > _LARGE_SHARE * largest)[0].tolist()
    p = objective.rows.n_features
    auxiliary = tuple(np.nonzero(np.abs(a) > _LARGE_SHARE * largest)[0].tolist())
    return tuple(j for j in large if j < p), p in large, auxiliary
