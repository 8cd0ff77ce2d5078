"""Coordinates of the parameters in which Newton's method has small rounding errors.

Newton's method does not depend on the coordinates of the parameters, but its rounding errors do.
Columns far from zero are shifted. A design that is nearly or exactly singular, and not penalised,
is replaced by an orthonormal basis of its columns: the Hessian is then as well conditioned as the
weights allow, and every solution is the shortest one. With a penalty and fewer rows than columns,
the coefficients lie in the span of the rows, and in an orthonormal basis of that span the systems
are small: Hastie and Tibshirani (2004), *Efficient quadratic regularization for expression arrays*,
Biostatistics 5(3), §3.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.rows import (
    ColumnMoments,
    RowBlock,
    Rows,
    TransformedRows,
    Triangle,
    single_threaded_blas,
)
from mcmodels.rows.transformed import combination
from mcmodels.solvers import room
from mcmodels.solvers.cholesky_qr import factor_by_sample, rough_factor
from mcmodels.solvers.kept_hessian import passes_are_expensive
from mcmodels.solvers.overflow import refuse_overflow, refuse_tiny_weights, refuse_underflow
from mcmodels.solvers.pseudoinverse import PseudoInverse, entry_noise, from_factor, rank_tolerance
from mcmodels.solvers.tolerances import FLOAT64_EPSILON, SAMPLE_ROWS, factorisation_error

# Columns whose mean is more than this many standard deviations from zero are shifted: their squares
# would lose two digits.
_FAR_FROM_ZERO = 10.0
# Largest entry of coordinates that are made from the curvature.
_LARGEST_ROOT = 1e100
# Largest condition number of a sample in whose coordinates a fit begins: the rounding of the user's
# parameters should leave six digits of linear predictors.
_LARGEST_CONDITION = 1e10
# Largest sum of a column of |root| |root⁻¹|, of columns of unit length, with which a Hessian is
# taken to the user's coordinates. Times ε that is 2e-12; a hundredth of it was measured.
_LARGEST_GROWTH = 1e4


@dataclass(frozen=True)
class Coordinates:
    """Parameters θ of design rows x, and γ of ``(x - centre) root``: ``coef_θ = root coef_γ``.

    Parameters
    ----------
    centre : ndarray of shape (p,)
        What is subtracted from each column; zeros for none.
    inverse : PseudoInverse or None
        Its root is a root of the inverse scatter of the design.
    basis : ndarray of shape (p, r), or None
        A root with orthonormal columns that span the rows about the centre.
    """

    centre: Array
    inverse: PseudoInverse | None = None
    basis: Array | None = None

    @property
    def root(self) -> Array | None:
        """The root; None means the identity."""
        return self.basis if self.inverse is None else self.inverse.root

    @property
    def rank(self) -> int:
        """How many coordinates there are."""
        return len(self.centre) if self.root is None else self.root.shape[1]

    @property
    def is_identity(self) -> bool:
        """Whether these are the user's coordinates: γ = θ."""
        return self.root is None and not self.centre.any()

    def transform(self, rows: Rows) -> Rows:
        """The rows in these coordinates."""
        if self.is_identity:
            return rows
        transformed = TransformedRows(rows, self.centre, self.root)
        return transformed if self.basis is None else transformed.held()

    def to_users(self, params: Array, *, intercept: bool) -> Array:
        """θ from γ."""
        if self.is_identity:
            return params
        coef = params[..., :-1] if intercept else params
        if self.root is not None:
            with single_threaded_blas():
                coef = combination(self.root, coef)
        if not intercept:
            return coef
        return np.concatenate([coef, params[..., -1:] - (coef @ self.centre)[..., None]], axis=-1)

    def from_users(self, params: Array, *, intercept: bool) -> Array:
        """γ from θ, without the part of θ outside the row space."""
        if self.is_identity:
            return params
        coef = params[..., :-1] if intercept else params
        inner = self._inner(coef)
        if not intercept:
            return inner
        return np.concatenate([inner, params[..., -1:] + (coef @ self.centre)[..., None]], axis=-1)

    def _inner(self, coef: Array) -> Array:
        """Coefficients in these coordinates."""
        if self.inverse is None:
            return coef if self.basis is None else coef @ self.basis
        # Rows are scaled to unit length, so that columns of small scale do not look dependent.
        scale = np.linalg.norm(self.inverse.root, axis=1)
        scale[scale == 0] = 1.0
        root = self.inverse.root / scale[:, np.newaxis]
        inner = linalg.lstsq(root, (np.atleast_2d(coef) / scale).T)[0].T
        return inner.reshape(*coef.shape[:-1], -1)

    def rounding_of_users(self, params: Array, hessian: Array, *, intercept: bool) -> float:
        """Length, in the metric of the Hessian over γ, of what rounding does to parameters θ.

        Zero where products with vectors are taken in the coordinates.
        """
        return 0.0

    def derivatives_to_users(
        self, gradient: Array, hessian: Array, *, intercept: bool
    ) -> tuple[Array, Array] | None:
        """Gradient and Hessian over θ from those over γ; None where that costs digits."""
        return None


