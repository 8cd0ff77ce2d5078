"""A few leading eigenpairs by block Krylov iteration, with a proof that none was overlooked.

The basis of ``Ω, AΩ, A²Ω, …`` for a Gaussian block Ω is made block by block and kept orthonormal
(block Lanczos with full reorthogonalisation); Ritz pairs (θ, v) of A on it converge without a gap
(Musco and Musco 2015, *Randomized block Krylov methods for stronger and faster approximate singular
value decomposition*, NeurIPS 28, theorem 1). A block with a few more columns than there are wanted
pairs needs not many more products than the smallest blocks (Chen, Epperly, Meyer and Rao 2025,
*Does block size matter in randomized block Krylov low-rank approximation?*), and each reads A once.

Two things are certified before anything is returned.

**No pair is missing.** Let ``AQ = QT + Q₊BEᵀ`` with ``T = YΘYᵀ``, and let b be the columns of Ω.
An eigenvector u of λ has ``uᵀQyᵢ = ω Byᵢ⁽ᵐ⁾/(λ - θᵢ)`` with ``ω = uᵀQ₊``, ``‖ω‖ ≤ 1``, where
``yᵢ⁽ᵐ⁾`` is the last block of ``yᵢ``, ``yᵢ⁽¹⁾`` the first. Suppose that more than j eigenvalues
exceed τ, and let j Ritz values exceed it. The first j + 1 eigenvectors span a vector u of unit
length orthogonal to these j Ritz vectors, and therefore

    ``‖uᵀQ₁‖ ≤ √(j+1) · sup_{λ ≥ τ} ‖N(λ)‖,   N(λ) = Σ_{i>j} Byᵢ⁽ᵐ⁾ yᵢ⁽¹⁾ᵀ / (λ - θᵢ)``.

But ``Q₁R = Ω``, and the j + 1 eigenvectors do not depend on Ω: what they have of it is Gaussian,
so that ``‖uᵀQ₁‖`` is at least ``d/(e√b t‖R‖)``, d = b - j, but for a probability of ``t⁻ᵈ`` (Halko,
Martinsson and Tropp 2011, *Finding structure with randomness*, SIAM Review 53(2), proposition
A.3). So where N is smaller than that, A has no more than j eigenvalues above τ.

**The variances are exact to the tolerance**, by :mod:`mcmodels.solvers.eigenvalue_bounds`.

The probability is one over Ω. A second, independent block looks for what the first may not see.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.rows import single_threaded_blas
from mcmodels.rows.threads import ordered_sum
from mcmodels.solvers.eigenpairs import Eigenpairs
from mcmodels.solvers.eigenvalue_bounds import ACCURACY, Pairs, proved_ceiling
from mcmodels.solvers.tolerances import FLOAT64_EPSILON, factorisation_error

Product = Callable[[Array], Array]

# Columns of the block beyond the wanted pairs. Steps until ten pairs of 2,000×5,000 and 5,000×5,000
# normal numbers (a flat spectrum) are certified: 34 and 40 with 6 more columns, 29 and 36 with 10,
# 27 and 33 with 14; with a decaying spectrum 8, 7 and 7. A product with 20 columns takes little
# longer than one with 10, because both wait for A.
_EXTRA = 10
# The kept pairs leave at least this many columns, or the Gaussian bound is weak.
_LEAST_LEFT = 3
# With few steps more cost little, and the residual is brought to this share of θ₁.
_FEW_STEPS, _SMALL_RESIDUAL = 16, 1e-10
# The probability that an eigenvalue is overlooked in spite of the certificate.
FAILURE = 1e-10
# The residual is known after so many steps, and then when it should be at this share of θ₁: most
# spectra are certified there, and not before; all eigenvectors of T cost as much as six steps of
# 2,000 rows. The first ones cost as much as a step, so that the way there is guessed from two
# residuals, and half of it is taken; the steps between two checks are at least and at most these
# shares of those so far.
_FIRST_CHECK, _LIKELY_RESIDUAL = 3, 2e-6
_STEPS_BETWEEN_CHECKS = (1 / 16, 1 / 2)
# The second block: its columns, and the share of the steps of the first that it takes.
_PROBE, _PROBE_SHARE = 2, 0.125
# The threshold is below the last kept value by this share of the gap: the error bounds need room
# there, and N decreases with the distance from the other values.
_MARGIN = 0.1
# N is expanded about points whose distance to the poles grows by this share, in so many terms.
_REACH, _TERMS = 0.25, 16
# Columns of a basis that one thread multiplies at once; a small basis is left to one thread.
_COLUMNS, _ENTRIES_FOR_THREADS = 2**10, 2**18
# Another orthogonalisation where the last one has cancelled more than this.
_CANCELLED = 1e-2


def block_width(count: int) -> int:
    """Columns of the block for ``count`` pairs."""
    return count + _EXTRA


@dataclass(frozen=True)
class Leading:
    """The leading eigenpairs of A, with the proof that A has no others above a threshold.

    Parameters
    ----------
    values : ndarray of shape (j,)
        Ritz values in descending order.
    vectors : ndarray of shape (j, size)
        Their vectors, one a row.
    threshold : float
        A has j eigenvalues above it.
    steps : int
        Products that were taken.
    """

    values: Array
    vectors: Array
    threshold: float
    steps: int


def certified_eigenpairs(
    product: Product, size: int, count: int, trace: float, most_steps: int
) -> Eigenpairs | None:
    """The ``count`` leading eigenpairs of a positive semi-definite A; None if it is not certain.

    Parameters are those of :func:`leading_of_products`.
    """
    found = leading_of_products(product, size, count, trace, most_steps)
    if found is None:
        return None
    values, vectors = found.values[:count], found.vectors[:count].T
    return Eigenpairs(values, vectors, found.steps, converged=True, method="krylov")


def leading_of_products(
    product: Product, size: int, count: int, trace: float, most_steps: int
) -> Leading | None:
    """The leading eigenpairs of a positive semi-definite A; None if it is not certain.

    Parameters
    ----------
    product : callable
        A times each row of an array of shape (b, size).
    size : int
        Columns of A.
    count : int
        Number of pairs whose values are wanted, at least one.
    trace : float
        That of A, which no eigenvalue exceeds.
    most_steps : int
        Products after which the search is given up.
    """
    if not 0 < trace < np.inf:
        return None
    # In units of about the trace, squares of eigenvalues neither overflow nor underflow.
    unit = 2.0 ** (math.frexp(trace)[1] - 1)
    found = _leading(lambda V: product(V) / unit, size, count, trace / unit, most_steps)
    if found is None:
        return None
    return replace(found, values=found.values * unit, threshold=found.threshold * unit)


def _leading(
    product: Product, size: int, count: int, trace: float, most_steps: int
) -> Leading | None:
    krylov = _Krylov(product, gaussian(0, block_width(count), size), most_steps)
    next_check, before, likely = _FIRST_CHECK, (0, 1.0), False
    while krylov.steps < most_steps:
        krylov.step()
        if krylov.steps < min(next_check, most_steps):
            continue
        ritz = krylov.ritz() if likely else None
        values, residual = krylov.leading(count) if ritz is None else ritz.leading(count)
        if values[-1] <= np.sqrt(FLOAT64_EPSILON) * values[0]:
            return None  # A does not hold the digits of this one
        now = (krylov.steps, residual / values[0])
        certificate = None
        if now[1] <= goal(krylov.steps):
            ritz = ritz or krylov.ritz()
            certificate = _certificate(ritz, count, trace, factorisation_error(size))
        if certificate is None:
            next_check, likely = _next_check(before, now)
            before = now
            continue
        assert ritz is not None
        kept, threshold, ceiling = certificate
        vectors = ritz.vectors[:, :kept].T @ krylov.basis[: len(ritz.vectors)]
        if _overlooked(product, vectors, ceiling, krylov.steps):
            return None
        return Leading(ritz.values[:kept], vectors, threshold, krylov.steps)
    return None


def goal(steps: int) -> float:
    """The residual, as a share of θ₁, with which a certificate is tried after so many steps."""
    return _LIKELY_RESIDUAL if steps >= _FEW_STEPS else _SMALL_RESIDUAL


def _next_check(before: tuple[int, float], now: tuple[int, float]) -> tuple[int, bool]:
    """The step at which Ritz pairs are worth their cost again, from two steps and residuals.

    And whether the goal will probably be reached by then.
    """
    (earlier, larger), (steps, residual) = before, now
    enough = goal(steps)
    least, most = (max(1, int(share * steps)) for share in _STEPS_BETWEEN_CHECKS)
    if not enough < residual < larger:
        return steps + least, False
    rate = np.log(larger / residual) / (steps - earlier)
    needed = np.log(residual / enough) / rate
    taken = int(np.clip(needed / 2, least, most))
    return steps + taken, bool(taken >= needed)


def gaussian(seed: int, width: int, size: int) -> Array:
    """A block of standard normal numbers, one start vector a row."""
    return np.random.default_rng(seed).standard_normal((width, size))


class _Ritz(Pairs):
    """Ritz values θ, and of their vectors y the first and last blocks.

    ``last`` is ``By⁽ᵐ⁾``: the residual in the basis of the next block.
    """

    def __init__(self, T: Array, B: Array, start_norm: float) -> None:
        values, vectors = linalg.eigh(T, driver="evd", check_finite=False)
        self.vectors = vectors[:, ::-1]
        self.width = len(B)
        self.first = self.vectors[: self.width]
        self.start_norm = start_norm
        super().__init__(values[::-1], B @ self.vectors[-self.width :])

    def leading(self, count: int) -> tuple[Array, float]:
        """The first values, and the residual of their vectors."""
        return self.values[:count], self.residual(0, count)


class _Krylov:
    """An orthonormal basis of a block Krylov space, one vector a row, and T on it."""

    def __init__(self, product: Product, start: Array, most_steps: int) -> None:
        self.product = product
        self.width, size = start.shape
        Q, R = linalg.qr(start.T, mode="economic", check_finite=False)
        self.start_norm = float(np.linalg.norm(R, 2))
        self.basis = np.empty(((most_steps + 1) * self.width, size))
        self.basis[: self.width] = Q.T
        self._T = np.zeros((most_steps * self.width, most_steps * self.width))
        self._B = np.zeros((self.width, self.width))
        self.steps = 0

    def step(self) -> None:
        """One product, and the next block of the basis."""
        start = self.steps * self.width
        stop = start + self.width
        Q = self.basis[:stop]
        H, left = _split(self.product(Q[start:]), Q)
        N, B = linalg.qr(left.T, mode="economic", check_finite=False)
        least = np.abs(np.diagonal(B)).min()
        if least <= _CANCELLED * np.linalg.norm(H):
            for _ in range(2):
                again = Q @ N
                N, R = linalg.qr(N - Q.T @ again, mode="economic", check_finite=False)
                H, B = H + again @ B, R @ B
        self.basis[stop : stop + self.width] = N.T
        self._T[:stop, start:stop] = H
        self._T[start:stop, :stop] = H.T
        self._B = B
        self.steps += 1

    def leading(self, count: int) -> tuple[Array, float]:
        """The first Ritz values and the residual of their vectors; a third of the work of all."""
        side = self.steps * self.width
        values, vectors = linalg.eigh(
            self._T[:side, :side],
            driver="evr",
            subset_by_index=[side - count, side - 1],
            check_finite=False,
        )
        if values.size < count:  # LAPACK may not tell equal values apart
            return self.ritz().leading(count)
        return values[::-1], float(np.linalg.norm(self._B @ vectors[-self.width :], 2))

    def ritz(self) -> _Ritz:
        """The Ritz pairs of the basis so far."""
        side = self.steps * self.width
        return _Ritz(self._T[:side, :side], self._B, self.start_norm)


def _split(image: Array, Q: Array) -> tuple[Array, Array]:
    """``(H, N)`` with ``image = HᵀQ + N``, where N is orthogonal to the rows of Q."""
    columns = [slice(k, k + _COLUMNS) for k in range(0, image.shape[1], _COLUMNS)]
    left = np.empty_like(image)

    def subtract(part: slice) -> int:
        np.subtract(image[:, part], H.T @ Q[:, part], out=left[:, part])
        return 0

    with single_threaded_blas() as n_threads:
        n_threads = n_threads if Q.size > _ENTRIES_FOR_THREADS else 1
        products = [partial(lambda part: Q[:, part] @ image[:, part].T, part) for part in columns]
        H = cast(Array, ordered_sum(products, n_threads, short=True))
        ordered_sum([partial(subtract, part) for part in columns], n_threads, short=True)
    return H, left


def _certificate(
    ritz: _Ritz, count: int, trace: float, rounding: float
) -> tuple[int, float, float] | None:
    """How many pairs j are proved to be the leading ones, a threshold above the others, and c.

    None if no ``j ≥ count`` proves the ``count`` first variances.
    """
    values = ritz.values
    for kept in range(count, min(ritz.width - _LEAST_LEFT, values.size - 1) + 1):
        gap = values[kept - 1] - values[kept]
        if gap <= rounding * values[0]:
            continue
        threshold = values[kept - 1] - _MARGIN * gap
        ceiling = proved_ceiling(ritz, count, kept, threshold)
        if ceiling is not None and _none_missing(ritz, kept, threshold, trace, rounding):
            return kept, float(threshold), ceiling
    return None


def _none_missing(ritz: _Ritz, kept: int, threshold: float, trace: float, rounding: float) -> bool:
    """Whether A has at most ``kept`` eigenvalues above the threshold (see the top of the file)."""
    left = ritz.width - kept
    t = FAILURE ** (-1 / left)
    smallest = left / (np.e * np.sqrt(ritz.width) * t * ritz.start_norm)
    poles = ritz.values[kept:]
    coefficients = (ritz.last[:, np.newaxis, kept:] * ritz.first[np.newaxis, :, kept:]).reshape(
        ritz.width**2, -1
    )
    nearest = threshold - poles[0]
    growth = np.log1p(_REACH)
    distances = nearest * np.exp(
        growth * np.arange(1 + np.ceil(max(np.log(trace / nearest), 0) / growth))
    )
    # Taylor's formula about each point reaches the next; the terms left out are geometric.
    inverse = 1 / (poles[0] + distances - poles[:, np.newaxis])
    ratio = _REACH * distances * inverse
    sizes = np.zeros(distances.size)
    for _ in range(_TERMS):
        sizes += np.linalg.norm(coefficients @ inverse, axis=0)
        inverse *= ratio
    remainder = np.linalg.norm(ritz.last, 2) * _REACH**_TERMS / (1 - _REACH) / nearest
    rounding_of_steps = rounding * ritz.values[0] / nearest
    bound = sizes.max() + remainder + rounding_of_steps
    return bool(np.sqrt(kept + 1) * bound < smallest)


def _overlooked(product: Product, vectors: Array, ceiling: float, steps: int) -> bool:
    """Whether an independent block finds a value above the ceiling, orthogonal to the vectors."""

    def outside(rows: Array) -> Array:
        return rows - (rows @ vectors.T) @ vectors

    size = vectors.shape[1]
    most_steps = max(_FIRST_CHECK, int(_PROBE_SHARE * steps))
    if len(vectors) + (most_steps + 1) * _PROBE > size:
        return False
    krylov = _Krylov(
        lambda rows: outside(product(outside(rows))),
        outside(gaussian(1, _PROBE, size)),
        most_steps,
    )
    for _ in range(most_steps):
        krylov.step()
    return bool(krylov.ritz().values[0] > ceiling * (1 + ACCURACY))
