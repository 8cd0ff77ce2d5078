"""Equations that hold, used from left to right: vᵀv = 1 and Su = λu inside of products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import (
    add,
    inner_product,
    is_zero,
    matmul,
    parts,
    power,
    scale,
    total,
    trace,
    transpose,
)
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import rewrite, with_children
from mcmodels.calculus.derive.simplification import simplify

__all__ = ["Equalities", "multiplied_out", "orthogonal_groups"]

_MOST_ROUNDS = 20  # equations may lead in circles


class Equalities:
    """Expressions and what they are equal to.

    Parameters
    ----------
    given : mapping of Expression to Expression
        Each is replaced wherever it stands, as a chain of factors of a product, too.
    """

    def __init__(self, given: Mapping[Expression, Expression]) -> None:
        self.given: list[tuple[Expression, Expression]] = []
        for left, right in given.items():
            self.given.append((left, right))
            if not left.is_scalar and transpose(left) != left:
                self.given.append((transpose(left), transpose(right)))

    @classmethod
    def of_constraints(
        cls, constraints: Sequence[Expression], x: N.Symbol, using: Mapping[Expression, Expression]
    ) -> Equalities:
        """Those given, and the constraints, each solved for its one product of highest degree."""
        given = dict(using)
        for constraint in constraints:
            solved = _solved(constraint, x)
            if solved is not None:
                left, right = solved
                given |= dict.fromkeys(_as_sums_of_squares(left), right)
                if isinstance(left, N.Norm):
                    two = number(2)
                    squares = _as_sums_of_squares(power(left, two))
                    given |= dict.fromkeys(squares, power(right, two))
        return cls(given)

    def used_in(self, expression: Expression) -> Expression:
        """An expression that is equal where the equations hold, simplified."""
        for _ in range(_MOST_ROUNDS):
            changed = simplify(self._replaced(multiplied_out(expression)))
            if changed == expression:
                break
            expression = changed
        return expression

    def _replaced(self, expression: Expression) -> Expression:
        def replace(part: Expression) -> Expression | None:
            for left, right in self.given:
                if part == left:
                    return right
                if isinstance(part, N.Product):
                    found = _in_chain(part, left, right)
                    if found is not None:
                        return found
            return None

        return rewrite(expression, replace)


def orthogonal_groups(known: Equalities, slopes: list[Expression]) -> list[list[int]]:
    """The numbers of slopes that are not orthogonal to each other, group by group.

    Of the slopes of constraints, JJᵀ has a block for each group.
    """
    groups: list[list[int]] = []
    for i, slope in enumerate(slopes):
        met = [
            group
            for group in groups
            if any(not is_zero(known.used_in(inner_product(slope, slopes[j]))) for j in group)
        ]
        groups = [group for group in groups if group not in met]
        groups.append(sorted([i, *(j for group in met for j in group)]))
    return groups


def _as_sums_of_squares(e: Expression) -> list[Expression]:
    """The ways to write a sum of squares; of anything else, the expression itself."""
    z: Expression | None = None
    two = number(2)
    if isinstance(e, N.Power) and e.exponent == two and isinstance(e.base, N.Norm):
        z = e.base.argument
    elif isinstance(e, N.Total) and isinstance(e.argument, N.Power):
        z = e.argument.base if e.argument.exponent == two else None
    elif isinstance(e, N.Product | N.Trace) and e.is_scalar:
        gram = e.argument if isinstance(e, N.Trace) else e
        if isinstance(gram, N.Product) and len(gram.factors) == 2:
            first, second = gram.factors
            z = second if transpose(first) == second else None
    if z is None:
        return [e]
    turned = transpose(z)
    squares = [power(N.Norm(z), two), total(power(z, two))]
    return [e, *squares, trace(matmul([turned, z])), trace(matmul([z, turned]))]


def multiplied_out(expression: Expression) -> Expression:
    """The expression with products of sums multiplied out."""
    children = [multiplied_out(child) for child in expression.children]
    same = all(new is old for new, old in zip(children, expression.children, strict=True))
    result = expression if same else with_children(expression, children)
    factors = result.children if isinstance(result, N.Product) else ()
    for position, factor in enumerate(factors):
        if isinstance(factor, N.Sum):
            before, after = factors[:position], factors[position + 1 :]
            return add([multiplied_out(matmul([*before, t, *after])) for t in factor.terms])
    coefficient, scalars, array = parts(result)
    if isinstance(array, N.Sum):
        return add([multiplied_out(scale(coefficient, *scalars, t)) for t in array.terms])
    for scalar in scalars:
        if isinstance(scalar, N.Sum):
            others = [*(s for s in scalars if s is not scalar), *([] if array is None else [array])]
            return add([multiplied_out(scale(coefficient, t, *others)) for t in scalar.terms])
    return result


def _in_chain(product: N.Product, left: Expression, right: Expression) -> Expression | None:
    """The product with a chain of its factors replaced."""
    chain = left.factors if isinstance(left, N.Product) else (left,)
    size = len(chain)
    for start in range(len(product.factors) - size + 1):
        if product.factors[start : start + size] == chain:
            before, after = product.factors[:start], product.factors[start + size :]
            if right.is_scalar and not left.is_scalar:
                return None
            if left.is_scalar:
                return scale(right, matmul([*before, *after])) if before or after else right
            return matmul([*before, right, *after])
    return None


def _solved(constraint: Expression, x: N.Symbol) -> tuple[Expression, Expression] | None:
    """A product that contains x, and what it is equal to where the constraint is 0."""
    constraint = multiplied_out(constraint)
    terms = constraint.terms if isinstance(constraint, N.Sum) else (constraint,)
    with_x = [term for term in terms if x in term.used]
    if len(with_x) != 1:
        return None
    coefficient, scalars, array = parts(with_x[0])
    if array is not None and scalars:
        return None
    left = array if array is not None else scalars[0] if len(scalars) == 1 else None
    if left is None or left == x:
        return None
    rest = [scale(-1, term) for term in terms if term != with_x[0]]
    right = add(rest) if rest else N.Zeros(left.rows, left.cols)
    if left.is_scalar and is_zero(right):
        right = number(0)
    return left, scale(power(number(coefficient), number(-1)), right)
