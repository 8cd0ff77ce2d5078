"""Transposes, moved inwards, and what is symmetric.

How a product is transposed is known where products are made. So `transpose` looks the rule of a
node up in a table, and the modules above this one enter theirs with the decorator `transposes`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcmodels.calculus.core.arithmetic.orientation import is_its_transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.function_nodes import (
    FrechetMatrix,
    MatrixFunction,
    Pairwise,
    Pinv,
    Polygamma,
    Where,
)
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.nodes import (
    Commutation,
    DiagonalMatrix,
    Elementwise,
    Hadamard,
    Identity,
    Kron,
    MatrixPower,
    Ones,
    Power,
    Product,
    Scaled,
    Stack,
    Sum,
    Symbol,
    Transpose,
    Zeros,
)

__all__ = ["is_symmetric", "transpose", "transposes", "upright"]

Transposition = Callable[[Any], Expression]

_TRANSPOSED: dict[type[Expression], Transposition] = {
    Transpose: lambda node: node.argument,
    Zeros: lambda node: Zeros(node.cols, node.rows),
    Ones: lambda node: Ones(node.cols, node.rows),
    Commutation: lambda node: Commutation(node.n, node.m),
}


def transposes(kind: type[Expression]) -> Callable[[Transposition], Transposition]:
    """Enter the decorated function as the way in which nodes of a kind are transposed."""

    def enter(rule: Transposition) -> Transposition:
        _TRANSPOSED[kind] = rule
        return rule

    return enter


def transpose(expression: Expression) -> Expression:
    """The transpose, moved inwards as far as it goes without opening a sum."""
    if expression.is_scalar or is_symmetric(expression):
        return expression
    return _TRANSPOSED.get(type(expression), Transpose)(expression)


def upright(expression: Expression) -> Expression:
    """X for Xᵀ: for functions that have the same value for both."""
    return expression.argument if isinstance(expression, Transpose) else expression


def is_symmetric(expression: Expression) -> bool:
    """Whether declarations and structure show that a matrix is symmetric."""
    if expression.symmetric is None:
        expression.symmetric = _is_symmetric(expression)
    return expression.symmetric


def _is_symmetric(expression: Expression) -> bool:
    if not expression.is_square:
        return False
    if isinstance(expression, Symbol):
        return expression.is_scalar or "symmetric" in expression.declared
    if isinstance(expression, Identity | Zeros | Ones | DiagonalMatrix):
        return True
    if isinstance(expression, MatrixPower):
        return is_symmetric(expression.base)
    if isinstance(expression, Polygamma | MatrixFunction | FrechetMatrix | Pinv):
        return is_symmetric(expression.argument)
    if isinstance(expression, Pairwise | Where):
        return all(is_symmetric(child) for child in expression.children)
    if isinstance(expression, Power | Elementwise):
        return is_symmetric(expression.children[0])
    if isinstance(expression, Scaled):
        return expression.array is None or is_symmetric(expression.array)
    if isinstance(expression, Hadamard | Sum):
        return is_its_transpose(expression, is_symmetric)
    if isinstance(expression, Kron):
        return is_symmetric(expression.left) and is_symmetric(expression.right)
    if isinstance(expression, SumOver):
        return is_symmetric(expression.body)
    if isinstance(expression, Stack):
        return _TRANSPOSED[Stack](expression) == expression
    if isinstance(expression, Product):
        children = expression.children
        return all(
            transpose(child) == other
            for child, other in zip(children, reversed(children), strict=True)
        )
    return expression.is_scalar
