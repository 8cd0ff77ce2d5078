"""The largest matrix that is formed; above it, solvers use products with the rows instead."""

from __future__ import annotations

# A square matrix of this many rows takes 512 MB in float64.
LARGEST_SIDE = 8192


def too_many(n_params: int) -> bool:
    """Whether a Hessian of this many parameters is larger than the largest matrix."""
    return n_params > LARGEST_SIDE


def fits(n_rows: int, n_columns: int) -> bool:
    """Whether a matrix takes no more memory than the largest square one."""
    return n_rows * n_columns <= LARGEST_SIDE**2
