"""Terms in brackets that cancel with a term outside: 1 + σ(u)(xσ(u) − 1) = (1 − σ(u)) + xσ(u)².

Opened carelessly, a bracket gives terms that are larger than it is, and lose its digits. So only
those terms are taken out that are never larger, but for a constant factor, than the term outside
with which they cancel. The others stay in their bracket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from mcmodels.calculus.compute.stable.differences import with_known_differences
from mcmodels.calculus.compute.stable.exponential_fractions import ExponentialFraction, bases_of
from mcmodels.calculus.compute.stable.fraction_forms import (
    canonical,
    factors_of,
    is_positive,
    product,
)
from mcmodels.calculus.compute.stable.tails import with_exact_tails
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, parts, scale
from mcmodels.calculus.core.expression import Expression

__all__ = ["Brackets", "Path", "Piece", "without"]

Path = tuple[tuple[int, int], ...]  # the places of a factor and of its term, from outside inwards
Piece = tuple[int, Path, ExponentialFraction]  # the place of a term, the path in it, what it is
Bases = dict[bytes, dict[bytes, Expression]]
FractionOf = Callable[[Expression, Expression], ExponentialFraction | None]

_MOST = 24  # terms


class Brackets:
    """The terms of a sum, with those in brackets beside exponentials of one base."""

    def __init__(self, e: N.Sum, base: Expression, fraction_of: FractionOf, known: Bases) -> None:
        self._e = e
        self._base = base
        self._fraction_of = fraction_of
        self._known = known

    def terms(self) -> list[tuple[int, Path, Expression]]:
        """The place, the path and the term; none where there are no brackets, or too many terms."""
        # Taken one by one: sums that are nested have too many terms to make them all.
        each = (
            (i, path, term)
            for i, child in enumerate(self._e.children)
            for path, term in self._inside(child, ())
        )
        found = list(islice(each, _MOST + 1))
        return found if len(self._e.children) < len(found) <= _MOST else []

    def _inside(
        self, term: Expression, outer: Sequence[Expression]
    ) -> Iterator[tuple[Path, Expression]]:
        if not isinstance(term, N.Sum) and self._has_base(term):
            factors = factors_of(term)
            having = sum(map(self._has_base, (*factors, *outer)))
            for i, factor in enumerate(factors):
                if having >= 2 and self._is_bracket(factor):
                    rest = [scale(parts(term)[0]), *factors[:i], *factors[i + 1 :]]
                    for j, child in enumerate(factor.children):
                        for path, inner in self._inside(child, (*outer, *rest)):
                            yield ((i, j), *path), inner
                    return
        yield (), product([term, *outer])

    def _has_base(self, e: Expression) -> bool:
        return self._base.key in bases_of(e, self._known)

    def _is_bracket(self, e: Expression) -> bool:
        """Whether it is a sum with exponentials, but no quotient of these alone, as 1 − σ(u) is."""
        if not isinstance(e, N.Sum) or not self._has_base(e):
            return False
        return self._fraction_of(e, self._base) is None

    def may_open(self, pieces: Sequence[Piece]) -> bool:
        """Whether terms that cancel are in brackets, but for one outside that bounds them."""
        outside = [of for _, path, of in pieces if not path]
        inside = [of for _, path, of in pieces if path]
        if not any(self._bounds(of, inside) for of in outside):
            return False
        # The term outside may cancel with another one.
        return with_known_differences(self._e) is None and with_exact_tails(self._e) is None

    def _bounds(self, one: ExponentialFraction, others: Sequence[ExponentialFraction]) -> bool:
        f = canonical(one)
        if f.has_changing_signs:
            return False
        above_zero = is_positive(self._base)
        return all(
            each.degree <= one.degree
            and (above_zero or each.order >= one.order)
            and canonical(each).m >= f.m
            for each in others
        )


def without(term: Expression, paths: Sequence[Path]) -> Expression | None:
    """A term without those in its brackets; None where nothing is left."""
    if () in paths:
        return None
    if not paths:
        return term
    factors = factors_of(term)
    i = paths[0][0][0]
    left = []
    for j, child in enumerate(factors[i].children):
        kept = without(child, [path[1:] for path in paths if path[0] == (i, j)])
        if kept is not None:
            left.append(kept)
    if not left:
        return None
    return product([scale(parts(term)[0]), *factors[:i], add(left), *factors[i + 1 :]])
