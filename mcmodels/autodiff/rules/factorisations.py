"""Rules of pseudo-inverses, least squares, QR factors and eigenvectors of matrices in general.

Formulas: Golub and Pereyra (1973), *The differentiation of pseudo-inverses and nonlinear least
squares problems whose variables separate*, SIAM Journal on Numerical Analysis 10(2), §4; Walter and
Lehmann (2018), *Algorithmic differentiation of linear algebra functions with application in optimum
experimental design*, §3–4; Giles (2008), *Collected matrix derivative results for forward and
reverse mode algorithmic differentiation*, §3.1.

A factorisation returns one array, its parts stacked one above the other, and
:mod:`mcmodels.autodiff.rules.numpy_factorisations` splits it into the parts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.rules.linear_algebra import inverse_gaps, transposed
from mcmodels.autodiff.tables import add, call, matrix_function, shape_of
from mcmodels.autodiff.tracing import NoRuleError, constant

__all__: list[str] = []


def _require_full_rank(A: Any, name: str, rcond: Any) -> None:
    """Refuse a matrix without full rank: its pseudo-inverse jumps, and has no derivative."""
    A = np.asarray(constant(A))
    # At least the tolerance of matrix_rank, since the derivatives use the inverse of rounding.
    least = np.finfo(A.dtype).eps * max(A.shape[-2:])
    rank = np.linalg.matrix_rank(A, rtol=np.maximum(0.0 if rcond is None else rcond, least))
    if np.any(rank < min(A.shape[-2:])):
        raise np.linalg.LinAlgError(
            f"{name} of a matrix without full rank is not differentiable: the least change of the "
            "matrix changes its rank, and the pseudo-inverse jumps. Remove the columns that depend "
            "on others, or add a ridge: np.linalg.solve(A.T @ A + λI, A.T @ b)."
        )


def _pinv(A: Any, rcond: Any = None) -> Any:
    return np.linalg.pinv(A, rcond) if rcond is not None else np.linalg.pinv(A)


def _beyond(A: Any, P: Any) -> tuple[Any, Any]:
    """``I - AA⁺`` and ``I - A⁺A``."""
    m, n = shape_of(A)[-2:]
    return np.eye(m) - A @ P, np.eye(n) - P @ A


def _push_pinv(t: Any, P: Any, A: Any, rcond: Any = None) -> Any:
    _require_full_rank(A, "pinv", rcond)
    left, right = _beyond(A, P)
    T, S = transposed(t), transposed(P)
    return -P @ t @ P + P @ S @ T @ left + right @ T @ S @ P


def _pull_pinv(g: Any, P: Any, A: Any, rcond: Any = None) -> Any:
    _require_full_rank(A, "pinv", rcond)
    left, right = _beyond(A, P)
    G, S = transposed(g), transposed(P)
    return -S @ g @ S + left @ G @ P @ S + S @ P @ G @ right


def _lstsq(A: Any, B: Any, rcond: Any = None) -> Any:
    return np.linalg.lstsq(A, B, rcond)[0]


def _push_lstsq_matrix(t: Any, X: Any, A: Any, B: Any, rcond: Any = None) -> Any:
    _require_full_rank(A, "lstsq", rcond)
    P = call("pinv", A)
    T, S = transposed(t), transposed(P)
    found = -P @ (t @ X)
    if shape_of(A)[-2] > shape_of(A)[-1]:
        return found + P @ (S @ (T @ (B - A @ X)))
    inner = T @ (S @ X)
    return found + inner - P @ (A @ inner)


def _pull_lstsq_matrix(g: Any, X: Any, A: Any, B: Any, rcond: Any = None) -> Any:
    _require_full_rank(A, "lstsq", rcond)
    P = call("pinv", A)
    S = transposed(P)
    found = -(S @ g) @ transposed(X)
    if shape_of(A)[-2] > shape_of(A)[-1]:
        return found + (B - A @ X) @ transposed(P @ (S @ g))
    return found + (S @ X) @ transposed(g - transposed(A) @ (S @ g))


def _push_lstsq_sides(t: Any, X: Any, A: Any, B: Any, rcond: Any = None) -> Any:
    _require_full_rank(A, "lstsq", rcond)
    return call("pinv", A) @ t


def _pull_lstsq_sides(g: Any, X: Any, A: Any, B: Any, rcond: Any = None) -> Any:
    _require_full_rank(A, "lstsq", rcond)
    return transposed(call("pinv", A)) @ g


def _packed_qr(A: Any) -> Any:
    """Q, and R below it."""
    return np.concatenate(np.linalg.qr(A), axis=-2)


def _qr_parts(y: Any, A: Any) -> tuple[Any, Any]:
    m = shape_of(A)[-2]
    R = np.asarray(constant(y))[..., m:, :]
    sizes = np.abs(np.diagonal(R, axis1=-2, axis2=-1))
    bound = np.finfo(R.dtype).eps * max(shape_of(A)[-2:]) * np.linalg.norm(R, axis=-2).max(-1)
    if np.any(sizes <= bound[..., np.newaxis]):
        raise np.linalg.LinAlgError(
            "qr of a matrix whose columns depend on each other is not differentiable."
        )
    return y[..., :m, :], y[..., m:, :]


def _times_inverse(X: Any, R: Any) -> Any:
    """``X R⁻¹``."""
    return transposed(np.linalg.solve(transposed(R), transposed(X)))


def _below(M: Any) -> Any:
    return np.tril(M, -1)


def _push_qr(t: Any, y: Any, A: Any) -> Any:
    Q, R = _qr_parts(y, A)
    scaled = _times_inverse(t, R)
    C = transposed(Q) @ scaled
    turn = _below(C) - transposed(_below(C))
    dQ = scaled - Q @ (C - turn)
    return np.concatenate([dQ, np.triu((C - turn) @ R)], axis=-2)


def _pull_qr(g: Any, y: Any, A: Any) -> Any:
    Q, R = _qr_parts(y, A)
    m = shape_of(A)[-2]
    gQ, gR = g[..., :m, :], np.triu(g[..., m:, :])
    M = R @ transposed(gR) - transposed(gQ) @ Q
    mirrored = np.tril(M) + transposed(_below(M))
    return transposed(np.linalg.solve(R, transposed(gQ + Q @ mirrored)))


def _packed_eig(A: Any) -> Any:
    """The eigenvalues, and below them the eigenvectors."""
    values, vectors = np.linalg.eig(A)
    if np.iscomplexobj(values):
        raise NoRuleError(
            "numpy.linalg.eig and eigvals have rules for real eigenvalues only; some are complex. "
            "Of a symmetric matrix use np.linalg.eigh."
        )
    return np.concatenate([values[..., np.newaxis, :], vectors], axis=-2)


def _push_eig(t: Any, y: Any, A: Any) -> Any:
    w, V = y[..., 0, :], y[..., 1:, :]
    inner = np.linalg.solve(V, t @ V)
    dw = np.diagonal(inner, axis1=-2, axis2=-1)
    dV = V @ (inverse_gaps(w, "eigenvalues") * inner)
    dV = dV - V * np.sum(V * dV, axis=-2, keepdims=True)
    return np.concatenate([dw[..., np.newaxis, :], dV], axis=-2)


def _pull_eig(g: Any, y: Any, A: Any) -> Any:
    w, V = y[..., 0, :], y[..., 1:, :]
    gV = g[..., 1:, :]
    gV = gV - V * np.sum(V * gV, axis=-2, keepdims=True)
    inner = inverse_gaps(w, "eigenvalues") * (transposed(V) @ gV)
    inner = inner + np.eye(shape_of(w)[-1]) * g[..., 0:1, :]
    return np.linalg.solve(transposed(V), inner @ transposed(V))


add(
    matrix_function(
        "pinv",
        _pinv,
        "dA⁺ = -A⁺ dA A⁺ + A⁺A⁺ᵀ dAᵀ (I - AA⁺) + (I - A⁺A) dAᵀ A⁺ᵀA⁺",
        (_push_pinv, _pull_pinv),
    ),
    matrix_function(
        "lstsq",
        _lstsq,
        "dX = A⁺(dB - dA X) + A⁺A⁺ᵀ dAᵀ (B - AX) + (I - A⁺A) dAᵀ A⁺ᵀ X",
        (_push_lstsq_matrix, _pull_lstsq_matrix),
        (_push_lstsq_sides, _pull_lstsq_sides),
    ),
    matrix_function(
        "qr",
        _packed_qr,
        "dR = (C - W)R, dQ = dA R⁻¹ - Q(C - W), C = Qᵀ dA R⁻¹, W = tril(C, -1) - tril(C, -1)ᵀ",
        (_push_qr, _pull_qr),
    ),
    matrix_function(
        "eig",
        _packed_eig,
        "dw = diag(P), P = V⁻¹ dA V; dV = (I - vvᵀ) V(F ∘ P) in each column, Fᵢⱼ = 1/(wⱼ - wᵢ)",
        (_push_eig, _pull_eig),
    ),
)
