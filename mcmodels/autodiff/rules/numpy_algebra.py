"""NumPy's products of arrays and linear algebra, written with functions that have rules."""

from __future__ import annotations

import operator
import string
from typing import Any

import numpy as np

from mcmodels.autodiff.rules.complex_factorisations import (
    adjoint,
    cholesky_of_complex,
    eigh_of_complex,
    slogdet_of_complex,
    svd_of_complex,
)
from mcmodels.autodiff.rules.einsum import plain_subscripts
from mcmodels.autodiff.rules.linear_algebra import transposed
from mcmodels.autodiff.tables import Axis, call, implements, normalized_axes, shape_of, warn_kink
from mcmodels.autodiff.tracing import NoRuleError, Traced, constant, is_complex


@implements(np.dot)
def _dot(a: Any, b: Any) -> Any:
    if not (shape_of(a) and shape_of(b)):
        return a * b
    if len(shape_of(a)) <= 2 and len(shape_of(b)) <= 2:
        return a @ b
    return _tensordot(a, b, (-1, -min(2, len(shape_of(b)))))


@implements(np.inner)
def _inner(a: Any, b: Any) -> Any:
    return a * b if not (shape_of(a) and shape_of(b)) else _tensordot(a, b, (-1, -1))


@implements(np.vdot)
def _vdot(a: Any, b: Any) -> Any:
    a = np.conjugate(a) if is_complex(a) else a
    return np.ravel(a) @ np.ravel(b)


@implements(np.outer, np.linalg.outer)
def _outer(a: Any, b: Any) -> Any:
    return np.ravel(a)[:, np.newaxis] * np.ravel(b)


@implements(np.tensordot, np.linalg.tensordot)
def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    m, n = len(shape_of(a)), len(shape_of(b))
    if isinstance(axes, int):
        axes = (range(m - axes, m), range(axes))
    left, right = (
        [int(k) % ndim for k in np.atleast_1d(part)]
        for part, ndim in zip(axes, (m, n), strict=True)
    )
    if [shape_of(a)[k] for k in left] != [shape_of(b)[k] for k in right]:
        raise ValueError(
            f"numpy.tensordot: shapes {shape_of(a)} and {shape_of(b)} do not fit along axes {left} "
            f"and {right}."
        )
    letters = iter(string.ascii_letters)
    of_a = [next(letters) for _ in range(m)]
    of_b = [of_a[left[right.index(k)]] if k in right else next(letters) for k in range(n)]
    kept = [x for k, x in enumerate(of_a) if k not in left]
    kept += [x for k, x in enumerate(of_b) if k not in right]
    subscripts = f"{''.join(of_a)},{''.join(of_b)}->{''.join(kept)}"
    return call("einsum", a, b, subscripts=subscripts, optimize=True)


@implements(np.kron)
def _kron(a: Any, b: Any) -> Any:
    ndim = max(len(shape_of(a)), len(shape_of(b)))
    a = np.reshape(a, (1,) * (ndim - len(shape_of(a))) + shape_of(a))
    b = np.reshape(b, (1,) * (ndim - len(shape_of(b))) + shape_of(b))
    m, n = shape_of(a), shape_of(b)
    spread_a = np.reshape(a, tuple(k for length in m for k in (length, 1)))
    spread_b = np.reshape(b, tuple(k for length in n for k in (1, length)))
    return np.reshape(spread_a * spread_b, tuple(i * j for i, j in zip(m, n, strict=True)))


@implements(np.einsum)
def _einsum(*operands: Any, optimize: Any = False) -> Any:
    subscripts, arrays = plain_subscripts(*operands)
    return call("einsum", *arrays, subscripts=subscripts, optimize=optimize)


@implements(np.linalg.multi_dot)
def _multi_dot(arrays: Any) -> Any:
    product = arrays[0]
    for factor in arrays[1:]:
        product = product @ factor
    return product


@implements(np.linalg.inv)
def _inv(a: Any) -> Any:
    return call("inv", a)


@implements(np.linalg.solve)
def _solve(a: Any, b: Any) -> Any:
    if len(shape_of(b)) == 1:
        return call("solve", a, np.reshape(b, (-1, 1)))[..., 0]
    return call("solve", a, b)


@implements(np.linalg.det)
def _det(a: Any) -> Any:
    return call("det", a)


@implements(np.linalg.slogdet)
def _slogdet(a: Any) -> Any:
    kind = type(np.linalg.slogdet(np.eye(1)))
    if is_complex(a):
        return kind(*slogdet_of_complex(a))
    packed = call("slogdet", a)
    return kind(constant(packed)[..., 0], packed[..., 1])


@implements(np.linalg.cholesky)
def _cholesky(a: Any, *, upper: bool = False) -> Any:
    if is_complex(a):
        return adjoint(cholesky_of_complex(adjoint(a))) if upper else cholesky_of_complex(a)
    return transposed(call("cholesky", transposed(a))) if upper else call("cholesky", a)


