"""Starts of networks whose outputs are exponents, and the sizes of columns that are large.

Random coefficients that suit columns of size one give outputs η of the size of the columns. Of
counts, with the mean ``e^η``, outputs of some hundred overflow float64, and a descent ends before
its first step. So coefficients of large columns are divided by their sizes, as if the columns were
of size one. If outputs are huge still, the last layer is shrunk, which is as random a start.
"""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives.network_losses import HalfPoissonDeviance
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.solvers.recession import column_squares

__all__ = ["moderate_start", "units_of_descent"]

# Outputs beyond the first number are shrunk to the second: no count has a mean of e³⁰, which is
# 1e13, and from there the steepest steps go far beyond the minimum.
_LARGEST, _MODERATE = 30.0, 1.0
# Columns of this root mean square are large: their coefficients are measured in their units.
_LARGE_COLUMN = 10.0


def moderate_start(objective: NetworkObjective, start: Array) -> Array:
    """The start, with a first and a last layer for which no output of a row that counts is huge.

    Parameters
    ----------
    objective : NetworkObjective
        What is minimised; only that of counts is looked at.
    start : ndarray of shape (n_params,)
        First parameters; not changed.
    """
    if not isinstance(objective.loss, HalfPoissonDeviance):
        return start
    largest = _largest_output(objective, start)
    if largest <= _LARGEST or not np.isfinite(largest):
        return start
    units = units_of_descent(objective)
    shrunk = start.copy() if units is None else start / units
    largest = _largest_output(objective, shrunk)
    if largest > _LARGEST:
        shrunk[objective.network.last_layer] *= _MODERATE / largest
    return shrunk


def _largest_output(objective: NetworkObjective, params: Array) -> float:
    network = objective.network
    with np.errstate(over="ignore", invalid="ignore"):
        ends = objective.rows.reduce(lambda block: [np.abs(network.outputs(block.X, params)).max()])
    return float(np.max(ends))


def units_of_descent(objective: NetworkObjective) -> Array | None:
    """What L-BFGS multiplies the parameters by; None where no column is large, or not of counts.

    Its first steps are along the gradient, and its curvature is at first a multiple of the
    identity. Of a column in units of thousands the gradient is a thousand times as large, while the
    coefficient should change a thousand times less: hardly any step is lower. So coefficients of
    the first layer are multiplied by the root mean square of their column, where this is large.

    Networks of other losses start with the coefficients that scikit-learn's start with. With large
    columns their hidden outputs are so far out that a descent in these units ends on a plateau,
    where the curvature along the gradient is huge and predicts no decrease.

    Parameters
    ----------
    objective : NetworkObjective
        What is minimised.
    """
    if not isinstance(objective.loss, HalfPoissonDeviance):
        return None
    rows, network = objective.rows, objective.network
    with np.errstate(over="ignore", invalid="ignore"):
        sizes = np.sqrt(column_squares(rows) / rows.total_weight)
    large = np.isfinite(sizes) & (sizes > _LARGE_COLUMN)
    if not large.any():
        return None
    units = np.ones(network.n_params)
    network.unflatten(units).coefs[0][large] = sizes[large, np.newaxis]
    return units
