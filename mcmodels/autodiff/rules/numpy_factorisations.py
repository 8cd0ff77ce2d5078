"""NumPy's least squares, factorisations, condition numbers and equations of tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mcmodels.autodiff.rules.complex_factorisations import eigenvectors_of_lapack
from mcmodels.autodiff.rules.linear_algebra import transposed
from mcmodels.autodiff.tables import Axis, call, implements, normalized_axes, shape_of
from mcmodels.autodiff.tracing import NoRuleError, Traced, constant, is_complex

__all__: list[str] = []


@implements(np.linalg.pinv)
def _pinv(a: Any, rcond: Any = None, rtol: Any = None) -> Any:
    cut = rcond if rtol is None else rtol
    if isinstance(cut, Traced):
        raise NoRuleError("numpy.linalg.pinv has no rule for the derivative by rcond or rtol.")
    return call("pinv", a, **({} if cut is None else {"rcond": cut}))


@implements(np.linalg.lstsq)
def _lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    if isinstance(rcond, Traced):
        raise NoRuleError("numpy.linalg.lstsq has no rule for the derivative by rcond.")
    m, n = shape_of(a)
    columns = np.reshape(b, (m, -1)) if len(shape_of(b)) == 1 else b
    x = call("lstsq", a, columns, **({} if rcond is None else {"rcond": rcond}))
    rank = np.linalg.lstsq(constant(a), constant(columns), rcond)[2]
    residuals = np.sum(np.square(columns - a @ x), axis=0) if m > n == rank else x[:0, 0]
    if len(shape_of(b)) == 1:
        x = x[:, 0]
    s = call("svdvals", a) if isinstance(a, Traced) else np.linalg.svd(a, compute_uv=False)
    return x, residuals, rank, s


@implements(np.linalg.qr)
def _qr(a: Any, mode: str = "reduced") -> Any:
    m, n = shape_of(a)[-2:]
    if mode not in ("reduced", "r") and not (mode == "complete" and m <= n):
        raise NoRuleError(
            f"numpy.linalg.qr of a matrix of shape {(m, n)} has no rule with mode={mode!r}; choose "
            "'reduced' or 'r'."
        )
    k = min(m, n)
    packed = call("qr", a[..., :k])
    Q, R = packed[..., :m, :], packed[..., m:, :]
    if n > k:  # the first columns determine Q
        R = np.concatenate([R, transposed(Q) @ a[..., k:]], axis=-1)
    return R if mode == "r" else type(np.linalg.qr(np.eye(1)))(Q, R)


@implements(np.linalg.eig)
def _eig(a: Any) -> Any:
    packed = call("eig", a)
    values, vectors = packed[..., 0, :], packed[..., 1:, :]
    if is_complex(packed):
        vectors = eigenvectors_of_lapack(vectors, constant(values), is_complex(a))
    return type(np.linalg.eig(np.eye(1)))(values, vectors)


@implements(np.linalg.eigvals)
def _eigvals(a: Any) -> Any:
    return call("eig", a)[..., 0, :]


@implements(np.linalg.cond)
def _cond(x: Any, p: Any = None) -> Any:
    if isinstance(p, Traced):
        raise NoRuleError("numpy.linalg.cond has no rule for the derivative by p.")
    if p in (None, 2, -2):
        s = np.linalg.svd(x, compute_uv=False)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    sizes = (np.linalg.norm(A, p, axis=(-2, -1)) for A in (x, call("inv", x)))
    return math.prod(sizes)


@implements(np.linalg.tensorinv)
def _tensorinv(a: Any, ind: int = 2) -> Any:
    shape = shape_of(a)
    if ind <= 0:
        raise ValueError("numpy.linalg.tensorinv: ind must be positive")
    matrix = np.reshape(a, (math.prod(shape[:ind]), -1))
    return np.reshape(np.linalg.inv(matrix), shape[ind:] + shape[:ind])


@implements(np.linalg.tensorsolve)
def _tensorsolve(a: Any, b: Any, axes: Axis = None) -> Any:
    ndim = len(shape_of(a))
    if axes is not None:
        last = normalized_axes(axes, ndim)
        a = np.transpose(a, tuple(k for k in range(ndim) if k not in last) + last)
    shape = shape_of(a)[len(shape_of(b)) :]
    size = math.prod(shape)
    return np.reshape(np.linalg.solve(np.reshape(a, (-1, size)), np.ravel(b)), shape)


@implements(np.linalg.vector_norm)
def _vector_norm(x: Any, /, *, axis: Axis = None, keepdims: bool = False, ord: Any = 2) -> Any:
    shape = shape_of(x)
    axes = normalized_axes(axis, len(shape))
    rest = tuple(k for k in range(len(shape)) if k not in axes)
    rows = np.reshape(np.transpose(x, rest + axes), (*(shape[k] for k in rest), -1))
    found = np.linalg.norm(rows, ord, axis=-1)
    return np.expand_dims(found, axes) if keepdims and axes else found


@implements(np.linalg.matrix_norm)
def _matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return np.linalg.norm(x, ord, axis=(-2, -1), keepdims=keepdims)


@implements(np.linalg.matmul)
def _matmul(x1: Any, x2: Any, /) -> Any:
    return np.matmul(x1, x2)


@implements(np.linalg.vecdot)
def _vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    return np.sum(np.moveaxis(x1, axis, -1) * np.moveaxis(x2, axis, -1), axis=-1)
