"""Find the targets of least squares that are constant."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcmodels.rows import ColumnMoments, FactoredMoments, Moments, Rows
from mcmodels.solvers.tolerances import FLOAT64_EPSILON


def constant_targets(
    rows: Rows, moments: Moments | FactoredMoments | ColumnMoments
) -> npt.NDArray[np.intp]:
    """Indices of the targets that are the same number in all rows; none without an intercept.

    The rows are read only if some target varies about its mean by no more than rounding errors.

    Parameters
    ----------
    rows : Rows
        Rows with targets of shape (n, m).
    moments : Moments, FactoredMoments or ColumnMoments
        Of the rows, about the mean.
    """
    rounding_of_mean = moments.weight * (8 * FLOAT64_EPSILON * moments.y_mean) ** 2
    if not rows.intercept or (moments.y_squares > rounding_of_mean).all():
        return np.zeros(0, dtype=np.intp)
    ends = np.concatenate(rows.reduce(lambda block: [block.y.min(axis=0), block.y.max(axis=0)]))
    ends = ends.reshape(-1, moments.y_mean.size)
    return np.nonzero(ends.min(axis=0) == ends.max(axis=0))[0]
