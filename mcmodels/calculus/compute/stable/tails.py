"""Polynomials in σ(z) or tanh(z), written so that their tails keep their digits.

1 − σ(40) is 0 in float64, σ(−40) is 4·10⁻¹⁸. So the roots 1 of a polynomial in σ, and ±1 of one in
tanh, are taken out as factors: 1 − σ(z) = σ(−z), and 1 − tanh(z)² = 4σ(2z)σ(−2z).
"""

from __future__ import annotations

from fractions import Fraction

from mcmodels.calculus.compute.stable.exponential_fractions import without_number
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, hadamard, parts, power, scale
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number

__all__ = ["with_exact_tails"]

_HIGHEST = 12  # power that is looked at

Coefficients = dict[int, Fraction]
Monomial = tuple[int, Fraction, Expression]  # exponent, coefficient, the other factors


def with_exact_tails(e: N.Sum) -> Expression | None:
    """The sum with such polynomials factored; None where there is none."""
    shared = _by_functions(e)
    if shared is not None:
        return add([_tails_or_itself(part) for part in shared])
    terms = _Terms(e)
    while terms.waiting:
        terms.factor(terms.waiting.pop(next(iter(terms.waiting))))
    if not terms.changed:
        return None
    result = add([term for _, term in sorted(terms.at.items())])
    if result == e:
        return None
    fewer = isinstance(result, N.Sum) and len(result.children) < len(terms.at)
    again = with_exact_tails(result) if fewer and isinstance(result, N.Sum) else None
    return result if again is None else again


def _tails_or_itself(e: Expression) -> Expression:
    found = with_exact_tails(e) if isinstance(e, N.Sum) else None
    return e if found is None else found


def _by_functions(e: N.Sum) -> list[Expression] | None:
    """A constant shared out among polynomials in tanh(u), tanh(v), … that together cancel it.

    3 − tanh(u)² − 2 tanh(v)² is 1 − tanh(u)² and 2 − 2 tanh(v)². None where nothing cancels.
    """
    limits: dict[bytes, tuple[list[Expression], Fraction]] = {}
    constant: Fraction | float = Fraction(0)
    others: list[Expression] = []
    for term in e.children:
        coefficient, scalars, array = parts(term)
        found = _candidates(term)
        monomial = _monomial(term, found[0]) if len(found) == 1 else None
        if not scalars and isinstance(array, N.Ones | None):
            constant = coefficient
        elif monomial is None or monomial[2].used:
            others.append(term)
        elif found[0].name == "tanh" and monomial[0] % 2:
            others.append(term)  # −1 below, and 1 above
        else:
            terms, limit = limits.get(found[0].key, ([], Fraction(0)))
            limits[found[0].key] = ([*terms, term], limit + monomial[1])
    if len(limits) < 2 or constant == 0 or constant + sum(c for _, c in limits.values()) != 0:
        return None
    one = N.Ones(e.rows, e.cols) if e.is_array else number(1)
    return [*(add([*terms, scale(-c, one)]) for terms, c in limits.values()), *others]


class _Terms:
    """The terms of a sum by the functions that are their factors, so that each is looked at once.

    A polynomial in y consists of the terms that have the factor y, and of those that are what
    remains of these without it. All other terms stay as they are.
    """

    def __init__(self, e: N.Sum) -> None:
        self.at: dict[int, Expression] = {}
        self.having: dict[bytes, set[int]] = {}  # places of terms, by the key of a factor
        self.like: dict[bytes, set[int]] = {}  # places of terms, by the key without the number
        self.asking: dict[bytes, dict[bytes, N.Elementwise]] = {}  # the y for which a rest counts
        self.waiting: dict[bytes, N.Elementwise] = {}
        self.changed = False
        for i, term in enumerate(e.children):
            self._enter(i, term)

    def _enter(self, place: int, term: Expression) -> None:
        self.at[place] = term
        key = without_number(term).key
        self.like.setdefault(key, set()).add(place)
        self.waiting.update(self.asking.get(key, {}))
        for y in _candidates(term):
            self.having.setdefault(y.key, set()).add(place)
            self.waiting[y.key] = y

    def _remove(self, place: int) -> Expression:
        term = self.at.pop(place)
        self.like[without_number(term).key].discard(place)
        for y in _candidates(term):
            self.having[y.key].discard(place)
        return term

    def factor(self, y: N.Elementwise) -> None:
        """Take the roots out of the polynomials in y."""
        groups: dict[bytes, tuple[Expression, Coefficients, set[int]]] = {}
        for place in sorted(self.having[y.key]):
            monomial = _monomial(self.at[place], y)
            if monomial is None:
                return
            exponent, coefficient, rest = monomial
            _, polynomial, places = groups.setdefault(rest.key, (rest, {}, set()))
            polynomial[exponent] = polynomial.get(exponent, Fraction(0)) + coefficient
            places.add(place)
        for key, (rest, polynomial, places) in groups.items():
            self.asking.setdefault(key, {})[y.key] = y
            for place in self.like.get(key, ()):
                constant = parts(self.at[place])[0]
                if not isinstance(constant, Fraction):
                    return
                polynomial[0] = polynomial.get(0, Fraction(0)) + constant
                places.add(place)
            taken, remaining = _roots(polynomial, y)
            if taken:
                self.changed = True
                for place in places:
                    self._remove(place)
                product = _product([rest, *taken, _polynomial(remaining, y, rest)])
                self._enter(min(places), product)


