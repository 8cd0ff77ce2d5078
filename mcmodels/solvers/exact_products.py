"""Residuals and their products with the columns, to 20 digits and more, by ordinary BLAS.

Matrices are cut into slices of so few bits that products of slices, and their sums, are exact in
float64 in whatever order BLAS adds them: Ozaki, Ogita, Oishi and Rump (2012), *Error-free
transformations of matrix multiplication by using fast routines of matrix multiplication and its
applications*, Numerical Algorithms 59. What is left of a matrix after its slices is small, and is
multiplied in working precision. With slices of 20 bits of X, each residual has an error of about
``2⁻⁷³ Σⱼ |xᵢⱼ βⱼ|`` with one slice and ``2⁻⁹³ Σⱼ |xᵢⱼ βⱼ|`` with two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows import RowBlock, Scratch
from mcmodels.rows.blocks import product, subtract_row
from mcmodels.solvers.double_double import DoubleDouble, two_sum

# Bits of a float64, and of a slice of X.
_BITS, _BITS_OF_X = 53, 20
# Most slices of X: they hold all bits of entries that are not far below the largest of a column.
MOST_SLICES = 3


@dataclass(frozen=True)
class SlicedColumns:
    """The columns of some rows, minus a point: ``X - x₀ = Σ slices + rest``.

    Parameters
    ----------
    slices : list of ndarray of shape (n_rows, p)
        Each entry is a multiple of ``2⁻²⁰ units`` (of the second slice, ``2⁻⁴⁰ units``, …), at most
        2²⁰ of it.
    rest : ndarray of shape (n_rows, p)
        What is left.
    units : ndarray of shape (p,)
        Powers of two that bound the columns.
    """

    slices: list[Array]
    rest: Array
    units: Array

    @classmethod
    def of(
        cls,
        X: Array,
        origin: Array,
        n_slices: int,
        scratch: Scratch,
        bounds: Array | None = None,
    ) -> Self:
        """Cut rows into slices; they are work arrays, which the next call overwrites.

        Parameters
        ----------
        X : ndarray of shape (n_rows, p)
            The rows.
        origin : ndarray of shape (p,)
            x₀.
        n_slices : int
            Number of slices.
        scratch : Scratch
            Work arrays.
        bounds : ndarray of shape (p,), default=None
            Bounds of ``|X - x₀|``; without them the rows are searched. Each factor of two by which
            they are too large costs a bit.
        """
        rest, error = scratch.array("rest of slices", X.shape), None
        if origin.any():
            X, error = two_sum(X, -origin)
        if bounds is None:
            bounds = np.maximum(X.max(axis=0), -X.min(axis=0))
        units, slices = power_of_two_above(bounds), []
        for k in range(n_slices):
            part = scratch.array(f"slice {k}", X.shape)
            constant = _rounding_constant(units * 2.0 ** (-k * _BITS_OF_X), _BITS_OF_X)
            subtract_row(X, -constant, out=part)
            subtract_row(part, constant, out=part)
            np.subtract(X, part, out=rest)
            X = rest
            slices.append(part)
        if error is not None:
            rest += error
        return cls(slices, rest, units)

    def times(self, coef: DoubleDouble) -> DoubleDouble:
        """``(X - x₀) coef`` for coef of shape (p, m); the result has shape (m, n_rows)."""
        bits = _BITS - _BITS_OF_X - _bits_of_count(len(self.units))
        parts = _sliced(coef, self.units, bits, 2)
        return self._added(parts, coef.hi, lambda A, B: product(A, B).T)

    def residuals(self, y: Array, coef: DoubleDouble, constant: DoubleDouble) -> DoubleDouble:
        """``y - constant - (X - x₀) coef``, shape (m, n_rows), for y of shape (n_rows, m)."""
        fitted = self.times(coef)
        hi, error = two_sum(np.ascontiguousarray(y.T), -constant.hi[:, np.newaxis])
        hi, second = two_sum(hi, -fitted.hi)
        low = (error + second) - (constant.lo[:, np.newaxis] + fitted.lo)
        return DoubleDouble(*two_sum(hi, low))

    def products(self, values: DoubleDouble) -> tuple[DoubleDouble, DoubleDouble]:
        """``(X - x₀)ᵀ values`` and ``Σ values`` for values of shape (n_rows, m)."""
        n_rows = len(values.hi)
        bits = _BITS - _BITS_OF_X - _bits_of_count(n_rows)
        parts = _sliced(values, np.ones(n_rows), bits, len(self.slices) + 1)
        sums = np.stack([part.sum(axis=0) for part in parts])
        total = DoubleDouble.of(sums).sum(axis=0)
        return self._added(parts, values.hi, lambda A, B: product(A.T, B)), total

    def column_sums(self) -> DoubleDouble:
        """``Σ (X - x₀)``, shape (p,)."""
        ones = np.ones(len(self.rest))
        return self._added([ones, None], ones, lambda A, B: product(A.T, B))

    def _added(
        self,
        parts: Sequence[Array | None],
        whole: Array,
        multiply: Callable[[Array, Any], Array],
    ) -> DoubleDouble:
        """Products with the parts of a matrix, and of the rest of the columns with the whole.

        Those with the last part are as small as they are inexact; the others are exact.
        """
        last = parts[-1]
        small = multiply(self.rest, whole)
        hi, lo = np.zeros_like(small), np.zeros_like(small)
        for columns in self.slices:
            for part in parts[:-1]:
                hi, error = two_sum(hi, multiply(columns, part))
                lo += error
            if last is not None:
                small += multiply(columns, last)
        return DoubleDouble(*two_sum(hi, lo + small))


def unit_of_slices(n_slices: int) -> float:
    """Relative rounding error of products with so many slices of X."""
    return 2.0 ** (-_BITS - n_slices * _BITS_OF_X)


@dataclass
class ResidualSums:
    """Sums over rows of residuals r and of their products with the columns; ``+=`` adds others.

    Parameters
    ----------
    products : DoubleDouble of shape (p, m)
        ``Σ wᵢ (xᵢ - x₀) rᵢᵀ``.
    totals : DoubleDouble of shape (m,)
        ``Σ wᵢ rᵢ``.
    columns : DoubleDouble of shape (p,)
        ``Σ wᵢ (xᵢ - x₀)``.
    scatter : ndarray of shape (m, m)
        ``Σ wᵢ rᵢ rᵢᵀ``.
    """

    products: DoubleDouble
    totals: DoubleDouble
    columns: DoubleDouble
    scatter: Array

    def __iadd__(self, other: ResidualSums) -> Self:
        self.products = self.products + other.products
        self.totals = self.totals + other.totals
        self.columns = self.columns + other.columns
        self.scatter += other.scatter
        return self

    @classmethod
    def of_block(
        cls,
        block: RowBlock,
        coef: DoubleDouble,
        origin: Array,
        constant: DoubleDouble,
        n_slices: int,
        bounds: Array | None = None,
    ) -> Self:
        """The sums of ``r = y - constant - (X - x₀)ᵀ coef`` over a block.

        Parameters
        ----------
        block : RowBlock
            Rows with targets of shape (n_rows, m).
        coef : DoubleDouble of shape (p, m)
            Coefficients.
        origin : ndarray of shape (p,)
            x₀, a point near the rows.
        constant : DoubleDouble of shape (m,)
            What is subtracted from the targets.
        n_slices : int
            Slices of X.
        bounds : ndarray of shape (p,), default=None
            Bounds of ``|X - x₀|`` in rows of weight one; other rows are searched.
        """
        bounds = bounds if block.weights is None else None
        X = SlicedColumns.of(block.X.dense(), origin, n_slices, block.X.scratch, bounds)
        r = X.residuals(block.y, coef, constant)
        if block.weights is None:
            weighted, columns = r, X.column_sums()
        else:
            weighted = r.times(block.weights)
            columns = X.products(DoubleDouble.of(block.weights[:, np.newaxis]))[0][:, 0]
        products, totals = X.products(DoubleDouble(weighted.hi.T, weighted.lo.T))
        return cls(products, totals, columns, weighted.hi @ r.hi.T)


def power_of_two_above(sizes: Array) -> Array:
    """The least powers of two above some numbers."""
    return np.ldexp(1.0, np.frexp(sizes)[1])


def _sliced(values: DoubleDouble, units: Array, bits: int, count: int) -> list[Array]:
    """Slices of numbers, so that ``units · slice`` has few bits in a column; and the rest."""
    units = units[:, np.newaxis]
    unit = power_of_two_above(np.abs(values.hi * units).max(axis=0, initial=0.0))
    parts, hi, lo = [], values.hi, values.lo
    for k in range(count):
        constant = _rounding_constant(unit * 2.0 ** (-k * bits), bits) / units
        part = (hi + constant) - constant
        parts.append(part)
        hi, lo = two_sum(hi - part, lo)
    return [*parts, hi + lo]


def _rounding_constant(units: Array, bits: int) -> Array:
    """Adding and subtracting it rounds numbers of at most ``units`` to ``2**-bits`` of them."""
    return 1.5 * units * 2.0 ** (_BITS - 1 - bits)


def _bits_of_count(count: int) -> int:
    """Bits by which a sum of so many numbers is longer than the numbers."""
    return math.ceil(math.log2(max(count, 1)))
