"""Averages of predictions over rows, with intervals.

With the mean ``m(θ) = Σ wᵢ μ(ηᵢ) / Σ wᵢ``, its gradient is ``g = Σ wᵢ μ'(ηᵢ) x̃ᵢ / Σ wᵢ`` and its
standard error ``s = √(gᵀVg)`` (the delta method). The interval is computed on the scale of the
link, ``μ(μ⁻¹(m) ± q s/μ'(μ⁻¹(m)))``, so that it stays among the means. For one row it is that of
the linear predictor, mapped.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mcmodels.arrays import Array
from mcmodels.inference.estimate import Estimate
from mcmodels.objectives.links import Link
from mcmodels.rows import RowBlock, Rows

__all__ = ["average_predictions"]


def average_predictions(
    estimate: Estimate, link: Link, samples: Iterable[Rows], quantile: float
) -> Array:
    """The average over each sample of rows, shape (k, 4): value, standard error, lower, upper.

    Parameters
    ----------
    estimate : Estimate
        The parameters of one output.
    link : Link
        Means as functions of the linear predictor.
    samples : iterable of Rows
        The rows of each average; those of weight 0 do not count.
    quantile : float
        q.
    """
    found = [_average(estimate.params, link, rows) for rows in samples]
    values = np.array([value for value, _ in found])
    jacobian = np.array([gradient for _, gradient in found])
    names = tuple(map(str, range(len(found))))
    errors = estimate.image(jacobian, values, names).standard_errors
    eta = link.predictor(values)
    reach = quantile * errors / np.abs(link.slopes(eta)[0])
    ends = np.sort([link.mean(eta - reach), link.mean(eta + reach)], axis=0)
    return np.column_stack([values, errors, *ends])


def _average(params: Array, link: Link, rows: Rows) -> tuple[float, Array]:
    def sums(block: RowBlock) -> Array:
        eta, weights = block.linear_predictor(params), block.weights_or_ones
        slopes = block.X.adjoint(weights * link.slopes(eta)[0])
        return np.concatenate([[weights.sum(), weights @ link.mean(eta)], slopes])

    total = rows.reduce(sums)
    return float(total[1] / total[0]), total[2:] / total[0]
