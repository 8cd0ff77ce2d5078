"""A few leading eigenpairs of FFᵀ by a Gram matrix in float32, made exact by products with F.

The Gram matrix takes half as long in float32. Its eigenvectors are the start of a Rayleigh-Ritz
step with products ``F(Fᵀv)`` in float64, whose residuals are measured. That makes the values exact,
but leaves residuals of 1e-7 of the largest one. So the space is enlarged by the residuals, once or
twice, as in a Davidson method without preconditioner. What is proved of the Gram matrix G holds for
``FFᵀ`` as well: no eigenvalue of the two differs by more than ``‖G - FFᵀ‖`` (Weyl), and that is
bounded by the image of Gaussian vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations_with_replacement
from typing import Any, cast

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.rows import single_threaded_blas
from mcmodels.rows.threads import ordered_sum
from mcmodels.solvers.block_krylov import FAILURE, block_width, gaussian, goal, leading_of_products
from mcmodels.solvers.eigenpairs import Eigenpairs
from mcmodels.solvers.eigenvalue_bounds import Pairs, proved_ceiling
from mcmodels.solvers.tolerances import factorisation_error

# Rows of F whose products are formed at once: fewer take longer for an entry.
_ROWS = 512
# The norm of G - FFᵀ is about 1e-5 of the largest eigenvalue, as it can be bounded. Gaps between
# eigenvalues are clear of it if the last one that is wanted is at least this share of the largest.
_LEAST_SHARE = 1e-3
# How often the residuals enlarge the space. Each time takes a twentieth of the whole time with
# 2,000×5,000 numbers. The first makes residuals 10 to 100 times as small; the third, twice.
_MOST_CORRECTIONS = 2
# Columns whose lengths are between these have squares and sums in float32.
_SMALLEST_LENGTH, _LARGEST_LENGTH = 1e-12, 1e12


def eigenpairs_of_rows(F: Array, count: int, squares: Array, most_steps: int) -> Eigenpairs | None:
    """The ``count`` leading eigenpairs of ``FFᵀ``; None where float32 has too few digits.

    They are not converged, and there are none, if so many steps do not find them.

    Parameters
    ----------
    F : ndarray of shape (n, p)
        Rows, not more of them than columns.
    count : int
        Number of pairs, at least one.
    squares : ndarray of shape (p,)
        Squared lengths of the columns.
    most_steps : int
        Products with the Gram matrix after which the search is given up.
    """
    trace, longest = float(squares.sum()), float(np.sqrt(squares.max()))
    if not _SMALLEST_LENGTH < longest < _LARGEST_LENGTH:
        return None
    parts = [F[k : k + _ROWS] for k in range(0, len(F), _ROWS)]
    probe = gaussian(2, block_width(count), len(F))
    image = _times_gram(probe, parts)
    if not _decays_slowly(probe, image, count):
        return None
    gram = _single_gram(parts)
    distance = _distance(image - _times_symmetric(probe, gram))
    distance += factorisation_error(len(F)) * trace / len(F)
    found = leading_of_products(
        lambda V: _times_symmetric(V, gram), len(F), count, float(np.trace(gram)), most_steps
    )
    if found is None:
        return Eigenpairs(np.zeros(0), np.zeros((len(F), 0)), most_steps, converged=False)
    kept, V = len(found.values), found.vectors
    images = _times_gram(V, parts)
    values, vectors, residuals = _rayleigh_ritz(V, images, kept)
    for _ in range(_MOST_CORRECTIONS):
        wanted = residuals[:, :count]
        if np.linalg.norm(wanted) <= goal(found.steps) * values[0]:
            break
        V, images = _with_directions(V, images, wanted.T, parts)
        values, vectors, residuals = _rayleigh_ritz(V, images, kept)
    if proved_ceiling(Pairs(values, residuals), count, kept, found.threshold + distance) is None:
        return None
    return Eigenpairs(values[:count], vectors[:count].T, found.steps, method="krylov")


def _decays_slowly(probe: Array, image: Array, count: int) -> bool:
    """Whether the wanted eigenvalues are of similar size, by Nyström's approximation of A.

    It has the form ``(AΩ)(ΩᵀAΩ)⁻¹(AΩ)ᵀ`` for a Gaussian Ω (Halko, Martinsson and Tropp 2011, §5.4).
    """
    L, info = linalg.lapack.dpotrf(probe @ image.T, lower=1, clean=1)
    if info != 0:
        return False
    root = linalg.solve_triangular(L, image, lower=True, check_finite=False)
    values = linalg.eigvalsh(root @ root.T, check_finite=False)[::-1]
    return bool(values[count - 1] > _LEAST_SHARE * values[0])


def _distance(images: Array) -> float:
    """A bound on the norm of a matrix E from its products with Gaussian vectors, one a row.

    ``‖EΩ‖²`` in Frobenius' norm is a sum of chi-squares of b degrees of freedom, with a mean of
    ``b‖E‖²``. It is below ``εb‖E‖²`` with a probability of at most ``(εe)^(b/2)`` (Chernoff).
    """
    share = FAILURE ** (2 / len(images)) / np.e
    return float(np.linalg.norm(images) / np.sqrt(share * len(images)))


def _with_directions(
    V: Array, images: Array, directions: Array, parts: list[Array]
) -> tuple[Array, Array]:
    """Orthonormal rows V and further ones that span the directions, too; and their images."""
    for _ in range(2):  # what is left of a direction may be small
        directions = directions - (directions @ V.T) @ V
        directions = linalg.qr(directions.T, mode="economic", check_finite=False)[0].T
    return np.vstack([V, directions]), np.vstack([images, _times_gram(directions, parts)])


def _rayleigh_ritz(V: Array, images: Array, kept: int) -> tuple[Array, Array, Array]:
    """The first values, vectors and residuals (one a column), from orthonormal V and its images."""
    values, Y = linalg.eigh(V @ images.T, check_finite=False)
    values, Y = values[: -kept - 1 : -1], Y[:, : -kept - 1 : -1]
    vectors = Y.T @ V
    return values, vectors, (Y.T @ images - values[:, np.newaxis] * vectors).T


def _single_gram(parts: list[Array]) -> Array:
    """``FFᵀ`` from products in float32; float64, so that it is the same matrix in every product."""
    singles = [part.astype(np.float32) for part in parts]
    return gram_of_parts(lambda i, j: singles[i] @ singles[j].T, [len(part) for part in parts])


def gram_of_parts(inner: Callable[[int, int], Any], lengths: Sequence[int]) -> Array:
    """Inner products of all rows; ``inner(i, j)`` has those of two parts of so many rows."""
    ends = np.cumsum([0, *lengths])
    gram: Array = np.empty((ends[-1], ends[-1]))

    def fill(i: int, j: int) -> int:
        rows, columns = slice(*ends[i : i + 2]), slice(*ends[j : j + 2])
        gram[rows, columns] = inner(i, j)
        gram[columns, rows] = gram[rows, columns].T
        return 0

    pairs = combinations_with_replacement(range(len(lengths)), 2)
    with single_threaded_blas() as n_threads:
        ordered_sum([partial(fill, *pair) for pair in pairs], n_threads)
    return gram


def _times_gram(V: Array, parts: list[Array]) -> Array:
    """``VFFᵀ`` for few rows V."""
    ends = np.cumsum([len(part) for part in parts])[:-1]
    with single_threaded_blas() as n_threads:
        shares = np.split(V, ends, axis=1)
        products = [partial(np.matmul, *pair) for pair in zip(shares, parts, strict=True)]
        along = cast(Array, ordered_sum(products, n_threads, short=True))
        images = np.empty_like(V)

        def fill(out: Array, part: Array) -> int:
            np.matmul(along, part.T, out=out)
            return 0

        outs = np.split(images, ends, axis=1)
        filled = [partial(fill, *pair) for pair in zip(outs, parts, strict=True)]
        ordered_sum(filled, n_threads, short=True)
    return images


def _times_symmetric(V: Array, A: Array) -> Array:
    """``VA`` for few rows V and a symmetric A."""
    images = np.empty_like(V)

    def fill(rows: slice) -> int:
        images[:, rows] = V @ A[rows].T
        return 0

    with single_threaded_blas() as n_threads:
        rows = [slice(k, k + 2 * _ROWS) for k in range(0, len(A), 2 * _ROWS)]
        ordered_sum([partial(fill, part) for part in rows], n_threads, short=True)
    return images
