"""Arrays put together from blocks: side by side, below each other, or in a grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcmodels.calculus.core import arithmetic
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.operators import as_expression
from mcmodels.calculus.core.sizes import ShapeError

__all__ = ["block", "hstack", "vstack"]


def hstack(blocks: Sequence[Any]) -> Expression:
    """Blocks side by side, [A, B]; a vector is a column, so two vectors of n give n×2.

    Parameters
    ----------
    blocks : list of Expression
        Of equally many rows.

    Returns
    -------
    Expression
        Of as many columns as the blocks have together.

    Raises
    ------
    ShapeError
        If the numbers of rows differ, or there is no block.

    Examples
    --------
    >>> from mcmodels.calculus import hstack, matrix, ones, vector
    >>> X, w = matrix("X", "n", "p"), vector("w", "p + 1")
    >>> (hstack([X, ones("n")]) @ w).shape
    ('n',)
    """
    return arithmetic.stack(_listed("hstack", blocks), 1)


def vstack(blocks: Sequence[Any]) -> Expression:
    """Blocks below each other, [A; B]; a vector is a column, so two vectors give a longer one.

    Parameters
    ----------
    blocks : list of Expression
        Of equally many columns.

    Returns
    -------
    Expression
        Of as many rows as the blocks have together.

    Raises
    ------
    ShapeError
        If the numbers of columns differ, or there is no block.

    Examples
    --------
    >>> from mcmodels.calculus import vector, vstack
    >>> x, y = vector("x", "m"), vector("y", "n")
    >>> vstack([x, y]).T @ vstack([x, y])
    xᵀx + yᵀy
    """
    return arithmetic.stack(_listed("vstack", blocks), 0)


def block(grid: Sequence[Sequence[Any]]) -> Expression:
    """A matrix from a grid of blocks, a list for each row of it: [A, B; C, D].

    Parameters
    ----------
    grid : list of lists of Expression

    Returns
    -------
    Expression

    Raises
    ------
    ShapeError
        If blocks in one row have different numbers of rows, or the rows of different lengths.

    Examples
    --------
    >>> from mcmodels.calculus import block, matrix
    >>> A, B, C = (matrix(name, "n", "n") for name in "ABC")
    >>> block([[A, B], [B.T, C]]).shape
    ('2*n', '2*n')
    """
    if not isinstance(grid, list | tuple) or not all(isinstance(r, list | tuple) for r in grid):
        raise ShapeError(f"block takes a list of lists, as block([[A, B], [C, D]]); found {grid}")
    return arithmetic.stack(_listed("block", [hstack(row) for row in grid]), 0)


def _listed(function: str, blocks: Any) -> list[Expression]:
    if not isinstance(blocks, list | tuple):
        raise ShapeError(f"{function} takes a list, as {function}([A, B]); found {blocks}")
    if not blocks:
        raise ShapeError(f"{function} takes at least one block; found an empty list")
    return [as_expression(given) for given in blocks]
