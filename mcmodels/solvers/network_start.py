"""Starts of networks whose outputs are exponents: the last layer is shrunk where they are huge.

Random coefficients that suit columns of size one give outputs η of the size of the columns. Of
counts, with the mean ``e^η``, outputs of some hundred overflow float64, and a descent ends before
its first step. A smaller last layer is as random a start.
"""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives.network_losses import HalfPoissonDeviance
from mcmodels.objectives.network_objective import NetworkObjective

__all__ = ["moderate_start"]

# Outputs beyond the first number are shrunk to the second: no count has a mean of e³⁰, which is
# 1e13, and from there the steepest steps go far beyond the minimum.
_LARGEST, _MODERATE = 30.0, 1.0


def moderate_start(objective: NetworkObjective, start: Array) -> Array:
    """The start, with a last layer for which no output of a row that counts is huge.

    Parameters
    ----------
    objective : NetworkObjective
        What is minimised; only that of counts is looked at.
    start : ndarray of shape (n_params,)
        First parameters; not changed.
    """
    if not isinstance(objective.loss, HalfPoissonDeviance):
        return start
    network = objective.network
    with np.errstate(over="ignore", invalid="ignore"):
        ends = objective.rows.reduce(lambda block: [np.abs(network.outputs(block.X, start)).max()])
    largest = float(np.max(ends))
    if largest <= _LARGEST or not np.isfinite(largest):
        return start
    shrunk = start.copy()
    shrunk[network.last_layer] *= _MODERATE / largest
    return shrunk
