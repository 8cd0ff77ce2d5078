"""Whether a Hessian is positive definite, by its least eigenvalue once its diagonal is one."""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array

# Eigenvalues up to this, of a Hessian with unit diagonal, are only rounding errors.
_ROUNDING = 1e-12


def least_scaled_eigenvalue(hessian: Array) -> float:
    """The least eigenvalue of ``H / √(|hᵢᵢ||hⱼⱼ|)``; it does not depend on the scales of columns.

    Parameters
    ----------
    hessian : ndarray of shape (n, n)
        H, symmetric. Rows whose diagonal entry is zero are not scaled.

    Returns
    -------
    float
        NaN when an entry of H is not finite.
    """
    if not np.isfinite(hessian).all():
        return np.nan
    size = np.sqrt(np.abs(np.diagonal(hessian)))
    size = np.where(size > 0, size, 1.0)
    return float(np.linalg.eigvalsh(hessian / np.outer(size, size))[0])


def is_positive(least: float) -> bool:
    """Whether a least scaled eigenvalue is positive by more than rounding."""
    return least > _ROUNDING
