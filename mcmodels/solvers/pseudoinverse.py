"""Pseudo-inverses: rank from columns of unit length, minimum norm in the user's units."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.rows import Extent
from mcmodels.rows.sizes import MAX_BLOCK_ROWS
from mcmodels.solvers.tolerances import FLOAT64_EPSILON, NOISE_MARGIN, factorisation_error

# A column takes part in a linear dependency when its entry in a null vector of the scaled system
# exceeds this.
_INVOLVED = 1e-3
# Largest error of a row space that is taken into account, unless more than that counts as zero; and
# then: with larger ones, as of float32 far from zero, what is nearly in the space is not.
_LARGEST_ERROR, _LARGEST_NOISE = 1e-7, 1e-3


@dataclass(frozen=True, eq=False)
class RowSpace:
    """The span of the rows of M where it is not all, with columns of unit length.

    Parameters
    ----------
    unit : ndarray of shape (p,)
        Lengths of the columns; one for those that are zero.
    basis : ndarray of shape (p, q)
        Orthonormal, of the rows of ``M / unit``, or of what is orthogonal to them: the smaller one.
    is_null : bool
        Whether it is of what is orthogonal to the rows.
    error : float
        Bound of the sine of the angle between this space and that of exact arithmetic: the singular
        values that count as zero, relative to the least of the others (Wedin's theorem; Stewart and
        Sun 1990, *Matrix Perturbation Theory*, theorem V.4.1).
    """

    unit: Array
    basis: Array
    is_null: bool
    error: float

    def left_over(self, C: Array) -> Array:
        """The part of the last axis of ``C / unit`` that is orthogonal to the rows."""
        scaled = C / self.unit
        inside = scaled @ self.basis
        return inside @ self.basis.T if self.is_null else scaled - inside @ self.basis.T

    @property
    def null(self) -> Array:
        """Orthonormal vectors that are orthogonal to the rows of ``M / unit``, shape (p, d)."""
        return self.basis if self.is_null else _complement(self.basis)


def _complement(basis: Array) -> Array:
    """Orthonormal vectors orthogonal to the columns of an orthonormal basis."""
    if basis.shape[1] == 0:
        return np.eye(len(basis))
    return linalg.qr(basis, check_finite=False)[0][:, basis.shape[1] :]


@dataclass(frozen=True)
class PseudoInverse:
    """A root B of the Moore-Penrose inverse of ``A = MᵀM``: ``A⁺ = BBᵀ``.

    Parameters
    ----------
    root : ndarray of shape (p, rank)
        B. For a row x in the row space of M, ``‖Bᵀx‖²`` is ``xᵀA⁺x``.
    singular_values : ndarray
        Those of M with its columns scaled to unit length, descending.
    dependent : tuple of int
        Columns of M that take part in a linear dependency; empty when the rank is full.
    row_space : RowSpace, default=None
        The span of the rows of M; None when the rank is full.
    """

    root: Array
    singular_values: Array
    dependent: tuple[int, ...]
    row_space: RowSpace | None = None

    @property
    def rank(self) -> int:
        """Numerical rank of M."""
        return self.root.shape[1]

    @property
    def condition(self) -> float:
        """Condition number of M with unit columns; inf when the rank is not full."""
        if self.rank < self.root.shape[0] or self.rank == 0:
            return np.inf
        return float(self.singular_values[0] / self.singular_values[-1])

    def corrected(self, L: Array) -> PseudoInverse:
        """With the root ``B L⁻ᵀ`` in place of B."""
        root = linalg.solve_triangular(L, self.root.T, lower=True, check_finite=False).T
        return replace(self, root=root)

    def apply(self, s: Array) -> Array:
        """``A⁺s``."""
        return self.root @ (self.root.T @ s)


def rank_tolerance(rows: Extent) -> float:
    """Relative singular value below which a direction is rounding noise of the factorisation.

    The rows, too, may have been rounded to their precision ε. Random relative errors of that size
    change a singular value by about ε(√n + √p), while the largest is at least √n. The rounding of
    columns far from zero is in :func:`entry_noise`.

    Equal rows, as indicators have them, have equal rounding errors, which add up within a block:
    two equal indicators in n rows leave directions of up to 1.3√n ε.
    """
    equal_rows = 4 * FLOAT64_EPSILON * math.sqrt(min(rows.n_present, MAX_BLOCK_ROWS))
    arithmetic = factorisation_error(rows.n_features) + equal_rows
    storage = 4 * rows.epsilon * (1 + math.sqrt(rows.n_features / max(rows.n_present, 1)))
    return max(arithmetic, storage)


def entry_noise(rows: Extent, lengths: Array, mean: Array) -> Array:
    """Length of the rounding errors in the entries of each column, relative to ``lengths``.

    An entry x has been rounded to a spacing of at most ε|x|, an error of standard deviation
    ε|x|/√12, however small the centred column is: a column of length l about its mean x̄ has
    ``ε √((l² + W x̄²)/12)`` of noise. Zero where the length is zero.
    """
    size = np.hypot(lengths, math.sqrt(rows.total_weight) * mean)
    noise = rows.epsilon / math.sqrt(12) * size
    if lengths.all():
        return noise / lengths
    return np.divide(noise, lengths, out=np.zeros_like(noise), where=lengths > 0)


def from_factor(R: Array, scale: Array, rcond: float, noise: Array) -> PseudoInverse:
    """Pseudo-inverse of ``RᵀR``; parameters are those of :func:`with_left_vectors`."""
    return with_left_vectors(R, scale, rcond, noise)[0]


def with_left_vectors(
    R: Array, scale: Array, rcond: float, noise: Array
) -> tuple[PseudoInverse, Array]:
    """Pseudo-inverse ``BBᵀ`` of ``RᵀR`` from R (k, p) through the SVD of ``R / scale``, and U = RB.

    ``noise`` is that of the entries of each column, relative to its scale; directions no longer
    than it count as zero, and so do those below ``rcond`` times the longest.

    The shortest minimiser of ``‖Rβ - z‖`` is ``B Uᵀz``. ``BBᵀRᵀz`` is the same, but its rounding
    errors grow with the square of the condition number.
    """
    if min(R.shape) == 0:
        p = R.shape[1]
        none = RowSpace(np.ones(p), np.zeros((p, 0)), is_null=False, error=0.0) if p else None
        nothing = PseudoInverse(np.zeros((p, 0)), np.zeros(0), tuple(range(p)), none)
        return nothing, np.zeros((len(R), 0))
    unit = np.where(scale > 0, scale, 1.0)
    scaled = np.where(scale > 0, R / unit, 0.0)
    U, singular_values, Vt = linalg.svd(scaled, full_matrices=False, check_finite=False)
    inverse = _truncate(singular_values, Vt.T, unit, rcond, noise)
    return inverse, U[:, : inverse.rank]


def _row_space(
    singular_values: Array, V: Array, rank: int, unit: Array, rcond: float, noise: Array
) -> tuple[RowSpace, float]:
    """The row space, and its error without a limit."""
    kept = V[:, :rank]
    is_null = 2 * rank > len(V)
    basis = kept
    if is_null:
        basis = V[:, rank:] if V.shape[1] == len(V) else _complement(kept)
    outside = np.clip(1.0 - np.square(kept).sum(axis=1), 0.0, 1.0)
    counted_as_zero = max(
        rcond * singular_values[0], NOISE_MARGIN * float(np.sqrt(outside @ np.square(noise)))
    )
    error = float(counted_as_zero / singular_values[rank - 1]) if rank else 0.0
    limit = max(_LARGEST_ERROR, min(counted_as_zero, _LARGEST_NOISE))
    return RowSpace(unit, basis, is_null, min(error, limit)), error


def from_gram(A: Array, scale: Array, rcond: float, noise: Array | None = None) -> PseudoInverse:
    """Pseudo-inverse of the symmetric semi-definite A through the eigenvectors of its scaling."""
    unit = np.where(scale > 0, scale, 1.0)
    scaled = np.where(np.outer(scale, scale) > 0, A / np.outer(unit, unit), 0.0)
    eigenvalues, V = linalg.eigh(scaled, check_finite=False)
    singular_values = np.sqrt(np.clip(eigenvalues[::-1], 0.0, None))
    noise = np.zeros(len(A)) if noise is None else noise
    return _truncate(singular_values, V[:, ::-1], unit, rcond, noise)


def _shortest(root: Array, null: Array, error: float) -> Array:
    """The root without its part in the span of null vectors.

    It is a combination of these vectors as they are, which products with M do not see, however
    different the units of the columns are. Combinations shorter than ``error`` are left alone: they
    may be no null vectors.
    """
    U, lengths, Vt = linalg.svd(null, full_matrices=False, check_finite=False)
    real = lengths > max(error, FLOAT64_EPSILON) * lengths[0]
    for _ in range(2):
        root = root - null @ (Vt[real].T @ ((U[:, real].T @ root) / lengths[real, np.newaxis]))
    return root


def _truncate(
    singular_values: Array, V: Array, unit: Array, rcond: float, noise: Array
) -> PseudoInverse:
    along = NOISE_MARGIN * np.linalg.norm(V[:, : singular_values.size].T * noise, axis=1)
    real = singular_values > np.maximum(rcond * singular_values[0], along)
    rank = int(np.count_nonzero(np.logical_and.accumulate(real)))
    kept, null = V[:, :rank], V[:, rank:]
    if rank == V.shape[0]:
        return PseudoInverse(kept / unit[:, np.newaxis] / singular_values, singular_values, ())
    involved = np.nonzero(np.abs(null).max(axis=1, initial=0.0) > _INVOLVED)[0]
    row_space, error = _row_space(singular_values, V, rank, unit, rcond, noise)
    root = kept / unit[:, np.newaxis] / singular_values[:rank]
    if V.shape[0] == V.shape[1]:
        root = _shortest(root, null / unit[:, np.newaxis], error)
        return PseudoInverse(root, singular_values, tuple(int(j) for j in involved), row_space)
    # M = UΣVᵀD with D = diag(unit). Its row space is spanned by DV; with the orthonormal basis
    # DV = QT the pseudo-inverse of M is QT⁻ᵀΣ⁻¹Uᵀ, whatever the scaling was.
    Q, T = linalg.qr(unit[:, np.newaxis] * kept, mode="economic", check_finite=False)
    if np.diagonal(T).all():  # else scales are so far apart that T underflows
        root = linalg.solve_triangular(T, Q.T, check_finite=False).T / singular_values[:rank]
    return PseudoInverse(root, singular_values, tuple(int(j) for j in involved), row_space)
