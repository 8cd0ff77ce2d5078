"""Routines of BLAS and LAPACK during which other threads run.

SciPy's Python functions hold the interpreter's lock, so that two threads take as long as one: the
triangular product of a whitened walk over 200,000×20 rows was half of it. The same routines in
SciPy's interface for Cython need no lock, and ctypes gives it up while it calls them.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.linalg import cython_blas, cython_lapack

from mcmodels.arrays import Array

# Prototypes of our own: those of ctypes.pythonapi are shared with all other packages.
_capsule_name = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(
    ("PyCapsule_GetName", ctypes.pythonapi)
)
_capsule_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


@functools.cache
def _routine(name: str) -> Callable[..., None]:
    """A routine that takes characters as bytes, integers, floats, and arrays of float64."""
    for module in (cython_blas, cython_lapack):
        if name in module.__pyx_capi__:
            capsule = module.__pyx_capi__[name]
    signature = _capsule_name(capsule)  # "void (char *, int *, …)"
    n_arguments = signature.count(b",") + 1
    integer = ctypes.c_int if b"int *" in signature else ctypes.c_int64

    @functools.lru_cache(maxsize=256)
    def by_reference(number: int) -> Any:
        return ctypes.byref(integer(number))

    prototype = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * n_arguments)
    function = prototype(_capsule_pointer(capsule, signature))

    def call(*arguments: Any) -> None:
        function(*[_passed(argument, by_reference) for argument in arguments])

    return call


def _passed(argument: Any, by_reference: Callable[[int], Any]) -> Any:
    if isinstance(argument, np.ndarray):
        return argument.ctypes.data
    if isinstance(argument, bytes):
        return argument
    if isinstance(argument, float):
        return ctypes.byref(ctypes.c_double(argument))
    return by_reference(int(argument))


def _require(orders_and_shapes_fit: bool, *arrays: Array) -> None:
    """Refuse arrays of another form: BLAS would write outside their memory."""
    if not orders_and_shapes_fit or any(array.dtype != np.float64 for array in arrays):
        raise ValueError("the order, shape or dtype of an array is not that of the routine")


def times_triangle(X: Array, upper: Array) -> None:
    """``X := X upper`` for C-ordered rows and an F-ordered upper triangle."""
    n, p = X.shape
    _require(X.flags.c_contiguous and upper.flags.f_contiguous and upper.shape == (p, p), X, upper)
    if not X.size:  # BLAS refuses matrices without rows
        return
    # BLAS sees rows of C order as columns: the transpose of the product is upperᵀ Xᵀ.
    _routine("dtrmm")(b"L", b"U", b"T", b"N", p, n, 1.0, upper, p, X, p)


def add_rows_to_factor(R: Array, Z: Array, n_triangular: int, together: int) -> None:
    """``R := `` the triangle of R and of rows Z, by reflections, so many of them together.

    Both are F-ordered, and Z is overwritten; its last ``n_triangular`` rows are triangular.
    """
    n, q = Z.shape
    _require(R.flags.f_contiguous and Z.flags.f_contiguous and R.shape == (q, q), R, Z)
    T, work, info = np.empty((q, together)), np.empty(q * together), np.zeros(1, dtype=np.int64)
    _routine("dtpqrt")(n, q, n_triangular, together, R, q, Z, n, T, together, work, info)
