"""Where a network starts, and in which units of its columns and targets it is minimised.

Random coefficients suit columns of size one. With large columns, hidden units start where tanh is
flat, or relu is large; and for counts, with the mean ``e^η``, outputs of some hundred overflow
float64. So large columns are shifted and scaled first, as by a StandardScaler; so are columns far
from zero beside their deviation, and very small ones. If outputs of counts are still huge, the last
layer is shrunk: the start is then as random as before.

Random coefficients suit targets of size one, too. Those of another size, or far from zero, are
shifted and scaled as well: the intercept of an output starts at the null model.
"""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives.network import Network
from mcmodels.objectives.network_losses import HalfPoissonDeviance
from mcmodels.objectives.network_objective import HalfSquaredError, NetworkObjective
from mcmodels.objectives.network_units import NetworkInUnits
from mcmodels.objectives.target_units import TargetUnits, WeightedOutputs
from mcmodels.rows import ColumnMoments, RowBlock, SparseDesign

__all__ = [
    "in_units",
    "in_units_of_columns",
    "moderate_start",
    "start_in_units",
    "units_of_targets",
]

# Outputs beyond the first number are shrunk to the second: no count has a mean of e³⁰, which is
# 1e13, and from there the steepest steps go far beyond the minimum.
_LARGEST, _MODERATE = 30.0, 1.0
# Columns of this root mean square are large: they are measured in their own units. So are those
# below the second number: what they explain needs coefficients far from random ones.
_LARGE_COLUMN, _SMALL_COLUMN = 10.0, 0.01
# A column is far from zero if its mean is above the first number, and as many times its deviation;
# or, whatever it is, the second number times its deviation.
_FAR_COLUMN, _VERY_FAR = 3.0, 10.0
# A column whose deviations are a smaller share of its mean is constant, but for rounding.
_CONSTANT = 1e-12
# Targets with a root mean square or mean count above this, or with deviations or a mean count below
# its inverse, are measured in their own units.
_LARGE_TARGET = 10.0
# Of squares about zero, a smaller share is lost in rounding, and is computed about the mean.
_SURE_SHARE = 1e-4


def moderate_start(objective: NetworkObjective, start: Array) -> Array:
    """The start, with a last layer for which no output of a row that counts is a huge exponent.

    Parameters
    ----------
    objective : NetworkObjective
        What is minimised; only that of counts is looked at.
    start : ndarray of shape (n_params,)
        First parameters; not changed.
    """
    loss = objective.loss
    if not isinstance(
        loss.each if isinstance(loss, WeightedOutputs) else loss, HalfPoissonDeviance
    ):
        return start
    largest = _largest_output(objective, start)
    if largest <= _LARGEST or not np.isfinite(largest):
        return start
    shrunk = start.copy()
    shrunk[objective.network.last_layer] *= _MODERATE / largest
    return shrunk


def start_in_units(network: Network, targets: TargetUnits, start: Array) -> Array:
    """The random start in units of the targets, about the null model.

    A target that varies less than others hardly counts, and would keep random coefficients of its
    own size. So its coefficients are smaller by as much.
    """
    start = start.copy()
    coefs, intercepts = network.unflatten(start)
    size = targets.spread**2 / (targets.spread.max() or 1.0)
    coefs[-1] *= size
    intercepts[-1] *= size
    return start


def _largest_output(objective: NetworkObjective, params: Array) -> float:
    network = objective.network
    with np.errstate(over="ignore", invalid="ignore"):
        ends = objective.rows.reduce(lambda block: [np.abs(network.outputs(block.X, params)).max()])
    return float(np.max(ends))


def in_units(objective: NetworkObjective) -> NetworkInUnits | None:
    """The same objective in units of its columns and targets; None where all are of size one.

    Parameters
    ----------
    objective : NetworkObjective
        What is minimised, over the parameters of the columns and targets as given.
    """
    columns, targets = in_units_of_columns(objective), units_of_targets(objective)
    if targets is None:
        return columns
    centre, size = (columns and columns.columns) or (None, None)
    return NetworkInUnits(objective, centre, size, targets)