@dataclass(frozen=True)
class WhiteCoordinates(Coordinates):
    """Coordinates in which some of the rows are orthonormal, and all rows nearly so.

    Products of the rows with vectors are taken in the user's coordinates, which costs no more than
    there. So the gradient is that at the user's parameters in float64.

    Parameters
    ----------
    rough : ndarray of shape (p, p)
        The inverse of the root: an upper triangular factor of the scatter of some of the rows.
    """

    rough: Array = field(kw_only=True)

    @property
    def root(self) -> Array:
        """The root."""
        return self._root

    @cached_property
    def _root(self) -> Array:
        with single_threaded_blas():
            return np.asfortranarray(np.triu(linalg.lapack.dtrtri(self.rough)[0]))

    @property
    def _far(self) -> Array:
        """The centre of columns that are far from zero, and zeros."""
        far = np.abs(self.centre) > _FAR_FROM_ZERO * np.linalg.norm(self.rough, axis=0)
        return np.where(far, self.centre, 0.0)

    def transform(self, rows: Rows) -> Rows:
        """The rows in these coordinates."""
        return TransformedRows(rows, self.centre, self.root, self._far)

    def _inner(self, coef: Array) -> Array:
        return coef @ self.rough.T

    def _from_users(self, intercept: bool) -> Array:
        """A with ``γ = Aθ``."""
        if not intercept:
            return self.rough
        A = linalg.block_diag(self.rough, 1.0)
        A[-1, :-1] = self.centre
        return A

    def rounding_of_users(self, params: Array, hessian: Array, *, intercept: bool) -> float:
        """Length, in the metric of the Hessian over γ, of what rounding does to parameters θ.

        Each is rounded by itself, by at most ε/2 of it. Together they change linear predictors
        more, relative to these, the more columns depend on each other.
        """
        A = self._from_users(intercept)
        outputs = np.atleast_2d(params)
        blocks = hessian.reshape(len(outputs), len(A), len(outputs), len(A))
        squares = [np.sum(A * (blocks[k, :, k] @ A), axis=0) for k in range(len(outputs))]
        return FLOAT64_EPSILON / 2 * float(np.sqrt(np.sum(outputs**2 * squares)))

    def derivatives_to_users(
        self, gradient: Array, hessian: Array, *, intercept: bool
    ) -> tuple[Array, Array] | None:
        """Gradient and Hessian over θ from those over γ; None where that costs digits.

        With ``γ = Aθ`` they are ``Aᵀg`` and ``AᵀHA``. Rounding errors of the rows ``x root`` are
        those of rows that differ from x by ``ε |x| |root| |root⁻¹|``. In a triangular factor, small
        numbers stand in the same rows, so that this is mostly a few ε, whatever the condition
        number: Higham (2002), *Accuracy and Stability of Numerical Algorithms*, 2nd ed., §8.2. The
        intercept of columns far from zero is rounded more than the Hessian may be.
        """
        lengths = np.linalg.norm(self.rough, axis=0)
        growth = (np.abs(self.root) @ np.abs(self.rough) * lengths[:, np.newaxis]) / lengths
        if self._far.any() or not growth.sum(axis=0).max() <= _LARGEST_GROWTH:
            return None
        A = self._from_users(intercept)
        K, P = len(hessian) // len(A), len(A)
        with single_threaded_blas():
            blocks = hessian.reshape(K, P, K, P)
            found = np.empty_like(blocks)
            for k in range(K):
                for j in range(K):
                    found[k, :, j] = A.T @ blocks[k, :, j] @ A
            over_users = found.reshape(hessian.shape)
            return gradient @ A, (over_users + over_users.T) / 2


