"""The sample covariance S of rows: as a matrix, as a factor, or through passes over the rows.

``S = Σ wᵢ (xᵢ - x̄)(xᵢ - x̄)ᵀ / (Σ wᵢ - 1)``. Weights count rows: a row of weight two is the same as
two rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import sparse

from mcmodels.arrays import Array
from mcmodels.rows.blocks import Design, RowBlock, product
from mcmodels.rows.sizes import NEAR_ZERO
from mcmodels.rows.source import Rows


class Covariance(Protocol):
    """A sample covariance matrix of p features."""

    def apply(self, V: Array) -> Array:
        """S times each row of V (k, p)."""
        ...

    def matrix(self) -> Array:
        """S, shape (p, p)."""
        ...


@dataclass(frozen=True)
class CovarianceMatrix:
    """S stored as a matrix of shape (p, p)."""

    S: Array

    def apply(self, V: Array) -> Array:
        """S times each row of V."""
        return V @ self.S

    def matrix(self) -> Array:
        """S."""
        return self.S


@dataclass(frozen=True)
class FactoredCovariance:
    """S stored as F of shape (m, p) with ``FᵀF = S``; smaller than S when m < p."""

    F: Array

    def apply(self, V: Array) -> Array:
        """S times each row of V."""
        return (V @ self.F.T) @ self.F

    def matrix(self) -> Array:
        """S, formed."""
        return self.F.T @ self.F


class RowsCovariance:
    """S applied through passes over the rows.

    Parameters
    ----------
    rows : Rows
        The rows; their intercept is ignored.

    Attributes
    ----------
    mean : ndarray of shape (p,)
        Weighted mean of the features.
    divisor : float
        ``Σ wᵢ - 1``.
    squares : ndarray of shape (p,)
        ``Σ wᵢ (xᵢⱼ - x̄ⱼ)²``; not finite where they overflow.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.divisor = rows.total_weight - 1
        self._point = rows.reduce(_weighted_sum) / rows.total_weight
        with np.errstate(over="ignore", invalid="ignore"):
            first, second = rows.reduce(self._sums_about_point)
            self._offset = first / rows.total_weight
            self.squares = (second - first * self._offset).clip(0.0)
            length = rows.total_weight * (self.mean @ self.mean)
            # Rows whose mean is not long are centred by a correction of rank one, without a copy.
            # It costs one digit.
            near_zero = length <= NEAR_ZERO**2 * self.squares.sum()
        self._subtracted = np.zeros_like(self._point) if near_zero else self._point

    @property
    def mean(self) -> Array:
        """Weighted mean of the features."""
        return self._point + self._offset

    def centred(self, X: Design) -> tuple[Design, Array]:
        """Rows minus a point that keeps their storage, and the mean minus this point."""
        near, offset = centred_near(X, self._point)
        return near, offset + self._offset

    def _sums_about_point(self, block: RowBlock) -> Array:
        near, offset = centred_near(block.X, self._point)
        unit = block.weights_or_ones
        first, total = near.adjoint(unit), unit.sum()
        squares = near.square_sums(block.weights) - 2 * offset * first + total * offset**2
        return np.stack([first - total * offset, squares])

    def apply(self, V: Array) -> Array:
        """S times each row of V, in one pass."""

        def summarise(block: RowBlock) -> Array:
            centre = block.X.centre_near(self._subtracted)
            X = block.X.centred(centre)
            offset = (self._point - centre) + self._offset
            along = times_design(V, X, transposed=True) - (V @ offset)[:, np.newaxis]
            if block.weights is not None:
                along *= block.weights
            return times_design(along, X) - np.outer(along.sum(axis=1), offset)

        return self.rows.reduce(summarise) / self.divisor

    def matrix(self) -> Array:
        """S, formed in one pass."""

        def summarise(block: RowBlock) -> Array:
            X, offset = self.centred(block.X)
            unit = block.weights_or_ones
            cross = np.outer(X.adjoint(unit), offset)
            return (
                X.sandwich(block.weights).matrix()
                - cross
                - cross.T
                + unit.sum() * np.outer(offset, offset)
            )

        return self.rows.reduce(summarise) / self.divisor


def centred_near(X: Design, mean: Array) -> tuple[Design, Array]:
    """Rows minus a point that keeps their storage, and the mean minus this point."""
    centre = X.centre_near(mean)
    return X.centred(centre), mean - centre


def times_design(V: Array, X: Design, *, transposed: bool = False) -> Array:
    """``VX`` or ``VXᵀ``.

    For a few long rows V this takes two thirds of the time of ``(XᵀVᵀ)ᵀ`` and ``(XVᵀ)ᵀ`` with
    OpenBLAS, which packs the shorter factor then.
    """
    matrix = X.X.T if transposed else X.X
    return matrix.T.dot(V.T).T if sparse.issparse(matrix) else product(V, matrix)


def _weighted_sum(block: RowBlock) -> Array:
    unit = block.weights_or_ones
    return product(block.X.X.T, unit)
