"""How a fit by proximal Newton has ended: its derivatives, and columns that are dependent."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.objectives.absolute_penalty import L1Objective
from mcmodels.objectives.user_loss import UserDerivatives
from mcmodels.rows import RowBlock
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.conclusion import contributing_columns
from mcmodels.solvers.coordinates import InnerCurvature
from mcmodels.solvers.fit_state import Optimum, Progress
from mcmodels.solvers.recession import column_squares
from mcmodels.solvers.solution import Solution, Status
from mcmodels.solvers.tolerances import FLOAT64_EPSILON, factorisation_error

__all__ = ["conclude_with_l1", "dependent_columns"]

# A combination of columns of unit length is zero when its length is below this: the rounding of its
# terms. A column takes part in it from the second number on.
_DEPENDENT, _LARGE_SHARE = 1e3 * FLOAT64_EPSILON, 1e-2


def conclude_with_l1(objective: L1Objective, last: Progress) -> Solution[Optimum]:
    """The Solution at the last state of :func:`fit_with_l1`; derivatives are of the smooth part."""
    state = last.iterate
    assert state is not None
    assert isinstance(state.derivatives, UserDerivatives)
    status = state.status or Status.NOT_CONVERGED
    known: UserDerivatives = state.derivatives
    inner = None
    if not last.coordinates.is_identity:
        inner = InnerCurvature(known.hessian, last.coordinates)
        known = objective.derivatives(last.params)
    rank = objective.rows.n_features
    columns: tuple[int, ...] = ()
    if status is Status.UNBOUNDED:
        step = last.coordinates.to_users(state.direction.step, intercept=objective.rows.intercept)
        columns = contributing_columns(objective.rows, step)
    if status is Status.CONVERGED and objective.penalty == 0:
        lost, columns = dependent_columns(objective, last.params, known.hessian)
        rank -= lost
        status = Status.RANK_DEFICIENT if lost else status
    return Solution(
        Optimum(last.params, known.value, known.gradient, known.hessian, inner),
        status,
        "proximal-newton",
        state.count,
        rank,
        state.direction.condition,
        columns,
    )


def dependent_columns(
    objective: L1Objective, params: Array, hessian: Array
) -> tuple[int, tuple[int, ...]]:
    """How many dependencies there are among coefficients that are not zero, and of which columns.

    Along them the objective is constant: the gradient is, and so are the absolute values, which
    balance it. Combinations of columns that the Hessian suspects are computed row by row.
    """
    taken = np.flatnonzero((params != 0) | (objective.strengths == 0))
    lengths = np.sqrt(column_squares(objective.rows))[taken]
    taken, lengths = taken[lengths > 0], lengths[lengths > 0]
    curved = hessian[np.ix_(taken, taken)]
    if not taken.size or ScaledCholesky.of(curved, np.sqrt(np.diagonal(curved).clip(0.0))):
        return 0, ()
    values, V = linalg.eigh(curved / np.outer(lengths, lengths))
    suspects = V[:, values <= factorisation_error(taken.size) * taken.size * values[-1]]
    steps = np.zeros((suspects.shape[1], params.size))
    steps[:, taken] = (suspects / lengths[:, np.newaxis]).T

    def squares(block: RowBlock) -> Array:
        return block.weights_or_ones @ np.square(block.X.predictor(steps))

    proved = np.sqrt(objective.rows.reduce(squares)) <= _DEPENDENT
    involved = (np.abs(suspects[:, proved]) > _LARGE_SHARE).any(axis=1)
    columns = [j for j in taken[involved].tolist() if j < objective.rows.n_features]
    return int(np.count_nonzero(proved)), tuple(columns)
