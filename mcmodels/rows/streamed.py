"""Sums over rows that arrive in parts: enough for a fit, without any row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from mcmodels.arrays import Array
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
    """Moments of the rows (x, y) seen so far; ``+`` adds those of other rows.

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

    def __add__(self, other: StreamedMoments) -> StreamedMoments:
        return StreamedMoments(self.seen + other.seen, self.moments + other.moments)


@dataclass(frozen=True)
class StreamedTriangle:
    """Triangular factor of the rows (x, y) seen so far; ``+`` adds that of other rows.

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

    def __add__(self, other: StreamedTriangle) -> StreamedTriangle:
        with np.errstate(over="ignore", invalid="ignore"):
            moved = other.triangle.shifted(other.centre - self.centre)
            return StreamedTriangle(self.seen + other.seen, self.centre, self.triangle + moved)


StreamedSums = StreamedMoments | StreamedTriangle


def added(sums: StreamedSums | None, part: Any) -> StreamedSums:
    """The sums plus those of another part; None means that there are none yet."""
    return part if sums is None else sums + part
