"""Sums of exact residuals by a compiled loop over the rows, where numba is installed.

The loop does with each entry what :mod:`mcmodels.solvers.exact_products` does by slices and BLAS:
products and sums keep their rounding errors (Dekker 1971, *A floating-point technique for extending
the available precision*, Numerische Mathematik 18; Ogita, Rump and Oishi 2005, *Accurate sum and
dot product*, SIAM J. Sci. Comput. 26(6), algorithms 3.5 and 5.3). So its sums have about 106 bits,
too. Compiled, the error of a product is one fused multiplication and addition in place of Dekker's
seventeen operations. Both give the same number, the exact error, unless numbers overflow or
underflow. All other operations are those of IEEE 754 in the written order. So the loop gives the
same bits, compiled or not.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from mcmodels.arrays import Array
from mcmodels.rows import RowBlock, Rows
from mcmodels.solvers.double_double import DoubleDouble, two_product, two_sum
from mcmodels.solvers.exact_products import ResidualSums

Kernel = Callable[..., float]

# Entries of a design from which numba is used. Once in a process it takes about 0.3 s to import it
# and to load what it compiled on this machine before, and about 2 s to compile it the first time.
_FEWEST_ENTRIES = 2**20
# Rows that are taken together: the processor works on several of them at once. Of 8, 16, 32 and 64
# rows, 32 took the least time.
_TOGETHER = 32


@functools.cache
def compiled() -> Kernel | None:
    """The compiled loop; None where numba is missing, or cannot keep what it compiles on disk."""
    try:
        import numba
        from numba.extending import intrinsic, overload, register_jitable
    except ImportError:
        return None
    float64 = numba.types.float64

    @intrinsic
    def fused(typing: Any, a: Any, b: Any, c: Any) -> Any:
        """``fl(ab + c)`` with one rounding."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.fma(*arguments)

        return float64(float64, float64, float64), generate

    @overload(two_product, strict=False)  # annotations may differ
    def fused_two_product(a: Any, b: Any) -> Any:
        return lambda a, b: (a * b, fused(a, b, -(a * b)))

    register_jitable(two_sum)
    try:
        kernel: Kernel = numba.njit(nogil=True, cache=True)(add_residual_sums)
    except RuntimeError:  # no folder to keep it in
        return None
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
    ones. Each of the rows that are taken together has its own sums, which are added at the end.
    """
    n_rows, p = X.shape
    weighted = len(weights) > 0
    x_hi, x_lo = np.zeros((p, _TOGETHER)), np.zeros((p, _TOGETHER))
    r_hi, r_lo, w = np.zeros(_TOGETHER), np.zeros(_TOGETHER), np.ones(_TOGETHER)
    # Residuals times weights.
    v_hi, v_lo = np.zeros(_TOGETHER), np.zeros(_TOGETHER)
    products, columns = np.zeros((2, p, _TOGETHER)), np.zeros((2, p, _TOGETHER))
    totals, squares = np.zeros((2, _TOGETHER)), np.zeros(_TOGETHER)
    for start in range(0, n_rows, _TOGETHER):
        count = min(_TOGETHER, n_rows - start)
        for i in range(_TOGETHER):  # rows beyond the last are zero
            r_hi[i] = r_lo[i] = 0.0
        for i in range(count):
            r_hi[i], e = two_sum(y[start + i], -constant[0])
            r_lo[i] = e - constant[1]
            if weighted:
                w[i] = weights[start + i]
        # Entries are read in the order in which they lie in memory.
        if X.strides[0] < X.strides[1]:
            for j in range(p):
                for i in range(count):
                    x_hi[j, i] = X[start + i, j]
        else:
            for i in range(count):
                for j in range(p):
                    x_hi[j, i] = X[start + i, j]
        for j in range(p):
            for i in range(count, _TOGETHER):
                x_hi[j, i] = origin[j]
            for i in range(_TOGETHER):
                x, x_error = two_sum(x_hi[j, i], -origin[j])
                x_hi[j, i], x_lo[j, i] = x, x_error
                fitted, f = two_product(x, -coef[0, j])
                r_hi[i], e = two_sum(r_hi[i], fitted)
                r_lo[i] += (f + e) + (x_error * -coef[0, j] + x * -coef[1, j])
        for i in range(_TOGETHER):
            r, r_error = two_sum(r_hi[i], r_lo[i])
            v_hi[i], v_lo[i] = r, r_error
            if weighted:
                v_hi[i], e = two_product(r, w[i])
                v_lo[i] = e + r_error * w[i]
            squares[i] += v_hi[i] * r
            totals[0, i], e = two_sum(totals[0, i], v_hi[i])
            totals[1, i] += e + v_lo[i]
        for j in range(p):
            for i in range(_TOGETHER):
                x, x_error = x_hi[j, i], x_lo[j, i]
                term, f = two_product(x, v_hi[i])
                products[0, j, i], e = two_sum(products[0, j, i], term)
                products[1, j, i] += (f + e) + (x * v_lo[i] + x_error * v_hi[i])
            for i in range(_TOGETHER):
                x, x_error = x_hi[j, i], x_lo[j, i]
                if weighted:
                    x, f = two_product(x, w[i])
                    x_error = f + x_error * w[i]
                columns[0, j, i], e = two_sum(columns[0, j, i], x)
                columns[1, j, i] += e + x_error
    for i in range(_TOGETHER):
        for j in range(p):
            sums[j, 0], e = two_sum(sums[j, 0], products[0, j, i])
            sums[j, 1] += e + products[1, j, i]
            sums[j, 2], e = two_sum(sums[j, 2], columns[0, j, i])
            sums[j, 3] += e + columns[1, j, i]
        sums[p, 0], e = two_sum(sums[p, 0], totals[0, i])
        sums[p, 1] += e + totals[1, i]
    return squares.sum()
