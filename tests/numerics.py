"""Numerical derivatives and error measures that the tests prove formulas with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def relative_error(actual, expected) -> float:
    """Largest deviation, relative to the largest entry expected (absolute if all are zero)."""
    actual, expected = np.asarray(actual, dtype=float), np.asarray(expected, dtype=float)
    assert actual.shape == expected.shape, f"shapes {actual.shape} and {expected.shape}"
    if expected.size == 0:
        return 0.0
    scale = np.abs(expected).max()
    return float(np.abs(actual - expected).max() / (scale if scale > 0 else 1.0))


def correct_digits(estimate: float, reference) -> float:
    """Log relative error, the measure of the NIST data sets; 17 when equal as float64."""
    reference = float(reference)
    if estimate == reference:
        return 17.0
    error = abs(estimate - reference) / (abs(reference) if reference else 1.0)
    return float(-np.log10(error))


def central_differences(f: Callable, x: np.ndarray, step: float = 1e-3) -> np.ndarray:
    """Derivative of f at x by five-point central differences; shape of f(x) + shape of x.

    The truncation error is step⁴ f⁽⁵⁾/30 and the rounding error about 1.5 ε|f|/step, which balance
    near step = 1e-3.
    """
    x = np.asarray(x, dtype=float)
    columns = []
    for i in range(x.size):
        h = step * max(1.0, abs(x.flat[i]))

        def at(multiple, i=i, h=h):
            moved = x.copy()
            moved.flat[i] += multiple * h
            return np.asarray(f(moved))

        columns.append((at(-2) - 8 * at(-1) + 8 * at(1) - at(2)) / (12 * h))
    derivative = np.stack(columns, axis=-1)
    return derivative.reshape(derivative.shape[:-1] + x.shape)


def complex_step(f: Callable, x: np.ndarray) -> np.ndarray:
    """Derivative of an analytic f at x by the complex step: no subtraction, no truncation error.

    Squire and Trapp (1998), SIAM Review 40(1).
    """
    x = np.asarray(x, dtype=float)
    h = 1e-200
    columns = []
    for i in range(x.size):
        moved = x.astype(complex)
        moved.flat[i] += 1j * h
        columns.append(np.imag(np.asarray(f(moved))) / h)
    derivative = np.stack(columns, axis=-1)
    return derivative.reshape(derivative.shape[:-1] + x.shape)


def integer_products(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """``AᵀB`` of int64 matrices, exactly, as Python's integers; A has shape (n, p), B (n, q).

    The columns are cut into numbers of so few bits that sums over n of their products stay below
    2⁵³: float64 holds each partial sum, in whatever order BLAS takes them. Python adds the parts.
    """
    bits = (53 - len(A).bit_length()) // 2

    def cut(M):
        """Floats whose sum of ``part[k] · 2^(bits k)`` is M; the last one has the sign."""
        parts, left = [], np.asarray(M, dtype=np.int64)
        while np.abs(left).max(initial=0) >> bits:
            parts.append((left & ((1 << bits) - 1)).astype(float))
            left = left >> bits
        return [*parts, left.astype(float)]

    of_b = cut(B)
    total = np.zeros((A.shape[1], B.shape[1]), dtype=object)
    for i, a in enumerate(cut(A)):
        for j, b in enumerate(of_b):
            total += (a.T @ b).astype(np.int64).astype(object) << bits * (i + j)
    return total
