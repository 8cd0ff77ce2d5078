"""Real functions of real numbers that go through complex ones: parts, conjugates and Fourier sums.

A cotangent g of a complex value z is the number with ``dL = Re(g dz)``, the convention of JAX. Then
the rule of a function that is complex differentiable is the same for real and for complex numbers,
without conjugates, and its transpose, too. Functions that are not complex differentiable have rules
of their own here; all others are refused. Of a real argument, only the real part of its cotangent
matters. Taking it commutes with real linear maps, so it is taken where numbers become real, and at
the arguments that are differentiated by.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.special as sp

from mcmodels.autodiff.rules import (  # noqa: F401  (some of their rules are marked here)
    arrangement,
    complex_factorisations,
    elementwise,
    factorisations,
    linear_algebra,
    numpy_convolutions,
    products,
    scipy_matrices,
    signal_filters,
    special,
)
from mcmodels.autodiff.tables import (
    COMPLEX_FUNCTIONS,
    RULES,
    add,
    call,
    implements,
    matrix_function,
    warn_kink,
)
from mcmodels.autodiff.tracing import DerivativeRule, constant, is_complex

# Complex differentiable: their rules hold for complex numbers as they are.
_HOLOMORPHIC = (
    np.add, np.subtract, np.multiply, np.divide, np.power, np.negative, np.positive, np.reciprocal,
    np.square, np.sqrt, np.exp, np.expm1, np.log, np.log1p, np.log2, np.log10, np.sin, np.cos,
    np.tan, np.sinh, np.cosh, np.tanh, np.arctan, np.arcsin, np.arccos, np.arcsinh, np.arccosh,
    np.arctanh, np.exp2, sp.erf, sp.erfc, np.matmul, "einsum", "where",
    "getitem", "scatter", "reshape", "transpose", "broadcast_to", "astype", "sum", "cumsum",
    "tril", "triu", "concatenate", "inv", "solve", "det", "solve_triangular", "sech_squared", "eig",
    "solve_sylvester", "sqrtm", "logm", "expm", "cosm", "sinm", "convolve_nd", "lfilter",
    "eigh_complex", "svd_complex", "logdet_complex", "lu", "convolve",
)  # fmt: skip
for _key in _HOLOMORPHIC:
    RULES[_key] = dataclasses.replace(RULES[_key], holomorphic=True)

# Written with such functions alone, and of the same meaning for complex numbers in NumPy.
COMPLEX_FUNCTIONS |= {
    np.reshape, np.ravel, np.copy, np.transpose, np.permute_dims, np.matrix_transpose,
    np.linalg.matrix_transpose, np.swapaxes, np.moveaxis, np.expand_dims, np.squeeze, np.atleast_1d,
    np.atleast_2d, np.broadcast_to, np.flip, np.flipud, np.fliplr, np.roll, np.rot90, np.tile,
    np.repeat, np.take, np.take_along_axis, np.delete, np.diagonal, np.linalg.diagonal, np.diag,
    np.trace, np.linalg.trace, np.tril, np.triu, np.concatenate, np.stack, np.vstack, np.hstack,
    np.column_stack, np.append, np.split, np.array_split, np.where, np.sum, np.mean, np.prod,
    np.cumsum, np.diff, np.dot, np.inner, np.outer, np.tensordot, np.linalg.tensordot, np.kron,
    np.einsum, np.linalg.multi_dot, np.linalg.inv, np.linalg.solve, np.linalg.det,
    np.linalg.matrix_power, np.full_like, np.zeros_like, np.ones_like, np.empty_like, np.vdot,
    np.linalg.norm, np.linalg.eigvals, np.linalg.eig,
    np.linalg.eigh, np.linalg.eigvalsh, np.linalg.svd, np.linalg.svdvals, np.var, np.std, np.max,
    np.amax, np.min, np.amin, np.real_if_close, np.linalg.slogdet, np.linalg.cholesky,
    np.linalg.cond, np.polyval, np.trapezoid, np.convolve, np.block, np.dstack, np.pad, np.average,
    np.cross,
    np.select, np.hsplit, np.vsplit, np.insert, np.ediff1d, np.broadcast_arrays, np.cumprod,
    np.compress,
}  # fmt: skip


def real_part(x: Any) -> Any:
    """The real part, of complex numbers only."""
    return call("real", x) if is_complex(x) else x


def _imag(x: Any) -> Any:
    return np.array(np.imag(x))


def _pull_imag(g: Any, y: Any, x: Any) -> Any:
    return real_part(g) * -1j if is_complex(x) else 0.0 * real_part(g)


_absolute_of_reals = RULES.pop(np.absolute)


def _direction(y: Any, z: Any) -> Any:
    """``z̄/|z|``; 0 where z is 0."""
    zero = np.asarray(constant(y)) == 0
    warn_kink(zero, "abs is not differentiable at 0; 0 is taken for its derivative.")
    return np.conjugate(z) / (np.where(zero, 1.0, y) if zero.any() else y)


def _push_absolute(i: int, dx: Any, y: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    if is_complex(args[0]):
        return real_part(_direction(y, args[0]) * dx)
    return _absolute_of_reals.push(i, dx, y, args, kwargs)


def _pull_absolute(i: int, g: Any, y: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    if is_complex(args[0]):
        return real_part(g) * _direction(y, args[0])
    return _absolute_of_reals.pull(i, g, y, args, kwargs)


_, _of_conjugate = matrix_function(
    "conjugate",
    np.conjugate,
    "d z̄ = dz̄",
    (lambda t, y, z: np.conjugate(t), lambda g, y, z: np.conjugate(g)),
)
add(
    matrix_function(
        "real",
        lambda x: np.array(np.real(x)),
        "d Re z = Re dz",
        (lambda t, y, z: real_part(t), lambda g, y, z: real_part(g)),
    ),
    matrix_function(
        "imag",
        _imag,
        "d Im z = Im dz",
        (lambda t, y, z: call("imag", t), _pull_imag),
    ),
    (np.conjugate, dataclasses.replace(_of_conjugate, holomorphic=True)),
    (
        np.absolute,
        DerivativeRule(
            "absolute",
            np.absolute,
            "d|x| = sign(x) dx, d|z| = Re(z̄ dz)/|z|",
            _push_absolute,
            _pull_absolute,
        ),
    ),
)


@implements(np.real)
def _real_of(val: Any) -> Any:
    return call("real", val)


@implements(np.imag)
def _imag_of(val: Any) -> Any:
    return call("imag", val)


@implements(np.angle)
def _angle(z: Any, deg: bool = False) -> Any:
    angle = np.arctan2(call("imag", z), call("real", z))
    return np.rad2deg(angle) if deg else angle


COMPLEX_FUNCTIONS |= {np.real, np.imag, np.angle}
