"""vec, Kronecker products, and sums over the blocks of a matrix."""

from __future__ import annotations

from mcmodels.calculus.arithmetic import constants, products, sums, transposes
from mcmodels.calculus.expression import Expression
from mcmodels.calculus.nodes import (
    BlockSum,
    BlockTrace,
    Identity,
    Kron,
    Ones,
    Product,
    Scaled,
    Unvec,
    Vec,
    Zeros,
)
from mcmodels.calculus.sizes import ONE, ShapeError, Size

__all__ = ["block_sum", "block_trace", "inner_product", "kron", "trace", "unvec", "vec"]


def vec(expression: Expression) -> Expression:
    """The columns of a matrix, stacked; a vector is its own vec."""
    if expression.rows == ONE or expression.is_column:
        return expression if expression.is_column else transposes.transpose(expression)
    if isinstance(expression, Unvec):
        return expression.argument
    if isinstance(expression, Zeros | Ones):
        return type(expression)(expression.rows * expression.cols, ONE)
    if isinstance(expression, Scaled):
        assert expression.array is not None
        return sums.scale(expression.coefficient, *expression.scalars, vec(expression.array))
    if isinstance(expression, Product):
        for i, factor in enumerate(expression.children):
            if factor.is_column:
                # vec(uvᵀ) = v ⊗ u: Magnus and Neudecker (2019), section 2.4.
                u, v = expression.children[: i + 1], expression.children[i + 1 :]
                return kron(transposes.transpose(products.matmul(v)), products.matmul(u))
    return Vec(expression)


def unvec(expression: Expression, m: Size, n: Size) -> Expression:
    """The m×n matrix whose vec is a given vector."""
    if not expression.is_column or expression.rows != m * n:
        raise ShapeError(
            f"unvec to {m}×{n} needs a vector of {m * n}; found {constants.shape_text(expression)}"
        )
    if n == ONE:
        return expression
    if m == ONE:
        return transposes.transpose(expression)
    if isinstance(expression, Vec) and expression.argument.rows == m:
        return expression.argument
    if isinstance(expression, Zeros | Ones):
        return type(expression)(m, n)
    if isinstance(expression, Scaled) and expression.array is not None:
        inner = unvec(expression.array, m, n)
        return sums.scale(expression.coefficient, *expression.scalars, inner)
    return Unvec(expression, m, n)


def kron(left: Expression, right: Expression) -> Expression:
    """The Kronecker product left ⊗ right."""
    if left.is_scalar or right.is_scalar:
        return sums.scale(left, right)
    number, scalars, A = sums.parts(left)
    other_number, other_scalars, B = sums.parts(right)
    assert A is not None
    assert B is not None
    coefficients = [number, *scalars, other_number, *other_scalars]
    if isinstance(B, Kron):
        return sums.scale(*coefficients, kron(kron(A, B.left), B.right))
    if isinstance(A, Zeros) or isinstance(B, Zeros):
        return constants.zeros(left.rows * right.rows, left.cols * right.cols)
    if A.is_column and B.rows == ONE:
        return sums.scale(*coefficients, products.matmul([A, B]))
    if A.rows == ONE and B.is_column:
        return sums.scale(*coefficients, products.matmul([B, A]))
    if isinstance(A, Identity) and isinstance(B, Identity):
        return sums.scale(*coefficients, Identity(A.rows * B.rows))
    return sums.scale(*coefficients, Kron(A, B))


def block_sum(C: Expression, A: Expression, rows: Size, cols: Size) -> Expression:
    """Σᵢⱼ aᵢⱼ Cᵢⱼ over the rows×cols blocks of C."""
    number, scalars, c = sums.parts(C)
    other_number, other_scalars, a = sums.parts(A)
    coefficients = [number, *scalars, other_number, *other_scalars]
    if constants.is_zero(C) or constants.is_zero(A):
        return constants.zeros(rows, cols)
    if a is None:
        return sums.scale(*coefficients, *([] if c is None else [c]))
    assert c is not None
    if isinstance(c, Kron) and (c.left.rows, c.left.cols) == (a.rows, a.cols):
        return sums.scale(*coefficients, inner_product(c.left, a), c.right)
    if isinstance(c, Identity) and a.is_square:
        return sums.scale(*coefficients, trace(a), constants.identity(rows))
    return sums.scale(*coefficients, BlockSum(c, a, rows, cols))


def block_trace(C: Expression, B: Expression, rows: Size, cols: Size) -> Expression:
    """The matrix of tr(BᵀCᵢⱼ) over the blocks of C of the shape of B."""
    number, scalars, c = sums.parts(C)
    other_number, other_scalars, b = sums.parts(B)
    coefficients = [number, *scalars, other_number, *other_scalars]
    if constants.is_zero(C) or constants.is_zero(B):
        return constants.zeros(rows, cols)
    if b is None:
        return sums.scale(*coefficients, *([] if c is None else [c]))
    assert c is not None
    if isinstance(c, Kron) and (c.right.rows, c.right.cols) == (b.rows, b.cols):
        return sums.scale(*coefficients, inner_product(c.right, b), c.left)
    if isinstance(c, Identity) and b.is_square:
        return sums.scale(*coefficients, trace(b), constants.identity(rows))
    return sums.scale(*coefficients, BlockTrace(c, b, rows, cols))


def trace(array: Expression) -> Expression:
    """The trace; written so because `functions` builds on this package."""
    from mcmodels.calculus import functions

    return functions.trace(array)


def inner_product(a: Expression, b: Expression) -> Expression:
    """tr(aᵀ b); aᵀb of vectors."""
    return trace(products.matmul([transposes.transpose(a), b]))
