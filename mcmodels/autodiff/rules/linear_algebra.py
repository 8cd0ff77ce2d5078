"""Rules of inverses, determinants and factorisations, of single matrices and of stacks.

Formulas: Giles (2008), *Collected matrix derivative results for forward and reverse mode
algorithmic differentiation*, Advances in Automatic Differentiation, §2–3; Magnus and Neudecker
(2019), *Matrix Differential Calculus*, 3rd ed., §8–9; Murray (2016), *Differentiation of the
Cholesky decomposition*, arXiv:1602.07527; Townsend (2016), *Differentiating the singular value
decomposition*.

``cholesky`` and ``eigh`` are functions of a symmetric matrix: their derivatives are those of its
symmetric part. Factorisations give one array here, their parts one above the other, which
:mod:`mcmodels.autodiff.rules.numpy_algebra` takes apart again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.rules.arrangement import with_axes
from mcmodels.autodiff.tables import add, call, matrix_function, note_kink, shape_of
from mcmodels.autodiff.tracing import constant

# Eigenvalues or singular values closer than so many roundings of the largest count as equal.
_ROUNDINGS = 64


def transposed(A: Any) -> Any:
    """Each matrix of a stack transposed."""
    return np.swapaxes(A, -1, -2)


def _symmetric(A: Any) -> Any:
    return 0.5 * (A + transposed(A))


def _matrices(g: Any) -> Any:
    """One number for each matrix of a stack, as matrices of one entry."""
    return g[..., np.newaxis, np.newaxis]


def _trace_with(A: Any, B: Any) -> Any:
    """``tr(AᵀB)``."""
    return np.sum(A * B, axis=(-2, -1))


def _det(A: Any) -> Any:
    return np.linalg.det(A)


def _packed_slogdet(A: Any) -> Any:
    """The sign, and after it the logarithm."""
    return np.stack(np.linalg.slogdet(A), axis=-1)


def _push_slogdet(t: Any, y: Any, A: Any) -> Any:
    change = _trace_with(transposed(call("inv", A)), t)
    return change[..., np.newaxis] * np.array([0.0, 1.0])


def _lower_half(M: Any) -> Any:
    """The lower triangle, the diagonal halved."""
    n = shape_of(M)[-1]
    return M * (np.tril(np.ones((n, n))) - 0.5 * np.eye(n))


def _push_cholesky(t: Any, L: Any, A: Any) -> Any:
    inner = transposed(np.linalg.solve(L, transposed(np.linalg.solve(L, _symmetric(t)))))
    return L @ _lower_half(inner)


def _pull_cholesky(g: Any, L: Any, A: Any) -> Any:
    U = transposed(L)
    inner = np.linalg.solve(U, _lower_half(U @ g))
    return _symmetric(transposed(np.linalg.solve(U, transposed(inner))))


def _packed_eigh(A: Any, UPLO: Any = "L") -> Any:
    """The eigenvalues, and below them the eigenvectors."""
    values, vectors = np.linalg.eigh(A, UPLO)
    return np.concatenate([values[..., np.newaxis, :], vectors], axis=-2)


def _resolution(w: Any) -> Any:
    """Differences that are rounding, for each set of eigenvalues or singular values."""
    w = np.asarray(constant(w))
    return _ROUNDINGS * np.finfo(w.dtype).eps * np.abs(w).max(axis=-1, initial=0.0)


def _inverse_gaps(w: Any, what: str) -> Any:
    """``1/(wⱼ - wᵢ)`` at (i, j), zero on the diagonal."""
    gaps = w[..., np.newaxis, :] - w[..., :, np.newaxis]
    n = shape_of(w)[-1]
    close = np.abs(constant(gaps)) <= _matrices(_resolution(w))
    close &= ~np.eye(n, dtype=bool)
    if close.any():
        raise np.linalg.LinAlgError(
            f"two {what} are equal to rounding, and their vectors are not differentiable: any "
            "rotation among them would do as well. For functions of the values alone use "
            "np.linalg.eigvalsh, or np.linalg.svd(…, compute_uv=False)."
        )
    return (1.0 - np.eye(n)) / (gaps + np.eye(n))


def _push_eigh(t: Any, y: Any, A: Any, UPLO: Any = "L") -> Any:
    w, V = y[..., 0, :], y[..., 1:, :]
    inner = transposed(V) @ _symmetric(t) @ V
    dw = np.diagonal(inner, axis1=-2, axis2=-1)
    dV = V @ (_inverse_gaps(w, "eigenvalues") * inner)
    return np.concatenate([dw[..., np.newaxis, :], dV], axis=-2)


def _pull_eigh(g: Any, y: Any, A: Any, UPLO: Any = "L") -> Any:
    w, V = y[..., 0, :], y[..., 1:, :]
    n = shape_of(w)[-1]
    inner = _inverse_gaps(w, "eigenvalues") * (transposed(V) @ g[..., 1:, :])
    inner = inner + np.eye(n) * g[..., 0:1, :]
    return _symmetric(V @ inner @ transposed(V))


def _eigvalsh(A: Any, UPLO: Any = "L") -> Any:
    return np.linalg.eigvalsh(A, UPLO)


def _eigenvectors(A: Any, UPLO: Any) -> Any:
    return call("eigh", A, UPLO=UPLO)[..., 1:, :]


def _push_eigvalsh(t: Any, w: Any, A: Any, UPLO: Any = "L") -> Any:
    V = _eigenvectors(A, UPLO)
    return np.sum(V * (_symmetric(t) @ V), axis=-2)


def _pull_eigvalsh(g: Any, w: Any, A: Any, UPLO: Any = "L") -> Any:
    V = _eigenvectors(A, UPLO)
    return V * g[..., np.newaxis, :] @ transposed(V)


def _packed_svd(A: Any) -> Any:
    """U, below it the singular values, below them V."""
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
    F = _inverse_gaps(s, "singular values") / (sums * (1.0 - np.eye(n)) + np.eye(n))
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
    return np.sum(U * (t @ V), axis=-2)


def _pull_svdvals(g: Any, s: Any, A: Any) -> Any:
    U, _, V = _unpacked_svd(call("svd", A), A)
    return U * g[..., np.newaxis, :] @ transposed(V)


def _norm(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))


def _safe(y: Any) -> Any:
    """The norm, or 1 where it is 0, so that a derivative of 0 is taken there."""
    zero = np.asarray(constant(y)) == 0
    if not zero.any():
        return y
    note_kink(zero, "a norm is not differentiable at 0; 0 is taken for its derivative.")
    return np.where(zero, 1.0, y)


def _push_norm(t: Any, y: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.sum(x * t, axis=axis, keepdims=keepdims) / _safe(y)


def _pull_norm(g: Any, y: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return x * with_axes(g / _safe(y), x, axis, keepdims)


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
            lambda t, y, A: y * _trace_with(transposed(call("inv", A)), t),
            lambda g, y, A: _matrices(g * y) * transposed(call("inv", A)),
        ),
    ),
    matrix_function(
        "slogdet",
        _packed_slogdet,
        "d log|det A| = tr(A⁻¹ dA)",
        (
            _push_slogdet,
            lambda g, y, A: _matrices(g[..., 1]) * transposed(call("inv", A)),
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
