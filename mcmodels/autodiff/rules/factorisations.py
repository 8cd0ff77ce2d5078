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
from mcmodels.autodiff.tables import add, call, matrix_function, shape_of, warn_kink
from mcmodels.autodiff.tracing import constant, is_complex

__all__ = ["pull_eig", "push_eig"]


def _least_cut(A: Any, rcond: Any) -> float:
    """Up to which fraction of the largest a singular value counts as 0."""
    rounding = float(np.finfo(constant(A).dtype).eps) * max(shape_of(A)[-2:])
    return rounding if rcond is None else max(rounding, float(np.max(rcond)))


def _check_rank(A: Any, P: Any, name: str, rcond: Any, tangent: Any = None) -> None:
    """Whether a pseudo-inverse has a derivative: it jumps where the rank changes.

    Along changes of the matrix that keep its rank it has one. A tangent tells whether it is one of
    these; in reverse mode there is none, and a warning says what is assumed.
    """
    A, P = np.asarray(constant(A)), np.asarray(constant(P))
    m, n = A.shape[-2:]
    if not np.any(np.linalg.matrix_rank(A, rtol=_least_cut(A, rcond)) < min(m, n)):
        return
    negligible = np.sqrt(np.finfo(A.dtype).eps)
    kept = np.abs(A - A @ P @ A).max() <= negligible * np.abs(A).max(initial=0.0)
    if kept and tangent is not None:
        t = np.asarray(constant(tangent))
        leaving = (np.eye(m) - A @ P) @ t @ (np.eye(n) - P @ A)
        kept = np.abs(leaving).max() <= negligible * np.abs(t).max(initial=0.0)
    if not kept:
        raise np.linalg.LinAlgError(
            f"{name} of a matrix without full rank is not differentiable: the least change of the "
            "matrix changes its rank, and the pseudo-inverse jumps. Remove the columns that depend "
            "on others, or add a ridge: np.linalg.solve(A.T @ A + λI, A.T @ b)."
        )
    warn_kink(
        tangent is None,
        f"{name} of a matrix without full rank has a derivative only if its rank stays the same "
        "wherever its arguments move; that is assumed.",
    )


def _pinv(A: Any, rcond: Any = None) -> Any:
    return np.linalg.pinv(A, rcond) if rcond is not None else np.linalg.pinv(A)


def _beyond(A: Any, P: Any) -> tuple[Any, Any]:
    """``I - AA⁺`` and ``I - A⁺A``."""
    m, n = shape_of(A)[-2:]
    return np.eye(m) - A @ P, np.eye(n) - P @ A


def _push_pinv(t: Any, P: Any, A: Any, rcond: Any = None) -> Any:
    _check_rank(A, P, "pinv", rcond, t)
    left, right = _beyond(A, P)
    T, S = transposed(t), transposed(P)
    return -P @ t @ P + P @ S @ T @ left + right @ T @ S @ P


def _pull_pinv(g: Any, P: Any, A: Any, rcond: Any = None) -> Any:
    _check_rank(A, P, "pinv", rcond)
    left, right = _beyond(A, P)
    G, S = transposed(g), transposed(P)
    return -S @ g @ S + left @ G @ P @ S + S @ P @ G @ right


def _lstsq(A: Any, B: Any, rcond: Any = None) -> Any:
    return np.linalg.lstsq(A, B, rcond)[0]


def _inverse_of_lstsq(A: Any, rcond: Any) -> Any:
    return call("pinv", A, rcond=_least_cut(A, rcond))


def _push_lstsq_matrix(t: Any, X: Any, A: Any, B: Any, rcond: Any = None) -> Any:
    P = _inverse_of_lstsq(A, rcond)
    _check_rank(A, P, "lstsq", rcond, t)
    T, S = transposed(t), transposed(P)
    inner = T @ (S @ X)
    return P @ (S @ (T @ (B - A @ X)) - t @ X) + inner - P @ (A @ inner)


def _pull_lstsq_matrix(g: Any, X: Any, A: Any, B: Any, rcond: Any = None) -> Any:
    P = _inverse_of_lstsq(A, rcond)
    _check_rank(A, P, "lstsq", rcond)
    S = transposed(P)
    sides = S @ g
    found = (B - A @ X) @ transposed(P @ sides) - sides @ transposed(X)
    return found + (S @ X) @ transposed(g - transposed(A) @ sides)


def _push_lstsq_sides(t: Any, X: Any, A: Any, B: Any, rcond: Any = None) -> Any:
    return _inverse_of_lstsq(A, rcond) @ t


def _pull_lstsq_sides(g: Any, X: Any, A: Any, B: Any, rcond: Any = None) -> Any:
    return transposed(_inverse_of_lstsq(A, rcond)) @ g


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
            "qr of a matrix whose columns depend on each other is not differentiable; remove those "
            "that depend on others."
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
    return np.concatenate([values[..., np.newaxis, :], vectors], axis=-2)


def push_eig(t: Any, y: Any, A: Any) -> Any:
    """The derivative of eigenvalues and vectors along t; complex vectors may have any length."""
    w, V = y[..., 0, :], y[..., 1:, :]
    inner = np.linalg.solve(V, t @ V)
    dw = np.diagonal(inner, axis1=-2, axis2=-1)
    dV = V @ (inverse_gaps(w, "eigenvalues") * inner)
    if not is_complex(V):  # complex ones may have any length here: it is set afterwards
        dV = dV - V * np.sum(V * dV, axis=-2, keepdims=True)
    return np.concatenate([dw[..., np.newaxis, :], dV], axis=-2)


def pull_eig(g: Any, y: Any, A: Any) -> Any:
    """The transpose of `push_eig`, at g."""
    w, V = y[..., 0, :], y[..., 1:, :]
    gV = g[..., 1:, :]
    if not is_complex(V):
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
        (push_eig, pull_eig),
    ),
)
