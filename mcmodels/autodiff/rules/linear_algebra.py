"""Rules of inverses, determinants and factorisations, of matrices and of stacks of matrices.

Formulas: Giles (2008), *Collected matrix derivative results for forward and reverse mode
algorithmic differentiation*, Advances in Automatic Differentiation, §2–3; Magnus and Neudecker
(2019), *Matrix Differential Calculus*, 3rd ed., §8–9; Murray (2016), *Differentiation of the
Cholesky decomposition*, arXiv:1602.07527; Townsend (2016), *Differentiating the singular value
decomposition*.

``cholesky`` and ``eigh`` are functions of a symmetric matrix: their derivatives are those of its
symmetric part. Here a factorisation returns one array, its parts stacked one above the other, and
:mod:`mcmodels.autodiff.rules.numpy_algebra` splits it into the parts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.rules.arrangement import with_axes
from mcmodels.autodiff.tables import Axis, add, call, matrix_function, shape_of, warn_kink
from mcmodels.autodiff.tracing import constant
from mcmodels.user_warnings import NonDifferentiableWarning, warn_user

# Eigenvalues or singular values count as equal if they differ by at most this many units of
# rounding of the largest: LAPACK computes each of them to a few units.
_EQUAL_UNITS = 64


def transposed(A: Any) -> Any:
    """The transpose of each matrix of a stack."""
    return np.swapaxes(A, -1, -2)


def _symmetric(A: Any) -> Any:
    return 0.5 * (A + transposed(A))


def _matrices(g: Any) -> Any:
    """One number for each matrix of a stack, as 1×1 matrices."""
    return g[..., np.newaxis, np.newaxis]


def _trace_with(A: Any, B: Any) -> Any:
    """``tr(AᵀB)``."""
    return np.sum(A * B, axis=(-2, -1))


def _det(A: Any) -> Any:
    return np.linalg.det(A)


def _inverse_transposed(A: Any) -> Any:
    """``A⁻ᵀ``, for the derivatives of determinants."""
    try:
        return transposed(call("inv", A))
    except np.linalg.LinAlgError as error:
        raise np.linalg.LinAlgError(
            "Singular matrix: the derivatives of det and slogdet are written with the inverse. "
            "log|det| has none here; for that of det write the determinant out by cofactors."
        ) from error


def _packed_slogdet(A: Any) -> Any:
    """The sign and the logarithm in one array."""
    return np.stack(np.linalg.slogdet(A), axis=-1)


def _push_slogdet(t: Any, y: Any, A: Any) -> Any:
    change = _trace_with(_inverse_transposed(A), t)
    return change[..., np.newaxis] * np.array([0.0, 1.0])


def _lower_half(M: Any) -> Any:
    """The lower triangle, with half the diagonal."""
    n = shape_of(M)[-1]
    return M * (np.tril(np.ones((n, n))) - 0.5 * np.eye(n))


def _warn_asymmetric(A: Any, name: str) -> None:
    """Warn of a matrix that is not symmetric: the function reads one of its triangles."""
    A = np.asarray(constant(A))
    apart = np.abs(A - np.swapaxes(A, -1, -2)).max(initial=0.0)
    if apart > np.sqrt(np.finfo(A.dtype).eps) * np.abs(A).max(initial=0.0):
        warn_user(
            f"{name} is a function of a symmetric matrix, and this one is not symmetric: its value "
            "is that of one triangle, and its derivative that of the symmetric part. Pass "
            "(A + A.T)/2.",
            NonDifferentiableWarning,
        )


def _push_cholesky(t: Any, L: Any, A: Any) -> Any:
    _warn_asymmetric(A, "cholesky")
    inner = transposed(np.linalg.solve(L, transposed(np.linalg.solve(L, _symmetric(t)))))
    return L @ _lower_half(inner)


def _pull_cholesky(g: Any, L: Any, A: Any) -> Any:
    _warn_asymmetric(A, "cholesky")
    U = transposed(L)
    inner = np.linalg.solve(U, _lower_half(U @ g))
    return _symmetric(transposed(np.linalg.solve(U, transposed(inner))))


def _packed_eigh(A: Any, UPLO: Any = "L") -> Any:
    """The eigenvalues, and below them the eigenvectors."""
    values, vectors = np.linalg.eigh(A, UPLO)
    return np.concatenate([values[..., np.newaxis, :], vectors], axis=-2)


def _resolution(w: Any) -> Any:
    """The largest difference that is rounding, for each set of eigenvalues or singular values."""
    w = np.asarray(constant(w))
    return _EQUAL_UNITS * np.finfo(w.dtype).eps * np.abs(w).max(axis=-1, initial=0.0)


def _equal_pairs(w: Any) -> Any:
    """Which pairs of values of a set are equal up to rounding."""
    w = np.asarray(constant(w))
    close = np.abs(w[..., np.newaxis, :] - w[..., :, np.newaxis]) <= _matrices(_resolution(w))
    return close & ~np.eye(w.shape[-1], dtype=bool)


def warn_equal_values(M: Any, w: Any, what: str) -> None:
    """Warn if a derivative depends on how the vectors of equal values are chosen.

    It does not if M, restricted to the vectors of equal values, is a multiple of the identity.
    """
    pairs = _equal_pairs(w)
    if pairs.any():
        M = np.asarray(constant(M))
        d = np.diagonal(M, axis1=-2, axis2=-1)
        unlike = np.abs(d[..., np.newaxis, :] - d[..., :, np.newaxis]) + np.abs(M)
        warn_kink(
            pairs & (unlike > np.sqrt(np.finfo(M.dtype).eps) * np.abs(M).max()),
            f"equal {what} are not differentiable one by one; the derivatives along an arbitrary "
            "set of their vectors are taken.",
        )


def _diagonal_matrix(g: Any) -> Any:
    g = np.asarray(constant(g))
    return g[..., np.newaxis] * np.eye(g.shape[-1])


def warn_zero_value(g: Any, s: Any) -> None:
    """Warn if g depends on a singular value that is 0: as an absolute value, it has a kink."""
    g, s = np.asarray(constant(g)), np.asarray(constant(s))
    negligible = np.sqrt(np.finfo(g.dtype).eps) * np.abs(g).max(initial=0.0)
    warn_kink(
        (s <= _resolution(s)[..., np.newaxis]) & (np.abs(g) > negligible),
        "a singular value of 0 is not differentiable; one of its derivatives is taken.",
    )


def inverse_gaps(w: Any, what: str) -> Any:
    """``1/(wⱼ - wᵢ)`` at (i, j), 0 on the diagonal; refused if two values are equal."""
    gaps = w[..., np.newaxis, :] - w[..., :, np.newaxis]
    n = shape_of(w)[-1]
    if _equal_pairs(w).any():
        raise np.linalg.LinAlgError(
            f"two {what} are equal to rounding, and their vectors are not differentiable: any "
            "rotation among them would do as well. First derivatives of functions of the values "
            "alone are those of np.linalg.eigvalsh, or np.linalg.svd(…, compute_uv=False); for "
            "second ones write the function without them: trace, slogdet, "
            "mcmodels.autodiff.linalg.logm, sqrtm, expm."
        )
    return (1.0 - np.eye(n)) / (gaps + np.eye(n))


def _push_eigh(t: Any, y: Any, A: Any, UPLO: Any = "L") -> Any:
    _warn_asymmetric(A, "eigh")
    w, V = y[..., 0, :], y[..., 1:, :]
    inner = transposed(V) @ _symmetric(t) @ V
    dw = np.diagonal(inner, axis1=-2, axis2=-1)
    dV = V @ (inverse_gaps(w, "eigenvalues") * inner)
    return np.concatenate([dw[..., np.newaxis, :], dV], axis=-2)


def _pull_eigh(g: Any, y: Any, A: Any, UPLO: Any = "L") -> Any:
    _warn_asymmetric(A, "eigh")
    w, V = y[..., 0, :], y[..., 1:, :]
    n = shape_of(w)[-1]
    inner = inverse_gaps(w, "eigenvalues") * (transposed(V) @ g[..., 1:, :])
    inner = inner + np.eye(n) * g[..., 0:1, :]
    return _symmetric(V @ inner @ transposed(V))


def _eigvalsh(A: Any, UPLO: Any = "L") -> Any:
    return np.linalg.eigvalsh(A, UPLO)


def _eigenvectors(A: Any, UPLO: Any) -> Any:
    return call("eigh", A, UPLO=UPLO)[..., 1:, :]


def _push_eigvalsh(t: Any, w: Any, A: Any, UPLO: Any = "L") -> Any:
    _warn_asymmetric(A, "eigvalsh")
    V = _eigenvectors(A, UPLO)
    inner = transposed(V) @ _symmetric(t) @ V
    warn_equal_values(inner, w, "eigenvalues")
    return np.diagonal(inner, axis1=-2, axis2=-1)


def _pull_eigvalsh(g: Any, w: Any, A: Any, UPLO: Any = "L") -> Any:
    _warn_asymmetric(A, "eigvalsh")
    V = _eigenvectors(A, UPLO)
    warn_equal_values(_diagonal_matrix(g), w, "eigenvalues")
    return V * g[..., np.newaxis, :] @ transposed(V)


def _packed_svd(A: Any) -> Any:
    """U, the singular values and V, one below the other."""
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    return np.concatenate([U, s[..., np.newaxis, :], np.swapaxes(Vt, -1, -2)], axis=-2)


def _unpacked_svd(y: Any, A: Any) -> tuple[Any, Any, Any]:
    m = shape_of(A)[-2]
    return y[..., :m, :], y[..., m, :], y[..., m + 1 :, :]


def _svd_parts(y: Any, A: Any) -> tuple[Any, Any, Any, Any]:
    U, s, V = _unpacked_svd(y, A)
    deficient = constant(s)[..., -1] <= _resolution(s)
    if shape_of(A)[-2] != shape_of(A)[-1] and deficient.any():
        raise np.linalg.LinAlgError(
            "the singular vectors of a matrix without full rank are not differentiable. For "
            "functions of the singular values alone use np.linalg.svd(…, compute_uv=False)."
        )
    sums = s[..., np.newaxis, :] + s[..., :, np.newaxis]
    n = shape_of(s)[-1]
    F = inverse_gaps(s, "singular values") / (sums * (1.0 - np.eye(n)) + np.eye(n))
    return U, s, V, F


def _push_svd(t: Any, y: Any, A: Any) -> Any:
    U, s, V, F = _svd_parts(y, A)
    row, column = s[..., np.newaxis, :], s[..., :, np.newaxis]
    P = transposed(U) @ t @ V
    dU = U @ (F * (P * row + column * transposed(P)))
    dV = V @ (F * (column * P + transposed(P) * row))
    if shape_of(A)[-2] > shape_of(A)[-1]:
        dU = dU + (t @ V - U @ P) / row
    elif shape_of(A)[-2] < shape_of(A)[-1]:
        dV = dV + (transposed(t) @ U - V @ transposed(P)) / row
    ds = np.diagonal(P, axis1=-2, axis2=-1)[..., np.newaxis, :]
    return np.concatenate([dU, ds, dV], axis=-2)


def _pull_svd(g: Any, y: Any, A: Any) -> Any:
    U, s, V, F = _svd_parts(y, A)
    gU, gs, gV = _unpacked_svd(g, A)
    row, column = s[..., np.newaxis, :], s[..., :, np.newaxis]
    K, L = F * (transposed(U) @ gU), F * (transposed(V) @ gV)
    inner = (K + transposed(K)) * row + column * (L + transposed(L))
    inner = inner + np.eye(shape_of(s)[-1]) * gs[..., np.newaxis, :]
    found = U @ inner @ transposed(V)
    if shape_of(A)[-2] > shape_of(A)[-1]:
        found = found + ((gU - U @ (transposed(U) @ gU)) / row) @ transposed(V)
    elif shape_of(A)[-2] < shape_of(A)[-1]:
        found = found + (U / row) @ transposed(gV - V @ (transposed(V) @ gV))
    return found


def _svdvals(A: Any) -> Any:
    return np.linalg.svd(A, compute_uv=False)


def _push_svdvals(t: Any, s: Any, A: Any) -> Any:
    U, _, V = _unpacked_svd(call("svd", A), A)
    P = transposed(U) @ t @ V
    warn_equal_values(_symmetric(P), s, "singular values")
    change = np.diagonal(P, axis1=-2, axis2=-1)
    warn_zero_value(change, s)
    return change


def _pull_svdvals(g: Any, s: Any, A: Any) -> Any:
    U, _, V = _unpacked_svd(call("svd", A), A)
    warn_equal_values(_diagonal_matrix(g), s, "singular values")
    warn_zero_value(g, s)
    return U * g[..., np.newaxis, :] @ transposed(V)


def _norm(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))


def _norm_or_one(y: Any) -> Any:
    """The norm as a divisor: 1 where the norm is 0, so that the derivative there is 0."""
    zero = np.asarray(constant(y)) == 0
    if not zero.any():
        return y
    warn_kink(zero, "a norm is not differentiable at 0; 0 is taken for its derivative.")
    return np.where(zero, 1.0, y)


def _push_norm(t: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.sum(x * t, axis=axis, keepdims=keepdims) / _norm_or_one(y)


def _pull_norm(g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return x * with_axes(g / _norm_or_one(y), x, axis, keepdims)


add(
    matrix_function(
        "inv",
        np.linalg.inv,
        "d A⁻¹ = -A⁻¹ dA A⁻¹",
        (lambda t, Y, A: -Y @ t @ Y, lambda g, Y, A: -transposed(Y) @ g @ transposed(Y)),
    ),
    matrix_function(
        "solve",
        np.linalg.solve,
        "d(A⁻¹B) = A⁻¹(dB - dA A⁻¹B)",
        (
            lambda t, X, A, B: -call("solve", A, t @ X),
            lambda g, X, A, B: -call("solve", transposed(A), g) @ transposed(X),
        ),
        (
            lambda t, X, A, B: call("solve", A, t),
            lambda g, X, A, B: call("solve", transposed(A), g),
        ),
    ),
    matrix_function(
        "det",
        _det,
        "d det A = det(A) tr(A⁻¹ dA)",
        (
            lambda t, y, A: y * _trace_with(_inverse_transposed(A), t),
            lambda g, y, A: _matrices(g * y) * _inverse_transposed(A),
        ),
    ),
    matrix_function(
        "slogdet",
        _packed_slogdet,
        "d log|det A| = tr(A⁻¹ dA)",
        (
            _push_slogdet,
            lambda g, y, A: _matrices(g[..., 1]) * _inverse_transposed(A),
        ),
    ),
    matrix_function(
        "cholesky",
        np.linalg.cholesky,
        "dL = L Φ(L⁻¹ dA L⁻ᵀ), Φ the lower triangle with half the diagonal",
        (_push_cholesky, _pull_cholesky),
    ),
    matrix_function(
        "eigh",
        _packed_eigh,
        "dw = diag(Vᵀ dA V), dV = V(F ∘ Vᵀ dA V), Fᵢⱼ = 1/(wⱼ - wᵢ)",
        (_push_eigh, _pull_eigh),
    ),
    matrix_function("eigvalsh", _eigvalsh, "dw = diag(Vᵀ dA V)", (_push_eigvalsh, _pull_eigvalsh)),
    matrix_function(
        "svd",
        _packed_svd,
        "ds = diag(P), P = Uᵀ dA V; dU = U(F ∘ (PS + SPᵀ)) + (I - UUᵀ) dA V S⁻¹, and V likewise; "
        "Fᵢⱼ = 1/(sⱼ² - sᵢ²)",
        (_push_svd, _pull_svd),
    ),
    matrix_function("svdvals", _svdvals, "ds = diag(Uᵀ dA V)", (_push_svdvals, _pull_svdvals)),
    matrix_function("norm", _norm, "d‖x‖ = xᵀdx/‖x‖", (_push_norm, _pull_norm)),
)
