"""Sums of columns, of targets and of their products: enough to tell two sets of rows apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np

from mcmodels.rows.blocks import Array, RowBlock, product
from mcmodels.rows.source import Rows

__all__ = ["CrossSums", "OffsetSums", "RowsWithCrossSums"]

Sum = TypeVar("Sum")

# The size of the columns is estimated from one row in this many, and from no more than about this
# many rows of a block.
_EVERY, _MOST = 64, 32


@dataclass
class OffsetSums:
    """``Σ wᵢoᵢ``, ``Σ wᵢoᵢ²``, ``Σ wᵢoᵢyᵢ`` and ``Σ wᵢoᵢxᵢ`` of offsets; ``+=`` adds in place.

    Parameters
    ----------
    total, squares : ndarray of shape (m,)
        Sums of the offsets, and of their squares; m is the number of linear predictors that have
        one.
    y : ndarray of shape (m, k)
        Sums of the products with the targets, or by class.
    x : ndarray of shape (m, p)
        Sums of the products with the columns.
    """

    total: Array
    squares: Array
    y: Array
    x: Array

    def __iadd__(self, other: OffsetSums) -> Self:
        self.total += other.total
        self.squares += other.squares
        self.y += other.y
        self.x += other.x
        return self

    @classmethod
    def of_block(cls, block: RowBlock, n_classes: int | None) -> Self | None:
        """The sums over a block; None where its rows have no offset."""
        if "offset" not in block.extras:
            return None
        offset = block.offset_or_zeros.reshape(block.X.n_rows, -1)
        weighted = block.weighted(offset)
        if n_classes is None:
            targets = _targets(block, 0.0)
        else:
            targets = (block.y == np.arange(n_classes)[:, np.newaxis]).astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            return cls(
                weighted.sum(axis=0),
                np.einsum("ik,ik->k", weighted, offset),
                weighted.T @ targets.T,
                np.asarray(block.X.products(np.ascontiguousarray(weighted))).T,
            )


@dataclass
class CrossSums:
    """``Σ wᵢxᵢ``, ``Σ wᵢyᵢ``, ``Σ wᵢyᵢ²`` and ``Σ wᵢyᵢxᵢ``; ``+=`` adds in place.

    For classes, y is the indicator of each class, so the sums are over the rows of each class.

    Parameters
    ----------
    x : ndarray of shape (p,)
        Sums of the columns.
    y, y_squares : ndarray of shape (k,)
        Sums of the targets, and of their squares.
    xy : ndarray of shape (k, p)
        Sums of the products of targets and columns.
    x_squares : ndarray of shape (p,)
        About ``Σ wᵢxᵢ²``: it tells the size of the columns, so some rows of each block suffice.
    offset : OffsetSums or None
        Sums of the offsets, where the rows have one.
    """

    x: Array
    y: Array
    y_squares: Array
    xy: Array
    x_squares: Array
    offset: OffsetSums | None = None

    def __iadd__(self, other: CrossSums) -> Self:
        self.x += other.x
        self.y += other.y
        self.y_squares += other.y_squares
        self.xy += other.xy
        self.x_squares += other.x_squares
        if self.offset is not None and other.offset is not None:
            self.offset += other.offset
        return self

    @classmethod
    def of_block(cls, block: RowBlock, n_classes: int | None, origin: Array | float = 0.0) -> Self:
        """The sums over a block, whose y holds targets, or codes of ``n_classes`` classes.

        ``origin`` is subtracted from the targets.
        """
        X, n_rows = block.X.X, block.X.n_rows
        # Arrays that the walk uses again: new ones would cost more than the sums.
        unit, column = block.X.scratch.vectors("cross sums", 2, n_rows)
        unit[:] = 1.0 if block.weights is None else block.weights
        # The fit itself checks for overflow.
        with np.errstate(over="ignore", invalid="ignore"):
            x, weight = product(X.T, unit), float(unit.sum())
            y, y_squares, xy = [], [], []
            if n_classes is None:
                for target in _targets(block, origin):
                    np.multiply(unit, target, out=column)
                    y.append(column.sum())
                    y_squares.append(column @ target)
                    xy.append(product(X.T, column))
            else:
                for code in range(n_classes - 1):
                    np.equal(block.y, code, out=column)
                    column *= unit
                    y.append(column.sum())
                    xy.append(product(X.T, column))
                # The last class has the total minus the other classes.
                y.append(weight - sum(y))
                xy.append(x - sum(xy))
                y_squares = y
            every = max(_EVERY, n_rows // _MOST)
            x_squares = every * product((X[::every] ** 2).T, unit[::every].copy())
        offset = OffsetSums.of_block(block, n_classes)
        return cls(x, np.array(y), np.array(y_squares), np.array(xy), x_squares, offset)


def _targets(block: RowBlock, origin: Array | float) -> Array:
    """The targets minus their origin, one a row."""
    y = np.asarray(block.y, dtype=np.float64).reshape(block.X.n_rows, -1)
    return (y - origin).T


class RowsWithCrossSums(Rows):
    """The same rows; the first walk over them also computes their :class:`CrossSums`.

    A fit walks over its rows anyway, so these sums need no extra walk.

    Parameters
    ----------
    rows : Rows
        The rows.
    n_classes : int, default=None
        Number of classes, if y holds their codes.
    """

    def __init__(self, rows: Rows, n_classes: int | None = None) -> None:
        self._rows, self._n_classes = rows, n_classes
        self._sums: CrossSums | None = None
        self.take_extent(rows)
        self.product_epsilon = rows.product_epsilon

    def reduce(self, summarise: Callable[[RowBlock], Sum]) -> Sum:
        """Sum over all blocks of rows of positive weight."""
        n_classes = self._n_classes

        def both(block: RowBlock) -> _Both:
            return _Both(summarise(block), CrossSums.of_block(block, n_classes))

        total = self._rows.reduce(both)
        self._sums = total.cross_sums
        self.reduce = self._rows.reduce  # type: ignore[method-assign]  # for all later walks
        return total.first

    def sample(self, count: int) -> Rows:
        """About ``count`` of the rows."""
        sample = self._rows.sample(count)
        return self if sample is self._rows else sample

    @property
    def without_sums(self) -> Rows:
        """The rows alone: a walk over them computes no sums."""
        return self._rows

    @property
    def cross_sums(self) -> CrossSums:
        """The sums; computed in an extra walk if there was no walk yet."""
        if self._sums is None:
            self.reduce(lambda block: 0)
        assert self._sums is not None
        return self._sums


@dataclass
class _Both:
    """The sum that a fit needs, and the cross-sums."""

    first: Any
    cross_sums: CrossSums

    def __iadd__(self, other: _Both) -> Self:
        self.first += other.first
        self.cross_sums += other.cross_sums
        return self
