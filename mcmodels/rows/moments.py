"""Mergeable first and second moments of the joint rows z = (x, y), about their mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from mcmodels.rows.blocks import Array, DenseDesign, RowBlock


@dataclass(frozen=True)
class Moments:
    """Weight, mean and centred scatter ``Σ wᵢ (zᵢ - z̄)(zᵢ - z̄)ᵀ`` of rows ``z = (x, y)``.

    Each block is summed about a point near its own mean, and two sums are merged by the pairwise
    update of Chan, Golub and LeVeque (1983), *Algorithms for computing the sample variance*,
    The American Statistician 37(3), eq. 2.1: nothing is ever the small difference of two large
    numbers. The mean is held as that point plus an offset, so that means which agree in their
    leading digits still differ exactly.

    Parameters
    ----------
    weight : float
        ``Σ wᵢ``.
    origin, offset : ndarray of shape (p + m,)
        A point near the weighted mean of the p features and m targets, and the mean minus it.
    scatter : ndarray of shape (p + m, p + m)
        Centred cross-products.
    n_features : int
        p.
    """

    weight: float
    origin: Array
    offset: Array
    scatter: Array
    n_features: int

    @classmethod
    def of(cls, block: RowBlock) -> Self:
        """Moments of one block of rows."""
        p = block.X.X.shape[1]
        y = np.empty((block.X.n_rows, 0)) if block.y is None else block.y
        y = y.reshape(block.X.n_rows, -1).astype(np.float64, copy=False)
        q = p + y.shape[1]
        weight = block.total_weight

        centre = block.X.centre_near(block.X.mean(block.weights))
        X = block.X.centred(centre)
        y_centre = block.weighted(y).sum(axis=0) / weight
        y = y - y_centre
        weighted_y = block.weighted(y)

        scatter = np.empty((q, q))
        scatter[:p, :p] = X.sandwich(block.weights)
        scatter[p:, :p] = X.adjoint(weighted_y)
        scatter[:p, p:] = scatter[p:, :p].T
        scatter[p:, p:] = DenseDesign(y, intercept=False).sandwich(block.weights)
        unit = np.ones(block.X.n_rows) if block.weights is None else block.weights
        offset = np.concatenate([X.adjoint(unit), weighted_y.sum(axis=0)]) / weight
        scatter -= weight * np.outer(offset, offset)
        np.einsum("ii->i", scatter).clip(0.0, out=np.einsum("ii->i", scatter))
        return cls(weight, np.concatenate([centre, y_centre]), offset, scatter, p)

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
        )

    def about_origin(self) -> Moments:
        """The same sums about zero: mean 0, scatter ``Σ wᵢ zᵢ zᵢᵀ``."""
        return Moments(
            self.weight,
            np.zeros_like(self.mean),
            np.zeros_like(self.mean),
            self.scatter + self.weight * np.outer(self.mean, self.mean),
            self.n_features,
        )

    @property
    def mean(self) -> Array:
        """Weighted mean of features and targets, shape (p + m,)."""
        return self.origin + self.offset

    @property
    def x_mean(self) -> Array:
        """Mean of the features, shape (p,)."""
        return self.mean[: self.n_features]

    @property
    def y_mean(self) -> Array:
        """Mean of the targets, shape (m,)."""
        return self.mean[self.n_features :]

    @property
    def Sxx(self) -> Array:
        """Scatter of the features, shape (p, p)."""
        return self.scatter[: self.n_features, : self.n_features]

    @property
    def Sxy(self) -> Array:
        """Scatter between features and targets, shape (p, m)."""
        return self.scatter[: self.n_features, self.n_features :]

    @property
    def Syy(self) -> Array:
        """Scatter of the targets, shape (m, m)."""
        return self.scatter[self.n_features :, self.n_features :]
