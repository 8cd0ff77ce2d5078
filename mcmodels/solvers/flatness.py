"""Where a Hessian is zero though predictions change: second derivatives decide nothing there."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.rows import RowBlock
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.recession import column_squares
from mcmodels.solvers.tolerances import FLOAT64_EPSILON, ZERO_EIGENVALUE

# A column takes part in a direction if its share of the predictors is above this one.
_LARGE_SHARE = 1e-2


def flat_directions(objective: LinearPredictorObjective, hessian: Array) -> Array:
    """Directions along which the Hessian is zero and the linear predictors change, as columns.

    Along them ``Σ wᵢ (x̃ᵢᵀd)² = 1``. Directions that change no predictor are left out: they are
    linear dependencies between columns. Where the Hessian has a Cholesky factor, only rounding
    counts as zero.

    Parameters
    ----------
    objective : UserObjective
        Its rows tell which directions change linear predictors.
    hessian : ndarray of shape (P, P)
        The Hessian.
    """
    none = np.empty((hessian.shape[0], 0))
    scale = np.sqrt(np.clip(np.diagonal(hessian), 0.0, None))
    least = ZERO_EIGENVALUE if ScaledCholesky.of(hessian, scale) is None else FLOAT64_EPSILON
    metric = np.sqrt(column_squares(objective.rows))
    metric = np.where(metric > 0, metric, 1.0)
    values, V = linalg.eigh(hessian / np.outer(metric, metric))
    zero = np.abs(values) <= least * np.abs(values).max()
    directions = V[:, zero] / metric[:, np.newaxis]
    if not zero.any():
        return none

    def products(block: RowBlock) -> Array:
        changes = block.X.predictor(np.ascontiguousarray(directions.T))
        return changes.T @ (block.weights_or_ones[:, np.newaxis] * changes)

    squares, U = linalg.eigh(objective.rows.reduce(products))
    changing = squares > ZERO_EIGENVALUE * squares.size
    return np.asarray(directions @ (U[:, changing] / np.sqrt(squares[changing])))


def columns_of(objective: LinearPredictorObjective, directions: Array) -> tuple[int, ...]:
    """The features that take part in some of the directions; empty if the intercept alone does."""
    part = np.abs(directions).max(axis=1) * np.sqrt(column_squares(objective.rows))
    features = part[: objective.rows.n_features]
    return tuple(int(j) for j in np.nonzero(features > _LARGE_SHARE * part.max())[0])
