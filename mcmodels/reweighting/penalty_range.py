"""Which penalties a search looks at: from those that change nothing to those that leave nothing."""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.objectives.linear_predictor import Total
from mcmodels.reweighting.penalised_fit import Groups
from mcmodels.rows import RowBlock
from mcmodels.solvers.coordinates import shifted_coordinates
from mcmodels.solvers.fit_state import Placed

__all__ = ["range_of_penalties"]

# Bounds of the penalties, relative to the curvature that columns have at the start: that of the
# column with least, and of all together.
_LEAST, _LARGEST = 1e-8, 1e4
# The variance that predictors of a group have under the prior of the first penalty.
_FIRST_VARIANCE = 2.0
# Rows that are enough to know curvatures by, where there are many.
_SAMPLE = 20_000


def range_of_penalties(
    objective: LinearPredictorObjective, start: Array, groups: Groups
) -> tuple[Array, Array, Array]:
    """Bounds of ``log αₖ``, and where to begin.

    Below the lower bound a penalty changes hardly any coefficient, above the upper bound all are
    nearly zero. The first penalty does not depend on the number of rows: a normal prior of variance
    ``1/α`` gives predictors the variance ``Σⱼ Var(xⱼ)/α``.
    """
    placed = Placed(objective, shifted_coordinates(objective))
    inner, params = placed.inner, placed.from_users(start)

    def summarise(block: RowBlock) -> Total:
        at = inner.loss.at(block.y, block.linear_predictor(params))
        weights = np.zeros(block.X.n_rows)
        for pairs, sign, size in at.curvature():
            weights += sign * size * sum(k == j for k, j in pairs)
        weights = block.weighted(np.maximum(weights, 0.0))
        X = block.X
        return Total([X.square_sums(weights), X.products(weights), float(weights.sum())])

    sample = inner.rows if inner.rows.walks_are_costly else inner.rows.sample(_SAMPLE)
    share = sample.total_weight / inner.rows.total_weight
    squares, sums, total = (part / share for part in sample.reduce(summarise).parts)
    if inner.rows.intercept and total > 0:
        squares = np.maximum(squares - sums**2 / total, 0.0)
    K = 1 if params.ndim == 1 else len(params)
    curvatures, total = squares / K, total / K
    lowest, highest, first = (np.zeros(groups.count) for _ in range(3))
    for k in range(groups.count):
        of_group = curvatures[groups.of_column == k]
        some = of_group[of_group > 0]
        if some.size == 0:
            some = curvatures[curvatures > 0]
        if some.size == 0:
            some = np.ones(1)
        lowest[k], highest[k] = _LEAST * some.min(), _LARGEST * some.sum()
        first[k] = some.sum() / (_FIRST_VARIANCE * total) if total > 0 else highest[k]
    bounds = np.log(lowest), np.log(highest)
    return *bounds, np.clip(np.log(first), *bounds)
