"""Linear equations, of SciPy's forms of matrices, and equations for matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.linalg.patterns import mirrored, toeplitz
from mcmodels.autodiff.rules.linear_algebra import transposed
from mcmodels.autodiff.rules.scipy_matrices import banded_to_full
from mcmodels.autodiff.tables import call, shape_of
from mcmodels.autodiff.tracing import constant

__all__ = [
    "solve",
    "solve_banded",
    "solve_continuous_lyapunov",
    "solve_discrete_lyapunov",
    "solve_sylvester",
    "solve_toeplitz",
    "solve_triangular",
]


# What SciPy reads of a matrix, by its names; its short names stand for the long ones.
_SHORT = {"gen": "general", "sym": "symmetric", "her": "hermitian", "pos": "positive definite"}
_OF_A_TRIANGLE = ("symmetric", "hermitian", "positive definite")
_OF_A_PART = ("diagonal", "tridiagonal", "upper triangular", "lower triangular")
_STRUCTURES = ("general", "banded", *_OF_A_PART, *_OF_A_TRIANGLE)


def solve(
    a: Any,
    b: Any,
    lower: bool = False,
    *,
    assume_a: str | None = None,
    transposed: bool = False,
) -> Any:
    """``a⁻¹b``.

    Parameters
    ----------
    a : array-like of shape (n, n)
        The matrix.
    b : array-like of shape (n,) or (n, k)
        Right-hand sides.
    lower : bool, default=False
        Which triangle of a symmetric matrix is read.
    assume_a : str, optional
        The structure of a, by SciPy's names: only the part of a that it names is read.
        ``"diagonal"``, ``"tridiagonal"``, ``"upper triangular"``, ``"lower triangular"``;
        ``"symmetric"`` (``"sym"``), ``"hermitian"`` (``"her"``) and ``"positive definite"``
        (``"pos"``): one triangle, which is mirrored. For ``"general"`` (``"gen"``), ``"banded"``
        and None it is the whole matrix.
    transposed : bool, default=False
        Whether ``a⁻ᵀb`` is wanted.

    Returns
    -------
    ndarray, the shape of b

    Raises
    ------
    ValueError
        For another ``assume_a``.
    numpy.linalg.LinAlgError
        For a singular matrix, and for one that is said to be positive definite, and is not.

    Notes
    -----
    Of a matrix that is symmetric, both triangles are read, as by :func:`eigh`: its derivative is
    that of a general matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [0.5, 3.0]])
    >>> b = np.array([1.0, 2.0])
    >>> grad(lambda A: linalg.solve(A, b)[0])(A).round(6)
    array([[-0.099174, -0.347107],
           [ 0.033058,  0.115702]])
    """
    structure = "general" if assume_a is None else _SHORT.get(assume_a, assume_a)
    if structure not in _STRUCTURES:
        raise ValueError(
            f"linalg.solve: assume_a must be None or one of {', '.join(_STRUCTURES)}; found "
            f"{assume_a!r}."
        )
    if structure in _OF_A_TRIANGLE:
        a = mirrored(a, lower)
        if structure == "positive definite":
            np.linalg.cholesky(constant(a))  # raises an error if it is not
    elif structure == "upper triangular":
        a = call("triu", a)
    elif structure == "lower triangular":
        a = call("tril", a)
    elif structure in ("diagonal", "tridiagonal"):
        width = 0 if structure == "diagonal" else 1
        a = call("triu", call("tril", a, k=width), k=-width)
    return np.linalg.solve(np.swapaxes(a, -1, -2) if transposed else a, b)


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

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [0.5, 3.0]])
    >>> b = np.array([1.0, 2.0])
    >>> grad(lambda b: linalg.solve_triangular(A, b)[0])(b).round(6)
    array([ 0.5     , -0.166667])
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

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> bands = np.array([[0.0, 1.0], [2.0, 3.0]])  # of [[2, 1], [0, 3]]
    >>> b = np.array([1.0, 2.0])
    >>> grad(lambda b: linalg.solve_banded((0, 1), bands, b)[0])(b).round(6)
    array([ 0.5     , -0.166667])
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

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> b = np.array([1.0, 2.0])
    >>> grad(lambda c: linalg.solve_toeplitz(c, b)[0])(np.array([2.0, 1.0])).round(6)
    array([ 0.333333, -0.666667])
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

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [0.5, 3.0]])
    >>> X = linalg.solve_sylvester(A, A, np.eye(2))
    >>> np.allclose(A @ X + X @ A, np.eye(2))
    True
    >>> grad(lambda a: np.trace(linalg.solve_sylvester(a, A, np.eye(2))))(A).round(6)
    array([[-0.078512,  0.020661],
           [ 0.041322, -0.03719 ]])
    """
    return call("solve_sylvester", a, b, q)


def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    """The solution X of ``aX + Xaᵀ = q``, for a and q of shape (n, n).

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [0.5, 3.0]])
    >>> X = linalg.solve_continuous_lyapunov(A, np.eye(2))
    >>> np.allclose(A @ X + X @ A.T, np.eye(2))
    True
    >>> grad(lambda q: np.trace(linalg.solve_continuous_lyapunov(A, q)))(np.eye(2)).round(6)
    array([[ 0.268182, -0.072727],
           [-0.072727,  0.190909]])
    """
    return call("solve_sylvester", a, transposed(a), q)


def solve_discrete_lyapunov(a: Any, q: Any) -> Any:
    """The solution X of ``aXaᵀ - X + q = 0``, for a and q of shape (n, n).

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> a = np.array([[0.5, 0.1], [0.0, 0.2]])
    >>> X = linalg.solve_discrete_lyapunov(a, np.eye(2))
    >>> np.allclose(X - a @ X @ a.T, np.eye(2))
    True
    >>> grad(lambda a: np.trace(linalg.solve_discrete_lyapunov(a, np.eye(2))))(a).round(6)
    array([[1.80727 , 0.339506],
           [0.110168, 0.458248]])
    """
    return call("solve_discrete_lyapunov", a, q)
