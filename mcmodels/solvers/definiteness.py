"""What a Hessian says of a point: whether it is definite, and whether a critical point is near."""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array

# Eigenvalues up to this, of a Hessian with unit diagonal, are only rounding errors.
_ROUNDING = 1e-12
# Eigenvalues below this share of the largest count as zero.
_ZERO = 1e-8
# A step below this share of the parameters leads to a point that counts as the same.
_SHORT_STEP = 1e-3


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


def decrease_to_critical(hessian: Array, gradient: Array, params: Array) -> float:
    """What Newton's step changes the objective by, summed without signs over the eigenvectors.

    ``Σ (vᵀg)² / 2|λ|``, over those along which the step ``|vᵀg| / |λ|`` is not short beside the
    parameters; ``|vᵀg|`` times their length where λ is zero. At a critical point it is zero. Where
    an objective falls like ``exp(-t)`` for ever, it stays half of the objective.

    Parameters
    ----------
    hessian : ndarray of shape (n, n)
        H, symmetric and finite.
    gradient : ndarray of shape (n,)
        g.
    params : ndarray of shape (n,)
        The parameters; their length counts as 1 if it is less.
    """
    length = max(float(np.linalg.norm(params)), 1.0)
    values, V = np.linalg.eigh(hessian)
    sizes, along = np.abs(values), np.abs(V.T @ gradient)
    real = sizes > _ZERO * sizes.max(initial=0.0)
    long = along > _SHORT_STEP * length * sizes
    decrease = along**2 / (2 * np.where(real, sizes, 1.0))
    return float(np.where(real, decrease, along * length)[long].sum())
