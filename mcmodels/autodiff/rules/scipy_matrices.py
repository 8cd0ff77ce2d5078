"""Rules of SciPy's functions of matrices: triangular and Sylvester equations, and e to a matrix.

Formulas: Giles (2008), *Collected matrix derivative results for forward and reverse mode
algorithmic differentiation*, Advances in Automatic Differentiation, §2; Higham (2008), *Functions
of Matrices*, §3.2 (a derivative as a block of the function of a larger matrix), §6 (square roots).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg as sl

from mcmodels.autodiff.rules.linear_algebra import transposed
from mcmodels.autodiff.tables import Key, add, call, matrix_function, shape_of
from mcmodels.autodiff.tracing import DerivativeRule, constant, is_complex

# ---- triangular and banded equations ----------------------------------------------------------


def _triangle(A: Any, lower: bool, unit: bool) -> Any:
    """The entries of a matrix that a triangular solve reads."""
    k = int(unit)
    return call("tril", A, k=-k) if lower else call("triu", A, k=k)


def _solve_triangular(A: Any, B: Any, lower: bool = False, unit: bool = False) -> Any:
    return sl.solve_triangular(A, B, lower=lower, unit_diagonal=unit)


def _triangular(A: Any, B: Any, lower: bool, unit: bool) -> Any:
    return call("solve_triangular", A, B, lower=lower, unit=unit)


def _push_triangular_by_matrix(
    t: Any, X: Any, A: Any, B: Any, lower: bool = False, unit: bool = False
) -> Any:
    return -_triangular(A, _triangle(t, lower, unit) @ X, lower, unit)


def _pull_triangular_by_matrix(
    g: Any, X: Any, A: Any, B: Any, lower: bool = False, unit: bool = False
) -> Any:
    S = _triangular(transposed(A), g, not lower, unit)
    return -_triangle(S @ transposed(X), lower, unit)


def banded_to_full(ab: Any, lower: int, upper: int) -> Any:
    """The matrix that has the rows of ab as its diagonals, by SciPy's convention."""
    n = shape_of(ab)[1]
    rows, columns = np.indices((n, n))
    band = upper + rows - columns
    inside = (band >= 0) & (band <= lower + upper)
    entries = ab[np.where(inside, band, 0), columns]
    return np.where(inside, entries, 0.0)


# ---- Sylvester's equation ---------------------------------------------------------------------


def _solve_sylvester(A: Any, B: Any, Q: Any) -> Any:
    dtype = np.result_type(A, B, Q)
    if dtype.kind == "c":  # of real and complex ones together SciPy finds another X
        A, B, Q = (np.asarray(x, dtype) for x in (A, B, Q))
    return np.asarray(sl.solve_sylvester(A, B, Q), dtype=dtype)


def _sylvester(A: Any, B: Any, Q: Any) -> Any:
    return call("solve_sylvester", A, B, Q)


def _sylvester_back(g: Any, A: Any, B: Any) -> Any:
    return _sylvester(transposed(A), transposed(B), g)


def _solve_discrete_lyapunov(A: Any, Q: Any) -> Any:
    return np.asarray(sl.solve_discrete_lyapunov(A, Q), dtype=np.result_type(A, Q))


def _stein(A: Any, Q: Any) -> Any:
    return call("solve_discrete_lyapunov", A, Q)


def _pull_stein_by_matrix(g: Any, X: Any, A: Any, Q: Any) -> Any:
    S = _stein(transposed(A), g)
    return S @ A @ transposed(X) + transposed(S) @ A @ X


# ---- functions of matrices --------------------------------------------------------------------


def _of_matrix(name: str, function: Callable[..., Any], A: Any) -> Any:
    """The function of one matrix, in the precision of A; it may be complex, as the root of -1."""
    if np.ndim(A) != 2 or np.shape(A)[0] != np.shape(A)[1]:
        raise ValueError(f"{name} needs a square matrix; found shape {np.shape(A)}.")
    wide = np.complex128 if np.iscomplexobj(A) else np.float64
    found = function(np.asarray(A, wide))
    dtype = np.asarray(A).dtype
    return np.asarray(
        found, np.result_type(dtype, np.complex64) if np.iscomplexobj(found) else dtype
    )


def _expm(A: Any) -> Any:
    return _of_matrix("expm", sl.expm, A)


def _logm(A: Any) -> Any:
    w = np.linalg.eigvals(A)
    bound = 1e-8 * np.abs(w)
    if np.any((w.real <= bound) & (np.abs(w.imag) <= bound)):
        raise ValueError(
            "the logm of this matrix is not real: it has eigenvalues that are negative or 0. Use "
            "w, V = np.linalg.eig(A), and V @ np.diag(np.log(w + 0j)) @ np.linalg.inv(V)."
        )
    return _of_matrix("logm", sl.logm, A)


def _cosm(A: Any) -> Any:
    return _of_matrix("cosm", sl.cosm, A)


def _sinm(A: Any) -> Any:
    return _of_matrix("sinm", sl.sinm, A)


def _sqrtm(A: Any) -> Any:
    return _of_matrix("sqrtm", sl.sqrtm, A)


def _regular_root(Y: Any) -> Any:
    """The root of a matrix; refused if that is singular, as it then has no derivative."""
    sizes = np.abs(np.linalg.eigvals(constant(Y)))
    if sizes.size and sizes.min() <= 1e-12 * sizes.max():
        raise np.linalg.LinAlgError("sqrtm of a singular matrix is not differentiable.")
    return Y


