"""Normal densities at two places in one sum: φ(v) = φ(u) exp((u² − v²)/2).

So S φ(d₁) = K exp(−rT) φ(d₂) in the formula of Black and Scholes, whose derivatives are then as
books print them.
"""

from __future__ import annotations

from itertools import permutations, product
from math import prod

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, assemble, parts, power, scale
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number

__all__ = ["densities_joined"]

_MOST_TERMS = 60  # of what is multiplied out
_MOST_PLACES = 3  # of which all pairs are tried
_HALF = power(number(2), number(-1))


def densities_joined(e: N.Sum) -> Expression | None:
    """A sum with one of its normal densities written by another, where terms then cancel."""
    if not e.is_scalar:
        return None
    places = list(dict.fromkeys(place for term in e.children for place in _places(term)))
    best: Expression | None = None
    gaps: dict[tuple[Expression, Expression], Expression] = {}
    for u, v in permutations(places, 2) if len(places) <= _MOST_PLACES else ():
        gap = _negative(gaps[v, u]) if (v, u) in gaps else _gap(u, v)
        if gap is None:
            continue
        gaps[u, v] = gap
        found = _joined(e, u, v, gap)
        if found is not None and (best is None or _terms(found) < _terms(best)):
            best = found
    return best


def _gap(u: Expression, v: Expression) -> Expression | None:
    """(u² − v²)/2, multiplied out."""
    return _multiplied_out(scale(_HALF, add([scale(u, u), scale(-1, v, v)])))


def _negative(gap: Expression) -> Expression:
    terms = gap.children if isinstance(gap, N.Sum) else (gap,)
    return add([scale(-1, term) for term in terms])


def _joined(e: N.Sum, u: Expression, v: Expression, gap: Expression) -> Expression | None:
    """The sum with φ(v) written by φ(u), where ``gap`` is (u² − v²)/2."""
    terms: list[Expression] = []
    for term in e.children:
        coefficient, scalars, array = parts(term)
        if array is not None or not any(place == v for place in _places(term)):
            terms.append(term)
            continue
        others = [s for s in scalars if not (_is_density(s) and s.children[0] == v)]
        if len(scalars) - len(others) != 1:
            return None
        exponents = [s.children[0] for s in others if _is(s, "exp")]
        rest = [s for s in others if not _is(s, "exp")]
        exponent = _multiplied_out(add([*exponents, gap]))
        if exponent is None:
            return None
        density = elementwise("norm_pdf", u)
        terms.append(scale(coefficient, *rest, density, *_exponential(exponent)))
    return add(terms)


def _exponential(exponent: Expression) -> list[Expression]:
    """Factors of exp(a + log(b)): exp(a) and b."""
    logs, others = [], []
    for term in exponent.children if isinstance(exponent, N.Sum) else (exponent,):
        coefficient, scalars, array = parts(term)
        is_log = array is None and len(scalars) == 1 and _is(scalars[0], "log")
        if is_log and coefficient in (1, -1):
            logs.append(power(scalars[0].children[0], number(int(coefficient))))
        elif coefficient != 0:
            others.append(term)
    return [*logs, elementwise("exp", add(others))] if others else logs


def _places(term: Expression) -> list[Expression]:
    return [s.children[0] for s in parts(term)[1] if _is_density(s)]


def _is_density(e: Expression) -> bool:
    return _is(e, "norm_pdf")


def _is(e: Expression, name: str) -> bool:
    return isinstance(e, N.Elementwise) and e.name == name


def _terms(e: Expression) -> int:
    return len(e.children) if isinstance(e, N.Sum) else 1


def _multiplied_out(e: Expression) -> Expression | None:
    """A scalar as a sum of products without sums in them; None where it is long."""
    total: list[Expression] = []
    for term in e.children if isinstance(e, N.Sum) else (e,):
        coefficient, scalars, array = parts(term)
        if array is not None:
            return None
        choices: list[list[Expression]] = []
        kept: list[Expression] = []
        for scalar in scalars:
            base, times = scalar, 1
            if isinstance(scalar, N.Power) and isinstance(scalar.exponent, N.Number):
                value = scalar.exponent.value
                if isinstance(scalar.base, N.Sum) and 0 < value == int(value) <= 4:
                    base, times = scalar.base, int(value)
            if isinstance(base, N.Sum):
                inner = _multiplied_out(base)
                if inner is None:
                    return None
                choices += [list(inner.children) if isinstance(inner, N.Sum) else [inner]] * times
            else:
                kept.append(scalar)
        if len(total) + prod(map(len, choices)) > _MOST_TERMS:
            return None
        total += [
            assemble(coefficient, kept, None) if not choices else scale(coefficient, *kept, *chosen)
            for chosen in product(*choices)
        ]
    return add(total)
