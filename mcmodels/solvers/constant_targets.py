"""Find the targets of least squares that are constant, and dependent columns that are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mcmodels.arrays import Array
from mcmodels.rows import ColumnMoments, CrossSums, FactoredMoments, Moments, RowBlock, Rows
from mcmodels.solvers.least_squares_fit import LeastSquares
from mcmodels.solvers.solution import Solution, Status
from mcmodels.solvers.tolerances import FLOAT64_EPSILON

# Deviations from the mean of a constant are at most this many rounding errors of it.
_ROUNDINGS = 8
# Targets whose variance is above this share of their squared mean are not constant, whatever digits
# the difference of two sums has lost.
_MAYBE_CONSTANT = 1e-10


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
    rounding = moments.weight * (_ROUNDINGS * FLOAT64_EPSILON * moments.y_mean) ** 2
    if not rows.intercept or (moments.y_squares > rounding).all():
        return np.zeros(0, dtype=np.intp)
    ends = np.concatenate(rows.reduce(lambda block: [block.y.min(axis=0), block.y.max(axis=0)]))
    ends = ends.reshape(-1, moments.y_mean.size)
    return np.nonzero(ends.min(axis=0) == ends.max(axis=0))[0]


def constant_by_cross_sums(rows: Rows, sums: CrossSums) -> list[int]:
    """Indices of the targets that are the same number in all rows, from sums about zero.

    The rows are read only if some target may be constant: by such sums, if its variance is below
    1e-10 of the square of its mean.

    Parameters
    ----------
    rows : Rows
        Rows with targets of shape (n,) or (n, m).
    sums : CrossSums
        Of the rows, about zero.
    """
    squares = sums.y**2
    if (sums.y_squares * rows.total_weight - squares > _MAYBE_CONSTANT * squares).all():
        return []

    def ends(block: RowBlock) -> list[Array]:
        y = np.asarray(block.y, dtype=np.float64).reshape(block.X.n_rows, -1)
        return [y.min(axis=0), y.max(axis=0)]

    values = np.array(rows.reduce(ends))
    return np.nonzero(values.min(axis=0) == values.max(axis=0))[0].tolist()


def with_constant_columns(solution: Solution[Any], rows: Rows) -> Solution[Any]:
    """The solution with ``constant``: which of its dependent columns repeat the intercept.

    The rows are read only if columns depend on each other, there is an intercept, and the solver
    does not know.
    """
    columns = list(solution.columns)
    known = bool(solution.constant) or not (columns and rows.intercept)
    if solution.status is not Status.RANK_DEFICIENT or known:
        return solution

    def ends(block: RowBlock) -> list[Array]:
        X = block.X.X[:, columns]
        X = X.toarray() if sparse.issparse(X) else np.asarray(X)
        return [X.min(axis=0), X.max(axis=0)]

    values = np.array(rows.reduce(ends))
    constant = np.nonzero(values.min(axis=0) == values.max(axis=0))[0]
    return replace(solution, constant=tuple(columns[j] for j in constant))


def with_constant_columns_of_sums(
    solution: Solution[LeastSquares], *, intercept: bool
) -> Solution[LeastSquares]:
    """As :func:`with_constant_columns`, where no row can be read again.

    Constant are dependent columns that vary about their mean by no more than rounding errors.
    """
    if solution.status is not Status.RANK_DEFICIENT or not (solution.columns and intercept):
        return solution
    columns = np.array(solution.columns, dtype=np.intp)
    moments = solution.value.moments
    rounding = moments.weight * (_ROUNDINGS * FLOAT64_EPSILON * moments.x_mean) ** 2
    constant = columns[(moments.x_squares <= rounding)[columns]]
    return replace(solution, constant=tuple(constant.tolist()))
