"""Arrays of two dimensions as lists of rows, of mpmath's numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcmodels.calculus.compute.digits.functions import mpmath

__all__ = [
    "Rows",
    "added",
    "beside",
    "column",
    "entries",
    "identity",
    "largest_of",
    "made",
    "mapped",
    "product",
    "shape",
    "transposed",
]

Rows = list[list[Any]]


def made(rows: int, cols: int, entry: Callable[[int, int], Any]) -> Rows:
    """An array from its entries; numbers and booleans may stand for mpmath's."""
    mpf = mpmath().mpf
    return [[mpf(entry(i, j)) for j in range(cols)] for i in range(rows)]


def identity(n: int) -> Rows:
    """The identity matrix."""
    return made(n, n, lambda i, j: i == j)


def column(values: list[Any]) -> Rows:
    """A vector."""
    return [[value] for value in values]


def shape(A: Rows) -> tuple[int, int]:
    """Rows and columns."""
    return len(A), len(A[0])


def entries(A: Rows) -> list[Any]:
    """All entries, row by row."""
    return [entry for row in A for entry in row]


def mapped(function: Callable[..., Any], *arrays: Rows) -> Rows:
    """A function of each entry of arrays; one row, or one column, is repeated."""
    if len(arrays) == 1:
        return [[function(entry) for entry in row] for row in arrays[0]]
    rows = max(len(A) for A in arrays)
    cols = max(len(A[0]) for A in arrays)
    full = [[row * cols if len(row) < cols else row for row in A] for A in arrays]
    full = [A * rows if len(A) < rows else A for A in full]
    return [
        [function(*each) for each in zip(*lines, strict=True)] for lines in zip(*full, strict=True)
    ]


def added(A: Rows, B: Rows) -> Rows:
    """The sum."""
    return mapped(lambda a, b: a + b, A, B)


def transposed(A: Rows) -> Rows:
    """The transpose."""
    return [list(line) for line in zip(*A, strict=True)]


def product(A: Rows, B: Rows) -> Rows:
    """The matrix product."""
    dot = mpmath().mp.fdot
    columns = transposed(B)
    return [[dot(row, line) for line in columns] for row in A]


def beside(A: Rows, B: Rows) -> Rows:
    """The array [A, B]."""
    return [[*a, *b] for a, b in zip(A, B, strict=True)]


def largest_of(A: Rows) -> Any:
    """The largest magnitude of an entry."""
    return max(abs(entry) for entry in entries(A))
