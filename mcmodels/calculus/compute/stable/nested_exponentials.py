"""Exponentials of exponentials: 1 − exp(−exp(η)) and its like, far below 0 and far above.

Far below, they are series in t = exp(η), as η → −∞: also where t underflows, which t/(1 − exp(−t))
does not. The logarithm of such a series is that of its leading term, kη + log c, and of what is
left. Far above, exp(η) overflows where exp(η − exp(η)) is 0: the exponentials of a product become
one.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mcmodels.calculus.compute.stable.far_out import ByExponentials
from mcmodels.calculus.compute.stable.fraction_forms import product
from mcmodels.calculus.compute.stable.near_zero import Walk, polynomial
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, ones, scale
from mcmodels.calculus.core.arithmetic.exponentials import argument_of
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.pairwise import choose
from mcmodels.calculus.core.rewriting import substitute

__all__ = ["FarBelow", "holds_exponential", "joined_exponentials", "with_joined_exponentials"]

_OUTER = frozenset({"exp", "expm1"})
_ENTRYWISE = (N.Sum, N.Scaled, N.Hadamard, N.Power)


def holds_exponential(e: Expression) -> bool:
    """Whether it is made of exponentials by sums, products and powers."""
    if isinstance(e, N.Elementwise):
        return e.name == "exp" and bool(e.used)
    return isinstance(e, _ENTRYWISE) and any(map(holds_exponential, e.children))


class FarBelow(ByExponentials):
    """Series in t = exp(η) of what holds exp(−exp(η))."""

    def __init__(self) -> None:
        super().__init__(lambda e: False, above=False)

    def _is_reason(self, e: Expression) -> bool:
        return isinstance(e, N.Elementwise) and e.name in _OUTER and holds_exponential(e.argument)

    def _numbers_of(self, e: Expression) -> Expression | None:
        is_outer = isinstance(e, N.Elementwise) and holds_exponential(e.argument)
        return None if is_outer else super()._numbers_of(e)

    def _may_cancel(self, e: Expression) -> bool:
        if e.key not in self._candidates:
            may = isinstance(e, (*_ENTRYWISE, N.Elementwise)) and self._holds_reason(e)
            self._candidates[e.key] = may
        return self._candidates[e.key]

    def _cancels_here(self, e: Expression, u: Expression) -> bool:
        if super()._cancels_here(e, u):
            return True
        if not isinstance(e, N.Scaled | N.Hadamard) or not self._holds_reason(e):
            return False
        each = [self._known(child, u, 4) for child in e.children]
        orders = [s.order for s in each if s is not None]
        return len(orders) == len(each) and min(orders) < 0 < max(orders)

    def rewritten(self, e: Expression, plainly: Walk, walk: Walk) -> Expression | None:
        """An equal expression that keeps its digits far below 0; None where it keeps them."""
        opened = self._opened(e) if isinstance(e, N.Scaled | N.Hadamard) else None
        return super().rewritten(e, plainly, walk) if opened is None else walk(opened)

    def _opened(self, e: Expression) -> Expression | None:
        """exp(η)(1 − y + y f(η)) as (1 − y)exp(η) + y exp(η)f(η), of which only f has a series."""
        if not self._may_cancel(e):
            return None
        factors = _factors(e)
        for i, factor in enumerate(factors):
            if not isinstance(factor, N.Sum) or len(self._variables_of(factor)) < 2:
                continue
            nested = [term for term in factor.children if self._holds_reason(term)]
            others = [*factors[:i], *factors[i + 1 :]]
            if nested and any(map(holds_exponential, others)):
                plain = [term for term in factor.children if not self._holds_reason(term)]
                each = [*nested, add(plain)] if plain else nested
                coefficient = e.coefficient if isinstance(e, N.Scaled) else Fraction(1)
                return add([scale(coefficient, product([term, *others])) for term in each])
        return None

    def _sum(self, e: N.Sum, u: Expression, plainly: Walk, walk: Walk) -> Expression | None:
        """Without the terms that have a factor y and no nested exponential.

        Of y f(η) − y exp(η) + exp(η) the last two cancel where y is 1.
        """
        plain = [
            term
            for term in e.children
            if not self._holds_reason(term) and len(self._variables_of(term)) > 1
        ]
        if not plain:
            return super()._sum(e, u, plainly, walk)
        nested = add([term for term in e.children if term not in plain])
        if not isinstance(nested, N.Sum):
            found = self.rewritten(nested, plainly, walk)
        else:
            found = super()._sum(nested, u, plainly, walk)
        return None if found is None else add([found, walk(add(plain))])

    def _chosen(self, e: Expression, u: Expression, plainly: Walk) -> Expression | None:
        if isinstance(e, N.Elementwise) and e.name == "log":
            found = self._logarithm(e, u, plainly)
            if found is not None:
                return found
        return super()._chosen(e, u, plainly)

    def _logarithm(self, e: N.Elementwise, u: Expression, plainly: Walk) -> Expression | None:
        """Log(c tᵏ(1 + …)) as kη + log(c(1 + …)), where k is not 0."""
        s = self._known(e.argument, u, 40)
        if s is None or not s.terms or not s.order or s.terms[0] <= 0:
            return None
        radius, terms = self._reach(s)
        if terms is None:
            return None
        inside, small, outside = self._places(u, radius)
        near = add([scale(s.order, u), elementwise("log", polynomial(0, terms, small))])
        return choose(inside, near, substitute(plainly(e), {u: outside}))


def with_joined_exponentials(e: Expression) -> Expression:
    """A product, or a sum of products, with the exponentials of each in one."""
    return (
        add(list(map(_joined_or_itself, e.children)))
        if isinstance(e, N.Sum)
        else _joined_or_itself(e)
    )


def _joined_or_itself(e: Expression) -> Expression:
    found = joined_exponentials(e) if isinstance(e, N.Scaled | N.Hadamard) else None
    return e if found is None else found


def joined_exponentials(e: Expression) -> Expression | None:
    """The product with its exponentials in one, where one of them is of an exponential."""
    exponents: list[Expression] = []
    rest: list[Expression] = []
    for factor in _factors(e):
        z = _exponent(factor)
        (rest if z is None else exponents).append(factor if z is None else z)
    if len(exponents) < 2 or not any(map(holds_exponential, exponents)):
        return None
    filled = [] if e.is_scalar else [ones(e.rows, e.cols)]
    together = [product([scale(1), *filled, z]) if z.is_scalar else z for z in exponents]
    coefficient = e.coefficient if isinstance(e, N.Scaled) else Fraction(1)
    joined = elementwise("exp", add(together))
    return scale(coefficient, product([scale(1), *filled, *rest, joined]))


def _factors(e: Expression) -> Sequence[Expression]:
    return [
        factor
        for child in e.children
        for factor in (child.children if isinstance(child, N.Hadamard) else (child,))
    ]


def _exponent(factor: Expression) -> Expression | None:
    z = argument_of("exp", factor)
    if z is None and isinstance(factor, N.Power) and isinstance(factor.exponent, N.Number):
        inner = argument_of("exp", factor.base)
        return None if inner is None else scale(factor.exponent, inner)
    return z
