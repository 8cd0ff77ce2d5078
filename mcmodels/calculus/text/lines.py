"""Columns that NumPy's users make of vectors: ``x[:, None]``, ``x.reshape(-1, 1)``, ``keepdims``.

A vector is a column here, so that each is read as the vector. Beside a matrix that is what NumPy
does. Beside a vector of one axis NumPy makes the matrix of all pairs, which is refused here.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from mcmodels.calculus.text.syntax import Source

__all__ = ["has_lines", "is_column_of_numpy", "require_no_lines", "require_no_pairs"]

_COLUMN, _ROW = "np.column", "np.row"
_NOT_ENTRYWISE = (
    "sum mean norm trace det logdet amax amin logsumexp diag vec dot outer len size np.row T "
    "transpose tr einsum hstack vstack block"
)
_REDUCING = frozenset(_NOT_ENTRYWISE.split())


def has_lines(tree: ast.AST) -> bool:
    """Whether such a column, or a row, is made anywhere in a text."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(isinstance(f, ast.Name) and f.id in (_COLUMN, _ROW) for f in calls)


def is_column_of_numpy(node: ast.expr) -> bool:
    """Whether NumPy has two axes where a vector is read."""
    if isinstance(node, ast.UnaryOp):
        return is_column_of_numpy(node.operand)
    if isinstance(node, ast.BinOp):
        right = is_column_of_numpy(node.right)
        return right or (not isinstance(node.op, ast.MatMult) and is_column_of_numpy(node.left))
    if isinstance(node, ast.Compare):
        return any(map(is_column_of_numpy, (node.left, *node.comparators)))
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        return False
    if node.func.id == _COLUMN:
        return True
    return node.func.id not in _REDUCING and any(map(is_column_of_numpy, node.args))


def _is_line(node: ast.expr) -> bool:
    """Whether it is such a column, or such a row."""
    function = node.func if isinstance(node, ast.Call) else None
    is_row = isinstance(function, ast.Name) and function.id == _ROW
    return is_row or is_column_of_numpy(node)


def require_no_pairs(
    source: Source, nodes: Sequence[ast.expr], values: Sequence[Sequence[Any]], where: ast.AST
) -> None:
    """Refuse such a column beside a vector, entry by entry; each node has values of its parts."""
    if not all(value.is_column for each in values for value in each):
        return  # a matrix, or a row
    columns = [is_column_of_numpy(node) for node in nodes]
    vectors = [any(not value.is_scalar for value in each) for each in values]
    if any(columns) and any(v and not c for v, c in zip(vectors, columns, strict=True)):
        source.refuse(
            "a column such as x[:, None] beside a vector is the matrix of all pairs in NumPy; a "
            "vector is a column here: write x - y for each entry, X - y.T for each row of X",
            where,
        )


def require_no_lines(source: Source, node: ast.Call) -> None:
    """Refuse functions that do something else with two axes than with one."""
    if node.args and _is_line(node.args[0]):
        source.refuse(
            "NumPy takes a column such as x[:, None], or a row, for a matrix here: write it "
            "without [:, None], reshape and keepdims",
            node,
        )
