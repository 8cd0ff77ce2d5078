"""Principal axes of rows, by the covariance matrix S or, with few rows, by their Gram matrix.

Forming S loses the components whose variance is below √ε of the largest. Those are found from the
singular values of R, the triangular factor of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.objectives import VarianceLagrangian
from mcmodels.rows import (
    ArrayRows,
    Covariance,
    Extent,
    Moments,
    Rows,
    StreamedMoments,
    StreamedSums,
    Triangle,
    single_threaded_blas,
)
from mcmodels.rows.covariance import times_design
from mcmodels.solvers import room, spectra
from mcmodels.solvers.block_krylov import Product, block_width, certified_eigenpairs
from mcmodels.solvers.deflation import deflated_eigenpairs
from mcmodels.solvers.eigenpairs import Eigenpairs, leading_eigenpairs
from mcmodels.solvers.pseudoinverse import rank_tolerance
from mcmodels.solvers.single_gram import eigenpairs_of_rows
from mcmodels.solvers.solution import Solution, Status
from mcmodels.solvers.spectra import Eigensolver, Spectrum
from mcmodels.solvers.tolerances import FLOAT64_EPSILON, NOISE_MARGIN, factorisation_error

Method = Literal["auto", "eigh", "deflation"]

# Lanczos iteration is used if S has at least this many columns for each requested axis.
_COLUMNS_PER_AXIS = 20
# Block Krylov iteration is tried where its basis has room for so many blocks in half of the space:
# a flat spectrum needs about as many.
_LEAST_STEPS = 30
# It is given up after so many, which take a fifth of the time of the whole problem of 5,000×5,000.
_MOST_STEPS = 64
# The same for passes over rows whose matrix is too large: as many as the basis has room for.
_STEPS_BY_PASSES = (48, 24, 12)
# The Gram matrix of few rows is formed if there are at most so many for each vector of the block:
# it takes as long as 25 products with the rows then, and what follows is cheap.
_GRAM_ROWS = 130
# Entries of axes that differ by less than this share tie. Axes whose variances differ by 1e-10 of
# the largest are known to 1e-6.
_TIE = 1e-6


@dataclass(frozen=True)
class PrincipalAxes:
    """The leading principal axes of rows.

    Parameters
    ----------
    mean : ndarray of shape (p,)
        Weighted mean of the rows.
    axes : ndarray of shape (k, p)
        Orthonormal axes, the entry of largest magnitude positive (of tied entries, the first).
    variances : ndarray of shape (k,)
        Variance along each, descending.
    total_variance : float
        Trace of S.
    left_out_variance : float
        Sum of the variances that were not requested.
    covariance : Covariance or None
        S; None where it takes too much memory.
    gradient : ndarray of shape (k, p)
        ``2Sv - 2λv`` for each axis.
    """

    mean: Array
    axes: Array
    variances: Array
    total_variance: float
    left_out_variance: float
    covariance: Covariance | None
    gradient: Array

    @property
    def shares(self) -> Array:
        """Shares of the variances in the trace of S; zeros where nothing varies."""
        if self.total_variance > 0:
            return self.variances / self.total_variance
        return np.zeros_like(self.variances)

    def noise_variance(self, kept: int, limit: int) -> float:
        """Mean of the variances beyond the ``kept`` leading ones, ``limit`` of them in all."""
        if kept >= limit:
            return 0.0
        return float(self.variances[kept:].sum() + self.left_out_variance) / (limit - kept)


def solve(
    rows: Rows, count: int, *, method: Method, tol: float, random: np.random.RandomState
) -> Solution[PrincipalAxes]:
    """The ``count`` leading principal axes of the rows.

    Parameters
    ----------
    rows : Rows
        Rows with an intercept (PCA is about the mean).
    count : int
        Number of axes, at most ``min(rows.n_present, rows.n_features)``.
    method : {"auto", "eigh", "deflation"}
        "eigh" and "deflation" work on S, or on the n×n Gram matrix when p ≥ n. "auto" is "eigh",
        or the SVD of R when a requested variance is too small to be accurate in S. Where the matrix
        takes more than 512 MB and few axes are requested, "auto" and "eigh" use products that are
        passes over the rows, in Lanczos iteration. "auto" tries block Krylov iteration first: it
        proves that no axis is missing.
    tol : float
        Relative residual at which deflation accepts a pair.
    random : RandomState
        Source of the start vectors of deflation.

    Returns
    -------
    Solution[PrincipalAxes]
        ``rank`` counts the variances above rounding noise among those computed.
    """
    search = _Search(rows, count, method, tol, random)
    with single_threaded_blas():
        side = min(rows.n_present, rows.n_features)
        if method != "deflation" and room.too_many(side) and count * _COLUMNS_PER_AXIS <= side:
            spectrum = spectra.of_products(rows, count, search.by_passes)
            return _with_rank(spectrum, count, rows)
        if rows.n_present > rows.n_features:
            spectrum = spectra.of_moments(Moments.of(rows), rows, search.of_matrix)
        else:
            spectrum = spectra.of_few_rows(rows, search.of_matrix, search.by_rows, search.by_factor)
        if method == "auto" and _inaccurate_in_covariance(
            spectrum, row_count(rows), rows.n_features
        ):
            triangle = rows.reduce(Triangle.about(spectrum.mean))
            exact = spectra.of_triangle(triangle, spectrum.mean, rows.total_weight)
            spectrum = replace(exact, kept=spectrum.kept, products=spectrum.products)
        return _with_rank(spectrum, count, rows)


def solve_sums(
    sums: StreamedSums,
    count: int,
    *,
    method: Method,
    tol: float,
    random: np.random.RandomState,
) -> Solution[PrincipalAxes]:
    """The principal axes from sums of rows that came in parts; parameters as in :func:`solve`."""
    with single_threaded_blas():
        if isinstance(sums, StreamedMoments):
            search = _Search(sums.seen, count, method, tol, random)
            spectrum = spectra.of_moments(sums.moments, sums.seen, search.of_matrix)
        else:
            spectrum = spectra.of_triangle(sums.triangle, sums.centre, sums.seen.total_weight)
        return _with_rank(spectrum, count, sums.seen)


@dataclass(frozen=True)
class _Search:
    """How eigenpairs are found: by one method for the whole spectrum, or by products for a few."""

    rows: Extent
    count: int
    method: Method
    tol: float
    random: np.random.RandomState

    def of_matrix(self, A: Array) -> Eigenpairs:
        """Of S or of the Gram matrix."""
        if self.method == "deflation":
            available = min(self.count, A.shape[0])
            return deflated_eigenpairs(A, available, tol=self.tol, random=self.random)
        matrix = ArrayRows(A, intercept=False)
        found = None
        if not self._in_rows and self.method == "auto":
            found = self._certified(
                lambda V: matrix.map(lambda block: times_design(V, block.X, transposed=True).T).T,
                len(A),
                float(np.trace(A)),
            )
        return self._whole(A) if found is None else found

    def _whole(self, A: Array) -> Eigenpairs:
        return leading_eigenpairs(A, min(self.count, A.shape[0]))

    def by_rows(self, product: Product, trace: float) -> Eigenpairs | None:
        """Of S by products with few rows; None where their Gram matrix is the better way."""
        if not self._in_rows or self.method != "auto":
            return None
        return self._certified(product, self.rows.n_features, trace)

    def by_factor(self, F: Array, squares: Array) -> Eigenpairs | Eigensolver:
        """Of FFᵀ by a Gram matrix in float32; else, what finds them from one in float64."""
        steps = self._steps(_MOST_STEPS) if self.method == "auto" else 0
        found = eigenpairs_of_rows(F, self.count, squares, steps) if steps else None
        if found is None:
            return self.of_matrix
        return found if found.converged else self._whole

    def by_passes(self, product: Product, trace: float) -> Eigenpairs | None:
        """Of S by passes over the rows, where no matrix can be formed; None if it is not certain.

        A pass reads the rows once for a whole block, where Lanczos iteration needs one a vector.
        """
        if self.method != "auto":
            return None
        width, p = block_width(self.count), self.rows.n_features
        steps = next((k for k in _STEPS_BY_PASSES if room.fits((k + 1) * width, p)), 0)
        return self._certified(product, p, trace, steps)

    @property
    def _in_rows(self) -> bool:
        width = block_width(self.count)
        few = self.rows.n_present <= self.rows.n_features
        basis_fits = room.fits(_MOST_STEPS * width, self.rows.n_features)
        return few and basis_fits and self.rows.n_present > _GRAM_ROWS * width

    def _certified(
        self, product: Product, size: int, trace: float, most_steps: int = _MOST_STEPS
    ) -> Eigenpairs | None:
        steps = self._steps(most_steps)
        return certified_eigenpairs(product, size, self.count, trace, steps) if steps else None

    def _steps(self, most: int) -> int:
        """How many steps are worth while; none where the whole problem is the better way."""
        side = min(self.rows.n_present, self.rows.n_features)
        width = block_width(self.count)
        if self.count == 0 or side < _LEAST_STEPS * 2 * width:
            return 0
        return min(side // (2 * width), most)


def _with_rank(spectrum: Spectrum, count: int, extent: Extent) -> Solution[PrincipalAxes]:
    """The ``count`` leading axes, with variances of rounding noise set to zero."""
    used = spectrum.method
    floor = rank_tolerance(extent) ** 2
    if used != "svd":
        floor = max(factorisation_error(extent.n_features), floor)
    noise = floor * spectrum.variances.max(initial=0.0) + _entry_variance(extent, spectrum)
    real = np.logical_and.accumulate(spectrum.variances > noise)
    present = spectrum.variances[real]
    rank = min(present.size, count)
    variances = np.zeros(count)
    variances[:rank] = present[:rank]
    left_out = present[rank:].sum()
    if not spectrum.complete:
        left_out = spectrum.total_variance - variances.sum()
        left_out = left_out if left_out > noise.max(initial=0.0) else 0.0
    axes = _oriented(_completed(spectrum.axes[:rank], count))
    gradient = VarianceLagrangian(spectrum.products, variances).gradient(axes)
    status = Status.CONVERGED if rank == count else Status.RANK_DEFICIENT
    return Solution(
        PrincipalAxes(
            spectrum.mean,
            axes,
            variances,
            spectrum.total_variance,
            float(left_out),
            spectrum.kept,
            gradient,
        ),
        status if spectrum.converged else Status.NOT_CONVERGED,
        used,
        spectrum.iterations,
        rank,
        float(np.sqrt(variances[0] / variances[-1])) if rank == count > 0 else np.inf,
    )


def row_count(rows: Extent) -> int:
    """Number of rows, each counted as often as its weight says, but at least the rows present."""
    return max(rows.n_present, int(rows.total_weight))


def _entry_variance(rows: Extent, spectrum: Spectrum) -> Array:
    """Variance along each axis that comes from the rounding of the entries of X."""
    squares = spectrum.square_sums / rows.total_weight
    return (NOISE_MARGIN * rows.epsilon) ** 2 / 12 * (spectrum.axes**2 @ squares)


def _inaccurate_in_covariance(spectrum: Spectrum, n_rows: int, n_features: int) -> bool:
    """Whether a requested variance has lost more than half its digits in S."""
    requested = spectrum.variances
    if requested.size == 0:
        return False
    if spectrum.method == "krylov":
        # It returns no smaller variance. All that is left out is known as well as the trace.
        left = spectrum.total_variance - requested.sum()
        return bool(left <= np.sqrt(FLOAT64_EPSILON) * spectrum.total_variance)
    left_out = min(n_rows, n_features) - requested.size
    noise = (spectrum.total_variance - requested.sum()) / left_out if left_out > 0 else np.inf
    return bool(min(requested.min(), noise) <= np.sqrt(FLOAT64_EPSILON) * requested[0])


def _oriented(axes: Array) -> Array:
    """Axes with their entry of largest magnitude made positive; of tied entries, the first.

    Rounding depends on how rows are cut into blocks, and must not decide the sign.
    """
    if axes.size == 0:
        return axes
    sizes = np.abs(axes)
    first = (sizes >= (1 - _TIE) * sizes.max(axis=1, keepdims=True)).argmax(axis=1)
    leading = axes[np.arange(axes.shape[0]), first]
    return axes * np.where(leading < 0, -1.0, 1.0)[:, np.newaxis]


def _completed(axes: Array, count: int) -> Array:
    """Axes with further ones appended until there are ``count``, all orthonormal.

    Those appended depend on the span of the axes alone. They are made from the coordinate
    directions with the smallest projections on it.
    """
    missing = count - axes.shape[0]
    if missing <= 0:
        return axes
    covered = (axes**2).sum(axis=0)
    least_covered = np.argsort(np.round(covered / _TIE), kind="stable")[:missing]
    candidates = np.eye(axes.shape[1])[least_covered]
    Q, _ = linalg.qr(np.vstack([axes, candidates]).T, mode="economic", check_finite=False)
    return np.vstack([axes, Q[:, axes.shape[0] :].T])
