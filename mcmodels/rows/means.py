"""The mean of joint rows z = (x, y), stored as a point plus an offset."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from mcmodels.arrays import Array


@dataclass(frozen=True)
class LeftOut:
    """What moments about zero leave out: with it, a fit can be compared with a constant.

    Parameters
    ----------
    x_sums : ndarray of shape (p,)
        ``Σ wᵢxᵢ``.
    y_mean, y_squares : ndarray of shape (m,)
        Mean of the targets, and their squares about it.
    """

    x_sums: Array
    y_mean: Array
    y_squares: Array


class JointMean:
    """Mean of p features and m targets as ``origin + offset``, both of shape (p + m,).

    So the difference of two means is exact even when their leading digits agree. ``squares``, of
    the same shape, is the diagonal of their scatter.
    """

    origin: Array
    offset: Array
    squares: Array
    n_features: int

    @functools.cached_property
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
    def x_squares(self) -> Array:
        """Diagonal of the scatter of the features, shape (p,)."""
        return self.squares[: self.n_features]

    @property
    def y_squares(self) -> Array:
        """Diagonal of the scatter of the targets, shape (m,)."""
        return self.squares[self.n_features :]
