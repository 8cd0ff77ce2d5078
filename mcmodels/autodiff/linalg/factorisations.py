"""Factorisations of matrices, and what is solved by them."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import scipy.linalg as sl

from mcmodels.autodiff.linalg.equations import solve_triangular
from mcmodels.autodiff.linalg.patterns import mirrored
from mcmodels.autodiff.rules.linear_algebra import transposed
from mcmodels.autodiff.tables import call, shape_of
from mcmodels.autodiff.tracing import NoRuleError, constant

__all__ = [
    "cho_factor",
    "cho_solve",
    "cholesky",
    "eigh",
    "eigvalsh",
    "lu",
    "lu_factor",
    "lu_solve",
    "svd",
    "svdvals",
]


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

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> grad(lambda A: linalg.cholesky(A)[1, 1])(A).round(6)
    array([[ 0.079057, -0.158114],
           [-0.158114,  0.316228]])
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

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> b = np.array([1.0, 2.0])
    >>> grad(lambda A: linalg.cho_solve(linalg.cho_factor(A), b)[0])(A).round(6)
    array([[-0.12, -0.16],
           [-0.16,  0.12]])
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

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> b = np.array([1.0, 2.0])
    >>> grad(lambda b: linalg.cho_solve(linalg.cho_factor(A), b)[0])(b).round(6)
    array([ 0.6, -0.2])
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

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [0.5, 3.0]])
    >>> b = np.array([1.0, 2.0])
    >>> grad(lambda A: linalg.lu_solve(linalg.lu_factor(A), b)[0])(A).round(6)
    array([[-0.099174, -0.347107],
           [ 0.033058,  0.115702]])
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

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [0.5, 3.0]])
    >>> b = np.array([1.0, 2.0])
    >>> grad(lambda b: linalg.lu_solve(linalg.lu_factor(A), b)[0])(b).round(6)
    array([ 0.545455, -0.181818])
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

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [0.5, 3.0]])
    >>> grad(lambda A: np.sum(np.log(np.diag(linalg.lu(A)[2]))))(A).round(6)
    array([[ 0.545455, -0.090909],
           [-0.181818,  0.363636]])
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

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> values, vectors = linalg.eigh(A)
    >>> values.round(6)
    array([1.381966, 3.618034])
    >>> grad(lambda A: linalg.eigh(A)[0][1])(A).round(6)
    array([[0.276393, 0.447214],
           [0.447214, 0.723607]])
    """
    uplo: Literal["L", "U"] = "L" if lower else "U"
    if b is None:
        return np.linalg.eigvalsh(a, uplo) if eigvals_only else tuple(np.linalg.eigh(a, uplo))
    L = cholesky(b, lower=True) if lower else transposed(cholesky(b))
    half = call("solve_triangular", L, mirrored(a, lower), lower=True)
    inner = call("solve_triangular", L, transposed(half), lower=True)
    inner = 0.5 * (inner + transposed(inner))
    if eigvals_only:
        return np.linalg.eigvalsh(inner)
    w, v = np.linalg.eigh(inner)
    return w, call("solve_triangular", transposed(L), v)


def eigvalsh(a: Any, b: Any = None, *, lower: bool = True) -> Any:
    """Eigenvalues of a symmetric matrix, in ascending order.

    Parameters
    ----------
    a, b, lower
        As for :func:`eigh`.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> grad(lambda A: linalg.eigvalsh(A)[1])(A).round(6)
    array([[0.276393, 0.447214],
           [0.447214, 0.723607]])
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

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[3.0, 1.0], [1.0, 2.0], [0.0, 1.0]])
    >>> grad(lambda A: linalg.svd(A, full_matrices=False)[1][0])(A).round(6)
    array([[0.689155, 0.466581],
           [0.441202, 0.298709],
           [0.126891, 0.085909]])
    """
    if not compute_uv:
        return np.linalg.svd(a, compute_uv=False)
    return tuple(np.linalg.svd(a, full_matrices=full_matrices))


def svdvals(a: Any) -> Any:
    """The singular values of a matrix, in descending order.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import grad, linalg
    >>> A = np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> grad(lambda A: linalg.svdvals(A)[0])(A).round(6)
    array([[0.276393, 0.447214],
           [0.447214, 0.723607]])
    """
    return np.linalg.svd(a, compute_uv=False)