@dataclass(frozen=True)
class InnerCurvature:
    """A Hessian over the raveled parameters of other coordinates.

    Parameters
    ----------
    hessian : ndarray of shape (KP, KP)
        The Hessian.
    coordinates : Coordinates
        The coordinates.
    """

    hessian: Array
    coordinates: Coordinates

    def __getstate__(self) -> tuple[Array, Array, Array | None]:
        """Half of the symmetric matrix, the centre, and the root."""
        half = self.hessian[np.tril_indices(len(self.hessian))]
        return half, self.coordinates.centre, self.coordinates.root

    def __setstate__(self, state: tuple[Array, Array, Array | None]) -> None:
        half, centre, root = state
        n = int(np.sqrt(2 * half.size))
        hessian = np.zeros((n, n))
        hessian[np.tril_indices(n)] = half
        hessian.T[np.tril_indices(n)] = half
        object.__setattr__(self, "hessian", hessian)
        object.__setattr__(self, "coordinates", Coordinates(centre, basis=root))


def row_space_coordinates(
    objective: LinearPredictorObjective, centre: Array, start: Array
) -> Coordinates | None:
    """An orthonormal basis of the rows about a point, for penalised fits with few rows.

    With an intercept the residuals sum to zero, so that the gradient of the loss lies in the span
    of the centred rows. At the minimum the coefficients are a multiple of it, and lie there too.
    """
    rows = objective.rows
    of_each_column = isinstance(objective.penalty, np.ndarray)
    if of_each_column or not objective.is_penalised or rows.n_present >= rows.n_features:
        return None
    n_classes = len(np.atleast_2d(start))
    large = room.too_many(n_classes * (rows.n_present + 1))
    if large or not room.fits(rows.n_present, rows.n_features):
        return None
    triangle = rows.reduce(Triangle.about(np.append(centre, 0.0)))
    with single_threaded_blas():
        Q, _ = linalg.qr(triangle.Rxx.T, mode="economic", check_finite=False)
    return Coordinates(centre, basis=Q)


def shifted_coordinates(objective: LinearPredictorObjective) -> Coordinates:
    """Coordinates in which columns far from zero are shifted to their mean."""
    rows = objective.rows
    refuse_tiny_weights(rows.total_weight)

    def first_two_moments(block: RowBlock) -> Array:
        total = block.X.mean(block.weights) * block.total_weight
        return np.stack([total, block.X.square_sums(block.weights)])

    sample = rows.sample(SAMPLE_ROWS) if passes_are_expensive(rows) else rows
    with np.errstate(over="ignore", invalid="ignore"):
        mean, square = sample.reduce(first_two_moments) / sample.total_weight
    refuse_overflow(square)
    refuse_underflow(square, mean, sample)
    if not rows.intercept:
        return Coordinates(np.zeros(rows.n_features))
    far = mean**2 > _FAR_FROM_ZERO**2 * np.maximum(square - mean**2, 0.0)
    return Coordinates(np.where(far, mean, 0.0))


