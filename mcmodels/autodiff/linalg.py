"""Functions of matrices of ``scipy.linalg`` that can be differentiated.

SciPy converts its arguments to plain arrays, so that calls of ``scipy.linalg`` cannot be followed.
The functions here have its names, its arguments and its values; ``numpy.linalg`` may be called
directly. ``cholesky``, ``cho_factor``, ``eigh`` and ``eigvalsh`` are functions of a symmetric
matrix: their derivatives are those of its symmetric part.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import scipy.linalg as sl

from mcmodels.autodiff.rules.linear_algebra import transposed
from mcmodels.autodiff.rules.scipy_matrices import banded_to_full
from mcmodels.autodiff.tables import call, shape_of
from mcmodels.autodiff.tracing import NoRuleError, constant

__all__ = [
    "block_diag",
    "cho_factor",
    "cho_solve",
    "cholesky",
    "circulant",
    "cosm",
    "det",
    "eigh",
    "eigvalsh",
    "expm",
    "hankel",
    "inv",
    "logm",
    "lu",
    "lu_factor",
    "lu_solve",
    "sinm",
    "solve",
    "solve_banded",
    "solve_continuous_lyapunov",
    "solve_discrete_lyapunov",
    "solve_sylvester",
    "solve_toeplitz",
    "solve_triangular",
    "sqrtm",
    "svd",
    "svdvals",
    "toeplitz",
]


# ---- factorisations -----------------------------------------------------------------------------


def cholesky(a: Any, lower: bool = False) -> Any:
    """The triangular factor of a positive definite matrix: ``a = UᵀU``, or ``a = LLᵀ``.

    Parameters
    ----------
    a : array-like of shape (n, n)
        The matrix; only its upper (lower) triangle is read.
    lower : bool, default=False
        Whether L is returned, instead of U.

    Returns
    -------
    ndarray of shape (n, n)
    """
    return call("cholesky", a) if lower else transposed(call("cholesky", transposed(a)))


def cho_factor(a: Any, lower: bool = False) -> tuple[Any, bool]:
    """The factor of :func:`cholesky`, and which it is, for :func:`cho_solve`.

    Parameters
    ----------
    a, lower
        As for :func:`cholesky`.

    Returns
    -------
    c : ndarray of shape (n, n)
        The factor. Its other triangle is 0, where SciPy leaves it undefined.
    lower : bool
        As passed in.
    """
    return cholesky(a, lower), lower


def cho_solve(c_and_lower: tuple[Any, bool], b: Any) -> Any:
    """``a⁻¹b`` for a matrix of which :func:`cho_factor` gave the factor.

    Parameters
    ----------
    c_and_lower : tuple
        What :func:`cho_factor` returned.
    b : array-like of shape (n,) or (n, k)
        Right-hand sides.

    Returns
    -------
    ndarray, the shape of b
    """
    c, lower = c_and_lower
    inner = solve_triangular(c, b, trans=0 if lower else 1, lower=lower)
    return solve_triangular(c, inner, trans=1 if lower else 0, lower=lower)


def lu_factor(a: Any) -> tuple[Any, Any]:
    """The factors of ``PA = LU`` in one array, and the exchanges of rows, for :func:`lu_solve`.

    Parameters
    ----------
    a : array-like of shape (n, n)
        The matrix.

    Returns
    -------
    lu : ndarray of shape (n, n)
        U, and below the diagonal L, whose diagonal is 1.
    piv : ndarray of int of shape (n,)
        Row k was exchanged with row ``piv[k]``; a constant.
    """
    m, n = shape_of(a)
    if m != n:
        raise NoRuleError(f"linalg.lu_factor has a rule for square matrices; found ({m}, {n}).")
    piv = sl.lu_factor(constant(a))[1]
    return call("lu", a[_order_of(piv)]), piv


def lu_solve(lu_and_piv: tuple[Any, Any], b: Any, trans: int = 0) -> Any:
    """``A⁻¹b`` for a matrix of which :func:`lu_factor` gave the factors.

    Parameters
    ----------
    lu_and_piv : tuple
        What :func:`lu_factor` returned.
    b : array-like of shape (n,) or (n, k)
        Right-hand sides.
    trans : {0, 1}, default=0
        With 1, ``A⁻ᵀb``.

    Returns
    -------
    ndarray, the shape of b
    """
    factors, piv = lu_and_piv
    order = _order_of(piv)
    if trans == 0:
        inner = solve_triangular(factors, b[order], lower=True, unit_diagonal=True)
        return solve_triangular(factors, inner)
    inner = solve_triangular(factors, b, trans=1)
    inner = solve_triangular(factors, inner, trans=1, lower=True, unit_diagonal=True)
    return inner[np.argsort(order)]


def lu(a: Any) -> tuple[Any, Any, Any]:
    """The factors of ``A = PLU``.

    Parameters
    ----------
    a : array-like of shape (n, n)
        The matrix.

    Returns
    -------
    p, l, u : ndarray of shape (n, n)
        The permutation, a constant, and the triangular factors.
    """
    factors, piv = lu_factor(a)
    n = shape_of(a)[0]
    P = np.eye(n)[_order_of(piv)].T
    return P, call("tril", factors, k=-1) + np.eye(n), call("triu", factors)


def _order_of(piv: Any) -> Any:
    """The order of rows that a sequence of exchanges leads to."""
    order = np.arange(len(piv))
    for k, other in enumerate(piv):
        order[[k, other]] = order[[other, k]]
    return order


def eigh(a: Any, b: Any = None, *, lower: bool = True, eigvals_only: bool = False) -> Any:
    """Eigenvalues and eigenvectors of a symmetric matrix: ``a v = w v``, or ``a v = w b v``.

    Parameters
    ----------
    a : array-like of shape (n, n)
        The matrix; only its lower (upper) triangle is read.
    b : array-like of shape (n, n), optional
        A positive definite matrix; then ``vᵀbv = 1``.
    lower : bool, default=True
        Which triangle of a and b is read.
    eigvals_only : bool, default=False
        Whether only the eigenvalues are returned.

    Returns
    -------
    w : ndarray of shape (n,)
        The eigenvalues, in ascending order.
    v : ndarray of shape (n, n)
        The eigenvectors, as columns. Their signs may differ from SciPy's.
    """
    uplo: Literal["L", "U"] = "L" if lower else "U"
    if b is None:
        return np.linalg.eigvalsh(a, uplo) if eigvals_only else tuple(np.linalg.eigh(a, uplo))
    L = cholesky(b, lower=True) if lower else transposed(cholesky(b))
    half = call("solve_triangular", L, _mirrored(a, lower), lower=True)
    inner = call("solve_triangular", L, transposed(half), lower=True)
    inner = 0.5 * (inner + transposed(inner))
    if eigvals_only:
        return np.linalg.eigvalsh(inner)
    w, v = np.linalg.eigh(inner)
    return w, call("solve_triangular", transposed(L), v)


def _mirrored(a: Any, lower: bool) -> Any:
    """The symmetric matrix that one triangle stands for, if the other differs from it."""
    values = np.asarray(constant(a))
    if np.array_equal(values, values.T):
        return a
    half = call("tril", a, k=-1) if lower else call("triu", a, k=1)
    return half + transposed(half) + np.diag(np.diagonal(a))


def eigvalsh(a: Any, b: Any = None, *, lower: bool = True) -> Any:
    """Eigenvalues of a symmetric matrix, in ascending order.

    Parameters
    ----------
    a, b, lower
        As for :func:`eigh`.

    Returns
    -------
    ndarray of shape (n,)
    """
    return eigh(a, b, lower=lower, eigvals_only=True)


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """The singular value decomposition ``a = U diag(s) Vᵀ``.

    Parameters
    ----------
    a : array-like of shape (m, n)
        The matrix.
    full_matrices : bool, default=True
        Has a rule with False only, unless a is square.
    compute_uv : bool, default=True
        Whether U and Vᵀ are returned, too.

    Returns
    -------
    U, s, Vt : ndarray
        s alone without ``compute_uv``.
    """
    if not compute_uv:
        return np.linalg.svd(a, compute_uv=False)
    return tuple(np.linalg.svd(a, full_matrices=full_matrices))


def svdvals(a: Any) -> Any:
    """The singular values of a matrix, in descending order."""
    return np.linalg.svd(a, compute_uv=False)


# ---- equations ----------------------------------------------------------------------------------


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


# ---- functions of matrices ----------------------------------------------------------------------


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
    """The square root of a square matrix without eigenvalues that are negative or 0."""
    return call("sqrtm", A)


def cosm(A: Any) -> Any:
    """The cosine of a square matrix."""
    return call("cosm", A)


def sinm(A: Any) -> Any:
    """The sine of a square matrix."""
    return call("sinm", A)


# ---- matrices of a form -------------------------------------------------------------------------


def toeplitz(c: Any, r: Any = None) -> Any:
    """The matrix with constant diagonals that has the first column c and the first row r.

    Parameters
    ----------
    c : array-like of shape (m,)
        The first column.
    r : array-like of shape (n,), optional
        The first row; c by default. Its first entry is not read.

    Returns
    -------
    ndarray of shape (m, n)
    """
    c = np.ravel(c)
    r = c if r is None else np.ravel(r)
    m, n = shape_of(c)[0], shape_of(r)[0]
    entries = np.concatenate([r[:0:-1], c])
    return entries[np.arange(m)[:, np.newaxis] - np.arange(n) + n - 1]


def hankel(c: Any, r: Any = None) -> Any:
    """The matrix with constant antidiagonals that has the first column c and the last row r.

    Parameters
    ----------
    c : array-like of shape (m,)
        The first column.
    r : array-like of shape (n,), optional
        The last row; zeros by default. Its first entry is not read.

    Returns
    -------
    ndarray of shape (m, n)
    """
    c = np.ravel(c)
    r = np.zeros(shape_of(c)) if r is None else np.ravel(r)
    entries = np.concatenate([c, r[1:]])
    return entries[np.arange(shape_of(c)[0])[:, np.newaxis] + np.arange(shape_of(r)[0])]


def circulant(c: Any) -> Any:
    """The matrix whose columns are c, each shifted down by one more than the column before it."""
    c = np.ravel(c)
    n = shape_of(c)[0]
    return c[(np.arange(n)[:, np.newaxis] - np.arange(n)) % n]


def block_diag(*arrs: Any) -> Any:
    """The matrix with the given matrices along its diagonal, and zeros elsewhere."""
    blocks = [np.atleast_2d(block) for block in arrs]
    widths = [shape_of(block)[1] for block in blocks]
    rows = []
    for k, block in enumerate(blocks):
        height, before = shape_of(block)[0], sum(widths[:k])
        after = sum(widths) - before - widths[k]
        parts = [np.zeros((height, before)), block, np.zeros((height, after))]
        rows.append(np.concatenate(parts, axis=1))
    return np.concatenate(rows, axis=0)
