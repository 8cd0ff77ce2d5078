"""PCA's objective: the variance along directions of unit length, with Lagrange multipliers.

For k directions vⱼ and multipliers λⱼ, with S the sample covariance:

================  ==================================================
objective         ``L(V) = Σⱼ [vⱼᵀSvⱼ - λⱼ(vⱼᵀvⱼ - 1)]``
gradient          ``2Svⱼ - 2λⱼvⱼ``, zero at a component
Hessian           block diagonal, ``2(S - λⱼI)``
Hessian-vector    ``2Suⱼ - 2λⱼuⱼ``
================  ==================================================

Source: Jolliffe (2002), *Principal Component Analysis*, 2nd ed., §1.1.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.rows import Covariance


class VarianceLagrangian:
    """Value and derivatives of the Lagrangian of the leading directions of variance.

    Parameters
    ----------
    covariance : Covariance
        S; it is formed as a matrix only for a Hessian.
    multipliers : ndarray of shape (k,)
        λ, one for each direction.
    """

    def __init__(self, covariance: Covariance, multipliers: Array) -> None:
        self.covariance = covariance
        self.multipliers = multipliers

    def value(self, params: Array) -> float:
        """L at directions of shape (k, p)."""
        with np.errstate(over="ignore", invalid="ignore"):
            value = self._quadratic(params) + float(np.sum(self.multipliers))
        if np.isfinite(value):
            return value
        size = float(np.abs(params).max())  # the squares have overflowed
        return self._quadratic(params / size) * size * size

    def _quadratic(self, V: Array) -> float:
        """``Σⱼ [vⱼᵀSvⱼ - λⱼvⱼᵀvⱼ]``."""
        variance = np.einsum("kp,kp->k", V, self.covariance.apply(V))
        return float(np.sum(variance - self.multipliers * np.einsum("kp,kp->k", V, V)))

    def gradient(self, params: Array) -> Array:
        """Gradient, shape (k, p)."""
        return self.hessian_vector_product(params, params)

    def hessian(self, params: Array) -> Array:
        """Hessian over the raveled directions, shape (k·p, k·p)."""
        return linalg.block_diag(*self.hessian_blocks()) if len(params) else np.zeros((0, 0))

    def hessian_blocks(self) -> Array:
        """The diagonal blocks ``2(S - λⱼI)``, shape (k, p, p)."""
        S = self.covariance.matrix()
        return 2.0 * (S - self.multipliers[:, np.newaxis, np.newaxis] * np.eye(S.shape[0]))

    def hessian_vector_product(self, params: Array, vector: Array) -> Array:
        """``2Suⱼ - 2λⱼuⱼ`` for directions u of shape (k, p)."""
        return 2.0 * (self.covariance.apply(vector) - self.multipliers[:, np.newaxis] * vector)