@implements(np.linalg.eigh)
def _eigh(a: Any, UPLO: str = "L") -> Any:
    kind = type(np.linalg.eigh(np.eye(1)))
    if is_complex(a):
        return kind(*eigh_of_complex(a, UPLO, True))
    packed = call("eigh", a, UPLO=UPLO)
    return kind(packed[..., 0, :], packed[..., 1:, :])


@implements(np.linalg.eigvalsh)
def _eigvalsh(a: Any, UPLO: str = "L") -> Any:
    return eigh_of_complex(a, UPLO, False)[0] if is_complex(a) else call("eigvalsh", a, UPLO=UPLO)


@implements(np.linalg.svd)
def _svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    if not compute_uv:
        return _svdvals(a)
    m, n = shape_of(a)[-2:]
    if full_matrices and m != n:
        raise NoRuleError(
            "numpy.linalg.svd of a matrix that is not square has no rule with full_matrices=True: "
            "the vectors beyond its rank are not determined. Pass full_matrices=False."
        )
    kind = type(np.linalg.svd(np.eye(1)))
    if is_complex(a):
        return kind(*svd_of_complex(a, True))
    packed = call("svd", a)
    return kind(packed[..., :m, :], packed[..., m, :], transposed(packed[..., m + 1 :, :]))


@implements(np.linalg.svdvals)
def _svdvals(x: Any) -> Any:
    return svd_of_complex(x, False)[1] if is_complex(x) else call("svdvals", x)


@implements(np.linalg.matrix_power)
def _matrix_power(a: Any, n: int) -> Any:
    n = operator.index(n)
    if n < 0:
        return _matrix_power(call("inv", a), -n)
    power = np.eye(shape_of(a)[-1]) + 0 * a if n == 0 else None
    while n:
        if n % 2:
            power = a if power is None else power @ a
        n //= 2
        a = a @ a if n else a
    return power


@implements(np.linalg.norm)
def _norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Any:
    axes = normalized_axes(axis, len(shape_of(x)))
    if isinstance(ord, Traced):
        raise NoRuleError("numpy.linalg.norm has no rule for the derivative by ord.")
    euclidean = ord is None or (ord == "fro" and len(axes) == 2) or (ord == 2 and len(axes) == 1)
    if is_complex(x) and (len(axes) < 2 or euclidean or ord in (1, -1, np.inf, -np.inf)):
        x = _of_real_numbers(x, euclidean, axes)
    if euclidean:
        return call("norm", x, axis=axis, keepdims=keepdims)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) != 2:
        raise NoRuleError(f"numpy.linalg.norm with ord={ord!r} over {len(axes)} axes has no rule.")
    if ord in (1, -1, np.inf, -np.inf):
        summed, _ = axes if abs(ord) == 1 else axes[::-1]
        sums = np.sum(np.abs(x), axis=summed, keepdims=True)
        return (np.max if ord > 0 else np.min)(sums, axis=axes, keepdims=keepdims)
    if ord not in (2, -2, "nuc"):
        raise NoRuleError(f"numpy.linalg.norm of a matrix with ord={ord!r} has no rule.")
    s = _svdvals(np.moveaxis(x, axes, (-2, -1)))
    of_values = np.sum(s, axis=-1) if ord == "nuc" else s[..., 0 if ord == 2 else -1]
    return np.expand_dims(of_values, tuple(sorted(axes))) if keepdims else of_values


def _of_real_numbers(z: Any, euclidean: bool, axes: tuple[int, ...]) -> Any:
    """Real numbers of the same norm as complex ones."""
    if euclidean and axes:
        return np.concatenate([np.real(z), np.imag(z)], axis=axes[0])
    return np.abs(z)


def _vector_norm(x: Any, ord: Any, axis: int, keepdims: bool) -> Any:
    if ord == 0 or isinstance(ord, str):
        raise NoRuleError(f"numpy.linalg.norm of a vector with ord={ord!r} has no rule.")
    # For ord > 1, |x|^ord is smooth at 0, but np.abs would warn of a kink there.
    size = x * np.sign(constant(x)) if ord > 1 else np.abs(x)
    if ord in (np.inf, -np.inf):
        return (np.max if ord > 0 else np.min)(size, axis=axis, keepdims=keepdims)
    if ord == 1:
        return np.sum(size, axis=axis, keepdims=keepdims)
    total = np.sum(size**ord, axis=axis, keepdims=keepdims)
    zero = constant(total) == 0
    if ord < 1 or not np.any(zero):
        return total ** (1.0 / ord)
    warn_kink(zero, "a norm is not differentiable at 0; 0 is taken for its derivative.")
    return np.where(zero, 0.0, np.where(zero, 1.0, total) ** (1.0 / ord))
