"""What is asked of constraints: whether they may be used, their Jacobian, and their kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mcmodels.calculus.core import functions
from mcmodels.calculus.core.arithmetic import (
    add,
    inner_product,
    is_symmetric,
    matmul,
    power,
    scale,
    transpose,
)
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Identity, Product, Symbol
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.calculus.derive import gradients
from mcmodels.calculus.derive.rule import DerivativeError
from mcmodels.calculus.study.equalities import Equalities

__all__ = [
    "Constraints",
    "is_stiefel",
    "is_symmetric_matrix",
    "jacobian_of",
    "listed",
    "require_x",
    "share_along",
    "shares_along_two",
]

Constraints = Expression | Iterable[Expression] | Mapping[str, Expression]


def listed(constraints: Constraints) -> tuple[Expression, ...]:
    """The constraints as they are given, one or several; refused unless they are expressions."""
    if isinstance(constraints, Mapping):
        found = list(constraints.values())
    else:
        several = isinstance(constraints, Iterable) and not isinstance(
            constraints, Expression | str
        )
        found = list(constraints) if several else [constraints]
    if not found:
        raise ShapeError("there is no constraint; give what is 0, as x.T @ x - 1")
    for constraint in found:
        if not isinstance(constraint, Expression) or not constraint.used:
            raise ShapeError(
                f"a constraint is an expression that is 0, as x.T @ x - 1; found {constraint!r}. "
                "== compares how two expressions are written"
            )
    return tuple(found)


def require_x(constraints: tuple[Expression, ...], x: Symbol) -> None:
    """Refuse constraints that do not contain x."""
    for constraint in constraints:
        if x not in constraint.used:
            raise DerivativeError(
                f"the constraint {constraint} = 0 does not contain {x.name!r}; leave it out"
            )


def jacobian_of(constraints: tuple[Expression, ...], x: Symbol) -> Expression:
    """The Jacobian; of a symmetric constraint by the entries on and below its diagonal."""
    rows = []
    for constraint in constraints:
        J = gradients.jacobian(constraint, x)
        if is_symmetric_matrix(constraint):
            J = matmul([functions.elimination(constraint.rows), J])
        rows.append(J)
    return rows[0] if len(rows) == 1 else functions.vstack(rows)


def share_along(known: Equalities, slope: Expression, other: Expression) -> Expression:
    """⟨slope, other⟩ / ⟨slope, slope⟩: the multiple of a slope that is the projection on it."""
    above = known.used_in(inner_product(slope, other))
    below = known.used_in(inner_product(slope, slope))
    return known.used_in(scale(above, power(below, number(-1))))


def is_symmetric_matrix(constraint: Expression) -> bool:
    """Whether it is symmetric, so that it says half of its entries twice."""
    return constraint.is_array and is_symmetric(constraint)


def is_stiefel(constraint: Expression, x: Symbol) -> bool:
    """Whether it is XᵀX − I."""
    if x.is_column or "symmetric" in x.declared:
        return False
    gram = matmul([transpose(x), x])
    return isinstance(gram, Product) and constraint == add([gram, scale(-1, Identity(x.cols))])


def shares_along_two(
    known: Equalities, slopes: Sequence[Expression], other: Expression
) -> tuple[Expression, Expression]:
    """The coefficients of two slopes in the projection of another: (JJᵀ)⁻¹J by Cramer's rule."""
    first, second = slopes

    def inner(a: Expression, b: Expression) -> Expression:
        return known.used_in(inner_product(a, b))

    a, b, c = inner(first, first), inner(first, second), inner(second, second)
    u, v = inner(first, other), inner(second, other)
    over = power(add([scale(a, c), scale(-1, b, b)]), number(-1))
    shares = (add([scale(c, u), scale(-1, b, v)]), add([scale(a, v), scale(-1, b, u)]))
    one, two = (known.used_in(scale(share, over)) for share in shares)
    return one, two
