"""Sums of exact residuals by a compiled loop over the rows, where numba is installed.

The loop does with each entry what :mod:`mcmodels.solvers.exact_products` does by slices and BLAS:
products and sums keep their rounding errors (Dekker 1971, *A floating-point technique for extending
the available precision*, Numerische Mathematik 18; Ogita, Rump and Oishi 2005, *Accurate sum and
dot product*, SIAM J. Sci. Comput. 26(6), algorithm 5.3). So its sums have about 106 bits, too. Its
operations are those of IEEE 754 in the written order: compiled or not, it gives the same bits.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from mcmodels.arrays import Array
from mcmodels.rows import RowBlock, Rows
from mcmodels.solvers.double_double import DoubleDouble, two_sum
from mcmodels.solvers.exact_products import ResidualSums

Kernel = Callable[..., float]

# Entries of a design from which numba is used. Once in a process it takes about 0.5 s to import it
# and to load what it compiled on this machine before, and about 2 s to compile it the first time.
_FEWEST_ENTRIES = 2**20
# Rows that are taken together: the processor works on several of them at once.
_TOGETHER = 16


@functools.cache
def compiled() -> Kernel | None:
    """The compiled loop; None where numba is missing or does not work."""
    try:
        import numba
    except ImportError:
        return None
    kernel: Kernel = numba.njit(nogil=True, cache=True)(add_residual_sums)
    return kernel


def kernel_for(rows: Rows) -> Kernel | None:
    """The compiled loop, where there are so many rows that it pays; else None."""
    return compiled() if rows.n_rows * rows.n_features >= _FEWEST_ENTRIES else None


def takes(block: RowBlock) -> bool:
    """Whether the loop can sum a block: of dense rows with one target."""
    return not sparse.issparse(block.X.X) and block.y.shape[1] == 1


def residual_sums(
    kernel: Kernel, block: RowBlock, coef: DoubleDouble, origin: Array, constant: DoubleDouble
) -> ResidualSums:
    """The sums of ``r = y - constant - (X - x₀)ᵀ coef`` over a block.

    Parameters
    ----------
    kernel : callable
        :func:`add_residual_sums`, compiled.
    block : RowBlock
        Dense rows with targets of shape (n_rows, 1).
    coef : DoubleDouble of shape (p, 1)
        Coefficients.
    origin : ndarray of shape (p,)
        x₀, a point near the rows.
    constant : DoubleDouble of shape (1,)
        What is subtracted from the targets.
    """
    p = len(origin)
    sums = np.zeros((p + 1, 4))
    squares = kernel(
        block.X.dense(),
        np.ascontiguousarray(block.y[:, 0]),
        np.zeros(0) if block.weights is None else np.ascontiguousarray(block.weights),
        np.stack([coef.hi[:, 0], coef.lo[:, 0]]),
        origin,
        np.array([constant.hi[0], constant.lo[0]]),
        sums,
    )
    products = DoubleDouble(*two_sum(sums[:p, :1], sums[:p, 1:2]))
    columns = DoubleDouble(*two_sum(sums[:p, 2], sums[:p, 3]))
    totals = DoubleDouble(*two_sum(sums[p, :1], sums[p, 1:2]))
    return ResidualSums(products, totals, columns, np.full((1, 1), squares))


def add_residual_sums(
    X: Any, y: Any, weights: Any, coef: Any, origin: Any, constant: Any, sums: Any
) -> float:
    """Add to ``sums``, in pairs (high, low), and return ``Σ wᵢrᵢ²``.

    Rows of ``sums``: for each column j ``Σ wᵢ(xᵢⱼ - x₀ⱼ)rᵢ`` and ``Σ wᵢ(xᵢⱼ - x₀ⱼ)``; last ``Σ
    wᵢrᵢ``. ``coef`` and ``constant`` hold their high parts, then their low ones; no weights are
    ones.

    Every ``s, t = a + b, error`` is the sum of Knuth, every product that of Dekker with Veltkamp's
    split. They are written out because numba has to find everything in one function to keep it on
    disk.
    """
    n_rows, p = X.shape
    weighted = len(weights) > 0
    split = 134217729.0  # 2²⁷ + 1
    x_hi, x_lo = np.zeros((p, _TOGETHER)), np.zeros((p, _TOGETHER))
    r_hi, r_lo = np.zeros(_TOGETHER), np.zeros(_TOGETHER)
    # The residuals and a one, times the weight.
    v_hi, v_lo, w = np.zeros(_TOGETHER), np.zeros(_TOGETHER), np.ones(_TOGETHER)
    products = np.zeros((2, p, _TOGETHER))
    columns = np.zeros((2, p, _TOGETHER))
    totals = np.zeros((2, _TOGETHER))
    squares = np.zeros(_TOGETHER)
    for start in range(0, n_rows, _TOGETHER):
        count = min(_TOGETHER, n_rows - start)
        for i in range(_TOGETHER):
            r_hi[i] = r_lo[i] = 0.0
        for i in range(count):
            a, b = y[start + i], -constant[0]
            s = a + b
            t = s - a
            r_hi[i] = s
            r_lo[i] = ((a - (s - t)) + (b - t)) - constant[1]
            if weighted:
                w[i] = weights[start + i]
        for j in range(p):
            b, b_lo, o = -coef[0, j], -coef[1, j], -origin[j]
            c = split * b
            b_high = c - (c - b)
            b_low = b - b_high
            for i in range(count):
                x_hi[j, i] = X[start + i, j]
            for i in range(count, _TOGETHER):
                x_hi[j, i] = -o
            for i in range(_TOGETHER):
                a = x_hi[j, i]
                x = a + o
                t = x - a
                e = (a - (x - t)) + (o - t)
                x_hi[j, i] = x
                x_lo[j, i] = e
                c = split * x
                high = c - (c - x)
                low = x - high
                q = x * b
                f = low * b_low - (((q - high * b_high) - low * b_high) - high * b_low)
                a = r_hi[i]
                s = a + q
                t = s - a
                r_hi[i] = s
                r_lo[i] += (f + ((a - (s - t)) + (q - t))) + (e * b + x * b_lo)
        for i in range(_TOGETHER):
            a, b = r_hi[i], r_lo[i]
            s = a + b
            e = b - (s - a)
            if weighted:
                c = split * s
                high = c - (c - s)
                low = s - high
                c = split * w[i]
                w_high = c - (c - w[i])
                w_low = w[i] - w_high
                q = s * w[i]
                f = low * w_low - (((q - high * w_high) - low * w_high) - high * w_low)
                v_hi[i] = q
                v_lo[i] = f + e * w[i]
            else:
                v_hi[i] = s
                v_lo[i] = e
            squares[i] += v_hi[i] * s
            a = totals[0, i]
            s = a + v_hi[i]
            t = s - a
            totals[0, i] = s
            totals[1, i] += ((a - (s - t)) + (v_hi[i] - t)) + v_lo[i]
        for j in range(p):
            for i in range(_TOGETHER):
                x, e, b = x_hi[j, i], x_lo[j, i], v_hi[i]
                c = split * x
                high = c - (c - x)
                low = x - high
                c = split * b
                b_high = c - (c - b)
                b_low = b - b_high
                q = x * b
                f = low * b_low - (((q - high * b_high) - low * b_high) - high * b_low)
                a = products[0, j, i]
                s = a + q
                t = s - a
                products[0, j, i] = s
                products[1, j, i] += (f + ((a - (s - t)) + (q - t))) + (x * v_lo[i] + e * b)
            for i in range(_TOGETHER):
                x, e = x_hi[j, i], x_lo[j, i]
                f = 0.0
                if weighted:
                    c = split * x
                    high = c - (c - x)
                    low = x - high
                    c = split * w[i]
                    w_high = c - (c - w[i])
                    w_low = w[i] - w_high
                    q = x * w[i]
                    f = low * w_low - (((q - high * w_high) - low * w_high) - high * w_low)
                    x, e = q, e * w[i]
                a = columns[0, j, i]
                s = a + x
                t = s - a
                columns[0, j, i] = s
                columns[1, j, i] += ((a - (s - t)) + (x - t)) + (f + e)
    for i in range(_TOGETHER):
        for j in range(p + 1):
            for k in range(2):
                if j == p and k == 1:
                    continue
                if j == p:
                    b, e = totals[0, i], totals[1, i]
                elif k == 0:
                    b, e = products[0, j, i], products[1, j, i]
                else:
                    b, e = columns[0, j, i], columns[1, j, i]
                a = sums[j, 2 * k]
                s = a + b
                t = s - a
                sums[j, 2 * k] = s
                sums[j, 2 * k + 1] += ((a - (s - t)) + (b - t)) + e
    return squares.sum()
