"""A factor of ill-conditioned rows, from rows that a rough factor has made nearly orthonormal.

R with ``RᵀR`` the scatter of the rows x is ``L R₀`` where R₀ is any rough factor and ``LᵀL`` the
scatter of the whitened rows ``R₀⁻ᵀ(x - x̄)``. These are well conditioned, so that nothing is lost in
their squares: R has an error of κε for a condition number κ, as an orthogonal factorisation has,
where the scatter of the rows themselves has κ²ε. Sources: Yamamoto, Nakatsukasa, Yanagisawa and
Fukaya (2015), *Roundoff error analysis of the CholeskyQR2 algorithm*, ETNA 44; with a shift,
because the scatter may be singular in float64: Fukaya, Kannan, Nakatsukasa, Yamamoto and Yanagisawa
(2020), *Shifted Cholesky QR for computing the QR factorization of ill-conditioned matrices*, SIAM
J. Sci. Comput. 42(1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg, sparse

from mcmodels.arrays import Array
from mcmodels.rows import Moments, RowBlock, Rows, TransformedRows
from mcmodels.rows.blocks import product
from mcmodels.rows.moments import point_near_mean
from mcmodels.rows.sizes import MEAN_SAMPLE, NEAR_ZERO
from mcmodels.solvers.cholesky import ScaledCholesky, condition_of_triangle
from mcmodels.solvers.double_double import DoubleDouble
from mcmodels.solvers.exact_products import MOST_SLICES, SlicedColumns
from mcmodels.solvers.least_squares_fit import column_lengths
from mcmodels.solvers.pseudoinverse import entry_noise, rank_tolerance
from mcmodels.solvers.tolerances import FLOAT64_EPSILON, NORMAL_CONDITION

# Largest condition number of whitened rows: their scatter, which has its square, is still far from
# singular in float64.
_WHITE = 1e6
# The scatter of whitened rows has an error of their squared condition number, R one of its own. The
# first may be so many times the second, as that of normal equations is (NORMAL_CONDITION).
_LOST_BY_WHITENING = 100.0
# The condition number of a sample is about so many times that of all rows.
_SAMPLE_INFLATION = 1.5
# Rows for each column in a sample that tells how the columns depend on each other. It is taken if
# it is less than one row in so many.
_SAMPLE_ROWS_PER_COLUMN, _SAMPLED_SHARE = 4, 25
# Of a sample of rows, every fourth is enough to tell how many values a column takes.
_STEP_OF_VALUES = 4


@dataclass(frozen=True)
class WhitenedFactor:
    """A factor R of the scatter of rows, and the moments from which it was computed.

    Parameters
    ----------
    R : ndarray of shape (p, p)
        Upper triangular; ``RᵀR`` is the scatter of the rows about their mean.
    rough : ndarray of shape (p, p)
        R₀, the factor by which the rows were whitened.
    products : ndarray of shape (p, m)
        ``R₀⁻ᵀ Σ wᵢ (xᵢ - x̄) (yᵢ - ȳ)ᵀ``.
    moments : Moments
        Moments of the rows themselves.
    """

    R: Array
    rough: Array
    products: Array
    moments: Moments

    def coordinates(self, root: Array) -> Array:
        """``Bᵀ Σ wᵢ (xᵢ - x̄) (yᵢ - ȳ)ᵀ`` for a root B of the inverse scatter.

        These are the coordinates of the targets in an orthonormal basis of the columns.
        """
        return (self.rough @ root).T @ self.products

    def inverse(self, rows: Rows) -> ScaledCholesky | None:
        """The inverse scatter by R; None where columns may depend on each other."""
        lengths = column_lengths(np.linalg.norm(self.R, axis=0), self.moments, rows)
        noise = float(np.linalg.norm(entry_noise(rows, lengths, self.moments.x_mean)))
        return ScaledCholesky.of_factor(self.R, lengths, rcond=max(rank_tolerance(rows), noise))


def factor_by_moments(rows: Rows, moments: Moments) -> WhitenedFactor | None:
    """The factor of rows whose moments are known; None where they are singular in float64.

    Parameters
    ----------
    rows : Rows
        Rows with targets of shape (n, m) and weights.
    moments : Moments
        Their moments, about the mean with an intercept, else about zero.
    """
    scale = np.sqrt(moments.x_squares)
    if not scale.size or not scale.all():
        return None
    scaled = moments.Sxx / np.outer(scale, scale)
    # More than the rounding errors of the scatter, so that the factor exists.
    scaled[np.diag_indices_from(scaled)] += 2 * rank_tolerance(rows)
    upper, info = linalg.lapack.dpotrf(scaled, lower=0, clean=1)
    if info != 0:
        return None
    return _by_whitened_rows(rows, moments.mean, upper * scale, moments)


def factor_by_sample(rows: Rows) -> WhitenedFactor | None:
    """The factor of many rows, of which a sample is ill-conditioned, in a single walk.

    None where the sample is well-conditioned or too large, or does not tell what the rows are like.
    """
    found = rough_factor(rows)
    if found is None:
        return None
    mean, rough = found
    # About zero where the mean is near, so that the rows need not be copied once more.
    near = point_near_mean(rows, always_of_targets=True)
    return _by_whitened_rows(rows, near, rough, mean=mean)


def rough_factor(rows: Rows, *, largest_condition: float = np.inf) -> tuple[Array, Array] | None:
    """About the mean of the columns, and a factor R₀ of about their scatter, from a sample.

    None where the sample is well-conditioned or too large, or does not tell what the rows are like,
    or its condition number is larger than ``largest_condition``.
    """
    p = rows.n_features
    few = rows.n_present < _SAMPLED_SHARE * _SAMPLE_ROWS_PER_COLUMN * p
    if p == 0 or few or rows.product_epsilon > FLOAT64_EPSILON:
        return None
    sample = rows.sample(_SAMPLE_ROWS_PER_COLUMN * p)
    if sample is rows or sample.n_present <= p + 1:
        return None
    parts = sample.reduce(_dense_rows)
    if not parts:
        return None  # whitened rows would be dense
    X, weights = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    with np.errstate(over="ignore", invalid="ignore"):
        mean = weights @ X / sample.total_weight if rows.intercept else np.zeros(p)
        Z = np.sqrt(weights)[:, np.newaxis] * (X - mean)
        scatter = product(Z.T, Z)
    if not np.isfinite(scatter).all():
        return None
    factor = ScaledCholesky.of(scatter, np.sqrt(np.diagonal(scatter)))
    if factor is not None and factor.condition <= _SAMPLE_INFLATION * NORMAL_CONDITION:
        return None
    (R,) = linalg.qr(Z, mode="r", overwrite_a=True, check_finite=False)
    rough = R[:p] * np.sqrt(rows.total_weight / sample.total_weight)
    lengths = np.linalg.norm(rough, axis=0)
    # Where a column is constant in the sample, or a direction may be no more than rounding, the
    # blockwise factorisation decides.
    regular = ScaledCholesky.of_factor(
        rough, lengths, rcond=rank_tolerance(rows), largest_condition=largest_condition
    )
    return None if regular is None else (mean, rough)


def fewest_inexact_values(rows: Rows, moments: Moments) -> float:
    """About how many values the column takes that has the fewest, of those with inexact products.

    Products of numbers with few binary digits, such as indicators, are exact. A sample of the rows
    tells the number: infinite where it shows no value twice. Sparse rows count as exact, because
    most of them hold indicators.
    """
    parts = rows.sample(MEAN_SAMPLE).reduce(_some_rows)
    if not parts:
        return np.inf
    columns = np.concatenate(parts, axis=1) - moments.origin[: rows.n_features, np.newaxis]
    inexact = np.sort(columns[(columns != columns.astype(np.float32)).any(axis=1)])
    seen = 1 + (inexact[:, 1:] != inexact[:, :-1]).sum(axis=1)
    n_sampled = columns.shape[1]
    least = int(seen.min(initial=n_sampled))
    # Where there are many values D, n rows show about n²/(2D) of them again.
    return least * n_sampled / (2 * (n_sampled - least)) if least < n_sampled else np.inf


def whitened_scatter(rows: Rows, root: Array, origin: Array, offset: Array) -> Array | None:
    """L with ``LLᵀ = BᵀSB``, which is near the identity when ``BBᵀ ≈ S⁻¹``: it corrects B.

    ``B L⁻ᵀ`` is a root of S⁻¹ as accurate as the rows ``Bᵀ(xᵢ - x̄)``, which are formed in twice the
    working precision.

    Parameters
    ----------
    rows : Rows
        Rows with p features and weights.
    root : ndarray of shape (p, p)
        B.
    origin, offset : ndarray of shape (p,)
        A point near x̄, and its difference from it; zeros without an intercept.

    Returns
    -------
    ndarray of shape (p, p), or None when BᵀSB is not positive definite
    """
    B = DoubleDouble.of(root)
    constant = B.times(offset[:, np.newaxis]).sum(axis=0)

    def summarise(block: RowBlock) -> Array:
        X = SlicedColumns.of(block.X.dense(), origin, MOST_SLICES, block.X.scratch)
        Z = (X.times(B) + -constant[:, np.newaxis]).hi.T
        Z = np.column_stack([Z, np.ones(len(Z))])
        if block.weights is not None:
            Z *= np.sqrt(block.weights)[:, np.newaxis]
        return product(Z.T, Z)

    sums = rows.reduce(summarise)
    scatter, total = sums[:-1, :-1], sums[:-1, -1]
    if rows.intercept:  # the rounding error of the mean
        scatter = scatter - np.outer(total, total) / rows.total_weight
    L, info = linalg.lapack.dpotrf(scatter, lower=1, clean=1)
    return L if info == 0 else None


def _some_rows(block: RowBlock) -> list[Array]:
    """Some of the features, a row for each column; nothing where they are sparse."""
    return [] if sparse.issparse(block.X.X) else [block.X.X[::_STEP_OF_VALUES].T.copy()]


def _dense_rows(block: RowBlock) -> list[tuple[Array, Array]]:
    """A copy of the features, and the weights; nothing where the features are sparse."""
    return [] if sparse.issparse(block.X.X) else [(block.X.X.copy(), block.weights_or_ones)]


def _by_whitened_rows(
    rows: Rows,
    near: Array,
    rough: Array,
    moments: Moments | None = None,
    mean: Array | None = None,
    *,
    once_more: bool = True,
) -> WhitenedFactor | None:
    """The factor by the rows ``√W R₀⁻ᵀ(x - centre)``; None where these are ill-conditioned, too.

    Their scatter has entries of about the weight. With rows of length one, products would be small
    when there are many. ``near`` is a point near the mean of the joint rows (x, y). The centre is
    that point, or ``mean``, where the whitened rows would be far from zero. Where R₀ is so rough
    that their scatter loses digits that R should have, the R that it gives whitens them
    ``once_more``.
    """
    p, root_weight = rows.n_features, np.sqrt(rows.total_weight)
    scale = root_weight * np.eye(p)
    root = np.triu(linalg.solve_triangular(rough, scale, check_finite=False))
    centre = near[:p]
    if mean is not None and (np.abs((mean - centre) @ root) > NEAR_ZERO).any():
        centre = mean
    about = np.append(np.zeros(p), near[p:])
    white = Moments.of(TransformedRows(rows, centre, root), origin=about)
    white = white if rows.intercept else white.about_origin()
    factor = ScaledCholesky.of(white.Sxx, np.sqrt(white.x_squares), rcond=1 / _WHITE)
    if factor is None:
        return None
    back = rough / root_weight
    R = factor.factor @ back
    condition = condition_of_triangle(R / np.linalg.norm(R, axis=0))
    if once_more and factor.condition**2 > _LOST_BY_WHITENING * condition:
        return _by_whitened_rows(rows, near, R, moments, mean, once_more=False)
    moments = moments or _moments_of_rows(white, near[:p], centre, back)
    return WhitenedFactor(R, rough, white.Sxy / root_weight, moments)


def _moments_of_rows(white: Moments, near: Array, centre: Array, back: Array) -> Moments:
    """Moments of rows from those of the whitened rows ``z``, with ``x = centre + backᵀz``.

    ``near`` is a point near the mean of the columns.
    """
    p = len(centre)
    scatter = np.empty_like(white.scatter)
    scatter[:p, :p] = back.T @ white.Sxx @ back
    scatter[:p, p:] = back.T @ white.Sxy
    scatter[p:, :p] = scatter[:p, p:].T
    scatter[p:, p:] = white.scatter[p:, p:]
    origin, offset, left_out = white.origin.copy(), white.offset.copy(), white.left_out
    if left_out is not None:
        left_out = replace(left_out, x_sums=left_out.x_sums @ back)
    else:
        origin[:p] = near
        offset[:p] = (centre - near) + white.x_mean @ back
    return Moments(white.weight, origin, offset, scatter, p, white.rounding, left_out)
