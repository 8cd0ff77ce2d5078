"""How large a matrix is formed; beyond that, products with the rows take its place."""

from __future__ import annotations

# 8192² float64 are 512 MB.
LARGEST_SIDE = 8192


def too_many(n_params: int) -> bool:
    """Whether a square matrix of so many parameters is not formed."""
    return n_params > LARGEST_SIDE


def fits(n_rows: int, n_columns: int) -> bool:
    """Whether a matrix takes no more room than the largest square one."""
    return n_rows * n_columns <= LARGEST_SIDE**2
