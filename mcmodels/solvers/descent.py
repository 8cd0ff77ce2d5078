"""What the solvers of networks return: the last point, with value and gradient there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows import Slope


@dataclass(frozen=True)
class DescentResult:
    """The last point of a descent; a minimum if it has converged.

    Parameters
    ----------
    params : ndarray of shape (n,)
        The point.
    slope : Slope
        Value and gradient there.
    passes : int
        Passes over the rows: evaluations of value and gradient, and Hessian-vector products.
    """

    params: Array
    slope: Slope
    passes: int


def refuse_undefined_start(slope: Slope) -> None:
    """Raise ValueError when value or gradient are not finite where a descent starts."""
    if not (np.isfinite(slope.value) and np.isfinite(slope.gradient).all()):
        raise ValueError(
            "the objective or its gradient overflows float64 at the start; scale the columns of X, "
            "the targets or the weights to moderate sizes."
        )
