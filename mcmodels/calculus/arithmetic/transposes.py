"""Transposes, moved inwards, and what is symmetric."""

from __future__ import annotations

from mcmodels.calculus.arithmetic import elementwise_products, kronecker, products, sums
from mcmodels.calculus.expression import Expression
from mcmodels.calculus.nodes import (
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
    Sum,
    Symbol,
    Transpose,
    Zeros,
)

__all__ = ["is_symmetric", "transpose"]


def transpose(expression: Expression) -> Expression:
    """The transpose, moved inwards as far as it goes without opening a sum."""
    if expression.is_scalar or is_symmetric(expression):
        return expression
    if isinstance(expression, Transpose):
        return expression.argument
    if isinstance(expression, Scaled):
        assert expression.array is not None
        return sums.scale(expression.coefficient, *expression.scalars, transpose(expression.array))
    if isinstance(expression, Product):
        return products.matmul([transpose(factor) for factor in reversed(expression.children)])
    if isinstance(expression, Kron):
        return kronecker.kron(transpose(expression.left), transpose(expression.right))
    if isinstance(expression, Hadamard) and any(
        isinstance(f, Transpose) for f in expression.children
    ):
        return elementwise_products.hadamard([transpose(f) for f in expression.children])
    if isinstance(expression, Zeros | Ones):
        return type(expression)(expression.cols, expression.rows)
    if isinstance(expression, Commutation):
        return Commutation(expression.n, expression.m)
    return Transpose(expression)


def is_symmetric(expression: Expression) -> bool:
    """Whether a matrix is symmetric by what is declared and by how it is built."""
    if not expression.is_square:
        return False
    if isinstance(expression, Symbol):
        return expression.is_scalar or "symmetric" in expression.declared
    if isinstance(expression, Identity | Zeros | Ones | DiagonalMatrix):
        return True
    if isinstance(expression, MatrixPower):
        return is_symmetric(expression.base)
    if isinstance(expression, Power | Elementwise):
        return is_symmetric(expression.children[0])
    if isinstance(expression, Scaled):
        return expression.array is None or is_symmetric(expression.array)
    if isinstance(expression, Hadamard | Sum):
        keys = sorted(child.key for child in expression.children)
        return keys == sorted(transpose(child).key for child in expression.children)
    if isinstance(expression, Kron):
        return is_symmetric(expression.left) and is_symmetric(expression.right)
    if isinstance(expression, Product):
        children = expression.children
        return all(
            transpose(child) == other
            for child, other in zip(children, reversed(children), strict=True)
        )
    return expression.is_scalar