def _along(name: str, A: Any, E: Any) -> Any:
    """The derivative of a function of A along E: a block of the function of ``[[A, E], [0, A]]``.

    The direction is scaled to the size of A, so that neither is lost in the rounding of the other.
    """
    if is_complex(E) and not is_complex(A):
        return _along(name, A, np.real(E)) + 1j * _along(name, A, np.imag(E))
    n = shape_of(A)[-1]
    size = np.max(np.abs(np.asarray(constant(E))), initial=0.0)
    scale = np.max(np.abs(np.asarray(constant(A))), initial=0.0) / size if size > 0 else 1.0
    scale = scale if scale > 0 else 1.0
    rows = [np.concatenate([A, E * scale], axis=1), np.concatenate([np.zeros((n, n)), A], axis=1)]
    return call(name, np.concatenate(rows, axis=0))[:n, n:] / scale


def _by_blocks(
    name: str, function: Callable[..., Any], identity: str
) -> tuple[Key, DerivativeRule]:
    return matrix_function(
        name,
        function,
        identity,
        (lambda t, Y, A: _along(name, A, t), lambda g, Y, A: _along(name, transposed(A), g)),
    )


# ---- LU ---------------------------------------------------------------------------------------


def _lu(A: Any) -> Any:
    """L below the diagonal and U above it, without exchanges of rows."""
    n = np.shape(A)[0]
    factors, exchanges = sl.lu_factor(A)
    if np.array_equal(exchanges, np.arange(n)):
        return factors
    L, U = np.eye(n, dtype=np.asarray(A).dtype), np.array(A)
    for k in range(n):
        L[k + 1 :, k] = U[k + 1 :, k] / U[k, k]
        U[k + 1 :] -= np.outer(L[k + 1 :, k], U[k])
    return np.tril(L, -1) + np.triu(U)


def _lu_parts(y: Any) -> tuple[Any, Any]:
    return call("tril", y, k=-1) + np.eye(shape_of(y)[-1]), call("triu", y)


def _push_lu(t: Any, y: Any, A: Any) -> Any:
    L, U = _lu_parts(y)
    inner = _triangular(L, t, True, True)
    inner = transposed(_triangular(transposed(U), transposed(inner), True, False))
    return L @ call("tril", inner, k=-1) + call("triu", inner) @ U


def _pull_lu(g: Any, y: Any, A: Any) -> Any:
    L, U = _lu_parts(y)
    inner = call("tril", transposed(L) @ call("tril", g, k=-1), k=-1)
    inner = inner + call("triu", call("triu", g) @ transposed(U))
    inner = _triangular(transposed(L), inner, False, True)
    return transposed(_triangular(U, transposed(inner), False, False))


add(
    matrix_function(
        "solve_triangular",
        _solve_triangular,
        "d(T⁻¹B) = T⁻¹(dB - dT T⁻¹B), dT a triangle",
        (_push_triangular_by_matrix, _pull_triangular_by_matrix),
        (
            lambda t, X, A, B, lower=False, unit=False: _triangular(A, t, lower, unit),
            lambda g, X, A, B, lower=False, unit=False: _triangular(
                transposed(A), g, not lower, unit
            ),
        ),
    ),
    matrix_function(
        "solve_sylvester",
        _solve_sylvester,
        "A dX + dX B = dQ - dA X - X dB",
        (
            lambda t, X, A, B, Q: -_sylvester(A, B, t @ X),
            lambda g, X, A, B, Q: -_sylvester_back(g, A, B) @ transposed(X),
        ),
        (
            lambda t, X, A, B, Q: -_sylvester(A, B, X @ t),
            lambda g, X, A, B, Q: -transposed(X) @ _sylvester_back(g, A, B),
        ),
        (
            lambda t, X, A, B, Q: _sylvester(A, B, t),
            lambda g, X, A, B, Q: _sylvester_back(g, A, B),
        ),
    ),
    matrix_function(
        "solve_discrete_lyapunov",
        _solve_discrete_lyapunov,
        "dX = A dX Aᵀ + dA XAᵀ + AX dAᵀ + dQ",
        (
            lambda t, X, A, Q: _stein(A, t @ X @ transposed(A) + A @ X @ transposed(t)),
            _pull_stein_by_matrix,
        ),
        (lambda t, X, A, Q: _stein(A, t), lambda g, X, A, Q: _stein(transposed(A), g)),
    ),
    matrix_function(
        "sqrtm",
        _sqrtm,
        "Y dY + dY Y = dA, Y² = A",
        (
            lambda t, Y, A: _sylvester(_regular_root(Y), Y, t),
            lambda g, Y, A: _sylvester_back(g, _regular_root(Y), Y),
        ),
    ),
    matrix_function(
        "lu",
        _lu,
        "dL = L tril(L⁻¹ dA U⁻¹, -1), dU = triu(L⁻¹ dA U⁻¹) U",
        (_push_lu, _pull_lu),
    ),
    _by_blocks("expm", _expm, "d eᴬ = the block (1, 2) of exp [[A, dA], [0, A]]"),
    _by_blocks("logm", _logm, "d log A = the block (1, 2) of log [[A, dA], [0, A]]"),
    _by_blocks("cosm", _cosm, "d cos A = the block (1, 2) of cos [[A, dA], [0, A]]"),
    _by_blocks("sinm", _sinm, "d sin A = the block (1, 2) of sin [[A, dA], [0, A]]"),
)
