"""Axes and variances of rows by each method, before it is said how many of them are real.

The matrix is S, its factor R, or the Gram matrix of few rows; or S is used by its products alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import linalg, sparse

from mcmodels.arrays import Array
from mcmodels.rows import (
    ColumnMoments,
    Covariance,
    CovarianceMatrix,
    DenseDesign,
    Design,
    FactoredCovariance,
    FactoredMoments,
    Moments,
    RowBlock,
    Rows,
    RowsCovariance,
    Seen,
    Triangle,
)
from mcmodels.solvers.eigenpairs import Eigenpairs
from mcmodels.solvers.lanczos import eigenpairs_by_products
from mcmodels.solvers.overflow import refuse_overflow, refuse_underflow
from mcmodels.solvers.single_gram import gram_of_parts

Eigensolver = Callable[[Array], Eigenpairs]
# Of FFᵀ, given by its factor F and the squared lengths of the columns of F; or what finds them from
# this matrix.
ByFactor = Callable[[Array, Array], Eigenpairs | Eigensolver]
# Of a matrix given by its products with the rows of an array, and by its trace.
ByProducts = Callable[[Callable[[Array], Array], float], Eigenpairs | None]

# A factor of S is kept for the Hessian when the rows have at most this many entries (128 MB).
_LARGEST_FACTOR = 2**24
# Rows of it that are multiplied at once: products of fewer take twice as long.
_FACTOR_ROWS = 512


@dataclass(frozen=True)
class Spectrum:
    """Axes and variances that one method found, before the rank is determined.

    ``complete`` says that all variances were computed, not only the requested ones.
    """

    mean: Array
    axes: Array
    variances: Array
    total_variance: float
    products: Covariance
    kept: Covariance | None
    square_sums: Array
    iterations: int = 0
    converged: bool = True
    complete: bool = False
    method: str = "svd"

    @classmethod
    def of_pairs(
        cls,
        pairs: Eigenpairs,
        mean: Array,
        axes: Array,
        total: float,
        products: Covariance,
        kept: Covariance | None,
        squares: Array,
    ) -> Self:
        """What eigenpairs of S, or of the Gram matrix, say."""
        return cls(
            mean,
            axes,
            np.clip(pairs.values, 0.0, None),
            total,
            products,
            kept,
            squares,
            pairs.iterations,
            pairs.converged,
            method=pairs.method,
        )


def of_moments(moments: Moments, extent: Rows | Seen, eigenpairs: Eigensolver) -> Spectrum:
    """Eigenvectors of S."""
    refuse_overflow(moments.x_squares)
    squares = moments.x_squares + moments.weight * moments.x_mean**2
    refuse_underflow(squares, moments.x_mean, extent)
    S = moments.Sxx / (moments.weight - 1)
    pairs = eigenpairs(S)
    covariance = CovarianceMatrix(S)
    return Spectrum.of_pairs(
        pairs,
        moments.x_mean,
        pairs.vectors.T,
        float(np.trace(S)),
        covariance,
        covariance,
        squares,
    )


def of_products(rows: Rows, count: int, by_products: ByProducts) -> Spectrum:
    """Eigenvectors of S by products alone, each one pass over the rows.

    Lanczos iteration finds them where ``by_products`` returns None.
    """
    columns = ColumnMoments.of(rows, targets=False)
    squares = columns.about_origin().squares
    refuse_overflow(columns.squares)
    refuse_underflow(squares, columns.mean, rows)
    by_rows = RowsCovariance(rows)
    total = float(columns.squares.sum()) / by_rows.divisor
    pairs = by_products(by_rows.apply, total)
    if pairs is None:
        pairs = eigenpairs_by_products(by_rows.apply, rows.n_features, count)
    return Spectrum.of_pairs(
        pairs,
        columns.mean,
        pairs.vectors.T,
        total,
        by_rows,
        None,
        squares,
    )


def of_triangle(triangle: Triangle, centre: Array, weight: float) -> Spectrum:
    """Singular vectors of R, the factor of the rows about ``centre``."""
    moments = FactoredMoments.of(triangle, centre, weight)
    R = triangle.Rxx
    refuse_overflow(moments.x_squares)
    squares = moments.x_squares + weight * moments.x_mean**2
    refuse_underflow(squares, moments.x_mean)
    _, singular_values, Vt = linalg.svd(R, full_matrices=False, check_finite=False)
    variances = singular_values**2 / (weight - 1)
    covariance = FactoredCovariance(R / np.sqrt(weight - 1))
    return Spectrum(
        moments.x_mean,
        Vt,
        variances,
        float(variances.sum()),
        covariance,
        covariance,
        squares,
        complete=True,
    )


def of_few_rows(
    rows: Rows, eigenpairs: Eigensolver, by_products: ByProducts, by_factor: ByFactor
) -> Spectrum:
    """Eigenvectors of S by products with the rows, or those u of their Gram matrix.

    Of the Gram matrix, the axes are Xᵀu, normalised. It is used where ``by_products`` returns None.
    """
    by_rows = RowsCovariance(rows)
    refuse_overflow(by_rows.squares)
    squares = by_rows.squares + rows.total_weight * by_rows.mean**2
    refuse_underflow(squares, by_rows.mean, rows)
    total = float(by_rows.squares.sum()) / by_rows.divisor
    kept = _factored(rows, by_rows)
    pairs = by_products(by_rows.apply, total)
    if pairs is None:
        pairs, axes = _of_gram_matrix(rows, by_rows, kept, eigenpairs, by_factor)
    else:
        axes = pairs.vectors.T
    return Spectrum.of_pairs(pairs, by_rows.mean, axes, total, by_rows, kept, squares)


def _of_gram_matrix(
    rows: Rows,
    by_rows: RowsCovariance,
    factor: FactoredCovariance | None,
    eigenpairs: Eigensolver,
    by_factor: ByFactor,
) -> tuple[Eigenpairs, Array]:
    """Eigenpairs of the Gram matrix, and the axes."""
    if factor is None:
        blocks = rows.reduce(lambda block: [_CentredBlock.of(block, by_rows)])
        gram = _gram_matrix(blocks)
        gram /= by_rows.divisor
        pairs = eigenpairs(gram)
    else:
        blocks = _CentredBlock.of_factor(factor.F)
        found = by_factor(factor.F, by_rows.squares / by_rows.divisor)
        pairs = found if isinstance(found, Eigenpairs) else found(_gram_matrix(blocks))
    ends = np.cumsum([block.X.n_rows for block in blocks])[:-1]
    images = [
        block.image(part) for block, part in zip(blocks, np.split(pairs.vectors, ends), strict=True)
    ]
    # The images of small components are not quite orthogonal to the large ones. QR corrects them,
    # and keeps each within the span of itself and those before it.
    axes = linalg.qr(np.sum(images, axis=0).T, mode="economic", check_finite=False)[0].T
    return pairs, axes


def _gram_matrix(blocks: Sequence[_CentredBlock]) -> Array:
    """Inner products of all rows of some blocks."""
    lengths = [block.X.n_rows for block in blocks]
    return gram_of_parts(lambda i, j: blocks[i].inner(blocks[j]), lengths)


def _factored(rows: Rows, by_rows: RowsCovariance) -> FactoredCovariance | None:
    """The centred rows: they are a factor of S, and there are fewer of them than columns."""
    if rows.n_present * rows.n_features > _LARGEST_FACTOR:
        return None

    def root(block: RowBlock) -> Array:
        X, offset = by_rows.centred(block.X)
        centred = X.dense() - offset
        centred *= np.sqrt(block.weights_or_ones / by_rows.divisor)[:, np.newaxis]
        return centred

    return FactoredCovariance(rows.map(root))


@dataclass(frozen=True)
class _CentredBlock:
    """Rows ``√wᵢ (xᵢ - x̄)``, held as X minus a point near the mean; or such rows themselves.

    The latter have no offset from the mean, and no roots of weights.
    """

    X: Design
    offset: Array | None = None
    root: Array | None = None

    @classmethod
    def of(cls, block: RowBlock, by_rows: RowsCovariance) -> _CentredBlock:
        X, offset = by_rows.centred(block.X)
        X.X = X.X.copy()  # it is used after the walk
        weights = block.weights_or_ones
        return cls(X, offset, np.sqrt(weights))

    @classmethod
    def of_factor(cls, F: Array) -> list[_CentredBlock]:
        """The rows of a factor of S, which are weighted and centred."""
        parts = np.split(F, range(_FACTOR_ROWS, len(F), _FACTOR_ROWS))
        return [cls(DenseDesign(X, intercept=False)) for X in parts]

    def inner(self, other: _CentredBlock) -> Array:
        """Inner products of these rows with the others."""
        product = self.X.X @ other.X.X.T
        product = product.toarray() if sparse.issparse(product) else product
        if self.offset is None or other.offset is None:
            return product
        assert self.root is not None
        assert other.root is not None
        product = product - (self.X.X @ other.offset)[:, np.newaxis] - other.X.X @ self.offset
        return (product + self.offset @ other.offset) * np.outer(self.root, other.root)

    def image(self, U: Array) -> Array:
        """Uᵀ times these rows, for U of shape (n_rows, k)."""
        if self.offset is None or self.root is None:
            return self.X.adjoint(U)
        U = U * self.root[:, np.newaxis]
        return self.X.adjoint(U) - np.outer(U.sum(axis=0), self.offset)
