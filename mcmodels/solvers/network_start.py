"""Where a network starts, and in which units of its columns it is minimised.

Random coefficients suit columns of size one. With large columns, hidden units start where tanh is
flat, or relu is large; and for counts, with the mean ``e^η``, outputs of some hundred overflow
float64. So large columns are shifted and scaled first, as by a StandardScaler. If outputs of counts
are still huge, the last layer is shrunk: the start is then as random as before.
"""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives.network_losses import HalfPoissonDeviance
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.objectives.network_units import NetworkInUnits
from mcmodels.rows import ColumnMoments, RowBlock, SparseDesign

__all__ = ["in_units_of_columns", "moderate_start"]

# Outputs beyond the first number are shrunk to the second: no count has a mean of e³⁰, which is
# 1e13, and from there the steepest steps go far beyond the minimum.
_LARGEST, _MODERATE = 30.0, 1.0
# Columns of this root mean square are large: they are measured in their own units.
_LARGE_COLUMN = 10.0
# A column whose deviations are a smaller share of its mean is constant, but for rounding.
_CONSTANT = 1e-12


def moderate_start(objective: NetworkObjective, start: Array) -> Array:
    """The start, with a last layer for which no output of a row that counts is a huge exponent.

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
    shrunk = start.copy()
    shrunk[objective.network.last_layer] *= _MODERATE / largest
    return shrunk


def _largest_output(objective: NetworkObjective, params: Array) -> float:
    network = objective.network
    with np.errstate(over="ignore", invalid="ignore"):
        ends = objective.rows.reduce(lambda block: [np.abs(network.outputs(block.X, params)).max()])
    return float(np.max(ends))


def in_units_of_columns(objective: NetworkObjective) -> NetworkInUnits | None:
    """The same objective with large columns shifted and scaled; None where none is large.

    Its random start, its first steps, which are along the gradient, and the tolerance of its
    gradient are then those of a network in the columns of a StandardScaler. Sparse columns are not
    shifted. One or two walks over the rows.

    Parameters
    ----------
    objective : NetworkObjective
        What is minimised, over the parameters of the columns as given.
    """

    def squares(block: RowBlock) -> Array:
        is_sparse = isinstance(block.X, SparseDesign)
        return np.append(block.X.diagonal(block.weights_or_ones), float(is_sparse))

    rows = objective.rows
    with np.errstate(over="ignore", invalid="ignore"):
        *sums, n_sparse = rows.reduce(squares)
        sizes = np.sqrt(np.array(sums) / rows.total_weight)
    large = np.isfinite(sizes) & (sizes > _LARGE_COLUMN)
    if not large.any():
        return None
    centre = np.zeros(sizes.size)
    if not n_sparse:
        moments = ColumnMoments.of(rows, targets=False)
        deviations = np.sqrt(moments.squares / moments.weight)
        centre = np.where(large, moments.mean, 0.0)
        varies = deviations > _CONSTANT * np.abs(centre)
        sizes = np.where(varies & np.isfinite(deviations), deviations, sizes)
    return NetworkInUnits(objective, centre, np.where(large, sizes, 1.0))
