"""The null space of matrices of float64 numbers in rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from mcmodels.arrays import Array

__all__ = ["nearest_in", "null_space"]

# The largest prime below 2³¹: products of two remainders fit into 64 bits.
_PRIME = 2**31 - 1


def null_space(equations: Array, size: int) -> list[list[Fraction]] | None:
    """A basis of the vectors that are orthogonal to all equations; None if there is only zero.

    Elimination without fractions keeps the numbers short, and needs no common divisors: Bareiss
    (1968), *Sylvester's identity and multistep integer-preserving Gaussian elimination*,
    Mathematics of Computation 22.
    """
    whole = [_integers(equation) for equation in equations]
    chosen, pivots = _independent(whole, size)
    if len(pivots) == size:
        return None
    A, last = [whole[i] for i in chosen], 1
    for k, column in enumerate(pivots):
        pivot = A[k][column]
        for i in range(k + 1, len(A)):
            factor = A[i][column]
            pairs = zip(A[i], A[k], strict=True)
            A[i] = [(pivot * value - factor * above) // last for value, above in pairs]
        last = pivot
    basis = []
    for free in set(range(size)) - set(pivots):
        vector = [Fraction(0)] * size
        vector[free] = Fraction(1)
        for k, column in reversed([*enumerate(pivots)]):
            known = sum((A[k][j] * vector[j] for j in {free, *pivots[k + 1 :]}), Fraction(0))
            vector[column] = -known / A[k][column]
        basis.append(vector)
    return basis


def _integers(equation: Array) -> list[int]:
    """The integers that are a power of two times the entries of an equation."""
    parts = [float(value).as_integer_ratio() for value in equation]
    common = max(below for _, below in parts)
    return [above * (common // below) for above, below in parts]


def _independent(rows: list[list[int]], size: int) -> tuple[list[int], list[int]]:
    """Indices of independent rows, and a pivot column of each, by elimination modulo a prime.

    Rows that depend on others only modulo the prime would be missed; it has ten digits.
    """
    A = np.array([[value % _PRIME for value in row] for row in rows], dtype=np.int64)
    A = A.reshape(len(rows), size)
    order = np.arange(len(rows))
    pivots: list[int] = []
    for column in range(size):
        k = len(pivots)
        below = np.flatnonzero(A[k:, column])
        if not below.size:
            continue
        swap = [k + below[0], k]
        A[[k, swap[0]]], order[[k, swap[0]]] = A[swap], order[swap]
        factors = A[k + 1 :, column] * pow(int(A[k, column]), -1, _PRIME) % _PRIME
        A[k + 1 :] = (A[k + 1 :] - factors[:, np.newaxis] * A[k] % _PRIME) % _PRIME
        pivots.append(column)
    return order[: len(pivots)].tolist(), pivots


def nearest_in(basis: list[list[Fraction]], target: Array, scale: Array) -> Array:
    """The combination of exact vectors that is nearest to a target, each entry rounded once."""
    N = np.array([[float(value) for value in vector] for vector in basis])
    N *= scale
    lengths = np.abs(N).max(axis=1)
    nearest = np.linalg.lstsq((N / lengths[:, np.newaxis]).T, target * scale)[0] / lengths
    coefficients = [Fraction(c) for c in nearest.tolist()]
    exact = [
        sum((c * vector[j] for c, vector in zip(coefficients, basis, strict=True)), Fraction(0))
        for j in range(target.size)
    ]
    return np.array([float(value) for value in exact])
