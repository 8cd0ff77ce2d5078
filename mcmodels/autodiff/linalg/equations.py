"""Linear equations, of SciPy's forms of matrices, and equations for matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.linalg.patterns import toeplitz
from mcmodels.autodiff.rules.linear_algebra import transposed
from mcmodels.autodiff.rules.scipy_matrices import banded_to_full
from mcmodels.autodiff.tables import call, shape_of

__all__ = [
    "solve",
    "solve_banded",
    "solve_continuous_lyapunov",
    "solve_discrete_lyapunov",
    "solve_sylvester",
    "solve_toeplitz",
    "solve_triangular",
]


def solve(a: Any, b: Any, *, assume_a: str | None = None, transposed: bool = False) -> Any:
    """``a⁻¹b``.

    Parameters
    ----------
    a : array-like of shape (n, n)
        The matrix. Both triangles are read, whatever ``assume_a`` is.
    b : array-like of shape (n,) or (n, k)
        Right-hand sides.
    assume_a : str, optional
        SciPy's hint at the structure of a. It has no effect here.
    transposed : bool, default=False
        Whether ``a⁻ᵀb`` is wanted.

    Returns
    -------
    ndarray, the shape of b
    """
    return np.linalg.solve(np.transpose(a) if transposed else a, b)


def solve_triangular(
    a: Any, b: Any, trans: int | str = 0, lower: bool = False, unit_diagonal: bool = False
) -> Any:
    """``a⁻¹b`` for a triangular matrix.

    Parameters
    ----------
    a : array-like of shape (n, n)
        The matrix; its other triangle is not read.
    b : array-like of shape (n,) or (n, k)
        Right-hand sides.
    trans : {0, 1, "N", "T"}, default=0
        With 1 or "T", ``a⁻ᵀb``.
    lower : bool, default=False
        Whether a is lower triangular.
    unit_diagonal : bool, default=False
        Whether the diagonal is taken to be 1, and not read.

    Returns
    -------
    ndarray, the shape of b
    """
    if trans not in (0, 1, "N", "T"):
        raise ValueError(f"solve_triangular: trans must be 0, 1, 'N' or 'T'; found {trans!r}.")
    a, lower = (transposed(a), not lower) if trans in (1, "T") else (a, lower)
    column = len(shape_of(b)) == 1
    right = np.reshape(b, (-1, 1)) if column else b
    found = call("solve_triangular", a, right, lower=bool(lower), unit=bool(unit_diagonal))
    return found[..., 0] if column else found


def solve_banded(l_and_u: tuple[int, int], ab: Any, b: Any) -> Any:
    """``A⁻¹b`` for a matrix with few diagonals.

    Parameters
    ----------
    l_and_u : (int, int)
        Numbers of diagonals below and above the main one.
    ab : array-like of shape (l + u + 1, n)
        The diagonals: ``ab[u + i - j, j] = A[i, j]``.
    b : array-like of shape (n,) or (n, k)
        Right-hand sides.

    Returns
    -------
    ndarray, the shape of b
        Computed with the full matrix.
    """
    lower, upper = l_and_u
    if shape_of(ab)[0] != lower + upper + 1:
        raise ValueError(
            f"solve_banded: ab must have l + u + 1 = {lower + upper + 1} rows; found shape "
            f"{shape_of(ab)}."
        )
    return np.linalg.solve(banded_to_full(ab, lower, upper), b)


def solve_toeplitz(c_or_cr: Any, b: Any) -> Any:
    """``T⁻¹b`` for the matrix T of :func:`toeplitz`.

    Parameters
    ----------
    c_or_cr : array-like of shape (n,), or a pair of them
        The first column of T, or its first column and first row.
    b : array-like of shape (n,) or (n, k)
        Right-hand sides.

    Returns
    -------
    ndarray, the shape of b
        Computed with the full matrix.
    """
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    return np.linalg.solve(toeplitz(c, r), b)


def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """The solution X of ``aX + Xb = q``.

    Parameters
    ----------
    a : array-like of shape (m, m)
    b : array-like of shape (n, n)
    q : array-like of shape (m, n)

    Returns
    -------
    ndarray of shape (m, n)
    """
    return call("solve_sylvester", a, b, q)


def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    """The solution X of ``aX + Xaᵀ = q``, for a and q of shape (n, n)."""
    return call("solve_sylvester", a, transposed(a), q)


def solve_discrete_lyapunov(a: Any, q: Any) -> Any:
    """The solution X of ``aXaᵀ - X + q = 0``, for a and q of shape (n, n)."""
    return call("solve_discrete_lyapunov", a, q)