def white_coordinates(objective: LinearPredictorObjective) -> Coordinates | None:
    """Coordinates in which a sample of many rows is orthonormal, where it is ill-conditioned.

    Then all rows are well conditioned in these coordinates, too, unless the sample is unlike them:
    the Hessian shows that. None where a penalty is on the coefficients, and where columns may
    depend on each other.
    """
    rows = objective.rows
    if objective.is_penalised or not passes_are_expensive(rows):
        return None
    found = rough_factor(rows, largest_condition=_LARGEST_CONDITION)
    if found is None:
        return None
    centre, rough = found
    return WhiteCoordinates(centre, rough=rough / np.sqrt(rows.total_weight))


def orthonormal_coordinates(rows: Rows) -> Coordinates:
    """Coordinates in which the (centred) columns of the design are orthonormal."""
    if passes_are_expensive(rows):
        found = factor_by_sample(rows)
        regular = None if found is None else found.inverse(rows)
        if found is not None and regular is not None:
            scaled = regular.root * np.sqrt(rows.total_weight)
            values = linalg.svdvals(regular.lower)
            return Coordinates(found.moments.x_mean, PseudoInverse(scaled, values, ()))
    moments = ColumnMoments.of(rows)
    mean = moments.mean if rows.intercept else np.zeros_like(moments.mean)
    triangle = rows.reduce(Triangle.about(mean))
    x_mean = mean[: rows.n_features]
    lengths = np.linalg.norm(triangle.Rxx, axis=0)
    inverse = from_factor(
        triangle.Rxx, lengths, rank_tolerance(rows), entry_noise(rows, lengths, x_mean)
    )
    # Columns of unit length would make Hessian and gradient small when there are many rows.
    root = inverse.root * np.sqrt(rows.total_weight)
    return Coordinates(x_mean, replace(inverse, root=root))


def curvature_coordinates(objective: LinearPredictorObjective, params: Array) -> Coordinates | None:
    """Coordinates in which the Hessian at a point is about a multiple of the identity.

    None where no row has curvature, or so little that squares would overflow.

    The rows are weighted by the curvature of the loss (with several classes, by its trace). Where
    few rows have curvature, those decide how the columns depend on each other.

    Parameters
    ----------
    objective : LinearPredictorObjective
        A cross-entropy over the user's rows.
    params : ndarray of shape (P,) or (K, P)
        The point, as parameters of the user's rows.
    """
    rows, loss = objective.rows, objective.loss

    def curved(block: RowBlock) -> RowBlock:
        eta = block.linear_predictor(params)
        trace = np.zeros(block.X.n_rows)
        for pairs, sign, size in loss.at(block.y, eta).curvature():
            trace += sign * size * sum(k == j for k, j in pairs)
        return replace(block, y=None, weights=block.weighted(trace))

    def first_moment(block: RowBlock) -> Array:
        weights = curved(block).weights_or_ones
        return np.append(block.X.products(weights), weights.sum())

    mean = np.zeros(rows.n_features)
    if rows.intercept:
        *sums, total = rows.reduce(first_moment)
        if total == 0:
            return None
        mean = np.asarray(sums) / total
    triangle = rows.reduce(lambda block: Triangle.about(mean)(curved(block)))
    if rows.intercept:
        mean = mean + triangle.R[0, 1:] / triangle.R[0, 0]
    lengths = np.linalg.norm(triangle.Rxx, axis=0)
    if not lengths.any():
        return None
    inverse = from_factor(
        triangle.Rxx, lengths, factorisation_error(rows.n_features), np.zeros(rows.n_features)
    )
    root = inverse.root * np.sqrt(rows.total_weight)
    if np.abs(root).max() > _LARGEST_ROOT:
        return None
    return Coordinates(mean, replace(inverse, root=root))
