"""Sums over rows that arrive in parts: enough for a fit, without any row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows.blocks import RowBlock
from mcmodels.rows.moments import Moments, point_near_mean
from mcmodels.rows.source import Rows
from mcmodels.rows.triangle import Triangle


@dataclass(frozen=True)
class Seen:
    """Number, weight and precision of the rows seen so far; see :class:`Rows`."""

    n_rows: int
    n_features: int
    n_present: int
    total_weight: float
    epsilon: float
    intercept: bool

    @classmethod
    def of(cls, rows: Rows) -> Seen:
        """Number, weight and precision of these rows."""
        return cls(
            rows.n_rows,
            rows.n_features,
            rows.n_present,
            rows.total_weight,
            rows.epsilon,
            rows.intercept,
        )

    def __add__(self, other: Seen) -> Seen:
        return Seen(
            self.n_rows + other.n_rows,
            self.n_features,
            self.n_present + other.n_present,
            self.total_weight + other.total_weight,
            max(self.epsilon, other.epsilon),
            self.intercept,
        )


@dataclass(frozen=True)
class StreamedMoments:
    """Moments of the rows (x, y) seen so far; ``+`` adds those of others.

    Parameters
    ----------
    seen : Seen
        Their number, weight and precision.
    moments : Moments
        Their moments about their mean.
    """

    seen: Seen
    moments: Moments

    @classmethod
    def of(cls, rows: Rows) -> Self:
        """Moments of some rows."""
        return cls(Seen.of(rows), Moments.of(rows))

    def with_rows(self, rows: Rows) -> StreamedMoments:
        """The moments of these rows, too."""
        return self + StreamedMoments.of(rows)

    def __add__(self, other: StreamedMoments) -> StreamedMoments:
        return StreamedMoments(self.seen + other.seen, self.moments + other.moments)


@dataclass(frozen=True)
class StreamedTriangle:
    """Triangular factor of the rows (x, y) seen so far; ``+`` adds that of others.

    Parameters
    ----------
    seen : Seen
        Their number, weight and precision.
    centre : ndarray of shape (p + m,)
        Subtracted from the rows; zeros without an intercept.
    triangle : Triangle
        The factor.
    """

    seen: Seen
    centre: Array
    triangle: Triangle

    @classmethod
    def of(cls, rows: Rows) -> Self:
        """The factor of some rows."""
        with np.errstate(over="ignore", invalid="ignore"):
            centre = point_near_mean(rows)
            return cls(Seen.of(rows), centre, rows.reduce(Triangle.about(centre)))

    def with_rows(self, rows: Rows) -> StreamedTriangle:
        """The factor of these rows, too; a few are added to it as they are."""
        triangle = self.triangle
        square = triangle.R.shape[0] == triangle.R.shape[1]
        if not (square and rows.are_few and rows.total_weight <= self.seen.total_weight):
            return self + StreamedTriangle.of(rows)

        def add(block: RowBlock) -> int:
            nonlocal triangle
            triangle = triangle.with_rows(block, self.centre)
            return 0

        with np.errstate(over="ignore", invalid="ignore"):
            rows.reduce(add)
        return StreamedTriangle(self.seen + Seen.of(rows), self.centre, triangle)

    def __add__(self, other: StreamedTriangle) -> StreamedTriangle:
        # The heavier part keeps its centre: the rounding of a shift grows with the weight.
        heavy, light = (self, other) if other.weight <= self.weight else (other, self)
        with np.errstate(over="ignore", invalid="ignore"):
            moved = light.triangle.shifted(light.centre - heavy.centre)
            return StreamedTriangle(self.seen + other.seen, heavy.centre, heavy.triangle + moved)

    @property
    def weight(self) -> float:
        """``Σ wᵢ``."""
        return self.seen.total_weight


StreamedSums = StreamedMoments | StreamedTriangle


def added(sums: Any, other: Any) -> StreamedSums:
    """The sums of two models, of the same kind."""
    return sums + other


def with_rows(sums: StreamedSums | None, kind: type[StreamedSums], rows: Rows) -> StreamedSums:
    """The sums with those of some rows; None means that there are none yet."""
    return kind.of(rows) if sums is None else sums.with_rows(rows)
