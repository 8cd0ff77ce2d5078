"""Sums of exponentials with weights, whose logarithms and quotients do not overflow or cancel.

S = Σᵢ wᵢ exp(zᵢ), of weights that are symbols, is exp(m) Σᵢ Tᵢ with m = maxᵢ zᵢ and the terms
Tᵢ = wᵢ exp(zᵢ − m), none of which overflows, and of which one does not underflow. Then log S is
m + log(Σᵢ Tᵢ), and what derivatives of log S are made of are the shares Pᵢ = Tᵢ/Σⱼ Tⱼ. In Hessians
1 − Pᵢ is written as Σ_{j≠i} Tⱼ/Σⱼ Tⱼ. All of this holds for weights of any sign.

The work is in three steps. `with_shares` writes an expression with symbols for zᵢ − m,
1/Σⱼ Tⱼ and log S. Then the rules of `stable` rewrite it. At the end the symbols are replaced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from itertools import combinations_with_replacement

from mcmodels.calculus.compute.stable.equal_exponents import with_one_term_for_each
from mcmodels.calculus.compute.stable.exponential_fractions import without_number
from mcmodels.calculus.compute.stable.fraction_forms import factors_of, product
from mcmodels.calculus.compute.stable.monomials import (
    MOST_OPENED,
    Monomial,
    OpenedTooFarError,
    base_and_power,
    divided,
    multiplied,
)
from mcmodels.calculus.compute.stable.tails import with_exact_tails
from mcmodels.calculus.compute.stable.weighted_sums import (
    Term,
    Weighted,
    exponent_in,
    filled_like,
    is_below,
    sums,
)
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, ones, parts, power, scale, zeros_like
from mcmodels.calculus.core.arithmetic.constants import is_zero
from mcmodels.calculus.core.arithmetic.exponentials import argument_of
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.pairwise import choose, pairwise
from mcmodels.calculus.core.rewriting import rewrite, substitute

__all__ = ["replaced_at_end", "with_shares"]

_MOST_SUMS, _MOST_POWERS = 8, 4
_ENTRYWISE = (N.Sum, N.Scaled, N.Hadamard, N.Power)
Written = tuple[Expression, dict[Expression, Expression]]


class _Placeholder(N.Symbol):
    """A symbol for an expression of the same shape, with the symbols of that."""

    __slots__ = ()

    def __init__(self, name: str, of: Expression) -> None:
        N.Symbol.__init__(self, name, of.rows, of.cols, frozenset())
        self.used = of.used | {self}


def with_shares(expression: Expression) -> Written | None:
    """The expression by shares of such sums, and what its new symbols stand for, the last first.

    None where there is no such sum.
    """
    meanings: dict[Expression, Expression] = {}
    found = False
    for _ in range(_MOST_SUMS):
        e = next(sums(expression), None)
        if e is None:
            break
        joined = with_one_term_for_each(expression, e)
        if joined is not None:
            expression = joined
            e = next(sums(expression), None)
            if e is None:
                break
        shared = _Shares(e)
        written = shared.written(expression)
        if written is None:
            break
        expression, found = written, True
        meanings = {**shared.meanings(), **meanings}
    return (expression, meanings) if found else None


@dataclass
class _Shares:
    """One sum S, and the symbols for what an expression has of it."""

    of: Weighted
    holding: dict[bytes, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        e = self.of.e

        def symbol(name: str) -> _Placeholder:
            return _Placeholder(f"_{name}_{e.key.hex()}", e)  # equal names stand for equal parts

        self.inverse, self.logarithm = symbol("v"), symbol("l")
        places = range(len(self.of.terms))
        self.logits = [symbol(f"u{i}") for i in places]
        self.below = [symbol(f"d{i}") for i in places]  # zᵢ − m

    def meanings(self) -> dict[Expression, Expression]:
        """What the symbols stand for, each in terms of those that follow."""
        e, terms = self.of.e, self.of.terms
        total = add([self.scaled(i) for i, _ in enumerate(terms)])
        inside = elementwise("log", total)
        less = self._less_one()
        if less is not None:
            near = add([less, scale(Fraction(1, 2), ones(e.rows, e.cols))])
            inside = choose(near, elementwise("log1p", less), inside)
        top = reduce(lambda a, b: pairwise("maximum", a, b), [term.z for term in terms])
        return {
            self.logarithm: add([top, inside]),
            self.inverse: power(total, number(-1)),
            **{symbol: self._less_top(i) for i, symbol in enumerate(self.below)},
        }

    def _less_top(self, i: int) -> Expression:
        """zᵢ − m = −max(0, zⱼ − zᵢ, …), of which what is common to zᵢ and zⱼ is no part."""
        terms = self.of.terms
        gaps = [add([term.z, scale(-1, terms[i].z)]) for j, term in enumerate(terms) if j != i]
        zero = zeros_like(self.of.e)
        return scale(-1, reduce(lambda a, b: pairwise("maximum", a, b), gaps, zero))

    def _less_one(self) -> Expression | None:
        """Σⱼ Tⱼ − 1 without its rounding where it is small; None where nothing is known of it."""
        terms = self.of.terms
        weights = [term.weight for term in terms]
        if all(weight.is_scalar for weight in weights) and add(weights) == number(1):
            return add([self._expm1(i) for i, _ in enumerate(terms)])
        for i, term in enumerate(terms):
            if not term.weights and term.c == 1 and not term.z.used:
                others = [self.scaled(j) for j, _ in enumerate(terms) if j != i]
                return add([self._expm1(i), *others])
        return None

    def _expm1(self, i: int) -> Expression:
        term = self.of.terms[i]
        return self._weighed(term, elementwise("expm1", self.below[i]))

    def scaled(self, i: int, beside: Sequence[Expression] = ()) -> Expression:
        """Tᵢ, with other exponents beside its own."""
        term = self.of.terms[i]
        inside = add([self.below[i], *beside])
        return self._weighed(term, elementwise("exp", inside))

    def _weighed(self, term: Term, e: Expression) -> Expression:
        return scale(term.c, product([number(1), *term.weights, e]))

    # -- an expression by shares -------------------------------------------------------------------

    def written(self, expression: Expression) -> Expression | None:
        """The expression without this sum in quotients and logarithms."""
        try:
            found = rewrite(expression, self._replaced)
        except OpenedTooFarError:
            return None
        found = rewrite(found, self._finished)
        if found == expression or not found.used.isdisjoint(self.logits):
            return None
        return found

    def _replaced(self, part: Expression) -> Expression | None:
        if isinstance(part, N.Elementwise) and part.name in ("log", "log1p"):
            z = part.argument
            inner = z if part.name == "log" else add([ones(z.rows, z.cols), z])
            return self.logarithm if inner == self.of.e else None
        if not self._holds(part):
            return None
        terms: list[Expression] = []
        for term in _terms_of(part):
            if not self._holds(term):
                terms.append(rewrite(term, self._replaced))
                continue
            terms += [self._by_shares(each, part) for each in self._opened(term)]
        return self._with_exact_tails(terms)

    def _with_exact_tails(self, terms: Sequence[Expression]) -> Expression:
        """Their sum, with Pᵢ − Pᵢ² = Pᵢ(1 − Pᵢ) before Pᵢ − PᵢPⱼ, which leaves Pᵢ² alone."""
        groups: dict[tuple[int, bytes], list[Expression]] = {}
        left: list[Expression] = []
        for term in _terms_of(add(terms)):
            found = [
                (share[0], k, factor)
                for factor in factors_of(term)
                for base, k in [base_and_power(factor)]
                if (share := self._share(base)) is not None
            ]
            if len(found) == 1:
                i, _, factor = found[0]
                rest = [other for other in factors_of(term) if other is not factor]
                key = without_number(product([number(1), *rest])).key
                groups.setdefault((i, key), []).append(term)
            else:
                left.append(term)
        done: list[Expression] = []
        for group in groups.values():
            total = add(group)
            exact = _exact(total) if len(group) > 1 else total
            (left if exact == total else done).append(exact)
        return self._by_pairs(add([*done, _exact(add(left))]) if left else add(done))

    def _by_pairs(self, e: Expression) -> Expression:
        """Write rPᵢ(1 − Pᵢ) as Σⱼ r PᵢPⱼ, with what stands before each PᵢPⱼ in one sum: (aᵢ − aⱼ)².

        They cancel where exponents have nearly the same slope.
        """
        pairs: dict[tuple[int, int], list[Expression]] = {}
        left: list[Expression] = []
        for term in _terms_of(e):
            places: list[tuple[int, bool, int]] = []
            rest: list[Expression] = []
            for factor in factors_of(term):
                base, k = base_and_power(factor)
                share = self._share(base)
                if share is None:
                    rest.append(factor)
                else:
                    places.append((*share, k))
            filled = [] if e.is_scalar else [ones(e.rows, e.cols)]
            body = scale(parts(term)[0], product([number(1), *filled, *rest]))
            own = [i for i, is_own, _ in places if is_own]
            if any(exponent_in(factor) is not None for factor in rest) or any(
                k > 1 for *_, k in places
            ):
                left.append(term)
            elif len(places) == len(own) == 2:
                pairs.setdefault((min(own), max(own)), []).append(body)
            elif len(places) == 2 and len({i for i, *_ in places}) == len(own) == 1:
                for j in range(len(self.of.terms)):
                    if j != own[0]:
                        pair = (min(own[0], j), max(own[0], j))
                        pairs.setdefault(pair, []).append(body)
            else:
                left.append(term)
        shares = [elementwise("sigmoid", u) for u in self.logits]
        joined = [product([add(each), shares[i], shares[j]]) for (i, j), each in pairs.items()]
        return add([*joined, *left])

    def _holds(self, e: Expression) -> bool:
        """Whether it is made, entry by entry, of quotients by the sum."""
        if e.key not in self.holding:
            found = False
            if self._power_of_sum(e) is not None:
                found = True
            elif isinstance(e, N.Power):
                found = _is_small(e) and self._holds(e.base)
            elif isinstance(e, _ENTRYWISE):
                found = any(map(self._holds, e.children))
            self.holding[e.key] = found
        return self.holding[e.key]

    def _power_of_sum(self, e: Expression) -> Expression | None:
        """The k of Sᵏ, where S is divided by, or is under a root; also of powers of powers."""
        if not isinstance(e, N.Power):
            return None
        if e.base == self.of.e:
            return e.exponent if is_below(e) else None
        inner = self._power_of_sum(e.base)
        return None if inner is None else scale(inner, e.exponent)

    def _has_exponential(self, e: Expression) -> bool:
        if exponent_in(e) is not None or self._holds(e):
            return True
        if isinstance(e, N.Power) and not _is_small(e):
            return False
        return isinstance(e, _ENTRYWISE) and any(map(self._has_exponential, e.children))

    def _opened(self, e: Expression) -> list[Monomial]:
        """The terms of an expression with its sums opened that hold exponentials."""
        if isinstance(e, N.Sum):
            found = [each for child in e.children for each in self._opened(child)]
        elif isinstance(e, N.Power) and _is_small(e) and self._has_exponential(e.base):
            assert isinstance(e.exponent, N.Number)
            found = [Monomial()]
            for _ in range(int(e.exponent.value)):
                found = multiplied(found, self._opened(e.base))
        elif isinstance(e, N.Scaled | N.Hadamard):
            found = [Monomial(parts(e)[0])]
            for factor in factors_of(e):
                found = multiplied(found, self._factor(factor))
        else:
            found = self._factor(e)
        if len(found) > MOST_OPENED:
            raise OpenedTooFarError
        return found

    def _factor(self, e: Expression) -> list[Monomial]:
        z = exponent_in(e)
        if z is not None and e.is_scalar >= self.of.e.is_scalar:
            return [Monomial(exponents=(z,))]
        exponent = self._power_of_sum(e)
        if exponent is not None:
            k = exponent.value if isinstance(exponent, N.Number) else None
            if k is not None and k == int(k) and 0 < -k <= _MOST_POWERS:
                return [Monomial(k=int(-k))]
            return [Monomial(exponents=(scale(exponent, self.logarithm),))]
        is_opened = isinstance(e, _ENTRYWISE) and e != self.of.e and self._has_exponential(e)
        if is_opened and (not isinstance(e, N.Power) or _is_small(e)):
            return self._opened(e)
        if isinstance(e, N.Ones):
            return [Monomial()]
        return [Monomial(factors=(e,))]

    def _by_shares(self, monomial: Monomial, like: Expression) -> Expression:
        """exp(Z)/Sᵏ as a product of k shares and what is left of exp(Z)."""
        e, terms = self.of.e, self.of.terms
        z = add([filled_like(each, e) for each in monomial.exponents] or [zeros_like(e)])
        best: tuple[tuple[int, int], Monomial, Expression, list[Expression]] | None = None
        for places in combinations_with_replacement(range(len(terms)), monomial.k):
            left = add([z, *(scale(-1, terms[i].z) for i in places)])
            length = 0 if is_zero(left) else len(left.children) if isinstance(left, N.Sum) else 1
            rest, shares, lacking = monomial, [], 0
            for i in places:
                without = divided(rest, terms[i])
                lacking += without is None
                rest = rest if without is None else without
                if without is None:
                    shares += [elementwise("exp", self.below[i]), self.inverse]
                else:
                    shares.append(elementwise("sigmoid", self.logits[i]))
            if best is None or (length, lacking) < best[0]:
                best = (length, lacking), rest, left, shares
        assert best is not None, "there are terms"
        _, rest, left, shares = best
        others = [rewrite(factor, self._replaced) for factor in rest.factors]
        filled = [] if like.is_scalar else [ones(like.rows, like.cols)]
        kept = [] if is_zero(left) else [elementwise("exp", left)]
        return scale(rest.coefficient, product([number(1), *filled, *others, *kept, *shares]))

    # -- shares as exponentials --------------------------------------------------------------------

    def _finished(self, part: Expression) -> Expression | None:
        """Products with shares, each with all of its exponentials in one."""
        if not isinstance(part, N.Scaled | N.Hadamard | N.Power | N.Elementwise):
            return None
        pieces = [(*base_and_power(factor), factor) for factor in factors_of(part)]
        shares = [(*found, k) for base, k, _ in pieces if (found := self._share(base)) is not None]
        if not shares and not any(base == self.inverse for base, *_ in pieces):
            return None
        e = self.of.e
        exponents: list[Expression] = []
        rest: list[Expression] = []
        for base, _, factor in pieces:
            z = exponent_in(factor)
            if z is not None and z.is_scalar >= e.is_scalar:
                exponents.append(filled_like(z, e))
            elif base == self.inverse:
                rest.append(factor)
            elif self._share(base) is None:
                rest.append(rewrite(factor, self._finished))
        filled = [] if part.is_scalar else [ones(part.rows, part.cols)]
        coefficient = parts(part)[0]
        k = sum(k for *_, k in shares)
        inverse = [power(self.inverse, number(k))] if k else []
        wholes: list[list[int]] = []  # of sums of terms
        for i, is_own, k in shares:
            if is_own or len(self.of.terms) == 2:
                j = i if is_own else 1 - i
                term = self.of.terms[j]
                coefficient *= term.c**k
                rest += [power(w, number(k)) for w in term.weights]
                exponents.append(scale(k, self.below[j]))
            else:
                places = [j for j, _ in enumerate(self.of.terms) if j != i]
                wholes += [places] * k
        if not wholes:
            together = [elementwise("exp", add(exponents))] if exponents else []
            return scale(coefficient, product([number(1), *filled, *rest, *inverse, *together]))
        first = add([self.scaled(j, exponents) for j in wholes[0]])
        others = [add([self.scaled(j) for j in places]) for places in wholes[1:]]
        return scale(coefficient, product([number(1), *filled, *rest, *inverse, first, *others]))

    def _share(self, base: Expression) -> tuple[int, bool] | None:
        """The place of σ(uᵢ), with True, and of σ(−uᵢ), with False."""
        z = argument_of("sigmoid", base)
        for i, u in enumerate(self.logits):
            if z == u:
                return i, True
            if z == scale(-1, u):
                return i, False
        return None


def _terms_of(e: Expression) -> tuple[Expression, ...]:
    return e.children if isinstance(e, N.Sum) else (e,)


def _exact(e: Expression) -> Expression:
    found = with_exact_tails(e) if isinstance(e, N.Sum) else None
    return e if found is None else found


def _is_small(e: N.Power) -> bool:
    k = e.exponent.value if isinstance(e.exponent, N.Number) else -1
    return k == int(k) and 1 < k <= _MOST_POWERS


def replaced_at_end(e: Expression, meanings: Mapping[Expression, Expression]) -> Expression:
    """The expression with its placeholders replaced by what they stand for."""
    for symbol, meaning in meanings.items():
        e = substitute(e, {symbol: meaning})
    return e
