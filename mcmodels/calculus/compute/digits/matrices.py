"""Determinants, inverses, decompositions and functions of matrices, as lists of rows."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from mcmodels.calculus.compute.digits.functions import mpmath, real, rounding
from mcmodels.calculus.compute.digits.rows import (
    Rows,
    beside,
    identity,
    made,
    mapped,
    product,
    shape,
    transposed,
)

__all__ = [
    "MATRIX_FUNCTIONS",
    "NotDefined",
    "determinant",
    "eigh",
    "frechet",
    "inverse",
    "pinv",
    "polar",
    "singular_values",
    "smallest_eigenvalue",
    "vectors_of_distinct",
]

_MOST_STEPS = 100  # of an iteration that doubles its digits


class NotDefined(ArithmeticError):
    """A function of a matrix that has no value there."""


def _eliminated(A: Rows, B: Rows) -> tuple[Any, Rows]:
    """The determinant of A, and A⁻¹B, by Gauss and Jordan.

    Mpmath's own take a matrix for singular where a pivot is far smaller than another.
    """
    rows, n = beside(A, B), len(A)
    found = mpmath().mpf(1)
    for k in range(n):
        place = max(range(k, n), key=lambda i: abs(rows[i][k]))
        if rows[place][k] == 0:
            return mpmath().mpf(0), B
        if place != k:
            rows[k], rows[place] = rows[place], rows[k]
            found = -found
        pivot = rows[k][k]
        found = found * pivot
        rows[k] = [entry / pivot for entry in rows[k]]
        for i in range(n):
            factor = rows[i][k]
            if i != k and factor != 0 and (i > k or B[0]):
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[k], strict=True)]
    return found, [row[n:] for row in rows]


def determinant(A: Rows) -> Any:
    """The determinant."""
    return _eliminated(A, [[] for _ in A])[0]


def inverse(A: Rows) -> Rows:
    """The inverse."""
    found, result = _eliminated(A, identity(len(A)))
    if found == 0:
        raise NotDefined("the matrix is singular")
    return result


# -- decompositions --------------------------------------------------------------------------------


def _matrix(A: Rows) -> Any:
    return mpmath().matrix(A)


def _rows(found: Any) -> Rows:
    return [[real(entry) for entry in row] for row in found.tolist()]


def eigh(A: Rows) -> tuple[list[Any], Rows]:
    """Eigenvalues in ascending order, and eigenvectors with their largest entry positive."""
    mp = mpmath().mp
    halves = mapped(lambda a, b: (a + b) / 2, A, transposed(A))
    values, vectors = mp.eigsy(_matrix(halves))
    lines = transposed(_rows(vectors))
    signs = [mp.sign(max(line, key=abs)) for line in lines]
    turned = [[sign * entry for entry in line] for sign, line in zip(signs, lines, strict=True)]
    return list(values), transposed(turned)


def vectors_of_distinct(A: Rows) -> Rows:
    """The eigenvectors, refused where two eigenvalues coincide."""
    values, vectors = eigh(A)
    gaps = [after - before for before, after in pairwise(values)]
    if gaps and min(gaps) <= rounding() * max(abs(value) for value in values):
        raise NotDefined(
            "two eigenvalues coincide, where they have no derivatives one by one; trace, logdet "
            "and other functions of the matrix itself have"
        )
    return vectors


def smallest_eigenvalue(A: Rows) -> Any:
    """The smallest eigenvalue of a symmetric matrix; 1 where all are seen to be positive."""
    rest = [list(row) for row in A]
    for k in range(len(rest)):  # all pivots are positive where all eigenvalues are
        pivot = rest[k][k]
        if pivot <= 0:
            return eigh(A)[0][0]
        for i in range(k + 1, len(rest)):
            factor = rest[i][k] / pivot
            rest[i] = [a - factor * b for a, b in zip(rest[i], rest[k], strict=True)]
    return mpmath().mpf(1)


def _svd(A: Rows) -> tuple[Rows, list[Any], Rows]:
    rows, cols = shape(A)
    U, sizes, V = mpmath().mp.svd_r(_matrix(transposed(A) if rows < cols else A))
    left, right = _rows(U), _rows(V)
    if rows < cols:
        left, right = transposed(right), transposed(left)
    return left, list(sizes), right


def singular_values(A: Rows) -> list[Any]:
    """The largest first."""
    return _svd(A)[1]


def pinv(A: Rows) -> Rows:
    """The Moore-Penrose inverse."""
    U, sizes, V = _svd(A)
    kept = [k for k, size in enumerate(sizes) if size > rounding() * sizes[0]]
    if not kept:
        return transposed(mapped(lambda entry: 0 * entry, A))
    left = [[row[k] for k in kept] for row in U]
    right = [[entry / sizes[k] for entry in V[k]] for k in kept]
    return product(transposed(right), transposed(left))


def polar(A: Rows) -> Rows:
    """UVᵀ of the singular value decomposition of a matrix of full rank."""
    U, sizes, V = _svd(A)
    if sizes[-1] <= max(shape(A)) * rounding() * sizes[0]:
        raise NotDefined("the matrix has not full rank, where its nuclear norm has no derivative")
    return product(U, V)


# -- functions of matrices -------------------------------------------------------------------------


def _sqrtm(A: Any) -> Any:
    """By the iteration of Denman and Beavers: Higham (2008), (6.15)."""
    mp = mpmath().mp
    Y, Z = A, mp.eye(A.rows)
    size = mp.mnorm(A, "f")
    for _ in range(_MOST_STEPS):
        Y, Z = (Y + Z**-1) / 2, (Z + Y**-1) / 2
        if mp.mnorm(Y * Y - A, "f") <= rounding() * size:
            return Y
    raise NotDefined(
        "its principal root or logarithm needs eigenvalues that are neither 0 nor negative"
    )


def _logm(A: Any) -> Any:
    """By roots and the series of artanh: Higham (2008), section 11.3."""
    mp = mpmath().mp
    one, roots = mp.eye(A.rows), 0
    while mp.mnorm(A - one, "f") > mp.mpf("0.01"):
        A, roots = _sqrtm(A), roots + 1
    T = (A - one) * (A + one) ** -1
    square, power, total, k = T * T, T, T, 1
    while mp.mnorm(power, "f") > mp.eps * mp.mnorm(total, "f"):
        power = power * square
        total = total + power / (2 * k + 1)
        k += 1
    return 2 ** (roots + 1) * total


MATRIX_FUNCTIONS: dict[str, Callable[[Rows], Rows]] = {
    "expm": lambda A: _rows(mpmath().mp.expm(_matrix(A))),
    "logm": lambda A: _rows(_logm(_matrix(A))),
    "sqrtm": lambda A: _rows(_sqrtm(_matrix(A))),
}


def frechet(name: str, A: Rows, E: Rows) -> Rows:
    """The Fréchet derivative at A along E, from [[A, E], [0, A]]: Higham (2008), theorem 3.6."""
    n = len(A)
    below = beside(made(n, n, lambda i, j: 0), A)
    return [row[n:] for row in MATRIX_FUNCTIONS[name]([*beside(A, E), *below])[:n]]
