"""The R of a QR factorisation, computed block by block; two factors can be merged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.rows.blocks import RowBlock
from mcmodels.rows.means import JointMean, LeftOut
from mcmodels.rows.unlocked import add_rows_to_factor

# Rows that are added to a factor at a time, so that they stay in cache, and reflections that are
# applied together. With 3, 30, 100 columns a block of 4 MB takes 0.5, 2.2, 4 ms; one call of LAPACK
# for the whole block took 1.8, 7, 14 ms. With 300 columns both take 12 ms.
_SLICE_ROWS, _FEWEST_REFLECTIONS, _MOST_REFLECTIONS = 1000, 4, 32


@dataclass(frozen=True)
class Triangle:
    """R with ``RᵀR = Σ wᵢ zᵢ zᵢᵀ``, computed without this product.

    The rows are ``z = (1, x - x₀, y - y₀)`` with an intercept and ``z = (x, y, 1)`` without.
    Because of the leading one, R without its first row and column is the factor of the rows about
    their exact mean. The one at the end tells how far a constant is from the columns. To merge two
    factors, factorise one stacked on the other (Demmel, Grigori, Hoemmen and Langou 2012,
    *Communication-optimal parallel and sequential QR and LU*, SIAM J. Sci. Comput. 34(1), §2). So
    are rows added to a factor.

    Parameters
    ----------
    R : ndarray of shape (min(n, q), q)
        Upper trapezoidal factor.
    n_features : int
        Number of columns that are features.
    intercept : bool
        Whether a one leads each row.
    """

    R: Array
    n_features: int
    intercept: bool

    @classmethod
    def about(cls, centre: Array) -> Callable[[RowBlock], Triangle]:
        """A function that gives the factor of the rows (x, y) of a block, minus ``centre``."""

        def factorise(block: RowBlock) -> Triangle:
            X, (_, p) = block.X, block.X.X.shape
            q = 1 + p + (0 if block.y is None else block.y.size // X.n_rows)
            if X.n_rows <= max(_SLICE_ROWS, q):
                (Z,) = _joint_rows(block, centre, X.n_rows)
                return cls(_upper_factor(Z), p, X.intercept)
            return cls(np.zeros((q, q), order="F"), p, X.intercept).with_rows(block, centre)

        return factorise

    def with_rows(self, block: RowBlock, centre: Array) -> Triangle:
        """The factor of these rows and those of a block, minus ``centre``; R must be square."""
        R = self.R
        for Z in _joint_rows(block, centre, _SLICE_ROWS):
            R = _with_rows(R, Z, 0)
        return Triangle(R, self.n_features, self.intercept)

    def __add__(self, other: Triangle) -> Triangle:
        q = self.R.shape[1]
        if len(self.R) == len(other.R) == q:
            return replace(self, R=_with_rows(self.R, other.R, q))
        return replace(self, R=_upper_factor(np.concatenate([self.R, other.R])))

    def shifted(self, shift: Array) -> Triangle:
        """The factor of the same rows with ``shift`` added to each.

        ``(1, z + s) = (1, z) + 1·(0, s)``: multiples of the first column of R are added to the
        others. This column has a single nonzero entry, the square root of the total weight.
        """
        if not (self.intercept and shift.any()):
            return self
        R = self.R.copy()
        R[0, 1:] += R[0, 0] * shift
        return Triangle(R, self.n_features, self.intercept)

    @property
    def joint(self) -> Array:
        """R without the row and column of a leading one, or the column of one at the end."""
        return self.R[1:, 1:] if self.intercept else self.R[:, :-1]

    @property
    def Rxx(self) -> Array:
        """Factor of the (centred) features, shape (k, p)."""
        return self.joint[: self.n_features, : self.n_features]

    @property
    def Qy(self) -> Array:
        """Coordinates of the (centred) targets in the basis Q of the features, shape (k, m)."""
        return self.joint[: self.n_features, self.n_features :]

    def residual_scatter(self, coef: Array) -> Array:
        """``Σ wᵢ rᵢ rᵢᵀ`` of the residuals at coefficients (p, m), shape (m, m).

        A sum of squares, not a difference, so that small residuals keep all their digits.
        """
        joint, p = self.joint, self.n_features
        left = joint[:, p:].copy()
        left[:p] -= joint[:p, :p] @ coef
        return left.T @ left


@dataclass(frozen=True)
class FactoredMoments(JointMean):
    """Weight, mean and centred scatter of rows z = (x, y), with a factor in place of the scatter.

    Parameters
    ----------
    weight : float
        ``Σ wᵢ``.
    origin, offset : ndarray of shape (p + m,)
        A point near the weighted mean of features and targets, and the mean minus this point.
    triangle : Triangle
        The factor of the rows about ``origin``.
    n_features : int
        p.
    squares : ndarray of shape (p + m,)
        Diagonal of the scatter.
    """

    weight: float
    origin: Array
    offset: Array
    triangle: Triangle
    n_features: int
    squares: Array
    rounding = float(np.finfo(np.float64).eps)

    @classmethod
    def of(cls, triangle: Triangle, centre: Array, weight: float) -> FactoredMoments:
        """Moments about the mean (without an intercept: about zero) from a triangle.

        The triangle is that of the rows minus ``centre``.
        """
        R = triangle.R
        offset = R[0, 1:] / R[0, 0] if triangle.intercept else np.zeros_like(centre)
        squares = np.einsum("kj,kj->j", triangle.joint, triangle.joint)  # silent where it overflows
        return cls(weight, centre, offset, triangle, triangle.n_features, squares)

    @property
    def R(self) -> Array:
        """Factor with ``RᵀR`` the scatter of z about its mean, shape (k, p + m)."""
        return self.triangle.joint

    @property
    def left_out(self) -> LeftOut | None:
        """Sums about the mean, if the moments are about zero."""
        if self.triangle.intercept:
            return None
        one, Ry = self.triangle.R[:, -1], self.R[:, self.n_features :]
        y_mean = one @ Ry / self.weight
        away = Ry - np.outer(one, y_mean)
        squares = np.einsum("kj,kj->j", away, away)
        return LeftOut(one @ self.R[:, : self.n_features], y_mean, squares)

    def squares_left_of_constant(self, coef: Array) -> float:
        """``Σ wᵢ (1 - xᵢᵀa)²`` of coefficients a of shape (p,), for moments about zero."""
        left = self.triangle.R[:, -1] - self.R[:, : self.n_features] @ coef
        return float(left @ left)

    @property
    def Sxx(self) -> Array:
        """Scatter of the features, shape (p, p); computed at each read."""
        Rx = self.R[:, : self.n_features]
        return Rx.T @ Rx

    @property
    def Sxy(self) -> Array:
        """Scatter between features and targets, shape (p, m)."""
        return self.R[:, : self.n_features].T @ self.R[:, self.n_features :]

    def scatter_times(self, B: Array) -> Array:
        """``Sxx B`` for B of shape (p, m)."""
        Rx = self.R[:, : self.n_features]
        return Rx.T @ (Rx @ B)


def _joint_rows(block: RowBlock, centre: Array, height: int) -> Iterator[Array]:
    """The rows ``z`` of a block, so many at a time, times the roots of their weights."""
    X, lead = block.X.dense(), 1 if block.X.intercept else 0
    n_rows, p = X.shape
    y = np.empty((n_rows, 0)) if block.y is None else block.y.reshape(n_rows, -1)
    end = lead + p + y.shape[1]
    for start in range(0, n_rows, height):
        part = slice(start, min(start + height, n_rows))
        Z = np.empty((part.stop - start, 1 + centre.size), order="F")
        Z[:, 0 if lead else -1] = 1.0
        np.subtract(X[part], centre[:p], out=Z[:, lead : lead + p])
        np.subtract(y[part], centre[p:], out=Z[:, lead + p : end])
        if block.weights is not None:
            Z *= np.sqrt(block.weights[part])[:, np.newaxis]
        yield Z


def _with_rows(R: Array, Z: Array, n_triangular: int) -> Array:
    """The square factor of R and of rows Z, the last ``n_triangular`` of which are triangular."""
    q = len(R)
    together = min(max(q // 16, _FEWEST_REFLECTIONS), _MOST_REFLECTIONS, q)
    R = np.array(R, order="F")
    add_rows_to_factor(R, np.array(Z, order="F") if n_triangular else Z, n_triangular, together)
    return R


def _upper_factor(Z: Array) -> Array:
    (R,) = linalg.qr(Z, mode="r", overwrite_a=True, check_finite=False)
    return R[: min(Z.shape)]
