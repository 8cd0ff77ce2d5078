"""Sums, products and logarithms of exponentials of one number, of which terms cancel or overflow.

They are found in expressions from the outside inwards, before anything else is rewritten, because
what cancels between terms is seen only while they are written as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from mcmodels.calculus.compute.stable.exponential_fractions import (
    ExponentialFraction,
    bases_of,
    exponential_of,
    fraction_of,
    with_base,
    without_number,
)
from mcmodels.calculus.compute.stable.fraction_forms import (
    CanonicalFraction,
    canonical,
    factors_of,
    is_positive,
    logarithm_form,
    product,
    value_form,
)
from mcmodels.calculus.compute.stable.fraction_roots import with_roots_in_range
from mcmodels.calculus.compute.stable.fraction_sums import (
    cancels,
    is_plain,
    outgrow,
    product_of,
    total_of,
)
from mcmodels.calculus.compute.stable.opened_brackets import Brackets, Path, Piece, without
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, ones, parts, scale, zeros_like
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.pairwise import choose

__all__ = ["Cancellation"]

Walk = Callable[[Expression], Expression]
_ONE = ExponentialFraction.monomial(Fraction(1), Fraction(0))
_MINUS_ONE = ExponentialFraction.monomial(Fraction(-1), Fraction(0))


class Cancellation:
    """What is known of the parts of one expression."""

    def __init__(self) -> None:
        self._bases: dict[bytes, dict[bytes, Expression]] = {}
        self._fractions: dict[tuple[bytes, bytes], ExponentialFraction | None] = {}

    def rewritten(self, e: Expression, walk: Walk) -> Expression | None:
        """An equal expression in which nothing cancels; None where nothing did.

        ``walk`` rewrites the parts that are no exponentials.
        """
        if isinstance(e, N.Sum):
            found = self._sum(e, walk)
            found = self._logarithms(e, walk) if found is None else found
            return self._sum_of_opened(e, walk) if found is None else found
        if isinstance(e, N.Scaled | N.Hadamard | N.Power):
            found = with_roots_in_range(e, self._fraction, self._bases, walk)
            if found is not None:
                return found
        if isinstance(e, N.Scaled | N.Hadamard):
            return self._product(e, walk)
        if isinstance(e, N.Power):
            return self._power(e)
        if isinstance(e, N.Elementwise) and e.name in ("log", "log1p"):
            return self._logarithm(e, walk)
        return None

    def covers(self, e: Expression) -> bool:
        """Whether an expression is a quotient of polynomials in one exponential, or its log."""
        if isinstance(e, N.Sum) and (found := self._joined_in(e)) is not None:
            return len(found[2]) == len(e.children)
        inner = e.argument if isinstance(e, N.Elementwise) and e.name == "log" else e
        bases = bases_of(inner, self._bases).values()
        return any(self._fraction(inner, base) is not None for base in bases)

    def _fraction(self, e: Expression, base: Expression) -> ExponentialFraction | None:
        return fraction_of(e, base, self._fractions)

    def _split(
        self, term: Expression, base: Expression
    ) -> tuple[Expression, list[ExponentialFraction]]:
        """A term as the factors that are no fractions in exp(base), and those that are."""
        coefficient = parts(term)[0]
        rest: list[Expression] = []
        found: list[ExponentialFraction] = []
        if isinstance(coefficient, Fraction):
            found.append(ExponentialFraction.monomial(coefficient, Fraction(0)))
        else:
            rest.append(scale(coefficient))
        for factor in factors_of(term):
            alike = factor.is_scalar == base.is_scalar
            inner = self._fraction(factor, base) if alike else None
            if inner is None or not factor.used:
                rest.append(factor)
            else:
                found.append(inner)
        filled = [] if term.is_scalar else [ones(term.rows, term.cols)]
        return product([scale(1), *filled, *rest]), found

    # -- sums --------------------------------------------------------------------------------------

    def _sum(self, e: N.Sum, walk: Walk) -> Expression | None:
        done: list[Expression] = []
        left = list(e.children)
        bodies = {term.key: without_number(term).key for term in left}
        bases = list(bases_of(e, self._bases).values())
        for base in [base for base in bases if is_positive(base)] or bases:
            if base.is_array and (base.rows, base.cols) != (e.rows, e.cols):
                continue
            groups: dict[bytes, tuple[Expression, list[int], list[ExponentialFraction]]] = {}
            others = []
            for i, term in enumerate(left):
                if base.key not in bases_of(term, self._bases):
                    others.append(i)
                    continue
                rest, found = self._split(term, base)
                total = product_of(found)
                if total is not None:
                    _, places, fractions = groups.setdefault(rest.key, (rest, [], []))
                    places.append(i)
                    fractions.append(total)
            for i in others:
                group, c = groups.get(bodies[left[i].key]), parts(left[i])[0]
                if group is not None and isinstance(c, Fraction):
                    group[1].append(i)
                    group[2].append(ExponentialFraction.monomial(c, Fraction(0)))
            gone: set[int] = set()
            for rest, places, fractions in groups.values():
                if len(places) < 2:
                    continue
                sum_ = total_of(fractions)
                if sum_ is None or not cancels(fractions, sum_, is_positive(base)):
                    continue
                gone.update(places)
                if sum_.above:
                    form = value_form(canonical(sum_), base)
                    done.append(product([walk(rest), form]))
            left = [term for i, term in enumerate(left) if i not in gone]
        if len(left) == len(e.children):
            return None
        terms = done + ([walk(add(left))] if left else [])
        return add(terms) if terms else zeros_like(e)

    def _sum_of_opened(self, e: N.Sum, walk: Walk) -> Expression | None:
        """1 + σ(u)(xσ(u) − 1) as 1 − σ(u) + xσ(u)², where what stands in brackets cancels."""
        bases = bases_of(e, self._bases).values()
        for base in bases if len(bases) <= _MOST_BASES else ():
            if base.is_array and (base.rows, base.cols) != (e.rows, e.cols):
                continue
            brackets = Brackets(e, base, self._fraction, self._bases)
            groups: dict[bytes, tuple[Expression, list[Piece]]] = {}
            for i, path, term in brackets.terms():
                rest, found = self._split(term, base)
                total = product_of(found)
                if total is not None and total.above:
                    groups.setdefault(rest.key, (rest, []))[1].append((i, path, total))
            done: list[Expression] = []
            gone: dict[int, list[Path]] = {}
            for rest, pieces in groups.values():
                fractions = [of for _, _, of in pieces]
                if not any(path for _, path, _ in pieces) or len(pieces) < 2:
                    continue
                sum_ = total_of(fractions)
                if sum_ is None or not cancels(fractions, sum_, is_positive(base)):
                    continue
                if not brackets.may_open(pieces):
                    continue
                for i, path, _ in pieces:
                    gone.setdefault(i, []).append(path)
                if sum_.above:
                    done.append(product([walk(rest), value_form(canonical(sum_), base)]))
            if gone:
                kept = [without(term, gone.get(i, [])) for i, term in enumerate(e.children)]
                left = [term for term in kept if term is not None]
                terms = done + ([walk(add(left))] if left else [])
                return add(terms) if terms else zeros_like(e)
        return None

    # -- products ----------------------------------------------------------------------------------

    def _product(self, e: Expression, walk: Walk) -> Expression | None:
        """Where one factor overflows and another makes up for it."""
        for base in bases_of(e, self._bases).values():
            if base.is_array and (base.rows, base.cols) != (e.rows, e.cols):
                continue
            rest, found = self._split(e, base)
            opened = self._opened(e, base, found)
            if opened is not None:
                return walk(opened)
            if not outgrow(found):
                continue
            total = product_of(found)
            if total is not None and total.above and not all(map(is_plain, found)):
                return product([walk(rest), value_form(canonical(total), base)])
        return None

    def _opened(
        self, e: Expression, base: Expression, found: Sequence[ExponentialFraction]
    ) -> Expression | None:
        """exp(u)(f + g) as exp(u)f + exp(u)g, where f or g makes up for a factor that overflows."""
        total = product_of(found)
        if total is None or not total.above or (total.degree <= 0 and total.order >= 0):
            return None
        factors = factors_of(e)
        for i, factor in enumerate(factors):
            inside = isinstance(factor, N.Sum) and base.key in bases_of(factor, self._bases)
            if inside and self._fraction(factor, base) is None:
                rest = [*factors[:i], *factors[i + 1 :]]
                terms = [product([scale(1), term, *rest]) for term in factor.children]
                return scale(parts(e)[0], add(terms))
        return None

    def _power(self, e: N.Power) -> Expression | None:
        """Where what is divided by overflows, and is no sum of exponentials."""
        for base in bases_of(e, self._bases).values():
            of = self._fraction(e, base)
            if of is None or not of.above or (of.degree >= 0 and of.order <= 0):
                continue
            form = canonical(of)
            if form.m < 0 or form.has_changing_signs:
                return value_form(form, base)
        return None

    # -- logarithms --------------------------------------------------------------------------------

    def _logarithm(self, e: N.Elementwise, walk: Walk) -> Expression | None:
        if e.name == "log" and isinstance(e.argument, N.Scaled | N.Hadamard):
            found = self._logarithm_of_product(e, walk)
            if found is not None:
                return found
        for base in bases_of(e.argument, self._bases).values():
            if (base.rows, base.cols) != (e.rows, e.cols):
                continue
            of = self._fraction(e.argument, base)
            if of is not None and e.name == "log1p":
                of = of.plus(_ONE)
            if of is None or not of.above or not of.is_small:
                continue
            f = canonical(of)
            less = _less_one(of, f)
            cancels = less is not None and (f.below or _is_one(of)[2])
            if f.is_sigmoids or not (f.m or f.has_changing_signs or cancels):
                continue  # those that keep their digits by softplus
            inner = walk(e.argument)
            return logarithm_form(f, less, base, N.Elementwise(e.name, inner))
        return None

    def _logarithm_of_product(self, e: N.Elementwise, walk: Walk) -> Expression | None:
        """log(R(y) · rest) as log|R(y)| + log|rest|, where R overflows, for products above 0."""
        for base in bases_of(e.argument, self._bases).values():
            if (base.rows, base.cols) != (e.rows, e.cols):
                continue
            rest, found = self._split(e.argument, base)
            of = product_of(found)
            if of is None or not of.above or not rest.used:
                continue
            if of.degree <= 0 and of.order >= 0:
                continue
            f = canonical(of)
            if not f.m or f.has_changing_signs:
                continue
            sign = scale(1 if f.c > 0 else -1, product([rest, base] if f.m % 2 else [rest]))
            plain = elementwise("log", elementwise("abs", value_form(f, base)))
            size = replace(f, c=abs(f.c))
            each = [
                logarithm_form(size, None, base, plain, of_size=True),
                elementwise("log", elementwise("abs", walk(rest))),
            ]
            if isinstance(sign, N.Number) and sign.value > 0:
                return add(each)
            return choose(sign, add(each), N.Elementwise("log", walk(e.argument)))
        return None

    def _logarithms(self, e: N.Sum, walk: Walk) -> Expression | None:
        """Σ cₖ log Rₖ(y) as the logarithm of one fraction, where the terms cancel."""
        found = self._joined_in(e)
        if found is None:
            return None
        base, rest, places, (share, of, less) = found
        left = [term for i, term in enumerate(e.children) if i not in places]
        plain = elementwise("log", value_form(of, base))
        form = scale(share, product([walk(rest), logarithm_form(of, less, base, plain)]))
        return add([form, walk(add(left))]) if left else form

    def _joined_in(self, e: N.Sum) -> tuple[Expression, Expression, list[int], _Joined] | None:
        """The base, what the logarithms are multiplied by, the places of these, and their sum."""
        bases: dict[bytes, Expression] = {}
        having: dict[bytes, list[int]] = {}
        for i, term in enumerate(e.children):
            inside: dict[bytes, Expression] = {}
            for factor in factors_of(term):
                if isinstance(factor, N.Elementwise) and factor.name in _LOGARITHMS:
                    inside |= bases_of(factor.argument, self._bases)
                    pair = with_base(factor.argument)
                    if pair is not None:
                        inside[pair[1].key] = pair[1]
            bases |= inside
            for key in inside:
                having.setdefault(key, []).append(i)
        if not bases:
            return None
        bodies: dict[bytes, list[int]] = {}
        for i, term in enumerate(e.children):
            bodies.setdefault(without_number(term).key, []).append(i)
        for base in bases.values():
            if (base.rows, base.cols) != (e.rows, e.cols):
                continue
            groups: dict[bytes, tuple[Expression, list[int], list[_Logarithm]]] = {}
            for i in having[base.key]:
                found = self._logarithm_in(e.children[i], base)
                if found is not None:
                    _, places, logarithms = groups.setdefault(found[0].key, (found[0], [], []))
                    places.append(i)
                    logarithms.append(found[1])
            for rest, places, logarithms in groups.values():
                for i in bodies.get(without_number(product([rest, base])).key, []):
                    c = parts(e.children[i])[0]
                    if isinstance(c, Fraction) and i not in places:
                        places.append(i)
                        logarithms.append((c, _y(Fraction(1))))
                joined = _joined(logarithms) if len(places) > 1 else None
                if joined is not None:
                    return base, rest, places, joined
        return None

    def _logarithm_in(
        self, term: Expression, base: Expression
    ) -> tuple[Expression, _Logarithm] | None:
        """A term as rest · c · log R(y)."""
        c = parts(term)[0]
        factors = factors_of(term)
        if not isinstance(c, Fraction):
            return None
        plain = [scale(1), ones(term.rows, term.cols)]
        for i, factor in enumerate(factors):
            of = self._inside_logarithm(factor, base)
            if of is not None:
                return product([*plain, *factors[:i], *factors[i + 1 :]]), (c, of)
        return None

    def _inside_logarithm(self, factor: Expression, base: Expression) -> ExponentialFraction | None:
        if not isinstance(factor, N.Elementwise):
            return None
        if factor.name == "softplus":
            inner = exponential_of(factor.argument, base)
            return None if inner is None else inner.plus(_ONE)
        if factor.name not in ("log", "log1p") or not factor.used:
            return None
        of = self._fraction(factor.argument, base)
        return None if of is None else of.plus(_ONE) if factor.name == "log1p" else of


_LOGARITHMS = frozenset({"log", "log1p", "softplus"})
_Logarithm = tuple[Fraction, ExponentialFraction]  # c and R of c log R
_Joined = tuple[Fraction, CanonicalFraction, CanonicalFraction]  # share, R and R − 1
_MOST_POWERS = 8
_MOST_BASES = 3  # of a sum whose brackets are opened: nested functions have one for each level


def _y(k: Fraction) -> ExponentialFraction:
    return ExponentialFraction.monomial(Fraction(1), k)


def _joined(logarithms: Sequence[_Logarithm]) -> _Joined | None:
    """share, R and R − 1, where Σ cₖ log Rₖ = share · log R, and R is 1 where an Rₖ is not."""
    share = Fraction(1, math.lcm(*(c.denominator for c, _ in logarithms)))
    total = _ONE
    for c, of in logarithms:
        k = c / share
        raised = of.to_the(int(k)) if abs(k) <= _MOST_POWERS else None
        if raised is None:
            return None
        total = total.times(raised)
        if not total.is_small:
            return None
    if not total.above:
        return None
    less = total.plus(_MINUS_ONE)
    if not less.above or not less.is_small:
        return None
    ends = [_is_one(of) for _, of in logarithms]
    whole = _is_one(total)
    if not any(here and not all(end[i] for end in ends) for i, here in enumerate(whole)):
        return None
    return share, canonical(total), canonical(less)


def _is_one(of: ExponentialFraction) -> tuple[bool, bool, bool]:
    """Whether a fraction is 1 for large y, for small y and at 1."""
    less = of.plus(_MINUS_ONE)
    if not less.above:
        return True, True, True
    return less.degree < 0, less.order > 0, canonical(less).m > 0


def _less_one(of: ExponentialFraction, f: CanonicalFraction) -> CanonicalFraction | None:
    """What f − 1 is, where f is 1 at u = 0 or far out."""
    less = of.plus(_MINUS_ONE)
    if not less.above or not less.is_small:
        return None
    return canonical(less) if cancels([of, _MINUS_ONE], less) else None