def _candidates(term: Expression) -> list[N.Elementwise]:
    """The σ(z) and tanh(z) that are factors of a term."""
    _, scalars, array = parts(term)
    found = []
    for factor in (*scalars, *_entrywise(array)):
        base = factor.base if isinstance(factor, N.Power) else factor
        if isinstance(base, N.Elementwise) and base.name in ("sigmoid", "tanh"):
            found.append(base)
    return found


def _entrywise(array: Expression | None) -> tuple[Expression, ...]:
    if array is None:
        return ()
    return array.children if isinstance(array, N.Hadamard) else (array,)


def _monomial(term: Expression, y: N.Elementwise) -> Monomial | None:
    """A term as coefficient · rest · yᵏ; None where the coefficient is not exact."""
    coefficient, scalars, array = parts(term)
    if not isinstance(coefficient, Fraction):
        return None
    exponent = 0
    rest: list[Expression] = []
    for factor in (*scalars, *_entrywise(array)):
        base, k = factor, 1
        if isinstance(factor, N.Power) and isinstance(factor.exponent, N.Number):
            value = factor.exponent.value
            if value == int(value) and 0 < value <= _HIGHEST:
                base, k = factor.base, int(value)
        if base == y:
            exponent += k
        else:
            rest.append(factor)
    ones: list[Expression] = [N.Ones(term.rows, term.cols)] if term.is_array else [number(1)]
    return exponent, coefficient, _product([*ones, *rest])


def _product(factors: list[Expression]) -> Expression:
    scalars = [factor for factor in factors if factor.is_scalar]
    arrays = [factor for factor in factors if factor.is_array]
    return scale(*scalars, *([hadamard(arrays)] if arrays else []))


def _roots(polynomial: Coefficients, y: N.Elementwise) -> tuple[list[Expression], Coefficients]:
    """The factors of the roots at ±1, and what remains of the polynomial."""
    z = y.argument
    if y.name == "sigmoid":
        above, polynomial = _divided(polynomial, 1)
        # y − 1 = −σ(−z)
        factor = scale(-1, elementwise("sigmoid", scale(-1, z)))
        return _raised(factor, above), polynomial
    above, polynomial = _divided(polynomial, 1)
    below, polynomial = _divided(polynomial, -1)
    double = scale(2, z)
    # tanh(z) − 1 = −2σ(−2z), and tanh(z) + 1 = 2σ(2z)
    minus = scale(-2, elementwise("sigmoid", scale(-1, double)))
    plus = scale(2, elementwise("sigmoid", double))
    return [*_raised(minus, above), *_raised(plus, below)], polynomial


def _raised(factor: Expression, k: int) -> list[Expression]:
    return [power(factor, number(k))] if k else []


def _divided(polynomial: Coefficients, root: int) -> tuple[int, Coefficients]:
    """How often a root occurs, and the quotient, by Horner's scheme."""
    times = 0
    while len(polynomial) > 1 and sum(c * root**k for k, c in polynomial.items()) == 0:
        quotient: Coefficients = {}
        carried = Fraction(0)
        for k in range(max(polynomial), 0, -1):
            carried = polynomial.get(k, Fraction(0)) + root * carried
            if carried:
                quotient[k - 1] = carried
        polynomial, times = quotient, times + 1
    return times, polynomial


def _polynomial(coefficients: Coefficients, y: N.Elementwise, like: Expression) -> Expression:
    one: Expression = N.Ones(like.rows, like.cols) if like.is_array else number(1)
    if y.is_scalar:
        return add([scale(c, power(y, number(k))) for k, c in coefficients.items()])
    return add([scale(c, power(y, number(k)) if k else one) for k, c in coefficients.items()])
