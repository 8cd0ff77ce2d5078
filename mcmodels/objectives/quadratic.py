"""The linear least-squares objective from moments, without the rows.

With r̄ = x̄ᵀβ + b - ȳ, the sum of squares ``Σ wᵢ (yᵢ - x̃ᵢᵀθ)²`` about the means is

================  ==========================================================
objective         ``Syy - 2βᵀSxy + βᵀSxxβ + W r̄²``
gradient          ``2(Sxxβ - Sxy) + 2W r̄ x̄`` for β, ``2W r̄`` for b
Hessian           ``2X̃ᵀWX̃ = 2[[Sxx + W x̄x̄ᵀ, W x̄], [W x̄ᵀ, W]]`` for each target
================  ==========================================================
"""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows import FactoredMoments, Moments


class QuadraticObjective:
    """Gradient and Hessian of the squared error from the moments of (x, y).

    Parameters
    ----------
    moments : Moments or FactoredMoments
        About the mean with an intercept, about the origin without.
    intercept : bool
        Whether params end in an intercept.
    """

    def __init__(self, moments: Moments | FactoredMoments, *, intercept: bool) -> None:
        self.moments = moments
        self.intercept = intercept

    def gradient(self, params: Array) -> Array:
        """Gradient at params of shape (m, P), the same shape."""
        moments = self.moments
        coef = params[:, : moments.n_features]
        gradient = 2.0 * (moments.scatter_times(coef.T) - moments.Sxy).T
        if not self.intercept:
            return gradient
        slope = 2.0 * moments.weight * (coef @ moments.x_mean + params[:, -1] - moments.y_mean)
        return np.column_stack([gradient + np.outer(slope, moments.x_mean), slope])

    def hessian_of_one_target(self) -> Array:
        """``2X̃ᵀWX̃``, shape (P, P), the same for each target."""
        weight, mean = self.moments.weight, self.moments.x_mean
        raw = self.moments.Sxx + weight * np.outer(mean, mean)
        if not self.intercept:
            return 2.0 * raw
        whole = np.empty((mean.size + 1, mean.size + 1))
        whole[:-1, :-1] = raw
        whole[-1, :-1] = whole[:-1, -1] = weight * mean
        whole[-1, -1] = weight
        whole *= 2.0
        return whole
