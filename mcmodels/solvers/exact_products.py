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
from dataclasses import dataclass
from typing import Self

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows import RowBlock
from mcmodels.rows.blocks import product
from mcmodels.solvers.double_double import DoubleDouble, two_sum

# Bits of a float64, and of a slice of X.
_BITS, _BITS_OF_X = 53, 20


@dataclass(frozen=True)
class SlicedColumns:
    """The columns of a block of rows, minus a point: ``X - x₀ = Σ slices + rest``.

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
    def of(cls, block: RowBlock, origin: Array, n_slices: int) -> Self:
        """Cut the features of a block."""
        X, scratch = block.X.dense(), block.X.scratch
        rest = scratch.array("rest of slices", X.shape)
        error = None
        if origin.any():
            shifted, error = two_sum(X, -origin)
            X = shifted
        units = power_of_two_above(np.maximum(X.max(axis=0), -X.min(axis=0)))
        slices = []
        for k in range(n_slices):
            part = scratch.array(f"slice {k}", X.shape)
            constant = _rounding_constant(units * 2.0 ** (-k * _BITS_OF_X), _BITS_OF_X)
            np.add(X, constant, out=part)
            part -= constant
            np.subtract(X, part, out=rest)
            X = rest
            slices.append(part)
        if error is not None:
            rest += error
        return cls(slices, rest, units)

    def times(self, coef: DoubleDouble) -> DoubleDouble:
        """``(X - x₀) coef`` for coef of shape (p, m)."""
        p, m = coef.hi.shape
        bits = _BITS - _BITS_OF_X - _bits_of_count(p)
        parts = _sliced(coef, self.units, bits, 2)
        right = np.concatenate(parts, axis=1)
        total = DoubleDouble.of(np.zeros((len(self.rest), m)))
        small = product(self.rest, coef.hi)
        for columns in self.slices:
            products = product(columns, right)
            # The first two are exact; the third is as small as it is inexact.
            total = _add_exact(total, products[:, :m])
            total = _add_exact(total, products[:, m : 2 * m])
            small += products[:, 2 * m :]
        return DoubleDouble(*two_sum(total.hi, total.lo + small))

    def products(self, values: DoubleDouble) -> DoubleDouble:
        """``(X - x₀)ᵀ values`` for values of shape (n_rows, m)."""
        n_rows, m = values.hi.shape
        bits = _BITS - _BITS_OF_X - _bits_of_count(n_rows)
        right = np.concatenate(_sliced(values, np.ones(n_rows), bits, 2), axis=1)
        total = DoubleDouble.of(np.zeros((self.rest.shape[1], m)))
        small = product(self.rest.T, values.hi)
        for columns in self.slices:
            products = product(columns.T, right)
            total = _add_exact(total, products[:, :m])
            total = _add_exact(total, products[:, m : 2 * m])
            small += products[:, 2 * m :]
        return DoubleDouble(*two_sum(total.hi, total.lo + small))


@dataclass
class ResidualSums:
    """Sums over rows of residuals r and of their products with the columns; ``+=`` adds others.

    Parameters
    ----------
    products : DoubleDouble of shape (p, m + 1)
        ``Σ wᵢ (xᵢ - x₀) (rᵢ, 1)ᵀ``.
    totals : DoubleDouble of shape (m + 1,)
        ``Σ wᵢ (rᵢ, 1)``.
    scatter : ndarray of shape (m, m)
        ``Σ wᵢ rᵢ rᵢᵀ``.
    """

    products: DoubleDouble
    totals: DoubleDouble
    scatter: Array

    def __iadd__(self, other: ResidualSums) -> Self:
        self.products = self.products + other.products
        self.totals = self.totals + other.totals
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
        """
        X = SlicedColumns.of(block, origin, n_slices)
        r = DoubleDouble.of(block.y) + -constant[np.newaxis] + -X.times(coef)
        unit = block.weights_or_ones[:, np.newaxis]
        weighted = r if block.weights is None else r.times(unit)
        both = DoubleDouble(
            np.concatenate([weighted.hi, unit], axis=1),
            np.concatenate([weighted.lo, np.zeros_like(unit)], axis=1),
        )
        return cls(X.products(both), both.sum(axis=0), weighted.hi.T @ r.hi)


def power_of_two_above(sizes: Array) -> Array:
    """The least powers of two above some numbers."""
    return np.ldexp(1.0, np.frexp(sizes)[1])


def _sliced(values: DoubleDouble, units: Array, bits: int, count: int) -> list[Array]:
    """Slices of numbers so that ``units · slice`` has few bits in each column; the rest is last."""
    scaled = values.hi * units[:, np.newaxis]
    unit = power_of_two_above(np.abs(scaled).max(axis=0, initial=0.0))
    parts, hi, lo = [], values.hi, values.lo
    for k in range(count):
        constant = _rounding_constant(unit * 2.0 ** (-k * bits), bits) / units[:, np.newaxis]
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


def _add_exact(total: DoubleDouble, values: Array) -> DoubleDouble:
    hi, error = two_sum(total.hi, values)
    return DoubleDouble(hi, total.lo + error)
