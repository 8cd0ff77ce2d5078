"""Functions of square matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.tables import call

__all__ = [
    "cosm",
    "det",
    "expm",
    "inv",
    "logm",
    "sinm",
    "sqrtm",
]


def inv(a: Any) -> Any:
    """The inverse of a matrix."""
    return np.linalg.inv(a)


def det(a: Any) -> Any:
    """The determinant of a matrix."""
    return np.linalg.det(a)


def expm(A: Any) -> Any:
    """``Σ Aᵏ/k!``, the exponential of a square matrix."""
    return call("expm", A)


def logm(A: Any) -> Any:
    """The logarithm of a square matrix without eigenvalues that are negative or 0."""
    return call("logm", A)


def sqrtm(A: Any) -> Any:
    """The square root of a square matrix; complex if it has negative eigenvalues."""
    return call("sqrtm", A)


def cosm(A: Any) -> Any:
    """The cosine of a square matrix."""
    return call("cosm", A)


def sinm(A: Any) -> Any:
    """The sine of a square matrix."""
    return call("sinm", A)
