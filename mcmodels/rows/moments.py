"""Mergeable first and second moments of the joint rows z = (x, y), about their mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self, cast

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows.blocks import DenseDesign, RowBlock, Sandwich, product
from mcmodels.rows.means import JointMean, LeftOut
from mcmodels.rows.sizes import CENTRED_ROW, MANY_ENTRIES, MEAN_SAMPLE, NEAR_ZERO
from mcmodels.rows.source import Rows


@dataclass(frozen=True)
class Moments(JointMean):
    """Weight, mean and centred scatter ``Σ wᵢ (zᵢ - z̄)(zᵢ - z̄)ᵀ`` of rows ``z = (x, y)``.

    Rows are summed about a point near their mean, and sums about different points are merged by
    the pairwise update of Chan, Golub and LeVeque (1983), *Algorithms for computing the sample
    variance*, The American Statistician 37(3), eq. 2.1. So no result is a small difference of two
    large numbers, which would lose digits.

    Parameters
    ----------
    weight : float
        ``Σ wᵢ``.
    origin, offset : ndarray of shape (p + m,)
        A point near the weighted mean of the p features and m targets, and the mean minus this
        point.
    scatter : ndarray of shape (p + m, p + m)
        Centred cross-products.
    n_features : int
        p.
    rounding : float
        Rounding unit of the scatter, relative to the lengths of the columns.
    left_out : LeftOut or None
        Sums about the mean, if the moments are about zero.
    """

    weight: float
    origin: Array
    offset: Array
    scatter: Array
    n_features: int
    rounding: float
    left_out: LeftOut | None = None

    @classmethod
    def of(cls, rows: Rows, *, near: float = NEAR_ZERO, origin: Array | None = None) -> Moments:
        """Moments of rows, in one pass; not finite where squares overflow.

        ``origin`` is a point (x, y) near their mean. By default a sample tells it, and ``near`` is
        how far a mean is left where it is, as :func:`point_near_mean` says.
        """
        if rows.known_moments is not None:
            return cast(Moments, rows.known_moments)
        with np.errstate(over="ignore", invalid="ignore"):
            if origin is None:
                # Without an intercept, too, the squares of the targets are wanted about their mean.
                origin = point_near_mean(rows, always_of_targets=True, near=near)
            return cls._from_sums(rows.reduce(_summed_about(origin)), origin, rows)

    @classmethod
    def _from_sums(cls, sums: _Sums, origin: Array, rows: Rows) -> Self:
        p, weight = rows.n_features, sums.features.total
        gram = sums.features.dense_gram()
        if sums.products.shape[1] == 0:
            scatter = gram
        else:
            scatter = np.empty((origin.size, origin.size))
            scatter[:p, :p] = gram
            scatter[p:, :p] = sums.products.T
            scatter[:p, p:] = sums.products
            scatter[p:, p:] = sums.squares
        border = sums.features.border
        offset = np.concatenate([border, sums.target_sum]) / weight
        if offset.any():
            shift = np.sqrt(weight) * offset
            scatter -= np.outer(shift, shift)
        np.einsum("ii->i", scatter).clip(0.0, out=np.einsum("ii->i", scatter))
        return cls(weight, origin, offset, scatter, p, rows.product_epsilon)

    def __add__(self, other: Moments) -> Moments:
        weight = self.weight + other.weight
        step = (other.origin - self.origin) + (other.offset - self.offset)
        return Moments(
            weight,
            self.origin,
            self.offset + (other.weight / weight) * step,
            self.scatter
            + other.scatter
            + (self.weight * (other.weight / weight)) * np.outer(step, step),
            self.n_features,
            max(self.rounding, other.rounding),
        )

    def about_origin(self) -> Moments:
        """The moments about zero: mean 0, scatter ``Σ wᵢ zᵢ zᵢᵀ``."""
        return Moments(
            self.weight,
            np.zeros_like(self.mean),
            np.zeros_like(self.mean),
            self.scatter + self.weight * np.outer(self.mean, self.mean),
            self.n_features,
            self.rounding,
            LeftOut(self.weight * self.x_mean, self.y_mean, self.y_squares.copy()),
        )

    @property
    def Sxx(self) -> Array:
        """Scatter of the features, shape (p, p)."""
        return self.scatter[: self.n_features, : self.n_features]

    @property
    def Sxy(self) -> Array:
        """Scatter between features and targets, shape (p, m)."""
        return self.scatter[: self.n_features, self.n_features :]

    @property
    def squares(self) -> Array:  # type: ignore[override]
        """Diagonal of the scatter, shape (p + m,)."""
        return np.diagonal(self.scatter)

    def residual_scatter(self, coef: Array) -> Array:
        """``Σ wᵢ rᵢ rᵢᵀ`` of the residuals at the minimising coefficients (p, m), shape (m, m).

        The difference ``Syy - Syx β``: it has few correct digits where residuals are small.
        """
        Syy = self.scatter[self.n_features :, self.n_features :]
        explained = self.Sxy.T @ coef
        left = Syy - (explained + explained.T) / 2
        np.einsum("ii->i", left).clip(0.0, out=np.einsum("ii->i", left))
        return left

    def squares_left_of_constant(self, coef: Array) -> float:
        """``Σ wᵢ (1 - xᵢᵀa)²`` of coefficients a of shape (p,), for moments about zero."""
        assert self.left_out is not None
        b = self.left_out.x_sums
        left = self.weight - coef @ b - coef @ (b - self.Sxx @ coef)
        return max(float(left), 0.0)

    def scatter_times(self, B: Array) -> Array:
        """``Sxx B`` for B of shape (p, m)."""
        return self.Sxx @ B


def point_near_mean(
    rows: Rows, *, always_of_targets: bool = False, near: float = NEAR_ZERO
) -> Array:
    """A point (x, y) so near the mean that sums of squares about it lose no digits.

    It is zero in columns whose mean is small beside their standard deviation, because blocks that
    need no shift are not copied. With many short rows the mean may be ``near`` standard deviations:
    that costs one digit and saves much time. Without an intercept it is zero, except in the targets
    if ``always_of_targets``.

    With many rows it has few binary digits, so that whole numbers and indicators keep theirs. Their
    sums of products are exact then. Rounding errors of columns with few values do not cancel: they
    are the same in many rows.
    """
    sample = rows.sample(MEAN_SAMPLE)
    first, second = _targets_and_squares(sample)
    variance = second - first**2
    if not rows.intercept:
        first[: rows.n_features if always_of_targets else None] = 0.0
    many = rows.n_rows * rows.n_features > MANY_ENTRIES and rows.n_features < CENTRED_ROW
    many &= rows.dtype == np.float64
    near = near if many else 1.0
    # The comparison is false for NaN, which the sums will show.
    # Of all rows, the mean itself; equal rounding errors add up only where there are many.
    point = first if sample is rows else _of_few_digits(first, variance)
    origin = np.where(first**2 > near**2 * variance, point, 0.0)
    # Rows in float32 need a centre that float32 can represent.
    return origin.astype(rows.dtype).astype(np.float64)


def _of_few_digits(mean: Array, variance: Array) -> Array:
    """The mean, rounded by less than a thousandth of a standard deviation.

    It is not rounded where this is a rounding error of the mean itself, as in constant columns.
    """
    deviation = np.sqrt(np.maximum(variance, 0.0))
    with np.errstate(all="ignore"):  # what is not finite stays so
        unit = np.ldexp(1.0, np.frexp(deviation)[1] - 10)
        rounded = np.rint(mean / unit) * unit
    return np.where((deviation > 0) & np.isfinite(rounded), rounded, mean)


def _targets_and_squares(rows: Rows) -> tuple[Array, Array]:
    def summarise(block: RowBlock) -> Array:
        y = _targets(block)
        unit = block.weights_or_ones
        features = product(block.X.X.T, unit), block.X.square_sums(block.weights)
        targets = unit @ y, unit @ y**2
        return np.concatenate([features, targets], axis=1)

    first, second = rows.reduce(summarise) / rows.total_weight
    return first, second


@dataclass
class _Sums:
    """Cross-products of (x, y) about a point; ``+=`` adds others in place."""

    features: Sandwich
    products: Array
    squares: Array
    target_sum: Array

    def __iadd__(self, other: _Sums) -> Self:
        self.features += other.features
        self.products += other.products
        self.squares += other.squares
        self.target_sum += other.target_sum
        return self


def _summed_about(origin: Array) -> Callable[[RowBlock], _Sums]:
    def summarise(block: RowBlock) -> _Sums:
        y = _targets(block)
        p = origin.size - y.shape[1]
        y = y - origin[p:]
        X = block.X.centred(origin[:p])
        X.intercept = True
        weighted_y = block.weighted(y)
        return _Sums(
            X.sandwich(block.weights),
            X.products(weighted_y),
            DenseDesign(y, intercept=False).sandwich(block.weights).dense_gram(),
            weighted_y.sum(axis=0),
        )

    return summarise


def _targets(block: RowBlock) -> Array:
    if block.y is None:
        return np.empty((block.X.n_rows, 0))
    return np.asarray(block.y, dtype=np.float64).reshape(block.X.n_rows, -1)