def units_of_targets(objective: NetworkObjective) -> TargetUnits | None:
    """Units of the targets of a regression; None where all are of size one, and of classes.

    One or two walks over the rows.

    Parameters
    ----------
    objective : NetworkObjective
        What is minimised, over the parameters of the targets as given.
    """
    are_counts = isinstance(objective.loss, HalfPoissonDeviance)
    if not (are_counts or isinstance(objective.loss, HalfSquaredError)):
        return None
    rows, outputs = objective.rows, objective.network.n_outputs

    def power_sums(block: RowBlock, power: int = 1, centre: Array | float = 0.0) -> Array:
        deviations = block.y.reshape(-1, outputs) - centre
        return block.weights_or_ones @ deviations**power

    with np.errstate(over="ignore", invalid="ignore"):
        sums = rows.reduce(lambda block: np.stack([power_sums(block), power_sums(block, 2)]))
        mean, squares = sums / rows.total_weight
    if not (np.isfinite(mean).all() and np.isfinite(squares).all()):
        return None  # refused at the start
    if are_counts:
        if (np.abs(np.log(np.maximum(mean, 1e-300))) <= np.log(_LARGE_TARGET)).all():
            return None
        mean = np.where(mean > 0, mean, 1.0)
        ones = np.ones(outputs)
        return TargetUnits(np.log(mean), ones, mean, ones, are_counts=True)
    variances = squares - mean**2
    if (variances < _SURE_SHARE * squares).any():
        variances = rows.reduce(lambda block: power_sums(block, 2, mean)) / rows.total_weight
    varies = variances > (_CONSTANT * mean) ** 2
    deviations = np.sqrt(np.where(varies, variances, 0.0))
    known = deviations[varies]
    if (squares <= _LARGE_TARGET**2).all() and (known * _LARGE_TARGET >= 1).all():
        return None
    size = np.full(outputs, known.min() if known.size else 1.0)
    return TargetUnits(mean, size, size**2, deviations / size, are_counts=False)


def in_units_of_columns(objective: NetworkObjective) -> NetworkInUnits | None:
    """The same objective with columns of another size than one shifted and scaled; None if none is.

    Its random start, its first steps, which are along the gradient, and the tolerance of its
    gradient are then those of a network in the columns of a StandardScaler. Sparse columns are not
    shifted. One or two walks over the rows.

    Parameters
    ----------
    objective : NetworkObjective
        What is minimised, over the parameters of the columns as given.
    """

    def squares(block: RowBlock) -> Array:
        weights = block.weights_or_ones
        sums = block.X.diagonal(weights)
        stored, is_sparse = np.zeros(sums.size), isinstance(block.X, SparseDesign)
        if isinstance(block.X, SparseDesign):
            X = block.X.X
            each = np.repeat(weights, np.diff(X.indptr))
            stored = np.bincount(X.indices, each, sums.size).astype(np.float64)
        return np.concatenate([sums, stored, [float(is_sparse)]])

    rows = objective.rows
    with np.errstate(over="ignore", invalid="ignore"):
        *found, n_sparse = rows.reduce(squares)
        sums, stored = np.array(found).reshape(2, -1)
        sizes = np.sqrt(sums / rows.total_weight)
    known = np.isfinite(sizes)
    own = known & (sizes > _LARGE_COLUMN)
    if n_sparse:  # a column is small if the entries that it has are
        entries = np.sqrt(sums / np.where(stored > 0, stored, 1.0))
        small = (entries > 0) & (entries < _SMALL_COLUMN)
        sizes = np.where(small, entries, sizes)
    else:
        small = (sizes > 0) & (sizes < _SMALL_COLUMN)
    own |= small
    centre = np.zeros(sizes.size)
    if not n_sparse and known.any():
        moments = ColumnMoments.of(rows, targets=False)
        deviations = np.sqrt(moments.squares / moments.weight)
        varies = (deviations > _CONSTANT * np.abs(moments.mean)) & np.isfinite(deviations)
        means = np.abs(moments.mean)
        far = (means > _FAR_COLUMN) & (means > _FAR_COLUMN * deviations)
        own |= known & varies & (far | (means > _VERY_FAR * deviations))
        centre = np.where(own, moments.mean, 0.0)
        sizes = np.where(varies, deviations, sizes)
    return NetworkInUnits(objective, centre, np.where(own, sizes, 1.0)) if own.any() else None
