"""Eigenvectors of Hermitian matrices, and singular vectors of complex ones.

A vector of length 1 may be multiplied by any number of size 1, and LAPACK makes one of its entries
real. The rules here state the derivatives of vectors of any length, which are complex
differentiable; then the vectors are scaled as LAPACK scales them, and that is differentiated, too.

The formulas follow from the equations AV = US and AᴴU = VS, with A and Aᴴ as two variables: Wan and
Zhang (2019), *Automatic Differentiation for Complex Valued SVD*, arXiv:1909.02659.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.rules.factorisations import pull_eig, push_eig
from mcmodels.autodiff.rules.linear_algebra import (
    inverse_gaps,
    transposed,
    warn_equal_values,
    warn_zero_value,
)
from mcmodels.autodiff.tables import add, call, matrix_function, shape_of, warn_kink
from mcmodels.autodiff.tracing import NoRuleError, constant

__all__ = [
    "adjoint",
    "cholesky_of_complex",
    "eigenvectors_of_lapack",
    "eigh_of_complex",
    "slogdet_of_complex",
    "svd_of_complex",
]


def adjoint(A: Any) -> Any:
    """The conjugate transpose."""
    return np.conjugate(transposed(A))


def _scaled(vectors: Any, first: Any) -> Any:
    """Vectors as columns, of length 1, with the phase that the entries at ``first`` have.

    First these entries are made 1, which is complex differentiable; then the length.
    """
    plain = np.asarray(constant(vectors))
    scaled = vectors / np.take_along_axis(vectors, first, axis=-2)
    squares = np.square(np.real(scaled)) + np.square(np.imag(scaled))
    lengths = np.sqrt(np.sum(squares, axis=-2, keepdims=True))
    chosen = np.take_along_axis(plain, first, axis=-2)
    return scaled / lengths * (chosen / np.abs(chosen))


def eigenvectors_of_lapack(vectors: Any, values: Any, of_complex: bool) -> Any:
    """Eigenvectors of a matrix in general, of which LAPACK makes the largest entry real."""
    plain = np.asarray(constant(vectors))
    sizes = np.abs(plain)
    turned = np.ones(values.shape, bool) if of_complex else values.imag != 0
    near = sizes >= (1 - 1e-8) * np.max(sizes, axis=-2, keepdims=True)
    warn_kink(
        turned & (np.sum(near, axis=-2) > 1),
        "eig makes the largest entry of a complex eigenvector real; of equal ones one is taken, "
        "and the phase has no derivative there. np.abs of the vectors has one.",
    )
    real = np.abs(plain.imag) <= 1e-12
    first = np.argmax(near.astype(float) + (near & real), axis=-2)
    return _scaled(vectors, first[..., np.newaxis, :])


def _packed_eigh(H: Any, UPLO: Any = "L") -> Any:
    values, vectors = np.linalg.eigh(H, UPLO)
    return np.concatenate([values[..., np.newaxis, :].astype(vectors.dtype), vectors], axis=-2)


def _first_of_size(vectors: Any, row: int) -> Any:
    """The row that LAPACK makes real, for each column; refused where its entry is 0."""
    plain = np.abs(np.asarray(constant(vectors))[..., row, :])
    if np.any(plain <= 1e-14):
        raise np.linalg.LinAlgError(
            "the phase of an eigenvector is that of its entry which LAPACK makes real, and that is "
            "0 here: the vector has no derivative."
        )
    return np.full((*plain.shape[:-1], 1, plain.shape[-1]), row % np.shape(constant(vectors))[-2])


def _hermitian(A: Any, UPLO: str, name: str) -> Any:
    """The Hermitian part of a matrix, with the value of the triangle that NumPy reads."""
    plain = np.asarray(constant(A))
    strict = np.tril(plain, -1) if UPLO.upper() == "L" else np.triu(plain, 1)
    n = plain.shape[-1]
    read = strict + np.conjugate(np.swapaxes(strict, -1, -2)) + np.eye(n) * plain.real
    part = 0.5 * (plain + np.conjugate(np.swapaxes(plain, -1, -2)))
    beside = np.abs(read - part).max(initial=0.0)
    warn_kink(
        beside > 1e-8 * np.abs(plain).max(initial=0.0),
        f"{name} reads one triangle of a matrix that is not Hermitian; the derivative is that of "
        "its Hermitian part.",
    )
    H = 0.5 * (A + adjoint(A))
    return H + (read - part) if beside > 0 else H


def eigh_of_complex(A: Any, UPLO: Any, vectors_too: bool) -> tuple[Any, Any]:
    """Eigenvalues and eigenvectors of the Hermitian part of a matrix.

    The values are those of the triangle that NumPy reads, as for real matrices.
    """
    H, n = _hermitian(A, UPLO, "eigh"), shape_of(A)[-1]
    if not vectors_too:
        return call("eigvalsh_complex", H), None
    packed = call("eigh_complex", H, UPLO=UPLO.upper())
    values, vectors = np.real(packed[..., 0, :]), packed[..., 1:, :]
    row = 0 if UPLO.upper() == "L" else n - 1  # the reduction to a real tridiagonal leaves it so
    return values, _scaled(vectors, _first_of_size(vectors, row))


def _packed_svd(A: Any, C: Any) -> Any:
    U, s, Vh = np.linalg.svd(A, full_matrices=False)
    V = np.conjugate(np.swapaxes(Vh, -1, -2))
    return np.concatenate([U, s[..., np.newaxis, :].astype(U.dtype), V], axis=-2)


def _svd_parts(y: Any, A: Any) -> tuple[Any, ...]:
    m = shape_of(A)[-2]
    U, s, V = y[..., :m, :], y[..., m, :], y[..., m + 1 :, :]
    plain = np.real(np.asarray(constant(s)))
    smallest = 1e2 * np.finfo(plain.dtype).eps * plain.max(axis=-1, initial=0.0)
    if np.any(plain.min(axis=-1, initial=np.inf) <= smallest):
        raise np.linalg.LinAlgError(
            "the singular vectors of a complex matrix without full rank are not differentiable. "
            "For functions of the singular values alone use np.linalg.svd(…, compute_uv=False)."
        )
    n = shape_of(s)[-1]
    sums = s[..., np.newaxis, :] + s[..., :, np.newaxis]
    F = inverse_gaps(s, "singular values") / (sums * (1.0 - np.eye(n)) + np.eye(n))
    return U, s, V, F, np.eye(n), s[..., np.newaxis, :], s[..., :, np.newaxis]


def _joined_svd(dU: Any, ds: Any, dV: Any) -> Any:
    return np.concatenate([dU, ds[..., np.newaxis, :], dV], axis=-2)


def _push_svd(t: Any, y: Any, A: Any, C: Any) -> Any:
    U, _, V, F, _, row, column = _svd_parts(y, A)
    P = adjoint(U) @ t @ V
    diagonal = np.diagonal(P, axis1=-2, axis2=-1)
    dU = U @ (F * P * row)
    dV = V @ (F * column * P) - V * (0.5 * diagonal[..., np.newaxis, :] / row)
    if shape_of(A)[-2] > shape_of(A)[-1]:
        dU = dU + (t @ V - U @ P) / row
    return _joined_svd(dU, 0.5 * diagonal, dV)


def _push_svd_adjoint(t: Any, y: Any, A: Any, C: Any) -> Any:
    U, _, V, F, _, row, column = _svd_parts(y, A)
    Q = adjoint(V) @ t @ U
    diagonal = np.diagonal(Q, axis1=-2, axis2=-1)
    dU = U @ (F * column * Q)
    dV = V @ (F * Q * row) + V * (0.5 * diagonal[..., np.newaxis, :] / row)
    if shape_of(A)[-2] < shape_of(A)[-1]:
        dV = dV + (t @ U - V @ Q) / row
    return _joined_svd(dU, 0.5 * diagonal, dV)


def _pull_parts(g: Any, y: Any, A: Any) -> tuple[Any, ...]:
    m = shape_of(A)[-2]
    gU, gs, gV = g[..., :m, :], g[..., m : m + 1, :], g[..., m + 1 :, :]
    U, _, V, F, eye, row, column = _svd_parts(y, A)
    return gU, gs, gV, U, V, F, eye, row, column, transposed(U) @ gU, transposed(V) @ gV


def _pull_svd(g: Any, y: Any, A: Any, C: Any) -> Any:
    gU, gs, _, U, V, F, eye, row, column, K, L = _pull_parts(g, y, A)
    inner = F * (K * row + column * L) + eye * (0.5 * gs - 0.5 * L / row)
    if shape_of(A)[-2] > shape_of(A)[-1]:
        inner = inner - K / row
        return (np.conjugate(U) @ inner + gU / row) @ transposed(V)
    return np.conjugate(U) @ inner @ transposed(V)


def _pull_svd_adjoint(g: Any, y: Any, A: Any, C: Any) -> Any:
    _, gs, gV, U, V, F, eye, row, column, K, L = _pull_parts(g, y, A)
    inner = F * (column * K + L * row) + eye * (0.5 * gs + 0.5 * L / row)
    if shape_of(A)[-2] < shape_of(A)[-1]:
        inner = inner - L / row
        return (np.conjugate(V) @ inner + gV / row) @ transposed(U)
    return np.conjugate(V) @ inner @ transposed(U)


def svd_of_complex(A: Any, vectors_too: bool) -> tuple[Any, Any, Any]:
    """``U``, the singular values, and ``Vᴴ``."""
    if not vectors_too:
        return None, call("svdvals_complex", A), None
    m, n = shape_of(A)[-2:]
    packed = call("svd_complex", A, adjoint(A))
    U, s, V = packed[..., :m, :], np.real(packed[..., m, :]), packed[..., m + 1 :, :]
    # Of the pairs, LAPACK makes the first entry real of the vector that is not the longer one.
    leading = V if m >= n else U
    first = _first_of_size(leading, 0)
    before = np.take_along_axis(leading, first, axis=-2)
    leading = _scaled(leading, first)
    turn = np.take_along_axis(leading, first, axis=-2) / before
    U, V = (U * turn, leading) if m >= n else (leading, V * turn)
    return U, s, adjoint(V)


def _push_eigvalsh(t: Any, w: Any, H: Any) -> Any:
    V = call("eigh_complex", H)[..., 1:, :]
    inner = adjoint(V) @ t @ V
    warn_equal_values(inner, w, "eigenvalues")
    return np.real(np.diagonal(inner, axis1=-2, axis2=-1))


def _pull_eigvalsh(g: Any, w: Any, H: Any) -> Any:
    V = call("eigh_complex", H)[..., 1:, :]
    g = np.real(g)[..., np.newaxis, :]
    warn_equal_values(np.eye(shape_of(w)[-1]) * g, w, "eigenvalues")
    return np.conjugate(V) * g @ transposed(V)


def _svd_vectors(A: Any) -> tuple[Any, Any]:
    m = shape_of(A)[-2]
    packed = call("svd_complex", A, adjoint(A))
    return packed[..., :m, :], packed[..., m + 1 :, :]


def _push_svdvals(t: Any, s: Any, A: Any) -> Any:
    U, V = _svd_vectors(A)
    P = adjoint(U) @ t @ V
    warn_equal_values(0.5 * (P + adjoint(P)), s, "singular values")
    change = np.real(np.diagonal(P, axis1=-2, axis2=-1))
    warn_zero_value(change, s)
    return change


def _pull_svdvals(g: Any, s: Any, A: Any) -> Any:
    U, V = _svd_vectors(A)
    g = np.real(g)
    warn_zero_value(g, s)
    g = g[..., np.newaxis, :]
    warn_equal_values(np.eye(shape_of(s)[-1]) * g, s, "singular values")
    return np.conjugate(U) * g @ transposed(V)


def cholesky_of_complex(A: Any) -> Any:
    """The factor L of a Hermitian matrix LLᴴ: of the factors without exchanges of rows, scaled."""
    if len(shape_of(A)) != 2:
        raise NoRuleError("numpy.linalg.cholesky of several complex matrices has no rule; loop.")
    np.linalg.cholesky(constant(A))  # it refuses what is not positive definite
    packed = call("lu", _hermitian(A, "L", "cholesky"))
    pivots = np.real(np.diagonal(packed))
    return (call("tril", packed, k=-1) + np.eye(shape_of(A)[-1])) * np.sqrt(pivots)


def _logdet(A: Any) -> Any:
    sign, size = np.linalg.slogdet(A)
    return size + 1j * np.angle(sign)


def slogdet_of_complex(A: Any) -> tuple[Any, Any]:
    """``det A/|det A|`` and ``log|det A|``: both have derivatives."""
    found = call("logdet_complex", A)
    return np.exp(1j * np.imag(found)), np.real(found)


add(
    matrix_function(
        "logdet_complex",
        _logdet,
        "d log det A = tr(A⁻¹ dA)",
        (
            lambda t, y, A: np.trace(np.linalg.solve(A, t), axis1=-2, axis2=-1),
            lambda g, y, A: g[..., np.newaxis, np.newaxis] * transposed(np.linalg.inv(A)),
        ),
    ),
    matrix_function(
        "eigvalsh_complex",
        np.linalg.eigvalsh,
        "dw = Re diag(Vᴴ dH V)",
        (_push_eigvalsh, _pull_eigvalsh),
    ),
    matrix_function(
        "svdvals_complex",
        lambda A: np.linalg.svd(A, compute_uv=False),
        "ds = Re diag(Uᴴ dA V)",
        (_push_svdvals, _pull_svdvals),
    ),
    matrix_function(
        "eigh_complex",
        _packed_eigh,
        "dw = diag(P), P = Vᴴ dH V; dV = V(F ∘ P), Fᵢⱼ = 1/(wⱼ - wᵢ), up to the lengths",
        (
            lambda t, y, H, UPLO="L": push_eig(t, y, H),
            lambda g, y, H, UPLO="L": pull_eig(g, y, H),
        ),
    ),
    matrix_function(
        "svd_complex",
        _packed_svd,
        "ds = ½ diag(P + Q), P = Uᴴ dA V, Q = Vᴴ dAᴴ U; "
        "dU = U(F ∘ (PS + SQ)) + (I - UUᴴ) dA V S⁻¹, "
        "dV = V(F ∘ (QS + SP) + ½ diag(Q - P) S⁻¹) + (I - VVᴴ) dAᴴ U S⁻¹, Fᵢⱼ = 1/(sⱼ² - sᵢ²)",
        (_push_svd, _pull_svd),
        (_push_svd_adjoint, _pull_svd_adjoint),
    ),
)
