"""Sums over the rows of a fit: whether another fit has the same rows, targets and columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.rows import CrossSums, OffsetSums, Seen

__all__ = ["EPSILON", "LARGEST_TOLERANCE", "UNITS", "RowSums", "first_difference"]

# Sums of the same rows in another order differ by rounding errors: by about ten units, as measured
# on columns of a million rows. This many units are allowed, relative to the lengths of the columns.
# Other rows differ by about 1/√n of the lengths, one changed row by 1/n.
UNITS = 1e3
EPSILON = float(np.finfo(np.float64).eps)
# Relative rounding error of the mean of a constant column, and of its deviations from the mean.
_ROUNDING_OF_MEAN = 8 * EPSILON
# Largest relative difference of sums that is allowed, also for products in float32.
LARGEST_TOLERANCE = 1e-4


@dataclass(frozen=True)
class RowSums:
    """Sums over the rows of a fit, which are compared with those of another fit.

    Parameters
    ----------
    seen : Seen
        Number of rows, and their total weight.
    names : tuple of str
        Names of the columns.
    targets : tuple of str
        Names of the targets, or of the classes.
    is_classes : bool
        Whether y holds classes.
    x : ndarray of shape (p,), or None
        ``Σ wᵢxᵢ``, if the fit has computed it.
    y : ndarray of shape (k,), or None
        ``Σ wᵢyᵢ``, if the fit has computed it; for classes, their total weights.
    y_squares : ndarray of shape (k,)
        ``Σ wᵢyᵢ²``.
    xy : ndarray of shape (k, p), or None
        ``Σ wᵢyᵢxᵢ``; for classes, the sums of the columns in each class.
    x_squares : ndarray of shape (p,)
        ``Σ wᵢxᵢ²``, or about that: it tells the size of the columns.
    x_mean, y_mean : ndarray of shape (p,) and (k,), or None
        The means that were subtracted before summing; None if nothing was.
    rounding : float
        Rounding unit of the sums, relative to the lengths of the columns.
    squares_are_exact : bool
        Whether ``x_squares`` are of all rows.
    offset : OffsetSums or None
        Sums of the offsets, if the fit had any.
    """

    seen: Seen
    names: tuple[str, ...]
    targets: tuple[str, ...]
    is_classes: bool
    x: Array | None
    y: Array | None
    y_squares: Array
    xy: Array | None
    x_squares: Array
    x_mean: Array | None = None
    y_mean: Array | None = None
    rounding: float = EPSILON
    squares_are_exact: bool = True
    offset: OffsetSums | None = None

    @classmethod
    def of(
        cls,
        seen: Seen,
        sums: CrossSums,
        names: tuple[str, ...],
        targets: tuple[str, ...],
        *,
        is_classes: bool,
    ) -> Self:
        """From the sums that were computed during a fit."""
        return cls(
            seen,
            names,
            targets,
            is_classes,
            sums.x,
            sums.y,
            sums.y_squares,
            sums.xy,
            sums.x_squares,
            squares_are_exact=False,
            offset=sums.offset,
        )

    def offsets_differ(self, other: Self) -> bool:
        """Whether the offsets of another fit to the same rows have other sums."""
        mine, theirs = self.offset, other.offset
        if mine is None or theirs is None:
            return mine is not theirs
        if mine.total.shape != theirs.total.shape:
            return True
        length = np.sqrt(np.maximum(mine.squares, theirs.squares))
        reach, root = self._units * length, np.sqrt(self.seen.total_weight)
        y_length = np.maximum(self._y_length, other._y_length)
        pairs = (
            (mine.total, theirs.total, reach * root),
            (mine.squares, theirs.squares, reach * length),
            (mine.y, theirs.y, np.outer(reach, y_length)),
        )
        return any(first_difference(a, b, bound) is not None for a, b, bound in pairs)

    def difference(self, other: Self) -> str:
        """How the rows or targets of another model differ; empty if no difference is found.

        Columns are compared if both models have a column of the same name, given by the user.
        """
        mine, theirs = self.seen.total_weight, other.seen.total_weight
        if not np.isclose(mine, theirs, rtol=1e-9):
            return f"the weights of one sum to {mine:g}, those of the other to {theirs:g}"
        # The labels of classes say nothing about a likelihood, and neither do names given once.
        named = not self.is_classes and self._targets_are_named and other._targets_are_named
        if len(self.targets) != len(other.targets) or (named and self.targets != other.targets):
            return f"one has the targets {self.targets}, the other {other.targets}"
        if (self.x_mean is None) != (other.x_mean is None):
            return self._about_zero().difference(other._about_zero())
        tolerance = max(self._units, other._units)
        root = np.sqrt(mine)
        y_length = np.maximum(self._y_length, other._y_length)
        size = root * y_length + (0.0 if self.y is None else np.abs(self.y))
        at = first_difference(self.y, other.y, tolerance * size)
        if at is None:
            at = first_difference(self.y_squares, other.y_squares, tolerance * y_length**2)
        if at is not None:
            what = "the weights of class" if self.is_classes else "the sums of target"
            return f"{what} {self.targets[at]!r} differ"
        if not (self._is_named and other._is_named):
            return ""
        shared = [name for name in self.names if name in other.names]
        here, there = ([of.names.index(name) for name in shared] for of in (self, other))
        length = np.maximum(self._x_length[here], other._x_length[there])
        for own, others, scale in (
            (self.x, other.x, root),
            (self.xy, other.xy, y_length.max()),
        ):
            if own is None or others is None:
                continue
            own, others = np.atleast_2d(own)[:, here], np.atleast_2d(others)[:, there]
            size = np.maximum(np.abs(own), np.abs(others)).max(axis=0) + scale * length
            at = first_difference(own, others, np.broadcast_to(tolerance * size, own.shape))
            if at is not None:
                return f"the sums of column {shared[at % len(shared)]!r} differ"
        return ""

    def column_not_in(
        self, other: Self, but: npt.NDArray[np.bool_], *, by_name: bool = True
    ) -> str:
        """A column that is none of the columns of another model of the same rows; else empty.

        Where both models have names a column must have the same name, too, unless ``by_name`` is
        false. Columns in ``but`` are not looked for.
        """
        if (self.x_mean is None) != (other.x_mean is None):
            return self._about_zero().column_not_in(other._about_zero(), but, by_name=by_name)
        named = by_name and self._is_named and other._is_named
        units = max(self._units, other._units)
        for j in np.nonzero(~but)[0].tolist():
            like = other._columns_with(*self._sums_of_column(j), units)
            if named:
                like &= np.array(other.names) == self.names[j]
            if not like.any():
                return f"column {self.names[j]!r}"
        return ""

    @property
    def columns_of_ones(self) -> npt.NDArray[np.bool_]:
        """Which columns have the sums of a column of ones, shape (p,); none if sums are missing."""
        sums, weight = self._about_zero(), np.array(self.seen.total_weight)
        if sums.x is None or sums.y is None:
            return np.zeros(len(self.names), dtype=np.bool_)
        return sums._columns_with(weight, sums.y, weight, self._units)

    def _sums_of_column(self, j: int) -> tuple[Array | None, Array | None, Array]:
        """``Σ wᵢxᵢ``, ``Σ wᵢyᵢxᵢ`` and ``Σ wᵢxᵢ²`` of column j."""
        x = None if self.x is None else self.x[j]
        xy = None if self.xy is None else self.xy[:, j]
        return x, xy, self.x_squares[j]

    def _columns_with(
        self, x: Array | None, xy: Array | None, x_squares: Array, units: float
    ) -> npt.NDArray[np.bool_]:
        """Which columns have these sums, up to rounding; shape (p,)."""
        root = np.sqrt(self.seen.total_weight)
        length, y_length = self._x_length, self._y_length.max(initial=0.0)
        like = np.ones(len(self.names), dtype=np.bool_)
        for own, given, scale in ((self.x, x, root), (self.xy, xy, y_length)):
            if own is None or given is None:
                continue
            own, given = np.atleast_2d(own), np.reshape(given, (-1, 1))
            size = np.maximum(np.abs(own), np.abs(given)).max(axis=0) + scale * length
            like &= (np.abs(own - given) <= units * size).all(axis=0)
        if self.squares_are_exact:
            like &= np.abs(self.x_squares - x_squares) <= units * length**2
        return like

    def _about_zero(self) -> Self:
        """The same sums about zero, as in a fit without an intercept."""
        if self.x_mean is None or self.y_mean is None:
            return self
        weight = self.seen.total_weight
        xy = None if self.xy is None else self.xy + weight * np.outer(self.y_mean, self.x_mean)
        return replace(
            self,
            y_squares=self.y_squares + weight * self.y_mean**2,
            xy=xy,
            x_squares=self.x_squares + weight * self.x_mean**2,
            x_mean=None,
            y_mean=None,
        )

    @property
    def _is_named(self) -> bool:
        return self.names != tuple(f"x{j}" for j in range(len(self.names)))

    @property
    def _targets_are_named(self) -> bool:
        return self.targets not in (("y",), tuple(f"y{k}" for k in range(len(self.targets))))

    @property
    def _units(self) -> float:
        return min(UNITS * self.rounding, LARGEST_TOLERANCE)

    @property
    def _x_length(self) -> Array:
        """Lengths of the columns, plus the rounding errors of their means."""
        return np.sqrt(self.x_squares) + self._rounding_of(self.x_mean)

    @property
    def _y_length(self) -> Array:
        """Lengths of the targets, plus the rounding errors of their means."""
        return np.sqrt(self.y_squares) + self._rounding_of(self.y_mean)

    def _rounding_of(self, mean: Array | None) -> Any:
        if mean is None:
            return 0.0
        return _ROUNDING_OF_MEAN * np.sqrt(self.seen.total_weight) * np.abs(mean)

    def _lengths(self, x_here: Array, y_here: Array) -> tuple[Array, Array]:
        """Lengths of columns and targets to which rounding errors of the fit are relative."""
        if self.x_mean is None:
            return x_here, y_here
        return self._x_length, self._y_length


def first_difference(expected: Array | None, found: Array | None, reach: Array) -> int | None:
    """First position where two arrays differ by more than ``reach``; None if there is none."""
    if expected is None or found is None:
        return None
    # Sums that overflow are not compared, nor those of which no rounding error is known.
    differs = ~(np.abs(np.asarray(found) - expected) <= reach) & np.isfinite(expected)
    differs &= ~np.isnan(reach)
    return int(np.flatnonzero(differs)[0]) if differs.any() else None
