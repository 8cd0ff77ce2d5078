"""Hessians that are made definite, for the quadratic models of steps."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.tolerances import factorisation_error

__all__ = ["factor_of", "of_absolute_eigenvalues", "slightly_raised"]

# Eigenvalues of a Hessian that is not definite are raised to this share of the largest.
_LEAST_SHARE = 1e-6


def factor_of(B: Array) -> ScaledCholesky | None:
    """A Cholesky factor of a symmetric matrix; None if it is not definite."""
    return ScaledCholesky.of(B, np.sqrt(np.clip(np.diagonal(B), 0.0, None)))


def of_absolute_eigenvalues(B: Array) -> Array:
    """B with the eigenvalues |λ|: Nocedal and Wright (2006), §3.4."""
    values, V = linalg.eigh(B)
    size = np.abs(values)
    found: Array = (V * np.maximum(size, _LEAST_SHARE * size.max())) @ V.T
    return found


def slightly_raised(B: Array) -> Array:
    """B, with eigenvalues that exceed its rounding errors if it is semidefinite."""
    largest = float(np.abs(np.diagonal(B)).max(initial=0.0)) or 1.0
    raised: Array = B + factorisation_error(len(B)) * len(B) * largest * np.eye(len(B))
    return raised
